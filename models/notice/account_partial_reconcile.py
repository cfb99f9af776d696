from odoo import api, models
from odoo.tools import SQL


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    # A paid invoice has no level, an invoice whose payment bounced has its old level back.
    # Only items that ever had a notice, a promise or an arrangement are touched; all others cost one indexed look-up
    # per batch.

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        self.env['account.move']._forget_dunning_answers()
        known = partials._filter_dunning_known()
        if known:
            known._follow_dunning_match()
        return partials

    @api.model
    def _get_dunning_item_models(self):
        """Return our models with records about due items (hook); an item in none of them was never our concern."""
        return ['dunning.notice.line']

    def _filter_dunning_known(self):
        """Return the partials about due items that any of our records is about: one look-up for all."""
        items = self.debit_move_id  # a due item is a debit
        if not items:
            return self.browse()
        parts = []
        for name in self._get_dunning_item_models():
            self.env[name].flush_model(['move_line_id'])
            parts.append(SQL(
                "SELECT move_line_id FROM %s WHERE move_line_id IN %s",
                SQL.identifier(self.env[name]._table), tuple(items.ids)))
        known = {item_id for (item_id,) in self.env.execute_query(SQL(" UNION ALL ").join(parts))}
        return self.filtered(lambda partial: partial.debit_move_id.id in known) if known else self.browse()

    def _follow_dunning_match(self):
        """Do what follows from matching these partials; a hook."""
        self._refresh_dunning_levels()

    def unlink(self):
        if not self:  # core asks it for every invoice that is made
            return super().unlink()
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
