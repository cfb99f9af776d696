"""The scheduled actions: plan every day, send the queue whenever there is one."""

import logging
from collections import defaultdict
from itertools import islice

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import mute_logger, split_every

_logger = logging.getLogger(__name__)

PLAN_CHUNK = 200  # notices made per commit
DISPATCH_CHUNK = 50  # notices sent per commit: one wkhtmltopdf process, some three seconds


def no_checkpoint():
    """Go on without a commit: nobody but the scheduled action does that."""


class DunningRun(models.AbstractModel):
    _name = 'dunning.run'
    _description = "Dunning Run"

    @api.model
    def _cron_plan(self):
        """Plan for every company that was not planned for today; for all of them when each was.

        Stopped halfway it goes on where it was: what has a notice is not due again. What
        goes wrong in one company does not stop the others.
        """
        IrCron = self.env['ir.cron']
        companies = self.env['res.company'].search(Domain.TRUE)  # each company is planned
        waiting = companies.filtered(lambda company: company.dunning_planned_on != company._dunning_today())
        todo = waiting or companies
        IrCron._commit_progress(remaining=len(todo))
        for company_id in todo.ids:
            company = self.env['res.company'].browse(company_id)
            today = company._dunning_today()
            try:
                self._plan_company(company, today, checkpoint=IrCron._commit_progress)
                self.env['dunning.interest.rate']._warn_stale_rates(company, today)
                self.env['dunning.prescription']._warn_prescription(company, today)
                self.env['dunning.behaviour']._refresh(company, today)
                self.env['dunning.hold.report']._tell_parked(company, today)
            except OperationalError:
                raise  # the database is away or another transaction was first: the next run does it
            except Exception:
                # Raised, it would in the end switch the scheduled action off for every company.
                self.env.cr.rollback()
                _logger.exception("Planning failed for company %s", company_id)
            company.dunning_planned_on = today
            if not IrCron._commit_progress(1) and waiting:
                break

    @api.model
    def _plan_company(self, company, at_date, *, checkpoint=no_checkpoint):
        """Make the notices that are due in one company on one day.

        :param checkpoint: called after each chunk; commits when run by the scheduled action
        :return: dict with the new ``notices`` and how many backlog notices wait for another day (``postponed``)
        """
        run = self.with_company(company)
        Notice = run.env['dunning.notice']
        run.env['dunning.hold']._end_holds(company, at_date)
        run._refresh_pending(company, at_date)
        checkpoint()
        decisions = run.env['dunning.planner']._plan(company, at_date, only_due={'no_address'})
        decisions = run._tell_unreachable(company, at_date, decisions)
        groups, postponed = run._cap_backlog(company, at_date, decisions)
        notices = Notice
        for chunk in split_every(PLAN_CHUNK, groups, list):
            notices |= run._make_notices(company, at_date, chunk)
            checkpoint()
        if Notice.search_count([('company_id', '=', company.id), ('state', '=', 'queued')], limit=1):
            cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch', raise_if_not_found=False)
            if cron:
                cron.sudo()._trigger()  # sudo: run by a user it may only wake the queue
        return {'notices': notices, 'postponed': postponed}

    @api.model
    def _make_notices(self, company, at_date, groups):
        """Make the notices of some groups of decisions; another worker's notice of the same item wins."""
        Notice = self.env['dunning.notice']
        try:
            with mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                return self._create_notices(company, at_date, groups)
        except UniqueViolation:
            if len(groups) == 1:
                return Notice  # it has its notice already
        except OperationalError:
            raise  # another transaction was first: the next run does it
        except Exception:
            if len(groups) == 1:
                _logger.exception("No notice could be made for debtor %s", groups[0][0].partner_id)
                return Notice
        for group in groups:
            Notice |= self._make_notices(company, at_date, [group])
        return Notice

    @api.model
    def _create_notices(self, company, at_date, groups):
        Notice = self.env['dunning.notice']
        by_state = defaultdict(list)
        for group in groups:
            by_state['queued' if self._goes_by_itself(group) else 'draft'] += group
        for state, decisions in by_state.items():
            Notice |= Notice._create_from_decisions(company, decisions, at_date, state=state)
        self.env.flush_all()
        return Notice

    @api.model
    def _goes_by_itself(self, group):
        """Return whether the notice of these decisions may leave without a person having looked at it."""
        policy = self.env['dunning.policy'].browse(group[0].policy_id)
        # What was overdue before the start is always looked at first.
        return policy.approval == 'automatic' and not any(decision.backlog for decision in group)

    @api.model
    def _cap_backlog(self, company, at_date, decisions):
        """Group decisions by notice and leave out backlog above the daily number, the smallest amounts first.

        :return: (list of groups, number of groups left for another day)
        """
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        backlog = [group for group in groups.values() if any(decision.backlog for decision in group)]
        if not backlog:
            return list(groups.values()), 0
        used = self.env['dunning.notice'].search_count([
            ('company_id', '=', company.id), ('backlog', '=', True), ('date_planned', '=', at_date)])
        room = max(0, company.dunning_backlog_daily - used)
        backlog.sort(key=lambda group: -sum(decision.amount_company for decision in group))
        postponed = {id(group) for group in islice(backlog, room, None)}
        return [group for group in groups.values() if id(group) not in postponed], len(postponed)

    @api.model
    def _refresh_pending(self, company, at_date):
        """Keep what waits true: cancel what is no longer owed, pass over calls nobody made."""
        Notice = self.env['dunning.notice']
        waiting = Notice.search(
            Domain('company_id', '=', company.id) & Domain('state', 'in', ('draft', 'todo', 'to_post', 'error')))
        waiting = waiting.try_lock_for_update()
        printed = waiting.filtered(lambda notice: notice.postal_state == 'printed')
        self.env['dunning.dispatcher']._recheck(waiting - printed, at_date)
        expired = waiting.filtered(
            lambda notice: notice.state == 'todo' and notice.level_id.expire_days
            and (at_date - notice.date).days >= notice.level_id.expire_days)
        if expired:
            expired._skip(at_date)

    @api.model
    def _get_queue_domain(self):
        """Return which notices the scheduled action sends."""
        return Domain('state', '=', 'queued')

    @api.model
    def _cron_dispatch(self, limit=500):
        """Send the queue in small chunks, a commit each; a bad notice leaves the queue and stops nobody."""
        Notice = self.env['dunning.notice']
        Dispatcher = self.env['dunning.dispatcher']
        IrCron = self.env['ir.cron']
        domain = self._get_queue_domain()
        todo = Notice.search(domain, order='company_id, id', limit=limit)
        IrCron._commit_progress(remaining=len(todo) if len(todo) < limit else Notice.search_count(domain))
        # Ids, not records: each commit empties the cache.
        for ids in split_every(DISPATCH_CHUNK, todo.ids, list):
            notices = Notice.browse(ids).try_lock_for_update().filtered_domain(domain)
            try:
                with self.env.cr.savepoint():
                    Dispatcher._dispatch(notices)
            except OperationalError:
                raise  # nothing of this chunk was recorded; the next run does it
            except Exception:  # noqa: BLE001 - find the culprit, keep the others
                _logger.info("A chunk of notices failed; sending them one by one", exc_info=True)
                for notice_id in ids:
                    # Each commit lets go of the locks, so each notice is locked and looked at again.
                    notice = Notice.browse(notice_id).try_lock_for_update().filtered_domain(domain)
                    if notice:
                        Dispatcher._dispatch_one(notice)
                    IrCron._commit_progress(1)
                continue
            if not IrCron._commit_progress(len(ids)):
                return
