"""Names of people, as far as a letter needs them. No Odoo in here."""

import re
from typing import NamedTuple

MALE = {
    'dhr', 'dhr.', 'de heer', 'heer', 'hr', 'hr.', 'mister', 'herr', 'monsieur', 'm.',
}
FEMALE = {
    'mw', 'mw.', 'mevr', 'mevr.', 'mevrouw', 'mrs', 'mrs.', 'ms', 'ms.', 'miss', 'madam', 'frau', 'madame',
    'mme', 'mme.', 'wed', 'wed.', 'weduwe',
}
# “Mr.” is a man in English and a lawyer of either sex in Dutch.
MISTER = {'mr', 'mr.'}
ACADEMIC = {
    'dr', 'dr.', 'drs', 'drs.', 'ir', 'ir.', 'ing', 'ing.', 'prof', 'prof.', 'professor', 'bc', 'bc.', 'mag', 'mag.',
}
PREFIXES = {
    'van', 'von', 'de', 'den', 'der', 'het', "'t", '’t', 'ter', 'ten', 'te', 'la', 'le', 'du', 'di', 'da', 'del', 'el',
    'op', 'in', 'aan', 'bij', 'uit', 'voor', 'over', 'onder', "'s", '’s', 'zu', 'zur', 'zum', 'dos', 'af', 'al', 'bin',
}
# A contact for reminders is often a desk and not a person.
DESKS = re.compile(
    r"administrati|afdeling|accounts?\b|accounting|bookkeep|boekhoud|buchhalt|credit|debit|debt|department|desk|"
    r"factur|finance|financi|inkoop|invoice|office|payable|purchas|secretari|service|team|t\.?a\.?v|info\b|@",
    re.IGNORECASE,
)
# Somebody acts for another, or it is a firm that nobody marked as one, or “dhr./mevr.”.
NOBODY = re.compile(
    r"\b(?:b\.? ?v|n\.?v|v\.?o\.?f|c\.v|ltd|inc|llc|gmbh|bvba|srl)\.?$|\b(?:vve|holding|stichting|vereniging|maatschap|"
    r"firma|zonen|zn|gebr|gebroeders|curator|inzake|mentor|h\.?o\.?d\.?n)\b|bewind|/",
    re.IGNORECASE)
HEIRS = re.compile(
    r"^(?:de |the )?(?:erven|erfgenamen|nabestaanden|nalatenschap|wijlen|heirs of|estate of)\b", re.IGNORECASE)
FAMILY = re.compile(r"^(?:de |the )?(?:familie|fam\.?|gezin|family) (?=\S)|(?<=\w) family$", re.IGNORECASE)
AND = re.compile(r" (?:en|and|und|et|&|\+) | e\.?o\.?$", re.IGNORECASE)
INITIALS = re.compile(r"^(?:[^\W\d_]{1,2}\.-?)+$")


class PersonName(NamedTuple):
    """A name taken apart.

    ``gender`` is ``'male'``, ``'female'``, ``'couple'`` (of both), ``'family'``, ``'heirs'`` or an empty string.
    Whoever ``is_desk`` has no name to be greeted by: a desk, a firm, several people, somebody who acts for another.
    """

    gender: str
    surname: str
    full: str
    is_desk: bool


def parse_name(name, *, dutch=True):
    """Take the name of a contact apart.

    :param str name: such as “Mevr. drs. A.B. de Vries - van Dam”
    :param bool dutch: whether “mr.” is the title of a lawyer
    """
    name = ' '.join(re.sub(r'\(.*?\)', ' ', name or '').split())
    if HEIRS.search(name):
        return PersonName('heirs', '', name, is_desk=False)
    first, *others = AND.split(name)
    gender, words = _take_titles((others[0] if others else first).split(), dutch)
    # “Dhr. en mevr. Smit”: one name for both.
    if len(others) == 1 and words and {_get_gender(first, dutch), gender} == {'male', 'female'}:
        return PersonName('couple', _surname(words), name, _is_nobody(name))
    family = FAMILY.sub('', name)
    if not others and family != name:
        return PersonName('family', _surname(family.split()), name, _is_nobody(name))
    full = ' '.join(words)
    return PersonName(gender, _surname(words), full, bool(
        not words or others or full.lower() in MALE | FEMALE or _is_nobody(full)))


def _is_nobody(name):
    return bool(DESKS.search(name) or NOBODY.search(name))


def _get_gender(title, dutch):
    """Return the gender that a title stands for, of words that are nothing else."""
    title = title.lower()
    if title in MALE or (title in MISTER and not dutch):
        return 'male'
    return 'female' if title in FEMALE else ''


def _take_titles(words, dutch):
    gender = ''
    while words:
        first, two = words[0].lower(), ' '.join(words[:2]).lower()
        if two in MALE and len(words) > 2:
            gender, words = gender or 'male', words[2:]
        elif len(words) == 1:
            break  # a title is no name
        elif first in MALE or (first in MISTER and not dutch):
            gender, words = gender or 'male', words[1:]
        elif first in FEMALE:
            gender, words = gender or 'female', words[1:]
        elif first in ACADEMIC or first in MISTER:
            words = words[1:]
        else:
            break
    return gender, words


def _surname(words):
    """Return the family name with its prefixes and, when it is double, both halves."""
    if not words:
        return ''
    if words[0].endswith(','):
        return words[0].rstrip(',')  # “Jansen, Jan”
    dash = next((index for index, word in enumerate(words) if word in ('-', '–') and index), None)
    if dash:
        return f"{_surname(words[:dash])} - {' '.join(words[dash + 1:])}"
    for index, word in enumerate(words[:-1]):
        if word.lower() in PREFIXES:  # a first name or initials come before it
            return _join(words[index:])
    rest = [word for word in words if not INITIALS.match(word)]
    return rest[-1] if rest else words[-1]


def _join(words):
    surname = ' '.join(words)
    # In Dutch a prefix gets a capital when no name or initial stands before it.
    return surname[0].upper() + surname[1:] if surname[0].isalpha() else surname
