"""What the planner is asked: one object, made once, that every part of the statement is composed of."""

from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple


class Past(NamedTuple):
    """What is read as it stood on an earlier day.

    :param ledger: the ledger and the payments, as at the end of that day
    :param notices: the notices, as at the end of that day
    """

    ledger: date
    notices: date


class Question(NamedTuple):
    """The arguments of :meth:`DunningPlanner._plan`, and what is read once for all parts of the statement."""

    company: Any  # one ``res.company``
    day: date
    items: Any = None  # exactly these ``account.move.line``; None: all that are open
    partners: Any = None  # of these debtors only; None: of all
    ignore: frozenset = frozenset()
    only_due: Any = False
    companions: bool = False
    past: Past | None = None
    blocking: Any = None  # SQL condition on ``hold`` of what holds an item; None: what holds reminders back
    receivable_ids: tuple = ()
    scope: Any = None  # SQL condition on ``line`` and its ``partner``: the debtors asked about
    open_lines: Any = None  # and what is open of them, credits as well
    open_debts: Any = None  # and what they owe
    levels: Any = None  # of all policies
    policies: Any = None  # those that the company can use
    item_reasons: dict = MappingProxyType({})  # {code: reason} about one item, in the order in which they are asked
    notice_reasons: dict = MappingProxyType({})  # and about all items that would share a notice

    @property
    def is_impatient(self):
        """Whether the days of grace before and after a deadline do not count."""
        return 'waiting_delay' in self.ignore
