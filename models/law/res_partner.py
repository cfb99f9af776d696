from odoo import api, fields, models

from ...tools.law.payment_terms import GOVERNMENT, LARGE, SMALL, AgreedTerm, get_longest_term
from ..kernel.groups import ACCOUNTING, COLLEAGUES


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_large_buyer = fields.Boolean(
        string="Large Buyer", prefetch='dunning', copy=False, tracking=True, groups=ACCOUNTING,
        help="A large company that buys from us while we are not large ourselves: a longer term than 30 days is void "
             "(article 6:119a BW). Large is, roughly, two of three: the balance total, the revenue, 250 employees.")
    dunning_term_expressly = fields.Boolean(
        string="Term Expressly Agreed", prefetch='dunning', copy=False, tracking=True, groups=ACCOUNTING,
        help="The long term of payment was agreed on purpose in the contract, not only in general terms or on an "
             "invoice.")
    dunning_term_warning = fields.Char(
        string="Term of Payment", compute='_compute_dunning_term_warning', compute_sudo=True, groups=COLLEAGUES)

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + ['dunning_large_buyer', 'dunning_term_expressly']

    @api.depends('property_payment_term_id', 'dunning_effective_type', 'dunning_large_buyer', 'dunning_term_expressly')
    @api.depends_context('company', 'dunning_at_date', 'lang')
    def _compute_dunning_term_warning(self):
        """A warning only: interest and costs may be owed earlier than the invoice says, never later."""
        company = self.env.company
        today, is_dutch = company._dunning_today(), company.account_fiscal_country_id.code == 'NL'
        for partner in self:
            term, kind = partner.property_payment_term_id, partner.dunning_effective_type
            partner.dunning_term_warning = False
            if not (is_dutch and term):
                continue
            days = term._get_dunning_longest_days()
            party = kind if kind != 'business' else LARGE if partner.dunning_large_buyer else SMALL
            limit = get_longest_term(SMALL, party, AgreedTerm(days, partner.dunning_term_expressly), today)
            if not limit.allows(days):
                values = {'days': days, 'limit': limit.days}
                partner.dunning_term_warning = (
                    self.env._(
                        "The term can last %(days)s days, and a large buyer owes within %(limit)s: a longer term is "
                        "void (article 6:119a BW).", **values) if party == LARGE
                    else self.env._(
                        "The term can last %(days)s days, and a public body owes within %(limit)s, or within 60 where "
                        "that was expressly agreed for a reason (article 6:119b BW).", **values) if party == GOVERNMENT
                    else self.env._(
                        "The term can last %(days)s days. Between businesses more than %(limit)s count only where that "
                        "was expressly agreed (article 6:119a BW).", **values))
