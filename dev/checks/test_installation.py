"""The log of the installation with which `make test` begins."""

import os
from pathlib import Path

import pytest
from env import database


def test_installs_without_a_warning():
    log = os.environ.get("DUNNING_INSTALL_LOG")
    if not log:
        pytest.skip("this database was not installed by `make test`")
    complaints = database.complaints(Path(log))
    if complaints:
        pytest.fail("Odoo complained while it installed the addon:\n" + "\n".join(complaints), pytrace=False)
