from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.ladder.dunning_level import CHANNELS


class DunningTimeMachineLevel(models.TransientModel):
    """A level as it is tried; the level itself does not change."""

    _name = 'dunning.time.machine.level'
    _description = "Level in the Time Machine"
    _order = 'id'

    wizard_a_id = fields.Many2one(comodel_name='dunning.time.machine', ondelete='cascade', index='btree_not_null')
    wizard_b_id = fields.Many2one(comodel_name='dunning.time.machine', ondelete='cascade', index='btree_not_null')
    level_id = fields.Many2one(comodel_name='dunning.level', required=True, readonly=True, ondelete='cascade')
    enabled = fields.Boolean(string="In Use", default=True)
    delay_days = fields.Integer(string="Delay (days)")
    payment_term_days = fields.Integer(string="Term (days)")
    channel = fields.Selection(selection=CHANNELS, required=True, default='email')

    @api.constrains('payment_term_days', 'delay_days')
    def _check_days(self):
        for line in self:
            if line.payment_term_days < 0 or (line.delay_days < 0 and line.level_id.delay_from != 'due_date'):
                raise UserError(self.env._(
                    "“%s”: terms cannot be negative, and delays only when they are counted from the due date.",
                    line.level_id.name))
