"""One reading of a text: its sentences, amounts and accounts. No Odoo in here."""

import re
from decimal import Decimal
from typing import NamedTuple

from . import phrases as p
from .letter_words import TOKEN, clean, fold


class Amount(NamedTuple):
    start: int
    end: int
    value: Decimal | None  # None: a token
    name: str


class Text:
    """One reading of a text, with what the rules ask of it."""

    def __init__(self, reading):
        self.shown = reading
        self.plain = fold(reading)
        ends = [match.end() for match in p.SENTENCE_END.finditer(self.plain)]
        self.bounds = list(zip([0, *ends], [*ends, len(self.plain)], strict=True))
        self.amounts = list(_find_amounts(self.plain))
        self.accounts = list(_find_accounts(self.plain))

    def find(self, pattern):
        return pattern.finditer(self.plain)

    def has(self, pattern):
        return bool(pattern.search(self.plain))

    def has_token(self, *names):
        return any(not match[1] and match[2] in names for match in TOKEN.finditer(self.plain))

    def passage(self, start, end):
        words = TOKEN.sub(r'{\2}', self.shown[start:end])
        return ' '.join(words.split())

    def around(self, position, before=0, after=0):
        """Return the sentence at a position, with a number of those before and after it."""
        index = next((i for i, (_start, end) in enumerate(self.bounds) if position < end), len(self.bounds) - 1)
        start = self.bounds[max(0, index - before)][0]
        return self.plain[start:self.bounds[min(len(self.bounds) - 1, index + after)][1]]

    def sentence_start(self, position):
        return next((start for start, end in self.bounds if start <= position < end), 0)

    def denied(self, match):
        """Return whether what was found is denied: “geen administratiekosten”, “no costs”."""
        before = self.plain[self.sentence_start(match.start()):match.start()]
        return bool(p.DENIAL_BEFORE.search(before) or p.DENIAL_INSIDE.search(match[0]))


# --- amounts and accounts ---

AMOUNT, _NUMBER = re.compile(p.AMOUNT, re.IGNORECASE), re.compile(p.NUMBER)
_IBAN_START = re.compile(r'\b[A-Za-z]{2}[0-9]{2}(?=[ .-]?[A-Za-z0-9])')
_IBAN_GROUP = re.compile(r'[ .-]?([A-Za-z0-9]+)')


def parse_amount(text):
    """Return the Decimal value of an amount as printed in Dutch or English, or None.

    “€ 1.234,56”, “€1,234.56”, “EUR 40”, “€ 40,-”.
    """
    match = _NUMBER.search(clean(text or ''))
    return _number(match[0]) if match else None


def _number(digits):
    """Of “.” and “,” the last one is the decimal sign when one or two digits follow it."""
    match = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", digits)
    whole = re.sub(r'\D', '', match[1])
    return Decimal(f"{whole or 0}.{match[2] or 0}")


def _find_amounts(plain):
    for match in AMOUNT.finditer(plain):
        yield Amount(match.start(), match.end(), _number(_NUMBER.search(match[0])[0]), '')
    for match in TOKEN.finditer(plain):
        if re.match(r'(?:amount|costs|total|interest|principal|held)\w*_text$', match[2]):
            yield Amount(match.start(), match.end(), None, match[2])


def _find_accounts(plain):
    """Yield ``(start, end, IBAN)``; a Dutch one also when its check digits are wrong."""
    for match in _IBAN_START.finditer(plain):
        compact, end, found = match[0].upper(), match.end(), None
        while True:
            group = _IBAN_GROUP.match(plain, end)
            if not group or len(compact) + len(group[1]) > 34:
                break
            compact, end = compact + group[1].upper(), group.end()
            if _is_iban(compact):
                found = (match.start(), end, compact)
        if found:
            yield found


def _is_iban(text):
    if text.startswith('NL'):
        return bool(re.fullmatch(r'NL\d{2}[A-Z]{4}\d{10}', text))
    if not 15 <= len(text) <= 34:
        return False
    return int(''.join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1
