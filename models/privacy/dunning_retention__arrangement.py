from odoo import api, fields, models
from odoo.fields import Domain


class DunningRetention(models.Model):
    _inherit = 'dunning.retention'

    arrangement_count = fields.Integer(string="Arrangements", readonly=True)

    @api.model
    def _get_kinds(self):
        return {**super()._get_kinds(), 'arrangement': ('dunning.arrangement', 'dunning_keep_arrangements')}

    @api.model
    def _find_arrangement(self, arrangements, company, before):
        return arrangements.search(
            Domain('company_id', '=', company.id) & Domain('closed_on', '<', before)
            & ~Domain('line_ids', 'any', [('move_line_id.reconciled', '=', False)])
            & (Domain('note', '!=', False) | Domain('contact_id', '!=', False) | Domain('signed_name', '!=', False)
               | Domain('signed_ip', '!=', False)))

    @api.model
    def _clean_arrangement(self, arrangements):
        arrangements._recording().write({
            'note': False, 'contact_id': False, 'signed_name': False, 'signed_ip': False, 'signed_signature': False,
            'offer_attachment_id': False, 'agreement_attachment_id': False, 'scan_attachment_id': False})
        self._clean_chatter(arrangements)

    @api.model
    def _get_day(self, record):
        if record._name == 'dunning.arrangement':
            return record._get_last_day()
        return super()._get_day(record)
