"""The planner: what is due for which item on which day, or the first reason why not.

One SQL statement per creditor answers for any set of due items and any date. The
scheduled action, the send wizard, the "why (not)?" fields on invoices and
contacts and the dispatcher's last check all ask here; there is no second
implementation.

The statement is composed here, of the steps in :meth:`DunningPlanner._get_statement_parts`;
the parts of the planner give their rows: the reasons, the open items with their place
on the ladder, the messages and the gates. A part has no method of another part. What is
asked travels as one :class:`~.question.Question`. The tables belong to other packages,
which say what is open, told or on hold: each once, see :class:`~.question.Sources`.
"""

from collections import defaultdict
from datetime import date
from functools import partial
from itertools import islice
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.gc import disabling_gc

from ..kernel.sql import select_changed
from ..ladder.dunning_level import RANK

# Answers that are read at a time.
READ_CHUNK = 2000
# Notices about the backlog that are proposed each day: as many as a person can look at.
BACKLOG_DAILY = 50
# Reasons why an item is not to be paid, or not now; besides that it is left alone.
NOT_ASKED = frozenset({'bookkeeping', 'paid_back', 'discount_taken', 'payment_pending', 'direct_debit'})


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
    detour: str  # what the channel of the level lacks, see ``dunning.level``
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
# How PostgreSQL keeps some parts of the statement. What was worked out for an item travels through the sorts that
# follow, not what it was worked out from, and the statement is planned in less than half the time.
KEPT = {'level': SQL("NOT MATERIALIZED"), 'judged': SQL("MATERIALIZED")}
# The same as `Decision._make`, without a call per decision.
make_decision = partial(tuple.__new__, Decision)


