"""Where OCA's ``queue_job`` is installed, its jobs carry the chunks of the queue.

A job is one chunk, and claims it when its turn comes: the same rows, the same locks of debtors, the same order of
companies as without jobs. A job that found something makes the next one, so there are never more than a few, and how
many run at a time is what the channel ``root.dunning`` allows. The scheduled action only begins.
"""

import math

from odoo import api, models

from odoo.addons.l10n_nl_dunning.models.sending import dunning_run

# Lines of jobs that begin at the same time: more than a channel runs at once are of no use.
LINES = 16
# Another transaction came first; a job is postponed for it, it does not fail.
RETRIES = 20
WAITING_STATES = ('wait_dependencies', 'pending', 'enqueued')


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _cron_dispatch(self, limit=500):
        # OVERRIDE: the scheduled action makes jobs; they do the work.
        began = self._begin_round()
        count = self._count_waiting(began)
        wanted = min(LINES, math.ceil(count / dunning_run.DISPATCH_CHUNK))
        for _number in range(wanted - self._count_jobs()):
            self._delay_dispatch(began)
        if not count:
            self._finish_round(began, set())
        self.env['ir.cron']._commit_progress(remaining=0)

    @api.model
    def _count_jobs(self):
        # sudo: only how many there are
        return self.env['queue.job'].sudo().search_count([
            ('model_name', '=', 'dunning.run'), ('method_name', '=', '_job_dispatch'),
            ('state', 'in', WAITING_STATES)])

    @api.model
    def _delay_dispatch(self, began):
        self.with_delay(max_retries=RETRIES, description="Send reminders")._job_dispatch(began)

    @api.model
    def _job_dispatch(self, began):
        """Send one chunk of the queue, and leave the next one to another job.

        Never commits: that is for ``queue_job`` to do. When another transaction was first it tries again later.

        :param began: the moment from which on what has to wait is not asked again
        """
        notices = self._claim(began)
        if not notices:
            self._finish_round(began, set())
            return
        self._dispatch_chunk(notices, dunning_run.no_checkpoint)
        self._delay_dispatch(began)
