from odoo import models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def message_update(self, msg_dict, update_vals=None):
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for notice in self:
            notice.partner_id._pause_for_reply(notice.company_id, notice, msg_dict)
        return result
