import base64

from odoo import models
from odoo.exceptions import UserError


class IrAttachment(models.Model):
    _inherit = 'ir.attachment'

    def _check_dunning_letters(self, vals=None):
        # EXTENDS: the proof of an interruption is kept as well.
        proofs = self.filtered(lambda attachment: (
            attachment.res_model == 'dunning.interruption' and attachment.res_field == 'proof'))
        # Moving the file to another storage writes the same content again.
        if vals and vals.keys() <= {'raw', 'datas', 'mimetype'}:
            content = vals['raw'] if 'raw' in vals else base64.b64decode(vals.get('datas') or b'')
            proofs = proofs.filtered(lambda attachment: attachment.raw != content)
        if proofs:
            raise UserError(self.env._(
                "This is the proof of an interruption of prescription, so it cannot be changed or deleted."))
        return super()._check_dunning_letters(vals)
