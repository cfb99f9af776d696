from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def _prepare_dunning_personal_data(self, company):
        # EXTENDS: what he sent from his page is kept as well.
        kinds = dict(self.env['dunning.page.request']._fields['kind']._description_selection(self.env))
        return super()._prepare_dunning_personal_data(company) + [
            (self.env._("Sent from the debtor's page"), fields.Date.to_string(request.date), request.move_id.name or '',
             '', request.text or '', '', '', kinds.get(request.kind, ''))
            for request in self.env['dunning.page.request'].search(
                [('company_id', '=', company.id), ('partner_id', '=', self.id)])]
