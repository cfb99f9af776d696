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

from ..kernel.formats import in_language_of
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
        return in_language_of(self, company).env._(
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
