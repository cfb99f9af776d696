import io
from collections import OrderedDict

from markupsafe import Markup

from odoo import api, models

REPORT = 'l10n_nl_dunning.report_dunning_letter'


class IrActionsReport(models.Model):
    _inherit = 'ir.actions.report'

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Serve what left as it left, and anything else as a draft."""
        if res_ids and self._get_report(report_ref).report_name == REPORT:
            notices = self.env['dunning.notice'].browse(res_ids)
            pdfs = self.env['dunning.letter']._get_pdfs(notices)
            return OrderedDict(
                (notice.id, {'stream': io.BytesIO(pdfs[notice.id]), 'attachment': None}) for notice in notices)
        return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)


class DunningLetterReport(models.AbstractModel):
    _name = 'report.l10n_nl_dunning.report_dunning_letter'
    _description = "Dunning Letter Report"

    @api.model
    def _get_report_values(self, docids, data=None):
        notices = self.env['dunning.notice'].browse(docids)
        documents = self.env['dunning.letter']._prepare_documents(notices, concept=True)
        # Documents are rendered templates.
        return {'letters': [Markup(document.html) for document in documents]}  # noqa: S704
