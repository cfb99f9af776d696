"""Amounts of money as the law needs them: exact, and rounded once. No Odoo in here."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal('0.01')
HUNDRED = Decimal(100)
_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(13))


def as_amount(value: Decimal | int, name: str = "amount") -> Decimal:
    """Return ``value`` as a ``Decimal``.

    :param value: an amount in one currency, or a percentage; may be negative
    :param name: what the value is, for the message
    :raise TypeError: for a float, which is never exactly the amount that was meant
    :raise ValueError: for a value that is no number, such as NaN
    """
    if not isinstance(value, Decimal):
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"The {name} must be a Decimal, not {value!r}.")
        value = Decimal(value)
    if not value.is_finite():
        raise ValueError(f"The {name} must be a number, not {value}.")
    return value


def not_negative(value: Decimal | int, name: str = "amount") -> Decimal:
    """Return ``value`` as a ``Decimal`` of at least zero.

    :raise TypeError: for a float
    :raise ValueError: for a negative value or one that is no number
    """
    value = as_amount(value, name)
    if value < 0:
        raise ValueError(f"The {name} must not be negative, but is {value}.")
    return value


def round_half_up(value: Decimal, places: int = 2) -> Decimal:
    """Round half away from zero to ``places`` decimals, as a Dutch court and a calculator do."""
    return value.quantize(_STEPS[places], ROUND_HALF_UP)


def to_decimal(amount: float | Decimal | None, digits: int = 2) -> Decimal:
    """Return a number of a ledger that counts in floats as the exact amount it stands for."""
    return Decimal("%.*f" % (digits, amount or 0.0)) + ZERO  # no negative zero


def share(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Divide ``total`` (cents) over ``weights`` in proportion, to the cent, by the largest remainder."""
    whole = sum(weights)
    if not whole:
        return [ZERO for _weight in weights]
    exact = [total * weight / whole for weight in weights]
    parts = [amount.quantize(CENT, ROUND_DOWN) for amount in exact]
    missing = int(((total - sum(parts)) / CENT).to_integral_value(ROUND_HALF_UP))
    order = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in order[:missing]:
        parts[index] += CENT
    return parts
