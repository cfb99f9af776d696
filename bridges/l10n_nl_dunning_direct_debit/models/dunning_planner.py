from odoo import models
from odoo.tools import SQL


class DunningPlanner(models.AbstractModel):
    _name = 'dunning.planner'
    _inherit = ['dunning.debit.order', 'dunning.planner']

    def _get_needs_mandate_sql(self):
        # OVERRIDE: the payment mode of the invoice says it.
        Mode, Method = self.env['account.payment.mode'], self.env['account.payment.method']
        return SQL(
            """EXISTS (
                SELECT FROM account_payment_mode mode
                  JOIN account_payment_method method ON method.id = mode.payment_method_id
                 WHERE mode.id = move.payment_mode_id AND method.mandate_required)""", to_flush=[
                self.env['account.move']._fields['payment_mode_id'], Mode._fields['payment_method_id'],
                Method._fields['mandate_required']])
