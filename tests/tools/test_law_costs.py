"""Collection costs to the cent (article 6:96 BW, Besluit BIK)."""

from datetime import date
from decimal import Decimal as D
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.collection_costs import (
    BUSINESS_FORMULAS,
    SMALL_INSTALMENT,
    AgreedScale,
    business_costs,
    collection_costs,
    look_back_from,
)
from ..law_oracle import CALM, cents, half_up
from .case import BaseCase, tagged

# principal, costs, costs with 21% VAT
TABLE = [
    ('-10.00', '0', '0'),
    ('0', '0', '0'),
    ('0.01', '40.00', '48.40'),
    ('100', '40.00', '48.40'),
    ('150', '40.00', '48.40'),
    ('266.66', '40.00', '48.40'),
    ('266.67', '40.00', '48.40'),
    ('266.70', '40.01', '48.41'),
    ('300', '45.00', '54.45'),
    ('400', '60.00', '72.60'),
    ('500', '75.00', '90.75'),
    ('1000', '150.00', '181.50'),
    ('2500', '375.00', '453.75'),
    ('3000', '425.00', '514.25'),
    ('3750', '500.00', '605.00'),
    ('5000', '625.00', '756.25'),
    ('6000', '675.00', '816.75'),
    ('10000', '875.00', '1058.75'),
    ('25000', '1025.00', '1240.25'),
    ('50000', '1275.00', '1542.75'),
    ('100000', '1775.00', '2147.75'),
    ('200000', '2775.00', '3357.75'),
    ('500000', '4275.00', '5172.75'),
    ('1000000', '6775.00', '8197.75'),
    ('2000000', '6775.00', '8197.75'),
    # By hand. 266.73 × 15% = 40.0095.
    ('266.73', '40.01', '48.41'),
    # 2500.01: 375 + 0.01 × 10% = 375.001.
    ('2500.01', '375.00', '453.75'),
    # 5000.10: 625 + 0.10 × 5% = 625.005; with VAT 756.25605.
    ('5000.10', '625.01', '756.26'),
    # 12345.67: 875 + 2345.67 × 1% = 898.4567; × 1.21 = 1087.132607.
    ('12345.67', '898.46', '1087.13'),
    # 267.03 × 15% = 40.0545; × 1.21 = 48.465945. Rounding twice would give 48.46.
    ('267.03', '40.05', '48.47'),
    # 999998.99: 2775 + 799998.99 × 0.5% = 6774.99495; with VAT 8197.7438895.
    ('999998.99', '6774.99', '8197.74'),
    # The case of HR 10-07-2015: 875 + 14821.73 × 1% = 1023.2173; × 1.21 = 1238.092933.
    ('24821.73', '1023.22', '1238.09'),
]

amounts = st.integers(1, 300_000_000).map(lambda number: D(number).scaleb(-2))
small_amounts = st.integers(1, 60_000).map(lambda number: D(number).scaleb(-2))
edges = st.sampled_from([D(text) for text, _costs, _vat in TABLE if D(text) > 0])
principals = st.one_of(amounts, small_amounts, edges)
rates = st.sampled_from([None, D(0), D(9), D(21), D(6)])


