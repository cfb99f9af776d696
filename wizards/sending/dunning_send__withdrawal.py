from odoo import api, fields, models


class DunningSend(models.TransientModel):
    _inherit = 'dunning.send'

    stopped_text = fields.Text(string="Stopped Queue", compute='_compute_stopped')
    breaker_id = fields.Many2one(comodel_name='dunning.breaker', compute='_compute_stopped')

    @api.depends('item_ids', 'proposal_ids')
    def _compute_stopped(self):
        """That the reminders that leave by themselves were stopped: whoever sends by hand should know why."""
        for wizard in self:
            companies = wizard.item_ids.company_id | wizard.proposal_ids.company_id
            breakers = self.env['dunning.breaker'].search([
                ('company_id', 'in', companies.ids), ('state', '=', 'stopped')])
            wizard.breaker_id = breakers[:1]
            wizard.stopped_text = "\n".join(
                breaker._get_text(with_company=len(breakers) > 1) for breaker in breakers) or False

    def action_breaker_release(self):
        """Let the stopped reminders go."""
        self.ensure_one()
        self.check_access('write')
        return self.breaker_id.action_release()

    def action_breaker_turn_back(self):
        """Turn the stopped reminders into proposals."""
        self.ensure_one()
        self.check_access('write')
        return self.breaker_id.action_turn_back()
