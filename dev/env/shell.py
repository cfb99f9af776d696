"""Running other programs."""

import re
import subprocess

from . import paths
from .say import Failure

#: How apt, git, npm, pip and PostgreSQL begin the line that says what was wrong.
SAYS_WHY = ("E: ", "fatal: ", "npm error ", "ERROR: ", "error: ", "createdb: error", "dropdb: error", "psql: error")

#: How they say that there is no network; what they say after that is misleading.
NO_NETWORK = r"Failed to establish a new connection|Could not resolve|Temporary failure|ENOTFOUND|EAI_AGAIN|ENETUNREACH"


def run(command, *, why, **kwargs):
    """Run a command quietly; when it fails, say what it was for and the last thing it said."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, check=False, text=True, capture_output=True, **kwargs)
    except FileNotFoundError as error:
        raise Failure(f"{why} failed: the program {command[0]} is not on this machine.") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
        log = paths.cache() / "last-failure.log"
        log.write_text(f"$ {' '.join(command)}\n{done.stdout}\n{done.stderr}\n")
        if re.search(NO_NETWORK, done.stdout + done.stderr):
            raise Failure(f"{why} failed: the server it comes from cannot be reached; is this machine online?")
        telling = [line for line in lines if line.startswith(SAYS_WHY)]
        said = (telling or lines[-1:] or ["it gave no reason"])[0]
        raise Failure(f"{why} failed: {said}\n  All it said is in {log}")
    return done.stdout