def scale_by_brackets(principal):
    """Return the scale in cents the way collectors write it down: per bracket, with what came before as a constant."""
    amount = Fraction(principal)
    if amount < Fraction('266.67'):
        costs = Fraction(40)
    elif amount <= 2500:
        costs = max(Fraction(40), amount * 15 / 100)
    elif amount <= 5000:
        costs = 375 + (amount - 2500) / 10
    elif amount <= 10000:
        costs = 625 + (amount - 5000) / 20
    elif amount <= 200000:
        costs = 875 + (amount - 10000) / 100
    elif amount <= 1000000:
        costs = 2775 + (amount - 200000) / 200
    else:
        costs = Fraction(6775)
    return half_up(costs * 100)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCollectionCosts(BaseCase):

    def test_the_table(self):
        for principal, costs, with_vat in TABLE:
            with self.subTest(principal=principal):
                self.assertEqual(collection_costs(D(principal)), D(costs))
                self.assertEqual(collection_costs(D(principal), vat_rate=D(21)), D(with_vat))
                self.assertEqual(collection_costs(D(principal), vat_rate=D(0)), D(costs))

    def test_claims_that_go_together_are_added_up_first(self):
        self.assertEqual(collection_costs(D(100) * 3), D(45))
        self.assertEqual(collection_costs(D(1500) * 2), D(425))
        self.assertEqual(collection_costs(D(150) * 2), D(45))
        # A credit note of 200 with invoices of 1,000 and 200: 15% of 1,000.
        self.assertEqual(collection_costs(D(1000) + D(200) + D(-200)), D(150))
        # With VAT: (3,000 → 425) × 1.21, less 100 that was charged before.
        self.assertEqual(collection_costs(D(1500) * 2, vat_rate=D(21), already_charged=D(100)), D('414.25'))

    def test_what_was_paid_in_time_bears_no_costs(self):
        self.assertEqual(collection_costs(D(1000) - D(400)), D(90))
        self.assertEqual(collection_costs(D(500) - D(300)), D(40))
        self.assertEqual(collection_costs(D(500) - D(500)), 0)

    def test_what_was_charged_before_goes_off_the_end(self):
        self.assertEqual(collection_costs(D(1000), already_charged=D(40)), D(110))
        self.assertEqual(collection_costs(D(1000), already_charged=D(150)), 0)
        self.assertEqual(collection_costs(D(1000), already_charged=D(200)), 0)
        # 150 × 1.21 − 48.40
        self.assertEqual(collection_costs(D(1000), vat_rate=D(21), already_charged=D('48.40')), D('133.10'))

    def test_small_instalments_do_not_pile_up_the_minimum(self):
        """Three instalments of EUR 100: 40, nothing, 5; never three times 40."""
        charged = D(0)
        for instalments, expected in ((1, 40), (2, 0), (3, 5)):
            costs = collection_costs(D(100) * instalments, already_charged=charged)
            self.assertEqual(costs, expected)
            charged += costs
        # Seven months later the window holds the new one only: the minimum is due again.
        self.assertEqual(collection_costs(D(100), already_charged=D(0)), D(40))
        # With VAT the first costs 48.40; (300 → 45) × 1.21 = 54.45, so 6.05 remains.
        self.assertEqual(collection_costs(D(300), already_charged=D('48.40'), vat_rate=D(21)), D('6.05'))
        # More was charged under another reading: nothing comes back here.
        self.assertEqual(collection_costs(D(300), already_charged=D(120)), 0)

    def test_the_small_instalment_is_where_the_scale_leaves_the_minimum(self):
        self.assertEqual(collection_costs(SMALL_INSTALMENT), D(40))
        self.assertGreater(collection_costs(SMALL_INSTALMENT + D('0.03')), D(40))

    def test_looking_back_six_months(self):
        for day, expected in (
            (date(2026, 11, 22), date(2026, 5, 22)),
            (date(2026, 6, 30), date(2025, 12, 30)),
            (date(2026, 8, 31), date(2026, 2, 28)),
            (date(2024, 8, 31), date(2024, 2, 29)),
            (date(2026, 1, 1), date(2025, 7, 1)),
            (date(2026, 7, 15), date(2026, 1, 15)),
        ):
            self.assertEqual(look_back_from(day), expected)

    def test_a_business_owes_the_scale_and_at_least_forty(self):
        self.assertEqual(business_costs([D(100)]), D(40))
        self.assertEqual(business_costs([D(100)] * 3), D(45))
        self.assertEqual(business_costs([D(1500), D(1500)], vat_rate=D(21)), D('514.25'))
        self.assertEqual(business_costs([D('24821.73')]), D('1023.22'))

    def test_a_business_that_paid_owes_nothing(self):
        for formula in BUSINESS_FORMULAS:
            for late in ([], [D(0)], [D(-5), D(0)]):
                self.assertEqual(business_costs(late, formula=formula, agreed=AgreedScale(D(15))), 0)

    def test_a_credit_of_another_invoice_does_not_lower_the_costs_of_a_business(self):
        self.assertEqual(business_costs([D(1000), D(-900)]), D(150))

    def test_the_minimum_for_a_business(self):
        self.assertEqual(business_costs([D(90000)] * 9, formula='minimum'), D(40))
        self.assertEqual(business_costs([D('0.01')], formula='minimum'), D(40))
        self.assertEqual(business_costs([D(500)], formula='minimum', vat_rate=D(21)), D(40))

    def test_forty_for_each_late_invoice(self):
        self.assertEqual(business_costs([D(10)] * 5, formula='scale_per_invoice'), D(200))
        self.assertEqual(business_costs([D(10)] * 5 + [D(0), D(-3)], formula='scale_per_invoice'), D(200))
        self.assertEqual(business_costs([D(1000)] * 2, formula='scale_per_invoice'), D(300))
        # 3 × 250 = 750 → 112.50, less than 120; with VAT 136.125, more.
        self.assertEqual(business_costs([D(250)] * 3, formula='scale_per_invoice'), D(120))
        self.assertEqual(business_costs([D(250)] * 3, formula='scale_per_invoice', vat_rate=D(21)), D('136.13'))

    def test_an_agreed_scale(self):
        agreed = AgreedScale(D(15))
        # The case of HR 10-07-2015: 15% of 24,821.73 = 3,723.2595.
        self.assertEqual(business_costs([D('24821.73')], formula='agreed', agreed=agreed), D('3723.26'))
        self.assertEqual(business_costs([D(100)], formula='agreed', agreed=agreed), D(40))
        self.assertEqual(business_costs([D(100)], formula='agreed', agreed=AgreedScale(D(15), D(250))), D(250))
        # No agreement goes below EUR 40 to the detriment of the creditor.
        self.assertEqual(business_costs([D(90000)], formula='agreed', agreed=AgreedScale(D(0), D(0))), D(40))

    def test_a_creditor_may_ask_nothing(self):
        self.assertEqual(business_costs([D(90000)], formula='none'), 0)

    def test_what_makes_no_sense_is_refused(self):
        for call in (
            lambda: collection_costs(D(100), vat_rate=D(-1)),
            lambda: collection_costs(D(100), already_charged=D(-1)),
            lambda: collection_costs(D('NaN')),
            lambda: collection_costs(D('Infinity')),
            lambda: business_costs([D(100)], formula='more'),
            lambda: business_costs([D(100)], formula='agreed'),
            lambda: business_costs([D(100)], formula='agreed', agreed=AgreedScale(D(-15))),
            lambda: business_costs([D(100)], formula='agreed', agreed=AgreedScale(D(15), D(-1))),
        ):
            with self.assertRaises(ValueError):
                call()
        for call in (
            lambda: collection_costs(100.0),
            lambda: collection_costs('100'),
            lambda: collection_costs(True),
            lambda: collection_costs(D(100), vat_rate=21.0),
            lambda: business_costs([0.1]),
        ):
            with self.assertRaises(TypeError):
                call()
        self.assertEqual(collection_costs(1000), D(150), "Whole numbers are exact.")

    @CALM
    @given(principals)
    def test_it_is_what_the_brackets_say(self, principal):
        self.assertEqual(cents(collection_costs(principal)), scale_by_brackets(principal))

    @CALM
    @given(principals, rates)
    def test_never_below_the_minimum_or_above_the_maximum(self, principal, vat_rate):
        factor = 1 + (vat_rate or 0) / 100
        costs = collection_costs(principal, vat_rate=vat_rate)
        self.assertGreaterEqual(costs, 40 * factor)
        self.assertLessEqual(costs, 6775 * factor)
        self.assertEqual(costs, round(costs, 2))

    @CALM
    @given(principals, principals, rates)
    def test_more_principal_never_costs_less(self, one, other, vat_rate):
        one, other = sorted((one, other))
        self.assertLessEqual(collection_costs(one, vat_rate=vat_rate), collection_costs(other, vat_rate=vat_rate))

    @CALM
    @given(principals, principals)
    def test_together_never_costs_more_than_apart(self, one, other):
        # Rounding up twice half a cent gives a cent at most.
        apart = collection_costs(one) + collection_costs(other)
        self.assertLessEqual(collection_costs(one + other), apart + D('0.01'))

    @CALM
    @given(principals, small_amounts, rates)
    def test_charging_in_two_steps_is_charging_once(self, principal, charged, vat_rate):
        whole = collection_costs(principal, vat_rate=vat_rate)
        rest = collection_costs(principal, vat_rate=vat_rate, already_charged=charged)
        self.assertEqual(rest, max(D(0), whole - charged))

    @CALM
    @given(st.lists(small_amounts, min_size=1, max_size=8), rates)
    def test_instalments_cost_together_what_their_sum_costs(self, instalments, vat_rate):
        charged = D(0)
        for count in range(1, len(instalments) + 1):
            costs = collection_costs(sum(instalments[:count]), already_charged=charged, vat_rate=vat_rate)
            self.assertGreaterEqual(costs, 0)
            charged += costs
        self.assertEqual(charged, collection_costs(sum(instalments), vat_rate=vat_rate))

    @CALM
    @given(
        st.lists(st.one_of(principals, st.just(D(0))), max_size=6), st.sampled_from(BUSINESS_FORMULAS[1:]),
        st.integers(0, 40), st.integers(0, 200), st.randoms(use_true_random=False))
    def test_a_late_business_owes_at_least_forty_in_any_order(self, late, formula, percent, minimum, random):
        agreed = AgreedScale(D(percent), D(minimum))
        costs = business_costs(late, formula=formula, agreed=agreed)
        if any(late):
            self.assertGreaterEqual(costs, 40)
            if formula == 'scale_per_invoice':
                self.assertEqual(costs, max(business_costs(late), 40 * sum(map(bool, late))))
        else:
            self.assertEqual(costs, 0)
        random.shuffle(late)
        self.assertEqual(business_costs(iter(late), formula=formula, agreed=agreed), costs)
