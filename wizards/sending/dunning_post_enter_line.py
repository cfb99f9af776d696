from odoo import fields, models


class DunningPostEnterLine(models.TransientModel):
    _name = 'dunning.post.enter.line'
    _description = "Registered Letter"

    wizard_id = fields.Many2one(comodel_name='dunning.post.enter', required=True, ondelete='cascade', index=True)
    notice_id = fields.Many2one(comodel_name='dunning.notice', required=True, readonly=True)
    partner_id = fields.Many2one(related='notice_id.partner_id')
    tracking_code = fields.Char(help="The number on the receipt of the post. Empty: this letter waits.")
    proof = fields.Binary(string="Receipt of the Post")
    proof_filename = fields.Char()

    def _get_code(self):
        self.ensure_one()
        return "".join((self.tracking_code or '').split()).upper()
