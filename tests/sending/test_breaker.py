from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days

LATE = TODAY - days(10)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBreaker(DunningCommon):
    """Reminders that leave by themselves stop and ask when something is out of the ordinary."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ladder.approval = 'automatic'
        cls.company.write({
            'dunning_breaker_factor': 3.0, 'dunning_breaker_minimum': 5, 'dunning_breaker_failures': 25.0})
        cls.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').active = True
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
    def stopped(cls):
        return cls.env['dunning.breaker'].search([('company_id', '=', cls.company.id), ('state', '=', 'stopped')])

    @classmethod
    def history(cls, *counts):
        """So many reminders left on each of the last days, the latest first."""
        for back, count in enumerate(counts, start=1):
            day = TODAY - days(back)
            cls.overdue(count, day - days(10))
            cls.dun(day)

    def states(self, notices):
        return sorted(set(notices.mapped('state')))

    # -------------------------------------------------------------------------
    # FAR MORE THAN USUAL
    # -------------------------------------------------------------------------

    def test_first_run_of_a_fresh_company(self):
        """Without a history the minimum counts: five leave, six ask."""
        self.overdue(5)
        notices = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(notices), ['sent'])
        self.assertFalse(self.stopped())

    def test_first_run_that_is_large(self):
        self.overdue(6)
        notices = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(notices), ['queued'])
        breaker = self.stopped()
        self.assertRecordValues(breaker, [{'cause': 'size', 'number': 6, 'usual': 0.0, 'waiting_count': 6}])
        self.assertTrue(all(notices.mapped('waiting_reason')))
        self.assertEqual(len(breaker.activity_ids), 1)
        self.assertIn("6 reminders would leave by themselves in one day", breaker.text)

    def test_more_than_three_times_usual(self):
        """Counted by hand: 2 and 4 left on the last two days, 3 a day; nine leave, ten ask."""
        self.history(2, 4)
        self.assertFalse(self.stopped())
        self.overdue(9)
        nine = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(nine), ['sent'])
        # A second run on the same day: the tenth is one too many.
        self.overdue(1)
        tenth = self.make_notices()
        self.run_queue()
        self.assertEqual(tenth.state, 'queued')
        self.assertRecordValues(self.stopped(), [{'number': 10, 'usual': 3.0, 'waiting_count': 1}])
        self.assertIn("10 reminders", self.stopped().text)

    def test_usual_counts_only_days_on_which_reminders_left(self):
        """A company that sends once a week has an average of those days, not of all."""
        for week in (1, 2):
            day = TODAY - days(7 * week)
            self.overdue(3, day - days(10))
            self.dun(day)
        self.assertEqual(self.env['dunning.breaker']._get_usual(self.company, TODAY), 3.0)

    def test_approved_always_leaves(self):
        """What a person approved, one by one or all at once, leaves; also beside a stopped queue."""
        self.overdue(8)
        notices = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(notices), ['queued'])
        by_hand = notices[0]
        self.on(TODAY, by_hand).action_send_now()
        self.assertEqual(by_hand.state, 'sent')
        self.ladder.approval = 'approval'
        self.overdue(9)
        proposals = self.make_notices()
        self.on(TODAY, proposals).action_approve()
        self.run_queue()
        self.assertEqual(self.states(proposals), ['sent'])
        self.assertEqual(self.stopped().waiting_count, 7)

    def test_stopped_does_not_hold_up_the_queue(self):
        """However many are stopped, the scheduled action only sees the others."""
        self.overdue(8)
        self.make_notices()
        self.run_queue()
        run = self.env['dunning.run']
        self.assertFalse(self.env['dunning.notice'].search([
            *run._get_queue_domain(), ('company_id', '=', self.company.id)]))

    def test_it_can_be_switched_off(self):
        self.company.dunning_breaker_factor = 0
        self.overdue(8)
        notices = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(notices), ['sent'])

    # -------------------------------------------------------------------------
    # DECIDING
    # -------------------------------------------------------------------------

    def test_let_them_go(self):
        """Let go: they leave once, as approved by whoever did it; what is paid meanwhile does not."""
        moves = self.overdue(7)
        notices = self.make_notices()
        self.run_queue()
        breaker = self.stopped()
        self.pay(moves[0], on=TODAY)
        self.on(TODAY, breaker).action_release()
        self.assertRecordValues(breaker, [{
            'state': 'released', 'decided_by_id': self.env.uid, 'decided_count': 7}])
        self.assertTrue(breaker.decided_on)
        self.assertFalse(breaker.activity_ids)
        self.assertIn("let go by", "".join(breaker.message_ids.mapped('body')))
        self.run_queue()
        self.assertEqual(sorted(notices.mapped('state')), ['cancelled'] + 6 * ['sent'])
        self.assertEqual(notices.author_id, self.env.user)
        mails = self.env['mail.mail'].search([('model', '=', 'dunning.notice'), ('res_id', 'in', notices.ids)])
        self.assertEqual(len(mails), 6, "Each of them once")
        with self.assertRaises(UserError):
            breaker.action_release()
        with self.assertRaises(UserError):
            breaker.action_turn_back()
        # A second run the same day: what was let go does not count again.
        self.overdue(5)
        later = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(later), ['sent'])

    def test_turn_them_into_proposals(self):
        """Turned back: each waits for approval, is planned no second time, and leaves when it is approved."""
        self.overdue(7)
        notices = self.make_notices()
        self.run_queue()
        breaker = self.stopped()
        self.on(TODAY, breaker).action_turn_back()
        self.assertEqual(self.states(notices), ['draft'])
        self.assertFalse(any(notices.mapped('waiting_reason')))
        self.assertFalse(self.make_notices(TODAY + days(1)))
        self.on(TODAY + days(1), notices[:2]).action_approve()
        self.run_queue(TODAY + days(1))
        self.assertEqual(sorted(notices.mapped('state')), 5 * ['draft'] + 2 * ['sent'])
        self.assertFalse(self.stopped())

    def test_the_day_after(self):
        """Nobody decided: what comes the next day waits as well, and what was paid falls out."""
        moves = self.overdue(7)
        self.make_notices()
        self.run_queue()
        breaker = self.stopped()
        self.pay(moves[0], on=TODAY)
        self.overdue(1)
        self.make_notices(TODAY + days(1))
        self.run_queue(TODAY + days(1))
        self.assertEqual(self.stopped(), breaker)
        self.assertEqual(breaker.waiting_count, 7)
        self.assertEqual(len(breaker.activity_ids), 1)

    def test_all_paid_meanwhile(self):
        """Nothing is left to decide about: the question goes away."""
        moves = self.overdue(7)
        self.make_notices()
        self.run_queue()
        breaker = self.stopped()
        for move in moves:
            self.pay(move, on=TODAY)
        self.make_notices(TODAY + days(1))
        self.assertFalse(self.stopped())
        self.assertFalse(breaker.activity_ids)

    # -------------------------------------------------------------------------
    # TOO MANY FAILURES
    # -------------------------------------------------------------------------

    def mails_fail(self, notices, status='exception'):
        """The mail server refuses the mails for a reason that may pass."""
        notices.mail_message_id.notification_ids.sudo().write({
            'notification_status': status, 'failure_reason': "Connection refused"})

    def test_mails_that_fail(self):
        """Ten of the 30 mails of yesterday failed: what leaves today asks first."""
        self.company.dunning_breaker_factor = 0
        self.overdue(30, TODAY - days(11))
        yesterday = self.dun(TODAY - days(1))
        self.overdue(2)
        self.mails_fail(yesterday[:9])
        yesterday[9:].mail_message_id.notification_ids.sudo().notification_status = 'sent'
        self.assertEqual(tuple(self.env['dunning.breaker']._count_failures(self.company, TODAY)), (9, 30))
        first = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(first), ['sent'], "Nine are bad luck")
        self.mails_fail(yesterday[9])
        self.overdue(2)
        second = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(second), ['queued'])
        # The two of today still wait in the mail queue: nobody knows yet.
        self.assertRecordValues(self.stopped(), [{'cause': 'failures', 'failed': 10, 'tried': 30}])
        self.assertIn("10 of the last 30 reminders failed", self.stopped().text)
        # Let go: the old failures were looked at and do not stop the next ones.
        self.env['dunning.notice'].search([('company_id', '=', self.company.id)])._recording().filtered(
            'sent_on').write({'sent_on': fields.Datetime.subtract(fields.Datetime.now(), hours=1)})
        self.on(TODAY, self.stopped()).action_release()
        self.run_queue()
        self.assertEqual(self.states(second), ['sent'])
        self.overdue(2)
        third = self.make_notices()
        self.run_queue()
        self.assertEqual(self.states(third), ['sent'])

    def test_a_quarter_is_not_more_than_a_quarter(self):
        self.company.dunning_breaker_factor = 0
        self.overdue(40, TODAY - days(11))
        yesterday = self.dun(TODAY - days(1))
        yesterday.mail_message_id.notification_ids.sudo().notification_status = 'sent'
        self.mails_fail(yesterday[:10])
        self.overdue(1)
        today = self.make_notices()
        self.run_queue()
        self.assertEqual(today.state, 'sent')

    def test_failures_of_the_run_itself(self):
        """The letters cannot be made: after the first chunk nothing else is tried."""
        self.company.dunning_breaker_factor = 0
        self.overdue(14)
        notices = self.make_notices()
        dispatcher = self.env['dunning.dispatcher'].with_context(dunning_at_date=TODAY).with_company(self.company)

        def broken(*args, **kwargs):
            raise UserError(self.env._("wkhtmltopdf is not installed"))

        self.patch(self.registry['dunning.letter'], '_render_pdfs', broken)
        for notice in notices:
            dispatcher._dispatch_one(notice)
        self.assertEqual(sorted(notices.mapped('state')), 10 * ['error'] + 4 * ['queued'])
        self.assertRecordValues(self.stopped(), [{
            'cause': 'failures', 'failed': 10, 'tried': 10, 'waiting_count': 4}])

    # -------------------------------------------------------------------------
    # RIGHTS AND COMPANIES
    # -------------------------------------------------------------------------

    def test_rights(self):
        """Readers see it; accountants decide; nobody writes it."""
        self.overdue(7)
        self.make_notices()
        self.run_queue()
        breaker = self.stopped()
        reader, accountant, sales = (
            new_test_user(self.env, login, groups=f'base.group_user,{group}', company_id=self.company.id,
                          company_ids=[(6, 0, self.company.ids)])
            for login, group in (
                ('breaker_reader', 'account.group_account_readonly'),
                ('breaker_accountant', 'account.group_account_invoice'),
                ('breaker_sales', 'base.group_partner_manager')))
        banner = self.env['dunning.notice'].with_user(reader).get_dunning_stopped()
        self.assertEqual([(row['id'], row['may_decide']) for row in banner], [(breaker.id, False)])
        for method in ('action_release', 'action_turn_back'):
            for user in (reader, sales):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    getattr(breaker.with_user(user), method)()
        with self.assertRaises(AccessError):
            self.env['dunning.notice'].with_user(sales).get_dunning_stopped()
        for forged in ({'state': 'released'}, {'decided_by_id': accountant.id}):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                breaker.with_user(accountant).write(forged)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            breaker.unlink()
        self.on(TODAY, breaker.with_user(accountant)).action_release()
        self.assertRecordValues(breaker, [{'state': 'released', 'decided_by_id': accountant.id}])

    def test_send_wizard_says_so(self):
        self.overdue(7)
        self.make_notices()
        self.run_queue()
        self.ladder.approval = 'approval'
        self.overdue(1)
        proposal = self.make_notices()
        wizard = self.env['dunning.send'].browse(self.on(TODAY, proposal).action_dunning_send()['res_id'])
        self.assertEqual(wizard.breaker_id, self.stopped())
        self.assertIn("7 are waiting", wizard.stopped_text)
        wizard.action_breaker_turn_back()
        wizard.invalidate_recordset()
        self.assertFalse(wizard.stopped_text)

    def test_companies_are_apart(self):
        """One company stops; the other goes on."""
        other = self.setup_other_company(name="Zuster BV")['company']
        other.write({
            'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False, 'dunning_quiet': False,
            'dunning_contacts_per_week': 0, 'dunning_breaker_minimum': 5})
        self.use_policy(self.ladder, other)
        self.overdue(7)
        self.overdue(3, company=other)
        ours, theirs = self.make_notices(), self.make_notices(company=other)
        self.run_queue()
        self.assertEqual(self.states(ours), ['queued'])
        self.assertEqual(self.states(theirs), ['sent'])
