"""Every word of a bridge in Dutch, and in its template: each bridge has a test that asks this."""

import io

import polib

from odoo.tools.misc import file_path
from odoo.tools.translate import trans_export


def find_untranslated(env, module):
    """Return the words of an installed bridge that are not in its template, or not in Dutch; and what is too much."""
    with io.BytesIO() as buffer:
        trans_export(False, [module], buffer, 'po', env)
        words = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
    template = {entry.msgid for entry in polib.pofile(file_path(f'{module}/i18n/{module}.pot'))}
    dutch = {entry.msgid for entry in polib.pofile(file_path(f'{module}/i18n/nl.po')) if entry.msgstr and not entry.fuzzy}
    return {'template': words - template, 'dutch': words - dutch}
