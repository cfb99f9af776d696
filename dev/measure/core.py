"""What the addon costs those who do not remind anybody: core's own work, on request, in turns."""

import json
import sys

from lxml import etree

from odoo.fields import Command

from . import ledger, meter

PAGE = 80


def serve(env):
    """Make, post and pay invoices, import payments and open the list, on request; answer with what each took."""
    work = _Work(env)
    for line in sys.stdin:
        command, count = line.split()
        env.invalidate_all()
        started, queries = meter.processor_seconds(env), env.cr.sql_log_count
        getattr(work, f"do_{command}")(int(count))
        env.flush_all()
        answer = {
            "seconds": meter.processor_seconds(env) - started,
            "queries": env.cr.sql_log_count - queries,
        }
        env.cr.commit()
        print(json.dumps(answer), flush=True)


class _Work:
    def __init__(self, env):
        self.env = env
        self.moves = env["account.move"]

    def do_setup(self, _count):
        env = self.env
        company = ledger.make_company(env)
        domain = [("company_id", "=", company.id), ("type", "=", "bank")]
        self.bank = env["account.journal"].search(domain, limit=1)
        self.bank.inbound_payment_method_line_ids.payment_account_id = env["account.account"].create(
            {"name": "Under way", "code": "199099", "account_type": "asset_current", "reconcile": True}
        )
        self.partners = env["res.partner"].create([{"name": f"Debtor {nr}", "is_company": True} for nr in range(50)])
        groups = [env.ref("base.group_user").id, env.ref("account.group_account_invoice").id]
        self.user = (
            env["res.users"]
            .with_context(no_reset_password=True)
            .create({"name": "Core", "login": "core", "group_ids": [Command.set(groups)]})
        )

    def do_make(self, count):
        self.moves = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partners[nr % len(self.partners)].id,
                    "invoice_date": "2026-01-15",
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
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids).create(
            {"payment_date": "2026-02-20", "group_payment": False}
        )._create_payments()

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
        names = {node.get("name") for node in arch.iter("field") if node.get("column_invisible") != "True"}
        spec = {
            name: {"fields": {"display_name": {}}} if Move._fields[name].relational else {} for name in sorted(names)
        }
        for _each in range(count):
            self.env.invalidate_all()
            Move.web_search_read([("move_type", "=", "out_invoice")], spec, limit=PAGE, count_limit=10001)
