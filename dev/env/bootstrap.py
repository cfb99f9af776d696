"""The whole environment, in the order in which the parts need each other."""

from . import browser, database, libraries, node, odoo, paths, postgres, python, runtime, wkhtmltopdf
from .say import step


def ensure(*, with_browser=False, with_tools=False, with_base=True, quiet=False):
    """Have everything; return (Odoo's folder, the base template's name)."""
    with paths.locked():
        python.ensure()
        home = odoo.ensure()
        libraries.ensure()
        pdf = wkhtmltopdf.ensure()
        runtime.configuration(home)
        if with_browser:
            browser.ensure()
            node.ensure_axe()
        if with_tools:
            node.ensure()
        postgres.ensure()
    template = database.base(home) if with_base else None
    if not quiet:
        step(f"Odoo: {home} ({odoo.identity(home)})")
        step(f"PDF:  {pdf}")
        server = "the server named by PG*" if postgres.is_external() else "our own, in the cache"
        step(f"PostgreSQL: {server}; template database: {template}")
    return home, template


def ensure_tools():
    """Have what the static checks need: no database, no browser."""
    with paths.locked():
        python.ensure()
        home = odoo.ensure()
        runtime.configuration(home)
        node.ensure()
