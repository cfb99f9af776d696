"""What a reader sees of a text: the words of HTML, QWeb or plain text, without tags. No Odoo in here.

Words hidden from a search but not from a reader (soft hyphens, hard spaces, tags inside
a word) come out whole; words hidden from the reader do not come out. A placeholder
becomes a *token*, ``⟦amount_text⟧``. A text with conditions has more than one reading.
"""

import itertools
import re
import unicodedata
from html import unescape
from typing import NamedTuple

from lxml import etree

OPEN, CLOSE = '⟦', '⟧'
#: A token; one that stands in a larger expression is marked with ``~``: nothing says that it will be printed.
TOKEN = re.compile(r'⟦(~?)([^⟦⟧]*)⟧')
BLOCK = '\n'

_BLOCKS = {
    'address', 'article', 'aside', 'blockquote', 'body', 'br', 'caption', 'center', 'dd', 'div', 'dl', 'dt',
    'fieldset', 'figure', 'footer', 'form', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'header', 'hr', 'li', 'main', 'nav',
    'ol', 'p', 'pre', 'section', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'ul',
}
_UNREAD = {'head', 'script', 'style', 'template', 'title', 'noscript', 'iframe', 'object'}
_HIDDEN = re.compile(
    r'display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0[a-z%]*\s*(?:;|!|$)', re.IGNORECASE)
_MARKUP = re.compile(r'<[a-zA-Z/!?][^>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+\d*);')
_INLINE = re.compile(r'\{\{(.*?)\}\}', re.DOTALL)
_OBJECT = re.compile(r'\bobject\.([A-Za-z_][\w.]*)')
_LITERAL = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"|(?<![\w.])(\d[\w.]*)")
_DASHES = str.maketrans(dict.fromkeys('‐‑‒–—―−', '-') | dict.fromkeys("’‘‛′", "'"))
_OUTPUT = ('t-out', 't-esc', 't-raw', 't-field')
_INVISIBLE = ('Cf', 'Cc', 'Cs', 'Cn')
#: Above this number of conditions each is only varied by itself.
MAX_CONDITIONS = 5


class Branch(NamedTuple):
    """Pieces of which one is read: ``options`` are pairs of a condition (None: else) and a list of pieces."""

    options: tuple


def read(text):
    """Return the distinct readings of a text, one for each way its conditions can turn out.

    A reading is one string: single spaces, a newline between blocks (paragraphs, cells, list items).

    :param str text: HTML or QWeb as it is stored in a level, an inline template (``{{ object.name }}``),
        or plain text
    """
    pieces = _parse(str(text or ''))
    conditions = list(dict.fromkeys(_conditions(pieces)))
    readings = {}
    for values in _assignments(len(conditions)):
        chosen = dict(zip(conditions, values, strict=True))
        readings[clean(''.join(_flatten(pieces, chosen)))] = None
    return tuple(readings)


def mask(reading, known):
    """Return a reading in which values that were worked out are tokens again, as in the text they were put into.

    :param known: pairs of the name of a placeholder and what it printed, as HTML; equal values share ``⟦one|other⟧``
    """
    names = {}
    for name, value in known:
        for shown in read(value):
            # “7” and “4%” are values; a name of one letter would be found in every abbreviation.
            if len(shown) > 2 or shown[:1].isdigit():
                names.setdefault(shown, []).append(name)
                # A person may write “€ 60” for “€ 60,00”.
                round_amount = re.sub(r'[.,]00$', '', shown)
                if round_amount != shown:
                    names.setdefault(round_amount, []).append(name)
    if not names:
        return reading
    # A number is a value where days are counted; the 2 of “lid 2” is none, and needs to be none.
    values = '|'.join(
        re.escape(value) + (r'(?= \w*da[gy])' if value.isdigit() else '')
        for value in sorted(names, key=len, reverse=True))
    values = re.compile(rf'(?<![\w.,])(?:{values})(?!\w|[.,]\d)')
    return values.sub(lambda match: f'{OPEN}{"|".join(names[match[0]])}{CLOSE}', reading)


def clean(text):
    """Return a text as the eye reads it: no invisible characters, ordinary spaces, dashes and quotes."""
    text = ''.join([c for c in text if c.isspace() or unicodedata.category(c) not in _INVISIBLE])
    text = unicodedata.normalize('NFKC', text).translate(_DASHES)
    # What could not be composed with a letter would only shift positions.
    text = ''.join(' ' if c.isspace() and c != BLOCK else c for c in text if unicodedata.category(c) != 'Mn')
    text = re.sub(r' *\n[ \n]*', BLOCK, text)
    return re.sub(r' +', ' ', text).strip()


