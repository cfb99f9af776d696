"""Months of real invoices, day by day: nothing wrong leaves, nothing twice, nothing lost, nothing unexplained."""

from datetime import date, timedelta
from pathlib import Path

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .. import replay_engine, replay_world

SAMPLE = Path(__file__).parents[1] / 'data' / 'ar_history_sample.csv'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReplay(AccountTestInvoicingCommon):

    @classmethod
    @AccountTestInvoicingCommon.setup_country('nl')
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({'email': 'finance@replay.example', 'street': "Kade 1", 'city': "Amsterdam"})
        # Invoices of years ago are sent, but nobody reads what the chatter says about them.
        cls.env = cls.env(context={**cls.env.context, 'tracking_disable': True})

    def _replay(self, rows):
        return replay_engine.Replay(self.env, self.company, rows)

    def _read_rows(self, stretch=1):
        """Return the invoices of some weeks, to be paid within five days: a day costs more than an invoice."""
        rows = replay_engine.read_rows(SAMPLE, stretch=stretch, last=date(2012, 5, 2))
        for row in rows:
            row.due_date -= timedelta(days=25)
            row.settled_date = max(row.invoice_date, row.settled_date - timedelta(days=25))
        return rows

    def test_history(self):
        """All that left was owed, at the right level, on the right day; and all that should leave left."""
        # Later than they really paid: that is how high levels are reached.
        rows = self._read_rows(stretch=2)
        replay = self._replay(rows)
        failures = replay.run()
        self.assertFalse(failures, replay.report())
        self.assertEqual(replay.counts['invoices'], len(rows))
        self.assertGreater(replay.counts['sent'], 10, replay.report())
        self.assertGreater(len(replay.reasons), 3, replay.report())

    def test_referee(self):
        """The replay does not agree with whatever happens: a planner that forgets disputes is caught."""
        rows = self._read_rows()
        disputed = next(row for row in rows if row.disputed_at and (row.settled_date - row.due_date).days > 10)
        disputed.__dict__.update(
            disputed_at=(disputed.due_date, replay_engine.EARLY), settled_date=disputed.due_date + timedelta(days=11))
        Planner = self.env['dunning.planner']
        reasons = [code for code in Planner._item_reasons() if code not in ('no_followup', 'blocked')]
        self.patch(type(Planner), '_item_reasons', lambda planner: reasons)
        failures = self._replay([disputed]).run()
        self.assertTrue(any("it is disputed" in failure for failure in failures), failures)

    def test_random_world(self):
        """The same, while money comes back, people dispute and promise, mails bounce and runs break halfway."""
        rows = self._read_rows()
        replay = replay_world.WorldReplay(self.env, self.company, rows, seed=1, aftermath=3)
        failures = replay.run()
        self.assertFalse(failures, replay.report())
        self.assertGreater(replay.counts['sent'], 3, replay.report())
        self.assertGreater(len(replay.events), 4, replay.report())

    def test_referee_of_the_world(self):
        """What the program forgets is caught: holds, promises, receipts, credits, the last look, what was wrong."""
        fates = {}
        rows = {}
        for row in replay_engine.read_rows(SAMPLE):
            if not row.disputed and row.customer not in rows:
                rows[row.customer] = row
        rows = list(rows.values())[:7]
        kinds = (
            'hold', 'promise', 'receipt_of_nobody', 'credit_lies_there', 'booked_late', 'hold_debtor', 'nothing')
        first = rows[0].invoice_date
        for row, kind in zip(rows, kinds, strict=True):
            fates[row.number] = kind
            # All on one calendar, paid a month late: the days in between are what is looked at.
            row.invoice_date, row.due_date = first, first + timedelta(days=5)
            row.settled_date = row.due_date + timedelta(days=8)
        # The last pays while his reminder is on its way.
        rows[-1].settled_date = rows[-1].due_date + timedelta(days=5)
        replay = EventfulReplay(self.env, self.company, rows, seed=1, aftermath=1, fates=fates)
        Planner = type(self.env['dunning.planner'])
        reasons = [code for code in self.env['dunning.planner']._item_reasons() if code != 'unmatched_receipt']
        self.patch(Planner, '_item_reasons', lambda planner: reasons)
        self.patch(Planner, '_get_held_sql', lambda planner, *args: SQL(
            "SELECT 0 AS item_id, 0.0 AS hold_amount, FALSE AS hold_active, NULL::date AS hold_free_on,"
            " 0 AS hold_reason_id, 0 AS hold_user_id, NULL::date AS hold_until, FALSE AS hold_disputed WHERE FALSE"))
        self.patch(Planner, '_get_credit_sql', lambda planner, *args: SQL(
            "SELECT 0 AS partner_id, 0.0 AS amount, 0.0 AS loose WHERE FALSE"))
        self.patch(type(self.env['dunning.dispatcher']), '_recheck',
                   lambda dispatcher, notices, at_date, decisions=None: notices)
        self.patch(type(self.env['dunning.notice']), '_update_wrong', lambda notices: notices.browse())
        failures = "\n".join(replay.run())
        for text in (
            "it is on hold", "a receipt may be for it", "is set against it instead of", "it was not owed any more",
            "was found to be wrong instead of",
        ):
            self.assertIn(text, failures)


    def _replay_debit(self, fate):
        """Live through an invoice of a business that is collected by direct debit."""
        row = next(row for row in replay_engine.read_rows(SAMPLE) if not row.disputed)
        row.due_date = row.invoice_date + timedelta(days=2)
        row.settled_date = row.due_date + timedelta(days=20)
        replay = EventfulReplay(self.env, self.company, [row], seed=1, aftermath=1, fates={row.number: fate})
        replay.run()
        self.assertEqual(replay.events[f'direct debit: {fate}'], 1)
        return replay

    def test_direct_debit(self):
        """What the bank rejects is asked from then on, with a friendly first text; nothing before."""
        replay = self._replay_debit('rejected')
        self.assertFalse(replay.failures, replay.report())
        self.assertGreater(replay.counts['sent'], 0)

    def test_referee_reads_the_first_letter_after_a_return(self):
        self.patch(type(self.env['dunning.letter']), '_open_with_returns', lambda letter, notice, intro: intro)
        self.assertIn("it does not say that the direct debit was returned", "\n".join(
            self._replay_debit('taken_back').failures))

    def test_referee_knows_what_will_be_collected(self):
        self.patch(type(self.env['dunning.planner']), '_get_debit_day_sql', lambda planner, question: None)
        self.assertIn("it will be collected by direct debit", "\n".join(self._replay_debit('forgotten').failures))


