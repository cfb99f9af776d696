from odoo import models


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    def _take_back_notices(self, keep=None):
        # EXTENDS: what is sent later is judged again anyhow. A letter that was printed lies on somebody's desk: a
        # person takes it out of the pile.
        result = super()._take_back_notices(keep=keep)
        lines = self.env['dunning.notice.line'].search([
            ('move_line_id', 'in', self._get_items().ids), ('status', '=', 'pending')])
        notices = lines.notice_id.filtered(lambda notice: notice.postal_state != 'printed')
        if keep:
            notices -= keep
        for company, batch in notices.try_lock_for_update().grouped('company_id').items():
            self.env['dunning.dispatcher'].with_company(company)._recheck(batch, company._dunning_today())
        return result
