"""Odoo's own checks of code (`test_lint`), applied to this addon only.

They are Odoo's test classes, run with the list of addons narrowed to ours; of the checks that walk
through all models, what they say about other addons is left out.
"""

import contextlib
import logging
import pkgutil
import sys
import unittest
from logging.handlers import BufferingHandler
from unittest.mock import patch

import pytest
from env import paths

import odoo.modules.module
from odoo.modules import Manifest
from odoo.modules.registry import Registry
from odoo.tests.common import get_db_name

from odoo.addons.test_lint import tests
from odoo.addons.test_lint.tests import lint_case, test_docstring, test_index, test_pofile, test_pylint

MODULE = paths.MODULE
#: Added to core's own list of references that another index covers.
INDEXED_OTHERWISE = {
    "account.move.dunning_notice_id",  # covered by the first key of _one_booking_per_notice
}
#: test_checkers tests the checkers themselves, test_markers walks all of Odoo (git tells), test_eslint: see test_style.
FILES_LEFT_OUT = {"test_checkers", "test_markers", "test_eslint"}
#: These test the checkers themselves.
LEFT_OUT = {"test_directives_regex", "test_matches_underscore"}
LEFT_OUT |= {"test_regular_expression", "test_regular_expression_long"}
RULES = [
    case
    for file in pkgutil.iter_modules(tests.__path__)
    if file.name.startswith("test_") and file.name not in FILES_LEFT_OUT
    for suite in unittest.defaultTestLoader.loadTestsFromName(f"{tests.__name__}.{file.name}")
    for case in suite
    if case._testMethodName not in LEFT_OUT
]
# pytest would collect the imported classes a second time, unnarrowed: only modules were imported.


def _about_us(case):
    """Tell whether a subtest is about our addon; a plain test always is, its input was narrowed."""
    parameters = getattr(case, "params", None)
    if not parameters:
        return True
    if "module" in parameters:
        return parameters["module"] == MODULE
    method = getattr(Registry(get_db_name())[parameters["model"]], parameters["method"])
    return f".{MODULE}." in method.__module__


@contextlib.contextmanager
def _narrowed(case):
    ours = Manifest.for_addon(MODULE)
    real_run = test_pylint.subprocess.run

    def run_on_ours(command, **kwargs):
        options = [word for word in command if word.startswith("-") or word.endswith("pylint")]
        return real_run([*options, "--ignore=dev", ours.path], **kwargs)

    with (
        patch.object(Manifest, "all_addon_manifests", return_value=[ours]),
        patch.object(test_pofile, "get_modules", return_value=[MODULE]),
        patch.object(test_docstring, "MODULES_TO_LINT", ()),
        patch.object(test_docstring, "MODULES_TO_LINT_ONLY_PUBLIC_METHODS", (MODULE,)),
        patch.object(test_pylint.subprocess, "run", run_on_ours),
        patch.object(
            test_index, "BTREE_INDEX_IGNORE_FIELDS", test_index.BTREE_INDEX_IGNORE_FIELDS | INDEXED_OTHERWISE),
        patch.object(odoo.modules.module, "current_test", case),
    ):
        yield


@pytest.mark.parametrize("case", RULES, ids=lambda case: case._testMethodName.removeprefix("test_"))
def test_rule(case):
    warnings = BufferingHandler(sys.maxsize)  # several of the checks only warn in the log
    warnings.setLevel(logging.WARNING)
    logger = logging.getLogger(lint_case.__name__.rpartition(".")[0])
    logger.addHandler(warnings)
    try:
        with _narrowed(case):
            result = unittest.TestResult()
            unittest.TestSuite([case]).run(result)
    finally:
        logger.removeHandler(warnings)
    complaints = [text for about, text in result.failures + result.errors if _about_us(about)]
    if result.skipped:
        pytest.skip(result.skipped[0][1])
    complaints += [record.getMessage() for record in warnings.buffer]
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)
