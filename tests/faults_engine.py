"""Real processes on a real database, that something happens to at a given moment; see ``test_faults``.

A program (``dev/faults_session.py``) loads Odoo once and then forks: each job is a process of its own, with its own
connections, that may be killed without warning. What happens to it is decided by a :class:`Fault`, which is put around
methods in that process only. Production code knows nothing about it.

The other side of the pipe is :class:`Workers`, in the process of the tests.
"""

import errno
import hashlib
import json
import os
import select
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from datetime import date, timedelta

import psycopg2

from odoo import SUPERUSER_ID, Command, api, sql_db
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import config, email_normalize

from . import common

ADDON = 'odoo.addons.l10n_nl_dunning.'
#: Moments in the life of a notice: (model, method, whether before or after it, how many times later).
STAGES = {
    'planned': ('dunning.run', '_create_notices', 'after', 1),
    'plan committed': ('ir.cron', '_commit_progress', 'after', 3),
    'locked': ('dunning.dispatcher', '_dispatch', 'before', 1),
    'rechecked': ('dunning.dispatcher', '_recheck', 'after', 1),
    'rendered': ('dunning.letter', '_render_pdfs', 'after', 1),
    'PDF storing': ('dunning.letter', '_store_pdfs', 'before', 1),
    'PDF stored': ('dunning.letter', '_store_pdfs', 'after', 1),
    'mail made': ('dunning.dispatcher', '_queue_mails', 'after', 1),
    'recorded': ('dunning.dispatcher', '_dispatch', 'after', 1),
    'committed': ('ir.cron', '_commit_progress', 'after', 2),
    'mail begun': ('mail.mail', '_prepare_outgoing_list', 'after', 2),
    'mail accepted': ('ir.mail_server', 'send_email', 'after', 2),
    'mail recorded': ('mail.mail', '_postprocess_sent_message', 'after', 2),
}
#: The last letters of a chunk come soon, so that there is a next chunk.
CHUNK = 8
#: How many debtors get their reminder by which channel.
CHANNELS = {'email': 14, 'letter': 5, 'both': 3, 'phone': 2}
#: And how many proposals wait for a person.
PROPOSALS = 4
#: Seconds that jobs may take before they are given up; much, because on a busy machine they wait for their turn.
PATIENCE = 600
PASSWORD = 'faults-faults'
USERS = ('ann', 'bob')


# -------------------------------------------------------------------------
# IN THE PROCESS OF THE TESTS
# -------------------------------------------------------------------------


class Workers:
    """The program with Odoo in it, and its processes."""

    def __init__(self, command, environ, database):
        self.database = database
        self._log = tempfile.TemporaryFile('w+')  # noqa: SIM115 (a pipe that nobody reads would block)
        self._process = subprocess.Popen(  # noqa: S603 (our own program)
            [*command, database], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, text=True)

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._log.close()

    def read_log(self):
        self._log.seek(0)
        return self._log.read()

    def run_together(self, *jobs):
        """Run jobs at the same moment, each in its own process; return their outcomes.

        :param jobs: dicts with ``do`` (the name of a ``job_`` below), its arguments, and ``fault``
        :return: list of dicts with ``signal`` (that ended it, or 0), ``answer`` and ``error``
        """
        self._process.stdin.write(json.dumps(jobs) + '\n')
        self._process.stdin.flush()
        ready, _w, _x = select.select([self._process.stdout], [], [], PATIENCE)
        line = self._process.stdout.readline() if ready else ''
        if not line:
            self._process.kill()
            what = "The worker is gone" if ready else f"No answer within {PATIENCE} seconds"
            raise AssertionError(f"{what}: {self.read_log()[-3000:]}")
        return json.loads(line)

    def run(self, do, **job):
        """Run one job; return its outcome."""
        [outcome] = self.run_together({'do': do, **job})
        return outcome

    def do(self, do, **job):
        """Run one job that has to succeed; return its answer."""
        outcome = self.run(do, **job)
        if outcome['signal'] or outcome['error']:
            raise AssertionError(f"{do} failed: {outcome}")
        return outcome['answer']


# -------------------------------------------------------------------------
# IN THE PROGRAM
# -------------------------------------------------------------------------


