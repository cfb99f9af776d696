from odoo import models


class AccountPaymentOrder(models.Model):
    _inherit = 'account.payment.order'

    def action_cancel(self):
        # EXTENDS 'account_payment_batch_oca': a whole order that is taken back was not returned by a debtor's bank.
        return super(AccountPaymentOrder, self.with_context(dunning_order_cancelled=True)).action_cancel()
