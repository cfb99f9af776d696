from odoo import fields, models
from odoo.exceptions import UserError


class DunningBookingWaive(models.TransientModel):
    """Credit what is still open of the interest and costs a notice booked; always with a reason."""

    _name = 'dunning.booking.waive'
    _description = "Waive Booked Interest and Costs"

    notice_id = fields.Many2one(comodel_name='dunning.notice', required=True, readonly=True)
    currency_id = fields.Many2one(related='notice_id.currency_id')
    amount = fields.Monetary(related='notice_id.booking_left')
    reason = fields.Char(help="Why; it stands on the credit note.")

    def action_apply(self):
        """Make, post and reconcile the credit note, and show it."""
        self.ensure_one()
        self.check_access('write')
        self.notice_id.check_access('write')
        if not (self.reason or '').strip():
            raise UserError(self.env._("Say why, so that it can be understood later."))
        credits = self.notice_id._credit_bookings(self.reason.strip())
        if not credits:
            raise UserError(self.env._("Nothing of the booked interest and costs is open any more."))
        self.notice_id._log_everywhere(lambda notice, env: env._(
            "Booked interest and costs of %(notice)s were waived: %(reason)s",
            notice=notice._get_link(notice.name), reason=self.reason.strip()))
        return self.notice_id.action_bookings()
