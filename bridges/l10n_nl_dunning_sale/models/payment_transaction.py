from odoo import models

from .sale_order import UNCONFIRMED

# Ways to pay later that count as an agreement: core confirms the order while nothing was paid.
PAY_LATER = ('cash_on_delivery', 'on_site')


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    def _set_pending(self, **kwargs):
        # EXTENDS 'payment': who pays at the door, or by bank, agreed. Before other addons do what belongs to that.
        pending = super()._set_pending(**kwargs)
        orders = pending.filtered(lambda transaction: transaction._is_dunning_agreed()).sale_order_ids
        orders.filtered(lambda order: order.state in UNCONFIRMED)._filter_dunning_held()._keep_dunning_accepted()
        return pending

    def _is_dunning_agreed(self):
        """Return whether the customer agreed, and pays outside Odoo: by bank, or on receipt."""
        self.ensure_one()
        return self.state == 'pending' and self.provider_code == 'custom'

    def _is_dunning_pay_later(self):
        """Return whether the customer agreed, and pays on receipt; known where Odoo's addons for it are there."""
        self.ensure_one()
        return self._is_dunning_agreed() and self.provider_id.custom_mode in PAY_LATER

    def _check_amount_and_confirm_order(self):
        # OVERRIDE: money is always taken and booked; an order that waits for release is kept until then.
        held = self.sale_order_ids.filtered(
            lambda order: order.state in UNCONFIRMED and order._is_confirmation_amount_reached()
        )._filter_dunning_held()
        held._keep_dunning_accepted()
        others = self.filtered(lambda transaction: not transaction.sale_order_ids & held)
        return super(PaymentTransaction, others)._check_amount_and_confirm_order()
