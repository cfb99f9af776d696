from odoo import api, fields, models
from odoo.exceptions import UserError

from ..kernel.groups import ACCOUNTING
from .arrangement_states import CLOSED_STATES


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', string="Interest and Costs of Arrangement", copy=False, readonly=True,
        index='btree_not_null', ondelete='restrict',
        groups=ACCOUNTING, prefetch='dunning',
        help="The payment arrangement whose interest and collection costs are booked here.")

    @api.constrains('state')
    def _check_dunning_arrangement_booking(self):
        """What was agreed is in the books: it is credited, not unposted."""
        # sudo: whoever works with invoices may not see arrangements
        for move in self.filtered(lambda move: move.sudo().dunning_arrangement_id):
            arrangement = move.sudo().dunning_arrangement_id  # sudo: as above
            if move.state != 'posted' and move.posted_before and arrangement.state not in CLOSED_STATES:
                raise UserError(self.env._(
                    "%(invoice)s books the interest and costs that were agreed in %(arrangement)s. It cannot be reset "
                    "or cancelled; credit it if it is not to be paid.",
                    invoice=move.name, arrangement=arrangement.name))

    def action_dunning_promise(self):
        """Open the wizard that records a promise about these invoices."""
        self.check_access('read')
        return self.env['dunning.promise.make']._action_open(items=self._get_dunning_items())

    def action_dunning_arrangement(self):
        """Open the wizard that makes an arrangement about these invoices."""
        self.check_access('read')
        return self.env['dunning.arrangement.make']._action_open(items=self._get_dunning_items())
