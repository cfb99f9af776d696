"""In the books: interest and collection costs that were claimed, as invoices of their own.

Damages for paying late bear no VAT, and are kept apart from the invoices they belong
to: those are never touched. What was booked is counted per due item, so that a later
notice only books what came on top.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from .dunning_claim import ZERO, share, to_decimal


class Extras:
    """What was booked for one due item, and what was paid or credited of that (euros)."""

    __slots__ = ('costs', 'interest', 'settled_costs', 'settled_interest', 'settlements')

    def __init__(self):
        self.interest = self.costs = self.settled_interest = self.settled_costs = ZERO
        self.settlements = []  # (date, amount, is money)

    def settle(self, day, amount, is_money):
        """Take an amount off: costs first (article 6:44 BW)."""
        of_costs = min(amount, self.costs - self.settled_costs)
        self.settled_costs += of_costs
        self.settled_interest += amount - of_costs
        self.settlements.append((day, amount, is_money))

    def left(self, interest, costs, at_date):
        """Return (interest, costs) that is left to ask on a day, given all there was to ask."""
        settled = sum((amount for day, amount, _money in self.settlements if day <= at_date), ZERO)
        of_costs = min(settled, costs)
        return max(ZERO, interest - (settled - of_costs)), costs - of_costs


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _get_booked_sql(self):
        # EXTENDS
        self.env['dunning.notice.line'].flush_model(['move_line_id', 'booked_interest', 'booked_costs'])
        return [*super()._get_booked_sql(), SQL(
            "EXISTS (SELECT FROM dunning_notice_line told WHERE told.move_line_id = asked.move_line_id"
            " AND COALESCE(told.booked_interest, 0) + COALESCE(told.booked_costs, 0) > 0)")]

    @api.model
    def _read_extras(self, items):
        """Return ``{item id: Extras}`` of what sent notices booked for these items.

        A payment or credit note on the booking of a notice is shared over its items in
        proportion to what was booked for each.
        """
        if not items:
            return {}
        Line = self.env['dunning.notice.line']
        Line.flush_model(['move_line_id', 'booked_interest', 'booked_costs', 'notice_id'])
        self.env['account.move'].flush_model(['dunning_notice_id', 'state', 'move_type'])
        booked = self.env.execute_query(SQL(
            """
            SELECT line.notice_id, line.move_line_id, line.booked_interest, line.booked_costs
              FROM dunning_notice_line line
             WHERE COALESCE(line.booked_interest, 0) + COALESCE(line.booked_costs, 0) > 0
               AND line.notice_id IN (
                       SELECT asked.notice_id FROM dunning_notice_line asked
                         JOIN account_move booking ON booking.dunning_notice_id = asked.notice_id
                                                  AND booking.state = 'posted' AND booking.move_type = 'out_invoice'
                        WHERE asked.move_line_id = ANY(%s))
          ORDER BY line.notice_id, line.id
            """, list(items.ids)))
        if not booked:
            return {}
        notices = {row[0] for row in booked}
        settlements = defaultdict(list)
        for notice_id, day, amount, is_money in self._read_booking_settlements(notices):
            settlements[notice_id].append((day, to_decimal(amount), is_money))
        wanted, result = set(items.ids), defaultdict(Extras)
        by_notice = defaultdict(list)
        for notice_id, item_id, interest, costs in booked:
            by_notice[notice_id].append((item_id, to_decimal(interest), to_decimal(costs)))
        for notice_id, rows in by_notice.items():
            weights = [interest + costs for _item_id, interest, costs in rows]
            parts = [
                (day, is_money, share(amount, weights)) for day, amount, is_money in settlements[notice_id]]
            for index, (item_id, interest, costs) in enumerate(rows):
                if item_id not in wanted:
                    continue
                extras = result[item_id]
                extras.interest += interest
                extras.costs += costs
                for day, is_money, amounts in parts:
                    extras.settle(day, amounts[index], is_money)
        return dict(result)

    @api.model
    def _read_booking_settlements(self, notice_ids):
        """Return rows (notice, day, amount, is money) of what settled the bookings of these notices."""
        return self.env.execute_query(SQL(
            """
            SELECT booking.dunning_notice_id, counterpart.date, partial.debit_amount_currency,
                   journal.type = ANY(%s)
              FROM account_move booking
              JOIN account_move_line item ON item.move_id = booking.id
              JOIN account_partial_reconcile partial ON partial.debit_move_id = item.id
              JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = counterpart.journal_id
             WHERE booking.dunning_notice_id = ANY(%s) AND booking.move_type = 'out_invoice'
               AND booking.state = 'posted'
          ORDER BY counterpart.date, partial.id
            """, ['bank', 'cash', 'credit'], list(notice_ids)))
