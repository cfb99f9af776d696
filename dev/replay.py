#!/usr/bin/env python3
"""Feed years of real invoices to the addon, day by day, and compare all it did with the file.

dev/replay.py history.csv                      all of it
dev/replay.py history.csv --sample 10          ten customers
dev/replay.py history.csv --days 2012-01-01..2012-06-30
dev/replay.py history.csv --stretch 4          who paid late pays four times as late: more of the ladder
dev/replay.py history.csv --seed 1             with a random world: credit notes, holds, promises, faults, …
dev/replay.py history.csv --seed 1 --branches  the same at a head office and two branches, which are one creditor
dev/replay.py history.csv --seed 1 --edges     what changes meanwhile: debtors, contacts, mail servers, ladders

The file has one line per invoice: countryCode, customerID, PaperlessDate, invoiceNumber, InvoiceDate, DueDate,
InvoiceAmount, Disputed, SettledDate, PaperlessBill (dates as month/day/year). Ends with a report, and with exit
code 1 when one notice was wrong, double, missing, too early or unexplained.
"""

import argparse
from datetime import date
from pathlib import Path

from env import bootstrap, database, runtime, say, session


def _words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", help="the file with the invoices")
    parser.add_argument("--sample", type=int, help="only so many customers")
    parser.add_argument("--days", default="", help="only invoices of these days, as 2012-01-01..2012-06-30")
    parser.add_argument("--stretch", type=int, default=1, help="who paid n days late pays STRETCH × n days late")
    parser.add_argument("--seed", type=int, default=0, help="of a random world around the invoices (0: none)")
    parser.add_argument("--edges", action="store_true", help="with the seed: what changes between letters")
    parser.add_argument("--branches", action="store_true", help="with the seed: each thing at one of three companies")
    parser.add_argument("--letters", type=int, default=5, help="how many letters to make for real (5)")
    parser.add_argument("--keep", action="store_true", help="keep the database to look at it")
    words = parser.parse_args()
    if not Path(words.csv).is_file():
        parser.error(f"there is no file {words.csv}")
    return words


def main(words):
    home, _template = bootstrap.ensure()
    port = runtime.free_port() if words.letters else None
    with database.copied("replay", database.with_addon(home), keep=words.keep) as name:
        say.step(f"replaying {words.csv}")
        with session.odoo_environment(name, http_port=port) as env:
            replay = _prepare(env, words)
            failures = replay.run()
            print(f"\n{replay.report()}")
            env.cr.commit()
    if failures:
        raise SystemExit(1)


def _prepare(env, words):
    """Make the company, and return what replays the invoices."""
    from measure import ledger

    # Odoo's own addons path knows the addon by its technical name only once a database is loaded.
    from odoo.addons.l10n_nl_dunning.tests import edge_replay, replay_branches, replay_engine, replay_world

    first, last = (date.fromisoformat(day) if day else None for day in words.days.partition("..")[::2])
    rows = replay_engine.read_rows(words.csv, sample=words.sample, first=first, last=last, stretch=words.stretch)
    if not rows:
        raise say.Failure("No invoice is left to replay: look at --sample and --days.")
    company = ledger.make_company(env)
    company.write({"name": "Replay B.V.", "zip": "1011 AA", "email": "finance@replay.example"})
    env.cr.commit()
    how = {"commit": env.cr.commit, "commits": True, "real_letters": words.letters}
    how["say"] = lambda text: print(f"  {text}", flush=True)
    if words.edges:
        world, first = edge_replay.draw_world(rows, words.seed)
        return edge_replay.EdgeReplay(env, company, world, first=first, **how)
    if words.branches:
        branches = env["res.company"].create([{"name": name, "parent_id": company.id} for name in ("Utrecht", "Breda")])
        env.cr.commit()
        return replay_branches.BranchReplay(env, company, rows, branches=branches, seed=words.seed, **how)
    if words.seed:
        return replay_world.WorldReplay(env, company, rows, seed=words.seed, **how)
    return replay_engine.Replay(env, company, rows, **how)


if __name__ == "__main__":
    session.run(main, _words())
