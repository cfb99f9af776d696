"""Paid as asked is paid: money that reached what a letter asked, by the day it gave. No Odoo in here.

A letter names one amount and one last day. Whoever pays that amount by that day did all that was asked, whatever the
money was set against in the books, and whatever interest ran meanwhile.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .amounts import ZERO
from .claim import NOTHING, Ledger

ONE_DAY = timedelta(days=1)


class Asked(NamedTuple):
    """What a letter that left asked: of each item, of the invoice itself and on top of that."""

    name: str
    sent_on: date
    deadline: date
    principals: Mapping  # by item id
    extras: Decimal = ZERO  # interest and costs that were asked; what a 14-day letter announces is not

    @property
    def total(self):
        return sum(self.principals.values(), self.extras)


class Money(NamedTuple):
    """What an entry brought in for the debtor, whatever it was booked on.

    :ivar matched: ``(ids of the items that it is about, amount)``: an invoice that books interest and costs is about
        the items whose interest and costs they are
    """

    day: date
    amount: Decimal
    matched: tuple = ()

    def get_amount_for(self, item_ids):
        """Return what of it is not matched to anything else than these items."""
        elsewhere = sum((amount for about, amount in self.matched if not item_ids & about), ZERO)
        return max(ZERO, self.amount - elsewhere)


class PaidAsAsked(NamedTuple):
    """On which day an item was paid as asked, and by which letter.

    :ivar whole: the letter asked all that was open of the item; what it left out goes on
    """

    day: date
    name: str
    whole: bool = False


def find_paid(letters: Iterable[Asked], money: Iterable[Money], ledger: Ledger) -> Mapping:
    """Return ``{item id: PaidAsAsked}`` of one debtor: the first letter that was paid as it asked.

    :param ledger: that knows all items of the letters, and what was set against them
    """
    letters, money = sorted(letters, key=lambda letter: letter.sent_on), list(money)
    found = {}
    for index, letter in enumerate(letters) if money else ():
        item_ids = frozenset(letter.principals)
        # A later letter takes its place; money of the day on which that one left crossed it.
        last_day = min([letter.deadline, *(
            later.sent_on for later in letters[index + 1:]
            if later.sent_on > letter.sent_on and item_ids & later.principals.keys())])
        received = [(entry.day, entry.get_amount_for(item_ids)) for entry in money]
        day = _get_day(letter, [*received, *_get_credits(item_ids, ledger)], last_day, ledger)
        for item_id in item_ids if day else ():
            whole = ledger.principal(item_id, letter.sent_on) <= letter.principals[item_id]
            found.setdefault(item_id, PaidAsAsked(day, letter.name, whole))
    return found or NOTHING


def _get_credits(item_ids, ledger):
    """Return what was credited on the items: it need not be paid."""
    return [
        (line.day, line.amount)
        for item_id in item_ids for line in ledger.settlements.get(item_id, ()) if not line.is_money]


def _get_day(letter, received, last_day, ledger):
    """Return the day on which what was received since a letter left reached what it asked, or None."""
    # What came in on that day before it left was not asked any more.
    known = sum((
        max(ZERO, ledger.principal(item_id, letter.sent_on - ONE_DAY) - asked)
        for item_id, asked in letter.principals.items()), ZERO)
    of_that_day = sum((amount for day, amount in received if day == letter.sent_on), ZERO)
    left = letter.total - max(ZERO, of_that_day - known)
    if letter.total <= 0:
        return None
    if left <= 0:
        return letter.sent_on
    for day, amount in sorted(received):
        if letter.sent_on < day <= last_day:
            left -= amount
            if left <= 0:
                return day
    return None
