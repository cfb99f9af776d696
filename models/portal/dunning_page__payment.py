from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.law.amounts import ZERO, to_decimal
from ..agreement.dunning_arrangement_page import Payable, make_reference


class DunningPage(models.Model):
    _inherit = 'dunning.page'

    # Written by whoever begins to pay, so that who begins at the same moment finds out.
    payment_begun_on = fields.Datetime(readonly=True, copy=False)

    def _lock_to_pay(self):
        """Let nobody else begin to pay for this debtor until this transaction ends; who waited is asked anew."""
        self.ensure_one()
        self.env.flush_all()
        # What is done again is no error for the log.
        self.env.cr.execute(SQL("SELECT id FROM dunning_page WHERE id = %s FOR UPDATE", self.id), log_exceptions=False)
        # Without a write the other would go on with what it read before it waited.
        self.payment_begun_on = fields.Datetime.now()
        self.env.flush_all()

    def _get_payable(self, what='due', move=None, currency=None):
        """Return the :class:`Payable` of this debtor, or None when there is nothing to pay.

        What is disputed, promised or arranged is left out, unless it is asked for by its invoice.

        :param what: ``'due'`` for what is due with the interest and costs that were asked, ``'all'`` for everything
        :param move: only this invoice, which has to be one of the debtor's
        :param currency: of what is to be paid; None for that of the company, or else the first
        """
        self.ensure_one()
        claims, _items, _decisions = self._compute_claims()
        due = {entry.item_id: entry for claim in claims for entry in claim.items}
        opened = self._get_open_items()
        waiting = self._get_waiting_items(opened)
        parts = []  # (item, amount)
        for item in opened | self.env['account.move.line'].browse(due):
            entry = due.get(item.id)
            left = to_decimal(item.amount_residual_currency)
            if move:
                if item.move_id == move:
                    parts.append((item, entry.total if entry and entry.total > 0 else left))
            elif entry:
                parts.append((item, entry.total))
            elif what == 'all' and item not in waiting:
                parts.append((item, left))
        parts = [(item, amount) for item, amount in parts if amount > 0]
        if not parts:
            return None
        currencies = {item.currency_id for item, _amount in parts}
        if currency not in currencies:
            currency = self.company_id.currency_id
        if currency not in currencies:
            currency = parts[0][0].currency_id
        parts = [(item, amount) for item, amount in parts if item.currency_id == currency]
        moves = self.env['account.move'].union(*(item.move_id for item, _amount in parts))
        names = [name for name in moves.sorted('invoice_date').mapped('name') if name]
        reference = make_reference(names[0]) if names else 'DEB-%d' % self.partner_id.id
        return Payable(
            amount=currency.round(float(sum((amount for _item, amount in parts), ZERO))),
            currency=currency,
            moves=moves,
            reference=f'{reference}-{len(names) - 1}-more' if len(names) > 1 else reference,
            partner=self.partner_id,
            company=self.company_id,
            what=what,
        )

    def _get_waiting_items(self, items):
        """Return those of the items that nobody is to pay now: disputed, or part of an agreement that runs.

        What is on offer can still be paid at once.
        """
        Hold = self.env['dunning.hold']
        holds = Hold.search(
            Hold._get_active_domain(self.company_id._dunning_today())
            & Domain('kind', 'in', ('dispute', 'arrangement', 'promise'))
            & (Domain('arrangement_id', '=', False) | Domain('arrangement_id.state', '=', 'active'))
            & (Domain('move_line_id', 'in', items.ids)
               | (Domain('move_line_id', '=', False) & Domain('move_id', 'in', items.move_id.ids))))
        return Hold._get_items_in_dispute(items) | items.filtered(
            lambda item: item in holds.move_line_id
            or item.move_id in holds.filtered(lambda hold: not hold.move_line_id).move_id)
