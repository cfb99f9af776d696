from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import email_normalize_all, formataddr

from ..kernel.groups import ACCOUNTING, BOOKKEEPERS, COLLEAGUES

DEBTOR_TYPES = [('business', "Business"), ('consumer', "Consumer"), ('government', "Government")]


#: What shows that a debtor is a business. Doubt means consumer, the better protected one.
BUSINESS_SIGNS = ('is_company', 'vat', 'company_registry')
# “/” is how one says that there is no such number.
NO_NUMBER = ' /-'
#: Marks that a way to a debtor does not work: what they are about, and what changes when that is corrected.
MARKS = {
    'dunning_email_bounced_on': ('email', lambda person: person.email_normalized),
    'dunning_phone_wrong_on': ('phone', lambda person: person._get_dunning_number()),
    'dunning_post_returned_on': (
        'street', 'zip', 'city', 'country_id',
        lambda person: (person.street, person.zip, person.city, person.country_id)),
}
#: Whether and how a debtor is reminded: chosen on a person, it is of the debtor.
OF_DEBTOR = ('dunning_policy_id', 'dunning_review')


def one_line(text):
    """Return a text on one line: a line break in a header of an e-mail would begin another one."""
    return " ".join((text or '').splitlines())


class ResPartner(models.Model):
    _name = 'res.partner'
    _inherit = ['res.partner', 'dunning.debtor.settings']

    type = fields.Selection(
        selection_add=[('dunning', "Reminders"), ('director', "Director")],
        ondelete={
            'dunning': lambda partners: partners.write({'type': 'contact'}),
            'director': lambda partners: partners.write({'type': 'contact'}),
        },
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
        tracking=True,
        groups=ACCOUNTING,
        prefetch='dunning',
    )
    dunning_debtor_type = fields.Selection(
        selection=DEBTOR_TYPES,
        string="Debtor Type",
        help="Empty: a contact that is a company or has a VAT or company number is a business, "
             "everybody else is a consumer.",
        copy=False,
        tracking=True,
        groups=ACCOUNTING,
        prefetch='dunning',
    )
    dunning_type_reason = fields.Char(
        string="Reason", copy=False, tracking=True, groups=ACCOUNTING, prefetch='dunning',
        help="Why the debtor is of this type. Who was treated as a consumer becomes a business only with a reason.")
    dunning_effective_type = fields.Selection(
        selection=DEBTOR_TYPES,
        string="Treated As",
        compute='_compute_dunning_effective_type',
        compute_sudo=True,
        groups=COLLEAGUES,
    )
    dunning_effective_type_reason = fields.Char(
        string="Because", compute='_compute_dunning_effective_type', compute_sudo=True, groups=COLLEAGUES,
        help="Why the debtor is treated as such.")
    dunning_term_agreed = fields.Selection(
        selection=[('yes', "Agreed"), ('no', "Not agreed")],
        string="Payment Term",
        company_dependent=True,
        index=False,
        help="Whether the payment term was agreed with this debtor. Empty: as in the settings of the company.",
        tracking=True,
        groups=ACCOUNTING,
        prefetch='dunning',
    )
    dunning_waive_interest = fields.Boolean(
        company_dependent=True, index=False, prefetch='dunning', tracking=True, groups=ACCOUNTING,
        help="Never ask interest of this debtor.")
    dunning_waive_costs = fields.Boolean(
        string="Waive Collection Costs", company_dependent=True, index=False, prefetch='dunning', tracking=True,
        groups=ACCOUNTING,
        help="Never ask collection costs of this debtor.")
    dunning_waive_reason = fields.Char(
        company_dependent=True, index=False, prefetch='dunning', tracking=True, groups=ACCOUNTING,
        help="Why interest or costs are waived; shown with the claim.")
    dunning_effective_policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        string="Policy That Applies",
        compute='_compute_dunning_effective_policy_id',
        groups=ACCOUNTING,
        help="The policy of the debtor, else that of the company for this type of debtor. "
             "An invoice can have a policy of its own.",
    )
    dunning_lang = fields.Selection(
        selection=lambda self: self.env['res.lang'].get_installed(),
        string="Language of Reminders",
        help="Empty: the language of the contact, else that of the policy.",
        copy=False,
        groups=ACCOUNTING,
        prefetch='dunning',
    )
    dunning_amount_overdue = fields.Monetary(
        string="Overdue",
        compute='_compute_dunning_overdue',
        search='_search_dunning_amount_overdue',
        groups=ACCOUNTING,
    )
    dunning_items_overdue = fields.Integer(
        string="Overdue Items", compute='_compute_dunning_overdue', groups=ACCOUNTING)
    dunning_days_overdue = fields.Integer(
        string="Days Overdue", compute='_compute_dunning_overdue', groups=ACCOUNTING)
    dunning_review = fields.Boolean(
        string="Look First",
        company_dependent=True,
        index=False,
        help="Reminders to this debtor never leave by themselves: each is a proposal until somebody approved it, "
             "whatever the policy says.",
        tracking=True,
        groups=ACCOUNTING,
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
    dunning_email = fields.Char(
        string="E-mail for Reminders", compute='_compute_dunning_email', compute_sudo=True, groups='base.group_user',
        help="The address, with the name, that this contact can be written to; empty when there is none that works.")
    dunning_email_bounced_on = fields.Date(
        string="E-mail Came Back On", readonly=True, copy=False, groups=ACCOUNTING,
        prefetch='dunning',
        help="A reminder to this address came back, so nothing is mailed to it. Cleared when the address changes.")
    dunning_phone_wrong_on = fields.Date(
        string="Wrong Number Since", readonly=True, copy=False, groups=ACCOUNTING,
        prefetch='dunning',
        help="Who answered was not this debtor, so the number is not called. Cleared when the number changes.")
    dunning_post_returned_on = fields.Date(
        string="Letter Came Back On", readonly=True, copy=False, groups=ACCOUNTING,
        prefetch='dunning',
        help="A letter to this address came back, so nothing is posted to it. Cleared when the address changes.")

    _dunning_contact_idx = models.Index("(commercial_partner_id, id) WHERE type = 'dunning' AND active")
    _dunning_director_idx = models.Index("(commercial_partner_id, id) WHERE type = 'director' AND active")

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + [
            'dunning_policy_id', 'dunning_debtor_type', 'dunning_term_agreed', 'dunning_waive_interest',
            'dunning_waive_costs', 'dunning_waive_reason', 'dunning_review', 'dunning_user_id']

    @api.constrains('dunning_waive_interest', 'dunning_waive_costs', 'dunning_waive_reason')
    def _check_dunning_waive_reason(self):
        for partner in self.sudo():  # sudo: defaults of the program are checked as well, whoever makes the contact
            if (partner.dunning_waive_interest or partner.dunning_waive_costs) and not (
                partner.dunning_waive_reason or ''
            ).strip():
                raise ValidationError(self.env._(
                    "Say why interest or collection costs of %s are waived: the reason is shown with the claim.",
                    partner.display_name))

    @api.model
    def _check_dunning_writer(self, names):
        """Raise when who may edit contacts, and may only read the books, decides how a debtor is treated.

        Whoever may not read these fields is refused by core. Not in its hook for the rights on a field: that is asked
        whenever a field of a contact is read.
        """
        if not self.env.su and any(name.startswith('dunning_') for name in names) and (
            not self.env.user.has_group(BOOKKEEPERS)
        ):
            raise AccessError(self.env._("How a debtor is reminded is decided by whoever does the invoicing."))

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base'
        names = set().union(*vals_list)
        self._check_dunning_writer(names)
        partners = super().create(vals_list)
        partners._share_dunning_settings(names)
        return partners

    def _convert_fields_to_values(self, field_names):
        # EXTENDS 'base'
        # sudo: core copies these from a firm to its contacts, whoever adds one; so in an import
        return super(ResPartner, self.sudo())._convert_fields_to_values(field_names)

    def write(self, vals):
        # OVERRIDE: a corrected contact gets another chance.
        self._check_dunning_writer(vals)
        before = {}
        for mark, (*names, read) in MARKS.items():
            if mark not in vals and vals.keys() & set(names):
                # sudo: whoever corrects a contact, a debtor too, need not see or write our marks; so below
                before[mark] = {person: read(person) for person in self.sudo() if person[mark]}
        result = super().write(vals)
        self._share_dunning_settings(vals.keys())
        chosen = {name: vals[name] for name in OF_DEBTOR if name in vals}
        if chosen:
            self._write_dunning_upwards(chosen)
        for mark, values in before.items():
            changed = self.sudo().browse(  # sudo: as above
                [person.id for person, value in values.items() if MARKS[mark][-1](person) != value])
            if changed:
                super(ResPartner, changed).write({mark: False})
        return result

    # -------------------------------------------------------------------------
    # WHO IS THE DEBTOR
    # -------------------------------------------------------------------------

    @api.depends(*(
        f'commercial_partner_id.{name}' for name in ('dunning_debtor_type', 'dunning_type_reason', *BUSINESS_SIGNS)))
    def _compute_dunning_effective_type(self):
        """The same as :meth:`_get_dunning_type_sql`, with the reason."""
        labels = dict(self._fields['dunning_debtor_type']._description_selection(self.env))
        reasons = {
            'is_company': self.env._("the contact is a company"),
            'vat': self.env._("it has a VAT number"),
            'company_registry': self.env._("it has a company number"),
        }
        for partner in self:
            debtor = partner.commercial_partner_id or partner
            kind = debtor.dunning_debtor_type
            sign = next((name for name in BUSINESS_SIGNS if (
                debtor[name].strip(NO_NUMBER) if isinstance(debtor[name], str) else debtor[name])), None)
            partner.dunning_effective_type = kind or ('business' if sign else 'consumer')
            partner.dunning_effective_type_reason = (
                debtor.dunning_type_reason or self.env._("chosen: %s", labels[kind].lower()) if kind
                else reasons[sign] if sign else self.env._("nothing says that it is a business"))

    @api.model
    def _get_dunning_type_sql(self, debtor):
        """Return the SQL of what a debtor is treated as.

        :param SQL debtor: the name of a row of ``res_partner``, of a commercial partner
        """
        signs = SQL(" OR ").join(
            SQL("%s.%s", debtor, SQL.identifier(name)) if self._fields[name].type == 'boolean'
            else SQL("TRIM(%s.%s, %s) <> ''", debtor, SQL.identifier(name), NO_NUMBER)
            for name in BUSINESS_SIGNS)
        return SQL(
            "COALESCE(%s.dunning_debtor_type, CASE WHEN %s THEN 'business' ELSE 'consumer' END)", debtor, signs,
            to_flush=[self._fields[name] for name in ('dunning_debtor_type', *BUSINESS_SIGNS)])

    @api.depends('commercial_partner_id.dunning_policy_id', 'dunning_effective_type')
    @api.depends_context('company')
    def _compute_dunning_effective_policy_id(self):
        company = self.env.company
        for partner in self:
            debtor = partner.commercial_partner_id or partner
            kind = 'consumer' if partner.dunning_effective_type == 'consumer' else 'business'
            partner.dunning_effective_policy_id = (
                debtor.dunning_policy_id or company._get_dunning_setting(f'dunning_policy_{kind}_id'))

    def _read_dunning_lang(self):
        """Read what :meth:`_get_dunning_lang` looks at, and not all that is known of thousands of contacts."""
        names = ['dunning_lang', 'lang', 'country_id', 'create_date']
        self.fetch(['commercial_partner_id', *names])
        self.commercial_partner_id.fetch(names)

    def _get_dunning_lang(self):
        """Return the language to write to this contact in, or False to leave it to the policy.

        Who has no language is judged by his country. While a database knows one
        language, every contact gets that one, whoever he is. Contacts from before the
        addon brought a second language are therefore judged likewise; see ``pre_init_hook``.
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
        if lang and (lang != only_lang or fields.Datetime.to_string(self.create_date) > until):
            return lang
        country = (self.country_id or debtor.country_id).code
        if not country:
            return False
        return 'nl_NL' if country in ('NL', 'BE', 'SR', 'CW', 'AW', 'SX', 'BQ') else 'en_US'

    @api.depends_context('company', 'dunning_at_date')
    def _compute_dunning_overdue(self):
        Item, company = self.env['account.move.line'], self.env.company
        today = company._dunning_today()
        overdue = Item._search(
            Item._get_dunning_overdue_domain(company, today)
            & Domain('partner_id', 'in', self.commercial_partner_id.ids))
        partner_id, residual = (
            Item._field_to_sql(overdue.table, name, overdue) for name in ('partner_id', 'amount_residual'))
        due_date = Item._get_dunning_due_date_sql(SQL.identifier(overdue.table))
        rows = overdue.select(partner_id, SQL("SUM(%s)", residual), SQL("COUNT(*)"), SQL("MIN(%s)", due_date))
        found = {debtor_id: values for debtor_id, *values in self.env.execute_query(
            SQL("%s GROUP BY %s", rows, partner_id))}
        for partner in self:
            amount, count, oldest = found.get(partner.commercial_partner_id._origin.id, (0.0, 0, None))
            partner.dunning_amount_overdue = amount
            partner.dunning_items_overdue = count
            partner.dunning_days_overdue = (today - oldest).days if oldest else 0

    def _search_dunning_amount_overdue(self, operator, value):
        """Only the question “is anything overdue?” (``> 0``) and plain comparisons of the sum."""
        if operator not in ('>', '>=', '<', '<='):
            return NotImplemented
        Item, company = self.env['account.move.line'], self.env.company
        overdue = Item._get_dunning_overdue_domain(company, company._dunning_today())
        groups = Item._read_group(overdue, ['partner_id'], having=[('amount_residual:sum', operator, value)])
        found = Domain('id', 'in', [partner.id for (partner,) in groups])
        if (operator in ('<', '<=') and value > 0) or (operator in ('<=', '>=') and value == 0):
            # Nothing overdue counts as zero.
            found |= Domain('id', 'not in', Item._search(overdue).subselect('partner_id'))
        return found

    # -------------------------------------------------------------------------
    # HOW HE IS REACHED
    # -------------------------------------------------------------------------

    def _is_dunning_person_of(self, debtor):
        """Return whether this contact may read what a debtor owes: itself, or somebody who works there by now."""
        return self == debtor or (self.active and self.commercial_partner_id == debtor.commercial_partner_id)

    @api.depends('name', 'email', 'dunning_email_bounced_on')
    @api.depends_context('company')
    def _compute_dunning_email(self):
        self.dunning_email = False
        mailed = self.filtered(lambda person: person.email_normalized and not person.dunning_email_bounced_on)
        own = {email for (email,) in self.env.execute_query(
            self._get_dunning_own_emails_sql(self.env.company))} if mailed else ()
        for person in mailed.filtered(lambda person: person.email_normalized not in own):
            addresses = [
                address for address in email_normalize_all(one_line(person.email)) or [person.email_normalized]
                if address not in own]
            named = formataddr((one_line(person.name), ','.join(addresses)))
            # A name can hold an address as well; nothing goes there.
            person.dunning_email = addresses and (
                named if email_normalize_all(named) == addresses else ', '.join(addresses))

    @api.model
    def _get_dunning_own_emails_sql(self, company):
        """Return SQL of the e-mail addresses that are ours: of the creditor with its branches, and those that its mail
        comes in by. What is mailed there reaches no debtor.
        """
        return SQL(
            """
            SELECT owner.email_normalized
              FROM res_company company JOIN res_partner owner ON owner.id = company.partner_id
             WHERE company.id IN %(companies)s AND owner.email_normalized IS NOT NULL
         UNION ALL
            SELECT LOWER(CASE WHEN alias.name LIKE '%%@%%' THEN alias.name ELSE alias.name || '@' || domain.name END)
              FROM res_company company
              JOIN mail_alias_domain domain ON domain.id = company.alias_domain_id
        CROSS JOIN LATERAL (
                   VALUES (domain.bounce_alias), (domain.catchall_alias), (domain.default_from)
                UNION ALL
                   SELECT alias_name FROM mail_alias WHERE alias_domain_id = domain.id) AS alias (name)
             WHERE company.id IN %(companies)s AND alias.name IS NOT NULL
            """,
            companies=company._get_dunning_company_ids(), to_flush=[
                self._fields['email_normalized'],
                *(self.env['res.company']._fields[name] for name in ('partner_id', 'alias_domain_id')),
                *(self.env['mail.alias.domain']._fields[name] for name in (
                    'name', 'bounce_alias', 'catchall_alias', 'default_from')),
                *(self.env['mail.alias']._fields[name] for name in ('alias_name', 'alias_domain_id'))])

    @api.model
    def _get_dunning_has_email_sql(self, partner):
        """Return the SQL condition that a row of ``res_partner`` has an address as :meth:`_compute_dunning_email`."""
        return SQL(
            "(COALESCE(%(partner)s.email_normalized, '') <> '' AND %(partner)s.dunning_email_bounced_on IS NULL"
            " AND %(partner)s.email_normalized NOT IN (%(own)s))",
            partner=partner, own=self._get_dunning_own_emails_sql(self.env.company), to_flush=[
                self._fields[name] for name in ('email_normalized', 'dunning_email_bounced_on')])

    @api.model
    def _get_dunning_mailbox_sql(self, person, debtor):
        """Return SQL of the mailbox that an e-mail to a person goes to, or NULL; several contacts can have the same.

        :param SQL person: the name of a row of ``res_partner``: whom it is addressed to
        :param SQL debtor: that of the debtor, who gets it where the person has no address
        """
        return SQL(
            "CASE WHEN %(has)s THEN %(person)s.email_normalized"
            " WHEN %(debtor_has)s THEN %(debtor)s.email_normalized END",
            person=person, debtor=debtor, has=self._get_dunning_has_email_sql(person),
            debtor_has=self._get_dunning_has_email_sql(debtor))

    def _get_dunning_number(self):
        """Return the telephone number in E.164; as it was typed where that is not possible; or an empty string."""
        self.ensure_one()
        return (self.phone and (self._phone_format(fname='phone') or self.phone.strip())) or ''

    def _get_dunning_phone_contact(self, preferred=None):
        """Return the contact of a debtor to call: the one for reminders, else the debtor, else any other.

        Only one with a number that is not wrong; empty when there is none.

        :param preferred: contact to take when it can be called
        """
        self.ensure_one()
        debtor = self.commercial_partner_id
        wanted = (preferred or self.browse()).filtered(lambda person: person._is_dunning_person_of(debtor))
        ranked = wanted | debtor._get_dunning_people()[debtor]
        return next((person for person in ranked if person._has_dunning_phone()), self.browse())

    def _get_dunning_people(self):
        """Return ``{debtor: the debtor and its contacts}``, whom to approach first; one query for all debtors."""
        debtors = self.commercial_partner_id
        families = (debtors | debtors.search([('commercial_partner_id', 'in', debtors.ids)])).grouped(
            'commercial_partner_id')
        return {
            debtor: families.get(debtor, debtor).sorted(lambda person: (
                person.type != 'dunning', person != person.commercial_partner_id, person.type != 'invoice', person.id))
            for debtor in debtors}

    def _has_dunning_address(self):
        """Return whether a letter can be posted to this contact."""
        return bool(
            (self.street or '').strip() and (self.city or '').strip() and not self.dunning_post_returned_on)

    def _has_dunning_phone(self):
        """Return whether this contact can be called."""
        return bool((self.phone or '').strip() and not self.dunning_phone_wrong_on)
