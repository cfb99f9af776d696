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
        ],
        string="When", default='level', required=True,
        help="Days late: of the oldest item that is open.\n"
             "Promise or arrangement broken: within a year, while something is late still.\n"
             "Above the credit limit: what is open, what was ordered and not invoiced, and this order are together "
             "more than Odoo's credit limit of the customer.")
    level_id = fields.Many2one(
        comodel_name='dunning.level', domain="[('policy_id', '=', policy_id)]", ondelete='cascade',
        index='btree_not_null', help="This level or a later one.")
    days = fields.Integer(string="More Than (days)")
    effect = fields.Selection(
        selection=[('warn', "Warn"), ('hold', "Hold the order")], string="Then", default='hold', required=True)

    @api.constrains('condition', 'level_id', 'days')
    def _check_complete(self):
        for rule in self:
            if rule.condition == 'level' and not rule.level_id:
                raise ValidationError(self.env._("Choose the level from which on this rule counts."))
            if rule.condition == 'late' and rule.days < 0:
                raise ValidationError(self.env._("A number of days late is not negative."))

    def _is_met(self, facts, is_above_limit):
        """Return whether this rule is met by what is known of a debtor (``DebtorFacts``)."""
        self.ensure_one()
        if self.condition == 'level':
            mine, reached = self.level_id, facts.level.sudo()  # sudo: only its place on the ladder
            return bool(reached) and (reached.sequence, reached.id) >= (mine.sequence, mine.id)
        if self.condition == 'late':
            return facts.days_late > self.days
        if self.condition == 'limit':
            return is_above_limit
        return bool(getattr(facts, self.condition))
