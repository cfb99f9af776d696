"""Earlier releases of the addon, from the git history of the checkout."""

import io
import os
import subprocess
import tarfile

from . import paths
from .say import Failure


def addons_folder(commit):
    """Return a folder in which the addon is as it was at a commit, under its technical name."""
    target = paths.workspace() / "releases" / commit
    if not target.exists():
        _unpack(commit, target)
    return target


def _unpack(commit, target):
    command = ["git", "-C", str(paths.CHECKOUT), "archive", "--format=tar", commit]
    target.parent.mkdir(parents=True, exist_ok=True)
    with paths.locked("releases"):
        try:
            archive = subprocess.run(command, capture_output=True, check=True).stdout
        except OSError as error:
            raise Failure(f"The earlier release {commit} is in the git history, and git is not here.") from error
        except subprocess.CalledProcessError as error:
            said = os.fsdecode(error.stderr).strip()
            raise Failure(f"The earlier release {commit} is not in the git history here: {said}") from error
        with paths.built(target) as half, tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(half / paths.MODULE, filter="data")
