from odoo import models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _get_page_urls(self):
        """Return ``{notice id: (the debtor's page, where to pay what this notice asks)}`` of saved notices.

        Without a provider of payments the second leads to the account and the code to scan. Both are empty where the
        link was taken back. A few queries for all of them.
        """
        urls = {}
        for company, notices in self._origin.filtered('partner_id').grouped('company_id').items():
            pages = notices.partner_id._get_dunning_pages(company)
            online = self.env['dunning.letter']._can_pay_online(company)
            for notice in notices:
                page = pages[notice.partner_id.commercial_partner_id.id]
                url = page._get_url(notice=notice)
                urls[notice.id] = url, url and (page._get_url('/pay', notice) if online else f'{url}#bank-letter')
        return urls
