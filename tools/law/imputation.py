"""The order in which a payment extinguishes a debt (imputatie). No Odoo in here."""

from decimal import Decimal
from typing import NamedTuple

from .amounts import ZERO, not_negative


class Owed(NamedTuple):
    """What is owed on one debt, in its currency. ``principal`` is the hoofdsom, ``interest`` what accrued on it."""

    costs: Decimal
    interest: Decimal
    principal: Decimal

    @property
    def total(self) -> Decimal:
        return self.costs + self.interest + self.principal


class Imputation(NamedTuple):
    """Where one payment went.

    ``costs + interest + principal + overpaid`` is the payment; ``left`` is what is still owed after it.
    """

    costs: Decimal
    interest: Decimal
    principal: Decimal
    overpaid: Decimal
    left: Owed

    @property
    def payment(self) -> Decimal:
        return self.costs + self.interest + self.principal + self.overpaid


def impute(payment: Decimal, costs: Decimal, interest: Decimal, principal: Decimal) -> Imputation:
    """Divide a payment over costs, accrued interest and principal, in that order (article 6:44 lid 1 BW).

    Collection costs are “costs” in this sense (HR 10-07-2015, ECLI:NL:HR:2015:1868). Costs and interest must be given
    as far as they were owed and claimed on the day of the payment: costs of a consumer only after the 14-day letter ran
    out. What is more than the debt comes back as ``overpaid``.

    :raise ValueError: for a negative amount: a payment that is taken back is no payment
    :raise TypeError: for a float
    """
    rest = not_negative(payment, "payment")
    costs = not_negative(costs, "costs")
    interest = not_negative(interest, "interest")
    principal = not_negative(principal, "principal")
    to_costs = min(rest, costs)
    rest -= to_costs
    to_interest = min(rest, interest)
    rest -= to_interest
    to_principal = min(rest, principal)
    rest -= to_principal
    return Imputation(
        to_costs, to_interest, to_principal, max(rest, ZERO),
        Owed(costs - to_costs, interest - to_interest, principal - to_principal),
    )
