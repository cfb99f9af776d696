"""The 14-day letter: a consumer owes collection costs only when a good one has run out, whatever anybody sets up.

Dates and amounts are worked out by hand, from article 6:96 BW, the decree on collection costs and HR 25-11-2016.
"""

import json
from contextlib import contextmanager
from datetime import date
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import DunningCommon, days, post_message
from ..kernel.test_mail import FreePortController, Sink

MANNERS = (
    "<p>Hebt u net betaald? Dan hebben uw betaling en deze brief elkaar gekruist.</p>"
    "<p>Bent u het niet eens met een factuur, of kunt u niet in één keer betalen? Neem dan contact op met "
    "<t t-out=\"object.contact_text\"/>. Hoe wij met uw gegevens omgaan, staat in onze privacyverklaring.</p>")
REMINDER = "<p>Wij verzoeken u <t t-out=\"object.amount_text\"/> te betalen.</p>" + MANNERS
FOURTEEN = (
    "<p>De betaaltermijn van de facturen hieronder is voorbij. U bent daarom in verzuim.</p>"
    "<p>Wij verzoeken u <b t-out=\"object.amount_text\"/> <t t-out=\"object.term_text\"/> te betalen op de rekening "
    "die in deze brief staat.</p>"
    "<p>Betaalt u niet binnen deze termijn, dan bent u ook <b t-out=\"object.costs_announced_text\"/> aan "
    "incassokosten verschuldigd. Dat volgt uit artikel 6:96 BW en het Besluit vergoeding voor buitengerechtelijke "
    "incassokosten.</p>"
    + MANNERS)
FINAL = (
    "<p>De veertien dagen uit onze vorige brief zijn voorbij. U bent daarom <t t-out=\"object.costs_text\"/> aan "
    "incassokosten verschuldigd. Wij verzoeken u <t t-out=\"object.amount_text\"/> te betalen.</p>" + MANNERS)
DEFAULT_NOTICE = (
    "<p>Wij stellen u in gebreke. Betaal <t t-out=\"object.amount_text\"/> uiterlijk op <t "
    "t-out=\"object.deadline_text\"/>. Betaalt u dan niet, dan bent u in verzuim.</p>" + MANNERS)
# Written by an editor with all rights, who wants the costs now.
COSTS_NOW = "<p>U bent € 40,00 aan incassokosten verschuldigd. Betaal <t t-out=\"object.amount_text\"/>.</p>" + MANNERS

DUE = date(2026, 10, 12)  # a Monday
MONDAY = date(2026, 11, 23)


def rung(name, text=REMINDER, **values):
    """Return the values of a level that follows the term of the one before it."""
    return {
        'name': name, 'letter_intro': text, 'letter_closing': False, 'subject': name, 'delay_days': 1,
        'payment_term_days': 7, 'delay_from': 'previous_deadline', **values}


def bounce_message(address, sent):
    """Return what a mail server sends back about a mail it could not deliver."""
    return '\r\n'.join([
        'From: MAILER-DAEMON@debtor.example.com',
        'To: bounce@test.example.com',
        'Subject: Undelivered Mail Returned to Sender',
        'Message-Id: <dsn-14@debtor.example.com>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_dsn"',
        '',
        '--=_dsn',
        'Content-Type: text/plain; charset=us-ascii',
        '',
        'The mailbox is full.',
        '--=_dsn',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; mx.debtor.example.com',
        '',
        f'Final-Recipient: rfc822; {address}',
        'Action: failed',
        'Status: 5.2.2',
        '',
        '--=_dsn',
        'Content-Type: text/rfc822-headers',
        '',
        f'Message-Id: {sent["Message-Id"]}',
        f'From: {sent["From"]}',
        f'To: {sent["To"]}',
        f'Subject: {sent["Subject"]}',
        '',
        '--=_dsn--',
        '',
    ]).encode()


