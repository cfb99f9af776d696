from odoo import models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def get_dunning_reasons(self, date=None):
        """Say for each item these debtors owed on a day why it is (not) reminded, in the companies that are chosen.

        :param date: a date or an ISO string; empty: today. Only for asking
        :return: list of dicts, one per open due item: see ``dunning.planner._answer``
        :raise AccessError: for who may not read the contacts, or is not in accounting
        """
        self.check_access('read')
        Planner = self.env['dunning.planner']
        Planner._check_may_ask()
        debtors = self.commercial_partner_id
        answers = []
        for company in self.env.companies._filter_dunning_creditors():
            answers += Planner._answer(company, company._parse_dunning_day(date), partners=debtors)
        return answers

    def action_dunning_why(self):
        """Open the dialog that answers for any day."""
        self.check_access('read')
        return self.env['dunning.why']._action_open(
            partners=self.commercial_partner_id, about=self[:1].commercial_partner_id.display_name)
