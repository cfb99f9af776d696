"""Stories about letters: a ladder that is mostly walked well, and edits at random between its steps and afterwards.

A story ends in facts, as :mod:`.letter_referee` has them. It knows neither Odoo nor the addon.
"""

from dataclasses import dataclass, field
from datetime import date

from .letter_referee import DAY, Referee, arrives_by_post, invoice, letter

# In no simple proportion: who gets a cent that cannot be divided is nobody's right.
AMOUNTS = (4007, 9013, 20011, 26667, 26668, 45017, 100003, 180043, 310019, 1250027)


@dataclass()
class Story:
    """Facts as they are in the end, and how one came there."""

    invoices: dict = field(default_factory=dict)
    letters: list = field(default_factory=list)
    debtor_type: str = 'consumer'
    shortest: int = 5
    postal_days: int = 0
    day: date = date(2027, 1, 4)
    edits: list = field(default_factory=list)  # (name, whether a 14-day letter had left)

    @property
    def referee(self):
        return Referee(
            self.invoices, self.letters, debtor_type=self.debtor_type, shortest=self.shortest,
            postal_days=self.postal_days)

    @property
    def fourteen(self):
        return [told for told in self.letters if told['role'] == 'fourteen_day']


class Teller:
    """Makes up a story with a ``random.Random`` or what hypothesis gives in its place."""

    def __init__(self, random):
        self.random, self.story = random, Story()

    def chance(self, percent):
        return self.random.randint(0, 99) < percent

    def later(self, first, last):
        self.story.day += self.random.randint(first, last) * DAY

    def tell(self):
        """Return a story."""
        self.later(0, 420)
        if self.chance(5):
            self.story.debtor_type = 'business'
        self.owe(self.random.randint(1, 3))
        for chapter in range(1 + self.chance(50)):
            if chapter:
                self.owe(1, late=self.chance(60))
            self.later(12, 30)
            if chapter and self.chance(50):
                self.settle()
            self.edit(15 if chapter else 5)
            self.demand()
            self.edit(12)
            self.later(18, 40)
            self.announce()
            self.edit(20)
        self.later(0, 60)
        self.edit(55)
        return self.story

    # --- the ladder ---

    def owe(self, count, *, late=False):
        """Send invoices; a late one was due long ago."""
        story = self.story
        agreed = self.chance(25)
        for _number in range(count):
            number = len(story.invoices) + len(story.edits) + 1
            due = story.day + (-75 if late else self.random.randint(0, 10)) * DAY
            story.invoices[number] = invoice(
                f'INV{number}', self.random.choice(AMOUNTS), due, agreed=agreed,
                known=story.day if late else due - 14 * DAY)

    def send(self, role, numbers, announced=0):
        story, day = self.story, self.story.day
        posted = day + self.random.choice((0, 0, 0, 1, 3)) * DAY
        email, post = ('email', day, False), ('post', posted, False)
        ways = self.random.choice(([email], [post], [email, post]))
        late = arrives_by_post(posted, story.postal_days) if post in ways else day + DAY
        term = self.random.choice((7, 7, 7, 7, 10, 10, 14, 5, 4, 1))
        story.letters.append(letter(
            role, day, {
                number: (invoice_['number'], invoice_['cents'], invoice_['due'])
                for number, invoice_ in story.invoices.items() if number in numbers},
            ways, treated=story.debtor_type, announced=announced,
            deadline=late + term * DAY if role == 'default_notice' else None))

    def demand(self):
        """Send a notice of default about what needs one."""
        numbers = [
            number for number, owed in self.story.invoices.items()
            if owed['due'] < self.story.day and self.story.referee.default_day(number) is None]
        if numbers and not self.chance(6):
            self.send('default_notice', numbers)

    def announce(self):
        """Send a 14-day letter, mostly about the right invoices and with the right amount."""
        story = self.story
        done = {number for told in story.fourteen for number in told['items']}
        numbers = [
            number for number in story.invoices
            if number not in done or self.chance(5)]
        if not self.chance(8):
            numbers = [
                number for number in numbers
                if (story.referee.default_day(number) or date.max) <= story.day
                and story.referee.unpaid(number, story.day) > 0]
        if len(numbers) > 1 and self.chance(6):
            numbers.pop(self.random.randrange(len(numbers)))
        if not numbers:
            return
        self.send('fourteen_day', numbers)
        right = story.referee.right_costs(len(story.letters) - 1)
        story.letters[-1]['announced'] = max(0, right + self.random.choice((0,) * 12 + (1, 4000, -1, -2000)))

    def settle(self):
        """Pay or credit a part of what an earlier letter was about, lately."""
        told = sorted({number for told in self.story.fourteen for number in told['items']} & self.story.invoices.keys())
        if told:
            owed = self.story.invoices[self.random.choice(told)]
            owed['moves'].append((
                self.story.day - self.random.randint(0, 12) * DAY, owed['cents'] // self.random.randint(1, 3),
                self.chance(50)))

    # --- edits ---

    def edit(self, percent):
        """Change some facts, or none."""
        edits = [name for name in dir(self) if name.startswith('edit_')]
        while self.story.invoices and self.chance(percent):
            name = self.random.choice(edits)
            self.story.edits.append((name, bool(self.story.fourteen)))
            number = self.random.choice(sorted(self.story.invoices))
            getattr(self, name)(number, self.story.invoices[number])

    def some_day(self):
        """Return a day in the last two months, now and then that of a letter."""
        if self.story.letters and self.chance(25):
            return self.random.choice(self.story.letters)['day']
        return self.story.day - self.random.randint(0, 60) * DAY

    def edit_amount(self, _number, owed):
        owed['cents'] = max(100, owed['cents'] + self.random.choice((1, 5000, -1, -5000, -20000)))

    def edit_number(self, _number, owed):
        owed['number'] += 'A'

    def edit_due(self, _number, owed):
        owed['due'] += self.random.choice((-20, -3, -1, 1, 14, 30, 45)) * DAY

    def edit_due_again(self, _number, owed):
        if self.story.letters:
            owed['due'] = self.random.choice(self.story.letters)['day']

    def edit_agreed(self, _number, owed):
        owed['agreed'] = not owed['agreed']

    def edit_debtor(self, _number, owed):
        owed['debtor'] = 2

    def edit_cancel(self, number, _owed):
        del self.story.invoices[number]

    def edit_pay(self, _number, owed):
        owed['moves'].append((self.some_day(), self.random.randint(1, owed['cents']), True))

    def edit_pay_all(self, _number, owed):
        owed['moves'].append((self.some_day(), owed['cents'], True))

    def edit_credit(self, _number, owed):
        owed['moves'].append((self.some_day(), self.random.randint(1, owed['cents']), False))

    def edit_bounce(self, _number, owed):
        if owed['moves']:
            owed['moves'].pop()

    def edit_hold(self, _number, owed):
        first = self.some_day()
        owed['apart'].append((first, self.random.choice((None, first, first + 20 * DAY))))

    def edit_known(self, _number, owed):
        owed['known'] = self.some_day()

    def edit_type(self, _number, _owed):
        self.story.debtor_type = 'business' if self.story.debtor_type == 'consumer' else 'consumer'

    def edit_choices(self, _number, _owed):
        self.story.shortest = self.random.choice((5, 7))
        self.story.postal_days = self.random.choice((2, 4, 5))

    def edit_delivery(self, _number, _owed):
        """A way fails, or has not left after all."""
        if self.story.letters:
            ways = self.random.choice(self.story.letters)['ways']
            index = self.random.randrange(len(ways))
            channel, left, _lost = ways[index]
            ways[index] = self.random.choice(((channel, left, True), (channel, None, False)))

    def edit_proof(self, _number, _owed):
        if self.story.letters:
            told = self.random.choice(self.story.letters)
            kind = self.random.choice(('opened', 'registered', 'acknowledged'))
            day = told['day'] + self.random.randint(-2, 12) * DAY
            about = self.random.choice((None, None, 'email', 'post'))
            told['proofs'].append((kind, day, about, kind != 'opened' and self.chance(50)))

    edit_proof_again = edit_proof
