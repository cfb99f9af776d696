"""Doors next to the house: what has left is also kept in records of other modules, and those have guards as well.

The mail of a notice is a message, its approval a line in the chatter, its claim an invoice that says whose it is. Who
may work with these could otherwise change the proof behind the back of the notice.
"""

from odoo import models
from odoo.exceptions import UserError

from ..kernel.dunning_recorded import is_recording, is_uninstalling

# What a mail says, to whom and when.
TOLD = frozenset({
    'attachment_ids', 'author_id', 'body', 'date', 'email_from', 'mail_ids', 'message_id', 'message_type', 'model',
    'notification_ids', 'parent_id', 'partner_ids', 'res_id', 'subject', 'subtype_id', 'tracking_value_ids'})


class MailMessage(models.Model):
    _inherit = 'mail.message'

    def write(self, vals):
        # OVERRIDE
        if vals.keys() & TOLD:
            self._check_dunning_messages(vals)
        return super().write(vals)

    def unlink(self):
        # OVERRIDE: not as an ``ondelete`` method, that a context can switch off.
        if not is_uninstalling(self.env):
            self._check_dunning_messages()
        return super().unlink()

    def _check_dunning_messages(self, vals=None):
        """Refuse to change the mail of a notice, and the log of who did what."""
        # sudo: only asks what they belong to
        ours = self.sudo().filtered(lambda message: (message.model or '').startswith('dunning.'))
        if not ours or is_recording(self.env):
            return
        if not self.env.su and any(message.message_type == 'notification' for message in ours):
            raise UserError(self.env._(
                "The log of what was done, and by whom, stays as it is. Write a message if there is something to add."))
        if vals:
            # Handing a mail over writes the same Message-Id again.
            ours = ours.filtered(lambda message: any(
                name != 'message_id' or message.message_id != vals[name] for name in vals.keys() & TOLD))
        # sudo: as above
        notices = self.env['dunning.notice'].sudo().search([('mail_message_id', 'in', ours.ids)], limit=1)
        if notices:
            raise UserError(self.env._(
                "This is the e-mail with which %(notice)s left. It is the proof of what the debtor was told, so it "
                "cannot be changed or deleted.", notice=notices.display_name))