class EventfulReplay(replay_world.WorldReplay):
    """Everything happens before planning on the day before the first reminder, and to businesses."""

    def _make_debtors(self, policies):
        result = super()._make_debtors(policies)
        for customer, debtor in self.debtors.items():
            debtor.write({'is_company': True, 'email': f'{customer.lower()}@replay.example'})
            debtor.with_company(self.company).dunning_policy_id = policies['business']
            self.policy_of[customer] = policies['business']
            self.reachable[customer].update(email=True, both=True)
        self.consumers = set()
        return result

    def _plan_event(self, day, moment, kind, row, **words):
        if kind in ('hold', 'promise', 'receipt_of_nobody', 'credit_lies_there', 'hold_debtor'):
            day, moment = row.due_date + timedelta(days=4), replay_engine.EARLY
            words['die'] = 0.9
        return super()._plan_event(day, moment, kind, row, **words)

    def _collect(self, env, day):
        # No proposal is dropped, no mail comes back.
        replay_engine.Replay._collect(self, env, day)

    def _pay(self, env, day, moment):
        # Between planning and sending.
        if moment != replay_engine.LATE:
            return None
        super()._pay(env, day, replay_engine.EARLY)
        return super()._pay(env, day, moment)

    def _settle(self, env, row, now, again=False):
        if row.fate == 'booked_late':
            row.__dict__['dated'] = row.due_date + timedelta(days=1)
            return self._do_booked_late(env, row, (now[0], replay_engine.LATE))
        return super()._settle(env, row, (now[0], replay_engine.LATE), again)
