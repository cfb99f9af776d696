"""An independent judge of arrangements: whole cents and calendar days, knows neither Odoo nor the addon.

It lives through the days one by one and keeps a purse, instead of working out what holds on a day.
"""

from datetime import date, timedelta

DAY = timedelta(days=1)
# Closed days of banks in the year of the stories, written out: Easter, King's Day, 1 and 5 May, Ascension, Whitsun.
CLOSED = {date(2025, *day) for day in (
    (1, 1), (4, 18), (4, 20), (4, 21), (4, 26), (5, 1), (5, 5), (5, 29), (6, 8), (6, 9), (12, 25), (12, 26))}
OFFICES_OPEN = {date(2025, 5, 1)}  # banks rest, others do not


def is_bank_day(day):
    return day.weekday() < 5 and day not in CLOSED


def is_working_day(day):
    return is_bank_day(day) or (day in OFFICES_OPEN and day.weekday() < 5)


def after_bank_days(day, count):
    """Return the day on which ``count`` bank days have passed."""
    while count:
        day += DAY
        if is_bank_day(day):
            count -= 1
    return day


def or_later(day):
    """Return a day, or the working day that follows it."""
    while not is_working_day(day):
        day += DAY
    return day


class Referee:
    """The life of one arrangement: ``schedule`` is a list of (due day, cents)."""

    def __init__(self, schedule, *, grace=3, chance=7, notice=3):
        self.schedule, self.grace, self.chance, self.notice = schedule, grace, chance, notice
        self.money = []  # (day, cents); a payment that bounced is taken out again
        self.credited = 0
        self.state = 'active'
        self.asked = {}  # number of an instalment -> last day
        self.reminded, self.mails = set(), []

    # --- what the debtor and the bookkeeper do ---

    def open_cents(self):
        return sum(cents for _day, cents in self.schedule) - self.credited - sum(cents for _day, cents in self.money)

    def pay(self, day, cents):
        self.money.append((day, cents))

    def bounce(self, number):
        del self.money[number]

    def credit(self, cents):
        self.credited += cents

    # --- adding up ---

    def owed(self):
        """Return what is owed of each instalment: what was credited is off the last ones."""
        left, result = self.credited, []
        for _day, cents in reversed(self.schedule):
            off = min(cents, left)
            left -= off
            result.append(cents - off)
        return result[::-1]

    def unpaid(self, until=date.max):
        """Return what is unpaid of each instalment."""
        purse = sum(cents for day, cents in self.money if day <= until)
        result = []
        for cents in self.owed():
            result.append(max(0, cents - purse))
            purse = max(0, purse - cents)
        return result

    # --- a day passes ---

    def settle(self):
        """The ledger changed: it may be kept, or not any more."""
        if self.state in ('active', 'kept', 'credited'):
            left = sum(self.unpaid())
            self.state = 'active' if left else 'kept' if self.money else 'credited'
            for number, cents in enumerate(self.unpaid()):
                if not cents:
                    self.asked.pop(number, None)
        elif self.state == 'broken':
            in_time = all(
                not self.unpaid(after_bank_days(last, 1))[number] for number, last in self.asked.items())
            if in_time:
                self.state, self.asked = 'active', {}
                self.settle()

    def morning(self, today):
        """The scheduled action."""
        self.settle()
        if self.state != 'active':
            return
        unpaid = self.unpaid()
        late = [
            number for number, (due, _cents) in enumerate(self.schedule)
            if unpaid[number] and today > after_bank_days(due, self.grace)]
        if any(number in self.asked and today > after_bank_days(self.asked[number], 1) for number in late):
            self.state = 'broken'
            self.mails.append((today, 'broken'))
            return
        new = [number for number in late if number not in self.asked]
        for number in new:
            self.asked[number] = or_later(today + self.chance * DAY)
        if new:
            self.mails.append((today, 'missed'))
        if late:
            return
        for number, (due, _cents) in enumerate(self.schedule):
            if unpaid[number] and number not in self.reminded and today <= due <= after_bank_days(today, self.notice):
                self.reminded.add(number)
                self.mails.append((today, 'reminder'))
                break
