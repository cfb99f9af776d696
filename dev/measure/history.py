"""What the addon knows of a company with many invoices: notices, calls, promises and holds of before.

The program itself makes one notice and one promise; their rows are copied for the others.
"""

from datetime import timedelta
from unittest.mock import patch

from odoo.tools import SQL

from . import ledger, meter

# Shares of the debtors that had one, two and three notices, the last of them long enough ago for the next.
DEPTHS = (0.25, 0.10, 0.05)
DEBTORS_ON_HOLD = 0.03
CALLS_PER_DEBTOR, DEBTORS_WITH_PROMISE = 4, 0.1
# Days between the deadline of a notice and the next one, and since the last deadline.
PAUSE, SINCE = 3, 12


def generate(env, what=""):
    """Set up dunning, and give some debtors of the ledger a history; not when `what` is fresh, as the peer begins."""
    company = env.company
    today = company._dunning_today()
    meter.make_user(env, "bench")
    env["dunning.policy"].search([]).approval = "automatic"
    company.write(
        {
            "dunning_start_date": today - timedelta(days=1000),
            "dunning_oldest_due_date": False,
            "dunning_quiet": False,  # measured on any day and hour
            "dunning_contacts_per_week": 0,
        }
    )
    env.flush_all()
    env.cr.execute(
        "CREATE TEMP TABLE bench_debtor AS"
        " SELECT SUBSTRING(name FROM 8)::int AS nr, id FROM res_partner WHERE name LIKE 'Debtor %'"
    )
    notices = holds = 0
    if what != "fresh":
        notices = _make_notices(env, company, today)
        _make_calls(env, company, today)
        _make_promises(env, company, today)
        holds = _make_holds(env, company, today)
    env["dunning.behaviour"]._refresh(company, today)
    env.cr.commit()
    ledger.vacuum(env)
    Item = env["account.move.line"]
    overdue = [*Item._get_dunning_open_domain(), ("company_id", "=", company.id), ("date_maturity", "<", today)]
    return {"overdue": Item.search_count(overdue), "notices_before": notices, "holds": holds}


def without_paper(env):
    """Make no documents: making, freezing and attaching them is what the row of letters measures."""
    nothing = {
        "_render_pdfs": lambda self, notices, **kwargs: {},
        "_store_pdfs": lambda self, notices, pdfs, mailed: dict.fromkeys(mailed.ids, self.env["ir.attachment"].sudo()),
    }
    return patch.multiple(type(env["dunning.letter"]), **nothing)


def _make_notices(env, company, today):
    """Let notices of one, two and three levels deep have left."""
    # The debtor whose invoice was copied gets a notice, which a mail server takes.
    first = env["dunning.notice"]._create_from_decisions(
        company,
        env["dunning.planner"]._plan(
            company, today, only_due=True, partners=env["res.partner"].search([("name", "=", "BENCH")])
        ),
        today,
        state="queued",
    )
    with without_paper(env):
        env["dunning.dispatcher"]._dispatch(first)
    first._record_mailed()
    levels = company.dunning_policy_business_id.level_ids[: len(DEPTHS)]
    share, count = 0, 0
    for depth, size in enumerate(DEPTHS, 1):
        day, days = today - timedelta(days=SINCE), []
        for level in reversed(levels[:depth]):
            days.insert(0, (level, day - timedelta(days=level.payment_term_days), day))
            day = days[0][1] - timedelta(days=PAUSE)
        _find_items(env, days[0][1] - timedelta(days=levels[0].delay_days), share, share + round(size * 100))
        count += sum(_copy_notice(env, first, *told) for told in days)
        share += round(size * 100)
    env.cr.execute(
        """
        UPDATE account_move SET dunning_level_id = highest.level_id
          FROM (SELECT DISTINCT ON (line.move_id) line.move_id, line.level_id
                  FROM dunning_notice_line line JOIN dunning_level level ON level.id = line.level_id
              ORDER BY line.move_id, level.sequence DESC) highest
         WHERE highest.move_id = account_move.id
        """
    )
    return count


