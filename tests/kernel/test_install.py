"""Install, upgrade, uninstall and install again, on a database of its own.

This needs the development environment (``dev/``), which knows how to make databases.
"""

import json
import os
import subprocess
from unittest import SkipTest

from odoo.tests import BaseCase, tagged

try:
    from env import bootstrap, database, paths, postgres, runtime
except ImportError:
    bootstrap = None

#: A company and a contact from before the addon, as every real database has.
BEFORE = """
for code in ('nl', 'be'):
    env['res.company'].create({'name': f"From before ({code})", 'country_id': env.ref(f'base.{code}').id})
env['res.partner'].create({'name': "From before", 'email': 'before@debtor.example.com'})
env.cr.commit()
"""

#: What a user changes, and what makes history.
EDIT = """
import json
from datetime import date
from odoo.addons.l10n_nl_dunning.models.notice.dunning_notice import RECORDING
business = env.ref('l10n_nl_dunning.policy_business')
consumer = env.ref('l10n_nl_dunning.policy_consumer')
neutral = env.ref('l10n_nl_dunning.policy_neutral')
companies = env['res.company'].search([])
dutch = companies.filtered(lambda company: company.account_fiscal_country_id.code == 'NL')
abroad = companies - dutch
level = business.level_ids[0]
result = {
    'levels': {policy.name: len(policy.level_ids) for policy in business + consumer + neutral},
    'business': dutch.mapped('dunning_policy_business_id').ids == business.ids,
    'consumer': dutch.mapped('dunning_policy_consumer_id').ids == consumer.ids,
    'abroad': (
        abroad.mapped('dunning_policy_business_id') | abroad.mapped('dunning_policy_consumer_id')).ids == neutral.ids,
    'started': all(company.dunning_start_date for company in companies),
    'languages': {'nl_NL', 'en_US'} <= {code for code, name in env['res.lang'].get_installed()},
}
level.with_context(lang='nl_NL').write({
    'name': "Mijn niveau", 'letter_intro': "<p>Mijn woorden</p>", 'delay_days': 11, 'subject': "Mijn onderwerp"})
level.with_context(lang='en_US').letter_intro = "<p>My words</p>"
business.write({'minimum_amount': 33, 'approval': 'automatic', 'name': "Mijn ladder"})
business.level_ids[-1].active = False
consumer.level_ids[-1].unlink()
env.ref('l10n_nl_dunning.mail_template_notice').subject = "Mijn e-mail"
env.ref('l10n_nl_dunning.ir_cron_dunning_plan').interval_number = 3
env.ref('l10n_nl_dunning.sequence_notice').prefix = "MIJN"
companies[0].dunning_policy_business_id = False
rate = env.ref('l10n_nl_dunning.rate_consumer_2026_01_01')
rate.write({'percent': 4.5, 'source': "Mijn bron"})
env.ref('l10n_nl_dunning.rate_commercial_2011_07_01').active = False
rate._warn_stale_rates(companies[0], date(2099, 1, 1))
partner = env['res.partner'].search([('name', '=', "From before")], limit=1)
contact = env['res.partner'].create({'name': "Reminders", 'parent_id': partner.id, 'type': 'dunning'})
notice = env['dunning.notice'].with_context(dunning_recording=RECORDING).create({
    'company_id': companies[0].id, 'partner_id': partner.id, 'recipient_id': contact.id,
    'currency_id': companies[0].currency_id.id, 'level_id': level.id, 'channel': 'email',
    'date_planned': date(2025, 3, 3), 'state': 'sent'})
notice.message_post(body="A message")
notice.activity_schedule('mail.mail_activity_data_todo', user_id=env.uid)
notice.with_context(dunning_recording=RECORDING).write({'letter_file': b'eA=='})
env.cr.commit()
print('RESULT', json.dumps(result))
"""

#: What the user finds after an upgrade.
LOOK = """
import json
business = env.ref('l10n_nl_dunning.policy_business')
level = business.with_context(active_test=False).level_ids[0]
notice = env['dunning.notice'].search([])
print('RESULT', json.dumps({
    'name': level.with_context(lang='nl_NL').name,
    'nl': level.with_context(lang='nl_NL').letter_intro,
    'en': level.with_context(lang='en_US').letter_intro,
    'subject': level.with_context(lang='nl_NL').subject,
    'days': level.delay_days,
    'policy': [business.name, business.minimum_amount, business.approval],
    'archived': business.with_context(active_test=False).level_ids[-1].active,
    'consumer': len(env.ref('l10n_nl_dunning.policy_consumer').level_ids),
    'mail': env.ref('l10n_nl_dunning.mail_template_notice').subject,
    'cron': env.ref('l10n_nl_dunning.ir_cron_dunning_plan').interval_number,
    'prefix': env.ref('l10n_nl_dunning.sequence_notice').prefix,
    'company': env['res.company'].search([])[0].dunning_policy_business_id.id,
    'rates': [
        [rate.kind, str(rate.date_from), rate.percent, rate.source, rate.active]
        for rate in env['dunning.interest.rate'].with_context(active_test=False).search([])],
    'notices': notice.mapped('state'),
    'letter': [letter.decode() for letter in notice.mapped('letter_file')],
}))
"""

