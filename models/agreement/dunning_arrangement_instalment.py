from odoo import api, fields, models
from odoo.tools import format_amount

from ..kernel.colors import CALM, CLOSE, DONE, LAPSED, LATE, SERIOUS

COLORS = {
    'open': CALM, 'due': CLOSE, 'late': LATE, 'missed': SERIOUS, 'paid': DONE, 'cancelled': LAPSED}


class DunningArrangementInstalment(models.Model):
    """One payment of an arrangement; what came in on it follows from the ledger."""

    _name = 'dunning.arrangement.instalment'
    _inherit = ['dunning.recorded']
    _description = "Instalment"
    _order = 'arrangement_id, date_due, sequence, id'
    _rec_name = 'date_due'

    _recorded_with = 'dunning.arrangement'
    _unlink_recorded = True

    arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', required=True, index=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='arrangement_id.company_id', store=True, index=True, precompute=True)
    partner_id = fields.Many2one(
        related='arrangement_id.partner_id', store=True, index=True, precompute=True, string="Debtor")
    user_id = fields.Many2one(related='arrangement_id.user_id', store=True, string="Collector")
    arrangement_state = fields.Selection(related='arrangement_id.state', store=True, string="State of the Arrangement")
    currency_id = fields.Many2one(related='arrangement_id.currency_id', store=True, precompute=True)
    sequence = fields.Integer(string="No.", readonly=True)
    kind = fields.Selection(
        selection=[('down_payment', "Down payment"), ('instalment', "Instalment"), ('interest', "Interest")],
        required=True, readonly=True, default='instalment')
    date_due = fields.Date(string="To Be Paid By", required=True, readonly=True, index=True)
    grace_date = fields.Date(
        string="Waits Until", readonly=True, help="Money that came in by this day is in time.")
    amount = fields.Monetary(required=True, readonly=True, aggregator='sum')
    amount_paid = fields.Monetary(string="Paid", readonly=True, aggregator='sum')
    amount_left = fields.Monetary(string="Left", readonly=True, aggregator='sum')
    amount_lowered = fields.Monetary(
        string="No Longer Owed", readonly=True, help="What was credited or otherwise settled; off the last ones first.")
    state = fields.Selection(
        selection=[
            ('open', "To Come"),
            ('due', "Due"),
            ('paid', "Paid"),
            ('late', "Late"),
            ('missed', "Missed"),
            ('cancelled', "Lapsed"),
        ],
        required=True, readonly=True, default='open', index=True)
    color = fields.Integer(compute='_compute_color', exportable=False)
    paid_on = fields.Date(readonly=True)
    reminded_on = fields.Date(readonly=True, help="The debtor was told that it is about to be due.")
    missed_on = fields.Date(readonly=True, help="The debtor was told that it did not come in.")
    last_date = fields.Date(
        string="Last Chance", readonly=True, help="Until when the debtor was told that he can still pay.")

    def _get_frozen_message(self, action):
        return action != 'copy' and self.env._(
            "The debt and the instalments of an arrangement follow from its terms; they cannot be changed by hand.")

    @api.depends('state')
    def _compute_color(self):
        for instalment in self:
            instalment.color = COLORS[instalment.state]

    @api.depends('partner_id.name', 'amount', 'currency_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for instalment in self:
            instalment.display_name = self.env._(
                "%(debtor)s: %(amount)s", debtor=instalment.partner_id.name or '',
                amount=format_amount(self.env, instalment.amount, instalment.currency_id))

    def action_open_arrangement(self):
        """Show the arrangement of this instalment."""
        self.ensure_one()
        self.check_access('read')
        return self.arrangement_id._get_records_action()
