"""What the debtor reads on the page, on the screen of who calls."""

from odoo import models


class DunningDebtor(models.Model):
    _inherit = 'dunning.debtor'

    def _prepare_screen_amounts(self, facts, items):
        # EXTENDS: ``page`` is what the debtor's page asks today, with the interest and costs of the last letters.
        amounts = super()._prepare_screen_amounts(facts, items)
        # sudo: pages are the program's; it is only read, for a debtor who may have none yet
        page = self.env['dunning.page'].sudo().new({
            'company_id': self.company_id.dunning_creditor_id.id, 'partner_id': self.partner_id.id})
        payable = page._get_payable('due', currency=self.currency_id)
        return {**amounts, 'page': payable.amount if payable and payable.currency == self.currency_id else 0.0}
