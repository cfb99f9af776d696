"""Whose law a claim follows: the one place that answers for a creditor, and the seam for the law of other countries.

A country has a :class:`Law` once its interest, costs, letters and prescription are here. Who is in another one reminds:
nothing is asked that nobody worked out by the law of that country.
"""

from typing import NamedTuple


class Law(NamedTuple):
    """The law of a country. ``currency``: of the debts that its amounts and rates are for."""

    country: str
    currency: str


DUTCH = Law('NL', 'EUR')
LAWS = {law.country: law for law in (DUTCH,)}


def get_law(country: str | None) -> Law | None:
    """Return the law that a creditor has, by the code of its fiscal country; None: none that is known here."""
    return LAWS.get(country or '')


def is_abroad(debtor_country: str | None, creditor_country: str | None) -> bool:
    """Return whether a debtor lives in another country than its creditor; one without a country does not."""
    return bool(debtor_country) and debtor_country != creditor_country


def get_limit(creditor, debtor, currency: str) -> str:
    """Return why interest and costs of the law cannot be asked, or an empty string.

    ``creditor``: its country has no law here; ``abroad``: a consumer keeps the protection of the law of the country
    where he lives (article 6 of Regulation Rome I, 593/2008); ``currency``: the law's amounts are for another one.

    :param creditor: with ``country`` and ``currency``
    :param debtor: with ``country`` and ``type``
    """
    law = get_law(creditor.country)
    if not law:
        return 'creditor'
    if debtor.type == 'consumer' and is_abroad(debtor.country, creditor.country):
        return 'abroad'
    return '' if creditor.currency == currency == law.currency else 'currency'
