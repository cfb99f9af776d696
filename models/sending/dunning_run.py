"""The scheduled actions: plan every day, send the queue whenever there is one.

The queue is the notices that are queued, and any number of processes may send it at once: the scheduled action, users
who send at once, the jobs of ``queue_job`` (see ``bridges/``). A process claims a small chunk at the moment at which it
works on it: of the creditor that has waited longest, the oldest first, whole debtors at a time.

*Why whole debtors.* On one day no more than one message leaves for one addressee, and that is judged by what is in the
books. Two processes with a notice each for one debtor would not see what the other does. So a process first locks the
debtor: an advisory lock, which is free again with the end of the transaction and never waits. And it ends with a new
version of the contact's row: a process that comes a moment later with an older view of the books cannot write that row,
so it fails and looks again.
"""

import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, mute_logger, split_every

from odoo.addons.base.models.ir_cron import MIN_TIME_PER_JOB

_logger = logging.getLogger(__name__)
PLAN_CHUNK = 1000  # notices made per commit
DISPATCH_CHUNK = 100  # notices sent per commit: one wkhtmltopdf process, some four seconds
# Items in one chunk: its time and memory follow from its items, not from its notices.
DISPATCH_CHUNK_ITEMS = 1000
DISPATCH_TRIES = 6  # of a chunk that another transaction came before
LOOK_AHEAD = 1000  # notices that one claim looks at: more than all processes together hold at a moment


def no_checkpoint(count=0):
    """Go on without a commit: nobody but the scheduled action does that."""


@dataclass
class Planning:
    """The planning of one creditor on one day, as its steps hand it on.

    :param checkpoint: called after each chunk; may commit
    :param notices: what was made
    :param groups: the decisions that become a notice each
    :param postponed: how many backlog notices wait for another day
    """

    company: models.Model
    at_date: date
    checkpoint: Callable
    notices: models.Model
    groups: list = field(default_factory=list)
    postponed: int = 0


