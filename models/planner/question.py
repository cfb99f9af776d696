"""What the planner is asked: one object, made once, that every part of the statement is composed of."""

from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from ..claim.dunning_imputation import Imputed


class Past(NamedTuple):
    """What is read as it stood on an earlier day.

    :param ledger: the ledger and the payments, as at the end of that day
    :param notices: the notices, as at the end of that day
    """

    ledger: date
    notices: date


class Sources(NamedTuple):
    """What other packages know, as SQL that the parts of the statement are composed of; each is asked for it once."""

    levels: Any  # of all policies
    foreign_policy_ids: Any  # of those of another law than that of the creditor
    next_levels: Any  # of each place on a ladder
    too_late: Any  # condition on ``level``: it makes no sense once an item is overdue
    said: Any  # a number of what can be said in one message, by ``asked_channel`` and ``asked_level``
    written_call_ids: Any  # levels by phone that may become a letter
    policies: Any  # rows of those that can be used, with their minimum in the currency of the company
    steps: Any  # that ``item`` took on its ladder
    passed_over: Any  # condition on ``laddered``: a 14-day letter had nothing to announce about it
    judgements: Any  # what the letters to consumers amount to, by debtor
    waiting: Any  # the items of notices that wait
    messages: Any  # of the day that is asked about
    asked_and_owed: Any  # items that a notice asked and that are open
    stale_rates: Any  # kinds of interest of which no rate was confirmed
    prescribed: Any  # condition on ``laddered``
    debtor_type: Any  # of ``debtor``
    bank_states: Any  # bank journals and the day of their newest statement line


class Question(NamedTuple):
    """The arguments of :meth:`DunningPlanner._plan`, and what is read once for all parts of the statement."""

    company: Any  # one ``res.company``: the one that asks; all of its creditor take part
    day: date
    law: str = ''  # the country whose law the creditor has; empty: none that is known here
    items: Any = None  # exactly these ``account.move.line``; None: all that are open
    partners: Any = None  # of these debtors only; None: of all
    ignore: frozenset = frozenset()
    only_due: Any = False
    companions: bool = False
    past: Past | None = None
    companies: Any = None  # all of the creditor
    scope: Any = None  # SQL condition on ``line`` and its ``partner``: the debtors asked about
    lines: Any = None  # SQL of the items asked about and of what else their debtors owe
    due_date: Any = None  # of ``line``, one of these, and its ``move``
    held: Any = None  # SQL of what is on hold of them
    credits: Any = None  # of the past: SQL of what lay ready for these debtors and nobody matched
    imputed: Any = Imputed()  # of today: what lies ready, and which items it is for
    levels: Any = None  # of all policies
    policies: Any = None  # those that the creditor can use
    sources: Sources | None = None
    item_reasons: dict = MappingProxyType({})  # {code: reason} about one item, in the order in which they are asked
    notice_reasons: dict = MappingProxyType({})  # and about all items that would share a notice
