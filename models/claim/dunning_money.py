"""What debtors paid on due items, and what lies ready unmatched: the one reading that promises and arrangements share.

Nothing about payments is stored. What was matched or lay ready when something was agreed is remembered as ``known``
(:meth:`DunningMoney._get_known`); whatever the ledger holds beyond that came in since.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

# What a debtor pays with, as opposed to what only lowers what he owes: credit notes, write-offs, set-off.
IS_MONEY = SQL("(journal.type IN ('bank', 'cash', 'credit') OR move.origin_payment_id IS NOT NULL)")


class DunningMoney(models.AbstractModel):
    """Payments and credits on due items, in the currency of the items. Read with a fixed number of statements."""

    _name = 'dunning.money'
    _description = "Dunning Money"

    @api.model
    def _flush(self):
        for name in (
            'account.partial.reconcile', 'account.move.line', 'account.payment', 'account.bank.statement.line'
        ):
            self.env[name].flush_model()
        self.env['account.move'].flush_model(['move_type', 'journal_id', 'origin_payment_id', 'state'])

    @api.model
    def _get_known(self, company, debtor, items):
        """Return what was matched to the items, and what lies ready, before anything is agreed; as JSON.

        ``matched`` is the amount by entry, ``open`` the entries that lie ready (payments: minus their id).
        """
        self._flush()
        matched = self.env.execute_query(SQL(
            """
            SELECT counterpart.move_id, SUM(partial.debit_amount_currency)
              FROM account_partial_reconcile partial
              JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
             WHERE partial.debit_move_id = ANY(%s)
          GROUP BY counterpart.move_id
            """, list(items.ids)))
        credits_open = self.env.execute_query(self._get_open_credits_sql(company, debtor))
        return {
            'matched': {str(move_id): float(amount) for move_id, amount in matched},
            'open': sorted({row[2] for row in credits_open}),
        }

    @api.model
    def _read_matched(self, items, at_date):
        """Return ``{item id: [(entry, is money, amount, date)]}`` of what was matched to the items until a day."""
        if not items:
            return {}
        self._flush()
        rows = self.env.execute_query(SQL(
            """
            SELECT partial.debit_move_id, counterpart.move_id, %(is_money)s, SUM(partial.debit_amount_currency),
                   MAX(counterpart.date)
              FROM account_partial_reconcile partial
              JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
              JOIN account_move move ON move.id = counterpart.move_id
              JOIN account_journal journal ON journal.id = move.journal_id
             WHERE partial.debit_move_id = ANY(%(items)s) AND counterpart.date <= %(at_date)s
          GROUP BY partial.debit_move_id, counterpart.move_id, move.id, journal.id
          ORDER BY partial.debit_move_id, counterpart.move_id
            """, is_money=IS_MONEY, items=list(items.ids), at_date=at_date))
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
        :return: ``{(company, debtor, currency): [{'move_id', 'date', 'amount', 'is_money'}]}``
        """
        pools = defaultdict(list)
        for company, partners in partners_by_company.items():
            for partner_id, currency_id, move_id, day, amount, is_money in self.env.execute_query(
                self._get_open_credits_sql(company, partners)
            ):
                if amount > 0 and day <= at_date:
                    pools[company.id, partner_id, currency_id].append({
                        'move_id': move_id, 'date': day, 'amount': float(amount), 'is_money': is_money})
        for pool in pools.values():
            pool.sort(key=lambda credit: (credit['is_money'], credit['date'], str(credit['move_id'])))
        return pools

    @api.model
    def _get_open_credits_sql(self, company, partners):
        """Return SQL of the unmatched credits of debtors: ``(debtor, currency, entry, date, amount, is money)``.

        As the planner nets them: open journal items, payments without a journal entry (known by minus their id), and
        receipts on a bank statement.
        """
        return SQL(
            """
            SELECT partner.commercial_partner_id, line.currency_id, line.move_id, line.date,
                   -line.amount_residual_currency, %(is_money)s
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN account_journal journal ON journal.id = line.journal_id
              JOIN res_partner partner ON partner.id = line.partner_id
             WHERE %(due)s AND line.company_id = %(company)s AND line.parent_state = 'posted'
               AND line.reconciled IS NOT TRUE AND line.amount_residual_currency < 0
               AND partner.commercial_partner_id = ANY(%(partners)s)
         UNION ALL
            SELECT partner.commercial_partner_id, payment.currency_id, -payment.id, payment.date, payment.amount, TRUE
              FROM account_payment payment
              JOIN res_partner partner ON partner.id = payment.partner_id
             WHERE payment.company_id = %(company)s AND payment.move_id IS NULL AND payment.state = 'in_process'
               AND payment.payment_type = 'inbound' AND payment.partner_type = 'customer'
               AND partner.commercial_partner_id = ANY(%(partners)s)
         UNION ALL
            SELECT partner.commercial_partner_id, line.currency_id, line.move_id, line.date, -line.amount_currency, TRUE
              FROM account_bank_statement_line receipt
              JOIN account_journal journal ON journal.id = receipt.journal_id
              JOIN account_move_line line ON line.move_id = receipt.move_id
                                         AND line.account_id = journal.suspense_account_id
              JOIN res_partner partner ON partner.id = receipt.partner_id
             WHERE receipt.company_id = %(company)s AND receipt.is_reconciled IS NOT TRUE
               AND line.parent_state = 'posted' AND line.balance < 0
               AND partner.commercial_partner_id = ANY(%(partners)s)
            """,
            is_money=IS_MONEY, company=company.id, partners=list(partners.ids),
            due=self.env['account.move.line']._get_dunning_due_sql(SQL.identifier('line')))
