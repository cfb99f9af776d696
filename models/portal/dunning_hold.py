from odoo import models
from odoo.tools import SQL


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    def _get_blocking_sql(self, at_date):
        # EXTENDS: a debtor can pay what is on offer to him, and what we only wait a few more days to ask for.
        blocking = super()._get_blocking_sql(at_date)
        if not self.env.context.get('dunning_for_debtor'):
            return blocking
        return SQL(
            """
            (%(blocking)s AND (hold.closed_on IS NULL OR hold.closed_on > %(at_date)s)
             AND (hold.needs_decision OR hold.date_end >= %(at_date)s)
             AND NOT %(on_offer)s)
            """,
            blocking=blocking, at_date=at_date, on_offer=self._get_on_offer_sql(SQL.identifier('hold')))
