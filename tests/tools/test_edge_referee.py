"""The referee of the replay says of each ledger what was worked out by hand."""

from collections import Counter
from pathlib import Path

from ..edge_referee import Referee, read_world
from .case import BaseCase, tagged

LEDGERS = Path(__file__).parents[1] / 'data' / 'ledgers.txt'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestEdgeReferee(BaseCase):

    def setUp(self):
        super().setUp()
        self.world = read_world(LEDGERS.read_text().splitlines())

    def count(self, letters):
        return Counter(map(repr, letters))

    def test_ledgers_that_were_solved_by_hand(self):
        self.assertGreaterEqual(len(self.world.ledgers), 30)
        for ledger in self.world.ledgers:
            with self.subTest(ledger.name):
                self.assertEqual(self.count(Referee(self.world, [ledger]).run()), self.count(ledger.told))

    def test_they_do_not_touch_each_other(self):
        told = [letter for ledger in self.world.ledgers for letter in ledger.told]
        self.assertEqual(self.count(Referee(self.world).run()), self.count(told))
