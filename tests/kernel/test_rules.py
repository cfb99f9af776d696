"""The 24 complaints people have about reminder software, each turned into a rule that is kept here.

One short story per rule, whole: from the invoice to what left or did not. The details of each are in the
tests of the part it belongs to.
"""

import re
from email.message import EmailMessage

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ...models.kernel.formats import letter_day
from ...models.sending import dunning_run_check
from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)  # the day on which the reminder of an invoice that is due today goes out


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTwentyFourRules(DunningCommon):

    def receipt(self, amount, on, **values):
        """A line of the bank that nobody matched."""
        return self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': on, 'amount': amount, 'payment_ref': "Receipt", **values})

    def place(self, target, kind, until, on=TODAY, **values):
        reason = self.env.ref(f'l10n_nl_dunning.hold_reason_{kind}')
        field = {'account.move': 'move_id', 'account.move.line': 'move_line_id', 'res.partner': 'partner_id'}
        return self.on(on, self.env['dunning.hold']).create({
            field[target._name]: target.id, 'reason_id': reason.id, 'date_end': until, **values})

    def test_rule_01_no_reminder_crosses_a_payment(self):
        """Paid after it was planned, old bank data, or a receipt nobody matched: nothing leaves."""
        paid, unmatched = self.invoice(), self.invoice(self.make_debtor("Ander BV"), amount=321.99)
        self.receipt(-1.0, DUE)
        notices = self.make_notices(DUE)
        self.pay(paid, on=DUE)
        self.receipt(321.99, DUE)
        self.send(notices, DUE)
        self.assertFalse(notices.mail_id)
        self.assertEqual(self.notices_of(paid).state, 'cancelled')
        self.assertRegex(self.notices_of(unmatched).waiting_reason, "(?i)receipt|ontvangst")
        later = self.invoice(self.make_debtor("Later BV"), due=DUE)
        self.assertEqual(self.reason(later, DUE + days(30)), 'bank_stale')

    def test_rule_02_credits_are_netted_and_shown(self):
        self.invoice(amount=100)
        self.credit_note(amount=30)
        notice = self.dun(DUE)
        self.assertEqual((notice.amount_residual, notice.amount_netted, notice.amount_due), (100, 30, 70))
        self.assertRegex(notice.mail_items, r"30[.,]00")
        self.credit_note(self.make_debtor("Vol BV"), amount=100)
        covered = self.invoice(self.env['res.partner'].search([('name', '=', "Vol BV")]), amount=100)
        self.assertEqual(self.reason(covered, DUE), 'netted')

    def test_rule_03_what_is_disputed_is_neither_chased_nor_handed_over(self):
        whole, part = self.invoice(), self.invoice(self.make_debtor("Deels BV"), amount=100)
        self.place(whole, 'dispute', TODAY + days(30))
        self.place(part, 'dispute', TODAY + days(30), amount=40)
        self.assertEqual(self.reason(whole, DUE), 'hold')
        self.assertEqual(self.decision(part, DUE).amount_due, 60, "The rest goes on")
        self.use_policy(self.make_policy("Hand over", [{'name': "Hand over", 'channel': 'task', 'delay_days': 5}]))
        self.assertEqual(self.reason(part, DUE), 'open_dispute')
        self.assertEqual(self.reason(part, TODAY + days(90)), 'open_dispute', "Also after its end, until it is settled")

    def test_rule_04_a_promise_stops_reminders(self):
        """Until its day and the days a bank takes; then the next step, softly, and it counts as broken."""
        promised, other = self.invoice(amount=100), self.invoice(amount=50, due=TODAY + days(1))
        day = TODAY + days(8)
        promise = self.on(TODAY, self.env['dunning.promise'])._make(
            self.company, self.business, day, 100.0, self.items(promised), self.env.user)
        self.assertEqual(self.reason(promised, DUE), 'hold')
        self.assertEqual(self.reason(other, DUE + days(1)), 'due', "Exactly its items")
        after = promise.grace_date + days(1)
        self.assertGreater(promise.grace_date, day)
        self.on(after, self.env['dunning.promise'])._judge(self.company, after)
        self.assertEqual(promise.state, 'broken')
        self.assertNotEqual(self.reason(promised, after), 'due', "Nothing fires on the day it is broken")
        self.assertEqual(self.reason(promised, after + days(10)), 'due')

    def test_rule_05_nothing_bursts_after_an_import_or_a_hold(self):
        """What was overdue before the start is a proposal; and a hold that ends lands softly."""
        self.ladder.approval = 'automatic'
        self.company.dunning_start_date = TODAY
        old = self.invoice(due=TODAY - days(300))
        new = self.invoice(self.make_debtor("Nieuw BV"), due=TODAY)
        self.make_notices(DUE)
        self.assertEqual(self.notices_of(old).state, 'draft')
        self.assertEqual(self.notices_of(new).state, 'queued')
        held = self.invoice(self.make_debtor("Stil BV"), due=TODAY)
        hold = self.place(held, 'internal', TODAY + days(20))
        self.on(DUE + days(5), hold)._close("Found it.")
        self.assertEqual(self.reason(held, DUE + days(5)), 'hold_ended')
        later = self.decision(held, DUE + days(30))
        self.assertEqual(later.level_id, self.reminder.id, "No step was skipped meanwhile")

    def test_rule_06_the_right_contact_and_only_him(self):
        """Each level has its addressee, and no other contact of the debtor hears of it."""
        self.make_contact(self.business, "Inkoop", email='buyer@debtor.example.com')
        books = self.make_contact(self.business, "Boekhouding", type='dunning', email='books@debtor.example.com')
        boss = self.make_contact(self.business, "Directie", type='director', email='boss@debtor.example.com')
        self.final.recipient = 'director'
        self.invoice()
        reminder = self.dun(DUE)
        self.assertEqual((reminder.recipient_id, reminder.mail_id.email_to), (books, books.email_formatted))
        self.dun(DUE + days(14))
        final = self.dun(DUE + days(22))
        self.assertEqual(final.level_id, self.final)
        self.assertEqual((final.recipient_id, final.mail_id.email_to), (boss, boss.email_formatted))

    def test_rule_07_one_message_however_many_invoices(self):
        for back in range(30):
            self.invoice(due=TODAY - days(back), amount=10)
        self.assertEqual(len(self.dun(DUE)), 1)
        # Later ones, at another step, on the same day: still one.
        self.invoice(due=TODAY + days(14))
        self.assertEqual(len(self.dun(TODAY + days(19))), 1)
        # And not more than so many in a week.
        self.company.dunning_contacts_per_week = 1
        late = self.invoice(due=TODAY + days(15))
        self.assertEqual(self.reason(late, TODAY + days(20)), 'contact_budget')

    def test_rule_08_small_amounts_are_left_alone(self):
        self.ladder.minimum_amount = 25
        first = self.invoice(amount=15)
        self.assertEqual(self.reason(first, DUE), 'below_minimum')
        second = self.invoice(amount=15)
        self.assertEqual(self.reason(second, DUE), 'due', "Together they are worth a letter")
        self.assertEqual(len(self.dun(DUE)), 1)

    def test_rule_09_quiet_days_are_kept_and_caught_up_once(self):
        self.company.dunning_quiet = True
        sunday = TODAY + days(6)
        self.assertEqual(sunday.weekday(), 6)
        move = self.invoice(due=TODAY + days(1))
        notice = self.make_notices(sunday)
        self.send(notice, sunday)
        self.assertEqual(notice.state, 'queued')
        self.send(notice, sunday + days(1))
        self.assertEqual(notice.state, 'sent')
        self.send(notice, sunday + days(1))
        self.assertEqual(self.env['mail.mail'].search_count([('model', '=', 'dunning.notice')]), 1)
        self.assertEqual(self.notices_of(move), notice)

    def test_rule_10_a_missed_day_is_made_up_and_nothing_is_sent_twice(self):
        """Nobody ran anything for a week; then it runs three times."""
        move = self.invoice()
        late = DUE + days(7)
        for _run in range(3):
            self.dun(late)
        self.assertEqual(self.notices_of(move).mapped('state'), ['sent'])
        self.assertEqual(self.notices_of(move).date, late)

    def test_rule_11_never_for_nothing_and_never_a_flood(self):
        zero, credit = self.invoice(amount=100), self.credit_note(amount=20, on=TODAY)
        self.pay(zero)
        self.assertEqual(self.reason(zero, DUE), 'settled')
        self.assertEqual(self.reason(credit, DUE), 'credit')
        self.ladder.approval = 'automatic'
        self.patch(dunning_run_check, 'LARGE_DAY', 5)
        for number in range(6):
            self.invoice(self.make_debtor(f"Klant{number} BV"), due=TODAY)
        notices = self.make_notices(DUE)
        self.env.flush_all()
        run = self.on(DUE, self.env['dunning.run'])
        run.env['dunning.dispatcher'].with_company(self.company)._dispatch(
            run.env['dunning.notice'].search(run._get_queue_domain()))
        self.assertEqual(set(notices.mapped('state')), {'draft'})
        self.assertIn("6 reminders would leave", "".join(self.company.partner_id.activity_ids.mapped('note')))

    def test_rule_12_what_bounced_did_not_arrive(self):
        """Its level is taken back, the address is marked, and paper follows."""
        move = self.invoice()
        notice = self.mails_leave(self.dun(DUE), DUE)
        self.assertEqual(move.dunning_level_id, self.reminder)
        # As the mail gateway does; `test_mail` and `test_delivery` do it with a real message.
        self.on(DUE + days(1), notice.mail_message_id.sudo().notification_ids).write(
            {'notification_status': 'bounce', 'failure_type': 'mail_bounce'})
        notice.invalidate_recordset()
        self.assertEqual(notice.state, 'undelivered')
        self.assertFalse(move.dunning_level_id)
        self.assertEqual(self.decision(move, DUE + days(1)).channel, 'letter')

    def test_rule_13_two_systems_that_remind_are_noticed(self):
        self.ladder.approval = 'automatic'
        self.env['ir.module.module'].create({
            'name': 'account_followup', 'shortdesc': "Payment Follow-up Management", 'state': 'installed'})
        self.invoice()
        self.assertEqual(self.make_notices(DUE).state, 'draft')
        self.assertIn("Follow-up", self.env['dunning.send'].create({'at_date': DUE}).rival_names)

    def test_rule_14_costs_neither_vanish_nor_stick(self):
        """The debtor pays the bare invoice: what was claimed on top stays visible until it is paid or waived."""
        claiming = self.make_policy("Booked", [{
            'name': "Demand", 'delay_days': 5, 'payment_term_days': 7, 'with_interest': True, 'with_costs': True,
        }], debtor_type='business', claim_booking='booked')
        self.use_policy(claiming)
        move = self.invoice(amount=1000)
        notice = self.dun(DUE)
        booking = notice.booking_ids
        self.pay(move, on=DUE + days(1))
        self.assertEqual(booking.amount_residual, notice.amount_costs + notice.amount_interest)
        self.on(DUE + days(2), notice)._credit_bookings("Agreed by telephone")
        self.assertEqual(booking.amount_residual, 0)

    def test_rule_15_the_level_follows_from_what_is_open(self):
        move = self.invoice()
        self.dun(DUE)
        self.assertEqual((move.dunning_level_id, self.business.dunning_level_id), (self.reminder, self.reminder))
        self.pay(move)
        move.invalidate_recordset()
        self.business.invalidate_recordset()
        self.assertFalse(move.dunning_level_id)
        self.assertFalse(self.business.dunning_level_id)
        self.unpay(move)
        move.invalidate_recordset()
        self.assertEqual(move.dunning_level_id, self.reminder, "The payment bounced: it was reminded of before")

    def test_rule_16_what_a_person_changed_stays(self):
        """His choice of channel and note on a proposal survives every run until it leaves."""
        self.invoice()
        notice = self.make_notices(DUE)
        self.on(DUE, notice).write({'channel': 'letter', 'note': "Wants paper."})
        for _day in range(3):
            self.make_notices(DUE + days(_day))
        self.assertEqual((notice.channel, notice.note), ('letter', "Wants paper."))
        self.send(notice, DUE + days(3))
        self.assertEqual(notice.state, 'to_post')

    def test_rule_17_no_letter_speaks_of_one_that_never_left(self):
        move = self.invoice()
        planned = self.make_notices(DUE)
        self.assertFalse(move.dunning_level_id)
        self.on(DUE, planned).action_cancel()
        first = self.dun(DUE + days(1))
        self.assertEqual(first.level_id, self.reminder)
        self.assertFalse(first.history_text)
        second = self.make_notices(DUE + days(15))
        self.assertEqual(second.level_id, self.demand)
        self.assertIn(letter_day(self.env, first.date, second.lang), second.history_text)

    def test_rule_18_what_was_set_aside_is_not_forgotten(self):
        move = self.invoice(amount=250)
        with self.assertRaises(ValidationError, msg="Every hold ends"):
            self.place(move, 'internal', False)
        hold = self.place(move, 'internal', TODAY + days(20))
        self.assertIn("250", self.env['dunning.hold.report']._tell_parked(self.company, TODAY).summary)
        self.make_notices(TODAY + days(21))
        self.assertTrue(hold.closed_on)
        self.assertTrue(hold.activity_ids, "Its owner is told when it ends")

    def test_rule_19_nothing_looks_like_phishing(self):
        """From our own address, with our own account number and no other, and no link to elsewhere."""
        bank = self.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id})
        self.bank_journal.bank_account_id = bank
        self.invoice()
        mail = self.dun(DUE).mail_id
        self.assertIn('test.example.com', mail.email_from)
        ibans = {re.sub(r'\W', '', iban) for iban in re.findall(r'NL\d\d\s?[A-Z]{4}[\s\d]{10,14}', mail.body_html)}
        self.assertLessEqual(ibans, {'NL91ABNA0417164300'})
        base = self.company.get_base_url()
        links = re.findall(r'href="(https?://[^"]+)"', mail.body_html)
        self.assertFalse([link for link in links if not link.startswith(base) and 'odoo.com' not in link])

    def test_rule_20_a_good_customer_is_looked_at_first(self):
        self.ladder.approval = 'automatic'
        self.business.dunning_review = True
        self.invoice()
        notice = self.make_notices(DUE)
        self.assertEqual(notice.state, 'draft')
        self.on(DUE, notice).action_approve()
        self.assertEqual(notice.state, 'queued')

    def test_rule_21_it_runs_without_set_up_and_is_tried_on_ones_own_history(self):
        """The shipped ladders are there with texts in both languages; the time machine shows what they would do."""
        for name in ('policy_business', 'policy_consumer', 'policy_7_15_30', 'policy_neutral'):
            policy = self.env.ref(f'l10n_nl_dunning.{name}')
            self.assertGreaterEqual(len(policy.level_ids), 3)
            for lang in ('nl_NL', 'en_US'):
                self.assertTrue(all(policy.with_context(lang=lang).level_ids.mapped('subject')))
        self.company.dunning_policy_business_id = self.env.ref('l10n_nl_dunning.policy_business')
        self.invoice()
        before = self.env['dunning.notice'].search_count([])
        machine = self.on(TODAY, self.env['dunning.time.machine']).create({'date': TODAY + days(30)})
        rows = self.env['dunning.time.machine.row'].search(machine.action_show()['domain'])
        self.assertEqual(rows.policy_id, self.company.dunning_policy_business_id)
        self.assertEqual(self.env['dunning.notice'].search_count([]), before)

    def test_rule_22_paper_goes_in_one_pile_with_a_record_of_the_post(self):
        self.ladder.level_ids.channel = 'letter'
        for number in range(3):
            self.invoice(self.make_debtor(f"Papier{number} BV"))
        letters = self.dun(DUE)
        self.assertEqual(set(letters.mapped('state')), {'to_post'})
        with self.assertRaises(UserError, msg="What was not printed cannot have been posted"):
            self.on(DUE, letters).action_mark_posted()
        self.post_letters(letters, DUE + days(1))
        self.assertEqual(set(letters.mapped('posted_on')), {DUE + days(1)})
        self.assertEqual(letters.posted_by_id, self.env.user)

    def test_rule_23_what_is_missing_is_said_before_handing_over(self):
        self.use_policy(self.make_policy("Hand over", [
            {'name': "Reminder", 'delay_days': 5, 'payment_term_days': 5},
            {'name': "Hand over", 'channel': 'task', 'delay_days': 1, 'delay_from': 'previous_deadline'}]))
        move = self.invoice(self.make_debtor("Leeg BV", street=False))
        self.dun(DUE)
        task = self.dun(DUE + days(6))
        self.assertEqual(task.state, 'todo')
        self.assertEqual(len(task.dossier_gaps.splitlines()), 3)
        for missing in ("address", "company number", move.name):
            self.assertIn(missing, " ".join(task.with_context(lang='en_US')._get_dossier_gaps()))
        task.partner_id.write({'street': "Dam 1", 'company_registry': '12345678'})
        self.env['ir.attachment'].create({
            'name': 'invoice.pdf', 'raw': b'%PDF-1.4', 'res_model': 'account.move', 'res_id': move.id,
            'res_field': 'invoice_pdf_report_file'})
        self.env.invalidate_all()
        self.assertFalse(task.dossier_gaps)

    def test_rule_24_who_answers_is_read_first(self):
        move = self.invoice()
        notice = self.dun(DUE)
        mail = EmailMessage()
        mail['From'], mail['To'], mail['Subject'] = self.business.email, 'catchall@test.example.com', "Re: reminder"
        mail['Message-Id'] = '<rule-24@debtor.example.com>'
        mail['In-Reply-To'] = mail['References'] = notice.mail_message_id.message_id
        mail.set_content("This was never delivered.")
        # sudo: the mail gateway
        self.on(DUE, self.env['mail.thread'].sudo()).message_process(None, mail.as_bytes())
        self.assertEqual(self.reason(move, DUE + days(1)), 'hold')
        self.assertTrue(notice.activity_ids)


# One line of `RULES` per complaint: a rule without a test, or a test that lost its rule, is a mistake.
@tagged('post_install_l10n', 'post_install', '-at_install')
class TestEveryRuleHasATest(DunningCommon):

    def test_all_24(self):
        names = [name for name in dir(TestTwentyFourRules) if name.startswith('test_rule_')]
        self.assertEqual([int(name[10:12]) for name in sorted(names)], list(range(1, 25)))
