"""How often everyday work changes file: who wants to understand a journey opens so many files, so many times.

A trace notes every call of a named function of the addon, in order. tests/kernel/test_trace.py holds what it counts,
in the demonstration of one fixed day; `make trace` prints it.
"""

import os
import sys
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from unittest.mock import patch

from freezegun.api import freeze_time

from odoo.sql_db import Cursor

import odoo.addons.l10n_nl_dunning

ROOT = os.path.dirname(odoo.addons.l10n_nl_dunning.__file__) + os.sep
NOT_OURS = ("tests" + os.sep, "dev" + os.sep)
#: Functions without a name belong to the one around them.
NAMELESS = {"<lambda>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"}
#: A Tuesday. The same day each time, so that a trace is the same in any year.
TODAY = date(2026, 11, 24)
#: When the proposals are made: what was due before has left.
LATER = datetime(2026, 12, 3, 9, tzinfo=None)  # noqa: DTZ001 (Odoo's clock has no time zone)
DEBTOR = "D1001"


class Walk(NamedTuple):
    """What a trace counts; `packages` and `changes`: how often a call goes to another package, to another file."""

    packages: int
    changes: int
    files: int
    queries: int


class Limit(NamedTuple):
    """What is wanted, and what it was: lower `at_most` with each improvement until it is reached, never raise it."""

    changes: int
    files: int
    at_most: Walk


LIMITS = {
    # Since 19.0.1.11.0 the demonstration has a branch, so what of a notice its reader sees is asked (3 queries of
    # approving), and which receipts can concern a debtor is a condition that three packages write (6 walks of sending).
    # Since 19.0.1.10.0 facts are asked of all companies of the creditor, which has a file of its own: 2 walks of
    # approving, 32 of sending, 3 of a call, 14 of an arrangement. The page also asks what is left alone: 23 with that.
    # Since 19.0.1.9.0 all of them ask which items money is for (its reading is a file of its own in three packages: one
    # query where nothing lies ready, else two), what of an account is no debt, and what was returned: about 32 walks,
    # 9 files and 1 query of sending, 30, 8 and 1 of a call, 25, 6 and 1 of an arrangement, 34, 7 and 3 of the page, 2
    # walks and 1 file of approving.
    # Of which 2 walks and 1 file ask whether what was told of an item is about it as it is now.
    "approve one e-mail": Limit(15, 6, Walk(13, 22, 13, 28)),
    # Of which 3 walks and 1 file ask whose law it is, and whether the letters still hold; and 20 walks and 2 files,
    # just before it leaves, the policy of now, who belongs to the debtor, whether an address is our own, what the
    # letter has to say of us, and whether this database is a copy.
    "send one e-mail": Limit(80, 15, Walk(155, 235, 52, 62)),
    # Of which 1 walk and 1 file are due to the money of items having a file of its own, and 1 walk asks which invoices
    # are due: those that were sent late are so later.
    # 2 walks remember how the call of the ladder was, so that who logged it by mistake can undo it.
    "log a call with a promise": Limit(30, 8, Walk(71, 94, 29, 55)),
    # Of which 8 walks, 2 files and 3 queries read its own words before they leave; 2 files and 1 query ask whose law it
    # is, and whether what a letter asked was paid; 20 walks, 2 files and 1 query what was told to whom, who belongs to
    # the debtor, whether an address is our own and what the mail has to say of us; 1 walk which invoices are due.
    # 2 walks ask of which items interest and costs are part of it.
    "make and offer an arrangement": Limit(120, 20, Walk(161, 290, 61, 95)),
    # Of which 4 walks, 2 files and 1 query ask the same two questions, and 4 walks what was told to whom.
    "page: what can be paid": Limit(50, 12, Walk(79, 118, 29, 28)),
}


def find_too_long(walks):
    """Return what is longer than is wanted and than it was: one sentence each."""
    found = []
    for journey, walk in walks.items():
        changes, files, at_most = LIMITS[journey]
        limits = map(max, at_most, (changes, changes, files, 0))
        counts = zip(Walk._fields, walk, limits, strict=True)
        found += [f"{journey}: {name} {count}, at most {most}" for name, count, most in counts if count > most]
    return found


