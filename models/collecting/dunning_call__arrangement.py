from odoo import models


class DunningCall(models.Model):
    _inherit = 'dunning.call'

    def _get_arrangement_action(self):
        # OVERRIDE: the call ends in the wizard, about what was talked about.
        self.ensure_one()
        Make = self.env['dunning.arrangement.make']
        if not Make.has_access('create') or len(self.item_ids.currency_id) != 1:
            return super()._get_arrangement_action()
        return Make._action_open(call=self)
