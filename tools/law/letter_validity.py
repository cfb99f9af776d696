"""Does this letter still hold? Notices of default and 14-day letters, judged by the facts as they are now. No Odoo here.

Interest and collection costs rest on letters, and letters rest on facts that may change after they left: a due date is
moved, an invoice is made again, a contact turns out to be a consumer, a letter comes back. So whoever relies on one
asks :func:`judge_letters`, each time. It looks at the date of the letter with what is known now:

* *both roles*: the item is still owed by the debtor the letter went to, under that number, for no more and due no later
  than the letter said; it was due by then; the letter arrived;
* *notice of default* (article 6:82 BW): a reasonable part of its term was left when it arrived (article 3:37 lid 3);
* *14-day letter* (article 6:96 lid 6 and 7 BW): it went to a consumer who was in default for the item by then, it was
  the first such letter about the item, all claims that could be claimed together were in it, and it announced no more
  costs than the law gives.

Letters are judged in order, the oldest first: a 14-day letter rests on the notices of default before it. An item that
drops out of a 14-day letter lowers the costs that were right, and a letter that announced more has no effect for any of
its items. Too little announced does no harm to the letter; nobody owes more than was announced.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from .amounts import ZERO
from .collection_costs import SMALL_INSTALMENT, collection_costs, look_back_from
from .dated_facts import FACTS, DatedFact, get_postal_days
from .dutch_calendar import fourteen_day_term
from .receipt import FAILED, POST, UNKNOWN, Proof, Receipt, Way, judge_receipt

ONE_DAY = timedelta(days=1)
#: A reasonable term has at least so many days left when the notice of default arrives.
SHORTEST_TERM = 5
CONSUMER = 'consumer'
DEFAULT_NOTICE, FOURTEEN_DAY = ROLES = ('default_notice', 'fourteen_day')

# --- why a letter does not hold ---
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

# --- what follows ---
LADDER_ANEW = 'ladder_anew'  # from its first level, for the item
LADDER_RETURNS = 'ladder_returns'  # to the first level whose effect is missing
WAIT = 'wait'  # for the letter to leave
CONFIRM_TYPE = 'confirm_type'  # an accountant says, with a reason, that it is a business
INTEREST_WITHDRAWN = 'interest_withdrawn'  # as far as it rests on this default
COSTS_WITHDRAWN = 'costs_withdrawn'
OFFER_BLOCKED = 'offer_blocked'  # an offered arrangement with these amounts is not signed
INSTALMENTS_REVISED = 'instalments_revised'  # new ones are proposed for an active arrangement
BOOKING_CREDITED = 'booking_credited'  # a credit note is proposed

_STEPS = {
    OTHER_DEBTOR: (LADDER_ANEW,),
    ITEM_GONE: (),
    NUMBER_CHANGED: (LADDER_ANEW,),
    AMOUNT_RAISED: (LADDER_ANEW,),
    DUE_DATE_LATER: (LADDER_ANEW,),
    NOT_DUE: (LADDER_RETURNS,),
    NOT_DELIVERED: (LADDER_RETURNS,),
    RECEIPT_UNKNOWN: (WAIT,),
    TERM_TOO_SHORT: (LADDER_RETURNS,),
    BECAME_CONSUMER: (LADDER_RETURNS,),
    BECAME_BUSINESS: (CONFIRM_TYPE,),
    NOT_IN_DEFAULT: (LADDER_RETURNS,),
    ANNOUNCED_BEFORE: (),
    NOT_JOINED: (LADDER_RETURNS,),
    COSTS_TOO_HIGH: (LADDER_RETURNS,),
}
BREACHES = tuple(_STEPS)
# Nothing rests on the letter: the first one counts, or the rules for businesses do.
_HARMLESS = (ANNOUNCED_BEFORE, BECAME_BUSINESS)
_WITHDRAWN = {DEFAULT_NOTICE: INTEREST_WITHDRAWN, FOURTEEN_DAY: COSTS_WITHDRAWN}

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

    :ivar code: one of :data:`BREACHES`
    :ivar item_id: the item it is about, ``None`` for the whole letter
    :ivar told: what the letter rested on
    :ivar now: what it turns out to be
    """

    code: str
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
    def consequences(self) -> tuple[str, ...]:
        """What follows from all reasons together, in the order of the codes."""
        found = {code for breach in self.breaches for code in get_consequences(breach, self.letter.role)}
        return tuple(code for code in CONSEQUENCES if code in found)


CONSEQUENCES = (
    LADDER_ANEW, LADDER_RETURNS, WAIT, CONFIRM_TYPE, INTEREST_WITHDRAWN, COSTS_WITHDRAWN, OFFER_BLOCKED,
    INSTALMENTS_REVISED, BOOKING_CREDITED)


def get_consequences(breach: Breach, role: str) -> tuple[str, ...]:
    """Return what follows from one reason for a letter with a role."""
    if breach.code in _HARMLESS:
        return _STEPS[breach.code]
    return (*_STEPS[breach.code], _WITHDRAWN[role], OFFER_BLOCKED, INSTALMENTS_REVISED, BOOKING_CREDITED)


