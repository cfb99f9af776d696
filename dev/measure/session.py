"""The part of `dev/bench.py` that happens inside Odoo; prints one JSON object per answer."""

import json
import sys

from env.session import odoo_environment


def main(command, database, addons_path, *words):
    options = [f"--addons-path={addons_path}"] if addons_path else []
    with odoo_environment(database, *options) as env:
        if command == "core":
            from measure import core  # noqa: PLC0415 (Odoo's models can be imported only now)

            core.serve(env)
        else:
            print(json.dumps(globals()[f"_{command}"](env, *words)), flush=True)


# What is imported needs Odoo to be running.
# ruff: noqa: PLC0415


def _ledger(env, size):
    from measure import ledger

    return ledger.generate(env, int(size))


def _history(env, what=""):
    from measure import history

    return history.generate(env, fresh=what == "fresh")


def _step(env, name, turns="1"):
    from measure import steps

    return steps.measure(env, name, turns=int(turns))


def _letters(env, count):
    from measure import documents

    return documents.measure(env, int(count))


def _peer(env, turns):
    from measure import peer

    return peer.measure(env, int(turns))


def _explain(env):
    from measure import explain

    return explain.measure(env)


def _indexes(env):
    from measure import explain

    return explain.list_indexes(env)


def _uninstall(env, module):
    """Uninstall a module as an administrator does; the caller holds the clock."""
    env["ir.module.module"].search([("name", "=", module)]).button_immediate_uninstall()
    return {}


def _table(env, name):
    """Return how a table is stored and what was done to it since the server counts."""
    from odoo.tools import SQL

    rows = env.execute_query(
        SQL(
            "SELECT pg_relation_filenode(relid), n_tup_upd, n_tup_ins, n_tup_del FROM pg_stat_user_tables"
            " WHERE relname = %s",
            name,
        )
    )
    return dict(zip(("file", "updated", "inserted", "deleted"), rows[0], strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
