"""What the tests of ``tools`` derive from: with Odoo a test class of its loader, without it a plain one.

They are about plain Python, so they also run where there is no Odoo: ``python dev/pure.py``.
"""

try:
    from odoo.tests import BaseCase, tagged
except ImportError:
    from unittest import TestCase as BaseCase

    def tagged(*_tags):
        return lambda case: case

__all__ = ['BaseCase', 'tagged']
