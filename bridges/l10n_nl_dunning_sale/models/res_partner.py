from odoo import api, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    @api.depends_context('res_partner_search_mode')
    def _compute_display_name(self):
        # EXTENDS 'base': a drop-down of customers says how they pay; only there names are formatted.
        result = super()._compute_display_name()
        context = self.env.context
        if context.get('formatted_display_name') and context.get('res_partner_search_mode') == 'customer':
            for partner in self.filtered('dunning_level_id'):
                partner.display_name = f"{partner.display_name} \t --{partner.dunning_level_id.name}--"
        return result

    def _get_dunning_invoiced(self, company):
        """Return which of these debtors were sent an invoice before."""
        # sudo: whether there was one, for whoever sells
        groups = self.env['account.move'].sudo()._read_group([
            ('commercial_partner_id', 'in', self.ids),
            ('company_id', 'in', company._get_dunning_company_ids()), ('state', '=', 'posted'),
            ('move_type', '=', 'out_invoice')], ['commercial_partner_id'])
        return self.browse(partner.id for (partner,) in groups)
