"""What the referee of the replay writes down of money, holds and promises. Knows neither Odoo nor the addon.

Amounts are in cents. A moment is ``(day, 1 or 2)``: before the scheduled action plans, or between planning and sending.
Where a date depends on a setting (the soft days after a hold), the referee does not work it out as the program does:
he knows from when it can be over and when it must be, and says nothing in between.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from dateutil.easter import easter

Day = date  # where a field is called date

# Nothing leaves on the day a hold ended nor on the next, and it may not be an excuse for longer than this.
SOFT_LEAST, SOFT_MOST = timedelta(days=1), timedelta(days=8)


def add_bank_days(day, count):
    """Return the day so many bank days later: Dutch banks rest in weekends and on the days of the European system."""
    while count:
        day += timedelta(days=1)
        sunday = easter(day.year)
        closed = (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)} or day in {
            sunday - timedelta(days=2), sunday + timedelta(days=1)}
        count -= day.weekday() < 5 and not closed
    return day


@dataclass()
class Movement:
    """Money or a credit note that was matched with an invoice."""

    cents: int
    dated: date
    known: tuple
    is_money: bool = True
    ready: tuple | None = None  # since when it lay there without being matched
    undone: tuple | None = None

    def counts(self, now):
        return self.known <= now and (self.undone is None or now < self.undone)


@dataclass()
class Credit:
    """Money or a credit note of a debtor that nobody matched."""

    cents: int
    dated: date
    known: tuple
    is_money: bool
    used: tuple | None = None
    # The number of the invoice that its text is about, whoever's that is.
    names: str = ''
    # Somebody unknown wrote only digits: that invoice waits, and nothing is set off.
    is_doubtful: bool = False
    payer_known: bool = True

    def is_open(self, now):
        return self.known <= now and (self.used is None or now < self.used)


@dataclass()
class Hold:
    """The whole or a part of an invoice, or everything of a debtor, is on hold."""

    customer: str
    number: str  # of the invoice; empty for everything of the debtor
    opened: tuple
    last: date
    cents: int = 0  # 0: the whole amount
    until_decided: bool = False
    is_dispute: bool = False
    closed: tuple | None = None
    settled: tuple | None = None
    # Since when something happened that may have ended it: the invoice was paid, the promise was kept.
    doubt: tuple | None = None
    record: object = field(default=None, repr=False)

    def is_about(self, row):
        return self.number == row.number if self.number else self.customer == row.customer

    def _get_end(self, now):
        """Return the day on which it ended, or None while it lasts."""
        ends = [] if self.until_decided or now[0] <= self.last else [self.last]
        if self.closed and self.closed <= now:
            ends.append(self.closed[0])
        return min(ends, default=None)

    def lasts(self, now):
        return self.opened <= now and self._get_end(now) is None

    def holds_certainly(self, now):
        end = self._get_end(now)
        return (
            self.opened <= now and not (self.doubt and self.doubt <= now)
            and (end is None or now[0] <= end + SOFT_LEAST))

    def holds_perhaps(self, now):
        end = self._get_end(now)
        return self.opened <= now and (end is None or now[0] <= end + SOFT_MOST)

    def is_over(self, now):
        return self.opened <= now and self._get_end(now) is not None

    def is_open_dispute(self, now):
        return self.is_dispute and self.opened <= now and not (self.settled and self.settled <= now)


@dataclass()
class Promise:
    """What a debtor promised about one invoice."""

    number: str
    cents: int
    open_cents: int
    made: tuple
    grace: date
    record: object = field(default=None, repr=False)
    hold: Hold | None = field(default=None, repr=False)

    def judge(self, account, credits, now):
        """Return the states that are right at a moment.

        :param credits: those that can be about its invoice, as far as they are not for others
        """
        end = min(self.grace, now[0])
        moves = [
            move for move in account.movements
            if move.counts(now) and move.known > self.made and move.dated <= end]
        # What lay there when he promised was not going to be paid again.
        paid = sum(move.cents for move in moves if move.is_money and not (move.ready and move.ready <= self.made))
        lowered = sum(move.cents for move in moves) - paid
        need = min(self.cents, self.open_cents - lowered)
        if need <= 0 and not paid:
            return {'cancelled'}
        if paid >= need:
            return {'kept'}
        if now[0] <= self.grace:
            return {'running'}
        # Money or credit notes that nobody matched may be about this invoice or about another.
        spare = [
            credit for credit in credits
            if credit.is_open(now) and self.made < credit.known and credit.dated <= self.grace]
        states = {'partly' if paid else 'broken'}
        if any(credit.is_money for credit in spare):
            states |= {'partly'} | ({'kept'} if paid + sum(credit.cents for credit in spare) >= need else set())
        if any(not credit.is_money for credit in spare):
            states |= {'cancelled', 'kept', 'partly', 'broken'}
        return states


@dataclass()
class Step:
    """A rung that an invoice was on: what left about it, or was passed over."""

    level: object
    date: Day
    deadline: Day
    kind: str  # 'sent' or 'skipped'
    left: tuple = None
    departure: Day = None
    notice_id: int = 0
    line_id: int = 0
    channel: str = ''
    asked: int = 0
    mixed: bool = False  # credits or holds lowered what the notice asked
    gone: bool = False  # it came back or was withdrawn: the rung is free again


@dataclass()
class Account:
    """One invoice of the file."""

    cents: int
    movements: list = field(default_factory=list)
    marks: list = field(default_factory=list)  # (code, from, until)
    steps: list = field(default_factory=list)
    payments: list = field(default_factory=list)  # (record, movement)

    def get_open(self, now):
        return self.cents - sum(move.cents for move in self.movements if move.counts(now))

    def get_marks(self, now):
        return {code for code, since, until in self.marks if since <= now and (until is None or now < until)}

    def get_ladder(self):
        return [step for step in self.steps if not step.gone]

    def get_wrong(self, step, now):
        """Return the least and the most of what a notice asked and was not owed any more when it left."""
        late = [
            move for move in self.movements
            if move.counts(now) and move.known > step.left and move.dated < step.departure]
        most = min(step.asked, sum(move.cents for move in late))
        return (0 if step.mixed or any(move.ready for move in late) else most), most
