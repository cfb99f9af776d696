"""Costs, then interest, then principal (article 6:44 BW)."""

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.account import Owed, impute
from ..law_oracle import CALM
from .case import BaseCase, tagged

money = st.one_of(st.just(D(0)), st.integers(0, 2_000_000).map(lambda number: D(number).scaleb(-2)))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestImputation(BaseCase):

    def test_the_table(self):
        """Costs of 875, interest of 600 and a principal of 5,000."""
        for payment, costs, interest, principal, left, overpaid in (
            (0, 0, 0, 0, (875, 600, 5000), 0),
            (500, 500, 0, 0, (375, 600, 5000), 0),
            (875, 875, 0, 0, (0, 600, 5000), 0),
            (1200, 875, 325, 0, (0, 275, 5000), 0),
            (2000, 875, 600, 525, (0, 0, 4475), 0),
            (6475, 875, 600, 5000, (0, 0, 0), 0),
            (7000, 875, 600, 5000, (0, 0, 0), 525),
        ):
            with self.subTest(payment=payment):
                done = impute(D(payment), D(875), D(600), D(5000))
                self.assertEqual(done, (costs, interest, principal, overpaid, left))
                self.assertEqual(done.left.total, max(0, 6475 - payment))
                self.assertEqual(sum(done[:4]), payment)

    def test_cents(self):
        done = impute(D('123.45'), D(100), D(50), D(3000))
        self.assertEqual((done.costs, done.interest, done.principal), (D(100), D('23.45'), 0))
        self.assertEqual(done.left, Owed(D(0), D('26.55'), D(3000)))
        # 0.01 above costs and interest of 40 and 3.29 reaches the principal.
        self.assertEqual(impute(D('43.30'), D(40), D('3.29'), D(1000)).left, Owed(D(0), D(0), D('999.99')))

    def test_what_is_not_owed_takes_nothing(self):
        """Nothing claimed beside the invoice: all goes to the principal, and the rest comes back."""
        self.assertEqual(impute(D(400), D(0), D(0), D(1000)), (0, 0, 400, 0, (0, 0, 600)))
        self.assertEqual(impute(D(400), D(0), D(0), D(0)), (0, 0, 0, 400, (0, 0, 0)))

    def test_what_makes_no_sense_is_refused(self):
        for position in range(4):
            arguments = [D(1)] * 4
            for wrong, error in ((D('-0.01'), ValueError), (D('NaN'), ValueError), (0.5, TypeError)):
                arguments[position] = wrong
                with self.assertRaises(error):
                    impute(*arguments)

    @CALM
    @given(money, money, money, money)
    def test_no_money_appears_or_disappears(self, payment, costs, interest, principal):
        done = impute(payment, costs, interest, principal)
        self.assertTrue(all(part >= 0 for part in (*done[:4], *done.left)))
        self.assertEqual(sum(done[:4]), payment)
        self.assertEqual((done.costs + done.left.costs, done.interest + done.left.interest), (costs, interest))
        self.assertEqual(done.principal + done.left.principal, principal)
        self.assertEqual(done.left.total, max(D(0), costs + interest + principal - payment))
        # Nothing goes to the next while something is left of the one before.
        if done.left.costs:
            self.assertEqual((done.interest, done.principal), (0, 0))
        if done.left.interest:
            self.assertEqual(done.principal, 0)
        if done.overpaid:
            self.assertEqual(done.left.total, 0)

    @CALM
    @given(money, money, money, money, money)
    def test_two_payments_on_one_day_are_one(self, one, other, costs, interest, principal):
        first = impute(one, costs, interest, principal)
        second = impute(other, *first.left)
        together = impute(one + other, costs, interest, principal)
        self.assertEqual(second.left, together.left)
        self.assertEqual(tuple(a + b for a, b in zip(first[:4], second[:4], strict=True)), together[:4])
