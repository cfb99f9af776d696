"""The rules of the linter, each with its source. No Odoo in here.

Each takes a reading of the text and the case, and yields findings.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from . import phrases as p
from .facts import ADVICE, ARRANGEMENT, DEFAULT_NOTICE, ERROR, FOURTEEN_DAY, TERM_TEXTS, WARNING, Finding
from .figures import DATE, TERM, find_figures
from .letter_words import TOKEN

MAX_WORDS = 30
AMOUNT = re.compile(r'⟦~?([^⟦⟧]*\b(?:amount|costs|total|interest|principal|held)\w*_text)[^⟦⟧]*⟧')


class Case(NamedTuple):
    """What is known about the text besides its words."""

    role: str
    consumer: bool
    with_costs: bool
    term_agreed: bool | None
    vat_sentence: bool
    language: str

    @property
    def fourteen(self):
        return self.role == FOURTEEN_DAY


RULES: list[tuple[Callable, bool]] = []
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
        RULES.append((function, everywhere))
        return function
    return register


def found(code, passage='', expected=''):
    return Finding(code, CODES[code], passage, expected)


@_rule(ERROR, 'term_missing')
def _term_wording(text, case):
    """The term of the 14-day letter runs from the day after receipt, in words that leave no doubt (HR 2016, 3.3)."""
    if not case.fourteen or text.has_token('term_text') or text.has(p.TERM_APPROVED):
        return
    yield found('term_missing', expected=TERM_TEXTS[case.language][0])


@_rule(ERROR, 'term_start')
def _term_start(text, case):
    """A term from the date, the sending or “the receipt” of the letter is too short, which spoils it (HR 2016, 3.3)."""
    if case.fourteen:
        for match in text.find(p.TERM_START):
            if p.TERM_NEAR.search(text.plain[max(0, match.start() - 60):match.start()]):
                yield found('term_start', text.passage(*match.span()))


@_rule(ERROR, 'term_competing')
def _term_competing(text, case):
    """Misleading information about the term makes the 14-day letter void (HR 2016, 3.6)."""
    if not case.fourteen:
        return
    good = [match.span() for pattern in (p.TERM_APPROVED, p.TERM_NAME) for match in text.find(pattern)]
    for match in (*text.find(TERM), *text.find(p.AT_ONCE)):
        # Days that are worked out are those that somebody is late.
        if not TOKEN.search(match[0]) and not any(start <= match.start() < end for start, end in good):
            yield found('term_competing', text.passage(*match.span()))


@_rule(ERROR, 'deadline_date')
def _deadline_date(text, case):
    """No date as the end of the term: one that is too early spoils the letter (HR 2016, 3.6.1)."""
    if not case.fourteen:
        return
    for match in TOKEN.finditer(text.plain):
        if match[2] == 'deadline_text':  # by that name only: a 14-day letter that leaves has its term in both
            yield found('deadline_date', text.passage(*match.span()))
    for match in text.find(DATE):
        yield found('deadline_date', text.passage(*match.span()))


@_rule(ERROR, 'consequence_missing', 'legal_basis_missing', 'default_missing')
def _fourteen_day_elements(text, case):
    """After default, with the consequence of not paying and the costs that are claimed (6:96 lid 6 BW)."""
    if not case.fourteen:
        return
    if not any(p.COSTS_WORD.search(text.around(match.start(), after=1)) for match in text.find(p.CONSEQUENCE)):
        yield found('consequence_missing')
    if not text.has(p.LEGAL_BASIS):
        yield found('legal_basis_missing')
    if not text.has(p.DEFAULT):
        yield found('default_missing')


@_rule(ERROR, 'figure_typed')
def _figures(text, case):
    """A number that somebody typed was not worked out for this debtor (6:96 lid 5 and 6 BW, 6:119 BW).

    Of a consumer: whatever it is called, only what follows from his claim is asked of him.
    """
    if case.consumer:
        for figure in find_figures(text.plain):
            here = text.around(figure.start)
            yield found('figure_typed', text.passage(figure.start, figure.end), (
                '{rate_text}' if figure.is_rate
                else ('{costs_announced_text}' if case.fourteen else '{costs_text}') if p.COSTS_WORD.search(here)
                else '{interest_text}' if p.INTEREST.search(here) else '{amount_text}'))


@_rule(ERROR, 'costs_missing')
def _costs_amount(text, case):
    """The costs must be named exactly: a wrong or too high amount loses them all (6:96 lid 6 BW; RBROT:2020:9162)."""
    if case.fourteen and not text.has_token('costs_announced_text'):
        yield found('costs_missing', expected='{costs_announced_text}')


@_rule(ERROR, 'costs_unspecified')
def _costs_unspecified(text, case):
    """Costs without their amount announce nothing and confuse (6:96 lid 6 BW)."""
    if case.fourteen:
        for match in text.find(p.COSTS_CLAIMED):
            near = text.around(match.start(), after=1)
            if (
                not re.search(r'⟦~?[^⟦⟧]*(?:costs|announced|total)', near)
                and not text.denied(match) and not p.COURT_COSTS.search(near)
            ):
                yield found('costs_unspecified', text.passage(*match.span()))


@_rule(ERROR, 'costs_over_interest')
def _costs_over_interest(text, case):
    """Costs are computed over the principal, not over interest (Besluit BIK art. 2; RBAMS:2020:3212)."""
    if case.consumer or case.fourteen:
        for match in text.find(p.COSTS_OVER_INTEREST):
            yield found('costs_over_interest', text.passage(*match.span()))


@_rule(ERROR, 'amount_missing', 'amount_competing')
def _one_amount(text, case):
    """One amount to pay: two that compete lost the costs in RBROT:2020:5202."""
    if (case.fourteen or case.role == DEFAULT_NOTICE) and not text.has_token('amount_text'):
        yield found('amount_missing', expected='{amount_text}')
    if case.fourteen:
        for match in AMOUNT.finditer(text.plain):
            if 'amount_text' not in match[1].split('|') and _is_asked(text, match.start()):
                yield found('amount_competing', text.passage(*match.span()), '{amount_text}')


def _is_asked(text, position):
    """Return whether an amount is asked now, not named as a consequence or a part."""
    here = text.around(position)
    if p.CONSEQUENCE.search(text.around(position, before=1)) or p.PART.search(here):
        return False
    return bool(p.PAY.search(here))


@_rule(ERROR, 'iban_typed')
def _one_account(text, case):
    """One account to pay on, which the letter prints itself: two that compete lost the costs in RBROT:2020:5202."""
    if case.role in (FOURTEEN_DAY, ARRANGEMENT):
        for match in text.find(p.ACCOUNT):
            yield found('iban_typed', text.passage(*match.span()))


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
            yield found('vat_missing')
    elif not case.vat_sentence:
        for match in raised:
            yield found('vat_unfounded', text.passage(*match.span()))


def _undenied(text, patterns):
    for code, pattern in patterns:
        for match in text.find(pattern):
            if not text.denied(match):
                yield found(code, text.passage(*match.span()))


@_rule(ERROR, *dict(p.NOT_FOR_CONSUMERS))
def _not_for_consumers(text, case):
    """What no consumer is asked, each with its source at the pattern."""
    return _undenied(text, p.NOT_FOR_CONSUMERS if case.consumer else ())


@_rule(ERROR, 'costs_too_early')
def _costs_too_early(text, case):
    """A consumer owes no costs before a 14-day letter has run out (6:96 lid 6 BW)."""
    if not case.consumer or case.fourteen or case.with_costs:
        return
    for match in TOKEN.finditer(text.plain):
        # Of names that print the same, such as “€ 0,00”, nobody can tell which one was meant.
        if all(re.search(r'costs|announced', name) for name in match[2].split('|')):
            yield found('costs_too_early', text.passage(*match.span()))
    for match in text.find(p.COSTS_CLAIMED):
        here = text.around(match.start())
        later = p.ANNOUNCED_FIRST.search(here) and p.ANNOUNCEMENT.search(here)
        if not (text.denied(match) or later or p.COURT_COSTS.search(here)):
            yield found('costs_too_early', text.passage(*match.span()))


@_rule(ERROR, *dict(p.THREATS))
def _threats(text, case):
    """No threats that are untrue or not the creditor's to make (6:193c, 6:193h BW for consumers; 6:162 BW for all)."""
    for code, pattern in p.THREATS:
        for match in text.find(pattern):
            near = text.around(match.start(), before=1)
            with_judge = code == 'threat_seizure' and p.JUDGMENT.search(near) and not p.WITHOUT_JUDGMENT.search(near)
            if not with_judge and not text.denied(match):
                yield found(code, text.passage(*match.span()))


