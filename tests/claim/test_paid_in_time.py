"""Paid as asked is paid: who pays what a letter asked, by the day it gave, owes nothing more."""

from datetime import date
from decimal import Decimal as D

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common import TODAY, days
from .test_claim import DUE, ClaimCommon

# Due on 31 December 2024; from 1 to 20 January 1,000.00 bears 12% x 20/365 = 6.58 of interest.
LETTER, DEADLINE = date(2025, 1, 20), date(2025, 1, 27)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPaidAsAsked(ClaimCommon):
    def setUp(self):
        super().setUp()
        self.bill = self.invoice(due=DUE, amount=1000.0)

    def ask(self, moves=None, on=LETTER, interest=6.58, costs=150.0, **values):
        """A letter asks 1,156.58 by 27 January."""
        return self.told(moves or self.bill, on, interest=interest, costs=costs, **values)

    def bank(self, on, due=1000.0, income=0.0, partner=None, loss=0.0):
        """Return the due item of one line of the bank of which a part is booked as income, or as a loss."""
        partner = partner or self.business
        income_account = self.company_data['default_account_revenue']
        lines = [(self.bank_journal.default_account_id, due + income - loss, None), (self.receivable, -due, partner)]
        lines += [(income_account, -income, None)] if income else []
        lines += [(self.company_data['default_account_expense'], loss, None)] if loss else []
        move = self.env['account.move'].create({
            'journal_id': self.bank_journal.id, 'date': on,
            'line_ids': [
                Command.create({'account_id': account.id, 'balance': balance, 'partner_id': found and found.id})
                for account, balance, found in lines]})
        move.action_post()
        return self.items(move)

    def match(self, *items):
        self.env['account.move.line'].union(*items).reconcile()

    def left(self, at_date=TODAY, moves=None):
        """Return what is left of the claim, after comparing it with the list that a person decides about."""
        claim = self.claim(moves or self.bill, at_date)
        listed = self.Claim._get_remainders(self.company, at_date)
        self.assertEqual(sum(line.total for line in listed), claim.interest + claim.costs)
        return claim.total

    def test_the_surplus_stays_open(self):
        self.ask()
        self.match(self.items(self.bill), self.receive(amount=1156.58, on=date(2025, 1, 26)))
        for day in (date(2025, 1, 26), TODAY, TODAY + days(365)):
            self.assertEqual(self.left(day), 0)
        self.assertEqual(self.claim(self.bill).items[0].paid_as_asked, D('158.55'), "6.58 + 6 days of 0.33 and 150.00")
        self.assertEqual(self.claim(self.bill, date(2025, 1, 25)).total, D('1158.22'), "Until then it was owed")

    def test_the_surplus_is_income_of_the_same_entry(self):
        self.ask()
        self.match(self.items(self.bill), self.bank(date(2025, 1, 26), income=156.58))
        self.assertEqual(self.left(), 0)

    def test_on_the_last_day_and_on_the_first(self):
        for on in (LETTER, DEADLINE):
            with self.subTest(on=on):
                bill = self.invoice(due=DUE, amount=1000.0)
                self.ask(bill)
                self.match(self.items(bill), self.receive(amount=1156.58, on=on))
                self.assertEqual(self.left(moves=bill), 0)

    def test_one_cent_short_and_a_day_late(self):
        # 26 days of interest, 8.55; of a payment of a day later 28, 9.21. Nothing accrues after the invoice was paid.
        for amount, on, left in (
            (1156.57, date(2025, 1, 26), D('158.55')), (1156.58, DEADLINE + days(1), D('159.21')),
        ):
            with self.subTest(amount=amount):
                bill = self.invoice(due=DUE, amount=1000.0)
                self.ask(bill)
                self.match(self.items(bill), self.receive(amount=amount, on=on))
                self.assertEqual(self.claim(bill).total, left)
                self.assertEqual(self.claim(bill, TODAY + days(300)).total, left)
                self.assertIn(bill.id, [line.move_id for line in self.Claim._get_remainders(self.company, TODAY)])

    def test_money_of_before_the_letter_does_not_count(self):
        self.match(self.items(self.bill), self.receive(amount=1156.58, on=LETTER - days(1)))
        self.ask()
        self.assertEqual(self.claim(self.bill).total, D('156.25'), "19 days of interest and the costs")

    def test_what_the_letter_took_off_already_does_not_count_again(self):
        # 400.00 came in on the day of the letter and was off it: it asked 600.00 + 150.00 + 6.58.
        self.pay(self.bill, 400.0, on=LETTER)
        self.ask()
        self.match(self.items(self.bill), self.receive(amount=600.0, on=date(2025, 1, 26)))
        self.assertGreater(self.left(), 150)
        self.receive(amount=156.58, on=DEADLINE)
        self.assertEqual(self.left(), 0)

    def test_matched_to_another_invoice(self):
        other = self.invoice(due=DUE + days(10), amount=156.58)
        self.ask()
        self.match(self.items(self.bill), self.items(other), self.receive(amount=1156.58, on=date(2025, 1, 26)))
        self.assertEqual(self.claim(self.bill).total, D('158.55'))

    def test_of_another_debtor_in_the_same_entry(self):
        self.ask()
        move = self.env['account.move'].create({
            'journal_id': self.bank_journal.id, 'date': date(2025, 1, 26),
            'line_ids': [
                Command.create({'account_id': account.id, 'balance': balance, 'partner_id': partner and partner.id})
                for account, balance, partner in (
                    (self.bank_journal.default_account_id, 1256.58, None), (self.receivable, -1000.0, self.business),
                    (self.receivable, -100.0, self.consumer),
                    (self.company_data['default_account_revenue'], -156.58, None))]})
        move.action_post()
        self.match(self.items(self.bill), self.items(move).filtered(lambda item: item.partner_id == self.business))
        self.assertEqual(self.left(), D('158.55'), "Nobody knows whose income it is")

    def test_a_loss_in_the_same_entry_is_no_money(self):
        self.ask()
        self.match(self.items(self.bill), self.bank(date(2025, 1, 26), income=156.58, loss=0.01))
        self.assertEqual(self.left(), D('158.55'))

    def test_parts_add_up(self):
        self.ask()
        self.match(self.items(self.bill), self.receive(amount=700.0, on=date(2025, 1, 22)),
                   self.bank(date(2025, 1, 24), due=300.0, income=56.58))
        self.assertGreater(self.left(), 100)
        self.receive(amount=100.0, on=DEADLINE)
        self.assertEqual(self.left(), 0)

    def test_taken_back(self):
        self.ask()
        paid = self.receive(amount=1156.58, on=date(2025, 1, 26))
        self.match(self.items(self.bill), paid)
        self.assertEqual(self.left(), 0)
        self.unpay(self.bill)
        paid.move_id.button_draft()
        self.assertGreater(self.claim(self.bill).total, 1150)

    def test_a_later_letter_asks_more(self):
        self.ask(interest=0.0, costs=0.0, deadline=date(2025, 2, 28))
        self.ask(on=date(2025, 2, 3), interest=11.18)
        self.match(self.items(self.bill), self.receive(amount=1000.0, on=date(2025, 2, 4)))
        self.assertGreater(self.left(), 150)

    def test_two_letters_cross_a_payment(self):
        self.ask(interest=0.0, costs=0.0, deadline=date(2025, 2, 28))
        self.ask(on=date(2025, 2, 3), interest=11.18)
        self.match(self.items(self.bill), self.receive(amount=1000.0, on=date(2025, 2, 3)))
        self.assertEqual(self.left(), 0)

    def test_a_letter_about_two_invoices(self):
        other = self.invoice(due=DUE, amount=500.0)
        both = self.bill | other
        self.ask(both, interest=9.86, costs=225.0)
        self.match(self.items(self.bill), self.receive(amount=1000.0, on=date(2025, 1, 26)))
        self.assertGreater(self.claim(self.bill).total, 100)
        self.match(self.items(other), self.receive(amount=734.86, on=DEADLINE))
        self.assertEqual(self.left(moves=both), 0)

    def test_an_invoice_of_the_letter_that_was_raised_since(self):
        other = self.invoice(due=DUE, amount=500.0)
        both = self.bill | other
        self.ask(both, interest=9.86, costs=225.0)
        other.button_draft()
        other.invoice_line_ids.price_unit += 20.0
        other.action_post()
        self.match(self.items(self.bill), self.receive(amount=1000.0, on=date(2025, 1, 26)))
        self.match(self.items(other), self.receive(amount=734.86, on=DEADLINE))
        self.assertEqual(self.left(moves=both), 0)

    def test_a_consumer_and_his_14_day_letter(self):
        bill = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.told(bill, LETTER, announced=150.0, role='fourteen_day', costs_from=date(2025, 2, 6),
                  deadline=date(2025, 2, 5))
        self.match(self.items(bill), self.receive(self.consumer, 1000.0, on=date(2025, 2, 5)))
        self.assertEqual(self.left(moves=bill), 0, "It asked the invoice; the costs were announced")
        late = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.told(late, LETTER, announced=150.0, role='fourteen_day', costs_from=date(2025, 2, 6),
                  deadline=date(2025, 2, 5))
        self.told(late, date(2025, 2, 10), interest=6.74, costs=150.0, deadline=date(2025, 2, 17))
        self.match(self.items(late), self.receive(self.consumer, 1156.74, on=date(2025, 2, 17)))
        self.assertEqual(self.left(moves=late), 0)

    def test_received_in_another_way(self):
        self.ask()
        self.match(self.items(self.bill), self.receive(amount=1000.0, on=date(2025, 1, 26)))
        self.assertEqual(self.left(), D('158.55'))
        clerk = new_test_user(
            self.env, 'clerk.received', 'account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        lines = self.on(TODAY, self.env['dunning.remainder'].with_user(clerk))
        line = lines.browse(lines.action_show()['domain'][0][2])
        wizard = self.on(TODAY, self.env['dunning.waive'].with_user(clerk)).browse(line.action_received()['res_id'])
        self.assertEqual((wizard.kind, wizard.left_interest, wizard.left_costs), ('received', 8.55, 150.0))
        wizard.reason = "Booked on other income on 26 January"
        wizard.action_apply()
        self.assertEqual(self.left(), 0)
        decision = self.env['dunning.waiver'].search([('move_id', '=', self.bill.id)])
        self.assertEqual((decision.kind, decision.amount, decision.user_id), ('received', 158.55, clerk))
        self.assertIn("received", self.bill.message_ids[:1].body)
        with self.assertRaises(AccessError):
            decision.with_user(clerk).action_revoke()
        decision.action_revoke()
        self.assertEqual(self.left(), D('158.55'))

    def demand_and_book(self):
        """Return a demand that booked the interest and costs that it asks."""
        self.company.dunning_policy_business_id = self.make_policy("Booking", [
            {'name': "Demand", 'delay_days': 10, 'payment_term_days': 7, 'with_interest': True, 'with_costs': True},
        ], claim_booking='booked', debtor_type='business')
        [notice] = self.dun(TODAY)
        return notice

    def test_booked_and_paid_on_something_else(self):
        notice = self.demand_and_book()
        booking = notice.booking_ids
        self.assertEqual(booking.amount_total, 170.38, "62 days of 12% over 1,000.00, and 150.00")
        paid = self.bank(TODAY + days(3), income=170.38)
        self.match(self.items(self.bill), paid)
        later = TODAY + days(4)
        self.assertEqual(self.claim(self.bill, later).total, 0)
        for _night in range(2):
            self.make_notices(later)
        self.assertEqual(len(notice.activity_ids), 1, "Once")
        self.assertIn("170.38", notice.activity_ids.note)
        self.on(later, notice)._credit_bookings("Booked on other income")
        notice.activity_ids.action_feedback()
        self.make_notices(later + days(1))
        self.assertFalse(notice.activity_ids)

    def test_booked_and_paid_with_it(self):
        notice = self.demand_and_book()
        letter = self.env['dunning.letter']._prepare_letter(notice)
        self.assertIn(notice.amount_text, letter['enough'], "The letter says that this is enough")
        self.assertIn(notice.term_text, letter['enough'])
        self.match(
            self.items(self.bill), self.items(notice.booking_ids), self.receive(amount=1170.38, on=TODAY + days(3)))
        self.assertEqual(self.claim(self.bill, TODAY + days(30)).total, 0)
        self.make_notices(TODAY + days(4))
        self.assertFalse(notice.activity_ids)
