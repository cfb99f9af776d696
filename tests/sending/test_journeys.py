"""Planning, dispatching and recording are lists of steps; another package or addon puts a step where it belongs."""

from odoo.tests import tagged

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestJourneys(DunningCommon):

    def assertInOrder(self, names, steps):
        found = [step.__name__ for step in steps]
        self.assertEqual([name for name in found if name in names], names)

    def test_each_step_says_what_it_does(self):
        for steps in (
            self.env['dunning.run']._get_plan_steps(), self.env['dunning.dispatcher']._get_dispatch_steps(),
            self.env['dunning.notice']._get_sent_steps(),
        ):
            for step in steps:
                self.assertRegex(step.__doc__ or '', '^(Step|Gate): ', step.__name__)

    def test_packages_put_their_steps_where_they_belong(self):
        self.assertInOrder(
            ['_follow_agreements', '_end_holds', '_refresh_pending', '_decide', '_make_due_notices'],
            self.env['dunning.run']._get_plan_steps())
        self.assertInOrder(
            ['_write_sent', '_begin_term', '_book_extras', '_record_interruption'],
            self.env['dunning.notice']._get_sent_steps())

    def test_another_addon_inserts_a_step_and_holds_something_back(self):
        moves = [self.invoice(self.make_debtor(f"Debtor{number} BV")) for number in range(2)]
        notices = self.make_notices(DUE)
        kept, seen = self.notices_of(moves[0]), []
        original = self.registry['dunning.dispatcher']._get_dispatch_steps

        def get_steps(dispatcher):
            def keep(dispatch):
                dispatch.notices -= kept

            def look(dispatch):
                seen.extend(dispatch.notices.ids)

            steps = original(dispatcher)
            steps.insert(steps.index(dispatcher._make_letters), keep)
            return [*steps, look]

        self.patch(self.registry['dunning.dispatcher'], '_get_dispatch_steps', get_steps)
        self.send(notices, DUE)
        self.assertRecordValues(kept, [{'state': 'queued', 'letter_sha256': False, 'mail_id': False}])
        self.assertEqual((notices - kept).mapped('state'), ['sent'])
        self.assertEqual(seen, (notices - kept).ids)

    def test_the_journey_ends_where_nothing_is_left(self):
        notice = self.invoice() and self.make_notices(DUE)
        self.pay(notice.line_ids.move_id, on=DUE)
        done = []
        for name in ('_take_off_settled', '_wait_for_planner', '_make_letters', '_deliver'):
            original = getattr(self.registry['dunning.dispatcher'], name)
            self.patch(
                self.registry['dunning.dispatcher'], name,
                lambda dispatcher, dispatch, name=name, original=original: (
                    done.append(name), original(dispatcher, dispatch)))
        self.send(notice, DUE)
        self.assertEqual((notice.state, done), ('cancelled', ['_take_off_settled']))

    def break_recording(self, broken):
        original = self.registry['dunning.notice']._get_sent_steps

        def get_steps(records):
            def fail(at_date):
                if broken in records:
                    raise ValueError("x")

            return [*original(records), fail]

        self.patch(self.registry['dunning.notice'], '_get_sent_steps', get_steps)

    def test_a_step_of_what_was_posted_is_in_the_same_transaction(self):
        """Whatever a package does when letters were posted: when it fails, nothing of it is recorded."""
        self.reminder.channel = 'letter'
        self.invoice()
        letter = self.dun(DUE)
        self.break_recording(letter)
        with self.assertRaisesRegex(ValueError, "x"), self.env.cr.savepoint():
            self.post_letters(letter, DUE)
        self.env.invalidate_all()
        self.assertRecordValues(letter, [{'state': 'to_post', 'sent_on': False, 'posted_on': False}])

    def test_a_mail_that_was_accepted_has_left_whatever_fails_then(self):
        moves = [self.invoice(self.make_debtor(f"Debtor{number} BV")) for number in range(2)]
        notices = self.make_notices(DUE)
        broken = self.notices_of(moves[0])
        self.break_recording(broken)
        with self.assertLogs('odoo.addons.l10n_nl_dunning', 'ERROR'):
            self.send(notices, DUE)
        self.assertEqual(notices.mapped('state'), ['sent'] * 2)
        self.assertEqual(broken.receipt_kind, 'email_accepted')
        self.assertIn("x", broken.activity_ids.filtered('automated').note)
