"""What the statement behind the worklist is made of: from due items to one row per debtor, creditor and currency.

The priority of a row is a sum of points that explains itself. Each factor is one entry of ``_get_factors``: SQL of its
points and the sentence that explains them. Priority, points and sentences all come from there, so the sum always equals
what is explained. Another addon adds a factor by extending that method.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount

from ..kernel.formats import format_day

# Who owes this much gets all points for the amount, in the currency of the company.
LARGE_DEBTOR = 10000
# Days after which a contact is forgotten by the priority.
CONTACT_DAYS = 14


class Factor(NamedTuple):
    """One reason for a place in the worklist.

    :param points: SQL of a number of points, zero or more, over the columns of ``_get_rows_sql``
    :param sentence: function of one ``dunning.debtor`` with points for it, giving the sentence for a user
    """

    points: SQL
    sentence: Callable


class DunningDebtorRows(models.AbstractModel):
    """SQL of what is owed, held, covered and said, which ``_get_rows_sql`` joins, and the factors of the priority."""

    _name = 'dunning.debtor.rows'
    _description = "Debtor"

    def _get_companies(self):
        """Return one company of each creditor to show: of a user those he chose, of code that runs for everybody all.

        It stands for its creditor: what debtors of the user owe to the branches of others is in the sums.
        """
        if self.env.su and not self.env.context.get('allowed_company_ids'):
            return self.env['res.company'].search(Domain.TRUE)._filter_dunning_creditors()  # each that is there
        return self.env.companies._filter_dunning_creditors()

    def _get_companies_sql(self):
        """Return SQL of the companies with their day and what the settings say, to be used as a table."""
        rows = SQL(", ").join(
            SQL("(%s, %s, %s::date, %s, %s::int, %s::numeric, %s)", company.id, company.dunning_creditor_id.id,
                company._dunning_today(), company.currency_id.id,
                company._get_dunning_setting('dunning_user_id').id or None, LARGE_DEBTOR,
                company.currency_id.decimal_places)
            # sudo: settings that count for every user of the worklist
            for company in self._get_companies().sudo())
        return SQL("(VALUES %s) AS company (id, creditor_id, today, currency_id, user_id, large, places)", rows)

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
        """Return SQL of what ``get_sql(company)`` selects, of all creditors, with the column ``creditor_id``."""
        return SQL(" UNION ALL ").join(
            SQL("(SELECT %s AS creditor_id, part.* FROM (%s) part)", company.dunning_creditor_id.id, get_sql(company))
            for company in self._get_companies().sudo())  # sudo: only which creditor it is

    def _get_held_sql(self):
        Hold = self.env['dunning.hold']
        lines = self._get_open_lines_sql()
        return self._get_per_company_sql(lambda company: Hold._get_held_sql(
            company, company._dunning_today(), SQL(
                "line.company_id IN %s AND %s", company._get_dunning_company_ids(), lines)))

    def _ask_of_credits(self):
        """Return the planner's question about each company: what lies ready, and which items that is for."""
        partner_ids = self.env.context.get('dunning_debtor_partner_ids')
        partners = None if partner_ids is None else self.env['res.partner'].browse(partner_ids)
        return {
            # sudo: as of the planner, what lies ready is the same for whoever asks
            company: self.env['dunning.planner'].sudo()._ask(company, company._dunning_today(), partners=partners)
            for company in self._get_companies()}

    def _get_items_sql(self, columns, extra, wanted):
        """Return SQL of open due items.

        :param columns: SQL of what to select besides what every item has
        :param extra: SQL of joins to ``line`` and ``company``
        :param wanted: SQL condition on the item ``line`` and its ``partner``
        """
        return SQL(
            """
            SELECT line.id, company.creditor_id, line.debtor_id AS partner_id, line.currency_id,
                   company.today, company.places, %(due_date)s AS due_date,
                   line.amount_residual_currency AS residual, line.amount_residual AS residual_company,
                   COALESCE(held.hold_amount, 0) AS held,
                   %(held_company)s AS held_company, countable, collected%(columns)s
              FROM (%(open)s) line
              JOIN %(companies)s ON company.creditor_id = %(creditor)s
              JOIN account_move move ON move.id = line.move_id
                -- As in the planner: what could be asked for, and so what credits are set against. Fenced by its
                -- OFFSET: worked out once per item, not in each of the sums.
        CROSS JOIN LATERAL (SELECT %(countable)s AS countable, %(collected)s AS collected OFFSET 0) asked
         LEFT JOIN (%(held)s) held ON held.item_id = line.id
              %(extra)s
             -- What a difference in exchange rates left in one of the two currencies is nobody's to pay.
             WHERE line.amount_residual_currency > 0
            """,
            columns=columns, extra=extra,
            due_date=self.env['account.move.line']._get_dunning_due_date_sql(
                SQL.identifier('line'), SQL.identifier('move')),
            open=self.env['account.move.line']._get_dunning_open_rows_sql(
                SQL("%s AND %s", self._get_scope_sql(), wanted)),
            companies=self._get_companies_sql(),
            creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("line.company_id")),
            held_company=self.env['dunning.planner']._get_held_company_sql(
                SQL.identifier('line'), SQL.identifier('company', 'places')),
            countable=self.env['dunning.planner']._get_countable_sql(
                SQL.identifier('line'), SQL.identifier('move'), SQL("move.id"),
                self.env['account.move.line']._get_dunning_no_debt_sql(SQL("line.id"), SQL.identifier('move'))),
            held=self._get_held_sql(),
            collected=SQL("(%s OR %s)", self._get_collected_sql(), self._get_left_alone_sql()),
        )

    def _get_left_alone_sql(self):
        """Return the SQL condition that nobody asks for an item ``line``, as in the planner."""
        Planner, line = self.env['dunning.planner'], SQL.identifier('line')
        found = {
            company.dunning_creditor_id.id: Planner._get_left_alone_sql(line, company, company._dunning_today())
            for company in self._get_companies().sudo()}  # sudo: only which creditor it is
        if len(found) < 2:
            return next(iter(found.values()), SQL("FALSE"))
        return SQL("CASE company.creditor_id %s ELSE FALSE END", SQL(" ").join(
            SQL("WHEN %s THEN %s", creditor_id, left_alone) for creditor_id, left_alone in found.items()))

    def _get_collected_sql(self):
        """Return the SQL condition that an item ``line`` will be collected by direct debit."""
        Planner = self.env['dunning.planner']
        debits = [found for company in self._get_companies() if (found := Planner._get_debits_sql(
            company, company._dunning_today(), self._get_open_lines_sql()))]
        return SQL(
            "line.id IN (SELECT item_id FROM (%s) debit)", SQL(" UNION ALL ").join(debits)) if debits else SQL("FALSE")

    def _get_debts_sql(self):
        """Return SQL of what is open per creditor, debtor and currency, before credits."""
        return SQL(
            """
            SELECT item.creditor_id, item.partner_id, item.currency_id,
                   COUNT(*) AS item_count,
                   COUNT(*) FILTER (WHERE overdue > 0) AS overdue_count,
                   SUM(residual) AS amount_open,
                   COALESCE(SUM(residual) FILTER (WHERE overdue > 0), 0) AS amount_overdue,
                   SUM(held) AS amount_held,
                   COALESCE(SUM(residual - held) FILTER (WHERE overdue > 0 AND countable AND NOT collected), 0)
                       AS amount_free,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue > 0), 0) AS amount_overdue_company,
                   SUM(held_company) AS amount_held_company,
                   COALESCE(SUM(residual_company - held_company) FILTER (
                       WHERE overdue > 0 AND countable AND NOT collected), 0) AS free_company,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue BETWEEN 1 AND 30), 0) AS bucket_1_30,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue BETWEEN 31 AND 60), 0) AS bucket_31_60,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue BETWEEN 61 AND 90), 0) AS bucket_61_90,
                   COALESCE(SUM(residual_company) FILTER (WHERE overdue > 90), 0) AS bucket_91,
                   MIN(due_date) AS oldest_due_date,
                   MAX(overdue) FILTER (WHERE countable AND NOT collected AND held < residual) AS days_collectable,
                   MAX(level_rank) AS level_rank
              FROM (SELECT *, today - due_date AS overdue FROM (%(items)s) found) item
          GROUP BY item.creditor_id, item.partner_id, item.currency_id
            HAVING BOOL_OR(seen)
            """,
            # Whoever owes nothing to the companies of the user is not on the list.
            items=self._get_items_sql(
                SQL(", level.rank AS level_rank, %s AS seen", self._get_sees_sql(SQL("line.company_id"))),
                SQL("LEFT JOIN (%s) level ON level.id = move.dunning_level_id", self.env[
                    'dunning.level']._get_ranks_sql()),
                SQL("TRUE")))

    def _get_netted_sql(self):
        """Return SQL of what credits cover of what is overdue, as in the planner: what they name, then the oldest.

        Only debtors who have credits, or for whom money came in, are looked at.
        """
        questions, Planner = self._ask_of_credits(), self.env['dunning.planner']
        imputed = [question.imputed for question in questions.values()]
        return SQL(
            """
            SELECT creditor_id, partner_id, currency_id, SUM(netted) AS netted_company,
                   SUM(ROUND(residual * netted / residual_company, decimal_places)) AS netted
              FROM (
                    SELECT item.*, currency.decimal_places,
                           %(covered)s AS netted
                      FROM (SELECT found.*, residual_company AS amount_residual, held_company AS amount_held
                              FROM (%(items)s) found) item
                      JOIN res_currency currency ON currency.id = item.currency_id
                     WHERE countable
                    WINDOW older AS (
                               PARTITION BY item.creditor_id, item.partner_id ORDER BY due_date, item.id
                               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                   ) covered
             WHERE due_date < today AND netted > 0 AND NOT collected
          GROUP BY creditor_id, partner_id, currency_id
            """,
            covered=Planner._get_covered_sql(SQL("SUM(%s) OVER older", Planner._get_unnamed_sql())),
            items=self._get_items_sql(
                SQL(", COALESCE(credit.loose, 0) AS credit_loose, COALESCE(named.amount, 0) AS amount_named"),
                SQL(
                    """
                    LEFT JOIN (%s) credit ON credit.creditor_id = company.creditor_id
                                         AND credit.partner_id = line.debtor_id
                    LEFT JOIN (%s) named ON named.item_id = line.id
                    """,
                    self._get_per_company_sql(lambda company: Planner._get_credit_sql(questions[company])),
                    self._get_per_company_sql(lambda company: Planner._get_named_sql(questions[company]))),
                SQL("(partner.commercial_partner_id = ANY(%s) OR line.id = ANY(%s))",
                    [debtor_id for found in imputed for debtor_id in found.ready],
                    [item_id for found in imputed for item_id in found.covered])))

    def _get_disputes_sql(self):
        """Return SQL of what is disputed per creditor, debtor and currency: disputes nobody settled."""
        Company = self.env['res.company']
        open_items = SQL(
            "%s AND %s", Company._get_dunning_same_creditor_sql(SQL("line.company_id"), SQL("hold.company_id")),
            self._get_open_lines_sql())
        return SQL(
            """
            SELECT creditor_id, partner_id, currency_id, SUM(LEAST(residual, whole + part)) AS dispute_amount
              FROM (
                    SELECT creditor_id, partner_id, currency_id, move_id, SUM(residual) AS residual,
                           COALESCE(SUM(residual) FILTER (WHERE whole), 0) AS whole,
                           -- A part of an invoice with instalments is one amount, though it reaches each of them.
                           SUM(item_part) + MAX(move_part) AS part
                      FROM (
                            SELECT creditor_id, partner_id, currency_id, move_id, item_id, residual,
                                   BOOL_OR(NOT is_part) AS whole,
                                   COALESCE(SUM(amount) FILTER (WHERE is_part AND NOT move_wide), 0) AS item_part,
                                   COALESCE(SUM(amount) FILTER (WHERE is_part AND move_wide), 0) AS move_part
                              FROM (%(reach)s) reach
                          GROUP BY creditor_id, partner_id, currency_id, move_id, item_id, residual) item
                  GROUP BY creditor_id, partner_id, currency_id, move_id) move
          GROUP BY creditor_id, partner_id, currency_id
            """,
            reach=self.env['dunning.hold']._get_disputed_sql(
                SQL("""%s AS creditor_id, partner.commercial_partner_id AS partner_id, line.currency_id, line.move_id,
                       line.id AS item_id, line.amount_residual_currency AS residual, hold.amount,
                       COALESCE(hold.is_part, FALSE) AS is_part, wide.move_wide""",
                    Company._get_dunning_creditor_sql(SQL("hold.company_id"))),
                open_items))

    # -------------------------------------------------------------------------
    # WHAT WAS SAID
    # -------------------------------------------------------------------------

    def _get_contacts_of_debtor_sql(self):
        """Return SQL of the contacts with one ``debtor``: looked up for the rows that are shown only."""
        get_creditor = self.env['res.company']._get_dunning_creditor_sql
        notices = self.env['dunning.notice']._get_contact_rows_sql(SQL(
            "notice.partner_id = debtor.partner_id AND %s = debtor.creditor_id AND notice.date <= debtor.today",
            get_creditor(SQL("notice.company_id"))))
        return SQL(
            """
            SELECT date AS day, channel AS kind, id AS nr FROM (%s) notice
         UNION ALL
            SELECT called.date, 'phone', called.id
              FROM dunning_call called
             WHERE called.partner_id = debtor.partner_id AND %s = debtor.creditor_id
            """, notices, get_creditor(SQL("called.company_id")))

    def _get_recent_contacts_sql(self):
        """Return SQL of the last notice of the last days per creditor and debtor."""
        # With a constant, for the index.
        since = min(company._dunning_today() for company in self._get_companies()) - timedelta(days=CONTACT_DAYS)
        return SQL(
            """
            SELECT company.creditor_id, notice.partner_id, MAX(notice.date) AS last_notice
              FROM (%(notices)s) notice
              JOIN %(companies)s ON company.creditor_id = %(creditor)s
             WHERE notice.date >= company.today - %(days)s AND notice.date <= company.today
          GROUP BY company.creditor_id, notice.partner_id
            """,
            companies=self._get_companies_sql(), days=CONTACT_DAYS,
            creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("notice.company_id")),
            notices=self.env['dunning.notice']._get_contact_rows_sql(SQL("notice.date >= %s", since)))

    def _get_last_calls_sql(self):
        """Return SQL of the last call per creditor and debtor, and of what is to be done after it.

        Called again since means that what was agreed before was done. A promise looks after itself.
        """
        return SQL(
            """
            SELECT DISTINCT ON (partner_id, %(creditor)s) partner_id, %(creditor)s AS creditor_id, date AS last_call,
                   id AS call_id, kind,
                   CASE WHEN kind <> 'promise' THEN next_date END AS agreed_date
              FROM dunning_call
          -- As its index.
          ORDER BY partner_id, %(creditor)s, date_start DESC, id DESC
            """, creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("company_id")))

    def _get_recorded_calls_sql(self):
        """Return SQL of the last call of the ladder per creditor and debtor, also when it was not logged."""
        return SQL(
            "SELECT %(creditor)s AS creditor_id, partner_id, MAX(date) AS last_phone FROM (%(notices)s) notice"
            " GROUP BY %(creditor)s, partner_id",
            creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("company_id")),
            notices=self.env['dunning.notice']._get_contact_rows_sql(SQL("notice.channel = 'phone'")))

    # -------------------------------------------------------------------------
    # ALL OF IT
    # -------------------------------------------------------------------------

    def _get_sees_sql(self, company_id):
        """Return the SQL condition that the user works for a company; a row tells of all of a creditor."""
        if self.env.su or not self.env['res.company']._get_dunning_branches():
            return SQL("TRUE")
        return SQL("%s IN %s", company_id, tuple(self.env.companies.ids))

    def _get_opens_sql(self, model, record_id):
        """Return the SQL condition that the user may open a record (of a model, by the SQL of its id) of a row."""
        # Not `env.su`: core reads a row with all rights to see whether the user may, and that stays in memory.
        if self.env.uid == SUPERUSER_ID or not self.env['res.company']._get_dunning_branches():
            return SQL("TRUE")
        Model = self.env[model].with_user(self.env.user)
        return SQL("%s IN %s", record_id, Model._search(Domain.TRUE).subselect()) if Model.has_access('read') else (
            SQL("FALSE"))

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
            SELECT debt.*, company.id AS company_id, company.today, company.large,
                   company.currency_id AS company_currency_id,
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
                   CASE WHEN called.agreed_date IS NOT NULL AND %(opens_call)s THEN called.call_id END AS call_id,
                   CASE WHEN %(opens_promise)s THEN promise.promise_id END AS promise_id,
                   promise.promise_date, promise.promise_end, promise.promise_amount,
                   COALESCE(broken.broken_count, 0) AS broken_count,
                   CASE WHEN COALESCE(GREATEST(called.last_call, phoned.last_phone) < broken.last_broken, TRUE)
                         AND debt.free_company > COALESCE(netted.netted_company, 0)
                        THEN broken.last_broken END AS broken_on,
                   COALESCE(collector.id, company.user_id) AS user_id
              FROM (%(debts)s) debt
              JOIN %(companies)s ON company.creditor_id = debt.creditor_id
              JOIN res_partner partner ON partner.id = debt.partner_id
         LEFT JOIN res_users collector
                ON collector.id = (partner.dunning_user_id ->> debt.creditor_id::text)::int AND collector.active
         LEFT JOIN (%(netted)s) netted
                ON netted.creditor_id = debt.creditor_id AND netted.partner_id = debt.partner_id
               AND netted.currency_id = debt.currency_id
         LEFT JOIN (%(disputes)s) dispute
                ON dispute.creditor_id = debt.creditor_id AND dispute.partner_id = debt.partner_id
               AND dispute.currency_id = debt.currency_id
         LEFT JOIN (%(behaviour)s) behaviour
                ON behaviour.company_id = debt.creditor_id AND behaviour.partner_id = debt.partner_id
         LEFT JOIN (%(contacts)s) contact
                ON contact.creditor_id = debt.creditor_id AND contact.partner_id = debt.partner_id
         LEFT JOIN (%(calls)s) called
                ON called.creditor_id = debt.creditor_id AND called.partner_id = debt.partner_id
         LEFT JOIN (%(recorded)s) phoned
                ON phoned.creditor_id = debt.creditor_id AND phoned.partner_id = debt.partner_id
         LEFT JOIN (%(waiting)s) waiting
                ON waiting.company_id = debt.creditor_id AND waiting.partner_id = debt.partner_id
               AND waiting.currency_id = debt.currency_id
         LEFT JOIN (%(running)s) promise
                ON promise.company_id = debt.creditor_id AND promise.partner_id = debt.partner_id
               AND promise.currency_id = debt.currency_id
         LEFT JOIN (%(broken)s) broken
                ON broken.company_id = debt.creditor_id AND broken.partner_id = debt.partner_id) joined
            """,
            debts=self._get_debts_sql(), companies=self._get_companies_sql(), netted=self._get_netted_sql(),
            disputes=self._get_disputes_sql(), contacts=self._get_recent_contacts_sql(),
            calls=self._get_last_calls_sql(), recorded=self._get_recorded_calls_sql(),
            waiting=self.env['dunning.notice']._get_waiting_calls_sql(),
            running=self.env['dunning.promise']._get_running_sql(),
            opens_call=self._get_opens_sql('dunning.call', SQL("called.call_id")),
            opens_promise=self._get_opens_sql('dunning.promise', SQL("promise.promise_id")),
            broken=self.env['dunning.promise']._get_broken_sql(self._get_companies_sql()),
            behaviour=self.env['dunning.behaviour']._get_averages_sql(),
        )

    # -------------------------------------------------------------------------
    # THE PRIORITY
    # -------------------------------------------------------------------------

    @api.model
    def _get_factors(self):
        """Return ``{code: Factor}``, in the order in which they are explained when points are equal."""
        return {
            # Whoever agreed on a day to call, calls on that day.
            'call_back': Factor(
                SQL("CASE WHEN call_back_date <= today THEN 30 ELSE 0 END"),
                lambda debtor: self.env._("A call was agreed for %s", format_day(self.env, debtor.next_date))),
            'ladder': Factor(
                SQL("CASE WHEN call_notice_count > 0 AND NOT waits THEN 25 ELSE 0 END"),
                lambda debtor: self.env._("The ladder asks for a call")),
            # The first broken promise weighs most when nobody called since.
            'broken': Factor(
                SQL("""CASE WHEN NOT counts OR broken_count = 0 THEN 0
                            WHEN broken_on IS NOT NULL THEN LEAST(20 + 5 * (broken_count - 1), 35)
                            ELSE LEAST(5 * broken_count, 15) END"""),
                lambda debtor: (
                    self.env._("A promise to pay was broken") if debtor.broken_count == 1 else
                    self.env._("%s promises to pay were broken in a year", debtor.broken_count))),
            'amount': Factor(
                SQL("""CASE WHEN NOT counts THEN 0
                            WHEN collectable_company >= large THEN 30
                            WHEN collectable_company >= large * 0.5 THEN 25
                            WHEN collectable_company >= large * 0.25 THEN 20
                            WHEN collectable_company >= large * 0.1 THEN 15
                            WHEN collectable_company >= large * 0.025 THEN 10
                            ELSE 5 END"""),
                lambda debtor: self.env._(
                    "%s can be collected", format_amount(self.env, debtor.amount_collectable, debtor.currency_id))),
            'age': Factor(
                SQL("""CASE WHEN NOT counts THEN 0
                            WHEN days_collectable > 90 THEN 20
                            WHEN days_collectable > 60 THEN 15
                            WHEN days_collectable > 30 THEN 10
                            WHEN days_collectable > 14 THEN 6
                            ELSE 3 END"""),
                lambda debtor: (
                    self.env._("Overdue for one day") if debtor.days_collectable == 1 else
                    self.env._("Overdue for %s days", debtor.days_collectable))),
            'never_called': Factor(
                SQL("CASE WHEN counts AND days_collectable > 30 AND last_call IS NULL THEN 10 ELSE 0 END"),
                lambda debtor: self.env._("Nobody called yet")),
            # Whoever was called or written to a moment ago can wait.
            'rest': Factor(
                SQL("""CASE WHEN NOT counts OR recent_contact >= today - 3 THEN 0
                            WHEN recent_contact >= today - 7 THEN 5
                            WHEN recent_contact >= today - %s THEN 8
                            ELSE 10 END""", CONTACT_DAYS),
                lambda debtor: (
                    self.env._("The last contact was on %s", format_day(self.env, debtor.last_contact))
                    if debtor.last_contact else self.env._("There was no contact yet"))),
            'late': Factor(
                SQL("""CASE WHEN NOT counts THEN 0
                            WHEN average_days_late >= 30 THEN 10
                            WHEN average_days_late >= 14 THEN 5
                            ELSE 0 END"""),
                lambda debtor: self.env._("Pays %s days late on average", round(debtor.average_days_late))),
            'worse': Factor(
                SQL("CASE WHEN counts AND trend_days >= 5 THEN 5 ELSE 0 END"),
                lambda debtor: self.env._("Pays later than before")),
        }

    def _get_priority_lines(self):
        """Return ``{id: [(code, points, sentence)]}`` of the factors that gave points, most points first."""
        factors = self._get_factors()
        return {
            debtor.id: [
                (code, points, factors[code].sentence(debtor))
                for code, points in sorted(
                    ((code, (debtor.points or {}).get(code, 0)) for code in factors), key=lambda found: -found[1])
                if points
            ]
            for debtor in self
        }
