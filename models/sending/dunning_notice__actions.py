from odoo import models
from odoo.exceptions import UserError

from ..notice.dunning_notice import PENDING_STATES


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    # -------------------------------------------------------------------------
    # ACTIONS OF USERS
    # -------------------------------------------------------------------------

    def action_approve(self):
        """Put proposals (and failed notices) into the queue and wake the dispatcher."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        todo._queue()
        self.env['dunning.dispatcher']._trigger()
        return self._notify_result(self.env._("%(count)s notices are on their way.", count=len(todo)), todo)

    def action_retry(self):
        """Put failed notices back into the queue."""
        return self.filtered(lambda notice: notice.state == 'error').action_approve()

    def action_send_now(self):
        """Send the notices at once, in this request, and say what became of each."""
        self.check_access('write')
        self.filtered(lambda notice: notice.state in ('draft', 'error'))._queue()
        self.env['dunning.dispatcher']._dispatch_interactively(self)
        return self._notify_outcome()

    def action_cancel(self):
        """Cancel notices that did not leave yet; their items can be planned again."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in PENDING_STATES)
        todo._cancel(self.env._("Cancelled by %s.", self.env.user.name))
        return True

    def action_done(self):
        """Record that the call was made or the task was done: the level rises."""
        self.check_access('write')
        today = self.env.company._dunning_today()
        todo = self.filtered(lambda notice: notice.state == 'todo')
        # The date was so far the day it was handed out.
        todo._recording().write({'date': today, 'deadline': False})
        todo._record_sent(today)
        return True

    def action_skip(self):
        """Pass the call or task over: the ladder goes on, the level does not rise."""
        self.check_access('write')
        self.filtered(lambda notice: notice.state == 'todo')._skip(self.env.company._dunning_today())
        return True

    def action_mark_posted(self):
        """Record that printed letters were posted: the level rises now."""
        self.check_access('write')
        letters = self.filtered(lambda notice: (
            notice.state in ('to_post', 'sent') and notice.postal_state in ('to_print', 'printed')))
        if not letters:
            raise UserError(self.env._("None of the selected notices is a letter that waits to be posted."))
        unprinted = letters.filtered(lambda notice: notice.postal_state == 'to_print')
        if unprinted:
            raise UserError(self.env._(
                "%(count)s of the selected letters were not printed yet (%(notice)s). Print them first.",
                count=len(unprinted), notice=unprinted[:1].display_name))
        today = self.env.company._dunning_today()
        letters._recording().write({'postal_state': 'posted', 'posted_on': today, 'posted_by_id': self.env.uid})
        sent = letters.filtered(lambda notice: notice.state == 'to_post')
        sent._record_sent(today)
        (letters - sent)._record_posted(today)  # paper after an e-mail
        self.env['dunning.dispatcher']._schedule_activities(sent, today)
        return self._notify_result(self.env._("%(count)s letters marked as posted.", count=len(letters)), letters)

    def action_dunning_send(self):
        """Open the send wizard for these proposals."""
        return self.env['dunning.send']._action_open(notices=self)

    def _notify_outcome(self):
        """Return a notification that says what became of the notices after sending at once."""
        by_state = self.grouped('state')
        labels = dict(self._fields['state']._description_selection(self.env))
        counts = ", ".join(f"{labels[state]}: {len(group)}" for state, group in by_state.items())
        return self._notify_result(counts, self, 'warning' if 'error' in by_state else 'success')

    def _queue(self):
        self._recording().write({'state': 'queued', 'author_id': self.env.uid, 'error_message': False})
