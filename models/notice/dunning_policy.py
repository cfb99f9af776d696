from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class DunningPolicy(models.Model):
    _inherit = 'dunning.policy'

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        used = self.env['dunning.notice'].sudo().search(  # sudo: only asks whether a notice exists, in any company
            Domain('level_id.policy_id', 'in', self.ids), limit=1,
        )
        if used:
            raise UserError(self.env._(
                "Notices were made with the policy “%(policy)s”, so it stays as their proof. Archive it instead.",
                policy=used.level_id.policy_id.name,
            ))
