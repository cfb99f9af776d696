"""Nothing lost, nothing twice: processes are killed, connections cut, disks fill up, people press at once.

Real processes on a database of their own, with a mail server that notes what it accepted. This needs the development
environment (``dev/``), which knows how to make databases.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from unittest import SkipTest
from urllib.request import HTTPCookieProcessor, Request, build_opener

from aiosmtpd.controller import Controller

from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name

from .. import faults_engine
from ..faults_engine import CHANNELS, CHUNK, PASSWORD, PROPOSALS

try:
    from env import bootstrap, database, paths, postgres, python, runtime
except ImportError:
    bootstrap = None

_logger = logging.getLogger(__name__)

#: Stages before a chunk of notices is committed: whatever happens there leaves the queue as it was.
BEFORE_COMMIT = ('locked', 'rechecked', 'rendered', 'PDF stored', 'mail made', 'recorded')
#: Debtors whose mailbox the mail server refuses for a while, and for good.
LATER, GONE = 'later@debtor.example.com', 'gone@debtor.example.com'


class MailServer:
    """Notes every mail that it says it accepted, and misbehaves when told to."""

    def __init__(self):
        self.accepted = []
        self.strict = False
        self.drop = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.strict and address == LATER:
            return '451 4.7.1 Greylisted, try again later'
        if self.strict and address == GONE:
            return '550 5.1.1 No such user here'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        if self.drop == 'before':
            self.drop = None
            server.transport.abort()
            return '421 Bye'
        if self.drop == 'sleep':
            self.drop = None
            await asyncio.sleep(3)
            return '451 4.3.0 Too slow'
        mail = message_from_bytes(envelope.content)
        self.accepted.append((envelope.rcpt_tos[0], mail['Message-Id'].strip(), envelope.content))
        if self.drop == 'after':
            self.drop = None
            server.transport.abort()
        return '250 OK'


class FreePortController(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        return super()._trigger_server()


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class FaultsCommon(BaseCase):
    """A database of our own, a mail server, and processes with Odoo in them."""

    #: What prepares the database.
    prepare = 'prepare'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if bootstrap is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        home, _template = bootstrap.ensure(quiet=True)
        cls.name = f"dunning_test_{paths.checkout_key()}_{os.getpid()}-{cls.__name__.lower()}"
        cls.addClassCleanup(postgres.drop, cls.name)
        postgres.create(cls.name, cls.get_template() or database.with_addon(home))
        cls.server = MailServer()
        controller = FreePortController(cls.server, hostname='127.0.0.1', port=0)
        controller.start()
        cls.addClassCleanup(controller.stop)
        cls.folder = tempfile.TemporaryDirectory(prefix='dunning.faults.')
        cls.addClassCleanup(cls.folder.cleanup)
        cls.workers = cls.start_workers()
        cls.addClassCleanup(cls.workers.close)
        cls.workers.do(cls.prepare, smtp_port=controller.port)

    def received(self):
        """Return how many mails the mail server accepted for each address."""
        return Counter(address for address, _message_id, _content in self.server.accepted)

    @classmethod
    def get_template(cls):
        """Return the database that the workers of pytest have copies of: the addon as it is now. Or None."""
        name, worker = get_db_name(), os.environ.get('PYTEST_XDIST_WORKER')
        return name.removesuffix(f'-{worker}') if worker and name.endswith(f'-{worker}') else None

    @classmethod
    def start_workers(cls, **environ):
        return faults_engine.Workers(
            [str(python.executable()), '-m', 'env.session', str(paths.CHECKOUT / 'dev' / 'faults_session.py')],
            {**runtime.environment(), 'PYTHONPATH': str(paths.CHECKOUT / 'dev'), **environ}, cls.name)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFaults(FaultsCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.workers.do('plan')
        cls.ready = f"{cls.name}0"
        cls.addClassCleanup(postgres.drop, cls.ready)
        postgres.create(cls.ready, cls.name)

    def setUp(self):
        super().setUp()
        self.reset()

    def reset(self):
        """Begin again: some debtors get a reminder, each by his channel, and some wait for a person."""
        postgres.drop(self.name)
        postgres.create(self.name, self.ready)
        self.server.__init__()
        self.workers.do('queue')

    # --- looking ---

    def look(self):
        return self.workers.do('look')

    def is_done(self, notice):
        # What failed after its mail was made is a person's.
        return notice['state'] in ('sent', 'leaving', 'to_post', 'todo') or bool(
            notice['state'] == 'error' and notice['messages'])

    def state_of_mail(self, notice):
        return {'sent': 'sent', 'exception': 'error', 'bounce': 'undelivered'}.get(
            next(iter(notice['statuses']), ''), 'leaving')

    def assertWhole(self, notices):
        """Each notice is entirely done or entirely to do; and there is one for each debtor."""
        self.assertEqual(
            Counter(notice['debtor'] for notice in notices),
            Counter(f"Debtor {number} BV" for number in range(sum(CHANNELS.values()) + PROPOSALS)))
        self.assertEqual(len({notice['name'] for notice in notices}), len(notices))
        for notice in notices:
            with self.subTest(notice=notice['name'], channel=notice['channel'], state=notice['state']):
                by_mail = notice['channel'] in ('email', 'both')
                on_paper = notice['channel'] in ('letter', 'both')
                done = self.is_done(notice)
                if done:
                    self.assertEqual(notice['state'], {
                        'email': self.state_of_mail(notice), 'both': self.state_of_mail(notice), 'letter': 'to_post',
                        'phone': 'todo'}[notice['channel']])
                else:
                    self.assertIn(notice['state'], ('draft', 'queued', 'error'))
                self.assertEqual(bool(notice['error']), notice['state'] == 'error')
                self.assertEqual(notice['letters'], int(done and (by_mail or on_paper)))
                self.assertEqual(notice['frozen'], done and (by_mail or on_paper))
                self.assertEqual(notice['messages'], int(done and by_mail))
                self.assertEqual(len(notice['statuses']), int(done and by_mail))
                self.assertEqual(notice['postal_state'], 'to_print' if done and on_paper else False)
                self.assertEqual(notice['lines'], ['sent' if notice['state'] == 'sent' else 'pending'])
                self.assertEqual(notice['levels'], ["Reminder" if notice['state'] == 'sent' else ''])

    def assertAllDone(self, proposals=PROPOSALS):
        notices = self.look()
        self.assertWhole(notices)
        self.assertEqual(
            Counter(notice['state'] for notice in notices if not self.is_done(notice)),
            Counter({'draft': proposals} if proposals else {}))
        return notices

    def assertOneMailEach(self, notices, but=()):
        """The mail server accepted one mail for each notice that goes by e-mail, and nothing else."""
        self.assertEqual(self.received(), Counter(
            notice['email'] for notice in notices
            if self.is_done(notice) and notice['channel'] in ('email', 'both') and notice['email'] not in but))
        ids = [message_id for _address, message_id, _content in self.server.accepted]
        self.assertEqual(len(ids), len(set(ids)))

    def stop_at(self, do, stage, kind, **fault):
        """Let something happen to a process at a stage."""
        outcome = self.workers.run(do, fault={'stage': stage, 'kind': kind, **fault})
        if kind == 'kill':
            self.assertEqual(outcome['signal'], signal.SIGKILL, f"Not reached: {stage}: {outcome}")
        return outcome

    # --- the planner ---

    def test_a_planner_that_is_killed_goes_on_where_it_was(self):
        """Started from an empty database: the proposals are made once, whatever happened."""
        self.workers.do('forget_plan')
        self.stop_at('plan', 'planned', 'kill')
        self.assertFalse(self.look())
        self.stop_at('plan', 'plan committed', 'kill')
        self.assertEqual(len(self.look()), CHUNK)
        self.stop_at('plan', 'planned', 'cut')
        self.workers.run_together({'do': 'plan'}, {'do': 'plan'})
        self.workers.do('plan')
        self.assertWhole(self.look())

    # --- the dispatcher ---

    def test_a_dispatcher_that_is_killed_loses_and_repeats_nothing(self):
        for stage in BEFORE_COMMIT:
            with self.subTest(stage):
                self.stop_at('dispatch', stage, 'kill')
                notices = self.look()
                self.assertWhole(notices)
                self.assertFalse([notice for notice in notices if self.is_done(notice)])
        self.stop_at('dispatch', 'committed', 'kill')
        notices = self.look()
        self.assertWhole(notices)
        self.assertEqual(len([notice for notice in notices if self.is_done(notice)]), CHUNK)
        for stage in BEFORE_COMMIT[1:5:2]:
            self.stop_at('dispatch', stage, 'kill')
        self.workers.do('dispatch')
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone())

    def test_a_lost_database_loses_and_repeats_nothing(self):
        for stage in BEFORE_COMMIT:
            with self.subTest(stage):
                outcome = self.stop_at('dispatch', stage, 'cut')
                self.assertTrue(outcome['error'], f"The loss of the database at “{stage}” went unnoticed")
                notices = self.look()
                self.assertWhole(notices)
                self.assertEqual(
                    Counter(notice['state'] for notice in notices),
                    Counter(draft=PROPOSALS, queued=sum(CHANNELS.values())),
                    "Losing the database is nothing that is wrong with a notice")
        self.stop_at('dispatch', 'committed', 'cut')
        self.workers.do('dispatch')
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone())

    def test_two_dispatchers_share_one_queue(self):
        slow = {'stage': 'rendered', 'kind': 'wait', 'seconds': 0.7}
        outcomes = self.workers.run_together(
            {'do': 'dispatch', 'fault': slow}, {'do': 'dispatch', 'fault': slow}, {'do': 'dispatch'})
        for outcome in outcomes:
            self.assertFalse(outcome['error'].replace('SerializationFailure', ''), outcome)
        self.workers.do('dispatch')
        self.workers.run_together({'do': 'mails'}, {'do': 'mails'})
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone())

    def test_one_debtor_is_never_written_to_by_two_processes(self):
        """Two notices that may not leave on one day, in a queue that two workers share, over and over."""
        by_mail = CHANNELS['email'] + CHANNELS['both']
        for number in range(3):
            with self.subTest(number):
                self.reset()
                self.workers.do('second_messages')
                slow = {'stage': 'rendered', 'kind': 'wait', 'seconds': 0.2 * number}
                outcomes = self.workers.run_together(
                    {'do': 'dispatch', 'fault': slow}, {'do': 'dispatch', 'fault': slow}, {'do': 'dispatch'})
                self.assertEqual([outcome['error'] for outcome in outcomes], [''] * 3)
                notices = self.look()
                told = Counter(
                    notice['debtor'] for notice in notices if notice['state'] in ('leaving', 'to_post', 'todo'))
                self.assertEqual(set(told.values()), {1}, "A debtor got two messages on one day")
                self.assertEqual(len(told), sum(CHANNELS.values()))
                waiting = [notice for notice in notices if notice['state'] == 'queued']
                self.assertEqual(len(waiting), by_mail)
                for notice in waiting:
                    self.assertIn("Another message goes to this debtor today", notice['waiting'])

    def test_a_user_and_the_queue_write_to_one_debtor_once(self):
        """What the user approves and sends in one request the queue cannot see yet, nor the user what it sends."""
        before = {notice['id'] for notice in self.look()}
        self.workers.do('second_messages', state='draft')
        ids = [notice['id'] for notice in self.look() if notice['id'] not in before]
        slow = {'stage': 'rendered', 'kind': 'wait', 'seconds': 0.5}
        outcomes = self.workers.run_together(
            {'do': 'send_now', 'login': 'ann', 'ids': ids, 'fault': slow}, {'do': 'dispatch', 'fault': slow})
        self.assertEqual([outcome['error'] for outcome in outcomes], ['', ''])
        self.workers.do('dispatch')
        told = Counter(
            notice['debtor'] for notice in self.look() if notice['state'] in ('leaving', 'to_post', 'todo'))
        self.assertEqual(set(told.values()), {1}, "A debtor got two messages on one day")

    # --- the mail server ---

    def test_a_mail_queue_that_is_killed_mails_nobody_twice(self):
        self.workers.do('dispatch')
        self.stop_at('mails', 'mail begun', 'kill', times=1)
        self.assertEqual(len(self.server.accepted), 0)
        self.stop_at('mails', 'server answered', 'kill')
        self.assertEqual(len(self.server.accepted), 1)
        self.stop_at('mails', 'mail accepted', 'kill', times=1)
        self.stop_at('mails', 'mail recorded', 'kill', times=3)
        self.workers.do('mails')
        notices = self.assertAllDone()
        uncertain = [notice for notice in notices if notice['failures']]
        # Of two nobody but the mail server knows; it had accepted one of them.
        self.assertEqual(len(uncertain), 2, uncertain)
        for notice in uncertain:
            self.assertIn("it is not certain whether it left", notice['failures'][0])
            self.assertEqual((notice['statuses'], notice['mail_states']), (['exception'], ['exception']))
        missing = [notice for notice in uncertain if not self.received()[notice['email']]]
        self.assertEqual(len(missing), 1)
        self.assertOneMailEach(notices, but=[missing[0]['email']])
        # A person looked, and tries the one that did not arrive again.
        self.workers.do('try_mails_again', emails=[missing[0]['email']])
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone())
        # Again and again: nothing more leaves.
        self.workers.do('mails')
        self.assertOneMailEach(self.look())

    def test_a_database_lost_after_the_mail_server_accepted_mails_nobody_twice(self):
        self.workers.do('dispatch')
        self.stop_at('mails', 'mail accepted', 'cut')
        self.stop_at('mails', 'mail recorded', 'cut')
        self.workers.do('mails')
        self.workers.do('mails')
        notices = self.assertAllDone()
        self.assertOneMailEach(notices)
        self.assertFalse([notice['failures'] for notice in notices if notice['failures']])

    def test_a_mail_server_that_is_away_refuses_or_hangs_up(self):
        self.workers.do('dispatch')
        by_mail = CHANNELS['email'] + CHANNELS['both']
        # Nobody there.
        port = self.workers.do('mail_server', port=free_port())
        self.workers.do('mails')
        notices = self.look()
        self.assertEqual(Counter(status for notice in notices for status in notice['statuses']), {'ready': by_mail})
        self.assertEqual({pause for notice in notices for pause in notice['pauses']}, {5})
        self.assertFalse(self.received())
        self.workers.do('mail_server', port=port)
        # Not before the pause is over.
        self.workers.do('mails')
        self.assertFalse(self.received())
        self.workers.do('pass_pauses')
        # Hanging up before the answer, silence instead of it, and hanging up with the mail in hand.
        self.server.strict = True
        lost = []
        for drop in ('before', 'sleep', 'after'):
            self.server.drop = drop
            before = {notice['id'] for notice in self.look() if notice['failures']}
            self.workers.do('mails', timeout=1)
            self.assertIsNone(self.server.drop, f"Nobody noticed: {drop}")
            lost += [notice for notice in self.look() if notice['failures'] and notice['id'] not in before
                     and notice['email'] not in (LATER, GONE)]
        self.workers.do('mails')
        notices = self.look()
        failed = {notice['email']: notice for notice in notices if notice['failures']}
        # Each mail was accepted once or its notice says what went wrong: nothing in silence, nothing twice.
        self.assertEqual(len(lost), 3)
        for notice in lost:
            self.assertIn("it is not certain whether it left", failed[notice['email']]['failures'][0])
        self.assertEqual(set(failed), {GONE, *(notice['email'] for notice in lost)})
        self.assertEqual(len([notice for notice in lost if self.received()[notice['email']]]), 1)
        # Refused for a while: it waits in the mail queue, longer each time, and says so.
        later = next(notice for notice in notices if notice['email'] == LATER)
        self.assertEqual(
            (later['state'], later['statuses'], later['mail_states']), ('leaving', ['ready'], ['outgoing']))
        self.assertIn("Greylisted", later['mail_reasons'][0])
        self.assertEqual(later['pauses'], [15])
        # Refused for good: this notice reached nobody, so its level is taken back.
        self.assertEqual((failed[GONE]['state'], failed[GONE]['levels']), ('undelivered', ['']))
        self.assertEqual(failed[GONE]['mail_states'], ['cancel'])
        # Later the mail server wants it.
        self.server.strict = False
        self.workers.do('try_mails_again', emails=[
            notice['email'] for notice in lost if not self.received()[notice['email']]])
        self.workers.do('pass_pauses')
        self.workers.do('mails')
        self.assertOneMailEach([notice for notice in self.look() if notice['email'] != GONE])
        self.assertFalse(self.received()[GONE])

    def test_a_mail_that_is_refused_for_a_while_is_tried_ever_less_often_and_then_told(self):
        self.workers.do('dispatch')
        self.server.strict = True
        pauses = []
        for _number in range(8):
            self.workers.do('mails')
            later = next(notice for notice in self.look() if notice['email'] == LATER)
            pauses += later['pauses']
            self.workers.do('pass_pauses')
        self.assertEqual(pauses, [5, 15, 60, 180, 360, 600])
        self.assertEqual((later['statuses'], later['mail_states']), (['exception'], ['exception']))
        self.assertIn("Greylisted", later['failures'][0])
        self.assertFalse(self.received()[LATER])
        # A person tries again: from the beginning.
        self.workers.do('try_mails_again', emails=[LATER])
        self.workers.do('mails')
        self.assertEqual(next(notice for notice in self.look() if notice['email'] == LATER)['pauses'], [5])
        self.server.strict = False
        self.workers.do('pass_pauses')
        self.workers.do('mails')
        self.assertEqual(self.received()[LATER], 1)

    # --- disk and printer ---

    @contextlib.contextmanager
    def small_disk(self):
        """Yield a folder on a disk of its own with little room and a function that makes room.

        Where nobody may mount a disk (a container without that right) it yields no folder: then the write fails with
        the same error, by a fault at the moment at which the PDF is stored.
        """
        folder = tempfile.mkdtemp(dir=self.folder.name)
        mounted = subprocess.run(  # noqa: S603
            ['mount', '-t', 'tmpfs', '-o', 'size=128k', 'none', folder],  # noqa: S607
            capture_output=True, check=False).returncode == 0
        try:
            if not mounted:
                yield None, lambda: None
                return
            ballast = Path(folder) / 'ballast'
            ballast.write_bytes(b'x' * 100 * 1024)
            yield folder, ballast.unlink
        finally:
            if mounted:
                subprocess.run(['umount', '-l', folder], check=True)  # noqa: S603, S607

    def test_a_full_disk_takes_no_level_and_mails_nobody(self):
        with self.small_disk() as (folder, make_room):
            place = {'data_dir': folder} if folder else {}
            if folder:
                self.workers.do('keep_files')
                self.workers.do('dispatch', **place)
            else:
                _logger.warning("No right to mount a small disk here: “no space left” is raised where PDFs are stored.")
                self.workers.do('dispatch', fault={'stage': 'PDF storing', 'kind': 'full'})
            notices = self.workers.do('look', **place)
            self.assertWhole(notices)
            failed = [notice for notice in notices if notice['state'] == 'error']
            self.assertTrue(failed)
            for notice in failed:
                self.assertIn("No space left on device", notice['error'])
                self.assertIn("did not leave", notice['error'])
            self.assertFalse([notice for notice in notices if notice['state'] == 'queued'])
            make_room()
            self.workers.do('try_notices_again')
            self.workers.do('dispatch', **place)
            self.workers.do('mails', **place)
            notices = self.workers.do('look', **place)
        self.assertWhole(notices)
        self.assertEqual(len([notice for notice in notices if self.is_done(notice)]), sum(CHANNELS.values()))
        self.assertOneMailEach(notices)

    def test_without_a_printer_that_works_nothing_leaves_and_nothing_is_lost(self):
        broken = Path(tempfile.mkdtemp(dir=self.folder.name))
        nothing = Path(tempfile.mkdtemp(dir=self.folder.name))
        program = broken / 'wkhtmltopdf'
        program.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo "wkhtmltopdf 0.12.6 (with patched qt)" && exit\nkill -SEGV $$\n')
        program.chmod(0o755)
        for folder, words in ((nothing, "wkhtmltopdf is not installed"), (broken, "wkhtmltopdf stopped with code")):
            with self.subTest(words):
                self.workers.do('dispatch', real_letters=True, path=f'{folder}:/bin')
                notices = self.look()
                self.assertWhole(notices)
                failed = [notice for notice in notices if notice['state'] == 'error']
                self.assertEqual(len(failed), sum(CHANNELS.values()) - CHANNELS['phone'])
                for notice in failed:
                    self.assertIn(words, notice['error'])
                self.workers.do('try_notices_again')
        self.workers.do('mails')
        self.assertFalse(self.received())
        self.workers.do('dispatch', real_letters=True)
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone())
        for _address, _message_id, content in self.server.accepted:
            [letter] = [part for part in message_from_bytes(content).walk()
                        if part.get_content_type() == 'application/pdf']
            self.assertTrue(letter.get_payload(decode=True).startswith(b'%PDF-'))

    # --- people ---

    def drafts(self):
        return [notice['id'] for notice in self.look() if notice['state'] == 'draft']

    def test_two_users_who_press_send_at_once_send_once(self):
        ids = self.drafts()
        self.assertEqual(len(ids), PROPOSALS)
        slow = {'stage': 'rendered', 'kind': 'wait', 'seconds': 0.5}
        outcomes = self.workers.run_together(
            {'do': 'send_now', 'login': 'ann', 'ids': ids, 'fault': slow},
            {'do': 'send_now', 'login': 'bob', 'ids': ids[::-1], 'fault': slow})
        for outcome in outcomes:
            self.assertFalse(outcome['error'], outcome)
        self.workers.do('dispatch')
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone(proposals=0))

    def test_a_double_click_sends_once(self):
        """The same request twice over HTTP, at the same moment, in the same session; and once more afterwards."""
        ids = self.drafts()
        port = free_port()
        with self.served(port):
            browser = Browser(port, self.name)
            browser.log_in('ann')
            together = threading.Barrier(2)
            results = []

            def click():
                together.wait()
                results.append(browser.press('dunning.notice', 'action_send_now', ids))

            threads = [threading.Thread(target=click) for _number in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            results.append(browser.press('dunning.notice', 'action_send_now', ids))
            results.append(browser.press('dunning.notice', 'action_approve', ids))
        self.assertEqual([result.get('error') for result in results], [None] * 4)
        self.workers.do('dispatch')
        self.workers.do('mails')
        self.assertOneMailEach(self.assertAllDone(proposals=0))

    @contextlib.contextmanager
    def served(self, port):
        """Let Odoo answer requests."""
        outcome = self.workers.run(
            'serve_http', port=port, fault={'stage': 'rendered', 'kind': 'wait', 'seconds': 0.5})
        self.assertFalse(outcome['error'], outcome)
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
                    break
                time.sleep(0.05)
            yield
        finally:
            os.kill(outcome['pid'], signal.SIGKILL)


class Browser:
    """Calls Odoo as a browser does."""

    def __init__(self, port, database):
        self.address, self.database = f'http://127.0.0.1:{port}', database
        self.opener = build_opener(HTTPCookieProcessor())

    def call(self, path, **params):
        request = Request(  # noqa: S310 (our own address)
            self.address + path, json.dumps({'jsonrpc': '2.0', 'method': 'call', 'params': params}).encode(),
            {'Content-Type': 'application/json'})
        with self.opener.open(request, timeout=30) as response:
            return json.load(response)

    def log_in(self, login):
        answer = self.call('/web/session/authenticate', db=self.database, login=login, password=PASSWORD)
        if answer.get('error'):
            raise AssertionError(answer)

    def press(self, model, button, ids):
        return self.call(
            f'/web/dataset/call_button/{model}/{button}', model=model, method=button, args=[ids], kwargs={})
