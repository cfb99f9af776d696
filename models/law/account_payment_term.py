from odoo import api, fields, models

from ...tools.law.payment_terms import LARGE, SMALL, AgreedTerm, get_longest_term
from ..kernel.groups import COLLEAGUES


class AccountPaymentTerm(models.Model):
    _inherit = 'account.payment.term'

    dunning_term_warning = fields.Char(compute='_compute_dunning_term_warning', groups=COLLEAGUES)

    def _get_dunning_longest_days(self):
        """Return how long this term can last: counted from the first of July, before two months of 31 days."""
        self.ensure_one()
        first = self.env.company._dunning_today().replace(month=7, day=1)
        return max(((line._get_due_date(first) - first).days for line in self.line_ids), default=0)

    @api.depends('line_ids.nb_days', 'line_ids.delay_type', 'line_ids.days_next_month')
    @api.depends_context('company', 'dunning_at_date', 'lang')
    def _compute_dunning_term_warning(self):
        """A warning only: which of these terms was agreed with whom, the contact says."""
        company = self.env.company
        today = company._dunning_today()
        large = get_longest_term(SMALL, LARGE, AgreedTerm(0), today)
        general = get_longest_term(SMALL, SMALL, AgreedTerm(0), today)
        for term in self:
            days, text = term._get_dunning_longest_days(), False
            if company.account_fiscal_country_id.code == 'NL' and not large.allows(days):
                text = self.env._(
                    "This term can last %(days)s days. A large buyer and a public body owe within %(large)s days, "
                    "whatever the invoice says (articles 6:119a and 6:119b BW).", days=days, large=large.days)
                if not general.allows(days):
                    text = " ".join([text, self.env._(
                        "Between businesses more than %s days count only where that was expressly agreed.",
                        general.days)])
            term.dunning_term_warning = text
