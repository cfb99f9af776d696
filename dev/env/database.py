"""Databases to start from: built once, copied in less than a second."""

import contextlib
import hashlib
import os
import re
import subprocess

from . import odoo, paths, postgres, runtime
from .say import Failure, step, timed

#: What the addon depends on and what its users have next to it, and a payment provider that is not one, to try with.
BASE_MODULES = ["account", "account_payment", "account_qr_code_sepa", "contacts", "l10n_nl", "payment_demo"]
BASE_MODULES += ["phone_validation", "portal"]
#: Apps of Odoo that the addon has bridges to.
APPS = ["crm", "sale_management"]
#: The bridges that come with these and with the shop; those to OCA's modules are tried by tests of the addon.
BRIDGES = ["l10n_nl_dunning_crm", "l10n_nl_dunning_sale", "l10n_nl_dunning_website_sale"]
#: What their tests need besides: the demonstration has no shop.
SHOP = "website_sale"
#: English is what the sources are written in; the users work in Dutch.
BASE_LANGUAGES = "en_US,nl_NL"
#: Attachments live in the database, so that a copy of it is complete.
#: Style sheets and scripts are compiled once, not on the first look at every copy.
PREPARE_BASE = """
env['ir.config_parameter'].set_param('ir_attachment.location', 'db')
env['ir.attachment'].force_storage()
env['ir.qweb']._pregenerate_assets_bundles()
env.cr.commit()
"""
#: A line of Odoo's log that a clean installation does not have.
COMPLAINT = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ")


def _key(*parts):
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:8]


# --- templates ---


def base(home):
    """Return the template with Odoo's own modules, built when it is not there."""

    def fill(half):
        install(half, BASE_MODULES, f"--load-language={BASE_LANGUAGES}")
        execute(half, PREPARE_BASE)

    name = f"dunning_base_{_key(odoo.identity(home), BASE_LANGUAGES, PREPARE_BASE, *BASE_MODULES)}"
    return _build(name, fill, "building a database with Odoo's accounting (about 90 s, once)")


def with_addon(home):
    """Return the template with this checkout's addon installed as it is at this moment."""
    template, prefix = base(home), f"dunning_addon_{paths.checkout_key()}_"
    name = prefix + _key(template, paths.sources_hash())
    what = "installing the addon into a copy of it"
    return _build(name, lambda half: install(half, [paths.MODULE]), what, template, prefix)


def with_apps(home):
    """Return the template with the addon and the apps it has bridges to; the bridges come by themselves."""
    template, prefix = with_addon(home), f"dunning_apps_{paths.checkout_key()}_"
    name = prefix + _key(template, *APPS)
    what = f"installing {' and '.join(APPS)} into a copy of it"
    return _build(name, lambda half: install(half, APPS), what, template, prefix)


def _build(name, fill, what, template=None, prefix=None):
    """Return this template; when it is not there, a copy of another one is filled, by one process at a time.

    It gets its name only when that succeeds: what is interrupted never looks finished.

    :param prefix: of the templates it replaces
    """
    if not postgres.exists(name):
        with paths.locked("database"):
            if not postgres.exists(name):
                if prefix:
                    drop_all(prefix)
                half = f"{name}_half"
                with timed(what):
                    postgres.drop(half)
                    postgres.create(half, template)
                    fill(half)
                    postgres.rename(half, name)
    return name


@contextlib.contextmanager
def copied(kind, template, *, keep=False):
    """Yield the name of a copy of a database, which is dropped afterwards, or kept to look at it."""
    name = f"dunning_{kind}_{paths.checkout_key()}_{os.getpid()}"
    postgres.drop(name)
    try:
        postgres.create(name, template)
        yield name
    finally:
        if keep:
            step(f"the database is kept: {name}")
        else:
            postgres.drop(name)


def drop_all(prefix):
    """Drop the databases whose names start with this prefix."""
    for name in postgres.databases():
        if name.startswith(prefix):
            postgres.drop(name)


# --- what is done to them ---


def install(database, modules, *options):
    """Install modules; return the file with Odoo's log."""
    return _load(database, "-i", modules, *options)


def update(database, modules, *options):
    """Update installed modules to the code that is there now; return the file with Odoo's log."""
    return _load(database, "-u", modules, *options)


def _load(database, how, modules, *options):
    log = paths.workspace() / f"{re.sub('_[0-9]+$', '', database)}.log"
    words = ["-d", database, how, ",".join(modules), *options, "--stop-after-init", "--no-http"]
    with log.open("w") as output:
        pipes = {"stdout": output, "stderr": subprocess.STDOUT}
        done = subprocess.run(runtime.odoo_command(*words), env=runtime.environment(), check=False, **pipes)
    lines = log.read_text(errors="replace").splitlines()
    # Odoo ends in peace when a module cannot be installed; its log alone tells.
    fatal = [line for line in complaints(log) if " WARNING " not in line]
    if done.returncode or fatal:
        reason = _exception(lines) or (fatal[-1:] or lines[-1:] or ["no reason given"])[0]
        verb = {"-i": "install", "-u": "update"}[how]
        raise Failure(f"Odoo could not {verb} {', '.join(modules)}: {reason}\n  The whole log is {log}")
    return log


def _exception(lines):
    """Return the last exception in a log with what it explains on the next line."""
    starts = [number for number, line in enumerate(lines) if re.match(r"^[\w.]+(Error|Exception|Warning): ", line)]
    return " ".join(" ".join(lines[starts[-1] : starts[-1] + 2]).split()) if starts else ""


def complaints(log):
    """Return the lines in a log that a clean installation does not have."""
    return [line for line in log.read_text(errors="replace").splitlines() if COMPLAINT.match(line)]


def execute(database, code, *options):
    """Run Python code in Odoo's shell."""
    command = runtime.odoo_command("shell", "-d", database, "--no-http", "--log-level=error", *options)
    done = subprocess.run(command, env=runtime.environment(), input=code, text=True, capture_output=True, check=False)
    if done.returncode or "Traceback" in done.stderr:
        raise Failure(f"Odoo could not prepare the database: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return done.stdout
