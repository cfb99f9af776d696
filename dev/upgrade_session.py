"""What happens inside Odoo when an upgrade is tested: life in an old release, what is found, and life afterwards.

`fill` runs in the code of the old release, `look` in both, `go_on` in this checkout's. They use only what every release
has under the same name: public methods, models, fields and XML ids. The old release's own demonstration does the rest.
"""

import base64
import hashlib
import importlib.util
from contextlib import contextmanager
from datetime import date, timedelta

import demo_data
from freezegun import freeze_time

from odoo import Command

#: A Tuesday. The same day each time, so that an upgrade is tested with the same data in any year.
TODAY = date(2026, 11, 24)
#: Days on which each open item is asked for its next step.
DAYS = (TODAY, TODAY + timedelta(days=21))
#: What an answer says of the next step; its sentences may be written better.
STEP = (
    *("amount_open", "amount_netted", "amount_on_hold", "amount_due", "policy_id", "last_level_id", "last_date"),
    *("deadline", "next_level_id", "next_level_date", "is_due", "reason", "changes_on"),
)

#: Views of a user's own: their parent in our addon, and before what they put a field.
#: The third one changes a view that only extended another view of ours.
USER_VIEWS = {
    "user.notice": ("dunning.notice", "dunning_notice_view_form", "field[@name='recipient_id']"),
    "user.partner": ("res.partner", "view_partner_form", "div[@name='dunning_level']"),
    "user.notice.hold": ("dunning.notice", "dunning_notice_view_form_hold", "button[@name='action_dunning_hold']"),
}


@contextmanager
def today(env):
    """Yield the environment of the one day on which everything happens."""
    with freeze_time(f"{TODAY} 09:00", ignore=["psycopg2"]):
        yield env(context={**env.context, "dunning_at_date": TODAY, "lang": "nl_NL"})


# --- in the old release ---


def fill(env, file):
    """Live through the release's own demonstration, then change and start what it leaves out.

    :param file: with the demonstration of the release
    """
    spec = importlib.util.spec_from_file_location("demo_data", file)
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    with today(env) as env:
        demo.load(env)
        _edit(env)
        _make_policy(env)
        _make_pending(env)
        _withdraw(env, demo)
    env.cr.commit()


def _edit(env):
    """Change what a user may change: texts, settings, schedules, views, filters."""
    level = env.ref("l10n_nl_dunning.policy_business").level_ids[0]
    level.write({"name": "Mijn niveau", "letter_intro": "<p>Mijn woorden, ${debtor}</p>", "subject": "Mijn onderwerp"})
    level.with_context(lang="en_US").letter_intro = "<p>My words</p>"
    settings = {
        "dunning_backlog_daily": 7,
        "dunning_day_count": "act/act",
        "dunning_keep_calls": 12,
        "dunning_keep_holds": 0,
        "dunning_page_offer": False,
        "dunning_page_offer_count": 5,
        "dunning_pause_on_reply": False,
        "dunning_postal_days": 4,
        "dunning_term_agreed_consumer": not env.company.dunning_term_agreed_consumer,
        "dunning_vat_on_costs": not env.company.dunning_vat_on_costs,
        "dunning_window_left": 31.5,
    }
    env.company.write({name: value for name, value in settings.items() if name in env.company._fields})
    env.ref("l10n_nl_dunning.rate_consumer_2026_01_01").source = "Mijn bron"
    env.ref("l10n_nl_dunning.hold_reason_dispute").name = "Mijn reden"
    env.ref("l10n_nl_dunning.mail_template_notice").subject = "Mijn e-mail"
    env.ref("l10n_nl_dunning.ir_cron_dunning_plan").write({"interval_number": 3, "interval_type": "hours"})
    env.ref("l10n_nl_dunning.sequence_notice").prefix = "MIJN"
    for name, (model, parent, place) in USER_VIEWS.items():
        field = f"<field name='display_name' string='{name}'/>"
        env["ir.ui.view"].create(
            {
                "name": name,
                "model": model,
                "inherit_id": env.ref(f"l10n_nl_dunning.{parent}").id,
                "arch": f'<xpath expr="//{place}" position="before">{field}</xpath>',
            }
        )
    env["ir.filters"].create(
        {
            "name": "Mijn filter",
            "model_id": "dunning.notice",
            "domain": "[('state', '=', 'sent'), ('level_id.policy_id.debtor_type', '=', 'business')]",
            "context": "{'group_by': ['level_id']}",
            "user_ids": [Command.set(_accountant(env).ids)],
        }
    )


def _make_policy(env):
    """Make a ladder of the user's own, which proposes, for two debtors."""
    level = {"name": "Eigen aanmaning", "delay_days": 3, "channel": "email", "subject": "Eigen onderwerp"}
    policy = env["dunning.policy"].create(
        {
            "name": "Eigen beleid",
            "debtor_type": "business",
            "approval": "approval",
            "level_ids": [
                Command.create({**level, "letter_intro": "<p>Eigen woorden</p>"}),
                Command.create({**level, "name": "Eigen laatste", "sequence": 20, "delay_days": 9}),
            ],
        }
    )
    _debtors(env, "D1009", "D1011").dunning_policy_id = policy


