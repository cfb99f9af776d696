from dataclasses import replace

from odoo import api, models
from odoo.tools import SQL

from ..claim.dunning_claim import ONE_DAY, _Told, share, to_decimal
from ..claim.dunning_claim__booking import Extras


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _replace_bookings(self, items, *, whole=False):
        # EXTENDS
        items = super()._replace_bookings(items, whole=whole)
        for booking in items.filtered('move_id.dunning_arrangement_id'):
            booked = booking.move_id.dunning_arrangement_id.line_ids.filtered(
                lambda line: not line.is_booking).move_line_id
            if booked & items:
                items -= booking
                if whole:
                    items |= booked
        return items

    @api.model
    def _read_history(self, debtors, items):
        """EXTENDS: what both sides signed was claimed, and costs that were agreed stay what they are."""
        history = super()._read_history(debtors, items)
        self.env['dunning.arrangement'].flush_model()
        self.env['dunning.arrangement.line'].flush_model()
        changed = set()
        for row in self.env.execute_query(SQL(
            """
            SELECT line.move_line_id, -arrangement.id, arrangement.partner_id, arrangement.claim_date, NULL, NULL,
                   NULL, arrangement.name, arrangement.signed_date, NULL, line.amount_interest, line.amount_costs, 0,
                   line.amount_principal
              FROM dunning_arrangement_line line
              JOIN dunning_arrangement arrangement ON arrangement.id = line.arrangement_id
             WHERE line.move_line_id = ANY(%s) AND line.is_booking IS NOT TRUE
               AND arrangement.activated_on IS NOT NULL AND arrangement.signed_date IS NOT NULL
               AND arrangement.company_id = %s
            """, list(items.ids), self.env.company.id)):
            told = _Told(*row[:10], *(to_decimal(amount) for amount in row[10:]))
            history.told[told.item_id].append(told)
            changed.add(told.item_id)
        for item_id in changed:
            history.told[item_id].sort(key=lambda told: (told.sent_on, told.notice_id < 0, told.notice_id))
        return history

    @api.model
    def _get_claimed_costs(self, request, item, first, facts, frozen):
        """EXTENDS: costs that both sides agreed on do not change by what is paid on the day itself or later."""
        if first.notice_id > 0:
            return super()._get_claimed_costs(request, item, first, facts, frozen)
        before = first._replace(sent_on=first.sent_on - ONE_DAY)
        costs = super()._get_claimed_costs(request, item, before, facts, frozen)
        costs.basis['claimed_on'] = first.sent_on  # in place: items of one computation share it
        return replace(costs, since=first.sent_on)

    @api.model
    def _read_claimed(self, history, items):
        # EXTENDS: the computation that an arrangement froze.
        claimed = super()._read_claimed(history, items)
        first = [-key for key in self._get_first_claiming(history, items) if key < 0]
        # sudo: the claim is worked out for whoever may ask for it
        for arrangement in self.env['dunning.arrangement'].sudo().browse(first):
            claimed[-arrangement.id] = arrangement.claim_data or {}
        return claimed

    @api.model
    def _get_booked_sql(self):
        # EXTENDS
        self.env['dunning.arrangement.line'].flush_model(['move_line_id', 'booked_interest', 'booked_costs'])
        return [*super()._get_booked_sql(), SQL(
            "EXISTS (SELECT FROM dunning_arrangement_line agreed WHERE agreed.move_line_id = asked.move_line_id"
            " AND COALESCE(agreed.booked_interest, 0) + COALESCE(agreed.booked_costs, 0) > 0)")]

    @api.model
    def _read_extras(self, items):
        # EXTENDS: what arrangements booked; what is paid there is shared as it was booked.
        result = super()._read_extras(items)
        if not items:
            return result
        self.env['dunning.arrangement.line'].flush_model()
        self.env['account.move'].flush_model(['dunning_arrangement_id', 'state', 'move_type'])
        booked = self.env.execute_query(SQL(
            """
            SELECT line.arrangement_id, line.move_line_id, line.booked_interest, line.booked_costs
              FROM dunning_arrangement_line line
             WHERE COALESCE(line.booked_interest, 0) + COALESCE(line.booked_costs, 0) > 0
               AND line.arrangement_id IN (
                       SELECT asked.arrangement_id
                         FROM dunning_arrangement_line asked
                         JOIN account_move booking ON booking.dunning_arrangement_id = asked.arrangement_id
                                                  AND booking.state = 'posted' AND booking.move_type = 'out_invoice'
                        WHERE asked.move_line_id = ANY(%s))
          ORDER BY line.arrangement_id, line.id
            """, list(items.ids)))
        if not booked:
            return result
        settlements = {}
        for arrangement_id, day, amount, is_money in self.env.execute_query(SQL(
            """
            SELECT booking.dunning_arrangement_id, counterpart.date, partial.debit_amount_currency,
                   journal.type = ANY(%s)
              FROM account_move booking
              JOIN account_move_line item ON item.move_id = booking.id
              JOIN account_partial_reconcile partial ON partial.debit_move_id = item.id
              JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = counterpart.journal_id
             WHERE booking.dunning_arrangement_id = ANY(%s) AND booking.move_type = 'out_invoice'
               AND booking.state = 'posted'
          ORDER BY counterpart.date, partial.id
            """, ['bank', 'cash', 'credit'], list({row[0] for row in booked}))):
            settlements.setdefault(arrangement_id, []).append((day, to_decimal(amount), is_money))
        wanted, by_arrangement = set(items.ids), {}
        for arrangement_id, item_id, interest, costs in booked:
            by_arrangement.setdefault(arrangement_id, []).append((item_id, to_decimal(interest), to_decimal(costs)))
        for arrangement_id, rows in by_arrangement.items():
            weights = [interest + costs for _item_id, interest, costs in rows]
            parts = [
                (day, is_money, share(amount, weights))
                for day, amount, is_money in settlements.get(arrangement_id, ())]
            for index, (item_id, interest, costs) in enumerate(rows):
                if item_id not in wanted:
                    continue
                extras = result.setdefault(item_id, Extras())
                extras.interest += interest
                extras.costs += costs
                for day, is_money, amounts in parts:
                    extras.settle(day, amounts[index], is_money)
        return result
