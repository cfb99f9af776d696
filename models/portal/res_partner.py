import uuid

from odoo import models

from .dunning_page import as_visitor


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def _get_dunning_page(self, company):
        """Return the page of this debtor at a creditor, made when it was not there yet; as the program itself."""
        self.ensure_one()
        return self._get_dunning_pages(company)[self.commercial_partner_id.id]

    def _get_dunning_pages(self, company):
        """Return ``{id of the debtor: his page}`` of these contacts at a creditor; two queries for all of them."""
        debtors, company = self.commercial_partner_id, company.sudo().dunning_creditor_id  # sudo: only which it is
        # sudo: pages are made by the program alone; a page says nothing until its token was given out
        Page = self.env['dunning.page'].sudo()
        pages = Page.search([('company_id', '=', company.id), ('partner_id', 'in', debtors.ids)])
        missing = debtors - pages.partner_id
        if missing:
            pages |= Page.create([
                {'company_id': company.id, 'partner_id': debtor.id, 'access_token': str(uuid.uuid4())}
                for debtor in missing])
        return {page.partner_id.id: page for page in as_visitor(pages)}

    def action_dunning_page(self):
        """Show where the page of this debtor is, whether it was opened and what was sent with it."""
        self.ensure_one()
        self.env['dunning.page'].check_access('read')
        return self._get_dunning_page(self.env.company)._get_records_action(
            name=self.env._("Debtor's page"), target='new', context={'dialog_size': 'large'})
