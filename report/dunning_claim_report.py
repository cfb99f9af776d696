import io
from collections import OrderedDict

from markupsafe import Markup

from odoo import api, models
from odoo.tools.pdf import merge_pdf

OF_NOTICE = 'l10n_nl_dunning.report_dunning_specification'
OF_CHOICE = 'l10n_nl_dunning.report_dunning_specification_choice'


class IrActionsReport(models.Model):
    _inherit = 'ir.actions.report'

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Print specifications as the letters: a whole document of its own, with page numbers, nothing fetched."""
        name = self._get_report(report_ref).report_name if res_ids else ''
        if name not in (OF_NOTICE, OF_CHOICE):
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        Claim = self.env['dunning.claim']
        streams = OrderedDict()
        for record in self.env['dunning.notice' if name == OF_NOTICE else 'dunning.specification'].browse(res_ids):
            record.check_access('read')
            if name == OF_NOTICE:
                pdf = Claim._get_specification_pdf(record)
            else:
                pdf = merge_pdf([Claim._print_specification(document) for document in record._prepare_documents()])
            streams[record.id] = {'stream': io.BytesIO(pdf), 'attachment': None}
        return streams


class DunningSpecificationReport(models.AbstractModel):
    _name = 'report.l10n_nl_dunning.report_dunning_specification'
    _description = "Specification of the Claim of a Notice"

    @api.model
    def _get_report_values(self, docids, data=None):
        Claim = self.env['dunning.claim']
        notices = self.env['dunning.notice'].browse(docids)
        documents = [Claim._prepare_notice_document(notice) for notice in notices]
        # Documents are rendered templates.
        return {'documents': [Markup(document.html) for document in documents]}  # noqa: S704


class DunningSpecificationChoiceReport(models.AbstractModel):
    _name = 'report.l10n_nl_dunning.report_dunning_specification_choice'
    _description = "Specification of the Claim"

    @api.model
    def _get_report_values(self, docids, data=None):
        wizards = self.env['dunning.specification'].browse(docids)
        documents = [document for wizard in wizards for document in wizard._prepare_documents()]
        # Documents are rendered templates.
        return {'documents': [Markup(document.html) for document in documents]}  # noqa: S704
