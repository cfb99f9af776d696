"""Odoo 19 itself."""

import os
import re
import shutil
from pathlib import Path

from . import debian, paths, python
from .say import Failure, step, timed
from .shell import run

PACKAGE = "odoo-19"
#: The package expects these in the file system next to it; without them asset bundles break.
NEIGHBOURS = ["libjs-jquery", "libjs-jquery-form", "libjs-underscore"]
NEIGHBOURS += ["fonts-montserrat", "fonts-roboto-unhinted", "fonts-ocr-b"]
#: Newer Debians lay Font Awesome's files out differently; Odoo wants the 4.7 of this suite.
FONT_AWESOME_SUITE = "bookworm"
INSIDE = "usr/lib/python3/dist-packages"
SOURCE = "https://github.com/odoo/odoo.git"


def _folder():
    return paths.cache() / "odoo"


def ensure():
    """Have Odoo 19 importable in the venv; return the folder that holds the package `odoo`."""
    home = source() or _fetch()
    if not (home / "odoo" / "release.py").exists():
        raise Failure(f"ODOO_HOME is {home}, but there is no odoo/release.py in it.")
    if not _version(home).startswith("19.0"):
        raise Failure(f"{home} holds Odoo {_version(home)}, and this addon is for Odoo 19.0.")
    python.put_on_path("odoo_source", home)
    return home


def source():
    """Return the folder that holds the package `odoo`, once it is there."""
    given = os.environ.get("ODOO_HOME")
    return Path(given).expanduser().absolute() if given else _fetched()


def _fetched():
    for home in (_folder() / INSIDE, _folder()):
        if (home / "odoo" / "release.py").exists():
            return home
    return None


def _fetch():
    if debian.mirror():
        try:
            with timed("fetching Odoo 19 from Debian (123 MB)"):
                return _from_debian()
        except Failure as failure:
            step(f"  not possible: {failure}")
    with timed("fetching Odoo 19 from its official source repository, branch 19.0 (about 400 MB)"):
        with paths.built(_folder()) as half:
            half.rmdir()
            run(["git", "clone", "--quiet", "--depth=1", "--branch=19.0", SOURCE, half], why="Fetching Odoo 19")
        return _fetched()


def _from_debian():
    with paths.built(_folder()) as half:
        debian.unpack([PACKAGE, *NEIGHBOURS], half, suite="sid")
        debian.unpack(["fonts-font-awesome"], half, suite=FONT_AWESOME_SUITE)
        _put_stub(half / INSIDE)
    return _fetched()


def _put_stub(home):
    """Fill the place of the one file Debian strips (it blurs the background of video calls).

    Its absence is an error in the browser's console, which fails every browser test.
    """
    target = home / "odoo" / "addons" / "mail" / "static" / "lib" / "selfie_segmentation" / "selfie_segmentation.js"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("/* not in this package */\n")


def _version(home):
    text = (home / "odoo" / "release.py").read_text()
    numbers = re.search(r"version_info = \((\d+), (\d+)", text)
    return ".".join(numbers.groups()) if numbers else "?"


def identity(home):
    """Return what tells one Odoo 19 from another: the commit, or the package's build time."""
    if (home / ".git").exists() and shutil.which("git"):
        return run(["git", "-C", home, "rev-parse", "HEAD"], why="Asking for Odoo's commit").strip()
    return f"{_version(home)}-{int((home / 'odoo' / 'release.py').stat().st_mtime)}"


def addons_paths(home):
    """Return the folders with Odoo's own addons, in a checkout as well as in the package."""
    return [str(folder) for folder in (home / "addons", home / "odoo" / "addons") if folder.is_dir()]
