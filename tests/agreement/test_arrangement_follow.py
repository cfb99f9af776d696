"""Arrangements that watch themselves: stories with dates, what they say, and what it costs."""

from datetime import date
from decimal import Decimal
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days

# Signed on a Monday; three instalments of 100.
SIGNED = TODAY + days(7)
FIRST, SECOND, THIRD = date(2025, 3, 24), date(2025, 4, 24), date(2025, 5, 26)
REMINDED = date(2025, 3, 19)  # three bank days before
GRACE = date(2025, 3, 27)
TOLD = date(2025, 3, 28)
LAST = date(2025, 4, 4)  # seven days to go
WAITED = date(2025, 4, 7)  # over the weekend, until the bank's statement is there
BROKEN = date(2025, 4, 8)


class FollowCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collector = new_test_user(
            cls.env, 'follow_collector', groups='base.group_user,account.group_account_manager',
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
        for name in ('_store_offer', '_send_offer', '_store_agreement', '_send_agreement'):
            cls.classPatch(cls.registry['dunning.arrangement'], name, lambda self, *args, **kwargs: None)
        cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})

    def agree(self, moves, *, on=SIGNED, **terms):
        """Return an arrangement that both sides signed on a day."""
        Arrangement = self.on(on, self.env['dunning.arrangement'])
        arrangement = Arrangement._make(
            self.company, moves.commercial_partner_id, self.items(moves), {
                'instalment_count': 3, 'date_first': FIRST, 'with_interest': False, 'with_costs': False, **terms},
            user=self.collector)
        arrangement._offer()
        with patch.object(self.registry['dunning.arrangement'], '_countersign_or_ask', lambda self: None):
            arrangement._sign("Jan Jansen", via='paper')
        arrangement._countersign(self.collector)
        self.assertEqual(arrangement.state, 'active')
        return arrangement.with_context(dunning_at_date=None)

    def judge(self, at_date):
        return self.on(at_date, self.env['dunning.arrangement'])._judge(self.company, at_date)

    def live(self, arrangement, first, last):
        """Judge each day, and check on each that the items are on hold exactly while it runs."""
        day = first
        while day <= last:
            self.judge(day)
            self.assertHeld(arrangement, day)
            day += days(1)

    def assertHeld(self, arrangement, day):
        holds = arrangement.hold_ids.filtered(
            lambda hold: not hold.closed_on and hold.opened_on <= day <= hold.date_end)
        items = arrangement.line_ids.move_line_id.filtered(
            lambda item: not item.reconciled and item.parent_state == 'posted')
        if arrangement.state == 'active':
            self.assertLessEqual(items, holds.move_line_id, f"{day}: {arrangement.story}")
            self.assertEqual(len(holds.move_line_id), len(holds), "Held twice")
        else:
            self.assertFalse(holds, f"{day}: {arrangement.story}")

    def credit(self, move, amount, on):
        """Match a credit note that is dated ``on``."""
        with self.env.cr.savepoint(flush=True):
            note = self.credit_note(move.partner_id, amount, on + days(30))
            self.on(on, self.items(move | note)).reconcile()

    def pay_on(self, move, amount, on):
        """Pay and match on a day, as seen by the clock of that day."""
        items = self.items(move)
        payment = self.receive(items.partner_id, amount, on, company=items.company_id, currency=items.currency_id)
        self.on(on, items | payment).reconcile()
        return payment

    def bounce(self, payment, on):
        """The bank takes a payment back."""
        self.on(on, payment).remove_move_reconcile()
        payment.move_id._reverse_moves([{'date': on}]).action_post()
        (payment | payment.move_id.reversal_move_ids.line_ids.filtered(
            lambda line: line.account_id == payment.account_id)).filtered(lambda line: not line.reconciled).reconcile()

    def mails(self, arrangement):
        """Return the subjects of what went to the debtor, in order."""
        return self.env['mail.mail'].sudo().search(
            self.mail_domain(arrangement), order='id').mapped('subject')

    def mail_domain(self, arrangement):
        # What users are told of their activities goes by mail as well.
        return [
            ('model', '=', 'dunning.arrangement'), ('res_id', '=', arrangement.id), ('message_type', '=', 'comment')]

    def assertState(self, arrangement, state, paid=None, left=None):
        self.assertEqual(arrangement.state, state, arrangement.story)
        if paid is not None:
            self.assertAlmostEqual(arrangement.amount_paid, paid)
        if left is not None:
            self.assertAlmostEqual(arrangement.amount_left, left)

    def states(self, arrangement):
        return arrangement.instalment_ids.sorted('date_due').mapped('state')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementFollow(FollowCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice(amount=300.0)

    # --- kept ---

    def test_paid_on_time_it_is_kept_and_everything_ends(self):
        arrangement = self.agree(self.move)
        self.assertEqual(arrangement.instalment_ids.mapped('date_due'), [FIRST, SECOND, THIRD])
        self.assertIn("0 of 3 instalments paid", arrangement.story)
        for number, day in enumerate((FIRST, SECOND, THIRD), 1):
            self.assertState(arrangement, 'active')
            self.pay_on(self.move, 100.0, day)
            self.judge(day)
            self.assertAlmostEqual(arrangement.amount_paid, 100.0 * number)
            self.assertHeld(arrangement, day)
        self.assertState(arrangement, 'kept', 300.0, 0.0)
        self.assertEqual(self.states(arrangement), ['paid'] * 3)
        self.assertEqual(arrangement.instalment_ids.mapped('paid_on'), [FIRST, SECOND, THIRD])
        self.assertEqual((arrangement.close_code, arrangement.closed_on), ('paid', THIRD))
        self.assertFalse(arrangement.next_date)
        self.assertIn("Kept: ", arrangement.story)
        self.assertEqual(len(self.mails(arrangement)), 1)
        self.assertIn("Bedankt", self.mails(arrangement)[0])
        self.assertFalse(arrangement.activity_ids)

    def test_a_payment_is_seen_at_once_and_mails_wait_for_the_run(self):
        arrangement = self.agree(self.move)
        self.pay_on(self.move, 300.0, FIRST)
        self.assertState(arrangement, 'kept', 300.0)
        self.assertFalse(self.mails(arrangement))
        self.judge(FIRST)
        self.judge(FIRST + days(1))
        self.assertEqual(len(self.mails(arrangement)), 1)
        self.assertHeld(arrangement, FIRST)

    def test_in_parts_and_too_much_at_once_fills_the_oldest_first(self):
        arrangement = self.agree(self.move)
        self.pay_on(self.move, 40.0, FIRST - days(1))
        self.assertEqual(arrangement.instalment_ids.mapped('amount_left'), [60.0, 100.0, 100.0])
        self.assertEqual(arrangement.next_amount, 60.0)
        self.pay_on(self.move, 110.0, FIRST)
        self.judge(FIRST)
        self.assertEqual(self.states(arrangement), ['paid', 'open', 'open'])
        self.assertEqual(arrangement.instalment_ids.mapped('amount_paid'), [100.0, 50.0, 0.0])
        self.assertEqual(arrangement.next_date, SECOND)

    def test_what_was_paid_before_does_not_pay_an_instalment(self):
        self.pay_on(self.move, 60.0, SIGNED - days(1))
        arrangement = self.agree(self.move)
        self.assertState(arrangement, 'active', 0.0, 240.0)
        self.pay_on(self.move, 80.0, FIRST)
        self.assertEqual(self.states(arrangement)[0], 'paid')

    def test_money_without_reference_counts_when_an_instalment_is_due(self):
        arrangement = self.agree(self.move)
        self.receive(amount=150.0, on=FIRST - days(1))
        self.judge(FIRST - days(1))
        self.assertState(arrangement, 'active', 0.0)
        self.assertFalse(self.mails(arrangement), "Who paid is not reminded")
        self.judge(TOLD)
        self.assertEqual(self.states(arrangement), ['paid', 'open', 'open'])
        self.assertFalse(self.mails(arrangement))

    def test_exactly_an_instalment_counts_at_once(self):
        arrangement = self.agree(self.move)
        self.receive(amount=100.0, on=FIRST - days(1))
        self.judge(FIRST - days(1))
        self.assertEqual(self.states(arrangement), ['paid', 'open', 'open'])

    def test_money_that_was_for_something_else_counts_no_longer(self):
        arrangement = self.agree(self.move)
        payment = self.receive(amount=100.0, on=FIRST)
        self.judge(TOLD)
        self.assertEqual(self.states(arrangement)[0], 'paid')
        (self.items(self.invoice(due=SIGNED)) | payment).reconcile()
        self.judge(TOLD + days(1))
        self.assertEqual(self.states(arrangement)[0], 'missed')

    def test_money_lies_ready_once_for_two_arrangements(self):
        first = self.agree(self.move)
        second = self.agree(self.invoice(amount=300.0))
        self.receive(amount=100.0, on=FIRST)
        self.judge(TOLD)
        self.assertEqual((self.states(first)[0], self.states(second)[0]), ('paid', 'missed'))

    def test_a_payment_that_is_on_its_way_for_the_invoice_counts_at_once(self):
        arrangement = self.agree(self.move)
        # With the accounting app a payment has no entry until the bank's statement comes.
        self.patch(self.registry['account.move'], '_get_invoice_in_payment_state', lambda move: 'in_payment')
        self.inbound_payment_method_line.payment_account_id = False
        payment = self.env['account.payment'].create({
            'payment_type': 'inbound', 'partner_type': 'customer', 'partner_id': self.business.id, 'amount': 100.0,
            'date': SIGNED + days(1), 'journal_id': self.bank_journal.id,
            'payment_method_line_id': self.inbound_payment_method_line.id,
            'invoice_ids': [Command.set(self.move.ids)]})
        payment.action_post()
        self.assertFalse(payment.move_id)
        self.judge(SIGNED + days(1))
        self.assertEqual(self.states(arrangement)[0], 'paid')

    def test_too_much_is_told(self):
        arrangement = self.agree(self.move)
        self.pay_on(self.move, 350.0, FIRST)
        self.judge(FIRST)
        self.assertState(arrangement, 'kept', 300.0)
        self.assertEqual(arrangement.amount_over, 50.0)
        self.assertIn("came in too much", arrangement.story)
        self.assertIn("paid too much", arrangement.activity_ids.summary)

    # --- not kept ---

    def test_reminded_told_waited_for_and_broken(self):
        self.dun(SIGNED - days(2))  # the first level was sent
        self.assertEqual(self.move.dunning_level_id, self.reminder)
        arrangement = self.agree(self.move)
        self.live(arrangement, SIGNED, REMINDED - days(1))
        self.assertFalse(self.mails(arrangement))
        self.live(arrangement, REMINDED, REMINDED)
        self.assertEqual(self.mails(arrangement), ["Uw termijn van €\xa0100,00 vervalt op 24 maart 2025"])
        self.assertEqual(self.states(arrangement)[0], 'due')
        self.live(arrangement, REMINDED + days(1), GRACE)
        self.assertEqual(len(self.mails(arrangement)), 1)
        self.assertEqual(self.states(arrangement)[0], 'late')
        self.assertIn("is waited for until", arrangement.story)
        self.live(arrangement, TOLD, TOLD)
        self.assertEqual(self.mails(arrangement)[1:], ["Uw termijn van 24 maart 2025 kwam nog niet binnen"])
        self.assertEqual(arrangement.instalment_ids[0].last_date, LAST)
        self.assertIn("did not come and is waited for until", arrangement.story)
        self.live(arrangement, TOLD + days(1), WAITED)
        self.assertState(arrangement, 'active', 0.0, 300.0)
        self.assertEqual(len(self.mails(arrangement)), 2)
        self.live(arrangement, BROKEN, BROKEN)
        self.assertState(arrangement, 'broken', 0.0, 300.0)
        self.assertEqual(self.states(arrangement), ['missed', 'cancelled', 'cancelled'])
        self.assertEqual((arrangement.close_code, arrangement.closed_on), ('missed', BROKEN))
        self.assertIn("did not come by", arrangement.story)
        self.assertEqual(self.mails(arrangement)[2:], [f"De betalingsregeling {arrangement.name} is geëindigd"])
        self.assertEqual(arrangement.activity_ids.user_id, self.collector)
        self.assertIn("did not keep the payment arrangement", arrangement.activity_ids.summary)
        # Softly, and where the ladder was.
        self.assertEqual(self.reason(self.move, BROKEN), 'hold_ended')
        free_on = arrangement.hold_ids.free_on
        self.assertGreater(free_on, BROKEN)
        decision = self.decision(self.move, free_on)
        self.assertFalse(decision.reason)
        self.assertEqual(decision.level_id, self.demand.id)
        self.live(arrangement, BROKEN + days(1), BROKEN + days(5))
        self.assertEqual(len(self.mails(arrangement)), 3)
        self.assertEqual(len(arrangement.activity_ids), 1)

    def test_on_the_last_day_of_grace_is_in_time_and_nobody_is_told(self):
        arrangement = self.agree(self.move)
        self.judge(GRACE)
        self.pay_on(self.move, 100.0, GRACE)
        self.judge(TOLD)
        self.assertEqual(self.states(arrangement)[0], 'paid')
        self.assertFalse(any("kwam nog niet binnen" in subject for subject in self.mails(arrangement)))

    def test_the_last_chance_saves_it(self):
        arrangement = self.agree(self.move)
        self.live(arrangement, GRACE, LAST)
        self.pay_on(self.move, 100.0, LAST)
        self.live(arrangement, LAST, BROKEN + days(2))
        self.assertState(arrangement, 'active', 100.0)
        self.assertFalse(arrangement.instalment_ids[0].last_date)
        self.assertEqual(self.states(arrangement), ['paid', 'open', 'open'])

    def test_a_part_does_not_save_it(self):
        arrangement = self.agree(self.move)
        self.live(arrangement, TOLD, LAST)
        self.pay_on(self.move, 99.99, LAST)
        self.judge(BROKEN)
        self.assertState(arrangement, 'broken', 99.99)
        self.assertIn("0.01", arrangement.close_reason)

    def test_nobody_is_given_up_before_he_was_told(self):
        """The server stood still for weeks: first the notice, with all its days."""
        arrangement = self.agree(self.move)
        self.judge(BROKEN + days(30))
        self.assertState(arrangement, 'active')
        part = arrangement.instalment_ids[0]
        self.assertGreaterEqual(part.last_date, BROKEN + days(37))
        self.assertHeld(arrangement, BROKEN + days(30))

    def test_booked_late_but_paid_in_time_it_runs_again(self):
        arrangement = self.agree(self.move)
        self.live(arrangement, GRACE, BROKEN)
        self.assertState(arrangement, 'broken')
        payment = self.receive(amount=100.0, on=WAITED)
        self.on(BROKEN + days(1), self.items(self.move) | payment).reconcile()
        self.assertState(arrangement, 'active', 100.0)
        self.assertHeld(arrangement, BROKEN + days(1))
        self.assertIn("runs again", arrangement.activity_ids.summary)
        self.live(arrangement, BROKEN + days(1), BROKEN + days(3))
        self.assertState(arrangement, 'active')

    def test_paid_after_it_was_broken_it_stays_broken(self):
        arrangement = self.agree(self.move)
        self.live(arrangement, GRACE, BROKEN)
        self.pay_on(self.move, 300.0, BROKEN)
        self.judge(BROKEN + days(1))
        self.assertState(arrangement, 'broken', 300.0, 0.0)

    def test_who_is_taken_by_another_arrangement_does_not_run_again(self):
        arrangement = self.agree(self.move)
        self.live(arrangement, GRACE, BROKEN)
        later = self.agree(self.move, on=BROKEN + days(1), date_first=BROKEN + days(10))
        self.pay_on(self.move, 100.0, WAITED)
        self.judge(BROKEN + days(2))
        self.assertState(arrangement, 'broken')
        self.assertTrue(any("Look at" in text for text in arrangement.activity_ids.mapped('summary')))
        self.assertState(later, 'active', 100.0)

    # --- what is owed changes ---

    def test_a_credit_note_lowers_the_last_instalments(self):
        arrangement = self.agree(self.move)
        self.credit(self.move, 130.0, SIGNED + days(1))
        self.judge(SIGNED + days(1))
        self.assertEqual(arrangement.instalment_ids.mapped('amount_left'), [100.0, 70.0, 0.0])
        self.assertEqual(self.states(arrangement)[2], 'cancelled')
        self.assertEqual((arrangement.amount_lowered, arrangement.amount_left), (130.0, 170.0))
        self.pay_on(self.move, 170.0, FIRST)
        self.assertState(arrangement, 'kept', 170.0)

    def test_written_off_there_is_nothing_to_keep(self):
        arrangement = self.agree(self.move)
        self.credit(self.move, 300.0, SIGNED + days(1))
        self.assertState(arrangement, 'cancelled', 0.0, 0.0)
        self.assertEqual(arrangement.close_code, 'credited')
        self.assertIn("nothing was left to pay", arrangement.story)
        self.assertHeld(arrangement, SIGNED + days(1))

    def test_a_payment_that_bounced_opens_its_instalment_again(self):
        arrangement = self.agree(self.move)
        payment = self.pay_on(self.move, 100.0, FIRST)
        self.judge(TOLD)
        self.assertEqual(self.states(arrangement)[0], 'paid')
        self.bounce(payment, TOLD + days(1))
        self.judge(TOLD + days(1))
        self.assertState(arrangement, 'active', 0.0)
        self.assertEqual(arrangement.instalment_ids[0].last_date, date(2025, 4, 7))
        self.assertHeld(arrangement, TOLD + days(1))

    def test_unmatched_before_its_day_it_is_open_again_at_once(self):
        arrangement = self.agree(self.move)
        payment = self.pay_on(self.move, 150.0, SIGNED + days(1))
        self.assertEqual(self.states(arrangement)[0], 'paid')
        self.on(SIGNED + days(2), payment).remove_move_reconcile()
        self.assertState(arrangement, 'active', 0.0, 300.0)

    def test_bounced_after_it_was_kept_it_runs_again_with_its_days(self):
        arrangement = self.agree(self.move)
        self.pay_on(self.move, 200.0, FIRST)
        payment = self.pay_on(self.move, 100.0, THIRD)
        self.judge(THIRD)
        self.assertState(arrangement, 'kept')
        bounced = THIRD + days(21)
        self.bounce(payment, bounced)
        self.judge(bounced)
        self.assertState(arrangement, 'active', 200.0, 100.0)
        self.assertTrue(all(arrangement.line_ids.mapped('is_live')))
        self.assertHeld(arrangement, bounced)
        self.assertIn("runs again", arrangement.activity_ids.summary)
        self.live(arrangement, bounced, bounced + days(7))
        self.assertState(arrangement, 'active')
        self.live(arrangement, bounced + days(8), bounced + days(12))
        self.assertState(arrangement, 'broken')

    def test_a_bounce_of_an_older_payment_is_not_held_against_it(self):
        old = self.pay_on(self.move, 60.0, SIGNED - days(1))
        arrangement = self.agree(self.move)
        self.bounce(old, SIGNED + days(2))
        self.pay_on(self.move, 240.0, FIRST)
        self.judge(FIRST)
        self.assertState(arrangement, 'kept', 240.0)

    def test_what_lay_ready_when_it_was_offered_only_lowers(self):
        ready = self.receive(amount=60.0, on=SIGNED - days(1))
        arrangement = self.agree(self.move)
        self.judge(TOLD)
        self.assertEqual(self.states(arrangement)[0], 'missed')
        self.assertState(arrangement, 'active', 0.0, 300.0)
        self.on(TOLD, self.items(self.move) | ready).reconcile()
        self.assertEqual(arrangement.instalment_ids.mapped('amount_left'), [100.0, 100.0, 40.0])
        self.assertState(arrangement, 'active', 0.0)

    # --- new invoices ---

    def test_a_new_invoice_has_to_be_paid_where_that_was_agreed(self):
        arrangement = self.agree(self.move, new_invoices='must_pay')
        new = self.invoice(due=SIGNED + days(30), invoice_date=SIGNED + days(1))
        self.pay_on(self.move, 100.0, FIRST)
        due = SIGNED + days(30)  # 9 April; its grace ends on the 14th
        self.live(arrangement, due, due + days(5))
        self.assertFalse(any("Nieuwe factuur" in subject for subject in self.mails(arrangement)))
        self.live(arrangement, due + days(6), due + days(6))
        self.assertIn(f"Nieuwe factuur nog niet betaald: {new.name} ({arrangement.name})", self.mails(arrangement))
        self.assertIn("a new invoice has to be paid by", arrangement.story)
        self.assertEqual(arrangement.new_invoice_last_date, date(2025, 4, 22))
        self.live(arrangement, due + days(7), date(2025, 4, 23))
        self.assertState(arrangement, 'active')
        self.judge(date(2025, 4, 24))
        self.assertState(arrangement, 'broken', 100.0)
        self.assertEqual(arrangement.close_code, 'new_invoice')
        self.assertIn(new.name, arrangement.story)
        self.assertIn("geëindigd", self.mails(arrangement)[-1])

    def test_a_new_invoice_that_is_paid_or_disputed_is_no_reason(self):
        arrangement = self.agree(self.move, new_invoices='must_pay')
        new = self.invoice(due=SIGNED + days(30), invoice_date=SIGNED + days(1))
        self.pay_on(self.move, 300.0 - 0.01, FIRST)
        told = SIGNED + days(36)
        self.judge(told)
        self.assertTrue(arrangement.new_invoice_last_date)
        self.on(told, self.env['dunning.hold']).create({
            'move_id': new.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id,
            'date_end': told + days(14)})
        self.judge(told + days(1))
        self.assertFalse(arrangement.new_invoice_last_date)
        self.pay(new, on=told + days(2))
        self.judge(told + days(40))
        self.assertFalse(arrangement.new_invoice_last_date)

    def test_otherwise_new_invoices_are_none_of_its_business(self):
        arrangement = self.agree(self.move)
        self.invoice(due=SIGNED + days(5), invoice_date=SIGNED + days(1))
        self.pay_on(self.move, 299.0, FIRST)
        self.judge(SIGNED + days(60))
        self.assertFalse(arrangement.new_invoice_last_date)

    # --- interest ---

    def test_no_interest_was_agreed_so_what_ran_is_waived(self):
        move = self.invoice(due=TODAY - days(400), amount=3000.0)
        arrangement = self.agree(move, with_interest=True, with_costs=False, interest_mode='none')
        self.assertGreater(arrangement.amount_interest, 0)
        self.assertTrue(arrangement.booking_move_id)
        owed = arrangement.move_ids
        for day, part in zip((FIRST, SECOND, THIRD), arrangement.instalment_ids, strict=True):
            self.pay_all(owed, part.amount, day)
        self.judge(THIRD)
        self.assertState(arrangement, 'kept', arrangement.amount_total)
        Claim = self.env['dunning.claim']
        claim = Claim._compute(self.items(move), THIRD + days(1), with_costs=False)
        self.assertEqual(claim.interest, 0)
        self.assertEqual(arrangement.waived_on, THIRD)
        waiver = self.env['dunning.waiver'].search([('item_id', 'in', self.items(move).ids)])
        self.assertIn(arrangement.name, waiver.reason)

    def test_interest_that_runs_is_the_last_instalment_to_the_cent(self):
        move = self.invoice(due=TODAY - days(400), amount=3000.0)
        arrangement = self.agree(move, with_interest=True, with_costs=False, interest_mode='runs')
        booked = Decimal(str(arrangement.amount_interest))
        for day, part in zip((FIRST, SECOND, THIRD), arrangement.instalment_ids, strict=True):
            self.pay_all(arrangement.move_ids, part.amount, day)
        self.assertState(arrangement, 'active')
        self.judge(THIRD + days(1))
        self.assertState(arrangement, 'active')
        last = arrangement.instalment_ids.filtered(lambda part: part.kind == 'interest')
        self.assertEqual(last.date_due, date(2025, 6, 10))  # Whitsun is on the 8th and 9th
        claim = self.env['dunning.claim']._compute(self.items(move), THIRD + days(1), with_costs=False)
        account = claim.items[0].account
        self.assertEqual(Decimal(str(last.amount)), account.interest - booked)
        self.assertGreater(last.amount, 0)
        self.assertEqual(arrangement.amount_left, last.amount)
        self.assertHeld(arrangement, THIRD + days(1))
        self.judge(THIRD + days(2))
        self.assertEqual(len(arrangement.instalment_ids), 4)
        self.pay_all(arrangement.move_ids, last.amount, last.date_due)
        self.judge(last.date_due)
        self.assertState(arrangement, 'kept', arrangement.amount_total + last.amount)
        self.assertEqual(
            self.env['dunning.claim']._compute(self.items(move), last.date_due, with_costs=False).interest, 0)

    def pay_all(self, moves, amount, on):
        """Pay an amount of some invoices, the oldest first."""
        items = self.items(moves).filtered(lambda item: not item.reconciled)
        payment = self.receive(moves.commercial_partner_id, amount, on)
        self.on(on, items | payment).reconcile()

    # --- to whom ---

    def test_without_email_the_collector_posts_the_words(self):
        debtor = self.make_debtor("Zonder BV", email=False)
        move = self.invoice(debtor, amount=300.0)
        arrangement = self.agree(move)
        self.live(arrangement, TOLD, TOLD)
        self.assertFalse(self.mails(arrangement))
        self.assertEqual(arrangement.activity_ids.summary, "Post a letter to Zonder BV")
        self.assertIn("no e-mail address that works", arrangement.activity_ids.note)
        words = arrangement.message_ids.mapped('body')
        self.assertTrue(any("kwam nog niet binnen" in str(body) and "NL91" in str(body) for body in words), words)

    def test_in_quiet_hours_the_mail_waits(self):
        self.company.dunning_quiet = True
        arrangement = self.agree(self.move)
        sunday = date(2025, 3, 30)
        self.judge(sunday)
        mail = self.env['mail.mail'].sudo().search(self.mail_domain(arrangement))
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.scheduled_date.date(), date(2025, 3, 31))

    def test_in_english_to_who_reads_english(self):
        debtor = self.make_debtor("Crown Ltd", lang='en_US')
        arrangement = self.agree(self.invoice(debtor, amount=300.0))
        self.judge(REMINDED)
        self.live(arrangement, TOLD, TOLD)
        self.live(arrangement, BROKEN, BROKEN)
        self.assertEqual(self.mails(arrangement), [
            "Your instalment of €100.00 is due on 24 March 2025",
            "We have not received your instalment of 24 March 2025 yet",
            f"The payment arrangement {arrangement.name} has ended"])

    def test_every_mail_says_what_to_pay_and_how(self):
        arrangement = self.agree(self.move)
        self.judge(REMINDED)
        self.judge(TOLD)
        self.judge(BROKEN)
        mails = self.env['mail.mail'].sudo().search(self.mail_domain(arrangement), order='id')
        reminder, missed, broken = mails
        for mail in mails:
            body = mail.body_html
            self.assertNotIn('t-out', body)
            self.assertIn('cid:betaalcode.png', body)
            self.assertEqual(len(mail.attachment_ids), 1)
            self.assertIn("NL91\xa0ABNA", body)
            self.assertIn(f'/my/arrangements/{arrangement.id}', body)
            self.assertNotIn('cid:', mail.body)
        self.assertIn("1 van 3", reminder.body_html)
        self.assertIn("24 maart 2025", reminder.body_html)
        self.assertIn("4 april 2025", missed.body_html)
        self.assertIn("€\xa0300,00", missed.body_html)
        self.assertIn("€\xa0300,00", broken.body_html)

    def test_who_is_bankrupt_gets_no_letter_and_loses_nothing(self):
        arrangement = self.agree(self.move)
        self.on(REMINDED - days(1), self.env['dunning.hold']).create({
            'partner_id': self.business.id, 'company_id': self.company.id,
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_insolvency').id, 'date_end': FIRST})
        self.live(arrangement, REMINDED, BROKEN + days(10))
        self.assertState(arrangement, 'active')
        self.assertFalse(self.mails(arrangement))
        self.assertEqual(self.states(arrangement)[0], 'missed')

    def test_while_an_invoice_is_disputed_it_does_not_end(self):
        arrangement = self.agree(self.move)
        self.on(REMINDED - days(1), self.env['dunning.hold']).create({
            'move_id': self.move.id, 'company_id': self.company.id,
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id, 'date_end': FIRST + days(30)})
        self.live(arrangement, REMINDED, BROKEN + days(3))
        self.assertState(arrangement, 'active')
        self.assertFalse(self.mails(arrangement))

    # --- states and their sentences ---

    def test_every_state_has_its_sentence(self):
        make = self.on(SIGNED, self.env['dunning.arrangement'])._make
        arrangement = make(self.company, self.business, self.items(self.move), {
            'date_first': FIRST, 'with_interest': False, 'with_costs': False})
        self.assertIn("not offered yet", arrangement.story)
        arrangement._offer()
        self.assertIn("it can be signed until", arrangement.story)
        last = arrangement.valid_until
        self.judge(last)
        self.assertState(arrangement, 'offered')
        self.judge(last + days(1))
        self.assertState(arrangement, 'cancelled')
        self.assertEqual(arrangement.close_code, 'expired')
        self.assertIn("It was not signed by", arrangement.story)
        other = make(self.company, self.business, self.items(self.move), {
            'date_first': FIRST, 'with_interest': False, 'with_costs': False})
        other._offer()
        with patch.object(self.registry['dunning.arrangement'], '_countersign_or_ask', lambda self: None):
            other._sign("Jan Jansen", via='paper')
        self.assertIn("Jan Jansen signed on", other.story)
        other._cancel("A mistake.")
        self.assertIn("A mistake.", other.story)

    # --- before it runs ---

    def offer(self, moves, *, on=SIGNED, **terms):
        arrangement = self.on(on, self.env['dunning.arrangement'])._make(
            self.company, moves.commercial_partner_id, self.items(moves), {
                'instalment_count': 3, 'date_first': FIRST, 'with_interest': False, 'with_costs': False, **terms},
            user=self.collector)
        arrangement._offer()
        return arrangement

    def sign(self, arrangement, on):
        with patch.object(self.registry['dunning.arrangement'], '_countersign_or_ask', lambda self: None):
            self.on(on, arrangement)._sign("Jan Jansen", via='paper')

    def test_no_reminder_leaves_while_the_offer_can_be_signed(self):
        self.make_notices(SIGNED)
        self.assertEqual(self.notices_of(self.move).mapped('state'), ['draft'])
        arrangement = self.offer(self.move)
        self.assertFalse(
            self.notices_of(self.move).filtered(lambda notice: notice.state == 'draft'), "What waited is taken back")
        self.assertRecordValues(arrangement.hold_ids, [
            {'move_line_id': self.items(self.move).id, 'date_end': arrangement.valid_until}])
        for day in (SIGNED, SIGNED + days(1), arrangement.valid_until):
            self.judge(day)
            self.assertEqual(self.reason(self.move, day), 'hold')
        over = arrangement.valid_until + days(1)
        self.on(over, self.env['dunning.run'])._plan_company(self.company, over)
        self.assertEqual(arrangement.close_code, 'expired')
        self.assertFalse(arrangement.hold_ids.filtered(lambda hold: not hold.closed_on))
        self.assertEqual(self.reason(self.move, over), 'hold_ended')
        free_on = arrangement.hold_ids.free_on
        self.assertGreater(free_on, over)
        self.assertNotIn(self.reason(self.move, free_on), ('hold', 'hold_ended'))

    def test_what_was_turned_down_is_free_at_once(self):
        arrangement = self.offer(self.move)
        self.on(SIGNED + days(1), arrangement)._cancel("Too expensive.", 'by_debtor')
        self.assertFalse(arrangement.hold_ids.filtered(lambda hold: not hold.closed_on))
        self.assertEqual(self.reason(self.move, SIGNED + days(1)), 'hold_ended')

    def test_who_signed_is_not_reminded_while_it_waits_for_us(self):
        arrangement = self.offer(self.move)
        signed = arrangement.valid_until
        self.sign(arrangement, signed)
        self.assertGreater(arrangement.hold_ids.date_end, signed)
        day = signed
        while day <= GRACE + days(20):
            self.judge(day)
            self.assertEqual(arrangement.state, 'signed')
            self.assertEqual(self.reason(self.move, day), 'hold', day)
            day += days(1)
        hold = arrangement.hold_ids
        self.assertEqual(len(hold), 1, "One hold, that goes on")
        self.assertGreaterEqual(hold.date_end, day - days(1))
        self.on(day, arrangement).with_user(self.collector)._countersign(self.collector)
        self.assertEqual(arrangement.state, 'active')
        self.assertEqual(arrangement.hold_ids, hold)
        self.assertEqual(hold.date_end, arrangement._get_hold_end())

    def test_what_the_running_one_lets_go_is_held_by_the_one_that_takes_its_place(self):
        old = self.agree(self.move)
        on = SIGNED + days(1)
        Arrangement = self.on(on, self.env['dunning.arrangement'])
        new = Arrangement._make(
            self.company, self.business, self.items(self.move), {
                'date_first': FIRST, 'with_interest': False, 'with_costs': False}, previous=old)
        new._offer()
        self.assertFalse(new.hold_ids, "Held by the one that runs")
        self.on(on, old)._cancel("A mistake.")
        self.judge(on)
        self.assertEqual(new.hold_ids.move_line_id, self.items(self.move))
        self.assertEqual(self.reason(self.move, on + days(1)), 'hold')

    # --- the daily run ---

    def test_twice_on_a_day_is_once(self):
        arrangement = self.agree(self.move)

        def picture():
            arrangement.invalidate_recordset()
            return (
                arrangement.read(['state', 'write_date', 'message_ids', 'activity_ids', 'hold_ids'])[0],
                arrangement.instalment_ids.read(), arrangement.hold_ids.read(['write_date', 'date_end', 'closed_on']),
                self.mails(arrangement))

        for day in (REMINDED, FIRST, TOLD, BROKEN, BROKEN + days(1)):
            self.judge(day)
            before = picture()
            self.assertFalse(self.judge(day))
            self.assertEqual(picture(), before, day)

    def test_the_run_judges_before_it_plans(self):
        arrangement = self.agree(self.move)
        self.make_notices(TOLD)
        self.make_notices(BROKEN)
        self.assertState(arrangement, 'broken')
        self.assertFalse(arrangement.hold_ids.activity_ids)
        self.assertFalse(self.notices_of(self.move))

    def test_one_that_fails_does_not_stop_the_others(self):
        bad = self.agree(self.move)
        good = self.agree(self.invoice(self.make_debtor("Goed BV"), amount=300.0))
        follow = type(bad)._follow_up

        def fail(arrangement, day):
            if arrangement.id == bad.id:
                raise ValueError("what nobody thought of")
            return follow(arrangement, day)

        with patch.object(self.registry['dunning.arrangement'], '_follow_up', fail), mute_logger(
            'odoo.addons.l10n_nl_dunning.models.agreement.dunning_arrangement_follow'
        ):
            self.judge(TOLD)
        self.assertFalse(self.mails(bad))
        self.assertEqual(len(self.mails(good)), 1)
        self.judge(TOLD)
        self.assertEqual(len(self.mails(bad)), 1)

    def test_a_payment_never_waits_for_an_arrangement(self):
        arrangement = self.agree(self.move)
        with patch.object(
            self.registry['dunning.arrangement'], '_write_account', side_effect=UserError("no")
        ), mute_logger('odoo.addons.l10n_nl_dunning.models.agreement.dunning_arrangement_follow'):
            self.pay_on(self.move, 300.0, FIRST)
        self.assertEqual(self.move.amount_residual, 0.0)
        self.assertState(arrangement, 'active')
        self.judge(FIRST)
        self.assertState(arrangement, 'kept')

    # --- what it costs ---

    def test_paying_without_arrangements_asks_one_question(self):
        moves = self.env['account.move'].union(*(
            self.invoice(self.make_debtor(f"Klant {number} BV")) for number in range(8)))
        for move in moves:
            self.pay(move)
        partials = self.items(moves).matched_credit_ids
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.assertFalse(partials._get_dunning_followers())

    def test_judging_many_asks_no_more_than_judging_few(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.judge(FIRST - days(10))
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        def more(number):
            for index in range(number):
                self.agree(self.invoice(self.make_debtor(f"Debiteur {number}-{index} BV"), amount=300.0))
            self.judge(FIRST - days(10))

        more(2)
        few = count()
        more(6)
        self.assertLessEqual(count() - few, 2)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementWorkers(BaseCase):
    """Two runs at the same time, in transactions of their own, with committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partner = env['res.partner'].create({'name': "Twee Cursors BV"})
            arrangements = env['dunning.arrangement']._recording().create([{
                'company_id': env.company.id, 'partner_id': partner.id, 'currency_id': env.company.currency_id.id,
                'user_id': SUPERUSER_ID, 'date_first': FIRST, 'state': 'active', 'activated_on': SIGNED,
            } for _number in range(2)])
            self.ids, self.partner_id, self.company_id = arrangements.ids, partner.id, env.company.id
        self.addCleanup(self.clean)

    def clean(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM mail_message WHERE model = 'dunning.arrangement' AND res_id = ANY(%s)", [self.ids])
            cr.execute("DELETE FROM dunning_arrangement WHERE id = ANY(%s)", [self.ids])
            cr.execute("DELETE FROM res_partner WHERE id = %s", [self.partner_id])

    def judge(self, decide):
        """Judge on a connection of its own; ``decide`` stands for what is done with those it got."""
        with self.registry.cursor() as cr, patch.object(self.registry['dunning.arrangement'], '_decide', decide):
            env = api.Environment(cr, SUPERUSER_ID, {})
            env['dunning.arrangement']._judge(env['res.company'].browse(self.company_id), TOLD)

    def test_what_one_run_has_the_other_leaves_alone(self):
        got = []

        def second(arrangements, at_date):
            got.append(('second', arrangements.ids))
            return arrangements.browse()

        def first(arrangements, at_date):
            mine = [number for number in arrangements.ids if number in self.ids]
            if mine:
                got.append(('first', mine))
                self.judge(second)
            return arrangements.browse()

        self.judge(first)
        self.assertEqual(got[0], ('first', self.ids))
        self.assertFalse([ids for name, ids in got if name == 'second' and set(ids) & set(self.ids)], got)
