from odoo import api, fields, models


class DunningPromiseLine(models.Model):
    """What was promised of one due item, in its currency."""

    _name = 'dunning.promise.line'
    _inherit = ['dunning.recorded']
    _description = "Promised Item"
    _order = 'date_maturity, id'
    _rec_name = 'move_id'

    _recorded_with = 'dunning.promise'

    promise_id = fields.Many2one(
        comodel_name='dunning.promise', required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='promise_id.company_id', store=True)
    currency_id = fields.Many2one(related='promise_id.currency_id')
    # No cascade: a draft invoice can lose its lines, and the promise stays as what was said.
    move_line_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", readonly=True, index=True, ondelete='set null')
    move_id = fields.Many2one(
        comodel_name='account.move', string="Invoice", compute='_compute_move_id', store=True, index='btree_not_null',
        ondelete='set null')
    date_maturity = fields.Date(string="Due Date", compute='_compute_move_id', store=True)
    amount_open = fields.Monetary(string="Open", readonly=True, help="What was open of it when it was promised.")
    amount = fields.Monetary(string="Promised", readonly=True)
    amount_residual = fields.Monetary(string="Open Now", related='move_line_id.amount_residual_currency')
    replaced_by_id = fields.Many2one(
        comodel_name='dunning.promise', readonly=True, index='btree_not_null',
        ondelete='restrict')

    _check_amount = models.Constraint(
        'CHECK(amount > 0 AND amount <= amount_open)', "What is promised of an item is part of what is open of it.")

    @api.depends('move_line_id')
    def _compute_move_id(self):
        """As it was when it was promised: an item that is gone takes nothing along."""
        for line in self:
            item = line.move_line_id
            if item or not line.move_id:
                line.move_id = item.move_id
                line.date_maturity = item._get_dunning_due_date() if item else False

    def _get_frozen_message(self, action):
        if action == 'unlink':
            return self.env._("The items of a promise stay as what was said; they cannot be deleted.")
        return action != 'copy' and self.env._(
            "The items of a promise follow from what was said; they cannot be changed.")
