"""An invoice that OCA's modules collect, with their real mandates and orders; the same for both of their families."""

from odoo import Command
from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.tests.common import DunningCommon, days


class DebitOrderCommon(DunningCommon):
    """A debtor with a mandate.

    A bridge has ``grouping`` (what says whether lines of an order become one payment), ``_prepare_mandate(debtor)``,
    ``_prepare_way()`` (the values of an invoice that is collected) and ``take_back(order)`` (one that was uploaded).
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Orders and mandates know no other day than today.
        cls.today = cls.company._dunning_today()
        cls.late = cls.today - days(30)
        cls.bank_journal.bank_account_id = cls.env['res.partner.bank'].create({
            'acc_number': 'NL52ABNA0000000123', 'partner_id': cls.company.partner_id.id})
        cls.company.write({
            'sepa_creditor_identifier': 'NL69ZZZ123456780000', 'initiating_party_identifier': '12345678',
            'initiating_party_issuer': 'KvK'})
        cls.payer = cls.make_debtor("Incasso BV", lang='en_US')

    @classmethod
    def make_mandate(cls, debtor, iban, *, valid=True):
        bank = cls.env['res.partner.bank'].create({
            'acc_number': iban, 'partner_id': debtor.id, 'allow_out_payment': True})
        mandate = cls.env['account.banking.mandate'].create({
            'partner_bank_id': bank.id, 'signature_date': cls.today - days(100), 'company_id': cls.company.id,
            'type': 'recurrent', **cls._prepare_mandate(debtor)})
        if valid:
            mandate.validate()
        return mandate

    def collected(self, partner=None, due=None, **values):
        return self.invoice(partner or self.payer, due or self.today - days(2), **self._prepare_way(), **values)

    def order(self, invoice, **values):
        """Return the payment order that an invoice was put into."""
        invoice.create_account_payment_line()
        order = self.items(invoice).payment_line_ids.order_id
        order.write(values)
        return order

    def ask(self, invoice):
        return self.reason(invoice, self.today)

    def tell(self, invoice):
        return self.assertExplained(self.decision(invoice, self.today))

    def day(self, day):
        return self.env['dunning.planner']._fmt_date(day)


@tagged('standard', 'post_install_l10n', 'post_install')  # without the base class of Odoo it has no tag yet
class DebitOrderTests:
    """Both families pass these."""

    allow_inherited_tests_method = True

    # --- mandates ---

    def test_a_valid_mandate_collects(self):
        invoice = self.collected()
        self.assertEqual(invoice.mandate_id, self.mandate)
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.assertEqual(self.reason(invoice, self.today + days(30)), 'due', "Nothing was collected")
        self.assertEqual(self.reason(self.invoice(self.payer, self.late), self.today), 'due', "By bank transfer")

    def test_a_mandate_that_is_missing_expired_or_cancelled_collects_nothing(self):
        invoice = self.collected(due=self.today - days(6))
        for state in ('expired', 'cancel', 'draft'):
            self.mandate.state = state
            self.assertEqual(self.ask(invoice), 'due', state)
        self.mandate.state = 'valid'
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.assertEqual(self.ask(self.collected(self.business, self.today - days(6))), 'due', "No mandate at all")
        draft = self.make_debtor("Concept BV")
        self.make_mandate(draft, 'NL02ABNA0123456789', valid=False)
        self.assertEqual(self.ask(self.collected(draft, self.today - days(6))), 'due', "A draft")

    def test_an_invoice_from_before_the_mandate_is_collected_by_the_one_of_its_debtor(self):
        invoice = self.collected()
        invoice.mandate_id = False
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.mandate.cancel()
        self.assertNotEqual(self.ask(invoice), 'direct_debit')

    # --- orders ---

    def test_an_order_holds_it_until_after_its_day(self):
        invoice = self.collected(due=self.late)
        self.assertEqual(self.ask(invoice), 'due', "Five bank days after the due date are long over")
        asked = self.today + days(4)
        order = self.order(invoice, date_prefered='fixed', date_scheduled=asked)
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.assertIn(self.day(asked), self.tell(invoice))
        self.assertIn(order.name, self.tell(invoice))
        order.draft2open()
        self.assertEqual(order.payment_line_ids.date, asked)
        self.assertEqual(self.reason(invoice, asked + days(4)), 'direct_debit')
        self.assertEqual(self.reason(invoice, asked + days(30)), 'due')
        order.open2generated()
        self.assertEqual(order.state, 'generated')
        self.assertEqual(self.ask(invoice), 'direct_debit')
        order.generated2uploaded()
        self.assertEqual(self.ask(invoice), 'settled', "It paid the invoice")

    def test_an_order_that_was_cancelled_holds_nothing(self):
        invoice = self.collected(due=self.late)
        order = self.order(invoice)
        order.draft2open()
        self.assertEqual(self.ask(invoice), 'direct_debit')
        order.action_cancel()
        self.assertEqual(self.ask(invoice), 'due')
        self.assertFalse(invoice.dunning_returned_on, "Nobody returned it")

    def upload(self, invoice):
        order = self.order(invoice)
        order.draft2open()
        order.open2generated()
        order.generated2uploaded()
        return order

    def test_an_uploaded_order_that_is_taken_back_is_no_return(self):
        invoice = self.collected()
        self.take_back(self.upload(invoice))
        self.assertFalse(invoice.dunning_returned_on)
        self.assertEqual(self.ask(invoice), 'direct_debit', "It can be collected by another order")

    def test_one_payment_that_is_cancelled_was_returned(self):
        self.grouping.group_lines = False
        invoice, other = self.collected(), self.collected()
        (invoice | other).create_account_payment_line()
        order = self.items(invoice).payment_line_ids.order_id
        order.draft2open()
        order.open2generated()
        order.generated2uploaded()
        payment = self.items(invoice).payment_line_ids.payment_ids
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(invoice.dunning_returned_on, self.today)
        self.assertFalse(other.dunning_returned_on)
        self.assertNotEqual(self.ask(invoice), 'direct_debit')
        self.assertEqual(self.reason(invoice, self.today + days(4)), 'due')

    def test_a_payment_that_is_rejected_was_returned(self):
        invoice = self.collected()
        self.upload(invoice)
        self.items(invoice).payment_line_ids.payment_ids.action_reject()
        self.assertEqual(invoice.dunning_returned_on, self.today)

    def test_a_payment_that_was_not_uploaded_was_not_returned(self):
        invoice = self.collected()
        order = self.order(invoice)
        order.draft2open()
        order.payment_ids.action_cancel()
        self.assertFalse(invoice.dunning_returned_on)

    def test_what_was_returned_can_be_collected_once_more(self):
        invoice = self.collected(due=self.late)
        invoice._record_dunning_return(self.today - days(3), "AM04")
        self.assertEqual(self.ask(invoice), 'due')
        self.order(invoice)
        self.assertEqual(self.ask(invoice), 'direct_debit')

    def test_what_is_in_an_order_is_not_to_be_paid_by_anybody(self):
        invoice, asked = self.collected(due=self.late), self.invoice(self.payer, self.late, 250.0)
        self.order(invoice, date_prefered='fixed', date_scheduled=self.today + days(4))
        page = self.payer._get_dunning_page(self.company)
        self.assertEqual((page._get_payable('all').amount, page._get_payable('all').moves), (250.0, asked))
        self.assertIsNone(page._get_payable('due', invoice))

    # --- it was returned ---

    def make_return(self, payment, reason):
        """Return what somebody entered of a payment that came back."""
        line = payment.move_id.line_ids.filtered(lambda line: line.account_id == payment.destination_account_id)
        returned = self.env['payment.return'].with_company(self.company).create({
            'journal_id': self.bank_journal.id, 'company_id': self.company.id, 'date': self.today, 'line_ids': [
                Command.create({
                    'move_line_ids': [Command.set(line.ids)], 'amount': payment.amount, 'date': self.today,
                    'partner_id': payment.partner_id.id, 'reason_additional_information': reason})]})
        returned.action_confirm()
        return returned

    def test_a_return_that_is_entered_by_hand(self):
        """The whole story: collected, returned, asked in friendly words."""
        invoice = self.collected(due=self.today - days(1))
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.assertFalse(self.make_notices(self.today))
        self.upload(invoice)
        self.assertEqual(self.ask(invoice), 'settled')
        returned = self.make_return(self.items(invoice).payment_line_ids.payment_ids, "AM04, EUR 7.50")
        self.assertEqual(invoice.dunning_returned_on, self.today)
        self.assertEqual(invoice.amount_residual, 100.0)
        notice = self.dun(self.today + days(4))
        self.assertEqual(notice.level_id, self.reminder)
        self.assertIn(f"Your bank returned the direct debit of invoice {invoice.name}", notice.body_intro)
        self.assertIn("there was not enough money on the account", notice.body_intro)
        self.assertNotIn("7.50", notice.body_intro)
        returned.action_cancel()
        self.assertFalse(invoice.dunning_returned_on)
