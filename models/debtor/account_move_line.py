from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..kernel.dunning_field import AnswerInteger
from ..kernel.sql import select_changed

#: The type of the accounts on which debtors owe.
RECEIVABLE = 'asset_receivable'
#: Condition on ``move`` and its ``journal``: a debtor paid, as opposed to what only lowers what is owed (credit notes,
#: write-offs, set-off).
IS_MONEY = SQL("(journal.type IN ('bank', 'cash', 'credit') OR move.origin_payment_id IS NOT NULL)")


class AccountMoveLine(models.Model):
    """What a *due item* is, when it is *open* and when it is *due*: in domains, in SQL and in Python."""

    _inherit = 'account.move.line'

    dunning_days_overdue = AnswerInteger(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        groups='base.group_user',
    )

    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        for item in self:
            due = item._get_dunning_due_date()
            item.dunning_days_overdue = max(0, (today - due).days) if due and not item.reconciled else 0

    # -------------------------------------------------------------------------
    # DUE ITEMS
    # -------------------------------------------------------------------------

    @api.model
    def _get_dunning_due_domain(self):
        """Domain of the due items: what debtors owe or have to their credit, open or not."""
        return Domain('account_id.account_type', '=', RECEIVABLE)

    @api.model
    def _get_dunning_open_domain(self, company=None, debtors=None):
        """Domain of the due items on which something is owed.

        :param company: those of this company (``res.company``) only; None: of all that the user sees
        :param debtors: those of these debtors (commercial partners) and their contacts only; None: of all
        """
        domain = self._get_dunning_due_domain() & Domain([
            ('parent_state', '=', 'posted'), ('reconciled', '=', False), ('amount_residual', '>', 0)])
        if company is not None:
            domain &= Domain('company_id', '=', company.id)
        if debtors is not None:
            domain &= Domain('partner_id.commercial_partner_id', 'in', debtors.ids)
        return domain

    @api.model
    def _get_dunning_overdue_domain(self, company, at_date):
        """Domain of what is overdue on a day, whether it may be reminded or not."""
        return self._get_dunning_open_domain(company) & Domain('date_maturity', '<', at_date)

    def _filter_dunning_due(self):
        """Return which of these journal items are due items."""
        return self.filtered(lambda item: item.account_id.account_type == RECEIVABLE)

    @api.model
    def _get_dunning_due_sql(self, line):
        """Return the SQL condition that a row of ``account_move_line`` is a due item.

        The accounts are looked up by the statement itself, once.

        :param SQL line: the name of the row
        """
        return SQL(
            "%s.account_id = ANY(ARRAY(SELECT id FROM account_account WHERE account_type = %s))", line, RECEIVABLE,
            to_flush=[self.env['account.account']._fields['account_type'], self._fields['account_id']])

    @api.model
    def _get_dunning_open_sql(self, line):
        """Return the SQL condition that something is owed on a row of ``account_move_line``.

        The column tests are those of the index on unreconciled lines.
        """
        return SQL(
            "(%(due)s AND %(line)s.reconciled IS NOT TRUE"
            " AND %(line)s.parent_state = 'posted' AND %(line)s.amount_residual > 0)",
            due=self._get_dunning_due_sql(line), line=line,
            to_flush=[self._fields[name] for name in ('reconciled', 'parent_state', 'amount_residual')])

    @api.model
    def _get_dunning_receivables(self, company):
        """Return the accounts on which the debtors of a company owe, also those that are archived."""
        # sudo: all users get the same answer; an archived account can still have open items
        return self.env['account.account'].sudo().with_company(company).with_context(active_test=False).search([
            ('account_type', '=', RECEIVABLE), ('company_ids', 'in', company.parent_ids.ids)])

    @api.model
    def _get_dunning_matches_sql(self):
        """Return the SQL of what was matched to due items, to be given an alias.

        Columns: ``item_id``, ``amount`` in its currency, ``date`` and ``move_id`` of what settled it.
        """
        Partial = self.env['account.partial.reconcile']
        return SQL(
            "(SELECT partial.debit_move_id AS item_id, partial.debit_amount_currency AS amount, counterpart.date,"
            " counterpart.move_id FROM account_partial_reconcile partial"
            " JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id)",
            to_flush=[
                *(Partial._fields[name] for name in ('debit_move_id', 'credit_move_id', 'debit_amount_currency')),
                self._fields['date'], self._fields['move_id']])

    @api.model
    def _get_dunning_unreconciled_sql(self, line, company, account_ids):
        """Return the SQL condition that a row of ``account_move_line`` is an open due item of a company, or a credit.

        The column tests are those of the index on unreconciled lines.

        :param account_ids: of :meth:`_get_dunning_receivables`
        """
        return SQL(
            "%(line)s.company_id = %(company)s AND %(line)s.parent_state = 'posted'"
            " AND %(line)s.reconciled IS NOT TRUE AND %(line)s.account_id = ANY(%(accounts)s)",
            line=line, company=company.id, accounts=list(account_ids),
            to_flush=[self._fields[name] for name in ('company_id', 'parent_state', 'reconciled', 'account_id')])

    @api.model
    def _get_dunning_rows_sql(self, company, wanted, items=None):
        """Return SQL of journal items of a company, with the ``debtor_id`` of each.

        :param SQL wanted: condition on ``line`` and its ``partner``
        :param items: those that are asked for whatever the condition says, or None
        """
        source = SQL("account_move_line line LEFT JOIN res_partner partner ON partner.id = line.partner_id")
        if items is None:
            where = wanted
        else:
            # Two index look-ups instead of one look at everything that is open.
            source = SQL(
                """(SELECT line.id FROM %(source)s WHERE %(wanted)s
                     UNION
                    SELECT id FROM account_move_line WHERE id = ANY(%(items)s) AND company_id = %(company)s) asked
              JOIN account_move_line line ON line.id = asked.id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id""",
                source=source, wanted=wanted, items=list(items.ids), company=company.id)
            where = SQL("TRUE")
        return SQL(
            "SELECT line.*, partner.commercial_partner_id AS debtor_id FROM %s WHERE %s", source, where, to_flush=[
                *(self._fields[name] for name in (
                    'move_id', 'partner_id', 'company_id', 'currency_id', 'amount_residual',
                    'amount_residual_currency', 'balance', 'no_followup')),
                self.env['res.partner']._fields['commercial_partner_id']])

    @api.model
    def _get_dunning_debtors_sql(self, items):
        """Return SQL of the debtors of these due items."""
        return SQL(
            "SELECT DISTINCT asked_partner.commercial_partner_id"
            "  FROM account_move_line asked JOIN res_partner asked_partner ON asked_partner.id = asked.partner_id"
            " WHERE asked.id = ANY(%s)", list(items.ids),
            to_flush=[self._fields['partner_id'], self.env['res.partner']._fields['commercial_partner_id']])

    @api.model
    def _get_dunning_is_owed_sql(self, item):
        """Return the SQL condition that the due item with the id ``item`` is not settled."""
        return SQL(
            "EXISTS (SELECT FROM account_move_line owed WHERE owed.id = %s AND owed.reconciled IS NOT TRUE)", item,
            to_flush=self._fields['reconciled'])

    @api.model
    def _get_dunning_receipts_sql(self, company):
        """Return SQL of what came in on the bank and nobody matched: ``partner_id``, texts, and the ``amount``."""
        Receipt = self.env['account.bank.statement.line']
        return SQL(
            """
            SELECT receipt.partner_id, receipt.account_number, receipt.payment_ref, receipt.move_id,
                   -line.balance AS amount
              FROM account_bank_statement_line receipt
              JOIN account_journal journal ON journal.id = receipt.journal_id
              JOIN account_move_line line ON line.move_id = receipt.move_id
                                         AND line.account_id = journal.suspense_account_id
             WHERE receipt.company_id = %s AND receipt.is_reconciled IS NOT TRUE
               AND line.parent_state = 'posted' AND line.balance < 0
            """,
            company.id, to_flush=[
                *(Receipt._fields[name] for name in (
                    'is_reconciled', 'partner_id', 'account_number', 'payment_ref', 'move_id', 'journal_id',
                    'company_id')),
                *(self._fields[name] for name in ('parent_state', 'balance', 'account_id', 'move_id'))])

    @api.model
    def _get_dunning_past_sql(self, company, account_ids, day, wanted, items=None):
        """Return SQL of journal items as they stood at the end of a day, with all columns of ``account_move_line``.

        What was reconciled later was open: each reconciliation counts from the later of its two dates, as in the
        aged receivable report. Only what a question about due items can look at: of the debtors concerned, what was
        open, and the invoices it is on.

        :param SQL wanted: condition on ``line`` and its ``partner``
        :param items: due items that are asked for whatever the condition says, or None
        """
        Partial = self.env['account.partial.reconcile']
        source = SQL(
            """account_move_line
               LEFT JOIN (
                   SELECT line_id, SUM(amount) AS amount, SUM(amount_currency) AS amount_currency FROM (
                       SELECT debit_move_id AS line_id, amount, debit_amount_currency AS amount_currency
                         FROM account_partial_reconcile WHERE max_date > %(day)s
                    UNION ALL
                       SELECT credit_move_id, -amount, -credit_amount_currency
                         FROM account_partial_reconcile WHERE max_date > %(day)s) reconciled
                   GROUP BY line_id) later ON later.line_id = account_move_line.id""",
            day=day, to_flush=[Partial._fields[name] for name in (
                'debit_move_id', 'credit_move_id', 'amount', 'debit_amount_currency', 'credit_amount_currency',
                'max_date')])
        # An invoice is wanted with all its lines: what was sold says when a claim is prescribed.
        where = SQL(
            """account_move_line.date <= %(day)s AND account_move_line.move_id IN (
                   SELECT line.move_id
                     FROM account_move_line line
                     JOIN res_partner partner ON partner.id = line.partner_id
                    WHERE line.company_id = %(company)s AND line.account_id = ANY(%(accounts)s)
                      AND (line.reconciled IS NOT TRUE OR EXISTS (
                              SELECT FROM account_partial_reconcile partial
                               WHERE line.id IN (partial.debit_move_id, partial.credit_move_id)
                                 AND partial.max_date > %(day)s))
                      AND %(wanted)s
                UNION
                   SELECT line.move_id FROM account_move_line line WHERE line.id = ANY(%(items)s)
                UNION
                   SELECT receipt.move_id FROM account_bank_statement_line receipt
                    WHERE receipt.company_id = %(company)s AND receipt.is_reconciled IS NOT TRUE)""",
            day=day, company=company.id, accounts=list(account_ids), wanted=wanted,
            items=list(items.ids) if items is not None else [],
            to_flush=[self._fields[name] for name in ('date', 'reconciled', 'account_id', 'partner_id', 'company_id')])
        residual = SQL("account_move_line.amount_residual + COALESCE(later.amount, 0)")
        in_currency = SQL("account_move_line.amount_residual_currency + COALESCE(later.amount_currency, 0)")
        return select_changed(self, {
            'amount_residual': residual,
            'amount_residual_currency': in_currency,
            'reconciled': SQL(
                "CASE WHEN later.line_id IS NULL THEN account_move_line.reconciled ELSE %s = 0 AND %s = 0 END",
                residual, in_currency),
        }, source, where)

    def _lock_dunning_items(self):
        """Wait for whoever is paying or crediting these items, and read afresh what is open on them.

        Other than ``lock_for_update`` this waits. When another transaction changed something meanwhile, PostgreSQL says
        that it cannot be serialized, and Odoo does the request again with what is true by then: no error for the log.
        """
        self.env.cr.execute(SQL(
            "SELECT id FROM account_move_line WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", self.ids,
        ), log_exceptions=False)
        self.invalidate_recordset(['amount_residual', 'amount_residual_currency', 'reconciled', 'parent_state'])

    # -------------------------------------------------------------------------
    # WHEN THEY ARE DUE
    # -------------------------------------------------------------------------

    def _get_dunning_due_date(self):
        """Return the day by which an item was to be paid; what has no due date is due on its own."""
        self.ensure_one()
        return self.date_maturity or self.date

    @api.model
    def _get_dunning_with_partner_sql(self):
        """Return the SQL of all journal items ``line`` joined with their ``partner``, to be joined or selected from."""
        return SQL(
            "(account_move_line line JOIN res_partner partner ON partner.id = line.partner_id)",
            to_flush=self._fields['partner_id'])

    @api.model
    def _get_dunning_due_date_sql(self, line):
        """Return the SQL of the same day, of a row of ``account_move_line``."""
        return SQL(
            "COALESCE(%(line)s.date_maturity, %(line)s.date)", line=line,
            to_flush=[self._fields['date_maturity'], self._fields['date']])

    # -------------------------------------------------------------------------
    # ROWS FOR STATEMENTS
    # -------------------------------------------------------------------------

    @api.model
    def _get_dunning_open_rows_sql(self, wanted):
        """Return SQL of open due items: their columns, with ``debtor_id``, ``due_date`` and ``debtor_type``.

        :param SQL wanted: condition on the item ``line`` and its ``partner``
        """
        Partner, line = self.env['res.partner'], SQL.identifier('line')
        return SQL(
            """
            SELECT line.*, debtor.id AS debtor_id, %(due_date)s AS due_date, %(debtor_type)s AS debtor_type
              FROM account_move_line line
         LEFT JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN res_partner debtor ON debtor.id = partner.commercial_partner_id
             WHERE %(open)s AND %(wanted)s
            """,
            due_date=self._get_dunning_due_date_sql(line),
            debtor_type=Partner._get_dunning_type_sql(SQL.identifier('debtor')),
            open=self._get_dunning_open_sql(line), wanted=wanted,
            to_flush=[
                *(self._fields[name] for name in ('move_id', 'company_id', 'partner_id')),
                Partner._fields['commercial_partner_id']])

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

    @api.model
    def _get_dunning_sold_sql(self, wanted):
        """Return SQL of one row: whether ``goods``, ``services`` or something ``unknown`` was sold on an invoice.

        :param SQL wanted: condition on the lines ``sold`` of the invoice
        """
        Product, Template = self.env['product.product'], self.env['product.template']
        return SQL(
            """
            SELECT BOOL_OR(template.type <> 'service') AS goods,
                   BOOL_OR(template.type = 'service') AS services,
                   BOOL_OR(template.id IS NULL) AS unknown
              FROM account_move_line sold
         LEFT JOIN product_product product ON product.id = sold.product_id
         LEFT JOIN product_template template ON template.id = product.product_tmpl_id
                   -- A discount is no thing that was sold.
             WHERE sold.display_type = 'product' AND sold.price_subtotal > 0 AND %s
            """,
            wanted, to_flush=[
                Product._fields['product_tmpl_id'], Template._fields['type'],
                *(self._fields[name] for name in ('move_id', 'product_id', 'display_type', 'price_subtotal'))])
