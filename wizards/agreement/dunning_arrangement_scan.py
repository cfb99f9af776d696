import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError


class DunningArrangementScan(models.TransientModel):
    """A payment arrangement that came back signed on paper."""

    _name = 'dunning.arrangement.scan'
    _description = "Signed on Paper"

    arrangement_id = fields.Many2one(comodel_name='dunning.arrangement', required=True, readonly=True)
    # Required by the view, as the two below: the wizard is there before they are.
    file = fields.Binary(
        string="Scan", help="All pages, or the one with the signature: PDF, PNG or JPEG, 10 MB at most.")
    filename = fields.Char()
    signed_name = fields.Char(string="Signed By", help="The name that stands at the signature.")
    signed_date = fields.Date(string="On", help="The day that stands at the signature.")

    @api.model
    def _action_open(self, arrangement):
        if arrangement.state != 'offered':
            raise UserError(self.env._(
                "%s is not on offer, so there is nothing to sign.", arrangement.display_name))
        person = arrangement.contact_id or arrangement.partner_id
        return self.create({
            'arrangement_id': arrangement.id,
            'signed_name': False if person.is_company else person.name,
        })._get_records_action(name=self.env._("Signed on Paper"), target='new', context={})

    def action_confirm(self):
        """Record the signature. What is not possible is refused with what to do."""
        self.ensure_one()
        self.arrangement_id.check_access('write')
        if not self.file:
            raise UserError(self.env._("Choose the scan of the signed paper."))
        if not (self.signed_name or '').strip():
            raise UserError(self.env._("Enter the name of the person who signed."))
        if not self.signed_date:
            raise UserError(self.env._("Enter the day that stands at the signature."))
        try:
            content = base64.b64decode(self.file)
        except (binascii.Error, ValueError) as error:
            raise UserError(self.env._("The file did not arrive in one piece. Choose it again.")) from error
        self.arrangement_id._sign_on_paper(self.signed_name, self.signed_date, content)
        return {'type': 'ir.actions.act_window_close'}
