from odoo import models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _get_page_urls(self):
        """Return ``{notice id: address of the debtor's page}`` of saved notices; a few queries for all of them."""
        urls = {}
        for company, notices in self._origin.filtered('partner_id').grouped('company_id').items():
            pages = notices.partner_id._get_dunning_pages(company)
            for notice in notices:
                urls[notice.id] = pages[notice.partner_id.commercial_partner_id.id]._get_url(notice=notice)
        return urls
