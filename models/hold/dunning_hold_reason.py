from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..kernel.formats import format_day


class DunningHoldReason(models.Model):
    """Why something is on hold, how long that may last and how hard it stops."""

    _name = 'dunning.hold.reason'
    _description = "Dunning Hold Reason"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        selection=[
            ('dispute', "Dispute"),
            ('promise', "Promise to pay"),
            ('arrangement', "Payment arrangement"),
            ('invoice_copy', "Copy of the invoice requested"),
            ('insolvency', "Insolvency"),
            ('deceased', "Deceased"),
            ('guardianship', "Guardianship or administration"),
            ('internal', "Internal"),
            ('other', "Other"),
        ],
        default='other',
        required=True,
        help="What the reason means to the program. A dispute asks who is right and blocks the hand-over.",
    )
    default_days = fields.Integer(
        string="Proposed Days", default=14, required=True,
        help="The end date proposed for a new hold, in days from today.")
    max_days = fields.Integer(
        string="Longest (days)", default=30, required=True,
        help="How far ahead the end date can lie, each time it is set.")
    soft_days = fields.Integer(
        help="Days between the end of the hold and the next reminder. The soft days of the policy count where they "
             "are more.")
    stops_everything = fields.Boolean(
        help="Such a hold is always about everything of the debtor, never about one invoice.")
    needs_person_decision = fields.Boolean(
        string="Until a Person Decides",
        help="The end date is a day for review: when it passes the hold goes on, and its owner is reminded until he "
             "closes it.")

    _check_days = models.Constraint(
        'CHECK(max_days > 0 AND default_days > 0 AND default_days <= max_days AND soft_days >= 0)',
        "The longest number of days of a hold is at least one, the proposed number lies between one and the longest, "
        "and the soft days are not negative.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: only asks whether a hold exists, in any company
        used = self.env['dunning.hold'].sudo().search([('reason_id', 'in', self.ids)], limit=1)
        if used:
            raise UserError(self.env._(
                "Holds were placed for “%(reason)s”, so it stays as their explanation. Archive it instead.",
                reason=used.reason_id.name))

    def _check_date_end(self, date_end, today):
        """Raise a sentence when a hold set ``today`` cannot last until ``date_end`` (its last day)."""
        self.ensure_one()
        if not date_end:
            raise ValidationError(self.env._("Every hold ends: enter its end date."))
        if date_end < today:
            raise ValidationError(self.env._(
                "The end date of the hold (%(date)s) lies in the past. Choose today or a later day.",
                date=format_day(self.env, date_end)))
        last = today + timedelta(days=self.max_days)
        if date_end > last:
            raise ValidationError(self.env._(
                "A hold for “%(reason)s” lasts %(days)s days at most, so no longer than %(date)s. "
                "Choose an earlier day; it can be extended when the time comes.",
                reason=self.name, days=self.max_days, date=format_day(self.env, last)))

    def _get_name_in_sentence(self):
        """Return the name as it stands inside a sentence: “dispute”."""
        name = self.name or ''
        return name if name[:2].isupper() else name[:1].lower() + name[1:]
