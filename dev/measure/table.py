"""What the figures of the benchmark mean: growth, ratios within one run, and the targets, as Markdown.

Nothing here measures and nothing needs Odoo.
"""

import math
from itertools import pairwise

#: In this order: the later ones change the data.
STEPS = {
    "bare": "reading the overdue items in bare SQL",
    "plan_due": "planning: what is due",
    "plan_full": "planning: every answer",
    "receipts": "planning beside 10,000 unmatched receipts",
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
FIXED = {"wizard", "badges", "debtor", "mails", "receipts"}
#: Seconds of processor below which the clock is most of what is measured.
NOISE = 0.1
LARGE = 100_000


def describe(results):
    """Return the whole page: the machine, a table per part that was measured, and the targets."""
    machine = results["machine"]
    text = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']:.0f} GB; Python {machine['python']},"
        f" PostgreSQL {machine.get('postgres', '?')}; load {machine['load']} at the start,"
        f" {machine.get('load_end', '?')} at the end; {machine['day']}, {machine.get('minutes', 0):.0f} minutes.\n"
    )
    return text + "".join(_as_markdown(title, columns, list(rows(results))) for title, columns, rows in TABLES)


def _as_markdown(title, columns, rows):
    """Return a table of rows that are dicts, with columns that are names and formats."""
    if not rows:
        return ""
    columns = [column.partition(":") for column in columns.split()]
    lines = [["" if name == "title" else name.replace("_", " ") for name, _colon, _format in columns]]
    lines.append(["---", *["---:"] * (len(columns) - 1)])
    for row in rows:
        values = [(row.get(name), how) for name, _colon, how in columns]
        lines.append(["" if value is None else f"{value:{how}}".replace("|", "\\|") for value, how in values])
    return f"\n**{title}**\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


# --- figures from figures ---


def get_growth(smaller, larger):
    """Return the exponent of the growth between two rows: 1 is ten times the work for ten times the items.

    :return: None where the clock is too coarse to tell
    """
    if smaller["size"] == larger["size"] or min(smaller["processor"], larger["processor"]) < NOISE:
        return None
    return math.log(larger["processor"] / smaller["processor"]) / math.log(larger["size"] / smaller["size"])


def _get_growths(results):
    """Return ``{(step, size): growth since the size before it}``, where the clock can tell."""
    rows = sorted(results["steps"], key=lambda row: (row["step"], row["size"]))
    growths = {
        (row["step"], row["size"]): get_growth(before, row)
        for before, row in pairwise(rows)
        if before["step"] == row["step"]
    }
    return {key: growth for key, growth in growths.items() if growth is not None}


def get_ratios(results):
    """Return what the peer takes over what ours takes: ``{(step, size): (ours, theirs, faster, fewer queries)}``.

    The mails are compared per notice. The peer cannot plan without making: planning alone is put next to that.
    """
    theirs = {(row["step"], row["size"]): row for row in results["peer"]}
    ratios = {}
    for row in results["fresh"]:
        other = theirs.get(({"plan_due": "create"}.get(row["step"], row["step"]), row["size"]))
        if other:
            each = [dict(side) for side in (row, other)]
            if row["step"] == "mails":
                for side in each:
                    side.update({key: side[key] / max(1, side["notices"]) for key in ("processor", "queries")})
            faster, fewer = (each[1][key] / max(each[0][key], 1e-9) for key in ("processor", "queries"))
            ratios[row["step"], row["size"]] = (*each, faster, fewer)
    return ratios


def compare(what, without, ours):
    """Return what core's work takes with the addon over without: of the processes that took turns the least."""
    keys = ("seconds", "queries", "calls")
    ratios = {key: min(row[key] for row in ours) / max(1e-9, min(row[key] for row in without)) for key in keys}
    each = [b["seconds"] / a["seconds"] for a, b in zip(without, ours, strict=True)]
    return {"what": what, **ratios, "lowest": min(each), "highest": max(each)}


# --- targets ---


