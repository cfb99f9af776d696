"""The wording linter: what Dutch law lets a creditor write to a debtor, and what it makes him write.

It reads two kinds of text: that of a level, in which placeholders stand for what is not
yet known (:func:`check_text`), and a letter as it is about to leave, of which the facts
are known (:func:`check_letter`). Dutch and English. No Odoo in here.

A finding is a code and the words it is about; its explanation is the caller's, in the
language of who reads it. Each rule names its source:

- BW: Burgerlijk Wetboek (Dutch Civil Code); Besluit BIK: Besluit vergoeding voor
  buitengerechtelijke incassokosten.
- HR 2016: Hoge Raad 25 November 2016, ECLI:NL:HR:2016:2704, on the 14-day letter.

The linter reads words and not intentions: a text without findings can still be wrong.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from . import phrases as p
from .letter_words import BLOCK, TOKEN, clean, fold, read

ERROR, WARNING, ADVICE = 'error', 'warning', 'advice'
SEVERITIES = (ERROR, WARNING, ADVICE)
_MAX_WORDS = 30

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


class _Case(NamedTuple):
    """What is known about the text besides its words."""

    role: str
    consumer: bool
    with_costs: bool
    term_agreed: bool | None
    vat_sentence: bool
    facts: LetterFacts | None
    language: str

    @property
    def fourteen(self):
        return self.role == FOURTEEN_DAY


class _Amount(NamedTuple):
    start: int
    end: int
    value: Decimal | None  # None: a token
    name: str


class _Text:
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

_AMOUNT, _NUMBER = re.compile(p.AMOUNT, re.IGNORECASE), re.compile(p.NUMBER)
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
    for match in _AMOUNT.finditer(plain):
        yield _Amount(match.start(), match.end(), _number(_NUMBER.search(match[0])[0]), '')
    for match in TOKEN.finditer(plain):
        if re.match(r'(?:amount|costs|total|interest|principal|held)\w*_text$', match[2]):
            yield _Amount(match.start(), match.end(), None, match[2])


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


# --- rules: each takes a reading and the case, and yields findings ---

_RULES: list[tuple[Callable, bool]] = []
#: Code of a finding -> severity.
CODES: dict[str, str] = {}


def _rule(severity=ERROR, *codes, everywhere=False):
    """Register a rule with the codes it gives.

    :param bool everywhere: whether it is only a finding when all readings of the text give it, for what may stand
        under a condition that nobody can judge here
    """
    def register(function):
        for code in codes:
            CODES[code] = severity
        _RULES.append((function, everywhere))
        return function
    return register


def _found(code, passage='', expected=''):
    return Finding(code, CODES[code], passage, expected)


@_rule(ERROR, 'term_missing')
def _term_wording(text, case):
    """The term of the 14-day letter runs from the day after receipt, in words that leave no doubt (HR 2016, 3.3)."""
    if not case.fourteen or text.has_token('term_text') or text.has(p.TERM_APPROVED):
        return
    yield _found('term_missing', expected=TERM_TEXTS[case.language][0])


@_rule(ERROR, 'term_start')
def _term_start(text, case):
    """A term from the date, the sending or “the receipt” of the letter is too short, which spoils it (HR 2016, 3.3)."""
    if case.fourteen:
        for match in text.find(p.TERM_START):
            if p.TERM_NEAR.search(text.plain[max(0, match.start() - 60):match.start()]):
                yield _found('term_start', text.passage(*match.span()))


@_rule(ERROR, 'term_competing')
def _term_competing(text, case):
    """Misleading information about the term makes the 14-day letter void (HR 2016, 3.6)."""
    if not case.fourteen:
        return
    approved = [match.span() for match in text.find(p.TERM_APPROVED)]
    for match in text.find(p.TERM_OTHER):
        if any(start <= match.start() < end for start, end in approved):
            continue
        if not p.OUR_PROMISE.search(text.around(match.start())):
            yield _found('term_competing', text.passage(*match.span()))


@_rule(ERROR, 'deadline_date')
def _deadline_date(text, case):
    """No date as the end of the term: one that is too early spoils the letter (HR 2016, 3.6.1)."""
    if not case.fourteen:
        return
    for match in TOKEN.finditer(text.plain):
        if match[2] == 'deadline_text':
            yield _found('deadline_date', text.passage(*match.span()))
    for match in text.find(p.CALENDAR_DEADLINE):
        # Interest is worked out up to a day, which is no term.
        if p.INTEREST_UNTIL.search(text.plain[text.sentence_start(match.start()):match.end()]):
            continue
        yield _found('deadline_date', text.passage(*match.span()))


@_rule(ERROR, 'consequence_missing', 'legal_basis_missing', 'default_missing')
def _fourteen_day_elements(text, case):
    """After default, with the consequence of not paying and the costs that are claimed (6:96 lid 6 BW)."""
    if not case.fourteen:
        return
    if not any(p.COSTS_WORD.search(text.around(match.start(), after=1)) for match in text.find(p.CONSEQUENCE)):
        yield _found('consequence_missing')
    if not text.has(p.LEGAL_BASIS):
        yield _found('legal_basis_missing')
    if not text.has(p.DEFAULT):
        yield _found('default_missing')


@_rule(ERROR, 'costs_missing', 'costs_unknown', 'costs_wrong')
def _costs_amount(text, case):
    """The costs must be named exactly: a wrong or too high amount loses them all (6:96 lid 6 BW; RBROT:2020:9162)."""
    facts = case.facts
    if facts is None:
        if case.fourteen and not text.has_token('costs_announced_text'):
            yield _found('costs_missing', expected='{costs_announced_text}')
        return
    costs = parse_amount(facts.costs)
    if costs is None:
        if case.fourteen:
            yield _found('costs_unknown')
        return
    allowed = {costs, *map(parse_amount, (facts.total_with_costs, facts.amount_to_pay, *facts.other_amounts))}
    named = False
    for amount in text.amounts:
        if amount.value is None or not p.COSTS_WORD.search(_label_and_sentence(text, amount)):
            continue
        named = named or amount.value == costs
        if amount.value not in allowed:
            yield _found('costs_wrong', text.passage(amount.start, amount.end), clean(facts.costs))
    if not named and (case.fourteen or case.consumer):
        yield _found('costs_missing', expected=clean(facts.costs))


@_rule(ERROR, 'costs_unspecified')
def _costs_unspecified(text, case):
    """Costs without their amount announce nothing and confuse (6:96 lid 6 BW)."""
    if case.fourteen:
        for match in text.find(p.COSTS_CLAIMED):
            near = text.around(match.start(), after=1)
            if (
                not _AMOUNT.search(near) and not re.search(r'⟦~?[^⟦⟧]*(?:costs|announced|total)', near)
                and not text.denied(match) and not p.COURT_COSTS.search(near)
            ):
                yield _found('costs_unspecified', text.passage(*match.span()))


@_rule(ERROR, 'costs_over_interest')
def _costs_over_interest(text, case):
    """Costs are computed over the principal, not over interest (Besluit BIK art. 2; RBAMS:2020:3212)."""
    if case.consumer or case.fourteen:
        for match in text.find(p.COSTS_OVER_INTEREST):
            yield _found('costs_over_interest', text.passage(*match.span()))


@_rule(ERROR, 'amount_missing', 'amount_competing', 'amount_typed')
def _one_amount(text, case):
    """One amount to pay: two that compete lost the costs in RBROT:2020:5202."""
    facts = case.facts
    demand = case.fourteen or case.role == DEFAULT_NOTICE
    if facts is None:
        if demand and not text.has_token('amount_text'):
            yield _found('amount_missing', expected='{amount_text}')
        if case.fourteen:
            for amount in text.amounts:
                if amount.value is not None:
                    yield _found('amount_typed', text.passage(amount.start, amount.end))
                elif amount.name != 'amount_text' and _is_asked(text, amount):
                    yield _found('amount_competing', text.passage(amount.start, amount.end), '{amount_text}')
        return
    to_pay = parse_amount(facts.amount_to_pay)
    if to_pay not in [amount.value for amount in text.amounts]:
        yield _found('amount_missing', expected=clean(facts.amount_to_pay))
    if not case.fourteen:
        return
    known = {to_pay, *map(parse_amount, (facts.costs, facts.total_with_costs, *facts.other_amounts))}
    for amount in text.amounts:
        if amount.value is None or amount.value == to_pay:
            continue
        about_costs = p.COSTS_WORD.search(_label_and_sentence(text, amount))
        if (amount.value not in known and not about_costs) or (amount.value in known and _is_asked(text, amount)):
            yield _found('amount_competing', text.passage(amount.start, amount.end), clean(facts.amount_to_pay))


def _label_and_sentence(text, amount):
    """Return the sentence of an amount or, when it stands alone in a cell, the label before it too."""
    start = text.sentence_start(amount.start)
    alone = not text.plain[start:amount.start].strip()
    return text.around(amount.start, before=1 if alone else 0)


def _is_asked(text, amount):
    """Return whether an amount is asked now, not named as a consequence or a part."""
    start = text.sentence_start(amount.start)
    before = text.plain[start:amount.start]
    if not before.strip():
        label = text.plain[:start].rstrip().rsplit(BLOCK, 1)[-1].strip(' :')
        return bool(p.PAY_LABEL.fullmatch(label))
    here = text.around(amount.start)
    if p.CONSEQUENCE.search(text.around(amount.start, before=1)) or p.PART.search(here):
        return False
    return bool(p.PAY.search(here))


@_rule(ERROR, 'iban_missing', 'iban_other', 'iban_typed')
def _one_account(text, case):
    """One account to pay on: two that compete lost the costs in RBROT:2020:5202."""
    facts = case.facts
    if facts is None:
        if case.fourteen:
            for start, end, _iban in text.accounts:
                yield _found('iban_typed', text.passage(start, end))
        return
    iban = re.sub(r'[^A-Z0-9]', '', clean(facts.iban).upper())
    if iban and iban not in [account for _start, _end, account in text.accounts]:
        yield _found('iban_missing', expected=clean(facts.iban))
    for start, end, account in text.accounts:
        if account != iban:
            yield _found('iban_other', text.passage(start, end), clean(facts.iban))


@_rule(ERROR, 'vat_missing', 'vat_unfounded', everywhere=True)
def _vat_sentence(text, case):
    """Costs may only be raised with VAT when the creditor says that he cannot deduct it (Besluit BIK art. 2 lid 3)."""
    if not (case.fourteen or case.consumer):
        return
    raised = []
    for match in text.find(p.VAT):
        here = text.around(match.start())
        if p.COSTS_WORD.search(here) and p.VAT_RAISED.search(here) and not p.VAT_DENIED.search(here):
            raised.append(match)
    if case.vat_sentence and case.fourteen:
        declared = any(p.VAT_CLAUSE.search(text.around(match.start(), before=1, after=1)) for match in raised)
        if not declared and not text.has(p.VAT_TOKEN):
            yield _found('vat_missing')
    elif not case.vat_sentence:
        for match in raised:
            yield _found('vat_unfounded', text.passage(*match.span()))


@_rule(ERROR, 'term_not_printed')
def _term_printed(text, case):
    """The letter that leaves says the term that was worked out for it."""
    facts = case.facts
    if facts and facts.term_required and facts.term_text:
        term = fold(clean(facts.term_text))
        if re.sub(r'\s+', ' ', term).lower() not in re.sub(r'\s+', ' ', text.plain).lower():
            yield _found('term_not_printed', expected=clean(facts.term_text))


@_rule(ERROR, 'fee_forbidden')
def _fees(text, case):
    """Besluit BIK covers all acts of collection: no other fee of a consumer, under any name (6:96 lid 5 BW)."""
    if case.consumer:
        for match in text.find(p.FEES):
            if not text.denied(match):
                yield _found('fee_forbidden', text.passage(*match.span()))


@_rule(WARNING, 'penalty')
def _penalty(text, case):
    """A penalty takes the place of damages and must have been agreed (6:91, 6:92 BW), often unfairly (93/13/EEG)."""
    if case.consumer:
        for match in text.find(p.PENALTY):
            if not text.denied(match):
                yield _found('penalty', text.passage(*match.span()))


@_rule(ERROR, 'costs_too_early')
def _costs_too_early(text, case):
    """A consumer owes no costs before a 14-day letter has run out (6:96 lid 6 BW)."""
    if not case.consumer or case.fourteen or case.with_costs:
        return
    for match in TOKEN.finditer(text.plain):
        if re.search(r'costs|announced', match[2]):
            yield _found('costs_too_early', text.passage(*match.span()))
    for pattern in (p.COSTS_CLAIMED, p.COSTS_AMOUNT):
        for match in text.find(pattern):
            here = text.around(match.start())
            later = p.ANNOUNCED_FIRST.search(here) and p.ANNOUNCEMENT.search(here)
            if not (text.denied(match) or later or p.COURT_COSTS.search(here)):
                yield _found('costs_too_early', text.passage(*match.span()))


@_rule(ERROR, 'costs_typed')
def _costs_typed(text, case):
    """Costs follow from the claim: an amount typed in a text is wrong for the next debtor (6:96 lid 6 BW)."""
    if case.consumer and case.with_costs and not case.fourteen and case.facts is None:
        for match in text.find(p.COSTS_AMOUNT):
            if not text.denied(match):
                yield _found('costs_typed', text.passage(*match.span()))


@_rule(ERROR, 'commercial_interest')
def _commercial_interest(text, case):
    """Commercial interest is only owed under a contract between businesses (6:119a lid 1 BW)."""
    if case.consumer:
        for match in text.find(p.COMMERCIAL_INTEREST):
            if not text.denied(match):
                yield _found('commercial_interest', text.passage(*match.span()))


@_rule(ERROR, *dict(p.THREATS))
def _threats(text, case):
    """No threats that are untrue or not the creditor's to make (6:193c, 6:193h BW for consumers; 6:162 BW for all)."""
    for code, pattern in p.THREATS:
        for match in text.find(pattern):
            near = text.around(match.start(), before=1)
            with_judge = code == 'threat_seizure' and p.JUDGMENT.search(near) and not p.WITHOUT_JUDGMENT.search(near)
            if not with_judge and not text.denied(match):
                yield _found(code, text.passage(*match.span()))


