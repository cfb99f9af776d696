"""An Odoo environment inside a program of ours; for programs that run in the venv."""

from contextlib import contextmanager


@contextmanager
def odoo_environment(database, *options, lang="nl_NL"):
    """Yield `env` of the superuser on a real cursor; what is not committed is lost.

    Nothing here is test mode: commits commit, scheduled actions do what they do in production.
    """
    from odoo import SUPERUSER_ID, api  # noqa: PLC0415 (Odoo is importable only in the venv)
    from odoo.modules.registry import Registry  # noqa: PLC0415
    from odoo.tools import config  # noqa: PLC0415

    config.parse_config([f"--database={database}", "--log-level=warn", "--no-http", *options], setup_logging=True)
    with Registry(database).cursor() as cursor:
        yield api.Environment(cursor, SUPERUSER_ID, {"lang": lang})
