"""Getting it to the debtor: the offer, the agreement and the messages while it runs, by e-mail or by post."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..kernel.formats import letter_amount, letter_day
from ..letter.dunning_debtor_mail import QR_NAME


class DunningArrangementMail(models.AbstractModel):
    _name = 'dunning.arrangement.mail'
    _description = "Payment Arrangement"

    # With the address of its page, which has the key.
    mail_payment = fields.Html(
        string="How to Pay", compute='_compute_mail_payment', sanitize=False, groups=fields.NO_ACCESS)

    # -------------------------------------------------------------------------
    # HOW TO PAY
    # -------------------------------------------------------------------------

    @api.depends('state', 'instalment_ids.amount_left', 'instalment_ids.state', 'lang')
    def _compute_mail_payment(self):
        for arrangement in self:
            arrangement.mail_payment = arrangement._render_payment()

    def _get_reference(self):
        """Return what the debtor states when he pays."""
        self.ensure_one()
        return self.name or ''

    def _render_payment(self):
        """Return how to pay the next instalment, as HTML for an e-mail, in the language of the debtor."""
        self.ensure_one()
        part = self._get_next_part()
        if not part:
            return Markup()
        lang = self._get_lang()
        links = [{
            'name': self.name, 'amount': letter_amount(self.env, part.amount_left, self.currency_id, lang),
            'url': self._get_page_url(),
        }] if self._origin.id else []
        return self._render_transfer(
            part.amount_left, letter_day(self.env, part.date_due, lang), links, self._get_reference())

    def _render_told_payment(self, amount, by, lang, parts, moves):
        """Return how to pay what a message is about, as HTML for an e-mail, in the language of the debtor.

        :param str by: the last day, or empty
        :param moves: invoices of their own that are to be paid; None for the arrangement
        """
        self.ensure_one()
        Letter = self.env['dunning.letter']
        if moves is not None:
            links = [{
                'name': move.name, 'amount': letter_amount(self.env, move.amount_residual, move.currency_id, lang),
                'url': f'{move.get_base_url()}{move.get_portal_url()}',
            } for move in moves.sudo()]  # sudo: the debtor gets the address of his own invoice
        else:
            links = [{
                'name': self.name, 'amount': letter_amount(self.env, amount, self.currency_id, lang),
                'url': self._get_pay_url(parts if len(parts) == 1 else None) if (
                    Letter._can_pay_online(self.company_id)) else self._get_page_url(),
            }]
        reference = self._get_reference() if moves is None else Letter._get_moves_reference(moves)
        return self._render_transfer(amount, by, links, reference)

    # -------------------------------------------------------------------------
    # OFFER AND AGREEMENT
    # -------------------------------------------------------------------------

    def _send_offer(self):
        """Send the offer to the debtor: by e-mail where an address works, else somebody posts it."""
        for arrangement in self:
            person = arrangement._get_mailable()
            if person:
                arrangement._send_mail(
                    'l10n_nl_dunning.mail_template_arrangement_offer', person,
                    files=arrangement.offer_attachment_id.sudo())  # sudo: the file that is to leave
            else:
                if not arrangement._get_postal_partner()._has_dunning_address():
                    raise UserError(self.env._(
                        "%s has neither an e-mail address that works nor a postal address. Complete the contact first.",
                        arrangement.partner_id.display_name))
                arrangement._ask_to_post(
                    lambda env, name=arrangement.name: env._("Print and post the proposal %s", name))

    def _send_agreement(self):
        """Send the agreement to both sides, and the paper that was signed with it."""
        for arrangement in self:
            files = arrangement.agreement_attachment_id | arrangement.scan_attachment_id
            person, template = arrangement._get_mailable(), 'l10n_nl_dunning.mail_template_arrangement_agreement'
            if person and not arrangement._refuse_to_tell(template):
                part = arrangement._get_next_part()
                arrangement._send_mail(
                    template, person,
                    files=files.sudo(),  # sudo: the files that are to leave
                    picture=part and arrangement._get_qr_png(part.amount_left, arrangement._get_reference()))
            elif not person:
                arrangement._ask_to_post(
                    lambda env, name=arrangement.name: env._("Print and post the signed agreement %s", name))
            local = arrangement._for_collector()
            # sudo: our copy, also when the debtor signs in the portal and it is countersigned by itself
            local.sudo().message_post(
                body=local.env._("Both sides signed %s. The signed agreement is attached.", arrangement.name),
                subject=local.display_name,
                partner_ids=(arrangement._get_responsible() - self.env.user).partner_id.ids,
                attachment_ids=files.ids, message_type='notification', subtype_xmlid='mail.mt_note')

    def _ask_to_post(self, get_summary):
        """Give the collector something to print.

        :param get_summary: function of an environment that returns what, in its language
        """
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            get_summary(env), self.company_id.with_env(env)._explain_dunning_sender() or env._(
                "%s has no e-mail address that works.", self.partner_id.name or '')))

    def action_print_offer(self):
        """Download what counts now: the agreement, else the proposal; of a draft how it would look."""
        self.ensure_one()
        self.check_access('read')
        attachment = self.agreement_attachment_id or self.offer_attachment_id or self._make_concept()
        return {
            'type': 'ir.actions.act_url',
            'url': f"/web/content/{attachment.id}?download=true",
            'target': 'self',
        }

    def action_offer_again(self):
        """Send the offer once more, as it was frozen."""
        self.check_access('write')
        for arrangement in self:
            if arrangement.state != 'offered':
                raise UserError(self.env._("“%s” is not on offer, so there is nothing to send.", arrangement.name))
            arrangement._send_offer()
        return True

    # -------------------------------------------------------------------------
    # MESSAGES WHILE IT RUNS
    # -------------------------------------------------------------------------

    def _write_to_debtor(self, kind, at_date, parts=None, items=None):
        """Tell the debtor, by e-mail or by way of the collector.

        :param kind: reminder, missed, new_invoice, broken or kept
        :param parts: the instalments it is about
        :param items: the due items of new invoices it is about
        """
        self.ensure_one()
        parts = parts or self.env['dunning.arrangement.instalment']
        items = items or self.env['account.move.line']
        told = self.with_context(dunning_told=(kind, tuple(parts.ids), tuple(items.ids)), dunning_at_date=at_date)
        template = f'l10n_nl_dunning.mail_template_arrangement_{kind}'
        amount = told._get_told_amount(kind, parts, items) if kind != 'kept' else 0.0
        reference = self.env['dunning.letter']._get_moves_reference(items.move_id) if items else told._get_reference()
        person = told._get_mailable()
        if told._refuse_to_tell(template):
            return
        if person:
            told._send_mail(template, person, picture=told._get_qr_png(amount, reference) if amount else None)
        else:
            self._ask_to_write(told, template, told._prepare_transfer(amount, reference)['qr'] if amount else '')

    def _refuse_to_tell(self, template):
        """Return whether a message must not leave as it is written; the collector gets a to-do that says why."""
        refusal = self._refuse_words(template, *self._render_words(template))
        if refusal:
            self._tell_owner('mail.mail_activity_data_todo', lambda env: (
                env._("Correct the text of a message to %s", self.partner_id.name), refusal))
        return bool(refusal)

    def _ask_to_write(self, told, template, picture):
        """Put the words in the history and ask the collector to post them: nobody is left without them.

        :param str picture: data URI of the QR code, or empty
        """
        self.ensure_one()
        subject, body = told._render_words(template)
        text = str(body).replace(f'cid:{QR_NAME}', picture)
        self._message_log(body=Markup("<p><b>%s</b></p>%s") % (subject, Markup(text)))  # noqa: S704 - rendered by us
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            env._("Post a letter to %s", self.partner_id.name),
            env._("%(debtor)s has no e-mail address that works. Print and post “%(subject)s” from the history of "
                  "%(name)s, or call.", debtor=self.partner_id.name, subject=subject, name=self.name)))
