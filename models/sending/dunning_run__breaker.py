from odoo import api, fields, models
from odoo.fields import Domain


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _get_queue_domain(self):
        # OVERRIDE: what was stopped would only be in the way of the others.
        return super()._get_queue_domain() & (
            Domain('breaker_id', '=', False) | Domain('breaker_id.state', '!=', 'stopped'))

    @api.model
    def _refresh_pending(self, company, at_date):
        # OVERRIDE: a queue whose notices were all cancelled needs no decision any more; the others stay true.
        breaker = self.env['dunning.breaker']._get_stopped(company)
        if breaker:
            stopped = breaker._get_waiting().try_lock_for_update()
            self.env['dunning.dispatcher']._recheck(stopped, at_date)
            if not breaker._get_waiting():
                breaker._recording().write({'state': 'turned_back', 'decided_on': fields.Datetime.now()})
                breaker.activity_ids.unlink()
        return super()._refresh_pending(company, at_date)
