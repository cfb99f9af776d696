"""The claim worked out without Odoo: worked examples with amounts by hand, and what holds of every claim."""

import json
from datetime import date, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.amounts import CENT, ZERO, share, to_decimal
from ...tools.law.claim import (
    NOTHING,
    Agreements,
    Booked,
    Correspondence,
    Creditor,
    Debtor,
    DueItem,
    Ledger,
    Request,
    Settlement,
    Told,
    Waiver,
)
from ...tools.law.collection_costs import AgreedScale
from ...tools.law.engine import Engine
from ...tools.law.letters import FOURTEEN_DAY, Item, Letter, LetterItem
from ...tools.law.letters import Settlement as LetterSettlement
from ...tools.law.receipt import POST, REGISTERED, Proof, Way
from ...tools.law.statutory_interest import RateMissing, RateTable
from ..law_oracle import CALM
from .case import BaseCase, tagged

CREDITOR = Creditor(7, 'EUR', 3, term_agreed_consumer=True, term_agreed_business=True)
BUSINESS, CONSUMER = Debtor(1, 'business'), Debtor(2, 'consumer')
RATES = {
    'commercial': RateTable([
        (date(2020, 1, 1), D(10)), (date(2025, 1, 1), D(12)), (date(2026, 1, 1), D('10.15')),
        (date(2026, 7, 1), D('10.40'))]),
    'consumer': RateTable([(date(2020, 1, 1), D(6)), (date(2026, 1, 1), D(4))]),
}


def due_item(number, amount, due, **values):
    return DueItem(number, 100 + number, f"INV/{number}", D(amount), due, due - timedelta(days=30), **values)


def told(number, source_id, on, *, debtor=CONSUMER, model='notice', **values):
    return Told(number, (model, source_id), debtor.debtor_id, on, name=f"AM{source_id}", **values)


def letter(source_id, on, announced, costs_from, items, *, debtor=CONSUMER):
    """Return a 14-day letter about items that was received fifteen days before costs are owed."""
    return Letter(
        ('notice', source_id), FOURTEEN_DAY, debtor.debtor_id, debtor.type, on,
        tuple(LetterItem(item.item_id, item.name, item.original, item.due_date) for item in items),
        (Way(POST, on),), (Proof(REGISTERED, costs_from - timedelta(days=15), documented=True),),
        announced=D(announced))


def read(items, lines=(), letters=(), *, creditor=CREDITOR, settlements=NOTHING, **values):
    """Return the ledger of items about which ``lines`` were told, and ``letters`` to a consumer."""
    by_item = {}
    for line in lines:
        by_item.setdefault(line.item_id, []).append(line)
    about = {
        item.item_id: Item(
            item.item_id, CONSUMER.debtor_id, item.name, item.original, item.due_date,
            settlements=tuple(
                LetterSettlement(line.day, line.amount, line.is_money) for line in settlements.get(item.item_id, ())))
        for item in items}
    sent = {CONSUMER.debtor_id: Correspondence(
        tuple(letters), about, {letter.source: (f"AM{letter.source[1]}", None) for letter in letters})}
    return Ledger(
        creditor, {item.item_id: item for item in items}, by_item, sent if letters else {}, settlements,
        rates=RATES, **values)


