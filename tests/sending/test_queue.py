"""The queue: shared by processes, fair between companies, and stopped by whoever let it go."""

import importlib.util
import stat
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from psycopg2.extensions import TransactionRollbackError

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models import ir_actions_report
from odoo.addons.l10n_nl_dunning.models.kernel import dunning_paper
from odoo.addons.l10n_nl_dunning.models.sending import dunning_run, dunning_run_check
from odoo.addons.l10n_nl_dunning.models.sending.dunning_notice import PROGRESS

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)


class QueueCommon(DunningCommon):

    def setUp(self):
        super().setUp()
        self.patch(self.registry['res.company'], '_dunning_today', lambda company: DUE)
        self.ladder.approval = 'automatic'
        self.patch(dunning_run_check, 'LARGE_DAY', 1000)
        self.dispatched = []
        original = self.registry['dunning.dispatcher']._dispatch

        def dispatch(dispatcher, notices):
            self.dispatched.append((notices.company_id.name, notices.ids))
            return original(dispatcher, notices)

        self.patch(self.registry['dunning.dispatcher'], '_dispatch', dispatch)

    def many(self, count, company=None, prefix="Debtor", **values):
        moves = self.env['account.move'].browse([
            self.invoice(self.make_debtor(f"{prefix}{number} BV"), company=company, amount=100 + number, **values).id
            for number in range(count)])
        self.env['dunning.run']._plan_company(company or self.company, DUE)
        return self.notices_of(moves)

    def run_cron(self, chunk=2):
        self.env.flush_all()
        with patch.object(dunning_run, 'DISPATCH_CHUNK', chunk), self.enter_registry_test_mode():
            result = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').sudo().method_direct_trigger()
        self.env.invalidate_all()
        return result

    def claim(self, chunk=2, skip=()):
        run = self.env['dunning.run']
        with patch.object(dunning_run, 'DISPATCH_CHUNK', chunk):
            return run._claim(run._begin_round(), skip)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaim(QueueCommon):

    def test_a_huge_company_does_not_starve_a_small_one(self):
        small = self.setup_other_company(name="Small BV")['company']
        small.write({
            'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False, 'dunning_quiet': False,
            'dunning_contacts_per_week': 0})
        self.use_policy(self.ladder, small)
        self.many(9)
        self.many(3, small, "Little")
        self.run_cron()
        # The large one was first in the queue; its turns alternate with those of the small one.
        self.assertEqual(
            [name for name, _ids in self.dispatched],
            ["Test BV", "Small BV", "Test BV", "Small BV", "Test BV", "Test BV", "Test BV"])

    def test_the_oldest_first_and_whole_debtors(self):
        notices = self.many(5)
        second = notices[3]
        self.assertEqual(self.claim(), notices[:2])
        # What waits for the same debtor is in the same chunk, wherever it stands in the queue.
        second._recording().write({'partner_id': notices[0].partner_id.id})
        self.assertEqual(self.claim(), notices[0] | second)

    def test_many_items_make_a_small_chunk(self):
        notices = self.many(4)
        self.env.flush_all()
        self.env.cr.execute("UPDATE dunning_notice SET line_count = 2000 WHERE id = %s", [notices[1].id])
        self.env.invalidate_all()
        self.assertEqual(self.claim(4), notices[0])
        self.assertEqual(self.claim(4, notices[0].ids), notices[1])
        self.assertEqual(self.claim(4, notices[:2].ids), notices[2:])

    def test_what_has_to_wait_does_not_stop_who_stands_behind_it(self):
        """More notices than one call sends wait for bank data; who may leave is behind them."""
        notices = self.many(6)
        last = notices[5]

        def wait(dispatcher, dispatch):
            dispatch.notices &= last

        self.patch(self.registry['dunning.dispatcher'], '_wait_for_planner', wait)
        run = self.env['dunning.run']
        with patch.object(dunning_run, 'DISPATCH_CHUNK', 2), patch.object(
            self.registry['ir.cron'], '_commit_progress', lambda *args, **kwargs: 1.0,
        ):
            run._cron_dispatch(limit=2)
            run._cron_dispatch(limit=2)
            run._cron_dispatch(limit=2)
        self.assertEqual(last.state, 'leaving')
        self.assertTrue(all(notice.asked_on for notice in notices - last))
        # A decision of a person is asked at once.
        notices[3]._queue()
        self.assertEqual(self.claim(1), notices[3])

    def test_a_chunk_with_a_culprit_is_halved(self):
        notices = self.many(8)
        bad = notices[5]
        original = self.registry['dunning.letter']._render_texts

        def fail(letter, these, *args, **kwargs):
            if bad.id in these.ids:
                raise ZeroDivisionError
            return original(letter, these, *args, **kwargs)

        self.patch(self.registry['dunning.letter'], '_render_texts', fail)
        with mute_logger('odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher'):
            self.run_cron(8)
        self.assertEqual([len(ids) for _name, ids in self.dispatched], [8, 4, 4, 2, 1, 1, 2])
        self.assertEqual(bad.state, 'error')
        self.assertEqual(set((notices - bad).mapped('state')), {'leaving'})

    def test_who_comes_after_another_transaction_looks_again(self):
        notices = self.many(2)
        original, calls = self.registry['dunning.run']._claim, []

        def claim(queue, *args):
            calls.append(1)
            if len(calls) < 3:
                raise TransactionRollbackError("could not serialize access")
            return original(queue, *args)

        self.patch(self.registry['dunning.run'], '_claim', claim)
        self.patch(self.registry['dunning.run'], '_pause', lambda queue, tries: None)
        self.run_cron()
        self.assertEqual(set(notices.mapped('state')), {'leaving'})

    def test_who_sends_at_once_makes_others_look_again(self):
        notices, renewed = self.many(2), []
        original = self.registry['dunning.run']._renew_debtors

        def renew(run, notices):
            renewed.append((notices.ids, notices.mapped('state')))
            return original(run, notices)

        self.patch(self.registry['dunning.run'], '_renew_debtors', renew)
        notices.action_send_now()
        self.assertEqual(renewed, [(notices.ids, ['leaving', 'leaving'])])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDebtorLock(BaseCase):
    """A process that writes to a debtor locks the debtor; on connections of their own, with committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())

    def environment(self, cr):
        env = api.Environment(cr, SUPERUSER_ID, {})
        return env, env['res.partner'].with_context(active_test=False).search([], order='id', limit=3)

    def lock(self, cr, limit=None):
        env, debtors = self.environment(cr)
        company = env['res.company'].search([], limit=1)
        locked = env['dunning.run']._try_lock_debtors(company, debtors.ids, limit)
        return [debtors.ids.index(debtor) for debtor in locked]

    def renew(self, cr, state='sent'):
        """Let a notice leave to each of the debtors."""
        env, debtors = self.environment(cr)
        notices = env['dunning.notice'].browse()
        for debtor in debtors:
            notices |= notices.new({'partner_id': debtor.id, 'state': state})
        env['dunning.run']._renew_debtors(notices)

    def test_two_at_the_same_moment_have_different_debtors(self):
        with self.registry.cursor() as one, self.registry.cursor() as other:
            self.assertEqual(self.lock(one, 2), [0, 1])
            self.assertEqual(self.lock(other), [2])
            self.assertEqual(self.lock(one, 2), [0, 1], "Twice in one transaction is nothing else")
            one.rollback()
            other.rollback()
        with self.registry.cursor() as cr:
            self.assertEqual(self.lock(cr), [0, 1, 2])

    def test_whoever_knows_less_than_was_done_has_to_look_again(self):
        with self.registry.cursor() as late:
            late.execute("SELECT 1")  # what it sees from here on is what was committed by now
            with self.registry.cursor() as cr:
                self.assertEqual(self.lock(cr), [0, 1, 2])
                self.renew(cr)
            self.assertEqual(self.lock(late), [0, 1, 2], "Nobody holds them any more")
            with self.assertRaises(TransactionRollbackError):
                self.renew(late)
            late.rollback()
            self.renew(late)
            late.rollback()

    def test_what_waits_is_no_reason_to_look_again(self):
        with self.registry.cursor() as late:
            late.execute("SELECT 1")
            with self.registry.cursor() as cr:
                self.renew(cr, 'queued')
            self.renew(late)
            late.rollback()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBatch(QueueCommon):

    def setUp(self):
        super().setUp()
        self.ladder.approval = 'approval'
        self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').active = True
        self.clerk = new_test_user(
            self.env, 'batch_clerk', groups='account.group_account_invoice', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        self.told = []
        original = self.registry['res.users']._bus_send

        def send(user, kind, message, /, **kwargs):
            if kind == PROGRESS:
                self.told.append((user, message['done'], message['total'], message['text']))
            return original(user, kind, message, **kwargs)

        self.patch(self.registry['res.users'], '_bus_send', send)

    def test_who_pressed_send_sees_how_far_it_is(self):
        notices = self.many(5)
        notices.with_user(self.clerk).action_approve()
        self.assertRecordValues(notices.batch_id, [{'id': notices[0].id, 'author_id': self.clerk.id}])
        [running] = self.env['dunning.notice'].with_user(self.clerk).get_dunning_running()
        self.assertEqual((running['done'], running['total'], running['may_stop']), (0, 5, True))
        self.run_cron()
        self.assertEqual({user for user, _done, _total, _text in self.told}, {self.clerk})
        self.assertEqual([done for _user, done, _total, _text in self.told], [2, 4, 5, 5])
        self.assertEqual(self.told[0][3], "2 of 5 reminders left. 3 are in the queue.")
        self.assertEqual(self.told[-1][3], "5 of 5 reminders left.")
        self.assertFalse(self.env['dunning.notice'].with_user(self.clerk).get_dunning_running())

    def test_a_single_notice_needs_no_progress(self):
        notice = self.many(1)
        notice.with_user(self.clerk).action_approve()
        self.assertFalse(notice.batch_id)

    def test_a_notice_approved_again_alone_leaves_the_others(self):
        notices = self.many(3).with_user(self.clerk)
        notices.action_approve()
        notices[0].action_take_back()
        notices[0].action_approve()
        [running] = notices.get_dunning_running()
        self.assertEqual((running['total'], notices[1:].batch_id, notices[0].batch_id.ids), (2, notices[0], []))

    def test_stop_the_rest(self):
        notices = self.many(5)
        notices.with_user(self.clerk).action_approve()
        batch = notices.batch_id.with_user(self.clerk)
        self.assertEqual(self.env['dunning.notice'].search(batch.action_show_batch()['domain']).sorted('id'), notices)
        with patch.object(dunning_run, 'DISPATCH_CHUNK', 2), patch.object(
            self.registry['ir.cron'], '_commit_progress', lambda *args, **kwargs: 1.0,
        ):
            self.env['dunning.run']._cron_dispatch(limit=2)
        self.assertEqual(notices.mapped('state'), ['leaving', 'leaving', 'queued', 'queued', 'queued'])
        result = batch.action_stop_batch()
        self.assertIn("3 reminders were stopped", result['params']['message'])
        self.assertEqual(notices.mapped('state'), ['leaving', 'leaving', 'draft', 'draft', 'draft'])
        self.assertFalse(any(notices[2:].mapped('approved')))
        for notice in notices[2:]:
            self.assertIn("batch_clerk", notice.message_ids[0].preview)
            self.assertIn("stopped it", notice.message_ids[0].preview)
        self.run_cron()
        self.assertEqual(notices.mapped('state'), ['leaving', 'leaving', 'draft', 'draft', 'draft'])
        with self.assertRaisesRegex(UserError, "Nothing is left to stop"):
            batch.action_stop_batch()
        [progress] = batch._get_batch_progress()
        self.assertEqual(progress['text'], "2 of 5 reminders left. 3 were stopped and are proposals again.")
        self.assertEqual((progress['done'], progress['total']), (5, 5))

    def test_only_accountants_stop(self):
        notices = self.many(2)
        notices.with_user(self.clerk).action_approve()
        reader = new_test_user(self.env, 'batch_reader', groups='account.group_account_readonly',
                               company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            notices.batch_id.with_user(reader).action_stop_batch()
        [running] = self.env['dunning.notice'].with_user(reader).get_dunning_running()
        self.assertFalse(running['may_stop'])

    def test_the_wizard_begins_a_batch(self):
        notices = self.many(3)
        wizard = self.env['dunning.send'].with_user(self.clerk).browse(
            notices.with_user(self.clerk).action_dunning_send()['res_id'])
        wizard.action_queue()
        self.assertRecordValues(notices.batch_id, [{'id': notices[0].id, 'author_id': self.clerk.id}])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMigration(QueueCommon):
    """From the release in which copies of the scheduled action sent as well, and batches were records."""

    def migrate(self):
        path = Path(__file__).parents[2] / 'migrations' / '19.0.1.5.0' / 'pre-queue.py'
        spec = importlib.util.spec_from_file_location('pre_queue', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, '19.0.1.4.0')
        self.env.invalidate_all()

    def test_only_the_copies_of_the_scheduled_action_are_deleted(self):
        first = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch')
        [copy] = self.env['ir.cron']._load_records([{
            'xml_id': 'l10n_nl_dunning.ir_cron_dunning_dispatch_2', 'noupdate': True,
            'values': {'name': "Copy", 'model_id': first.model_id.id, 'state': 'code', 'code': first.code}}])
        copy._trigger()
        action = copy.ir_actions_server_id
        self.migrate()
        self.assertFalse(copy.exists() or action.exists())
        self.assertFalse(self.env['ir.model.data'].search([
            ('module', '=', 'l10n_nl_dunning'), ('name', '=like', 'ir_cron_dunning_dispatch_2%')]))
        self.assertEqual(self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch'), first)
        self.assertEqual(
            self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch_ir_actions_server'), first.ir_actions_server_id)

    def test_what_was_sent_together_still_is(self):
        notices = self.many(3)
        self.env.flush_all()
        self.env.cr.execute("CREATE TABLE IF NOT EXISTS dunning_batch (id int)")
        self.env.cr.execute("ALTER TABLE dunning_notice DROP CONSTRAINT dunning_notice_batch_id_fkey")
        self.env.cr.execute("UPDATE dunning_notice SET batch_id = 7 WHERE id = ANY(%s)", [notices[1:].ids])
        self.migrate()
        self.assertEqual([notice.batch_id for notice in notices], [notices.browse(), notices[1], notices[1]])
        self.migrate()  # a second time nothing is left to do
        self.assertEqual(notices[2].batch_id, notices[1])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPrinter(DunningCommon):
    """A wkhtmltopdf that never ends."""

    real_letters = True

    def setUp(self):
        super().setUp()
        self.folder = Path(tempfile.mkdtemp(prefix='dunning.queue.'))
        self.addCleanup(lambda: [file.unlink() for file in self.folder.iterdir()] and self.folder.rmdir())
        wkhtml = ir_actions_report._wkhtml()
        if wkhtml.state == 'install':
            self.skipTest("wkhtmltopdf is not installed, so no letter can be printed")
        # Hangs, with a child that hangs, as soon as one of the letters names the culprit.
        program = self.folder / 'wkhtmltopdf'
        program.write_text(f'#!/bin/sh\ngrep -qs HANGS $(echo "$@" | tr " " "\\n" | grep html$) && sleep 60\n'
                           f'exec {wkhtml.bin} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
        hanging = wkhtml._replace(bin=str(program))
        self.patch(ir_actions_report, '_wkhtml', lambda: hanging)
        self.patch(dunning_paper, 'SECONDS_PER_PROCESS', 3.0)

    def test_it_is_stopped_and_the_culprit_fails_alone(self):
        debtors = [self.make_debtor(f"{name} BV") for name in ("Een", "HANGS", "Drie", "Vier")]
        for debtor in debtors:
            self.invoice(debtor)
        notices = self.make_notices(DUE)
        started = time.monotonic()
        logger = 'odoo.addons.l10n_nl_dunning.models.kernel.dunning_paper'
        with self.assertLogs(logger, 'WARNING') as log:
            notices._queue()
            with patch.object(self.registry['res.company'], '_dunning_today', lambda company: DUE):
                run = self.env['dunning.run']
                run._dispatch_chunk(notices, lambda count: 1.0)
        self.assertLess(time.monotonic() - started, 40)
        bad = notices.filtered(lambda notice: "HANGS" in notice.partner_id.name)
        self.assertEqual((bad.state, set((notices - bad).mapped('state'))), ('error', {'leaving'}))
        self.assertIn("did not end in 4 seconds", bad.error_message)
        self.assertTrue(any("was stopped" in line for line in log.output))
