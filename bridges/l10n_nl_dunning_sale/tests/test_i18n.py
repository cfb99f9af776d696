"""Every word on the screen in Dutch."""

from odoo.tests import TransactionCase, tagged

from odoo.addons.l10n_nl_dunning.tests.bridge_i18n import find_untranslated


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestI18n(TransactionCase):

    def test_everything_is_translated(self):
        self.assertEqual(find_untranslated(self.env, 'l10n_nl_dunning_sale'), ([], []))
