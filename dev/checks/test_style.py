"""The static checks of `make lint`, one test each."""

import lint
import pytest
from env import reasons


@pytest.mark.parametrize("check", lint.CHECKS.values(), ids=lint.CHECKS)
def test_no_complaints(check):
    try:
        problems = check()
    except lint.Skipped as reason:
        pytest.skip(str(reason))
    if problems:
        pytest.fail(problems, pytrace=False)


def test_a_reason_belongs_to_its_statement():
    told = "# sudo: a setting\nvalue = record.sudo().name\n"
    assert not reasons.find(told)
    assert not reasons.find("value = record.sudo().name  # sudo: a setting\n")
    assert not reasons.find("value = record.sudo(False).name\n")
    bare = told + "other = record.sudo().name\n"
    assert reasons.find(bare) == [(3, "other = record.sudo().name")]
    assert reasons.find("if record.sudo().name:\n    # sudo: within\n    pass\n") == [(1, "if record.sudo().name:")]
