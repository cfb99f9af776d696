"""The settings of a company, its clock and its people.

Quiet hours: no e-mail leaves on Sundays, holidays or at night. The norm for collection agencies (Besluit kwaliteit
incassodienstverlening, article 4.2) is good practice for a creditor's own reminders. Holidays are those of the country
of the debtor, hours those of the company.
"""

from datetime import date, datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools.law import dutch_calendar
from ...tools.law.dated_facts import get_postal_days
from ...tools.law.letters import SHORTEST_TERM
from ..kernel.groups import ACCOUNTING, COLLEAGUES
from .dunning_creditor import INHERITED_SETTINGS

DAY_STARTS, DAY_ENDS = time(7), time(20)
NOON = time(12)
SUNDAY = 6
# Of the days that can be asked about: from before anything is owed until after it prescribed.
ASKED_YEARS = range(1970, 2101)
# Addons that remind debtors too. Both at once would tell them everything twice.
RIVALS = ('account_followup', 'account_credit_control', 'account_invoice_overdue_reminder')


class ResCompany(models.Model):
    _name = 'res.company'
    _inherit = ['res.company', 'dunning.creditor']

    # Who the creditor is
    dunning_legal_person = fields.Boolean(
        string="Legal Person of Its Own", prefetch='dunning', groups='account.group_account_manager',
        help="This branch is registered as a legal person, with a number of its own in the register of companies (RSIN "
             "or KvK; a number of the establishment is not enough). Then it is a creditor of its own: its claims, "
             "receipts and reminders are kept apart from those of the company above it.")
    dunning_creditor_id = fields.Many2one(
        comodel_name='res.company', string="Creditor", compute='_compute_dunning_creditor_id', store=True,
        recursive=True, prefetch='dunning', groups=COLLEAGUES,
        help="The legal person to which debtors owe: the head office of its branches.")
    dunning_branch_ids = fields.One2many(
        comodel_name='res.company', inverse_name='dunning_creditor_id', string="Companies of the Creditor",
        groups=COLLEAGUES, prefetch=False)
    # Who is reminded, and how far back
    dunning_policy_business_id = fields.Many2one(
        comodel_name='dunning.policy', string="Policy for Businesses",
        domain="[('debtor_type', 'in', ('business', 'any')), ('company_id', 'in', (False, id))]",
        help="Ladder for businesses without a policy of their own. Empty: they are not reminded.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_policy_consumer_id = fields.Many2one(
        comodel_name='dunning.policy', string="Policy for Consumers",
        domain="[('debtor_type', 'in', ('consumer', 'any')), ('company_id', 'in', (False, id))]",
        help="Ladder for consumers without a policy of their own. Empty: they are not reminded.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_start_date = fields.Date(
        default=lambda self: self._dunning_today(),
        help="Items that were already overdue on this day are the backlog: they start at the first level, "
             "always as proposals, and only a few each day.", prefetch='dunning', groups=COLLEAGUES)
    dunning_oldest_due_date = fields.Date(
        string="Leave Alone What Was Due Before", default=lambda self: self._dunning_today() - timedelta(days=365),
        help="Older items are never reminded automatically; a person decides about them.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_planned_on = fields.Date(
        readonly=True, help="The day the scheduled action last planned for this company.", prefetch='dunning',
        groups=COLLEAGUES)
    # Claims
    dunning_term_agreed_business = fields.Boolean(
        string="Payment Term Agreed with Businesses", default=True,
        help="The payment term on invoices was agreed (contract, quotation or general terms). If not, interest of a "
             "business runs from 30 days after it received the invoice (article 6:119a paragraph 2 BW).",
        prefetch='dunning', groups=COLLEAGUES)
    dunning_term_agreed_consumer = fields.Boolean(
        string="Payment Term Agreed with Consumers",
        help="A term that only stands on the invoice is not agreed: then a consumer is in default only after a notice "
             "of default (article 6:82 BW), and the 14-day letter waits for that.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_postal_days = fields.Integer(
        string="Postal Days at Least",
        help="Days after which a letter counts as received; Sundays, Mondays and holidays do not count. 0: as under "
             "Configuration ‣ Facts of Law for the day on which it is posted. A higher number lengthens that; a lower "
             "one does nothing.",
        prefetch='dunning', groups=COLLEAGUES)

    dunning_shortest_term = fields.Integer(
        string="Shortest Term", default=SHORTEST_TERM,
        help="Days that must be left of the term of a notice of default when the debtor receives it. With fewer it is "
             "no reasonable term (article 6:82 BW): then the notice does not count and is sent again. At least 5.",
        prefetch='dunning', groups=COLLEAGUES)
    _check_dunning_shortest_term = models.Constraint(
        f'CHECK(dunning_shortest_term BETWEEN {SHORTEST_TERM} AND 30)',
        "The shortest term lies between 5 and 30 days.",
    )

    _check_dunning_postal_days = models.Constraint(
        'CHECK(COALESCE(dunning_postal_days, 0) BETWEEN 0 AND 10)',
        "The number of postal days lies between 0 and 10.",
    )

    dunning_vat_on_costs = fields.Boolean(
        string="VAT on Collection Costs",
        help="Only when another firm collects for you and you cannot deduct the VAT it charges: then the costs are "
             "raised by 21%, and the 14-day letter says why.", prefetch='dunning', groups=COLLEAGUES)
    dunning_lines_without_product = fields.Selection(
        selection=[('goods', "Goods"), ('services', "Services")], string="Invoice Lines Without Product Are",
        default='goods', required=True,
        help="For the prescription of claims on consumers: two years for goods, five for services. "
             "Goods is the safe choice.", prefetch='dunning', groups=COLLEAGUES)
    dunning_interest_product_id = fields.Many2one(
        comodel_name='product.product', string="Product for Interest", domain="[('type', '=', 'service')]",
        default=lambda self: self.env.ref('l10n_nl_dunning.product_interest', raise_if_not_found=False),
        help="Its income account is the one that interest of debtors is booked on.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_cost_product_id = fields.Many2one(
        comodel_name='product.product', string="Product for Collection Costs", domain="[('type', '=', 'service')]",
        default=lambda self: self.env.ref('l10n_nl_dunning.product_collection_costs', raise_if_not_found=False),
        help="Its income account is the one that collection costs are booked on.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_booking_journal_id = fields.Many2one(
        comodel_name='account.journal', string="Journal for Interest and Costs", check_company=True,
        domain="[('type', '=', 'sale')]", help="Empty: the first sales journal.", prefetch='dunning', groups=COLLEAGUES)
    # Letters and e-mail
    dunning_contact_id = fields.Many2one(
        comodel_name='res.partner', string="Contact on Letters",
        help="The person a debtor can call or write to. Empty: the company itself. "
             "Calls and tasks that nobody else is named for are planned for this person.", prefetch='dunning',
        groups=COLLEAGUES)
    dunning_window_side = fields.Selection(
        selection=[('left', "On the left"), ('right', "On the right")], default='left', required=True,
        string="Envelope Window",
        prefetch='dunning', groups=COLLEAGUES)
    dunning_contacts_per_week = fields.Integer(
        string="Contacts per Debtor and Week", default=3,
        help="Letters, e-mails and calls together, of all levels. 0: no limit.", prefetch='dunning', groups=COLLEAGUES)

    _check_dunning_contacts_per_week = models.Constraint(
        'CHECK(dunning_contacts_per_week >= 0)',
        "The number of contacts per week cannot be negative.",
    )

    dunning_quiet = fields.Boolean(
        string="Quiet Hours", default=True,
        help="No e-mail leaves on Sundays, on holidays of the debtor's country, nor between 20:00 and 07:00. "
             "What is queued then leaves afterwards.", prefetch='dunning', groups=COLLEAGUES)

    # Promises and arrangements
    dunning_promise_confirm = fields.Boolean(
        string="Confirm Promises by E-mail",
        help="Whoever promised to pay gets an e-mail with the date, the amount and how to pay. Can be chosen otherwise "
             "for each promise.", prefetch='dunning', groups=COLLEAGUES)

    dunning_arrangement_max_instalments = fields.Integer(
        string="Instalments Without Approval", default=12,
        help="More than this has to be approved by a manager. 0: no limit.", prefetch='dunning', groups=COLLEAGUES)
    dunning_arrangement_max_amount = fields.Monetary(
        string="Amount Without Approval", currency_field='currency_id',
        help="A higher total, in the currency of the company, has to be approved by a manager. 0: no limit.",
        prefetch='dunning', groups=COLLEAGUES)

    _check_dunning_arrangement_limits = models.Constraint(
        'CHECK(dunning_arrangement_max_instalments >= 0 AND COALESCE(dunning_arrangement_max_amount, 0) >= 0)',
        "The limits of payment arrangements cannot be negative; 0 is no limit.",
    )

    dunning_signatory_ids = fields.Many2many(
        comodel_name='res.users', relation='dunning_signatory_rel', column1='company_id', column2='user_id',
        string="Sign Arrangements for Us", domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Who may sign payment arrangements after the debtor did. Nobody here: every accounting manager.",
        groups=COLLEAGUES)
    dunning_auto_signatory_id = fields.Many2one(
        comodel_name='res.users', string="Signed at Once in the Name of",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Arrangements that needed no approval are signed for us, in the name of this colleague, as soon as the "
             "debtor has signed. Empty: a person signs each of them.", prefetch='dunning', groups=COLLEAGUES)
    # Collecting
    dunning_user_id = fields.Many2one(
        comodel_name='res.users', string="Default Collector",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Who calls debtors without a collector of their own.", prefetch='dunning', groups=COLLEAGUES)
    # The debtor's page
    dunning_page_offer_total = fields.Monetary(
        string="Arrangements Without a Colleague up to", default=1500.0,
        help="Whoever owes no more than this is offered an arrangement at once on the debtor's page, to be signed: up "
             "to three instalments, free of charge. Everything else goes to the collector. 0: everything does.",
        prefetch='dunning', groups=COLLEAGUES)

    _check_dunning_page_offer = models.Constraint(
        'CHECK(COALESCE(dunning_page_offer_total, 0) >= 0)',
        "The total of an arrangement without a colleague is not negative.",
    )

    # How long things are kept
    dunning_keep_months = fields.Integer(
        string="Keep Notes (months)", default=24,
        help="After that the notes, names and numbers of calls, promises and closed holds go; that there was one, who "
             "recorded it and when stays. 0: keep them.", prefetch='dunning', groups=COLLEAGUES)
    dunning_retention_automatic = fields.Boolean(
        string="Clean by Itself",
        help="What was listed goes two weeks later, unless somebody keeps it. Off: a manager decides each time.",
        prefetch='dunning', groups=COLLEAGUES)

    _check_dunning_keep_months = models.Constraint(
        'CHECK(dunning_keep_months >= 0)',
        "The number of months that notes are kept cannot be negative.",
    )

    # -------------------------------------------------------------------------
    # CHECKS
    # -------------------------------------------------------------------------

    @api.constrains('dunning_signatory_ids', 'dunning_auto_signatory_id')
    def _check_dunning_signatories(self):
        for company in self:
            user = company.dunning_auto_signatory_id
            if user and not company._may_sign_arrangements(user):
                raise ValidationError(self.env._(
                    "%s may not sign payment arrangements, so they cannot be signed in that name. Add the colleague to "
                    "those who sign, or choose another.", user.name))

    # -------------------------------------------------------------------------
    # THE CREDITOR
    # -------------------------------------------------------------------------

    @api.depends('parent_id.dunning_creditor_id', 'dunning_legal_person')
    def _compute_dunning_creditor_id(self):
        for company in self:
            company.dunning_creditor_id = (
                company if not company.parent_id or company.dunning_legal_person
                else company.parent_id.dunning_creditor_id or company.parent_id)

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base': a branch begins with the settings of its creditor, and follows the company above it.
        for vals in vals_list:
            if vals.get('parent_id') and not vals.get('dunning_legal_person'):
                vals.update({name: vals.get(name, False) for name in INHERITED_SETTINGS})
        companies = super().create(vals_list)
        self.env.registry.clear_cache()
        for company, vals in zip(companies, vals_list, strict=True):
            if vals.get('parent_id'):
                company._copy_dunning_settings()
                self.env['res.partner']._spread_dunning_settings(company.sudo().dunning_creditor_id)  # sudo: its id
        return companies

    def write(self, vals):
        # EXTENDS 'base': what is about the debtor is of the creditor, on whichever of its companies it is set.
        result = super().write(vals)
        if 'dunning_legal_person' in vals:
            self.env.registry.clear_cache()
            # sudo: whoever may set it moves the branches along, and writes it down
            self.sudo().search([('id', 'child_of', self.ids)])._copy_dunning_settings()
            for creditor in self.sudo().dunning_creditor_id:  # sudo: as above
                self.env['res.partner']._merge_dunning_settings(creditor)
            for company in self.sudo():  # sudo: as above
                company.partner_id._message_log(body=self.env._(
                    "%(company)s is a creditor of its own from now on.", company=company.name)
                    if company.dunning_legal_person else self.env._(
                    "%(company)s belongs to the creditor %(creditor)s from now on.", company=company.name,
                    creditor=company.dunning_creditor_id.name))
        shared = vals.keys() & set(self._get_dunning_shared_names())
        if shared:
            for company in self:
                others = company._get_dunning_companies() - self.sudo()  # sudo: all companies of the creditor
                if others:
                    super(ResCompany, others).write({
                        name: company._fields[name].convert_to_write(company[name], company) for name in shared})
        return result

    # -------------------------------------------------------------------------
    # THE CLOCK
    # -------------------------------------------------------------------------

    def _dunning_today(self):
        """Return today's date where the company is.

        The one place that reads a clock. Everything else gets its date as an
        argument; ``dunning_at_date`` in the context replaces the clock. Only as a
        date of this process: what a browser or integration sends is text, and must
        not date a letter.
        """
        at_date = self.env.context.get('dunning_at_date')
        if isinstance(at_date, date):
            return fields.Date.to_date(at_date)
        return self._get_dunning_day(fields.Datetime.now())

    def _parse_dunning_day(self, day):
        """Return the day a user or program asks about, today without one; only ever for asking, never to date a letter.

        :raise UserError: when it is no date, or not one of this age
        """
        if not day:
            return self._dunning_today()
        try:
            result = fields.Date.to_date(day)
        except (ValueError, TypeError):
            result = None
        if not result or result.year not in ASKED_YEARS:
            raise UserError(self.env._(
                "“%s” is not a date. Give it as year, month and day, such as 2026-03-31.", day))
        return result

    def _get_dunning_day(self, moment):
        """Return the day where the company is of a moment (naive, UTC), whoever asks."""
        return pytz.utc.localize(moment).astimezone(self._get_dunning_tz()).date()

    def _get_dunning_tz(self):
        """Return the time zone of the creditor: of its contact, else of its country.

        Never that of who clicks: dates are facts of law.
        """
        creditor = self[:1].sudo().dunning_creditor_id  # sudo: who works for a branch need not see its head office
        zone = creditor.partner_id.tz or next(
            iter(pytz.country_timezones.get(creditor.country_id.code or '', ())), 'Europe/Amsterdam')
        return pytz.timezone(zone)

    def _get_dunning_quiet_until(self, country_code=None):
        """Return when a debtor in that country may be written to again (local time), or None when he may be now.

        It is noon when a date was given instead of the clock.
        """
        self.ensure_one()
        if not self.dunning_quiet:
            return None
        if isinstance(self.env.context.get('dunning_at_date'), date):
            now = datetime.combine(self._dunning_today(), NOON)
        else:
            now = pytz.utc.localize(fields.Datetime.now()).astimezone(self._get_dunning_tz())
        day = now.date()
        if not self._is_dunning_rest_day(day, country_code) and DAY_STARTS <= now.time() < DAY_ENDS:
            return None
        if now.time() >= DAY_STARTS:
            day += timedelta(days=1)
        while self._is_dunning_rest_day(day, country_code):
            day += timedelta(days=1)
        return datetime.combine(day, DAY_STARTS)

    @api.model
    def _is_dunning_rest_day(self, day, country_code):
        if day.weekday() == SUNDAY:
            return True
        try:
            return dutch_calendar.is_holiday(day, country_code or 'NL')
        except ValueError:  # a country whose holidays nobody knows
            return dutch_calendar.is_holiday(day)

    # -------------------------------------------------------------------------
    # WHAT IS KNOWN OF IT
    # -------------------------------------------------------------------------

    def _get_dunning_postal_days(self, day):
        """Return how many days a letter takes that is posted on a day: those of the law, or more if that was chosen."""
        return get_postal_days(day, self.dunning_postal_days)

    def _read_for_dunning(self):
        """Read what reminders look at in one query; whoever else reads a company reads it without."""
        self.sudo().fetch([  # sudo: what is set holds for every user
            'parent_path', 'active', 'currency_id', 'account_fiscal_country_id',
            *(name for name, field in self._fields.items() if field.prefetch == 'dunning' and field.store)])

    def _get_dunning_bank_states(self):
        """Return ``[(journal, date of its newest statement line)]`` of the bank journals debtors pay on.

        A journal that never had a statement line is kept by hand: nothing is known of its age.
        """
        self.ensure_one()
        # sudo: whoever sends reminders is told how old the bank data are, not what is in them
        return self.env['account.bank.statement.line'].sudo()._read_group([
            ('state', '=', 'posted'),
            ('journal_id', 'any', [
                *self.env['account.journal']._check_company_domain(self._get_dunning_companies()),
                ('type', '=', 'bank'), ('dunning_ignore_age', '=', False), ('active', '=', True)]),
        ], ['journal_id'], ['date:max'])

    @api.model
    def _set_dunning_products(self):
        """Give companies without products for interest and costs those that ship."""
        for field, name in (
            ('dunning_interest_product_id', 'product_interest'),
            ('dunning_cost_product_id', 'product_collection_costs'),
        ):
            product = self.env.ref(f'l10n_nl_dunning.{name}', raise_if_not_found=False)
            companies = self.with_context(active_test=False).search([(field, '=', False)])
            if product and companies:
                companies.write({field: product.id})

    @api.model
    def _get_dunning_rivals(self):
        """Return the names of other installed addons that remind debtors."""
        # sudo: what is installed is no secret to who sends reminders
        modules = self.env['ir.module.module'].sudo().search([
            ('name', 'in', list(RIVALS)), ('state', 'in', ('installed', 'to upgrade'))], order='name')
        return [module.shortdesc or module.name for module in modules]

    # -------------------------------------------------------------------------
    # WHO WORKS THERE
    # -------------------------------------------------------------------------

    def _is_dunning_colleague(self, user):
        """Return whether a user can be asked to act: a person who works in the accounting of this company."""
        self.ensure_one()
        user = user.sudo()  # sudo: whether a colleague works in a company and in accounting
        return bool(
            user and user.active and not user.share and not user._is_superuser()
            and self.id in user.company_ids.ids and user.has_groups(ACCOUNTING))

    @api.model
    def _get_dunning_responsibles(self, records, get_named):
        """Return ``{record: who is to act about it, or an empty user}``, with a few queries for all of them.

        :param get_named: called with a record; users whom a person named for it: the first who still works there is to
            act, else the collector of the debtor
        """
        result = {}
        for company, found in records.grouped('company_id').items():
            for record in found:
                result[record] = next(filter(company._is_dunning_colleague, get_named(record)), None)
            others = found.filtered(lambda record: not result[record])
            collectors = others.partner_id._get_dunning_collectors(company) if others else {}
            result.update((record, collectors[record.partner_id.id]) for record in others)
        return result

    def _get_dunning_manager(self):
        """Return the user to ask: the contact on the letters if he is a manager, else the first manager."""
        self.ensure_one()
        # sudo: only picks whom to ask; managers are employees
        managers = self.env['res.users'].sudo().search([
            ('all_group_ids', 'in', self.env.ref('account.group_account_manager').ids),
            ('company_ids', 'in', self.ids), ('share', '=', False)], order='id')
        return (managers & self.sudo().dunning_contact_id.user_ids or managers)[:1]  # sudo: as above

    def _may_sign_arrangements(self, user):
        """Return whether a user may sign payment arrangements for this company."""
        self.ensure_one()
        # sudo: who may sign is the same for every reader
        company, user = self.sudo(), user.sudo()
        if not user.active or user.share or not company._get_dunning_companies() & user.company_ids:
            return False
        if company.dunning_signatory_ids:
            return user in company.dunning_signatory_ids
        return user.has_group('account.group_account_manager')
