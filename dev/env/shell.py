"""Running other programs."""

import subprocess

from .say import Failure


def run(command, *, why, **kwargs):
    """Run a command quietly; when it fails, say what it was for and the last thing it said."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, check=False, text=True, capture_output=True, **kwargs)
    except FileNotFoundError as error:
        raise Failure(f"{why} failed: the program {command[0]} is not on this machine.") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if line.lower().startswith(("e:", "error", "fatal", "npm error"))]
        said = (telling or lines[-1:] or ["it gave no reason"])[0]
        raise Failure(f"{why} failed: {said}")
    return done.stdout
