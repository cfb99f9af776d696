"""The same steps in OCA's account_credit_control, in a copy of the same ledger."""

from datetime import timedelta

from odoo import fields

from . import meter


def measure(env, turns):
    """Select and make the lines, write the mails, and select once more for the next level.

    :param turns: how often each is done (and undone) to find the middle, as ours
    """
    company, today, turns = env.company, fields.Date.today(), int(turns)
    policy = env.ref("account_credit_control.credit_control_3_time")
    receivables = env["account.account"].search([("account_type", "=", "asset_receivable")])
    policy.write({"account_ids": receivables.ids, "company_id": company.id})
    company.credit_policy_id = policy
    # Paper is measured apart, for both.
    env.ref("account_credit_control.email_template_credit_control_base").report_template_ids = False

    def select(day):
        values = {"date": day, "policy_ids": policy.ids, "company_id": company.id}
        run = env["credit.control.run"].create(values)
        env.cr.commit()

        def tell(_result):
            return {"answers": len(run.line_ids), "notices": len(run.line_ids.partner_id)}

        return run, meter.measure(env, run.generate_credit_lines, tell, repeats=turns, undo=True)

    def count_mails(_result):
        return {"notices": env["credit.control.communication"].search_count([])}

    answers = {}
    run, answers["create"] = select(today)
    run.set_to_ready_lines()
    env.cr.commit()
    answers["mails"] = meter.measure(env, run.run_channel_action, count_mails, repeats=turns, undo=True)
    # What it would have sent is not the point: nothing leaves.
    env.cr.postcommit.clear()
    run.line_ids.write({"state": "sent"})
    _run, answers["raise"] = select(today + timedelta(days=40))
    env.cr.rollback()
    return answers
