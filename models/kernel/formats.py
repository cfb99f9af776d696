"""How days, amounts and percentages are written.

*Colleagues* read what Odoo shows them anywhere, in their own language; only days have the month as a word, because
“03-04” is not the same day everywhere and a date of digits breaks over two lines. *Debtors* read letters: in the
language of the environment, or in the one that is given.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

import babel.dates

from odoo.tools import babel_locale_parse, format_date, get_lang

NO_BREAK_SPACE = '\N{NO-BREAK SPACE}'
MINUS = '\N{MINUS SIGN}'
DAY = re.compile(
    r'(?<!\d)(?:(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)'
    r'|(?P<d_last>\d\d?)[-/.](?P<m_last>\d\d?)[-/.](?P<y_last>\d{4}))(?!\d)')


# -------------------------------------------------------------------------
# TO COLLEAGUES
# -------------------------------------------------------------------------

def format_day(env, day):
    """Return “3 Nov 2026”; an empty string for no day."""
    return format_date(env, day, date_format='d MMM y')


def format_weekday(env, day):
    """Return “Tuesday 3 November”."""
    return format_date(env, day, date_format='EEEE d MMMM')


def in_language_of(records, company):
    """Return records in the language of whoever is at work, else of the company: a scheduled action has none.

    What is logged is for the users of the company, whatever the debtor speaks.
    """
    return records.with_context(lang=records.env.lang or company.partner_id.lang)


# -------------------------------------------------------------------------
# TO DEBTORS
# -------------------------------------------------------------------------

def letter_day(env, day, lang=None, *, short=False):
    """Return “3 november 2026”; short, for tables, “03-11-2026” (Dutch) or “3 Nov 2026”. Also of an ISO date.

    An empty string for no day.
    """
    if not day:
        return ''
    lang = lang or env.lang or ''
    pattern = 'd MMMM y'
    if short:
        pattern = 'dd-MM-y' if lang.startswith('nl') else 'd MMM y'
    return _format_cached(date.fromisoformat(day) if isinstance(day, str) else day, get_lang(env, lang).code, pattern)


@lru_cache(maxsize=4096)
def _format_cached(day, code, pattern):
    # A batch of letters has few different dates, and each stands in many of them.
    return babel.dates.format_date(day, format=pattern, locale=babel_locale_parse(code))


def find_day(text):
    """Return the first day in a text, as “15-08-2024” or “2024-08-15”, or False."""
    for match in DAY.finditer(text):
        year, month, day = (match[name] or match[f'{name}_last'] for name in ('y', 'm', 'd'))
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return False


def letter_amount(env, amount, currency, lang=None, *, symbol=True):
    """Return an amount as debtors write it: “€ 1.234,56” in Dutch, “€1,234.56” in English."""
    lang = lang or env.lang or ''
    rounded = currency.round(float(amount)) + 0.0
    number = env['res.lang'].browse(get_lang(env, lang).id).format(
        f'%.{currency.decimal_places}f', abs(rounded), grouping=True)
    # A real minus sign, before the currency: a hyphen is easily overlooked.
    sign = MINUS if rounded < 0 else ''
    if not symbol:
        return sign + number
    if currency.name != 'EUR':  # a dollar sign says nothing
        return f"{sign}{currency.name}{NO_BREAK_SPACE}{number}"
    return f"{sign}€{NO_BREAK_SPACE if lang.startswith('nl') else ''}{number}"


def letter_percent(env, percent, *, places=0):
    """Return “10,4%”, with at least so many decimals."""
    whole, _dot, decimals = f"{Decimal(percent).normalize():f}".partition('.')
    decimals = decimals.ljust(places, '0')
    mark = ',' if (env.lang or '').startswith('nl') else '.'
    return f"{whole}{mark + decimals if decimals else ''}%"


def format_iban(number):
    """Return a bank account number in groups of four that stay on one line."""
    number = re.sub(r'\s', '', number or '')
    return NO_BREAK_SPACE.join(number[start:start + 4] for start in range(0, len(number), 4))
