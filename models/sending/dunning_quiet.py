"""Quiet hours: no e-mail leaves on Sundays, holidays or at night.

The norm for collection agencies (Besluit kwaliteit incassodienstverlening, article 4.2)
is good practice for a creditor's own reminders. Holidays are those of the country of
the debtor, hours those of the company.
"""

from datetime import date, datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools.misc import format_date

from ...tools import dutch_calendar

DAY_STARTS, DAY_ENDS = time(7), time(20)
NOON = time(12)
SUNDAY = 6


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_quiet = fields.Boolean(
        string="Quiet Hours",
        default=True,
        help="No e-mail leaves on Sundays, on holidays of the debtor's country, nor between 20:00 and 07:00. "
             "What is queued then leaves afterwards.",
        prefetch='dunning',
    )

    def _dunning_now(self):
        """Return the time where the company is, without time zone; noon when a date was given instead of the clock."""
        self.ensure_one()
        if isinstance(self.env.context.get('dunning_at_date'), date):
            return datetime.combine(self._dunning_today(), NOON)
        return fields.Datetime.now().replace(tzinfo=pytz.utc).astimezone(self._get_dunning_tz()).replace(tzinfo=None)

    def _get_dunning_tz(self):
        return pytz.timezone(self[:1].partner_id.tz or self.env.user.tz or 'Europe/Amsterdam')

    def _get_dunning_quiet_until(self, country_code=None):
        """Return when a debtor in that country may be written to again (local time), or None when he may be now."""
        self.ensure_one()
        now = self._dunning_now()
        if not self.dunning_quiet:
            return None
        day = now.date()
        if not self._is_dunning_rest_day(day, country_code) and DAY_STARTS <= now.time() < DAY_ENDS:
            return None
        if now.time() >= DAY_STARTS:
            day += timedelta(days=1)
        while self._is_dunning_rest_day(day, country_code):
            day += timedelta(days=1)
        return datetime.combine(day, DAY_STARTS)

    @api.model
    def _is_dunning_rest_day(self, day, country_code):
        if day.weekday() == SUNDAY:
            return True
        try:
            return dutch_calendar.is_holiday(day, country_code or 'NL')
        except ValueError:  # a country whose holidays nobody knows
            return dutch_calendar.is_holiday(day)


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_quiet = fields.Boolean(related='company_id.dunning_quiet', readonly=False)


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _stop_at_gate(self, notices, at_date, *, gate_open=False):
        # OVERRIDE: an e-mail also waits for the morning.
        waiting = super()._stop_at_gate(notices, at_date, gate_open=gate_open)
        by_mail = (notices - waiting).filtered(lambda notice: notice.channel in ('email', 'both'))
        for (company, country), batch in by_mail.grouped(
            lambda notice: (notice.company_id, notice.partner_id.country_id.code)
        ).items():
            until = company._get_dunning_quiet_until(country)
            if until:
                batch._recording().write({'waiting_reason': self.env._(
                    "No e-mails leave on Sundays, holidays or between 20:00 and 07:00. It leaves on %(date)s at "
                    "%(time)s.",
                    date=format_date(self.env, until.date(), date_format='EEEE d MMMM'),
                    time=until.strftime('%H:%M'))})
                self._wake_at(company, until)
                waiting |= batch
        return waiting

    @api.model
    def _wake_at(self, company, until):
        """Let the queue go on at a local time of the company."""
        cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch', raise_if_not_found=False)
        if cron:
            moment = company._get_dunning_tz().localize(until).astimezone(pytz.utc).replace(tzinfo=None)
            if moment > fields.Datetime.now():
                cron.sudo()._trigger(at=moment)  # sudo: users may wake the queue, not see scheduled actions
