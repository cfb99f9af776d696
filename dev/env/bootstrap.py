"""The whole environment, in the order in which the parts need each other."""

from . import browser, database, libraries, node, odoo, paths, postgres, python, runtime, wkhtmltopdf
from .say import step


def ensure(*, with_browser=False, with_tools=False, with_base=True, quiet=False):
    """Have everything; return (Odoo's folder, the base template's name)."""
    home = ensure_programs()
    with paths.locked():
        if with_browser:
            browser.ensure()
            node.ensure("axe")
        if with_tools:
            node.ensure("node")
        postgres.ensure()
    template = database.base(home) if with_base else None
    if not quiet:
        step(f"Odoo: {home} ({odoo.identity(home)})")
        step(f"PDF:  {(paths.bin_folder() / 'wkhtmltopdf').resolve()}")
        server = "the server named by PG*" if postgres.is_external() else "our own, in the cache"
        step(f"PostgreSQL: {server}; template database: {template}")
    return home, template


def ensure_programs():
    """Have Odoo and what makes its letters, without a database; return Odoo's folder."""
    with paths.locked():
        python.ensure()
        home = odoo.ensure()
        libraries.ensure()
        wkhtmltopdf.ensure()
        runtime.configuration(home)
    return home


def ensure_tools():
    """Have what the static checks need: no database, no browser."""
    with paths.locked():
        python.ensure()
        home = odoo.ensure()
        runtime.configuration(home)
        node.ensure("node")
