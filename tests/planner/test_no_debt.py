"""What stands on the account of a debtor and is nothing that he owes is never asked, and says why."""

from odoo import Command
from odoo.tests import tagged

from ...tools.payment.bank_text import get_key, tells_return
from ..common import TODAY, DunningCommon, days

DUE = TODAY - days(20)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestNoDebt(DunningCommon):
    def book(self, amount, text, *, journal=None, account=None, ref=False):
        """Return the due item of an entry that debits the debtor."""
        journal, on = journal or self.bank_journal, TODAY - days(8)
        entry = self.env['account.move'].create({
            'journal_id': journal.id, 'date': on, 'ref': ref, 'line_ids': [
                Command.create({
                    'account_id': (account or self.receivable).id, 'debit': amount, 'partner_id': self.business.id,
                    'name': text, 'date_maturity': on}),
                Command.create({'account_id': self.company_data['default_account_revenue'].id, 'credit': amount})]})
        entry.action_post()
        return self.items(entry)

    def pay_back(self, amount, memo=False):
        payment = self.env['account.payment'].create({
            'payment_type': 'outbound', 'partner_type': 'customer', 'partner_id': self.business.id, 'amount': amount,
            'date': TODAY - days(8), 'journal_id': self.bank_journal.id, 'memo': memo})
        payment.action_post()
        return self.items(payment.move_id)

    def assertNoDebt(self, item, reason):
        decision = self.decision(item)
        self.assertEqual(decision.reason, reason)
        self.assertExplained(decision)
        claim = self.env['dunning.claim'].with_company(self.company)
        self.assertNotIn(item, claim._get_claim_items(self.business, TODAY), "It is not shown as a debt either")

    # --- paid back ---

    def test_money_that_was_paid_back_is_not_asked_and_uses_up_its_credit_note(self):
        invoice = self.invoice(due=DUE, amount=50.0)
        self.credit_note(amount=30.0, on=DUE)
        self.assertEqual(self.decision(invoice).amount_due, 20.0)
        back = self.pay_back(30.0)
        self.assertNoDebt(back, 'paid_back')
        self.assertEqual(self.decision(invoice).amount_due, 50.0, "The credit note was paid out")
        notice = self.dun()
        self.assertEqual(notice.line_ids.move_line_id, self.items(invoice))
        self.assertEqual(notice.amount_due, 50.0)

    def test_it_is_no_debt_before_its_credit_note_exists(self):
        for back in (
            self.pay_back(30.0), self.pay_back(30.0, f"Refund of {self.invoice(due=DUE).name}"),
            self.book(30.0, "Refund"), self.book(30.0, f"Refund of {self.invoice(due=DUE).name}"),
            self.book(30.0, "Storno, we do not know of what"),
        ):
            self.assertNoDebt(back, 'paid_back')

    def test_a_payment_that_bounced_is_a_debt(self):
        invoice = self.invoice(due=DUE - days(20))
        self.pay(invoice, on=DUE)
        number = invoice.name
        for text in (
            f"STORNO {number}", f"storno incasso {number.replace('/', '')}", f"/RTRN/AM04/EREF/{number}//",
            f"Returned: {number.replace('/', ' ').lower()}.",
        ):
            with self.subTest(text=text):
                self.assertEqual(self.reason(self.book(100.0, text)), 'due')

    def test_it_bounced_only_when_it_names_an_invoice_of_its_debtor(self):
        other = self.invoice(self.make_debtor("Other BV"), due=DUE)
        number = self.invoice(due=DUE).name
        for text in (
            f"Storno {other.name}", f"Storno {number}1", f"Storno 1{number}", f"Astorno {number}",
            f"Return of goods, {number}", f"Retour {number}",
        ):
            with self.subTest(text=text):
                self.assertNoDebt(self.book(100.0, text), 'paid_back')

    def test_what_is_booked_on_another_journal_is_a_debt(self):
        general = self.company_data['default_journal_misc']
        item = self.book(100.0, "Invoice 2019-0815", journal=general)
        item.no_followup = False  # as core marks entries of such journals
        self.assertEqual(self.reason(item), 'due')

    def test_money_is_not_for_what_is_no_debt(self):
        """Neither by its number nor by its sum: it is set against what the debtor owes."""
        invoice = self.invoice(due=DUE, amount=200.0)
        paid = self.invoice(due=DUE)
        self.pay(paid, on=DUE)
        self.credit_note(amount=60.0, on=DUE)
        self.book(60.0, f"Refund of {paid.name}")
        for text in (paid.name, "Payment"):  # exactly the sum of what was paid back
            with self.subTest(text=text), self.env.cr.savepoint() as savepoint:
                self.env['account.bank.statement.line'].create({
                    'journal_id': self.bank_journal.id, 'amount': 60.0, 'payment_ref': text, 'date': TODAY,
                    'partner_id': self.business.id})
                self.assertEqual(self.decision(invoice).amount_due, 140.0)
                savepoint.close(rollback=True)
            self.env.invalidate_all()

    def test_whether_it_bounced_and_of_what_are_no_two_answers(self):
        """What counts as a debt says so itself; naming only tells under which number it is asked. Of no text is
        something asked as returned that the planner takes for money paid back, nor the other way round.
        """
        invoice, other = self.invoice(due=DUE - days(20)), self.invoice(due=DUE - days(19))
        self.pay(invoice | other, on=DUE)
        prefix, year, number = invoice.name.split('/')
        names = (
            invoice.name, invoice.name.replace('/', ' '), invoice.name.replace('/', ''), f"{year}/{number}",
            f"{year}-{int(number)}", f"nota {int(number)}", f"{prefix}{number}", f"{invoice.name} {other.name}",
            f"1{invoice.name}", f"{invoice.name}9", "")
        words = (
            "STORNO {}", "storno incasso {}", "/RTRN/MD06/EREF/{}//", "Terugboeking {}", "{} geweigerd", "Refund {}",
            "Retour {}", "Rücklastschrift {}", "{}")
        by_text = {}
        for text in {word.format(name).strip() or "-" for word in words for name in names}:
            by_text[text] = self.book(100.0, text)
        items = self.env['account.move.line'].union(*by_text.values())
        decisions, returns = self.plan(items=items), items._get_dunning_returns()
        due = 0
        for text, item in by_text.items():
            with self.subTest(text=text):
                reason = decisions[item.id].reason
                self.assertIn(reason, (None, 'paid_back'))
                if reason:
                    self.assertNotIn(item, items._filter_dunning_owed())
                else:
                    due += 1
                    self.assertTrue(tells_return(text))
                    self.assertIn(get_key(invoice.name), get_key(text))
                    # It names two: asked under its own label.
                    self.assertEqual(item in returns, other.name not in text)
        self.assertGreater(due, 10)

    # --- bookkeeping ---

    def test_entries_that_only_balance_others(self):
        exchange = self.company.currency_exchange_journal_id
        self.assertNoDebt(self.book(3.0, "Difference", journal=exchange), 'bookkeeping')
        pos = self.receivable.copy({'code': '130990'})
        self.company.account_default_pos_receivable_account_id = pos
        general = self.company_data['default_journal_misc']
        self.assertNoDebt(self.book(100.0, "Session 1", journal=general, account=pos), 'bookkeeping')

    # --- early payment discount ---

    def discounted(self):
        term = self.env['account.payment.term'].create({
            'name': "2/10 net 30", 'early_discount': True, 'discount_percentage': 2, 'discount_days': 10,
            'early_pay_discount_computation': 'included',
            'line_ids': [Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': 30})]})
        invoice = self.invoice(amount=1000.0, invoice_date=TODAY - days(60), post=False)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        return invoice

    def test_a_discount_that_was_taken_in_time_is_not_asked(self):
        for amount, late, reason in (
            (980.0, 0, 'discount_taken'), (980.0, 1, 'due'), (979.99, 0, 'due'), (990.0, 0, 'discount_taken'),
        ):
            with self.subTest(amount=amount, late=late):
                invoice = self.discounted()
                item = self.items(invoice)
                self.assertEqual(item.discount_amount_currency, 980.0)
                self.pay(invoice, amount, on=item.discount_date + days(late))
                if reason == 'due':
                    self.assertEqual(self.reason(invoice), 'due')
                else:
                    self.assertNoDebt(item, reason)

    def test_a_receipt_of_the_discounted_sum_settles_it(self):
        for late, left in ((0, 0.0), (1, 20.0)):
            with self.subTest(late=late):
                invoice = self.discounted()
                line = self.env['account.bank.statement.line'].create({
                    'journal_id': self.bank_journal.id, 'amount': 980.0, 'payment_ref': invoice.name,
                    'date': self.items(invoice).discount_date + days(late)})
                self.assertEqual(self.decision(invoice).amount_due, left)
                line.unlink()
                invoice.button_draft()
                invoice.button_cancel()

    # --- rounding ---

    def test_a_difference_of_rounding_is_not_asked(self):
        for paid, reason in ((99.96, 'rounding'), (99.95, 'due')):
            invoice = self.invoice(due=DUE)
            self.pay(invoice, paid)
            self.assertEqual(self.reason(invoice), reason)
        self.assertEqual(self.reason(self.invoice(due=DUE, amount=0.04)), 'due', "Nothing was paid of it")

    # --- we owe more ---

    def test_who_is_owed_at_least_as_much_is_looked_at_first(self):
        self.ladder.approval = 'automatic'
        bill = self.invoice(due=DUE, amount=99.99, move_type='in_invoice', ref="1")
        invoice = self.invoice(due=DUE)
        notice = self.make_notices()
        self.assertEqual(notice.state, 'queued', "We owe a cent less")
        self.assertFalse(notice.look_first_text)
        notice.action_cancel()
        self.invoice(due=DUE, amount=0.01, move_type='in_invoice', ref="2")
        notice = self.make_notices()
        self.assertEqual((notice.line_ids.move_id, notice.state), (invoice, 'draft'))
        self.assertIn("100.00", notice.look_first_text)
        bill.button_draft()
        notice.invalidate_recordset(['look_first_text'])
        self.assertFalse(notice.look_first_text)
