"""The link to the debtor's page in e-mails: a button under how to pay."""

from odoo import api, models


class DunningLetter(models.AbstractModel):
    _inherit = 'dunning.letter'

    @api.model
    def _prepare_letters(self, notices, *, mail=False):
        # EXTENDS: e-mails get the address of the debtor's page, with the key of the notice.
        letters = super()._prepare_letters(notices, mail=mail)
        if mail:
            urls = notices._get_page_urls()
            for notice, letter in zip(notices, letters, strict=True):
                letter['page_url'] = urls.get(notice._origin.id, '')
        return letters
