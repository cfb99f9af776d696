"""What happened between us and a debtor: calls, notices, mails, promises, arrangements, holds and payments."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.mail import html2plaintext, is_html_empty

from ..kernel.formats import format_day

# How much of each kind of event the timeline shows, the latest first, and of all together.
EVENTS_PER_KIND, EVENTS = 30, 80
# How much of a note or an e-mail the timeline shows.
EXCERPT = 400
PHONE_CHANNEL = 'phone'


class DunningDebtorTimeline(models.AbstractModel):
    """Each kind of event is read by one method, the latest first, with one query or a few."""

    _name = 'dunning.debtor.timeline'
    _description = "Debtor"

    def _prepare_screen_timeline(self, facts):
        """Return what happened, the latest first: calls, notices, mails, promises, holds and payments."""
        events = [
            *self._get_call_events(facts),
            *self._get_notice_events(facts),
            *self._get_promise_events(facts),
            *self._get_arrangement_events(facts),
            *self._get_hold_events(facts),
            *self._get_message_events(facts),
            *self._get_payment_events(facts),
        ]
        # A day without a time stands after what happened on it at a known time.
        events.sort(key=lambda event: (event['day'], event['at'] or '', event['id']), reverse=True)
        return events[:EVENTS]

    def _prepare_event(
            self, kind, record, *, at=None, day=None, title, text='', who='', badge='', tone='', tones=None, amount=0,
            opens=None):
        """Return one event.

        :param at: moment (UTC) when it is known, else ``day``
        :param str tone: ``good``, ``bad`` or empty: how the badge looks
        :param dict tones: of a record with a state, that is its badge: the tone by state
        :param opens: what is opened by a click; None: the record itself
        """
        opens = opens or record
        if tones is not None:
            badge = record['state_text'] if 'state_text' in record else record._fields['state'].convert_to_export(
                record.state, record)
            tone = tones.get(record.state, '')
        return {
            'key': f'{kind}-{record.id}',
            'kind': kind,
            'id': opens.id,
            'model': opens._name,
            'at': fields.Datetime.to_string(at) or False,
            'day': fields.Date.to_string(self.company_id._get_dunning_day(at) if at else day),
            'title': title,
            'text': text or '',
            'who': who or '',
            'badge': badge or '',
            'tone': tone,
            'amount': amount,
        }

    def _get_call_events(self, facts):
        return [
            self._prepare_event(
                'call', call, at=call.date_start, who=call.user_id.name, title=call.outcome_id.name,
                text=(call.note or '')[:EXCERPT], tone='good' if call.kind == 'promise' else '')
            for call in facts.calls]

    def _get_notice_events(self, facts):
        tones = {'undelivered': 'bad', 'withdrawn': 'bad', 'error': 'bad', 'sent': 'good'}
        events = []
        for notice in facts.notices:
            if notice.channel == PHONE_CHANNEL and any(notice in call.notice_ids for call in facts.calls):
                continue  # the call itself is told, with what was said
            day = notice.date or notice.date_planned
            who = self.env._("automatic") if notice.author_id._is_superuser() else notice.author_id.name
            events.append(self._prepare_event(
                'notice', notice, at=notice.sent_on or None, day=day, who=who,
                title=notice.level_id.name or '', tones=tones, amount=notice.amount_due,
                text=self.env._(
                    "%(channel)s to %(recipient)s",
                    channel=notice._fields['channel'].convert_to_export(notice.channel, notice),
                    recipient=notice.recipient_id.name or facts.partner.name or '')))
        return events

    def _get_promise_events(self, facts):
        tones = {'kept': 'good', 'broken': 'bad', 'partly': 'bad'}
        return [
            self._prepare_event(
                'promise', promise, day=promise.date_made, who=promise.user_id.name,
                title=self.env._("Promise to pay by %s", format_day(self.env, promise.date_promised)),
                text=promise.story, tones=tones, amount=promise.amount)
            for promise in facts.promises
        ]

    def _get_arrangement_events(self, facts):
        """Return the arrangements, each on the day of the last thing that happened to it."""
        tones = {'kept': 'good', 'active': 'good', 'broken': 'bad'}
        return [
            self._prepare_event(
                'arrangement', arrangement, day=arrangement._get_last_day(), who=arrangement.user_id.name,
                title=arrangement.name or self.env._("Arrangement"), text=arrangement.story, tones=tones,
                amount=arrangement.amount_total)
            for arrangement in facts.arrangements]

    def _get_hold_events(self, facts):
        Hold = self.env['dunning.hold']
        tones = {'active': 'bad', 'overdue': 'bad'}
        holds = Hold.search(
            [('company_id', 'in', self.company_id._get_dunning_company_ids()), ('partner_id', '=', facts.partner.id),
             ('kind', '!=', 'promise'), ('arrangement_id', '=', False)],
            order='opened_on desc, id desc', limit=EVENTS_PER_KIND)
        return [
            self._prepare_event(
                'hold', hold, day=hold.opened_on, who=hold.opened_by_id.name, title=hold.display_name,
                text=hold.note[:EXCERPT] if hold.note else self.env._(
                    "Until %s", format_day(self.env, hold.ended_on or hold.date_end)),
                tones=tones)
            for hold in holds
        ]

    def _get_screen_messages(self, facts):
        """Return e-mails and comments on the debtor and on what he owes, the latest first, that the user may read."""
        people = [contact['id'] for contact in facts.contacts]
        return self.env['mail.message'].search(
            Domain('message_type', 'in', ('email', 'comment', 'email_outgoing')) & (
                (Domain('model', '=', 'res.partner') & Domain('res_id', 'in', people))
                | (Domain('model', '=', 'account.move') & Domain('res_id', 'in', facts.items.move_id.ids))),
            order='date desc, id desc', limit=EVENTS_PER_KIND)

    @api.model
    def _is_from_debtor(self, message, facts):
        return message.author_id.commercial_partner_id == facts.partner or (
            message.message_type == 'email' and not message.author_id.user_ids)

    def _get_message_events(self, facts):
        events = []
        for message in self._get_screen_messages(facts):
            if is_html_empty(message.body):
                continue
            theirs = self._is_from_debtor(message, facts)
            text = ' '.join(html2plaintext(message.body, include_references=False).split())
            events.append(self._prepare_event(
                'mail_in' if theirs else 'mail', message, at=message.date,
                who=message.author_id.name or message.email_from,
                title=message.subject or message.record_name or self.env._("Message"),
                text=text[:EXCERPT], opens=self.env[message.model].browse(message.res_id)))
        return events

    def _get_payment_events(self, facts):
        """Return the money that came in, the latest first."""
        Item = self.env['account.move.line']
        lines = Item.search_fetch(
            Item._get_dunning_due_domain() & Domain([
                ('company_id', 'in', self.company_id._get_dunning_company_ids()),
                ('partner_id', '=', facts.partner.id),
                ('parent_state', '=', 'posted'), ('balance', '<', 0), ('currency_id', '=', self.currency_id.id)]),
            ['date', 'amount_currency', 'move_id', 'reconciled'], order='date desc, id desc', limit=EVENTS_PER_KIND)
        lines.move_id.fetch(['name', 'move_type', 'ref'])
        return [
            self._prepare_event(
                'payment', line, day=line.date, amount=-line.amount_currency, text=line.move_id.name,
                title=self.env._("Credit note") if line.move_id.move_type == 'out_refund' else self.env._("Paid"),
                badge='' if line.reconciled else self.env._("Not matched"), opens=line.move_id)
            for line in lines]
