"""No way around: whatever a salesperson, a customer or a program does, a held order is not confirmed."""

from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.l10n_nl_dunning.tests.agreement.test_arrangement_sign import draw_signature
from odoo.addons.l10n_nl_dunning.tests.portal.test_portal_payment import publish_demo_provider

from .common import SaleCommon

REFUSALS = (UserError, AccessError)


def naive_confirm(order):
    """Confirm as an addon could that replaces core's method."""
    order.write({'state': 'sale', 'date_order': '2025-03-09'})
    return True


class HeldCommon(SaleCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_rule()
        publish_demo_provider(cls)

    def pay_online(self, order, amount):
        """A customer pays a part of an order; return the transaction, as Odoo leaves it behind."""
        transaction = self.env['payment.transaction'].sudo().create({
            'provider_id': self.provider.id, 'payment_method_id': self.method.id,
            'reference': f"{order.name}-{self.env['payment.transaction'].sudo().search_count([])}", 'amount': amount,
            'currency_id': order.currency_id.id, 'partner_id': order.partner_id.id, 'operation': 'online_direct',
            'sale_order_ids': [Command.link(order.id)]})
        transaction._set_done()
        transaction._post_process()
        return transaction


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestHeldOrders(HeldCommon):

    # --- what people and programs can do with an order ---

    def do_confirm(self, order):
        order.action_confirm()

    def do_confirm_with_others(self, order):
        (order | self.order(self.prompt)).action_confirm()

    def do_confirm_as_program(self, order):
        order.sudo().action_confirm()

    def do_confirm_in_another_addon(self, order):
        with patch.object(self.registry['sale.order'], 'action_confirm', naive_confirm):
            order.action_confirm()

    def do_write_state(self, order):
        order.write({'state': 'sale'})

    def do_write_state_as_program(self, order):
        order.sudo().state = 'sale'

    def do_copy(self, order):
        order.copy({'state': 'sale'})

    def do_create(self, order):
        self.order(state='sale')

    def do_create_by_default(self, order):
        order.with_context(default_state='sale').create(self.prepare_order())

    def do_import(self, order):
        with mute_logger('odoo.sql_db'):
            order.load(['partner_id/.id', 'state', 'order_line/product_id/.id', 'order_line/price_unit'], [
                [str(self.late.id), 'sale', str(self.product.id), '70']])

    def do_write_through_the_customer(self, order):
        self.late.with_user(self.seller).write({'sale_order_ids': [Command.update(order.id, {'state': 'sale'})]})

    def do_release_by_oneself(self, order):
        order.write({'dunning_release_ids': [Command.create({'reason': "Mine", 'amount_max': 1e6})]})

    def do_change_customer(self, order):
        order.write({'partner_id': self.prompt.id, 'partner_invoice_id': self.prompt.id})

    def do_change_back(self, order):
        order.write({'partner_id': self.late.id, 'partner_invoice_id': self.late.id})

    def do_empty(self, order):
        order.order_line.unlink()

    def do_fill(self, order):
        order.write({'order_line': [Command.create({'product_id': self.product.id, 'price_unit': 30.0})]})

    def do_raise_price(self, order):
        order.order_line.price_unit = 80

    def do_send(self, order):
        order.action_quotation_sent()

    def do_cancel(self, order):
        order.action_cancel()

    def do_reopen(self, order):
        order.action_draft()

    def do_ask(self, order):
        order.action_dunning_ask()

    def do_sign(self, order):
        public = order.with_user(self.env.ref('base.public_user')).sudo()
        public.write({'signed_by': "Jan", 'signature': b'R0lGODlhAQABAAAAACw='})
        public._validate_order()

    def do_pay_a_part(self, order):
        self.pay_online(order, 10.0)

    ACTIONS = tuple(sorted(name for name in dir() if name.startswith('do_')))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=8))
    def test_no_sequence_confirms_a_held_order(self, names):
        with self.env.cr.savepoint() as savepoint:
            order = self.order()
            order.require_payment = False
            for name in names:
                try:
                    with self.env.cr.savepoint():
                        getattr(self, name)(order)
                        self.env.flush_all()
                except REFUSALS:
                    self.env.invalidate_all()
                confirmed = self.env['sale.order'].search([('state', '=', 'sale'), ('partner_id', '=', self.late.id)])
                for found in confirmed:
                    self.assertLessEqual(found.amount_total, found.amount_paid, (names, name))
                paid = self.env['payment.transaction'].sudo().search([('partner_id', '=', self.late.id)])
                self.assertEqual(set(paid.mapped('payment_id.state')) - {'paid', 'in_process'}, set(), names)
                self.assertEqual(len(paid.payment_id), len(paid), names)
            savepoint.rollback()
            self.env.invalidate_all()

    def test_each_single_way(self):
        for name in self.ACTIONS:
            with self.subTest(name):
                self.test_no_sequence_confirms_a_held_order.hypothesis.inner_test(self, [name])

    # --- what becomes of what a customer did ---

    def test_what_is_paid_in_full_passes(self):
        order = self.order()
        transaction = self.pay_online(order, 100.0)
        self.assertEqual(order.state, 'sale')
        self.assertTrue(transaction.payment_id)

    def test_a_down_payment_is_booked_and_the_order_waits(self):
        order = self.order()
        order.write({'require_payment': True, 'prepayment_percent': 0.3})
        transaction = self.pay_online(order, 30.0)
        self.assertEqual(order.state, 'sent')
        self.assertTrue(order.dunning_asked_on)
        self.assertIn(transaction.payment_id.state, ('in_process', 'paid'))
        self.assertIn(self.seller.partner_id, order.sudo().message_ids.partner_ids)
        self.release(order)
        self.assertEqual(order.state, 'sale', "As the customer was promised")

    def test_a_mixed_batch_of_a_program_confirms_the_others(self):
        held, free = self.order(), self.order(self.prompt)
        (held | free).sudo().action_confirm()
        self.assertEqual((held.state, free.state), ('sent', 'sale'))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestHeldOrdersOfCustomers(HeldCommon, HttpCase):

    def test_a_signature_is_kept(self):
        order = self.order(require_signature=True, require_payment=False)
        order.action_quotation_sent()
        token = order.sudo()._portal_ensure_token()
        answer = self.make_jsonrpc_request(f'/my/orders/{order.id}/accept', {
            'access_token': token, 'name': "Jan", 'signature': draw_signature()})
        self.assertTrue(answer.get('force_refresh'), answer)
        self.assertEqual(order.state, 'sent')
        self.assertTrue(order.sudo().signature)
        page = self.url_open(f'/my/orders/{order.id}?access_token={token}').text
        self.assertIn("We will confirm it and let you know.", page)
        self.release(order)
        self.assertEqual(order.state, 'sale')