@_rule(WARNING, *dict(p.DOUBTFUL_THREATS))
def _doubtful_threats(text, case):
    """Bankruptcy needs a second creditor (6 lid 3 Fw); what is said to have happened must have happened."""
    for code, pattern in p.DOUBTFUL_THREATS:
        for match in text.find(pattern):
            yield found(code, text.passage(*match.span()))


@_rule(ERROR, 'discharge')
def _discharge(text, case):
    """A receipt for the principal is taken as one for interest and costs (6:50 lid 2 BW)."""
    for match in text.find(p.DISCHARGE):
        before = text.plain[text.sentence_start(match.start()):match.start()]
        if not (p.NOT_YET.search(before) or p.NOT_PAID.search(match[0])):
            yield found('discharge', text.passage(*match.span()))
    for match in text.find(p.PAID_STAMP):
        yield found('discharge', text.passage(*match.span(1)))


@_rule(ERROR, 'default_term_missing', 'default_consequence_missing')
def _default_notice(text, case):
    """A notice of default is a written demand with a reasonable term (6:82 lid 1 BW), that says what follows."""
    if case.role != DEFAULT_NOTICE:
        return
    if not (text.has(p.TERM_TOKEN) or text.has(TERM) or text.has(DATE)):
        yield found('default_term_missing', expected='{deadline_text}')
    if not text.has(p.PUTS_IN_DEFAULT) or not text.has(p.CONSEQUENCE):
        yield found('default_consequence_missing')


