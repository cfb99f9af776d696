from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    @api.model
    def _get_dunning_item_models(self):
        return super()._get_dunning_item_models() + ['dunning.promise.line', 'dunning.arrangement.line']

    def _follow_dunning_match(self):
        # EXTENDS: a payment may keep what was promised or arranged.
        result = super()._follow_dunning_match()
        for followers in self._get_dunning_followers():
            followers._decide_matched()
        return result

    def unlink(self):
        # OVERRIDE: a payment that bounced did not keep it.
        if not self:
            return super().unlink()
        found = self._get_dunning_followers()
        result = super().unlink()
        for followers in found:
            followers._decide_matched()
        return result

    def _get_dunning_followers(self):
        """Return promises and arrangements about what is being matched; one indexed look-up, nearly always empty."""
        items = self.debit_move_id  # a due item is a debit
        if not items:
            return []
        parts = self.env['dunning.money']._get_follower_sql(list(items.ids))
        if not parts:
            return []
        ids = defaultdict(set)
        for model, record_id in self.env.execute_query(SQL(" UNION ").join(parts)):
            ids[model].add(record_id)
        # sudo: whoever reconciles may not be allowed to read promises and arrangements
        return [self.env[model].sudo().browse(sorted(found)) for model, found in sorted(ids.items())]
