"""A referee of who is told what on which day. Knows neither Odoo nor the addon.

He reads a ledger (facts and events, as in ``data/ledgers.txt``) and keeps his own books: what each debtor was told,
when a mail server took it, whose contact somebody is, what the ladder of today says. What he expects to leave is
compared with the ledgers that were solved by hand, and with what really left.

Amounts are in cents, days are whole numbers.
"""

from collections import defaultdict
from dataclasses import dataclass, field

MOMENTS = ('early', 'noon', 'late', 'night')
# A message that could have gone for so many days goes before one of a higher rung.
PATIENCE = 7
# Days after which a call that nobody made is passed over.
CALL_EXPIRES = 5


@dataclass(frozen=True)
class Rung:
    name: str
    place: tuple  # (sequence, number): what comes after what, on whichever ladder
    days: int
    since: str  # 'due', or 'term': the end of the term of the last notice
    term: int
    kind: str = 'mail'  # or 'call', 'task'
    asks: str = ''  # what it asks or does besides: only the same goes in one message


@dataclass()
class Person:
    """A debtor, or somebody of one."""

    name: str
    debtor: str
    mailbox: str
    active: bool = True


@dataclass()
class Step:
    rung: Rung
    debtor: str
    due: int
    day: int
    until: int
    notice: object = None  # None: passed over


@dataclass()
class Invoice:
    number: str
    debtor: str
    cents: int
    due: int
    person: str = ''
    dated: int = 0
    sent: bool = True
    sent_on: int | None = None
    ignored: bool = False
    ladder: str = ''
    steps: list = field(default_factory=list)

    def get_due(self):
        """The agreed term runs from the day it was sent."""
        return self.due + max(0, (self.sent_on or 0) - self.dated)

    def get_steps(self):
        """What its debtor of now was told about it as it is now."""
        return [step for step in self.steps if step.debtor == self.debtor and step.due >= self.get_due()]


@dataclass()
class Notice:
    debtor: str
    recipient: str
    rungs: dict  # by number
    planned: int
    said: tuple
    state: str = 'queued'
    day: int | None = None
    mailbox: str = ''
    # As it was sent.
    rung: Rung = None
    asked: dict = None
    handed: bool = False

    def get_rung(self):
        return max(self.rungs.values(), key=lambda rung: rung.place)


@dataclass()
class Ledger:
    """:param told: ``[(day, mailbox, rung, {number: cents})]``, where somebody solved it"""

    name: str
    until: int
    invoices: list = field(default_factory=list)
    events: list = field(default_factory=list)  # (day, moment, kind, *words)
    told: list = field(default_factory=list)


@dataclass()
class World:
    ladders: dict = field(default_factory=dict)
    company: str = ''
    events: list = field(default_factory=list)
    ledgers: list = field(default_factory=list)


def read_world(lines):
    """Return the :class:`World` of a file of ledgers; each name gets the number of its ledger: all can live in it."""
    world, number = World(), 0
    for line in lines:
        word, *words = line.split('#')[0].split() or ['']
        mark = f'.{len(world.ledgers)}'
        if word == 'ladder':
            world.ladders[words[0]] = []
            for text in words[1:]:
                name, place, days, since, term, *kind = text.split('/')
                number += 1
                world.ladders[words[0]].append(
                    Rung(name, (int(place), number), int(days), since, int(term), *kind))
        elif word == 'company':
            world.company = words[0]
        elif word == 'world':
            world.events.append((int(words[0]), *words[1:]))
        elif word == 'ledger':
            world.ledgers.append(Ledger(words[0], int(words[1])))
        elif word == 'invoice':
            name, debtor, amount, due, person, *rest = [*words, '-'][:6] if len(words) < 5 else words
            world.ledgers[-1].invoices.append(Invoice(
                name + mark, debtor + mark, int(amount) * 100, int(due), '' if person == '-' else person + mark,
                sent='unsent' not in rest))
        elif word == 'told':
            for letter in ' '.join(words).split('; '):
                day, mailbox, rung, items = letter.split()
                asked = (item.split(':') for item in items.split(','))
                world.ledgers[-1].told.append((
                    int(day), mailbox + mark, rung, {item + mark: int(amount) * 100 for item, amount in asked}))
        elif word:
            moment, kind, *names = words
            world.ledgers[-1].events.append((int(word), moment, kind, *(
                name if (name.isdigit() and position) or name in world.ladders else name + mark
                for position, name in enumerate(names))))
    return world


