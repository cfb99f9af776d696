from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..kernel.dunning_recorded import is_recording
from ..kernel.groups import ACCOUNTING

# What a booking and its level say about notices, and what became of its e-mail: written by the program alone.
RECORDED = frozenset({
    'dunning_arrangement_id', 'dunning_level_id', 'dunning_notice_id', 'dunning_sent_message_id', 'dunning_sent_state'})


class AccountMove(models.Model):
    _inherit = 'account.move'

    # Depends on our own lines only, never on residuals: posting and paying cost nothing extra.
    # Reconciliation refreshes it for invoices that had a notice (see account_partial_reconcile).
    dunning_level_id = fields.Many2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        store=True,
        precompute=True,  # a new invoice brings it along, and it is not looked up
        index='btree_not_null',
        copy=False,
        # No groups: who can read an invoice was told this level or is a colleague, and core would ask for his groups
        # once per invoice in a list.
        help="The highest level of the due items of this invoice that are still open.",
        prefetch='dunning',
    )
    dunning_line_ids = fields.One2many(
        comodel_name='dunning.notice.line',
        inverse_name='move_id',
        string="Notices",
        groups=ACCOUNTING,
    )
    dunning_notice_count = fields.Integer(
        string="Number of Notices",
        compute='_compute_dunning_notice_count',
        groups=ACCOUNTING,
    )

    @api.depends(
        'dunning_line_ids.status', 'dunning_line_ids.level_id', 'dunning_line_ids.move_line_id', 'partner_id')
    def _compute_dunning_level_id(self):
        if not self.ids:  # nobody was reminded of a new move: nothing is looked up
            self.dunning_level_id = False
            return
        Item, highest = self.env['account.move.line'], {}
        last = Item._get_dunning_last_levels(Domain('move_id', 'in', self.ids))
        items = Item.browse(last)
        items.fetch(['move_id'])  # of all at once
        for item in items:
            level, found = last[item.id], highest.get(item.move_id.id)
            if not found or (level.sequence, level.id) > (found.sequence, found.id):
                highest[item.move_id.id] = level
        # What stays is not written: most lines are new, and a new line raises nothing.
        self.fetch(['dunning_level_id'])
        for move in self:
            move.dunning_level_id = highest.get(move._origin.id or move.id, False)

    def _compute_dunning_notice_count(self):
        groups = self.env['dunning.notice.line']._read_group(
            [('move_id', 'in', self.ids)], ['move_id'], ['notice_id:count_distinct'])
        counts = {move.id: count for move, count in groups}
        for move in self:
            move.dunning_notice_count = counts.get(move.id, 0)

    def action_dunning_notices(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
        return {**action, 'domain': [('line_ids.move_id', '=', self.id)], 'context': {}}

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: also not as a default in the context.
        if any(vals.keys() & RECORDED for vals in vals_list) or any(
            f'default_{name}' in self.env.context for name in RECORDED
        ):
            self._check_dunning_recorded()
        return super().create(vals_list)

    def write(self, vals):
        # OVERRIDE: computing a level does not come along here.
        if vals.keys() & RECORDED:
            self._check_dunning_recorded()
        if 'commercial_partner_id' in vals:  # a contact moved, and core takes its invoices along
            self.env.add_to_compute(self._fields['dunning_level_id'], self)
        # Reset, cancelled or posted again. What is posted for the first time has no history, and costs nothing.
        again = self.filtered('posted_before') if 'state' in vals else self.browse()
        result = super().write(vals)
        if again:
            self.env.add_to_compute(self._fields['dunning_level_id'], again)
        return result

    def _check_dunning_recorded(self):
        if not is_recording(self.env):
            raise UserError(self.env._(
                "The level of an invoice, and the notice whose interest and costs it books, follow from the notices "
                "that left; they cannot be changed by hand. When it was sent is entered with “Mark as Sent”."))
