"""The scheduled actions: every day, in pieces, by several workers, interrupted."""

from unittest.mock import patch

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, freeze_time, get_db_name, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.l10n_nl_dunning.models.kernel.dunning_recorded import RECORDING
from odoo.addons.l10n_nl_dunning.models.planner import dunning_planner
from odoo.addons.l10n_nl_dunning.models.sending import dunning_run

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)
CRON = 'odoo.addons.base.models.ir_cron'
RUN = 'odoo.addons.l10n_nl_dunning.models.sending.dunning_run'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestScheduled(DunningCommon):

    def setUp(self):
        super().setUp()
        self.now = DUE
        self.patch(self.registry['res.company'], '_dunning_today', lambda company: self.now)

    def run_cron(self, name):
        """Run a scheduled action as the scheduler does, in transactions of its own."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            result = self.env.ref(f'l10n_nl_dunning.{name}').sudo().method_direct_trigger()
        self.env.invalidate_all()
        return result

    def run_plan(self):
        return self.run_cron('ir_cron_dunning_plan')

    def run_dispatch(self):
        return self.run_cron('ir_cron_dunning_dispatch')

    def progress(self, name):
        cron = self.env.ref(f'l10n_nl_dunning.{name}').sudo()
        return self.env['ir.cron.progress'].sudo().search([('cron_id', '=', cron.id)], order='id desc', limit=1)

    def many(self, count):
        return self.env['account.move'].browse([
            self.invoice(self.make_debtor(f"Debtor{number} BV"), amount=100 + number).id for number in range(count)])

    def test_with_approval_it_leaves_proposals_and_nothing_leaves(self):
        invoice = self.invoice()
        self.assertIs(self.run_plan(), True)
        self.assertIs(self.run_dispatch(), True)
        notice = self.notices_of(invoice)
        self.assertRecordValues(notice, [{'state': 'draft', 'origin': 'scheduled', 'date_planned': DUE}])
        self.assertFalse(invoice.dunning_level_id)

    def test_automatic_it_queues_wakes_the_second_action_and_that_sends(self):
        self.ladder.approval = 'automatic'
        invoice = self.invoice()
        dispatch = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').sudo()
        before = self.env['ir.cron.trigger'].sudo().search_count([('cron_id', '=', dispatch.id)])
        self.run_plan()
        notice = self.notices_of(invoice)
        self.assertEqual(notice.state, 'queued')
        self.assertGreater(self.env['ir.cron.trigger'].sudo().search_count([('cron_id', '=', dispatch.id)]), before)
        self.assertIs(self.run_dispatch(), True)
        self.assertRecordValues(notice, [{'state': 'leaving', 'date': DUE}])
        self.mails_leave(notice, DUE)
        self.assertEqual(invoice.dunning_level_id, self.reminder)
        # Again, on the same day: nothing happens.
        self.run_plan()
        self.run_dispatch()
        self.assertEqual(self.notices_of(invoice), notice)
        self.assertEqual(len(notice.mail_message_id), 1)

    def test_an_automatic_backlog_is_looked_at_by_a_person_first(self):
        self.ladder.approval = 'automatic'
        self.company.dunning_start_date = DUE
        old = self.invoice()
        self.run_plan()
        self.assertRecordValues(self.notices_of(old), [{'state': 'draft', 'backlog': True}])

    def test_the_backlog_comes_a_few_a_day_the_largest_first(self):
        self.company.dunning_start_date = DUE + days(1)
        self.patch(dunning_planner, 'BACKLOG_DAILY', 2)
        moves = self.many(5)
        self.run_plan()
        self.assertEqual(self.notices_of(moves).line_ids.move_id, moves[3:])
        # A second run that day adds nothing, the next day goes on.
        self.run_plan()
        self.assertEqual(len(self.notices_of(moves)), 2)
        self.now = DUE + days(1)
        self.run_plan()
        self.assertEqual(len(self.notices_of(moves)), 4)
        self.now = DUE + days(2)
        self.run_plan()
        self.assertEqual(len(self.notices_of(moves)), 5)

    def test_the_cap_holds_the_backlog_only(self):
        self.company.dunning_start_date = TODAY
        self.patch(dunning_planner, 'BACKLOG_DAILY', 0)
        old, new = self.invoice(due=TODAY - days(1)), self.invoice(self.make_debtor("New BV"))
        self.run_plan()
        self.assertFalse(self.notices_of(old))
        self.assertTrue(self.notices_of(new))
        result = self.on(DUE, self.env['dunning.run'])._plan_company(self.company, DUE)
        self.assertEqual(result['postponed'], 1)

    def test_a_run_that_is_killed_halfway_goes_on_where_it_was(self):
        """The connection breaks after the second commit; nothing is lost and nothing is twice."""
        moves = self.many(5)
        original = self.registry['ir.cron']._commit_progress
        calls = []

        def break_once(cron, processed=0, **kwargs):
            result = original(cron, processed, **kwargs)
            calls.append(processed)
            if len(calls) == 4:
                raise OperationalError("terminating connection")
            return result

        with patch.object(dunning_run, 'PLAN_CHUNK', 1), mute_logger(CRON), \
                patch.object(self.registry['ir.cron'], '_commit_progress', break_once):
            self.run_plan()
            self.assertLess(len(self.notices_of(moves)), 5)
            self.assertTrue(self.notices_of(moves), "What was committed stays")
            self.run_plan()
        notices = self.notices_of(moves)
        self.assertEqual(len(notices), 5)
        self.assertEqual(notices.line_ids.move_id, moves)

    def test_a_dispatch_that_is_killed_halfway_sends_the_rest_once(self):
        self.ladder.approval = 'automatic'
        moves = self.many(5)
        self.run_plan()
        original = self.registry['ir.cron']._commit_progress
        calls = []

        def break_once(cron, processed=0, **kwargs):
            calls.append(processed)
            if len(calls) == 3:
                raise OperationalError("terminating connection")  # before the commit: this chunk is rolled back
            return original(cron, processed, **kwargs)

        with patch.object(dunning_run, 'DISPATCH_CHUNK', 1), mute_logger(CRON), \
                patch.object(self.registry['ir.cron'], '_commit_progress', break_once):
            self.run_dispatch()
            self.run_dispatch()
        notices = self.notices_of(moves)
        self.assertEqual(set(notices.mapped('state')), {'leaving'})
        self.assertEqual(self.env['mail.message'].search_count([
            ('model', '=', 'dunning.notice'), ('res_id', 'in', notices.ids), ('message_type', '=', 'comment')]), 5)
        self.assertEqual(len(set(notices.mail_message_id.ids)), 5)

    def test_a_bad_notice_leaves_the_queue_and_the_others_are_sent(self):
        self.ladder.approval = 'automatic'
        moves = self.many(4)
        self.run_plan()
        broken = self.notices_of(moves[1])
        original = self.registry['dunning.letter']._render_texts

        def fail(letter, notices, *args, **kwargs):
            if broken.id in notices.ids:
                raise ZeroDivisionError
            return original(letter, notices, *args, **kwargs)

        self.patch(self.registry['dunning.letter'], '_render_texts', fail)
        with mute_logger('odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher'):
            self.assertIs(self.run_dispatch(), True)
        self.assertEqual(broken.state, 'error')
        self.assertEqual(set((self.notices_of(moves) - broken).mapped('state')), {'leaving'})
        self.assertEqual(self.progress('ir_cron_dunning_dispatch').remaining, 0)

    def test_what_goes_wrong_in_one_company_does_not_stop_the_others(self):
        moves = self.many(1)
        bad = self.env['res.company'].create({'name': "Bad", 'sequence': -1})
        original = self.registry['dunning.planner']._plan

        def fail(planner, company, *args, **kwargs):
            if company == bad:
                raise ZeroDivisionError
            return original(planner, company, *args, **kwargs)

        self.patch(self.registry['dunning.planner'], '_plan', fail)
        with mute_logger(RUN):
            self.run_plan()
        self.assertEqual(len(self.notices_of(moves)), 1)
        self.assertEqual((bad + self.company).mapped('dunning_planned_on'), [DUE, DUE])
        self.assertEqual(self.progress('ir_cron_dunning_plan').remaining, 0)

    def test_out_of_time_the_next_slice_starts_with_the_companies_that_waited(self):
        others = self.env['res.company'].create([{'name': f"Company {number}"} for number in range(3)])
        moves = self.many(1)
        planned = []
        original = self.registry['dunning.run']._plan_company

        def plan(run, company, *args, **kwargs):
            planned.append(company.id)
            return original(run, company, *args, **kwargs)

        out_of_time = self.registry['ir.cron']._commit_progress
        with patch.object(self.registry['dunning.run'], '_plan_company', plan), \
                patch.object(self.registry['ir.cron'], '_commit_progress',
                             lambda cron, processed=0, **kwargs: out_of_time(cron, processed, **kwargs) * 0):
            self.run_plan()
        self.assertEqual(len(planned), len(set(planned)), "A company was planned again while others waited")
        self.assertLessEqual(set(others.ids) | {self.company.id}, set(planned))
        self.assertTrue(self.notices_of(moves))

    def test_run_again_by_hand_the_same_day_plans_again(self):
        self.run_plan()
        late = self.invoice()
        self.run_plan()
        self.assertEqual(len(self.notices_of(late)), 1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestToday(DunningCommon):
    """The one clock, where the company is."""

    def test_half_past_eleven_in_the_evening_utc_is_tomorrow_in_amsterdam(self):
        root = self.company.with_user(SUPERUSER_ID)
        with freeze_time('2025-03-07 23:30:00'):
            self.assertEqual(root._dunning_today(), DUE)
        with freeze_time('2025-03-07 22:30:00'):
            self.assertEqual(root._dunning_today(), DUE - days(1))
        # In summer already at ten.
        with freeze_time('2025-07-07 22:30:00'):
            self.assertEqual(root._dunning_today(), fields.Date.to_date('2025-07-08'))

    def test_without_a_time_zone_it_is_dutch(self):
        self.company.partner_id.tz = False
        with freeze_time('2025-03-07 23:30:00'):
            self.assertEqual(self.company.with_user(SUPERUSER_ID)._dunning_today(), DUE)
            for user in self.env.ref('base.user_admin') | self.env.ref('base.public_user'):
                user.sudo().tz = 'America/New_York'
                self.assertEqual(self.company.with_user(user)._dunning_today(), DUE, user.name)

    def test_the_companys_time_zone_outranks_the_users(self):
        user = new_test_user(
            self.env, 'traveller', groups='account.group_account_invoice', tz='America/New_York',
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        with freeze_time('2025-03-07 23:30:00'):
            self.assertEqual(self.company.with_user(user)._dunning_today(), DUE)

    def test_what_is_due_tomorrow_in_utc_is_planned_today_in_amsterdam(self):
        invoice = self.invoice()
        self.env.flush_all()
        with freeze_time('2025-03-07 23:30:00'), self.enter_registry_test_mode():
            self.env.ref('l10n_nl_dunning.ir_cron_dunning_plan').sudo().method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.notices_of(invoice).date_planned, DUE)

    def test_a_context_from_outside_cannot_set_the_date(self):
        """A browser or integration could otherwise date a letter as it likes."""
        with freeze_time('2025-03-07 12:00:00'):
            for value in ('2031-01-01', 1, True, ['2031-01-01']):
                company = self.company.with_context(dunning_at_date=value)
                self.assertEqual(company._dunning_today(), DUE - days(1))
        self.assertEqual(self.company.with_context(dunning_at_date=TODAY)._dunning_today(), TODAY)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWorkers(BaseCase):
    """Two workers on one queue, in transactions of their own, with committed data.

    What leaves is replaced by a note of who sent what: this is about who may.
    """

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.sent = []
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.others = env['dunning.notice'].search([('state', '=', 'queued')]).ids
            policy = env['dunning.policy'].create({
                'name': "Workers", 'level_ids': [(0, 0, {'name': "One", 'subject': "One"})]})
            # As many debtors: what is for one of them is never shared.
            partners = env['res.partner'].create([
                {'name': f"Workers {number} BV", 'email': f'workers{number}@debtor.example.com'}
                for number in range(6)])
            notices = env['dunning.notice'].with_context(dunning_recording=RECORDING).create([{
                'company_id': env.company.id, 'partner_id': partner.id, 'recipient_id': partner.id,
                'currency_id': env.company.currency_id.id, 'level_id': policy.level_ids.id, 'channel': 'email',
                'date_planned': TODAY, 'state': 'queued',
            } for partner in partners])
            self.ids = notices.ids
            self.made = [(notices._name, notices.ids), (policy._name, policy.ids), (partners._name, partners.ids)]
        self.addCleanup(self.clean)
        self.assertFalse(self.others, "The test database has a queue of its own")

    def clean(self):
        with self.registry.cursor() as cr:
            for model, ids in self.made:
                cr.execute(SQL("DELETE FROM %s WHERE id = ANY(%s)", SQL.identifier(model.replace('.', '_')), ids))
            cr.execute("DELETE FROM ir_cron_trigger")  # a worker asked to be woken
            cr.execute("DELETE FROM mail_message WHERE model = 'dunning.notice' AND res_id = ANY(%s)", [self.ids])

    def worker(self, name, before=lambda notices: None):
        """Run the scheduled action on a connection of its own."""
        sent = self.sent

        def dispatch(dispatcher, notices):
            before(notices)
            sent.extend((name, notice.id) for notice in notices)
            notices.with_context(dunning_recording=RECORDING).write({'state': 'cancelled'})
            return notices

        with self.registry.cursor() as cr, patch.object(self.registry['dunning.dispatcher'], '_dispatch', dispatch):
            api.Environment(cr, SUPERUSER_ID, {})['dunning.run']._cron_dispatch()

    def test_a_second_worker_leaves_alone_what_the_first_holds_and_takes_the_rest(self):
        meanwhile = []

        def other_worker(notices):
            if not meanwhile:
                meanwhile.append(notices.ids)
                self.worker('second')

        with patch.object(dunning_run, 'DISPATCH_CHUNK', 2):
            self.worker('first', other_worker)
        self.assertEqual(sorted(notice_id for _name, notice_id in self.sent), self.ids, "Each left, and left once")
        self.assertEqual(meanwhile, [self.ids[:2]])
        self.assertEqual({name for name, notice_id in self.sent if notice_id in self.ids[2:]}, {'second'})

    def test_after_a_failure_the_first_worker_does_not_send_what_the_second_sent(self):
        """Sending one by one, each commit lets go of the locks of the rest of the chunk."""
        meanwhile = []

        def fail_as_a_chunk(notices):
            if len(notices) > 1:
                raise ValueError("one of these")
            if not meanwhile:
                meanwhile.append(notices.id)

        original = self.registry['ir.cron']._commit_progress

        def commit_and_let_the_other_in(cron, processed=0, **kwargs):
            result = original(cron, processed, **kwargs)
            if meanwhile == [self.ids[0]]:
                meanwhile.append('second')
                self.worker('second')
            return result

        with patch.object(self.registry['ir.cron'], '_commit_progress', commit_and_let_the_other_in):
            self.worker('first', fail_as_a_chunk)
        self.assertEqual(sorted(notice_id for _name, notice_id in self.sent), self.ids, "Each left, and left once")
        self.assertEqual([name for name, _id in self.sent].count('first'), 1)

    def test_all_that_waits_for_a_debtor_is_sent_by_one_worker_or_left(self):
        """While somebody holds one notice, the other one to the same debtor does not leave either."""
        held, other = self.ids[:2]
        with self.registry.cursor() as cr:
            cr.execute(
                "UPDATE dunning_notice SET partner_id = first.partner_id FROM dunning_notice first"
                " WHERE first.id = %s AND dunning_notice.id = %s", [held, other])
        with self.registry.cursor() as cr:
            cr.execute("SELECT id FROM dunning_notice WHERE id = %s FOR UPDATE", [held])
            self.worker('first')
            self.assertEqual([notice_id for _name, notice_id in self.sent], self.ids[2:])
            cr.rollback()
        self.worker('second')
        self.assertEqual(self.sent[4:], [('second', held), ('second', other)])

    def test_what_left_to_a_debtor_since_the_claim_began_is_seen(self):
        """A user sends something just before the debtors are locked: the chunk is looked at with what that told."""
        original, users = self.registry['dunning.run']._try_lock_debtors, []

        def lock_after_the_user(run, company, partner_ids, limit=None):
            if not users:
                users.append("a user")
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    sent = env['dunning.notice'].new({'partner_id': partner_ids[0], 'state': 'sent'})
                    env['dunning.run']._renew_debtors(sent)
            return original(run, company, partner_ids, limit)

        with patch.object(self.registry['dunning.run'], '_try_lock_debtors', lock_after_the_user), \
                patch.object(dunning_run, 'DISPATCH_CHUNK', 2):
            self.worker('first')
        self.assertEqual(
            [notice_id for _name, notice_id in self.sent], self.ids[:2] + self.ids,
            "Nothing of the first chunk was recorded, so that it was sent once")
