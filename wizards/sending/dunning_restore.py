from odoo import api, fields, models
from odoo.exceptions import UserError


class DunningRestore(models.TransientModel):
    """After a restore: a person says up to when letters had left."""

    _name = 'dunning.restore'
    _description = "After a Restore"

    reason = fields.Char(compute='_compute_reason')
    until = fields.Datetime(
        string="Letters Had Left Until", required=True, default=fields.Datetime.now,
        help="As in the log of the mail server and on the letters that were posted. When in doubt: now.")

    @api.depends('until')
    def _compute_reason(self):
        self.reason = self.env['dunning.marker']._explain()

    def action_confirm(self):
        """Let letters leave again."""
        self.ensure_one()
        self.check_access('write')
        if not self.reason:
            raise UserError(self.env._("Nothing is held back, so there is nothing to confirm."))
        if self.until > fields.Datetime.now():
            raise UserError(self.env._("What has left is in the past: choose an earlier moment."))
        self.env['dunning.marker']._confirm(self.until)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
