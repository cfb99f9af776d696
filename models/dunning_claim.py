"""The claim: what a debtor owes on a day, and why. Letters, statement, portal and booking all ask here."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, float_repr, format_date

from ..tools import claim_account, collection_costs, dutch_calendar, statutory_interest

ZERO = Decimal(0)
CENT = Decimal('0.01')
ONE_DAY = timedelta(days=1)
# Other currencies have no statutory amounts, and the law's rates are for debts in euros.
CURRENCY = 'EUR'
# Journals whose entries are money that came in; what else settles an item (credit note, write-off) was never owed.
MONEY_JOURNALS = ('bank', 'cash', 'credit')


def to_decimal(amount, digits=2):
    """Return a float of the ledger as an exact amount."""
    return Decimal(float_repr(amount or 0.0, digits))


def share(total, weights):
    """Divide ``total`` (cents) over ``weights`` in proportion, to the cent, by the largest remainder."""
    whole = sum(weights)
    if not whole:
        return [ZERO for _weight in weights]
    exact = [total * weight / whole for weight in weights]
    parts = [amount.quantize(CENT, rounding='ROUND_DOWN') for amount in exact]
    missing = int(((total - sum(parts)) / CENT).to_integral_value(ROUND_HALF_UP))
    order = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in order[:missing]:
        parts[index] += CENT
    return parts


class ClaimRequest(NamedTuple):
    """What is asked about one debtor.

    :param key: how the caller knows it in the answer
    :param debtor: ``res.partner``, the commercial partner
    :param items: ``account.move.line`` records of that debtor, in one currency
    :param policy: ``dunning.policy`` whose agreements hold, possibly empty
    :param with_interest, with_costs: what is claimed
    :param announce: also work out what a 14-day letter about the items announces
    :param reductions: ``{item id: amount}`` that is not claimed: open credits, parts on hold
    """

    key: object
    debtor: models.BaseModel
    items: models.BaseModel
    at_date: date
    policy: models.BaseModel
    with_interest: bool = True
    with_costs: bool = True
    announce: bool = False
    reductions: dict = {}  # noqa: RUF012 - never changed


@dataclass(frozen=True)
class ClaimCosts:
    """Collection costs that fall on one item, and why (``why`` is a code; see ``dunning.claim._explain_costs``)."""

    amount: Decimal = ZERO
    why: str = 'none'
    notice_id: int | None = None
    principal: Decimal = ZERO  # what all items together were, on which the scale was applied
    total: Decimal = ZERO  # costs of all items together
    since: date | None = None


@dataclass(frozen=True)
class ClaimItem:
    """One due item in a claim. Amounts in euros, to the cent."""

    item_id: int
    move_id: int
    name: str
    due_date: date
    original: Decimal
    open: Decimal  # in the ledger on the day
    reduction: Decimal  # of which not claimed: credits, parts on hold
    interest_from: date | None = None
    interest_why: str = ''
    interest: Decimal = ZERO
    costs: Decimal = ZERO
    announced: Decimal = ZERO
    costs_detail: ClaimCosts = field(default_factory=ClaimCosts)
    account: claim_account.AccountStatement | None = None

    @property
    def principal(self):
        """What is asked of the invoice itself."""
        return self.open - self.reduction

    @property
    def total(self):
        return self.principal + self.interest + self.costs


@dataclass(frozen=True)
class Claim:
    """What one debtor owes on ``at_date`` for some due items."""

    key: object
    debtor_id: int
    company_id: int
    at_date: date
    debtor_type: str
    items: tuple = ()
    rate_kind: str = ''
    agreed_percent: Decimal = ZERO
    day_count: str = 'act/365'
    waived_interest: bool = False
    waived_costs: bool = False
    waive_reason: str = ''

    @property
    def principal(self):
        return sum((item.principal for item in self.items), ZERO)

    @property
    def interest(self):
        return sum((item.interest for item in self.items), ZERO)

    @property
    def costs(self):
        return sum((item.costs for item in self.items), ZERO)

    @property
    def announced(self):
        return sum((item.announced for item in self.items), ZERO)

    @property
    def total(self):
        return self.principal + self.interest + self.costs

    @property
    def per_day(self):
        """Interest that each further day adds at the rate of ``at_date``; not rounded."""
        return sum((item.account.per_day for item in self.items if item.account), ZERO)

    def to_json(self):
        """Return the claim as it is frozen on a notice: text only, so that it reads the same in ten years."""
        return {
            'at_date': self.at_date.isoformat(),
            'debtor_type': self.debtor_type,
            'rate_kind': self.rate_kind,
            'day_count': self.day_count,
            'agreed_percent': str(self.agreed_percent),
            'waived_interest': self.waived_interest,
            'waived_costs': self.waived_costs,
            'waive_reason': self.waive_reason,
            'principal': str(self.principal),
            'interest': str(self.interest),
            'costs': str(self.costs),
            'announced': str(self.announced),
            'total': str(self.total),
            'per_day': str(self.per_day.quantize(Decimal('0.0001'), ROUND_HALF_UP)),
            'items': [
                {
                    'item_id': item.item_id,
                    'name': item.name,
                    'due_date': item.due_date.isoformat(),
                    'original': str(item.original),
                    'open': str(item.open),
                    'reduction': str(item.reduction),
                    'interest_from': item.interest_from and item.interest_from.isoformat(),
                    'interest_why': item.interest_why,
                    'interest': str(item.interest),
                    'costs': str(item.costs),
                    'announced': str(item.announced),
                    'costs_why': item.costs_detail.why,
                    'costs_principal': str(item.costs_detail.principal),
                    'costs_total': str(item.costs_detail.total),
                    'segments': [
                        [segment.first_day.isoformat(), segment.last_day.isoformat(), segment.days,
                         str(segment.rate), str(segment.principal), str(segment.amount)]
                        for segment in (item.account.segments if item.account else ())
                    ],
                }
                for item in self.items
            ],
        }


class DunningClaim(models.AbstractModel):
    """Principal, interest and collection costs of due items of one debtor on any day.

    The total is what is open in the ledger plus interest plus costs. Payments are
    imputed in the legal order (article 6:44 BW) in the claim's own account; entries
    in the books are never touched by it.
    """

    _name = 'dunning.claim'
    _description = "Dunning Claim"

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _compute(self, items, at_date, *, policy=None, with_interest=True, with_costs=True, reductions=None):
        """Return the :class:`Claim` of due items of one debtor in the current company on a day."""
        debtor = items.partner_id.commercial_partner_id
        debtor.ensure_one()
        policy = policy or debtor.with_company(self.env.company).dunning_effective_policy_id
        request = ClaimRequest(
            debtor.id, debtor, items, at_date, policy, with_interest, with_costs, reductions=reductions or {})
        return self._compute_batch([request])[debtor.id]

    @api.model
    def _compute_for_notices(self, notices, at_date):
        """Return ``{notice id: Claim}`` of what notices of the current company ask by their levels."""
        requests = []
        for notice in notices:
            level = notice.level_id
            requests.append(ClaimRequest(
                notice.id, notice.partner_id, notice.live_line_ids.move_line_id, at_date, notice.policy_id,
                level.with_interest, level.with_costs, level.legal_role == 'fourteen_day',
                {line.move_line_id.id: to_decimal(line.amount_netted + line.amount_held)
                 for line in notice.live_line_ids}))
        return self._compute_batch(requests)

    @api.model
    def _compute_batch(self, requests):
        """Return ``{key: Claim}``, reading the ledger once for all of them."""
        debtors = self.env['res.partner'].browse({request.debtor.id for request in requests})
        items = self.env['account.move.line'].browse({item_id for request in requests for item_id in request.items.ids})
        history = self._read_history(debtors, items)
        # The other items of earlier 14-day letters count for the costs of those letters.
        others = {line.item_id for lines in history.letters.values() for line in lines}
        items = items.browse({*items.ids, *others})
        items.fetch(['amount_currency', 'date_maturity', 'move_id', 'currency_id', 'date'])
        items.move_id.fetch(['name', 'invoice_date', 'date'])
        facts = _Facts(
            history, self._read_settlements(items), {item.id: item.date_maturity or item.date for item in items})
        return {request.key: self._compute_one(request, facts) for request in requests}

    # -------------------------------------------------------------------------
    # READING
    # -------------------------------------------------------------------------

    @api.model
    def _read_settlements(self, items):
        """Return ``{item id: [(date, amount, is money)]}``: what was set against items, in their currency."""
        found = defaultdict(list)
        if items:
            self.env['account.partial.reconcile'].flush_model()
            self.env['account.move.line'].flush_model(['date', 'journal_id'])
            for item_id, day, amount, is_money in self.env.execute_query(SQL(
                """
                SELECT partial.debit_move_id, counterpart.date, partial.debit_amount_currency,
                       journal.type = ANY(%s)
                  FROM account_partial_reconcile partial
                  JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = counterpart.journal_id
                 WHERE partial.debit_move_id = ANY(%s)
              ORDER BY partial.debit_move_id, counterpart.date, partial.id
                """, list(MONEY_JOURNALS), list(items.ids),
            )):
                found[item_id].append((day, to_decimal(amount), is_money))
        return found

    @api.model
    def _read_history(self, debtors, items):
        """Return what was told about the items, and the 14-day letters of the debtors, the oldest first."""
        Line = self.env['dunning.notice.line']
        Line.flush_model()
        self.env['dunning.notice'].flush_model()
        told, letters = defaultdict(list), defaultdict(list)
        for row in self.env.execute_query(SQL(
            """
            SELECT line.move_line_id, line.notice_id, notice.partner_id, notice.date, notice.deadline,
                   notice.legal_role, notice.costs_from, line.amount_interest, line.amount_costs
              FROM dunning_notice_line line
              JOIN dunning_notice notice ON notice.id = line.notice_id
             WHERE line.status = 'sent' AND line.move_line_id IS NOT NULL AND notice.company_id = %s
               AND (line.move_line_id = ANY(%s)
                    OR (notice.partner_id = ANY(%s) AND notice.legal_role = 'fourteen_day'))
          ORDER BY notice.date, notice.id, line.id
            """, self.env.company.id, list(items.ids), list(debtors.ids),
        )):
            line = _Told(*row[:7], to_decimal(row[7]), to_decimal(row[8]))
            told[line.item_id].append(line)
            if line.legal_role == 'fourteen_day':
                letters[line.debtor_id].append(line)
        return _History(told, letters)

    # -------------------------------------------------------------------------
    # ONE DEBTOR
    # -------------------------------------------------------------------------

    def _compute_one(self, request, facts):
        company = self.env.company
        debtor = request.debtor.with_company(company)
        debtor_type = debtor.dunning_effective_type
        consumer = debtor_type == 'consumer'
        lawful = company.currency_id.name == CURRENCY and all(
            item.currency_id.name == CURRENCY for item in request.items)
        waived_interest, waived_costs = debtor.dunning_waive_interest, debtor.dunning_waive_costs
        rate_kind = 'consumer' if consumer else 'commercial'
        rates, compound, agreed = self._get_rates(request.policy, rate_kind) if lawful else ((), True, ZERO)

        costs, announced = {}, {}
        if lawful and not waived_costs:
            if consumer:
                letters = self._get_letter_costs(request, facts)
                costs = letters if request.with_costs else {}
                if request.announce:
                    announced = self._get_announced_costs(request, facts)
            elif request.with_costs:
                costs = self._get_business_costs(request, facts)

        items = []
        for item in request.items.sorted(lambda item: (item.date_maturity or item.date, item.id)):
            due_date = item.date_maturity or item.date
            told = [line for line in facts.history.told[item.id] if line.date <= request.at_date]
            settled = facts.settled(item.id, request.at_date)
            original = to_decimal(item.amount_currency)
            detail = costs.get(item.id) or ClaimCosts()
            reduction = request.reductions.get(item.id, ZERO)
            account, interest, interest_from, why = None, ZERO, None, ''
            if lawful and request.with_interest and not waived_interest:
                interest_from, why = self._get_interest_start(item, debtor, consumer, told)
                if interest_from:
                    account = self._run_account(
                        request, original, interest_from, rates, compound, settled, told, detail, reduction)
                    interest = account.interest
            items.append(ClaimItem(
                item_id=item.id, move_id=item.move_id.id, name=item.move_id.name or '', due_date=due_date,
                original=original, open=original - sum((amount for _day, amount, _money in settled), ZERO),
                reduction=reduction, interest_from=interest_from, interest_why=why, interest=interest,
                costs=detail.amount, announced=announced.get(item.id, ClaimCosts()).amount,
                costs_detail=announced.get(item.id) or detail, account=account))
        return Claim(
            key=request.key, debtor_id=debtor.id, company_id=company.id, at_date=request.at_date,
            debtor_type=debtor_type, items=tuple(items), rate_kind=rate_kind, agreed_percent=agreed,
            day_count=company.dunning_day_count, waived_interest=waived_interest, waived_costs=waived_costs,
            waive_reason=debtor.dunning_waive_reason or '')

    # -------------------------------------------------------------------------
    # INTEREST
    # -------------------------------------------------------------------------

    @api.model
    def _get_rates(self, policy, kind):
        """Return (rates, whether they compound, agreed percentage or zero).

        Agreed with a business any rate counts (6:119a, last paragraph, BW); with a consumer only one that is higher
        than the statutory (6:119 paragraph 3). Agreed interest is not compounded: that is for the law's own.
        """
        statutory = self.env['dunning.interest.rate']._get_rates(kind)
        agreed = to_decimal(policy.agreed_interest_percent, 3)
        if not agreed:
            return statutory, True, ZERO
        if kind == 'consumer':
            return tuple((day, max(rate, agreed)) for day, rate in statutory), False, agreed
        return ((date(1900, 1, 1), agreed),), False, agreed

    @api.model
    def _get_interest_start(self, item, debtor, consumer, told):
        """Return (first day of interest or None, code of the reason)."""
        company = self.env.company
        due_date = item.date_maturity or item.date
        agreed = debtor.dunning_term_agreed or (
            'yes' if (company.dunning_term_agreed_consumer if consumer else company.dunning_term_agreed_business)
            else 'no')
        if agreed == 'yes':
            return statutory_interest.first_interest_day(due_date), 'term'
        if consumer:
            # Article 6:82 BW: default, and with it interest, begins when the term of the notice of default has run out.
            deadlines = [
                line.deadline for line in told
                if line.legal_role in ('default_notice', 'fourteen_day') and line.deadline]
            if not deadlines:
                return None, 'no_default'
            return max(min(deadlines), due_date) + ONE_DAY, 'default'
        received = dutch_calendar.presumed_receipt(
            item.move_id.invoice_date or item.move_id.date, company.dunning_postal_days)
        last_day = max(statutory_interest.last_payment_day_from_receipt(received), due_date)
        return statutory_interest.first_interest_day(last_day), 'receipt'

    def _run_account(self, request, original, interest_from, rates, compound, settled, told, costs, reduction):
        """Run the claim's own account of one item until the day of the claim."""
        events = [
            (claim_account.Payment if is_money else claim_account.Credit)(day, amount)
            for day, amount, is_money in settled]
        if reduction:
            # Credits of the debtor and parts on hold: no interest over what is not claimed.
            events.append(claim_account.Credit(request.at_date, reduction))
        # What came in on the day of the letter was not paid in answer to it.
        asked = min((line.date for line in told if line.interest > 0), default=None)
        if asked:
            events.append(claim_account.Claimed(asked + ONE_DAY))
        if costs.amount and costs.why == 'fourteen_day':
            events.append(claim_account.CostsClaimed(costs.since, costs.amount))
        elif costs.amount and costs.why == 'claimed':
            events.append(claim_account.CostsClaimed(costs.since + ONE_DAY, costs.amount))
        try:
            return claim_account.run_account(
                original, interest_from, rates, events, request.at_date,
                day_count=self.env.company.dunning_day_count, compound=compound)
        except statutory_interest.RateMissing as error:
            raise UserError(self.env._(
                "The statutory interest rate of %(day)s is not known. Add it under Configuration ‣ Statutory Interest.",
                day=format_date(self.env, error.day))) from error

    # -------------------------------------------------------------------------
    # COLLECTION COSTS
    # -------------------------------------------------------------------------

    @api.model
    def _get_vat_rate(self):
        return Decimal(21) if self.env.company.dunning_vat_on_costs else None

    def _get_business_costs(self, request, facts):
        """Return ``{item id: ClaimCosts}`` for a business: what was claimed first stays, the rest is worked out now.

        Article 6:96 paragraph 4 BW: owed from the day after the last day of payment, without a reminder.
        """
        found, rest = {}, []
        policy = request.policy
        for item in request.items:
            first = next((line for line in facts.history.told[item.id]
                          if line.costs > 0 and line.date <= request.at_date), None)
            due_date = item.date_maturity or item.date
            if first:
                found[item.id] = ClaimCosts(
                    first.costs, 'claimed', first.notice_id, total=first.costs, since=first.date)
            elif due_date < request.at_date:
                principal = facts.principal(item, request.at_date) - request.reductions.get(item.id, ZERO)
                if principal > 0:
                    rest.append((item.id, principal))
        formula = policy.cost_formula or 'scale'
        if not rest or formula == 'none':
            return found
        principals = [principal for _item_id, principal in rest]
        agreed = None
        if formula == 'agreed':
            agreed = collection_costs.AgreedScale(
                to_decimal(policy.agreed_cost_percent, 3), to_decimal(policy.agreed_cost_minimum))
        total = collection_costs.business_costs(
            principals, formula=formula, agreed=agreed, vat_rate=self._get_vat_rate())
        whole = sum(principals, ZERO)
        for (item_id, _principal), amount in zip(rest, share(total, principals), strict=True):
            found[item_id] = ClaimCosts(amount, formula, principal=whole, total=total, since=request.at_date)
        return found

    def _get_letter_costs(self, request, facts):
        """Return ``{item id: ClaimCosts}`` that a consumer owes: by 14-day letters whose term has run out.

        Over what was unpaid when it ran out (Hoge Raad 25 November 2016, ECLI:NL:HR:2016:2704). A payment after that
        lowers what is left to pay, not what the costs are.
        """
        found = {}
        for costs in self._walk_letters(request, facts):
            if costs.since and costs.since <= request.at_date:
                for item_id, amount in costs.shares.items():
                    found.setdefault(item_id, ClaimCosts(
                        amount, 'fourteen_day', costs.notice_id, costs.principal, costs.total, costs.since))
        return found

    def _get_announced_costs(self, request, facts):
        """Return ``{item id: ClaimCosts}`` that a 14-day letter of this day announces for when nothing is paid."""
        principals = {
            item.id: facts.principal(item, request.at_date) - request.reductions.get(item.id, ZERO)
            for item in request.items}
        letters = self._walk_letters(request, facts)
        costs = self._get_costs_of_letter(
            None, request.at_date, None, principals, facts, letters)
        return {
            item_id: ClaimCosts(amount, 'announced', None, costs.principal, costs.total)
            for item_id, amount in costs.shares.items()}

    def _walk_letters(self, request, facts):
        """Return the :class:`_LetterCosts` of the debtor's earlier 14-day letters, the oldest first."""
        by_notice = defaultdict(list)
        for line in facts.history.letters[request.debtor.id]:
            if line.date <= request.at_date and line.notice_id != request.key:
                by_notice[line.notice_id].append(line)
        letters, counted = [], set()
        for notice_id, lines in by_notice.items():
            first = lines[0]
            term_end = first.costs_from and first.costs_from - ONE_DAY
            until = min(term_end, request.at_date) if term_end else request.at_date
            principals = {}
            for line in lines:
                if line.item_id not in counted:
                    item = self.env['account.move.line'].browse(line.item_id)
                    principals[line.item_id] = facts.principal(item, until, credits_until=request.at_date)
            letters.append(self._get_costs_of_letter(
                notice_id, first.date, first.costs_from, principals, facts, letters))
            if first.costs_from and first.costs_from <= request.at_date:
                counted.update(principals)
        return letters

    def _get_costs_of_letter(self, notice_id, sent_on, costs_from, principals, facts, earlier):
        """Return the costs of one 14-day letter, given the letters before it.

        Two rules keep costs from piling up: claims that could have been in one letter are added up (article 6:96
        paragraph 7 BW), and small instalments of six months together bear costs once (article 2a of the decree).
        """
        principals = {item_id: amount for item_id, amount in principals.items() if amount > 0}
        together, small = [], all(
            amount <= collection_costs.SMALL_INSTALMENT for amount in principals.values())
        since = collection_costs.look_back_from(sent_on)
        for letter in earlier:
            both_small = small and letter.small and letter.sent_on >= since
            could_join = any(facts.due_date(item_id) < letter.sent_on for item_id in principals)
            if both_small or could_join:
                together.append(letter)
        own = sum(principals.values(), ZERO)
        base = own + sum((letter.principal for letter in together), ZERO)
        already = sum((letter.total for letter in together), ZERO)
        total = collection_costs.collection_costs(
            base, vat_rate=self._get_vat_rate(), already_charged=already) if own else ZERO
        shares = dict(zip(principals, share(total, list(principals.values())), strict=True))
        return _LetterCosts(notice_id, sent_on, costs_from, own, total, small, shares)


