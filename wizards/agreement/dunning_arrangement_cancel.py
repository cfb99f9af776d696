from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...models.agreement.arrangement_states import OPEN_STATES


class DunningArrangementCancel(models.TransientModel):
    """Take arrangements back, with the reason."""

    _name = 'dunning.arrangement.cancel'
    _description = "Cancel an Arrangement"

    arrangement_ids = fields.Many2many(
        comodel_name='dunning.arrangement', relation='dunning_arrangement_cancel_rel', column1='wizard_id',
        column2='arrangement_id', readonly=True)
    runs = fields.Boolean(compute='_compute_runs')
    by_debtor = fields.Boolean(string="The Debtor Turned It Down")
    # Required by the view: the wizard is there before the answer is.
    why = fields.Char()

    @api.depends('arrangement_ids')
    def _compute_runs(self):
        for wizard in self:
            wizard.runs = 'active' in wizard.arrangement_ids.mapped('state')

    @api.model
    def _action_open(self, arrangements):
        self.check_access('create')
        still = arrangements.filtered(lambda one: one.state in OPEN_STATES)
        if not still:
            raise UserError(self.env._("These arrangements have ended already."))
        return self.create({'arrangement_ids': [Command.set(still.ids)]})._get_records_action(
            name=self.env._("Cancel an arrangement"), target='new', context={'dialog_size': 'medium'})

    def action_apply(self):
        """Cancel the arrangements: reminders go on after the soft days."""
        self.ensure_one()
        self.check_access('write')
        self.arrangement_ids.check_access('write')
        self.arrangement_ids._cancel(self.why, 'by_debtor' if self.by_debtor else 'withdrawn')
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
