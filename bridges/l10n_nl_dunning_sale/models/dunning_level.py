from odoo import models


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    def _is_dunning_from(self, first):
        """Return whether this is a level of a policy, or a later one."""
        return bool(self) and (self.sequence, self.id) >= (first.sequence, first.id)
