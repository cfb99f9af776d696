"""The same steps in OCA's account_credit_control, in a copy of the same ledger."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command

from . import meter

LATER = timedelta(days=40)


def measure(env, turns=1):
    """Select and make the lines, write the mails, and select once more for the next level.

    :param turns: how often each is done (and undone) to find the middle, as ours
    """
    company = env.company
    receivables = env["account.account"].search([("account_type", "=", "asset_receivable")])
    policy = env.ref("account_credit_control.credit_control_3_time")
    policy.write({"account_ids": [Command.set(receivables.ids)], "company_id": company.id})
    company.credit_policy_id = policy
    # Paper is measured apart, for both.
    env.ref("account_credit_control.email_template_credit_control_base").report_template_ids = False
    run = _make_run(env, company, policy, fields.Date.today())
    env.cr.commit()

    def create():
        run.generate_credit_lines()
        return _count(env, run)

    answers = {"create": meter.measure(env, create, repeats=turns, undo=True)}
    run.set_to_ready_lines()
    env.cr.commit()

    def mails():
        run.run_channel_action()
        communications = env["credit.control.communication"].search([])
        return {"notices": len(communications)}

    answers["mails"] = meter.measure(env, mails, repeats=turns, undo=True)
    # What it would have sent is not the point: nothing leaves.
    env.cr.postcommit.clear()
    run.line_ids.write({"state": "sent"})
    later = _make_run(env, company, policy, fields.Date.today() + LATER)
    env.cr.commit()

    def climb():
        later.generate_credit_lines()
        return _count(env, later)

    answers["raise"] = meter.measure(env, climb, repeats=turns, undo=True)
    env.cr.rollback()
    return answers


def _count(env, run):
    env.flush_all()
    with meter.outside_the_clock(env):  # what there is to see is counted for us
        return {"answers": len(run.line_ids), "notices": len(run.line_ids.partner_id)}


def _make_run(env, company, policy, day):
    return env["credit.control.run"].create(
        {"date": day, "policy_ids": [Command.set(policy.ids)], "company_id": company.id}
    )
