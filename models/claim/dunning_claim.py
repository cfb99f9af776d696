"""The claim: what a debtor owes on a day, and why. Letters, statement, portal and booking all ask here."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, float_repr, format_date

from ...tools.claim import account as claim_account
from ...tools.law import collection_costs, dutch_calendar, statutory_interest
from ...tools.law.imputation import Owed

ZERO = Decimal(0)
CENT = Decimal('0.01')
ONE_DAY = timedelta(days=1)
# Other currencies have no statutory amounts, and the law's rates are for debts in euros.
CURRENCY = 'EUR'
# Journals whose entries are money that came in; see _read_settlements for the others.
MONEY_JOURNALS = ('bank', 'cash', 'credit')
NOTHING = MappingProxyType({})
# How the frozen text of a claim is laid out; raise it when a key changes its meaning.
FORMAT = 2


def to_decimal(amount, digits=2):
    """Return a float of the ledger as an exact amount."""
    return Decimal(float_repr(amount or 0.0, digits))


def share(total, weights):
    """Divide ``total`` (cents) over ``weights`` in proportion, to the cent, by the largest remainder."""
    whole = sum(weights)
    if not whole:
        return [ZERO for _weight in weights]
    exact = [total * weight / whole for weight in weights]
    parts = [amount.quantize(CENT, ROUND_DOWN) for amount in exact]
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
    :param policy: ``dunning.policy`` whose agreements hold; empty: that of each invoice, else of the debtor
    :param with_interest, with_costs: what is claimed; of items of which some was booked before it is always claimed
    :param announce: also work out what a 14-day letter about the items announces
    :param reductions: ``{item id: amount}`` that is not claimed: open credits, parts on hold
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
    notice_id: int | None = None


@dataclass(frozen=True)
class ClaimCosts:
    """Collection costs that fall on one item, and why.

    ``why``: ``'none'``, ``'fourteen_day'`` (a consumer, after a 14-day letter), ``'announced'`` (what such a letter
    announces), ``'claimed'`` (a business, as a notice claimed it first) or the formula of the policy. ``basis`` is the
    computation, shared by all items it was made for; see ``dunning.claim._explain_costs``.
    """

    amount: Decimal = ZERO
    why: str = 'none'
    notice_id: int | None = None
    principal: Decimal = ZERO  # what all items together were, on which the scale was applied
    total: Decimal = ZERO  # costs of all items together
    since: date | None = None
    basis: Mapping = field(default_factory=dict)
    lowered: Decimal = ZERO  # what was credited since took along of the amount that was claimed


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
    # What was booked of interest and costs (see dunning_booking) and is paid or credited there; off the two above.
    settled: Decimal = ZERO
    account: claim_account.AccountStatement | None = None
    invoice_date: date | None = None
    # What interest_why rests on: the notice of default, the day of receipt.
    interest_basis: Mapping = field(default_factory=dict)
    settlements: tuple = ()  # of Settlement: what was set against the invoice until the day
    waived_interest: Decimal = ZERO  # off the interest and costs above
    waived_costs: Decimal = ZERO
    agreed_percent: Decimal = ZERO
    compound: bool = True

    @property
    def principal(self):
        """What is asked of the invoice itself."""
        return self.open - self.reduction

    @property
    def total(self):
        return self.principal + self.interest + self.costs

    @property
    def left(self):
        """The same total as the law divides it (article 6:44 BW): costs, interest and principal that are left."""
        if not self.account:
            return Owed(self.costs, self.interest, self.principal)
        left = self.account.left
        # What a 14-day letter announces is explained on the item, and not owed.
        owed = self.costs_detail.amount if self.costs_detail.why != 'announced' else ZERO
        return left._replace(costs=left.costs + owed - self.account.costs)


@dataclass(frozen=True)
class Claim:
    """What one debtor owes on ``at_date`` for some due items, in one currency."""

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
    currency: str = CURRENCY
    lawful: bool = True  # False: not in euros, so that the law's interest and costs do not apply
    with_interest: bool = True
    with_costs: bool = True

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
    def left(self):
        """The total as the law divides it: costs, interest and principal that are left (article 6:44 BW)."""
        lefts = [item.left for item in self.items]
        return Owed(*(sum((left[index] for left in lefts), ZERO) for index in range(3)))

    @property
    def per_day(self):
        """Interest that each further day adds at the rate of ``at_date``; not rounded."""
        return sum((item.account.per_day for item in self.items if item.account), ZERO)

    def to_json(self):
        """Return the claim as it is frozen on a notice: text only, so that it reads the same in ten years.

        Dates are ISO, amounts are decimal strings in the currency of the claim.
        """
        bases, positions = [], {}
        for item in self.items:
            basis = item.costs_detail.basis
            if basis and id(basis) not in positions:
                positions[id(basis)] = len(bases)
                bases.append(_plain(dict(basis)))
        left = self.left
        return {
            'format': FORMAT,
            'at_date': self.at_date.isoformat(),
            'currency': self.currency,
            'lawful': self.lawful,
            'debtor_type': self.debtor_type,
            'rate_kind': self.rate_kind,
            'day_count': self.day_count,
            'agreed_percent': str(self.agreed_percent),
            'with_interest': self.with_interest,
            'with_costs': self.with_costs,
            'waived_interest': self.waived_interest,
            'waived_costs': self.waived_costs,
            'waive_reason': self.waive_reason,
            'principal': str(self.principal),
            'interest': str(self.interest),
            'costs': str(self.costs),
            'announced': str(self.announced),
            'total': str(self.total),
            'left': [str(amount) for amount in left],
            'per_day': str(self.per_day.quantize(Decimal('0.0001'), ROUND_HALF_UP)),
            'costs_bases': bases,
            'items': [_item_to_json(item, positions) for item in self.items],
        }


def _item_to_json(item, positions):
    account = item.account
    return {
        'item_id': item.item_id,
        'move_id': item.move_id,
        'name': item.name,
        'invoice_date': _plain(item.invoice_date),
        'due_date': item.due_date.isoformat(),
        'original': str(item.original),
        'open': str(item.open),
        'reduction': str(item.reduction),
        'settlements': [
            [line.day.isoformat(), str(line.amount), line.is_money, line.label] for line in item.settlements],
        'interest_from': _plain(item.interest_from),
        'interest_why': item.interest_why,
        'interest_basis': _plain(dict(item.interest_basis)),
        'agreed_percent': str(item.agreed_percent),
        'compound': item.compound,
        'interest': str(item.interest),
        'interest_all': str(account.interest if account else ZERO),
        'costs': str(item.costs),
        'costs_all': str(item.costs_detail.amount),
        'waived_interest': str(item.waived_interest),
        'waived_costs': str(item.waived_costs),
        'settled': str(item.settled),
        'announced': str(item.announced),
        'costs_why': item.costs_detail.why,
        'costs_since': _plain(item.costs_detail.since),
        'costs_principal': str(item.costs_detail.principal),
        'costs_total': str(item.costs_detail.total),
        'costs_lowered': str(item.costs_detail.lowered),
        'costs_basis': positions.get(id(item.costs_detail.basis)),
        'left': [str(amount) for amount in item.left],
        'per_day': str(account.per_day if account else ZERO),
        'capitalised': str(account.capitalised if account else ZERO),
        'segments': [
            [segment.first_day.isoformat(), segment.last_day.isoformat(), segment.days, str(segment.rate),
             str(segment.principal), str(segment.amount), list(segment.reasons), segment.year_days]
            for segment in (account.segments if account else ())
        ],
        'imputations': [
            [line.day.isoformat(), str(line.amount), str(line.costs), str(line.interest), str(line.principal),
             [str(amount) for amount in line.left], list(line.ref or ())]
            for line in (account.imputations if account else ())
        ],
    }


def _plain(value):
    """Return a value as JSON knows it: dates and amounts as text."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _take_off(interest, costs, off_interest, off_costs):
    """Return (interest, costs) less what was waived of each; what one cannot bear comes off the other."""
    interest, costs = interest - off_interest, costs - off_costs
    if interest < 0:
        interest, costs = ZERO, costs + interest
    if costs < 0:
        interest, costs = max(ZERO, interest + costs), ZERO
    return interest, costs


