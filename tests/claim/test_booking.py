"""In the books: what is claimed is booked once, outside VAT, apart from the invoices; waived it is credited."""

from datetime import date

from psycopg2.errors import UniqueViolation

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.kernel.dunning_recorded import RECORDING
from ..common import TODAY, DunningCommon, days

DUE = TODAY - days(60)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBooking(DunningCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claiming = cls.make_policy("Booked", [
            {'name': "Demand", 'delay_days': 10, 'payment_term_days': 7, 'with_interest': True, 'with_costs': True},
            {'name': "Last demand", 'delay_days': 1, 'payment_term_days': 7, 'delay_from': 'previous_deadline',
             'with_interest': True, 'with_costs': True},
        ], debtor_type='business', claim_booking='booked')
        cls.company.write({'dunning_policy_business_id': cls.claiming.id})

    def booking(self, notice):
        return notice.booking_ids.filtered(lambda move: move.move_type == 'out_invoice')

    def test_what_a_notice_asks_is_booked_as_an_invoice_without_vat(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        notice = self.dun(TODAY)
        self.assertEqual(notice.amount_costs, 150.0)
        self.assertGreater(notice.amount_interest, 0)
        booking = self.booking(notice)
        self.assertEqual(booking.state, 'posted')
        self.assertEqual(booking.amount_total, notice.currency_id.round(notice.amount_costs + notice.amount_interest))
        self.assertEqual(booking.amount_tax, 0)
        self.assertFalse(booking.invoice_line_ids.tax_ids)
        self.assertEqual(
            booking.invoice_line_ids.product_id,
            self.company.dunning_cost_product_id | self.company.dunning_interest_product_id)
        self.assertEqual(booking.partner_id, invoice.partner_id)
        self.assertTrue(booking.is_move_sent, "The letter asked for it")
        self.assertEqual(invoice.amount_residual, 1000.0, "The invoice itself is not touched")

    def test_a_later_notice_books_only_what_came_on_top(self):
        self.invoice(due=DUE, amount=1000.0)
        first = self.dun(TODAY)
        second = self.dun(TODAY + days(20))
        self.assertEqual(second.amount_costs, 150.0, "The letter names all costs")
        booked = self.booking(second)
        self.assertAlmostEqual(booked.amount_total, second.amount_interest - first.amount_interest)
        total = self.booking(first).amount_total + booked.amount_total
        self.assertAlmostEqual(total, second.amount_interest + second.amount_costs)

    def test_only_on_letters_books_nothing(self):
        self.claiming.claim_booking = 'letter'
        self.invoice(due=DUE, amount=1000.0)
        notice = self.dun(TODAY)
        self.assertGreater(notice.amount_costs, 0)
        self.assertFalse(notice.booking_ids)

    def test_the_booking_is_asked_with_its_invoices_and_not_on_its_own(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        notice = self.dun(TODAY)
        booking = self.booking(notice)
        self.assertEqual(self.reason(booking, TODAY + days(90)), 'booked_extra')
        second = self.dun(TODAY + days(20))
        self.assertNotIn(booking, second.line_ids.move_id)
        # The invoice was paid, interest and costs were not: from then on they are an open item like any other.
        self.pay(invoice, on=TODAY + days(21))
        self.assertEqual(self.reason(booking, TODAY + days(90)), 'due')

    def test_interest_and_costs_bear_no_interest_and_no_costs(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        booking = self.booking(self.dun(TODAY))
        self.pay(invoice, on=TODAY + days(1))
        later = self.dun(TODAY + days(90))
        self.assertEqual(later.line_ids.move_id, booking)
        self.assertEqual((later.amount_interest, later.amount_costs), (0.0, 0.0))
        self.assertEqual(later.amount_due, booking.amount_residual)

    def test_what_was_paid_on_the_booking_is_not_asked_again(self):
        self.invoice(due=DUE, amount=1000.0)
        first = self.dun(TODAY)
        booking = self.booking(first)
        asked_first = first.amount_interest
        self.pay(booking, on=TODAY + days(2))
        second = self.dun(TODAY + days(20))
        self.assertEqual(second.amount_costs, 0.0)
        self.assertGreater(second.amount_interest, 0.0)
        self.assertLess(second.amount_interest, asked_first)
        self.assertAlmostEqual(self.booking(second).amount_total, second.amount_interest)

    def test_waiving_credits_what_is_left(self):
        self.invoice(due=DUE, amount=1000.0)
        notice = self.dun(TODAY)
        booking = self.booking(notice)
        self.pay(booking, 50.0, on=TODAY + days(1))
        credit = self.on(TODAY + days(2), notice)._credit_bookings("Agreed by telephone")
        self.assertEqual(booking.amount_residual, 0.0)
        self.assertAlmostEqual(credit.amount_total, booking.amount_total - 50.0)
        self.assertEqual(credit.amount_tax, 0.0)
        self.assertEqual(credit.ref, "Agreed by telephone")
        self.assertFalse(notice._credit_bookings("Again"), "Nothing is credited twice")
        later = self.dun(TODAY + days(20))
        self.assertEqual(later.amount_costs, 0.0, "What was waived is not asked again")

    def test_waiving_in_one_action_says_why(self):
        self.invoice(due=DUE, amount=1000.0)
        notice = self.on(TODAY, self.dun(TODAY))
        booking = self.booking(notice)
        self.assertEqual(notice.booking_left, booking.amount_total)
        wizard = self.env['dunning.booking.waive'].with_context(
            **notice.action_waive_booking()['context'], dunning_at_date=TODAY).create({})
        self.assertEqual(wizard.amount, booking.amount_total)
        with self.assertRaisesRegex(UserError, "why"):
            wizard.action_apply()
        wizard.reason = "Our mistake"
        wizard.action_apply()
        self.assertEqual(booking.amount_residual, 0.0)
        self.assertIn("Our mistake", booking.reversal_move_ids.ref)
        with self.assertRaisesRegex(UserError, "open any more"):
            wizard.action_apply()

    def test_what_nobody_received_is_taken_out_of_the_books(self):
        self.invoice(due=DUE, amount=1000.0)
        notice = self.on(TODAY, self.dun(TODAY))
        notice._mark_undelivered("Came back")
        self.assertEqual(self.booking(notice).amount_residual, 0.0)
        self.assertEqual(notice.state, 'undelivered')

    def test_the_same_notice_cannot_be_booked_twice(self):
        self.invoice(due=DUE, amount=1000.0)
        notice = self.dun(TODAY)
        with mute_logger('odoo.sql_db'), self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self.booking(notice).with_context(dunning_recording=RECORDING).copy({'dunning_notice_id': notice.id})
            self.env.flush_all()
        with self.assertRaises(UserError):
            self.booking(notice).copy({'dunning_notice_id': notice.id})
        self.assertEqual(len(self.booking(notice)), 1)

    def test_a_booking_is_credited_and_never_unposted(self):
        self.invoice(due=DUE, amount=1000.0)
        booking = self.booking(self.dun(TODAY))
        with self.assertRaisesRegex(UserError, "Waive"):
            booking.button_draft()

    def test_locked_books_stop_the_letter(self):
        self.invoice(due=DUE, amount=1000.0)
        [notice] = self.make_notices(TODAY)
        self.company.fiscalyear_lock_date = date(2025, 3, 31)
        self.send(notice, TODAY)
        self.assertEqual(notice.state, 'error')
        self.assertIn("locked", notice.error_message)
        self.assertFalse(notice.booking_ids)
        self.assertFalse(notice.mail_id, "Nothing left")
        self.company.fiscalyear_lock_date = False
        self.send(notice, TODAY)
        self.assertEqual(notice.state, 'sent')
        self.assertTrue(self.booking(notice))

    def test_costs_are_booked_for_a_consumer_only_when_he_owes_them(self):
        consumer = self.make_debtor("Jan Jansen", consumer=True)
        self.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id})
        policy = self.env.ref('l10n_nl_dunning.policy_consumer').copy({'claim_booking': 'booked'})
        policy.level_ids.filtered(lambda level: level.channel == 'both').channel = 'letter'
        self.company.write({'dunning_policy_consumer_id': policy.id, 'dunning_term_agreed_consumer': True})
        self.invoice(consumer, due=DUE, amount=500.0)
        letter = last = self.env['dunning.notice']
        day = TODAY
        while not last:
            day += days(1)
            for notice in self.dun(day):
                if notice.state == 'todo':
                    self.called(notice, day)
                elif notice.postal_state == 'to_print':
                    self.post_letters(notice, day)
                if notice.legal_role == 'fourteen_day':
                    letter = notice
                elif letter:
                    last = notice
            self.assertLess(day, TODAY + days(150), "The ladder got stuck")
        self.assertEqual(letter.amount_announced, 75.0)
        self.assertFalse(letter.booking_ids, "Announced is not owed")
        self.assertEqual(last.amount_costs, 75.0)
        costs = self.booking(last).invoice_line_ids.filtered(
            lambda line: line.product_id == self.company.dunning_cost_product_id)
        self.assertEqual(costs.price_subtotal, 75.0)