@_rule(WARNING, *dict(p.DOUBTFUL_THREATS))
def _doubtful_threats(text, case):
    """Bankruptcy needs a second creditor (6 lid 3 Fw); what is said to have happened must have happened."""
    for code, pattern in p.DOUBTFUL_THREATS:
        for match in text.find(pattern):
            yield _found(code, text.passage(*match.span()))


@_rule(ERROR, 'discharge')
def _discharge(text, case):
    """A receipt for the principal is taken as one for interest and costs (6:50 lid 2 BW)."""
    for match in text.find(p.DISCHARGE):
        before = text.plain[text.sentence_start(match.start()):match.start()]
        if not (p.NOT_YET.search(before) or p.NOT_PAID.search(match[0])):
            yield _found('discharge', text.passage(*match.span()))
    if case.facts is None:  # in a letter it is the head of a column
        for match in text.find(p.PAID_STAMP):
            yield _found('discharge', text.passage(*match.span(1)))


@_rule(ERROR, 'default_term_missing', 'default_consequence_missing')
def _default_notice(text, case):
    """A notice of default is a written demand with a reasonable term (6:82 lid 1 BW), that says what follows."""
    if case.role != DEFAULT_NOTICE:
        return
    if not text.has(p.TERM_ANY):
        yield _found('default_term_missing', expected='{deadline_text}')
    if not text.has(p.PUTS_IN_DEFAULT) or not text.has(p.CONSEQUENCE):
        yield _found('default_consequence_missing')


