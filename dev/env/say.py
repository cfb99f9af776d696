"""Talking to the person at the keyboard: progress lines, and failures as one sentence."""

import contextlib
import os
import sys
import time


class Failure(Exception):
    """Something the user has to know. Shown as one sentence, never as a traceback."""


def step(text):
    print(f"· {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def timed(text):
    """Announce a step, and say how long it took when that was long enough to notice."""
    step(f"{text} …")
    start = time.monotonic()
    yield
    seconds = time.monotonic() - start
    if seconds >= 1:
        step(f"  done in {seconds:.0f} s")


@contextlib.contextmanager
def failures_as_sentences():
    """Turn what can go wrong on a stranger's machine into one sentence and exit code 1."""
    try:
        yield
    except KeyboardInterrupt:
        print("\n✗ Stopped by Ctrl-C; running the same command again continues where this stopped.", file=sys.stderr)
        sys.exit(130)
    except (Failure, OSError) as error:
        if os.environ.get("DUNNING_TRACE"):
            raise
        text = str(error)
        if isinstance(error, OSError):
            where = f" ({error.filename})" if error.filename else ""
            text = f"The operating system refused: {error.strerror or error}{where}."
        print(f"\n✗ {text}", file=sys.stderr)
        sys.exit(1)
