"""A schedule of instalments: which amounts on which days. No Odoo in here.

Amounts are :class:`~decimal.Decimal` in one currency. Days on which banks do not settle are no days to pay: a date on a
Saturday, a Sunday or a Dutch holiday moves to the next working day, as the General Extension of Time Limits Act does
with the end of a term (Algemene termijnenwet, article 1).
"""

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from ..law.dutch_calendar import extended

PERIODS = ('week', 'fortnight', 'month')
#: Ten years of months: whoever needs longer needs another kind of help.
MAX_INSTALMENTS = 120
ZERO = Decimal(0)


class ScheduleError(ValueError):
    """There is no such schedule.

    :ivar code: what is wrong: ``total``, ``down_payment``, ``day_of_month``, ``amount``, ``few``, ``many``, ``cent`` or
        ``order``
    :ivar count: the number of instalments there would be
    """

    def __init__(self, code, message, count=0):
        super().__init__(message)
        self.code, self.count = code, count


class Instalment(NamedTuple):
    """One payment. ``kind``: ``'down_payment'`` or ``'instalment'``."""

    due_date: date
    amount: Decimal
    kind: str = 'instalment'


def make_schedule(
    total: Decimal, *, first: date, period: str = 'month', day_of_month: int = 0, count: int | None = None,
    amount: Decimal | None = None, down_payment: Decimal = ZERO, down_payment_date: date | None = None, digits: int = 2,
) -> tuple[Instalment, ...]:
    """Return the instalments of a debt: their sum is ``total`` to the cent, their days are working days and rise.

    Either ``count`` or ``amount`` is given. What does not divide falls on the last instalment: with ``count`` it
    differs from the others by less than a cent for each of them, with ``amount`` it is the rest.

    :param total: what is owed, more than zero
    :param first: the day of the first instalment, or of the first ``day_of_month`` from then on
    :param period: ``'week'``, ``'fortnight'`` or ``'month'``
    :param day_of_month: day on which each month is paid, clipped to the length of the month; 0 for that of ``first``
    :param down_payment: paid first, before the instalments; less than ``total``
    :param down_payment_date: its day, before ``first``
    :param digits: decimals of the currency
    :raise ScheduleError: with a sentence, when no such schedule exists
    """
    cent = Decimal(1).scaleb(-digits)
    total, down_payment = _money(total, cent), _money(down_payment or ZERO, cent)
    if total <= 0:
        raise ScheduleError("total", "There is nothing to pay in instalments.")
    if not 0 <= down_payment < total:
        raise ScheduleError("down_payment", "The down payment is less than what is owed, and not negative.")
    if period not in PERIODS:
        raise ValueError(f"There is no period {period!r}.")
    if not 0 <= day_of_month <= 31:
        raise ScheduleError("day_of_month", "The day of the month lies between 1 and 31.")
    amounts = _get_amounts(total - down_payment, count, amount, cent)
    days = _get_days(first, period, day_of_month, len(amounts))
    schedule = [Instalment(day, part) for day, part in zip(days, amounts, strict=True)]
    if down_payment:
        day = extended(down_payment_date or first - timedelta(days=7))
        if day >= days[0]:
            raise ScheduleError("order", "The down payment comes before the first instalment.")
        schedule.insert(0, Instalment(day, down_payment, 'down_payment'))
    return tuple(schedule)


def count_for(total: Decimal, amount: Decimal) -> int:
    """Return how many instalments of ``amount`` pay ``total``; the last one may be smaller."""
    if total <= 0 or amount <= 0:
        raise ValueError("What is owed and the instalment are more than zero.")
    return int((Decimal(total) / Decimal(amount)).to_integral_value(ROUND_CEILING))


def amount_for(total: Decimal, count: int, *, digits: int = 2) -> Decimal:
    """Return the amount of each of ``count`` instalments but the last."""
    cent = Decimal(1).scaleb(-digits)
    return _get_amounts(_money(total, cent), count, None, cent)[0]


def _money(value, cent):
    return Decimal(value).quantize(cent, ROUND_HALF_UP)


def _get_amounts(total, count, amount, cent):
    if (count is None) == (amount is None):
        raise ValueError("Say either how many instalments there are, or how much each is.")
    if amount is not None:
        regular = _money(amount, cent)
        if regular <= 0:
            raise ScheduleError("amount", "The amount of an instalment is more than zero.")
        count = count_for(total, regular)
    if not 1 <= count <= MAX_INSTALMENTS:
        raise ScheduleError(
            "few" if count < 1 else "many", f"The number of instalments lies between 1 and {MAX_INSTALMENTS}.", count)
    if amount is None:
        regular = (total / count).quantize(cent, ROUND_HALF_UP)
        if regular * (count - 1) >= total:
            regular = (total / count).quantize(cent, ROUND_DOWN)
        if regular <= 0:
            raise ScheduleError("cent", "That is less than a cent for each instalment: choose fewer.")
    last = total - regular * (count - 1)
    return [*[regular] * (count - 1), last]


def _get_days(first, period, day_of_month, count):
    if period == 'month':
        wanted = day_of_month or first.day
        start = first.year * 12 + first.month - 1
        if _on_day(start, wanted) < first:
            start += 1
        nominal = [_on_day(start + turn, wanted) for turn in range(count)]
    else:
        step = timedelta(days=7 if period == 'week' else 14)
        nominal = [first + turn * step for turn in range(count)]
    return [extended(day) for day in nominal]


def _on_day(month, wanted):
    """Return a day of a month (counted from year 0), clipped to its length."""
    year, month = divmod(month, 12)
    return date(year, month + 1, min(wanted, monthrange(year, month + 1)[1]))
