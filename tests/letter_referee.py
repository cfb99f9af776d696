"""An independent judge of what may be asked of a consumer on a day: whole cents, knows neither Odoo nor the addon.

It asks every question about a letter from the facts alone, again and again, and keeps no state: slow, and easy to read
beside the law. Facts are plain dictionaries, see :func:`invoice` and :func:`letter`.
"""

from datetime import date, timedelta
from fractions import Fraction

from .law_oracle import Walk, half_up

DAY = timedelta(days=1)
# Written out, with Good Friday and 5 May.
HOLIDAYS = {date(year, month, day) for year, month, day in (
    (2026, 12, 25), (2026, 12, 26),
    (2027, 1, 1), (2027, 3, 26), (2027, 3, 28), (2027, 3, 29), (2027, 4, 27), (2027, 5, 5), (2027, 5, 6),
    (2027, 5, 16), (2027, 5, 17), (2027, 12, 25), (2027, 12, 26),
    (2028, 1, 1), (2028, 4, 14), (2028, 4, 16), (2028, 4, 17), (2028, 4, 27), (2028, 5, 5), (2028, 5, 25),
    (2028, 6, 4), (2028, 6, 5), (2028, 12, 25), (2028, 12, 26))}
SLOWER_POST = date(2027, 7, 1)
RATES = [(date(2020, 1, 1), Fraction(4)), (date(2027, 7, 1), Fraction(6))]
SMALL = 26667


def invoice(number, cents, due, *, debtor=1, agreed=False, known=None, moves=(), apart=(), claimed=None):
    """Return an invoice; ``moves`` are (day, cents, is money), ``apart`` are (first day, last day or None).

    :param claimed: first day on which money goes to interest before it goes to the principal
    """
    return {
        'number': number, 'cents': cents, 'due': due, 'debtor': debtor, 'agreed': agreed, 'known': known,
        'moves': list(moves), 'apart': list(apart), 'claimed': claimed}


def letter(role, day, items, ways, *, debtor=1, treated='consumer', deadline=None, announced=0, proofs=()):
    """Return a letter.

    :param items: what it said: {number of the invoice in the facts: (printed number, cents, due day)}
    :param ways: (channel, day it left or None, whether it came back)
    :param proofs: (kind, day, channel or None, whether there is a document)
    """
    return {
        'role': role, 'day': day, 'items': dict(items), 'ways': list(ways), 'debtor': debtor, 'treated': treated,
        'deadline': deadline, 'announced': announced, 'proofs': list(proofs)}


# --- days ---

def is_post_day(day):
    return day.strftime('%a') not in ('Sun', 'Mon') and day not in HOLIDAYS


def is_office_day(day):
    return day.strftime('%a') not in ('Sat', 'Sun') and day not in HOLIDAYS


def arrives_by_post(posted, chosen_days):
    """Return the day on which something posted is presumed to be in the letter box."""
    days = 4 if posted >= SLOWER_POST else 3
    days = max(days, chosen_days)
    day = posted
    while True:
        day += DAY
        days -= is_post_day(day)
        if not days:
            return day


def fourteen_days_after(receipt):
    """Return the last day of the fourteen, which is an office day."""
    day = receipt + 14 * DAY
    while not is_office_day(day):
        day += DAY
    return day


def half_year_before(day):
    month = day.month + 6 if day.month <= 6 else day.month - 6
    year = day.year - 1 if day.month <= 6 else day.year
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError(day)


# --- money ---

def scale(cents):
    """Return the statutory collection costs of a principal, in cents."""
    if cents <= 0:
        return 0
    costs, floor = Fraction(0), 0
    for top, percent in ((250000, Fraction(15)), (500000, Fraction(10)), (1000000, Fraction(5)),
                         (20000000, Fraction(1)), (10 ** 12, Fraction(1, 2))):
        costs += max(0, min(cents, top) - floor) * percent / 100
        floor = top
    return half_up(min(Fraction(677500), max(Fraction(4000), costs)))


def split(cents, weights):
    """Return whole cents in proportion to weights: rounded down, and what is left to the largest fractions."""
    exact = [Fraction(cents * weight, sum(weights)) for weight in weights]
    parts = [number.numerator // number.denominator for number in exact]
    for index in sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index)):
        if sum(parts) < cents:
            parts[index] += 1
    return parts


