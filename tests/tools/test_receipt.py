"""When a notice was received, and which deadline it prints."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ...tools.law.dated_facts import get_postal_days
from ...tools.law.receipt import (
    ACKNOWLEDGED,
    EMAIL,
    FAILED,
    OPENED,
    POST,
    PRESUMED,
    PROVEN,
    REGISTERED,
    UNKNOWN,
    Proof,
    Receipt,
    Way,
    get_printed_deadline,
    judge_receipt,
)
from ..law_oracle import CALM
from .case import BaseCase, tagged

SENT = date(2026, 8, 20)  # a Thursday
BY_MAIL, BY_POST = Way(EMAIL, SENT), Way(POST, SENT)
MAIL_DAY, POST_DAY = date(2026, 8, 21), date(2026, 8, 25)


def day(number):
    return date(2026, 8, number)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReceipt(BaseCase):

    def check(self, ways, proofs, expected, *, later_counts=False):
        receipt = judge_receipt(ways, proofs, postal_days=3, later_counts=later_counts)
        self.assertEqual(receipt, Receipt(*expected))

    def test_presumed(self):
        self.check([BY_MAIL], [], (PRESUMED, MAIL_DAY))
        # Friday, Saturday, Tuesday.
        self.check([BY_POST], [], (PRESUMED, POST_DAY))
        self.check([BY_MAIL, BY_POST], [], (PRESUMED, POST_DAY))
        self.check([BY_MAIL, BY_POST], [], (PRESUMED, POST_DAY), later_counts=True)

    def test_on_its_way(self):
        self.check([Way(POST)], [], (UNKNOWN,))
        self.check([BY_MAIL, Way(POST)], [], (UNKNOWN,))
        self.check([Way(EMAIL, failed=True), BY_POST], [], (PRESUMED, POST_DAY))
        # Seen is seen; but where both deliveries count, the other is waited for.
        opened = [Proof(OPENED, day(20))]
        self.check([BY_MAIL, Way(POST)], opened, (PROVEN, day(20)))
        self.check([BY_MAIL, Way(POST)], opened, (UNKNOWN,), later_counts=True)

    def test_came_back(self):
        self.check([Way(EMAIL, SENT, True)], [], (FAILED,))
        self.check([Way(EMAIL, SENT, True), BY_POST], [], (PRESUMED, POST_DAY))
        self.check([Way(EMAIL, SENT, True), Way(POST, SENT, True)], [], (FAILED,))
        self.check([Way(EMAIL, SENT, True)], [Proof(OPENED, day(23))], (PROVEN, day(23)))
        self.check([Way(POST, SENT, True)], [Proof(ACKNOWLEDGED, day(23))], (FAILED,))
        self.check([Way(POST, SENT, True)], [Proof(ACKNOWLEDGED, day(23), None, True)], (PROVEN, day(23)))

    def test_opened(self):
        """Who opened it on a day had it by then; when the presumption is earlier, that stands."""
        self.check([BY_MAIL], [Proof(OPENED, day(20))], (PROVEN, day(20)))
        self.check([BY_MAIL], [Proof(OPENED, day(30))], (PRESUMED, MAIL_DAY))

    def test_a_document_says_the_day(self):
        for number in (22, 28):
            self.check([BY_POST], [Proof(REGISTERED, day(number), None, True)], (PROVEN, day(number)))
            self.check([BY_POST], [Proof(ACKNOWLEDGED, day(number), None, True)], (PROVEN, day(number)))

    def test_typed_words_shorten_nothing(self):
        for kind in (REGISTERED, ACKNOWLEDGED):
            self.check([BY_POST], [Proof(kind, day(22))], (PRESUMED, POST_DAY))
            self.check([BY_POST], [Proof(kind, day(28))], (PRESUMED, day(28)))

    def test_nothing_arrives_before_it_leaves(self):
        self.check([BY_POST], [Proof(REGISTERED, day(19), None, True)], (PRESUMED, POST_DAY))

    def test_the_later_delivery_counts(self):
        """Of a 14-day letter that goes two ways."""
        both = [BY_MAIL, BY_POST]
        for proof, first, last in (
            (Proof(OPENED, day(20)), day(20), POST_DAY),
            (Proof(REGISTERED, day(22), None, True), day(22), day(22)),
            (Proof(REGISTERED, day(28), None, True), day(28), day(28)),
            (Proof(ACKNOWLEDGED, day(22), None, True), day(22), POST_DAY),
            (Proof(ACKNOWLEDGED, day(22), POST, True), day(22), day(22)),
        ):
            with self.subTest(proof=proof):
                self.assertEqual(judge_receipt(both, [proof], postal_days=3).day, first)
                self.assertEqual(judge_receipt(both, [proof], postal_days=3, later_counts=True).day, last)

    def test_printed_deadline(self):
        """The whole term is left when the letter arrives, whatever the day it is posted on."""
        self.assertEqual(get_printed_deadline([EMAIL], SENT, 7, 3), day(28))
        self.assertEqual(get_printed_deadline([POST], SENT, 7, 3), date(2026, 9, 1))
        self.assertEqual(get_printed_deadline([EMAIL, POST], SENT, 7, 3), date(2026, 9, 1))
        # Posted two days late: it has to be made again.
        self.assertGreater(get_printed_deadline([POST], day(22), 7, 3), date(2026, 9, 1))

    @CALM
    @given(
        st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(5, 30), st.integers(0, 10),
        st.sampled_from([[EMAIL], [POST], [EMAIL, POST]]))
    def test_a_printed_term_is_whole(self, leaves_on, term, chosen, channels):
        postal_days = get_postal_days(leaves_on, chosen)
        receipt = judge_receipt([Way(channel, leaves_on) for channel in channels], postal_days=postal_days)
        deadline = get_printed_deadline(channels, leaves_on, term, postal_days)
        self.assertEqual(deadline - receipt.day, timedelta(days=term))
