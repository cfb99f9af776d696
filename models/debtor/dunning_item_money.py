from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from ...tools.payment.bank_text import RETURNED

#: Condition on ``move`` and its ``journal``: a debtor paid, as opposed to what only lowers what is owed (credit notes,
#: write-offs, set-off).
IS_MONEY = SQL("(journal.type IN ('bank', 'cash', 'credit') OR move.origin_payment_id IS NOT NULL)")
#: A receipt that nobody matched for so long is not looked at any more.
RECEIPT_AGE = timedelta(days=400)


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
    def _get_dunning_credits_sql(self, company, day, wanted, *, receipts=None):
        """Return SQL of what lies ready for debtors and nobody matched: one row for each credit.

        Credit notes and payments are open journal items, and so is money that was paid back, which counts against them;
        a payment whose method has no outstanding account has no
        journal entry; a receipt is on a bank statement. Columns: ``id`` (of the journal item, or minus that of the
        payment), ``entry`` (the same of entries), ``debtor_id`` (of a receipt of nobody known: NULL), ``currency_id``,
        ``date``, ``amount``, ``balance`` (in the currency of the company), ``is_money``, ``text`` (what the payer
        wrote), ``payer`` (the name that the bank gives) and ``item_ids`` (open due items that the books say it is for).

        :param date day: receipts that are much older were not forgotten, they are something else
        :param SQL wanted: condition on the commercial partner, a row named ``debtor``; of a receipt it can be NULL
        :param SQL receipts: condition on ``receipt`` and its ``line`` and ``move``, of others who paid; NULL: none
        """
        Move, Payment = self.env['account.move'], self.env['account.payment']
        Receipt, Bank = self.env['account.bank.statement.line'], self.env['res.partner.bank']
        is_open = self._get_dunning_unreconciled_sql(SQL.identifier('line'), company)
        owed = SQL(
            "SELECT owed.id FROM account_move_line owed WHERE %s AND owed.move_id",
            self._get_dunning_open_sql(SQL.identifier('owed')))
        return SQL(
            """
            SELECT line.id, line.move_id AS entry, debtor.id AS debtor_id, line.currency_id, line.date,
                   -line.amount_residual_currency AS amount, -line.amount_residual AS balance, %(is_money)s AS is_money,
                   CONCAT_WS(E'\n', move.ref, line.name, paid.memo, paid.payment_reference) AS text, NULL AS payer,
                   ARRAY(%(owed)s IN (
                         SELECT move.reversed_entry_id
                          UNION
                         SELECT invoice_id FROM account_move__account_payment WHERE payment_id = paid.id)) AS item_ids
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN account_journal journal ON journal.id = line.journal_id
              JOIN res_partner partner ON partner.id = line.partner_id
              JOIN res_partner debtor ON debtor.id = partner.commercial_partner_id
         LEFT JOIN account_payment paid ON paid.id = move.origin_payment_id
                   -- As an array the few are looked up one by one; joined, all entries are read.
             WHERE line.id = ANY(ARRAY(
                   SELECT line.id FROM account_move_line line
                    WHERE %(open)s AND (line.amount_residual < 0 OR line.journal_id = ANY(ARRAY(
                          SELECT id FROM account_journal WHERE type IN ('bank', 'cash', 'credit'))))))
               AND %(wanted)s
               AND (line.amount_residual < 0 OR %(no_debt)s = 'paid_back')
         UNION ALL
            SELECT -payment.id, -payment.id, debtor.id, payment.currency_id, payment.date, payment.amount,
                   payment.amount_company_currency_signed, TRUE,
                   CONCAT_WS(E'\n', payment.memo, payment.payment_reference), NULL,
                   ARRAY(%(owed)s IN (
                         SELECT invoice_id FROM account_move__account_payment WHERE payment_id = payment.id))
              FROM account_payment payment
              JOIN res_partner partner ON partner.id = payment.partner_id
              JOIN res_partner debtor ON debtor.id = partner.commercial_partner_id
             WHERE payment.company_id IN %(companies)s AND payment.move_id IS NULL AND payment.state = 'in_process'
               AND payment.payment_type = 'inbound' AND payment.partner_type = 'customer' AND %(wanted)s
         UNION ALL
            SELECT line.id, line.move_id, debtor.id, line.currency_id, line.date, -line.amount_currency, -line.balance,
                   TRUE, CONCAT_WS(E'\n', receipt.payment_ref, move.ref), receipt.partner_name, '{}'::int[]
              FROM account_bank_statement_line receipt
              JOIN account_move move ON move.id = receipt.move_id
              JOIN account_journal journal ON journal.id = receipt.journal_id
              JOIN account_move_line line ON line.move_id = receipt.move_id
                                         AND line.account_id = journal.suspense_account_id
         LEFT JOIN res_partner partner ON partner.id = receipt.partner_id
         LEFT JOIN res_partner debtor ON debtor.id = COALESCE(partner.commercial_partner_id, (
                       -- The account of one debtor only says who paid.
                       SELECT MIN(owner.commercial_partner_id)
                         FROM res_partner_bank bank
                         JOIN res_partner owner ON owner.id = bank.partner_id
                        WHERE bank.sanitized_acc_number
                              = REGEXP_REPLACE(UPPER(receipt.account_number), '[^A-Z0-9]', '', 'g')
                       HAVING COUNT(DISTINCT owner.commercial_partner_id) = 1))
             WHERE receipt.company_id IN %(companies)s AND receipt.is_reconciled IS NOT TRUE
               AND line.parent_state = 'posted' AND line.balance < 0 AND line.date > %(since)s
               AND %(receipts)s
            """,
            is_money=IS_MONEY, companies=company._get_dunning_company_ids(), since=day - RECEIPT_AGE, wanted=wanted,
            owed=owed,
            no_debt=self._get_dunning_no_debt_sql(SQL("line.id"), SQL.identifier('move')),
            receipts=wanted if receipts is None else SQL("(%s OR %s)", wanted, receipts),
            open=is_open,
            to_flush=[
                *(self._fields[name] for name in (
                    'move_id', 'account_id', 'partner_id', 'parent_state', 'currency_id', 'journal_id', 'date', 'name',
                    'balance', 'amount_currency', 'amount_residual', 'amount_residual_currency')),
                *(Move._fields[name] for name in ('origin_payment_id', 'reversed_entry_id', 'ref')),
                *(Payment._fields[name] for name in (
                    'partner_id', 'currency_id', 'date', 'amount', 'amount_company_currency_signed', 'company_id',
                    'move_id', 'state', 'payment_type', 'partner_type', 'memo', 'payment_reference', 'invoice_ids')),
                *(Receipt._fields[name] for name in (
                    'journal_id', 'move_id', 'partner_id', 'partner_name', 'account_number', 'payment_ref',
                    'company_id', 'is_reconciled')),
                *(Bank._fields[name] for name in ('sanitized_acc_number', 'partner_id')),
                self.env['res.partner']._fields['commercial_partner_id'],
            ])

    # -------------------------------------------------------------------------
    # WHAT IS NO DEBT
    # -------------------------------------------------------------------------

    @api.model
    def _get_dunning_no_debt_sql(self, item_id, move):
        """Return SQL of why an open due item is nothing that its debtor owes: a code, or NULL.

        ``paid_back``: money that went to the debtor, and waits for the credit note that it pays back. A payment that
        bounced is a debt: its text says so, and names the invoice. ``bookkeeping``: differences of exchange rates, and
        what a point of sale books. ``discount``: what an early payment, in time, did not have to pay.

        :param SQL item_id: of the item
        :param SQL move: the name of a row with the ``move_type`` and ``payment_state`` of its entry
        """
        Move, Partial = self.env['account.move'], self.env['account.partial.reconcile']
        return SQL(
            """
            CASE WHEN %(move)s.move_type = 'entry' THEN (
                     SELECT CASE WHEN %(booked)s THEN 'bookkeeping' WHEN %(paid_back)s THEN 'paid_back' END
                       FROM account_move_line odd
                       JOIN account_move entry ON entry.id = odd.move_id
                       JOIN account_journal journal ON journal.id = odd.journal_id
                       JOIN res_company company ON company.id = odd.company_id
                      WHERE odd.id = %(item)s AND odd.balance > 0)
                 WHEN %(move)s.payment_state = 'partial' THEN (
                     SELECT 'discount'
                       FROM account_move_line odd
                       JOIN account_partial_reconcile partial ON partial.debit_move_id = odd.id
                       JOIN account_move_line paid ON paid.id = partial.credit_move_id
                      WHERE odd.id = %(item)s AND paid.date <= odd.discount_date
                        AND odd.amount_residual_currency <= odd.amount_currency - odd.discount_amount_currency
                   GROUP BY odd.discount_amount_currency
                     HAVING SUM(partial.debit_amount_currency) >= odd.discount_amount_currency) END
            """,
            item=item_id, move=move, booked=self._get_dunning_bookkeeping_sql(), paid_back=SQL(
                "journal.type IN ('bank', 'cash', 'credit') AND NOT %s", self._get_dunning_bounced_sql()),
            to_flush=[
                *(Move._fields[name] for name in ('move_type', 'payment_state')),
                *(self.env['res.company']._fields[name] for name in (
                    'currency_exchange_journal_id', 'account_default_pos_receivable_account_id')),
                *(Partial._fields[name] for name in ('debit_move_id', 'credit_move_id', 'debit_amount_currency')),
                *(self._fields[name] for name in (
                    'move_id', 'journal_id', 'company_id', 'account_id', 'balance', 'date', 'discount_date',
                    'discount_amount_currency', 'amount_currency', 'amount_residual_currency'))])

    @api.model
    def _get_dunning_bookkeeping_sql(self):
        """Return the SQL condition that ``odd``, an item of the ``company``, only balances other entries."""
        sessions = SQL("FALSE")
        if 'pos.session' in self.env:
            sessions = SQL("EXISTS (SELECT FROM pos_session WHERE move_id = odd.move_id)")
        return SQL(
            "(odd.journal_id = company.currency_exchange_journal_id"
            " OR odd.account_id = company.account_default_pos_receivable_account_id OR %s)", sessions)

    @api.model
    def _get_dunning_bounced_sql(self):
        """Return the SQL condition that ``odd`` takes a payment back.

        The text of the bank, or of who booked it, says so and names an invoice of the debtor, with any separators. Who
        registers a payment to a debtor pays back. This alone decides whether it is owed: under which number it is told
        (``account.move.line._get_dunning_named_invoices``) changes no sum.
        """
        Move = self.env['account.move']
        return SQL(
            """
            (entry.origin_payment_id IS NULL AND UPPER(CONCAT_WS(' ', odd.name, entry.ref)) ~ %s AND EXISTS (
                SELECT FROM res_partner payer
                  -- By way of its contacts, for the index: the debtor of an invoice has none.
                  JOIN res_partner contact ON contact.commercial_partner_id = payer.commercial_partner_id
                  JOIN account_move named ON named.partner_id = contact.id
                 WHERE payer.id = odd.partner_id AND named.commercial_partner_id = payer.commercial_partner_id
                   AND named.state = 'posted' AND named.move_type IN ('out_invoice', 'out_receipt')
                   AND UPPER(CONCAT_WS(' ', odd.name, entry.ref)) ~ CONCAT(
                       '(^|[^A-Z0-9])', REGEXP_REPLACE(
                           REGEXP_REPLACE(UPPER(named.name), '[^A-Z0-9]', '', 'g'), '(.)', '\\1[^A-Z0-9]*', 'g'),
                       '($|[^A-Z0-9])')))
            """,
            RETURNED, to_flush=[
                *(Move._fields[name] for name in (
                    'origin_payment_id', 'ref', 'commercial_partner_id', 'state', 'move_type', 'name')),
                self._fields['name'], self._fields['partner_id'],
                self.env['res.partner']._fields['commercial_partner_id']])

    def _filter_dunning_owed(self):
        """Return which of these due items are owed by their debtors, see :meth:`_get_dunning_no_debt_sql`."""
        if not self:
            return self
        odd = {item_id for (item_id,) in self.env.execute_query(SQL(
            """
            SELECT line.id FROM account_move_line line JOIN account_move move ON move.id = line.move_id
             WHERE line.id = ANY(%s) AND %s IS NOT NULL
            """, list(self.ids), self._get_dunning_no_debt_sql(SQL("line.id"), SQL.identifier('move'))))}
        return self.filtered(lambda item: item.id not in odd)

    @api.model
    def _get_dunning_payables(self, company, debtor_ids):
        """Return ``{debtor id: what the creditor owes}`` these as suppliers, in its currency."""
        # sudo: who plans reminders need not see vendor bills
        return {
            debtor.id: -balance for debtor, balance in self.env['account.move.line'].sudo()._read_group([
                ('company_id', 'in', company._get_dunning_company_ids()), ('parent_state', '=', 'posted'),
                ('reconciled', '=', False),
                ('account_id.account_type', '=', 'liability_payable'),
                ('move_id.commercial_partner_id', 'in', list(debtor_ids))],
                ['move_id.commercial_partner_id'], ['amount_residual:sum']) if balance < 0}

    # -------------------------------------------------------------------------
    # WHAT CAME IN
    # -------------------------------------------------------------------------

    @api.model
    def _get_dunning_is_registered_sql(self, move_id):
        """Return the SQL condition that a payment without a journal entry was registered on an invoice, and is on its
        way: it is a credit for that invoice, of as much as was registered.
        """
        Payment = self.env['account.payment']
        return SQL(
            """
            EXISTS (SELECT FROM account_move__account_payment rel
                      JOIN account_payment payment ON payment.id = rel.payment_id
                     WHERE rel.invoice_id = %s AND payment.move_id IS NULL AND payment.state = 'in_process')
            """, move_id, to_flush=[Payment._fields[name] for name in ('move_id', 'state', 'invoice_ids')])

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
                 WHERE line.company_id IN %(companies)s AND line.parent_state = 'posted' AND line.date >= %(since)s
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
            rows=self._get_dunning_with_partner_sql(), companies=company._get_dunning_company_ids(), since=since,
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
