"""What the figures of the benchmark say: growth, ratios to the peer, to bare printing and to core, and the targets.

Nothing here measures and nothing needs Odoo: from the results of a run (`out/bench/results.json`) come the
tables, on the terminal and as Markdown.
"""

import itertools
import math
import statistics
from dataclasses import dataclass, field

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
#: Steps that do a fixed amount of work in whatever large company: growth is not what is asked of them.
FIXED = {"wizard", "badges", "debtor", "mails"}
#: What core's own work may take more, with the addon.
CORE_LIMIT = 1.02
#: Seconds of processor below which the ticks of the clock (10 ms) are most of what is measured.
NOISE = 0.1
WIDTH = 40


@dataclass
class Table:
    """A table of text: its title, its head, its rows, and sentences below it."""

    title: str
    head: list
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def as_text(self):
        lines = [self.title, " " * WIDTH + "".join(f"{name:>11}" for name in self.head[1:])]
        for first, *others in self.rows:
            width = WIDTH if len(first) < WIDTH else len(first) + 1
            lines.append(f"{first:<{width}}" + "".join(f"{cell:>11}" for cell in others))
        return "\n".join([*lines, *self.notes]) + "\n"

    def as_markdown(self):
        lines = [f"**{self.title}**", "", _line(self.head), _line(["---", *("---:" for _name in self.head[1:])])]
        lines += [_line(row) for row in self.rows]
        if self.notes:
            lines += ["", " ".join(self.notes)]
        return "\n".join(lines) + "\n"


