"""axe-core, which judges whether a page can be used by everybody (WCAG); for the browser tests of the debtor's page."""

import shutil

from . import paths
from .say import Failure, step, timed
from .shell import run

PACKAGE = "axe-core@4.10.3"


def folder():
    return paths.cache() / "axe"


def script():
    """Return the file to run inside a page, or None when it is not there."""
    found = folder() / "node_modules" / "axe-core" / "axe.min.js"
    return found if found.exists() else None


def ensure():
    """Have it, or say why the test that needs it is skipped."""
    done = folder() / "packages"
    if done.exists() and done.read_text() == PACKAGE:
        return
    if not shutil.which("npm"):
        step("no npm here: the check on accessibility is skipped")
        return
    try:
        with timed("fetching axe-core"), paths.built(folder()) as half:
            words = ["--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", half]
            run(["npm", "install", *words, PACKAGE], why="Fetching axe-core")
            (half / "packages").write_text(PACKAGE)
    except Failure as failure:
        step(f"  not possible, so the check on accessibility is skipped: {failure}")
