"""What is measured of the addon, each step in a process of its own."""

import time
from datetime import timedelta
from unittest.mock import patch

from lxml import etree

from odoo.tools import SQL

from . import history, meter, receipts

PAGE = 80
INVOICES = 500
#: At most so many notices are turned into mails: the time per notice does not depend on how many there are.
MAILS = 1000
#: Letters printed one by one, as core prints reports.
ALONE = 20
#: Steps that change something are done once; of the others the middle of five counts.
ONCE = {"create", "raise", "mails"}


def measure(env, step, turns="1"):
    """Measure a step.

    :param turns: how often a step that changes something is done (and undone) to find the middle
    """
    company, today = env.company, env.company._dunning_today()
    undo = None
    if step == "raise":
        _let_leave(env)
    elif step == "receipts":
        undo = receipts.generate(env)
    # The peer's process has made its policy and its run by now; each of ours starts anew. What PostgreSQL looks up
    # about the tables in a new session took a tenth of planning 3,000 items. So one item is asked, as a screen does.
    Item = env["account.move.line"]
    item = Item.search([*Item._get_dunning_open_domain(), ("company_id", "=", company.id)], limit=1)
    env["dunning.planner"]._plan(company, today, items=item)
    env.cr.commit()
    method, once = globals()[f"_step_{step}"], step in ONCE
    repeats, tell = int(turns) if once else 5, TOLD.get(step, _tell_answers)
    answer = meter.measure(env, lambda: method(env, company, today), tell, repeats=repeats, undo=once)
    if step == "mails":
        env.cr.rollback()  # the next level comes with everything in the queue, and nothing leaves here
    env.cr.commit()  # out of the clock, as for the peer: how fast the disk is does not count
    if undo:
        undo()
    return answer


def _step_bare(env, company, today):
    """Read what is overdue and who owes it, as anybody would by hand: the least that planning could be."""
    return env.execute_query(
        SQL(
            """
            SELECT item.id, item.move_id, item.date_maturity, item.amount_residual, item.currency_id,
                   debtor.id, debtor.name, debtor.email, move.name
              FROM account_move_line item
              JOIN account_move move ON move.id = item.move_id
              JOIN account_account account ON account.id = item.account_id
              JOIN res_partner debtor ON debtor.id = move.commercial_partner_id
             WHERE item.company_id = %s AND item.parent_state = 'posted' AND item.reconciled IS NOT TRUE
               AND account.account_type = 'asset_receivable' AND item.date_maturity < %s
          ORDER BY debtor.id, item.date_maturity, item.id
            """,
            company.id,
            today,
        )
    )


def _step_plan_due(env, company, today):
    return env["dunning.planner"]._plan(company, today, only_due=True)


def _step_plan_full(env, company, today):
    return env["dunning.planner"]._plan(company, today)


def _step_receipts(env, company, today):
    return _step_plan_due(env, company, today)


def _step_create(env, company, today):
    def checkpoint(*args, **kwargs):
        env.flush_all()
        env.invalidate_all(flush=False)  # as the commit of the scheduled action does
        return float("inf")

    # Nobody is there to let a run of this size go.
    with patch("odoo.addons.l10n_nl_dunning.models.sending.dunning_run_check.LARGE_DAY", float("inf")):
        return env["dunning.run"]._plan_company(company, today, checkpoint=checkpoint)["notices"]


def _step_raise(env, company, today):
    """Plan again when the deadlines of what left have passed."""
    return _step_create(env, company, today + timedelta(days=40))


def _let_leave(env):
    """Let what was made leave."""
    env.cr.execute(
        """
        UPDATE dunning_notice notice
           SET state = 'sent', date = date_planned, sent_on = date_planned,
               deadline = date_planned + level.payment_term_days
          FROM dunning_level level
         WHERE level.id = notice.level_id AND notice.state = 'queued'
        """
    )
    env.cr.execute(
        """
        UPDATE dunning_notice_line line
           SET status = 'sent', date = notice.date, deadline = notice.deadline,
               name = move.name, amount_original = item.balance
          FROM dunning_notice notice, account_move_line item, account_move move
         WHERE notice.id = line.notice_id AND line.status = 'pending' AND notice.state = 'sent'
           AND item.id = line.move_line_id AND move.id = item.move_id
        """
    )


def _find_queued(env, limit):
    domain = [("state", "=", "queued"), ("channel", "=", "email")]
    return env["dunning.notice"].search(domain, limit=limit, order="company_id, id")


def _split(notices):
    from odoo.addons.l10n_nl_dunning.models.sending import dunning_run

    chunk = dunning_run.DISPATCH_CHUNK
    return [notices[start : start + chunk] for start in range(0, len(notices), chunk)]


