"""The e-mail that confirms a promise: what was promised, by when, and how to pay it at once."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..letter.dunning_debtor_mail import QR_NAME


class DunningPromise(models.Model):
    _name = 'dunning.promise'
    _inherit = ['dunning.promise', 'dunning.debtor.mail']

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
        return self._get_qr_png(self._get_amount_to_pay(), self._get_reference())

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
        mail = self._send_mail('l10n_nl_dunning.mail_template_promise', person, picture=self._get_qr_image())
        self._recording().write({'confirmed_on': fields.Datetime.now(), 'email_to': person.email_formatted})
        return mail
