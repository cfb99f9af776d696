"""A letter as the law looks at it: what it said, the facts it rests on, and why it may not hold. No Odoo in here.

The judging is in :mod:`.letter_validity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from .amounts import ZERO
from .receipt import Proof, Receipt, Way

ONE_DAY = timedelta(days=1)
#: A reasonable term has at least so many days left when the notice of default arrives.
SHORTEST_TERM = 5
CONSUMER = 'consumer'
DEFAULT_NOTICE, FOURTEEN_DAY = 'default_notice', 'fourteen_day'


class Why(Enum):
    """Why a letter does not hold."""

    OTHER_DEBTOR = 'other_debtor'
    ITEM_GONE = 'item_gone'
    NUMBER_CHANGED = 'number_changed'
    AMOUNT_RAISED = 'amount_raised'
    DUE_DATE_LATER = 'due_date_later'
    NOT_DUE = 'not_due'
    NOT_DELIVERED = 'not_delivered'
    RECEIPT_UNKNOWN = 'receipt_unknown'
    TERM_TOO_SHORT = 'term_too_short'
    BECAME_CONSUMER = 'became_consumer'
    BECAME_BUSINESS = 'became_business'
    NOT_IN_DEFAULT = 'not_in_default'
    ANNOUNCED_BEFORE = 'announced_before'
    NOT_JOINED = 'not_joined'
    COSTS_TOO_HIGH = 'costs_too_high'


class Consequence(Enum):
    """What follows when a letter does not hold.

    The ladder goes back for the items: from its first level, or to the first level whose effect is missing. Or it waits
    for the letter to leave, or for an accountant to say with a reason that a consumer is a business after all. Interest
    and costs are withdrawn as far as they rest on the letter; then an offered arrangement with them is not signed, new
    instalments are proposed for an active one, and a credit note for a booking.
    """

    LADDER_ANEW = 'ladder_anew'
    LADDER_RETURNS = 'ladder_returns'
    WAIT = 'wait'
    CONFIRM_TYPE = 'confirm_type'
    INTEREST_WITHDRAWN = 'interest_withdrawn'
    COSTS_WITHDRAWN = 'costs_withdrawn'
    OFFER_BLOCKED = 'offer_blocked'
    INSTALMENTS_REVISED = 'instalments_revised'
    BOOKING_CREDITED = 'booking_credited'


# Where the ladder is after each; None: nowhere else.
_STEPS = {
    Why.OTHER_DEBTOR: Consequence.LADDER_ANEW,
    Why.ITEM_GONE: None,
    Why.NUMBER_CHANGED: Consequence.LADDER_ANEW,
    Why.AMOUNT_RAISED: Consequence.LADDER_ANEW,
    Why.DUE_DATE_LATER: Consequence.LADDER_ANEW,
    Why.NOT_DUE: Consequence.LADDER_RETURNS,
    Why.NOT_DELIVERED: Consequence.LADDER_RETURNS,
    Why.RECEIPT_UNKNOWN: Consequence.WAIT,
    Why.TERM_TOO_SHORT: Consequence.LADDER_RETURNS,
    Why.BECAME_CONSUMER: Consequence.LADDER_RETURNS,
    Why.BECAME_BUSINESS: Consequence.CONFIRM_TYPE,
    Why.NOT_IN_DEFAULT: Consequence.LADDER_RETURNS,
    Why.ANNOUNCED_BEFORE: None,
    Why.NOT_JOINED: Consequence.LADDER_RETURNS,
    Why.COSTS_TOO_HIGH: Consequence.LADDER_RETURNS,
}
# Nothing rests on the letter: the first one counts, or the rules for businesses do.
_HARMLESS = (Why.ANNOUNCED_BEFORE, Why.BECAME_BUSINESS)
_WITHDRAWN = {DEFAULT_NOTICE: Consequence.INTEREST_WITHDRAWN, FOURTEEN_DAY: Consequence.COSTS_WITHDRAWN}

# -----------------------------------------------------------------------------
# THE FACTS
# -----------------------------------------------------------------------------


class Settlement(NamedTuple):
    """Money of a day, or a credit of a day: what was credited was never owed."""

    day: date
    amount: Decimal
    is_money: bool = True


class Period(NamedTuple):
    """Days, both included; ``until`` is ``None`` when it lasts."""

    since: date
    until: date | None = None

    def has(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


class Item(NamedTuple):
    """A due item in euros as it is now; an invoice that books interest and costs of others is none.

    :ivar debtor_id: who owes it
    :ivar number: of the invoice
    :ivar amount: as it was posted
    :ivar term_agreed: its term of payment was agreed with the debtor (article 6:83 under a BW)
    :ivar known_on: first day on which the debtor could know of it: the invoice had been sent
    :ivar settlements: what is set against it
    :ivar apart: days on which it could not be claimed together with others: on hold, in dispute, in an arrangement, on
        its way by direct debit, within a longer term that another letter gave
    """

    item_id: int
    debtor_id: int
    number: str
    amount: Decimal
    due_date: date
    term_agreed: bool = False
    known_on: date | None = None
    settlements: tuple[Settlement, ...] = ()
    apart: tuple[Period, ...] = ()

    def unpaid_before(self, day: date, credits_before: date | None = None) -> Decimal:
        """Return what was unpaid when a day began: what came in on the day itself crossed the letter.

        :param credits_before: the day before which credits were known, when that is another one
        """
        return self.amount - sum((
            line.amount for line in self.settlements
            if line.day < (day if line.is_money else credits_before or day)), ZERO)


class LetterItem(NamedTuple):
    """What a letter said of one item."""

    item_id: int
    number: str
    amount: Decimal
    due_date: date


class Letter(NamedTuple):
    """A letter that left and was not withdrawn, with what it said.

    :ivar source: how the caller knows it
    :ivar debtor_type: what the debtor was treated as
    :ivar day: its date
    :ivar deadline: last day to pay that a notice of default gave; that of a 14-day letter follows from its receipt
    :ivar announced: costs that a 14-day letter announced
    :ivar vat_rate: of the VAT it said it raised the costs with
    """

    source: object
    role: str
    debtor_id: int
    debtor_type: str
    day: date
    items: tuple[LetterItem, ...]
    ways: tuple[Way, ...]
    proofs: tuple[Proof, ...] = ()
    deadline: date | None = None
    announced: Decimal = ZERO
    vat_rate: Decimal | None = None


class Creditor(NamedTuple):
    """What a creditor chose. Both only lengthen terms.

    :ivar shortest_term: days that must be left of the term of a notice of default; at least :data:`SHORTEST_TERM`
    :ivar postal_days: days the post takes
    """

    shortest_term: int = SHORTEST_TERM
    postal_days: int = 0


NO_CHOICES = Creditor()


# -----------------------------------------------------------------------------
# THE ANSWER
# -----------------------------------------------------------------------------


class Breach(NamedTuple):
    """One reason why a letter does not hold.

    :ivar item_id: the item it is about, ``None`` for the whole letter
    :ivar told: what the letter rested on
    :ivar now: what it turns out to be
    """

    why: Why
    item_id: int | None = None
    told: object = None
    now: object = None


@dataclass(frozen=True)
class Verdict:
    """What is left of one letter.

    :ivar receipt: what is known of its receipt
    :ivar last_day: last day of its term
    :ivar breaches: every reason why it does not hold, for items or as a whole
    :ivar costs: most that a 14-day letter could have announced for the items for which it holds
    """

    letter: Letter
    receipt: Receipt
    last_day: date | None = None
    breaches: tuple[Breach, ...] = ()
    costs: Decimal = ZERO

    def get_breaches(self, item_id: int) -> tuple[Breach, ...]:
        """Return why the letter does not hold for an item."""
        return tuple(breach for breach in self.breaches if breach.item_id in (None, item_id))

    def holds_for(self, item_id: int) -> bool:
        return any(line.item_id == item_id for line in self.letter.items) and not self.get_breaches(item_id)

    @property
    def holds(self) -> bool:
        """Whether it holds for all its items."""
        return not self.breaches

    @property
    def item_ids(self) -> tuple[int, ...]:
        """Items for which it holds."""
        return tuple(line.item_id for line in self.letter.items if self.holds_for(line.item_id))

    @property
    def effect_from(self) -> date | None:
        """First day of default, or on which costs are owed."""
        return self.last_day and self.last_day + ONE_DAY

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        """What follows from all reasons together."""
        found = {consequence for breach in self.breaches for consequence in get_consequences(breach, self.letter.role)}
        return tuple(consequence for consequence in Consequence if consequence in found)


def get_consequences(breach: Breach, role: str) -> tuple[Consequence, ...]:
    """Return what follows from one reason for a letter with a role."""
    step = (_STEPS[breach.why],) if _STEPS[breach.why] else ()
    if breach.why in _HARMLESS:
        return step
    return (
        *step, _WITHDRAWN[role], Consequence.OFFER_BLOCKED, Consequence.INSTALMENTS_REVISED,
        Consequence.BOOKING_CREDITED)


@dataclass(frozen=True)
class Judgement:
    """What a debtor's letters amount to.

    :ivar verdicts: a :class:`Verdict` by source, the oldest letter first
    :ivar default_from: first day of default by item id, of items for which there is one
    :ivar costs_from: first day on which costs are owed by item id, of items for which there is one
    """

    verdicts: Mapping[object, Verdict]
    default_from: Mapping[int, date]
    costs_from: Mapping[int, date]

    def is_in_default(self, item_id: int, day: date) -> bool:
        return self.default_from.get(item_id, date.max) <= day

    def owes_costs(self, item_id: int, day: date) -> bool:
        return self.costs_from.get(item_id, date.max) <= day

    def get_holding(self, item_id: int, effects: Mapping[int, date]) -> Verdict | None:
        """Return the verdict on the letter that one of the two dates above of an item comes from, or ``None``."""
        return next((
            verdict for verdict in self.verdicts.values()
            if verdict.effect_from == effects.get(item_id) and verdict.effect_from
            and any(line.item_id == item_id for line in verdict.letter.items)), None)

    @property
    def awaited(self) -> frozenset[int]:
        """Items of 14-day letters with which nothing is wrong but that nobody knows yet when they were received."""
        return frozenset(
            line.item_id for verdict in self.verdicts.values() if verdict.letter.role == FOURTEEN_DAY
            for line in verdict.letter.items
            if {breach.why for breach in verdict.get_breaches(line.item_id)} == {Why.RECEIPT_UNKNOWN})

    def get_missing(self, item_id: int) -> str | None:
        """Return the role of the first letter that a consumer still has to get about an item, or ``None``.

        The ladder goes back to its first level with that role, whatever levels came after it.
        """
        if item_id not in self.default_from:
            return DEFAULT_NOTICE
        return None if item_id in self.costs_from else FOURTEEN_DAY


#: Of a debtor to whom no letter with a legal role went.
NO_JUDGEMENT = Judgement({}, {}, {})
