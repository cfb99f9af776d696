from odoo import api, models

from ...tools.law.amounts import to_decimal


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _read_reductions(self, items, at_date):
        # EXTENDS: as on letters, by what the planner nets and holds.
        return super()._read_reductions(items, at_date) | {
            item_id: to_decimal(amount)
            for item_id, amount in self.env['dunning.planner']._get_reductions(
                self.env.company, at_date, items).items()}
