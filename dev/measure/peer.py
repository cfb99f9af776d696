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

        def generate():
            run.generate_credit_lines()
            env.flush_all()
            with meter.outside_the_clock(env):  # what there is to see is counted for us
                return {"answers": len(run.line_ids), "notices": len(run.line_ids.partner_id)}

        return run, meter.measure(env, generate, repeats=turns, undo=True)

    def mail():
        run.run_channel_action()
        return {"notices": len(env["credit.control.communication"].search([]))}

    answers = {}
    run, answers["create"] = select(today)
    run.set_to_ready_lines()
    env.cr.commit()
    answers["mails"] = meter.measure(env, mail, repeats=turns, undo=True)
    # What it would have sent is not the point: nothing leaves.
    env.cr.postcommit.clear()
    run.line_ids.write({"state": "sent"})
    _run, answers["raise"] = select(today + timedelta(days=40))
    env.cr.rollback()
    return answers
