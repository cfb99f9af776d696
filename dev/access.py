#!/usr/bin/env python3
"""Judge with axe-core whether everybody can use our screens (WCAG 2.1 AA): each screen and window, in the demo company.

What Odoo itself draws is left out by `CORE`, with the reason. The tests of `portal` judge the pages of the debtor.
`dev/access.py worklist send` takes only the screens with one of these words in their name.
"""

import json
import re
import sys

from env import bootstrap, database, node, runtime, say, session
from screenshots import Page, prepare

#: Findings in nodes within a selector that are not ours: (rules, or None for all; selector; why).
VIEW = ":is(.o_view_controller, .modal)"
CORE = [
    (None, ".o_main_navbar, .o_control_panel, .o_search_panel, .o_searchview", "the frame of every screen"),
    (None, ".modal-header, .o_datetime_picker", "the frame of every window"),
    (None, ".o-mail-Chatter, .o_field_kanban_activity, .o_field_list_activity, .o_activity_view", "core's chatter"),
    (
        None,
        ".o_view_sample_data, .o_calendar_container, .o_pivot, .o_loading_indicator",
        "core's views, and its examples",
    ),
    (["html-has-lang", "meta-viewport", "page-has-heading-one", "region"], "html", "core's page has no such thing"),
    (["landmark-main-is-top-level", "landmark-no-duplicate-main", "landmark-unique"], "html", "core's frame"),
    (["landmark-no-duplicate-banner"], "header.o_navbar", "core's windows have heads too"),
    (["aria-dialog-name"], ".o_technical_modal", "core does not tie a window to its title"),
    (["aria-allowed-role"], "article.o_kanban_record", "core's cards are links"),
    (["empty-table-header"], ".o_list_table", "core's heads of columns with buttons or handles"),
    (["label"], ".o_list_record_selector, .o-checkbox, .o_field_boolean", "core's boxes"),
    (["label", "autocomplete-valid", "aria-allowed-attr"], ".o_select_menu, .o_field_widget, .o_tag", "core's fields"),
    (["aria-allowed-attr", "role-img-alt", "aria-command-name"], ".o-dropdown, .o_kanban_record", "core's menus"),
    (["button-name"], ".o-dropdown", "core's columns to choose from"),
    (["image-alt", "aria-prohibited-attr"], ".o_avatar, .o_m2o_avatar, .o_field_widget", "core's faces"),
    (["aria-required-parent"], ".o_notebook_headers, .settings_tab, .o_colorlist", "core's tabs and colours"),
    (["color-contrast"], f"{VIEW} .text-muted, {VIEW} .o_setting_box", "the grey of Odoo"),
    (["color-contrast"], f"{VIEW} .badge, {VIEW} .o_required_modifier", "the colours of Odoo"),
]
#: What opens a window: which records, and their methods.
INVOICES = ["send", "promise", "arrangement", "hold", "call", "why", "specification", "waive", "mark_sent", "return"]
WINDOWS = [
    ("account.move", {}, [f"action_dunning_{name}" for name in INVOICES]),
    ("dunning.notice", {"state": "draft"}, ["action_review", "action_take_off", "action_change_level"]),
    ("dunning.notice", {"state": "sent", "channel": "email"}, ["action_enter_receipt"]),
    ("dunning.hold", {"state": "active"}, ["action_close", "action_extend"]),
    ("dunning.promise", {"state": "running"}, ["action_take_back"]),
    ("dunning.arrangement", {"state": "running"}, ["action_ask_cancel", "action_replace"]),
]
JUDGE = """
(async () => {
    const core = %s;
    const found = await axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']});
    const isCore = (rule, node) => {
        const element = document.querySelector(node.target.at(-1));
        return core.some(([rules, where]) => (!rules || rules.includes(rule)) && element?.closest(where));
    };
    return JSON.stringify(found.violations.flatMap(({id, nodes}) =>
        nodes.filter((node) => !isCore(id, node)).map((node) => [id, node.html.slice(0, 400), node.failureSummary])));
})()
"""


def main(*words):
    home, _template = bootstrap.ensure(with_browser=True)
    if not node.axe_script():
        raise say.Failure("axe-core is not here: it needs Node.js.")
    port = runtime.free_port()
    with (
        database.copied("access", database.with_addon(home)) as name,
        session.odoo_environment(name, http_port=port) as env,
    ):
        prepare(env, port)
        sys.exit(judge(env, port, words))


def judge(env, port, words=()):
    """Judge all screens in a database with the demo company; print what is wrong, and return whether anything is."""
    env.ref("base.group_user").implied_ids += env.ref("l10n_nl_dunning.group_dunning_advanced")
    env = env(user=env.ref("base.user_admin"), context={"lang": "en_US", "allowed_company_ids": env.company.ids})
    screens = {name: action for name, action in _screens(env) if not words or any(word in name for word in words)}
    env.cr.commit()
    page, findings = Page(f"http://127.0.0.1:{port}"), {}
    try:
        page.log_in("admin")
        page.run(node.axe_script().read_text())
        for name, (action, options) in screens.items():
            page.do(action, options)
            for rule, html, summary in json.loads(page.run(JUDGE % json.dumps([row[:2] for row in CORE]))):
                # The same in another row is the same.
                kind = rule, re.sub(r'(?<==")[^"]*\d[^"]*|>.*', "", html)
                findings.setdefault(kind, (html, " ".join(summary.split()), []))[2].append(name)
    finally:
        page.browser.stop()
    for (rule, _tag), (html, summary, names) in findings.items():
        print(f"✗ {rule} in {', '.join(dict.fromkeys(names))}\n  {html}\n  {summary}", flush=True)
    print(f"{len(screens)} screens, {len(findings)} findings")
    return bool(findings)


def _screens(env):
    """Yield a name and the arguments of `Page.do` for each view of each action of ours, and each window."""
    from odoo.addons.web.controllers.utils import clean_action

    for action in env["ir.actions.act_window"].search([("binding_model_id", "=", False)], order="id"):
        xml_id = action.get_external_id()[action.id]
        if not xml_id.startswith("l10n_nl_dunning."):
            continue
        model = env[action.res_model]
        record = not model._transient and model.search([], limit=1)
        for kind in action.view_mode.split(","):
            options = {"viewType": kind, "clearBreadcrumbs": True}
            if kind == "form" and record:
                options["props"] = {"resId": record.id}
            if kind != "form" or record or model._transient:
                yield f"{xml_id.partition('.')[2]} {kind}", (action.id, options)
    proposal = env["dunning.notice"].search([("state", "=", "draft"), ("amount_due", ">", 0)], limit=1)
    invoice = proposal.line_ids[:1].move_line_id.move_id
    for model, facts, methods in WINDOWS:
        records = invoice if model == "account.move" else env[model].search([])
        records = records.filtered(lambda record, facts=facts: all(record[name] == facts[name] for name in facts))[:1]
        for method in methods if records else ():
            yield f"{model} {method}", (clean_action(getattr(records, method)(), env), {})
    row = env["dunning.debtor"].search([], limit=1)
    yield "debtor screen", (row.action_open(), {})


if __name__ == "__main__":
    session.run(main, *sys.argv[1:])
