"""What changes meanwhile: nothing is told by what was true once. A few ledgers here, all with ``DUNNING_DEEP=1``."""

import os
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .. import edge_faults, edge_referee, edge_replay

LEDGERS = Path(__file__).parents[1] / 'data' / 'ledgers.txt'
LOGGERS = (
    'odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher',
    'odoo.addons.l10n_nl_dunning.models.sending.dunning_run')
DEEP = bool(os.environ.get('DUNNING_DEEP'))
FEW = (
    'given_to_another_in_the_mail_queue', 'person_archived_after_planning', 'slow_and_another_policy',
    'of_the_person_it_came_back')
FEW_FAULTS = ('nothing_is_asked_before_it_leaves', 'history_follows_the_item')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestEdgeReplay(AccountTestInvoicingCommon):

    @classmethod
    @AccountTestInvoicingCommon.setup_country('nl')
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({'email': 'finance@replay.example', 'street': "Kade 1", 'city': "Amsterdam"})

    def replay(self, *names):
        world = edge_referee.read_world(LEDGERS.read_text().splitlines())
        ledgers = [ledger for ledger in world.ledgers if ledger.name in names or not names]
        return edge_replay.EdgeReplay(self.env, self.company, world, ledgers)

    def test_ledgers(self):
        """What left is what was worked out by hand; the levels on the invoices follow."""
        replay = self.replay(*() if DEEP else FEW)
        self.assertFalse(replay.run(), replay.report())

    def test_faults(self):
        """The referee protests when the program is broken."""
        self.assertGreaterEqual(len(edge_faults.SHOWN_BY), 20)
        for fault, ledger in edge_faults.SHOWN_BY.items():
            if DEEP or fault in FEW_FAULTS:
                with self.subTest(fault), ExitStack() as stack, self.env.cr.savepoint() as savepoint:
                    faults = edge_faults.Faults(
                        self.env, lambda *words, stack=stack: stack.enter_context(patch.object(*words)))
                    getattr(faults, fault)()
                    replay = self.replay(ledger)
                    with mute_logger(*LOGGERS):
                        self.assertTrue(replay.run(stop=True), f"{fault} was not seen in {ledger}")
                    savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_all_caches()
