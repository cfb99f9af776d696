from odoo import fields, models


class DunningPolicy(models.Model):
    _inherit = 'dunning.policy'

    credit_rule_ids = fields.One2many(
        comodel_name='dunning.credit.rule', inverse_name='policy_id', string="Credit Rules",
        help="When an order of a debtor of this policy is confirmed with a warning, or waits for release. "
             "None: whatever a debtor owes, he can order.")
    seller_level_id = fields.Many2one(
        comodel_name='dunning.level', string="Tell Salespeople From", domain="[('policy_id', '=', id)]",
        ondelete='set null', index='btree_not_null', copy=False,
        help="From this level on the salesperson of the customer and those of the invoices are told what left; also "
             "that a customer is handed over, breaks a payment arrangement, or pays. Without amounts, and as each "
             "of them chose in the preferences. None: nothing is told.")
