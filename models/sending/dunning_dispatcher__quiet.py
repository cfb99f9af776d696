import pytz

from odoo import api, fields, models
from odoo.tools.misc import format_date


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
