"""One due item through time: interest, costs, payments and what is left."""

from datetime import date, timedelta
from decimal import Decimal as D
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.account import Claimed, CostsClaimed, Credit, Payment, Waived, run_account
from ...tools.law.statutory_interest import RateMissing, RateTable
from ..law_oracle import CALM, Walk, cents
from .case import BaseCase, tagged
from .test_law_interest import COMMERCIAL, CONSUMER, SIX, day_counts, money, tables

FIRST = date(2026, 2, 1)
TODAY = date(2026, 11, 22)

moments = st.integers(-40, 1300)
portions = st.one_of(st.integers(0, 120).map(lambda part: D(part) / 100), st.sampled_from([D(0), D(1), D('0.001')]))


@st.composite
def stories(draw):
    """Return an amount, its first interest day or none, rates and events around them in any order."""
    original = draw(money)
    first = draw(st.dates(date(2017, 1, 1), date(2028, 12, 31)))

    def part():
        return round(original * draw(portions), 2)

    def moment():
        return first + timedelta(days=draw(moments))

    events = [Payment(moment(), part(), number) for number in range(draw(st.integers(0, 5)))]
    events += [Claimed(moment()) for _number in range(draw(st.integers(0, 2)))]
    events += [CostsClaimed(moment(), draw(st.sampled_from([D(40), D(0), D('72.60')])))
               for _number in range(draw(st.integers(0, 2)))]
    events += [Credit(moment(), part()) for _number in range(draw(st.sampled_from([0, 0, 0, 1, 2])))]
    events += [Waived(moment(), draw(st.sampled_from([D(0), D(40), D(20)])), round(part() / 20, 2))
               for _number in range(draw(st.sampled_from([0, 0, 0, 1, 2])))]
    return original, draw(st.sampled_from([first, first, first, first, None])), draw(tables), events, moment()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimAccount(BaseCase):

    def _run(self, *events, original=D(1000), first=FIRST, rates=None, until=TODAY, **options):
        rates = CONSUMER if rates is None else rates
        account = run_account(original, first, rates, events, until, **options)
        self._check_books(account)
        return account

    def _check_books(self, account):
        self.assertEqual(
            account.left.total - account.overpaid,
            account.original - account.credits + account.interest + account.costs - account.payments - account.waived)
        self.assertEqual(account.interest, sum(segment.amount for segment in account.segments))
        self.assertEqual(account.payments + account.waived, sum(done.amount for done in account.imputations))
        self.assertEqual(account.left.costs, account.costs - sum(done.costs for done in account.imputations))
        self.assertEqual(account.left.interest, account.interest - sum(done.interest for done in account.imputations))
        for done in account.imputations:
            self.assertEqual(done.costs + done.interest + done.principal + done.overpaid, done.amount)
            self.assertTrue(all(part >= 0 for part in (*done[1:6], *done.left)))
        self.assertTrue(all(
            part >= 0 for part in (*account.left, account.overpaid, account.per_day, account.capitalised)))
        self.assertLessEqual(account.capitalised, account.left.interest)

    def _left(self, account, costs, interest_, principal, overpaid=0):
        self.assertEqual(account.left, (D(costs), D(interest_), D(principal)))
        self.assertEqual(account.overpaid, D(overpaid))

    def _amounts(self, account):
        return [(s.days, s.principal, s.amount) for s in account.segments]

    def test_nothing_happened(self):
        account = self._run()
        # 1,000 × 4% × 295 / 365 = 32.3288; a day is 0.109589
        self._left(account, 0, '32.33', 1000)
        self.assertEqual(account.per_day, D('0.109589'))
        self.assertEqual(account.left.total, D('1032.33'))

    def test_a_payment_after_all_was_claimed_goes_in_the_legal_order(self):
        """30 days: 1,000 × 4% × 30 / 365 = 3.2877. Of 400 go 40 to costs, 3.29 to interest, 356.71 to the principal.

        265 days: 643.29 × 4% × 265 / 365 = 18.6818; a day is 643.29 × 4% / 365 = 0.0704975.
        """
        account = self._run(
            Payment(date(2026, 3, 2), D(400), 'bank'), Claimed(date(2026, 2, 10)),
            CostsClaimed(date(2026, 2, 28), D(40)))
        self.assertEqual(self._amounts(account), [(30, 1000, D('3.29')), (265, D('643.29'), D('18.68'))])
        self.assertEqual([s.reasons for s in account.segments], [('start',), ('payment',)])
        (done,) = account.imputations
        self.assertEqual(done, (
            date(2026, 3, 2), 400, 40, D('3.29'), D('356.71'), 0, (0, 0, D('643.29')), 'bank'))
        self._left(account, 0, '18.68', '643.29')
        self.assertEqual(account.per_day, D('0.070498'))

    def test_a_payment_before_anything_was_claimed_goes_to_the_principal(self):
        """600 × 4% × 265 / 365 = 17.4247; the 3.29 of before stays owed and bears nothing."""
        account = self._run(Payment(date(2026, 3, 2), D(400)), Claimed(date(2026, 3, 3)))
        self.assertEqual(self._amounts(account), [(30, 1000, D('3.29')), (265, 600, D('17.42'))])
        self._left(account, 0, '20.71', 600)

    def test_what_was_claimed_on_the_day_of_the_payment_was_claimed(self):
        for day, left in ((date(2026, 3, 2), (0, 0, D('643.29'))), (date(2026, 3, 3), (40, D('3.29'), 600))):
            account = self._run(
                Payment(date(2026, 3, 2), D(400)), CostsClaimed(day, D(40)), Claimed(day), until=date(2026, 3, 3))
            self.assertEqual(account.left.costs, left[0])
            self.assertEqual(account.left.principal, left[2])

    def test_costs_were_claimed_but_interest_was_not(self):
        account = self._run(
            Payment(date(2026, 3, 2), D(400)), CostsClaimed(date(2026, 2, 10), D(40)))
        self.assertEqual(account.imputations[0][2:5], (40, 0, 360))

    def test_the_day_of_payment_bears_interest(self):
        # 1,000 × 4% / 365 = 0.1096
        account = self._run(Payment(FIRST, D(1000)))
        self.assertEqual(self._amounts(account), [(1, 1000, D('0.11'))])
        self._left(account, 0, '0.11', 0)
        self.assertEqual(account.per_day, 0)

    def test_a_payment_up_to_the_due_date_bears_none(self):
        for day in (date(2026, 1, 31), date(2025, 12, 1)):
            self._left(self._run(Payment(day, D(1000))), 0, 0, 0)
            account = self._run(Payment(day, D(400)), Claimed(date(2025, 1, 1)))
            # 600 × 4% × 295 / 365 = 19.3973
            self.assertEqual(self._amounts(account), [(295, 600, D('19.40'))])
            self.assertEqual(account.segments[0].reasons, ('start',))

    def test_a_payment_on_the_last_day_still_counts(self):
        account = self._run(Payment(TODAY, D(1000)), Claimed(FIRST))
        self._left(account, 0, 0, '32.33')
        self.assertEqual(len(account.segments), 1)
        # 32.33 × 4% / 365
        self.assertEqual(account.per_day, D('0.003543'))

    def test_what_is_later_is_not_known_yet(self):
        later = TODAY + timedelta(days=1)
        account = self._run(
            Payment(later, D(500)), Credit(later, D(500)), CostsClaimed(later, D(40)), Claimed(later))
        self.assertEqual(account, self._run())

    def test_two_payments_on_one_day(self):
        day = date(2026, 3, 2)
        one = self._run(Payment(day, D(400)), Claimed(FIRST), CostsClaimed(FIRST, D(40)))
        two = self._run(
            Payment(day, D(30)), Payment(day, D(370)), Claimed(FIRST), CostsClaimed(FIRST, D(40)))
        self.assertEqual((one.left, one.segments), (two.left, two.segments))
        self.assertEqual([done[2:5] for done in two.imputations], [(30, 0, 0), (10, D('3.29'), D('356.71'))])

    def test_a_credit_note_counts_from_the_beginning(self):
        account = self._run(Credit(date(2026, 9, 1), D(400)))
        self.assertEqual(self._amounts(account), [(295, 600, D('19.40'))])
        self._left(account, 0, '19.40', 600)
        # Of a payment before the credit note more is left for the principal, for less interest had accrued:
        # 600 × 4% × 30 / 365 = 1.9726.
        account = self._run(Payment(date(2026, 3, 2), D(400)), Credit(date(2026, 9, 1), D(400)), Claimed(FIRST))
        self.assertEqual(account.imputations[0][2:5], (0, D('1.97'), D('398.03')))

    def test_a_credit_note_over_everything(self):
        account = self._run(Credit(date(2026, 9, 1), D(1000)), rates=[])
        self._left(account, 0, 0, 0)
        self.assertEqual(account.segments, [])
        self._left(self._run(Credit(date(2026, 9, 1), D(700)), Credit(date(2026, 9, 1), D(700))), 0, 0, 0, 400)
        self._left(self._run(Payment(FIRST, D(300)), Credit(TODAY, D(1000))), 0, 0, 0, 300)

    def test_too_much_was_paid(self):
        account = self._run(Payment(date(2026, 3, 2), D(1100)), Claimed(FIRST), CostsClaimed(FIRST, D(40)))
        self._left(account, 0, 0, 0, '56.71')
        self.assertEqual(len(account.segments), 1, "Nothing is left to bear interest.")
        # Interest nobody asked for is not taken out of what was paid too much.
        self._left(self._run(Payment(date(2026, 3, 2), D(1100))), 0, '3.29', 0, 100)

    def test_costs_after_the_principal_was_paid(self):
        account = self._run(Payment(date(2026, 3, 2), D(1000)), CostsClaimed(date(2026, 3, 5), D(40)))
        self._left(account, 40, '3.29', 0)

    def test_costs_come_in_parts(self):
        account = self._run(
            CostsClaimed(date(2026, 2, 5), D(40)), Payment(date(2026, 2, 10), D(40)),
            CostsClaimed(date(2026, 4, 5), D(110)), Payment(date(2026, 5, 10), D(100)))
        self.assertEqual(account.costs, 150)
        self.assertEqual([done[2:5] for done in account.imputations], [(40, 0, 0), (100, 0, 0)])
        self._left(account, 10, account.interest, 1000)

    def test_years_count_from_the_first_day_also_across_payments(self):
        """10,000 at 6% from 1 January 2023; 100 is paid on 1 July, when interest had been claimed.

        182 days 299.1781, of which 100 is paid; 183 days 300.8219. At the end of the year 199.18 + 300.82 = 500.00 is
        unpaid and begins to bear interest: 10,500 × 6% × 366 / 365 = 631.7260.
        """
        account = self._run(
            Payment(date(2023, 7, 1), D(100)), Claimed(date(2023, 2, 1)),
            original=D(10000), first=date(2023, 1, 1), rates=SIX, until=date(2024, 12, 31))
        self.assertEqual(
            self._amounts(account),
            [(182, 10000, D('299.18')), (183, 10000, D('300.82')), (366, 10500, D('631.73'))])
        self.assertEqual([s.reasons for s in account.segments], [('start',), ('payment',), ('anniversary',)])
        self._left(account, 0, '1131.73', 10000)
        self.assertEqual(account.capitalised, 500)
        # The day after is an anniversary: 11,131.73 × 6% / 365.
        self.assertEqual(account.per_day, D('1.829873'))

    def test_interest_that_was_paid_bears_no_interest(self):
        """The interest of the year, 600, is paid on its last day; nothing is added to the principal."""
        events = Payment(date(2023, 12, 31), D(600)), Claimed(date(2023, 2, 1))
        account = self._run(*events, original=D(10000), first=date(2023, 1, 1), rates=SIX, until=date(2024, 1, 1))
        self.assertEqual([s.principal for s in account.segments], [10000, 10000])
        self.assertEqual(account.segments[1].reasons, ('payment', 'anniversary'))
        # A day later it has begun to bear interest, and bears it that one day: 10,600 × 6% / 365 = 1.7425.
        late = self._run(
            Payment(date(2024, 1, 1), D(600)), events[1],
            original=D(10000), first=date(2023, 1, 1), rates=SIX, until=date(2024, 1, 2))
        # Of the old interest nothing is left; the new 1.74 bears none before its own year is over.
        self.assertEqual(
            self._amounts(late), [(365, 10000, 600), (1, 10600, D('1.74')), (1, 10000, D('1.64'))])
        self._left(late, 0, '3.38', 10000)

    def test_half_of_the_old_interest_was_paid(self):
        """600 of the first year bears interest; 300 is paid on 31 January 2024: 10,600 × 6% × 31 / 365 = 54.0164.

        300 goes off the old 600, so 10,300 bears interest from 1 February: 10,300 × 6% × 335 / 365 = 567.2055.
        """
        account = self._run(
            Payment(date(2024, 1, 31), D(300)), Claimed(date(2023, 2, 1)),
            original=D(10000), first=date(2023, 1, 1), rates=SIX, until=date(2024, 12, 31))
        self.assertEqual(
            self._amounts(account), [(365, 10000, 600), (31, 10600, D('54.02')), (335, 10300, D('567.21'))])
        self.assertEqual(account.capitalised, 300)
        self._left(account, 0, '921.23', 10000)

    def test_without_compounding(self):
        account = self._run(
            original=D(10000), first=date(2023, 1, 1), rates=SIX, until=date(2024, 12, 31), compound=False)
        self.assertEqual(self._amounts(account), [(731, 10000, D('1201.64'))])
        self.assertEqual(account.capitalised, 0)
        self.assertEqual(account.per_day, D('1.643836'))

    def test_interest_alone_does_not_begin_to_bear_interest(self):
        """The principal was paid within the year, the interest was not: nothing runs, so no year ends."""
        account = self._run(
            Payment(date(2023, 3, 1), D(10000)), original=D(10000), first=date(2023, 1, 1), rates=SIX)
        # 10,000 × 6% × 60 / 365 = 98.6301
        self._left(account, 0, '98.63', 0)
        self.assertEqual((account.capitalised, account.per_day), (0, 0))

    def test_an_agreed_rate_takes_the_place_of_the_law(self):
        # 1,000 × 12% × 295 / 365 = 96.9863
        self.assertEqual(self._run(rates=[(date.min, D(12))]).interest, D('96.99'))
        self.assertEqual(self._run(rates=[(date.min, D(0))]).interest, 0)

    def test_no_interest(self):
        account = self._run(Payment(FIRST, D(400)), Claimed(FIRST), CostsClaimed(FIRST, D(40)), first=None, rates=[])
        self._left(account, 0, 0, 640)
        self.assertEqual((account.segments, account.per_day), ([], 0))
        self._left(self._run(until=date(2026, 1, 30), rates=[]), 0, 0, 1000)
        self._left(self._run(original=D(0), rates=[]), 0, 0, 0)

    def test_a_letter_of_the_due_date_says_what_a_day_will_cost(self):
        account = self._run(until=date(2026, 1, 31))
        self.assertEqual((account.interest, account.per_day), (0, D('0.109589')))
        self.assertEqual(self._run(until=date(2026, 1, 30)).per_day, 0)

    def test_a_day_after_a_rate_change(self):
        rates = [(date(2026, 1, 1), D(4)), (date(2027, 1, 1), D(8))]
        # 1,000 × 8% / 365
        self.assertEqual(self._run(rates=rates, until=date(2026, 12, 31)).per_day, D('0.219178'))
        self.assertEqual(self._run(rates=rates, until=date(2026, 12, 30)).per_day, D('0.109589'))

    def test_a_day_of_a_leap_year(self):
        account = self._run(first=date(2023, 6, 1), rates=SIX, until=date(2023, 12, 31), day_count='act/act')
        # 1,000 × 6% / 366
        self.assertEqual(account.per_day, D('0.163934'))

    def test_a_missing_rate_says_which_day(self):
        for until, first, rates in (
            (TODAY, date(2014, 12, 31), CONSUMER), (TODAY, FIRST, []), (date(2026, 1, 31), FIRST, []),
        ):
            with self.assertRaises(RateMissing) as caught:
                run_account(D(1000), first, rates, [], until)
            self.assertEqual(caught.exception.day, first)

    def test_a_rate_change_between_two_payments(self):
        """A business owes 2,000 since 1 June 2026 and pays 500 on 15 June and 1,000 on 15 July; all had been claimed.

        15 days 2,000.00 × 10.15% × 15 / 365 =  8.3425; 500 − 8.34 = 491.66
        15 days 1,508.34 × 10.15% × 15 / 365 =  6.2917
        15 days 1,508.34 × 10.40% × 15 / 365 =  6.4466; 1,000 − 6.29 − 6.45 = 987.26
        31 days   521.08 × 10.40% × 31 / 365 =  4.6027
        """
        account = self._run(
            Payment(date(2026, 7, 15), D(1000)), Payment(date(2026, 6, 15), D(500)), Claimed(date(2026, 6, 2)),
            original=D(2000), first=date(2026, 6, 1), rates=COMMERCIAL, until=date(2026, 8, 15))
        self.assertEqual(self._amounts(account), [
            (15, 2000, D('8.34')), (15, D('1508.34'), D('6.29')), (15, D('1508.34'), D('6.45')),
            (31, D('521.08'), D('4.60'))])
        self.assertEqual([s.reasons for s in account.segments], [('start',), ('payment',), ('rate',), ('payment',)])
        self._left(account, 0, '4.60', '521.08')

    def test_a_payment_on_the_day_of_a_new_rate_or_before(self):
        # On 30 June the next segment begins with both; on 1 July the new rate counts one day over the old amount.
        for day, expected in (
            (date(2026, 6, 30), [('start',), ('payment', 'rate')]),
            (date(2026, 7, 1), [('start',), ('rate',), ('payment',)]),
        ):
            account = self._run(Payment(day, D(500)), first=date(2026, 6, 1), rates=COMMERCIAL)
            self.assertEqual([s.reasons for s in account.segments], expected)

    def test_a_payment_on_the_last_day_of_a_leap_year(self):
        account = self._run(
            Payment(date(2024, 12, 31), D(400)), first=date(2024, 12, 1), rates=SIX, until=date(2025, 1, 31),
            day_count='act/act')
        # 1,000 × 6% × 31 / 366 = 5.0820; 600 × 6% × 31 / 365 = 3.0575
        self.assertEqual(self._amounts(account), [(31, 1000, D('5.08')), (31, 600, D('3.06'))])
        self.assertEqual(account.segments[1].reasons, ('payment', 'year'))

    def test_what_was_waived_is_not_owed(self):
        """On 2 March 40 of costs and 3.29 of interest stand; both are let go, and the principal goes on."""
        account = self._run(
            CostsClaimed(FIRST, D(40)), Claimed(FIRST), Waived(date(2026, 3, 2), D(40), D('3.29'), 'mercy'))
        self.assertEqual(account.imputations[0], (
            date(2026, 3, 2), D('43.29'), 40, D('3.29'), 0, 0, (0, 0, 1000), 'mercy'))
        # 1,000 × 4% × 265 / 365 = 29.0411
        self.assertEqual(self._amounts(account), [(30, 1000, D('3.29')), (265, 1000, D('29.04'))])
        self.assertEqual([s.reasons for s in account.segments], [('start',), ('waived',)])
        self.assertEqual((account.costs, account.waived, account.payments), (40, D('43.29'), 0))
        self._left(account, 0, '29.04', 1000)

    def test_waiving_what_was_paid_already_lowers_the_principal(self):
        """Of 30, paid on 2 March, all went to costs. Waiving 40 takes the last 10 of them and 30 of the principal."""
        day = date(2026, 3, 2)
        account = self._run(CostsClaimed(FIRST, D(40)), Waived(day, D(40)), Payment(day, D(30)), until=day)
        self.assertEqual([done[2:6] for done in account.imputations], [(30, 0, 0, 0), (10, 0, 30, 0)])
        self._left(account, 0, '3.29', 970)
        # The next segment begins because of both, and says so once.
        self.assertEqual(self._run(Waived(day, D(40)), Payment(day, D(30))).segments[1].reasons, ('payment',))

    def test_old_interest_that_was_waived_bears_none(self):
        """600 of the first year bears interest from 1 January 2024 and is let go then: 10,600 × 6% / 365 = 1.7425."""
        account = self._run(
            Waived(date(2024, 1, 1), interest=D(600)),
            original=D(10000), first=date(2023, 1, 1), rates=SIX, until=date(2024, 1, 2))
        self.assertEqual(
            self._amounts(account), [(365, 10000, 600), (1, 10600, D('1.74')), (1, 10000, D('1.64'))])
        self.assertEqual(account.capitalised, 0)

    def test_more_waived_than_was_owed(self):
        self._left(self._run(Payment(FIRST, D(1000)), Waived(TODAY, D(40), D('0.11'))), 0, 0, 0, 40)
        # Before the first interest day nothing is split.
        account = self._run(Waived(date(2026, 1, 10), D(40)))
        self.assertEqual([s.reasons for s in account.segments], [('start',)])
        self._left(account, 0, account.interest, 960)

    def test_what_makes_no_sense_is_refused(self):
        for call, error in (
            (lambda: self._run(original=D(-1)), ValueError),
            (lambda: self._run(Payment(FIRST, D(-1))), ValueError),
            (lambda: self._run(Credit(FIRST, D(-1))), ValueError),
            (lambda: self._run(CostsClaimed(FIRST, D(-1))), ValueError),
            (lambda: self._run(Waived(FIRST, D(-1))), ValueError),
            (lambda: self._run(Waived(FIRST, interest=D(-1))), ValueError),
            (lambda: self._run(rates=[(date.min, D(-1))]), ValueError),
            (lambda: self._run(day_count='30/360'), ValueError),
            (lambda: self._run(original=1000.0), TypeError),
            (lambda: self._run(Payment(FIRST, 0.5)), TypeError),
            (lambda: self._run((FIRST, D(5))), TypeError),
        ):
            with self.assertRaises(error):
                call()

    @CALM
    @given(stories(), day_counts, st.booleans())
    def test_it_is_what_walking_through_the_days_gives(self, story, day_count, compound):
        original, first, rates, events, until = story
        account = run_account(original, first, rates, events, until, day_count=day_count, compound=compound)
        self._check_books(account)
        walk = Walk(
            original, first, rates, until, act_act=day_count == 'act/act', compound=compound,
            payments=sorted((event[:2] for event in events if isinstance(event, Payment)), key=lambda pair: pair[0]),
            costs=[event for event in events if isinstance(event, CostsClaimed)],
            waived=[event[:3] for event in events if isinstance(event, Waived)],
            credits_=[event for event in events if isinstance(event, Credit)],
            claimed_from=min((event.day for event in events if isinstance(event, Claimed)), default=None))
        self.assertEqual(
            [(s.first_day, s.last_day, cents(s.principal), cents(s.amount)) for s in account.segments], walk.segments)
        self.assertEqual([cents(part) for part in account.left], [walk.costs, walk.interest, walk.principal])
        self.assertEqual(cents(account.overpaid), walk.overpaid)
        self.assertEqual(
            [(done.day, *map(cents, done[2:6])) for done in account.imputations],
            [done for done in walk.paid if done[0] <= until])

    @CALM
    @given(stories(), st.randoms(use_true_random=False))
    def test_the_order_of_the_events_does_not_matter(self, story, random):
        original, first, rates, events, until = story
        account = run_account(original, first, rates, events, until)
        random.shuffle(events)
        again = run_account(original, first, RateTable(rates), iter(events), until)
        self.assertEqual((again.left, again.overpaid), (account.left, account.overpaid))
        self.assertEqual(again.segments, account.segments)

    @CALM
    @given(stories())
    def test_segments_follow_each_other_without_overlap(self, story):
        original, first, rates, events, until = story
        segments = run_account(original, first, rates, events, until).segments
        for before, after in pairwise(segments):
            self.assertEqual(after.first_day - before.last_day, timedelta(days=1))
        if segments:
            self.assertEqual(segments[0].first_day, first)
            self.assertLessEqual(segments[-1].last_day, until)
            stopped = [event.day for event in events if isinstance(event, Payment | Waived)]
            self.assertIn(segments[-1].last_day, [until, *stopped], "Interest only stops where a payment ended it.")
        self.assertEqual(sum(segment.days for segment in segments), sum(
            (segment.last_day - segment.first_day).days + 1 for segment in segments))

    @CALM
    @given(stories(), st.integers(1, 500))
    def test_the_past_does_not_change_when_time_goes_by(self, story, later):
        """What was imputed by a day stays imputed; only a credit note reaches back."""
        original, first, rates, events, until = story
        events = [event for event in events if not isinstance(event, Credit)]
        then = run_account(original, first, rates, events, until)
        now = run_account(original, first, rates, events, until + timedelta(days=later))
        self.assertEqual(now.imputations[:len(then.imputations)], then.imputations)
        self.assertGreaterEqual(now.interest, then.interest)
        whole = [segment for segment in then.segments if segment.last_day < until]
        self.assertEqual(list(now.segments[:len(whole)]), whole)

    @CALM
    @given(stories(), st.integers(0, 1300), money)
    def test_paying_never_makes_it_more(self, story, number, amount):
        original, first, rates, events, until = story
        day = (first or until) + timedelta(days=number)
        without = run_account(original, first, rates, events, until)
        paid = run_account(original, first, rates, [*events, Payment(day, amount)], until)
        # One segment more may round a cent up, and a year later again.
        slack = D('0.01') * (1 + len(paid.segments))
        if day <= until:
            owed = without.left.total - without.overpaid
            self.assertLessEqual(paid.left.total - paid.overpaid, owed - amount + slack)
        else:
            self.assertEqual(paid, without)

    @CALM
    @given(stories())
    def test_a_day_costs_what_was_announced(self, story):
        """The amount per day of the letter is what the next day adds, up to the rounding of one segment."""
        original, first, rates, events, until = story
        tomorrow = until + timedelta(days=1)
        events = [event for event in events if event.day != tomorrow or not isinstance(event, Credit)]
        today = run_account(original, first, rates, events, until)
        then = run_account(original, first, rates, events, tomorrow)
        self.assertLessEqual(abs(then.interest - today.interest - today.per_day), D('0.0100005'))