def _find_items(env, reached, first, last):
    """Note which items of some debtors the ladder had reached by a day."""
    env.cr.execute("DROP TABLE IF EXISTS bench_item")
    env.cr.execute(
        """
        CREATE TEMP TABLE bench_item AS
        SELECT item.id, item.move_id, item.partner_id, item.date_maturity, item.amount_residual AS rest,
               item.balance AS amount, move.name, move.invoice_date
          FROM bench_debtor debtor
          JOIN account_move_line item ON item.partner_id = debtor.id
          JOIN account_move move ON move.id = item.move_id
         WHERE debtor.nr %% 100 >= %s AND debtor.nr %% 100 < %s AND item.date_maturity <= %s
           AND item.amount_residual > 0 AND item.reconciled IS NOT TRUE
        """,
        (first, last, reached),
    )


def _copy_notice(env, first, level, day, deadline):
    """Let a notice of a level about the noted items have left on a day, one per debtor; return how many."""
    env.cr.execute("DROP TABLE IF EXISTS bench_notice")
    env.cr.execute(
        """
        CREATE TEMP TABLE bench_notice AS
        SELECT nextval('dunning_notice_id_seq')::int AS id, nextval('mail_message_id_seq')::int AS message_id, asked.*
          FROM (SELECT partner_id, COUNT(*) AS items, SUM(rest) AS rest, MIN(date_maturity) AS oldest
                  FROM bench_item GROUP BY partner_id) asked
        """
    )
    written = level.channel != "phone"
    days = {"date": SQL("%s", day), "deadline": SQL("%s", deadline)}
    overrides = {
        **dict.fromkeys(("partner_id", "recipient_id"), SQL("new.partner_id")),
        **dict.fromkeys(("amount_residual", "amount_principal", "amount_due", "amount_due_company"), SQL("new.rest")),
        **dict.fromkeys(("date_planned", "sent_on"), days["date"]),
        "id": SQL("new.id"),
        "name": SQL("'H' || new.id"),
        "level_id": SQL("%s", level.id),
        "channel": SQL("%s", level.channel),
        "line_count": SQL("new.items"),
        "oldest_due_date": SQL("new.oldest"),
        "mail_id": SQL("NULL"),  # deleted when it was sent
        "mail_message_id": SQL("new.message_id"),
        "receipt_date": SQL("%s", day + timedelta(days=1)),
    }
    if not written:
        about_mail = "subject body_intro body_closing email_to receipt_kind receipt_date delivery_state mail_message_id"
        overrides.update(dict.fromkeys(about_mail.split(), SQL("NULL")))
    else:
        numbers = {"id": SQL("new.message_id"), "res_id": SQL("new.id"), "message_id": SQL("'<' || new.id || '@b>'")}
        ledger.copy_rows(env, first.mail_message_id, "bench_notice", {**numbers, "date": days["date"]})
    ledger.copy_rows(env, first, "bench_notice", {**overrides, **days})
    if written:
        evidence = {"id": SQL("nextval('dunning_receipt_id_seq')"), "notice_id": SQL("new.id")}
        evidence["date"] = overrides["receipt_date"]
        ledger.copy_rows(env, first.receipt_ids, "bench_notice", evidence)
    overrides = {
        **dict.fromkeys(("amount_residual", "amount_due_company"), SQL("new.rest")),
        "id": SQL("nextval('dunning_notice_line_id_seq')"),
        "notice_id": SQL("(SELECT id FROM bench_notice WHERE bench_notice.partner_id = new.partner_id)"),
        "level_id": SQL("%s", level.id),
        "move_line_id": SQL("new.id"),
        "move_id": SQL("new.move_id"),
        "name": SQL("new.name"),
        "invoice_date": SQL("new.invoice_date"),
        "date_maturity": SQL("new.date_maturity"),
        "amount_original": SQL("new.amount"),
    }
    env.cr.execute("CREATE UNIQUE INDEX ON bench_notice (partner_id)")
    ledger.copy_rows(env, first.line_ids, "bench_item", {**overrides, **days})
    env.cr.execute("SELECT COUNT(*) FROM bench_notice")
    return env.cr.fetchone()[0]


