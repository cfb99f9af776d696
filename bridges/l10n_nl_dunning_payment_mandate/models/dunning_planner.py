from odoo import models
from odoo.tools import SQL


class DunningPlanner(models.AbstractModel):
    _name = 'dunning.planner'
    _inherit = ['dunning.debit.order', 'dunning.planner']

    def _get_needs_mandate_sql(self):
        # OVERRIDE: Odoo's payment method of the invoice says it.
        Way, Method = self.env['account.payment.method.line'], self.env['account.payment.method']
        return SQL(
            """EXISTS (
                SELECT FROM account_payment_method_line way
                  JOIN account_payment_method method ON method.id = way.payment_method_id
                 WHERE way.id = move.preferred_payment_method_line_id AND method.mandate_required)""", to_flush=[
                self.env['account.move']._fields['preferred_payment_method_line_id'],
                Way._fields['payment_method_id'], Method._fields['mandate_required']])
