"""Telephone systems log calls over the network, as often as they like: each call counts once."""

import json
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, HttpCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days
from .test_call import DUE, CallCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallApi(CallCommon):

    def test_the_same_call_posted_again_gets_the_same_answer(self):
        values = {'external_id': 'pbx-1', 'category': 'price'}
        first = self.log('disputed', **values)
        again = self.log('disputed', **values)
        self.assertEqual(first, again)
        self.assertTrue(first['hold_ids'])
        self.assertEqual(self.env['dunning.hold'].search_count([('move_id', '=', self.move.id)]), 1)
        self.assertEqual(self.env['dunning.call'].search_count([('external_id', '=', 'pbx-1')]), 1)
        # Even when what is said about it changed in the meantime.
        self.assertEqual(self.log('no_answer', **values), first)
        self.refused("ID of its own", 'no_answer', partner=self.make_debtor("Other BV"), external_id='pbx-1')
        self.assertNotEqual(self.log('no_answer', external_id='pbx-2'), first)
        self.assertNotEqual(self.log('no_answer'), self.log('no_answer'), "Without an ID each is a call of its own")
        self.assertEqual(self.log('no_answer', external_id=77), self.log('no_answer', external_id='77'))

    def test_the_call_of_an_activity_posted_again_gets_the_same_answer(self):
        activity = self.business.activity_schedule(
            'mail.mail_activity_data_call', date_deadline=DUE, user_id=self.clerk.id)
        values = {'external_id': 'pbx-1', 'activity_id': activity.id}
        self.assertEqual(self.log('voicemail', **values), self.log('voicemail', **values))
        self.refused("already", 'voicemail', activity_id=activity.id)

    def test_another_company_numbers_its_own_calls(self):
        first = self.log('no_answer', external_id='pbx-1')
        other = self.env['res.company'].create({'name': "Other"})
        self.clerk.company_ids = [Command.link(other.id)]
        second = self.log('no_answer', external_id='pbx-1', company_id=other.id)
        self.assertNotEqual(first['call_id'], second['call_id'])
        self.assertEqual(self.env['dunning.call'].browse(second['call_id']).company_id, other)

    def test_the_loser_of_a_race_is_asked_to_try_again(self):
        """What the unique index refuses is not an error of the caller: Odoo repeats the request."""
        self.log('no_answer', external_id='pbx-1')
        Call = self.env['dunning.call'].with_user(self.clerk)
        self.patch(self.registry['dunning.call'], '_find_logged', lambda call, data: call.browse())
        with self.assertRaises(ConcurrencyError):
            Call.log_call({'partner_id': self.business.id, 'outcome': 'no_answer', 'external_id': 'pbx-1'})
        self.assertEqual(Call.search_count([('external_id', '=', 'pbx-1')]), 1)

    def test_nonsense_is_a_sentence_and_writes_nothing(self):
        item = self.items(self.move).id
        stranger = self.invoice(self.make_debtor("Stranger BV"))
        person = self.make_contact(stranger.partner_id, "Not mine")
        paid = self.invoice(amount=10.0)
        self.pay(paid)
        for message, values in (
            ("has no", {'colour': 'red'}),
            ("outcome", {'outcome': 'sunshine'}),
            ("outcome", {'outcome': 999999}),
            ("How did the call end", {'outcome': None}),
            ("Whom was it with", {'partner_id': False}),
            ("must be the ID", {'partner_id': 'Bakkerij'}),
            ("does not exist", {'partner_id': 2**31 - 1}),
            ("must be the ID", {'partner_id': 2**40}),
            ("must be the ID", {'partner_id': True}),
            ("no contact of", {'contact_id': person.id}),
            ("telephone number", {'number': 'anonymous'}),
            ("telephone number", {'number': 31205550100}),
            ("makes no sense", {'direction': 'sideways'}),
            ("makes no sense", {'origin': 'mars'}),
            ("not a time", {'date_start': 'yesterday'}),
            ("future", {'date_start': fields.Datetime.to_string(fields.Datetime.now() + timedelta(days=1))}),
            ("number of seconds", {'duration': -1}),
            ("number of seconds", {'duration': 'long'}),
            ("not a date", {'date': '31-12-2025', 'outcome': 'promise'}),
            ("not an amount", {'amount': float('nan'), 'outcome': 'promise'}),
            ("not an amount", {'amount': -5, 'outcome': 'promise'}),
            ("not an amount", {'amount': 10**400, 'outcome': 'promise'}),
            ("not a time", {'time': '25:00', 'date': str(DUE + days(1)), 'outcome': 'call_back'}),
            ("makes no sense", {'category': 'weather', 'outcome': 'disputed'}),
            ("list of IDs", {'item_ids': item}),
            ("must be the ID", {'item_ids': ['x']}),
            ("Leave it out", {'item_ids': self.items(stranger).ids}),
            ("Leave it out", {'item_ids': self.items(paid).ids}),
            ("does not exist", {'item_ids': [item, 2**31 - 1]}),
            ("must be text", {'note': 5}),
            ("does not exist", {'activity_id': 2**31 - 1}),
        ):
            with self.subTest(values=values):
                before = self.env['dunning.call'].search_count([])
                Call = self.on(DUE, self.env['dunning.call'].with_user(self.clerk))
                with self.assertRaisesRegex(UserError, message):
                    Call.log_call({'partner_id': self.business.id, 'outcome': 'no_answer', **values})
                self.assertEqual(self.env['dunning.call'].search_count([]), before)
        for values in (None, [], "x"):
            with self.assertRaisesRegex(UserError, "dictionary"):
                self.env['dunning.call'].with_user(self.clerk).log_call(values)
        nobody = self.make_debtor("Debtless BV")
        for outcome in ('promise', 'disputed', 'paid_already', 'copy_wanted', 'arrangement'):
            self.refused("owes nothing", outcome, partner=nobody, date=str(DUE))
        self.log('refuses', partner=nobody)
        self.refused("Choose them", 'disputed', item_ids=[])
        self.log('no_answer', item_ids=[])

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values=st.dictionaries(
        st.sampled_from([
            'contact_id', 'contact_name', 'number', 'direction', 'date_start', 'duration', 'item_ids', 'outcome',
            'note', 'date', 'time', 'amount', 'category', 'part_amount', 'external_id', 'origin', 'activity_id',
            'company_id', 'partner_id']),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.just('promise'),
            st.just('disputed'), st.just('2025-03-20'), st.lists(st.integers(), max_size=3),
            st.dictionaries(st.text(max_size=2), st.integers(), max_size=1))))
    def test_whatever_a_program_sends_it_is_logged_or_refused_with_a_sentence(self, values):
        Call = self.on(DUE, self.env['dunning.call'].with_user(self.clerk))
        with self.env.cr.savepoint() as savepoint:
            try:
                answer = Call.log_call({'partner_id': self.business.id, 'outcome': 'no_answer', **values})
                self.assertTrue(answer['message'])
            except (UserError, AccessError) as error:
                self.assertTrue(str(error))
            savepoint.rollback()

    def test_times_and_numbers_as_programs_write_them(self):
        call = self.call(
            'no_answer', date_start='2025-03-04T23:30:00Z', number='020 555 0123', duration=12.0)
        self.assertRecordValues(call, [{
            'date_start': fields.Datetime.to_datetime('2025-03-04 23:30:00'), 'date': TODAY + days(2),
            'number': '+31205550123', 'duration': 12}])
        call = self.call('no_answer', date_start='2025-03-04T23:30:00+02:00', number='+4930123456')
        self.assertEqual(fields.Datetime.to_string(call.date_start), '2025-03-04 21:30:00')
        self.assertEqual(call.number, '+4930123456')
        # What stands on the contact is called, whatever it looks like.
        self.business.phone = "ask for Ann"
        self.assertEqual(self.call('no_answer', number="ask for Ann").number, "ask for Ann")


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallRights(CallCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)]}
        cls.people = {
            name: new_test_user(cls.env, f'call_{name}', groups=groups, **user)
            for name, groups in {
                'portal': 'base.group_portal',
                'employee': 'base.group_user',
                'sales': 'base.group_user,base.group_partner_manager',
                'readonly': 'account.group_account_readonly',
                'manager': 'account.group_account_manager',
            }.items()}
        other = cls.env['res.company'].create({'name': "Other"})
        cls.people['stranger'] = new_test_user(
            cls.env, 'call_stranger', groups='account.group_account_manager', company_id=other.id,
            company_ids=[Command.set(other.ids)])
        cls.logged = cls.on(DUE, cls.env['dunning.call'].with_user(cls.clerk)).log_call({
            'partner_id': cls.business.id, 'outcome': 'refuses', 'note': "Secret"})

    def test_who_may_log_and_read(self):
        values = {'partner_id': self.business.id, 'outcome': 'no_answer', 'company_id': self.company.id}
        for name, reads, logs in (
            ('portal', False, False), ('employee', False, False), ('sales', False, False), ('readonly', True, False),
            ('manager', True, True), ('stranger', False, False),
        ):
            with self.subTest(user=name):
                Call = self.on(DUE, self.env['dunning.call'].with_user(self.people[name]))
                call = Call.browse(self.logged['call_id'])
                if reads:
                    self.assertEqual(call.note, "Secret")
                else:
                    with self.assertRaises(AccessError):
                        call.read(['note'])
                if logs:
                    self.assertTrue(Call.log_call(values)['call_id'])
                else:
                    with self.assertRaises(AccessError):
                        Call.log_call(values)
                    with self.assertRaises(AccessError):
                        Call.log_call({**values, 'external_id': 'x'})
                for method in ('action_open_holds', 'action_open_invoices'):
                    if not reads:
                        with self.assertRaises(AccessError):
                            getattr(call, method)()
                if not logs:
                    with self.assertRaises(AccessError):
                        call.note = "x"

    def test_contacts_and_invoices_show_calls_to_accounting_only(self):
        self.assertEqual(self.business.with_user(self.people['readonly']).dunning_call_count, 1)
        for name in ('employee', 'sales'):
            for record in (self.business, self.move):
                with self.assertRaises(AccessError):
                    record.with_user(self.people[name]).read(['dunning_call_count'])
        for name in ('portal', 'employee', 'sales', 'readonly'):
            with self.assertRaises(AccessError):
                self.business.with_user(self.people[name]).action_dunning_call()
            with self.assertRaises(AccessError):
                self.business.with_user(self.people[name]).action_dunning_phone_works()

    def test_a_clerk_may_not_change_contacts_and_still_marks_a_number_wrong(self):
        self.assertFalse(self.business.with_user(self.clerk).has_access('write'))
        self.log('wrong_number')
        self.assertEqual(self.business.dunning_phone_wrong_on, DUE)

    def test_only_managers_configure_outcomes(self):
        outcome = self.env.ref('l10n_nl_dunning.call_outcome_refuses')
        for name in ('readonly', 'sales'):
            with self.assertRaises(AccessError):
                outcome.with_user(self.people[name]).name = "x"
        with self.assertRaises(AccessError):
            outcome.with_user(self.clerk).name = "x"
        outcome.with_user(self.people['manager']).name = "Weigert"

    def test_an_activity_of_a_record_nobody_may_see(self):
        activity = self.business.activity_schedule('mail.mail_activity_data_call', date_deadline=DUE)
        with self.assertRaises(AccessError):
            activity.with_user(self.people['sales']).action_dunning_log_call()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallHttp(HttpCase, DunningCommon):
    """As a telephone system does: a real request, with a key of a user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        today = cls.company._dunning_today()
        cls.move = cls.invoice(due=today - days(20))
        cls.clerk = new_test_user(
            cls.env, 'pbx', password='pbx-password', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.clerk.lang = 'nl_NL'
        cls.sales = new_test_user(cls.env, 'pbx_sales', password='pbx_sales-password', groups='base.group_user')

    def key_of(self, user):
        # Longer than a day takes a permission that telephone systems get from their administrator.
        Keys = self.env['res.users.apikeys'].with_user(user).sudo()
        return Keys._generate('rpc', 'pbx', fields.Datetime.now() + timedelta(days=1))

    def post(self, values, user=None):
        return self.url_open(
            '/json/2/dunning.call/log_call', data=json.dumps({'values': values}),
            headers={'Content-Type': 'application/json', 'Authorization': f'Bearer {self.key_of(user or self.clerk)}'})

    def test_json_2(self):
        values = {'partner_id': self.business.id, 'outcome': 'refuses', 'external_id': 'pbx-9', 'duration': 31}
        answer = self.post(values)
        self.assertEqual(answer.status_code, 200, answer.text)
        data = answer.json()
        call = self.env['dunning.call'].browse(data['call_id'])
        self.assertRecordValues(call, [{
            'partner_id': self.business.id, 'user_id': self.clerk.id, 'origin': 'api', 'external_id': 'pbx-9',
            'item_ids': self.items(self.move).ids}])
        self.assertEqual(self.post(values).json(), data)
        with mute_logger('odoo.http'):
            bad = self.post({**values, 'external_id': 'pbx-10', 'outcome': 'sunshine'})
        self.assertEqual(bad.status_code, 422)
        self.assertIn('sunshine', bad.json()['message'])
        with mute_logger('odoo.http'):
            self.assertEqual(self.post(values, self.sales).status_code, 403)
        self.assertEqual(self.env['dunning.call'].search_count([('partner_id', '=', self.business.id)]), 1)

    def test_xml_rpc(self):
        values = {'partner_id': self.business.id, 'outcome': 'disputed', 'category': 'price', 'external_id': 'pbx-9'}

        def log():
            return self.xmlrpc_object.execute_kw(
                self.env.cr.dbname, self.clerk.id, 'pbx-password', 'dunning.call', 'log_call', [values])

        answer = log()
        self.assertEqual(answer, log())
        self.assertEqual(self.env['dunning.hold'].browse(answer['hold_ids']).dispute_category, 'price')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallRace(BaseCase):
    """Two requests at once, each in a transaction of its own, with committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.partner_id = env['res.partner'].create({'name': "Race BV", 'phone': '+31205550100'}).id
        self.addCleanup(self.clean)

    def clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            calls = env['dunning.call'].search([('partner_id', '=', self.partner_id)])
            calls._recording().unlink()
            env['res.partner'].browse(self.partner_id).unlink()

    def request(self, meanwhile=None):
        """Log the call as a request does, in a transaction that began before ``meanwhile`` was done."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            tries = []

            def work():
                env['res.company'].search_count([('name', '=', "the snapshot is taken")])
                tries.append(meanwhile and not tries and meanwhile())
                return env['dunning.call'].log_call({
                    'partner_id': self.partner_id, 'outcome': 'no_answer', 'external_id': 'race'})

            with mute_logger('odoo.service.model'):
                answer = retrying(work, env)
            return answer, tries

    def test_two_requests_log_one_call(self):
        answer, tries = self.request(meanwhile=self.request)
        other, _tries = tries[0]
        self.assertEqual(len(tries), 2, "The second did not see the first, was refused and tried again")
        self.assertEqual(answer, other)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.assertEqual(env['dunning.call'].search_count([('external_id', '=', 'race')]), 1)
