"""Our pytest plugin: an error in Odoo's log fails the test during which it was written.

Odoo catches many exceptions (a scheduled action, a request, a mail) and only logs them, so a test
can pass over a traceback. A test that provokes one says so with `mute_logger` or `assertLogs`.

It also lets a run on several processors begin with what takes longest.
"""

import dataclasses
import logging
import os
import sys
from collections import Counter
from logging.handlers import BufferingHandler

import pytest

PLAIN = (str, int, float, bool, type(None))
#: About how many seconds a class (or a file of `dev/checks`) takes, when that is not what its number of tests suggests.
SECONDS = {
    "dev/checks/test_core_rules.py": 90,
    "dev/checks/test_style.py": 90,
    "dev/checks/test_tests.py": 20,
    "tests/agreement/test_arrangement_referee.py::TestArrangementReferee": 25,
    "tests/collecting/test_debtor_screen.py::TestDebtorScreenTours": 60,
    "tests/kernel/test_faults.py::TestFaults": 100,
    "tests/kernel/test_install.py::TestLifeOfTheAddon": 90,
    "tests/law/test_law_stories.py::TestBusinesses": 30,
    "tests/law/test_law_stories.py::TestConsumers": 80,
    "tests/law/test_letter_world.py::TestLetterWorld": 50,
    "tests/planner/test_one_message.py::TestTurns": 50,
    "tests/agreement/test_promise_replay.py::TestPromiseReplay": 30,
    "tests/kernel/test_properties.py::TestLifeOfADebtor": 50,
    "tests/kernel/test_properties.py::TestPlannerProperties": 20,
    "tests/sending/test_queue_job.py::TestQueueJob": 60,
    "tests/kernel/test_replay.py::TestReplay": 60,
    "tests/kernel/test_soak.py::TestSoak": 30,
    "tests/kernel/test_state_machine.py::TestLifeWithPeople": 80,
    "tests/kernel/test_tours.py::TestTours": 50,
    "tests/kernel/test_trace.py::TestTrace": 50,
    "tests/kernel/test_upgrade.py::TestUpgradeFrom100": 80,
    "tests/kernel/test_upgrade.py::TestUpgradeFrom130": 90,
}


_collector = BufferingHandler(sys.maxsize)
_collector.setLevel(logging.ERROR)
_has_failed = pytest.StashKey()


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    # Tests are reached through a link; their names are shown as one would type them in the checkout.
    config.cwd_relative_nodeid = lambda nodeid: nodeid
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.startpath = config.rootpath
    logging.getLogger().addHandler(_collector)


def _scope(item):
    """Return what a worker gets as a whole: a class, or a file without classes."""
    return item.nodeid.split("[")[0].rsplit("::", 1)[0]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that no worker ends alone with it; within a class nothing changes."""
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        return
    seconds = Counter({_scope(item): 3 for item in items})
    seconds.update(_scope(item) for item in items)
    for scope in seconds:
        seconds[scope] = SECONDS.get(scope, seconds[scope])
    items.sort(key=lambda item: (-seconds[_scope(item)], _scope(item)))


def pytest_unconfigure(config):
    logging.getLogger().removeHandler(_collector)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    """Name subtests by text: workers can only send plain values, and stories are told with dates and amounts."""
    context = getattr(report, "context", None)
    if context is not None:
        plain = {key: value if type(value) in PLAIN else str(value) for key, value in context.kwargs.items()}
        report.context = dataclasses.replace(context, msg=context.msg and str(context.msg), kwargs=plain)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.outcome == "failed":
        item.stash[_has_failed] = True
    if call.when != "teardown":
        return report
    records, _collector.buffer = _collector.buffer, []
    if records and not item.stash.get(_has_failed, False):
        formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")
        report.outcome = "failed"
        report.longrepr = "Odoo logged an error during this test:\n" + "\n".join(map(formatter.format, records))
    return report
