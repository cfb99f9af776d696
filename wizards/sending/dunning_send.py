from collections import defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...models.kernel.dunning_field import PickedMany2many

# What a line of the window has in common with the notice that it is, or becomes.
SHOWN = ('partner_id', 'recipient_id', 'currency_id', 'level_id', 'channel', 'detour', 'detour_bounced_on')


class DunningSend(models.TransientModel):
    """What would go out for a selection of invoices, debtors or proposals, and what would not and why.

    The planner decides; this only shows its answers and lets a person choose.
    """

    _name = 'dunning.send'
    _inherit = ['dunning.interest.alert']
    _description = "Send Reminders"

    at_date = fields.Date(string="Date", required=True, readonly=True)
    ahead = fields.Boolean(
        string="Also what still waits",
        help="Also send for overdue items whose day has not come, that are below the minimum amount of the policy, "
             "or that were overdue for long before dunning was started.",
    )
    item_ids = PickedMany2many(comodel_name='account.move.line', readonly=True)
    proposal_ids = fields.Many2many(comodel_name='dunning.notice', readonly=True)
    group_ids = fields.One2many(comodel_name='dunning.send.group', inverse_name='wizard_id', string="Goes Out")
    skip_ids = fields.One2many(comodel_name='dunning.send.skip', inverse_name='wizard_id', string="Does Not Go Out")
    group_count = fields.Integer(compute='_compute_counts')
    selected_count = fields.Integer(compute='_compute_counts')
    skip_count = fields.Integer(compute='_compute_counts')
    problem_count = fields.Integer(compute='_compute_counts')
    remark_count = fields.Integer(compute='_compute_counts')
    summary = fields.Char(compute='_compute_counts')
    queue_asleep = fields.Boolean(compute='_compute_queue_asleep')
    bank_state = fields.Char(string="Bank Data", compute='_compute_bank_state')
    bank_is_stale = fields.Boolean(compute='_compute_bank_state')
    rival_names = fields.Char(compute='_compute_rival_names')

    @api.depends('group_ids.selected', 'group_ids.channel', 'group_ids.problem', 'group_ids.remark', 'skip_ids')
    def _compute_counts(self):
        channels = dict(self.env['dunning.send.group']._fields['channel']._description_selection(self.env))
        for wizard in self:
            selected = wizard.group_ids.filtered('selected')
            wizard.group_count = len(wizard.group_ids)
            wizard.selected_count = len(selected)
            wizard.skip_count = len(wizard.skip_ids)
            wizard.problem_count = len(wizard.group_ids.filtered('problem'))
            wizard.remark_count = len(wizard.group_ids.filtered('remark'))
            if not selected:
                wizard.summary = False
                continue
            amounts = " + ".join(
                format_amount(self.env, sum(groups.mapped('amount_due')), currency)
                for currency, groups in selected.grouped('currency_id').items())
            by_channel = ", ".join(
                f"{len(groups)} × {channels[channel].lower()}"
                for channel, groups in selected.grouped('channel').items())
            wizard.summary = f"{amounts} · {by_channel}"

    def _compute_queue_asleep(self):
        self.queue_asleep = not self.env['dunning.dispatcher']._get_cron().active

    def _compute_rival_names(self):
        self.rival_names = ", ".join(self.env.company._get_dunning_rivals())

    @api.depends('at_date', 'item_ids', 'proposal_ids')
    def _compute_bank_state(self):
        """How old the bank data are, the oldest account first: what came in later is not known."""
        Planner = self.env['dunning.planner']
        for wizard in self:
            companies = wizard.item_ids.company_id | wizard.proposal_ids.company_id
            states = sorted(
                (state for company in companies for state in company._get_dunning_bank_states()),
                key=lambda state: state[1])
            wizard.bank_state = " · ".join(
                Planner._fmt_bank_state(journal, newest, wizard.at_date) for journal, newest in states)
            wizard.bank_is_stale = any(
                Planner._get_stale_policies(company, wizard.at_date) for company in companies)

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _action_open(self, *, moves=None, items=None, partners=None, notices=None):
        """Open the wizard for a selection of one kind of records."""
        self.check_access('create')
        if moves is not None:
            items = moves._get_dunning_items()
        elif items is not None:
            items = items._filter_dunning_due()
        elif partners is not None:
            Item = self.env['account.move.line'].sudo()  # sudo: the access to the wizard was checked
            items = Item.search(
                Item._get_dunning_open_domain() & fields.Domain('company_id', 'in', self.env.companies.ids)
                & fields.Domain('partner_id', 'in', partners.commercial_partner_id.ids))
        else:
            items = self.env['account.move.line']
        proposals = notices.filtered(lambda notice: notice.state in ('draft', 'error')) if notices else notices
        if not items and not proposals:
            raise UserError(self.env._(
                "Nothing in the selection can be reminded. Select posted customer invoices, "
                "debtors with open invoices, or proposals."))
        wizard = self.create({
            'at_date': self.env.company._dunning_today(),
            'item_ids': [Command.set(items.ids)],
            'proposal_ids': [Command.set(proposals.ids if proposals else [])],
        })
        wizard._load()
        return wizard._get_action()

    def _get_action(self):
        self.ensure_one()
        return {
            **self.get_formview_action(), 'name': self.env._("Send reminders"), 'target': 'new',
            'context': {'dialog_size': 'extra-large'}}

    def _load(self):
        """Ask the planner and show its answers."""
        self.ensure_one()
        groups, skips = [], []
        proposals = self.proposal_ids
        Notice = self.env['dunning.notice']
        # sudo: only which creditor it is
        for items in self.item_ids.grouped(lambda item: item.company_id.sudo().dunning_creditor_id).values():
            company = items.company_id[:1]
            decisions = self._plan(company, items)
            # sudo: what has to be in one letter with these may be owed to a branch the user does not work for
            owed_to = Notice.sudo()._get_companies_of(company, decisions)
            for group in self._group(decisions):
                groups.append(self._prepare_group(company, group, owed_to))
            # Proposals hold their items: those are shown as what can go out, not as waiting for themselves.
            waiting = self._get_proposals_of(decisions)
            proposals |= waiting
            held = set(waiting.line_ids.filtered(lambda line: line.status == 'pending').move_line_id.ids)
            skips += [
                self._prepare_skip(company, decision)
                for decision in decisions if decision.reason and decision.item_id not in held]
        groups += [self._prepare_group_from_notice(notice) for notice in proposals]
        self.write({
            'group_ids': [Command.clear(), *(Command.create(vals) for vals in groups)],
            'skip_ids': [Command.clear(), *(Command.create(vals) for vals in skips)],
        })

    @api.model
    def _get_proposals_of(self, decisions):
        """Return the proposals and failed notices that hold items which would be due without them."""
        held = [decision.item_id for decision in decisions if decision.reason == 'pending']
        return self.env['dunning.notice.line'].search([
            ('move_line_id', 'in', held), ('status', '=', 'pending'), ('notice_id.state', 'in', ('draft', 'error')),
        ]).notice_id

    def _plan(self, company, items, ignore=frozenset()):
        # sudo: the planner reads settings of policies and debtors; the items were chosen with the user's rights
        Planner = self.env['dunning.planner'].sudo()
        if self.ahead:
            ignore |= Planner._get_reason_codes(overridable=True)
        return Planner._plan(company, self.at_date, items=items, companions=True, ignore=ignore)

    @api.model
    def _group(self, decisions):
        groups = defaultdict(list)
        for decision in decisions:
            if not decision.reason:
                groups[decision.message].append(decision)
        return groups.values()

    def _plan_chosen(self, groups, ignore=frozenset()):
        """Plan the items of lines of this window, of one creditor, once more.

        :return: list of decisions per message; what changed since the window was opened is not what the user saw, and
            is left out
        """
        self.ensure_one()
        chosen = {
            (group.partner_id.id, group.currency_id.id, group.level_id.id, group.recipient_id.id): group.channel
            for group in groups}
        result = []
        for decisions in self._group(self._plan(groups.company_id[:1], groups.item_ids, ignore)):
            head = max(decisions, key=lambda decision: decision.level_rank)
            channel = chosen.get((head.partner_id, head.currency_id, head.level_id, head.recipient_id))
            if channel:
                result.append([decision._replace(channel=channel) for decision in decisions])
        return result

    def _create_notices(self, company, decisions):
        """Make notices of what :meth:`_plan_chosen` returned."""
        return self.env['dunning.notice'].with_company(company)._create_from_decisions(
            company, decisions, self.at_date, origin='manual', state='queued', forced=self.ahead)

    @api.model
    def _prepare_group(self, company, decisions, owed_to):
        notice = self.env['dunning.notice']._prepare_from_decisions(decisions, owed_to)
        seen = [decision.item_id for decision in decisions if owed_to[decision.item_id] in self.env.companies]
        return {
            **{name: notice[name] for name in SHOWN},
            'company_id': company.id,
            'amount_due': sum(decision.amount_due for decision in decisions),
            'amount_netted': sum(decision.amount_netted for decision in decisions),
            'item_ids': [Command.set(seen)],
            'item_count': len(decisions),
            'has_hidden': len(seen) < len(decisions),
            'oldest_due_date': min(decision.due_date for decision in decisions),
        }

    @api.model
    def _prepare_group_from_notice(self, notice):
        names = (*SHOWN, 'company_id', 'amount_due', 'amount_netted', 'oldest_due_date')
        return {
            **notice._convert_to_write({name: notice[name] for name in names}),
            'item_ids': [Command.set(notice.live_line_ids.move_line_id.ids)],
            'item_count': notice.line_count,
            'notice_id': notice.id,
        }

    @api.model
    def _prepare_skip(self, company, decision):
        return {
            'company_id': company.id,
            'move_id': decision.move_id,
            'partner_id': decision.partner_id,
            'currency_id': decision.currency_id,
            'due_date': decision.due_date,
            'amount_residual': decision.amount_residual,
            'reason_code': decision.reason,
            'reason': self.env['dunning.planner']._explain(decision, company),
            'next_date': decision.next_date,
        }

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_toggle_ahead(self):
        """Plan again, with or without what still waits."""
        self.ensure_one()
        self.ahead = not self.ahead
        self._load()
        return self._get_action()

    def action_send_now(self):
        """Send the selected notices in this request."""
        notices = self._make_notices()
        self.env['dunning.dispatcher']._dispatch_interactively(notices)
        return notices._notify_outcome()

    def action_queue(self):
        """Leave the sending to the scheduled action, a moment later."""
        notices = self._make_notices()
        self.env['dunning.dispatcher']._trigger()
        return notices._leave_together()

    def _make_notices(self):
        """Plan the selected items once more and make queued notices of what is due now."""
        self.ensure_one()
        selected = self.group_ids.filtered('selected')
        if not selected:
            raise UserError(self.env._("Select at least one debtor to send a reminder to."))
        # Somebody else may have sent or cancelled a proposal while this window was open.
        notices = selected.notice_id.filtered(lambda notice: notice.state in ('draft', 'error'))
        for group in selected:
            if group.notice_id in notices and group.notice_id.channel != group.channel:
                group.notice_id.channel = group.channel
        notices._queue_allowed()  # what needs a colleague stays a proposal
        # sudo: only which creditor it is
        for groups in selected.filtered(lambda group: not group.notice_id).grouped(
            lambda group: group.company_id.sudo().dunning_creditor_id
        ).values():
            company = groups.company_id[:1]
            # Whether the channel that was chosen reaches the debtor is seen when it leaves, and said then.
            for decisions in self._plan_chosen(groups, frozenset({'no_address'})):
                made = self._create_notices(company, decisions)
                # Who sends a reminder approves it.
                made.filtered(lambda notice: notice.state == 'queued')._queue()
                notices |= made
        if not notices:
            raise UserError(self.env._(
                "Nothing is due any more: it was paid, credited or sent while this window was open."))
        return notices
