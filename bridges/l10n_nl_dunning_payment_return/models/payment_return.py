from odoo import models


class PaymentReturn(models.Model):
    _inherit = 'payment.return'

    def action_confirm(self):
        # EXTENDS 'account_payment_return': confirming takes the payments off the invoices, so these are read before.
        returned = [(line, line._get_dunning_invoices()) for line in self.line_ids]
        result = super().action_confirm()
        for line, invoices in returned:
            invoices._record_dunning_return(line.date or line.return_id.date, line._get_dunning_reason())
        return result

    def action_cancel(self):
        # EXTENDS 'account_payment_return': it was no return.
        invoices = self.move_id.line_ids.matched_credit_ids.origin_returned_move_ids.move_id
        result = super().action_cancel()
        invoices.write({'dunning_returned_on': False, 'dunning_return_reason': False})
        return result


class PaymentReturnLine(models.Model):
    _inherit = 'payment.return.line'

    def _get_dunning_invoices(self):
        """Return the invoices that the payments were for."""
        return self.move_line_ids.matched_debit_ids.debit_move_id.move_id.filtered(
            lambda move: move.move_type in ('out_invoice', 'out_receipt'))

    def _get_dunning_reason(self):
        """Return why, as the bank gives it: its code with what the code means, else what it wrote."""
        reason = self.reason_id
        words = f"{reason.name} ({reason.code})" if reason.name and reason.code else reason.name or reason.code
        return words or self.reason_additional_information or ''
