from datetime import timedelta

from odoo import api, models

from .dunning_queue import MAIL_CHANNELS


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _queue_mails(self, notices):
        # OVERRIDE: “leaves in a moment” is not “within the hour”, which is how often the mail queue looks by itself.
        result = super()._queue_mails(notices)
        cron = self.env.ref('mail.ir_cron_mail_scheduler_action', raise_if_not_found=False)
        if notices and cron:
            cron.sudo()._trigger()  # sudo: users may wake the mail queue, not see it
        return result

    @api.model
    def _stop_at_gate(self, notices, at_date, *, gate_open=False):
        # OVERRIDE: an e-mail also waits for room in the mail queue.
        waiting = super()._stop_at_gate(notices, at_date, gate_open=gate_open)
        Queue = self.env['dunning.queue']
        for company, batch in (notices - waiting).filtered(
            lambda notice: notice.channel in MAIL_CHANNELS
        ).grouped('company_id').items():
            limit = company.dunning_mail_limit
            room = max(0, limit - Queue._count_outstanding(limit)) if limit else len(batch)
            late = self._in_turn(batch, at_date)[room:]
            if late:
                late._recording().write({'waiting_reason': Queue._explain_full(company)})
                Queue._wake_later(timedelta(minutes=5))
                waiting |= late
        return waiting
