"""Facts of law by date: which row holds, what is reviewed, terms of payment, insolvency."""

from datetime import date

from ...tools.law.dated_facts import (
    FACTS,
    POSTAL_DAYS,
    get_fact,
    get_facts_to_review,
    get_postal_days,
    needs_agency_register,
)
from ...tools.law.insolvency import KINDS, Insolvency, get_last_interest_day, stops_dunning
from ...tools.law.payment_terms import CONSUMER, GOVERNMENT, LARGE, SMALL, AgreedTerm, get_longest_term
from .case import BaseCase, tagged

TODAY = date(2026, 11, 30)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDatedFacts(BaseCase):

    def test_rows(self):
        self.assertEqual(len({fact.key for fact in FACTS}), len(FACTS))
        self.assertTrue(all(fact.source for fact in FACTS))
        with self.assertRaises(LookupError):
            get_fact(POSTAL_DAYS, date(2012, 6, 30))
        with self.assertRaises(LookupError):
            get_fact('nothing', TODAY)

    def test_postal_days(self):
        self.assertEqual(get_postal_days(TODAY), 3)
        self.assertEqual(get_postal_days(date(2027, 6, 30)), 3)
        self.assertEqual(get_postal_days(date(2027, 7, 1)), 4)
        # A creditor lengthens it, and cannot shorten it.
        self.assertEqual((get_postal_days(TODAY, 2), get_postal_days(TODAY, 5)), (3, 5))
        # Nobody read the text of what comes in 2027; whoever finds otherwise gives other rows.
        later = get_fact(POSTAL_DAYS, date(2027, 7, 1))
        self.assertFalse(later.read)
        self.assertEqual(get_postal_days(date(2027, 7, 1), facts=[fact for fact in FACTS if fact != later]), 3)

    def test_review(self):
        """Each fact in force is looked up once a year, and what is to come within a year as well."""
        due = get_facts_to_review(TODAY, {})
        later = get_fact(POSTAL_DAYS, date(2027, 7, 1))
        self.assertIn(later, due)
        self.assertIn(get_fact(POSTAL_DAYS, TODAY), due)
        self.assertEqual(due, sorted(due, key=lambda fact: (fact.date_from, fact.code)))
        self.assertNotIn(later, get_facts_to_review(date(2026, 6, 1), {}))
        confirmed = {fact.key: date(2026, 3, 1) for fact in due}
        self.assertFalse(get_facts_to_review(TODAY, confirmed))
        self.assertEqual(get_facts_to_review(date(2027, 1, 1), confirmed), due)
        # What held before is not looked up any more.
        self.assertNotIn(get_fact(POSTAL_DAYS, TODAY), get_facts_to_review(date(2027, 7, 1), {}))

    def test_agency_register(self):
        self.assertFalse(needs_agency_register(date(2026, 9, 30), True))
        self.assertTrue(needs_agency_register(date(2026, 10, 1), True))
        self.assertFalse(needs_agency_register(date(2026, 10, 1), False))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPaymentTerms(BaseCase):

    def test_longest_term(self):
        old, new = date(2022, 6, 30), date(2022, 7, 1)
        for creditor, debtor, agreed, day, expected in (
            (SMALL, CONSUMER, AgreedTerm(90), TODAY, (None, 'consumer')),
            (SMALL, SMALL, None, TODAY, (30, 'legal')),
            (SMALL, LARGE, None, TODAY, (30, 'legal')),
            (SMALL, SMALL, AgreedTerm(45), TODAY, (60, 'general')),
            (SMALL, SMALL, AgreedTerm(90), TODAY, (60, 'general')),
            (SMALL, SMALL, AgreedTerm(60, True), TODAY, (60, 'general')),
            (SMALL, SMALL, AgreedTerm(90, True), TODAY, (90, 'expressly')),
            (LARGE, LARGE, AgreedTerm(90, True), TODAY, (90, 'expressly')),
            (LARGE, SMALL, AgreedTerm(45), TODAY, (60, 'general')),
            (SMALL, LARGE, AgreedTerm(60), TODAY, (30, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(90, True), TODAY, (30, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(60, False, new), new, (30, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(60, False, old), new, (60, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(60), new, (60, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(60, False, old), date(2023, 6, 30), (60, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(60, False, old), date(2023, 7, 1), (30, 'large_buyer')),
            (SMALL, LARGE, AgreedTerm(60), old, (60, 'large_buyer')),
            (SMALL, GOVERNMENT, None, TODAY, (30, 'government')),
            (SMALL, GOVERNMENT, AgreedTerm(60), TODAY, (30, 'government')),
            (LARGE, GOVERNMENT, AgreedTerm(60, True), TODAY, (60, 'government_expressly')),
        ):
            with self.subTest(creditor=creditor, debtor=debtor, agreed=agreed, day=day):
                limit = get_longest_term(creditor, debtor, agreed, day)
                self.assertEqual((limit.days, limit.why), expected)
                self.assertEqual(limit.fact is None, debtor == CONSUMER)
                self.assertTrue(limit.allows(30))
                self.assertEqual(limit.allows(61), limit.days is None or limit.days > 60)

    def test_parties(self):
        for parties in ((CONSUMER, SMALL), (SMALL, 'medium')):
            with self.assertRaises(ValueError):
                get_longest_term(*parties, None, TODAY)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestInsolvency(BaseCase):

    def test_kinds(self):
        self.assertEqual(
            [kind.name for kind in KINDS.values()],
            ["faillissement", "surseance van betaling", "schuldsanering (WSNP)", "onderhands akkoord (WHOA)"])

    def test_older_and_later_debts(self):
        insolvency = Insolvency('bankruptcy', date(2026, 5, 11), date(2026, 11, 2))
        before, later = date(2026, 5, 11), date(2026, 5, 12)
        self.assertFalse(stops_dunning(insolvency, before, date(2026, 5, 10)))
        self.assertTrue(stops_dunning(insolvency, before, date(2026, 5, 11)))
        self.assertTrue(stops_dunning(insolvency, before, date(2026, 11, 2)))
        self.assertFalse(stops_dunning(insolvency, before, date(2026, 11, 3)))
        self.assertFalse(stops_dunning(insolvency, later, date(2026, 6, 1)))
        self.assertTrue(stops_dunning(Insolvency('private_plan', date(2026, 5, 11)), before, TODAY))

    def test_interest(self):
        for kind in KINDS:
            with self.subTest(kind):
                insolvency = Insolvency(kind, date(2026, 5, 11))
                self.assertEqual(
                    get_last_interest_day(insolvency, date(2026, 1, 1)),
                    None if kind == 'private_plan' else date(2026, 5, 10))
                self.assertIsNone(get_last_interest_day(insolvency, date(2026, 5, 12)))
