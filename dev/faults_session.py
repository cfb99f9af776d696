"""The part of the fault tests that happens inside Odoo: processes that are stopped halfway."""

import sys

from env.session import odoo_environment


def main(database):
    with odoo_environment(database):
        # Odoo's own addons path knows the addon by its technical name only from here on.
        from odoo.addons.l10n_nl_dunning.tests import (
            faults_engine,
            soak_engine,  # noqa: F401, PLC0415 (brings jobs of its own)
        )
    faults_engine.serve(database)


if __name__ == "__main__":
    main(*sys.argv[1:])
