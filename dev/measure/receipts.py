"""Receipts on the bank that nobody matched, of payers known and unknown, as people write."""

from datetime import timedelta

from odoo.tools import SQL

from . import ledger

COUNT = 10_000


def generate(env):
    """Make the receipts; return what to do when they are not needed any more."""
    company, today = env.company, env.company._dunning_today()
    journal = env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
    receipt = env["account.bank.statement.line"].create(
        {"journal_id": journal.id, "date": today - timedelta(days=3), "amount": 10.0, "payment_ref": "BENCH"}
    )
    env.cr.execute(
        """
        CREATE TEMP TABLE bench_receipt AS
        SELECT nr, nextval('account_move_id_seq')::int AS move_id, nextval('account_bank_statement_line_id_seq')::int
                   AS id, item.partner_id, 1 + (nr * 7919 %% 100000) / 97 AS amount,
               CASE nr %% 4 WHEN 0 THEN 'Invoice ' || LOWER(item.move_name) WHEN 1 THEN 'customer 4711 of ' || nr
                            WHEN 2 THEN '/EREF/' || item.move_name || '//REMI/thank you/' ELSE 'transfer' END AS text
          FROM (SELECT ROW_NUMBER() OVER () - 1 AS nr, line.partner_id, line.move_name
                  FROM account_move_line line JOIN account_account account ON account.id = line.account_id
                 WHERE line.amount_residual > 0 AND account.account_type = 'asset_receivable' LIMIT %s) item
        """,
        (COUNT,),
    )
    # Of each second one the bank knows the payer.
    partner = SQL("CASE WHEN new.nr %% 2 = 0 THEN new.partner_id END")
    names = {"name": SQL("'BENCHBANK/' || new.nr"), "sequence_prefix": SQL("'BENCHBANK/'")}
    numbers = {"sequence_number": SQL("new.nr"), "access_token": SQL("NULL"), "partner_id": partner}
    # The entry and the receipt name each other.
    ids = {"id": SQL("new.move_id"), "statement_line_id": SQL("NULL")}
    ledger.copy_rows(env, receipt.move_id, "bench_receipt", {**ids, **names, **numbers})
    overrides = {"id": SQL("new.id"), "move_id": SQL("new.move_id"), "partner_id": partner}
    overrides.update(payment_ref=SQL("new.text"), amount=SQL("new.amount"), amount_residual=SQL("-new.amount"))
    ledger.copy_rows(env, receipt, "bench_receipt", overrides)
    env.cr.execute(
        "UPDATE account_move SET statement_line_id = new.id FROM bench_receipt new WHERE account_move.id = new.move_id"
    )
    for line in receipt.move_id.line_ids:
        amount = SQL("%s * new.amount", 1 if line.balance > 0 else -1)
        values = dict.fromkeys(("balance", "amount_currency", "amount_residual", "amount_residual_currency"), amount)
        values.update(id=SQL("nextval('account_move_line_id_seq')"), move_id=SQL("new.move_id"), partner_id=partner)
        values.update(debit=SQL("GREATEST(%s, 0)", amount), credit=SQL("GREATEST(-(%s), 0)", amount))
        ledger.copy_rows(env, line, "bench_receipt", {**values, "statement_line_id": SQL("new.id")})
    env.cr.commit()
    ledger.vacuum(env)

    def remove():
        for table, column in (
            ("account_move_line", "move_id"),
            ("account_bank_statement_line", "move_id"),
            ("account_move", "id"),
        ):
            env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE %s IN (SELECT move_id FROM bench_receipt UNION ALL SELECT %s)",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    receipt.move_id.id,
                )
            )
        env.cr.commit()
        ledger.vacuum(env)

    return remove
