"""The part of the demonstration that happens inside Odoo: records, the scheduled actions, and what they did."""

import base64
import sys
import textwrap
from collections import Counter
from pathlib import Path

import demo_data
from env.session import odoo_environment

PLAN = "l10n_nl_dunning.ir_cron_dunning_plan"
DISPATCH = "l10n_nl_dunning.ir_cron_dunning_dispatch"
MAIL_QUEUE = "mail.ir_cron_mail_scheduler_action"


def main(database, http_port, smtp_port, out):
    options = ["--smtp=localhost", f"--smtp-port={smtp_port}"]
    with odoo_environment(database, *options, http_port=http_port) as env:
        # Letters are styled by what wkhtmltopdf fetches from here.
        env["ir.config_parameter"].set_param("web.base.url", f"http://localhost:{http_port}")
        demo_data.load(env)
        env.cr.commit()
        for company in env["res.company"].search([]):
            decisions = _plan(env, company)
            if decisions:
                before = _notices(env, company)
                _run_scheduled_actions(env)
                _print_table(env, company, decisions, _notices(env, company) - before)
        _write_letters(env, Path(out) / "letters")


def _plan(env, company):
    """Return what the planner says of every open item today, before anything is done."""
    return env["dunning.planner"].with_company(company)._plan(company, company._dunning_today())


def _notices(env, company):
    return env["dunning.notice"].search([("company_id", "=", company.id)])


def _run_scheduled_actions(env):
    for xmlid in (PLAN, DISPATCH, MAIL_QUEUE):
        cron = env.ref(xmlid)
        outcome = cron.method_direct_trigger()
        if outcome is not True:
            message = outcome.get("params", {}).get("message", outcome)
            raise SystemExit(f"✗ The scheduled action “{cron.name}” failed: {message}")
        # The job worked on a cursor of its own; a new transaction is needed to see what it did.
        env.cr.commit()
    env.invalidate_all()


# --- the table ---


def _print_table(env, company, decisions, notices):
    """Print one row per open item: what became of it, or why nothing did."""
    lines = {line.move_line_id.id: line for line in notices.line_ids}
    # sudo is not needed: this is the superuser.
    rows = [_row(env, company, decision, lines.get(decision.item_id)) for decision in decisions]
    rows.sort(key=lambda row: (not row[-2], row[0], row[1]))
    print(f"\n  {company.name}, {company._dunning_today():%d-%m-%Y}: {len(rows)} open items, {len(notices)} notices\n")
    columns = [("Debtor", 28), ("Invoice", 18), ("Open", 12), ("Due", 10)]
    head = "  ".join(f"{title:<{width}}" for title, width in columns)
    print(f"  {head}  What happened, or why not")
    print("  " + "─" * 118)
    counts = Counter()
    for debtor, invoice, amount, due, sent, text in rows:
        counts["sent or to do" if sent else "left alone"] += 1
        cells = f"{debtor[:28]:<28}  {invoice[:18]:<18}  {amount:>12}  {due:<10}"
        first, *more = textwrap.wrap(("✓ " if sent else "– ") + text, 58) or [""]
        print(f"  {cells}  {first}")
        for part in more:
            print(f"  {'':<76}{part}")
    print("\n  " + ", ".join(f"{count} {what}" for what, count in counts.items()) + "\n")


def _row(env, company, decision, line):
    item = env["account.move.line"].browse(decision.item_id)
    currency = env["res.currency"].browse(decision.currency_id)
    if line and line.status != "dropped":
        notice = line.notice_id
        words = [notice.level_id.name, _label(notice, "channel"), _label(notice, "state")]
        if notice.error_message:
            words.append(notice.error_message)
        text = ", ".join(words) + f" ({notice.name})"
    elif line:
        text = line.drop_text or ""
    else:
        text = env["dunning.planner"]._explain(decision, company)
    debtor, due = item.partner_id.commercial_partner_id.name or "", decision.due_date
    amount, due = currency.format(decision.amount_residual), f"{due:%d-%m-%Y}" if due else ""
    return debtor, item.move_id.name or "", amount, due, bool(line and line.status != "dropped"), text


def _label(record, field):
    return dict(record._fields[field]._description_selection(record.env)).get(record[field], "")


def _write_letters(env, folder):
    for notice in env["dunning.notice"].search([("letter_file", "!=", False)]):
        (folder / notice.letter_filename).write_bytes(base64.b64decode(notice.letter_file))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
