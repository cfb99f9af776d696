"""Consumers who live for some weeks in a real database, and a referee who looks at every document each day.

The world plans, sends, posts and edits as an office does. Whatever a consumer is asked that day, in a letter, on its
page, in a booking or an arrangement, is compared with what :mod:`.letter_referee` allows by the facts of that day. The
facts are read from the tables by plain SQL, or were seen when they happened; nothing is asked of the addon.
"""

import re
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random

from .letter_life import DAYS, EVENING, MORNING, NOON, Actions, make_life
from .letter_referee import Referee, invoice, letter

#: Days on which stories begin: plainly, over the change of the post and the rate on 1 July, and over Christmas.
FIRST_DAYS = (date(2027, 2, 1), date(2027, 5, 24), date(2027, 10, 25))
#: Days on which the scheduled action comes: it costs most of the time of a story, and may miss a day.
PLANS = range(0, DAYS, 2)
#: Days on which everybody's page is looked at, also when nothing happened.
SHOWN = range(0, DAYS, 6)
REACHED = ('fourteen_day', 'deadline_past', 'costs_asked', 'edited_afterwards')
AMOUNT = re.compile(r'(?:€|EUR)\s?(-?[\d.,]*\d)|(-?[\d.,]*\d)\s?(?:€|EUR)')
PERCENT = re.compile(r'([\d.,]*\d)\s?%')


def to_cents(amount):
    return round((amount or 0) * 100)


def read_amounts(text):
    """Return the amounts in a text, in cents."""
    found = set()
    for groups in AMOUNT.findall(text.replace('\xa0', ' ').replace('\u202f', ' ')):
        number = next(filter(None, groups))
        whole, cents = (number[:-3], number[-2:]) if re.search(r'[.,]\d\d$', number) else (number, '00')
        found.add(int(re.sub(r'[.,]', '', whole) or 0) * 100 + int(cents))
    return found


class Remembering(Referee):
    """The same, for one reading of the facts: what was found out once is not found out again."""

    def __init__(self, *args, **words):
        super().__init__(*args, **words)
        self.found = {}

    def remember(self, name, *question):
        key = (name, *question)
        if key not in self.found:
            self.found[key] = getattr(Referee, name)(self, *question)
        return self.found[key]

    def reasons(self, index):
        return self.remember('reasons', index)

    def default_day(self, number, before=None):
        return self.remember('default_day', number, before)

    def costs(self, day):
        return self.remember('costs', day)


