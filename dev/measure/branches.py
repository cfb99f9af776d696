"""What it costs that a creditor has branches: the same items, owed to one company and then to six."""

from odoo.tools import SQL

from . import meter

BRANCHES = 5
TURNS = 9


def measure(env):
    """Return what planning takes when everything is of one company, and when it is of a head office and its branches.

    Nothing else differs: the tables are written anew each time.
    """
    company = env.company
    answers = {}
    for what, count in (("one", 0), ("spread", BRANCHES)):
        branches = env["res.company"].create([{"name": f"Branch {n}", "parent_id": company.id} for n in range(count)])
        _spread(env, company | branches)
        answers[what] = meter.measure(
            env,
            lambda: env["dunning.planner"]._plan(company, company._dunning_today(), only_due=True),
            lambda decisions: {"answers": len(decisions)},
            repeats=TURNS,
        )
    if answers["one"]["answers"] != answers["spread"]["answers"]:
        raise ValueError(f"something else is due than before: {answers}")
    return {**answers["spread"], "times": answers["spread"]["processor"] / answers["one"]["processor"]}


def _spread(env, companies):
    """Let every invoice be of one of these companies, and what was told of it as well."""
    env.flush_all()
    owner = SQL("(%s::int[])[1 + move.id %% %s]", list(companies.ids), len(companies))
    env.cr.execute(SQL("UPDATE account_move move SET company_id = %s", owner))
    for table in ("account_move_line", "dunning_notice_line"):
        env.cr.execute(
            SQL(
                "UPDATE %s line SET company_id = move.company_id FROM account_move move WHERE move.id = line.move_id",
                SQL.identifier(table),
            )
        )
    env.cr.commit()
    env.invalidate_all()
    with env.registry.cursor() as cursor:
        cursor._cnx.set_session(autocommit=True)
        cursor.execute("VACUUM (FULL, ANALYZE) account_move, account_move_line, dunning_notice_line")
