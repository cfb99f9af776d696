from odoo import api, fields, models

#: ``{app: its bridge}``: what this addon knows shows in the app as well.
BRIDGES = {
    'account_banking_mandate': 'l10n_nl_dunning_direct_debit',
    'account_payment_mandate': 'l10n_nl_dunning_payment_mandate',
    'account_payment_return': 'l10n_nl_dunning_payment_return',
    'crm': 'l10n_nl_dunning_crm',
    'queue_job': 'l10n_nl_dunning_queue_job',
    'sale': 'l10n_nl_dunning_sale',
    'sale_financial_risk': 'l10n_nl_dunning_sale_financial_risk',
    'website_sale': 'l10n_nl_dunning_website_sale',
}


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_policy_business_id = fields.Many2one(related='company_id.dunning_policy_business_id', readonly=False)
    dunning_policy_consumer_id = fields.Many2one(related='company_id.dunning_policy_consumer_id', readonly=False)
    dunning_start_date = fields.Date(related='company_id.dunning_start_date', readonly=False)
    dunning_oldest_due_date = fields.Date(related='company_id.dunning_oldest_due_date', readonly=False)
    dunning_term_agreed_business = fields.Boolean(related='company_id.dunning_term_agreed_business', readonly=False)
    dunning_term_agreed_consumer = fields.Boolean(related='company_id.dunning_term_agreed_consumer', readonly=False)
    dunning_shortest_term = fields.Integer(related='company_id.dunning_shortest_term', readonly=False)
    dunning_postal_days = fields.Integer(related='company_id.dunning_postal_days', readonly=False)
    dunning_vat_on_costs = fields.Boolean(related='company_id.dunning_vat_on_costs', readonly=False)
    dunning_contact_id = fields.Many2one(related='company_id.dunning_contact_id', readonly=False)
    dunning_window_side = fields.Selection(related='company_id.dunning_window_side', readonly=False)
    dunning_contacts_per_week = fields.Integer(related='company_id.dunning_contacts_per_week', readonly=False)
    dunning_interest_product_id = fields.Many2one(related='company_id.dunning_interest_product_id', readonly=False)
    dunning_cost_product_id = fields.Many2one(related='company_id.dunning_cost_product_id', readonly=False)
    dunning_booking_journal_id = fields.Many2one(related='company_id.dunning_booking_journal_id', readonly=False)
    dunning_lines_without_product = fields.Selection(
        related='company_id.dunning_lines_without_product', readonly=False)
    dunning_quiet = fields.Boolean(related='company_id.dunning_quiet', readonly=False)
    dunning_promise_confirm = fields.Boolean(related='company_id.dunning_promise_confirm', readonly=False)
    dunning_arrangement_max_instalments = fields.Integer(
        related='company_id.dunning_arrangement_max_instalments', readonly=False)
    dunning_arrangement_max_amount = fields.Monetary(
        related='company_id.dunning_arrangement_max_amount', readonly=False)
    dunning_signatory_ids = fields.Many2many(related='company_id.dunning_signatory_ids', readonly=False)
    dunning_auto_signatory_id = fields.Many2one(related='company_id.dunning_auto_signatory_id', readonly=False)
    dunning_keep_months = fields.Integer(related='company_id.dunning_keep_months', readonly=False)
    dunning_retention_automatic = fields.Boolean(related='company_id.dunning_retention_automatic', readonly=False)
    group_dunning_advanced = fields.Boolean(
        string="Advanced Functions", implied_group='l10n_nl_dunning.group_dunning_advanced')
    dunning_rival_names = fields.Char(compute='_compute_dunning_rival_names')
    dunning_missing_bridges = fields.Char(compute='_compute_dunning_missing_bridges')
    dunning_law_text = fields.Char(compute='_compute_dunning_law_text')
    dunning_user_id = fields.Many2one(related='company_id.dunning_user_id', readonly=False)
    dunning_page_offer_total = fields.Monetary(related='company_id.dunning_page_offer_total', readonly=False)

    @api.depends('company_id')
    def _compute_dunning_rival_names(self):
        self.dunning_rival_names = ", ".join(self.env.company._get_dunning_rivals())

    @api.depends('company_id')
    def _compute_dunning_missing_bridges(self):
        """Bridges install themselves, unless nobody put them on the addons path."""
        # sudo: only which modules are installed
        modules = self.env['ir.module.module'].sudo().search([
            ('state', 'in', ('installed', 'to upgrade')), ('name', 'in', [*BRIDGES, *BRIDGES.values()])])
        installed = set(modules.mapped('name'))
        self.dunning_missing_bridges = ", ".join(
            bridge for app, bridge in BRIDGES.items() if app in installed and bridge not in installed)

    @api.depends('company_id')
    def _compute_dunning_law_text(self):
        self.dunning_law_text = self.env.company._explain_dunning_law()
