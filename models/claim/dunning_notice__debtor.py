from odoo import models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def action_specification(self):
        """Show the specification of the claim of this notice, as it left."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_url',
            'url': f"/report/pdf/l10n_nl_dunning.report_dunning_specification/{self.id}",
            'target': 'new',
        }
