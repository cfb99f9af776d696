"""The family of account_banking_mandate and account_payment_order, with its real mandates, orders and files."""

import base64

from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.tests.common import days
from odoo.addons.l10n_nl_dunning_debit_order.tests.common import DebitOrderCommon, DebitOrderTests


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDirectDebit(DebitOrderTests, DebitOrderCommon):

    @classmethod
    def get_default_groups(cls):
        # Who keeps accounts of banks is a group of its own here.
        return super().get_default_groups() | cls.env.ref('account_payment_order.group_account_payment')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.method = cls.env.ref('account_banking_sepa_direct_debit.sepa_direct_debit')
        # The modules gave the journal their method; a payment by it waits for the bank statement.
        transfer = cls.bank_journal.inbound_payment_method_line_ids.filtered(lambda line: line.code == 'manual')
        cls.debit = cls.bank_journal.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_method_id == cls.method)
        cls.debit.payment_account_id = transfer[:1].payment_account_id
        cls.grouping = cls.env['account.payment.mode'].create({
            'name': "Direct debit", 'payment_method_id': cls.method.id, 'company_id': cls.company.id,
            'bank_account_link': 'fixed', 'fixed_journal_id': cls.bank_journal.id, 'payment_order_ok': True})
        cls.mandate = cls.make_mandate(cls.payer, 'NL91ABNA0417164300')

    @classmethod
    def _prepare_mandate(cls, debtor):
        return {'format': 'sepa', 'recurrent_sequence_type': 'recurring'}

    def _prepare_way(self):
        return {'payment_mode_id': self.grouping.id}

    def take_back(self, order):
        order.action_uploaded_cancel()

    def test_a_method_of_odoo_needs_a_mandate_as_well(self):
        self.debit.dunning_collects = True
        invoice = self.invoice(self.payer, self.today - days(6), preferred_payment_method_line_id=self.debit.id)
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.mandate.cancel()
        self.assertEqual(self.ask(invoice), 'due')

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
        self.assertIn("there was not enough money on the account", notice.body_intro)
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
