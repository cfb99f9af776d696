"""The circuit breaker: a queue that is far larger than usual, or fails far more often, stops and asks.

Only notices that nobody approved are stopped: those of policies that send by themselves. What a person approved, one
by one or many at a time, was that person's decision about a number he saw; stopping it would only make him decide
twice. Letting a stopped queue go is such a decision as well: from then on its notices are approved, by whoever let
them go, so that they are never stopped a second time. Nothing is copied and nothing leaves by another way, so nothing
can get lost or be sent twice.
"""

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, mute_logger

from ..kernel.formats import format_day

# Days on which notices left that make up what is usual.
USUAL_DAYS = 30
# How few failures are no reason to stop, whatever their share.
FAILURES_AT_LEAST = 10
# States of notices that were let go by the dispatcher.
GONE_STATES = ('sent', 'withdrawn', 'undelivered', 'todo', 'to_post')


class DunningBreaker(models.Model):
    """One time that the queue of a company stopped, with its numbers, and what was decided by whom."""

    _name = 'dunning.breaker'
    _inherit = ['dunning.recorded', 'mail.thread', 'mail.activity.mixin']
    _description = "Stopped Queue"
    _order = 'id desc'
    _rec_name = 'date'
    _mail_post_access = 'read'
    _recorded_with = 'notice'
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True, 'mail_notrack': True}

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, index=True)
    date = fields.Date(string="Stopped On", required=True, readonly=True)
    cause = fields.Selection(
        selection=[('size', "Far more than usual"), ('failures', "Too many failed")], required=True, readonly=True)
    number = fields.Integer(
        string="On That Day", readonly=True, help="Reminders without approval that left or would leave on that day.")
    usual = fields.Float(
        digits=(12, 1), readonly=True,
        help="Average of the last 30 days before it on which reminders left; 0 when there were none.")
    failed = fields.Integer(readonly=True, help="Reminders of that day and the day before that failed or came back.")
    tried = fields.Integer(readonly=True, help="Reminders of these days of which it was known what became of them.")
    state = fields.Selection(
        selection=[('stopped', "Stopped"), ('released', "Let Go"), ('turned_back', "Made Proposals")],
        default='stopped', required=True, readonly=True, index=True)
    notice_ids = fields.One2many(comodel_name='dunning.notice', inverse_name='breaker_id', string="Stopped Notices")
    waiting_count = fields.Integer(string="Waiting", compute='_compute_waiting_count')
    decided_count = fields.Integer(string="Notices Decided About", readonly=True)
    decided_by_id = fields.Many2one(comodel_name='res.users', readonly=True)
    decided_on = fields.Datetime(readonly=True)
    text = fields.Char(string="Why It Stopped", compute='_compute_text')

    _one_stopped = models.UniqueIndex(
        "(company_id) WHERE state = 'stopped'", "The queue of this company is stopped already.")

    @api.depends('notice_ids.state')
    def _compute_waiting_count(self):
        groups = self.env['dunning.notice']._read_group(
            [('breaker_id', 'in', self.ids), ('state', '=', 'queued')], ['breaker_id'], ['__count'])
        counts = {breaker.id: count for breaker, count in groups}
        for breaker in self:
            breaker.waiting_count = counts.get(breaker.id, 0)

    @api.depends('cause', 'number', 'usual', 'failed', 'tried', 'waiting_count')
    def _compute_text(self):
        for breaker in self:
            breaker.text = breaker._get_text()

    def _get_text(self, *, with_company=False):
        """Return why it stopped, with the numbers, in the language of the user."""
        self.ensure_one()
        numbers = {
            'waiting': self.waiting_count, 'number': self.number, 'failed': self.failed, 'tried': self.tried,
            'usual': self.env['res.lang']._lang_get(self.env.lang or 'en_US').format('%.0f', self.usual)}
        if self.cause == 'failures':
            text = self.env._(
                "%(failed)s of the last %(tried)s reminders failed or came back, so the next ones stopped: %(waiting)s "
                "are waiting. Look at the failed ones first.", **numbers)
        elif self.usual:
            text = self.env._(
                "%(number)s reminders would leave by themselves in one day, and %(usual)s a day are usual, so they "
                "stopped: %(waiting)s are waiting.", **numbers)
        else:
            text = self.env._(
                "%(number)s reminders would leave by themselves in one day, and none left before, so they stopped: "
                "%(waiting)s are waiting.", **numbers)
        return f"{self.company_id.name}: {text}" if with_company else text

    # -------------------------------------------------------------------------
    # GUARDS
    # -------------------------------------------------------------------------

    def _get_frozen_message(self, action):
        recorded = self.env._("A stopped queue is recorded by the program; use the buttons to decide.")
        return {
            'create': recorded, 'write': recorded,
            'unlink': self.env._("That a queue stopped, and who let it go, stays on record."),
        }.get(action)

    # -------------------------------------------------------------------------
    # STOPPING
    # -------------------------------------------------------------------------

    @api.model
    def _stop(self, notices, at_date):
        """Return which of these notices of the current company, about to leave, have to wait for a decision."""
        automatic = notices.filtered(lambda notice: notice._is_unapproved())
        if not automatic:
            return automatic
        company = self.env.company
        breaker = self._get_stopped(company)
        if not breaker:
            vals = self._judge(company, at_date)
            if not vals:
                return automatic.browse()
            breaker = self._trip(company, at_date, vals)
        breaker._take(automatic)
        return automatic

    @api.model
    def _get_stopped(self, company):
        # sudo: whoever sends is told that the queue stopped
        return self.sudo().search([('company_id', '=', company.id), ('state', '=', 'stopped')], limit=1)

    def _take(self, notices):
        """Let queued notices wait for the decision; the caller holds their locks."""
        env = self.with_context(lang=self.company_id.partner_id.lang or self.env.lang).env
        text = env._(
            "The reminders that leave by themselves were stopped on %s. Let them go, or turn them into proposals.",
            format_day(env, self.date))
        if self:
            notices._recording().write({'breaker_id': self.id, 'waiting_reason': text})

    @api.model
    def _trip(self, company, at_date, vals):
        """Stop the queue of a company. Return the stopped queue, or none when another worker just did so."""
        # sudo: the queue is no user's; nobody may record this but the dispatcher
        recording = self.sudo()._recording()
        try:
            with mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                breaker = recording.create({'company_id': company.id, 'date': at_date, **vals})
        except UniqueViolation:
            return self.browse()  # another worker was first; his decision cannot be read yet, so nothing leaves now
        # All that waits, so that the queue does not hold up what people approved.
        queued = recording.env['dunning.notice'].search(self._get_unapproved_domain(company))
        breaker._take(queued.try_lock_for_update())
        breaker._tell_manager(at_date)
        return breaker

    @api.model
    def _get_unapproved_domain(self, company):
        return Domain([
            ('company_id', '=', company.id), ('state', '=', 'queued'), ('origin', '=', 'scheduled'),
            ('approved', '=', False)])

    @api.model
    def _judge(self, company, at_date):
        """Return what is out of the ordinary on a day (the values of a stopped queue), or None."""
        self.env['dunning.notice'].flush_model([
            'company_id', 'state', 'origin', 'approved', 'date', 'failed_on', 'sent_on', 'mail_message_id'])
        failed, tried = self._count_failures(company, at_date)
        share = company.dunning_breaker_failures
        if share and failed >= FAILURES_AT_LEAST and 100.0 * failed > share * tried:
            cause = 'failures'
        else:
            cause = None
        number, usual = self._count_day(company, at_date), 0.0
        if number > company.dunning_breaker_minimum:
            usual = self._get_usual(company, at_date)
            # Without a history the minimum is all there is to compare with.
            if not cause and company.dunning_breaker_factor and number > company.dunning_breaker_factor * usual:
                cause = 'size'
        return cause and {'cause': cause, 'number': number, 'usual': usual, 'failed': failed, 'tried': tried}

    @api.model
    def _count_day(self, company, at_date):
        """Return how many notices without approval left on a day or are about to."""
        [[number]] = self.env.execute_query(SQL(
            """
            SELECT COUNT(*) FROM dunning_notice
             WHERE company_id = %s AND origin = 'scheduled' AND approved IS NOT TRUE
               AND (state = 'queued' OR (date = %s AND state = ANY(%s)))
            """, company.id, at_date, list(GONE_STATES)))
        return number

    @api.model
    def _get_usual(self, company, at_date):
        """Return the average number of notices of the last days before ``at_date`` on which any left; 0 without."""
        [[usual]] = self.env.execute_query(SQL(
            """
            SELECT AVG(number) FROM (
                SELECT COUNT(*) AS number FROM dunning_notice
                 WHERE company_id = %s AND state IN ('sent', 'withdrawn', 'undelivered') AND date < %s
              GROUP BY date ORDER BY date DESC LIMIT %s) days
            """, company.id, at_date, USUAL_DAYS))
        return float(usual or 0.0)

    @api.model
    def _count_failures(self, company, at_date):
        """Return (failed, tried) notices of a day and the day before, since the last decision about a stopped queue.

        Tried are those of which it is known what became of them: a mail that still waits in the mail queue is neither.
        """
        # sudo: when somebody last decided is the same for all
        decided = self.sudo().search([
            ('company_id', '=', company.id), ('state', '!=', 'stopped')], order='decided_on desc', limit=1).decided_on
        self.env['mail.notification'].flush_model(['notification_status', 'mail_message_id'])
        [counts] = self.env.execute_query(SQL(
            """
            SELECT COUNT(*) FILTER (WHERE failed), COUNT(*) FROM (
                SELECT CASE WHEN notice.state = 'error' THEN notice.failed_on ELSE notice.sent_on END AS moment,
                       notice.state IN ('error', 'undelivered')
                       OR COALESCE(mail.notification_status IN ('exception', 'bounce'), FALSE) AS failed
                  FROM dunning_notice notice
             LEFT JOIN LATERAL (
                       SELECT notification_status FROM mail_notification
                        WHERE mail_message_id = notice.mail_message_id
                     ORDER BY notification_status IN ('exception', 'bounce') DESC LIMIT 1) mail ON TRUE
                 WHERE notice.company_id = %(company)s AND notice.channel NOT IN ('phone', 'task')
                   AND (notice.state = 'error' AND notice.failed_on >= %(since)s
                        OR notice.state IN ('sent', 'withdrawn', 'undelivered') AND notice.date >= %(since)s
                           AND COALESCE(mail.notification_status, '') NOT IN ('ready', 'process', 'pending'))
            ) tried
             WHERE %(decided)s::timestamp IS NULL OR moment > %(decided)s
            """,
            company=company.id, since=fields.Date.subtract(at_date, days=1), decided=decided or None))
        return counts

    def _tell_manager(self, at_date):
        user = self.company_id._get_dunning_manager()
        if user:
            local = self.with_context(lang=user.lang)
            local.activity_schedule(
                'mail.mail_activity_data_warning', date_deadline=at_date, user_id=user.id, automated=True,
                summary=local.env._("Reminders stopped: let them go, or look at them first"),
                note=local._get_text())

    # -------------------------------------------------------------------------
    # DECIDING
    # -------------------------------------------------------------------------

    def _may_decide(self):
        return self.env.user.has_group('account.group_account_invoice') or self.env.su

    def action_release(self):
        """Let the stopped notices go: whoever does so approves them."""
        notices = self._decide('released', lambda stopped: stopped._queue())
        self.env['dunning.dispatcher']._trigger()
        return notices._notify_result(
            self.env._("%(count)s reminders are on their way.", count=len(notices)), notices)

    def action_turn_back(self):
        """Turn the stopped notices into proposals, to be approved one by one."""
        notices = self._decide('turned_back', lambda stopped: stopped._recording().write({
            'state': 'draft', 'breaker_id': False, 'waiting_reason': False}))
        return notices._notify_result(
            self.env._("%(count)s reminders are proposals now.", count=len(notices)), notices)

    def action_show_notices(self):
        """Show the notices that wait."""
        self.ensure_one()
        self.check_access('read')
        return self._get_waiting()._get_action_show()

    def _get_waiting(self):
        return self.env['dunning.notice'].search([('breaker_id', 'in', self.ids), ('state', '=', 'queued')])

    def _decide(self, state, apply):
        """Record a decision about a stopped queue and carry it out. Return the notices it was about."""
        self.ensure_one()
        if not self._may_decide():
            raise AccessError(self.env._("Only accountants can let stopped reminders go."))
        self.check_access('read')
        # sudo: the right was checked; nobody writes these records but this code
        breaker = self.sudo()._recording()
        if self.state != 'stopped' or not breaker.try_lock_for_update():
            raise UserError(self.env._("Somebody else just decided about these reminders. Load the page again."))
        notices = self._get_waiting().try_lock_for_update()
        apply(notices)
        # What another worker has a lock on stays queued, and may be stopped again.
        breaker.write({
            'state': state, 'decided_by_id': self.env.uid, 'decided_on': fields.Datetime.now(),
            'decided_count': len(notices)})
        breaker.activity_ids.unlink()
        done = {
            'released': self.env._("%(count)s reminders were let go by %(user)s.",
                                   count=len(notices), user=self.env.user.name),
            'turned_back': self.env._("%(count)s reminders were made proposals by %(user)s.",
                                      count=len(notices), user=self.env.user.name),
        }[state]
        self._message_log(body=done)
        return notices
