from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import config

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
    checklist_html = fields.Html(compute='_compute_checklist_html', sanitize=False)

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

    @api.depends('company_id', 'policy_business_id', 'policy_consumer_id')
    def _compute_checklist_html(self):
        for wizard in self:
            wizard.checklist_html = self.env['ir.qweb']._render(
                'l10n_nl_dunning.start_checklist', {'checks': wizard._get_checks()}, minimal_qcontext=True)

    def _get_checks(self):
        """Return what letters and e-mails need: dicts with ``done`` and ``text``, what to do where it is not done.

        :rtype: list
        """
        company = self.company_id.sudo()  # sudo: only managers open this wizard; it is about their company
        bank = self.env['dunning.letter']._get_bank(company, self.env['account.move'])
        servers = self.env['ir.mail_server'].sudo().search_count([], limit=1)  # sudo: only whether there is one
        plan = self.env.ref('l10n_nl_dunning.ir_cron_dunning_plan', raise_if_not_found=False) or self.env['ir.cron']
        crons = [plan.sudo(), self.env['dunning.dispatcher']._get_cron()]  # sudo: only whether it is switched on
        # Without a choice Odoo's configuration says port 25 of this very machine.
        configured = (config.get('smtp_server'), config.get('smtp_port')) not in ((None, None), ('localhost', 25))
        sender = company._explain_dunning_sender()
        return [
            {'done': done, 'text': done_text if done else todo} for done, done_text, todo in (
                (bool(bank), self.env._("Debtors pay on %s.", bank.acc_number or ''), self.env._(
                    "There is no bank account to pay on. Enter it on the bank journal or on the company.")),
                (not sender, self.env._("E-mails come from %s.", company.email or ''), sender),
                (bool(company.logo) and not company.uses_default_logo, self.env._(
                    "Letters and e-mails have your logo."), self.env._(
                    "There is no logo yet. Add it on the company; letters go without it too.")),
                (bool(servers or configured), self.env._(
                    "There is a mail server. Send yourself a test from a preview to see that it works."), self.env._(
                    "No mail server is set up. Add one in the settings of Odoo, or no e-mail leaves.")),
                (all(cron.active for cron in crons), self.env._(
                    "The scheduled actions plan and send every day."), self.env._(
                    "A scheduled action is switched off. Switch “Debtors: plan reminders” and “Debtors: send "
                    "reminders” on again.")),
                (bool(self.policy_business_id or self.policy_consumer_id), self.env._(
                    "A ladder is chosen. Read its texts under Configuration ‣ Policies."), self.env._(
                    "No ladder is chosen, so nobody is reminded. Choose one below.")),
            )]

    def action_start_now(self):
        """Store the choices, and plan at once instead of the next morning."""
        action = self.action_start()
        company = self.company_id
        # As the scheduled action does every morning: whoever starts it made none of these proposals himself.
        run = self.env['dunning.run'].with_user(SUPERUSER_ID)
        run._plan_company(company.with_user(SUPERUSER_ID), company._dunning_today())
        return action

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
