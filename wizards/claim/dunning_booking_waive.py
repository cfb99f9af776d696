from odoo import api, fields, models
from odoo.exceptions import UserError


class DunningBookingWaive(models.TransientModel):
    """Credit what is still open of the interest and costs a notice booked, or a part of it; always with a reason."""

    _name = 'dunning.booking.waive'
    _description = "Waive Booked Interest and Costs"

    notice_id = fields.Many2one(comodel_name='dunning.notice', required=True, readonly=True)
    currency_id = fields.Many2one(related='notice_id.currency_id')
    booking_left = fields.Monetary(related='notice_id.booking_left')
    amount = fields.Monetary(
        compute='_compute_amount', store=True, readonly=False, precompute=True,
        help="What is credited: first proposed is what is not owed, by the facts of today, else all that is open.")
    reason = fields.Char(help="Why; it stands on the credit note.")

    @api.depends('notice_id')
    def _compute_amount(self):
        for wizard in self:
            company = wizard.notice_id.company_id
            overbooked = self.env['dunning.claim']._read_overbooked(
                company, company._dunning_today(), wizard.notice_id.booking_ids)
            wizard.amount = float(sum(found.amount for found in overbooked.values())) or wizard.booking_left

    def action_apply(self):
        """Make, post and reconcile the credit note, and show it."""
        self.ensure_one()
        self.check_access('write')
        self.notice_id.check_access('write')
        if not (self.reason or '').strip():
            raise UserError(self.env._("Say why, so that it can be understood later."))
        self.notice_id.invalidate_recordset(['booking_left'])
        left = self.notice_id.booking_left
        if not left:
            raise UserError(self.env._("Nothing of the booked interest and costs is open any more."))
        if self.amount <= 0 or self.currency_id.compare_amounts(self.amount, left) > 0:
            raise UserError(self.env._(
                "No more than the %s that is open can be credited, and not nothing.", self.currency_id.format(left)))
        self.notice_id._credit_bookings(self.reason.strip(), self.amount)
        self.notice_id._log_everywhere(lambda notice, env: env._(
            "Booked interest and costs of %(notice)s were waived: %(reason)s",
            notice=notice._get_link(notice.name), reason=self.reason.strip()))
        return self.notice_id.action_bookings()
