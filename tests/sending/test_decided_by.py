"""Who decided: “Decided By”, “Approved”, “Approved By” and “Approved On” say the same, whichever way a notice went."""

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import days
from .test_proposal import DUE, ProposalCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDecidedBy(ProposalCommon):

    def assertDecided(self, notices, by, state='queued'):
        """A person who decided approved as well; the program decides without anybody's approval."""
        for notice in notices:
            person = bool(by) and not by._is_superuser()
            self.assertEqual(notice.state, state)
            if by:
                self.assertEqual(notice.author_id, by)
            self.assertEqual(notice.approver_id, by if person else self.env['res.users'])
            self.assertEqual(
                (notice.approved, bool(notice.approved_on), bool(notice.approved_data)), (person, person, person))

    def bot(self, records):
        return self.as_user(self.env['res.users'].browse(SUPERUSER_ID), records)

    def others(self, count=1):
        """Return proposals of debtors of their own, made by the scheduled action."""
        return self.env['dunning.notice'].union(*(
            self.propose(100.0, partner=self.make_debtor(f"Debtor{number} BV")) for number in range(count)))

    def test_the_buttons(self):
        for four_eyes in ('never', 'above', 'always'):
            with self.subTest(four_eyes), self.env.cr.savepoint() as savepoint:
                self.ladder.write({'four_eyes': four_eyes, 'four_eyes_amount': 50.0})
                notices = self.others(3)
                self.assertDecided(notices, None, 'draft')
                one, both = notices[0], notices[1:]
                self.as_user(self.ann, one).action_approve()
                self.as_user(self.bob, both).action_approve()
                self.assertDecided(one, self.ann)
                self.assertDecided(both, self.bob)
                now = self.others()
                self.as_user(self.ann, now).action_send_now()
                self.assertDecided(now, self.ann, 'leaving')
                self.run_queue()
                self.assertDecided(one, self.ann, 'sent')
                self.assertDecided(both, self.bob, 'sent')
                savepoint.rollback()
                self.env.invalidate_all()

    def test_the_window_of_many(self):
        notices = self.others(2)
        action = self.as_user(self.ann, notices).action_review()
        wizard = self.on(DUE, self.env[action['res_model']].with_user(self.ann)).browse(action['res_id'])
        wizard.action_approve()
        self.assertDecided(notices, self.ann)

    def send_by_wizard(self, user, **selection):
        action = self.on(DUE, self.env['dunning.send'].with_user(user))._action_open(**{
            name: self.as_user(user, records) for name, records in selection.items()})
        wizard = self.on(DUE, self.env['dunning.send'].with_user(user)).browse(action['res_id'])
        wizard.action_queue()
        self.env.invalidate_all()

    def test_send_reminder(self):
        proposal = self.others()
        invoice = self.invoice(self.make_debtor("New BV"))  # not planned yet: the window makes its notice
        self.send_by_wizard(self.ann, moves=invoice | proposal.line_ids.move_id)
        self.assertDecided(self.notices_of(invoice) | proposal, self.ann)
        self.run_queue()
        self.assertDecided(self.notices_of(invoice) | proposal, self.ann, 'sent')

    def test_send_reminder_about_what_needs_a_colleague(self):
        self.ladder.write({'four_eyes': 'always'})
        invoice = self.invoice(self.make_debtor("New BV"))
        self.send_by_wizard(self.ann, moves=invoice)
        notice = self.notices_of(invoice)
        self.assertDecided(notice, None, 'draft')
        self.as_user(self.bob, notice).action_approve()
        self.assertDecided(notice, self.bob)

    def test_the_scheduled_action(self):
        self.ladder.approval = 'automatic'
        invoice = self.invoice(self.make_debtor("New BV"))
        run = self.bot(self.env['dunning.run'])
        notice = run._plan_company(self.company.with_env(run.env), DUE)['notices'].filtered(
            lambda notice: notice.line_ids.move_id == invoice)
        bot = self.env['res.users'].browse(SUPERUSER_ID)
        self.assertDecided(notice, bot)
        other = self.invoice(self.make_debtor("Other BV"))
        self.run_queue()
        self.assertDecided(notice, bot, 'sent')
        # Somebody sends by hand what the program put into the queue.
        run._plan_company(self.company.with_env(run.env), DUE)
        notice = self.notices_of(other)
        self.assertDecided(notice, bot)
        self.as_user(self.ann, notice).action_send_now()
        self.assertDecided(notice, self.ann, 'leaving')

    def test_the_program_approves_nothing(self):
        bot, notice = self.env['res.users'].browse(SUPERUSER_ID), self.others()
        self.bot(notice)._queue()
        self.assertDecided(notice, bot)
        self.assertIn("no person approved it", self.log_of(notice))
        self.assertNotIn("Approved to be sent", self.log_of(notice))
        # Whoever decides about it after all is who decided.
        self.as_user(self.ann, notice).action_take_back()
        self.assertDecided(notice, None, 'draft')
        self.as_user(self.bob, notice).action_approve()
        self.assertDecided(notice, self.bob)
        above = self.others()
        self.ladder.write({'four_eyes': 'above', 'four_eyes_amount': 50.0})
        with self.assertRaisesRegex(UserError, "that a person approves"):
            self.bot(above)._queue()
        self.ladder.four_eyes_amount = 5000.0
        self.bot(above)._queue()
        self.assertDecided(above, bot)

    def test_tried_again_it_stays_decided_by_who_approved_it(self):
        self.ladder.four_eyes = 'always'
        notice = self.others()
        self.as_user(self.ann, notice).channel = 'letter'
        self.as_user(self.bob, notice).action_approve()
        for again in (self.ann, self.env['res.users'].browse(SUPERUSER_ID)):
            notice._mark_failed("No paper")
            self.assertDecided(notice, self.bob, 'error')
            self.as_user(again, notice)._queue()
            self.assertDecided(notice, self.bob)
        # Not when something else would leave than what was approved.
        notice._mark_failed("No paper")
        self.as_user(self.ann, notice).lang = 'en_US'
        self.assertDecided(notice, None, 'draft')

    def test_the_program_takes_no_approval_away(self):
        """Also where nobody has to: what a person let go is not the program's decision afterwards."""
        notice = self.others()
        self.as_user(self.ann, notice).lang = 'en_US'  # who changes it may approve it as well
        self.as_user(self.ann, notice).action_approve()
        notice._mark_failed("No paper")
        self.bot(notice)._queue()
        self.assertDecided(notice, self.ann)

    def test_made_a_proposal_again(self):
        """Whoever ends an approval decided last; then nobody let it go."""
        taken, slipped, changed = self.others(3)
        for notice in (taken, slipped, changed):
            self.as_user(self.ann, notice).action_approve()
        self.as_user(self.bob, taken).action_take_back()
        self.assertDecided(taken, None, 'draft')
        self.assertEqual(taken.author_id, self.bob)
        self.as_user(self.bob, slipped).lang = 'en_US'
        slipped._recording().maker_ids = self.ann
        self.ladder.four_eyes = 'always'
        self.run_queue()
        self.assertDecided(slipped, None, 'draft')
        self.as_user(self.bob, taken).action_approve()
        self.as_user(self.ann, taken).lang = 'en_US'
        self.assertDecided(taken, None, 'draft')

    def test_what_nobody_decided_about_ends_as_nobodys(self):
        notice = self.others()
        self.as_user(self.ann, notice).action_cancel()
        self.assertDecided(notice, None, 'cancelled')
        self.assertEqual(self.reason(notice.line_ids.move_line_id, DUE + days(1)), 'due')
