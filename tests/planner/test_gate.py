"""Nothing leaves while money may be on its way: old bank data, unmatched receipts, pending payments, contacts."""

from unittest.mock import patch

from odoo.tests import Form, tagged

from ..common import TODAY, DunningCommon, days

DUE = TODAY - days(20)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestGate(DunningCommon):
    def bank_line(self, amount=10.0, on=TODAY, **values):
        return self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': on, 'amount': amount, 'payment_ref': "Receipt", **values})

    # --- age of the bank data ---

    def test_bank_data_may_be_as_old_as_the_policy_allows(self):
        invoice = self.invoice(due=DUE)
        self.assertEqual(self.reason(invoice), 'due', "A bank kept by hand has no age")
        self.bank_line(-5.0, TODAY - days(5))
        self.assertEqual(self.reason(invoice), 'due')
        self.assertEqual(self.reason(invoice, TODAY + days(1)), 'bank_stale')
        sentence = self.assertExplained(self.decision(invoice, TODAY + days(1)))
        self.assertIn(self.bank_journal.name, sentence)
        self.assertIn("5 days", sentence)
        self.bank_line(-5.0, TODAY)
        self.assertEqual(self.reason(invoice, TODAY + days(1)), 'due')

    def test_the_oldest_account_counts_unless_no_debtor_pays_on_it(self):
        invoice = self.invoice(due=DUE)
        self.bank_line(-5.0, TODAY)
        savings = self.bank_journal.copy({'name': "Savings"})
        self.env['account.bank.statement.line'].create({
            'journal_id': savings.id, 'date': TODAY - days(60), 'amount': 1.0, 'payment_ref': "Interest",
            'partner_id': self.company.partner_id.id})
        self.assertEqual(self.reason(invoice), 'bank_stale')
        savings.dunning_ignore_age = True
        self.assertEqual(self.reason(invoice), 'due')

    def test_a_policy_may_leave_the_age_alone(self):
        invoice = self.invoice(due=DUE)
        self.bank_line(-5.0, TODAY - days(100))
        self.assertEqual(self.reason(invoice), 'bank_stale')
        self.ladder.bank_max_age = 0
        self.assertEqual(self.reason(invoice), 'due')

    def test_what_is_queued_waits_for_new_bank_data_and_then_leaves(self):
        self.invoice(due=DUE)
        self.bank_line(-5.0, TODAY)
        notice = self.make_notices(TODAY)
        later = TODAY + days(8)
        self.send(notice, later)
        self.assertEqual(notice.state, 'queued', "It is owed: not cancelled, but not sent either")
        self.assertIn(self.bank_journal.name, notice.waiting_reason)
        self.assertFalse(notice.mail_id)
        self.bank_line(-5.0, later)
        self.send(notice, later)
        self.assertEqual(notice.state, 'sent')
        self.assertFalse(notice.waiting_reason)

    def test_proposals_are_not_cancelled_by_old_bank_data(self):
        self.invoice(due=DUE)
        self.bank_line(-5.0, TODAY)
        notice = self.make_notices(TODAY)
        self.make_notices(TODAY + days(30))
        self.assertEqual(notice.state, 'draft')

    def test_the_wizard_shows_how_old_the_bank_data_are(self):
        invoice = self.invoice(due=DUE)
        self.bank_line(-5.0, TODAY - days(2))
        wizard = self.env['dunning.send'].browse(self.on(TODAY, invoice).action_dunning_send()['res_id'])
        self.assertIn("2 days ago", wizard.bank_state)
        self.assertFalse(wizard.bank_is_stale)
        wizard = self.env['dunning.send'].browse(self.on(TODAY + days(9), invoice).action_dunning_send()['res_id'])
        self.assertTrue(wizard.bank_is_stale)

    # --- receipts that nobody matched ---

    def test_a_receipt_from_the_debtors_account_is_a_credit_of_the_debtor(self):
        invoice = self.invoice(due=DUE)
        other = self.invoice(self.make_debtor("Other BV"), due=DUE, amount=77.0)
        self.env['res.partner.bank'].create({
            'acc_number': 'NL91 ABNA 0417 1643 00', 'partner_id': self.business.id})
        line = self.bank_line(33.0, account_number='NL91ABNA0417164300')
        line.partner_id = False
        self.assertEqual(self.asked(invoice, other), [67.0, 77.0])

    def test_a_receipt_that_names_an_invoice_is_set_against_that_invoice(self):
        """Article 6:43 of the Civil Code: whoever pays chooses, whether it is known who that was or not."""
        old, new = self.invoice(due=DUE), self.invoice(due=DUE, amount=55.0)
        for payer in (self.env['res.partner'], self.business, self.make_debtor("Other BV")):
            with self.subTest(payer=payer.name):
                line = self.bank_line(33.0, payment_ref=f"Part of {new.name.lower()}, thanks", partner_id=payer.id)
                self.assertEqual(self.asked(old, new), [100.0, 22.0])
                line.unlink()
        self.assertEqual(self.asked(old, new), [100.0, 55.0])

    def test_what_is_left_of_a_receipt_is_set_against_the_oldest(self):
        old, new = self.invoice(due=DUE - days(1)), self.invoice(due=DUE, amount=55.0)
        self.bank_line(85.0, payment_ref=new.name.split('/')[-1], partner_id=self.business.id)
        self.assertEqual(self.reason(new), 'netted')
        self.assertEqual(self.asked(old), [70.0])

    def test_a_receipt_of_exactly_the_amount_stops_it(self):
        invoice = self.invoice(due=DUE, amount=123.45)
        other = self.invoice(self.make_debtor("Other BV"), due=DUE, amount=123.46)
        line = self.bank_line(123.45)
        self.assertEqual(self.reason(invoice), 'unmatched_receipt')
        self.assertExplained(self.decision(invoice))
        self.assertEqual(self.reason(other), 'due')
        line.unlink()
        self.assertEqual(self.reason(invoice), 'due')

    def test_an_amount_counts_only_when_the_receipt_says_nothing_else(self):
        named, same = self.invoice(due=DUE, amount=50.0), self.invoice(
            self.make_debtor("Other BV"), due=DUE, amount=50.0)
        self.bank_line(50.0, payment_ref=named.name)
        self.assertEqual(self.reason(named), 'netted')
        self.assertEqual(self.reason(same), 'due', "It is clear whose money that is")

    def test_the_number_and_the_sum_of_a_letter_say_what_is_paid(self):
        self.invoice(due=DUE, amount=50.0)
        letter = self.dun()
        [item] = letter.line_ids.move_line_id
        for text, payer, amount in ((letter.name, False, 20.0), ("Dank", self.business, 50.0)):
            with self.subTest(text=text):
                line = self.bank_line(amount, payment_ref=text, partner_id=payer and payer.id)
                self.assertEqual(self.decision(item.move_id, TODAY + days(30)).amount_due, 50.0 - amount)
                line.unlink()

    def asked(self, *invoices):
        return [self.decision(invoice).amount_due for invoice in invoices]

    def test_money_that_left_stops_nothing(self):
        invoice = self.invoice(due=DUE, amount=50.0)
        self.bank_line(-50.0, payment_ref=invoice.name)
        self.assertEqual(self.reason(invoice), 'due')

    def test_a_receipt_that_came_after_the_proposal_holds_it_in_the_queue(self):
        invoice = self.invoice(due=DUE)
        notice = self.make_notices(TODAY)
        line = self.bank_line(100.0, payment_ref=invoice.name.split('/', 1)[1])
        self.send(notice, TODAY)
        self.assertEqual(notice.state, 'queued')
        self.assertFalse(notice.mail_id)
        line.unlink()
        self.send(notice, TODAY)
        self.assertEqual(notice.state, 'sent')

    def test_one_chunk_of_all_kinds(self):
        """Each debtor gets what is his, whatever the planner says of the others in the same chunk."""
        def queue(name, *amounts):
            debtor = self.make_debtor(name)
            return [self.invoice(debtor, due=DUE, amount=amount) for amount in amounts]

        (plain,) = queue("Plain BV", 10.0)
        partly, rest = queue("Partly BV", 20.0, 21.0)
        (paid,) = queue("Paid BV", 30.0)
        (doubly,) = queue("Doubly BV", 40.0)
        settled, named = queue("Named BV", 50.0, 51.0)
        notices = self.make_notices(TODAY)
        self.assertEqual(len(notices), 5)
        for invoice in (partly, paid, doubly, settled):
            self.pay(invoice)
        self.bank_line(1.0, payment_ref=doubly.name)  # paid, and something else came for it
        self.bank_line(2.0, payment_ref=named.name.split('/', 1)[1])
        self.send(notices, TODAY)

        def about(invoice):
            return self.notices_of(invoice)

        self.assertEqual(about(plain).state, 'sent')
        self.assertEqual((about(rest).state, about(rest).amount_due), ('sent', 21.0))
        self.assertEqual((about(paid).state, about(doubly).state), ('cancelled', 'cancelled'))
        self.assertEqual((about(named).state, about(named).live_line_ids.move_id), ('queued', named))
        self.assertIn("receipt", about(named).waiting_reason.lower())
        self.assertEqual(notices.filtered('mail_id'), about(plain) | about(rest))

    def test_the_planner_is_asked_once_when_nothing_waits(self):
        self.invoice(due=DUE)
        self.invoice(self.make_debtor("Other BV"), due=DUE)
        paid = self.invoice(self.make_debtor("Paid BV"), due=DUE)
        notices = self.on(TODAY, self.make_notices(TODAY))
        notices._queue()
        self.pay(paid)
        Planner = type(self.env['dunning.planner'])
        with patch.object(Planner, '_get_statement', autospec=True, side_effect=Planner._get_statement) as asked:
            notices.env['dunning.dispatcher']._dispatch(notices)
        self.assertEqual(sorted(notices.mapped('state')), ['cancelled', 'leaving', 'leaving'])
        self.assertEqual(asked.call_count, 1)

    # --- online payments ---

    def transaction(self, invoice, state, on=TODAY):
        provider = self.env['payment.provider'].create({'name': "Online", 'code': 'none'})
        return self.env['payment.transaction'].create({
            'provider_id': provider.id,
            'payment_method_id': self.env['payment.method'].with_context(active_test=False).search([], limit=1).id,
            'reference': f"tx-{invoice.name}-{state}",
            'amount': invoice.amount_residual,
            'currency_id': invoice.currency_id.id,
            'partner_id': invoice.partner_id.id,
            'invoice_ids': [(6, 0, invoice.ids)],
            'state': state,
            'last_state_change': on,
        })

    def test_a_pending_online_payment_stops_the_reminder_for_a_week(self):
        invoice = self.invoice(due=DUE)
        self.transaction(invoice, 'pending')
        self.assertEqual(self.reason(invoice), 'transaction_pending')
        self.assertExplained(self.decision(invoice))
        self.assertEqual(self.reason(invoice, TODAY + days(8)), 'due', "A transfer that never came was given up")

    def test_a_payment_that_failed_stops_nothing(self):
        invoice = self.invoice(due=DUE)
        for state in ('draft', 'cancel', 'error'):
            self.transaction(invoice, state)
        self.assertEqual(self.reason(invoice), 'due')

    # --- contacts per week ---

    def test_a_debtor_hears_no_more_from_us_than_the_settings_say(self):
        self.company.dunning_contacts_per_week = 2
        first = self.invoice(due=TODAY - days(5), amount=10.0)
        self.assertEqual(self.dun(TODAY).line_ids.move_id, first)
        second = self.invoice(due=TODAY - days(3), amount=20.0)
        self.assertEqual(self.dun(TODAY + days(2)).line_ids.move_id, second)
        third = self.invoice(due=TODAY - days(2), amount=30.0)
        decision = self.decision(third, TODAY + days(3))
        self.assertEqual(decision.reason, 'contact_budget')
        self.assertEqual(decision.next_date, TODAY + days(7), "A week after the first")
        self.assertIn("2 times", self.assertExplained(decision))
        self.assertEqual(self.reason(third, TODAY + days(6)), 'contact_budget')
        self.assertEqual(self.reason(third, TODAY + days(7)), 'due')

    def test_a_person_may_decide_otherwise(self):
        self.company.dunning_contacts_per_week = 1
        self.invoice(due=TODAY - days(5), amount=10.0)
        self.dun(TODAY)
        invoice = self.invoice(due=TODAY - days(4), amount=20.0)
        self.assertEqual(self.reason(invoice, TODAY + days(1)), 'contact_budget')
        wizard = self.env['dunning.send'].browse(
            self.on(TODAY + days(1), invoice).action_dunning_send()['res_id'])
        self.assertFalse(wizard.group_ids)
        wizard.action_toggle_ahead()
        wizard.action_send_now()
        self.assertEqual(self.notices_of(invoice).state, 'leaving')

    def test_the_settings_of_the_gate_are_where_people_look(self):
        with Form(self.ladder) as form:
            form.bank_max_age = 9
        self.assertEqual(self.ladder.bank_max_age, 9)
