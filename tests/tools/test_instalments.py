"""Schedules of instalments, as plain arithmetic: every cent once, and no day on which banks are closed."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ...tools.agreement.instalments import MAX_INSTALMENTS, PERIODS, amount_for, count_for, make_schedule
from ...tools.law.dutch_calendar import extended
from .case import BaseCase, tagged

CENT = Decimal('0.01')

cents = st.integers(min_value=1, max_value=50_000_000)
first_days = st.dates(min_value=date(2024, 1, 1), max_value=date(2035, 12, 31))
counts = st.integers(min_value=1, max_value=MAX_INSTALMENTS)


def money(number):
    return Decimal(number) * CENT


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestInstalments(BaseCase):

    def check(self, schedule, total, first):
        """Assert what is true of every schedule."""
        self.assertEqual(sum(part.amount for part in schedule), total)
        self.assertTrue(all(part.amount > 0 and part.amount == part.amount.quantize(CENT) for part in schedule))
        days = [part.due_date for part in schedule]
        self.assertEqual(days, sorted(set(days)), "The days rise")
        for day in days:
            self.assertEqual(extended(day), day, "A day on which banks are closed")
        regular = [part for part in schedule if part.kind == 'instalment']
        self.assertGreaterEqual(regular[0].due_date, first)
        return regular

    # --- any schedule ---

    @settings(deadline=None, max_examples=300)
    @given(total=cents, first=first_days, period=st.sampled_from(PERIODS), day=st.integers(0, 31), count=counts)
    def test_by_number(self, total, first, period, day, count):
        total = money(max(total, count))
        regular = self.check(make_schedule(
            total, first=first, period=period, day_of_month=day, count=count), total, first)
        self.assertEqual(len(regular), count)
        each = {part.amount for part in regular[:-1]}
        self.assertLessEqual(len(each), 1, "All but the last are the same")
        if each:
            self.assertEqual(each, {amount_for(total, count)})
            self.assertLess(abs(regular[-1].amount - regular[0].amount), count * CENT)

    @settings(deadline=None, max_examples=300)
    @given(total=cents, first=first_days, period=st.sampled_from(PERIODS), day=st.integers(0, 31), part=counts,
           extra=st.integers(0, 100_000))
    def test_by_amount(self, total, first, period, day, part, extra):
        total = money(total)
        amount = (total / part).quantize(CENT) + money(extra)
        if amount <= 0 or count_for(total, amount) > MAX_INSTALMENTS:
            return
        regular = self.check(make_schedule(
            total, first=first, period=period, day_of_month=day, amount=amount), total, first)
        self.assertEqual(len(regular), count_for(total, amount))
        self.assertTrue(all(part.amount == amount for part in regular[:-1]))
        self.assertLessEqual(regular[-1].amount, amount, "The last one is the smallest")

    @settings(deadline=None, max_examples=200)
    @given(total=st.integers(2, 5_000_000), share=st.integers(1, 99), first=first_days, count=st.integers(1, 60),
           ahead=st.integers(7, 60))
    def test_down_payment(self, total, share, first, count, ahead):
        total = total + count
        down = money(max(1, min(total * share // 100, total - count)))
        total = money(total)
        schedule = make_schedule(
            total, first=first, period='month', count=count, down_payment=down,
            down_payment_date=first - timedelta(days=ahead))
        self.check(schedule, total, first)
        self.assertEqual((schedule[0].kind, schedule[0].amount), ('down_payment', down))
        self.assertEqual([part.kind for part in schedule[1:]], ['instalment'] * count)
        self.assertEqual(schedule[1:], make_schedule(total - down, first=first, period='month', count=count))

    @settings(deadline=None, max_examples=200)
    @given(total=cents, count=counts)
    def test_the_amount_of_a_number_gives_no_more_than_that_number_and_a_rest(self, total, count):
        # Where an instalment is worth more than what rounding leaves: half a cent for each.
        total = money(max(total, count * count))
        amount = amount_for(total, count)
        self.assertLessEqual(abs(amount * count - total), count * CENT / 2)
        # Rounding down leaves cents for one more; nothing else changes the number.
        self.assertEqual(count_for(total, amount), count + 1 if amount * count < total else count)

    @settings(deadline=None, max_examples=200)
    @given(total=cents, amount=st.integers(1, 50_000_000))
    def test_a_number_of_amounts_pays_it_and_one_less_does_not(self, total, amount):
        total, amount = money(total), money(amount)
        count = count_for(total, amount)
        self.assertGreaterEqual(count * amount, total)
        self.assertLess((count - 1) * amount, total)

    @settings(deadline=None, max_examples=100)
    @given(total=st.integers(1, 10_000_000), count=st.integers(1, 60))
    def test_currencies_without_cents(self, total, count):
        total = max(total, count)
        schedule = make_schedule(Decimal(total), first=date(2026, 1, 5), count=count, digits=0)
        self.assertEqual(sum(part.amount for part in schedule), total)
        self.assertTrue(all(part.amount == int(part.amount) > 0 for part in schedule))

    # --- the calendar ---

    def days(self, **kwargs):
        return [part.due_date for part in make_schedule(Decimal(1000), **kwargs)]

    def test_the_last_day_of_each_month(self):
        self.assertEqual(
            self.days(first=date(2027, 12, 31), day_of_month=31, count=5),
            [date(2027, 12, 31), date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 5, 1)])
        # 30 and 29 come back after February.
        self.assertEqual(
            self.days(first=date(2026, 1, 29), count=4),
            [date(2026, 1, 29), date(2026, 3, 2), date(2026, 3, 30), date(2026, 4, 29)])

    def test_the_day_of_the_month_comes_after_the_first_day(self):
        self.assertEqual(self.days(first=date(2026, 6, 10), day_of_month=25, count=1), [date(2026, 6, 25)])
        self.assertEqual(self.days(first=date(2026, 6, 26), day_of_month=25, count=1), [date(2026, 7, 27)])
        self.assertEqual(self.days(first=date(2026, 6, 10), day_of_month=10, count=1), [date(2026, 6, 10)])

    def test_weeks_keep_their_day_after_a_holiday(self):
        # Easter Monday 6 April 2026 moves to Tuesday, and only that one.
        self.assertEqual(
            self.days(first=date(2026, 3, 30), period='week', count=3),
            [date(2026, 3, 30), date(2026, 4, 7), date(2026, 4, 13)])
        self.assertEqual(
            self.days(first=date(2026, 12, 11), period='fortnight', count=3),
            [date(2026, 12, 11), date(2026, 12, 28), date(2027, 1, 8)])

    def test_rounding_is_on_the_last(self):
        for total, count, amounts in (
            ('100.00', 3, ['33.33', '33.33', '33.34']),
            ('200.00', 3, ['66.67', '66.67', '66.66']),
            ('0.05', 3, ['0.02', '0.02', '0.01']),
            ('0.03', 3, ['0.01', '0.01', '0.01']),
        ):
            schedule = make_schedule(Decimal(total), first=date(2026, 1, 5), count=count)
            self.assertEqual([str(part.amount) for part in schedule], amounts)
        schedule = make_schedule(Decimal(250), first=date(2026, 1, 5), amount=Decimal(100))
        self.assertEqual([str(part.amount) for part in schedule], ['100.00', '100.00', '50.00'])

    # --- what makes no schedule ---

    def test_what_makes_no_schedule_says_why(self):
        good = {'total': Decimal(100), 'first': date(2026, 1, 5), 'count': 3}
        make_schedule(**good)
        for wrong in (
            {'total': Decimal(0)}, {'total': Decimal(-5)}, {'total': Decimal('0.02')},
            {'count': 0}, {'count': -1}, {'count': MAX_INSTALMENTS + 1}, {'count': None},
            {'amount': Decimal(10)}, {'count': None, 'amount': Decimal(0)}, {'count': None, 'amount': Decimal(-1)},
            {'count': None, 'amount': Decimal('0.01')}, {'count': None, 'amount': Decimal('0.004')},
            {'period': 'year'}, {'day_of_month': 32}, {'day_of_month': -1},
            {'down_payment': Decimal(100)}, {'down_payment': Decimal(-1)}, {'down_payment': Decimal(200)},
            {'down_payment': Decimal(10), 'down_payment_date': date(2026, 1, 5)},
            # Moved over the weekend, it would fall on the first instalment.
            {'down_payment': Decimal(10), 'down_payment_date': date(2026, 1, 3)},
        ):
            with self.subTest(**wrong), self.assertRaises(ValueError) as caught:
                make_schedule(**{**good, **wrong})
            self.assertRegex(str(caught.exception), r'\A[A-Z].*\.\Z')
        for wrong in ((Decimal(0), Decimal(1)), (Decimal(1), Decimal(0)), (Decimal(-1), Decimal(1))):
            with self.assertRaises(ValueError):
                count_for(*wrong)
        for wrong in ((Decimal('0.02'), 3), (Decimal(1), 0), (Decimal(1), MAX_INSTALMENTS + 1)):
            with self.assertRaises(ValueError):
                amount_for(*wrong)
