"""When was the invoice sent? Nobody is late with what he has not seen."""

from datetime import date

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestInvoiceSent(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref('account.group_account_manager')

    def mark(self, moves, day):
        """A person says when invoices were sent, on that day."""
        action = self.on(day, moves).action_dunning_mark_sent()
        wizard = self.on(day, self.env['dunning.invoice.sent'].browse(action['res_id']))
        self.assertEqual(wizard.day, day)
        wizard.action_confirm()

    def send_invoice(self, move, day, methods=('email',)):
        """The window of core: it makes the PDF, and perhaps a mail."""
        self.env.ref('base.EUR').active = True
        with mute_logger('odoo.addons.base.models.ir_actions_report'):
            self.on(day, self.env['account.move.send'])._generate_and_send_invoices(
                self.on(day, move), sending_methods=set(methods))
        return self.env['mail.mail'].sudo().search([('mail_message_id', '=', move.dunning_sent_message_id.id)])

    # --- from when it counts ---

    def test_the_agreed_term_runs_from_the_day_it_was_sent(self):
        move = self.invoice(due=TODAY - days(30), sent=False)  # thirty days after its date
        self.assertEqual(self.reason(move), 'not_sent')
        self.mark(move, TODAY)
        self.assertEqual(self.reason(move), 'not_due')
        decision = self.decision(move)
        self.assertEqual((decision.due_date, decision.level_date), (TODAY + days(30), TODAY + days(35)))
        self.assertEqual(self.reason(move, TODAY + days(35)), 'due')
        self.assertEqual(self.items(move)._get_dunning_due_date(), TODAY + days(30))
        self.assertEqual(self.on(TODAY + days(33), move).dunning_days_overdue, 3)

    def test_nobody_calls_it_overdue_before(self):
        """Contact, filters, claim and page know the same day as the ladder."""
        move = self.invoice(due=TODAY - days(30), sent=False)
        self.mark(move, TODAY)
        debtor, Move = self.business, self.env['account.move']
        page = debtor._get_dunning_page(self.company).sudo()
        for day, late in ((TODAY + days(30), False), (TODAY + days(31), True)):
            with self.subTest(day=day):
                partner = self.on(day, debtor.with_company(self.company))
                partner.invalidate_recordset()
                self.assertEqual(
                    (partner.dunning_items_overdue, partner.dunning_days_overdue), (1, 1) if late else (0, 0))
                self.assertEqual(debtor in partner.search([
                    ('dunning_amount_overdue', '>', 0)]), late)
                self.assertEqual(move in self.on(day, Move).search([('dunning_days_overdue', '>', 0)]), late)
                self.assertEqual(
                    self.items(move) in self.on(day, self.items(move)).search([('dunning_days_overdue', '>', 0)]), late)
                claim = self.on(day, self.env['dunning.claim'].with_company(self.company))
                self.assertEqual(self.items(move) in claim._get_claim_items(debtor, day), late)
                shown = self.on(day, page)._get_debt()
                self.assertEqual(move in [row['move'] for row in shown['upcoming']], not late)

    def test_each_instalment_is_later(self):
        move = self.invoice(instalments=[(50, TODAY - days(30)), (50, TODAY)], sent=False)
        self.mark(move, TODAY)
        due = [decision.due_date for decision in self.plan(items=self.items(move)).values()]
        self.assertEqual(due, [TODAY + days(30), TODAY + days(60)])

    def test_sent_on_its_date_or_before_changes_nothing(self):
        move = self.invoice(due=TODAY)
        for day in (move.invoice_date, move.invoice_date - days(3)):
            move.dunning_sent_on = day
            self.assertEqual(self.decision(move, TODAY + days(5)).due_date, TODAY)

    def test_no_interest_over_days_before_it_was_sent(self):
        self.use_policy(self.env.ref('l10n_nl_dunning.policy_business'))
        move = self.invoice(due=date(2024, 5, 7), amount=1000, sent=False)
        self.mark(move, TODAY)
        Claim = self.env['dunning.claim']
        late = TODAY + days(30)  # due then
        self.assertEqual(Claim._compute(self.items(move), late).interest, 0)
        interest = Claim._compute(self.items(move), late + days(73)).interest
        self.assertTrue(0 < interest < 30, interest)

    def test_a_later_day_takes_back_what_was_told(self):
        move = self.invoice()
        notice = self.dun(TODAY + days(5))
        self.on(TODAY + days(6), move).dunning_sent_on = TODAY
        self.make_notices(TODAY + days(6))
        self.assertEqual(notice.line_ids.status, 'void')
        self.assertEqual(self.decision(move, TODAY + days(6)).due_date, TODAY + days(30))

    # --- what sending is ---

    def test_its_mail_was_accepted(self):
        move = self.invoice(due=TODAY + days(30), invoice_date=TODAY, sent=False)
        mail = self.send_invoice(move, TODAY)
        self.assertTrue(move.is_move_sent, "As core has it")
        self.assertEqual((move.dunning_sent_state, move.dunning_sent_on), ('waiting', False))
        self.assertEqual(self.reason(move, TODAY + days(40)), 'sending_uncertain')
        mail.state = 'sent'
        self.on(TODAY + days(2), mail)._postprocess_sent_message(success_pids=move.partner_id.ids, success_emails=[])
        self.assertEqual((move.dunning_sent_state, move.dunning_sent_on), ('mailed', TODAY + days(2)))
        self.assertEqual(self.decision(move, TODAY + days(40)).due_date, TODAY + days(32))
        self.assertIn("accepted", move.dunning_sent_text)
        # A copy makes it no later.
        self.send_invoice(move, TODAY + days(20))
        self.assertEqual((move.dunning_sent_state, move.dunning_sent_on), ('mailed', TODAY + days(2)))

    def test_its_mail_failed_or_came_back(self):
        for status in ('exception', 'bounce'):
            with self.subTest(status):
                move = self.invoice(invoice_date=TODAY, due=TODAY + days(14), sent=False)
                mail = self.send_invoice(move, TODAY)
                notifications = move.dunning_sent_message_id.sudo().notification_ids
                if status == 'bounce':
                    mail.state = 'sent'
                    self.on(TODAY, mail)._postprocess_sent_message(
                        success_pids=move.partner_id.ids, success_emails=[])
                    self.assertEqual(move.dunning_sent_on, TODAY)
                    notifications.write({'notification_status': 'bounce', 'failure_type': 'mail_bounce'})
                else:
                    mail.state = 'exception'
                    self.on(TODAY, mail)._postprocess_sent_message(
                        success_pids=[], success_emails=[], failure_type='unknown', failure_reason="554 Spam")
                self.assertEqual((move.dunning_sent_state, move.dunning_sent_on), ('failed', False))
                self.assertEqual(self.reason(move, TODAY + days(40)), 'sending_failed')
                self.assertIn("has not got it", self.assertExplained(self.decision(move, TODAY + days(40))))
                self.mark(move, TODAY + days(3))
                self.assertEqual(self.decision(move, TODAY + days(40)).due_date, TODAY + days(17))

    def test_printed_is_sent_when_somebody_confirms_it(self):
        move = self.invoice(invoice_date=TODAY, due=TODAY + days(14), sent=False)
        self.send_invoice(move, TODAY, methods=('manual',))
        self.assertTrue(move.is_move_sent, "As core has it")
        self.assertEqual(self.reason(move, TODAY + days(40)), 'sending_uncertain')
        self.mark(move, TODAY + days(1))
        self.assertEqual(self.reason(move, TODAY + days(40)), 'due')

    def test_a_network_delivered_it(self):
        move = self.invoice(invoice_date=TODAY, due=TODAY + days(14), sent=False)
        self.send_invoice(move, TODAY, methods=('manual',))
        self.on(TODAY, self.env['account.move.send'])._hook_if_success({
            self.on(TODAY, move): {'sending_methods': {'network'}}})
        self.assertEqual((move.dunning_sent_state, move.dunning_sent_on), ('delivered', TODAY))

    def test_what_was_marked_before_counts_from_its_date_and_says_so(self):
        move = self.invoice()
        self.assertFalse(move.dunning_sent_on)
        self.assertEqual(self.reason(move, TODAY + days(5)), 'due')
        self.assertIn("Assumed", move.dunning_sent_text)

    def test_a_person_enters_a_day_that_has_come(self):
        move = self.invoice(sent=False)
        action = self.on(TODAY, move).action_dunning_mark_sent()
        wizard = Form(self.on(TODAY, self.env['dunning.invoice.sent'].browse(action['res_id'])))
        wizard.day = TODAY + days(1)
        with self.assertRaisesRegex(UserError, "has not come yet"):
            wizard.save().action_confirm()
        self.assertFalse(move.is_move_sent)
        with self.assertRaisesRegex(UserError, "posted"):
            self.invoice(post=False, sent=False).action_dunning_mark_sent()
