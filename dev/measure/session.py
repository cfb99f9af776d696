"""The measurements of `dev/bench.py` inside Odoo; prints one JSON object per answer."""

import json
import os
import resource
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

from env.session import odoo_environment
from lxml import etree

from odoo.fields import Command
from odoo.tools import SQL

ITEMS_PER_DEBTOR = 4
# Of the overdue items: part of it was paid; second part of an invoice in instalments.
PARTIAL, INSTALMENTS = 0.10, 0.06
# Next to each overdue item, as a company has them.
PAID, NOT_DUE, DEBTORS_WITH_CREDIT, DEBTORS_WITH_NOTICE = 0.5, 0.25, 0.02, 0.4
CALLS_PER_DEBTOR, DEBTORS_WITH_PROMISE = 4, 0.1
PAGE = 80
REPEATS = 5


def main(command, database, *words):
    with odoo_environment(database) as env:
        if command == "core":
            _serve_core(env)
        else:
            answer = generate(env, int(words[0])) if command == "generate" else measure(env, words[0])
            print(json.dumps(answer), flush=True)


def _answer(**values):
    print(json.dumps(values), flush=True)


# --- measuring ---


def measure(env, step):
    company = env.company
    today = company._dunning_today()
    method = globals()[f"_step_{step}"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    # A step that changes something is done once; the others are repeated and the middle one counts.
    for _repeat in range(1 if step == "create" else REPEATS):
        env.invalidate_all()
        queries, started = env.cr.sql_log_count, time.perf_counter()
        answers, notices = method(env, company, today)
        seconds.append(time.perf_counter() - started)
        queries = env.cr.sql_log_count - queries
    return {
        "seconds": statistics.median(seconds),
        "first": seconds[0],
        "queries": queries,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024,
        "answers": answers,
        "notices": notices,
    }


def _step_plan_due(env, company, today):
    return len(env["dunning.planner"]._plan(company, today, only_due=True)), 0


def _step_plan_full(env, company, today):
    return len(env["dunning.planner"]._plan(company, today)), 0


def _step_create(env, company, today):
    def checkpoint(*args, **kwargs):
        env.cr.commit()
        return float("inf")

    notices = env["dunning.run"]._plan_company(company, today, checkpoint=checkpoint)["notices"]
    return env["dunning.notice.line"].search_count([("notice_id", "in", notices.ids)]), len(notices)


def _step_debtors(env, company, today):
    """What the browser asks for when the list opens, as a collector: the rows, and how many there are."""
    page = _ask_debtors(env, [("amount_collectable", ">", 0)])
    return len(page["records"]), 0


def _step_debtor(env, company, today):
    partner = env["res.partner"].search([("name", "=", "Debtor 7")])
    page = _ask_debtors(env, [("partner_id", "=", partner.id)])
    return len(page["records"]), 0


def _step_behaviour(env, company, today):
    return env["dunning.behaviour"]._refresh(company, today), 0


def _ask_debtors(env, domain):
    Debtor = env["dunning.debtor"].with_user(_get_user(env))
    arch = etree.fromstring(env.ref("l10n_nl_dunning.dunning_debtor_view_list").arch)
    fields = [node.get("name") for node in arch.iter("field")]
    spec = {
        name: {"fields": {"display_name": {}}} if Debtor._fields[name].relational else {} for name in fields
    }
    return Debtor.web_search_read(domain, spec, limit=PAGE, count_limit=10001)


def _get_user(env):
    return env["res.users"].search([("login", "=", "bench")])


def _step_wizard(env, company, today):
    user = _get_user(env)
    moves = env["account.move"].search([("name", "like", "BENCH/")], limit=500, order="id")
    action = moves.with_user(user).action_dunning_send()
    wizard = env[action["res_model"]].with_user(user).browse(action["res_id"])
    spec = {
        name: {"fields": {}} if name in ("group_ids", "skip_ids") else {}
        for name in ("summary", "group_ids", "skip_ids")
    }
    wizard.web_read(spec)
    return len(wizard.skip_ids), len(wizard.group_ids)


# --- a company with many invoices ---


def generate(env, size):
    """Make `size` overdue items and all that a company has next to them, set-based."""
    company, today = _make_company(env), env.company._dunning_today()
    env["res.users"].with_context(no_reset_password=True).create(
        {
            "name": "Bench",
            "login": "bench",
            "group_ids": [Command.set([env.ref("base.group_user").id, env.ref("account.group_account_invoice").id])],
        }
    )
    env["dunning.policy"].search([]).approval = "automatic"
    company.write(
        {
            "dunning_start_date": today - timedelta(days=1000),
            "dunning_oldest_due_date": False,
            "dunning_breaker_factor": 0,  # nobody is there to let a run of this size go
        }
    )
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
    notices = _make_history(env, company, today)
    _make_calls(env, company, today)
    _make_payments(env, company)
    env["dunning.behaviour"]._refresh(company, today)
    env.cr.commit()
    # Outside a transaction, as the server's own housekeeping would.
    with env.registry.cursor() as cursor:
        cursor._cnx.set_session(autocommit=True)
        cursor.execute("VACUUM ANALYZE")
    overdue = env["account.move.line"].search_count(
        [
            *env["account.move"]._get_dunning_open_items_domain(),
            ("company_id", "=", company.id),
            ("date_maturity", "<", today),
        ]
    )
    return {"debtors": debtors, "overdue": overdue, "notices_before": notices}


def _make_company(env):
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


def _make_history(env, company, today):
    """Give some debtors an earlier notice about what was overdue then."""
    level = env["dunning.level"].search([("policy_id", "=", company.dunning_policy_business_id.id)], limit=1)
    date = today - timedelta(days=max(level.payment_term_days, 0) + 12)
    notices = env.execute_query(
        SQL(
            """
            INSERT INTO dunning_notice (name, company_id, partner_id, recipient_id, currency_id, level_id, policy_id,
                        channel, state, origin, date_planned, date, deadline, sent_on, line_count, lang)
                 SELECT 'H' || debtor.nr, %(company)s, debtor.id, debtor.id, %(currency)s, %(level)s, %(policy)s,
                        'email', 'sent', 'scheduled', %(date)s, %(date)s, %(deadline)s, %(date)s, 1, 'nl_NL'
                   FROM bench_debtor debtor
                  WHERE debtor.nr %% 100 < %(share)s
              RETURNING 1
            """,
            company=company.id,
            currency=company.currency_id.id,
            level=level.id,
            policy=level.policy_id.id,
            date=date,
            deadline=date + timedelta(days=level.payment_term_days),
            share=int(DEBTORS_WITH_NOTICE * 100),
        )
    )
    env.execute_query(
        SQL(
            """
            INSERT INTO dunning_notice_line (notice_id, company_id, move_line_id, move_id, level_id, date, deadline,
                        status, date_maturity, amount_residual)
                 SELECT notice.id, notice.company_id, item.id, item.move_id, notice.level_id, notice.date,
                        notice.deadline, 'sent', item.date_maturity, item.amount_residual
                   FROM dunning_notice notice
                   JOIN account_move_line item ON item.partner_id = notice.partner_id
                  WHERE item.date_maturity <= notice.date - %s AND item.amount_residual > 0
                    AND item.reconciled IS NOT TRUE
              RETURNING 1
            """,
            max(level.delay_days, 0),
        )
    )
    return len(notices)


def _make_calls(env, company, today):
    """Let each debtor be called some times, and some of them have promised to pay."""
    outcome = env["dunning.call.outcome"].search([("kind", "=", "no_answer")], limit=1)
    env.execute_query(
        SQL(
            """
            INSERT INTO dunning_call (company_id, partner_id, user_id, direction, date_start, date, outcome_id, kind,
                        reached, origin, next_date)
                 SELECT %(company)s, debtor.id, %(user)s, 'out', day, day, %(outcome)s, 'no_answer', FALSE, 'form',
                        CASE WHEN turn = 0 THEN day::date + 3 END
                   FROM bench_debtor debtor
             CROSS JOIN generate_series(0, %(calls)s - 1) turn
             CROSS JOIN LATERAL (SELECT (%(today)s::date - turn * 11 - debtor.nr %% 40)::timestamp AS day) moment
              RETURNING 1
            """,
            company=company.id,
            user=env.uid,
            outcome=outcome.id,
            calls=CALLS_PER_DEBTOR,
            today=today,
        )
    )
    env.execute_query(
        SQL(
            """
            INSERT INTO dunning_promise (company_id, partner_id, currency_id, user_id, date_made, date_promised,
                        grace_date, amount, state, decided_on, turn)
                 SELECT %(company)s, debtor.id, %(currency)s, %(user)s, %(today)s::date - 30,
                        %(today)s::date + debtor.nr %% 9, %(today)s::date + debtor.nr %% 9 + 2, 50,
                        CASE WHEN debtor.nr %% 2 = 0 THEN 'broken' ELSE 'running' END,
                        CASE WHEN debtor.nr %% 2 = 0 THEN %(today)s::date - debtor.nr %% 25 END, 1
                   FROM bench_debtor debtor
                  WHERE debtor.nr %% 100 < %(share)s
              RETURNING 1
            """,
            company=company.id,
            currency=company.currency_id.id,
            user=env.uid,
            today=today,
            share=int(DEBTORS_WITH_PROMISE * 100),
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


# --- what the addon costs core ---


def _serve_core(env):
    """Make, post and pay invoices on request; answer with the seconds it took."""
    moves = env["account.move"]
    partners = env["res.partner"]
    for line in sys.stdin:
        command, count = line.split()
        env.invalidate_all()
        started, queries = _get_processor_seconds(env), env.cr.sql_log_count
        if command == "setup":
            company = _make_company(env)
            bank = env["account.journal"].search(
                [("company_id", "=", company.id), ("type", "=", "bank")], limit=1
            )
            bank.inbound_payment_method_line_ids.payment_account_id = env["account.account"].create(
                {"name": "Under way", "code": "199099", "account_type": "asset_current", "reconcile": True}
            )
            partners = env["res.partner"].create([{"name": f"Debtor {nr}", "is_company": True} for nr in range(50)])
        elif command == "make":
            moves = env["account.move"].create(
                [
                    {
                        "move_type": "out_invoice",
                        "partner_id": partners[nr % len(partners)].id,
                        "invoice_date": "2026-01-15",
                        "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100.0 + nr})],
                    }
                    for nr in range(int(count))
                ]
            )
        elif command == "post":
            moves.action_post()
        elif command == "pay":
            env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids).create(
                {"payment_date": "2026-02-20", "group_payment": False}
            )._create_payments()
        env.flush_all()
        seconds, queries = _get_processor_seconds(env) - started, env.cr.sql_log_count - queries
        env.cr.commit()
        _answer(seconds=seconds, queries=queries)


def _get_processor_seconds(env):
    """Return the seconds of processor this process and its database session used; the clock where that is unknown.

    What else the machine does counts for much less than on the clock.
    """
    try:
        fields = Path(f"/proc/{env.cr._cnx.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.perf_counter()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(*sys.argv[1:])
