from odoo import models


class DunningPolicy(models.Model):
    _inherit = 'dunning.policy'

    def write(self, vals):
        result = super().write(vals)
        if 'soft_days' in vals:
            # sudo: open holds of all companies that use the policy follow it, whoever changes it
            open_holds = self.env['dunning.hold'].sudo().search([('closed_on', '=', False)])
            open_holds._refresh_soft_days()
        return result
