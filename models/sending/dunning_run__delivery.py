"""Whom a level is addressed to, by which channel it gets there, and what became of it.

A level names a channel. When that does not reach anybody, another one is used (:data:`DETOURS`)
and a sentence says so; when none does, somebody gets a to-do. The planner and the dispatcher both
follow that one table.
"""

from odoo import api, models


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _tell_unreachable(self, company, at_date, decisions):
        """Let somebody know of the debtors that nothing reaches, and return the decisions about the others.

        :param decisions: what is due, and what is not because of ``no_address``
        """
        Partner = self.env['res.partner'].with_company(company)
        Planner = self.env['dunning.planner']
        due, lost = [], {}
        for decision in decisions:
            if decision.reason:
                lost.setdefault(decision.partner_id, decision)
            else:
                due.append(decision)
        flagged = Partner.search([('dunning_unreachable_on', '!=', False)])
        again = flagged.filtered(lambda debtor: debtor.id not in lost)
        if again:
            # Whatever else keeps his items: is there a way to reach him by now?
            others = Planner._get_reason_codes() - {'no_address'}
            still = {
                decision.partner_id for decision in Planner._plan(company, at_date, partners=again, ignore=others)
                if decision.reason}
            again.filtered(lambda debtor: debtor.id not in still)._unflag_unreachable(company)
        Partner._flag_unreachable(company, {
            partner_id: lambda env, decision=decision: Planner.with_env(env)._explain(decision, company)
            for partner_id, decision in lost.items()})
        return due
