"""The call log: who was spoken to about what, how it ended, and what followed from that by itself."""

from datetime import timedelta

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...tools.law import dutch_calendar
from ..kernel.formats import format_day

# Days until somebody looks whether the money came, and until an arrangement must have been made.
LOOK_DAYS = 2
ARRANGEMENT_DAYS = 14


class DunningCall(models.Model):
    """One telephone call about payment. Made by ``log_call`` only, and history from then on.

    ``duration`` is in seconds, ``number`` in E.164, ``date_start`` in UTC; ``date`` is the day of the call where the
    company is.
    """

    _name = 'dunning.call'
    _inherit = ['dunning.call.log', 'dunning.call.history', 'dunning.recorded', 'mail.thread', 'mail.activity.mixin']
    _description = "Call"
    _order = 'date_start desc, id desc'
    _check_company_auto = True
    _mail_post_access = 'read'
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True, 'mail_notrack': True}
    _user_writable = frozenset({'note'})
    _unlink_recorded = True

    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    contact_id = fields.Many2one(
        comodel_name='res.partner', readonly=True, index='btree_not_null', ondelete='set null',
        help="Whose number was called, or who called.")
    contact_name = fields.Char(string="Spoken To", readonly=True)
    number = fields.Char(readonly=True, help="With the code of the country, as in +31201234567.")
    direction = fields.Selection(
        selection=[('out', "Outgoing"), ('in', "Incoming")], default='out', required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Called By", required=True, index=True, readonly=True,
        default=lambda self: self.env.user)
    date_start = fields.Datetime(string="Start", required=True, readonly=True)
    date = fields.Date(required=True, readonly=True, index=True, help="The day of the call where the company is.")
    duration = fields.Integer(string="Duration (s)", readonly=True, help="In seconds.")
    duration_text = fields.Char(string="Duration", compute='_compute_duration_text', help="In minutes and seconds.")
    item_ids = fields.Many2many(
        comodel_name='account.move.line', relation='dunning_call_item_rel', column1='call_id', column2='item_id',
        string="Due Items", readonly=True)
    item_count = fields.Integer(string="Number of Items", compute='_compute_item_count')
    amount_discussed = fields.Monetary(
        readonly=True, currency_field='company_currency_id', help="What was open of the items on the day of the call.")
    outcome_id = fields.Many2one(
        comodel_name='dunning.call.outcome', required=True, index=True, readonly=True, ondelete='restrict')
    kind = fields.Selection(related='outcome_id.kind', store=True)
    # As the outcome was when the call was logged: another setting does not change what happened.
    reached = fields.Boolean(readonly=True)
    note = fields.Text(help="Facts about the payment only. Internal.")
    next_step = fields.Char(readonly=True)
    next_date = fields.Date(string="Next Step On", readonly=True)
    summary = fields.Char(string="What Was Done", readonly=True)
    # What the first answer was: the same telephone call posted again gets it again.
    answer = fields.Json(readonly=True, copy=False)
    notice_ids = fields.Many2many(
        comodel_name='dunning.notice', relation='dunning_call_notice_rel', column1='call_id', column2='notice_id',
        string="Calls of the Ladder", readonly=True,
        help="The calls of the ladder that this call was about. Reached, they count as made.")
    hold_ids = fields.Many2many(
        comodel_name='dunning.hold', relation='dunning_call_hold_rel', column1='call_id', column2='hold_id',
        string="Holds", readonly=True)
    promise_id = fields.Many2one(
        comodel_name='dunning.promise', readonly=True, index='btree_not_null', ondelete='set null')
    origin = fields.Selection(
        selection=[
            ('screen', "Debtor screen"),
            ('form', "Form"),
            ('api', "Telephone system"),
            ('activity', "Activity"),
            ('notice', "Call of the ladder"),
        ],
        default='form', required=True, readonly=True)
    external_id = fields.Char(
        string="External ID", readonly=True, copy=False, help="How the telephone system calls it.")
    activity_source_id = fields.Integer(
        string="Taken From Activity", readonly=True, copy=False, index='btree_not_null')

    _external_id_uniq = models.UniqueIndex(
        "(company_id, external_id) WHERE external_id IS NOT NULL",
        "This call was logged already.",
    )
    _debtor_idx = models.Index("(partner_id, company_id, date_start DESC)")

    @api.depends('outcome_id.name', 'partner_id.name', 'date')
    def _compute_display_name(self):
        for call in self:
            call.display_name = self.env._(
                "%(outcome)s, %(debtor)s, %(date)s", outcome=call.outcome_id.name or '',
                debtor=call.partner_id.name or '', date=format_day(self.env, call.date))

    # -------------------------------------------------------------------------
    # WHAT FOLLOWS FROM ITS OUTCOME
    # -------------------------------------------------------------------------

    # Each method ``_apply_<kind>`` does what belongs to one kind of outcome, with what was agreed. It returns a dict:
    # ``done`` (what was done, one sentence), and where there is one ``next_step``, ``next_date``, ``holds``,
    # ``promise`` and ``action`` (what to open next).

    def _apply_no_answer(self, agreed):
        return self._try_again(self.env._("Nobody answered."))

    def _apply_voicemail(self, agreed):
        return self._try_again(self.env._("A message was left on the voicemail."))

    def _apply_other_person(self, agreed):
        return self._try_again(
            self.env._("Spoke to %s, not to the debtor.", self.contact_name) if self.contact_name
            else self.env._("Somebody else was spoken to, not the debtor."))

    def _try_again(self, done):
        day = dutch_calendar.next_working_day(self.company_id._dunning_today())
        return {'done': done, 'next_step': self.env._("Try again"), 'next_date': day}

    def _apply_wrong_number(self, agreed):
        """Nobody is called at that number again until it is corrected."""
        today, found = self.company_id._dunning_today(), self.env['res.partner']
        if self.number:
            family = found.search([('commercial_partner_id', '=', self.partner_id.id)]) | self.partner_id
            found = family.filtered(lambda person: person._get_dunning_number() == self.number)
            # sudo: who may log a call need not be allowed to change contacts; this says only that the number is wrong
            found.sudo().write({'dunning_phone_wrong_on': today})
        return {
            'done': self.env._("%s was marked as a wrong number.", self.number) if found
            else self.env._("The number was wrong."),
            **self._plan_task(
                today, self.env._("Find the right number of %s", self.partner_id.display_name),
                self.env._("%s is not the number of this debtor.", self.number) if self.number else ''),
        }

    def _apply_call_back(self, agreed):
        day = agreed['date']
        if not day:
            raise UserError(self.env._("When is the debtor to be called back? Enter the day."))
        if day < self.company_id._dunning_today():
            raise UserError(self.env._("The day to call back lies in the past. Enter today or a later day."))
        name = self.partner_id.display_name
        summary = (
            self.env._("Call %(debtor)s back at %(time)s", debtor=name, time=agreed['time']) if agreed['time']
            else self.env._("Call %s back", name))
        # sudo: the call of the ladder may be on the list of a colleague
        waiting = self.notice_ids.sudo().activity_ids.filtered('automated')
        if waiting:
            waiting.with_context(mail_activity_quick_update=True).write({'date_deadline': day, 'summary': summary})
        else:
            self._plan_task(day, summary, kind='call')
        return {
            'done': self.env._("%(what)s on %(date)s.", what=summary, date=format_day(self.env, day)),
            'next_step': summary, 'next_date': day,
        }

    def _apply_promise(self, agreed):
        day = agreed['date']
        if not day:
            raise UserError(self.env._("On which day will the debtor have paid? Enter it."))
        self._check_has_items()
        if len(self.item_ids.currency_id) > 1:
            raise UserError(self.env._(
                "The items are in different currencies. Log one call for the invoices in each currency."))
        promise = self.env['dunning.promise']._make(
            self.company_id, self.partner_id, day, agreed['amount'] or None, self.item_ids, self.env.user, call=self,
            contact=self.contact_id or None, confirm=agreed['confirm'], keep_notices=self.notice_ids)
        return {
            'done': self.env._(
                "Promised to pay %(amount)s by %(date)s.",
                amount=format_amount(self.env, promise.amount, promise.currency_id), date=format_day(self.env, day)),
            'next_step': self.env._("See whether the promise was kept"),
            'next_date': promise.grace_date,
            'holds': promise.hold_ids,
            'promise': promise,
        }

    def _apply_paid_already(self, agreed):
        day, today = agreed['date'], self.company_id._dunning_today()
        if day and day > today:
            raise UserError(self.env._(
                "The day on which the debtor says he paid lies in the future. Then it is a promise to pay."))
        holds = self._place_holds('says_paid', 'internal')
        return {
            'done': self.env._(
                "Reminders wait until %s, so that the payment can be found.", self._format_end(holds)),
            'holds': holds,
            **self._plan_task(
                dutch_calendar.next_working_day(today + timedelta(days=LOOK_DAYS - 1)),
                self.env._("Look for the payment of %s in the bank", self.partner_id.display_name),
                self.env._("Paid on %s, says the debtor.", format_day(self.env, day)) if day else ''),
        }

    def _apply_copy_wanted(self, agreed):
        self._check_has_items()
        moves, recipient = self.item_ids.move_id, self._get_mail_recipient()
        follow_up = {}
        if recipient:
            # As “Send” on the invoice does, with the PDF that exists; Odoo's own mail queue delivers it.
            self.env['account.move.send'].with_company(self.company_id)._generate_and_send_invoices(
                moves, sending_methods={'email'}, extra_edis={}, mail_partner_ids=recipient.ids)
            sent = self.env._("A copy was mailed to %s.", recipient.email)
        else:
            sent = self.env._("There is no e-mail address: send the copy by post.")
            follow_up = self._plan_task(
                self.company_id._dunning_today(),
                self.env._("Send %s a copy of the invoices by post", self.partner_id.display_name),
                ", ".join(moves.mapped('name')))
        holds = self._place_holds('invoice_copy', 'invoice_copy')
        return {
            'done': self.env._(
                "%(sent)s Reminders wait until %(date)s.", sent=sent, date=self._format_end(holds)),
            'next_step': self.env._("Call again when the copy was read"), 'next_date': holds[:1].date_end,
            'holds': holds,
            **follow_up,
        }

    def _get_mail_recipient(self):
        """Return the contact a copy is mailed to: who was spoken to, else the debtor; empty when neither has mail."""
        people = self.contact_id | self.partner_id | self.item_ids.move_id.partner_id
        return people.with_company(self.company_id).filtered(
            lambda person: person._is_dunning_person_of(self.partner_id) and person.dunning_email)[:1]

    def _apply_awaiting_approval(self, agreed):
        holds = self._place_holds('approval', 'other', date_end=agreed['date'])
        return {
            'done': self.env._("Reminders wait for the approval until %s.", self._format_end(holds)),
            'next_step': self.env._("Ask whether it was approved"), 'next_date': holds[:1].date_end, 'holds': holds,
        }

    def _apply_disputed(self, agreed):
        holds = self._place_holds(
            'dispute', 'dispute', date_end=agreed['date'], amount=agreed['part_amount'],
            dispute_category=agreed['category'] or 'other')
        moves, end = holds.move_id, self._format_end(holds)
        return {
            'done': self.env._("%(count)s invoices in dispute until %(date)s.", count=len(moves), date=end)
            if len(moves) > 1
            else self.env._("%(invoice)s in dispute until %(date)s.", invoice=moves.name, date=end),
            'next_step': self.env._("Settle the dispute"), 'next_date': holds[:1].date_end, 'holds': holds,
        }

    def _apply_hardship(self, agreed):
        return self._apply_arrangement(agreed)

    def _apply_arrangement(self, agreed):
        """Give the debtor a pause, and somebody the task to agree on terms: at once, where that can be."""
        today = self.company_id._dunning_today()
        holds = self._place_holds('arrangement', 'arrangement', date_end=today + timedelta(days=ARRANGEMENT_DAYS))
        return {
            'done': self.env._(
                "Reminders wait until %s. Make an arrangement before that day.", self._format_end(holds)),
            'holds': holds,
            **self._plan_task(
                dutch_calendar.next_working_day(today),
                self.env._("Make an arrangement with %s", self.partner_id.display_name)),
            'action': self._action_arrangement(),
        }

    def _action_arrangement(self):
        """Return the action that opens an arrangement about what was talked about; False where there is none."""
        Make = self.env['dunning.arrangement.make']
        possible = Make.has_access('create') and len(self.item_ids.currency_id) == 1
        return possible and Make._action_open(call=self)

    def _apply_refuses(self, agreed):
        # The note stays in the log: an activity is read in more places.
        return {
            'done': self.env._("The debtor refuses to pay. Reminders go on."),
            **self._plan_task(
                self.company_id._dunning_today(),
                self.env._("%s refuses to pay: decide what follows", self.partner_id.display_name)),
        }

    def _check_has_items(self):
        if self.item_ids:
            return
        Item = self.env['account.move.line']
        if Item.search_count(Item._get_dunning_open_domain(self.company_id, self.partner_id), limit=1):
            raise UserError(self.env._("Which invoices was it about? Choose them."))
        raise UserError(self.env._(
            "%(debtor)s owes nothing at the moment, so there is no invoice this outcome could be about.",
            debtor=self.partner_id.display_name))

    def _place_holds(self, xmlid, kind, *, date_end=None, amount=0.0, **values):
        """Put the items of the call on hold: whole invoices where all that is open was talked about.

        What waits about them is judged again, but not the call of the ladder that is going on.

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
        if amount and len(targets) > 1:
            raise UserError(self.env._(
                "A part of the amount is about one invoice. Choose that invoice only, or leave the part empty."))
        holds = self.env['dunning.hold'].with_company(self.company_id).create([
            {
                'reason_id': reason.id,
                'user_id': self.env.uid,
                'date_end': date_end or self.company_id._dunning_today() + timedelta(days=reason.default_days),
                'amount': amount,
                **values,
                **target,
            }
            for target in targets])
        holds._take_back_notices(keep=self.notice_ids)
        return holds

    def _format_end(self, holds):
        return format_day(self.env, holds[:1].date_end)

    def _plan_task(self, day, summary, note='', kind='todo'):
        """Plan an activity on the call, for whoever answers for the debtor. Return it as the next step."""
        user = self.partner_id._get_dunning_collector(self.company_id, named=self.user_id) or self.env.user
        self.with_context(mail_activity_quick_update=True).activity_schedule(
            f'mail.mail_activity_data_{kind}', date_deadline=day, user_id=user.id, summary=summary, note=escape(note),
            automated=True)
        return {'next_step': summary, 'next_date': day}
