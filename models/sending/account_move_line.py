from odoo import models


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    def action_dunning_send(self):
        """Open the send wizard for these due items."""
        self.check_access('read')
        return self.env['dunning.send']._action_open(items=self)
