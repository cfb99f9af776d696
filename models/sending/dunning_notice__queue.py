from odoo import fields, models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    asked_on = fields.Datetime(
        readonly=True, copy=False, help="When the dispatcher last found that it has to wait in the queue.")

    # What the next claim of a company reads, in its order.
    _queue_idx = models.Index("(company_id, asked_on NULLS FIRST, id) WHERE state = 'queued'")

    def _queue(self):
        # OVERRIDE: somebody decided about it, so it is asked at once.
        result = super()._queue()
        self._recording().write({'asked_on': False})
        return result
