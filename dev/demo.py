#!/usr/bin/env python3
"""Show the addon at work: a company with customers, one real run of the scheduled actions, then Odoo itself.

DEMO_SERVE=0 stops before serving. DEMO_PORT is the first port to try (8069).
"""

import base64
import itertools
import os
import shutil
import socket
import textwrap
import time
from collections import Counter
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default

from env import bootstrap, database, paths, postgres, runtime, say, session

OUT = paths.CHECKOUT / "out"
PLAN = "l10n_nl_dunning.ir_cron_dunning_plan"
DISPATCH = "l10n_nl_dunning.ir_cron_dunning_dispatch"
MAIL_QUEUE = "mail.ir_cron_mail_scheduler_action"


def main():
    # Another one would take the database away from under it.
    busy = "A demonstration of this checkout is still running; stop it first (Ctrl-C)."
    with paths.locked(f"demo_{paths.checkout_key()}", busy):
        port = _free_port()
        say.step("1/5 the environment: Odoo 19, PostgreSQL, wkhtmltopdf")
        home, _template = bootstrap.ensure()
        say.step("2/5 a new database with the addon")
        name = _new_database(home)
        _empty_out()
        with _mail_sink() as smtp:
            say.step("3/5 customers and invoices; then the scheduled actions, for real")
            options = ["--smtp=localhost", f"--smtp-port={smtp}", "--no-database-list"]
            options += ["--max-cron-threads=2", f"--logfile={OUT / 'odoo.log'}"]
            with session.odoo_environment(name, *options, http_port=port) as env:
                _live_today(env, f"http://localhost:{port}")
                say.step(f"4/5 letters and mails are in {os.path.relpath(OUT)}")
                if os.environ.get("DEMO_SERVE") != "0":
                    say.step("5/5 serving Odoo")
                    _serve(f"http://localhost:{port}")


def _free_port():
    """Return the first port from DEMO_PORT on at which nobody listens."""
    wanted = os.environ.get("DEMO_PORT", "8069")
    if not wanted.isdigit() or not 0 < int(wanted) < 65536:
        raise say.Failure(f"DEMO_PORT is “{wanted}”, which is not a port number.")
    first = int(wanted)
    for port in range(first, min(first + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != first:
            say.step(f"port {first} is taken, so Odoo will be on {port}")
        return port
    raise say.Failure(f"No free port from {first} on; choose another one with DEMO_PORT.")


def _new_database(home):
    """Copy the template that holds this version of the addon and its bridges; made once per version."""
    template = database.with_apps(home)
    name = f"dunning_demo_{paths.checkout_key()}"
    postgres.drop(name)
    postgres.create(name, template)
    return name


def _empty_out():
    """Remove what the run before left; `out/` holds nothing else."""
    shutil.rmtree(OUT, ignore_errors=True)
    for folder in ("letters", "mails"):
        (OUT / folder).mkdir(parents=True)


@contextmanager
def _mail_sink():
    """Catch all mail while the block runs; yield the port of that mail server, which delivers nothing."""
    from aiosmtpd.controller import Controller

    controller = Controller(_ToFolder(), hostname="127.0.0.1", port=runtime.free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


class _ToFolder:
    """Each mail becomes a file in `out/mails`, so that a demonstration cannot mail anyone."""

    def __init__(self):
        self.numbers = itertools.count(1)

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 (the name is aiosmtpd's)
        subject = message_from_bytes(envelope.content, policy=default).get("Subject", "")
        words = "".join(sign if sign.isalnum() else "-" for sign in subject)[:60].strip("-")
        (OUT / "mails" / f"{next(self.numbers):03d}-{words}.eml").write_bytes(envelope.content)
        return "250 OK"


def _serve(address):
    """Go on answering until Ctrl-C, with the scheduled actions."""
    from odoo.service import server

    server.server.cron_spawn()
    print(f"\n  Odoo is at  {address}\n  Log in with admin / admin\n  Stop with   Ctrl-C\n", flush=True)
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        say.step("stopping")


# --- what happens today ---


def _live_today(env, address):
    """Make the records and run the scheduled actions; print what they did, and write the letters."""
    import demo_data

    # Letters are styled by what wkhtmltopdf fetches from here.
    env["ir.config_parameter"].set_param("web.base.url", address)
    demo_data.load(env)
    # Compiled now, not when somebody opens the first page.
    env["ir.qweb"]._pregenerate_assets_bundles()
    env.cr.commit()
    company = env.company
    decisions = env["dunning.planner"].with_company(company)._plan(company, company._dunning_today())
    before = env["dunning.notice"].search([])
    demo_data.run_scheduled_actions(env, PLAN, DISPATCH, MAIL_QUEUE)
    _print_table(env, company, decisions, env["dunning.notice"].search([]) - before)
    for notice in env["dunning.notice"].search([("letter_file", "!=", False)]):
        (OUT / "letters" / notice.letter_filename).write_bytes(base64.b64decode(notice.letter_file))
    env.cr.commit()


def _print_table(env, company, decisions, notices):
    """Print one row per open item: what became of it, or why nothing did."""
    lines = {line.move_line_id.id: line for line in notices.line_ids}
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


if __name__ == "__main__":
    session.run(main)
