"""Evidence that a debtor received a notice, or did not: the term of a 14-day letter runs from it."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ladder.dunning_level import CHANNELS

KINDS = [
    ('post_presumed', "Posted: presumed to be delivered"),
    ('email_accepted', "E-mail accepted by the mail server"),
    ('portal_opened', "Opened in the portal"),
    ('mail_read', "Read receipt of the e-mail"),
    ('registered', "Registered delivery"),
    ('acknowledged', "Acknowledged by the debtor"),
    ('bounced', "E-mail came back"),
    ('returned', "Letter came back"),
]
# What a person can enter.
MANUAL_KINDS = ('registered', 'acknowledged', 'returned')
ONE_DAY = timedelta(days=1)


class DunningReceipt(models.Model):
    """One piece of evidence about the receipt of a notice.

    Append-only: who entered something wrong withdraws it with a reason and enters
    it again. ``date`` is the day of receipt it proves or lets presume; of a bounce
    or a returned letter the day on which that was found out.
    """

    _name = 'dunning.receipt'
    _inherit = ['dunning.recorded']
    _description = "Evidence of Receipt"
    _order = 'date, id'
    _recorded_with = 'notice'
    _frozen_files = {'proof': None}

    notice_id = fields.Many2one(
        comodel_name='dunning.notice', required=True, index=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one(related='notice_id.company_id', store=True, index=True, precompute=True)
    kind = fields.Selection(selection=KINDS, string="Evidence", required=True, readonly=True)
    channel = fields.Selection(
        selection=[*CHANNELS[:2], ('portal', "Portal")], readonly=True,
        help="The way it is about. Empty: any.")
    date = fields.Date(required=True, readonly=True)
    tracking_code = fields.Char(readonly=True)
    proof = fields.Binary(attachment=True, readonly=True)
    proof_filename = fields.Char(readonly=True)
    note = fields.Char(readonly=True)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Entered By", readonly=True, default=lambda self: self.env.user)
    withdrawn_on = fields.Date(readonly=True)
    withdrawn_by_id = fields.Many2one(comodel_name='res.users', readonly=True)
    withdraw_reason = fields.Char(readonly=True)
    can_withdraw = fields.Boolean(compute='_compute_can_withdraw')
    details = fields.Char(compute='_compute_details')

    @api.depends('kind')
    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for receipt in self:
            receipt.display_name = labels.get(receipt.kind, '')

    @api.depends('kind', 'withdrawn_on', 'notice_id.state')
    def _compute_can_withdraw(self):
        for receipt in self:
            receipt.can_withdraw = (
                receipt.kind in MANUAL_KINDS and not receipt.withdrawn_on and receipt.notice_id.state == 'sent')

    @api.depends('kind', 'date', 'note', 'withdrawn_on', 'withdraw_reason', 'notice_id.posted_on')
    def _compute_details(self):
        """What is known about it, in words."""
        for receipt in self:
            parts = [receipt.note]
            if receipt.kind == 'post_presumed':
                parts.append(self.env._(
                    "Posted on %s; Sundays, Mondays and holidays do not count",
                    format_date(self.env, receipt.notice_id.posted_on)))
            elif receipt.kind == 'email_accepted':
                parts.append(self.env._(
                    "Left on %s; received a day later at the latest", format_date(self.env, receipt.date - ONE_DAY)))
            if receipt.withdrawn_on:
                parts.append(self.env._(
                    "Withdrawn by %(user)s on %(date)s: %(reason)s", user=receipt.withdrawn_by_id.name,
                    date=format_date(self.env, receipt.withdrawn_on), reason=receipt.withdraw_reason))
            receipt.details = ". ".join(filter(None, parts))

    @api.model_create_multi
    def create(self, vals_list):
        receipts = super().create(vals_list)
        receipts._check_dates()
        return receipts

    def write(self, vals):
        # EXTENDS 'base': also code only ever withdraws it.
        if self._is_recording() and vals.keys() - {'withdrawn_on', 'withdrawn_by_id', 'withdraw_reason'}:
            raise UserError(self.env._("Evidence of receipt is never changed. Withdraw it, and enter it again."))
        return super().write(vals)

    def _get_frozen_message(self, action):
        recorded = self.env._(
            "Evidence of receipt is recorded when a notice leaves or comes back; use “Enter Receipt” on the notice "
            "for what you know yourself.")
        return {
            'create': recorded,
            'write': recorded,
            'unlink': self.env._("Evidence of receipt is never deleted. Withdraw it instead."),
        }.get(action)

    def _check_dates(self):
        for receipt in self:
            sent = receipt.notice_id._get_departure_date()
            if sent and receipt.date < sent:
                raise UserError(self.env._(
                    "%(notice)s left on %(sent)s, so it cannot have been received on %(date)s. Correct the date.",
                    notice=receipt.notice_id.display_name, sent=format_date(self.env, sent),
                    date=format_date(self.env, receipt.date)))

    def action_withdraw(self):
        """Ask why this evidence is wrong, and take it back."""
        self.ensure_one()
        self.notice_id.check_access('write')
        return self.env['dunning.receipt.enter']._action_open(self.notice_id, receipt=self)

    def _withdraw(self, reason):
        """Take evidence back that was entered by mistake; the dates of the notice follow."""
        self.ensure_one()
        self.notice_id.check_access('write')
        if not self.can_withdraw:
            raise UserError(self.env._(
                "This evidence cannot be withdrawn: it was recorded by the system, or the notice is closed."))
        notice = self.notice_id._recording()
        # sudo: nobody can write evidence; who may work with the notice may take it back, with a reason
        self.with_env(notice.env).sudo().write({
            'withdrawn_on': notice.company_id._dunning_today(), 'withdrawn_by_id': self.env.uid,
            'withdraw_reason': reason})
        notice._message_log(body=self.env._(
            "Evidence of receipt withdrawn: %(kind)s of %(date)s. Reason: %(reason)s",
            kind=self.display_name, date=format_date(self.env, self.date), reason=reason))
        notice._update_receipt()
        if self.kind == 'returned':
            # It did not come back after all.
            people = self.notice_id.recipient_id | self.notice_id.partner_id
            # sudo: as where it was marked
            people.sudo().filtered(
                lambda person: person.dunning_post_returned_on == self.date).dunning_post_returned_on = False
