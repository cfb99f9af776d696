"""The benchmark: a company with many invoices, what is measured in it, and what the figures say.

Inside Odoo (``session``) run ``ledger``, ``history``, ``steps``, ``documents``, ``core``, ``explain`` and
``peer``; outside it ``table``, ``plot`` and ``paper``.
"""
