"""A customer in the shop is never refused, and reads that an order which waits will be confirmed."""

from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.l10n_nl_dunning_sale.tests.test_held_orders import RECEIVED, HeldCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestShop(HeldCommon, HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env['website'].get_current_website()
        cls.website.company_id = cls.company
        cls.product.type = 'service'  # no carrier

    def cart(self, partner=None):
        return self.order(partner, user=self.env.ref('base.user_root'), user_id=False, website_id=self.website.id)

    def check_out(self, order, xmlid, **values):
        """Pay a cart as the shop lets a customer do; return the text of the last page."""
        provider = self.env.ref(xmlid).sudo().copy({
            'company_id': self.company.id, 'state': 'enabled', 'is_published': True})
        provider.write(values)  # Odoo makes its own text for a transfer
        provider.payment_method_ids = self.env.ref(xmlid).with_context(active_test=False).payment_method_ids
        provider.with_context(active_test=False).payment_method_ids.active = True
        self.authenticate(None, None, session_extra={'sale_order_id': order.id, 'sale_last_order_id': order.id})
        answer = self.make_jsonrpc_request(f'/shop/payment/transaction/{order.id}', {
            'provider_id': provider.id, 'payment_method_id': provider.payment_method_ids[0].id, 'token_id': None,
            'flow': 'redirect', 'tokenization_requested': False, 'landing_route': '/shop/payment/validate',
            'access_token': order._portal_ensure_token()})
        self.url_open('/payment/custom/process', data={'reference': answer['reference']})
        self.make_jsonrpc_request('/payment/status/poll', {})
        page = self.url_open('/shop/payment/validate')
        self.assertTrue(page.url.endswith('/shop/confirmation'), page.url)
        return page.text

    def assertNoneOf(self, page, *words):
        """Assert that a customer reads none of these words."""
        [body] = html.fromstring(page).xpath("//div[@id='wrapwrap']//main")
        text = body.text_content().lower()
        for word in words:
            self.assertNotIn(word, text)

    def test_a_transfer_that_is_announced(self):
        order = self.cart()
        page = self.check_out(
            order, 'payment.payment_provider_transfer', pending_msg="Transfer it to NL20INGB0001234567")
        self.assertEqual(order.state, 'sent')
        self.assertTrue(order.dunning_asked_on)
        self.assertIn(RECEIVED, page)
        self.assertIn("NL20INGB0001234567", page)
        self.assertNotIn("Shop - Confirmed", page)
        self.assertNoneOf(page, "dunning", "reminder", "release", "credit limit")
        # The order is released: still only the money confirms it.
        self.release(order)
        self.assertEqual(order.state, 'sent')
        self.assertNotIn(RECEIVED, self.url_open('/shop/confirmation').text)

    def test_who_pays_at_the_door_reads_nothing_of_a_confirmation(self):
        order = self.cart()
        page = self.check_out(order, 'delivery.payment_provider_cod', pending_msg="Your order has been confirmed.")
        self.assertEqual(order.state, 'sent')
        self.assertIn(RECEIVED, page)
        self.assertNoneOf(page, "confirmed")
        portal = self.url_open(order.get_portal_url()).text
        self.assertIn(RECEIVED, portal)
        self.assertNotIn("has been confirmed", portal)
        self.release(order)
        self.assertEqual(order.state, 'sale', "As was promised")
        self.assertNotIn(RECEIVED, self.url_open('/shop/confirmation').text)

    def test_others_are_confirmed_as_ever(self):
        order = self.cart(self.prompt)
        page = self.check_out(order, 'delivery.payment_provider_cod')
        self.assertEqual(order.state, 'sale')
        self.assertIn("Shop - Confirmed", page)
        self.assertNotIn(RECEIVED, page)

    def test_what_is_paid_in_full_goes(self):
        order = self.cart()
        transaction = self.pay_online(order, order.amount_total)
        self.assertEqual(order.state, 'sale')
        self.assertIn(transaction.payment_id.state, ('in_process', 'paid'))
