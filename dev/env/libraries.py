"""Shared libraries and fonts this machine does not have, unpacked into the cache instead of onto the machine."""

import ctypes
import os
import subprocess

from . import debian, paths, python
from .say import Failure, step, timed

#: What wkhtmltopdf draws with.
PACKAGES = ["libxrender1", "libfontconfig1", "libxext6", "fontconfig-config"]
#: What draws QR codes when the Python is too new for reportlab's own renderer.
CAIRO = "libcairo2"
#: Metric-compatible with Arial, Helvetica and Times: letters break lines as they will in production.
FONTS = ["fonts-liberation"]


def prefix():
    return paths.cache() / "libraries"


def folders(within=None):
    """Return the folders for LD_LIBRARY_PATH; none where nothing was unpacked."""
    return sorted({str(file.parent) for file in (within or prefix()).rglob("*.so*")})


def ensure():
    """Have them where there is an apt to fetch them with; elsewhere the machine's own must do."""
    if prefix().exists():
        return
    needs_cairo = python.version() >= (3, 13)
    if debian.available():
        with timed("fetching fonts and libraries for letters"), paths.built(prefix()) as half:
            debian.unpack([*PACKAGES, CAIRO] if needs_cairo else PACKAGES, half, with_missing=True)
            # Unlike a library, a font may be there in another version than the letters were designed with.
            debian.unpack(FONTS, half)
    elif needs_cairo:
        try:
            ctypes.CDLL("libcairo.so.2")
        except OSError:
            step("libcairo.so.2 is not on this machine, so QR codes on letters cannot be drawn")


def wrap(program, script, environ):
    """Have a start script for a program, which alone sees these variables; it must start with them."""
    lines = [f"export {name}='{value}'" for name, value in environ.items() if value]
    text = "\n".join(["#!/bin/sh", *lines, f"exec '{program}' \"$@\"", ""])
    if script.exists() and not script.is_symlink() and script.read_text() == text:
        return
    half = script.with_suffix(".half")
    half.write_text(text)
    half.chmod(0o755)
    home = {**os.environ, "HOME": str(paths.cache())}
    said = subprocess.run([half, "--version"], capture_output=True, text=True, check=False, env=home)
    if said.returncode:
        reason = (said.stderr or said.stdout).strip().splitlines()[-1:] or ["it says nothing"]
        raise Failure(f"{program.name} does not start here: {reason[0]}")
    half.rename(script)
