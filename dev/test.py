#!/usr/bin/env python3
"""Run all checks and tests: a clean installation into a new database, then pytest.

Arguments go to pytest: paths below the checkout, -k, -x, …
`--workers N` before them spreads the tests over N databases.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, paths, postgres, say, testing  # noqa: E402


def main():
    words = sys.argv[1:]
    with say.failures_as_sentences():
        _home, template = bootstrap.ensure(with_browser=True, with_tools=True)
        with postgres.in_use():
            name = f"dunning_test_{paths.checkout_key()}_{os.getpid()}"
            try:
                complaints = _install(name, template)
                code = subprocess.run(testing.command(words, name), env=testing.environment(), check=False).returncode
            finally:
                postgres.drop(name)
    if complaints:
        print(f"✗ Installing the addon made Odoo complain ({len(complaints)} lines above).", file=sys.stderr)
    sys.exit(code or (1 if complaints else 0))


def _install(name, template):
    """Install the addon into a new database the way a user does; what Odoo complains about fails the run."""
    postgres.create(name, template)
    with say.timed("installing the addon into a new database"):
        complaints = database.install(name, [paths.MODULE])
    for line in complaints:
        print(f"  {line}", file=sys.stderr)
    return complaints


if __name__ == "__main__":
    main()