@_rule(WARNING, 'default_claimed_early')
def _default_claimed_early(text, case):
    """Without an agreed term there is no default before a notice of default has run out (6:82, 6:83 BW)."""
    if case.term_agreed is False and not case.fourteen and not case.with_costs:
        for match in text.find(p.CLAIMS_DEFAULT):
            if not p.IF.search(text.plain[text.sentence_start(match.start()):match.start()]):
                yield _found('default_claimed_early', text.passage(*match.span()))


@_rule(ERROR, *dict(p.ARRANGEMENT_ELEMENTS))
def _arrangement_elements(text, case):
    """What makes a payment arrangement worth its paper.

    The debt is acknowledged (3:318 BW), its dates are final (6:83 under a BW), it says what follows from missing one
    and that a reminder comes first, where payments go (6:44 BW), that rights are reserved, and how it is revised: an
    arrangement that is kept and says nothing of that cannot be ended (Hof Amsterdam 27 August 2013,
    ECLI:NL:GHAMS:2013:2786).
    """
    if case.role == ARRANGEMENT:
        for code, pattern in p.ARRANGEMENT_ELEMENTS:
            if not text.has(pattern):
                yield _found(code)


@_rule(ERROR, 'lapse_at_once')
def _lapse_at_once(text, case):
    """Nothing lapses without a word: a reminder comes first, and a text that says otherwise is not true."""
    if case.role == ARRANGEMENT:
        for match in text.find(p.WITHOUT_WARNING):
            if not text.denied(match):
                yield _found('lapse_at_once', text.passage(*match.span()))


