from odoo import fields, models


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    dunning_page_id = fields.Many2one(
        comodel_name='dunning.page', string="Paid on the Page", readonly=True, index='btree_not_null',
        ondelete='set null')
