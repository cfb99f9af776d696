"""Statutory interest to the cent and to the day (articles 6:119, 6:119a and 6:120 BW)."""

from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.account import run_account
from ...tools.law.statutory_interest import RateMissing, RateTable, first_interest_day, last_payment_day_from_receipt
from ..law_oracle import CALM, Walk, cents, half_up
from .case import BaseCase, tagged

CONSUMER = [
    (date(2015, 1, 1), D(2)), (date(2023, 1, 1), D(4)), (date(2023, 7, 1), D(6)), (date(2024, 1, 1), D(7)),
    (date(2024, 7, 1), D(7)), (date(2025, 1, 1), D(6)), (date(2025, 7, 1), D(6)), (date(2026, 1, 1), D(4)),
    (date(2026, 7, 1), D(4)),
]
COMMERCIAL = [
    (date(2016, 7, 1), D(8)), (date(2023, 1, 1), D('10.50')), (date(2023, 7, 1), D(12)), (date(2024, 1, 1), D('12.50')),
    (date(2024, 7, 1), D('12.25')), (date(2025, 1, 1), D('11.15')), (date(2025, 7, 1), D('10.15')),
    (date(2026, 1, 1), D('10.15')), (date(2026, 7, 1), D('10.40')),
]
SIX = [(date(2000, 1, 1), D(6))]

days = st.dates(date(2016, 7, 1), date(2030, 12, 31))
lengths = st.one_of(st.integers(0, 45), st.integers(0, 1500), st.sampled_from([364, 365, 366, 729, 730, 731]))
money = st.one_of(
    st.integers(1, 100_000).map(lambda number: D(number).scaleb(-2)),
    st.integers(1, 50_000_000).map(lambda number: D(number).scaleb(-2)))
percents = st.one_of(st.sampled_from([D(2), D(4), D(6), D('10.15'), D('10.40'), D(0)]),
                     st.integers(0, 20_000).map(lambda number: D(number).scaleb(-3)))
tables = st.dictionaries(st.dates(date(2016, 7, 2), date(2034, 12, 31)), percents, max_size=10).flatmap(
    lambda table: percents.map(lambda first: [(date(2016, 7, 1), first), *table.items()]))
day_counts = st.sampled_from(['act/365', 'act/act'])


class Interest(NamedTuple):
    """Interest over a period, and its parts."""

    total: D
    segments: tuple


