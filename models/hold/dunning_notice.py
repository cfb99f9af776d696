from odoo import models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def action_dunning_hold(self):
        """Open the wizard that puts the items of this notice on hold, as during a call."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(notices=self)
