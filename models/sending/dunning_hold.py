from odoo import models


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    def _judge_again(self, notices):
        for company, batch in notices.try_lock_for_update().grouped('company_id').items():
            self.env['dunning.dispatcher'].with_company(company)._recheck(batch, company._dunning_today())
