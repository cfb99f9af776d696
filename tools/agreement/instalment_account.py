"""What became of a schedule of instalments: which are paid, from when on, and what is left of each. No Odoo in here.

Money fills instalments the oldest first, in the order of the days on which it came. What is no longer owed (credited,
written off) is taken off the last ones, so that the next day to pay and its amount stay what was agreed.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)


class Part(NamedTuple):
    """What became of one instalment. ``paid_on``: the day on which it was complete, or None."""

    amount: Decimal
    lowered: Decimal
    paid: Decimal
    paid_on: date | None

    @property
    def left(self):
        return self.amount - self.lowered - self.paid

    @property
    def lapsed(self):
        """Nothing of it is owed any more, without having been paid."""
        return self.lowered == self.amount and self.amount > 0


def fill(amounts, money, lowered=ZERO) -> tuple[Part, ...]:
    """Return the :class:`Part` of each instalment.

    :param amounts: of the instalments (Decimal), the first to be paid first
    :param money: ``[(day, amount)]`` that came in, in any order
    :param lowered: what is no longer owed; more than everything counts as everything
    """
    left = lower(amounts, lowered)
    events = sorted((day, amount) for day, amount in money if amount > 0)
    parts, position, rest = [], 0, events[0][1] if events else ZERO
    for amount, owed in zip(amounts, left, strict=True):
        paid, paid_on = ZERO, None
        while paid < owed and position < len(events):
            take = min(owed - paid, rest)
            paid, rest, paid_on = paid + take, rest - take, events[position][0]
            if not rest:
                position += 1
                rest = events[position][1] if position < len(events) else ZERO
        parts.append(Part(amount, amount - owed, paid, paid_on if owed and paid == owed else None))
    return tuple(parts)


def lower(amounts, lowered):
    """Return what is owed of each instalment after ``lowered`` was taken off, the last ones first."""
    owed = list(amounts)
    for index in range(len(owed) - 1, -1, -1):
        take = min(owed[index], max(ZERO, lowered))
        owed[index] -= take
        lowered -= take
    return owed


def left_until(amounts, days, lowered, day):
    """Return what is owed in total on the instalments of which the day has come (``days`` of the instalments)."""
    return sum((owed for owed, due in zip(lower(amounts, lowered), days, strict=True) if due <= day), ZERO)
