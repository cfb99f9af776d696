"""One message per debtor: whoever owes five invoices gets one letter, not five.

What can be told truthfully in one message shares a notice, each item at its own step.
What cannot, such as a 14-day letter and a reminder, takes turns: on one day no more
than one message leaves for one addressee. The highest level goes first; who has waited
for a week goes before it, so nothing waits forever.
"""

from datetime import datetime, timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date

from ..debtor.res_company import DAY_STARTS
from ..planner.dunning_planner_turns import PATIENCE_DAYS, TOLD_STATES


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _in_turn(self, notices, at_date):
        # EXTENDS: who waited for a week first, then the highest level.
        patience = at_date - timedelta(days=PATIENCE_DAYS)
        return notices.sorted(lambda notice: (
            notice.date_planned if notice.date_planned <= patience else at_date, -notice.level_id._get_rank(),
            notice.currency_id != notice.company_currency_id, notice.id))

    @api.model
    def _keep_to_one_message(self, notices, at_date):
        """Return the notices that wait in the queue because another message goes to the same addressee today.

        Of several in one batch the highest level goes; who waited for a week goes before it.

        :param notices: queued notices of one company that may leave
        """
        notices = notices.filtered(lambda notice: notice.channel != 'task')
        waiting = notices.browse()
        if not notices:
            return waiting
        told = self.env['dunning.notice'].search(
            Domain('company_id', 'in', notices.company_id.ids) & Domain('partner_id', 'in', notices.partner_id.ids)
            & Domain('channel', '!=', 'task') & Domain('state', 'in', TOLD_STATES)
            & (Domain('date', '=', at_date) | Domain('posted_on', '=', at_date)) & Domain('id', 'not in', notices.ids))
        taken = {(notice.partner_id, notice.recipient_id): notice for notice in told}
        for notice in self._in_turn(notices, at_date):
            other = taken.setdefault((notice.partner_id, notice.recipient_id), notice)
            if other != notice:
                waiting |= notice
                notice._recording().waiting_reason = self.env._(
                    "Another message goes to this debtor today (“%(level)s”). It leaves on %(date)s.",
                    level=other.level_id.name,
                    date=format_date(self.env, at_date + timedelta(days=1), date_format='d MMM y'))
        for company in waiting.company_id:
            self._wake_at(company, datetime.combine(at_date + timedelta(days=1), DAY_STARTS))
        return waiting
