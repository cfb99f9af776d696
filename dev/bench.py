#!/usr/bin/env python3
"""Measure how fast the addon is with many invoices. Every figure comes from a process of its own.

dev/bench.py                              1,000, 10,000 and 100,000 overdue items; what the addon costs core
dev/bench.py --sizes 1000,10000           smaller
dev/bench.py --only plan                  plan, create, wizard, debtors or core (several with commas)
dev/bench.py --json results.json          also as JSON
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, paths, postgres, python, runtime, say  # noqa: E402 (after the path it needs)

STEPS = {
    # name: (group, title)
    "plan_due": ("plan", "planning: what is due"),
    "plan_full": ("plan", "planning: every answer"),
    "wizard": ("wizard", "opening the wizard on 500 invoices"),
    "debtors": ("debtors", "first page of the worklist (80 rows)"),
    "debtor": ("debtors", "one debtor of the worklist"),
    "behaviour": ("debtors", "payment behaviour of every debtor"),
    "create": ("create", "planning and making the notices"),
}
BLOCK = 50


def main():
    words = _words()
    only = set(words.only.split(",")) if words.only else {"plan", "create", "wizard", "debtors", "core"}
    sizes = [int(size) for size in words.sizes.split(",")]
    results = {"machine": _machine(), "steps": [], "core": []}
    with say.failures_as_sentences(), postgres.in_use():
        home, base = bootstrap.ensure()
        template = database.with_addon(home)
        if only - {"core"}:
            for size in sizes:
                results["steps"] += _measure_size(template, size, only, words)
        if "core" in only:
            results["core"] = _measure_core(base, template, words.repeats)
    _print(results)
    if words.json:
        Path(words.json).write_text(json.dumps(results, indent=1) + "\n")


def _words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of overdue items")
    parser.add_argument("--only", default="", help="plan, create, wizard, debtors, core; several with commas")
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
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version()}


def _command(*words):
    program = paths.CHECKOUT / "dev" / "bench_session.py"
    return [str(python.executable()), "-m", "env.session", str(program), *map(str, words)]


def _environ():
    return {**runtime.environment(), "PYTHONPATH": str(paths.CHECKOUT / "dev")}


def _ask(*words):
    """Run one measurement in its own process and return its answer."""
    done = subprocess.run(_command(*words), env=_environ(), text=True, capture_output=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise say.Failure(f"The measurement “{' '.join(map(str, words))}” stopped with an error, shown above.")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _measure_size(template, size, only, words):
    name = f"dunning_bench_{paths.checkout_key()}_{size}"
    results = []
    try:
        postgres.drop(name)
        postgres.create(name, template)
        with say.timed(f"{size:,} overdue items"):
            generated = _ask("generate", name, size)
        for step, (group, title) in STEPS.items():
            if group in only:
                say.step(f"  {title}")
                results.append({"size": size, "step": step, "generated": generated, **_ask("step", name, step)})
    finally:
        if not words.keep:
            postgres.drop(name)
    return results


# --- what the addon costs core ---


def _measure_core(base, template, repeats):
    """Post and pay the same invoices in a database without and in one with the addon, in turns of 50."""
    names = {"without": (f"dunning_bench_{paths.checkout_key()}_without", base)}
    names["with"] = (f"dunning_bench_{paths.checkout_key()}_with", template)
    sides = {}
    try:
        for side, (name, source) in names.items():
            postgres.drop(name)
            postgres.create(name, source)
            sides[side] = subprocess.Popen(
                _command("core", name), env=_environ(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        for side in sides.values():
            _turn(side, "setup 0")
        seconds = {(side, what): [] for side in sides for what in ("post", "pay")}
        queries = dict.fromkeys(seconds, 0)
        with say.timed(f"{repeats} × 500 invoices posted and paid, without and with the addon in turns"):
            for what, side, answer in _take_turns(sides, repeats * 500 // BLOCK):
                seconds[side, what].append(answer["seconds"])
                queries[side, what] += answer["queries"] / repeats
        return [
            {
                **_compare(what, seconds["without", what], seconds["with", what]),
                "queries": [round(queries[side, what]) for side in ("without", "with")],
            }
            for what in ("post", "pay")
        ]
    finally:
        for side in sides.values():
            side.stdin.close()
            side.wait()
        for name, _source in names.values():
            postgres.drop(name)


def _take_turns(sides, blocks):
    """Yield (what, side, answer); who goes first changes every block, the first block only warms up."""
    order = list(sides)
    for block in range(blocks + 1):
        for side in order:
            _turn(sides[side], f"make {BLOCK}")
        for what in ("post", "pay"):
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


def _compare(what, without, with_addon):
    """Compare pairs of blocks that ran next to each other: what else the machine does hits both."""
    ratios = [a / b for a, b in zip(with_addon, without, strict=True)]
    return {
        "what": "posting 500 invoices" if what == "post" else "registering 500 payments",
        "without": statistics.median(without) * 500 / BLOCK,
        "with": statistics.median(with_addon) * 500 / BLOCK,
        "ratio": statistics.median(ratios),
        "quartiles": statistics.quantiles(ratios, n=4) if len(ratios) > 3 else ratios,
        "pairs": len(ratios),
    }


# --- the table ---


def _print(results):
    machine = results["machine"]
    print(f"\n{machine['processor']}, {machine['cores']} cores, Python {machine['python']}\n")
    if results["steps"]:
        titles = ("items", "answers", "notices", "seconds", "queries", "MB more")
        print(" " * 38 + "".join(f"{title:>9}" for title in titles) + f"{'growth':>8}")
    for step, (_group, title) in STEPS.items():
        before = None
        for row in (row for row in results["steps"] if row["step"] == step):
            growth = ""
            if before and before["seconds"] > 0:
                row["growth"] = math.log(row["seconds"] / before["seconds"]) / math.log(row["size"] / before["size"])
                growth = f"{row['growth']:.2f}"
            print(
                f"{title:<38}{row['size']:>9,}{row['answers']:>9,}{row['notices']:>9,}"
                f"{row['seconds']:>9.2f}{row['queries']:>9,}{row['memory']:>9.0f}{growth:>8}"
            )
            title, before = "", row
    if results["core"]:
        head = f"{'seconds of processor':<38}{'without':>9}{'with':>9}{'ratio':>9}"
        print(f"\n{head}   middle half of the pairs, queries")
    for row in results["core"]:
        quartiles = row["quartiles"]
        print(
            f"{row['what']:<38}{row['without']:>8.2f}s{row['with']:>8.2f}s{row['ratio']:>9.3f}"
            f"   {quartiles[0]:.3f} to {quartiles[-1]:.3f}, {row['queries'][0]:,} and {row['queries'][1]:,}"
        )
    print()


if __name__ == "__main__":
    main()
