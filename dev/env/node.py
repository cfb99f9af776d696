"""prettier and eslint, for machines that have Node.js; without it those two checks are left out."""

import shutil

from . import paths
from .say import Failure, step, timed
from .shell import run

#: eslint 8 is the last one that reads the rules Odoo 19 ships.
PACKAGES = ["prettier@3.6.2", "@prettier/plugin-xml@3.4.2", "eslint@8.57.1"]


def folder():
    return paths.cache() / "node"


def executable(name):
    """Return a tool's program, or None when it is not there."""
    found = folder() / "node_modules" / ".bin" / name
    return found if found.exists() else None


def xml_plugin():
    return folder() / "node_modules" / "@prettier" / "plugin-xml" / "src" / "plugin.js"


def ensure():
    """Have the tools, or say why the checks that need them are skipped."""
    done = folder() / "packages"
    if done.exists() and done.read_text() == "\n".join(PACKAGES):
        return
    if not (shutil.which("npm") and shutil.which("node")):
        step("no Node.js here: the prettier and eslint checks are skipped")
        return
    try:
        with timed("fetching prettier and eslint"), paths.built(folder()) as half:
            words = ["--loglevel=error", "--no-audit", "--no-fund", "--prefix", half]
            run(["npm", "install", *words, *PACKAGES], why="Fetching prettier and eslint")
            (half / "packages").write_text("\n".join(PACKAGES))
    except Failure as failure:
        step(f"  not possible, so those checks are skipped: {failure}")
