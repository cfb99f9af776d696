"""No way around: whatever a salesperson, a customer or a program does, a held order is not confirmed."""

from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import Command, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.l10n_nl_dunning.tests.agreement.test_arrangement_sign import draw_signature
from odoo.addons.l10n_nl_dunning.tests.portal.test_portal_payment import publish_demo_provider

from .common import SaleCommon

REFUSALS = (UserError, AccessError)
RECEIVED = "We have received your order. We will confirm it and let you know."


def add_test_addon(cls):
    """Let the registry hold what an addon of somebody else does with orders, until the class is done."""
    class SaleOrder(models.Model):
        _module = None  # of no addon: only this registry knows it
        _name = 'sale.order'
        _inherit = ['sale.order']

        def action_confirm(self):
            # Replaces what is below it, as some do, or goes on.
            if self.env.context.get('in_a_hurry'):
                self.write({'state': 'sale', 'date_order': '2025-03-09'})
                self._action_confirm()
                return True
            return super().action_confirm()

        def _action_confirm(self):
            self.filtered(lambda order: order.state != 'sale').write({'state': 'sale'})
            return super()._action_confirm()

        def action_quotation_sent(self):
            if self.env.context.get('in_a_hurry'):
                self._action_confirm()
            return super().action_quotation_sent()

        def write(self, vals):
            if vals.get('client_order_ref') == "GO":
                vals = {**vals, 'state': 'sale'}
            return super().write(vals)

    # Core's own tests do it so: nothing else makes a model of a class.
    from odoo.orm.model_classes import add_to_registry

    classes = cls.registry['sale.order']._base_classes__
    add_to_registry(cls.registry, SaleOrder)
    cls.registry._setup_models__(cls.env.cr, ['sale.order'])

    def restore():
        cls.registry['sale.order']._base_classes__ = classes
        cls.registry._setup_models__(cls.env.cr, ['sale.order'])

    cls.addClassCleanup(restore)


class HeldCommon(SaleCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_rule()
        publish_demo_provider(cls)
        cls.customer = new_test_user(
            cls.env, 'dunning_customer', groups='base.group_portal', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.customer.partner_id.parent_id = cls.late

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
        order.with_context(in_a_hurry=True).action_confirm()

    def do_send_in_another_addon(self, order):
        order.with_context(in_a_hurry=True).action_quotation_sent()

    def do_write_in_another_addon(self, order):
        order.client_order_ref = "GO"

    def do_confirm_by_rpc(self, order):
        call_kw(order.browse(), 'action_confirm', [order.ids], {'context': {'dunning_judging': order.ids}})

    def do_write_by_rpc(self, order):
        call_kw(order.browse(), 'write', [order.ids, {'state': 'sale'}], {})

    def do_confirm_by_schedule(self, order):
        self.env['ir.actions.server'].sudo().create({
            'name': "Confirm", 'model_id': self.env['ir.model']._get_id('sale.order'), 'state': 'code',
            'code': f"env['sale.order'].browse({order.id}).action_confirm()"}).run()

    def do_write_by_schedule(self, order):
        self.env['ir.actions.server'].sudo().create({
            'name': "Confirm", 'model_id': self.env['ir.model']._get_id('sale.order'), 'state': 'object_write',
            'update_path': 'state', 'value': 'sale',
        }).with_context(active_model='sale.order', active_id=order.id, active_ids=order.ids).run()

    def do_confirm_as_customer(self, order):
        order.with_user(self.customer).action_confirm()

    def do_write_as_customer(self, order):
        order.with_user(self.customer).write({'state': 'sale'})

    def do_confirm_as_visitor(self, order):
        order.with_user(self.env.ref('base.public_user')).action_confirm()

    def do_confirm_for_visitor(self, order):
        order.with_user(self.env.ref('base.public_user')).sudo().action_confirm()

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

    def do_import_again(self, order):
        with mute_logger('odoo.sql_db'):
            order.load(['.id', 'state'], [[str(order.id), 'sale']])

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

    def do_pay_all(self, order):
        self.pay_online(order, order.amount_total)

    def do_add_through_rpc(self, order):
        call_kw(self.env['sale.order.line'].with_user(self.seller), 'create', [[{
            'order_id': order.id, 'product_id': self.product.id, 'price_unit': 20.0}]], {})

    def do_move_a_line_here(self, order):
        self.order(self.prompt).order_line.order_id = order

    ACTIONS = tuple(sorted(name for name in dir() if name.startswith('do_')))

    @settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
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
        Order, name = self.registry['sale.order'], '_send_payment_succeeded_for_order_mail'
        with patch.object(Order, name, autospec=True) as mail:
            transaction = self.pay_online(order, 30.0)
        # The customer reads that the money came in, and not that the order is confirmed.
        self.assertEqual(mail.call_args.args, (order,))
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
class TestHeldOrdersWithAnotherAddon(TestHeldOrders):
    """All of it again, next to an addon that does what it likes with orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        add_test_addon(cls)

    def test_the_other_addon_is_there(self):
        order = self.order(self.prompt)
        order.client_order_ref = "GO"
        self.assertEqual(order.state, 'sale')


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
        self.assertIn(RECEIVED, page)
        self.assertNotIn("has been confirmed", page)
        self.release(order)
        self.assertEqual(order.state, 'sale')
        self.assertNotIn(RECEIVED, self.url_open(f'/my/orders/{order.id}?access_token={token}').text)

    def test_only_who_agreed_reads_that_the_order_will_be_confirmed(self):
        order = self.order(require_signature=True, require_payment=False)
        order.action_quotation_sent()
        order.action_dunning_ask()
        self.assertTrue(order.dunning_asked_on)
        self.assertNotIn(RECEIVED, self.url_open(order.sudo().get_portal_url()).text)

    def test_the_salesperson_is_told_that_the_customer_agreed_after_release_was_asked(self):
        order = self.order()
        order.action_dunning_ask()
        order.sudo()._validate_order()
        order.sudo().action_confirm()  # a program tries again
        bodies = order.sudo().message_ids.mapped('body')
        self.assertEqual(len([body for body in bodies if "The customer agreed" in body]), 1)
        self.assertEqual(len(order.sudo().activity_ids), 1)
