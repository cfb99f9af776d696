"""What an arrangement asks on top of the ledger, in the books.

Whoever signs owes interest and costs as agreed, so when it begins to run they are booked as an invoice of their own,
outside VAT, whatever the policy does with letters: every euro that is to be paid is an open item then, and any payment
finds it. The claim knows of it as it knows the bookings of notices: what was booked counts once.
"""

from dataclasses import replace

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..claim.dunning_booking import Extras
from ..claim.dunning_claim import ONE_DAY, ZERO, _Told, share, to_decimal
from ..hold.dunning_hold import format_date
from ..notice.dunning_notice import RECORDING as NOTICE_RECORDING
from ..planner.dunning_planner import Reason
from .dunning_arrangement import CLOSED_STATES


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', string="Interest and Costs of Arrangement", copy=False, readonly=True,
        index='btree_not_null', ondelete='restrict',
        groups='account.group_account_invoice,account.group_account_readonly',
        help="The payment arrangement whose interest and collection costs are booked here.", prefetch='dunning')

    def _is_dunning_booking(self):
        # EXTENDS
        return super()._is_dunning_booking() or bool(self.dunning_arrangement_id)

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


class DunningArrangementLine(models.Model):
    _inherit = 'dunning.arrangement.line'

    to_book_interest = fields.Monetary(
        readonly=True, copy=False, help="Of the interest, what no notice or other arrangement booked before.")
    to_book_costs = fields.Monetary(
        readonly=True, copy=False, help="Of the costs, what no notice or other arrangement booked before.")
    booked_interest = fields.Monetary(readonly=True, copy=False, help="Of the interest, what this arrangement booked.")
    booked_costs = fields.Monetary(readonly=True, copy=False, help="Of the costs, what this arrangement booked.")


