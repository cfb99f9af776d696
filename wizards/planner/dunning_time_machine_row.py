from odoo import fields, models

from ...models.ladder.dunning_level import CHANNELS


class DunningTimeMachineRow(models.TransientModel):
    """A notice that would go out; it exists nowhere else."""

    _name = 'dunning.time.machine.row'
    _description = "Notice in the Time Machine"
    _order = 'amount desc, id'

    wizard_id = fields.Many2one(
        comodel_name='dunning.time.machine', required=True, readonly=True, ondelete='cascade', index=True)
    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True, ondelete='cascade')
    policy_id = fields.Many2one(comodel_name='dunning.policy', readonly=True, ondelete='cascade')
    level_id = fields.Many2one(comodel_name='dunning.level', readonly=True, ondelete='cascade')
    channel = fields.Selection(selection=CHANNELS, readonly=True)
    amount = fields.Monetary(
        string="Asked", currency_field='company_currency_id', readonly=True, help="Without interest and costs.")
    item_count = fields.Integer(string="Items", readonly=True)
