import base64
from pathlib import Path

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError

from .dunning_recorded import is_uninstalling

# What makes a file the file it is, and where it belongs.
CONTENT = frozenset({'raw', 'datas', 'db_datas', 'type', 'url', 'name', 'mimetype', 'company_id'})
PLACE = frozenset({'res_model', 'res_id', 'res_field'})


class IrAttachment(models.Model):
    _inherit = 'ir.attachment'

    # The letter of a notice is an attachment; who may work with notices could otherwise
    # replace or delete the proof behind the back of the notice.

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: a second file of a field would be shown instead of the first.
        attachments = super().create(vals_list)
        attachments._check_dunning_proofs(new=True)
        return attachments

    @api.constrains('public', 'res_model')
    def _check_dunning_public(self):
        if self.filtered(lambda file: file.public and file._is_dunning()):
            raise ValidationError(self.env._(
                "This file is between a debtor and us, so it cannot be made public. Send it to whom it concerns."))

    def write(self, vals):
        # A link with a key is as good as public. Core makes some itself: to a mail server that takes no large files.
        if vals.get('access_token') and not self.env.su and self.filtered(lambda file: file._is_dunning()):
            raise AccessError(self.env._(
                "This file is between a debtor and us, so it cannot be shared by a link. Send it to whom it concerns."))
        if vals.keys() & (CONTENT | PLACE):
            self._check_dunning_rewrite(vals)
        result = super().write(vals)
        if vals.keys() & PLACE:
            self._check_dunning_proofs(new=True)  # nor is it moved there
        return result

    def unlink(self):
        # OVERRIDE: not as an ``ondelete`` method, that a context can switch off.
        if not is_uninstalling(self.env):
            self._check_dunning_proofs()
        return super().unlink()

    @api.model
    def _file_write(self, bin_value, checksum):
        # OVERRIDE: on a full disk half a file is left behind. It would stand in the way when it is tried again.
        try:
            return super()._file_write(bin_value, checksum)
        except OSError:
            path = Path(self._full_path(f'{checksum[:2]}/{checksum}'))
            if path.is_file() and path.stat().st_size != len(bin_value):
                path.unlink(missing_ok=True)
            raise

    def _check_access(self, operation):
        # EXTENDS 'base': who may see a part of a record only may not read its files.
        result = super()._check_access(operation)
        if self.env.su:
            return result
        allowed = self - result[0] if result else self
        # sudo: only to what they belong
        files = allowed.sudo().filtered(lambda file: file.res_id and file._is_dunning() and hasattr(
            self.env.get(file.res_model), '_is_recording'))
        hidden = self.browse(
            file.id for file in files if not self.env[file.res_model].browse(file.res_id)._sees_whole())
        if not hidden:
            return result
        return (result[0] if result else self.browse()) | hidden, lambda: AccessError(self.env._(
            "This file is also about companies of the creditor that you do not work for. Ask a colleague who works for "
            "all of them."))

    def _check_dunning_rewrite(self, vals):
        """Refuse to write a proof anew; moving a file to another storage writes the same content again."""
        attachments = self.filtered(lambda file: file._is_dunning())
        if attachments and vals.keys() <= {'raw', 'datas', 'mimetype'}:
            content = vals['raw'] if 'raw' in vals else base64.b64decode(vals.get('datas') or b'')
            attachments = attachments.filtered(lambda file: file.raw != content)
        attachments._check_dunning_proofs()

    def _check_dunning_proofs(self, *, new=False):
        """Refuse to touch files that are a proof, as the model says to which they belong."""
        for name, files in self.filtered(lambda file: file._is_dunning()).grouped('res_model').items():
            Model = self.env.get(name)
            if hasattr(Model, '_check_frozen_files') and not (
                hasattr(Model, '_is_recording') and Model._is_recording()
            ):
                Model._check_frozen_files(files, new=new)

    def _is_dunning(self):
        self.ensure_one()
        return (self.res_model or '').startswith('dunning.')
