"""Asking the linter: about a text, before and after its placeholders are filled in. No Odoo in here."""

import html
import re
import unicodedata
from functools import lru_cache

from . import phrases as p
from .facts import SEVERITIES, TERM_TEXTS
from .letter_words import TOKEN, mask, read
from .reading import Text
from .rules import RULES, Case, found, reserves_performance

#: Of every text for a consumer, and of no business.
TYPED = frozenset({'figure_typed', 'fee_forbidden', 'penalty', 'language_unsupported'})


def check_text(
    text, *, role, debtor, language, with_costs=False, term_agreed=None, vat_sentence=False, known=(),
):
    """Return what is wrong with a text, errors first.

    It is the text of a level, or the same text as it is about to leave. Then ``known`` are the values that were put
    into it, and it is read as if they were placeholders still: any other figure was typed.

    :param str text: what the debtor reads: HTML or QWeb, or plain text. Subject and texts can be joined.
    :param str role: ``'default_notice'``, ``'fourteen_day'``, ``'arrangement'``, or empty
    :param str debtor: ``'business'`` or ``'government'``; all else (``'consumer'``, ``'any'``, empty) is a consumer
    :param str language: code such as ``'nl_NL'``
    :param bool with_costs: whether collection costs are owed and asked: of a consumer only after a 14-day letter
    :param bool term_agreed: whether the payment term was agreed, so that its end is default (6:83 BW); None: unknown
    :param bool vat_sentence: whether the costs are raised with VAT, which the text must then declare
    :param tuple known: pairs of a placeholder and what it printed
    :rtype: list[Finding]
    """
    case = Case(
        role=role or '', consumer=debtor not in ('business', 'government'), with_costs=bool(with_costs),
        term_agreed=term_agreed, vat_sentence=bool(vat_sentence), language=(language or '')[:2])
    # A letter is read once: kept, it would only push out the texts that are read again and again.
    judge = _judge.__wrapped__ if known else _judge
    return list(judge(str(text or ''), case, language or '', tuple(known)))


def check_typed(text, *, language, known=()):
    """Return what somebody typed into a text for consumers that has to be worked out or is never asked of them.

    It goes for every text, whatever it is for: of a level, a template, a clause, a script.
    """
    findings = check_text(text, role='', debtor='consumer', language=language, with_costs=True, known=known)
    return [finding for finding in findings if finding.code in TYPED]


# The text of a level is judged again and again while somebody writes and while its letters leave.
@lru_cache(maxsize=512)
def _judge(text, case, language, known):
    readings = _read_text(text) if not known else [Text(mask(reading, known)) for reading in read(text)]
    if case.language not in TERM_TEXTS and (
        case.fourteen or (case.consumer and not known and any(map(_has_words, readings)))
    ):
        # Nobody can say what such a text asks of a consumer.
        return (found('language_unsupported', expected=language),)
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


def _has_words(reading):
    return any(character.isalnum() for character in TOKEN.sub('', reading.plain))


@lru_cache(maxsize=32)
def _read_text(text):
    return [Text(reading) for reading in read(text)]


def _check_language(readings, language):
    """A debtor should be able to read his letter; an untranslated text is easily overlooked."""
    dutch = len(p.DUTCH.findall(readings[0].plain))
    english = len(p.ENGLISH.findall(readings[0].plain))
    own, other = {'nl': (dutch, english), 'en': (english, dutch)}.get((language or '')[:2], (1, 0))
    if other > 10 and other > 2 * own:
        yield found('language_mismatch')


def interrupts_prescription(text):
    """Return whether a text interrupts prescription: it reserves, without doubt, the right to performance.

    Article 3:317 lid 1 BW. A text with conditions must do so however they turn out.
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
