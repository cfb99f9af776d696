"""What the linter is given and what it gives: the facts of a letter, and findings. No Odoo in here."""

from typing import NamedTuple

ERROR, WARNING, ADVICE = 'error', 'warning', 'advice'
SEVERITIES = (ERROR, WARNING, ADVICE)

DEFAULT_NOTICE, FOURTEEN_DAY, ARRANGEMENT = 'default_notice', 'fourteen_day', 'arrangement'

#: The term of a 14-day letter in words, by language. The Dutch ones were approved in HR 2016 (3.3.5); the first is
#: the one to print, the others are as good. English follows them word for word.
TERM_TEXTS = {
    'nl': (
        "binnen veertien dagen vanaf de dag nadat deze brief bij u is bezorgd",
        "binnen vijftien dagen nadat deze brief bij u is bezorgd",
    ),
    'en': (
        "within fourteen days from the day after this letter was delivered to you",
        "within fifteen days after this letter was delivered to you",
    ),
}


class Finding(NamedTuple):
    """What is wrong with a text.

    ``code`` is one of :data:`CODES`; an ``'error'`` stops the text, a ``'warning'`` and
    ``'advice'`` do not. ``passage`` are the words found, empty when something is missing.
    ``expected`` is what should have been there, where that is known (an amount, an IBAN).
    """

    code: str
    severity: str
    passage: str = ''
    expected: str = ''


class LetterFacts(NamedTuple):
    """What a letter about to leave must say; amounts and IBAN as they are printed.

    ``costs`` are the collection costs the letter announces (14-day letter) or asks (any other),
    ``total_with_costs`` what is owed when a 14-day letter runs out. ``other_amounts`` are all
    other amounts that may stand in it with a currency sign: principal, interest, totals.
    ``vat_sentence``: whether the costs were raised with VAT (article 2 paragraph 3 Besluit BIK).
    ``term_text`` is the term as it is printed: in words, or the date. ``term_required`` is False for a
    letter without a term, such as a statement. ``names`` (debtor, company, contact) and ``quoted`` (what
    fills a cell or line by itself: numbers and descriptions of invoices) are not our words and are not judged.
    """

    amount_to_pay: str
    iban: str = ''
    costs: str | None = None
    total_with_costs: str | None = None
    vat_sentence: bool = False
    term_text: str = ''
    term_required: bool = True
    other_amounts: tuple = ()
    names: tuple = ()
    quoted: tuple = ()
