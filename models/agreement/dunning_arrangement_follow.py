"""What becomes of an arrangement: the ledger decides whether it is kept, and its items wait as long as it is.

:meth:`_judge` runs before planning: it reminds, tells what did not come, and ends what was not kept. Matching and
unmatching only fill, keep and reopen, so that no payment ever waits for an e-mail.
"""

import logging
from datetime import date, timedelta
from typing import Any, NamedTuple

from markupsafe import escape
from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount, split_every

from ...tools.agreement.instalment_account import fill
from ...tools.law.dutch_calendar import add_bank_days, extended
from ..kernel.formats import format_day
from ..sending.dunning_run import no_checkpoint
from .arrangement_states import ENDED_BY_LEDGER

_logger = logging.getLogger(__name__)
# How long after its end an arrangement is looked at again every day, in days. What is matched or undone later than
# that is noticed when it happens.
LOOK_BACK_DAYS = 60
# Debtors whose arrangements are judged per commit.
CHUNK = 50
# Days the debtor gets in the notice that an instalment did not come: enough to read it and to transfer, as in a first
# reminder.
LAST_CHANCE_DAYS = 7
# Money that was paid on the last day is in the books so many bank days later: until then it is waited for.
BOOK_DAYS = 1
# Days for which items are held each time while what a debtor signed waits for our signature past its own days.
WAITING_DAYS = 7


class Day(NamedTuple):
    """What is known of one arrangement on the day on which it is followed."""

    at_date: date
    account: Any  # dunning_arrangement_ledger.Account
    stopped: bool  # nothing is sent and it does not end: something else is going on
    invoices: Any  # account.move.line: new invoices that should have been paid
    matched_only: bool  # payments are being matched now: nothing is sent and nothing runs out


