from odoo import models


class DunningReceipt(models.Model):
    _inherit = 'dunning.receipt'

    def _withdraw(self, reason):
        # EXTENDS: it did not come back after all
        result = super()._withdraw(reason)
        if self.kind == 'returned':
            people = self.notice_id.recipient_id | self.notice_id.partner_id
            # sudo: as where it was marked
            people.sudo().filtered(
                lambda person: person.dunning_post_returned_on == self.date).dunning_post_returned_on = False
        return result
