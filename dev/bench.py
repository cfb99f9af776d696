#!/usr/bin/env python3
"""Measure how fast the addon is with many invoices, next to core and to a peer on the same invoices.

dev/bench.py                    1,000, 10,000 and 100,000 overdue items, everything (some 25 minutes)
dev/bench.py --quick            1,000 and 10,000, fewer letters, core once (some 7 minutes)
dev/bench.py --only mails,core  a part: steps, branches, letters, peer, install, core, or the name of one step

Every figure comes from a process of its own. Of each size there is one ledger; the addon, and the peer
(OCA account_credit_control), are installed into copies of it. Ratios between two figures of one run say
more than seconds. out/bench/ holds results.json and table.md, which docs/performance.md quotes. A step that
fails is told at the end; the others go on.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager

from env import bootstrap, database, paths, peer, postgres, runtime, say, session
from measure import table

OUT = paths.CHECKOUT / "out" / "bench"
PARTS = ("steps", "branches", "letters", "peer", "install", "core")
#: Core's own work: processes without and with the addon, in turns, and the blocks of invoices in each.
CORE_TURNS, CORE_BLOCKS = 9, 10
#: How often a step that the peer has too is done, and undone: the middle counts.
TURNS = 3
#: So many overdue items come with 200,000 posted move lines.
INSTALL_ITEMS = 57_500
#: Numbers of overdue items, the same for the peer, which is slow, and how many letters.
WHOLE = (1000, 10_000, 100_000), (1000, 3000), 1000
QUICK = (1000, 10_000), (1000,), 200
#: Minutes after which a measurement is given up.
PATIENCE = 20


def main(words):
    results = _measure(words)
    text = table.describe(results)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (OUT / "table.md").write_text(text)
    print(f"\n{text}")
    sys.exit(1 if results["failed"] else 0)


def _words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 10,000 items, 200 letters")
    parser.add_argument("--only", default=",".join(PARTS), help=f"{', '.join(PARTS)}, {', '.join(table.STEPS)}")
    words = parser.parse_args()
    words.only = set(words.only.split(","))
    if unknown := words.only - {*PARTS, *table.STEPS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; see --help")
    asked = words.only | ({"create"} if {"mails", "raise", "letters"} & words.only else set())
    words.steps = [step for step in table.STEPS if {step, "steps"} & asked]
    words.sizes, words.peer_sizes, words.letters = QUICK if words.quick else WHOLE
    return words


def _measure(words):
    started = time.monotonic()
    kinds = ("steps", "branches", "fresh", "peer", "letters", "install", "core", "failed")
    results = {"machine": _machine(), **{kind: [] for kind in kinds}}
    home, base = bootstrap.ensure()
    results["machine"]["postgres"] = postgres.psql("SHOW server_version").split()[0]
    try:
        Bench(home, base, words, results).measure()
    except KeyboardInterrupt:
        say.step("stopped; here is what there is")
        results["failed"].append({"what": "the rest", "why": "stopped by Ctrl-C"})
    results["machine"].update(load_end=_load(), minutes=(time.monotonic() - started) / 60)
    return results


def _machine():
    with open("/proc/cpuinfo") as cpuinfo:
        names = [line.split(":", 1)[1].strip() for line in cpuinfo if "model name" in line]
    if _load() > os.cpu_count() / 2:
        say.step(f"other programs are busy on this machine (load {_load()}): seconds will be longer than they need be")
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3,
        "python": platform.python_version(),
        "load": _load(),
        "day": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def _load():
    return round(os.getloadavg()[0], 1)


# --- one measurement ---


def _ask(command, name, *words, addons_path=""):
    """Run one measurement in its own process and return its answer."""
    command_line = session.command("measure/session.py", command, name, addons_path, *words)
    what = " ".join(["The measurement", command, *map(str, words)])
    try:
        done = subprocess.run(
            command_line, env=session.environment(), text=True, capture_output=True, check=False, timeout=PATIENCE * 60
        )
    except subprocess.TimeoutExpired as error:
        raise say.Failure(f"{what} was not done after {PATIENCE} minutes.") from error
    answer = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("{")), "")
    if done.returncode or not answer:
        raise _failure(f"{what} (exit code {done.returncode})", done.stderr)
    return json.loads(answer)


def _watch(command):
    """Run a command; return its seconds, those of its processor (not the database's) and the most memory, in MB."""
    started = time.perf_counter()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, env=session.environment(), text=True, **pipes)
    output = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise _failure("A measured command", output)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "processor": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}


