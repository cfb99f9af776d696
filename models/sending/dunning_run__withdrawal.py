from odoo import api, models

from .dunning_run import no_checkpoint


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _plan_company(self, company, at_date, *, checkpoint=no_checkpoint):
        # OVERRIDE: every day
        result = super()._plan_company(company, at_date, checkpoint=checkpoint)
        self.with_company(company).env['dunning.withdrawal']._look_again(company, at_date)
        checkpoint()
        return result
