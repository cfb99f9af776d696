#!/usr/bin/env python3
"""Measure how fast the addon is with many invoices, next to core and to a peer on the same invoices.

dev/bench.py                              1,000, 10,000 and 100,000 overdue items, everything (some 25 minutes)
dev/bench.py --quick                      1,000 and 10,000, fewer letters, core once (some 7 minutes)
dev/bench.py --only plan                  plan, create, wizard, debtors, mails, letters, peer, install, core
                                          (several with commas)
dev/bench.py --explain                    also what PostgreSQL does when it plans, and which indexes are used
dev/bench.py --docs                       also put the tables, the plot and that into docs/
dev/bench.py --from out/bench/results.json --docs
                                          the same with the results of an earlier run

Every figure comes from a process of its own. Of each size there is one ledger; the addon, and the peer
(OCA account_credit_control), are installed into copies of it. Ratios between two figures of one run say
more than seconds. The results are written to out/bench/: results.json, table.md, plot.svg. A step that fails
is told at the end; the others go on.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, paths, peer, postgres, python, runtime, say  # noqa: E402 (after the path it needs)
from measure import paper, table  # noqa: E402 (as above)

GROUPS = ("plan", "create", "wizard", "debtors", "mails", "letters", "peer", "install", "core")
#: (step, group), in this order: the later ones change the data.
STEPS = (
    ("plan_due", "plan"),
    ("plan_full", "plan"),
    ("wizard", "wizard"),
    ("badges", "debtors"),
    ("debtors", "debtors"),
    ("debtor", "debtors"),
    ("behaviour", "debtors"),
    ("create", "create"),
    ("mails", "mails"),
    ("raise", "create"),
)
#: What a step needs to have been done before.
NEEDS = {"mails": "create", "letters": "create"}
#: Invoices per turn of core's own work: turns that are close in time have the same machine.
BLOCK = 10
#: Pairs of processes that take turns. The same work in two of them differs by some per cent for as long as they live.
PAIRS = 9
#: Blocks of which the function calls are counted.
COUNTED = 6
#: How often a step that the peer has too is done, and undone: the middle counts.
TURNS = 3
CORE_WORK = ("post", "pay", "import", "list")
LETTERS = 1000
#: So many overdue items come with 200,000 posted move lines.
INSTALL_ITEMS = 57_500
#: Minutes after which a measurement is given up.
PATIENCE = 20
KINDS = ("steps", "fresh", "peer", "letters", "install", "core", "failed")


def main():
    words = _words()
    with say.failures_as_sentences():
        if words.results:
            results = _read(words.results)
        else:
            results = _measure(words)
        paper.write(results, paths.CHECKOUT / "out" / "bench")
        if words.json:
            Path(words.json).write_text(json.dumps(results, indent=1) + "\n")
        if words.docs:
            paper.write_docs(results, paths.CHECKOUT / "docs")
    table.show(results)
    sys.exit(1 if results["failed"] else 0)


def _words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="", help="numbers of overdue items (1000,10000,100000)")
    parser.add_argument("--peer-sizes", default="", help="the same for the peer, which is slow (1000,3000)")
    parser.add_argument("--only", default="", help=", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="up to 10,000 items, 200 letters")
    parser.add_argument("--repeats", type=int, help="how often 500 invoices are posted and paid (2)")
    parser.add_argument("--explain", action="store_true", help="also how PostgreSQL does it")
    parser.add_argument("--json", default="", help="also write the results to this file")
    parser.add_argument("--from", dest="results", default="", help="do not measure: take the results in this file")
    parser.add_argument("--docs", action="store_true", help="put tables and plot into docs/")
    parser.add_argument("--keep", action="store_true", help="keep the databases to look at them")
    words = parser.parse_args()
    words.sizes = _numbers(words.sizes or ("1000,10000" if words.quick else "1000,10000,100000"))
    words.peer_sizes = _numbers(words.peer_sizes or ("1000" if words.quick else "1000,3000"))
    words.repeats = words.repeats or (1 if words.quick else 2)
    words.letters = LETTERS // 5 if words.quick else LETTERS
    words.only = set(words.only.split(",")) if words.only else set(GROUPS)
    unknown = words.only - set(GROUPS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}")
    return words


def _numbers(text):
    try:
        return sorted({int(word.replace("_", "")) for word in text.split(",")})
    except ValueError:
        raise SystemExit(f"✗ “{text}” are not numbers with commas between them, such as 1000,10000.") from None


def _read(name):
    try:
        return json.loads(Path(name).read_text())
    except (OSError, ValueError) as error:
        raise say.Failure(f"The results in {name} cannot be read: {error}") from error


def _measure(words):
    started = time.monotonic()
    results = {"machine": _machine(), **{kind: [] for kind in KINDS}, "explain": None}
    with postgres.in_use():
        home, base = bootstrap.ensure()
        results["machine"]["postgres"] = postgres.psql("SHOW server_version").split()[0]
        bench = Bench(home, base, words, results)
        try:
            bench.measure()
        except KeyboardInterrupt:
            say.step("stopped; here is what there is")
            results["failed"].append({"what": "the rest", "why": "stopped by Ctrl-C"})
    results["machine"].update(load_end=_load(), minutes=(time.monotonic() - started) / 60)
    return results


def _machine():
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    load = _load()
    if load > os.cpu_count() / 2:
        say.step(f"other programs are busy on this machine (load {load}): seconds will be longer than they need be")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3,
        "system": platform.system(),
        "python": platform.python_version(),
        "load": load,
        "day": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def _load():
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0


def _command(*words):
    program = paths.CHECKOUT / "dev" / "measure" / "session.py"
    return [str(python.executable()), "-m", "env.session", str(program), *map(str, words)]


def _environ():
    return {**runtime.environment(), "PYTHONPATH": str(paths.CHECKOUT / "dev")}


def _ask(command, name, *words, addons_path=""):
    """Run one measurement in its own process and return its answer."""
    asked = " ".join([command, *map(str, words)])
    try:
        done = subprocess.run(
            _command(command, name, addons_path, *words),
            env=_environ(),
            text=True,
            capture_output=True,
            check=False,
            timeout=PATIENCE * 60,
        )
    except subprocess.TimeoutExpired as error:
        raise say.Failure(f"The measurement “{asked}” was not done after {PATIENCE} minutes.") from error
    answer = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("{")), "")
    if done.returncode or not answer:
        raise _explain_failure(f"The measurement “{asked}”", done.stderr)
    return json.loads(answer)


def _watch(command):
    """Run a command; return its seconds, those of its processor (not the database's) and the most memory, in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=_environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise _explain_failure("A measured command", output)
    return {
        "seconds": time.perf_counter() - started,
        "processor": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
    }


def _explain_failure(what, output):
    """Keep all that a program said in a file, and return the last line of it as a sentence."""
    log = paths.CHECKOUT / "out" / "bench" / "failure.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(f"{what}\n{output}\n")
    said = [line.strip() for line in output.splitlines() if line.strip()]
    return say.Failure(f"{what} stopped: {said[-1] if said else 'it gave no reason'} (more in out/bench/failure.log)")


class Bench:
    """The databases of one run: a ledger per size, and copies of it."""

    def __init__(self, home, base, words, results):
        self.home, self.base, self.words, self.results = home, base, words, results
        self.only, self.keep = words.only, words.keep

    def measure(self):
        sizes = self.words.sizes if self.only - {"core", "peer"} else []
        peer_sizes = self.words.peer_sizes if "peer" in self.only else []
        for size in sorted({*sizes, *peer_sizes}):
            with self._part(f"{size:,} items"):
                self.measure_size(size, ours=size in sizes, theirs=size in peer_sizes)
        if "install" in self.only:
            with self._part("installing on 200,000 move lines"):
                self.measure_install(INSTALL_ITEMS)
        if "core" in self.only:
            with self._part("what it costs core"):
                self.results["core"] = self.measure_core(self.words.repeats)

    def _part(self, what):
        return _Part(what, self.results["failed"])

    def _name(self, what):
        return f"dunning_bench_{paths.checkout_key()}_{what}"

    def _copy(self, name, template):
        postgres.drop(name)
        postgres.create(name, template)

    def _drop(self, names):
        for name in names if not self.keep else ():
            postgres.drop(name)

    def _make_ledger(self, size):
        ledger = self._name(f"{size}_ledger")
        self._copy(ledger, self.base)
        with say.timed(f"{size:,} overdue items"):
            return ledger, _ask("ledger", ledger, size)

    def measure_size(self, size, *, ours, theirs):
        made = [self._name(f"{size}_{what}") for what in ("ledger", "ours", "fresh", "peer")]
        try:
            ledger, facts = self._make_ledger(size)
            if ours:
                self._measure_ours(made[1], ledger, size, facts)
            if theirs:
                with self._part(f"the steps of the peer, ours, {size:,} items"):
                    self._measure_fresh(made[2], ledger, size)
                with self._part(f"{peer.MODULE}, {size:,} items"):
                    self._measure_peer(made[3], ledger, size)
        finally:
            self._drop(made)

    def _measure_ours(self, name, ledger, size, facts):
        """Measure every step in a company that has used it for a while."""
        self._copy(name, ledger)
        say.step("  installing the addon")
        installed = self._change(name, "-i", paths.MODULE)
        history = _ask("history", name)
        needed = {NEEDS.get(group, group) for group in self.only} | self.only
        explained = self.words.explain and size == max(self.words.sizes)
        for step, group in STEPS:
            if step == "create" and explained:
                self._explain(name, size)
            if group in needed:
                say.step(f"  {table.TITLES[step]}")
                with self._part(f"{table.TITLES[step]}, {size:,} items"):
                    answer = _ask("step", name, step)
                    self.results["steps"].append({"size": size, "step": step, **facts, **history, **answer})
            if step == "create" and "letters" in self.only and history["overdue"] >= 4 * self.words.letters:
                self._measure_letters(name, size)
        if explained and self.results["explain"]:
            with self._part("which indexes were used"):
                self.results["explain"].update(_ask("indexes", name))
        if "install" in self.only:
            say.step("  uninstalling it")
            with self._part(f"uninstalling, {size:,} items"):
                removed = self._change(name, "uninstall", paths.MODULE)
                self.results["install"].append({"size": size, **facts, "install": installed, "uninstall": removed})

    def _measure_letters(self, source, size):
        """Write letters, in a copy; once, in the first company with enough of them."""
        if self.results["letters"]:
            return
        name, letters = self._name(f"{size}_letters"), self.words.letters
        say.step(f"  {letters:,} letters, and bare wkhtmltopdf on the same pages")
        try:
            with self._part("letters"):
                self._copy(name, source)
                row = {"size": size, **_ask("letters", name, letters)}
                if not row["notices"]:
                    raise say.Failure("Not one letter was printed.")
                self.results["letters"].append(row)
        finally:
            self._drop([name])

    def _explain(self, name, size):
        say.step("  how PostgreSQL plans")
        with self._part("how PostgreSQL plans"):
            self.results["explain"] = {"size": size, **_ask("explain", name)}

    def measure_install(self, size):
        """Install into a company that never used it, and uninstall what was never used."""
        if size in self.words.sizes:
            return
        made = [self._name(f"{size}_ledger"), self._name(f"{size}_ours")]
        try:
            ledger, facts = self._make_ledger(size)
            self._copy(made[1], ledger)
            say.step(f"  installing and uninstalling on {facts['move_lines']:,} move lines")
            row = {"size": size, **facts, "install": self._change(made[1], "-i", paths.MODULE)}
            self.results["install"].append(row)
            row["uninstall"] = self._change(made[1], "uninstall", paths.MODULE)
        finally:
            self._drop(made)

    def _change(self, name, what, module):
        """Install or uninstall a module; tell what it took, and what it did to the ledger."""
        serve = ("-d", name, "--stop-after-init", "--no-http")
        facts = {}
        if what == "uninstall":
            command = _command("uninstall", name, "", module)
        else:
            # A server that starts pays this too, without installing anything.
            facts["start"] = _watch(runtime.odoo_command(*serve))["seconds"]
            command = runtime.odoo_command(*serve, what, module)
        before = _ask("table", name, "account_move_line")
        facts.update(_watch(command))
        time.sleep(1)  # the server counts a moment later
        after = _ask("table", name, "account_move_line")
        return {
            **facts,
            "rewritten": before["file"] != after["file"],
            "updated": after["updated"] - before["updated"],
        }

    def _measure_fresh(self, name, ledger, size):
        """Measure the steps the peer has too, in a company that begins, as there."""
        self._copy(name, ledger)
        say.step("  installing the addon into another copy, and the steps the peer has too")
        database.install(name, [paths.MODULE])
        _ask("history", name, "fresh")
        for step in ("create", "mails", "raise"):
            self.results["fresh"].append({"size": size, "step": step, **_ask("step", name, step, TURNS)})

    def _measure_peer(self, name, ledger, size):
        addons_path = peer.addons_path(self.home)
        self._copy(name, ledger)
        say.step(f"  installing {peer.MODULE}, and its steps")
        database.install(name, [peer.MODULE], f"--addons-path={addons_path}")
        for step, row in _ask("peer", name, TURNS, addons_path=addons_path).items():
            self.results["peer"].append({"size": size, "step": step, **row})

    # --- what the addon costs core ---

    def measure_core(self, repeats):
        """Do the same work in databases without and with the addon, in turns, by several pairs of processes."""
        blocks = max(2, repeats * 500 // BLOCK // PAIRS)
        pairs, calls = [], None
        with say.timed(
            f"{PAIRS} × {blocks * BLOCK} invoices posted, paid and listed, without and with the addon in turns"
        ):
            for number in range(PAIRS):
                with self._core_pair() as sides:
                    pairs.append(_take_turns(sides, blocks))
                    if not number:
                        calls = _count_calls(sides)
        return [table.compare(what, [pair[what] for pair in pairs], calls[what]) for what in CORE_WORK]

    @contextmanager
    def _core_pair(self):
        """Yield two processes, one without and one with the addon, in databases of their own."""
        sides, names = {}, {}
        try:
            for side, source in (("without", self.base), ("with", database.with_addon(self.home))):
                names[side] = self._name(side)
                self._copy(names[side], source)
                sides[side] = subprocess.Popen(
                    _command("core", names[side], ""),
                    env=_environ(),
                    text=True,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            for side in sides.values():
                _turn(side, "setup 0")
            yield sides
        finally:
            for side in sides.values():
                side.stdin.close()
                side.wait()
            self._drop(names.values())


class _Part:
    """A part of the run whose failure is told at the end and does not take the others with it."""

    def __init__(self, what, failed):
        self.what, self.failed = what, failed

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _trace):
        if not isinstance(error, say.Failure | OSError | ValueError | KeyError) or os.environ.get("DUNNING_TRACE"):
            return False
        why = str(error) if isinstance(error, say.Failure) else f"{type(error).__name__}: {error}"
        say.step(f"  ✗ {why}")
        self.failed.append({"what": self.what, "why": why})
        return True


def _take_turns(sides, blocks):
    """Return `{what: {side: answers}}`; who goes first changes every block, the first block only warms up."""
    answers = {what: {side: [] for side in sides} for what in CORE_WORK}
    order = list(sides)
    for block in range(blocks + 1):
        for side in order:
            _turn(sides[side], f"make {BLOCK}")
        for what in CORE_WORK:
            for side in order:
                answer = _turn(sides[side], f"{what} {BLOCK}")
                if block:
                    answers[what][side].append(answer)
        order.reverse()
    return answers


def _count_calls(sides):
    """Return `{what: [function calls without, with the addon]}` of a block: the same in every run.

    Of some more blocks the least counts: now and then core has to look up again what it had kept.
    """
    counted = defaultdict(lambda: defaultdict(list))
    for _number in range(COUNTED):
        for side in sides.values():
            _turn(side, f"make {BLOCK}")
        for what in CORE_WORK:
            for name, side in sides.items():
                counted[what][name].append(_turn(side, f"count:{what} {BLOCK}")["calls"])
    return {what: [min(counted[what][name]) for name in sides] for what in CORE_WORK}


def _turn(process, command):
    try:
        process.stdin.write(command + "\n")
        process.stdin.flush()
    except BrokenPipeError as error:
        raise say.Failure("A measuring process stopped with an error, shown above.") from error
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise say.Failure("A measuring process stopped with an error, shown above.")


if __name__ == "__main__":
    main()
