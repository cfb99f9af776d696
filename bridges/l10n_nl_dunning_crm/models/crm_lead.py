from odoo import fields, models


class CrmLead(models.Model):
    _inherit = 'crm.lead'

    dunning_level_id = fields.Many2one(related='partner_id.dunning_level_id')
    dunning_hold_text = fields.Char(related='partner_id.dunning_hold_text')
