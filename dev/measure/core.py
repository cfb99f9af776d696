"""What the addon costs those who do not remind anybody: core's own work, a block of invoices at a time."""

import cProfile
import gc
import pstats

from lxml import etree

from odoo.fields import Command

from . import ledger, meter

WORK = ("post", "pay", "import", "list")
#: Invoices per block, and blocks of which the function calls are counted.
BLOCK, COUNTED = 10, 6


def measure(env, blocks):
    """Return ``{work: least seconds of a block, its queries and its function calls}``; the first block warms up.

    The least counts of the calls as well: now and then core has to look up again what it had kept.
    """
    work = _Work(env)
    rows = {what: [] for what in WORK}
    for block in range(1 + int(blocks) + COUNTED):
        work.do_make(BLOCK)
        for what in WORK:
            env.invalidate_all()
            method = getattr(work, f"do_{what}")
            if block > int(blocks):
                rows[what].append({"calls": _count_calls(env, method)})
            else:
                started, queries = meter.processor_seconds(env), env.cr.sql_log_count
                method(BLOCK)
                env.flush_all()
                seconds = meter.processor_seconds(env) - started
                rows[what].append({"seconds": seconds, "queries": env.cr.sql_log_count - queries})
            env.cr.commit()
    return {
        what: {key: min(row[key] for row in found[1:] if key in row) for key in ("seconds", "queries", "calls")}
        for what, found in rows.items()
    }


def _count_calls(env, method):
    profile = cProfile.Profile()
    gc.collect()  # what Python cleans up in between calls functions too
    gc.disable()
    try:
        profile.runcall(lambda: (method(BLOCK), env.flush_all()))
    finally:
        gc.enable()
    return pstats.Stats(profile).total_calls


class _Work:
    def __init__(self, env):
        self.env = env
        company = ledger.make_company(env)
        self.bank = env["account.journal"].search([("company_id", "=", company.id), ("type", "=", "bank")], limit=1)
        self.bank.inbound_payment_method_line_ids.payment_account_id = env["account.account"].create(
            {"name": "Under way", "code": "199099", "account_type": "asset_current", "reconcile": True}
        )
        self.partners = env["res.partner"].create([{"name": f"Debtor {nr}", "is_company": True} for nr in range(50)])
        self.user = meter.make_user(env, "core")

    def do_make(self, count):
        values = {"move_type": "out_invoice", "invoice_date": "2026-01-15"}
        self.moves = self.env["account.move"].create(
            [
                {
                    **values,
                    "partner_id": self.partners[nr % len(self.partners)].id,
                    "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100.0 + nr})],
                }
                for nr in range(count)
            ]
        )

    def do_post(self, _count):
        self.moves.action_post()

    def do_pay(self, _count):
        """Register payments of the first half."""
        moves = self.moves[: len(self.moves) // 2]
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids)
        wizard.create({"payment_date": "2026-02-20", "group_payment": False})._create_payments()

    def do_import(self, _count):
        """Import a bank statement that pays the second half, and match each line with its invoice."""
        moves = self.moves[len(self.moves) // 2 :]
        items = moves.line_ids.filtered(lambda line: line.display_type == "payment_term")
        receipts = self.env["account.bank.statement.line"].create(
            [
                {
                    "journal_id": self.bank.id,
                    "date": "2026-02-21",
                    "payment_ref": item.move_id.name,
                    "partner_id": item.partner_id.id,
                    "amount": item.amount_residual,
                    "counterpart_account_id": item.account_id.id,
                }
                for item in items
            ]
        )
        for item, receipt in zip(items, receipts, strict=True):
            (item + receipt.line_ids.filtered(lambda line, item=item: line.account_id == item.account_id)).reconcile()

    def do_list(self, count):
        """Ask what the browser asks when an accountant opens the list of invoices; so many times."""
        Move = self.env["account.move"].with_user(self.user)
        arch = etree.fromstring(Move.get_view(self.env.ref("account.view_out_invoice_tree").id, "list")["arch"])
        spec = {
            node.get("name"): _get_spec(node) if Move._fields[node.get("name")].relational else {}
            for node in arch.iter("field")
        }
        for _each in range(count):
            self.env.invalidate_all()
            Move.web_search_read([("move_type", "=", "out_invoice")], spec, limit=80, count_limit=10001)


def _get_spec(node):
    """Return what the browser asks of a reference in a list: nothing more where the column is never shown."""
    if node.get("column_invisible") == "True":
        return {"fields": {}}
    return {"fields": {"display_name": {}, **({"color": {}} if node.get("widget") == "dunning_level" else {})}}
