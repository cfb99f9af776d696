#!/usr/bin/env python3
"""Run all checks and tests: a clean installation into a new database, then pytest.

Arguments go to pytest (paths below the checkout, -k, -x, …); without any, all processors work.
"""

import os
import subprocess
import sys
from pathlib import Path

from env import bootstrap, database, paths, postgres, say, session, testing

#: The company that most test classes need, with its chart of accounts, which takes seconds (see tests/common.py).
PREPARE = """
company = env['res.company'].create({
    # Behind the others, as one that is made later.
    'name': "Prepared for tests", 'sequence': 99, 'country_id': env.ref('base.nl').id,
    'currency_id': env.ref('base.EUR').id})
env['account.chart.template'].try_loading('nl', company=company, install_demo=False)
company.currency_id = env.ref('base.EUR')
env.cr.commit()
"""


def main():
    _home, template = bootstrap.ensure(with_browser=True, with_tools=True)
    _drop_leftovers()
    words = sys.argv[1:]
    outcomes = []
    if not any(map(_is_of_bridge, words)):
        outcomes.append(_test(template, [paths.MODULE], words))
    # Bridges have their own database: the addon is tested without the apps they are for.
    if not words or any(map(_is_of_bridge, words)):
        tests = [str(paths.CHECKOUT / "bridges" / bridge / "tests") for bridge in database.BRIDGES]
        outcomes.append(_test(template, [paths.MODULE, *database.APPS, database.SHOP], words or tests))
    complaints = [line for lines, _code in outcomes for line in lines]
    if complaints:
        sys.exit("\n".join(["✗ Odoo complained while it installed the addon:", *complaints]))
    sys.exit(max(code for _lines, code in outcomes))


def _test(template, modules, words):
    """Run tests in a new database with these modules; return ``(complaints of the installation, exit code)``."""
    with database.copied("test", template) as name:
        with say.timed(f"installing {' and '.join(modules)} into a new database"):
            complaints = database.complaints(database.install(name, modules))
            database.execute(name, PREPARE)
        words = words if sys.argv[1:] else [*_in_parallel(), *words]
        done = subprocess.run(testing.command(words, name), env=session.environment(), check=False)
    return complaints, done.returncode


def _is_of_bridge(word):
    return (paths.CHECKOUT / "bridges") in Path(word.split("::")[0]).absolute().parents


def _in_parallel():
    """Return the options that spread a complete run over the processors, a copy of the database for each."""
    workers = min(4, len(os.sched_getaffinity(0)))
    # The order is that of pytest_plugin: what takes longest goes first.
    return ["-n", str(workers), "--dist=loadscope", "--no-loadscope-reorder"] if workers > 1 else []


def _drop_leftovers():
    """Drop the databases of runs that were killed."""
    prefix = f"dunning_test_{paths.checkout_key()}_"
    for name in postgres.databases():
        owner = name.removeprefix(prefix).split("-")[0] if name.startswith(prefix) else ""
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            postgres.drop(name)


if __name__ == "__main__":
    session.run(main)
