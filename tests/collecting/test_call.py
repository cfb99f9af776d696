"""A call is logged once, with how it ended, and what follows from that happens by itself."""

from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days

# The day on which what was to be paid on TODAY reaches the first level.
DUE = TODAY + days(5)


class CallCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)]}
        cls.clerk = new_test_user(
            cls.env, 'clerk', groups='account.group_account_invoice', name="Kees",
            email='kees@test.example.com', **user)
        cls.colleague = new_test_user(cls.env, 'sanne', groups='account.group_account_invoice', name="Sanne", **user)
        cls.move = cls.invoice()

    def log(self, outcome, on=DUE, partner=None, user=None, **values):
        """Log a call and return the answer."""
        Call = self.on(on, self.env['dunning.call'].with_user(user or self.clerk))
        return Call.log_call({'partner_id': (partner or self.business).id, 'outcome': outcome, **values})

    def call(self, *args, **kwargs):
        return self.env['dunning.call'].browse(self.log(*args, **kwargs)['call_id'])

    def tasks(self, call):
        kinds = {'default': 'todo'}
        return [(kinds.get(activity.activity_category, activity.activity_category), activity.date_deadline,
                 activity.user_id) for activity in call.activity_ids]

    def refused(self, message, *args, **kwargs):
        """The call is refused with a sentence, and nothing was written."""
        before = self.env['dunning.call'].search_count([]), self.env['dunning.hold'].search_count([])
        with self.assertRaisesRegex(UserError, message):
            self.log(*args, **kwargs)
        self.assertEqual(
            (self.env['dunning.call'].search_count([]), self.env['dunning.hold'].search_count([])), before)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallOutcomes(CallCommon):

    def test_what_is_written_down(self):
        contact = self.make_contact(self.business, "Ann", phone="020 555 01 99", type='dunning')
        not_due = self.invoice(due=DUE + days(30))
        answer = self.log('refuses', note="Says the bread was stale", duration=95, direction='in')
        call = self.env['dunning.call'].browse(answer['call_id'])
        self.assertRecordValues(call, [{
            'partner_id': self.business.id, 'contact_id': contact.id, 'number': '+31205550199', 'direction': 'in',
            'user_id': self.clerk.id, 'duration': 95, 'note': "Says the bread was stale", 'kind': 'refuses',
            'reached': True, 'date': DUE, 'company_id': self.company.id, 'origin': 'api', 'amount_discussed': 100.0,
            'item_ids': self.items(self.move).ids}])
        self.assertNotIn(self.items(not_due), call.item_ids, "What is not due yet was not talked about")
        self.assertEqual(answer['message'], call.summary)
        self.assertEqual((answer['hold_ids'], answer['promise_id'], answer['action']), ([], False, False))
        self.assertIn("Refuses", self.move.message_ids[:1].body)
        self.assertNotIn("stale", "".join(self.move.message_ids.mapped('body')), "The note stays in the log")

    def test_without_anything_late_everything_open_is_talked_about(self):
        other = self.make_debtor("Early BV")
        moves = self.invoice(other, due=DUE + days(5)) | self.invoice(other, due=DUE + days(9))
        self.assertEqual(self.call('refuses', partner=other).item_ids, self.items(moves))

    def test_a_call_is_one_of_the_contacts_of_the_week(self):
        self.company.dunning_contacts_per_week = 2
        self.log('no_answer')
        self.log('refuses')
        self.log('call_back', direction='in', date=DUE + days(1))
        self.assertEqual(self.reason(self.move, DUE), 'due', "One call that he noticed; when he calls is up to him")
        self.log('voicemail', on=DUE + days(1))
        decision = self.decision(self.move, DUE + days(1))
        self.assertEqual((decision.reason, decision.next_date), ('contact_budget', DUE + days(7)))

    def test_a_call_of_the_ladder_is_one_contact_and_not_two(self):
        self.reminder.channel = 'phone'
        self.company.dunning_contacts_per_week = 2
        notice = self.dun(DUE)
        self.log('refuses')
        self.assertEqual(notice.state, 'sent')
        self.assertFalse(self.env['dunning.planner']._get_busy_debtors(self.company, DUE))

    def test_not_reached_asks_to_try_again(self):
        for outcome in ('no_answer', 'voicemail', 'other_person'):
            call = self.call(outcome)
            self.assertRecordValues(call, [{'reached': False, 'next_date': DUE + days(2), 'hold_ids': []}])
            self.assertEqual(self.reason(self.move, DUE), 'due', "Trying stops nothing")
        self.assertEqual((DUE + days(2)).weekday(), 0, "The next working day: a Monday")
        self.assertIn("Piet", self.call('other_person', contact_name="Piet").summary)

    def test_a_wrong_number_is_not_called_any_more(self):
        self.reminder.channel = 'phone'
        self.reminder.flush_recordset()
        answer = self.log('wrong_number')
        call = self.env['dunning.call'].browse(answer['call_id'])
        self.assertEqual(self.business.dunning_phone_wrong_on, DUE)
        self.assertEqual(self.tasks(call), [('todo', DUE, self.clerk)])
        self.assertEqual(self.business._get_dunning_phone_contact(), self.env['res.partner'])
        decision = self.decision(self.move, DUE)
        self.assertNotEqual((decision.reason or 'due', decision.channel), ('due', 'phone'), "Nobody calls that number")
        # Another number, another chance; the same one written otherwise is the same.
        self.business.phone = "020-5550100"
        self.assertEqual(self.business.dunning_phone_wrong_on, DUE)
        self.business.phone = "020-5550101"
        self.assertFalse(self.business.dunning_phone_wrong_on)
        self.assertEqual(self.decision(self.move, DUE).channel, 'phone')

    def test_a_wrong_number_of_one_contact_leaves_the_others(self):
        ann = self.make_contact(self.business, "Ann", phone="020 555 01 99", type='dunning')
        self.log('wrong_number')
        self.assertEqual((ann.dunning_phone_wrong_on, self.business.dunning_phone_wrong_on), (DUE, False))
        self.assertEqual(self.business._get_dunning_phone_contact(), self.business)
        self.assertEqual(self.call('no_answer').number, '+31205550100')
        ann.with_user(self.clerk).action_dunning_phone_works()
        self.assertFalse(ann.dunning_phone_wrong_on)

    def test_a_call_back_is_an_activity_until_the_debtor_was_reached(self):
        self.refused("Enter the day", 'call_back')
        self.refused("in the past", 'call_back', date=str(DUE - days(1)))
        call = self.call('call_back', date=str(DUE + days(3)), time='14:30')
        self.assertEqual(self.tasks(call), [('phonecall', DUE + days(3), self.clerk)])
        self.assertIn("14:30", call.activity_ids.summary)
        self.log('voicemail', DUE + days(3))
        self.assertTrue(call.activity_ids, "Not reached: it stays on the list")
        self.log('refuses', DUE + days(3), user=self.colleague)
        self.assertFalse(call.activity_ids)

    def test_says_it_was_paid(self):
        self.refused("promise to pay", 'paid_already', date=str(DUE + days(1)))
        answer = self.log('paid_already', date=str(DUE - days(1)), note="By bank")
        call = self.env['dunning.call'].browse(answer['call_id'])
        hold = self.env['dunning.hold'].browse(answer['hold_ids'])
        self.assertRecordValues(hold, [{
            'move_id': self.move.id, 'kind': 'internal', 'date_end': DUE + days(5), 'user_id': self.clerk.id}])
        self.assertEqual(self.tasks(call), [('todo', DUE + days(2), self.clerk)])
        self.assertEqual(self.reason(self.move, DUE), 'hold')

    def test_a_copy_is_mailed_and_reminders_wait(self):
        ann = self.make_contact(self.business, "Ann", email='ann@debtor.example.com', phone="020 555 01 99")
        before = self.env['mail.mail'].search([])
        answer = self.log('copy_wanted', contact_id=ann.id)
        mail = self.env['mail.mail'].search([]) - before
        self.assertEqual(mail.recipient_ids, ann)
        self.assertTrue(mail.attachment_ids, "With the invoice")
        self.assertEqual(self.env['dunning.hold'].browse(answer['hold_ids']).kind, 'invoice_copy')
        self.assertIn("ann@debtor.example.com", answer['message'])

    def test_a_copy_without_an_email_address_is_a_task(self):
        self.business.email = False
        before = self.env['mail.mail'].search_count([])
        call = self.call('copy_wanted')
        self.assertEqual(self.env['mail.mail'].search_count([]), before)
        self.assertEqual(self.tasks(call), [('todo', DUE, self.clerk)])
        self.assertIn(self.move.name, call.activity_ids.note)

    def test_waits_for_approval_until_the_day_he_said(self):
        answer = self.log('awaiting_approval', date=str(DUE + days(10)), contact_name="Mr Smit")
        self.assertEqual(self.env['dunning.hold'].browse(answer['hold_ids']).date_end, DUE + days(10))
        self.assertEqual(self.env['dunning.call'].browse(answer['call_id']).next_date, DUE + days(10))
        self.refused("at most", 'awaiting_approval', date=str(DUE + days(300)))

    def test_a_dispute_of_a_part_and_of_the_whole(self):
        answer = self.log('disputed', category='quality', part_amount=40.0)
        hold = self.env['dunning.hold'].browse(answer['hold_ids'])
        self.assertRecordValues(hold, [{
            'move_id': self.move.id, 'amount': 40.0, 'dispute_category': 'quality', 'kind': 'dispute'}])
        self.assertEqual(self.decision(self.move, DUE).amount_due, 60.0)
        other = self.invoice(amount=50.0)
        self.refused("one invoice", 'disputed', part_amount=10.0)
        answer = self.log('disputed', item_ids=self.items(other).ids)
        self.assertEqual(self.env['dunning.hold'].browse(answer['hold_ids']).move_id, other)
        self.assertEqual(self.reason(other, DUE), 'hold')
        self.refused("open", 'disputed', item_ids=self.items(other).ids, part_amount=900.0)

    def test_what_waits_to_be_sent_about_a_disputed_invoice_is_taken_back(self):
        notice = self.make_notices(DUE)
        self.log('disputed')
        self.assertEqual(notice.state, 'cancelled')

    def test_an_instalment_is_held_alone(self):
        move = self.invoice(instalments=[(50, TODAY), (50, TODAY + days(1))], amount=200.0)
        first, second = self.items(move)
        hold = self.env['dunning.hold'].browse(self.log('disputed', item_ids=second.ids)['hold_ids'])
        self.assertRecordValues(hold, [{'scope': 'item', 'move_line_id': second.id}])
        self.assertEqual(self.reason(first, DUE), 'due')

    def test_who_cannot_pay_gets_time_and_somebody_makes_an_arrangement(self):
        for outcome in ('hardship', 'arrangement'):
            move = self.invoice(self.make_debtor(f"{outcome} BV"))
            answer = self.log(outcome, partner=move.partner_id)
            call = self.env['dunning.call'].browse(answer['call_id'])
            self.assertRecordValues(self.env['dunning.hold'].browse(answer['hold_ids']), [{
                'kind': 'arrangement', 'date_end': DUE + days(14), 'move_id': move.id}])
            self.assertEqual(self.tasks(call), [('todo', DUE + days(2), self.clerk)])
            self.assertEqual(answer['action']['res_model'], 'dunning.arrangement.make')
            self.assertEqual(answer['action']['context']['default_call_id'], call.id)

    def test_a_promise_holds_what_was_promised(self):
        self.refused("day", 'promise')
        self.refused("past", 'promise', date=str(DUE - days(1)))
        other = self.invoice(due=TODAY + days(1), amount=50.0)
        for values, amount, items in (
            ({'item_ids': self.items(self.move).ids}, 100.0, self.items(self.move)),
            ({'amount': 30.0, 'item_ids': self.items(other).ids}, 30.0, self.items(other)),
        ):
            answer = self.log('promise', date=str(DUE + days(7)), **values)
            promise = self.env['dunning.promise'].browse(answer['promise_id'])
            self.assertRecordValues(promise, [{
                'amount': amount, 'date_promised': DUE + days(7), 'user_id': self.clerk.id, 'item_ids': items.ids}])
            call = self.env['dunning.call'].browse(answer['call_id'])
            self.assertRecordValues(call, [{
                'promise_id': promise.id, 'next_date': promise.grace_date, 'hold_ids': promise.hold_ids.ids}])
            self.assertEqual(answer['hold_ids'], promise.hold_ids.ids)
            self.assertIn(str(int(amount)), answer['message'])
        self.refused("open", 'promise', date=str(DUE + days(7)), amount=1000.0)

    def test_every_kind_has_its_method_and_ships_in_dutch_and_english(self):
        kinds = [kind for kind, _label in self.env['dunning.call.outcome']._fields['kind'].selection]
        for kind in kinds:
            self.assertTrue(callable(getattr(self.env['dunning.call'], f'_apply_{kind}')), kind)
            outcome = self.env.ref(f'l10n_nl_dunning.call_outcome_{kind}')
            self.assertEqual(outcome.kind, kind)
            self.assertTrue(outcome.shortcut)
        outcome = self.env.ref('l10n_nl_dunning.call_outcome_no_answer')
        self.assertEqual(outcome.with_context(lang='nl_NL').name, "Geen gehoor")
        self.assertEqual(outcome.with_context(lang='en_US').name, "No answer")

    def test_outcomes_of_the_company(self):
        outcome = self.env.ref('l10n_nl_dunning.call_outcome_no_answer')
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env['dunning.call.outcome'].create({'name': "Busy", 'shortcut': outcome.shortcut.upper()})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            outcome.reached = True
        self.log('no_answer')
        with self.assertRaisesRegex(UserError, "Archive"):
            outcome.unlink()
        mine = self.env['dunning.call.outcome'].create({'name': "Busy", 'kind': 'no_answer'})
        self.assertFalse(mine.reached)
        self.assertEqual(self.call(mine.id).outcome_id, mine)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallRung(CallCommon):
    """The telephone as a rung of the ladder."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reminder.channel = 'phone'
        cls.notice = cls.dun(DUE)

    def test_reached_the_call_counts_as_made(self):
        self.assertEqual((self.notice.state, self.notice.channel), ('todo', 'phone'))
        answer = self.log('refuses', DUE + days(1))
        self.assertEqual(answer['notice_ids'], self.notice.ids)
        self.assertRecordValues(self.notice, [{
            'state': 'sent', 'date': DUE + days(1), 'deadline': DUE + days(11), 'activity_ids': []}])
        self.assertEqual(self.move.dunning_level_id, self.reminder)
        self.assertIn("Reminder", answer['message'])

    def test_a_dispute_in_the_call_of_the_ladder_is_a_call_made(self):
        self.log('disputed', DUE + days(1))
        self.assertEqual(self.notice.state, 'sent', "Not taken off the list by the hold it led to")
        self.assertEqual(self.reason(self.move, DUE + days(1)), 'hold')

    def test_a_promise_in_the_call_of_the_ladder(self):
        answer = self.log('promise', DUE + days(1), date=str(DUE + days(15)))
        self.assertEqual(answer['notice_ids'], self.notice.ids)
        self.assertRecordValues(self.notice, [{
            'state': 'sent', 'date': DUE + days(1), 'promised_date': DUE + days(15)}])
        self.assertEqual(self.reason(self.move, DUE + days(15)), 'hold')

    def test_not_reached_three_times_the_next_level_follows(self):
        for number, outcome in enumerate(('no_answer', 'voicemail'), 1):
            self.assertEqual(self.log(outcome, DUE + days(number))['notice_ids'], [])
            self.assertEqual((self.notice.state, self.notice.call_tries), ('todo', number))
        self.log('call_back', DUE + days(2), date=str(DUE + days(3)))
        self.assertEqual(self.notice.call_tries, 2, "Asked for another moment: no try in vain")
        answer = self.log('other_person', DUE + days(3))
        self.assertEqual(answer['notice_ids'], self.notice.ids)
        self.assertEqual(self.notice.state, 'skipped')
        self.assertFalse(self.move.dunning_level_id, "He heard nothing")
        self.assertEqual(self.dun(DUE + days(7)).level_id, self.demand)

    def test_other_numbers_of_tries(self):
        self.reminder.phone_tries = 1
        self.log('no_answer')
        self.assertEqual(self.notice.state, 'skipped')
        self.reminder.phone_tries = 0
        other = self.invoice(self.make_debtor("Other BV"))
        notice = self.dun(DUE)
        for _try in range(5):
            self.log('no_answer', partner=other.partner_id)
        self.assertEqual(notice.state, 'todo')

    def test_a_wrong_number_without_another_one_ends_the_rung(self):
        ann = self.make_contact(self.business, "Ann", phone="020 555 01 99")
        self.log('wrong_number', contact_id=self.business.id)
        self.assertEqual(self.notice.state, 'todo', "Ann can be called")
        self.log('wrong_number', contact_id=ann.id)
        self.assertEqual(self.notice.state, 'skipped')

    def test_a_call_back_moves_the_call_of_the_ladder(self):
        self.dispatch_activity = self.notice.activity_schedule(
            'mail.mail_activity_data_call', date_deadline=DUE, user_id=self.colleague.id, automated=True)
        call = self.call('call_back', date=str(DUE + days(4)), time='9:30')
        self.assertFalse(call.activity_ids, "One activity, not two")
        self.assertEqual(self.dispatch_activity.date_deadline, DUE + days(4))
        self.assertIn("09:30", self.dispatch_activity.summary)

    def test_the_activity_of_the_rung_is_taken_into_the_log(self):
        activity = self.notice.activity_schedule(
            'mail.mail_activity_data_call', date_deadline=DUE, user_id=self.clerk.id, automated=True)
        action = self.on(DUE, activity.with_user(self.clerk)).action_dunning_log_call()
        wizard = self.on(DUE, self.env['dunning.call.enter'].with_user(self.clerk)).browse(action['res_id'])
        wizard.outcome_id = self.env.ref('l10n_nl_dunning.call_outcome_refuses')
        wizard.action_log()
        self.assertEqual(self.notice.state, 'sent')
        self.assertFalse(activity.exists())

    def test_a_call_about_something_else_leaves_the_rung(self):
        other = self.invoice(due=TODAY + days(1), amount=70.0)
        self.log('refuses', DUE, item_ids=self.items(other).ids)
        self.assertEqual(self.notice.state, 'todo')

    def test_the_form_of_the_notice_logs_instead_of_a_bare_done(self):
        action = self.on(DUE + days(1), self.notice.with_user(self.clerk)).action_log_call()
        wizard = self.on(DUE + days(1), self.env['dunning.call.enter'].with_user(self.clerk)).browse(action['res_id'])
        self.assertEqual((wizard.partner_id, wizard.item_ids), (self.business, self.items(self.move)))
        with Form(wizard) as form:
            form.outcome_id = self.env.ref('l10n_nl_dunning.call_outcome_refuses')
            form.note = "Never"
        wizard.action_log()
        self.assertEqual(self.notice.state, 'sent')
        self.assertRecordValues(self.notice.call_ids, [{'origin': 'notice', 'note': "Never", 'user_id': self.clerk.id}])
        with self.assertRaises(UserError):
            self.notice.action_log_call()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCallForm(CallCommon):

    def wizard(self, records, on=DUE):
        records = self.on(on, records.with_user(self.clerk))
        action = records.action_dunning_log_call() if records._name == 'mail.activity' else (
            records.action_dunning_call())
        return self.on(on, self.env['dunning.call.enter'].with_user(self.clerk)).browse(action['res_id'])

    def test_from_an_invoice_a_contact_and_a_debtor(self):
        other = self.invoice(due=TODAY + days(2))
        ann = self.make_contact(self.business, "Ann", phone="020 555 01 99")
        nobody = self.env['res.partner']
        for record, items, contact in (
            (self.move, self.items(self.move), nobody),
            (self.business, self.items(self.move | other), nobody),
            (ann, self.items(self.move | other), ann),
        ):
            wizard = self.wizard(record)
            self.assertEqual((wizard.partner_id, wizard.item_ids, wizard.contact_id), (self.business, items, contact))
        with self.assertRaisesRegex(UserError, "one debtor"):
            self.wizard(self.move | self.invoice(self.make_debtor("Other BV")))

    def test_what_is_asked_follows_from_the_outcome(self):
        wizard = self.wizard(self.move)
        with Form(wizard) as form:
            form.outcome_id = self.env.ref('l10n_nl_dunning.call_outcome_disputed')
            self.assertTrue(form.asks_category)
            form.category = 'price'
            form.part_amount = 25.0
            form.note = "Agreed on 75"
        wizard.action_log()
        call = self.env['dunning.call'].search([('partner_id', '=', self.business.id)])
        self.assertRecordValues(call, [{'origin': 'form', 'number': '+31205550100', 'note': "Agreed on 75"}])
        self.assertRecordValues(call.hold_ids, [{'amount': 25.0, 'dispute_category': 'price'}])
        self.assertEqual((self.business.dunning_call_count, self.move.dunning_call_count), (1, 1))
        self.assertEqual(self.env['dunning.call'].search(self.move.action_dunning_calls()['domain']), call)
        self.assertEqual(self.env['dunning.call'].search(self.business.action_dunning_calls()['domain']), call)

    def test_an_activity_done_elsewhere_is_taken_into_the_log_once(self):
        for record in (self.business, self.move):
            activity = record.activity_schedule(
                'mail.mail_activity_data_call', date_deadline=DUE, user_id=self.clerk.id)
            wizard = self.wizard(activity)
            wizard.outcome_id = self.env.ref('l10n_nl_dunning.call_outcome_voicemail')
            wizard.action_log()
            self.assertFalse(activity.active, "Done by it")
            call = self.env['dunning.call'].search([('activity_source_id', '=', activity.id)])
            self.assertRecordValues(call, [{'origin': 'activity', 'partner_id': self.business.id}])
            self.refused("already", 'no_answer', activity_id=activity.id)
        done = self.business.activity_schedule('mail.mail_activity_data_call', date_deadline=DUE)
        done.action_feedback(feedback="Left a message")
        wizard = self.wizard(done)
        self.assertEqual(wizard.note, "Left a message")
        self.assertEqual(wizard.date_start.date(), done.date_done)

    def test_what_is_cleaned_names_nobody_and_still_answers(self):
        answer = self.log('other_person', contact_name="Piet", external_id='old', note="x")
        call = self.env['dunning.call'].browse(answer['call_id'])
        Retention = self.env['dunning.retention']
        Retention._clean_records(Retention._get_kinds(self.company)['call'], call)
        left = str(call.read(['note', 'number', 'contact_name', 'summary', 'answer', 'next_step']))
        self.assertNotIn("Piet", left)
        self.assertNotIn("+31", left)
        self.assertEqual(self.log('other_person', external_id='old')['call_id'], call.id)

    def test_history_stays_as_it_was(self):
        call = self.call('refuses', note="x")
        call.with_user(self.clerk).note = "Corrected"
        with self.assertRaisesRegex(UserError, "Only who made the call"):
            call.with_user(self.colleague).note = "Mine"
        for values in ({'outcome_id': 1}, {'date': DUE}, {'reached': False}, {'user_id': self.colleague.id}):
            with self.assertRaisesRegex(UserError, "history"):
                call.with_user(self.clerk).write(values)
        with self.assertRaises(AccessError):
            call.with_user(self.clerk).unlink()
        with self.assertRaises(UserError):
            call.unlink()
        with self.assertRaises(UserError):
            call.copy()
        with self.assertRaisesRegex(UserError, "Log a call"):
            self.env['dunning.call'].with_user(self.clerk).create({'partner_id': self.business.id})
        with self.assertRaisesRegex(UserError, "Log a call"):
            self.env['dunning.call'].with_context(dunning_recording=True).create({'partner_id': self.business.id})

    def test_a_date_in_the_browser_does_not_date_a_call(self):
        call = self.env['dunning.call'].with_context(dunning_at_date='2020-01-01')
        answer = call.log_call({'partner_id': self.business.id, 'outcome': 'no_answer'})
        self.assertEqual(call.browse(answer['call_id']).date, self.company._dunning_today())
        self.assertNotEqual(self.company._dunning_today() - timedelta(0), TODAY)
