from odoo import models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    def action_dunning_retention(self):
        """List what would go today; nothing goes."""
        self.check_access('create')
        return self.env['dunning.retention'].action_dry_run()
