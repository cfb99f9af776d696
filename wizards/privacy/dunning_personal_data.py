import base64
import csv
import io
import json

from odoo import api, fields, models

from ...models.privacy.res_partner import CSV_COLUMNS


class DunningPersonalData(models.TransientModel):
    """Export what is kept about a debtor, for his request."""

    _name = 'dunning.personal.data'
    _description = "Export of Personal Data"

    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    file_format = fields.Selection(
        selection=[('csv', "CSV (spreadsheet)"), ('json', "JSON")], string="Format", default='csv', required=True)
    row_count = fields.Integer(string="Records", compute='_compute_row_count')
    content = fields.Binary(readonly=True, attachment=False)

    @api.depends('partner_id')
    def _compute_row_count(self):
        for wizard in self:
            wizard.row_count = len(wizard._get_rows())

    def _get_rows(self):
        return self.partner_id.get_dunning_personal_data(self.company_id.id) if self.partner_id else []

    def _get_file(self):
        """Return the bytes of the file: CSV as spreadsheets open it, or JSON."""
        self.ensure_one()
        rows = self._get_rows()
        if self.file_format == 'json':
            return json.dumps({
                'debtor': self.partner_id.display_name, 'company': self.company_id.name,
                'date': fields.Date.to_string(self.company_id._dunning_today()), 'records': rows,
            }, ensure_ascii=False, indent=2).encode()
        stream = io.StringIO()
        writer = csv.DictWriter(stream, CSV_COLUMNS, delimiter=';')
        writer.writeheader()
        # A spreadsheet would take a text that starts like a formula for one.
        writer.writerows({
            name: f"'{value}" if isinstance(value, str) and value[:1] in ('=', '+', '-', '@') and name != 'reference'
            else value
            for name, value in row.items()} for row in rows)
        return stream.getvalue().encode('utf-8-sig')

    def action_download(self):
        """Download the file."""
        self.ensure_one()
        self.check_access('write')
        self.content = base64.b64encode(self._get_file())
        name = f"{self.partner_id.name or 'debtor'}.{self.file_format}".replace('/', '-')
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/{self._name}/{self.id}/content?download=true&filename={name}',
            'target': 'self',
        }
