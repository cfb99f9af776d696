"""The addon we are measured against, from PyPI; used by the benchmark only, never by the addon."""

import zipfile

from . import odoo, paths, python
from .say import timed

MODULE = "account_credit_control"
PACKAGE = "odoo-addon-account-credit-control"
VERSION = "19.0.1.0.0.13"


def ensure():
    """Have the peer in the cache; return the folder with it."""
    target = paths.cache() / f"peer-{VERSION}"
    if not target.exists():
        with timed(f"fetching {MODULE} {VERSION}, to compare with"), paths.built(target) as half:
            python.pip_download(f"{PACKAGE}=={VERSION}", half, "--only-binary=:all:")
            (wheel,) = half.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(half)
    return target / "odoo" / "addons"


def addons_path(home):
    """Return an addons path with Odoo and the peer, without ours."""
    return ",".join([*odoo.addons_paths(home), str(ensure())])
