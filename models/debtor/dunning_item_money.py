from odoo import api, models
from odoo.tools import SQL

#: Condition on ``move`` and its ``journal``: a debtor paid, as opposed to what only lowers what is owed (credit notes,
#: write-offs, set-off).
IS_MONEY = SQL("(journal.type IN ('bank', 'cash', 'credit') OR move.origin_payment_id IS NOT NULL)")


class DunningItemMoney(models.AbstractModel):
    """Part of ``account.move.line``: in SQL, what was set against due items, and what came in or was credited."""

    _name = 'dunning.item.money'
    _description = "Money of Due Items"

    @api.model
    def _get_dunning_settlements_sql(self, wanted):
        """Return SQL of what was set against due items, one row per match (``id``).

        Of the item ``item_id``, ``item_move_id`` and ``item_amount`` (as posted), of the entry that settles it
        ``move_id``, ``journal_id`` and ``date``; ``amount`` is in the currency of the item, negative on a credit.

        :param SQL wanted: condition on ``item``
        """
        Partial = self.env['account.partial.reconcile']
        columns = SQL(
            "partial.id, item.id AS item_id, item.move_id AS item_move_id, item.amount_currency AS item_amount,"
            " entry.move_id, entry.journal_id, entry.date")
        return SQL(
            """
            SELECT %(columns)s, partial.debit_amount_currency AS amount
              FROM account_move_line item
              JOIN account_partial_reconcile partial ON partial.debit_move_id = item.id
              JOIN account_move_line entry ON entry.id = partial.credit_move_id
             WHERE %(wanted)s
         UNION ALL
            SELECT %(columns)s, - partial.credit_amount_currency
              FROM account_move_line item
              JOIN account_partial_reconcile partial ON partial.credit_move_id = item.id
              JOIN account_move_line entry ON entry.id = partial.debit_move_id
             WHERE %(wanted)s
            """,
            columns=columns, wanted=wanted,
            to_flush=[
                *(self._fields[name] for name in ('move_id', 'amount_currency', 'journal_id', 'date')),
                *(Partial._fields[name] for name in (
                    'debit_move_id', 'credit_move_id', 'debit_amount_currency', 'credit_amount_currency'))])

    @api.model
    def _get_dunning_credits_sql(self, company, partners):
        """Return SQL of the unmatched credits of debtors: ``(debtor, currency, entry, date, amount, is money)``.

        As the planner nets them: open journal items, payments without a journal entry (known by minus their id), and
        receipts on a bank statement.
        """
        Move, Payment = self.env['account.move'], self.env['account.payment']
        Receipt = self.env['account.bank.statement.line']
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
            due=self._get_dunning_due_sql(SQL.identifier('line')),
            to_flush=[
                *(self._fields[name] for name in (
                    'move_id', 'account_id', 'partner_id', 'company_id', 'parent_state', 'reconciled', 'currency_id',
                    'journal_id', 'date', 'balance', 'amount_currency', 'amount_residual_currency')),
                Move._fields['origin_payment_id'],
                *(Payment._fields[name] for name in (
                    'partner_id', 'currency_id', 'date', 'amount', 'company_id', 'move_id', 'state', 'payment_type',
                    'partner_type')),
                *(Receipt._fields[name] for name in ('journal_id', 'move_id', 'partner_id', 'is_reconciled')),
            ])

    @api.model
    def _get_dunning_money_sql(self, company, debtor_ids, since, is_money):
        """Return SQL of what entries brought in for debtors: debtor, day, amount and ``[item, amount]`` as matched.

        What they brought in is what went to the account of the debtor, and what the same entry booked as income, with
        its tax, or took as a loss. Of an entry of several debtors only what is in the name of each counts.

        :param SQL is_money: condition on ``entry`` and its ``journal``
        """
        Partial, Account = self.env['account.partial.reconcile'], self.env['account.account']
        return SQL(
            """
            WITH paid AS (
                SELECT partner.commercial_partner_id AS debtor_id, line.move_id, MIN(line.date) AS day,
                       - SUM(line.balance) AS amount, ARRAY_AGG(line.id) AS line_ids
                  FROM %(rows)s
                 WHERE line.company_id = %(company)s AND line.parent_state = 'posted' AND line.date >= %(since)s
                   AND %(due)s AND partner.commercial_partner_id = ANY(%(debtors)s)
              GROUP BY partner.commercial_partner_id, line.move_id
                HAVING SUM(line.balance) < 0)
            SELECT paid.debtor_id, paid.day, paid.amount - COALESCE(booked.balance, 0), matched.parts
              FROM paid
              JOIN account_move entry ON entry.id = paid.move_id
              JOIN account_journal journal ON journal.id = entry.journal_id
      LEFT JOIN LATERAL (
                SELECT SUM(line.balance) AS balance
                  FROM account_move_line line
                  JOIN account_account account ON account.id = line.account_id
             LEFT JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE line.move_id = paid.move_id
                   AND (account.account_type ~ '^(income|expense)' OR line.tax_line_id IS NOT NULL)
                   AND (partner.commercial_partner_id = paid.debtor_id OR (line.partner_id IS NULL AND NOT EXISTS (
                            SELECT FROM account_move_line other JOIN res_partner owner ON owner.id = other.partner_id
                             WHERE other.move_id = paid.move_id AND %(other_due)s
                               AND owner.commercial_partner_id <> paid.debtor_id)))) booked ON TRUE
      LEFT JOIN LATERAL (
                SELECT JSONB_AGG(JSONB_BUILD_ARRAY(
                           partial.debit_move_id, partial.debit_amount_currency)) AS parts
                  FROM account_partial_reconcile partial
                 WHERE partial.credit_move_id = ANY(paid.line_ids)) matched ON TRUE
             WHERE %(is_money)s
            """,
            rows=self._get_dunning_with_partner_sql(), company=company.id, since=since,
            due=self._get_dunning_due_sql(SQL.identifier('line')),
            other_due=self._get_dunning_due_sql(SQL.identifier('other')), debtors=debtor_ids, is_money=is_money,
            to_flush=[
                *(self._fields[name] for name in (
                    'company_id', 'parent_state', 'date', 'balance', 'move_id', 'tax_line_id', 'partner_id')),
                *(Partial._fields[name] for name in ('debit_move_id', 'credit_move_id', 'debit_amount_currency')),
                self.env['account.move']._fields['journal_id'], Account._fields['account_type']])

    @api.model
    def _get_dunning_takes_loss_sql(self, move):
        """Return the SQL condition that an entry, a row of ``account_move``, books on profit and loss or equity."""
        return SQL(
            """
            EXISTS (SELECT FROM account_move_line booked
                      JOIN account_account account ON account.id = booked.account_id
                     WHERE booked.move_id = %s.id AND account.account_type ~ '^(income|expense|equity)')
            """,
            move, to_flush=[
                self._fields['move_id'], self._fields['account_id'],
                self.env['account.account']._fields['account_type']])
