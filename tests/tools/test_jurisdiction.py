"""Whose law: what no creditor and no consumer of another country is ever asked."""

from datetime import date, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.claim import (
    Agreements,
    Correspondence,
    Creditor,
    Debtor,
    DueItem,
    Ledger,
    Request,
    Settlement,
    Told,
)
from ...tools.law.engine import Engine
from ...tools.law.jurisdiction import get_law, is_abroad
from ...tools.law.letters import FOURTEEN_DAY, Item, Letter, LetterItem
from ...tools.law.receipt import POST, REGISTERED, Proof, Way
from ...tools.law.statutory_interest import RateTable
from ..law_oracle import CALM
from .case import BaseCase, tagged

DAY = date(2026, 1, 15)
RATES = {'commercial': RateTable([(date(2020, 1, 1), D(10))]), 'consumer': RateTable([(date(2020, 1, 1), D(6))])}
COUNTRIES = ['', 'NL', 'BE', 'DE', 'US', 'GB', 'nl', 'XX']


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestJurisdiction(BaseCase):

    def compute(self, creditor_country, debtor_country, kind='business', currency='EUR', amount=1000, later=90,
                paid=0, agreed=D(0)):
        """Return the claim of one item on which everything was asked that could be."""
        item = DueItem(1, 101, "INV/1", D(amount), DAY, DAY - timedelta(days=30))
        told = (
            Told(1, ('notice', 12), 2, DAY + timedelta(days=40), interest=D(5), costs=D(40), principal=D(amount)),)
        sent = Letter(
            ('notice', 11), FOURTEEN_DAY, 2, kind, DAY + timedelta(days=10),
            (LetterItem(1, item.name, item.original, DAY),), (Way(POST, DAY + timedelta(days=10)),),
            (Proof(REGISTERED, DAY + timedelta(days=11), documented=True),), announced=D(150))
        letters = {2: Correspondence(
            (sent,), {1: Item(1, 2, item.name, item.original, DAY)}, {sent.source: ("AM11", None)})}
        creditor = Creditor(7, currency, 3, D(21), True, True, country=creditor_country)
        ledger = Ledger(
            creditor, {1: item}, {1: told}, letters,
            {1: [Settlement(DAY + timedelta(days=30), D(paid), True)]} if paid else {}, rates=RATES)
        return Engine(ledger).compute(Request(
            'key', Debtor(2, kind, country=debtor_country), (1,), {1: Agreements(1, agreed)},
            DAY + timedelta(days=later), currency, announce=True))

    def test_a_dutch_creditor(self):
        for kind in ('business', 'consumer'):
            claim = self.compute('NL', 'NL', kind)
            self.assertTrue(claim.lawful)
            self.assertTrue(claim.interest and claim.costs, kind)
        self.assertTrue(self.compute('NL', '', 'consumer').costs, "Nothing says that he lives elsewhere")
        self.assertTrue(self.compute('NL', 'BE', 'business').costs)

    def test_why_not(self):
        for values, limit in (
            (('BE', 'BE'), 'creditor'), (('', 'NL'), 'creditor'), (('NL', 'BE', 'consumer'), 'abroad'),
            (('NL', 'NL', 'business', 'USD'), 'currency'), (('US', 'US', 'business', 'USD'), 'creditor'),
        ):
            claim = self.compute(*values)
            self.assertEqual((claim.limit, claim.lawful), (limit, False), values)
            self.assertEqual(claim.to_json()['limit'], limit)

    def test_one_place_answers(self):
        self.assertEqual([country for country in COUNTRIES if get_law(country)], ['NL'])
        self.assertFalse(is_abroad('', 'NL') or is_abroad(None, 'NL') or is_abroad('BE', 'BE'))
        self.assertTrue(is_abroad('BE', 'NL') and is_abroad('NL', 'BE') and is_abroad('BE', ''))

    @given(
        creditor=st.sampled_from(['NL', 'NL', 'NL', *COUNTRIES]), debtor=st.sampled_from(COUNTRIES),
        kind=st.sampled_from(['business', 'consumer', 'government']), currency=st.sampled_from(['EUR', 'USD']),
        amount=st.integers(1, 100_000), later=st.integers(-5, 900), paid=st.integers(0, 1),
        agreed=st.sampled_from([D(0), D(12)]))
    @CALM
    def test_no_other_law_is_guessed(self, creditor, debtor, kind, currency, amount, later, paid, agreed):
        claim = self.compute(creditor, debtor, kind, currency, amount, later, paid, agreed)
        if creditor != 'NL' or (kind == 'consumer' and debtor not in ('', 'NL')):
            self.assertFalse(claim.lawful)
            self.assertEqual((claim.interest, claim.costs, claim.announced, claim.per_day), (0, 0, 0, 0))
            self.assertEqual(claim.total, claim.principal)
