from odoo import models


class AccountPayment(models.Model):
    _inherit = 'account.payment'

    def action_cancel(self):
        # EXTENDS 'account': one payment of an order that the bank has is cancelled because it came back.
        returned = self.filtered(
            lambda payment: payment.payment_type == 'inbound' and payment.payment_order_id.state == 'uploaded')
        result = super().action_cancel()
        if not self.env.context.get('dunning_order_cancelled'):
            for company, payments in returned.grouped('company_id').items():
                payments.payment_line_ids.move_line_id.move_id._record_dunning_return(company._dunning_today())
        return result
