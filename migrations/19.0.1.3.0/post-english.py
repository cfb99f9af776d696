"""Load the English texts of what is new in this version.

A data file says its texts in Dutch first, then in English, both as noupdate. When a module is installed the second
section completes the records of the first; when it is updated, core skips it, since the records are there by then.
"""

from odoo import SUPERUSER_ID, api
from odoo.tools import convert_file

NEW = (
    'data/agreement/dunning_arrangement_document_data.xml',
    'data/agreement/dunning_arrangement_mail_data.xml',
)


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in NEW:
        convert_file(env, 'l10n_nl_dunning', name, {}, mode='init', noupdate=True)
