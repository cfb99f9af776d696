from odoo import models
from odoo.tools import SQL


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    def _reason_booked_extra(self):
        # EXTENDS: also what an arrangement booked, as long as the invoices it belongs to are open.
        is_owed = self.env['account.move.line']._get_dunning_is_owed_sql(SQL("told.move_line_id"))
        reason = super()._reason_booked_extra()
        return reason._replace(
            predicate=lambda question: SQL(
                """(%s) OR move_id IN (
                       SELECT booking.id
                         FROM account_move booking
                         JOIN dunning_arrangement_line told ON told.arrangement_id = booking.dunning_arrangement_id
                                                           AND told.is_booking IS NOT TRUE
                        WHERE booking.dunning_arrangement_id IS NOT NULL AND %s)""",
                reason.get_predicate(question), is_owed))
