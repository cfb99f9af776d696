"""Texts of levels and of e-mails: rendering them for many notices at once, and refusing broken ones."""

import logging
import re

from lxml import etree, html
from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.mail import email_normalize
from odoo.tools.rendering_tools import parse_inline_template, render_inline_template

from ..debtor.res_partner import one_line
from ..ladder.dunning_level_wording import is_text_empty
from ..ladder.dunning_policy import LETTER_LANGUAGES

_logger = logging.getLogger(__name__)
# Where a line begins, with the empty lines before it.
INDENT = re.compile(r'\n\s+')
# The key in a link, of which the rest may be seen by colleagues.
KEY = re.compile(r'''(?<=access_token=)[^&"'\s<>]+''')
# Between the texts of two notices that were rendered in one go; cannot occur in a text.
SEPARATOR = '\x00next\x00'



class DunningLetterText(models.AbstractModel):
    _name = 'dunning.letter.text'
    _description = "Dunning Letter"

    @api.model
    def _render_texts(self, notices):
        """Return ``{notice_id: {'subject', 'body_intro', 'body_closing'}}`` in the language of each notice."""
        result = {notice.id: {} for notice in notices}
        for (level, lang), batch in notices.grouped(lambda notice: (notice.level_id, notice.lang)).items():
            for name, field in (
                ('subject', 'subject'), ('body_intro', 'letter_intro'), ('body_closing', 'letter_closing'),
            ):
                for notice_id, text in self._render_level_text(level, field, lang, batch).items():
                    result[notice_id][name] = " ".join(text.splitlines()) if name == 'subject' else text
        for notice in notices.filtered('returned_text'):
            result[notice.id]['body_intro'] = self._open_with_returns(notice, result[notice.id]['body_intro'])
        return result

    @api.model
    def _open_with_returns(self, notice, intro):
        """Return how a letter opens about items whose direct debit the bank returned, of which it is the first.

        Friendly words of our own, in place of those of the level. A letter with a role in law, or about other items as
        well, keeps its words after the sentence about the returns.
        """
        returns = notice.live_line_ids.move_line_id._get_dunning_returns()
        if len(notice._get_returned_lines(returns)) == len(notice.live_line_ids) and not notice.level_id.legal_role:
            return notice.with_context(lang=notice.lang).env['ir.qweb']._render(
                'l10n_nl_dunning.letter_returned', {'object': notice.with_context(lang=notice.lang)},
                minimal_qcontext=True).strip()
        sentence = Markup("<p>%s</p>") % notice.returned_text
        first, end, rest = intro.partition(Markup("</p>"))
        if end and str(escape(notice.salutation)) in first:
            return first + end + sentence + rest
        return sentence + intro

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
        return self.env._(
            "The text “%(field)s” of level “%(level)s” (%(policy)s) in %(lang)s cannot be used: %(error)s. "
            "Correct it under Configuration ‣ Policies.",
            field=level._fields[field]._description_string(self.env),
            level=level.name, policy=level.policy_id.name, lang=lang, error=self._get_cause(error))

    @api.model
    def _get_cause(self, error):
        """Return what was wrong with a text, in one line."""
        cause = error.__cause__ or error
        return (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip('.')

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
        if is_text_empty(source):
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
                # sudo: the key to the debtor's page stands in it, and goes to nobody but him
                bodies = self._render_qweb(
                    self._get_text(template, 'body_html', lang), batch.sudo().with_context(lang=lang))
                for notice_id, body in bodies.items():
                    result[notice_id]['body_html'] = local._replace_local_links(self._drop_indents(body))
                for field in ('subject', 'email_from', 'reply_to'):
                    texts = local._render_template(
                        self._get_text(template, field, lang), 'dunning.notice', batch.ids, engine='inline_template')
                    for notice_id, text in texts.items():
                        result[notice_id][field] = text
            except Exception as error:
                _logger.info("E-mail template %s is broken in %s", template.id, lang, exc_info=True)
                raise UserError(self.env._(
                    "The e-mail template “%(template)s” cannot be used in %(lang)s: %(error)s. Correct it, or choose "
                    "another one on the level.",
                    template=template.name, lang=lang, error=self._get_cause(error))) from error
        return result

    @api.model
    def _drop_indents(self, body):
        """Return the HTML of an e-mail without the indents of our templates: a third of it, that nobody sees."""
        return body if '<pre' in body else Markup(INDENT.sub('\n', body.strip()))  # noqa: S704 (it was HTML)

    # -------------------------------------------------------------------------
    # E-MAILS
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_mails(self, template, notices):
        """Return the values of the mails of notices that share a template."""
        template = template.sudo()  # sudo: as for any template, its author's rights count
        rendered = self._render_mails(template, notices)
        authors = {notice: user.partner_id for notice, user in notices._get_responsibles().items()}
        senders = {
            notice: rendered[notice.id].get('email_from') or notice.company_id._get_dunning_sender().email_formatted
            or authors[notice].email_formatted
            for notice in notices}
        # One look-up of aliases for all of them; core would ask for each.
        replies = notices.sudo()._notify_get_reply_to_batch(  # sudo: as core does, who may send was checked
            defaults={notice.id: senders[notice] for notice in notices},
            author_ids={notice.id: authors[notice].id for notice in notices})
        values_list = []
        for notice in notices:
            values = rendered[notice.id]
            body = values['body_html']
            if template.email_layout_xmlid:
                lang_notice = notice.with_context(lang=notice.lang)
                body = template.with_context(lang=notice.lang)._render_encapsulate(
                    template.email_layout_xmlid, body,
                    add_context={'company': notice.company_id, 'model_description': lang_notice.subject},
                    context_record=lang_notice)
            values_list.append({
                'model': 'dunning.notice',
                'res_id': notice.id,
                'record_name': notice.name,
                'subject': values.get('subject') or notice.subject,
                'body': values['body_html'],
                'body_html': body,
                'email_from': senders[notice],
                'author_id': authors[notice].id,
                'auto_delete': template.auto_delete,
                'mail_server_id': template.mail_server_id.id,
                'reply_to': values.get('reply_to') or replies[notice.id],
            })
        return values_list

    @api.model
    def _create_mails(self, values_list, people):
        """Put e-mails into Odoo's queue, as messages on their records: replies and bounces find those.

        Never speaks SMTP itself: a rollback takes the mails back with it. In the history links have no key: with it,
        whoever reads that could act as the debtor.

        :param people: whom each of them goes to
        """
        subtype = self.env['ir.model.data']._xmlid_to_res_id('mail.mt_comment')
        for values in values_list:
            # A name with a line break in it would make a header that no mail can have.
            values.update({
                name: one_line(values[name]) for name in ('subject', 'email_from', 'reply_to', 'email_to')
                if values.get(name)})
        # sudo: mail.mail belongs to the system; who may write to debtors was checked at the entrance
        mails = self.env['mail.mail'].sudo().create([
            {'message_type': 'comment', 'is_notification': True, 'subtype_id': subtype,
             **{name: KEY.sub('', value) if name == 'body' else value for name, value in values.items()}}
            for values in values_list])
        # Delivery failures and bounces are written on these rows by the mail module.
        # sudo: as for the mails they are about
        self.env['mail.notification'].sudo().create([
            {
                'mail_message_id': mail.mail_message_id.id,
                'mail_mail_id': mail.id,
                'res_partner_id': person.id,
                'mail_email_address': email_normalize(mail.email_to),  # what a bounce is recognized by
                'notification_type': 'email',
                'notification_status': 'ready',
                'author_id': mail.author_id.id,
            }
            for mail, person in zip(mails, people, strict=True)
        ])
        return mails

    # -------------------------------------------------------------------------
    # BROKEN TEXTS
    # -------------------------------------------------------------------------

    @api.model
    def _check_level_texts(self, levels):
        """Refuse texts that could not be rendered when the day has come."""
        languages = [code for code, _name in self.env['res.lang'].get_installed()]
        for level in levels:
            for field in ('subject', 'letter_intro', 'letter_closing', 'call_script'):
                translations = level._fields[field]._get_stored_translations(level) or {}
                for lang in filter(translations.get, languages):
                    try:
                        self._render_sample(level, field, lang)
                    except Exception as error:  # whatever a typed expression raises
                        raise ValidationError(self._explain_broken_text(level, field, lang, error)) from error

    @api.model
    def _render_sample(self, level, field, lang):
        """Render a text of a level, to see whether that can be done."""
        sample, source = self._get_sample(level, lang), level.with_context(lang=lang)[field]
        if level._fields[field].type == 'html':
            return self._render_qweb(source, sample)
        return render_inline_template(
            parse_inline_template(source), {**level._render_eval_context(), 'object': sample})

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
