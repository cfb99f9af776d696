from odoo import api, fields, models

from ...models.ladder.dunning_level import DETOURS
from ...models.sending.dunning_notice__delivery import LACKS


class DunningSendGroup(models.TransientModel):
    _inherit = 'dunning.send.group'

    detour = fields.Selection(selection=LACKS, readonly=True)
    detour_bounced_on = fields.Date(readonly=True)
    remark = fields.Text(compute='_compute_remark')

    @api.depends('problem', 'detour', 'channel', 'level_id')
    def _compute_remark(self):
        """What to know before sending: a problem, or why it takes another way than its level."""
        Planner = self.env['dunning.planner']
        for group in self:
            own = group.level_id.channel
            detoured = group.detour and (
                group.channel == own == 'both' or group.channel in DETOURS.get(own, ()))
            group.remark = group.problem or (detoured and Planner._explain_detour(
                group.detour, group.channel, group.detour_bounced_on))
