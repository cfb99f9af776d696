"""The browser that Odoo's browser tests drive."""

import os
import shutil
import subprocess

from . import debian, paths
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
            debian.Apt().unpack_with_missing(["chromium"], half)
        return _wrap(ours)
    except Failure as failure:
        step(f"  not possible, so browser tests are skipped: {failure}")
        return None


def _wrap(script):
    prefix = _prefix()
    program = prefix / "usr" / "lib" / "chromium" / "chromium"
    libraries = sorted({str(file.parent) for file in prefix.rglob("*.so*")})
    lines = ["#!/bin/sh", f"export LD_LIBRARY_PATH='{':'.join(libraries)}'", f"exec '{program}' \"$@\"", ""]
    half = script.with_suffix(".half")
    half.write_text("\n".join(lines))
    half.chmod(0o755)
    said = subprocess.run(
        [half, "--version"], capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(paths.cache())}
    )
    if said.returncode:
        raise Failure((said.stderr.strip().splitlines() or ["chromium does not start"])[-1])
    half.rename(script)
    return script
