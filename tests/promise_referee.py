"""An independent judge of promises: adds up by hand from the rows of a file, and knows neither Odoo nor the addon."""

from datetime import date, timedelta

DAY = timedelta(days=1)
EASTER = {
    2012: date(2012, 4, 8), 2013: date(2013, 3, 31), 2014: date(2014, 4, 20), 2015: date(2015, 4, 5)}


def is_bank_day(day):
    """Tell whether banks settle: not in weekends, not on Dutch holidays, not on 1 May; written out on purpose."""
    easter = EASTER[day.year]
    kings_day = date(day.year, 4, 30) if day.year < 2014 else date(day.year, 4, 27)
    if kings_day.weekday() == 6:
        kings_day -= DAY
    closed = {
        date(day.year, 1, 1), easter - 2 * DAY, easter, easter + DAY, kings_day, date(day.year, 5, 1),
        date(day.year, 5, 5), easter + 39 * DAY, easter + 49 * DAY, easter + 50 * DAY,
        date(day.year, 12, 25), date(day.year, 12, 26)}
    return day.weekday() < 5 and day not in closed


def last_day(promised, grace=2):
    """Return the last day on which money counts."""
    day = promised
    while grace:
        day += DAY
        grace -= is_bank_day(day)
    return day


def script(row, die):
    """Return what the debtor does, from the day he settled according to the file: ``[(day, what, cents)]``.

    Most pay at once. Others pay in two parts, get a credit note first, or see their payment bounce.
    """
    cents = round(row.amount * 100)
    way = die % 10
    if way in (0, 1):
        return [(row.settled_date, 'pay', cents // 2), (row.settled_date + 9 * DAY, 'pay', cents - cents // 2)]
    if way == 2:
        return [(row.due_date + 2 * DAY, 'credit', cents // 3), (row.settled_date + 2 * DAY, 'pay', cents - cents // 3)]
    if way == 3:
        return [(row.settled_date, 'pay', cents), (row.settled_date + 3 * DAY, 'bounce', cents)]
    if way == 4:
        return [(row.settled_date, 'receive', cents), (row.settled_date + 4 * DAY, 'match', cents)]
    if way == 5:
        return [(row.due_date + 3 * DAY, 'credit', cents)]
    return [(row.settled_date, 'pay', cents)]


def verdict(row, events, promised):
    """Return what became of the promise to have paid the whole invoice by a day: (state, cents that came in time)."""
    end = last_day(promised)
    paid = sum(cents for day, what, cents in events if what in ('pay', 'receive') and day <= end)
    if any(what == 'bounce' for _day, what, _cents in events):
        paid = 0
    need = round(row.amount * 100) - sum(cents for day, what, cents in events if what == 'credit' and day <= end)
    if not need:
        return 'cancelled', 0
    return 'kept' if paid >= need else 'partly' if paid else 'broken', paid