@_rule(ERROR, 'defence_waived')
def _defence_waived(text, case):
    """Who acknowledges a debt does not sign his rights away: for a consumer that is unfair (6:233, 6:236 BW)."""
    if case.role == ARRANGEMENT and case.consumer:
        for match in text.find(p.WAIVES_DEFENCE):
            if not text.denied(match):
                yield _found('defence_waived', text.passage(*match.span()))


@_rule(ERROR, 'prescription_unclear')
def _prescription(text, case):
    """Only an unambiguous reservation of the right to performance interrupts prescription (3:317 lid 1 BW)."""
    claim = p.CLAIMS_INTERRUPTION.search(text.plain)
    if claim and not _reserves_performance(text):
        yield _found('prescription_unclear', text.passage(*claim.span()))


def _reserves_performance(text):
    for match in text.find(p.RESERVES):
        here = text.around(match.start())
        if p.HEDGED.search(here):
            continue
        if p.UNAMBIGUOUS.search(here) or p.CLAIMS_INTERRUPTION.search(text.around(match.start(), before=1, after=1)):
            return True
    return False


@_rule(WARNING, *dict(p.GOOD_PRACTICE), 'privacy_missing', everywhere=True)
def _good_practice(text, case):
    """What a debtor should be told: art. 4.1 Besluit kwaliteit incassodienstverlening, as good practice; 13 AVG."""
    if not text.plain:
        return
    for code, pattern in p.GOOD_PRACTICE:
        if not text.has(pattern):
            yield _found(code)
    if (case.role or case.with_costs or text.has(p.DEMAND)) and not text.has(p.PRIVACY):
        yield _found('privacy_missing')


