"""Prescription (verjaring): until which day a due item can be enforced, and why.

The rules, all of Book 3 BW unless said otherwise:

* A claim from a contract prescribes five years after the start of the day that follows the one on which it became due
  (article 307 paragraph 1); the price of goods that a consumer bought two years after it (article 7:28). That day is
  the due date of the item.
* Years are counted by the calendar: the last day has the number of the due date, and 28 February where there is no 29th
  (European Convention on the Calculation of Time-limits, Basel 1972, articles 3 and 4). That last day is still in time.
  A weekend does not prolong it (General Extension of Time Limits Act, article 4).
* It is interrupted by a written demand or notice in which the creditor unambiguously reserves the right to performance
  (article 317 paragraph 1), by recognition (article 318) and by an act of legal action such as a summons (article 316).
  A new term starts the next day: as long as the first, five years at most, and never ending before the old one would
  have (article 319). A judgment can be executed for twenty years (article 324).
* What was prescribed before the debtor was reached stays prescribed.

Doubt counts as the shorter term: then one interrupts too early, which costs a letter. Extensions such as those of
article 321, part payments (which may be a recognition) and the year of some other claims are left to a person.

Nothing of it is stored on journal items. One statement answers for any set of items; the chain of interruptions is
followed with window functions instead of one item at a time.
"""

from datetime import timedelta
from functools import cache
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL

from ...tools.law.dated_facts import POSTAL_DAYS, get_rows
from ..kernel.formats import format_day
from .dunning_prescription_warning import WARN_MONTHS

# Article 3:324 BW: a judgment can be executed for twenty years.
JUDGMENT_YEARS = 20
# Article 3:319 BW: the term that starts after an interruption is as long as the first, five years at most.
MAX_NEW_YEARS = 5
YEARS = 5
YEARS_CONSUMER_GOODS = 2
POSTAL_ROWS = get_rows(POSTAL_DAYS)


class Prescription(NamedTuple):
    """Until when one open due item can be enforced.

    :ivar int item_id: the ``account.move.line``
    :ivar date due_date: the day its first term runs from
    :ivar int years: length of its term
    :ivar str basis: why that length, see :meth:`DunningPrescription._get_basis_texts`
    :ivar date until: the last day that is still in time
    :ivar date first_until: what it would be without any interruption
    :ivar int times: interruptions that were in time
    :ivar int notice_id: the notice that decides ``until``, if one does
    :ivar int act_id: the ``dunning.interruption`` that does
    :ivar date act_date: its date
    :ivar int late_notice_id: the first notice that came too late, if any
    :ivar int late_act_id: the same of an act entered by hand
    :ivar date late_date: its date
    """

    item_id: int
    due_date: object
    years: int
    basis: str
    until: object
    first_until: object
    times: int
    notice_id: int
    act_id: int
    act_date: object
    late_notice_id: int
    late_act_id: int
    late_date: object


