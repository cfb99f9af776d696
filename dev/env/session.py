"""An Odoo environment inside a program of ours."""

import os
import runpy
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

from . import bootstrap, paths, postgres, python, runtime, say

# Odoo is importable only in the venv, and this module is also read outside it.


def command(program, *words):
    """Return the command line that runs a program of `dev/` in the venv, where Odoo can be imported."""
    return [str(part) for part in (python.executable(), "-m", "env.session", paths.CHECKOUT / "dev" / program, *words)]


def environment():
    """Return the environment for that: our own modules are importable."""
    return {**runtime.environment(), "PYTHONPATH": str(paths.CHECKOUT / "dev")}


def run(main, *words):
    """Run the main function of a program, in the venv: this process becomes another one when that is needed."""
    with say.failures_as_sentences():
        if "odoo" not in sys.modules:
            bootstrap.ensure_programs()
            line, own = command(Path(sys.argv[0]).resolve(), *sys.argv[1:]), postgres.environment()
            # Our own server, named in the environment, would look like one of the user's.
            os.execve(line[0], line, {name: value for name, value in environment().items() if name not in own})
        with postgres.in_use():
            main(*words)


@contextmanager
def odoo_environment(database, *options, http_port=None):
    """Yield `env` of the superuser on a real cursor; what is not committed is lost.

    Nothing here is test mode: commits commit, scheduled actions do what they do in production.
    With `http_port` Odoo also answers HTTP meanwhile: wkhtmltopdf fetches style sheets from it.
    """
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    words = [f"--database={database}", f"--db-filter=^{database}$", "--log-level=warn", "--max-cron-threads=0"]
    words += ["--log-handler=mail.log:WARNING"]  # aiosmtpd tells of each word
    words += [f"--http-port={http_port}"] if http_port else ["--no-http"]
    # Not from the configuration: a test that runs meanwhile, with the server in its environment, leaves it out there.
    words += [f"--{name}={value}" for name, value in postgres.odoo_options().items()]
    config.parse_config([*words, *options], setup_logging=True)
    registry = Registry(database)
    with _http_server() if http_port else nullcontext(), registry.cursor() as cursor:
        yield api.Environment(cursor, SUPERUSER_ID, {"lang": "nl_NL"})


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
