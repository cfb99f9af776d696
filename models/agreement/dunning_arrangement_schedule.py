"""What an arrangement is about and when it is paid: its due items, its terms, the debt and the instalments."""

from datetime import timedelta
from decimal import Decimal

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...tools.agreement import instalments
from ...tools.law.amounts import ZERO, to_decimal
from ...tools.law.claim import Booked
from ...tools.law.dutch_calendar import add_bank_days, extended

# Days after today of the first instalment, and until which an offer can be signed, where nobody says otherwise.
FIRST_DAYS, VALID_DAYS = 14, 14
# Days on which banks settle after the date of an instalment, before it counts as missed, where nobody says otherwise.
GRACE_DAYS = 3

# What was agreed: the user's to choose while it is a draft.
TERMS = frozenset({
    'date_first', 'period', 'day_of_month', 'calculate', 'instalment_count', 'instalment_amount', 'down_payment',
    'down_payment_date', 'interest_mode', 'with_interest', 'with_costs', 'grace_days', 'new_invoices', 'valid_until',
    'lang', 'contact_id',
})
# Of those, what changes amounts and days.
SCHEDULE_TERMS = TERMS - {'valid_until', 'lang', 'contact_id', 'grace_days', 'new_invoices'}


class DunningArrangementSchedule(models.AbstractModel):
    _name = 'dunning.arrangement.schedule'
    _description = "Payment Arrangement"

    # -------------------------------------------------------------------------
    # DRAWING UP
    # -------------------------------------------------------------------------

    @api.model
    def _preview(self, company, partner, items, terms, at_date=None, *, previous=None):
        """Return what an arrangement would say; nothing is written.

        :param company: one ``res.company``
        :param partner: the debtor, or one of his contacts
        :param items: open due items of the debtor in one currency; None or empty for all
        :param dict terms: names of :data:`TERMS`; what is missing gets its default
        :param date at_date: the day on which it is drawn up; None for today
        :param previous: the arrangement whose place it would take: what that one covers is free
        :return: dict with ``lines`` (``item_id``, ``move_id``, ``name``, ``date_due``, ``is_booking`` and amounts),
            ``instalments`` (``kind``, ``date_due``, ``amount``), ``amount_principal``, ``amount_interest``,
            ``amount_costs``, ``amount_total`` (floats in ``currency``), ``claim_data``, ``terms`` (completed) and
            ``approval_reason`` (a sentence, or False)
        :raise UserError: when no such arrangement can be made
        """
        company = company.with_env(self.env).ensure_one()
        at_date = at_date or company._dunning_today()
        debtor = partner.with_env(self.env).commercial_partner_id
        items = self._find_items(company, debtor, items, previous)
        terms = self._complete_terms(company, debtor, terms, at_date)
        return self._work_out(company, debtor, items, terms, at_date)

    @api.model
    def _work_out(self, company, debtor, items, terms, at_date):
        """Return what :meth:`_preview` does, of items that were found and terms that are complete."""
        answer = {
            **self._get_debt(company, items, terms, at_date),
            'currency': items.currency_id,
            'terms': terms,
        }
        answer['instalments'] = [
            {'kind': part.kind, 'date_due': part.due_date, 'amount': float(part.amount)}
            for part in self._get_schedule(answer['amount_total'], items.currency_id, terms, at_date)]
        answer['approval_reason'] = self._get_approval_reason(company, debtor, answer, at_date)
        return answer

    def _draw_up(self, today):
        """Work out the debt and the schedule of a draft anew, by the ledger of today."""
        self.ensure_one()
        answer = self._work_out(
            self.company_id, self.partner_id, self.line_ids.move_line_id, {name: self[name] for name in TERMS}, today)
        self._recording().write(self._prepare_draft(answer, today))

    def _renew_debt(self, today):
        """Work out the debt of the day of the offer, whatever it was when the draft was made."""
        before = self.amount_total
        self._draw_up(today)
        if self.currency_id.compare_amounts(before, self.amount_total):
            self._message_log(body=self.env._("The debt was worked out anew on the day of the offer."))

    def _prepare_draft(self, answer, today):
        """Return the values of a draft as it was worked out; of one that is made now ``self`` is empty.

        :param dict answer: of :meth:`_work_out`
        """
        lines = {line.move_line_id.id: line.id for line in self.line_ids}
        parts = answer['instalments']
        regular = [part for part in parts if part['kind'] == 'instalment']
        return {
            **{name: answer[name] for name in (
                'claim_data', 'amount_principal', 'amount_interest', 'amount_costs', 'amount_total')},
            'claim_date': today,
            'amount_paid': 0.0,
            'amount_left': answer['amount_total'],
            'instalment_count': len(regular),
            'instalment_amount': regular[0]['amount'],
            'date_last': parts[-1]['date_due'],
            'next_date': parts[0]['date_due'],
            'next_amount': parts[0]['amount'],
            'line_ids': [self._prepare_line(lines.get(values['item_id']), values) for values in answer['lines']],
            'instalment_ids': [Command.clear(), *(
                Command.create({
                    'sequence': number,
                    **part,
                    'grace_date': add_bank_days(part['date_due'], answer['terms']['grace_days']),
                    'amount_left': part['amount'],
                })
                for number, part in enumerate(parts, 1))],
            **self._prepare_approval(answer['approval_reason'], answer),
        }

    @api.model
    def _prepare_line(self, line_id, values):
        """Return the command that writes down what is owed on an item, and what of it nothing booked before."""
        vals = {name: values[name] for name in (
            'name', 'date_due', 'amount_principal', 'amount_interest', 'amount_costs', 'is_booking', 'to_book_interest',
            'to_book_costs')}
        return Command.update(line_id, vals) if line_id else Command.create({'move_line_id': values['item_id'], **vals})

    # -------------------------------------------------------------------------
    # DUE ITEMS
    # -------------------------------------------------------------------------

    @api.model
    def _find_items(self, company, debtor, items, previous=None):
        """Return the open due items an arrangement can be about, or raise what is wrong with them.

        :param previous: the arrangement whose place it takes, if any
        """
        chosen, owed = self._find_open_items(company, debtor, items)
        chosen |= self._get_bookings(chosen, owed)
        disputed = self.env['dunning.hold']._get_items_in_dispute(chosen)
        if disputed:
            raise UserError(self.env._(
                "%s is disputed. Settle the dispute first, or leave it out: nobody acknowledges a debt he disputes.",
                disputed[:1].move_id.display_name))
        taken = self.env['dunning.arrangement.line'].search([
            ('move_line_id', 'in', chosen.ids), ('is_live', '=', True),
            ('arrangement_id', '!=', previous.id if previous else False)], limit=1)
        if taken:
            raise UserError(self.env._(
                "%(item)s is part of %(arrangement)s already. Take that one back or let a new one take its place.",
                item=taken.move_id.display_name, arrangement=taken.arrangement_id.display_name))
        return chosen

    def _find_items_again(self):
        """Raise when what the draft is about was paid, disputed or arranged meanwhile."""
        items = self.line_ids.move_line_id
        if len(items) < len(self.line_ids):
            raise UserError(self.env._(
                "An invoice of this arrangement is not what it was any more. Draw up a new arrangement."))
        self._find_items(self.company_id, self.partner_id, items, self.previous_id)

    def _get_claimed_items(self):
        """Return the due items of which these arrangements ask interest and costs."""
        return self.line_ids.filtered(lambda line: not line.is_booking).move_line_id

    @api.model
    def _get_bookings(self, items, owed):
        """Return what is owed of interest and costs that were booked for items.

        :raise UserError: when such a booking is also about something that was not chosen
        """
        bookings = items.browse()
        moves = self.env['dunning.claim']._filter_bookings((owed - items).move_id)
        for booking in (owed - items).filtered(lambda item: item.move_id in moves):
            # sudo: which invoices a booking belongs to, whoever draws up an arrangement about them
            move = booking.move_id.sudo()
            booked = (move.dunning_notice_id or move.dunning_arrangement_id)._get_claimed_items()
            if not booked & items:
                continue
            missing = (booked & owed) - items
            if missing:
                raise UserError(self.env._(
                    "%(booking)s books interest and costs of several invoices together, so they go into one "
                    "arrangement: choose %(missing)s as well.",
                    booking=move.name, missing=", ".join(missing.move_id.mapped('name'))))
            bookings |= booking
        return bookings

    # -------------------------------------------------------------------------
    # TERMS, DEBT AND INSTALMENTS
    # -------------------------------------------------------------------------

    @api.model
    def _complete_terms(self, company, debtor, terms, at_date):
        """Return the terms with everything that was not said."""
        known = {name: value for name, value in terms.items() if name in TERMS}
        completed = {
            'date_first': extended(at_date + timedelta(days=FIRST_DAYS)),
            'period': 'month',
            'day_of_month': 0,
            'calculate': 'count',
            'instalment_count': 3,
            'instalment_amount': 0.0,
            'down_payment': 0.0,
            'down_payment_date': False,
            # Free of charge for consumers: interest over the time it runs would make it credit.
            'interest_mode': 'none',
            'with_interest': True,
            'with_costs': True,
            'grace_days': GRACE_DAYS,
            'new_invoices': 'ignore',
            'valid_until': at_date + timedelta(days=VALID_DAYS),
            **known,
        }
        for name in ('date_first', 'down_payment_date', 'valid_until'):
            completed[name] = fields.Date.to_date(completed[name]) or False
        if not completed['date_first']:
            raise UserError(self.env._("Choose the day of the first instalment."))
        return completed

    @api.model
    def _get_debt(self, company, items, terms, at_date):
        """Return what is owed on the items on a day, as the claim works it out; see :meth:`_preview`.

        An item that books interest and costs of others counts there, and is covered all the same: what is paid on it
        pays the arrangement.
        """
        Claim = self.env['dunning.claim'].with_company(company)
        # Of paid invoices, what was booked and is open still.
        claimed = Claim._replace_bookings(items, whole=True).filtered(lambda item: item in items or item.reconciled)
        claim = Claim._compute(
            claimed, at_date, with_interest=terms['with_interest'], with_costs=terms['with_costs'])
        by_item = {entry.item_id: entry for entry in claim.items}
        extras = Claim._read_extras(claimed)
        left_over = [
            (ZERO, min(entry.interest, booked.interest - booked.settled_interest),
             min(entry.costs, booked.costs - booked.settled_costs))
            for entry in claim.items if entry.item_id not in items.ids and (booked := extras.get(entry.item_id))]
        lines, totals = [], [ZERO, ZERO, ZERO]
        for item in items:
            entry = by_item.get(item.id)
            if entry:
                parts = [(entry.principal, entry.interest, entry.costs)]
            else:
                parts, left_over = left_over, []
            amounts = [sum((part[index] for part in parts), ZERO) for index in range(3)]
            to_book = extras.get(item.id, Booked()).unbooked(*amounts[1:]) if entry else (ZERO, ZERO)
            totals = [total + amount for total, amount in zip(totals, amounts, strict=True)]
            lines.append({
                'item_id': item.id,
                'move_id': item.move_id.id,
                'name': item.move_id.name,
                'date_due': item._get_dunning_due_date(),
                'is_booking': entry is None,
                'amount_principal': float(amounts[0]),
                'amount_interest': float(amounts[1]),
                'amount_costs': float(amounts[2]),
                'to_book_interest': float(to_book[0]),
                'to_book_costs': float(to_book[1]),
            })
        return {
            'lines': lines,
            'claim_data': claim.to_json(),
            'amount_principal': float(totals[0]),
            'amount_interest': float(totals[1]),
            'amount_costs': float(totals[2]),
            'amount_total': float(sum(totals)),
        }

    @api.model
    def _get_schedule(self, total, currency, terms, at_date):
        """Return the tuple of :class:`tools.agreement.instalments.Instalment` of a debt.

        :raise UserError: when the terms do not fit
        """
        if not terms['date_first'] or terms['date_first'] < at_date:
            raise UserError(self.env._("The first instalment lies in the past: choose today or a later day."))
        if terms['down_payment'] and terms['down_payment_date'] and terms['down_payment_date'] < at_date:
            raise UserError(self.env._("The down payment lies in the past: choose today or a later day."))
        by_count = terms['calculate'] == 'count'
        try:
            return instalments.make_schedule(
                to_decimal(total), first=terms['date_first'], period=terms['period'],
                day_of_month=terms['day_of_month'] or 0,
                count=terms['instalment_count'] if by_count else None,
                amount=None if by_count else to_decimal(terms['instalment_amount'] or 0.0),
                down_payment=to_decimal(terms['down_payment'] or 0.0),
                down_payment_date=terms['down_payment_date'] or None,
                digits=currency.decimal_places)
        except ValueError as error:
            raise UserError(self._explain_schedule_error(terms, total, currency)) from error

    @api.model
    def _explain_schedule_error(self, terms, total, currency):
        """Return what to do about terms of which no schedule can be made."""
        if currency.compare_amounts(total, 0) <= 0:
            return self.env._("There is nothing to pay in instalments: nothing is owed on these items.")
        down = terms['down_payment'] or 0.0
        if down < 0 or currency.compare_amounts(down, total) >= 0:
            return self.env._("The down payment has to be less than the whole amount, and not negative.")
        if not 0 <= (terms['day_of_month'] or 0) <= 31:
            return self.env._("Choose a day of the month between 1 and 31; 31 is the last day of each month.")
        if terms['calculate'] == 'amount' and currency.compare_amounts(terms['instalment_amount'] or 0.0, 0) <= 0:
            return self.env._("Enter the amount of an instalment: more than zero.")
        if terms['calculate'] == 'count' and (terms['instalment_count'] or 0) < 1:
            return self.env._("Enter the number of instalments: at least one.")
        rest = to_decimal(total) - to_decimal(down)
        count = terms['instalment_count'] if terms['calculate'] == 'count' else instalments.count_for(
            rest, to_decimal(terms['instalment_amount']))
        if count > instalments.MAX_INSTALMENTS:
            return self.env._(
                "That would be %(count)s instalments, and there can be %(most)s at most. Choose a higher amount.",
                count=count, most=instalments.MAX_INSTALMENTS)
        if rest < Decimal(count).scaleb(-currency.decimal_places):
            return self.env._("That is less than a cent for each instalment. Choose fewer instalments.")
        return self.env._("The down payment has to be paid before the first instalment: choose an earlier day.")

    # -------------------------------------------------------------------------
    # INSTALMENTS
    # -------------------------------------------------------------------------

    def _get_parts(self):
        """Return the instalments, the first to be paid first."""
        return self.instalment_ids.sorted(lambda part: (part.date_due, part.sequence, part.id))

    def _get_agreed_parts(self):
        """Return what was agreed to be paid, in the order in which that is done; what interest comes to is not."""
        return self._get_parts().filtered(lambda part: part.kind != 'interest')

    def _get_unpaid_parts(self):
        """Return the instalments of which something is left, the first to be paid first."""
        return self._get_parts().filtered(
            lambda part: part.state not in ('paid', 'cancelled')
            and self.currency_id.compare_amounts(part.amount_left, 0) > 0)

    def _get_next_part(self):
        """Return the first instalment of which something is left, or an empty record."""
        return self._get_unpaid_parts()[:1]
