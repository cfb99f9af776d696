from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    rates_alert = fields.Char(
        compute='_compute_rates_alert', help="For the settings: why reminders with interest wait.")

    @api.depends_context('dunning_at_date', 'lang')
    def _compute_rates_alert(self):
        Rate = self.env['dunning.interest.rate']
        for company in self:
            today = company._dunning_today()
            company.rates_alert = Rate._get_stale_text(Rate._freshness(today), today)
