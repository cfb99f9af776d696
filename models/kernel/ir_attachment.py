import base64
from pathlib import Path

from odoo import api, models
from odoo.exceptions import UserError

from .dunning_recorded import RECORDING, is_recording  # noqa: F401 (imported from here until all models are recorded)

# What makes a file the file it is, and where it belongs.
CONTENT = frozenset({'raw', 'datas', 'db_datas', 'type', 'url', 'name', 'mimetype', 'company_id'})
PLACE = frozenset({'res_model', 'res_id', 'res_field'})
# Files of fields that are a proof, and in which states of their record (none: always); of models that do not say so
# themselves (`_frozen_files` of `dunning.recorded`).
PROOFS = {
    ('dunning.withdrawal', 'letter_file'): ('to_post', 'sent'),
}


class IrAttachment(models.Model):
    _inherit = 'ir.attachment'

    # The letter of a notice is an attachment; who may work with notices could otherwise
    # replace or delete the proof behind the back of the notice.

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: a second file of a field would be shown instead of the first.
        attachments = super().create(vals_list)
        attachments._check_dunning_proofs()
        attachments._check_dunning_frozen(new=True)
        return attachments

    def write(self, vals):
        if vals.keys() & (CONTENT | PLACE):
            self._check_dunning_letters(vals)
        result = super().write(vals)
        if vals.keys() & PLACE:
            self._check_dunning_proofs()  # nor is it moved there
            self._check_dunning_frozen(new=True)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_dunning_letter(self):
        self._check_dunning_letters()

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

    def _check_dunning_letters(self, vals=None):
        attachments = self.filtered(lambda attachment: (attachment.res_model or '').startswith('dunning.'))
        # Moving the file to another storage writes the same content again.
        if attachments and vals and vals.keys() <= {'raw', 'datas', 'mimetype'}:
            content = vals['raw'] if 'raw' in vals else base64.b64decode(vals.get('datas') or b'')
            attachments = attachments.filtered(lambda attachment: attachment.raw != content)
        attachments._check_dunning_frozen()
        attachments._check_dunning_proofs()

    def _check_dunning_frozen(self, *, new=False):
        """Refuse to touch files that are a proof, as the model says to which they belong."""
        ours = self.filtered(lambda attachment: (attachment.res_model or '').startswith('dunning.'))
        for name, files in ours.grouped('res_model').items():
            Model = self.env.get(name)
            if hasattr(Model, '_check_frozen_files') and not (
                hasattr(Model, '_is_recording') and Model._is_recording()
            ):
                Model._check_frozen_files(files, new=new)

    def _check_dunning_proofs(self):
        proofs = self.filtered(lambda attachment: (attachment.res_model, attachment.res_field) in PROOFS)
        if not proofs or is_recording(self.env):
            return
        for (model, field), files in proofs.grouped(lambda file: (file.res_model, file.res_field)).items():
            states = PROOFS[model, field]
            # sudo: only asks whether they left
            records = self.env[model].sudo().browse(files.mapped('res_id')).exists()
            left = records.filtered(lambda record, states=states: states is None or record.state in states)
            if left:
                raise UserError(self.env._(
                    "The file of %(notice)s is the proof of what the debtor was told or received, so it cannot be "
                    "changed or deleted.", notice=left[:1].display_name))
