from odoo import api, models

from ...tools.law.amounts import to_decimal


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _read_reductions(self, items, at_date):
        # EXTENDS: as on letters, by the planner's own statement.
        return super()._read_reductions(items, at_date) | {
            decision.item_id: to_decimal(decision.amount_netted + decision.amount_held)
            for decision in self.env['dunning.planner']._plan(self.env.company, at_date, items=items)}
