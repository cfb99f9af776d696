"""What to look at before calling a debtor, worked out from what is known of him.

Each check is one method :meth:`_check_screen_<name>`; another addon adds one with a method and an entry in
``_get_screen_checks``. They say ``ok``, ``warn`` or ``stop`` with a sentence that a collector understands; nothing is
forbidden by them.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_amount

from ..agreement.arrangement_states import DECIDED_STATES, LIVE_STATES
from ..kernel.formats import format_day, format_weekday

# Days after which an e-mail of the debtor that nobody answered is history.
UNANSWERED_DAYS = 30
# Average days after the due date from which a debtor pays late as a habit.
LATE_HABIT = 14
# Holds about which one does not call the debtor but writes to whoever acts for him.
NO_CALL_KINDS = frozenset({'insolvency', 'deceased', 'guardianship'})


class DunningDebtorChecklist(models.AbstractModel):
    _name = 'dunning.debtor.checklist'
    _description = "Debtor"

    def _get_screen_checks(self):
        """Return the names of the checks, the first to look at first; each is a method ``_check_screen_<name>``.

        A check returns ``(state, title, sentence)`` with state ``ok``, ``warn`` or ``stop``, or None where it
        has nothing to say.
        """
        return [
            'may_call', 'contact', 'promise', 'arrangement', 'dispute', 'answer', 'sent', 'bank', 'pattern']

    def _prepare_screen_checklist(self, facts, items):
        checks = []
        for name in self._get_screen_checks():
            found = getattr(self, f'_check_screen_{name}')(facts, items)
            if found:
                state, title, sentence = found
                checks.append({'code': name, 'state': state, 'title': title, 'text': sentence})
        order = ('stop', 'warn', 'ok')
        return sorted(checks, key=lambda check: order.index(check['state']))

    def _check_screen_may_call(self, facts, items):
        title = self.env._("Good moment to call?")
        stopped = facts.holds.filtered(lambda hold: hold.kind in NO_CALL_KINDS and hold.state != 'ended')[:1]
        if stopped:
            return 'stop', title, self.env._(
                "%(reason)s: do not call. Whoever acts for the debtor is written to; see the hold of %(owner)s.",
                reason=stopped.reason_id.name, owner=stopped.user_id.name)
        until = self.company_id._get_dunning_quiet_until(facts.partner.country_id.code)
        if until:
            return 'warn', title, self.env._(
                "It is a Sunday, a holiday there or outside office hours. Better from %s.",
                format_weekday(self.env, until.date()))
        today = facts.calls.filtered(lambda call: self.company_id._get_dunning_day(call.date_start) == facts.today)
        if today:
            last = today[0]
            return 'warn', title, self.env._(
                "Called today already: %(who)s, %(outcome)s.", who=last.user_id.name or '',
                outcome=(last.outcome_id.name or '').lower())
        busy = self.env['dunning.planner'].sudo()._get_busy_debtors(  # sudo: only whether the limit was reached
            self.company_id, facts.today).get(facts.partner.id)
        if busy:
            return 'warn', title, self.env._(
                "Contacted %(count)s times this week, which is the limit of the settings. Better from %(date)s.",
                count=self.company_id.dunning_contacts_per_week, date=format_day(self.env, busy))
        return 'ok', title, self.env._("It is a good moment to call.")

    def _check_screen_contact(self, facts, items):
        title = self.env._("The right person?")
        chosen = facts.contacts[0]
        if not chosen['number']:
            return 'stop', title, self.env._(
                "There is no telephone number. Look it up and add it to the contact, or write instead.")
        if chosen['phone_wrong']:
            return 'stop', title, self.env._("The number turned out to be wrong. Look up another one.")
        if chosen['is_debtor'] and not facts.partner.is_company:
            return 'ok', title, self.env._("It is the debtor's own number.")
        if chosen['is_debtor']:
            desk = next((contact for contact in facts.contacts if not contact['is_debtor'] and contact['type']), None)
            if desk:
                return 'ok', title, self.env._("It is the general number: ask for %s.", desk['name'])
            return 'warn', title, self.env._("Only the general number is known. Ask who handles payments.")
        role = chosen['function'] or chosen['type']
        return 'ok', title, (
            self.env._("You call %(name)s (%(role)s).", name=chosen['name'], role=role) if role
            else self.env._("You call %s.", chosen['name']))

    def _check_screen_promise(self, facts, items):
        title = self.env._("Promises")
        running = facts.promises.filtered(lambda promise: promise.state == 'running')
        if running:
            promise = running.sorted('date_promised')[0]
            return 'warn', title, self.env._(
                "Promised to pay %(amount)s by %(date)s, and that is still running. Do not ask for it again before.",
                amount=format_amount(self.env, promise.amount, promise.currency_id),
                date=format_day(self.env, promise.date_promised))
        broken = facts.promises.filtered(lambda promise: promise.state == 'broken')
        if broken:
            promise = broken[0]
            return 'warn', title, self.env._(
                "Broke %(count)s of %(total)s promises; the last was %(amount)s by %(date)s. Agree on a short term.",
                count=len(broken), total=len(facts.promises.filtered(lambda promise: promise.state != 'cancelled')),
                amount=format_amount(self.env, promise.amount, promise.currency_id),
                date=format_day(self.env, promise.date_promised))
        if facts.promises:
            return 'ok', title, self.env._("Kept what was promised so far.")
        return None

    def _check_screen_arrangement(self, facts, items):
        title = self.env._("Arrangement?")
        current = facts.arrangements.filtered(lambda one: one.state in LIVE_STATES)[:1]
        if current:
            return 'warn', title, current.story or current.display_name
        last = facts.arrangements.filtered(lambda one: one.state in DECIDED_STATES)[:1]
        if last.state == 'broken':
            return 'warn', title, last.story or self.env._("%s was broken.", last.name)
        if last:
            return 'ok', title, self.env._("The last arrangement was kept.")
        return None

    def _check_screen_dispute(self, facts, items):
        title = self.env._("Complaints?")
        disputes = facts.holds.filtered(lambda hold: hold.is_dispute and not hold.resolved_on)
        others = facts.holds.filtered(lambda hold: (
            not hold.is_dispute and hold.kind not in ('promise', *NO_CALL_KINDS) and hold.state != 'ended'
            and not hold.arrangement_id))
        late = [item for item in items if item['days'] > 0]
        if disputes:
            amount = format_amount(
                self.env, sum(item['held'] or item['amount'] for item in items if item['disputed']), self.currency_id)
            nothing_else = late and all(item['disputed'] for item in late)
            category = disputes._fields['dispute_category'].convert_to_export(disputes[0].dispute_category, disputes)
            what = (category or disputes[0].reason_id.name).lower()
            return ('stop' if nothing_else else 'warn'), title, (
                self.env._("All of it is disputed (%(what)s). Settle that first: %(owner)s looks after it.",
                           what=what, owner=disputes[0].user_id.name)
                if nothing_else else
                self.env._("%(amount)s is disputed (%(what)s). Leave it out, or say how it stands: %(owner)s knows.",
                           amount=amount, what=what, owner=disputes[0].user_id.name))
        if others:
            hold = others[0]
            return 'warn', title, self.env._(
                "On hold until %(date)s: %(reason)s (%(owner)s).", date=format_day(self.env, hold.date_end),
                reason=hold.reason_id._get_name_in_sentence(), owner=hold.user_id.name)
        return 'ok', title, self.env._("No dispute and no hold is open.")

    def _check_screen_answer(self, facts, items):
        """Whether the debtor wrote and nobody answered."""
        messages = self._get_screen_messages(facts)
        latest = messages[:1]
        since = fields.Datetime.now() - timedelta(days=UNANSWERED_DAYS)
        if latest and latest.date > since and self._is_from_debtor(latest, facts):
            return 'warn', self.env._("Answered him?"), self.env._(
                "An e-mail of %(date)s was not answered: “%(subject)s”. Read it first.",
                date=format_day(self.env, self.company_id._get_dunning_day(latest.date)),
                subject=latest.subject or latest.record_name or '')
        return None

    def _check_screen_sent(self, facts, items):
        title = self.env._("Invoices received?")
        late = [item for item in items if item['days'] > 0]
        unsent = [item for item in late if not item['sent']]
        if unsent:
            return 'stop', title, self.env._(
                "%(names)s was never sent. Send it before you ask for it.", names=self._join_names(unsent))
        bounced = self._get_bounced_moves([item['move_id'] for item in late])
        if bounced:
            return 'stop', title, self.env._(
                "The e-mail with %(names)s came back. Ask for the right address and send it again.",
                names=self._join_names([item for item in late if item['move_id'] in bounced]))
        wrong = [contact for contact in facts.contacts if contact['email_bounced']]
        if wrong:
            return 'warn', title, self.env._(
                "Mail to %s came back. Ask for the right address.", wrong[0]['email'])
        if not late:
            return None
        where = next((contact['email'] for contact in facts.contacts if contact['email']), '')
        return 'ok', title, (
            self.env._("All invoices were sent; the address is %s.", where) if where
            else self.env._("All invoices were sent."))

    @api.model
    def _join_names(self, items):
        names = list(dict.fromkeys(item['name'] for item in items))
        return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")

    @api.model
    def _get_bounced_moves(self, move_ids):
        """Return the ids of those invoices whose last e-mail came back."""
        if not move_ids:
            return set()
        # sudo: only which of these invoices, that the user can read, came back
        messages = self.env['mail.message'].sudo().search_fetch(
            [('model', '=', 'account.move'), ('res_id', 'in', move_ids), ('notification_ids', '!=', False),
             ('notification_ids.notification_type', '=', 'email')],
            ['res_id', 'notification_ids'], order='id')
        last = {message.res_id: message for message in messages}
        return {
            move_id for move_id, message in last.items()
            if any(notification.notification_status in ('bounce', 'exception')
                   for notification in message.notification_ids)}

    def _check_screen_bank(self, facts, items):
        title = self.env._("Payments up to date?")
        payments = self.env['dunning.planner']._get_reason_codes(is_payment=True)
        waiting = [item for item in items if item['reason'] in payments]
        if waiting:
            # What is collected by itself does not stop a call about the rest.
            rest = any(item['checked'] for item in items) and all(item['reason'] == 'direct_debit' for item in waiting)
            return 'warn' if rest else 'stop', title, self.env._(
                "%(names)s: %(why)s", names=self._join_names(waiting), why=waiting[0]['why'])
        states = self.company_id._get_dunning_bank_states()
        if not states:
            return 'warn', title, self.env._(
                "There are no bank statements here, so look in the bank before you say that it was not paid.")
        journal, newest = min(states, key=lambda state: state[1])
        age = (facts.today - newest).days
        # sudo: only a number of the policies that apply
        policies = self.env['dunning.policy'].sudo().browse(
            {decision.policy_id for decision in facts.decisions.values() if decision.policy_id})
        limit = min((policy.bank_max_age for policy in policies if policy.bank_max_age), default=5)
        if age > limit:
            return 'warn', title, self.env._(
                "The newest bank data of “%(journal)s” are of %(date)s. Import them first, or look in the bank.",
                journal=journal.name, date=format_day(self.env, newest))
        return 'ok', title, self.env._("Bank data up to %s were processed.", format_day(self.env, newest))

    def _check_screen_pattern(self, facts, items):
        title = self.env._("How does he pay?")
        sentence = self._tell_behaviour(facts)
        if not sentence:
            return 'ok', title, self.env._("Nothing is known yet: no invoice was paid in the last year.")
        late = (self.average_days_late or 0) >= LATE_HABIT
        return ('warn' if late else 'ok'), title, sentence

    def _tell_behaviour(self, facts):
        """Return how the debtor pays as a sentence, or an empty string when nothing is known."""
        days = round(self.average_days_late or 0)
        if not self.average_days_late:
            return ''
        if days > 0:
            texts = {
                'worse': self.env._("Pays %s days late on average, later than before.", days),
                'better': self.env._("Pays %s days late on average, sooner than before.", days),
            }
            return texts.get(self.trend) or self.env._("Pays %s days late on average.", days)
        if self.trend == 'worse':
            return self.env._("Pays in time, but later than before.")
        return self.env._("Pays in time.")
