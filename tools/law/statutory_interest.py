"""Statutory interest in the Netherlands (wettelijke rente and wettelijke handelsrente). No Odoo in here.

Sources: articles 6:119 (everybody), 6:119a (commercial agreements), 6:119b (public bodies) and 6:120 BW (rates).

Conventions, chosen because the law is silent and courts and calculators use them:

* both the first and the last day bear interest (article 6:119a lid 1: “tot en met” the day of payment);
* a year has 365 days, also a leap year (``'act/365'``); ``'act/act'`` counts 366 in a leap year;
* a new rate applies to running interest from its day on (article 6:120), so the period is split there;
* after each full year, counted from the first interest day and not from 1 January, that year's interest is added to the
  amount that bears interest (article 6:119 lid 2, article 6:119a lid 3); 29 February becomes 28 February;
* each segment is rounded half up to the cent, and the rounded amounts are added: what is printed adds up.
"""

from bisect import bisect_left, bisect_right
from calendar import isleap
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from .amounts import not_negative, round_half_up

ONE_DAY = timedelta(days=1)
# Article 6:119a: thirty days after the start of the day that follows the receipt.
DAYS_WITHOUT_AGREED_TERM = 30
DAY_COUNTS = ('act/365', 'act/act')

Rates = Sequence[tuple[date, Decimal]]


class RateMissing(ValueError):
    """No rate is known for a day that bears interest. ``day`` is the first such day."""

    def __init__(self, day: date):
        super().__init__(f"No interest rate is known for {day.isoformat()}. Enter the rate that applies from then on.")
        self.day = day


class Segment(NamedTuple):
    """A part of a period in which nothing changes.

    :ivar first_day: first day that bears interest
    :ivar last_day: last day that bears interest
    :ivar days: number of days, both included
    :ivar rate: percentage per year
    :ivar principal: amount that bears interest, with the interest of full years
    :ivar amount: ``principal × rate% × days / year_days``, rounded
    :ivar reasons: why a segment begins here: ``'start'``, ``'rate'``, ``'anniversary'``, ``'year'`` (a leap year begins
        or ends) and, in an account, ``'payment'`` or ``'waived'``
    :ivar year_days: days of a year in this segment, 365 or 366
    """

    first_day: date
    last_day: date
    days: int
    rate: Decimal
    principal: Decimal
    amount: Decimal
    reasons: tuple[str, ...] = ('start',)
    year_days: int = 365


class Piece(NamedTuple):
    """A part of a period with one rate and one length of the year, before there is an amount to it."""

    first_day: date
    last_day: date
    rate: Decimal
    reasons: tuple[str, ...]
    year_days: int


class RateTable:
    """Rates in order of time, ready to be looked up. Make one when the same rates serve many claims.

    :param rates: pairs of the day a rate applies from and the percentage per year
    :raise ValueError: for two different rates of one day, or a negative rate
    :raise TypeError: for a float
    """

    __slots__ = ('days', 'percents')

    def __init__(self, rates: Rates):
        self.days: list[date] = []
        self.percents: list[Decimal] = []
        seen: date | None = None
        for day, percent in sorted(rates, key=itemgetter(0)):
            percent = not_negative(percent, "interest rate")
            if day == seen and percent != self.percents[-1]:
                raise ValueError(f"There are two interest rates for {day.isoformat()}.")
            seen = day
            # A rate that stays the same splits nothing.
            if not self.days or percent != self.percents[-1]:
                self.days.append(day)
                self.percents.append(percent)

    def at(self, day: date) -> Decimal:
        """Return the percentage per year on ``day``; raise :class:`RateMissing` when there is none."""
        index = bisect_right(self.days, day) - 1
        if index < 0:
            raise RateMissing(day)
        return self.percents[index]

    def changes(self, first_day: date, last_day: date) -> list[date]:
        """Return the days on which another rate begins, from ``first_day`` up to and including ``last_day``."""
        return self.days[bisect_left(self.days, first_day):bisect_right(self.days, last_day)]


#: For what bears no interest.
NO_RATES = RateTable(())


def first_interest_day(due_date: date) -> date:
    """Return the first day that bears interest: the day after the last payment day (article 6:119a lid 1)."""
    return due_date + ONE_DAY


def last_payment_day_from_receipt(receipt: date) -> date:
    """Return the last payment day between businesses that agreed none (article 6:119a lid 2).

    Interest runs from thirty days after the start of the day that follows the receipt, so the thirtieth day after the
    receipt is the last day without.

    :param receipt: day the invoice was received, or the performance when that came later
    """
    return receipt + timedelta(days=DAYS_WITHOUT_AGREED_TERM)


def years_after(day: date, years: int) -> date:
    """Return the same day ``years`` years later; 29 February becomes 28 February where there is none."""
    return day + relativedelta(years=years)


def days_in_year(year: int) -> int:
    """Return 365 or 366."""
    return 366 if isleap(year) else 365


def pieces(
    first_day: date,
    last_day: date,
    rates: RateTable,
    *,
    anchor: date | None,
    day_count: str = 'act/365',
    opening: str = 'start',
) -> Iterator[Piece]:
    """Split a period, both days included, where a rate, an interest year or the length of the year changes.

    :param anchor: first day of the first interest year, ``None`` without compounding
    :param opening: why the first piece begins; unless that is ``'start'`` interest ran the day before, and what changes
        on the first day is told too
    :raise RateMissing: when a day has no rate
    """
    leap = day_count == 'act/act'
    began = first_day if opening == 'start' else first_day - ONE_DAY
    cuts: dict[date, tuple[str, ...]] = {first_day: (opening,)}
    for day in rates.changes(began + ONE_DAY, last_day):
        cuts[day] = cuts.get(day, ()) + ('rate',)
    # Most claims are younger than a year.
    if anchor is not None and (last_day - anchor).days >= 365:
        for years in range(max(1, first_day.year - anchor.year), last_day.year - anchor.year + 1):
            day = years_after(anchor, years)
            if first_day <= day <= last_day:
                cuts[day] = cuts.get(day, ()) + ('anniversary',)
    if leap:
        for year in range(began.year + 1, last_day.year + 1):
            if days_in_year(year) != days_in_year(year - 1):
                day = date(year, 1, 1)
                cuts[day] = cuts.get(day, ()) + ('year',)
    starts = sorted(cuts)
    for index, start in enumerate(starts):
        end = starts[index + 1] - ONE_DAY if index + 1 < len(starts) else last_day
        yield Piece(start, end, rates.at(start), cuts[start], days_in_year(start.year) if leap else 365)


def make_segment(piece: Piece, principal: Decimal) -> Segment:
    """Return the interest on ``principal`` over one piece, rounded half up to the cent."""
    days = (piece.last_day - piece.first_day).days + 1
    amount = round_half_up(principal * piece.rate * days / (100 * piece.year_days))
    return Segment(
        piece.first_day, piece.last_day, days, piece.rate, principal, amount, piece.reasons, piece.year_days)
