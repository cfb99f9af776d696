"""The part of `dev/bench.py` that happens inside Odoo; prints one JSON object per answer."""

import json
import sys

from env.session import odoo_environment

from odoo.tools import SQL


def main(command, database, addons_path, *words):
    options = [f"--addons-path={addons_path}"] if addons_path else []
    with odoo_environment(database, *options) as env:
        # Odoo's models can be imported only now.
        from measure import core, history, ledger, peer, steps  # noqa: PLC0415 (as said above)

        commands = {
            "core": core.measure,
            "explain": steps.explain,
            "history": history.generate,
            "ledger": ledger.generate,
            "letters": steps.measure_letters,
            "peer": peer.measure,
            "step": steps.measure,
            "table": _describe_table,
            "uninstall": _uninstall,
        }
        answer = commands[command](env, *words)
        if answer is not None:
            print(json.dumps(answer), flush=True)


def _uninstall(env):
    """Uninstall the addon as an administrator does; the caller holds the clock."""
    env["ir.module.module"].search([("name", "=", "l10n_nl_dunning")]).button_immediate_uninstall()


def _describe_table(env, name):
    """Return how a table is stored, and how many of its rows were updated since the server counts."""
    query = SQL("SELECT pg_relation_filenode(relid), n_tup_upd FROM pg_stat_user_tables WHERE relname = %s", name)
    return dict(zip(("file", "updated"), env.execute_query(query)[0], strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
