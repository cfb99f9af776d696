from odoo import api, fields, models


class DunningProposalChangeItem(models.TransientModel):
    _name = 'dunning.proposal.change.item'
    _description = "Due Item of a Proposal That Is Changed"
    _order = 'date_maturity, id'

    wizard_id = fields.Many2one(
        comodel_name='dunning.proposal.change', required=True, ondelete='cascade', index=True)
    line_id = fields.Many2one(comodel_name='dunning.notice.line', required=True, readonly=True, ondelete='cascade')
    selected = fields.Boolean()
    move_id = fields.Many2one(related='line_id.move_id')
    date_maturity = fields.Date(related='line_id.date_maturity', store=True, precompute=True)
    days_overdue = fields.Integer(related='line_id.days_overdue')
    level_id = fields.Many2one(related='line_id.level_id')
    currency_id = fields.Many2one(related='line_id.currency_id')
    amount = fields.Monetary(string="To Pay", compute='_compute_amount')

    @api.depends('line_id')
    def _compute_amount(self):
        for item in self:
            line = item.line_id
            item.amount = (
                line.amount_residual - line.amount_netted - line.amount_held + line.amount_interest + line.amount_costs)