@_rule(ADVICE, 'sentence_long')
def _plain_language(text, case):
    """Short sentences: level B1, as the Regeling kwaliteit incassodienstverlening asks of collectors."""
    if case.facts is not None:
        return  # advice is for who writes the text
    for start, end in text.bounds:
        words = TOKEN.sub('x', text.plain[start:end]).split()
        if len(words) > _MAX_WORDS:
            yield _found('sentence_long', ' '.join(text.passage(start, end).split()[:9]) + "…")


CODES.update(language_unsupported=ERROR, language_mismatch=WARNING)  # of a text as a whole


# --- what others call ---

def check_text(
    text, *, role, debtor, language, with_costs=False, term_agreed=None, vat_sentence=False, rendered=None,
):
    """Return what is wrong with the text of a level or a letter, errors first.

    :param str text: what the debtor reads: HTML or QWeb, or plain text. Subject and texts can be joined.
    :param str role: ``'default_notice'``, ``'fourteen_day'``, ``'arrangement'``, or empty
    :param str debtor: ``'business'`` or ``'government'``; all else (``'consumer'``, ``'any'``, empty) is a consumer
    :param str language: code such as ``'nl_NL'``
    :param bool with_costs: whether collection costs are owed and asked: of a consumer only after a 14-day letter
    :param bool term_agreed: whether the payment term was agreed, so that its end is default (6:83 BW); None: unknown
    :param bool vat_sentence: whether the costs are raised with VAT, which the text must then declare
    :param LetterFacts rendered: for a letter that is about to leave; None for the text of a level
    :rtype: list[Finding]
    """
    facts = rendered
    case = _Case(
        role=role or '', consumer=debtor not in ('business', 'government'), with_costs=bool(with_costs),
        term_agreed=term_agreed, vat_sentence=bool(vat_sentence), facts=facts, language=(language or '')[:2])
    if case.fourteen and case.language not in TERM_TEXTS:
        return [_found('language_unsupported', expected=language or '')]
    # The text of a level is judged again and again while somebody writes; a letter only once.
    return list(_judge_text(str(text or ''), case, language) if facts is None else _judge(
        [_Text(_take_out_quotes(reading, facts)) for reading in read(text)], case, language))


