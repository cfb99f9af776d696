"""Every `sudo()` of the addon says why it is safe, in a comment on the statement or right above it."""

import ast

from env import paths

FOLDERS = ("models/", "controllers/", "wizards/", "report/", "bridges/")


def unexplained():
    """Return ``path:line: code`` of each `sudo()` without a reason."""
    return [
        f"{name}:{number}: {line}"
        for name in paths.sources(".py")
        if name.startswith(FOLDERS)
        for number, line in find((paths.CHECKOUT / name).read_text(encoding="utf-8"))
    ]


def find(source):
    """Return ``(number, line)`` of each `sudo()` in Python source that gives no reason."""
    lines, tree = source.split("\n"), ast.parse(source)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sudo"):
            continue
        if node.args and not (isinstance(node.args[0], ast.Constant) and node.args[0].value is True):
            continue  # sudo(False) takes rights away
        number = node.func.end_lineno
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
