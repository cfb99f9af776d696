"""Does this letter still hold? Notices of default and 14-day letters, judged by the facts as they are now. No Odoo.

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
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from .amounts import ZERO
from .collection_costs import SMALL_INSTALMENT, collection_costs, look_back_from
from .dated_facts import FACTS, DatedFact, get_postal_days
from .dutch_calendar import fourteen_day_term
from .letters import (
    CONSUMER,
    DEFAULT_NOTICE,
    FOURTEEN_DAY,
    NO_CHOICES,
    ONE_DAY,
    SHORTEST_TERM,
    Breach,
    Creditor,
    Item,
    Judgement,
    Letter,
    Verdict,
    Why,
)
from .receipt import FAILED, POST, UNKNOWN, Receipt, judge_receipt


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
                breaches += (Breach(Why.COSTS_TOO_HIGH, None, letter.announced, costs),)
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
            yield Breach(Why.NOT_DELIVERED)
        elif receipt.state == UNKNOWN:
            yield Breach(Why.RECEIPT_UNKNOWN)
        elif letter.role == DEFAULT_NOTICE:
            left = (letter.deadline - receipt.day).days if letter.deadline else 0
            if left < self.creditor.shortest_term:
                yield Breach(Why.TERM_TOO_SHORT, None, self.creditor.shortest_term, left)
        if letter.debtor_type != CONSUMER and self.debtor_type == CONSUMER:
            yield Breach(Why.BECAME_CONSUMER, None, letter.debtor_type, self.debtor_type)

    def _judge_items(self, letter: Letter) -> Iterable[Breach]:
        """Yield why a letter is not about the items as they are now."""
        for told in letter.items:
            item_id = told.item_id
            item = self.items.get(item_id)
            if item is None:
                yield Breach(Why.ITEM_GONE, item_id, told.number)
                continue
            if item.debtor_id != letter.debtor_id:
                yield Breach(Why.OTHER_DEBTOR, item_id, letter.debtor_id, item.debtor_id)
            if item.number != told.number:
                yield Breach(Why.NUMBER_CHANGED, item_id, told.number, item.number)
            if item.amount > told.amount:
                yield Breach(Why.AMOUNT_RAISED, item_id, told.amount, item.amount)
            if item.due_date > told.due_date:
                yield Breach(Why.DUE_DATE_LATER, item_id, told.due_date, item.due_date)
            if item.due_date >= letter.day:
                yield Breach(Why.NOT_DUE, item_id, letter.day, item.due_date)

    def _judge_announcement(self, letter: Letter) -> Iterable[Breach]:
        """Yield why the items of a 14-day letter could not have been in it."""
        if letter.debtor_type == CONSUMER and self.debtor_type != CONSUMER:
            yield Breach(Why.BECAME_BUSINESS, None, letter.debtor_type, self.debtor_type)
        for item_id in (told.item_id for told in letter.items if told.item_id in self.items):
            default_from = self.default_from.get(item_id)
            if default_from is None or default_from > letter.day:
                yield Breach(Why.NOT_IN_DEFAULT, item_id, letter.day, default_from)
            if item_id in self.costs_from:
                yield Breach(Why.ANNOUNCED_BEFORE, item_id)

    def _judge_joining(self, letter: Letter) -> Iterable[Breach]:
        """Yield the items that had to be in a 14-day letter and were not (article 6:96 lid 7 BW)."""
        for item_id in sorted(self.items.keys() - {told.item_id for told in letter.items} - self.costs_from.keys()):
            item = self.items[item_id]
            if (
                item.debtor_id == letter.debtor_id
                and self.default_from.get(item_id, date.max) <= letter.day
                and (item.known_on is None or item.known_on < letter.day)
                # What was credited on that very day was not claimed any more.
                and item.unpaid_before(letter.day, letter.day + ONE_DAY) > 0
                and not any(period.has(letter.day) for period in item.apart)
            ):
                yield Breach(Why.NOT_JOINED, None, None, item_id)

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
