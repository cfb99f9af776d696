from odoo import api, fields, models
from odoo.tools import ormcache

from ..kernel.groups import ACCOUNTING


class AccountPaymentMethodLine(models.Model):
    _inherit = 'account.payment.method.line'

    dunning_collects = fields.Boolean(
        string="Collects by Direct Debit",
        help="You collect the invoices that are paid this way: no reminder goes out before the bank returned the "
             "direct debit, or five bank days after the due date passed and nothing was collected.",
        prefetch='dunning',
        groups=ACCOUNTING,
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if any(vals.get('dunning_collects') for vals in vals_list):
            self.env.registry.clear_cache()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if 'dunning_collects' in vals:
            self.env.registry.clear_cache()
        return result

    @api.model
    @ormcache()
    def _get_dunning_collecting_ids(self):
        """Return the ids of the payment methods that collect by direct debit, of all companies.

        Kept: where there are none, nothing more is asked about any item.
        """
        return tuple(self.sudo().search([('dunning_collects', '=', True)]).ids)  # sudo: the same for every user
