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
    company, today = make_company(env), fields.Date.today()
    debtor = _prototype_debtor(env)
    invoice = _prototype_invoice(env, debtor, today)
    env.flush_all()
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
    return company


def _prototype_debtor(env):
    return env["res.partner"].create(
        {
            "name": "BENCH",
            "is_company": True,
            "lang": "nl_NL",
            "street": "Kade 2",
            "zip": "1011 AA",
            "city": "Amsterdam",
            "country_id": env.ref("base.nl").id,
            "email": "debtor@bench.example",
            "phone": "+31 20 555 0100",
        }
    )


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


def _columns(env, table, overrides):
    """Return (columns, expressions) that copy a row of a table, except for some columns."""
    names = [
        name
        for (name,) in env.execute_query(
            SQL(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
                table,
            )
        )
    ]
    return (
        SQL(", ").join(SQL.identifier(name) for name in names),
        SQL(", ").join(overrides.get(name, SQL.identifier("proto", name)) for name in names),
    )


def _copy_debtors(env, debtor, count):
    env.cr.execute("CREATE TEMP TABLE bench_debtor (nr int PRIMARY KEY, id int)")
    env.cr.execute(
        "INSERT INTO bench_debtor SELECT nr, nextval('res_partner_id_seq') FROM generate_series(0, %s) nr", (count - 1,)
    )
    columns, values = _columns(
        env,
        "res_partner",
        {
            "id": SQL("d.id"),
            "commercial_partner_id": SQL("d.id"),
            "name": SQL("'Debtor ' || d.nr"),
            "complete_name": SQL("'Debtor ' || d.nr"),
            "email": SQL("'debtor' || d.nr || '@bench.example'"),
        },
    )
    env.execute_query(
        SQL(
            "INSERT INTO res_partner (%s) SELECT %s FROM res_partner proto, bench_debtor d"
            " WHERE proto.id = %s RETURNING 1",
            columns,
            values,
            debtor.id,
        )
    )


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
    state = {"paid": "paid", "partial": "partial"}.get(kind, "not_paid")
    columns, values = _columns(
        env,
        "account_move",
        {
            "id": SQL("m.id"),
            "name": SQL("'BENCH/' || %s || '/' || m.nr", kind),
            "sequence_prefix": SQL("'BENCH/' || %s || '/'", kind),
            "sequence_number": SQL("m.nr"),
            "move_type": SQL("%s", "entry") if kind == "credit" else SQL("proto.move_type"),
            "partner_id": SQL("m.debtor_id"),
            "commercial_partner_id": SQL("m.debtor_id"),
            "partner_shipping_id": SQL("m.debtor_id"),
            "payment_reference": SQL("'BENCH/' || %s || '/' || m.nr", kind),
            "payment_state": SQL("%s", state),
            "invoice_date": SQL("m.due_date - 30"),
            "date": SQL("LEAST(m.due_date - 30, %s)", today),
            "invoice_date_due": SQL("m.due_date"),
            "access_token": SQL("NULL"),
        },
    )
    env.execute_query(
        SQL(
            "INSERT INTO account_move (%s) SELECT %s FROM account_move proto, bench_move m"
            " WHERE proto.id = %s RETURNING 1",
            columns,
            values,
            invoice.id,
        )
    )
    receivable = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
    others = invoice.line_ids - receivable
    # (prototype line, sign of the amount, days after the due date, share of the amount)
    parts = [(receivable, 1, 0, 1.0)]
    if kind == "instalments":
        parts = [(receivable, 1, -30, 1 / 3), (receivable, 1, 0, 1 / 3), (receivable, 1, 120, 1 / 3)]
    elif kind == "credit":
        parts = [(receivable, -1, 0, 0.5)]
    open_share = {"paid": 0.0, "partial": 0.4}.get(kind, 1.0)
    for line, sign, days, share in parts + [(other, 0, 0, 1.0) for other in others]:
        _copy_lines(env, line, kind, sign, days, share, open_share)


def _copy_lines(env, line, kind, sign, days, share, open_share):
    total = SQL("ROUND((m.amount * %s)::numeric, 2)", share * (sign or -1))
    rest = SQL("ROUND((m.amount * %s)::numeric, 2)", share * sign * open_share)
    columns, values = _columns(
        env,
        "account_move_line",
        {
            "id": SQL("nextval('account_move_line_id_seq')"),
            "move_id": SQL("m.id"),
            "move_name": SQL("'BENCH/' || %s || '/' || m.nr", kind),
            "partner_id": SQL("m.debtor_id"),
            "date": SQL("m.due_date - 30"),
            "invoice_date": SQL("m.due_date - 30"),
            "date_maturity": SQL("m.due_date + %s", days) if sign else SQL("NULL"),
            "balance": total,
            "amount_currency": total,
            "debit": SQL("GREATEST(%s, 0)", total),
            "credit": SQL("GREATEST(-%s, 0)", total),
            "amount_residual": rest,
            "amount_residual_currency": rest,
            "reconciled": SQL("%s", bool(sign) and open_share == 0.0),
        },
    )
    env.execute_query(
        SQL(
            "INSERT INTO account_move_line (%s) SELECT %s FROM account_move_line proto, bench_move m"
            " WHERE proto.id = %s RETURNING 1",
            columns,
            values,
            line.id,
        )
    )


def _make_payments(env, company):
    """Match the paid items with something, so that there is a behaviour to work out."""
    env.execute_query(
        SQL(
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
              RETURNING 1
            """,
            company=company.id,
        )
    )
