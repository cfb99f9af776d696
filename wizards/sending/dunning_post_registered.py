from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class DunningPostRegistered(models.TransientModel):
    """The tracking codes of letters that go by registered post."""

    _name = 'dunning.post.registered'
    _description = "Registered Post"

    line_ids = fields.One2many(
        comodel_name='dunning.post.registered.line', inverse_name='wizard_id', string="Letters")

    @api.model
    def _action_open(self, notices):
        wizard = self.create({'line_ids': [Command.create({'notice_id': notice.id}) for notice in notices]})
        return {**wizard.get_formview_action(), 'name': self.env._("Registered Post"), 'target': 'new', 'context': {}}

    def action_confirm(self):
        """Record the codes; letters that were not posted yet are posted now. Without a code a letter waits."""
        self.ensure_one()
        lines = self.line_ids.filtered(lambda line: line._get_code())
        if not lines:
            raise UserError(self.env._("Enter the tracking code of at least one letter."))
        notices = lines.notice_id
        notices.check_access('write')
        codes = [line._get_code() for line in lines]
        twice = next((code for code in codes if codes.count(code) > 1), None)
        used = self.env['dunning.notice'].search(
            [('tracking_code', 'in', codes), ('id', 'not in', notices.ids)], limit=1)
        if twice or used:
            raise UserError(self.env._(
                "The tracking code %(code)s is of another letter already%(notice)s. Each letter has its own.",
                code=twice or used.tracking_code, notice=f" ({used.display_name})" if used else ""))
        for line in lines:
            notice = line.notice_id
            if notice.tracking_code or notice.postal_state not in ('printed', 'posted'):
                raise UserError(self.env._(
                    "%s does not wait for a tracking code any more. Close this window and look at it again.",
                    notice.display_name))
            notice._record_registered(line._get_code(), line.proof, line.proof_filename)
        return notices._notify_result(self.env._("%(count)s letters went by registered post.", count=len(notices)))
