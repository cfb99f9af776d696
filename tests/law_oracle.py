"""What is owed, worked out a second time by walking through the days with exact fractions.

It shares no code with ``tools`` and takes no shortcuts: one loop over the days, whole cents and fractions.
"""

from datetime import timedelta
from fractions import Fraction

from hypothesis import HealthCheck, settings

# The same examples on every machine; a search for new ones is `derandomize=False, max_examples=…`.
CALM = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False,
    max_examples=150)


def cents(amount):
    """Return an exact number of cents."""
    number = Fraction(amount) * 100
    assert number.denominator == 1, amount
    return int(number)


def half_up(number):
    """Return the nearest whole number of a fraction that is not negative, the higher one when it is in the middle."""
    return (2 * number + 1).numerator // (2 * (2 * number + 1).denominator)


def is_leap(year):
    return (year % 4 == 0 and year % 100 != 0) or year % 400 == 0


def is_anniversary(day, first):
    if day.year <= first.year:
        return False
    if (first.month, first.day) == (2, 29) and not is_leap(day.year):
        return (day.month, day.day) == (2, 28)
    return (day.month, day.day) == (first.month, first.day)


def rate_on(day, rates):
    known = [(start, percent) for start, percent in rates if start <= day]
    return Fraction(max(known)[1])


class Walk:
    """An account in cents after the last day; ``segments`` are (first day, last day, base, amount) in cents."""

    def __init__(self, original, first, rates, until, *, payments=(), costs=(), claimed_from=None, credits_=(),
                 waived=(), act_act=False, compound=True, closed=None):
        # A credit note that is known by then counts from the beginning.
        self.principal = cents(original)
        self.overpaid = 0
        for day, amount in credits_:
            if day <= until:
                self.principal -= cents(amount)
        if self.principal < 0:
            self.overpaid, self.principal = -self.principal, 0
        self.first, self.rates, self.act_act, self.compound = first, rates, act_act, compound
        self.costs = self.interest = self.old_interest = self.total_interest = 0
        self.running, self.opened = Fraction(0), None
        self.segments, self.paid = [], []
        days = [day for day, *_amounts in (*payments, *costs, *waived)] + ([first] if first else [])
        day = min([*days, until])
        while day <= until:
            self._morning(day)
            if first and day >= first and not (closed and day > closed):  # the invoice itself was paid
                base = self.principal + self.old_interest
                if base:
                    self.opened = self.opened or (day, base)
                    length = 366 if act_act and is_leap(day.year) else 365
                    self.running += base * rate_on(day, rates) / 100 / length
            self.costs += sum(cents(amount) for when, amount in costs if when == day)
            today = [amount for when, amount in payments if when == day]
            let_go = [amounts for when, *amounts in waived if when == day]
            if today or let_go:
                self._close(day)
            for amount in today:
                self._pay(day, cents(amount), claimed_from is not None and claimed_from <= day)
            for amounts in let_go:
                self._waive(day, *map(cents, amounts))
            day += timedelta(days=1)
        self._close(until)

    def _morning(self, day):
        if not self.first or day <= self.first:
            return
        before = day - timedelta(days=1)
        birthday = self.compound and is_anniversary(day, self.first)
        new_rate = rate_on(day, self.rates) != rate_on(before, self.rates)
        new_length = self.act_act and is_leap(day.year) != is_leap(before.year)
        if birthday or new_rate or new_length:
            self._close(before)
        if birthday and self.principal + self.old_interest:
            self.old_interest = self.interest

    def _close(self, day):
        if self.opened:
            amount = half_up(self.running)
            self.segments.append((self.opened[0], day, self.opened[1], amount))
            self.interest += amount
            self.total_interest += amount
        self.opened, self.running = None, Fraction(0)

    def _pay(self, day, amount, with_interest):
        rest = amount
        to_costs = min(rest, self.costs)
        rest -= to_costs
        to_interest = min(rest, self.interest) if with_interest else 0
        rest -= to_interest
        to_principal = min(rest, self.principal)
        rest -= to_principal
        self.costs -= to_costs
        self.interest -= to_interest
        self.old_interest = max(0, self.old_interest - to_interest)
        self.principal -= to_principal
        self.overpaid += rest
        self.paid.append((day, to_costs, to_interest, to_principal, rest))

    def _waive(self, day, costs, interest):
        """Whatever is no longer owed as costs or interest, for it was paid, comes off the principal."""
        of_costs = min(costs, self.costs)
        of_interest = min(interest, self.interest)
        of_principal = min(costs + interest - of_costs - of_interest, self.principal)
        rest = costs + interest - of_costs - of_interest - of_principal
        self.costs -= of_costs
        self.interest -= of_interest
        self.old_interest = max(0, self.old_interest - of_interest)
        self.principal -= of_principal
        self.overpaid += rest
        self.paid.append((day, of_costs, of_interest, of_principal, rest))
