"""Claims in the books: interest and collection costs that were claimed, as invoices of their own.

Damages for paying late bear no VAT, and are kept apart from the invoices they belong to: those are never touched. What
was booked is counted per due item, so that whatever claims later only books what came on top.
"""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from odoo import Command, api, models, tools
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.law.amounts import ZERO, share, to_decimal
from ...tools.law.claim import Booked
from ..kernel.dunning_recorded import as_recording


class Claimer(NamedTuple):
    """A model of which the records claim interest and costs, and book them.

    It has ``company_id``, ``partner_id``, ``currency_id``, ``claim_data`` and ``_get_claimed_items()``; its lines have
    ``move_line_id``, ``booked_interest`` and ``booked_costs``.

    :ivar lines: the model of its lines
    :ivar parent: the field of a line for its record
    :ivar origin: the field of an invoice for what it books
    """

    model: str
    lines: str
    parent: str
    origin: str


class Overbooked(NamedTuple):
    """What is open of a booking and is not owed, by the facts of a day.

    :ivar is_paid: because all that a letter asked was paid in time
    """

    amount: Decimal
    is_paid: bool


class BookingWords(NamedTuple):
    """What the invoice says, in the language of the debtor, and what a person reads when it cannot be made."""

    costs: str
    interest: str
    no_product: str
    locked: Callable  # of the day until which the books are locked


