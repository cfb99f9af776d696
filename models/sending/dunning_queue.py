"""The queue: rows of notices in PostgreSQL that any number of processes share.

A worker claims a small chunk at the moment at which it works on it: of the company that has waited longest, the oldest
first, whole debtors at a time. Nothing here is a scheduler: scheduled actions (or ``queue_job``, see ``bridges/``) are
the workers, PostgreSQL is the queue.

*Why whole debtors.* On one day no more than one message leaves for one addressee, and that is judged by what is in the
books. Two workers with a notice each for one debtor would not see what the other does. So whoever lets something leave
first takes the **turn** of the debtor: an advisory lock, which is free again with the end of the transaction and never
waits, and a row. The row is for those who come a moment later with an older view of the books: writing it then fails,
and they look again.
"""

import math
import random
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, mute_logger

from odoo.addons.base.models.ir_cron import MIN_TIME_PER_JOB

from . import dunning_run

# Notices that one claim looks at: more than all workers together hold at a moment.
LOOK_AHEAD = 1000
# Items in one chunk: what a chunk needs of memory and time follows from its items, not from its notices.
CHUNK_ITEMS = 1000
SENDERS_AT_MOST = 8
MAIL_CHANNELS = ('email', 'both')
CRON = 'l10n_nl_dunning.ir_cron_dunning_dispatch'
SENDERS_PARAMETER = 'l10n_nl_dunning.parallel_senders'
# The database's clock: the workers may be on several machines.
NOW = SQL("clock_timestamp() AT TIME ZONE 'UTC'")


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_mail_limit = fields.Integer(
        string="E-mails in the Mail Queue at Most",
        default=5000,
        help="While so many e-mails wait in the mail queue of the database, reminders by e-mail stay in their own "
             "queue. What several senders are working on comes on top. 0: no limit.",
        prefetch='dunning',
    )

    _check_dunning_mail_limit = models.Constraint(
        'CHECK(dunning_mail_limit >= 0)',
        "The number of e-mails in the mail queue cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_mail_limit = fields.Integer(related='company_id.dunning_mail_limit', readonly=False)
    dunning_senders = fields.Integer(
        string="Parallel Senders",
        default=lambda self: self.env['dunning.queue']._get_senders(),
        help="So many processes send reminders at the same time. More than the server has workers for scheduled "
             "actions (max_cron_threads) helps nothing.",
    )

    def set_values(self):
        result = super().set_values()
        Queue = self.env['dunning.queue']
        if self.dunning_senders != Queue._get_senders():
            Queue._set_senders(self.dunning_senders)
        return result


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    asked_on = fields.Datetime(
        readonly=True, copy=False, help="When the dispatcher last found that it has to wait in the queue.")

    # What the next claim of a company reads, in its order.
    _queue_idx = models.Index("(company_id, asked_on NULLS FIRST, id) WHERE state = 'queued'")

    def _queue(self):
        # OVERRIDE: somebody decided about it, so it is asked at once.
        result = super()._queue()
        self._recording().write({'asked_on': False})
        return result


class DunningTurn(models.Model):
    """When somebody last let something leave to a debtor. For the program only; see the top of this file."""

    _name = 'dunning.turn'
    _description = "Turn of a Debtor"
    _log_access = False

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, ondelete='cascade')
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, readonly=True, ondelete='cascade')
    taken_on = fields.Datetime(required=True, readonly=True)

    _one_per_debtor = models.UniqueIndex("(company_id, partner_id)", "Somebody else is writing to this debtor.")
    _company_idx = models.Index("(company_id, taken_on)")

    @api.model
    def _take(self, company, partner_ids, limit=None):
        """Take the turns of debtors, in their order; return the ids of those that nobody else has.

        They are ours until the end of the transaction. Raises ``SerializationFailure`` when somebody let something
        leave to one of them after this transaction began: what we know of him is out of date.
        """
        if not partner_ids:
            return []
        # A filter is asked row by row, so LIMIT ends it: no more is locked than is returned.
        rows = self.env.execute_query(SQL(
            """
            SELECT debtor FROM UNNEST(%s::int[]) AS queue(debtor)
             WHERE pg_try_advisory_xact_lock(hashtextextended('dunning.turn:' || %s || ':' || debtor, 0))
             LIMIT %s
            """, list(partner_ids), company.id, limit))
        taken = [debtor for [debtor] in rows]
        with mute_logger('odoo.sql_db'):
            self.env.cr.execute(SQL(
                """
                INSERT INTO dunning_turn (company_id, partner_id, taken_on)
                     SELECT %s, debtor, %s FROM UNNEST(%s::int[]) AS queue(debtor)
                ON CONFLICT (company_id, partner_id) DO UPDATE SET taken_on = EXCLUDED.taken_on
                """, company.id, NOW, sorted(taken)))
        return taken

    @api.autovacuum
    def _gc_old(self):
        """Forget turns of long ago: they say nothing about fairness any more."""
        self.env.execute_query(SQL(
            "DELETE FROM dunning_turn WHERE taken_on < NOW() AT TIME ZONE 'UTC' - INTERVAL '7 days' RETURNING id"))