def _line(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


# --- figures from figures ---


def get_growth(smaller, larger):
    """Return the exponent of the growth between two rows: 1 is ten times the work for ten times the items.

    :return: None where the clock is too coarse to tell
    """
    if smaller["size"] == larger["size"] or min(smaller["processor"], larger["processor"]) < NOISE:
        return None
    return math.log(larger["processor"] / smaller["processor"]) / math.log(larger["size"] / smaller["size"])


def get_growths(steps):
    """Return {(step, size): growth since the size before it}."""
    found = {}
    for step in TITLES:
        rows = _rows_of(steps, step)
        for before, row in itertools.pairwise(rows):
            found[step, row["size"]] = get_growth(before, row)
    return found


def get_memory_growth(steps, smaller, larger):
    """Return {step: MB of memory a process needs more at its most}, between two sizes."""
    found = {}
    for step in TITLES:
        peaks = {row["size"]: row["peak"] for row in _rows_of(steps, step)}
        if smaller in peaks and larger in peaks:
            found[step] = peaks[larger] - peaks[smaller]
    return found


def _rows_of(steps, step):
    return sorted((row for row in steps if row["step"] == step), key=lambda row: row["size"])


def get_share(row, name):
    """Return a figure of a step as it is compared with the peer: the mails per notice, the others whole."""
    return row[name] / max(1, row["notices"]) if row["step"] == "mails" else row[name]


def get_ratios(results):
    """Return what the peer takes over what ours takes: {(step, size): {"faster", "fewer", "ours", "theirs"}}."""
    found = {}
    ours = {(row["step"], row["size"]): row for row in results["fresh"]}
    for theirs in results["peer"]:
        key = theirs["step"], theirs["size"]
        if key in ours:
            found[key] = {
                "ours": ours[key],
                "theirs": theirs,
                "faster": get_share(theirs, "processor") / max(get_share(ours[key], "processor"), 1e-9),
                "fewer": get_share(theirs, "queries") / max(get_share(ours[key], "queries"), 1e-9),
            }
    return found


def compare(what, pairs, calls):
    """Compare blocks that ran next to each other, by several pairs of processes.

    What else the machine does hits both of a pair. That a process is faster than the next for as long as it lives, with
    the same work, does not: so the interval is that of the pairs, not of their blocks.

    :param pairs: per pair of processes, the answers `{"without": [...], "with": [...]}`
    :param calls: function calls of one block, without and with the addon
    """
    ratios = [
        statistics.median(a["seconds"] / b["seconds"] for a, b in zip(pair["with"], pair["without"], strict=True))
        for pair in pairs
    ]
    row = {side: sum(answer["seconds"] for pair in pairs for answer in pair[side]) for side in ("without", "with")}
    return {
        "what": what,
        **row,
        "ratio": statistics.median(ratios),
        "between": get_interval(ratios),
        "pairs": len(ratios),
        "calls": calls,
        "queries": [
            sum(answer["queries"] for pair in pairs for answer in pair[side]) for side in ("without", "with")
        ],
    }


def get_interval(values):
    """Return the two of these values between which their true median lies, with a certainty of 95 %.

    By counting only (the sign test): nothing is assumed about how a busy machine spreads them.
    """
    values = sorted(values)
    if len(values) < 6:
        return [values[0], values[-1]]
    tail, lowest = 0.0, 0
    while True:
        tail += math.comb(len(values), lowest) / 2 ** len(values)
        if tail > 0.025:
            return [values[lowest - 1], values[-lowest]]
        lowest += 1


# --- targets ---


def get_targets(results):
    """Return the targets as (what, wanted, measured, True when met or None when this run does not tell)."""
    return [*_planning_targets(results), *_peer_targets(results), *_other_targets(results)]


def _target(what, wanted, value, met, text="{:.3g}"):
    if value is None:
        return what, wanted, "not measured", None
    answer = met(value)
    return what, wanted, text.format(value), answer if answer is None else bool(answer)


def _planning_targets(results):
    steps = results["steps"]
    plan = next((row for row in steps if (row["step"], row["size"]) == ("plan_due", 100_000)), None)
    yield _target("queries to plan 100,000 items", "≤ 10", plan and plan["queries"], lambda value: value <= 10, "{:,}")
    yield _target("planning 100,000 items", "≤ 3 s", plan and plan["seconds"], lambda value: value <= 3, "{:.2f} s")
    growths = {key: value for key, value in get_growths(steps).items() if value is not None and key[0] not in FIXED}
    worst = max(growths, key=growths.get, default=None)
    value = f"{growths[worst]:.2f} ({TITLES[worst[0]]})" if worst else None
    yield _target("growth exponent of every step", "≤ 1.05", value, lambda _text: growths[worst] <= 1.05, "{}")
    memory = get_memory_growth(steps, 10_000, 100_000)
    most = max(memory, key=memory.get, default=None)
    value = f"{memory[most]:+.0f} MB ({TITLES[most]})" if most else None
    yield _target("memory from 10,000 to 100,000 items", "≤ +150 MB", value, lambda _text: memory[most] <= 150, "{}")


def _peer_targets(results):
    ratios = get_ratios(results)
    create, mails = ratios.get(("create", 3000)), ratios.get(("mails", 3000)) or ratios.get(("mails", 1000))
    yield _target(
        "queries of planning and making at 3,000, next to the peer",
        "30 × fewer",
        create and create["fewer"],
        lambda value: value >= 30,
        "{:.1f} ×",
    )
    yield _target(
        "planning and making at 3,000, next to the peer",
        "15 × faster",
        create and create["faster"],
        lambda value: value >= 15,
        "{:.1f} ×",
    )
    yield _target(
        "mails per notice, next to the peer",
        "5 × faster",
        mails and mails["faster"],
        lambda value: value >= 5,
        "{:.1f} ×",
    )


def _is_light(row):
    """Return whether core's work hardly takes longer with the addon.

    Where the clock cannot tell, the function calls decide: they are the same on every machine.
    """
    low, high = row["between"]
    if low < CORE_LIMIT <= high:
        return row["calls"][1] / row["calls"][0] < CORE_LIMIT
    return high < CORE_LIMIT


def _other_targets(results):
    letters = results["letters"][-1] if results["letters"] else None
    yield _target(
        "a letter of 1,000, end to end",
        "≤ 40 ms",
        letters and 1000 * letters["seconds"] / max(1, letters["notices"]),
        lambda value: value <= 40,
        "{:.1f} ms",
    )
    core = {row["what"]: row for row in results["core"]}
    for what, title in CORE.items():
        row = core.get(what)
        value = None
        if row:
            low, high = row["between"]
            more = row["calls"][1] / row["calls"][0] - 1
            value = f"{row['ratio'] - 1:+.1%} ({low - 1:+.1%} to {high - 1:+.1%}), calls {more:+.1%}"
        yield _target(f"core: {title}", "< +2 %", value, lambda _text, row=row: _is_light(row), "{}")
    large = [row for row in results["install"] if row["move_lines"] >= 200_000]
    row = min(large, key=lambda row: row["move_lines"], default=None)
    lines = f"{row['move_lines']:,}" if row else "200,000"
    yield _target(
        f"installing on {lines} lines",
        "< 15 s",
        row and row["install"]["seconds"],
        lambda value: value < 15,
        "{:.1f} s",
    )
    value = f"{row['install']['updated']:,} rows, {_yes(row['install']['rewritten'])}" if row else None
    yield _target(
        "rows of account_move_line changed by that, table rewritten",
        "0, no",
        value,
        lambda _text: not row["install"]["updated"] and not row["install"]["rewritten"],
        "{}",
    )


def _yes(flag):
    return "yes" if flag else "no"


# --- tables ---


def get_tables(results):
    """Return the tables of whatever was measured."""
    makers = (
        ("steps", _steps_table),
        ("peer", _peer_table),
        ("letters", _letters_table),
        ("install", _install_table),
        ("core", _core_table),
    )
    tables = [maker(results) for name, maker in makers if results[name]]
    tables.append(_targets_table(results))
    if results["failed"]:
        rows = [[row["what"], row["why"]] for row in results["failed"]]
        tables.append(Table("Not measured, because it failed", ["", "why"], rows))
    return tables


def describe_machine(results):
    machine = results["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']:.0f} GB, {machine['system']}; "
        f"Python {machine['python']}, PostgreSQL {machine['postgres']}; "
        f"load {machine['load']} at the start, {machine.get('load_end', '?')} at the end; {machine['day']}, "
        f"{machine.get('minutes', 0):.0f} minutes"
    )


def show(results):
    print(f"\n{describe_machine(results)}\n")
    for table in get_tables(results):
        print(table.as_text())


def as_markdown(results):
    return "\n".join([describe_machine(results) + ".\n", *(table.as_markdown() for table in get_tables(results))])


def _steps_table(results):
    table = Table(
        "The steps, in a company that has used it for a while",
        ["", "items", "answers", "notices", "seconds", "processor", "queries", "MB more", "MB at most", "growth"],
    )
    growths = get_growths(results["steps"])
    for step, title in TITLES.items():
        for row in _rows_of(results["steps"], step):
            growth = growths.get((step, row["size"]))
            table.rows.append(
                [
                    title,
                    f"{row['size']:,}",
                    f"{row['answers']:,}" if row["answers"] else "",
                    f"{row['notices']:,}" if row["notices"] else "",
                    f"{row['seconds']:.2f}",
                    f"{row['processor']:.2f}",
                    f"{row['queries']:,}",
                    f"{row['memory']:.0f}",
                    f"{row['peak']:.0f}",
                    "" if growth is None else f"{growth:.2f}",
                ]
            )
            title = ""
    return table


def _peer_table(results):
    table = Table(
        "Next to OCA account_credit_control, on the same invoices, both without a history (seconds of processor)",
        ["", "items", "ours", "theirs", "faster", "queries", "theirs", "fewer", "MB", "theirs"],
    )
    for (step, size), row in get_ratios(results).items():
        ours, theirs = row["ours"], row["theirs"]
        table.rows.append(
            [
                TITLES[step] + (", each" if step == "mails" else ""),
                f"{size:,}",
                f"{get_share(ours, 'processor'):.4g}",
                f"{get_share(theirs, 'processor'):.4g}",
                f"{row['faster']:.1f} ×",
                f"{get_share(ours, 'queries'):.4g}",
                f"{get_share(theirs, 'queries'):.4g}",
                f"{row['fewer']:.1f} ×",
                f"{ours['peak']:.0f}",
                f"{theirs['peak']:.0f}",
            ]
        )
    return table


def _letters_table(results):
    table = Table(
        "Letters on paper: checked, written, printed, cut, frozen and recorded",
        ["", "letters", "ms each", "processor", "MB at most"],
    )
    for row in results["letters"]:
        for title, part in (
            ("ours, end to end", row),
            ("bare wkhtmltopdf on the same pages", row["bare"]),
            ("one process per letter, nothing else", row["alone"]),
        ):
            count = max(1, part["notices"])
            table.rows.append(
                [
                    title,
                    f"{part['notices']:,}",
                    f"{1000 * part['seconds'] / count:.1f}",
                    f"{1000 * part['processor'] / count:.1f}",
                    f"{part['peak']:.0f}" if "peak" in part else "",
                ]
            )
        bare = row["bare"]["seconds"] / max(1, row["bare"]["notices"])
        ratio = row["seconds"] / max(1, row["notices"]) / bare if bare else 0
        table.notes.append(f"End to end is {ratio:.2f} times bare printing.")
    return table


def _install_table(results):
    table = Table(
        "Installing and uninstalling",
        ["", "items", "move lines", "seconds", "Python's", "of it start", "MB at most", "updated", "rewritten"],
        notes=["Updated and rewritten: rows of account_move_line that changed, and whether its file was replaced."],
    )
    for row in sorted(results["install"], key=lambda row: row["size"]):
        for what in ("install", "uninstall"):
            facts = row.get(what)
            if not facts:
                continue
            table.rows.append(
                [
                    f"{what}ing",
                    f"{row['size']:,}",
                    f"{row['move_lines']:,}",
                    f"{facts['seconds']:.1f}",
                    f"{facts['processor']:.1f}" if "processor" in facts else "",
                    f"{facts['start']:.1f}" if "start" in facts else "",
                    f"{facts['peak']:.0f}",
                    f"{facts['updated']:,}",
                    _yes(facts["rewritten"]),
                ]
            )
    return table


def _core_table(results):
    table = Table(
        "Core's own work without and with the addon, in turns (seconds of processor)",
        ["", "without", "with", "ratio", "from", "to", "queries", "with", "calls", "with"],
        notes=[
            f"The ratio is the median of {results['core'][0]['pairs']} pairs of processes;"
            " it lies between from and to with a certainty of 95 %.",
            "Calls are the function calls in Python of ten invoices.",
        ],
    )
    if any(row["between"][0] < CORE_LIMIT <= row["between"][1] for row in results["core"]):
        table.notes.append("Where 1.02 lies between from and to, the clock cannot tell, and the calls decide.")
    for row in results["core"]:
        table.rows.append(
            [
                CORE[row["what"]],
                f"{row['without']:.2f}",
                f"{row['with']:.2f}",
                f"{row['ratio']:.3f}",
                f"{row['between'][0]:.3f}",
                f"{row['between'][1]:.3f}",
                f"{row['queries'][0]:,}",
                f"{row['queries'][1]:,}",
                f"{row['calls'][0]:,}",
                f"{row['calls'][1]:,}",
            ]
        )
    return table


def _targets_table(results):
    words = {True: "met", False: "NOT MET", None: ""}
    table = Table("Targets", ["", "wanted", "measured", ""])
    table.rows = [[what, wanted, value, words[met]] for what, wanted, value, met in get_targets(results)]
    return table
