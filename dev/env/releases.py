"""Earlier releases of the addon, from the git history of the checkout."""

import tarfile

from . import paths
from .shell import run


def addons_folder(commit):
    """Return a folder in which the addon is as it was at a commit, under its technical name."""
    target = paths.workspace() / "releases" / commit
    with paths.locked("releases"):
        if not target.exists():
            with paths.built(target) as half:
                archive = half / "release.tar"
                command = ["git", "-C", paths.CHECKOUT, "archive", "--output", archive, commit]
                run(command, why=f"Reading the release {commit} from the git history")
                with tarfile.open(archive) as files:
                    files.extractall(half / paths.MODULE, filter="data")
                archive.unlink()
    return target
