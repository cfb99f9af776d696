"""What a visitor of the debtor's page typed, as plain text and amounts, and how it is refused."""

import re
import unicodedata

from odoo.exceptions import UserError

MAX_TEXT = 2000
AMOUNT = re.compile(r"[0-9]{1,3}(?:[.,' ]?[0-9]{3})*(?:[.,][0-9]{1,2})?|[0-9]+(?:[.,][0-9]{1,2})?")


class PageError(UserError):
    """What is wrong with what a visitor filled in, and in which field."""

    def __init__(self, field, sentence):
        super().__init__(sentence)
        self.field = field


class TooManyRequests(UserError):
    """The page sent enough for today."""


def clean_text(text, size=MAX_TEXT, *, lines=True):
    """Return what a visitor typed as plain text: no control characters, no more than ``size`` characters."""
    text = unicodedata.normalize('NFC', str(text or '')).replace('\r\n', '\n').replace('\r', '\n')
    keep = '\n\t' if lines else ''
    text = ''.join(
        char if char in keep or unicodedata.category(char) not in ('Cc', 'Cf', 'Cs', 'Co', 'Cn') else ' '
        for char in text)
    return text.strip()[:size]


def parse_amount(text):
    """Return a positive amount as people write it (“1.234,56”, “1,234.56”, “€ 12”), or None."""
    text = (text or '').replace('€', '').replace('EUR', '').replace('\N{NO-BREAK SPACE}', ' ').strip()
    if not AMOUNT.fullmatch(text) or len(text) > 15:
        return None
    head, sep, tail = re.fullmatch(r'(.*?)(?:([.,])([0-9]{1,2}))?', text).groups('')
    if sep and sep in head:  # “12,345,6” says nothing for certain
        return None
    value = float(f"{re.sub(r'[^0-9]', '', head)}.{tail}")
    return value if value > 0 else None
