#!/usr/bin/env python3
"""Measure how fast the addon is with many invoices, next to core and to a peer on the same invoices.

dev/bench.py                              1,000, 10,000 and 100,000 overdue items, everything
dev/bench.py --sizes 1000,10000           smaller
dev/bench.py --only plan                  plan, create, wizard, debtors, mails, letters, peer, install, core
                                          (several with commas)
dev/bench.py --json results.json          also as JSON

Every figure comes from a process of its own. Of each size there is one ledger; the addon, and the peer
(OCA account_credit_control), are installed into copies of it. Ratios between two figures of one run say
more than seconds.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, paths, peer, postgres, python, runtime, say  # noqa: E402 (after the path it needs)
from measure import table  # noqa: E402 (as above)

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
BLOCK = 50
LETTERS = 1000


def main():
    words = _words()
    only = set(words.only.split(",")) if words.only else set(GROUPS)
    unknown = only - set(GROUPS)
    if unknown:
        raise SystemExit(f"✗ There is no {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}.")
    sizes = [int(size) for size in words.sizes.split(",")]
    peer_sizes = [int(size) for size in words.peer_sizes.split(",")] if "peer" in only else []
    results = {"machine": _machine(), "steps": [], "fresh": [], "peer": [], "letters": [], "install": [], "core": []}
    with say.failures_as_sentences(), postgres.in_use():
        home, base = bootstrap.ensure()
        bench = Bench(home, base, only, words.keep)
        if only - {"core"}:
            for size in sorted({*sizes, *peer_sizes}):
                bench.measure_size(size, results, ours=size in sizes, theirs=size in peer_sizes)
        if "core" in only:
            results["core"] = bench.measure_core(words.repeats)
    table.show(results)
    if words.json:
        Path(words.json).write_text(json.dumps(results, indent=1) + "\n")


def _words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of overdue items")
    parser.add_argument("--peer-sizes", default="1000,3000", help="numbers of overdue items for the peer: it is slow")
    parser.add_argument("--only", default="", help=", ".join(GROUPS))
    parser.add_argument("--repeats", type=int, default=1, help="how often 500 invoices are posted and paid (1)")
    parser.add_argument("--json", default="", help="also write the results to this file")
    parser.add_argument("--keep", action="store_true", help="keep the databases to look at them")
    return parser.parse_args()


def _machine():
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "load": round(load, 1)}


def _command(*words):
    program = paths.CHECKOUT / "dev" / "measure" / "session.py"
    return [str(python.executable()), "-m", "env.session", str(program), *map(str, words)]


def _environ():
    return {**runtime.environment(), "PYTHONPATH": str(paths.CHECKOUT / "dev")}


def _ask(command, name, *words, addons_path=""):
    """Run one measurement in its own process and return its answer."""
    done = subprocess.run(
        _command(command, name, addons_path, *words), env=_environ(), text=True, capture_output=True, check=False
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        asked = " ".join([command, *map(str, words)])
        raise say.Failure(f"The measurement “{asked}” stopped with an error, shown above.")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _watch(command):
    """Run a command; return its seconds and the most memory it had, in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=_environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        print(output, file=sys.stderr)
        raise say.Failure("A measured command stopped with an error, shown above.")
    return {"seconds": time.perf_counter() - started, "peak": usage.ru_maxrss / 1024}


