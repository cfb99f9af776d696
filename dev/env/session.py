"""An Odoo environment inside a program of ours; for programs that run in the venv (`run_program`)."""

import runpy
import subprocess
import sys
from contextlib import contextmanager, nullcontext

from . import paths, python, runtime
from .say import Failure

# Odoo is importable only in the venv, and this module is also read outside it.
# ruff: noqa: PLC0415


def run_program(script, *words):
    """Run a program of `dev/` in the venv, with its output on this terminal; it must succeed."""
    environ = runtime.environment()
    environ["PYTHONPATH"] = str(paths.CHECKOUT / "dev")
    command = [str(python.executable()), "-m", "env.session", str(paths.CHECKOUT / "dev" / script), *map(str, words)]
    done = subprocess.run(command, env=environ, check=False)
    if done.returncode:
        raise Failure(f"dev/{script} stopped with an error, shown above.")


@contextmanager
def odoo_environment(database, *options, http_port=None, lang="nl_NL"):
    """Yield `env` of the superuser on a real cursor; what is not committed is lost.

    Nothing here is test mode: commits commit, scheduled actions do what they do in production.
    With `http_port` Odoo also answers HTTP meanwhile: wkhtmltopdf fetches style sheets from it.
    """
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    words = [f"--database={database}", f"--db-filter=^{database}$", "--log-level=warn", "--max-cron-threads=0"]
    words += [f"--http-port={http_port}"] if http_port else ["--no-http"]
    config.parse_config([*words, *options], setup_logging=True)
    registry = Registry(database)
    with _http_server() if http_port else nullcontext(), registry.cursor() as cursor:
        env = api.Environment(cursor, SUPERUSER_ID, {})
        langs = [code for code, _name in env["res.lang"].get_installed()]
        yield api.Environment(cursor, SUPERUSER_ID, {"lang": lang if lang in langs else "en_US"})


@contextmanager
def _http_server():
    from odoo import http
    from odoo.service import server

    server.load_server_wide_modules()
    server.server = server.ThreadedServer(http.root)
    server.server.start(stop=False)
    try:
        yield
    finally:
        server.server.stop()


def _run_in_odoo():
    """Run a program the way Odoo's own commands start: `from odoo import Command` works only after this import."""
    import odoo.init  # noqa: F401 (loading it is the point)

    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _run_in_odoo()
