from odoo import api, models
from odoo.exceptions import UserError


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: only asks whether a notice exists, in any company
        used = self.env['dunning.notice.line'].sudo().search([('level_id', 'in', self.ids)], limit=1)
        # sudo: as above
        used = used or self.env['dunning.notice'].sudo().search([('level_id', 'in', self.ids)], limit=1)
        if used:
            raise UserError(self.env._(
                "Notices were made at level “%(level)s”, so it stays as their proof. Archive it instead.",
                level=used.level_id.name,
            ))
