"""Logging a call: what a form, the debtor screen or a telephone system says of it is read, checked and recorded."""

import time
from datetime import datetime, timedelta

from psycopg2.errors import UniqueViolation

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import mute_logger

from ..kernel.formats import format_day
from .dunning_call_outcome import TRIES

# A telephone system and we need not agree on the time to the minute.
CLOCK_TOLERANCE = timedelta(minutes=5)
# In seconds; and in any currency. More is a mistake.
LONGEST_CALL = 24 * 3600
LARGEST_AMOUNT = 1e12
# Characters: of facts about a payment, and of a name or number of another program.
LONGEST_TEXTS, LONGEST_NAME = {'note': 5000}, 200
CALL_VALUES = frozenset({
    'company_id', 'partner_id', 'contact_id', 'contact_name', 'number', 'direction', 'date_start', 'duration',
    'item_ids', 'outcome', 'note', 'date', 'time', 'amount', 'category', 'part_amount', 'external_id', 'origin',
    'activity_id', 'confirm'})


class DunningCallLog(models.AbstractModel):
    """The one entrance of calls, :meth:`log_call`, and what follows from every call whatever its outcome."""

    _name = 'dunning.call.log'
    _description = "Call"

    @api.model
    def log_call(self, values=None):
        """Log a telephone call about payment, and do what follows from its outcome.

        For accounting users (``account.group_account_invoice``), from Odoo itself and over JSON-2 or XML-RPC.
        All or nothing: what cannot be applied raises one sentence and nothing is written. A call that was logged
        with the same ``external_id`` gives the same answer and nothing happens twice.

        :param dict values: of the call

            - ``partner_id`` (int, required): the debtor, or a contact of him
            - ``outcome`` (required): id of a ``dunning.call.outcome``, or its kind, such as ``'no_answer'``
            - ``company_id`` (int): default the current company
            - ``contact_id`` (int), ``contact_name`` (str): who was spoken to
            - ``number`` (str): default that of the contact; stored as E.164
            - ``direction``: ``'out'`` (default) or ``'in'``
            - ``date_start`` (str, UTC, ``YYYY-MM-DD HH:MM:SS``): default now; ``duration`` (int, seconds)
            - ``item_ids`` (list of int): open due items (``account.move.line``) that were talked about; default
              those that are late or on the list to call about, and if there are none all open items
            - ``note`` (str): facts about the payment
            - ``date`` (str, ``YYYY-MM-DD``): promised, paid, to call back or approved on
            - ``time`` (str ``HH:MM``): to call back at
            - ``amount`` (float, currency of the items): promised; default all that is open of the items
            - ``part_amount`` (float, currency of the item): in dispute; default everything
            - ``confirm`` (bool): mail the debtor what he promised; default as the settings of the company say
            - ``category``: what is disputed, as ``dunning.hold.dispute_category``
            - ``external_id`` (str): how the telephone system calls it
            - ``origin``: ``'api'`` (default), ``'screen'``, ``'form'``, ``'activity'`` or ``'notice'``
            - ``activity_id`` (int): the activity that this call was; it is done afterwards
        :return: dict with ``call_id``, ``promise_id`` (or False), ``hold_ids``, ``notice_ids`` (calls of the ladder
            that do not wait any more), ``message`` (one sentence) and ``action`` (what to open next, or False)
        :raise UserError: when a value makes no sense or the outcome cannot be applied
        :raise AccessError: when the user may not log calls or see the debtor or company
        """
        self.check_access('create')
        company = self._parse_company(values)
        lang = self.env.context.get('lang') or self.env.user.lang
        Call = self.with_company(company).with_context(lang=lang)
        with self.env.cr.savepoint():
            vals = Call._parse_call(values)
            logged = Call._find_logged(vals)
            if logged:
                return logged.answer or logged._prepare_answer(
                    logged.summary or logged.outcome_id.name, logged.hold_ids, logged.promise_id)
            return Call._log_parsed(vals, Call._parse_agreed(values))

    @api.model
    def _log_parsed(self, vals, agreed):
        """Record a call and do what follows from it.

        :param dict vals: of the call
        :param dict agreed: what was agreed in it, as :meth:`_parse_agreed` returns it
        :return: what :meth:`log_call` answers
        """
        try:
            with mute_logger('odoo.sql_db'):
                recording = self._recording().create([{**vals, 'activity_source_id': agreed['activity'].id}])
        except UniqueViolation as error:
            # Another request logs the same call just now. Odoo tries again, and then finds it.
            raise ConcurrencyError(self.env._("This call is being logged by another request.")) from error
        call = recording.with_env(self.env)
        notices = gone = call.notice_ids.filtered(lambda notice: notice.state == 'todo')
        # Made is made: what the outcome puts on hold must not take the call of the ladder off the list first.
        if call.reached:
            call._make_notices(notices, agreed['date'] if call.kind == 'promise' else None)
        result = getattr(call, f'_apply_{call.kind}')(agreed)
        if call.reached:
            call._finish_call_backs()
        else:
            gone = call._skip_notices(notices)
        message = " ".join(filter(None, [result['done'], call._tell_ladder(gone)]))
        holds, promise = result.get('holds') or self.env['dunning.hold'], result.get('promise')
        recording.write({
            'summary': message,
            'next_step': result.get('next_step'),
            'next_date': result.get('next_date'),
            'hold_ids': [Command.set(holds.ids)],
            'promise_id': promise and promise.id,
            'answer': call._prepare_answer(message, holds, promise, gone, result.get('action')),
        })
        # On the invoices it is logged that there was a call and how it ended, not the note.
        body = self.env._(
            "Call of %(date)s: %(outcome)s.", date=format_day(self.env, call.date),
            outcome=call._get_html_link(title=call.outcome_id.name))
        call.item_ids.move_id._message_log_batch(dict.fromkeys(call.item_ids.move_id.ids, body))
        activity = agreed['activity'].exists()  # that of a call of the ladder went with it
        if activity.active:
            activity.action_feedback(feedback=message)
        self.env.flush_all()
        return call.answer  # as JSON, as it is answered again

    @api.model
    def _find_logged(self, vals):
        """Return the call that was logged before with the same external ID."""
        if not vals['external_id']:
            return self.browse()
        logged = self.search([('company_id', '=', vals['company_id']), ('external_id', '=', vals['external_id'])])
        if logged and logged.partner_id.id != vals['partner_id']:
            raise UserError(self.env._(
                "The external ID %(external)s belongs to a call with %(debtor)s that was logged before. Give each "
                "call an ID of its own.", external=vals['external_id'], debtor=logged.partner_id.display_name))
        return logged

    def _prepare_answer(self, message, holds, promise, gone=None, action=None):
        """Return what :meth:`log_call` answers.

        :param gone: the calls of the ladder that do not wait any more because of this call
        """
        return {
            'call_id': self.id,
            'promise_id': promise.id if promise else False,
            'hold_ids': holds.ids,
            'notice_ids': gone.ids if gone else [],
            'message': message,
            'action': action or False,
        }

    # -------------------------------------------------------------------------
    # WHAT FOLLOWS FROM EVERY CALL
    # -------------------------------------------------------------------------

    def _make_notices(self, notices, promised):
        """Record these calls of the ladder as made: the debtor was reached.

        :param date promised: when he will have paid, if he said so
        """
        if notices:
            today = self.company_id._dunning_today()
            notices._remember()
            notices._recording().write({'date': today, 'deadline': False, 'promised_date': promised or False})
            notices._record_sent(today)

    def _skip_notices(self, notices):
        """Pass over and return those of these calls of the ladder that were tried often enough in vain."""
        if self.kind not in TRIES:
            return notices.browse()
        # A number that is wrong is no use trying again.
        no_number = self.kind == 'wrong_number' and not self.partner_id._get_dunning_phone_contact(self.contact_id)
        tired = notices.filtered(lambda notice: no_number or (
            notice.level_id.phone_tries and notice.call_tries >= notice.level_id.phone_tries))
        tired._remember()
        tired._skip(self.company_id._dunning_today())
        return tired

    def _tell_ladder(self, gone):
        """Return the sentence about the calls of the ladder; empty when there is nothing to tell."""
        if not gone:
            return ''
        levels = ", ".join(dict.fromkeys(gone.level_id.mapped('name')))
        if self.reached:
            return self.env._("“%s” counts as done.", levels)
        return self.env._("“%s” is passed over: the next level follows.", levels)

    def _finish_call_backs(self):
        """Once spoken to, the debtor is not called back any more."""
        earlier = self.search([
            ('company_id', 'in', self.company_id._get_dunning_company_ids()),
            ('partner_id', '=', self.partner_id.id), ('id', '!=', self.id)])
        # sudo: a colleague may have planned it
        earlier.sudo().activity_unlink(['mail.mail_activity_data_call'])

    # -------------------------------------------------------------------------
    # READING WHAT WAS SAID: RECORDS, DATES AND NUMBERS, OR A SENTENCE ABOUT WHAT MAKES NO SENSE
    # -------------------------------------------------------------------------

    @api.model
    def _parse_company(self, values):
        if not isinstance(values, dict):
            raise UserError(self.env._("The values of a call are a dictionary, at least with partner_id and outcome."))
        unknown = set(values) - CALL_VALUES
        if unknown:
            raise UserError(self.env._(
                "A call has no %(unknown)s. It has: %(known)s.",
                unknown=", ".join(sorted(map(str, unknown))), known=", ".join(sorted(CALL_VALUES))))
        if not values.get('company_id'):
            return self.env.company
        company = self.env['res.company'].browse(self._parse_id(values['company_id'], 'company_id'))
        if company not in self.env.user.company_ids:
            raise AccessError(self.env._("You do not work for that company, so you cannot log its calls."))
        return company

    @api.model
    def _parse_call(self, values):
        """Return the values of the record."""
        company = self.env.company
        debtor, person, number = self._parse_people(values, company)
        outcome = self._parse_outcome(values.get('outcome'))
        start = self._parse_start(values.get('date_start'))
        waiting = self._get_waiting_notices(company, debtor)
        items, today = self._parse_items(values.get('item_ids'), company, debtor, waiting), company._dunning_today()
        # Nothing was chosen, such as when nobody answered: it was a call for all of them.
        notices = waiting.filtered(lambda notice: notice.live_line_ids.move_line_id & items) if items else waiting
        duration, external = values.get('duration') or 0, values.get('external_id')
        if not self._is_number(duration, LONGEST_CALL):
            raise UserError(self.env._("The duration is a number of seconds, not “%s”.", duration))
        return {
            'company_id': company.id,
            'partner_id': debtor.id,
            'contact_id': person.id,
            'contact_name': self._parse_text(values.get('contact_name'), 'contact_name'),
            'number': number,
            'direction': self._parse_choice(values.get('direction') or 'out', 'direction', self._fields['direction']),
            'user_id': self.env.uid,
            'date_start': start or fields.Datetime.now(),
            'date': company._get_dunning_day(start) if start else today,
            'duration': int(duration),
            'item_ids': [Command.set(items.ids)],
            'amount_discussed': sum(items.mapped('amount_residual')),
            'outcome_id': outcome.id,
            'reached': outcome.reached,
            'note': self._parse_text(values.get('note'), 'note'),
            'notice_ids': [Command.set(notices.ids)],
            'origin': self._parse_choice(values.get('origin') or 'api', 'origin', self._fields['origin']),
            'external_id': self._parse_text(
                str(external) if isinstance(external, int) and external else external, 'external_id'),
        }

    @api.model
    def _parse_agreed(self, values):
        """Return what the outcome works with, besides the record."""
        category = self.env['dunning.hold']._fields['dispute_category']
        return {
            'date': self._parse_moment(
                values.get('date'), fields.Date.to_date,
                self.env._("“%s” is not a date. Write it as 2026-03-31.", values.get('date'))),
            'time': self._parse_moment(
                values.get('time'), lambda value: time.strftime('%H:%M', time.strptime(value.strip(), '%H:%M')),
                self.env._("“%s” is not a time. Write it as 14:30.", values.get('time'))),
            'amount': self._parse_amount(values.get('amount')),
            'part_amount': self._parse_amount(values.get('part_amount')),
            'category': self._parse_choice(values.get('category'), 'category', category),
            'confirm': None if values.get('confirm') is None else bool(values['confirm']),
            'activity': self._parse_activity(values.get('activity_id')),
        }

    @api.model
    def _parse_id(self, value, name):
        if type(value) is not int or not 0 < value < 2**31:
            raise UserError(self.env._("%(name)s must be the ID of a record, not “%(value)s”.", name=name, value=value))
        return value

    @api.model
    def _parse_people(self, values, company):
        """Return the debtor, who was spoken to or is to be called, and the number."""
        Partner = self.env['res.partner']
        if not values.get('partner_id'):
            raise UserError(self.env._("Whom was it with? Give the debtor of the call (partner_id)."))
        person = Partner.browse(self._parse_id(values['partner_id'], 'partner_id')).exists()
        if not person:
            raise UserError(self.env._("That debtor does not exist (any more)."))
        person.check_access('read')
        debtor = person.commercial_partner_id
        if debtor.company_id and debtor.company_id.id not in company._get_dunning_company_ids():
            raise UserError(self.env._(
                "%(debtor)s is a contact of %(other)s only, so no debtor of %(company)s.",
                debtor=debtor.display_name, other=debtor.company_id.name, company=company.name))
        if values.get('contact_id'):
            person = Partner.browse(self._parse_id(values['contact_id'], 'contact_id')).exists()
            if not person:
                raise UserError(self.env._("That contact does not exist (any more)."))
            person.check_access('read')
            if person.commercial_partner_id != debtor:
                raise UserError(self.env._(
                    "%(contact)s is no contact of %(debtor)s. Choose one of his contacts, or only give a name.",
                    contact=person.display_name, debtor=debtor.display_name))
        elif person == debtor:
            person = debtor._get_dunning_phone_contact() or debtor
        return debtor, person, self._parse_number(values.get('number'), person, person._get_dunning_number())

    @api.model
    def _parse_outcome(self, value):
        Outcome = self.env['dunning.call.outcome']
        if not value:
            raise UserError(self.env._("How did the call end? Choose the outcome."))
        if isinstance(value, str):
            outcome = Outcome.search([('kind', '=', value)], limit=1)
        else:
            outcome = Outcome.browse(self._parse_id(value, 'outcome')).exists()
        if not outcome:
            kinds = ", ".join(kind for kind, _label in Outcome._fields['kind'].selection)
            raise UserError(self.env._(
                "There is no outcome “%(outcome)s”. Give the ID of an outcome or one of: %(kinds)s.",
                outcome=value, kinds=kinds))
        return outcome

    @api.model
    def _parse_moment(self, value, read, message):
        """Return what ``read`` makes of a value, None of nothing; raise the message where it makes no sense."""
        try:
            return read(value) if value else None
        except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
            raise UserError(message) from error

    @api.model
    def _parse_start(self, value):
        def read(value):
            start = value if isinstance(value, datetime) else datetime.fromisoformat(
                value.strip().replace('Z', '+00:00'))
            # In UTC, as Odoo keeps it.
            return (start - (start.utcoffset() or timedelta())).replace(tzinfo=None, microsecond=0)

        start = self._parse_moment(value, read, self.env._(
            "The start “%s” is not a time. Write it in UTC as 2026-03-31 14:05:00.", value))
        if start and start > fields.Datetime.now() + CLOCK_TOLERANCE:
            raise UserError(self.env._("The call starts in the future (%s UTC). Only calls that were made are logged.",
                                       fields.Datetime.to_string(start)))
        return start

    @api.model
    def _parse_items(self, value, company, debtor, waiting):
        if value is None or value is False:
            return self._get_default_items(company, debtor, waiting)
        if not isinstance(value, list | tuple):
            raise UserError(self.env._("item_ids is a list of IDs of due items."))
        wanted = self.env['account.move.line'].browse({self._parse_id(item, 'item_ids') for item in value})
        items = wanted.exists()
        if items != wanted:
            raise UserError(self.env._("One of the due items does not exist (any more)."))
        items.check_access('read')
        lost = items - items.filtered_domain(items._get_dunning_open_domain(company, debtor))
        if lost:
            raise UserError(self.env._(
                "%(item)s is nothing that %(debtor)s has to pay (any more). Leave it out.",
                item=lost[:1].move_id.display_name, debtor=debtor.display_name))
        return items

    @api.model
    def _get_default_items(self, company, debtor, waiting):
        """Return what a call is about when nobody says so: what is late or was to be called about, else all."""
        Item = self.env['account.move.line']
        items = Item.search(Item._get_dunning_open_domain(company, debtor))
        today = company._dunning_today()
        late = items.filtered(lambda item: item._get_dunning_due_date() < today)
        return (late | (items & waiting.live_line_ids.move_line_id)) or items

    @api.model
    def _get_waiting_notices(self, company, debtor):
        """Return the calls of the ladder that wait for somebody to call this debtor."""
        return self.env['dunning.notice'].search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', debtor.id),
            ('channel', '=', 'phone'),
            ('state', '=', 'todo')])

    @api.model
    def _parse_number(self, value, person, known):
        if not value or value in (person.phone, known):
            return known or False
        number = isinstance(value, str) and person._phone_format(number=value)
        if not number:
            raise UserError(self.env._(
                "“%s” is not a telephone number. Write it with the code of the country, as in +31 20 123 45 67, or "
                "leave it out.", value))
        return number

    @api.model
    def _parse_choice(self, value, name, field):
        choices = [code for code, _label in field.selection]
        if value and value not in choices:
            raise UserError(self.env._(
                "“%(value)s” makes no sense for %(name)s. Choose one of: %(choices)s.",
                value=value, name=name, choices=", ".join(choices)))
        return value or False

    @api.model
    def _is_number(self, value, most):
        """Return whether a value is a number from zero to this; True is none."""
        return type(value) in (int, float) and 0 <= value <= most

    @api.model
    def _parse_amount(self, value):
        if value and not self._is_number(value, LARGEST_AMOUNT):
            raise UserError(self.env._("“%s” is not an amount. Write a number above zero.", value))
        return float(value or 0)

    @api.model
    def _parse_text(self, value, name):
        if value and not isinstance(value, str):
            raise UserError(self.env._("%(name)s must be text, not “%(value)s”.", name=name, value=value))
        text = (value or '').replace('\x00', '').strip()
        most = LONGEST_TEXTS.get(name, LONGEST_NAME)
        if len(text) > most:
            raise UserError(self.env._("%(name)s has at most %(most)s characters.", name=name, most=most))
        return text or False

    @api.model
    def _parse_activity(self, value):
        Activity = self.env['mail.activity']
        if not value:
            return Activity
        activity = Activity.with_context(active_test=False).browse(self._parse_id(value, 'activity_id')).exists()
        if not activity:
            raise UserError(self.env._("That activity does not exist any more."))
        activity.check_access('read')
        taken = self.search([('activity_source_id', '=', activity.id)], limit=1)
        if taken:
            raise UserError(self.env._("This activity is in the call log already: %s.", taken.display_name))
        return activity
