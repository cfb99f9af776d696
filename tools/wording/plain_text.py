"""An e-mail as text, for programs and people that read no HTML: written in lines, not dumped from cells."""

import re

from lxml import html

#: Elements that begin a line of their own, and those with an empty line around them.
LINES = frozenset({'div', 'li', 'tr', 'tbody', 'thead'})
PARAGRAPHS = frozenset({'p', 'h1', 'h2', 'h3', 'h4', 'blockquote', 'hr', 'table', 'ul', 'ol'})
HIDDEN = frozenset({'head', 'style', 'script', 'title', 'img'})
#: Stand for the beginning or the end of a line and of a paragraph until all is known.
LINE, PARAGRAPH = '\x01', '\x02'


def to_plain_text(body):
    """Return the text of an HTML e-mail, with one line break at its end.

    A row is one line, “Amount: € 10.00” when it has two cells; an item of a list stands after a dash, and an address
    after the words that lead to it.

    :param str body: HTML of an e-mail
    :rtype: str
    """
    if not (body or '').strip():
        return ''
    text = ' '.join(_read(html.document_fromstring(body)).replace('\n', ' \n ').split(' '))
    text = re.sub(
        rf'[{LINE}{PARAGRAPH}\s]*[{LINE}{PARAGRAPH}\n][{LINE}{PARAGRAPH}\s]*',
        lambda found: '\n\n' if PARAGRAPH in found[0] or found[0].count('\n') > 1 else '\n', text)
    return re.sub(r'[^\S\n]+', ' ', text).strip() + '\n'


def _read(node):
    """Return the text of an element and what is in it, without what follows it."""
    if not isinstance(node.tag, str) or node.tag in HIDDEN:
        return ''
    if node.tag == 'br':
        return '\n'
    if node.tag == 'tr':
        cells = list(filter(None, (_read_cell(cell) for cell in node if cell.tag in ('td', 'th'))))
        return f"{LINE}{(': ' if len(cells) == 2 else ' | ').join(cells)}{LINE}"
    text = _flatten(node.text) + ''.join(_read(child) + _flatten(child.tail) for child in node)
    if node.tag == 'li':
        text = f'- {text.strip()}'
    url = node.get('href', '') if node.tag == 'a' else ''
    if url.startswith('http') and url != text.strip():
        text = f'{text}\n{url}{LINE}'
    edge = PARAGRAPH if node.tag in PARAGRAPHS else LINE if node.tag in LINES else ''
    return f'{edge}{text}{edge}'


def _read_cell(cell):
    """Return the text of a cell: of what stands below each other in it one line is made, unless it holds paragraphs."""
    text = _flatten(cell.text) + ''.join(_read(child) + _flatten(child.tail) for child in cell)
    if PARAGRAPH in text:
        return text.strip(' ')
    return ' '.join(text.replace(LINE, ' ').split())


def _flatten(text):
    return re.sub(r'\s+', ' ', text or '')
