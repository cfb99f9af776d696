"""The wording linter: what Dutch law lets a creditor write to a debtor, and what it makes him write.

It reads a text of a level, in which placeholders stand for what is not yet known, and the same text as it is about to
leave, of which the values are known (:func:`check_text`). What a consumer reads holds no number that somebody typed
(``figures``). Dutch and English; numbers also in German and French. No Odoo in here.

A finding is a code and the words it is about; its explanation is the caller's, in the
language of who reads it. Each rule names its source:

- BW: Burgerlijk Wetboek (Dutch Civil Code); Besluit BIK: Besluit vergoeding voor
  buitengerechtelijke incassokosten.
- HR 2016: Hoge Raad 25 November 2016, ECLI:NL:HR:2016:2704, on the 14-day letter.

The linter reads words and not intentions: a text without findings can still be wrong.
"""

from .facts import (
    ADVICE,
    ARRANGEMENT,
    DEFAULT_NOTICE,
    ERROR,
    FOURTEEN_DAY,
    SEVERITIES,
    TERM_TEXTS,
    WARNING,
    Finding,
)
from .linter import TYPED, check_text, check_typed, interrupts_prescription
from .rules import CODES