class Bench:
    """The databases of one run: a ledger per size, and copies of it."""

    def __init__(self, home, base, only, keep):
        self.home, self.base, self.only, self.keep = home, base, only, keep

    def _name(self, what):
        return f"dunning_bench_{paths.checkout_key()}_{what}"

    def measure_size(self, size, results, *, ours, theirs):
        ledger = self._name(f"{size}_ledger")
        made = [ledger]
        try:
            self._copy(ledger, self.base)
            with say.timed(f"{size:,} overdue items"):
                facts = _ask("ledger", ledger, size)
            if ours:
                made.append(self._name(f"{size}_ours"))
                self._measure_ours(made[-1], ledger, size, facts, results)
            if theirs:
                made += [self._name(f"{size}_fresh"), self._name(f"{size}_peer")]
                self._measure_fresh(made[-2], ledger, size, results)
                self._measure_peer(made[-1], ledger, size, results)
        finally:
            if not self.keep:
                for name in made:
                    postgres.drop(name)

    def _copy(self, name, template):
        postgres.drop(name)
        postgres.create(name, template)

    def _measure_ours(self, name, ledger, size, facts, results):
        """Measure every step in a company that has used it for a while."""
        self._copy(name, ledger)
        say.step("  installing the addon")
        installed = self._install(name, paths.MODULE)
        history = _ask("history", name)
        needed = {NEEDS.get(group, group) for group in self.only} | self.only
        for step, group in STEPS:
            if group in needed:
                say.step(f"  {table.TITLES[step]}")
                answer = _ask("step", name, step)
                results["steps"].append({"size": size, "step": step, **facts, **history, **answer})
        if "letters" in self.only and history["overdue"] >= 4 * LETTERS and not results["letters"]:
            say.step("  letters, and bare wkhtmltopdf on the same pages")
            results["letters"].append({"size": size, **_ask("letters", name, LETTERS)})
        if "install" in self.only:
            say.step("  uninstalling it")
            removed = _watch(_command("uninstall", name, "", paths.MODULE))
            results["install"].append({"size": size, **facts, "install": installed, "uninstall": removed})

    def _install(self, name, module, addons_path=""):
        """Install a module into a database; tell what it took, next to starting Odoo, and what it did to the ledger."""
        options = [f"--addons-path={addons_path}"] if addons_path else []
        start = _watch(runtime.odoo_command("-d", name, "--stop-after-init", "--no-http", *options))
        before = _ask("table", name, "account_move_line", addons_path=addons_path)
        took = _watch(runtime.odoo_command("-d", name, "-i", module, "--stop-after-init", "--no-http", *options))
        time.sleep(1)  # the server counts a moment later
        after = _ask("table", name, "account_move_line", addons_path=addons_path)
        return {
            **took,
            "start": start["seconds"],
            "rewritten": before["file"] != after["file"],
            "updated": after["updated"] - before["updated"],
        }

    def _measure_fresh(self, name, ledger, size, results):
        """Measure the steps the peer has too, in a company that begins, as there."""
        self._copy(name, ledger)
        say.step("  installing the addon into another copy, and the steps the peer has too")
        database.install(name, [paths.MODULE])
        _ask("history", name, "fresh")
        for step in ("create", "mails", "raise"):
            results["fresh"].append({"size": size, "step": step, **_ask("step", name, step)})

    def _measure_peer(self, name, ledger, size, results):
        addons_path = peer.addons_path(self.home)
        self._copy(name, ledger)
        say.step(f"  installing {peer.MODULE}, and its steps")
        database.install(name, [peer.MODULE], f"--addons-path={addons_path}")
        for step, row in _ask("peer", name, addons_path=addons_path).items():
            results["peer"].append({"size": size, "step": step, **row})

    # --- what the addon costs core ---

    def measure_core(self, repeats):
        """Do the same work in a database without and in one with the addon, in turns of 50."""
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
            answers = {}
            with say.timed(f"{repeats} × 500 invoices posted, paid and listed, without and with the addon in turns"):
                for what, side, answer in _take_turns(sides, repeats * 500 // BLOCK):
                    answers.setdefault(what, {}).setdefault(side, []).append(answer)
            return [table.compare(what, pair["without"], pair["with"]) for what, pair in answers.items()]
        finally:
            for side in sides.values():
                side.stdin.close()
                side.wait()
            for name in names.values():
                postgres.drop(name)


def _take_turns(sides, blocks):
    """Yield (what, side, answer); who goes first changes every block, the first block only warms up."""
    order = list(sides)
    for block in range(blocks + 1):
        for side in order:
            _turn(sides[side], f"make {BLOCK}")
        for what in ("post", "pay", "import", "list"):
            for side in order:
                answer = _turn(sides[side], f"{what} {BLOCK}")
                if block:
                    yield what, side, answer
        order.reverse()


def _turn(process, command):
    process.stdin.write(command + "\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise say.Failure("A measuring process stopped with an error, shown above.")


if __name__ == "__main__":
    main()
