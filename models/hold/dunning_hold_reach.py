"""What holds reach on a day: in SQL for the planner and reports, and of records.

It follows from the dates of the holds alone (``opened_on``, ``date_end``, ``closed_on``, ``free_on``), never from a
state, so the planner answers for any day, past or future, with one join (:meth:`DunningHoldReach._get_held_sql`).

An insolvency reaches older debts only: what arose after its first day has to be paid like anything else. While that day
is not known everything is on hold. The rules are in ``tools/law/insolvency.py``; nobody confirmed them.
"""

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.law.insolvency import Insolvency, get_last_interest_day

# What is told about an insolvency, when the hold is placed or as soon as it is known.
INSOLVENCY_WRITABLE = frozenset({'insolvency_kind', 'insolvent_on', 'curator_id'})


class DunningHoldReach(models.AbstractModel):
    """The part of a hold that knows which due items it is about, and how much of them it holds."""

    _name = 'dunning.hold.reach'
    _description = "Dunning Hold"

    insolvency_kind = fields.Selection(
        selection=[
            ('bankruptcy', "Bankruptcy"),
            ('suspension', "Suspension of payments"),
            ('debt_restructuring', "Debt restructuring of a person (WSNP)"),
            ('private_plan', "Private plan (WHOA)"),
        ],
        string="Kind of Insolvency", tracking=True)
    insolvent_on = fields.Date(
        string="Insolvent Since", tracking=True,
        help="The day of the ruling. Debts from before, or of that day, stay on hold and bear no interest from that "
             "day on (not with a private plan); later ones are reminded like any other. Empty: everything is on hold.")
    curator_id = fields.Many2one(
        comodel_name='res.partner', string="Trustee", index='btree_not_null', tracking=True,
        help="The trustee (curator), administrator or restructuring expert with whom the claim is filed.")

    @api.model
    def _get_active_domain(self, at_date):
        """Domain of the holds that hold on a day; not those that ended and still give soft days."""
        return (
            Domain('opened_on', '<=', at_date)
            & (Domain('closed_on', '=', False) | Domain('closed_on', '>', at_date))
            & (Domain('needs_decision', '=', True) | Domain('date_end', '>=', at_date)))

    @api.model
    def _get_items_in_dispute(self, items):
        """Return those of the due items (``account.move.line``) about which a dispute was not settled.

        Of the item, its invoice or everything of its debtor; whole or part; also when the hold itself has
        ended by its date: a dispute ends when somebody says who is right. It counts for whoever asks.
        """
        if not items:
            return items
        disputed = {item_id for item_id, _due_date in self.env.execute_query(self._get_disputed_sql(
            SQL("line.id"), SQL("line.id = ANY(%s)", items.ids)))}
        return items.filtered(lambda item: item.id in disputed)

    @api.model
    def _get_reach_sql(self, columns, holds, lines):
        """Return SQL of the pairs of a hold and a due item it is about, with the ``due_date`` of the item.

        What holds one debtor holds nothing of another one that owes the item by now.

        :param columns: SQL of what to select of ``hold``, ``line`` and ``move_wide`` (whether the amount of the
            hold is of the invoice, not of the item)
        :param holds: SQL of the table of holds, to be named ``hold``
        :param lines: SQL condition on ``line`` and on its partner ``partner``
        """
        return SQL(
            """
            SELECT %(columns)s, %(due_date)s AS due_date
              FROM %(holds)s
              JOIN res_partner holder ON holder.id = hold.partner_id
              JOIN %(items)s ON line.id = hold.move_line_id
                            AND partner.commercial_partner_id = holder.commercial_partner_id
        CROSS JOIN (VALUES (FALSE)) AS wide (move_wide)
             WHERE hold.scope = 'item' AND %(lines)s
         UNION ALL
            SELECT %(columns)s, %(due_date)s AS due_date
              FROM %(holds)s
              JOIN res_partner holder ON holder.id = hold.partner_id
              JOIN %(items)s ON line.move_id = hold.move_id
                            AND partner.commercial_partner_id = holder.commercial_partner_id
        CROSS JOIN (VALUES (TRUE)) AS wide (move_wide)
             WHERE (hold.scope = 'invoice' OR (hold.scope = 'item' AND hold.move_line_id IS NULL)) AND %(lines)s
         UNION ALL
            SELECT %(columns)s, %(due_date)s AS due_date
              FROM %(holds)s
              -- A debtor that became part of another one takes his hold along.
              JOIN res_partner holder ON holder.id = hold.partner_id
              JOIN %(items)s ON partner.commercial_partner_id = holder.commercial_partner_id AND %(same)s
        CROSS JOIN (VALUES (FALSE)) AS wide (move_wide)
             WHERE hold.scope = 'debtor' AND %(lines)s AND %(older)s
            """,
            columns=columns, holds=holds, lines=lines,
            same=self.env['res.company']._get_dunning_same_creditor_sql(
                SQL("line.company_id"), SQL("hold.company_id")),
            older=self._get_older_debts_sql(),
            items=self.env['account.move.line']._get_dunning_with_partner_sql(),
            due_date=self.env['account.move.line']._get_dunning_due_date_sql(SQL.identifier('line')))

    @api.model
    def _get_disputed_sql(self, columns, lines):
        """Return SQL of the pairs of a dispute that nobody settled and a due item; see :meth:`_get_reach_sql`."""
        disputes = SQL(
            "(SELECT * FROM dunning_hold WHERE is_dispute AND resolved_on IS NULL) AS hold",
            to_flush=[self._fields[name] for name in (
                'company_id', 'scope', 'partner_id', 'move_id', 'move_line_id', 'is_dispute', 'resolved_on')])
        return self._get_reach_sql(columns, disputes, lines)

    @api.model
    def _get_blocking_sql(self, at_date):
        """Return the SQL condition on ``hold`` of what holds reminders back on a day, also in the soft days."""
        return SQL("(hold.free_on IS NULL OR hold.free_on > %s)", at_date)

    @api.model
    def _get_active_sql(self, at_date):
        """Return the SQL condition on ``hold`` of what holds on a day, without the soft days after its end."""
        return SQL(
            "((hold.closed_on IS NULL OR hold.closed_on > %(day)s)"
            " AND (hold.needs_decision OR hold.date_end >= %(day)s))",
            day=at_date)

    @api.model
    def _get_periods_sql(self, item, debtor):
        """Return SQL of the days on which a due item was held, wholly or partly: ``since``, and ``until`` or NULL.

        :param SQL item: the name of a row of ``account_move_line``
        :param SQL debtor: the id of its debtor
        """
        return SQL(
            """
            SELECT hold.opened_on AS since, hold.free_on - 1 AS until
              FROM dunning_hold hold
             WHERE %(same)s AND hold.partner_id = %(debtor)s
               AND (hold.move_line_id = %(item)s.id
                    OR hold.move_id = %(item)s.move_id AND (hold.scope = 'invoice' OR hold.move_line_id IS NULL)
                    OR hold.scope = 'debtor')
            """, item=item, debtor=debtor, same=self.env['res.company']._get_dunning_same_creditor_sql(
                SQL("hold.company_id"), SQL("%s.company_id", item)), to_flush=[self._fields[name] for name in (
                'company_id', 'scope', 'partner_id', 'move_id', 'move_line_id', 'opened_on', 'free_on')])

    @api.model
    def _get_held_sql(self, company, at_date, lines, blocking=None):
        """Return SQL with one row per due item that is wholly or partly on hold on a day.

        Parts are added up and never more than what is open. Parts of an invoice with instalments hold the
        oldest instalments first: those would be asked for first.

        :param lines: SQL condition on open items ``line`` and their partner ``partner``
        :param blocking: SQL condition on ``hold`` of what holds; None: what holds reminders back
        :return: SQL of ``item_id``, ``hold_amount`` (in the currency of the item), ``hold_active`` (false in the
            soft days after the end), ``hold_free_on`` (the day this can change by itself), the reason, owner and
            date to name, and ``hold_disputed`` (a dispute is not settled)
        """
        flushed = [self._fields[name] for name in (
            'company_id', 'scope', 'partner_id', 'move_id', 'move_line_id', 'is_part', 'amount', 'reason_id', 'user_id',
            'opened_on', 'date_end', 'closed_on', 'ended_on', 'free_on', 'needs_decision', 'is_dispute', 'resolved_on')]
        return SQL(
            """
            WITH hold AS MATERIALIZED (
                SELECT hold.*,
                       %(active)s AS active,
                       %(blocks)s AS blocks,
                       is_dispute AND (resolved_on IS NULL OR resolved_on > %(at_date)s) AS disputed
                  FROM dunning_hold hold
                 WHERE company_id IN %(companies)s AND opened_on <= %(at_date)s
                   AND (free_on IS NULL OR free_on > %(at_date)s
                        OR (is_dispute AND (resolved_on IS NULL OR resolved_on > %(at_date)s)))
            ),
            reach AS (%(reach)s),
            summed AS (
                SELECT item_id, move_id, due_date, residual,
                       BOOL_OR(blocks AND NOT is_part) AS whole,
                       LEAST(residual, COALESCE(SUM(amount) FILTER (WHERE blocks AND NOT move_wide), 0)) AS item_part,
                       COALESCE(SUM(amount) FILTER (WHERE blocks AND move_wide), 0) AS move_part,
                       BOOL_OR(disputed) AS disputed,
                       -- Wholly on hold, it is free when the last hold is; in parts, when the first is.
                       CASE WHEN BOOL_OR(blocks AND NOT is_part AND free_on IS NULL) THEN NULL
                            WHEN BOOL_OR(blocks AND NOT is_part) THEN MAX(free_on) FILTER (WHERE NOT is_part)
                            ELSE MIN(free_on) FILTER (WHERE blocks) END AS free_on,
                       (ARRAY_AGG(hold_id ORDER BY blocks DESC, is_part, active DESC,
                                                   ended_on DESC NULLS FIRST, hold_id))[1] AS hold_id
                  FROM reach
              GROUP BY item_id, move_id, due_date, residual
            )
            SELECT item_id,
                   CASE WHEN whole THEN residual
                        ELSE item_part + GREATEST(0, LEAST(
                            residual - item_part,
                            move_part - (SUM(residual - item_part) OVER older - (residual - item_part))))
                   END AS hold_amount,
                   hold.active AS hold_active,
                   summed.free_on AS hold_free_on,
                   hold.reason_id AS hold_reason_id,
                   hold.user_id AS hold_user_id,
                   CASE WHEN hold.active THEN hold.date_end ELSE hold.ended_on END AS hold_until,
                   summed.disputed AS hold_disputed
              FROM summed
              JOIN hold ON hold.id = summed.hold_id
            WINDOW older AS (PARTITION BY summed.move_id ORDER BY due_date, item_id)
            """,
            at_date=at_date, companies=company._get_dunning_company_ids(), to_flush=flushed,
            active=self._get_active_sql(at_date), blocks=blocking or self._get_blocking_sql(at_date),
            reach=self._get_reach_sql(
                SQL("""hold.id AS hold_id, COALESCE(hold.is_part, FALSE) AS is_part, hold.amount, hold.active,
                       hold.blocks, hold.disputed, hold.ended_on, hold.free_on, wide.move_wide,
                       line.id AS item_id, line.move_id, line.amount_residual_currency AS residual"""),
                SQL("hold"), lines),
        )

    def _get_items(self):
        """Return the open due items these holds are about."""
        about, empty = Domain.FALSE, self.browse()
        for (company, debtor), holds in self.grouped(
            lambda hold: (hold.company_id, hold.partner_id.commercial_partner_id)
        ).items():
            by_scope = holds.grouped('scope')
            mine = Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain(
                'partner_id.commercial_partner_id', '=', debtor.id)
            if 'debtor' in by_scope:
                about |= mine
                continue
            items = by_scope.get('item', empty)
            lost = items.filtered(lambda hold: not hold.move_line_id)
            about |= mine & (Domain('id', 'in', items.move_line_id.ids) | Domain(
                'move_id', 'in', (by_scope.get('invoice', empty) | lost).move_id.ids))
        Item = self.env['account.move.line']
        found = Item.search(Item._get_dunning_open_domain() & about)
        insolvent = self.filtered('insolvent_on')
        if not insolvent:
            return found
        return (self - insolvent)._get_items() | found.browse().union(*(hold._get_older_debts(found.filtered(
            lambda item, hold=hold: item.partner_id.commercial_partner_id == hold.partner_id.commercial_partner_id
            and item.company_id.id in hold.company_id._get_dunning_company_ids())) for hold in insolvent))

    # -------------------------------------------------------------------------
    # INSOLVENCY
    # -------------------------------------------------------------------------

    def _get_older_debts(self, items):
        """Return those of these due items that this hold is about: all of them while no day is known."""
        self.ensure_one()
        return items.filtered(lambda item: not self.insolvent_on or self._get_arose_on(item) <= self.insolvent_on)

    @api.model
    def _get_arose_on(self, item):
        """Return when a debt arose: on the day of the delivery, or else of the invoice."""
        return item.move_id.delivery_date or item.move_id.invoice_date or item.date

    @api.model
    def _get_older_debts_sql(self):
        """Return the SQL condition of :meth:`_get_older_debts` on ``hold`` and ``line``."""
        Move, Item = self.env['account.move'], self.env['account.move.line']
        return SQL(
            """(hold.insolvent_on IS NULL OR hold.insolvent_on >= COALESCE(
                   (SELECT move.delivery_date FROM account_move move WHERE move.id = line.move_id),
                   line.invoice_date, line.date))""",
            to_flush=[
                self._fields['insolvent_on'], Move._fields['delivery_date'], Item._fields['invoice_date'],
                Item._fields['date']])

    @api.model
    @tools.ormcache()
    def _get_insolvency_ids(self):
        """Return the ids of the holds that end interest: mostly none, and every claim asks.

        Only those that were not closed: whoever closes one says that it is over, or was a mistake.
        """
        # sudo: what is owed is the same for whoever asks
        return tuple(self.env['dunning.hold'].sudo().search(
            Domain('insolvent_on', '!=', False) & Domain('closed_on', '=', False)).ids)

    def _get_last_interest_days(self, items):
        """Return ``{item id: last day over which interest is asked}`` of the items whose debtor became insolvent."""
        found = {}
        for hold in self:
            debtor, insolvency = hold.partner_id.commercial_partner_id, Insolvency(
                hold.insolvency_kind, hold.insolvent_on)
            for item in items.filtered(lambda item, hold=hold, debtor=debtor: (
                item.partner_id.commercial_partner_id == debtor
                and item.company_id.id in hold.company_id._get_dunning_company_ids()
            )):
                last = get_last_interest_day(insolvency, self._get_arose_on(item))
                if last:
                    found[item.id] = min(last, found.get(item.id, last))
        return found
