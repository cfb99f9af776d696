from odoo import api, models


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _stop_at_gate(self, notices, at_date, *, gate_open=False):
        # OVERRIDE: what could leave asks once more whether so many of them should.
        waiting = super()._stop_at_gate(notices, at_date, gate_open=gate_open)
        for company, batch in (notices - waiting).grouped('company_id').items():
            waiting |= self.env['dunning.breaker'].with_company(company)._stop(batch, at_date)
        return waiting
