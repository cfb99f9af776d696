from odoo import fields, models


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    promise_id = fields.Many2one(
        comodel_name='dunning.promise', readonly=True, index='btree_not_null', ondelete='restrict', copy=False)
    arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', readonly=True, index='btree_not_null', ondelete='restrict', copy=False)

    def _tell_owners(self, at_date, get_summary):
        # OVERRIDE: the owner of an agreement is told what became of it, and that is enough.
        others = self.filtered(lambda hold: not hold.promise_id and not hold.arrangement_id)
        return super(DunningHold, others)._tell_owners(at_date, get_summary)
