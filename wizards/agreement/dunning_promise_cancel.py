from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class DunningPromiseCancel(models.TransientModel):
    """Take promises back, with the reason."""

    _name = 'dunning.promise.cancel'
    _description = "Take a Promise Back"

    promise_ids = fields.Many2many(comodel_name='dunning.promise', readonly=True)
    # Required by the view: the wizard is there before the answer is.
    why = fields.Char()

    @api.model
    def _action_open(self, promises):
        self.check_access('create')
        running = promises.filtered(lambda promise: promise.state == 'running')
        if not running:
            raise UserError(self.env._("The ledger has decided about these promises already."))
        return self.create({'promise_ids': [Command.set(running.ids)]})._get_records_action(
            name=self.env._("Take back"), target='new', context={'dialog_size': 'medium'})

    def action_apply(self):
        """Take the promises back: reminders go on after the soft days."""
        self.ensure_one()
        self.promise_ids._take_back(self.why)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
