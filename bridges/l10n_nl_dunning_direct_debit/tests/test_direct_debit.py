"""An invoice that OCA's modules collect, with their real mandates, orders and files."""

import base64

from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.tests.common import DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDirectDebit(DunningCommon):

    @classmethod
    def get_default_groups(cls):
        # Who keeps accounts of banks is a group of its own here.
        return super().get_default_groups() | cls.env.ref('account_payment_order.group_account_payment')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Orders and mandates know no other day than today.
        cls.today = cls.company._dunning_today()
        cls.late = cls.today - days(30)
        cls.method = cls.env.ref('account_banking_sepa_direct_debit.sepa_direct_debit')
        cls.bank_journal.bank_account_id = cls.env['res.partner.bank'].create({
            'acc_number': 'NL52ABNA0000000123', 'partner_id': cls.company.partner_id.id})
        # The modules gave the journal their method; a payment by it waits for the bank statement.
        transfer = cls.bank_journal.inbound_payment_method_line_ids.filtered(lambda line: line.code == 'manual')
        cls.debit = cls.bank_journal.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_method_id == cls.method)
        cls.debit.payment_account_id = transfer[:1].payment_account_id
        cls.company.write({
            'sepa_creditor_identifier': 'NL69ZZZ123456780000', 'initiating_party_identifier': '12345678',
            'initiating_party_issuer': 'KvK'})
        cls.mode = cls.env['account.payment.mode'].create({
            'name': "Direct debit", 'payment_method_id': cls.method.id, 'company_id': cls.company.id,
            'bank_account_link': 'fixed', 'fixed_journal_id': cls.bank_journal.id, 'payment_order_ok': True})
        cls.payer = cls.make_debtor("Incasso BV", lang='en_US')
        cls.mandate = cls.make_mandate(cls.payer, 'NL91ABNA0417164300')

    @classmethod
    def make_mandate(cls, debtor, iban, *, valid=True):
        mandate = cls.env['account.banking.mandate'].create({
            'partner_bank_id': cls.env['res.partner.bank'].create({
                'acc_number': iban, 'partner_id': debtor.id, 'allow_out_payment': True}).id,
            'signature_date': cls.today - days(100), 'company_id': cls.company.id, 'format': 'sepa',
            'type': 'recurrent', 'recurrent_sequence_type': 'recurring'})
        if valid:
            mandate.validate()
        return mandate

    def collected(self, partner=None, due=None, **values):
        return self.invoice(
            partner or self.payer, due or self.today - days(2), payment_mode_id=self.mode.id, **values)

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

    def test_a_method_of_odoo_needs_a_mandate_as_well(self):
        self.debit.dunning_collects = True
        invoice = self.invoice(self.payer, self.today - days(6), preferred_payment_method_line_id=self.debit.id)
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.mandate.cancel()
        self.assertEqual(self.ask(invoice), 'due')

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
        self.upload(invoice).action_uploaded_cancel()
        self.assertFalse(invoice.dunning_returned_on)
        self.assertEqual(self.ask(invoice), 'direct_debit', "It can be collected by another order")

    def test_one_payment_that_is_cancelled_was_returned(self):
        self.mode.group_lines = False
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

    def test_what_was_returned_can_be_collected_once_more(self):
        invoice = self.collected(due=self.late)
        invoice._record_dunning_return(self.today - days(3), "AM04")
        self.assertEqual(self.ask(invoice), 'due')
        self.order(invoice)
        self.assertEqual(self.ask(invoice), 'direct_debit')

    # --- the bank returned it ---

    def test_the_bank_returns_it(self):
        """The whole story, with a file of the bank: collected, returned, asked in friendly words."""
        invoice = self.collected(due=self.today - days(1))
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.assertFalse(self.make_notices(self.today))
        self.upload(invoice)
        payment = self.items(invoice).payment_line_ids.payment_ids
        wizard = self.env['payment.return.import'].with_company(self.company).create({
            'journal_id': self.bank_journal.id, 'data_file': self.make_file(payment)})
        returned = self.env['payment.return'].browse(wizard.import_file()['res_id'])
        self.assertEqual(returned.line_ids.move_line_ids.move_id, payment.move_id)
        returned.action_confirm()
        self.assertEqual(invoice.dunning_returned_on, self.today)
        self.assertIn("AM04", invoice.dunning_return_reason)
        self.assertEqual(invoice.amount_residual, 100.0)
        later = self.today + days(4)
        self.assertEqual(self.reason(invoice, later), 'due')
        notice = self.dun(later)
        self.assertEqual(notice.level_id, self.reminder)
        self.assertIn(f"Your bank returned the direct debit of invoice {invoice.name}", notice.body_intro)
        self.assertIn("AM04", notice.body_intro)
        returned.action_cancel()
        self.assertFalse(invoice.dunning_returned_on)

    def make_file(self, payment):
        """Return a camt.054 of the bank, in which it returns a payment."""
        day = self.today.isoformat()
        return base64.b64encode(f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>1</MsgId><CreDtTm>{day}T08:00:00</CreDtTm></GrpHdr>
<Ntfctn><Id>RETURN-1</Id><CreDtTm>{day}T08:00:00</CreDtTm><Acct><Id><IBAN>NL52ABNA0000000123</IBAN></Id></Acct>
<Ntry><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>{payment.id}</EndToEndId></Refs>
<AmtDtls><InstdAmt><Amt Ccy="EUR">100.00</Amt></InstdAmt></AmtDtls>
<RltdPties><Dbtr><Nm>Incasso BV</Nm></Dbtr></RltdPties>
<RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry></Ntfctn>
</BkToCstmrDbtCdtNtfctn></Document>""".encode())
