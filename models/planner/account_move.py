"""“Why (not)?”: the planner's answer about due items on any day, with its facts, for people and for programs."""

from odoo import api, fields, models
from odoo.fields import Domain

from ..kernel.groups import ACCOUNTING


class AccountMove(models.Model):
    _inherit = 'account.move'

    # The answers name amounts of the debtor: for accounting only.
    dunning_is_due = fields.Boolean(
        string="To Remind",
        compute='_compute_dunning_plan',
        search='_search_dunning_is_due',
        groups=ACCOUNTING,
        help="A reminder about it would go out today.",
    )
    dunning_reason = fields.Char(
        string="Why (Not)?",
        compute='_compute_dunning_plan',
        groups=ACCOUNTING,
        help="The planner's answer for today: what goes out, or the first reason why not.",
    )

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
            move.dunning_reason = decision and Planner._explain(decision, company)
            move.dunning_is_due = decision and not decision.reason

    def _search_dunning_is_due(self, operator, value):
        """Ask the planner about everything that is open in the chosen companies."""
        if operator != 'in':
            return NotImplemented
        # sudo: the planner reads settings of debtors; what is found is still subject to the user's rules
        Planner = self.env['dunning.planner'].sudo()
        found = [
            decision.move_id
            for company in self.env.companies._filter_dunning_creditors()
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

    def get_dunning_reason(self, date=None):
        """Say for each due item of these invoices why it is (not) reminded on a day.

        :param date: a date or an ISO string; empty: today. Only for asking
        :return: list of dicts, one per due item, the first due date first: see ``dunning.planner._answer``
        :raise AccessError: for who may not read the invoices, or is not in accounting
        """
        self.check_access('read')
        return self._get_dunning_items().with_env(self.env).get_dunning_reason(date)

    def action_dunning_why(self):
        """Open the dialog that answers for any day."""
        self.check_access('read')
        return self.env['dunning.why']._action_open(items=self._get_dunning_items(), about=self[:1].display_name)