class Referee:
    """Lives through the days of some ledgers; ``letters`` is what leaves: ``(day, mailbox, rung, {number: cents})``."""

    def __init__(self, world, ledgers=None):
        self.ladders, self.company = world.ladders, world.company
        self.ledgers = world.ledgers if ledgers is None else ledgers
        self.invoices, self.people, self.policies = {}, {}, {}
        self.retired, self.dead = set(), set()
        self.until = defaultdict(dict)  # what the mail server does to whom, until when
        self.notices, self.letters = [], []
        self.agenda = defaultdict(list)
        for day, moment, *event in world.events:
            self.agenda[day, moment].append(event)
        for ledger in self.ledgers:
            for invoice in ledger.invoices:
                # His own: what happens to it is written on it.
                self.invoices[invoice.number] = Invoice(**{**vars(invoice), 'steps': []})
                self._meet(invoice.debtor, invoice.debtor)
                if invoice.person:
                    self._meet(invoice.person, invoice.debtor)
            for day, moment, *event in ledger.events:
                if event[0] in ('give', 'leave'):
                    self._meet(event[2], event[2])
                self.agenda[day, moment].append(event)
            for invoice in ledger.invoices:
                self.agenda[ledger.until, 'early'].append(('pay', invoice.number))
        self.last = max(ledger.until for ledger in self.ledgers)

    def _meet(self, name, debtor):
        self.people.setdefault(name, Person(name, debtor, name.lower()))

    def run(self):
        for day in range(self.last + 1):
            self.live(day)
        return self.letters

    def live(self, day):
        self.happen(day, 'early')
        self.plan(day)
        self.happen(day, 'noon')
        self.send(day)
        self.happen(day, 'late')
        # What was overtaken is made again and leaves in the same hour.
        for _round in range(2):
            self.mail(day)
            self.send(day)
        self.mail(day)
        self.happen(day, 'night')

    # --- what happens ---

    def happen(self, day, moment):
        for kind, *words in self.agenda.get((day, moment), ()):
            getattr(self, f'do_{kind}')(day, *words)

    def do_pay(self, day, number, amount=None):
        invoice = self.invoices[number]
        invoice.cents -= min(invoice.cents, int(amount) * 100 if amount else invoice.cents)

    def do_give(self, day, number, debtor):
        self.invoices[number].debtor, self.invoices[number].person = debtor, ''

    def do_leave(self, day, person, company):
        self.people[person].debtor, self.people[person].mailbox = company, f'{person.lower()}.new'

    def do_archive(self, day, person):
        self.people[person].active = False

    def do_merge(self, day, source, target):
        for invoice in self.invoices.values():
            invoice.debtor = target if invoice.debtor == source else invoice.debtor
            invoice.person = target if invoice.person == source else invoice.person
            for step in invoice.steps:
                step.debtor = target if step.debtor == source else step.debtor
        for person in self.people.values():
            person.debtor = target if person.debtor == source else person.debtor
        for notice in self.notices:
            notice.debtor = target if notice.debtor == source else notice.debtor
            notice.recipient = target if notice.recipient == source else notice.recipient

    def do_slow(self, day, debtor, until):
        self.until['slow'][debtor] = int(until)

    def do_service(self, day, debtor, until):
        self.until['service'][debtor] = int(until)

    def do_refuse(self, day, debtor, until):
        self.until['refuse'][debtor] = int(until)

    def do_unknown(self, day, person):
        self.until['unknown'][self.people[person].mailbox] = self.last + 1

    def do_retry(self, day, debtor):
        for notice in self.notices:
            if notice.debtor == debtor and notice.state == 'failed':
                notice.state = 'queued'

    def do_bounce(self, day, debtor):
        taken = [notice for notice in self.notices if notice.debtor == debtor and notice.state == 'sent']
        if taken:
            notice = max(taken, key=lambda notice: notice.day)
            notice.state = 'undelivered'
            self.dead.add(notice.mailbox)
            for invoice in self.invoices.values():
                invoice.steps = [step for step in invoice.steps if step.notice is not notice]

    def do_mend(self, day, person):
        name, dot, rest = self.people[person].mailbox.partition('.')
        self.people[person].mailbox = f'{name}2{dot}{rest}'

    def do_policy(self, day, debtor, ladder):
        self.policies[debtor] = ladder

    def do_ladder(self, day, number, ladder):
        self.invoices[number].ladder = ladder

    def do_company(self, day, ladder):
        self.company = ladder

    def do_retire(self, day, rung):
        self.retired.add(rung)

    def do_restore(self, day, rung):
        self.retired.discard(rung)

    def do_sent(self, day, number):
        self.invoices[number].sent, self.invoices[number].sent_on = True, day

    def do_ignore(self, day, number):
        self.invoices[number].ignored = True

    # --- what is true now ---

    def get_step(self, invoice):
        """Return the next rung of an invoice and its day, or (None, None)."""
        ladder = self.ladders[invoice.ladder or self.policies.get(invoice.debtor) or self.company]
        steps = invoice.get_steps()
        last, used = steps[-1] if steps else None, {step.rung for step in steps}
        for rung in ladder:
            if rung.name in self.retired or rung in used or (last and rung.place <= last.rung.place):
                continue
            due = invoice.get_due()
            if not last:
                return rung, due + rung.days
            if rung.since == 'due':
                return rung, max(due + rung.days, last.until + 1)
            return rung, max(last.until + rung.days, last.until + 1, due + 1)
        return None, None

    def is_asked(self, invoice):
        return invoice.cents > 0 and invoice.sent and not invoice.ignored

    def is_of(self, name, debtor):
        return self.people[name].active and self.people[name].debtor == debtor

    def get_recipient(self, invoice):
        return invoice.person if invoice.person and self.is_of(invoice.person, invoice.debtor) else invoice.debtor

    def get_mailbox(self, recipient, debtor):
        names = [recipient, debtor] if recipient == debtor or self.is_of(recipient, debtor) else [debtor]
        found = [self.people[name].mailbox for name in names]
        return next((mailbox for mailbox in found if mailbox not in self.dead), '')

    def get_level(self, number):
        """Return the name of the level that is shown on an invoice."""
        invoice = self.invoices[number]
        told = [step for step in invoice.get_steps() if step.notice]
        return told[-1].rung.name if told and invoice.cents > 0 else ''

    def get_open_notices(self, *states):
        return [notice for notice in self.notices if notice.state in states]

    # --- planning ---

    def plan(self, day):
        asked = {number: invoice for number, invoice in self.invoices.items() if invoice.cents > 0}
        for number, invoice in asked.items():
            if len(invoice.get_steps()) != len(invoice.steps):
                # It was told to another, or about another day: that is over, also where it is on its way.
                invoice.steps = invoice.get_steps()
                for notice in self.get_open_notices('queued', 'todo', 'leaving', 'failed'):
                    notice.rungs.pop(number, None)
        for notice in self.get_open_notices('todo', 'failed'):
            self.judge(notice, day)
            if notice.state == 'todo' and notice.said[-1] == 'call' and day - notice.day >= CALL_EXPIRES:
                notice.state = 'passed'
                self._write_down(notice, day, day, passed=True)
        waiting = self.get_open_notices('queued', 'todo', 'leaving', 'failed')
        pending = {number for notice in waiting for number in notice.rungs}
        groups = defaultdict(dict)
        for number, invoice in asked.items():
            if number in pending or invoice.due > day or not self.is_asked(invoice):
                continue
            rung, since = self.get_step(invoice)
            if not rung or since > day:
                continue
            recipient = self.get_recipient(invoice)
            if rung.kind != 'mail' or self.get_mailbox(recipient, invoice.debtor):
                ladder = next(name for name, rungs in self.ladders.items() if rung in rungs)
                said = ('', rung.name, 'task') if rung.kind == 'task' else (ladder, rung.asks, rung.kind)
                groups[invoice.debtor, recipient, said][number] = (rung, since)
        for debtor, recipient, said in self._take_turns(groups, day):
            found = groups[debtor, recipient, said]
            self.notices.append(Notice(
                debtor, recipient, {number: rung for number, (rung, _since) in found.items()}, day, said))

    def _take_turns(self, groups, day):
        """Return the groups that go today: to one addressee one message, and to one mailbox."""
        def get_order(key):
            since = min(since for _rung, since in groups[key].values())
            place = max(rung.place for rung, _since in groups[key].values())
            waited = since <= day - PATIENCE
            return not waited, since if waited else 0, tuple(-part for part in place), list(self.people).index(key[1])

        taken = set()
        for key in sorted(groups, key=get_order):
            debtor, recipient, said = key
            if said[-1] != 'task':
                keys = self._get_addressees(debtor, recipient, said)
                if taken & keys:
                    continue
                taken |= keys
            yield key

    def _get_addressees(self, debtor, recipient, said):
        return {(debtor, recipient), *([self.get_mailbox(recipient, debtor)] if said[-1] == 'mail' else [])}

    def judge(self, notice, day):
        """Take off what is not asked by the facts of now. Return whether anything changed."""
        before = dict(notice.rungs)
        for number, rung in before.items():
            invoice = self.invoices[number]
            following, since = self.get_step(invoice)
            if (
                not self.is_asked(invoice) or invoice.debtor != notice.debtor or following != rung
                or since > max(day, notice.planned)
            ):
                del notice.rungs[number]
        if not notice.rungs:
            notice.state = 'cancelled'
            return True
        changed = before != notice.rungs
        if notice.recipient != notice.debtor and not self.is_of(notice.recipient, notice.debtor):
            notice.recipient = self.get_recipient(self.invoices[next(iter(notice.rungs))])
            changed = True
        return changed

    # --- sending ---

    def send(self, day):
        for notice in self.get_open_notices('queued'):
            self.judge(notice, day)
        taken = set()
        for notice in self.notices:
            if notice.day == day and notice.state in ('todo', 'leaving', 'sent') and notice.said[-1] != 'task':
                taken |= self._get_addressees(notice.debtor, notice.recipient, notice.said)
        for notice in sorted(self.get_open_notices('queued'), key=lambda notice: (
            notice.planned if notice.planned <= day - PATIENCE else day,
            *(-part for part in notice.get_rung().place),
        )):
            if notice.said[-1] != 'task':
                keys = self._get_addressees(notice.debtor, notice.recipient, notice.said)
                if taken & keys:
                    continue
                taken |= keys
            if notice.said[-1] != 'mail':
                notice.state, notice.day = 'todo', day
                continue
            notice.mailbox = self.get_mailbox(notice.recipient, notice.debtor)
            notice.state, notice.day, notice.handed = 'leaving' if notice.mailbox else 'failed', day, False
            notice.rung, notice.asked = notice.get_rung(), self._get_asked(notice)

    def _get_asked(self, notice):
        return {number: self.invoices[number].cents for number in notice.rungs}

    # --- the mail server ---

    def mail(self, day):
        for notice in self.get_open_notices('leaving'):
            answers, slow = (self.until[kind].get(notice.debtor, 0) for kind in ('service', 'slow'))
            if notice.handed and day >= answers:
                self._accept(notice, day)
            elif notice.handed or day < answers:
                notice.handed = True
            elif day >= slow:
                self._hand_over(notice, day)

    def _hand_over(self, notice, day):
        changed = self.judge(notice, day)
        if notice.state == 'cancelled':
            return
        asked, mailbox = self._get_asked(notice), self.get_mailbox(notice.recipient, notice.debtor)
        if changed or notice.day != day or (asked, mailbox) != (notice.asked, notice.mailbox):
            notice.state = 'queued'
        elif mailbox in self.until['unknown']:
            notice.state = 'undelivered'
            self.dead.add(mailbox)
        elif day < self.until['refuse'].get(notice.debtor, 0):
            notice.state = 'failed'
        else:
            self._accept(notice, day)

    def _accept(self, notice, day):
        notice.state, notice.day = 'sent', day
        self.letters.append((day, notice.mailbox, notice.rung.name, notice.asked))
        self._write_down(notice, day, day + notice.rung.term)

    def _write_down(self, notice, day, until, *, passed=False):
        for number, rung in notice.rungs.items():
            invoice = self.invoices[number]
            invoice.steps.append(
                Step(rung, notice.debtor, invoice.get_due(), day, until, None if passed else notice))
