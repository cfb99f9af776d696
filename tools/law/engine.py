"""The claim worked out: what is owed on due items of one debtor on any day, and why. No Odoo in here.

The total is what is open in the ledger plus interest plus costs. Payments are imputed in the legal order (article 6:44
BW) in the claim's own account; entries in the books are never touched by it.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from . import collection_costs, dutch_calendar, statutory_interest
from .account import Claimed, CostsClaimed, Credit, PaidAsAsked, Payment, Waived, get_closed, run_account
from .amounts import CENT, ZERO, share
from .claim import (
    NOTHING,
    Agreements,
    Claim,
    ClaimCosts,
    ClaimItem,
    Correspondence,
    Debtor,
    Ledger,
    Request,
    Told,
)
from .dated_facts import get_postal_days
from .jurisdiction import get_limit
from .letter_validity import judge_letters
from .letters import CONSUMER, FOURTEEN_DAY, NO_JUDGEMENT, Judgement
from .letters import Creditor as Sender

ONE_DAY = timedelta(days=1)
NO_COSTS = ClaimCosts()
NO_LETTERS = Correspondence((), NOTHING)


class _Start(NamedTuple):
    """When interest begins, why, and what that rests on."""

    day: date | None = None
    why: str = ''
    basis: dict = NOTHING


class _Terms(NamedTuple):
    """Which interest runs: the law's, which is compounded, or an agreed percentage."""

    rates: statutory_interest.RateTable = statutory_interest.NO_RATES
    compound: bool = True
    agreed: Decimal = ZERO


class _LetterCosts(NamedTuple):
    """The costs of one 14-day letter. ``since``: from when they are owed; ``shares`` by item."""

    sent_on: date
    since: date | None
    total: Decimal
    small: bool
    shares: dict
    item_ids: frozenset
    basis: dict


def _cut_off(start: _Start, last_day: date) -> _Start:
    """Return when interest begins where it ends with ``last_day``: not after that."""
    if not start.day:
        return start
    if start.day > last_day:
        return _Start(why='insolvent')
    return start._replace(basis={**start.basis, 'until': last_day})


def get_first_claiming(told: Iterable[Told]) -> Told | None:
    """Return what was the first to claim costs of an item, or None."""
    return next((line for line in told if line.costs > 0), None)


class Engine:
    """Works out claims from one reading of the ledger (:class:`.claim.Ledger`)."""

    def __init__(self, ledger: Ledger):
        self.ledger = ledger
        self.creditor = ledger.creditor
        self._tables = {}  # of agreed interest: items of one agreement share it

    def compute(self, request: Request) -> Claim:
        """Return the :class:`.claim.Claim` of one debtor.

        :param request: about items of which the ledger knows all there is
        :raise RateMissing: when a day that bears interest has no rate
        """
        return _Computation(self, request).run()

    def judge(self, debtor: Debtor, at_date: date, source: object = None) -> Judgement:
        """Return what the letters to a consumer amount to on a day, by the facts as they are now.

        :param source: a letter that does not count: what is asked is for itself
        """
        sent = self.ledger.letters.get(debtor.debtor_id) if debtor.type == CONSUMER else None
        if not sent:
            return NO_JUDGEMENT
        letters, items, _names = sent
        if self.creditor.agrees_term(debtor):
            items = {item_id: item._replace(term_agreed=True) for item_id, item in items.items()}
        return judge_letters(
            [letter for letter in letters if letter.day <= at_date and letter.source != source], items, debtor.type,
            Sender(self.creditor.shortest_term, self.creditor.postal_days))

    def get_terms(self, agreements: Agreements, debtor: Debtor, first_day: date) -> _Terms:
        """Return the :class:`_Terms` of interest that runs from a day.

        Agreed with a business any rate counts (6:119a, last paragraph, BW); with a consumer and with the government
        only one that is higher than the statutory when interest begins to run (6:119 paragraph 3, 6:119b), and then it
        never falls below that. Agreed interest is not compounded: that is for the law's own.
        """
        statutory, agreed = self.ledger.rates[debtor.rate_kind], agreements.interest_percent
        if not agreed:
            return _Terms(statutory)
        only_higher = debtor.type != 'business'
        if only_higher:
            try:
                if agreed <= statutory.at(first_day):
                    return _Terms(statutory)
            except statutory_interest.RateMissing:
                return _Terms(statutory)  # what is missing is said when the interest is worked out
        key = (debtor.rate_kind, agreed, only_higher)
        if key not in self._tables:
            self._tables[key] = statutory_interest.RateTable(
                [(day, max(rate, agreed)) for day, rate in zip(statutory.days, statutory.percents, strict=True)]
                if only_higher else [(date(1900, 1, 1), agreed)])
        return _Terms(self._tables[key], False, agreed)


