"""The claim: what a debtor owes on a day, and why. Letters, statement, portal and booking all ask here."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ...tools.law.amounts import ZERO, to_decimal
from ...tools.law.claim import NOTHING
from ...tools.law.engine import Engine
from ...tools.law.statutory_interest import RateMissing


class ClaimRequest(NamedTuple):
    """What is asked about one debtor.

    :param key: how the caller knows it in the answer
    :param debtor: ``res.partner``, the commercial partner
    :param items: ``account.move.line`` records of that debtor, in one currency
    :param policy: ``dunning.policy`` whose agreements hold; empty: that of each invoice, else of the debtor
    :param with_interest, with_costs: what is claimed; of items of which some was booked before it is always claimed
    :param announce: also work out what a 14-day letter about the items announces
    :param reductions: ``{item id: amount}`` that is not claimed: open credits, parts on hold
    :param held: ids of items that are wholly on hold: neither they nor what came on top of them is claimed now
    :param notice_id: the notice it is for: what that notice itself told does not count as told before
    """

    key: object
    debtor: models.BaseModel
    items: models.BaseModel
    at_date: date
    policy: models.BaseModel
    with_interest: bool = True
    with_costs: bool = True
    announce: bool = False
    reductions: Mapping = NOTHING
    held: frozenset = frozenset()
    notice_id: int | None = None


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
    """Principal, interest and collection costs of due items of one debtor on any day.

    The arithmetic is in ``tools/law``. Here is what is asked; the parts read the ledger, book what was claimed and
    put it into words.
    """

    _name = 'dunning.claim'
    _inherit = ['dunning.claim.reader', 'dunning.claim.booking', 'dunning.claim.text', 'dunning.claim.specification']
    _description = "Dunning Claim"

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _compute(self, items, at_date, *, policy=None, with_interest=True, with_costs=True, reductions=NOTHING,
                 held=frozenset()):
        """Return the :class:`Claim` of due items of one debtor in the current company on a day.

        :param items: ``account.move.line`` records of one debtor in one currency
        :param date at_date: last day that counts, for interest as for payments; may lie in the past
        :param policy: see :class:`ClaimRequest`, as for the other parameters
        :raise UserError: for items of several debtors or currencies, or when an interest rate is missing
        """
        debtor = items.partner_id.commercial_partner_id
        if len(debtor) != 1:
            raise UserError(self.env._("A claim is worked out for one debtor at a time."))
        request = ClaimRequest(
            debtor.id, debtor, items, at_date, policy or self.env['dunning.policy'], with_interest, with_costs,
            reductions=reductions, held=held)
        return self._compute_batch([request])[debtor.id]

    @api.model
    def _compute_for_notices(self, notices, at_date):
        """Return ``{notice id: Claim}`` of what notices of the current company ask by their levels."""
        requests = []
        for notice in notices:
            level, lines = notice.level_id, notice.live_line_ids
            requests.append(ClaimRequest(
                notice.id, notice.partner_id, lines.move_line_id, at_date, notice.policy_id,
                level.with_interest, level.with_costs, level.legal_role == 'fourteen_day',
                {line.move_line_id.id: to_decimal(line.amount_netted + line.amount_held) for line in lines},
                notice_id=notice.id))
        return self._compute_batch(requests)

    @api.model
    def _compute_batch(self, requests):
        """Return ``{key: Claim}``, reading the ledger once for all of them."""
        ledger, requests = self._read_ledger(requests)
        engine = Engine(ledger)
        try:
            return {request.key: engine.compute(request) for request in requests}
        except RateMissing as error:
            raise UserError(self.env._(
                "The statutory interest rate of %(day)s is not known. Add it under Configuration ‣ Statutory Interest.",
                day=format_date(self.env, error.day))) from error

    # -------------------------------------------------------------------------
    # ALL OF A DEBTOR
    # -------------------------------------------------------------------------

    @api.model
    def _get_claim_items(self, debtor, at_date, *, due_only=True):
        """Return the due items of a debtor that were owed on a day in the current company.

        What was open then, by the dates of what was set against it; and paid items of which claimed interest or costs
        were left over.

        :param bool due_only: only those whose term of payment had passed
        """
        company = self.env.company
        domain = self.env['account.move.line']._get_dunning_due_domain() & Domain([
            ('company_id', '=', company.id), ('parent_state', '=', 'posted'), ('balance', '>', 0),
            ('partner_id', 'child_of', debtor.commercial_partner_id.id), ('date', '<=', at_date),
        ]) & (
            Domain('reconciled', '=', False) | Domain('matched_credit_ids.credit_move_id.date', '>', at_date))
        if due_only:
            domain &= Domain('date_maturity', '<', at_date) | Domain('date_maturity', '=', False)
        items = self.env['account.move.line'].search(domain, order='date_maturity, id')
        left_over = [
            line.item_id for line in self._get_remainders(company, at_date, partners=debtor.commercial_partner_id)]
        return self._replace_bookings(items | items.browse(left_over), whole=True)

    @api.model
    def _compute_debtor(self, debtor, at_date, items=None, *, reduce=True, **kwargs):
        """Return a list of :class:`Claim` on a debtor on a day, one for each currency; a debt in euros comes first.

        :param items: only these due items
        :param bool reduce: take off open credits and parts on hold, as letters do; they are known for today only, so
            that a claim of the past is without
        """
        items = self._get_claim_items(debtor, at_date) if items is None else self._replace_bookings(items)
        reductions, held = NOTHING, frozenset()
        if items and reduce and at_date >= self.env.company._dunning_today():
            reductions, held = self._read_reductions(items, at_date)
        by_currency = items.grouped('currency_id')
        order = sorted(by_currency, key=lambda currency: (currency.name != 'EUR', currency.name))
        return [
            self._compute(by_currency[currency], at_date, reductions=reductions, held=held, **kwargs)
            for currency in order]

    @api.model
    def _read_reductions(self, items, at_date):
        """Return what is not claimed today: ``reductions`` and ``held`` of a :class:`ClaimRequest`."""
        return NOTHING, frozenset()

    # -------------------------------------------------------------------------
    # LEFT AFTER PAYMENT
    # -------------------------------------------------------------------------

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
            if entry.open == ZERO and entry.interest + entry.costs > ZERO and entry.item_id not in booked]
        return sorted(found, key=lambda line: (line.partner_id, line.paid_on, line.item_id))
