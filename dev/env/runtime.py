"""How Odoo is started here: its command, its configuration and its environment."""

import os
import socket

from . import libraries, node, odoo, paths, postgres, python


def configuration(home):
    """Write the configuration file of this checkout and return it."""
    options = {
        "addons_path": ",".join([*odoo.addons_paths(home), *map(str, paths.addons_folders())]),
        "data_dir": str(paths.cache() / "data"),
        # A developer's machine, reachable by nobody else.
        "http_interface": "127.0.0.1",
        "admin_passwd": "admin",
        **postgres.odoo_options(),
    }
    file = paths.workspace() / "odoo.conf"
    text = "[options]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return file


def environment():
    """Return the environment for Odoo and every tool around it."""
    environ = {**os.environ, **postgres.environment()}
    environ["PATH"] = os.pathsep.join(
        [str(paths.bin_folder()), str(python.folder() / "bin"), str(postgres.bin_folder()), environ.get("PATH", "")]
    )
    if libraries.folders():
        # Only what the machine lacks is in there, so nothing of its own is replaced.
        own = environ.get("LD_LIBRARY_PATH")
        environ["LD_LIBRARY_PATH"] = os.pathsep.join([*libraries.folders(), *([own] if own else [])])
    environ["ODOO_RC"] = str(paths.workspace() / "odoo.conf")
    environ["VIRTUAL_ENV"] = str(python.folder())
    environ["PYTHONNOUSERSITE"] = "1"
    # Installed Odoo has its bytecode. A machine told to write none would compile some thousand files at every start
    # (1.2 of 3.3 seconds). In the cache, because a checkout holds only what is somebody's work.
    environ["PYTHONPYCACHEPREFIX"] = str(paths.cache() / "bytecode")
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environ.setdefault("LANG", "C.UTF-8")
    if node.axe_script():
        environ["AXE_CORE"] = str(node.axe_script())
    environ.pop("PYTHONHOME", None)
    return environ


def free_port():
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def odoo_command(*words):
    """Return the command line for Odoo; a sub-command such as `shell` comes first."""
    return [str(python.executable()), "-m", "odoo", *words]
