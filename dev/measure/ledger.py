"""A company with many invoices, made set-based in a database with nothing but Odoo's own accounting.

Ours and the peer get copies of it: the same invoices, to the row.
"""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL

ITEMS_PER_DEBTOR = 4
# Of the overdue items: part of it was paid; second part of an invoice in instalments.
PARTIAL, INSTALMENTS = 0.10, 0.06
# Next to each overdue item, as a company has them.
PAID, NOT_DUE, DEBTORS_WITH_CREDIT = 0.5, 0.25, 0.02


def generate(env, size):
    """Make `size` overdue items and all that a company has next to them."""
    size, company, today = int(size), make_company(env), fields.Date.today()
    debtor = _prototype_debtor(env)
    invoice = _prototype_invoice(env, debtor, today)
    debtors = max(1, size // ITEMS_PER_DEBTOR)
    _copy_debtors(env, debtor, debtors)
    for kind, count in (
        ("plain", round(size * (1 - PARTIAL - INSTALMENTS))),
        ("partial", round(size * PARTIAL)),
        ("instalments", round(size * INSTALMENTS / 2)),
        ("paid", round(size * PAID)),
        ("not_due", round(size * NOT_DUE)),
        ("credit", round(debtors * DEBTORS_WITH_CREDIT)),
    ):
        _copy_invoices(env, invoice, debtors, kind, count, today)
    _make_payments(env, company)
    env.cr.commit()
    vacuum(env)
    (lines,) = env.execute_query(
        SQL("SELECT COUNT(*) FROM account_move_line WHERE company_id = %s AND parent_state = 'posted'", company.id)
    )[0]
    return {"debtors": debtors, "move_lines": lines}


def vacuum(env):
    """Do what the server's own housekeeping would have done; outside a transaction."""
    with env.registry.cursor() as cursor:
        cursor._cnx.set_session(autocommit=True)
        cursor.execute("VACUUM ANALYZE")


def make_company(env):
    company = env.company
    env.ref("base.EUR").active = True
    company.write({"country_id": env.ref("base.nl").id, "currency_id": env.ref("base.EUR").id})
    env["account.chart.template"].try_loading("nl", company)
    company.write({"street": "Kade 1", "city": "Amsterdam", "email": "finance@bench.example"})
    # A letter without an account to pay on waits for one.
    env["res.partner.bank"].create({"acc_number": "NL91ABNA0417164300", "partner_id": company.partner_id.id})
    return company


def _prototype_debtor(env):
    address = {"street": "Kade 2", "zip": "1011 AA", "city": "Amsterdam", "country_id": env.ref("base.nl").id}
    reached = {"email": "debtor@bench.example", "phone": "+31 20 555 0100", "lang": "nl_NL"}
    return env["res.partner"].create({"name": "BENCH", "is_company": True, **address, **reached})


def _prototype_invoice(env, debtor, today):
    move = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": debtor.id,
            "invoice_date": today - timedelta(days=60),
            "invoice_date_due": today - timedelta(days=30),
            "invoice_payment_term_id": False,
            "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100.0})],
        }
    )
    move.action_post()
    move.is_move_sent = True
    return move


def copy_rows(env, prototype, source, overrides):
    """Insert a copy of a record for each row of a table, named `new` here, but for some columns."""
    prototype.env.flush_all()
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
    names = [name for (name,) in env.execute_query(SQL(query, prototype._table))]
    env.execute_query(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s proto, %s new WHERE proto.id = %s RETURNING 1",
            SQL.identifier(prototype._table),
            SQL(", ").join(map(SQL.identifier, names)),
            SQL(", ").join(overrides.get(name, SQL.identifier("proto", name)) for name in names),
            SQL.identifier(prototype._table),
            SQL.identifier(source),
            prototype.id,
        )
    )


def _copy_debtors(env, debtor, count):
    env.cr.execute("CREATE TEMP TABLE bench_debtor (nr int PRIMARY KEY, id int)")
    env.cr.execute(
        "INSERT INTO bench_debtor SELECT nr, nextval('res_partner_id_seq') FROM generate_series(0, %s) nr", (count - 1,)
    )
    overrides = {
        "id": SQL("new.id"),
        "commercial_partner_id": SQL("new.id"),
        "name": SQL("'Debtor ' || new.nr"),
        "complete_name": SQL("'Debtor ' || new.nr"),
        # Each a mailbox of its own: to one mailbox no more than one message goes on a day.
        **dict.fromkeys(("email", "email_normalized"), SQL("'debtor' || new.nr || '@bench.example'")),
    }
    copy_rows(env, debtor, "bench_debtor", overrides)