class DunningQueue(models.AbstractModel):
    _name = 'dunning.queue'
    _description = "Queue of Notices"

    # -------------------------------------------------------------------------
    # CLAIMING
    # -------------------------------------------------------------------------

    @api.model
    def _begin_round(self):
        """Return the moment from which on what has to wait is not asked again: the beginning of this run."""
        end = self.env.context.get('cron_end_time')
        elapsed = max(0.0, time.monotonic() - (end - MIN_TIME_PER_JOB)) if end else 0.0
        [[now]] = self.env.execute_query(SQL("SELECT %s", NOW))
        return now - timedelta(seconds=elapsed)

    @api.model
    def _query(self, began, skip=(), companies=None):
        """Return the query of what can be claimed by a round that began then."""
        domain = self.env['dunning.run']._get_queue_domain() & self._get_room_domain()
        if skip:
            domain &= Domain('id', 'not in', list(skip))
        if companies is not None:
            domain &= Domain('company_id', 'in', companies.ids)
        query = self.env['dunning.notice']._search(domain)
        query.add_where(SQL("(%(asked)s IS NULL OR %(asked)s <= %(began)s)", asked=self._get_asked(query), began=began))
        return query

    @api.model
    def _get_asked(self, query):
        return SQL.identifier(
            query.table, 'asked_on', to_flush=self.env['dunning.notice']._fields['asked_on'])

    @api.model
    def _count(self, began, skip=()):
        """Return how many notices a round can claim, those included that others hold at this moment."""
        [[count]] = self.env.execute_query(self._query(began, skip).select(SQL("COUNT(*)")))
        return count

    @api.model
    def _get_companies(self, began, skip=()):
        """Return the companies that have something to claim: first the one that waited longest for its turn."""
        query = self._query(began, skip)
        query.add_where(SQL("%s = company.id", SQL.identifier(query.table, 'company_id')))
        rows = self.env.execute_query(SQL(
            """
            SELECT company.id FROM res_company company
             WHERE EXISTS (%s)
          ORDER BY (SELECT MAX(taken_on) FROM dunning_turn WHERE company_id = company.id) NULLS FIRST, company.id
            """, query.select(SQL("1"))))
        return self.env['res.company'].browse([company_id for [company_id] in rows])

    @api.model
    def _claim(self, began, skip=()):
        """Return the next chunk of the queue, locked until the end of the transaction; empty when there is none.

        Has to be the beginning of a transaction. Raises ``TransactionRollbackError`` when another one was first.
        """
        for company in self._get_companies(began, skip):
            notices = self._claim_of(company, began, skip)
            if notices:
                return notices
        return self.env['dunning.notice']

    @api.model
    def _claim_of(self, company, began, skip):
        Notice = self.env['dunning.notice']
        size = dunning_run.DISPATCH_CHUNK
        query = self._query(began, skip, company)
        query.order = SQL("%s NULLS FIRST, %s", self._get_asked(query), SQL.identifier(query.table, 'id'))
        query.limit = LOOK_AHEAD
        rows = self.env.execute_query(query.select(SQL.identifier(query.table, 'partner_id')))
        waiting = list(dict.fromkeys(debtor for [debtor] in rows))
        debtors = self.env['dunning.turn']._take(company, waiting, size)
        if not debtors:
            return Notice
        of_debtors = Domain('company_id', '=', company.id) & Domain('partner_id', 'in', debtors)
        # All that waits for them: which of their notices goes first is not a matter of which was made first.
        query = self._query(began, skip)
        found = Notice.search(of_debtors & Domain('id', 'in', query), order='id').grouped('partner_id')
        chosen, count, items = Notice, 0, 0
        for debtor in self.env['res.partner'].browse(debtors):
            group = found.get(debtor, Notice)
            count += len(group)
            items += sum(group.mapped('line_count'))
            if chosen and (count > size or items > CHUNK_ITEMS):
                break
            chosen |= group
        return self._lock(chosen)

    @api.model
    def _lock(self, notices):
        """Return those of the notices that are locked for us and still in the queue."""
        with mute_logger('odoo.sql_db'):
            locked = notices.try_lock_for_update()
        return locked.filtered_domain(self.env['dunning.run']._get_queue_domain())

    @api.model
    def _take_turns(self, notices):
        """Return those of the notices to whose debtors nobody else is writing at this moment."""
        taken = self.env['dunning.notice']
        for company, batch in notices.grouped('company_id').items():
            debtors = self.env['dunning.turn'].sudo()._take(company, batch.partner_id.ids)  # sudo: for the program only
            taken |= batch.filtered(lambda notice, debtors=debtors: notice.partner_id.id in debtors)
        return taken

    @api.model
    def _claim_again(self, ids):
        """Return those of the notices that can still be sent, locked: a commit let go of what was claimed."""
        return self._lock(self._take_turns(self.env['dunning.notice'].browse(ids)))

    @api.model
    def _record_asked(self, notices):
        """Note that what is still in the queue was asked: it comes last, and not again in this round."""
        waiting = notices.filtered(lambda notice: notice.state == 'queued')
        if waiting:
            self.env.cr.execute(SQL("UPDATE dunning_notice SET asked_on = %s WHERE id = ANY(%s)", NOW, waiting.ids))
            waiting.invalidate_recordset(['asked_on'])

    # -------------------------------------------------------------------------
    # THE MAIL QUEUE
    # -------------------------------------------------------------------------

    @api.model
    def _count_outstanding(self, limit):
        """Return how many e-mails wait in Odoo's mail queue, counted up to ``limit``."""
        self.env['mail.mail'].flush_model(['state'])
        [[count]] = self.env.execute_query(SQL(
            "SELECT COUNT(*) FROM (SELECT FROM mail_mail WHERE state = 'outgoing' LIMIT %s) outgoing", limit))
        return count

    @api.model
    def _get_full_companies(self):
        """Return the companies that hand no more e-mails to the mail queue for now."""
        # sudo: the queue is of all companies
        limited = self.env['res.company'].sudo().search([('dunning_mail_limit', '>', 0)])
        if not limited:
            return limited
        outstanding = self._count_outstanding(max(limited.mapped('dunning_mail_limit')))
        return limited.filtered(lambda company: outstanding >= company.dunning_mail_limit)

    @api.model
    def _get_room_domain(self):
        full = self._get_full_companies()
        if not full:
            return Domain.TRUE
        return Domain('company_id', 'not in', full.ids) | Domain('channel', 'not in', MAIL_CHANNELS)

    @api.model
    def _explain_full(self, company):
        env = self.with_context(lang=self.env.lang or company.partner_id.lang).env
        return env._(
            "The mail queue is full: %(count)s e-mails or more wait to be sent. It leaves when there is room.",
            count=company.dunning_mail_limit)

    @api.model
    def _tell_full(self):
        """Write on the notices that are not even claimed why they wait; return whether there are any."""
        told = False
        for company in self._get_full_companies():
            told |= bool(self.env.execute_query(SQL(
                """
                UPDATE dunning_notice SET waiting_reason = %(reason)s
                 WHERE id IN (
                       SELECT id FROM dunning_notice
                        WHERE company_id = %(company)s AND state = 'queued' AND channel = ANY(%(channels)s)
                          AND breaker_id IS NULL
                   FOR UPDATE SKIP LOCKED)
             RETURNING id
                """,
                reason=self._explain_full(company), company=company.id, channels=list(MAIL_CHANNELS))))
        if told:
            self.env['dunning.notice'].invalidate_model(['waiting_reason'])
        return told

    # -------------------------------------------------------------------------
    # WORKERS
    # -------------------------------------------------------------------------

    @api.model
    def _get_crons(self):
        """Return the scheduled actions that send, the first one first, also those that are switched off."""
        crons = self.env['ir.cron'].sudo()  # sudo: the program's own scheduled actions
        for number in range(1, SENDERS_AT_MOST + 1):
            cron = self.env.ref(CRON if number == 1 else f'{CRON}_{number}', raise_if_not_found=False)
            crons |= cron.sudo() if cron else crons.browse()  # sudo: as above
        return crons

    @api.model
    def _get_senders(self):
        """Return how many processes may send at the same time."""
        # sudo: one number of the settings
        value = self.env['ir.config_parameter'].sudo().get_param(SENDERS_PARAMETER, '1')
        return int(value) if value.isdecimal() else 1

    @api.model
    def _set_senders(self, count):
        """Let ``count`` processes send at the same time: as many scheduled actions, since Odoo runs each in one."""
        if not 1 <= count <= SENDERS_AT_MOST:
            raise ValidationError(self.env._("Choose 1 to %s parallel senders.", SENDERS_AT_MOST))
        self.env['ir.config_parameter'].set_param(SENDERS_PARAMETER, str(count))
        first = self.env.ref(CRON)
        self.env['ir.cron']._load_records([
            {
                'xml_id': f'{CRON}_{number}',
                'noupdate': True,
                'values': {
                    'name': f"{first.name} ({number})",
                    'model_id': first.model_id.id,
                    'state': 'code',
                    'code': first.code,
                    'interval_number': first.interval_number,
                    'interval_type': first.interval_type,
                    'nextcall': first.nextcall,
                    'user_id': first.user_id.id,
                    'active': first.active,
                },
            }
            for number in range(2, count + 1) if not self.env.ref(f'{CRON}_{number}', raise_if_not_found=False)
        ])
        for cron in self._get_crons() - first:
            number = int(self._get_number(cron))
            wanted = first.active and number <= count
            if cron.active != wanted:
                cron.active = wanted

    @api.model
    def _get_number(self, cron):
        return cron.get_external_id()[cron.id].rpartition('_')[2]

    @api.model
    def _wake_colleagues(self, count):
        """Wake as many other senders as there are chunks; the first one does this for all."""
        first, *others = self._get_crons() or [None]
        if not others or self.env.context.get('cron_id') != first.id:
            return
        needed = math.ceil(count / dunning_run.DISPATCH_CHUNK) - 1
        for cron in [cron for cron in others if cron.active][:max(0, needed)]:
            self._wake(cron)

    @api.model
    def _wake(self, cron, at=None):
        """Trigger a scheduled action unless it is triggered already.

        Without ``at`` a wake may get lost: what the running action was woken by is still there. For helpers only.
        """
        # sudo: triggers of the program's own scheduled action
        Trigger = self.env['ir.cron.trigger'].sudo()
        now = fields.Datetime.now()
        # What was to wake the running one is gone as soon as it ends.
        times = Domain('call_at', '>', now) & Domain('call_at', '<=', at) if at else Domain('call_at', '<=', now)
        if not Trigger.search_count(Domain('cron_id', '=', cron.id) & times, limit=1):
            cron._trigger(at)

    @api.model
    def _wake_later(self, delay):
        """Let the queue be looked at again after a while."""
        cron = self._get_crons()[:1]
        if cron:
            self._wake(cron, fields.Datetime.now() + delay)

    @api.model
    def _pause(self, tries):
        """Wait a moment, not the same one as others, before trying again."""
        time.sleep(random.uniform(0, 0.05 * 2 ** tries))  # noqa: S311 (no secret)


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
