from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_amount, formatLang

from ...models.kernel.dunning_field import PickedMany2many
from ...models.planner.dunning_simulation import Variant

MAX_DAYS = 731


class DunningTimeMachine(models.TransientModel):
    """What would go out over a period, past or coming, with one or two ladders side by side; nothing is sent.

    Only the rows it shows are kept, for as long as a dialog is.
    """

    _name = 'dunning.time.machine'
    _description = "Time Machine"

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._dunning_today(),
        help="Past days use the ledger as it was then. A coming period is lived through from today on.")
    date_to = fields.Date(
        string="To", required=True,
        default=lambda self: self.env.company._dunning_today() + timedelta(days=60))
    partner_ids = PickedMany2many(comodel_name='res.partner', string="Debtors")
    calls = fields.Selection(
        selection=[('done', "are done the same day"), ('expire', "nobody does them")],
        string="Calls and Tasks", required=True, default='done')
    payments = fields.Selection(
        selection=[('nobody', "nobody pays"), ('average', "each pays as late as he used to")],
        string="On Coming Days", required=True, default='nobody',
        help="As late as he used to: after his own average number of days, or that of all debtors. "
             "Who is later than that already is not expected to pay.")
    compare = fields.Boolean(string="Compare With B")
    policy_a_id = fields.Many2one(
        comodel_name='dunning.policy', string="Policy of A", check_company=True,
        help="Empty: each debtor has his own policy, as it is.")
    policy_b_id = fields.Many2one(
        comodel_name='dunning.policy', string="Policy of B", check_company=True,
        help="Empty: each debtor has his own policy, as it is.")
    for_all_a = fields.Boolean(
        string="A for All Debtors", help="Let all debtors it is meant for follow this policy, whatever theirs is.")
    for_all_b = fields.Boolean(
        string="B for All Debtors", help="Let all debtors it is meant for follow this policy, whatever theirs is.")
    minimum_a = fields.Float(string="Minimum of A", digits=(16, 2))
    minimum_b = fields.Float(string="Minimum of B", digits=(16, 2))
    level_a_ids = fields.One2many(
        comodel_name='dunning.time.machine.level', inverse_name='wizard_a_id', string="Levels of A")
    level_b_ids = fields.One2many(
        comodel_name='dunning.time.machine.level', inverse_name='wizard_b_id', string="Levels of B")
    row_ids = fields.One2many(comodel_name='dunning.time.machine.row', inverse_name='wizard_id')
    simulated = fields.Boolean(readonly=True)
    comparison = fields.Html(compute='_compute_comparison', sanitize=False)

    @api.onchange('policy_a_id')
    def _onchange_policy_a_id(self):
        self.level_a_ids = self._prepare_levels(self.policy_a_id)
        self.minimum_a = self.policy_a_id.minimum_amount

    @api.onchange('policy_b_id')
    def _onchange_policy_b_id(self):
        self.level_b_ids = self._prepare_levels(self.policy_b_id)
        self.minimum_b = self.policy_b_id.minimum_amount

    @api.model
    def _prepare_levels(self, policy):
        return [Command.clear(), *(
            Command.create({
                'level_id': level.id, 'enabled': True, 'delay_days': level.delay_days,
                'payment_term_days': level.payment_term_days, 'channel': level.channel})
            for level in policy.level_ids.filtered('active').sorted('sequence'))]

    # -------------------------------------------------------------------------
    # SIMULATING
    # -------------------------------------------------------------------------

    def action_simulate(self):
        """Work it out and show it in the same window."""
        self.ensure_one()
        self.check_access('write')
        self._check_period()
        rows = []
        for variant in ('a', 'b') if self.compare else ('a',):
            rows += self._simulate(variant)
        self.row_ids.unlink()
        self.env['dunning.time.machine.row'].create(rows)
        self.simulated = True
        return self._get_action()

    def _check_period(self):
        if self.company_id not in self.env.companies:
            raise AccessError(self.env._("Choose that company first, at the top of the screen."))
        if self.date_to < self.date_from:
            raise UserError(self.env._("The last day lies before the first. Correct the period."))
        today = self.company_id._dunning_today()
        if (self.date_to - min(self.date_from, today)).days > MAX_DAYS:
            raise UserError(self.env._("Choose a period of two years at most, counted from today."))

    def _simulate(self, variant):
        """Return the values of the rows of one variant, one per notice."""
        outcomes = self.env['dunning.simulation']._simulate(
            self.company_id, self.date_from, self.date_to,
            variant=self._get_variant(variant), partners=self.partner_ids or None, calls=self.calls,
            payments=self.payments)
        return [
            {
                'wizard_id': self.id,
                'variant': variant,
                'date': outcome.date,
                'partner_id': outcome.partner_id,
                'policy_id': outcome.policy_id,
                'level_id': outcome.level_id,
                'channel': outcome.channel,
                'amount': outcome.amount,
                'item_count': len(outcome.items),
                'company_id': self.company_id.id,
            }
            for outcome in outcomes
        ]

    def _get_variant(self, variant):
        """Return the ladder to try; what was not changed is left out."""
        policy = self[f'policy_{variant}_id']
        if not policy:
            return Variant()
        levels = {}
        for line in self[f'level_{variant}_ids']:
            values = {
                name: line[name] for name in ('delay_days', 'payment_term_days', 'channel')
                if line[name] != line.level_id[name]}
            if not line.enabled:
                values['active'] = False
            if values:
                levels[line.level_id.id] = values
        minimum = self[f'minimum_{variant}']
        followers = self._get_followers(policy) if self[f'for_all_{variant}'] else self.env['res.partner']
        return Variant(
            policy_id=policy.id if followers else None,
            partner_ids=followers.ids,
            levels=levels,
            minimums={policy.id: minimum} if minimum != policy.minimum_amount else {},
        )

    def _get_followers(self, policy):
        """Return the debtors with invoices that a policy is meant for."""
        debtors = self.partner_ids.commercial_partner_id
        if not debtors:
            # sudo: which debtors there are; what is shown of them is what the user may read
            Line = self.env['account.move.line'].sudo()
            groups = Line._read_group(
                Line._get_dunning_due_domain() & Domain([
                    ('company_id', '=', self.company_id.id), ('parent_state', '=', 'posted'),
                    ('partner_id', '!=', False),
                ]), ['partner_id'])
            debtors = self.env['res.partner'].union(*(partner for partner, in groups)).commercial_partner_id
        kinds = ('consumer', 'business') if policy.debtor_type == 'any' else (policy.debtor_type,)
        return debtors.filtered(lambda debtor: (
            'consumer' if debtor.dunning_effective_type == 'consumer' else 'business') in kinds)

    # -------------------------------------------------------------------------
    # SHOWING
    # -------------------------------------------------------------------------

    @api.depends('row_ids', 'simulated', 'compare')
    def _compute_comparison(self):
        for wizard in self:
            wizard.comparison = wizard._render_comparison() if wizard.simulated else False

    def _render_comparison(self):
        self.ensure_one()
        variants = ['a', 'b'] if any(row.variant == 'b' for row in self.row_ids) or self.compare else ['a']
        by_variant = {variant: self.row_ids.filtered(lambda row, v=variant: row.variant == v) for variant in variants}
        channels = dict(self.env['dunning.time.machine.row']._fields['channel']._description_selection(self.env))

        def per_debtor(rows):
            debtors = len(rows.partner_id)
            contacts = len(rows.filtered(lambda row: row.channel != 'task'))
            return formatLang(self.env, contacts / debtors if debtors else 0.0, digits=1)

        def most(rows):
            return max((len(group) for group in rows.filtered(
                lambda row: row.channel != 'task').grouped('partner_id').values()), default=0)

        def amount(rows):
            return format_amount(self.env, sum(rows.mapped('amount')), self.company_id.currency_id)

        def table(get):
            return [get(by_variant[variant]) for variant in variants]

        sections = [(self.env._("In all"), [
            (self.env._("Notices"), table(len)),
            (self.env._("Debtors"), table(lambda rows: len(rows.partner_id))),
            (self.env._("Contacts per debtor"), table(per_debtor)),
            (self.env._("Most contacts with one debtor"), table(most)),
            (self.env._("Asked, of all notices together"), table(amount)),
        ]), (self.env._("By level"), [
            (self.env._("%(policy)s: %(level)s", policy=level.policy_id.name, level=level.name),
             table(lambda rows, level=level: len(rows.filtered(lambda row: row.level_id == level))))
            for level in self.row_ids.level_id.sorted(lambda level: (level.policy_id.id, level.sequence))
        ]), (self.env._("By channel"), [
            (label, table(lambda rows, channel=channel: rows.mapped('channel').count(channel)))
            for channel, label in channels.items() if any(row.channel == channel for row in self.row_ids)
        ])]
        return self.env['ir.qweb']._render('l10n_nl_dunning.dunning_time_machine_comparison', {
            'variants': [variant.upper() for variant in variants],
            'sections': [section for section in sections if section[1]],
        }, minimal_qcontext=True).strip()

    def _get_action(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Time Machine"),
            'res_model': self._name,
            'res_id': self.id,
            'view_mode': 'form',
            'target': 'new',
            'context': {'dialog_size': 'extra-large'},
        }

    def action_show_rows(self):
        """Show the notices as graph, pivot and list."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_time_machine_row_action')
        action['domain'] = [('wizard_id', '=', self.id)]
        return action
