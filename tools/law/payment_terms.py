"""How long a term of payment between businesses, or with a public body, may be. No Odoo in here.

Sources: articles 6:119a and 6:119b BW; the rows of :mod:`.dated_facts` say which text was read. A term longer than the
law allows is not refused here: it is a warning, for interest and costs may be owed earlier than the invoice says.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from .dated_facts import (
    FACTS,
    GOVERNMENT_LONGEST_TERM_DAYS,
    GOVERNMENT_TERM_DAYS,
    LARGE_BUYER_OLD_TERM_DAYS,
    LARGE_BUYER_TERM_DAYS,
    LEGAL_TERM_DAYS,
    LONGEST_TERM_DAYS,
    DatedFact,
    get_fact,
)

SMALL, LARGE, GOVERNMENT, CONSUMER = PARTIES = ('small', 'large', 'government', 'consumer')


class AgreedTerm(NamedTuple):
    """A term of payment as it was agreed.

    :ivar days: number of days
    :ivar expressly: agreed on for this purpose in the contract, not only printed in general terms or on an invoice
    :ivar agreed_on: day of the contract, ``None`` when nobody knows
    """

    days: int
    expressly: bool = False
    agreed_on: date | None = None


class TermLimit(NamedTuple):
    """What the law says of a term.

    :ivar days: longest term that counts, ``None`` without a limit
    :ivar why: ``'consumer'`` (no limit), ``'legal'`` (nothing was agreed), ``'general'``, ``'expressly'``,
        ``'large_buyer'``, ``'government'`` or ``'government_expressly'``
    :ivar fact: the row it rests on
    """

    days: int | None
    why: str
    fact: DatedFact | None = None

    def allows(self, days: int) -> bool:
        """Return whether a term of so many days counts as it was agreed."""
        return self.days is None or days <= self.days


def get_longest_term(
    creditor: str, debtor: str, agreed: AgreedTerm | None, day: date, facts: Iterable[DatedFact] = FACTS,
) -> TermLimit:
    """Return the longest term of payment that counts for an invoice of ``day``.

    * Nothing agreed: 30 days after receipt of the invoice.
    * A large company that buys from a small or medium-sized one: 30 days. A longer term is void; it is then 30 days.
      Agreements from before the change got it a year later. Where nobody knows how old the agreement is, the later
      date counts, so that no interest is asked too early.
    * Public bodies: 30 days, 60 when that was expressly agreed for a reason in the contract.
    * Otherwise 60 days, longer only when that was expressly agreed and is not grossly unfair to the creditor.

    :param creditor: ``'small'`` (which includes medium-sized) or ``'large'``
    :param debtor: one of :data:`PARTIES`
    :raise ValueError: for another kind of party
    """
    if creditor not in (SMALL, LARGE) or debtor not in PARTIES:
        raise ValueError(f"No such parties: {creditor!r} and {debtor!r}.")
    if debtor == CONSUMER:
        return TermLimit(None, 'consumer')

    def limit(code, why):
        fact = get_fact(code, day, facts)
        return TermLimit(fact.value, why, fact)

    if debtor == GOVERNMENT:
        if agreed and agreed.expressly:
            return limit(GOVERNMENT_LONGEST_TERM_DAYS, 'government_expressly')
        return limit(GOVERNMENT_TERM_DAYS, 'government')
    if agreed is None:
        return limit(LEGAL_TERM_DAYS, 'legal')
    if debtor == LARGE and creditor == SMALL:
        changed = get_fact(LARGE_BUYER_TERM_DAYS, day, facts).date_from
        is_old = agreed.agreed_on is None or agreed.agreed_on < changed
        return limit(LARGE_BUYER_OLD_TERM_DAYS if is_old else LARGE_BUYER_TERM_DAYS, 'large_buyer')
    general = limit(LONGEST_TERM_DAYS, 'general')
    if agreed.expressly and not general.allows(agreed.days):
        return TermLimit(agreed.days, 'expressly', general.fact)
    return general
