"""Everyday work stays a short walk through the files of the addon.

The demonstration, the counting and what is wanted are in the development environment (``dev/measure/trace.py``).
"""

from datetime import datetime, time
from unittest import SkipTest

from freezegun.api import freeze_time

from odoo.tests import TransactionCase, tagged

from ..common import letter_bytes

try:
    import demo_data
    from env import paths  # noqa: F401 (tells that it is the environment of this project)
except ImportError:
    demo_data = None


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTrace(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not demo_data:
            raise SkipTest("the demonstration is in the development environment (dev/)")
        from measure import trace

        cls.trace = trace
        cls.classPatch(
            cls.registry['dunning.letter'], '_render_pdfs',
            lambda self, notices, *args, **kwargs: {notice.id: letter_bytes(notice) for notice in notices})
        cls.classPatch(cls.registry['dunning.arrangement'], '_print_document', lambda *args, **kwargs: b'%PDF-1.4')
        with freeze_time(datetime.combine(trace.TODAY, time(8)), ignore=['psycopg2']):
            demo_data.load(cls.env)

    def test_journeys_are_short(self):
        walks = self.trace.trace_all(self.env)
        self.trace.show(walks)
        self.assertFalse(self.trace.find_too_long(walks), "a journey became longer: see LIMITS")
        walks['approve one e-mail'] = self.trace.Walk(*(number + 10 for number in walks['approve one e-mail']))
        self.assertEqual(len(self.trace.find_too_long(walks)), 4)
