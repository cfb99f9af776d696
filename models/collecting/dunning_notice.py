from odoo import api, fields, models
from odoo.tools import SQL

from .dunning_call_outcome import TRIES


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    call_ids = fields.Many2many(
        comodel_name='dunning.call', relation='dunning_call_notice_rel', column1='notice_id', column2='call_id',
        string="Calls", readonly=True, copy=False)
    call_tries = fields.Integer(string="Tried", compute='_compute_call_tries')
    call_tries_text = fields.Char(string="Not Reached", compute='_compute_call_tries')

    @api.depends('call_ids.kind', 'level_id.phone_tries')
    @api.depends_context('lang')
    def _compute_call_tries(self):
        groups = self.env['dunning.call']._read_group(
            [('notice_ids', 'in', self._origin.ids), ('kind', 'in', TRIES)], ['notice_ids'], ['__count'])
        counts = {notice.id: count for notice, count in groups}
        for notice in self:
            tries = counts.get(notice._origin.id, 0)
            notice.call_tries = tries
            wanted = notice.level_id.phone_tries
            notice.call_tries_text = tries > 0 and (
                self.env._("%(tries)s of %(wanted)s tries", tries=tries, wanted=wanted) if wanted
                else self.env._("%s tries", tries))

    def action_log_call(self):
        """Open the wizard that logs the call this notice asks for."""
        self.ensure_one()
        self.check_access('write')
        return self.env['dunning.call.enter']._action_open(notice=self)

    @api.model
    def _get_contacts_sql(self, company):
        # EXTENDED: a call is a contact as well, also a message on the voicemail; a call of the ladder counts once.
        self.env['dunning.call'].flush_model(['company_id', 'partner_id', 'date', 'direction', 'kind', 'notice_ids'])
        return SQL(
            """%(notices)s UNION ALL
               SELECT call.partner_id, call.date
                 FROM dunning_call call
                WHERE call.company_id IN %(companies)s AND call.direction = 'out'
                  AND call.kind NOT IN ('no_answer', 'wrong_number')
                  AND NOT EXISTS (
                      SELECT FROM dunning_call_notice_rel rel
                        JOIN (%(made)s) notice ON notice.id = rel.notice_id
                       WHERE rel.call_id = call.id)""",
            made=self._get_contact_rows_sql(SQL("TRUE")),
            notices=super()._get_contacts_sql(company), companies=company._get_dunning_company_ids())
