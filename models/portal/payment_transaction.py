from odoo import fields, models

from ..kernel.groups import ACCOUNTING


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    dunning_page_id = fields.Many2one(
        comodel_name='dunning.page', string="Paid on the Page", readonly=True, index='btree_not_null',
        ondelete='set null', groups=ACCOUNTING)

    def _create_payment(self, **extra_create_values):
        """Date the payment by the day where the company is.

        Core takes that of the user, and a debtor without an account has none: what he pays after midnight would be paid
        the day before, before what was claimed on that day.
        """
        self.ensure_one()
        extra_create_values.setdefault('date', self.company_id._get_dunning_day(self.last_state_change))
        return super()._create_payment(**extra_create_values)
