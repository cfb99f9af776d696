"""Texts of levels: rendering them for many notices at once, and refusing broken ones."""

import logging
import re

from lxml import etree, html
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.mail import is_html_empty
from odoo.tools.rendering_tools import parse_inline_template, render_inline_template

from ..ladder.dunning_policy import LETTER_LANGUAGES

_logger = logging.getLogger(__name__)
# Where a line begins, with the empty lines before it.
INDENT = re.compile(r'\n\s+')
# Between the texts of two notices that were rendered in one go; cannot occur in a text.
SEPARATOR = '\x00next\x00'


class DunningLetterText(models.AbstractModel):
    _name = 'dunning.letter.text'
    _description = "Letter: Texts of Levels"

    @api.model
    def _render_texts(self, notices):
        """Return ``{notice_id: {'subject', 'body_intro', 'body_closing'}}`` in the language of each notice."""
        result = {notice.id: {} for notice in notices}
        for (level, lang), batch in notices.grouped(lambda notice: (notice.level_id, notice.lang)).items():
            for name, field in (
                ('subject', 'subject'), ('body_intro', 'letter_intro'), ('body_closing', 'letter_closing'),
            ):
                for notice_id, text in self._render_level_text(level, field, lang, batch).items():
                    result[notice_id][name] = text
        return result

    @api.model
    def _render_level_text(self, level, field, lang, notices):
        """Return ``{notice_id: text}`` of one text of a level; say which text it is when it is broken."""
        source = self._get_text(level, field, lang)
        try:
            if level._fields[field].type == 'html':
                return self._render_qweb(source, notices.with_context(lang=lang))
            return level.with_context(lang=lang)._render_template(
                source, 'dunning.notice', notices.ids, engine='inline_template')
        except Exception as error:
            _logger.info("Text %s of level %s is broken in %s", field, level.id, lang, exc_info=True)
            raise UserError(self._explain_broken_text(level, field, lang, error)) from error

    @api.model
    def _explain_broken_text(self, level, field, lang, error):
        cause = error.__cause__ or error
        return self.env._(
            "The text “%(field)s” of level “%(level)s” (%(policy)s) in %(lang)s cannot be used: %(error)s. "
            "Correct it under Configuration ‣ Policies.",
            field=level._fields[field]._description_string(self.env),
            level=level.name, policy=level.policy_id.name, lang=lang,
            error=(str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip('.'))

    @api.model
    def _get_text(self, record, field, lang):
        """Return a text of a level or template in ``lang``, else in the nearest language it was written in.

        The ORM would fall back to English, also for somebody who reads Flemish.
        """
        if lang not in LETTER_LANGUAGES and record._fields[field].translate:
            translations = record._fields[field]._get_stored_translations(record) or {}
            if lang not in translations:
                nearest = [code for code in (*LETTER_LANGUAGES, *translations) if code[:2] == (lang or '')[:2]]
                lang = next((code for code in nearest if code in translations), lang)
        return record.with_context(lang=lang)[field] or ''

    @api.model
    def _render_qweb(self, source, notices):
        """Return ``{notice_id: Markup}`` of a QWeb text in which ``object`` is the notice.

        Compiled once for all of them: compiling costs more than rendering.
        """
        if is_html_empty(source):
            return {notice.id: Markup() for notice in notices}
        # Variables that a text sets must end with its notice, or the next debtor would read them.
        batches = [notices] if not re.search(r'\bt-(set|foreach)=', source) else notices
        result = {}
        for batch in batches:
            loop = etree.Element('t', {'t-foreach': 'dunning_notices', 't-as': 'object'})
            loop.append(html.fragment_fromstring(source, create_parent='t'))
            loop.append(etree.Element('t', {'t-out': 'dunning_separator'}))
            root = etree.Element('t')
            root.append(loop)
            rendered = batch.env['ir.qweb']._render(root, {
                **batch.env['dunning.level']._render_eval_context(),
                'dunning_notices': batch,
                'dunning_separator': SEPARATOR,
            })
            texts = rendered.split(SEPARATOR)
            result.update((notice.id, text.strip()) for notice, text in zip(batch, texts, strict=False))
        return result

    @api.model
    def _render_mails(self, template, notices):
        """Return ``{notice_id: values}`` of a mail template, in the language of each notice.

        As ``mail.template`` does, but each text is compiled once for all notices.
        """
        result = {notice.id: {} for notice in notices}
        for lang, batch in notices.grouped('lang').items():
            local = template.with_context(lang=lang)
            try:
                bodies = self._render_qweb(
                    self._get_text(template, 'body_html', lang), batch.with_context(lang=lang))
                for notice_id, body in bodies.items():
                    result[notice_id]['body_html'] = local._replace_local_links(self._drop_indents(body))
                for field in ('subject', 'email_from', 'reply_to'):
                    texts = local._render_template(
                        self._get_text(template, field, lang), 'dunning.notice', batch.ids, engine='inline_template')
                    for notice_id, text in texts.items():
                        result[notice_id][field] = text
            except Exception as error:
                _logger.info("E-mail template %s is broken in %s", template.id, lang, exc_info=True)
                cause = error.__cause__ or error
                raise UserError(self.env._(
                    "The e-mail template “%(template)s” cannot be used in %(lang)s: %(error)s. Correct it, or choose "
                    "another one on the level.",
                    template=template.name, lang=lang,
                    error=(str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip('.'))) from error
        return result

    @api.model
    def _drop_indents(self, body):
        """Return the HTML of an e-mail without the indents of our templates: a third of it, that nobody sees."""
        return body if '<pre' in body else Markup(INDENT.sub('\n', body.strip()))  # noqa: S704 (it was HTML)

    @api.model
    def _check_level_texts(self, levels):
        """Refuse texts that could not be rendered when the day has come."""
        languages = [code for code, _name in self.env['res.lang'].get_installed()]
        for level in levels:
            for field in ('subject', 'letter_intro', 'letter_closing', 'call_script'):
                translations = level._fields[field]._get_stored_translations(level) or {}
                for lang in languages:
                    if translations.get(lang):
                        self._check_level_text(level, field, lang)

    @api.model
    def _check_level_text(self, level, field, lang):
        sample = self._get_sample(level, lang)
        source = level.with_context(lang=lang)[field]
        try:
            if level._fields[field].type == 'html':
                self._render_qweb(source, sample)
            else:
                self._render_sample_subject(source, sample)
        except Exception as error:
            raise ValidationError(self._explain_broken_text(level, field, lang, error)) from error

    @api.model
    def _render_sample_subject(self, source, sample):
        return render_inline_template(
            parse_inline_template(source),
            {**self.env['dunning.level']._render_eval_context(), 'object': sample})

    @api.model
    def _get_sample(self, level, lang):
        """Return a notice that exists in memory only, to try texts on."""
        company = level.company_id or self.env.company
        today = company._dunning_today()
        return self.env['dunning.notice'].with_context(lang=lang).new({
            'name': "AM0000-00000",
            'company_id': company.id,
            'partner_id': company.partner_id.id,
            'recipient_id': company.partner_id.id,
            'currency_id': company.currency_id.id,
            'level_id': level.id,
            'channel': level.channel,
            'lang': lang,
            'date_planned': today,
            'line_ids': [fields.Command.create({
                'name': "0000/00000", 'invoice_date': today, 'date_maturity': today,
                'amount_original': 100.0, 'amount_residual': 100.0})],
        })
