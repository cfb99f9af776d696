from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import ormcache

#: What the answers about an invoice depend on, and is written on the invoice itself.
ASKED = frozenset({
    'dunning_claim_kind', 'dunning_policy_id', 'invoice_date_due', 'is_move_sent', 'line_ids', 'partner_id', 'state'})


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        copy=False,
        check_company=True,
        groups='account.group_account_invoice,account.group_account_readonly',
        help="Only when this invoice follows another policy than its debtor.",
        prefetch='dunning',
    )
    # Depends on our own lines only, never on residuals: posting and paying cost nothing extra.
    # Reconciliation refreshes it for invoices that had a notice (see account_partial_reconcile).
    dunning_level_id = fields.Many2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        store=True,
        precompute=True,  # a new invoice brings it along (see dunning_guard) and it is not looked up
        index='btree_not_null',
        copy=False,
        # No groups: who can read an invoice was told this level or is a colleague, and core would ask for his groups
        # once per invoice in a list.
        help="The highest level of the due items of this invoice that are still open.",
        prefetch='dunning',
    )
    dunning_line_ids = fields.One2many(
        comodel_name='dunning.notice.line',
        inverse_name='move_id',
        string="Notices",
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_notice_count = fields.Integer(
        string="Number of Notices",
        compute='_compute_dunning_notice_count',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_days_overdue = fields.Integer(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        search='_search_dunning_days_overdue',
        groups='base.group_user',
        help="Days since the oldest open due date of the invoice.",
    )
    # The answers name amounts of the debtor: for accounting only.
    dunning_next_level_id = fields.Many2one(
        comodel_name='dunning.level',
        string="Next Step",
        compute='_compute_dunning_plan',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_next_date = fields.Date(
        string="Next Step On",
        compute='_compute_dunning_plan',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_is_due = fields.Boolean(
        string="To Remind",
        compute='_compute_dunning_plan',
        search='_search_dunning_is_due',
        groups='account.group_account_invoice,account.group_account_readonly',
        help="A reminder about it would go out today.",
    )
    dunning_reason_code = fields.Char(
        compute='_compute_dunning_plan',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_reason = fields.Char(
        string="Why (Not)?",
        compute='_compute_dunning_plan',
        groups='account.group_account_invoice,account.group_account_readonly',
        help="The planner's answer for today: what goes out, or the first reason why not.",
    )

    @api.depends('dunning_line_ids.status', 'dunning_line_ids.level_id', 'dunning_line_ids.move_line_id')
    def _compute_dunning_level_id(self):
        sent = self.env['dunning.notice.line'].sudo().search(  # sudo: the level is a fact, whoever triggers it
            [('move_id', 'in', self.ids), ('status', '=', 'sent'), ('move_line_id.reconciled', '=', False)],
            order='date, id',
        )
        last = {line.move_line_id: line for line in sent}  # the last sent line of each item
        highest = {}
        for line in last.values():
            level = line.level_id
            found = highest.get(line.move_id.id)
            if not found or (level.sequence, level.id) > (found.sequence, found.id):
                highest[line.move_id.id] = level
        for move in self:
            move.dunning_level_id = highest.get(move._origin.id or move.id, False)

    def _compute_dunning_notice_count(self):
        groups = self.env['dunning.notice.line']._read_group(
            [('move_id', 'in', self.ids)], ['move_id'], ['notice_id:count_distinct'])
        counts = {move.id: count for move, count in groups}
        for move in self:
            move.dunning_notice_count = counts.get(move.id, 0)

    def write(self, vals):
        # OVERRIDE: what was worked out before may no longer be true.
        result = super().write(vals)
        if vals.keys() & ASKED:
            self._forget_dunning_answers()
        return result

    @api.model
    def _forget_dunning_answers(self):
        """Forget what was worked out about invoices and due items: days, next step, reason, holds, prescription.

        These answers do not depend on fields in the sense of the ORM. If they did, every payment that is matched would
        walk from each invoice to all its payments and back to find which answers to forget, which was 5 % of the time
        it takes to register a payment. They are worked out once per request, and forgotten here.
        """
        for name, answers in self._get_dunning_answers().items():
            self.env[name].invalidate_model(answers, flush=False)

    @api.model
    @ormcache()
    def _get_dunning_answers(self):
        """Return the names of our fields that are worked out when they are read, by model."""
        return {name: tuple(
            field.name for field in self.env[name]._fields.values()
            if field.name.startswith('dunning_') and field.compute and not field.store
        ) for name in ('account.move', 'account.move.line')}

    @api.model
    def _get_dunning_open_items_domain(self):
        return Domain([
            ('parent_state', '=', 'posted'),
            ('account_id.account_type', '=', 'asset_receivable'),
            ('reconciled', '=', False),
            ('amount_residual', '>', 0),
        ])

    @api.depends_context('company', 'dunning_at_date')
    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        groups = self.env['account.move.line'].sudo()._read_group(  # sudo: a number of days of a readable invoice
            self._get_dunning_open_items_domain() & Domain('move_id', 'in', self.ids),
            ['move_id'], ['date_maturity:min'])
        oldest = {move.id: due for move, due in groups if due}
        for move in self:
            due = oldest.get(move._origin.id or move.id)
            move.dunning_days_overdue = max(0, (today - due).days) if due else 0

    def _search_dunning_days_overdue(self, operator, value):
        """Overdue for more than (or at least) n days, n >= 0; or exactly not overdue."""
        today = self.env.company._dunning_today()
        open_items = self._get_dunning_open_items_domain()
        if operator in ('>', '>='):
            days = value + 1 if operator == '>' else value
            if days <= 0:
                return Domain.TRUE
            items = open_items & Domain('date_maturity', '<=', today - timedelta(days=days))
            return Domain('line_ids', 'any', items)
        if operator in ('<', '<='):
            inverse = '>=' if operator == '<' else '>'
            return ~Domain(self._search_dunning_days_overdue(inverse, value))
        return NotImplemented

    @api.depends_context('lang', 'dunning_at_date')
    def _compute_dunning_plan(self):
        """Ask the planner about all these invoices at once; the first due item of each speaks for it."""
        Planner = self.env['dunning.planner']
        answers = {}
        sales = self.filtered(
            lambda move: move._origin.id and move.move_type in ('out_invoice', 'out_receipt', 'entry'))
        for company, moves in sales.grouped('company_id').items():
            # sudo: the planner reads settings of the debtor; the answer is about invoices the user can read
            decisions = Planner.sudo()._plan(
                company, company._dunning_today(), items=moves._origin._get_dunning_items())
            for decision in decisions:
                best = answers.get(decision.move_id)
                if best is None or self._get_decision_rank(decision) < self._get_decision_rank(best[0]):
                    answers[decision.move_id] = (decision, company)
        for move in self:
            decision, company = answers.get(move._origin.id, (None, None))
            move.dunning_reason_code = decision and decision.reason
            move.dunning_reason = decision and Planner._explain(decision, company)
            move.dunning_is_due = decision and not decision.reason
            # No date: it stands still until somebody does something, and the reason says what.
            next_date = decision and (decision.next_date if decision.reason else company._dunning_today())
            move.dunning_next_level_id = next_date and decision.level_id
            move.dunning_next_date = next_date

    def _search_dunning_is_due(self, operator, value):
        """Ask the planner about everything that is open in the chosen companies."""
        if operator != 'in':
            return NotImplemented
        # sudo: the planner reads settings of debtors; what is found is still subject to the user's rules
        Planner = self.env['dunning.planner'].sudo()
        found = [
            decision.move_id
            for company in self.env.companies
            for decision in Planner._plan(company, company._dunning_today(), only_due=True)
        ]
        return Domain('id', 'in' if True in value else 'not in', found)

    @staticmethod
    def _get_decision_rank(decision):
        """What goes out comes first, then what waits (the soonest first), then what stands still."""
        if not decision.reason:
            return (0, decision.due_date)
        if decision.reason == 'settled':
            return (3, decision.due_date)
        return (1 if decision.next_date else 2, decision.next_date or decision.due_date)

    def _get_dunning_items(self):
        """Return the due items (receivable journal items) of these moves, open or not."""
        return self.env['account.move.line'].sudo().search([  # sudo: the caller checked the moves
            ('move_id', 'in', self.ids), ('account_id.account_type', '=', 'asset_receivable')])

    def action_dunning_send(self):
        """Open the send wizard for the due items of these invoices."""
        self.check_access('read')
        return self.env['dunning.send']._action_open(moves=self)

    def action_dunning_notices(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
        action['domain'] = [('line_ids.move_id', '=', self.id)]
        action['context'] = {}
        return action
