from odoo import api, models

#: The ladders that ship, by the law of a creditor and the type of a debtor. Where no law is known nothing is asked but
#: what is open.
SHIPPED = {
    'NL': {'business': 'policy_business', 'consumer': 'policy_consumer'},
    '': {'business': 'policy_neutral', 'consumer': 'policy_neutral'},
}
#: What can change whose law a company has.
COUNTRY_FIELDS = {'country_id', 'account_fiscal_country_id', 'parent_id', 'partner_id'}


class ResCompany(models.Model):
    _inherit = 'res.company'

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'base': a company begins with the ladders of its law.
        companies = super().create(vals_list)
        for company, vals in zip(companies, vals_list, strict=True):
            company._set_dunning_policies(fill=[
                kind for kind in SHIPPED[''] if f'dunning_policy_{kind}_id' not in vals])
        return companies

    def write(self, vals):
        # EXTENDS 'account': who moves to another country gets the ladders of the law there.
        if not vals.keys() & COUNTRY_FIELDS:
            return super().write(vals)
        before = {company: company._get_dunning_law() for company in self}
        result = super().write(vals)
        for company, law in before.items():
            if company._get_dunning_law() != law:
                # sudo: branches the user does not see move along
                (company | self.sudo().search([('id', 'child_of', company.id)]))._set_dunning_policies()
        return result

    def _set_dunning_policies(self, fill=()):
        """Give companies the ladders that ship for their law in the place of those of another law.

        A ladder of their own that asks no more than what is open suits any law, and stays.

        :param fill: types of debtors for which a company without a ladder gets one as well
        """
        shipped = {
            law: {kind: self.env.ref(f'l10n_nl_dunning.{name}', raise_if_not_found=False)
                  for kind, name in names.items()}
            for law, names in SHIPPED.items()}
        for company in self.sudo():  # sudo: who makes a company need not read policies
            law = company._get_dunning_law()
            for kind, policy in shipped[law].items():
                own = company[f'dunning_policy_{kind}_id']
                others = any(own == ladders[kind] for key, ladders in shipped.items() if key != law)
                if policy and (others or (kind in fill and not own) or not own._suits(company)):
                    company[f'dunning_policy_{kind}_id'] = policy
