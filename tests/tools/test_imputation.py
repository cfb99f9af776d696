"""Which items money is for, by what its payer wrote."""

from datetime import date
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ...tools.payment.bank_text import get_words, read_numerals
from ...tools.payment.imputation import Books, Credit, Document, Item, get_item_keys, impute
from ..law_oracle import CALM
from .case import BaseCase, tagged

TODAY = date(2026, 11, 30)
US, THEM = 1, 2
OLD = Item(11, US, ('INV/2026/00017',), Decimal('123.45'), date(2026, 9, 1))
NEW = Item(12, US, ('INV/2026/00023',), Decimal('67.89'), date(2026, 10, 1))
OTHER = Item(13, THEM, ('INV/2026/00118',), Decimal('67.89'), date(2026, 10, 1))
ITEMS = (OLD, NEW, OTHER)
LETTER = Document('AM2026-00041', US, Decimal('210.00'), (OLD.id, NEW.id))
# As people write a number, {0}: prefix, {1}: year, {2}: with zeros, {3}: without.
FULL = (
    '{0}/{1}/{2}', '{0}{1}{2}', '{0} {1} {2}', '{0}-{1}-{2}', 'Factuur {0}/{1}/{2}.', 'betaling:{0}.{1}.{2}, dank',
    '/EREF/{0}/{1}/{2}//REMI/NOTPROVIDED', '/TRTP/SEPA/IBAN/NL91ABNA0417164300/NAME/X/REMI/USTD//{0}/{1}/{2}/',
    'EREF+NOTPROVIDED SVWZ+{0}/{1}/{2}', 'fact.({0}{1}{2})', '{0}/{1}/\n{2}')
OF_OWN = (
    '{1}/{2}', '{1}{2}', '{2}', 'factuur {3}', 'nr. {3}', 'factuurnr {1}-{3}', '{0}{3}', '{0}-{2}', 'Factuur{0}: {2}',
    'uw nota {2} van 01-09-2026', '{2}, bedankt')
NEVER = (
    'klantnr {3}', 'klantnr {2}', 'order {2}', '17,00', 'EUR 23,00', 'week 17', 'NL91 ABNA 0017 0023 00',
    '23-10-2026', 'X{0}{1}{2}', '{0}{1}{2}9',
    '{0}/{1}/{2}1', '9{2}', '{0}/2019/{2}', '2019/{2}', '{0} 2019 {2}', 'factuur 2019 {3}', '{2}/7', '3-{3}')


def spell(pattern, item):
    prefix, year, number = item.numbers[0].split('/')
    return pattern.format(prefix, year, number, number.lstrip('0'))


