import base64

from odoo import api, models
from odoo.exceptions import UserError

from .dunning_notice import is_recording


class IrAttachment(models.Model):
    _inherit = 'ir.attachment'

    # The letter of a notice is an attachment; who may work with notices could otherwise
    # replace or delete the proof behind the back of the notice.

    def write(self, vals):
        if vals.keys() & {'raw', 'datas', 'db_datas', 'res_model', 'res_id', 'res_field'}:
            self._check_dunning_letters(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_dunning_letter(self):
        self._check_dunning_letters()

    def _check_dunning_letters(self, vals=None):
        letters = self.filtered(lambda attachment: (
            attachment.res_model == 'dunning.notice' and attachment.res_field == 'letter_file'))
        if not letters or is_recording(self.env):
            return
        # Moving the file to another storage writes the same content again.
        if vals and vals.keys() <= {'raw', 'datas', 'mimetype'}:
            content = vals['raw'] if 'raw' in vals else base64.b64decode(vals.get('datas') or b'')
            letters = letters.filtered(lambda attachment: attachment.raw != content)
        # sudo: only asks whether they left
        notices = self.env['dunning.notice'].sudo().browse(letters.mapped('res_id')).exists()
        left = notices.filtered(lambda notice: notice.state in ('to_post', 'sent', 'withdrawn'))
        if left:
            raise UserError(self.env._(
                "The letter of %(notice)s has left. It is the proof of what the debtor was told, "
                "so it cannot be changed or deleted.",
                notice=left[:1].display_name,
            ))
