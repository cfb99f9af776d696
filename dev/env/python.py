"""The Python environment: one venv with Odoo's dependencies and the tools of tests and checks."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from . import debian, paths
from .say import Failure, step, timed
from .shell import run

REQUIREMENTS = paths.CHECKOUT / "dev" / "requirements.txt"
RENDERER = "rlPyCairo==0.4.0"


def folder():
    return paths.cache() / "venv"


def executable(name="python"):
    return folder() / "bin" / name


def _key():
    return hashlib.sha256(REQUIREMENTS.read_bytes() + RENDERER.encode()).hexdigest()[:16]


def version():
    """Return the venv's version of Python, such as (3, 11)."""
    return tuple(int(part) for part in site_packages().parent.name.removeprefix("python").split("."))


def ensure():
    """Make the venv and fill it, unless it holds exactly these requirements already."""
    done = folder() / "requirements.sha256"
    if done.exists() and done.read_text() == _key() and executable().exists():
        return
    if not executable("pip").exists():
        _create()
    with timed("installing Odoo's Python packages (about a minute the first time)"):
        _pip("install", "--prefer-binary", "-r", REQUIREMENTS)
        if version() >= (3, 13):
            _pip("install", "--no-deps", RENDERER)
    done.write_text(_key())


def _create():
    step(f"making a Python environment with {sys.executable}")
    shutil.rmtree(folder(), ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(folder())]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    # Debian keeps pip's own wheel in a separate package (python3-venv). It can be fetched without root.
    shutil.rmtree(folder(), ignore_errors=True)
    bare = subprocess.run([*command, "--without-pip"], capture_output=True, check=False)
    try:
        if bare.returncode or not debian.available():
            raise Failure("")
        wheels = paths.cache() / "pip-wheel"
        debian.unpack(["python3-pip-whl"], wheels)
        wheel = next(wheels.glob("usr/share/python-wheels/pip-*.whl"))
        run([executable(), Path(wheel) / "pip", "install", "--no-index", wheel], why="Installing pip")
    except (Failure, StopIteration) as error:
        shutil.rmtree(folder(), ignore_errors=True)
        raise Failure(
            "Python cannot make a virtual environment here (its package python3-venv is missing and could not be "
            "fetched); run as root: apt-get install python3-venv"
        ) from error


def _pip(*words, why="Installing Python packages"):
    command = [executable(), "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    run(command, why=why, env={**os.environ, "PYTHONNOUSERSITE": "1"})


def pip_download(package, target, *options):
    """Fetch a package's archive through pip, without running anything from it where pip allows that."""
    _pip("download", "--no-deps", "-d", target, *options, package, why=f"Fetching {package}")


def unpack_wheels(name, packages):
    """Have the wheels of these packages (``{name: version}``) unpacked in a folder of the cache; return it.

    They are not installed: only what is given their folder finds them.
    """
    target = paths.cache() / name
    if not target.exists():
        with timed(f"fetching {name}"), paths.built(target) as half:
            for package, version in packages.items():
                pip_download(f"{package}=={version}", half, "--only-binary=:all:")
            for wheel in half.glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(half)
    return target


def site_packages():
    return next(folder().glob("lib/python3.*/site-packages"))


def put_on_path(name, target):
    """Make a folder importable in the venv, the way an editable install does."""
    file = site_packages() / f"{name}.pth"
    if not file.exists() or file.read_text() != f"{target}\n":
        file.write_text(f"{target}\n")
