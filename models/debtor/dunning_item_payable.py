from odoo import api, models
from odoo.tools import SQL

from ...tools.payment.imputation import BARE_DIGITS

#: Of more debtors all receipts are read: comparing each with all their numbers takes longer.
MANY_DEBTORS = 50


class DunningItemPayable(models.AbstractModel):
    """Part of ``account.move.line``: in SQL, which due items money can be for, and which money can be for them."""

    _name = 'dunning.item.payable'
    _description = "Payable Due Items"

    @api.model
    def _get_dunning_concerns_sql(self, company, debtor_ids, documents):
        """Return the SQL condition that a ``receipt``, with its ``move`` and ``line``, can be for what debtors owe
        although somebody else paid, or nobody knows who. Only reading the text tells whether it is: everything that
        :class:`tools.payment.imputation.Books` can find is among these.

        The text has the letters and digits of a number in a row, or its digits when they are many; or the amount is
        that of an item, or of all that one owes; or the text has the last digits of items that can be the amount
        together, or digits of an entry, which names an invoice.

        :param SQL debtor_ids: an array
        :param SQL documents: rows of ``(number, debtor id, sum asked, ids of due items)`` of these debtors
        """
        Move, line = self.env['account.move'], SQL.identifier('line')
        owed = SQL(
            """
              FROM account_move_line line
              JOIN res_partner partner ON partner.id = line.partner_id
              JOIN account_move move ON move.id = line.move_id
             WHERE %s AND line.amount_residual > 0 AND partner.commercial_partner_id = ANY(%s)
            """, self._get_dunning_unreconciled_sql(line, company), debtor_ids)
        runs = self._get_dunning_digits_sql(SQL("receipt.payment_ref"), SQL("move.ref"))
        return SQL(
            """
            (CARDINALITY(%(debtors)s) > %(many)s
             OR REGEXP_REPLACE(UPPER(CONCAT(receipt.payment_ref, move.ref)), '[^A-Z0-9]', '', 'g') LIKE ANY(ARRAY(
                SELECT DISTINCT CONCAT('%%', key, '%%')
                  FROM (SELECT UNNEST(ARRAY[move.name, line.name, move.payment_reference]) %(owed)s
                         UNION ALL
                        SELECT number FROM (%(documents)s) AS document (number)) AS called (number)
            CROSS JOIN UNNEST(ARRAY[
                           REGEXP_REPLACE(UPPER(number), '[^A-Z0-9]', '', 'g'),
                           SUBSTRING(number FROM '([0-9]{%(bare)s,})[^0-9]*$'),
                           SUBSTRING(REGEXP_REPLACE(number, '[^0-9]', '', 'g') FROM '^.{%(bare)s,}$')]) AS key
                 WHERE key ~ '[0-9]'))
             OR -line.balance = ANY(ARRAY(
                SELECT line.amount_residual %(owed)s
                 UNION
                SELECT line.discount_balance %(owed)s AND line.discount_date IS NOT NULL
                 UNION
                SELECT SUM(line.amount_residual) %(owed)s GROUP BY partner.commercial_partner_id))
             OR debtor.id IS NULL AND -line.balance < (SELECT SUM(line.amount_residual) %(owed)s) AND %(runs)s && ARRAY(
                SELECT LTRIM(SUBSTRING(UNNEST(ARRAY[move.name, line.name, move.payment_reference])
                                       FROM '([0-9]+)[^0-9]*$'), '0') %(owed)s)
             OR %(runs)s && ARRAY(
                SELECT NULLIF(UNNEST(%(entry_runs)s), '') %(owed)s AND move.move_type = 'entry'))
            """,
            entry_runs=self._get_dunning_digits_sql(SQL("line.name"), SQL("move.ref")),
            debtors=debtor_ids, many=MANY_DEBTORS, owed=owed, documents=documents, runs=runs, bare=BARE_DIGITS,
            to_flush=[
                *(self._fields[name] for name in (
                    'move_id', 'partner_id', 'amount_residual', 'balance', 'name', 'discount_date',
                    'discount_balance')),
                *(Move._fields[name] for name in ('name', 'ref', 'payment_reference', 'move_type')),
                self.env['account.bank.statement.line']._fields['payment_ref'],
                self.env['res.partner']._fields['commercial_partner_id']])

    @api.model
    def _get_dunning_digits_sql(self, *texts):
        """Return SQL of the array of runs of digits in texts, without leading zeros."""
        return SQL(
            "REGEXP_SPLIT_TO_ARRAY(REGEXP_REPLACE(CONCAT_WS(' ', %s), '(^|[^0-9])0+(?=[0-9])', '\\1', 'g'), '[^0-9]+')",
            SQL(", ").join(texts))

    @api.model
    def _get_dunning_payable_sql(self, company, keys, debtor_ids, amounts, item_ids, documents, digits):
        """Return SQL of the open due items that money can be for, and of what asked for them.

        Columns of an item: id, debtor, number, what is open, reference, what is enough until a day (in the currency of
        the company) and that day, the name of the debtor when the debtor owes one of ``amounts`` in all, and whether it
        is an entry. Of a document: NULL, debtor, number, the sum it asks, and last the ids of its items.

        Arrays are SQL.

        :param keys: of numbers, as of ``account.move._get_dunning_has_key_sql``
        :param debtor_ids: all items of these are wanted
        :param amounts: items of exactly these are wanted, and all of who owes one of these in all; None: there are none
        :param item_ids: these are wanted
        :param SQL documents: rows of ``(number, debtor id, sum asked, ids of due items)``; their items are wanted
        :param digits: what no invoice booked, which no key finds, is wanted when its text has one of these, without
            leading zeros
        """
        Move, line = self.env['account.move'], SQL.identifier('line')
        due_date = self._get_dunning_due_date_sql(line, SQL.identifier('move'))
        by_sum = SQL(
            """
             UNION
            SELECT id FROM owed
             WHERE amount_residual = ANY(%(amounts)s)
                OR discount_date IS NOT NULL AND discount_balance = ANY(%(amounts)s)
             UNION
            SELECT UNNEST(ids) FROM owing
            """, amounts=amounts) if amounts else SQL()
        return SQL(
            """
            WITH document (number, debtor_id, amount, item_ids) AS MATERIALIZED (%(documents)s),
            owed AS %(materialized)s (
                SELECT line.id, line.move_id, line.journal_id, partner.commercial_partner_id AS debtor_id,
                       line.amount_residual, line.discount_date, line.discount_balance
                  FROM account_move_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE %(owed)s AND line.amount_residual > 0),
            owing AS (
                SELECT debtor_id, ARRAY_AGG(id) AS ids
                  FROM owed
                 WHERE %(has_amounts)s
              GROUP BY debtor_id
                HAVING SUM(amount_residual) = ANY(%(amounts)s)),
            wanted AS (
                SELECT id FROM owed WHERE debtor_id = ANY(%(debtors)s)
                 UNION
                SELECT owed.id
                  FROM owed
                  JOIN account_move_line line ON line.id = owed.id
                  JOIN account_move move ON move.id = owed.move_id
                 WHERE owed.journal_id = ANY(ARRAY(SELECT id FROM account_journal WHERE type <> 'sale'))
                   AND EXISTS (SELECT FROM UNNEST(%(entry_digits)s) AS run WHERE run = ANY(%(digits)s))
                 UNION
                -- Key by key: an index on arrays takes many at once in the square of their number.
                SELECT owed.id
                  FROM UNNEST(%(keys)s) AS named (key)
                  JOIN account_move move ON %(has_key)s
                  JOIN owed ON owed.move_id = move.id
                 UNION
                SELECT owed.id
                  FROM (SELECT UNNEST(%(items)s) AS id UNION SELECT UNNEST(item_ids) FROM document) asked
                  JOIN owed ON owed.id = asked.id
                %(by_sum)s)
            SELECT line.id, debtor.id, CASE WHEN move.move_type = 'entry' THEN line.name ELSE move.name END,
                   line.amount_residual, move.payment_reference, %(due_date)s,
                   line.discount_balance,
                   CASE WHEN line.amount_residual = line.balance THEN line.discount_date END,
                   CASE WHEN owing.debtor_id IS NOT NULL THEN debtor.complete_name END, move.move_type = 'entry',
                   NULL::int[]
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN res_partner partner ON partner.id = line.partner_id
              JOIN res_partner debtor ON debtor.id = partner.commercial_partner_id
         LEFT JOIN owing ON owing.debtor_id = debtor.id
                   -- As an array they are looked up one by one; joined, PostgreSQL takes them for most of the table.
             WHERE line.id = ANY(ARRAY(SELECT id FROM wanted)) AND %(no_debt)s IS NULL
         UNION ALL
            SELECT NULL, debtor_id, number, amount, NULL, NULL, NULL, NULL, NULL, NULL, item_ids FROM document
            """,
            documents=documents, no_debt=self._get_dunning_no_debt_sql(SQL("line.id"), SQL.identifier('move')),
            # Amounts are looked for in all that is open; the rest is looked up.
            materialized=SQL("MATERIALIZED" if amounts else "NOT MATERIALIZED"),
            owed=self._get_dunning_unreconciled_sql(line, company), has_amounts=bool(amounts),
            amounts=amounts or SQL("NULL::numeric[]"), debtors=debtor_ids, digits=digits,
            entry_digits=self._get_dunning_digits_sql(SQL("line.name"), SQL("move.ref")),
            has_key=Move._get_dunning_has_key_sql(SQL.identifier('move'), SQL("ARRAY[named.key]")), keys=keys,
            items=item_ids, by_sum=by_sum,
            due_date=due_date,
            to_flush=[
                *(self._fields[name] for name in (
                    'move_id', 'journal_id', 'partner_id', 'amount_residual', 'balance', 'name', 'discount_date',
                    'discount_balance')),
                *(Move._fields[name] for name in ('name', 'payment_reference', 'move_type')),
                self.env['account.journal']._fields['type'],
                self.env['res.partner']._fields['commercial_partner_id'],
                self.env['res.partner']._fields['complete_name']])
