from odoo import api, fields, models

from ..kernel.groups import ACCOUNTING


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_call_count = fields.Integer(
        string="Number of Calls", compute='_compute_dunning_call_count', groups=ACCOUNTING)

    @api.depends('line_ids')
    def _compute_dunning_call_count(self):
        """One query for all invoices."""
        calls = self.env['dunning.call'].search_fetch([('item_ids.move_id', 'in', self._origin.ids)], ['item_ids'])
        counts = {}
        for call in calls:
            for move in call.item_ids.move_id:
                counts[move.id] = counts.get(move.id, 0) + 1
        for move in self:
            move.dunning_call_count = counts.get(move._origin.id, 0)

    def action_dunning_calls(self):
        """Show the calls about this invoice."""
        self.ensure_one()
        return self.env['dunning.call']._action_show([('item_ids.move_id', '=', self.id)])

    def action_dunning_call(self):
        """Open the wizard that logs a call about these invoices of one debtor."""
        self.check_access('read')
        return self.env['dunning.call.enter']._action_open(moves=self)
