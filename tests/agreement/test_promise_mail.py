"""The confirmation of a promise, received by a real mail server: date, amount, pay link and a QR code a bank reads."""

import io
import re

from PIL import Image

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days
from ..kernel.test_mail import FreePortController, Sink

MADE = TODAY + days(7)
PROMISED = MADE + days(4)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPromiseMail(DunningCommon):

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
        cls.company.alias_domain_id = cls.env['mail.alias.domain'].sudo().create({
            'name': 'test.example.com', 'bounce_alias': 'bounce', 'catchall_alias': 'catchall'})
        cls.classPatch(cls.registry['ir.mail_server'], '_disable_send', classmethod(lambda model: False))
        cls.bank = cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})
        cls.move = cls.invoice(amount=121.0)

    def setUp(self):
        super().setUp()
        self.sink.mails.clear()

    def confirm(self, moves=None, amount=None, partner=None, **kwargs):
        """Promise and confirm; return the promise and the e-mail the server got."""
        moves = self.move if moves is None else moves
        Promise = self.on(MADE, self.env['dunning.promise'])
        promise = Promise._make(
            self.company, partner or moves.partner_id, PROMISED, amount, self.items(moves), confirm=True, **kwargs)
        mail = self.env['mail.mail'].sudo().search(
            [('model', '=', 'dunning.promise'), ('res_id', '=', promise.id)])
        mail.send()
        self.env.invalidate_all()
        [(envelope, message)] = self.sink.mails
        return promise, envelope, message

    def html(self, message):
        return message.get_body(('html',)).get_content()

    def test_the_debtor_gets_date_amount_account_link_and_qr(self):
        promise, envelope, message = self.confirm()
        self.assertEqual(envelope.rcpt_tos, ['bakkerij@debtor.example.com'])
        self.assertEqual(
            str(message['Subject']), "Bevestiging van uw betaaltoezegging: €\xa0121,00 uiterlijk 14 maart 2025")
        html = self.html(message)
        for text in ("14 maart 2025", "€\xa0121,00", "NL91\xa0ABNA\xa00417\xa01643\xa000", self.move.name):
            self.assertIn(text, html)
        self.assertNotIn("t-out", html)
        self.assertIn(f'/my/invoices/{self.move.id}?access_token=', html)
        self.assertTrue(promise.confirmed_on)
        self.assertIn('bakkerij@debtor.example.com', promise.email_to)

    def test_the_picture_travels_with_the_mail_and_says_what_was_promised(self):
        self.move.payment_reference = 'RF18539007547034'
        Letter, payloads = type(self.env['dunning.letter']), []
        draw = Letter._draw_qr
        self.patch(Letter, '_draw_qr', lambda letter, value: payloads.append(value) or draw(letter, value))
        _promise, _envelope, message = self.confirm(amount=60.5)
        self.assertIn('src="cid:betaalcode.png"', self.html(message))
        [picture] = message.iter_attachments()
        self.assertEqual(picture['Content-ID'], '<betaalcode.png>')
        self.assertEqual(picture.get_content_disposition(), 'inline')
        self.assertGreater(Image.open(io.BytesIO(picture.get_content())).width, 100)
        payload = payloads[-1].split('\n')
        self.assertEqual(payload[0], 'BCD')
        self.assertIn('NL91ABNA0417164300', payload)
        self.assertIn('EUR60.5', payload)
        self.assertTrue(any('RF18539007547034' in line for line in payload))

    def test_in_english_to_who_reads_english_and_to_the_person_who_promised(self):
        debtor = self.make_debtor("Crown Ltd", lang='en_US')
        person = self.make_contact(debtor, "Mary Smith", email='mary@debtor.example.com', lang='en_US')
        move = self.invoice(debtor)
        _promise, envelope, message = self.confirm(move, contact=person)
        self.assertEqual(envelope.rcpt_tos, ['mary@debtor.example.com'])
        self.assertIn("Confirmation of your promise to pay", message['Subject'])
        html = self.html(message)
        self.assertIn("14 March 2025", html)
        self.assertIn("Mary Smith", html)
        self.assertIn("Scan with the app of your bank", html)

    def test_an_address_that_bounced_is_not_written_to(self):
        person = self.make_contact(self.business, "Kees", email='gone@debtor.example.com')
        person.dunning_email_bounced_on = TODAY
        _promise, envelope, _message = self.confirm(contact=person)
        self.assertEqual(envelope.rcpt_tos, ['bakkerij@debtor.example.com'])

    def test_without_address_nothing_is_promised_and_the_sentence_says_why(self):
        debtor = self.make_debtor("Zonder Adres BV", email=False)
        items = self.items(self.invoice(debtor))
        Promise = self.on(MADE, self.env['dunning.promise'])
        with self.assertRaisesRegex(UserError, "no e-mail address that works"):
            Promise._make(self.company, debtor, PROMISED, None, items, confirm=True)
        self.assertFalse(Promise.search([('partner_id', '=', debtor.id)]))
        self.assertTrue(Promise._make(self.company, debtor, PROMISED, None, items))

    def test_the_setting_decides_unless_somebody_chooses(self):
        self.company.dunning_promise_confirm = True
        Promise = self.on(MADE, self.env['dunning.promise'])
        with mute_logger('odoo.addons.mail.models.mail_mail'):
            self.assertTrue(Promise._make(self.company, self.business, PROMISED).confirmed_on)
            other = self.invoice()
            self.assertFalse(Promise._make(
                self.company, self.business, PROMISED, items=self.items(other), confirm=False).confirmed_on)

    def test_paying_online_is_offered_with_the_promised_amount(self):
        self.env['ir.config_parameter'].sudo().set_param('account_payment.enable_portal_payment', 'True')
        self.env['payment.provider'].sudo().search([('company_id', '=', self.company.id)]).unlink()
        self.env['payment.provider'].sudo().create({
            'name': "Test", 'state': 'test', 'is_published': True, 'company_id': self.company.id})
        _promise, _envelope, message = self.confirm(amount=50.0)
        links = re.findall(r'href="([^"]+)"', self.html(message))
        [link] = [link for link in links if 'payment_token' in link]
        self.assertIn('amount=50.0', link.replace('&amp;', '&'))
        self.assertNotIn('//my', link)
