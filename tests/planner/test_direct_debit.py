"""Invoices that are collected by direct debit wait for that, and what a bank returned is asked in friendly words."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import Date
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import html2plaintext

from ..common import TODAY, DunningCommon, days

#: A Monday; five bank days later it is Monday again.
DUE = TODAY
#: The first day on which something that was not collected can be reminded.
OVER = DUE + days(8)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDirectDebit(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.transfer = cls.bank_journal.inbound_payment_method_line_ids[:1]
        cls.debit = cls.transfer.copy({'name': "Direct debit", 'dunning_collects': True})
        cls.payer = cls.make_debtor("Incasso BV", lang='en_US')

    def collected(self, due=DUE, **values):
        return self.invoice(self.payer, due, preferred_payment_method_line_id=self.debit.id, **values)

    def bounced(self, invoice, text, on=date(2025, 4, 2), journal=None):
        """Return the item of a payment that went back, booked as an entry."""
        journal = journal or self.bank_journal
        move = self.env['account.move'].create({
            'journal_id': journal.id, 'date': on, 'ref': text, 'line_ids': [
                Command.create({
                    'account_id': self.receivable.id, 'debit': 100.0, 'name': text,
                    'partner_id': invoice.partner_id.id}),
                Command.create({'account_id': self.bank_journal.default_account_id.id, 'credit': 100.0})]})
        move.action_post()
        return self.items(move)

    def read_letter(self, notice):
        return ' '.join(html2plaintext(notice.body_intro).split())

    # --- it waits ---

    def test_what_will_be_collected_is_not_reminded(self):
        invoice = self.collected()
        for day in (DUE - days(20), DUE, DUE + days(7)):
            self.assertEqual(self.reason(invoice, day), 'direct_debit', day)
        decision = self.decision(invoice, DUE + days(7))
        self.assertEqual(decision.next_date, OVER)
        self.assertIn(self.env['dunning.planner']._fmt_date(OVER), self.assertExplained(decision))
        self.assertFalse(self.make_notices(DUE + days(7)))

    def test_five_bank_days_later_it_is_reminded_like_any_other(self):
        invoice = self.collected()
        self.assertEqual(self.reason(invoice, OVER), 'due')
        # Good Friday, Easter, 1 and 5 May are no bank days.
        for due, end in ((date(2025, 4, 17), date(2025, 4, 29)), (date(2025, 4, 30), date(2025, 5, 10))):
            self.assertEqual(self.decision(self.collected(due), due).next_date, end)

    def test_the_day_it_ends_is_the_day_it_names(self):
        """Of each due date around Easter and 1 May, the predicate and the date that is told agree."""
        for offset in range(21):
            invoice = self.collected(date(2025, 4, 14) + days(offset))
            end = self.decision(invoice, date(2025, 4, 1)).next_date
            self.assertEqual(self.reason(invoice, end - days(1)), 'direct_debit', invoice.invoice_date_due)
            self.assertNotEqual(self.reason(invoice, end), 'direct_debit', invoice.invoice_date_due)

    def test_an_invoice_that_was_sent_late_is_collected_later(self):
        invoice = self.collected()
        invoice.dunning_sent_on = invoice.invoice_date + days(14)
        self.assertEqual(self.reason(invoice, OVER + days(7)), 'direct_debit')
        self.assertEqual(self.decision(invoice, DUE).next_date, OVER + days(14))

    def test_the_method_of_the_invoice_counts_before_that_of_the_debtor(self):
        self.payer.property_inbound_payment_method_line_id = self.debit
        by_default, by_transfer, unknown = (self.invoice(self.payer, DUE) for _number in range(3))
        by_transfer.preferred_payment_method_line_id = self.transfer
        unknown.preferred_payment_method_line_id = False
        self.assertEqual(
            [self.reason(invoice, DUE + days(6)) for invoice in (by_default, by_transfer, unknown)],
            ['direct_debit', 'due', 'direct_debit'])

    def test_only_a_method_that_collects_says_so(self):
        invoice = self.collected()
        self.debit.dunning_collects = False
        self.assertEqual(self.reason(invoice, DUE + days(6)), 'due')
        self.debit.dunning_collects = True
        self.assertEqual(self.reason(invoice, DUE + days(6)), 'direct_debit')

    def test_nothing_more_is_asked_of_the_database(self):
        for _number in range(3):
            self.collected()
        Planner = self.env['dunning.planner']
        items = self.items(self.env['account.move'].search([('partner_id', '=', self.payer.id)]))
        Planner._plan(self.company, DUE, items=items)
        self.debit.dunning_collects = False
        Planner._plan(self.company, DUE, items=items)
        before = self.env.cr.sql_log_count
        Planner._plan(self.company, DUE, items=items)
        without = self.env.cr.sql_log_count - before
        self.debit.dunning_collects = True
        Planner._plan(self.company, DUE, items=items)
        with self.assertQueryCount(without):
            Planner._plan(self.company, DUE, items=items)

    def test_a_notice_that_waits_is_taken_off(self):
        invoice = self.invoice(self.payer, DUE)
        notice = self.make_notices(DUE + days(5))
        invoice.preferred_payment_method_line_id = self.debit
        self.send(notice, DUE + days(6))
        self.assertEqual(notice.state, 'cancelled')
        self.assertEqual(notice.line_ids.drop_reason, 'direct_debit')

    def test_the_past_knows_when_it_was_returned(self):
        invoice = self.collected()
        invoice._record_dunning_return(DUE + days(3))
        answer = self.on(DUE + days(10), invoice).get_dunning_reason(Date.to_string(DUE + days(2)))
        self.assertEqual([item['reason'] for item in answer], ['direct_debit'])

    # --- it was returned ---

    def test_a_return_ends_the_waiting(self):
        invoice, other = self.collected(), self.collected()
        action = self.on(DUE + days(6), invoice).action_dunning_return()
        form = Form(self.on(DUE + days(6), self.env['dunning.debit.return'].browse(action['res_id'])))
        form.reason = "AM04  insufficient funds"
        form.save().action_confirm()
        self.assertEqual(invoice.dunning_returned_on, DUE + days(6))
        self.assertEqual(invoice.dunning_return_reason, "AM04 insufficient funds")
        self.assertEqual(self.reason(invoice, DUE + days(6)), 'due')
        self.assertEqual(self.reason(invoice, DUE + days(7)), 'due')
        self.assertEqual(self.reason(other, DUE + days(6)), 'direct_debit')

    def test_a_return_that_has_not_come_yet_cannot_be_entered(self):
        invoice = self.collected()
        wizard = self.env['dunning.debit.return'].browse(self.on(DUE, invoice).action_dunning_return()['res_id'])
        wizard.day = DUE + days(1)
        with self.assertRaises(UserError):
            self.on(DUE, wizard).action_confirm()

    def test_only_accounting_enters_a_return(self):
        invoice = self.collected()
        seller = new_test_user(self.env, 'debit_seller', groups='base.group_user,base.group_partner_manager',
                               company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        with self.assertRaises(AccessError):
            invoice.with_user(seller).action_dunning_return()
        with self.assertRaises(AccessError):
            invoice.with_user(seller).dunning_returned_on = DUE

    def test_the_first_letter_says_it_in_friendly_words(self):
        invoice = self.collected()
        invoice._record_dunning_return(DUE + days(3), "AM04")
        notice = self.dun(DUE + days(6))
        text = self.read_letter(notice)
        self.assertTrue(text.startswith("Dear"), text)
        self.assertIn(
            f"Your bank returned the direct debit of invoice {invoice.name} on 6 March 2025, for this reason: there "
            "was not enough money on the account.", text)
        self.assertIn(notice.amount_text, text)
        for word in ("wrong", "unlawful", "not allowed", "Open:"):
            self.assertNotIn(word, text)
        self.assertEqual(notice.level_id, self.reminder, "The ladder starts at its first level")

    def test_the_next_letter_has_the_words_of_its_level(self):
        invoice = self.collected()
        invoice._record_dunning_return(DUE + days(3))
        self.dun(DUE + days(6))
        second = self.dun(DUE + days(30))
        self.assertEqual(second.level_id, self.demand)
        self.assertTrue(self.read_letter(second).startswith("Open:"))

    def test_what_was_told_before_the_return_stays_told(self):
        """Reminded because nothing was collected, then collected after all and returned: it goes on where it was."""
        invoice = self.collected()
        self.dun(OVER)
        invoice._record_dunning_return(OVER + days(5))
        notice = self.dun(OVER + days(20))
        self.assertEqual(notice.level_id, self.demand)
        self.assertNotIn("returned", self.read_letter(notice))

    def test_a_letter_about_other_items_as_well_keeps_its_words(self):
        invoice, other = self.collected(), self.invoice(self.payer, DUE)
        invoice._record_dunning_return(DUE + days(3))
        notice = self.dun(DUE + days(6))
        text = self.read_letter(notice)
        self.assertEqual(notice.line_ids.move_id, invoice | other)
        self.assertIn(f"Your bank returned the direct debit of invoice {invoice.name} on 6 March 2025.", text)
        self.assertIn("Open:", text)

    def test_a_role_in_law_keeps_its_words(self):
        self.reminder.letter_intro = (
            "<p t-out=\"object.salutation\"/><p>Open: <t t-out=\"object.amount_text\"/>. When you have not paid"
            " <t t-out=\"object.term_text\"/>, you will be in default.</p>")
        self.reminder.legal_role = 'default_notice'
        invoice = self.collected()
        invoice._record_dunning_return(DUE + days(3))
        notice = self.dun(DUE + days(6))
        text = self.read_letter(notice)
        self.assertLess(text.index("Dear"), text.index("Your bank returned"))
        self.assertLess(text.index("Your bank returned"), text.index("Open:"))

    def test_a_bank_writes_nothing_in_a_letter(self):
        """Of its reason the meaning of a code is told, and nothing else: nobody reads it before it leaves."""
        self.payer.write({'is_company': False, 'dunning_debtor_type': 'consumer'})
        invoice = self.collected()
        for text, meaning in (
            ("MD06 return within 8 weeks, EUR 40 & 15% costs", "you asked your bank for the money back"),
            ("Account closed <b>(ac04)</b>", "the account has been closed"),
            ("MD07 deceased", ""), ("Please pay € 40,00 at 12,5%", ""), ("MS03", ""), ("XAM04", ""), ("", ""),
        ):
            with self.subTest(text=text), self.env.cr.savepoint() as savepoint:
                invoice._record_dunning_return(DUE + days(3), text)
                notice = self.dun(DUE + days(6))
                self.assertEqual(notice.state, 'sent', notice.error_message)
                letter = self.read_letter(notice)
                self.assertIn(
                    f"invoice {invoice.name} on 6 March 2025" + (f", for this reason: {meaning}." if meaning else "."),
                    letter)
                for part in ("40", "%", "MD0", "ac04", "<b>", "deceased"):
                    self.assertNotIn(part, letter)
                savepoint.close(rollback=True)
            self.env.invalidate_all()

    # --- a payment that went back, booked as an entry ---

    def test_a_returned_payment_is_asked_under_the_number_of_its_invoice(self):
        invoice = self.invoice(self.payer, DUE)
        self.pay(invoice, on=DUE)
        item = self.bounced(invoice, f"STORNO {invoice.name}")
        self.assertEqual(item._get_dunning_identities()[item], (invoice.name, invoice.invoice_date))
        notice = self.dun(DUE + days(36))
        self.assertEqual(notice.line_ids.mapped('name'), [invoice.name])
        self.assertNotEqual(notice.reference, item.move_id.name)
        self.assertIn(
            f"Your bank returned the direct debit of invoice {invoice.name} on 2 April 2025.", self.read_letter(notice))

    def test_it_is_named_in_any_usual_way(self):
        invoice = self.invoice(self.payer, DUE)
        year, number = invoice.name.split('/')[1:]
        general = self.company_data['default_journal_misc']
        for text, journal in (
            (f"Terugboeking incasso {invoice.name.replace('/', ' ')}", None),
            (f"/TRTP/SEPA INCASSO/RTRN/MD06//EREF/{invoice.name}//REMI/{year}/{int(number)}/", None),
            (f"Storno {year}-{number}", general),
        ):
            item = self.bounced(invoice, text, journal=journal)
            self.assertEqual(item._get_dunning_identities()[item][0], invoice.name, text)
            self.assertIn(item, item._get_dunning_returns(), text)

    def test_what_names_no_invoice_of_his_keeps_its_label(self):
        invoice, foreign = self.invoice(self.payer, DUE), self.invoice(self.business, DUE)
        for text in (f"STORNO {foreign.name}", "Storno 12 maart", f"STORNO {invoice.name} {self.collected().name}"):
            item = self.bounced(invoice, text)
            self.assertEqual(item._get_dunning_identities()[item][0], text)
            self.assertFalse(item._get_dunning_returns(), text)

    def test_an_entry_that_says_nothing_of_a_return_is_no_return(self):
        invoice = self.invoice(self.payer, DUE)
        item = self.bounced(invoice, f"Opening {invoice.name}")
        self.assertFalse(item._get_dunning_returns())

    def test_a_returned_payment_does_not_wait_for_a_direct_debit(self):
        invoice = self.collected()
        self.pay(invoice, on=DUE)
        self.payer.property_inbound_payment_method_line_id = self.debit
        item = self.bounced(invoice, f"STORNO {invoice.name}")
        self.assertEqual(self.reason(item, DUE + days(35)), 'due')

    def test_who_names_the_invoice_pays_what_went_back(self):
        invoice, other = self.invoice(self.payer, DUE), self.invoice(self.payer, DUE - days(20), amount=250.0)
        self.pay(invoice, on=DUE)
        item = self.bounced(invoice, f"STORNO {invoice.name}")
        self.receive(self.payer, 60.0, date(2025, 4, 5)).name = invoice.name
        decisions = self.plan(date(2025, 4, 8), items=item | self.items(other))
        self.assertEqual([decisions[found.id].amount_netted for found in (item, self.items(other))], [60.0, 0.0])

    def test_many_entries_are_read_at_once(self):
        invoice = self.invoice(self.payer, DUE)
        items = self.bounced(invoice, f"STORNO {invoice.name}")
        self.count_queries(items)
        count = self.count_queries(items)
        for _number in range(4):
            items |= self.bounced(self.invoice(self.business, DUE), f"STORNO {invoice.name}")
        self.assertEqual(self.count_queries(items), count)

    def count_queries(self, items):
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        items._get_dunning_identities()
        return self.env.cr.sql_log_count - before
