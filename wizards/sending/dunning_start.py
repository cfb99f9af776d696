from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.planner.dunning_planner import BACKLOG_DAILY


class DunningStart(models.TransientModel):
    """First run: what dunning would do with what is overdue already, and how calmly it starts."""

    _name = 'dunning.start'
    _description = "Start Dunning"

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related='company_id.currency_id')
    policy_business_id = fields.Many2one(
        comodel_name='dunning.policy', string="Ladder for Businesses",
        domain="[('debtor_type', 'in', ('business', 'any')), ('company_id', 'in', (False, company_id))]",
        default=lambda self: self.env.company.dunning_policy_business_id)
    policy_consumer_id = fields.Many2one(
        comodel_name='dunning.policy', string="Ladder for Consumers",
        domain="[('debtor_type', 'in', ('consumer', 'any')), ('company_id', 'in', (False, company_id))]",
        default=lambda self: self.env.company.dunning_policy_consumer_id)
    start_date = fields.Date(required=True, default=lambda self: self.env.company._dunning_today())
    oldest_due_date = fields.Date(
        string="Leave Alone What Was Due Before",
        default=lambda self: self.env.company.dunning_oldest_due_date)
    backlog_count = fields.Integer(compute='_compute_backlog')
    backlog_debtors = fields.Integer(compute='_compute_backlog')
    backlog_amount = fields.Monetary(compute='_compute_backlog')
    old_count = fields.Integer(compute='_compute_backlog')
    old_amount = fields.Monetary(compute='_compute_backlog')
    backlog_days = fields.Integer(compute='_compute_backlog')

    @api.depends('start_date', 'oldest_due_date', 'company_id')
    def _compute_backlog(self):
        for wizard in self:
            company = wizard.company_id
            # sudo: only managers open this wizard; the figures are totals of their company
            Line = self.env['account.move.line'].sudo()
            old = Line._get_dunning_due_before_domain(wizard.oldest_due_date) if wizard.oldest_due_date else (
                fields.Domain.FALSE)
            domain = Line._get_dunning_overdue_domain(company, wizard.start_date)
            [(wizard.backlog_count, wizard.backlog_debtors, wizard.backlog_amount)] = Line._read_group(
                domain & ~old, [], ['__count', 'partner_id:count_distinct', 'amount_residual:sum'])
            [(wizard.old_count, wizard.old_amount)] = Line._read_group(
                domain & old, [], ['__count', 'amount_residual:sum'])
            wizard.backlog_days = -(-wizard.backlog_debtors // BACKLOG_DAILY)

    def action_start(self):
        """Store the choices; the next plan run follows them."""
        self.ensure_one()
        if self.company_id not in self.env.companies:
            raise UserError(self.env._("Choose this company at the top of the screen first."))
        # sudo: only managers may use this wizard, and they may not write on companies
        self.company_id.sudo().write({
            'dunning_policy_business_id': self.policy_business_id.id,
            'dunning_policy_consumer_id': self.policy_consumer_id.id,
            'dunning_start_date': self.start_date,
            'dunning_oldest_due_date': self.oldest_due_date,
        })
        return self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
