"""Who is written to belongs to the debtor, when it is planned and when it leaves; and gets one message a day."""

from odoo.tests import tagged
from odoo.tools.mail import email_normalize_all

from ..common import TODAY, DunningCommon, days, post_message


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRecipient(DunningCommon):

    def setUp(self):
        super().setUp()
        self.alfa = self.make_debtor("Alfa BV")
        self.beta = self.make_debtor("Beta BV")
        self.piet = self.make_contact(self.alfa, "Piet Pieters", type='invoice', email='piet@alfa.example.com')

    def assertGoesTo(self, notices, address, *, state='sent'):
        self.assertEqual(notices.mapped('state'), [state] * len(notices))
        for notice in notices:
            self.assertEqual(email_normalize_all(notice.email_to), [address])

    # -------------------------------------------------------------------------
    # WHO LEFT
    # -------------------------------------------------------------------------

    def leaves(self, how):
        """Let Piet leave Alfa."""
        self.piet.write({
            'moved': {'parent_id': self.beta.id, 'email': 'piet@beta.example.com'},
            'alone': {'parent_id': False, 'email': 'piet@home.example.com'},
            'archived': {'active': False},
        }[how])

    def test_who_left_before_it_was_planned(self):
        for how in ('moved', 'alone', 'archived'):
            with self.subTest(how), self.env.cr.savepoint() as savepoint:
                move = self.invoice(self.piet, TODAY - days(10))
                self.leaves(how)
                self.assertEqual(self.decision(move).recipient_id, self.alfa.id)
                self.assertEqual(self.decision(move).partner_id, self.alfa.id)
                self.assertGoesTo(self.dun(), 'alfa@debtor.example.com')
                savepoint.rollback()

    def test_who_left_while_a_proposal_waited(self):
        for how in ('moved', 'alone', 'archived'):
            with self.subTest(how), self.env.cr.savepoint() as savepoint:
                self.invoice(self.piet, TODAY - days(10))
                notice = self.make_notices()
                self.assertEqual(notice.recipient_id, self.piet)
                self.leaves(how)
                self.send(notice)
                self.assertEqual(notice.recipient_id, self.alfa)
                self.assertGoesTo(notice, 'alfa@debtor.example.com')
                savepoint.rollback()

    def test_the_contact_for_reminders_comes_before_the_debtor(self):
        klaas = self.make_contact(self.alfa, "Klaas", type='dunning', email='klaas@alfa.example.com')
        self.reminder.recipient = 'invoice'
        move = self.invoice(self.piet, TODAY - days(10))
        self.assertEqual(self.decision(move).recipient_id, self.piet.id)
        notice = self.make_notices()
        self.leaves('moved')
        self.assertEqual(self.decision(move).recipient_id, klaas.id)
        self.assertGoesTo(self.send(notice), 'klaas@alfa.example.com')

    def test_a_letter_on_the_pile_is_made_again(self):
        self.reminder.channel = 'letter'
        self.piet.write({'street': "Plein 2", 'city': "Utrecht"})
        self.invoice(self.piet, TODAY - days(10))
        notice = self.dun()
        self.assertEqual((notice.state, notice._get_postal_partner()), ('to_post', self.piet))
        self.leaves('moved')
        self.make_notices(TODAY + days(1))
        self.assertEqual((notice.state, notice.recipient_id), ('queued', self.alfa))
        self.assertEqual(notice._get_postal_partner(), self.alfa)
        self.assertEqual(self.send(notice, TODAY + days(1)).state, 'to_post')

    def test_an_archived_debtor_is_reminded(self):
        self.invoice(self.alfa, TODAY - days(10))
        self.alfa.active = False
        self.assertGoesTo(self.dun(), 'alfa@debtor.example.com')

    def test_a_promise_is_confirmed_to_somebody_of_the_debtor(self):
        item = self.items(self.invoice(self.alfa, TODAY - days(10)))
        promise = self.on(TODAY, self.env['dunning.promise'])._make(
            self.company, self.alfa, TODAY + days(5), items=item, contact=self.piet)
        self.assertEqual(promise._get_recipient(), self.piet)
        self.leaves('moved')
        self.assertEqual(promise._get_recipient(), self.alfa)
        promise._send_confirmation()
        self.assertEqual(email_normalize_all(promise.email_to), ['alfa@debtor.example.com'])

    def test_who_left_while_an_e_mail_about_a_promise_waited(self):
        """In the quiet hours, or without a mail server: whom it goes to is asked when it leaves."""
        ways = ('moved', 'alone', 'archived', 'new address')
        for how, address in zip(ways, ['alfa@debtor.example.com'] * 3 + ['pieters@alfa.example.com'], strict=True):
            with self.subTest(how=how):
                self.piet.write({'parent_id': self.alfa.id, 'active': True, 'email': 'piet@alfa.example.com'})
                mail = self.confirm_to_piet()
                if how == 'new address':
                    self.piet.email = 'pieters@alfa.example.com'
                else:
                    self.leaves(how)
                self.assertFalse(mail._hold_back_overtaken())
                row = mail.mail_message_id.notification_ids
                self.assertEqual(email_normalize_all(mail.email_to), [address])
                self.assertEqual((row.mail_email_address, row.res_partner_id), (
                    address, self.piet if how == 'new address' else self.alfa))
                self.assertEqual(self.env[mail.model].browse(mail.res_id).email_to, mail.email_to)

    def test_nobody_is_left_to_read_it(self):
        mail, other = self.confirm_to_piet(), self.env['mail.mail'].sudo().create({
            'model': 'res.partner', 'res_id': self.beta.id, 'email_to': 'beta@debtor.example.com'})
        self.leaves('moved')
        self.alfa.email = self.company.email  # our own
        self.assertEqual((mail | other)._hold_back_overtaken(), mail)
        self.assertEqual((mail.state, other.state), ('exception', 'outgoing'))
        self.assertIn("no e-mail address", mail.failure_reason)
        self.assertEqual(mail.mail_message_id.notification_ids.notification_status, 'exception')

    def confirm_to_piet(self):
        item = self.items(self.invoice(self.alfa, TODAY - days(10)))
        promise = self.on(TODAY, self.env['dunning.promise'])._make(
            self.company, self.alfa, TODAY + days(5), items=item, contact=self.piet)
        mail = promise._send_confirmation()
        self.assertEqual(email_normalize_all(mail.email_to), ['piet@alfa.example.com'])
        return mail

    def test_who_follows_belongs_to_the_debtor(self):
        """Colleagues, and whom a person names, read what is written about it; who left does not."""
        lawyer = self.make_debtor("Mr. Recht", consumer=True)
        self.invoice(self.alfa, TODAY - days(10))
        notice = self.make_notices()
        notice.message_subscribe((self.piet | self.env.user.partner_id).ids)
        for left, expected in ((False, self.piet | lawyer), (True, lawyer)):
            if left:
                self.leaves('moved')
            message = post_message(
                notice, "We spoke", message_type='comment', subtype_xmlid='mail.mt_comment', partner_ids=lawyer.ids)
            self.assertEqual(message.notified_partner_ids, expected)

    def test_a_copy_goes_to_somebody_of_the_debtor(self):
        move = self.invoice(self.piet, TODAY - days(10))
        self.alfa.email = False
        call = self.env['dunning.call'].new({'partner_id': self.alfa.id, 'item_ids': self.items(move).ids})
        self.assertEqual(call._get_mail_recipient()._origin or call._get_mail_recipient(), self.piet)
        self.leaves('moved')
        self.assertFalse(call._get_mail_recipient())

    # -------------------------------------------------------------------------
    # ADDRESSES
    # -------------------------------------------------------------------------

    def test_our_own_address_is_none(self):
        domain = self.env['mail.alias.domain'].create({'name': 'own.example.com', 'company_ids': self.company.ids})
        alias = self.env['mail.alias'].create({
            'alias_name': 'invoices', 'alias_domain_id': domain.id,
            'alias_model_id': self.env['ir.model']._get_id('res.partner')})
        for address in (
            'finance@test.example.com', 'Finance@Test.example.com', domain.catchall_email, domain.bounce_email,
            alias.alias_full_name,
        ):
            with self.subTest(address), self.env.cr.savepoint() as savepoint:
                debtor = self.make_debtor("Gamma BV", email=address, street=False)
                move = self.invoice(debtor, TODAY - days(10))
                self.assertEqual(self.reason(move), 'no_address')
                debtor.street = "Straat 1"
                notice = self.dun()
                self.assertEqual((notice.state, notice.channel), ('to_post', 'letter'))
                savepoint.rollback()

    def test_it_became_our_own_while_it_waited(self):
        self.invoice(self.alfa, TODAY - days(10))
        notice = self.make_notices()
        self.alfa.email = 'FINANCE@test.example.com'
        self.send(notice)
        self.assertEqual((notice.state, notice.channel, notice.email_to), ('to_post', 'letter', False))

    def test_a_sister_company_has_an_address_of_its_own(self):
        sister = self.env['res.company'].create({'name': "Zus BV", 'email': 'info@zus.example.com'})
        sister.partner_id.is_company = True
        self.invoice(sister.partner_id, TODAY - days(10))
        self.assertGoesTo(self.dun(), 'info@zus.example.com')

    def test_odd_names_reach_the_address_and_nobody_else(self):
        odd = '"><img src=x onerror=alert(1)>{{7*7}}\r\nBcc: evil@evil.example'
        for name, address in (
            ("Evil" + odd, 'd@debtor.example.com'),
            ("Evil\r\nBcc: evil@evil.example", 'd@debtor.example.com'),
            ('Evil" <x>, evil@evil.example', 'd@debtor.example.com'),
            ("Evil\nTwee", 'd@debtor.example.com'),
            ("evil@evil.example; x", 'd@debtor.example.com'),
            ("Evil\u2028Cc: evil@evil.example,\x0b evil@evil.example", 'd@debtor.example.com'),
            ("A", '"E\r\nBcc: a@b.example" <d@debtor.example.com>'),
        ):
            with self.subTest(name, address=address), self.env.cr.savepoint() as savepoint:
                self.company.name = "Test\r\nBcc: evil@evil.example BV"
                self.reminder.subject = "Reminder for <t t-out=\"object.partner_id.name\"/>"
                self.invoice(self.make_debtor(name, email=address), TODAY - days(10))
                notice = self.dun()
                self.assertGoesTo(notice, 'd@debtor.example.com')
                mail = notice.mail_id.sudo()
                self.assertEqual(
                    [email_normalize_all(', '.join(out['email_to'])) for out in mail._prepare_outgoing_list()],
                    [['d@debtor.example.com']])
                for text in (mail.subject, mail.email_from, mail.email_to):
                    self.assertEqual(text.splitlines(), [text])
                savepoint.rollback()

    def test_two_addresses_of_one_contact(self):
        self.alfa.email = 'een@alfa.example.com, twee@alfa.example.com'
        self.invoice(self.alfa, TODAY - days(10))
        notice = self.dun()
        self.assertEqual(notice.state, 'sent')
        self.assertEqual(
            email_normalize_all(notice.email_to), ['een@alfa.example.com', 'twee@alfa.example.com'])

    # -------------------------------------------------------------------------
    # ONE MAILBOX
    # -------------------------------------------------------------------------

    def test_one_mailbox_of_two_contacts_gets_one_message_a_day(self):
        self.piet.email = 'Alfa@debtor.example.com'
        for debtor in (self.alfa, self.beta):
            with self.subTest(debtor.name), self.env.cr.savepoint() as savepoint:
                self.beta.email = 'alfa@debtor.example.com'
                first = self.invoice(self.piet, TODAY - days(20))
                second = self.invoice(debtor, TODAY - days(10))
                found = {
                    move: decision for decision in self.plan().values()
                    for move in first | second if move.id == decision.move_id}
                [waits] = [decision for decision in found.values() if decision.reason]
                self.assertEqual((waits.reason, waits.next_date), ('one_message', TODAY + days(1)))
                self.assertIn(self.reminder.name, self.assertExplained(waits))
                self.assertEqual(len(self.dun()), 1)
                [waits] = [move for move in first | second if self.reason(move) != 'waiting_deadline']
                self.assertEqual(self.reason(waits), 'one_message')
                self.assertIn(self.reminder.name, self.assertExplained(self.decision(waits)))
                self.assertEqual(len(self.dun(TODAY + days(1))), 1)
                self.assertEqual((first | second).dunning_level_id, self.reminder)
                savepoint.rollback()

    def test_it_became_one_mailbox_while_they_waited(self):
        self.invoice(self.piet, TODAY - days(20))
        self.invoice(self.beta, TODAY - days(10))
        both = self.make_notices()
        self.assertEqual(len(both), 2)
        self.beta.email = 'PIET@alfa.example.com'
        self.send(both)
        self.assertEqual(sorted(both.mapped('state')), ['queued', 'sent'])
        self.assertTrue(both.filtered(lambda notice: notice.state == 'queued').waiting_reason)
        self.send(both, TODAY + days(1))
        self.assertEqual(both.mapped('state'), ['sent', 'sent'])

    # -------------------------------------------------------------------------
    # WHO ACTS
    # -------------------------------------------------------------------------

    def test_no_task_for_a_salesperson_who_left(self):
        vera = self.env['res.users'].create({
            'name': "Vera", 'login': 'vera@test', 'email': 'vera@test.example.com', 'company_id': self.company.id,
            'company_ids': self.company.ids})
        self.reminder.channel = 'phone'
        self.alfa.user_id = vera
        self.invoice(self.alfa, TODAY - days(10), invoice_user_id=vera.id)
        vera.active = False
        notice = self.dun()
        self.assertEqual(notice.state, 'todo')
        self.assertTrue(notice.activity_ids.user_id.active)
        self.assertTrue(notice._get_responsible().active)