def _make_pending(env):
    """Leave proposals and a queue; what is due for others stays due."""
    for state, *refs in (("draft", "D1009", "D1011"), ("queued", "D1007", "D1012")):
        planner = env["dunning.planner"].with_company(env.company)
        decisions = planner._plan(env.company, TODAY, partners=_debtors(env, *refs), only_due=True)
        notices = env["dunning.notice"]._create_from_decisions(env.company, decisions, TODAY, state=state)
        _check(notices, f"No notices in state {state} were made")


def _withdraw(env, demo):
    """Book payments from before two reminders left; take back the first and leave the second proposed."""
    for ref in ("D1004", "D1020"):
        lines = env["dunning.notice.line"].search(
            [("notice_id.partner_id", "in", _debtors(env, ref).ids), ("status", "=", "sent")], order="id", limit=1
        )
        demo._pay(env, lines.move_id, lines.date_maturity)
    withdrawals = env["dunning.withdrawal"].search([("state", "=", "proposed")], order="id")
    withdrawals[0].with_user(_accountant(env)).action_send()
    _check(withdrawals.mapped("state") == ["sent", "proposed"], "Nothing was withdrawn")


# --- before and after ---


def look(env):
    """Return as plain data what accountants see: steps, sums, letters and screens."""
    with today(env) as env:
        accountant = env(user=_accountant(env))
        debtors = accountant["res.partner"].search([("ref", "=like", "D1%")], order="ref")
        steps = {
            str(day): {
                str(answer["item_id"]): {key: answer[key] for key in STEP}
                for answer in debtors.get_dunning_reasons(date=day)
            }
            for day in DAYS
        }
        claims = {
            f"{debtor.ref} {day}": debtor.get_dunning_claim(date=day)["claims"] for debtor in debtors for day in DAYS
        }
        return {
            "steps": steps,
            "claims": claims,
            "levels": {move.name: move.dunning_level_id.id for move in _invoices(accountant)},
            "letters": {notice.name: _letter(notice) for notice in accountant["dunning.notice"].search([])},
            "edits": _edits(env),
            "screens": _screens(accountant),
            "filter": _count_filtered(accountant),
        }


def _edits(env):
    """Return what `_edit` wrote, as it reads now."""
    level = env.ref("l10n_nl_dunning.policy_business").level_ids[0]
    cron = env.ref("l10n_nl_dunning.ir_cron_dunning_plan")
    return {
        "level": [level.name, level.letter_intro, level.subject],
        "level in English": level.with_context(lang="en_US").letter_intro,
        "company": env.company.dunning_postal_days,
        "rate": env.ref("l10n_nl_dunning.rate_consumer_2026_01_01").source,
        "reason": env.ref("l10n_nl_dunning.hold_reason_dispute").name,
        "mail": env.ref("l10n_nl_dunning.mail_template_notice").subject,
        "cron": [cron.interval_number, cron.interval_type],
        "sequence": env.ref("l10n_nl_dunning.sequence_notice").prefix,
        "policy": env["dunning.policy"].search([("name", "=", "Eigen beleid")]).level_ids.mapped("name"),
        "filter": env["ir.filters"].search([("name", "=", "Mijn filter")]).domain,
    }


def _count_filtered(env):
    """Return how many notices the user's own filter finds."""
    mine = env["ir.filters"].search([("name", "=", "Mijn filter")])
    return env[mine.model_id].search_count(mine._get_eval_domain())


def _invoices(env):
    return env["account.move"].search([("move_type", "=", "out_invoice")])


def _letter(notice):
    """Return what tells whether the letter is still the one that left."""
    file = base64.b64decode(notice.letter_file or b"")
    return {
        "state": notice.state,
        "starts": file[:5].decode(),
        "sha256": hashlib.sha256(file).hexdigest() if file else False,
        "recorded": notice.letter_sha256,
        "filename": notice.letter_filename if file else False,
    }


def _screens(env):
    """Return which of the user's own fields are on the forms."""
    arch = {}
    for model in {model for model, _parent, _place in USER_VIEWS.values()}:
        arch[model] = env[model].get_view(view_type="form")["arch"]
    return {name: f'string="{name}"' in arch[model] for name, (model, _parent, _place) in USER_VIEWS.items()}


# --- in this checkout ---


def go_on(env):
    """Run the scheduled actions and send a proposal; return what became of what waited and of what had left."""
    with today(env):
        notices = env["dunning.notice"].search([("state", "in", ("draft", "queued"))])
        queued = notices.filtered(lambda notice: notice.state == "queued")
        actions = ("l10n_nl_dunning.ir_cron_dunning_plan", "l10n_nl_dunning.ir_cron_dunning_dispatch")
        demo_data.run_scheduled_actions(env, *actions)
        proposal = (notices - queued).filtered(lambda notice: notice.channel == "email")[:1]
        proposal.with_user(_accountant(env)).action_send_now()
        demo_data.let_mails_leave(env)
        env.cr.commit()
        planned = env["dunning.notice"].search([]) - notices
        sent = queued + proposal
        return {
            "sent": {notice.name: _letter(notice) for notice in sent},
            "planned": len(planned.filtered(lambda notice: notice.date_planned == TODAY)),
            "void": env["dunning.notice.line"].search([("status", "=", "void")]).notice_id.mapped("name"),
        }


# --- both ---


def _debtors(env, *refs):
    return env["res.partner"].search([("ref", "in", refs)])


def _accountant(env):
    return env["res.users"].search([("login", "=", "accountant")])


def _check(condition, message):
    if not condition:
        raise AssertionError(message)
