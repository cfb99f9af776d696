#!/usr/bin/env python3
"""Run the tests of `tools/` without Odoo: the law, the claim and the wording are plain Python.

They need no more than the packages holidays, hypothesis and lxml. Arguments go to unittest (-v, -k costs, -f).
"""

import importlib.util
import sys
import types
import unittest
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
ADDON = "l10n_nl_dunning"


def _package(name, folder):
    """Make a folder importable without its `__init__.py`, which imports Odoo."""
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return package


def main():
    missing = [name for name in ("holidays", "hypothesis", "lxml") if not importlib.util.find_spec(name)]
    if missing:
        sys.exit(f"✗ {', '.join(missing)} not found; install with: {sys.executable} -m pip install {' '.join(missing)}")
    sys.modules["odoo"] = None  # not even where it is installed
    _package(ADDON, CHECKOUT).tests = _package(f"{ADDON}.tests", CHECKOUT / "tests")
    names = [f"{ADDON}.tests.tools.{file.stem}" for file in sorted((CHECKOUT / "tests" / "tools").glob("test_*.py"))]
    unittest.main(module=None, argv=[sys.argv[0], *sys.argv[1:], *names])


if __name__ == "__main__":
    main()
