"""The link to the debtor's page in e-mails: a button under how to pay."""

from odoo import api, models


class DunningLetter(models.AbstractModel):
    _inherit = 'dunning.letter'

    @api.model
    def _prepare_letters(self, notices, shared, *, mail=False):
        # EXTENDS: e-mails get the address of the debtor's page, with the key of the notice.
        letters = super()._prepare_letters(notices, shared, mail=mail)
        if mail:
            urls = notices._get_page_urls()
            for notice, letter in zip(notices, letters, strict=True):
                letter['page_url'] = urls.get(notice._origin.id, '')
        return letters


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _get_page_urls(self):
        """Return ``{notice id: address of the debtor's page}`` of saved notices; a few queries for all of them."""
        urls = {}
        for company, notices in self._origin.filtered('partner_id').grouped('company_id').items():
            if not company.dunning_page_in_mails:
                continue
            pages = notices.partner_id._get_dunning_pages(company)
            for notice in notices:
                urls[notice.id] = pages[notice.partner_id.commercial_partner_id.id]._get_url(notice=notice)
        return urls
