from odoo import api, models


class DunningRetention(models.Model):
    _inherit = 'dunning.retention'

    @api.model
    def _clean_call(self, calls):
        # OVERRIDE: what was done names people and numbers too
        result = super()._clean_call(calls)
        calls._recording().write({'summary': False, 'answer': False})
        return result
