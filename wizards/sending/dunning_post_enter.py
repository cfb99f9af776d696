from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...models.kernel.formats import format_day


class DunningPostEnter(models.TransientModel):
    """On which day letters were posted, and the tracking codes of those that go by registered post."""

    _name = 'dunning.post.enter'
    _description = "Posted Letters"

    notice_ids = fields.Many2many(comodel_name='dunning.notice', string="Letters", readonly=True)
    posted_on = fields.Date(
        required=True, default=lambda self: self.env.company._dunning_today(),
        help="The term of a letter runs from the day on which it was posted.")
    line_ids = fields.One2many(
        comodel_name='dunning.post.enter.line', inverse_name='wizard_id', string="Registered Letters")
    count = fields.Integer(compute='_compute_count')

    @api.depends('notice_ids')
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard.notice_ids)

    @api.model
    def _action_open(self, registered, others):
        """Open the window.

        :param registered: letters that need the code of the post
        :param others: printed letters that go by ordinary post
        """
        self.check_access('create')
        wizard = self.create({
            'posted_on': (registered | others).company_id[:1]._dunning_today(),
            'notice_ids': [Command.set(others.ids)],
            'line_ids': [Command.create({'notice_id': notice.id}) for notice in registered]})
        return {**wizard.get_formview_action(), 'name': self.env._("Posted Letters"), 'target': 'new', 'context': {}}

    def action_confirm(self):
        """Record the day and the codes: the levels rise now. A registered letter without its code waits."""
        self.ensure_one()
        self.check_access('write')
        lines = self.line_ids.filtered(lambda line: line._get_code())
        if not lines and not self.notice_ids:
            raise UserError(self.env._("Enter the tracking code of at least one letter."))
        letters = self.notice_ids | lines.notice_id
        letters.check_access('write')
        self._check_day(letters.filtered(lambda notice: notice.postal_state == 'printed'))
        self._check_codes(lines)
        for line in lines:
            line.notice_id._record_registered(
                line._get_code(), line.proof, line.proof_filename, posted_on=self.posted_on)
        if self.notice_ids:
            return self.notice_ids._mark_posted(self.posted_on)
        return letters._notify_result(self.env._("%(count)s letters went by registered post.", count=len(letters)))

    def _check_day(self, letters):
        """Raise when letters cannot have been posted on the day that was entered."""
        for notice in letters:
            if self.posted_on > notice.company_id._dunning_today():
                raise UserError(self.env._("What is posted later is recorded later: choose today or an earlier day."))
            if notice.date and self.posted_on < notice.date:
                raise UserError(self.env._(
                    "%(notice)s has the date %(day)s and cannot have been posted before that day.",
                    notice=notice.display_name, day=format_day(self.env, notice.date)))

    def _check_codes(self, lines):
        """Raise when a code is that of another letter, or its letter waits for none any more."""
        codes = [line._get_code() for line in lines]
        twice = next((code for code in codes if codes.count(code) > 1), None)
        used = self.env['dunning.notice'].search(
            [('tracking_code', 'in', codes), ('id', 'not in', lines.notice_id.ids)], limit=1)
        if twice or used:
            raise UserError(self.env._(
                "The tracking code %(code)s is of another letter already%(notice)s. Each letter has its own.",
                code=twice or used.tracking_code, notice=f" ({used.display_name})" if used else ""))
        for notice in lines.notice_id:
            if notice.tracking_code or notice.postal_state not in ('printed', 'posted'):
                raise UserError(self.env._(
                    "%s does not wait for a tracking code any more. Close this window and look at it again.",
                    notice.display_name))
