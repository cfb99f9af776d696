"""What is measured of the addon, each step in a process of its own."""

from datetime import timedelta
from unittest.mock import patch

from lxml import etree

from odoo.tools import SQL

from . import meter

PAGE = 80
INVOICES = 500
# At most so many notices are turned into mails: the time per notice does not depend on how many there are.
MAILS = 1000
#: Steps that change something are done once; of the others the middle of five counts.
ONCE = {"create", "raise", "mails"}


def measure(env, step, *, turns=1):
    """Measure a step.

    :param turns: how often a step that changes something is done (and undone) to find the middle
    """
    company = env.company
    today = company._dunning_today()
    method = globals()[f"_step_{step}"]
    prepare = globals().get(f"_before_{step}")
    if prepare:
        prepare(env)
    _ask_once(env, company, today)
    env.cr.commit()
    answer = meter.measure(
        env,
        lambda: method(env, company, today),
        repeats=turns if step in ONCE else 5,
        undo=step in ONCE,
    )
    if step != "mails":  # the next level comes with everything in the queue, and nothing leaves here
        env.cr.commit()  # out of the clock, as for the peer: how fast the disk is does not count
    return answer


def _ask_once(env, company, today):
    """Ask about one item, as an invoice on the screen does, before the clock starts.

    The peer's process has made its policy and its run by then, and does one step after the other; each of ours starts
    anew. What PostgreSQL looks up about the tables in a new session took a tenth of planning 3,000 items.
    """
    item = env["account.move.line"].search(
        [*env["account.move.line"]._get_dunning_open_domain(), ("company_id", "=", company.id)], limit=1
    )
    env["dunning.planner"]._plan(company, today, items=item)


def _step_plan_due(env, company, today):
    return {"answers": len(env["dunning.planner"]._plan(company, today, only_due=True))}


def _step_plan_full(env, company, today):
    return {"answers": len(env["dunning.planner"]._plan(company, today))}


def _step_create(env, company, today):
    return _plan_company(env, company, today)


def _before_raise(env):
    """Let what was made leave."""
    env.execute_query(
        SQL(
            """
            UPDATE dunning_notice notice
               SET state = 'sent', date = date_planned, sent_on = date_planned,
                   deadline = date_planned + level.payment_term_days
              FROM dunning_level level
             WHERE level.id = notice.level_id AND notice.state = 'queued'
         RETURNING 1
            """
        )
    )
    env.execute_query(
        SQL(
            """
            UPDATE dunning_notice_line line
               SET status = 'sent', date = notice.date, deadline = notice.deadline
              FROM dunning_notice notice
             WHERE notice.id = line.notice_id AND line.status = 'pending' AND notice.state = 'sent'
         RETURNING 1
            """
        )
    )


def _step_raise(env, company, today):
    """Plan again when the deadlines of what left have passed."""
    return _plan_company(env, company, today + timedelta(days=40))


def _plan_company(env, company, at_date):
    def checkpoint(*args, **kwargs):
        env.flush_all()
        env.invalidate_all(flush=False)  # as the commit of the scheduled action does
        return float("inf")

    # Nobody is there to let a run of this size go.
    with patch("odoo.addons.l10n_nl_dunning.models.sending.dunning_run_check.LARGE_DAY", float("inf")):
        notices = env["dunning.run"]._plan_company(company, at_date, checkpoint=checkpoint)["notices"]
    with meter.outside_the_clock(env):
        answers = env["dunning.notice.line"].search_count([("notice_id", "in", notices.ids)])
    return {"answers": answers, "notices": len(notices)}


def _step_mails(env, company, today):
    """Recheck, write and queue e-mails as the scheduled action does.

    Without documents, as for the peer: making, freezing and attaching them is what the row of letters measures.
    """
    notices = env["dunning.notice"].search(
        [("state", "=", "queued"), ("channel", "=", "email")], limit=MAILS, order="company_id, id"
    )
    chunk = meter.get_chunk_size()
    Letter = type(env["dunning.letter"])
    nothing = {"_render_pdfs": lambda self, notices, **kwargs: {}, "_store_pdfs": lambda self, notices, pdfs: None}
    with patch.multiple(Letter, **nothing):
        for start in range(0, len(notices), chunk):
            env["dunning.dispatcher"]._dispatch(notices[start : start + chunk])
            env.flush_all()
            env.invalidate_all()
    return {"notices": len(notices.filtered(lambda notice: notice.state == "sent"))}


def _step_wizard(env, company, today):
    user = meter.get_user(env)
    moves = env["account.move"].search([("name", "like", "BENCH/")], limit=INVOICES, order="id")
    action = moves.with_user(user).action_dunning_send()
    wizard = env[action["res_model"]].with_user(user).browse(action["res_id"])
    wizard.web_read(
        {
            name: {"fields": {}} if name in ("group_ids", "skip_ids") else {}
            for name in ("summary", "group_ids", "skip_ids")
        }
    )
    return {"answers": len(wizard.skip_ids), "notices": len(wizard.group_ids)}


def _step_debtors(env, company, today):
    """What the browser asks for when the list opens, as a collector: the rows, and how many there are."""
    return {"answers": len(_ask_debtors(env, [("amount_collectable", ">", 0)])["records"])}


def _step_debtor(env, company, today):
    partner = env["res.partner"].search([("name", "=", "Debtor 7")])
    return {"answers": len(_ask_debtors(env, [("partner_id", "=", partner.id)])["records"])}


def _step_behaviour(env, company, today):
    return {"answers": env["dunning.behaviour"]._refresh(company, today)}


def _step_badges(env, company, today):
    """The level of a page of contacts, as a salesperson sees it."""
    partners = env["res.partner"].search([("name", "like", "Debtor ")], limit=PAGE)
    rows = partners.with_user(meter.get_user(env)).web_read(
        {"display_name": {}, "dunning_level_id": {"fields": {"display_name": {}, "color": {}}}}
    )
    return {"answers": len(rows)}


def _ask_debtors(env, domain):
    user = meter.get_user(env)
    Debtor = env["dunning.debtor"].with_user(user)
    arch = etree.fromstring(env.ref("l10n_nl_dunning.dunning_debtor_view_list").arch)
    fields = [node.get("name") for node in arch.iter("field")]
    spec = {name: {"fields": {"display_name": {}}} if Debtor._fields[name].relational else {} for name in fields}
    return Debtor.web_search_read(domain, spec, limit=PAGE, count_limit=10001)
