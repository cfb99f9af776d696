from odoo import api, fields, models
from odoo.exceptions import UserError


class DunningPromiseLine(models.Model):
    """What was promised of one due item, in its currency."""

    _name = 'dunning.promise.line'
    _description = "Promised Item"
    _order = 'date_maturity, id'
    _rec_name = 'move_id'

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
    amount_residual = fields.Monetary(string="Open Now", compute='_compute_amount_residual')
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
                line.date_maturity = item.date_maturity or item.date

    @api.depends('move_line_id.amount_residual_currency')
    def _compute_amount_residual(self):
        for line in self:
            line.amount_residual = line.move_line_id.amount_residual_currency

    def _recording(self):
        return self.env['dunning.promise']._recording().env[self._name].browse(self.ids)

    def _check_recording(self):
        if not self.env['dunning.promise']._is_recording():
            raise UserError(self.env._("The items of a promise follow from what was said; they cannot be changed."))

    @api.model_create_multi
    def create(self, vals_list):
        self._check_recording()
        return super().create(vals_list)

    def write(self, vals):
        self._check_recording()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if self:
            raise UserError(self.env._("The items of a promise stay as what was said; they cannot be deleted."))
