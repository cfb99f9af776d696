from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

DEBTOR_TYPES = [('business', "Business"), ('consumer', "Consumer"), ('government', "Government")]


def _is_number(text):
    """Return whether a VAT or company number was filled in; “/” is how one says that there is none."""
    return bool(text and text.strip(' /-'))


ACCOUNTING = 'account.group_account_invoice,account.group_account_readonly'


class ResPartner(models.Model):
    _inherit = 'res.partner'

    type = fields.Selection(
        selection_add=[('dunning', "Reminders")],
        ondelete={'dunning': lambda partners: partners.write({'type': 'contact'})},
    )
    # A prefetch group of our own: who reads a contact for a sale or an entry does not read these along. Those that
    # depend on the company would have their default looked up each time, which invoicing and paying do often. Nor are
    # they indexed: hardly anybody searches for them, and PostgreSQL weighs each index in every query about contacts.
    dunning_policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        company_dependent=True,
        index=False,
        domain="['|', ('company_id', '=', False), ('company_id', '=', current_company_id)]",
        help="Empty: the policy of the company for this type of debtor.",
        prefetch='dunning',
    )
    dunning_debtor_type = fields.Selection(
        selection=DEBTOR_TYPES,
        string="Debtor Type",
        help="Empty: a contact that is a company or has a VAT or company number is a business, "
             "everybody else is a consumer.",
        prefetch='dunning',
    )
    dunning_effective_type = fields.Selection(
        selection=DEBTOR_TYPES,
        string="Treated As",
        compute='_compute_dunning_effective_type',
    )
    dunning_effective_type_reason = fields.Char(
        string="Because", compute='_compute_dunning_effective_type', help="Why the debtor is treated as such.")
    dunning_term_agreed = fields.Selection(
        selection=[('yes', "Agreed"), ('no', "Not agreed")],
        string="Payment Term",
        company_dependent=True,
        index=False,
        help="Whether the payment term was agreed with this debtor. Empty: as in the settings of the company.",
        prefetch='dunning',
    )
    dunning_waive_interest = fields.Boolean(
        company_dependent=True, index=False, prefetch='dunning', help="Never ask interest of this debtor.")
    dunning_waive_costs = fields.Boolean(
        string="Waive Collection Costs", company_dependent=True, index=False, prefetch='dunning',
        help="Never ask collection costs of this debtor.")
    dunning_waive_reason = fields.Char(
        company_dependent=True, index=False, prefetch='dunning',
        help="Why interest or costs are waived; shown with the claim.")
    dunning_effective_policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        string="Policy That Applies",
        compute='_compute_dunning_effective_policy_id',
        help="The policy of the debtor, else that of the company for this type of debtor. "
             "An invoice can have a policy of its own.",
    )
    dunning_lang = fields.Selection(
        selection=lambda self: self.env['res.lang'].get_installed(),
        string="Language of Reminders",
        help="Empty: the language of the contact, else that of the policy.",
        prefetch='dunning',
    )
    dunning_amount_overdue = fields.Monetary(
        string="Overdue",
        compute='_compute_dunning_overdue',
        search='_search_dunning_amount_overdue',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_items_overdue = fields.Integer(
        string="Overdue Items",
        compute='_compute_dunning_overdue',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    dunning_days_overdue = fields.Integer(
        string="Days Overdue",
        compute='_compute_dunning_overdue',
        groups='account.group_account_invoice,account.group_account_readonly',
    )
    _dunning_contact_idx = models.Index("(commercial_partner_id, id) WHERE type = 'dunning' AND active")

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + [
            'dunning_policy_id', 'dunning_debtor_type', 'dunning_term_agreed', 'dunning_waive_interest',
            'dunning_waive_costs', 'dunning_waive_reason', 'dunning_review', 'dunning_user_id']

    # -------------------------------------------------------------------------
    # WHO IS THE DEBTOR
    # -------------------------------------------------------------------------

    @api.depends(
        'commercial_partner_id.dunning_debtor_type', 'commercial_partner_id.is_company',
        'commercial_partner_id.vat', 'commercial_partner_id.company_registry')
    def _compute_dunning_effective_type(self):
        """As the planner sees it; doubt means consumer, the better protected one."""
        labels = dict(self._fields['dunning_debtor_type']._description_selection(self.env))
        for partner in self:
            debtor = partner.commercial_partner_id or partner
            if debtor.dunning_debtor_type:
                kind, reason = debtor.dunning_debtor_type, self.env._(
                    "chosen: %s", labels[debtor.dunning_debtor_type].lower())
            elif debtor.is_company:
                kind, reason = 'business', self.env._("the contact is a company")
            elif _is_number(debtor.vat):
                kind, reason = 'business', self.env._("it has a VAT number")
            elif _is_number(debtor.company_registry):
                kind, reason = 'business', self.env._("it has a company number")
            else:
                kind, reason = 'consumer', self.env._("nothing says that it is a business")
            partner.dunning_effective_type = kind
            partner.dunning_effective_type_reason = reason

    @api.depends('commercial_partner_id.dunning_policy_id', 'dunning_effective_type')
    @api.depends_context('company')
    def _compute_dunning_effective_policy_id(self):
        company = self.env.company
        for partner in self:
            debtor = partner.commercial_partner_id or partner
            partner.dunning_effective_policy_id = debtor.dunning_policy_id or (
                company.dunning_policy_consumer_id if partner.dunning_effective_type == 'consumer'
                else company.dunning_policy_business_id)

    def _read_dunning_lang(self):
        """Read what :meth:`_get_dunning_lang` looks at, and not all that is known of thousands of contacts."""
        names = ['dunning_lang', 'lang', 'country_id', 'create_date']
        self.fetch(['commercial_partner_id', *names])
        self.commercial_partner_id.fetch(names)

    def _get_dunning_lang(self):
        """Return the language to write to this contact in, or False to leave it to the policy.

        While a database knows one language, every contact gets that one, whoever
        he is. Contacts from before the addon brought a second language are
        therefore judged by their country; see ``pre_init_hook``.
        """
        self.ensure_one()
        debtor = self.commercial_partner_id or self
        explicit = self.dunning_lang or debtor.dunning_lang
        if explicit:
            return explicit
        lang = self.lang or debtor.lang
        # sudo: a technical parameter, the same for every user
        only_lang, _sep, until = self.env['ir.config_parameter'].sudo().get_param(
            'l10n_nl_dunning.only_language_until', '').partition(' ')
        if not lang or lang != only_lang or fields.Datetime.to_string(self.create_date) > until:
            return lang
        country = (self.country_id or debtor.country_id).code
        if not country:
            return False
        return 'nl_NL' if country in ('NL', 'BE', 'SR', 'CW', 'AW', 'SX', 'BQ') else 'en_US'

    def _get_dunning_overdue_domain(self):
        """Domain on ``account.move.line``: what is overdue today, whether it may be reminded or not."""
        return Domain([
            ('company_id', '=', self.env.company.id),
            ('parent_state', '=', 'posted'),
            ('account_id.account_type', '=', 'asset_receivable'),
            ('reconciled', '=', False),
            ('amount_residual', '>', 0),
            ('date_maturity', '<', self.env.company._dunning_today()),
        ])

    @api.depends_context('company', 'dunning_at_date')
    def _compute_dunning_overdue(self):
        today = self.env.company._dunning_today()
        groups = self.env['account.move.line']._read_group(
            self._get_dunning_overdue_domain() & Domain('partner_id', 'in', self.commercial_partner_id.ids),
            ['partner_id'],
            ['amount_residual:sum', '__count', 'date_maturity:min'],
        )
        found = {debtor.id: values for debtor, *values in groups}
        for partner in self:
            amount, count, oldest = found.get(partner.commercial_partner_id._origin.id, (0.0, 0, None))
            partner.dunning_amount_overdue = amount
            partner.dunning_items_overdue = count
            partner.dunning_days_overdue = (today - oldest).days if oldest else 0

    def _search_dunning_amount_overdue(self, operator, value):
        """Only the question “is anything overdue?” (``> 0``) and plain comparisons of the sum."""
        if operator not in ('>', '>=', '<', '<='):
            return NotImplemented
        groups = self.env['account.move.line']._read_group(
            self._get_dunning_overdue_domain(), ['partner_id'],
            having=[('amount_residual:sum', operator, value)],
        )
        found = Domain('id', 'in', [partner.id for (partner,) in groups])
        if (operator in ('<', '<=') and value > 0) or (operator in ('<=', '>=') and value == 0):
            # Nothing overdue counts as zero.
            some = self.env['account.move.line']._search(self._get_dunning_overdue_domain()).subselect('partner_id')
            found |= Domain('id', 'not in', some)
        return found

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_dunning_send(self):
        """Open the send wizard for all overdue items of these debtors."""
        return self.env['dunning.send']._action_open(partners=self.commercial_partner_id)

    @api.constrains('dunning_waive_interest', 'dunning_waive_costs', 'dunning_waive_reason')
    def _check_dunning_waive_reason(self):
        for partner in self:
            if (partner.dunning_waive_interest or partner.dunning_waive_costs) and not (
                partner.dunning_waive_reason or ''
            ).strip():
                raise ValidationError(self.env._(
                    "Say why interest or collection costs of %s are waived: the reason is shown with the claim.",
                    partner.display_name))

    dunning_review = fields.Boolean(
        string="Look First",
        company_dependent=True,
        index=False,
        help="Reminders to this debtor never leave by themselves: each is a proposal until somebody approved it, "
             "whatever the policy says.",
        prefetch='dunning',
    )
    dunning_user_id = fields.Many2one(
        comodel_name='res.users',
        string="Collector",
        company_dependent=True,
        index=False,
        tracking=True,
        groups=ACCOUNTING,
        domain="[('share', '=', False)]",
        help="Who calls this debtor. Empty: the collector in the settings of the company.",
        prefetch='dunning',
    )
