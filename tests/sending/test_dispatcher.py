"""The dispatcher: recheck, render, deliver, record. Only then the level rises."""

import base64
import hashlib
from unittest.mock import patch

from markupsafe import Markup

from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ...models.kernel.dunning_bulk import log_on
from ..common import TODAY, DunningCommon, days, letter_bytes

DUE = TODAY + days(5)
QUIET = 'odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRecheck(DunningCommon):
    """Nothing wrong leaves: what changed since the proposal counts."""

    def propose(self, amounts=(100.0,), partner=None):
        invoices = self.env['account.move'].browse(
            [self.invoice(partner, amount=amount).id for amount in amounts])
        return self.make_notices(DUE), invoices

    def assertCancelled(self, notice, text):
        self.send(notice, DUE)
        self.assertEqual(notice.state, 'cancelled')
        self.assertIn(text, notice.cancel_reason)
        self.assertFalse(notice.mail_id)
        self.assertFalse(notice.letter_file)
        self.assertFalse(notice.line_ids.move_id.dunning_level_id)

    def test_paid_in_the_meantime_does_not_leave(self):
        notice, invoice = self.propose()
        self.pay(invoice)
        self.assertCancelled(notice, "paid or credited")

    def test_credited_in_the_meantime_does_not_leave(self):
        notice, invoice = self.propose()
        (self.items(invoice) | self.items(self.credit_note())).reconcile()
        self.assertCancelled(notice, "paid or credited")

    def test_covered_by_an_open_credit_in_the_meantime_does_not_leave(self):
        notice, _invoice = self.propose()
        self.receive(amount=100)
        self.assertCancelled(notice, "Covered by open credit")

    def test_disputed_in_the_meantime_does_not_leave(self):
        notice, invoice = self.propose()
        invoice.payment_state = 'blocked'
        self.assertCancelled(notice, "blocked")

    def test_marked_no_followup_in_the_meantime_does_not_leave(self):
        notice, invoice = self.propose()
        self.items(invoice).no_followup = True
        self.assertCancelled(notice, "No Follow-Up")

    def test_reset_to_draft_in_the_meantime_does_not_leave(self):
        notice, invoice = self.propose()
        invoice.button_draft()
        self.assertCancelled(notice, "draft")

    def test_a_due_date_moved_to_the_future_does_not_leave(self):
        notice, invoice = self.propose()
        self.items(invoice).date_maturity = DUE + days(1)
        self.assertCancelled(notice, "Not due yet")

    def test_below_the_minimum_in_the_meantime_does_not_leave(self):
        self.ladder.minimum_amount = 50
        notice, invoice = self.propose()
        self.pay(invoice, 60)
        self.assertCancelled(notice, "below the minimum")

    def test_an_invoice_that_went_to_another_debtor_is_not_asked_of_the_first(self):
        notice, invoice = self.propose()
        invoice.button_draft()
        invoice.partner_id = self.make_debtor("Other BV")
        invoice.action_post()
        self.assertEqual(self.items(invoice).id, notice.line_ids.move_line_id.id)
        self.assertCancelled(notice, "another debtor")

    def test_partly_paid_leaves_for_the_rest(self):
        notice, invoice = self.propose()
        self.pay(invoice, 30)
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_residual': 70.0, 'amount_due': 70.0}])
        self.assertRecordValues(notice.line_ids, [{'amount_original': 100.0, 'amount_paid': 30.0}])
        self.assertIn("70", notice.body_intro)

    def test_a_smaller_credit_is_taken_off(self):
        notice, _invoice = self.propose()
        self.receive(amount=25)
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{
            'state': 'sent', 'amount_residual': 100.0, 'amount_netted': 25.0, 'amount_due': 75.0,
            'amount_due_company': 75.0}])

    def test_a_payment_undone_in_the_meantime_leaves_for_all(self):
        invoice = self.invoice()
        payment = self.pay(invoice, 30)
        notice = self.make_notices(DUE)
        self.assertEqual(notice.amount_due, 70.0)
        self.unpay(invoice)
        payment.move_id.button_draft()
        self.send(notice, DUE)
        self.assertEqual(notice.amount_due, 100.0)

    def test_what_was_paid_is_taken_off_and_the_rest_leaves(self):
        notice, invoices = self.propose((100.0, 50.0, 25.0))
        self.pay(invoices[1])
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_due': 125.0, 'line_count': 2}])
        dropped = notice.line_ids.filtered('drop_reason')
        self.assertRecordValues(dropped, [{
            'move_id': invoices[1].id, 'status': 'dropped', 'drop_reason': 'settled'}])
        self.assertIn("paid", dropped.drop_text)
        self.assertFalse(invoices[1].dunning_level_id)
        self.assertEqual((invoices - invoices[1]).dunning_level_id, self.reminder)

    def test_what_was_taken_off_can_be_reminded_again(self):
        notice, invoices = self.propose((100.0, 50.0))
        self.items(invoices[1]).no_followup = True
        self.send(notice, DUE)
        self.items(invoices[1]).no_followup = False
        self.assertEqual(self.reason(invoices[1], DUE), 'one_message')
        self.assertEqual(self.reason(invoices[1], DUE + days(1)), 'due')
        self.assertEqual(self.dun(DUE + days(1)).level_id, self.reminder)

    def test_the_daily_plan_keeps_proposals_true(self):
        notice, invoices = self.propose((100.0, 50.0))
        self.pay(invoices[0], 40)
        self.make_notices(DUE + days(1))
        self.assertRecordValues(notice, [{'state': 'draft', 'amount_due': 110.0}])
        self.pay(invoices)
        self.make_notices(DUE + days(2))
        self.assertEqual(notice.state, 'cancelled')

    def test_sending_on_a_later_day_gives_the_term_from_that_day(self):
        notice, _invoice = self.propose()
        self.send(notice, DUE + days(3))
        self.assertRecordValues(notice, [{
            'date_planned': DUE, 'date': DUE + days(3), 'deadline': DUE + days(13)}])

    def test_ahead_of_time_means_ahead_but_never_what_is_not_owed(self):
        invoice = self.invoice()
        at_date = TODAY + days(1)
        planner = self.env['dunning.planner']
        overridable = self.env['dunning.planner']._get_reason_codes(overridable=True)
        decisions = planner._plan(self.company, at_date, items=self.items(invoice), ignore=overridable)
        make = self.on(at_date, self.env['dunning.notice'])._create_from_decisions
        notice = make(self.company, decisions, at_date, origin='manual', state='queued', forced=True)
        self.send(notice, at_date)
        self.assertRecordValues(notice, [{'state': 'sent', 'forced': True, 'level_id': self.reminder.id}])
        # The term it promised is kept, whoever is in a hurry; the days of grace after it are not.
        last_day = notice.deadline
        [decision] = planner._plan(self.company, last_day, items=self.items(invoice), ignore=overridable)
        self.assertEqual((decision.reason, decision.next_date), ('waiting_deadline', last_day + days(1)))
        at_date = last_day + days(1)
        self.assertEqual(self.reason(invoice, at_date), 'waiting_deadline')
        make = self.on(at_date, self.env['dunning.notice'])._create_from_decisions
        # The next one, also ahead of time, is paid before it leaves.
        decisions = planner._plan(self.company, at_date, items=self.items(invoice), ignore=overridable)
        second = make(self.company, decisions, at_date, origin='manual', state='queued', forced=True)
        self.assertEqual(second.level_id, self.demand)
        self.pay(invoice)
        self.send(second, at_date)
        self.assertEqual(second.state, 'cancelled')

    def test_a_forced_notice_may_be_below_the_minimum(self):
        self.ladder.minimum_amount = 500
        invoice = self.invoice()
        overridable = self.env['dunning.planner']._get_reason_codes(overridable=True)
        decisions = self.env['dunning.planner']._plan(
            self.company, DUE, items=self.items(invoice), ignore=overridable)
        notice = self.on(DUE, self.env['dunning.notice'])._create_from_decisions(
            self.company, decisions, DUE, origin='manual', state='queued', forced=True)
        self.send(notice, DUE)
        self.assertEqual(notice.state, 'sent')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFailure(DunningCommon):
    """Nothing lost: a notice is either still to do or done."""

    def three(self):
        partners = [self.make_debtor(f"{name} BV") for name in ("Ann", "Broken", "Carl")]
        for partner in partners:
            self.invoice(partner)
        notices = self.make_notices(DUE)
        broken = notices.filtered(lambda notice: notice.partner_id == partners[1])
        return notices, broken

    def break_letters_of(self, broken, error):
        original = self.registry['dunning.letter']._render_texts

        def fail(letter, notices, *args, **kwargs):
            if broken.id in notices.ids:
                raise error
            return original(letter, notices, *args, **kwargs)

        return patch.object(self.registry['dunning.letter'], '_render_texts', fail)

    def test_one_that_fails_tells_why_and_does_not_stop_the_others(self):
        notices, broken = self.three()
        with self.break_letters_of(broken, UserError("The paper is empty.")):
            self.send(notices, DUE)
        self.assertRecordValues(broken, [{
            'state': 'error', 'error_message': "The paper is empty.", 'date': False, 'letter_file': False,
            'mail_id': False}])
        self.assertEqual(set((notices - broken).mapped('state')), {'sent'})
        self.assertFalse(broken.line_ids.move_id.dunning_level_id)

    def test_a_technical_error_is_said_in_words(self):
        notices, broken = self.three()
        with self.break_letters_of(broken, ZeroDivisionError("x")), mute_logger(QUIET):
            self.send(notices, DUE)
        self.assertIn("administrator", broken.error_message)
        self.assertNotIn("Traceback", broken.error_message)

    def test_failed_is_still_to_do_and_can_be_tried_again(self):
        notices, broken = self.three()
        with self.break_letters_of(broken, UserError("x")):
            self.send(notices, DUE)
        # Not planned a second time while it waits.
        self.assertEqual(self.reason(broken.line_ids.move_id, DUE), 'pending')
        self.on(DUE, broken).action_retry()
        self.assertRecordValues(broken, [{'state': 'queued', 'error_message': False}])
        self.send(broken, DUE)
        self.assertEqual(broken.state, 'sent')
        self.assertEqual(len(broken.mail_message_id), 1)

    def test_failing_after_the_mail_was_made_takes_the_mail_back(self):
        notices, broken = self.three()
        original = self.registry['dunning.dispatcher']._deliver

        sentence = "Too late"

        def fail(records, dispatch):
            original(records, dispatch)
            if broken in dispatch.notices:
                raise UserError(sentence)

        before = self.env['mail.mail'].sudo().search_count([])
        with patch.object(self.registry['dunning.dispatcher'], '_deliver', fail):
            self.send(notices, DUE)
        self.assertEqual(self.env['mail.mail'].sudo().search_count([]), before + 2)
        self.assertEqual((broken.state, broken.mail_id.id, broken.letter_file), ('error', False, False))

    def test_no_address_for_the_channel_of_the_notice_fails_in_words_and_is_tried_again(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.business.write({'email': False, 'street': False})
        for channel, words in (('email', "e-mail"), ('letter', "postal"), ('both', "neither")):
            notice.channel = channel
            self.send(notice, DUE)
            self.assertEqual(notice.state, 'error')
            self.assertIn(words, notice.error_message)
        self.business.email = 'back@debtor.example.com'
        self.send(notice, DUE)
        self.assertEqual(notice.state, 'sent')

    def test_the_channel_chosen_by_a_person_is_the_one_that_counts(self):
        """No e-mail address, but the user chose a letter."""
        self.invoice()
        notice = self.make_notices(DUE)
        self.business.email = False
        notice.channel = 'letter'
        self.send(notice, DUE)
        self.assertEqual(notice.state, 'to_post')

    def test_sending_twice_sends_once(self):
        self.invoice()
        notice = self.dun(DUE)
        mail = notice.mail_message_id
        for _attempt in range(2):
            self.on(DUE, notice).action_send_now()
            self.on(DUE, notice).action_approve()
        self.assertEqual(notice.mail_message_id, mail)
        self.assertEqual(self.env['mail.message'].search_count([
            ('model', '=', 'dunning.notice'), ('res_id', '=', notice.id), ('message_type', '=', 'comment')]), 1)

    def test_queueing_while_the_scheduled_action_sleeps_is_refused(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').sudo().active = False
        with self.assertRaises(RedirectWarning), self.env.cr.savepoint():
            notice.action_approve()
        user = new_test_user(
            self.env, 'clerk', groups='account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        with self.assertRaises(UserError), self.env.cr.savepoint():
            notice.with_user(user).action_approve()
        self.assertEqual(notice.state, 'draft')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestChannels(DunningCommon):

    def send_by(self, channel, **level):
        self.reminder.write({'channel': channel, **level})
        invoice = self.invoice()
        return self.dun(DUE), invoice

    def test_email_leaves_through_the_mail_queue_with_the_letter(self):
        notice, invoice = self.send_by('email')
        self.assertRecordValues(notice, [{
            'state': 'sent', 'date': DUE, 'deadline': DUE + days(10), 'postal_state': False,
            'email_to': self.business.email_formatted}])
        mail = notice.mail_id.sudo()
        self.assertEqual(mail.state, 'sent')
        self.assertEqual(mail.attachment_ids.raw, letter_bytes(notice))
        self.assertEqual(mail.attachment_ids.name, notice.letter_filename)
        self.assertEqual(mail.email_to, self.business.email_formatted)
        self.assertEqual(notice.letter_sha256, hashlib.sha256(letter_bytes(notice)).hexdigest())
        self.assertEqual(base64.b64decode(notice.letter_file), letter_bytes(notice))
        self.assertEqual(invoice.dunning_level_id, self.reminder)

    def test_in_one_batch_each_mail_has_the_letter_of_its_own_notice(self):
        self.reminder.channel = 'both'
        on_paper = self.make_debtor("Paper BV", email=False)
        for debtor in (self.business, on_paper, self.make_debtor("Other BV")):
            self.invoice(debtor)
        notices = self.on(DUE, self.make_notices(DUE))
        notices._queue()
        notices.env['dunning.dispatcher']._dispatch(notices)
        notices.invalidate_recordset()
        self.assertEqual(len(notices), 3)
        self.assertEqual((notices - notices.filtered('mail_id')).partner_id, on_paper)
        for notice in notices:
            self.assertEqual(base64.b64decode(notice.letter_file), letter_bytes(notice))
            self.assertEqual(notice.letter_sha256, hashlib.sha256(letter_bytes(notice)).hexdigest())
        for notice in notices.filtered('mail_id'):
            letter = notice.mail_id.sudo().attachment_ids
            self.assertEqual((letter.res_id, letter.raw), (notice.id, letter_bytes(notice)))

    def test_the_mail_of_a_contact_without_address_goes_to_the_debtor(self):
        contact = self.make_contact(self.business, "Ann")
        self.invoice(contact)
        notice = self.dun(DUE)
        self.assertEqual((notice.recipient_id, notice.email_to), (contact, self.business.email_formatted))

    def test_invoices_are_attached_where_the_level_wants_it(self):
        self.reminder.attach_invoices = True
        pdf = b'%PDF-1.4 invoice'
        with patch.object(
            self.registry['account.move'], '_get_invoice_legal_documents',
            lambda move, *args, **kwargs: {'filename': f"{move.name.replace('/', '_')}.pdf", 'content': pdf},
        ):
            invoices = self.invoice() + self.invoice(due=TODAY - days(1))
            notice = self.dun(DUE)
        attachments = notice.mail_id.sudo().attachment_ids
        self.assertEqual(len(attachments), 3)
        self.assertEqual(
            set(attachments.mapped('name')),
            {notice.letter_filename, *(f"{invoice.name.replace('/', '_')}.pdf" for invoice in invoices)})

    def test_a_letter_raises_the_level_when_it_is_posted_not_before(self):
        notice, invoice = self.send_by('letter')  # on a Saturday: it is there on Thursday, as what is posted on Monday
        self.assertRecordValues(notice, [{
            'state': 'to_post', 'postal_state': 'to_print', 'date': DUE, 'deadline': DUE + days(15),
            'mail_id': False, 'sent_on': False}])
        self.assertTrue(notice.letter_file)
        self.assertFalse(invoice.dunning_level_id)
        self.assertEqual(self.reason(invoice, DUE + days(30)), 'pending')
        with self.assertRaises(UserError):
            notice.action_mark_posted()
        self.post_letters(notice, DUE + days(1))
        self.assertRecordValues(notice, [{
            'state': 'sent', 'postal_state': 'posted', 'posted_on': DUE + days(1), 'posted_by_id': self.env.uid,
            'date': DUE, 'deadline': DUE + days(15)}])
        self.assertEqual(invoice.dunning_level_id, self.reminder)

    def test_a_letter_that_is_posted_late_is_made_again_with_its_whole_term(self):
        notice, invoice = self.send_by('letter')
        self.post_letters(notice, DUE + days(3))
        self.assertRecordValues(notice, [{'state': 'queued', 'postal_state': False, 'posted_on': False}])
        self.assertFalse(invoice.dunning_level_id, "It did not leave")
        self.post_letters(self.send(notice, DUE + days(3)), DUE + days(3))
        self.assertRecordValues(notice, [{
            'state': 'sent', 'date': DUE + days(3), 'deadline': DUE + days(16)}])

    def test_a_letter_is_posted_once(self):
        notice, _invoice = self.send_by('letter')
        self.post_letters(notice, DUE)
        with self.assertRaises(UserError):
            self.post_letters(notice, DUE + days(1))
        self.assertEqual(notice.posted_on, DUE)

    def test_a_cancelled_letter_is_not_posted(self):
        notice, _invoice = self.send_by('letter')
        notice._recording().write({'postal_state': 'printed'})
        notice.action_cancel()
        with self.assertRaises(UserError):
            notice.action_mark_posted()
        self.assertEqual(notice.state, 'cancelled')

    def test_a_letter_paid_before_it_was_printed_leaves_the_pile(self):
        notice, invoice = self.send_by('letter')
        self.pay(invoice)
        self.make_notices(DUE + days(1))
        self.assertEqual(notice.state, 'cancelled')

    def test_a_letter_partly_paid_before_it_was_printed_is_made_again(self):
        notice, invoice = self.send_by('letter')
        self.pay(invoice, 40)
        self.make_notices(DUE + days(1))
        self.assertEqual(notice.state, 'queued')
        self.send(notice, DUE + days(1))
        self.assertRecordValues(notice, [{
            'state': 'to_post', 'postal_state': 'to_print', 'amount_due': 60.0, 'date': DUE + days(1)}])
        self.assertIn("60", notice.body_intro)

    def test_both_mails_at_once_and_waits_for_the_post(self):
        notice, invoice = self.send_by('both')
        self.assertRecordValues(notice, [{'state': 'sent', 'postal_state': 'to_print'}])
        self.assertTrue(notice.mail_id)
        self.assertEqual(invoice.dunning_level_id, self.reminder)
        self.post_letters(notice, DUE + days(1))
        self.assertRecordValues(notice, [{'state': 'sent', 'postal_state': 'posted', 'date': DUE}])

    def test_both_without_an_email_address_is_a_letter_and_without_a_street_an_email(self):
        self.business.email = False
        notice, _invoice = self.send_by('both')
        self.assertRecordValues(notice, [{'state': 'to_post', 'postal_state': 'to_print', 'mail_id': False}])
        other = self.make_debtor("Other BV", street=False)
        self.invoice(other)
        notice = self.dun(DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'postal_state': False}])

    def test_a_call_waits_for_a_person_and_raises_the_level_when_made(self):
        notice, invoice = self.send_by('phone')
        self.assertRecordValues(notice, [{'state': 'todo', 'letter_file': False, 'mail_id': False}])
        self.assertEqual(notice.activity_ids.activity_type_id, self.env.ref('mail.mail_activity_data_call'))
        self.assertFalse(invoice.dunning_level_id)
        self.assertEqual(self.reason(invoice, DUE + days(60)), 'pending')
        self.called(notice, DUE + days(3))
        # The term counts from the call, not from the day it was handed out.
        self.assertRecordValues(notice, [{
            'state': 'sent', 'date': DUE + days(3), 'deadline': DUE + days(13), 'activity_ids': []}])
        self.assertEqual(invoice.dunning_level_id, self.reminder)

    def test_the_next_level_waits_for_the_date_promised_in_the_call(self):
        notice, invoice = self.send_by('phone')
        self.demand.write({'delay_from': 'previous_deadline', 'delay_days': 4})
        with self.assertRaises(UserError):
            notice.promised_date = DUE + days(20)  # a promise is logged with the call
        call = {'partner_id': self.business.id, 'outcome': 'promise'}
        Call = self.on(DUE + days(3), self.env['dunning.call'])
        with self.assertRaises(UserError):
            Call.log_call({**call, 'date': str(DUE)})
        promise = self.env['dunning.promise'].browse(
            Call.log_call({**call, 'date': str(DUE + days(20))})['promise_id'])
        self.assertRecordValues(notice, [{
            'state': 'sent', 'date': DUE + days(3), 'deadline': DUE + days(13), 'promised_date': DUE + days(20)}])
        self.assertEqual(self.reason(invoice, DUE + days(17)), 'hold')
        self.assertGreaterEqual(promise.grace_date, DUE + days(20))
        self.assertEqual(self.reason(invoice, promise.grace_date), 'hold')
        self.assertEqual(self.reason(invoice, promise.grace_date + days(1)), 'hold_ended')
        self.assertEqual(self.reason(invoice, promise.grace_date + days(10)), 'due')

    def test_an_internal_task_is_a_todo(self):
        notice, _invoice = self.send_by('task')
        self.assertEqual(notice.activity_ids.activity_type_id, self.env.ref('mail.mail_activity_data_todo'))
        self.called(notice, DUE)
        self.assertEqual(notice.state, 'sent')

    def test_a_call_passed_over_lets_the_ladder_go_on_without_raising_the_level(self):
        notice, invoice = self.send_by('phone')
        self.on(DUE + days(2), notice).action_skip()
        self.assertEqual(notice.state, 'skipped')
        self.assertFalse(notice.activity_ids)
        self.assertFalse(invoice.dunning_level_id)
        self.assertEqual(self.reason(invoice, DUE + days(5)), 'waiting_deadline')
        decision = self.decision(invoice, DUE + days(6))
        self.assertEqual((decision.reason, decision.level_id), (None, self.demand.id))

    def test_a_call_nobody_makes_is_passed_over_in_the_end(self):
        notice, invoice = self.send_by('phone', expire_days=4)
        self.make_notices(DUE + days(3))
        self.assertEqual(notice.state, 'todo')
        self.make_notices(DUE + days(4))
        self.assertEqual(notice.state, 'skipped')
        self.assertEqual(self.dun(DUE + days(8)).level_id, self.demand)
        self.assertEqual(invoice.dunning_level_id, self.demand)

    def test_a_call_for_a_debtor_who_paid_is_taken_off_the_list(self):
        notice, invoice = self.send_by('phone')
        self.pay(invoice)
        self.make_notices(DUE + days(1))
        self.assertEqual(notice.state, 'cancelled')
        self.assertFalse(notice.activity_ids)

    def test_only_a_todo_can_be_done_or_passed_over(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.called(notice, DUE)
        self.on(DUE, notice).action_skip()
        self.assertEqual(notice.state, 'draft')

    def test_the_activity_of_a_level_is_planned_when_it_left(self):
        user = new_test_user(
            self.env, 'clerk', groups='account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        activity = {
            'activity_type_id': self.env.ref('mail.mail_activity_data_todo').id, 'activity_user_id': user.id,
            'activity_summary': "Check the bank"}
        for channel in ('email', 'letter'):
            self.reminder.write({'channel': channel, **activity})
            self.invoice(self.make_debtor(f"{channel} BV"))
            notice = self.dun(DUE)
            if channel == 'letter':
                self.post_letters(notice, DUE)
            self.assertRecordValues(notice.activity_ids, [{
                'user_id': user.id, 'summary': "Check the bank", 'date_deadline': DUE}])

    def test_invoice_and_debtor_tell_what_was_sent(self):
        notice, invoice = self.send_by('email')
        for record in (invoice, self.business):
            message = record.message_ids[0]
            self.assertIn("Reminder", message.body)
            self.assertIn("100", message.body)
            self.assertIn(f'data-oe-id="{notice.id}"', message.body)
            self.assertTrue(message.is_internal or message.subtype_id.internal)

    def test_what_many_tell_is_what_core_would_have_written(self):
        """The rows that are copied differ from core's in nothing but what they are about and say."""
        invoices = self.invoice() | self.invoice(amount=200.0) | self.invoice(amount=300.0)
        bodies = dict(zip(invoices.ids, (
            Markup("<p>One</p>"), Markup('<p>Two <b onclick="x()">bold</b><script>y()</script></p>'), "1 < 2"),
            strict=True))
        invoices.message_ids.mapped('body')  # in the cache, where they must not stay
        invoices._message_log_batch(bodies)
        by_core = [invoice.message_ids[0] for invoice in invoices]
        log_on(invoices, bodies, {})
        ours = [invoice.message_ids[0] for invoice in invoices]
        self.assertFalse({message.id for message in by_core} & {message.id for message in ours})
        names = [
            name for name, field in by_core[0]._fields.items()
            if field.store and field.column_type and name not in ('id', 'message_id')]
        for core, copied in zip(by_core, ours, strict=True):
            self.assertEqual(core.read(names)[0] | {'id': 0}, copied.read(names)[0] | {'id': 0})
        self.assertNotIn('script', ours[1].body)

    def test_the_number_of_queries_for_the_chatter_does_not_grow_with_the_invoices(self):
        def log_queries(count):
            for _number in range(count):
                self.invoice()
            notice = self.make_notices(DUE)
            self.assertEqual(notice.line_count, count)
            self.env.flush_all()
            notice.line_ids.move_id.fetch(['name'])
            before = self.env.cr.sql_log_count
            notice._log_everywhere(lambda record, env: "x")
            self.env.flush_all()
            queries = self.env.cr.sql_log_count - before
            notice.action_cancel()
            self.items(notice.line_ids.move_id).no_followup = True
            return queries

        log_queries(1)
        self.assertLessEqual(log_queries(8), log_queries(2) + 2)
