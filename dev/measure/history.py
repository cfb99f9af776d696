"""What the addon knows of a company with many invoices: notices, calls, promises and holds of before."""

from datetime import timedelta

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
        holds = _make_holds(env, company, today)
    env["dunning.behaviour"]._refresh(company, today)
    env.cr.commit()
    ledger.vacuum(env)
    Item = env["account.move.line"]
    overdue = [*Item._get_dunning_open_domain(), ("company_id", "=", company.id), ("date_maturity", "<", today)]
    return {"overdue": Item.search_count(overdue), "notices_before": notices, "holds": holds}


def _make_notices(env, company, today):
    """Let notices of one, two and three levels deep have left."""
    levels = company.dunning_policy_business_id.level_ids[: len(DEPTHS)]
    first, count = 0, 0
    for depth, share in enumerate(DEPTHS, 1):
        last = first + round(share * 100)
        day = today - timedelta(days=SINCE)
        for level in reversed(levels[:depth]):
            deadline = day
            day -= timedelta(days=max(level.payment_term_days, 0))
            count += _make_notices_at(env, company, level, day, deadline, first, last)
            day -= timedelta(days=PAUSE)
        first = last
    return count


def _make_notices_at(env, company, level, day, deadline, first, last):
    words = {"company": company.id, "currency": company.currency_id.id, "level": level.id, "policy": level.policy_id.id}
    words.update(date=day, deadline=deadline, first=first, last=last)
    env.cr.execute(
        """
        INSERT INTO dunning_notice (name, company_id, partner_id, recipient_id, currency_id, level_id, policy_id,
                    channel, state, origin, date_planned, date, deadline, sent_on, line_count, lang)
             SELECT 'H' || debtor.nr || '-' || %(level)s, %(company)s, debtor.id, debtor.id, %(currency)s,
                    %(level)s, %(policy)s, 'email', 'sent', 'scheduled', %(date)s, %(date)s, %(deadline)s,
                    %(date)s, 1, 'nl_NL'
               FROM bench_debtor debtor
              WHERE debtor.nr %% 100 >= %(first)s AND debtor.nr %% 100 < %(last)s
          RETURNING id
        """,
        words,
    )
    notices = env.cr.fetchall()
    env.cr.execute(
        """
        INSERT INTO dunning_notice_line (notice_id, company_id, move_line_id, move_id, level_id, date, deadline,
                    status, date_maturity, amount_residual)
             SELECT notice.id, notice.company_id, item.id, item.move_id, notice.level_id, notice.date,
                    notice.deadline, 'sent', item.date_maturity, item.amount_residual
               FROM dunning_notice notice
               JOIN account_move_line item ON item.partner_id = notice.partner_id
              WHERE notice.id = ANY(%s) AND item.date_maturity <= notice.date - %s AND item.amount_residual > 0
                AND item.reconciled IS NOT TRUE
        """,
        ([row[0] for row in notices], max(level.delay_days, 0)),
    )
    return len(notices)


def _make_holds(env, company, today):
    """Put everything of some debtors on hold, by hand as a collector does."""
    reason = env["dunning.hold.reason"].search([("kind", "=", "other")], limit=1)
    env.cr.execute(
        "SELECT id FROM bench_debtor WHERE nr %% 100 >= 90 AND nr %% 100 < %s", (90 + round(DEBTORS_ON_HOLD * 100),)
    )
    values = {"company_id": company.id, "reason_id": reason.id, "date_end": today + timedelta(days=5)}
    return len(env["dunning.hold"].create([{**values, "partner_id": debtor} for (debtor,) in env.cr.fetchall()]))


def _make_calls(env, company, today):
    """Let each debtor be called some times, and some of them have promised to pay."""
    outcome = env["dunning.call.outcome"].search([("kind", "=", "no_answer")], limit=1)
    words = {"company": company.id, "currency": company.currency_id.id, "user": env.uid, "today": today}
    words.update(outcome=outcome.id, calls=CALLS_PER_DEBTOR, share=int(DEBTORS_WITH_PROMISE * 100))
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
    env.cr.execute(
        """
        INSERT INTO dunning_promise (company_id, partner_id, currency_id, user_id, date_made, date_promised,
                    grace_date, amount, state, decided_on, turn)
             SELECT %(company)s, debtor.id, %(currency)s, %(user)s, %(today)s::date - 30,
                    %(today)s::date + debtor.nr %% 9, %(today)s::date + debtor.nr %% 9 + 2, 50,
                    CASE WHEN debtor.nr %% 2 = 0 THEN 'broken' ELSE 'running' END,
                    CASE WHEN debtor.nr %% 2 = 0 THEN %(today)s::date - debtor.nr %% 25 END, 1
               FROM bench_debtor debtor
              WHERE debtor.nr %% 100 < %(share)s
        """,
        words,
    )
    env.cr.execute(
        """
        INSERT INTO dunning_promise_line (promise_id, company_id, move_line_id, move_id, amount, amount_open)
             SELECT promise.id, promise.company_id, item.id, item.move_id, 50, item.amount_residual
               FROM dunning_promise promise
         CROSS JOIN LATERAL (
                    SELECT line.id, line.move_id, line.amount_residual
                      FROM account_move_line line
                     WHERE line.partner_id = promise.partner_id AND line.amount_residual > 50
                  ORDER BY line.date_maturity, line.id
                     LIMIT 1) item
        """
    )
