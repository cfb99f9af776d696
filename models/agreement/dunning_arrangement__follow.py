"""What becomes of an arrangement that runs: the ledger fills its instalments, and decides whether it is kept.

Nothing about payments is entered. On any day the instalments follow from what was matched to the items since it was
agreed, whatever route the money came by, and from what lies ready unmatched (:meth:`DunningArrangement._get_accounts`).
:meth:`DunningArrangement._judge` runs before planning: it reminds, tells what did not come, and ends what was not
kept. Matching and unmatching only fill, keep and reopen, so that no payment ever waits for an e-mail.
"""

import logging
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import Command, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, split_every

from ...tools.agreement.instalment_account import fill, left_until
from ...tools.law.dutch_calendar import add_bank_days, extended
from ..claim.dunning_claim import ZERO, to_decimal
from ..hold.dunning_hold import format_date
from ..sending.dunning_run import no_checkpoint
from .dunning_arrangement import CLOSED_STATES

_logger = logging.getLogger(__name__)
# How long after its end an arrangement is looked at again every day, in days. What is matched or undone later than
# that is noticed when it happens.
LOOK_BACK_DAYS = 60
# Debtors whose arrangements are judged per commit.
CHUNK = 50
# What the ledger ended, it may take back.
ENDED_BY_LEDGER = ('paid', 'credited', 'missed')
# Money that was paid on the last day is in the books a day later.
BOOK_DAYS = 1
# Days to pay the interest that ran on, from the day on which it is known.
INTEREST_DAYS = 14


class Account(NamedTuple):
    """What the ledger says of one arrangement on a day.

    ``parts``: of the instalments, the first to be paid first; ``events``: the money that counts, with its day;
    ``waiting``: unmatched money of the debtor that does not count yet; ``sure``: whether all that counts was matched to
    the items, or paid for their invoices.
    """

    parts: tuple
    events: tuple
    lowered: Decimal
    waiting: Decimal
    sure: bool

    @property
    def left(self):
        return sum((part.left for part in self.parts), ZERO)

    @property
    def paid(self):
        return sum((part.paid for part in self.parts), ZERO)

    @property
    def over(self):
        """What came in and was not needed."""
        return sum((amount for _day, amount in self.events), ZERO) + self.waiting - self.paid