def get_targets(results):
    """Yield the targets: (what, wanted, measured or None, True when met or None when this run does not tell)."""
    steps = {(row["step"], row["size"]): row for row in results["steps"]}
    plan, bare, make = (steps.get((step, LARGE)) for step in ("plan_due", "bare", "create"))
    yield _most("queries to plan 100,000 items", 10, plan and plan["queries"])
    ratio = plan["processor"] / bare["processor"] if plan and bare else None
    yield _most("planning 100,000 items, next to reading them in bare SQL", 9, ratio, " ×")
    spread = max(results["branches"], key=lambda row: row["size"], default=None)
    title = "planning what is owed to a head office and 5 branches, next to one company"
    yield _most(title, 1.1, spread and spread["times"], " ×")
    receipts = steps.get(("receipts", LARGE))
    added = receipts and plan and receipts["seconds"] - plan["seconds"]
    yield _most("seconds that 10,000 unmatched receipts add to planning 100,000 items", 0.5, added, " s")
    growths = {key: growth for key, growth in _get_growths(results).items() if key[0] not in FIXED}
    worst = max(growths, key=growths.get, default=None)
    title = f"growth exponent of every step; {STEPS[worst[0]]}" if worst else "growth exponent of every step"
    yield _most(title, 1.05, growths.get(worst))
    more = {
        step: steps[step, LARGE]["peak"] - steps[step, 10_000]["peak"]
        for step in STEPS
        if (step, LARGE) in steps and (step, 10_000) in steps
    }
    yield _most("memory from 10,000 to 100,000 items", 150, max(more.values(), default=None), " MB")
    yield _most("seconds to make 24,000 notices", 90, make and 24_000 * make["seconds"] / max(1, make["notices"]), " s")
    ratios = get_ratios(results)
    missing = (None,) * 4
    yield _least("planning alone at 3,000, next to the peer", 15, ratios.get(("plan_due", 3000), missing)[2])
    yield _least("planning and making at 3,000, next to the peer", 6, ratios.get(("create", 3000), missing)[2])
    yield _least("its queries, next to the peer", 50, ratios.get(("create", 3000), missing)[3])
    mails = ratios.get(("mails", 3000)) or ratios.get(("mails", 1000), missing)
    yield _least("mails per notice, next to the peer", 5, mails[2])
    letters = next(iter(results["letters"]), None)
    yield _most("a letter of 1,000, end to end", 40, letters and _ms(letters, "seconds"), " ms")
    core = {row["what"]: row for row in results["core"]}
    for what, title in CORE.items():
        # The clock cannot tell two per cent; the function calls are the same on every machine.
        yield _most(f"core: {title}, function calls", 1.02, core[what]["calls"] if what in core else None, " ×")
    large = min(
        (row for row in results["install"] if row["move_lines"] >= 200_000), key=lambda row: row["size"], default=None
    )
    yield _most("installing on 200,000 move lines", 15, large and large["install"]["seconds"], " s")
    touched = large and large["install"]["updated"] + large["install"]["rewritten"]
    yield _most("rows of account_move_line changed by that", 0, touched)


def _most(what, limit, value, unit=""):
    return what, f"≤ {limit}{unit}", _show(value, unit), None if value is None else value <= limit


def _least(what, limit, value, unit=" ×"):
    return what, f"≥ {limit}{unit}", _show(value, unit), None if value is None else value >= limit


def _show(value, unit):
    return value if value is None else f"{value:.4g}{unit}"


# --- rows ---


def _target_rows(results):
    words = {True: "met", False: "NOT MET", None: ""}
    for title, wanted, measured, met in get_targets(results):
        yield {"title": title, "wanted": wanted, "measured": measured or "not measured", "met": words[met]}


def _step_rows(results):
    growths, order = _get_growths(results), list(STEPS)
    for row in sorted(results["steps"], key=lambda row: (order.index(row["step"]), row["size"])):
        yield {"title": STEPS[row["step"]], **row, "growth": growths.get((row["step"], row["size"]))}


def _peer_rows(results):
    for (step, _size), (ours, theirs, faster, fewer) in get_ratios(results).items():
        other = {f"their_{key}": value for key, value in theirs.items()}
        times = {"our_time": ours["processor"], "their_time": theirs["processor"]}
        yield {**ours, **other, **times, "title": STEPS[step], "faster": faster, "fewer": fewer}


def _ms(row, key):
    return 1000 * row[key] / max(1, row["notices"])


def _letter_rows(results):
    titles = {"": "ours, end to end", "bare": "bare wkhtmltopdf on the same pages", "alone": "one process per letter"}
    for row in results["letters"]:
        for part, title in titles.items():
            side = row[part] if part else row
            figures = {key: _ms(side, key) for key in ("seconds", "processor")}
            times = figures["seconds"] / _ms(row["bare"], "seconds")
            yield {"title": title, "notices": side["notices"], **figures, "times_bare": times}


def _install_rows(results):
    for row in sorted(results["install"], key=lambda row: row["size"]):
        for what in ("install", "uninstall"):
            if what in row:
                yield {"title": f"{what}ing", **row, **row[what]}


#: (title, columns with their formats, function that gives the rows)
TABLES = (
    ("The steps, in a company that has used it for a while",
     "title size:, answers:, notices:, seconds:.2f processor:.2f queries:, memory:.0f peak:.0f growth:.2f", _step_rows),
    ("Next to OCA account_credit_control, on the same invoices, both without a history",
     "title size:, our_time:.3g their_time:.3g faster:.1f queries:.4g their_queries:.4g fewer:.1f peak:.0f "
     "their_peak:.0f",
     _peer_rows),
    ("Letters on paper: checked, written, printed, cut, frozen and recorded; milliseconds each",
     "title notices:, seconds:.1f processor:.1f times_bare:.2f", _letter_rows),
    ("Installing and uninstalling; what it did to the rows of account_move_line",
     "title size:, move_lines:, seconds:.1f start:.1f peak:.0f updated:, rewritten:", _install_rows),
    ("Core's own work, with the addon over without",
     "title seconds:.3f lowest:.3f highest:.3f queries:.3f calls:.3f",
     lambda results: [{"title": CORE[row["what"]], **row} for row in results["core"]]),
    ("Targets", "title wanted: measured: met:", _target_rows),
    ("Not measured, because it failed", "what: why:", lambda results: results["failed"]),
)  # fmt: skip
