"""The claim: what a debtor owes on a day, and why. Letters, statement, portal and booking all ask here."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ...tools.law.amounts import ZERO, to_decimal
from ...tools.law.claim import (
    CURRENCY,
    NOTHING,
    Agreements,
    Creditor,
    Debtor,
    DueItem,
    Ledger,
    Request,
    Told,
    Waiver,
)
from ...tools.law.collection_costs import AgreedScale
from ...tools.law.engine import Engine, get_first_claiming
from ...tools.law.letters import CONSUMER
from ...tools.law.paid_as_asked import Asked
from ...tools.law.statutory_interest import RateMissing
from ..ladder.dunning_level import MANUAL_CHANNELS

# Of costs, when the creditor cannot deduct it.
VAT_RATE = Decimal(21)
# Of due items and their moves: whoever asks for one of these first reads them all at once.
READ_OF_ITEMS = ('name', 'amount_currency', 'date_maturity', 'move_id', 'currency_id', 'date')
READ_OF_MOVES = ('name', 'move_type', 'invoice_date', 'date', 'dunning_notice_id', 'dunning_policy_id')


class ClaimRequest(NamedTuple):
    """What is asked about one debtor.

    :param key: how the caller knows it in the answer
    :param debtor: ``res.partner``, the commercial partner
    :param items: ``account.move.line`` records of that debtor, in one currency
    :param policy: ``dunning.policy`` whose agreements hold; empty: that of each invoice, else of the debtor
    :param with_interest, with_costs: what is claimed, or of which items (ids in a frozenset); of items of which some
        was booked before it is always claimed
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
    with_interest: bool | frozenset = True
    with_costs: bool | frozenset = True
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

    The arithmetic is in ``tools/law``. Here the ledger is read for it: records in, facts out, with a fixed number of
    queries. The parts book what was claimed and put it into words.
    """

    _name = 'dunning.claim'
    _inherit = ['dunning.claim.letters', 'dunning.claim.booking', 'dunning.claim.text', 'dunning.claim.specification']
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
        """Return ``{key: Claim}``, reading the ledger once for all of them.

        What is owed is the same for whoever asks, who may work for one branch only; that somebody may ask about these
        items was checked before.
        """
        ledger, requests = self.sudo()._read_ledger([  # sudo: as said
            request._replace(debtor=request.debtor.sudo(), items=request.items.sudo()) for request in requests])
        engine = Engine(ledger)
        try:
            return {request.key: engine.compute(request) for request in requests}
        except RateMissing as error:
            raise UserError(self.env._(
                "The statutory interest rate of %(day)s is not known. Add it under Configuration ‣ Statutory Interest.",
                day=format_date(self.env, error.day))) from error

    @api.model
    def _compute_items(self, items, at_date):
        """Return ``{item id: ClaimItem}`` of all that is owed on due items of any debtors and currencies."""
        items = items.sudo()  # sudo: as of :meth:`_compute_batch`
        claims = self._compute_batch([
            ClaimRequest((debtor.id, currency.id), debtor, batch, at_date, self.env['dunning.policy'])
            for (debtor, currency), batch in items.grouped(
                lambda item: (item.partner_id.commercial_partner_id, item.currency_id)).items()])
        return {entry.item_id: entry for claim in claims.values() for entry in claim.items}

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
            ('company_id', 'in', company._get_dunning_company_ids()), ('parent_state', '=', 'posted'),
            ('balance', '>', 0),
            ('partner_id', 'child_of', debtor.commercial_partner_id.id), ('date', '<=', at_date),
        ]) & (
            Domain('reconciled', '=', False) | Domain('matched_credit_ids.credit_move_id.date', '>', at_date))
        if due_only:
            domain &= self.env['account.move.line']._get_dunning_due_before_domain(at_date)
        items = self.env['account.move.line'].search(domain, order='date_maturity, id')._filter_dunning_owed()
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
        """Return the :class:`Remainder` of each paid item of a creditor, the debtor's oldest first.

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
        paid_items = self.env['account.move.line'].browse(paid)
        paid_items.fetch(['partner_id', 'currency_id', 'move_id'])
        decisions = self.env['dunning.waiver'].search(
            [('item_id', 'in', paid_items.ids), ('kind', '=', 'keep'), ('revoked_on', '=', False)], order='date, id')
        kept = {decision.item_id.id: decision.id for decision in decisions}
        entries = self.with_company(company)._compute_items(paid_items, at_date)
        booked = self._read_extras(paid_items)
        found = [
            Remainder(
                item.id, item.move_id.id, item.partner_id.commercial_partner_id.id, paid[item.id], entry.interest,
                entry.costs, kept.get(item.id))
            for item, entry in ((item, entries[item.id]) for item in paid_items)
            if entry.open == ZERO and entry.interest + entry.costs > ZERO and item.id not in booked]
        return sorted(found, key=lambda line: (line.partner_id, line.paid_on, line.item_id))

    # -------------------------------------------------------------------------
    # READING
    # -------------------------------------------------------------------------

    @api.model
    def _read_ledger(self, requests):
        """Return the ``Ledger`` and the ``Request`` of each of these ``ClaimRequest``.

        :raise UserError: for items of several currencies in one of them
        """
        items = self.env['account.move.line'].browse({item_id for request in requests for item_id in request.items.ids})
        self._fetch_items(items)
        known = set(items.ids)
        agreements = {}
        asked = [self._read_request(request, agreements) for request in requests]
        told, asked_before = self._read_told(items)
        consumers = {line.debtor.debtor_id for line in asked if line.debtor.type == CONSUMER}
        letters = self._read_correspondence(SQL("partner.id = ANY(%s)", list(consumers))) if consumers else {}
        # The other items of earlier 14-day letters count for the costs of those letters, and those of all letters for
        # whether they were paid as asked.
        items = items.browse({
            *items.ids,
            *(told.item_id for sent in letters.values() for letter in sent.letters for told in letter.items
              if told.item_id in sent.items),
            *(item_id for sent in asked_before.values() for letter in sent for item_id in letter.principals)})
        self._fetch_items(items.filtered(lambda item: item.id not in known))
        Rate, company = self.env['dunning.interest.rate'], self.env.company
        ledger = Ledger(
            creditor=self._read_creditor(company),
            items=self._read_items(items),
            told=told,
            letters=letters,
            settlements=self._read_settlements(items),
            booked=self._read_extras(items),
            waivers=self._read_waivers(items),
            claimed=self._read_claimed(told, items),
            rates={kind: Rate._get_table(kind) for kind in {line.debtor.rate_kind for line in asked}})
        return ledger._replace(paid=self._find_paid(asked_before, ledger)), asked

    @api.model
    def _fetch_items(self, items):
        items.fetch(READ_OF_ITEMS)
        items.move_id.fetch(READ_OF_MOVES)

    @api.model
    def _read_creditor(self, company):
        """Return the ``Creditor`` that a company is."""
        return Creditor(
            company.id, company.currency_id.name, company.dunning_postal_days,
            VAT_RATE if company.dunning_vat_on_costs else None, company.dunning_term_agreed_consumer,
            company.dunning_term_agreed_business, company.dunning_shortest_term, company._get_dunning_country())

    @api.model
    def _read_debtor(self, debtor):
        """Return the ``Debtor`` that a contact is to the company of the environment."""
        company = self.env.company
        return Debtor(
            debtor.id, debtor.dunning_effective_type, debtor.dunning_term_agreed or '',
            debtor.dunning_waive_interest, debtor.dunning_waive_costs, debtor.dunning_waive_reason or '',
            company._get_dunning_country_code(debtor.country_id.id))

    @api.model
    def _read_items(self, items):
        """Return ``{item id: DueItem}``."""
        bookings = self._filter_bookings(items.move_id)
        due_dates = [item._get_dunning_due_date() for item in items]
        # sudo: what is owed is the same for whoever asks
        insolvencies = self.env['dunning.hold'].sudo().browse(self.env['dunning.hold']._get_insolvency_ids())
        ends = insolvencies._get_last_interest_days(items) if insolvencies else {}
        return {
            item.id: DueItem(
                item.id, item.move_id.id, number, to_decimal(item.amount_currency), due_date,
                day or item.move_id.date, item.move_id in bookings, ends.get(item.id))
            for (item, (number, day)), due_date in zip(
                items._get_dunning_identities().items(), due_dates, strict=True)}

    @api.model
    def _read_request(self, request, agreements):
        """Return the ``Request`` of a ``ClaimRequest``.

        :param dict agreements: those of policies found so far
        """
        company = self.env.company
        debtor = request.debtor.with_company(company)
        currencies = request.items.currency_id
        if len(currencies) > 1:
            raise UserError(self.env._("A claim is worked out in one currency at a time."))
        by_item = {}
        for item in request.items:
            policy = request.policy or item.move_id.dunning_policy_id or debtor.dunning_effective_policy_id
            if policy.id not in agreements:
                agreements[policy.id] = self._read_agreements(policy)
            by_item[item.id] = agreements[policy.id]
        return Request(
            request.key,
            self._read_debtor(debtor),
            tuple(request.items.ids), by_item, request.at_date, (currencies or company.currency_id).name,
            request.with_interest, request.with_costs, request.announce, request.reductions, request.held,
            request.notice_id and ('dunning.notice', request.notice_id))

    @api.model
    def _read_agreements(self, policy):
        """Return the ``Agreements`` of a policy; of none those of the law."""
        if not policy:
            return Agreements()
        formula = policy.cost_formula or 'scale'
        return Agreements(
            policy.id, to_decimal(policy.agreed_interest_percent, 3), formula,
            AgreedScale(to_decimal(policy.agreed_cost_percent, 3), to_decimal(policy.agreed_cost_minimum))
            if formula == 'agreed' else None,
            policy.day_count)

    @api.model
    def _read_told(self, items):
        """Return what was told about the items, and what the letters asked that were about some of them.

        What was told counts while it is about what the item is. What a letter asked can be paid as it was asked,
        whatever became of the item since.

        :return: ``{item id: [Told]}``, the oldest first, and ``{debtor id: [Asked]}``
        """
        told, letters, asked, wanted = defaultdict(list), defaultdict(list), defaultdict(list), set(items.ids)
        for item_id, model, source_id, deadline, stands, *row in self.env.execute_query(SQL(
            "SELECT item_id, model, ABS(source_id), deadline, stands, partner_id, sent_on, name, agreed,"
            "       interest, costs, principal"
            "  FROM (%s) told ORDER BY sent_on, agreed, source_id, line_id",
            SQL(" UNION ALL ").join(self._get_told_sql(items)),
        )) if items else ():
            line = Told(item_id, (model, source_id), *row[:4], *map(to_decimal, row[4:]))
            if stands and item_id in wanted:
                told[item_id].append(line)
            if deadline and self.env.company.currency_id.name == CURRENCY:
                letters[line.source, deadline].append(line)
        for (_source, deadline), lines in letters.items():
            asked[lines[0].debtor_id].append(Asked(
                lines[0].name, lines[0].sent_on, deadline, {line.item_id: line.principal for line in lines},
                sum((line.interest + line.costs for line in lines), ZERO)))
        return told, asked

    @api.model
    def _get_told_sql(self, items):
        """Return a list of SQL of what was told about the items, and by the same letters about others.

        Columns as in :meth:`_read_told`; ``deadline`` is that of a letter which can be paid as it asked. On one day
        lines come in the order of ``source_id``, which may be negative.
        """
        Line = self.env['dunning.notice.line']
        return [SQL(
            """
            SELECT item_id, 'dunning.notice' AS model, notice_id AS source_id, partner_id, sent_on, name,
                   CASE WHEN channel <> ALL(%s) THEN deadline END AS deadline,
                   FALSE AS agreed, interest, costs, principal, line_id, stands
              FROM (%s) told
            """,
            list(MANUAL_CHANNELS), Line._get_told_sql(SQL(
                "notice.company_id IN %s AND notice.id IN ("
                "    SELECT asked.notice_id FROM (%s) asked WHERE asked.item_id = ANY(%s))",
                self.env.company._get_dunning_company_ids(), Line._get_asked_sql(), list(items.ids)), outdated=True))]

    @api.model
    def _read_waivers(self, items):
        """Return ``{item id: [Waiver]}``: interest and costs that a person waived, or said to have been received."""
        found = defaultdict(list)
        if items:
            self.env['dunning.waiver'].flush_model()
            for item_id, *row in self.env.execute_query(SQL(
                """
                SELECT item_id, date, amount_interest, amount_costs, reason,
                       CASE kind WHEN 'received' THEN kind ELSE 'waived' END
                  FROM dunning_waiver
                 WHERE kind <> 'keep' AND revoked_on IS NULL AND item_id = ANY(%s)
              ORDER BY date, id
                """, list(items.ids),
            )):
                found[item_id].append(Waiver(row[0], to_decimal(row[1]), to_decimal(row[2]), row[3] or '', row[4]))
        return found

    @api.model
    def _read_claimed(self, told, items):
        """Return ``{source: claim_data}`` of what was the first to claim costs of items."""
        by_model = defaultdict(set)
        for item_id in items.ids:
            first = get_first_claiming(told.get(item_id, ()))
            if first:
                model, source_id = first.source
                by_model[model].add(source_id)
        claimed = {}
        for model, ids in by_model.items():
            # sudo: the claim is worked out for whoever may ask for it
            sources = self.env[model].sudo().browse(ids)
            sources.fetch(['claim_data'])
            claimed |= {(model, source.id): source.claim_data or {} for source in sources}
        return claimed

    @api.model
    def _read_paid(self, company, at_date, partners=None, items=None):
        """Return ``{item id: day of the last payment}`` of items that were claimed with extras and have been paid."""
        extras = SQL("(line.amount_interest > 0 OR line.amount_costs > 0 OR line.amount_announced > 0)")
        if partners is not None:
            extras = SQL("%s AND notice.partner_id = ANY(%s)", extras, list(partners.ids))
        if items is not None:
            extras = SQL("%s AND line.move_line_id = ANY(%s)", extras, list(items.ids))
        Item = self.env['account.move.line']
        return dict(self.env.execute_query(SQL(
            """
            WITH told AS (%(told)s),
            paid AS (
                SELECT item_id, MAX(date) AS last_day
                  FROM (%(settled)s) settled
                 WHERE date <= %(at_date)s
              GROUP BY item_id, item_amount
                HAVING SUM(amount) = item_amount)
            SELECT item_id, last_day
              FROM paid
             WHERE EXISTS (
                       SELECT FROM told
                        WHERE told.item_id = paid.item_id AND told.sent_on <= paid.last_day
                          AND (told.interest > 0 OR told.costs > 0
                               OR (told.announced > 0 AND told.costs_from <= paid.last_day)))
            """,
            at_date=at_date,
            told=self.env['dunning.notice.line']._get_told_sql(
                SQL("notice.company_id IN %s AND %s", company._get_dunning_company_ids(), extras)),
            settled=Item._get_dunning_settlements_sql(SQL(
                "item.id IN (SELECT item_id FROM told) AND item.amount_currency > 0 AND item.parent_state = 'posted'"
                " AND item.company_id IN %s", company._get_dunning_company_ids())),
            to_flush=[Item._fields['parent_state'], Item._fields['company_id']],
        )))
