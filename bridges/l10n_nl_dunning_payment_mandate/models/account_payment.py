from odoo import models


class AccountPayment(models.Model):
    _name = 'account.payment'
    _inherit = ['dunning.debit.payment', 'account.payment']
