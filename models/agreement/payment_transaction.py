from datetime import timedelta

from odoo import api, fields, models

from ..kernel.groups import ACCOUNTING
from ..planner.dunning_planner_gates import TRANSACTION_DAYS

# Whoever went to his bank and did not come back gave up after this many minutes.
DRAFT_MINUTES = 15


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    dunning_arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', string="Payment Arrangement", readonly=True, index='btree_not_null',
        ondelete='set null', groups=ACCOUNTING)
    dunning_instalment_id = fields.Many2one(
        comodel_name='dunning.arrangement.instalment', string="Instalment", readonly=True, index='btree_not_null',
        ondelete='set null', groups=ACCOUNTING)

    @api.model
    def _get_running_for(self, moves):
        """Return the transactions that may be paying some invoices at this moment, the last first.

        Those that wait for a bank, those that were confirmed and are about to be booked, and those that somebody began
        some minutes ago.
        """
        if not moves:
            return self.browse()
        now = fields.Datetime.now()
        return self.search([
            ('invoice_ids', 'in', moves.ids),
            ('operation', '!=', 'refund'),
            '|', '|',
            '&', ('state', 'in', ('pending', 'authorized')),
            ('last_state_change', '>=', now - timedelta(days=TRANSACTION_DAYS)),
            '&', ('state', '=', 'done'), ('is_post_processed', '=', False),
            '&', ('state', '=', 'draft'), ('create_date', '>=', now - timedelta(minutes=DRAFT_MINUTES)),
        ], order='id desc')