class DunningClaimBooking(models.AbstractModel):
    _name = 'dunning.claim.booking'
    _description = "Dunning Claim"

    @api.model
    @tools.ormcache()
    def _get_claimers(self):
        """Return the :class:`Claimer` of each model that books interest and costs, the same for each question."""
        return (Claimer('dunning.notice', 'dunning.notice.line', 'notice_id', 'dunning_notice_id'),)

    # -------------------------------------------------------------------------
    # WHAT WAS BOOKED
    # -------------------------------------------------------------------------

    @api.model
    def _read_extras(self, items):
        """Return ``{item id: Booked}`` of what was booked of interest and costs of these items.

        A payment or credit note on a booking is shared over its items in proportion to what was booked for each.
        """
        result = {}
        if not items:
            return result
        wanted = set(items.ids)
        for claimer in self._get_claimers():
            by_record = defaultdict(list)
            for record_id, item_id, interest, costs in self._read_booked(claimer, items):
                by_record[record_id].append((item_id, to_decimal(interest), to_decimal(costs)))
            settlements = self._read_booking_settlements(claimer, by_record) if by_record else {}
            for record_id, rows in by_record.items():
                weights = [interest + costs for _item_id, interest, costs in rows]
                parts = [
                    (day, is_money, share(amount, weights)) for day, amount, is_money in settlements.get(record_id, ())]
                for index, (item_id, interest, costs) in enumerate(rows):
                    if item_id in wanted:
                        result[item_id] = result.get(item_id, Booked()).plus(
                            interest, costs, [(day, amounts[index], is_money) for day, is_money, amounts in parts])
        return result

    @api.model
    def _read_booked(self, claimer, items):
        """Return rows (record, item, interest, costs) of the bookings that are about these items, among others."""
        Line = self.env[claimer.lines]
        Line.flush_model(['move_line_id', 'booked_interest', 'booked_costs', claimer.parent])
        self.env['account.move'].flush_model([claimer.origin, 'state', 'move_type'])
        return self.env.execute_query(SQL(
            """
            SELECT line.%(parent)s, line.move_line_id, line.booked_interest, line.booked_costs
              FROM %(lines)s line
             WHERE COALESCE(line.booked_interest, 0) + COALESCE(line.booked_costs, 0) > 0
               AND line.%(parent)s IN (
                       SELECT asked.%(parent)s FROM %(lines)s asked
                         JOIN account_move booking ON booking.%(origin)s = asked.%(parent)s
                                                  AND booking.state = 'posted' AND booking.move_type = 'out_invoice'
                        WHERE asked.move_line_id = ANY(%(items)s))
          ORDER BY line.%(parent)s, line.id
            """,
            parent=SQL.identifier(claimer.parent), lines=SQL.identifier(Line._table),
            origin=SQL.identifier(claimer.origin),
            items=list(items.ids)))

    @api.model
    def _read_booking_settlements(self, claimer, record_ids):
        """Return ``{record: [(day, amount, is money)]}`` of what settled the bookings of these records."""
        origin, found = SQL.identifier(claimer.origin), defaultdict(list)
        bookings = SQL(
            "SELECT id FROM account_move WHERE %s = ANY(%s) AND move_type = 'out_invoice' AND state = 'posted'",
            origin, list(record_ids))
        for record_id, day, amount, is_money in self.env.execute_query(SQL(
            """
            SELECT booking.%(origin)s, settled.date, settled.amount, journal.type IN ('bank', 'cash', 'credit')
              FROM (%(settled)s) settled
              JOIN account_move booking ON booking.id = settled.item_move_id
              JOIN account_journal journal ON journal.id = settled.journal_id
          ORDER BY settled.date, settled.id
            """,
            origin=origin,
            settled=self.env['account.move.line']._get_dunning_settlements_sql(
                SQL("item.move_id IN (%s)", bookings)))):
            found[record_id].append((day, to_decimal(amount), is_money))
        return found

    @api.model
    def _read_overbooked(self, company, at_date, bookings=None, *, alone=False):
        """Return ``{booking id: Overbooked}`` of the open bookings of a creditor of which a part is not owed on a day.

        The facts can have changed since: a payment was entered late, the invoice credited, a letter came back. What is
        too much of an item comes off its newest bookings.

        :param bookings: only these invoices; None: all
        :param bool alone: only those that are asked alone, because their invoices were paid
        """
        rows = self._read_open_bookings(company, bookings, alone)
        if not rows:
            return {}
        items = self.env['account.move.line'].browse({row[2] for row in rows})
        entries = self.env['dunning.claim'].with_company(company)._compute_items(items, at_date)
        spare, left = {item_id: entry.overbooked for item_id, entry in entries.items()}, {}
        found, about = defaultdict(lambda: ZERO), defaultdict(list)
        for booking_id, residual, item_id, booked in rows:
            off = min(spare[item_id], to_decimal(booked), left.setdefault(booking_id, to_decimal(residual)))
            spare[item_id] -= off
            left[booking_id] -= off
            found[booking_id] += off
            about[booking_id].append(entries[item_id])
        return {
            booking_id: Overbooked(amount, all(entry.paid_as_asked for entry in about[booking_id]))
            for booking_id, amount in found.items() if amount}

    @api.model
    def _read_open_bookings(self, company, bookings, alone):
        """Return rows (booking, what is open of it, item, what it booked of that), the newest bookings first."""
        Move = self.env['account.move']
        wanted = SQL("TRUE") if bookings is None else SQL("booking.id = ANY(%s)", list(bookings.ids))
        is_owed = self.env['account.move.line']._get_dunning_is_owed_sql(SQL("asked.move_line_id"))
        parts = [
            SQL(
                """
                SELECT booking.id, booking.amount_residual, line.move_line_id,
                       COALESCE(line.booked_interest, 0) + COALESCE(line.booked_costs, 0) AS booked
                  FROM account_move booking
                  JOIN %(lines)s line ON line.%(parent)s = booking.%(origin)s
                 WHERE booking.company_id IN %(companies)s AND booking.state = 'posted'
                   AND booking.move_type = 'out_invoice' AND booking.amount_residual > 0 AND %(wanted)s
                   AND NOT (%(alone)s AND EXISTS (
                       SELECT FROM %(lines)s asked
                        WHERE asked.%(parent)s = booking.%(origin)s AND asked.booked_interest + asked.booked_costs > 0
                          AND %(is_owed)s))
                """, alone=alone, is_owed=is_owed,
                lines=SQL.identifier(self.env[claimer.lines]._table), parent=SQL.identifier(claimer.parent),
                origin=SQL.identifier(claimer.origin), companies=company._get_dunning_company_ids(), wanted=wanted,
                to_flush=[
                    *(self.env[claimer.lines]._fields[name] for name in (
                        claimer.parent, 'move_line_id', 'booked_interest', 'booked_costs')),
                    *(Move._fields[name] for name in (
                        'company_id', 'state', 'move_type', 'amount_residual', claimer.origin))])
            for claimer in self._get_claimers()]
        return self.env.execute_query(SQL(
            "SELECT * FROM (%s) rows WHERE booked > 0 ORDER BY id DESC, move_line_id", SQL(" UNION ALL ").join(parts)))

    @api.model
    def _get_booked(self, notices):
        """Return those of the notices that ask for items of which interest or costs were booked."""
        item_ids = notices.line_ids.move_line_id.ids
        if not item_ids:
            return notices.browse()
        booked = {item_id for (item_id,) in self.env.execute_query(SQL(" UNION ").join(
            SQL(
                "SELECT move_line_id FROM %s"
                " WHERE move_line_id = ANY(%s) AND (booked_interest > 0 OR booked_costs > 0)",
                SQL.identifier(self.env[claimer.lines]._table), item_ids,
                to_flush=[self.env[claimer.lines]._fields[name] for name in (
                    'move_line_id', 'booked_interest', 'booked_costs')])
            for claimer in self._get_claimers()))}
        return notices.filtered(lambda notice: not booked.isdisjoint(notice.line_ids.move_line_id.ids))

    @api.model
    def _filter_bookings(self, moves):
        """Return those that book interest and costs of other invoices; they bear neither."""
        origins = [claimer.origin for claimer in self._get_claimers()]
        return moves.filtered(lambda move: any(move[origin] for origin in origins))

    @api.model
    def _replace_bookings(self, items, *, whole=False):
        """Return items without the invoices that book interest and costs of others among them: those count once.

        :param bool whole: the other items of such a booking join, also when they were paid, so that nothing is missing
        """
        for claimer in self._get_claimers():
            for booking in items.filtered(f'move_id.{claimer.origin}'):
                booked = booking.move_id[claimer.origin]._get_claimed_items()
                if booked & items:
                    items -= booking
                    if whole:
                        items |= booked
        return items

    # -------------------------------------------------------------------------
    # BOOKING
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_booking(self, record, interest, costs, words, day, due_date):
        """Return the values of the invoice that books interest and costs (Decimal) of a record on a day.

        :param record: a record that claims; see :class:`Claimer`
        :param BookingWords words: what is written
        :raise UserError: when a product or journal is missing, or the books are locked
        """
        # sudo: who sends for a branch need not see its head office, in whose books it is
        company = record.company_id.sudo().dunning_creditor_id
        lines = []
        for product, amount, label in (
            (company.dunning_cost_product_id, costs, words.costs),
            (company.dunning_interest_product_id, interest, words.interest),
        ):
            if not amount:
                continue
            if not product:
                raise UserError(words.no_product)
            account = product.product_tmpl_id.with_company(company).get_product_accounts().get('income')
            lines.append(self._prepare_booking_line(product, label, amount, account))
        journal = company.dunning_booking_journal_id or self.env['account.journal'].search([
            *self.env['account.journal']._check_company_domain(company), ('type', '=', 'sale')], limit=1)
        if not journal:
            raise UserError(self.env._("Interest and costs cannot be booked: %s has no sales journal.", company.name))
        locked = company._get_violated_lock_dates(day, False, journal)
        if locked:
            raise UserError(words.locked(locked[-1][0]))
        claimer = next(claimer for claimer in self._get_claimers() if claimer.model == record._name)
        return {
            'move_type': 'out_invoice',
            'journal_id': journal.id,
            'partner_id': record.partner_id.id,
            'currency_id': record.currency_id.id,
            'invoice_date': day,
            'date': day,
            'invoice_date_due': max(due_date or day, day),
            'invoice_payment_term_id': False,
            claimer.origin: record.id,
            'invoice_line_ids': lines,
        }

    @api.model
    def _prepare_booking_line(self, product, label, amount, account):
        return Command.create({
            'product_id': product.id,
            'name': label,
            'quantity': 1,
            'price_unit': float(amount),
            'tax_ids': [Command.clear()],  # damages: outside VAT
            **({'account_id': account.id} if account else {}),
        })

    @api.model
    def _post_bookings(self, company, vals_list):
        """Make and post invoices of interest and costs in the books of the creditor, and return them."""
        # sudo: whoever sends or signs may not make invoices; the policy, or both sides, asked for these
        Move = self.env['account.move'].sudo().with_company(company.sudo().dunning_creditor_id)  # sudo: as above
        moves = as_recording(Move, mail_create_nosubscribe=True).create(vals_list)
        moves._post(soft=False)
        moves.write({'is_move_sent': True})  # the letter or agreement asked for it
        return moves

    @api.model
    def _credit_booking(self, booking, reason, day, *, amount=None, **values):
        """Credit what is still open of a booking, reconcile it, and return the credit note; nothing when none is.

        :param amount: only so much of it
        """
        credit = self.env['account.move']
        if not booking or booking.currency_id.is_zero(booking.amount_residual):
            return credit
        amount = booking.amount_residual if amount is None else min(amount, booking.amount_residual)
        lines = booking.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        parts = share(to_decimal(amount), [to_decimal(line.price_subtotal) for line in lines])
        credit = as_recording(credit.with_company(booking.company_id)).create({
            'move_type': 'out_refund',
            'journal_id': booking.journal_id.id,
            'partner_id': booking.partner_id.id,
            'currency_id': booking.currency_id.id,
            'invoice_date': day,
            'invoice_payment_term_id': False,
            'reversed_entry_id': booking.id,
            'ref': reason,
            'invoice_line_ids': [
                self._prepare_booking_line(line.product_id, line.name, part, line.account_id)
                for line, part in zip(lines, parts, strict=True) if part],
            **values,
        })
        credit.action_post()
        items = (booking | credit).line_ids._filter_dunning_due()
        items.filtered(lambda item: not item.reconciled).reconcile()
        return credit