@_rule(WARNING, 'default_claimed_early')
def _default_claimed_early(text, case):
    """Without an agreed term there is no default before a notice of default has run out (6:82, 6:83 BW)."""
    if case.term_agreed is False and not case.fourteen and not case.with_costs:
        for match in text.find(p.CLAIMS_DEFAULT):
            if not p.IF.search(text.plain[text.sentence_start(match.start()):match.start()]):
                yield found('default_claimed_early', text.passage(*match.span()))


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
                yield found(code)


@_rule(ERROR, 'lapse_at_once')
def _lapse_at_once(text, case):
    """Nothing lapses without a word: a reminder comes first, and a text that says otherwise is not true."""
    return _undenied(text, [('lapse_at_once', p.WITHOUT_WARNING)] if case.role == ARRANGEMENT else ())


@_rule(ERROR, 'defence_waived')
def _defence_waived(text, case):
    """Who acknowledges a debt does not sign his rights away: for a consumer that is unfair (6:233, 6:236 BW)."""
    return _undenied(text, [('defence_waived', p.WAIVES_DEFENCE)] if case.role == ARRANGEMENT and case.consumer else ())


@_rule(ERROR, 'prescription_unclear')
def _prescription(text, case):
    """Only an unambiguous reservation of the right to performance interrupts prescription (3:317 lid 1 BW)."""
    claim = p.CLAIMS_INTERRUPTION.search(text.plain)
    if claim and not reserves_performance(text):
        yield found('prescription_unclear', text.passage(*claim.span()))


def reserves_performance(text):
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
            yield found(code)
    if (case.role or case.with_costs or text.has(p.DEMAND)) and not text.has(p.PRIVACY):
        yield found('privacy_missing')


@_rule(ADVICE, 'sentence_long')
def _plain_language(text, case):
    """Short sentences: level B1, as the Regeling kwaliteit incassodienstverlening asks of collectors."""
    for start, end in text.bounds:
        words = TOKEN.sub('x', text.plain[start:end]).split()
        if len(words) > MAX_WORDS:
            yield found('sentence_long', ' '.join(text.passage(start, end).split()[:9]) + "…")


CODES.update(language_unsupported=ERROR, language_mismatch=WARNING)  # of a text as a whole
