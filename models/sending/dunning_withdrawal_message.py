"""What a debtor reads when notices are withdrawn: words, preview, e-mail and letter."""

import base64

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, format_amount

from ..kernel.dunning_paper import LetterDocument
from ..kernel.formats import letter_amount, letter_day


class DunningWithdrawalMessage(models.AbstractModel):
    """The part of a withdrawal about its message."""

    _name = 'dunning.withdrawal.message'
    _description = "Dunning Withdrawal"

    letter_filename = fields.Char(compute='_compute_letter_filename')
    preview_subject = fields.Char(string="Proposed Subject", compute='_compute_preview')
    preview_body = fields.Html(string="Proposed Message", compute='_compute_preview', sanitize=False)

    # Words for the text, in the language of the notice.
    salutation = fields.Char(compute='_compute_words')
    greeting = fields.Char(compute='_compute_words')
    notices_text = fields.Char(compute='_compute_words', help="As in “our reminder of 3 November 2026”.")
    invoices_text = fields.Char(compute='_compute_words', help="The numbers of the invoices.")
    amount_text = fields.Char(compute='_compute_words', help="What was asked and not owed.")
    open_text = fields.Char(
        compute='_compute_words', help="What is still open of these invoices today; empty when nothing is.")
    contact_text = fields.Char(compute='_compute_words')
    invoice_count = fields.Integer(compute='_compute_words')

    @api.depends('partner_id', 'date')
    def _compute_letter_filename(self):
        for withdrawal in self:
            withdrawal.letter_filename = f"{withdrawal.notice_id.name or 'concept'}-withdrawal.pdf".replace('/', '-')

    @api.depends('line_ids.wrong_amount', 'line_ids.move_line_id.amount_residual_currency')
    def _compute_words(self):
        for withdrawal in self:
            notice, lang = withdrawal.notice_id, withdrawal.lang
            lines, currency = withdrawal.line_ids, withdrawal.currency_id
            names = list(dict.fromkeys(line.name or line.move_id.name or '' for line in lines))
            still_open = sum(max(0.0, item.amount_residual_currency) for item in lines.move_line_id)
            is_open = currency and currency.compare_amounts(still_open, 0) > 0
            told = sum(line.withdrawn_amount for line in lines) if withdrawal.state == 'proposed' else 0.0
            withdrawal.salutation = notice and notice._get_salutation()
            withdrawal.greeting = notice.greeting
            withdrawal.notices_text = notice and notice._tell_history(withdrawal.notice_ids)
            withdrawal.invoices_text = notice and notice._join_words(notice.with_context(lang=lang).env, names)
            withdrawal.invoice_count = len(names)
            withdrawal.amount_text = letter_amount(self.env, withdrawal.amount_wrong - told, currency, lang)
            withdrawal.open_text = letter_amount(self.env, still_open, currency, lang) if is_open else ''
            withdrawal.contact_text = withdrawal.company_id._get_dunning_contact_text()

    @api.depends('line_ids.wrong_amount', 'state')
    def _compute_preview(self):
        texts = self.filtered('line_ids')._render_texts()
        for withdrawal in self:
            withdrawal.preview_subject, withdrawal.preview_body = texts.get(withdrawal.id, (False, False))

    def _render_texts(self):
        """Return ``{id: (subject, body)}`` as the debtor would read it now, from the e-mail template."""
        template = self.env.ref('l10n_nl_dunning.mail_template_withdrawal')
        template = template.sudo()  # sudo: as for any template, its author's rights count
        result = {}
        for lang, batch in self._origin.grouped('lang').items():
            subjects = template._render_field('subject', batch.ids, set_lang=lang)
            bodies = template._render_field('body_html', batch.ids, set_lang=lang)
            result.update({record.id: (subjects[record.id], bodies[record.id]) for record in batch})
        return result

    def _tell_somebody(self):
        """Plan an activity for whoever decided about the notice, else for a manager."""
        today = self.env.company._dunning_today()
        for withdrawal in self.sudo():  # sudo: the caller books a payment; the activity is for somebody else
            user = withdrawal.notice_id._get_responsible()
            if not user:
                continue
            local = withdrawal.with_context(lang=user.lang)
            local.activity_schedule(
                'mail.mail_activity_data_todo', date_deadline=today, user_id=user.id, automated=True,
                summary=local.env._("%s had paid already: say sorry", withdrawal.partner_id.name),
                note=local.env._(
                    "%(amount)s of what %(notices)s asked had been settled before it left. Approve the message to the "
                    "debtor, or withdraw it without one.",
                    amount=format_amount(local.env, withdrawal.amount_wrong, withdrawal.currency_id),
                    notices=", ".join(withdrawal.notice_ids.mapped('name'))))

    def _send(self, subject, body):
        """Hand one message to the mail queue, or make its letter."""
        self.ensure_one()
        notice = self.notice_id
        if self.channel == 'letter':
            if not notice._has_postal_address():
                raise UserError(self.env._(
                    "%s has no postal address (street and city). Complete the contact, or choose e-mail.",
                    self.partner_id.display_name))
            self.write({
                'state': 'to_post', 'subject': subject, 'body': body,
                'letter_file': base64.b64encode(self._render_letter(subject, body)),
            })
            return
        address = notice._get_email()
        if not address:
            raise UserError(self.env._(
                "%s has no e-mail address that works. Complete the contact, choose a letter, or withdraw without a "
                "message.", self.partner_id.display_name))
        self.write({'state': 'sent', 'subject': subject, 'body': body, 'email_to': address})
        author = (self.env.user if not self.env.user._is_superuser() else notice._get_responsible()).partner_id
        layout = self.env['ir.qweb'].with_context(lang=self.lang)._render(
            'l10n_nl_dunning.withdrawal_mail',
            {'subject': subject, 'body': body, 'company': self.company_id}, minimal_qcontext=True)
        until = self.company_id._get_dunning_quiet_until(self.partner_id.country_id.code)
        # sudo: mail.mail belongs to the system
        mail = self.env['mail.mail'].sudo().create({
            'model': self._name,
            'res_id': self.id,
            'record_name': self.display_name,
            'subject': subject,
            'body': body,
            'body_html': layout,
            'email_from': self.company_id.email_formatted or author.email_formatted,
            'author_id': author.id,
            'email_to': address,
            'message_type': 'comment',
            'subtype_id': self.env['ir.model.data']._xmlid_to_res_id('mail.mt_comment'),
            'is_notification': True,
            'scheduled_date': until and self.company_id._get_dunning_tz().localize(until).astimezone(
                pytz.utc).replace(tzinfo=None),
        })
        # sudo: as above; delivery failures and bounces are written on it by the mail module
        self.env['mail.notification'].sudo().create({
            'mail_message_id': mail.mail_message_id.id,
            'mail_mail_id': mail.id,
            'res_partner_id': notice.recipient_id.id,
            'mail_email_address': email_normalize(address),
            'notification_type': 'email',
            'notification_status': 'ready',
            'author_id': author.id,
        })

    def action_print(self):
        """Download the letter."""
        self.ensure_one()
        self.check_access('read')
        if not self.letter_file:
            raise UserError(self.env._("There is no letter: the message went by e-mail, or was not approved yet."))
        return {
            'type': 'ir.actions.act_url',
            'url': f"/web/content/dunning.withdrawal/{self.id}/letter_file?download=true"
                   f"&filename={self.letter_filename}",
            'target': 'self',
        }

    def _render_letter(self, subject, body):
        """Return the PDF of the message as a letter."""
        self.ensure_one()
        Letter = self.env['dunning.letter'].with_context(lang=self.lang)
        notice = self.notice_id.with_context(lang=self.lang)
        shared = Letter._prepare_company(self.company_id, self.lang)
        letter = {
            'number': notice.name,
            'title': subject,
            'date': letter_day(self.env, self.date, self.lang),
            'address': Letter._get_address_lines(notice),
            'body': Letter._make_self_contained(body),
            'iban': '',
        }
        html = Letter.env['ir.qweb']._render(
            'l10n_nl_dunning.withdrawal_document', {'letter': letter, 'company': shared}, minimal_qcontext=True)
        return Letter._run_wkhtmltopdf([LetterDocument(
            notice.id, f"<!DOCTYPE html>{html.strip()}", notice.name, f"{self.company_id.name}  ·  {notice.name}",
            shared['page_of'])])
