"""Whose job it is: whatever happens with a debtor, the same person is told."""

from contextlib import closing
from datetime import date
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days
from ..sending.test_reply import answer_mail

DUE = TODAY + days(5)
LONG_AGO = date(2020, 8, 31)  # prescribes on 31 August 2025
WARNED = date(2025, 2, 28)


class CollectorCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: cls.make_user(name)
            for name in ('collector', 'cover', 'default', 'sales', 'letters', 'clerk', 'gone')}
        cls.manager = cls.make_user('manager', 'account.group_account_manager')
        # Whoever else is a manager in the test database is not one of this company.
        cls.classPatch(cls.registry['res.company'], '_get_dunning_manager', lambda self: cls.manager.with_env(self.env))
        cls.company.dunning_contact_id = cls.users['letters'].partner_id
        cls.company.dunning_user_id = cls.users['default']
        cls.business.user_id = cls.users['sales']
        cls.business.with_company(cls.company).dunning_user_id = cls.users['collector']

    @classmethod
    def make_user(cls, name, groups='account.group_account_invoice', **values):
        return new_test_user(cls.env, f'who_{name}', **{
            'groups': groups, 'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)], **values})

    def away(self, user, cover):
        return self.env['dunning.absence'].create({
            'user_id': user.id, 'cover_id': cover.id, 'date_from': TODAY - days(900), 'date_to': TODAY + days(900)})


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCollector(CollectorCommon):
    """The one answer."""

    def who(self, day=DUE, **kwargs):
        user = self.business._get_dunning_collector(self.company, day, **kwargs)
        return next((name for name, one in {**self.users, 'manager': self.manager}.items() if one == user), user)

    def test_each_is_next_when_those_before_are_not_there(self):
        self.assertEqual(self.who(), 'collector')
        for name, following in (
            ('collector', 'default'), ('default', 'sales'), ('sales', 'letters'), ('letters', 'manager'),
        ):
            self.users[name].active = False
            self.assertEqual(self.who(), following)

    def test_who_is_away_is_covered_on_those_days_only(self):
        collector, cover = self.users['collector'], self.users['cover']
        absence = self.away(collector, cover)
        self.assertEqual(self.who(), 'cover')
        self.assertEqual(self.who(absence.date_to + days(1)), 'collector')
        self.business.with_company(self.company).dunning_user_id = False
        self.away(self.users['default'], collector)
        self.assertEqual(self.who(), 'cover', "Who covers is away as well, and is covered")
        cover.active = False
        self.assertEqual(self.who(), 'collector', "As on the worklist: whose cover left is asked himself")

    def test_nobody_who_cannot_act_is_asked(self):
        debtor = self.business.with_company(self.company)
        other = self.env['res.company'].create({'name': "Other BV"})
        for groups, values in (
            ('base.group_user', {}),
            ('base.group_portal', {}),
            ('account.group_account_invoice', {'company_id': other.id, 'company_ids': [Command.set(other.ids)]}),
        ):
            debtor.dunning_user_id = self.make_user(f'{groups}{bool(values)}', groups, **values)
            self.assertEqual(self.who(), 'default', groups)
        debtor.dunning_user_id = SUPERUSER_ID
        self.assertEqual(self.who(), 'default')

    def test_whom_a_person_named_comes_first_as_long_as_he_is_there(self):
        clerk = self.users['clerk']
        self.assertEqual(self.who(named=clerk), 'clerk')
        self.assertEqual(self.who(named=self.env['res.users'].browse(SUPERUSER_ID)), 'collector')
        clerk.active = False
        self.assertEqual(self.who(named=clerk), 'collector')

    def test_contacts_have_the_collector_of_their_debtor_and_each_company_its_own(self):
        contact = self.make_contact(self.business, "Ruth")
        other = self.make_debtor("Ander BV")
        found = (contact | other)._get_dunning_collectors(self.company, DUE)
        self.assertEqual(found, {contact.id: self.users['collector'], other.id: self.users['default']})
        company = self.env['res.company'].create({'name': "Other BV"})
        self.users['clerk'].company_ids += company
        company.dunning_user_id = self.users['clerk']
        self.assertEqual(self.business._get_dunning_collector(company, DUE), self.users['clerk'])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWhoIsTold(CollectorCommon):
    """Event by event: who gets the hold, the activity or the name under the mail."""

    #: What nobody was named for.
    EVENTS = (
        'reply', 'unreachable', 'call_to_make', 'sender', 'not_delivered', 'prescription', 'page', 'page_hold')
    #: What a person was named for.
    NAMED = ('call', 'promise', 'promise_hold', 'arrangement', 'arrangement_hold', 'hold', 'notice')

    def scheduled(self, records):
        """As the scheduled action, that is nobody."""
        return records.with_user(SUPERUSER_ID)

    def dun_by_itself(self, channel='email'):
        self.reminder.channel = channel
        self.invoice()
        notice = self.scheduled(self.on(DUE, self.env['dunning.run']))._plan_company(self.company, DUE)['notices']
        self.assertEqual(notice.author_id.id, SUPERUSER_ID)
        return self.send(notice, DUE)

    def happens_reply(self):
        notice = self.dun_by_itself()
        answer_mail(self, notice, DUE)
        hold = self.env['dunning.hold'].search([('partner_id', '=', self.business.id)])
        return hold.user_id | notice.activity_ids.user_id

    def happens_unreachable(self):
        self.business.write({'email': False, 'phone': False, 'street': False, 'city': False})
        self.invoice()
        self.make_notices(DUE)
        return self.business.activity_ids.user_id

    def happens_call_to_make(self):
        return self.dun_by_itself('phone').activity_ids.user_id

    def happens_sender(self):
        return self.dun_by_itself().mail_id.sudo().author_id.user_ids

    def happens_not_delivered(self):
        notice = self.mails_leave(self.dun_by_itself(), DUE)
        self.on(DUE, notice)._mark_undelivered("It came back")
        return notice.activity_ids.user_id

    def happens_prescription(self):
        self.invoice(due=LONG_AGO)
        return self.env['dunning.prescription']._warn_prescription(self.company, WARNED).user_id

    def happens_page(self):
        page = self.on(DUE, self.business._get_dunning_page(self.company))
        page._register_contact({'name': "Nieuwe naam"})
        return self.business.activity_ids.user_id

    def happens_page_hold(self):
        page, move = self.on(DUE, self.business._get_dunning_page(self.company)), self.invoice()
        page._register_dispute({
            'invoice_id': str(move.id), 'category': 'quality', 'reason': "The bread was stale, all of it."})
        hold = self.env['dunning.hold'].search([('move_id', '=', move.id)])
        return hold.user_id | hold.activity_ids.user_id

    def happens_call(self, user):
        self.invoice()
        call = self.env['dunning.call'].browse(self.on(DUE, self.env['dunning.call'].with_user(user)).log_call({
            'partner_id': self.business.id, 'outcome': 'no_answer'})['call_id'])
        self.leave(user)
        call._plan_task(DUE, "Find the number")
        return call.activity_ids.user_id

    def make_promise(self, user):
        items = self.items(self.invoice())
        return self.on(DUE, self.env['dunning.promise'])._make(
            self.company, self.business, DUE + days(4), None, items, user)

    def happens_promise(self, user):
        promise = self.make_promise(user)
        self.leave(user)
        self.on(DUE + days(20), self.env['dunning.promise'])._judge(self.company, DUE + days(20))
        self.assertEqual(promise.state, 'broken')
        return promise.activity_ids.user_id

    def happens_promise_hold(self, user):
        self.leave(user)
        return self.make_promise(user).hold_ids.user_id

    def make_arrangement(self, user):
        arrangement = self.on(DUE, self.env['dunning.arrangement'])._make(
            self.company, self.business, self.items(self.invoice()), {
                'instalment_count': 2, 'date_first': DUE + days(14), 'with_interest': False, 'with_costs': False},
            user=user)
        with (
            patch.object(self.registry['dunning.arrangement'], '_store_offer', lambda self: None),
            patch.object(self.registry['dunning.arrangement'], '_send_offer', lambda self: None),
        ):
            arrangement._offer()
        return arrangement

    def happens_arrangement(self, user):
        arrangement = self.make_arrangement(user)
        self.leave(user)
        arrangement._tell_owner('mail.mail_activity_data_todo', lambda env: ("Look", "At it"))
        return arrangement.activity_ids.filtered(lambda activity: activity.summary == "Look").user_id

    def happens_arrangement_hold(self, user):
        self.leave(user)
        return self.make_arrangement(user).hold_ids.user_id

    def happens_hold(self, user):
        hold = self.on(TODAY, self.env['dunning.hold'].with_user(user)).create({
            'move_id': self.invoice().id, 'date_end': DUE,
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id})
        self.leave(user)
        self.make_notices(DUE + days(1))
        return hold.activity_ids.user_id

    def happens_notice(self, user):
        self.reminder.channel = 'phone'
        self.invoice()
        notice = self.on(DUE, self.make_notices(DUE))
        notice._queue()
        notice._recording().author_id = user
        self.leave(user)
        self.on(DUE, self.env['dunning.dispatcher'])._dispatch_interactively(notice)
        return notice.activity_ids.user_id

    def leave(self, user):
        if user == self.users['gone']:
            user.active = False

    def assertTold(self, name, event, *args):
        with self.subTest(event=event, who=name):
            try:
                with closing(self.env.cr.savepoint()):
                    told = getattr(self, f'happens_{event}')(*args).mapped('login')
            finally:
                self.env.invalidate_all(flush=False)
            self.assertEqual(told, [f'who_{name}'])

    def test_the_collector_of_the_debtor_is_told_of_everything(self):
        for event in self.EVENTS:
            self.assertTold('collector', event)

    def test_who_covers_for_him_is_told_while_he_is_away(self):
        self.away(self.users['collector'], self.users['cover'])
        for event in self.EVENTS:
            self.assertTold('cover', event)

    def test_without_one_it_is_the_collector_of_the_company(self):
        self.users['collector'].active = False
        for event in self.EVENTS:
            self.assertTold('default', event)

    def test_a_salesperson_who_left_is_told_of_nothing(self):
        self.company.dunning_user_id = False
        (self.users['collector'] | self.users['sales']).active = False
        for event in self.EVENTS:
            self.assertTold('letters', event)

    def test_whom_a_person_named_keeps_it(self):
        for event in self.NAMED:
            self.assertTold('clerk', event, self.users['clerk'])

    def test_what_somebody_leaves_behind_is_for_the_collector(self):
        for event in self.NAMED:
            self.assertTold('collector', event, self.users['gone'])