def show(walks):
    """Print what was counted, and below it what is wanted (packages and files alike) and what it may be meanwhile."""
    rows = [("", *Walk._fields)]
    for journey, walk in walks.items():
        changes, files, at_most = LIMITS[journey]
        rows += [(journey, *walk), ("  wanted", changes, changes, files, ""), ("  at most", *at_most)]
    print("\n" + "\n".join(f"{name:<32}" + "".join(f"{cell:>12}" for cell in cells) for name, *cells in rows))


def trace(function):
    """Return the walk of a function."""
    files, queries = [], []

    def note(frame, event, _argument):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(ROOT) and code.co_name not in NAMELESS:
            file = code.co_filename[len(ROOT) :]
            if not file.startswith(NOT_OURS):
                files.append(file)

    def execute(cursor, query, *args, **kwargs):
        queries.append(query)
        return real(cursor, query, *args, **kwargs)

    real = Cursor.execute
    with patch.object(Cursor, "execute", execute):
        sys.setprofile(note)
        try:
            function()
        finally:
            sys.setprofile(None)
    packages = ["/".join(file.split(os.sep)[:2]) for file in files]
    return Walk(_changes(packages), _changes(files), len(set(files)), len(queries))


def _changes(names):
    return sum(before != after for before, after in pairwise(names))


def trace_all(env):
    """Return ``{journey: its walk}`` in a database with the demonstration; nothing of it is kept."""
    with freeze_time(LATER, ignore=["psycopg2"]):
        return {journey: _trace_journey(env, prepare) for journey, prepare in JOURNEYS.items()}


def _trace_journey(env, prepare):
    """Walk twice: the first time fills what a worker keeps for its life, the second one counts."""
    for _turn in range(2):
        savepoint = env.cr.savepoint()
        work = prepare(env, env["res.users"].search([("login", "=", "accountant")]))
        env.flush_all()
        env.invalidate_all()
        walk = trace(lambda: (work(), env.flush_all()))  # noqa: B023 (called before the next turn)
        savepoint.close(rollback=True)
    return walk


# --- the journeys: each prepares its records and returns what is walked through ---


def _approve(env, user):
    env["dunning.policy"].search([]).write({"approval": "approval", "bank_max_age": 0, "four_eyes": "never"})
    env["dunning.run"]._plan_company(env.company, LATER.date())
    draft = [("company_id", "=", env.company.id), ("state", "=", "draft"), ("channel", "=", "email")]
    return env["dunning.notice"].search(draft, order="id", limit=1).ensure_one().with_user(user).action_approve


def _send(env, user):
    approve = _approve(env, user)
    approve()
    notice = approve.__self__.sudo()  # sudo: the scheduled action sends

    def send():
        env["dunning.dispatcher"]._dispatch(notice)
        if notice.state != "leaving":
            raise RuntimeError(notice.error_message or notice.state)

    return send


def _call(env, user):
    items = _owed(env)[0]
    said = {"partner_id": items.partner_id.id, "outcome": "promise", "item_ids": items.ids}
    said["date"] = str(LATER.date() + timedelta(days=3))
    return lambda: env["dunning.call"].with_user(user).log_call(said)


def _arrange(env, user):
    make, items = env["dunning.arrangement"].with_user(user)._make_and_offer, _owed(env)
    return lambda: make(env.company, items.partner_id, items, {})


def _pay(env, user):
    page = _owed(env).partner_id._get_dunning_page(env.company)
    return lambda: page._get_payable("due")


def _owed(env):
    domain = [("partner_id.ref", "=", DEBTOR), ("account_id.account_type", "=", "asset_receivable")]
    return env["account.move.line"].search([*domain, ("reconciled", "=", False)], order="date_maturity")


JOURNEYS = dict(zip(LIMITS, (_approve, _send, _call, _arrange, _pay), strict=True))