UNINSTALL = """
env['ir.module.module'].search([('name', '=', 'l10n_nl_dunning')]).button_immediate_uninstall()
env.cr.commit()
"""

#: Everything of ours that could be left behind.
LEFT = """
import json
def rows(query):
    env.cr.execute(query)
    return [list(row) for row in env.cr.fetchall()]
print('RESULT', json.dumps({
    'state': env['ir.module.module'].search([('name', '=', 'l10n_nl_dunning')]).state,
    'tables': rows("SELECT relname FROM pg_class WHERE relname LIKE '%dunning%'"),
    'columns': rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE column_name LIKE '%dunning%'"),
    'models': rows("SELECT model FROM ir_model WHERE model LIKE 'dunning%'"),
    'fields': rows("SELECT model, name FROM ir_model_fields WHERE name LIKE 'dunning%' OR relation LIKE 'dunning%'"),
    'external ids': rows("SELECT name FROM ir_model_data WHERE module = 'l10n_nl_dunning'"),
    'crons': rows("SELECT id FROM ir_act_server WHERE code LIKE '%_cron_plan%' OR code LIKE '%_cron_dispatch%'"),
    'sequences': rows("SELECT id FROM ir_sequence WHERE code LIKE 'dunning%'"),
    'parameters': rows("SELECT key FROM ir_config_parameter WHERE key LIKE '%dunning%'"),
    'attachments': rows("SELECT id, res_model FROM ir_attachment WHERE res_model LIKE 'dunning%'"),
    'messages': rows("SELECT id FROM mail_message WHERE model LIKE 'dunning%'"),
    'activities': rows("SELECT id FROM mail_activity WHERE res_model LIKE 'dunning%'"),
    'followers': rows("SELECT id FROM mail_followers WHERE res_model LIKE 'dunning%'"),
    'templates': rows("SELECT id FROM mail_template WHERE model LIKE 'dunning%'"),
    'views': rows("SELECT name FROM ir_ui_view WHERE arch_db::text LIKE '%dunning%'"),
    'actions': rows("SELECT id FROM ir_act_window WHERE res_model LIKE 'dunning%'"),
    'contacts': rows("SELECT id FROM res_partner WHERE type = 'dunning'"),
    'defaults': rows(
        "SELECT d.id FROM ir_default d LEFT JOIN ir_model_fields f ON f.id = d.field_id WHERE f.id IS NULL"),
}))
"""


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLifeOfTheAddon(BaseCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if bootstrap is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        _home, template = bootstrap.ensure(quiet=True)
        cls.name = f"dunning_test_{paths.checkout_key()}_{os.getpid()}-life"
        cls.addClassCleanup(postgres.drop, cls.name)
        postgres.create(cls.name, template)

    def ask(self, code):
        """Return what code printed in a shell of Odoo on the database."""
        lines = [line for line in database.execute(self.name, code).splitlines() if line.startswith('RESULT ')]
        return json.loads(lines[-1].removeprefix('RESULT '))

    def update(self):
        done = subprocess.run(  # noqa: S603 (our own command)
            runtime.odoo_command('-d', self.name, '-u', paths.MODULE, '--stop-after-init', '--no-http'),
            env=runtime.environment(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_install_upgrade_uninstall_and_install_again(self):
        database.execute(self.name, BEFORE)
        database.install(self.name, [paths.MODULE])
        found = self.ask(EDIT)
        self.assertTrue(all(count for count in found.pop('levels').values()), "A ladder shipped without levels")
        self.assertEqual(found, dict.fromkeys(
            ('business', 'consumer', 'abroad', 'started', 'languages'), True))

        before = self.ask(LOOK)
        self.assertEqual(
            (before['name'], before['nl'], before['en'], before['days'], before['policy'], before['letter']),
            ("Mijn niveau", "<p>Mijn woorden</p>", "<p>My words</p>", 11, ["Mijn ladder", 33.0, 'automatic'], ["eA=="]))
        self.update()
        self.assertEqual(self.ask(LOOK), before, "An upgrade changed what a user had changed")

        database.execute(self.name, UNINSTALL)
        left = self.ask(LEFT)
        self.assertEqual(left.pop('state'), 'uninstalled')
        self.assertEqual({what: rows for what, rows in left.items() if rows}, {})

        database.install(self.name, [paths.MODULE])
        self.assertEqual(self.ask("""
import json
print('RESULT', json.dumps([
    env['dunning.notice'].search_count([]), bool(env.ref('l10n_nl_dunning.policy_business').level_ids),
    env['account.move'].search_count([('dunning_level_id', '!=', False)])]))
"""), [0, True, 0])
