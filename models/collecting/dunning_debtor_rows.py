"""What the statement behind the worklist is made of: from due items to one row per debtor, company and currency."""

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

# Who owes this much gets all points for the amount, in the currency of the company.
LARGE_DEBTOR = 10000


class DunningDebtorRows(models.AbstractModel):
    """SQL of what is owed, held and covered, which ``_get_rows_sql`` joins with what the priority comes from."""

    _name = 'dunning.debtor.rows'
    _description = "Debtor"

    def _get_companies(self):
        """Return the companies to show: of a user those he chose, of code that runs for everybody all of them."""
        if self.env.su and not self.env.context.get('allowed_company_ids'):
            return self.env['res.company'].search(Domain.TRUE)  # each company that is there
        return self.env.companies

    def _get_companies_sql(self):
        """Return SQL of the companies with their day and what the settings say, to be used as a table."""
        rows = SQL(", ").join(
            SQL("(%s, %s::date, %s, %s::int, %s::numeric, %s)", company.id, company._dunning_today(),
                company.currency_id.id, company.dunning_user_id.id or None, LARGE_DEBTOR,
                company.currency_id.decimal_places)
            # sudo: settings that count for every user of the worklist
            for company in self._get_companies().sudo())
        return SQL("(VALUES %s) AS company (id, today, currency_id, user_id, large, places)", rows)

    def _get_covers_sql(self):
        """Return SQL of who answers for whom today."""
        rows = [
            SQL("(%s, %s, %s)", company.id, absent, cover)
            for company in self._get_companies()
            for absent, cover in self.env['dunning.absence']._get_covers(company._dunning_today()).items()
        ]
        return SQL(
            "SELECT * FROM (VALUES %s) AS cover (company_id, absent_id, cover_id)",
            SQL(", ").join(rows or [SQL("(0, 0, 0)")]))

    def _get_scope_sql(self):
        """Return SQL that keeps the debtors (``partner``) whose rows are read."""
        partner_ids = self.env.context.get('dunning_debtor_partner_ids')
        if partner_ids is None:
            return SQL("TRUE")
        return SQL("partner.commercial_partner_id = ANY(%s)", list(partner_ids))

    def _get_open_lines_sql(self):
        """Return SQL that keeps the open due items (``line``) of these debtors."""
        return SQL(
            "%s AND %s", self.env['account.move.line']._get_dunning_open_sql(SQL.identifier('line')),
            self._get_scope_sql())

    def _get_per_company_sql(self, get_sql):
        """Return SQL of what ``get_sql(company)`` selects, of all companies, with the column ``company_id``."""
        return SQL(" UNION ALL ").join(
            SQL("(SELECT %s AS company_id, part.* FROM (%s) part)", company.id, get_sql(company))
            for company in self._get_companies())

    def _get_held_sql(self):
        Hold = self.env['dunning.hold']
        lines = self._get_open_lines_sql()
        return self._get_per_company_sql(lambda company: Hold._get_held_sql(
            company, company._dunning_today(), SQL("line.company_id = %s AND %s", company.id, lines)))

    def _get_credits_sql(self):
        """Return SQL of the open credits per company and debtor, as the planner knows them."""
        Planner = self.env['dunning.planner']
        partner_ids = self.env.context.get('dunning_debtor_partner_ids')
        partners = None if partner_ids is None else self.env['res.partner'].browse(partner_ids)

        def get_sql(company):
            return Planner._get_open_credits_sql(company, partners)

        return self._get_per_company_sql(get_sql)

    def _get_items_sql(self, columns, extra, wanted):
        """Return SQL of open due items.

        :param columns: SQL of what to select besides what every item has
        :param extra: SQL of joins to ``line`` and ``company``
        """
        return SQL(
            """
            SELECT line.id, line.company_id, line.debtor_id AS partner_id, line.currency_id,
                   company.today, company.places, line.due_date,
                   line.amount_residual_currency AS residual, line.amount_residual AS residual_company,
                   COALESCE(held.hold_amount, 0) AS held,
                   %(held_company)s AS held_company,
                   -- As in the planner: what could be asked for, and so what credits are set against.
                   %(countable)s AS countable%(columns)s
              FROM (%(open)s) line
              JOIN %(companies)s ON company.id = line.company_id
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN (%(held)s) held ON held.item_id = line.id
              %(extra)s
             -- What a difference in exchange rates left in one of the two currencies is nobody's to pay.
             WHERE line.amount_residual_currency > 0 AND %(wanted)s
            """,
            columns=columns, extra=extra, wanted=wanted,
            open=self.env['account.move.line']._get_dunning_open_rows_sql(self._get_scope_sql()),
            companies=self._get_companies_sql(),
            held_company=self.env['dunning.planner']._get_held_company_sql(
                SQL.identifier('line'), SQL.identifier('company', 'places')),
            countable=self.env['dunning.planner']._get_countable_sql(SQL.identifier('line'), SQL.identifier('move')),
            held=self._get_held_sql(),
        )

    def _get_debts_sql(self):
        """Return SQL of what is open per company, debtor and currency, before credits."""
        return SQL(
            """
            SELECT item.company_id, item.partner_id, item.currency_id,
                   COUNT(*) AS item_count,
                   COUNT(*) FILTER (WHERE overdue > 0) AS overdue_count,
                   SUM(residual) AS amount_open,
                   COALESCE(SUM(residual) FILTER (WHERE overdue > 0), 0) AS amount_overdue,
                   SUM(held) AS amount_held,
                   COALESCE(SUM(residual - held) FILTER (WHERE overdue > 0 AND countable), 0) AS amount_free,
                   SUM(residual_company) AS amount_open_company,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue > 0), 0) AS amount_overdue_company,
                   SUM(held_company) AS amount_held_company,
                   COALESCE(SUM(residual_company - held_company) FILTER (WHERE overdue > 0 AND countable), 0)
                       AS free_company,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue BETWEEN 1 AND 30), 0) AS bucket_1_30,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue BETWEEN 31 AND 60), 0) AS bucket_31_60,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue BETWEEN 61 AND 90), 0) AS bucket_61_90,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue > 90), 0) AS bucket_91,
                   MIN(due_date) AS oldest_due_date,
                   MAX(overdue) FILTER (WHERE countable AND held < residual) AS days_collectable,
                   MAX(level_rank) AS level_rank
              FROM (SELECT *, today - due_date AS overdue FROM (%(items)s) found) item
          GROUP BY item.company_id, item.partner_id, item.currency_id
            """,
            items=self._get_items_sql(
                SQL(", level.rank AS level_rank"),
                SQL("LEFT JOIN (%s) level ON level.id = move.dunning_level_id", self.env[
                    'dunning.level']._get_ranks_sql()),
                SQL("TRUE")))

    def _get_netted_sql(self):
        """Return SQL of what credits cover of what is overdue: the oldest items of a debtor first, as in the planner.

        Only debtors who have credits are looked at.
        """
        return SQL(
            """
            SELECT company_id, partner_id, currency_id, SUM(netted) AS netted_company,
                   SUM(ROUND(residual * netted / residual_company, decimal_places)) AS netted
              FROM (
                    SELECT item.*, currency.decimal_places,
                           %(covered)s AS netted
                      FROM (%(items)s) item
                      JOIN res_currency currency ON currency.id = item.currency_id
                     WHERE countable
                    WINDOW older AS (
                               PARTITION BY item.company_id, item.partner_id ORDER BY due_date, item.id
                               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                   ) covered
             WHERE due_date < today AND netted > 0
          GROUP BY company_id, partner_id, currency_id
            """,
            covered=self.env['dunning.planner']._get_covered_sql(
                SQL("residual_company - held_company"), SQL("credit"),
                SQL("SUM(residual_company - held_company) OVER older")),
            items=self._get_items_sql(
                SQL(", credit.amount AS credit"),
                SQL("""JOIN (%s) credit ON credit.company_id = line.company_id
                                       AND credit.partner_id = line.debtor_id""",
                    self._get_credits_sql()),
                SQL("credit.amount > 0")))

    def _get_disputes_sql(self):
        """Return SQL of what is disputed per company, debtor and currency: disputes nobody settled."""
        open_items = SQL("line.company_id = hold.company_id AND %s", self._get_open_lines_sql())
        return SQL(
            """
            SELECT company_id, partner_id, currency_id, SUM(LEAST(residual, whole + part)) AS dispute_amount
              FROM (
                    SELECT company_id, partner_id, currency_id, move_id, SUM(residual) AS residual,
                           COALESCE(SUM(residual) FILTER (WHERE whole), 0) AS whole,
                           -- A part of an invoice with instalments is one amount, though it reaches each of them.
                           SUM(item_part) + MAX(move_part) AS part
                      FROM (
                            SELECT company_id, partner_id, currency_id, move_id, item_id, residual,
                                   BOOL_OR(NOT is_part) AS whole,
                                   COALESCE(SUM(amount) FILTER (WHERE is_part AND NOT move_wide), 0) AS item_part,
                                   COALESCE(SUM(amount) FILTER (WHERE is_part AND move_wide), 0) AS move_part
                              FROM (%(reach)s) reach
                          GROUP BY company_id, partner_id, currency_id, move_id, item_id, residual) item
                  GROUP BY company_id, partner_id, currency_id, move_id) move
          GROUP BY company_id, partner_id, currency_id
            """,
            reach=self.env['dunning.hold']._get_disputed_sql(
                SQL("""hold.company_id, partner.commercial_partner_id AS partner_id, line.currency_id, line.move_id,
                       line.id AS item_id, line.amount_residual_currency AS residual, hold.amount,
                       COALESCE(hold.is_part, FALSE) AS is_part, wide.move_wide"""),
                open_items))

    def _get_rows_sql(self):
        """Return SQL of what the priority and the columns are made of."""
        return SQL(
            """
            SELECT joined.*,
                   -- Nobody is called before the day that was agreed; a promise broken since changes that.
                   agreed_waits AND broken_on IS NULL AS waits,
                   collectable_company > 0 AND NOT (agreed_waits AND broken_on IS NULL) AS counts,
                   LEAST(call_back_date, follow_up_date, broken_on, promise_end,
                         CASE WHEN NOT agreed_waits THEN call_notice_date END) AS next_date
              FROM (
            SELECT debt.*, company.today, company.large, company.currency_id AS company_currency_id,
                   COALESCE(netted.netted, 0) AS amount_credit,
                   debt.amount_free - COALESCE(netted.netted, 0) AS amount_collectable,
                   debt.free_company - COALESCE(netted.netted_company, 0) AS collectable_company,
                   COALESCE(dispute.dispute_amount, 0) AS dispute_amount,
                   behaviour.average_days_late, behaviour.trend_days,
                   COALESCE(waiting.call_notice_count, 0) AS call_notice_count, waiting.call_notice_date,
                   GREATEST(called.last_call, phoned.last_phone) AS last_call,
                   GREATEST(contact.last_notice, called.last_call) AS recent_contact,
                   CASE WHEN called.kind = 'call_back' THEN called.agreed_date END AS call_back_date,
                   CASE WHEN called.kind <> 'call_back' THEN called.agreed_date END AS follow_up_date,
                   COALESCE(called.agreed_date > company.today, FALSE) AS agreed_waits,
                   CASE WHEN called.agreed_date IS NOT NULL THEN called.call_id END AS call_id,
                   promise.promise_id, promise.promise_date, promise.promise_end, promise.promise_amount,
                   COALESCE(broken.broken_count, 0) AS broken_count,
                   CASE WHEN COALESCE(GREATEST(called.last_call, phoned.last_phone) < broken.last_broken, TRUE)
                         AND debt.free_company > COALESCE(netted.netted_company, 0)
                        THEN broken.last_broken END AS broken_on,
                   COALESCE(collector.id, company.user_id) AS user_id
              FROM (%(debts)s) debt
              JOIN %(companies)s ON company.id = debt.company_id
              JOIN res_partner partner ON partner.id = debt.partner_id
         LEFT JOIN res_users collector
                ON collector.id = (partner.dunning_user_id ->> debt.company_id::text)::int AND collector.active
         LEFT JOIN (%(netted)s) netted
                ON netted.company_id = debt.company_id AND netted.partner_id = debt.partner_id
               AND netted.currency_id = debt.currency_id
         LEFT JOIN (%(disputes)s) dispute
                ON dispute.company_id = debt.company_id AND dispute.partner_id = debt.partner_id
               AND dispute.currency_id = debt.currency_id
         LEFT JOIN (%(behaviour)s) behaviour
                ON behaviour.company_id = debt.company_id AND behaviour.partner_id = debt.partner_id
         LEFT JOIN (%(contacts)s) contact
                ON contact.company_id = debt.company_id AND contact.partner_id = debt.partner_id
         LEFT JOIN (%(calls)s) called
                ON called.company_id = debt.company_id AND called.partner_id = debt.partner_id
         LEFT JOIN (%(recorded)s) phoned
                ON phoned.company_id = debt.company_id AND phoned.partner_id = debt.partner_id
         LEFT JOIN (%(waiting)s) waiting
                ON waiting.company_id = debt.company_id AND waiting.partner_id = debt.partner_id
               AND waiting.currency_id = debt.currency_id
         LEFT JOIN (%(running)s) promise
                ON promise.company_id = debt.company_id AND promise.partner_id = debt.partner_id
               AND promise.currency_id = debt.currency_id
         LEFT JOIN (%(broken)s) broken
                ON broken.company_id = debt.company_id AND broken.partner_id = debt.partner_id) joined
            """,
            debts=self._get_debts_sql(), companies=self._get_companies_sql(), netted=self._get_netted_sql(),
            disputes=self._get_disputes_sql(), contacts=self._get_recent_contacts_sql(),
            calls=self._get_last_calls_sql(), recorded=self._get_recorded_calls_sql(),
            waiting=self.env['dunning.notice']._get_waiting_calls_sql(),
            running=self.env['dunning.promise']._get_running_sql(),
            broken=self.env['dunning.promise']._get_broken_sql(self._get_companies_sql()),
            behaviour=self.env['dunning.behaviour']._get_averages_sql(),
        )
