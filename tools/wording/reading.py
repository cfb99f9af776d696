"""One reading of a text: its sentences and its placeholders. No Odoo in here."""

from . import phrases as p
from .letter_words import TOKEN, fold


class Text:
    """One reading of a text, with what the rules ask of it."""

    def __init__(self, reading):
        self.shown = reading
        self.plain = fold(reading)
        ends = [match.end() for match in p.SENTENCE_END.finditer(self.plain)]
        self.bounds = list(zip([0, *ends], [*ends, len(self.plain)], strict=True))

    def find(self, pattern):
        return pattern.finditer(self.plain)

    def has(self, pattern):
        return bool(pattern.search(self.plain))

    def has_token(self, name):
        return any(not match[1] and name in match[2].split('|') for match in TOKEN.finditer(self.plain))

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
