"""The gate: nothing leaves while money may be on its way or the debtor heard enough.

Bank data that are too old, receipts nobody matched yet, online payments that are
pending, and the number of contacts per week are reasons of the planner like any
other: they are asked again at the moment of sending.
"""

import json
import re
from collections import defaultdict
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .dunning_planner_reasons import Reason

# An online payment that stays pending for longer was given up (a bank transfer that never came).
TRANSACTION_DAYS = 7
CONTACT_DAYS = 7
# What can be a number of an invoice in the text of a bank transfer.
REFERENCE = re.compile(r'[A-Z0-9][A-Z0-9/._-]{2,}[A-Z0-9]')


class Receipts(NamedTuple):
    """Receipts on the bank that nobody matched and that name no partner."""

    partner_ids: list  # debtors whose account they came from
    move_ids: list  # invoices their text names
    amounts: list  # exact amounts of those that say neither


class DunningPlannerGates(models.AbstractModel):
    _name = 'dunning.planner.gates'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # MONEY ON ITS WAY
    # -------------------------------------------------------------------------

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
        def predicate(question):
            receipts = self._get_unmatched_receipts(question)
            return SQL(
                "partner_id = ANY(%s) OR move_id = ANY(%s) OR amount_residual = ANY(%s::numeric[])",
                receipts.partner_ids, receipts.move_ids, receipts.amounts) if any(receipts) else SQL("FALSE")

        return Reason(
            predicate,
            lambda d: self.env._(
                "A receipt on the bank that nobody matched yet may be the payment of this item (by its account number, "
                "text or exact amount). Match it first."),
            waits_for='payment', gate=True, known_of_past=False, is_payment=True,
        )

    @api.model
    def _get_unmatched_receipts(self, question):
        """Return the :class:`Receipts` of the company that may be payments of debtors.

        Receipts of a known partner are netted with what he owes (see the credits of the planner).
        """
        rows = self.env.execute_query(SQL(
            """
            SELECT receipt.account_number, CONCAT_WS(' ', receipt.payment_ref, move.ref), receipt.amount
              FROM (%s) receipt
              JOIN account_move move ON move.id = receipt.move_id
             WHERE receipt.partner_id IS NULL
            """,
            question.receipts,
            to_flush=[self.env['account.move']._fields[name] for name in (
                'ref', 'name', 'payment_reference', 'state')]))
        if not rows:
            return Receipts([], [], [])
        accounts = defaultdict(list)
        tokens = defaultdict(list)
        for index, (account, text, _amount) in enumerate(rows):
            if account:
                accounts[re.sub(r'\W', '', account).upper()].append(index)
            for token in REFERENCE.findall((text or '').upper()):
                tokens[token].append(index)
        known, partner_ids, move_ids = set(), set(), set()
        # sudo: an account number on a bank statement is compared with those of debtors, whoever asks
        banks = self.env['res.partner.bank'].sudo().search([('sanitized_acc_number', 'in', list(accounts))])
        for bank in banks:
            partner_ids.add(bank.partner_id.commercial_partner_id.id)
            known.update(accounts[bank.sanitized_acc_number.upper()])
        if tokens:
            names = list(tokens)
            for move_id, name, reference in self.env.execute_query(SQL(
                """
                SELECT id, UPPER(name), UPPER(payment_reference) FROM account_move
                 WHERE company_id = %s AND state = 'posted' AND move_type IN ('out_invoice', 'out_receipt')
                   AND (name = ANY(%s) OR payment_reference = ANY(%s))
                """, question.company.id, names, names,
            )):
                move_ids.add(move_id)
                known.update(tokens.get(name, []))
                known.update(tokens.get(reference, []))
        # An amount says little: it only counts for receipts about which nothing else is known.
        amounts = [amount for index, (_account, _text, amount) in enumerate(rows) if index not in known]
        return Receipts(list(partner_ids), list(move_ids), amounts)

    # -------------------------------------------------------------------------
    # OLD BANK DATA
    # -------------------------------------------------------------------------

    def _reason_bank_stale(self):
        def predicate(question):
            stale = self._get_stale_policies(question.company, question.day, question.sources.bank_states)
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
    def _get_stale_policies(self, company, at_date, states=None):
        """Return the ids of the policies that find the bank data of a day too old.

        :param states: of ``res.company._get_dunning_bank_states``, when they are at hand
        """
        states = company._get_dunning_bank_states() if states is None else states
        if not states:
            return []
        age = (at_date - min(newest for _journal, newest in states)).days
        # sudo: what a policy says holds for every user
        return self.env['dunning.policy'].sudo().search([
            ('bank_max_age', '>', 0), ('bank_max_age', '<', age)]).ids

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
