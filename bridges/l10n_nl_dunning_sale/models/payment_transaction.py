from odoo import models


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    def _check_amount_and_confirm_order(self):
        # OVERRIDE: money is always taken and booked; an order that waits for release is kept until then.
        held = self.sale_order_ids.filtered(
            lambda order: order.state in ('draft', 'sent') and order._is_confirmation_amount_reached()
        )._filter_dunning_held()
        held._keep_dunning_accepted()
        others = self.filtered(lambda transaction: not transaction.sale_order_ids & held)
        return super(PaymentTransaction, others)._check_amount_and_confirm_order()
