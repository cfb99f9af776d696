"""What the benchmark says of its figures is right: growth, ratios, targets and the page."""

import pytest
from measure import table

MACHINE = {"processor": "Abacus", "cores": 4, "memory": 16.0, "python": "3.11", "load": 0.1, "day": "2026-11-23"}


def step(name, size, processor, **facts):
    usual = {"answers": 0, "notices": 0, "seconds": processor, "queries": 8, "memory": 1.0, "peak": 150.0}
    return {"step": name, "size": size, "processor": processor, **usual, **facts}


def results(**parts):
    kinds = ("steps", "branches", "fresh", "peer", "letters", "install", "core", "failed")
    return {"machine": MACHINE, **{kind: [] for kind in kinds}, **parts}


def is_met(found, what):
    (met,) = [met for title, _wanted, _value, met in table.get_targets(found) if what in title]
    return met


def test_growth():
    """Ten times the items: ten times the work is 1, a hundred times is 2; what the clock cannot tell is nothing."""
    assert table.get_growth(step("create", 1000, 1), step("create", 10_000, 10)) == pytest.approx(1)
    assert table.get_growth(step("create", 1000, 1), step("create", 10_000, 100)) == pytest.approx(2)
    assert table.get_growth(step("create", 1000, 0.01), step("create", 10_000, 1)) is None
    assert table.get_growth(step("create", 1000, 1), step("create", 1000, 2)) is None


def test_growth_target():
    """One step that grows too fast is enough, and is named; a step of fixed size does not hide it or cause it."""
    linear = [step("create", 1000, 1), step("create", 10_000, 10.5)]
    linear += [step("wizard", 1000, 1), step("wizard", 10_000, 90)]
    assert is_met(results(steps=linear), "growth") is True
    square = [*linear, step("raise", 1000, 1), step("raise", 10_000, 12)]
    assert is_met(results(steps=square), "growth exponent of every step; second run") is False


@pytest.mark.parametrize(
    ("queries", "processor", "few", "fast"), [(10, 2.25, True, True), (11, 2.26, False, False), (9, 0.3, True, True)]
)
def test_planning_targets(queries, processor, few, fast):
    """Planning is judged by what reading the same items in SQL takes in the same run."""
    steps = [step("bare", 100_000, 0.25), step("plan_due", 100_000, processor, queries=queries)]
    assert is_met(results(steps=steps), "queries to plan") is few
    assert is_met(results(steps=steps), "bare SQL") is fast


def test_branches_are_judged_in_the_largest_company():
    rows = [{"size": size, "times": times} for size, times in ((10_000, 1.3), (100_000, 1.1))]
    assert is_met(results(branches=rows), "5 branches") is True
    rows[1]["times"] = 1.11
    assert is_met(results(branches=rows), "5 branches") is False


def test_memory_and_time_of_a_large_company():
    """What counts is the most memory of a process, between 10,000 and 100,000, in the worst step."""
    steps = [step("create", size, 1, peak=peak) for size, peak in ((1000, 0), (10_000, 200), (100_000, 350))]
    steps[-1].update(notices=12_000, seconds=45)
    assert is_met(results(steps=steps), "memory") is True
    assert is_met(results(steps=steps), "24,000") is True
    steps[-1].update(peak=351, seconds=46)
    assert is_met(results(steps=steps), "memory") is False
    assert is_met(results(steps=steps), "24,000") is False


def test_peer_is_compared_by_the_same_size_and_mails_by_the_notice():
    ours = [step("create", 1000, 1), step("create", 3000, 5, queries=10), step("mails", 3000, 10, notices=1000)]
    ours.append(step("plan_due", 3000, 2))
    theirs = [step("create", 3000, 30, queries=500), step("mails", 3000, 40, notices=800)]
    found = results(fresh=ours, peer=theirs)
    figures = {key: row[2:] for key, row in table.get_ratios(found).items()}
    assert figures == {
        ("create", 3000): (pytest.approx(6), pytest.approx(50)),
        ("mails", 3000): (pytest.approx(5), pytest.approx(1.25)),
        ("plan_due", 3000): (pytest.approx(15), pytest.approx(62.5)),
    }
    assert [met for what, _wanted, _value, met in table.get_targets(found) if "peer" in what] == [True] * 4


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert {met for _what, _wanted, _value, met in table.get_targets(results())} == {None}


def test_core_is_compared_by_the_least():
    """The machine slows down halfway: of each side the least counts. The calls decide."""
    without = [{"seconds": seconds, "queries": 100, "calls": 1000} for seconds in (1.0, 3.0)]
    for most, met in ((1020, True), (1021, False)):
        ours = [{"seconds": seconds, "queries": 101, "calls": most} for seconds in (1.01, 3.6)]
        row = table.compare("post", without, ours)
        figures = [row[key] for key in ("seconds", "queries", "lowest", "highest")]
        assert figures == pytest.approx([1.01, 1.01, 1.01, 1.2])
        assert is_met(results(core=[row]), "core: posting") is met


def test_install_target_is_about_the_ledger_of_that_size():
    def install(lines, seconds, **facts):
        usual = {"seconds": seconds, "start": 3.0, "peak": 190.0, "updated": 0, "rewritten": False}
        return {"size": lines // 4, "move_lines": lines, "install": {**usual, **facts}}

    found = results(install=[install(3_500, 20), install(201_000, 14), install(350_000, 16)])
    assert is_met(found, "installing on") is True
    assert is_met(found, "account_move_line") is True
    assert is_met(results(install=[install(201_000, 14, rewritten=True)]), "account_move_line") is False
    assert is_met(results(install=[install(3_500, 2)]), "installing on") is None


def test_page():
    steps = [step("plan_due", 1000, 0.5), step("plan_due", 10_000, 5, answers=9558)]
    text = table.describe(results(steps=steps, failed=[{"what": "letters", "why": "no | paper"}]))
    (row,) = [line for line in text.splitlines() if "10,000 | 9,558" in line]
    assert row == "| planning: what is due | 10,000 | 9,558 | 0 | 5.00 | 5.00 | 8 | 1 | 150 | 1.00 |"
    assert "no \\| paper" in text
    assert "not measured" in text
    assert "Letters on paper" not in text
