"""E-mails of notices: they are put into Odoo's mail queue, which speaks to the mail server."""

from collections import defaultdict

from odoo import api, models
from odoo.tools import email_normalize


class DunningDispatcherMail(models.AbstractModel):
    """The part of the dispatcher that makes e-mails."""

    _name = 'dunning.dispatcher.mail'
    _description = "E-mails of the Dispatcher"

    @api.model
    def _queue_mails(self, notices):
        """Put one mail per notice into Odoo's queue, with the letter (and the invoices) attached.

        Never speaks SMTP itself: a rollback here takes the mail back with it. The
        message is on the notice, so that replies and bounces find it.
        """
        if not notices:
            return
        default_template = self.env.ref('l10n_nl_dunning.mail_template_notice')
        attachments = self._get_mail_attachments(notices)
        values_list = []
        for template, batch in notices.grouped(
            lambda notice: notice.level_id.mail_template_id or default_template
        ).items():
            values_list += self._prepare_mails(template, batch, attachments)
        # sudo: mail.mail belongs to the system; who may send notices was checked at the entrance
        mails = self.env['mail.mail'].sudo().create(values_list)
        recipients = {notice.id: notice.recipient_id for notice in notices}
        # Delivery failures and bounces are written on these rows by the mail module.
        # sudo: as for the mails they are about
        self.env['mail.notification'].sudo().create([
            {
                'mail_message_id': mail.mail_message_id.id,
                'mail_mail_id': mail.id,
                'res_partner_id': recipients[mail.res_id].id,
                'mail_email_address': email_normalize(mail.email_to),  # what a bounce is recognized by
                'notification_type': 'email',
                'notification_status': 'ready',
                'author_id': mail.author_id.id,
            }
            for mail in mails
        ])
        for mail in mails:
            self.env['dunning.notice'].browse(mail.res_id)._recording().write({
                'mail_id': mail.id, 'mail_message_id': mail.mail_message_id.id, 'email_to': mail.email_to})
        # The mail queue looks by itself once an hour; “leaves in a moment” is sooner.
        cron = self.env.ref('mail.ir_cron_mail_scheduler_action', raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger()  # sudo: users may wake the mail queue, not see it

    @api.model
    def _prepare_mails(self, template, notices, attachments):
        """Return the values of the mails of notices that share a template."""
        template = template.sudo()  # sudo: as for any template, its author's rights count
        rendered = self.env['dunning.letter']._render_mails(template, notices)
        subtype = self.env['ir.model.data']._xmlid_to_res_id('mail.mt_comment')
        authors = {notice: notice._get_responsible().partner_id for notice in notices}
        senders = {
            notice: rendered[notice.id].get('email_from') or notice.company_id.email_formatted
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
                'email_to': notice._get_email(),
                'message_type': 'comment',
                'subtype_id': subtype,
                'is_notification': True,
                'auto_delete': template.auto_delete,
                'mail_server_id': template.mail_server_id.id,
                'attachment_ids': [(6, 0, attachments.get(notice.id, []))],
                'reply_to': values.get('reply_to') or replies[notice.id],
            })
        self._refuse_unlawful_mails(notices, values_list)
        return values_list

    @api.model
    def _get_mail_attachments(self, notices):
        """Return ``{notice_id: [attachment_id]}``: the frozen letter and, where the level wants it, the invoices."""
        pdfs = self.env['dunning.letter']._get_frozen_pdfs(notices)
        with_letter = notices.filtered(lambda notice: notice.id in pdfs)
        # A second row, since the file of a field cannot be attached to a mail; the file store keeps one file for both.
        # sudo: attachments of the mail, which belongs to the system
        attachments = self.env['ir.attachment'].sudo().create([
            {
                'name': notice.letter_filename,
                'res_model': 'dunning.notice',
                'res_id': notice.id,
                'company_id': notice.company_id.id,
                'mimetype': 'application/pdf',
                'raw': pdfs[notice.id],
            }
            for notice in with_letter
        ])
        result = defaultdict(list)
        for attachment in attachments:
            result[attachment.res_id].append(attachment.id)
        for notice in notices.filtered('level_id.attach_invoices'):
            for move in notice.live_line_ids.move_id.filtered(lambda move: move.move_type == 'out_invoice'):
                result[notice.id] += self._get_invoice_attachments(move)
        return result

    @api.model
    def _get_invoice_attachments(self, move):
        """Return ids of the PDF of an invoice: the legal one, else a fresh print."""
        move = move.sudo()  # sudo: the invoice's own document, sent to its own debtor
        if move.invoice_pdf_report_id:
            return move.invoice_pdf_report_id.ids
        document = move._get_invoice_legal_documents('pdf', allow_fallback=True)
        if not document:
            return []
        # sudo: as above
        return self.env['ir.attachment'].sudo().create({
            'name': document['filename'],
            'raw': document['content'],
            'mimetype': 'application/pdf',
            'res_model': 'account.move',
            'res_id': move.id,
        }).ids
