"""The benchmark: a company with many invoices, what is measured in it, and what the figures say.

Inside Odoo (``session``) run ``ledger``, ``history``, ``steps``, ``core`` and ``peer``; outside it ``table``.
``trace`` counts how often everyday work changes file.
"""
