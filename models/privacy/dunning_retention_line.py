from odoo import fields, models


class DunningRetentionLine(models.Model):
    _name = 'dunning.retention.line'
    _inherit = ['dunning.recorded']
    _description = "Personal Data to Clean"
    _order = 'kind, date, id'
    _recorded_with = 'dunning.retention'
    _unlink_recorded = True

    retention_id = fields.Many2one(
        comodel_name='dunning.retention', required=True, readonly=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='retention_id.company_id', store=True)
    kind = fields.Selection(
        selection=[('call', "Call"), ('promise', "Promise"), ('hold', "Hold"), ('arrangement', "Arrangement")],
        required=True, readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field='res_model', readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True, ondelete='set null')
    name = fields.Char(readonly=True)
    date = fields.Date(readonly=True)

    def _get_frozen_message(self, action):
        return self.env['dunning.retention']._get_frozen_message('copy' if action == 'copy' else 'write')

    def action_open(self):
        """Show the record that would be cleaned."""
        self.check_access('read')
        self.ensure_one()
        return self.env[self.res_model].browse(self.res_id)._get_records_action()
