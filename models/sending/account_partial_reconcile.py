from odoo import models


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    def _follow_dunning_match(self):
        # EXTENDS: what was paid before a notice left was not owed when it left.
        result = super()._follow_dunning_match()
        self._update_dunning_wrong()
        return result

    def unlink(self):
        # OVERRIDE: what was matched by mistake was owed after all.
        if not self:
            return super().unlink()
        # sudo: whoever reconciles may not be allowed to read notices
        notices = self.env['dunning.notice'].sudo()._find_late_settled(self.debit_move_id)
        result = super().unlink()
        notices._update_wrong()
        return result

    def _update_dunning_wrong(self):
        # sudo: as above
        self.env['dunning.notice'].sudo()._find_late_settled(self.debit_move_id)._update_wrong()
