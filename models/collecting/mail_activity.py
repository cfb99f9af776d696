"""Calls that were planned or done as activities."""

from odoo import models
from odoo.exceptions import UserError

ABOUT_DEBTORS = frozenset({'res.partner', 'account.move', 'dunning.notice', 'dunning.call', 'dunning.hold'})


class MailActivity(models.Model):
    _inherit = 'mail.activity'

    def action_dunning_log_call(self):
        """Open the wizard that takes a call that was planned or done as an activity into the call log."""
        self.env['dunning.call'].check_access('create')
        self.check_access('read')
        if len(self) != 1:
            raise UserError(self.env._("Take one activity at a time: each call has an outcome of its own."))
        partner = self.env['res.partner']
        if self.res_id and self.res_model in ABOUT_DEBTORS:
            record = self.env[self.res_model].browse(self.res_id).exists()
            record.check_access('read')
            partner = (record if self.res_model == 'res.partner' else record.partner_id).commercial_partner_id
        if not partner:
            raise UserError(self.env._(
                "This activity is not about a contact or an invoice, so it is not known who was called."))
        return self.env['dunning.call.enter']._action_open(
            partner=partner, activity=self, company=record.company_id if self.res_model != 'res.partner' else None,
            moves=record if self.res_model == 'account.move' else None)
