"""E-mail for real: a local SMTP server receives it, a reply comes back, another one bounces."""

import email
import email.policy
from email.message import EmailMessage
from unittest.mock import patch

from aiosmtpd.controller import Controller

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days, letter_bytes

DUE = TODAY + days(5)


class Sink:
    """Keeps every mail it is given; refuses recipients whose address starts with “gone”."""

    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('gone'):
            return '550 No such user here'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return '250 OK'


class FreePortController(Controller):
    """Listens on whatever port is free."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        return super()._trigger_server()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMail(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = Sink()
        controller = FreePortController(cls.sink, hostname='127.0.0.1', port=0)
        controller.start()
        cls.addClassCleanup(controller.stop)
        cls.env['ir.mail_server'].sudo().search([]).active = False
        cls.env['ir.mail_server'].sudo().create({
            'name': "Sink", 'smtp_host': '127.0.0.1', 'smtp_port': controller.port, 'smtp_encryption': 'none'})
        cls.domain = cls.env['mail.alias.domain'].sudo().create({
            'name': 'test.example.com', 'bounce_alias': 'bounce', 'catchall_alias': 'catchall'})
        cls.company.alias_domain_id = cls.domain
        # Tests never speak SMTP unless they say so; these do, to this machine.
        cls.classPatch(cls.registry['ir.mail_server'], '_disable_send', classmethod(lambda model: False))

    def setUp(self):
        super().setUp()
        self.sink.mails.clear()

    def deliver(self, notice):
        """Let the mail queue do its work, without the commits that would end the test."""
        self.on(DUE, notice.mail_id.sudo()).send()
        self.env.invalidate_all()

    def message_id(self, notice):
        return notice.mail_message_id.sudo().message_id

    def test_nothing_is_spoken_to_the_server_before_the_queue_runs(self):
        self.invoice()
        self.dun(DUE, wait=True)
        self.assertFalse(self.sink.mails)

    def test_the_server_receives_the_letter(self):
        self.invoice()
        notice = self.dun(DUE, wait=True)
        message_id = self.message_id(notice)
        self.deliver(notice)
        [(envelope, mail)] = self.sink.mails
        self.assertEqual(envelope.rcpt_tos, ['bakkerij@debtor.example.com'])
        self.assertIn("Subject 1", mail['Subject'])
        self.assertIn('bakkerij@debtor.example.com', mail['To'])
        self.assertEqual(mail['Message-Id'].strip(), message_id)
        self.assertIn('catchall@test.example.com', mail['Reply-To'])
        self.assertEqual(envelope.mail_from, 'bounce@test.example.com')
        html = mail.get_body(('html',)).get_content()
        self.assertIn("Open:", html)
        self.assertRegex(html, r"100[.,]00")
        self.assertNotIn("t-out", html)
        [attachment] = mail.iter_attachments()
        self.assertEqual(attachment.get_content_type(), 'application/pdf')
        self.assertEqual(attachment.get_filename(), notice.letter_filename)
        self.assertEqual(attachment.get_content(), letter_bytes(notice))

    def test_after_delivery_the_message_stays_on_the_notice(self):
        self.invoice()
        notice = self.dun(DUE, wait=True)
        message = notice.mail_message_id
        self.deliver(notice)
        self.assertFalse(notice.mail_id.exists())
        self.assertEqual(notice.mail_message_id, message)
        self.assertIn(message, notice.message_ids)
        self.assertEqual(message.sudo().notification_ids.notification_status, 'sent')
        self.assertEqual(message.sudo().attachment_ids.raw, letter_bytes(notice))

    def test_a_reply_lands_on_the_notice(self):
        self.invoice()
        notice = self.dun(DUE, wait=True)
        message_id = self.message_id(notice)
        self.deliver(notice)
        reply = EmailMessage()
        reply['From'] = f'"De Korst" <{self.business.email}>'
        reply['To'] = self.sink.mails[0][1]['Reply-To']
        reply['Subject'] = "Re: Subject 1"
        reply['Message-Id'] = '<reply-1@debtor.example.com>'
        reply['In-Reply-To'] = message_id
        reply['References'] = message_id
        reply.set_content("We paid yesterday.")
        self.env['mail.thread'].sudo().message_process(None, reply.as_bytes())
        answer = notice.message_ids.filtered(lambda message: message.message_id == '<reply-1@debtor.example.com>')
        self.assertEqual(len(answer), 1)
        self.assertIn("We paid yesterday.", answer.body)
        self.assertEqual(answer.author_id, self.business)
        self.assertEqual(notice.state, 'sent')

    def test_a_bounce_is_marked_on_the_notice(self):
        self.invoice()
        notice = self.dun(DUE, wait=True)
        message_id = self.message_id(notice)
        self.deliver(notice)
        sent = self.sink.mails[0][1]
        boundary = '=_dsn'
        report = '\r\n'.join([
            'From: MAILER-DAEMON@debtor.example.com',
            'To: bounce@test.example.com',
            'Subject: Undelivered Mail Returned to Sender',
            'Message-Id: <dsn-1@debtor.example.com>',
            'MIME-Version: 1.0',
            f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
            '',
            f'--{boundary}',
            'Content-Type: text/plain; charset=us-ascii',
            '',
            'The mailbox is full.',
            f'--{boundary}',
            'Content-Type: message/delivery-status',
            '',
            'Reporting-MTA: dns; mx.debtor.example.com',
            '',
            f'Final-Recipient: rfc822; {self.business.email}',
            'Action: failed',
            'Status: 5.2.2',
            'Diagnostic-Code: smtp; 552 5.2.2 mailbox full',
            '',
            f'--{boundary}',
            'Content-Type: text/rfc822-headers',
            '',
            f'Message-Id: {message_id}',
            f'From: {sent["From"]}',
            f'To: {sent["To"]}',
            f'Subject: {sent["Subject"]}',
            '',
            f'--{boundary}--',
            '',
        ])
        self.env['mail.thread'].sudo().message_process(None, report.encode())
        notification = notice.mail_message_id.sudo().notification_ids
        self.assertRecordValues(notification, [{'notification_status': 'bounce', 'failure_type': 'mail_bounce'}])
        self.assertIn("mailbox is full", notification.failure_reason)
        self.assertEqual(self.business.message_bounce, 1)
        self.assertEqual(
            self.env['dunning.notice'].search([('message_has_error', '=', True)]) & notice, notice,
            "Failed deliveries are found with the standard filter")

    def test_an_address_the_server_refuses_is_marked_on_the_notice(self):
        self.business.email = 'gone@debtor.example.com'
        self.invoice()
        notice = self.dun(DUE, wait=True)
        with mute_logger('odoo.addons.mail.models.mail_mail', 'odoo.addons.base.models.ir_mail_server'):
            self.deliver(notice)
        self.assertFalse(self.sink.mails)
        self.assertEqual(notice.mail_message_id.sudo().notification_ids.notification_status, 'exception')
        self.assertTrue(notice.mail_id.exists(), "It can be tried again")

    def test_a_name_cannot_smuggle_headers_or_html_into_the_mail(self):
        self.reminder.letter_intro = '<p>Hello <t t-out="object.partner_id.name"/></p>'
        debtor = self.make_debtor("Evil <b>BV</b>, \"x\" <other@attacker.example.com>")
        debtor.email = 'evil@debtor.example.com'
        self.invoice(debtor)
        notice = self.dun(DUE, wait=True)
        self.deliver(notice)
        [(envelope, mail)] = self.sink.mails
        self.assertEqual(envelope.rcpt_tos, ['evil@debtor.example.com'])
        html = mail.get_body(('html',)).get_content()
        self.assertNotIn("<b>BV</b>", html)
        self.assertIn("&lt;b&gt;BV", html)

    def test_two_debtors_get_their_own_mail_only(self):
        other = self.make_debtor("Other BV")
        self.invoice()
        self.invoice(other, amount=250)
        notices = self.dun(DUE, wait=True)
        for notice in notices:
            self.deliver(notice)
        received = {
            tuple(envelope.rcpt_tos): mail.get_body(('html',)).get_content() for envelope, mail in self.sink.mails}
        self.assertEqual(set(received), {('bakkerij@debtor.example.com',), ('other@debtor.example.com',)})
        self.assertRegex(received['bakkerij@debtor.example.com',], r"100[.,]00")
        self.assertRegex(received['other@debtor.example.com',], r"250[.,]00")
        self.assertNotRegex(received['bakkerij@debtor.example.com',], r"250[.,]00")

    def test_sending_while_the_mail_server_is_away_loses_nothing(self):
        self.invoice()
        notice = self.dun(DUE, wait=True)
        with patch.object(self.registry['ir.mail_server'], '_connect__', side_effect=ConnectionRefusedError), \
                mute_logger('odoo.addons.mail.models.mail_mail', 'odoo.addons.base.models.ir_mail_server'):
            self.deliver(notice)
        self.assertFalse(self.sink.mails)
        mail = notice.mail_id.sudo()
        # It is tried again by itself, after a pause.
        self.assertEqual(mail.state, 'outgoing')
        self.assertGreater(mail.scheduled_date, fields.Datetime.now())
        self.assertEqual(notice.state, 'leaving')
        mail.scheduled_date = False
        self.deliver(notice)
        self.assertEqual(len(self.sink.mails), 1)
