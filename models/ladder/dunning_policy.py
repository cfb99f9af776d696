"""Texts of levels: the words there are for them, and the texts and ladders that ship."""

from lxml import etree

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import file_open
from odoo.tools.convert import xml_import

from ...tools.wording import FOURTEEN_DAY

# The languages the addon ships letters in. A debtor gets the one nearest to his own.
LETTER_LANGUAGES = ('nl_NL', 'en_US')
MODULE = 'l10n_nl_dunning'
# The ladders in Dutch and then in English, in the order in which an installation loads them.
SHIPPED_FILES = ('data/ladder/dunning_policy_data.xml', 'data/ladder/dunning_policy_data_en.xml')
# Settings that a level has unless its data says otherwise.
DEFAULTS = {
    'active': True, 'legal_role': False, 'with_interest': False, 'with_costs': False, 'attach_invoices': False,
    'expire_days': 0, 'phone_tries': 3, 'recipient': 'reminder', 'fallback_channel': True, 'post_registered': False,
    'read_receipt': False,
}
# Put into the context while a policy is saved with its levels: its ladder is judged when all of it is there.
# Being one object of this process, no integration or browser can send it.
LATER = object()
# Likewise while what ships is loaded again: its texts are judged as well when they are there in all languages.
SHIPPING = object()


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
    day_count = fields.Selection(
        selection=[('act/365', "365 days a year"), ('act/act', "366 days in a leap year")],
        string="Days in a Year of Interest", default='act/365', required=True,
        help="How interest over part of a year is counted; the law does not say.",
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
    summary = fields.Char(string="Ladder", compute='_compute_summary')
    note = fields.Text(string="Description", translate=True)
    is_shipped = fields.Boolean(string="Shipped with the App", compute='_compute_is_shipped')
    bank_max_age = fields.Integer(
        string="Bank Data at Most (days old)",
        default=5,
        help="Nothing goes out when the newest bank statement line of an account is older. 0: not looked at.",
    )
    soft_days = fields.Integer(
        string="Calm Days After a Hold",
        default=3,
        help="Days between the end of a hold (a dispute, a promise) and the first reminder after it. "
             "Ending a hold never sends a letter at once.",
    )
    four_eyes = fields.Selection(
        selection=[
            ('never', "Not needed"),
            ('above', "Above an amount"),
            ('always', "Always"),
        ],
        string="Second Pair of Eyes",
        default='never',
        required=True,
        help="Whoever made or changed a proposal cannot approve it: a colleague does.\n"
             "What would be sent by itself then waits for approval as well.",
    )
    four_eyes_amount = fields.Monetary(
        string="From More Than",
        help="A colleague approves when more than this has to be paid. Amounts in another currency are converted at "
             "the day's rate.",
    )

    _check_minimum_amount = models.Constraint(
        'CHECK(minimum_amount >= 0)',
        "The minimum amount of a dunning policy cannot be negative.",
    )
    _check_agreed = models.Constraint(
        'CHECK(agreed_cost_percent >= 0 AND agreed_cost_percent <= 100 AND agreed_cost_minimum >= 0'
        ' AND agreed_interest_percent >= 0 AND agreed_interest_percent <= 100)',
        "Agreed percentages lie between 0 and 100, and the agreed minimum is not negative.",
    )
    _check_bank_max_age = models.Constraint(
        'CHECK(bank_max_age >= 0)',
        "The age of bank data cannot be negative.",
    )
    _check_soft_days = models.Constraint(
        'CHECK(soft_days >= 0)',
        "The soft days of a dunning policy cannot be negative.",
    )
    _check_four_eyes_amount = models.Constraint(
        'CHECK(four_eyes_amount >= 0)',
        "The amount above which a colleague approves is not negative.",
    )

    @api.model
    def _selection_lang(self):
        return [
            (code, name) for code, name in self.env['res.lang'].get_installed()
            if code.startswith(tuple(lang[:2] for lang in LETTER_LANGUAGES))
        ] or [('en_US', "English (US)")]

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

    def _suits(self, company):
        """Return whether no level of the policy asks what the law of the creditor does not know."""
        return not self.level_ids._get_foreign_policies(company._get_dunning_law())

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

    @api.constrains('debtor_type')
    def _check_level_wording(self):
        """What may be written to a business may not be written to a consumer."""
        self.level_ids._check_debtor_texts()

    def _compute_is_shipped(self):
        shipped = self._get_shipped_ids('dunning.policy', self)
        for policy in self:
            policy.is_shipped = policy._origin.id in shipped

    def action_load_shipped(self):
        """Give this policy the levels that it ships with.

        Levels that shipped get their own texts and settings back, levels that are missing are made, levels that do
        not ship any more are archived: notices of theirs stay as proof. Levels of the company's own are left alone.
        """
        self.ensure_one()
        self.check_access('write')
        shipped = self._get_shipped_ids('dunning.policy', self)
        if not shipped:
            raise UserError(self.env._("This policy did not ship with the app, so there is no ladder to load."))
        [name] = shipped.values()
        names = [
            record.get('id') for record in self._read_shipped().iter('record')
            if any(field.get('ref') == name for field in record.iterchildren('field'))]
        # sudo: only which of the levels came with the app
        outdated = self.env['ir.model.data'].sudo().search([
            ('module', '=', MODULE), ('model', '=', 'dunning.level'), ('res_id', 'in', self.level_ids.ids),
            ('name', 'not in', names)])
        self.env['dunning.level'].browse(outdated.mapped('res_id')).active = False
        self._load_shipped({name, *names})
        self.level_ids._validate_fields(self.level_ids._fields)
        return True

    @api.model
    def _get_shipped_ids(self, model, records):
        """Return ``{id: name}`` of the records that ship today."""
        if not records._origin.ids:
            return {}
        names = [record.get('id') for record in self._read_shipped().iter('record')]
        # sudo: only the names of records that the caller can see
        found = self.env['ir.model.data'].sudo().search([
            ('module', '=', MODULE), ('model', '=', model), ('name', 'in', names),
            ('res_id', 'in', records._origin.ids)])
        return {data.res_id: data.name for data in found}

    @api.model
    def _read_shipped(self, path=SHIPPED_FILES[0]):
        """Return the root of a data file of ours."""
        with file_open(f'{MODULE}/{path}', 'rb') as stream:
            return etree.parse(stream).getroot()

    @api.model
    def _get_shipped_file(self, lang):
        """Return the data file with the texts in one of :data:`LETTER_LANGUAGES`."""
        return SHIPPED_FILES[LETTER_LANGUAGES.index(lang)]

    @api.model
    def _load_shipped(self, names):
        """Load records from the data files, as an installation does: also those that were changed or deleted.

        :param set names: of records, without the name of the module
        """
        self.check_access('write')
        # sudo: names of records belong to the system; whoever may write ladders may have the ones that ship
        # A text is judged in all its languages, and a ladder as a whole: by the caller, when all of it is there.
        env = self.sudo().with_context(install_module=MODULE, dunning_ladder=SHIPPING).env
        loader = xml_import(env, MODULE, {}, 'init', noupdate=True)
        for path in SHIPPED_FILES:
            root = self._read_shipped(path)
            for record in list(root.iter('record')):
                if record.get('id') not in names:
                    record.getparent().remove(record)
                elif path == SHIPPED_FILES[0] and record.get('model') == 'dunning.level':
                    # What the data leaves to its default is named: a company may have changed it.
                    named = {field.get('name') for field in record.iterchildren('field')}
                    for name in DEFAULTS.keys() - named:
                        etree.SubElement(record, 'field', name=name, eval=repr(DEFAULTS[name]))
            loader.parse(root)

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: the levels come one by one; the ladder is judged when it is complete.
        policies = super(DunningPolicy, self.with_context(dunning_ladder=LATER)).create(vals_list).with_env(self.env)
        policies._check_ladder()
        return policies

    def write(self, vals):
        # OVERRIDE: as above
        result = super(DunningPolicy, self.with_context(dunning_ladder=LATER)).write(vals)
        if vals.keys() & {'level_ids', 'debtor_type', 'cost_formula'}:
            self._check_ladder()
        return result

    def _check_ladder(self):
        """Refuse a ladder that would announce or ask collection costs where the law does not allow it."""
        for policy in self:
            levels = policy.level_ids.sorted(lambda level: (level.sequence, level.id))
            letters = levels.filtered(lambda level: level.legal_role == FOURTEEN_DAY)
            consumers = policy.debtor_type != 'business'
            if letters and policy.debtor_type == 'business':
                raise ValidationError(self.env._(
                    "Level “%(level)s” is a 14-day letter, and that is for consumers; the policy “%(policy)s” is for "
                    "businesses. Take the role off the level, or let the policy serve consumers.",
                    level=letters[0].name, policy=policy.name))
            if policy.cost_formula == 'agreed' and consumers:
                raise ValidationError(self.env._(
                    "“%(policy)s” also serves consumers, and with them no other collection costs can be agreed than "
                    "those of the law (article 6:96 paragraph 5 BW). Choose another formula, or make the policy for "
                    "businesses only.", policy=policy.name))
            if len(letters) > 1:
                raise ValidationError(self.env._(
                    "“%(policy)s” has two 14-day letters (%(levels)s). Costs are announced once: keep one of them.",
                    policy=policy.name, levels=", ".join(letters.mapped('name'))))
            for level in levels:
                level._check_rung(letters[:1], consumers)
