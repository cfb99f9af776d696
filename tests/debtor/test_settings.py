"""The upgrade of settings that became constants or moved: nothing changes silently, in several companies."""

import ast
import importlib.util
import re
from pathlib import Path

from odoo.tests import tagged
from odoo.tools import SQL, file_path

from ...models.debtor.res_config_settings import BRIDGES
from ..common import TODAY, DunningCommon

#: Columns of settings that went, as far as the stories need them.
OLD = {
    'dunning_backlog_daily': 'int4', 'dunning_day_count': 'varchar', 'dunning_keep_calls': 'int4',
    'dunning_keep_promises': 'int4', 'dunning_keep_holds': 'int4', 'dunning_page_offer': 'bool',
    'dunning_page_offer_count': 'int4', 'dunning_pause_on_reply': 'bool', 'dunning_large_debtor': 'numeric',
}
#: What each of them was at first.
DEFAULTS = {
    'dunning_backlog_daily': 50, 'dunning_day_count': 'act/365', 'dunning_keep_calls': 24, 'dunning_keep_promises': 24,
    'dunning_keep_holds': 24, 'dunning_page_offer': True, 'dunning_page_offer_count': 3, 'dunning_pause_on_reply': True,
    'dunning_large_debtor': 10000,
}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSettingsUpgrade(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env['res.company'].create({'name': "Other"})
        cls.other.partner_id.lang = 'en_US'
        cls.company.partner_id.lang = 'nl_NL' if cls.env['res.lang']._get_data(code='nl_NL') else 'en_US'
        path = file_path('l10n_nl_dunning/migrations/19.0.1.5.0/pre-settings.py')
        spec = importlib.util.spec_from_file_location('pre_settings', path)
        cls.script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.script)

    def upgrade(self, **values):
        """Upgrade with the values of both companies: ``{setting: (of this company, of all others)}``."""
        self.env.flush_all()
        for name, kind in OLD.items():
            mine, theirs = values.get(name, (DEFAULTS[name],) * 2)
            column = SQL.identifier(name)
            self.env.cr.execute(SQL("ALTER TABLE res_company ADD COLUMN %s %s", column, SQL(kind)))
            self.env.cr.execute(SQL(
                "UPDATE res_company SET %s = CASE WHEN id = %s THEN %s ELSE %s END",
                column, self.company.id, mine, theirs))
        Message = self.env['mail.message'].sudo()  # sudo: notes about companies of others
        last = Message.search([], order='id desc', limit=1).id
        self.script.migrate(self.env.cr, '19.0.1.4.0')
        self.script.migrate(self.env.cr, '19.0.1.4.0')  # finds nothing any more
        self.env.invalidate_all()
        notes = Message.search([('id', '>', last)])
        return {note.res_id: re.findall(r'<li>(.*?)</li>', note.body) for note in notes}

    def test_who_changed_nothing_hears_nothing(self):
        self.assertFalse(self.upgrade())
        self.assertEqual(self.company.dunning_keep_months, 24)

    def test_each_company_reads_what_changes_for_it(self):
        notes = self.upgrade(
            dunning_keep_calls=(12, 0), dunning_keep_promises=(0, 0), dunning_keep_holds=(36, 0),
            dunning_large_debtor=(2500.5, 10000), dunning_pause_on_reply=(True, False),
            dunning_page_offer=(True, False), dunning_page_offer_count=(6, 6))
        self.assertEqual(
            [re.sub(r'^.*: ', '', line) for line in notes.pop(self.company.partner_id.id)],
            ["0 → 12", "36 → 12", "2500,5 → 10000", "6 → 3"])
        self.assertEqual(notes[self.other.partner_id.id], ["Wait after a reply: off → on"])
        self.assertEqual((self.company | self.other).mapped('dunning_keep_months'), [12, 0])
        self.assertEqual((self.company | self.other).mapped('dunning_page_offer_total'), [1500, 0])
        self.assertTrue(self.env.ref('l10n_nl_dunning.hold_reason_reply').active)

    def test_what_nobody_wanted_stays_off(self):
        self.company.write({'dunning_start_date': TODAY, 'dunning_oldest_due_date': False})
        notes = self.upgrade(dunning_pause_on_reply=(False, False), dunning_backlog_daily=(0, 50))
        self.assertFalse(self.env.ref('l10n_nl_dunning.hold_reason_reply').active)
        self.assertEqual(self.company.dunning_oldest_due_date, TODAY, "The backlog is left alone")
        [[line]] = notes.values()
        self.assertIn("0 → 50, ", line)

    def test_policies_count_days_as_the_companies_that_use_them(self):
        mine = self.ladder
        shared, theirs = mine.copy({'company_id': False}), mine.copy({'company_id': self.other.id})
        (self.company | self.other).dunning_policy_consumer_id = shared
        shared.name = "Shared & read"
        self.invoice().dunning_policy_id = mine
        notes = self.upgrade(dunning_day_count=('act/act', 'act/365'))
        self.assertEqual((mine | shared | theirs).mapped('day_count'), ['act/act', 'act/act', 'act/365'])
        self.assertIn(
            "Days in a year of interest, policy “Shared &amp; read” (another company uses it too): 365 → 366 in a leap "
            "year", notes[self.other.partner_id.id])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMissingBridges(DunningCommon):

    def test_an_app_whose_bridge_is_not_there_is_named(self):
        Module, bridge = self.env['ir.module.module'], 'l10n_nl_dunning_crm'
        Module.search([('name', 'in', ('crm', bridge))]).write({'state': 'uninstalled'})
        self.assertNotIn(bridge, self.env['res.config.settings'].create({}).dunning_missing_bridges)
        Module.search([('name', '=', 'crm')]).state = 'installed'
        self.assertIn(bridge, self.env['res.config.settings'].create({}).dunning_missing_bridges)
        Module.search([('name', '=', bridge)]).state = 'installed'
        self.assertNotIn(bridge, self.env['res.config.settings'].create({}).dunning_missing_bridges)

    def test_every_bridge_is_known(self):
        """Each is named with the one app that it is for."""
        found = {}
        for manifest in Path(__file__).resolve().parents[2].glob('bridges/*/__manifest__.py'):
            apps = [
                name for name in ast.literal_eval(manifest.read_text())['depends']
                if not name.startswith('l10n_nl_dunning')]
            # What two bridges share is for no app of its own.
            found.update(dict.fromkeys(apps, manifest.parent.name))
            self.assertLessEqual(len(apps), 1)
        self.assertEqual(BRIDGES, found or BRIDGES)
