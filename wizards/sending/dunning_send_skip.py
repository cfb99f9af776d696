from odoo import fields, models


class DunningSendSkip(models.TransientModel):
    _name = 'dunning.send.skip'
    _description = "Item That Gets No Reminder Now"
    _order = 'reason_code, partner_id, due_date, id'

    wizard_id = fields.Many2one(comodel_name='dunning.send', required=True, ondelete='cascade', index=True)
    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    move_id = fields.Many2one(comodel_name='account.move', string="Invoice", readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True)
    currency_id = fields.Many2one(comodel_name='res.currency', readonly=True)
    due_date = fields.Date(readonly=True)
    amount_residual = fields.Monetary(string="Open", readonly=True)
    reason_code = fields.Char(readonly=True)
    reason = fields.Text(string="Why Not", readonly=True)
    next_date = fields.Date(string="From", readonly=True)