class DunningPrescription(models.AbstractModel):
    _name = 'dunning.prescription'
    _description = "Prescription of Claims"

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _get_for(self, items):
        """Return ``{account.move.line id: Prescription}`` of the open due items among ``items``, in one query."""
        if not items.ids:
            return {}
        wanted = SQL("line.id = ANY(%s)", list(items.ids))
        return {found.item_id: found for found in self._fetch(self._get_dates_sql(self._get_items_sql(wanted)))}

    @api.model
    def _get_before(self, company, day):
        """Return the :class:`Prescription` of the open due items of a creditor that are prescribed on ``day``."""
        dates = self._get_dates_sql(
            self._get_items_sql(SQL("line.company_id IN %s", company._get_dunning_company_ids()), before=day))
        return self._fetch(SQL("SELECT * FROM (%s) dated WHERE until < %s ORDER BY until, id", dates, day))

    def _fetch(self, statement):
        return [Prescription(*row) for row in self.env.execute_query(statement)]

    # -------------------------------------------------------------------------
    # THE STATEMENT
    # -------------------------------------------------------------------------

    @api.model
    def _get_items_sql(self, wanted, before=None):
        """Return SQL of open due items as :meth:`_get_dates_sql` wants them.

        :param SQL wanted: condition on the table ``line``
        :param date before: leave out what cannot be prescribed on that day, however its term is
        """
        old_enough = self._get_old_enough_sql(SQL.identifier('item'), before) if before else SQL("TRUE")
        # What prescribes, and when, is known of Dutch creditors only.
        wanted = SQL("%s AND %s", wanted, self.env['res.company']._get_dunning_law_sql(SQL("line.company_id")))
        return SQL(
            """
            SELECT id, move_id, company_id, debtor_id AS partner_id, due_date, debtor_type FROM (%s) item WHERE %s
            """,
            self.env['account.move.line']._get_dunning_open_rows_sql(wanted), old_enough)

    @api.model
    def _get_old_enough_sql(self, item, day):
        """Return SQL that is false for a row that cannot be prescribed on a day, however its term is."""
        return SQL(
            "%(item)s.due_date <= CASE %(item)s.debtor_type WHEN 'consumer' THEN %(goods)s::date"
            " ELSE %(other)s::date END",
            item=item, goods=day - relativedelta(years=YEARS_CONSUMER_GOODS), other=day - relativedelta(years=YEARS))

    @api.model
    def _get_dates_sql(self, items, at_date=None):
        """Return SQL with the columns of :class:`Prescription` for each row of ``items``.

        :param SQL items: a SELECT with the columns ``id``, ``move_id``, ``company_id``, ``partner_id`` (the debtor),
            ``due_date`` and ``debtor_type``
        :param date at_date: what interrupted it counts until this day; today if it is left out
        """
        return SQL(
            """
            WITH item AS (
                SELECT source.*, company.dunning_postal_days AS postal_days, basis.basis, term.years,
                       (source.due_date + MAKE_INTERVAL(years => term.years))::date AS first_until
                  FROM (%(items)s) source
                  JOIN account_move move ON move.id = source.move_id
                  JOIN res_company company ON company.id = source.company_id
             LEFT JOIN LATERAL (%(sold)s) sold ON TRUE
            CROSS JOIN LATERAL (
                       SELECT CASE
                           WHEN source.debtor_type <> 'consumer' THEN 'business'
                           WHEN move.dunning_claim_kind IS NOT NULL THEN 'chosen_' || move.dunning_claim_kind
                           WHEN sold.goods AND (sold.services OR sold.unknown) THEN 'goods_among'
                           WHEN sold.goods THEN 'goods'
                           WHEN sold.services AND NOT sold.unknown THEN 'services'
                           WHEN company.dunning_lines_without_product = 'services' THEN 'unknown_services'
                           ELSE 'unknown_goods'
                       END AS basis) basis
            CROSS JOIN LATERAL (
                       SELECT CASE WHEN basis.basis IN ('chosen_goods', 'goods', 'goods_among', 'unknown_goods')
                              THEN %(goods_years)s::int ELSE %(years)s::int END AS years) term
            ),
            act AS (%(acts)s),
            judged AS (
                SELECT act.*,
                       -- A judgment counts whatever happened before it.
                       GREATEST(first_until, MAX(until) FILTER (WHERE judgment) OVER (PARTITION BY item_id)) AS base
                  FROM act
            ),
            chained AS (
                SELECT judged.*,
                       NOT judgment AND reached > GREATEST(base, MAX(until) OVER (
                           PARTITION BY item_id ORDER BY reached, nr
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS broken
                  FROM judged
            ),
            -- What came after the chain broke is too late as well.
            weighed AS (
                SELECT chained.*,
                       NOT judgment AND BOOL_OR(broken) OVER (PARTITION BY item_id ORDER BY reached, nr) AS late
                  FROM chained
            ),
            outcome AS (
                SELECT item_id,
                       MAX(until) FILTER (WHERE NOT late) AS until,
                       COUNT(*) FILTER (WHERE NOT late) AS times,
                       (ARRAY_AGG(notice_id ORDER BY until DESC, reached DESC, nr) FILTER (WHERE NOT late))[1]
                           AS notice_id,
                       (ARRAY_AGG(act_id ORDER BY until DESC, reached DESC, nr) FILTER (WHERE NOT late))[1] AS act_id,
                       (ARRAY_AGG(date ORDER BY until DESC, reached DESC, nr) FILTER (WHERE NOT late))[1] AS date,
                       (ARRAY_AGG(notice_id ORDER BY reached, nr) FILTER (WHERE late))[1] AS late_notice_id,
                       (ARRAY_AGG(act_id ORDER BY reached, nr) FILTER (WHERE late))[1] AS late_act_id,
                       (ARRAY_AGG(date ORDER BY reached, nr) FILTER (WHERE late))[1] AS late_date
                  FROM weighed
              GROUP BY item_id
            )
            SELECT item.id, item.due_date, item.years, item.basis,
                   -- Article 319 paragraph 2: interrupting never shortens.
                   GREATEST(item.first_until, outcome.until) AS until, item.first_until,
                   COALESCE(outcome.times, 0) AS times,
                   outcome.notice_id, outcome.act_id, outcome.date,
                   outcome.late_notice_id, outcome.late_act_id, outcome.late_date
              FROM item
         LEFT JOIN outcome ON outcome.item_id = item.id
            """,
            items=items,
            acts=self._get_acts_sql(at_date or self.env.company._dunning_today()),
            years=YEARS,
            goods_years=YEARS_CONSUMER_GOODS,
            sold=self.env['account.move.line']._get_dunning_sold_sql(SQL(
                "sold.move_id = source.move_id AND source.debtor_type = 'consumer'"
                " AND move.dunning_claim_kind IS NULL")),
            to_flush=[
                self.env['account.move']._fields['dunning_claim_kind'],
                self.env['res.company']._fields['dunning_postal_days'],
                self.env['res.company']._fields['dunning_lines_without_product'],
            ])

    def _get_acts_sql(self, at_date):
        """Return SQL of what may have interrupted the prescription of the rows of ``item`` until a day.

        ``date`` is the day the new term runs from, ``reached`` the day the debtor had it: the first is the early, the
        second the late reading of when it happened, both to the creditor's disadvantage.
        """
        postal_days = self._get_postal_days_sql()
        act_columns = SQL(
            """act.id AS nr, NULL::int AS notice_id, act.id AS act_id, act.date, act.date AS reached,
               act.kind = 'judgment' AS judgment,
               (act.date + MAKE_INTERVAL(years => CASE act.kind WHEN 'judgment' THEN %s::int
                                                  ELSE LEAST(item.years, %s::int) END))::date AS until""",
            JUDGMENT_YEARS, MAX_NEW_YEARS)
        counts = SQL(
            "act.withdrawn_on IS NULL AND %s AND act.date <= %s",
            self.env['res.company']._get_dunning_same_creditor_sql(
                SQL("act.company_id"), SQL("item.company_id")), at_date)
        return SQL(
            """
            SELECT item.id AS item_id, item.first_until, told.notice_id AS nr, told.notice_id, NULL::int AS act_id,
                   told.sent_on AS date,
                   GREATEST(told.sent_on, COALESCE(
                       told.receipt_date,
                       CASE told.channel WHEN 'letter'
                            THEN COALESCE(told.posted_on, told.sent_on) + %(postal_days)s
                            END)) AS reached,
                   FALSE AS judgment,
                   (told.sent_on + MAKE_INTERVAL(years => LEAST(item.years, %(max_years)s::int)))::date AS until
              FROM item
              JOIN (%(told)s) told ON told.item_id = item.id
             UNION ALL
            SELECT item.id, item.first_until, %(act_columns)s
              FROM item
              JOIN dunning_interruption act ON act.scope = 'debtor' AND act.partner_id = item.partner_id AND %(counts)s
             UNION ALL
            SELECT item.id, item.first_until, %(act_columns)s
              FROM item
              JOIN dunning_interruption_move_rel covered ON covered.move_id = item.move_id
              JOIN dunning_interruption act ON act.id = covered.interruption_id AND act.partner_id = item.partner_id
                                           AND %(counts)s
             UNION ALL
            SELECT item.id, item.first_until, %(act_columns)s
              FROM item
              JOIN dunning_interruption_item_rel covered ON covered.item_id = item.id
              JOIN dunning_interruption act ON act.id = covered.interruption_id AND act.partner_id = item.partner_id
                                           AND %(counts)s
            """,
            act_columns=act_columns,
            counts=counts,
            told=self.env['dunning.notice.line']._get_told_sql(
                SQL("notice.interrupts_prescription AND notice.date <= %s", at_date)),
            postal_days=postal_days,
            max_years=MAX_NEW_YEARS,
            to_flush=[
                self.env['dunning.notice']._fields['interrupts_prescription'],
                *(self.env['dunning.interruption']._fields[name] for name in (
                    'withdrawn_on', 'company_id', 'date', 'kind', 'scope', 'partner_id', 'move_ids', 'item_ids')),
            ])

    @api.model
    def _get_postal_days_sql(self):
        """Return the SQL of :func:`get_postal_days` for a row of ``told`` and what the company of ``item`` chose."""
        first, *rows = POSTAL_ROWS
        return SQL(
            "GREATEST(item.postal_days, CASE %s ELSE %s::int END)",
            SQL(" ").join(
                SQL("WHEN COALESCE(told.posted_on, told.sent_on) >= %s THEN %s::int", fact.date_from, fact.value)
                for fact in reversed(rows)),
            first.value)

    @api.model
    def _get_before_sql(self, day, wanted):
        """Return SQL of the ids of open due items that are prescribed on ``day``."""
        return SQL(
            "SELECT dated.id FROM (%s) dated WHERE dated.until < %s",
            self._get_dates_sql(self._get_items_sql(wanted, before=day)), day)

    @api.model
    def _get_is_prescribed_sql(self, item, company, at_date):
        """Return SQL that is true when the row of the planner's table ``item`` is prescribed on ``at_date``.

        Only what is old enough is looked at any closer.
        """
        row = SQL(
            "SELECT %(item)s.id, %(item)s.move_id, %(company)s::int AS company_id, %(item)s.partner_id,"
            " %(item)s.due_date, %(item)s.debtor_type",
            item=item, company=company.id)
        return SQL(
            "(%s AND EXISTS (SELECT FROM (%s) dated WHERE dated.until < %s))",
            self._get_old_enough_sql(item, at_date), self._get_dates_sql(row, at_date), at_date)

    # -------------------------------------------------------------------------
    # EXPLAINING
    # -------------------------------------------------------------------------

    @api.model
    def _explain(self, prescriptions):
        """Return ``{account.move.line id: text}`` in the language of the environment.

        Such as “5 years after 3 Dec 2021; interrupted on 4 Mar 2024 by AM2024-00012, so until 4 Mar 2029.”
        """
        # sudo: only numbers and kinds of what was sent about a readable item
        notices = self.env['dunning.notice'].sudo().browse(
            {id_ for found in prescriptions for id_ in (found.notice_id, found.late_notice_id) if id_})
        acts = self.env['dunning.interruption'].sudo().browse(  # sudo: as above
            {id_ for found in prescriptions for id_ in (found.act_id, found.late_act_id) if id_})
        notice_names = {notice.id: notice.name for notice in notices}
        kinds = {act.id: act.kind for act in acts}
        act_names = {
            'recognition': self.env._("a recognition of the debt"),
            'written': self.env._("a written notice"),
            'summons': self.env._("a summons"),
            'judgment': self.env._("a judgment"),
        }
        basis_texts = self._get_basis_texts()

        def name(notice_id, act_id):
            return notice_names.get(notice_id) or act_names.get(kinds.get(act_id), '')

        @cache
        def fmt(day):
            return format_day(self.env, day)

        result = {}
        today = self.env.company._dunning_today()
        for found in prescriptions:
            parts = [self.env._("%(years)s years after %(due)s", years=found.years, due=fmt(found.due_date))]
            if basis_texts[found.basis]:
                parts[0] += f" ({basis_texts[found.basis]})"
            if found.until > found.first_until:
                parts.append(self._explain_interruption(found, kinds, name, fmt))
            if found.late_date:
                parts.append(self.env._(
                    "%(act)s of %(date)s came too late",
                    act=name(found.late_notice_id, found.late_act_id), date=fmt(found.late_date)))
            if found.until < today:
                parts.append(self.env._("prescribed since %s", fmt(found.until + timedelta(days=1))))
            result[found.item_id] = "; ".join(parts) + "."
        return result

    def _explain_interruption(self, found, kinds, name, fmt):
        words = {
            'date': fmt(found.act_date), 'until': fmt(found.until), 'count': found.times,
            'act': name(found.notice_id, found.act_id),
        }
        if kinds.get(found.act_id) == 'judgment':
            return self.env._("judgment of %(date)s, which can be executed until %(until)s", **words)
        if found.times > 1:
            return self.env._(
                "interrupted %(count)s times, last on %(date)s by %(act)s, so until %(until)s", **words)
        return self.env._("interrupted on %(date)s by %(act)s, so until %(until)s", **words)

    def _get_basis_texts(self):
        """Return why a term is as long as it is, by code; empty for the ordinary term."""
        return {
            'business': '',
            'chosen_goods': self.env._("goods sold to a consumer, as chosen on the invoice"),
            'chosen_services': self.env._("no goods, as chosen on the invoice"),
            'chosen_other': self.env._("no goods, as chosen on the invoice"),
            'goods': self.env._("goods sold to a consumer"),
            'goods_among': self.env._("goods sold to a consumer, among other things"),
            'services': self.env._("services to a consumer"),
            'unknown_services': self.env._("services to a consumer: that is what lines without product stand for"),
            'unknown_goods': self.env._(
                "a consumer, and it is not known whether goods were sold: the short term, to be safe"),
        }

    # -------------------------------------------------------------------------
    # WARNING
    # -------------------------------------------------------------------------

    @api.model
    def _warn_prescription(self, company, today):
        """Tell the collectors what prescribes within six and within three months, once each.

        One activity per debtor, on the invoice that prescribes first; when there are very many, the rest in one. What
        was interrupted, paid or written off since is taken off their lists.

        :return: the new ``mail.activity`` records
        """
        service = self.with_company(company).with_context(dunning_at_date=today)
        Warned = service.env['dunning.prescription.warning']
        # Months differ by three days at most: what lies six months after 28 February is the 28th or the 31st of August.
        horizon = today + relativedelta(months=max(WARN_MONTHS), days=4)
        close = [
            found for found in service._get_before(company, horizon)
            if found.until - relativedelta(months=max(WARN_MONTHS)) <= today]
        Warned._close(company, close)
        new = Warned._remember([found for found in close if found.until >= today], today)
        return Warned._schedule(company, new, today)
