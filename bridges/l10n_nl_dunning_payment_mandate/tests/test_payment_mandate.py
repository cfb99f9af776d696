"""The family of account_payment_mandate and account_payment_batch_oca, with its real mandates, orders and files."""

from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.tests.common import days
from odoo.addons.l10n_nl_dunning_debit_order.tests.common import DebitOrderCommon, DebitOrderTests


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPaymentMandate(DebitOrderTests, DebitOrderCommon):

    @classmethod
    def get_default_groups(cls):
        # Who keeps accounts of banks is a group of its own here.
        return super().get_default_groups() | cls.env.ref('account_payment_batch_oca.group_account_payment')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.method = cls.env.ref('account_payment_sepa_direct_debit.sepa_direct_debit')
        cls.method.mandate_required = True
        transfer = cls.bank_journal.inbound_payment_method_line_ids.filtered(lambda line: line.code == 'manual')
        cls.debit = cls.grouping = cls.env['account.payment.method.line'].create({
            'name': "SEPA direct debit", 'company_id': cls.company.id, 'payment_method_id': cls.method.id,
            'bank_account_link': 'fixed', 'journal_id': cls.bank_journal.id, 'selectable': True,
            'payment_account_id': transfer[:1].payment_account_id.id})
        cls.mandate = cls.make_mandate(cls.payer, 'NL91ABNA0417164300')

    @classmethod
    def _prepare_mandate(cls, debtor):
        return {'partner_id': debtor.id, 'format': 'sepa_core'}

    def _prepare_way(self):
        return {'preferred_payment_method_line_id': self.debit.id}

    def take_back(self, order):
        order.action_cancel()

    def test_a_mandate_that_is_used_for_the_last_time_collects(self):
        invoice = self.collected()
        self.mandate.valid2final()
        self.assertEqual(self.ask(invoice), 'direct_debit')
        self.upload(invoice)
        self.assertEqual(self.mandate.state, 'expired')
        other = self.collected(due=self.today - days(6))
        self.assertEqual(self.ask(other), 'due', "Nothing can be collected any more")

    def test_a_method_that_needs_no_mandate_is_no_direct_debit(self):
        invoice = self.collected()
        self.method.mandate_required = False
        self.assertNotEqual(self.ask(invoice), 'direct_debit')
