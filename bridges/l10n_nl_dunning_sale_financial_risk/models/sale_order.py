from odoo import models


class SaleOrder(models.Model):
    _inherit = 'sale.order'

    def evaluate_risk_message(self, partner):
        # EXTENDS 'sale_financial_risk': who is refused, or was released for the same reason, is asked nothing first.
        self.ensure_one()
        verdict = self._judge_dunning_credit()[self]
        if verdict.state == 'hold' or (verdict.state == 'released' and 'limit' in verdict.met):
            return ""
        return super().evaluate_risk_message(partner)
