from odoo import api, models

from ..kernel.dunning_field import AnswerText
from ..kernel.groups import ACCOUNTING


class AccountMoveLine(models.Model):
    """What a list of due items shows. Nothing is stored: posting and paying cost nothing extra.

    Core describes all fields of journal items whenever it writes some, so every field here is paid for by every payment
    (0.02 ms, see ``dunning_field``). What follows next and when is in the sentence of ``dunning_reason``.
    """

    _inherit = 'account.move.line'

    dunning_reason = AnswerText(
        string="Why (Not)?",
        compute='_compute_dunning_reason',
        groups=ACCOUNTING,
        help="The planner's answer for today: what goes out, or the first reason why not.",
    )

    @api.depends_context('lang')
    def _compute_dunning_reason(self):
        """Ask the planner about all items at once."""
        Planner = self.env['dunning.planner']
        answers = {}
        for company, items in self._origin._filter_dunning_due().grouped('company_id').items():
            today = company._dunning_today()
            # sudo: the planner reads settings of the debtor; the answer is about items the user can read
            for decision in Planner.sudo()._plan(company, today, items=items):
                answers[decision.item_id] = Planner._explain(decision, company)
        for item in self:
            item.dunning_reason = answers.get(item._origin.id, False)

    def get_dunning_reason(self, date=None):
        """Say for each of these due items why it is (not) reminded on a day; as on invoices."""
        self.check_access('read')
        Planner = self.env['dunning.planner']
        Planner._check_may_ask()
        answers = []
        for company, items in self._filter_dunning_due().grouped('company_id').items():
            answers += Planner._answer(company, company._parse_dunning_day(date), items=items)
        return sorted(answers, key=lambda answer: (answer['company_id'], answer['due_date'], answer['item_id']))

    def action_dunning_why(self):
        """Open the dialog that answers for any day."""
        self.check_access('read')
        return self.env['dunning.why']._action_open(items=self, about=self[:1].move_id.display_name)
