"""Extrajudicial collection costs in the Netherlands (buitengerechtelijke incassokosten). No Odoo in here.

Sources: article 6:96 of the Civil Code (BW) and the decree on these costs (Besluit vergoeding voor
buitengerechtelijke incassokosten, “Besluit BIK”, Stb. 2012, 141, amended by Stb. 2024, 44).

The scale is computed over the unpaid principal (hoofdsom) only. Interest bears no collection costs: the explanatory
note to the decree knows no separate costs for collecting interest, and a letter that announced costs over interest lost
them all (Rb. Amsterdam, ECLI:NL:RBAMS:2020:3212). Whoever calls this passes principal and nothing else.

All amounts are euros. This is arithmetic: whether costs may be asked at all (a consumer only after a correct 14-day
letter ran out, article 6:96 lid 6) is not decided here.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from .amounts import HUNDRED, ZERO, as_amount, not_negative, round_half_up

# Article 2 lid 1: (width of the slice of principal, percentage over it); above the last slice it is TOP_PERCENT.
SCALE = (
    (Decimal(2500), Decimal(15)),
    (Decimal(2500), Decimal(10)),
    (Decimal(5000), Decimal(5)),
    (Decimal(190000), Decimal(1)),
)
TOP_PERCENT = Decimal('0.5')
# Article 2 lid 1 and lid 2; both before VAT.
MAXIMUM = Decimal(6775)
MINIMUM = Decimal(40)
# Article 6:96 lid 4 BW: for each late payment under a commercial agreement, due without a reminder.
BUSINESS_MINIMUM = Decimal(40)
# Article 2a: up to this principal 15% stays within the minimum, so each extra letter would cost EUR 40 again.
SMALL_INSTALMENT = Decimal('266.67')
LOOK_BACK_MONTHS = 6

BUSINESS_FORMULAS = ('none', 'minimum', 'scale', 'scale_per_invoice', 'agreed')


class AgreedScale(NamedTuple):
    """Collection costs agreed in a contract between businesses (article 6:96 lid 4 and 5 BW leave them free).

    ``percent`` of the principal, at least ``minimum`` euros. A judge may bring agreed costs back to the statutory scale
    (article 242 Rv; HR 10-07-2015, ECLI:NL:HR:2015:1868).
    """

    percent: Decimal
    minimum: Decimal = BUSINESS_MINIMUM


def collection_costs(
    principal: Decimal,
    *,
    vat_rate: Decimal | None = None,
    already_charged: Decimal = ZERO,
) -> Decimal:
    """Return the statutory costs for collecting ``principal`` (article 2 Besluit BIK), rounded half up to the cent.

    :param principal: unpaid principal in euros, VAT of the invoice included, without interest; zero or less costs
        nothing. When a part was paid in time, only what was not (HR 25-11-2016, ECLI:NL:HR:2016:2704).
    :param vat_rate: percentage such as ``Decimal(21)`` when the conditions of article 2 lid 3 hold: a taxed service of
        a third party, VAT the creditor cannot deduct, and both declared in the letter. It raises the minimum and the
        maximum too.
    :param already_charged: costs (VAT included) charged before for the same principal, in euros. They are taken off
        after the scale and VAT.
    :return: euros, never negative
    :raise ValueError: for a negative ``vat_rate`` or ``already_charged``
    :raise TypeError: for a float
    """
    principal = as_amount(principal, "principal")
    already_charged = not_negative(already_charged, "amount charged before")
    costs = _with_vat(_scale(principal), vat_rate)
    return max(ZERO, round_half_up(costs) - already_charged)


def look_back_from(day: date) -> date:
    """Return the first day of the six months before ``day`` (article 2a); 31 August gives the last of February.

    Since 1 October 2024 the minimum of EUR 40 does not pile up over small instalments (up to ``SMALL_INSTALMENT``) of a
    continuing agreement. The cautious reading: the scale over the sum of all that went unpaid in these months, less
    what was charged in them. It never gives more than separate letters would.
    """
    return day - relativedelta(months=LOOK_BACK_MONTHS)


def business_costs(
    principals: Iterable[Decimal],
    *,
    formula: str = 'scale',
    agreed: AgreedScale | None = None,
    vat_rate: Decimal | None = None,
) -> Decimal:
    """Return the collection costs another business owes, rounded half up to the cent.

    EUR 40 is due from the day after the last payment day without any reminder, and no agreement goes below it to the
    detriment of the creditor (article 6:96 lid 4 BW). Above it the statutory scale is default law.

    :param principals: unpaid principal of each late invoice in euros; zero or less is not late. Credits must have been
        taken off the invoice they belong to.
    :param formula: one of

        * ``'none'``: the creditor asks nothing,
        * ``'minimum'``: EUR 40, once,
        * ``'scale'``: the statutory scale over the sum of the principals,
        * ``'scale_per_invoice'``: that, but at least EUR 40 for each late invoice (the late payment directive as the
          Court of Justice reads it, C-419/21 and C-370/21),
        * ``'agreed'``: the contract's own percentage, and its minimum.
    :param agreed: the contract's scale, for ``'agreed'``
    :param vat_rate: see :func:`collection_costs`. It raises the scale; EUR 40 of article 6:96 lid 4 is what it is.
    :return: euros, never negative; zero when nothing is late
    :raise ValueError: for another formula, ``'agreed'`` without its scale, or a negative scale
    :raise TypeError: for a float
    """
    if formula not in BUSINESS_FORMULAS:
        raise ValueError(f"Unknown cost formula {formula!r}. Use one of: {', '.join(BUSINESS_FORMULAS)}.")
    late = [amount for amount in (as_amount(principal, "principal") for principal in principals) if amount > 0]
    if not late or formula == 'none':
        return ZERO
    costs = BUSINESS_MINIMUM
    if formula == 'agreed':
        if agreed is None:
            raise ValueError("The formula 'agreed' needs the agreed percentage.")
        costs = max(costs, _agreed(sum(late, ZERO), agreed))
    elif formula != 'minimum':
        costs = max(costs, _with_vat(_scale(sum(late, ZERO)), vat_rate))
        if formula == 'scale_per_invoice':
            costs = max(costs, BUSINESS_MINIMUM * len(late))
    return round_half_up(costs)


def scale_steps(principal: Decimal) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Return ``[(percentage, part of the principal, costs of that part)]`` of article 2 of the decree, not rounded."""
    steps, rest = [], principal
    for width, percent in (*SCALE, (None, TOP_PERCENT)):
        part = rest if width is None else min(rest, width)
        if part <= 0:
            break
        steps.append((percent, part, part * percent / HUNDRED))
        rest -= part
    return steps


def _scale(principal: Decimal) -> Decimal:
    """Return article 2 lid 1 and 2 for ``principal``, not rounded."""
    if principal <= 0:
        return ZERO
    return min(MAXIMUM, max(MINIMUM, sum((costs for _percent, _part, costs in scale_steps(principal)), ZERO)))


def _agreed(principal: Decimal, scale: AgreedScale) -> Decimal:
    percent = not_negative(scale.percent, "agreed percentage")
    return max(not_negative(scale.minimum, "agreed minimum"), principal * percent / HUNDRED)


def _with_vat(costs: Decimal, vat_rate: Decimal | None) -> Decimal:
    if not vat_rate:
        return costs
    return costs * (HUNDRED + not_negative(vat_rate, "VAT percentage")) / HUNDRED
