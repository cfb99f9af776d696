from odoo import api, models


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _finish_piece(self, notices):
        # OVERRIDE: who pressed the button sees it move.
        result = super()._finish_piece(notices)
        self.env['dunning.batch']._tell(notices)
        return result

    @api.model
    def _finish_round(self, began, done):
        # OVERRIDE: of several workers the last one sees all that the others did.
        result = super()._finish_round(began, done)
        self.env['dunning.batch']._tell(self.env['dunning.notice'].browse(done).exists())
        return result
