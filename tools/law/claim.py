"""A claim as data: what is asked, what was read for it, and what follows. No Odoo in here.

What is read are plain values: ids instead of records, exact amounts instead of floats. What follows is a
:class:`Claim`, which freezes itself as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import NamedTuple

from .account import Account, Owed
from .amounts import ZERO
from .collection_costs import AgreedScale
from .jurisdiction import DUTCH
from .letters import SHORTEST_TERM
from .statutory_interest import DAY_COUNTS

CURRENCY = DUTCH.currency
#: How the frozen text of a claim is laid out; raise it when a key changes its meaning.
FORMAT = 2
#: What is frozen as it is, of a claim and of each of its items.
FROZEN = (
    'at_date', 'currency', 'lawful', 'limit', 'debtor_type', 'rate_kind', 'day_count', 'agreed_percent',
    'with_interest', 'with_costs', 'waived_interest', 'waived_costs', 'waive_reason', 'principal', 'interest', 'costs',
    'announced', 'total', 'left')
FROZEN_OF_ITEM = (
    'item_id', 'move_id', 'name', 'invoice_date', 'due_date', 'original', 'open', 'reduction', 'settlements',
    'interest_from', 'interest_why', 'interest_basis', 'agreed_percent', 'compound', 'interest', 'costs',
    'waived_interest', 'waived_costs', 'settled', 'announced', 'left')
NOTHING = MappingProxyType({})

# -----------------------------------------------------------------------------
# WHAT WAS READ
# -----------------------------------------------------------------------------


class DueItem(NamedTuple):
    """One due item as it was posted, in its currency. ``is_booking``: it books interest and costs of others."""

    item_id: int
    move_id: int
    name: str
    original: Decimal
    due_date: date
    invoice_date: date
    is_booking: bool = False
    interest_until: date | None = None  # the debtor became insolvent: last day that bears interest


class Settlement(NamedTuple):
    """What was set against an item: money, or a credit that lowers it from the beginning."""

    day: date
    amount: Decimal
    is_money: bool
    label: str = ''


class Waiver(NamedTuple):
    """Interest and costs of an item that the creditor let go of on a day, or received in another way."""

    day: date
    interest: Decimal
    costs: Decimal
    reason: str = ''
    kind: str = 'waived'  # or 'received'


class Told(NamedTuple):
    """What a notice that left, or an arrangement that was signed, asked for one item."""

    item_id: int
    source: tuple  # (model, id) of what asked it
    debtor_id: int
    sent_on: date
    name: str = ''
    agreed: bool = False  # by both sides: its costs do not change by what is paid, whatever the day
    interest: Decimal = ZERO
    costs: Decimal = ZERO
    principal: Decimal = ZERO  # what it asked of the invoice itself


class Correspondence(NamedTuple):
    """What the law looks at of one debtor: the letters with a legal role, and all items they could have been about.

    :ivar names: of each letter by its source: its number and the evidence of its receipt
    """

    letters: tuple  # of letters.Letter
    items: Mapping  # letters.Item by id
    names: Mapping = NOTHING


class Booked(NamedTuple):
    """What was booked of interest and costs of one item as invoices, and what was paid or credited of that."""

    interest: Decimal = ZERO
    costs: Decimal = ZERO
    settled_interest: Decimal = ZERO
    settled_costs: Decimal = ZERO
    settlements: tuple = ()  # of (day, amount, is money)

    def plus(self, interest, costs, settlements):
        """Return it with another booking; what settled that one goes to costs first (article 6:44 BW)."""
        interest, costs = self.interest + interest, self.costs + costs
        settled_interest, settled_costs = self.settled_interest, self.settled_costs
        for _day, amount, _is_money in settlements:
            of_costs = min(amount, costs - settled_costs)
            settled_costs += of_costs
            settled_interest += amount - of_costs
        return Booked(interest, costs, settled_interest, settled_costs, (*self.settlements, *settlements))

    def corrected(self, interest, costs, at_date):
        """Return it as far as it was owed: credit notes first take back what was booked too high.

        What they credit beyond that was owed, and is waived.

        :param interest, costs: all that is owed on a day, whatever was paid or credited
        """
        credits = [line for line in self.settlements if not line[2] and line[0] <= at_date]
        spare_costs, spare_interest = max(ZERO, self.costs - costs), max(ZERO, self.interest - interest)
        spare = min(sum((amount for _day, amount, _is_money in credits), ZERO), spare_costs + spare_interest)
        if not spare:
            return self
        of_costs, settlements, left = min(spare, spare_costs), [], spare
        for day, amount, is_money in self.settlements:
            off = ZERO if is_money or day > at_date else min(left, amount)
            left -= off
            settlements.append((day, amount - off, is_money))
        return Booked().plus(self.interest - (spare - of_costs), self.costs - of_costs, settlements)

    def left(self, interest, costs, at_date):
        """Return (interest, costs) that is left to ask on a day, given all there was to ask."""
        settled = sum((amount for day, amount, _is_money in self.settlements if day <= at_date), ZERO)
        of_costs = min(settled, costs)
        return max(ZERO, interest - (settled - of_costs)), costs - of_costs

    @property
    def open(self):
        return self.interest + self.costs - self.settled_interest - self.settled_costs

    def unbooked(self, interest, costs):
        """Return (interest, costs) of what is left to ask that is not in the books as an invoice of its own.

        Together never more than what is missing there: what was credited can have been the other of the two.
        """
        missing = max(ZERO, interest + costs - self.open)
        of_interest = min(missing, max(ZERO, interest - (self.interest - self.settled_interest)))
        return of_interest, missing - of_interest

    def get_excess(self, interest, costs):
        """Return what is open in the books of each beyond what is left to ask of it, together."""
        return (
            max(ZERO, self.interest - self.settled_interest - interest)
            + max(ZERO, self.costs - self.settled_costs - costs))


class Creditor(NamedTuple):
    """Who claims. ``vat_rate``: of the VAT on collection costs that it cannot deduct, if any.

    ``postal_days`` and ``shortest_term`` only lengthen what the law says.
    """

    company_id: int
    currency: str
    postal_days: int
    vat_rate: Decimal | None = None
    term_agreed_consumer: bool = False
    term_agreed_business: bool = False
    shortest_term: int = SHORTEST_TERM
    country: str = DUTCH.country  # where it pays its taxes: whose law it has, see :mod:`.jurisdiction`

    def agrees_term(self, debtor):
        """Return whether the term of payment was agreed with a debtor, so that default needs no notice."""
        return debtor.term_agreed == 'yes' if debtor.term_agreed else (
            self.term_agreed_consumer if debtor.type == 'consumer' else self.term_agreed_business)


class Debtor(NamedTuple):
    """Who owes. ``term_agreed``: ``'yes'``, ``'no'``, or empty for what the creditor agrees as a rule."""

    debtor_id: int
    type: str
    term_agreed: str = ''
    waive_interest: bool = False
    waive_costs: bool = False
    waive_reason: str = ''
    country: str = ''  # empty: that of the creditor

    @property
    def rate_kind(self):
        return 'consumer' if self.type == 'consumer' else 'commercial'


class Agreements(NamedTuple):
    """What a policy says of interest and costs. ``policy_id`` tells two policies apart that say the same."""

    policy_id: int | None = None
    interest_percent: Decimal = ZERO
    cost_formula: str = 'scale'
    cost_scale: AgreedScale | None = None
    day_count: str = DAY_COUNTS[0]


class Ledger(NamedTuple):
    """The ledger, and what was told and booked, as far as they matter for some claims. Lists are by item id."""

    creditor: Creditor
    items: Mapping  # DueItem by id
    told: Mapping = NOTHING  # the oldest first
    letters: Mapping = NOTHING  # one Correspondence by debtor id, of consumers to whom a letter with a role went
    settlements: Mapping = NOTHING
    booked: Mapping = NOTHING  # one Booked
    waivers: Mapping = NOTHING
    claimed: Mapping = NOTHING  # frozen claims by source
    rates: Mapping = NOTHING  # RateTable by kind
    paid: Mapping = NOTHING  # one paid_as_asked.PaidAsAsked

    def principal(self, item_id, until, *, credits_until=None):
        """Return what was unpaid of an item at the end of a day.

        Credits count from the beginning, as far as they are known on ``credits_until``: what was credited was never
        owed.
        """
        credits_until = credits_until or until
        return self.items[item_id].original - sum(
            (line.amount for line in self.settlements.get(item_id, ())
             if line.day <= (until if line.is_money else credits_until)), ZERO)


class Request(NamedTuple):
    """What is asked about one debtor.

    :ivar key: how the caller knows it in the answer
    :ivar item_ids: due items of that debtor, in one currency
    :ivar agreements: :class:`Agreements` by item id
    :ivar with_interest, with_costs: what is claimed, or of which items (ids in a frozenset); of items of which some
        was booked before it is always claimed
    :ivar announce: also work out what a 14-day letter about the items announces
    :ivar reductions: ``{item id: amount}`` that is not claimed: open credits, parts on hold
    :ivar held: items that are wholly on hold: neither they nor what came on top of them is claimed now
    :ivar source: what it is for: what that told itself does not count as told before
    """

    key: object
    debtor: Debtor
    item_ids: tuple
    agreements: Mapping
    at_date: date
    currency: str = CURRENCY
    with_interest: bool | frozenset = True
    with_costs: bool | frozenset = True
    announce: bool = False
    reductions: Mapping = NOTHING
    held: frozenset = frozenset()
    source: tuple | None = None


# -----------------------------------------------------------------------------
# WHAT FOLLOWS
# -----------------------------------------------------------------------------


@dataclass(frozen=True)
class ClaimCosts:
    """Collection costs that fall on one item, and why.

    ``why``: ``'none'``, ``'fourteen_day'`` (a consumer, after a 14-day letter), ``'announced'`` (what such a letter
    announces), ``'claimed'`` (a business, as a notice claimed it first) or the formula of the policy. ``basis`` is the
    computation, shared by all items it was made for.
    """

    amount: Decimal = ZERO
    why: str = 'none'
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
    # What was booked of interest and costs and is paid or credited there; off the two above.
    settled: Decimal = ZERO
    account: Account | None = None
    invoice_date: date | None = None
    # What interest_why rests on: the notice of default, the day of receipt.
    interest_basis: Mapping = field(default_factory=dict)
    settlements: tuple = ()  # of Settlement: what was set against the invoice until the day
    signed_interest: Decimal = ZERO  # of the interest, what both sides signed for beyond what ran in the end
    waived_interest: Decimal = ZERO  # off the interest and costs above
    waived_costs: Decimal = ZERO
    agreed_percent: Decimal = ZERO
    compound: bool = True
    day_count: str = DAY_COUNTS[0]
    # Off the interest and costs above as well: settled by paying what a letter asked, by the day it gave.
    paid_as_asked: Decimal = ZERO
    # Of what was booked of interest and costs, what is open and is not owed: to be credited.
    overbooked: Decimal = ZERO

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
        return left._replace(
            costs=left.costs + owed - self.account.costs, interest=left.interest + self.signed_interest)


@dataclass(frozen=True)
class Claim:
    """What one debtor owes on ``at_date`` for some due items, in one currency."""

    debtor_id: int
    at_date: date
    debtor_type: str
    items: tuple = ()
    rate_kind: str = ''
    agreed_percent: Decimal = ZERO
    waived_interest: bool = False
    waived_costs: bool = False
    waive_reason: str = ''
    currency: str = CURRENCY
    lawful: bool = True  # False: the law's interest and costs do not apply, because of the limit
    limit: str = ''  # of :func:`.jurisdiction.get_limit`
    with_interest: bool = True
    with_costs: bool = True

    @property
    def day_count(self):
        return self.items[0].day_count if self.items else DAY_COUNTS[0]

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
                bases.append(basis)
        return {
            'format': FORMAT,
            'per_day': str(self.per_day.quantize(Decimal('0.0001'), ROUND_HALF_UP)),
            **_freeze({name: getattr(self, name) for name in FROZEN}),
            'costs_bases': _freeze(bases),
            'items': [
                _freeze(_get_item_facts(item, positions))
                # Few claims are about policies that count days differently.
                | ({'day_count': item.day_count} if item.day_count != self.day_count else {})
                | ({'signed_interest': str(item.signed_interest)} if item.signed_interest else {})
                | ({'paid_as_asked': str(item.paid_as_asked)} if item.paid_as_asked else {})
                for item in self.items],
        }


def _get_item_facts(item, positions):
    """Return what is frozen of an item.

    :param dict positions: where the computation of its costs stands among those of the claim
    """
    account, costs = item.account, item.costs_detail
    return {
        **{name: getattr(item, name) for name in FROZEN_OF_ITEM},
        'costs_all': costs.amount,
        'costs_why': costs.why,
        'costs_since': costs.since,
        'costs_principal': costs.principal,
        'costs_total': costs.total,
        'costs_lowered': costs.lowered,
        'costs_basis': positions.get(id(costs.basis)),
        'interest_all': account.interest if account else ZERO,
        'per_day': account.per_day if account else ZERO,
        'capitalised': account.capitalised if account else ZERO,
        'segments': account.segments if account else (),
        'imputations': [
            (line.day, line.amount, line.costs, line.interest, line.principal, line.left, line.ref or ())
            for line in (account.imputations if account else ())],
    }


def _freeze(value):
    """Return a value as JSON knows it: dates and amounts as text, what comes in a row as a list."""
    if isinstance(value, Mapping):
        return {key: _freeze(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_freeze(entry) for entry in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
