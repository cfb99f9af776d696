"""The planner: what is due for which item on which day, or the first reason why not.

One SQL statement per company answers for any set of due items and any date. The
scheduled action, the send wizard, the "why (not)?" fields on invoices and
contacts and the dispatcher's last check all ask here; there is no second
implementation.

The statement is composed. Each reason is one method ``_reason_<code>`` returning
a :class:`Reason`: an SQL predicate over the columns of its stage, and the
sentence a user reads. The order of :meth:`_item_reasons` and
:meth:`_notice_reasons` is the order in which they are asked. Another addon adds
a reason with one method and one list entry.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, format_date
from odoo.tools.gc import disabling_gc

from ..ladder.dunning_level import RANK

# Answers that are read at a time.
READ_CHUNK = 2000


class Reason(NamedTuple):
    """Why an item does not go out.

    :param predicate: SQL that is true when the reason holds
    :param sentence: function of a :class:`Decision` giving the sentence for a user
    :param next_date: SQL of the day on which the answer can change by itself, or None
    """

    predicate: SQL
    sentence: Callable
    next_date: SQL | None = None


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


class Words(dict):
    """What the words of PostgreSQL mean: each is read once, and what it means is shared by all who say the same."""

    __slots__ = ('_read',)

    def __init__(self, read):
        super().__init__({'': None})
        self._read = read

    def __missing__(self, word):
        value = self[word] = self._read(word)
        return value


# How the values of a decision are read, by their type.
READERS = {int: int, float: float, str: str, bool: 't'.__eq__, date: date.fromisoformat}
# Hardly two items say the same in these: sharing would only cost.
UNSHARED = {
    'item_id': int, 'move_id': int, 'amount_residual': lambda word: float(word) if word else None,
    'amount_company': lambda word: float(word) if word else None}
# The same as `Decision._make`, without a call per decision.
make_decision = partial(tuple.__new__, Decision)
# Reasons that are only asked when it is known what would go out.
LATE_REASONS = frozenset({'one_message'})
# What a due item may have grown past between the proposal and the sending, without the notice being wrong.
RECHECK_IGNORED = frozenset({'pending', 'waiting_delay', 'waiting_deadline', 'finished', 'backlog'})
# What a person may decide to set aside when sending by hand.
# The term of the previous notice is not among them: it was promised.
IMPATIENT_IGNORED = frozenset({'waiting_delay', 'backlog', 'below_minimum', 'contact_budget'})


class DunningPlanner(models.AbstractModel):
    _name = 'dunning.planner'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # REASONS
    # -------------------------------------------------------------------------

    @api.model
    def _item_reasons(self):
        """Return the codes of the reasons that look at one item, the first to ask first."""
        return [
            'not_posted',
            'settled',
            'credit',
            'no_debtor',
            'payment_pending',
            'blocked',
            'no_followup',
            'hold',
            'hold_ended',
            'booked_extra',
            'prescribed',
            'no_policy',
            'wrong_policy',
            'not_sent',
            'pending',
            'finished',
            'not_due',
            'waiting_delay',
            'waiting_deadline',
            'open_dispute',
            'no_default',
            'needs_fourteen_day',
            'fourteen_day_running',
            'rates_stale',
            'backlog',
        ]

    @api.model
    def _gate_reasons(self):
        """Return the codes of the reasons that ask for patience only: what waits to be sent stays in the queue."""
        return frozenset({'rates_stale', 'one_message'})

    @api.model
    def _notice_reasons(self):
        """Return the codes of the reasons that look at all items that would share a notice."""
        return ['netted', 'below_minimum', 'no_address', 'one_message']

    @api.model
    def _get_reasons(self, codes):
        return {code: getattr(self, f'_reason_{code}')() for code in codes}

    def _reason_not_posted(self):
        return Reason(
            SQL("parent_state IS DISTINCT FROM 'posted'"),
            lambda d: self.env._("The invoice is a draft or was cancelled."),
        )

    def _reason_settled(self):
        return Reason(
            # A difference in exchange rates can be left in one of the two currencies: nobody pays that.
            SQL("reconciled IS TRUE OR amount_residual = 0 OR amount_residual_currency = 0"),
            lambda d: self.env._("Nothing is owed any more: it was paid or credited."),
        )

    def _reason_credit(self):
        return Reason(
            SQL("amount_residual < 0"),
            lambda d: self.env._("This is a credit of the debtor, not a debt."),
        )

    def _reason_no_debtor(self):
        return Reason(
            SQL("partner_id IS NULL"),
            lambda d: self.env._("The item has no debtor. Set a partner on it."),
        )

    def _reason_payment_pending(self):
        # A payment without a journal entry changes the state of the invoice, not yet what is open on it.
        return Reason(
            SQL("payment_state IN ('in_payment', 'paid', 'reversed')"),
            lambda d: self.env._("A payment is registered and waits for the bank statement."),
        )

    def _reason_blocked(self):
        return Reason(
            SQL("payment_state = 'blocked'"),
            lambda d: self.env._("The payment of this invoice is blocked. Unblock it on the invoice to go on."),
        )

    def _reason_no_followup(self):
        return Reason(
            SQL("no_followup IS TRUE"),
            lambda d: self.env._("Marked “No Follow-Up”. Clear that mark to go on."),
        )

    def _reason_hold(self):
        return Reason(
            SQL("hold_active AND amount_held_currency >= amount_residual_currency"),
            lambda d: (
                self.env._(
                    "On hold until %(date)s: %(hold)s.", date=self._fmt_date(d.hold_until), hold=self._fmt_hold(d))
                if d.next_date else
                self.env._(
                    "On hold until somebody decides: %(hold)s. To be reviewed by %(date)s.",
                    date=self._fmt_date(d.hold_until), hold=self._fmt_hold(d))
            ),
            SQL("hold_free_on"),
        )

    def _reason_hold_ended(self):
        # Ending a hold never fires a letter at once.
        return Reason(
            SQL("amount_held_currency > 0 AND amount_held_currency >= amount_residual_currency"),
            lambda d: self.env._(
                "The hold ended on %(end)s: %(hold)s. Reminders go on from %(date)s.",
                end=self._fmt_date(d.hold_until), hold=self._fmt_hold(d), date=self._fmt_date(d.next_date)),
            SQL("hold_free_on"),
        )

    def _reason_open_dispute(self):
        # A level that is a task for a person hands the debtor over, or prepares it.
        return Reason(
            SQL("hold_disputed AND level_channel = 'task'"),
            lambda d: self.env._(
                "A dispute about it was not settled, so “%(level)s” has to wait. Say on the hold who is right.",
                level=self._fmt_level(d.level_id)),
        )

    def _reason_booked_extra(self):
        # Interest and costs that were booked are asked with the invoices they belong to, never on their own.
        return Reason(
            SQL("""claim_notice_id IS NOT NULL AND EXISTS (
                       SELECT FROM dunning_notice_line told
                         JOIN account_move_line owed ON owed.id = told.move_line_id
                        WHERE told.notice_id = claim_notice_id AND owed.reconciled IS NOT TRUE
                          AND told.drop_reason IS NULL)"""),
            lambda d: self.env._(
                "It books interest and costs that were claimed; they are asked together with their invoices."),
        )

    def _reason_prescribed(self):
        # What is left is a natural obligation: it must not be demanded as if it could be enforced.
        return Reason(
            self.env['dunning.prescription']._get_is_prescribed_sql(
                SQL.identifier('laddered'), self.env.company, self._at_date()),
            lambda d: self.env._(
                "The claim is prescribed, so it cannot be enforced any more. If something interrupted the "
                "prescription, enter that on the invoice; if no goods were sold to a consumer, say so under "
                "“Claim Is For”; else write it off."),
        )

    def _reason_no_policy(self):
        return Reason(
            SQL("policy_id IS NULL"),
            lambda d: self.env._("No dunning policy applies: choose one on the debtor or in the settings."),
        )

    def _reason_wrong_policy(self):
        return Reason(
            SQL(
                "policy_debtor_type NOT IN"
                " ('any', CASE debtor_type WHEN 'consumer' THEN 'consumer' ELSE 'business' END)"),
            lambda d: self.env._(
                "The policy “%(policy)s” is not meant for this kind of debtor (business or consumer). "
                "Choose another policy, or correct the debtor type on the contact.",
                policy=self.env['dunning.policy'].browse(d.policy_id).sudo().name,  # sudo: only its name
            ),
        )

    def _reason_not_sent(self):
        return Reason(
            SQL("require_invoice_sent AND move_type = 'out_invoice' AND is_move_sent IS NOT TRUE"),
            lambda d: self.env._("The invoice was never sent. Send it, or mark it as sent."),
        )

    def _reason_pending(self):
        return Reason(
            SQL("pending_line_id IS NOT NULL"),
            lambda d: self.env._("A notice about it already waits to be approved, sent or posted."),
        )

    def _reason_finished(self):
        return Reason(
            SQL("level_id IS NULL"),
            lambda d: (
                self.env._("The ladder is finished: all levels were sent. Decide what to do with this debtor.")
                if d.last_level_id else
                self.env._("The policy has no levels. Add at least one.")
            ),
        )

    def _reason_not_due(self):
        return Reason(
            SQL("due_date >= %s AND level_date > %s", self._at_date(), self._at_date()),
            lambda d: self.env._("Not due yet: it is to be paid by %s.", self._fmt_date(d.due_date)),
            SQL("level_date"),
        )

    def _reason_waiting_delay(self):
        return Reason(
            SQL("level_date > %s AND last_level_id IS NULL", self._at_date()),
            lambda d: self.env._(
                "Due since %(due)s; “%(level)s” follows on %(date)s.",
                due=self._fmt_date(d.due_date), level=self._fmt_level(d.level_id), date=self._fmt_date(d.level_date),
            ),
            SQL("level_date"),
        )

    def _reason_waiting_deadline(self):
        # Impatience shortens the days of grace after the deadline, never the term the debtor was promised.
        impatient = self.env.context.get('dunning_impatient')
        change = SQL("last_deadline + 1") if impatient else SQL("level_date")
        return Reason(
            SQL("%s > %s", change, self._at_date()),
            lambda d: self.env._(
                "The debtor has until %(deadline)s to react to “%(last)s”; “%(level)s” follows on %(date)s.",
                deadline=self._fmt_date(d.last_deadline), last=self._fmt_level(d.last_level_id),
                level=self._fmt_level(d.level_id), date=self._fmt_date(d.level_date),
            ),
            change,
        )

    def _reason_no_default(self):
        # Article 6:96 paragraph 6 BW: a 14-day letter before default (verzuim) has no effect.
        return Reason(
            SQL("level_legal_role = 'fourteen_day' AND NOT (%s)", self._get_in_default_sql(SQL.identifier('laddered'))),
            lambda d: self.env._(
                "“%(level)s” can only follow when the debtor is in default. The payment term was not agreed with him, "
                "so a notice of default must have been sent first and its term must have run out. Add such a level to "
                "the policy, or state on the contact that the term was agreed.",
                level=self._fmt_level(d.level_id)),
        )

    def _reason_needs_fourteen_day(self):
        # Whatever the ladder says: article 6:96 paragraphs 5 and 6 BW.
        return Reason(
            SQL("level_with_costs AND debtor_type = 'consumer' AND COALESCE(fourteen_day_letters, 0) = 0"
                " AND NOT fourteen_day_passed_over"),
            lambda d: self.env._(
                "“%(level)s” asks collection costs, and a consumer owes none before a 14-day letter has run out. No "
                "such letter was sent about this item: add that level to the policy, before this one.",
                level=self._fmt_level(d.level_id)),
        )

    def _reason_fourteen_day_running(self):
        return Reason(
            SQL("level_with_costs AND debtor_type = 'consumer' AND NOT fourteen_day_passed_over"
                " AND (fourteen_day_costs_from IS NULL OR fourteen_day_costs_from > %s)", self._at_date()),
            lambda d: (
                self.env._(
                    "The fourteen days of the 14-day letter have not run out; collection costs are owed from %s.",
                    self._fmt_date(d.next_date))
                if d.next_date else
                self.env._(
                    "It is not known yet when the 14-day letter was received: it has not left the mail queue, or its "
                    "paper copy was not posted. See that notice.")
            ),
            SQL("fourteen_day_costs_from"),
        )

    def _reason_rates_stale(self):
        at_date = self._at_date()
        Rate = self.env['dunning.interest.rate']
        stale = Rate._freshness(at_date)
        return Reason(
            SQL(
                "level_with_interest AND COALESCE(agreed_interest, 0) = 0"
                " AND CASE debtor_type WHEN 'consumer' THEN 'consumer' ELSE 'commercial' END = ANY(%s)",
                list(stale) or ['']),
            lambda d: self.env._(
                "“%(level)s” asks interest, and the statutory interest rate of this half-year was not confirmed. "
                "Confirm it under Configuration ‣ Statutory Interest.",
                level=self._fmt_level(d.level_id)),
        )

    def _reason_backlog(self):
        return Reason(
            SQL("oldest_due_date IS NOT NULL AND due_date < oldest_due_date AND last_level_id IS NULL"),
            lambda d: self.env._(
                "Already overdue for a long time when dunning was started (due %s). "
                "Send it by hand, or change the oldest due date in the settings.",
                self._fmt_date(d.due_date),
            ),
        )

    def _reason_netted(self):
        return Reason(
            SQL("amount_netted >= amount_residual - amount_held"),
            lambda d: self.env._(
                "Covered by open credit notes or payments of the debtor (%s). Reconcile them first.",
                self._fmt_company_amount(d.credit_company),
            ),
        )

    def _reason_below_minimum(self):
        return Reason(
            SQL("group_amount < minimum_amount"),
            lambda d: self.env._(
                "Together the due items are %(amount)s, below the minimum of the policy.",
                amount=self._fmt_company_amount(d.group_amount_company),
            ),
        )

    def _reason_no_address(self):
        """No channel that may be used reaches the recipient, nor the debtor himself."""
        return Reason(
            SQL("""CASE asked_channel
                     WHEN 'email' THEN NOT has_email
                     WHEN 'letter' THEN NOT has_address
                     WHEN 'both' THEN NOT (has_email OR has_address)
                     WHEN 'phone' THEN NOT has_phone
                     ELSE FALSE
                   END"""),
            self._explain_unreachable,
        )

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _plan(
        self, company, at_date, *, items=None, partners=None, ignore=frozenset(), only_due=False, companions=False,
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
            dunning_receivable_ids=self._get_receivable_ids(company), dunning_level_ids=self._read_level_ids(),
            dunning_policy_ids=self._read_policy_ids(company))
        statement = planner._get_statement(company, at_date, items, partners, frozenset(ignore), only_due, companions)
        return self._read_decisions(statement)

    @api.model
    def _read_decisions(self, statement):
        """Return the rows of a statement, with the columns of :class:`Decision`, as decisions.

        Each row comes as one text. The driver keeps 16 bytes per cell until the last row was read, and makes a new
        object of every cell: with 100,000 items that was twice the memory and no faster. The words of a decision are
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
                words = {kind: Words(read).__getitem__ for kind, read in READERS.items()}
                readers = [UNSHARED.get(name) or words[kind] for name, kind in Decision.__annotations__.items()]
                columns = zip(*(text[1:-1].split(',') for (text,) in rows), strict=True)
                values = (map(read, column) for read, column in zip(readers, columns, strict=True))
                decisions.extend(map(make_decision, zip(*values, strict=True)))
        return decisions

    @api.model
    def _explain(self, decision, company):
        """Return the sentence for a decision, in the language of the environment."""
        planner = self.with_context(dunning_company_id=company.id)
        if not decision.reason:
            currency = planner.env['res.currency'].browse(decision.currency_id)
            level = planner._fmt_level(decision.level_id)
            amount = format_amount(planner.env, decision.amount_due, currency)
            if decision.amount_held:
                return planner.env._(
                    "Due: “%(level)s” goes out for %(amount)s. On hold and not asked now: %(held)s, %(hold)s.",
                    level=level, amount=amount, held=format_amount(planner.env, decision.amount_held, currency),
                    hold=planner._fmt_hold(decision))
            return planner.env._("Due: “%(level)s” goes out for %(amount)s.", level=level, amount=amount)
        return getattr(planner, f'_reason_{decision.reason}')().sentence(decision)

    def _at_date(self):
        return self.env.company._dunning_today()  # what `_plan` was asked for, else the clock

    def _fmt_date(self, date):
        # Months as words: a date of digits breaks over two lines, and “03-04” is not the same day everywhere.
        return format_date(self.env, date, date_format='d MMM y') if date else ''

    def _fmt_level(self, level_id):
        return self.env['dunning.level'].browse(level_id).sudo().name or ''  # sudo: only its name

    def _fmt_hold(self, decision):
        # sudo: only names; reasons and owners are few, so this costs no query per item
        reason = self.env['dunning.hold.reason'].browse(decision.hold_reason_id).sudo()
        owner = self.env['res.users'].browse(decision.hold_user_id).sudo()  # sudo: as above
        return self.env._(
            "%(reason)s (%(owner)s)", reason=reason._get_name_in_sentence(), owner=owner.name or '')

    def _fmt_company_amount(self, amount):
        company = self.env['res.company'].browse(self.env.context.get('dunning_company_id') or self.env.company.id)
        return format_amount(self.env, amount or 0.0, company.currency_id)

    # -------------------------------------------------------------------------
    # THE STATEMENT
    # -------------------------------------------------------------------------

    def _get_statement(self, company, at_date, items, partners, ignore, only_due, companions):
        item_reasons = self._get_reasons(code for code in self._item_reasons() if code not in ignore)
        notice_reasons = self._get_reasons(
            code for code in self._notice_reasons() if code not in ignore and code not in LATE_REASONS)
        late_reasons = self._get_reasons(
            code for code in self._notice_reasons() if code not in ignore and code in LATE_REASONS)
        wanted = SQL("TRUE") if items is None else SQL("decided.id = ANY(%s)", list(items.ids))
        if items is not None and companions:
            wanted = SQL("(%s OR accompanies)", wanted)
        if only_due:
            wanted = SQL(
                "%s AND (reason IS NULL OR reason = ANY(%s))", wanted, [] if only_due is True else list(only_due))
        return SQL(
            """
            WITH policy AS (%(policies)s),
            -- One look-up per type: each has an index of its own.
            contact AS (
                SELECT commercial_partner_id, MIN(dunning_id) AS dunning_id, MIN(director_id) AS director_id
                  FROM (SELECT commercial_partner_id, company_id, id AS dunning_id, NULL::int AS director_id
                          FROM res_partner WHERE type = 'dunning' AND active
                     UNION ALL
                        SELECT commercial_partner_id, company_id, NULL, id
                          FROM res_partner WHERE type = 'director' AND active) person
                 WHERE company_id IS NULL OR company_id = ANY(%(company_ids)s)
              GROUP BY commercial_partner_id
            ),
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
                           GREATEST(0, LEAST(
                               amount_residual - amount_held,
                               credit_company - amount_up_to_here + amount_residual - amount_held))
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
            company_ids=list(company.parent_ids.ids),
            too_late=self._get_too_late_sql(),
            policies=self._get_policies_sql(company, at_date),
            credits=self._get_credits_sql(company, items, partners),
            held=self._get_held_sql(company, at_date, items, partners),
            items=self._get_items_sql(company, items, partners),
            laddered=self._get_laddered_sql(at_date),
            joined=self._get_joined_sql(at_date),
            reached=self._get_reached_sql(),
            decided=self._get_companions_sql(items) if companions and items is not None else SQL(
                "SELECT * FROM decided"),
            kept=SQL(", ").join(SQL.identifier(name) for name in self._get_kept_columns()),
            item_reason=self._get_case(item_reasons),
            notice_reason=self._get_case(notice_reasons),
            said=self._get_said_sql(SQL("asked_channel"), SQL("asked_step.policy_id"), SQL.identifier('asked_step')),
            rank=RANK,
            late=self._get_late_sql(company, at_date, late_reasons),
            item_dates=self._get_next_dates(item_reasons),
            notice_dates=self._get_next_dates(notice_reasons | late_reasons),
            wanted=wanted,
        )

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
        whens = SQL(" ").join(SQL("WHEN %s THEN %s", reason.predicate, code) for code, reason in reasons.items())
        return SQL("CASE %s ELSE NULL END", whens)

    @api.model
    def _read_policy_ids(self, company):
        # sudo: what a policy says holds for every user
        return self.env['dunning.policy'].sudo().search_fetch(
            Domain('company_id', 'in', [False, *company.parent_ids.ids]),
            ['debtor_type', 'minimum_amount', 'currency_id', 'require_invoice_sent', 'agreed_interest_percent']).ids

    def _get_policies(self):
        """Return the policies that can be used in the company; no query."""
        return self.env['dunning.policy'].sudo().browse(self.env.context['dunning_policy_ids'])  # sudo: as above

    @staticmethod
    def _get_next_dates(reasons):
        """Return the SQL of a CASE on a reason: the day on which it can change by itself."""
        return SQL(" ").join(
            SQL("WHEN %s THEN %s", code, reason.next_date) for code, reason in reasons.items() if reason.next_date
        ) or SQL("WHEN '' THEN NULL::date")

    def _get_policies_sql(self, company, at_date):
        """Return SQL of the usable policies with their minimum in the company's currency."""
        policies = self._get_policies()
        rows = SQL(", ").join(
            SQL("(%s, %s, %s, %s, %s)", policy.id, policy.debtor_type,
                self._get_policy_minimum(policy, company, at_date), policy.require_invoice_sent,
                policy.agreed_interest_percent)
            for policy in policies
        ) or SQL("(0, 'any', 0.0, FALSE, 0.0)")
        return SQL(
            "SELECT id::int, debtor_type::varchar, minimum_amount::numeric, require_invoice_sent::boolean,"
            "       agreed_interest::numeric"
            " FROM (VALUES %s) AS policy (id, debtor_type, minimum_amount, require_invoice_sent, agreed_interest)",
            rows)

    def _get_policy_minimum(self, policy, company, at_date):
        return policy._minimum_in(company, at_date)

    def _get_scope_sql(self, items, partners):
        """Return SQL that keeps the rows (aliases ``line``, ``partner``) of the debtors asked for."""
        clauses = []
        if partners is not None:
            clauses.append(SQL("partner.commercial_partner_id = ANY(%s)", list(partners.commercial_partner_id.ids)))
        if items is not None:
            # All items of the debtors concerned take part: they share his credits.
            clauses.append(SQL(
                """partner.commercial_partner_id = ANY(ARRAY(
                       SELECT DISTINCT asked_partner.commercial_partner_id
                         FROM account_move_line asked
                         JOIN res_partner asked_partner ON asked_partner.id = asked.partner_id
                        WHERE asked.id = ANY(%s)))""",
                list(items.ids)))
        return SQL(" AND ").join(clauses) or SQL("TRUE")

    def _get_open_lines_sql(self, company):
        """Return the conditions on ``line`` for open posted receivable items of the company.

        The column tests are those of the index on unreconciled lines.
        """
        return SQL(
            "line.company_id = %s AND line.parent_state = 'posted' AND line.reconciled IS NOT TRUE"
            " AND line.account_id = ANY(%s)",
            company.id, self.env.context['dunning_receivable_ids'])

    @api.model
    def _get_receivable_ids(self, company):
        # sudo: all users get the same answer; an archived account can still have open items
        return self.env['account.account'].sudo().with_company(company).with_context(active_test=False).search([
            ('account_type', '=', 'asset_receivable'), ('company_ids', 'in', company.parent_ids.ids)]).ids

    @api.model
    def _read_level_ids(self):
        # sudo: what a level says holds for every user
        return self.env['dunning.level'].sudo().search_fetch(
            Domain.TRUE, ['policy_id', 'legal_role', 'channel', 'fallback_channel', 'letter_intro', 'letter_closing'],
        ).ids

    def _get_levels(self):
        """Return the levels of all policies; no query."""
        return self.env['dunning.level'].sudo().browse(self.env.context['dunning_level_ids'])  # sudo: as above

    def _get_credits_sql(self, company, items, partners):
        """Return SQL of the open credits per debtor, in the currency of the company.

        Credits are unreconciled credit notes and payments, payments that have no
        journal entry (yet) because their journal has no outstanding account, and
        receipts on a bank statement that nobody matched yet.
        """
        return SQL(
            """
            SELECT partner_id, SUM(amount) AS amount FROM (
                SELECT partner.commercial_partner_id AS partner_id, -line.amount_residual AS amount
                  FROM account_move_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE %(open_lines)s AND line.amount_residual < 0 AND %(scope)s
             UNION ALL
                SELECT partner.commercial_partner_id, payment.amount_company_currency_signed
                  FROM account_payment payment
                  JOIN res_partner partner ON partner.id = payment.partner_id
                 WHERE payment.company_id = %(company)s AND payment.move_id IS NULL
                   AND payment.state = 'in_process'
                   AND payment.payment_type = 'inbound' AND payment.partner_type = 'customer'
                   AND NOT EXISTS (SELECT FROM account_move__account_payment rel WHERE rel.payment_id = payment.id)
                   AND %(scope)s
             UNION ALL
                SELECT partner.commercial_partner_id, -line.balance
                  FROM account_bank_statement_line receipt
                  JOIN account_journal journal ON journal.id = receipt.journal_id
                  JOIN account_move_line line ON line.move_id = receipt.move_id
                                             AND line.account_id = journal.suspense_account_id
                  JOIN res_partner partner ON partner.id = receipt.partner_id
                 WHERE receipt.company_id = %(company)s AND receipt.is_reconciled IS NOT TRUE
                   AND line.parent_state = 'posted' AND line.balance < 0 AND %(scope)s
            ) open_credit
            GROUP BY partner_id
            """,
            open_lines=self._get_open_lines_sql(company),
            scope=self._get_scope_sql(items, partners),
            company=company.id,
        )

    def _get_held_sql(self, company, at_date, items, partners):
        """Return SQL of the due items that are wholly or partly on hold, see ``dunning.hold``."""
        return self.env['dunning.hold']._get_held_sql(
            company, at_date,
            SQL("%s AND line.amount_residual > 0 AND %s",
                self._get_open_lines_sql(company), self._get_scope_sql(items, partners)))

    def _get_items_sql(self, company, items, partners):
        """Return SQL of the items with what is known of their move and debtor."""
        Partner = self.env['res.partner'].with_company(company)
        Line = self.env['account.move.line']
        Move = self.env['account.move']
        # The columns read below, named so that pending changes are written first.
        flushed = [
            *(Line._fields[name] for name in (
                'reconciled', 'amount_residual', 'amount_residual_currency', 'date_maturity', 'no_followup',
                'parent_state', 'partner_id', 'account_id', 'company_id', 'currency_id', 'date', 'balance')),
            *(Move._fields[name] for name in (
                'payment_state', 'is_move_sent', 'move_type', 'partner_id', 'dunning_policy_id',
                'dunning_notice_id')),
            *(Partner._fields[name] for name in (
                'commercial_partner_id', 'is_company', 'vat', 'company_registry', 'type', 'active', 'phone',
                'email_normalized', 'dunning_email_bounced_on', 'company_id', 'street', 'city', 'dunning_debtor_type',
                'dunning_policy_id', 'dunning_term_agreed')),
            *(self.env['dunning.notice.line']._fields[name] for name in (
                'move_line_id', 'level_id', 'status', 'date', 'deadline')),
            *(self.env['dunning.level']._fields[name] for name in (
                'policy_id', 'sequence', 'active', 'delay_days', 'delay_from', 'channel', 'legal_role',
                'with_interest', 'with_costs', 'recipient', 'fallback_channel')),
            *(self.env['dunning.notice']._fields[name] for name in (
                'legal_role', 'costs_from', 'receipt_date', 'date', 'date_planned', 'posted_on', 'state', 'channel',
                'partner_id', 'recipient_id', 'currency_id', 'level_id', 'company_id')),
            *(self.env['account.payment']._fields[name] for name in (
                'state', 'move_id', 'amount_company_currency_signed', 'partner_id', 'payment_type', 'partner_type',
                'company_id')),
            *(self.env['account.bank.statement.line']._fields[name] for name in ('is_reconciled', 'partner_id')),
        ]
        asked = SQL("%s AND line.amount_residual > 0", self._get_open_lines_sql(company))
        scope = self._get_scope_sql(items, partners)
        source, wanted = SQL("account_move_line line"), SQL("%s AND %s", asked, scope)
        if items is not None:
            # Two index look-ups instead of one look at everything that is open.
            source = SQL(
                """(SELECT line.id
                      FROM account_move_line line
                      JOIN res_partner partner ON partner.id = line.partner_id
                     WHERE %(wanted)s
                     UNION
                    SELECT line.id FROM account_move_line line
                     WHERE line.id = ANY(%(items)s) AND line.company_id = %(company)s) asked
              JOIN account_move_line line ON line.id = asked.id""",
                wanted=wanted, items=list(items.ids), company=company.id)
            wanted = SQL("TRUE")
        return SQL(
            """
            SELECT line.id, line.move_id, line.currency_id,
                   line.amount_residual, line.amount_residual_currency, line.reconciled, line.no_followup,
                   line.parent_state, COALESCE(line.date_maturity, line.date) AS due_date,
                   move.payment_state, move.is_move_sent, move.move_type,
                   debtor.id AS partner_id,
                   COALESCE(move.partner_id, partner.id, debtor.id) AS invoice_contact_id,
                   contact.dunning_id AS dunning_contact_id, contact.director_id AS director_contact_id,
                   COALESCE(debtor.dunning_debtor_type, CASE
                       WHEN debtor.is_company OR TRIM(debtor.vat, ' /-') <> ''
                         OR TRIM(debtor.company_registry, ' /-') <> ''
                       THEN 'business' ELSE 'consumer' END) AS debtor_type,
                   %(debtor_term)s AS debtor_term_agreed,
                   move.dunning_policy_id AS move_policy_id, move.dunning_notice_id AS claim_notice_id,
                   %(debtor_policy)s AS debtor_policy_id,
                   COALESCE(credit.amount, 0) AS credit_company,
                   %(start_date)s::date AS start_date,
                   %(oldest_due_date)s::date AS oldest_due_date,
                   %(debtor_email)s AS debtor_email, debtor.dunning_email_bounced_on AS debtor_bounced_on,
                   %(debtor_phone)s AS debtor_phone, %(debtor_address)s AS debtor_address
              FROM %(source)s
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN res_partner debtor ON debtor.id = partner.commercial_partner_id
         LEFT JOIN contact ON contact.commercial_partner_id = debtor.id
         LEFT JOIN credit ON credit.partner_id = debtor.id
             WHERE %(wanted)s
                   -- Fence: the kind of debtor and the due date are asked all over the statement.
            OFFSET 0
            """,
            debtor_policy=self._get_debtor_policy_sql(Partner),
            debtor_email=self._get_has_email_sql(SQL.identifier('debtor')),
            debtor_phone=self._get_has_phone_sql(SQL.identifier('debtor')),
            debtor_address=self._get_has_address_sql(SQL.identifier('debtor')),
            debtor_term=SQL(
                "CASE WHEN debtor.dunning_term_agreed IS NULL THEN NULL ELSE %s END",
                Partner._field_to_sql('debtor', 'dunning_term_agreed')),
            start_date=company.dunning_start_date or None,
            oldest_due_date=company.dunning_oldest_due_date or None,
            source=source,
            wanted=wanted,
            to_flush=flushed,
        )

    def _get_in_default_sql(self, item):
        """Return SQL that is true when a consumer is in default (verzuim) for ``item``, a table name.

        After an agreed term: without notice (article 6:83 under a BW). Else only when the term of a written notice of
        default has run out (article 6:82 BW); a 14-day letter whose term ran out is one as well.
        """
        return SQL(
            """%(item)s.due_date < %(at_date)s
               AND CASE WHEN COALESCE(%(item)s.debtor_term_agreed = 'yes', %(agreed)s) THEN TRUE ELSE EXISTS (
                       SELECT FROM dunning_notice_line told
                         JOIN dunning_notice notice ON notice.id = told.notice_id
                        WHERE told.move_line_id = %(item)s.id AND told.status = 'sent'
                          AND notice.legal_role IN ('default_notice', 'fourteen_day')
                          -- A term that was over before the debtor could read of it is none.
                          AND notice.receipt_date <= told.deadline
                          AND told.deadline < %(at_date)s) END""",
            item=item,
            at_date=self._at_date(),
            agreed=self.env.company.dunning_term_agreed_consumer,
        )

    def _get_joined_sql(self, at_date):
        """Return SQL that puts all claims on a consumer that can be claimed together into one 14-day letter.

        Article 6:96 paragraph 7 BW: one letter, and the principals are added up. An item joins when the debtor is in
        default for it and the letter does not cut short a term he was promised. What it asks is in the columns
        ``asked_…``; without a 14-day letter they are those of the item's own step.
        """
        if 'fourteen_day' not in self._get_levels().mapped('legal_role'):
            return SQL(
                "SELECT judged.*, item_reason AS asked_reason, level_id AS asked_level_id,"
                "       level_channel AS wanted_channel, recipient_id AS asked_recipient_id,"
                "       level_legal_role AS asked_legal_role FROM judged")
        return SQL(
            """
            SELECT gathered.*,
                   CASE WHEN joins THEN NULL ELSE item_reason END AS asked_reason,
                   CASE WHEN joins THEN letter_id ELSE level_id END AS asked_level_id,
                   CASE WHEN joins THEN letter_channel ELSE level_channel END AS wanted_channel,
                   CASE WHEN joins THEN letter_legal_role ELSE level_legal_role END AS asked_legal_role,
                   -- Contacts on invoices may differ; the letter is for the debtor.
                   CASE WHEN joins OR (item_reason IS NULL AND level_legal_role = 'fourteen_day')
                        THEN letter_recipient_id ELSE recipient_id END
                       AS asked_recipient_id
              FROM (
                    SELECT judged.*, letter.id AS letter_id, letter.channel AS letter_channel,
                           letter.legal_role AS letter_legal_role, %(letter_recipient)s AS letter_recipient_id,
                           -- An item that waits for this very letter joins like one that waits for another step.
                           CASE WHEN letter.id IS NULL OR (judged.level_id = letter.id AND item_reason IS NULL)
                                THEN FALSE
                                WHEN COALESCE(item_reason, 'waiting_delay')
                                     NOT IN ('waiting_delay', 'waiting_deadline')
                                THEN FALSE
                                ELSE NOT EXISTS (
                                         SELECT FROM dunning_level last_level
                                          WHERE last_level.id = last_level_id
                                            AND last_level.policy_id = letter.policy_id
                                            AND (last_level.sequence, last_level.id) >= (letter.sequence, letter.id))
                                 AND (last_deadline IS NULL OR last_deadline <= %(at_date)s + 14)
                                 AND (oldest_due_date IS NULL OR last_level_id IS NOT NULL
                                      OR due_date >= oldest_due_date)
                                 AND %(in_default)s
                           END AS joins
                      FROM judged
                           -- Grouped, not a window: few items are due for such a letter, and so only those are sorted.
                 LEFT JOIN (SELECT partner_id, policy_id, currency_id, MIN(level_id) AS level_id
                              FROM judged
                             WHERE item_reason IS NULL AND level_legal_role = 'fourteen_day'
                          GROUP BY partner_id, policy_id, currency_id) called
                        ON called.partner_id = judged.partner_id AND called.policy_id = judged.policy_id
                       AND called.currency_id = judged.currency_id
                 LEFT JOIN dunning_level letter ON letter.id = called.level_id
                   -- Fence: asked once per row, not once in each of the columns that it decides.
                    OFFSET 0) gathered
            """,
            at_date=at_date,
            letter_recipient=self._get_recipient_sql(
                SQL.identifier('letter'), SQL.identifier('judged'), SQL("judged.partner_id")),
            in_default=self._get_in_default_sql(SQL.identifier('judged')),
        )

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

    @staticmethod
    def _get_too_late_sql():
        """Return SQL that is true for a ``level`` before the due date: it makes no sense once an item is overdue."""
        return SQL("level.delay_from = 'due_date' AND level.delay_days < 0")

    def _get_debtor_policy_sql(self, Partner):
        """Return SQL of the own policy of ``debtor``; the ORM's expression only where something was chosen.

        It looks up the policy for each row, and few debtors have one of their own.
        """
        default = Partner._fields['dunning_policy_id'].get_company_dependent_fallback(Partner)
        return SQL(
            "CASE WHEN debtor.dunning_policy_id IS NULL THEN %s ELSE %s END",
            default.id or None, Partner._field_to_sql('debtor', 'dunning_policy_id'))

    def _get_laddered_sql(self, at_date):
        """Return SQL that adds to the items: policy, last level, next level, its day and its recipient."""
        def told(what, nothing):
            return SQL(
                """CASE WHEN next.with_costs AND item.debtor_type = 'consumer' THEN (
                            SELECT %s
                              FROM dunning_notice_line told
                              JOIN dunning_notice notice ON notice.id = told.notice_id
                             WHERE told.move_line_id = item.id AND told.status IN ('sent', 'skipped')
                               AND notice.legal_role = 'fourteen_day' AND notice.date <= %s) ELSE %s END""",
                what, at_date, nothing)

        return SQL(
            """
            SELECT item.*,
                   policy.id AS policy_id, policy.debtor_type AS policy_debtor_type,
                   policy.minimum_amount, policy.require_invoice_sent, policy.agreed_interest,
                   -- What holds reserve of the item, in its own currency and in that of the company.
                   COALESCE(held.hold_amount, 0) AS amount_held_currency,
                   CASE WHEN held.hold_amount > 0 THEN CASE
                       WHEN held.hold_amount >= item.amount_residual_currency THEN item.amount_residual
                       ELSE ROUND(item.amount_residual * held.hold_amount / item.amount_residual_currency, %(places)s)
                   END ELSE 0 END AS amount_held,
                   held.hold_active, held.hold_free_on, held.hold_reason_id, held.hold_user_id, held.hold_until,
                   held.hold_disputed,
                   pending.id AS pending_line_id,
                   last.level_id AS last_level_id, last.date AS last_date, last.deadline AS last_deadline,
                   next.id AS level_id, next.channel AS level_channel, next.legal_role AS level_legal_role,
                   next.with_interest AS level_with_interest, next.with_costs AS level_with_costs,
                   -- Each behind a CASE: looked up where it matters, which a join would do for every item.
                   %(letters)s AS fourteen_day_letters, %(costs_from)s AS fourteen_day_costs_from,
                   %(passed_over)s AS fourteen_day_passed_over,
                   -- A due date that was moved after the last notice counts as well: what is not due is not owed.
                   CASE WHEN next.delay_from = 'previous_deadline' AND last.deadline IS NOT NULL
                        THEN GREATEST(last.deadline + next.delay_days, last.deadline + 1, item.due_date + 1)
                        ELSE GREATEST(item.due_date + next.delay_days, last.deadline + 1)
                   END AS level_date,
                   %(recipient)s AS recipient_id,
                   -- Credits are set against what could be reminded, the oldest first.
                   item.parent_state = 'posted' AND item.amount_residual > 0 AND item.reconciled IS NOT TRUE
                       AND item.no_followup IS NOT TRUE
                       AND COALESCE(item.payment_state, '') NOT IN ('blocked', 'in_payment', 'paid', 'reversed')
                       AS countable
              FROM item
         LEFT JOIN held ON held.item_id = item.id
         LEFT JOIN policy ON policy.id = CASE
                       WHEN item.move_policy_id = ANY(%(policies)s) THEN item.move_policy_id
                       WHEN item.debtor_policy_id = ANY(%(policies)s) THEN item.debtor_policy_id
                       WHEN item.debtor_type = 'consumer' THEN %(consumer)s::int ELSE %(business)s::int END
         LEFT JOIN dunning_notice_line pending
                ON pending.move_line_id = item.id AND pending.status = 'pending'
         LEFT JOIN LATERAL (
                   SELECT done.level_id, done.date, done.deadline
                     FROM dunning_notice_line done
                    WHERE done.move_line_id = item.id AND done.status IN ('sent', 'skipped')
                      AND done.date <= %(at_date)s
                 ORDER BY done.date DESC, done.id DESC
                    LIMIT 1) last ON TRUE
         LEFT JOIN next_level
                ON next_level.last_level_id = COALESCE(last.level_id, 0)
               AND next_level.policy_id = policy.id AND next_level.overdue = (item.due_date < %(at_date)s)
               AND next_level.consumer = (item.debtor_type = 'consumer')
         LEFT JOIN dunning_level next
                ON next.id = CASE
                       WHEN last.level_id IS NULL THEN next_level.id
                       -- Of its own: a step that this item had out of turn, or that is taken once.
                       WHEN next_level.legal_role = 'fourteen_day' OR EXISTS (
                                SELECT FROM dunning_notice_line used
                                 WHERE used.move_line_id = item.id AND used.level_id = next_level.id
                                   AND used.status IN ('sent', 'skipped'))
                       THEN (
                              SELECT level.id
                                FROM dunning_level level
                                JOIN dunning_level last_level ON last_level.id = last.level_id
                               WHERE level.policy_id = policy.id AND level.active
                                 AND (level.sequence, level.id) > (last_level.sequence, last_level.id)
                                 AND NOT (%(too_late)s AND item.due_date < %(at_date)s)
                                 AND (level.legal_role IS DISTINCT FROM 'fourteen_day'
                                      -- For consumers, and once: a second one would announce the same costs again.
                                      OR (item.debtor_type = 'consumer' AND NOT EXISTS (
                                             SELECT FROM dunning_notice_line told
                                               JOIN dunning_notice notice ON notice.id = told.notice_id
                                              WHERE told.move_line_id = item.id AND told.status = 'sent'
                                                AND notice.legal_role = 'fourteen_day')))
                                 AND NOT EXISTS (
                                         SELECT FROM dunning_notice_line used
                                          WHERE used.move_line_id = item.id AND used.level_id = level.id
                                            AND used.status IN ('sent', 'skipped'))
                            ORDER BY level.sequence, level.id
                               LIMIT 1)
                       ELSE next_level.id END
                   -- Fence: what is worked out here is asked by many reasons, and worked out once.
            OFFSET 0
            """,
            letters=told(SQL("COUNT(*) FILTER (WHERE told.status = 'sent')"), SQL("0::bigint")),
            costs_from=told(SQL("MIN(notice.costs_from) FILTER (WHERE told.status = 'sent')"), SQL("NULL::date")),
            # There was nothing to announce: the ladder goes on without costs.
            passed_over=told(
                SQL("COALESCE(BOOL_AND(told.status = 'skipped'), FALSE)"), SQL("FALSE")),
            recipient=self._get_recipient_sql(
                SQL.identifier('next'), SQL.identifier('item'), SQL("item.invoice_contact_id")),
            too_late=self._get_too_late_sql(),
            business=self.env.company.dunning_policy_business_id.id or None,
            consumer=self.env.company.dunning_policy_consumer_id.id or None,
            policies=self._get_policies().ids,
            places=self.env.company.currency_id.decimal_places,
            at_date=at_date,
        )
