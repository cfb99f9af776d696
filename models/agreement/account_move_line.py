from odoo import models


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    def action_dunning_promise(self):
        """Open the wizard that records a promise about these due items."""
        self.check_access('read')
        return self.env['dunning.promise.make']._action_open(items=self)

    def action_dunning_arrangement(self):
        """Open the wizard that makes an arrangement about these due items."""
        self.check_access('read')
        return self.env['dunning.arrangement.make']._action_open(items=self)
