"""What follows from a call by itself, by kind of outcome."""

from datetime import timedelta

from markupsafe import escape

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...tools.law import dutch_calendar
from ..kernel.formats import format_day

# Days until somebody looks whether the money came, and until an arrangement must have been made.
LOOK_DAYS = 2
ARRANGEMENT_DAYS = 14


class DunningCallEffect(models.AbstractModel):
    """Each method ``_apply_<kind>`` does what belongs to one kind of outcome, with what was said.

    It returns a dict: ``done`` (what was done, one sentence), and where there is one ``next_step``, ``next_date``,
    ``holds``, ``promise`` and ``action`` (what to open next).
    """

    _name = 'dunning.call.effect'
    _description = "Call"

    def _apply_no_answer(self, data):
        return self._try_again(self.env._("Nobody answered."))

    def _apply_voicemail(self, data):
        return self._try_again(self.env._("A message was left on the voicemail."))

    def _apply_other_person(self, data):
        return self._try_again(
            self.env._("Spoke to %s, not to the debtor.", self.contact_name) if self.contact_name
            else self.env._("Somebody else was spoken to, not the debtor."))

    def _apply_wrong_number(self, data):
        """Nobody is called at that number again until it is corrected."""
        found = self._mark_number_wrong()
        today = self.company_id._dunning_today()
        summary = self.env._("Find the right number of %s", self.partner_id.display_name)
        self._plan_activity('mail.mail_activity_data_todo', today, summary, self.env._(
            "%s is not the number of this debtor.", self.number) if self.number else '')
        return {
            'done': self.env._("%s was marked as a wrong number.", self.number) if found
            else self.env._("The number was wrong."),
            'next_step': summary, 'next_date': today,
        }

    def _apply_call_back(self, data):
        day = data['date']
        today = self.company_id._dunning_today()
        if not day:
            raise UserError(self.env._("When is the debtor to be called back? Enter the day."))
        if day < today:
            raise UserError(self.env._("The day to call back lies in the past. Enter today or a later day."))
        name = self.partner_id.display_name
        summary = (
            self.env._("Call %(debtor)s back at %(time)s", debtor=name, time=data['time']) if data['time']
            else self.env._("Call %s back", name))
        # sudo: the call of the ladder may be on the list of a colleague
        waiting = self.notice_ids.sudo().activity_ids.filtered('automated')
        if waiting:
            waiting.with_context(mail_activity_quick_update=True).write({'date_deadline': day, 'summary': summary})
        else:
            self._plan_activity('mail.mail_activity_data_call', day, summary)
        return {
            'done': self.env._("%(what)s on %(date)s.", what=summary, date=format_day(self.env, day)),
            'next_step': summary, 'next_date': day,
        }

    def _apply_promise(self, data):
        day = data['date']
        if not day:
            raise UserError(self.env._("On which day will the debtor have paid? Enter it."))
        items = self._get_items_in_one_currency()
        promise = self.env['dunning.promise']._make(
            self.company_id, self.partner_id, day, data['amount'] or None, items, self.env.user, call=self,
            contact=self.contact_id or None, confirm=data['confirm'], keep_notices=self.notice_ids)
        return {
            'done': self.env._(
                "Promised to pay %(amount)s by %(date)s.",
                amount=format_amount(self.env, promise.amount, promise.currency_id), date=format_day(self.env, day)),
            'next_step': self.env._("See whether the promise was kept"),
            'next_date': promise.grace_date,
            'holds': promise.hold_ids,
            'promise': promise,
        }

    def _apply_paid_already(self, data):
        today = self.company_id._dunning_today()
        day = data['date']
        if day and day > today:
            raise UserError(self.env._(
                "The day on which the debtor says he paid lies in the future. Then it is a promise to pay."))
        holds = self._place_holds('says_paid', 'internal')
        look = dutch_calendar.next_working_day(today + timedelta(days=LOOK_DAYS - 1))
        summary = self.env._("Look for the payment of %s in the bank", self.partner_id.display_name)
        self._plan_activity('mail.mail_activity_data_todo', look, summary, self.env._(
            "Paid on %s, says the debtor.", format_day(self.env, day)) if day else '')
        return {
            'done': self.env._(
                "Reminders wait until %s, so that the payment can be found.", self._format_end(holds)),
            'next_step': summary, 'next_date': look, 'holds': holds,
        }

    def _apply_copy_wanted(self, data):
        moves = self.item_ids.move_id
        self._check_has_items()
        recipient = self._get_mail_recipient()
        today = self.company_id._dunning_today()
        values = {}
        if recipient:
            # As “Send” on the invoice does, with the PDF that exists; Odoo's own mail queue delivers it.
            self.env['account.move.send'].with_company(self.company_id)._generate_and_send_invoices(
                moves, sending_methods={'email'}, extra_edis={}, mail_partner_ids=recipient.ids)
            sent = self.env._("A copy was mailed to %s.", recipient.email)
        else:
            summary = self.env._("Send %s a copy of the invoices by post", self.partner_id.display_name)
            self._plan_activity('mail.mail_activity_data_todo', today, summary, ", ".join(moves.mapped('name')))
            sent = self.env._("There is no e-mail address: send the copy by post.")
            values = {'next_step': summary, 'next_date': today}
        holds = self._place_holds('invoice_copy', 'invoice_copy')
        return {
            'next_step': self.env._("Call again when the copy was read"), 'next_date': holds[:1].date_end,
            **values,
            'done': self.env._(
                "%(sent)s Reminders wait until %(date)s.", sent=sent, date=self._format_end(holds)),
            'holds': holds,
        }

    def _apply_awaiting_approval(self, data):
        holds = self._place_holds('approval', 'other', date_end=data['date'])
        return {
            'done': self.env._("Reminders wait for the approval until %s.", self._format_end(holds)),
            'next_step': self.env._("Ask whether it was approved"), 'next_date': holds[:1].date_end, 'holds': holds,
        }

    def _apply_disputed(self, data):
        holds = self._place_holds(
            'dispute', 'dispute', date_end=data['date'], amount=data['part_amount'],
            dispute_category=data['category'] or 'other')
        return {
            'done': self.env._(
                "%(count)s invoices in dispute until %(date)s.", count=len(holds.move_id),
                date=self._format_end(holds)) if len(holds.move_id) > 1 else self.env._(
                "%(invoice)s in dispute until %(date)s.", invoice=holds.move_id.name, date=self._format_end(holds)),
            'next_step': self.env._("Settle the dispute"), 'next_date': holds[:1].date_end, 'holds': holds,
        }

    def _apply_hardship(self, data):
        return self._prepare_arrangement()

    def _apply_arrangement(self, data):
        return self._prepare_arrangement()

    def _apply_refuses(self, data):
        today = self.company_id._dunning_today()
        summary = self.env._("%s refuses to pay: decide what follows", self.partner_id.display_name)
        # The note stays in the log: an activity is read in more places.
        self._plan_activity('mail.mail_activity_data_todo', today, summary)
        return {
            'done': self.env._("The debtor refuses to pay. Reminders go on."),
            'next_step': summary, 'next_date': today,
        }

    def _prepare_arrangement(self):
        """Give the debtor a pause, and somebody the task to agree on terms."""
        today = self.company_id._dunning_today()
        holds = self._place_holds('arrangement', 'arrangement', date_end=today + timedelta(days=ARRANGEMENT_DAYS))
        summary = self.env._("Make an arrangement with %s", self.partner_id.display_name)
        day = dutch_calendar.next_working_day(today)
        self._plan_activity('mail.mail_activity_data_todo', day, summary)
        return {
            'done': self.env._(
                "Reminders wait until %s. Make an arrangement before that day.", self._format_end(holds)),
            'next_step': summary, 'next_date': day, 'holds': holds,
            'action': self._action_arrangement(),
        }

    def _action_arrangement(self):
        """Return the action that opens an arrangement about what was talked about; False where there is none."""
        self.ensure_one()
        Make = self.env['dunning.arrangement.make']
        if not Make.has_access('create') or len(self.item_ids.currency_id) != 1:
            return False
        return Make._action_open(call=self)

    # -------------------------------------------------------------------------
    # HELPERS OF OUTCOMES
    # -------------------------------------------------------------------------

    def _try_again(self, done):
        self.ensure_one()
        today = self.company_id._dunning_today()
        return {
            'done': done,
            'next_step': self.env._("Try again"),
            'next_date': dutch_calendar.next_working_day(today),
        }

    def _check_has_items(self):
        if self.item_ids:
            return
        if self._parse_items(None, self.company_id, self.partner_id, self.env['dunning.notice'], self.date):
            raise UserError(self.env._("Which invoices was it about? Choose them."))
        raise UserError(self.env._(
            "%(debtor)s owes nothing at the moment, so there is no invoice this outcome could be about.",
            debtor=self.partner_id.display_name))

    def _get_items_in_one_currency(self):
        self._check_has_items()
        if len(self.item_ids.currency_id) > 1:
            raise UserError(self.env._(
                "The items are in different currencies. Log one call for the invoices in each currency."))
        return self.item_ids

    def _place_holds(self, xmlid, kind, *, date_end=None, amount=0.0, **values):
        """Put the items of the call on hold: whole invoices where all that is open was talked about.

        :param xmlid: of the reason, ``hold_reason_<xmlid>``; where it is gone or archived the first of ``kind``
        :param date date_end: last day, at most what the reason allows; None: the days the reason proposes
        :param amount: only this part, in the currency of the item
        """
        self._check_has_items()
        Reason = self.env['dunning.hold.reason']
        reason = self.env.ref(f'l10n_nl_dunning.hold_reason_{xmlid}', raise_if_not_found=False)
        if not reason or not reason.active:
            reason = Reason.search([('kind', '=', kind)], limit=1) or Reason.search([], limit=1)
        if not reason:
            raise UserError(self.env._("There is no reason to hold. Add one under Configuration ‣ Reasons to Hold."))
        today = self.company_id._dunning_today()
        common = {
            'reason_id': reason.id,
            'user_id': self.env.uid,
            'date_end': date_end or today + timedelta(days=reason.default_days),
            **values,
        }
        if reason.stops_everything:
            targets = [{'partner_id': self.partner_id.id, 'company_id': self.company_id.id}]
        else:
            targets = []
            for move, items in self.item_ids.grouped('move_id').items():
                open_items = move._get_dunning_items().filtered(lambda item: not item.reconciled)
                if items >= open_items:
                    targets.append({'move_id': move.id})
                else:
                    targets += [{'move_line_id': item.id} for item in items]
        if amount:
            if len(targets) > 1:
                raise UserError(self.env._(
                    "A part of the amount is about one invoice. Choose that invoice only, or leave the part empty."))
            common['amount'] = amount
        return self.env['dunning.hold'].with_company(self.company_id).create([
            {**common, **target} for target in targets])

    def _format_end(self, holds):
        return format_day(self.env, max(holds.mapped('date_end')))

    def _plan_activity(self, xmlid, day, summary, note=''):
        """Plan an activity on the call, for whoever answers for the debtor."""
        user = self._get_responsible()
        self.with_context(mail_activity_quick_update=True).activity_schedule(
            xmlid, date_deadline=day, user_id=user.id, summary=summary, note=escape(note), automated=True)

    def _get_responsible(self):
        """Return the user who goes on with this debtor."""
        self.ensure_one()
        return self.partner_id._get_dunning_collector(self.company_id, named=self.user_id) or self.env.user

    def _get_mail_recipient(self):
        """Return the contact a copy is mailed to: who was spoken to, else the debtor; empty when neither has mail."""
        self.ensure_one()
        for person in (self.contact_id | self.partner_id | self.item_ids.move_id.partner_id):
            if person.email_normalized and not person.dunning_email_bounced_on:
                return person
        return self.env['res.partner']

    def _mark_number_wrong(self):
        """Mark the number on the contacts of this debtor that have it. Return those contacts."""
        if not self.number:
            return self.env['res.partner']
        family = self.env['res.partner'].search([('commercial_partner_id', '=', self.partner_id.id)]) | self.partner_id
        found = family.filtered(lambda person: person._get_dunning_number() == self.number)
        # sudo: who may log a call need not be allowed to change contacts; this says only that the number is wrong
        found.sudo().write({'dunning_phone_wrong_on': self.company_id._dunning_today()})
        return found
