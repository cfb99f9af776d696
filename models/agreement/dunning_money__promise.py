from odoo import api, models
from odoo.tools import SQL


class DunningMoney(models.AbstractModel):
    _inherit = 'dunning.money'

    @api.model
    def _get_follower_sql(self, item_ids):
        # EXTENDS: promises about these items.
        self.env['dunning.promise.line'].flush_model(['move_line_id', 'replaced_by_id', 'promise_id'])
        return [*super()._get_follower_sql(item_ids), SQL(
            "SELECT 'dunning.promise', promise_id FROM dunning_promise_line"
            " WHERE move_line_id = ANY(%s) AND replaced_by_id IS NULL", item_ids)]
