"""The addon we are measured against, from PyPI; used by the benchmark only, never by the addon."""

from . import odoo, python

MODULE = "account_credit_control"
VERSION = "19.0.1.0.0.13"


def addons_path(home):
    """Return an addons path with Odoo and the peer, without ours."""
    target = python.unpack_wheels(f"peer-{VERSION}", {"odoo-addon-account-credit-control": VERSION})
    return ",".join([*odoo.addons_paths(home), str(target / "odoo" / "addons")])
