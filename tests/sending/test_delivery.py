"""Who gets a notice, by which way it gets there, and what becomes of it; never silence."""

import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..claim.test_fourteen_day import DEFAULT_NOTICE, bounce_message
from ..common import TODAY, DunningCommon, days
from ..kernel.test_mail import FreePortController, Sink

DUE = TODAY + days(5)
PDF = base64.b64encode(b"%PDF-1.4 proof")
ACTIVITY = 'l10n_nl_dunning.mail_activity_type_unreachable'


def no_address(**values):
    """Return the values of a contact that nothing reaches, but for what is given."""
    return {'email': False, 'phone': False, 'street': False, 'city': False} | values


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWays(DunningCommon):
    """To whom a level is addressed, which way it gets there, and who is told when there is none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, 'caretaker', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)])
        cls.lost = cls.make_debtor("Lost BV", **no_address(user_id=cls.clerk.id))

    # --- to whom ---

    def make_people(self):
        self.accounts = self.make_contact(self.business, "Accounts", type='invoice', email='ap@debtor.example.com')
        self.reminders = self.make_contact(self.business, "Ruth", type='dunning', email='ruth@debtor.example.com')
        self.boss = self.make_contact(self.business, "Dirk", type='director', email='dirk@debtor.example.com')

    def recipient(self, move, kind):
        self.reminder.recipient = kind
        return self.env['res.partner'].browse(self.decision(move, DUE).recipient_id)

    def test_each_level_has_its_own_addressee(self):
        self.make_people()
        move = self.invoice(self.accounts)
        self.assertEqual(move.partner_id, self.accounts)
        self.assertEqual(self.reminder.recipient, 'reminder', "As it always was")
        self.assertEqual(self.recipient(move, 'reminder'), self.reminders)
        self.assertEqual(self.recipient(move, 'invoice'), self.accounts)
        self.assertEqual(self.recipient(move, 'director'), self.boss)

    def test_without_a_director_the_contact_for_reminders_and_without_that_the_debtor(self):
        self.make_people()
        move = self.invoice(self.accounts)
        self.boss.active = False
        self.assertEqual(self.recipient(move, 'director'), self.reminders)
        self.reminders.active = False
        self.assertEqual(self.recipient(move, 'director'), self.business, "Not whoever handles the invoices")
        self.assertEqual(self.recipient(move, 'reminder'), self.accounts)

    def test_the_ladder_climbs_from_the_desk_to_the_director(self):
        self.make_people()
        self.reminder.recipient, self.demand.recipient, self.final.recipient = 'invoice', 'reminder', 'director'
        move = self.invoice(self.accounts)
        day, seen = DUE, []
        for _level in self.ladder.level_ids:
            notice = self.dun(day)
            seen.append((notice.recipient_id, notice.email_to))
            day = notice.deadline + days(self.demand.delay_days)
        self.assertEqual([contact for contact, _email in seen], [self.accounts, self.reminders, self.boss])
        self.assertIn('dirk@debtor.example.com', seen[-1][1])
        self.assertEqual(self.notices_of(move).mapped('state'), ['sent'] * 3)

    def test_a_director_without_an_address_is_reached_at_that_of_the_debtor(self):
        self.make_people()
        self.boss.email = False
        self.reminder.recipient = 'director'
        self.invoice()
        notice = self.dun(DUE)
        self.assertRecordValues(notice, [{'recipient_id': self.boss.id, 'channel': 'email', 'detour': False}])
        self.assertIn('bakkerij@debtor.example.com', notice.email_to)

    def test_a_contact_of_another_company_is_not_written_to(self):
        self.make_people()
        other = self.env['res.company'].create({'name': "Other"})
        self.env['res.partner'].browse(self.boss.id).write({'company_id': other.id})
        self.assertEqual(self.recipient(self.invoice(), 'director'), self.reminders)

    # --- which way ---

    def go(self, channel, **values):
        """Let a debtor with these addresses be reminded by a channel; return (decision, sentence)."""
        self.reminder.channel = channel
        debtor = self.make_debtor("Somebody BV", **values)
        decision = self.decision(self.invoice(debtor), DUE)
        return decision, self.assertExplained(decision)

    def test_the_table_of_detours(self):
        no_post = {'street': False}
        for channel, values, wanted, detour, words in (
            ('email', {}, 'email', None, ""),
            ('letter', {}, 'letter', None, ""),
            ('phone', {}, 'phone', None, ""),
            ('both', {}, 'both', None, ""),
            ('email', {'email': False}, 'letter', 'email', "No e-mail address: goes by letter."),
            ('email', {'email': "none"}, 'letter', 'email', "No e-mail address: goes by letter."),
            ('letter', no_post, 'email', 'post', "No postal address: goes by e-mail."),
            ('phone', {'phone': ' '}, 'email', 'phone', "No phone number: goes by e-mail."),
            ('phone', {'phone': False, 'email': False}, 'letter', 'phone', "No phone number: goes by letter."),
            ('both', {'email': False}, 'both', 'email', "No e-mail address: goes by letter only."),
            ('both', no_post, 'both', 'post', "No postal address: goes by e-mail only."),
            ('task', no_address(), 'task', None, ""),
        ):
            with self.subTest(channel=channel, values=values):
                decision, sentence = self.go(channel, **values)
                self.assertEqual((decision.reason, decision.channel, decision.detour), (None, wanted, detour))
                self.assertTrue(sentence.endswith(words), sentence)
                # The notice at work has the same answer as the planner.
                notice = self.make_notices(DUE)
                self.assertRecordValues(notice, [{
                    'channel': wanted, 'detour': detour or False, 'detour_text': words or False}])
                notice._reroute()
                self.assertRecordValues(notice, [{'channel': wanted, 'detour': detour or False}])
                self.send(notice, DUE)
                self.assertEqual(notice.state, {
                    'email': 'sent', 'letter': 'to_post', 'phone': 'todo', 'task': 'todo',
                    'both': 'to_post' if detour == 'email' else 'sent'}[wanted])

    def test_nothing_reaches_is_said_with_all_that_lacks(self):
        for channel, values, words in (
            ('email', {}, "neither an e-mail nor a postal"), ('letter', {}, "neither an e-mail nor a postal"),
            ('both', {}, "neither an e-mail nor a postal"), ('phone', {}, "no phone number, no e-mail"),
            ('email', {'phone': '+31 20 555 0100'}, "neither"),
        ):
            with self.subTest(channel=channel):
                decision, sentence = self.go(channel, **no_address(**values))
                self.assertEqual(decision.reason, 'no_address')
                self.assertIn(words, sentence)

    def test_a_level_that_wants_its_own_channel_only(self):
        self.reminder.fallback_channel = False
        for channel, values, words in (
            ('email', {'email': False}, "no e-mail address. Add one"),
            ('letter', {'street': False}, "no postal address"), ('phone', {'phone': False}, "no phone number. Add"),
        ):
            with self.subTest(channel=channel):
                decision, sentence = self.go(channel, **values)
                self.assertEqual((decision.reason, decision.channel), ('no_address', channel))
                self.assertIn(words, sentence)
        self.assertFalse(self.go('both', email=False)[0].reason, "Two ways: one of them is left")

    def test_a_call_without_a_text_for_a_letter_is_not_replaced_by_an_empty_one(self):
        self.reminder.write({'letter_intro': '<p><br></p>', 'letter_closing': False})
        decision, sentence = self.go('phone', phone=False)
        self.assertEqual((decision.reason, decision.channel), ('no_address', 'phone'))
        self.assertIn("no phone number", sentence)

    def test_a_letter_of_the_law_on_paper_never_becomes_an_email(self):
        """Its receipt has to be proven; from e-mail to paper it may go."""
        self.reminder.write({'legal_role': 'default_notice', 'letter_intro': DEFAULT_NOTICE})
        decision, sentence = self.go('letter', street=False)
        self.assertEqual((decision.reason, decision.channel), ('no_address', 'letter'))
        self.assertIn("has to go by post", sentence)
        self.assertEqual(self.go('email', email=False)[0].channel, 'letter')

    def test_a_number_that_is_wrong_is_none(self):
        self.reminder.channel = 'phone'
        move = self.invoice()
        self.business.dunning_phone_wrong_on = TODAY
        self.assertEqual((self.decision(move, DUE).channel, self.decision(move, DUE).detour), ('email', 'phone'))
        self.business.phone = '+31 20 555 0199'
        self.assertEqual(self.decision(move, DUE).channel, 'phone')

    def test_the_addressee_counts_not_only_the_debtor(self):
        self.business.write(no_address())
        self.reminder.recipient = 'director'
        boss = self.make_contact(self.business, "Dirk", type='director', email='dirk@debtor.example.com')
        move = self.invoice()
        self.assertEqual(self.decision(move, DUE).channel, 'email')
        boss.write({'email': False, 'street': "Dam 1", 'city': "Amsterdam"})
        decision = self.decision(move, DUE)
        self.assertEqual((decision.channel, decision.detour, decision.recipient_id), ('letter', 'email', boss.id))

    def test_an_address_that_goes_or_comes_while_a_proposal_waits(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.business.email = False
        self.make_notices(DUE)
        self.assertRecordValues(notice, [{'channel': 'letter', 'detour': 'email', 'state': 'draft'}])
        self.business.email = 'new@debtor.example.com'
        self.make_notices(DUE)
        self.assertRecordValues(notice, [{'channel': 'email', 'detour': False, 'detour_text': False}])

    def test_an_address_that_is_lost_in_the_queue(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.business.email = False
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'to_post', 'channel': 'letter', 'detour': 'email'}])

    def test_a_channel_that_a_person_chose_stays(self):
        self.business.email = False
        self.invoice()
        notice = self.make_notices(DUE)
        self.assertEqual(notice.detour_text, "No e-mail address: goes by letter.")
        notice.channel = 'phone'
        self.assertFalse(notice.detour)
        self.business.phone = False
        self.make_notices(DUE)
        self.assertRecordValues(notice, [{'channel': 'phone', 'detour': False}])

    def test_the_window_says_why_and_sends_so(self):
        self.business.email = False
        move = self.invoice()
        action = self.on(DUE, move).action_dunning_send()
        wizard = self.env['dunning.send'].with_context(dunning_at_date=DUE).browse(action['res_id'])
        self.assertRecordValues(wizard.group_ids, [{
            'channel': 'letter', 'problem': False, 'remark': "No e-mail address: goes by letter."}])
        self.assertEqual(wizard.remark_count, 1)
        wizard.group_ids.channel = 'phone'
        self.assertFalse(wizard.group_ids.remark, "Chosen by a person, not a detour")
        wizard.group_ids.channel = 'letter'
        wizard.action_send_now()
        self.assertRecordValues(self.notices_of(move), [{
            'state': 'to_post', 'detour_text': "No e-mail address: goes by letter."}])

    def test_why_not_says_it_too(self):
        self.business.email = False
        [answer] = self.on(DUE, self.invoice()).get_dunning_reason()
        self.assertTrue(answer['is_due'])
        self.assertIn("No e-mail address: goes by letter.", answer['text'])

    # --- nothing reaches him: somebody gets a to-do, once, until something does ---

    def todos(self, debtor=None):
        return (debtor or self.lost).activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref(ACTIVITY))

    def test_one_to_do_for_a_debtor_however_many_invoices_and_days(self):
        self.invoice(self.lost)
        self.invoice(self.lost, TODAY - days(3))
        self.assertFalse(self.make_notices(DUE))
        todo = self.todos()
        self.assertEqual(len(todo), 1)
        self.assertEqual(todo.user_id, self.clerk)
        self.assertIn("neither an e-mail nor a postal address", todo.note)
        self.assertEqual(self.lost.dunning_unreachable_on, DUE)
        self.make_notices(DUE + days(1))
        self.assertEqual(self.todos(), todo)
        todo.action_done()
        self.make_notices(DUE + days(2))
        self.assertFalse(self.todos(), "He said that he did it; the mark on the contact still tells")
        self.assertEqual(self.lost.dunning_unreachable_on, DUE)

    def test_who_is_reached_again_loses_mark_and_to_do(self):
        self.invoice(self.lost)
        self.make_notices(DUE)
        self.assertTrue(self.todos())
        self.lost.write({'street': "Dam 1", 'city': "Amsterdam"})
        self.assertRecordValues(self.make_notices(DUE + days(1)), [{'partner_id': self.lost.id, 'channel': 'letter'}])
        self.assertFalse(self.todos())
        self.assertFalse(self.lost.dunning_unreachable_on)

    def test_who_owes_nothing_any_more_loses_them_too(self):
        move = self.invoice(self.lost)
        self.make_notices(DUE)
        self.pay(move)
        self.make_notices(DUE + days(1))
        self.assertFalse(self.todos())
        self.assertFalse(self.lost.dunning_unreachable_on)

    def test_another_reason_for_a_day_does_not_make_a_second_to_do(self):
        move = self.invoice(self.lost)
        self.make_notices(DUE)
        todo = self.todos()
        move.payment_state = 'blocked'
        self.make_notices(DUE + days(1))
        self.assertEqual(self.todos(), todo)
        move.payment_state = 'not_paid'
        self.make_notices(DUE + days(2))
        self.assertEqual(self.todos(), todo)

    def test_without_a_salesperson_the_manager_gets_it(self):
        self.lost.user_id = False
        self.invoice(self.lost)
        self.make_notices(DUE)
        self.assertEqual(
            self.todos().user_id, self.company._get_dunning_manager())

    def test_a_notice_that_fails_for_want_of_an_address_gives_a_to_do(self):
        self.business.user_id = self.clerk
        self.invoice()
        notice = self.make_notices(DUE)
        self.business.write({'email': False, 'street': False})
        self.send(notice, DUE)
        self.assertEqual(notice.state, 'error')
        self.assertIn("neither an e-mail nor a postal", notice.error_message)
        self.assertEqual(len(self.todos(self.business)), 1)
        self.assertIn("neither an e-mail nor a postal", self.todos(self.business).note)

    def test_another_company_has_its_own_mark(self):
        self.invoice(self.lost)
        self.make_notices(DUE)
        other = self.env['res.company'].create({'name': "Other"})
        self.assertFalse(self.lost.with_company(other).dunning_unreachable_on)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDelivery(DunningCommon):
    """What became of a notice, in one place; a real mail server takes the mails."""

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

    def test_an_email_from_the_queue_to_the_debtor(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.assertFalse(notice.delivery_state)
        self.send(notice, DUE, wait=True)
        self.assertEqual(notice.delivery_state, 'queued')
        self.assertIn("In mail queue", notice.delivery_ways)
        self.mails_leave(notice, DUE)
        self.assertEqual(notice.delivery_state, 'handed_over')
        self.assertIn("Handed over to the mail server", notice.delivery_ways)
        self.assertIn('bakkerij@debtor.example.com', notice.delivery_ways)
        notice._register_opening(DUE + days(2))
        self.assertEqual(notice.delivery_state, 'opened')
        self.assertIn("Opened in the portal", notice.delivery_ways)

    def test_a_letter_from_the_printer_to_the_door(self):
        self.reminder.channel = 'letter'
        self.invoice()
        notice = self.dun(DUE)
        self.assertEqual(notice.delivery_state, 'to_post')
        self.assertIn("To be printed", notice.delivery_ways)
        self.post_letters(notice, DUE)
        self.assertEqual(notice.delivery_state, 'posted')
        self.assertIn("Keizersgracht 1, 1015 AA Amsterdam", notice.delivery_ways)
        self.assertIn("Presumed to be delivered", notice.delivery_ways)

    def test_a_letter_that_came_back_takes_the_address_with_it(self):
        self.reminder.channel = 'letter'
        self.invoice()
        notice = self.dun(DUE)
        self.post_letters(notice, DUE)
        notice._add_receipt('returned', DUE + days(4), channel='letter', note="Moved")
        self.assertRecordValues(notice, [{'state': 'undelivered', 'delivery_state': 'returned'}])
        self.assertIn("Moved", notice.delivery_ways)
        self.assertEqual(self.business.dunning_post_returned_on, DUE + days(4))
        again = self.make_notices(DUE + days(5))
        self.assertRecordValues(again, [{
            'level_id': self.reminder.id, 'channel': 'email', 'detour_text': "No postal address: goes by e-mail."}])
        self.business.street = "Herengracht 2"
        self.assertFalse(self.business.dunning_post_returned_on, "Another address gets another chance")
        self.assertEqual(self.decision(self.invoice(due=TODAY), DUE).channel, 'letter')

    def test_a_postal_address_that_works_after_all(self):
        self.business.dunning_post_returned_on = TODAY
        self.assertFalse(self.business._has_dunning_address())
        self.business.city = self.business.city
        self.assertTrue(self.business.dunning_post_returned_on, "The same address is no other one")
        self.business.action_dunning_post_works()
        self.assertTrue(self.business._has_dunning_address())
        sales = new_test_user(self.env, 'sales', groups='base.group_user,base.group_partner_manager')
        with self.assertRaises(AccessError):
            self.business.with_user(sales).action_dunning_post_works()

    def test_registered_post_with_its_code_and_both_proofs(self):
        self.reminder.write({'channel': 'letter', 'post_registered': True})
        self.invoice()
        notice = self.dun(DUE)
        notice._recording().write({'postal_state': 'printed'})
        action = self.on(DUE, notice).action_mark_posted()
        self.assertEqual(action['res_model'], 'dunning.post.enter')
        self.assertEqual(notice.state, 'to_post', "It waits for its code")
        wizard = self.env['dunning.post.enter'].with_context(dunning_at_date=DUE).browse(action['res_id'])
        with self.assertRaisesRegex(UserError, "tracking code of at least one"):
            wizard.action_confirm()
        wizard.line_ids.write({'tracking_code': ' 3s abc 123 ', 'proof': PDF, 'proof_filename': 'handed_in.pdf'})
        wizard.action_confirm()
        self.assertRecordValues(notice, [{
            'state': 'sent', 'postal_state': 'posted', 'tracking_code': '3SABC123', 'delivery_state': 'registered'}])
        self.assertIn('3SABC123', notice.delivery_ways)
        self.assertIn('handed_in.pdf', notice.delivery_ways)
        enter = self.on(DUE + days(2), notice).action_enter_receipt()
        receipt = self.env['dunning.receipt.enter'].with_context(dunning_at_date=DUE + days(2)).browse(enter['res_id'])
        self.assertEqual(receipt.tracking_code, '3SABC123')
        receipt.write({'kind': 'registered', 'proof': PDF, 'proof_filename': 'delivered.pdf', 'date': DUE + days(2)})
        receipt.action_confirm()
        self.assertEqual(notice.delivery_state, 'delivered')
        self.assertIn('delivered.pdf', notice.delivery_ways)
        self.assertEqual(notice.receipt_date, DUE + days(2))
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            notice.tracking_code = 'X'

    def test_a_code_belongs_to_one_letter(self):
        self.reminder.channel = 'letter'
        self.invoice()
        self.invoice(self.make_debtor("Other BV"))
        notices = self.dun(DUE)
        with self.assertRaisesRegex(UserError, "that were printed"):
            notices.action_post_registered()
        self.post_letters(notices, DUE)
        wizard = self.env['dunning.post.enter'].browse(notices.action_post_registered()['res_id'])
        wizard.line_ids.write({'tracking_code': '3S1'})
        with self.assertRaisesRegex(UserError, "another letter"):
            wizard.action_confirm()
        wizard.line_ids[1].tracking_code = False
        wizard.action_confirm()
        self.assertEqual(notices.mapped('tracking_code'), ['3S1', False])
        later = self.env['dunning.post.enter'].browse(notices.action_post_registered()['res_id'])
        later.line_ids.tracking_code = '3s1'
        with self.assertRaisesRegex(UserError, "another letter"):
            later.action_confirm()

    def test_ordinary_letters_are_posted_along_with_registered_ones(self):
        self.reminder.channel = 'letter'
        self.invoice()
        plain = self.dun(DUE)
        registered = self.make_policy("Registered", [{'delay_days': 5, 'channel': 'letter', 'post_registered': True}])
        self.invoice(self.make_debtor("Other BV"), dunning_policy_id=registered.id)
        letters = plain | self.dun(DUE)
        letters._recording().write({'postal_state': 'printed'})
        action = self.on(DUE, letters).action_mark_posted()
        self.assertEqual(action['res_model'], 'dunning.post.enter')
        self.assertEqual(letters.mapped('state'), ['sent', 'to_post'])

    def test_letters_count_from_the_day_they_were_posted(self):
        """A letter of yesterday can be recorded today; not one of tomorrow, nor before it was made."""
        self.reminder.channel = 'letter'
        self.invoice()
        notice = self.dun(DUE)
        with self.assertRaisesRegex(UserError, "Print them first"):
            notice.action_enter_posted()
        notice._recording().write({'postal_state': 'printed'})
        action = self.on(DUE + days(1), notice).action_enter_posted()
        wizard = self.env[action['res_model']].with_context(dunning_at_date=DUE + days(1)).browse(action['res_id'])
        self.assertEqual(wizard.posted_on, DUE + days(1))
        self.assertEqual(notice.state, 'to_post', "Nothing is recorded before somebody said so")
        for day, words in ((DUE + days(2), "choose today"), (DUE - days(1), "before that day")):
            wizard.posted_on = day
            with self.assertRaisesRegex(UserError, words):
                wizard.action_confirm()
        wizard.posted_on = DUE
        wizard.action_confirm()
        self.assertRecordValues(notice, [{'state': 'sent', 'postal_state': 'posted', 'posted_on': DUE}])

    def test_two_ways_in_one_place(self):
        self.reminder.channel = 'both'
        self.invoice()
        notice = self.mails_leave(self.dun(DUE), DUE)
        self.assertEqual(notice.delivery_state, 'handed_over')
        for words in ("Handed over to the mail server", "To be printed", "Keizersgracht"):
            self.assertIn(words, notice.delivery_ways)
        notice._record_bounced("550 gone")
        self.assertEqual(notice.delivery_state, 'to_post', "The paper is still to go")
        self.assertIn("Came back", notice.delivery_ways)
        self.post_letters(notice, DUE)
        self.assertEqual(notice.delivery_state, 'posted')

    def test_what_others_wrote_is_shown_as_text(self):
        self.invoice()
        notice = self.mails_leave(self.dun(DUE), DUE)
        notice._record_bounced("<script>alert(1)</script>")
        self.assertNotIn("<script>", notice.delivery_ways)
        self.assertIn("&lt;script&gt;", notice.delivery_ways)

    def test_a_call_has_no_delivery(self):
        self.reminder.channel = 'phone'
        self.invoice()
        notice = self.dun(DUE)
        self.assertFalse(notice.delivery_state)
        self.assertFalse(notice.delivery_ways)

    def test_notices_are_found_by_what_became_of_them(self):
        self.invoice()
        notice = self.mails_leave(self.dun(DUE), DUE)
        self.assertIn(notice, self.env['dunning.notice'].search([('delivery_state', '=', 'handed_over')]))
        self.assertTrue(Form(notice).delivery_ways)

    # --- for real: a server takes the mail, a bounce comes back through Odoo's own gateway ---

    def deliver(self, notice, day):
        self.on(day, notice.mail_id.sudo()).send()
        self.env.invalidate_all()

    def come_back(self, sent, address, day):
        """Let the mail server of the debtor return a mail."""
        self.on(day, self.env['mail.thread'].sudo()).message_process(None, bounce_message(address, sent))
        self.env.invalidate_all()

    def test_a_bounce_sends_the_next_one_by_paper_and_says_so(self):
        boss = self.make_contact(self.business, "Dirk", type='director', email='dirk@debtor.example.com')
        self.reminder.recipient = 'director'
        self.business.email = False
        move = self.invoice()
        notice = self.dun(DUE, wait=True)
        self.deliver(notice, DUE)
        [(envelope, sent)] = self.sink.mails
        self.assertEqual(envelope.rcpt_tos, ['dirk@debtor.example.com'])
        self.assertEqual(notice.delivery_state, 'handed_over')

        self.come_back(sent, 'dirk@debtor.example.com', DUE + days(1))
        self.assertRecordValues(notice, [{'state': 'undelivered', 'delivery_state': 'bounced'}])
        self.assertIn("The mailbox is full", notice.delivery_ways)
        self.assertEqual(boss.dunning_email_bounced_on, DUE + days(1))
        self.assertFalse(move.dunning_level_id, "What nobody got does not count")

        again = self.make_notices(DUE + days(2))
        self.assertRecordValues(again, [{
            'level_id': self.reminder.id, 'recipient_id': boss.id, 'channel': 'letter', 'detour': 'bounced',
            'detour_bounced_on': DUE + days(1),
            'detour_text': "The e-mail address bounced on 9 Mar 2025: goes by letter."}])
        self.send(again, DUE + days(2))
        self.post_letters(again, DUE + days(2))
        self.assertRecordValues(again, [{'state': 'sent', 'delivery_state': 'posted'}])
        self.assertEqual(len(self.sink.mails), 1, "Nothing more is mailed to it")
        boss.email = 'dirk.new@debtor.example.com'
        self.assertEqual(again.detour_text, "The e-mail address bounced on 9 Mar 2025: goes by letter.", "As it was")
        day = again.deadline + days(self.demand.delay_days)
        self.demand.recipient = 'director'
        self.assertRecordValues(self.dun(day), [{'channel': 'email', 'recipient_id': boss.id, 'detour': False}])

    def test_an_address_refused_by_the_server_without_paper_gives_a_to_do(self):
        self.business.write(no_address(email='gone@debtor.example.com'))
        self.invoice()
        notice = self.dun(DUE, wait=True)
        with mute_logger('odoo.addons.mail.models.mail_mail', 'odoo.addons.base.models.ir_mail_server'):
            self.deliver(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'undelivered', 'delivery_state': 'bounced'}])
        self.assertFalse(self.make_notices(DUE + days(1)))
        todo = self.business.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref(ACTIVITY))
        self.assertEqual(len(todo), 1)
        self.assertIn("bounced on 8 Mar 2025", todo.note)
