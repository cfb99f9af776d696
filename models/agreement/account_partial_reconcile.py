from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    @api.model
    def _get_dunning_item_models(self):
        return super()._get_dunning_item_models() + ['dunning.promise.line', 'dunning.arrangement.line']
