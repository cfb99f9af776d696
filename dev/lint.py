#!/usr/bin/env python3
"""Static checks: ruff, pylint with the rules for Odoo, prettier and eslint. `make test` runs them too.

`--fix` repairs what the tools can repair by themselves.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

from env import bootstrap, node, odoo, paths, python, runtime, say


class Skipped(Exception):
    """A check that cannot run on this machine, with the reason."""


def _outcome(command, **environ):
    """Run a tool in the checkout; return what it complains about, or an empty string."""
    environ = {**runtime.environment(), "NO_COLOR": "1", **environ}
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=paths.CHECKOUT, env=environ, text=True, capture_output=True, check=False)
    return (done.stdout + done.stderr).strip() or "it failed without a word" if done.returncode else ""


def ruff(fix=False):
    options = ["--quiet", "--output-format=concise", *(["--fix"] if fix else [])]
    return _outcome([python.executable("ruff"), "check", *options, "."])


def pylint(fix=False):
    # Under its technical name, which the rules about manifests and imports look at.
    addon = paths.addons_folder() / paths.MODULE
    # In a test run the other processors are busy, and Odoo's own rules (dev/checks/test_core_rules.py) look for some
    # of it as well; looking for code that is never reached takes a third of the time.
    in_tests = "PYTEST_XDIST_WORKER" in os.environ
    how = ["--jobs=1", "--disable=unreachable"] if in_tests else ["--jobs=0"]
    bridges = sorted((paths.CHECKOUT / "bridges").glob("l10n_*"))
    return _outcome([python.executable("pylint"), f"--rcfile={paths.CHECKOUT / '.pylintrc'}", *how, addon, *bridges])


def prettier(fix=False):
    program = node.executable("prettier")
    if not program:
        raise Skipped("prettier needs Node.js, which is not on this machine")
    files = paths.sources(".xml", ".js", ".scss", ".css")
    mode = "--write" if fix else "--check"
    return _outcome([program, mode, "--log-level=warn", f"--plugin={node.xml_plugin()}", *files])


def eslint(fix=False):
    program = node.executable("eslint")
    if not program:
        raise Skipped("eslint needs Node.js, which is not on this machine")
    names = (Path(folder, "test_lint", "tests", "eslintrc") for folder in odoo.addons_paths(odoo.source()))
    rules = next(name for name in names if name.exists())
    files = [file for file in paths.sources(".js") if "/static/" in f"/{file}" and "/lib/" not in file]
    return _outcome([program, "--no-ignore", "--no-eslintrc", "-c", rules, *(["--fix"] if fix else []), *files])


def sudo(fix=False):
    """Every `sudo()` of the addon says why it is safe, in a comment on the statement or right above it."""
    bare = [
        f"{name}:{number}: {line}"
        for name in paths.sources(".py")
        if name.startswith(("models/", "controllers/", "wizards/", "report/", "bridges/")) and "/tests/" not in name
        for number, line in find_bare_sudo((paths.CHECKOUT / name).read_text(encoding="utf-8"))
    ]
    return "\n".join(["say why it is safe (# sudo: …):", *bare]) if bare else ""


def find_bare_sudo(source):
    """Return ``(number, line)`` of each `sudo()` in Python source that gives no reason."""
    lines, tree = source.split("\n"), ast.parse(source)
    statements = [part for part in ast.walk(tree) if isinstance(part, ast.stmt)]
    found = []
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "sudo"):
            continue
        if call.args and not (isinstance(call.args[0], ast.Constant) and call.args[0].value is True):
            continue  # sudo(False) takes rights away
        number = call.func.end_lineno
        around = (stmt for stmt in statements if stmt.lineno <= number <= stmt.end_lineno)
        statement = min(around, key=lambda stmt: stmt.end_lineno - stmt.lineno)
        first, last = statement.lineno, statement.end_lineno
        if getattr(statement, "body", None):  # what is inside a block has reasons of its own
            last = number
        while first > 1 and lines[first - 2].strip().startswith("#"):
            first -= 1
        if not any("# sudo:" in line for line in lines[first - 1 : last]):
            found.append((number, lines[number - 1].strip()))
    return found


CHECKS = {"ruff": ruff, "pylint": pylint, "prettier": prettier, "eslint": eslint, "sudo": sudo}


def main():
    fix = "--fix" in sys.argv[1:]
    failed = False
    with say.failures_as_sentences():
        bootstrap.ensure_tools()
        for name, check in CHECKS.items():
            try:
                problems = check(fix=fix)
            except Skipped as reason:
                print(f"- {name}: skipped, {reason}")
                continue
            failed = failed or bool(problems)
            print(f"✗ {name}:\n{problems}" if problems else f"✓ {name}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
