"""Build backend: whool, given the addon under its technical name.

whool names the package after the folder it stands in, and here that folder is a checkout with any
name. So the addon's files are copied to a folder `l10n_nl_dunning` first, which also is the moment
to leave out what is only for development. What the source archive holds is then a plain whool
project, so a wheel can be built from it as well.
"""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from env.paths import MODULE, sources
from whool import buildapi

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
        for name in sources(""):
            first = Path(name).parts[0]
            if first in LEFT_OUT or "__pycache__" in name or (first.startswith(".") and "/" not in name):
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


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    wheel_directory = os.path.abspath(wheel_directory)
    with _staged():
        return buildapi.build_wheel(wheel_directory, config_settings)


def build_sdist(sdist_directory, config_settings=None):
    sdist_directory = os.path.abspath(sdist_directory)
    with _staged():
        return buildapi.build_sdist(sdist_directory, config_settings)
