from odoo import api, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    @api.model
    def _get_careful(self, name, own, values):
        # EXTENDS: of several ladders the slowest.
        if name != 'dunning_policy_id':
            return super()._get_careful(name, own, values)
        policies = self.env['dunning.policy'].sudo().browse(values).exists()  # sudo: only how slow they are
        return max(policies, key=lambda policy: sum(
            level.delay_days + level.payment_term_days for level in policy.level_ids), default=policies).id