def _make_holds(env, company, today):
    """Put everything of some debtors on hold, by hand as a collector does."""
    reason = env["dunning.hold.reason"].search([("kind", "=", "other")], limit=1)
    env.cr.execute(
        "SELECT id FROM bench_debtor WHERE nr %% 100 >= 90 AND nr %% 100 < %s", (90 + round(DEBTORS_ON_HOLD * 100),)
    )
    values = {"company_id": company.id, "reason_id": reason.id, "date_end": today + timedelta(days=5)}
    return len(env["dunning.hold"].create([{**values, "partner_id": debtor} for (debtor,) in env.cr.fetchall()]))


def _make_calls(env, company, today):
    """Let each debtor be called some times."""
    outcome = env["dunning.call.outcome"].search([("kind", "=", "no_answer")], limit=1)
    words = {"company": company.id, "user": env.uid, "today": today, "outcome": outcome.id, "calls": CALLS_PER_DEBTOR}
    env.cr.execute(
        """
        INSERT INTO dunning_call (company_id, partner_id, user_id, direction, date_start, date, outcome_id, kind,
                    reached, origin, next_date)
             SELECT %(company)s, debtor.id, %(user)s, 'out', day, day, %(outcome)s, 'no_answer', FALSE, 'form',
                    CASE WHEN turn = 0 THEN day::date + 3 END
               FROM bench_debtor debtor
         CROSS JOIN generate_series(0, %(calls)s - 1) turn
         CROSS JOIN LATERAL (SELECT (%(today)s::date - turn * 11 - debtor.nr %% 40)::timestamp AS day) moment
        """,
        words,
    )


def _make_promises(env, company, today):
    """Let some debtors have promised to pay their oldest item: half of them keep us waiting, half did not pay."""
    debtor = env["res.partner"].search([("name", "=", "BENCH")])
    Promise, user = env["dunning.promise"], meter.get_user(env)
    first = Promise._make(company, debtor, today + timedelta(days=3), 50, user=user, confirm=False)
    env.cr.execute(
        """
        CREATE TEMP TABLE bench_promise AS
        SELECT nextval('dunning_promise_id_seq')::int AS id, debtor.id AS partner_id, debtor.nr %% 2 = 0 AS broken,
               %(today)s::date + debtor.nr %% 9 - CASE WHEN debtor.nr %% 2 = 0 THEN 30 ELSE 0 END AS day,
               item.id AS item_id, item.move_id, item.amount_residual AS rest
          FROM bench_debtor debtor
    CROSS JOIN LATERAL (
               SELECT line.id, line.move_id, line.amount_residual FROM account_move_line line
                WHERE line.partner_id = debtor.id AND line.amount_residual > 50
             ORDER BY line.date_maturity, line.id LIMIT 1) item
         WHERE debtor.nr %% 100 < %(share)s
        """,
        {"today": today, "share": int(DEBTORS_WITH_PROMISE * 100)},
    )
    promise = {
        "id": SQL("new.id"),
        "partner_id": SQL("new.partner_id"),
        "date_made": SQL("new.day - 3"),
        "date_promised": SQL("new.day"),
        "grace_date": SQL("new.day + 2"),
        "state": SQL("CASE WHEN new.broken THEN 'broken' ELSE proto.state END"),
        "decided_on": SQL("CASE WHEN new.broken THEN new.day + 3 END"),
    }
    ledger.copy_rows(env, first, "bench_promise", promise)
    item = {"promise_id": SQL("new.id"), "move_line_id": SQL("new.item_id"), "move_id": SQL("new.move_id")}
    line = {"id": SQL("nextval('dunning_promise_line_id_seq')"), "amount_open": SQL("new.rest"), **item}
    ledger.copy_rows(env, first.line_ids, "bench_promise", line)
    env.cr.execute("DELETE FROM bench_promise WHERE broken")
    hold = {"id": SQL("nextval('dunning_hold_id_seq')"), "partner_id": SQL("new.partner_id"), **item}
    ledger.copy_rows(env, first.hold_ids, "bench_promise", {**hold, "date_end": SQL("new.day + 2")})
