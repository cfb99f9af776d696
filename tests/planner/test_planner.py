"""The planner: what is due on which day, or the first reason why not."""

from odoo import Command
from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.models.ladder.dunning_level import CHANNELS
from odoo.addons.l10n_nl_dunning.models.planner.dunning_planner import Decision

from ..common import TODAY, DunningCommon, days

# The day on which what was to be paid on TODAY reaches the first level.
DUE = TODAY + days(5)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLadder(DunningCommon):
    """What is due when."""

    def test_day_4_nothing_day_5_reminder_paid_gone(self):
        invoice = self.invoice(due=TODAY)
        self.assertEqual(self.reason(invoice, TODAY), 'not_due')
        self.assertEqual(self.reason(invoice, TODAY + days(1)), 'waiting_delay')
        self.assertEqual(self.reason(invoice, TODAY + days(4)), 'waiting_delay')
        self.assertFalse(self.make_notices(TODAY + days(4)))

        notice = self.dun(DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'level_id': self.reminder.id, 'amount_due': 100.0}])
        self.assertEqual(invoice.dunning_level_id, self.reminder)

        self.pay(invoice)
        self.assertEqual(self.reason(invoice, TODAY + days(30)), 'settled')
        self.assertFalse(invoice.dunning_level_id)
        self.assertFalse(self.make_notices(TODAY + days(30)))

    def test_the_whole_ladder_counts_from_the_deadline_that_was_given(self):
        invoice = self.invoice(due=TODAY)
        # Sent a week late: the next level counts from the term that letter gave.
        self.dun(TODAY + days(12))
        self.assertEqual(self.decision(invoice, TODAY + days(13)).last_deadline, TODAY + days(22))
        self.assertEqual(self.reason(invoice, TODAY + days(22)), 'waiting_deadline')
        self.assertEqual(self.reason(invoice, TODAY + days(25)), 'waiting_deadline')
        decision = self.decision(invoice, TODAY + days(26))
        self.assertEqual((decision.reason, decision.level_id, decision.level_date), (
            None, self.demand.id, TODAY + days(26)))
        self.assertEqual(self.dun(TODAY + days(26)).level_id, self.demand)
        self.assertEqual(self.dun(TODAY + days(34)).level_id, self.final)
        self.assertEqual(invoice.dunning_level_id, self.final)
        self.assertEqual(self.reason(invoice, TODAY + days(400)), 'finished')
        self.assertFalse(self.make_notices(TODAY + days(400)))

    def test_any_date_is_answered_also_the_past(self):
        invoice = self.invoice(due=TODAY)
        self.dun(DUE)
        self.assertEqual(self.reason(invoice, TODAY - days(10)), 'not_due')
        # On the fourth day the reminder had not been sent yet.
        self.assertEqual(self.decision(invoice, TODAY + days(4)).level_id, self.reminder.id)
        self.assertEqual(self.decision(invoice, DUE).last_level_id, self.reminder.id)

    def test_next_date_is_the_day_the_answer_changes(self):
        invoice = self.invoice(due=TODAY)
        for at_date in (TODAY - days(3), TODAY + days(2)):
            self.assertEqual(self.decision(invoice, at_date).next_date, DUE)
        self.dun(DUE)
        decision = self.decision(invoice, TODAY + days(6))
        self.assertEqual(decision.next_date, TODAY + days(19))
        self.assertEqual(self.reason(invoice, decision.next_date - days(1)), 'waiting_deadline')
        self.assertEqual(self.reason(invoice, decision.next_date), 'due')

    def test_a_friendly_notice_before_the_due_date_and_never_after_it(self):
        self.use_policy(self.make_policy("Friendly", [
            {'name': "Soon due", 'delay_days': -5, 'payment_term_days': 0},
            {'name': "Overdue", 'delay_days': 5},
        ]))
        friendly, overdue = self.company.dunning_policy_business_id.level_ids
        told, late = self.invoice(due=TODAY), self.invoice(due=TODAY)
        self.assertEqual(self.reason(told, TODAY - days(6)), 'not_due')
        self.assertEqual(self.decision(told, TODAY - days(5)).level_id, friendly.id)
        self.assertEqual(self.decision(told, TODAY).level_id, friendly.id)
        # Too late for it: the day after the due date the next level is what comes.
        decision = self.decision(late, TODAY + days(1))
        self.assertEqual((decision.level_id, decision.reason), (overdue.id, 'waiting_delay'))

        notices = self.dun(TODAY - days(5))
        self.assertEqual(notices.level_id, friendly)
        self.assertEqual(self.reason(told, TODAY + days(4)), 'waiting_deadline')
        self.assertEqual(self.decision(told, DUE).level_id, overdue.id)

    def test_7_15_30_counts_every_level_from_the_due_date(self):
        self.use_policy(self.make_policy("7-15-30", [
            {'delay_days': 7, 'payment_term_days': 7},
            {'delay_days': 15, 'payment_term_days': 7},
            {'delay_days': 30, 'payment_term_days': 7},
        ]))
        invoice = self.invoice(due=TODAY)
        sent = []
        for day in range(40):
            sent += [(day, notice.level_id.sequence) for notice in self.dun(TODAY + days(day))]
        self.assertEqual(sent, [(7, 10), (15, 20), (30, 30)])
        self.assertEqual(self.reason(invoice, TODAY + days(40)), 'finished')

    def test_7_15_30_sent_late_still_gives_each_term_in_full(self):
        self.use_policy(self.make_policy("7-15-30", [
            {'delay_days': 7, 'payment_term_days': 7}, {'delay_days': 15, 'payment_term_days': 7}]))
        invoice = self.invoice(due=TODAY)
        self.dun(TODAY + days(20))
        self.assertEqual(self.reason(invoice, TODAY + days(27)), 'waiting_deadline')
        self.assertEqual(self.reason(invoice, TODAY + days(28)), 'due')

    def test_no_delay_after_the_deadline_still_lets_the_deadline_pass(self):
        self.use_policy(self.make_policy("Strict", [
            {'delay_days': 1, 'payment_term_days': 7},
            {'delay_days': 0, 'payment_term_days': 7, 'delay_from': 'previous_deadline'}]))
        invoice = self.invoice(due=TODAY)
        self.dun(TODAY + days(1))
        self.assertEqual(self.reason(invoice, TODAY + days(8)), 'waiting_deadline')
        self.assertEqual(self.reason(invoice, TODAY + days(9)), 'due')

    def test_each_instalment_has_its_own_place_on_the_ladder(self):
        invoice = self.invoice(amount=1000, instalments=[(40, TODAY), (60, TODAY + days(30))])
        first, second = self.items(invoice)
        notice = self.dun(DUE)
        self.assertRecordValues(notice, [{'amount_due': 400.0, 'line_count': 1, 'level_id': self.reminder.id}])
        self.assertEqual(self.reason(first, TODAY + days(18)), 'waiting_deadline')
        self.assertEqual(self.reason(second, TODAY + days(18)), 'not_due')
        self.assertEqual(self.dun(TODAY + days(19)).level_id, self.demand)
        later = self.dun(TODAY + days(35))
        # One message, in which each instalment is at its own step.
        self.assertRecordValues(later, [{'level_id': self.final.id, 'amount_due': 1000.0}])
        self.assertEqual(
            {(line.level_id, line.amount_residual) for line in later.line_ids},
            {(self.final, 400.0), (self.reminder, 600.0)})
        # The invoice shows the highest level of what is still open.
        self.assertEqual(invoice.dunning_level_id, self.final)
        self.pay(first)
        self.assertEqual(invoice.dunning_level_id, self.reminder)

    def test_a_due_date_moved_to_the_future_stops_every_level(self):
        invoice = self.invoice(due=TODAY)
        self.dun(DUE)
        item = self.items(invoice)
        item.date_maturity = TODAY + days(60)
        self.assertEqual(self.reason(item, TODAY + days(19)), 'not_due')
        self.assertEqual(self.reason(item, TODAY + days(60)), 'not_due')
        # The reminder was about another due date: the ladder begins anew.
        self.assertEqual(self.decision(item, TODAY + days(61)).level_id, self.reminder.id)

    def test_reordered_levels_never_send_a_level_twice(self):
        invoice = self.invoice(due=TODAY)
        self.dun(DUE)
        # The sent reminder is moved behind the demand.
        self.reminder.sequence = 25
        decision = self.decision(invoice, TODAY + days(30))
        self.assertEqual(decision.level_id, self.final.id)
        # And a level put before it is not sent afterwards.
        self.reminder.sequence = 5
        self.assertEqual(self.decision(invoice, TODAY + days(30)).level_id, self.demand.id)

    def test_a_sent_level_that_is_moved_behind_the_last_one_is_not_sent_again(self):
        invoice = self.invoice()
        self.dun(DUE)
        self.dun(TODAY + days(19))
        self.reminder.sequence = 25
        self.assertEqual(self.decision(invoice, TODAY + days(60)).level_id, self.final.id)
        self.assertEqual(self.dun(TODAY + days(60)).level_id, self.final)

    def test_an_archived_level_is_passed_by(self):
        invoice = self.invoice(due=TODAY)
        self.dun(DUE)
        self.demand.active = False
        self.assertEqual(self.decision(invoice, TODAY + days(30)).level_id, self.final.id)
        self.reminder.active = False
        self.assertEqual(self.decision(invoice, TODAY + days(30)).last_level_id, self.reminder.id)

    def test_a_payment_that_bounced_gives_the_level_back(self):
        invoice = self.invoice(due=TODAY)
        self.dun(DUE)
        self.pay(invoice)
        self.assertFalse(invoice.dunning_level_id)
        self.unpay(invoice)
        self.assertEqual(invoice.dunning_level_id, self.reminder)
        # The money lies there as a credit still: it covers the invoice until it is taken back.
        self.assertEqual(self.reason(invoice, TODAY + days(30)), 'netted')
        self.env['account.move'].search([('journal_id', '=', self.bank_journal.id)]).button_draft()
        self.assertEqual(self.decision(invoice, TODAY + days(30)).level_id, self.demand.id)
        self.assertEqual(self.reason(invoice, TODAY + days(30)), 'due')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReasons(DunningCommon):
    """The first reason why not, and its sentence."""

    def assertReason(self, record, code, at_date=DUE):
        decision = self.decision(record, at_date)
        self.assertEqual(decision.reason, code)
        return self.assertExplained(decision)

    def test_due_is_explained_too(self):
        sentence = self.assertReason(self.invoice(), None)
        self.assertIn("Reminder", sentence)
        self.assertIn("100", sentence)

    def test_not_posted(self):
        self.assertReason(self.invoice(post=False), 'not_posted')
        cancelled = self.invoice()
        cancelled.button_draft()
        cancelled.button_cancel()
        self.assertReason(cancelled, 'not_posted')

    def test_settled_by_payment_or_credit_note(self):
        paid = self.invoice()
        self.pay(paid)
        self.assertReason(paid, 'settled')
        credited = self.invoice()
        (self.items(credited) | self.items(self.credit_note())).reconcile()
        self.assertReason(credited, 'settled')

    def test_credit(self):
        self.assertReason(self.credit_note(), 'credit')

    def test_no_debtor(self):
        item = self.receive(amount=1)
        move = self.env['account.move'].create({
            'journal_id': self.bank_journal.id, 'date': TODAY, 'line_ids': [
                Command.create({'account_id': self.receivable.id, 'debit': 10, 'date_maturity': TODAY}),
                Command.create({'account_id': self.bank_journal.default_account_id.id, 'credit': 10}),
            ]})
        move.action_post()
        lone = move.line_ids.filtered('debit')
        lone.no_followup = False
        self.assertReason(lone, 'no_debtor')
        self.assertReason(item, 'credit')

    def use_accounting_app(self):
        """With the accounting app, payments wait for the bank and may have no journal entry until then."""
        self.patch(self.registry['account.move'], '_get_invoice_in_payment_state', lambda move: 'in_payment')

    def test_settled_by_a_payment_that_waits_for_the_bank(self):
        self.use_accounting_app()
        invoice = self.invoice()
        self._register_payment(invoice, payment_date=TODAY)
        self.assertEqual(invoice.payment_state, 'in_payment')
        self.assertReason(invoice, 'settled')

    def test_a_payment_without_journal_entry_is_a_payment_of_what_was_registered(self):
        self.use_accounting_app()
        self.inbound_payment_method_line.payment_account_id = False
        for amount, asked in ((100.0, 0.0), (40.0, 60.0)):
            invoice = self.invoice()
            payment = self._register_payment(invoice, amount=amount, payment_date=TODAY)
            self.assertFalse(payment.move_id)
            self.assertReason(invoice, None if asked else 'payment_pending')
            self.assertEqual(self.decision(invoice).amount_due, asked)
            payment.action_cancel()
            self.assertReason(invoice, None)

    def test_what_such_a_payment_has_too_much_is_a_credit_and_one_of_an_instalment_holds_no_other(self):
        self.use_accounting_app()
        self.inbound_payment_method_line.payment_account_id = False
        invoice, other = self.invoice(), self.invoice(amount=60.0)
        payment = self.env['account.payment'].create({
            'payment_type': 'inbound', 'partner_type': 'customer', 'partner_id': self.business.id, 'amount': 160.0,
            'date': TODAY, 'journal_id': self.bank_journal.id, 'invoice_ids': invoice.ids,
            'payment_method_line_id': self.inbound_payment_method_line.id})
        payment.action_post()
        self.assertReason(other, 'netted')
        payment.action_cancel()
        parts = self.items(self.invoice(
            amount=1000.0, instalments=[(50, TODAY - days(40)), (50, TODAY - days(10))]))
        (invoice | other).button_draft()
        payment.copy({'amount': 500.0, 'invoice_ids': parts.move_id.ids, 'date': TODAY}).action_post()
        self.assertEqual([self.decision(part).amount_due for part in parts], [0.0, 500.0])

    def test_a_payment_without_journal_entry_nor_invoice_covers_what_is_oldest(self):
        self.use_accounting_app()
        self.inbound_payment_method_line.payment_account_id = False
        old, new = self.invoice(due=TODAY - days(9)), self.invoice(due=TODAY)
        payment = self.env['account.payment'].create({
            'payment_type': 'inbound', 'partner_type': 'customer', 'partner_id': self.business.id, 'amount': 150.0,
            'date': TODAY, 'journal_id': self.bank_journal.id,
            'payment_method_line_id': self.inbound_payment_method_line.id})
        payment.action_post()
        self.assertFalse(payment.move_id)
        self.assertReason(old, 'netted')
        self.assertEqual(self.decision(new, DUE).amount_due, 50.0)

    def test_a_receipt_on_the_bank_statement_that_nobody_matched_covers_what_is_oldest(self):
        invoice = self.invoice()
        receipt = self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': TODAY, 'payment_ref': "thanks", 'amount': 60.0,
            'partner_id': self.business.id})
        self.assertEqual(self.decision(invoice, DUE).amount_due, 40.0)
        receipt.partner_id = False
        self.assertEqual(self.decision(invoice, DUE).amount_due, 100.0)
        # Money that went out is no credit.
        receipt.write({'partner_id': self.business.id, 'amount': -60.0})
        self.assertEqual(self.decision(invoice, DUE).amount_due, 100.0)

    def test_a_matched_receipt_counts_once(self):
        invoice = self.invoice()
        receipt = self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': TODAY, 'payment_ref': "thanks", 'amount': 60.0,
            'partner_id': self.business.id})
        _liquidity, suspense, _other = receipt._seek_for_lines()
        suspense.account_id = self.receivable
        (suspense | self.items(invoice)).reconcile()
        self.assertEqual(invoice.amount_residual, 40.0)
        self.assertEqual(self.decision(invoice, DUE).amount_due, 40.0)

    def test_blocked(self):
        invoice = self.invoice()
        invoice.payment_state = 'blocked'
        self.assertReason(invoice, 'blocked')

    def test_no_followup(self):
        invoice = self.invoice()
        self.items(invoice).no_followup = True
        self.assertReason(invoice, 'no_followup')
        self.items(invoice).no_followup = False
        self.assertReason(invoice, None)

    def test_no_policy(self):
        invoice = self.invoice()
        self.company.dunning_policy_business_id = False
        self.assertReason(invoice, 'no_policy')

    def test_wrong_policy_is_never_applied_whatever_is_configured(self):
        invoice = self.invoice()
        self.company.dunning_policy_business_id = self.make_policy("Consumers", [{}], debtor_type='consumer')
        self.assertIn("Consumers", self.assertReason(invoice, 'wrong_policy'))

    def test_not_sent(self):
        invoice = self.invoice(sent=False)
        self.assertReason(invoice, 'not_sent')
        self.ladder.require_invoice_sent = False
        self.assertReason(invoice, None)

    def test_pending(self):
        invoice = self.invoice()
        notice = self.make_notices(DUE)
        self.assertReason(invoice, 'pending')
        self.on(DUE, notice).action_cancel()
        self.assertReason(invoice, None)

    def test_finished_and_a_policy_without_levels_are_told_apart(self):
        invoice = self.invoice()
        self.assertIn("no levels", self.assertReason(self.invoice(
            dunning_policy_id=self.make_policy("Empty", []).id), 'finished'))
        self.ladder.level_ids[1:].unlink()
        self.dun(DUE)
        self.assertIn("finished", self.assertReason(invoice, 'finished', TODAY + days(30)))

    def test_not_due_and_waiting_name_their_days(self):
        invoice = self.invoice()
        date = self.env['dunning.planner']._fmt_date
        self.assertIn("2025", date(TODAY))
        self.assertIn(date(TODAY), self.assertReason(invoice, 'not_due', TODAY))
        self.assertIn(date(DUE), self.assertReason(invoice, 'waiting_delay', TODAY + days(1)))
        self.dun(DUE)
        self.assertIn(date(TODAY + days(19)), self.assertReason(invoice, 'waiting_deadline', TODAY + days(10)))

    def test_backlog_older_than_the_oldest_due_date_is_left_to_a_person(self):
        old, new = self.invoice(due=TODAY - days(400)), self.invoice(due=TODAY - days(300))
        self.company.dunning_oldest_due_date = TODAY - days(365)
        self.assertReason(old, 'backlog')
        self.assertReason(new, None)

    def test_a_started_ladder_goes_on_however_old(self):
        old = self.invoice(due=TODAY - days(400))
        self.dun(TODAY)
        self.company.dunning_oldest_due_date = TODAY - days(365)
        self.assertReason(old, None, TODAY + days(14))

    def test_netted_by_an_open_credit_note(self):
        invoice = self.invoice()
        self.credit_note(amount=100)
        self.assertReason(invoice, 'netted')

    def test_a_smaller_credit_lowers_what_is_asked(self):
        invoice = self.invoice()
        self.receive(amount=30)
        decision = self.decision(invoice, DUE)
        self.assertFalse(decision.reason)
        self.assertEqual((decision.amount_residual, decision.amount_netted, decision.amount_due), (100.0, 30.0, 70.0))
        self.assertIn("70", self.assertExplained(decision))

    def test_credits_are_set_against_the_oldest_first_and_only_once(self):
        invoices = [self.invoice(due=TODAY - days(offset)) for offset in (30, 20, 10)]
        self.receive(amount=150)
        plan = self.plan(TODAY, items=self.items(invoices[0] + invoices[1] + invoices[2]))
        answers = [plan[self.items(invoice).id] for invoice in invoices]
        self.assertEqual([answer.amount_netted for answer in answers], [100.0, 50.0, 0.0])
        self.assertEqual([answer.reason for answer in answers], ['netted', None, None])
        # Asked about the last one alone, the answer is the same: the debtor's other items count.
        self.assertEqual(self.decision(invoices[2]).amount_netted, 0.0)

    def test_credits_do_not_hide_behind_what_may_not_be_reminded(self):
        blocked, free = self.invoice(due=TODAY - days(30)), self.invoice(due=TODAY - days(20))
        blocked.payment_state = 'blocked'
        self.receive(amount=100)
        self.assertReason(free, 'netted', TODAY)

    def test_another_debtors_credit_covers_nothing(self):
        invoice = self.invoice()
        self.receive(self.make_debtor("Other BV"), amount=100)
        self.assertReason(invoice, None)

    def test_a_contacts_credit_is_the_debtors_credit(self):
        invoice = self.invoice()
        self.receive(self.make_contact(self.business, "Kees"), amount=100)
        self.assertReason(invoice, 'netted')

    def test_below_the_minimum_counts_all_items_of_the_notice_together(self):
        self.ladder.minimum_amount = 150
        first = self.invoice()
        self.assertReason(first, 'below_minimum')
        second = self.invoice(due=TODAY - days(1))
        self.assertReason(first, None)
        self.assertReason(second, None)
        # Exactly the minimum is enough; what a credit covers does not count.
        self.receive(amount=50)
        self.assertReason(first, None)
        self.receive(amount=1)
        self.assertReason(first, 'below_minimum')

    def test_no_address_for_each_channel(self):
        debtor = self.make_debtor("Nowhere BV", email=False, phone=False, street=False, city=False)
        invoice = self.invoice(debtor)
        for channel, repair in (
            ('email', {'email': 'a@debtor.example.com'}),
            ('letter', {'street': "Dam 1", 'city': "Amsterdam"}),
            ('phone', {'phone': '+31205550100'}),
            ('both', {'street': "Dam 1", 'city': "Amsterdam"}),
        ):
            self.reminder.channel = channel
            self.assertReason(invoice, 'no_address')
            debtor.write(repair)
            self.assertReason(invoice, None)
            debtor.write(dict.fromkeys(repair, False))
        self.reminder.channel = 'task'
        self.assertReason(invoice, None)

    def test_something_that_is_no_email_address_is_no_address(self):
        self.assertReason(self.invoice(self.make_debtor("Unknown BV", email="none", street=False)), 'no_address')

    def test_the_address_of_the_contact_for_reminders_is_enough(self):
        debtor = self.make_debtor("Head BV", email=False, street=False)
        invoice = self.invoice(debtor)
        self.assertReason(invoice, 'no_address')
        contact = self.make_contact(debtor, "Reminders", type='dunning', email='ap@debtor.example.com')
        self.assertReason(invoice, None)
        self.assertEqual(self.decision(invoice).recipient_id, contact.id)

    def test_the_contact_for_reminders_of_another_company_is_not_written_to(self):
        contact = self.make_contact(self.business, "Reminders", type='dunning', email='ap@debtor.example.com')
        invoice = self.invoice()
        self.assertEqual(self.decision(invoice).recipient_id, contact.id)
        other = self.env['res.company'].create({'name': "Other"})
        self.env['res.partner'].browse(contact.id).write({'company_id': other.id})
        self.assertEqual(self.decision(invoice).recipient_id, self.business.id)

    def test_the_order_of_the_reasons_is_their_priority(self):
        """Everything is wrong with one invoice; repaired one by one, the next reason shows."""
        debtor = self.make_debtor("Trouble BV", email=False, street=False)
        consumers = self.make_policy("Consumers", [{'delay_days': 5}], debtor_type='consumer', minimum_amount=500)
        self.company.dunning_policy_business_id = False
        invoice = self.invoice(debtor, sent=False, post=False)
        seen = [self.reason(invoice)]
        invoice.action_post()
        item = self.items(invoice)
        item.no_followup = True
        invoice.payment_state = 'in_payment'
        seen.append(self.reason(item))
        invoice.payment_state = 'blocked'
        seen.append(self.reason(item))
        invoice.payment_state = 'not_paid'
        seen.append(self.reason(item))
        item.no_followup = False
        seen.append(self.reason(item))
        self.company.dunning_policy_business_id = consumers
        seen.append(self.reason(item))
        debtor.dunning_debtor_type = 'consumer'
        self.company.dunning_policy_consumer_id = consumers
        seen.append(self.reason(item))
        invoice.is_move_sent = True
        seen.append(self.reason(item))
        seen.append(self.reason(item, TODAY + days(1)))
        self.company.dunning_oldest_due_date = TODAY + days(1)
        seen.append(self.reason(item, DUE))
        self.company.dunning_oldest_due_date = False
        credit = self.credit_note(debtor)
        seen.append(self.reason(item, DUE))
        credit.button_draft()
        seen.append(self.reason(item, DUE))
        consumers.minimum_amount = 0
        seen.append(self.reason(item, DUE))
        debtor.email = 'trouble@debtor.example.com'
        seen.append(self.reason(item, DUE))
        self.assertEqual(seen, [
            'not_posted', 'payment_pending', 'blocked', 'no_followup', 'no_policy', 'wrong_policy', 'not_sent',
            'not_due', 'waiting_delay', 'backlog', 'netted', 'below_minimum', 'no_address', 'due'])

    def test_each_reason_has_a_predicate_and_its_place(self):
        Planner = self.env['dunning.planner']
        codes = Planner._item_reasons() + Planner._notice_reasons()
        self.assertEqual(len(codes), len(set(codes)))
        defined = {name.removeprefix('_reason_') for name in dir(Planner) if name.startswith('_reason_')}
        self.assertEqual(set(codes), defined, "A reason is defined but never asked, or the reverse")

    def test_impatience_never_sets_aside_what_is_not_owed(self):
        Planner = self.env['dunning.planner']
        overridable = Planner._get_reason_codes(overridable=True)
        self.assertTrue(overridable)
        self.assertFalse(overridable & {
            'not_posted', 'settled', 'credit', 'no_debtor', 'payment_pending', 'blocked', 'no_followup', 'not_sent',
            'pending', 'finished', 'not_due', 'waiting_deadline', 'netted', 'wrong_policy', 'no_address'})


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPolicyChoice(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.make_policy("Other", [{'delay_days': 1}])
        cls.third = cls.make_policy("Third", [{'delay_days': 1}])

    def policy_of(self, invoice):
        return self.env['dunning.policy'].browse(self.decision(invoice, DUE).policy_id)

    def test_invoice_before_debtor_before_company(self):
        invoice = self.invoice()
        self.assertEqual(self.policy_of(invoice), self.ladder)
        self.business.dunning_policy_id = self.other
        self.assertEqual(self.policy_of(invoice), self.other)
        invoice.dunning_policy_id = self.third
        self.assertEqual(self.policy_of(invoice), self.third)

    def test_the_debtors_policy_holds_for_its_contacts(self):
        self.business.dunning_policy_id = self.other
        contact = self.make_contact(self.business, "Invoices", type='invoice', email='ap@debtor.example.com')
        self.assertEqual(contact.dunning_policy_id, self.other)
        self.assertEqual(self.policy_of(self.invoice(contact)), self.other)

    def test_the_company_has_one_for_businesses_and_one_for_consumers(self):
        self.company.dunning_policy_consumer_id = self.third
        self.assertEqual(self.policy_of(self.invoice()), self.ladder)
        person = self.make_debtor("Jan Jansen", consumer=True)
        self.assertEqual(self.policy_of(self.invoice(person)), self.third)

    def test_who_is_a_business(self):
        self.company.dunning_policy_consumer_id = self.third
        for values in ({'company_registry': '12345678'}, {'vat': 'NL123456782B90'}, {'is_company': True},
                       {'dunning_debtor_type': 'business'}):
            person = self.make_debtor("Jan Jansen", consumer=True)
            self.assertEqual(person.dunning_effective_type, 'consumer')
            person.write(values)
            invoice = self.invoice(person)
            self.assertEqual((self.policy_of(invoice), person.dunning_effective_type), (self.ladder, 'business'))
        # What is said outranks what is guessed.
        self.business.dunning_debtor_type = 'consumer'
        self.assertEqual(self.policy_of(self.invoice()), self.third)

    def test_an_archived_policy_gives_way_to_the_next(self):
        invoice = self.invoice()
        self.business.dunning_policy_id = self.other
        invoice.dunning_policy_id = self.third
        self.third.active = False
        self.assertEqual(self.policy_of(invoice), self.other)
        self.other.active = False
        self.assertEqual(self.policy_of(invoice), self.ladder)
        self.ladder.active = False
        self.assertEqual(self.reason(invoice, DUE), 'no_policy')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCurrencies(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Two dollars to the euro.
        cls.dollar = cls.setup_other_currency('USD', rates=[('1900-01-01', 2.0)])

    def test_the_minimum_of_the_policy_is_compared_in_euros(self):
        self.ladder.minimum_amount = 100
        enough = self.invoice(self.make_debtor("Rich BV"), amount=200, currency=self.dollar)
        little = self.invoice(self.make_debtor("Poor BV"), amount=199, currency=self.dollar)
        self.assertEqual(self.reason(enough, DUE), 'due')
        self.assertEqual(self.reason(little, DUE), 'below_minimum')

    def test_a_minimum_in_dollars_is_converted(self):
        self.ladder.write({'currency_id': self.dollar.id, 'minimum_amount': 200})
        enough = self.invoice(self.make_debtor("Rich BV"), amount=100)
        little = self.invoice(self.make_debtor("Poor BV"), amount=99)
        self.assertEqual(self.reason(enough, DUE), 'due')
        self.assertEqual(self.reason(little, DUE), 'below_minimum')

    def test_a_credit_in_euros_covers_dollars(self):
        invoice = self.invoice(amount=200, currency=self.dollar)
        self.receive(amount=25)
        decision = self.decision(invoice, DUE)
        self.assertEqual((decision.amount_residual, decision.amount_netted, decision.amount_due), (200.0, 50.0, 150.0))
        self.receive(amount=75)
        self.assertEqual(self.reason(invoice, DUE), 'netted')

    def test_what_is_not_asked_is_the_same_without_the_ladder(self):
        """Credits and holds take off the same cents of a claim or a page as of a letter."""
        other = self.make_debtor("Other BV")
        moves = (
            self.invoice(amount=200.01, currency=self.dollar, due=TODAY - days(3)) | self.invoice(due=TODAY - days(2))
            | self.invoice(amount=33.33) | self.invoice(other) | self.invoice(self.make_debtor("Free BV")))
        blocked, paid = self.invoice(due=TODAY - days(9)), self.invoice(due=TODAY - days(8))
        self.items(blocked).no_followup = True
        self.pay(paid)
        for debtor, amount in ((self.business, 77.77), (other, 5.0)):
            self.receive(debtor, amount)
        dispute = self.env.ref('l10n_nl_dunning.hold_reason_dispute').id
        self.on(TODAY, self.env['dunning.hold']).create([
            {'reason_id': dispute, 'date_end': DUE + days(20), **about}
            for about in ({'move_line_id': self.items(moves[0]).id, 'amount': 66.67}, {'move_id': moves[2].id})])
        items = self.items(moves | blocked | paid)
        Planner = self.env['dunning.planner']
        decided = {
            decision.item_id: decision.amount_netted + decision.amount_held
            for decision in Planner._plan(self.company, DUE, items=items)}
        reductions, held = Planner._get_reductions(self.company, DUE, items)
        self.assertEqual(held, set(self.items(moves[2]).ids), "A part on hold and a block leave the rest to be asked")
        self.assertEqual(reductions.keys(), decided.keys())
        self.assertGreaterEqual(len([amount for amount in decided.values() if amount]), 4)
        for item_id, amount in decided.items():
            self.assertAlmostEqual(float(reductions[item_id]), amount, 2)

    def test_each_currency_has_its_own_notice(self):
        self.invoice(amount=200, currency=self.dollar)
        self.invoice(amount=70)
        notices = self.dun(DUE)
        self.assertEqual(notices.currency_id, self.company.currency_id, "One message a day: our own currency first")
        notices |= self.dun(DUE + days(1))
        self.assertEqual(
            {(notice.currency_id.name, notice.amount_due, notice.amount_due_company) for notice in notices},
            {('USD', 200.0, 100.0), ('EUR', 70.0, 70.0)})

    def test_a_difference_in_exchange_rates_is_not_reminded(self):
        """Something is open in euros and nothing in dollars: nobody can pay that."""
        move = self.env['account.move'].create({
            'journal_id': self.company_data['default_journal_misc'].id, 'date': TODAY, 'line_ids': [
                Command.create({
                    'account_id': self.receivable.id, 'partner_id': self.business.id, 'currency_id': self.dollar.id,
                    'amount_currency': 0, 'balance': 5, 'date_maturity': TODAY}),
                Command.create({
                    'account_id': self.company_data['default_account_revenue'].id, 'balance': -5}),
            ]})
        move.action_post()
        item = self.items(move)
        item.no_followup = False
        self.assertEqual(self.reason(item, DUE), 'settled')
        self.assertFalse(self.make_notices(DUE))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCompanies(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company(name="Other BV")['company']
        cls.env.user.company_ids |= cls.other_company
        cls.env = cls.env['base'].with_context(
            allowed_company_ids=[cls.company.id, cls.other_company.id]).env
        cls.other_ladder = cls.make_policy(
            "Theirs", [{'name': "Their reminder", 'delay_days': 2}], company_id=cls.other_company.id)
        cls.other_company.write({
            'dunning_policy_business_id': cls.other_ladder.id, 'dunning_policy_consumer_id': cls.other_ladder.id,
            'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False})
        cls.own_ladder = cls.make_policy("Head office", [{'delay_days': 3}], company_id=cls.company.id)
        cls.branch = cls.env['res.company'].create({'name': "Branch", 'parent_id': cls.company.id})
        cls.env.cr.precommit.run()  # the chart of accounts
        cls.env.user.company_ids |= cls.branch
        cls.env = cls.env['base'].with_context(
            allowed_company_ids=[cls.company.id, cls.other_company.id, cls.branch.id]).env
        cls.branch.write({
            'dunning_policy_business_id': cls.own_ladder.id, 'dunning_start_date': '2020-01-01',
            'dunning_oldest_due_date': False})

    def test_companies_plan_on_their_own(self):
        ours, theirs = self.invoice(), self.invoice(company=self.other_company)
        self.assertNotIn(self.items(theirs).id, self.plan(DUE))
        self.assertNotIn(self.items(ours).id, self.plan(DUE, company=self.other_company))
        self.assertEqual(self.reason(theirs, TODAY + days(2)), 'due')
        self.assertEqual(self.reason(ours, TODAY + days(2)), 'waiting_delay')
        # Items of another company are not judged by this one, also when asked.
        self.assertFalse(self.plan(DUE, items=self.items(theirs), company=self.company))

    def test_a_debtor_has_a_level_and_a_policy_per_company(self):
        self.invoice()
        self.invoice(company=self.other_company)
        notices = self.dun(DUE)
        self.assertEqual(notices.company_id, self.company)
        self.assertEqual(self.business.dunning_level_id, self.reminder)
        self.business.invalidate_recordset()
        self.assertFalse(self.business.with_company(self.other_company).dunning_level_id)
        self.business.with_company(self.other_company).dunning_policy_id = self.other_ladder
        self.assertFalse(self.business.with_company(self.company).dunning_policy_id)

    def test_a_credit_in_one_company_covers_nothing_in_another(self):
        ours = self.invoice()
        self.receive(amount=100, company=self.other_company)
        self.assertEqual(self.reason(ours, DUE), 'due')

    def test_the_policy_of_another_company_is_no_policy(self):
        invoice = self.invoice()
        self.business.dunning_policy_id = self.other_ladder
        self.assertEqual(self.decision(invoice).policy_id, self.ladder.id)

    def test_a_branch_is_planned_by_its_creditor_with_its_own_policy(self):
        branch, own = self.branch, self.own_ladder
        invoice = self.invoice(amount=80, company=branch)
        self.assertEqual(invoice.company_id, branch)
        self.assertIn(self.items(invoice).id, self.plan(DUE))
        decision = self.decision(invoice, TODAY + days(3))
        self.assertEqual((decision.reason, decision.policy_id), (None, own.id))
        self.assertEqual(self.dun(TODAY + days(3), branch).company_id, branch)

    def test_notices_of_two_companies_leave_for_their_own_company(self):
        ours, theirs = self.invoice(), self.invoice(company=self.other_company)
        notices = self.make_notices(DUE) | self.make_notices(DUE, self.other_company)
        self.send(notices, DUE)
        self.assertEqual(ours.dunning_level_id, self.reminder)
        self.assertEqual(theirs.dunning_level_id, self.other_ladder.level_ids)
        self.assertEqual(notices.mapped('state'), ['sent', 'sent'])
        self.assertEqual(len(set(notices.mapped('name'))), 2)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestStatement(DunningCommon):
    """One statement, whatever the number of items."""

    def bulk(self, count):
        vals = [{
            'move_type': 'out_invoice', 'partner_id': self.business.id, 'invoice_date': TODAY - days(30),
            'invoice_date_due': TODAY, 'invoice_payment_term_id': False,
            'invoice_line_ids': [Command.create({'name': "Bread", 'price_unit': 10, 'tax_ids': [Command.clear()]})],
        } for _number in range(count)]
        moves = self.env['account.move'].create(vals)
        moves.action_post()
        moves.is_move_sent = True
        return moves

    def count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        return self.env.cr.sql_log_count - before

    def test_the_number_of_queries_does_not_grow_with_the_items(self):
        Planner = self.env['dunning.planner']
        few, many = self.bulk(10), self.bulk(90)
        few_items, many_items = self.items(few), self.items(few + many)
        # What is cached for everybody is read once, whatever the number.
        self.count_queries(lambda: Planner._plan(self.company, DUE, items=many_items))
        plan_few = self.count_queries(lambda: Planner._plan(self.company, DUE, items=few_items))
        plan_many = self.count_queries(lambda: Planner._plan(self.company, DUE, items=many_items))
        self.assertEqual(plan_few, plan_many)
        # Policies, levels, accounts, holds, rates, the state of the bank and of the week, and the statement itself.
        self.assertLessEqual(plan_many, 14)

    def test_asked_about_some_the_answers_are_those_for_all(self):
        moves = self.bulk(5)
        self.credit_note(amount=25)
        self.items(moves[3]).no_followup = True
        everything = self.plan(DUE)
        for item in self.items(moves):
            self.assertEqual(self.plan(DUE, items=item)[item.id], everything[item.id])
        self.assertEqual(self.plan(DUE, partners=self.business), everything)
        due = self.plan(DUE, only_due=True)
        self.assertEqual(due, {key: answer for key, answer in everything.items() if not answer.reason})

    def test_an_answer_is_made_of_what_it_says_it_is_made_of(self):
        # Each row is read from one text: every value has to come back as what it was.
        self.reminder.channel = 'letter'
        self.business.street = False
        self.on(TODAY, self.env['dunning.hold']).create({
            'move_id': self.invoice(amount=33.33).id, 'date_end': DUE + days(3),
            'reason_id': self.env['dunning.hold.reason'].search([('kind', '=', 'other')], limit=1).id})
        self.invoice(amount=1234.56)
        self.credit_note(amount=0.05)
        answers = list(self.plan(DUE).values()) + list(self.plan(DUE + days(60)).values())
        for name, kind in Decision.__annotations__.items():
            self.assertLessEqual({type(getattr(answer, name)) for answer in answers}, {kind, type(None)}, name)
        self.assertIn(1234.56, [answer.amount_residual for answer in answers])
        self.assertIn(0.05, [answer.credit_company for answer in answers])
        self.assertIn(DUE + days(3), [answer.hold_until for answer in answers])
        self.assertEqual({answer.backlog for answer in answers} - {False, None}, set())

    def test_the_words_of_an_answer_are_read_as_they_are(self):
        Planner = self.env['dunning.planner']
        for word in (*Planner._item_reasons(), *Planner._notice_reasons(), *dict(CHANNELS)):
            self.assertRegex(word, r'^[a-z_]+$', "A comma or a quote would be taken for the end of a word")

    def test_nothing_asked_nothing_answered(self):
        self.invoice()
        self.assertEqual(self.plan(items=self.env['account.move.line']), {})

    def test_changes_that_were_not_written_yet_count(self):
        invoice = self.invoice()
        self.assertEqual(self.reason(invoice, DUE), 'due')
        self.items(invoice).date_maturity = TODAY + days(3)
        self.assertEqual(self.reason(invoice, DUE), 'waiting_delay')
        self.reminder.delay_days = 2
        self.assertEqual(self.reason(invoice, DUE), 'due')
        self.business.write({'email': False, 'street': False})
        self.assertEqual(self.reason(invoice, DUE), 'no_address')

    def test_an_item_on_an_archived_account_is_still_a_debt(self):
        invoice = self.invoice()
        self.receivable.active = False
        self.assertIn(self.items(invoice).id, self.plan(DUE))
