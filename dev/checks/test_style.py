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


def test_a_reason_belongs_to_its_statement():
    told = "# sudo: a setting\nvalue = record.sudo().name\n"
    assert not lint.find_bare_sudo(told)
    assert not lint.find_bare_sudo("value = record.sudo().name  # sudo: a setting\n")
    assert not lint.find_bare_sudo("value = record.sudo(False).name\n")
    bare = told + "other = record.sudo().name\n"
    assert lint.find_bare_sudo(bare) == [(3, "other = record.sudo().name")]
    block = "if record.sudo().name:\n    # sudo: within\n    pass\n"
    assert lint.find_bare_sudo(block) == [(1, "if record.sudo().name:")]
