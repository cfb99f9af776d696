from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_email_bounced_on = fields.Date(
        string="E-mail Came Back On", readonly=True, copy=False,
        prefetch='dunning',
        help="A reminder to this address came back, so nothing is mailed to it. Cleared when the address changes.")

    def write(self, vals):
        if vals.get('dunning_email_bounced_on') or 'email' not in vals:
            return super().write(vals)
        before = {partner: partner.email_normalized for partner in self if partner.dunning_email_bounced_on}
        result = super().write(vals)
        changed = self.browse([partner.id for partner, email in before.items() if partner.email_normalized != email])
        if changed:
            super(ResPartner, changed).write({'dunning_email_bounced_on': False})
        return result

    def action_dunning_email_works(self):
        """Try the address again that a reminder came back from."""
        self.env['dunning.notice'].check_access('write')  # for accounting, not for all who may change contacts
        self.check_access('write')
        emails = [email for email in self.mapped('email_normalized') if email]
        # sudo: other contacts with the same address; whoever may change this one may correct them
        same = self.sudo().search([('email_normalized', 'in', emails)]) | self
        same.write({'dunning_email_bounced_on': False})
        return True
