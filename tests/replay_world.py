"""A random world around the invoices of a file: what people, banks and mail servers do, seeded.

:class:`WorldReplay` lives through the days as :class:`~.replay_engine.Replay` does, and lets things happen: partial
and full credit notes, money that lies on the account unmatched, direct debits and their returns, payments that
bounce, payments that are booked late with an earlier date, holds on parts, invoices and debtors, disputes with an
outcome, promises, receipts on the bank that name an invoice or a debtor, mails that come back, replies, proposals
that are taken back, and faults in the middle of the scheduled actions, which then are repeated. Payers write numbers
of invoices as people do: whole, in part, in digits, somebody else's, or not at all.

The referee writes all of it down in his own books (``replay_ledger``) and judges what leaves by those.
"""

import random
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo import Command
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .letter_referee import arrives_by_post
from .replay_engine import EARLY, LATE, WAITING, Replay
from .replay_ledger import Account, Credit, Hold, Movement, Promise, Step, add_bank_days

#: What happens to an invoice, and how often.
FATES = {
    'nothing': 36, 'part_paid': 8, 'credited_partly': 5, 'credited': 4, 'credit_lies_there': 5, 'money_lies_there': 6,
    'bounces': 7, 'booked_late': 10, 'hold': 5, 'hold_part': 5, 'dispute': 7, 'hold_debtor': 3, 'insolvent': 1,
    'promise': 10, 'receipt_of_nobody': 7, 'receipt_of_debtor': 9,
}
#: What becomes of an invoice that is collected by direct debit, of one of so many customers, and how often: the money
#: comes; it comes and the bank takes it back; the bank rejects it; nobody collects.
DEBITS, DEBIT_EVERY = {'collected': 6, 'taken_back': 3, 'rejected': 2, 'forgotten': 1}, 8
#: In one of so many days something breaks in planning, and in sending.
FAULT_EVERY = 9
#: Right after which methods.
PLAN_FAULTS = (
    ('dunning.run', '_refresh_pending'), ('dunning.run', '_make_notices'), ('dunning.planner', '_plan'),
    ('dunning.notice', '_create_from_decisions'))
SEND_FAULTS = (
    ('dunning.dispatcher', '_recheck'), ('dunning.letter', '_render_pdfs'), ('dunning.dispatcher', '_queue_mails'),
    ('dunning.dispatcher', '_deliver'), ('dunning.notice', '_take_snapshots'))
#: What the planner may say about an item of the consumer ladder without the referee counting its days.
CONSUMER_WAITS = WAITING | {'no_default', 'needs_fourteen_day', 'fourteen_day_running'}
#: A step of the consumer ladder that nothing stands in the way of has come so many days after its day at the latest.
CONSUMER_LATEST = 21
#: A 14-day letter can be read on the day after it left at the soonest, and its fourteen days begin on the day after.
FOURTEEN_DAYS = 15
#: Days that are left of a reasonable term when a notice of default arrives.
SHORTEST_TERM = 5
#: Days that the world goes on after the last payment of the file.
AFTERMATH = 100


