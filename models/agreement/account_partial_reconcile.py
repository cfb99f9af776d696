from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from .arrangement_states import ENDED_BY_LEDGER


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    @api.model
    def _get_dunning_item_models(self):
        # EXTENDS
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
        self.env['dunning.promise.line'].flush_model(['move_line_id', 'replaced_by_id', 'promise_id'])
        self.env['dunning.arrangement.line'].flush_model(['move_line_id', 'arrangement_id'])
        self.env['dunning.arrangement'].flush_model(['state', 'close_code'])
        ids = defaultdict(set)
        for model, record_id in self.env.execute_query(SQL(
            """
            SELECT 'dunning.promise', promise_id FROM dunning_promise_line
             WHERE move_line_id = ANY(%(items)s) AND replaced_by_id IS NULL
             UNION
            SELECT 'dunning.arrangement', arrangement.id
              FROM dunning_arrangement_line line
              JOIN dunning_arrangement arrangement ON arrangement.id = line.arrangement_id
             WHERE line.move_line_id = ANY(%(items)s)
               AND (arrangement.state = 'active' OR arrangement.close_code = ANY(%(codes)s))
            """, items=list(items.ids), codes=list(ENDED_BY_LEDGER),
        )):
            ids[model].add(record_id)
        # sudo: whoever reconciles may not be allowed to read promises and arrangements
        return [self.env[model].sudo().browse(sorted(found)) for model, found in sorted(ids.items())]
