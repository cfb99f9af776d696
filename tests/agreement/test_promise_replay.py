"""Promises replayed against real payment behaviour: each one is decided as an independent referee decides it."""

from collections import Counter, defaultdict
from pathlib import Path

from odoo.tests import tagged

from ...models.agreement import dunning_promise
from .. import promise_referee, replay_engine
from ..common import DunningCommon, days

SAMPLE = Path(__file__).parents[1] / 'data' / 'ar_history_sample.csv'
# How far ahead the debtor promises, chance by invoice number.
AHEAD = (0, 2, 3, 5, 7, 7, 10, 14)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPromiseReplay(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, 'tracking_disable': True})

    def setUp(self):
        super().setUp()
        self.debtors = {}

    def debtor(self, row):
        if row.customer not in self.debtors:
            self.debtors[row.customer] = self.make_debtor(row.customer)
        return self.debtors[row.customer]

    def promised(self, row):
        """Return the day the debtor promises."""
        return row.due_date + days(1 + AHEAD[row._die % len(AHEAD)])

    def run_day(self, day, events, moves, payments):
        """Let happen what the file and the debtors say happens on a day."""
        for row, what, cents in events:
            move, amount = self.on(day, moves[row.number]), cents / 100
            if what == 'pay':
                payments[row.number] = self.pay(move, amount, day)
            elif what == 'receive':
                payments[row.number] = self.receive(move.partner_id, amount, day)
            elif what == 'match':
                (self.items(move) | payments[row.number].with_env(move.env)).reconcile()
            elif what == 'credit':
                note = self.credit_note(move.partner_id, amount, day + days(30))
                self.items(move | note.with_env(move.env)).reconcile()
            elif what == 'bounce':
                self.items(move).remove_move_reconcile()
                reversal = payments[row.number].with_env(move.env).move_id._reverse_moves([{'date': day}])
                reversal.action_post()

    def replay(self, rows):
        """Return ``[(row, promise, state by the referee, cents in time by the referee)]``."""
        rows = [row for row in rows if row.settled_date > row.due_date]
        moves, payments, promises, expected = {}, {}, {}, {}
        happens, says = defaultdict(list), defaultdict(list)
        for row in rows:
            move = self.invoice(self.debtor(row), row.due_date, row.amount)
            moves[row.number] = move
            promised = self.promised(row)
            script = promise_referee.script(row, row._die // 7)
            expected[row.number] = promise_referee.verdict(row, script, promised)
            # He called the day after it was due, before anything came in.
            says[row.due_date + days(1)].append((row, promised))
            for day, what, cents in script:
                happens[day].append((row, what, cents))
        first = min(says)
        last = max([*happens, *says]) + days(25)
        Promise = self.env['dunning.promise']
        for number in range((last - first).days + 1):
            day = first + days(number)
            # The scheduled action comes first in the morning.
            self.on(day, Promise)._judge(self.company, day)
            for row, promised in says[day]:
                promises[row.number] = self.on(day, Promise)._make(
                    self.company, moves[row.number].partner_id, promised, None, self.items(moves[row.number]))
            self.run_day(day, happens[day], moves, payments)
        return [(row, promises[row.number], *expected[row.number]) for row in rows]

    def compare(self, rows):
        results = self.replay(rows)
        wrong = [
            f"{row.number}: {promise.state} {promise.amount_paid}, referee {state} {cents / 100}; {promise.story}"
            for row, promise, state, cents in results
            if promise.state != state or round(promise.amount_paid * 100) != cents]
        self.assertFalse(wrong, "\n".join(wrong[:20]))
        return results

    def test_every_promise_is_decided_as_the_referee_decides(self):
        # Later than they really paid, so that promises are broken as well.
        results = self.compare(replay_engine.read_rows(SAMPLE, stretch=2))
        states = Counter(state for _row, _promise, state, _cents in results)
        self.assertLessEqual({'kept', 'partly', 'broken'}, set(states), states)
        # Kept at once, broken on the first morning after the grace; and the ratio is what counting gives.
        for row, promise, state, _cents in results:
            if state == 'broken' and promise.lapsed_by is False and not promise.activity_ids:
                self.fail(f"{row.number} was broken and nobody was told")
        kept, decided = 0, 0
        for pair in self.env['dunning.promise']._get_kept_ratio(
            self.env['res.partner'].union(*self.debtors.values()), self.company
        ).values():
            kept, decided = kept + pair[0], decided + pair[1]
        self.assertEqual((kept, decided), (states['kept'], sum(states.values()) - states['cancelled']))
        held = self.env['dunning.hold'].search([('promise_id', '!=', False), ('closed_on', '=', False)])
        self.assertFalse(held, "A hold outlived its promise")

    def test_the_referee_does_not_agree_with_whatever_happens(self):
        # The money is on its way when the day passes: what the days of grace are for.
        row = next(row for row in replay_engine.read_rows(SAMPLE) if row._die // 7 % 10 > 5)
        row.settled_date = self.promised(row) + days(1)
        rows = [row]
        self.compare(rows)
        self.debtors = {}
        self.patch(dunning_promise, 'GRACE_DAYS', 0)
        with self.assertRaisesRegex(AssertionError, "broken 0.0, referee kept"):
            self.compare(rows)