class WorldReplay(Replay):
    """:param seed: the same events in every run with the same file
    :param dict fates: ``{number of an invoice: what happens to it}``, chosen instead of drawn
    :param int aftermath: days that the world goes on after the last payment of the file
    """

    def __init__(self, *args, seed=1, fates=None, aftermath=AFTERMATH, **kwargs):
        super().__init__(*args, **kwargs)
        self.seed, self.fates, self.aftermath = seed, fates or {}, aftermath
        # As the test does: what the chatter says about bookings is not judged.
        self.env = self.env(context={**self.env.context, 'tracking_disable': True})
        self.accounts = {row.number: Account(round(row.amount * 100)) for row in self.rows}
        self.row_of = {row.number: row for row in self.rows}
        self.rows_of = defaultdict(list)
        for row in self.rows:
            self.rows_of[row.customer].append(row)
        self.credits, self.holds, self.promises = defaultdict(list), defaultdict(list), []
        self.agenda = defaultdict(list)
        self.events = Counter()
        self.touched = defaultdict(set)  # customers to whom something happened after planning, by day
        self.bounced = {}
        self.by_hand, self.steps_of_notice = set(), defaultdict(list)
        self.free_since = {}

    def _chance(self, *what):
        return random.Random(f"{self.seed}/{'/'.join(str(word) for word in what)}")

    # --- the company ---

    def set_up(self):
        result = super().set_up()
        self.last += timedelta(days=self.aftermath)
        self.debit = self.bank.inbound_payment_method_line_ids[:1].copy({
            'name': "Direct debit", 'dunning_collects': True})
        # Whether bank data are fresh is another story: statements come here without a day.
        for policy in self.ladders:
            policy.bank_max_age = 0
        self.company.dunning_term_agreed_consumer = True
        self.receivable = self.company.partner_id.property_account_receivable_id
        self.under_way = self.bank.inbound_payment_method_line_ids.payment_account_id[:1]
        return result

    def _make_debtors(self, policies):
        result = super()._make_debtors(policies)
        # Most consumers climb their own ladder: judged by bounds, see `_judge_bounds`.
        self.consumers = set()
        self.consumer_policy = policies['consumer']
        for position, (customer, debtor) in enumerate(sorted(self.debtors.items())):
            if not debtor.is_company and position % 3:
                debtor.with_company(self.company).dunning_policy_id = policies['consumer']
                self.policy_of[customer] = policies['consumer']
                self.consumers.add(customer)

    # --- the days ---
        return result

    def _live(self, day):
        env = self.env(context={**self.env.context, 'dunning_at_date': day})
        self._time('invoices', self._post_invoices, env, day)
        self._time('events', self._happen, env, (day, EARLY))
        self._time('disputes', self._mark_disputes, env, day, EARLY)
        self._time('payments', self._pay, env, day, EARLY)
        self._time('planning', self._scheduled, env, day, '_cron_plan', PLAN_FAULTS)
        self._time('checking', self._free_short_terms, env, day)
        self._time('checking', self._observe, env, day, EARLY)
        self._time('people', self._collect, env, day)
        self._time('checking', self._observe, env, day, EARLY)
        self._time('events', self._happen, env, (day, LATE))
        self._time('disputes', self._mark_disputes, env, day, LATE)
        self._time('payments', self._pay, env, day, LATE)
        self._time('sending', self._scheduled, env, day, '_cron_dispatch', SEND_FAULTS)
        self._time('sending', self._deliver_mails, env)
        self._time('checking', self._observe, env, day, LATE)
        self._time('checking', self._check_day, env, day)

    def _scheduled(self, env, day, name, faults):
        """Run a scheduled action; on some days something breaks halfway, and it is run again."""
        run, chance = env['dunning.run'], self._chance('fault', day, name)
        if chance.randrange(FAULT_EVERY):
            getattr(run, name)()
            return
        stage = chance.choice(faults)
        # A rollback would undo the test itself: there only what is caught in a savepoint may break.
        if not self.commits and name == '_cron_plan':
            getattr(run, name)()
            return
        error = chance.choice((OperationalError, RuntimeError)) if self.commits else UserError
        with self._breaking(env, stage, error) as broke, mute_logger(
            'odoo.addons.l10n_nl_dunning.models.sending.dunning_run',
            'odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher',
        ):
            self.commit()
            try:
                getattr(run, name)()
            except OperationalError:
                env.cr.rollback()
        if broke:
            self.events[f'fault: {name[6:]} {stage[1][1:]}'] += 1
        getattr(env['dunning.run'], name)()
        failed = env['dunning.notice'].search([('state', '=', 'error')])
        if failed:
            # Somebody reads why it did not leave, and tries again.
            failed.action_retry()
            env['dunning.run']._cron_dispatch()

    @contextmanager
    def _breaking(self, env, stage, error):
        model, method = stage
        owner, broke = type(env[model]), []
        original = getattr(owner, method)

        def breaks(records, *args, **kwargs):
            result = original(records, *args, **kwargs)
            if not broke:
                broke.append(True)
                raise error("Broken on purpose")
            return result

        with patch.object(owner, method, breaks):
            yield broke

    # --- what happens ---

    def _touch(self, row_or_customer, now):
        self.touched[now[0]].add(getattr(row_or_customer, 'customer', row_or_customer))

    def _plan_event(self, day, moment, kind, row, **words):
        self.agenda[day, moment].append((kind, row, words))

    def _happen(self, env, now):
        for kind, row, words in self.agenda.pop(now, ()):
            if getattr(self, f'_do_{kind}')(env, row, now, **words) is not False:
                self.events[kind] += 1
                if now[1] == LATE:
                    self._touch(row, now)

    def _post_invoices(self, env, day):
        result = super()._post_invoices(env, day)  # pylint: disable=assignment-from-none
        for row in self.rows:
            if row.invoice_date == day:
                self._draw_fate(row)
        return result

    def _draw_fate(self, row):
        chance = self._chance('row', row.number)
        fates = FATES if self._chance('debit', row.customer).randrange(DEBIT_EVERY) else DEBITS
        fate = self.fates.get(row.number) or chance.choices(list(fates), weights=list(fates.values()))[0]
        row.__dict__['fate'] = fate
        if fate in DEBITS:
            self._collect_by_debit(row, chance)
            return
        if fate == 'nothing':
            return
        span = max(1, (row.settled_date - row.due_date).days)
        when = row.due_date + timedelta(days=chance.randint(-2, max(3, min(span, 60))))
        when = max(when, row.invoice_date + timedelta(days=1))
        moment, amount = chance.choice((EARLY, LATE)), chance.randint(15, 85)
        days = timedelta(days=chance.randint(2, 14))
        if fate in ('bounces', 'booked_late'):
            row.__dict__['aside'] = timedelta(days=chance.randint(1, 12))
            return
        self._plan_event(when, moment, fate, row, percent=amount, days=days, die=chance.random())

    def _collect_by_debit(self, row, chance):
        """The bank is asked to collect it on its due date; what comes comes within some days of it."""
        row.move.preferred_payment_method_line_id = self.debit
        row.__dict__['collected_until'] = add_bank_days(row.due_date, 5)
        self.events[f'direct debit: {row.fate}'] += 1
        day = max(row.due_date, row.invoice_date) + timedelta(days=chance.randint(1, 4))
        moment = chance.choice((EARLY, LATE))
        if row.fate in ('collected', 'taken_back'):
            row.__dict__['paid_at'] = (day, moment)
            row.__dict__['aside'] = timedelta(days=chance.randint(1, 12))
        elif row.fate == 'rejected':
            row.__dict__['paid_at'] = max(row.paid_at, (day + timedelta(days=1), moment))
            self._plan_event(day, moment, 'rejected', row)

    def _do_rejected(self, env, row, now):
        row.move.with_env(env)._record_dunning_return(now[0], "MS02")
        row.__dict__['returned'] = now

    def _is_collected(self, row, now):
        """Return whether a row will be collected by direct debit, so that nobody is asked for it."""
        until, returned = getattr(row, 'collected_until', None), getattr(row, 'returned', None)
        return until is not None and now[0] <= until and (returned is None or now < returned)

    def _get_open(self, row, now):
        return self.accounts[row.number].get_open(now) if row.item_id else 0

    def _book(self, env, row, cents, dated, *, credit=False):
        """Book money or a credit note of the debtor of a row, matched with nothing. Return its due item."""
        debtor, place = self.debtors[row.customer], self._get_place('money', row.number, dated, credit)
        if credit:
            move = env['account.move'].create({
                'move_type': 'out_refund', 'company_id': place.id, 'partner_id': debtor.id,
                'invoice_date': dated, 'date': dated,
                'invoice_payment_term_id': False,
                'invoice_line_ids': [Command.create({
                    'name': row.number, 'price_unit': cents / 100, 'tax_ids': [Command.clear()]})]})
        else:
            account = env['account.move.line'].browse(row.item_id).account_id
            move = env['account.move'].create({
                'move_type': 'entry', 'company_id': place.id, 'journal_id': self.bank.id, 'date': dated,
                'ref': f"Paid {row.customer}",
                'line_ids': [
                    Command.create({
                        'account_id': self.under_way.id, 'debit': cents / 100, 'credit': 0.0, 'name': "Paid"}),
                    Command.create({
                        'account_id': account.id, 'debit': 0.0, 'credit': cents / 100, 'name': "Paid",
                        'partner_id': debtor.id})]})
        move.action_post()
        return move.line_ids.filtered(lambda line: line.account_id.account_type == 'asset_receivable')

    def _match(self, env, row, line, movement):
        (env['account.move.line'].browse(row.item_id) | line).reconcile()
        account = self.accounts[row.number]
        account.movements.append(movement)
        account.payments.append((line, movement))
        for hold in self.holds[row.customer]:
            if hold.number == row.number and hold.doubt is None and account.get_open(movement.known) <= 0:
                hold.doubt = movement.known
        for promise in self.promises:
            if promise.number == row.number and promise.hold.doubt is None:
                promise.hold.doubt = movement.known

    def _mark_disputes(self, env, day, moment):
        now = (day, moment)
        for row in self.rows:
            if row.disputed_at == now and self._get_open(row, now) > 0:
                move = row.move.with_env(env)
                if row.disputed_by == 'blocked':
                    if move.payment_state not in ('not_paid', 'partial'):
                        continue
                    move.action_toggle_block_payment()
                else:
                    move.no_followup = True
                row.__dict__['is_marked'] = True
                self.accounts[row.number].marks.append((row.disputed_by, now, None))
                self.counts['disputes'] += 1

    def _unmark(self, env, row, now):
        """A payment cannot be matched while the invoice is blocked."""
        account = self.accounts[row.number]
        if 'blocked' in account.get_marks(now):
            row.move.with_env(env).action_toggle_block_payment()
            account.marks = [(code, since, until or now) for code, since, until in account.marks]
            self._touch(row, now)

    def _pay(self, env, day, moment):
        now = (day, moment)
        for row in self.rows:
            if row.paid_at == now:
                self._settle(env, row, now)

    def _settle(self, env, row, now, again=False):
        fate, aside = getattr(row, 'fate', ''), getattr(row, 'aside', timedelta())
        if fate == 'booked_late' and not again:
            # It came on its day; the bank statement comes later.
            row.__dict__['dated'] = now[0]
            self._plan_event(now[0] + aside, now[1], 'booked_late', row)
            return
        self._pay_rest(env, row, now, now[0])
        self.counts['payments'] += 1
        if fate in ('bounces', 'taken_back') and not again:
            self._plan_event(now[0] + aside, self._chance('bounce', row.number).choice((EARLY, LATE)), 'bounces', row)

    def _pay_rest(self, env, row, now, dated):
        cents = self._get_open(row, now)
        if cents <= 0:
            return
        self._unmark(env, row, now)
        line = self._book(env, row, cents, dated)
        self._match(env, row, line, Movement(cents, dated, now))

    def _do_booked_late(self, env, row, now):
        self._pay_rest(env, row, now, row.dated)
        self.counts['payments'] += 1

    def _do_bounces(self, env, row, now):
        """The money is taken back: what was paid is owed again."""
        account = self.accounts[row.number]
        paid = [(line, move) for line, move in account.payments if move.counts(now) and move.is_money]
        if not paid:
            return False
        line, movement = paid[-1]
        line = line.with_env(env)
        line.remove_move_reconcile()
        line.move_id.button_draft()
        line.move_id.button_cancel()
        movement.undone = now
        if row.fate == 'taken_back':
            row.move.with_env(env)._record_dunning_return(now[0], "AM04 insufficient funds, EUR 5.00")
            row.__dict__['returned'] = now
        day = now[0] + timedelta(days=self._chance('again', row.number).randint(5, 60))
        self._plan_event(min(day, self.last), EARLY, 'paid_again', row)
        return True

    def _do_paid_again(self, env, row, now):
        self._pay_rest(env, row, now, now[0])

    def _do_part_paid(self, env, row, now, percent, **_words):
        cents = self._get_open(row, now) * percent // 100
        if cents <= 0 or now >= row.paid_at:
            return False
        self._unmark(env, row, now)
        self._match(env, row, self._book(env, row, cents, now[0]), Movement(cents, now[0], now))
        return True

    def _do_credited_partly(self, env, row, now, percent, **_words):
        cents = self._get_open(row, now) * percent // 100
        if cents <= 0 or now >= row.paid_at:
            return False
        self._unmark(env, row, now)
        line = self._book(env, row, cents, now[0], credit=True)
        self._match(env, row, line, Movement(cents, now[0], now, is_money=False))
        return True

    def _do_credited(self, env, row, now, **words):
        return self._do_credited_partly(env, row, now, **{**words, 'percent': 100})

    def _do_credit_lies_there(self, env, row, now, percent, days, die, credit=True):
        cents = self._get_open(row, now) * percent // 100
        if cents <= 0 or now >= row.paid_at:
            return False
        known = Credit(cents, now[0], now, is_money=not credit)
        line = self._book(env, row, cents, now[0], credit=credit)
        self.credits[row.customer].append(known)
        day = min(now[0] + days, row.settled_date - timedelta(days=1))
        self._plan_event(max(day, now[0] + timedelta(days=1)), EARLY, 'is_matched', row, credit=known, line=line)
        return True

    def _do_money_lies_there(self, env, row, now, **words):
        return self._do_credit_lies_there(env, row, now, **words, credit=False)

    def _do_is_matched(self, env, row, now, credit, line):
        line = line.with_env(env)
        credit.used = now
        if self._get_open(row, now) < credit.cents:
            # It was paid meanwhile: the money goes back.
            line.move_id.button_draft()
            line.move_id.button_cancel()
            return
        self._unmark(env, row, now)
        self._match(env, row, line, Movement(
            credit.cents, credit.dated, now, is_money=credit.is_money, ready=credit.known))

    def _hold(self, env, row, now, kind, days, *, cents=0, debtor=False, decided=False):
        values = {
            'reason_id': env.ref(f'l10n_nl_dunning.hold_reason_{kind}').id,
            'user_id': self.collector.id, 'date_end': now[0] + days,
            **({'partner_id': self.debtors[row.customer].id, 'company_id': self._get_place('hold', row.number).id}
               if debtor else {'move_id': row.move.id}),
            **({'amount': cents / 100} if cents else {})}
        record = env['dunning.hold'].create(values)
        record._take_back_notices()
        hold = Hold(
            row.customer, '' if debtor else row.number, now, now[0] + days, cents=cents, until_decided=decided,
            is_dispute=kind == 'dispute', record=record.with_env(self.env))
        self.holds[row.customer].append(hold)
        return hold

    def _do_hold(self, env, row, now, days, die, percent, part=False):
        cents = self._get_open(row, now)
        if cents <= 1:
            return False
        cents = max(1, cents * percent // 100) if part else 0
        hold = self._hold(env, row, now, 'internal' if die < 0.5 else 'other', days, cents=cents)
        if die < 0.4:
            self._plan_event(now[0] + days // 2, now[1], 'release', row, hold=hold)
        return True

    def _do_hold_part(self, env, row, now, **words):
        return self._do_hold(env, row, now, **words, part=True)

    def _do_hold_debtor(self, env, row, now, days, die, **_words):
        hold = self._hold(env, row, now, 'internal', days, debtor=True)
        if die < 0.4:
            self._plan_event(now[0] + days // 2, now[1], 'release', row, hold=hold)

    def _do_insolvent(self, env, row, now, days, **_words):
        # Review is due after some days, and a person decides later than that.
        hold = self._hold(env, row, now, 'insolvency', days, debtor=True, decided=True)
        self._plan_event(now[0] + days + timedelta(days=20), EARLY, 'release', row, hold=hold)

    def _do_dispute(self, env, row, now, days, die, percent):
        cents = self._get_open(row, now)
        if cents <= 1 or self.accounts[row.number].get_marks(now):
            return False
        part = max(1, cents * percent // 100) if die < 0.5 else 0
        hold = self._hold(env, row, now, 'dispute', days, cents=part)
        self._plan_event(
            now[0] + days // 2 + timedelta(days=1), EARLY, 'settle_dispute', row, hold=hold, die=die)
        return True

    def _do_settle_dispute(self, env, row, now, hold, die):
        """We are right, the debtor is and gets a credit note, or each is in part."""
        right = ('us', 'debtor', 'partly')[int(die * 100) % 3]
        hold.record.with_env(env).write({'dispute_right': right})
        hold.settled = now
        if right != 'us':
            cents = min(self._get_open(row, now), hold.cents or self._get_open(row, now))
            cents = cents if right == 'debtor' else cents // 2
            if cents > 0:
                self._match(env, row, self._book(env, row, cents, now[0], credit=True), Movement(
                    cents, now[0], now, is_money=False))
        self._do_release(env, row, now, hold)
        self.events[f'dispute: {right}'] += 1

    def _do_release(self, env, row, now, hold):
        record = hold.record.with_env(env)
        if record.closed_on:
            return False
        record._close("Looked into it.")
        hold.closed = now
        return True

    def _do_promise(self, env, row, now, percent, days, die):
        cents = self._get_open(row, now)
        if cents <= 1 or now >= row.paid_at or self.accounts[row.number].get_marks(now):
            return False
        promised = cents * percent // 100 if die < 0.3 else cents
        item = env['account.move.line'].browse(row.item_id)
        record = env['dunning.promise'].with_user(self.collector)._make(
            self._get_place('promise', row.number).with_env(env), self.debtors[row.customer], now[0] + days,
            promised / 100, items=item, confirm=False)
        grace = record.grace_date
        if not days <= grace - now[0] <= days + timedelta(days=8):
            self._fail(now[0], f"{row.number}: the grace of a promise for {now[0] + days} ends on {grace}")
        promise = Promise(row.number, promised, cents, now, grace, record=record.with_env(self.env))
        promise.hold = Hold(row.customer, row.number, now, grace, record=record.hold_ids.with_env(self.env))
        # A later promise takes the place of the first.
        for other in self.promises:
            if other.number == row.number:
                other.hold.doubt = other.hold.doubt or now
                self.promises.remove(other)
        self.promises.append(promise)
        self.holds[row.customer].append(promise.hold)
        if die < 0.5:
            day = now[0] + days - timedelta(days=int(die * 10) % 3)
            if (day, EARLY) > now:
                self._plan_event(day, EARLY, 'part_paid', row, percent=100 if die < 0.35 else 40)
        return True

    def _do_receipt_of_nobody(self, env, row, now, die, **words):
        """Somebody whom the bank does not know pays, and names an invoice of ours: in full, or by its digits."""
        number = row.move.name
        text = (
            f"payment {number}", f"inv. {number.lower().replace('/', ' ')}, thanks", f"/EREF/{number}//REMI/thanks/",
            f"your {number.split('/')[-1]}")[int(die * 4)]
        doubtful = text.startswith("your")
        return self._receive(env, row, now, text, names=row.number, is_doubtful=doubtful, payer_known=False, **words)

    def _do_receipt_of_debtor(self, env, row, now, die, **words):
        """A debtor pays, and writes a number in some way, somebody else's, one that is none, or nothing."""
        _prefix, year, digits = row.move.name.rsplit('/', 2)
        others = [other for other in self.rows if other.customer != row.customer and self._get_open(other, now) > 0]
        other = others[int(die * 1000) % len(others)] if others else row
        text, names = (
            ("Transfer", ''), (f"invoice {int(digits)}, thanks", row.number), (f"{year}/{digits}", row.number),
            (f"for {other.move.name}", other.number), (f"customer {int(digits)} week 12", ''),
            (row.move.name, row.number),
        )[int(die * 6)]
        if text.startswith("invoice ") and [
            int(mine.move.name.split('/')[-1]) for mine in self.rows_of[row.customer] if self._get_open(mine, now) > 0
        ].count(int(digits)) > 1:
            return False  # it would name two of them
        if names == other.number:
            self._touch(other, now)
        return self._receive(env, row, now, text, names=names, partner=self.debtors[row.customer], **words)

    def _get_account(self, row):
        """Return the bank journal to which a debtor pays."""
        return self.bank

    def _receive(self, env, row, now, text, days, percent, partner=None, **words):
        cents = self._get_open(row, now)
        if cents <= 1 or now >= row.paid_at:
            return False
        cents = max(1, cents * percent // 100)
        line = env['account.bank.statement.line'].create({
            'journal_id': self._get_account(row).id, 'date': now[0], 'amount': cents / 100, 'payment_ref': text,
            'partner_id': partner and partner.id})
        credit = Credit(cents, now[0], now, is_money=True, **words)
        self.credits[row.customer].append(credit)
        self._plan_event(now[0] + days, EARLY, 'receipt_is_sorted_out', row, credit=credit, line=line)
        return True

    def _do_receipt_is_sorted_out(self, env, row, now, credit, line):
        """It was somebody else's: the line is taken off the statement."""
        line = line.with_env(env)
        line.move_id.button_draft()
        line.unlink()
        credit.used = now

    # --- people ---

    def _collect(self, env, day):
        result = super()._collect(env, day)
        now = (day, EARLY)
        Notice = env['dunning.notice']
        for notice in Notice.browse(sorted(self.waiting_ids)).exists():
            if notice.state == 'queued' and not self._chance('drop', day, notice.partner_id.ref).randrange(30):
                self.by_hand.add(notice.id)
                mine = notice.with_user(self.collector)
                mine.action_take_back()
                mine.action_cancel()
                self.events['proposal dropped'] += 1
                self._touch(notice.partner_id.ref, now)
        recent = Notice.search([
            ('state', '=', 'sent'), ('date', '>=', day - timedelta(days=3)), ('date', '<', day),
            ('mail_message_id', '!=', False)])
        for notice in recent.sorted('id'):
            customer = notice.partner_id.ref
            die = self._chance('answer', day, customer, notice.level_id.sequence).randrange(100)
            if die < 2 and customer not in self.bounced:
                notice._record_bounced("550 No such user")
                self.bounced[customer] = now
                self._do_not_count(notice)
                self.events['mail came back'] += 1
                self._touch(customer, now)
                row = self.rows_of[customer][0]
                self._plan_event(day + timedelta(days=5 + die * 10), EARLY, 'address_mended', row)
            elif die == 5:
                self._reply(env, notice, customer, now)
        for withdrawal in env['dunning.withdrawal'].search([('state', '=', 'proposed')]):
            if not self._chance('withdraw', day, withdrawal.partner_id.ref).randrange(3):
                self._withdraw(withdrawal, now)
        return result

    def _do_not_count(self, notice):
        """What came back did not arrive: its rung is free again, unless it also went by post."""
        if notice.channel == 'both' and notice.postal_state:
            return
        for row, step in self.steps_of_notice[notice.id]:
            self._free(row, step)

    def _free(self, row, step):
        step.gone = True
        row.history = [entry for entry in row.history if entry[0] != step.level]

    def _do_address_mended(self, env, row, now):
        self.debtors[row.customer].with_env(env).dunning_email_bounced_on = False
        self.bounced.pop(row.customer, None)

    def _reply(self, env, notice, customer, now):
        debtor = self.debtors[customer].with_env(env)
        before = env['dunning.hold'].search([('partner_id', '=', debtor.id)])
        notice.sudo().message_update({'author_id': debtor.id, 'email_from': debtor.email, 'subject': "Re: your mail"})
        made = env['dunning.hold'].search([('partner_id', '=', debtor.id)]) - before
        if made:
            hold = Hold(customer, '', now, made.date_end, record=made.with_env(self.env))
            self.holds[customer].append(hold)
            if not now[0] + timedelta(days=3) <= made.date_end <= now[0] + timedelta(days=14):
                self._fail(now[0], f"a reply of {customer} pauses until {made.date_end}")
            self.events['reply'] += 1
            self._touch(customer, now)
        elif any(self._get_open(row, now) > 0 for row in self.rows_of[customer]) and not any(
            hold.holds_perhaps(now) for hold in self.holds[customer]
        ):
            self._fail(now[0], f"a reply of {customer} was not heard")

    def _withdraw(self, withdrawal, now):
        lines = withdrawal.line_ids
        customer = withdrawal.partner_id.ref
        # Whom no mail reaches cannot be told by mail.
        silent = not withdrawal._get_recipient() or self._chance('silent', now[0], customer).random() < 0.5
        withdrawal._withdraw(now[0], silent=silent)
        self.events['withdrawal'] += 1
        for line in lines:
            for row, step in self.steps_of_notice[line.notice_id.id]:
                if step.line_id == line.id and line.withdrawn_on:
                    least, most = self.accounts[row.number].get_wrong(step, now)
                    if most < step.asked:
                        self._fail(
                            now[0], f"{row.number}: {step.asked} was withdrawn, of which {least} to {most} is wrong")
                    self._free(row, step)
            self._touch(self.by_item[line.move_line_id.id], now)

    def _free_short_terms(self, env, day):
        """A notice of default gives a reasonable term when it arrives (6:82 BW): one that was posted too late for that
        is found by the next planning.
        """
        for notice in env['dunning.notice'].search([('posted_on', '<', day), ('state', '=', 'sent')]):
            if 'default_notice' in (notice.level_id.legal_role, notice.legal_role) and (
                notice.deadline - arrives_by_post(notice.posted_on, 0)
            ).days < SHORTEST_TERM:
                for row, step in self.steps_of_notice[notice.id]:
                    if not step.gone:
                        self.events['posted too late'] += 1
                        self._free(row, step)

    # --- the referee ---

    def _get_held(self, row, now):
        """Return the least and the most cents of a row that are on hold."""
        left = self._get_open(row, now)
        least = most = 0
        for hold in self.holds[row.customer]:
            if hold.is_about(row):
                if hold.holds_certainly(now):
                    least += hold.cents or left
                if hold.holds_perhaps(now):
                    most += hold.cents or left
        return min(least, left), min(most, left)

    def _impute(self, now):
        """Return what is for each invoice by its payer's choice (article 6:43 of the Civil Code), and the rest.

        :return: cents by number and credit, cents by customer of who is known, and numbers that somebody may have paid
        """
        shares, loose, doubtful, left, unnamed = defaultdict(dict), defaultdict(int), set(), {}, []

        def allot(number, position, cents):
            row = self.row_of[number]
            taken = min(cents, left.setdefault(number, self._get_open(row, now)))
            left[number] -= taken
            if taken:
                shares[number][position] = taken
            return cents - taken

        found = [
            (customer, credit) for customer, credits in self.credits.items() for credit in credits
            if credit.is_open(now)]
        for position, (customer, credit) in enumerate(found):
            if credit.is_doubtful:
                doubtful.add(credit.names)
                continue
            rest = allot(credit.names, position, credit.cents) if credit.names else credit.cents
            if rest == credit.cents:
                unnamed.append((position, customer, credit))
            elif credit.payer_known:
                loose[customer] += rest
        for position, customer, credit in unnamed:
            meant = [
                row.number for row in self.rows_of[customer]
                if row.item_id and row.number not in shares and self._get_open(row, now) == credit.cents]
            if not credit.payer_known:
                continue
            loose[customer] += allot(meant[0], position, credit.cents) if len(meant) == 1 else credit.cents
        return shares, loose, doubtful

    def _may_be_paid(self, row, now):
        """Return whether somebody unknown wrote the last digits of a number, of which there may be several."""
        digits = {self.row_of[number].move.name.split('/')[-1] for number in self._impute(now)[2]}
        return row.move.name.split('/')[-1] in digits

    def _get_netted(self, row, now):
        """Return the least and the most cents of credits that are set against a row: those for it, the rest by age."""
        shares, loose, _doubtful = self._impute(now)
        least = most = loose[row.customer]
        own = sum(shares[row.number].values())
        if not own and not most:
            return 0, 0
        older = [
            other for other in self.rows_of[row.customer]
            if other.item_id and (other.due_date, other.item_id) < (row.due_date, row.item_id)
            and self._get_open(other, now) > 0 and not self.accounts[other.number].get_marks(now)]
        left = self._get_open(row, now)
        for other in older:
            held_least, held_most = self._get_held(other, now)
            free = self._get_open(other, now) - sum(shares[other.number].values())
            least -= max(0, free - held_least)
            most -= max(0, free - held_most)
        held_least, held_most = self._get_held(row, now)

        def cover(credit, held):
            return min(left - held, own) + max(0, min(credit, left - held - own))

        return cover(least, held_most), cover(most, held_least)

    def _get_for(self, number, now):
        """Return the credits that can be about an invoice, each without what is for others."""
        shares, customer = self._impute(now)[0], self.row_of[number].customer
        found = [
            (owner, credit) for owner, credits in self.credits.items() for credit in credits if credit.is_open(now)]
        taken = [
            sum(parts.get(position, 0) for other, parts in shares.items() if other != number)
            for position in range(len(found))]
        return [
            replace(credit, cents=credit.cents - taken[position]) for position, (owner, credit) in enumerate(found)
            if credit.cents > taken[position] and (
                (owner == customer and credit.payer_known) or position in shares[number])]

    def _judge_item(self, row, label, notice, line, day, moment):
        now, account = (day, moment), self.accounts[row.number]
        left = self._get_open(row, now)
        held, netted = self._get_held(row, now), self._get_netted(row, now)
        line_left, line_held, line_netted = (
            round(line[name] * 100) for name in ('amount_residual', 'amount_held', 'amount_netted'))
        used = {entry[0] for entry in row.history}
        # What lies printed on a desk left when it was dated.
        asked_at = (notice.date, LATE) if notice.postal_state == 'posted' else now
        checks = {
            "it was not owed any more": left > 0,
            f"it is marked {account.get_marks(now)}": not account.get_marks(now),
            "it is on hold": left <= 0 or held[0] < left,
            "it will be collected by direct debit": not (
                self._is_collected(row, now) and self._is_collected(row, asked_at)),
            "it does not say that the direct debit was returned": self._tells_return(row, notice, now),
            "a receipt may be for it": not (self._may_be_paid(row, now) and self._may_be_paid(row, asked_at)),
            f"{line_left} was asked instead of {left}": line_left == left,
            f"{line_held} is left out as held instead of {held}": held[0] <= line_held <= held[1],
            f"{line_netted} is set against it instead of {netted}": netted[0] <= line_netted <= netted[1],
            "nothing is asked": line_left - line_held - line_netted > 0,
            "the due date is another one": line.date_maturity == row.due_date,
            "it belongs to another debtor": notice.partner_id.ref == row.customer,
            f"level {line.level_id.name} came twice": line.level_id not in used,
            "the text is that of a lower level than its own": notice.level_id.sequence >= line.level_id.sequence,
            "it is dated on another day than it was made": notice.date <= day,
            "the deadline is not after the date": not notice.deadline or notice.deadline >= notice.date,
            "the policy is another one": notice.policy_id == self.policy_of[row.customer],
            "it is handed over in dispute": notice.channel != 'task' or not any(
                hold.is_about(row) and hold.is_open_dispute(now) for hold in self.holds[row.customer]),
        }
        if row.customer in self.consumers:
            checks.update(self._judge_bounds(row, notice, line))
        else:
            level, reached = self._next_step(row, notice.date)
            checks[f"level {line.level_id.name} instead of {level and level.name}"] = line.level_id == level
            checks[f"it left before its day, {reached}"] = not reached or notice.date >= reached
        for text, right in checks.items():
            if not right:
                self._fail(day, f"{label} ({row.number}): {text}")
        self._remember(
            row, notice, line, now, 'sent', line_left - line_held - line_netted, bool(line_held or line_netted))

    def _tells_return(self, row, notice, now):
        """Return whether the first letter after a return says so, in friendly words, without those of the bank."""
        returned = getattr(row, 'returned', None)
        told = any(
            step.kind == 'sent' and not step.gone and step.channel != 'task'
            for step in self.accounts[row.number].steps)
        if returned is None or returned > now or told or notice.channel not in ('email', 'letter', 'both'):
            return True
        text = notice.body_intro or ''
        return f"incasso van factuur {row.move.name}" in text and "5.00" not in text and "AM04" not in text

    def _judge_bounds(self, row, notice, line):
        """What is true of the consumer ladder whatever its settings."""
        last = row.history[-1] if row.history else None
        steps = self.accounts[row.number].get_ladder()
        told = [step for step in steps if step.level.legal_role == 'fourteen_day' and step.kind == 'sent']
        waited = notice.date >= (last[2] if last else row.due_date) + timedelta(days=1)
        letter = line.level_id.legal_role == 'fourteen_day'
        return {
            "its level fell": not last or line.level_id.sequence > last[0].sequence,
            "it left before it was due": notice.date > row.due_date,
            "it left before the term it was given ran out":
                waited or (letter and (not last or last[2] <= notice.date + timedelta(days=14))),
            "costs were asked before a 14-day letter ran out": not round(line.amount_costs * 100) or any(
                notice.date >= step.departure + timedelta(days=FOURTEEN_DAYS) for step in told),
            "a second 14-day letter": not (letter and told),
        }

    def _remember(self, row, notice, line, now, kind, asked=0, mixed=False):
        step = Step(
            line.level_id, notice.date, notice.deadline, kind, left=now, departure=notice.posted_on
            if notice.channel == 'letter' and notice.posted_on else notice.date,
            notice_id=notice.id, line_id=line.id, channel=notice.channel, asked=asked, mixed=mixed)
        self.accounts[row.number].steps.append(step)
        self.steps_of_notice[notice.id].append((row, step))
        self.free_since.pop(row.number, None)

    def _judge_document(self, notice, day):
        bounced = self.bounced.get(notice.partner_id.ref)
        if bounced and bounced[0] <= day:
            return  # which way it took instead is another story
        super()._judge_document(notice, day)

    def _judge_undelivered(self, notice, day, moment):
        """It came back before it was looked at as sent."""
        self._judge_sent(notice, day, moment)
        self._do_not_count(notice)

    def _judge_withdrawn(self, notice, day, moment):
        self._judge_sent(notice, day, moment)

    def _judge_skipped(self, notice, day, moment):
        if not notice.level_id.expire_days and notice.level_id.legal_role != 'fourteen_day':
            self._fail(day, f"{notice.name} was passed over")
        for line in notice.live_line_ids:
            row = self.by_item[line.move_line_id.id]
            if self._get_open(row, (day, moment)) <= 0:
                self._fail(day, f"{notice.name} about {row.number} was passed over instead of cancelled")
            row.history.append((line.level_id, notice.date, notice.deadline))
            self._remember(row, notice, line, (day, moment), 'skipped')

    def _judge_cancelled(self, notice, day, moment):
        if notice.id in self.by_hand:
            return
        now = (day, moment)
        for line in notice.line_ids:
            row = self.by_item[line.move_line_id.id]
            if line.drop_reason == 'below_minimum' or row.customer in self.touched[day]:
                continue
            stopped = (
                self._get_open(row, now) <= 0 or self.accounts[row.number].get_marks(now)
                or self._get_held(row, now)[1] or self._get_netted(row, now)[1] or self._may_be_paid(row, now)
                or self._is_collected(row, now))
            if not stopped:
                self._fail(day, f"{notice.name} about {row.number} was cancelled though it is owed: "
                                f"{line.drop_reason} {notice.cancel_reason}")

    def _get_frozen(self, notice):
        # Its state may become undelivered or withdrawn; the rest is what was said.
        name, _state, *rest = super()._get_frozen(notice)
        receipt = notice.level_id.legal_role or notice.legal_role
        return (name, *(value for position, value in enumerate(rest) if not (receipt and position == 1)))

    def _check_day(self, env, day):
        now = (day, LATE)
        owed = [row for row in self.rows if row.item_id and self._get_open(row, now) > 0]
        decisions = {
            decision.item_id: decision for decision in env['dunning.planner']._plan(self.company.with_env(env), day)}
        missing = {row.item_id for row in owed} ^ set(decisions)
        if missing:
            self._fail(day, f"the planner sees other open items than the books: {sorted(missing)[:5]}")
        pending = set(env['dunning.notice.line'].search([('status', '=', 'pending')]).move_line_id.ids)
        self.told_today = set(env['dunning.notice'].search([
            '|', ('date', '=', day), ('posted_on', '=', day), ('channel', '!=', 'task'),
            ('state', 'in', ('sent', 'todo', 'to_post', 'undelivered', 'withdrawn'))]).partner_id.mapped('ref'))
        steps = {
            row.number: (None, None) if row.customer in self.consumers else self._next_step(row, day) for row in owed}
        self.sums = defaultdict(int)
        for row in owed:
            level, reached = steps[row.number]
            if level and reached <= day and row.item_id not in pending:
                certain = not (
                    self.accounts[row.number].get_marks(now) or self._may_be_paid(row, now)
                    or self._is_collected(row, now))
                least = self._get_open(row, now) - self._get_held(row, now)[1] - self._get_netted(row, now)[1]
                self.sums[row.customer, level] += least * certain
        for row in owed:
            decision = decisions.get(row.item_id)
            if decision:
                right = self._get_right(row, steps[row.number], row.item_id in pending, now)
                self._check_answer(env, row, decision, right, day)
        self._check_levels(env, day)
        self._check_promises(now)
        self._check_wrong(env, now)
        self._check_stuck(env, day)

    def _get_right(self, row, step, pending, now):
        """Return the answers that are right: more than one where a date depends on a setting."""
        day, account = now[0], self.accounts[row.number]
        (level, reached), left = step, self._get_open(row, now)
        if self._may_be_paid(row, now):
            return {'unmatched_receipt'}
        if self._is_collected(row, now):
            return {'direct_debit'}
        if account.get_marks(now):
            return account.get_marks(now)
        held = self._get_held(row, now)
        if held[0] >= left:
            return {'hold', 'hold_ended'}
        extra = {'hold', 'hold_ended'} if held[1] >= left else set()
        if pending:
            return extra | {'pending'}
        if row.customer in self.touched[day]:
            extra.add(False)  # it happened after planning: tomorrow
        if any(hold.is_about(row) and hold.is_open_dispute(now) for hold in self.holds[row.customer]):
            extra.add('open_dispute')
        if self._get_netted(row, now)[1]:
            extra |= {'netted', 'below_minimum'}
        if row.customer in self.told_today:
            extra |= {'one_message', 'below_minimum'}
        reach = self.reachable[row.customer]
        if not (reach['email'] and row.customer not in self.bounced) or not reach['letter'] or not reach['phone']:
            extra.add('no_address')
        minimum = round(self.minimum[self.policy_of[row.customer]] * 100)
        if row.customer in self.consumers:
            return extra | self._get_right_of_consumer(row, extra, now)
        if not level:
            return extra | {'finished'}
        if reached > day:
            return extra | ({'not_due'} if row.due_date >= day else WAITING - {'not_due'})
        if self.sums[row.customer, level] < minimum:
            extra.add('below_minimum')
        if sum(cents for (customer, _level), cents in self.sums.items() if customer == row.customer) < minimum:
            extra.add('below_minimum')
        return extra

    def _get_right_of_consumer(self, row, extra, now):
        """Nothing in the way, it may not be late for longer than the bound."""
        day, last = now[0], row.history[-1] if row.history else None
        right = CONSUMER_WAITS | {'finished', 'below_minimum', 'one_message'}
        if extra - {False}:
            self.free_since.pop(row.number, None)
            return right
        since = self.free_since.setdefault(row.number, day)
        reached = max(since, last[2] if last else row.due_date)
        if day > reached + timedelta(days=CONSUMER_LATEST):
            right -= CONSUMER_WAITS
        return right

    def _check_levels(self, env, day):
        expected = {}
        for row in self.rows:
            if row.item_id and self._get_open(row, (day, LATE)) > 0:
                sent = [step for step in self.accounts[row.number].get_ladder() if step.kind == 'sent']
                if sent:
                    expected[row.move.id] = sent[-1].level.id
        found = {
            move.id: move.dunning_level_id.id
            for move in env['account.move'].search([('dunning_level_id', '!=', False)])}
        for move_id in expected.keys() | found.keys():
            if expected.get(move_id) != found.get(move_id):
                self._fail(day, f"invoice {move_id} has level {found.get(move_id)} instead of {expected.get(move_id)}")

    def _check_promises(self, now):
        day = now[0]
        for promise in list(self.promises):
            account = self.accounts[promise.number]
            right = {
                state for moment in (now, (day, EARLY))
                for state in promise.judge(account, self._get_for(promise.number, moment), moment)}
            if promise.record.state not in right:
                self._fail(day, f"the promise about {promise.number} is {promise.record.state} instead of {right}")
            if day > promise.grace + timedelta(days=30):
                self.events[f'promise: {promise.record.state}'] += 1
                self.promises.remove(promise)

    def _check_wrong(self, env, now):
        """What a notice asked and had been settled before it left is found out."""
        Line = env['dunning.notice.line']
        asked = [
            (row, step) for row in self.rows if getattr(row, 'dated', None)
            and any(move.known[0] == now[0] for move in self.accounts[row.number].movements)
            for step in self.accounts[row.number].steps if step.kind == 'sent' and step.channel != 'task']
        for row, step in asked:
            least, most = self.accounts[row.number].get_wrong(step, now)
            found = round(Line.browse(step.line_id).wrong_amount * 100)
            if not step.gone and not least <= found <= most:
                self._fail(now[0], f"{row.number}: {found} was found to be wrong instead of {least} to {most}")
            elif found:
                self.events['notice found wrong'] += 1

    def _check_stuck(self, env, day):
        stuck = env['dunning.notice'].search([('state', 'in', ('draft', 'queued', 'error'))])
        for notice in stuck:
            rows = [self.by_item[line.move_line_id.id] for line in notice.live_line_ids]
            excused = notice.state == 'queued' and (
                notice.partner_id.ref in self.told_today
                or any(self._may_be_paid(row, (day, LATE)) for row in rows))
            if notice.id not in self.stuck_ids and not excused:
                self.stuck_ids.add(notice.id)
                self._fail(day, f"{notice.name} is {notice.state} at the end of the day: "
                                f"{notice.error_message or ''} {notice.waiting_reason or ''}")

    def _check_end(self):
        left = [row.number for row in self.rows if self._get_open(row, (self.last, LATE)) > 0]
        if left and not self.failures:
            self._fail(self.last, f"never paid: {left[:5]}")
        self.counts['payments'] = self.counts['invoices']
        return super()._check_end()

    def report(self):
        events = "\n".join(f"  {kind:<34}{count:>6}" for kind, count in sorted(self.events.items()))
        return f"Random world, seed {self.seed}:\n{events}\n\n{super().report()}"
