"""The static checks of `make lint`, one test each."""

import lint
import pytest


@pytest.mark.parametrize("check", lint.CHECKS.values(), ids=lint.CHECKS)
def test_no_complaints(check):
    try:
        problems = check()
    except lint.Skipped as reason:
        pytest.skip(str(reason))
    if problems:
        pytest.fail(problems, pytrace=False)
