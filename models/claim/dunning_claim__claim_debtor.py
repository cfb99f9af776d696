from odoo import api, models
from odoo.fields import Domain

from .dunning_claim import to_decimal


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _get_claim_items(self, debtor, at_date, *, due_only=True):
        """Return the due items of a debtor that were owed on a day in the current company.

        What was open then, by the dates of what was set against it; and paid items of which claimed interest or costs
        were left over.

        :param bool due_only: only those whose term of payment had passed
        """
        company = self.env.company
        domain = Domain([
            ('company_id', '=', company.id), ('parent_state', '=', 'posted'),
            ('account_id.account_type', '=', 'asset_receivable'), ('balance', '>', 0),
            ('partner_id', 'child_of', debtor.commercial_partner_id.id), ('date', '<=', at_date),
        ]) & (
            Domain('reconciled', '=', False) | Domain('matched_credit_ids.credit_move_id.date', '>', at_date))
        if due_only:
            domain &= Domain('date_maturity', '<', at_date) | Domain('date_maturity', '=', False)
        items = self.env['account.move.line'].search(domain, order='date_maturity, id')
        left_over = [
            line.item_id for line in self._get_remainders(company, at_date, partners=debtor.commercial_partner_id)]
        return self._replace_bookings(items | items.browse(left_over), whole=True)

    @api.model
    def _replace_bookings(self, items, *, whole=False):
        """Return items without the invoices that book interest and costs of others among them: those count once.

        :param bool whole: the other items of such a booking join, also when they were paid, so that nothing is missing
        """
        for booking in items.filtered('move_id.dunning_notice_id'):
            booked = booking.move_id.dunning_notice_id.live_line_ids.move_line_id
            if booked & items:
                items -= booking
                if whole:
                    items |= booked
        return items

    @api.model
    def _compute_debtor(self, debtor, at_date, items=None, *, reduce=True, **kwargs):
        """Return a list of :class:`Claim` on a debtor on a day, one for each currency; a debt in euros comes first.

        :param items: only these due items
        :param bool reduce: take off open credits and parts on hold, as letters do; they are known for today only, so
            that a claim of the past is without
        """
        items = self._get_claim_items(debtor, at_date) if items is None else self._replace_bookings(items)
        company, reductions = self.env.company, {}
        if items and reduce and at_date >= company._dunning_today():
            reductions = {
                decision.item_id: to_decimal(decision.amount_netted + decision.amount_held)
                for decision in self.env['dunning.planner']._plan(company, at_date, items=items)}
        by_currency = items.grouped('currency_id')
        order = sorted(by_currency, key=lambda currency: (currency.name != 'EUR', currency.name))
        return [self._compute(by_currency[currency], at_date, reductions=reductions, **kwargs) for currency in order]
