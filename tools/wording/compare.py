"""How a text differs from another, as people read it: placeholders by name, conditions in words. No Odoo in here."""

import re
from difflib import SequenceMatcher

from lxml import etree

#: Elements that begin a line of their own.
_BLOCKS = frozenset({'p', 'div', 'li', 'ul', 'ol', 'tr', 'table', 'br', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'})


def compare_texts(old, new, *, words, conditions, otherwise):
    """Return how texts became others, as pairs of ``'same'``, ``'old'`` or ``'new'`` and a piece of text.

    :param list old: HTML or QWeb, such as the texts of a level
    :param list new: the same texts now
    :param dict words: ``{expression: what people read in its place}``
    :param dict conditions: ``{expression: the same in words}``
    :param str otherwise: what stands before a text that is read when a condition does not hold
    """
    before, after = (
        [token for text in texts for token in (*_spell(text, words, conditions, otherwise), '\n\n')]
        for texts in (old, new))
    parts = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == 'equal':
            parts.append(('same', _join(before[start:end])))
            continue
        parts += [
            (name, _join(tokens)) for name, tokens in (('old', before[start:end]), ('new', after[new_start:new_end]))
            if tokens]
    return parts


def _join(tokens):
    return re.sub(r' (?=[.,;:!?)])', '', ' '.join(tokens))


def _spell(text, words, conditions, otherwise):
    """Return the words of a text, with the name of what is filled in between brackets."""
    root = etree.fromstring(f'<div>{text or ""}</div>', etree.HTMLParser(remove_comments=True))
    return [] if root is None else list(_walk(root.find('.//div'), words, conditions, otherwise))


def _walk(node, words, conditions, otherwise):
    yield from (node.text or '').split()
    for child in node:
        tag, condition = child.tag, child.get('t-if') or child.get('t-elif')
        if 't-else' in child.attrib or condition:
            label = conditions.get(' '.join((condition or '').split()), condition) if condition else otherwise
            yield f'({label}:'
        if tag in _BLOCKS:
            yield '\n'
        expression = child.get('t-out') or child.get('t-esc')
        if expression:
            yield f'[{words.get(expression.strip(), expression)}]'
        else:
            yield from _walk(child, words, conditions, otherwise)
        if 't-else' in child.attrib or condition:
            yield ')'
        yield from (child.tail or '').split()
