from odoo import api, fields, models
from odoo.tools import SQL


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

    @api.model
    def _get_on_offer_sql(self, hold):
        """Return the SQL condition that a hold, a row of ``dunning_hold``, is for an offer that does not run yet."""
        return SQL(
            """
            EXISTS (SELECT FROM dunning_arrangement arrangement
                     WHERE arrangement.id = %s.arrangement_id AND arrangement.state IN ('offered', 'signed'))
            """, hold, to_flush=[self._fields['arrangement_id'], self.env['dunning.arrangement']._fields['state']])
