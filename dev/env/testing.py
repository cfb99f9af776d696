"""How pytest is started here."""

import os

from . import paths, python


def command(words, database=None):
    """Return pytest's command line; files named relative to the checkout keep working.

    The tests are reached through the addons folder, where the addon has its technical name: that is
    what makes them `odoo.addons.l10n_nl_dunning.tests…`, whatever the checkout is called.
    """
    addon = paths.addons_folder() / paths.MODULE
    words = [_through_addons_folder(word) for word in words]
    if not any(os.path.exists(word.split("::")[0]) for word in words):
        words += [str(addon / "dev" / "checks"), str(addon / "tests")]
    options = [f"--config-file={addon / 'pyproject.toml'}", f"--rootdir={addon}", "-p", "pytest_plugin"]
    options += ["--odoo-http", "--odoo-log-level=warn", *([f"--odoo-database={database}"] if database else [])]
    return [str(python.executable("pytest")), *options, *words]


def _through_addons_folder(word):
    file, *rest = word.split("::")
    path = os.path.abspath(file)
    inside = os.path.relpath(os.path.realpath(path), paths.CHECKOUT)
    if word.startswith("-") or not os.path.exists(path) or inside.startswith(".."):
        return word
    return "::".join([str(paths.addons_folder() / paths.MODULE / inside), *rest])
