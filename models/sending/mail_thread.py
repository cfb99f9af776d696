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


class MailThread(models.AbstractModel):
    _inherit = 'mail.thread'

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        thread = self.with_context(dunning_automatic_reply=True) if is_automatic(message) else self
        return super(MailThread, thread)._message_route_process(message, message_dict, routes)