class DunningArrangement(models.Model):
    _inherit = 'dunning.arrangement'

    booking_ids = fields.One2many(
        comodel_name='account.move', inverse_name='dunning_arrangement_id', string="Booked As",
        groups='account.group_account_invoice,account.group_account_readonly')

    @api.model
    def _get_bookings(self, items, owed):
        # EXTENDS
        bookings = super()._get_bookings(items, owed)
        for booking in (owed - items).filtered(lambda item: item.move_id._is_dunning_booking()):
            # sudo: which invoices a booking belongs to, whoever draws up an arrangement about them
            move = booking.move_id.sudo()
            booked = move.dunning_notice_id.live_line_ids.move_line_id or (
                move.dunning_arrangement_id.line_ids.filtered(lambda line: not line.is_booking).move_line_id)
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
                earlier = extras.get(line.move_line_id.id) or Extras()
                line.write({
                    # What is asked is what is left of it: paid or waived parts were booked before.
                    'to_book_interest': float(max(
                        ZERO, to_decimal(line.amount_interest) + earlier.settled_interest - earlier.interest)),
                    'to_book_costs': float(max(
                        ZERO, to_decimal(line.amount_costs) + earlier.settled_costs - earlier.costs)),
                })
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
        # sudo: whoever signs for the company may not make invoices; both sides agreed to this one
        move = self.env['account.move'].sudo().with_company(self.company_id).with_context(
            mail_create_nosubscribe=True, dunning_recording=NOTICE_RECORDING,
        ).create(self._prepare_booking(interest, costs, today))
        move._post(soft=False)
        move.write({'is_move_sent': True})  # the agreement asks for it
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
        company, env = self.company_id, self.with_context(lang=self.lang).env
        lines = []
        for product, amount, label in (
            (company.dunning_cost_product_id, costs, env._("Collection costs, as agreed in %s", self.name)),
            (company.dunning_interest_product_id, interest, env._("Interest, as agreed in %s", self.name)),
        ):
            if not amount:
                continue
            if not product:
                raise UserError(self.env._(
                    "The arrangement asks interest or collection costs, and no product is set to book them. Choose it "
                    "in the settings of Debtor Management."))
            accounts = product.product_tmpl_id.with_company(company).get_product_accounts()
            lines.append(Command.create({
                'product_id': product.id,
                'name': label,
                'quantity': 1,
                'price_unit': float(amount),
                'tax_ids': [Command.clear()],  # damages: outside VAT
                **({'account_id': accounts['income'].id} if accounts.get('income') else {}),
            }))
        journal = company.dunning_booking_journal_id or self.env['account.journal'].search([
            *self.env['account.journal']._check_company_domain(company), ('type', '=', 'sale')], limit=1)
        if not journal:
            raise UserError(self.env._("Interest and costs cannot be booked: %s has no sales journal.", company.name))
        locked = company._get_violated_lock_dates(today, False, journal)
        if locked:
            raise UserError(self.env._(
                "The books are locked until %(date)s, so the interest and costs of %(arrangement)s cannot be booked. "
                "Lift the lock first.",
                date=format_date(self.env, locked[-1][0]), arrangement=self.name))
        return {
            'move_type': 'out_invoice',
            'journal_id': journal.id,
            'partner_id': self.partner_id.id,
            'currency_id': self.currency_id.id,
            'invoice_date': today,
            'date': today,
            'invoice_date_due': max(self.date_last or today, today),
            'invoice_payment_term_id': False,
            'dunning_arrangement_id': self.id,
            'invoice_line_ids': lines,
        }


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    def _reason_booked_extra(self):
        # EXTENDS: also what an arrangement booked, as long as the invoices it belongs to are open.
        reason = super()._reason_booked_extra()
        return Reason(
            SQL(
                """(%s) OR move_id IN (
                       SELECT booking.id
                         FROM account_move booking
                         JOIN dunning_arrangement_line told ON told.arrangement_id = booking.dunning_arrangement_id
                                                           AND told.is_booking IS NOT TRUE
                         JOIN account_move_line owed ON owed.id = told.move_line_id
                        WHERE booking.dunning_arrangement_id IS NOT NULL AND owed.reconciled IS NOT TRUE)""",
                reason.predicate),
            *reason[1:])


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _replace_bookings(self, items, *, whole=False):
        # EXTENDS
        items = super()._replace_bookings(items, whole=whole)
        for booking in items.filtered('move_id.dunning_arrangement_id'):
            booked = booking.move_id.dunning_arrangement_id.line_ids.filtered(
                lambda line: not line.is_booking).move_line_id
            if booked & items:
                items -= booking
                if whole:
                    items |= booked
        return items

    @api.model
    def _read_history(self, debtors, items):
        """EXTENDS: what both sides signed was claimed, and costs that were agreed stay what they are."""
        history = super()._read_history(debtors, items)
        self.env['dunning.arrangement'].flush_model()
        self.env['dunning.arrangement.line'].flush_model()
        changed = set()
        for row in self.env.execute_query(SQL(
            """
            SELECT line.move_line_id, -arrangement.id, arrangement.partner_id, arrangement.claim_date, NULL, NULL,
                   NULL, arrangement.name, arrangement.signed_date, NULL, line.amount_interest, line.amount_costs, 0,
                   line.amount_principal
              FROM dunning_arrangement_line line
              JOIN dunning_arrangement arrangement ON arrangement.id = line.arrangement_id
             WHERE line.move_line_id = ANY(%s) AND line.is_booking IS NOT TRUE
               AND arrangement.activated_on IS NOT NULL AND arrangement.signed_date IS NOT NULL
               AND arrangement.company_id = %s
            """, list(items.ids), self.env.company.id)):
            told = _Told(*row[:10], *(to_decimal(amount) for amount in row[10:]))
            history.told[told.item_id].append(told)
            changed.add(told.item_id)
        for item_id in changed:
            history.told[item_id].sort(key=lambda told: (told.sent_on, told.notice_id < 0, told.notice_id))
        return history

    @api.model
    def _get_claimed_costs(self, request, item, first, facts, frozen):
        """EXTENDS: costs that both sides agreed on do not change by what is paid on the day itself or later."""
        if first.notice_id > 0:
            return super()._get_claimed_costs(request, item, first, facts, frozen)
        before = first._replace(sent_on=first.sent_on - ONE_DAY)
        costs = super()._get_claimed_costs(request, item, before, facts, frozen)
        costs.basis['claimed_on'] = first.sent_on  # in place: items of one computation share it
        return replace(costs, since=first.sent_on)

    @api.model
    def _read_claimed(self, history, items):
        # EXTENDS: the computation that an arrangement froze.
        claimed = super()._read_claimed(history, items)
        first = [-key for key in self._get_first_claiming(history, items) if key < 0]
        # sudo: the claim is worked out for whoever may ask for it
        for arrangement in self.env['dunning.arrangement'].sudo().browse(first):
            claimed[-arrangement.id] = arrangement.claim_data or {}
        return claimed

    @api.model
    def _get_booked_sql(self):
        # EXTENDS
        self.env['dunning.arrangement.line'].flush_model(['move_line_id', 'booked_interest', 'booked_costs'])
        return [*super()._get_booked_sql(), SQL(
            "EXISTS (SELECT FROM dunning_arrangement_line agreed WHERE agreed.move_line_id = asked.move_line_id"
            " AND COALESCE(agreed.booked_interest, 0) + COALESCE(agreed.booked_costs, 0) > 0)")]

    @api.model
    def _read_extras(self, items):
        # EXTENDS: what arrangements booked; what is paid there is shared as it was booked.
        result = super()._read_extras(items)
        if not items:
            return result
        self.env['dunning.arrangement.line'].flush_model()
        self.env['account.move'].flush_model(['dunning_arrangement_id', 'state', 'move_type'])
        booked = self.env.execute_query(SQL(
            """
            SELECT line.arrangement_id, line.move_line_id, line.booked_interest, line.booked_costs
              FROM dunning_arrangement_line line
             WHERE COALESCE(line.booked_interest, 0) + COALESCE(line.booked_costs, 0) > 0
               AND line.arrangement_id IN (
                       SELECT asked.arrangement_id
                         FROM dunning_arrangement_line asked
                         JOIN account_move booking ON booking.dunning_arrangement_id = asked.arrangement_id
                                                  AND booking.state = 'posted' AND booking.move_type = 'out_invoice'
                        WHERE asked.move_line_id = ANY(%s))
          ORDER BY line.arrangement_id, line.id
            """, list(items.ids)))
        if not booked:
            return result
        settlements = {}
        for arrangement_id, day, amount, is_money in self.env.execute_query(SQL(
            """
            SELECT booking.dunning_arrangement_id, counterpart.date, partial.debit_amount_currency,
                   journal.type = ANY(%s)
              FROM account_move booking
              JOIN account_move_line item ON item.move_id = booking.id
              JOIN account_partial_reconcile partial ON partial.debit_move_id = item.id
              JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = counterpart.journal_id
             WHERE booking.dunning_arrangement_id = ANY(%s) AND booking.move_type = 'out_invoice'
               AND booking.state = 'posted'
          ORDER BY counterpart.date, partial.id
            """, ['bank', 'cash', 'credit'], list({row[0] for row in booked}))):
            settlements.setdefault(arrangement_id, []).append((day, to_decimal(amount), is_money))
        wanted, by_arrangement = set(items.ids), {}
        for arrangement_id, item_id, interest, costs in booked:
            by_arrangement.setdefault(arrangement_id, []).append((item_id, to_decimal(interest), to_decimal(costs)))
        for arrangement_id, rows in by_arrangement.items():
            weights = [interest + costs for _item_id, interest, costs in rows]
            parts = [
                (day, is_money, share(amount, weights))
                for day, amount, is_money in settlements.get(arrangement_id, ())]
            for index, (item_id, interest, costs) in enumerate(rows):
                if item_id not in wanted:
                    continue
                extras = result.setdefault(item_id, Extras())
                extras.interest += interest
                extras.costs += costs
                for day, is_money, amounts in parts:
                    extras.settle(day, amounts[index], is_money)
        return result
