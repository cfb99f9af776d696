from contextlib import suppress
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.models.sending import dunning_run, dunning_run_check

from ..common import TODAY, DunningCommon, days

LATE = TODAY - days(10)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRunCheck(DunningCommon):
    """Reminders that would leave by themselves are proposals when something is out of the ordinary."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ladder.approval = 'automatic'
        cls.classPatch(dunning_run_check, 'LARGE_DAY', 5)
        cls.number = 0

    @classmethod
    def overdue(cls, count, due=LATE, company=None):
        """Return ``count`` overdue invoices of as many new debtors."""
        moves = cls.env['account.move']
        for _number in range(count):
            cls.number += 1
            moves |= cls.invoice(cls.make_debtor(f"Klant{cls.number} BV"), due=due, company=company)
        return moves

    @classmethod
    def run_queue(cls, at_date=TODAY):
        """Do what the scheduled action does with the queue."""
        run = cls.on(at_date, cls.env['dunning.run'])
        cls.env.flush_all()
        for company, notices in run.env['dunning.notice'].search(
            run._get_queue_domain(), order='company_id, id',
        ).grouped('company_id').items():
            run.env['dunning.dispatcher'].with_company(company)._dispatch(notices)
        cls.env.invalidate_all()

    @classmethod
    def history(cls, *counts):
        """So many reminders left on each of the last days, the latest first."""
        for back, count in reversed(list(enumerate(counts, start=1))):
            day = TODAY - days(back)
            cls.overdue(count, day - days(10))
            cls.dun(day)

    def states(self, notices):
        return sorted(set(notices.mapped('state')))

    def to_dos(self, at_date=TODAY, company=None):
        return (company or self.company).partner_id.activity_ids.filtered(lambda activity: (
            "Reminders wait for approval" in activity.summary and activity.date_deadline == at_date))

    # -------------------------------------------------------------------------
    # FAR MORE THAN USUAL
    # -------------------------------------------------------------------------

    def test_first_run_of_a_fresh_company(self):
        """Without a history the number of a large day counts: five leave, six wait."""
        self.overdue(5)
        notices = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(notices), ['leaving'])
        self.assertFalse(self.to_dos())

    def test_first_run_that_is_large(self):
        """Whoever manages dunning reads once why, however many chunks there are."""
        self.overdue(6)
        with patch.object(dunning_run, 'PLAN_CHUNK', 2):
            notices = self.make_notices()
        self.run_queue()
        self.assertEqual(len(notices), 6)
        self.assertEqual(self.states(notices), ['draft'])
        to_do = self.to_dos()
        self.assertRecordValues(to_do, [{
            'user_id': self.company._get_dunning_manager().id, 'date_deadline': TODAY, 'automated': True}])
        self.assertIn("6 reminders would leave by themselves in one day, and 0 a day are usual", to_do.note)

    def test_more_than_three_times_usual(self):
        """Counted by hand: 2 and 4 left on the last two days, 3 a day; nine leave, the tenth waits."""
        self.history(2, 4)
        self.overdue(9)
        nine = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(nine), ['leaving'])
        self.assertFalse(self.to_dos())
        # A second run on the same day: the tenth is one too many.
        self.overdue(1)
        tenth = self.make_notices()
        self.run_queue()
        self.assertEqual(tenth.state, 'draft')
        self.assertIn("10 reminders", self.to_dos().note)
        self.assertIn("3 a day are usual", self.to_dos().note)
        self.assertIn("1 are proposals", self.to_dos().note)

    def test_usual_counts_only_days_on_which_reminders_left(self):
        """A company that sends once a week has an average of those days, not of all."""
        for week in (1, 2):
            day = TODAY - days(7 * week)
            self.overdue(3, day - days(10))
            self.dun(day)
        self.assertEqual(self.env['dunning.run.check']._get_usual(self.company, TODAY), 3.0)

    def test_usual_counts_the_last_days_only(self):
        self.patch(dunning_run_check, 'USUAL_DAYS', 2)
        self.history(2, 4, 5)
        self.assertEqual(self.env['dunning.run.check']._get_usual(self.company, TODAY), 3.0)

    def test_stopped_halfway(self):
        """The process is killed after the first chunk: the rest of the day waits as well, and nobody reads it twice."""
        self.overdue(6)
        run, chunks = self.on(TODAY, self.env['dunning.run']), []

        def killed(count=0):
            chunks.append(count)
            if len(chunks) == 3:
                raise InterruptedError

        with patch.object(dunning_run, 'PLAN_CHUNK', 2), suppress(InterruptedError):  # what was committed stays
            run._plan_company(self.company, TODAY, checkpoint=killed)
        notices = self.env['dunning.notice'].search([('company_id', '=', self.company.id)])
        self.assertEqual(len(notices), 4)
        notices |= self.make_notices()
        self.assertEqual(len(notices), 6)
        self.assertEqual(self.states(notices), ['draft'])
        self.assertEqual(len(self.to_dos()), 1)

    def test_approved_always_leaves(self):
        """What a person approves, one by one or all at once, leaves and is not counted."""
        self.overdue(8)
        notices = self.make_notices()
        self.on(TODAY, notices[0]).action_send_now()
        self.assertEqual(notices[0].state, 'leaving')
        self.on(TODAY, notices[1:]).action_approve()
        self.run_queue()
        self.assertEqual(self.states(notices), ['leaving'])
        self.ladder.approval = 'approval'
        self.overdue(9)
        proposals = self.make_notices()
        self.on(TODAY, proposals).action_approve()
        self.run_queue()
        self.assertEqual(self.states(proposals), ['leaving'])
        # A second run the same day: what was let go does not count.
        self.ladder.approval = 'automatic'
        self.overdue(5)
        later = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(later), ['leaving'])

    def test_what_a_policy_proposes_is_not_counted(self):
        """Proposals that wait for a person in any case do not make a large day."""
        colleague = self.make_policy("Two people", [{'name': "Reminder", 'delay_days': 5}],
                                     approval='automatic', four_eyes='always', debtor_type='any')
        self.overdue(8).partner_id.dunning_policy_id = colleague
        waiting = self.make_notices()
        self.assertEqual(self.states(waiting), ['draft'])
        self.overdue(5)
        self.assertEqual(self.states(self.make_notices()), ['queued'])
        self.assertFalse(self.to_dos())

    def test_the_day_after(self):
        """Held back: planned no second time; what is paid falls out; the next day is judged anew."""
        moves = self.overdue(7)
        notices = self.make_notices()
        self.pay(moves[0], on=TODAY)
        self.overdue(1)
        later = self.make_notices(TODAY + days(1))
        self.assertEqual(len(later), 1)
        self.run_queue(TODAY + days(1))
        self.assertEqual(sorted(notices.mapped('state')), ['cancelled'] + 6 * ['draft'])
        self.assertEqual(later.state, 'leaving')
        self.assertEqual(len(self.to_dos()), 1)
        self.on(TODAY + days(1), notices[1:3]).action_approve()
        self.run_queue(TODAY + days(1))
        self.assertEqual(sorted(notices.mapped('state')), ['cancelled'] + 4 * ['draft'] + 2 * ['leaving'])

    # -------------------------------------------------------------------------
    # TOO MANY FAILURES
    # -------------------------------------------------------------------------

    def mails_fail(self, notices, status='exception'):
        """The mail server refuses the mails for a reason that may pass."""
        notices.mail_message_id.notification_ids.sudo().write({
            'notification_status': status, 'failure_reason': "Connection refused"})

    def test_mails_that_fail(self):
        """Ten of the 30 mails of yesterday failed: what would leave today waits."""
        self.overdue(30, TODAY - days(11))
        yesterday = self.dun(TODAY - days(1))
        self.overdue(2)
        self.mails_fail(yesterday[:9])
        yesterday[9:].mail_message_id.notification_ids.sudo().notification_status = 'sent'
        self.assertEqual(self.env['dunning.run.check']._count_failures(self.company, TODAY), (9, 30))
        first = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(first), ['leaving'], "Nine are bad luck")
        self.mails_fail(yesterday[9])
        self.overdue(2)
        second = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(second), ['draft'])
        # The two of today still wait in the mail queue: nobody knows yet.
        self.assertIn("10 of the 30 reminders of today and yesterday failed", self.to_dos().note)
        self.on(TODAY, second).action_approve()
        self.run_queue()
        self.assertEqual(self.states(second), ['leaving'], "A person decided")
        # Two days later that was long ago.
        self.overdue(2)
        third = self.make_notices(TODAY + days(2))
        self.assertEqual(self.states(third), ['queued'])

    def test_a_quarter_is_not_more_than_a_quarter(self):
        self.overdue(40, TODAY - days(11))
        yesterday = self.dun(TODAY - days(1))
        yesterday.mail_message_id.notification_ids.sudo().notification_status = 'sent'
        self.mails_fail(yesterday[:10])
        self.overdue(1)
        today = self.make_notices()
        self.run_queue()
        self.assertEqual(today.state, 'leaving')

    def test_letters_that_fail(self):
        """The letters of a morning could not be made: the next run of the day waits."""
        self.patch(dunning_run_check, 'LARGE_DAY', 50)
        self.overdue(10)
        notices = self.make_notices()
        with patch.object(self.registry['dunning.letter'], '_render_pdfs', side_effect=UserError("No wkhtmltopdf")):
            for notice in notices:
                self.on(TODAY, self.env['dunning.dispatcher']).with_company(self.company)._dispatch_one(notice)
        self.assertEqual(self.states(notices), ['error'])
        self.overdue(1)
        self.assertEqual(self.make_notices().state, 'draft')
        self.assertIn("10 of the 10 reminders", self.to_dos().note)

    # -------------------------------------------------------------------------
    # COMPANIES
    # -------------------------------------------------------------------------

    def test_companies_are_apart(self):
        """The day of one company is large; the other goes on."""
        other = self.setup_other_company(name="Zuster BV")['company']
        other.write({
            'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False, 'dunning_quiet': False,
            'dunning_contacts_per_week': 0})
        self.use_policy(self.ladder, other)
        self.overdue(7)
        self.overdue(3, company=other)
        ours, theirs = self.make_notices(), self.make_notices(company=other)
        self.run_queue()
        self.assertEqual(self.states(ours), ['draft'])
        self.assertEqual(self.states(theirs), ['leaving'])
        self.assertFalse(self.to_dos(company=other))
