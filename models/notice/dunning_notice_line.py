from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..kernel.dunning_bulk import insert_rows
from ..kernel.dunning_field import CopiedMany2one
from .dunning_notice import FINAL_STATES, PENDING_STATES


class DunningNoticeLine(models.Model):
    """One due item on a notice, with what was owed on it when the notice was made or left.

    This table is the history of an item: its level is the level of its last sent line.
    No chatter here; there are many of these.
    """

    _name = 'dunning.notice.line'
    _inherit = ['dunning.recorded']
    _description = "Dunning Notice Line"
    _order = 'notice_id, date_maturity, id'
    # Who made it and when is known of the notice; here it would be a third of the time of a run.
    _log_access = False
    _recorded_with = 'notice'

    notice_id = fields.Many2one(comodel_name='dunning.notice', required=True, index=True, ondelete='cascade')
    company_id = CopiedMany2one(related='notice_id.company_id', store=True, precompute=True)
    currency_id = fields.Many2one(related='notice_id.currency_id')
    company_currency_id = fields.Many2one(related='notice_id.company_currency_id', string="Company Currency")
    partner_id = fields.Many2one(related='notice_id.partner_id')
    # An invoice that is reset to draft may get new journal items: the proof stays, the pointer goes.
    move_line_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", index='btree_not_null', ondelete='set null')
    move_id = fields.Many2one(
        comodel_name='account.move', string="Invoice", index='btree_not_null', ondelete='set null')
    # Its own, not that of the notice: one letter can be the reminder of one item and the demand of another.
    level_id = fields.Many2one(
        comodel_name='dunning.level', readonly=True, ondelete='restrict',
        help="The step of this item. The notice has the highest of its items, whose text it carries.")
    date = fields.Date(related='notice_id.date', store=True)
    deadline = fields.Date(related='notice_id.deadline', store=True)
    drop_reason = fields.Char(
        readonly=True, copy=False,
        help="Code of the planner's reason why this item was taken off before the notice left.")
    drop_text = fields.Char(string="Taken Off Because", readonly=True, copy=False)
    status = fields.Selection(
        selection=[
            ('pending', "Pending"),
            ('sent', "Sent"),
            ('skipped', "Passed over"),
            ('dropped', "Taken off"),
            ('undelivered', "Not delivered"),
            ('withdrawn', "Withdrawn"),
            ('cancelled', "Cancelled"),
        ],
        compute='_compute_status', store=True, precompute=True)
    # What was owed: taken when planned, refreshed when the notice is rendered, frozen when it leaves.
    name = fields.Char(string="Invoice Number")
    description = fields.Char()
    invoice_date = fields.Date()
    date_maturity = fields.Date(string="Due Date")
    amount_original = fields.Monetary(string="Original")
    amount_residual = fields.Monetary(string="Open")
    amount_netted = fields.Monetary(string="Credit")
    amount_held = fields.Monetary(
        string="On Hold", help="Part of the item that is not asked now, such as a part in dispute.")
    amount_interest = fields.Monetary(string="Interest", help="Interest to date that the notice asks for.")
    amount_costs = fields.Monetary(
        string="Collection Costs", help="Collection costs that the notice asks for.")
    amount_announced = fields.Monetary(
        string="Announced Costs",
        help="Collection costs that a 14-day letter announces: owed only when its term has run out.")
    amount_paid = fields.Monetary(string="Paid", compute='_compute_amount_paid')
    amount_due_company = fields.Monetary(currency_field='company_currency_id')
    days_overdue = fields.Integer(compute='_compute_days_overdue')
    booked_interest = fields.Monetary(readonly=True, copy=False, help="Of the interest asked, what this notice booked.")
    booked_costs = fields.Monetary(readonly=True, copy=False, help="Of the costs asked, what this notice booked.")
    dropped_hold_id = fields.Many2one(
        comodel_name='dunning.hold', string="Put on Hold", readonly=True, copy=False, index='btree_not_null',
        help="The hold with which a person took the item off.")
    wrong_amount = fields.Monetary(
        string="Not Owed", readonly=True, copy=False,
        help="Of what was asked, what had been paid or credited before the day the notice left.")
    wrong_on = fields.Date(string="Found Out On", readonly=True, copy=False)
    wrong_paid_on = fields.Date(
        string="Settled On", readonly=True, copy=False, help="Date of the last payment or credit note from before it.")
    wrong_credited = fields.Boolean(
        readonly=True, copy=False, help="Only credit notes settled it, and no payment.")
    withdrawn_amount = fields.Monetary(
        readonly=True, copy=False, help="Of what was not owed, what was withdrawn.")
    withdrawn_on = fields.Date(
        readonly=True, copy=False, help="Nothing of the item was owed: it is back at the level it had before.")
    withdrawal_ids = fields.Many2many(
        comodel_name='dunning.withdrawal', relation='dunning_withdrawal_line_rel', column1='line_id',
        column2='withdrawal_id', string="Withdrawals", readonly=True, copy=False)

    # Nothing twice: one live line per item and level, and one pending line per item.
    _one_per_level = models.UniqueIndex(
        "(move_line_id, level_id) WHERE status IN ('pending', 'sent', 'skipped')",
        "This item already has a notice at this level.",
    )
    _one_pending = models.UniqueIndex(
        "(move_line_id) WHERE status = 'pending'",
        "A notice about this item is already waiting.",
    )
    _history_idx = models.Index("(move_line_id, date DESC, id DESC) WHERE status IN ('sent', 'skipped')")

    @api.depends('notice_id.state', 'drop_reason', 'withdrawn_on')
    def _compute_status(self):
        for line in self:
            state = line.notice_id.state
            if line.drop_reason:
                line.status = 'dropped'
            elif state in PENDING_STATES:
                line.status = 'pending'
            elif state == 'sent' and line.withdrawn_on:
                # One item of a notice can be withdrawn while the others stand.
                line.status = 'withdrawn'
            else:
                line.status = state

    @api.depends('amount_original', 'amount_residual')
    def _compute_amount_paid(self):
        for line in self:
            line.amount_paid = line.amount_original - line.amount_residual

    @api.depends('date_maturity', 'date', 'notice_id.date_planned')
    def _compute_days_overdue(self):
        for line in self:
            date = line.date or line.notice_id.date_planned
            line.days_overdue = (date - line.date_maturity).days if date and line.date_maturity else 0

    @api.model
    def _insert(self, vals_list, new=()):
        """Insert lines in one statement.

        :param vals_list: dicts of columns, all with the same keys
        :param new: notices that were inserted with the figures of these lines
        """
        self._check_recording('create')
        insert_rows(self, vals_list)
        new_ids = set(new and new.ids)
        notices = self.env['dunning.notice'].browse({vals['notice_id'] for vals in vals_list} - new_ids)
        notices.invalidate_recordset(['line_ids', 'live_line_ids'])
        notices.modified(['line_ids'])
        self.env['account.move'].invalidate_model(['dunning_line_ids'])

    @api.model_create_multi
    def create(self, vals_list):
        self._check_recording('create')
        for vals in vals_list:
            if not vals.get('level_id'):
                vals['level_id'] = self.env['dunning.notice'].browse(vals.get('notice_id')).level_id.id
        return super().create(vals_list)

    def _get_frozen_message(self, action):
        return action != 'copy' and self.env._(
            "The items of a notice follow from what is owed; they cannot be changed by hand.")

    def _check_unlink(self):
        self._check_recording('unlink')
        final = self.filtered(lambda line: line.notice_id.state in FINAL_STATES)
        if final:
            raise UserError(self.env._(
                "%s has left or was closed, so its items cannot be changed any more.",
                final[:1].notice_id.display_name))

    def _freeze_snapshot(self):
        """Write down invoice number, dates, description and original amount of each item, in one statement.

        Called by the dispatcher just before rendering.
        """
        self._check_recording('write')
        if not self.ids:
            return
        self.move_line_id.fetch(['move_id'])
        moves = self.move_id
        moves.fetch(['ref'])
        descriptions = self._get_descriptions(moves)
        names = ['name', 'invoice_date', 'description', 'amount_original']
        self.flush_model(['move_line_id', *names])
        self.env['account.move'].flush_model(['name', 'invoice_date', 'date'])
        self.env['account.move.line'].flush_model(['move_id', 'amount_currency'])
        self.env.execute_query(SQL(
            """
            UPDATE dunning_notice_line line
               SET name = move.name, invoice_date = COALESCE(move.invoice_date, move.date),
                   description = frozen.description, amount_original = item.amount_currency
              FROM UNNEST(%s::int[], %s::varchar[]) AS frozen (id, description), account_move_line item
              JOIN account_move move ON move.id = item.move_id
             WHERE line.id = frozen.id AND item.id = line.move_line_id
         RETURNING line.id
            """, self.ids, [descriptions.get(line.move_id.id) or None for line in self]))
        self.invalidate_recordset(names, flush=False)
        self.modified(names)

    @api.model
    def _get_descriptions(self, moves):
        """Return ``{move_id: text}``: the customer's reference, else the first line of the invoice."""
        texts = {move.id: move.ref for move in moves if move.ref}
        rest = moves.filtered(lambda move: not move.ref)
        if rest:
            lines = self.env['account.move.line'].search_fetch(
                [('move_id', 'in', rest.ids), ('display_type', '=', 'product')], ['move_id', 'name'],
                order='move_id, sequence, id')
            for line in lines:
                first = (line.name or '').strip().splitlines()
                texts.setdefault(line.move_id.id, first[0][:120] if first else False)
        return texts

    @api.model
    def _get_told_sql(self, wanted):
        """Return SQL of what was told to whom: one row for each item of a notice that left and stands.

        ``line_id``, ``item_id``, ``notice_id``, ``partner_id``, ``name``, ``sent_on``, ``deadline``, ``legal_role``,
        ``costs_from``, ``channel``, ``posted_on``, ``receipt_date``, ``receipt_kind``, and the amounts that were asked:
        ``interest``, ``costs``, ``announced`` and ``principal`` (of the invoice itself).

        :param SQL wanted: condition on ``line`` and ``notice``
        """
        Notice = self.env['dunning.notice']
        return SQL(
            """
            SELECT line.id AS line_id, line.move_line_id AS item_id, notice.id AS notice_id, notice.partner_id,
                   notice.name, notice.date AS sent_on, notice.deadline, notice.legal_role, notice.costs_from,
                   notice.channel, notice.posted_on, notice.receipt_date, notice.receipt_kind,
                   line.amount_interest AS interest, line.amount_costs AS costs, line.amount_announced AS announced,
                   COALESCE(line.amount_residual, 0) - COALESCE(line.amount_netted, 0)
                       - COALESCE(line.amount_held, 0) AS principal
              FROM dunning_notice_line line
              JOIN dunning_notice notice ON notice.id = line.notice_id
             WHERE line.status = 'sent' AND line.move_line_id IS NOT NULL AND %s
            """,
            wanted, to_flush=[
                *(self._fields[name] for name in (
                    'status', 'move_line_id', 'notice_id', 'amount_interest', 'amount_costs', 'amount_announced',
                    'amount_residual', 'amount_netted', 'amount_held')),
                *(Notice._fields[name] for name in (
                    'company_id', 'partner_id', 'name', 'date', 'deadline', 'legal_role', 'costs_from', 'channel',
                    'posted_on', 'receipt_date', 'receipt_kind'))])

    def _get_asked(self):
        """Return what was asked of the item itself, in its currency."""
        self.ensure_one()
        return self.amount_residual - self.amount_netted - self.amount_held

    def _is_wholly_wrong(self):
        self.ensure_one()
        return bool(self.wrong_amount) and self.currency_id.compare_amounts(self.wrong_amount, self._get_asked()) >= 0
