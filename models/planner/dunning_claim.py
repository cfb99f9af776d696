from odoo import api, models


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _read_reductions(self, items, at_date):
        # OVERRIDE: as on letters, by what the planner nets and holds.
        return self.env['dunning.planner']._get_reductions(self.env.company, at_date, items)
