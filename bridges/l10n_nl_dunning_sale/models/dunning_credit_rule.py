"""The credit policy: what has to be true of a debtor before an order is confirmed with a warning, or waits."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DunningCreditRule(models.Model):
    """One condition on debtors of a policy, and what follows for their orders. The strictest that is met counts."""

    _name = 'dunning.credit.rule'
    _description = "Credit Rule"
    _order = 'policy_id, sequence, id'

    policy_id = fields.Many2one(comodel_name='dunning.policy', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='policy_id.company_id', store=True, index=True)
    sequence = fields.Integer(default=10)
    condition = fields.Selection(
        selection=[
            ('level', "Level reached"),
            ('late', "Days late"),
            ('broken', "Promise or arrangement broken"),
            ('arranged', "Payment arrangement runs"),
            ('insolvency', "Insolvency"),
            ('limit', "Above the credit limit"),
            ('slow', "Pays late on average"),
            ('new', "New customer"),
            ('amount', "Order of more than"),
        ],
        string="When", default='level', required=True,
        help="Days late: of the oldest item that is open.\n"
             "Promise or arrangement broken: within a year, while something is late still.\n"
             "Above the credit limit: what is open, what was ordered and not invoiced, and this order are together "
             "more than Odoo's credit limit of the customer.\n"
             "Pays late on average: of what was paid in the last twelve months.\n"
             "New customer: was never sent an invoice.")
    level_id = fields.Many2one(
        comodel_name='dunning.level', domain="[('policy_id', '=', policy_id)]", ondelete='cascade',
        index='btree_not_null', help="This level or a later one.")
    days = fields.Integer(string="More Than (days)")
    currency_id = fields.Many2one(related='policy_id.currency_id')
    amount = fields.Monetary()
    effect = fields.Selection(
        selection=[('warn', "Warn"), ('hold', "Hold the order"), ('deposit', "Propose a deposit")], string="Then",
        default='hold', required=True)
    percent = fields.Float(string="Deposit (%)", default=30.0)

    @api.constrains('condition', 'level_id', 'days', 'effect', 'percent')
    def _check_complete(self):
        for rule in self:
            if rule.condition == 'level' and not rule.level_id:
                raise ValidationError(self.env._("Choose the level from which on this rule counts."))
            if rule.condition == 'late' and rule.days < 0:
                raise ValidationError(self.env._("A number of days late is not negative."))
            if rule.effect == 'deposit' and not 0 < rule.percent <= 100:
                raise ValidationError(self.env._("A deposit is more than 0% and at most 100% of the order."))

    def _is_met(self, order, facts, is_above_limit, is_new):
        """Return whether an order meets this rule.

        :param facts: what is known of the debtor (``DebtorFacts``)
        """
        self.ensure_one()
        if self.condition == 'level':
            return facts.level.sudo()._is_dunning_from(self.level_id)  # sudo: only its place on the ladder
        if self.condition == 'late':
            return facts.days_late > self.days
        if self.condition == 'slow':
            return facts.average_days > self.days
        if self.condition == 'amount':
            amount = order.currency_id._convert(
                order.amount_total, self.currency_id, order.company_id, order.company_id._dunning_today())
            return self.currency_id.compare_amounts(amount, self.amount) > 0
        if self.condition in ('limit', 'new'):
            return is_above_limit if self.condition == 'limit' else is_new
        return bool(getattr(facts, self.condition))
