"""How a step is measured: seconds, seconds of processor, queries and memory."""

import os
import resource
import statistics
import time
from contextlib import suppress
from pathlib import Path


def measure(env, method, tell, *, repeats=1, undo=False):
    """Return what `method` took, and what `tell` makes of its result; of several times the middle one counts.

    :param undo: `method` changes something: it is undone before the next time, the last time stays
    """
    # What a worker works out once in its life, for ours and for the peer alike.
    for name in ("_field_triggers", "field_computed", "field_inverses"):
        getattr(env.registry, name, None)
    memory, taken, answer = peak(), [], None
    for repeat in range(repeats):
        if repeat and undo:
            env.cr.rollback()
        before = answer
        env.invalidate_all()
        started = _read(env)
        result = method()
        env.flush_all()
        taken.append([now - start for now, start in zip(_read(env), started, strict=True)])
        answer = tell(result)
        if repeat and answer != before:
            raise RuntimeError(f"the same step answered {before} and then {answer}")
    seconds, processor, _queries = map(statistics.median, zip(*taken, strict=True))
    figures = {"seconds": seconds, "processor": processor, "queries": taken[-1][2]}
    return {"answers": 0, "notices": 0, **answer, **figures, "memory": peak() - memory, "peak": peak()}


def _read(env):
    return time.perf_counter(), processor_seconds(env), env.cr.sql_log_count


def peak():
    """Return the most memory this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def children_seconds():
    """Return the seconds of processor of the programs this process ran."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def processor_seconds(env):
    """Return the seconds of processor of this process, its database session and the programs it ran.

    What else the machine does counts for much less than on the clock, which it is where that is unknown.
    """
    database = _session_seconds(env.cr._cnx.info.backend_pid)
    return time.perf_counter() if database is None else time.process_time() + database + children_seconds()


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


def make_user(env, login):
    groups = [env.ref("base.group_user").id, env.ref("account.group_account_invoice").id]
    values = {"name": login.title(), "login": login, "group_ids": groups}
    return env["res.users"].with_context(no_reset_password=True).create(values)
