"""Kinds of insolvency in the Netherlands, and what each means for a claim. No Odoo in here.

Of these rules nobody read the text of the law, and no lawyer confirmed them: they come from general knowledge. Where
that leaves a doubt, the answer is the one that asks less. Reminders about older debts stop with every kind: whoever was
appointed, or the plan, decides about those debts.
"""

from datetime import date, timedelta
from typing import NamedTuple


class InsolvencyKind(NamedTuple):
    """One kind of insolvency.

    :ivar code: how it is stored
    :ivar name: in Dutch, as the register has it
    :ivar appointed: who is appointed to handle it, in Dutch
    :ivar stops_interest: no interest is asked over days from its beginning on
    :ivar filed: the claim is filed with whoever was appointed
    :ivar source: where the rule comes from
    """

    code: str
    name: str
    appointed: str
    stops_interest: bool
    filed: bool
    source: str


UNREAD = "General knowledge, not looked up"
KINDS = {kind.code: kind for kind in (
    InsolvencyKind(
        'bankruptcy', "faillissement", "curator", stops_interest=True, filed=True,
        source="Article 128 Fw on interest: general knowledge, not looked up"),
    InsolvencyKind(
        # Interest may run on; it is not asked while nobody confirmed that.
        'suspension', "surseance van betaling", "bewindvoerder", stops_interest=True, filed=True,
        source=UNREAD),
    InsolvencyKind(
        'debt_restructuring', "schuldsanering (WSNP)", "bewindvoerder", stops_interest=True, filed=True,
        source=UNREAD),
    InsolvencyKind(
        # Interest runs on until a plan says otherwise; a cooling-off period forbids recourse.
        'private_plan', "onderhands akkoord (WHOA)", "herstructureringsdeskundige", stops_interest=False,
        filed=False, source="Article 376 Fw on the cooling-off period: general knowledge, not looked up"),
)}


class Insolvency(NamedTuple):
    """An insolvency of one debtor. ``ended_on``: last day, ``None`` while it lasts."""

    kind: str
    started_on: date
    ended_on: date | None = None

    def is_active(self, day: date) -> bool:
        return self.started_on <= day and (self.ended_on is None or day <= self.ended_on)


def stops_dunning(insolvency: Insolvency, arose_on: date, day: date) -> bool:
    """Return whether a debt is not dunned on a day: debts from before the insolvency; later ones go on.

    :param arose_on: day of the delivery the debt is for, or else of the invoice. A debt of the first day itself counts
        as an older one.
    """
    return insolvency.is_active(day) and arose_on <= insolvency.started_on


def get_last_interest_day(insolvency: Insolvency, arose_on: date) -> date | None:
    """Return the last day over which interest is asked, or ``None`` when interest is not cut off."""
    if KINDS[insolvency.kind].stops_interest and arose_on <= insolvency.started_on:
        return insolvency.started_on - timedelta(days=1)
    return None
