"""Days that count, terms and public holidays in the Netherlands. No Odoo in here.

Holidays come from the ``holidays`` library. Good Friday and 5 May are always holidays here: the General Extension of
Time Limits Act (Algemene termijnenwet, article 3) treats them as such, and a term that is a day too long harms nobody
while one that is a day too short costs the creditor all collection costs.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import holidays
from dateutil.easter import easter

FOURTEEN_DAYS = 14
# Two was the empirical rule of HR 25-11-2016; the post may take longer since 2026, never shorter.
MIN_POSTAL_DAYS = 2
DEFAULT_POSTAL_DAYS = 3
SATURDAY, SUNDAY, MONDAY = 5, 6, 0
ONE_DAY = timedelta(days=1)


class FourteenDayTerm(NamedTuple):
    """``last_free_day``: last day on which paying costs nothing; ``costs_from``: first day costs are owed."""

    last_free_day: date
    costs_from: date


@lru_cache(maxsize=256)
def holidays_of(year: int, country: str = 'NL') -> frozenset[date]:
    """Return the public holidays of a year.

    :param year: calendar year
    :param country: ISO 3166 code of two letters; for ``'NL'`` Good Friday and 5 May are always among them
    :raise ValueError: when no holidays are known for the country
    """
    try:
        days = set(holidays.country_holidays(country, years=year))
    except NotImplementedError as error:
        raise ValueError(f"No public holidays are known for the country {country!r}.") from error
    if country == 'NL':
        days |= {easter(year) - timedelta(days=2), date(year, 5, 5)}
    return frozenset(days)


def is_holiday(day: date, country: str = 'NL') -> bool:
    """Tell whether ``day`` is a public holiday. Raises ``ValueError`` for an unknown country."""
    return day in holidays_of(day.year, country)


def is_rest_day(day: date) -> bool:
    """Tell whether ``day`` is a Saturday, a Sunday or a holiday (Algemene termijnenwet, articles 1 and 3)."""
    return day.weekday() in (SATURDAY, SUNDAY) or is_holiday(day)


def next_working_day(day: date) -> date:
    """Return the first working day after ``day``, never ``day`` itself."""
    return extended(day + ONE_DAY)


def add_bank_days(day: date, count: int) -> date:
    """Return the ``count``-th day after ``day`` on which banks settle; ``day`` itself when ``count`` is 0.

    Saturdays, Sundays, Dutch holidays and 1 May (closing day of TARGET, the system between banks) do not count.

    :raise ValueError: for a negative count
    """
    if count < 0:
        raise ValueError(f"A number of bank days is not negative: {count}.")
    while count:
        day += ONE_DAY
        if day not in bank_holidays_of(day.year) and day.weekday() not in (SATURDAY, SUNDAY):
            count -= 1
    return day


def bank_holidays_of(year: int) -> frozenset[date]:
    """Return the days besides Saturdays and Sundays on which banks do not settle."""
    return holidays_of(year) | {date(year, 5, 1)}


def first_day_within(day: date, count: int) -> date:
    """Return the first day of which :func:`add_bank_days` with this count is not before ``day``."""
    first = day
    while add_bank_days(first - ONE_DAY, count) >= day:
        first -= ONE_DAY
    return first


def extended(last_day: date) -> date:
    """Return ``last_day``, or when that is a rest day the next working day (Algemene termijnenwet, article 1 lid 1)."""
    while is_rest_day(last_day):
        last_day += ONE_DAY
    return last_day


def presumed_receipt(sent: date, postal_days: int = DEFAULT_POSTAL_DAYS) -> date:
    """Return the day ordinary post is presumed to have been delivered.

    It is the ``postal_days``-th day after sending, where a Sunday, a Monday and a holiday count neither on the way nor
    as the day of delivery (HR 25-11-2016, ECLI:NL:HR:2016:2704, which took the second day).

    :param sent: day the letter was posted
    :param postal_days: days the post takes, at least 2
    :raise ValueError: for fewer than 2 days
    """
    if postal_days < MIN_POSTAL_DAYS:
        raise ValueError(f"Post takes at least {MIN_POSTAL_DAYS} days, not {postal_days}.")
    day = sent
    while postal_days:
        day += ONE_DAY
        if day.weekday() not in (SUNDAY, MONDAY) and not is_holiday(day):
            postal_days -= 1
    return day


def fourteen_day_term(receipt: date) -> FourteenDayTerm:
    """Return when the term of a 14-day letter ends and costs begin (article 6:96 lid 6 BW).

    The debtor has fourteen full days that begin the day after he received the letter (HR 25-11-2016,
    ECLI:NL:HR:2016:2704). A last day on a Saturday, a Sunday or a holiday moves to the next working day. Whether the
    Algemene termijnenwet demands that here is not settled; giving the days is safe, costs asked too early are lost.

    :param receipt: day the letter was received, or is presumed to have been
    """
    last = extended(receipt + timedelta(days=FOURTEEN_DAYS))
    return FourteenDayTerm(last, last + ONE_DAY)
