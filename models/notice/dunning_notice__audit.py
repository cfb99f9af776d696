from odoo import models

from ..kernel.ir_attachment import is_recording


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _log_act(self, get_text):
        """Write one line on each of these notices, in the language of the company where nobody is at work.

        :param get_text: called with a notice in that language
        """
        bodies = {}
        for notice in self:
            local = notice.with_context(lang=self.env.lang or notice.company_id.partner_id.lang)
            bodies[notice.id] = get_text(local)
        if bodies:
            self._message_log_batch(bodies)

    def write(self, vals):
        # OVERRIDE: that a note was changed, not what it says.
        changed = self.browse()
        if 'note' in vals and not is_recording(self.env):
            changed = self.filtered(lambda notice: (notice.note or '') != (vals['note'] or ''))
        result = super().write(vals)
        changed._log_act(lambda notice: notice.env._("The note was changed."))
        return result

    def _queue(self):
        result = super()._queue()
        self._log_act(lambda notice: notice.env._("Approved to be sent."))
        return result

    def _cancel(self, reason):
        result = super()._cancel(reason)
        self._log_act(lambda notice: notice.env._("Cancelled: %s", notice.cancel_reason))
        return result

    def _skip(self, at_date):
        result = super()._skip(at_date)
        self._log_act(lambda notice: notice.env._("Passed over."))
        return result

    def _mark_failed(self, message):
        result = super()._mark_failed(message)
        self._log_act(lambda notice: notice.env._("Failed: %s", notice.error_message))
        return result

    def action_done(self):
        todo = self.filtered(lambda notice: notice.state == 'todo')
        result = super().action_done()
        todo._log_act(lambda notice: notice.env._("Recorded as done."))
        return result

    def action_mark_posted(self):
        waiting = self.filtered(lambda notice: notice.postal_state != 'posted')
        result = super().action_mark_posted()
        waiting.filtered(lambda notice: notice.postal_state == 'posted')._log_act(
            lambda notice: notice.env._("Brought to the post."))
        return result
