from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    # A paid invoice has no level, an invoice whose payment bounced has its old level back.
    # Only invoices that ever had a notice are touched; all others cost one indexed look-up per batch.

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._refresh_dunning_levels()
        return partials

    def unlink(self):
        moves = self._get_dunned_moves()
        result = super().unlink()
        self._refresh_dunning_levels(moves)
        return result

    def _get_dunned_moves(self):
        """Return the moves of these partials that ever had a notice."""
        items = self.debit_move_id  # a due item is a debit
        if not items:
            return self.env['account.move']
        # sudo: whoever reconciles may not be allowed to read notices
        lines = self.env['dunning.notice.line'].sudo().search([('move_line_id', 'in', items.ids)])
        return lines.move_id

    def _refresh_dunning_levels(self, moves=None):
        moves = self._get_dunned_moves() if moves is None else moves
        if moves:
            self.env.add_to_compute(moves._fields['dunning_level_id'], moves)
