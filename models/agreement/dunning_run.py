from odoo import api, models


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _get_plan_steps(self):
        # Hook: agreements are decided first, so that what is planned knows of it.
        return [self._follow_agreements, *super()._get_plan_steps()]

    @api.model
    def _follow_agreements(self, planning):
        """Step: decide which arrangements and promises were kept."""
        company, at_date = planning.company, planning.at_date
        self.env['dunning.arrangement']._judge(company, at_date, checkpoint=planning.checkpoint)
        self.env['dunning.promise']._judge(company, at_date)
