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

BRIDGES = ('l10n_nl_dunning_direct_debit', 'l10n_nl_dunning_payment_return')
MODULES = ('account_banking_sepa_direct_debit', 'account_payment_return_import_iso20022')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDirectDebitOca(BaseCase):

    def test_the_bridges_come_by_themselves_and_their_tests_pass(self):
        if bootstrap is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        try:
            packages = oca.ensure('direct_debit')
        except say.Failure as reason:
            raise SkipTest(f"OCA's modules could not be fetched from PyPI: {reason}") from None
        home, _template = bootstrap.ensure(quiet=True)
        with database.copied('debit', database.with_addon(home)) as name:
            done = subprocess.run(  # noqa: S603 (our own program)
                runtime.odoo_command(
                    '-d', name, '-i', ','.join(MODULES), f"--addons-path={oca.addons_path(home, 'direct_debit')}",
                    '--test-tags', ','.join(f'/{bridge}' for bridge in BRIDGES), '--stop-after-init', '--http-port=0'),
                env={**runtime.environment(), 'PYTHONPATH': os.pathsep.join(
                    [str(paths.CHECKOUT / 'dev'), str(packages)])},
                capture_output=True, text=True, check=False)
            installed = postgres.psql(
                "SELECT name FROM ir_module_module WHERE state = 'installed' AND name LIKE 'l10n_nl_dunning_%'", name)
        log = done.stdout + done.stderr
        self.assertEqual(set(installed.splitlines()), set(BRIDGES))
        found = re.search(r'0 failed, 0 error\(s\) of (\d+) tests', log)
        self.assertTrue(found and int(found[1]) >= 10 and not done.returncode, log[-12000:])
