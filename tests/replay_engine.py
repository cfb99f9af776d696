"""Replay of real history: invoices, payments and disputes of a file, day by day, with the scheduled actions.

``Replay`` lives through the days as a company would: invoices are posted and sent on their date, paid on the
day they were settled, disputed ones are marked, the scheduled actions run, the collector makes yesterday's
calls, letters are posted. Each day everything that happened is compared with what should have happened
according to the file alone: the comparison has its own small idea of a ladder and never asks the planner.

Used by ``dev/replay.py`` (the whole file, real commits) and by ``test_replay`` (a sample).
"""

import base64
import csv
import hashlib
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from io import BytesIO
from time import perf_counter
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command
from odoo.tools.pdf import PdfFileWriter

#: A day has two moments: payments and disputes of the first are known before the scheduled action plans, those
#: of the second arrive between planning and sending.
EARLY, LATE = 1, 2
#: What the planner may answer about an item that is owed and not disputed, and whose day has not come.
WAITING = {'not_due', 'waiting_delay', 'waiting_deadline'}
MAX_FAILURES = 100


@dataclass()  # called: core's check of test classes reads the arguments of each decorator
class Row:
    """One invoice of the file, and what is known of it in the replay."""

    number: str
    customer: str
    country: str
    invoice_date: date
    due_date: date
    settled_date: date
    amount: float
    disputed: bool
    paper: bool
    history: list = field(default_factory=list)  # (level, date, deadline) of what left or was passed over
    move: object = None
    item_id: int = 0

    @cached_property
    def _die(self):
        """Chance that is the same in every run."""
        return int(hashlib.sha256(self.number.encode()).hexdigest()[:8], 16)

    @cached_property
    def paid_at(self):
        return self.settled_date, LATE if self._die % 2 else EARLY

    @cached_property
    def disputed_at(self):
        """The file says that, not when: on the due date, or in answer to a reminder some days later."""
        if not self.disputed:
            return None
        day = self.due_date + timedelta(days=(0, 6, 12)[self._die % 3])
        return (day, EARLY if self._die % 5 else LATE) if day < self.settled_date else None

    @cached_property
    def disputed_by(self):
        return 'no_followup' if self._die % 4 else 'blocked'

    def is_owed(self, day, moment):
        return self.invoice_date <= day and (day, moment) < self.paid_at

    def is_disputed(self, day, moment):
        return self.disputed_at is not None and self.disputed_at <= (day, moment)


def read_rows(path, *, sample=None, first=None, last=None, stretch=1):
    """Return the rows of a file, of the first ``sample`` customers, invoiced from ``first`` until ``last``.

    :param int stretch: who paid n days late in the file pays ``stretch`` × n days late, to reach higher levels
    """
    def parse(text):
        return datetime.strptime(text, '%m/%d/%Y').date()  # noqa: DTZ007 - a date has no time zone

    with open(path, newline='', encoding='utf-8') as file:
        rows = [
            Row(
                number=line['invoiceNumber'], customer=line['customerID'], country=line['countryCode'],
                invoice_date=parse(line['InvoiceDate']), due_date=parse(line['DueDate']),
                settled_date=parse(line['SettledDate']), amount=float(line['InvoiceAmount']),
                disputed=line['Disputed'] == 'Yes', paper=line['PaperlessBill'] == 'Paper')
            for line in csv.DictReader(file)
        ]
    for row in rows:
        row.settled_date += max(timedelta(), row.settled_date - row.due_date) * (stretch - 1)
    if sample:
        customers = set(sorted({row.customer for row in rows})[:sample])
        rows = [row for row in rows if row.customer in customers]
    return sorted(
        (row for row in rows if (not first or row.invoice_date >= first) and (not last or row.invoice_date <= last)),
        key=lambda row: (row.invoice_date, row.number))


