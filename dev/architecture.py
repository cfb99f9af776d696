#!/usr/bin/env python3
"""The plan of the house, read from the source: which package knows which, and what is written twice.

Imports do not show how an Odoo addon hangs together: a method is called by its name, a model by a string, a table in
SQL. So the source is parsed (by `ast`; neither Odoo nor a database is needed) and composed models are judged: a class
together with the abstract parts of its package in its `_inherit` list. dev/checks/test_architecture.py holds the rules.

It prints what is wrong, one line each; with what is wrong it ends with exit code 1.
"""

import ast
import builtins
import datetime
import decimal
import re
import sys
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

from architecture_lists import COMMON_NAMES, CORE_METHODS, HOOKS

CHECKOUT = Path(__file__).resolve().parents[1]
ADDON = ["odoo", "addons", "l10n_nl_dunning"]

#: A package may know only those before it. In front of all stands the plain Python of tools/.
PACKAGES = (
    "kernel", "debtor", "law", "ladder", "notice", "hold", "claim", "planner", "letter", "sending", "agreement",
    "collecting", "portal", "insight", "handover", "privacy",
)  # fmt: skip
RANK = {package: rank for rank, package in enumerate(("tools", *PACKAGES))}
#: The tables of core that only one package names in SQL.
CORE_TABLES = {"account_move_line": "debtor"}
MAX_LINES = 500
MIN_PART_LINES = 150
MIN_PART_USERS = 3

RULES = {
    "R1": "nothing lies flat in models/ and wizards/",
    "R2": "a package knows only the packages before it",
    "R3": "a package opens a model once, in a file named after the model",
    "R4": "a method of ours is written once, or is a hook",
    "R5": "a table is named in SQL only by the package that owns it",
    "R6": "models name wizards only in an action",
    "R7": f"no file has more than {MAX_LINES} lines",
    "R8": f"an abstract part has {MIN_PART_LINES} lines or {MIN_PART_USERS} users, and no create, write or unlink",
    "R9": "the other folders follow the packages",
}

#: Calls that name fields or tables in a text.
FIELD_CALLS = {"depends", "constrains", "onchange", "mapped", "filtered", "sorted", "grouped", "Domain"}
VALUE_CALLS = {"create", "write", "new", "copy"}
TABLE_CALLS = {"identifier", "create_index", "create_column", "column_exists", "table_exists", "drop_index"}
SQL_WORDS = re.compile(r"\b(SELECT|FROM|JOIN|INTO|UPDATE|DELETE|USING|WHERE|EXISTS|WITH)\b|\b\w+_\w+\.\w")
#: What the values of Python have.
PYTHON_NAMES = {
    name
    for kind in (*vars(builtins).values(), datetime.datetime, datetime.timedelta, decimal.Decimal, re.Match, Path)
    if isinstance(kind, type)
    for name in dir(kind)
}


class File:
    """A Python file; ``package`` is "tools", a package of models/ and wizards/, or None."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.folder, *inner = self.path.split("/")
        self.package = next((name for name in (self.folder, *inner[:-1][:1]) if name in RANK), None)
        text = path.read_text()
        self.lines = text.count("\n")
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        self.models = [model for node in classes if (model := Model(self, node)).name]
        self.plain_classes = [node for node in classes if not Model(self, node).name]

    @cached_property
    def imports(self):
        """Return ``(path, name)`` of what is imported; a path within the addon begins with its folder."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name.split("."), "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                path = self.path.split("/")[: -node.level] if node.level else []
                path += node.module.split(".") if node.module else []
                found += [(path[3:] if path[:3] == ADDON else path, alias.name) for alias in node.names]
        return found

    @cached_property
    def members(self):
        """Return the names of plain classes that are one public word: elsewhere such a word tells nothing."""
        found = {name for node in self.plain_classes for part in node.body for name in _defined_by(part)}
        found |= {
            part.attr
            for node in self.plain_classes
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
        }
        return {name for name in found if "_" not in name}

    @cached_property
    def definitions(self):
        """Return the names that others may know: methods, fields, functions, constants, classes."""
        found = {name for node in self.tree.body for name in _defined_by(node)}
        found |= {name for node in self.plain_classes for part in node.body for name in _defined_by(part)}
        found |= {name for model in self.models for name in model.members}
        return {name for name in found - self.members - COMMON_NAMES - PYTHON_NAMES if not name.startswith("__")}

    @cached_property
    def uses(self):
        """Return the names by which something is reached: attributes, and fields named in a text."""
        found = {node.attr for node in self.nodes if isinstance(node, ast.Attribute)}
        for node in self.nodes:
            if isinstance(node, ast.Call):
                texts = _texts(node.args) if _name_of(node.func) in FIELD_CALLS else []
                texts += _texts(key.value for key in node.keywords if key.arg == "related")
                found.update(name for text in texts for name in re.findall(r"\w+", text))
                if _name_of(node.func) in VALUE_CALLS:
                    values = [part for part in ast.walk(node) if isinstance(part, ast.Dict)]
                    found.update(name for part in values for name in _texts(part.keys))
            elif isinstance(node, ast.Tuple) and len(node.elts) == 3:
                field, operator, *_value = [*_texts(node.elts), "", ""]
                if re.fullmatch(r"[!=<>]+|(not )?(in|like|ilike|any)|=i?like|(child|parent)_of", operator):
                    found.update(field.split("."))
        return found

    @cached_property
    def texts(self):
        """Return ``(text, function around it)`` of values: no docstring, and not the comodel of a field."""
        return list(_walk_texts(self.tree))

    @cached_property
    def sql(self):
        """Return the texts of SQL, and the tables given to functions that deal with tables."""
        calls = [node for node in self.nodes if isinstance(node, ast.Call) and _name_of(node.func) in TABLE_CALLS]
        return [text for node in calls for text in _texts(node.args)] + [
            text for text, _function in self.texts if SQL_WORDS.search(text)
        ]


