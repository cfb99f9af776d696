"""Whose law: the neutral ladder and English come along, and companies abroad that use a ladder of Dutch law hear of it.

No policy of a company changes by itself. What a ladder of Dutch law would send for a creditor in another country waits
from now on, and a to-do says why.
"""

from odoo import SUPERUSER_ID, api, fields

ONLY = 'l10n_nl_dunning.only_language_until'


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    installed = [code for code, _name in env['res.lang'].get_installed()]
    if 'en_US' not in installed:
        env['res.lang']._activate_lang('en_US')
        if len(installed) == 1:
            # Nobody chose the language of his contacts until now.
            env['ir.config_parameter'].set_param(
                ONLY, f"{installed[0]} {fields.Datetime.to_string(fields.Datetime.now())}")
    # Records that a new version brings are not made by an update where users may delete them.
    env['dunning.policy']._load_shipped({'policy_neutral', *(f'level_neutral_{number}' for number in (1, 2, 3))})
    for company in env['res.company'].search([]):
        env['dunning.run.check'].with_company(company)._review_law(company, company._dunning_today())