class Replay:
    """Live through the rows in a company that has a chart of accounts.

    :param commit: called at the end of each day
    :param bool commits: let the scheduled actions commit, as in production; a test may not
    :param int real_letters: how many letters to make for real; the others are an empty page
    """

    def __init__(self, env, company, rows, *, commit=lambda: None, commits=False, real_letters=0, say=None):
        # The scheduled actions run as the superuser, people as a user with the least rights.
        self.env = env(user=SUPERUSER_ID, context={'allowed_company_ids': company.ids, 'lang': 'en_US'})
        self.company = self.env['res.company'].browse(company.id)
        self.rows = rows
        self.commit, self.commits, self.real_letters = commit, commits, real_letters
        self.say = say or (lambda text: None)
        self.failures = []
        self.counts = Counter()
        self.reasons = Counter()
        self.levels = Counter()
        self.seconds = Counter()
        self.explained = {}
        self.frozen = {}
        self.last_notice_id = 0
        self.waiting_ids = set()
        self.stuck_ids = set()

    # --- the company, its debtors ---

    def set_up(self):
        env = self.env
        self.first, self.last = self.rows[0].invoice_date, max(row.settled_date for row in self.rows)
        policies = {
            name: env.ref(f'l10n_nl_dunning.policy_{name}', raise_if_not_found=False)
            for name in ('business', 'consumer', '7_15_30')
        }
        for policy in filter(None, policies.values()):
            policy.write({'approval': 'automatic', 'company_id': False})
        self.company.write({
            'dunning_policy_business_id': policies['business'].id,
            # The dates of the consumer ladder follow from receipt, default and what is claimed together; its stories
            # are told with dates by hand. Here consumers climb a ladder of days, which the referee can count.
            'dunning_policy_consumer_id': policies['7_15_30'].id,
            'dunning_start_date': self.first,
            # The referee knows the file and the ladder, not the hours of the day or the number of letters a week.
            'dunning_quiet': False,
            'dunning_contacts_per_week': 0,
            'dunning_oldest_due_date': False,
        })
        self.collector = env['res.users'].with_context(no_reset_password=True).create({
            'name': "Collector", 'login': 'replay_collector', 'email': 'collector@replay.example',
            'company_id': self.company.id, 'company_ids': [Command.set(self.env.companies.ids)],
            'group_ids': [Command.set([
                env.ref('base.group_user').id, env.ref('account.group_account_invoice').id])],
        })
        self.bank = env['account.journal'].search(
            [('type', '=', 'bank'), ('company_id', '=', self.company.id)], limit=1)
        # A 14-day letter names the account to pay on.
        if not self.company.partner_id.bank_ids:
            env['res.partner.bank'].create({
                'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id})
        # With an account for payments under way a payment has a journal entry and reconciles at once.
        under_way = env['account.account'].create({
            'name': "Payments under way", 'code': '199099', 'account_type': 'asset_current', 'reconcile': True})
        self.bank.inbound_payment_method_line_ids.payment_account_id = under_way
        self._make_debtors(policies)
        self._read_ladders(policies)

    def _make_debtors(self, policies):
        """Businesses and consumers; some without e-mail, a few that nothing reaches."""
        country = self.env.ref('base.nl')
        customers = {row.customer: row.country for row in self.rows}
        values_list, self.reachable, self.policy_of = [], {}, {}
        for position, (customer, code) in enumerate(sorted(customers.items())):
            consumer = code in ('818', '897')
            own = policies['7_15_30'] if code == '406' else None
            email, address, phone = position % 10 != 3, position % 10 != 6, position % 10 != 8
            if position % 25 == 24:
                email = address = phone = False
            values_list.append({
                'name': f"Debtor {customer}", 'ref': customer, 'lang': 'nl_NL', 'is_company': not consumer,
                'country_id': country.id,
                'email': email and f'{customer.lower()}@replay.example',
                'phone': phone and '+31 20 555 0100',
                **({'street': f"Kade {position + 1}", 'zip': '1011 AA', 'city': "Amsterdam"} if address else {}),
                **({'dunning_policy_id': own.id} if own else {}),
            })
            self.reachable[customer] = {
                'email': email, 'letter': address, 'both': email or address, 'phone': phone, 'task': True}
            self.policy_of[customer] = own or policies['7_15_30' if consumer else 'business']
        debtors = self.env['res.partner'].with_company(self.company).create(values_list)
        self.debtors = {debtor.ref: debtor for debtor in debtors}
        self.patient = {debtor.id for position, debtor in enumerate(debtors) if position % 7 == 5}

    def _read_ladders(self, policies):
        self.ladders = {
            policy: sorted(policy.level_ids.filtered('active'), key=lambda level: (level.sequence, level.id))
            for policy in filter(None, policies.values())
        }
        self.minimum = {policy: policy.minimum_amount for policy in self.ladders}

    # --- the days ---

    def run(self):
        """Live through all days. Return the failures."""
        started = perf_counter()
        self.set_up()
        self.by_item = {}
        with ExitStack() as stack:
            self._patch(stack)
            day = self.first
            while day <= self.last and len(self.failures) < MAX_FAILURES:
                self._live(day)
                self.commit()
                # What is cached of finished days is never read again.
                self.env.invalidate_all()
                self.counts['days'] += 1
                if not day.day % 30:
                    self.say(f"{day:%d-%m-%Y}: {self.counts['invoices']} invoices, {self.counts['sent']} notices left")
                day += timedelta(days=1)
        self._check_end()
        self.seconds['total'] = perf_counter() - started
        return self.failures

    def _patch(self, stack):
        Letter = type(self.env['dunning.letter'])
        original, page = Letter._render_pdfs, _empty_page()

        def render(letter, notices, *args, **kwargs):
            if self.real_letters <= 0:
                return {notice.id: page for notice in notices}
            self.real_letters -= len(notices)
            self.counts['letters made for real'] += len(notices)
            return original(letter, notices, *args, **kwargs)

        stack.enter_context(patch.object(Letter, '_render_pdfs', render))
        # Nobody is there to let a large run go.
        stack.enter_context(patch.object(
            type(self.env['dunning.run.check']), '_hold_back', lambda check, *args: False))
        if not self.commits:
            stack.enter_context(patch.object(
                type(self.env['ir.cron']), '_commit_progress', lambda cron, *args, **kwargs: float('inf')))

    def _live(self, day):
        env = self.env(context={**self.env.context, 'dunning_at_date': day})
        self._time('invoices', self._post_invoices, env, day)
        self._time('disputes', self._mark_disputes, env, day, EARLY)
        self._time('payments', self._pay, env, day, EARLY)
        self._time('planning', env['dunning.run']._cron_plan)
        self._time('checking', self._observe, env, day, EARLY)
        self._time('people', self._collect, env, day)
        self._time('checking', self._observe, env, day, EARLY)
        self._time('disputes', self._mark_disputes, env, day, LATE)
        self._time('payments', self._pay, env, day, LATE)
        self._time('sending', env['dunning.run']._cron_dispatch)
        self._time('sending', self._deliver_mails, env)
        self._time('checking', self._observe, env, day, LATE)
        self._time('checking', self._check_day, env, day)

    def _deliver_mails(self, env):
        """The mail queue hands over what left today: a 14-day letter or notice of default runs from its receipt."""
        mails = env['mail.mail'].search([('model', '=', 'dunning.notice'), ('state', '=', 'outgoing')])
        mails.write({'state': 'sent'})
        for mail in mails:
            mail._postprocess_sent_message(success_pids=[], success_emails=[mail.email_to])

    def _time(self, what, method, *args):
        started = perf_counter()
        method(*args)
        self.env.flush_all()
        self.seconds[what] += perf_counter() - started

    def _post_invoices(self, env, day):
        rows = [row for row in self.rows if row.invoice_date == day]
        if not rows:
            return
        moves = env['account.move'].create([
            {
                'move_type': 'out_invoice',
                'company_id': self._get_place('invoice', row.number).id,
                'partner_id': self.debtors[row.customer].id,
                'invoice_date': row.invoice_date,
                'invoice_date_due': row.due_date,
                'invoice_payment_term_id': False,
                'ref': row.number,
                'invoice_line_ids': [Command.create({
                    'name': row.number, 'price_unit': row.amount, 'tax_ids': [Command.clear()]})],
            }
            for row in rows
        ])
        moves.action_post()
        moves.is_move_sent = True
        for row, move in zip(rows, moves, strict=True):
            row.move = move.with_env(self.env)
            row.item_id = move.line_ids.filtered(lambda line: line.display_type == 'payment_term').id
            self.by_item[row.item_id] = row
        self.counts['invoices'] += len(rows)

    def _get_place(self, *what):
        """Return the company at which something happens."""
        return self.company

    def _mark_disputes(self, env, day, moment):
        for row in self.rows:
            if row.disputed_at == (day, moment):
                move = row.move.with_env(env)
                if row.disputed_by == 'blocked':
                    move.action_toggle_block_payment()
                else:
                    move.no_followup = True
                self.counts['disputes'] += 1

    def _pay(self, env, day, moment):
        rows = [row for row in self.rows if row.paid_at == (day, moment)]
        if not rows:
            return
        for row in rows:
            if row.disputed_by == 'blocked' and row.is_disputed(day, moment):
                row.move.with_env(env).action_toggle_block_payment()
        moves = env['account.move'].browse([row.move.id for row in rows])
        env['account.payment.register'].with_context(active_model='account.move', active_ids=moves.ids).create(
            {'payment_date': day, 'journal_id': self.bank.id, 'group_payment': False})._create_payments()
        self.counts['payments'] += len(rows)

    def _collect(self, env, day):
        """Make the calls of yesterday, post the letters of yesterday; some debtors are never called."""
        notices = env['dunning.notice'].with_user(self.collector)
        calls = notices.search([('state', '=', 'todo'), ('date', '<', day)])
        calls = calls.filtered(lambda notice: notice.partner_id.id not in self.patient)
        if calls:
            calls.action_done()
        # As in the list of letters to post: what was cancelled meanwhile is not in it.
        letters = notices.search([('state', 'in', ('to_post', 'sent')), ('postal_state', '=', 'to_print')])
        if letters:
            letters._recording().write({'postal_state': 'printed'})
            letters.action_mark_posted()

    # --- what should have happened ---

    def _fail(self, day, text):
        self.failures.append(f"{day}: {text}")
        self.say(f"✗ {self.failures[-1]}")

    def _next_step(self, row, day):
        """Return the next level of a row and the day it is reached, or (None, None) at the end of the ladder."""
        last, _last_date, deadline = row.history[-1] if row.history else (None, None, None)
        used = {level for level, _date, _deadline in row.history}
        for level in self.ladders[self.policy_of[row.customer]]:
            if last and (level.sequence, level.id) <= (last.sequence, last.id):
                continue
            if level in used:
                continue
            if level.delay_from == 'due_date' and level.delay_days < 0 and row.due_date < day:
                continue  # too late for a friendly word before the due date
            start = deadline if last and level.delay_from == 'previous_deadline' else row.due_date
            reached = start + timedelta(days=level.delay_days)
            return level, max(reached, deadline + timedelta(days=1), row.due_date) if last else reached
        return None, None

    def _observe(self, env, day, moment):
        """Judge every notice that became final since the last look."""
        Notice = env['dunning.notice']
        notices = Notice.browse(sorted(self.waiting_ids)) | Notice.search([('id', '>', self.last_notice_id)])
        self.last_notice_id = max([self.last_notice_id, *notices.ids])
        self.waiting_ids = set()
        for notice in notices:
            if notice.state not in ('sent', 'skipped', 'cancelled'):
                self.waiting_ids.add(notice.id)
                continue
            judge = getattr(self, f'_judge_{notice.state}')
            judge(notice, day, moment)
            self.counts[notice.state] += 1
            self.levels[notice.policy_id.name, notice.level_id, notice.channel, notice.state] += 1
            self.frozen[notice.id] = self._get_frozen(notice)

    def _judge_sent(self, notice, day, moment):
        if not notice.live_line_ids:
            self._fail(day, f"{notice.name} left without a single item")
        same = self._sent_today(notice) - notice if notice.channel != 'task' else []
        if same:
            self._fail(day, f"{notice.name}: the debtor already got {same[0].name} today")
        for line in notice.live_line_ids:
            row = self.by_item.get(line.move_line_id.id)
            label = f"{notice.name} about {line.move_id.ref}"
            if not row:
                self._fail(day, f"{label}: an item that is not in the file")
                continue
            self._judge_item(row, label, notice, line, day, moment)
            row.history.append((line.level_id, notice.date, notice.deadline))
        self._judge_document(notice, day)

    def _sent_today(self, notice):
        return self.env['dunning.notice'].search([
            ('partner_id', '=', notice.partner_id.id), ('recipient_id', '=', notice.recipient_id.id),
            ('date', '=', notice.date), ('state', '=', 'sent'), ('channel', '!=', 'task')])

    def _judge_item(self, row, label, notice, line, day, moment):
        level, reached = self._next_step(row, notice.date)
        checks = {
            "it was not owed any more": row.is_owed(day, moment),
            "it is disputed": not row.is_disputed(day, moment),
            f"{line.amount_residual} was asked instead of {row.amount}": abs(line.amount_residual - row.amount) < 0.005,
            "something was set against it that is not in the file": not line.amount_netted,
            "the due date is another one": line.date_maturity == row.due_date,
            "it belongs to another debtor": notice.partner_id.ref == row.customer,
            f"level {line.level_id.name} came twice": line.level_id not in {entry[0] for entry in row.history},
            f"level {line.level_id.name} instead of {level and level.name}": line.level_id == level,
            "the text is that of a lower level than its own": notice.level_id.sequence >= line.level_id.sequence,
            f"it left before its day, {reached}": not reached or notice.date >= reached,
            "it is dated on another day than it was made": notice.date <= day,
            "the deadline is not after the date": notice.deadline >= notice.date,
            "the policy is another one": notice.policy_id == self.policy_of[row.customer],
        }
        for text, right in checks.items():
            if not right:
                self._fail(day, f"{label}: {text}")

    def _judge_document(self, notice, day):
        """A notice that left has its letter and its mail, a call has neither."""
        manual = notice.channel in ('phone', 'task')
        pdf = base64.b64decode(notice.letter_file or b'')
        if bool(pdf) == manual:
            self._fail(day, f"{notice.name} by {notice.channel}: a letter of {len(pdf)} bytes")
        if pdf and hashlib.sha256(pdf).hexdigest() != notice.letter_sha256:
            self._fail(day, f"{notice.name}: the letter is not the one that was recorded")
        reach = self.reachable[notice.partner_id.ref]
        by_mail = notice.channel in ('email', 'both') and reach['email']
        by_post = notice.channel == 'letter' or (notice.channel == 'both' and reach['letter'])
        if by_mail != bool(notice.mail_message_id):
            self._fail(day, f"{notice.name} by {notice.channel}: mailed or not, the opposite of what should be")
        if by_mail and notice.partner_id.email not in notice.email_to:
            self._fail(day, f"{notice.name} was mailed to {notice.email_to}")
        # A letter next to a mail may be posted a day later.
        if bool(notice.postal_state) != by_post or (by_post and not by_mail and notice.postal_state != 'posted'):
            self._fail(day, f"{notice.name} by {notice.channel}: its letter is {notice.postal_state}")

    def _judge_skipped(self, notice, day, moment):
        if notice.channel not in ('phone', 'task') or not notice.level_id.expire_days:
            self._fail(day, f"{notice.name} was passed over")
        for line in notice.live_line_ids:
            row = self.by_item[line.move_line_id.id]
            if not row.is_owed(day, moment):
                self._fail(day, f"{notice.name} about {row.number} was passed over instead of cancelled")
            row.history.append((line.level_id, notice.date, notice.deadline))

    def _judge_cancelled(self, notice, day, moment):
        """Only what the file says is not to be asked takes a notice down."""
        for line in notice.line_ids:
            row = self.by_item[line.move_line_id.id]
            if line.drop_reason == 'below_minimum':
                continue  # the others on it were paid; judged with the reasons of the day
            if row.is_owed(day, moment) and not row.is_disputed(day, moment):
                self._fail(day, f"{notice.name} about {row.number} was cancelled though it is owed: "
                                f"{line.drop_reason} {notice.cancel_reason}")

    def _get_frozen(self, notice):
        return (
            notice.name, notice.state, notice.date, notice.deadline, notice.amount_due, notice.subject,
            notice.body_intro, notice.body_closing, notice.letter_sha256,
            tuple(sorted((line.name or '', line.amount_residual, line.drop_reason or '') for line in notice.line_ids)))

    def _check_day(self, env, day):
        """At the end of a day: every open item has the right answer, every invoice the right level."""
        owed = [row for row in self.rows if row.is_owed(day, LATE)]
        decisions = {
            decision.item_id: decision for decision in env['dunning.planner']._plan(self.company.with_env(env), day)}
        missing = {row.item_id for row in owed} ^ set(decisions)
        if missing:
            self._fail(day, f"the planner sees other open items than the file: {sorted(missing)[:5]}")
        pending = set(env['dunning.notice.line'].search([('status', '=', 'pending')]).move_line_id.ids)
        self.told_today = set(env['dunning.notice'].search([
            ('date', '=', day), ('channel', '!=', 'task'), ('state', 'in', ('sent', 'todo', 'to_post')),
        ]).partner_id.mapped('ref'))
        steps = {row.number: self._next_step(row, day) for row in owed}
        sums = defaultdict(float)
        for row in owed:
            if self._is_asked(row, steps, pending, day):
                sums[row.customer, steps[row.number][0]] += row.amount
                sums[row.customer] += row.amount
        for row in owed:
            decision = decisions.get(row.item_id)
            if decision:
                self._check_answer(env, row, decision, self._get_right_answers(row, steps, sums, pending, day), day)
        self._check_levels(env, day)
        stuck = env['dunning.notice'].search([('state', 'in', ('draft', 'queued', 'error'))])
        for notice in stuck:
            if notice.id in self.stuck_ids:
                continue
            self.stuck_ids.add(notice.id)
            self._fail(day, f"{notice.name} is {notice.state} at the end of the day: {notice.error_message}")

    def _is_asked(self, row, steps, pending, day):
        level, reached = steps[row.number]
        return level and reached <= day and row.item_id not in pending and not row.is_disputed(day, LATE)

    def _get_right_answers(self, row, steps, sums, pending, day):
        level, reached = steps[row.number]
        if row.is_disputed(day, LATE):
            return {row.disputed_by}
        if row.item_id in pending:
            return {'pending'}
        if not level:
            return {'finished'}
        if reached > day:
            return {'not_due'} if row.due_date >= day else WAITING - {'not_due'}
        minimum = self.minimum[self.policy_of[row.customer]]
        if sums[row.customer] < minimum:
            return {'below_minimum'}
        if row.customer in self.told_today:
            return {'one_message', 'below_minimum'}
        if sums[row.customer, level] < minimum:
            return {'below_minimum'}
        if not self.reachable[row.customer][level.channel]:
            return {'no_address'}
        # Its day has come and nothing is in the way: it should have left.
        return set()

    def _check_answer(self, env, row, decision, right, day):
        if (decision.reason or False) not in right:
            self._fail(day, f"{row.number} ({row.customer}), due {row.due_date}: the answer is "
                            f"“{decision.reason or 'due'}” instead of {sorted(map(str, right)) or 'having left'}")
        if row.due_date < day:
            self.reasons[decision.reason or 'due'] += 1
            if decision.reason not in self.explained:
                self.explained[decision.reason] = env['dunning.planner']._explain(decision, self.company)
                if not self.explained[decision.reason]:
                    self._fail(day, f"{row.number}: no sentence for {decision.reason}")

    def _check_levels(self, env, day):
        """The stored level of every invoice is that of its last notice that left, and of nothing else."""
        sent = {
            (line.move_line_id.id, line.level_id.id)
            for line in env['dunning.notice.line'].search([('status', '=', 'sent')])
        }
        expected = {}
        for row in self.rows:
            if row.is_owed(day, LATE):
                for level, _date, _deadline in row.history:
                    if (row.item_id, level.id) in sent:
                        expected[row.move.id] = level.id
        found = {
            move.id: move.dunning_level_id.id
            for move in env['account.move'].search([('dunning_level_id', '!=', False)])
        }
        for move_id in expected.keys() | found.keys():
            if expected.get(move_id) != found.get(move_id):
                self._fail(day, f"invoice {move_id} has level {found.get(move_id)} instead of {expected.get(move_id)}")

    def _check_end(self):
        """Nothing that left changed afterwards; nothing is twice in the books."""
        notices = self.env['dunning.notice'].browse(self.frozen)
        for notice in notices:
            if self._get_frozen(notice) != self.frozen[notice.id]:
                self._fail(self.last, f"{notice.name} was changed after it left")
        if len(set(notices.mapped('name'))) != len(notices):
            self._fail(self.last, "two notices have the same number")
        Line = self.env['dunning.notice.line']
        twice = Line._read_group(
            [('status', 'in', ('sent', 'skipped'))], ['move_line_id', 'level_id'], having=[('__count', '>', 1)])
        for item, level in twice:
            self._fail(self.last, f"item {item.id} has level {level.name} twice")
        if self.counts['payments'] != self.counts['invoices'] and len(self.failures) < MAX_FAILURES:
            self._fail(self.last, f"{self.counts['invoices'] - self.counts['payments']} invoices were never paid")
        open_notices = self.env['dunning.notice'].search_count([('state', 'in', ('draft', 'queued', 'error'))])
        if open_notices:
            self._fail(self.last, f"{open_notices} notices are still on their way")

    # --- the report ---

    def report(self):
        """Return the story of the replay as text."""
        counts = self.counts
        lines = [
            f"{counts['days']} days, {self.first:%d-%m-%Y} to {self.last:%d-%m-%Y}: {counts['invoices']} invoices, "
            f"{counts['payments']} payments, {counts['disputes']} disputes, {len(self.debtors)} debtors",
            f"{counts['sent']} notices left, {counts['cancelled']} were cancelled in time, "
            f"{counts['skipped']} calls or tasks passed over; {counts['letters made for real']} letters made for real",
            "",
            f"{'Policy':<14}{'Level':<34}{'Channel':<10}{'Sent':>7}{'Cancelled':>11}{'Passed over':>13}",
        ]
        keys = {key[:3] for key in self.levels}
        for policy, level, channel in sorted(keys, key=lambda key: (key[0], key[1].sequence, key[1].id, key[2])):
            numbers = [self.levels[policy, level, channel, state] for state in ('sent', 'cancelled', 'skipped')]
            lines.append(f"{policy:<14}{level.name:<34}{channel:<10}{numbers[0]:>7}{numbers[1]:>11}{numbers[2]:>13}")
        reached = Counter(len(row.history) for row in self.rows)
        lines += [
            "", "Invoices by number of steps on the ladder: "
            + ", ".join(f"{steps}: {count}" for steps, count in sorted(reached.items()))
            + f"; on average {sum(steps * count for steps, count in reached.items()) / len(self.rows):.2f}",
            "", "What the planner said of overdue items (items × days):",
        ]
        for reason, count in self.reasons.most_common():
            lines.append(f"  {reason:<18}{count:>8}   {self.explained.get(reason, '')}")
        lines += [
            "", "Seconds: " + ", ".join(f"{what} {seconds:.1f}" for what, seconds in self.seconds.most_common()), ""]
        lines += [f"✗ {failure}" for failure in self.failures[:MAX_FAILURES]] or [
            "✓ No notice about money that was not owed, nothing twice, nothing lost, nothing without a reason."]
        return "\n".join(lines)


def _empty_page():
    """Return a PDF of one empty page: a real document for whoever joins or counts letters."""
    writer, stream = PdfFileWriter(), BytesIO()
    writer.addBlankPage(595, 842)
    writer.write(stream)
    return stream.getvalue()
