"""Build backend: whool, given the addon under its technical name.

whool names the package after the folder it stands in, and here that folder is a checkout with any
name. So the addon's files are copied to a folder `l10n_nl_dunning` first, which also is the moment
to leave out what is only for development. What the source archive holds is then a plain whool
project, so a wheel can be built from it as well.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from whool import buildapi

MODULE = "l10n_nl_dunning"
LEFT_OUT = (".ci", ".git", ".github", "bridges", "build", "dev", "dist", "out")  # bridges are packages of their own
PYPROJECT = """\
[build-system]
requires = ["whool>=1.3,<2"]
build-backend = "whool.buildapi"

[tool.whool]
post_version_strategy_override = "none"
"""


@contextmanager
def _staged():
    """Stand in a folder with the technical name that holds the addon and nothing else."""
    source = Path.cwd()
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / MODULE
        for name in _files(source):
            first = Path(name).parts[0]
            if first in LEFT_OUT or (first.startswith(".") and "/" not in name):
                continue
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)
        for name in ("Makefile", "pyproject.toml"):
            (target / name).unlink(missing_ok=True)
        (target / "pyproject.toml").write_text(PYPROJECT)
        os.chdir(target)
        try:
            yield
        finally:
            os.chdir(source)


def _files(source):
    """Return the names of the project's files; without git (a source archive) all there are."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=source, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = [str(file.relative_to(source)) for file in source.rglob("*")]
    return [name for name in listed if name and (source / name).is_file() and "__pycache__" not in name]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    wheel_directory = os.path.abspath(wheel_directory)
    with _staged():
        return buildapi.build_wheel(wheel_directory, config_settings)


def build_sdist(sdist_directory, config_settings=None):
    sdist_directory = os.path.abspath(sdist_directory)
    with _staged():
        return buildapi.build_sdist(sdist_directory, config_settings)
