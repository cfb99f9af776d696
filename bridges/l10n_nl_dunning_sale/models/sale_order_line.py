from odoo import api, models

PRICING = frozenset({
    'product_id', 'product_uom_qty', 'product_uom_id', 'price_unit', 'discount', 'tax_ids', 'order_id',
    'display_type'})


class SaleOrderLine(models.Model):
    _inherit = 'sale.order.line'

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: what is added to a confirmed order is ordered as well.
        lines = super().create(vals_list)
        lines._check_dunning_growth({})
        return lines

    def write(self, vals):
        # OVERRIDE: as above
        if not vals.keys() & PRICING:
            return super().write(vals)
        before = {line: (line.order_id, line.price_total) for line in self if line.state == 'sale'}
        result = super().write(vals)
        self._check_dunning_growth(before)
        return result

    def _check_dunning_growth(self, before):
        """Raise when a user lets a confirmed order grow that would have to wait for release.

        Not for what other programs add: delivery, expenses, down payments.

        :param before: ``{line: (order, total)}`` of those that were there
        """
        if self.env.su:
            return
        def has_grown(line):
            order, total = before.get(line, (None, 0.0))
            return line.price_total > (total if order == line.order_id else 0.0)

        grown = self.filtered(lambda line: (
            line.state == 'sale' and not line.is_expense and not line.is_downpayment
            and not ('is_delivery' in line._fields and line.is_delivery) and has_grown(line)))
        grown.order_id._check_dunning_credit()
