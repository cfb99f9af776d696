from odoo import api, models


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _get_plan_steps(self):
        # Hook: after what has to leave was made.
        return [*super()._get_plan_steps(), self._tell_sellers]

    @api.model
    def _tell_sellers(self, planning):
        """Step: tell salespeople how their customers pay."""
        self.env['dunning.seller.news']._tell(planning.company, planning.at_date)
        planning.checkpoint()
