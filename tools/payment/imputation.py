"""Which items money is for: those that its payer names (article 6:43 paragraph 1 of the Civil Code, BW). No Odoo here.

Money is *certain* to be for an item when the books link it, when it carries the full number of the item or of a
document that asked for it, or when a known debtor names one of the debtor's items in any usual spelling, or paid
exactly the sum of only one. Only the rest is set against the oldest item (paragraph 2), which is not worked out here.

Money of an unknown payer that only *may* be for an item makes that item wait, and is set against nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from .bank_text import NO_NUMBER, get_key, get_name, get_spellings, normalize, read_text, strip_zeros

#: A number of digits alone is sure to be one of ours only when it is that long, or written with the same separators.
LONG_NUMBER = 12
#: Of an unknown payer, fewer digits say nothing.
BARE_DIGITS = 5


class Credit(NamedTuple):
    """Money or a credit note that nothing was matched with.

    :ivar key: of the caller
    :ivar debtor_id: None: nobody knows the payer
    :ivar amount: Decimal, in the currency of the company
    :ivar texts: what the payer wrote
    :ivar payer: the name that the bank gives
    :ivar item_ids: items that the books say it is for
    """

    key: object
    debtor_id: int | None
    amount: Decimal
    day: date
    texts: tuple = ()
    payer: str = ''
    item_ids: tuple = ()


class Item(NamedTuple):
    """An open item.

    :ivar numbers: its number and its references, the number first
    :ivar amount: Decimal, what is open, in the currency of the company
    :ivar discounted: what is enough until ``discount_until``
    """

    id: int
    debtor_id: int
    numbers: tuple
    amount: Decimal
    due_date: date
    discounted: Decimal | None = None
    discount_until: date | None = None

    def get_enough(self, day):
        """Return what settles the item on a day."""
        if self.discounted is not None and self.discount_until and day <= self.discount_until:
            return self.discounted
        return self.amount


class Document(NamedTuple):
    """What asked for items: a letter, a promise, an arrangement or one of its instalments.

    :ivar amount: Decimal, the sum it asks
    """

    number: str
    debtor_id: int
    amount: Decimal
    item_ids: tuple


class Share(NamedTuple):
    """A part of a credit.

    :ivar amount: Decimal, what it takes of the credit
    :ivar covered: Decimal, what is not asked of the item any more: more than the amount with a discount in time
    """

    item_id: int
    amount: Decimal
    covered: Decimal


class Reading(NamedTuple):
    """What can be numbers in a text.

    :ivar bare: without what looks like a day, an amount or an account, and without parts of longer numbers
    :ivar meant: those of these that are long enough, or called a number of an invoice
    """

    whole: list
    bare: list
    meant: list


class Imputation(NamedTuple):
    """:ivar shares: tuple of :class:`Share` by the key of a credit
    :ivar likely: ids of items that may have been paid
    :ivar crosses: whether a credit is for items of several debtors, or of another than who paid
    """

    shares: Mapping
    likely: frozenset
    crosses: bool = False


def impute(
    credits: Iterable[Credit], items: Iterable[Item], documents: Iterable[Document] = (),
    names: Mapping = MappingProxyType({}),
) -> Imputation:
    """Return which items the credits are for, when all items that they can be for are at hand."""
    books = Books(credits)
    books.add(items, documents, names)
    return books.impute()


def get_item_keys(number: str) -> set:
    """Return the keys by which an item of this number is found: all of it, its digits and its last
    digits, without leading zeros.
    """
    digits = re.findall('[0-9]+', number or '')
    return {key for key in (get_key(number), ''.join(digits), *(map(strip_zeros, digits[-1:]))) if key}


def _read_credit(credit):
    """Return what the texts of a credit can name, one :class:`Reading` for each that has a digit."""
    readings = []
    for text in credit.texts:
        whole, bare = read_text(text)
        if whole:
            bare = [numeral for numeral in bare if not numeral.is_part]
            readings.append(Reading(whole, bare, [numeral for numeral in bare if numeral.is_meant]))
    return readings


class Books:
    """Credits, the open items that they can be for, and what is left of each while money is set against them.

    Most money names a number in full. So what is looked up first is what is named; all that a debtor owes is needed
    only of who paid something else.
    """

    def __init__(self, credits: Iterable[Credit]):
        self.credits = sorted(credits, key=lambda credit: (credit.day, str(credit.key)))
        self.read = {credit.key: _read_credit(credit) for credit in self.credits}
        self.shares = {}
        self.crosses = False
        self.items, self.left, self.names = {}, {}, {}
        self.by_debtor, self.documents_of = defaultdict(list), defaultdict(list)
        self.by_key = defaultdict(set)
        self.spellings = {}

    def get_keys(self) -> set:
        """Return the keys by which what the credits name can be looked up, see :func:`get_item_keys`.

        Of a known payer only whole numbers: how the payer's own are written is looked at in all that the payer owes.
        """
        keys = set()
        for credit in self.credits:
            for reading in self.read[credit.key]:
                keys.update(
                    numeral.key for numeral in reading.whole
                    if not numeral.key.isdigit() or len(numeral.key) >= BARE_DIGITS)
                if credit.debtor_id is None:
                    keys.update(numeral.runs[-1] for numeral in reading.bare)
        return keys

    def get_digits(self) -> set:
        """Return the last digits of what the credits can name, without leading zeros. Of a year and a number that are
        written together nobody knows where the number begins.
        """
        last = {
            numeral.runs[-1] for readings in self.read.values() for reading in readings for numeral in reading.whole
            if numeral.runs[-1].isdigit()}
        together = [digits for digits in last if len(digits) >= BARE_DIGITS]
        return last.union(*({strip_zeros(digits[start:]) for start in range(len(digits))} for digits in together))

    def add(
        self, items: Iterable[Item], documents: Iterable[Document] = (), names: Mapping = MappingProxyType({}),
    ) -> None:
        """Add open items, what asked for them, and the names of debtors who owe as much as an unknown payer paid, by
        id. What was added before stays as it is.

        Needed are the items that :meth:`get_keys` or :meth:`get_digits` finds, those that the books link and, for
        credits of unknown payers, those of exactly their amount, with or without the discount, and all of the debtors
        in ``names``; then those of :meth:`get_pending_debtor_ids`.
        """
        for item in items:
            if item.id in self.items:
                continue
            self.items[item.id] = item
            self.left[item.id] = item.amount
            self.by_debtor[item.debtor_id].append(item.id)
            for number in item.numbers:
                self.by_key[get_key(number)].add((item.id, normalize(number)))
        for document in documents:
            self.documents_of[document.debtor_id].append(document)
            for item_id in self.left.keys() & set(document.item_ids):
                self.by_key[get_key(document.number)].add((item_id, normalize(document.number)))
        self.names.update({debtor_id: found for debtor_id, name in names.items() if (found := get_name(name)).strip()})

    def get_pending_debtor_ids(self) -> set:
        """Return the debtors who paid something of which neither the books nor a full number say what it is for: all
        that these owe is needed.
        """
        self._place(self._get_linked, self._get_named)
        return {credit.debtor_id for credit in self.credits if credit.key not in self.shares} - {None}

    def impute(self) -> Imputation:
        """Return which items the credits are for."""
        # What is said counts before what only fits.
        self._place(self._get_linked, self._get_named, self._get_own, self._get_of_the_sum)
        self._index_digits()
        likely = set()
        for credit in self.credits:
            if credit.debtor_id is None and credit.key not in self.shares:
                likely.update(self._get_likely(credit))
        return Imputation({key: found for key, found in self.shares.items() if found}, frozenset(likely), self.crosses)

    def _place(self, *finders):
        for find in finders:
            for credit in self.credits:
                if credit.key not in self.shares and (item_ids := find(credit)):
                    self.shares[credit.key] = tuple(self._allot(credit, item_ids))
                    debtor_ids = {self.items[item_id].debtor_id for item_id in item_ids}
                    self.crosses |= len(debtor_ids | {credit.debtor_id or min(debtor_ids)}) > 1

    def _allot(self, credit, item_ids):
        """Set a credit against items, the oldest first."""
        left = credit.amount
        for item_id in sorted(item_ids, key=lambda item_id: (self.items[item_id].due_date, item_id)):
            item = self.items[item_id]
            open_amount = self.left[item_id]
            enough = item.get_enough(credit.day) if open_amount == item.amount else open_amount
            taken = min(left, open_amount)
            covered = open_amount if taken >= enough else taken
            if covered > 0:
                self.left[item_id] -= covered
                left -= taken
                yield Share(item_id, taken, covered)

    # -------------------------------------------------------------------------
    # CERTAIN
    # -------------------------------------------------------------------------

    def _get_linked(self, credit):
        return [item_id for item_id in credit.item_ids if item_id in self.items]

    def _get_named(self, credit):
        """Return the items whose full number, or that of a document about them, stands in a text."""
        return self._find((reading.whole for reading in self.read[credit.key]), lambda numeral: {
            item_id for item_id, number in self.by_key[numeral.key]
            if self._is_full(numeral, number, credit.amount == self.left[item_id])
        } if numeral.key in self.by_key else ())

    @staticmethod
    def _is_full(numeral, number, is_its_amount):
        """Return whether a numeral with the letters and digits of a number is certainly that number."""
        if not numeral.key.isdigit() or len(numeral.key) >= LONG_NUMBER:
            return True
        if numeral.spelling != number or len(numeral.key) < BARE_DIGITS or NO_NUMBER.fullmatch(number):
            return False
        # Digits alone may be the number of a customer, an order or a telephone.
        return not number.isdigit() or numeral.is_called_invoice or is_its_amount

    def _get_own(self, credit):
        """Return the items of a known payer that a text names in any way; one that names two of them names none."""
        if credit.debtor_id is None:
            return []
        if credit.debtor_id not in self.spellings:
            spellings = self.spellings[credit.debtor_id] = defaultdict(set)
            for item_id in self.by_debtor[credit.debtor_id]:
                for number in self.items[item_id].numbers:
                    for spelling in get_spellings(number):
                        spellings[spelling].add(item_id)
        spellings = self.spellings[credit.debtor_id]
        return self._find((reading.meant for reading in self.read[credit.key]), lambda numeral: (
            found if len(found := spellings.get(numeral.runs, ())) == 1 else ()))

    @staticmethod
    def _find(readings, get_items):
        """Return the items that the numerals of texts name; the longest numerals first, none within another."""
        item_ids = []
        for numerals in readings:
            taken = []
            for numeral in numerals:
                found = get_items(numeral)
                if found and not any(numeral.overlaps(other) for other in taken):
                    taken.append(numeral)
                    item_ids += [item_id for item_id in found if item_id not in item_ids]
        return item_ids

    def _get_of_the_sum(self, credit):
        """Return the items of a known payer of which exactly this sum was asked, when only these are."""
        if credit.debtor_id is None:
            return []
        meant = {
            frozenset([item_id]) for item_id in self.by_debtor[credit.debtor_id]
            if self.left[item_id] == self.items[item_id].amount
            and credit.amount in (self.left[item_id], self.items[item_id].get_enough(credit.day))}
        meant |= {
            frozenset(self.left.keys() & set(document.item_ids)) for document in self.documents_of[credit.debtor_id]
            if document.amount == credit.amount}
        meant = [item_ids for item_ids in meant if any(self.left[item_id] for item_id in item_ids)]
        return list(meant[0]) if len(meant) == 1 else []

    # -------------------------------------------------------------------------
    # LIKELY
    # -------------------------------------------------------------------------

    def _index_digits(self):
        """Index the items by what somebody unknown may have paid of them."""
        self.by_bare, self.by_tail, self.by_amount = defaultdict(set), defaultdict(set), defaultdict(set)
        for item in self.items.values():
            self.by_amount[item.amount].add(item.id)
            if item.discounted is not None:
                self.by_amount[item.discounted].add(item.id)
            for number in item.numbers:
                digits = re.findall('[0-9]+', number)
                for key in {''.join(digits), *digits[-1:]}:
                    if len(key) >= BARE_DIGITS:
                        self.by_bare[key].add(item.id)
                if digits:
                    self.by_tail[strip_zeros(digits[-1])].add(item.id)

    def _get_likely(self, credit):
        """Return the items that an unknown payer may have paid."""
        likely = set().union(*(
            self.by_bare.get(numeral.key, ()) for reading in self.read[credit.key] for numeral in reading.bare))
        likely |= self._get_by_name(credit) | self._get_by_sum(credit)
        # An amount says little: it only counts of money about which nothing else is known.
        return likely or {
            item_id for item_id in self.by_amount.get(credit.amount, ())
            if credit.amount in (self.items[item_id].amount, self.items[item_id].get_enough(credit.day))}

    def _get_by_name(self, credit):
        """Return what a debtor owes whose name stands in the text and who owes this sum in all."""
        words = get_name(' '.join((credit.payer, *credit.texts))) if self.names else ''
        return {
            item_id for debtor_id, name in self.names.items()
            if name in words
            and sum(self.left[item_id] for item_id in self.by_debtor[debtor_id]) == credit.amount
            for item_id in self.by_debtor[debtor_id]}

    def _get_by_sum(self, credit):
        """Return items of one debtor of which the last digits stand in a text, and that are this sum together."""
        meant = defaultdict(set)
        for reading in self.read[credit.key]:
            for numeral in reading.meant:
                # Only digits are in there.
                for item_id in self.by_tail.get(numeral.runs[-1], ()):
                    meant[self.items[item_id].debtor_id].add(item_id)
        return set().union(*(
            item_ids for item_ids in meant.values()
            if len(item_ids) > 1 and sum(self.left[item_id] for item_id in item_ids) == credit.amount))
