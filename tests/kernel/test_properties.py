"""Laws that hold for every ladder, every payment and every order of events."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from odoo import Command
from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.models.kernel.dunning_recorded import RECORDING

from ..common import TODAY, DunningCommon, days

# The same examples on every machine; a search for new ones is `derandomize=False, max_examples=…`.
CALM = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)

some = st.integers(min_value=1, max_value=50000).map(lambda number: number / 100)
cents = st.one_of(some, some, some, st.just(0.0))
levels = st.lists(
    st.fixed_dictionaries({
        'delay_from': st.sampled_from(['due_date', 'previous_deadline']),
        'delay_days': st.integers(-5, 20),
        'payment_term_days': st.integers(0, 14),
    }).map(lambda level: {
        **level, 'delay_days': abs(level['delay_days']) if level['delay_from'] != 'due_date' else level['delay_days']}),
    min_size=1, max_size=4)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPlannerProperties(DunningCommon):
    """The statement against the same rules written down once more, simply, for one item at a time."""

    ITEMS = 6

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.moves = cls.env['account.move'].browse([cls.invoice(amount=500).id for _number in range(cls.ITEMS)])
        cls.open_items = [cls.items(move) for move in cls.moves]
        cls.credit_item = cls.receive(amount=500)

    def set_world(self, world, credit):
        """Write down the ledger as it would be, column by column: this is about reading it."""
        self.env.flush_all()
        for move, item, (due, residual, flag) in zip(self.moves, self.open_items, world, strict=True):
            self.env.cr.execute(
                """UPDATE account_move_line SET date_maturity = %s, amount_residual = %s, amount_residual_currency = %s,
                          reconciled = %s, no_followup = %s WHERE id = %s""",
                [TODAY + days(due), residual, residual, not residual, flag == 'no_followup', item.id])
            self.env.cr.execute(
                "UPDATE account_move SET payment_state = %s, is_move_sent = %s WHERE id = %s",
                ['blocked' if flag == 'blocked' else 'not_paid', flag != 'unsent', move.id])
        self.env.cr.execute(
            "UPDATE account_move_line SET amount_residual = %s, reconciled = %s WHERE id = %s",
            [-credit, not credit, self.credit_item.id])
        self.env.invalidate_all()

    def set_history(self, policy, history, at_date):
        """Record that the first levels of each item were sent, some days apart. Return them by item."""
        sent, values = defaultdict(list), []
        for item, count in zip(self.open_items, history, strict=True):
            for number, level in enumerate(policy.level_ids[:count]):
                date = at_date - days(40 - 10 * number)
                values.append({
                    'company_id': self.company.id, 'partner_id': self.business.id, 'recipient_id': self.business.id,
                    'currency_id': self.company.currency_id.id, 'level_id': level.id, 'channel': 'email',
                    'state': 'sent', 'date_planned': date, 'date': date,
                    'deadline': date + days(level.payment_term_days),
                    'line_ids': [Command.create({'move_line_id': item.id, 'move_id': item.move_id.id})]})
                sent[item.id].append((level, date + days(level.payment_term_days)))
        self.env['dunning.notice'].with_context(dunning_recording=RECORDING).create(values)
        return sent

    def expect(self, policy, world, credit, sent, at_date):
        """Return ``{item id: (reason, level id, amount netted)}``."""
        rows = [
            {'id': item.id, 'due': TODAY + days(due), 'residual': residual, 'flag': flag}
            for item, (due, residual, flag) in zip(self.open_items, world, strict=True)]
        left = credit
        # Exactly what one item asks was paid for that one (article 6:43 of the Civil Code); else the oldest is paid.
        meant = [row['id'] for row in rows if row['residual'] == credit]
        meant = meant if len(meant) == 1 else []
        for row in sorted(rows, key=lambda row: (row['due'], row['id'])):
            row['netted'] = 0.0
            if row['residual'] and row['flag'] not in ('blocked', 'no_followup') and (not meant or row['id'] in meant):
                row['netted'] = round(min(left, row['residual']), 2)
                left = round(left - row['netted'], 2)
        for row in rows:
            last, deadline = (sent.get(row['id']) or [(None, None)])[-1]
            used = {level for level, _deadline in sent.get(row['id'], [])}
            level = next((
                level for level in policy.level_ids
                if level not in used and (not last or (level.sequence, level.id) > (last.sequence, last.id))
                and not (level.delay_from == 'due_date' and level.delay_days < 0 and row['due'] < at_date)
            ), None)
            row['level'] = level
            reached = None
            if level:
                if deadline and level.delay_from == 'previous_deadline':
                    reached = max(deadline + days(max(1, level.delay_days)), row['due'] + days(1))
                else:
                    reached = row['due'] + days(level.delay_days)
                    reached = max(reached, deadline + days(1)) if deadline else reached
            row['reason'] = (
                'settled' if not row['residual'] else
                'rounding' if row['residual'] < 0.05 else
                row['flag'] if row['flag'] in ('blocked', 'no_followup') else
                'not_sent' if row['flag'] == 'unsent' else
                'finished' if not level else
                'not_due' if row['due'] >= at_date and reached > at_date else
                'waiting_delay' if reached > at_date and not last else
                'waiting_deadline' if reached > at_date else
                None)
        # The levels of these ladders can be told in one message.
        together = sum(row['residual'] - row['netted'] for row in rows if not row['reason'])
        for row in rows:
            if not row['reason']:
                row['reason'] = (
                    'netted' if row['netted'] >= row['residual'] else
                    'below_minimum' if round(together, 2) < policy.minimum_amount else None)
        return {row['id']: (row['reason'], row['level'].id if row['level'] else None, row['netted']) for row in rows}

    @settings(CALM, max_examples=80)
    @given(
        ladder=levels,
        world=st.lists(
            st.tuples(
                st.integers(-40, 20), cents,
                st.sampled_from(['', '', '', '', 'blocked', 'no_followup', 'unsent'])),
            min_size=ITEMS, max_size=ITEMS),
        credit=cents,
        history=st.lists(st.integers(0, 3), min_size=ITEMS, max_size=ITEMS),
        minimum=st.sampled_from([0.0, 0.0, 50.0, 300.0]),
        offset=st.integers(-10, 30),
    )
    def test_the_statement_says_what_the_rules_say(self, ladder, world, credit, history, minimum, offset):
        at_date = TODAY + days(offset)
        with self.env.cr.savepoint() as savepoint:
            policy = self.make_policy("Random", ladder, minimum_amount=minimum)
            self.use_policy(policy)
            sent = self.set_history(policy, history, at_date)
            self.set_world(world, credit)
            plan = self.plan(at_date, items=self.env['account.move.line'].union(*self.open_items))
            expected = self.expect(policy, world, credit, sent, at_date)
            found = {
                item.id: (
                    plan[item.id].reason, plan[item.id].level_id,
                    0.0 if plan[item.id].reason == 'settled' else round(plan[item.id].amount_netted, 2))
                for item in self.open_items}
            self.assertEqual(found, {
                item: (reason, level, 0.0 if reason == 'settled' else netted)
                for item, (reason, level, netted) in expected.items()})
            # Money is conserved.
            netted = sum(decision.amount_netted for decision in plan.values())
            self.assertLessEqual(round(netted, 2), credit)
            for decision in plan.values():
                self.assertGreaterEqual(decision.amount_netted, 0)
                self.assertLessEqual(decision.amount_netted, decision.amount_residual)
                self.assertExplained(decision)
                if decision.reason in ('not_due', 'waiting_delay', 'waiting_deadline'):
                    self.assertGreater(decision.next_date, at_date)
            savepoint.close(rollback=True)


class LifeOfADebtor(RuleBasedStateMachine):
    """Invoices, payments, credits, notices and people, in any order, while days go by."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.today = TODAY
        self.savepoint = case.env.cr.savepoint()
        self.moves = case.env['account.move']
        self.left = {}  # notice line -> what it said when it left

    def teardown(self):
        self.savepoint.close(rollback=True)
        self.case.env.invalidate_all()

    @property
    def env(self):
        return self.case.env

    def notices(self, *states):
        return self.case.notices_of(self.moves).filtered(lambda notice: notice.state in states)

    def pick(self, records, index):
        return records[index % len(records)]

    # --- what happens ---

    @initialize(channels=st.lists(st.sampled_from(['email', 'letter', 'phone', 'both']), min_size=3, max_size=3))
    def start(self, channels):
        for level, channel in zip(self.case.ladder.level_ids, channels, strict=True):
            level.write({'channel': channel, 'expire_days': 10})
        for amount in (100.0, 250.0):
            self.moves |= self.case.invoice(due=self.today - days(5), amount=amount)

    @precondition(lambda self: len(self.moves) < 4)
    @rule(due=st.integers(-10, 10), amount=st.sampled_from([20.0, 100.0, 250.0]), halves=st.booleans())
    def invoice(self, due, amount, halves):
        due = self.today + days(due)
        terms = {'instalments': [(50, due), (50, due + days(15))]} if halves else {}
        self.moves |= self.case.invoice(due=due, amount=amount, **terms)

    @precondition(lambda self: self.moves)
    @rule(index=st.integers(0, 9), share=st.sampled_from([0.3, 1.0]))
    def pay(self, index, share):
        move = self.pick(self.moves, index)
        items = self.case.items(move).filtered(lambda item: not item.reconciled)
        if move.state == 'posted' and items:
            self.case.pay(items, round(sum(items.mapped('amount_residual')) * share, 2), on=self.today)

    @precondition(lambda self: self.moves)
    @rule(index=st.integers(0, 9))
    def bounce(self, index):
        """A payment turns out not to have happened."""
        move = self.pick(self.moves, index)
        payments = self.case.items(move).matched_credit_ids.credit_move_id.move_id
        self.case.unpay(move)
        payments.button_draft()

    @rule(amount=st.sampled_from([10.0, 120.0]))
    def receive(self, amount):
        self.case.receive(amount=amount, on=self.today)

    @precondition(lambda self: self.moves)
    @rule(index=st.integers(0, 9))
    def block_or_unblock(self, index):
        move = self.pick(self.moves, index)
        if move.payment_state in ('not_paid', 'blocked'):
            move.payment_state = 'blocked' if move.payment_state == 'not_paid' else 'not_paid'

    @rule(count=st.integers(1, 15))
    def days_go_by(self, count):
        self.today += timedelta(days=count)

    @rule(count=st.integers(5, 15))
    def work_goes_on(self, count):
        """Some days later all that is due leaves."""
        self.days_go_by(count)
        self.plan()
        self.dispatch()
        if self.notices('to_post'):
            self.post()
        if self.notices('todo'):
            self.call(made=True)

    @rule()
    def plan(self):
        self.case.make_notices(self.today)
        self.check_all_is_planned()

    @rule()
    def dispatch(self):
        before = self.notices('sent', 'to_post')
        self.case.send(self.notices('draft', 'error', 'queued'), self.today)
        self.check_what_left(self.notices('sent', 'to_post') - before)

    @rule(count=st.integers(5, 15), index=st.integers(0, 9), share=st.sampled_from([0.3, 1.0]))
    def something_is_paid_before_it_leaves(self, count, index, share):
        self.days_go_by(count)
        self.plan()
        self.pay(index, share)
        self.dispatch()

    @precondition(lambda self: self.notices('to_post'))
    @rule()
    def post(self):
        self.case.post_letters(self.notices('to_post'), self.today)

    @precondition(lambda self: self.notices('todo'))
    @rule(made=st.booleans())
    def call(self, made):
        todo = self.case.on(self.today, self.notices('todo'))
        (todo.action_done if made else todo.action_skip)()

    @precondition(lambda self: self.notices('draft', 'to_post', 'todo'))
    @rule(index=st.integers(0, 9))
    def cancel(self, index):
        self.case.on(self.today, self.pick(self.notices('draft', 'to_post', 'todo'), index)).action_cancel()

    # --- what is always true ---

    def check_all_is_planned(self):
        """After planning nothing due is left over, and planning again makes nothing."""
        case = self.case
        due = case.plan(self.today, only_due=True)
        case.assertEqual(due, {})
        case.assertFalse(case.make_notices(self.today))

    def check_what_left(self, notices):
        case = self.case
        asked = defaultdict(float)
        for notice in notices:
            for line in notice.live_line_ids:
                if line.id in self.left:
                    continue
                item = line.move_line_id
                case.assertFalse(item.reconciled, "A notice left for what was paid")
                case.assertEqual(line.amount_residual, item.amount_residual)
                case.assertNotEqual(item.move_id.payment_state, 'blocked')
                case.assertLess(item.date_maturity, self.today, "A notice left before the due date")
                case.assertTrue(0 <= line.amount_netted < line.amount_residual)
                asked[item.id] += line.amount_residual - line.amount_netted
            case.assertEqual(notice.amount_due, sum(notice.live_line_ids.mapped(
                lambda line: line.amount_residual - line.amount_netted)))

    @invariant()
    def sent_is_frozen(self):
        for line in self.notices('sent').line_ids.filtered(lambda line: line.status == 'sent'):
            said = (line.amount_residual, line.amount_netted, line.level_id, line.date, line.deadline, line.name)
            self.case.assertEqual(self.left.setdefault(line.id, said), said)

    @invariant()
    def the_ladder_is_climbed_rung_by_rung(self):
        lines = self.case.notices_of(self.moves).line_ids
        for item_lines in lines.grouped('move_line_id').values():
            alive = item_lines.filtered(lambda line: line.status in ('pending', 'sent', 'skipped')).sorted('id')
            self.case.assertLessEqual(len(alive.filtered(lambda line: line.status == 'pending')), 1)
            sequences = alive.level_id.mapped('sequence')
            self.case.assertEqual(len(sequences), len(alive), "A level twice")
            self.case.assertEqual(sequences, sorted(sequences), "The ladder went down")
            for earlier, later in pairwise(alive):
                if later.date and later.status == 'sent':
                    self.case.assertGreater(later.date, earlier.deadline, "A level before the term was over")

    @invariant()
    def levels_follow_from_what_was_sent(self):
        for move in self.moves:
            last = []
            for item in self.case.items(move).filtered(lambda item: not item.reconciled):
                sent = self.env['dunning.notice.line'].search(
                    [('move_line_id', '=', item.id), ('status', '=', 'sent')], order='date desc, id desc', limit=1)
                last += sent.level_id
            highest = max(last, key=lambda level: (level.sequence, level.id), default=self.env['dunning.level'])
            self.case.assertEqual(move.dunning_level_id, highest)

    @invariant()
    def everything_open_is_answered_and_credits_are_used_once(self):
        plan = self.case.plan(self.today)
        open_items = self.case.items(self.moves).filtered(lambda item: not item.reconciled)
        self.case.assertEqual(set(open_items.ids), set(plan))
        credits = next((decision.credit_company for decision in plan.values()), 0.0)
        netted = 0.0
        for decision in plan.values():
            self.case.assertExplained(decision)
            self.case.assertTrue(0 <= decision.amount_netted <= decision.amount_residual)
            netted += decision.amount_netted
        self.case.assertLessEqual(round(netted, 2), round(credits, 2))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLifeOfADebtor(DunningCommon):

    def test_whatever_happens_the_laws_hold(self):
        run_state_machine_as_test(
            lambda: LifeOfADebtor(self), settings=settings(CALM, max_examples=12, stateful_step_count=25))
