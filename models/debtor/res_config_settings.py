from odoo import api, fields, models


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
    dunning_contacts_per_week = fields.Integer(related='company_id.dunning_contacts_per_week', readonly=False)
    dunning_interest_product_id = fields.Many2one(related='company_id.dunning_interest_product_id', readonly=False)
    dunning_cost_product_id = fields.Many2one(related='company_id.dunning_cost_product_id', readonly=False)
    dunning_booking_journal_id = fields.Many2one(related='company_id.dunning_booking_journal_id', readonly=False)
    dunning_lines_without_product = fields.Selection(
        related='company_id.dunning_lines_without_product', readonly=False)
    dunning_quiet = fields.Boolean(related='company_id.dunning_quiet', readonly=False)
    dunning_promise_grace_days = fields.Integer(related='company_id.dunning_promise_grace_days', readonly=False)
    dunning_promise_confirm = fields.Boolean(related='company_id.dunning_promise_confirm', readonly=False)
    dunning_arrangement_grace_days = fields.Integer(
        related='company_id.dunning_arrangement_grace_days', readonly=False)
    dunning_arrangement_valid_days = fields.Integer(
        related='company_id.dunning_arrangement_valid_days', readonly=False)
    dunning_arrangement_max_instalments = fields.Integer(
        related='company_id.dunning_arrangement_max_instalments', readonly=False)
    dunning_arrangement_max_days = fields.Integer(related='company_id.dunning_arrangement_max_days', readonly=False)
    dunning_arrangement_max_amount = fields.Monetary(
        related='company_id.dunning_arrangement_max_amount', readonly=False)
    dunning_signatory_ids = fields.Many2many(related='company_id.dunning_signatory_ids', readonly=False)
    dunning_auto_signatory_id = fields.Many2one(related='company_id.dunning_auto_signatory_id', readonly=False)
    dunning_arrangement_remind_days = fields.Integer(
        related='company_id.dunning_arrangement_remind_days', readonly=False)
    dunning_arrangement_break_days = fields.Integer(
        related='company_id.dunning_arrangement_break_days', readonly=False)
    dunning_arrangement_tell_kept = fields.Boolean(related='company_id.dunning_arrangement_tell_kept', readonly=False)
    dunning_keep_calls = fields.Integer(related='company_id.dunning_keep_calls', readonly=False)
    dunning_keep_promises = fields.Integer(related='company_id.dunning_keep_promises', readonly=False)
    dunning_keep_holds = fields.Integer(related='company_id.dunning_keep_holds', readonly=False)
    dunning_retention_automatic = fields.Boolean(related='company_id.dunning_retention_automatic', readonly=False)
    dunning_pause_on_reply = fields.Boolean(related='company_id.dunning_pause_on_reply', readonly=False)
    dunning_rival_names = fields.Char(compute='_compute_dunning_rival_names')
    dunning_breaker_factor = fields.Float(related='company_id.dunning_breaker_factor', readonly=False)
    dunning_breaker_minimum = fields.Integer(related='company_id.dunning_breaker_minimum', readonly=False)
    dunning_breaker_failures = fields.Float(related='company_id.dunning_breaker_failures', readonly=False)
    dunning_user_id = fields.Many2one(related='company_id.dunning_user_id', readonly=False)
    dunning_large_debtor = fields.Monetary(related='company_id.dunning_large_debtor', readonly=False)
    dunning_keep_arrangements = fields.Integer(related='company_id.dunning_keep_arrangements', readonly=False)
    dunning_page_in_mails = fields.Boolean(related='company_id.dunning_page_in_mails', readonly=False)
    dunning_page_offer = fields.Boolean(related='company_id.dunning_page_offer', readonly=False)
    dunning_page_offer_count = fields.Integer(related='company_id.dunning_page_offer_count', readonly=False)
    dunning_page_offer_total = fields.Monetary(related='company_id.dunning_page_offer_total', readonly=False)
    dunning_page_offer_minimum = fields.Monetary(related='company_id.dunning_page_offer_minimum', readonly=False)
    dunning_page_offer_days = fields.Integer(related='company_id.dunning_page_offer_days', readonly=False)

    @api.depends('company_id')
    def _compute_dunning_rival_names(self):
        self.dunning_rival_names = ", ".join(self.env.company._get_dunning_rivals())
