"""What the law stops: letters about collection costs that would be void or false, whatever was configured.

Article 6:96 paragraphs 5 to 7 BW and the decree on collection costs (Besluit BIK).
"""

from odoo import api, models


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _refresh_pending(self, company, at_date):
        # OVERRIDE: the mail queue may have worked while a notice was locked.
        self.env['dunning.notice']._collect_receipts(company)
        return super()._refresh_pending(company, at_date)
