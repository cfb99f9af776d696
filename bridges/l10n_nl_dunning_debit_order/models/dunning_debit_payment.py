from odoo import models


class DunningDebitPayment(models.AbstractModel):
    """Part of ``account.payment`` in the bridges, before it in its bases: one payment of an order that the bank has is
    cancelled or rejected because it came back.
    """

    _name = 'dunning.debit.payment'
    _description = "Payments of Debit Orders"

    def action_cancel(self):
        # EXTENDS 'account'
        returned = self._get_dunning_collected()
        result = super().action_cancel()
        returned._record_dunning_return()
        return result

    def action_reject(self):
        # EXTENDS 'account'
        returned = self._get_dunning_collected()
        result = super().action_reject()
        returned._record_dunning_return()
        return result

    def _get_dunning_collected(self):
        """Return which of these collect for an order that was uploaded, unless the whole order is taken back."""
        if self.env.context.get('dunning_order_cancelled'):
            return self.browse()
        return self.filtered(
            lambda payment: payment.payment_type == 'inbound' and payment.payment_order_id.state == 'uploaded')

    def _record_dunning_return(self):
        """Record that the bank returned these, on the invoices they were for."""
        for company, payments in self.grouped('company_id').items():
            payments.payment_line_ids.move_line_id.move_id._record_dunning_return(company._dunning_today())