def compute(ledger, at_date, debtor=BUSINESS, agreements=Agreements(), item_ids=None, **values):  # noqa: B008 (frozen)
    item_ids = tuple(ledger.items) if item_ids is None else item_ids
    return Engine(ledger).compute(Request(
        'key', debtor, item_ids, dict.fromkeys(item_ids, agreements), at_date, **values))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimExamples(BaseCase):

    def test_a_business(self):
        """1,500 and 3,000 from 1 June 2026 until 31 August: 12.51 + 26.50 and 25.03 + 53.00; costs 375 + 200."""
        items = [due_item(1, 1500, date(2026, 5, 31)), due_item(2, 3000, date(2026, 5, 31))]
        claim = compute(read(items), date(2026, 8, 31))
        self.assertEqual([item.interest for item in claim.items], [D('39.01'), D('78.03')])
        self.assertEqual([item.costs for item in claim.items], [D('191.67'), D('383.33')])
        self.assertEqual((claim.interest, claim.costs, claim.total), (D('117.04'), 575, D('5192.04')))

    def test_a_consumer(self):
        """The example of docs/wet.md, day by day."""
        item = due_item(1, 1000, date(2025, 11, 30))
        sent = letter(11, date(2025, 12, 17), 150, date(2026, 1, 6), [item])
        lines = [told(1, 12, date(2026, 1, 9), interest=D('5.78'), costs=D(90))]
        payments = [Settlement(date(2026, 1, 2), D(400), True, "first"), Settlement(date(2026, 1, 20), D(200), True)]
        ledger = read([item], lines, [sent], settlements={1: payments})
        before = compute(ledger, date(2026, 1, 5), CONSUMER)
        self.assertEqual((before.costs, before.principal), (0, 600), "The term runs until the end of the fifth")
        claim = compute(ledger, date(2026, 1, 9), CONSUMER)
        self.assertEqual([segment.amount for segment in claim.items[0].account.segments], [
            D('5.10'), D('0.22'), D('0.46')])
        self.assertEqual((claim.interest, claim.costs, claim.total), (D('5.78'), 90, D('695.78')))
        claim = compute(ledger, date(2026, 1, 20), CONSUMER)
        _in_time, paid = claim.items[0].account.imputations
        self.assertEqual((paid.costs, paid.interest, paid.principal), (90, D('6.50'), D('103.50')))
        self.assertEqual(claim.total, D('496.50'))
        self.assertEqual(compute(ledger, date(2026, 1, 31), CONSUMER).total, D('497.10'))

    def test_what_is_frozen_is_text_and_complete(self):
        item = due_item(1, 1000, date(2025, 11, 30))
        sent = letter(11, date(2025, 12, 17), 150, date(2026, 1, 6), [item])
        payments = [Settlement(date(2026, 1, 2), D(400), True, "first")]
        ledger = read([item], letters=[sent], settlements={1: payments})
        data = compute(ledger, date(2026, 1, 9), CONSUMER).to_json()
        self.assertEqual(set(data), {
            'format', 'at_date', 'currency', 'lawful', 'limit', 'debtor_type', 'rate_kind', 'day_count',
            'agreed_percent', 'with_interest', 'with_costs', 'waived_interest', 'waived_costs', 'waive_reason',
            'principal', 'interest', 'costs', 'announced', 'total', 'left', 'per_day', 'costs_bases', 'items'})
        self.assertEqual((data['at_date'], data['total']), ('2026-01-09', '695.78'))
        self.assertEqual(data['left'], ['90.00', '5.78', '600'])
        [entry], [basis] = data['items'], data['costs_bases']
        self.assertEqual((basis['principal'], basis['since'], basis['vat_rate']), ('600', '2026-01-06', None))
        self.assertEqual(set(entry), {
            'item_id', 'move_id', 'name', 'invoice_date', 'due_date', 'original', 'open', 'reduction', 'settlements',
            'interest_from', 'interest_why', 'interest_basis', 'agreed_percent', 'compound', 'interest', 'interest_all',
            'costs', 'costs_all', 'waived_interest', 'waived_costs', 'settled', 'announced', 'costs_why', 'costs_since',
            'costs_principal', 'costs_total', 'costs_lowered', 'costs_basis', 'left', 'per_day', 'capitalised',
            'segments', 'imputations'})
        self.assertEqual(entry['settlements'], [['2026-01-02', '400', True, "first"]])
        self.assertEqual(entry['segments'][0], [
            '2025-12-01', '2025-12-31', 31, '6', '1000', '5.10', ['start'], 365])
        self.assertEqual(entry['imputations'], [
            ['2026-01-02', '400', '0', '0', '400', ['0', '5.32', '600'], ['payment', "first"]]])
        self.assertEqual((entry['costs_why'], entry['costs_basis'], entry['compound']), ('fourteen_day', 0, True))

    def test_without_an_agreed_term_interest_waits(self):
        """Delivered on Thursday 5 December 2024: 30 days after the day that follows it; a consumer is told first."""
        creditor = CREDITOR._replace(term_agreed_consumer=False, term_agreed_business=False)
        item = due_item(1, 1000, date(2024, 12, 31))._replace(invoice_date=date(2024, 12, 1))
        entry = compute(read([item], creditor=creditor), date(2025, 3, 3)).items[0]
        self.assertEqual((entry.interest_from, entry.interest_why), (date(2025, 1, 5), 'receipt'))
        entry = compute(read([item], creditor=creditor), date(2025, 3, 3), CONSUMER).items[0]
        self.assertEqual((entry.interest, entry.interest_why), (0, 'no_default'))
        demand = letter(11, date(2025, 1, 10), 150, date(2025, 1, 28), [item])
        entry = compute(read([item], letters=[demand], creditor=creditor), date(2025, 3, 3), CONSUMER).items[0]
        self.assertEqual((entry.interest_from, entry.interest_why), (date(2025, 1, 28), 'default'))

    def test_agreed_interest_and_costs(self):
        """18% over 1,000 for 62 days = 30.58; 12.5% of costs = 125, at least 200."""
        item = due_item(1, 1000, date(2024, 12, 31))
        agreements = Agreements(3, D(18), 'agreed', AgreedScale(D('12.5'), D(200)))
        claim = compute(read([item]), date(2025, 3, 3), agreements=agreements)
        self.assertEqual((claim.interest, claim.costs, claim.agreed_percent), (D('30.58'), 200, 18))
        lower = compute(read([item]), date(2025, 3, 3), CONSUMER, agreements._replace(interest_percent=D(3)))
        self.assertEqual((lower.interest, lower.agreed_percent), (D('10.19'), 0), "6%: less than the law is not agreed")

    def test_costs_once_claimed_stay_and_a_credit_takes_its_part(self):
        item = due_item(1, 1000, date(2024, 12, 31))
        first = told(1, 11, date(2025, 2, 1), debtor=BUSINESS, costs=D(150), principal=D(1000))
        frozen = {('notice', 11): {
            'items': [{'item_id': 1, 'costs_basis': 0}],
            'costs_bases': [{'formula': 'scale', 'principal': '1000', 'total': '150'}]}}
        for settlement, costs in (
            (Settlement(date(2025, 2, 10), D(600), True), 150), (Settlement(date(2025, 2, 10), D(400), False), 90),
        ):
            ledger = read([item], [first], settlements={1: [settlement]}, claimed=frozen)
            detail = compute(ledger, date(2025, 3, 3)).items[0].costs_detail
            self.assertEqual((detail.amount, detail.lowered), (costs, 150 - costs))
            self.assertEqual((detail.why, detail.basis['claimed_in']), ('claimed', "AM11"))

    def test_what_both_sides_agreed_on_stays_whatever_the_day_of_a_payment(self):
        item, day = due_item(1, 1000, date(2024, 12, 31)), date(2025, 2, 1)
        line = told(1, 11, day, debtor=BUSINESS, costs=D(150), principal=D(1000))
        for paid_on in (day, date(2025, 1, 31), date(2025, 1, 2)):
            paid = {1: [Settlement(paid_on, D(1000), True)]}
            for agreed, costs in ((False, 0), (True, 150)):
                with self.subTest(paid_on=paid_on, agreed=agreed):
                    ledger = read([item], [line._replace(agreed=agreed)], settlements=paid)
                    detail = compute(ledger, date(2025, 3, 3)).items[0].costs_detail
                    self.assertEqual((detail.amount, detail.since, detail.lowered), (costs, day, 150 - costs))

    def test_what_both_sides_agreed_on_after_a_letter_stays(self):
        """A payment from before the letter takes nothing along either: both sides signed later."""
        item, day = due_item(1, 1000, date(2024, 12, 31)), date(2025, 2, 1)
        lines = [
            told(1, 11, date(2025, 1, 20), debtor=BUSINESS, costs=D(150), principal=D(1000)),
            told(1, 12, day, debtor=BUSINESS, costs=D(150), principal=D(1000), agreed=True)]
        paid = {1: [Settlement(date(2025, 1, 10), D(400), True)]}
        self.assertEqual(compute(read([item], lines, settlements=paid), date(2025, 1, 25)).costs, 90)
        self.assertEqual(compute(read([item], lines, settlements=paid), date(2025, 3, 3)).costs, 150)

    def test_what_both_sides_agreed_on_is_owed_until_it_is_credited(self):
        """A credit note takes its part along, but for what is in the books as an invoice of its own."""
        item, day = due_item(1, 1000, date(2024, 12, 31)), date(2025, 2, 1)
        line = told(1, 11, day, debtor=BUSINESS, costs=D(150), principal=D(1000), agreed=True)
        credited = {1: [Settlement(date(2025, 2, 10), D(400), False)]}
        for booked, costs in ((None, 90), (Booked(costs=D(150)), 150), (
            Booked().plus(D(0), D(150), [(date(2025, 2, 11), D(150), False)]), 0),
        ):
            ledger = read([item], [line], settlements=credited, booked={1: booked} if booked else {})
            self.assertEqual(compute(ledger, date(2025, 3, 3)).costs, costs)

    def test_interest_that_both_sides_agreed_on_is_owed_until_it_is_credited(self):
        """Two days over 1,000 and 60 over 100 are 2.63; what was signed and booked is more, and is asked."""
        item, day = due_item(1, 1000, date(2024, 12, 31)), date(2025, 2, 1)
        line = told(1, 11, day, debtor=BUSINESS, interest=D(15), principal=D(1000))
        paid = {1: [Settlement(date(2025, 1, 2), D(900), True)]}
        for agreed, booked, interest in (
            (False, D(15), '2.63'), (True, D(0), '2.63'), (True, D(4), '4'), (True, D(15), '15'),
        ):
            with self.subTest(agreed=agreed, booked=booked):
                ledger = read([item], [line._replace(agreed=agreed)], settlements=paid, booked={1: Booked(booked)})
                entry = compute(ledger, date(2025, 3, 3)).items[0]
                self.assertEqual(entry.interest, D(interest))
                self.assertEqual(entry.left.total, entry.total)

    def test_what_a_notice_told_itself_was_not_told_before(self):
        item = due_item(1, 1000, date(2024, 12, 31))
        ledger = read([item], [told(1, 11, date(2025, 2, 1), debtor=BUSINESS, costs=D(40), principal=D(1000))])
        self.assertEqual(compute(ledger, date(2025, 3, 3)).costs, 40)
        self.assertEqual(compute(ledger, date(2025, 3, 3), source=('notice', 11)).costs, 150)

    def test_what_was_booked_and_paid_there_is_off(self):
        """20.38 of interest and 150 of costs until 3 March; 100 came in on their invoice: costs first."""
        item = due_item(1, 1000, date(2024, 12, 31))
        booked = Booked().plus(D('20.38'), D(150), [(date(2025, 3, 2), D(100), True)])
        self.assertEqual((booked.settled_costs, booked.settled_interest), (100, 0))
        first = told(1, 11, date(2025, 2, 1), debtor=BUSINESS, costs=D(150), principal=D(1000))
        ledger = read([item], [first], booked={1: booked})
        entry = compute(ledger, date(2025, 3, 3)).items[0]
        self.assertEqual((entry.interest, entry.costs, entry.settled), (D('20.38'), 50, 100))
        self.assertEqual(booked.unbooked(entry.interest + 5, entry.costs), (5, 0), "The rest stands in the books")
        # Asked though nothing else is: the books owe it.
        entry = compute(ledger, date(2025, 3, 3), with_interest=False, with_costs=False).items[0]
        self.assertEqual((entry.interest, entry.costs), (D('20.38'), 50))

    def test_credit_notes_take_back_first_what_was_booked_too_high(self):
        """20.38 and 150 were booked; of 500 that was paid before, 75 and 20.38 less 60 days over 500 are owed."""
        item, day = due_item(1, 1000, date(2024, 12, 31)), date(2025, 3, 3)
        first = told(1, 11, date(2025, 2, 1), debtor=BUSINESS, costs=D(150), principal=D(1000))
        paid = {1: [Settlement(date(2025, 1, 2), D(500), True)]}
        for credited, interest, costs, overbooked in (
            (D(0), D('10.52'), 75, D('84.86')), (D(5), D('10.52'), 75, D('79.86')),
            (D('84.86'), D('10.52'), 75, 0), (D('94.86'), D('10.52'), 65, 0), (D('170.38'), 0, 0, 0),
        ):
            with self.subTest(credited=credited):
                booked = Booked().plus(D('20.38'), D(150), [(day, credited, False)] if credited else [])
                entry = compute(read([item], [first], settlements=paid, booked={1: booked}), day).items[0]
                self.assertEqual((entry.interest, entry.costs, entry.overbooked), (interest, costs, overbooked))
                new = booked.unbooked(entry.interest, entry.costs)
                self.assertEqual(new, (0, 0), "Nothing came on top")

    def test_what_is_waived_of_one_comes_off_the_other_in_the_end(self):
        item = due_item(1, 1000, date(2024, 12, 31))
        waivers = {1: [Waiver(date(2025, 3, 3), D('30.38'), ZERO)]}
        entry = compute(read([item], waivers=waivers), date(2025, 3, 3)).items[0]
        self.assertEqual((entry.interest, entry.costs), (0, 140))
        before = compute(read([item], waivers=waivers), date(2025, 3, 2)).items[0]
        self.assertEqual((before.interest, before.costs), (D('20.05'), 150))

    def test_what_bears_nothing(self):
        items = [due_item(1, 1000, date(2024, 12, 31)), due_item(2, 40, date(2024, 12, 31), is_booking=True)]
        for values in (
            {'item_ids': (2,)}, {'currency': 'USD'}, {'debtor': BUSINESS._replace(
                waive_interest=True, waive_costs=True)}, {'with_interest': False, 'with_costs': False},
        ):
            claim = compute(read(items), date(2025, 3, 3), **values)
            self.assertEqual((claim.interest, claim.costs), (0, 0), values)
            self.assertEqual(claim.total, claim.principal)

    def test_a_day_without_a_rate_is_an_error(self):
        with self.assertRaises(RateMissing) as raised:
            compute(read([due_item(1, 1000, date(2019, 6, 30))]), date(2025, 3, 3))
        self.assertEqual(raised.exception.day, date(2019, 7, 1))

    def test_exact_amounts_of_floats(self):
        self.assertEqual([to_decimal(amount) for amount in (0.1 + 0.2, None, 1e9 + 0.01)], [
            D('0.30'), D('0.00'), D('1000000000.01')])
        self.assertEqual(str(to_decimal(-0.001)), '0.00', "There is no negative nothing")


