from odoo import api, models


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _recheck(self, notices, at_date, *, decisions=None):
        # EXTENDS: addresses may have come, gone or bounced since it was planned.
        owed = super()._recheck(notices, at_date, decisions=decisions)
        owed._reroute()
        return owed

    @api.model
    def _drop_unreachable(self, notices):
        # EXTENDS: never silent: somebody gets a to-do.
        reached = super()._drop_unreachable(notices)
        for company, batch in (notices - reached).grouped('company_id').items():
            self.env['res.partner'].with_company(company)._flag_unreachable(company, {
                notice.partner_id.id: lambda env, notice=notice: notice.with_env(env)._explain_unreachable()
                for notice in batch})
        return reached
