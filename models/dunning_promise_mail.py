"""The e-mail that confirms a promise: what was promised, by when, and how to pay it at once."""

import base64
from types import SimpleNamespace

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, str2bool
from odoo.tools.misc import get_lang

from ..tools.names import parse_name

# The picture travels with the e-mail, so that it is seen without asking a server for it.
QR_NAME = 'betaalcode.png'


class DunningPromise(models.Model):
    _inherit = 'dunning.promise'

    confirmed_on = fields.Datetime(string="Confirmed", readonly=True, copy=False)
    email_to = fields.Char(string="Confirmed To", readonly=True, copy=False)

    # Words for the text, in the language of the debtor.
    lang = fields.Char(string="Language", compute='_compute_words')
    salutation = fields.Char(compute='_compute_words')
    amount_text = fields.Char(compute='_compute_words')
    date_text = fields.Char(compute='_compute_words')
    made_text = fields.Char(compute='_compute_words')
    invoices_text = fields.Char(compute='_compute_words', help="The numbers of the invoices.")
    invoice_count = fields.Integer(compute='_compute_words')
    contact_text = fields.Char(compute='_compute_words')
    mail_payment = fields.Html(compute='_compute_mail_payment', sanitize=False)

    @api.depends('amount', 'date_promised', 'date_made', 'contact_id', 'partner_id', 'company_id')
    def _compute_words(self):
        Letter = self.env['dunning.letter']
        for promise in self:
            lang = promise._get_lang()
            env = self.with_context(lang=lang).env
            moves = promise.move_ids
            promise.lang = lang
            promise.salutation = promise._get_salutation()
            promise.amount_text = Letter._format_amount(promise.amount, promise.currency_id, lang)
            promise.date_text = Letter._format_date(promise.date_promised, lang)
            promise.made_text = Letter._format_date(promise.date_made, lang)
            promise.invoices_text = self.env['dunning.notice']._join_words(
                env, [move.name or '' for move in moves.sorted('invoice_date')])
            promise.invoice_count = len(moves)
            promise.contact_text = promise.company_id._get_dunning_contact_text()

    @api.depends('amount', 'amount_paid', 'amount_lowered', 'date_promised')
    def _compute_mail_payment(self):
        for promise in self:
            promise.mail_payment = promise._render_payment(f'cid:{QR_NAME}')

    def _get_recipient(self):
        """Return who is written to: the person who promised, else the contact for reminders, for invoices, the debtor.

        Whoever has no e-mail address that works is passed over; nobody: an empty record.
        """
        self.ensure_one()
        debtor = self.partner_id
        addresses = debtor.address_get(['dunning', 'invoice'])
        ids = [self.contact_id.id, addresses.get('dunning'), addresses.get('invoice'), debtor.id]
        for person in self.env['res.partner'].browse(dict.fromkeys(filter(None, ids))):
            if person.email_normalized and not person.dunning_email_bounced_on:
                return person
        return self.env['res.partner']

    def _get_lang(self):
        self.ensure_one()
        person = self._get_recipient() or self.partner_id
        lang = person._get_dunning_lang() or self.company_id.partner_id.lang
        installed = dict(self.env['res.lang'].get_installed())
        return lang if lang in installed else get_lang(self.env, 'nl_NL').code

    def _get_salutation(self):
        """Return “Dear Ms Jansen,” in the language of the debtor."""
        env = self.with_context(lang=self._get_lang()).env
        person = self._get_recipient() or self.partner_id
        name = parse_name(person.name, dutch=(self._get_lang() or '').startswith('nl'))
        if person.is_company or name.is_desk or (person.parent_id and ' ' not in name.full and not name.gender):
            return env._("Dear Sir or Madam,")
        if name.gender == 'male':
            return env._("Dear Mr %s,", name.surname)
        if name.gender == 'female':
            return env._("Dear Ms %s,", name.surname)
        return env._("Dear %s,", name.full)

    def _get_bank(self):
        """Return the account to pay on: that of the invoices, else the first of the company."""
        self.ensure_one()
        owner = self.company_id.partner_id
        banks = self.move_ids.partner_bank_id.filtered(
            lambda bank: bank.partner_id.commercial_partner_id == owner.commercial_partner_id)
        return banks[:1] or owner.bank_ids[:1]

    def _get_reference(self):
        """Return what the debtor states: the invoice's own reference, or the numbers of all of them."""
        moves = self.move_ids
        if len(moves) == 1:
            return moves.payment_reference or moves.name or ''
        return ' '.join(move.name for move in moves.sorted('invoice_date') if move.name)[:140]

    def _get_amount_to_pay(self):
        return self.currency_id.round(self.amount - self.amount_lowered - self.amount_paid)

    def _get_qr_image(self):
        """Return the EPC QR code of what is to be paid as PNG bytes, or None where a bank could not read it."""
        self.ensure_one()
        uri = self.env['dunning.letter']._get_qr(self._get_bank(), SimpleNamespace(
            currency_id=self.currency_id, amount_due=self._get_amount_to_pay(), reference=self._get_reference(),
            partner_id=self.partner_id))
        return base64.b64decode(uri.partition(',')[2]) if uri else None

    def _can_pay_online(self):
        self.ensure_one()
        # sudo: whether debtors can pay online is the same for every user
        allowed = self.env['ir.config_parameter'].sudo().get_param('account_payment.enable_portal_payment', 'False')
        return str2bool(allowed) and bool(self.env['payment.provider'].sudo().search_count([  # sudo: as above
            ('state', '!=', 'disabled'), ('is_published', '=', True), ('company_id', '=', self.company_id.id),
        ], limit=1))

    def _get_pay_links(self):
        """Return ``[(number, amount, address)]``: where each invoice is paid, or seen where paying online is off."""
        self.ensure_one()
        online = self._can_pay_online()
        links = []
        lines = self._get_live_lines()
        for move in lines.move_id.sorted('invoice_date'):
            amount = sum(line.amount for line in lines if line.move_id == move)
            move = move.sudo()  # sudo: the debtor gets the address of his own invoice
            base = move.get_base_url()
            if online:
                link = self.env['payment.link.wizard'].sudo().create({  # sudo: the link of that one invoice
                    'res_model': 'account.move', 'res_id': move.id, 'amount': amount, 'amount_max': amount,
                    'currency_id': move.currency_id.id, 'partner_id': move.partner_id.id,
                }).link.replace(f'{base}//', f'{base}/')
            else:
                link = f'{base}{move.get_portal_url()}'
            links.append((move.name or '', amount, link))
        return links

    def _render_payment(self, qr_source):
        """Return how to pay, as HTML for an e-mail, in the language of the debtor."""
        self.ensure_one()
        lang = self._get_lang()
        Letter = self.env['dunning.letter'].with_context(lang=lang)
        bank = self._get_bank()
        links = self._get_pay_links() if self._origin.id else []
        return Letter.env['ir.qweb']._render('l10n_nl_dunning.promise_mail_payment', {
            'promise': self,
            'amount': Letter._format_amount(self._get_amount_to_pay(), self.currency_id, lang),
            'date': Letter._format_date(self.date_promised, lang),
            'iban': Letter._format_iban(bank.acc_number),
            'holder': bank.acc_holder_name or bank.partner_id.name or self.company_id.name,
            'reference': self._get_reference(),
            'links': [
                {'name': name, 'amount': Letter._format_amount(amount, self.currency_id, lang), 'url': url}
                for name, amount, url in links],
            'online': self._can_pay_online(),
            'qr': qr_source if self._get_qr_image() else '',
        }, minimal_qcontext=True)

    def action_send_confirmation(self):
        """Send the debtor what he promised and how to pay it."""
        self.check_access('write')
        for promise in self:
            if promise.state != 'running':
                raise UserError(self.env._(
                    "“%s” is not running any more, so there is nothing to confirm.", promise.display_name))
            promise._send_confirmation()
        return True

    def _send_confirmation(self):
        """Hand the confirmation to the mail queue.

        :raise UserError: when no e-mail address of the debtor works
        """
        self.ensure_one()
        person = self._get_recipient()
        if not person:
            raise UserError(self.env._(
                "%s has no e-mail address that works, so the promise cannot be confirmed. Complete the contact, or "
                "record the promise without confirmation.", self.partner_id.display_name))
        company, lang = self.company_id, self._get_lang()
        # sudo: as for any template, its author's rights count
        template = self.env.ref('l10n_nl_dunning.mail_template_promise').sudo()
        subject = template._render_field('subject', self.ids, set_lang=lang)[self.id]
        body = template._render_field('body_html', self.ids, set_lang=lang)[self.id]
        layout = self.env['ir.qweb'].with_context(lang=lang)._render(
            'l10n_nl_dunning.withdrawal_mail', {'subject': subject, 'body': body, 'company': company},
            minimal_qcontext=True)
        image = self._get_qr_image()
        # sudo: the picture belongs to the promise, which the user may write
        attachment = self.env['ir.attachment'].sudo().create({
            'name': QR_NAME, 'raw': image, 'mimetype': 'image/png', 'res_model': self._name, 'res_id': self.id,
        }) if image else self.env['ir.attachment']
        author = (self.env.user if not self.env.user._is_superuser() else self.user_id).partner_id
        until = company._get_dunning_quiet_until(self.partner_id.country_id.code)
        # sudo: mail.mail belongs to the system
        mail = self.env['mail.mail'].sudo().create({
            'model': self._name,
            'res_id': self.id,
            'record_name': self.display_name,
            'subject': subject,
            # In the history the picture is that of the attachment.
            'body': body.replace(f'cid:{QR_NAME}', f'/web/image/{attachment.id}'),
            'body_html': layout,
            'email_from': company.email_formatted or author.email_formatted,
            'author_id': author.id,
            'email_to': person.email_formatted,
            'message_type': 'comment',
            'subtype_id': self.env['ir.model.data']._xmlid_to_res_id('mail.mt_comment'),
            'is_notification': True,
            'attachment_ids': [(4, attachment.id)] if attachment else [],
            'scheduled_date': until and company._get_dunning_tz().localize(until).astimezone(
                pytz.utc).replace(tzinfo=None),
        })
        # sudo: as above; failures and bounces are written on it by the mail module
        self.env['mail.notification'].sudo().create({
            'mail_message_id': mail.mail_message_id.id,
            'mail_mail_id': mail.id,
            'res_partner_id': person.id,
            'mail_email_address': email_normalize(person.email),
            'notification_type': 'email',
            'notification_status': 'ready',
            'author_id': author.id,
        })
        self._recording().write({'confirmed_on': fields.Datetime.now(), 'email_to': person.email_formatted})
        return mail


class IrMailServer(models.Model):
    _inherit = 'ir.mail_server'

    def _build_email__(self, email_from, email_to, subject, body, *args, **kwargs):
        # OVERRIDE: core attaches pictures; one that the text shows (“cid:name”) needs its name as Content-ID.
        message = super()._build_email__(email_from, email_to, subject, body, *args, **kwargs)
        if f'cid:{QR_NAME}' in (body or ''):
            for part in message.iter_attachments():
                if part.get_filename() == QR_NAME and 'Content-ID' not in part:
                    part['Content-ID'] = f'<{QR_NAME}>'
                    part.replace_header('Content-Disposition', f'inline; filename="{QR_NAME}"')
        return message
