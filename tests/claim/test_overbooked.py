"""More is booked than is owed: somebody is told what to credit, no letter asks it, and crediting it leaves the rest."""

from decimal import Decimal as D

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import html2plaintext

from ..common import TODAY, days
from .test_claim import ClaimCommon

DUE = TODAY - days(60)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestOverbooked(ClaimCommon):
    def setUp(self):
        super().setUp()
        self.company.dunning_policy_business_id = self.make_policy("Booking", [
            {'name': "Demand", 'delay_days': 10, 'payment_term_days': 7, 'with_interest': True, 'with_costs': True},
            {'name': "Last demand", 'delay_days': 1, 'payment_term_days': 7, 'delay_from': 'previous_deadline',
             'with_interest': True, 'with_costs': True},
        ], claim_booking='booked', debtor_type='business')
        self.bill = self.invoice(due=DUE, amount=1000.0)
        [self.notice] = self.dun(TODAY)
        self.booking = self.notice.booking_ids
        # 60 days of 12%: 19.73, and 150.00.
        self.assertEqual(self.booking.amount_total, 169.73)

    def overbooked(self, day):
        found = self.Claim._read_overbooked(self.company, day)
        return {booking_id: overbooked.amount for booking_id, overbooked in found.items()}

    def waive(self, day, reason="Entered late", **values):
        """Credit what the wizard proposes, and return how much that is."""
        notice = self.on(day, self.notice)
        wizard = self.env['dunning.booking.waive'].with_context(
            **notice.action_waive_booking()['context'], dunning_at_date=day).create({'reason': reason, **values})
        wizard.action_apply()
        return wizard.amount

    def told(self):
        return [html2plaintext(activity.note) for activity in self.notice.activity_ids]

    def test_nothing_is_too_much(self):
        self.assertFalse(self.overbooked(TODAY))
        self.pay(self.bill, 500.0, on=TODAY + days(1))
        self.make_notices(TODAY + days(2))
        self.assertFalse(self.notice.activity_ids, "What is paid later lowers nothing")

    def test_a_part_was_paid_before_and_entered_late(self):
        # Of 500.00 the costs are 75.00. The interest is a day further, and comes to the same.
        self.pay(self.bill, 500.0, on=TODAY - days(1))
        day = TODAY + days(1)
        self.assertEqual(self.overbooked(day), {self.booking.id: D('75')})
        for _night in range(2):
            self.make_notices(day)
        [note] = self.told()
        self.assertIn("75.00", note, "Once")
        self.assertEqual(self.waive(day), 75.0)
        self.assertEqual(self.booking.amount_residual, 94.73)
        self.assertFalse(self.overbooked(day))
        self.assertEqual(self.claim(self.bill, day).costs, 75, "What was booked too high waives nothing that is owed")
        second = self.dun(TODAY + days(8))
        self.assertEqual(second.amount_costs, 75.0)
        bookings = (self.notice | second).booking_ids.filtered(lambda move: move.move_type == 'out_invoice')
        self.assertEqual(round(sum(bookings.mapped('amount_residual')), 2),
                         round(second.amount_costs + second.amount_interest, 2), "The books say what the letter asks")

    def test_another_amount_is_told_again(self):
        self.pay(self.bill, 500.0, on=TODAY - days(1))
        self.make_notices(TODAY + days(1))
        self.pay(self.bill, 400.0, on=TODAY - days(1))
        self.make_notices(TODAY + days(1))
        [note] = self.told()
        # A tenth of 150.00 is owed, and of interest 59 days over 1,000.00 and two over 100.00: 19.40 and 0.07.
        self.assertIn("135.26", note)

    def test_credited_afterwards(self):
        # 75.00, and half of the interest but for that of a day.
        note = self.credit_note(amount=500.0, on=TODAY + days(1))
        self.items(self.bill | note).reconcile()
        self.assertEqual(self.overbooked(TODAY + days(1)), {self.booking.id: D('84.70')})
        self.assertEqual(self.waive(TODAY + days(1)), 84.70)
        self.assertFalse(self.overbooked(TODAY + days(1)))
        self.assertEqual(self.claim(self.bill, TODAY + days(1)).costs, 75)

    def test_costs_are_waived_of_this_debtor(self):
        self.bill.partner_id.with_company(self.company).write({
            'dunning_waive_costs': True, 'dunning_waive_reason': "So we say"})
        self.assertEqual(self.overbooked(TODAY), {self.booking.id: D('150')})

    def test_interest_is_lower(self):
        self.bill.partner_id.with_company(self.company).write({
            'dunning_waive_interest': True, 'dunning_waive_reason': "So we say"})
        self.assertEqual(self.overbooked(TODAY), {self.booking.id: D('19.73')})
        self.assertEqual(self.waive(TODAY), 19.73)
        self.assertFalse(self.overbooked(TODAY))
        self.assertEqual(self.claim(self.bill, TODAY).total, 1150, "The costs are owed in full")
        second = self.dun(TODAY + days(8))
        self.assertFalse(second.booking_ids, "Nothing came on top")

    def test_alone_in_a_letter_it_asks_what_is_owed(self):
        self.pay(self.bill, on=TODAY - days(1))
        day = TODAY + days(30)
        self.assertEqual(self.overbooked(day), {self.booking.id: D('150.33')}, "And the interest of the last day")
        decision = self.decision(self.booking, day)
        self.assertFalse(decision.reason)
        self.assertAlmostEqual(decision.amount_due, 19.40)
        letter = self.dun(day)
        self.assertEqual((letter.line_ids.move_id, letter.amount_due), (self.booking, 19.40))

    def test_paid_as_asked_it_is_not_asked_again(self):
        # The surplus covers interest and costs, and not another invoice, which bears its own.
        other = self.invoice(due=TODAY, amount=200.0)
        paid = self.receive(amount=1169.73, on=TODAY + days(3))
        (self.items(self.bill) | paid).reconcile()
        day = TODAY + days(30)
        self.assertEqual(self.overbooked(day), {self.booking.id: D('169.73')})
        decision = self.decision(self.booking, day)
        self.assertEqual(decision.reason, 'overbooked')
        self.assertExplained(decision)
        letter = self.dun(day)
        self.assertEqual(letter.line_ids.move_id, other)
        [note] = self.told()
        self.assertIn("169.73", note)

    def test_what_can_be_credited(self):
        for amount in (0.0, -1.0, 169.74):
            with self.subTest(amount=amount), self.assertRaisesRegex(UserError, "169.73"):
                self.waive(TODAY, amount=amount)
        self.assertEqual(self.waive(TODAY, "Agreed", amount=100.0), 100.0)
        self.assertEqual(self.booking.amount_residual, 69.73)
        self.assertEqual(self.claim(self.bill, TODAY).total, D('1069.73'), "What was owed is waived")
