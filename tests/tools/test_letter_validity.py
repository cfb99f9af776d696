"""Does this letter still hold: one story per reason, and what follows from it."""

from datetime import date
from decimal import Decimal as D

from ...tools.law.letter_validity import judge_letters
from ...tools.law.letters import (
    DEFAULT_NOTICE,
    FOURTEEN_DAY,
    Consequence,
    Creditor,
    Item,
    Letter,
    LetterItem,
    Period,
    Settlement,
    Why,
)
from ...tools.law.receipt import EMAIL, POST, Way
from .case import BaseCase, tagged

DUE = date(2026, 8, 3)
WITHDRAWN = (Consequence.OFFER_BLOCKED, Consequence.INSTALMENTS_REVISED, Consequence.BOOKING_CREDITED)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterValidity(BaseCase):
    """Two invoices of a consumer; a notice of default of 19 August, a 14-day letter of 31 August."""

    def setUp(self):
        super().setUp()
        self.items = {
            number: Item(number, 1, f'INV{number}', amount, DUE, known_on=date(2026, 7, 4))
            for number, amount in ((1, D(1000)), (2, D(300)))}
        told = tuple(LetterItem(item.item_id, item.number, item.amount, item.due_date) for item in self.items.values())
        self.default = Letter(
            'default', DEFAULT_NOTICE, 1, 'consumer', date(2026, 8, 19), told, (Way(EMAIL, date(2026, 8, 19)),),
            deadline=date(2026, 8, 27))
        self.fourteen = Letter(
            'fourteen', FOURTEEN_DAY, 1, 'consumer', date(2026, 8, 31), told, (Way(EMAIL, date(2026, 8, 31)),),
            announced=D(195))
        self.debtor_type, self.creditor = 'consumer', Creditor()

    def change(self, item_id, **values):
        self.items[item_id] = self.items[item_id]._replace(**values)

    def judge(self, *letters):
        return judge_letters(
            letters or (self.default, self.fourteen), self.items, self.debtor_type, self.creditor)

    def why(self, source, judgement=None):
        """Return [(why, item id)] of the breaches of a letter."""
        return [(breach.why, breach.item_id) for breach in (judgement or self.judge()).verdicts[source].breaches]

    def test_it_holds(self):
        judgement = self.judge()
        self.assertTrue(all(verdict.holds for verdict in judgement.verdicts.values()))
        self.assertEqual(judgement.default_from, {1: date(2026, 8, 28), 2: date(2026, 8, 28)})
        # Received on 1 September; the fifteenth is a Tuesday.
        self.assertEqual(judgement.costs_from, {1: date(2026, 9, 16), 2: date(2026, 9, 16)})
        self.assertFalse(judgement.owes_costs(1, date(2026, 9, 15)))
        self.assertTrue(judgement.owes_costs(1, date(2026, 9, 16)))
        self.assertFalse(judgement.is_in_default(1, date(2026, 8, 27)))
        self.assertTrue(judgement.is_in_default(1, date(2026, 8, 28)))
        self.assertIsNone(judgement.get_missing(1))
        self.assertEqual(judgement.verdicts['fourteen'].costs, D(195))
        self.assertEqual(judgement.verdicts['fourteen'].consequences, ())

    def test_due_date_moved(self):
        """Somebody is given time, or the due date was wrong: the letters about the item lose their effect."""
        self.change(1, due_date=date(2026, 9, 23))
        judgement = self.judge()
        self.assertEqual(self.why('default', judgement), [(Why.DUE_DATE_LATER, 1), (Why.NOT_DUE, 1)])
        # Without it the other could only bear 45, and the letter said 195.
        self.assertEqual(self.why('fourteen', judgement), [
            (Why.DUE_DATE_LATER, 1), (Why.NOT_DUE, 1), (Why.NOT_IN_DEFAULT, 1), (Why.COSTS_TOO_HIGH, None)])
        self.assertEqual(judgement.costs_from, {})
        self.assertEqual(judgement.default_from, {2: date(2026, 8, 28)})
        self.assertEqual((judgement.get_missing(1), judgement.get_missing(2)), (DEFAULT_NOTICE, FOURTEEN_DAY))
        verdict = judgement.verdicts['default']
        self.assertTrue(verdict.holds_for(2))
        self.assertEqual(verdict.consequences, (
            Consequence.LADDER_ANEW, Consequence.LADDER_RETURNS, Consequence.INTEREST_WITHDRAWN, *WITHDRAWN))
        breach = verdict.breaches[0]
        self.assertEqual((breach.told, breach.now), (DUE, date(2026, 9, 23)))

    def test_due_date_moved_a_little(self):
        """Also when it was due by then: the letter named another day."""
        self.change(2, due_date=date(2026, 8, 10))
        self.assertEqual(self.why('default'), [(Why.DUE_DATE_LATER, 2)])

    def test_due_date_earlier(self):
        self.change(1, due_date=date(2026, 8, 1))
        self.assertTrue(self.judge().verdicts['fourteen'].holds)

    def test_term_of_one_day(self):
        """Posted on the 20th, so received on the 25th; the printed deadline was the 26th."""
        letter = self.default._replace(ways=(Way(POST, date(2026, 8, 20)),), deadline=date(2026, 8, 26))
        judgement = self.judge(letter, self.fourteen)
        [breach] = judgement.verdicts['default'].breaches
        self.assertEqual((breach.why, breach.told, breach.now), (Why.TERM_TOO_SHORT, 5, 1))
        self.assertEqual(self.why('fourteen', judgement), [
            (Why.NOT_IN_DEFAULT, 1), (Why.NOT_IN_DEFAULT, 2), (Why.COSTS_TOO_HIGH, None)])
        # The 14-day letter is a written demand with a term of its own.
        self.assertEqual(judgement.default_from, {1: date(2026, 9, 16), 2: date(2026, 9, 16)})
        self.assertEqual(judgement.get_missing(1), FOURTEEN_DAY)

    def test_a_reasonable_term(self):
        letter = self.default._replace(deadline=date(2026, 8, 25))
        self.assertTrue(self.judge(letter).verdicts['default'].holds)
        self.creditor = Creditor(shortest_term=6)
        self.assertEqual(self.why('default', self.judge(letter)), [(Why.TERM_TOO_SHORT, None)])
        self.creditor = Creditor(shortest_term=4)
        with self.assertRaises(ValueError):
            self.judge(letter)

    def test_agreed_term(self):
        """Default without notice: the day after the due date."""
        self.change(1, term_agreed=True)
        self.change(2, term_agreed=True)
        judgement = self.judge(self.fourteen)
        self.assertTrue(judgement.verdicts['fourteen'].holds)
        self.assertEqual(judgement.default_from[1], date(2026, 8, 4))
        self.change(2, term_agreed=False)
        self.assertEqual(self.why('fourteen', self.judge(self.fourteen)), [
            (Why.NOT_IN_DEFAULT, 2), (Why.COSTS_TOO_HIGH, None)])

    def test_invoice_made_again(self):
        self.change(1, amount=D(3000))
        self.change(2, number='INV9')
        self.assertEqual(self.why('default'), [(Why.AMOUNT_RAISED, 1), (Why.NUMBER_CHANGED, 2)])
        self.assertEqual(
            self.judge().verdicts['default'].consequences,
            (Consequence.LADDER_ANEW, Consequence.INTEREST_WITHDRAWN, *WITHDRAWN))
        del self.items[1]
        self.assertEqual(self.why('default'), [(Why.ITEM_GONE, 1), (Why.NUMBER_CHANGED, 2)])

    def test_less_was_owed(self):
        """A demand for too much is still one; costs over what was not owed make the 14-day letter void."""
        self.change(1, settlements=(Settlement(date(2026, 8, 30), D(400)),))
        judgement = self.judge()
        self.assertTrue(judgement.verdicts['default'].holds)
        [breach] = judgement.verdicts['fourteen'].breaches
        self.assertEqual((breach.why, breach.told, breach.now), (Why.COSTS_TOO_HIGH, D(195), D(135)))
        # Money that crossed the letter lowers what is asked, not what it announced; so does a later credit.
        self.change(1, settlements=(
            Settlement(date(2026, 8, 31), D(400)), Settlement(date(2026, 9, 20), D(100), is_money=False)))
        self.assertTrue(self.judge().verdicts['fourteen'].holds)

    def test_a_reason_on_top_of_another(self):
        """Every reason is given, also when one would do."""
        self.change(1, debtor_id=2, amount=D(1001), due_date=date(2026, 9, 1))
        self.fourteen = self.fourteen._replace(ways=(Way(EMAIL, date(2026, 8, 31), failed=True),))
        self.assertEqual(self.why('fourteen'), [
            (Why.NOT_DELIVERED, None), (Why.OTHER_DEBTOR, 1), (Why.AMOUNT_RAISED, 1), (Why.DUE_DATE_LATER, 1),
            (Why.NOT_DUE, 1), (Why.NOT_IN_DEFAULT, 1), (Why.COSTS_TOO_HIGH, None)])

    def test_delivery(self):
        for ways, why, consequence in (
            ((Way(EMAIL, date(2026, 8, 31), failed=True), Way(POST, date(2026, 8, 31), failed=True)),
             Why.NOT_DELIVERED, Consequence.LADDER_RETURNS),
            ((Way(EMAIL, date(2026, 8, 31)), Way(POST)), Why.RECEIPT_UNKNOWN, Consequence.WAIT),
        ):
            with self.subTest(why=why):
                judgement = self.judge(self.default, self.fourteen._replace(ways=ways))
                self.assertEqual(self.why('fourteen', judgement), [(why, None)])
                self.assertEqual(
                    judgement.verdicts['fourteen'].consequences, (consequence, Consequence.COSTS_WITHDRAWN, *WITHDRAWN))
                self.assertEqual(judgement.costs_from, {})
                self.assertEqual(judgement.get_missing(1), FOURTEEN_DAY)

    def test_default_notice_came_back(self):
        lost = self.default._replace(ways=(Way(EMAIL, date(2026, 8, 19), failed=True),))
        self.assertEqual(self.why('fourteen', self.judge(lost, self.fourteen)), [
            (Why.NOT_IN_DEFAULT, 1), (Why.NOT_IN_DEFAULT, 2), (Why.COSTS_TOO_HIGH, None)])

    def test_all_claims_joined(self):
        self.fourteen = self.fourteen._replace(items=self.fourteen.items[:1], announced=D(150))
        [breach] = self.judge().verdicts['fourteen'].breaches
        self.assertEqual((breach.why, breach.now), (Why.NOT_JOINED, 2))
        second = self.items[2]
        for reason, values in (
            ("paid", {'settlements': (Settlement(date(2026, 8, 30), D(300)),)}),
            ("in dispute", {'apart': (Period(date(2026, 8, 20), date(2026, 9, 20)),)}),
            ("sent afterwards", {'known_on': date(2026, 9, 2)}),
            ("of somebody else", {'debtor_id': 2}),
            ("not due", {'due_date': date(2026, 9, 2)}),
        ):
            with self.subTest(reason):
                self.items[2] = second._replace(**values)
                self.assertTrue(self.judge().verdicts['fourteen'].holds)
        self.items[2] = second._replace(apart=(Period(date(2026, 8, 1), date(2026, 8, 30)),))
        self.assertEqual(self.why('fourteen'), [(Why.NOT_JOINED, None)])

    def test_type_of_debtor(self):
        """A letter to a business gives nothing on a consumer; a consumer becomes a business when confirmed."""
        self.debtor_type = 'business'
        judgement = self.judge()
        self.assertTrue(judgement.verdicts['default'].holds)
        self.assertEqual(self.why('fourteen', judgement), [(Why.BECAME_BUSINESS, None)])
        self.assertEqual(judgement.verdicts['fourteen'].consequences, (Consequence.CONFIRM_TYPE,))
        self.debtor_type = 'consumer'
        judgement = self.judge(self.default._replace(debtor_type='business'), self.fourteen)
        self.assertEqual(self.why('default', judgement), [(Why.BECAME_CONSUMER, None)])
        self.assertEqual(judgement.get_missing(1), FOURTEEN_DAY)
        self.assertEqual(judgement.costs_from, {})

    def test_announced_once(self):
        again = self.fourteen._replace(source='again', day=date(2026, 9, 25), ways=(Way(EMAIL, date(2026, 9, 25)),))
        judgement = self.judge(self.default, self.fourteen, again)
        self.assertEqual(judgement.costs_from[1], date(2026, 9, 16))
        self.assertEqual(self.why('again', judgement), [
            (Why.ANNOUNCED_BEFORE, 1), (Why.ANNOUNCED_BEFORE, 2), (Why.COSTS_TOO_HIGH, None)])
        # After one that does not hold, the next one does.
        lost = self.fourteen._replace(ways=(Way(EMAIL, date(2026, 8, 31), failed=True),))
        judgement = self.judge(self.default, lost, again)
        self.assertTrue(judgement.verdicts['again'].holds)
        self.assertEqual(judgement.costs_from[1], date(2026, 10, 13))

    def test_small_instalments(self):
        """Article 2a Besluit BIK: EUR 40 once in six months for small items."""
        self.items = {1: Item(1, 1, 'INV1', D(100), DUE, True), 2: Item(2, 1, 'INV2', D(100), date(2026, 9, 3), True)}

        def letter(number, day, announced):
            item = self.items[number]
            return Letter(
                number, FOURTEEN_DAY, 1, 'consumer', day,
                (LetterItem(number, item.number, item.amount, item.due_date),), (Way(EMAIL, day),), announced=announced)

        first = letter(1, date(2026, 8, 10), D(40))
        verdicts = self.judge(first, letter(2, date(2026, 9, 10), D(40))).verdicts
        self.assertTrue(verdicts[1].holds)
        self.assertEqual([breach.why for breach in verdicts[2].breaches], [Why.COSTS_TOO_HIGH])
        self.assertEqual(verdicts[2].costs, 0)
        self.assertTrue(self.judge(first, letter(2, date(2026, 9, 10), D(0))).verdicts[2].holds)
        self.assertTrue(self.judge(first, letter(2, date(2027, 2, 11), D(40))).verdicts[2].holds)

    def test_vat(self):
        raised = self.fourteen._replace(announced=D('235.95'), vat_rate=D(21))
        self.assertTrue(self.judge(self.default, raised).verdicts['fourteen'].holds)
        self.assertEqual(
            self.why('fourteen', self.judge(self.default, raised._replace(vat_rate=None))),
            [(Why.COSTS_TOO_HIGH, None)])

    def test_order_of_letters(self):
        """In whatever order they are given, the oldest is judged first."""
        self.assertEqual(list(self.judge(self.fourteen, self.default).verdicts), ['default', 'fourteen'])
        self.assertTrue(self.judge(self.fourteen, self.default).verdicts['fourteen'].holds)