def interest(principal, first_day, last_day, rates, **options):
    """Return the interest of an account in which nothing was paid."""
    account = run_account(principal, first_day, rates, (), last_day, **options)
    return Interest(account.interest, tuple(account.segments))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestStatutoryInterest(BaseCase):

    def _check(self, statement, *segments):
        """Segments are (first day, last day, days, rate, amount that bears interest, interest)."""
        self.assertEqual(
            [(s.first_day, s.last_day, s.days, s.rate, s.principal, s.amount) for s in statement.segments],
            [(*period, D(rate), D(base), D(amount)) for *period, rate, base, amount in segments])
        self.assertEqual(statement.total, sum(segment.amount for segment in statement.segments))

    def test_a_consumer_pays_a_month_late(self):
        first = first_interest_day(date(2026, 1, 31))
        self._check(
            interest(D(1000), first, date(2026, 3, 2), CONSUMER),
            (date(2026, 2, 1), date(2026, 3, 2), 30, 4, 1000, '3.29'))

    def test_a_new_rate_applies_from_its_day(self):
        statement = interest(D(1000), first_interest_day(date(2026, 5, 31)), date(2026, 8, 31), COMMERCIAL)
        self._check(
            statement,
            (date(2026, 6, 1), date(2026, 6, 30), 30, '10.15', 1000, '8.34'),
            (date(2026, 7, 1), date(2026, 8, 31), 62, '10.40', 1000, '17.67'))
        self.assertEqual(statement.total, D('26.01'))
        self.assertEqual([segment.reasons for segment in statement.segments], [('start',), ('rate',)])

    def test_the_turn_of_the_year(self):
        self._check(
            interest(D(10000), date(2025, 12, 17), date(2026, 1, 15), CONSUMER),
            (date(2025, 12, 17), date(2025, 12, 31), 15, 6, 10000, '24.66'),
            (date(2026, 1, 1), date(2026, 1, 15), 15, 4, 10000, '16.44'))

    def test_short_periods(self):
        # 8,400 × 10.15% × 22 / 365; 820 × 4% × 31 / 365; 250 × 4% × 45 / 365; 250 × 4% × 1 / 365
        for principal, first, last, rates, total in (
            (8400, date(2026, 3, 1), date(2026, 3, 22), COMMERCIAL, '51.39'),
            (820, date(2026, 3, 1), date(2026, 3, 31), CONSUMER, '2.79'),
            (250, date(2026, 10, 9), date(2026, 11, 22), CONSUMER, '1.23'),
            (250, date(2026, 10, 9), date(2026, 10, 9), CONSUMER, '0.03'),
        ):
            self.assertEqual(interest(D(principal), first, last, rates).total, D(total))

    def test_interest_of_a_full_year_bears_interest(self):
        statement = interest(D(5000), date(2024, 3, 15), date(2026, 3, 14), SIX)
        self._check(
            statement,
            (date(2024, 3, 15), date(2025, 3, 14), 365, 6, 5000, '300.00'),
            (date(2025, 3, 15), date(2026, 3, 14), 365, 6, 5300, '318.00'))
        self.assertEqual(statement.segments[1].reasons, ('anniversary',))
        # The second anniversary is the day after the last one and adds nothing.
        self.assertEqual(statement.total, D('618.00'))
        self._check(
            interest(D(10000), date(2023, 1, 1), date(2025, 12, 31), SIX),
            (date(2023, 1, 1), date(2023, 12, 31), 365, 6, 10000, '600.00'),
            (date(2024, 1, 1), date(2024, 12, 31), 366, 6, 10600, '637.74'),
            (date(2025, 1, 1), date(2025, 12, 31), 365, 6, '11237.74', '674.26'))

    def test_a_year_begins_on_its_own_day_and_not_in_january(self):
        self.assertEqual(len(interest(D(5000), date(2024, 7, 1), date(2025, 6, 30), SIX).segments), 1)
        self.assertEqual(len(interest(D(5000), date(2024, 7, 1), date(2025, 7, 1), SIX).segments), 2)

    def test_without_compounding(self):
        statement = interest(D(10000), date(2023, 1, 1), date(2025, 12, 31), SIX, compound=False)
        # 10,000 × 6% × 1,096 / 365 = 1,801.6438
        self._check(statement, (date(2023, 1, 1), date(2025, 12, 31), 1096, 6, 10000, '1801.64'))

    def test_the_leap_day(self):
        self._check(
            interest(D(5000), date(2024, 2, 29), date(2026, 2, 27), SIX),
            (date(2024, 2, 29), date(2025, 2, 27), 365, 6, 5000, '300.00'),
            (date(2025, 2, 28), date(2026, 2, 27), 365, 6, 5300, '318.00'))
        starts = [s.first_day for s in interest(D(5000), date(2024, 2, 29), date(2028, 12, 31), SIX).segments]
        self.assertEqual(starts, [
            date(2024, 2, 29), date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)])
        starts = [s.first_day for s in interest(D(5000), date(2023, 2, 28), date(2025, 3, 1), SIX).segments]
        self.assertEqual(starts, [date(2023, 2, 28), date(2024, 2, 28), date(2025, 2, 28)])
        # The leap day bears interest: 10,000 × 6% × 2 / 365.
        self.assertEqual(interest(D(10000), date(2024, 2, 28), date(2024, 2, 29), SIX).total, D('3.29'))

    def test_a_leap_year_has_365_days_or_366(self):
        first, last = date(2024, 1, 1), date(2024, 12, 31)
        self.assertEqual(interest(D(10000), first, last, SIX).total, D('601.64'))
        self.assertEqual(interest(D(10000), first, last, SIX, day_count='act/act').total, D('600.00'))
        # 5,000 × 6%: 292 days of 366 = 239.3443 and 73 of 365 = 60; then 5,299.34 × 6% = 317.9604.
        statement = interest(D(5000), date(2024, 3, 15), date(2026, 3, 14), SIX, day_count='act/act')
        self._check(
            statement,
            (date(2024, 3, 15), date(2024, 12, 31), 292, 6, 5000, '239.34'),
            (date(2025, 1, 1), date(2025, 3, 14), 73, 6, 5000, '60.00'),
            (date(2025, 3, 15), date(2026, 3, 14), 365, 6, '5299.34', '317.96'))
        self.assertEqual([s.year_days for s in statement.segments], [366, 365, 365])
        self.assertEqual([s.reasons for s in statement.segments], [('start',), ('year',), ('anniversary',)])

    def test_a_business_that_paid_nothing_for_two_years(self):
        """Three rate changes, one of them to the same rate, and an anniversary, by hand:

        12,345.67 × 12.25% ×  16 / 365 =  66.2946
        12,345.67 × 11.15% × 181 / 365 = 682.6141
        12,345.67 × 10.15% × 168 / 365 = 576.7626, a year: 66.29 + 682.61 + 576.76 = 1,325.66
        13,671.33 × 10.15% × 197 / 365 = 748.9454
        13,671.33 × 10.40% × 145 / 365 = 564.8319
        """
        statement = interest(D('12345.67'), date(2024, 12, 16), date(2026, 11, 22), COMMERCIAL)
        self._check(
            statement,
            (date(2024, 12, 16), date(2024, 12, 31), 16, '12.25', '12345.67', '66.29'),
            (date(2025, 1, 1), date(2025, 6, 30), 181, '11.15', '12345.67', '682.61'),
            (date(2025, 7, 1), date(2025, 12, 15), 168, '10.15', '12345.67', '576.76'),
            (date(2025, 12, 16), date(2026, 6, 30), 197, '10.15', '13671.33', '748.95'),
            (date(2026, 7, 1), date(2026, 11, 22), 145, '10.40', '13671.33', '564.83'))
        self.assertEqual(statement.total, D('2639.44'))

    def test_a_consumer_who_paid_nothing_for_three_years(self):
        """By hand:

        800.00 × 4% ×  15 / 365 =  1.3151
        800.00 × 6% × 184 / 365 = 24.1973
        800.00 × 7% × 167 / 365 = 25.6219, a year: 51.14
        851.14 × 7% × 199 / 365 = 32.4832
        851.14 × 6% × 166 / 365 = 23.2256, a year: 55.71
        906.85 × 6% × 199 / 365 = 29.6652
        906.85 × 4% × 166 / 365 = 16.4972, a year: 46.17
        953.02 × 4% × 160 / 365 = 16.7105
        """
        statement = interest(D(800), first_interest_day(date(2023, 6, 15)), date(2026, 11, 22), CONSUMER)
        self.assertEqual(
            [(s.days, s.principal, s.amount) for s in statement.segments],
            [(number, D(base), D(amount)) for number, base, amount in (
                (15, '800', '1.32'), (184, '800', '24.20'), (167, '800', '25.62'),
                (199, '851.14', '32.48'), (166, '851.14', '23.23'),
                (199, '906.85', '29.67'), (166, '906.85', '16.50'), (160, '953.02', '16.71'))])
        self.assertEqual(statement.total, D('169.73'))

    def test_an_agreed_rate_is_a_rate(self):
        # One per cent a month is 12% a year: 1,000 × 12% × 90 / 365 = 29.589
        self.assertEqual(interest(D(1000), date(2026, 1, 1), date(2026, 3, 31), [(date.min, D(12))]).total, D('29.59'))

    def test_nothing_before_the_first_day(self):
        due = date(2026, 10, 8)
        for last in (date(2026, 1, 1), due):
            self.assertEqual(interest(D(250), first_interest_day(due), last, CONSUMER), (0, ()))

    def test_nothing_on_nothing(self):
        self.assertEqual(interest(D(0), date(2026, 1, 1), date(2026, 12, 31), CONSUMER), (0, ()))

    def test_a_rate_that_begins_on_the_first_day_or_after_the_last(self):
        self._check(
            interest(D(10000), date(2026, 1, 1), date(2026, 1, 10), CONSUMER),
            (date(2026, 1, 1), date(2026, 1, 10), 10, 4, 10000, '10.96'))
        self._check(
            interest(D(10000), date(2025, 12, 22), date(2025, 12, 31), CONSUMER),
            (date(2025, 12, 22), date(2025, 12, 31), 10, 6, 10000, '16.44'))
        # The calculation on the day of the change counts that day at the new rate: 10,000 × 4% / 365.
        self._check(
            interest(D(10000), date(2025, 12, 22), date(2026, 1, 1), CONSUMER),
            (date(2025, 12, 22), date(2025, 12, 31), 10, 6, 10000, '16.44'),
            (date(2026, 1, 1), date(2026, 1, 1), 1, 4, 10000, '1.10'))

    def test_a_rate_that_was_confirmed_splits_nothing(self):
        self.assertEqual(len(interest(D(1000), date(2026, 2, 1), date(2026, 12, 31), CONSUMER).segments), 1)

    def test_a_rate_change_on_an_anniversary_is_one_split(self):
        segments = interest(D(1000), date(2025, 1, 1), date(2026, 6, 30), CONSUMER).segments
        self.assertEqual([s.reasons for s in segments], [('start',), ('rate', 'anniversary')])

    def test_a_missing_rate_is_no_zero(self):
        with self.assertRaisesRegex(RateMissing, "2014-12-31") as caught:
            interest(D(1000), date(2014, 12, 31), date(2026, 1, 1), CONSUMER)
        self.assertEqual(caught.exception.day, date(2014, 12, 31))
        with self.assertRaises(RateMissing):
            interest(D(1000), date(2026, 1, 1), date(2026, 1, 1), [])
        # Who owes nothing needs no rate.
        self.assertEqual(interest(D(0), date(2026, 1, 1), date(2026, 2, 1), []).total, 0)

    def test_a_rate_of_zero_is_a_rate(self):
        self._check(
            interest(D(1000), date(2026, 1, 1), date(2026, 1, 31), [(date(2026, 1, 1), D(0))]),
            (date(2026, 1, 1), date(2026, 1, 31), 31, 0, 1000, '0.00'))

    def test_rates_in_any_order_and_kind_of_sequence(self):
        expected = interest(D('12345.67'), date(2017, 12, 16), date(2026, 11, 22), COMMERCIAL)
        for rates in (COMMERCIAL[::-1], tuple(COMMERCIAL), RateTable(COMMERCIAL), COMMERCIAL + COMMERCIAL[:3]):
            self.assertEqual(interest(D('12345.67'), date(2017, 12, 16), date(2026, 11, 22), rates), expected)

    def test_what_makes_no_sense_is_refused(self):
        period = date(2026, 1, 1), date(2026, 1, 31)
        for call, error in (
            (lambda: interest(D(1000), *period, [(period[0], D(4)), (period[0], D(5))]), ValueError),
            (lambda: interest(D(1000), *period, [(period[0], D(-4))]), ValueError),
            (lambda: interest(D(1000), *period, SIX, day_count='30/360'), ValueError),
            (lambda: interest(D('NaN'), *period, SIX), ValueError),
            (lambda: interest(1000.0, *period, SIX), TypeError),
            (lambda: interest(D(1000), *period, [(period[0], 4.0)]), TypeError),
        ):
            with self.assertRaises(error):
                call()

    def test_half_a_cent_goes_up(self):
        # 91.25 × 2% / 365 = 0.005 exactly; 273.75 × 2% / 365 = 0.015 exactly
        for principal, amount in (('91.24', 0), ('91.25', '0.01'), ('273.74', '0.01'), ('273.75', '0.02')):
            statement = interest(D(principal), date(2022, 1, 1), date(2022, 1, 1), CONSUMER)
            self.assertEqual(statement.total, D(amount), principal)

    def test_the_last_payment_day_when_none_was_agreed(self):
        for receipt, last, first in (
            (date(2026, 3, 2), date(2026, 4, 1), date(2026, 4, 2)),
            (date(2026, 1, 31), date(2026, 3, 2), date(2026, 3, 3)),
            (date(2024, 1, 30), date(2024, 2, 29), date(2024, 3, 1)),
            (date(2026, 11, 22), date(2026, 12, 22), date(2026, 12, 23)),
        ):
            self.assertEqual(last_payment_day_from_receipt(receipt), last)
            self.assertEqual(first_interest_day(last), first)

    @CALM
    @given(money, days, lengths, tables, day_counts, st.booleans())
    def test_it_is_what_walking_through_the_days_gives(self, principal, first, length, rates, day_count, compound):
        last = first + timedelta(days=length)
        statement = interest(principal, first, last, rates, day_count=day_count, compound=compound)
        walk = Walk(principal, first, rates, last, act_act=day_count == 'act/act', compound=compound)
        self.assertEqual(
            [(s.first_day, s.last_day, cents(s.principal), cents(s.amount)) for s in statement.segments], walk.segments)
        self.assertEqual(cents(statement.total), walk.total_interest)

    @CALM
    @given(money, days, lengths, tables, day_counts, st.booleans())
    def test_segments_cover_the_period_once_and_add_up(self, principal, first, length, rates, day_count, compound):
        last = first + timedelta(days=length)
        total, segments = interest(principal, first, last, rates, day_count=day_count, compound=compound)
        self.assertEqual((segments[0].first_day, segments[-1].last_day), (first, last))
        for before, after in pairwise(segments):
            self.assertEqual(after.first_day - before.last_day, timedelta(days=1))
            self.assertGreaterEqual(after.principal, before.principal)
            self.assertTrue(set(after.reasons) <= {'rate', 'anniversary', 'year'} and after.reasons)
        self.assertEqual(sum(s.days for s in segments), length + 1)
        self.assertEqual(sum(s.amount for s in segments), total)
        for segment in segments:
            exact = Fraction(segment.principal) * Fraction(segment.rate) * segment.days / segment.year_days
            self.assertEqual(cents(segment.amount), half_up(exact))
            self.assertGreaterEqual(segment.amount, 0)

    @CALM
    @given(money, money, days, lengths, lengths, tables, day_counts)
    def test_more_or_longer_is_never_less(self, one, more, first, length, longer, rates, day_count):
        last = first + timedelta(days=length)
        options = {'day_count': day_count}
        total = interest(one, first, last, rates, **options).total
        self.assertLessEqual(total, interest(one + more, first, last, rates, **options).total)
        self.assertLessEqual(total, interest(one, first, last + timedelta(days=longer), rates, **options).total)
        # Without compounding there are fewer segments to round.
        simple = interest(one, first, last, rates, compound=False, **options).total
        self.assertLessEqual(simple, total + D('0.05'))

    @CALM
    @given(money, days, lengths, lengths, tables, day_counts)
    def test_two_pieces_are_the_whole_up_to_a_cent(self, principal, first, length, rest, rates, day_count):
        """Splitting at any day rounds one segment in two parts and nothing more."""
        middle = first + timedelta(days=length)
        last = middle + timedelta(days=1 + rest)
        options = {'day_count': day_count, 'compound': False}
        parts = (
            interest(principal, first, middle, rates, **options).total
            + interest(principal, middle + timedelta(days=1), last, rates, **options).total)
        self.assertLessEqual(abs(parts - interest(principal, first, last, rates, **options).total), D('0.01'))
