"""When a notice was received: the terms it gives run from that day. No Odoo in here.

A statement to a person has effect when it reached that person (article 3:37 lid 3 BW). The creditor has to prove it; of
ordinary post a judge may presume it (HR 25-11-2016, ECLI:NL:HR:2016:2704). The rules:

* an e-mail is received the day after a mail server accepted it, a letter when the postal days have passed;
* what came back was not received;
* an opening of the page proves receipt on that day at the latest, so it only makes the day earlier;
* a registered delivery, or what the debtor wrote, says which day it was, earlier or later, when there is a document;
* without a document, what somebody typed only makes the day later;
* of a letter that goes two ways the reader is told that the later delivery counts; of any other notice the first proven
  one does, and else the later presumed one.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from .dutch_calendar import presumed_receipt

ONE_DAY = timedelta(days=1)
EMAIL, POST = 'email', 'post'
#: What the system saw itself.
OPENED = 'opened'
#: What a person entered.
REGISTERED, ACKNOWLEDGED = 'registered', 'acknowledged'
PROVEN, PRESUMED, UNKNOWN, FAILED = 'proven', 'presumed', 'unknown', 'failed'


class Way(NamedTuple):
    """One way by which a notice goes.

    :ivar channel: ``'email'`` or ``'post'``
    :ivar left_on: day on which a mail server or the post took it, ``None`` when it is still on its way there
    :ivar failed: it came back
    """

    channel: str
    left_on: date | None = None
    failed: bool = False


class Proof(NamedTuple):
    """What shows that a notice was received on a day.

    :ivar kind: ``'opened'``, ``'registered'`` or ``'acknowledged'``
    :ivar channel: the way it is about, when that is known
    :ivar documented: whether there is a document of it
    """

    kind: str
    day: date
    channel: str | None = None
    documented: bool = False


class Receipt(NamedTuple):
    """What is known of the receipt of a notice.

    :ivar state: ``'proven'``, ``'presumed'``, ``'unknown'`` (it has not left in every way) or ``'failed'``
    :ivar day: day of receipt, of the first two
    """

    state: str
    day: date | None = None


class Evidence(NamedTuple):
    """One piece of evidence as it was recorded.

    :ivar kind: a code of ``dunning.receipt``
    :ivar day: of receipt, as it proves or lets presume; of what came back when that was found out
    """

    kind: str
    day: date
    documented: bool = False


#: What shows that a notice left, and what shows that it came back, by the way it is about.
_ACCEPTED, _BOUNCED, _RETURNED = 'email_accepted', 'bounced', 'returned'
_PROOFS = {'portal_opened': OPENED, 'mail_read': OPENED, REGISTERED: REGISTERED, ACKNOWLEDGED: ACKNOWLEDGED}


def read_evidence(
    evidence: Sequence[Evidence], *, by_mail: bool, by_post: bool, posted_on: date | None,
) -> tuple[tuple[Way, ...], tuple[Proof, ...]]:
    """Return by which ways a notice went, and what proves its receipt, from the evidence that stands.

    :param by_mail, by_post: whether it went, or will go, that way
    """
    found = {line.kind: line for line in evidence}
    ways = []
    if by_mail:
        accepted = found.get(_ACCEPTED)
        ways.append(Way(EMAIL, accepted and accepted.day - ONE_DAY, _BOUNCED in found))
    if by_post:
        ways.append(Way(POST, posted_on or None, _RETURNED in found))
    return tuple(ways), tuple(
        Proof(_PROOFS[line.kind], line.day, documented=line.documented) for line in evidence if line.kind in _PROOFS)


def presume(channel: str, left_on: date, postal_days: int) -> date:
    """Return the day on which something that left is presumed to be received."""
    return left_on + ONE_DAY if channel == EMAIL else presumed_receipt(left_on, postal_days)


def get_printed_deadline(channels: Iterable[str], leaves_on: date, term_days: int, postal_days: int) -> date:
    """Return the last day to pay that a notice prints: the whole term, counted from its presumed receipt.

    A letter that is posted on a later day than it was made for has to be made again when this gives a later day.
    """
    return max(presume(channel, leaves_on, postal_days) for channel in channels) + timedelta(days=term_days)


def judge_receipt(
    ways: Sequence[Way], proofs: Iterable[Proof] = (), *, postal_days: int, later_counts: bool = False,
) -> Receipt:
    """Return what is known of the receipt of a notice.

    :param postal_days: see :func:`.dated_facts.get_postal_days`
    :param later_counts: the notice says that of two deliveries the later one counts, as a 14-day letter does
    """
    proofs = tuple(proofs)
    received = [
        _judge_way(way, [proof for proof in proofs if _is_about(proof, way, ways, later_counts)], postal_days)
        for way in ways]
    left = [receipt for receipt in received if receipt.state != FAILED]
    proven = [receipt for receipt in left if receipt.state == PROVEN]
    if proven and not later_counts:
        return min(proven, key=lambda receipt: receipt.day)
    if any(receipt.state == UNKNOWN for receipt in left):
        return Receipt(UNKNOWN)
    return max(left, key=lambda receipt: receipt.day, default=Receipt(FAILED))


def _is_about(proof: Proof, way: Way, ways: Sequence[Way], later_counts: bool) -> bool:
    """Return whether a proof shows that a notice was received by this way.

    Where the later delivery counts and nothing says which one was seen, it was the faster: the e-mail.
    """
    channel = POST if proof.kind == REGISTERED else proof.channel
    if channel:
        return channel == way.channel
    candidates = [other for other in ways if not other.failed] or list(ways)
    return way in candidates and (not later_counts or len(candidates) == 1 or way.channel == EMAIL)


def _judge_way(way: Way, proofs: Sequence[Proof], postal_days: int) -> Receipt:
    """Return what is known of the receipt by one way, given what is about it."""
    if way.left_on is None:
        return Receipt(FAILED if way.failed else UNKNOWN)
    known = [proof for proof in proofs if proof.day >= way.left_on]  # nothing arrives before it leaves
    stated = [proof.day for proof in known if proof.kind != OPENED and proof.documented]
    opened = [proof.day for proof in known if proof.kind == OPENED]
    typed = [proof.day for proof in known if proof.kind != OPENED and not proof.documented]
    presumed = None if way.failed else presume(way.channel, way.left_on, postal_days)
    if stated:
        return Receipt(PROVEN, min([*stated, *opened]))
    if opened and (presumed is None or min(opened) <= presumed):
        return Receipt(PROVEN, min(opened))
    if presumed is None:
        return Receipt(FAILED)
    return Receipt(PRESUMED, max([presumed, *typed]))