class Referee:
    """What holds by these facts.

    :param invoices: {number: :func:`invoice`}
    :param letters: list of :func:`letter`, the oldest first
    """

    def __init__(self, invoices, letters, *, debtor_type='consumer', shortest=5, postal_days=0):
        self.invoices, self.letters, self.debtor_type = invoices, letters, debtor_type
        self.shortest, self.postal_days = shortest, postal_days

    # --- receipt ---

    def received(self, told):
        """Return the day on which a letter was received, 'lost' or 'unknown'."""
        arrivals = {}
        living = [way for way in told['ways'] if not way[2]]
        for way in told['ways']:
            channel, left, lost = way
            proofs = []
            for kind, day, about, document in told['proofs']:
                if kind == 'registered':
                    about = 'post'
                if about is None:
                    # It is about the only way that worked. Of two, where both have to arrive, it is about the faster.
                    about = channel if way in (living or told['ways']) else 'none'
                    if told['role'] == 'fourteen_day' and len(living or told['ways']) > 1:
                        about = 'email'
                if about == channel and left and day >= left:
                    proofs.append((kind, day, document))
            arrivals[channel] = self._arrival(channel, left, lost, proofs)
        there = [value for value in arrivals.values() if value != 'lost']
        if not there:
            return 'lost'
        proven = [day for day, sure in (value for value in there if value != 'unknown') if sure]
        if told['role'] != 'fourteen_day' and proven:
            return min(proven)
        if 'unknown' in there:
            return 'unknown'
        return max(day for day, _sure in there)

    def _arrival(self, channel, left, lost, proofs):
        """Return 'lost', 'unknown' or (day, whether it is proven)."""
        if left is None:
            return 'lost' if lost else 'unknown'
        papers = [day for kind, day, document in proofs if document and kind != 'opened']
        seen = [day for kind, day, _document in proofs if kind == 'opened']
        if papers:
            return min(papers + seen), True
        usual = left + DAY if channel == 'email' else arrives_by_post(left, self.postal_days)
        if seen and (lost or min(seen) <= usual):
            return min(seen), True
        if lost:
            return 'lost'
        words = [day for kind, day, document in proofs if not document and kind != 'opened']
        return max([usual, *words]), False

    def last_day(self, told):
        """Return the last day of the term of a letter, or None."""
        if told['role'] == 'default_notice':
            return told['deadline']
        received = self.received(told)
        return fourteen_days_after(received) if isinstance(received, date) else None

    # --- why not ---

    def reasons(self, index):
        """Return the set of (reason, number or None) why the letter with an index does not hold."""
        told = self.letters[index]
        found = self._reasons_of_demand(told)
        if told['role'] == 'fourteen_day':
            found |= self._reasons_of_announcement(index)
            if told['announced'] > self.right_costs(index):
                found.add(('costs_too_high', None))
        return found

    def _reasons_of_demand(self, told):
        found = set()
        received = self.received(told)
        if received == 'lost':
            found.add(('not_delivered', None))
        elif received == 'unknown':
            found.add(('receipt_unknown', None))
        elif told['role'] == 'default_notice' and (
            told['deadline'] is None or told['deadline'] < received + self.shortest * DAY
        ):
            found.add(('term_too_short', None))
        if self.debtor_type == 'consumer' != told['treated']:
            found.add(('became_consumer', None))
        for number, (printed, cents, due) in told['items'].items():
            if number not in self.invoices:
                found.add(('item_gone', number))
                continue
            now = self.invoices[number]
            for reason, wrong in (
                ('other_debtor', now['debtor'] != told['debtor']),
                ('number_changed', now['number'] != printed),
                ('amount_raised', now['cents'] > cents),
                ('due_date_later', now['due'] > due),
                ('not_due', now['due'] >= told['day']),
            ):
                if wrong:
                    found.add((reason, number))
        return found

    def _reasons_of_announcement(self, index):
        told, found = self.letters[index], set()
        if told['treated'] == 'consumer' != self.debtor_type:
            found.add(('became_business', None))
        announced = {number for earlier in range(index) for number in self.holding(earlier, costs=True)}
        for number, now in self.invoices.items():
            default = self.default_day(number, before=index)
            late = default is not None and default <= told['day']
            if number in told['items']:
                if not late:
                    found.add(('not_in_default', number))
                if number in announced:
                    found.add(('announced_before', number))
            elif late and number not in announced and now['debtor'] == told['debtor'] and (
                now['known'] is None or now['known'] < told['day']
            ) and self.unpaid(number, told['day'] - DAY, told['day']) > 0 and not any(
                first <= told['day'] <= (last or date.max) for first, last in now['apart']
            ):
                found.add(('not_joined', number))
        return found

    def holding(self, index, *, costs=False):
        """Return the numbers of the invoices for which a letter works: as a demand, or as announcement of costs."""
        told = self.letters[index]
        if costs and told['role'] != 'fourteen_day':
            return []
        found = self.reasons(index) if costs else self._reasons_of_demand(told)
        if any(number is None or reason == 'not_joined' for reason, number in found):
            return []
        return [number for number in told['items'] if number not in {number for _reason, number in found}]

    def default_day(self, number, before=None):
        """Return the first day of default for an invoice, by letters before the one with an index, or None."""
        days = [self.invoices[number]['due'] + DAY] if self.invoices[number]['agreed'] else []
        letters = self.letters if before is None else self.letters[:before]
        days += [
            self.last_day(told) + DAY for index, told in enumerate(letters) if number in self.holding(index)]
        return min(days, default=None)

    # --- costs ---

    def unpaid(self, number, until, credits_until=None):
        """Return what was unpaid at the end of a day."""
        now = self.invoices[number]
        return now['cents'] - sum(
            cents for day, cents, is_money in now['moves']
            if day <= (until if is_money else credits_until or until))

    def right_costs(self, index):
        """Return the most that a 14-day letter could announce on its day."""
        told = self.letters[index]
        bad = {number for _reason, number in self._reasons_of_demand(told)}
        bad |= {number for reason, number in self._reasons_of_announcement(index) if reason != 'not_joined'}
        unpaid = {
            number: self.unpaid(number, told['day'] - DAY) for number in told['items'] if number not in bad}
        return self._costs(index, unpaid, told['day'])

    def owed_costs(self, index, known_until):
        """Return ({number: principal} of a holding letter, costs that follow) as known on a day."""
        told = self.letters[index]
        until = min(self.last_day(told), known_until)
        unpaid = {number: self.unpaid(number, until, known_until) for number in self.holding(index, costs=True)}
        unpaid = {number: cents for number, cents in unpaid.items() if cents > 0}
        return unpaid, min(told['announced'], self._costs(index, unpaid, known_until))

    def _costs(self, index, unpaid, known_until):
        unpaid = {number: cents for number, cents in unpaid.items() if cents > 0}
        if not unpaid:
            return 0
        told, base, charged = self.letters[index], sum(unpaid.values()), 0
        for earlier in range(index):
            if not self.holding(earlier, costs=True):
                continue
            before, costs = self.owed_costs(earlier, known_until)
            day = self.letters[earlier]['day']
            both_small = max([*unpaid.values(), *before.values()]) <= SMALL
            if (both_small and day >= half_year_before(told['day'])) or any(
                self.invoices[number]['due'] < day for number in unpaid
            ):
                base += sum(before.values())
                charged += costs
        return max(0, scale(base) - charged)

    # --- what may be asked ---

    def costs(self, day):
        """Return {number: (first day, cents)} of the costs that are owed on a day, whatever was paid of them."""
        costs = {}
        for index, told in enumerate(self.letters):
            if not self.holding(index, costs=True) or self.last_day(told) >= day:
                continue
            unpaid, total = self.owed_costs(index, day)
            if unpaid:
                for number, part in zip(unpaid, split(total, list(unpaid.values())), strict=True):
                    costs[number] = (self.last_day(told) + DAY, part)
        return costs

    def ask(self, day):
        """Return {number: (principal, interest, costs)} in cents that may be asked of the consumer on a day."""
        costs, asked = self.costs(day), {}
        for number, now in self.invoices.items():
            default = self.default_day(number)
            first = default and max(default, now['due'] + DAY)
            walk = Walk(
                Fraction(now['cents'], 100), first if first and first <= day else None, RATES, day,
                payments=[(when, Fraction(cents, 100)) for when, cents, money in now['moves'] if money and when <= day],
                credits_=[(when, Fraction(cents, 100)) for when, cents, money in now['moves'] if not money],
                costs=[(costs[number][0], Fraction(costs[number][1], 100))] if number in costs else (),
                claimed_from=now['claimed'],
                closed=min((when for when, *_move in now['moves'] if self.unpaid(number, when) <= 0), default=None))
            asked[number] = (walk.principal, walk.interest, walk.costs)
        return asked
