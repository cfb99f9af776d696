"""Merging contacts: two pages of one debtor become one, and what was worked out of each is worked out anew."""

from odoo import api, models


class BasePartnerMerge(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        dst_partner._prepare_dunning_merge(src_partners)
        # EXTENDS: two pages of one company become one, before the database would refuse a second.
        # sudo: nobody writes pages but the program; who may merge contacts may have their pages merged
        pages = self.env['dunning.page'].sudo().search([('partner_id', 'in', src_partners.ids)])
        pages._fold_into(dst_partner.commercial_partner_id)
        # sudo: as above; of one debtor one withdrawal is proposed
        withdrawals = self.env['dunning.withdrawal'].sudo().search([('partner_id', 'in', src_partners.ids)])
        withdrawals._fold_into(dst_partner)
        # Both can have the one row per debtor, which is worked out of the ledger each night.
        # sudo: as above
        self.env['dunning.behaviour'].sudo().search([('partner_id', 'in', src_partners.ids)]).unlink()
        self.env.flush_all()
        return super()._update_foreign_keys(src_partners, dst_partner)