def fold(text):
    """Return a cleaned text without accents, of the same length (“één” is found as “een”)."""
    return text if text.isascii() else ''.join([c if c.isascii() else _fold_character(c) for c in text])


def _fold_character(character):
    parts = unicodedata.normalize('NFD', character)
    return parts[0] if all(map(unicodedata.combining, parts[1:])) else character


# --- from a text to pieces: strings and branches ---

def _parse(text):
    text = text.replace(OPEN, '').replace(CLOSE, '')
    if not _MARKUP.search(text):
        # In plain text a line ends where the paper does; only an empty line ends a paragraph.
        return [BLOCK.join(_words(part) for part in re.split(r'\n[^\S\n]*\n', text))]
    # What XML cannot hold, no browser shows.
    text = re.sub(r'<\?.*?>|[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]', '', text)
    try:
        # Text that is not closed by a tag is lost at the end of some broken fragments.
        root = etree.fromstring(f'<div>{text}</div>', etree.HTMLParser(huge_tree=True, remove_comments=True))
        return [text] if root is None else _children(root)
    except (etree.XMLSyntaxError, RecursionError):
        return [_words(unescape(re.sub(r'<[^>]*>', '', text)))]


def _words(text):
    """Return ordinary text with its inline placeholders as tokens; its line ends are spaces."""
    if not text:
        return ''
    return _INLINE.sub(lambda match: _token(match[1]), re.sub(r'\s+', ' ', text))


def _token(expression):
    expression = expression.strip()
    names = _OBJECT.findall(expression)
    if len(names) == 1 and expression == f'object.{names[0]}':
        return f'{OPEN}{names[0]}{CLOSE}'
    tokens = ''.join(f'{OPEN}~{name}{CLOSE}' for name in names or ['value'])
    return tokens + _spoken(expression)


def _spoken(expression):
    """Return the texts and numbers in an expression, which it may print or multiply by."""
    return ''.join(f" {re.sub(r'[⟦⟧]', '', ''.join(found))} " for found in _LITERAL.findall(expression or ''))


def _children(node):
    """Return the pieces of the inside of a node."""
    pieces, chain = [_words(node.text)], None
    for child in node:
        condition = child.get('t-if') if isinstance(child.tag, str) else None
        inside = _node(child)
        if condition is not None:
            chain = [(condition, inside)]
            pieces.append(chain)
        elif isinstance(child.tag, str) and chain and ('t-elif' in child.attrib or 't-else' in child.attrib):
            condition = child.get('t-elif')
            chain.append((condition, inside))
            if condition is None:
                chain = None
        else:
            pieces += inside
            chain = None
        if chain is None or (child.tail or '').strip():
            chain = None
            pieces.append(_words(child.tail))
        else:
            pieces.append(' ' if child.tail else '')
    return [Branch(tuple(piece)) if isinstance(piece, list) else piece for piece in pieces]


def _node(node):
    """Return the pieces of a node itself."""
    tag = node.tag
    if not isinstance(tag, str) or tag in _UNREAD or 'hidden' in node.attrib or _HIDDEN.search(node.get('style') or ''):
        return []
    inside = _children(node)
    output = next((node.get(name) for name in _OUTPUT if name in node.attrib), None)
    if output is not None:
        token = _token(output)
        # The inside is what is printed when there is no value.
        inside = [Branch(((output, [token]), (None, inside)))] if any(
            isinstance(piece, Branch) or piece.strip() for piece in inside) else [token]
    elif node.get('t-value'):
        inside = [_words(_spoken(node.get('t-value')))]
    return [BLOCK, *inside, BLOCK] if tag in _BLOCKS else inside


# --- the ways conditions can turn out ---

def _condition(text):
    """Return a condition as a pair: what is asked and whether it is denied."""
    text = ' '.join((text or '').split())
    match = re.fullmatch(r'not (.+)', text)
    return (match[1], True) if match else (text, False)


def _conditions(pieces):
    for piece in pieces:
        if isinstance(piece, Branch):
            for condition, inside in piece.options:
                if condition is not None:
                    yield _condition(condition)[0]
                yield from _conditions(inside)


def _assignments(count):
    if count <= MAX_CONDITIONS:
        return itertools.product((True, False), repeat=count)
    single = itertools.product((True, False), range(count))
    return [
        (True,) * count, (False,) * count,
        *(tuple((index == one) == value for index in range(count)) for value, one in single)]


def _flatten(pieces, chosen):
    for piece in pieces:
        if not isinstance(piece, Branch):
            yield piece
            continue
        for condition, inside in piece.options:
            name, denied = _condition(condition)
            if condition is None or chosen[name] != denied:
                yield from _flatten(inside, chosen)
                break
