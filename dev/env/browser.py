"""The browser that Odoo's browser tests drive."""

import shutil

from . import debian, libraries, paths
from .say import Failure, step, timed

#: In Odoo's own order of preference.
NAMES = ["google-chrome", "chromium", "chromium-browser", "google-chrome-stable"]


def _prefix():
    return paths.cache() / "chromium"


def ensure():
    """Have a Chromium on the PATH; return it, or None (said aloud) when this machine cannot have one."""
    ours = paths.bin_folder() / "chromium"
    if ours.exists():
        return ours
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    if not debian.available():
        step("no chromium on the PATH, and no apt to fetch one with: browser tests are skipped")
        return None
    try:
        with timed("fetching chromium for the browser tests (120 MB)"), paths.built(_prefix()) as half:
            debian.unpack(["chromium"], half, with_missing=True)
        program = _prefix() / "usr" / "lib" / "chromium" / "chromium"
        libraries.wrap(program, ours, {"LD_LIBRARY_PATH": ":".join(libraries.folders(_prefix()))})
        return ours
    except Failure as failure:
        step(f"  not possible, so browser tests are skipped: {failure}")
        return None