class Model:
    """A class that defines or extends a model; its name is None when it is a plain class."""

    def __init__(self, file, node):
        settings = {
            name: ast.literal_eval(part.value)
            for part in node.body
            for name in _defined_by(part)
            if name in ("_name", "_inherit", "_table")
        }
        inherits = settings.get("_inherit") or []
        self.inherits = [inherits] if isinstance(inherits, str) else list(inherits)
        self.name = settings.get("_name") or (self.inherits[0] if self.inherits else None)
        self.table = settings.get("_table") or (self.name or "").replace(".", "_")
        self.file = file
        self.package = file.package
        self.lines = node.end_lineno - node.lineno + 1
        self.is_new = self.name not in self.inherits
        self.is_abstract = any(_name_of(base) == "AbstractModel" for base in node.bases)
        self.methods = Counter(part.name for part in node.body if isinstance(part, ast.FunctionDef))
        attributes = {
            name for part in node.body if not isinstance(part, ast.FunctionDef) for name in _defined_by(part)
        }  # `_order`, `_one_per_day` and the like are settings
        self.members = self.methods.keys() | {name for name in attributes if not name.startswith("_")}


class Addon:
    """The source of an addon, and what is wrong with it."""

    def __init__(self, root, hooks=HOOKS):
        self.root = root
        self.hooks = hooks
        folders = ("models", "wizards", "controllers", "report", "tools")
        self.files = [File(root, path) for folder in folders for path in sorted((root / folder).rglob("*.py"))]
        self.packaged = [file for file in self.files if file.package not in (None, "tools")]
        self.models = [model for file in self.packaged for model in file.models]
        self.owners = {model.name: model for model in self.models if model.is_new}

    def wrong(self):
        """Return the lines ``rule: where: what`` of all that is wrong."""
        return sorted({f"{rule}: {where}: {what}" for rule in RULES for where, what in getattr(self, rule.lower())()})

    # --- the rules: each yields (where, what) ---

    def r1(self):
        for file in self.files:
            if re.fullmatch(r"(models|wizards)/(?!__init__)\w+\.py", file.path):
                yield file.path, "lies flat"

    def r2(self):
        homes, members = defaultdict(set), defaultdict(set)
        for file in self.files:
            members[file.package] |= file.members
            for name in file.definitions if file.package else ():
                homes[name].add(file.package)
        for file in self.packaged:
            known = [(path[1], name) for path, name in file.imports if path[0] in ("models", "wizards") and path[1:]]
            for name in (file.uses & homes.keys()) - members[file.package] - members["tools"]:
                if file.package not in homes[name]:
                    # Defined in several packages: the first is meant, the others extend it.
                    known.append((min(homes[name], key=RANK.get), name))
            known += [(self.owners[text].package, text) for text, _in in file.texts if text in self.owners]
            for package, what in known:
                if RANK.get(package, 0) > RANK[file.package]:
                    yield file.path, f"{what} of {package}"
        for file in self.files:
            for path, name in file.imports:
                if file.folder == "models" and path[:1] == ["wizards"]:
                    yield file.path, f"{name} of wizards"
                if file.folder == "tools" and path[0] in ("odoo", "models", "wizards", "controllers", "report"):
                    yield file.path, f"{name or path[0]} of {path[0]}"

    def r3(self):
        for (file, name), count in Counter((model.file, model.name) for model in self.models).items():
            if file.path.rpartition("/")[2] != f"{name.replace('.', '_')}.py":
                yield file.path, f"{name} does not belong in a file of this name"
            elif count > 1:
                yield file.path, f"{name} is opened {count} times"

    def r4(self):
        composed = defaultdict(Counter)
        packages = defaultdict(set)
        for model in self.models:
            own = {name: count for name, count in model.methods.items() if name not in CORE_METHODS}
            for host in self.hosts(model):
                composed[host, model.file.folder, model.package].update(own)
                for method in own:
                    for origin in self.origins(host, method):
                        packages[f"{origin}.{method}"].add(model.package)
        for (name, folder, package), methods in composed.items():
            for method, count in methods.items():
                if count > 1:
                    yield f"{folder}/{package}", f"{name}.{method} is written {count} times"
        for method, found in packages.items():
            if len(found) > 1 and method not in self.hooks:
                yield "models", f"{method} is written in {', '.join(sorted(found, key=RANK.get))}"

    def r5(self):
        tables = {model.table: model.package for model in self.owners.values() if not model.is_abstract} | CORE_TABLES
        word = re.compile(rf"(?<![\w./-])({'|'.join(tables)})(?!\w)")
        for file in self.files:
            for table in word.findall("\n".join(file.sql)):
                if tables[table] != file.package:
                    yield file.path, f"{table} of {tables[table]}"

    def r6(self):
        wizards = {name for name, model in self.owners.items() if model.file.folder == "wizards"}
        for file in self.files:
            for text, function in file.texts if file.folder == "models" else ():
                if text in wizards and not function.startswith(("action_", "_action_")):
                    yield file.path, f"{text} in {function or 'a class'}"

    def r7(self):
        for file in self.files:
            if file.lines > MAX_LINES:
                yield file.path, "is too long"

    def r8(self):
        for part in self.parts.values():
            for method in sorted(part.methods.keys() & {"create", "write", "unlink"}):
                yield part.file.path, f"{part.name} has {method}"
            users = {model.name for model in self.models if part.name in model.inherits}
            if part.lines < MIN_PART_LINES and len(users) < MIN_PART_USERS:
                yield part.file.path, f"{part.name} is too small to stand alone"

    def r9(self):
        for folder in ("models", "wizards", "views", "data", "static/src", "tests"):
            known = {*PACKAGES, *(("tools", "data") if folder == "tests" else ())}
            for path in sorted((self.root / folder).glob("*")):
                if path.is_dir() and path.name not in known | {"__pycache__"}:
                    yield f"{folder}/{path.name}", "is no package"
                elif path.is_file() and folder in ("views", "data", "static/src"):
                    yield f"{folder}/{path.name}", "lies flat"

    # --- composed models ---

    @cached_property
    def parts(self):
        """Return ``{name: class}`` of the abstract models of which a model of the same package is composed."""
        named = {(name, model.package) for model in self.models for name in model.inherits if name != model.name}
        return {
            name: model for name, model in self.owners.items() if model.is_abstract and (name, model.package) in named
        }

    def hosts(self, model):
        """Return the names of the models that a class belongs to: of those it is a part of, else its own."""
        part = self.parts.get(model.name)
        if not part:
            return {model.name}
        users = [user for user in self.models if part.name in user.inherits and user.package == part.package]
        return {host for user in users if user.name != part.name for host in self.hosts(user)}

    def origins(self, name, method):
        """Return a model and the abstract models of other packages from which it inherits the method."""
        above = {name}
        for _round in PACKAGES:
            above |= {other for model in self.models if model.name in above for other in model.inherits}
        return {name} | {
            model.name
            for model in self.models
            if model.name in above and model.name not in self.parts and method in model.methods
        }


def _name_of(node):
    return getattr(node, "attr", None) or getattr(node, "id", "")


def _texts(nodes):
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _defined_by(node):
    """Return the names that a statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _walk_texts(node, function=""):
    if isinstance(node, ast.FunctionDef):
        function = function or node.name
    yield from ((text, function) for text in _texts([node]))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and _name_of(getattr(child.func, "value", None)) == "fields":
            for key in child.keywords:
                if key.arg != "comodel_name":
                    yield from _walk_texts(key.value, function)
        elif not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from _walk_texts(child, function)


if __name__ == "__main__":
    found = Addon(CHECKOUT).wrong()
    print("\n".join(found))
    sys.exit(bool(found))
