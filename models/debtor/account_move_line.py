from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.payment.bank_text import find_named, read_numerals, tells_return
from ..kernel.dunning_field import AnswerInteger
from ..kernel.formats import find_day
from ..kernel.groups import COLLEAGUES
from ..kernel.sql import select_changed

#: The type of the accounts on which debtors owe.
RECEIVABLE = 'asset_receivable'
#: Where a payment that went back is booked.
RETURN_JOURNALS = ('bank', 'cash', 'credit', 'general')


class AccountMoveLine(models.Model):
    """What a *due item* is, when it is *open* and when it is *due*: in domains, in SQL and in Python."""

    _name = 'account.move.line'
    _inherit = ['account.move.line', 'dunning.item.money', 'dunning.item.payable']

    dunning_days_overdue = AnswerInteger(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        search='_search_dunning_days_overdue',
        groups=COLLEAGUES,
    )

    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        for item in self:
            due = item._get_dunning_due_date()
            item.dunning_days_overdue = max(0, (today - due).days) if due and not item.reconciled else 0

    def _search_dunning_days_overdue(self, operator, value):
        """Overdue for more than (or at least) n days, n >= 0; or exactly not overdue."""
        if operator in ('>', '>='):
            days = value + 1 if operator == '>' else value
            if days <= 0:
                return Domain.TRUE
            today = self.env.company._dunning_today()
            return self._get_dunning_open_domain() & self._get_dunning_due_before_domain(
                today - timedelta(days=days - 1))
        if operator in ('<', '<='):
            return ~Domain(self._search_dunning_days_overdue('>=' if operator == '<' else '>', value))
        return NotImplemented

    # -------------------------------------------------------------------------
    # HOW THE DEBTOR KNOWS THEM
    # -------------------------------------------------------------------------

    def _get_dunning_identities(self):
        """Return ``{item: (number, date or False)}`` under which the debtors know these items.

        Of an entry, as one that took over an older ledger, both stand in the label of its line. A payment that was
        returned is known as the invoice that its text names.
        """
        named = self._get_dunning_named_invoices()
        identities = {}
        for item in self:
            move = named.get(item, item.move_id)
            label = (item.name or '').strip() if move.move_type == 'entry' else ''
            identities[item] = (
                label or move.name or '', move.invoice_date or (find_day(label) if label else move.date))
        return identities

    def _get_dunning_named_invoices(self):
        """Return ``{item: invoice}`` of the entries of a bank, a cash or a general journal that owe and name one
        invoice of their debtor: what had paid that went back.
        """
        texts = {
            item: item._get_dunning_entry_text() for item in self
            if item.move_id.move_type == 'entry' and item.balance > 0 and item.partner_id
            and item.journal_id.sudo().type in RETURN_JOURNALS}  # sudo: only the kind of journal
        numerals = {
            item: [numeral for numeral in read_numerals(text, amounts=True) if numeral.is_meant]
            for item, text in texts.items()}
        named = {}
        for company, items in self.browse(item.id for item, found in numerals.items() if found).grouped(
            'company_id'
        ).items():
            keys = sorted({
                key for item in items for numeral in numerals[item] for key in (numeral.key, numeral.runs[-1])})
            # sudo: how a debtor knows an item is for whoever can read the item
            Move = self.env['account.move'].sudo()
            moves = Move.search_fetch(Move._get_dunning_named_domain(
                company, items.partner_id.commercial_partner_id.ids, keys), ['name', 'commercial_partner_id'])
            of_debtor = moves.grouped('commercial_partner_id')
            for item in items:
                own = of_debtor.get(item.partner_id.commercial_partner_id.sudo(), Move)  # sudo: as above
                found = find_named(numerals[item], {move: move.name for move in own})
                if len(found) == 1:
                    named[item] = found[0].with_env(self.env)
        return named

    def _get_dunning_returns(self):
        """Return ``{item: (number, day, reason)}`` of the items whose payment a bank returned.

        Recorded on the invoice, with the reason as the bank gives it; or booked as an entry that says so and names the
        invoice.
        """
        # sudo: what a letter says is the same for whoever looks at it
        returns = {
            item: (move.name, move.dunning_returned_on, move.dunning_return_reason or '')
            for item in self if (move := item.move_id.sudo()).dunning_returned_on}
        entries = self.filtered(
            lambda item: item.move_id.move_type == 'entry' and tells_return(item._get_dunning_entry_text()))
        for item, invoice in entries._get_dunning_named_invoices().items():
            returns[item] = (invoice.name, item.move_id.date, '')
        return returns

    def _get_dunning_entry_text(self):
        """Return what the bank or the bookkeeper wrote with an entry."""
        self.ensure_one()
        return '\n'.join(filter(None, dict.fromkeys((self.name, self.move_id.ref))))

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

        :param company: those of the creditor of this company (``res.company``) only; None: of all that the user sees
        :param debtors: those of these debtors (commercial partners) and their contacts only; None: of all
        """
        domain = self._get_dunning_due_domain() & Domain([
            ('parent_state', '=', 'posted'), ('reconciled', '=', False), ('amount_residual', '>', 0)])
        if company is not None:
            domain &= Domain('company_id', 'in', company._get_dunning_company_ids())
        if debtors is not None:
            domain &= Domain('partner_id.commercial_partner_id', 'in', debtors.ids)
        return domain

    @api.model
    def _get_dunning_due_before_domain(self, day):
        """Domain of the journal items that were to be paid before a day, see :meth:`_get_dunning_due_date`."""
        return Domain.custom(
            to_sql=lambda items, alias, _query: SQL(
                "%s < %s", items._get_dunning_due_date_sql(SQL.identifier(alias)), day),
            predicate=lambda item: item._get_dunning_due_date() < day)

    @api.model
    def _get_dunning_overdue_domain(self, company, at_date):
        """Domain of what is overdue on a day, whether it may be reminded or not."""
        return self._get_dunning_open_domain(company) & self._get_dunning_due_before_domain(at_date)

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
        """Return the accounts on which the debtors of a creditor owe, also those that are archived."""
        # sudo: all users get the same answer; an archived account can still have open items
        return self.env['account.account'].sudo().with_company(company).with_context(active_test=False).search([
            ('account_type', '=', RECEIVABLE), ('company_ids', 'in', company._get_dunning_companies().parent_ids.ids)])

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
    def _get_dunning_unreconciled_sql(self, line, company):
        """Return the SQL condition that a row of ``account_move_line`` is an open due item of a creditor, or a credit.

        The column tests are those of the index on unreconciled lines.
        """
        return SQL(
            "%(line)s.company_id IN %(companies)s AND %(line)s.parent_state = 'posted'"
            " AND %(line)s.reconciled IS NOT TRUE AND %(accounts)s",
            line=line, companies=company._get_dunning_company_ids(), accounts=self._get_dunning_due_sql(line),
            to_flush=[self._fields[name] for name in ('company_id', 'parent_state', 'reconciled', 'account_id')])

    @api.model
    def _get_dunning_rows_sql(self, company, wanted, items=None):
        """Return SQL of journal items of a creditor, with the ``debtor_id`` of each.

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
                    SELECT id FROM account_move_line WHERE id = ANY(%(items)s) AND company_id IN %(companies)s) asked
              JOIN account_move_line line ON line.id = asked.id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id""",
                source=source, wanted=wanted, items=list(items.ids),
                companies=company._get_dunning_company_ids())
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
                    WHERE line.company_id IN %(companies)s AND line.account_id = ANY(%(accounts)s)
                      AND (line.reconciled IS NOT TRUE OR EXISTS (
                              SELECT FROM account_partial_reconcile partial
                               WHERE line.id IN (partial.debit_move_id, partial.credit_move_id)
                                 AND partial.max_date > %(day)s))
                      AND %(wanted)s
                UNION
                   SELECT line.move_id FROM account_move_line line WHERE line.id = ANY(%(items)s)
                UNION
                   SELECT receipt.move_id FROM account_bank_statement_line receipt
                    WHERE receipt.company_id IN %(companies)s AND receipt.is_reconciled IS NOT TRUE)""",
            day=day, companies=company._get_dunning_company_ids(), accounts=list(account_ids), wanted=wanted,
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
        """Return the day by which an item was to be paid; so much later as the invoice was sent later than dated."""
        self.ensure_one()
        move = self.move_id.sudo()  # sudo: a due date is for whoever can read the item
        dated = move.invoice_date or move.date
        late = (move.dunning_sent_on - dated).days if move.dunning_sent_on and dated else 0
        return (self.date_maturity or self.date) + timedelta(days=max(0, late))

    @api.model
    def _get_dunning_with_partner_sql(self):
        """Return the SQL of all journal items ``line`` joined with their ``partner``, to be joined or selected from."""
        return SQL(
            "(account_move_line line JOIN res_partner partner ON partner.id = line.partner_id)",
            to_flush=self._fields['partner_id'])

    @api.model
    def _get_dunning_due_date_sql(self, line, move=None):
        """Return the SQL of the same day, of a row of ``account_move_line``, and of its ``move`` where it is joined."""
        fields = self.env['account.move']._fields
        late = SQL(
            "GREATEST(0, %(move)s.dunning_sent_on - COALESCE(%(move)s.invoice_date, %(move)s.date))",
            move=move or SQL.identifier('sent'),
            to_flush=[fields[name] for name in ('dunning_sent_on', 'invoice_date', 'date')])
        if not move:
            late = SQL("(SELECT %s FROM account_move sent WHERE sent.id = %s.move_id)", late, line)
        return SQL(
            "COALESCE(%(line)s.date_maturity, %(line)s.date) + %(late)s", line=line, late=late,
            to_flush=[self._fields['date_maturity'], self._fields['date'], self._fields['move_id']])

    @api.model
    def _get_dunning_facts_sql(self, item):
        """Return SQL of what a notice tells of the due item with the id ``item`` (SQL), as it is now: ``debtor_id``,
        ``number``, ``amount`` (as it was posted, in its currency) and ``due_date``.
        """
        return SQL(
            # The label of an entry was typed, and may be completed: it is no number.
            "SELECT partner.commercial_partner_id AS debtor_id, CASE WHEN move.move_type <> 'entry' THEN move.name END"
            " AS number, owed.amount_currency AS amount, %s AS due_date"
            " FROM account_move_line owed JOIN account_move move ON move.id = owed.move_id"
            " LEFT JOIN res_partner partner ON partner.id = owed.partner_id WHERE owed.id = %s",
            self._get_dunning_due_date_sql(SQL.identifier('owed')), item, to_flush=[
                *(self.env['account.move']._fields[name] for name in ('name', 'move_type')),
                self.env['res.partner']._fields['commercial_partner_id'],
                *(self._fields[name] for name in ('move_id', 'partner_id', 'amount_currency'))])

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
