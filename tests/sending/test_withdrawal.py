import json
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days

BEFORE, AFTER = TODAY - days(3), TODAY + days(2)


class WithdrawalCommon(DunningCommon):
    """Invoices that get a reminder on ``TODAY``; payments are booked afterwards."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.withdrawals = cls.env['dunning.withdrawal']
        cls.overdue = cls.invoice(due=TODAY - days(10), amount=100.0)

    @classmethod
    def proposed(cls, moves=None):
        """Return the withdrawals that are proposed, in the company of the tests."""
        domain = [('state', '=', 'proposed'), ('company_id', '=', cls.company.id)]
        if moves:
            domain += [('line_ids.move_id', 'in', moves.ids)]
        return cls.withdrawals.search(domain)

    @classmethod
    def every_day(cls, at_date):
        """Do what the scheduled action does every day."""
        cls.on(at_date, cls.env['dunning.withdrawal'])._look_again(cls.company, at_date)

    @classmethod
    def refund(cls, moves, amount, on):
        """Book a credit note of before a day and match it."""
        credit = cls.credit_note(moves.partner_id, amount, on)
        (cls.items(moves) | cls.items(credit)).reconcile()
        return credit


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWithdrawal(WithdrawalCommon):
    """A letter that asked what was paid already is taken back, with an apology."""

    # -------------------------------------------------------------------------
    # FINDING OUT
    # -------------------------------------------------------------------------

    def test_paid_before_it_left(self):
        """Reminder on Monday; on Wednesday the bank shows a payment of the Friday before: wrong, and proposed."""
        notice = self.dun()
        self.assertFalse(notice.is_wrong)
        self.pay(self.overdue, on=BEFORE)
        self.assertRecordValues(notice, [{
            'is_wrong': True, 'wrong_amount': 100.0, 'wrong_percent': 100.0, 'state': 'sent'}])
        line = notice.line_ids
        self.assertRecordValues(line, [{
            'wrong_amount': 100.0, 'wrong_paid_on': BEFORE, 'wrong_credited': False, 'status': 'sent'}])
        self.assertTrue(line.wrong_on)
        withdrawal = self.proposed()
        self.assertRecordValues(withdrawal, [{
            'partner_id': self.business.id, 'amount_wrong': 100.0, 'is_whole': True, 'is_all': True}])
        self.assertEqual(withdrawal.activity_ids.mapped('automated'), [True])
        self.assertFalse(withdrawal.activity_ids.user_id._is_superuser())

    def test_crossed(self):
        """Paid on the very day or later: the letter and the money crossed. Nobody was wrong."""
        first = self.dun()
        self.pay(self.overdue, 40.0, on=TODAY)
        self.pay(self.overdue, on=AFTER)
        self.every_day(AFTER)
        self.assertFalse(first.is_wrong)
        self.assertFalse(self.proposed())

    def test_paid_between_proposal_and_sending(self):
        """A payment that arrives before the sending is the normal recheck: nothing leaves, nothing is wrong."""
        notice = self.make_notices()
        self.pay(self.overdue, on=BEFORE)
        self.send(notice)
        self.assertEqual(notice.state, 'cancelled')
        self.assertFalse(notice.is_wrong)
        self.assertFalse(self.proposed())

    def test_part_known_part_late(self):
        """30 was known and not asked; of the 70 that was asked, 20 had been paid."""
        self.pay(self.overdue, 30.0, on=BEFORE)
        notice = self.dun()
        self.assertEqual(notice.amount_due, 70.0)
        self.pay(self.overdue, 20.0, on=BEFORE)
        self.pay(self.overdue, 10.0, on=AFTER)
        self.assertRecordValues(notice.line_ids, [{'wrong_amount': 20.0, 'status': 'sent'}])
        self.assertRecordValues(self.proposed(), [{'is_whole': False, 'is_all': False, 'amount_wrong': 20.0}])

    def test_two_late_parts_make_a_whole(self):
        """Two payments, booked one after the other: what was wrong grows, the proposal stays one."""
        notice = self.dun()
        self.pay(self.overdue, 60.0, on=BEFORE)
        first = self.proposed()
        self.assertEqual(notice.wrong_amount, 60.0)
        self.pay(self.overdue, 40.0, on=BEFORE - days(1))
        self.assertEqual(notice.wrong_amount, 100.0)
        self.assertEqual(self.proposed(), first)
        self.assertTrue(first.is_whole)

    def test_credit_note(self):
        """A credit note from before it counts as well, and the words follow."""
        notice = self.dun()
        self.refund(self.overdue, 100.0, BEFORE)
        self.assertRecordValues(notice.line_ids, [{'wrong_amount': 100.0, 'wrong_credited': True}])
        self.assertIn("gecrediteerd", self.proposed().preview_body)

    def test_netted_credit_is_not_wrong(self):
        """A credit that the notice deducted already, and that is matched later, was never asked."""
        credit = self.credit_note(amount=30.0, on=BEFORE)
        notice = self.dun()
        self.assertEqual(notice.amount_due, 70.0)
        (self.items(self.overdue) | self.items(credit)).reconcile()
        self.assertFalse(notice.is_wrong)
        self.pay(self.overdue, 20.0, on=BEFORE)
        # In one transaction all was known when it left; a credit that came later was not.
        payment = self.receive(amount=5.0, on=BEFORE)
        self.env.cr.execute("UPDATE account_move SET create_date = '2099-01-01' WHERE id = %s", [payment.move_id.id])
        (self.items(self.overdue) | payment).reconcile()
        self.assertEqual(notice.wrong_amount, 25.0)

    def test_netted_on_one_matched_to_another(self):
        """A credit was deducted from the oldest invoice and matched to the other one: the sum was right."""
        other = self.invoice(due=TODAY - days(8), amount=100.0)
        credit = self.credit_note(amount=30.0, on=BEFORE)
        notice = self.dun()
        self.assertEqual(notice.amount_due, 170.0)
        (self.items(other) | self.items(credit)).reconcile()
        self.assertFalse(notice.is_wrong)

    def test_write_off_is_no_payment(self):
        """The company's own decision to write off, dated back, does not make its letter wrong."""
        notice = self.dun()
        move = self.env['account.move'].create({
            'journal_id': self.company_data['default_journal_misc'].id, 'date': BEFORE,
            'line_ids': [
                Command.create({'account_id': self.company_data['default_account_expense'].id, 'debit': 100.0}),
                Command.create({
                    'account_id': self.receivable.id, 'credit': 100.0, 'partner_id': self.business.id})]})
        move.action_post()
        (self.items(self.overdue) | move.line_ids.filtered('credit')).reconcile()
        self.assertFalse(notice.is_wrong)

    def test_letter_leaves_when_it_is_posted(self):
        """Printed on Monday, made again and posted on Wednesday, paid on Tuesday: it was wrong when it left."""
        self.reminder.channel = 'letter'
        notice = self.dun()
        self.post_letters(notice, TODAY + days(2))
        self.assertEqual(notice.state, 'queued', "Its term would be too short")
        self.post_letters(self.send(notice, TODAY + days(2)), TODAY + days(2))
        self.assertEqual(notice.state, 'sent')
        self.pay(self.overdue, on=TODAY + days(1))
        self.assertTrue(notice.is_wrong)

    def test_task_is_no_notice_to_a_debtor(self):
        """Nobody was asked anything by an internal task."""
        self.reminder.channel = 'task'
        notice = self.dun()
        self.called(notice)
        self.assertEqual(notice.state, 'sent')
        self.pay(self.overdue, on=BEFORE)
        self.assertFalse(notice.is_wrong)

    def test_every_day_finds_what_the_booking_missed(self):
        """What was written past the hook is found by the daily step, once."""
        notice = self.dun()
        self.patch(
            self.registry['account.partial.reconcile'], '_update_dunning_wrong', lambda partials: None)
        self.pay(self.overdue, on=BEFORE)
        self.assertFalse(notice.is_wrong)
        self.every_day(AFTER)
        self.assertTrue(notice.is_wrong)
        self.assertEqual(notice.line_ids.wrong_on, AFTER)
        self.every_day(AFTER + days(1))
        self.assertEqual(notice.line_ids.wrong_on, AFTER, "Found out once")
        self.assertEqual(len(self.proposed()), 1)

    def test_matched_by_mistake(self):
        """A payment that was matched to the wrong invoice and taken off again withdraws nothing."""
        notice = self.dun()
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.unpay(self.overdue)
        self.assertFalse(notice.is_wrong)
        self.assertEqual(withdrawal.state, 'cancelled')
        self.assertFalse(withdrawal.activity_ids)
        self.assertEqual(self.overdue.dunning_level_id, self.reminder, "The letter stands, and nothing is sent twice")
        with self.assertRaises(UserError):
            withdrawal.action_send()

    def test_one_message_for_two_notices(self):
        """Reminder and demand, and then a payment from before both: one apology about both."""
        first = self.dun()
        second = self.dun(TODAY + days(14))
        self.assertEqual(second.level_id, self.demand)
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.assertEqual(withdrawal.notice_ids, first | second)
        self.assertEqual(withdrawal.notice_id, second)
        self.on(AFTER, withdrawal).action_send()
        self.assertEqual((first | second).mapped('state'), ['withdrawn', 'withdrawn'])
        self.unpay(self.overdue)
        self.assertFalse(self.overdue.dunning_level_id)

    # -------------------------------------------------------------------------
    # TAKING BACK
    # -------------------------------------------------------------------------

    def test_withdrawn_and_told(self):
        """Approved: the debtor reads an apology in his language, the level is gone, the proof stays as it was."""
        notice = self.dun()
        before = notice.read(['name', 'subject', 'body_intro', 'amount_due', 'letter_sha256', 'letter_file', 'date'])
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.on(AFTER, withdrawal).action_send()
        self.assertRecordValues(withdrawal, [{
            'state': 'sent', 'date': AFTER, 'decided_by_id': self.env.uid, 'email_to': self.business.email_formatted}])
        self.assertRecordValues(notice, [{'state': 'withdrawn', 'withdrawn_on': AFTER, 'is_wrong': True}])
        self.assertEqual(notice.line_ids.status, 'withdrawn')
        self.assertEqual(notice.read(list(before[0])[1:]), before)
        mail = self.env['mail.mail'].search([('model', '=', 'dunning.withdrawal'), ('res_id', '=', withdrawal.id)])
        self.assertEqual(mail.subject, "Excuses: u had al betaald")
        self.assertIn("U had toen al betaald", mail.body_html)
        self.assertIn(self.overdue.name, mail.body_html)
        self.assertNotIn('&lt;', mail.body_html)
        self.assertIn("als niet verzonden", withdrawal.body)
        self.assertFalse(withdrawal.activity_ids)
        self.assertIn("withdrawn", "".join(self.overdue.message_ids.mapped('body')))
        with self.assertRaises(UserError):
            notice.unlink()
        with self.assertRaises(UserError):
            notice.write({'note': "x"})
        with self.assertRaises(UserError):
            self.on(AFTER, withdrawal).action_send()
        self.assertEqual(self.env['mail.mail'].search_count([
            ('model', '=', 'dunning.withdrawal'), ('res_id', '=', withdrawal.id)]), 1, "Nobody is told twice")

    def test_chargeback_after_withdrawal(self):
        """The payment bounces after the apology: the item is back at the level from before, and climbs from there."""
        first = self.dun()
        second = self.dun(TODAY + days(14))
        payment = self.pay(self.overdue, on=TODAY + days(5))
        self.assertFalse(first.is_wrong, "Crossed")
        self.assertTrue(second.is_wrong)
        self.on(TODAY + days(16), self.proposed()).action_send()
        self.assertFalse(self.overdue.dunning_level_id)
        self.unpay(self.overdue)
        payment.move_id._reverse_moves([{'date': TODAY + days(18)}], cancel=True)
        self.assertTrue(second.is_wrong, "What was withdrawn stays withdrawn")
        self.assertEqual(self.overdue.dunning_level_id, self.reminder)
        self.assertEqual(self.decision(self.overdue, TODAY + days(20)).level_id, self.demand.id)
        third = self.dun(TODAY + days(20))
        self.assertRecordValues(third, [{'state': 'sent', 'level_id': self.demand.id}])

    def test_one_of_two_items(self):
        """One of two invoices had been paid: that one is withdrawn, the notice stands for the other."""
        other = self.invoice(due=TODAY - days(8), amount=50.0)
        notice = self.dun()
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.assertRecordValues(withdrawal, [{'is_whole': True, 'is_all': False}])
        self.assertIn("staat nog wel open", withdrawal.preview_body)
        self.on(AFTER, withdrawal).action_send()
        self.assertEqual(notice.state, 'sent')
        by_move = {line.move_id: line.status for line in notice.line_ids}
        self.assertEqual(by_move, {self.overdue: 'withdrawn', other: 'sent'})
        self.assertEqual(other.dunning_level_id, self.reminder)
        # The other one turns out to be paid as well: a second message, and now nothing is left of the notice.
        self.pay(other, on=BEFORE)
        again = self.proposed()
        self.assertEqual(again.line_ids.move_id, other)
        self.on(AFTER, again).action_silent()
        self.assertEqual(again.state, 'silent')
        self.assertEqual(notice.state, 'withdrawn')

    def test_part_of_an_item(self):
        """A part had been paid: the debtor is told of that part, and the level stands."""
        notice = self.dun()
        self.pay(self.overdue, 40.0, on=BEFORE)
        withdrawal = self.proposed()
        self.on(AFTER, withdrawal).action_send()
        self.assertIn("€\N{NO-BREAK SPACE}40,00", withdrawal.body)
        self.assertIn("€\N{NO-BREAK SPACE}60,00", withdrawal.body)
        self.assertEqual((notice.state, notice.line_ids.status), ('sent', 'sent'))
        self.assertEqual(self.overdue.dunning_level_id, self.reminder)
        self.every_day(AFTER + days(1))
        self.assertFalse(self.proposed(), "What was told is not told again")
        # Another part turns out to be from before: only that is told.
        payment = self.pay(self.overdue, 25.0, on=BEFORE)
        more = self.proposed()
        self.on(AFTER, more).action_send()
        self.assertIn("€\N{NO-BREAK SPACE}25,00", more.body)
        self.assertNotIn("€\N{NO-BREAK SPACE}65,00", more.body)
        self.assertEqual(notice.wrong_amount, 65.0)
        payment.remove_move_reconcile()
        self.unpay(self.overdue)
        self.assertEqual(notice.wrong_amount, 65.0, "What was told stays told")

    def test_english_debtor(self):
        self.business.lang = 'en_US'
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.assertEqual(withdrawal.preview_subject, "Our apologies: you had already paid")
        self.assertIn("You had paid by then", withdrawal.preview_body)

    def test_own_words(self):
        """What the person wrote is what the debtor reads, and it stays."""
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.assertIn("U had toen al betaald", withdrawal.preview_body)
        withdrawal.write({'preview_subject': "Sorry", 'preview_body': "<p>Onze <script>x</script>fout.</p>"})
        withdrawal.invalidate_recordset()
        self.on(AFTER, withdrawal).action_send()
        self.assertEqual((withdrawal.subject, withdrawal.body), ("Sorry", "<p>Onze fout.</p>"))
        mail = self.env['mail.mail'].search([('model', '=', 'dunning.withdrawal'), ('res_id', '=', withdrawal.id)])
        self.assertEqual(mail.subject, "Sorry")
        self.assertIn("Onze fout.", mail.body_html)
        with self.assertRaises(UserError):
            withdrawal.preview_body = "<p>Anders</p>"
        self.assertEqual(withdrawal.body, "<p>Onze fout.</p>")

    def test_an_empty_message_is_the_proposed_one(self):
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        withdrawal.write({'preview_subject': "Sorry", 'preview_body': "<p><br></p>"})
        withdrawal.invalidate_recordset()
        self.assertEqual(withdrawal.preview_subject, "Sorry")
        self.assertIn("U had toen al betaald", withdrawal.preview_body)

    def test_it_changed_since_somebody_looked(self):
        """The payment is taken off the invoice again: nothing is left to send."""
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.unpay(self.overdue)
        with self.assertRaises(UserError):
            self.on(AFTER, withdrawal).action_send()

    def test_more_was_wrong_than_was_shown(self):
        """What the booking did not tell is found at the click: nobody sends what nobody saw."""
        self.dun()
        self.pay(self.overdue, 40.0, on=BEFORE)
        withdrawal = self.proposed()
        withdrawal.preview_body = "<p>Het gaat om € 40.</p>"
        with patch.object(self.registry['account.partial.reconcile'], '_update_dunning_wrong', lambda partials: None):
            self.pay(self.overdue, on=BEFORE)
        result = self.on(AFTER, withdrawal).action_send()
        self.assertRecordValues(withdrawal, [{'state': 'proposed', 'amount_wrong': 100.0, 'subject': False}])
        self.assertIn("Look again", result['params']['message'])
        self.on(AFTER, withdrawal).action_send()
        self.assertIn("U had toen al betaald", withdrawal.body)

    def test_own_words_hold_for_what_was_open(self):
        """Other amounts, other words: what a person wrote about the old ones is not sent."""
        self.dun()
        self.pay(self.overdue, 40.0, on=BEFORE)
        withdrawal = self.proposed()
        withdrawal.preview_body = "<p>Er staat nog € 60 open.</p>"
        self.pay(self.overdue, 10.0, on=AFTER)
        self.on(AFTER, withdrawal).action_send()
        self.assertRecordValues(withdrawal, [{'state': 'proposed', 'subject': False}])
        self.assertIn("€\N{NO-BREAK SPACE}50,00", withdrawal.preview_body)
        # More turns out to be wrong: as well.
        withdrawal.preview_body = "<p>Er staat nog € 50 open.</p>"
        self.pay(self.overdue, on=BEFORE)
        self.assertIn("€\N{NO-BREAK SPACE}90,00", withdrawal.preview_body)
        self.on(AFTER, withdrawal).action_send()
        self.assertEqual(withdrawal.state, 'sent')

    def test_many_at_once(self):
        """One click for many: the debtor without an address stays proposed and keeps nobody else."""
        debtors = [self.make_debtor("Slager BV"), self.make_debtor("Groenteman BV")]
        moves = self.overdue | self.invoice(debtors[0], due=TODAY - days(10)) | self.invoice(
            debtors[1], due=TODAY - days(10))
        self.dun()
        debtors[1].email = False
        for move in moves:
            self.pay(move, on=BEFORE)
        withdrawals = self.proposed()
        self.assertEqual(len(withdrawals), 3)
        result = self.on(AFTER, withdrawals).action_send()
        self.assertEqual(sorted(withdrawals.mapped('state')), ['proposed', 'sent', 'sent'])
        self.assertEqual(self.proposed().partner_id, debtors[1])
        self.assertIn("2 debtors are told", result['params']['message'])
        self.assertIn("1 have no e-mail address", result['params']['message'])

    def test_after_a_letter(self):
        """Paper is corrected by e-mail as well, from the day on which it was posted."""
        self.reminder.channel = 'letter'
        self.post_letters(self.dun())
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.on(AFTER, withdrawal).action_send()
        self.assertRecordValues(withdrawal, [{'state': 'sent', 'email_to': self.business.email_formatted}])

    def test_no_address_left(self):
        """The address is gone: it stays proposed with a sentence, or is withdrawn without a message."""
        self.dun()
        self.business.write({'email': False, 'street': False})
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.on(AFTER, withdrawal).action_send()
        self.assertEqual(withdrawal.state, 'proposed')
        self.on(AFTER, withdrawal).action_silent()
        self.assertEqual(withdrawal.state, 'silent')

    def test_quiet_hours(self):
        """Approved on a Sunday, it leaves on Monday morning."""
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        self.company.dunning_quiet = True
        sunday = TODAY + days(6)
        withdrawal = self.proposed()
        self.on(sunday, withdrawal).action_send()
        mail = self.env['mail.mail'].search([('model', '=', 'dunning.withdrawal'), ('res_id', '=', withdrawal.id)])
        self.assertEqual(str(mail.scheduled_date), '2025-03-10 06:00:00')

    def test_booked_costs_are_credited(self):
        """Costs and interest that were booked for it are said in the to-do and credited with it."""
        policy = self.make_policy("With costs", [
            {'name': "Demand", 'delay_days': 5, 'with_costs': True, 'with_interest': True}],
            debtor_type='business', claim_booking='booked')
        self.use_policy(policy)
        self.company.dunning_policy_consumer_id = self.ladder
        self.freshen_rates()
        notice = self.dun()
        self.assertEqual(notice.amount_costs, 40.0)
        booking = notice.booking_ids
        self.assertEqual(booking.amount_total, notice.amount_costs + notice.amount_interest)
        self.pay(self.overdue, on=BEFORE)
        withdrawal = self.proposed()
        self.assertTrue(withdrawal.credit_bookings)
        self.assertAlmostEqual(withdrawal.amount_extras, booking.amount_total, 2)
        self.assertAlmostEqual(withdrawal.amount_booked, booking.amount_total, 2)
        self.assertIn("vervallen", withdrawal.preview_body)
        self.on(AFTER, withdrawal).action_send()
        self.assertEqual(booking.amount_residual, 0.0)
        self.assertEqual(notice.booking_ids.mapped('move_type').count('out_refund'), 1)
        with self.assertRaises(UserError):
            booking.button_draft()

    def freshen_rates(self):
        self.patch(self.registry['dunning.interest.rate'], '_freshness', lambda rates, at_date: {})

    # -------------------------------------------------------------------------
    # THE RATE
    # -------------------------------------------------------------------------

    def test_wrong_rate(self):
        """Counted by hand: March 4 sent, 1 wrong and withdrawn; April 1 sent, 0 wrong; May nothing."""
        moves = [
            self.invoice(self.make_debtor(f"Klant {number} BV"), due=TODAY - days(10)) for number in range(3)]
        notices = self.dun()
        self.assertEqual(len(notices), 4)
        self.pay(moves[0], on=BEFORE)
        self.on(AFTER, self.proposed()).action_send()
        self.pay(moves[1], on=AFTER)  # crossed
        self.pay(self.overdue, on=TODAY)
        self.assertEqual(self.company.get_dunning_wrong_rate('2025-03-01', '2025-03-31'), 25.0)
        april = self.dun(TODAY + days(35))
        self.assertEqual(april.level_id, self.demand)
        self.assertEqual(self.company.get_dunning_wrong_rate('2025-03-01', '2025-04-30'), 20.0)
        self.assertEqual(self.company.get_dunning_wrong_rate('2025-04-01', '2025-04-30'), 0.0)
        self.assertEqual(self.company.get_dunning_wrong_rate('2025-05-01', '2025-05-31'), 0.0)
        rows = self.env['dunning.notice']._read_group(
            [('company_id', '=', self.company.id), ('state', 'in', ('sent', 'withdrawn'))],
            ['date:month', 'level_id'], ['wrong_percent:avg', '__count'], order='date:month')
        self.assertEqual(
            [(level, rate, count) for _month, level, rate, count in rows],
            [(self.reminder, 25.0, 4), (self.demand, 0.0, 1)])
        self.assertEqual(self.env['dunning.notice'].with_context(
            allowed_company_ids=self.company.ids, dunning_at_date=AFTER).get_dunning_wrong_figure(),
            "Wrong notices in the last twelve months: 1 of 5 (20.0%)")

    # -------------------------------------------------------------------------
    # RIGHTS AND COMPANIES
    # -------------------------------------------------------------------------

    def test_rights(self):
        """Sales cannot look, readers cannot decide, accountants can; nobody can write history."""
        self.dun()
        users = {
            group: new_test_user(self.env, f'withdrawal_{number}', groups=f'base.group_user,{group}',
                                 company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
            for number, group in enumerate((
                'base.group_partner_manager', 'account.group_account_readonly', 'account.group_account_invoice'))}
        sales, reader, accountant = users.values()
        # Who books the payment needs no right to notices.
        self.pay(self.overdue.with_user(accountant), on=BEFORE)
        withdrawal = self.proposed()
        with self.assertRaises(AccessError):
            withdrawal.with_user(sales).read(['state'])
        with self.assertRaises(AccessError):
            self.company.with_user(sales).get_dunning_wrong_rate(BEFORE, AFTER)
        self.assertEqual(self.company.with_user(reader).get_dunning_wrong_rate(BEFORE, AFTER), 100.0)
        withdrawal.with_user(reader).read([])
        for method in ('action_send', 'action_silent'):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                getattr(self.on(AFTER, withdrawal.with_user(reader)), method)()
        as_accountant = self.on(AFTER, withdrawal.with_user(accountant))
        for forged in ({'state': 'sent'}, {'amount_wrong': 1.0}, {'line_ids': [(5,)]}):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                as_accountant.write(forged)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            withdrawal.unlink()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.withdrawals.create({'company_id': self.company.id, 'partner_id': self.business.id})
        as_accountant.action_send()
        self.assertRecordValues(withdrawal, [{'state': 'sent', 'decided_by_id': accountant.id}])

    def test_context_of_a_browser(self):
        """A browser cannot pretend to be the program."""
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        context = json.loads(json.dumps({'dunning_recording': True}))
        with self.assertRaises(UserError):
            self.proposed().with_context(**context).write({'state': 'sent'})

    def test_companies_are_apart(self):
        """What another company sent to the same debtor is its own affair."""
        other = self.setup_other_company(name="Zuster BV")['company']
        other.write({
            'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False, 'dunning_quiet': False,
            'dunning_contacts_per_week': 0})
        self.use_policy(self.ladder, other)
        theirs = self.invoice(due=TODAY - days(10), company=other)
        notice, = self.dun()
        their_notice, = self.dun(company=other)
        self.pay(theirs, on=BEFORE)
        self.assertFalse(notice.is_wrong)
        self.assertTrue(their_notice.is_wrong)
        withdrawal = self.withdrawals.search([('line_ids', 'in', their_notice.line_ids.ids)])
        self.assertEqual(withdrawal.company_id, other)
        self.assertEqual(self.company.get_dunning_wrong_rate(BEFORE, AFTER), 0.0)
        self.assertEqual(other.get_dunning_wrong_rate(BEFORE, AFTER), 100.0)
        reader = new_test_user(
            self.env, 'withdrawal_here', groups='base.group_user,account.group_account_invoice',
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        self.assertFalse(self.withdrawals.with_user(reader).search([('id', '=', withdrawal.id)]))

    @mute_logger('odoo.sql_db')
    def test_one_proposal_per_debtor(self):
        """Two workers that find the same cannot both propose it."""
        self.dun()
        self.pay(self.overdue, on=BEFORE)
        first = self.proposed()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            first.sudo()._recording().create({
                'company_id': self.company.id, 'partner_id': self.business.id, 'currency_id': first.currency_id.id})

    def test_paying_costs_little(self):
        """Paying invoices that never had a notice asks one question more; no loop per invoice."""
        self.dun()
        moves = self.env['account.move'].union(*(
            self.invoice(self.make_debtor(f"Klant {number} BV"), due=TODAY + days(10)) for number in range(8)))
        partials = self.env['account.partial.reconcile']
        self.env.flush_all()
        with self.assertQueryCount(1):
            partials.env['dunning.notice']._find_late_settled(self.items(moves))