# -----------------------------------------------------------------------------
# WHAT WAS READ
# -----------------------------------------------------------------------------


class _Told(NamedTuple):
    """An item on a notice that left."""

    item_id: int
    notice_id: int
    debtor_id: int
    date: date
    deadline: date
    legal_role: str
    costs_from: date
    interest: Decimal
    costs: Decimal


class _History(NamedTuple):
    told: dict  # by item
    letters: dict  # 14-day letters by debtor


class _LetterCosts(NamedTuple):
    notice_id: int | None
    sent_on: date
    since: date | None  # from when the costs are owed
    principal: Decimal
    total: Decimal
    small: bool
    shares: dict  # by item


class _Facts(NamedTuple):
    """The ledger and the notices, as far as they matter for some claims."""

    history: _History
    settlements: dict
    due_dates: dict

    def settled(self, item_id, until):
        return [entry for entry in self.settlements[item_id] if entry[0] <= until]

    def principal(self, item, until, *, credits_until=None):
        """Return what was unpaid of an item at the end of a day.

        Credits count from the beginning, as far as they are known on ``credits_until``: what was credited was never
        owed.
        """
        credits_until = credits_until or until
        return to_decimal(item.amount_currency) - sum(
            (amount for day, amount, is_money in self.settlements[item.id]
             if day <= (until if is_money else credits_until)), ZERO)

    def due_date(self, item_id):
        return self.due_dates[item_id]
