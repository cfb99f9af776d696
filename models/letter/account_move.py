from odoo import models


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _get_dunning_documents(self):
        """Return this invoice as core describes documents: as it was sent, or else printed as *Print* does.

        Never a proforma, which is no invoice: a debtor could say that he never got one.
        """
        self.ensure_one()
        documents = self._get_invoice_legal_documents_all()
        if documents:
            return documents
        chosen = self.partner_id.sudo().invoice_template_pdf_report_id  # sudo: which report core takes for a contact
        report = chosen or self.env.ref('account.account_invoices').sudo()  # sudo: as above
        Report = self.env['ir.actions.report'].with_company(self.company_id)
        content, kind = Report._pre_render_qweb_pdf(report.report_name, res_ids=self.ids)
        return [{
            'filename': self._get_invoice_report_filename(report=report),
            'filetype': 'application/pdf',
            'content': Report._get_splitted_report(report.report_name, content, kind)[self.id],
        }]