def _copy_invoices(env, invoice, debtors, kind, count, today):
    """Copy the prototype with another debtor, amount and date each."""
    if not count:
        return
    env.cr.execute("DROP TABLE IF EXISTS bench_move")
    env.cr.execute(
        SQL(
            """
            CREATE TEMP TABLE bench_move AS
            SELECT serie.nr, nextval('account_move_id_seq')::int AS id, debtor.id AS debtor_id,
                   ROUND((20 + (serie.nr * 7919 %% 100000) / 37.0)::numeric, 2) AS amount,
                   %s::date + (%s) AS due_date
              FROM generate_series(0, %s) serie (nr)
              JOIN bench_debtor debtor ON debtor.nr = serie.nr %% %s
            """,
            today,
            SQL("3 + serie.nr %% 27") if kind == "not_due" else SQL("- 1 - serie.nr %% 90"),
            count - 1,
            debtors,
        )
    )
    name = SQL("'BENCH/' || %s || '/' || new.nr", kind)
    overrides = {
        "id": SQL("new.id"),
        "name": name,
        "sequence_prefix": SQL("'BENCH/' || %s || '/'", kind),
        "sequence_number": SQL("new.nr"),
        "move_type": SQL("%s", "entry") if kind == "credit" else SQL("proto.move_type"),
        **dict.fromkeys(("partner_id", "commercial_partner_id", "partner_shipping_id"), SQL("new.debtor_id")),
        "payment_reference": name,
        "payment_state": SQL("%s", {"paid": "paid", "partial": "partial"}.get(kind, "not_paid")),
        "invoice_date": SQL("new.due_date - 30"),
        "date": SQL("LEAST(new.due_date - 30, %s)", today),
        "invoice_date_due": SQL("new.due_date"),
        "access_token": SQL("NULL"),
    }
    copy_rows(env, invoice, "bench_move", overrides)
    receivable = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
    # (prototype line, sign of the amount, days after the due date, share of the amount)
    parts = [(receivable, 1, 0, 1.0)]
    if kind == "instalments":
        parts = [(receivable, 1, -30, 1 / 3), (receivable, 1, 0, 1 / 3), (receivable, 1, 120, 1 / 3)]
    elif kind == "credit":
        parts = [(receivable, -1, 0, 0.5)]
    open_share = {"paid": 0.0, "partial": 0.4}.get(kind, 1.0)
    for line, sign, days, share in parts + [(other, 0, 0, 1.0) for other in invoice.line_ids - receivable]:
        total = SQL("ROUND((new.amount * %s)::numeric, 2)", share * (sign or -1))
        rest = SQL("ROUND((new.amount * %s)::numeric, 2)", share * sign * open_share)
        overrides = {
            "id": SQL("nextval('account_move_line_id_seq')"),
            "move_id": SQL("new.id"),
            "move_name": name,
            "partner_id": SQL("new.debtor_id"),
            **dict.fromkeys(("date", "invoice_date"), SQL("new.due_date - 30")),
            "date_maturity": SQL("new.due_date + %s", days) if sign else SQL("NULL"),
            **dict.fromkeys(("balance", "amount_currency"), total),
            "debit": SQL("GREATEST(%s, 0)", total),
            "credit": SQL("GREATEST(-%s, 0)", total),
            **dict.fromkeys(("amount_residual", "amount_residual_currency"), rest),
            "reconciled": SQL("%s", bool(sign) and open_share == 0.0),
        }
        copy_rows(env, line, "bench_move", overrides)


def _make_payments(env, company):
    """Match the paid items with something, so that there is a behaviour to work out."""
    env.cr.execute(
        """
        INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, amount, debit_amount_currency,
                    credit_amount_currency, max_date, company_id)
             SELECT item.id, credit.id, item.balance, item.balance, item.balance,
                    item.date_maturity + (item.id %% 40) - 5, item.company_id
               FROM account_move_line item
               -- Any credit does: only its kind of entry is looked at.
         CROSS JOIN (SELECT MIN(line.id) AS id
                       FROM account_move_line line
                       JOIN account_move move ON move.id = line.move_id
                      WHERE move.move_type = 'entry' AND line.company_id = %(company)s) credit
              WHERE item.reconciled AND item.balance > 0 AND item.date_maturity IS NOT NULL
                AND credit.id IS NOT NULL AND item.company_id = %(company)s
        """,
        {"company": company.id},
    )


def uninstall(env):
    """Uninstall the addon as an administrator does; the caller holds the clock."""
    env["ir.module.module"].search([("name", "=", "l10n_nl_dunning")]).button_immediate_uninstall()


def describe_table(env, name):
    """Return how a table is stored, and how many of its rows were updated since the server counts."""
    query = SQL("SELECT pg_relation_filenode(relid), n_tup_upd FROM pg_stat_user_tables WHERE relname = %s", name)
    return dict(zip(("file", "updated"), env.execute_query(query)[0], strict=True))
