"""What one person let go together: how far it is, and the button that stops the rest."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .dunning_run_check import GONE_STATES

PROGRESS = 'l10n_nl_dunning.progress'


class DunningBatch(models.Model):
    """Notices of one company that one user put into the queue at one moment."""

    _name = 'dunning.batch'
    _description = "Reminders Sent Together"
    _order = 'id desc'
    _rec_name = 'create_date'

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, index=True)
    user_id = fields.Many2one(comodel_name='res.users', string="Sent By", required=True, readonly=True)
    notice_ids = fields.One2many(comodel_name='dunning.notice', inverse_name='batch_id', string="Notices")
    total = fields.Integer(string="Notices at First", required=True, readonly=True)
    left_count = fields.Integer(string="In the Queue", compute='_compute_counts')
    gone_count = fields.Integer(string="Left", compute='_compute_counts')
    failed_count = fields.Integer(string="Failed", compute='_compute_counts')
    percentage = fields.Float(string="Progress", compute='_compute_counts')
    text = fields.Char(string="How Far", compute='_compute_counts')
    stopped_by_id = fields.Many2one(comodel_name='res.users', readonly=True)
    stopped_on = fields.Datetime(readonly=True)
    stopped_count = fields.Integer(string="Made Proposals", readonly=True)

    @api.depends('notice_ids.state', 'total', 'stopped_count')
    def _compute_counts(self):
        counts = {batch: {} for batch in self}
        for batch, state, count in self.env['dunning.notice']._read_group(
            [('batch_id', 'in', self.ids)], ['batch_id', 'state'], ['__count']
        ):
            counts[batch][state] = count
        for batch in self:
            states = counts[batch]
            batch.left_count = states.get('queued', 0)
            batch.gone_count = sum(states.get(state, 0) for state in GONE_STATES)
            batch.failed_count = states.get('error', 0)
            batch.percentage = 100.0 * (batch.total - batch.left_count) / batch.total if batch.total else 100.0
            batch.text = batch._get_text()

    def _get_text(self):
        """Return in the language of the user how far the notices are."""
        self.ensure_one()
        sentences = [self.env._("%(gone)s of %(total)s reminders left.", gone=self.gone_count, total=self.total)]
        if self.left_count:
            sentences.append(self.env._("%s are in the queue.", self.left_count))
        if self.failed_count:
            sentences.append(self.env._("%s failed.", self.failed_count))
        if self.stopped_count:
            sentences.append(self.env._("%s were stopped and are proposals again.", self.stopped_count))
        other = self.total - self.gone_count - self.left_count - self.failed_count - self.stopped_count
        if other > 0 and not self.left_count:
            sentences.append(self.env._("%s did not leave: nothing was owed any more, or somebody decided otherwise.",
                                        other))
        return " ".join(sentences)

    def _get_progress(self):
        self.ensure_one()
        return {
            'id': self.id, 'text': self.text, 'done': self.total - self.left_count, 'total': self.total,
            'failed': self.failed_count, 'may_stop': self._may_stop()}

    def _may_stop(self):
        return self.env.user.has_group('account.group_account_invoice') or self.env.su

    @api.model
    def _tell(self, notices):
        """Tell the users who let these notices go how far they are, as soon as this is committed."""
        for batch in notices.batch_id:
            user = batch.user_id
            # sudo: counts of his own notices, told to the user himself
            local = batch.sudo().with_context(lang=user.lang)
            user._bus_send(PROGRESS, local._get_progress())

    def action_show_notices(self):
        """Show the notices."""
        self.ensure_one()
        self.check_access('read')
        return self.notice_ids._get_action_show()

    def action_stop(self):
        """Make proposals of what is still in the queue; what left stays as it is."""
        self.ensure_one()
        self.check_access('read')
        if not self._may_stop():
            raise AccessError(self.env._("Only accountants can stop reminders that are being sent."))
        queued = self.env['dunning.notice'].search([('batch_id', '=', self.id), ('state', '=', 'queued')])
        stopped = queued.try_lock_for_update()
        leaving = len(queued - stopped)  # a worker has them in hand
        if not stopped:
            raise UserError(self.env._(
                "%s reminders are leaving at this moment; they cannot be stopped.", leaving) if leaving
                else self.env._("Nothing is left to stop: all reminders left or were stopped."))
        stopped._recording().write(stopped._get_unapproved_vals())
        # sudo: the right was checked; nobody writes these records but this code
        self.sudo().write({
            'stopped_by_id': self.env.uid, 'stopped_on': fields.Datetime.now(),
            'stopped_count': self.stopped_count + len(stopped)})
        self.invalidate_recordset()
        stopped._message_log_batch({
            notice.id: self.env._("%s stopped it; it is a proposal again.", self.env.user.name) for notice in stopped})
        message = self.env._("%(count)s reminders were stopped and are proposals again.", count=len(stopped))
        if leaving:
            message += " " + self.env._("%s were leaving at this moment.", leaving)
        return stopped._notify_result(message, stopped)

    @api.autovacuum
    def _gc_old(self):
        """Forget what was sent together long ago: the notices know who decided about them."""
        self.env.execute_query(SQL(
            """
            DELETE FROM dunning_batch batch
             WHERE create_date < NOW() AT TIME ZONE 'UTC' - INTERVAL '90 days'
               AND NOT EXISTS (SELECT FROM dunning_notice WHERE batch_id = batch.id AND state = 'queued')
         RETURNING id
            """))
