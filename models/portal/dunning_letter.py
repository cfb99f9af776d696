"""The links to the debtor's page: to pay and to look in e-mails, an address and a code to scan on paper."""

from odoo import api, models


class DunningLetter(models.AbstractModel):
    _inherit = 'dunning.letter'

    @api.model
    def _prepare_letters(self, notices, *, mail=False):
        # EXTENDS: the address of the debtor's page, with the key of the notice.
        letters = super()._prepare_letters(notices, mail=mail)
        urls = notices._get_page_urls()
        for notice, letter in zip(notices, letters, strict=True):
            url, letter['pay_url'] = urls.get(notice._origin.id, ('', ''))
            letter['page_url'] = url
            if url and not mail:
                # Typed over, it need not say which letter it stood in.
                letter.update(page_address=url.partition('&notice=')[0], page_qr=self._draw_qr(url))
        return letters