def serve(database):
    """Carry out jobs that come as lines of JSON, until there are no more."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # whoever prints must not end up between the answers
    for line in sys.stdin:
        sql_db.close_all()  # what was forked may not share a connection
        outcomes = [_Process(database, job) for job in json.loads(line)]
        answers.write(json.dumps([process.wait() for process in outcomes], default=str) + '\n')
        answers.flush()


class _Process:
    """One job in a process of its own."""

    def __init__(self, database, job):
        self.lasting = job['do'] == 'serve_http'
        read, write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(read)
            _live(database, job, os.fdopen(write, 'w'))
        os.close(write)
        self.answer = os.fdopen(read)

    def wait(self):
        text = self.answer.readline() if self.lasting else self.answer.read()
        self.answer.close()
        status = 0 if self.lasting else os.waitpid(self.pid, 0)[1]
        outcome = json.loads(text) if text else {'answer': None, 'error': ''}
        return {'pid': self.pid, 'signal': os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, **outcome}


def _live(database, job, answer):
    """Do a job and end this process; never returns."""
    outcome = {'answer': None, 'error': ''}
    try:
        registry = Registry(database)
        fault = job.pop('fault', None)
        with registry.cursor() as cursor:
            context = {'lang': 'en_US'}
            if 'day' in job:
                context['dunning_at_date'] = date.fromisoformat(job.pop('day'))
            env = api.Environment(cursor, SUPERUSER_ID, context)
            if 'data_dir' in job:
                config['data_dir'] = job.pop('data_dir')
            if 'path' in job:
                os.environ['PATH'] = job.pop('path')
            if not job.pop('real_letters', False):
                _put_around(env, 'dunning.letter', '_render_pdfs', instead=_type_letters)
            if fault:
                Fault(env, **fault).arm()
            kill_after = job.pop('kill_after', None)
            if kill_after is not None:
                threading.Timer(kill_after, os.kill, (os.getpid(), signal.SIGKILL)).start()
            outcome['answer'] = JOBS[job.pop('do')](env, answer=answer, **job)
    except BaseException as error:  # noqa: BLE001 - the process ends here; the test judges
        outcome['error'] = f"{type(error).__name__}: {error}"
        if '--trace' in sys.argv:
            traceback.print_exc()
    answer.write(json.dumps(outcome, default=str))
    answer.close()
    os._exit(0)


def _type_letters(notices):
    return {
        notice.id: f"%PDF-1.4 {notice.name} to {notice.partner_id.name}: {notice.amount_text}".encode()
        for notice in notices}


def _put_around(env, model, method, *, instead=None, before=None, after=None):
    """Replace a method of a model in this process."""
    cls = env.registry[model]
    original = getattr(cls, method)

    def call(records, *args, **kwargs):
        if instead:
            return instead(*args[:1])
        if before:
            before(records)
        result = original(records, *args, **kwargs)
        if after:
            after(records)
        return result

    for name in ('_api_model', '_api_private'):
        if hasattr(original, name):
            setattr(call, name, getattr(original, name))
    setattr(cls, method, call)


class Fault:
    """Something that happens to this process at a stage.

    :param str stage: a key of :data:`STAGES`, or ``connection`` (when it is made with the mail server) or
        ``server answered`` (after the mail server accepted a mail, before anybody could write that down)
    :param str kind: ``kill``, ``cut`` (the connection with PostgreSQL), ``full`` (no space on the disk), ``wait``
        (until another process did its part)
    """

    def __init__(self, env, stage, kind, times=None, seconds=0.0):
        self.env, self.stage, self.kind, self.seconds = env, stage, kind, seconds
        self.left = times or (STAGES[stage][3] if stage in STAGES else 1)

    def arm(self):
        if self.stage == 'server answered':
            original = smtplib.SMTP.send_message

            def send_message(smtp, *args, **kwargs):
                result = original(smtp, *args, **kwargs)
                self.happen(self.env.cr)
                return result

            smtplib.SMTP.send_message = send_message
            return
        model, method, when, _times = STAGES[self.stage]
        _put_around(self.env, model, method, **{when: lambda records: self.happen(records.env.cr)})

    def happen(self, cursor):
        self.left -= 1
        # A disk stays full; everything else happens once.
        if self.left > 0 or (self.left and self.kind != 'full'):
            return
        if self.kind == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.kind == 'cut':
            _cut(cursor)
        elif self.kind == 'full':
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.kind == 'wait':
            time.sleep(self.seconds)


def _cut(cursor):
    """Let PostgreSQL end the connection of a cursor, as when the server restarts."""
    victim = cursor._cnx.info.backend_pid
    _name, options = sql_db.connection_info_for(cursor.dbname)
    other = psycopg2.connect(**options)
    other.autocommit = True
    with other.cursor() as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [victim])
    other.close()


# -------------------------------------------------------------------------
# JOBS
# -------------------------------------------------------------------------


class _Maker(common.DunningCommon):
    """Makes debtors and invoices as the other tests do; not a test."""

    @classmethod
    def use(cls, env):
        cls.env = env
        cls.company = env.company
        return cls


def job_prepare(env, answer, smtp_port):
    """A company with a mail server, a ladder and debtors that are late."""
    company = env.company
    if not company.chart_template:
        env['account.chart.template'].try_loading('nl', company)
    company.write({
        'name': "Faults BV", 'email': 'finance@faults.example.com', 'street': "Dam 1", 'city': "Amsterdam",
        'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False, 'dunning_quiet': False,
        'dunning_contacts_per_week': 0,
    })
    company.partner_id.tz = 'Europe/Amsterdam'
    env['res.partner.bank'].create({'acc_number': 'NL91ABNA0417164300', 'partner_id': company.partner_id.id})
    env['ir.mail_server'].create({
        'name': "Sink", 'smtp_host': '127.0.0.1', 'smtp_port': smtp_port, 'smtp_encryption': 'none'})
    make = _Maker.use(env)
    make.use_policy(make.make_policy("Ladder", [
        {'name': "Reminder", 'delay_days': 5, 'payment_term_days': 10},
        {'name': "Demand", 'delay_days': 4, 'payment_term_days': 7, 'delay_from': 'previous_deadline'},
    ]))
    due = company._dunning_today() - timedelta(days=20)
    for number in range(sum(CHANNELS.values()) + PROPOSALS):
        # Two debtors whom the mail server does not want: for a while, and for good.
        box = {1: 'later', 2: 'gone'}.get(number, f'debtor{number}')
        debtor = make.make_debtor(f"Debtor {number} BV", email=f'{box}@debtor.example.com')
        make.invoice(debtor, due, 100.0 + number)
    groups = env.ref('account.group_account_invoice') | env.ref('base.group_user')
    env['res.users'].create([
        {'name': name, 'login': name, 'password': PASSWORD, 'group_ids': [Command.set(groups.ids)]} for name in USERS])
    env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').active = True


def job_queue(env, answer):
    """All notices but some proposals are on their way, each by its channel."""
    notices = env['dunning.notice'].search([('state', '=', 'draft')], order='id')
    channels = [channel for channel, count in CHANNELS.items() for _number in range(count)]
    for notice, channel in zip(notices, channels, strict=False):
        notice.channel = channel
    notices[:len(channels)]._queue()


def job_second_messages(env, answer, state='queued'):
    """Everybody who gets an e-mail would get another message on the same day."""
    make = _Maker.use(env)
    today = env.company._dunning_today()
    notices = env['dunning.notice'].search([('state', '=', 'queued'), ('channel', 'in', ('email', 'both'))])
    items = env['account.move.line']
    for debtor in notices.partner_id:
        items |= make.items(make.invoice(debtor, today - timedelta(days=20), 55.0))
    decisions = env['dunning.planner']._plan(
        env.company, today, items=items, ignore=frozenset({'one_message'}))
    env['dunning.notice']._create_from_decisions(env.company, decisions, today, origin='manual', state=state)


def job_plan(env, answer):
    module = sys.modules[ADDON + 'models.sending.dunning_run']
    module.PLAN_CHUNK = CHUNK
    # Nobody is there to let go what a day with many notices, or many failures, holds back.
    check = sys.modules[ADDON + 'models.sending.dunning_run_check']
    check.LARGE_DAY = check.FAILURES_AT_LEAST = 10 ** 6
    env['dunning.run']._cron_plan()


def job_dispatch(env, answer, chunk=CHUNK):
    module = sys.modules[ADDON + 'models.sending.dunning_run']
    module.DISPATCH_CHUNK = chunk
    env['dunning.run']._cron_dispatch()


def job_send_now(env, answer, login, ids):
    """What the button does, in a request of a user."""
    user = env['res.users'].search([('login', '=', login)])
    notices = env['dunning.notice'].with_user(user).browse(ids)
    retrying(notices.action_send_now, env=notices.env)


def job_mails(env, answer, timeout=None):
    """The mail queue, as its scheduled action runs it."""
    if timeout:
        sys.modules['odoo.addons.base.models.ir_mail_server'].SMTP_TIMEOUT = timeout
    env['mail.mail'].process_email_queue()


def job_mail_server(env, answer, port):
    """Use another port; return the one that was used so far."""
    server = env['ir.mail_server'].search([])
    before = server.smtp_port
    server.smtp_port = port
    return before


def job_pass_pauses(env, answer):
    """Time passes: what waits in the mail queue for its next try may leave."""
    env['mail.mail'].search([('state', '=', 'outgoing')]).scheduled_date = False


def job_try_mails_again(env, answer, emails=None):
    """A person looked at the failed mails and tries them again."""
    mails = env['mail.mail'].search([('state', '=', 'exception'), ('model', '=', 'dunning.notice')])
    mails.filtered(lambda mail: not emails or email_normalize(mail.email_to) in emails).action_retry()


def job_forget_plan(env, answer):
    """Let everything have to be planned again: as if this were the first day."""
    notices = env['dunning.notice'].search([])
    notices.action_cancel()
    notices.unlink()
    env.company.dunning_planned_on = False


def job_try_notices_again(env, answer):
    env['dunning.notice'].search([('state', '=', 'error')]).action_retry()


def job_keep_files(env, answer):
    """From now on files are kept in a folder, as they are in production."""
    env['ir.config_parameter'].set_param('ir_attachment.location', 'file')


def job_serve_http(env, answer, port):
    """Answer requests until somebody ends this process."""
    from odoo import http
    from odoo.service import server

    env.cr.commit()
    config['http_enable'], config['http_port'], config['http_interface'] = True, port, '127.0.0.1'
    server.load_server_wide_modules()
    server.server = server.ThreadedServer(http.root)
    server.server.start(stop=False)
    answer.write(json.dumps({'answer': port, 'error': ''}) + '\n')
    answer.flush()
    while True:
        signal.pause()


def job_look(env, answer):
    """Everything there is to know about the notices."""
    Attachment = env['ir.attachment']
    Mail, Message = env['mail.mail'], env['mail.message']
    result = []
    for notice in env['dunning.notice'].search([], order='id'):
        letters = Attachment.search([
            ('res_model', '=', 'dunning.notice'), ('res_field', '=', 'letter_file'), ('res_id', '=', notice.id)])
        messages = Message.search([
            ('model', '=', 'dunning.notice'), ('res_id', '=', notice.id), ('message_type', '=', 'comment')])
        mails = Mail.search([('mail_message_id', 'in', messages.ids)])
        notifications = messages.notification_ids
        result.append({
            'id': notice.id, 'name': notice.name, 'state': notice.state, 'channel': notice.channel,
            'postal_state': notice.postal_state, 'debtor': notice.partner_id.name,
            'email': notice.partner_id.email, 'error': notice.error_message, 'waiting': notice.waiting_reason,
            'date': notice.date,
            'letters': len(letters), 'frozen': len(letters) == 1 and bool(letters.raw)
            and hashlib.sha256(letters.raw).hexdigest() == notice.letter_sha256,
            'messages': len(messages), 'message_ids': messages.mapped('message_id'),
            'mail_states': mails.mapped('state'), 'mail_reasons': mails.mapped('failure_reason'),
            'pauses': [round((mail.scheduled_date - mail.write_date).total_seconds() / 60)
                       for mail in mails if mail.scheduled_date and mail.state == 'outgoing'],
            'statuses': notifications.mapped('notification_status'),
            'failures': [reason for reason in notifications.mapped('failure_reason') if reason],
            'receipts': notice.receipt_ids.mapped('kind'),
            'lines': notice.line_ids.mapped('status'),
            'levels': [move.dunning_level_id.name or '' for move in notice.line_ids.move_id],
            'activities': len(notice.activity_ids),
            'author': notice.author_id.login,
        })
    return result


JOBS = {name.removeprefix('job_'): job for name, job in list(globals().items()) if name.startswith('job_')}
