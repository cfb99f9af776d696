from odoo import models
from odoo.exceptions import UserError


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    def action_dunning_specification(self):
        """Open the specification of what was owed on the day of the insolvency: what a trustee asks for.

        Also of what was not due then: an insolvency does not wait for the term of payment.
        """
        self.ensure_one()
        self.check_access('read')
        if not self.insolvent_on:
            raise UserError(self.env._("Enter the day of the ruling first."))
        items = self.env['dunning.claim'].with_company(self.company_id)._get_claim_items(
            self.partner_id, self.insolvent_on, due_only=False)
        action = self.env['dunning.specification']._action_open(self.partner_id, self._get_older_debts(items))
        wizard = self.env['dunning.specification'].browse(action['res_id'])
        # What is on hold by this very hold is what is claimed.
        wizard.write({'company_id': self.company_id.id, 'at_date': self.insolvent_on, 'without_credits': False})
        return action
