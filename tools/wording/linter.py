"""Asking the linter: about the text of a level, about a letter that is about to leave. No Odoo in here."""

import html
import re
import unicodedata
from functools import lru_cache

from . import phrases as p
from .facts import FOURTEEN_DAY, SEVERITIES, TERM_TEXTS
from .letter_words import BLOCK, clean, read
from .reading import Text, parse_amount
from .rules import RULES, Case, found, reserves_performance


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
    case = Case(
        role=role or '', consumer=debtor not in ('business', 'government'), with_costs=bool(with_costs),
        term_agreed=term_agreed, vat_sentence=bool(vat_sentence), facts=facts, language=(language or '')[:2])
    if case.fourteen and case.language not in TERM_TEXTS:
        return [found('language_unsupported', expected=language or '')]
    # The text of a level is judged again and again while somebody writes; a letter only once.
    return list(_judge_text(str(text or ''), case, language) if facts is None else _judge(
        [Text(_take_out_quotes(reading, facts)) for reading in read(text)], case, language))


@lru_cache(maxsize=256)
def _judge_text(text, case, language):
    return _judge(_read_text(text), case, language)


@lru_cache(maxsize=32)
def _read_text(text):
    return [Text(reading) for reading in read(text)]


def _judge(readings, case, language):
    findings = {}
    for rule, everywhere in RULES:
        per_reading = [dict.fromkeys(rule(reading, case)) for reading in readings]
        if everywhere:
            common = set.intersection(*map(set, per_reading))
            per_reading = [[finding for finding in per_reading[0] if finding in common]]
        for several in per_reading:
            findings.update(dict.fromkeys(several))
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
        yield found('language_mismatch')


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
    return _speaks_of_rights(text) and all(map(reserves_performance, _read_text(text)))


def _speaks_of_rights(text):
    plain = unicodedata.normalize('NFKD', html.unescape(text)).casefold()
    # With and without what looks like tags: either may cut a word.
    return any(
        word in re.sub(pattern, '', plain)
        for pattern in (r'[\W\d_]+', r'<[^>]*>|[\W\d_]+') for word in p.RIGHTS)
