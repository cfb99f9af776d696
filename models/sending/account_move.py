"""A debtor who answers is read before the next reminder goes to him.

Whatever he writes (paid, disputed, bankrupt, on holiday until the tenth) a machine cannot judge. Until a
person did, everything of this debtor is on hold, as with any other hold: with an owner, an end and a soft landing.
"""

from odoo import api, models

from ..debtor.account_move import UNCERTAIN_STATES
from ..kernel.dunning_recorded import as_recording

# Of a mail that did not leave, or did not arrive.
FAILED_OUTCOMES = {'refused', 'bounced', 'canceled'}


class AccountMove(models.Model):
    _inherit = 'account.move'

    def action_dunning_send(self):
        """Open the send wizard for the due items of these invoices."""
        self.check_access('read')
        return self.env['dunning.send']._action_open(moves=self)

    def action_dunning_mark_sent(self):
        """Ask the day on which these invoices were sent."""
        self.check_access('write')
        return self.env['dunning.invoice.sent']._action_open(self)

    def write(self, vals):
        # OVERRIDE: the network that delivers invoices says so later.
        result = super().write(vals)
        if vals.get('peppol_move_state') == 'done':
            self.sudo().filtered(  # sudo: whoever asks the network
                lambda move: move.dunning_sent_state in UNCERTAIN_STATES)._record_dunning_sent('delivered')
        return result

    @api.model
    def _record_dunning_mails(self, messages, *, final=False):
        """Record what became of e-mails with invoices: one address that took it is enough.

        :param bool final: as of ``mail.notification._record_dunning_delivery``
        """
        # sudo: the mail module is at work
        for move in self.sudo().search([('dunning_sent_message_id', 'in', messages.ids)]):
            outcomes = {
                row._get_dunning_outcome(row.mail_mail_id.exists(), final)
                for row in move.dunning_sent_message_id.notification_ids if row.notification_type == 'email'}
            if 'accepted' in outcomes and move.dunning_sent_state in UNCERTAIN_STATES:
                move._record_dunning_sent('mailed')
            elif outcomes <= FAILED_OUTCOMES and move.dunning_sent_state in ('waiting', 'mailed'):
                as_recording(move).write({'dunning_sent_on': False, 'dunning_sent_state': 'failed'})

    def message_update(self, msg_dict, update_vals=None):
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for move in self.filtered(lambda move: move.state == 'posted' and move.is_sale_document()):
            # An answer to the mail of an invoice counts once the invoice is being reminded of.
            if move.dunning_line_ids.filtered(lambda line: line.status in ('pending', 'sent')):
                move.commercial_partner_id._pause_for_reply(move.company_id, move, msg_dict)
        return result
