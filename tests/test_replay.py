"""Months of real invoices, day by day: nothing wrong leaves, nothing twice, nothing lost, nothing unexplained."""

from pathlib import Path

from odoo.tests import tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from . import replay_engine

SAMPLE = Path(__file__).parent / 'data' / 'ar_history_sample.csv'


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

    def test_history(self):
        """All that left was owed, at the right level, on the right day; and all that should leave left."""
        # Three times as late as they really paid: that is how high levels are reached.
        rows = replay_engine.read_rows(SAMPLE, sample=8, stretch=3)
        replay = self._replay(rows)
        failures = replay.run()
        self.assertFalse(failures, replay.report())
        self.assertEqual(replay.counts['invoices'], len(rows))
        self.assertGreater(replay.counts['sent'], 10, replay.report())
        self.assertGreater(len(replay.reasons), 3, replay.report())

    def test_referee(self):
        """The replay does not agree with whatever happens: a planner that forgets disputes is caught."""
        rows = replay_engine.read_rows(SAMPLE)
        disputed = next(row for row in rows if row.disputed_at and (row.settled_date - row.due_date).days > 10)
        disputed.__dict__.update(disputed_at=(disputed.due_date, replay_engine.EARLY))
        Planner = self.env['dunning.planner']
        reasons = [code for code in Planner._item_reasons() if code not in ('no_followup', 'blocked')]
        self.patch(type(Planner), '_item_reasons', lambda planner: reasons)
        failures = self._replay([disputed]).run()
        self.assertTrue(any("it is disputed" in failure for failure in failures), failures)
