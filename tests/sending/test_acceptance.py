"""A notice left when a mail server took it: until then it is on its way, and counts for nothing."""

from pathlib import Path
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.modules.migration import load_script
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)
LOGGERS = ('odoo.addons.mail.models.mail_mail', 'odoo.addons.l10n_nl_dunning.models.sending.mail_mail')


class Session:
    """What core keeps between two mails of a batch."""

    smtp_from = from_filter = False

    def quit(self):
        """Close nothing."""


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestAcceptance(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # As an addon for a mail service does: it replaces `send_email`, and knows nothing of us.
        server = cls.registry['ir.mail_server']
        cls.classPatch(server, '_disable_send', classmethod(lambda model: False))
        cls.classPatch(server, '_connect__', lambda model, *args, **kwargs: Session())
        cls.taken, cls.refusals = [], {}

        def send_email(model, message, *args, **kwargs):
            for word, error in cls.refusals.items():
                if word in message['To']:
                    raise error
            cls.taken.append(message)
            return message['Message-Id']

        cls.classPatch(server, 'send_email', send_email)
        cls.manager = new_test_user(
            cls.env, 'manager', groups='account.group_account_manager', company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)])

    def setUp(self):
        super().setUp()
        self.taken.clear()
        self.refusals.clear()
        self.move = self.invoice()

    def wake_queue(self, day=DUE):
        """The mail queue works."""
        with mute_logger(*LOGGERS):
            self.on(day, self.env['mail.mail'].sudo()).process_email_queue()
        self.env.invalidate_all()

    def assertCounts(self, notice, day=DUE):
        self.assertRecordValues(notice, [{'state': 'sent', 'date': day, 'receipt_kind': 'email_accepted'}])
        self.assertEqual(self.move.dunning_level_id, notice.level_id)

    # --- on its way ---

    def test_on_its_way_it_counts_for_nothing_and_blocks_the_next(self):
        notice = self.dun(DUE, wait=True)
        self.assertRecordValues(notice, [{
            'state': 'leaving', 'sent_on': False, 'delivery_state': 'queued', 'receipt_kind': False}])
        self.assertFalse(self.move.dunning_level_id)
        self.assertEqual(self.reason(self.move, DUE + days(40)), 'pending')
        contacts = self.env['dunning.notice']._get_contacts_sql(self.company)
        self.assertFalse(self.env.execute_query(contacts))
        self.wake_queue()
        self.assertCounts(notice)
        self.assertEqual(self.env.execute_query(contacts), [(self.business.id, DUE)])
        self.assertEqual(self.decision(self.move, DUE + days(40)).level_id, self.demand.id)

    def test_a_service_that_answers_later_gives_the_whole_term(self):
        """It did not ask us before it sent the mail."""
        notice = self.mails_leave(self.dun(DUE, wait=True), DUE + days(6))
        self.assertEqual(notice.state, 'sent')
        self.assertEqual(self.reason(self.move, DUE + days(16)), 'waiting_deadline')
        self.assertEqual(self.decision(self.move, DUE + days(40)).last_date, DUE + days(6))

    def test_one_level_leaves_when_the_queue_wakes_after_weeks(self):
        for number in range(45):
            self.dun(DUE + days(number), wait=True)
        day = DUE + days(44)
        self.assertEqual(len(self.notices_of(self.move)), 1)
        self.wake_queue(day)
        self.assertFalse(self.taken, "Its term would have been over")
        notice = self.notices_of(self.move)
        self.assertEqual(notice.state, 'queued')
        self.send(notice, day, wait=True)
        self.wake_queue(day)
        self.assertEqual(len(self.taken), 1)
        self.assertCounts(notice, day)
        self.assertEqual(notice.deadline, day + days(10))

    # --- the last look ---

    def test_paid_while_it_waited(self):
        notice = self.dun(DUE, wait=True)
        self.pay(self.move)
        self.wake_queue()
        self.assertFalse(self.taken)
        self.assertRecordValues(notice, [{'state': 'cancelled'}])
        self.assertEqual(notice.mail_id.sudo().state, 'cancel')

    def test_what_changed_is_made_again_under_the_same_number(self):
        def pay_part():
            self.pay(self.move, 40)

        def hold():
            self.env['dunning.hold'].create({
                'partner_id': self.business.id, 'move_id': self.move.id, 'amount': 30, 'date_end': DUE + days(20),
                'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})

        def move_mailbox():
            self.business.email = 'new@debtor.example.com'

        for change, asked in ((pay_part, 60), (move_mailbox, 100)):
            with self.subTest(change.__name__), self.env.cr.savepoint() as savepoint:
                notice = self.dun(DUE, wait=True)
                first, number = notice.mail_id, notice.name
                change()
                self.wake_queue()
                self.assertFalse(self.taken)
                self.assertEqual(notice.state, 'queued')
                self.send(notice, DUE, wait=True)
                self.wake_queue()
                self.assertEqual((len(self.taken), notice.name, notice.amount_due), (1, number, asked))
                self.assertIn(self.business.email_normalized, self.taken[0]['To'])
                self.assertCounts(notice)
                # Nobody can let the first one leave any more.
                first.sudo().mark_outgoing()
                self.wake_queue()
                self.assertEqual((len(self.taken), first.sudo().state), (1, 'cancel'))
                self.taken.clear()
                savepoint.rollback()
            self.env.invalidate_all()

    def test_a_notice_that_cannot_be_judged_stops_no_other(self):
        other = self.invoice(self.make_debtor("Other BV"))
        notices = self.dun(DUE, wait=True)
        broken = self.notices_of(self.move)
        original = self.registry['dunning.dispatcher']._recheck_one

        def recheck(dispatcher, notice, decisions):
            if notice == broken:
                raise ValueError("x")
            return original(dispatcher, notice, decisions)

        with patch.object(self.registry['dunning.dispatcher'], '_recheck_one', recheck), \
                mute_logger('odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher'):
            self.wake_queue()
        self.assertEqual([message['To'].split('@')[0][-5:] for message in self.taken], ['other'])
        self.assertEqual((broken.state, (notices - broken).state), ('error', 'sent'))
        self.assertEqual(other.dunning_level_id, self.reminder)

    # --- what does not leave ---

    def test_refused_for_good_is_failed_and_somebody_hears_of_it_after_a_day(self):
        self.refusals['bakkerij'] = MailDeliveryException("Mail Delivery Failed", "SMTPDataError: 554 Spam")
        notice = self.dun(DUE, wait=True)
        self.wake_queue()
        self.assertEqual(notice.state, 'error')
        self.assertIn("554 Spam", notice.error_message)
        self.assertFalse(self.business.dunning_email_bounced_on, "Nothing is wrong with the address")
        self.assertFalse(self.move.dunning_level_id)
        self.make_notices(DUE)
        self.assertFalse(notice.activity_ids)
        for number in (1, 2):
            self.make_notices(DUE + days(number))
            self.assertEqual(len(notice.activity_ids), 1)
        self.refusals.clear()
        self.on(DUE + days(2), notice).action_retry()
        self.send(notice, DUE + days(2), wait=True)
        self.wake_queue(DUE + days(2))
        self.assertCounts(notice, DUE + days(2))
        self.assertFalse(notice.activity_ids)

    def test_a_failed_mail_that_a_person_tries_again(self):
        self.refusals['bakkerij'] = ValueError("Header values may not contain linefeed")
        notice = self.dun(DUE, wait=True)
        self.wake_queue()
        self.assertEqual(notice.state, 'error')
        self.refusals.clear()
        notice.mail_id.sudo().action_retry()
        self.assertEqual(notice.state, 'leaving')
        self.wake_queue()
        self.assertCounts(notice)

    def test_a_mail_that_was_taken_out_of_the_queue(self):
        for how in ('unlink', 'cancel'):
            with self.subTest(how), self.env.cr.savepoint() as savepoint:
                notice = self.dun(DUE, wait=True)
                getattr(notice.mail_id.sudo(), how)()
                self.make_notices(DUE)
                self.assertEqual(notice.state, 'error')
                self.assertIn("taken out of the mail queue", notice.error_message)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_of_two_ways_the_paper_is_left(self):
        self.reminder.channel = 'both'
        self.refusals['bakkerij'] = MailDeliveryException("Mail Delivery Failed", "SMTPDataError: 554 Spam")
        notice = self.dun(DUE, wait=True)
        self.wake_queue()
        self.assertRecordValues(notice, [{'state': 'to_post', 'delivery_state': 'to_post'}])
        self.post_letters(notice, DUE)
        self.assertEqual((notice.state, self.move.dunning_level_id), ('sent', self.reminder))

    def test_posted_before_the_mail_left(self):
        self.reminder.channel = 'both'
        notice = self.dun(DUE, wait=True)
        self.post_letters(notice, DUE)
        self.assertEqual(notice.state, 'sent')
        self.wake_queue()
        self.assertEqual(len(self.taken), 1)
        self.assertEqual(notice.receipt_ids.mapped('kind'), ['email_accepted', 'post_presumed'])

    def test_a_line_break_in_a_name_stops_no_mail(self):
        self.reminder.subject = "Reminder {{ object.name }} for {{ object.partner_id.name }}"
        self.business.name = "Bakker BV\nt.a.v. administratie"
        notice = self.dun(DUE, wait=True)
        self.wake_queue()
        [message] = self.taken
        self.assertIn("for Bakker BV t.a.v. administratie", message['Subject'])
        self.assertCounts(notice)

    def test_what_cannot_be_booked_does_not_leave(self):
        notice = self.make_notices(DUE)
        self.patch(self.registry['dunning.notice'], '_filter_booked', lambda notices: notices)
        with patch.object(self.registry['dunning.notice'], '_book_extras', side_effect=UserError("No product")):
            self.send(notice, DUE, wait=True)
        self.assertRecordValues(notice, [{'state': 'error', 'mail_id': False}])

    # --- read receipts ---

    def answer_receipt(self, disposition, day):
        """The program of the debtor says what was done with the mail."""
        [message] = self.taken
        self.on(day, self.env['mail.thread'].sudo()).message_process(None, '\r\n'.join([
            'From: bakkerij@debtor.example.com', f'To: {message["Disposition-Notification-To"]}', 'Subject: Read',
            'Message-Id: <mdn@debtor.example.com>', 'MIME-Version: 1.0',
            'Content-Type: multipart/report; report-type=disposition-notification; boundary="=_mdn"', '',
            '--=_mdn', 'Content-Type: text/plain', '', 'Your message was displayed.', '',
            '--=_mdn', 'Content-Type: message/disposition-notification', '',
            f'Original-Message-ID: {message["Message-Id"]}', f'Disposition: manual-action/{disposition}', '',
            '--=_mdn', 'Content-Type: text/rfc822-headers', '', f'Message-Id: {message["Message-Id"]}', '',
            '--=_mdn--', '']).encode())
        self.env.invalidate_all()

    def test_a_read_receipt_proves_opening_and_never_more(self):
        self.reminder.read_receipt = True
        notice = self.dun(DUE, wait=True)
        self.wake_queue()
        self.answer_receipt('MDN-sent-manually; deleted', DUE)
        self.assertEqual(notice.receipt_ids.mapped('kind'), ['email_accepted'])
        self.answer_receipt('MDN-sent-manually; displayed', DUE)
        self.assertRecordValues(notice, [{
            'state': 'sent', 'delivery_state': 'opened', 'receipt_kind': 'mail_read', 'receipt_date': DUE}])
        self.assertFalse(self.business.dunning_email_bounced_on, "Core takes it for a bounce")
        self.assertFalse(self.env['dunning.hold'].search([('partner_id', '=', self.business.id)]), "It is no answer")

    def test_no_read_receipt_unless_the_level_asks_for_it(self):
        self.dun(DUE, wait=True)
        self.wake_queue()
        self.assertNotIn('Disposition-Notification-To', self.taken[0])

    # --- what was sent before ---

    def test_of_what_the_queue_still_has_the_first_is_on_its_way(self):
        """An update finds what earlier versions called sent when its mail was queued."""
        self.invoice(self.make_debtor("Other BV"))
        notices, day = self.env['dunning.notice'], DUE
        for _level in range(3):
            notices |= self.dun(day)
            day = max(notices.mapped('deadline')) + days(5)
        other = notices.filtered(lambda notice: notice.partner_id != self.business)
        mine = (notices - other).sorted('id')
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM dunning_receipt WHERE notice_id = ANY(%s)", [notices.ids])
        self.env.cr.execute("UPDATE mail_mail SET state = 'outgoing' WHERE id = ANY(%s)", [mine.mail_id.ids])
        path = Path(__file__).parents[2] / 'migrations' / '19.0.1.8.0' / 'post-accepted.py'
        load_script(str(path), 'post_accepted').migrate(self.env.cr, '19.0.1.7.0')
        self.env.invalidate_all()
        self.assertEqual(mine.mapped('state'), ['leaving', 'cancelled', 'cancelled'])
        self.assertEqual(mine.line_ids.mapped('status'), ['pending', 'cancelled', 'cancelled'])
        self.assertEqual(mine.mail_id.sudo().mapped('state'), ['outgoing', 'cancel', 'cancel'])
        self.assertFalse(self.move.dunning_level_id)
        self.assertEqual(set(other.mapped('state')), {'sent'}, "What the mail server has counts as accepted")

    # --- the mails of others ---

    def test_a_mail_of_ours_without_a_company_stops_nothing(self):
        rate = self.env['dunning.interest.rate'].search([], limit=1)
        Mail = self.env['mail.mail'].sudo()
        about = {'email_from': 'a@b.example', 'body_html': 'x', 'auto_delete': False}
        for record in (rate, self.business, self.env['dunning.hold.reason'].search([], limit=1)):
            about_record = {'model': record._name, 'res_id': record.id}
            Mail |= Mail.create({**about, **about_record, 'email_to': f'{record._table}@x.example'})
        with patch.object(
            self.registry['ir.mail_server'], '_connect__', side_effect=ConnectionRefusedError), mute_logger(*LOGGERS):
            Mail.send()
        self.assertEqual(
            Mail.filtered(lambda mail: mail.model.startswith('dunning.')).mapped('state'), ['outgoing'] * 2)
        Mail.scheduled_date = False
        # Handing them over was begun by a process that was killed.
        with patch.object(
            self.registry['dunning.handover'], '_get_started', lambda model, ids: dict.fromkeys(ids, False)):
            self.assertEqual(len(Mail._settle_dunning_handovers()), 2)
        Mail.write({'state': 'outgoing'})
        self.wake_queue()
        self.assertEqual(Mail.mapped('state'), ['sent'] * 3)

    def test_a_mail_of_others_fails_as_it_does_without_us(self):
        """Core's own tests found it: guarding it would write first what others left to be written."""
        mail = self.env['mail.mail'].sudo().create({
            'model': 'res.partner', 'res_id': self.business.id, 'body_html': 'x', 'auto_delete': False,
            'email_from': 'robert', 'email_to': 'a@b.example', 'is_notification': True})
        row = self.env['mail.notification'].sudo().create({
            'mail_message_id': mail.mail_message_id.id, 'mail_mail_id': mail.id, 'notification_type': 'email',
            'res_partner_id': self.business.id})
        with patch.object(self.registry['mail.mail'], '_keep_queue_going', side_effect=AssertionError):
            mail._postprocess_sent_message([], [], failure_type='mail_smtp', failure_reason="No server")
        self.assertRecordValues(row, [{'notification_status': 'exception', 'failure_reason': "No server"}])

    def test_what_colleagues_write_about_a_notice_is_not_its_letter(self):
        self.manager.email = 'manager@test.example.com'
        mail = self.env['mail.mail'].sudo().create({
            'model': 'dunning.notice', 'res_id': self.make_notices(DUE).id, 'body_html': 'x', 'auto_delete': False,
            'email_from': 'a@b.example', 'recipient_ids': [Command.link(self.manager.partner_id.id)]})
        self.wake_queue()
        self.assertEqual(mail.state, 'sent')

    def test_a_fault_of_ours_stops_nothing(self):
        notice = self.dun(DUE, wait=True)
        mail = self.env['mail.mail'].sudo().create({
            'email_from': 'a@b.example', 'email_to': 'c@d.example', 'body_html': 'x', 'auto_delete': False})
        for name, model in (('_hold_back', 'dunning.dispatcher'), ('_record_dunning_delivery', 'mail.notification')):
            mail.state = 'outgoing'
            with self.subTest(name), patch.object(self.registry[model], name, side_effect=ValueError("x")):
                self.wake_queue()
                self.assertEqual(mail.state, 'sent')
        self.assertEqual(notice.state, 'leaving')
        self.assertEqual(len(self.taken), 3, "Each mail once")
        self.make_notices(DUE)
        self.assertCounts(notice)