@dataclass(frozen=True)
class Judgement:
    """What a debtor's letters amount to.

    :ivar verdicts: a :class:`Verdict` by source, the oldest letter first
    :ivar default_from: first day of default by item id, of items for which there is one
    :ivar costs_from: first day on which costs are owed by item id, of items for which there is one
    """

    verdicts: Mapping[object, Verdict]
    default_from: Mapping[int, date] = field(default_factory=dict)
    costs_from: Mapping[int, date] = field(default_factory=dict)

    def is_in_default(self, item_id: int, day: date) -> bool:
        return self.default_from.get(item_id, date.max) <= day

    def owes_costs(self, item_id: int, day: date) -> bool:
        return self.costs_from.get(item_id, date.max) <= day

    def get_missing(self, item_id: int) -> str | None:
        """Return the role of the first letter that a consumer still has to get about an item, or ``None``.

        The ladder goes back to its first level with that role, whatever levels came after it.
        """
        if item_id not in self.default_from:
            return DEFAULT_NOTICE
        return None if item_id in self.costs_from else FOURTEEN_DAY


# -----------------------------------------------------------------------------
# JUDGING
# -----------------------------------------------------------------------------


def judge_letters(
    letters: Iterable[Letter],
    items: Mapping[int, Item],
    debtor_type: str,
    creditor: Creditor = NO_CHOICES,
    facts: Iterable[DatedFact] = FACTS,
) -> Judgement:
    """Return what the letters about some items amount to, by the facts as they are now.

    :param letters: those to one debtor that left, in any order
    :param items: by id, *all* items of that debtor, also those that no letter was about: they may have had to join. An
        item of a letter that is not among them does not exist any more
    :param debtor_type: what the debtor is treated as now
    :param facts: dated facts, for the postal days
    :raise ValueError: for a shorter term than is reasonable
    """
    if creditor.shortest_term < SHORTEST_TERM:
        raise ValueError(f"At least {SHORTEST_TERM} days must be left of a term, not {creditor.shortest_term}.")
    bench = _Bench(items, debtor_type, creditor, tuple(facts))
    for letter in sorted(letters, key=lambda letter: letter.day):
        bench.judge(letter)
    return Judgement(
        MappingProxyType(bench.verdicts), MappingProxyType(bench.default_from), MappingProxyType(bench.costs_from))


class _Announced(NamedTuple):
    """A 14-day letter that holds, as later ones look back on it."""

    letter: Letter
    last_day: date
    item_ids: tuple[int, ...]


class _Costs(NamedTuple):
    """The costs of such a letter as far as they were known on a day, over which principal."""

    day: date
    principal: Decimal
    total: Decimal
    small: bool


