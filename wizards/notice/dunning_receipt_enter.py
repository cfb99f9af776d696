from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.notice.dunning_receipt import KINDS, MANUAL_KINDS

ENTERED_CHANNELS = {'registered': 'letter', 'returned': 'letter'}


class DunningReceiptEnter(models.TransientModel):
    """What a person knows of the receipt of a notice; or why what was entered before is wrong."""

    _name = 'dunning.receipt.enter'
    _description = "Enter Receipt"

    notice_id = fields.Many2one(comodel_name='dunning.notice', required=True, readonly=True)
    receipt_id = fields.Many2one(comodel_name='dunning.receipt', string="To Withdraw", readonly=True)
    channel = fields.Selection(related='notice_id.channel')
    legal_role = fields.Selection(related='notice_id.legal_role')
    kind = fields.Selection(
        selection=[pair for pair in KINDS if pair[0] in MANUAL_KINDS], string="What Happened", required=True,
        default='acknowledged',
        help="Registered delivery: the post has proof of the day of delivery.\n"
             "Acknowledged: the debtor wrote or said that he has it. Without what he wrote it can make the day later, "
             "never earlier.\n"
             "Letter came back: it was not delivered. The debtor then did not get it, unless something else proves it.")
    date = fields.Date(
        string="On", required=True, default=lambda self: self.env.company._dunning_today(),
        help="The day of delivery; of a letter that came back, the day on which it did.")
    tracking_code = fields.Char()
    proof = fields.Binary(help="The proof of delivery, the reply of the debtor, a picture of the envelope.")
    proof_filename = fields.Char()
    note = fields.Char()

    @api.model
    def _action_open(self, notice, receipt=None):
        wizard = self.create({
            'notice_id': notice.id,
            'receipt_id': receipt.id if receipt else False,
            'tracking_code': notice.tracking_code,
            'kind': receipt.kind if receipt else 'registered' if notice.channel == 'letter' else 'acknowledged',
        })
        return wizard._get_records_action(
            name=self.env._("Withdraw Evidence") if receipt else self.env._("Enter Receipt"), target='new', context={})

    def action_confirm(self):
        """Record it. What is not possible is refused with what to do."""
        self.ensure_one()
        notice = self.notice_id
        notice.check_access('write')
        if self.receipt_id:
            if not (self.note or '').strip():
                raise UserError(self.env._("Say why this evidence is wrong."))
            self.receipt_id._withdraw(self.note.strip())
            return {'type': 'ir.actions.act_window_close'}
        notice.action_enter_receipt()  # refuses notices that did not leave
        by_post = notice.channel == 'letter' or notice.postal_state == 'posted'
        if self.kind in ENTERED_CHANNELS and not by_post:
            raise UserError(self.env._("%s did not leave by post, so it cannot be delivered or come back by post.",
                                       notice.display_name))
        if self.kind == 'registered' and not self.proof:
            raise UserError(self.env._("Add the proof of delivery of the post: without it the day is not proven."))
        if self.kind == 'acknowledged' and not (self.proof or (self.note or '').strip()):
            raise UserError(self.env._("Say how the debtor acknowledged it, or add what he wrote."))
        if self.date > notice.company_id._dunning_today():
            raise UserError(self.env._("The date lies in the future. Enter it when it has happened."))
        receipt = notice._add_receipt(
            self.kind, self.date, channel=ENTERED_CHANNELS.get(self.kind), tracking_code=self.tracking_code,
            proof=self.proof, proof_filename=self.proof_filename, note=self.note)
        notice._message_log(body=self.env._(
            "Receipt entered: %(kind)s, %(date)s.", kind=receipt.display_name,
            date=fields.Date.to_string(self.date)))
        return {'type': 'ir.actions.act_window_close'}
