"""OCA's queue_job, from PyPI: to try the bridge with; the addon itself needs no more than Odoo."""

from . import odoo, paths, python

PACKAGES = {"odoo-addon-queue-job": "19.0.2.4.0.1", "openupgradelib": "3.13.7"}


def ensure():
    """Have it in the cache; return the folder that belongs on PYTHONPATH."""
    return python.unpack_wheels(f"queue_job-{PACKAGES['odoo-addon-queue-job']}", PACKAGES)


def addons_path(home):
    """Return an addons path with Odoo, our addon, queue_job and the bridges to it."""
    parts = [*odoo.addons_paths(home), *paths.addons_folders(), ensure() / "odoo" / "addons"]
    return ",".join(map(str, parts))
