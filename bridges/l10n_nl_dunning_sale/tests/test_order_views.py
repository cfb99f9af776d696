"""What stands on quotations and orders, for whom, and what it costs."""

from lxml import etree

from odoo.tests import Form, tagged

from odoo.addons.l10n_nl_dunning.tests.common import days

from .common import LATE, SaleCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestOrderViews(SaleCommon):

    def test_the_salesperson_sees_how_the_customer_pays(self):
        order, other = self.order(), self.order(self.prompt)
        self.assertEqual(order.dunning_level_id, self.reminder)
        self.assertIn("Bakkerij De Korst BV is at level “Reminder”.", order.dunning_text)
        self.assertIn("6 days late", order.dunning_text)
        self.assertFalse(order.dunning_credit_state)
        self.assertFalse(other.dunning_level_id)
        self.assertFalse(other.dunning_text)

    def test_at_once_while_a_quotation_is_made(self):
        with Form(self.env['sale.order'].with_user(self.seller)) as form:
            form.partner_id = self.late
            self.assertIn("“Reminder”", form.dunning_text)

    def test_the_level_is_of_who_pays_in_the_company_of_the_order(self):
        order = self.order(self.prompt, partner_invoice_id=self.late.id)
        self.assertEqual(order.dunning_level_id, self.reminder)
        contact = self.make_contact(self.late, "Piet")
        self.assertEqual(self.order(contact).dunning_level_id, self.reminder)

    def test_orders_are_found_and_grouped_by_level(self):
        orders = self.order() | self.order(self.prompt) | self.order(self.make_contact(self.late, "Piet"))
        mine = [('id', 'in', orders.ids)]
        Order = self.env['sale.order'].with_user(self.seller)
        self.assertEqual(Order.search([*mine, ('dunning_level_id', '=', self.reminder.id)]), orders[2] | orders[0])
        self.assertEqual(Order.search([*mine, ('dunning_level_id', '=', False)]), orders[1])
        self.assertEqual(Order.search([*mine, ('dunning_level_id', '!=', False)]), orders[2] | orders[0])
        self.assertEqual(Order.search([*mine, ('dunning_level_id', 'ilike', "remind")]), orders[2] | orders[0])
        self.assertEqual(
            Order._read_group(mine, ['dunning_level_id'], ['__count']),
            [(self.reminder.with_user(self.seller), 2), (self.env['dunning.level'], 1)])
        self.assertTrue(Order.fields_get(['dunning_level_id'])['dunning_level_id']['groupable'])

    def test_the_same_level_in_python_and_in_sql(self):
        """Also of the higher of two, of other companies and of what was paid."""
        self.invoice(self.late, due=LATE - days(5))
        order = self.order()
        for at_date in (LATE, LATE + days(20), LATE + days(40)):
            self.dun(at_date)
            self.env.invalidate_all()
            self.assertEqual(
                self.env['sale.order'].search([('dunning_level_id', '=', order.dunning_level_id.id)]) & order, order)
        self.pay(self.env['account.move'].search([('partner_id', '=', self.late.id)]), on=LATE + days(40))
        self.env.invalidate_all()
        self.assertFalse(order.dunning_level_id)
        self.assertEqual(self.env['sale.order'].search([('dunning_level_id', '=', False)]) & order, order)

    def test_facts_without_amounts(self):
        self.env['dunning.hold'].with_context(dunning_at_date=LATE).create({
            'partner_id': self.late.id, 'company_id': self.company.id, 'user_id': self.env.user.id,
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_insolvency').id, 'date_end': LATE + days(30),
            'insolvency_kind': 'bankruptcy', 'insolvent_on': LATE})
        text = self.order().dunning_text
        self.assertIn("is insolvent: Bankruptcy.", text)
        self.assertNotIn("100", text)

    def test_a_broken_promise_counts_while_something_is_late(self):
        promise = self.env['dunning.promise'].with_context(dunning_at_date=LATE)._make(
            self.company, self.late, LATE + days(1), None, self.items(self.overdue), self.env.user)
        self.env['dunning.promise'].with_context(dunning_at_date=LATE + days(10))._judge(
            self.company, LATE + days(10))
        self.assertEqual(promise.state, 'broken')
        order = self.order().with_context(dunning_at_date=LATE + days(10))
        self.assertIn("A promise to pay or a payment arrangement was broken.", order.dunning_text)
        self.pay(self.overdue, on=LATE + days(10))
        self.env.invalidate_all()
        self.assertFalse(order.dunning_text)

    def test_the_drop_down_of_customers_says_the_level(self):
        Partner = self.env['res.partner'].with_user(self.seller).with_context(
            formatted_display_name=True, res_partner_search_mode='customer')
        names = dict(Partner.name_search("B", domain=[('id', 'in', (self.late | self.prompt).ids)]))
        self.assertEqual(names[self.late.id], "Bakkerij De Korst BV \t --Reminder--")
        self.assertEqual(names[self.prompt.id], "Prompt BV")
        plain = self.late.with_context(res_partner_search_mode='customer').display_name
        self.assertEqual(plain, "Bakkerij De Korst BV")

    def test_the_number_of_queries_does_not_depend_on_the_number_of_orders(self):
        self.make_rule()
        self.make_rule('limit')
        self.company.account_use_credit_limit = True
        debtors = [self.make_debtor(f"Debtor {number} BV", credit_limit=50) for number in range(20)]
        for debtor in debtors:
            self.invoice(debtor)
        self.dun(LATE)
        orders = self.env['sale.order'].browse([self.order(debtor).id for debtor in debtors])

        def count(ids, names):
            self.env.flush_all()
            self.env.invalidate_all()
            orders = self.env['sale.order'].with_user(self.seller).browse(ids)
            orders.fetch(['partner_id', 'partner_invoice_id', 'state', 'amount_total', 'currency_rate', 'company_id'])
            before = self.env.cr.sql_log_count
            orders.read(names)
            return self.env.cr.sql_log_count - before

        for names, most in ((['dunning_level_id'], 6), (['dunning_credit_state'], 40)):
            count(orders.ids, names)
            few, many = count(orders[:2].ids, names), count(orders.ids, names)
            self.assertEqual(few, many, names)
            self.assertLessEqual(many, most, names)

    def test_lists_cost_no_query_per_order(self):
        """As the browser asks for them, with all that the bridge puts into the lists."""
        self.make_rule()
        debtors = [self.make_debtor(f"Debtor {number} BV") for number in range(12)]
        for debtor in debtors:
            self.invoice(debtor)
        self.dun(LATE)
        orders = self.env['sale.order'].browse([self.order(debtor).id for debtor in debtors])
        ours = ('dunning_level_id', 'dunning_credit_state', 'dunning_text')
        for view, most in (
            ('sale.view_quotation_tree_with_onboarding', 20), ('l10n_nl_dunning_sale.sale_order_view_list_held', 24),
        ):
            Order = self.env['sale.order'].with_user(self.seller)
            arch = etree.fromstring(Order.get_view(self.env.ref(view).id, 'list')['arch'])
            names = {node.get('name') for node in arch.iter('field')}
            self.assertTrue(names & set(ours), view)

            def read(orders, names, Order=Order):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                Order.web_search_read([('id', 'in', orders.ids)], {
                    name: {'fields': {'display_name': {}}} if Order._fields[name].type == 'many2one' else {}
                    for name in sorted(names)})
                return self.env.cr.sql_log_count - before

            read(orders, names)
            with_bridge, without = read(orders[:2], names), read(orders[:2], names.difference(ours))
            self.assertLessEqual(with_bridge - without, most, view)
            with self.assertQueryCount(with_bridge):
                read(orders, names)