def pay(text='', amount='50.00', debtor_id=None, **words):
    return Credit('money', debtor_id, Decimal(amount), TODAY, (text,), **words)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestImputation(BaseCase):

    def impute(self, credit, items=ITEMS, documents=(LETTER,), **words):
        found = impute([credit], items, documents, **words)
        return {share.item_id: share.amount for share in found.shares.get('money', ())}, set(found.likely)

    def test_a_full_number_is_certain_whoever_pays(self):
        for pattern in FULL:
            for write in (str, str.lower):
                for debtor_id in (US, THEM, None):
                    with self.subTest(text=pattern, payer=debtor_id):
                        self.assertEqual(
                            self.impute(pay(write(spell(pattern, NEW)), debtor_id=debtor_id)),
                            ({NEW.id: Decimal('50.00')}, set()))

    def test_a_number_within_a_number_names_nothing(self):
        part = Item(14, THEM, ('2026/00023',), Decimal('67.89'), date(2026, 9, 1))
        for debtor_id in (US, THEM, None):
            self.assertEqual(
                self.impute(pay(NEW.numbers[0], debtor_id=debtor_id), (*ITEMS, part)),
                ({NEW.id: Decimal('50.00')}, set()))
        self.assertEqual(self.impute(pay('2026/00023'), (*ITEMS, part)), ({part.id: Decimal('50.00')}, set()))

    def test_a_known_debtor_writes_a_number_in_any_way(self):
        for pattern in OF_OWN:
            with self.subTest(text=pattern):
                text = spell(pattern, NEW)
                self.assertEqual(self.impute(pay(text, debtor_id=US)), ({NEW.id: Decimal('50.00')}, set()))
                # Of somebody else it is not certain; of whom it could be one waits.
                self.assertEqual(self.impute(pay(text, debtor_id=THEM)), ({}, set()))

    def test_what_is_no_number_names_nothing(self):
        for pattern in NEVER:
            for item in (OLD, NEW):
                with self.subTest(text=pattern, number=item.numbers):
                    self.assertEqual(self.impute(pay(spell(pattern, item), debtor_id=US)), ({}, set()))

    def test_bare_digits_of_somebody_unknown_make_an_item_wait(self):
        for text, waiting in (
            ('2026/00023', {NEW.id}), ('202600023', {NEW.id}), ('factuur 00023', {NEW.id}), ('factuur 23', set()),
            ('Jansen', set()), ('2026 00017 en 2026 00023', {OLD.id, NEW.id}),
        ):
            with self.subTest(text=text):
                self.assertEqual(self.impute(pay(text)), ({}, waiting))

    def test_two_short_numbers_and_their_sum(self):
        both = pay("facturen 17 en 23", '191.34')
        self.assertEqual(self.impute(both), ({}, {OLD.id, NEW.id}))
        self.assertEqual(self.impute(both._replace(amount=Decimal('191.35'))), ({}, set()))
        self.assertEqual(
            self.impute(both._replace(debtor_id=US)), ({OLD.id: OLD.amount, NEW.id: NEW.amount}, set()))

    def test_the_name_and_the_sum(self):
        names = {US: "Bakkerij de Korst B.V."}
        for text, payer in (("", "BAKKERIJ DE KORST BV"), ("Van bakkerij Korst", ""), ("", "Bakkerij de Korst B.V.")):
            with self.subTest(text=text, payer=payer):
                self.assertEqual(
                    self.impute(pay(text, '191.34', payer=payer), names=names), ({}, {OLD.id, NEW.id}))
        self.assertEqual(self.impute(pay("Bakkerij de Kruimel", '191.34'), names=names), ({}, set()))
        self.assertEqual(self.impute(pay("Bakkerij de Korst", '191.30'), names=names), ({}, set()))

    def test_a_sum_of_only_one(self):
        self.assertEqual(self.impute(pay('', '67.89', US)), ({NEW.id: NEW.amount}, set()))
        twin = OLD._replace(id=14, amount=NEW.amount, numbers=('INV/2026/00030',))
        self.assertEqual(self.impute(pay('', '67.89', US), (*ITEMS, twin)), ({}, set()))
        # Nobody knows who paid: each of that sum waits.
        self.assertEqual(self.impute(pay('', '67.89')), ({}, {NEW.id, OTHER.id}))

    def test_the_sum_and_the_number_of_a_letter(self):
        whole = {OLD.id: OLD.amount, NEW.id: NEW.amount}
        self.assertEqual(self.impute(pay('', '210.00', US)), (whole, set()))
        self.assertEqual(self.impute(pay('AM2026 00041', '210.00')), (whole, set()))
        self.assertEqual(self.impute(pay('am2026-00041', '100.00')), ({OLD.id: Decimal('100.00')}, set()))

    def test_a_structured_reference(self):
        item = NEW._replace(numbers=(*NEW.numbers, 'RF89 INV0 0012 6'))
        for text in ('RF89INV000126', 'rf89 inv0 0012 6', '/REMI/STRD/CUR/RF89INV000126/'):
            with self.subTest(text=text):
                self.assertEqual(self.impute(pay(text), (item, OTHER)), ({NEW.id: Decimal('50.00')}, set()))

    def test_digits_alone_may_be_the_number_of_a_customer(self):
        item = NEW._replace(numbers=('20260023',))
        for text, certain, waiting in (
            ('20260023', False, True), ('factuur 20260023', True, False), ('klant 20260023', False, True)):
            with self.subTest(text=text):
                found, likely = self.impute(pay(text), (item,))
                self.assertEqual((bool(found), bool(likely)), (certain, waiting))

    def test_a_discount_in_time(self):
        item = OLD._replace(amount=Decimal('1000.00'), discounted=Decimal('980.00'), discount_until=TODAY)
        [share] = impute([pay('', '980.00', US)], [item]).shares['money']
        self.assertEqual((share.amount, share.covered), (Decimal('980.00'), Decimal('1000.00')))
        late = item._replace(discount_until=date(2026, 11, 29))
        self.assertEqual(self.impute(pay('', '980.00', US), [late]), ({}, set()))
        [share] = impute([pay('INV/2026/00017', '980.00', US)], [late]).shares['money']
        self.assertEqual(share.covered, Decimal('980.00'))

    def test_what_is_linked_in_the_books(self):
        self.assertEqual(
            self.impute(pay('INV/2026/00017', '100.00', US, item_ids=(NEW.id,))), ({NEW.id: NEW.amount}, set()))

    @given(st.integers(0, 10 ** 9))
    @CALM
    def test_no_cent_is_lost_or_counted_twice(self, seed):
        random = Random(seed)
        items = [
            Item(number, random.choice((US, THEM)), (f"INV/{random.choice((2025, 2026))}/{number:05}",),
                 Decimal(random.randint(1, 9)) * 25, date(2026, random.randint(1, 12), 1))
            for number in range(1, random.randint(2, 9))]
        credits = [
            Credit(key, random.choice((US, THEM, None)), Decimal(random.randint(1, 9)) * 25, TODAY, (
                random.choice(('', *(spell(pattern, random.choice(items)) for pattern in (*FULL, *OF_OWN)))),))
            for key in range(random.randint(1, 6))]
        found = impute(credits, items)
        for credit in credits:
            self.assertLessEqual(sum(share.amount for share in found.shares.get(credit.key, ())), credit.amount)
        for item in items:
            covered = [
                share.covered for shares in found.shares.values() for share in shares if share.item_id == item.id]
            self.assertLessEqual(sum(covered), item.amount)
            self.assertTrue(all(part > 0 for part in covered))

    @given(st.integers(0, 10 ** 9))
    @CALM
    def test_texts_of_others_are_never_certain(self, seed):
        """Whoever writes about invoices of his own, of other suppliers, names none of ours."""
        random = Random(seed)
        words = ('factuur', 'nr', 'klant', 'order', 'termijn', 'november', 'huur', 'kenmerk', 'INVOICE', 'dd', 'EUR')
        numbers = [random.randint(1, 99999) for _ in range(6)]
        text = ' '.join(random.choice((
            random.choice(words), str(random.choice(numbers)), f"{random.choice(numbers):05}",
            f"F2026-{random.choice(numbers):05}", f"{random.randint(1, 28):02}-11-2026", f"{random.choice(numbers)},50",
            f"2026{random.choice(numbers):05}", f"V/INV/26/{random.choice(numbers):05}")) for _ in range(8))
        items = [
            Item(number, US, (f"INV/2026/{number:05}",), Decimal(number), date(2026, 1, 1)) for number in numbers]
        self.assertEqual(impute([pay(text, '0.01')], items).shares, {}, text)

    def test_whoever_writes_about_one_item_hardly_ever_stops_another(self):
        """Measured: no certain match is wrong, and at most 1 % of the items wait for money that is not for them."""
        wrong = items_seen = 0
        for seed in range(40):
            random = Random(seed)
            numbers = random.sample(range(1, 3000), 300)
            items = [
                Item(position, position % 120, (f"INV/{2025 if position % 8 == 0 else 2026}/{number:05}",),
                     Decimal(random.randint(2000, 90000)) / 100, date(2026, 1, 1 + position % 28))
                for position, number in enumerate(numbers)]
            meant, credits = {}, []
            for key, item in enumerate(random.sample(items, 90)):
                payer = item.debtor_id if random.random() < 0.6 else None
                text = spell(random.choice((*FULL, *OF_OWN, 'dank u')), item)
                meant[key] = item.id
                part = random.choice((1, 1, 1, Decimal('0.5')))
                credits.append(Credit(key, payer, (item.amount * part).quantize(Decimal('0.01')), TODAY, (text,)))
            found = impute(credits, items)
            for key, shares in found.shares.items():
                self.assertEqual({share.item_id for share in shares}, {meant[key]}, credits[key])
            wrong += len(found.likely - set(meant.values()))
            items_seen += len(items)
        self.assertLessEqual(wrong, items_seen / 100)

    @given(st.integers(0, 10 ** 9))
    @CALM
    def test_what_is_named_is_looked_up(self, seed):
        """The keys of a text find each item that the text may name."""
        random = Random(seed)
        text = spell(random.choice((*FULL, *OF_OWN)), NEW)
        credit = pay(text)
        found = self.impute(credit)
        if any(found):
            self.assertTrue(Books([credit]).get_keys() & get_item_keys(NEW.numbers[0]), text)

    def test_only_what_the_payer_wrote(self):
        text = '/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/BIC/ABNANL2A/NAME/INV 2026 00017/REMI/nota 23/EREF/X1'
        self.assertNotIn('00017', get_words(text))
        self.assertEqual({numeral.key for numeral in read_numerals(text)} & {'23', 'INV202600017'}, {'23'})
