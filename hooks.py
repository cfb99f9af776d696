import logging

from odoo import fields
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

_logger = logging.getLogger(__name__)

DUTCH, ENGLISH = 'nl_NL', 'en_US'


def pre_init_hook(env):
    """Prepare a database that may hold years of invoices.

    * The stored level on invoices gets its column here: a new column without values,
      instead of a computation over every invoice there is.
    * Dutch and English are activated: letters exist in both, and dates and amounts are
      written as those languages do. Where one language was all there was, contacts never
      chose theirs; that is remembered so that nobody gets a letter in a language only
      because of how the database was set up (see ``res.partner._get_dunning_lang``).
    """
    if not column_exists(env.cr, 'account_move', 'dunning_level_id'):
        create_column(env.cr, 'account_move', 'dunning_level_id', 'int4')
    installed = [code for code, _name in env['res.lang'].get_installed()]
    if len(installed) == 1:
        env['ir.config_parameter'].set_param(
            'l10n_nl_dunning.only_language_until', f"{installed[0]} {fields.Datetime.to_string(fields.Datetime.now())}")
    # The terms of English are in the sources: nothing has to be loaded.
    env['res.lang']._activate_lang(ENGLISH)
    if DUTCH not in installed:
        env['res.lang']._activate_lang(DUTCH)
        _logger.info("Dutch was activated; loading the Dutch terms of the installed apps")
        env['ir.module.module'].search([('state', '=', 'installed')])._update_translations([DUTCH])


def post_init_hook(env):
    """Give the companies that exist the ladders that shipped for their law."""
    env['res.company'].with_context(active_test=False).search([])._set_dunning_policies(fill=('business', 'consumer'))


def uninstall_hook(env):
    """Take back what the install left outside our own tables, and let these go in any order.

    Core deletes what shipped before it drops the tables, and each key that refused that would be an error in the log.
    """
    env.cr.execute(
        """
        SELECT conrelid::regclass::text, conname
          FROM pg_constraint
         WHERE contype = 'f' AND confdeltype IN ('r', 'a') AND starts_with(confrelid::regclass::text, 'dunning_')
        """)
    for table, name in env.cr.fetchall():
        env.cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(table), SQL.identifier(name)))
    env['ir.config_parameter'].search([('key', '=', 'l10n_nl_dunning.only_language_until')]).unlink()
