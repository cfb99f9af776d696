"""Every word on the screen in Dutch."""

import io

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_path
from odoo.tools.translate import trans_export

MODULE = 'l10n_nl_dunning_sale'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestI18n(TransactionCase):

    def test_everything_is_translated(self):
        with io.BytesIO() as buffer:
            trans_export(False, [MODULE], buffer, 'po', self.env)
            words = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        template = polib.pofile(file_path(f'{MODULE}/i18n/{MODULE}.pot'))
        dutch = polib.pofile(file_path(f'{MODULE}/i18n/nl.po'))
        self.assertFalse(words - {entry.msgid for entry in template}, "Export the template again.")
        self.assertFalse(words - {entry.msgid for entry in dutch if entry.msgstr and not entry.fuzzy})