def _failure(what, output):
    """Keep all that a program printed in a file, and return the last line of it as a sentence."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "failure.log").open("a") as file:
        file.write(f"{what}\n{output}\n")
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it gave no reason"]
    return say.Failure(f"{what} stopped: {lines[-1]} (more in out/bench/failure.log)")


class Bench:
    """The databases of one run: a ledger per size, and copies of it."""

    def __init__(self, home, base, words, results):
        self.home, self.base, self.words, self.results = home, base, words, results

    def measure(self):
        ours = self.words.sizes if {"branches", "letters", "install"} & self.words.only or self.words.steps else []
        theirs = self.words.peer_sizes if "peer" in self.words.only else []
        for size in sorted({*ours, *theirs}):
            with self._part(f"{size:,} items"), self._ledger(size) as (ledger, facts):
                if size in ours:
                    self._measure_ours(ledger, size, facts)
                if size in theirs:
                    self._measure_peer(ledger, size)
        if "install" in self.words.only:
            with self._part("installing on 200,000 move lines"), self._ledger(INSTALL_ITEMS) as (ledger, facts):
                row = {"size": INSTALL_ITEMS, **facts, "install": self._change(ledger, "-i")}
                self._add("install", {**row, "uninstall": self._change(ledger, "uninstall")})
        if "core" in self.words.only:
            with self._part("what it costs core"):
                self._measure_core()

    @contextmanager
    def _part(self, what):
        """A part of the run whose failure is told at the end and does not take the others with it."""
        say.step(what)
        try:
            yield
        except (say.Failure, OSError, ValueError, KeyError) as error:
            if os.environ.get("DUNNING_TRACE"):
                raise
            say.step(f"✗ {error}")
            self._add("failed", {"what": what, "why": f"{type(error).__name__}: {error}"})

    def _add(self, kind, row):
        self.results[kind].append(row)

    def _copy(self, template, what):
        return database.copied(f"bench_{what}", template)

    @contextmanager
    def _ledger(self, size):
        with self._copy(self.base, f"{size}_ledger") as ledger:
            yield ledger, _ask("ledger.generate", ledger, size)

    def _measure_ours(self, ledger, size, facts):
        """Measure every step in a company that has used it for a while."""
        with self._copy(ledger, f"{size}_ours") as name:
            installed = self._change(name, "-i")
            history = _ask("history.generate", name)
            if "branches" in self.words.only:
                with self._part(f"planning over branches, {size:,} items"), self._copy(name, "branches") as spread:
                    self._add("branches", {"size": size, **_ask("branches.measure", spread)})
            for step in self.words.steps:
                with self._part(f"{table.STEPS[step]}, {size:,} items"):
                    figures = _ask("steps.measure", name, step)
                    self._add("steps", {"size": size, "step": step, **facts, **history, **figures})
                if step == "create" and "letters" in self.words.only:
                    self._measure_letters(name, history["overdue"])
            if "install" in self.words.only:
                with self._part(f"uninstalling, {size:,} items"):
                    removed = self._change(name, "uninstall")
                    self._add("install", {"size": size, **facts, "install": installed, "uninstall": removed})

    def _measure_letters(self, source, overdue):
        """Write letters, in a copy; once, in the first company with enough of them."""
        if self.results["letters"] or overdue < 4 * self.words.letters:
            return
        with self._part("letters, and bare wkhtmltopdf on the same pages"), self._copy(source, "letters") as name:
            self._add("letters", _ask("steps.measure_letters", name, self.words.letters))

    def _change(self, name, what):
        """Install or uninstall the addon; return what it took, and what it did to the ledger."""
        serve = ("-d", name, "--stop-after-init", "--no-http")
        facts = {}
        if what == "uninstall":
            command = session.command("measure/session.py", "ledger.uninstall", name, "")
        else:
            # A server that starts pays this too, without installing anything.
            facts["start"] = _watch(runtime.odoo_command(*serve))["seconds"]
            command = runtime.odoo_command(*serve, what, paths.MODULE)
        before = _ask("ledger.describe_table", name, "account_move_line")
        facts.update(_watch(command))
        time.sleep(1)  # the server counts a moment later
        after = _ask("ledger.describe_table", name, "account_move_line")
        updated, rewritten = after["updated"] - before["updated"], before["file"] != after["file"]
        return {**facts, "updated": updated, "rewritten": rewritten}

    def _measure_peer(self, ledger, size):
        """Measure the steps that both have, in a company that begins."""
        with self._part(f"the steps of the peer, ours, {size:,} items"), self._copy(ledger, "fresh") as name:
            database.install(name, [paths.MODULE])
            _ask("history.generate", name, "fresh")
            for step in ("plan_due", "create", "mails", "raise"):
                self._add("fresh", {"size": size, "step": step, **_ask("steps.measure", name, step, TURNS)})
        with self._part(f"{peer.MODULE}, {size:,} items"), self._copy(ledger, "peer") as name:
            addons_path = peer.addons_path(self.home)
            database.install(name, [peer.MODULE], f"--addons-path={addons_path}")
            for step, row in _ask("peer.measure", name, TURNS, addons_path=addons_path).items():
                self._add("peer", {"size": size, "step": step, **row})

    def _measure_core(self):
        """Do the same work in databases without and with the addon, in turns, each time in a process of its own."""
        sources = {"without": self.base, "with": database.with_addon(self.home)}
        answers = {side: [] for side in sources}
        for _turn in range(2 if self.words.quick else CORE_TURNS):
            for side, source in sources.items():
                with self._copy(source, side) as name:
                    answers[side].append(_ask("core.measure", name, CORE_BLOCKS))
        for what in table.CORE:
            self._add("core", table.compare(what, *([row[what] for row in answers[side]] for side in answers)))


if __name__ == "__main__":
    session.run(main, _words())
