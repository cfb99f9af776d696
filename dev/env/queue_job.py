"""OCA's queue_job, from PyPI: to try the bridge with; the addon itself needs no more than Odoo."""

import zipfile

from . import odoo, paths, python
from .say import timed

PACKAGES = {"odoo-addon-queue-job": "19.0.2.4.0.1", "openupgradelib": "3.13.7"}
VERSION = PACKAGES["odoo-addon-queue-job"]


def _folder():
    return paths.cache() / f"queue_job-{VERSION}"


def ensure():
    """Have it in the cache; return the folder that belongs on PYTHONPATH."""
    target = _folder()
    if not target.exists():
        with timed(f"fetching queue_job {VERSION}, to try the bridge with"), paths.built(target) as half:
            for package, version in PACKAGES.items():
                python.pip_download(f"{package}=={version}", half)
            for wheel in half.glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(half)
    return target


def addons_path(home):
    """Return an addons path with Odoo, our addon, queue_job and the bridges to it."""
    parts = [*odoo.addons_paths(home), paths.addons_folder(), ensure() / "odoo" / "addons", paths.CHECKOUT / "bridges"]
    return ",".join(map(str, parts))
