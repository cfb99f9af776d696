from odoo import api, models
from odoo.fields import Domain

from ..kernel.dunning_field import AnswerInteger, AnswerMany2one, AnswerText


class AccountMoveLine(models.Model):
    """What a list of due items shows. Nothing is stored: posting and paying cost nothing extra.

    Core describes all fields of journal items whenever it writes some, so every field here is paid for by every payment
    (0.02 ms, see ``dunning_field``). What follows next and when is in the sentence of ``dunning_reason``.
    """

    _inherit = 'account.move.line'

    dunning_level_id = AnswerMany2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        search='_search_dunning_level_id',
        groups='base.group_user',
        help="The level of the last notice that was sent about this item, as long as it is open.",
    )
    dunning_days_overdue = AnswerInteger(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        groups='base.group_user',
    )
    dunning_reason = AnswerText(
        string="Why (Not)?",
        compute='_compute_dunning_reason',
        groups='account.group_account_invoice,account.group_account_readonly',
        help="The planner's answer for today: what goes out, or the first reason why not.",
    )

    def _compute_dunning_level_id(self):
        """One query for all items."""
        sent = self.env['dunning.notice.line'].sudo().search(  # sudo: the level is a fact about a readable item
            [('move_line_id', 'in', self.ids), ('status', '=', 'sent'), ('move_line_id.reconciled', '=', False)],
            order='date, id',
        )
        last = {line.move_line_id.id: line.level_id for line in sent}
        for item in self:
            level = last.get(item._origin.id)
            item.dunning_level_id = level.sudo(False) if level else False

    def _search_dunning_level_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        # sudo: as in the compute
        Line = self.env['dunning.notice.line'].sudo()
        sent = Domain([('status', '=', 'sent'), ('move_line_id.reconciled', '=', False)])
        if operator == 'any':
            levels = set(self.env['dunning.level']._search(value))
            without = False
        else:
            levels = {level for level in value if level}
            without = len(levels) < len(list(value))
        last = {line.move_line_id.id: line.level_id.id for line in Line.search(sent, order='date, id')}
        found = Domain('id', 'in', [item_id for item_id, level_id in last.items() if level_id in levels])
        if without:
            found |= Domain('id', 'not in', list(last))
        return found

    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        for item in self:
            due = item.date_maturity or item.date
            item.dunning_days_overdue = max(0, (today - due).days) if due and not item.reconciled else 0

    @api.depends_context('lang')
    def _compute_dunning_reason(self):
        """Ask the planner about all items at once."""
        Planner = self.env['dunning.planner']
        answers = {}
        due_items = self._origin.filtered(lambda item: item.account_id.account_type == 'asset_receivable')
        for company, items in due_items.grouped('company_id').items():
            today = company._dunning_today()
            # sudo: the planner reads settings of the debtor; the answer is about items the user can read
            for decision in Planner.sudo()._plan(company, today, items=items):
                answers[decision.item_id] = Planner._explain(decision, company)
        for item in self:
            item.dunning_reason = answers.get(item._origin.id, False)

    def action_dunning_send(self):
        """Open the send wizard for these due items."""
        self.check_access('read')
        return self.env['dunning.send']._action_open(items=self)
