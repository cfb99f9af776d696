"""The reasons why an item does not go out: each is one method ``_reason_<code>`` returning a :class:`Reason`.

The order of :meth:`_item_reasons` and :meth:`_notice_reasons` is the order in which they are asked. Another addon
adds a reason with one method and one list entry.
"""

from collections.abc import Callable
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, ormcache

from ...tools.law.letters import DEFAULT_NOTICE


class Reason(NamedTuple):
    """Why an item does not go out, with everything that depends on it.

    :param predicate: SQL over the columns of its stage that is true when the reason holds; a function of the
        :class:`~.question.Question` that returns it where that depends on what is asked
    :param sentence: function of a :class:`Decision` giving the sentence for a user
    :param next_date: SQL, or a function as above, of the day on which the answer can change by itself; or None
    :param waits_for: who or what has to move first, a key of :meth:`DunningPlannerAnswer._get_waits_for_texts`
    :param late: asked when it is known which notices would go out
    :param gate: asks for patience only: a notice in the queue waits, nothing is taken off it
    :param overridable: a person may set it aside when sending by hand. Not the term of the previous notice: that was
        promised
    :param at_recheck: asked again before a notice leaves. Not what an item may have grown past since the proposal, nor
        what is about the channel of the level: the notice may go by another one
    :param keeps_apart: keeps an item out of the 14-day letter about the other items of its debtor
    :param known_of_past: the answer about a past day knows of it
    :param known_of_future: the answer about a coming day knows of it
    :param foreseen: it ends on a day that the answer names, or lasts until something happens to the debtor
    :param is_payment: a payment may be on its way
    """

    predicate: SQL | Callable
    sentence: Callable
    next_date: SQL | Callable | None = None
    waits_for: str = 'person'
    late: bool = False
    gate: bool = False
    overridable: bool = False
    at_recheck: bool = True
    keeps_apart: bool = True
    known_of_past: bool = True
    known_of_future: bool = True
    foreseen: bool = True
    is_payment: bool = False

    def get_predicate(self, question):
        return self.predicate(question) if callable(self.predicate) else self.predicate

    def get_next_date(self, question):
        return self.next_date(question) if callable(self.next_date) else self.next_date


