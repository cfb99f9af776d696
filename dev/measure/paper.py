"""The results of the benchmark on paper: JSON, Markdown and a plot, in out/ and on request in docs/."""

import json

from . import plot, table

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write(results, folder):
    """Write results.json, table.md, plot.svg and (where asked for) explain.md; of a plot two sizes are needed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "table.md").write_text(table.as_markdown(results))
    drawing = plot.draw(results)
    if drawing:
        (folder / "plot.svg").write_text(drawing)
    if results.get("explain"):
        (folder / "explain.md").write_text(describe_plan(results))


def write_docs(results, folder):
    """Put the figures between their marks in performance.md, and the plot and the plan next to it."""
    page = folder / "performance.md"
    drawing = plot.draw(results)
    figures = table.as_markdown(results)
    if drawing:
        (folder / "images" / "performance.svg").write_text(drawing)
        figures = f"![Seconds of processor by number of items](images/performance.svg)\n\n{figures}"
    page.write_text(replace_figures(page.read_text(), figures))
    if results.get("explain"):
        (folder / "explain.md").write_text(describe_plan(results))


def replace_figures(text, figures):
    """Return a page with other figures between its marks; what people wrote around them stays."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page has no place for the figures: {BEGIN} and {END} are missing.")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"


def describe_plan(results):
    """Return docs/explain.md."""
    return "\n".join(_plan_parts(results))


def _plan_parts(results):
    explain = results["explain"]
    yield "# How PostgreSQL plans"
    yield ""
    yield (
        f'Made by `make bench ARGS="--explain --docs"`: the statements with which {explain["size"]:,} overdue items '
        "and all that is next to them (`docs/performance.md`) are judged, as `EXPLAIN (ANALYZE, BUFFERS)` tells of "
        "them: milliseconds (with what is below), rows and blocks of 8 kB of all loops together. What takes less than "
        f"1 % of the time is left out. {table.describe_machine(results)}."
    )
    for number, statement in enumerate(explain["statements"], 1):
        spilled = f", {statement['spilled']:,} blocks written to temporary files" if statement["spilled"] else ""
        yield ""
        yield f"## {number}. {statement['title']}"
        yield ""
        yield (
            f"{statement['rows']:,} rows; PostgreSQL plans the statement in {statement['planning']:.0f} ms and does it "
            f"in {statement['execution']:.0f} ms; {statement['buffers']:,} blocks looked at{spilled}."
        )
        yield ""
        yield "| Index | Asked | Rows | Blocks | ms |"
        yield "| --- | ---: | ---: | ---: | ---: |"
        for row in statement["indexes"]:
            yield f"| {row['index']} | {row['asked']:,} | {row['rows']:,} | {row['blocks']:,} | {row['ms']:.1f} |"
        yield ""
        yield "```text"
        yield statement["plan"]
        yield "```"
    yield from _index_parts(explain)
    yield ""


def _index_parts(explain):
    indexes = explain.get("indexes")
    if not indexes:
        return
    yield ""
    yield "## Room"
    yield ""
    yield "Bytes per row in the same company afterwards, of tables with at least a thousand rows."
    yield ""
    yield "| Table | Rows | Bytes per row | In its indexes |"
    yield "| --- | ---: | ---: | ---: |"
    for row in explain["tables"]:
        if row["rows"] >= 1000:
            heap, index = row["heap"] / row["rows"], row["index"] / row["rows"]
            yield f"| {row['table']} | {row['rows']:,} | {heap:,.0f} | {index:,.0f} |"
    yield ""
    yield "## Indexes"
    yield ""
    yield (
        "Every index of the addon, in the same company after planning, the wizard, the worklist, making notices, "
        "writing mails and a second run. Scans: how often PostgreSQL used it. Size: with what is in the table now."
    )
    yield ""
    yield "| Table | Index | Rows | Size | Scans |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for row in indexes:
        yield f"| {row['table']} | {row['index']} | {row['rows']:,} | {row['size'] / 1024:,.0f} kB | {row['scans']:,} |"
