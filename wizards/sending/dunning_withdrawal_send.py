from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.mail import is_html_empty


class DunningWithdrawalSend(models.TransientModel):
    """Look at what debtors will be told when notices are withdrawn, and decide."""

    _name = 'dunning.withdrawal.send'
    _description = "Withdraw Notices"

    withdrawal_ids = fields.Many2many(comodel_name='dunning.withdrawal', string="Withdrawals", readonly=True)
    withdrawal_id = fields.Many2one(comodel_name='dunning.withdrawal', compute='_compute_withdrawal_id')
    count = fields.Integer(string="Debtors to Tell", compute='_compute_withdrawal_id')
    partner_id = fields.Many2one(related='withdrawal_id.partner_id', string="Debtor")
    currency_id = fields.Many2one(related='withdrawal_id.currency_id')
    channel = fields.Selection(
        selection=[('email', "E-mail"), ('letter', "Letter")], string="By", compute='_compute_texts', store=True,
        readonly=False)
    subject = fields.Char(compute='_compute_texts', store=True, readonly=False)
    body = fields.Html(
        string="Message", compute='_compute_texts', store=True, readonly=False, sanitize='email_outgoing')
    amount_booked = fields.Monetary(related='withdrawal_id.amount_booked')
    credit_bookings = fields.Boolean(
        string="Credit Interest and Costs", compute='_compute_texts', store=True, readonly=False,
        help="Credit what was booked as interest and collection costs of the notices that are withdrawn entirely.")

    @api.model
    def _action_open(self, withdrawals):
        """Return the action that opens the wizard for proposals."""
        withdrawals = withdrawals.filtered(lambda withdrawal: withdrawal.state == 'proposed')
        if not withdrawals:
            raise UserError(self.env._("Somebody decided about it already."))
        wizard = self.create({'withdrawal_ids': [Command.set(withdrawals.ids)]})
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Withdraw"),
            'res_model': self._name,
            'res_id': wizard.id,
            'view_mode': 'form',
            'target': 'new',
        }

    @api.depends('withdrawal_ids')
    def _compute_withdrawal_id(self):
        for wizard in self:
            wizard.count = len(wizard.withdrawal_ids)
            wizard.withdrawal_id = wizard.withdrawal_ids if wizard.count == 1 else False

    @api.depends('withdrawal_ids')
    def _compute_texts(self):
        for wizard in self:
            single = wizard.withdrawal_id
            wizard.channel = single.channel
            wizard.subject = single.preview_subject
            wizard.body = single.preview_body
            wizard.credit_bookings = single.credit_bookings

    def action_send(self):
        """Withdraw, and send the message as it stands here."""
        self.ensure_one()
        self.check_access('write')
        if not self.withdrawal_id:
            self.withdrawal_ids.action_send()
            return {'type': 'ir.actions.act_window_close'}
        if not (self.subject or '').strip() or is_html_empty(self.body):
            raise UserError(self.env._("The message is empty. Write one, or choose “Without a message”."))
        withdrawal = self._lock()
        withdrawal.write({'channel': self.channel, 'credit_bookings': self.credit_bookings})
        withdrawal._withdraw(
            self.env.company._dunning_today(), texts={withdrawal.id: (self.subject.strip(), self.body)})
        return {'type': 'ir.actions.act_window_close'}

    def action_silent(self):
        """Withdraw without a message."""
        self.ensure_one()
        self.check_access('write')
        if not self.withdrawal_id:
            self.withdrawal_ids.action_silent()
            return {'type': 'ir.actions.act_window_close'}
        withdrawal = self._lock()
        withdrawal.write({'credit_bookings': self.credit_bookings})
        withdrawal._withdraw(self.env.company._dunning_today(), silent=True)
        return {'type': 'ir.actions.act_window_close'}

    def _lock(self):
        """Return the proposal when it still is what was shown."""
        shown = self.withdrawal_id.amount_wrong
        self.withdrawal_id.check_access('write')
        withdrawal = self.withdrawal_id._lock_proposed()
        if not withdrawal or withdrawal.currency_id.compare_amounts(shown, withdrawal.amount_wrong):
            raise UserError(self.env._(
                "It changed while this window was open: a payment was booked or taken off, or somebody decided. Close "
                "the window and look again."))
        return withdrawal
