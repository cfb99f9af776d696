from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class DunningInvoiceSent(models.TransientModel):
    """The day on which invoices were sent, by post or by a way that Odoo does not know of."""

    _name = 'dunning.invoice.sent'
    _description = "Mark Invoices as Sent"

    move_ids = fields.Many2many(comodel_name='account.move', string="Invoices", readonly=True)
    day = fields.Date(string="Sent On", required=True, default=lambda self: self.env.company._dunning_today())

    @api.model
    def _action_open(self, moves):
        moves = moves.filtered(lambda move: move.move_type == 'out_invoice' and move.state == 'posted')
        if not moves:
            raise UserError(self.env._("Choose customer invoices that were posted."))
        wizard = self.create({'move_ids': [Command.set(moves.ids)]})
        return {**wizard.get_formview_action(), 'name': self.env._("Mark as Sent"), 'target': 'new', 'context': {}}

    def action_confirm(self):
        self.ensure_one()
        self.move_ids.check_access('write')
        today = self.env.company._dunning_today()
        if self.day > today:
            raise UserError(self.env._(
                "%s has not come yet. Enter the day on which the invoices were sent.", format_date(self.env, self.day)))
        self.move_ids._record_dunning_sent('entered', self.day)
