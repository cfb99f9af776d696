"""What forms, the debtor screen and telephone systems say about a call, read as records, dates and numbers."""

import math
import re
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

# A telephone system and we need not agree on the time to the minute.
CLOCK_TOLERANCE = timedelta(minutes=5)
LONGEST_CALL = 24 * 3600
CALL_VALUES = frozenset({
    'company_id', 'partner_id', 'contact_id', 'contact_name', 'number', 'direction', 'date_start', 'duration',
    'item_ids', 'outcome', 'note', 'date', 'time', 'amount', 'category', 'part_amount', 'external_id', 'origin',
    'activity_id', 'confirm'})
TIME = re.compile(r'([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?')


class DunningCallParser(models.AbstractModel):
    """Each method reads one value, or raises a sentence about what makes no sense."""

    _name = 'dunning.call.parser'
    _description = "Call"

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
        """Return what was said, as records, dates and numbers; raise a sentence about what makes no sense."""
        company, today = self.env.company, self.env.company._dunning_today()
        partner, contact = self._parse_people(values, company)
        outcome = self._parse_outcome(values.get('outcome'))
        start = self._parse_start(values.get('date_start'))
        waiting = self._get_waiting_notices(company, partner)
        items = self._parse_items(values.get('item_ids'), company, partner, waiting, today)
        external = values.get('external_id')
        return {
            'company': company,
            'partner': partner,
            'contact': contact,
            'contact_name': self._parse_text(values.get('contact_name'), 'contact_name'),
            'number': self._parse_number(values.get('number'), partner, contact),
            'direction': self._parse_choice(values.get('direction') or 'out', 'direction'),
            'origin': self._parse_choice(values.get('origin') or 'api', 'origin'),
            'outcome': outcome,
            'date_start': start or fields.Datetime.now(),
            'call_date': self._get_company_date(company, start) if start else today,
            'duration': self._parse_duration(values.get('duration')),
            'items': items,
            # Nothing was chosen, such as when nobody answered: it was a call for all of them.
            'notices': waiting.filtered(lambda notice: notice.live_line_ids.move_line_id & items) if items else waiting,
            'note': self._parse_text(values.get('note'), 'note'),
            'date': self._parse_date(values.get('date')),
            'time': self._parse_time(values.get('time')),
            'amount': self._parse_amount(values.get('amount')),
            'part_amount': self._parse_amount(values.get('part_amount')),
            'category': self._parse_category(values.get('category')),
            'confirm': None if values.get('confirm') is None else bool(values['confirm']),
            'external_id': self._parse_text(
                str(external) if isinstance(external, int) and external else external, 'external_id'),
            'activity': self._parse_activity(values.get('activity_id')),
        }

    @api.model
    def _parse_id(self, value, name):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
            raise UserError(self.env._("%(name)s must be the ID of a record, not “%(value)s”.", name=name, value=value))
        return value

    @api.model
    def _parse_people(self, values, company):
        """Return (debtor, contact or nobody)."""
        Partner = self.env['res.partner']
        if not values.get('partner_id'):
            raise UserError(self.env._("Whom was it with? Give the debtor of the call (partner_id)."))
        person = Partner.browse(self._parse_id(values['partner_id'], 'partner_id')).exists()
        if not person:
            raise UserError(self.env._("That debtor does not exist (any more)."))
        person.check_access('read')
        debtor = person.commercial_partner_id
        if debtor.company_id and debtor.company_id != company:
            raise UserError(self.env._(
                "%(debtor)s is a contact of %(other)s only, so no debtor of %(company)s.",
                debtor=debtor.display_name, other=debtor.company_id.name, company=company.name))
        contact = person if person != debtor else Partner
        if values.get('contact_id'):
            contact = Partner.browse(self._parse_id(values['contact_id'], 'contact_id')).exists()
            if not contact:
                raise UserError(self.env._("That contact does not exist (any more)."))
            contact.check_access('read')
            if contact.commercial_partner_id != debtor:
                raise UserError(self.env._(
                    "%(contact)s is no contact of %(debtor)s. Choose one of his contacts, or only give a name.",
                    contact=contact.display_name, debtor=debtor.display_name))
        return debtor, contact or debtor._get_dunning_phone_contact()

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
    def _parse_start(self, value):
        if not value:
            return None
        try:
            if isinstance(value, str):
                start = datetime.fromisoformat(value.strip().replace('Z', '+00:00'))
                if start.tzinfo:
                    start = (start - start.utcoffset()).replace(tzinfo=None)
            else:
                start = fields.Datetime.to_datetime(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise UserError(self.env._(
                "The start “%s” is not a time. Write it in UTC as 2026-03-31 14:05:00.", value)) from error
        start = start.replace(microsecond=0)
        if start > fields.Datetime.now() + CLOCK_TOLERANCE:
            raise UserError(self.env._("The call starts in the future (%s UTC). Only calls that were made are logged.",
                                       fields.Datetime.to_string(start)))
        return start

    @api.model
    def _get_company_date(self, company, start):
        return fields.Datetime.context_timestamp(
            self.with_context(tz=str(company._get_dunning_tz())), start).date()

    @api.model
    def _parse_items(self, value, company, partner, waiting, today):
        Item = self.env['account.move.line']
        owed = Item._get_dunning_open_domain(company, partner)
        if value is None or value is False:
            items = Item.search(owed)
            late = items.filtered(lambda item: item._get_dunning_due_date() < today)
            return (late | (items & waiting.live_line_ids.move_line_id)) or items
        if not isinstance(value, list | tuple):
            raise UserError(self.env._("item_ids is a list of IDs of due items."))
        wanted = Item.browse([self._parse_id(item, 'item_ids') for item in value])
        items = Item.search(owed & Domain('id', 'in', wanted.ids))
        if items != wanted and (lost := (wanted - items).exists()):
            lost.check_access('read')
            raise UserError(self.env._(
                "%(item)s is nothing that %(debtor)s has to pay (any more). Leave it out.",
                item=lost[:1].move_id.display_name, debtor=partner.display_name))
        if len(items) != len(set(wanted.ids)):
            raise UserError(self.env._("One of the due items does not exist (any more)."))
        return items

    @api.model
    def _get_waiting_notices(self, company, partner):
        """Return the calls of the ladder that wait for somebody to call this debtor."""
        return self.env['dunning.notice'].search([
            ('company_id', '=', company.id), ('partner_id', '=', partner.id), ('channel', '=', 'phone'),
            ('state', '=', 'todo')])

    @api.model
    def _parse_number(self, value, partner, contact):
        person = contact or partner
        if not value or value in (person.phone, person._get_dunning_number()):
            return person._get_dunning_number() or False
        number = isinstance(value, str) and person._phone_format(number=value)
        if not number:
            raise UserError(self.env._(
                "“%s” is not a telephone number. Write it with the code of the country, as in +31 20 123 45 67, or "
                "leave it out.", value))
        return number

    @api.model
    def _parse_choice(self, value, name):
        choices = [code for code, _label in self._fields[name].selection]
        if value not in choices:
            raise UserError(self.env._(
                "“%(value)s” makes no sense for %(name)s. Choose one of: %(choices)s.",
                value=value, name=name, choices=", ".join(choices)))
        return value

    @api.model
    def _parse_category(self, value):
        choices = [code for code, _label in self.env['dunning.hold']._fields['dispute_category'].selection]
        if value and value not in choices:
            raise UserError(self.env._(
                "“%(value)s” makes no sense for %(name)s. Choose one of: %(choices)s.",
                value=value, name='category', choices=", ".join(choices)))
        return value or False

    @api.model
    def _parse_duration(self, value):
        if not value:
            return 0
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LONGEST_CALL:
            raise UserError(self.env._("The duration is a number of seconds, not “%s”.", value))
        return int(value)

    @api.model
    def _parse_amount(self, value):
        if not value:
            return 0.0
        if not isinstance(value, int | float) or isinstance(value, bool) or not (math.isfinite(value) and value >= 0):
            raise UserError(self.env._("“%s” is not an amount. Write a number above zero.", value))
        return float(value)

    @api.model
    def _parse_date(self, value):
        if not value:
            return None
        try:
            return fields.Date.to_date(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(self.env._("“%s” is not a date. Write it as 2026-03-31.", value)) from error

    @api.model
    def _parse_time(self, value):
        """Return ``HH:MM``, or an empty string."""
        if not value:
            return ''
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 24:
            minutes = min(round(value * 60), 24 * 60 - 1)
            return f'{minutes // 60:02d}:{minutes % 60:02d}'
        match = TIME.fullmatch(value.strip()) if isinstance(value, str) else None
        if not match:
            raise UserError(self.env._("“%s” is not a time. Write it as 14:30.", value))
        return f'{int(match[1]):02d}:{match[2]}'

    @api.model
    def _parse_text(self, value, name):
        if not value:
            return False
        if not isinstance(value, str):
            raise UserError(self.env._("%(name)s must be text, not “%(value)s”.", name=name, value=value))
        return value.replace('\x00', '').strip() or False

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
