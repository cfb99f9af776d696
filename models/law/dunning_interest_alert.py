from odoo import api, fields, models


class DunningInterestAlert(models.AbstractModel):
    """For whatever shows or decides about reminders that ask interest: why they wait, if they do."""

    _name = 'dunning.interest.alert'
    _description = "Alert about Statutory Interest"

    rates_alert = fields.Char(compute='_compute_rates_alert')

    @api.depends_context('company', 'dunning_at_date', 'lang')
    def _compute_rates_alert(self):
        Rate = self.env['dunning.interest.rate']
        today = self.env.company._dunning_today()
        self.rates_alert = Rate._get_stale_text(Rate._freshness(today), today)
