"""The proposal and the agreement of a payment arrangement, on paper: words, PDF, freezing, and getting it there.

What a debtor reads is put together once, when it is offered (:meth:`DunningArrangement._prepare_document`), and kept as
text (``document_data``). The proposal is printed from it, and so is the agreement later on, with both signatures: what
is signed is word for word what was offered, whatever happened to texts, settings or addresses since. Both files are
kept with the sha256 of their bytes, and nobody can change or delete them.

The clauses are e-mail templates, so that a company can make them its own; what the law asks of them is read by the
wording linter before anything is offered.
"""

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .dunning_arrangement import is_recording

# Files that are a proof: fields of the arrangement that point to them, and pictures that are fields themselves.
FROZEN = ('offer_attachment_id', 'agreement_attachment_id', 'scan_attachment_id')
SIGNATURES = ('signed_signature',)


class IrAttachment(models.Model):
    _inherit = 'ir.attachment'

    def _check_dunning_proofs(self):
        # EXTENDS: what both sides read and signed stays as it was.
        super()._check_dunning_proofs()
        files = self.filtered(lambda attachment: attachment.res_model == 'dunning.arrangement')
        if not files or is_recording(self.env):
            return
        # sudo: only asks whether it is a proof
        Arrangement = self.env['dunning.arrangement'].sudo()
        pictures = files.filtered(lambda file: file.res_field in SIGNATURES)
        proof = Arrangement.browse(pictures.mapped('res_id')).exists()[:1] or Arrangement.search(
            Domain.OR([(name, 'in', files.ids)] for name in FROZEN), limit=1)
        if proof:
            raise UserError(self.env._(
                "This file belongs to %s: it is what both sides read and signed, so it cannot be changed or deleted.",
                proof.display_name))
