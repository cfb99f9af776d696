from odoo import api, models


class DunningSendGroup(models.TransientModel):
    _inherit = 'dunning.send.group'

    @api.depends('notice_id.maker_ids', 'notice_id.state')
    @api.depends_context('uid')
    def _compute_problem(self):
        # OVERRIDE: what will stay a proposal is said before, not only after.
        result = super()._compute_problem()
        for group in self.filtered(lambda group: not group.problem):
            if group.notice_id._get_refused():
                group.problem = self.env._(
                    "You made or changed this proposal: it stays one until a colleague approves it.")
            elif not group.notice_id and group._needs_colleague():
                group.problem = self.env._(
                    "It becomes a proposal that a colleague approves: the policy asks a second pair of eyes.")
        return result

    def _needs_colleague(self):
        """Return whether the policy asks a second pair of eyes for what would be made of this."""
        self.ensure_one()
        policy, company = self.level_id.policy_id, self.company_id
        if policy.four_eyes != 'above':
            return policy.four_eyes == 'always'
        today = company._dunning_today()
        limit = policy.currency_id._convert(policy.four_eyes_amount, self.currency_id, company, today)
        return self.currency_id.compare_amounts(self.amount_due, limit) > 0
