"""What the linter gives: findings; and the words it knows before it reads. No Odoo in here."""

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
    ``expected`` is what should stand there, where that is known (a placeholder, the term in words).
    """

    code: str
    severity: str
    passage: str = ''
    expected: str = ''
