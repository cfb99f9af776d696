from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ..kernel.dunning_field import CopiedMany2one
from ..kernel.sql import select_changed
from .dunning_notice import FINAL_STATES, PENDING_STATES

LINES = SQL("dunning_notice_line line JOIN dunning_notice notice ON notice.id = line.notice_id")


class DunningNoticeLine(models.Model):
    """One due item on a notice, with what was owed on it when the notice was made or left.

    This table is the history of an item: its level is the level of its last sent line.
    No chatter here; there are many of these.
    """

    _name = 'dunning.notice.line'
    _inherit = ['dunning.recorded', 'dunning.bulk']
    _description = "Dunning Notice Line"
    _order = 'notice_id, date_maturity, id'
    # Who made it and when is known of the notice; here it would be a third of the time of a run.
    _log_access = False
    _recorded_with = 'notice'

    notice_id = fields.Many2one(comodel_name='dunning.notice', required=True, index=True, ondelete='cascade')
    company_id = CopiedMany2one(comodel_name='res.company', readonly=True, help="The one to which the item is owed.")
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
    date = fields.Date(compute='_compute_dates', store=True, precompute=True, readonly=False)
    deadline = fields.Date(
        string="Pay Before", compute='_compute_dates', store=True, precompute=True, readonly=False)
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
            ('void', "Holds no longer"),
            ('cancelled', "Cancelled"),
        ],
        compute='_compute_status', store=True, precompute=True, readonly=False)
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
    void_on = fields.Date(
        string="Holds No Longer Since", readonly=True, copy=False,
        help="What it rested on turned out to be otherwise: the item went back on its ladder.")
    void_reason = fields.Char(string="Why It Holds No Longer", readonly=True, copy=False)
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

    @api.depends('notice_id.date', 'notice_id.deadline')
    def _compute_dates(self):
        for line in self:
            line.date = line.notice_id.date
            line.deadline = line.notice_id.deadline

    @api.depends('notice_id.state', 'drop_reason', 'withdrawn_on', 'void_on')
    def _compute_status(self):
        for line in self:
            state = line.notice_id.state
            if line.drop_reason:
                line.status = 'dropped'
            elif state in PENDING_STATES:
                line.status = 'pending'
            elif state in ('sent', 'skipped') and line.void_on:
                line.status = 'void'
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
    def _prepare_create_values(self, vals_list):
        # EXTENDS 'base'
        for vals in vals_list:
            notice = self.env['dunning.notice'].browse(vals.get('notice_id'))
            # Computed as well: given, so that lines are not made twice, first in memory.
            vals.update(
                company_id=vals.get('company_id') or notice.company_id.id, date=notice.date, deadline=notice.deadline)
            if not vals.get('level_id'):
                vals['level_id'] = notice.level_id.id
        return super()._prepare_create_values(vals_list)

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
        items = self.move_line_id
        if not items:
            return
        items.fetch(['move_id', 'name', 'amount_currency'])
        items.move_id.fetch(['ref', 'name', 'invoice_date', 'date', 'move_type', 'dunning_returned_on'])
        descriptions, identities = self._get_descriptions(items.move_id), items._get_dunning_identities()
        rows = [(
            line.id, number or None, day or None, descriptions.get(item.move_id.id) or None, item.amount_currency,
        ) for line in self if (item := line.move_line_id) for number, day in [identities[item]]]
        names = ['name', 'invoice_date', 'description', 'amount_original']
        self.flush_model(names)
        self.env.execute_query(SQL(
            """
            UPDATE dunning_notice_line line
               SET name = frozen.name, invoice_date = frozen.invoice_date, description = frozen.description,
                   amount_original = frozen.amount
              FROM UNNEST(%s::int[], %s::varchar[], %s::date[], %s::varchar[], %s::numeric[])
                   AS frozen (id, name, invoice_date, description, amount)
             WHERE line.id = frozen.id
         RETURNING line.id
            """, *(list(column) for column in zip(*rows, strict=True))))
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

    def _get_asked(self):
        """Return what was asked of the item itself, in its currency."""
        self.ensure_one()
        return self.amount_residual - self.amount_netted - self.amount_held

    @api.model
    def _get_last_asked(self, items):
        """Return ``{item: (with interest, with costs)}``: what the last notice that left about each asked of it."""
        last = {item_id: asked for item_id, *asked in self.env.execute_query(SQL(
            """
            SELECT DISTINCT ON (line.move_line_id)
                   line.move_line_id, COALESCE((notice.claim_data->>'with_interest')::boolean, FALSE),
                   COALESCE((notice.claim_data->>'with_costs')::boolean, FALSE)
              FROM %s
             WHERE line.move_line_id = ANY(%s) AND line.status = 'sent' AND %s
          ORDER BY line.move_line_id, line.date DESC, line.id DESC
            """, LINES, list(items.ids), self._get_standing_sql(SQL.identifier('line')), to_flush=[
                self.env['dunning.notice']._fields['claim_data'],
                *(self._fields[name] for name in ('move_line_id', 'notice_id', 'status', 'date'))]))}
        return {item: tuple(last.get(item.id, (False, False))) for item in items}

    def _is_wholly_wrong(self):
        self.ensure_one()
        return bool(self.wrong_amount) and self.currency_id.compare_amounts(self.wrong_amount, self._get_asked()) >= 0

    @api.model
    def _get_left_sql(self):
        """Return the SQL of the lines that left and stand, to be given an alias.

        Columns: those of the line, ``channel`` and ``sent_on`` of the notice, and ``left_on``: the day on which it
        left, of paper the day on which it was posted.
        """
        Notice = self.env['dunning.notice']
        return SQL(
            """(
            SELECT line.*, notice.channel, notice.sent_on,
                   CASE WHEN notice.channel = 'letter' THEN COALESCE(notice.posted_on, notice.date)
                        ELSE notice.date END AS left_on
              FROM dunning_notice_line line JOIN dunning_notice notice ON notice.id = line.notice_id
             WHERE line.status = 'sent' AND %s)""",
            self._get_standing_sql(SQL.identifier('line')), to_flush=[
                *(Notice._fields[name] for name in ('channel', 'sent_on', 'posted_on', 'date')),
                *(self._fields[name] for name in (
                    'notice_id', 'company_id', 'move_line_id', 'status', 'date', 'amount_original', 'amount_residual',
                    'wrong_amount'))])

    @api.model
    def _get_asked_json_sql(self, notice_id):
        """Return SQL of ``{item id: [amount asked, invoice, level id]}`` of the items of a notice, as jsonb."""
        return SQL(
            """(SELECT jsonb_object_agg(line.move_line_id, jsonb_build_array(
                           line.amount_residual - COALESCE(line.amount_netted, 0) - COALESCE(line.amount_held, 0),
                           move.name, line.level_id))
                  FROM dunning_notice_line line
             LEFT JOIN account_move move ON move.id = line.move_id
                 WHERE line.notice_id = %s AND line.drop_reason IS NULL AND line.move_line_id IS NOT NULL)""",
            notice_id)

    @api.model
    def _get_told_sql(self, wanted, *, outdated=False):
        """Return SQL of what was told to whom: one row for each item of a notice that left and stands.

        ``line_id``, ``item_id``, ``notice_id``, ``partner_id``, ``name``, ``sent_on``, ``deadline``, ``legal_role``,
        ``costs_from``, ``channel``, ``posted_on``, ``receipt_date``, ``receipt_kind``, the amounts that were asked:
        ``interest``, ``costs``, ``announced`` and ``principal`` (of the invoice itself), and ``stands``.

        :param SQL wanted: condition on ``line`` and ``notice``
        :param bool outdated: also what was told to the debtor of today about what the item was then, which stands not
        """
        Notice, line = self.env['dunning.notice'], SQL.identifier('line')
        standing = self._get_standing_sql(line)
        return SQL(
            """
            SELECT line.id AS line_id, line.move_line_id AS item_id, notice.id AS notice_id, notice.partner_id,
                   notice.name, notice.date AS sent_on, notice.deadline, notice.legal_role, notice.costs_from,
                   notice.channel, notice.posted_on, notice.receipt_date, notice.receipt_kind,
                   line.amount_interest AS interest, line.amount_costs AS costs, line.amount_announced AS announced,
                   COALESCE(line.amount_residual, 0) - COALESCE(line.amount_netted, 0)
                       - COALESCE(line.amount_held, 0) AS principal, line.status = 'sent' AND %s AS stands
              FROM dunning_notice_line line
              JOIN dunning_notice notice ON notice.id = line.notice_id
             WHERE %s AND line.move_line_id IS NOT NULL AND %s
            """,
            standing if outdated else SQL("TRUE"),
            SQL("line.status IN ('sent', 'void') AND %s", self._get_told_to_debtor_sql(line)) if outdated
            else SQL("line.status = 'sent' AND %s", standing), wanted, to_flush=[
                *(self._fields[name] for name in (
                    'status', 'move_line_id', 'notice_id', 'amount_interest', 'amount_costs', 'amount_announced',
                    'amount_residual', 'amount_netted', 'amount_held')),
                *(Notice._fields[name] for name in (
                    'company_id', 'partner_id', 'name', 'date', 'deadline', 'legal_role', 'costs_from', 'channel',
                    'posted_on', 'receipt_date', 'receipt_kind'))])

    @api.model
    def _get_asked_sums_sql(self, company, keys, debtor_ids):
        """Return SQL of ``(number, debtor id, sum, ids of due items)`` of the notices that left and stand, in the
        currency of the company.

        :param SQL keys: array of the letters and digits of the numbers that are wanted
        :param SQL debtor_ids: array: all notices to these are wanted
        """
        Notice = self.env['dunning.notice']
        return SQL(
            """
            SELECT notice.name, notice.partner_id,
                   SUM(COALESCE(line.amount_residual, 0) - COALESCE(line.amount_netted, 0)
                       - COALESCE(line.amount_held, 0) + COALESCE(line.amount_interest, 0)
                       + COALESCE(line.amount_costs, 0)), ARRAY_AGG(line.move_line_id)
              FROM dunning_notice notice
              JOIN dunning_notice_line line ON line.notice_id = notice.id
             WHERE notice.company_id IN %(companies)s AND notice.currency_id = %(currency)s AND line.status = 'sent'
               AND line.move_line_id IS NOT NULL AND %(standing)s
               AND (notice.partner_id = ANY(%(debtors)s) OR %(key)s = ANY(%(keys)s))
          GROUP BY notice.id
            """,
            companies=company._get_dunning_company_ids(), currency=company.currency_id.id, debtors=debtor_ids,
            keys=keys,
            standing=self._get_standing_sql(SQL.identifier('line')),
            key=SQL("REGEXP_REPLACE(UPPER(notice.name), '[^A-Z0-9]', '', 'g')"),
            to_flush=[
                *(Notice._fields[name] for name in ('name', 'partner_id', 'company_id', 'currency_id')),
                *(self._fields[name] for name in (
                    'notice_id', 'move_line_id', 'status', 'amount_residual', 'amount_netted', 'amount_held',
                    'amount_interest', 'amount_costs'))])

    @api.model
    def _get_steps_sql(self, item, *names):
        """Return SQL of the steps that a due item took on its ladder: what its debtor was told, and what was passed
        over, both about what it is now.

        :param SQL item: the name of a row of ``account.move.line._get_dunning_facts_sql`` with the ``id`` of the item
        :param str names: stored fields to select besides ``item_id``
        """
        return SQL(
            "SELECT line.move_line_id AS item_id, %(names)s FROM %(lines)s"
            " WHERE line.move_line_id = %(item)s.id AND line.status IN ('sent', 'skipped') AND %(why)s IS NULL",
            names=SQL(", ").join(SQL.identifier('line', name) for name in names), lines=LINES, item=item,
            why=self._get_why_outdated_sql(SQL.identifier('line'), SQL("notice.partner_id"), item),
            to_flush=[self._fields[name] for name in ('move_line_id', 'notice_id', 'status', *names)])

    # -------------------------------------------------------------------------
    # ABOUT WHAT IS OWED NOW
    # -------------------------------------------------------------------------

    @api.model
    def _get_why_outdated_sql(self, line, told_to, item):
        """Return SQL of why a line is not about this debtor, number, amount and due date: a code of ``Why``, or NULL.

        The one answer to that: nothing rests on what was told to somebody else, or about something else. What was
        lowered or is due earlier harms nobody.

        :param SQL line: the name of a row of this table
        :param SQL told_to: the debtor of its notice
        :param SQL item: the name of a row of ``account.move.line._get_dunning_facts_sql``
        """
        return SQL(
            """(CASE WHEN %(told_to)s <> %(item)s.debtor_id THEN 'other_debtor'
                     -- Passed over before anything was written down.
                     WHEN %(line)s.name IS NULL THEN NULL
                     WHEN %(line)s.name <> %(item)s.number THEN 'number_changed'
                     WHEN %(line)s.amount_original < %(item)s.amount THEN 'amount_raised'
                     WHEN %(line)s.date_maturity < %(item)s.due_date THEN 'due_date_later' END)""",
            line=line, told_to=told_to, item=item, to_flush=[
                self.env['dunning.notice']._fields['partner_id'],
                *(self._fields[name] for name in ('name', 'amount_original', 'date_maturity'))])

    @api.model
    @ormcache('line')
    def _get_standing_sql(self, line):
        """Return the SQL condition that a line is about what its item is now; see :meth:`_get_why_outdated_sql`.

        Nearly every question asks it in the same words, so these are composed once.
        """
        return SQL(
            """NOT EXISTS (SELECT FROM (%(facts)s) item JOIN dunning_notice told ON told.id = %(line)s.notice_id
                            WHERE %(why)s IS NOT NULL)""",
            line=line, facts=self.env['account.move.line']._get_dunning_facts_sql(SQL("%s.move_line_id", line)),
            why=self._get_why_outdated_sql(line, SQL("told.partner_id"), SQL.identifier('item')),
            to_flush=[self._fields['notice_id'], self._fields['move_line_id']])

    @api.model
    def _get_was_told_sql(self, item_id):
        """Return the SQL condition that a notice about an item left that stands."""
        return SQL(
            """EXISTS (SELECT FROM dunning_notice_line told_line
                        WHERE told_line.move_line_id = %s AND told_line.status = 'sent' AND %s)""",
            item_id, self._get_standing_sql(SQL.identifier('told_line')), to_flush=self._fields['status'])

    @api.model
    def _get_told_to_debtor_sql(self, line):
        """Return the SQL condition that a line was told to who is the debtor of its item today."""
        return SQL(
            "EXISTS (SELECT FROM (%s) item JOIN dunning_notice told ON told.id = %s.notice_id"
            "         WHERE told.partner_id = item.debtor_id)",
            self.env['account.move.line']._get_dunning_facts_sql(SQL("%s.move_line_id", line)), line,
            to_flush=self.env['dunning.notice']._fields['partner_id'])

    @api.model
    def _get_standing_domain(self):
        """Return the domain of the lines that are about what their items are now."""
        return Domain.custom(
            to_sql=lambda lines, alias, _query: lines._get_standing_sql(SQL.identifier(alias)))

    @api.model
    def _get_outdated_sql(self, company, debtors):
        """Return SQL of the steps of open items that are not about them any more: ``id`` of the line and ``why``.

        :param debtors: of these only; None: of all
        """
        Item, item = self.env['account.move.line'], SQL.identifier('item')
        unpaid = Item._get_dunning_unreconciled_sql(SQL.identifier('line'), company)
        return SQL(
            """
            SELECT id, why
              FROM (SELECT line.id, %(why)s AS why
                      FROM %(lines)s
                      JOIN (%(items)s) owing ON owing.id = line.move_line_id
        CROSS JOIN LATERAL (%(facts)s) item
                     WHERE line.status IN ('sent', 'skipped')) compared
             WHERE why IS NOT NULL
            """,
            lines=LINES, facts=Item._get_dunning_facts_sql(SQL("owing.id")),
            why=self._get_why_outdated_sql(SQL.identifier('line'), SQL("notice.partner_id"), item),
            items=Item._get_dunning_rows_sql(company, unpaid if debtors is None else SQL(
                "%s AND partner.commercial_partner_id = ANY(%s)", unpaid, list(debtors.ids))),
            to_flush=[self._fields[name] for name in ('status', 'move_line_id', 'notice_id')])

    @api.model
    def _get_terms_sql(self, item_id):
        """Return SQL of the terms in which a debtor could pay an item as letters asked: ``since`` and ``until``."""
        return SQL(
            """
            SELECT given.date + 1 AS since, given.deadline AS until
              FROM dunning_notice_line given
             WHERE given.move_line_id = %s AND given.status IN ('sent', 'void') AND given.deadline > given.date
            """, item_id, to_flush=[
                self._fields[name] for name in ('move_line_id', 'status', 'date', 'deadline')])

    @api.model
    def _get_passed_over_sql(self, item, day):
        """Return the SQL condition that a 14-day letter had nothing to announce about an item by a day.

        :param SQL item: as of :meth:`_get_steps_sql`
        """
        return SQL(
            """EXISTS (SELECT FROM (%s) step JOIN dunning_notice notice ON notice.id = step.notice_id
                        WHERE notice.legal_role = 'fourteen_day' AND step.status = 'skipped' AND step.date <= %s)""",
            self._get_steps_sql(item, 'notice_id', 'status', 'date'), day,
            to_flush=self.env['dunning.notice']._fields['legal_role'])

    @api.model
    def _get_waiting_sql(self):
        """Return SQL of the items on notices that wait to be approved, sent, made or posted: at most one row each."""
        return self._get_lines_sql(SQL("line.status = 'pending'"))

    @api.model
    def _get_asked_sql(self):
        """Return SQL of the items that notices ask, or asked: those that nobody took off."""
        return self._get_lines_sql(SQL("line.drop_reason IS NULL"))

    @api.model
    def _get_lines_sql(self, wanted):
        return SQL(
            "SELECT line.move_line_id AS item_id, line.notice_id FROM dunning_notice_line line WHERE %s", wanted,
            to_flush=[self._fields[name] for name in ('move_line_id', 'notice_id', 'status', 'drop_reason')])

    @api.model
    def _get_past_sql(self, day):
        """Return SQL of the lines of all notices as they stood at the end of a day, with all their columns."""
        later = SQL("(status IN ('sent', 'skipped', 'undelivered', 'void') AND date > %s)", day)
        return select_changed(self, {
            # Made by then and left later: it waited.
            # What holds no longer held until that was found out.
            'status': SQL(
                """CASE WHEN %s THEN 'pending' WHEN status <> 'void' OR void_on <= %s THEN status
                        ELSE (SELECT notice.state FROM dunning_notice notice WHERE notice.id = notice_id) END""",
                later, day),
            'date': SQL("CASE WHEN %s THEN NULL ELSE date END", later),
            'deadline': SQL("CASE WHEN %s THEN NULL ELSE deadline END", later),
        }, where=SQL(
            "notice_id IN (SELECT id FROM dunning_notice WHERE date_planned <= %s)", day,
            to_flush=self.env['dunning.notice']._fields['date_planned']))
