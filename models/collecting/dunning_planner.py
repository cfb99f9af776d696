from odoo import api, models
from odoo.tools import SQL


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    @api.model
    def _get_contacts_sql(self, company):
        # EXTENDED: a call is a contact as well, also a message on the voicemail; a call of the ladder counts once.
        self.env['dunning.call'].flush_model(['company_id', 'partner_id', 'date', 'direction', 'kind', 'notice_ids'])
        return SQL(
            """%(notices)s UNION ALL
               SELECT call.partner_id, call.date
                 FROM dunning_call call
                WHERE call.company_id = %(company)s AND call.direction = 'out'
                  AND call.kind NOT IN ('no_answer', 'wrong_number')
                  AND NOT EXISTS (
                      SELECT FROM dunning_call_notice_rel rel
                        JOIN (%(made)s) notice ON notice.id = rel.notice_id
                       WHERE rel.call_id = call.id)""",
            made=self.env['dunning.notice']._get_contact_rows_sql(SQL("TRUE")),
            notices=super()._get_contacts_sql(company), company=company.id)