class _Computation:
    """One request being worked out."""

    def __init__(self, engine: Engine, request: Request):
        self.engine, self.ledger, self.creditor = engine, engine.ledger, engine.creditor
        self.request, self.debtor, self.at_date = request, request.debtor, request.at_date
        self.is_consumer = request.debtor.type == 'consumer'
        self.items = [self.ledger.items[item_id] for item_id in request.item_ids]
        self.limit = get_limit(self.creditor, self.debtor, request.currency)
        self.term_agreed = self.creditor.agrees_term(self.debtor)
        self.lawful = not self.limit
        self.told = {
            item_id: [
                line for line in self.ledger.told.get(item_id, ())
                if line.sent_on <= request.at_date and line.source != request.source]
            for item_id in request.item_ids}
        self.letters = self.ledger.letters.get(request.debtor.debtor_id, NO_LETTERS)
        self.judgement = self.engine.judge(self.debtor, request.at_date, request.source)
        self.starts = {item.item_id: self._get_start(item) for item in self.items}
        self.starts |= {
            item.item_id: _cut_off(self.starts[item.item_id], item.interest_until)
            for item in self.items if item.interest_until}

    def run(self):
        request, debtor = self.request, self.debtor
        # What was booked is owed by the books: it is asked also where a level leaves the rest aside.
        booked = {one: self.ledger.booked.get(one) for one in request.item_ids if one not in request.held}
        charged, costly = (named if isinstance(named, frozenset) else request.item_ids if named else ()
                           for named in (request.with_interest, request.with_costs))
        with_costs = {one for one, found in booked.items() if one in costly or (found and found.costs > 0)}
        with_interest = {one for one, found in booked.items() if one in charged or (found and found.interest > 0)}
        costs, announced = self._get_costs(with_costs)
        items = tuple(
            self._compute_item(
                item, costs.get(item.item_id) or NO_COSTS, announced.get(item.item_id),
                self.lawful and item.item_id in with_interest and not debtor.waive_interest)
            for item in sorted(self.items, key=lambda item: (item.due_date, item.item_id)))
        return Claim(
            debtor_id=debtor.debtor_id, at_date=self.at_date, debtor_type=debtor.type, items=items,
            rate_kind=debtor.rate_kind,
            agreed_percent=max((item.agreed_percent for item in items), default=ZERO),
            waived_interest=debtor.waive_interest, waived_costs=debtor.waive_costs, waive_reason=debtor.waive_reason,
            currency=request.currency, lawful=self.lawful, limit=self.limit,
            with_interest=bool(with_interest), with_costs=bool(with_costs))

    def _compute_item(self, item, costs, announced, with_interest):
        """Return the :class:`ClaimItem` of one due item."""
        item_id, at_date = item.item_id, self.at_date
        settlements = tuple(line for line in self.ledger.settlements.get(item_id, ()) if line.day <= at_date)
        start = self.starts[item_id]
        if not with_interest and start.why != 'booked':
            start = _Start()
        terms = _Terms()
        if start.day:
            terms = self.engine.get_terms(self.request.agreements[item_id], self.debtor, start.day)
        booked = self.ledger.booked.get(item_id)
        waivers = [waiver for waiver in self.ledger.waivers.get(item_id, ()) if waiver.day <= at_date]
        paid = self.ledger.paid.get(item_id)
        if paid and paid.day > at_date:
            paid = None
        if paid and _leads_nowhere(costs, paid.day):
            costs = NO_COSTS
        account, waived_interest, waived_costs, signed, off = None, ZERO, ZERO, ZERO, (ZERO, ZERO)
        interest, asked_costs = ZERO, costs.amount
        if item.original > 0:
            account = self._run_account(item, start, terms, settlements, costs, booked, waivers, paid)
            if booked:
                owed = max(account.interest, self._get_signed_interest(item_id))
                corrected = booked.corrected(owed, costs.amount, at_date)
                if corrected != booked:
                    booked = corrected
                    account = self._run_account(item, start, terms, settlements, costs, booked, waivers, paid)
            if paid:
                off = account.paid_as_asked
            waived_interest = sum((waiver.interest for waiver in waivers), ZERO)
            waived_costs = sum((waiver.costs for waiver in waivers), ZERO)
            if start.day and not paid:
                signed = max(ZERO, self._get_signed_interest(item_id) - account.interest)
            interest, asked_costs = _take_off(
                account.interest + signed, costs.amount, waived_interest + off[0], waived_costs + off[1])
        left_interest, left_costs = booked.left(interest, asked_costs, at_date) if booked else (interest, asked_costs)
        return ClaimItem(
            item_id=item_id, move_id=item.move_id, name=item.name, invoice_date=item.invoice_date,
            due_date=item.due_date, original=item.original,
            open=item.original - sum((line.amount for line in settlements), ZERO),
            reduction=self._get_reduction(item_id), interest_from=start.day, interest_why=start.why,
            interest_basis=start.basis, interest=left_interest, costs=left_costs,
            settled=interest + asked_costs - left_interest - left_costs,
            announced=announced.amount if announced else ZERO, costs_detail=announced or costs, account=account,
            settlements=settlements, signed_interest=signed, waived_interest=waived_interest, waived_costs=waived_costs,
            agreed_percent=terms.agreed, compound=terms.compound, day_count=self.request.agreements[item_id].day_count,
            paid_as_asked=sum(off, ZERO),
            overbooked=booked.get_excess(left_interest, left_costs) if booked else ZERO)

    def _get_reduction(self, item_id):
        return self.request.reductions.get(item_id, ZERO)

    def _get_principal(self, item_id, until):
        """Return what is claimed of an item that was unpaid at the end of a day, less what is known to be credited."""
        return self.ledger.principal(item_id, until, credits_until=self.at_date) - self._get_reduction(item_id)

    # -------------------------------------------------------------------------
    # INTEREST
    # -------------------------------------------------------------------------

    def _get_start(self, item):
        """Return the :class:`_Start` of the interest of an item."""
        if item.is_booking:
            return _Start(why='booked')  # interest and costs that were booked bear neither
        if not self.lawful or item.original <= 0:
            return _Start()
        if self.term_agreed:
            return _Start(statutory_interest.first_interest_day(item.due_date), 'term')
        if self.is_consumer:
            # Article 6:82 BW: default, and with it interest, begins when the term of the notice of default has run out.
            verdict = self.judgement.get_holding(item.item_id, self.judgement.default_from)
            if not verdict:
                return _Start(why='no_default')
            return _Start(verdict.effect_from, 'default', {
                'notice': self.letters.names[verdict.letter.source][0], 'sent': verdict.letter.day,
                'deadline': verdict.last_day})
        received = dutch_calendar.presumed_receipt(
            item.invoice_date, get_postal_days(item.invoice_date, self.creditor.postal_days))
        last_day = max(statutory_interest.last_payment_day_from_receipt(received), item.due_date)
        return _Start(
            statutory_interest.first_interest_day(last_day), 'receipt', {'received': received, 'last_day': last_day})

    def _get_signed_interest(self, item_id):
        """Return the interest on an item that both sides signed for and that was booked: owed until it is credited."""
        signed = max((line.interest for line in self.told[item_id] if line.agreed), default=ZERO)
        return min(signed, self.ledger.booked[item_id].interest) if item_id in self.ledger.booked else ZERO

    def _run_account(self, item, start, terms, settlements, costs, booked, waivers, paid):
        """Run the claim's own account of one item until the day of the claim.

        :param paid: when a letter was paid as it asked, or None
        """
        events = [
            Payment(line.day, line.amount, ('payment', line.label)) if line.is_money else Credit(line.day, line.amount)
            for line in settlements]
        reduction = self._get_reduction(item.item_id)
        if reduction:
            # Credits of the debtor and parts on hold: no interest over what is not claimed.
            events.append(Credit(self.at_date, reduction))
        # Money for the booked interest and costs was paid on the claim as well; it is not in the invoice's settlements.
        booked_costs = costs.amount
        for day, amount, is_money in booked.settlements if booked else ():
            of_costs = min(amount, booked_costs)
            booked_costs -= of_costs
            if not amount:
                continue
            events.append(
                Payment(day, amount, ('booking', '')) if is_money
                else Waived(day, of_costs, amount - of_costs, ('waived', '')))
        events += [
            Waived(waiver.day, waiver.costs, waiver.interest, (waiver.kind, waiver.reason)) for waiver in waivers]
        # What came in on the day of the letter was not paid in answer to it.
        asked = min((line.sent_on for line in self.told[item.item_id] if line.interest > 0), default=None)
        if asked:
            events.append(Claimed(asked + ONE_DAY))
        if costs.amount and costs.why == 'fourteen_day':
            events.append(CostsClaimed(costs.since, costs.amount))
        elif costs.amount and costs.why == 'claimed' and paid and costs.since <= paid.day:
            events.append(CostsClaimed(min(costs.since + ONE_DAY, paid.day), costs.amount))
        elif costs.amount and costs.why == 'claimed' and costs.since < self.at_date:
            events.append(CostsClaimed(costs.since + ONE_DAY, costs.amount))
        if paid:
            left = item.original - reduction - sum((line.amount for line in settlements if line.day <= paid.day), ZERO)
            events.append(PaidAsAsked(paid.day, max(ZERO, left), ('paid_as_asked', paid.name)))
        closed = get_closed(item.original, settlements)
        if closed:
            events.append(closed)
        return run_account(
            item.original, start.day, terms.rates, events, self.at_date,
            day_count=self.request.agreements[item.item_id].day_count, compound=terms.compound,
            # Who paid all that was open is late no longer, also while nobody matched his money.
            interest_until=min(filter(None, (item.interest_until, paid and paid.whole and paid.day)), default=None))

    # -------------------------------------------------------------------------
    # COLLECTION COSTS
    # -------------------------------------------------------------------------

    def _get_costs(self, with_costs):
        """Return ``{item id: ClaimCosts}`` that is owed, and the same of what a letter of this day announces."""
        costs, announced = {}, {}
        if not self.lawful or self.debtor.waive_costs:
            return costs, announced
        if self.is_consumer:
            letters = self._walk_letters()
            if with_costs:
                costs = self._get_letter_costs(letters)
            if self.request.announce:
                announced = self._get_announced_costs(letters)
        elif with_costs:
            costs = self._get_business_costs()
        return {item_id: asked for item_id, asked in costs.items() if item_id in with_costs}, announced

    def _get_business_costs(self):
        """Return ``{item id: ClaimCosts}`` for a business: what was claimed first stays, the rest is worked out now.

        Article 6:96 paragraph 4 BW: owed from the day after the last day of payment, without a reminder. What was
        claimed once does not change when a part is paid later, nor when another invoice falls due: that one bears its
        own.
        """
        found, rest, frozen = {}, defaultdict(list), {}
        for item_id in self.request.item_ids:
            interest_from = self.starts[item_id].day
            first = get_first_claiming(self.told[item_id])
            if first:
                found[item_id] = self._get_claimed_costs(item_id, first, frozen)
            elif interest_from and interest_from <= self.at_date:
                # The day before interest begins is the last day of payment, agreed or by law.
                principal = self._get_principal(item_id, self.at_date)
                if principal > 0:
                    rest[self.request.agreements[item_id]].append((item_id, principal))
        for agreements, late in rest.items():
            if agreements.cost_formula == 'none':
                continue
            principals = [principal for _item_id, principal in late]
            formula, scale, vat_rate = agreements.cost_formula, agreements.cost_scale, self.creditor.vat_rate
            total = collection_costs.business_costs(principals, formula=formula, agreed=scale, vat_rate=vat_rate)
            whole = sum(principals, ZERO)
            basis = {
                'formula': formula, 'principal': whole, 'count': len(late), 'total': total, 'vat_rate': vat_rate,
                'percent': scale and scale.percent, 'minimum': scale and scale.minimum,
            }
            for (item_id, _principal), amount in zip(late, share(total, principals), strict=True):
                found[item_id] = ClaimCosts(
                    amount, formula, principal=whole, total=total, since=self.at_date, basis=basis)
        return found

    def _get_claimed_costs(self, item_id, first, frozen):
        """Return the :class:`ClaimCosts` that ``first`` was the first to claim, with the computation it froze.

        What was credited since (or is not claimed now) was never owed, and takes its part of the costs along, and so
        does a payment that turns out to have come before the claim. What both sides signed is owed all the same, until
        it is credited (:meth:`_get_agreed_costs`).

        :param dict frozen: computations found so far: items of one computation share it
        """
        data = self.ledger.claimed.get(first.source) or {}
        entry = next((entry for entry in data.get('items', ()) if entry['item_id'] == item_id), {})
        position = entry.get('costs_basis')
        key = (first.source, position)
        if key not in frozen:
            basis = data['costs_bases'][position] if position is not None else {'formula': 'claimed'}
            frozen[key] = {**basis, 'claimed_in': first.name, 'claimed_on': first.sent_on}
        basis, amount = frozen[key], first.costs
        now = self._get_principal(item_id, first.sent_on)
        if now < first.principal and first.principal > 0:
            amount = (amount * max(now, ZERO) / first.principal).quantize(CENT, ROUND_HALF_UP)
        amount = max(amount, self._get_agreed_costs(item_id))
        return ClaimCosts(
            amount, 'claimed', Decimal(basis.get('principal') or 0), Decimal(basis.get('total') or first.costs),
            first.sent_on, basis, max(first.costs - amount, ZERO))

    def _get_agreed_costs(self, item_id):
        """Return the costs of an item that both sides signed for and that are owed still.

        A payment is set against them, whatever its date; only what is credited is owed no longer. Of the invoice, that
        takes its part of the costs along, but for what is in the books as an invoice of its own: that is owed until
        that invoice is credited.
        """
        agreed = next((line for line in self.told[item_id] if line.agreed and line.costs > 0), None)
        if not agreed:
            return ZERO
        amount, booked = agreed.costs, self.ledger.booked.get(item_id)
        credits = [
            line for line in self.ledger.settlements.get(item_id, ()) if not line.is_money and line.day <= self.at_date]
        since = sum((line.amount for line in credits if line.day > agreed.sent_on), self._get_reduction(item_id))
        never_owed = sum((line.amount for line in credits), ZERO)
        left = max(ZERO, min(agreed.principal - since, self.ledger.items[item_id].original - never_owed))
        if left < agreed.principal:
            amount = (amount * left / agreed.principal).quantize(CENT, ROUND_HALF_UP)
        return max(amount, min(booked.costs, agreed.costs)) if booked else amount

    def _get_letter_costs(self, letters):
        """Return ``{item id: ClaimCosts}`` that a consumer owes: by 14-day letters whose term has run out.

        Over what was unpaid when it ran out (Hoge Raad 25 November 2016, ECLI:NL:HR:2016:2704). A payment after that
        lowers what is left to pay, not what the costs are.
        """
        found = {}
        for letter in letters:
            if letter.since > self.at_date:
                continue
            for item_id, amount in letter.shares.items():
                found.setdefault(item_id, ClaimCosts(
                    amount, 'fourteen_day', letter.basis['principal'], letter.total, letter.since, letter.basis))
        return found

    def _get_announced_costs(self, letters):
        """Return ``{item id: ClaimCosts}`` that a 14-day letter of this day announces for when nothing is paid."""
        counted = {item_id for letter in letters for item_id in letter.item_ids}
        principals = {
            item.item_id: self._get_principal(item.item_id, self.at_date)
            for item in self.items if not item.is_booking and item.item_id not in counted}
        letter = self._get_costs_of_letter(None, principals, letters)
        return {
            item_id: ClaimCosts(amount, 'announced', letter.basis['principal'], letter.total, basis=letter.basis)
            for item_id, amount in letter.shares.items()}

    def _walk_letters(self):
        """Return the :class:`_LetterCosts` of the debtor's earlier 14-day letters that hold, the oldest first."""
        letters = []
        for verdict in self.judgement.verdicts.values():
            if verdict.letter.role == FOURTEEN_DAY and verdict.item_ids:
                until = min(verdict.last_day, self.at_date)
                principals = {item_id: self._get_principal(item_id, until) for item_id in verdict.item_ids}
                letters.append(self._get_costs_of_letter(verdict, principals, letters))
        return letters

    def _get_costs_of_letter(self, verdict, principals, earlier):
        """Return the costs of one 14-day letter, given the letters before it.

        Two rules keep costs from piling up: claims that could have been in one letter are added up (article 6:96
        paragraph 7 BW), and small instalments of six months together bear costs once (article 2a of the decree). And a
        letter never leads to more than it announced (article 6:96 paragraph 6 BW).

        :param verdict: on the letter, or ``None`` for one that is still to be sent
        """
        letter = verdict and verdict.letter
        sent_on = letter.day if letter else self.at_date
        item_ids = frozenset(principals)
        principals = {item_id: amount for item_id, amount in principals.items() if amount > 0}
        small = all(amount <= collection_costs.SMALL_INSTALMENT for amount in principals.values())
        since = collection_costs.look_back_from(sent_on)
        together = [
            costs for costs in earlier
            if (small and costs.small and costs.sent_on >= since)
            or any(self.ledger.items[item_id].due_date < costs.sent_on for item_id in principals)]
        own = sum(principals.values(), ZERO)
        base = own + sum((costs.basis['principal'] for costs in together), ZERO)
        already = sum((costs.total for costs in together), ZERO)
        vat_rate = letter.vat_rate if letter else self.creditor.vat_rate
        total = collection_costs.collection_costs(base, vat_rate=vat_rate, already_charged=already) if own else ZERO
        announced = letter.announced if letter else total
        capped = total > announced
        total = min(total, announced)
        shares = dict(zip(principals, share(total, list(principals.values())), strict=True))
        name, evidence = self.letters.names[letter.source] if letter else (None, None)
        basis = {
            'formula': 'fourteen_day', 'principal': own, 'count': len(principals), 'total': total,
            'base': base, 'already': already, 'earlier': [costs.basis['notice'] for costs in together],
            'vat_rate': vat_rate, 'capped': capped, 'notice': name, 'sent': sent_on,
            'receipt': verdict and verdict.receipt.day, 'evidence': evidence,
            'since': verdict and verdict.effect_from, 'last_day': verdict and verdict.last_day,
        }
        return _LetterCosts(sent_on, verdict and verdict.effect_from, total, small, shares, item_ids, basis)


def _leads_nowhere(costs, paid_on):
    """Return whether costs follow from a 14-day letter that was paid as it asked before its term ran out."""
    return costs.why == 'fourteen_day' and costs.basis['sent'] <= paid_on < costs.since


def _take_off(interest, costs, off_interest, off_costs):
    """Return (interest, costs) less what was waived of each; what one cannot bear comes off the other."""
    interest, costs = interest - off_interest, costs - off_costs
    if interest < 0:
        interest, costs = ZERO, costs + interest
    if costs < 0:
        interest, costs = max(ZERO, interest + costs), ZERO
    return interest, costs
