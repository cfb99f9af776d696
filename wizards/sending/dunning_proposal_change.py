"""What a person does to proposals: split, merge, take items off, choose another level. One window for each."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...models.kernel.formats import format_day


class DunningProposalChange(models.TransientModel):
    """One change of a proposal, with what it leads to; the notice itself does it and records it."""

    _name = 'dunning.proposal.change'
    _description = "Change a Proposal"

    kind = fields.Selection(
        selection=[
            ('split', "Split"), ('merge', "Merge"), ('take_off', "Take items off"), ('level', "Change level")],
        required=True, readonly=True)
    notice_ids = fields.Many2many(comodel_name='dunning.notice', string="Proposals", readonly=True)
    notice_id = fields.Many2one(comodel_name='dunning.notice', readonly=True)
    company_id = fields.Many2one(related='notice_id.company_id')
    partner_id = fields.Many2one(related='notice_id.partner_id')
    currency_id = fields.Many2one(related='notice_id.currency_id')
    current_level_id = fields.Many2one(related='notice_id.level_id', string="Proposed Level")
    item_ids = fields.One2many(
        comodel_name='dunning.proposal.change.item', inverse_name='wizard_id', string="Due Items")
    summary = fields.Char(compute='_compute_summary')

    possible_level_ids = fields.Many2many(comodel_name='dunning.level', compute='_compute_possible_level_ids')
    level_id = fields.Many2one(
        comodel_name='dunning.level', string="New Level", domain="[('id', 'in', possible_level_ids)]")
    level_timing = fields.Char(related='level_id.timing', string="When and How")
    why = fields.Char()
    reason_id = fields.Many2one(
        comodel_name='dunning.hold.reason', string="Hold Reason", domain=[('stops_everything', '=', False)])
    date_end = fields.Date(
        string="On Hold Until", compute='_compute_date_end', store=True, readonly=False, precompute=True,
        help="Until then the items are not proposed again. It is the last day of the hold.")

    @api.depends('kind', 'item_ids.selected', 'notice_ids')
    def _compute_summary(self):
        """What there will be afterwards, in one line."""
        for wizard in self:
            if wizard.kind == 'merge':
                wizard.summary = self.env._(
                    "One proposal of %(amount)s, %(count)s items",
                    amount=format_amount(self.env, sum(wizard.notice_ids.mapped('amount_due')), wizard.currency_id),
                    count=sum(wizard.notice_ids.mapped('line_count')))
                continue
            chosen = wizard.item_ids.filtered('selected')
            rest = wizard.item_ids - chosen
            amounts = {
                'rest': format_amount(self.env, sum(rest.mapped('amount')), wizard.currency_id),
                'chosen': format_amount(self.env, sum(chosen.mapped('amount')), wizard.currency_id)}
            if not chosen:
                wizard.summary = False
            elif wizard.kind == 'split':
                wizard.summary = rest and self.env._(
                    "%(rest)s stays, %(chosen)s becomes a proposal of its own", **amounts)
            elif wizard.kind == 'take_off':
                wizard.summary = self.env._(
                    "%(chosen)s comes off, %(rest)s stays", **amounts) if rest else self.env._(
                    "Nothing is left, so the proposal is cancelled")
            else:
                wizard.summary = False
            if wizard.summary and rest and wizard.current_level_id.with_costs:
                wizard.summary = self.env._("%s; the collection costs are worked out again", wizard.summary)

    @api.depends('notice_id', 'kind')
    def _compute_possible_level_ids(self):
        for wizard in self:
            wizard.possible_level_ids = wizard.notice_id._get_possible_levels() if wizard.kind == 'level' else False

    @api.depends('reason_id')
    def _compute_date_end(self):
        for wizard in self:
            today = wizard.company_id._dunning_today()
            wizard.date_end = wizard.reason_id and fields.Date.add(today, days=wizard.reason_id.default_days)

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _action_open(self, notices, kind):
        self.check_access('create')
        notices.check_access('write')
        notices._check_proposals()
        if kind == 'merge':
            problem = notices._get_merge_problem()
            if problem:
                raise UserError(problem)
            notice = notices._get_merge_target()
        else:
            notice = notices.ensure_one()
        if kind == 'split':
            notice._check_can_split()
        if kind == 'level' and not notice._get_possible_levels():
            raise UserError(self.env._(
                "There is no other level to choose: the items had all other levels of the policy already."))
        reason = self.env.ref('l10n_nl_dunning.hold_reason_internal', raise_if_not_found=False)
        wizard = self.create({
            'kind': kind,
            'notice_ids': [Command.set(notices.ids)],
            'notice_id': notice.id,
            'reason_id': (
                reason or self.env['dunning.hold.reason'].search([('stops_everything', '=', False)], limit=1)
            ).id if kind == 'take_off' else False,
            'item_ids': [
                Command.create({'line_id': line.id}) for line in notices.live_line_ids
            ] if kind in ('split', 'take_off') else [],
        })
        names = {
            'split': self.env._("Split the proposal"), 'merge': self.env._("Merge proposals"),
            'take_off': self.env._("Take items off"), 'level': self.env._("Change the level")}
        return {
            **wizard.get_formview_action(), 'name': names[kind], 'target': 'new',
            'context': {'dialog_size': 'medium' if kind == 'level' else 'large'}}

    # -------------------------------------------------------------------------
    # DOING
    # -------------------------------------------------------------------------

    def action_apply(self):
        """Carry the change out and say what was done."""
        self.ensure_one()
        self.check_access('write')
        notice = self.notice_id
        lines = self.item_ids.filtered('selected').line_id
        if self.kind == 'split':
            part = notice._split(lines)
            return self._done(self.env._("Split: %s was made.", part.display_name), notice | part)
        if self.kind == 'merge':
            target = self.notice_ids._merge()
            return self._done(self.env._("Merged into %s.", target.display_name), target)
        if self.kind == 'take_off':
            if not self.date_end:
                raise UserError(self.env._("Say until when the items are on hold."))
            notice._take_off(lines, self.why, self.reason_id, self.date_end)
            return self._done(self.env._(
                "Taken off and on hold until %s.", format_day(self.env, self.date_end)), notice)
        if not self.level_id:
            raise UserError(self.env._("Choose the level."))
        notice._change_level(self.level_id, self.why)
        return self._done(self.env._("“%s” is proposed now.", self.level_id.name), notice)

    def _done(self, message, notices):
        result = notices._notify_result(message, notices)
        result['params']['next'] = {'type': 'ir.actions.client', 'tag': 'soft_reload'}
        return result
