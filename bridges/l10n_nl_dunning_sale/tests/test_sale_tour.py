from odoo.tests import HttpCase, tagged

from .common import SaleCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSaleTour(SaleCommon, HttpCase):
    """A salesperson and a credit manager at their screens, in a real browser, each with his own rights and no more."""

    def test_a_held_order_is_released_and_goes(self):
        today = self.company._dunning_today()  # the browser knows no other
        self.dun(today)
        self.make_rule()
        self.start_tour(
            '/odoo/action-sale.action_quotations', 'l10n_nl_dunning_sale.ask_for_release', login='dunning_seller')
        order = self.env['sale.order'].search([('partner_id', '=', self.late.id)])
        self.assertEqual((order.state, order.dunning_asked_on), ('draft', today))
        self.start_tour('/odoo/held-orders', 'l10n_nl_dunning_sale.release', login='dunning_credit')
        self.assertEqual(order.dunning_release_ids.reason, "The director paid by telephone")
        self.start_tour(f'/odoo/sales/{order.id}', 'l10n_nl_dunning_sale.confirm', login='dunning_seller')
        self.assertEqual(order.state, 'sale')