def _step_mails(env, company, today):
    """Recheck, write and queue e-mails as the scheduled action does.

    Without documents, as for the peer: making, freezing and attaching them is what the row of letters measures.
    """
    notices = _find_queued(env, MAILS)
    with history.without_paper(env):
        for batch in _split(notices):
            env["dunning.dispatcher"]._dispatch(batch)
            env.flush_all()
            env.invalidate_all()
    return notices


def _step_wizard(env, company, today):
    user = meter.get_user(env)
    moves = env["account.move"].search([("name", "like", "BENCH/")], limit=INVOICES, order="id")
    action = moves.with_user(user).action_dunning_send()
    wizard = env[action["res_model"]].with_user(user).browse(action["res_id"])
    wizard.web_read({"summary": {}, "group_ids": {"fields": {}}, "skip_ids": {"fields": {}}})
    return wizard


def _step_debtors(env, company, today):
    """What the browser asks for when the list opens, as a collector: the rows, and how many there are."""
    return _ask_debtors(env, [("amount_collectable", ">", 0)])


def _step_debtor(env, company, today):
    partner = env["res.partner"].search([("name", "=", "Debtor 7")])
    return _ask_debtors(env, [("partner_id", "=", partner.id)])


def _ask_debtors(env, domain):
    Debtor = env["dunning.debtor"].with_user(meter.get_user(env))
    arch = etree.fromstring(env.ref("l10n_nl_dunning.dunning_debtor_view_list").arch)
    fields = [node.get("name") for node in arch.iter("field")]
    spec = {name: {"fields": {"display_name": {}}} if Debtor._fields[name].relational else {} for name in fields}
    return Debtor.web_search_read(domain, spec, limit=PAGE, count_limit=10001)["records"]


def _step_behaviour(env, company, today):
    return range(env["dunning.behaviour"]._refresh(company, today))


def _step_badges(env, company, today):
    """The level of a page of contacts, as a salesperson sees it."""
    partners = env["res.partner"].search([("name", "like", "Debtor ")], limit=PAGE)
    spec = {"display_name": {}, "dunning_level_id": {"fields": {"display_name": {}, "color": {}}}}
    return partners.with_user(meter.get_user(env)).web_read(spec)


# --- what a step answered, worked out when the clock is off ---


def _tell_answers(rows):
    return {"answers": len(rows)}


def _tell_made(notices):
    lines = notices.env["dunning.notice.line"].search_count([("notice_id", "in", notices.ids)])
    return {"answers": lines, "notices": len(notices)}


def _tell_mailed(notices):
    """Count what is in the mail queue: a notice is on its way until a mail server takes it."""
    return {"notices": len(notices.filtered(lambda notice: notice.state == "leaving"))}


def _tell_wizard(wizard):
    return {"answers": len(wizard.skip_ids), "notices": len(wizard.group_ids)}


TOLD = {"create": _tell_made, "raise": _tell_made, "mails": _tell_mailed, "wizard": _tell_wizard}


# --- letters ---


def measure_letters(env, count):
    """Measure so many letters end to end, next to bare wkhtmltopdf on the very same pages."""
    today, notices = env.company._dunning_today(), _find_queued(env, int(count))
    # Both: what leaves is decided again when it leaves.
    notices.level_id.channel = "letter"
    env.flush_all()
    env.cr.execute("UPDATE dunning_notice SET channel = 'letter' WHERE id = ANY(%s)", (list(notices.ids),))
    env.cr.commit()
    env.invalidate_all()
    batches = _split(notices)
    Letter = env["dunning.letter"]
    # Templates and styles are compiled once in the life of a worker.
    env["dunning.dispatcher"]._prepare_letters(notices[:2], today)
    Letter._render_pdfs(notices[:2])
    env.cr.rollback()

    def dispatch():
        for batch in batches:
            env["dunning.dispatcher"]._dispatch(batch)
            env.cr.commit()
            env.invalidate_all()

    def count_letters(_result):
        ready = notices.filtered(lambda notice: notice.state == "to_post").ids
        domain = [("res_model", "=", notices._name), ("res_field", "=", "letter_file"), ("res_id", "in", ready)]
        return {"notices": env["ir.attachment"].search_count(domain)}

    answer = meter.measure(env, dispatch, count_letters)
    if not answer["notices"]:
        raise ValueError("not one letter was printed")
    bare = [Letter._prepare_documents(batch) for batch in batches]
    alone = [[document] for document in Letter._prepare_documents(notices[:ALONE])]
    return {**answer, "bare": _print(Letter, bare), "alone": _print(Letter, alone)}


def _print(Letter, batches):
    """Run wkhtmltopdf on pages, and nothing else."""
    started, before = time.perf_counter(), meter.children_seconds()
    for documents in batches:
        Letter._run_wkhtmltopdf(documents)
    seconds, processor = time.perf_counter() - started, meter.children_seconds() - before
    return {"seconds": seconds, "processor": processor, "notices": sum(map(len, batches))}