class FourteenDayCommon(DunningCommon):
    """A consumer, and a ladder of reminder, 14-day letter by e-mail and final demand with costs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.dunning_term_agreed_consumer = True
        cls.company.partner_id.bank_ids = [Command.clear(), Command.create({'acc_number': 'NL91ABNA0417164300'})]
        cls.consumers = cls.make_policy("Consumers", [
            rung("Reminder", delay_days=5, delay_from='due_date', payment_term_days=10),
            rung("Fourteen", FOURTEEN, legal_role='fourteen_day'),
            rung("Final", FINAL, with_costs=True, payment_term_days=5),
        ], debtor_type='consumer')
        cls.first, cls.fourteen, cls.last = cls.consumers.level_ids
        cls.company.dunning_policy_consumer_id = cls.consumers
        cls.jan = cls.make_debtor("Jan Smit", consumer=True)

    @classmethod
    def reminded(cls, *amounts, debtor=None, due=DUE):
        """Return invoices of a consumer who got the reminder, a week after the due date."""
        moves = cls.env['account.move'].union(*(cls.invoice(debtor or cls.jan, due, amount) for amount in amounts))
        cls.mails_leave(cls.dun(due + days(7)), due + days(7))
        return moves

    def letter(self, at_date=MONDAY, *, leaves=None, amount=1000.0):
        """Return the 14-day letter about one invoice, mailed on a day."""
        self.move = self.reminded(amount, debtor=self.jan)
        notice = self.dun(at_date, wait=True).filtered(lambda notice: notice.partner_id == self.jan)
        self.assertRecordValues(notice, [{'state': 'leaving', 'level_id': self.fourteen.id}])
        return self.mails_leave(notice, leaves or at_date)

    def posted(self, at_date, *, amount=1000.0):
        """Return the 14-day letter about one invoice, brought to the post on a day."""
        self.fourteen.channel = 'letter'
        self.move = self.reminded(amount, debtor=self.jan)
        notice = self.dun(at_date).filtered(lambda notice: notice.partner_id == self.jan)
        self.assertRecordValues(notice, [{'state': 'to_post', 'costs_from': False}])
        self.post_letters(notice, at_date)
        return notice

    def enter(self, notice, kind, at_date, today=None, **values):
        """Enter what is known of the receipt, as a person does."""
        notice = self.on(today or at_date, notice)
        action = notice.action_enter_receipt()
        wizard = self.env[action['res_model']].with_context(**notice.env.context).browse(action['res_id'])
        wizard.write({'kind': kind, 'date': at_date, 'note': "She phoned", **values})
        wizard.action_confirm()
        notice.invalidate_recordset()

    def bounce(self, notice, at_date, status='bounce', reason="No such mailbox"):
        notification = self.on(at_date, notice.mail_message_id.sudo().notification_ids)
        notification.write({'notification_status': status, 'failure_reason': reason})
        notice.invalidate_recordset()

    @contextmanager
    def assertRefused(self, exception, words):
        """It is refused with these words, and nothing of it stays."""
        with self.assertRaises(exception) as refused:
            yield
        self.assertRegex(str(refused.exception), words)

    def assertTerm(self, notice, receipt, last_day, costs_from, kind):
        self.assertRecordValues(notice, [{
            'receipt_date': receipt, 'deadline': last_day, 'costs_from': costs_from, 'receipt_kind': kind}])

    def assertVoid(self, notice, reason):
        """Its items went back on their ladder, and a task says why."""
        notice.invalidate_recordset()
        self.assertEqual(set(notice.line_ids.mapped('status')), {'void'})
        self.assertIn(reason, notice.void_text)
        self.assertIn(reason, notice.activity_ids.filtered('automated')[-1].note)

    def assertNoCosts(self, move, at_date):
        """Nobody asks costs about this invoice on that day: not the planner, not the claim, not by force."""
        claim = self.on(at_date, self.env['dunning.claim'])._compute(self.items(move), at_date)
        self.assertEqual(claim.costs, 0)
        for notice in self.on(at_date, self.env['dunning.run'])._plan_company(self.company, at_date)['notices']:
            self.assertEqual(notice.amount_costs, 0)
            self.assertFalse(notice.level_id.with_costs)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTerm(FourteenDayCommon):
    """From when costs are owed."""

    def test_by_mail_from_the_day_after_it_left(self):
        notice = self.letter(MONDAY)
        self.assertTerm(notice, date(2026, 11, 24), date(2026, 12, 8), date(2026, 12, 9), 'email_accepted')
        self.assertEqual(self.reason(self.move, date(2026, 12, 8)), 'waiting_deadline')
        self.assertNoCosts(self.move, date(2026, 12, 8))
        final = self.dun(date(2026, 12, 9))
        self.assertRecordValues(final, [{
            'level_id': self.last.id, 'state': 'sent', 'amount_principal': 1000, 'amount_costs': 150,
            'amount_due': 1150}])

    def test_a_mail_that_waits_in_the_queue_proves_nothing(self):
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY, wait=True)
        self.assertTerm(notice, False, date(2026, 12, 8), False, False)
        self.assertEqual(self.reason(self.move, date(2026, 12, 20)), 'pending')
        self.assertNoCosts(self.move, date(2026, 12, 20))
        self.mails_leave(notice, date(2026, 12, 21))
        self.assertTerm(notice, date(2026, 12, 22), date(2027, 1, 5), date(2027, 1, 6), 'email_accepted')

    def test_by_post_four_days_without_sunday_and_monday(self):
        self.company.dunning_postal_days = 4
        for sent, receipt, last_day, costs_from in (
            (date(2026, 11, 23), date(2026, 11, 27), date(2026, 12, 11), date(2026, 12, 12)),
            # Received on a Saturday, so the term would end on one: it ends on Monday.
            (date(2026, 11, 24), date(2026, 11, 28), date(2026, 12, 14), date(2026, 12, 15)),
            (date(2026, 11, 26), date(2026, 12, 2), date(2026, 12, 16), date(2026, 12, 17)),
            (date(2026, 11, 27), date(2026, 12, 3), date(2026, 12, 17), date(2026, 12, 18)),
            # Christmas Eve: two holidays, Sunday, Monday and New Year do not count.
            (date(2026, 12, 24), date(2027, 1, 2), date(2027, 1, 18), date(2027, 1, 19)),
        ):
            with self.subTest(sent=sent):
                self.jan = self.make_debtor(f"Jan {sent}", consumer=True)
                notice = self.posted(sent)
                self.assertTerm(notice, receipt, last_day, costs_from, 'post_presumed')

    def test_by_post_three_days_by_default_and_never_less(self):
        self.assertFalse(self.company.dunning_postal_days)
        self.company.dunning_postal_days = 2
        notice = self.posted(MONDAY)
        self.assertTerm(notice, date(2026, 11, 26), date(2026, 12, 10), date(2026, 12, 11), 'post_presumed')

    def test_a_letter_counts_from_the_day_it_was_posted_not_made(self):
        self.fourteen.channel = 'letter'
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY)
        self.post_letters(notice, date(2026, 11, 25))  # Wednesday; 26, 27 and 28 count
        self.assertTerm(notice, date(2026, 11, 28), date(2026, 12, 14), date(2026, 12, 15), 'post_presumed')

    def test_a_term_that_ends_at_christmas_ends_after_it(self):
        notice = self.letter(date(2026, 12, 10))
        # 25 and 26 December, then a Sunday.
        self.assertTerm(notice, date(2026, 12, 11), date(2026, 12, 28), date(2026, 12, 29), 'email_accepted')

    def test_by_both_ways_the_slower_one_counts(self):
        self.fourteen.channel = 'both'
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY)
        self.mails_leave(notice, MONDAY)
        self.assertTerm(notice, False, date(2026, 12, 10), False, False)
        self.assertNoCosts(self.move, date(2026, 12, 31))
        self.post_letters(notice, date(2026, 11, 24))  # Wednesday, Thursday, Friday
        self.assertTerm(notice, date(2026, 11, 27), date(2026, 12, 11), date(2026, 12, 12), 'post_presumed')

    def test_proof_replaces_presumption(self):
        notice = self.posted(MONDAY)
        with self.assertRefused(UserError, "proof"):
            self.enter(notice, 'registered', date(2026, 11, 30))
        self.enter(notice, 'registered', date(2026, 11, 30), proof='cHJvb2Y=', tracking_code='3SABC')
        self.assertTerm(notice, date(2026, 11, 30), date(2026, 12, 14), date(2026, 12, 15), 'registered')
        # A word on the telephone makes no day earlier; what she wrote does.
        self.enter(notice, 'acknowledged', date(2026, 11, 25), today=date(2026, 12, 2))
        self.assertTerm(notice, date(2026, 11, 30), date(2026, 12, 14), date(2026, 12, 15), 'registered')
        self.enter(notice, 'acknowledged', date(2026, 11, 25), today=date(2026, 12, 2), proof='cHJvb2Y=')
        self.assertTerm(notice, date(2026, 11, 25), date(2026, 12, 9), date(2026, 12, 10), 'acknowledged')

    def test_opening_it_in_the_portal_is_proof(self):
        notice = self.letter(MONDAY, leaves=date(2026, 11, 25))
        self.assertFalse(notice._register_opening(date(2026, 11, 20)), "Before it left")
        notice._register_opening(date(2026, 11, 25))
        self.assertTerm(notice, date(2026, 11, 25), date(2026, 12, 9), date(2026, 12, 10), 'portal_opened')
        self.assertFalse(notice._register_opening(date(2026, 12, 1)), "Once is enough")

    def test_what_cannot_be_is_refused(self):
        notice = self.posted(MONDAY)
        with self.assertRefused(UserError, "cannot have been received"):
            self.enter(notice, 'acknowledged', date(2026, 11, 22), today=date(2026, 12, 1))
        with self.assertRefused(UserError, "Say how"):
            self.enter(notice, 'acknowledged', date(2026, 11, 25), note=False)
        with self.assertRefused(UserError, "future"):
            self.enter(notice, 'acknowledged', date(2026, 12, 2), today=date(2026, 12, 1))
        self.fourteen.channel = 'email'
        self.jan = self.make_debtor("Jan Vis", consumer=True)
        with self.assertRefused(UserError, "did not leave by post"):
            self.enter(self.letter(MONDAY), 'returned', date(2026, 12, 1))

    def test_evidence_is_never_changed_or_deleted_but_withdrawn(self):
        notice = self.posted(MONDAY)
        self.enter(notice, 'acknowledged', date(2026, 11, 24))
        receipt = notice.receipt_ids.filtered(lambda r: r.kind == 'acknowledged')
        accountant = new_test_user(self.env, 'letter14', groups='base.group_user,account.group_account_invoice',
                                   company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        for action in (
            lambda: receipt.with_user(accountant).write({'date': MONDAY}),
            lambda: receipt.with_user(accountant).unlink(),
            lambda: receipt.with_user(accountant).create(
                {'notice_id': notice.id, 'kind': 'acknowledged', 'date': MONDAY}),
            lambda: notice.with_user(accountant).with_context(dunning_recording=True).write({'costs_from': MONDAY}),
        ):
            with self.assertRaises(UserError), mute_logger('odoo.addons.base.models.ir_model'):
                action()
        with self.assertRefused(UserError, "never changed"):
            receipt.with_context(**notice._recording().env.context).write({'date': MONDAY})
        with self.assertRefused(UserError, "never deleted"):
            receipt.sudo().unlink()
        receipt.with_user(accountant)._withdraw("Typed the wrong day")
        self.assertTerm(notice, date(2026, 11, 26), date(2026, 12, 10), date(2026, 12, 11), 'post_presumed')
        self.assertRecordValues(receipt, [{
            'withdrawn_by_id': accountant.id, 'withdraw_reason': "Typed the wrong day", 'can_withdraw': False}])

    def test_later_evidence_moves_the_end_and_asks_the_manager_about_costs_that_left(self):
        notice = self.posted(MONDAY)
        final = self.mails_leave(self.dun(date(2026, 12, 11)), date(2026, 12, 11))
        self.assertEqual(final.amount_costs, 150)
        # The post delivered it on 1 December only: costs from 16 December.
        self.enter(notice, 'registered', date(2026, 12, 1), today=date(2026, 12, 12), proof='cHJvb2Y=')
        self.assertTerm(notice, date(2026, 12, 1), date(2026, 12, 15), date(2026, 12, 16), 'registered')
        self.make_notices(date(2026, 12, 13))
        self.assertVoid(final, "did not owe yet")
        self.assertEqual(final.amount_costs, 150, "What left stays as it was")


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestAmounts(FourteenDayCommon):
    """What is owed when the term has run out."""

    def test_a_payment_inside_the_term_lowers_the_costs(self):
        self.letter(MONDAY)
        self.pay(self.move, 400, on=date(2026, 12, 8))  # the last day
        final = self.dun(date(2026, 12, 9))
        self.assertRecordValues(final, [{'amount_principal': 600, 'amount_costs': 90, 'amount_due': 690}])

    def test_a_payment_after_the_term_does_not(self):
        self.letter(MONDAY)
        self.pay(self.move, 400, on=date(2026, 12, 9))
        final = self.dun(date(2026, 12, 10))
        self.assertRecordValues(final, [{'amount_principal': 600, 'amount_costs': 150, 'amount_due': 750}])

    def test_all_paid_inside_the_term_nothing_is_owed(self):
        self.letter(MONDAY)
        self.pay(self.move, on=date(2026, 12, 8))
        self.assertFalse(self.dun(date(2026, 12, 9)))

    def test_all_paid_but_the_payment_bounced_after_the_term(self):
        """A direct debit that is taken back was never a payment."""
        self.letter(MONDAY)
        payment = self.pay(self.move, on=date(2026, 12, 4))
        payment.move_id._reverse_moves([{'date': date(2026, 12, 11)}], cancel=True)
        final = self.dun(date(2026, 12, 20))
        self.assertRecordValues(final, [{'amount_costs': 150}])

    def test_three_claims_are_added_up_in_one_letter(self):
        moves = self.reminded(100, 100, 100)
        notice = self.dun(MONDAY)
        # 15% of 300, not three times 40.
        self.assertRecordValues(notice, [{'amount_due': 300, 'amount_announced': 45, 'line_count': 3}])
        self.mails_leave(notice, MONDAY)
        final = self.dun(date(2026, 12, 9))
        self.assertRecordValues(final, [{'amount_costs': 45, 'amount_due': 345}])
        self.assertEqual(final.line_ids.move_id, moves)

    def test_with_vat_where_it_cannot_be_deducted(self):
        self.company.dunning_vat_on_costs = True
        self.fourteen.letter_intro = FOURTEEN + "<p t-if=\"object.vat_sentence\" t-out=\"object.vat_sentence\"/>"
        notice = self.letter(MONDAY)
        self.assertEqual(notice.amount_announced, 181.5)
        # The letter is read again with the rate it was made with, whatever the creditor deducts by now.
        self.company.dunning_vat_on_costs = False
        self.assertRecordValues(self.dun(date(2026, 12, 9)), [{'amount_costs': 181.5, 'amount_due': 1181.5}])

    def test_waived(self):
        self.jan.write({'dunning_waive_costs': True, 'dunning_waive_reason': "Ill for months"})
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY)
        self.assertEqual(notice.state, 'skipped')
        self.assertIn("waived", notice.cancel_reason)
        self.assertEqual(notice.waiver_text, "collection costs: Ill for months")
        # The ladder goes on, without costs.
        self.assertEqual(self.decision(self.move, MONDAY + days(1)).level_id, self.last.id)
        self.assertRecordValues(self.make_notices(MONDAY + days(1)), [{'amount_costs': 0, 'amount_due': 1000}])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestUndelivered(FourteenDayCommon):
    """What came back was not received."""

    def test_a_bounce_takes_the_level_back_and_paper_follows(self):
        notice = self.letter(MONDAY)
        self.assertEqual(self.move.dunning_level_id, self.fourteen)
        self.bounce(notice, date(2026, 11, 25))
        self.assertRecordValues(notice, [{
            'state': 'undelivered', 'costs_from': False, 'receipt_date': False}])
        self.assertEqual(self.move.dunning_level_id, self.first)
        self.assertEqual(self.jan.dunning_email_bounced_on, date(2026, 11, 25))
        self.assertEqual(len(notice.activity_ids), 1)
        self.assertNoCosts(self.move, date(2026, 12, 31) - days(1))
        again = self.env['dunning.notice'].search([('state', '=', 'draft')])
        self.assertRecordValues(again, [{'level_id': self.fourteen.id, 'channel': 'letter', 'amount_announced': 150}])

    def test_without_a_postal_address_the_reason_is_shown(self):
        self.jan.write({'street': False, 'city': False})
        notice = self.letter(MONDAY)
        self.bounce(notice, date(2026, 11, 25))
        decision = self.decision(self.move, date(2026, 11, 26))
        self.assertEqual(decision.reason, 'no_address')
        self.assertIn("25 Nov 2026", self.assertExplained(decision))
        self.jan.email = 'jan.smit@new.example.com'
        self.assertFalse(self.jan.dunning_email_bounced_on)
        self.assertRecordValues(self.dun(date(2026, 11, 26)), [{
            'state': 'sent', 'level_id': self.fourteen.id, 'channel': 'email'}])

    def test_an_address_that_works_again(self):
        notice = self.letter(MONDAY)
        self.bounce(notice, date(2026, 11, 25))
        self.jan.action_dunning_email_works()
        self.assertEqual(self.decision(self.move, date(2026, 11, 26)).channel, 'email')

    def test_a_plain_reminder_that_bounced_is_taken_back_too(self):
        move = self.invoice(self.jan, DUE, 100)
        notice = self.mails_leave(self.dun(DUE + days(5)), DUE + days(5))
        self.bounce(notice, DUE + days(6))
        self.assertRecordValues(notice, [{'state': 'undelivered'}])
        self.assertFalse(move.dunning_level_id)
        self.assertRecordValues(self.make_notices(DUE + days(6)), [{'level_id': self.first.id, 'channel': 'letter'}])

    def test_of_two_ways_the_other_one_counts(self):
        self.fourteen.channel = 'both'
        self.move = self.reminded(1000)
        notice = self.mails_leave(self.dun(MONDAY), MONDAY)
        self.bounce(notice, MONDAY)
        self.assertEqual(notice.state, 'sent', "The paper copy still has to go")
        self.assertNoCosts(self.move, date(2026, 12, 31))
        self.post_letters(notice, MONDAY)
        self.assertTerm(notice, date(2026, 11, 26), date(2026, 12, 10), date(2026, 12, 11), 'post_presumed')
        self.enter(notice, 'returned', date(2026, 12, 3))
        self.assertRecordValues(notice, [{'state': 'undelivered', 'costs_from': False}])

    def test_a_letter_that_came_back(self):
        notice = self.posted(MONDAY)
        self.enter(notice, 'returned', date(2026, 12, 3))
        self.assertEqual(notice.state, 'undelivered')
        self.assertNoCosts(self.move, date(2026, 12, 31))
        with self.assertRefused(UserError, "has left and counts"):
            self.enter(notice, 'acknowledged', date(2026, 12, 4))

    def test_what_the_debtor_admits_to_have_is_received(self):
        notice = self.letter(MONDAY)
        self.enter(notice, 'acknowledged', date(2026, 11, 24), proof='cHJvb2Y=')
        self.bounce(notice, date(2026, 11, 25))
        self.assertTerm(notice, date(2026, 11, 24), date(2026, 12, 8), date(2026, 12, 9), 'acknowledged')

    def test_a_bounce_after_the_costs_were_asked(self):
        notice = self.letter(MONDAY)
        final = self.mails_leave(self.dun(date(2026, 12, 9)), date(2026, 12, 9))
        self.bounce(notice, date(2026, 12, 10))
        self.assertEqual(notice.state, 'undelivered')
        self.make_notices(date(2026, 12, 11))
        self.assertVoid(final, "did not owe yet")
        self.assertEqual(
            self.on(date(2026, 12, 11), self.env['dunning.claim'])._compute(
                self.items(self.move), date(2026, 12, 11)).costs, 0)

    def test_a_cancelled_mail_never_left(self):
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY, wait=True)
        self.bounce(notice, MONDAY, status='canceled')
        self.assertEqual(notice.state, 'undelivered')
        self.assertFalse(self.jan.dunning_email_bounced_on)

    def test_an_undelivered_notice_cannot_leave_after_all(self):
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY, wait=True)
        self.bounce(notice, MONDAY, status='exception', reason="SMTPRecipientsRefused: 550 No such user")
        self.assertEqual(notice.state, 'undelivered')
        self.assertEqual(notice.mail_id.sudo().state, 'cancel')

    def test_evidence_missed_at_night_is_found_the_next_day(self):
        self.move = self.reminded(1000)
        notice = self.dun(MONDAY, wait=True)
        with patch.object(
            self.registry['mail.notification'], '_get_dunning_notices', lambda self: self.env['dunning.notice'],
        ):
            self.mails_leave(notice, MONDAY)
        self.assertFalse(notice.costs_from)
        self.make_notices(date(2026, 11, 24))
        self.assertTerm(notice, date(2026, 11, 25), date(2026, 12, 9), date(2026, 12, 10), 'email_accepted')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestNoCostsByTrick(FourteenDayCommon):
    """Somebody wants costs on a consumer's letter."""

    def refuse(self, notice, *words):
        self.assertEqual(notice.state, 'error', notice.cancel_reason)
        for word in words:
            self.assertIn(word, notice.error_message)
        self.assertFalse(notice.mail_id)
        self.assertFalse(notice.letter_sha256)

    def smuggle(self, level, text):
        """Write a text past the constraints."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE dunning_level SET letter_intro = %s WHERE id = %s",
            [json.dumps({'en_US': text, 'nl_NL': text}), level.id])
        self.env.invalidate_all()

    def test_a_level_with_costs_needs_a_letter_before_it(self):
        with self.assertRefused(ValidationError, "Put a 14-day letter before it"):
            self.first.with_costs = True
        with self.assertRefused(ValidationError, "Put a 14-day letter before it"):
            self.fourteen.active = False
        with self.assertRefused(ValidationError, "Put a 14-day letter before it"):
            self.last.sequence = 1
        with self.assertRefused(ValidationError, "cannot ask them as well"):
            self.fourteen.with_costs = True
        with self.assertRefused(ValidationError, "must be written"):
            self.fourteen.channel = 'phone'
        with self.assertRefused(ValidationError, "is for businesses"):
            self.consumers.debtor_type = 'business'
        with self.assertRefused(ValidationError, "no other collection costs can be agreed"):
            self.consumers.cost_formula = 'agreed'
        with self.assertRefused(ValidationError, "announced once"):
            self.consumers.level_ids = [Command.create(rung("Another", FOURTEEN, legal_role='fourteen_day'))]
        with self.assertRefused(ValidationError, "Say why"):
            self.jan.dunning_waive_costs = True
        with self.assertRaises(ValidationError):
            self.fourteen.with_context(dunning_ladder=True).active = False

    def test_a_ladder_can_be_put_in_another_order_in_one_go(self):
        self.consumers.level_ids = [
            Command.update(self.fourteen.id, {'sequence': 40}), Command.update(self.last.id, {'sequence': 50})]
        self.assertEqual(self.consumers.level_ids.sorted('sequence'), self.first | self.fourteen | self.last)

    def test_flags_past_the_constraints(self):
        """Written in the database: the claim and the planner do not believe it."""
        move = self.reminded(1000)
        self.env.cr.execute("UPDATE dunning_level SET with_costs = TRUE, legal_role = NULL")
        self.env.invalidate_all()
        self.assertEqual(self.reason(move, MONDAY), 'needs_fourteen_day')
        self.assertFalse(self.make_notices(MONDAY))

    def test_flags_changed_while_a_notice_waits(self):
        move = self.reminded(1000)
        notice = self.make_notices(MONDAY)
        self.env.cr.execute("UPDATE dunning_level SET with_costs = TRUE, legal_role = NULL")
        self.env.invalidate_all()
        self.send(notice, MONDAY)
        self.assertEqual(notice.state, 'cancelled')
        self.assertIn("owes none before a 14-day letter", notice.cancel_reason)
        self.assertFalse(move.dunning_level_id == self.fourteen)

    def test_amounts_by_rpc(self):
        self.reminded(1000)
        notice = self.make_notices(MONDAY)
        for vals in ({'amount_costs': 40}, {'costs_from': DUE}, {'legal_role': 'fourteen_day'}, {'receipt_date': DUE}):
            with self.assertRaises(UserError):
                notice.write(vals)
        with self.assertRaises(UserError):
            notice.line_ids.write({'amount_costs': 40})

    def test_a_text_that_asks_costs_in_a_reminder(self):
        with self.assertRefused(ValidationError, "no costs before a 14-day letter"):
            self.first.letter_intro = COSTS_NOW
        # Past the constraint, as by an upgrade of another addon.
        self.invoice(self.jan, DUE, 1000)
        self.smuggle(self.first, COSTS_NOW)
        notice = self.dun(DUE + days(7))
        self.refuse(notice, "no costs before a 14-day letter")
        with self.assertRefused(UserError, "no costs before a 14-day letter"):
            self.on(DUE + days(7), self.env['dunning.letter'])._get_pdfs(notice)

    def test_a_text_that_works_the_costs_out_itself(self):
        self.invoice(self.jan, DUE, 1000)
        text = "<p>Incassokosten die u ons verschuldigd bent: € <t t-out=\"object.amount_due * 0.15\"/></p>" + REMINDER
        self.smuggle(self.first, text)
        self.refuse(self.dun(DUE + days(7)), "no costs before a 14-day letter")

    def test_an_email_template_that_asks_costs(self):
        template = self.env.ref('l10n_nl_dunning.mail_template_notice').copy({
            'body_html': "<p>U bent € 40,00 incassokosten verschuldigd.</p>"})
        with self.assertRefused(ValidationError, "“€ 40,00” is typed"):
            self.first.mail_template_id = template
        # Chosen past the constraint.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE dunning_level SET mail_template_id = %s WHERE id = %s", [template.id, self.first.id])
        self.env.invalidate_all()
        self.invoice(self.jan, DUE, 1000)
        self.refuse(self.dun(DUE + days(7)), "no costs before a 14-day letter", "“€ 40,00” is typed")

    def test_the_announced_costs_wrong_or_missing(self):
        self.reminded(1000)
        for text, words in (
            (FOURTEEN.replace("<b t-out=\"object.costs_announced_text\"/>", "€ 250,00"), "“€ 250,00” is typed"),
            (FOURTEEN.replace("<t t-out=\"object.term_text\"/>", "binnen 14 dagen na heden"), "too early"),
            (FOURTEEN.replace("<t t-out=\"object.term_text\"/>", "vóór 7 december 2026"), "date"),
            (FOURTEEN.replace(
                "artikel 6:96 BW en het Besluit vergoeding voor buitengerechtelijke incassokosten", "de wet"), "6:96"),
            (FOURTEEN + "<p>Betaal op NL02 RABO 0123 4567 89.</p>", "prints the account itself"),
        ):
            with self.subTest(words=words):
                self.smuggle(self.fourteen, text)
                notice = self.dun(MONDAY)
                self.refuse(notice, words)
                notice.action_cancel()

    def test_without_a_bank_account(self):
        self.reminded(1000)
        self.company.partner_id.bank_ids.unlink()
        notice = self.dun(MONDAY)
        self.assertEqual((notice.state, notice.mail_id.id), ('queued', False))
        self.assertIn("IBAN", notice.waiting_reason)

    def test_sent_ahead_of_time_by_hand(self):
        self.letter(MONDAY)
        move = self.move
        decisions = self.plan(
            date(2026, 12, 1), items=self.items(move), ignore=frozenset({'waiting_delay', 'backlog', 'below_minimum'}))
        self.assertEqual(decisions[self.items(move).id].reason, 'waiting_deadline')
        # And made by code all the same: the guard asks the claim.
        decision = decisions[self.items(move).id]._replace(reason=None)
        notice = self.env['dunning.notice']._create_from_decisions(
            self.company, [decision], date(2026, 12, 1), origin='manual', state='queued', forced=True)
        self.assertRecordValues(notice, [{'level_id': self.last.id, 'amount_costs': 0}])
        self.send(notice, date(2026, 12, 1))
        self.assertIn(notice.state, ('cancelled', 'error'))
        self.assertFalse(notice.mail_id)

    def test_the_letter_comes_back_while_the_demand_with_costs_waits(self):
        letter = self.letter(MONDAY)
        final = self.make_notices(date(2026, 12, 9))
        self.assertEqual(final.amount_costs, 150)
        self.bounce(letter, date(2026, 12, 9))
        self.send(final, date(2026, 12, 9))
        self.refuse(final, "no 14-day letter that holds about", self.move.name)

    def test_the_term_moves_while_the_demand_with_costs_waits(self):
        letter = self.posted(MONDAY)
        final = self.make_notices(date(2026, 12, 11))
        self.enter(letter, 'registered', date(2026, 12, 1), today=date(2026, 12, 11), proof='cHJvb2Y=')
        self.send(final, date(2026, 12, 11))
        self.assertIn(final.state, ('cancelled', 'error'))
        self.assertFalse(final.mail_id)

    def test_a_demand_with_costs_on_the_pile_is_judged_again(self):
        self.last.channel = 'letter'
        letter = self.letter(MONDAY)
        final = self.dun(date(2026, 12, 9))
        self.assertRecordValues(final, [{'state': 'to_post', 'amount_costs': 150}])
        self.bounce(letter, date(2026, 12, 9))
        with self.assertRefused(UserError, "no 14-day letter that holds about"):
            self.on(date(2026, 12, 10), final).action_print_pile()
        self.make_notices(date(2026, 12, 10))  # the night finds it too
        self.assertRecordValues(final, [{'state': 'error', 'postal_state': False}])

    def test_a_letter_on_the_pile_is_made_again_when_its_costs_changed(self):
        self.fourteen.channel = 'letter'
        move = self.reminded(1000)
        notice = self.dun(MONDAY)
        self.pay(move, 400, on=date(2026, 11, 24))
        notice = self.on(date(2026, 11, 24), notice)
        with patch('odoo.addons.l10n_nl_dunning.models.sending.dunning_letter.merge_pdf', lambda pdfs: b'%PDF'):
            notice.action_print_pile()
        self.assertRecordValues(notice, [{'state': 'to_post', 'amount_announced': 90, 'amount_due': 600}])
        self.company.dunning_vat_on_costs = True
        self.env['dunning.dispatcher']._recheck(notice, date(2026, 11, 24))
        self.assertEqual(notice.state, 'queued', "Raised with VAT the amount is another one")

    def test_a_business_becomes_a_consumer(self):
        ladder = self.make_policy("Businesses", [
            rung("Reminder", delay_days=5, delay_from='due_date'),
            rung("Demand", FINAL, with_costs=True),
        ], debtor_type='business')
        self.company.dunning_policy_business_id = ladder
        bakery = self.make_debtor("Bakker Bol BV")
        move = self.invoice(bakery, DUE, 1000)
        self.dun(DUE + days(7))
        notice = self.make_notices(MONDAY)
        self.assertEqual(notice.amount_costs, 150)
        bakery.dunning_debtor_type = 'consumer'
        self.assertNoCosts(move, MONDAY)
        self.send(notice, MONDAY)
        self.assertIn(notice.state, ('cancelled', 'error'))
        self.assertFalse(notice.mail_id)
        # Of a wrong policy on the debtor nothing comes either.
        bakery.dunning_policy_id = ladder
        self.assertEqual(self.reason(move, MONDAY + days(10)), 'wrong_policy')

    def test_a_consumer_becomes_a_business_before_the_letter_leaves(self):
        self.consumers.debtor_type = 'any'
        self.use_policy(self.consumers)
        self.reminded(1000)
        notice = self.make_notices(MONDAY)
        self.jan.write({'dunning_debtor_type': 'business', 'dunning_type_reason': "He trades."})
        self.send(notice, MONDAY)
        self.refuse(notice, "is for consumers", "Jan Smit")

    def test_before_default_it_does_not_leave(self):
        self.company.dunning_term_agreed_consumer = False
        move = self.reminded(1000)
        self.assertEqual(self.reason(move, MONDAY), 'no_default')
        self.jan.dunning_term_agreed = 'yes'
        notice = self.make_notices(MONDAY)
        self.assertEqual(notice.level_id, self.fourteen)
        self.jan.dunning_term_agreed = 'no'
        self.send(notice, MONDAY)
        self.assertIn(notice.state, ('cancelled', 'error'))
        self.assertIn("default", notice.error_message or notice.cancel_reason)

    def test_before_default_by_way_of_another_policy(self):
        self.reminded(1000)
        notice = self.make_notices(MONDAY)
        self.jan.dunning_term_agreed = 'no'
        notice.line_ids.move_id.dunning_policy_id = self.make_policy("Plain", [
            rung("First"), rung("Second", delay_from='due_date')], debtor_type='consumer')
        self.assertEqual(
            self.reason(notice.line_ids.move_id, MONDAY, ignore=frozenset({'pending', 'one_message'})), 'due')
        self.send(notice, MONDAY)
        self.assertEqual(notice.state, 'cancelled')
        self.assertIn("Plain", notice.cancel_reason)

    def test_by_phone_nothing_is_announced(self):
        self.reminded(1000)
        notice = self.make_notices(MONDAY)
        with self.assertRaisesRegex(UserError, "has to be written|schriftelijk"):
            notice.channel = 'phone'
        # Had it come there in another way, it would not leave either.
        notice._recording().channel = 'phone'
        self.send(notice, MONDAY)
        self.refuse(notice, "has to be written")

    def test_a_notice_of_default_that_never_left_puts_nobody_in_default(self):
        self.company.dunning_term_agreed_consumer = False
        self.first.write({'legal_role': 'default_notice', 'letter_intro': DEFAULT_NOTICE})
        move = self.invoice(self.jan, DUE, 1000)
        notice = self.dun(DUE + days(7), wait=True)
        self.assertEqual(self.reason(move, MONDAY), 'pending')
        self.mails_leave(notice, DUE + days(30))  # after the term that stands in it
        self.assertEqual(self.reason(move, MONDAY), 'no_default')

    def test_a_notice_of_default_first_where_the_term_was_not_agreed(self):
        self.company.dunning_term_agreed_consumer = False
        self.first.write({'legal_role': 'default_notice', 'letter_intro': DEFAULT_NOTICE})
        move = self.reminded(1000)  # on 19 October, with ten days to pay
        self.assertEqual(self.reason(move, date(2026, 10, 29)), 'waiting_deadline')
        self.assertEqual(self.decision(move, date(2026, 10, 30)).level_id, self.fourteen.id)
        self.assertEqual(self.reason(move, date(2026, 10, 30)), 'due')

    def test_the_notice_of_default_comes_back_when_the_letter_has_left(self):
        self.company.dunning_term_agreed_consumer = False
        self.first.write({'legal_role': 'default_notice', 'letter_intro': DEFAULT_NOTICE})
        letter = self.letter(MONDAY)
        default = self.notices_of(self.move) - letter
        self.bounce(default, date(2026, 11, 30))
        self.assertEqual(default.state, 'undelivered')
        self.assertNoCosts(self.move, date(2026, 11, 30))
        self.assertVoid(letter, "not in default")
        self.assertFalse(self.move.dunning_level_id)
        self.assertNoCosts(self.move, date(2026, 12, 20))

    def test_a_claim_that_was_left_out_joins(self):
        moves = self.reminded(1000)
        notice = self.make_notices(MONDAY)
        late = self.invoice(self.jan, DUE, 500)  # entered late
        self.send(notice, MONDAY)
        self.assertRecordValues(notice, [{
            'state': 'sent', 'amount_due': 1500, 'amount_announced': 225, 'line_count': 2}])
        self.assertEqual(notice.line_ids.move_id, moves | late)

    def test_a_claim_that_was_passed_over_joins_when_its_costs_are_not_waived_any_more(self):
        self.last.delay_days = 60
        self.jan.write({'dunning_waive_costs': True, 'dunning_waive_reason': "Ill for months"})
        moves = self.reminded(1000)
        self.assertEqual(self.dun(MONDAY).state, 'skipped')
        self.jan.dunning_waive_costs = False
        moves |= self.reminded(500, due=DUE + days(7))
        notice = self.dun(MONDAY + days(7))
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_due': 1500, 'amount_announced': 225}])
        self.assertEqual(notice.line_ids.move_id, moves)

    def test_a_claim_that_was_paid_then_and_whose_term_ran_was_not_left_out(self):
        other = self.reminded(500, due=MONDAY - days(9))
        self.pay(other, on=MONDAY - days(1))
        self.letter()
        self.unpay(other)
        costs_from = self.env['dunning.claim'].with_company(self.company)._get_effects(
            self.items(self.move), MONDAY + days(30))[self.items(self.move).id].costs_from
        self.assertTrue(costs_from, "The debtor had until after that day to pay the other one")

    def test_a_claim_that_waits_elsewhere_stops_the_letter(self):
        self.reminded(1000)
        late = self.invoice(self.jan, DUE, 500)
        decision = self.decision(late, MONDAY)
        # As it would have been planned before the other one was in default.
        other = self.env['dunning.notice']._create_from_decisions(
            self.company, [decision._replace(
                reason=None, level_id=self.first.id, said=self.first._get_said('email'))], MONDAY - days(1))
        notice = self.make_notices(MONDAY) - other
        self.send(notice, MONDAY)
        self.refuse(notice, other.name)
        other.action_cancel()
        self.send(notice, MONDAY)
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_due': 1500}])

    def test_a_claim_whose_own_turn_has_not_come_is_in_default_and_joins(self):
        ladder = self.make_policy("Strict", [
            rung("Fourteen", FOURTEEN, legal_role='fourteen_day', delay_days=14, delay_from='due_date'),
        ], debtor_type='consumer')
        self.company.dunning_policy_consumer_id = ladder
        self.invoice(self.jan, MONDAY - days(14), 1000)
        self.invoice(self.jan, MONDAY - days(3), 500)
        self.invoice(self.jan, MONDAY + days(3), 250)
        notice = self.dun(MONDAY)
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_due': 1500, 'amount_announced': 225}])

    def test_a_second_letter_about_the_same_claim(self):
        self.letter(MONDAY)
        other = self.make_policy("Other", [
            rung("First", delay_days=1, delay_from='due_date'),
            rung("Fourteen again", FOURTEEN, legal_role='fourteen_day'),
            rung("Final again", FINAL, with_costs=True),
        ], debtor_type='consumer')
        self.move.dunning_policy_id = other
        decision = self.decision(self.move, date(2026, 12, 9))
        self.assertNotEqual(decision.level_id, other.level_ids[1].id)
        notice = self.env['dunning.notice']._create_from_decisions(
            self.company, [decision._replace(reason=None, level_id=other.level_ids[1].id)], date(2026, 12, 9),
            state='queued')
        self.send(notice, date(2026, 12, 9))
        self.refuse(notice, self.move.name, "was in a 14-day letter before")

    def test_a_statement_of_costs_never_before_the_term_ran_out(self):
        """Day by day: no costs, then costs, and they stay the same."""
        self.letter(MONDAY)
        claims = self.env['dunning.claim']
        for offset in range(-10, 40):
            day = MONDAY + days(offset)
            costs = claims._compute(self.items(self.move), day).costs
            self.assertEqual(costs, 150 if day >= date(2026, 12, 9) else 0, day)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRealMail(FourteenDayCommon):
    """With a mail server that listens, refuses and lets come back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = Sink()
        controller = FreePortController(cls.sink, hostname='127.0.0.1', port=0)
        controller.start()
        cls.addClassCleanup(controller.stop)
        cls.env['ir.mail_server'].sudo().search([]).active = False
        cls.env['ir.mail_server'].sudo().create({
            'name': "Sink", 'smtp_host': '127.0.0.1', 'smtp_port': controller.port, 'smtp_encryption': 'none'})
        cls.company.alias_domain_id = cls.env['mail.alias.domain'].sudo().create({
            'name': 'test.example.com', 'bounce_alias': 'bounce', 'catchall_alias': 'catchall'})
        cls.classPatch(cls.registry['ir.mail_server'], '_disable_send', classmethod(lambda model: False))

    def setUp(self):
        super().setUp()
        self.move = self.reminded(1000)
        self.sink.mails.clear()
        self.notice = self.dun(MONDAY, wait=True)

    def deliver(self, at_date=MONDAY):
        self.on(at_date, self.notice.mail_id.sudo()).send()
        self.env.invalidate_all()

    def test_the_term_runs_from_the_mail_that_left(self):
        self.assertFalse(self.notice.costs_from)
        self.deliver()
        self.assertEqual(len(self.sink.mails), 1)
        self.assertTerm(
            self.notice, date(2026, 11, 24), date(2026, 12, 8), date(2026, 12, 9), 'email_accepted')

    def test_a_mail_that_waited_a_day_is_made_again(self):
        self.deliver(date(2026, 11, 24))
        self.assertFalse(self.sink.mails)
        self.assertEqual(self.notice.state, 'queued')
        self.send(self.notice, date(2026, 11, 24), wait=True)
        self.deliver(date(2026, 11, 24))
        self.assertEqual(len(self.sink.mails), 1)
        self.assertTerm(
            self.notice, date(2026, 11, 25), date(2026, 12, 9), date(2026, 12, 10), 'email_accepted')

    def test_a_server_that_is_away_proves_nothing_and_loses_nothing(self):
        with patch.object(self.registry['ir.mail_server'], '_connect__', side_effect=ConnectionRefusedError), \
                mute_logger('odoo.addons.mail.models.mail_mail', 'odoo.addons.base.models.ir_mail_server'):
            self.deliver()
        self.assertRecordValues(self.notice, [{'state': 'leaving', 'costs_from': False}])
        self.assertEqual(self.reason(self.move, date(2026, 12, 20)), 'pending')
        self.deliver(date(2026, 12, 20))
        self.assertFalse(self.sink.mails)
        self.send(self.notice, date(2026, 12, 20), wait=True)
        self.deliver(date(2026, 12, 20))
        self.assertEqual(self.notice.receipt_date, date(2026, 12, 21))

    def test_an_address_that_the_server_refuses(self):
        self.notice.mail_id.sudo().email_to = 'gone@debtor.example.com'
        with mute_logger('odoo.addons.mail.models.mail_mail', 'odoo.addons.base.models.ir_mail_server'):
            self.deliver()
        self.assertFalse(self.sink.mails)
        self.assertRecordValues(self.notice, [{'state': 'undelivered', 'costs_from': False}])
        self.assertEqual(self.notice.mail_id.sudo().state, 'cancel', "It cannot be tried again by accident")

    def test_a_mail_that_comes_back(self):
        self.deliver()
        sent = self.sink.mails[0][1]
        report = bounce_message(self.jan.email, sent)
        self.on(date(2026, 11, 26), self.env['mail.thread'].sudo()).message_process(None, report)
        self.notice.invalidate_recordset()
        self.assertRecordValues(self.notice, [{'state': 'undelivered', 'costs_from': False}])
        self.assertIn("mailbox is full", self.notice.receipt_ids[-1].note)
        self.assertEqual(self.jan.dunning_email_bounced_on, date(2026, 11, 26))
        self.assertEqual(self.jan.message_bounce, 1)
        self.assertRecordValues(self.make_notices(date(2026, 11, 27)), [{
            'level_id': self.fourteen.id, 'channel': 'letter'}])

    def test_a_later_message_that_comes_back_says_nothing_of_the_letter(self):
        """Somebody answers the debtor months later, and that answer bounces."""
        self.deliver()
        answer = post_message(
            self.notice, "Thanks", partner_ids=self.jan.ids, message_type='comment', subtype_xmlid='mail.mt_comment')
        answer.sudo().notification_ids.write({'notification_status': 'bounce', 'failure_reason': "Full"})
        self.assertRecordValues(self.notice, [{'state': 'sent', 'costs_from': date(2026, 12, 9)}])
