"""One due item through time: interest, costs, payments and what is left. No Odoo in here.

The account of a claim answers what is owed on one due item at a day, and shows the way there, so that a judge can
follow it with a pencil. Its rules:

* A credit note lowers the principal from the beginning: what was credited was never owed.
* A payment counts on the day the creditor's account was credited (article 6:114 lid 2 BW), and that day still bears
  interest over the old amount (article 6:119a lid 1: “tot en met”).
* A payment extinguishes first costs, then interest accrued up to and including its day, then principal (article 6:44
  BW), as far as costs and interest had been claimed by then. Before anything was claimed it goes to the principal only:
  a creditor who asked for the bare invoice cannot afterwards book the payment on something else.
* After each full year, counted from the first interest day whatever was paid in between, the interest that is then
  unpaid begins to bear interest (article 6:119 lid 2, article 6:119a lid 3 BW). Interest that was paid does not. It
  stays interest: it is paid before the principal and bears no collection costs.
* Interest that was paid or waived goes off the oldest first, so first off what itself bears interest.
* Once the invoice itself is paid nothing accrues any more: what is left of the principal then is there only because
  costs and interest came first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from .amounts import HUNDRED, ZERO, not_negative, round_half_up
from .statutory_interest import (
    DAY_COUNTS,
    ONE_DAY,
    Rates,
    RateTable,
    Segment,
    days_in_year,
    make_segment,
    pieces,
    years_after,
)

PER_DAY_PLACES = 6


class Owed(NamedTuple):
    """What is owed on one debt, in its currency. ``principal`` is the hoofdsom, ``interest`` what accrued on it."""

    costs: Decimal
    interest: Decimal
    principal: Decimal

    @property
    def total(self) -> Decimal:
        return self.costs + self.interest + self.principal


class Imputation(NamedTuple):
    """Where one payment went.

    ``costs + interest + principal + overpaid`` is the payment; ``left`` is what is still owed after it.
    """

    costs: Decimal
    interest: Decimal
    principal: Decimal
    overpaid: Decimal
    left: Owed


def impute(payment: Decimal, costs: Decimal, interest: Decimal, principal: Decimal) -> Imputation:
    """Divide a payment over costs, accrued interest and principal, in that order (article 6:44 lid 1 BW).

    Collection costs are “costs” in this sense (HR 10-07-2015, ECLI:NL:HR:2015:1868). Costs and interest must be given
    as far as they were owed and claimed on the day of the payment: costs of a consumer only after the 14-day letter ran
    out. What is more than the debt comes back as ``overpaid``.

    :raise ValueError: for a negative amount: a payment that is taken back is no payment
    :raise TypeError: for a float
    """
    rest = not_negative(payment, "payment")
    costs = not_negative(costs, "costs")
    interest = not_negative(interest, "interest")
    principal = not_negative(principal, "principal")
    to_costs = min(rest, costs)
    rest -= to_costs
    to_interest = min(rest, interest)
    rest -= to_interest
    to_principal = min(rest, principal)
    rest -= to_principal
    return Imputation(
        to_costs, to_interest, to_principal, max(rest, ZERO),
        Owed(costs - to_costs, interest - to_interest, principal - to_principal),
    )


class Credit(NamedTuple):
    """A credit note of a day for an amount; it lowers the principal from the beginning."""

    day: date
    amount: Decimal


class Payment(NamedTuple):
    """Money that came in on a day. ``ref`` is whatever the caller wants to find back at its imputation."""

    day: date
    amount: Decimal
    ref: object = None


class Claimed(NamedTuple):
    """A notice claimed interest on a day, and does so for payments from that day on."""

    day: date


class CostsClaimed(NamedTuple):
    """Collection costs that are owed and claimed from a day on, in addition to earlier ones."""

    day: date
    amount: Decimal


class Waived(NamedTuple):
    """Costs and interest that the creditor let go of on a day (article 6:160 BW).

    Each comes off what is left of it. What a payment had extinguished before is still owed as principal, so the rest
    comes off that.
    """

    day: date
    costs: Decimal = ZERO
    interest: Decimal = ZERO
    ref: object = None


class PaidAsAsked(NamedTuple):
    """What a letter asked was paid on a day: all but what is ``open`` of the invoice itself is settled."""

    day: date
    open: Decimal
    ref: object = None


class Closed(NamedTuple):
    """The invoice itself was paid in full on a day."""

    day: date


def get_closed(original: Decimal, settlements: Iterable) -> Closed | None:
    """Return when an invoice itself was settled in full, if it was.

    :param settlements: with ``day`` and ``amount``
    """
    left = original
    for line in sorted(settlements, key=attrgetter('day')):
        left -= line.amount
        if left <= 0:
            return Closed(line.day)
    return None


Event = Credit | Payment | Claimed | CostsClaimed | Waived | PaidAsAsked | Closed


class PaymentImputed(NamedTuple):
    """Where a payment (or what was waived) went, and what was left after it.

    ``costs + interest + principal + overpaid`` is ``amount``. ``left.interest`` is all interest accrued up to and
    including the day, claimed or not.
    """

    day: date
    amount: Decimal
    costs: Decimal
    interest: Decimal
    principal: Decimal
    overpaid: Decimal
    left: Owed
    ref: object = None


def run_account(
    original: Decimal,
    first_interest_day: date | None,
    rates: RateTable | Rates,
    events: Iterable[Event],
    until: date,
    *,
    day_count: str = 'act/365',
    compound: bool = True,
    interest_until: date | None = None,
) -> 'Account':
    """Return what is owed on one due item at the end of ``until``.

    :param original: amount of the due item, at least zero
    :param first_interest_day: first day that bears interest, ``None`` when none does (yet)
    :param rates: ``(from, percentage per year)`` in any order, or a :class:`RateTable`; for an agreed rate one pair.
        Not looked at when nothing bears interest.
    :param events: :data:`Event` in any order. Those after ``until`` are not known yet and left out. On one day, what is
        claimed comes before what is paid, and that before what is waived.
    :param until: last day that counts, for interest as for events
    :param day_count: ``'act/365'`` or ``'act/act'``
    :param compound: ``False`` when interest bears no interest, as for agreed rates
    :param interest_until: last day that bears interest, ``None`` when it goes on
    :raise RateMissing: when a day that bears interest has no rate
    :raise ValueError: for a negative amount or another day count
    :raise TypeError: for a float or another kind of event
    """
    if day_count not in DAY_COUNTS:
        raise ValueError(f"Unknown day count {day_count!r}. Use one of: {', '.join(DAY_COUNTS)}.")
    original = not_negative(original, "amount of the due item")
    table = rates if isinstance(rates, RateTable) else RateTable(rates)
    known = _known(events, until)
    account = Account(
        original, first_interest_day, until, table, day_count, compound, interest_until)
    for event in known:
        if isinstance(event, Credit):
            account.credit(event)
    for event in known:
        if isinstance(event, Payment):
            account.pay(event)
        elif isinstance(event, CostsClaimed):
            account.claim_costs(event)
        elif isinstance(event, Waived):
            account.waive(event)
        elif isinstance(event, PaidAsAsked):
            account.settle(event)
        elif isinstance(event, Closed):
            account.close(event)
        elif isinstance(event, Claimed):
            account.interest_claimed = True
    account.accrue(until)
    account.per_day = account.get_interest_of(until + ONE_DAY)
    return account


def _known(events: Iterable[Event], until: date) -> list[Event]:
    """Return the events up to and including ``until`` in order; see :func:`_order`."""
    known = []
    for event in events:
        if not isinstance(event, Event):
            raise TypeError(f"{event!r} is not an event of an account.")
        if event.day <= until:
            known.append(event)
    if len(known) > 1:
        known.sort(key=_order)
    return known


def _order(event: Event) -> tuple[date, int]:
    """On one day claims, payments, what is waived, and what follows from all that."""
    if isinstance(event, PaidAsAsked | Closed):
        return event.day, 3
    return event.day, 2 if isinstance(event, Waived) else int(isinstance(event, Payment))


@dataclass
class Account:
    """What is owed on one due item, and why, while time goes by; in the end at the end of ``until``.

    Amounts are in the currency of the item.
    ``left.total - overpaid == original - credits + interest + costs - payments - waived``, always.

    :ivar original: amount of the due item as it was posted
    :ivar until: the day of the statement, included
    :ivar credits: sum of the credit notes
    :ivar payments: sum of the payments
    :ivar waived: sum of what was waived, or settled by what a letter asked
    :ivar segments: the interest in parts in which nothing changed; days without an amount to bear interest are left out
    :ivar interest: all interest accrued, paid or not: the sum of the segments
    :ivar costs: all costs claimed, paid or not
    :ivar imputations: where each payment went, in order, and what was waived
    :ivar left: what is still owed: costs, interest and principal
    :ivar overpaid: what was paid or credited in excess of what had been claimed
    :ivar capitalised: part of ``left.interest`` that bears interest itself
    :ivar per_day: interest the day after ``until`` will bear, with six decimals: add up first, then round
    :ivar next_day: the first day whose interest is not in it yet; none once nothing accrues any more
    :ivar opening: why the next segment begins
    """

    original: Decimal
    first_day: date | None
    until: date
    rates: RateTable = field(compare=False)
    day_count: str
    compound: bool
    interest_until: date | None = None
    credits: Decimal = ZERO
    payments: Decimal = ZERO
    waived: Decimal = ZERO
    interest: Decimal = ZERO
    costs: Decimal = ZERO
    overpaid: Decimal = ZERO
    capitalised: Decimal = ZERO
    per_day: Decimal = ZERO
    segments: list[Segment] = field(default_factory=list)
    imputations: list[PaymentImputed] = field(default_factory=list)
    interest_claimed: bool = False
    opening: str = 'start'

    def __post_init__(self):
        self.left = Owed(ZERO, ZERO, self.original)
        self.next_day = self.first_day

    @property
    def paid_as_asked(self) -> tuple[Decimal, Decimal]:
        """(interest, costs) that were settled by paying what a letter asked."""
        for line in self.imputations:
            if line.ref and line.ref[0] == 'paid_as_asked':
                of_costs = min(line.amount, self.costs)
                return line.amount - of_costs, of_costs
        return ZERO, ZERO

    def credit(self, credit: Credit) -> None:
        amount = not_negative(credit.amount, "amount of the credit note")
        self.credits += amount
        taken = min(amount, self.left.principal)
        self.left = self.left._replace(principal=self.left.principal - taken)
        self.overpaid += amount - taken

    def claim_costs(self, claimed: CostsClaimed) -> None:
        amount = not_negative(claimed.amount, "amount of the costs")
        self.left = self.left._replace(costs=self.left.costs + amount)
        self.costs += amount

    def accrue(self, last_day: date) -> None:
        """Let every day up to and including ``last_day`` bear its interest."""
        last_day = min(last_day, self.interest_until or last_day)
        if self.next_day is None or last_day < self.next_day:
            return
        base, interest = self.left.principal + self.capitalised, self.left.interest
        if base > 0:
            for piece in pieces(
                self.next_day, last_day, self.rates,
                anchor=self.first_day if self.compound else None, day_count=self.day_count,
                opening='start' if self.next_day == self.first_day else self.opening,
            ):
                if 'anniversary' in piece.reasons:
                    self.capitalised = interest
                    base = self.left.principal + self.capitalised
                segment = make_segment(piece, base)
                self.segments.append(segment)
                self.interest += segment.amount
                interest += segment.amount
        self.left = self.left._replace(interest=interest)
        self.next_day = last_day + ONE_DAY

    def pay(self, payment: Payment) -> None:
        self.accrue(payment.day)
        self.opening = 'payment'
        amount, owed = payment.amount, self.left
        done = impute(amount, owed.costs, owed.interest if self.interest_claimed else ZERO, owed.principal)
        self.payments += amount
        self._take_off(payment, amount, done.costs, done.interest, done.principal, done.overpaid)

    def waive(self, waived: Waived) -> None:
        costs = not_negative(waived.costs, "amount of the waived costs")
        interest = not_negative(waived.interest, "amount of the waived interest")
        if self.next_day is not None and waived.day >= self.next_day:  # else a payment of this day did
            self.accrue(waived.day)
            self.opening = 'waived'
        of_costs, of_interest = min(costs, self.left.costs), min(interest, self.left.interest)
        rest = costs + interest - of_costs - of_interest
        of_principal = min(rest, self.left.principal)
        self.waived += costs + interest
        self._take_off(waived, costs + interest, of_costs, of_interest, of_principal, rest - of_principal)

    def settle(self, paid: PaidAsAsked) -> None:
        self.accrue(paid.day)
        self.opening = 'payment'
        owed = self.left
        principal = max(ZERO, owed.principal - not_negative(paid.open, "open amount"))
        amount = owed.costs + owed.interest + principal
        self.waived += amount
        if amount:
            self._take_off(paid, amount, owed.costs, owed.interest, principal, ZERO)

    def close(self, closed: Closed) -> None:
        self.accrue(closed.day)
        self.next_day = None

    def _take_off(self, event, amount, costs, interest, principal, overpaid):
        """Take what was paid or waived off what is left."""
        self.left = Owed(self.left.costs - costs, self.left.interest - interest, self.left.principal - principal)
        self.capitalised = max(ZERO, self.capitalised - interest)
        self.overpaid += overpaid
        self.imputations.append(
            PaymentImputed(event.day, amount, costs, interest, principal, overpaid, self.left, event.ref))

    def get_interest_of(self, day: date) -> Decimal:
        """Return the interest of ``day``, the first one after the statement."""
        base = self.left.principal + self.capitalised
        if (
            self.next_day is None or not self.first_day <= day <= (self.interest_until or day) or base <= 0
        ):
            return ZERO
        years = day.year - self.first_day.year
        if self.compound and years and day == years_after(self.first_day, years):
            base = self.left.principal + self.left.interest
        year_days = days_in_year(day.year) if self.day_count == 'act/act' else 365
        return round_half_up(base * self.rates.at(day) / (HUNDRED * year_days), PER_DAY_PLACES)
