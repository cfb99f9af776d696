"""What an arrangement is about, and when it is paid: its due items and its instalments."""

from odoo import api, fields, models


class DunningArrangementLine(models.Model):
    """One due item in an arrangement, with what was owed on it when the arrangement was drawn up."""

    _name = 'dunning.arrangement.line'
    _inherit = ['dunning.recorded']
    _description = "Debt in a Payment Arrangement"
    _order = 'arrangement_id, date_due, id'
    _rec_name = 'name'

    _recorded_with = 'dunning.arrangement'
    _unlink_recorded = True

    arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', required=True, index=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='arrangement_id.company_id', store=True, index=True, precompute=True)
    currency_id = fields.Many2one(related='arrangement_id.currency_id')
    move_line_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", index='btree_not_null', readonly=True,
        ondelete='set null')
    move_id = fields.Many2one(
        comodel_name='account.move', string="Invoice", compute='_compute_move_id', store=True, precompute=True,
        index='btree_not_null')
    name = fields.Char(string="Number", readonly=True)
    date_due = fields.Date(string="Due Date", readonly=True)
    is_booking = fields.Boolean(
        readonly=True, help="It books interest and costs of the others, which count there.")
    is_live = fields.Boolean(readonly=True, help="Its arrangement was offered, signed or runs.")
    amount_principal = fields.Monetary(string="Principal", readonly=True)
    amount_interest = fields.Monetary(string="Interest", readonly=True)
    amount_costs = fields.Monetary(string="Collection Costs", readonly=True)
    amount_total = fields.Monetary(string="Total", compute='_compute_amount_total')
    amount_residual = fields.Monetary(string="Open Now", related='move_line_id.amount_residual_currency')
    to_book_interest = fields.Monetary(
        readonly=True, copy=False, help="Of the interest, what no notice or other arrangement booked before.")
    to_book_costs = fields.Monetary(
        readonly=True, copy=False, help="Of the costs, what no notice or other arrangement booked before.")
    booked_interest = fields.Monetary(readonly=True, copy=False, help="Of the interest, what this arrangement booked.")
    booked_costs = fields.Monetary(readonly=True, copy=False, help="Of the costs, what this arrangement booked.")

    # Nothing twice: an item is in one arrangement at a time.
    _one_live_arrangement = models.UniqueIndex(
        "(move_line_id) WHERE is_live",
        "One of these invoices is part of another payment arrangement that was offered or runs.",
    )

    @api.depends('move_line_id')
    def _compute_move_id(self):
        for line in self:
            line.move_id = line.move_line_id.move_id or line.move_id

    @api.depends('amount_principal', 'amount_interest', 'amount_costs')
    def _compute_amount_total(self):
        for line in self:
            line.amount_total = line.amount_principal + line.amount_interest + line.amount_costs

    def _get_frozen_message(self, action):
        return action != 'copy' and self.env._(
            "The debt and the instalments of an arrangement follow from its terms; they cannot be changed by hand.")