class DunningRun(models.AbstractModel):
    _name = 'dunning.run'
    _description = "Dunning Run"

    # -------------------------------------------------------------------------
    # PLANNING
    # -------------------------------------------------------------------------

    @api.model
    def _cron_plan(self):
        """Plan for every creditor that was not planned for today; for all of them when each was.

        Stopped halfway it goes on where it was: what has a notice is not due again. What goes wrong with one creditor
        does not stop the others.
        """
        IrCron = self.env['ir.cron']
        companies = self.env['res.company'].search(Domain.TRUE).dunning_creditor_id  # each, with its branches
        waiting = companies.filtered(lambda company: company.dunning_planned_on != company._dunning_today())
        todo = waiting or companies
        IrCron._commit_dunning(remaining=len(todo))
        for company_id in todo.ids:
            company = self.env['res.company'].browse(company_id)
            today = company._dunning_today()
            try:
                self._plan_company(company, today, checkpoint=IrCron._commit_dunning)
                self.env['dunning.interest.rate']._warn_stale_rates(company, today)
                self.env['dunning.law.fact']._warn_facts(company, today)
                self.env['dunning.prescription']._warn_prescription(company, today)
                self.env['dunning.behaviour']._refresh(company, today)
                self.env['dunning.hold.report']._tell_parked(company, today)
                self.env['dunning.run.check']._review_law(company, today)
            except OperationalError:
                raise  # the database is away or another transaction was first: the next run does it
            except Exception:
                # Raised, it would in the end switch the scheduled action off for every company.
                self.env.cr.rollback()
                _logger.exception("Planning failed for company %s", company_id)
            company.dunning_planned_on = today
            if not IrCron._commit_dunning(1) and waiting:
                break

    @api.model
    def _plan_company(self, company, at_date, *, checkpoint=no_checkpoint):
        """Make the notices that are due to one creditor on one day.

        :param checkpoint: called after each chunk; commits when run by the scheduled action
        :return: dict with the new ``notices`` and how many backlog notices wait for another day (``postponed``)
        """
        run = self.with_company(company)
        planning = Planning(company, at_date, checkpoint, run.env['dunning.notice'])
        for step in run._get_plan_steps():
            step(planning)
        return {'notices': planning.notices, 'postponed': planning.postponed}

    @api.model
    def _get_plan_steps(self):
        """Return what is done when a creditor is planned, in order; each step is called with the :class:`Planning`."""
        return [
            self._end_holds,
            self._follow_facts,
            self._refresh_pending,
            self._decide,
            self._make_due_notices,
            self._wake_sender,
            self._look_for_wrong_notices,
        ]

    @api.model
    def _end_holds(self, planning):
        """Step: end the holds whose last day is over."""
        self.env['dunning.hold']._end_holds(planning.company, planning.at_date)

    @api.model
    def _decide(self, planning):
        """Step: ask the planner what is due, and flag the debtors that nothing reaches."""
        company, at_date, Planner = planning.company, planning.at_date, self.env['dunning.planner']
        decisions = Planner._plan(company, at_date, only_due={'no_address'})
        decisions = self._tell_unreachable(company, at_date, decisions)
        planning.groups, planning.postponed = Planner._cap_backlog(company, at_date, decisions)

    @api.model
    def _make_due_notices(self, planning):
        """Step: make the notices, in chunks."""
        company, at_date = planning.company, planning.at_date
        Check = self.env['dunning.run.check']
        going = Check._get_groups_that_go(company, planning.groups)
        if Check._hold_back(company, at_date, len(going)) or self.env['dunning.marker']._was_restored(company):
            going = []
        going = {id(group) for group in going}
        for chunk in split_every(PLAN_CHUNK, planning.groups, list):
            planning.notices |= self._make_notices(company, at_date, chunk, going)
            planning.checkpoint()

    @api.model
    def _wake_sender(self, planning):
        """Step: wake the sending where anything waits for it."""
        queued = [('company_id', 'in', planning.company._get_dunning_company_ids()), ('state', '=', 'queued')]
        if self.env['dunning.notice'].search_count(queued, limit=1):
            self.env['dunning.dispatcher']._wake()

    @api.model
    def _look_for_wrong_notices(self, planning):
        """Step: look again for notices that asked what was paid already."""
        self.env['dunning.withdrawal']._look_again(planning.company, planning.at_date)
        planning.checkpoint()

    @api.model
    def _follow_facts(self, planning):
        """Step: let items whose letters hold no longer go back on their ladders, and settle what was paid as asked."""
        self.env['dunning.notice']._follow_mails(planning.company, planning.at_date)
        self.env['dunning.notice']._follow_facts(planning.company, planning.at_date)

    @api.model
    def _refresh_pending(self, planning):
        """Step: keep what waits true: cancel what is no longer owed, pass over calls nobody made."""
        company, at_date = planning.company, planning.at_date
        Notice, Dispatcher = self.env['dunning.notice'], self.env['dunning.dispatcher']
        waiting = Notice.search(
            Domain('company_id', 'in', company._get_dunning_company_ids())
            & Domain('state', 'in', ('draft', 'todo', 'to_post', 'error')))
        waiting = waiting.try_lock_for_update()
        printed = waiting.filtered(lambda notice: notice.postal_state == 'printed')
        Dispatcher._recheck(waiting - printed, at_date)
        expired = waiting.filtered(
            lambda notice: notice.state == 'todo' and notice.level_id.expire_days
            and (at_date - notice.date).days >= notice.level_id.expire_days)
        if expired:
            expired._skip(at_date)
        planning.checkpoint()

    @api.model
    def _tell_unreachable(self, company, at_date, decisions):
        """Let somebody know of the debtors that nothing reaches, and return the decisions about the others.

        :param decisions: what is due, and what is not because of ``no_address``
        """
        Partner = self.env['res.partner'].with_company(company)
        Planner = self.env['dunning.planner']
        due, lost = [], {}
        for decision in decisions:
            if decision.reason:
                lost.setdefault(decision.partner_id, decision)
            else:
                due.append(decision)
        flagged = Partner.search([('dunning_unreachable_on', '!=', False)])
        again = flagged.filtered(lambda debtor: debtor.id not in lost)
        if again:
            # Whatever else keeps his items: is there a way to reach him by now?
            others = Planner._get_reason_codes() - {'no_address'}
            still = {
                decision.partner_id for decision in Planner._plan(company, at_date, partners=again, ignore=others)
                if decision.reason}
            again.filtered(lambda debtor: debtor.id not in still)._unflag_unreachable(company)
        Partner._flag_unreachable(company, {
            partner_id: lambda env, decision=decision: Planner.with_env(env)._explain(decision, company)
            for partner_id, decision in lost.items()})
        return due

    @api.model
    def _make_notices(self, company, at_date, groups, going=frozenset()):
        """Make the notices of some groups of decisions; another worker's notice of the same item wins.

        Groups that fail are halved, until the culprit stands alone.

        :param going: ``id()`` of the groups whose notice leaves by itself
        """
        Notice = self.env['dunning.notice']
        try:
            with mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                return self._create_notices(company, at_date, groups, going)
        except UniqueViolation:
            if len(groups) == 1:
                return Notice  # it has its notice already
        except OperationalError:
            raise  # another transaction was first: the next run does it
        except Exception:
            if len(groups) == 1:
                _logger.exception("No notice could be made for debtor %s", groups[0][0].partner_id)
                return Notice
        middle = len(groups) // 2
        for half in (groups[:middle], groups[middle:]):
            Notice |= self._make_notices(company, at_date, half, going)
        return Notice

    @api.model
    def _create_notices(self, company, at_date, groups, going):
        Notice = self.env['dunning.notice']
        by_state = defaultdict(list)
        for group in groups:
            by_state['queued' if id(group) in going else 'draft'] += group
        for state, decisions in by_state.items():
            Notice |= Notice._create_from_decisions(company, decisions, at_date, state=state, followed=True)
        self.env.flush_all()
        return Notice

    # -------------------------------------------------------------------------
    # SENDING
    # -------------------------------------------------------------------------

    @api.model
    def _get_queue_domain(self):
        """Return which notices the scheduled action sends."""
        return Domain('state', '=', 'queued')

    @api.model
    def _cron_dispatch(self, limit=500):
        """Send the queue in small chunks, a commit each; a bad notice leaves the queue and stops nobody.

        Any number of processes may do this at the same time.

        :param limit: about so many notices in one call; the scheduler calls again while there are more
        """
        IrCron = self.env['ir.cron']
        began, done, tries = self._begin_round(), set(), 0
        IrCron._commit_dunning(remaining=self._count_waiting(began))
        while len(done) < limit:
            try:
                notices = self._claim(began, done)
                if not notices:
                    break
                ids = notices.ids
                in_time = self._dispatch_chunk(notices, IrCron._commit_dunning)
            except TransactionRollbackError:
                # Another transaction was first. Nothing of this chunk was recorded; it is looked at anew.
                self.env.cr.rollback()
                tries += 1
                if tries > DISPATCH_TRIES:
                    self._wake_later()
                    IrCron._commit_dunning()
                    raise
                self._pause(tries)
                continue
            done.update(ids)
            tries = 0
            if not in_time:
                return
        else:
            return  # there may be more: the scheduler goes on
        self._finish_round(began, done)
        IrCron._commit_dunning(remaining=0)

    @api.model
    def _dispatch_chunk(self, notices, checkpoint):
        """Dispatch claimed notices. A chunk that fails is halved, until the culprit stands alone and says why.

        :param checkpoint: called with the number of notices after each piece; may commit
        :return: what the last checkpoint returned: the time that is left
        """
        Dispatcher = self.env['dunning.dispatcher']
        ids, left = notices.ids, 0
        if len(ids) == 1:
            Dispatcher._dispatch_one(notices)
        else:
            try:
                with self.env.cr.savepoint():
                    Dispatcher._dispatch(notices)
            except OperationalError:
                raise  # nothing of this chunk was recorded; the next run does it
            except Exception:  # noqa: BLE001 - find the culprit, keep the others
                _logger.info("A chunk of %s notices failed; it is halved", len(ids), exc_info=True)
                for half in self._halve(notices):
                    # Each commit lets go of the locks, so each half is locked and looked at again.
                    again = self._lock(self._lock_debtors(notices.browse(half)))
                    left = self._dispatch_chunk(again, checkpoint) if again else checkpoint(0)
                return left
        self._finish_piece(notices)
        return checkpoint(len(ids))

    @api.model
    def _finish_piece(self, notices):
        """Write down what became of notices that were dispatched, before that is committed."""
        # What has to wait comes last now, and not again in this round.
        notices._recording().write({'asked_on': self._get_clock()})
        notices._send_progress()  # the user who pressed the button sees it move
        self._renew_debtors(notices)

    @api.model
    def _finish_round(self, began, done):
        """The queue was gone through.

        :param done: ids of the notices that were dispatched
        """
        # What others hold at this moment is theirs; should they not finish it, it is looked at again.
        if self._count_waiting(began, done):
            self._wake_later()
        # Of several processes the last one sees all that the others did.
        self.env['dunning.notice'].browse(done).exists()._send_progress()

    @api.model
    def _halve(self, notices):
        """Return the ids of notices in two lists, or one by one for a single debtor, in their order."""
        groups = list(notices.grouped('partner_id').values())
        if len(groups) == 1:
            at_date = notices.company_id[:1]._dunning_today()
            return [[notice.id] for notice in self.env['dunning.dispatcher']._in_turn(notices, at_date)]
        middle = len(groups) // 2
        return [notices.browse().union(*half).ids for half in (groups[:middle], groups[middle:])]

    @api.model
    def _wake_later(self):
        """Let the queue be looked at again in a minute."""
        self.env['dunning.dispatcher']._wake(fields.Datetime.now() + timedelta(minutes=1))

    @api.model
    def _pause(self, tries):
        """Wait a moment, not the same one as others, before trying again."""
        time.sleep(random.uniform(0, 0.05 * 2 ** tries))  # noqa: S311 (no secret)

    # -------------------------------------------------------------------------
    # CLAIMING
    # -------------------------------------------------------------------------

    @api.model
    def _get_clock(self):
        """Return the moment by the clock of the database: the processes may be on several machines."""
        [[now]] = self.env.execute_query(SQL("SELECT clock_timestamp() AT TIME ZONE 'UTC'"))
        return now

    @api.model
    def _begin_round(self):
        """Return the moment from which on what has to wait is not asked again: the beginning of this run."""
        end = self.env.context.get('cron_end_time')
        elapsed = max(0.0, time.monotonic() - (end - MIN_TIME_PER_JOB)) if end else 0.0
        return self._get_clock() - timedelta(seconds=elapsed)

    @api.model
    def _query(self, domain=Domain.TRUE, *, began=None, skip=()):
        """Return the query of notices and its column ``asked_on``.

        :param began: of a round: only what that can claim
        :param skip: ids of notices that it does not claim again
        """
        Notice = self.env['dunning.notice']
        if began:
            domain &= self._get_queue_domain() & Domain('id', 'not in', list(skip))
        query = Notice._search(domain)
        asked = SQL.identifier(query.table, 'asked_on', to_flush=Notice._fields['asked_on'])
        if began:
            # Not in the domain, which knows no parts of a second.
            query.add_where(SQL("(%s IS NULL OR %s <= %s)", asked, asked, began))
        return query, asked

    @api.model
    def _count_waiting(self, began, skip=()):
        """Return how many notices a round can claim, those included that others hold at this moment."""
        query, _asked = self._query(began=began, skip=skip)
        [[count]] = self.env.execute_query(query.select(SQL("COUNT(*)")))
        return count

    @api.model
    def _get_waiting_companies(self, began, skip=()):
        """Return the creditors that have something to claim: first the one that was dispatched longest ago."""
        waiting, _asked = self._query(began=began, skip=skip)
        dispatched, asked = self._query(Domain('asked_on', '!=', False))
        for query in (waiting, dispatched):
            query.add_where(SQL("%s = company.id", SQL.identifier(query.table, 'company_id')))
        rows = self.env.execute_query(SQL(
            "SELECT company.id FROM res_company company WHERE EXISTS (%s) ORDER BY (%s) NULLS FIRST, company.id",
            waiting.select(SQL("1")), dispatched.select(SQL("MAX(%s)", asked))))
        return self.env['res.company'].browse([company_id for [company_id] in rows]).dunning_creditor_id

    @api.model
    def _claim(self, began, skip=()):
        """Return the next chunk of the queue, locked until the end of the transaction; empty when there is none.

        Has to be the beginning of a transaction. Raises ``TransactionRollbackError`` when another one was first.
        """
        for company in self._get_waiting_companies(began, skip):
            notices = self._claim_of(company, began, skip)
            if notices:
                return notices
        return self.env['dunning.notice']

    @api.model
    def _claim_of(self, company, began, skip):
        Notice = self.env['dunning.notice']
        of_creditor = Domain('company_id', 'in', company._get_dunning_company_ids())
        query, asked = self._query(of_creditor, began=began, skip=skip)
        query.order = SQL("%s NULLS FIRST, %s", asked, SQL.identifier(query.table, 'id'))
        query.limit = LOOK_AHEAD
        rows = self.env.execute_query(query.select(SQL.identifier(query.table, 'partner_id')))
        debtors = self._try_lock_debtors(
            company, list(dict.fromkeys(debtor for [debtor] in rows)), limit=DISPATCH_CHUNK)
        if not debtors:
            return Notice
        # All that waits for them: which of their notices goes first is not a matter of which was made first.
        query, _asked = self._query(of_creditor & Domain('partner_id', 'in', debtors), began=began, skip=skip)
        found = Notice.search(Domain('id', 'in', query), order='id').grouped('partner_id')
        chosen = Notice
        for debtor in self.env['res.partner'].browse(debtors):
            more = chosen | found.get(debtor, Notice)
            if chosen and (len(more) > DISPATCH_CHUNK or sum(more.mapped('line_count')) > DISPATCH_CHUNK_ITEMS):
                break
            chosen = more
        return self._lock(chosen)

    @api.model
    def _lock(self, notices):
        """Lock notices. Return those that are still in the queue, of debtors of whom nobody else holds one."""
        with mute_logger('odoo.sql_db'):
            locked = notices.try_lock_for_update()
        held = (notices - locked).partner_id
        return locked.filtered_domain(self._get_queue_domain() & Domain('partner_id', 'not in', held.ids))

    @api.model
    def _lock_debtors(self, notices):
        """Return those of the notices to whose debtors nobody else is writing at this moment."""
        ours = notices.browse()
        for company, batch in notices.grouped('company_id').items():
            debtors = set(self._try_lock_debtors(company, batch.partner_id.ids))
            ours |= batch.filtered(lambda notice, debtors=debtors: notice.partner_id.id in debtors)
        return ours

    @api.model
    def _try_lock_debtors(self, company, partner_ids, limit=None):
        """Lock debtors until the end of the transaction, in their order; return the ids of those nobody else has."""
        # A filter is evaluated row by row, so LIMIT ends it: no more is locked than is returned.
        rows = self.env.execute_query(SQL(
            """
            SELECT debtor FROM UNNEST(%s::int[]) AS queue(debtor)
             WHERE pg_try_advisory_xact_lock(hashtextextended('dunning.debtor:' || %s || ':' || debtor, 0))
             LIMIT %s
            """, list(partner_ids), company.sudo().dunning_creditor_id.id, limit))  # sudo: only which it is
        return [debtor for [debtor] in rows]

    @api.model
    def _renew_debtors(self, notices):
        """Make a new version of the debtors' rows, so that a process with an older view of the books looks again.

        The last thing before the commit: a user who saves one of these contacts waits for it. Raises
        ``SerializationFailure`` when another process let something leave after this transaction began.
        """
        debtors = notices.filtered(lambda notice: notice.state != 'queued').partner_id
        self.env.flush_all()
        with mute_logger('odoo.sql_db'):
            # Nothing in the row changes.
            self.env.cr.execute(SQL(
                "UPDATE res_partner SET write_date = write_date WHERE id = ANY(%s)", sorted(debtors.ids)))
