"""The bridges to OCA's modules, for real: their own tests in a database with these modules, from PyPI."""

import re
from unittest import SkipTest

from odoo.tests import BaseCase, tagged

try:
    from env import oca, say
except ImportError:
    oca = None

#: Both families of OCA's direct debits bring these.
SHARED = ('l10n_nl_dunning_debit_order', 'l10n_nl_dunning_payment_return')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBridgesToOca(BaseCase):

    def try_bridges(self, name, modules, bridges, *others):
        """Run the tests of bridges in a database of their own, to which they come by themselves.

        :param others: bridges that come along
        """
        if oca is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        try:
            oca.ensure(name)
        except say.Failure as reason:
            raise SkipTest(f"OCA's modules could not be fetched from PyPI: {reason}") from None
        installed, log, code = oca.try_bridges(name, modules, bridges)
        self.assertEqual(installed, {*bridges, *others})
        found = re.search(r'0 failed, 0 error\(s\) of (\d+) tests', log)
        self.assertTrue(found and not code, log[-12000:])
        return int(found[1])

    def test_direct_debit(self):
        count = self.try_bridges(
            'direct_debit', ['account_banking_sepa_direct_debit', 'account_payment_return_import_iso20022'],
            ['l10n_nl_dunning_direct_debit'], *SHARED)
        self.assertGreaterEqual(count, 10)

    def test_the_newer_family_of_direct_debit(self):
        count = self.try_bridges(
            'payment_mandate', ['account_payment_sepa_direct_debit', 'account_payment_return'],
            ['l10n_nl_dunning_payment_mandate'], *SHARED)
        self.assertGreaterEqual(count, 10)

    def test_risk(self):
        count = self.try_bridges(
            'risk', ['sale_financial_risk', 'account_invoice_overdue_warn_sale'],
            ['l10n_nl_dunning_sale_financial_risk'], 'l10n_nl_dunning_sale')
        self.assertGreaterEqual(count, 6)
