from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class DunningDebitReturn(models.TransientModel):
    """The day on which a bank returned or rejected the direct debit of invoices, and why."""

    _name = 'dunning.debit.return'
    _description = "Direct Debit Was Returned"

    move_ids = fields.Many2many(comodel_name='account.move', string="Invoices", readonly=True)
    day = fields.Date(string="Returned On", required=True, default=lambda self: self.env.company._dunning_today())
    reason = fields.Char(
        string="Reason Given by the Bank",
        help="The first reminder tells in our own words what its code means, such as AM04; nothing else of it leaves.")

    @api.model
    def _action_open(self, moves):
        moves = moves.filtered(
            lambda move: move.move_type in ('out_invoice', 'out_receipt') and move.state == 'posted')
        if not moves:
            raise UserError(self.env._("Choose customer invoices that were posted."))
        wizard = self.create({'move_ids': [Command.set(moves.ids)]})
        return {
            **wizard.get_formview_action(), 'name': self.env._("Direct Debit Was Returned"), 'target': 'new',
            'context': {}}

    def action_confirm(self):
        self.ensure_one()
        self.move_ids.check_access('write')
        if self.day > self.env.company._dunning_today():
            raise UserError(self.env._(
                "%s has not come yet. Enter the day on which the bank returned the direct debit.",
                format_date(self.env, self.day)))
        self.move_ids._record_dunning_return(self.day, self.reason)