class DunningPlannerReasons(models.AbstractModel):
    _name = 'dunning.planner.reasons'
    _description = "Dunning Planner"

    @api.model
    def _item_reasons(self):
        """Return the codes of the reasons that look at one item, the first to ask first."""
        return [
            'not_posted',
            'settled',
            'credit',
            'no_debtor',
            'payment_pending',
            'transaction_pending',
            'unmatched_receipt',
            'blocked',
            'no_followup',
            'hold',
            'overbooked',
            'hold_ended',
            'booked_extra',
            'prescribed',
            'no_policy',
            'wrong_policy',
            'foreign_law',
            'not_sent',
            'sending_failed',
            'sending_uncertain',
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
            # These hold for everything or for today, and say less than what is about the item itself.
            'bank_stale',
            'contact_budget',
            'backlog',
        ]

    @api.model
    def _notice_reasons(self):
        """Return the codes of the reasons that look at all items that would share a notice."""
        return ['netted', 'below_minimum', 'no_address', 'one_message']

    def _get_reason(self, code):
        return self._get_reasons([code])[code]

    def _get_reasons(self, codes=None):
        """Return ``{code: reason}`` of all reasons, or of these, in the order in which they are asked."""
        if codes is None:
            codes = (*self._item_reasons(), *self._notice_reasons())
        return {code: getattr(self, f'_reason_{code}')() for code in codes}

    @api.model
    @ormcache('tuple(sorted(properties.items()))')
    def _get_reason_codes(self, **properties):
        """Return the codes of all reasons, or of those with all of these properties; see :class:`Reason`.

        Kept: what a reason is depends on the addons alone.
        """
        return frozenset(
            code for code, reason in self._get_reasons().items()
            if all(getattr(reason, name) == value for name, value in properties.items()))

    # -------------------------------------------------------------------------
    # THE ITEM
    # -------------------------------------------------------------------------

    def _reason_not_posted(self):
        return Reason(
            SQL("parent_state IS DISTINCT FROM 'posted'"),
            lambda d: self.env._("The invoice is a draft or was cancelled."),
            waits_for='invoice',
        )

    def _reason_settled(self):
        return Reason(
            # A difference in exchange rates can be left in one of the two currencies: nobody pays that.
            SQL("reconciled IS TRUE OR amount_residual = 0 OR amount_residual_currency = 0"),
            lambda d: self.env._("Nothing is owed any more: it was paid or credited."),
            waits_for='nobody',
        )

    def _reason_credit(self):
        return Reason(
            SQL("amount_residual < 0"),
            lambda d: self.env._("This is a credit of the debtor, not a debt."),
            waits_for='nobody',
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
            waits_for='payment', is_payment=True,
        )

    def _reason_blocked(self):
        return Reason(
            SQL("payment_state = 'blocked'"),
            lambda d: self.env._("The payment of this invoice is blocked. Unblock it on the invoice to go on."),
            waits_for='invoice',
        )

    def _reason_no_followup(self):
        return Reason(
            SQL("no_followup IS TRUE"),
            lambda d: self.env._("Marked “No Follow-Up”. Clear that mark to go on."),
            waits_for='invoice',
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
            waits_for='hold',
        )

    def _reason_hold_ended(self):
        # Ending a hold never fires a letter at once.
        return Reason(
            SQL("amount_held_currency > 0 AND amount_held_currency >= amount_residual_currency"),
            lambda d: self.env._(
                "The hold ended on %(end)s: %(hold)s. Reminders go on from %(date)s.",
                end=self._fmt_date(d.hold_until), hold=self._fmt_hold(d), date=self._fmt_date(d.next_date)),
            SQL("hold_free_on"),
            waits_for='time',
        )

    def _reason_overbooked(self):
        return Reason(
            SQL("hold_active IS NULL AND amount_held_currency > 0"
                " AND amount_held_currency >= amount_residual_currency"),
            lambda d: self.env._(
                "It books interest and costs that are not owed: credit them with “Waive Booked Interest and Costs” on "
                "the notice that asked them."),
        )

    def _reason_booked_extra(self):
        # Interest and costs that were booked are asked with the invoices they belong to, never on their own.
        return Reason(
            lambda question: SQL(
                "claim_notice_id IS NOT NULL AND EXISTS (%s AND asked.notice_id = claim_notice_id)",
                question.sources.asked_and_owed),
            lambda d: self.env._(
                "It books interest and costs that were claimed; they are asked together with their invoices."),
            waits_for='nobody',
        )

    def _reason_prescribed(self):
        # What is left is a natural obligation: it must not be demanded as if it could be enforced.
        return Reason(
            lambda question: question.sources.prescribed,
            lambda d: self.env._(
                "The claim is prescribed, so it cannot be enforced any more. If something interrupted the "
                "prescription, enter that on the invoice; if no goods were sold to a consumer, say so under "
                "“Claim Is For”; else write it off."),
            waits_for='nobody',
        )

    def _reason_no_policy(self):
        return Reason(
            SQL("policy_id IS NULL"),
            lambda d: self.env._("No dunning policy applies: choose one on the debtor or in the settings."),
            waits_for='policy',
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
            waits_for='policy',
        )

    def _reason_foreign_law(self):
        # The whole ladder waits: also what asks no costs yet names the law that it would ask them by.
        return Reason(
            lambda question: SQL("policy_id = ANY(%s)", question.sources.foreign_policy_ids),
            lambda d: self.env._(
                "The policy “%(policy)s” asks interest, costs or a legal effect of Dutch law, and the fiscal country "
                "of the creditor is not the Netherlands. Choose a policy without these, such as 7-15-30 neutral.",
                policy=self.env['dunning.policy'].browse(d.policy_id).sudo().name,  # sudo: only its name
            ),
            waits_for='policy', gate=True,
        )

    def _reason_not_sent(self):
        return Reason(
            SQL("require_invoice_sent AND move_type = 'out_invoice' AND is_move_sent IS NOT TRUE"),
            lambda d: self.env._("The invoice was never sent. Send it, or mark it as sent."),
            waits_for='invoice',
        )

    def _reason_sending_failed(self):
        return Reason(
            SQL("require_invoice_sent AND dunning_sent_state = 'failed'"),
            lambda d: self.env._(
                "The e-mail with the invoice failed or came back, so the debtor has not got it. Send the invoice "
                "again, or choose “Mark as Sent” when it went another way."),
            waits_for='invoice',
        )

    def _reason_sending_uncertain(self):
        return Reason(
            SQL("require_invoice_sent AND dunning_sent_state IN ('waiting', 'printed')"),
            lambda d: self.env._(
                "It is not known that the invoice was sent: its e-mail waits in the mail queue, or it was printed and "
                "nobody confirmed that it was posted. Choose “Mark as Sent” when it was."),
            waits_for='invoice',
        )

    def _reason_pending(self):
        return Reason(
            SQL("pending_notice_id IS NOT NULL"),
            lambda d: self.env._("A notice about it already waits to be approved, sent or posted, or is on its way."),
            waits_for='notice', at_recheck=False, keeps_apart=False,
        )

    def _reason_finished(self):
        return Reason(
            SQL("level_id IS NULL"),
            lambda d: (
                self.env._("The ladder is finished: all levels were sent. Decide what to do with this debtor.")
                if d.last_level_id else
                self.env._("The policy has no levels. Add at least one.")
            ),
            at_recheck=False,
        )

    def _reason_not_due(self):
        return Reason(
            lambda question: SQL("due_date >= %(day)s AND level_date > %(day)s", day=question.day),
            lambda d: self.env._("Not due yet: it is to be paid by %s.", self._fmt_date(d.due_date)),
            SQL("level_date"),
            waits_for='time',
        )

    def _reason_waiting_delay(self):
        return Reason(
            lambda question: SQL("level_date > %s AND last_level_id IS NULL", question.day),
            lambda d: self.env._(
                "Due since %(due)s; “%(level)s” follows on %(date)s.",
                due=self._fmt_date(d.due_date), level=self._fmt_level(d.level_id), date=self._fmt_date(d.level_date),
            ),
            SQL("level_date"),
            waits_for='time', overridable=True, at_recheck=False, keeps_apart=False,
        )

    def _reason_waiting_deadline(self):
        def get_change(question):
            # Impatience shortens the days of grace after the deadline, never the term the debtor was promised.
            return SQL("last_deadline + 1") if 'waiting_delay' in question.ignore else SQL("level_date")

        return Reason(
            lambda question: SQL("%s > %s", get_change(question), question.day),
            lambda d: self.env._(
                "The debtor has until %(deadline)s to react to “%(last)s”; “%(level)s” follows on %(date)s.",
                deadline=self._fmt_date(d.last_deadline), last=self._fmt_level(d.last_level_id),
                level=self._fmt_level(d.level_id), date=self._fmt_date(d.level_date),
            ),
            get_change,
            waits_for='time', at_recheck=False,
        )

    def _reason_open_dispute(self):
        # A level that is a task for a person hands the debtor over, or prepares it.
        return Reason(
            SQL("hold_disputed AND level_channel = 'task'"),
            lambda d: self.env._(
                "A dispute about it was not settled, so “%(level)s” has to wait. Say on the hold who is right.",
                level=self._fmt_level(d.level_id)),
            waits_for='dispute',
        )

    def _reason_no_default(self):
        # Article 6:96 paragraph 6 BW: a 14-day letter before default (verzuim) has no effect.
        return Reason(
            lambda question: SQL(
                "level_legal_role = 'fourteen_day' AND (%s) IS NOT TRUE",
                self._get_in_default_sql(SQL.identifier('laddered'), question)),
            self._tell_no_default,
            waits_for='policy',
        )

    def _tell_no_default(self, d):
        # sudo: which notice to look at, for whoever may ask about the item
        sent = self.env['dunning.notice.line'].sudo().search([
            ('move_line_id', '=', d.item_id), ('status', '=', 'sent'), ('notice_id.partner_id', '=', d.partner_id),
            ('notice_id.legal_role', '=', DEFAULT_NOTICE)], order='date desc, id desc', limit=1).notice_id
        if sent:
            return self.env._(
                "“%(level)s” can only follow when the debtor is in default. The notice of default %(notice)s was sent; "
                "it is not known yet that it was received, because its e-mail still waits or its letter was not "
                "posted, or its term has not run out. See that notice.",
                level=self._fmt_level(d.level_id), notice=sent.name)
        return self.env._(
            "“%(level)s” can only follow when the debtor is in default. The payment term was not agreed with him, "
            "so a notice of default must have been sent first and its term must have run out. Add such a level to "
            "the policy, or state on the contact that the term was agreed.",
            level=self._fmt_level(d.level_id))

    def _reason_needs_fourteen_day(self):
        # Whatever the ladder says: article 6:96 paragraphs 5 and 6 BW.
        return Reason(
            lambda question: SQL(
                "level_with_costs AND debtor_type = 'consumer' AND costs_from IS NULL AND NOT awaited"
                " AND NOT %s", question.sources.passed_over),
            lambda d: self.env._(
                "“%(level)s” asks collection costs, and a consumer owes none before a 14-day letter has run out. No "
                "such letter that holds was sent about this item: add that level to the policy, before this one.",
                level=self._fmt_level(d.level_id)),
            waits_for='policy',
        )

    def _reason_fourteen_day_running(self):
        return Reason(
            lambda question: SQL(
                "level_with_costs AND debtor_type = 'consumer' AND (awaited OR costs_from > %s)", question.day),
            lambda d: (
                self.env._(
                    "The fourteen days of the 14-day letter have not run out; collection costs are owed from %s.",
                    self._fmt_date(d.next_date))
                if d.next_date else
                self.env._(
                    "It is not known yet when the 14-day letter was received: it has not left the mail queue, or its "
                    "paper copy was not posted. See that notice.")
            ),
            SQL("costs_from"),
            waits_for='time',
        )

    def _reason_rates_stale(self):
        return Reason(
            lambda question: SQL(
                "level_with_interest AND COALESCE(agreed_interest, 0) = 0"
                " AND CASE debtor_type WHEN 'consumer' THEN 'consumer' ELSE 'commercial' END = ANY(%s)",
                question.sources.stale_rates or ['']),
            lambda d: self.env._(
                "“%(level)s” asks interest, and the statutory interest rate of this half-year was not confirmed. "
                "Confirm it under Configuration ‣ Statutory Interest.",
                level=self._fmt_level(d.level_id)),
            waits_for='rates', gate=True,
        )

    def _reason_backlog(self):
        return Reason(
            SQL("oldest_due_date IS NOT NULL AND due_date < oldest_due_date AND last_level_id IS NULL"),
            lambda d: self.env._(
                "Already overdue for a long time when dunning was started (due %s). "
                "Send it by hand, or change the oldest due date in the settings.",
                self._fmt_date(d.due_date),
            ),
            overridable=True, at_recheck=False,
        )

    # -------------------------------------------------------------------------
    # THE NOTICE
    # -------------------------------------------------------------------------

    def _reason_netted(self):
        return Reason(
            SQL("amount_netted >= amount_residual - amount_held"),
            lambda d: self.env._(
                "Covered by open credit notes or payments of the debtor (%s). Reconcile them first.",
                self._fmt_company_amount(d.credit_company),
            ),
            waits_for='payment',
        )

    def _reason_below_minimum(self):
        return Reason(
            SQL("group_amount < minimum_amount"),
            lambda d: self.env._(
                "Together the due items are %(amount)s, below the minimum of the policy.",
                amount=self._fmt_company_amount(d.group_amount_company),
            ),
            waits_for='minimum', overridable=True, keeps_apart=False,
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
            waits_for='contact', at_recheck=False, keeps_apart=False,
        )
