"""What lies ready for debtors, and the gate: nothing leaves while money may be on its way or the debtor heard enough.

Credits are set against items. Bank data that are too old, receipts nobody matched yet, online payments that are
pending, and the number of contacts per week are reasons of the planner like any
other: they are asked again at the moment of sending.
"""

import json
from datetime import timedelta
from functools import cache

from odoo import api, models
from odoo.tools import SQL

from ...tools.law.amounts import to_decimal
from ...tools.law.dutch_calendar import bank_holidays_of, first_day_within
from ..debtor.account_move import UNCERTAIN_STATES
from .dunning_planner_reasons import Reason
from .question import Question

# Bank days after the due date in which a direct debit has to be collected.
COLLECTION_DAYS = 5
# An online payment that stays pending for longer was given up (a bank transfer that never came).
TRANSACTION_DAYS = 7
CONTACT_DAYS = 7
# Less than what a sum in cash is rounded to.
ROUNDING = 0.05


class DunningPlannerGates(models.AbstractModel):
    _name = 'dunning.planner.gates'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # NETTING
    # -------------------------------------------------------------------------

    def _get_credit_sql(self, question):
        """Return SQL of what debtors have to their credit, in the currency of the company: ``partner_id``, ``amount``
        and ``loose``, what of it names no item.
        """
        if question.past:  # what they named then is not known
            return SQL(
                """
                SELECT debtor_id AS partner_id, SUM(balance) AS amount, SUM(balance) AS loose
                  FROM (%s) credit
                 WHERE debtor_id IS NOT NULL
              GROUP BY debtor_id
                """, question.credits)
        ready, taken = question.imputed.ready, question.imputed.taken
        return SQL(
            "SELECT * FROM UNNEST(%s::int[], %s::numeric[], %s::numeric[]) AS credit (partner_id, amount, loose)",
            list(ready), list(ready.values()),
            [amount - taken.get(debtor_id, 0) for debtor_id, amount in ready.items()])

    def _get_named_sql(self, question):
        """Return SQL of what money that names items covers of them: ``item_id``, ``amount`` (company currency)."""
        covered = question.imputed.covered
        return SQL(
            "SELECT * FROM UNNEST(%s::int[], %s::numeric[]) AS named (item_id, amount)",
            list(covered), list(covered.values()))

    @api.model
    def _get_reductions(self, company, day, items, *, blocking=None):
        """Return what is not asked of due items: ``{item id: amount}`` in their currency, covered by credits, held, or
        to be collected by direct debit.

        The same amounts as in the decisions about them, without the ladder. And the ids of those that are wholly held.

        :param SQL blocking: as of :meth:`_ask`
        """
        # sudo: the answer is the same for whoever asks, also for who works for one branch
        planner = self.sudo().with_company(company)
        question = planner._ask(company, day, items=items.sudo(), blocking=blocking)  # sudo: as above
        rows = planner.env.execute_query(planner._get_reductions_sql(question)) if items else ()
        return (
            {item_id: to_decimal(amount) for item_id, amount, _held in rows},
            frozenset(item_id for item_id, _amount, held in rows if held))

    @api.model
    def _get_left_alone(self, company, day, items):
        """Return those of these due items for which nobody asks the debtor; see :meth:`_get_left_alone_sql`."""
        line = SQL.identifier('line')
        found = {item_id for (item_id,) in self.env.execute_query(SQL(
            """
            SELECT line.id FROM (%s) line JOIN account_move move ON move.id = line.move_id WHERE %s
            """,
            self.env['account.move.line']._get_dunning_open_rows_sql(SQL("line.id = ANY(%s)", list(items.ids))),
            self._get_left_alone_sql(line, company, day)))} if items else ()
        return items.filtered(lambda item: item.id in found)

    @api.model
    def _get_left_alone_sql(self, line, company, day):
        """Return the SQL condition that nobody asks for an item, in no way, until a person did something about it.

        It is blocked or prescribed; or no notice about it ever left, and the invoice was not sent or the item is older
        than the oldest due date of the settings. What was asked once is asked on.

        :param line: SQL name of an open item with its ``due_date`` and ``debtor_type``; ``move`` is its entry
        """
        Move = self.env['account.move']
        return SQL(
            """COALESCE(move.payment_state = 'blocked' OR %(line)s.no_followup IS TRUE
                OR ((move.move_type = 'out_invoice' AND (
                         move.is_move_sent IS NOT TRUE OR move.dunning_sent_state = ANY(%(unsent)s))
                     OR %(line)s.due_date < %(oldest)s::date) AND NOT %(told)s)
                OR %(prescribed)s, FALSE)""",
            line=line, unsent=list(UNCERTAIN_STATES),
            oldest=self._get_own_sql(
                Question(company, day, companies=company._get_dunning_companies()), 'dunning_oldest_due_date', line),
            told=self.env['dunning.notice.line']._get_was_told_sql(SQL("%s.id", line)),
            prescribed=self.env['dunning.prescription']._get_is_prescribed_sql(line, company, day), to_flush=[
                Move._fields[name] for name in ('payment_state', 'move_type', 'is_move_sent', 'dunning_sent_state')])

    def _get_reductions_sql(self, question):
        line, item_ids = SQL.identifier('line'), list(question.items.ids)
        debits = self._get_debits_sql(question.company, question.day, SQL("line.id = ANY(%s)", item_ids))
        no_debt = self.env['account.move.line']._get_dunning_no_debt_sql(SQL("line.id"), SQL.identifier('move'))
        return SQL(
            """
            WITH item AS (
                SELECT line.id, line.currency_id, line.amount_residual, line.amount_residual_currency, line.debtor_id,
                       %(due_date)s AS due_date, COALESCE(held.hold_amount, 0) AS amount_held_currency,
                       %(held_company)s AS amount_held, COALESCE(credit.loose, 0) AS credit_loose,
                       COALESCE(named.amount, 0) AS amount_named, %(countable)s AS countable,
                       %(no_debt)s IS NULL AND NOT %(collected)s AS is_asked
                  FROM (%(lines)s) line
                  JOIN account_move move ON move.id = line.move_id
             LEFT JOIN (%(held)s) held ON held.item_id = line.id
             LEFT JOIN (%(credits)s) credit ON credit.partner_id = line.debtor_id
             LEFT JOIN (%(named)s) named ON named.item_id = line.id
            ),
            netted AS (
                SELECT item.*, CASE WHEN countable THEN %(covered)s ELSE 0 END AS amount_netted
                  FROM item
                WINDOW older AS (PARTITION BY debtor_id ORDER BY due_date, id
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            )
            SELECT id, CASE WHEN is_asked THEN %(netted)s + amount_held_currency ELSE amount_residual_currency END,
                   NOT is_asked OR (amount_residual_currency > 0 AND amount_held_currency >= amount_residual_currency)
              FROM netted WHERE id = ANY(%(items)s)
            """,
            lines=question.lines,
            due_date=question.due_date,
            held=self._get_held_sql(question),
            held_company=self._get_held_company_sql(line, self._get_places_sql(question.company)),
            credits=self._get_credit_sql(question),
            named=self._get_named_sql(question),
            countable=self._get_countable_sql(line, SQL.identifier('move'), SQL("move.id"), no_debt),
            no_debt=no_debt,
            collected=SQL("line.id IN (SELECT item_id FROM (%s) debit)", debits) if debits else SQL("FALSE"),
            covered=self._get_covered_sql(SQL("SUM(%s) FILTER (WHERE countable) OVER older", self._get_unnamed_sql())),
            netted=self._get_netted_currency_sql(SQL.identifier('netted')),
            items=item_ids,
            to_flush=self.env['account.move']._fields['payment_state'])

    @api.model
    def _get_countable_sql(self, line, move, move_id, no_debt):
        """Return SQL that is true when open credits are set against an item: it is open and could be asked for.

        :param SQL no_debt: why it is no debt, as of ``account.move.line._get_dunning_no_debt_sql``
        """
        return SQL(
            "(%(line)s.parent_state = 'posted' AND %(line)s.amount_residual > 0 AND %(line)s.reconciled IS NOT TRUE"
            " AND %(line)s.no_followup IS NOT TRUE"
            " AND COALESCE(%(move)s.payment_state, '') NOT IN ('blocked', 'reversed')"
            " AND (COALESCE(%(move)s.payment_state, '') NOT IN ('in_payment', 'paid') OR %(registered)s)"
            " AND %(no_debt)s IS NULL)",
            line=line, move=move, no_debt=no_debt,
            registered=self.env['account.move.line']._get_dunning_is_registered_sql(move_id))

    @staticmethod
    def _get_unnamed_sql():
        """Return SQL of what is open on an item, not on hold, and not covered by money that names it."""
        return SQL("GREATEST(0, amount_residual - amount_held - amount_named)")

    @classmethod
    def _get_covered_sql(cls, so_far):
        """Return SQL of what credits cover of an item: what names it, and what is left of the rest for it.

        :param so_far: SQL of what is unnamed of this item and the older ones together
        """
        return SQL(
            "LEAST(amount_residual - amount_held, amount_named)"
            " + GREATEST(0, LEAST(%(unnamed)s, credit_loose - %(so_far)s + %(unnamed)s))",
            unnamed=cls._get_unnamed_sql(), so_far=so_far)

    def _get_held_sql(self, question):
        """Return SQL of the due items that are wholly or partly on hold, see ``dunning.hold``."""
        return question.held

    @staticmethod
    def _get_netted_currency_sql(row):
        """Return SQL of what credits cover of an item in its own currency.

        :param row: SQL name of a row with ``amount_netted`` in the currency of the company
        """
        return SQL(
            """CASE WHEN %(row)s.amount_residual = 0 OR %(row)s.amount_netted = 0 THEN 0 ELSE ROUND(
                   %(row)s.amount_residual_currency * %(row)s.amount_netted / %(row)s.amount_residual,
                   (SELECT decimal_places FROM res_currency WHERE id = %(row)s.currency_id)) END""", row=row)

    @staticmethod
    def _get_places_sql(company):
        """Return SQL of the decimals of a company's currency, which nothing else of a question reads."""
        return SQL("(SELECT decimal_places FROM res_currency WHERE id = %s)", company.currency_id.id)

    @staticmethod
    def _get_held_company_sql(line, places):
        """Return SQL of what is on hold of an item in the currency of the company.

        :param line: SQL name of the item; the row of ``dunning.hold._get_held_sql`` is joined to it as ``held``
        :param places: SQL of the decimals of the company's currency
        """
        return SQL(
            """CASE WHEN held.hold_amount > 0 THEN CASE
                       WHEN held.hold_amount >= %(line)s.amount_residual_currency THEN %(line)s.amount_residual
                       ELSE ROUND(
                           %(line)s.amount_residual * held.hold_amount / %(line)s.amount_residual_currency, %(places)s)
                   END ELSE 0 END""",
            line=line, places=places)

    # -------------------------------------------------------------------------
    # NO DEBT
    # -------------------------------------------------------------------------

    def _reason_bookkeeping(self):
        return Reason(
            SQL("no_debt = 'bookkeeping'"),
            lambda d: self.env._(
                "An entry that only balances others: a difference in exchange rates, or one of a point of sale. It is "
                "never asked. Make an invoice of what is owed."),
            waits_for='invoice',
        )

    def _reason_paid_back(self):
        return Reason(
            SQL("no_debt = 'paid_back'"),
            lambda d: self.env._(
                "Money that was paid back to the debtor. Match it with the credit note that it pays back, or, when it "
                "is a payment that the bank took back, with that payment."),
            waits_for='payment',
        )

    def _reason_discount_taken(self):
        return Reason(
            SQL("no_debt = 'discount'"),
            lambda d: self.env._(
                "Paid in time for the early payment discount, so the rest is not owed. Write it off as that discount."),
            waits_for='nobody',
        )

    def _reason_rounding(self):
        # Something was paid of it, and what is left can come from rounding a cash payment.
        return Reason(
            SQL("amount_residual_currency < %s AND amount_residual_currency < amount", ROUNDING),
            lambda d: self.env._(
                "Less than five cents is left of it, a difference of rounding that is not asked. Write it off."),
            waits_for='nobody',
        )

    # -------------------------------------------------------------------------
    # MONEY ON ITS WAY
    # -------------------------------------------------------------------------

    def _reason_payment_pending(self):
        # A payment without a journal entry changes the state of the invoice, not yet what is open on it: it is a credit
        # for as much as was registered.
        return Reason(
            SQL(
                "payment_state IN ('in_payment', 'paid', 'reversed')"
                " AND (amount_named >= amount_residual - amount_held OR NOT %s)",
                self.env['account.move.line']._get_dunning_is_registered_sql(SQL("laddered.move_id"))),
            lambda d: self.env._("A payment is registered and waits for the bank statement."),
            waits_for='payment', is_payment=True,
        )

    def _reason_transaction_pending(self):
        return Reason(
            lambda question: SQL(
                """EXISTS (
                       SELECT FROM account_invoice_transaction_rel rel
                         JOIN payment_transaction payment ON payment.id = rel.transaction_id
                        WHERE rel.invoice_id = move_id AND payment.state IN ('pending', 'authorized')
                          AND COALESCE(payment.last_state_change, payment.create_date)::date > %s)""",
                question.day - timedelta(days=TRANSACTION_DAYS)),
            lambda d: self.env._("An online payment of this invoice is being processed."),
            waits_for='payment', gate=True, known_of_past=False, foreseen=False, is_payment=True,
        )

    def _reason_unmatched_receipt(self):
        return Reason(
            lambda question: SQL("id = ANY(%s)", sorted(question.imputed.likely)),  # set off against nothing
            lambda d: self.env._(
                "A receipt on the bank of a payer who is not known may be the payment of this item (by its text, its "
                "amount or a name). Match it first."),
            waits_for='payment', gate=True, known_of_past=False, is_payment=True,
        )

    # -------------------------------------------------------------------------
    # DIRECT DEBIT
    # -------------------------------------------------------------------------

    def _reason_direct_debit(self):
        def get_end(question):
            year = question.day.year
            closed = sorted(bank_holidays_of(year - 1) | bank_holidays_of(year) | bank_holidays_of(year + 1))
            return SQL(
                """(SELECT day::date + 1 FROM GENERATE_SERIES(debit_on + 1, debit_on + 30, INTERVAL '1 day') day
                     WHERE EXTRACT(ISODOW FROM day) < 6 AND day::date <> ALL(%s)
                  ORDER BY day LIMIT 1 OFFSET %s)""", closed, COLLECTION_DAYS - 1)

        return Reason(
            self._get_will_be_collected_sql,
            lambda d: self.env._(
                "It will be collected by direct debit. Reminders follow from %s if nothing was collected before.",
                self._fmt_date(d.next_date)),
            get_end,
            waits_for='payment', is_payment=True,
        )

    @staticmethod
    def _get_will_be_collected_sql(question):
        """Return the SQL condition that the day ``debit_on`` did not pass too long ago to be collected still."""
        return SQL("debit_on >= %s", first_day_within(question.day, COLLECTION_DAYS))

    @api.model
    def _get_debits(self, company, day, items):
        """Return ``{item id: day}`` of those of these due items that will be collected by direct debit."""
        debits = items and self._get_debits_sql(company, day, SQL("line.id = ANY(%s)", list(items.ids)))
        return dict(self.env.execute_query(debits)) if debits else {}

    @api.model
    def _get_debits_sql(self, company, day, wanted):
        """Return SQL of ``(item_id, debit_on)`` of what will be collected by direct debit; None: of nothing.

        :param SQL wanted: condition on the item ``line`` and its ``partner``
        """
        Line, line = self.env['account.move.line'], SQL.identifier('line')
        question = Question(
            company, day, due_date=Line._get_dunning_due_date_sql(line, SQL.identifier('move')),
            lines=Line._get_dunning_rows_sql(company, SQL(
                "line.company_id IN %s AND %s", company._get_dunning_company_ids(), wanted)))
        debit_on = self._get_debit_day_sql(question)
        return debit_on and SQL(
            """
            SELECT item_id, debit_on
              FROM (SELECT line.id AS item_id, %(debit_on)s AS debit_on
                      FROM (%(lines)s) line
                      JOIN account_move move ON move.id = line.move_id
                 LEFT JOIN res_partner debtor ON debtor.id = line.debtor_id) debit
             WHERE %(will_be)s
            """, debit_on=debit_on, lines=question.lines, will_be=self._get_will_be_collected_sql(question))

    def _get_debit_day_sql(self, question):
        """Return SQL of the day on which ``line``, of ``move`` and ``debtor``, is collected by direct debit, or NULL.

        A return ends that, until the bank is asked once more. An entry is not collected: it may be the return itself.
        None: nothing is collected by direct debit.
        """
        collects, ordered_on = self._get_collects_sql(question), self._get_collection_day_sql(question)
        return (collects or ordered_on) and SQL(
            """CASE WHEN move.move_type IN ('out_invoice', 'out_receipt') THEN GREATEST(
                   CASE WHEN (move.dunning_returned_on IS NULL OR move.dunning_returned_on > %s) AND %s THEN %s END,
                   %s) END""",
            question.day, collects or SQL("FALSE"), question.due_date, ordered_on or SQL("NULL::date"),
            to_flush=[self.env['account.move']._fields[name] for name in ('move_type', 'dunning_returned_on')])

    def _get_collects_sql(self, question):
        """Return the SQL condition that an invoice ``move`` of ``debtor`` is paid by direct debit; None: none is.

        The method of the invoice counts before that of the debtor. Hook: where mandates are kept, one must be valid.
        """
        method_ids = self.env['account.payment.method.line']._get_dunning_collecting_ids()
        if not method_ids:
            return None
        name, Move = 'property_inbound_payment_method_line_id', self.env['account.move']

        def get_chosen(company):
            Partner = self.env['res.partner'].sudo().with_company(company)  # sudo: of each branch
            default = Partner._fields[name].get_company_dependent_fallback(Partner)
            return SQL(
                "CASE WHEN debtor.property_inbound_payment_method_line_id IS NULL THEN %s ELSE %s END",
                default.id or None, Partner._field_to_sql('debtor', name), to_flush=Partner._fields[name])

        # Core keeps the method of a debtor for each company apart.
        chosen = [(company.id, get_chosen(company)) for company in question.company._get_dunning_companies()]
        own = chosen[0][1] if len(chosen) == 1 else SQL("CASE move.company_id %s END", SQL(" ").join(
            SQL("WHEN %s THEN %s", *found) for found in chosen))
        return SQL(
            "COALESCE(move.preferred_payment_method_line_id, %s) = ANY(%s)", own, list(method_ids),
            to_flush=[Move._fields['preferred_payment_method_line_id'], Move._fields['company_id']])

    def _get_collection_day_sql(self, question):
        """Return SQL of the day on which the bank was asked to collect ``line``, or NULL; None: it is never asked.

        Hook: where such orders are made.
        """

    # -------------------------------------------------------------------------
    # OLD BANK DATA
    # -------------------------------------------------------------------------

    def _reason_bank_stale(self):
        def predicate(question):
            stale = self._get_stale_policies(
                question.company, question.day, question.sources.bank_states, question.policies)
            return SQL("policy_id = ANY(%s)", stale) if stale else SQL("FALSE")

        def sentence(decision):
            journal, newest = min(self.env.company._get_dunning_bank_states(), key=lambda state: state[1])
            return self.env._(
                "The newest bank data of “%(journal)s” are of %(date)s, and the policy allows %(days)s days. "
                "Import the bank statements first.",
                journal=journal.name, date=self._fmt_date(newest),
                # sudo: only a number of the policy
                days=self.env['dunning.policy'].browse(decision.policy_id).sudo().bank_max_age)

        return Reason(
            predicate, sentence, waits_for='bank', gate=True,
            # Of a coming day: bank statements keep coming in.
            known_of_past=False, known_of_future=False, foreseen=False)

    @api.model
    def _get_stale_policies(self, company, at_date, states=None, policies=None):
        """Return the ids of the policies that find the bank data of a day too old.

        :param states: of ``res.company._get_dunning_bank_states``, when they are at hand
        :param policies: of :meth:`_read_policies`, when they are at hand
        """
        states = company._get_dunning_bank_states() if states is None else states
        if not states:
            return []
        policies = self._read_policies(company) if policies is None else policies
        age = (at_date - min(newest for _journal, newest in states)).days
        return policies.filtered(lambda policy: 0 < policy.bank_max_age < age).ids

    @api.model
    def _fmt_bank_state(self, journal, newest, today):
        return self.env._(
            "%(journal)s: up to %(date)s (%(days)s days ago)", journal=journal.name, date=self._fmt_date(newest),
            days=(today - newest).days)

    # -------------------------------------------------------------------------
    # ENOUGH CONTACTS
    # -------------------------------------------------------------------------

    def _reason_contact_budget(self):
        get = cache(self._get_busy_debtors)

        def get_busy(question):
            return get(question.company, question.day, question.past and question.past.notices)

        return Reason(
            lambda question: (
                SQL("partner_id = ANY(%s)", list(get_busy(question))) if get_busy(question) else SQL("FALSE")),
            lambda d: self.env._(
                "This debtor was contacted %(count)s times in a week, which is the limit of the settings. "
                "He is left alone until %(date)s.",
                count=self.env.company.dunning_contacts_per_week, date=self._fmt_date(d.next_date)),
            # The day on which the oldest of the last contacts leaves the week.
            lambda question: SQL(
                "(%s::jsonb ->> partner_id::text)::date",
                json.dumps({str(debtor): day.isoformat() for debtor, day in get_busy(question).items()})),
            waits_for='time', gate=True, overridable=True,
        )

    @api.model
    def _get_busy_debtors(self, company, at_date, until=None):
        """Return ``{debtor id: day from which he may be contacted again}`` of who had his contacts of a week.

        :param date until: of a past day: the last day of which contacts count; None: the day itself
        """
        limit = company.dunning_contacts_per_week
        if not limit:
            return {}
        return dict(self.env.execute_query(SQL(
            """
            SELECT partner_id, (ARRAY_AGG(date ORDER BY date DESC))[%(limit)s] + %(days)s
              FROM (%(contacts)s) contact
             WHERE date > %(since)s AND date <= %(until)s
          GROUP BY partner_id
            HAVING COUNT(*) >= %(limit)s
            """,
            limit=limit, days=CONTACT_DAYS, contacts=self.env['dunning.notice']._get_contacts_sql(company),
            since=at_date - timedelta(days=CONTACT_DAYS), until=until or at_date)))
