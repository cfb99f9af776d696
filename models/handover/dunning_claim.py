from odoo import api, models

from ...tools.law.amounts import to_decimal


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _get_specification_data(self, notice):
        # EXTENDS: to whom is not known to be registered, neither interest nor costs are handed over.
        if not notice._is_agency_missing():
            return super()._get_specification_data(notice)
        lines = notice.live_line_ids
        claim = self.with_company(notice.company_id)._compute(
            lines.move_line_id, notice.date or notice.company_id._dunning_today(), policy=notice.policy_id,
            with_interest=False, with_costs=False,
            reductions={
                line.move_line_id.id: to_decimal(line.amount_netted + line.amount_held) for line in lines})
        return claim.to_json()