# -----------------------------------------------------------------------------
# WHAT WAS READ
# -----------------------------------------------------------------------------


class Settlement(NamedTuple):
    """What was set against an item: money, or a credit that lowers it from the beginning."""

    day: date
    amount: Decimal
    is_money: bool
    label: str


class Waiver(NamedTuple):
    day: date
    interest: Decimal
    costs: Decimal
    reason: str


class _Terms(NamedTuple):
    rates: object
    compound: bool
    agreed: Decimal


class _Told(NamedTuple):
    """An item on a notice that left."""

    item_id: int
    notice_id: int  # negative: what else claimed it, such as an arrangement
    debtor_id: int
    sent_on: date
    deadline: date
    legal_role: str
    costs_from: date
    name: str
    receipt_date: date
    receipt_kind: str
    interest: Decimal
    costs: Decimal
    announced: Decimal
    principal: Decimal  # what it asked of the invoice itself


class _History(NamedTuple):
    told: dict  # by item
    letters: dict  # 14-day letters by debtor


class _LetterCosts(NamedTuple):
    notice_id: int | None
    sent_on: date
    since: date | None  # from when the costs are owed
    total: Decimal
    small: bool
    shares: dict  # by item
    item_ids: frozenset
    basis: dict


class _Facts(NamedTuple):
    """The ledger and the notices, as far as they matter for some claims."""

    history: _History
    settlements: dict
    due_dates: dict
    extras: dict  # see dunning_booking
    waivers: dict
    claimed: dict  # frozen claims by notice
    tables: dict  # of rates

    def settled(self, item_id, until):
        return [line for line in self.settlements[item_id] if line.day <= until]

    def principal(self, item, until, *, credits_until=None):
        """Return what was unpaid of an item at the end of a day.

        Credits count from the beginning, as far as they are known on ``credits_until``: what was credited was never
        owed.
        """
        credits_until = credits_until or until
        return to_decimal(item.amount_currency) - sum(
            (line.amount for line in self.settlements[item.id]
             if line.day <= (until if line.is_money else credits_until)), ZERO)

    def due_date(self, item_id):
        return self.due_dates[item_id]


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
            reductions=reductions or NOTHING)
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
                notice.id))
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
        items.move_id.fetch(['name', 'invoice_date', 'date', 'dunning_notice_id', 'dunning_policy_id'])
        facts = _Facts(
            history, self._read_settlements(items), {item.id: item.date_maturity or item.date for item in items},
            self._read_extras(items), self._read_waivers(items), self._read_claimed(history, items), {})
        return {request.key: self._compute_one(request, facts) for request in requests}

    # -------------------------------------------------------------------------
    # READING
    # -------------------------------------------------------------------------

    @api.model
    def _read_settlements(self, items):
        """Return ``{item id: [Settlement]}``: what was set against items, in their currency, the oldest first.

        Money is what came in through bank, cash or card, and an entry between accounts of the balance sheet, such as
        the account of a payment provider or a supplier's bill that was set off. A credit note, and an entry that takes
        a loss, lowers what was owed from the beginning: no interest or costs over what the creditor gave up.
        """
        found = defaultdict(list)
        if items:
            self.env['account.partial.reconcile'].flush_model()
            self.env['account.move.line'].flush_model(['date', 'journal_id', 'move_id', 'account_id'])
            self.env['account.move'].flush_model(['name', 'move_type', 'reversed_entry_id'])
            for item_id, day, amount, is_money, label in self.env.execute_query(SQL(
                """
                SELECT partial.item_id, counterpart.date, partial.amount,
                       journal.type = ANY(%(money)s) OR (
                           journal.type = 'general' AND move.move_type = 'entry' AND move.reversed_entry_id IS NULL
                           AND NOT EXISTS (
                               SELECT FROM account_move_line other
                                 JOIN account_account account ON account.id = other.account_id
                                WHERE other.move_id = move.id
                                  AND account.account_type ~ '^(income|expense|equity)')),
                       move.name
                  FROM (SELECT id, debit_move_id AS item_id, credit_move_id AS other_id,
                               debit_amount_currency AS amount
                          FROM account_partial_reconcile WHERE debit_move_id = ANY(%(items)s)
                     UNION ALL
                        SELECT id, credit_move_id, debit_move_id, - credit_amount_currency
                          FROM account_partial_reconcile WHERE credit_move_id = ANY(%(items)s)) partial
                  JOIN account_move_line counterpart ON counterpart.id = partial.other_id
                  JOIN account_move move ON move.id = counterpart.move_id
                  JOIN account_journal journal ON journal.id = counterpart.journal_id
              ORDER BY partial.item_id, counterpart.date, partial.id
                """, money=list(MONEY_JOURNALS), items=list(items.ids),
            )):
                found[item_id].append(Settlement(day, to_decimal(amount), is_money, label or ''))
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
                   notice.legal_role, notice.costs_from, notice.name, notice.receipt_date,
                   notice.receipt_kind, line.amount_interest, line.amount_costs, line.amount_announced,
                   COALESCE(line.amount_residual, 0) - COALESCE(line.amount_netted, 0) - COALESCE(line.amount_held, 0)
              FROM dunning_notice_line line
              JOIN dunning_notice notice ON notice.id = line.notice_id
             WHERE line.status = 'sent' AND line.move_line_id IS NOT NULL AND notice.company_id = %s
               AND (line.move_line_id = ANY(%s)
                    OR (notice.partner_id = ANY(%s) AND notice.legal_role = 'fourteen_day'))
          ORDER BY notice.date, notice.id, line.id
            """, self.env.company.id, list(items.ids), list(debtors.ids),
        )):
            line = _Told(*row[:10], *(to_decimal(amount) for amount in row[10:]))
            told[line.item_id].append(line)
            if line.legal_role == 'fourteen_day':
                letters[line.debtor_id].append(line)
        return _History(told, letters)

    @api.model
    def _read_waivers(self, items):
        """Return ``{item id: [Waiver]}``: interest and costs of which a person said that they are not asked."""
        found = defaultdict(list)
        if items:
            self.env['dunning.waiver'].flush_model()
            for item_id, *row in self.env.execute_query(SQL(
                """
                SELECT item_id, date, amount_interest, amount_costs, reason
                  FROM dunning_waiver
                 WHERE kind = 'waive' AND revoked_on IS NULL AND item_id = ANY(%s)
              ORDER BY date, id
                """, list(items.ids),
            )):
                found[item_id].append(Waiver(row[0], to_decimal(row[1]), to_decimal(row[2]), row[3] or ''))
        return found

    @api.model
    def _read_claimed(self, history, items):
        """Return ``{notice id: claim_data}`` of the notices that were the first to claim costs of items."""
        first = self._get_first_claiming(history, items)
        notices = self.env['dunning.notice'].browse([notice_id for notice_id in first if notice_id > 0])
        notices.fetch(['claim_data'])
        return {notice.id: notice.claim_data or {} for notice in notices}

    @api.model
    def _get_first_claiming(self, history, items):
        """Return the ids of the notices that were the first to claim costs of items; others have negative ones."""
        return {line.notice_id for item_id in items.ids for line in self._get_first_costs(history.told[item_id])}

    @api.model
    def _get_first_costs(self, told):
        """Return a list of the first notice about an item that claimed costs, or an empty one."""
        return [line for line in told if line.costs > 0][:1]

    @api.model
    def _read_extras(self, items):
        """Return ``{item id: what was booked of its interest and costs}``; see ``dunning_booking``."""
        return {}

    @api.model
    def _get_booked(self, notices):
        """Return those of the notices that ask for items of which interest or costs were booked; one query."""
        conditions = self._get_booked_sql()
        if not notices.ids or not conditions:
            return notices.browse()
        self.env['dunning.notice.line'].flush_model(['notice_id', 'move_line_id'])
        return notices.browse(notice_id for (notice_id,) in self.env.execute_query(SQL(
            "SELECT DISTINCT asked.notice_id FROM dunning_notice_line asked WHERE asked.notice_id = ANY(%s) AND (%s)",
            list(notices.ids), SQL(" OR ").join(conditions))))

    @api.model
    def _get_booked_sql(self):
        """Return a list of SQL conditions: something was booked of the item of the line ``asked``."""
        return []

    # -------------------------------------------------------------------------
    # ONE DEBTOR
    # -------------------------------------------------------------------------

    def _compute_one(self, request, facts):
        company = self.env.company
        debtor = request.debtor.with_company(company)
        debtor_type = debtor.dunning_effective_type
        consumer = debtor_type == 'consumer'
        currencies = request.items.currency_id
        if len(currencies) > 1:
            raise UserError(self.env._("A claim is worked out in one currency at a time."))
        lawful = company.currency_id.name == CURRENCY and currencies.name in (CURRENCY, False)
        waived_interest, waived_costs = debtor.dunning_waive_interest, debtor.dunning_waive_costs
        policies = {
            item.id: request.policy or item.move_id.dunning_policy_id or debtor.dunning_effective_policy_id
            for item in request.items}

        told, starts = {}, {}
        for item in request.items:
            told[item.id] = [
                line for line in facts.history.told[item.id]
                if line.sent_on <= request.at_date and line.notice_id != request.notice_id]
            if item.move_id._is_dunning_booking():
                starts[item.id] = (None, 'booked', NOTHING)  # interest and costs that were booked bear neither
            elif lawful and item.amount_currency > 0:
                starts[item.id] = self._get_interest_start(item, debtor, consumer, told[item.id])
            else:
                starts[item.id] = (None, '', NOTHING)

        # What was booked is owed by the books: it is asked also where a level leaves the rest aside.
        booked = {item.id: facts.extras.get(item.id) for item in request.items}
        with_costs = {
            item_id for item_id, extras in booked.items() if request.with_costs or (extras and extras.costs > 0)}
        with_interest = {
            item_id for item_id, extras in booked.items() if request.with_interest or (extras and extras.interest > 0)}
        costs, announced = {}, {}
        if lawful and not waived_costs:
            if consumer:
                letters = self._walk_letters(request, facts)
                if with_costs:
                    costs = self._get_letter_costs(request, letters)
                if request.announce:
                    announced = self._get_announced_costs(request, facts, letters)
            elif with_costs:
                costs = self._get_business_costs(request, facts, told, starts, policies)
            costs = {item_id: asked for item_id, asked in costs.items() if item_id in with_costs}

        items = tuple(
            self._compute_item(
                request, facts, item, told[item.id], starts[item.id], policies[item.id], debtor_type,
                costs.get(item.id) or ClaimCosts(), announced.get(item.id),
                lawful and item.id in with_interest and not waived_interest)
            for item in request.items.sorted(lambda item: (item.date_maturity or item.date, item.id)))
        return Claim(
            key=request.key, debtor_id=debtor.id, company_id=company.id, at_date=request.at_date,
            debtor_type=debtor_type, items=items, rate_kind='consumer' if consumer else 'commercial',
            agreed_percent=max((item.agreed_percent for item in items), default=ZERO),
            day_count=company.dunning_day_count, waived_interest=waived_interest, waived_costs=waived_costs,
            waive_reason=debtor.dunning_waive_reason or '', currency=(currencies or company.currency_id).name,
            lawful=lawful, with_interest=bool(with_interest), with_costs=bool(with_costs))

    def _compute_item(self, request, facts, item, told, start, policy, debtor_type, costs, announced, with_interest):
        """Return the :class:`ClaimItem` of one due item."""
        at_date = request.at_date
        settlements = facts.settled(item.id, at_date)
        original = to_decimal(item.amount_currency)
        open_amount = original - sum((line.amount for line in settlements), ZERO)
        reduction = request.reductions.get(item.id, ZERO)
        interest_from, why, basis = start if with_interest or start[1] == 'booked' else (None, '', NOTHING)
        terms = _Terms((), True, ZERO)
        if interest_from:
            terms = self._get_terms(policy, debtor_type, interest_from, facts.tables)
        extras = facts.extras.get(item.id)
        waivers = [waiver for waiver in facts.waivers[item.id] if waiver.day <= at_date]
        account, waived_interest, waived_costs = None, ZERO, ZERO
        interest, asked_costs = ZERO, costs.amount
        if original > 0:
            account = self._run_account(
                request, original, interest_from, terms, settlements, told, costs, reduction, extras, waivers)
            waived_interest = sum((waiver.interest for waiver in waivers), ZERO)
            waived_costs = sum((waiver.costs for waiver in waivers), ZERO)
            interest, asked_costs = _take_off(account.interest, costs.amount, waived_interest, waived_costs)
        left_interest, left_costs = interest, asked_costs
        if extras:
            left_interest, left_costs = extras.left(interest, asked_costs, at_date)
        return ClaimItem(
            item_id=item.id, move_id=item.move_id.id, name=item.move_id.name or '',
            invoice_date=item.move_id.invoice_date or item.move_id.date, due_date=item.date_maturity or item.date,
            original=original, open=open_amount, reduction=reduction, interest_from=interest_from, interest_why=why,
            interest_basis=basis, interest=left_interest, costs=left_costs,
            settled=interest + asked_costs - left_interest - left_costs,
            announced=announced.amount if announced else ZERO, costs_detail=announced or costs, account=account,
            settlements=tuple(settlements), waived_interest=waived_interest, waived_costs=waived_costs,
            agreed_percent=terms.agreed, compound=terms.compound)

    # -------------------------------------------------------------------------
    # INTEREST
    # -------------------------------------------------------------------------

    @api.model
    def _get_terms(self, policy, debtor_type, first_day, tables):
        """Return the :class:`_Terms` of interest that runs from a day.

        Agreed with a business any rate counts (6:119a, last paragraph, BW); with a consumer and with the government
        only one that is higher than the statutory when interest begins to run (6:119 paragraph 3, 6:119b), and then it
        never falls below that. Agreed interest is not compounded: that is for the law's own.

        :param dict tables: those of this batch, by what they were made of
        """
        kind = 'consumer' if debtor_type == 'consumer' else 'commercial'
        agreed = to_decimal(policy.agreed_interest_percent, 3) if policy else ZERO
        statutory = tables.get(kind)
        if statutory is None:
            statutory = tables[kind] = statutory_interest.RateTable(
                self.env['dunning.interest.rate']._get_rates(kind))
        if not agreed:
            return _Terms(statutory, True, ZERO)
        only_higher = debtor_type != 'business'
        if only_higher:
            try:
                if agreed <= statutory.at(first_day):
                    return _Terms(statutory, True, ZERO)
            except statutory_interest.RateMissing:
                return _Terms(statutory, True, ZERO)  # what is missing is said when the interest is worked out
        key = (kind, agreed, only_higher)
        if key not in tables:
            tables[key] = statutory_interest.RateTable(
                [(day, max(rate, agreed)) for day, rate in zip(statutory.days, statutory.percents, strict=True)]
                if only_higher else [(date(1900, 1, 1), agreed)])
        return _Terms(tables[key], False, agreed)

    @api.model
    def _get_interest_start(self, item, debtor, consumer, told):
        """Return (first day of interest or None, code of the reason, what it rests on)."""
        company = self.env.company
        due_date = item.date_maturity or item.date
        agreed = debtor.dunning_term_agreed or (
            'yes' if (company.dunning_term_agreed_consumer if consumer else company.dunning_term_agreed_business)
            else 'no')
        if agreed == 'yes':
            return statutory_interest.first_interest_day(due_date), 'term', NOTHING
        if consumer:
            # Article 6:82 BW: default, and with it interest, begins when the term of the notice of default has run out.
            demands = [
                line for line in told
                if line.legal_role in ('default_notice', 'fourteen_day') and line.deadline
                # As the planner: a term that was over before the debtor could read of it is none.
                and line.receipt_date and line.receipt_date <= line.deadline]
            if not demands:
                return None, 'no_default', NOTHING
            demand = min(demands, key=lambda line: line.deadline)
            return max(demand.deadline, due_date) + ONE_DAY, 'default', {
                'notice': demand.name, 'sent': demand.sent_on, 'deadline': demand.deadline}
        received = dutch_calendar.presumed_receipt(
            item.move_id.invoice_date or item.move_id.date, company.dunning_postal_days)
        last_day = max(statutory_interest.last_payment_day_from_receipt(received), due_date)
        return statutory_interest.first_interest_day(last_day), 'receipt', {'received': received, 'last_day': last_day}

    def _run_account(
        self, request, original, interest_from, terms, settlements, told, costs, reduction, extras, waivers,
    ):
        """Run the claim's own account of one item until the day of the claim."""
        events = [
            claim_account.Payment(line.day, line.amount, ('payment', line.label)) if line.is_money
            else claim_account.Credit(line.day, line.amount)
            for line in settlements]
        if reduction:
            # Credits of the debtor and parts on hold: no interest over what is not claimed.
            events.append(claim_account.Credit(request.at_date, reduction))
        # Money for the booked interest and costs was paid on the claim as well; it is not in the invoice's settlements.
        booked_costs = costs.amount
        for day, amount, is_money in extras.settlements if extras else ():
            of_costs = min(amount, booked_costs)
            booked_costs -= of_costs
            if not amount:
                continue
            events.append(
                claim_account.Payment(day, amount, ('booking', '')) if is_money
                else claim_account.Waived(day, of_costs, amount - of_costs, ('waived', '')))
        events += [
            claim_account.Waived(waiver.day, waiver.costs, waiver.interest, ('waived', waiver.reason))
            for waiver in waivers]
        # What came in on the day of the letter was not paid in answer to it.
        asked = min((line.sent_on for line in told if line.interest > 0), default=None)
        if asked:
            events.append(claim_account.Claimed(asked + ONE_DAY))
        if costs.amount and costs.why == 'fourteen_day':
            events.append(claim_account.CostsClaimed(costs.since, costs.amount))
        elif costs.amount and costs.why == 'claimed' and costs.since < request.at_date:
            events.append(claim_account.CostsClaimed(costs.since + ONE_DAY, costs.amount))
        try:
            return claim_account.run_account(
                original, interest_from, terms.rates, events, request.at_date,
                day_count=self.env.company.dunning_day_count, compound=terms.compound)
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

    def _get_business_costs(self, request, facts, told, starts, policies):
        """Return ``{item id: ClaimCosts}`` for a business: what was claimed first stays, the rest is worked out now.

        Article 6:96 paragraph 4 BW: owed from the day after the last day of payment, without a reminder. What was
        claimed once does not change when a part is paid later, nor when another invoice falls due: that one bears its
        own.
        """
        found, rest, frozen = {}, defaultdict(list), {}
        for item in request.items:
            interest_from = starts[item.id][0]
            first = self._get_first_costs(told[item.id])
            if first:
                found[item.id] = self._get_claimed_costs(request, item, first[0], facts, frozen)
            elif interest_from and interest_from <= request.at_date:
                # The day before interest begins is the last day of payment, agreed or by law.
                principal = facts.principal(item, request.at_date) - request.reductions.get(item.id, ZERO)
                if principal > 0:
                    rest[policies[item.id]].append((item.id, principal))
        for policy, late in rest.items():
            formula = policy.cost_formula or 'scale'
            if formula == 'none':
                continue
            principals = [principal for _item_id, principal in late]
            agreed = None
            if formula == 'agreed':
                agreed = collection_costs.AgreedScale(
                    to_decimal(policy.agreed_cost_percent, 3), to_decimal(policy.agreed_cost_minimum))
            vat_rate = self._get_vat_rate()
            total = collection_costs.business_costs(principals, formula=formula, agreed=agreed, vat_rate=vat_rate)
            whole = sum(principals, ZERO)
            basis = {
                'formula': formula, 'principal': whole, 'count': len(late), 'total': total, 'vat_rate': vat_rate,
                'percent': agreed and agreed.percent, 'minimum': agreed and agreed.minimum,
            }
            for (item_id, _principal), amount in zip(late, share(total, principals), strict=True):
                found[item_id] = ClaimCosts(
                    amount, formula, principal=whole, total=total, since=request.at_date, basis=basis)
        return found

    @api.model
    def _get_claimed_costs(self, request, item, first, facts, frozen):
        """Return the :class:`ClaimCosts` that a notice was the first to claim, with the computation it froze.

        What was credited since (or is not claimed now) was never owed, and takes its part of the costs along.

        :param dict frozen: computations found so far: items of one computation share it
        """
        data = facts.claimed.get(first.notice_id) or {}
        entry = next((entry for entry in data.get('items', ()) if entry['item_id'] == item.id), {})
        position = entry.get('costs_basis')
        key = (first.notice_id, position)
        if key not in frozen:
            basis = data['costs_bases'][position] if position is not None else {'formula': 'claimed'}
            frozen[key] = {**basis, 'claimed_in': first.name, 'claimed_on': first.sent_on}
        basis, amount = frozen[key], first.costs
        now = facts.principal(item, first.sent_on, credits_until=request.at_date)
        now -= request.reductions.get(item.id, ZERO)
        if now < first.principal and first.principal > 0:
            amount = (amount * max(now, ZERO) / first.principal).quantize(CENT, ROUND_HALF_UP)
        return ClaimCosts(
            amount, 'claimed', first.notice_id, Decimal(basis.get('principal') or 0),
            Decimal(basis.get('total') or first.costs), first.sent_on, basis, first.costs - amount)

    @api.model
    def _get_letter_costs(self, request, letters):
        """Return ``{item id: ClaimCosts}`` that a consumer owes: by 14-day letters whose term has run out.

        Over what was unpaid when it ran out (Hoge Raad 25 November 2016, ECLI:NL:HR:2016:2704). A payment after that
        lowers what is left to pay, not what the costs are.
        """
        found = {}
        for letter in letters:
            if letter.since > request.at_date:
                continue
            for item_id, amount in letter.shares.items():
                found.setdefault(item_id, ClaimCosts(
                    amount, 'fourteen_day', letter.notice_id, letter.basis['principal'], letter.total, letter.since,
                    letter.basis))
        return found

    def _get_announced_costs(self, request, facts, letters):
        """Return ``{item id: ClaimCosts}`` that a 14-day letter of this day announces for when nothing is paid."""
        counted = {item_id for letter in letters for item_id in letter.item_ids}
        principals = {
            item.id: facts.principal(item, request.at_date) - request.reductions.get(item.id, ZERO)
            for item in request.items if not item.move_id._is_dunning_booking() and item.id not in counted}
        letter = self._get_costs_of_letter(None, request.at_date, None, principals, facts, letters)
        return {
            item_id: ClaimCosts(
                amount, 'announced', None, letter.basis['principal'], letter.total, basis=letter.basis)
            for item_id, amount in letter.shares.items()}

    def _walk_letters(self, request, facts):
        """Return the :class:`_LetterCosts` of the debtor's earlier 14-day letters that arrived, the oldest first.

        An item belongs to the first letter about it. A letter that did not arrive (or of which nobody knows whether it
        did) has no day from which costs are owed; it counts for nothing.
        """
        by_notice = defaultdict(list)
        for line in facts.history.letters[request.debtor.id]:
            if line.sent_on <= request.at_date and line.costs_from and line.notice_id != request.notice_id:
                by_notice[line.notice_id].append(line)
        letters, counted = [], set()
        for lines in by_notice.values():
            first = lines[0]
            until = min(first.costs_from - ONE_DAY, request.at_date)
            principals = {}
            for line in lines:
                item = self.env['account.move.line'].browse(line.item_id)
                if item.id not in counted and not item.move_id._is_dunning_booking():
                    principals[item.id] = (
                        facts.principal(item, until, credits_until=request.at_date)
                        - request.reductions.get(item.id, ZERO))
            counted.update(principals)
            letters.append(self._get_costs_of_letter(
                first, first.sent_on, sum((line.announced for line in lines), ZERO), principals, facts, letters))
        return letters

    def _get_costs_of_letter(self, told, sent_on, announced, principals, facts, earlier):
        """Return the costs of one 14-day letter, given the letters before it.

        Two rules keep costs from piling up: claims that could have been in one letter are added up (article 6:96
        paragraph 7 BW), and small instalments of six months together bear costs once (article 2a of the decree). And a
        letter never leads to more than it announced (article 6:96 paragraph 6 BW).

        :param told: the letter, or ``None`` for one that is still to be sent
        :param announced: costs the letter announced, ``None`` for one that is still to be sent
        """
        item_ids = frozenset(principals)
        principals = {item_id: amount for item_id, amount in principals.items() if amount > 0}
        small = all(amount <= collection_costs.SMALL_INSTALMENT for amount in principals.values())
        since = collection_costs.look_back_from(sent_on)
        together = [
            letter for letter in earlier
            if (small and letter.small and letter.sent_on >= since)
            or any(facts.due_date(item_id) < letter.sent_on for item_id in principals)]
        own = sum(principals.values(), ZERO)
        base = own + sum((letter.basis['principal'] for letter in together), ZERO)
        already = sum((letter.total for letter in together), ZERO)
        vat_rate = self._get_vat_rate()
        total = collection_costs.collection_costs(
            base, vat_rate=vat_rate, already_charged=already) if own else ZERO
        capped = announced is not None and total > announced
        if capped:
            total = announced
        shares = dict(zip(principals, share(total, list(principals.values())), strict=True))
        basis = {
            'formula': 'fourteen_day', 'principal': own, 'count': len(principals), 'total': total,
            'base': base, 'already': already, 'earlier': [letter.basis['notice'] for letter in together],
            'vat_rate': vat_rate, 'capped': capped, 'notice': told and told.name, 'sent': sent_on,
            'receipt': told and told.receipt_date, 'evidence': told and told.receipt_kind,
            'since': told and told.costs_from, 'last_day': told and told.costs_from - ONE_DAY,
        }
        return _LetterCosts(
            told and told.notice_id, sent_on, told and told.costs_from, total, small, shares, item_ids, basis)
