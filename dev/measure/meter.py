"""How a step is measured: seconds, seconds of processor, queries and memory."""

import os
import resource
import statistics
import time
from contextlib import contextmanager, suppress
from pathlib import Path

_paused = {"seconds": 0.0, "processor": 0.0, "queries": 0}


def measure(env, method, *, repeats=1, undo=False):
    """Return what `method` answers with what it took; of several times the middle one counts.

    :param undo: `method` changes something: it is undone before the next time, the last time stays
    """
    warm(env)
    memory = peak()
    seconds, processor, queries, answer = [], [], 0, {}
    for repeat in range(repeats):
        if repeat and undo:
            env.cr.rollback()
        before = answer
        env.invalidate_all()
        _paused.update(seconds=0.0, processor=0.0, queries=0)
        started = (time.perf_counter(), processor_seconds(env), env.cr.sql_log_count)
        answer = method()
        env.flush_all()
        seconds.append(time.perf_counter() - started[0] - _paused["seconds"])
        processor.append(processor_seconds(env) - started[1] - _paused["processor"])
        queries = env.cr.sql_log_count - started[2] - _paused["queries"]
        if repeat and answer != before:
            raise RuntimeError(f"the same step answered {before} and then {answer}")
    return {
        "answers": 0,
        "notices": 0,
        **answer,
        "seconds": statistics.median(seconds),
        "processor": statistics.median(processor),
        "queries": queries,
        "memory": peak() - memory,
        "peak": peak(),
    }


def warm(env):
    """Have what a worker works out once in its life, for ours and for the peer alike."""
    for name in ("_field_triggers", "field_computed", "field_inverses"):
        getattr(env.registry, name, None)


@contextmanager
def outside_the_clock(env):
    """Do something that is not part of the step."""
    started = time.perf_counter()
    processor, queries = processor_seconds(env), env.cr.sql_log_count
    yield
    _paused["seconds"] += time.perf_counter() - started
    _paused["processor"] += processor_seconds(env) - processor
    _paused["queries"] += env.cr.sql_log_count - queries


def peak():
    """Return the most memory this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processor_seconds(env):
    """Return the seconds of processor of this process, its database session and the programs it ran.

    What else the machine does counts for much less than on the clock, which it is where that is unknown.
    """
    database = _session_seconds(env.cr._cnx.info.backend_pid)
    if database is None:
        return time.perf_counter()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + database + children.ru_utime + children.ru_stime


def _session_seconds(pid):
    """Return the seconds of processor of a database session that waits for us; None where that is unknown.

    The scheduler knows them to the nanosecond, the process table to the hundredth of a second.
    """
    with suppress(OSError):
        if nanoseconds := int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]):
            return nanoseconds / 1e9
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def get_user(env):
    """Return the user with the rights of an accountant and no more."""
    return env["res.users"].search([("login", "=", "bench")])


def get_chunk_size():
    from odoo.addons.l10n_nl_dunning.models.sending import dunning_run  # noqa: PLC0415 (only where the addon is)

    return dunning_run.DISPATCH_CHUNK
