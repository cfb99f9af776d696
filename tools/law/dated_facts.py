"""Facts of Dutch law that change by date, each with the source it was found in. No Odoo in here.

Interest rates have a table of their own, which people keep up to date. The facts here change once in years; still
somebody has to look at them every year (:func:`get_facts_to_review`). A fact that is not in force yet, or of which
nobody read the text itself, is prepared here all the same, so that the change does not come as a surprise.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

#: A fact that begins within this time is reviewed before it does.
LOOK_AHEAD = timedelta(days=365)


class DatedFact(NamedTuple):
    """The value of one fact from a day on, until the next row of the same code.

    :ivar code: which fact
    :ivar date_from: first day of this value
    :ivar value: a number of days, or whether a rule is in force
    :ivar source: where the value was found
    :ivar read: whether the text of the source itself was read, in a stored copy. ``False``: only what others write
        about it. No lawyer confirmed either.
    :ivar note: why this value was chosen, when the source leaves room
    """

    code: str
    date_from: date
    value: int
    source: str
    read: bool = False
    note: str = ''

    @property
    def key(self) -> str:
        """Name under which a confirmation of this row is kept."""
        return f'{self.code}:{self.date_from.isoformat()}'


POSTAL_DAYS = 'postal_days'
LEGAL_TERM_DAYS = 'legal_term_days'
LONGEST_TERM_DAYS = 'longest_term_days'
LARGE_BUYER_TERM_DAYS = 'large_buyer_term_days'
LARGE_BUYER_OLD_TERM_DAYS = 'large_buyer_old_term_days'
GOVERNMENT_TERM_DAYS = 'government_term_days'
GOVERNMENT_LONGEST_TERM_DAYS = 'government_longest_term_days'
AGENCY_REGISTER = 'agency_register'

DIRECTIVE = date(2013, 3, 16)  # the late payment directive 2011/7/EU applies in the Netherlands
LATE_PAYMENT = "Article 6:119a BW, in a version from before 2017"
LARGE_BUYERS = "Stb. 2022, 146; Valegis, Executive Finance and Wiggers Ross on the change of 1 July 2022"

FACTS = (
    DatedFact(
        POSTAL_DAYS, date(2012, 7, 1), 3, "HR 25-11-2016, ECLI:NL:HR:2016:2704, in summaries",
        note="The Supreme Court took the second day; one more does no harm, one less costs all collection costs."),
    DatedFact(
        POSTAL_DAYS, date(2027, 7, 1), 4,
        "rijksoverheid.nl, 19 December 2025: delivery within 48 hours from 1 July 2026, within 72 hours from "
        "1 July 2027; a draft decree",
        note="Not known to be in force. A longer term is the safe side, so it counts unless somebody finds otherwise."),
    DatedFact(LEGAL_TERM_DAYS, DIRECTIVE, 30, LATE_PAYMENT + ", paragraph 2", read=True),
    DatedFact(LONGEST_TERM_DAYS, DIRECTIVE, 60, LATE_PAYMENT + ", paragraph 5", read=True),
    DatedFact(LARGE_BUYER_TERM_DAYS, DIRECTIVE, 60, LATE_PAYMENT + ", paragraph 5", read=True),
    DatedFact(LARGE_BUYER_TERM_DAYS, date(2022, 7, 1), 30, LARGE_BUYERS),
    DatedFact(LARGE_BUYER_OLD_TERM_DAYS, DIRECTIVE, 60, LATE_PAYMENT + ", paragraph 5", read=True),
    DatedFact(
        LARGE_BUYER_OLD_TERM_DAYS, date(2023, 7, 1), 30, LARGE_BUYERS,
        note="Agreements from before 1 July 2022 had a year to be changed."),
    DatedFact(GOVERNMENT_TERM_DAYS, DIRECTIVE, 30, "Article 6:119b BW, in a version from before 2017", read=True),
    DatedFact(
        GOVERNMENT_LONGEST_TERM_DAYS, DIRECTIVE, 60, "Article 6:119b BW, in a version from before 2017", read=True),
    DatedFact(AGENCY_REGISTER, date(2012, 7, 1), 0, "The Wki (BWBR0046685) has no such rule in force yet", read=True),
    DatedFact(
        AGENCY_REGISTER, date(2026, 10, 1), 1,
        "Article 18 Wki, in force by article 11.1 of the Besluit kwaliteit incassodienstverlening (Stb. 2024, 44)",
        note="That article was read; of article 18 itself the stored copy of the act has no text yet."),
)


def get_rows(code: str, facts: Iterable[DatedFact] = FACTS) -> list[DatedFact]:
    """Return the rows of a fact, the oldest first."""
    return sorted((fact for fact in facts if fact.code == code), key=lambda fact: fact.date_from)


def get_fact(code: str, day: date, facts: Iterable[DatedFact] = FACTS) -> DatedFact:
    """Return the row that holds on a day.

    :raise LookupError: when the fact is not known for that day
    """
    rows = [fact for fact in get_rows(code, facts) if fact.date_from <= day]
    if not rows:
        raise LookupError(f"Nothing is known about {code!r} on {day.isoformat()}.")
    return rows[-1]


def get_postal_days(day: date, at_least: int = 0, facts: Iterable[DatedFact] = FACTS) -> int:
    """Return on which day after a letter is posted it is presumed to arrive.

    :param day: day on which it is posted; before the first row that one counts
    :param at_least: what a creditor chose; it can only lengthen what the table says
    """
    rows = get_rows(POSTAL_DAYS, facts)
    return max(at_least, get_fact(POSTAL_DAYS, max(day, rows[0].date_from), rows).value)


def needs_agency_register(day: date, is_natural_person: bool, facts: Iterable[DatedFact] = FACTS) -> bool:
    """Return whether an agency must be in the register of the Wki to be handed a claim with interest and costs.

    It is about natural persons who live in the Netherlands, also those with a business of their own (article 2 Wki).
    Without the registration neither costs nor interest are owed (article 18 Wki).
    """
    return is_natural_person and bool(get_fact(AGENCY_REGISTER, day, facts).value)


def get_facts_to_review(
    day: date, confirmed: Mapping[str, date], facts: Iterable[DatedFact] = FACTS,
) -> list[DatedFact]:
    """Return the rows a person has to look up again, the first to begin first.

    Each row in force is looked up once per calendar year, and a row that begins within :data:`LOOK_AHEAD` too.

    :param confirmed: ``{key of a row: day on which somebody last looked it up}``
    """
    facts = tuple(facts)
    rows = {
        *(get_fact(fact.code, day, facts) for fact in facts if fact.date_from <= day),
        *(fact for fact in facts if day < fact.date_from <= day + LOOK_AHEAD),
    }
    due = [fact for fact in rows if confirmed.get(fact.key, date.min).year < day.year]
    return sorted(due, key=lambda fact: (fact.date_from, fact.code))
