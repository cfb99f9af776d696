"""The benchmark: a company with many invoices, what is measured in it, and the table.

``ledger``, ``history``, ``steps``, ``documents``, ``core`` and ``peer`` run inside Odoo (``session``); the others
outside.
"""
