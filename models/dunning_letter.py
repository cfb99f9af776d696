"""Making letters: texts, PDF, the print pile."""

import base64

from odoo import api, models
from odoo.exceptions import UserError


class DunningLetter(models.AbstractModel):
    _name = 'dunning.letter'
    _description = "Dunning Letter"

    @api.model
    def _render_texts(self, notices):
        """Return ``{notice_id: {'subject', 'body_intro', 'body_closing'}}`` in the language of each notice."""
        result = {notice.id: {} for notice in notices}
        for (level, lang), batch in notices.grouped(lambda notice: (notice.level_id, notice.lang)).items():
            level = level.with_context(lang=lang)
            for name, field, engine in (
                ('subject', 'subject', 'inline_template'),
                ('body_intro', 'letter_intro', 'qweb'),
                ('body_closing', 'letter_closing', 'qweb'),
            ):
                texts = level._render_template(
                    level[field] or '', 'dunning.notice', batch.ids, engine=engine)
                for notice_id, text in texts.items():
                    result[notice_id][name] = text
        return result

    @api.model
    def _render_pdfs(self, notices):
        """Return ``{notice_id: pdf bytes}``."""
        report = self.env['ir.actions.report']
        return {
            notice.id: report._render_qweb_pdf('l10n_nl_dunning.report_dunning_notice', notice.ids)[0]
            for notice in notices
        }

    @api.model
    def _store_pdf(self, notice, pdf, sha256):
        """Freeze the letter on its notice."""
        notice.write({'letter_file': base64.b64encode(pdf), 'letter_sha256': sha256})

    @api.model
    def _action_preview(self, notice):
        raise UserError(self.env._("Not yet."))

    @api.model
    def _action_print_pile(self, notices):
        raise UserError(self.env._("Not yet."))
