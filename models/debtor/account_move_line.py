from odoo import models

from ..kernel.dunning_field import AnswerInteger


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    dunning_days_overdue = AnswerInteger(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        groups='base.group_user',
    )

    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        for item in self:
            due = item.date_maturity or item.date
            item.dunning_days_overdue = max(0, (today - due).days) if due and not item.reconciled else 0
