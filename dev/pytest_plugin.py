"""Our pytest plugin: an error in Odoo's log fails the test during which it was written.

Odoo catches many exceptions (a scheduled action, a request, a mail) and only logs them, so a test
can pass over a traceback. A test that provokes one says so with `mute_logger` or `assertLogs`.
"""

import dataclasses
import logging

import pytest

PLAIN = (str, int, float, bool, type(None))


class _Collector(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


_collector = _Collector()
_has_failed = pytest.StashKey()


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    # Tests are reached through a link; their names are shown as one would type them in the checkout.
    config.cwd_relative_nodeid = lambda nodeid: nodeid
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.startpath = config.rootpath
    logging.getLogger().addHandler(_collector)


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
    records, _collector.records = _collector.records, []
    if records and not item.stash.get(_has_failed, False):
        formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")
        report.outcome = "failed"
        report.longrepr = "Odoo logged an error during this test:\n" + "\n".join(map(formatter.format, records))
    return report
