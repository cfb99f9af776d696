from odoo import api, models
from odoo.tools import SQL

from .arrangement_states import ENDED_BY_LEDGER


class DunningMoney(models.AbstractModel):
    _inherit = 'dunning.money'

    @api.model
    def _get_follower_sql(self, item_ids):
        # EXTENDS: promises and arrangements about these items.
        self.env['dunning.promise.line'].flush_model(['move_line_id', 'replaced_by_id', 'promise_id'])
        self.env['dunning.arrangement.line'].flush_model(['move_line_id', 'arrangement_id'])
        self.env['dunning.arrangement'].flush_model(['state', 'close_code'])
        return [
            *super()._get_follower_sql(item_ids),
            SQL(
                "SELECT 'dunning.promise', promise_id FROM dunning_promise_line"
                " WHERE move_line_id = ANY(%s) AND replaced_by_id IS NULL", item_ids),
            SQL(
                "SELECT 'dunning.arrangement', arrangement.id FROM dunning_arrangement_line line"
                " JOIN dunning_arrangement arrangement ON arrangement.id = line.arrangement_id"
                " WHERE line.move_line_id = ANY(%s)"
                " AND (arrangement.state = 'active' OR arrangement.close_code = ANY(%s))",
                item_ids, list(ENDED_BY_LEDGER)),
        ]