FIRST = date(2024, 1, 1)
money = st.integers(1, 400_000).map(lambda cents: D(cents).scaleb(-2))
offsets = st.integers(0, 500)


@st.composite
def ledgers(draw):
    """Return (ledger, debtor, day): items with payments and credits, of a consumer with 14-day letters."""
    consumer = draw(st.booleans())
    debtor = CONSUMER if consumer else BUSINESS
    items, settlements, lines, letters = [], {}, [], []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        item = due_item(number, draw(money), FIRST + timedelta(days=draw(offsets)))
        items.append(item)
        left = item.original
        settlements[number] = []
        for _turn in range(draw(st.integers(0, 2))):
            amount = min(left, draw(money))
            left -= amount
            if amount:
                settlements[number].append(Settlement(
                    item.due_date + timedelta(days=draw(offsets)), amount, draw(st.booleans())))
        settlements[number].sort(key=lambda line: line.day)
    for source_id in range(11, 11 + draw(st.integers(0, 3))):
        on = FIRST + timedelta(days=draw(offsets))
        about = draw(st.lists(st.sampled_from(items), unique=True, min_size=1))
        if consumer:
            # The least that the law gives, so that it announces no more whatever was paid.
            letters.append(letter(source_id, on, draw(st.sampled_from((0, 15, 40))), on + timedelta(days=17), about))
            continue
        lines += [
            told(
                item.item_id, source_id, on, debtor=debtor, costs=draw(money), interest=draw(money),
                principal=item.original, agreed=draw(st.booleans()))
            for item in about]
    lines.sort(key=lambda line: (line.sent_on, line.source))
    ledger = read(items, lines, letters, settlements=settlements)
    return ledger, debtor, FIRST + timedelta(days=draw(st.integers(0, 1000)))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimProperties(BaseCase):

    @CALM
    @given(ledgers(), st.booleans())
    def test_the_parts_add_up(self, world, announce):
        ledger, debtor, day = world
        claim = compute(ledger, day, debtor, announce=announce)
        self.assertEqual(claim.total, sum(item.total for item in claim.items))
        for item in claim.items:
            self.assertEqual(item.total, item.open - item.reduction + item.interest + item.costs)
            self.assertGreaterEqual(min(item.interest, item.costs, item.announced), 0)
            self.assertEqual(item.left.total - item.account.overpaid, item.total)
        self.assertEqual(claim.left.total - sum(item.account.overpaid for item in claim.items), claim.total)
        self.assertEqual(json.loads(json.dumps(claim.to_json()))['total'], str(claim.total))

    @CALM
    @given(ledgers())
    def test_a_consumer_owes_no_more_than_a_letter_announced_and_nothing_before_it_ran_out(self, world):
        ledger, debtor, day = world
        if debtor is not CONSUMER:
            return
        announced, owed = {}, {}
        sent = ledger.letters.get(debtor.debtor_id)
        for told_in in sent.letters if sent else ():
            announced[sent.names[told_in.source][0]] = told_in.announced
        for item in compute(ledger, day, debtor).items:
            basis = item.costs_detail.basis
            if item.costs_detail.amount:
                self.assertEqual(item.costs_detail.why, 'fourteen_day')
                self.assertLessEqual(basis['since'], day)
                owed[basis['notice']] = owed.get(basis['notice'], 0) + item.costs_detail.amount
        for name, amount in owed.items():
            self.assertLessEqual(amount, announced[name])

    @CALM
    @given(ledgers())
    def test_a_claim_of_a_business_rises_with_no_payment(self, world):
        ledger, _debtor, day = world
        bare = ledger._replace(told={}, letters={})
        paid = compute(bare, day)
        unpaid = compute(bare._replace(settlements={}), day)
        for key in ('principal', 'costs'):
            self.assertLessEqual(getattr(paid, key), getattr(unpaid, key), key)
        # A payment begins a new segment, and each is rounded by half a cent at most, here and there.
        rounding = CENT * sum(len(item.account.segments) for item in paid.items if item.account)
        for key in ('interest', 'total'):
            self.assertLessEqual(getattr(paid, key), getattr(unpaid, key) + rounding, key)

    @CALM
    @given(money, st.lists(st.integers(0, 10_000).map(D), min_size=1, max_size=8))
    def test_sharing_loses_no_cent(self, total, weights):
        parts = share(total, weights)
        self.assertEqual(sum(parts), total if any(weights) else 0)
        self.assertTrue(all(part >= 0 for part in parts))
