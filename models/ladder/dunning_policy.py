from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# The languages the addon ships letters in. A debtor gets the one nearest to his own.
LETTER_LANGUAGES = ('nl_NL', 'en_US')


class DunningPolicy(models.Model):
    """A ladder: which debtors it is for, on what conditions, and its rungs (levels)."""

    _name = 'dunning.policy'
    _inherit = ['dunning.interest.alert']
    _description = "Dunning Policy"
    _order = 'sequence, id'
    _check_company_auto = True
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name='res.company',
        index=True,
        help="Leave empty to share the policy between all companies.",
    )
    debtor_type = fields.Selection(
        selection=[
            ('business', "Business"),
            ('consumer', "Consumer"),
            ('any', "Business and consumer"),
        ],
        default='any',
        required=True,
        help="The policy is only ever applied to debtors of this kind, whatever is chosen on an invoice or contact.",
    )
    currency_id = fields.Many2one(
        comodel_name='res.currency',
        required=True,
        default=lambda self: self.env.company.currency_id,
    )
    minimum_amount = fields.Monetary(
        help="No notice goes out for less than this sum. Amounts in another currency are converted at the day's rate.",
    )
    approval = fields.Selection(
        selection=[
            ('approval', "Propose, I approve"),
            ('automatic', "Send by itself"),
        ],
        string="Sending",
        default='approval',
        required=True,
        help="Propose: the scheduled action leaves proposals that somebody approves.\n"
             "Send by itself: the scheduled action also sends what is due.",
    )
    require_invoice_sent = fields.Boolean(
        string="Invoice Must Be Sent",
        default=True,
        help="Never remind about an invoice that was not marked as sent.",
    )
    soft_days = fields.Integer(
        string="Calm Days After a Hold",
        default=3,
        help="When a hold has ended, nothing goes out for this number of days.",
    )
    cost_formula = fields.Selection(
        selection=[
            ('none', "No collection costs"),
            ('minimum', "The statutory minimum of EUR 40"),
            ('scale', "Statutory scale over all invoices together"),
            ('scale_per_invoice', "Statutory scale, at least EUR 40 for each invoice"),
            ('agreed', "Agreed percentage"),
        ],
        string="Collection Costs of Businesses",
        default='scale',
        required=True,
        help="Consumers only ever owe the statutory scale, after a 14-day letter. A business may have agreed otherwise "
             "(article 6:96 paragraph 4 BW: never less than EUR 40; a judge can moderate more than the scale).",
    )
    agreed_cost_percent = fields.Float(
        string="Agreed Costs (%)", digits=(6, 3), help="Percentage of the principal, as in the contract or terms.")
    agreed_cost_minimum = fields.Monetary(string="Agreed Minimum Costs")
    agreed_interest_percent = fields.Float(
        string="Agreed Interest (% per Year)", digits=(6, 3),
        help="Interest agreed with the debtors of this policy, instead of the statutory one. For consumers it only "
             "counts when it is higher than the statutory rate (article 6:119 paragraph 3 BW). 0: the statutory rate.",
    )
    claim_booking = fields.Selection(
        selection=[
            ('letter', "Only on letters"),
            ('booked', "Booked when claimed"),
        ],
        string="Interest and Costs in the Books",
        default='letter',
        required=True,
        help="Only on letters: the books follow when the debtor pays.\n"
             "Booked when claimed: an entry is made when a notice that asks for them has left.",
    )
    lang = fields.Selection(
        selection='_selection_lang',
        string="Default Language",
        default='nl_NL',
        required=True,
        help="Language of the letters to debtors without a language of their own.",
    )
    level_ids = fields.One2many(
        comodel_name='dunning.level',
        inverse_name='policy_id',
        string="Levels",
        copy=True,
    )
    level_count = fields.Integer(string="Number of Levels", compute='_compute_level_count')
    summary = fields.Char(string="Ladder", compute='_compute_summary')
    note = fields.Text(string="Description", translate=True)

    _check_minimum_amount = models.Constraint(
        'CHECK(minimum_amount >= 0)',
        "The minimum amount of a dunning policy cannot be negative.",
    )
    _check_soft_days = models.Constraint(
        'CHECK(soft_days >= 0)',
        "The number of calm days after a hold cannot be negative.",
    )
    _check_agreed = models.Constraint(
        'CHECK(agreed_cost_percent >= 0 AND agreed_cost_percent <= 100 AND agreed_cost_minimum >= 0'
        ' AND agreed_interest_percent >= 0 AND agreed_interest_percent <= 100)',
        "Agreed percentages lie between 0 and 100, and the agreed minimum is not negative.",
    )

    @api.model
    def _selection_lang(self):
        return [
            (code, name) for code, name in self.env['res.lang'].get_installed()
            if code.startswith(tuple(lang[:2] for lang in LETTER_LANGUAGES))
        ] or [('en_US', "English (US)")]

    @api.depends('level_ids')
    def _compute_level_count(self):
        for policy in self:
            policy.level_count = len(policy.level_ids)

    @api.depends('level_ids.name', 'level_ids.sequence')
    def _compute_summary(self):
        for policy in self:
            policy.summary = " → ".join(level.name or '' for level in policy.level_ids.sorted('sequence'))

    @api.depends('level_ids.with_interest')
    def _compute_rates_alert(self):
        asking = self.filtered(lambda policy: any(policy.level_ids.mapped('with_interest')))
        (self - asking).rates_alert = False
        return super(DunningPolicy, asking)._compute_rates_alert()

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if not (default or {}).get('name'):
            for policy, vals in zip(self, vals_list, strict=True):
                vals['name'] = self.env._("%s (copy)", policy.name)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        used = self.env['dunning.notice'].sudo().search(  # sudo: only asks whether a notice exists, in any company
            Domain('level_id.policy_id', 'in', self.ids), limit=1,
        )
        if used:
            raise UserError(self.env._(
                "Notices were made with the policy “%(policy)s”, so it stays as their proof. Archive it instead.",
                policy=used.level_id.policy_id.name,
            ))

    def _minimum_in(self, company, at_date):
        """Return the minimum amount in the currency of ``company`` at the rate of ``at_date``."""
        self.ensure_one()
        return self.currency_id._convert(self.minimum_amount, company.currency_id, company, at_date)

    def _nearest_letter_lang(self, lang):
        """Return the language nearest to ``lang`` (code or False) that letters exist in.

        Flemish and Dutch debtors read Dutch, everybody else with a language of his
        own reads English, and who has none gets the language of the policy.
        """
        self.ensure_one()
        if not lang:
            return self.lang
        installed = [code for code, _name in self.env['res.lang'].get_installed()]
        wanted = 'nl' if lang.startswith('nl') else 'en'
        if lang in installed and lang[:2] == wanted:
            return lang
        nearest = next((code for code in installed if code.startswith(wanted)), None)
        return nearest or self.lang

