"""What debtors paid on due items, and what lies ready unmatched: the one reading that promises and arrangements share.

Nothing about payments is stored. What was matched or lay ready when something was agreed is remembered as ``known``
(:meth:`DunningMoney._get_known`); whatever the ledger holds beyond that came in since.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..debtor.dunning_item_money import IS_MONEY


class DunningMoney(models.AbstractModel):
    """Payments and credits on due items, in the currency of the items. Read with a fixed number of statements."""

    _name = 'dunning.money'
    _description = "Dunning Money"

    @api.model
    def _get_known(self, company, debtor, items):
        """Return what was matched to the items, and what lies ready, before anything is agreed; as JSON.

        ``matched`` is the amount by entry, ``open`` the entries that lie ready (payments: minus their id).
        """
        matched = self.env.execute_query(SQL(
            "SELECT move_id, SUM(amount) FROM (%s) settled GROUP BY move_id", self._get_settlements_sql(items)))
        imputed, debtor_id = self._impute(company, debtor), debtor.commercial_partner_id.id
        ready = {credit.entry for credit in imputed.credits if credit.debtor_id == debtor_id}
        ready |= {entry for entry, _day, _amounts in imputed.of_others.get(debtor_id, ())}
        return {
            'matched': {str(move_id): float(amount) for move_id, amount in matched},
            'open': sorted(ready),
        }

    @api.model
    def _read_matched(self, items, at_date):
        """Return ``{item id: [(entry, is money, amount, date)]}`` of what was matched to the items until a day."""
        if not items:
            return {}
        rows = self.env.execute_query(SQL(
            """
            SELECT settled.item_id, settled.move_id, %(is_money)s, SUM(settled.amount), MAX(settled.date)
              FROM (%(settled)s) settled
              JOIN account_move move ON move.id = settled.move_id
              JOIN account_journal journal ON journal.id = move.journal_id
             WHERE settled.date <= %(at_date)s
          GROUP BY settled.item_id, settled.move_id, move.id, journal.id
          ORDER BY settled.item_id, settled.move_id
            """, is_money=IS_MONEY, settled=self._get_settlements_sql(items), at_date=at_date,
            to_flush=[self.env['account.move']._fields['origin_payment_id']]))
        by_item = defaultdict(list)
        for item_id, move_id, is_money, amount, day in rows:
            by_item[item_id].append((move_id, is_money, float(amount), day))
        return by_item

    @api.model
    def _split_new(self, items, matched, known, currency, until):
        """Return what came since: ``[(item id, entry, is money, amount, date)]``.

        What lay ready before was never going to be paid again: it only lowers what is owed.

        :param items: ids of due items, in the order in which they use up what was known
        :param matched: of :meth:`_read_matched`
        :param known: of :meth:`_get_known`
        :param date until: the last day that counts
        """
        left, ready = dict((known or {}).get('matched', {})), set((known or {}).get('open', ()))
        new = []
        for item_id in items:
            for move_id, is_money, amount, day in matched.get(item_id, ()):
                if day > until:
                    continue
                old = min(amount, left.get(str(move_id), 0.0))
                if old:
                    left[str(move_id)] -= old
                if currency.compare_amounts(amount - old, 0) > 0:
                    new.append((item_id, move_id, is_money and move_id not in ready, amount - old, day))
        return new

    @api.model
    def _get_pools(self, partners_by_company, at_date):
        """Return what debtors paid or had credited and nobody matched yet, by company, debtor and currency (ids).

        Credit notes first: they lower what has to be paid.

        :param dict partners_by_company: debtors (``res.partner``) by ``res.company``
        :return: ``{(company, debtor, currency): [{'move_id', 'date', 'amount', 'is_money', 'named'}]}``; ``named`` is
            what of it is certainly for due items, by their ids
        """
        pools, paid_back = defaultdict(list), defaultdict(float)
        for company, partners in partners_by_company.items():
            imputed, debtor_ids = self._impute(company, partners), set(partners.commercial_partner_id.ids)
            for credit in imputed.credits:
                if credit.date > at_date or credit.debtor_id not in debtor_ids:
                    continue
                key, amount = (company.id, credit.debtor_id, credit.currency_id), float(credit.amount)
                if amount < 0:
                    paid_back[key] -= amount
                else:
                    named = {
                        item_id: amount * float(part)
                        for item_id, part in imputed.entries.get(credit.entry, {}).items()}
                    pools[key].append({
                        'move_id': credit.entry, 'date': credit.date, 'amount': amount, 'is_money': credit.is_money,
                        'named': named})
            for debtor in partners.commercial_partner_id:
                for entry, day, amounts in imputed.of_others.get(debtor.id, ()):
                    if day <= at_date:
                        named = {item_id: float(amount) for item_id, amount in amounts.items()}
                        pools[company.id, debtor.id, company.currency_id.id].append({
                            'move_id': entry, 'date': day, 'amount': sum(named.values()), 'is_money': True,
                            'named': named})
        for key, pool in pools.items():
            pool.sort(key=lambda credit: (credit['is_money'], credit['date'], str(credit['move_id'])))
            for credit in pool:
                back = min(credit['amount'], paid_back[key])
                credit['amount'] -= back
                paid_back[key] -= back
        return pools

    @staticmethod
    def _get_free(credit, item_ids):
        """Return what of a credit can be for these items: not what is certainly for others.

        :param credit: of :meth:`_get_pools`
        """
        elsewhere = sum(amount for item_id, amount in credit['named'].items() if item_id not in item_ids)
        return max(0.0, credit['amount'] - elsewhere)

    @api.model
    def _impute(self, company, partners):
        """Return which items what lies ready is for, as far as it concerns these debtors."""
        return self.env['dunning.imputation']._impute(company, company._dunning_today(), SQL(
            "debtor.id = ANY(%s)", list(partners.commercial_partner_id.ids)))

    @api.model
    def _get_settlements_sql(self, items):
        return items._get_dunning_settlements_sql(SQL("item.id = ANY(%s)", list(items.ids)))
