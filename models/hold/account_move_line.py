from odoo import models


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    def action_dunning_hold(self):
        """Open the wizard that puts these due items on hold."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(items=self)
