"""Who logged a call or recorded a posting by mistake takes it back within a minute, with all that followed."""

from datetime import timedelta

from freezegun.api import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestUndo(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ladder.approval = 'automatic'
        cls.clerk, cls.other = (
            new_test_user(
                cls.env, f'undo_{name}', groups='account.group_account_invoice', company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)]) for name in ('clerk', 'other'))
        cls.move = cls.invoice(due=TODAY - days(20), amount=300.0)

    def log_call(self, outcome, **values):
        answer = self.on(TODAY, self.env['dunning.call'].with_user(self.clerk)).log_call({
            'partner_id': self.business.id, 'outcome': outcome, 'number': '+31201111111', **values})
        return self.on(TODAY, self.env['dunning.call'].with_user(self.clerk).browse(answer['call_id']))

    def row(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.on(TODAY, self.env['dunning.debtor']).search([
            ('partner_id', '=', self.business.id), ('company_id', '=', self.company.id)])

    def in_a_while(self, moment, seconds):
        return freeze_time(fields.Datetime.to_datetime(moment) + timedelta(seconds=seconds), ignore=['psycopg2'])

    def test_a_call_is_gone_with_all_that_followed(self):
        """Each outcome: the worklist is as before, and the debtor keeps a line that says who undid it."""
        self.business.phone = '+31201111111'
        before = self.row().read(['amount_collectable', 'next_kind', 'last_call', 'promise_id', 'priority'])
        for outcome, values in (
            ('no_answer', {}), ('wrong_number', {}), ('refuses', {}),
            ('promise', {'date': str(TODAY + days(5)), 'confirm': False}),
            ('disputed', {'category': 'other'}), ('paid_already', {'date': str(TODAY)}), ('hardship', {}),
            ('call_back', {'date': str(TODAY + days(1))}),
        ):
            with self.subTest(outcome=outcome):
                call = self.log_call(outcome, **values)
                self.assertTrue(self.row().last_call)
                call.action_undo()
                self.assertFalse(call.exists())
                self.assertEqual(
                    self.row().read(['amount_collectable', 'next_kind', 'last_call', 'promise_id', 'priority']), before)
                self.assertFalse(self.business.dunning_phone_wrong_on)
                self.assertIn("undid a call", self.business.message_ids[0].body)
                self.assertFalse(self.env['dunning.hold'].search([
                    ('partner_id', '=', self.business.id), ('closed_on', '=', False)]))

    def test_not_by_another_nor_after_a_minute(self):
        call = self.log_call('no_answer')
        with self.assertRaisesRegex(AccessError, "by who logged it"):
            call.with_user(self.other).action_undo()
        with self.in_a_while(call.create_date, 61), self.assertRaisesRegex(AccessError, "within a minute"):
            call.action_undo()
        with self.in_a_while(call.create_date, 59):
            call.action_undo()
        self.assertFalse(call.exists())

    def test_not_when_something_left_or_was_made_because_of_it(self):
        self.business.email = 'firm@example.com'
        call = self.log_call('promise', date=str(TODAY + days(5)), confirm=True)
        mail = call._get_confirmations()
        mail.state = 'sent'
        with self.assertRaisesRegex(UserError, "confirmed by e-mail"):
            call.action_undo()
        self.assertEqual(call.promise_id.state, 'running')
        mail.state = 'outgoing'
        call.action_undo()
        self.assertEqual(mail.state, 'cancel')
        call = self.log_call('arrangement')
        self.on(TODAY, self.env['dunning.arrangement'])._make(
            self.company, self.business, self.items(self.move), {}, call=call.with_user(self.env.user))
        with self.assertRaisesRegex(UserError, "arrangement was made"):
            call.action_undo()

    def test_a_call_of_the_ladder_waits_again(self):
        self.reminder.write({'channel': 'phone', 'phone_tries': 1})
        notice = self.make_notices(TODAY)
        self.on(TODAY, self.env['dunning.dispatcher'])._dispatch(notice)
        self.assertEqual(notice.state, 'todo')
        for outcome, state in (('no_answer', 'skipped'), ('refuses', 'sent')):
            call = self.log_call(outcome)
            self.assertEqual(notice.state, state)
            call.action_undo()
            self.assertEqual((notice.state, notice.line_ids.status), ('todo', 'pending'))
            self.assertTrue(notice.activity_ids)
            self.assertFalse(self.move.dunning_level_id)

    def test_a_posting_is_taken_back(self):
        """The letter waits to be posted again, and its evidence does not count."""
        self.reminder.channel = 'letter'
        self.business.write({'street': "Dam 1", 'zip': "1012 JS", 'city': "Amsterdam"})
        notice = self.make_notices(TODAY)
        self.on(TODAY, self.env['dunning.dispatcher'])._dispatch(notice)
        notice._recording().postal_state = 'printed'
        notice = self.on(TODAY, notice.with_user(self.clerk))
        before = notice.read(['state', 'postal_state', 'date', 'deadline', 'posted_on', 'sent_on', 'receipt_date'])
        answer = notice.action_mark_posted()
        self.assertEqual(answer['params']['undo'], {'model': 'dunning.notice', 'ids': notice.ids})
        self.assertEqual((notice.state, notice.line_ids.status), ('sent', 'sent'))
        with self.assertRaisesRegex(UserError, "by who recorded it"):
            notice.with_user(self.other).action_undo()
        with self.in_a_while(notice.undo_data['at'], 61), self.assertRaisesRegex(UserError, "within a minute"):
            notice.action_undo()
        notice.action_undo()
        self.assertEqual(
            notice.read(['state', 'postal_state', 'date', 'deadline', 'posted_on', 'sent_on', 'receipt_date']), before)
        self.assertEqual(notice.line_ids.status, 'pending')
        self.assertFalse(notice.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on))
        self.assertIn("Undone by", notice.message_ids[0].body)
        with self.assertRaisesRegex(UserError, "within a minute"):
            notice.action_undo()
        notice.action_mark_posted()
        self.assertEqual(notice.state, 'sent')

    def test_not_after_interest_and_costs_were_booked(self):
        self.ladder.write({'debtor_type': 'business', 'claim_booking': 'booked'})
        self.reminder.write({'channel': 'letter', 'with_costs': True})
        self.business.write({'street': "Dam 1", 'zip': "1012 JS", 'city': "Amsterdam"})
        notice = self.make_notices(TODAY)
        self.on(TODAY, self.env['dunning.dispatcher'])._dispatch(notice)
        notice._recording().postal_state = 'printed'
        notice = self.on(TODAY, notice.with_user(self.clerk))
        notice.action_mark_posted()
        with self.assertRaisesRegex(UserError, "booked interest and costs"):
            notice.action_undo()
        self.assertEqual(notice.state, 'sent')