class DunningArrangementFollow(models.AbstractModel):
    _name = 'dunning.arrangement.follow'
    _description = "Payment Arrangement"

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
        changed = Arrangement._follow_running(company, at_date, checkpoint)
        # After the others: what one that ended leaves is held by the one that is to take its place.
        Arrangement._hold_offered(company, at_date)
        return changed.with_env(self.env)

    @api.model
    def _follow_running(self, company, at_date, checkpoint):
        """Follow what runs, and what the ledger ended and may take back; return those whose state changed."""
        domain = Domain('company_id', 'in', company._get_dunning_company_ids()) & (
            (Domain('state', '=', 'active') & Domain('activated_on', '<=', at_date))
            | (Domain('close_code', 'in', ENDED_BY_LEDGER)
               & Domain('closed_on', '>=', at_date - timedelta(days=LOOK_BACK_DAYS))))
        changed = self.browse()
        for chunk in split_every(CHUNK, self.search(domain, order='id').grouped('partner_id').values(), list):
            changed |= self.union(*chunk).try_lock_for_update().filtered_domain(domain)._decide(at_date)
            checkpoint()
        return changed

    @api.model
    def _hold_offered(self, company, at_date):
        """Keep on hold what is on offer, and what waits for our signature; say when it asks what is not owed."""
        def follow(arrangement):
            arrangement._keep_held(at_date)
            arrangement._tell_void()

        offered = Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain(
            'state', 'in', ('offered', 'signed'))
        self.search(offered, order='id').try_lock_for_update().filtered_domain(offered)._apart(follow)

    @api.model
    def _expire_offers(self, company, at_date):
        """End offers whose last day has passed: nobody is bound by them, and their items are free."""
        domain = Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain([
            ('state', '=', 'offered'), ('valid_until', '<', at_date)])
        for arrangement in self.search(domain).try_lock_for_update().filtered_domain(domain):
            local = arrangement.with_context(lang=company.partner_id.lang)
            arrangement._close('cancelled', 'expired', local.env._(
                "It was not signed by %s.", format_day(local.env, arrangement.valid_until)))
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
        nothing = self.env['account.move.line']

        def follow(arrangement):
            day = Day(
                at_date, accounts[arrangement.id], arrangement in stopped, invoices.get(arrangement.id, nothing),
                matched_only)
            for step in arrangement._get_follow_steps(matched_only=matched_only):
                step(day)

        before = {arrangement: arrangement.state for arrangement in self}
        self.sorted('id')._apart(follow)
        return self.filtered(lambda arrangement: arrangement.state != before[arrangement])

    def _get_follow_steps(self, *, matched_only):
        """Return the steps by which one arrangement follows the ledger; each gets the :class:`Day`.

        While payments are being matched only the first three: no payment ever waits for an e-mail.
        """
        steps = [self._come_back, self._record_account, self._settle]
        if not matched_only:
            steps += [self._follow_letters, self._follow_up, self._follow_new_invoices, self._renew_holds, self._finish]
        return steps

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

    def _come_back(self, day):
        """Let it run again when the ledger had ended it, and says otherwise now."""
        self.ensure_one()
        if self.state == 'broken':
            told = [
                (index, instalment.last_date) for index, instalment in enumerate(self._get_parts())
                if instalment.last_date]
            account, amounts = day.account, [part.amount for part in day.account.parts]
            if self.close_code == 'missed' and told and not any(
                fill(amounts, [event for event in account.events if event[0] <= add_bank_days(last, BOOK_DAYS)],
                     account.lowered)[index].left
                for index, last in told
            ):
                self._reopen(day.at_date, lambda env: env._("The money had come in time, and was only booked later."))
        elif day.account.left and self.close_code in ENDED_BY_LEDGER:
            self._reopen(day.at_date, lambda env: env._(
                "A payment or credit note was undone, so %s is open again.", format_amount(
                    env, float(day.account.left), self.currency_id)))

    def _record_account(self, day):
        """Write down what the ledger says of the instalments."""
        self._write_account(day.account, day.at_date)

    def _get_last_date(self, at_date):
        """Return until when something can be paid that is asked for on a day."""
        return extended(at_date + timedelta(days=LAST_CHANCE_DAYS))

    def _settle(self, day):
        """Nothing is left to pay: it is kept, or there was nothing to keep."""
        account, at_date = day.account, day.at_date
        if self.state != 'active' or account.left:
            return
        if not account.sure and at_date <= max(self.instalment_ids.mapped('grace_date')):
            return  # the money may be for something else; who knows before the end
        local = self.with_context(lang=self.company_id.partner_id.lang)
        asks_interest = self.interest_mode == 'runs' and 'interest' not in self.instalment_ids.mapped('kind')
        if not account.paid:
            self._close('cancelled', 'credited', local.env._(
                "What it was about was credited or otherwise settled, so nothing was left to pay."))
        # Booked by the daily run: a payment that is being matched waits for no other entry.
        elif not asks_interest or (not day.matched_only and not self._add_interest(at_date)):
            self._close('kept', 'paid', local.env._("Everything was paid as agreed."))
        if self.state != 'active':
            self._write_account(account, at_date)
            if self.state == 'kept':
                self.partner_id._message_log(body=f"{self.name}: {local.story}")

    def _follow_up(self, day):
        """Remind of what is about to be due, tell what did not come, end what was told and did not come."""
        account, at_date = day.account, day.at_date
        if self.state != 'active' or day.stopped or not account.left:
            return
        company = self.company_id
        instalments = self._get_parts()
        missed = instalments.filtered(lambda part: part.state == 'missed')
        given_up = missed.filtered(
            lambda part: part.last_date and at_date > add_bank_days(part.last_date, BOOK_DAYS))[:1]
        if given_up:
            local = self.with_context(lang=company.partner_id.lang)
            self._break('missed', local.env._(
                "%(amount)s of %(date)s did not come by %(last)s.",
                amount=format_amount(local.env, given_up.amount_left, self.currency_id),
                date=format_day(local.env, given_up.date_due), last=format_day(local.env, given_up.last_date)),
                account, at_date)
            return
        untold = missed.filtered(lambda part: not part.last_date)
        if untold:
            untold._recording().write({'missed_on': at_date, 'last_date': self._get_last_date(at_date)})
            self._write_to_debtor('missed', at_date, untold)
        if missed or self.activated_on == at_date:
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
    # WHAT STOPS IT
    # -------------------------------------------------------------------------

    def _get_stopped(self, at_date):
        """Return those about which nothing is sent now and which do not end: something else is going on.

        Everything of the debtor is on hold (insolvency, a death, an answer to be read), or an item is disputed. Each
        of these has an owner and an end of its own.
        """
        Hold = self.env['dunning.hold']
        holds = Hold.search(
            Hold._get_active_domain(at_date) & Domain('scope', '=', 'debtor')
            & Domain('company_id', 'in', self.company_id._get_dunning_company_ids())
            & Domain('partner_id', 'in', self.partner_id.ids))
        on_hold = {
            (company_id, hold.partner_id.commercial_partner_id.id)
            for hold in holds for company_id in hold.company_id._get_dunning_company_ids()}
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
        Item = self.env['account.move.line']
        items = Item.search(
            Item._get_dunning_open_domain(debtors=asking.partner_id)
            & Domain('company_id', 'in', asking.company_id._get_dunning_company_ids())
            & Item._get_dunning_due_before_domain(at_date)
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
                item.company_id.id in arrangement.company_id._get_dunning_company_ids()
                and item.partner_id.commercial_partner_id == arrangement.partner_id
                and item.move_id.invoice_date >= arrangement.activated_on
                and at_date > add_bank_days(item._get_dunning_due_date(), arrangement.grace_days)
            )) - arrangement.line_ids.move_line_id
            if late:
                found[arrangement.id] = late
        return found

    def _follow_new_invoices(self, day):
        """Ask for new invoices that are to be paid on time, and end the arrangement when that did not help."""
        items, at_date = day.invoices, day.at_date
        if self.state != 'active' or day.stopped:
            return
        if not items:
            self._write_changes(self, {'new_invoice_last_date': False})
            return
        if not self.new_invoice_last_date:
            self._recording().new_invoice_last_date = self._get_last_date(at_date)
            self._write_to_debtor('new_invoice', at_date, items=items)
        elif at_date > add_bank_days(self.new_invoice_last_date, BOOK_DAYS):
            local = self.with_context(lang=self.company_id.partner_id.lang)
            self._break('new_invoice', local.env._(
                "The new invoice %(invoice)s was not paid by %(last)s.", invoice=items[:1].move_id.name,
                last=format_day(local.env, self.new_invoice_last_date)), None, at_date)

    # -------------------------------------------------------------------------
    # WHAT FOLLOWS
    # -------------------------------------------------------------------------

    def _follow_letters(self, day):
        """Step: ask for new instalments when it asks interest or costs that are not owed any more."""
        self._tell_void()

    def _tell_void(self):
        self.ensure_one()
        if self.state in ('offered', 'signed', 'active') and self._rests_on_void():
            self._tell_owner('mail.mail_activity_data_todo', lambda env: (
                env._("It asks interest or costs that are not owed: propose new instalments"),
                env._(
                    "%(arrangement)s asks %(interest)s of interest and %(costs)s of collection costs. By the facts of "
                    "today less was owed: a letter does not hold any more, or a payment was entered late. Let a new "
                    "arrangement take its place, and credit what was booked.",
                    arrangement=self.display_name, interest=self.currency_id.format(self.amount_interest),
                    costs=self.currency_id.format(self.amount_costs))))

    def _renew_holds(self, day):
        """Keep its items on hold as long as it runs."""
        if self.state == 'active':
            self._keep_held(day.at_date)

    def _finish(self, day):
        """Do once what follows when it ended by the ledger: waive, and tell the debtor."""
        self.ensure_one()
        at_date = day.at_date
        if self.state == 'kept' and not self.waived_on:
            self._waive_interest(at_date)
        if self.state == 'kept' and self.currency_id.compare_amounts(self.amount_over, 0) > 0 and not self.end_told_on:
            self._tell_owner('mail.mail_activity_data_todo', lambda env: (
                env._("%s paid too much", self.partner_id.name),
                env._("%s Pay it back, or set it off.", self.with_env(env).story)))
        if self.end_told_on or self.state not in ('kept', 'broken'):
            return
        self._recording().end_told_on = at_date
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
            # What a debtor typed is no HTML.
            summary=summary, note=escape(note))

    def _for_collector(self):
        """Return the arrangement in the language of who is to act, also when the debtor is at work in the portal."""
        self.ensure_one()
        return self.with_context(lang=self._get_responsible().lang or self.env.lang)

    # -------------------------------------------------------------------------
    # HOLDS
    # -------------------------------------------------------------------------

    def _check_hold_length(self, today):
        """Raise when its items could not be held for as long as it runs."""
        # sudo: a number of days
        most, end = self._get_hold_reason().sudo().max_days, self._get_hold_end()
        if (end - today).days > most:
            raise UserError(self.env._(
                "It would run until %(end)s, and a hold for an arrangement lasts %(days)s days at most. Choose fewer "
                "or larger instalments, or let a manager lengthen the hold under Configuration, Reasons to Hold.",
                end=format_day(self.env, end), days=most))

    def _get_hold_end(self):
        """Return the last day on which its items are held while it runs.

        A missed instalment is waited for until its last chance has passed.
        """
        self.ensure_one()
        unpaid = self.instalment_ids.filtered(
            lambda part: part.state not in ('paid', 'cancelled')) or self.instalment_ids
        told = unpaid.filtered('last_date')
        ends = told.mapped('last_date')
        if unpaid - told:
            # As `_get_last_date` of the day after its grace.
            ends.append(extended(max((unpaid - told).mapped('grace_date')) + timedelta(days=1 + LAST_CHANCE_DAYS)))
        return add_bank_days(max(ends), BOOK_DAYS)

    def _get_held_until(self, today):
        """Return the last day on which its items have to be on hold as it stands now.

        Who was offered an arrangement is not reminded of what it is about while he can still sign; who signed it is
        not reminded while it waits for us.
        """
        self.ensure_one()
        if self.state == 'offered':
            return self.valid_until
        if self.state == 'signed':
            # Lengthened on its last day: what has ended cannot be.
            return max(self.valid_until, min(self.instalment_ids.mapped('grace_date')), today + timedelta(days=1))
        return self._get_hold_end()

    def _keep_held(self, today):
        """Keep exactly its open items on hold from the offer until it ends, no longer than a hold can last."""
        for arrangement in self:
            end = arrangement._get_held_until(today)
            items = arrangement._get_own_items().filtered(
                lambda item: item.parent_state == 'posted' and not item.reconciled)
            if arrangement.state != 'active':
                # Held by the one that runs, until this one takes its place.
                items -= arrangement.previous_id.hold_ids.filtered(
                    lambda hold: not hold.closed_on and hold.date_end >= today).move_line_id
            holds = arrangement.hold_ids.filtered(lambda hold: not hold.closed_on and hold.date_end >= today)
            if items <= holds.filtered(lambda hold, end=end: hold.date_end >= end).move_line_id:
                continue
            if arrangement.state == 'signed':
                end = max(end, today + timedelta(days=WAITING_DAYS))
            # sudo: a number of days
            end = max(today, min(end, today + timedelta(days=arrangement._get_hold_reason().sudo().max_days)))
            short = holds.filtered(lambda hold, end=end: hold.date_end < end)
            if short:
                local = arrangement.with_context(lang=arrangement.company_id.partner_id.lang)
                short._extend(end, local.env._(
                    "The payment arrangement %s still runs.", arrangement.name) if arrangement.state == 'active'
                    else local.env._("The debtor signed the payment arrangement %s.", arrangement.name))
            arrangement._create_holds(arrangement._prepare_holds(items - holds.move_line_id, end))

    def _place_holds(self, today):
        """Hold exactly the items until the end of the last grace; other short holds for an arrangement end."""
        for arrangement in self:
            items = arrangement.line_ids.move_line_id
            short = self.env['dunning.hold'].search(
                Domain('company_id', 'in', arrangement.company_id._get_dunning_company_ids())
                & Domain('kind', '=', 'arrangement')
                & Domain('closed_on', '=', False) & Domain('arrangement_id', '=', False)
                & Domain('partner_id', '=', arrangement.partner_id.id)
                & (Domain('move_line_id', 'in', items.ids)
                   | (Domain('move_line_id', '=', False) & Domain('move_id', 'in', items.move_id.ids))))
            arrangement._keep_held(today)
            short._close(self.env._("The payment arrangement %s began.", arrangement.name))