class DunningPlanner(models.AbstractModel):
    _name = 'dunning.planner'
    _description = "Dunning Planner"
    _inherit = [
        'dunning.planner.reasons', 'dunning.planner.items', 'dunning.planner.turns', 'dunning.planner.gates',
        'dunning.planner.answer',
    ]

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _plan(
        self, company, at_date, *, items=None, partners=None, ignore=frozenset(), only_due=False, companions=False,
        past=None,
    ):
        """Judge due items of one creditor on one day.

        :param company: one ``res.company``; all companies of its creditor take part
        :param date at_date: the day
        :param items: judge exactly these ``account.move.line`` records, open or not;
            None: every open receivable item of the creditor
        :param partners: restrict to these debtors (commercial partners), or None
        :param frozenset ignore: codes of reasons not to ask
        :param only_due: True: only return what is due; codes of reasons: and what waits for one of these
        :param bool companions: with ``items``: also return the claims that must be in the same 14-day letter
            (article 6:96 paragraph 7 BW)
        :param Past past: what is read as it stood on an earlier day; None: all as it is
        :return: list of :class:`Decision`, in the order debtor, due date, item
        """
        company.ensure_one()
        if items is not None:
            if not items:
                return []
            items = items.sudo()  # sudo: as below
        # sudo: the answer is the same for whoever asks, also for who works for one branch; who shows it says to whom
        planner, ignore = self.sudo().with_company(company), frozenset(ignore)
        question = planner._ask(
            company, fields.Date.to_date(at_date), items=items, partners=partners, ignore=ignore, only_due=only_due,
            companions=companions and items is not None, past=past)
        question = question._replace(
            levels=planner._read_levels(), policies=planner._read_policies(company),
            item_reasons=planner._get_reasons(code for code in planner._item_reasons() if code not in ignore),
            notice_reasons=planner._get_reasons(code for code in planner._notice_reasons() if code not in ignore))
        return planner._read_decisions(planner._get_statement(
            question._replace(sources=planner._get_sources(question))))

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

    @api.model
    def _get_collectable(self, company, day, items, decisions=None):
        """Return ``{item: amount}`` of what the debtors can be asked for due items now, in the currency of each.

        What is open, less what is held and what credits cover; nothing of what is no debt, is being paid or will be
        collected by direct debit, or is left alone. Worklist, screen, promises and arrangements begin with it.

        :param dict decisions: the planner's answers by item id, where they are known already
        """
        if decisions is None:
            # sudo: as in :meth:`_get_reductions`
            decisions = {decision.item_id: decision for decision in self.sudo()._plan(company, day, items=items)}
        left_alone, debits = self._get_left_alone(company, day, items), self._get_debits(company, day, items)
        found = {}
        for item in items:
            decision, amount = decisions.get(item.id), item.amount_residual_currency
            if item in left_alone or item.id in debits or (decision and decision.reason in NOT_ASKED):
                amount = 0.0
            elif decision:
                amount = max(0.0, amount - decision.amount_held - decision.amount_netted)
            found[item] = item.currency_id.round(amount)
        return found

    # -------------------------------------------------------------------------
    # THE STATEMENT
    # -------------------------------------------------------------------------

    @api.model
    def _get_statement_parts(self):
        """Return the steps from the ledger to a decision: ``_get_<name>_sql(question)`` gives the rows of each.

        Each reads those before it by their names.
        """
        return [
            # What is known beforehand.
            'policy', 'level', 'next_level', 'contact', 'credit', 'named', 'held', 'effect',
            # Of one item: what it is, where it is on its ladder, why it does not go out by itself.
            'item', 'laddered', 'judged',
            # Which letter it joins, which channel reaches the addressee, what credits cover.
            'joined', 'reached', 'credited', 'netted',
            # Of all items that would share a notice: what they ask together, why not, and whose turn it is.
            'grouped', 'answered', 'decided',
        ]

    def _get_statement(self, question):
        wanted = SQL("TRUE") if question.items is None else SQL("decided.id = ANY(%s)", list(question.items.ids))
        if question.companions:
            wanted = SQL("(%s OR accompanies)", wanted)
        if question.only_due:
            wanted = SQL(
                "%s AND (reason IS NULL OR reason = ANY(%s))", wanted,
                [] if question.only_due is True else list(question.only_due))
        parts = [*self._get_past_parts(question), *(
            (name, KEPT.get(name, SQL()), getattr(self, f'_get_{name}_sql')(question))
            for name in self._get_statement_parts())]
        return SQL(
            """
            WITH %(parts)s
            SELECT decided.id, move_id, partner_id, asked_recipient_id, currency_id, policy_id,
                   last_level_id, last_date, last_deadline, asked_level_id, asked_channel, due_date, level_date,
                   amount_residual_currency,
                   %(netted)s,
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
            parts=SQL(", ").join(
                SQL("%s AS %s (%s)", SQL.identifier(name), kept, rows) for name, kept, rows in parts),
            netted=self._get_netted_currency_sql(SQL.identifier('decided')),
            notice_dates=self._get_next_dates(question, question.notice_reasons),
            decided=self._get_companions_sql(question.items) if question.companions else SQL("SELECT * FROM decided"),
            wanted=wanted,
        )

    def _get_judged_sql(self, question):
        """Return SQL of the items with the first reason why each does not go out by itself."""
        return SQL(
            "SELECT %(kept)s, %(reason)s AS item_reason FROM laddered",
            kept=SQL(", ").join(SQL.identifier(name) for name in self._get_kept_columns()),
            reason=self._get_case(question, question.item_reasons))

    def _get_credited_sql(self, question):
        # Few debtors have a credit: theirs are sorted, not all.
        return SQL(
            """
            SELECT id, SUM(%s) OVER (PARTITION BY partner_id ORDER BY due_date, id
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS amount_up_to_here
              FROM judged
             WHERE countable AND credit_company > 0
            """, self._get_unnamed_sql())

    def _get_netted_sql(self, question):
        """Return SQL that adds what credits cover of each item, in the currency of the company."""
        return SQL(
            """
            SELECT reached.*, CASE WHEN credited.id IS NULL THEN 0 ELSE %s END AS amount_netted
              FROM reached
         LEFT JOIN credited ON credited.id = reached.id
            """, self._get_covered_sql(SQL("amount_up_to_here")))

    def _get_grouped_sql(self, question):
        """Return SQL that adds what can be said in one message, and what it asks."""
        return SQL(
            """
            SELECT said.*,
                   SUM(amount_residual - amount_netted - amount_held) FILTER (WHERE asked_reason IS NULL) OVER (
                       PARTITION BY partner_id, asked_recipient_id, currency_id, said
                   ) AS group_amount
              FROM (SELECT netted.*, %(said)s AS said,
                           asked_level.sequence::bigint * %(rank)s + asked_level_id AS asked_rank,
                           due_date < start_date AND last_level_id IS NULL AS backlog,
                           CASE asked_reason %(item_dates)s ELSE NULL END AS item_date
                      FROM netted
                 LEFT JOIN level asked_level ON asked_level.id = asked_level_id
                    OFFSET 0) said
            """,
            said=question.sources.said,
            rank=RANK,
            item_dates=self._get_next_dates(question, question.item_reasons))

    def _get_answered_sql(self, question):
        """Return SQL that adds why an item does not go out with the others."""
        return SQL(
            "SELECT grouped.*, COALESCE(asked_reason, %s) AS first_reason FROM grouped",
            self._get_case(question, {
                code: reason for code, reason in question.notice_reasons.items() if not reason.late}))

    @api.model
    def _get_kept_columns(self):
        """Return the columns of an item that are asked for once it is known why it does not go out by itself.

        Each of them is copied for each item, several times. A reason about a notice adds what it looks at.
        """
        return [
            'id', 'move_id', 'partner_id', 'currency_id', 'due_date', 'amount_residual', 'amount_residual_currency',
            'amount_held', 'amount_held_currency', 'credit_company', 'credit_loose', 'amount_named', 'countable',
            'start_date', 'oldest_due_date',
            'debtor_term_agreed', 'debtor_email', 'debtor_bounced_on', 'debtor_phone', 'debtor_address',
            'dunning_contact_id', 'director_contact_id', 'recipient_id', 'policy_id', 'minimum_amount',
            'last_level_id', 'last_date', 'last_deadline', 'level_id', 'level_channel', 'level_legal_role',
            'level_date', 'default_from', 'costs_from', 'debit_on', 'hold_free_on', 'hold_reason_id', 'hold_user_id',
            'hold_until',
        ]

    @staticmethod
    def _get_case(question, reasons):
        if not reasons:
            return SQL("NULL::varchar")
        whens = SQL(" ").join(
            SQL("WHEN %s THEN %s", reason.get_predicate(question), code) for code, reason in reasons.items())
        return SQL("CASE %s ELSE NULL END", whens)

    @staticmethod
    def _get_next_dates(question, reasons):
        """Return the SQL of a CASE on a reason: the day on which it can change by itself."""
        return SQL(" ").join(
            SQL("WHEN %s THEN %s", code, reason.get_next_date(question))
            for code, reason in reasons.items() if reason.next_date
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

    # -------------------------------------------------------------------------
    # AS IT WAS
    # -------------------------------------------------------------------------

    def _get_past_parts(self, question):
        """Return [(table, how to keep it, SQL of its rows)] of the tables that are read as they stood on a past day.

        In PostgreSQL a ``WITH account_move_line AS (…)`` hides the real table from all that follows. So there is one
        statement for today and for the past, also for each reason that another addon adds, and nothing is written.
        """
        if not question.past:
            return []
        ledger, notices = question.past
        inline, kept = SQL("NOT MATERIALIZED"), SQL("MATERIALIZED")
        lines = self.env['account.move.line']._get_dunning_past_sql(
            question.company, question.receivable_ids, ledger, question.scope, question.items)
        rows = {
            'account.move.line': (kept, lines),
            'account.move': (inline, self._get_past_moves_sql(ledger)),
            'account.payment': (inline, SQL(
                "SELECT * FROM account_payment WHERE date <= %s", ledger,
                to_flush=self.env['account.payment']._fields['date'])),
            **{name: (inline, self.env[name]._get_past_sql(notices)) for name in (
                'dunning.notice.line', 'dunning.notice')},
        }
        return [(self.env[name]._table, how, rows) for name, (how, rows) in rows.items()]

    def _get_past_moves_sql(self, day):
        """Return SQL of the moves: that one is paid today says nothing of then; a payment that waited does."""
        return select_changed(self.env['account.move'], {
            'payment_state': SQL(
                """CASE WHEN account_move.payment_state = 'blocked' THEN 'blocked'
                        WHEN account_move.payment_state = 'in_payment' AND EXISTS (
                                 SELECT FROM account_move__account_payment rel
                                   JOIN account_payment payment ON payment.id = rel.payment_id
                                  WHERE rel.invoice_id = account_move.id AND payment.move_id IS NULL
                                    AND payment.date <= %s) THEN 'in_payment'
                        WHEN account_move.payment_state IS NULL THEN NULL
                        ELSE 'not_paid' END""",
                day, to_flush=self.env['account.payment']._fields['date']),
        })

    # -------------------------------------------------------------------------
    # A FEW A DAY
    # -------------------------------------------------------------------------

    @api.model
    def _cap_backlog(self, company, at_date, decisions, used=None):
        """Group decisions by notice and leave out backlog above the daily number, the smallest amounts first.

        :param int used: how much of the daily number was used; None: by the notices that were made for the day
        :return: (list of groups, number of groups left for another day)
        """
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        backlog = [group for group in groups.values() if any(decision.backlog for decision in group)]
        if not backlog:
            return list(groups.values()), 0
        if used is None:
            used = self.env['dunning.notice'].search_count([
                ('company_id', 'in', company._get_dunning_company_ids()), ('backlog', '=', True),
                ('date_planned', '=', at_date)])
        room = max(0, BACKLOG_DAILY - used)
        backlog.sort(key=lambda group: -sum(decision.amount_company for decision in group))
        postponed = {id(group) for group in islice(backlog, room, None)}
        return [group for group in groups.values() if id(group) not in postponed], len(postponed)
