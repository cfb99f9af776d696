"""The tables of the benchmark: growth, ratios to the peer, to bare printing and to core."""

import math
import statistics

TITLES = {
    "plan_due": "planning: what is due",
    "plan_full": "planning: every answer",
    "wizard": "opening the wizard on 500 invoices",
    "badges": "levels of 80 contacts, for sales",
    "debtors": "first page of the worklist (80 rows)",
    "debtor": "one debtor of the worklist",
    "behaviour": "payment behaviour of every debtor",
    "create": "planning and making the notices",
    "mails": "writing and queueing mails, no paper",
    "raise": "second run, one level up",
}
CORE = {
    "post": "posting invoices",
    "pay": "registering payments",
    "import": "importing and matching receipts",
    "list": "opening the list of invoices",
}
WIDTH = 40


def compare(what, without, with_addon):
    """Compare pairs of blocks that ran next to each other: what else the machine does hits both."""
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(with_addon, without, strict=True)]
    return {
        "what": what,
        "without": sum(answer["seconds"] for answer in without),
        "with": sum(answer["seconds"] for answer in with_addon),
        "ratio": statistics.median(ratios),
        "quartiles": statistics.quantiles(ratios, n=4) if len(ratios) > 3 else ratios,
        "pairs": len(ratios),
        "queries": [sum(answer["queries"] for answer in answers) for answers in (without, with_addon)],
    }


def show(results):
    machine = results["machine"]
    print(
        f"\n{machine['processor']}, {machine['cores']} cores, load {machine['load']} at the start, "
        f"Python {machine['python']}"
    )
    for name, show_part in (
        ("steps", _show_steps),
        ("peer", _show_peer),
        ("letters", _show_letters),
        ("install", _show_install),
        ("core", _show_core),
    ):
        if results[name]:
            print()
            show_part(results)
    print()


def _head(*titles):
    print(" " * WIDTH + "".join(f"{title:>10}" for title in titles))


def _show_steps(results):
    _head("items", "answers", "notices", "seconds", "processor", "queries", "MB more", "growth")
    for step, title in TITLES.items():
        before = None
        for row in (row for row in results["steps"] if row["step"] == step):
            growth = ""
            if before and before["processor"] > 0 and row["size"] != before["size"]:
                times = row["processor"] / before["processor"]
                row["growth"] = math.log(times) / math.log(row["size"] / before["size"])
                growth = f"{row['growth']:.2f}"
            print(
                f"{title:<{WIDTH}}{row['size']:>10,}{row['answers']:>10,}{row['notices']:>10,}{row['seconds']:>10.2f}"
                f"{row['processor']:>10.2f}{row['queries']:>10,}{row['memory']:>10.0f}{growth:>10}"
            )
            title, before = "", row


def _show_peer(results):
    print("Next to OCA account_credit_control, on the same invoices")
    _head("items", "ours", "theirs", "faster", "queries", "theirs", "fewer")
    for row in results["peer"]:
        ours = next((own for own in results["fresh"] if (own["size"], own["step"]) == (row["size"], row["step"])), None)
        if not ours:
            continue
        share = _per_notice if row["step"] == "mails" else _whole
        row["faster"] = share(row, "processor") / share(ours, "processor")
        row["fewer"] = share(row, "queries") / share(ours, "queries")
        title = TITLES[row["step"]] + (", each" if row["step"] == "mails" else "")
        print(
            f"{title:<{WIDTH}}{row['size']:>10,}{share(ours, 'processor'):>10.4g}{share(row, 'processor'):>10.4g}"
            f"{row['faster']:>9.1f}×{share(ours, 'queries'):>10.4g}{share(row, 'queries'):>10.4g}{row['fewer']:>9.1f}×"
        )


def _whole(row, name):
    return row[name]


def _per_notice(row, name):
    return row[name] / max(1, row["notices"])


def _show_letters(results):
    for row in results["letters"]:
        ours, bare, alone = (
            1000 * part["seconds"] / max(1, part["notices"]) for part in (row, row["bare"], row["alone"])
        )
        busy = 1000 * row["processor"] / max(1, row["notices"])
        row["ratio"] = ours / bare
        print(f"{row['notices']:,} letters: checked, written, printed, cut, frozen and recorded")
        print(f"{'  ours, end to end':<{WIDTH}}{ours:>10.1f} ms a letter ({busy:.1f} ms of processor)")
        times = f"ours takes {row['ratio']:.2f} times that"
        print(f"{'  bare wkhtmltopdf on the same pages':<{WIDTH}}{bare:>10.1f} ms: {times}")
        print(f"{'  one process per letter':<{WIDTH}}{alone:>10.1f} ms, without anything else")
        print(f"{'  most memory':<{WIDTH}}{row['peak']:>10.0f} MB")


def _show_install(results):
    _head("items", "lines", "seconds", "start", "MB", "updated", "rewritten")
    for row in results["install"]:
        for what in ("install", "uninstall"):
            facts = row[what]
            print(
                f"{what + 'ing the addon':<{WIDTH}}{row['size']:>10,}{row['move_lines']:>10,}{facts['seconds']:>10.1f}"
                f"{facts.get('start', 0):>10.1f}{facts['peak']:>10.0f}{facts.get('updated', 0):>10,}"
                f"{'yes' if facts.get('rewritten') else 'no':>10}"
            )


def _show_core(results):
    print("Seconds of processor of core's own work, in turns of 50")
    _head("without", "with", "ratio")
    for row in results["core"]:
        quartiles = row["quartiles"]
        print(
            f"{CORE[row['what']]:<{WIDTH}}{row['without']:>9.2f}s{row['with']:>9.2f}s{row['ratio']:>10.3f}"
            f"   middle half {quartiles[0]:.3f} to {quartiles[-1]:.3f}; "
            f"{row['queries'][0]:,} and {row['queries'][1]:,} queries"
        )
