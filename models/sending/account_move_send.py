"""When an invoice was sent: core marks it as sent as soon as there is a PDF."""

from odoo import api, models

from ..debtor.account_move import UNCERTAIN_STATES
from ..kernel.dunning_recorded import as_recording

# Ways that say nothing of whether the debtor got it: what they bring is recorded when it is known.
LATER_METHODS = {'email', 'manual', 'peppol'}


class AccountMoveSend(models.AbstractModel):
    _inherit = 'account.move.send'

    @api.model
    def _link_invoice_documents(self, invoices_data):
        # EXTENDS 'account': of an invoice that was marked before, the day is not made later by a new PDF.
        fresh = [move for move in invoices_data if move.move_type == 'out_invoice' and not move.is_move_sent]
        result = super()._link_invoice_documents(invoices_data)
        for move in fresh:
            if move.is_move_sent:
                as_recording(move).dunning_sent_state = 'printed'
        return result

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        # EXTENDS 'account'
        result = super()._send_mail(move, mail_template, **kwargs)
        if move.dunning_sent_state in UNCERTAIN_STATES:
            message = self.env['mail.message'].search([
                ('model', '=', 'account.move'), ('res_id', '=', move.id), ('message_type', '=', 'comment'),
                ('notification_ids.notification_type', '=', 'email')], order='id desc', limit=1)
            if message:
                as_recording(move).write({
                    'dunning_sent_state': 'waiting', 'dunning_sent_message_id': message.id})
        return result

    @api.model
    def _hook_if_success(self, moves_data, from_cron=False):
        # EXTENDS 'account': networks that deliver at once.
        result = super()._hook_if_success(moves_data, from_cron=from_cron)
        for move, data in moves_data.items():
            if move.dunning_sent_state == 'printed' and set(data.get('sending_methods') or ()) - LATER_METHODS:
                move._record_dunning_sent('delivered')
        return result
