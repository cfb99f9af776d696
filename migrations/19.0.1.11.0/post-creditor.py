"""Settle who the creditor of each company is: of several branches 19.0.1.10.0 could write one down as the creditor."""

from pathlib import Path

from odoo import SUPERUSER_ID, api
from odoo.fields import Domain
from odoo.modules.migration import load_script


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {'active_test': False})
    companies = env['res.company'].search(Domain.TRUE)
    before = companies.mapped(lambda company: (company.id, company.dunning_creditor_id.id))
    env.add_to_compute(companies._fields['dunning_creditor_id'], companies)
    env.flush_all()
    env.registry.clear_cache()
    if companies.mapped(lambda company: (company.id, company.dunning_creditor_id.id)) != before:
        # Pages, settings and letters again, with the creditors as they are.
        script = Path(__file__).parents[1] / '19.0.1.10.0' / 'post-creditor.py'
        load_script(str(script), 'l10n_nl_dunning_post_creditor').migrate(cr, version)
