
from odoo import fields, models
from odoo.tools import SQL

from .dunning_interest_rate import KINDS


class DunningInterestRateHistory(models.Model):
    """The rates quarter by quarter, for the graph: a rate counts until the next one, not only on its first day."""

    _name = 'dunning.interest.rate.history'
    _description = "Statutory Interest through Time"
    _auto = False
    _order = 'date, kind'

    kind = fields.Selection(selection=KINDS, readonly=True)
    date = fields.Date(string="Quarter", readonly=True)
    percent = fields.Float(string="% per Year", digits=(6, 3), aggregator='avg', readonly=True)

    @property
    def _table_query(self):
        today = self.env.company._dunning_today()
        return SQL("""
            SELECT (row_number() OVER (ORDER BY quarter.day, wanted.kind))::integer AS id,
                   wanted.kind, quarter.day::date AS date, rate.percent
              FROM generate_series(
                       (SELECT min(date_from) FROM dunning_interest_rate WHERE active), %s::date, interval '3 months'
                   ) AS quarter(day)
        CROSS JOIN (VALUES ('consumer'), ('commercial')) AS wanted(kind)
CROSS JOIN LATERAL (
                    SELECT percent
                      FROM dunning_interest_rate
                     WHERE active AND kind = wanted.kind AND date_from <= quarter.day
                  ORDER BY date_from DESC
                     LIMIT 1
                   ) AS rate
        """, today)
