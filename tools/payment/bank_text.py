"""Reading what a payer wrote on a transfer, as banks deliver it. No Odoo in here.

A number is written in many ways: ``INV/2026/00017``, ``inv 2026 00017``, ``INV202600017``, ``2026/17``, ``nota 17``.
A text is cut into runs of letters and runs of digits; neighbouring runs, from the start of a word to the end of a word,
can be a number. Numbers are compared whole, never as a part of something longer.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: Code words of structured MT940 texts whose contents the payer chose, or his bank was given by him.
WRITTEN_BY_PAYER = frozenset({'REMI', 'USTD', 'STRD', 'EREF', 'CREF', 'ISSR', 'CUR', 'SVWZ', 'RTRN'})
#: Code words whose contents are accounts, names and numbers of the bank.
OF_THE_BANK = frozenset({
    'TRTP', 'IBAN', 'BIC', 'NAME', 'ADDR', 'CNTP', 'MARF', 'CSID', 'ORDP', 'BENM', 'ID', 'ISDT', 'ULTC', 'ULTD', 'ULTB',
    'PURP', 'PREF', 'KREF', 'MREF', 'BUSP', 'SVCL', 'TRCD', 'CHGS', 'EXCH', 'OCMT', 'OAMT', 'CRED', 'DEBT', 'BVAL'})
CODE = re.compile(r'/({})/'.format('|'.join(sorted(WRITTEN_BY_PAYER | OF_THE_BANK))))
RUN = re.compile(r'[A-Z]+|[0-9]+')
#: What looks like a number of an invoice and is something else: accounts, days and amounts.
NO_NUMBER = re.compile(
    r'\b[A-Z]{2}[0-9]{2} ?[A-Z]{4} ?(?:[0-9]{4} ?){2}[0-9]{1,4}\b'
    r'|\b[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:20)?[0-9]{2}\b|\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b'
    r'|(?:EUR|€) ?[0-9.]*[0-9](?:,[0-9]{2}|,-|\.[0-9]{2})?(?![0-9])|\b[0-9.]*[0-9],(?:[0-9]{2}\b|-)')
#: Words before a short number that say that it is one of an invoice, and those that say that it is something else.
OF_AN_INVOICE = frozenset({
    'FACTUUR', 'FACTUREN', 'FACTUURNUMMER', 'FACTUURNR', 'FACT', 'FACTNR', 'FAKTUUR', 'FAC', 'F', 'FNR', 'NOTA',
    'NOTANR', 'REKENING', 'NR', 'NRS', 'NO', 'NUMMER', 'NUMMERS', 'INV', 'INVOICE', 'INVOICES', 'RECHNUNG', 'FACTURE',
    'EN', 'AND'})
OF_SOMETHING_ELSE = frozenset({
    'KLANT', 'KLANTNR', 'KLANTNUMMER', 'DEBITEUR', 'DEBITEURNR', 'DEBITEURNUMMER', 'DEBNR', 'LID', 'LIDNR',
    'LIDNUMMER', 'ORDER', 'ORDERNR', 'ORDERNUMMER', 'PO', 'TEL', 'WEEK', 'MAAND', 'JAAR', 'DD', 'CUSTOMER', 'POLIS',
    'POLISNR', 'KVK', 'PROJECT', 'OFFERTE', 'KENTEKEN', 'POSTCODE', 'KAMER', 'HUISNR', 'DOSSIER', 'BTW', 'PERIODE',
    'KWARTAAL', 'Q'})
#: Words, and reason codes of banks, by which a text says that a payment went back; PostgreSQL reads it as well. A
#: “retour” or “return” can be one of goods.
RETURNED = (
    '(^|[^A-Z0-9])(STORNO|STORNER[A-Z]*|GESTORNEERD|TERUGBOEK[A-Z]*|TERUGGEBOEKT|TERUGGEDRAAID|GEWEIGERD|ONBETAALD|RTRN'
    '|RETURNED|REJECT[A-Z]*|BOUNCED?|CHARGEBACK|DISHONOU?RED|UNPAID|RUE?CKLASTSCHRIFT'
    '|(AC|AG|AM|BE|FF|MD|MS|RC|RR|SL)[0-9][0-9])($|[^A-Z0-9])')
#: The reason code of ISO 20022 in what a bank gives as the reason of a return.
REASON_CODE = re.compile(r'(?<![A-Z0-9])(?:AC|AG|AM|BE|FF|MD|MS|RC|RR|SL)[0-9]{2}(?![A-Z0-9])')
#: Words that people leave out of a name, or a bank cuts off.
LEGAL_FORM = re.compile(r'\b(?:B ?V|N ?V|V ?O ?F|C ?V|GMBH|LTD|LIMITED|INC|STICHTING|VERENIGING|DE|HET|EN|THE)\b')
MOST_RUNS = 8  # of one number
MOST_CHARACTERS = 35  # of one number, as in a SEPA remittance
#: Digits right before or after a number that make it a part of a longer one: behind a separator, or a year.
PART_OF_MORE = (re.compile(r'(?:[0-9][/._-]|\b20[0-9]{2}[ /._-]*)$'), re.compile(r'[/._-][0-9]'))
#: A number of fewer digits says too little by itself.
FEW_DIGITS = 3
#: One with leading zeros is a number from so many digits on.
PADDED = 4


class Numeral(NamedTuple):
    """What can be a number in a text.

    :ivar key: letters and digits alone: ``INV202600017``
    :ivar runs: its runs, without leading zeros: ``('INV', '2026', '17')``
    :ivar spelling: as it was written, in upper case: ``INV/2026/00017``
    :ivar word: the letters before it
    :ivar start: where it begins in the text, and where it ends
    :ivar is_part: it may be a part of a longer number
    """

    key: str
    runs: tuple
    spelling: str
    word: str
    start: int
    end: int
    is_part: bool = False

    def overlaps(self, other):
        return self.start < other.end and other.start < self.end

    @property
    def is_called_invoice(self):
        return self.word in OF_AN_INVOICE

    @property
    def is_meant(self):
        """Whether it is long enough to be meant as a number of an invoice, or a word before it says so."""
        if not self.key.isdigit():
            return self.runs[0] not in OF_SOMETHING_ELSE
        if self.word in OF_SOMETHING_ELSE:
            return False
        padded = self.key.startswith('0') and len(self.key) >= PADDED
        return self.is_called_invoice or padded or len(self.runs) > 1 or len(self.runs[0]) >= FEW_DIGITS


class _Run(NamedTuple):
    """Letters or digits of a text.

    :ivar stripped: without leading zeros
    :ivar word: the run before it
    :ivar is_apart: something that is no number stands between the two
    """

    text: str
    stripped: str
    is_digits: bool
    start: int
    end: int
    word: str
    begins_word: bool
    ends_word: bool
    is_apart: bool


def normalize(text):
    """Return a text in upper case, without accents."""
    if not text or text.isascii():
        return (text or '').upper()
    text = unicodedata.normalize('NFKD', text or '')
    return ''.join(character for character in text if not unicodedata.combining(character)).upper()


def get_key(number):
    """Return the letters and digits of a number, by which it is compared."""
    return re.sub(r'[^A-Z0-9]', '', normalize(number))


def get_words(text):
    """Return the part of a bank text that the payer wrote: structured texts without the fields of the bank."""
    parts = CODE.split(normalize(text))
    words = [parts[0]]
    words += [content for code, content in zip(parts[1::2], parts[2::2], strict=True) if code in WRITTEN_BY_PAYER]
    return ' / '.join(words)


def tells_return(text):
    """Return whether a text says that a payment or a direct debit was returned."""
    return bool(re.search(RETURNED, normalize(text)))


def read_reason_code(text):
    """Return the code in what a bank gives as the reason of a return, such as ``AM04``; empty: there is none."""
    found = REASON_CODE.search(normalize(text))
    return found.group() if found else ''


def strip_zeros(run):
    return run.lstrip('0') or '0' if run.isdigit() else run


def read_numerals(text, *, amounts=False):
    """Return the :class:`Numeral` of a text, in the order in which they begin, the longest first.

    :param bool amounts: keep days, amounts and accounts, which a whole number may look like
    """
    words = get_words(text)
    return _read_words(words if amounts else NO_NUMBER.sub(' ; ', words))


def read_text(text):
    """Return the numerals of a text with days, amounts and accounts, and those without."""
    if not any(map(str.isdigit, text or '')):
        return [], []
    words = get_words(text)
    whole = _read_words(words)
    without = NO_NUMBER.sub(' ; ', words) if whole else words
    return whole, whole if without == words else _read_words(without)


def _read_words(words):
    runs = _cut(words)
    found = []
    for first, beginning in enumerate(runs):
        if not beginning.begins_word:
            continue
        key, parts, has_digits, is_part, candidates = '', (), False, None, []
        for run in runs[first:first + MOST_RUNS]:
            if parts and run.is_apart:
                break
            key, parts, has_digits = key + run.text, (*parts, run.stripped), has_digits or run.is_digits
            if not run.ends_word:
                continue
            if len(key) > MOST_CHARACTERS:
                break
            if has_digits:
                if is_part is None:
                    is_part = bool(PART_OF_MORE[0].search(words[:beginning.start]))
                candidates.append(Numeral(
                    key, parts, words[beginning.start:run.end], beginning.word, beginning.start, run.end,
                    is_part or bool(PART_OF_MORE[1].match(words, run.end))))
        found += reversed(candidates)
    return found


def _cut(words):
    runs = []
    for match in RUN.finditer(words):
        text, start, end = match.group(), match.start(), match.end()
        is_digits = text.isdigit()
        runs.append(_Run(
            text, text.lstrip('0') or '0' if is_digits else text, is_digits, start, end, runs[-1].text if runs else '',
            not (start and words[start - 1].isalnum()), not words[end:end + 1].isalnum(),
            bool(runs) and ';' in words[runs[-1].end:start]))
    return runs


def find_named(numerals: Iterable, numbers: Mapping) -> list:
    """Return the keys of ``{key: number}`` that numerals name, in any way people write a number of their own supplier.

    A numeral that can be two of them names none.
    """
    spellings = defaultdict(set)
    for key, number in numbers.items():
        for spelling in get_spellings(number):
            spellings[spelling].add(key)
    found, taken = [], []
    for numeral in numerals:
        named = spellings.get(numeral.runs, ())
        if len(named) == 1 and not any(map(numeral.overlaps, taken)):
            taken.append(numeral)
            found += [key for key in named if key not in found]
    return found


def get_spellings(number):
    """Return how people write a number of their own supplier, as runs without leading zeros."""
    runs = re.findall('[A-Z]+|[0-9]+', normalize(number))
    digits = [run for run in runs if run.isdigit()]
    if not digits:
        return set()
    prefix = [run for run in runs[:1] if run.isalpha()]
    short = [run[2:] if len(run) == 4 and run.startswith('20') else run for run in digits]
    spellings = {
        tuple(runs), tuple(digits), tuple(short), (''.join(digits),), (digits[-1],),
        (*prefix, ''.join(digits)), (*prefix, digits[-1]), (*prefix, *short)}
    return {tuple(map(strip_zeros, spelling)) for spelling in spellings}


def get_name(name):
    """Return the words of a name that count, with a space around each."""
    return ' {} '.format(' '.join(LEGAL_FORM.sub(' ', re.sub(r'[^A-Z0-9]+', ' ', normalize(name))).split()))
