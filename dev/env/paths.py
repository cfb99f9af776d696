"""Where things are. Only this module knows the layout of the cache folder."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from .say import Failure, step

MODULE = "l10n_nl_dunning"
CHECKOUT = Path(__file__).resolve().parents[2]
#: Odoo, its Python packages, the database and the browser together, with room to work.
NEEDED_BYTES = 4 * 1024**3


def cache():
    """Return the folder that holds everything which is fetched or built."""
    given = os.environ.get("DUNNING_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / MODULE


def checkout_key():
    """Two checkouts share the downloads, but never an addons folder or a database name."""
    return hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]


def workspace():
    """Return the folder of this checkout: its addons folder, its configuration."""
    return cache() / "checkouts" / checkout_key()


def addons_folder():
    """Return a folder in which this checkout carries its technical name, whatever its own name is."""
    folder = workspace() / "addons"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / MODULE
    if not link.is_symlink() or link.resolve() != CHECKOUT:
        link.unlink(missing_ok=True)
        link.symlink_to(CHECKOUT, target_is_directory=True)
    return folder


def addons_folders():
    """Return the folders on the addons path in which our addons are: the app, and the bridges to other apps."""
    return [addons_folder(), CHECKOUT / "bridges"]


def sources(*suffixes):
    """Return the project's own files with these suffixes, relative to the checkout."""
    try:
        listed = subprocess.run(
            ["git", "-C", CHECKOUT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        # A copy without git has no build products either.
        listed = [str(file.relative_to(CHECKOUT)) for file in CHECKOUT.rglob("*")]
    return sorted(name for name in listed if name.endswith(suffixes) and (CHECKOUT / name).is_file())


def sources_hash():
    """Return a hash of everything that ends up in a database when the addon is installed."""
    digest = hashlib.sha256()
    for name in sources(".py", ".xml", ".csv", ".po", ".js", ".scss", ".css", ".svg", ".png"):
        if not name.startswith(("dev/", "docs/", "tests/", "static/tests/")):
            digest.update(name.encode() + b"\0" + (CHECKOUT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def bin_folder():
    """Return the folder that comes first on the PATH of everything we run."""
    folder = cache() / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepare():
    """Create the cache folder, or say why that cannot be."""
    folder = cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            f"The cache folder {folder} cannot be made ({error.strerror}); set DUNNING_CACHE to a folder you may write."
        ) from error
    if not os.access(folder, os.W_OK):
        raise Failure(f"The cache folder {folder} is not yours to write; set DUNNING_CACHE to another one.")
    ready = (folder / "venv").exists()
    free = shutil.disk_usage(folder).free
    if not ready and free < NEEDED_BYTES:
        raise Failure(
            f"Only {free / 1024**3:.1f} GB is free at {folder} and about {NEEDED_BYTES // 1024**3} GB is needed; "
            "make room or set DUNNING_CACHE to a larger disk."
        )


@contextmanager
def locked(name="bootstrap", busy=""):
    """Let only one process at a time build in the cache; the others wait and find it done.

    :param busy: what the others are told who do not wait
    """
    prepare()
    with open(cache() / f"{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if busy:
                raise Failure(busy) from error
            step("another process is preparing the environment; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def built(target):
    """Yield a fresh folder that becomes `target` only when the block succeeds.

    A download or unpacking that is interrupted therefore never looks finished.
    """
    target = Path(target)
    half = target.with_name(f"{target.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    yield half
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)
