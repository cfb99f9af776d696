"""Every word of a bridge in Dutch, and in its template: each bridge has a test that asks this."""

import io

import polib

from odoo.tools.misc import file_path
from odoo.tools.translate import trans_export


def find_untranslated(env, module):
    """Return the words of an installed bridge that are not in its template, or not in Dutch, as lists."""
    with io.BytesIO() as buffer:
        trans_export(False, [module], buffer, 'po', env)
        # A website gives every model that a bridge extends a label; those are its words.
        words = {
            entry.msgid for entry in polib.pofile(buffer.getvalue().decode())
            if any('website_form_label' not in place for place, _line in entry.occurrences)}
    template, dutch = (polib.pofile(file_path(f'{module}/i18n/{name}')) for name in (f'{module}.pot', 'nl.po'))
    known = {entry.msgid for entry in template}
    translated = {entry.msgid for entry in dutch if entry.msgstr and not entry.fuzzy}
    return sorted(words - known), sorted(words - translated)
