"""Privacy: old notes go after somebody has seen which; what is known of a debtor is told to him and to programs."""

import csv
import io
import json
from datetime import date, datetime

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days, post_message

OLD = TODAY + days(7)
#: More than two years later.
NOW = date(2027, 6, 1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRetention(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: new_test_user(
                cls.env, f'retention_{name}', groups=group, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, group in (
                ('sales', 'base.group_user'), ('readonly', 'account.group_account_readonly'),
                ('clerk', 'account.group_account_invoice'), ('manager', 'account.group_account_manager'))}
        cls.person = cls.make_contact(cls.business, "Anja de Wit", email='anja@debtor.example.com')
        cls.move = cls.invoice()

    def promise(self, move=None, on=OLD, **kwargs):
        return self.on(on, self.env['dunning.promise'])._make(
            self.company, self.business, on + days(4), None, self.items(move or self.move), self.env.user,
            contact=self.person, note="She is waiting for money of a customer", **kwargs)

    def call(self, on=OLD, **values):
        result = self.on(on, self.env['dunning.call']).log_call({
            'partner_id': self.business.id, 'contact_id': self.person.id, 'outcome': 'voicemail',
            'date_start': datetime.combine(on, datetime.min.time()).replace(hour=10).isoformat(sep=' '),
            'number': '+31205550100', 'note': "Calls back after lunch", **values})
        return self.env['dunning.call'].browse(result['call_id'])

    def hold(self, on=OLD):
        hold = self.on(on, self.env['dunning.hold']).create({
            'move_id': self.move.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id,
            'date_end': on + days(5), 'note': "Asked Karel of logistics"})
        hold._close("Found", at_date=on + days(2))
        return hold

    def old_story(self):
        """Return a call, a promise and a hold of more than two years ago, and pay what they were about."""
        call, promise, hold = self.call(), self.promise(), self.hold()
        self.pay(self.on(OLD + days(4), self.move), on=OLD + days(4))
        return call, promise, hold

    def list_old(self, at_date=NOW):
        return self.on(at_date, self.env['dunning.retention'])._list(self.company, at_date)

    # --- what goes ---

    def test_first_it_is_only_listed(self):
        call, promise, hold = self.old_story()
        run = self.list_old()
        self.assertRecordValues(run, [{
            'state': 'listed', 'call_count': 1, 'promise_count': 1, 'hold_count': 1, 'cleaned_count': 0}])
        self.assertEqual(
            {(line.res_model, line.res_id) for line in run.line_ids},
            {(record._name, record.id) for record in (call, promise, hold)})
        self.assertTrue(call.note and promise.note and hold.note)
        # Listed again it is the same list.
        self.assertEqual(self.list_old(), run)
        self.assertEqual(len(run.line_ids), 3)

    def test_cleaned_the_facts_stay_and_the_people_go(self):
        call, promise, hold = self.old_story()
        post_message(promise, "Anja said that her mother helps")
        run = self.list_old()
        self.on(NOW, run.with_user(self.users['manager'])).action_clean()
        self.assertRecordValues(call, [{'note': False, 'contact_id': False, 'number': False, 'kind': 'voicemail'}])
        self.assertRecordValues(promise, [{
            'note': False, 'contact_id': False, 'state': 'kept', 'amount': 100.0, 'partner_id': self.business.id}])
        self.assertFalse(promise.message_ids)
        self.assertFalse(hold.note)
        self.assertEqual(hold.closed_on, OLD + days(2))
        self.assertRecordValues(run, [{
            'state': 'done', 'cleaned_count': 3, 'done_on': NOW, 'done_by_id': self.users['manager'].id,
            'line_ids': []}])
        self.assertFalse(self.list_old(), "Clean is clean: nothing is listed twice")

    def test_what_is_younger_stays(self):
        call, promise, hold = self.old_story()
        self.assertFalse(self.list_old(OLD + days(700)))
        self.company.dunning_keep_months = 0
        self.assertFalse(self.list_old(OLD + days(7000)), "0 keeps them")
        self.company.dunning_keep_months = 22
        run = self.list_old(OLD + days(700))
        self.assertEqual(run.line_ids.mapped('res_id'), [*call.ids, *promise.ids, *hold.ids])
        self.assertEqual(run.line_ids.mapped('kind'), ['call', 'promise', 'hold'])

    def test_what_is_about_an_open_invoice_stays(self):
        self.call(outcome='refuses')
        self.promise()
        self.hold()
        self.on(NOW, self.env['dunning.promise'])._judge(self.company, NOW)
        self.assertFalse(self.list_old())
        self.pay(self.move, on=NOW)
        self.assertEqual(len(self.list_old().line_ids), 3)

    def test_a_hold_of_the_debtor_stays_as_long_as_he_owes_anything(self):
        hold = self.on(OLD, self.env['dunning.hold']).create({
            'partner_id': self.business.id, 'company_id': self.company.id, 'date_end': OLD + days(5), 'note': "Moves",
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id})
        hold._close("Moved", at_date=OLD + days(2))
        self.assertFalse(self.list_old())
        self.pay(self.move, on=NOW)
        self.assertEqual(self.list_old().line_ids.mapped('res_id'), hold.ids)

    def test_what_was_opened_again_after_the_list_stays(self):
        call, promise, _hold = self.old_story()
        run = self.list_old()
        self.unpay(self.move)
        self.on(NOW, run).action_clean()
        self.assertTrue(promise.note)
        self.assertTrue(call.note)

    def test_a_manager_can_keep_it(self):
        call, *_others = self.old_story()
        run = self.list_old()
        self.on(NOW, run.with_user(self.users['manager'])).action_keep()
        self.on(NOW, run).action_clean()
        self.assertTrue(call.note)
        self.assertEqual(run.state, 'kept')

    def test_every_week_a_manager_is_shown_and_nothing_goes_by_itself(self):
        call, *_others = self.old_story()
        for week in range(4):
            self.on(NOW + days(7 * week), self.env['dunning.retention'].sudo())._cron_clean()
        run = self.env['dunning.retention'].search([('company_id', '=', self.company.id)])
        self.assertEqual((len(run), run.state), (1, 'listed'))
        self.assertEqual(len(run.activity_ids), 1)
        self.assertTrue(call.note)

    def test_by_itself_it_goes_two_weeks_after_it_was_shown(self):
        self.company.dunning_retention_automatic = True
        call, *_others = self.old_story()
        cron = self.env['dunning.retention'].sudo()
        self.on(NOW, cron)._cron_clean()
        run = cron.search([('company_id', '=', self.company.id)])
        self.assertEqual(run.clean_on, NOW + days(14))
        self.on(NOW + days(13), cron)._cron_clean()
        self.assertTrue(call.note)
        self.on(NOW + days(14), cron)._cron_clean()
        self.assertFalse(call.note)
        self.assertEqual(run.state, 'done')
        self.assertFalse(run.activity_ids)

    def test_only_a_manager_cleans_and_nobody_writes_history(self):
        self.old_story()
        run = self.list_old()
        for name in ('sales', 'readonly', 'clerk'):
            for method in ('action_clean', 'action_keep', 'action_dry_run'):
                with self.subTest(user=name, method=method), self.assertRaises(AccessError):
                    getattr(run.with_user(self.users[name]), method)()
        with self.assertRaises(UserError):
            run.with_user(self.users['manager']).write({'state': 'done'})
        with self.assertRaises(UserError):
            run.unlink()
        with self.assertRaisesRegex(UserError, "nothing would go"):
            self.on(OLD, self.env['dunning.retention'].with_user(self.users['manager'])).action_dry_run()

    # --- what is known ---

    def test_the_export_tells_all_in_both_formats(self):
        self.old_story()
        clerk = self.users['clerk']
        rows = self.business.with_user(clerk).get_dunning_personal_data()
        self.assertEqual(sorted(row['kind'] for row in rows), ["Call", "Hold", "Hold", "Promise"])
        self.assertTrue(any("waiting for money" in row['text'] for row in rows))
        self.assertTrue(any(row['person'] == "Anja de Wit" for row in rows))
        wizard = self.env['dunning.personal.data'].with_user(clerk).browse(
            self.person.with_user(clerk).action_dunning_personal_data()['res_id'])
        self.assertEqual(wizard.row_count, 4)
        read = list(csv.DictReader(io.StringIO(wizard._get_file().decode('utf-8-sig')), delimiter=';'))
        self.assertEqual([row['text'] for row in read], [row['text'] for row in rows])
        wizard.file_format = 'json'
        self.assertEqual(json.loads(wizard._get_file())['records'], rows)
        self.assertIn(f'/web/content/dunning.personal.data/{wizard.id}/content', wizard.action_download()['url'])
        self.assertTrue(wizard.content)

    def test_a_note_is_no_formula_in_a_spreadsheet(self):
        promise = self.promise()
        promise.note = '=HYPERLINK("http://evil.example","x")'
        self.call(contact_id=False, contact_name='=1+1')
        wizard = self.env['dunning.personal.data'].create({'partner_id': self.business.id})
        read = list(csv.DictReader(io.StringIO(wizard._get_file().decode('utf-8-sig')), delimiter=';'))
        self.assertIn("'=1+1", [row['person'] for row in read])
        self.assertFalse([cell for row in read for cell in row.values() if cell.startswith('=')])

    def test_the_statement(self):
        self.dun(TODAY + days(5))
        other = self.invoice(due=OLD + days(30), amount=50.0)
        self.call(on=OLD)
        promise = self.promise(on=OLD)
        partner = self.on(OLD, self.business.with_user(self.users['readonly']))
        statement = partner.get_dunning_statement()
        self.assertEqual(json.loads(json.dumps(statement)), statement)
        self.assertEqual(statement['amounts'], [{
            'currency': 'EUR', 'open': 150.0, 'overdue': 100.0, 'credit': 0.0, 'on_hold': 100.0, 'collectable': 0.0}])
        self.assertEqual([item['invoice'] for item in statement['items']], [self.move.name, other.name])
        self.assertEqual(statement['items'][0]['reason'], 'hold')
        self.assertEqual(statement['items'][0]['days_overdue'], 7)
        self.assertEqual([hold['kind'] for hold in statement['holds']], ['promise'])
        self.assertEqual([found['promise_id'] for found in statement['promises']], promise.ids)
        self.assertEqual(statement['promises'][0]['date'], (OLD + days(4)).isoformat())
        self.assertEqual((statement['calls']['count'], statement['calls']['outcomes']), (1, {'voicemail': 1}))
        self.assertEqual([notice['level'] for notice in statement['notices']], ["Reminder"])
        self.assertEqual(statement['level'], "Reminder")
        self.assertEqual((statement['promises_kept'], statement['promises_decided']), (0, 0))
        # A contact of the debtor answers for the debtor.
        self.assertEqual(self.on(OLD, self.person).get_dunning_statement()['debtor_id'], self.business.id)

    def test_the_statement_says_what_the_worklist_says(self):
        self.items(self.move).no_followup = True
        self.credit_note(amount=30.0)
        amounts = self.on(OLD, self.business).get_dunning_statement()['amounts']
        row = self.on(OLD, self.env['dunning.debtor']).search([('partner_id', '=', self.business.id)])
        self.assertEqual(amounts, [{
            'currency': 'EUR', 'open': row.amount_open, 'overdue': row.amount_overdue, 'credit': row.amount_credit,
            'on_hold': row.amount_held, 'collectable': row.amount_collectable}])
        self.assertEqual((row.amount_overdue, row.amount_collectable), (100.0, 0.0), "It is not followed up")

    def test_the_statement_of_who_owes_nothing_is_empty_and_sound(self):
        statement = self.make_debtor("Leeg BV").get_dunning_statement()
        self.assertEqual(json.loads(json.dumps(statement)), statement)
        for name in ('amounts', 'items', 'holds', 'promises', 'notices'):
            self.assertEqual(statement[name], [])
        self.assertEqual(statement['calls']['count'], 0)

    def test_amounts_are_for_accounting_and_companies_for_who_works_there(self):
        for method in ('get_dunning_statement', 'get_dunning_personal_data', 'action_dunning_personal_data'):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(self.business.with_user(self.users['sales']), method)()
        other = self.env['res.company'].create({'name': "Other"})
        with self.assertRaises(UserError):
            self.business.with_user(self.users['clerk']).get_dunning_statement(other.id)
