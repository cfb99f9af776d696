"""Drawing up an arrangement, and doing so again: its due items, what is owed on them, and the instalments."""

from odoo import Command, api, models
from odoo.exceptions import UserError

from ...tools.law.dutch_calendar import add_bank_days


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
        :return: dict with ``lines`` (values of ``dunning.arrangement.line``), ``instalments`` (``kind``, ``date_due``,
            ``grace_date``, ``amount``), ``amount_principal``, ``amount_interest``, ``amount_costs``, ``amount_total``
            (floats in ``currency``), ``claim_data``, ``claim_date``, ``terms`` (completed) and ``approval_reason`` (a
            sentence, or False)
        :raise UserError: when no such arrangement can be made
        """
        company = company.with_env(self.env).ensure_one()
        at_date = at_date or company._dunning_today()
        debtor = partner.with_env(self.env).commercial_partner_id
        items = self._find_items(company, debtor, items, previous)
        debt = self._get_debt(company, items, self._complete_terms(terms, at_date), at_date)
        return self._add_schedule(company, debtor, debt)

    @api.model
    def _add_schedule(self, company, debtor, debt):
        """Return a debt (of :meth:`_get_debt`) with its instalments, and why a manager has to approve them.

        :raise UserError: for a creditor without Dutch law, which the texts of an arrangement rest on
        """
        if debt['claim_data']['limit'] == 'creditor':
            raise UserError(self.env._(
                "The texts of a payment arrangement rest on Dutch law, and the fiscal country of %s is not the "
                "Netherlands. Record a promise instead.", company.name))
        answer = {**debt, 'instalments': [
            {
                'kind': part.kind,
                'date_due': part.due_date,
                'grace_date': add_bank_days(part.due_date, max(0, debt['terms']['grace_days'])),
                'amount': float(part.amount),
            }
            for part in self._get_schedule(debt)]}
        answer['approval_reason'] = self._get_approval_reason(company, debtor, answer)
        return answer

    def _draw_up(self, today):
        """Work out the debt and the schedule of a draft anew, by the ledger of today."""
        self.ensure_one()
        debt = self._get_debt(self.company_id, self.line_ids.move_line_id, self._get_terms(), today)
        self._recording().write(self._prepare_draft(self._add_schedule(self.company_id, self.partner_id, debt)))

    def _renew_debt(self, today):
        """Work out the debt of the day of the offer, whatever it was when the draft was made."""
        before = self.amount_total
        self._draw_up(today)
        if self.currency_id.compare_amounts(before, self.amount_total):
            self._message_log(body=self.env._("The debt was worked out anew on the day of the offer."))

    def _prepare_draft(self, answer):
        """Return the values of a draft as it was worked out; of one that is made now ``self`` is empty.

        :param dict answer: of :meth:`_add_schedule`
        """
        lines = {line.move_line_id.id: line.id for line in self.line_ids}
        parts = answer['instalments']
        regular = [part for part in parts if part['kind'] == 'instalment']
        return {
            **{name: answer[name] for name in (
                'claim_data', 'claim_date', 'amount_principal', 'amount_interest', 'amount_costs', 'amount_total')},
            'amount_paid': 0.0,
            'amount_left': answer['amount_total'],
            'instalment_count': len(regular),
            'instalment_amount': regular[0]['amount'],
            'date_last': parts[-1]['date_due'],
            'next_date': parts[0]['date_due'],
            'next_amount': parts[0]['amount'],
            'line_ids': [
                Command.update(lines[values['move_line_id']], values) if values['move_line_id'] in lines
                else Command.create(values) for values in answer['lines']],
            'instalment_ids': [Command.clear(), *(
                Command.create({'sequence': number, **part, 'amount_left': part['amount']})
                for number, part in enumerate(parts, 1))],
            **self._prepare_approval(answer['approval_reason'], answer),
        }

    # -------------------------------------------------------------------------
    # DUE ITEMS
    # -------------------------------------------------------------------------

    @api.model
    def _find_items(self, company, debtor, items, previous=None):
        """Return the open due items an arrangement can be about, or raise what is wrong with them.

        :param previous: the arrangement whose place it takes, if any
        """
        chosen, owed = self._find_open_items(company, debtor, items)
        if owed - chosen:
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
