"""Next to OCA's modules about risk and overdue invoices nothing is said twice."""

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.l10n_nl_dunning_sale.tests.common import SaleCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRisk(SaleCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_use_credit_limit = True
        cls.late.write({'risk_sale_order_include': True, 'risk_invoice_unpaid_include': True, 'credit_limit': 50})

    def assertAsked(self, order):
        """Assert that OCA's window about the risk comes up, and nothing is confirmed."""
        self.assertEqual(order.action_confirm()['res_model'], 'partner.risk.exceeded.wiz')
        self.assertEqual(order.state, 'draft')

    def test_oca_asks_where_the_policy_has_nothing_to_say(self):
        self.assertAsked(self.order())

    def test_a_held_order_is_refused_with_one_sentence(self):
        self.make_rule()
        order = self.order()
        with self.assertRaises(UserError) as caught:
            order.action_confirm()
        self.assertIn("is at level “Reminder”", str(caught.exception))

    def test_who_was_released_above_the_limit_is_not_asked_again(self):
        self.make_rule('limit')
        order = self.order()
        self.assertEqual(order.dunning_credit_state, 'hold')
        self.release(order)
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_who_was_released_for_another_reason_is_asked_about_the_risk(self):
        self.make_rule()
        order = self.order()
        self.release(order)
        self.assertAsked(order)

    def test_what_a_customer_signs_is_kept(self):
        self.make_rule()
        order = self.order()
        order.sudo()._validate_order()
        self.assertEqual((order.state, bool(order.dunning_asked_on)), ('sent', True))

    def test_the_form_says_each_thing_once(self):
        self.make_rule('limit')
        order = self.order()
        self.manager.group_ids |= self.env.ref('sales_team.group_sale_salesman_all_leads')
        with Form(order.with_user(self.manager)) as form:
            self.assertIn("the credit limit is", form.dunning_text)
            self.assertFalse(form.partner_credit_warning)
