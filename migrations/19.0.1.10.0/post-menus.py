"""Menus and settings for larger companies are shown when they are switched on: who had them keeps them.

The source of two interest rates was a maker's note; what a user reads there says what to do.
"""

from odoo import SUPERUSER_ID, Command, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.ref('base.group_user').implied_ids = [
        Command.link(env.ref('l10n_nl_dunning.group_dunning_advanced').id)]
    cr.execute("""
        UPDATE dunning_interest_rate
           SET source = regexp_replace(regexp_replace(
                   source::text, '"WEAK: one', '"One', 'g'), '"ZWAK: één', '"Eén', 'g')::jsonb
         WHERE source::text ~ '"(WEAK|ZWAK): '""")
