"""What an arrangement asks on top of the ledger, in the books.

Whoever signs owes interest and costs as agreed, so when it begins to run they are booked as an invoice of their own,
outside VAT, whatever the policy does with letters: every euro that is to be paid is an open item then, and any payment
finds it. The claim knows of it as it knows the bookings of notices: what was booked counts once.
"""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...tools.claim.model import Booked
from ...tools.law.amounts import ZERO, to_decimal
from ..claim.dunning_claim_booking import BookingWords
from ..hold.dunning_hold import format_date


class DunningArrangement(models.Model):
    _inherit = 'dunning.arrangement'

    booking_ids = fields.One2many(
        comodel_name='account.move', inverse_name='dunning_arrangement_id', string="Booked As",
        groups='account.group_account_invoice,account.group_account_readonly')

    def _get_claimed_items(self):
        """Return the due items of which these arrangements ask interest and costs."""
        return self.line_ids.filtered(lambda line: not line.is_booking).move_line_id

    @api.model
    def _get_bookings(self, items, owed):
        # EXTENDS
        bookings = super()._get_bookings(items, owed)
        for booking in (owed - items).filtered(lambda item: item.move_id._is_dunning_booking()):
            # sudo: which invoices a booking belongs to, whoever draws up an arrangement about them
            move = booking.move_id.sudo()
            booked = (move.dunning_notice_id or move.dunning_arrangement_id)._get_claimed_items()
            if not booked & items:
                continue
            missing = (booked & owed) - items
            if missing:
                raise UserError(self.env._(
                    "%(booking)s books interest and costs of several invoices together, so they go into one "
                    "arrangement: choose %(missing)s as well.",
                    booking=move.name, missing=", ".join(missing.move_id.mapped('name'))))
            bookings |= booking
        return bookings

    def _draw_up(self):
        """EXTENDS: what is to be booked is what nothing booked before, by the ledger of the same moment."""
        result = super()._draw_up()
        for arrangement in self.filtered(lambda arrangement: arrangement.state == 'draft'):
            lines = arrangement.line_ids.filtered(lambda line: not line.is_booking)
            extras = self.env['dunning.claim'].with_company(arrangement.company_id)._read_extras(lines.move_line_id)
            (arrangement.line_ids - lines)._recording().write({'to_book_interest': 0.0, 'to_book_costs': 0.0})
            for line in lines._recording():
                interest, costs = extras.get(line.move_line_id.id, Booked()).unbooked(
                    to_decimal(line.amount_interest), to_decimal(line.amount_costs))
                line.write({'to_book_interest': float(interest), 'to_book_costs': float(costs)})
        return result

    def _book_extras(self, today):
        """Book what the arrangement asks of interest and costs and nothing booked before."""
        result = super()._book_extras(today)
        for arrangement in self:
            interest, costs = ZERO, ZERO
            for line in arrangement.line_ids._recording():
                line.write({'booked_interest': line.to_book_interest, 'booked_costs': line.to_book_costs})
                interest += to_decimal(line.to_book_interest)
                costs += to_decimal(line.to_book_costs)
            if interest or costs:
                arrangement._recording().booking_move_id = arrangement._book(interest, costs, today)
        return result

    def _book(self, interest, costs, today):
        """Post an invoice of interest and costs (Decimal), and cover it by the arrangement; return it.

        What of it is for which item is for the caller to write on the lines (``booked_interest``, ``booked_costs``).
        """
        self.ensure_one()
        move = self.env['dunning.claim']._post_bookings(
            self.company_id, [self._prepare_booking(interest, costs, today)])
        item = move.line_ids.filtered(lambda line: line.account_id.account_type == 'asset_receivable')
        self._recording().write({'line_ids': [
            Command.create({
                'move_line_id': line.id, 'name': move.name, 'date_due': line.date_maturity, 'is_booking': True,
                'is_live': True})
            for line in item.sudo(False)]})
        return move.sudo(False)

    def _prepare_booking(self, interest, costs, today):
        """Return the values of the invoice that books interest and costs of this arrangement (amounts: Decimal)."""
        self.ensure_one()
        env = self.with_context(lang=self.lang).env
        words = BookingWords(
            env._("Collection costs, as agreed in %s", self.name),
            env._("Interest, as agreed in %s", self.name),
            self.env._(
                "The arrangement asks interest or collection costs, and no product is set to book them. Choose it "
                "in the settings of Debtor Management."),
            lambda day: self.env._(
                "The books are locked until %(date)s, so the interest and costs of %(arrangement)s cannot be booked. "
                "Lift the lock first.",
                date=format_date(self.env, day), arrangement=self.name))
        return self.env['dunning.claim']._prepare_booking(self, interest, costs, words, today, self.date_last)
