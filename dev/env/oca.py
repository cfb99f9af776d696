"""OCA's addons, from PyPI: to try the bridges with; the addon itself needs no more than Odoo."""

from . import odoo, paths, python

#: What each bridge, or what belongs together, is tried with.
PACKAGES = {
    "queue_job": {"odoo-addon-queue-job": "19.0.2.4.0.1", "openupgradelib": "3.13.7"},
    "direct_debit": {
        "odoo-addon-account-payment-mode": "19.0.1.1.0.3",
        "odoo-addon-account-payment-order": "19.0.1.0.8",
        "odoo-addon-account-banking-mandate": "19.0.1.0.1.1",
        "odoo-addon-account-banking-pain-base": "19.0.1.1.1.4",
        "odoo-addon-account-banking-sepa-direct-debit": "19.0.1.1.1.6",
        "odoo-addon-account-payment-return": "19.0.1.0.0.4",
        "odoo-addon-account-payment-return-import": "19.0.1.0.0.3",
        "odoo-addon-account-payment-return-import-iso20022": "19.0.1.0.1",
        "Unidecode": "1.3.8",
    },
    "payment_mandate": {
        "odoo-addon-account-payment-batch-oca": "19.0.2.0.0.2",
        "odoo-addon-account-payment-method-base": "19.0.1.0.0.4",
        "odoo-addon-account-payment-base-oca": "19.0.1.1.0",
        "odoo-addon-account-payment-mandate": "19.0.1.0.0.7",
        "odoo-addon-account-payment-sepa-base": "19.0.2.0.0",
        "odoo-addon-account-payment-sepa-direct-debit": "19.0.1.0.0.3",
        "odoo-addon-account-payment-return": "19.0.1.0.0.4",
        "Unidecode": "1.3.8",
    },
}


def ensure(name):
    """Have it in the cache; return the folder that belongs on PYTHONPATH."""
    return python.unpack_wheels(f"{name}-{next(iter(PACKAGES[name].values()))}", PACKAGES[name])


def addons_path(home, name):
    """Return an addons path with Odoo, our addon, what the bridge is for and the bridges."""
    parts = [*odoo.addons_paths(home), *paths.addons_folders(), ensure(name) / "odoo" / "addons"]
    return ",".join(map(str, parts))
