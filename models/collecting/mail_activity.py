"""Calls that were planned or done as activities."""

from odoo import models
from odoo.exceptions import UserError


class MailActivity(models.Model):
    _inherit = 'mail.activity'

    def _get_dunning_debtor(self):
        """Return the debtor that an activity on a contact, an invoice or one of our own records is about."""
        self.ensure_one()
        if self.res_model not in (
            'res.partner', 'account.move', 'dunning.notice', 'dunning.call', 'dunning.hold'
        ) or not self.res_id:
            return self.env['res.partner']
        record = self.env[self.res_model].browse(self.res_id).exists()
        record.check_access('read')
        partner = record if record._name == 'res.partner' else record.partner_id
        return partner.commercial_partner_id

    def action_dunning_log_call(self):
        """Open the wizard that takes a call that was planned or done as an activity into the call log."""
        self.env['dunning.call'].check_access('create')
        self.check_access('read')
        if len(self) != 1:
            raise UserError(self.env._("Take one activity at a time: each call has an outcome of its own."))
        partner = self._get_dunning_debtor()
        if not partner:
            raise UserError(self.env._(
                "This activity is not about a contact or an invoice, so it is not known who was called."))
        record = self.env[self.res_model].browse(self.res_id)
        return self.env['dunning.call.enter']._action_open(
            partner=partner, activity=self, company=record.company_id if record._name != 'res.partner' else None,
            moves=record if record._name == 'account.move' else None)
