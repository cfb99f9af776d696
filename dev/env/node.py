"""What comes from npm, for machines that have Node.js: prettier and eslint for the static checks, and axe-core, which
judges in the browser tests whether everybody can use the debtor's page (WCAG). Without it those are left out."""

import shutil

from . import paths
from .say import Failure, step, timed
from .shell import run

#: ``{folder in the cache: packages}``; eslint 8 is the last one that reads the rules Odoo 19 ships.
PACKAGES = {"node": ["prettier@3.6.2", "@prettier/plugin-xml@3.4.2", "eslint@8.57.1"], "axe": ["axe-core@4.10.3"]}


def _find(folder, *parts):
    found = (paths.cache() / folder / "node_modules").joinpath(*parts)
    return found if found.exists() else None


def executable(name):
    """Return a tool's program, or None when it is not there."""
    return _find("node", ".bin", name)


def xml_plugin():
    return _find("node", "@prettier", "plugin-xml", "src", "plugin.js")


def axe_script():
    """Return the file to run inside a page, or None when it is not there."""
    return _find("axe", "axe-core", "axe.min.js")


def ensure(name):
    """Have the packages of a folder of the cache, or tell why what needs them is skipped."""
    folder, packages = paths.cache() / name, PACKAGES[name]
    title = " and ".join(package.partition("@")[0] for package in packages if package[0] != "@")
    done = folder / "packages"
    if done.exists() and done.read_text() == "\n".join(packages):
        return
    if not (shutil.which("npm") and shutil.which("node")):
        step(f"no Node.js here: the checks of {title} are skipped")
        return
    try:
        with timed(f"fetching {title}"), paths.built(folder) as half:
            words = ["--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", half]
            run(["npm", "install", *words, *packages], why=f"Fetching {title}")
            (half / "packages").write_text("\n".join(packages))
    except Failure as failure:
        step(f"  not possible, so the checks of {title} are skipped: {failure}")
