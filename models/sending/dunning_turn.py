from odoo import api, fields, models
from odoo.tools import SQL, mute_logger

from .dunning_queue import NOW


class DunningTurn(models.Model):
    """When somebody last let something leave to a debtor. For the program only; see the top of this file."""

    _name = 'dunning.turn'
    _description = "Turn of a Debtor"
    _log_access = False

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, ondelete='cascade')
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, readonly=True, ondelete='cascade')
    taken_on = fields.Datetime(required=True, readonly=True)

    _one_per_debtor = models.UniqueIndex("(company_id, partner_id)", "Somebody else is writing to this debtor.")
    _company_idx = models.Index("(company_id, taken_on)")

    @api.model
    def _take(self, company, partner_ids, limit=None):
        """Take the turns of debtors, in their order; return the ids of those that nobody else has.

        They are ours until the end of the transaction. Raises ``SerializationFailure`` when somebody let something
        leave to one of them after this transaction began: what we know of him is out of date.
        """
        if not partner_ids:
            return []
        # A filter is asked row by row, so LIMIT ends it: no more is locked than is returned.
        rows = self.env.execute_query(SQL(
            """
            SELECT debtor FROM UNNEST(%s::int[]) AS queue(debtor)
             WHERE pg_try_advisory_xact_lock(hashtextextended('dunning.turn:' || %s || ':' || debtor, 0))
             LIMIT %s
            """, list(partner_ids), company.id, limit))
        taken = [debtor for [debtor] in rows]
        with mute_logger('odoo.sql_db'):
            self.env.cr.execute(SQL(
                """
                INSERT INTO dunning_turn (company_id, partner_id, taken_on)
                     SELECT %s, debtor, %s FROM UNNEST(%s::int[]) AS queue(debtor)
                ON CONFLICT (company_id, partner_id) DO UPDATE SET taken_on = EXCLUDED.taken_on
                """, company.id, NOW, sorted(taken)))
        return taken

    @api.autovacuum
    def _gc_old(self):
        """Forget turns of long ago: they say nothing about fairness any more."""
        self.env.execute_query(SQL(
            "DELETE FROM dunning_turn WHERE taken_on < NOW() AT TIME ZONE 'UTC' - INTERVAL '7 days' RETURNING id"))
