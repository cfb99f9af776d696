from markupsafe import Markup

from odoo import api, fields, models

from ..claim.dunning_claim import to_decimal
from ..letter.dunning_debtor_mail import QR_NAME


class DunningArrangement(models.Model):
    _name = 'dunning.arrangement'
    _inherit = ['dunning.arrangement', 'dunning.debtor.mail']

    # Words for the texts, in the language of the debtor; what they are about stands in the context (``dunning_told``).
    told_salutation = fields.Char(compute='_compute_told')
    told_number = fields.Char(compute='_compute_told', help="Which instalment it is about.")
    told_count = fields.Integer(compute='_compute_told', help="How many instalments there are.")
    told_amount = fields.Char(compute='_compute_told', help="What is to be paid.")
    told_date = fields.Char(compute='_compute_told', help="The day of the instalments it is about.")
    told_until = fields.Char(compute='_compute_told', help="Until when it can still be paid.")
    told_left = fields.Char(compute='_compute_told', help="What is left of the arrangement.")
    told_paid = fields.Char(compute='_compute_told', help="What was paid of it.")
    told_invoices = fields.Char(compute='_compute_told', help="The numbers of the invoices it is about.")
    told_invoice_count = fields.Integer(compute='_compute_told')
    told_closed = fields.Char(compute='_compute_told', help="The day on which it ended.")
    told_code = fields.Char(compute='_compute_told')
    told_contact = fields.Char(compute='_compute_told')
    told_payment = fields.Html(compute='_compute_told', sanitize=False)

    @api.depends('instalment_ids.amount_left', 'amount_left', 'amount_paid', 'state', 'lang')
    @api.depends_context('dunning_told')
    def _compute_told(self):
        for arrangement in self:
            arrangement.update(arrangement._prepare_told())

    def _prepare_told(self):
        """Return the words of the texts, as they appear."""
        self.ensure_one()
        kind, part_ids, item_ids = self.env.context.get('dunning_told') or ('', (), ())
        lang = self._get_lang()
        env, Letter = self.with_context(lang=lang).env, self.env['dunning.letter'].with_context(lang=lang)
        parts = self._get_parts().filtered(lambda part: part.id in part_ids)
        items = self.env['account.move.line'].browse(item_ids)
        moves = items.move_id if items else self.move_ids.filtered(
            lambda move: move in self.line_ids.filtered(lambda line: not line.is_booking).move_id)
        amount = self._get_told_amount(kind, parts, items)
        until = self.new_invoice_last_date if kind == 'new_invoice' else max(
            filter(None, parts.mapped('last_date')), default=False)
        numbers = [part.sequence for part in parts]
        say = self.env['dunning.notice']._join_words
        words = {
            'told_salutation': self._get_salutation(),
            'told_number': say(env, [str(number) for number in numbers]),
            'told_count': len(self.instalment_ids),
            'told_amount': Letter._format_amount(amount, self.currency_id, lang),
            'told_date': say(env, [Letter._format_date(part.date_due, lang) for part in parts]) if parts else (
                say(env, [Letter._format_date(item.date_maturity, lang) for item in items])),
            'told_until': Letter._format_date(until, lang),
            'told_left': Letter._format_amount(self.amount_left, self.currency_id, lang),
            'told_paid': Letter._format_amount(self.amount_paid, self.currency_id, lang),
            'told_invoices': say(env, [move.name or '' for move in moves.sorted('invoice_date')]),
            'told_invoice_count': len(moves),
            'told_closed': Letter._format_date(self.closed_on, lang),
            'told_code': self.close_code or '',
            'told_contact': self.company_id._get_dunning_contact_text(),
        }
        # Of what ended everything is due at once: there is no day to name.
        by = words['told_date'] if kind == 'reminder' else words['told_until']
        words['told_payment'] = (
            self._render_told_payment(amount, by, lang, parts, moves if items else None)
            if kind and kind != 'kept' and self.currency_id.compare_amounts(amount, 0) > 0 else Markup())
        return words

    def _get_told_amount(self, kind, parts, items):
        """Return what a message asks for, in the currency of the arrangement."""
        if kind == 'broken':
            return self._get_claim_left()
        return sum(parts.mapped('amount_left')) + sum(items.mapped('amount_residual_currency'))

    def _get_claim_left(self):
        """Return what is owed on its items today, with the interest and costs that are part of it."""
        self.ensure_one()
        company = self.company_id
        items = self.line_ids.move_line_id.filtered(lambda item: item.parent_state == 'posted')
        if not items:
            return 0.0
        Claim = self.env['dunning.claim'].with_company(company)
        claim = Claim._compute(
            Claim._replace_bookings(items), company._dunning_today(), with_interest=self.with_interest,
            with_costs=self.with_costs)
        return max(float(claim.total), float(sum(
            to_decimal(item.amount_residual_currency, self.currency_id.decimal_places) for item in items)))

    def _render_told_payment(self, amount, by, lang, parts, moves):
        """Return how to pay, as HTML for an e-mail, in the language of the debtor.

        :param str by: the last day, or empty
        :param moves: invoices of their own that are to be paid; None for the arrangement
        """
        self.ensure_one()
        Letter = self.env['dunning.letter'].with_context(lang=lang)
        bank, amount_text = self._get_bank(), Letter._format_amount(amount, self.currency_id, lang)
        if moves is not None:
            links = [{
                'name': move.name, 'amount': Letter._format_amount(move.amount_residual, move.currency_id, lang),
                'url': f'{move.get_base_url()}{move.get_portal_url()}',
            } for move in moves.sudo()]  # sudo: the debtor gets the address of his own invoice
        else:
            # sudo: the debtor gets the address of his own arrangement
            arrangement = self.sudo()
            online = self._can_pay_online()
            suffix = '' if not online else f'/pay/{parts.id}' if len(parts) == 1 else '/pay'
            links = [{
                'name': self.name, 'amount': amount_text,
                'url': f'{arrangement.get_base_url()}{arrangement.get_portal_url(suffix=suffix)}',
            }]
        reference = self._get_told_reference(moves)
        return Letter.env['ir.qweb']._render('l10n_nl_dunning.promise_mail_payment', {
            'amount': amount_text,
            'date': by,
            'iban': Letter._format_iban(bank.acc_number),
            'holder': bank.acc_holder_name or bank.partner_id.name or self.company_id.name,
            'reference': reference,
            'links': links,
            'online': self._can_pay_online(),
            'qr': f'cid:{QR_NAME}' if self._get_qr(amount, reference) else '',
        }, minimal_qcontext=True)

    def _get_told_reference(self, moves):
        """Return what the debtor states when he pays the arrangement, or new invoices."""
        self.ensure_one()
        if moves is None:
            return self._get_reference()
        if len(moves) == 1:
            return moves.payment_reference or moves.name or ''
        return ' '.join(moves.mapped('name'))[:140]

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
        person = told._get_recipient()
        if person:
            amount = told._get_told_amount(kind, parts, items) if kind != 'kept' else 0.0
            reference = told._get_told_reference(items.move_id if items else None)
            told._send_mail(template, person, picture=told._get_qr_png(amount, reference) if amount else None)
            return
        self._ask_to_write(told, template)

    def _ask_to_write(self, told, template):
        """Put the words in the history and ask the collector to post them: nobody is left without them."""
        self.ensure_one()
        lang = told._get_lang()
        # sudo: as for any template, its author's rights count
        template = told.env.ref(template).sudo()
        subject = template._render_field('subject', told.ids, set_lang=lang)[told.id]
        body = template._render_field('body_html', told.ids, set_lang=lang)[told.id]
        image = told._get_told_picture()
        text = str(body).replace(f'cid:{QR_NAME}', image)
        self._message_log(body=Markup("<p><b>%s</b></p>%s") % (subject, Markup(text)))  # noqa: S704 - rendered by us
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            env._("Post a letter to %s", self.partner_id.name),
            env._("%(debtor)s has no e-mail address that works. Print and post “%(subject)s” from the history of "
                  "%(name)s, or call.", debtor=self.partner_id.name, subject=subject, name=self.name)))

    def _get_told_picture(self):
        """Return the QR code as a data URI, for words that stay in the history."""
        kind, part_ids, item_ids = self.env.context['dunning_told']
        parts = self.instalment_ids.filtered(lambda part: part.id in part_ids)
        items = self.env['account.move.line'].browse(item_ids)
        amount = self._get_told_amount(kind, parts, items) if kind != 'kept' else 0.0
        return self._get_qr(amount, self._get_told_reference(items.move_id if items else None)) if amount else ''
