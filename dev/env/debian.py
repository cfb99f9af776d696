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


class Apt:
    """apt with its own lists and cache, for one suite or (None) for the machine's own sources."""

    def __init__(self, suite=None):
        self.suite = suite
        self.home = paths.cache() / "apt" / (suite or "own")
        self.options = [
            f"Dir::State::lists={self.home}/lists",
            f"Dir::Cache={self.home}/cache",
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
            self.options += [f"Dir::Etc::sourcelist={self.home}/sources.list", "Dir::Etc::sourceparts=/dev/null"]
        self._updated = False

    def _command(self, program, *words):
        options = [part for option in self.options for part in ("-o", option)]
        return [program, *options, *words]

    def update(self):
        if self._updated:
            return
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        if self.suite:
            address = mirror()
            if not address:
                raise Failure("This machine has no Debian mirror to fetch packages from.")
            (self.home / "sources.list").write_text(f"deb [signed-by={KEYRING}] {address} {self.suite} main\n")
        run(self._command("apt-get", "update"), why="Fetching the package lists")
        self._updated = True

    def unpack(self, packages, target):
        """Unpack exactly these packages below `target`."""
        self.update()
        folder = self.home / "cache" / "archives"
        run(self._command("apt-get", "download", *packages), why=f"Fetching {', '.join(packages)}", cwd=folder)
        self._unpack_archives(target)

    def unpack_with_missing(self, packages, target):
        """Unpack these packages and every dependency this machine does not have yet."""
        self.update()
        words = ["install", "--download-only", "--no-install-recommends", "-y", *packages]
        run(self._command("apt-get", *words), why=f"Fetching {', '.join(packages)}")
        self._unpack_archives(target)

    def _unpack_archives(self, target):
        for archive in sorted((self.home / "cache" / "archives").glob("*.deb")):
            run(["dpkg-deb", "-x", archive, target], why=f"Unpacking {archive.name}")
            archive.unlink()
