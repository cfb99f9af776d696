from odoo import fields, models


class DunningPolicy(models.Model):
    _inherit = 'dunning.policy'

    credit_rule_ids = fields.One2many(
        comodel_name='dunning.credit.rule', inverse_name='policy_id', string="Credit Rules",
        help="When an order of a debtor of this policy is confirmed with a warning, or waits for release. "
             "None: whatever a debtor owes, he can order.")
