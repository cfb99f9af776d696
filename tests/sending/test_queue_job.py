"""The bridge to OCA's queue_job, for real: its job runner, a server with two workers, jobs that are killed."""

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
import time
from unittest import SkipTest

import psycopg2

from odoo import sql_db
from odoo.tests import tagged

from ..faults_engine import CHANNELS
from ..kernel.test_faults import FaultsCommon, free_port

try:
    from env import bootstrap, oca, paths, python, runtime, say
except ImportError:
    bootstrap = None

_logger = logging.getLogger(__name__)

CHUNK = 3
SECONDS = 180


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestQueueJob(FaultsCommon):

    @classmethod
    def setUpClass(cls):
        if bootstrap is not None:
            try:
                oca.ensure('queue_job')
            except say.Failure as reason:
                raise SkipTest(f"queue_job could not be fetched from PyPI: {reason}") from None
        super().setUpClass()
        cls.workers.do('plan')
        cls.workers.do('queue')
        home, _template = bootstrap.ensure(quiet=True)
        cls.addons_path = oca.addons_path(home, 'queue_job')
        cls.environ = {
            **runtime.environment(), 'ODOO_QUEUE_JOB_CHANNELS': 'root:2,root.dunning:2',
            'PYTHONPATH': os.pathsep.join([str(paths.CHECKOUT / 'dev'), str(oca.ensure('queue_job'))])}
        done = subprocess.run(  # noqa: S603 (our own program)
            runtime.odoo_command(
                '-d', cls.name, '-i', 'queue_job', f'--addons-path={cls.addons_path}', '--stop-after-init',
                '--no-http', '--log-level=warn'),
            env=cls.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"queue_job could not be installed: {done.stderr[-3000:]}")
        cls.complaints = [line for line in done.stderr.splitlines() if ' ERROR ' in line]

    def query(self, text, *values, database=None):
        """Return the rows of a statement, whose changes stay."""
        _name, options = sql_db.connection_info_for(database or self.name)
        with contextlib.closing(psycopg2.connect(**options)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(text, values)
                return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def served(self):
        """Let Odoo run with two workers and the job runner."""
        with tempfile.TemporaryFile('w+') as log:
            process = subprocess.Popen(  # noqa: S603 (our own program)
                [str(python.executable()), '-m', 'env.session', str(paths.CHECKOUT / 'dev' / 'queue_job_session.py'),
                 self.name, str(free_port()), self.addons_path, str(CHUNK)],
                env=self.environ, stdout=log, stderr=log, start_new_session=True)
            try:
                yield
            except BaseException:
                log.seek(0)
                _logger.warning("The server said: %s", log.read()[-6000:])
                raise
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def wake(self):
        """Trigger the scheduled action, and tell the server at once: by itself it looks once a minute."""
        self.query("""
            INSERT INTO ir_cron_trigger (cron_id, call_at)
            SELECT res_id, NOW() AT TIME ZONE 'UTC' FROM ir_model_data WHERE name = 'ir_cron_dunning_dispatch'
            """)
        self.query("SELECT pg_notify('cron_trigger', %s)", self.name, database='postgres')

    def wait_for(self, what, text, *values):
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if self.query(text, *values)[0][0]:
                return
            time.sleep(0.1)
            # By itself the job runner looks only once a minute whether a job died.
            self.query("NOTIFY queue_job, 'look'")
        self.fail(f"This did not happen within {SECONDS} seconds: {what}")

    def test_jobs_carry_the_chunks(self):
        self.assertFalse(self.complaints)
        [[state]] = self.query("SELECT state FROM ir_module_module WHERE name = 'l10n_nl_dunning_queue_job'")
        self.assertEqual(state, 'installed', "The bridge comes by itself")
        count = sum(CHANNELS.values())
        self.query("UPDATE ir_cron SET active = (id IN (SELECT res_id FROM ir_model_data WHERE name IN"
                   " ('ir_cron_dunning_dispatch', 'ir_cron_mail_scheduler_action')))")
        self.wake()
        with self.served():
            # A worker is killed in the middle of it: nothing of its chunk was recorded.
            self.wait_for("a job runs", "SELECT COUNT(*) > 0 FROM queue_job WHERE state = 'started'")
            [[pid]] = self.query("SELECT worker_pid FROM queue_job WHERE state = 'started' LIMIT 1")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.wake()
            self.wait_for("all leave", "SELECT COUNT(*) = 0 FROM dunning_notice WHERE state = 'queued'")
            self.wait_for("the mails leave", "SELECT COUNT(*) = 0 FROM mail_mail WHERE state = 'outgoing'")
            self.wait_for(
                "the jobs end", "SELECT COUNT(*) = 0 FROM queue_job WHERE state IN ('pending', 'enqueued', 'started')")
        self.assertEqual(
            self.query("SELECT COUNT(*) FROM dunning_notice WHERE state IN ('sent', 'to_post', 'todo')"), [(count,)])
        [[jobs, pids]] = self.query(
            "SELECT COUNT(*), COUNT(DISTINCT worker_pid) FROM queue_job WHERE state = 'done'")
        self.assertGreater(jobs, count // CHUNK)
        self.assertGreater(pids, 1, "More than one process did it")
        emails = self.received()
        self.assertEqual(len(emails), CHANNELS['email'] + CHANNELS['both'])
        self.assertEqual(set(emails.values()), {1})
