"""Paid as asked, without Odoo: what counts as money for a letter, and what is left of the claim then."""

from datetime import date, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.amounts import ZERO
from ...tools.law.claim import Booked, Settlement, Waiver
from ...tools.law.paid_as_asked import Asked, Money, PaidAsAsked, find_paid
from ..law_oracle import CALM
from .case import BaseCase, tagged
from .test_claim_engine import BUSINESS, CONSUMER, compute, due_item, letter, read, told

SENT, DEADLINE = date(2025, 3, 3), date(2025, 3, 10)
ITEM = due_item(1, '1000.00', date(2025, 1, 31))
OWN, OTHER = frozenset([1]), frozenset([9])


def asked(extras='152.85', sent_on=SENT, deadline=DEADLINE, principal='1000.00'):
    return Asked('AM1', sent_on, deadline, {1: D(principal)}, D(extras))


def find(letters, money, settlements=()):
    return find_paid(letters, money, read([ITEM], settlements={1: tuple(settlements)})).get(1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFindPaid(BaseCase):
    @CALM
    @given(st.lists(st.tuples(st.integers(-3, 12), st.integers(1, 90000), st.integers(0, 30000)), max_size=8))
    def test_what_came_in_between_two_days_and_stayed_here(self, received):
        """Compared with a plain sum over all money, in cents."""
        money = [
            Money(SENT + timedelta(days=number), D(cents) / 100, ((OTHER, D(elsewhere) / 100),))
            for number, cents, elsewhere in received]
        expected, total = None, 0
        for number in range(8):
            total += sum(max(0, cents - elsewhere) for day, cents, elsewhere in received if day == number)
            if total >= 115285 and expected is None:
                expected = SENT + timedelta(days=number)
        paid = find([asked()], money)
        self.assertEqual(paid and paid.day, expected)

    @CALM
    @given(st.integers(1, 60), st.integers(0, 20000), st.integers(1, 20))
    def test_to_the_cent_and_the_day(self, term, extras, over):
        day = SENT + timedelta(days=term)
        sent = asked(D(extras) / 100, deadline=day)
        enough = sent.total
        self.assertEqual(find([sent], [Money(day, enough)]), PaidAsAsked(day, 'AM1', True))
        self.assertIsNone(find([sent], [Money(day, enough - D('0.01'))]))
        self.assertIsNone(find([sent], [Money(day + timedelta(days=over), enough)]))
        self.assertIsNone(find([sent], [Money(SENT - timedelta(days=over), enough)]))
        self.assertIsNone(find([sent], [Money(day, enough, ((OTHER, D('0.01')),))]))
        self.assertTrue(find([sent], [Money(day, enough, ((OWN, enough),))]))

    def test_a_credit_need_not_be_paid(self):
        credit = Settlement(SENT + timedelta(days=1), D(200), False)
        self.assertTrue(find([asked()], [Money(DEADLINE, D('952.85'))], [credit]))
        self.assertIsNone(find([asked()], [Money(DEADLINE, D('952.84'))], [credit]))

    def test_what_the_letter_knew_of_its_own_day_counts_once(self):
        """400.00 of that day was off the letter."""
        before = Settlement(SENT, D(400), True)
        sent, first = asked(principal='600.00'), Money(SENT, D(400), ((OWN, D(400)),))
        self.assertIsNone(find([sent], [first, Money(DEADLINE, D('352.85'))], [before]))
        self.assertTrue(find([sent], [first, Money(DEADLINE, D('752.85'))], [before]))

    def test_a_later_letter_takes_its_place(self):
        later = asked('200.00', SENT + timedelta(days=3), DEADLINE + timedelta(days=9))
        for number, found in ((2, True), (3, True), (4, False)):
            money = [Money(SENT + timedelta(days=number), D('1152.85'))]
            self.assertEqual(bool(find([later, asked()], money)), found, number)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSettledClaim(BaseCase):
    def ledger(self, *settlements, paid=DEADLINE, **values):
        return read(
            [ITEM], [told(1, 1, SENT, debtor=BUSINESS, costs=D(150), interest=D('10.19'), principal=D(1000))],
            settlements={1: settlements}, paid={1: PaidAsAsked(paid, 'AM1')} if paid else {}, **values)

    @CALM
    @given(st.integers(0, 9), st.integers(0, 800), st.integers(0, 100000))
    def test_nothing_is_left_and_nothing_accrues(self, first, later, cents):
        """However the payments fell, and whatever else was decided or booked of the same claim."""
        part = D(cents) / 100
        payments = [
            Settlement(SENT + timedelta(days=min(first, 7)), part, True), Settlement(DEADLINE, 1000 - part, True)]
        waived = {1: [Waiver(SENT, ZERO, D(50))]}
        booked = {1: Booked(D('10.19'), D(150), settlements=((DEADLINE, D('160.19'), True),))}
        for values in ({}, {'waivers': waived}, {'booked': booked}):
            entry = compute(self.ledger(*payments, **values), DEADLINE + timedelta(days=later)).items[0]
            self.assertEqual((entry.total, entry.interest, entry.costs), (0, 0, 0))
            self.assertEqual((entry.left.total, entry.account.per_day), (0, 0))

    def test_on_the_day_of_the_letter(self):
        entry = compute(self.ledger(Settlement(SENT, D(1000), True), paid=SENT), SENT).items[0]
        self.assertEqual((entry.total, entry.left.total), (0, 0))

    def test_on_the_day_of_the_letter_and_matched_to_nothing_yet(self):
        for later in (0, 10):
            entry = compute(self.ledger(paid=SENT), SENT + timedelta(days=later)).items[0]
            self.assertEqual((entry.open, entry.costs), (1000, 0))
            self.assertEqual(entry.left.total, entry.total)

    def test_who_paid_all_that_was_open_is_late_no_longer(self):
        """While nobody matched the money 1,000 bear 24.00 in 73 days only when the letter left a part out."""
        for whole, interest in ((True, 0), (False, 24)):
            ledger = self.ledger()._replace(paid={1: PaidAsAsked(SENT, 'AM1', whole)})
            entry = compute(ledger, SENT + timedelta(days=73)).items[0]
            self.assertEqual((entry.open, entry.interest, entry.costs), (1000, interest, 0))
            self.assertEqual(entry.left.total, entry.total)

    def test_what_a_credit_covers_settles_no_costs_in_its_place(self):
        """The letter asked it no more, so the money was for costs and interest; 6.60 of the invoice stays open."""
        for later in (0, 10):
            ledger = self.ledger(Settlement(DEADLINE, D('993.40'), True))
            entry = compute(ledger, DEADLINE + timedelta(days=later), reductions={1: D('6.60')}).items[0]
            self.assertEqual((entry.principal, entry.interest, entry.costs), (0, 0, 0))

    def test_what_both_sides_signed_is_owed_until_that_day(self):
        ledger = read(
            [ITEM], [told(1, 2, SENT, debtor=BUSINESS, model='arrangement', agreed=True, interest=D(40))],
            settlements={1: (Settlement(DEADLINE, D(1000), True),)}, paid={1: PaidAsAsked(DEADLINE, 'AM1')},
            booked={1: Booked(interest=D(40))})
        self.assertEqual(compute(ledger, DEADLINE - timedelta(days=1), with_costs=False).items[0].interest, 40)
        self.assertEqual(compute(ledger, DEADLINE, with_costs=False).items[0].interest, 0)

    def test_a_14_day_letter_paid_as_asked_leads_to_no_costs(self):
        """Also while nobody matched the money: what it asked came in before its term ran out."""
        sent = letter(1, SENT, 150, SENT + timedelta(days=18), [ITEM])
        for paid, costs in ((SENT + timedelta(days=17), 0), (None, 150)):
            ledger = read([ITEM], letters=[sent], paid={1: PaidAsAsked(paid, 'AM1')} if paid else {})
            self.assertEqual(compute(ledger, SENT + timedelta(days=30), CONSUMER).items[0].costs, costs)

    def test_before_that_day_it_is_owed(self):
        before = compute(self.ledger(Settlement(DEADLINE, D(1000), True)), DEADLINE - timedelta(days=1)).items[0]
        self.assertGreater(before.total, 1160)

    def test_what_the_letter_did_not_ask_goes_on(self):
        """A part on hold of 400.00 was not asked: it bears interest again from the day after."""
        entry = compute(self.ledger(Settlement(DEADLINE, D(600), True)), DEADLINE + timedelta(days=73)).items[0]
        self.assertEqual((entry.open, entry.costs, entry.interest), (400, 0, D('9.60')), "400 x 12% x 73/365")
        self.assertEqual(entry.left.total, entry.total)

    def test_nothing_accrues_on_what_is_left_because_costs_came_first(self):
        """Paid without costs and interest, so a person decides; but the amount stays what it was."""
        ledger = self.ledger(Settlement(DEADLINE, D(1000), True), paid=None)
        on_the_day = compute(ledger, DEADLINE).items[0]
        later = compute(ledger, DEADLINE + timedelta(days=500)).items[0]
        # 1 February to 10 March: 38 days of 12% over 1,000.00 = 12.49
        self.assertEqual((on_the_day.interest, on_the_day.costs), (D('12.49'), 150))
        self.assertEqual((later.interest, later.costs, later.account.per_day), (D('12.49'), 150, 0))