class DunningArrangement(models.Model):
    _inherit = 'dunning.arrangement'

    amount_lowered = fields.Monetary(
        string="No Longer Owed", readonly=True, copy=False, help="What was credited or otherwise settled since.")
    amount_over = fields.Monetary(
        string="Paid Too Much", readonly=True, copy=False, help="What came in beyond the last instalment.")
    new_invoice_on = fields.Date(
        string="New Invoice Asked For", readonly=True, copy=False,
        help="The debtor was told that a new invoice has to be paid.")
    new_invoice_last_date = fields.Date(readonly=True, copy=False)
    end_told_on = fields.Date(readonly=True, copy=False, help="The debtor was told that it ended.")
    waived_on = fields.Date(
        readonly=True, copy=False, help="The interest over the time it ran was waived, as agreed.")

    # -------------------------------------------------------------------------
    # THE STORY
    # -------------------------------------------------------------------------

    @api.depends('state', 'amount_total', 'amount_paid', 'amount_left', 'amount_over', 'next_date', 'next_amount',
                 'valid_until', 'close_reason', 'closed_on', 'instalment_ids.state', 'instalment_ids.last_date',
                 'new_invoice_last_date', 'signed_name', 'signed_date')
    @api.depends_context('lang')
    def _compute_story(self):
        # OVERRIDE: more depends
        return super()._compute_story()

    def _tell_story(self):
        # OVERRIDE
        self.ensure_one()
        return getattr(self, f'_tell_{self.state}')()

    def _get_facts(self):
        """Return the words of the sentences about it, in the language of the reader."""
        env = self.env
        parts = self.instalment_ids
        agreed = parts.filtered(lambda part: part.kind != 'interest')
        return {
            'name': self.name,
            'debtor': self.partner_id.name or '',
            'total': format_amount(env, self.amount_total, self.currency_id),
            'count': len(agreed),
            'first': format_date(env, min(agreed.mapped('date_due'))) if agreed else '',
            'until': format_date(env, self.valid_until) if self.valid_until else '',
            'offered': format_date(env, self.offered_on.date()) if self.offered_on else '',
            'who': self.signed_name or self.partner_id.name or '',
            'signed': format_date(env, self.signed_date) if self.signed_date else '',
            'paid': format_amount(env, self.amount_paid, self.currency_id),
            'left': format_amount(env, self.amount_left, self.currency_id),
            'closed': format_date(env, self.closed_on) if self.closed_on else '',
            'why': self.close_reason or '',
            'done': len(parts.filtered(lambda part: part.state == 'paid')),
            'all': len(parts.filtered(lambda part: part.state != 'cancelled')),
            'amount': format_amount(env, self.next_amount, self.currency_id),
            'date': format_date(env, self.next_date) if self.next_date else '',
        }

    def _tell_draft(self):
        return self.env._("%(total)s in %(count)s instalments from %(first)s; not offered yet.", **self._get_facts())

    def _tell_offered(self):
        return self.env._(
            "%(total)s in %(count)s instalments was offered on %(offered)s; it can be signed until %(until)s.",
            **self._get_facts())

    def _tell_signed(self):
        return self.env._(
            "%(who)s signed on %(signed)s; it runs as soon as we have signed it too.", **self._get_facts())

    def _tell_active(self):
        facts = self._get_facts()
        env, part = self.env, self._get_next_part()
        done = env._("%(done)s of %(all)s instalments paid", **facts)
        if not part:
            rest = (
                env._("everything is in; the interest that ran is worked out by the next run")
                if self.interest_mode == 'runs' else env._("the money for the rest is in, but not matched yet"))
        elif part.last_date:
            rest = env._("%(amount)s of %(date)s did not come and is waited for until %(last)s", **facts,
                         last=format_date(env, part.last_date))
        elif part.state == 'missed':
            rest = env._("%(amount)s of %(date)s did not come", **facts)
        elif part.state == 'late':
            rest = env._("%(amount)s of %(date)s is waited for until %(grace)s", **facts,
                         grace=format_date(env, part.grace_date))
        elif part.kind == 'interest':
            rest = env._("%(amount)s interest is due on %(date)s", **facts)
        else:
            rest = env._("%(amount)s is due on %(date)s", **facts)
        if self.new_invoice_last_date:
            rest = env._("%(rest)s; a new invoice has to be paid by %(last)s", rest=rest,
                         last=format_date(env, self.new_invoice_last_date))
        return env._("%(done)s; %(rest)s.", done=done, rest=rest)

    def _tell_kept(self):
        facts = self._get_facts()
        last = max(filter(None, self.instalment_ids.mapped('paid_on')), default=False)
        story = (
            self.env._("Kept: %(paid)s was paid, the last of it on %(last)s.", **facts,
                       last=format_date(self.env, last))
            if last else self.env._("Kept: %(paid)s was paid.", **facts))
        if self.currency_id.compare_amounts(self.amount_over, 0) > 0:
            story = self.env._("%(story)s %(over)s came in too much.", story=story, over=format_amount(
                self.env, self.amount_over, self.currency_id))
        return story

    def _tell_broken(self):
        return self.env._("Broken on %(closed)s, %(paid)s of %(total)s was paid: %(why)s", **self._get_facts())

    def _tell_cancelled(self):
        return self.env._("Ended on %(closed)s: %(why)s", **self._get_facts())

    def _tell_replaced(self):
        return self.env._("Replaced on %(closed)s: %(why)s", **self._get_facts())

    # -------------------------------------------------------------------------
    # WHAT THE LEDGER SAYS
    # -------------------------------------------------------------------------

    def _get_parts(self):
        """Return the instalments, the first to be paid first."""
        return self.instalment_ids.sorted(lambda part: (part.date_due, part.sequence, part.id))

    def _get_next_part(self):
        """Return the first instalment of which something is left, or an empty record."""
        return self._get_parts().filtered(
            lambda part: part.state not in ('paid', 'cancelled')
            and self.currency_id.compare_amounts(part.amount_left, 0) > 0)[:1]

    def _get_known(self):
        # EXTENDS: once, when it is offered; what came in since pays instalments.
        self.ensure_one()
        return self.known or self.env['dunning.money']._get_known(
            self.company_id, self.partner_id, self.line_ids.move_line_id)

    def _get_accounts(self, at_date):
        """Return ``{arrangement id: Account}``, what the ledger says on a day; a few statements for any number.

        Money that nobody matched counts as well: at once when it was paid for one of the invoices, else as far as
        instalments are due, the oldest arrangement of the debtor first. It may turn out to be for something else; then
        it counts no longer. Credit notes that nobody matched lower what is owed at once when they are of one of the
        invoices, else after the last instalment.
        """
        if not self:
            return {}
        # What lies ready counts once, whichever of the debtor's arrangements is asked about.
        everyone = self | self.search([
            ('company_id', 'in', self.company_id.ids), ('partner_id', 'in', self.partner_id.ids),
            ('state', '=', 'active')])
        Money = self.env['dunning.money']
        matched = Money._read_matched(everyone.line_ids.move_line_id, at_date)
        pools = Money._get_pools({
            company: arrangements.partner_id for company, arrangements in everyone.grouped('company_id').items()
        }, at_date)
        linked = self._read_linked(pools)
        return {
            arrangement.id: arrangement._get_account(at_date, matched, linked, pools.get(
                (arrangement.company_id.id, arrangement.partner_id.id, arrangement.currency_id.id), []))
            for arrangement in everyone.sorted('id')}

    @api.model
    def _read_linked(self, pools):
        """Return ``{entry: ids of invoices}`` that unmatched credits say they are for (payments: minus their id)."""
        entries = {credit['move_id'] for pool in pools.values() for credit in pool}
        linked = defaultdict(set)
        if not entries:
            return linked
        self.env['account.payment'].flush_model(['invoice_ids'])
        self.env['account.move'].flush_model(['reversed_entry_id'])
        for entry, move_id in self.env.execute_query(SQL(
            """
            SELECT -payment_id, invoice_id FROM account_move__account_payment WHERE payment_id = ANY(%s)
         UNION ALL
            SELECT id, reversed_entry_id FROM account_move WHERE id = ANY(%s) AND reversed_entry_id IS NOT NULL
            """,
            [-entry for entry in entries if entry < 0], [entry for entry in entries if entry > 0],
        )):
            linked[entry].add(move_id)
        return linked

    def _get_account(self, at_date, matched, linked, pool):
        """Return the :class:`Account` of one arrangement; what counts of ``pool`` is taken out of it."""
        self.ensure_one()
        currency, known = self.currency_id, self.known or {}
        digits = currency.decimal_places
        parts = self._get_parts()
        amounts = [to_decimal(part.amount, digits) for part in parts]
        items = self.line_ids.move_line_id.sorted('id')
        events = [
            (day, to_decimal(amount, digits))
            for _item, _move, is_money, amount, day in self.env['dunning.money']._split_new(
                items.ids, matched, known, currency, at_date)
            if is_money]
        # What is owed by the ledger: a part that neither was paid nor is owed was credited, written off or cancelled.
        owed = sum(
            (to_decimal(item.amount_currency - sum(row[2] for row in matched.get(item.id, ())), digits)
             for item in items if item.parent_state == 'posted'), ZERO)
        lowered = max(ZERO, sum(amounts, ZERO) - owed - sum((amount for _day, amount in events), ZERO))
        moves = set(self.line_ids.move_id.ids)
        fresh = [credit for credit in pool if credit['move_id'] not in set(known.get('open', ()))]

        def take(credit, most):
            amount = max(ZERO, min(to_decimal(credit['amount'], digits), most))
            credit['amount'] -= float(amount)
            return amount

        def get_left():
            return sum(amounts, ZERO) - lowered - sum((amount for _day, amount in events), ZERO)

        for credit in fresh:
            if linked.get(credit['move_id'], set()) & moves:
                amount = take(credit, get_left())
                if credit['is_money']:
                    events.append((credit['date'], amount))
                else:
                    lowered += amount
        sure = True
        over = bool(parts) and at_date > max(parts.mapped('grace_date'))
        for credit in fresh:
            if credit['is_money']:
                due = left_until(amounts, parts.mapped('date_due'), lowered, at_date)
                amount = take(credit, due - sum((amount for _day, amount in events), ZERO))
                events.append((credit['date'], amount))
            else:
                amount = take(credit, get_left()) if over else ZERO
                lowered += amount
            sure = sure and not amount
        waiting = sum((to_decimal(credit['amount'], digits) for credit in fresh if credit['is_money']), ZERO)
        return Account(fill(amounts, events, lowered), tuple(events), lowered, waiting, sure)

    def _write_account(self, account, at_date):
        """Write down what the ledger says of the instalments."""
        self.ensure_one()
        running = self.state == 'active'
        for instalment, part in zip(self._get_parts(), account.parts, strict=True):
            state = self._get_instalment_state(instalment, part, at_date, running)
            left = ZERO if state == 'cancelled' else part.left
            vals = {
                'state': state,
                'amount_paid': float(part.paid),
                'amount_lowered': float(part.lowered),
                'amount_left': float(left),
                'paid_on': part.paid_on or False,
            }
            if running and state in ('paid', 'cancelled'):
                vals.update(missed_on=False, last_date=False)
            self._write_changes(instalment, vals)
        following = self._get_next_part() if running else self.env['dunning.arrangement.instalment']
        self._write_changes(self, {
            'amount_paid': float(account.paid),
            'amount_left': float(account.left),
            'amount_lowered': float(min(account.lowered, sum((part.amount for part in account.parts), ZERO))),
            'amount_over': float(account.over) if not account.left else 0.0,
            'next_date': following.date_due,
            'next_amount': following.amount_left,
        })

    @api.model
    def _write_changes(self, record, vals):
        """Write what differs; amounts are in the currency of the record."""
        def differs(name, value):
            if record._fields[name].type == 'monetary':
                return record.currency_id.compare_amounts(record[name], value) != 0
            return (record[name] or False) != (value or False)

        changes = {name: value for name, value in vals.items() if differs(name, value)}
        if changes:
            record._recording().write(changes)

    def _get_instalment_state(self, instalment, part, at_date, running):
        if part.lapsed:
            return 'cancelled'
        if part.left <= 0:
            return 'paid'
        if not running:
            return 'missed' if instalment.last_date else 'cancelled'
        if at_date > (instalment.grace_date or instalment.date_due):
            return 'missed'
        if at_date > instalment.date_due:
            return 'late'
        soon = add_bank_days(at_date, self.company_id.dunning_arrangement_remind_days)
        return 'due' if instalment.date_due <= max(soon, at_date) else 'open'

    # -------------------------------------------------------------------------
    # DECIDING
    # -------------------------------------------------------------------------

    @api.model
    def _judge(self, company, at_date, *, checkpoint=no_checkpoint):
        """Let the ledger decide about the arrangements of a company on a day, before reminders are planned.

        :param checkpoint: called after each chunk; commits when run by the scheduled action
        :return: the arrangements whose state changed
        """
        # sudo: what became of an arrangement follows from the books, whoever plans
        Arrangement = self.sudo().with_context(dunning_at_date=at_date)
        Arrangement._expire_offers(company, at_date)
        domain = Domain('company_id', '=', company.id) & (
            (Domain('state', '=', 'active') & Domain('activated_on', '<=', at_date))
            | (Domain('close_code', 'in', ENDED_BY_LEDGER)
               & Domain('closed_on', '>=', at_date - timedelta(days=LOOK_BACK_DAYS))))
        by_debtor = Arrangement.search(domain, order='id').grouped('partner_id')
        changed = Arrangement
        for chunk in split_every(CHUNK, by_debtor.values(), list):
            batch = Arrangement.union(*chunk).try_lock_for_update().filtered_domain(domain)
            changed |= batch._decide(at_date)
            checkpoint()
        # After the others: what one that ended leaves is held by the one that is to take its place.
        offered = Domain('company_id', '=', company.id) & Domain('state', 'in', ('offered', 'signed'))
        Arrangement.search(offered, order='id').try_lock_for_update().filtered_domain(offered)._apart(
            lambda arrangement: arrangement._keep_held(at_date))
        return changed.with_env(self.env)

    @api.model
    def _expire_offers(self, company, at_date):
        """End offers whose last day has passed: nobody is bound by them, and their items are free."""
        domain = Domain('company_id', '=', company.id) & Domain('state', '=', 'offered') & Domain(
            'valid_until', '<', at_date)
        for arrangement in self.search(domain).try_lock_for_update().filtered_domain(domain):
            local = arrangement.with_context(lang=company.partner_id.lang)
            arrangement._close('cancelled', 'expired', local.env._(
                "It was not signed by %s.", format_date(local.env, arrangement.valid_until)))
            arrangement._tell_owner('mail.mail_activity_data_todo', lambda env, arrangement=arrangement: (
                env._("%s did not sign the payment arrangement", arrangement.partner_id.name),
                arrangement.with_env(env).story))

    def _decide(self, at_date, *, matched_only=False):
        """Write down what the ledger says of these arrangements on a day; return those whose state changed.

        :param bool matched_only: payments are being matched now: nothing is sent and nothing runs out
        """
        accounts = self._get_accounts(at_date)
        stopped = self.browse() if matched_only else self._get_stopped(at_date)
        invoices = {} if matched_only else self._get_new_invoices(at_date)

        def decide(arrangement):
            arrangement._decide_one(
                accounts[arrangement.id], at_date, matched_only=matched_only, stopped=arrangement in stopped,
                invoices=invoices.get(arrangement.id))

        before = {arrangement: arrangement.state for arrangement in self}
        self.sorted('id')._apart(decide)
        return self.filtered(lambda arrangement: arrangement.state != before[arrangement])

    def _apart(self, decide):
        """Decide about each; what fails is undone and logged, and stops neither others nor a payment."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                for arrangement in self:
                    decide(arrangement)
        except OperationalError:
            raise  # another transaction was first: done again, or by the next run
        except Exception:
            self.env.invalidate_all()
            if len(self) == 1:
                _logger.exception("Payment arrangement %s could not be followed", self.name)
                return
            for arrangement in self:  # find the culprit
                arrangement._apart(decide)

    def _decide_matched(self):
        """Decide again while payments are being matched or undone."""
        for company, batch in self.filtered(
            lambda arrangement: arrangement.state == 'active' or arrangement.close_code in ENDED_BY_LEDGER
        ).grouped('company_id').items():
            batch.with_company(company)._decide(company._dunning_today(), matched_only=True)

    def _decide_one(self, account, at_date, *, matched_only, stopped, invoices):
        self.ensure_one()
        if self.state != 'active' and not self._comes_back(account, at_date):
            self._write_account(account, at_date)
            if not matched_only:
                self._finish(at_date)
            return
        self._write_account(account, at_date)
        if not account.left:
            self._decide_settled(account, at_date, matched_only=matched_only)
        elif not matched_only and not stopped:
            self._follow_up(account, at_date)
        if self.state == 'active' and not matched_only and not stopped:
            self._follow_new_invoices(invoices or self.env['account.move.line'], at_date)
        if not matched_only:
            if self.state == 'active':
                self._keep_held(at_date)
            else:
                self._finish(at_date)

    def _comes_back(self, account, at_date):
        """Reopen what the ledger ended, when the ledger says otherwise now; return whether it runs again."""
        if self.state == 'broken':
            told = [
                (index, instalment.last_date) for index, instalment in enumerate(self._get_parts())
                if instalment.last_date]
            in_time = self.close_code == 'missed' and bool(told) and not any(
                self._get_part_until(account, index, self._get_break_date(last)).left for index, last in told)
            return in_time and self._reopen(at_date, lambda env: env._(
                "The money had come in time, and was only booked later."))
        return bool(account.left) and self.close_code in ENDED_BY_LEDGER and self._reopen(at_date, lambda env: env._(
            "A payment or credit note was undone, so %s is open again.", format_amount(
                env, float(account.left), self.currency_id)))

    @api.model
    def _get_part_until(self, account, index, day):
        """Return what had become of one instalment by a day."""
        events = [event for event in account.events if event[0] <= day]
        return fill([part.amount for part in account.parts], events, account.lowered)[index]

    @api.model
    def _get_break_date(self, last_date):
        """Return the last day on which money is waited for that was to be paid by ``last_date``."""
        return add_bank_days(last_date, BOOK_DAYS)

    def _get_last_date(self, at_date):
        """Return until when something can be paid that is asked for on a day."""
        return extended(at_date + timedelta(days=self.company_id.dunning_arrangement_break_days))

    def _decide_settled(self, account, at_date, *, matched_only):
        """Nothing is left to pay: it is kept, or there was nothing to keep."""
        if not account.sure and at_date <= max(self.instalment_ids.mapped('grace_date')):
            return  # the money may be for something else; who knows before the end
        local = self.with_context(lang=self.company_id.partner_id.lang)
        if not account.paid:
            self._close('cancelled', 'credited', local.env._(
                "What it was about was credited or otherwise settled, so nothing was left to pay."))
        elif self.interest_mode == 'runs' and not self.instalment_ids.filtered(lambda part: part.kind == 'interest'):
            # Booked by the daily run: a payment that is being matched waits for no other entry.
            if not matched_only and not self._add_interest(at_date):
                self._close('kept', 'paid', local.env._("Everything was paid as agreed."))
        else:
            self._close('kept', 'paid', local.env._("Everything was paid as agreed."))
        if self.state != 'active':
            self._write_account(account, at_date)
            if self.state == 'kept':
                self.partner_id._message_log(body=f"{self.name}: {local.story}")

    def _follow_up(self, account, at_date):
        """Remind of what is about to be due, tell what did not come, end what was told and did not come."""
        company = self.company_id
        instalments = self._get_parts()
        missed = instalments.filtered(lambda part: part.state == 'missed')
        given_up = missed.filtered(lambda part: part.last_date and at_date > self._get_break_date(part.last_date))[:1]
        if given_up:
            local = self.with_context(lang=company.partner_id.lang)
            self._break('missed', local.env._(
                "%(amount)s of %(date)s did not come by %(last)s.",
                amount=format_amount(local.env, given_up.amount_left, self.currency_id),
                date=format_date(local.env, given_up.date_due), last=format_date(local.env, given_up.last_date)),
                account, at_date)
            return
        untold = missed.filtered(lambda part: not part.last_date)
        if untold:
            untold._recording().write({'missed_on': at_date, 'last_date': self._get_last_date(at_date)})
            self._write_to_debtor('missed', at_date, untold)
        if missed or not company.dunning_arrangement_remind_days or self.activated_on == at_date:
            return
        soon = instalments.filtered(lambda part: (
            part.state == 'due' and not part.reminded_on
            and self.currency_id.compare_amounts(part.amount_left, float(account.waiting)) > 0))[:1]
        if soon:
            soon._recording().write({'reminded_on': at_date})
            self._write_to_debtor('reminder', at_date, soon)

    def _break(self, code, reason, account, at_date):
        """End what was not kept: everything that is left is due at once, and reminders go on softly."""
        self._close('broken', code, reason)
        if account:
            self._write_account(account, at_date)
        local = self.with_context(lang=self.company_id.partner_id.lang)
        self.partner_id._message_log(body=f"{self.name}: {local.story}")
        self._tell_owner('mail.mail_activity_data_call', lambda env: (
            env._("%s did not keep the payment arrangement", self.partner_id.name), self.with_env(env).story))

    def _close(self, state, code, reason):
        # EXTENDS: what is not paid any more is not expected any more either.
        closing = self.filtered(lambda arrangement: arrangement.state not in CLOSED_STATES)
        result = super()._close(state, code, reason)
        parts = closing.instalment_ids.filtered(lambda part: part.state not in ('paid', 'cancelled'))
        lapsed = parts.filtered(lambda part: state != 'broken' or not part.last_date)
        if lapsed:
            lapsed._recording().write({'state': 'cancelled', 'amount_left': 0.0})
        closing._recording().write({'next_date': False, 'next_amount': 0.0, 'end_told_on': False})
        # The items are free from here on, also for an arrangement that takes its place in the same transaction.
        closing.line_ids.flush_recordset(['is_live'])
        return result

    def _reopen(self, at_date, get_why):
        """Let an arrangement run again that had ended; return whether that could be.

        :param get_why: function of an environment that returns why, in its language
        """
        self.ensure_one()
        taken = self.env['dunning.arrangement.line'].search([
            ('move_line_id', 'in', self.line_ids.move_line_id.ids), ('is_live', '=', True),
            ('arrangement_id', '!=', self.id)], limit=1)
        if taken or self.replaced_by_id:
            self._tell_owner('mail.mail_activity_data_todo', lambda env: (
                env._("Look at %s again", self.name),
                env._("%(why)s It does not run again by itself: there is a later arrangement about this.",
                      why=get_why(env))))
            return False
        before = self.state
        self._recording().write({
            'state': 'active', 'closed_on': False, 'close_code': False, 'close_reason': False, 'end_told_on': False})
        self.line_ids._recording().write({'is_live': True})
        if before == 'broken':
            self.instalment_ids._recording().write({'last_date': False, 'missed_on': False})
        self._unlink_reminders()
        self._keep_held(at_date)
        local = self.with_context(lang=self.company_id.partner_id.lang)
        self._message_log(body=local.env._("It runs again. %s", get_why(local.env)))
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            env._("The payment arrangement of %s runs again", self.partner_id.name), get_why(env)))
        return True

    # -------------------------------------------------------------------------
    # WHAT FOLLOWS
    # -------------------------------------------------------------------------

    def _follow_activation(self):
        # EXTENDS: the debtor may have paid before we signed.
        result = super()._follow_activation()
        for arrangement in self.sudo():  # sudo: as when it is judged
            arrangement._decide(arrangement.company_id._dunning_today(), matched_only=True)
        return result

    def _get_hold_end(self):
        # EXTENDS: a missed instalment is waited for until its last chance has passed.
        unpaid = self.instalment_ids.filtered(lambda part: part.state not in ('paid', 'cancelled'))
        return max(
            self._get_break_date(part.last_date or self._get_last_date(part.grace_date + timedelta(days=1)))
            for part in unpaid or self.instalment_ids)

    def _get_stopped(self, at_date):
        """Return those about which nothing is sent now and which do not end: something else is going on.

        Everything of the debtor is on hold (insolvency, a death, an answer to be read), or an item is disputed. Each
        of these has an owner and an end of its own.
        """
        Hold = self.env['dunning.hold']
        holds = Hold.search(
            Hold._get_active_domain(at_date) & Domain('scope', '=', 'debtor')
            & Domain('company_id', 'in', self.company_id.ids) & Domain('partner_id', 'in', self.partner_id.ids))
        on_hold = {(hold.company_id.id, hold.partner_id.commercial_partner_id.id) for hold in holds}
        disputed = Hold._get_items_in_dispute(self.line_ids.move_line_id)
        return self.filtered(lambda arrangement: (
            (arrangement.company_id.id, arrangement.partner_id.id) in on_hold
            or arrangement.line_ids.move_line_id & disputed))

    def _get_new_invoices(self, at_date):
        """Return ``{arrangement id: due items}`` of new invoices that should have been paid and were not."""
        asking = self.filtered(
            lambda arrangement: arrangement.state == 'active' and arrangement.new_invoices == 'must_pay')
        if not asking:
            return {}
        Hold = self.env['dunning.hold']
        items = self.env['account.move.line'].search(
            self.env['account.move']._get_dunning_open_items_domain()
            & Domain('company_id', 'in', asking.company_id.ids)
            & Domain('partner_id.commercial_partner_id', 'in', asking.partner_id.ids)
            & Domain('date_maturity', '<', at_date)
            & Domain('move_id.invoice_date', '>=', min(asking.mapped('activated_on')))
            & Domain('move_id.dunning_notice_id', '=', False) & Domain('move_id.dunning_arrangement_id', '=', False),
            order='date_maturity, id')
        held = Hold.search(
            Hold._get_active_domain(at_date) & (Domain('move_line_id', 'in', items.ids) | (
                Domain('move_line_id', '=', False) & Domain('move_id', 'in', items.move_id.ids))))
        items = items.filtered(lambda item: item not in held.move_line_id and item.move_id not in held.filtered(
            lambda hold: not hold.move_line_id).move_id) - Hold._get_items_in_dispute(items)
        found = {}
        for arrangement in asking:
            late = items.filtered(lambda item, arrangement=arrangement: (
                item.company_id == arrangement.company_id
                and item.partner_id.commercial_partner_id == arrangement.partner_id
                and item.move_id.invoice_date >= arrangement.activated_on
                and at_date > add_bank_days(item.date_maturity, arrangement.grace_days)
            )) - arrangement.line_ids.move_line_id
            if late:
                found[arrangement.id] = late
        return found

    def _follow_new_invoices(self, items, at_date):
        """Ask for new invoices that are to be paid on time, and end the arrangement when that did not help."""
        if not items:
            self._write_changes(self, {'new_invoice_on': False, 'new_invoice_last_date': False})
            return
        if not self.new_invoice_last_date:
            self._recording().write({
                'new_invoice_on': at_date, 'new_invoice_last_date': self._get_last_date(at_date)})
            self._write_to_debtor('new_invoice', at_date, items=items)
        elif at_date > self._get_break_date(self.new_invoice_last_date):
            local = self.with_context(lang=self.company_id.partner_id.lang)
            self._break('new_invoice', local.env._(
                "The new invoice %(invoice)s was not paid by %(last)s.", invoice=items[:1].move_id.name,
                last=format_date(local.env, self.new_invoice_last_date)), None, at_date)

    # --- interest ---

    def _add_interest(self, at_date):
        """Book the interest that ran on as agreed, and add it as the last instalment; return whether there was any."""
        self.ensure_one()
        interest = self._get_run_interest(at_date)
        total = sum(interest.values(), ZERO)
        if total <= 0:
            return False
        due = extended(at_date + timedelta(days=INTEREST_DAYS))
        for line, amount in interest.items():
            line._recording().write({'booked_interest': line.booked_interest + float(amount)})
        self._recording().write({
            'date_last': due,
            'instalment_ids': [Command.create({
                'sequence': max(self.instalment_ids.mapped('sequence')) + 1,
                'kind': 'interest',
                'date_due': due,
                'grace_date': add_bank_days(due, self.grace_days),
                'amount': float(total),
                'amount_left': float(total),
            })],
        })
        self._book(total, ZERO, at_date)
        self._write_account(self._get_accounts(at_date)[self.id], at_date)
        local = self.with_context(lang=self.company_id.partner_id.lang)
        self._message_log(body=local.env._(
            "What was agreed is paid. %(amount)s of interest ran meanwhile and is to be paid by %(date)s.",
            amount=format_amount(local.env, float(total), self.currency_id), date=format_date(local.env, due)))
        return True

    def _get_run_interest(self, at_date):
        """Return ``{line: interest}`` (Decimal) that ran since it was drawn up, as the claim works it out."""
        self.ensure_one()
        lines = self.line_ids.filtered(lambda line: not line.is_booking and line.move_line_id)
        if not lines:
            return {}
        Claim = self.env['dunning.claim'].with_company(self.company_id)
        items = lines.move_line_id
        now = {entry.item_id: entry.interest for entry in Claim._compute(items, at_date, with_costs=False).items}
        before = {} if self.with_interest else {
            entry.item_id: entry.interest
            for entry in Claim._compute(items, self.claim_date, with_costs=False).items}
        ran = {
            line: now.get(line.move_line_id.id, ZERO) - before.get(line.move_line_id.id, ZERO) for line in lines}
        return {line: amount for line, amount in ran.items() if amount > 0}

    def _waive_interest(self, at_date):
        """Waive the interest that the law let run beyond what was agreed, now that it was kept.

        Also where interest ran on: while the debtor pays its last instalment, the law lets a little more run.
        """
        self.ensure_one()
        items = self.line_ids.filtered(lambda line: not line.is_booking).move_line_id
        Waiver = self.env['dunning.waiver'].with_company(self.company_id)
        if items:
            claim = self.env['dunning.claim'].with_company(self.company_id)._compute(items, at_date, with_costs=False)
            reason = self.with_context(lang=self._get_lang()).env._(
                "Paid as agreed in the payment arrangement %s.", self.name)
            Waiver.create([
                {'item_id': entry.item_id, 'amount_interest': float(entry.interest), 'reason': reason}
                for entry in claim.items if entry.interest > 0])
        self._recording().waived_on = at_date

    def _finish(self, at_date):
        """Do once what follows when it ended by the ledger: waive, and tell the debtor."""
        self.ensure_one()
        if self.state == 'kept' and not self.waived_on:
            self._waive_interest(at_date)
        if self.state == 'kept' and self.currency_id.compare_amounts(self.amount_over, 0) > 0 and not self.end_told_on:
            self._tell_owner('mail.mail_activity_data_todo', lambda env: (
                env._("%s paid too much", self.partner_id.name),
                env._("%s Pay it back, or set it off.", self.with_env(env).story)))
        if self.end_told_on or self.state not in ('kept', 'broken'):
            return
        self._recording().end_told_on = at_date
        if self.state == 'broken' or self.company_id.dunning_arrangement_tell_kept:
            self._write_to_debtor(self.state, at_date)

    def _tell_owner(self, activity_type, get_texts):
        """Plan one activity for whoever answers for it.

        :param get_texts: function of an environment that returns (summary, note) in its language
        """
        self.ensure_one()
        user = self._get_responsible()
        if not user:
            return
        summary, note = get_texts(self.with_context(lang=user.lang).env)
        # sudo: what is planned already, also for colleagues
        if summary in self.sudo().activity_ids.filtered(lambda activity: activity.user_id == user).mapped('summary'):
            return
        self.activity_schedule(
            activity_type, date_deadline=self.company_id._dunning_today(), user_id=user.id, automated=True,
            summary=summary, note=note)

    def _get_responsible(self):
        """Return the collector; where he left, the contact on letters of the company, else a manager."""
        self.ensure_one()
        # sudo: which user belongs to the contact on our own letters
        contact = self.company_id.dunning_contact_id.sudo().user_ids.filtered(lambda user: not user.share).sudo(False)
        for user in (self.user_id | contact):
            # sudo: whether a colleague works in a company
            if user.active and not user._is_superuser() and self.company_id in user.sudo().company_ids:
                return user
        return self.env['dunning.interest.rate']._get_manager(self.company_id)
