"""The priority of a debtor on the worklist: a sum of points that explains itself.

Each factor is one method ``_priority_<code>`` that returns a :class:`Factor`: SQL of its points and the sentence that
explains them. Priority, points and sentences all come from there, so the sum always equals what is explained. Another
addon adds a factor with one method and one list entry.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, format_amount

from ..kernel.formats import format_day

# Days after which a contact is forgotten by the priority.
CONTACT_DAYS = 14


class Factor(NamedTuple):
    """One reason for a place in the worklist.

    :param points: SQL of a number of points, zero or more, over the columns of ``_get_rows_sql``
    :param sentence: function of one ``dunning.debtor`` with points for it, giving the sentence for a user
    """

    points: SQL
    sentence: Callable


class DunningDebtorPriority(models.AbstractModel):
    """The factors with the sentences that explain their points, and SQL of what was said and promised."""

    _name = 'dunning.debtor.priority'
    _description = "Debtor"

    @api.model
    def _priority_factors(self):
        """Return the codes of the factors, in the order in which they are explained when points are equal."""
        return ['call_back', 'ladder', 'broken', 'amount', 'age', 'never_called', 'rest', 'late', 'worse']

    @api.model
    def _get_factors(self):
        return {code: getattr(self, f'_priority_{code}')() for code in self._priority_factors()}

    def _priority_call_back(self):
        # Whoever agreed on a day to call, calls on that day.
        return Factor(
            SQL("CASE WHEN call_back_date <= today THEN 30 ELSE 0 END"),
            lambda debtor: self.env._("A call was agreed for %s", format_day(self.env, debtor.next_date)),
        )

    def _priority_ladder(self):
        return Factor(
            SQL("CASE WHEN call_notice_count > 0 AND NOT waits THEN 25 ELSE 0 END"),
            lambda debtor: self.env._("The ladder asks for a call"),
        )

    def _priority_broken(self):
        # The first broken promise weighs most when nobody called since.
        return Factor(
            SQL("""CASE WHEN NOT counts OR broken_count = 0 THEN 0
                        WHEN broken_on IS NOT NULL THEN LEAST(20 + 5 * (broken_count - 1), 35)
                        ELSE LEAST(5 * broken_count, 15) END"""),
            lambda debtor: (
                self.env._("A promise to pay was broken")
                if debtor.broken_count == 1 else
                self.env._("%s promises to pay were broken in a year", debtor.broken_count)),
        )

    def _priority_amount(self):
        return Factor(
            SQL("""CASE WHEN NOT counts THEN 0
                        WHEN collectable_company >= large THEN 30
                        WHEN collectable_company >= large * 0.5 THEN 25
                        WHEN collectable_company >= large * 0.25 THEN 20
                        WHEN collectable_company >= large * 0.1 THEN 15
                        WHEN collectable_company >= large * 0.025 THEN 10
                        ELSE 5 END"""),
            lambda debtor: self.env._("%s can be collected", format_amount(
                self.env, debtor.amount_collectable, debtor.currency_id)),
        )

    def _priority_age(self):
        return Factor(
            SQL("""CASE WHEN NOT counts THEN 0
                        WHEN days_collectable > 90 THEN 20
                        WHEN days_collectable > 60 THEN 15
                        WHEN days_collectable > 30 THEN 10
                        WHEN days_collectable > 14 THEN 6
                        ELSE 3 END"""),
            lambda debtor: (
                self.env._("Overdue for one day") if debtor.days_collectable == 1 else
                self.env._("Overdue for %s days", debtor.days_collectable)),
        )

    def _priority_never_called(self):
        return Factor(
            SQL("CASE WHEN counts AND days_collectable > 30 AND last_call IS NULL THEN 10 ELSE 0 END"),
            lambda debtor: self.env._("Nobody called yet"),
        )

    def _priority_rest(self):
        # Whoever was called or written to a moment ago can wait.
        return Factor(
            SQL("""CASE WHEN NOT counts OR recent_contact >= today - 3 THEN 0
                        WHEN recent_contact >= today - 7 THEN 5
                        WHEN recent_contact >= today - %s THEN 8
                        ELSE 10 END""", CONTACT_DAYS),
            lambda debtor: (
                self.env._("The last contact was on %s", format_day(self.env, debtor.last_contact))
                if debtor.last_contact else self.env._("There was no contact yet")),
        )

    def _priority_late(self):
        return Factor(
            SQL("""CASE WHEN NOT counts THEN 0
                        WHEN average_days_late >= 30 THEN 10
                        WHEN average_days_late >= 14 THEN 5
                        ELSE 0 END"""),
            lambda debtor: self.env._("Pays %s days late on average", round(debtor.average_days_late)),
        )

    def _priority_worse(self):
        return Factor(
            SQL("CASE WHEN counts AND trend_days >= 5 THEN 5 ELSE 0 END"),
            lambda debtor: self.env._("Pays later than before"),
        )

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

    # -------------------------------------------------------------------------
    # WHAT IT COMES FROM, BESIDES WHAT IS OWED
    # -------------------------------------------------------------------------

    def _get_contacts_of_debtor_sql(self):
        """Return SQL of the contacts with one ``debtor``: looked up for the rows that are shown only."""
        notices = self.env['dunning.notice']._get_contact_rows_sql(SQL(
            "notice.partner_id = debtor.partner_id AND notice.company_id = debtor.company_id"
            " AND notice.date <= debtor.today"))
        return SQL(
            """
            SELECT date AS day, channel AS kind, id AS nr FROM (%s) notice
         UNION ALL
            SELECT called.date, 'phone', called.id
              FROM dunning_call called
             WHERE called.partner_id = debtor.partner_id AND called.company_id = debtor.company_id
            """, notices)

    def _get_recent_contacts_sql(self):
        """Return SQL of the last notice of the last days per company and debtor."""
        # With a constant, for the index.
        since = min(company._dunning_today() for company in self._get_companies()) - timedelta(days=CONTACT_DAYS)
        return SQL(
            """
            SELECT notice.company_id, notice.partner_id, MAX(notice.date) AS last_notice
              FROM (%(notices)s) notice
              JOIN %(companies)s ON company.id = notice.company_id
             WHERE notice.date >= company.today - %(days)s AND notice.date <= company.today
          GROUP BY notice.company_id, notice.partner_id
            """,
            companies=self._get_companies_sql(), days=CONTACT_DAYS,
            notices=self.env['dunning.notice']._get_contact_rows_sql(SQL("notice.date >= %s", since)))

    def _get_last_calls_sql(self):
        """Return SQL of the last call per company and debtor, and of what is to be done after it.

        Called again since means that what was agreed before was done. A promise looks after itself.
        """
        return SQL(
            """
            SELECT DISTINCT ON (partner_id, company_id) partner_id, company_id, date AS last_call, id AS call_id, kind,
                   CASE WHEN kind <> 'promise' THEN next_date END AS agreed_date
              FROM dunning_call
          -- As its index.
          ORDER BY partner_id, company_id, date_start DESC, id DESC
            """)

    def _get_recorded_calls_sql(self):
        """Return SQL of the last call of the ladder per company and debtor, also when it was recorded without a log."""
        return SQL(
            "SELECT company_id, partner_id, MAX(date) AS last_phone FROM (%s) notice GROUP BY company_id, partner_id",
            self.env['dunning.notice']._get_contact_rows_sql(SQL("notice.channel = 'phone'")))
