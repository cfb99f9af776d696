from odoo import api, models

from .sale_order import Judging

PRICING = frozenset({
    'product_id', 'product_uom_qty', 'product_uom_id', 'price_unit', 'discount', 'tax_ids', 'order_id',
    'display_type', 'is_expense', 'is_downpayment', 'is_delivery'})


class SaleOrderLine(models.Model):
    _inherit = 'sale.order.line'

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: what is added to a confirmed order is ordered as well.
        orders = self._skip_dunning_judging(
            self.env['sale.order'].browse({vals['order_id'] for vals in vals_list if vals.get('order_id')}))
        before = orders._get_dunning_confirmed()
        lines = super().create(vals_list)
        orders._check_dunning_change(before)
        return lines

    def write(self, vals):
        # OVERRIDE: as above
        if not vals.keys() & PRICING:
            return super().write(vals)
        orders = self._skip_dunning_judging(self.order_id.union(self.order_id.browse(vals.get('order_id') or ())))
        before = orders._get_dunning_confirmed()
        result = super().write(vals)
        orders._check_dunning_change(before)
        return result

    @api.model
    def _skip_dunning_judging(self, orders):
        """Return which of these orders are not judged by who called us, when all of the change is written."""
        judging = self.env.context.get('dunning_judging')
        return orders.filtered(lambda order: order.id not in judging) if isinstance(judging, Judging) else orders
