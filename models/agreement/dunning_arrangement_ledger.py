"""An arrangement and the ledger: what came in on its instalments, and what it asks on top in the books.

Nothing about payments is entered. On any day the instalments follow from what was matched to the items since it was
agreed, whatever route the money came by, and from what lies ready unmatched (:meth:`_get_accounts`).

Whoever signs owes interest and costs as agreed, so when it begins to run they are booked as an invoice of their own,
outside VAT, whatever the policy does with letters: every euro that is to be paid is an open item then, and any payment
finds it. The claim knows of it as it knows the bookings of notices: what was booked counts once.
"""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from odoo import Command, api, models
from odoo.tools import format_amount

from ...tools.agreement.instalment_account import fill, left_until
from ...tools.law.amounts import ZERO, to_decimal
from ...tools.law.dutch_calendar import add_bank_days, extended
from ..claim.dunning_claim_booking import BookingWords
from ..kernel.formats import format_day
from .arrangement_states import REMIND_DAYS

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


class DunningArrangementLedger(models.AbstractModel):
    _name = 'dunning.arrangement.ledger'
    _description = "Payment Arrangement"

    # -------------------------------------------------------------------------
    # WHAT THE LEDGER SAYS
    # -------------------------------------------------------------------------

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
            ('company_id', 'in', self.company_id._get_dunning_company_ids()), ('partner_id', 'in', self.partner_id.ids),
            ('state', '=', 'active')])
        Money = self.env['dunning.money']
        matched = Money._read_matched(everyone.line_ids.move_line_id, at_date)
        # sudo: only which creditor it is
        creditor_of = {company: company.sudo().dunning_creditor_id for company in everyone.company_id}
        pools = Money._get_pools({
            creditor: arrangements.partner_id
            for creditor, arrangements in everyone.grouped(lambda one: creditor_of[one.company_id]).items()
        }, at_date)
        return {
            arrangement.id: arrangement._get_account(at_date, matched, pools.get(
                (creditor_of[arrangement.company_id].id, arrangement.partner_id.id, arrangement.currency_id.id), []))
            for arrangement in everyone.sorted('id')}

    def _get_account(self, at_date, matched, pool):
        """Return the :class:`Account` of one arrangement; what counts of ``pool`` is taken out of it."""
        self.ensure_one()
        currency, known = self.currency_id, self.known or {}
        digits = currency.decimal_places
        parts = self._get_parts()
        amounts = [to_decimal(part.amount, digits) for part in parts]
        items = self._get_own_items().sorted('id')
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
        own, free = set(self.line_ids.move_line_id.ids), self.env['dunning.money']._get_free
        fresh = [credit for credit in pool if credit['move_id'] not in set(known.get('open', ()))]

        def take(credit, most):
            amount = max(ZERO, min(to_decimal(free(credit, own), digits), most))
            credit['amount'] -= float(amount)
            return amount

        def get_left():
            return sum(amounts, ZERO) - lowered - sum((amount for _day, amount in events), ZERO)

        for credit in fresh:
            if credit['named'].keys() & own:
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
        waiting = sum((to_decimal(free(credit, own), digits) for credit in fresh if credit['is_money']), ZERO)
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
        soon = add_bank_days(at_date, REMIND_DAYS)
        return 'due' if instalment.date_due <= max(soon, at_date) else 'open'

    # -------------------------------------------------------------------------
    # BOOKING INTEREST AND COSTS
    # -------------------------------------------------------------------------

    def _book_extras(self, today):
        """Book what the arrangement asks of interest and costs and nothing booked before."""
        self.ensure_one()
        amounts = {
            line: (to_decimal(line.to_book_interest), to_decimal(line.to_book_costs)) for line in self.line_ids
            if line.to_book_interest or line.to_book_costs}
        if amounts:
            move, commands = self._book(amounts, today)
            self._recording().write({'booking_move_id': move.id, 'line_ids': commands})

    def _book(self, amounts, today):
        """Post an invoice of interest and costs.

        :param dict amounts: ``{line: (interest, costs)}`` (Decimal), what is booked for each item
        :return: the invoice, and the commands on ``line_ids`` by which the arrangement covers it
        """
        self.ensure_one()
        interest, costs = (sum(parts, ZERO) for parts in zip(*amounts.values(), strict=True))
        move = self.env['dunning.claim']._post_bookings(
            self.company_id, [self._prepare_booking(interest, costs, today)]).sudo(False)
        return move, [
            *(
                Command.update(line.id, {
                    'booked_interest': line.booked_interest + float(interest),
                    'booked_costs': line.booked_costs + float(costs)})
                for line, (interest, costs) in amounts.items()),
            *(
                Command.create({
                    'move_line_id': item.id, 'name': move.name, 'date_due': item._get_dunning_due_date(),
                    'is_booking': True, 'is_live': True})
                for item in move.line_ids._filter_dunning_due()),
        ]

    def _rests_on_void(self):
        """Return whether it asks a consumer more interest or costs than he owed on its day, by the facts of now.

        A letter can have lost its effect since, or a payment was entered late.
        """
        self.ensure_one()
        asking = self.line_ids.filtered(lambda line: (
            line.move_line_id and not line.is_booking and (line.amount_interest or line.amount_costs)))
        debtor = self.partner_id.with_company(self.company_id)
        if not asking or debtor.dunning_effective_type != 'consumer':
            return False
        owed = self.env['dunning.claim'].with_company(self.company_id)._compute_items(
            asking.move_line_id, self.claim_date)
        return any(
            to_decimal(line.amount_interest) > owed[line.move_line_id.id].interest
            or to_decimal(line.amount_costs) > owed[line.move_line_id.id].costs for line in asking)

    def _prepare_booking(self, interest, costs, today):
        """Return the values of the invoice that books interest and costs of this arrangement (amounts: Decimal)."""
        self.ensure_one()
        env = self.with_context(lang=self.lang).env
        words = BookingWords(
            env._("Collection costs, as agreed in %s", self.name),
            env._("Interest, as agreed in %s", self.name),
            self.env._(
                "The arrangement asks interest or collection costs, and no product is set to book them. Choose it "
                "in the settings of Debtor Management."),
            lambda day: self.env._(
                "The books are locked until %(date)s, so the interest and costs of %(arrangement)s cannot be booked. "
                "Lift the lock first.",
                date=format_day(self.env, day), arrangement=self.name))
        return self.env['dunning.claim']._prepare_booking(self, interest, costs, words, today, self.date_last)

    # -------------------------------------------------------------------------
    # INTEREST WHILE IT RAN
    # -------------------------------------------------------------------------

    def _add_interest(self, at_date):
        """Book the interest that ran on as agreed, and add it as the last instalment; return whether there was any."""
        self.ensure_one()
        interest = self._get_run_interest(at_date)
        total = sum(interest.values(), ZERO)
        if total <= 0:
            return False
        due = extended(at_date + timedelta(days=INTEREST_DAYS))
        _move, commands = self._book({line: (amount, ZERO) for line, amount in interest.items()}, at_date)
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
            'line_ids': commands,
        })
        self._write_account(self._get_accounts(at_date)[self.id], at_date)
        local = self.with_context(lang=self.company_id.partner_id.lang)
        self._message_log(body=local.env._(
            "What was agreed is paid. %(amount)s of interest ran meanwhile and is to be paid by %(date)s.",
            amount=format_amount(local.env, float(total), self.currency_id), date=format_day(local.env, due)))
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
        agreed = lines if self.with_unasked else lines.filtered('amount_interest')
        others = items - agreed.move_line_id if self.with_interest else items
        before = {
            entry.item_id: entry.interest
            for entry in Claim._compute(items, self.claim_date, with_costs=False).items
            if entry.item_id in others.ids} if others else {}
        ran = {
            line: now.get(line.move_line_id.id, ZERO) - before.get(line.move_line_id.id, ZERO) for line in lines}
        return {line: amount for line, amount in ran.items() if amount > 0}

    def _waive_interest(self, at_date):
        """Waive the interest that the law let run beyond what was agreed, now that it was kept.

        Also where interest ran on: while the debtor pays its last instalment, the law lets a little more run.
        """
        self.ensure_one()
        items = self._get_claimed_items()
        Waiver = self.env['dunning.waiver'].with_company(self.company_id)
        if items:
            claim = self.env['dunning.claim'].with_company(self.company_id)._compute(items, at_date, with_costs=False)
            reason = self.with_context(lang=self._get_lang()).env._(
                "Paid as agreed in the payment arrangement %s.", self.name)
            Waiver.create([
                {'item_id': entry.item_id, 'amount_interest': float(entry.interest), 'reason': reason}
                for entry in claim.items if entry.interest > 0])
        self._recording().waived_on = at_date
