"""Approving many proposals at once: first the sum of what would leave, then the decision."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...models.ladder.dunning_level import MANUAL_CHANNELS


class DunningProposalApprove(models.TransientModel):
    """What would leave when the selected proposals are approved, and which of them the user cannot approve."""

    _name = 'dunning.proposal.approve'
    _description = "Approve Proposals"

    notice_ids = fields.Many2many(comodel_name='dunning.notice', readonly=True)
    # How often each had been changed when it was shown.
    seen_data = fields.Json(readonly=True)
    count = fields.Integer(compute='_compute_summary')
    debtor_count = fields.Integer(compute='_compute_summary')
    amount_text = fields.Char(string="To Pay", compute='_compute_summary')
    refused_count = fields.Integer(compute='_compute_summary')
    refused_text = fields.Char(compute='_compute_summary')
    warning = fields.Text(compute='_compute_summary')
    summary_html = fields.Html(compute='_compute_summary', sanitize=False)
    queue_asleep = fields.Boolean(compute='_compute_queue_asleep')

    def _compute_queue_asleep(self):
        self.queue_asleep = not self.env['dunning.dispatcher']._get_cron().active

    @api.depends('notice_ids')
    @api.depends_context('uid')
    def _compute_summary(self):
        for wizard in self:
            refused = wizard.notice_ids._get_refused()
            allowed = wizard.notice_ids - refused
            wizard.count = len(allowed)
            wizard.debtor_count = len(allowed.partner_id)
            wizard.amount_text = wizard._sum_up(allowed)
            wizard.refused_count = len(refused)
            wizard.refused_text = self.env._(
                "%(count)s of the selected proposals (%(amount)s) stay. %(why)s",
                count=len(refused), amount=wizard._sum_up(refused), why=refused._explain_refused(),
            ) if refused else False
            wizard.warning = "\n".join(wizard._get_warnings(allowed)) or False
            wizard.summary_html = self.env['ir.qweb']._render(
                'l10n_nl_dunning.proposal_summary', {'rows': wizard._get_rows(allowed)}, minimal_qcontext=True)

    @api.model
    def _sum_up(self, notices):
        return " + ".join(
            format_amount(self.env, sum(group.mapped('amount_due')), currency)
            for currency, group in notices.grouped('currency_id').items()) or '–'

    @api.model
    def _get_rows(self, notices):
        """Return the rows of the table: per level and channel how many, to how many debtors and how much."""
        channels = dict(notices._fields['channel']._description_selection(self.env))
        groups = notices.grouped(lambda notice: (notice.policy_id, notice.level_id, notice.channel))
        return [
            {
                'policy': policy.name, 'level': level.name, 'color': level.color, 'channel': channels[channel],
                'count': len(group), 'amount': self._sum_up(group),
                'largest': max(group, key=lambda notice: notice.amount_due_company),
                'largest_amount': format_amount(
                    self.env, max(group.mapped('amount_due_company')), group[0].company_currency_id),
            }
            for (policy, level, channel), group in sorted(
                groups.items(), key=lambda entry: (
                    entry[0][0].sequence, entry[0][0].id, entry[0][1].sequence, entry[0][1].id, entry[0][2]))
        ]

    @api.model
    def _get_warnings(self, notices):
        backlog, forced = notices.filtered('backlog'), notices.filtered('forced')
        failed = notices.filtered(lambda notice: notice.state == 'error')
        unreachable = notices.filtered(
            lambda notice: notice.channel not in MANUAL_CHANNELS and not any(notice._get_ways().values()))
        return [warning for found, warning in (
            (backlog, self.env._(
                "%s of them are about items that were overdue already when dunning was started.", len(backlog))),
            (failed, self.env._("%s of them failed before and are tried again.", len(failed))),
            (unreachable, self.env._(
                "%(count)s of them have no address to go to: %(debtors)s",
                count=len(unreachable), debtors=", ".join(unreachable[:3].partner_id.mapped('name'))
                + ("…" if len(unreachable) > 3 else "."))),
            (forced, self.env._("%s of them go ahead of time.", len(forced))),
        ) if found]

    # -------------------------------------------------------------------------
    # OPENING AND APPROVING
    # -------------------------------------------------------------------------

    @api.model
    def _action_open(self, notices):
        self.check_access('create')
        proposals = notices.filtered(lambda notice: notice.state in ('draft', 'error'))
        if not proposals:
            raise UserError(self.env._("None of the selected notices is a proposal that waits for approval."))
        wizard = self.create({
            'notice_ids': [Command.set(proposals.ids)],
            'seen_data': {str(notice.id): notice.change_count for notice in proposals},
        })
        return {
            **wizard.get_formview_action(), 'name': self.env._("Approve proposals"), 'target': 'new',
            'context': {'dialog_size': 'large'}}

    def action_approve(self):
        """Approve what the user may approve; the rest stays a proposal."""
        self.check_access('write')
        return self._after(self._get_seen().action_approve())

    def action_send_now(self):
        """Approve and send at once."""
        self.check_access('write')
        return self._after(self._get_seen().action_send_now())

    def _get_seen(self):
        """Return the proposals, all of them as they were shown: what is approved is what was seen."""
        self.ensure_one()
        changed = self.notice_ids.filtered(
            lambda notice: notice.change_count != (self.seen_data or {}).get(str(notice.id)))
        if changed:
            raise UserError(self.env._(
                "Somebody changed %s while this window was open. Close it and look again.",
                ", ".join(changed[:3].mapped('display_name'))))
        return self.notice_ids

    def _after(self, action):
        action['params']['next'] = {'type': 'ir.actions.client', 'tag': 'soft_reload'}
        return action
