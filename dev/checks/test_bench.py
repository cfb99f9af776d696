"""What the benchmark says of its figures is right: growth, ratios, targets, the tables and the page they go into."""

import sys
from pathlib import Path

import pytest
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import paper, plot, table

MACHINE = {
    "processor": "Abacus",
    "cores": 4,
    "memory": 16.0,
    "system": "Linux",
    "python": "3.11",
    "postgres": "18",
    "load": 0.1,
    "day": "2026-11-23",
}


def step(name, size, processor, **facts):
    usual = {"answers": 0, "notices": 0, "seconds": processor, "queries": 8, "memory": 1.0, "peak": 150.0}
    return {"step": name, "size": size, "processor": processor, **usual, **facts}


def results(**parts):
    kinds = ("steps", "fresh", "peer", "letters", "install", "core", "failed")
    return {"machine": MACHINE, **{kind: [] for kind in kinds}, "explain": None, **parts}


def target(found, what):
    (row,) = [row for row in table.get_targets(found) if what in row[0]]
    return row


def test_growth():
    """Ten times the items: ten times the work is 1, a hundred times is 2."""
    assert table.get_growth(step("create", 1000, 1), step("create", 10_000, 10)) == pytest.approx(1)
    assert table.get_growth(step("create", 1000, 1), step("create", 10_000, 100)) == pytest.approx(2)
    assert table.get_growth(step("create", 1000, 0.3), step("create", 3000, 0.3)) == pytest.approx(0)


def test_growth_that_the_clock_cannot_tell():
    assert table.get_growth(step("create", 1000, 0.01), step("create", 10_000, 1)) is None
    assert table.get_growth(step("create", 1000, 1), step("create", 1000, 2)) is None


def test_growth_target():
    """One step that grows too fast is enough, and is named; a step of fixed size does not hide it or cause it."""
    linear = [
        step("create", 1000, 1),
        step("create", 10_000, 10.5),
        step("wizard", 1000, 1),
        step("wizard", 10_000, 90),
    ]
    assert target(results(steps=linear), "growth")[3] is True
    square = [*linear, step("raise", 1000, 1), step("raise", 10_000, 12)]
    what = target(results(steps=square), "growth")
    assert what[3] is False
    assert "second run" in what[2]


@pytest.mark.parametrize(("queries", "seconds", "expected"), [(10, 3.0, True), (11, 2.0, False), (9, 3.1, False)])
def test_planning_targets(queries, seconds, expected):
    found = results(steps=[step("plan_due", 100_000, seconds, queries=queries)])
    met = [target(found, what)[3] for what in ("queries to plan", "planning 100,000")]
    assert all(met) is expected


def test_memory_target():
    """What counts is the most memory of a process, between 10,000 and 100,000, in the worst step."""
    steps = [step("plan_due", size, 1, peak=peak) for size, peak in ((1000, 0), (10_000, 200), (100_000, 350))]
    assert target(results(steps=steps), "memory")[3] is True
    steps[-1]["peak"] = 351
    assert target(results(steps=steps), "memory")[3] is False


def test_peer_is_compared_by_the_same_size_and_mails_by_the_notice():
    ours = [step("create", 1000, 1), step("create", 3000, 2, queries=10), step("mails", 3000, 10, notices=1000)]
    theirs = [step("create", 3000, 30, queries=300), step("mails", 3000, 40, notices=800)]
    found = results(fresh=ours, peer=theirs)
    ratios = table.get_ratios(found)
    assert set(ratios) == {("create", 3000), ("mails", 3000)}
    assert ratios["create", 3000]["faster"] == pytest.approx(15)
    assert ratios["create", 3000]["fewer"] == pytest.approx(30)
    assert ratios["mails", 3000]["faster"] == pytest.approx(5)
    assert [row[3] for row in table.get_targets(found) if "peer" in row[0]] == [True, True, True]


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert {row[3] for row in table.get_targets(results())} == {None}


def pair(ratio):
    """The machine slows down halfway; both sides of a pair suffer, so the ratio does not."""
    without = [{"seconds": seconds, "queries": 100} for seconds in [1.0] * 5 + [3.0] * 5]
    return {
        "without": without,
        "with": [{"seconds": row["seconds"] * ratio, "queries": 101} for row in without],
    }


