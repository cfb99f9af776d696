from odoo.tests import HttpCase, new_test_user, tagged

from ..common import DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTours(DunningCommon, HttpCase):
    """People at their screens, in a real browser, each with his own rights and no more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # the browser knows no other
        cls.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').active = True
        cls.overdue = cls.invoice(due=cls.today - days(10), amount=250.0)
        cls.invoice(cls.make_debtor("Slagerij Vroeg BV"), due=cls.today + days(10), amount=80.0)
        user = {'company_id': cls.company.id, 'company_ids': [(6, 0, cls.company.ids)]}
        cls.accountant = new_test_user(
            cls.env, 'dunning_accountant', groups='base.group_user,account.group_account_invoice', **user)
        cls.salesperson = new_test_user(
            cls.env, 'dunning_sales', groups='base.group_user,base.group_partner_manager', **user)

    def test_accountant_sends_from_invoices(self):
        """Select, wizard, send, see the notice; when a mail server took it, the invoice has a level."""
        self.start_tour(
            '/odoo/action-account.action_move_out_invoice_type', 'l10n_nl_dunning.send_from_invoices',
            login='dunning_accountant')
        notice = self.notices_of(self.overdue)
        self.assertFalse(self.overdue.dunning_level_id)
        self.assertRecordValues(self.accept(notice, self.today), [{
            'state': 'sent', 'level_id': self.reminder.id, 'amount_due': 250.0, 'author_id': self.accountant.id}])
        self.assertEqual(self.overdue.dunning_level_id, self.reminder)

    def test_accountant_approves_proposals(self):
        """The proposals of the night are approved in the list of notices."""
        notice = self.make_notices(self.today)
        self.assertEqual(notice.state, 'draft')
        self.start_tour('/odoo/dunning-notices', 'l10n_nl_dunning.approve_proposals', login='dunning_accountant')
        self.assertRecordValues(notice, [{'state': 'queued', 'author_id': self.accountant.id}])

    def test_salesperson_sees_the_level(self):
        """Who sells sees how far a debtor is, on every screen with contacts, and no amounts."""
        self.dun(self.today)
        self.start_tour(
            f'/odoo/res.partner/{self.business.id}', 'l10n_nl_dunning.salesperson_contact', login='dunning_sales')
        self.start_tour(
            '/odoo/action-base.action_partner_form', 'l10n_nl_dunning.salesperson_contacts', login='dunning_sales')
