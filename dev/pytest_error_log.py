"""pytest plugin: an error in Odoo's log fails the test during which it was written.

Odoo catches many exceptions (a scheduled action, a request, a mail) and only logs them, so a test
can pass over a traceback. A test that provokes one says so with `mute_logger` or `assertLogs`.
"""

import logging

import pytest


class _Collector(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


_collector = _Collector()


def pytest_configure(config):
    # Tests are reached through a link; their names are shown as one would type them in the checkout.
    config.cwd_relative_nodeid = lambda nodeid: nodeid
    logging.getLogger().addHandler(_collector)


def pytest_unconfigure(config):
    logging.getLogger().removeHandler(_collector)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when != "teardown":
        return report
    records, _collector.records = _collector.records, []
    # unittest's assertLogs and Odoo's own test results log on purpose.
    records = [record for record in records if not record.name.startswith("odoo.tests")]
    if records and report.outcome == "passed":
        formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")
        report.outcome = "failed"
        report.longrepr = "Odoo logged an error during this test:\n" + "\n".join(map(formatter.format, records))
    return report