def test_core_is_compared_pair_by_pair():
    row = table.compare("post", [pair(1.01)] * 9, [1000, 1500])
    assert row["ratio"] == pytest.approx(1.01)
    assert row["queries"] == [9000, 9090]
    assert target(results(core=[row]), "core: posting")[3] is True
    row = table.compare("post", [pair(1.03)] * 9, [1000, 1001])
    assert target(results(core=[row]), "core: posting")[3] is False


def test_where_the_clock_cannot_tell_calls_decide():
    """One process is faster than the next for as long as it lives: that much, its hundred blocks do not change."""
    pairs = [pair(ratio) for ratio in (0.97, 0.98, 0.99, 1.0, 1.01, 1.03, 1.04, 1.05, 1.06)]
    row = table.compare("post", pairs, [1000, 1019])
    assert row["between"] == [pytest.approx(0.98), pytest.approx(1.05)]
    assert target(results(core=[row]), "core: posting")[3] is True
    row = table.compare("post", pairs, [1000, 1021])
    assert target(results(core=[row]), "core: posting")[3] is False


def test_interval_of_a_median():
    """From the tables of the sign test: of 20 values the 6th and the 15th."""
    assert table.get_interval(range(1, 21)) == [6, 15]
    assert table.get_interval(range(1, 11)) == [2, 9]
    assert table.get_interval([3, 1, 2]) == [1, 3]


def test_install_target_is_about_the_ledger_of_that_size():
    def install(lines, seconds, **facts):
        usual = {"seconds": seconds, "start": 3.0, "peak": 190.0, "updated": 0, "rewritten": False}
        return {"size": lines // 4, "move_lines": lines, "install": {**usual, **facts}}

    found = results(install=[install(3_500, 20), install(201_000, 14), install(350_000, 16)])
    assert target(found, "installing on 201,000")[3] is True
    assert target(found, "account_move_line")[3] is True
    found = results(install=[install(201_000, 14, rewritten=True)])
    assert target(found, "account_move_line")[3] is False
    assert target(results(install=[install(3_500, 2)]), "installing on")[3] is None


def test_tables_say_the_same_on_paper_and_on_the_terminal():
    found = results(
        steps=[step("plan_due", 1000, 0.5), step("plan_due", 10_000, 5, answers=9558)],
        failed=[{"what": "letters", "why": "no | paper"}],
    )
    for text in (table.as_markdown(found), "\n".join(part.as_text() for part in table.get_tables(found))):
        assert "planning: what is due" in text
        assert "9,558" in text
        assert "1.00" in text
        assert "not measured" in text
    markdown = table.as_markdown(found)
    assert "no \\| paper" in markdown
    widths = {
        line.replace("\\|", "").count("|")
        for line in markdown.splitlines()
        if line.startswith("| planning: what is due")
    }
    assert widths == {11}


def test_plot_is_a_picture_with_a_line_per_step():
    steps = [step(name, size, size / 1000) for name in ("plan_due", "create") for size in (1000, 10_000)]
    drawing = plot.draw(results(steps=steps))
    names = [text.text for text in etree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]
    assert {"planning", "planning + notices", "10,000"} <= set(names)
    assert plot.draw(results(steps=steps[:1])) == ""


def test_figures_are_put_between_their_marks_only():
    page = f"# Title\n\n{paper.BEGIN}\n\nold\n\n{paper.END}\n\nwhat people wrote\n"
    text = paper.replace_figures(page, "new\n")
    assert text == f"# Title\n\n{paper.BEGIN}\n\nnew\n\n{paper.END}\n\nwhat people wrote\n"
    assert paper.replace_figures(text, "new") == text
    with pytest.raises(ValueError, match="no place"):
        paper.replace_figures("# Title\n", "new")


def test_the_page_has_a_place_for_the_figures():
    docs = Path(__file__).resolve().parents[2] / "docs"
    paper.replace_figures((docs / "performance.md").read_text(), "")
