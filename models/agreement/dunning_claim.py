from odoo import api, models, tools
from odoo.tools import SQL

from ..claim.dunning_claim_booking import Claimer


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    @tools.ormcache()
    def _get_claimers(self):
        # EXTENDS: what is asked on top of the ledger is booked when an arrangement begins to run.
        return (
            *super()._get_claimers(),
            Claimer('dunning.arrangement', 'dunning.arrangement.line', 'arrangement_id', 'dunning_arrangement_id'))

    @api.model
    def _get_told_sql(self, items):
        # EXTENDS: what both sides signed was claimed, and costs that were agreed stay what they are, for who signed.
        self.env['dunning.arrangement'].flush_model()
        self.env['dunning.arrangement.line'].flush_model()
        return [*super()._get_told_sql(items), SQL(
            """
            SELECT line.move_line_id, 'dunning.arrangement', -arrangement.id, arrangement.partner_id,
                   arrangement.claim_date, arrangement.name, NULL, TRUE, line.amount_interest,
                   line.amount_costs, line.amount_principal, line.id, TRUE
              FROM dunning_arrangement_line line
              JOIN dunning_arrangement arrangement ON arrangement.id = line.arrangement_id
              JOIN res_partner signer ON signer.id = arrangement.partner_id
        CROSS JOIN LATERAL (%s) item
             WHERE line.move_line_id = ANY(%s) AND line.is_booking IS NOT TRUE
               AND item.debtor_id = signer.commercial_partner_id
               AND arrangement.activated_on IS NOT NULL AND arrangement.signed_date IS NOT NULL
               AND arrangement.company_id IN %s
            """,
            self.env['account.move.line']._get_dunning_facts_sql(SQL("line.move_line_id")), list(items.ids),
            self.env.company._get_dunning_company_ids())]
