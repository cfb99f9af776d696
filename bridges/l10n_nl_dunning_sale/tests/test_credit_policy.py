"""The conditions of the credit policy, and who lets an order go."""

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.tests.common import days

from .common import LATE, SaleCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCreditPolicy(SaleCommon):

    def assertHeld(self, order, *words):
        self.assertEqual(order.dunning_credit_state, 'hold')
        with self.assertRaises(UserError) as caught:
            order.action_confirm()
        for word in words:
            self.assertIn(word, str(caught.exception))

    def assertGoes(self, order):
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_without_a_rule_everything_is_confirmed(self):
        self.assertGoes(self.order())

    def test_a_level_or_a_later_one(self):
        rule = self.make_rule(level_id=self.demand.id)
        order = self.order()
        self.assertGoes(order)
        rule.level_id = self.reminder
        self.assertHeld(self.order(), "Bakkerij De Korst BV is at level “Reminder”.", "Mila")
        self.assertGoes(self.order(self.prompt))

    def test_a_warning_holds_nothing(self):
        self.make_rule(effect='warn')
        order = self.order()
        self.assertEqual(order.dunning_credit_state, 'warn')
        self.assertGoes(order)

    def test_days_late(self):
        rule = self.make_rule('late', days=6)
        self.assertGoes(self.order())
        rule.days = 5
        self.assertHeld(self.order(), "6 days late")

    def test_the_credit_limit_counts_what_is_open_and_what_was_ordered(self):
        self.make_rule('limit')
        self.company.account_use_credit_limit = True
        self.late.credit_limit = 450
        self.assertGoes(self.order(amount=200))  # and 100 is open
        self.assertGoes(self.order(amount=150))
        order = self.order(amount=1)
        self.assertHeld(order, "the credit limit is exceeded")
        self.assertNotIn("450", order.dunning_text)
        self.assertFalse(order.partner_credit_warning, "It is said once")
        self.assertIn("450", order.with_user(self.manager).dunning_text)
        self.company.account_use_credit_limit = False
        self.env.invalidate_all()
        self.assertGoes(order)

    def test_two_orders_at_once_count_both(self):
        self.make_rule('limit')
        self.company.account_use_credit_limit = True
        self.late.credit_limit = 250
        orders = self.order() | self.order()
        with self.assertRaises(UserError):
            orders.action_confirm()

    def test_release_until_a_day_and_an_amount(self):
        self.make_rule()
        order = self.order()
        order.action_dunning_ask()
        self.assertEqual(order.dunning_asked_on, LATE)
        self.assertEqual(order.sudo().activity_ids.user_id, self.manager)
        release = self.release(order, amount_max=100)
        self.assertFalse(order.sudo().activity_ids)
        self.assertFalse(order.dunning_asked_on)
        self.assertIn("Mila released this order until", order.sudo().message_ids[:1].body)
        self.assertEqual(order.dunning_credit_state, 'released')
        order.order_line.price_unit = 101
        self.assertHeld(order)
        order.order_line.price_unit = 100
        self.assertHeld(order.with_context(dunning_at_date=LATE + days(8)))
        self.assertGoes(order)
        with self.assertRaises(AccessError):
            release.reason = "Something else"

    def test_a_release_has_a_reason_and_an_end(self):
        self.make_rule()
        with self.assertRaises(ValidationError):
            self.release(self.order(), date_until=False)

    def test_only_a_credit_manager_releases(self):
        self.make_rule()
        order = self.order()
        with self.assertRaises(AccessError):
            self.release(order, self.seller)

    def test_a_confirmed_order_does_not_grow_past_the_policy(self):
        empty = self.order(order_line=[])
        self.make_rule()
        self.assertGoes(empty)  # nothing is sold yet
        for values in ({'price_unit': 100.0}, {'price_unit': 0.0}):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                line = self.env['sale.order.line'].with_user(self.seller).create({
                    'order_id': empty.id, 'product_id': self.product.id, **values})
                line.price_unit = 50
        self.assertFalse(empty.order_line)

    def assertStays(self, order, change, *words):
        """Assert that a change of a confirmed order is refused, and nothing of it is left."""
        before = order._get_dunning_confirmed()
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            change(order)
            self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(order._get_dunning_confirmed(), before)
        for word in ("cannot be increased or moved", *words):
            self.assertIn(word, str(caught.exception))

    def test_a_confirmed_order_stays_with_who_may_have_it(self):
        self.make_rule()
        order = self.order(self.prompt)
        self.assertGoes(order)
        self.assertStays(order, lambda order: order.write({'partner_invoice_id': self.late.id}))
        self.assertStays(order, lambda order: call_kw(
            order.browse(), 'write', [order.ids, {'partner_invoice_id': self.late.id}], {}))

    def test_a_confirmed_order_does_not_grow_by_any_way(self):
        order = self.order()
        self.assertGoes(order)
        self.make_rule()
        line = order.order_line
        other = self.order(self.prompt).order_line
        pounds = self.env.ref('base.GBP')
        pounds.active = True
        self.env['res.currency.rate'].create({
            'currency_id': pounds.id, 'company_id': self.company.id, 'rate': 0.8, 'name': '2020-01-01'})
        for change in (
            lambda order: line.write({'product_uom_qty': 2}),
            lambda order: line.write({'price_unit': 100.01}),
            lambda order: order.write({'order_line': [Command.update(line.id, {'price_unit': 200})]}),
            lambda order: order.write({'order_line': [Command.create({
                'product_id': self.product.id, 'price_unit': 1.0})]}),
            lambda order: other.write({'order_id': order.id}),
            lambda order: call_kw(line.browse(), 'write', [line.ids, {'discount': -10.0}], {
                'context': {'dunning_judging': order.ids}}),
            lambda order: order.write({'currency_id': pounds.id}),
        ):
            self.assertStays(order, change, "Bakkerij De Korst BV is at level “Reminder”.")

    def test_what_is_taken_off_a_confirmed_order_makes_room(self):
        order = self.order()
        self.assertGoes(order)
        self.make_rule()
        line = order.order_line
        order.write({'order_line': [
            Command.create({'product_id': self.product.id, 'price_unit': 60.0}),
            Command.update(line.id, {'price_unit': 40.0})]})
        self.assertEqual(order.amount_total, 100)

    def test_a_confirmed_order_grows_up_to_what_was_released(self):
        self.make_rule()
        order = self.order()
        self.release(order, date_until=False, amount_max=150)
        self.assertGoes(order)
        order.order_line.price_unit = 150
        self.assertStays(order, lambda order: order.order_line.write({'price_unit': 151}))

    def test_programs_add_what_was_delivered(self):
        order = self.order()
        self.assertGoes(order)
        self.make_rule()
        order.sudo().order_line.product_uom_qty = 2
        self.assertEqual(order.amount_total, 200)

    def test_every_reason_is_said(self):
        rules = self.make_rule('new') | self.make_rule('amount', amount=500)
        order = self.order(self.make_debtor("Nieuw BV"), amount=501)
        self.assertHeld(order, "Nieuw BV was never sent an invoice before.", "It is a large order.")
        conditions = {value for value, _label in rules._fields['condition'].selection}
        verdict = order._judge_dunning_credit()[order]
        facts = verdict.facts._replace(
            level=self.reminder, days_late=3, insolvency="Bankruptcy", arranged=True, broken=True)
        sentences = order._get_dunning_sentences(verdict._replace(facts=facts, met=tuple(conditions)), conditions)
        self.assertEqual(len(sentences), len(conditions))

    def test_a_deposit_is_proposed_and_holds_nothing(self):
        self.make_rule('new', 'deposit', percent=30)
        self.make_rule('amount', 'deposit', amount=500, percent=50)
        new = self.make_debtor("Nieuw BV")
        order = self.order(new, require_payment=False)
        self.assertEqual(order.dunning_text, "Nieuw BV was never sent an invoice before.\nAsk a deposit of 30%.")
        self.assertFalse(order.dunning_credit_state)
        order.order_line.price_unit = 501
        self.assertEqual(order.dunning_deposit, 50)
        order.action_dunning_deposit()
        self.assertTrue(order.require_payment)
        self.assertEqual((order.prepayment_percent, order.dunning_deposit), (0.5, 0))
        self.assertFalse(order.dunning_text)
        self.assertFalse(self.order(self.late, require_payment=False).dunning_deposit)

    def test_a_deposit_of_a_confirmed_order_is_invoiced(self):
        self.make_rule('new', 'deposit', percent=30)
        order = self.order(self.make_debtor("Nieuw BV"), require_payment=False)
        self.assertGoes(order)
        context = order.action_dunning_deposit()['context']
        wizard = self.env['sale.advance.payment.inv'].with_user(self.seller).with_context(**context).create({})
        wizard.create_invoices()
        self.assertEqual(order.invoice_ids.amount_total, 30)
        self.assertFalse(order.dunning_deposit)

    def test_advice_for_who_may_see_it(self):
        rule = self.make_rule('slow', 'warn', days=30)
        for number in range(2):
            self.pay(self.invoice(self.prompt, due=LATE - days(200 + number)), on=LATE - days(170))
            self.pay(self.invoice(self.prompt, due=LATE - days(50 + number)), on=LATE - days(10))
        self.env['dunning.behaviour']._refresh(self.company, LATE)
        order = self.order(self.prompt)
        self.assertEqual(order.dunning_credit_state, 'warn')
        self.assertIn("Invoices are often paid late.", order.dunning_text)
        self.assertIn(
            "Pays 36 days late on average, and 10 days later than before: ask a deposit",
            order.with_user(self.manager).dunning_text)
        rule.days = 40
        self.env.invalidate_all()
        self.assertFalse(order.dunning_credit_state)
