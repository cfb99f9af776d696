"""The part of `dev/bench.py` that happens inside Odoo; prints one JSON object per answer."""

import importlib
import json
import sys

from env.session import odoo_environment


def main(command, database, addons_path, *words):
    """Call a function of a module next to this one, which can be imported only now."""
    options = [f"--addons-path={addons_path}"] if addons_path else []
    with odoo_environment(database, *options) as env:
        module, _dot, function = command.partition(".")
        answer = getattr(importlib.import_module(f"measure.{module}"), function)(env, *words)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
