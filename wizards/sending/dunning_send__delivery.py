from odoo import api, fields, models


class DunningSend(models.TransientModel):
    _inherit = 'dunning.send'

    remark_count = fields.Integer(compute='_compute_remark_count')

    @api.depends('group_ids.remark')
    def _compute_remark_count(self):
        for wizard in self:
            wizard.remark_count = len(wizard.group_ids.filtered('remark'))

    @api.model
    def _prepare_group(self, company, decisions):
        # EXTENDS: what takes another way says why.
        vals = super()._prepare_group(company, decisions)
        for decision in decisions:
            if decision.detour and decision.level_id == vals['level_id'] and decision.channel == vals['channel']:
                return vals | {'detour': decision.detour, 'detour_bounced_on': decision.bounced_on}
        return vals

    @api.model
    def _prepare_group_from_notice(self, notice):
        # EXTENDS: as above
        return super()._prepare_group_from_notice(notice) | {
            'detour': notice.detour, 'detour_bounced_on': notice.detour_bounced_on}