@lru_cache(maxsize=256)
def _judge_text(text, case, language):
    return _judge(_read_text(text), case, language)


@lru_cache(maxsize=32)
def _read_text(text):
    return [_Text(reading) for reading in read(text)]


def _judge(readings, case, language):
    findings = {}
    for rule, everywhere in _RULES:
        per_reading = [dict.fromkeys(rule(reading, case)) for reading in readings]
        if everywhere:
            common = set.intersection(*map(set, per_reading))
            per_reading = [[finding for finding in per_reading[0] if finding in common]]
        for found in per_reading:
            findings.update(dict.fromkeys(found))
    findings.update(dict.fromkeys(_check_language(readings, language)))
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _take_out_quotes(reading, facts):
    """Return a reading without the words that are not ours, such as the description of an invoice."""
    names = {' '.join(clean(name).split()) for name in facts.names if name}
    for name in sorted(filter(lambda name: len(name) > 2, names), key=len, reverse=True):
        reading = re.sub(rf'(?<!\w){re.escape(name)}(?!\w)', '⟦name⟧', reading)
    quoted = {' '.join(clean(quote).split()) for quote in facts.quoted if quote}
    return BLOCK.join(
        ' · '.join('⟦quoted⟧' if part in quoted else part for part in block.split(' · '))
        for block in reading.split(BLOCK))


def _check_language(readings, language):
    """A debtor should be able to read his letter; an untranslated text is easily overlooked."""
    dutch = len(p.DUTCH.findall(readings[0].plain))
    english = len(p.ENGLISH.findall(readings[0].plain))
    own, other = {'nl': (dutch, english), 'en': (english, dutch)}.get((language or '')[:2], (1, 0))
    if other > 10 and other > 2 * own:
        yield _found('language_mismatch')


def check_letter(text, *, role, debtor, language, facts):
    """Return what is wrong with a letter that is about to leave, errors first.

    :param str text: the whole letter as the debtor reads it, with head, table and payment details: HTML or plain text
    :param LetterFacts facts: what it must say
    :rtype: list[Finding]
    """
    return check_text(
        text, role=role, debtor=debtor, language=language, vat_sentence=facts.vat_sentence, rendered=facts,
        with_costs=role != FOURTEEN_DAY and bool(parse_amount(facts.costs)))


def interrupts_prescription(text, language=None):
    """Return whether a text interrupts prescription: it reserves, without doubt, the right to performance.

    Article 3:317 lid 1 BW. A text with conditions must do so however they turn out.

    :param str language: not needed to judge; Dutch and English are known
    """
    text = str(text or '')
    # Reading a letter takes a millisecond, and most reminders reserve nothing.
    return _speaks_of_rights(text) and all(map(_reserves_performance, _read_text(text)))


def _speaks_of_rights(text):
    plain = unicodedata.normalize('NFKD', html.unescape(text)).casefold()
    # With and without what looks like tags: either may cut a word.
    return any(
        word in re.sub(pattern, '', plain)
        for pattern in (r'[\W\d_]+', r'<[^>]*>|[\W\d_]+') for word in p.RIGHTS)
