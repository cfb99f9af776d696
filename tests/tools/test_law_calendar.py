"""Days, terms and holidays (HR 25-11-2016, article 6:96 lid 6 BW, Algemene termijnenwet)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.dutch_calendar import (
    extended,
    fourteen_day_term,
    holidays_of,
    is_holiday,
    is_rest_day,
    next_working_day,
    presumed_receipt,
)
from ..law_oracle import CALM
from .case import BaseCase, tagged

# sent, postal days, presumed receipt, last free day by the bare count, and with the move to a working day
TERMS = [
    (date(2026, 11, 23), 2, date(2026, 11, 25), date(2026, 12, 9), date(2026, 12, 9)),
    (date(2026, 11, 23), 3, date(2026, 11, 26), date(2026, 12, 10), date(2026, 12, 10)),
    (date(2026, 11, 24), 2, date(2026, 11, 26), date(2026, 12, 10), date(2026, 12, 10)),
    (date(2026, 11, 25), 2, date(2026, 11, 27), date(2026, 12, 11), date(2026, 12, 11)),
    (date(2026, 11, 26), 2, date(2026, 11, 28), date(2026, 12, 12), date(2026, 12, 14)),
    (date(2026, 11, 26), 3, date(2026, 12, 1), date(2026, 12, 15), date(2026, 12, 15)),
    (date(2026, 11, 27), 2, date(2026, 12, 1), date(2026, 12, 15), date(2026, 12, 15)),
    (date(2026, 12, 24), 2, date(2026, 12, 30), date(2027, 1, 13), date(2027, 1, 13)),
    (date(2026, 10, 6), 2, date(2026, 10, 8), date(2026, 10, 22), date(2026, 10, 22)),
    # Easter 2027: Thu 25 is one, Good Friday is none, Sat 27 is two, Easter Sunday and Monday are none, Tue 30.
    (date(2027, 3, 24), 3, date(2027, 3, 30), date(2027, 4, 13), date(2027, 4, 13)),
    # Wed 13 is one, Thu 14 is Ascension Day, Fri 15 is two; 15 + 14 = 29 May, a Friday.
    (date(2026, 5, 12), 2, date(2026, 5, 15), date(2026, 5, 29), date(2026, 5, 29)),
    # Sat 2 is one, Sun and Mon are none, Tue 5 May is none, Wed 6 is two; 6 + 14 = 20 May.
    (date(2026, 5, 1), 2, date(2026, 5, 6), date(2026, 5, 20), date(2026, 5, 20)),
    # Sent on a Saturday: Sun and Mon are none, Tue 24, Wed 25, Thu 26 November; 10 December.
    (date(2026, 11, 21), 3, date(2026, 11, 26), date(2026, 12, 10), date(2026, 12, 10)),
    # Wed 9, Thu 10, Fri 11 December; the fourteenth day is Christmas, then Sat 26, Sun 27: Monday 28.
    (date(2026, 12, 8), 3, date(2026, 12, 11), date(2026, 12, 25), date(2026, 12, 28)),
    # Received Fri 18 December: the fourteenth day is 1 January, then a weekend: Monday 4.
    (date(2026, 12, 16), 2, date(2026, 12, 18), date(2027, 1, 1), date(2027, 1, 4)),
    # Received Fri 20 March: Good Friday 3 April, weekend, Easter Monday: Tuesday 7 April.
    (date(2026, 3, 18), 2, date(2026, 3, 20), date(2026, 4, 3), date(2026, 4, 7)),
    # Received 24 April 2025 (Thu): the fourteenth day is 8 May; 5 May was inside the term and counts.
    (date(2025, 4, 22), 2, date(2025, 4, 24), date(2025, 5, 8), date(2025, 5, 8)),
    # Over a leap day: Sat 17 February 2024 + 14 = Sat 2 March: Monday 4.
    (date(2024, 2, 15), 2, date(2024, 2, 17), date(2024, 3, 2), date(2024, 3, 4)),
]

dates = st.dates(date(2012, 1, 1), date(2060, 12, 31))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDutchCalendar(BaseCase):

    def test_the_table(self):
        for sent, postal_days, receipt, bare, last in TERMS:
            with self.subTest(sent=sent, postal_days=postal_days):
                self.assertEqual(presumed_receipt(sent, postal_days), receipt)
                self.assertEqual(receipt + timedelta(days=14), bare)
                self.assertEqual(fourteen_day_term(receipt), (last, last + timedelta(days=1)))
                self.assertEqual(extended(bare), last)

    def test_the_post_takes_three_days_unless_told(self):
        self.assertEqual(presumed_receipt(date(2026, 11, 23)), presumed_receipt(date(2026, 11, 23), 3))
        for days in (1, 0, -1):
            with self.assertRaisesRegex(ValueError, "at least 2 days"):
                presumed_receipt(date(2026, 11, 23), days)

    def test_a_term_that_ends_on_a_holiday_in_the_week(self):
        # Known from the portal, so it can be any day: King's Day (Monday), 5 May (Tuesday), Ascension (Thursday).
        for receipt, last in (
            (date(2026, 4, 13), date(2026, 4, 28)),
            (date(2026, 4, 21), date(2026, 5, 6)),
            (date(2026, 4, 30), date(2026, 5, 15)),
        ):
            self.assertEqual(fourteen_day_term(receipt).last_free_day, last)

    def test_the_holidays_of_a_year(self):
        self.assertEqual(holidays_of(2026), {
            date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 5), date(2026, 4, 6), date(2026, 4, 27), date(2026, 5, 5),
            date(2026, 5, 14), date(2026, 5, 24), date(2026, 5, 25), date(2026, 12, 25), date(2026, 12, 26)})
        self.assertEqual(holidays_of(2027), {
            date(2027, 1, 1), date(2027, 3, 26), date(2027, 3, 28), date(2027, 3, 29), date(2027, 4, 27),
            date(2027, 5, 5), date(2027, 5, 6), date(2027, 5, 16), date(2027, 5, 17), date(2027, 12, 25),
            date(2027, 12, 26)})

    def test_the_king_has_no_birthday_on_a_sunday(self):
        self.assertTrue(is_holiday(date(2025, 4, 26)))
        self.assertFalse(is_holiday(date(2025, 4, 27)))
        self.assertTrue(is_holiday(date(2013, 4, 30)), "It was the queen's until 2013.")

    def test_working_days(self):
        self.assertEqual(next_working_day(date(2026, 11, 20)), date(2026, 11, 23))
        self.assertEqual(next_working_day(date(2026, 11, 23)), date(2026, 11, 24))
        self.assertEqual(next_working_day(date(2026, 12, 24)), date(2026, 12, 28))
        self.assertEqual(next_working_day(date(2026, 4, 2)), date(2026, 4, 7))
        self.assertEqual(extended(date(2026, 11, 20)), date(2026, 11, 20))
        self.assertEqual(
            [is_rest_day(date(2026, 11, day)) for day in range(16, 23)], [False] * 5 + [True] * 2, "Monday to Sunday")

    def test_another_country(self):
        self.assertTrue(is_holiday(date(2026, 7, 21), 'BE'))
        self.assertFalse(is_holiday(date(2026, 7, 21)))
        self.assertFalse(is_holiday(date(2026, 5, 5), 'BE'))
        with self.assertRaisesRegex(ValueError, "No public holidays are known for the country 'QQ'"):
            holidays_of(2026, 'QQ')

    def test_good_friday_and_liberation_day_are_there_every_year(self):
        for year in range(2010, 2100):
            days = holidays_of(year)
            self.assertIn(date(year, 5, 5), days)
            # Ascension Day is the Thursday 39 days after Easter, so 41 days after Good Friday.
            ascension = [day for day in days if day.weekday() == 3 and (day - timedelta(days=41)) in days]
            self.assertEqual(len(ascension), 1, year)
            self.assertEqual((ascension[0] - timedelta(days=41)).weekday(), 4)

    @CALM
    @given(dates, st.integers(2, 6))
    def test_no_letter_arrives_on_a_day_without_post(self, sent, postal_days):
        receipt = presumed_receipt(sent, postal_days)
        self.assertNotIn(receipt.weekday(), (0, 6))
        self.assertFalse(is_holiday(receipt))
        counted = [
            day for day in (sent + timedelta(days=number) for number in range(1, (receipt - sent).days + 1))
            if day.strftime('%a') not in ('Sun', 'Mon') and day not in holidays_of(day.year)]
        self.assertEqual(len(counted), postal_days)
        self.assertLess(receipt, presumed_receipt(sent, postal_days + 1))
        self.assertLessEqual(receipt, presumed_receipt(sent + timedelta(days=1), postal_days))

    @CALM
    @given(dates)
    def test_fourteen_full_days_and_never_fewer(self, receipt):
        last, costs_from = fourteen_day_term(receipt)
        self.assertEqual(costs_from - last, timedelta(days=1))
        free = [receipt + timedelta(days=number) for number in range(1, (costs_from - receipt).days)]
        self.assertGreaterEqual(len(free), 14)
        self.assertLessEqual(len(free), 14 + 5)
        self.assertFalse(is_rest_day(last))
        self.assertTrue(all(is_rest_day(day) for day in free[13:-1]), "Only rest days are added.")
        self.assertLessEqual(last, fourteen_day_term(receipt + timedelta(days=1)).last_free_day)

    @CALM
    @given(dates)
    def test_the_next_working_day(self, day):
        following = next_working_day(day)
        self.assertGreater(following, day)
        self.assertFalse(is_rest_day(following))
        self.assertEqual(extended(following), following)
        self.assertEqual(extended(day), following if is_rest_day(day) else day)
