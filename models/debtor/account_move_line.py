from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..kernel.dunning_field import AnswerInteger

#: The type of the accounts on which debtors owe.
RECEIVABLE = 'asset_receivable'


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
    def _get_dunning_due_date_sql(self, line):
        """Return the SQL of the same day, of a row of ``account_move_line``."""
        return SQL(
            "COALESCE(%(line)s.date_maturity, %(line)s.date)", line=line,
            to_flush=[self._fields['date_maturity'], self._fields['date']])
