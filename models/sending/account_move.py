"""A debtor who answers is read before the next reminder goes to him.

Whatever he writes (paid, disputed, bankrupt, on holiday until the tenth) a machine cannot judge. Until a
person did, everything of this debtor is on hold, as with any other hold: with an owner, an end and a soft landing.
"""

from odoo import api, models


class AccountMove(models.Model):
    _inherit = 'account.move'

    def action_dunning_send(self):
        """Open the send wizard for the due items of these invoices."""
        self.check_access('read')
        return self.env['dunning.send']._action_open(moves=self)

    @api.model
    def _record_dunning_mails(self, messages, *, final=False):
        pass

    def message_update(self, msg_dict, update_vals=None):
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for move in self.filtered(lambda move: move.state == 'posted' and move.is_sale_document()):
            # An answer to the mail of an invoice counts once the invoice is being reminded of.
            if move.dunning_line_ids.filtered(lambda line: line.status in ('pending', 'sent')):
                move.commercial_partner_id._pause_for_reply(move.company_id, move, msg_dict)
        return result
