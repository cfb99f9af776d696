#!/usr/bin/env python3
"""Show the addon at work: a company with customers, one real run of the scheduled actions, then Odoo itself.

DEMO_SERVE=0 stops before serving. DEMO_PORT is the first port to try (8069).
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, paths, postgres, python, runtime, say, session  # noqa: E402 (after the path)

OUT = paths.CHECKOUT / "out"


def main():
    with say.failures_as_sentences(), postgres.in_use(), _alone():
        wanted = _wanted_port()
        say.step("1/5 the environment: Odoo 19, PostgreSQL, wkhtmltopdf")
        home, _template = bootstrap.ensure()
        port = _free_port(wanted)
        say.step("2/5 a new database with the addon")
        name = _new_database(home)
        _empty_out()
        with _mail_sink() as smtp:
            say.step("3/5 customers and invoices; then the scheduled actions, for real")
            session.run_program("demo_session.py", name, port, smtp, OUT)
            say.step(f"4/5 letters and mails are in {_short(OUT)}")
            if os.environ.get("DEMO_SERVE") == "0":
                return
            say.step("5/5 starting Odoo")
            _serve(name, port, smtp)


@contextmanager
def _alone():
    """Refuse to take the database away from under a demonstration that still runs."""
    paths.workspace().mkdir(parents=True, exist_ok=True)
    with open(paths.workspace() / "demo.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise say.Failure("A demonstration of this checkout is still running; stop it first (Ctrl-C).") from error
        yield


def _wanted_port():
    wanted = os.environ.get("DEMO_PORT", "8069")
    if not wanted.isdigit() or not 0 < int(wanted) < 65536:
        raise say.Failure(f"DEMO_PORT is “{wanted}”, which is not a port number.")
    return int(wanted)


def _free_port(first):
    """Return the first port from `first` on which nobody listens."""
    for port in range(first, min(first + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != first:
            say.step(f"port {first} is taken, so Odoo will be on {port}")
        return port
    raise say.Failure(f"No free port from {first} on; choose another one with DEMO_PORT.")


def _new_database(home):
    """Copy the template that holds this version of the addon; made once per version."""
    template = database.for_demo(home)
    name = f"dunning_demo_{paths.checkout_key()}"
    postgres.drop(name)
    postgres.create(name, template)
    return name


def _empty_out():
    """Remove what the run before left; `out/` holds nothing else."""
    shutil.rmtree(OUT, ignore_errors=True)
    for folder in ("letters", "mails"):
        (OUT / folder).mkdir(parents=True)


@contextmanager
def _mail_sink():
    """Catch all mail in `out/mails` while the block runs; yield the port of that mail server."""
    port = runtime.free_port()
    command = [python.executable(), paths.CHECKOUT / "dev" / "mail_sink.py", OUT / "mails", port]
    sink = subprocess.Popen([str(part) for part in command], env=runtime.environment())
    try:
        _wait_for(port, sink, "The catcher of mails")
        yield port
    finally:
        sink.terminate()
        sink.wait()


def _wait_for(port, process, what, seconds=60):
    """Wait until a program listens on its port."""
    for _moment in range(seconds * 10):
        if process.poll() is not None:
            raise say.Failure(f"{what} stopped at once.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise say.Failure(f"{what} does not answer after {seconds} s.")


def _serve(name, port, smtp):
    """Serve Odoo until Ctrl-C."""
    log = OUT / "odoo.log"
    words = ["-d", name, f"--db-filter=^{name}$", "--no-database-list", f"--http-port={port}", f"--logfile={log}"]
    words += ["--smtp=localhost", f"--smtp-port={smtp}", "--log-level=warn"]
    server = subprocess.Popen(runtime.odoo_command(*words), env=runtime.environment())
    try:
        _wait_for(port, server, f"Odoo (see {_short(log)})")
        address = f"http://localhost:{port}"
        _warm_up(address)
        print(f"\n  Odoo is at  {address}\n  Log in with admin / admin\n  Stop with   Ctrl-C\n", flush=True)
        if server.wait():
            raise say.Failure(f"Odoo stopped; its log is {_short(log)}.")
    except KeyboardInterrupt:
        say.step("stopping")
    finally:
        server.terminate()
        try:
            server.wait(10)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            server.kill()


def _warm_up(address):
    """Let Odoo load its modules before someone looks at it."""
    try:
        urllib.request.urlopen(f"{address}/web/login", timeout=120).read()  # noqa: S310 (our own server)
    except (urllib.error.URLError, TimeoutError) as error:
        raise say.Failure(f"Odoo answers with an error: {error}") from error


def _short(path):
    """Return a path as one would type it from here."""
    shorter = os.path.relpath(path)
    return shorter if len(shorter) < len(str(path)) else str(path)


if __name__ == "__main__":
    main()
