from odoo import models

# Ways to pay later that count as an agreement: core confirms the order while nothing was paid.
PAY_LATER = ('cash_on_delivery', 'on_site')


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    def _set_pending(self, **kwargs):
        # EXTENDS 'payment': who pays at the door agreed. Before other addons do what belongs to a confirmation.
        pending = super()._set_pending(**kwargs)
        orders = pending.filtered(lambda transaction: transaction._is_dunning_pay_later()).sale_order_ids
        orders.filtered(lambda order: order.state == 'draft')._filter_dunning_held()._keep_dunning_accepted()
        return pending

    def _is_dunning_pay_later(self):
        """Return whether the customer agreed and pays when he gets it; known where Odoo's addons for it are there."""
        self.ensure_one()
        return self.state == 'pending' and 'custom_mode' in self.provider_id._fields and (
            self.provider_id.custom_mode in PAY_LATER)

    def _check_amount_and_confirm_order(self):
        # OVERRIDE: money is always taken and booked; an order that waits for release is kept until then.
        held = self.sale_order_ids.filtered(
            lambda order: order.state in ('draft', 'sent') and order._is_confirmation_amount_reached()
        )._filter_dunning_held()
        held._keep_dunning_accepted()
        others = self.filtered(lambda transaction: not transaction.sale_order_ids & held)
        return super(PaymentTransaction, others)._check_amount_and_confirm_order()
