from odoo import models
from odoo.exceptions import AccessError


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def get_dunning_claim(self, date=None):
        """Return what this debtor owes on a day, for other systems; interest and collection costs included.

        :param date: day as ``date`` or ISO text; today when not given. A day in the past gives what was owed then.
        :return: dict with ``debtor_id``, ``name``, ``company_id``, ``date`` and ``claims``: one dict for each currency,
            as it is frozen on notices (``items`` with periods of interest, ``principal``, ``interest``, ``costs``,
            ``total``, ``per_day``). Dates are ISO text, amounts decimal strings, so that no cent is lost on the way.
        :raise AccessError: for who has no access to accounting
        :raise UserError: for a day that is no date, or when an interest rate is missing
        """
        self.ensure_one()
        self.check_access('read')
        user = self.env.user
        if not (user.has_group('account.group_account_readonly') or user.has_group('account.group_account_invoice')):
            raise AccessError(self.env._("Only accounting can see what a debtor owes."))
        company = self.env.company
        at_date = company._parse_dunning_day(date)
        debtor = self.commercial_partner_id
        claims = self.env['dunning.claim']._compute_debtor(debtor, at_date)
        return {
            'debtor_id': debtor.id,
            'name': debtor.name,
            'company_id': company.id,
            'date': at_date.isoformat(),
            'claims': [claim.to_json() for claim in claims],
        }

    def action_dunning_specification(self):
        """Open the wizard that shows and prints what this debtor owes."""
        self.ensure_one()
        return self.env['dunning.specification']._action_open(self.commercial_partner_id)
