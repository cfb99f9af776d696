"""Who the creditor is: a head office and its branches are one legal person."""

from odoo import api, models
from odoo.tools import SQL, email_normalize, ormcache

from ...tools.law import jurisdiction

#: What each company chooses for its own items and its own letters; empty on a branch: as the company above it. All
#: other settings are about the debtor, so they are of the creditor and the same on each of its companies.
OWN_SETTINGS = frozenset({
    'dunning_policy_business_id', 'dunning_policy_consumer_id', 'dunning_start_date', 'dunning_oldest_due_date',
    'dunning_contact_id', 'dunning_window_side', 'dunning_user_id'})
#: Own settings that can be empty on a branch.
INHERITED_SETTINGS = OWN_SETTINGS - {'dunning_window_side'}
#: What is no setting.
NO_SETTINGS = frozenset({'dunning_legal_person', 'dunning_creditor_id', 'dunning_branch_ids', 'dunning_planned_on'})

# Domains of addresses that Odoo makes up, until somebody enters those of the company.
PLACEHOLDERS = frozenset({
    'example.com', 'example.net', 'example.org', 'mycompany.com', 'yourcompany.com', 'yourcompany.example.com'})


class DunningCreditor(models.AbstractModel):
    """Part of ``res.company``: the legal person a company belongs to, and what its companies share.

    Facts about a debtor are asked of all companies of the creditor: ``company_id IN`` :meth:`_get_dunning_company_ids`.
    """

    _name = 'dunning.creditor'
    _description = "Creditor"

    @ormcache('self._ids')
    def _get_dunning_company_ids(self):
        """Return the ids of all companies of the creditors of these, as a tuple; mostly those themselves."""
        companies = self.sudo()  # sudo: who works for a branch need not see the others
        return tuple(companies.with_context(active_test=False)._search(
            [('dunning_creditor_id', 'in', companies.dunning_creditor_id.ids)], order='id').get_result_ids())

    def _get_dunning_companies(self):
        """Return all companies of the creditor, as the program itself."""
        return self.sudo().browse(self._get_dunning_company_ids())  # sudo: as above

    @api.model
    @ormcache()
    def _get_dunning_branches(self):
        """Return ``{company id: creditor id}`` of the companies that are no creditor of their own."""
        return dict(self.env.execute_query(SQL(
            "SELECT id, dunning_creditor_id FROM res_company WHERE dunning_creditor_id <> id ORDER BY id",
            to_flush=self._fields['dunning_creditor_id'])))

    @api.model
    def _get_dunning_creditor_sql(self, company_id):
        """Return SQL of the creditor of a company; the company itself where there are no branches.

        :param SQL company_id: of the company
        """
        branches = self._get_dunning_branches()
        if not branches:
            return company_id
        return SQL("CASE %(id)s %(whens)s ELSE %(id)s END", id=company_id, whens=SQL(" ").join(
            SQL("WHEN %s THEN %s", branch, creditor) for branch, creditor in branches.items()))

    @api.model
    def _get_dunning_same_creditor_sql(self, *company_ids):
        """Return the SQL condition that two companies are of one creditor.

        :param SQL company_ids: of both
        """
        return SQL("%s = %s", *map(self._get_dunning_creditor_sql, company_ids))

    def _get_dunning_common(self):
        """Return in whose name something about these companies of one creditor is: the one company, else the creditor.
        """
        # sudo: who works for a branch need not see the others
        return self if len(self) < 2 else self.browse(self[:1].sudo().dunning_creditor_id.id)

    def _get_dunning_for(self, items):
        """Return in whose name the user of this company does something about due items of its creditor."""
        common = items.company_id._get_dunning_common()
        return common if self.env.su or common in self.env.companies else self

    def _show_dunning_all(self, records):
        """Return records with the rights to see what is owed to all companies of the creditor.

        For what the program does in the name of the creditor; whoever works for all of its companies has these rights.
        """
        missing = set(self._get_dunning_company_ids()) - set(records.env.companies.ids)
        return records.sudo() if missing else records  # sudo: as said

    def _filter_dunning_creditors(self):
        """Return one company of each creditor of these: the creditor itself where it is among them."""
        # sudo: who works for a branch need not see its head office; so below
        return self.browse(
            (creditor & companies or companies[:1]).id
            for creditor, companies in self.sudo().grouped('dunning_creditor_id').items())

    def _get_dunning_line_of(self):
        """Return this company and those above it up to the creditor, itself first."""
        self.ensure_one()
        company = self.sudo()  # sudo: as above
        above = company.parent_ids[::-1]
        return above.filtered(lambda parent: parent.dunning_creditor_id == company.dunning_creditor_id) or company

    def _get_dunning_setting(self, name):
        """Return what this company chose, or else the nearest one above it that chose something."""
        line = self._get_dunning_line_of()
        return next((company[name] for company in line if company[name]), line[:1][name])

    def _get_dunning_choices(self, name):
        """Return ``{company id: date or id, or None}`` of what counts for the items of these companies."""
        values = {company.id: company._get_dunning_setting(name) for company in self}
        return {company_id: getattr(value, 'id', value) or None for company_id, value in values.items()}

    def _get_dunning_shared_names(self):
        """Return the names of the settings that are of the creditor."""
        return [
            name for name, field in self._fields.items()
            if name.startswith('dunning_') and field.store and name not in OWN_SETTINGS | NO_SETTINGS]

    def _copy_dunning_settings(self):
        """Give these companies the settings of their creditors."""
        names = self._get_dunning_shared_names()
        # sudo: settings of the creditor, for who works for a branch
        for creditor, companies in self.sudo().grouped('dunning_creditor_id').items():
            branches = companies - creditor
            if branches:
                branches.write({
                    name: creditor._fields[name].convert_to_write(creditor[name], creditor) for name in names})

    # -------------------------------------------------------------------------
    # WHOSE LAW
    # -------------------------------------------------------------------------

    # The code of a country hardly ever changes, and every plan, claim and letter asks: it is kept by country.

    def _get_dunning_country_id(self):
        return self.sudo().dunning_creditor_id.account_fiscal_country_id.id  # sudo: of the head office, only this

    def _get_dunning_country(self):
        """Return the code of the country where the creditor pays its taxes; or ''."""
        return self._get_dunning_country_code(self._get_dunning_country_id())

    @ormcache('self._get_dunning_country_id()', cache='stable')
    def _get_dunning_law(self):
        """Return the country whose law the creditor has, or '' when that law is not in this program.

        Then it reminds, and asks nothing that the law of that country would have to allow.
        """
        country = self._get_dunning_country()
        return country if country in jurisdiction.LAWS else ''

    @api.model
    @ormcache('country_id', cache='stable')
    def _get_dunning_country_code(self, country_id):
        """Return the code of a country, or '' without one."""
        return self.env['res.country'].browse(country_id).code or ''

    def _is_dunning_abroad(self, debtor):
        """Return whether a debtor is a consumer in another country than the creditor."""
        return debtor.dunning_effective_type == 'consumer' and jurisdiction.is_abroad(
            debtor.country_id.code, self._get_dunning_country())

    @api.model
    def _get_dunning_law_sql(self, company_id, law='NL'):
        """Return SQL that is true when the creditor of a company has this law."""
        return SQL(
            """EXISTS (SELECT FROM res_company branch
                         JOIN res_company root ON root.id = branch.dunning_creditor_id
                         JOIN res_country country ON country.id = root.account_fiscal_country_id
                        WHERE branch.id = %s AND country.code = %s)""",
            company_id, law,
            to_flush=[self._fields[name] for name in ('dunning_creditor_id', 'account_fiscal_country_id')])

    def _explain_dunning_law(self):
        """Return the sentence why a creditor has no ladder with interest and costs; empty where it can have one."""
        if self._get_dunning_law():
            return ''
        country = self.env['res.country'].search([('code', '=', self._get_dunning_country())])
        return self.env._(
            "The fiscal country of %(company)s is %(country)s, and what this program knows of interest, collection "
            "costs, notices of default, 14-day letters and prescription is Dutch law. It therefore only reminds, with "
            "the ladder 7-15-30, and asks nothing but what is open.",
            company=self.name, country=country.name or self.env._("not known"))

    # -------------------------------------------------------------------------
    # HOW DEBTORS REACH IT
    # -------------------------------------------------------------------------

    def _explain_dunning_sender(self):
        """Return why no e-mail to a debtor can come from this company, or an empty string."""
        self.ensure_one()
        sender = self._get_dunning_sender()
        domain = (email_normalize(sender.email) or '').rpartition('@')[2]
        if not domain:
            return self.env._("%s has no e-mail address to write from. Add it to the company.", self.display_name)
        if domain in PLACEHOLDERS:
            return self.env._(
                "The e-mail address of %(company)s, %(email)s, is an example. Enter its own on the company.",
                company=self.display_name, email=sender.email)
        return ''

    def _get_dunning_sender(self):
        """Return the company that writes its e-mails: itself, or the first above it with an address of its own."""
        line = self._get_dunning_line_of()
        return line.filtered(lambda company: (
            (email_normalize(company.email) or '').rpartition('@')[2] not in PLACEHOLDERS | {''}))[:1] or line[:1]

    def _get_dunning_contact_text(self):
        """Return whom a debtor can reach, as in “Sanne de Boer (020 123 45 67, sanne@example.com)”."""
        self.ensure_one()
        line = self._get_dunning_line_of()
        contact = self._get_dunning_setting('dunning_contact_id') or line[:1].partner_id
        phone, email = (
            contact[name] or next((company.partner_id[name] for company in line if company.partner_id[name]), '')
            for name in ('phone', 'email'))
        ways = [phone.replace(' ', '\N{NO-BREAK SPACE}'), email]
        ways = ', '.join(filter(None, ways))
        return f"{contact.name} ({ways})" if ways else contact.name or ''
