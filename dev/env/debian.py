"""Debian packages without root: fetched with apt's own verification, unpacked into the cache.

apt gets a configuration of its own (sources, lists, cache), so the machine's package state is only
read. That is also why it works as an ordinary user, and leaves nothing behind when the cache goes.
"""

import os
import shutil
from pathlib import Path

from . import paths
from .say import Failure
from .shell import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def available():
    """Tell whether this machine's own package manager can be asked for Debian packages."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def mirror():
    """Return the Debian mirror the machine itself uses, or None when it is not a Debian."""
    if not available() or not KEYRING.exists():
        return None
    # Images ship without package lists; which addresses apt would fetch from, it knows nevertheless.
    words = ["indextargets", "--no-release-info", "--format", "$(REPO_URI)", "Created-By: Packages"]
    addresses = run(["apt-get", *words], why="Asking apt for the Debian mirror").split()
    return next((address for address in addresses if address.rstrip("/").endswith("/debian")), None)


def unpack(packages, target, *, suite=None, with_missing=False):
    """Fetch packages, from a suite or from the machine's own sources, and unpack them below `target`.

    :param with_missing: with every dependency this machine does not have yet
    """
    home = paths.cache() / "apt" / (suite or "own")
    archives = home / "cache" / "archives"
    for folder in (home / "lists", archives):
        (folder / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        f"Dir::State::lists={home}/lists",
        f"Dir::Cache={home}/cache",
        "Dir::Etc::preferences=/dev/null",
        "Dir::Etc::preferencesparts=/dev/null",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
        # Nothing is installed, so the lock of the system's package database is not ours to take,
        "Debug::NoLocking=1",
        # and the folder is ours, where apt's own unprivileged user may not look.
        f"APT::Sandbox::User={'root' if os.geteuid() == 0 else ''}",
    ]
    if suite:
        address = mirror()
        if not address:
            raise Failure("This machine has no Debian mirror to fetch packages from.")
        (home / "sources.list").write_text(f"deb [signed-by={KEYRING}] {address} {suite} main\n")
        options += [f"Dir::Etc::sourcelist={home}/sources.list", "Dir::Etc::sourceparts=/dev/null"]
    apt = ["apt-get", *(part for option in options for part in ("-o", option))]
    run([*apt, "update"], why="Fetching the package lists")
    words = ["install", "--download-only", "--no-install-recommends", "-y"] if with_missing else ["download"]
    run([*apt, *words, *packages], why=f"Fetching {', '.join(packages)}", cwd=archives)
    for archive in sorted(archives.glob("*.deb")):
        run(["dpkg-deb", "-x", archive, target], why=f"Unpacking {archive.name}")
        archive.unlink()
