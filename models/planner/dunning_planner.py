"""The planner: what is due for which item on which day, or the first reason why not.

One SQL statement per company answers for any set of due items and any date. The
scheduled action, the send wizard, the "why (not)?" fields on invoices and
contacts and the dispatcher's last check all ask here; there is no second
implementation.

The statement is composed here; the parts of the planner give its fragments: the
reasons, the open items, the ladder, the turns of the messages, the reach of the
debtors, the gates and the scenario of another day or ladder. A part has no method
of another part.
"""

from collections import defaultdict
from datetime import date
from functools import partial
from itertools import islice
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.gc import disabling_gc

from ..ladder.dunning_level import RANK

# Answers that are read at a time.
READ_CHUNK = 2000
# Notices about the backlog that are proposed each day: as many as a person can look at.
BACKLOG_DAILY = 50


class Decision(NamedTuple):
    """The planner's answer for one due item (``account.move.line``) on one day.

    ``reason`` is False when the item is due at ``level_id``. Amounts without
    ``_company`` are in the item's own currency.
    """

    item_id: int
    move_id: int
    partner_id: int  # the debtor: the commercial partner
    recipient_id: int
    currency_id: int
    policy_id: int
    last_level_id: int
    last_date: date
    last_deadline: date
    level_id: int
    channel: str
    due_date: date
    level_date: date  # the day the next level is reached
    amount_residual: float
    amount_netted: float  # covered by open credits of the debtor
    amount_held: float  # the part that is on hold
    amount_company: float  # to pay, in the currency of the company
    group_amount_company: float  # to pay by the whole notice, in the currency of the company
    credit_company: float  # all open credits of the debtor
    backlog: bool
    reason: str
    next_date: date
    hold_reason_id: int  # of the hold that tells most about it, also when only a part is on hold
    hold_user_id: int
    hold_until: date  # its last day
    detour: str  # what the channel of the level lacks, see ``dunning_delivery.DETOURS``
    bounced_on: date  # the day on which a reminder came back from its e-mail address
    said: int  # what can be said in one message has the same number, see ``dunning.level._get_said``
    level_rank: int  # the higher the later on the ladder
    other_level_id: int  # of the message that this one waits for

    @property
    def message(self):
        """What the decisions of one notice have in common."""
        return (self.partner_id, self.currency_id, self.recipient_id, self.said)

    @property
    def amount_due(self):
        return self.amount_residual - self.amount_netted - self.amount_held


class ValueCache(dict):
    """The values that the text of PostgreSQL stands for: each is read once and shared by all cells with that text."""

    __slots__ = ('_read',)

    def __init__(self, read):
        super().__init__({'': None})
        self._read = read

    def __missing__(self, text):
        value = self[text] = self._read(text)
        return value


# How the values of a decision are read, by their type.
READERS = {int: int, float: float, str: str, bool: 't'.__eq__, date: date.fromisoformat}
# Hardly two items have the same value in these: sharing would only cost.
UNSHARED = {
    'item_id': int, 'move_id': int, 'amount_residual': lambda text: float(text) if text else None,
    'amount_company': lambda text: float(text) if text else None}
# The same as `Decision._make`, without a call per decision.
make_decision = partial(tuple.__new__, Decision)


