"""The tests themselves: none is lost on the way from its file to Odoo's loader and to pytest, and some need no Odoo."""

import ast
import subprocess
import sys
import unittest
from collections import Counter

import pytest_plugin
from env import paths

from odoo.tests import loader
from odoo.tests.tag_selector import TagsSelector

TESTS = paths.CHECKOUT / "tests"
FILES = sorted(TESTS.rglob("test_*.py"))


def _classes(file):
    """Return ``{name of a class: names of its tests}`` of a file, as it is written.

    A class with ``allow_inherited_tests_method`` has those of the plain classes of its file that it inherits too.
    """
    nodes = {node.name: node for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.ClassDef)}

    def own(node):
        return {part.name for part in node.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test")}

    def bases(node):
        return [nodes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in nodes]

    def inherits(node):
        return any(
            isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "allow_inherited_tests_method"
            for part in node.body)

    shared = {base.name for node in nodes.values() if inherits(node) for base in bases(node)}
    return {
        name: own(node).union(*(own(base) for base in bases(node) if inherits(node)))
        for name, node in nodes.items()
        if name not in shared
    }


def _written():
    return {
        (file.stem, name, test) for file in FILES for name, tests in _classes(file).items() for test in tests
    }


def test_each_file_has_a_name_of_its_own():
    """Odoo's loader knows a file by the last part of its name: of two equal ones it runs one."""
    assert not [name for name, count in Counter(file.name for file in FILES).items() if count > 1]


def test_odoo_finds_each_test():
    """Each is found after the installation and without a tag of its own; Odoo does not run inherited ones."""
    wanted = [TagsSelector("post_install"), TagsSelector("standard")]
    found = [
        (module.__name__.rpartition(".")[2], type(case).__name__, case._testMethodName)
        for module in loader.get_test_modules(paths.MODULE)
        for case in loader.get_module_test_cases(module)
        if all(selector.check(case) for selector in wanted)
    ]
    assert not [test for test, count in Counter(found).items() if count > 1]
    assert set(found) == _written()


def test_pytest_finds_each_test_once():
    """Pytest also runs what a module imports and what a class inherits: that would be a second time."""
    found = [
        (module.__name__.rpartition(".")[2], value.__name__, test)
        for module in loader.get_test_modules(paths.MODULE)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, unittest.TestCase)
        for test in unittest.defaultTestLoader.getTestCaseNames(value)
    ]
    assert not [test for test, count in Counter(found).items() if count > 1]
    assert set(found) == _written()


def test_the_longest_tests_exist():
    """The table by which a run is spread over the processors names files and classes that exist."""
    for name in pytest_plugin.SECONDS:
        file, _separator, case = name.partition("::")
        assert (paths.CHECKOUT / file).is_file(), name
        assert not case or _classes(paths.CHECKOUT / file).get(case), name


def test_tools_without_odoo():
    """The tests of `tools/` run where Odoo cannot be imported, and no other folder's settings are needed."""
    done = subprocess.run(
        [sys.executable, paths.CHECKOUT / "dev" / "pure.py"], env={}, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    count = sum(len(tests) for file in FILES if file.parent.name == "tools" for tests in _classes(file).values())
    assert f"Ran {count} tests" in done.stderr
