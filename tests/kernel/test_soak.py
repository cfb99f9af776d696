"""Some days with processes that are killed at random; ``make soak`` lives many more."""

from odoo.tests import tagged

from ..soak_engine import Soak
from .test_faults import FaultsCommon

DAYS = 4


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSoak(FaultsCommon):

    prepare = 'soak_prepare'

    def test_nothing_is_lost_and_nothing_happens_twice(self):
        soak = Soak(self.workers, self.server, seed=7)
        failures = soak.run(DAYS)
        self.assertFalse(failures, soak.report())
        self.assertGreater(soak.counts['killed'], DAYS, soak.report())
        self.assertGreater(soak.counts['notices left'], DAYS, soak.report())