class World:
    """So many consumers, day by day.

    :param case: a test class with what the tests share
    :param seeds: one for each
    :param texts: of reminder, notice of default, 14-day letter and final demand
    :param scripts: ``{seed: script}`` of those that do not follow from the seed
    :param branches: companies of the same creditor, at which consumers owe and pay as well
    :param break_program: called when everybody is there, before the first day; then each company is planned
    :param plans, shown: numbers of the days on which the scheduled action comes, and on which all pages are looked at
    """

    def __init__(self, case, seeds, *, texts, manager, start=0, scripts=None, branches=(), break_program=None,
                 plans=PLANS, shown=SHOWN):
        self.case, self.env, self.company = case, case.env, case.company
        self.companies, self.break_program = [case.company, *branches], break_program
        self.texts, self.manager = texts, manager
        self.first = self.day = FIRST_DAYS[start % len(FIRST_DAYS)]
        self.seeds, self.scripts, self.plans, self.shown = seeds, scripts or {}, plans, shown
        self.counts = Counter()
        self.lives, self.actions = [], Actions(self)
        self.employer = None

    def run(self):
        """Live through the days, and return the lives. Nothing of it stays."""
        self.employer = self.case.make_debtor("Werkgever BV")
        self.lives = [
            make_life(self, seed, number, self.scripts.get(seed)) for number, seed in enumerate(self.seeds)]
        if self.break_program:
            self.break_program()
        for number in range(DAYS):
            self.day = self.first + timedelta(days=number)
            self.live(number)
        for life in self.lives:
            self.counts.update(life.reached)
        return self.lives

    def live(self, number):
        self.act(number, MORNING)
        if number in self.plans:
            for company in self.companies if self.break_program else [self.company]:
                with self.guard("planning"):
                    self.actions.on(self.env['dunning.run'])._plan_company(company, self.day)
        self.act(number, NOON)
        if number in self.plans:
            with self.guard("sending"):
                self.send()
        self.post()
        edited = self.act(number, EVENING)
        self.env.flush_all()
        for life in self.lives:
            # What left is looked at when it leaves; what is shown now and then, and whenever something happened.
            if number in self.shown or life in edited or life.doubts:
                self.look(life)

    @contextmanager
    def guard(self, what):
        """The program broke: that is found as well."""
        try:
            with self.env.cr.savepoint():
                yield
                self.env.flush_all()
        except Exception as error:  # noqa: BLE001 - whatever it is
            self.env.invalidate_all()
            for life in self.lives[:1] if len(self.lives) == 1 else self.lives:
                self.fail(life, f"crash in {what}", repr(error)[:300])

    def act(self, number, moment):
        """Let happen what the scripts say; return to whom something did."""
        touched = []
        for life in self.lives:
            for day, when, name, die in life.script:
                if day == number and when == moment:
                    with self.guard(name):
                        if not self.actions.run(life, name, die):
                            continue
                        touched.append(life)
                        life.acts += name != 'visit'
                        self.counts['edits'] += name != 'visit'
                        if name != 'visit' and any(told['role'] == 'fourteen_day' for told in life.letters.values()):
                            life.reached.add('edited_afterwards')
        return touched

    # --- the office ---

    @property
    def company_ids(self):
        return [company.id for company in self.companies]

    def pick_company(self, life, what):
        """Return the company at which something happens; with one company no die is thrown."""
        return self.companies[0] if len(self.companies) == 1 else Random(f'{life.seed}/{what}').choice(self.companies)

    def of(self, notices):
        """Return (life, its notices) of those that belong to the world."""
        for life in self.lives:
            mine = notices.filtered(
                lambda notice, life=life: notice.partner_id == life.debtor
                or set(notice.line_ids.move_id.ids) & set(life.moves))
            if mine:
                yield life, mine

    def send(self):
        Notice = self.env['dunning.notice']
        waiting = Notice.search([('company_id', 'in', self.company_ids), ('state', 'in', ('draft', 'queued'))])
        if waiting:
            self.case.send(waiting, self.day, wait=True)
        made = Notice.search([
            ('company_id', 'in', self.company_ids), ('state', 'in', ('sent', 'leaving', 'to_post', 'todo'))])
        for life, notices in self.of(made):
            for notice in notices:
                told = life.letters.get(notice.id)
                if not told or (not self.has_left(told) and notice.state in ('to_post', 'leaving')):
                    self.write_down(life, notice)

    def has_left(self, told):
        return any(told[way] and told[way]['left'] for way in ('email', 'post'))

    def post(self):
        """Mails and letters leave, unless the office is closed."""
        Notice = self.env['dunning.notice']
        open_lives = [life for life in self.lives if not life.is_closed(self.day)]
        for life, notices in self.of(Notice.search([
            ('company_id', 'in', self.company_ids), ('partner_id', 'in', [life.debtor.id for life in open_lives]),
            '|', ('mail_id.state', '=', 'outgoing'), ('postal_state', 'in', ('to_print', 'printed')),
        ])):
            mails = notices.filtered(lambda notice: notice.mail_id.sudo().state == 'outgoing')
            with self.guard("mails leaving"):
                # The last look of the mail queue, which hands over what may still leave.
                held_back = self.actions.on(mails.mail_id.sudo())._hold_back_overtaken()
                notices.invalidate_recordset()
                mails -= notices.search([('mail_id', 'in', held_back.ids)])
                if mails:
                    self.case.mails_leave(mails, self.day)
                    self.leave(life, mails, 'email')
            letters = notices.filtered(lambda notice: (
                notice.state not in ('queued', 'cancelled') and notice.postal_state in ('to_print', 'printed')))
            with self.guard("letters leaving"):
                if letters:
                    self.case.post_letters(letters, self.day)
                    self.leave(life, letters.filtered(lambda notice: notice.postal_state == 'posted'), 'post')

    def leave(self, life, notices, way):
        notices.invalidate_recordset()
        for notice in notices:
            told = life.letters.get(notice.id)
            # A mail that waits for the mail server is made again only when it asks too much: an edit crosses it.
            crossed = told and way == 'email' and told['acts'] != life.acts
            if told and not self.has_left(told):
                # What was printed may have been made again since.
                told = self.write_down(life, notice)
            if told and told[way]:
                told[way]['left'] = self.day
                if not crossed:
                    self.look_at_letter(life, told)

    def write_down(self, life, notice):
        """Write down what a letter says, and by which ways it goes, from the tables."""
        self.env.flush_all()
        cr = self.env.cr
        cr.execute(
            """SELECT notice.partner_id, notice.date, notice.deadline, level.legal_role, level.name->>'en_US',
                      notice.mail_message_id, notice.postal_state, notice.body_intro, notice.body_closing,
                      notice.subject, message.body
                 FROM dunning_notice notice JOIN dunning_level level ON level.id = notice.level_id
            LEFT JOIN mail_message message ON message.id = notice.mail_message_id
                WHERE notice.id = %s""", [notice.id])
        partner, day, deadline, role, name, mail, postal, *texts = cr.fetchone()
        cr.execute(
            """SELECT line.move_id, item.amount_currency, item.date_maturity, move.name, line.amount_residual,
                      line.amount_netted, line.amount_held, line.amount_interest, line.amount_costs,
                      line.amount_announced, line.booked_interest, line.booked_costs
                 FROM dunning_notice_line line JOIN account_move_line item ON item.id = line.move_line_id
                 JOIN account_move move ON move.id = line.move_id
                WHERE line.notice_id = %s AND line.status NOT IN ('cancelled', 'dropped', 'withdrawn')""", [notice.id])
        lines = {}
        for move_id, amount, due, number, residual, netted, held, *extras in cr.fetchall():
            interest, costs, announced, *_booked = map(to_cents, extras)
            lines[move_id] = {
                'number': number, 'cents': to_cents(amount), 'due': due,
                'principal': to_cents(residual) - to_cents(netted) - to_cents(held),
                'interest': interest, 'costs': costs, 'announced': announced, 'residual': to_cents(residual)}
        before = life.letters.get(notice.id)
        told = life.letters[notice.id] = {
            'id': notice.id, 'name': f"{name} of {day}", 'debtor': partner, 'day': day, 'deadline': deadline,
            'mail': mail, 'acts': before['acts'] if before and before['mail'] == mail else life.acts,
            'role': role, 'lines': lines, 'treated': self.get_type(life), 'proofs': [],
            'email': {'left': None, 'lost': False} if mail else None,
            'post': {'left': None, 'lost': False} if postal else None,
            'announced': sum(line['announced'] for line in lines.values()),
            'asked': sum(line['principal'] + line['interest'] + line['costs'] for line in lines.values()),
            'texts': [text for text in texts if text]}
        life.told.append(
            f"{self.day} made {told['name']}: {told['asked'] / 100:.2f}, "
            f"costs {sum(line['costs'] for line in lines.values()) / 100:.2f}, "
            f"announced {told['announced'] / 100:.2f}, until {deadline}, "
            f"{'e-mail' if mail else ''} {'post' if postal else ''}")
        if role == 'fourteen_day':
            life.reached.add('fourteen_day')
        return told

    # --- the facts ---

    def get_type(self, life):
        """Return what a person said the debtor is. He began as a consumer, and no sign on the contact changes that."""
        self.env.flush_all()
        self.env.cr.execute("SELECT dunning_debtor_type FROM res_partner WHERE id = %s", [life.debtor.id])
        chosen = self.env.cr.fetchone()[0]
        return 'consumer' if chosen in (None, 'consumer') else 'business'

    def get_referee(self, life):
        """Return the :class:`.letter_referee.Referee` of the facts as they are now."""
        self.env.flush_all()
        cr, company = self.env.cr, self.company
        cr.execute(
            """SELECT item.move_id, move.name, item.amount_currency, item.date_maturity, item.partner_id
                 FROM account_move_line item JOIN account_move move ON move.id = item.move_id
                 JOIN account_account account ON account.id = item.account_id
                WHERE account.account_type = 'asset_receivable' AND move.state = 'posted'
                  AND move.id = ANY(%s)""", [life.moves])
        rows = cr.fetchall()
        cr.execute(
            """SELECT item.move_id, money.date, partial.debit_amount_currency, journal.type IN ('bank', 'cash')
                 FROM account_partial_reconcile partial
                 JOIN account_move_line item ON item.id = partial.debit_move_id
                 JOIN account_move_line money ON money.id = partial.credit_move_id
                 JOIN account_journal journal ON journal.id = money.journal_id
                WHERE item.move_id = ANY(%s) ORDER BY money.date, partial.id""", [life.moves])
        moves = {}
        for move_id, day, amount, is_money in cr.fetchall():
            moves.setdefault(move_id, []).append((day, to_cents(amount), is_money))
        cr.execute(
            "SELECT dunning_term_agreed->>%s FROM res_partner WHERE id = %s", [str(company.id), life.debtor.id])
        agreed = (cr.fetchone()[0] or ('yes' if company.dunning_term_agreed_consumer else 'no')) == 'yes'
        living = self.get_living_letters(life)
        apart = self.get_apart(life, living)
        invoices = {}
        for move_id, name, amount, due, partner in rows:
            claimed = [
                told['day'] for told in living if move_id in told['lines'] and told['lines'][move_id]['interest']]
            invoices[move_id] = invoice(
                name, to_cents(amount), due, debtor=partner, agreed=agreed, known=life.known[move_id],
                moves=moves.get(move_id, ()), apart=apart.get(move_id, ()),
                claimed=min(claimed) + timedelta(days=1) if claimed else None)
        letters = [
            letter(
                told['role'], told['day'],
                {move_id: (line['number'], line['cents'], line['due']) for move_id, line in told['lines'].items()},
                [(way, told[way]['left'], told[way]['lost']) for way in ('email', 'post') if told[way]],
                debtor=told['debtor'], treated=told['treated'], deadline=told['deadline'],
                announced=told['announced'], proofs=told['proofs'])
            for told in living if told['role'] in ('default_notice', 'fourteen_day')]
        return Remembering(
            invoices, letters, debtor_type=self.get_type(life), postal_days=company.dunning_postal_days)

    def get_living_letters(self, life):
        """Return what was made and not withdrawn, the oldest first."""
        if not life.letters:
            return []
        self.env.cr.execute("SELECT id, state FROM dunning_notice WHERE id = ANY(%s)", [list(life.letters)])
        states = dict(self.env.cr.fetchall())
        return sorted(
            (told for told in life.letters.values() if states.get(told['id']) not in ('withdrawn', 'cancelled')),
            key=lambda told: (told['day'], told['id']))

    def get_apart(self, life, living):
        """Return ``{invoice: [(first day, last day or None)]}`` on which it could not be claimed with the others."""
        found = {}
        self.env.cr.execute(
            """SELECT COALESCE(hold.move_id, item.move_id), hold.opened_on, hold.free_on, hold.closed_on, hold.date_end
                 FROM dunning_hold hold LEFT JOIN account_move_line item ON item.id = hold.move_line_id
                WHERE hold.partner_id = %s""", [life.debtor.id])
        for move_id, opened, free, closed, end in self.env.cr.fetchall():
            last = free and free - timedelta(days=1)
            for number in [move_id] if move_id else life.moves:
                found.setdefault(number, []).append((opened, max(filter(None, (last, closed, end)), default=None)))
        # Wholly covered by money that nobody matched, the oldest first, nothing was left to claim.
        loose = self.get_loose_money(life)
        self.env.cr.execute(
            """SELECT id, amount_residual FROM account_move
                WHERE id = ANY(%s) AND state = 'posted' AND amount_residual > 0
             ORDER BY invoice_date_due, id""", [life.moves])
        left = sum(cents for _day, cents in loose)
        for move_id, residual in self.env.cr.fetchall():
            left -= to_cents(residual)
            if left >= 0 and loose:
                found.setdefault(move_id, []).append((loose[0][0], None))
        for told in living:
            # A term that runs is not cut short.
            for move_id in told['lines']:
                found.setdefault(move_id, []).append((told['day'] + timedelta(days=1), told['deadline'] or told['day']))
        return found

    # --- looking ---

    def fail(self, life, kind, words):
        if kind not in life.failures:
            life.failures[kind] = (self.day, words)
            life.told.append(f"{self.day} ✗ {kind}: {words}")

    def get_limits(self, life, referee):
        """Return what may be asked today for each invoice: (all together, costs, interest) in cents."""
        asked, costs = referee.ask(self.day), referee.costs(self.day)
        return {
            number: (sum(parts), costs.get(number, (None, 0))[1], parts[1]) for number, parts in asked.items()}

    def explain(self, referee):
        return "; ".join(
            f"{told['role']} of {told['day']}: {self.say_why(referee, index) or 'holds'}"
            for index, told in enumerate(referee.letters))

    def say_why(self, referee, *indexes):
        """Return the reasons why letters do not hold, of all of them when no index is given."""
        return ', '.join(sorted({
            reason for index in indexes or range(len(referee.letters)) for reason, _number in referee.reasons(index)}))

    def judge(self, life, referee, limits, document, entries):
        """Compare a document of today; entries are (invoice, all together, costs) in cents."""
        found = [(
            f"{move_id}", total, costs, *limits.get(move_id, (0, 0, 0))[:2]) for move_id, total, costs in entries]
        if self.get_loose_money(life):
            # It comes off the principal of one of them, and its costs go down: what the others bear of these goes up.
            found = [("all", *(sum(numbers) for numbers in list(zip(*found, strict=True))[1:]))] if found else []
        for name, total, costs, most, most_costs in found:
            why = self.say_why(referee) or 'amount'
            if costs > most_costs:
                self.fail(life, f"{document}, costs ({why})", (
                    f"asks {costs / 100:.2f} of costs for {name}, not {most_costs / 100:.2f}; "
                    f"{self.explain(referee)}"))
            elif total > most:
                self.fail(life, f"{document}, total ({why})", (
                    f"asks {total / 100:.2f} for {name}, not {most / 100:.2f}; {self.explain(referee)}"))

    def get_loose_money(self, life):
        """Return (day, cents) of what came in and nobody matched, the oldest first."""
        self.env.cr.execute(
            """SELECT date, -amount_residual FROM account_move_line WHERE move_id = ANY(%s) AND amount_residual < 0
                AND parent_state = 'posted' AND NOT reconciled ORDER BY date, id""",
            [[entry for entry, *_rest in life.receipts]])
        return [(day, to_cents(amount)) for day, amount in self.env.cr.fetchall()]

    def look_at_letter(self, life, told):
        """A letter leaves: all in it is right by the facts of this day."""
        if told['debtor'] != life.debtor.id:
            self.fail(life, "a letter about a private debt goes to somebody else", told['name'])
        if self.get_type(life) != 'consumer':
            return
        referee = self.get_referee(life)
        limits = self.get_limits(life, referee)
        self.judge(life, referee, limits, "letter", [
            (move_id, line['principal'] + line['interest'] + line['costs'], line['costs'])
            for move_id, line in told['lines'].items() if move_id in life.moves])
        self.judge_bookings(life, referee, "letter", {
            move_id: line['principal'] + line['interest'] + line['costs']
            for move_id, line in told['lines'].items() if move_id not in life.moves})
        if any(line['costs'] for line in told['lines'].values()):
            life.reached.add('costs_asked')
        if told['role'] == 'fourteen_day':
            index = next((
                index for index, other in enumerate(referee.letters)
                if other['role'] == 'fourteen_day' and other['day'] == told['day']
                and other['announced'] == told['announced']), None)
            right = referee.right_costs(index) if index is not None else 0
            if told['announced'] > right:
                self.fail(
                    life, f"14-day letter announces too much ({self.say_why(referee, index)})",
                    f"{told['announced'] / 100:.2f}, not {right / 100:.2f}; {self.explain(referee)}")
        self.read_amounts(life, told)

    def judge_bookings(self, life, referee, document, asked):
        """Booked interest and costs that are asked alone, because their invoices were paid, are owed still.

        :param asked: {booking: cents}
        """
        if not asked:
            return
        self.env.cr.execute(
            """SELECT line.notice_id, line.move_id FROM dunning_notice_line line
                 JOIN account_move booking ON booking.dunning_notice_id = line.notice_id
                WHERE booking.id = ANY(%s) AND line.booked_interest + line.booked_costs > 0""", [list(asked)])
        owed = referee.ask(self.day)
        # By law what was paid went to interest and costs first, so that what is left can be called principal.
        most = sum(
            sum(owed.get(move_id, (0, 0, 0)))
            for move_id in {move_id for notice_id, move_id in self.env.cr.fetchall()
                            if not self.is_paid_as_asked(life, life.letters[notice_id])})
        if sum(asked.values()) > most:
            self.fail(life, f"{document}, booked interest and costs alone", (
                f"{sum(asked.values()) / 100:.2f} for {sorted(asked)}, not {most / 100:.2f}; {self.explain(referee)}"))

    def read_amounts(self, life, told):
        """Every amount in a letter and its mail was worked out for it."""
        right = {told['asked'], told['announced'], told['asked'] + told['announced']}
        for name in ('principal', 'interest', 'costs', 'announced', 'residual', 'cents'):
            right |= {line[name] for line in told['lines'].values()}
            right.add(sum(line[name] for line in told['lines'].values()))
        for line in told['lines'].values():
            right.add(line['principal'] + line['interest'] + line['costs'])
            right.add(line['residual'] - line['principal'])
        for text in told['texts']:
            wrong = read_amounts(text) - right
            if wrong:
                self.fail(life, "a typed amount left", f"{sorted(wrong)} in {told['name']}")
            if PERCENT.search(re.sub(r'<[^>]*>', ' ', text)) or re.search('veertig euro|één procent|40,-', text):
                self.fail(life, "a typed amount left", f"a percentage or words in {told['name']}")

    def look(self, life):
        """All that a consumer is shown today."""
        referee = self.get_referee(life)
        for index, told in enumerate(referee.letters):
            last = told['role'] == 'fourteen_day' and referee.last_day(told)
            if last and last < self.day:
                life.reached.add('deadline_past')
                if referee.holding(index, costs=True) and referee.costs(self.day):
                    life.reached.add('costs_owed')
        if referee.debtor_type != 'consumer':
            return
        limits = self.get_limits(life, referee)
        debtor = self.actions.on(life.debtor)
        claims = []
        with self.guard("page"):
            page = self.actions.on(debtor._get_dunning_page(self.company))
            claims, _items = page._compute_claims()
            self.judge_claims(life, referee, limits, "page", claims)
            self.look_at_levels(life, claims)
            payable = page._get_payable('due')
            shown = sum(max(0, to_cents(entry.total)) for claim in claims for entry in claim.items)
            if payable and to_cents(payable.amount) > shown:
                self.fail(life, "payable on the page", f"{payable.amount} instead of {shown / 100}")
        with self.guard("statement"):
            Claim = self.actions.on(self.env['dunning.claim']).with_company(self.company)
            self.judge_claims(life, referee, limits, "statement", Claim._compute_debtor(debtor, self.day))
            left = Claim._get_remainders(self.company, self.day, partners=life.debtor)
            self.judge(life, referee, limits, "left after payment", [
                (line.move_id, to_cents(line.total), to_cents(line.costs)) for line in left])
        self.look_at_settled(life, limits, claims)
        self.look_at_books(life, referee)

    def judge_claims(self, life, referee, limits, document, claims):
        entries = [
            (entry.move_id, to_cents(entry.open - entry.reduction + entry.interest + entry.costs),
             to_cents(entry.costs)) for claim in claims for entry in claim.items if entry.move_id in life.moves]
        if any(costs for _move, _total, costs in entries):
            life.reached.add('costs_asked')
        self.judge(life, referee, limits, document, entries)
        self.judge_bookings(life, referee, document, {
            entry.move_id: to_cents(entry.total) for claim in claims for entry in claim.items
            if entry.move_id not in life.moves})

    def look_at_levels(self, life, claims):
        """The page asks what the last letter asked, whatever a level says today."""
        # A mail that waits for the mail server was made, and is the last word.
        living = [told for told in self.get_living_letters(life) if self.has_left(told) or told['email']]
        # What both signed was asked as well, and what is in the books is owed until it is credited.
        self.env.cr.execute(
            """SELECT line.move_id FROM dunning_arrangement_line line
                 JOIN dunning_arrangement arrangement ON arrangement.id = line.arrangement_id
                WHERE arrangement.signed_date IS NOT NULL AND line.move_id = ANY(%s)
                UNION SELECT move_id FROM dunning_notice_line WHERE booked_interest > 0 AND move_id = ANY(%s)""",
            [life.moves, life.moves])
        asked_otherwise = {move_id for (move_id,) in self.env.cr.fetchall()}
        for claim in claims:
            for entry in claim.items:
                if entry.move_id in asked_otherwise or entry.move_id not in life.moves:
                    continue
                last = next((told for told in reversed(living) if entry.move_id in told['lines']), None)
                for name in ('interest', 'costs'):
                    asked = last and any(line[name] for line in last['lines'].values())
                    if getattr(entry, name) and not asked:
                        self.fail(life, f"page, {name} that the last letter did not ask", (
                            f"{getattr(entry, name)} for {entry.move_id}; {last and last['name']}"))

    def look_at_settled(self, life, limits, claims):
        """Who paid what the last letter asked, by its deadline, owes nothing more for what was in it."""
        living = [told for told in self.get_living_letters(life) if self.has_left(told)]
        if not living or not living[-1]['deadline'] or living[-1]['asked'] <= 0:
            return
        told = living[-1]
        if not self.is_paid_as_asked(life, told):
            return
        self.counts['paid as asked'] += 1
        extras = sum(
            to_cents(entry.interest + entry.costs) for claim in claims for entry in claim.items
            if entry.move_id in told['lines'])
        if extras:
            self.fail(life, "page, after what was asked was paid in time", f"{extras / 100:.2f} for {told['name']}")

    def is_paid_as_asked(self, life, told):
        """Return whether money of the days of a letter reached what it asked, and is not spent on anything else."""
        entries = [entry for entry, day, cents in life.receipts if told['day'] <= day <= told['deadline']]
        self.env.cr.execute(
            """SELECT COALESCE(SUM(-money.amount_currency), 0) - COALESCE(SUM((
                          SELECT SUM(partial.credit_amount_currency) FROM account_partial_reconcile partial
                            JOIN account_move_line item ON item.id = partial.debit_move_id
                           WHERE partial.credit_move_id = money.id AND item.move_id <> ALL(%s))), 0)
                 FROM account_move_line money
                WHERE money.move_id = ANY(%s) AND money.amount_currency < 0 AND money.parent_state = 'posted'""",
            [list(told['lines']), entries])
        return to_cents(float(self.env.cr.fetchone()[0])) >= told['asked']

    def look_at_books(self, life, referee):
        """Bookings and arrangements ask no costs that are not owed, or a person has a task about it."""
        costs, cr = referee.costs(self.day), self.env.cr
        self.doubted = set()
        self.env.flush_all()
        cr.execute(
            """SELECT booking.id, booking.amount_residual, notice.id FROM account_move booking
                 JOIN dunning_notice notice ON notice.id = booking.dunning_notice_id
                WHERE booking.move_type = 'out_invoice' AND booking.state = 'posted' AND booking.amount_residual > 0
                  AND notice.id = ANY(%s)""", [list(life.letters)])
        for booking_id, residual, notice_id in cr.fetchall():
            lines = life.letters[notice_id]['lines']
            booked = sum(line['costs'] for line in lines.values())
            most = sum(part for number, (_day, part) in costs.items() if number in lines)
            if booked > most and to_cents(residual) > 0:
                records = [('account.move', booking_id), ('dunning.notice', notice_id)]
                self.need_task(life, referee, "booking", records, (
                    f"{residual} is open, {booked / 100:.2f} of costs booked, not {most / 100:.2f}"))
        cr.execute(
            """SELECT arrangement.id, arrangement.state, arrangement.amount_costs, ARRAY_AGG(line.move_id),
                      arrangement.signed_date
                 FROM dunning_arrangement arrangement
                 JOIN dunning_arrangement_line line ON line.arrangement_id = arrangement.id
                WHERE arrangement.partner_id = %s AND arrangement.state IN ('offered', 'signed', 'active')
             GROUP BY arrangement.id""", [life.debtor.id])
        for arrangement_id, state, amount, move_ids, signed in cr.fetchall():
            most = sum(part for number, (_day, part) in costs.items() if number in move_ids)
            # What happened on the day after it was signed is another matter.
            if to_cents(amount) > most and signed == self.day and life.acts == life.signed_after:
                self.fail(life, "arrangement signed, costs", f"{amount}, not {most / 100:.2f}; {self.explain(referee)}")
            elif to_cents(amount) > most:
                self.need_task(life, referee, f"arrangement {state}", [('dunning.arrangement', arrangement_id)], (
                    f"costs of {amount}, not {most / 100:.2f}"))
        life.doubts = {kind: day for kind, day in life.doubts.items() if kind in self.doubted}

    def need_task(self, life, referee, document, records, words):
        """Fail unless a person gets a task about one of these records, when the program plans the next time."""
        kind = f"{document}, costs ({self.say_why(referee) or 'amount'})"
        self.env.cr.execute(
            "SELECT 1 FROM mail_activity WHERE active AND (res_model, res_id) IN %s LIMIT 1", [tuple(records)])
        if self.env.cr.fetchone():
            return
        self.doubted.add(kind)
        since = life.doubts.setdefault(kind, self.day)
        if any(since < self.first + timedelta(days=number) < self.day for number in self.plans):
            self.fail(life, kind, f"{words}; {self.explain(referee)}")