class DunningPlanner(models.AbstractModel):
    _name = 'dunning.planner'
    _description = "Dunning Planner"
    _inherit = [
        'dunning.planner.reasons', 'dunning.planner.items', 'dunning.planner.ladder', 'dunning.planner.turns',
        'dunning.planner.reach', 'dunning.planner.gates', 'dunning.planner.scenario', 'dunning.planner.answer',
    ]

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _plan(
        self, company, at_date, *, items=None, partners=None, ignore=frozenset(), only_due=False, companions=False,
        scenario=None,
    ):
        """Judge due items of one company on one day.

        :param company: one ``res.company``
        :param date at_date: the day
        :param items: judge exactly these ``account.move.line`` records, open or not;
            None: every open receivable item of the company
        :param partners: restrict to these debtors (commercial partners), or None
        :param frozenset ignore: codes of reasons not to ask
        :param only_due: True: only return what is due; codes of reasons: and what waits for one of these
        :param bool companions: with ``items``: also return the claims that must be in the same 14-day letter
            (article 6:96 paragraph 7 BW)
        :param Scenario scenario: what differs from what is in the database, in this call only; or None
        :return: list of :class:`Decision`, in the order debtor, due date, item
        """
        company.ensure_one()
        at_date = fields.Date.to_date(at_date)
        if items is not None and not items:
            return []
        company._read_for_dunning()
        planner = self.with_company(company).with_context(
            dunning_at_date=at_date, dunning_company_id=company.id, dunning_impatient='waiting_delay' in ignore,
            # Asked by several parts of the statement, read once.
            dunning_receivable_ids=self.env['account.move.line']._get_dunning_receivables(company).ids,
            dunning_level_ids=self._read_level_ids(),
            dunning_policy_ids=self._read_policy_ids(company),
            # An object of this process, so no browser can send one.
            dunning_scenario=scenario)
        statement = planner._get_statement(company, at_date, items, partners, frozenset(ignore), only_due, companions)
        return self._read_decisions(statement)

    @api.model
    def _read_decisions(self, statement):
        """Return the rows of a statement, with the columns of :class:`Decision`, as decisions.

        Each row comes as one text. The driver keeps 16 bytes per cell until the last row was read, and makes a new
        object of every cell: with 100,000 items that was twice the memory and no faster. The values of a decision are
        numbers, dates and codes; none has a comma or a quote in it.
        """
        cr = self.env.cr
        statement = SQL("SELECT answer::text FROM (%s) answer", statement)
        self.env.flush_query(statement)
        cr.execute(statement)
        decisions = []
        # Nothing of this can be garbage; looking for it took a tenth of the time.
        with disabling_gc():
            while rows := cr.fetchmany(READ_CHUNK):
                values = {kind: ValueCache(read).__getitem__ for kind, read in READERS.items()}
                readers = [UNSHARED.get(name) or values[kind] for name, kind in Decision.__annotations__.items()]
                columns = zip(*(text[1:-1].split(',') for (text,) in rows), strict=True)
                cells = (map(read, column) for read, column in zip(readers, columns, strict=True))
                decisions.extend(map(make_decision, zip(*cells, strict=True)))
        return decisions

    def _at_date(self):
        return self.env.company._dunning_today()  # what `_plan` was asked for, else the clock

    # -------------------------------------------------------------------------
    # THE STATEMENT
    # -------------------------------------------------------------------------

    def _get_statement(self, company, at_date, items, partners, ignore, only_due, companions):
        item_reasons = self._get_reasons(code for code in self._item_reasons() if code not in ignore)
        all_notice_reasons = self._get_reasons(code for code in self._notice_reasons() if code not in ignore)
        notice_reasons = {code: reason for code, reason in all_notice_reasons.items() if not reason.late}
        late_reasons = {code: reason for code, reason in all_notice_reasons.items() if reason.late}
        wanted = SQL("TRUE") if items is None else SQL("decided.id = ANY(%s)", list(items.ids))
        if items is not None and companions:
            wanted = SQL("(%s OR accompanies)", wanted)
        if only_due:
            wanted = SQL(
                "%s AND (reason IS NULL OR reason = ANY(%s))", wanted, [] if only_due is True else list(only_due))
        statement = SQL(
            """
            WITH policy AS (%(policies)s),
            -- One look-up per type: each has an index of its own.
            contact AS (%(contacts)s),
            credit AS (%(credits)s),
            held AS (%(held)s),
            -- The same for all items at one place of the ladder: worked out here, once. 0: nothing was told yet.
            next_level AS (
                SELECT DISTINCT ON (last_level.id, level.policy_id, due.overdue, debtor.consumer)
                       last_level.id AS last_level_id, level.policy_id, due.overdue, debtor.consumer, level.id,
                       level.legal_role
                  FROM (SELECT 0 AS id, NULL::int AS sequence UNION ALL SELECT id, sequence FROM dunning_level)
                       last_level
                  JOIN dunning_level level
                    ON last_level.id = 0 OR (level.sequence, level.id) > (last_level.sequence, last_level.id)
            CROSS JOIN (VALUES (TRUE), (FALSE)) due (overdue)
            CROSS JOIN (VALUES (TRUE), (FALSE)) debtor (consumer)
                 WHERE level.active AND NOT (%(too_late)s AND due.overdue)
                   AND (debtor.consumer OR level.legal_role IS DISTINCT FROM 'fourteen_day')
              ORDER BY last_level.id, level.policy_id, due.overdue, debtor.consumer, level.sequence, level.id
            ),
            item AS (%(items)s),
            laddered AS (%(laddered)s),
            -- Kept apart: what was worked out travels through the sorts below, not what it was worked out from; and
            -- PostgreSQL, that would copy each expression into all that follow, plans this in less than half the time.
            judged AS MATERIALIZED (
                SELECT %(kept)s,
                       %(item_reason)s AS item_reason
                  FROM laddered
            ),
            joined AS (%(joined)s),
            reached AS (%(reached)s),
            -- Few debtors have a credit: theirs are sorted, not all.
            credited AS (
                SELECT id, SUM(amount_residual - amount_held) OVER (
                               PARTITION BY partner_id ORDER BY due_date, id
                               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS amount_up_to_here
                  FROM judged
                 WHERE countable AND credit_company > 0
            ),
            netted AS (
                SELECT reached.*,
                       CASE WHEN credited.id IS NULL THEN 0 ELSE
                           %(covered)s
                       END AS amount_netted
                  FROM reached
             LEFT JOIN credited ON credited.id = reached.id
            ),
            grouped AS (
                SELECT said.*,
                       SUM(amount_residual - amount_netted - amount_held) FILTER (WHERE asked_reason IS NULL) OVER (
                           PARTITION BY partner_id, asked_recipient_id, currency_id, said
                       ) AS group_amount
                  FROM (SELECT netted.*, %(said)s AS said,
                               asked_step.sequence::bigint * %(rank)s + asked_level_id AS asked_rank,
                               due_date < start_date AND last_level_id IS NULL AS backlog,
                               CASE asked_reason %(item_dates)s ELSE NULL END AS item_date
                          FROM netted
                     LEFT JOIN dunning_level asked_step ON asked_step.id = asked_level_id
                        OFFSET 0) said
            ),
            answered AS (
                SELECT grouped.*,
                       COALESCE(asked_reason, %(notice_reason)s) AS first_reason
                  FROM grouped
            ),
            decided AS (%(late)s)
            SELECT decided.id, move_id, partner_id, asked_recipient_id, currency_id, policy_id,
                   last_level_id, last_date, last_deadline, asked_level_id, asked_channel, due_date, level_date,
                   amount_residual_currency,
                   CASE WHEN amount_residual = 0 OR amount_netted = 0 THEN 0 ELSE ROUND(
                       amount_residual_currency * amount_netted / amount_residual,
                       (SELECT decimal_places FROM res_currency WHERE id = decided.currency_id)) END,
                   amount_held_currency,
                   amount_residual - amount_netted - amount_held,
                   group_amount, credit_company,
                   backlog,
                   reason,
                   CASE reason %(notice_dates)s ELSE item_date END,
                   hold_reason_id, hold_user_id, hold_until, detour, email_bounced_on,
                   said, asked_rank, other_level_id
              FROM (%(decided)s) decided
             WHERE %(wanted)s
          ORDER BY partner_id, due_date, decided.id
            """,
            too_late=self._get_too_late_sql(),
            policies=self._get_policies_sql(company, at_date),
            contacts=self._get_contact_persons_sql(company),
            credits=self._get_credits_sql(company, items, partners),
            held=self._get_held_sql(company, at_date, items, partners),
            items=self._get_items_sql(company, items, partners),
            laddered=self._get_laddered_sql(at_date),
            joined=self._get_joined_sql(at_date),
            reached=self._get_reached_sql(),
            decided=self._get_companions_sql(items) if companions and items is not None else SQL(
                "SELECT * FROM decided"),
            covered=self._get_covered_sql(
                SQL("amount_residual - amount_held"), SQL("credit_company"), SQL("amount_up_to_here")),
            kept=SQL(", ").join(SQL.identifier(name) for name in self._get_kept_columns()),
            item_reason=self._get_case(item_reasons),
            notice_reason=self._get_case(notice_reasons),
            said=self._get_said_sql(SQL("asked_channel"), SQL("asked_step.policy_id"), SQL.identifier('asked_step')),
            rank=RANK,
            late=self._get_late_sql(company, at_date, late_reasons),
            item_dates=self._get_next_dates(item_reasons),
            notice_dates=self._get_next_dates(all_notice_reasons),
            wanted=wanted,
        )
        return self._put_in_scenario(statement, company, items, partners)

    @api.model
    def _get_kept_columns(self):
        """Return the columns of an item that are asked for once it is known why it does not go out by itself.

        Each of them is copied for each item, several times. A reason about a notice adds what it looks at.
        """
        return [
            'id', 'move_id', 'partner_id', 'currency_id', 'due_date', 'amount_residual', 'amount_residual_currency',
            'amount_held', 'amount_held_currency', 'credit_company', 'countable', 'start_date', 'oldest_due_date',
            'debtor_term_agreed', 'debtor_email', 'debtor_bounced_on', 'debtor_phone', 'debtor_address',
            'dunning_contact_id', 'director_contact_id', 'recipient_id', 'policy_id', 'minimum_amount',
            'last_level_id', 'last_date', 'last_deadline', 'level_id', 'level_channel', 'level_legal_role',
            'level_date', 'fourteen_day_costs_from', 'hold_free_on', 'hold_reason_id', 'hold_user_id', 'hold_until',
        ]

    @staticmethod
    def _get_case(reasons):
        if not reasons:
            return SQL("NULL::varchar")
        whens = SQL(" ").join(SQL("WHEN %s THEN %s", reason.get_predicate(), code) for code, reason in reasons.items())
        return SQL("CASE %s ELSE NULL END", whens)

    @staticmethod
    def _get_next_dates(reasons):
        """Return the SQL of a CASE on a reason: the day on which it can change by itself."""
        return SQL(" ").join(
            SQL("WHEN %s THEN %s", code, reason.get_next_date()) for code, reason in reasons.items() if reason.next_date
        ) or SQL("WHEN '' THEN NULL::date")

    @staticmethod
    def _get_companions_sql(items):
        """Return SQL of the decided items that says which must be in the 14-day letter of one of ``items``."""
        return SQL(
            """SELECT decided.*,
                      reason IS NULL AND asked_legal_role = 'fourteen_day'
                      AND BOOL_OR(decided.id = ANY(%s) AND reason IS NULL AND asked_legal_role = 'fourteen_day') OVER (
                          PARTITION BY partner_id, currency_id, asked_level_id) AS accompanies
                 FROM decided""",
            list(items.ids))

    @api.model
    def _cap_backlog(self, company, at_date, decisions):
        """Group decisions by notice and leave out backlog above the daily number, the smallest amounts first.

        :return: (list of groups, number of groups left for another day)
        """
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        backlog = [group for group in groups.values() if any(decision.backlog for decision in group)]
        if not backlog:
            return list(groups.values()), 0
        used = self.env['dunning.notice'].search_count([
            ('company_id', '=', company.id), ('backlog', '=', True), ('date_planned', '=', at_date)])
        room = max(0, BACKLOG_DAILY - used)
        backlog.sort(key=lambda group: -sum(decision.amount_company for decision in group))
        postponed = {id(group) for group in islice(backlog, room, None)}
        return [group for group in groups.values() if id(group) not in postponed], len(postponed)
