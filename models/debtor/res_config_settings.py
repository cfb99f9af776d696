from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    rates_alert = fields.Char(related='company_id.rates_alert')
    dunning_policy_business_id = fields.Many2one(related='company_id.dunning_policy_business_id', readonly=False)
    dunning_policy_consumer_id = fields.Many2one(related='company_id.dunning_policy_consumer_id', readonly=False)
    dunning_start_date = fields.Date(related='company_id.dunning_start_date', readonly=False)
    dunning_oldest_due_date = fields.Date(related='company_id.dunning_oldest_due_date', readonly=False)
    dunning_backlog_daily = fields.Integer(related='company_id.dunning_backlog_daily', readonly=False)
    dunning_term_agreed_business = fields.Boolean(related='company_id.dunning_term_agreed_business', readonly=False)
    dunning_term_agreed_consumer = fields.Boolean(related='company_id.dunning_term_agreed_consumer', readonly=False)
    dunning_postal_days = fields.Integer(related='company_id.dunning_postal_days', readonly=False)
    dunning_vat_on_costs = fields.Boolean(related='company_id.dunning_vat_on_costs', readonly=False)
    dunning_day_count = fields.Selection(related='company_id.dunning_day_count', readonly=False)
    dunning_contact_id = fields.Many2one(related='company_id.dunning_contact_id', readonly=False)
    dunning_window_side = fields.Selection(related='company_id.dunning_window_side', readonly=False)
    dunning_window_left = fields.Float(related='company_id.dunning_window_left', readonly=False)
    dunning_window_top = fields.Float(related='company_id.dunning_window_top', readonly=False)
