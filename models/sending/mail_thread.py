from odoo import api, models

# What mail programs write when nobody wrote (RFC 3834, and what came before it). Bounces never come this far.
AUTOMATIC_HEADERS = {
    'Auto-Submitted': lambda value: value != 'no',
    'X-Autoreply': lambda value: value not in ('no', 'false'),
    'X-Autorespond': bool,
    'Precedence': lambda value: value in ('auto_reply', 'bulk', 'junk', 'list'),
}


def is_automatic(message):
    """Return whether an ``email.message.EmailMessage`` was written by a machine, such as “I am on holiday”."""
    for name, says_so in AUTOMATIC_HEADERS.items():
        value = str(message.get(name) or '').split(';')[0].strip().lower()
        if value and says_so(value):
            return True
    return False


def read_disposition(message):
    """Return the Message-Id that a read receipt (RFC 8098) is about; None of other mails, '' where nobody read it."""
    if message.get_param('report-type', '') != 'disposition-notification':
        return None
    for part in message.walk():
        if part.get_content_type() == 'message/disposition-notification' and part.get_payload():
            said = part.get_payload()[0]
            displayed = 'displayed' in str(said.get('Disposition', '')).lower()
            return str(said.get('Original-Message-ID', '')).strip() if displayed else ''
    return ''


class MailThread(models.AbstractModel):
    _inherit = 'mail.thread'

    def _routing_handle_bounce(self, email_message, message_dict):
        # OVERRIDE: core takes a read receipt for a bounce, and it says the opposite.
        message_id = read_disposition(email_message)
        if message_id is None:
            return super()._routing_handle_bounce(email_message, message_dict)
        # sudo: a program of the debtor says so, whoever fetches the mail
        notices = self.env['dunning.notice'].sudo().search([
            ('mail_message_id.message_id', '=', message_id)]) if message_id else ()
        for notice in notices:
            notice._register_opening(notice.company_id._dunning_today(), 'mail_read', 'email')
        return None

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        # EXTENDS 'mail': who follows a record of ours from outside belongs to its debtor, now. Whom a person names is
        # that person's choice.
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        if not self._name.startswith('dunning.') or 'partner_id' not in self._fields:
            return recipients
        # sudo: whom the author named, whatever the reader sees of them
        named = set((msg_vals or {}).get('partner_ids') or message.sudo().partner_ids.ids)
        # sudo: only for whether they belong together
        debtor, Partner = self.sudo().partner_id, self.env['res.partner'].sudo()
        return [row for row in recipients if (
            not row['share'] or row['id'] in named or Partner.browse(row['id'])._is_dunning_person_of(debtor))]

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        thread = self.with_context(dunning_automatic_reply=True) if is_automatic(message) else self
        return super(MailThread, thread)._message_route_process(message, message_dict, routes)
