"""The send wizard and the first-run wizard: what a person sees is what leaves."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from ...wizards.sending import dunning_start
from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)


class WizardCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, 'clerk', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])

    def open(self, records, at_date=DUE):
        """Open the wizard as the clerk does, with the button above a list."""
        action = self.on(at_date, records.with_user(self.clerk)).action_dunning_send()
        return self.on(at_date, self.env[action['res_model']].with_user(self.clerk)).browse(action['res_id'])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSend(WizardCommon):

    def test_it_tells_what_goes_out_and_what_does_not_and_why(self):
        other = self.make_debtor("Other BV")
        due = self.invoice(amount=100) + self.invoice(amount=50)
        paid = self.invoice(other)
        self.pay(paid)
        waiting = self.invoice(other, due=TODAY + days(3))
        unsent = self.invoice(other, sent=False)
        wizard = self.open(due + paid + waiting + unsent)
        self.assertRecordValues(wizard.group_ids, [{
            'partner_id': self.business.id, 'item_count': 2, 'amount_due': 150.0, 'channel': 'email',
            'level_id': self.reminder.id, 'selected': True, 'oldest_due_date': TODAY, 'problem': False}])
        self.assertEqual(
            {skip.move_id: skip.reason_code for skip in wizard.skip_ids},
            {paid: 'settled', waiting: 'waiting_delay', unsent: 'not_sent'})
        self.assertTrue(all(wizard.skip_ids.mapped('reason')))
        self.assertEqual(
            wizard.skip_ids.filtered(lambda skip: skip.move_id == waiting).next_date, TODAY + days(8))
        # Nothing was made by looking.
        self.assertFalse(self.notices_of(due))

    def test_sending_now_sends_what_was_shown(self):
        invoice = self.invoice()
        wizard = self.open(invoice)
        result = wizard.action_send_now()
        notice = self.notices_of(invoice)
        self.assertRecordValues(notice, [{
            'state': 'leaving', 'origin': 'manual', 'author_id': self.clerk.id, 'forced': False, 'date': DUE}])
        self.assertEqual(result['type'], 'ir.actions.client')
        self.accept(notice, DUE)
        self.assertEqual(invoice.dunning_level_id, self.reminder)
        self.assertEqual(notice.mail_message_id.author_id, self.clerk.partner_id)

    def test_queueing_leaves_it_to_the_scheduled_action(self):
        invoice = self.invoice()
        cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').sudo()
        before = self.env['ir.cron.trigger'].sudo().search_count([('cron_id', '=', cron.id)])
        self.open(invoice).action_queue()
        self.assertEqual(self.notices_of(invoice).state, 'queued')
        self.assertEqual(self.env['ir.cron.trigger'].sudo().search_count([('cron_id', '=', cron.id)]), before + 1)

    def test_paid_while_the_window_was_open_does_not_leave(self):
        invoice = self.invoice()
        wizard = self.open(invoice)
        self.pay(invoice)
        with self.assertRaises(UserError):
            wizard.action_send_now()
        self.assertFalse(self.notices_of(invoice))

    def test_partly_paid_while_the_window_was_open_leaves_for_the_rest(self):
        invoice = self.invoice()
        wizard = self.open(invoice)
        self.pay(invoice, 40)
        wizard.action_send_now()
        self.assertEqual(self.notices_of(invoice).amount_due, 60.0)

    def test_sent_by_somebody_else_while_the_window_was_open_is_not_sent_twice(self):
        invoice = self.invoice()
        first, second = self.open(invoice), self.open(invoice)
        first.action_send_now()
        with self.assertRaises(UserError):
            second.action_send_now()
        self.assertEqual(len(self.notices_of(invoice)), 1)

    def test_a_double_click_sends_once(self):
        invoice = self.invoice()
        wizard = self.open(invoice)
        wizard.action_send_now()
        with self.assertRaises(UserError):
            wizard.action_send_now()
        self.assertEqual(len(self.notices_of(invoice)), 1)

    def test_what_is_not_selected_does_not_leave(self):
        other = self.make_debtor("Other BV")
        invoices = self.invoice() + self.invoice(other)
        wizard = self.open(invoices)
        wizard.group_ids.filtered(lambda group: group.partner_id == other).selected = False
        wizard.action_send_now()
        self.assertEqual(self.notices_of(invoices).partner_id, self.business)
        wizard.group_ids.selected = False
        with self.assertRaises(UserError):
            wizard.action_send_now()

    def test_the_channel_chosen_in_the_window_is_used(self):
        invoice = self.invoice()
        wizard = self.open(invoice)
        wizard.group_ids.channel = 'letter'
        wizard.action_send_now()
        self.assertRecordValues(self.notices_of(invoice), [{'channel': 'letter', 'state': 'to_post'}])

    def test_a_letter_to_a_debtor_without_email_address_can_be_chosen(self):
        invoice = self.invoice()
        wizard = self.open(invoice)
        self.business.email = False
        wizard.invalidate_recordset()
        self.assertTrue(wizard.group_ids.problem)
        wizard.group_ids.channel = 'letter'
        self.assertFalse(wizard.group_ids.problem)
        wizard.action_send_now()
        self.assertRecordValues(self.notices_of(invoice), [{'channel': 'letter', 'state': 'to_post'}])

    def test_ahead_of_time_takes_along_what_waits_but_nothing_that_is_not_owed(self):
        waiting = self.invoice(due=TODAY + days(3))
        future = self.invoice(due=DUE + days(1))
        paid = self.invoice()
        self.pay(paid)
        wizard = self.open(waiting + future + paid)
        self.assertFalse(wizard.group_ids)
        wizard.action_toggle_ahead()
        self.assertEqual(wizard.group_ids.item_ids, self.items(waiting))
        self.assertEqual(
            {skip.move_id: skip.reason_code for skip in wizard.skip_ids}, {future: 'not_due', paid: 'settled'})
        wizard.action_send_now()
        self.assertRecordValues(self.notices_of(waiting), [{'state': 'leaving', 'forced': True}])
        wizard.action_toggle_ahead()
        self.assertFalse(wizard.ahead)

    def test_from_debtors_all_their_overdue_items_in_these_companies(self):
        invoices = self.invoice() + self.invoice(due=TODAY - days(9))
        contact = self.make_contact(self.business, "Ann")
        wizard = self.open(contact)
        self.assertEqual(wizard.group_ids.item_ids, self.items(invoices))

    def test_proposals_are_shown_as_what_can_go_out(self):
        invoice = self.invoice()
        proposal = self.make_notices(DUE)
        for records in (invoice, proposal, self.business):
            wizard = self.open(records)
            self.assertEqual(wizard.group_ids.notice_id, proposal)
            self.assertFalse(wizard.skip_ids)
        wizard.group_ids.channel = 'letter'
        wizard.action_send_now()
        self.assertRecordValues(proposal, [{'state': 'to_post', 'channel': 'letter', 'author_id': self.clerk.id}])
        self.assertEqual(self.notices_of(invoice), proposal)

    def test_nothing_to_remind_is_said_at_once(self):
        for records in (self.make_debtor("Nobody BV"), self.env['account.move']):
            with self.assertRaises(UserError):
                self.open(records)

    def test_a_failure_is_told_and_the_others_leave(self):
        other = self.make_debtor("Other BV")
        invoices = self.invoice() + self.invoice(other)
        wizard = self.open(invoices)
        group = wizard.group_ids.filtered(lambda group: group.partner_id == other)
        other.write({'email': False, 'street': False})
        group.channel = 'letter'
        result = wizard.action_send_now()
        self.assertEqual(result['params']['type'], 'warning')
        self.assertEqual(
            {notice.partner_id: notice.state for notice in self.notices_of(invoices)},
            {self.business: 'leaving', other: 'error'})
        self.assertIn("postal address", self.notices_of(invoices[1]).error_message)

    def test_the_form_opens_for_a_clerk(self):
        wizard = self.open(self.invoice())
        with Form(wizard) as form:
            self.assertEqual(len(form.group_ids), 1)

    def test_many_invoices_take_few_queries(self):
        debtors = [self.make_debtor(f"Debtor{number} BV") for number in range(12)]
        moves = self.env['account.move'].create([{
            'move_type': 'out_invoice', 'partner_id': debtor.id, 'invoice_date': TODAY - days(30),
            'invoice_date_due': TODAY, 'invoice_payment_term_id': False,
            'invoice_line_ids': [Command.create({'name': "x", 'price_unit': 10, 'tax_ids': [Command.clear()]})],
        } for debtor in debtors])
        moves.action_post()
        moves.is_move_sent = True

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.open(records)
            return self.env.cr.sql_log_count - before

        count(moves[:1])
        self.assertLessEqual(count(moves[2:]), count(moves[:2]) + 10)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestStart(WizardCommon):
    """The first run does not burst."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env, 'boss', groups='account.group_account_manager', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])

    def wizard(self, **values):
        return self.on(TODAY, self.env['dunning.start'].with_user(self.manager).with_company(self.company)).create(
            values)

    def test_it_counts_what_is_overdue_before_anything_starts(self):
        self.invoice(due=TODAY - days(10), amount=100)
        self.invoice(self.make_debtor("Other BV"), due=TODAY - days(20), amount=50)
        self.invoice(due=TODAY - days(500), amount=7)
        self.invoice(due=TODAY, amount=1000)
        self.patch(dunning_start, 'BACKLOG_DAILY', 1)
        wizard = self.wizard(start_date=TODAY, oldest_due_date=TODAY - days(365))
        self.assertRecordValues(wizard, [{
            'backlog_count': 2, 'backlog_debtors': 2, 'backlog_amount': 150.0, 'old_count': 1, 'old_amount': 7.0,
            'backlog_days': 2}])

    def test_a_manager_stores_the_choices(self):
        policy = self.make_policy("Chosen", [{}])
        self.wizard(
            start_date=TODAY, oldest_due_date=TODAY - days(100), policy_business_id=policy.id,
        ).action_start()
        self.assertRecordValues(self.company, [{
            'dunning_start_date': TODAY, 'dunning_oldest_due_date': TODAY - days(100),
            'dunning_policy_business_id': policy.id}])

    def test_a_newcomer_sees_what_is_missing_and_has_proposals_at_once(self):
        """What letters need is ticked off; what is due today is proposed without waiting for the morning."""
        invoice = self.invoice(due=TODAY - days(10))
        self.company.write({'email': False})
        banks = self.company.partner_id.bank_ids
        banks.active = False
        wizard = self.wizard(start_date=TODAY, policy_business_id=self.ladder.id)
        lacks = [check['text'] for check in wizard._get_checks() if not check['done']]
        self.assertTrue(any("no bank account" in text for text in lacks), lacks)
        self.assertTrue(any("no e-mail address" in text for text in lacks), lacks)
        self.company.email = 'finance@korst.example.org'
        self.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id})
        left = [check['text'] for check in wizard._get_checks() if not check['done']]
        self.assertFalse([text for text in left if "bank account" in text or "e-mail address" in text], left)
        self.assertIn('fa-check-circle', wizard.checklist_html)
        wizard.action_start_now()
        notice = self.env['dunning.notice'].search([('line_ids.move_id', '=', invoice.id)])
        self.assertEqual(notice.state, 'draft', "What was overdue before the start is proposed, not sent")
        self.assertFalse(notice.maker_ids, "The manager may approve it")

    def test_another_company_than_those_of_the_manager_is_refused(self):
        other = self.env['res.company'].create({'name': "Other"})
        with self.assertRaises(UserError):
            wizard = self.wizard()
            wizard.sudo().company_id = other
            wizard.action_start()

    def test_a_company_made_today_starts_calmly(self):
        company = self.env['res.company'].with_context(dunning_at_date=TODAY).create({
            'name': "New", 'country_id': self.env.ref('base.nl').id})
        self.assertRecordValues(company, [{
            'dunning_start_date': TODAY, 'dunning_oldest_due_date': TODAY - days(365),
            'dunning_policy_business_id': self.env.ref('l10n_nl_dunning.policy_business').id,
            'dunning_policy_consumer_id': self.env.ref('l10n_nl_dunning.policy_consumer').id}])
