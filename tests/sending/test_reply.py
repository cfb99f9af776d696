"""Who answers is read first; who is dear is looked at first; what is parked is not forgotten."""

from email.message import EmailMessage
from itertools import count

from odoo.tests import tagged

from ..common import TODAY, DunningCommon, days, post_message

DUE = TODAY + days(5)
NUMBERS = count(1)
LATER = DUE + days(15)  # the term of the reminder and the days after it are over


def answer_mail(case, record, at_date, text="We do not agree.", sender=None, **headers):
    """A mail of the debtor comes in through the mail gateway, as an answer to the last mail of ``record``."""
    message = record.message_ids.filtered(lambda message: message.message_type != 'notification')[:1]
    mail = EmailMessage()
    mail['From'] = sender or case.business.email
    mail['To'] = 'catchall@test.example.com'
    mail['Subject'] = "Re: reminder"
    mail['Message-Id'] = f'<answer-{next(NUMBERS)}@debtor.example.com>'
    mail['In-Reply-To'] = mail['References'] = message.message_id
    for name, value in headers.items():
        mail[name.replace('_', '-')] = value
    mail.set_content(text)
    # sudo: the mail gateway
    case.on(at_date, case.env['mail.thread'].sudo()).message_process(None, mail.as_bytes())


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReply(DunningCommon):

    def answer(self, record, text="We do not agree.", sender=None, at_date=DUE, **headers):
        answer_mail(self, record, at_date, text, sender, **headers)
        return self.holds()

    def holds(self):
        return self.env['dunning.hold'].search([('partner_id', '=', self.business.id)])

    def test_an_answer_pauses_everything_until_somebody_read_it(self):
        first, second = self.invoice(), self.invoice(due=TODAY + days(3))
        notice = self.dun(DUE)
        hold = self.answer(notice)
        self.assertEqual(len(hold), 1)
        self.assertEqual((hold.scope, hold.reason_id), (
            'debtor', self.env.ref('l10n_nl_dunning.hold_reason_reply')))
        self.assertEqual(self.reason(first, DUE + days(1)), 'hold')
        self.assertEqual(self.reason(second, DUE + days(4)), 'hold')
        todo = notice.activity_ids
        self.assertEqual(todo.user_id, hold.user_id, "The owner of the hold is asked to read it")
        self.assertTrue(hold.user_id.has_group('account.group_account_invoice'))
        # He read it, found nothing in it, and closes the hold: the ladder goes on softly.
        self.on(DUE + days(1), hold)._close("Only said thanks.")
        self.assertEqual(self.reason(second, DUE + days(1)), 'hold_ended')
        self.assertEqual(self.reason(first, LATER), 'due')

    def test_what_waits_to_be_sent_waits_too(self):
        self.invoice()
        notice = self.dun(DUE)
        later = self.invoice(due=DUE)
        proposal = self.make_notices(DUE + days(5))
        self.assertEqual(proposal.line_ids.move_id, later)
        self.answer(notice, at_date=DUE + days(5))
        self.assertEqual(proposal.state, 'cancelled')

    def test_two_answers_are_one_hold(self):
        self.invoice()
        notice = self.dun(DUE)
        self.assertEqual(len(self.answer(notice)), 1)
        self.assertEqual(len(self.answer(notice, "And another thing.")), 1)

    def test_a_machine_that_answers_pauses_nothing(self):
        self.invoice()
        notice = self.dun(DUE)
        self.assertFalse(self.answer(notice, "I am on holiday.", Auto_Submitted='auto-replied'))
        self.assertFalse(self.answer(notice, "We got your mail.", Precedence='bulk'))
        self.assertTrue(self.answer(notice, "I read it.", Auto_Submitted='no'))

    def test_a_colleague_who_answers_pauses_nothing(self):
        self.invoice()
        notice = self.dun(DUE)
        self.env.user.email = 'colleague@test.example.com'
        self.assertFalse(self.answer(notice, "I called them.", sender='colleague@test.example.com'))

    def test_an_unknown_sender_counts_as_the_debtor(self):
        self.invoice()
        notice = self.dun(DUE)
        self.assertTrue(self.answer(notice, sender='accounts@other.example.com'))

    def test_an_answer_to_the_invoice_counts_once_it_is_reminded_of(self):
        move = self.invoice()
        post_message(move, "Your invoice", message_type='comment')
        self.assertFalse(self.answer(move), "Nothing is being reminded of yet")
        self.dun(DUE)
        self.assertTrue(self.answer(move))

    def test_nothing_waits_when_nothing_is_owed(self):
        move = self.invoice()
        notice = self.dun(DUE)
        self.pay(move)
        self.assertFalse(self.answer(notice, "Paid yesterday."))

    def test_the_company_may_leave_it(self):
        self.invoice()
        notice = self.dun(DUE)
        self.env.ref('l10n_nl_dunning.hold_reason_reply').active = False
        self.assertFalse(self.answer(notice))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCaution(DunningCommon):

    def setUp(self):
        super().setUp()
        self.ladder.approval = 'automatic'

    def test_a_dear_debtor_is_looked_at_first(self):
        other = self.make_debtor("Gewoon BV")
        self.business.dunning_review = True
        self.invoice()
        self.invoice(other)
        notices = self.make_notices(DUE)
        self.assertEqual(
            {notice.partner_id: notice.state for notice in notices}, {self.business: 'draft', other: 'queued'})

    def test_another_program_that_reminds_is_named_and_nothing_goes_by_itself(self):
        self.invoice()
        self.env['ir.module.module'].create({
            'name': 'account_followup', 'shortdesc': "Payment Follow-up Management", 'state': 'installed'})
        self.assertEqual(self.make_notices(DUE).mapped('state'), ['draft'])
        wizard = self.env['dunning.send'].create({'at_date': DUE})
        self.assertEqual(wizard.rival_names, "Payment Follow-up Management")
        settings = self.env['res.config.settings'].create({})
        self.assertEqual(settings.dunning_rival_names, "Payment Follow-up Management")

    def test_what_is_parked_is_told_once_a_week(self):
        held = self.invoice(amount=250)
        self.invoice(amount=100)
        self.on(TODAY, self.env['dunning.hold']).create({
            'move_id': held.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id,
            'date_end': TODAY + days(20)})
        Report = self.env['dunning.hold.report']
        self.assertFalse(Report._tell_parked(self.company, TODAY + days(1)), "Only on Mondays")
        todo = Report._tell_parked(self.company, TODAY)
        self.assertIn("250", todo.summary)
        self.assertNotIn("350", todo.summary)
        again = Report._tell_parked(self.company, TODAY + days(7))
        self.assertFalse(todo.exists(), "Last week's makes room")
        self.assertTrue(again.exists())
