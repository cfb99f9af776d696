from odoo import api, models

from ..sending.dunning_run import no_checkpoint


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _plan_company(self, company, at_date, *, checkpoint=no_checkpoint):
        # EXTENDS: agreements are decided first, so that what is planned knows of it.
        env = self.with_company(company).env
        env['dunning.arrangement']._judge(company, at_date, checkpoint=checkpoint)
        env['dunning.promise']._judge(company, at_date)
        return super()._plan_company(company, at_date, checkpoint=checkpoint)
