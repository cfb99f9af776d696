"""What is chosen for a debtor is of the creditor: the same at each of its companies."""

from odoo import api, models
from odoo.tools import SQL


class DunningDebtorSettings(models.AbstractModel):
    """Part of ``res.partner``: its settings that depend on the company.

    They are kept for each company, as core does, and whoever works for a branch reads and writes those of the branch;
    what is written for one company of a creditor is copied to the others.
    """

    _name = 'dunning.debtor.settings'
    _description = "Settings of a Debtor"

    @api.model
    def _get_dunning_setting_names(self):
        """Return the names of the settings that a debtor has at each company."""
        return [
            name for name, field in self._fields.items() if name.startswith('dunning_') and field.company_dependent]

    def _share_dunning_settings(self, names):
        """Copy settings of these debtors from the current company to the others of its creditor, in one statement."""
        names = sorted(name for name in names if name.startswith('dunning_') and self._fields[name].company_dependent)
        company_ids = self.env.company._get_dunning_company_ids()
        if not names or len(company_ids) < 2 or not self:
            return
        here, others = str(self.env.company.id), [str(other) for other in company_ids if other != self.env.company.id]
        self.flush_recordset(names)
        self.env.execute_query(SQL("UPDATE res_partner SET %s WHERE id = ANY(%s) RETURNING id", SQL(", ").join(SQL(
            """
            %(name)s = NULLIF((COALESCE(%(name)s, '{}'::jsonb) - %(others)s::text[]) || CASE
                WHEN %(name)s ? %(here)s
                THEN (SELECT JSONB_OBJECT_AGG(other, %(name)s -> %(here)s) FROM UNNEST(%(others)s::text[]) other)
                ELSE '{}'::jsonb END, '{}'::jsonb)
            """, name=SQL.identifier(name), here=here, others=others) for name in names), self.ids))
        self.invalidate_recordset(names, flush=False)
        self.modified(names)

    def _write_dunning_upwards(self, vals):
        """Give the debtor what was chosen on a person of it: nobody is reminded apart from the others.

        What core copies from the debtor to its persons is there already.
        """
        for debtor, people in self.grouped('commercial_partner_id').items():
            chosen = {
                name: value for name, value in vals.items()
                if debtor._fields[name].convert_to_cache(value, debtor) != debtor._fields[name].convert_to_cache(
                    debtor[name], debtor)}
            if chosen and people - debtor:
                debtor.write(chosen)

    @api.model
    def _spread_dunning_settings(self, creditor):
        """Copy what was chosen for debtors at a creditor to a company that joins it."""
        names = self._get_dunning_setting_names()
        # sudo: all debtors, whoever makes the company
        Partner = self.sudo().with_company(creditor)
        Partner.browse(self._read_dunning_settings(creditor, names))._share_dunning_settings(set(names))

    @api.model
    def _read_dunning_settings(self, companies, names):
        """Return ``{partner id: {setting: {company id: value}}}`` of what was chosen for debtors at companies."""
        self.flush_model(names)
        ids = {str(company.id): company.id for company in companies}
        rows = self.env.execute_query(SQL(
            "SELECT id, %s FROM res_partner WHERE %s ORDER BY id",
            SQL(", ").join(map(SQL.identifier, names)),
            SQL(" OR ").join(SQL("%s ?| %s", SQL.identifier(name), list(ids)) for name in names)))
        return {
            partner_id: {
                name: {ids[key]: value for key, value in (found or {}).items() if key in ids}
                for name, found in zip(names, values, strict=True)}
            for partner_id, *values in rows}

    @api.model
    def _merge_dunning_settings(self, creditor):
        """Let debtors have one choice of each setting at all companies of a creditor, where these chose differently.

        The one that is the most careful with the debtor counts, and the contact says what was chosen before.
        """
        names, companies = self._get_dunning_setting_names(), creditor._get_dunning_companies()
        if len(companies) == 1:
            return
        # sudo: all debtors, whoever joins the companies
        Partner = self.sudo().with_company(creditor)
        found = self._read_dunning_settings(companies, names)
        for partner in Partner.browse(found):
            chosen = {
                name: by_company for name, by_company in found[partner.id].items()
                if by_company and (len(by_company) < len(companies) or len({*by_company.values()}) > 1)}
            if not chosen:
                continue
            vals = {
                name: self._get_careful(name, by_company.get(creditor.id), list(by_company.values()))
                for name, by_company in chosen.items()}
            if 'dunning_waive_reason' in chosen:  # of whatever was waived somewhere
                vals['dunning_waive_reason'] = "; ".join(dict.fromkeys(filter(
                    None, chosen['dunning_waive_reason'].values())))
            partner.write(vals)
            differing = [name for name, by_company in chosen.items() if len({*by_company.values()}) > 1]
            if differing and partner == partner.commercial_partner_id:
                labels = [partner._fields[name]._description_string(self.env) for name in differing]
                partner._message_log(body=self.env._(
                    "The companies of %(creditor)s are one creditor, and they had chosen differently: %(settings)s. "
                    "The choice that is the most careful with the debtor counts from now on. See whether it is right.",
                    creditor=creditor.name, settings=", ".join(labels)))

    @api.model
    def _get_careful(self, name, own, values):
        """Return which of several choices of a setting counts, as a value to write; of policies, see the ladder.

        :param own: that of the creditor, or None
        """
        if name == 'dunning_term_agreed':
            return 'no' if 'no' in values else own
        if self._fields[name].type == 'boolean':
            return any(values)
        return own or values[0]

    # -------------------------------------------------------------------------
    # WHO IS TO ACT
    # -------------------------------------------------------------------------

    def _get_dunning_collectors(self, company, day=None):
        """Return ``{partner id: user}``: who is to act when something happens with these debtors.

        The collector of the debtor, or who covers for him on that day; else the collector of the company, likewise;
        else the salesperson, the contact on letters, a manager. Only somebody who works in the accounting of the
        company; an empty user when nobody does.

        :param date day: None for today
        """
        company = company.with_env(self.env)
        covers = self.env['dunning.absence']._get_covers(day or company._dunning_today())
        # sudo: only picks whom to ask
        Users = self.env['res.users'].sudo()
        works = {}

        def can(user):
            if user not in works:
                works[user] = company._is_dunning_colleague(user)
            return works[user]

        def find(collector, *others):
            """Return the first of these who can, the collector by way of who covers for him."""
            return next(filter(can, (Users.browse(covers.get(collector.id)), collector, *others)), Users)

        of_company = find(company._get_dunning_setting('dunning_user_id'))
        contact = company._get_dunning_setting('dunning_contact_id')
        of_letters = find(Users, *contact.user_ids) or company._get_dunning_manager()
        result = {}
        # sudo: as above
        for partner in self.sudo().with_company(company):
            debtor = partner.commercial_partner_id or partner
            user = find(debtor.dunning_user_id) or of_company or find(Users, debtor.user_id) or of_letters
            result[partner.id] = self.env['res.users'].browse(user.id)
        return result

    def _get_dunning_collector(self, company, day=None, named=None):
        """Return who is to act when something happens with this debtor, or an empty user.

        :param named: users whom a person named for it: the first of them who still works there, whatever else
        """
        self.ensure_one()
        for user in named or ():
            if company._is_dunning_colleague(user):
                return user
        return self._get_dunning_collectors(company, day)[self.id]