class _Bench:
    """The letters of one debtor being judged, the oldest first."""

    def __init__(self, items: Mapping[int, Item], debtor_type: str, creditor: Creditor, facts: tuple[DatedFact, ...]):
        self.items, self.debtor_type, self.creditor, self.facts = items, debtor_type, creditor, facts
        self.verdicts: dict[object, Verdict] = {}
        self.costs_from: dict[int, date] = {}
        self.announced: list[_Announced] = []
        self.default_from = {
            item.item_id: item.due_date + ONE_DAY for item in items.values() if item.term_agreed}

    def judge(self, letter: Letter) -> None:
        """Record the verdict on a letter, and the default and the costs that follow from it.

        A 14-day letter that came before default announces nothing, but it is a written demand with a term all the same.
        """
        posted_on = next((way.left_on for way in letter.ways if way.channel == POST and way.left_on), letter.day)
        receipt = judge_receipt(
            letter.ways, letter.proofs, later_counts=letter.role == FOURTEEN_DAY,
            postal_days=get_postal_days(posted_on, self.creditor.postal_days, self.facts))
        last_day = letter.deadline
        if letter.role == FOURTEEN_DAY:
            last_day = receipt.day and fourteen_day_term(receipt.day).last_free_day
        breaches = (*self._judge_delivery(letter, receipt), *self._judge_items(letter))
        demand = verdict = Verdict(letter, receipt, last_day, breaches)
        if letter.role == FOURTEEN_DAY:
            breaches += (*self._judge_announcement(letter), *self._judge_joining(letter))
            costs = self._get_right_costs(letter, breaches)
            if letter.announced > costs:
                breaches += (Breach(COSTS_TOO_HIGH, None, letter.announced, costs),)
            verdict = Verdict(letter, receipt, last_day, breaches, costs)
            self.costs_from.update(dict.fromkeys(verdict.item_ids, verdict.effect_from))
            if verdict.item_ids:
                self.announced.append(_Announced(letter, last_day, verdict.item_ids))
        self.verdicts[letter.source] = verdict
        for item_id in demand.item_ids:
            self.default_from[item_id] = min(demand.effect_from, self.default_from.get(item_id, date.max))

    # -------------------------------------------------------------------------
    # REASONS
    # -------------------------------------------------------------------------

    def _judge_delivery(self, letter: Letter, receipt: Receipt) -> Iterable[Breach]:
        """Yield why nothing rests on a letter as it was received."""
        if receipt.state == FAILED:
            yield Breach(NOT_DELIVERED)
        elif receipt.state == UNKNOWN:
            yield Breach(RECEIPT_UNKNOWN)
        elif letter.role == DEFAULT_NOTICE:
            left = (letter.deadline - receipt.day).days if letter.deadline else 0
            if left < self.creditor.shortest_term:
                yield Breach(TERM_TOO_SHORT, None, self.creditor.shortest_term, left)
        if letter.debtor_type != CONSUMER and self.debtor_type == CONSUMER:
            yield Breach(BECAME_CONSUMER, None, letter.debtor_type, self.debtor_type)

    def _judge_items(self, letter: Letter) -> Iterable[Breach]:
        """Yield why a letter is not about the items as they are now."""
        for told in letter.items:
            item_id = told.item_id
            item = self.items.get(item_id)
            if item is None:
                yield Breach(ITEM_GONE, item_id, told.number)
                continue
            if item.debtor_id != letter.debtor_id:
                yield Breach(OTHER_DEBTOR, item_id, letter.debtor_id, item.debtor_id)
            if item.number != told.number:
                yield Breach(NUMBER_CHANGED, item_id, told.number, item.number)
            if item.amount > told.amount:
                yield Breach(AMOUNT_RAISED, item_id, told.amount, item.amount)
            if item.due_date > told.due_date:
                yield Breach(DUE_DATE_LATER, item_id, told.due_date, item.due_date)
            if item.due_date >= letter.day:
                yield Breach(NOT_DUE, item_id, letter.day, item.due_date)

    def _judge_announcement(self, letter: Letter) -> Iterable[Breach]:
        """Yield why the items of a 14-day letter could not have been in it."""
        if letter.debtor_type == CONSUMER and self.debtor_type != CONSUMER:
            yield Breach(BECAME_BUSINESS, None, letter.debtor_type, self.debtor_type)
        for item_id in (told.item_id for told in letter.items if told.item_id in self.items):
            default_from = self.default_from.get(item_id)
            if default_from is None or default_from > letter.day:
                yield Breach(NOT_IN_DEFAULT, item_id, letter.day, default_from)
            if item_id in self.costs_from:
                yield Breach(ANNOUNCED_BEFORE, item_id)

    def _judge_joining(self, letter: Letter) -> Iterable[Breach]:
        """Yield the items that had to be in a 14-day letter and were not (article 6:96 lid 7 BW)."""
        for item_id in self.items.keys() - {told.item_id for told in letter.items} - self.costs_from.keys():
            item = self.items[item_id]
            if (
                item.debtor_id == letter.debtor_id
                and self.default_from.get(item_id, date.max) <= letter.day
                and (item.known_on is None or item.known_on < letter.day)
                and item.unpaid_before(letter.day) > 0
                and not any(period.has(letter.day) for period in item.apart)
            ):
                yield Breach(NOT_JOINED, None, None, item_id)

    # -------------------------------------------------------------------------
    # COSTS
    # -------------------------------------------------------------------------

    def _get_right_costs(self, letter: Letter, breaches: tuple[Breach, ...]) -> Decimal:
        """Return the most that a letter could announce, for the items with which nothing is wrong."""
        wrong = {breach.item_id for breach in breaches}
        unpaid = {
            told.item_id: self.items[told.item_id].unpaid_before(letter.day)
            for told in letter.items if told.item_id not in wrong}
        return self._compute(letter, unpaid, self._look_back(letter.day)).total

    def _look_back(self, day: date) -> list[_Costs]:
        """Return the costs of the letters so far as they were known at the end of a day."""
        known = []
        for earlier in self.announced:
            unpaid = {
                item_id: self.items[item_id].unpaid_before(min(earlier.last_day, day) + ONE_DAY, day + ONE_DAY)
                for item_id in earlier.item_ids}
            costs = self._compute(earlier.letter, unpaid, known)
            known.append(costs._replace(total=min(costs.total, earlier.letter.announced)))
        return known

    def _compute(self, letter: Letter, unpaid: Mapping[int, Decimal], earlier: Iterable[_Costs]) -> _Costs:
        """Return the costs of a letter about unpaid items, given those of earlier letters.

        Costs do not pile up: claims that could have been in an earlier letter are added to it (article 6:96 lid 7 BW),
        and small instalments of six months bear costs once (article 2a Besluit BIK).
        """
        unpaid = {item_id: amount for item_id, amount in unpaid.items() if amount > 0}
        principal, since = sum(unpaid.values(), ZERO), look_back_from(letter.day)
        small = all(amount <= SMALL_INSTALMENT for amount in unpaid.values())
        together = [
            costs for costs in earlier
            if (small and costs.small and costs.day >= since)
            or any(self.items[item_id].due_date < costs.day for item_id in unpaid)]
        total = ZERO
        if principal:
            total = collection_costs(
                principal + sum((costs.principal for costs in together), ZERO), vat_rate=letter.vat_rate,
                already_charged=sum((costs.total for costs in together), ZERO))
        return _Costs(letter.day, principal, total, small)
