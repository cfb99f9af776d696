"""The bridges to OCA's modules of direct debit, for real: their own tests in a database with these modules."""

import os
import re
import subprocess
from unittest import SkipTest

from odoo.tests import BaseCase, tagged

try:
    from env import bootstrap, database, oca, paths, postgres, runtime, say
except ImportError:
    bootstrap = None

SHARED = ('l10n_nl_dunning_debit_order', 'l10n_nl_dunning_payment_return')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDirectDebitOca(BaseCase):

    def test_the_family_of_banking_mandates(self):
        self.run_tests('direct_debit', 'l10n_nl_dunning_direct_debit', (
            'account_banking_sepa_direct_debit', 'account_payment_return_import_iso20022'))

    def test_the_family_of_payment_methods(self):
        self.run_tests('payment_mandate', 'l10n_nl_dunning_payment_mandate', (
            'account_payment_sepa_direct_debit', 'account_payment_return'))

    def run_tests(self, packages, bridge, modules):
        """The bridge comes by itself with these modules, and its tests pass."""
        if bootstrap is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        try:
            folder = oca.ensure(packages)
        except say.Failure as reason:
            raise SkipTest(f"OCA's modules could not be fetched from PyPI: {reason}") from None
        home, _template = bootstrap.ensure(quiet=True)
        with database.copied('debit', database.with_addon(home)) as name:
            done = subprocess.run(  # noqa: S603 (our own program)
                runtime.odoo_command(
                    '-d', name, '-i', ','.join(modules), f"--addons-path={oca.addons_path(home, packages)}",
                    '--test-tags', f'/{bridge}', '--stop-after-init', '--http-port=0'),
                env={**runtime.environment(), 'PYTHONPATH': os.pathsep.join(
                    [str(paths.CHECKOUT / 'dev'), str(folder)])},
                capture_output=True, text=True, check=False)
            installed = postgres.psql(
                "SELECT name FROM ir_module_module WHERE state = 'installed' AND name LIKE 'l10n_nl_dunning_%'", name)
        log = done.stdout + done.stderr
        self.assertEqual(set(installed.splitlines()), {bridge, *SHARED})
        found = re.search(r'0 failed, 0 error\(s\) of (\d+) tests', log)
        self.assertTrue(found and int(found[1]) >= 10 and not done.returncode, log[-12000:])
