from datetime import date
from decimal import Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .dunning_claim import ZERO, ClaimRequest


class Remainder(NamedTuple):
    """Interest and costs of one due item that were claimed and are left over, while the item itself was paid in full.

    Amounts in euros. ``decision`` is the last ``dunning.waiver`` that keeps it, or an empty one.
    """

    item_id: int
    move_id: int
    partner_id: int
    paid_on: date
    interest: Decimal
    costs: Decimal
    decision_id: int | None

    @property
    def total(self):
        return self.interest + self.costs


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _get_remainders(self, company, at_date=None, *, partners=None, items=None):
        """Return the :class:`Remainder` of each paid item of a company, the debtor's oldest first.

        Paid means: nothing is open in the ledger (on ``at_date``), by money or set-off on or after the day the notice
        left. Whether to claim, waive or keep what is left is for a person to say. What was booked as an invoice of its
        own is not here: it is an open item like any other.

        :param date at_date: the day, today when not given
        :param partners: only of these debtors
        :param items: only of these due items
        """
        at_date = at_date or company._dunning_today()
        paid = self._read_paid(company, at_date, partners, items)
        if not paid:
            return []
        Item, Policy = self.env['account.move.line'], self.env['dunning.policy']
        paid_items = Item.browse(paid)
        paid_items.fetch(['partner_id', 'currency_id', 'move_id'])
        decisions = self.env['dunning.waiver'].search(
            [('item_id', 'in', paid_items.ids), ('kind', '=', 'keep'), ('revoked_on', '=', False)], order='date, id')
        kept = {decision.item_id.id: decision.id for decision in decisions}
        claims = self.with_company(company)._compute_batch([
            ClaimRequest((debtor.id, currency.id), debtor, batch, at_date, Policy)
            for (debtor, currency), batch in paid_items.grouped(
                lambda item: (item.partner_id.commercial_partner_id, item.currency_id)).items()])
        booked = self._read_extras(paid_items)
        found = [
            Remainder(
                entry.item_id, entry.move_id, claim.debtor_id, paid[entry.item_id], entry.interest, entry.costs,
                kept.get(entry.item_id))
            for claim in claims.values() for entry in claim.items
            if entry.open == 0 and entry.interest + entry.costs > 0 and entry.item_id not in booked]
        return sorted(found, key=lambda line: (line.partner_id, line.paid_on, line.item_id))

    @api.model
    def _get_unbooked(self, entry, extras):
        """Return (interest, costs) of an item that are not in the books as an invoice of their own."""
        if not extras:
            return entry.interest, entry.costs
        left_interest, left_costs = extras.interest - extras.settled_interest, extras.costs - extras.settled_costs
        return max(ZERO, entry.interest - left_interest), max(ZERO, entry.costs - left_costs)

    @api.model
    def _read_paid(self, company, at_date, partners=None, items=None):
        """Return ``{item id: day of the last payment}`` of items that were claimed with extras and have been paid."""
        self.env['account.move.line'].flush_model()
        self.env['account.partial.reconcile'].flush_model()
        self.env['dunning.notice.line'].flush_model()
        self.env['dunning.notice'].flush_model()
        scope = [SQL("item.company_id = %s", company.id)]
        if partners is not None:
            scope.append(SQL("notice.partner_id = ANY(%s)", list(partners.ids)))
        if items is not None:
            scope.append(SQL("item.id = ANY(%s)", list(items.ids)))
        return dict(self.env.execute_query(SQL(
            """
            SELECT item.id, settled.last_day
              FROM account_move_line item
              JOIN LATERAL (
                    SELECT SUM(partial.debit_amount_currency) AS amount, MAX(counterpart.date) AS last_day
                      FROM account_partial_reconcile partial
                      JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
                     WHERE partial.debit_move_id = item.id AND counterpart.date <= %(at_date)s
                   ) settled ON settled.amount = item.amount_currency
             WHERE item.amount_currency > 0 AND item.parent_state = 'posted'
               AND EXISTS (
                       SELECT FROM dunning_notice_line line
                         JOIN dunning_notice notice ON notice.id = line.notice_id
                        WHERE line.move_line_id = item.id AND line.status = 'sent' AND notice.date <= settled.last_day
                          AND (line.amount_interest > 0 OR line.amount_costs > 0
                               OR (line.amount_announced > 0 AND notice.costs_from <= settled.last_day))
                          AND %(scope)s)
            """,
            at_date=at_date, scope=SQL(" AND ").join(scope),
        )))
