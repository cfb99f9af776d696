"""The dispatcher: recheck, render, deliver, record. Only then the level rises."""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import email_normalize

from ..ladder.dunning_level import MANUAL_CHANNELS

_logger = logging.getLogger(__name__)


@dataclass
class Dispatch:
    """Notices of one company that leave on one day, as the steps hand them on.

    :param notices: what goes on
    :param handed: what a person took over
    :param decisions: of the planner by item; None where it is to be asked again
    :param gate_open: the planner was asked already, and none of these items has to wait
    :param emails: ``{notice id: the address it is mailed to}``, empty where there is none
    :param pdfs: ``{notice id: the letter}``
    """

    company: models.Model
    at_date: date
    notices: models.Model
    handed: models.Model = field(init=False)
    decisions: dict | None = None
    gate_open: bool = False
    emails: dict | None = None
    pdfs: dict | None = None

    def __post_init__(self):
        self.handed = self.notices.browse()


class DunningDispatcher(models.AbstractModel):
    _name = 'dunning.dispatcher'
    _inherit = ['dunning.dispatcher.gates', 'dunning.dispatcher.law']
    _description = "Dunning Dispatcher"

    # -------------------------------------------------------------------------
    # ENTRANCES
    # -------------------------------------------------------------------------

    @api.model
    def _dispatch_interactively(self, notices):
        """Dispatch queued notices in a user's request; one bad notice does not stop the others."""
        queued = notices.filtered(lambda notice: notice.state == 'queued').try_lock_for_update()
        # Nobody else may be writing to the same debtor at this moment: what he is told then stays in the queue.
        queued = self.env['dunning.run']._lock_debtors(queued)
        # The first to one addressee leaves, the others wait a day.
        for notice in self._in_turn(queued, self.env.company._dunning_today()):
            self._dispatch_one(notice)
        self.env['dunning.run']._renew_debtors(queued)

    @api.model
    def _dispatch_one(self, notice):
        """Dispatch one notice; a failure takes it out of the queue with a readable message."""
        try:
            with self.env.cr.savepoint():
                self._dispatch(notice)
        except OperationalError:
            raise  # another transaction was first, or the database is away: it stays in the queue
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one notice, the others go on
            self._mark_failed(notice, error)

    @api.model
    def _mark_failed(self, notice, error):
        if isinstance(error, UserError | ValidationError):
            message = str(error)
        else:
            _logger.exception("Notice %s could not be sent", notice.id, exc_info=error)
            message = self.env._(
                "Something went wrong while making or sending this notice, so it did not leave. Try it again; "
                "if it fails again, show your administrator this: %(error)s",
                error=f"{type(error).__name__}: {error}")
        notice._mark_failed(message)

    # -------------------------------------------------------------------------
    # THE WAY OF A NOTICE
    # -------------------------------------------------------------------------

    @api.model
    def _dispatch(self, notices):
        """Let queued notices go. The caller holds their locks.

        :return: the notices that left or now wait for a person or the post
        """
        gone = self.env['dunning.notice']
        for company, batch in notices.grouped('company_id').items():
            dispatcher = self.with_company(company)
            dispatch = Dispatch(
                dispatcher.env.company, company._dunning_today(),
                batch.with_company(company).with_env(dispatcher.env))
            for step in dispatcher._get_dispatch_steps():
                if dispatch.notices:
                    step(dispatch)
            gone |= dispatch.handed | dispatch.notices
        gone._take_snapshots('left_data')  # to show what changed since it was proposed
        return gone

    @api.model
    def _get_dispatch_steps(self):
        """Return what is done with notices of one company that leave, in order.

        Each step is called with the :class:`Dispatch` as long as a notice is left in it; it takes out what does not go
        on, and that is what writes on those why.
        """
        return [
            self._ask_planner,
            self._take_off_settled,
            # The gates: what has to wait stays in the queue.
            self._wait_for_planner,
            self._wait_for_turn,
            self._wait_for_morning,
            self._stop_unlawful,
            self._send_back_unapproved,  # the last look before a letter is made, when its amounts are known
            self._hand_to_person,
            self._stop_unreachable,
            self._make_letters,
            self._deliver,
        ]

    @api.model
    def _take_off_settled(self, dispatch):
        """Step: take off what is no longer owed; see :meth:`_recheck`."""
        dispatch.notices = self._recheck(dispatch.notices, dispatch.at_date, decisions=dispatch.decisions)

    @api.model
    def _stop_unlawful(self, dispatch):
        """Step: the law guard; see :meth:`_refuse_unlawful`."""
        dispatch.notices = self._refuse_unlawful(dispatch.notices, dispatch.at_date)

    @api.model
    def _stop_unreachable(self, dispatch):
        """Step: fail the notices whose own channel reaches neither the recipient nor the debtor.

        Somebody gets a to-do about each debtor.
        """
        emails = dispatch.emails = {notice.id: notice._get_email() for notice in dispatch.notices}
        unreachable = dispatch.notices.filtered(lambda notice: not (
            (notice.channel in ('email', 'both') and emails[notice.id])
            or (notice.channel in ('letter', 'both') and notice._has_postal_address())))
        for notice in unreachable:
            notice._mark_failed(self.env._("%s Then try again.", notice._explain_unreachable()))
        for company, batch in unreachable.grouped('company_id').items():
            self.env['res.partner'].with_company(company)._flag_unreachable(company, {
                notice.partner_id.id: lambda env, notice=notice: notice.with_env(env)._explain_unreachable()
                for notice in batch})
        dispatch.notices -= unreachable

    @api.model
    def _recheck(self, notices, at_date, *, decisions=None):
        """Take off what is no longer owed and cancel what is left empty.

        :param dict decisions: what ``_judge`` says, when it was asked already
        :return: the notices that still have something to say
        """
        if decisions is None:
            decisions = self._judge(notices, at_date)
        owed = self.env['dunning.notice']
        for company, batch in notices.grouped('company_id').items():
            for notice in batch:
                if self._recheck_one(notice, decisions, company):
                    owed |= notice
        owed = notices & owed
        # Interest runs on: what was worked out for a proposal is of that day. A letter on the pile is of its own day.
        pile = owed.filtered(lambda notice: notice.state == 'to_post')
        (owed - pile)._update_claim(at_date)
        # A letter on the pile may have been overtaken by a payment, by evidence or by a setting.
        for company, letters in pile.grouped('company_id').items():
            owed -= self.with_company(company)._recheck_pile(letters.with_company(company), at_date)
        # Addresses may have come, gone or bounced since it was planned.
        owed._reroute()
        return owed

    @api.model
    def _recheck_one(self, notice, decisions, company):
        """Refresh the items of one notice from the planner's answers. Return whether anything is still owed."""
        Planner = self.env['dunning.planner']
        currency, reasons, changed = notice.currency_id, [], False
        for line in notice.live_line_ids:
            decision = decisions.get(line.move_line_id.id)
            if decision is None:
                code, text = 'gone', self.env._("The item does not exist any more.")
            elif (decision.partner_id, decision.currency_id) != (notice.partner_id.id, currency.id):
                code, text = 'changed', self.env._("The invoice is for another debtor or in another currency now.")
            else:
                code, text = decision.reason, decision.reason and Planner._explain(decision, company)
            if code:
                line._recording().write({'drop_reason': code, 'drop_text': text})
                reasons.append(text)
                continue
            if (
                currency.compare_amounts(line.amount_residual, decision.amount_residual)
                or currency.compare_amounts(line.amount_netted, decision.amount_netted)
                or currency.compare_amounts(line.amount_held, decision.amount_held)
                or line.date_maturity != decision.due_date
            ):
                changed = True
                line._recording().write({
                    'amount_residual': decision.amount_residual,
                    'amount_netted': decision.amount_netted,
                    'amount_held': decision.amount_held,
                    'amount_due_company': decision.amount_company,
                    'date_maturity': decision.due_date,
                })
        if not notice.line_count or currency.compare_amounts(notice.amount_principal, 0) <= 0:
            notice._cancel(" ".join(dict.fromkeys(reasons)) or self.env._("Nothing is owed any more."))
            return False
        if reasons:
            # Each item was judged at its own step; of what is left the highest is what the notice says.
            notice._settle_level()
        if notice.state == 'to_post' and (changed or reasons):
            # The letter on the pile says something that is not true any more: make it again.
            notice._recording().write({'state': 'queued', 'postal_state': False})
        return True

    @api.model
    def _hand_to_person(self, dispatch):
        """Step: a call or an internal task waits for a person, and the planner waits with it."""
        manual = dispatch.notices.filtered(lambda notice: notice.channel in MANUAL_CHANNELS)
        if not manual:
            return
        manual._recording().line_ids._freeze_snapshot()
        for notice in manual:
            notice._recording().write({
                'state': 'todo', 'date': dispatch.at_date, 'deadline': False, 'error_message': False,
                'legal_role': notice.level_id.legal_role})
        self._schedule_activities(manual, dispatch.at_date)
        dispatch.handed |= manual
        dispatch.notices -= manual

    @api.model
    def _make_letters(self, dispatch):
        """Step: fix date, term, texts and PDF; what would be an unlawful letter fails."""
        self._prepare_letters(dispatch.notices, dispatch.at_date)
        dispatch.notices = self._refuse_unlawful_letters(dispatch.notices)
        if dispatch.notices:
            Letter = self.env['dunning.letter']
            dispatch.pdfs = Letter._render_pdfs(dispatch.notices)
            Letter._store_pdfs(dispatch.notices, dispatch.pdfs)

    @api.model
    def _prepare_letters(self, notices, at_date):
        """Write on the notices what their letters say."""
        notices._recording().live_line_ids._freeze_snapshot()
        for (level, term), batch in notices.grouped(
            lambda notice: (notice.level_id, notice._get_term_days())
        ).items():
            batch._recording().write({
                'date': at_date,
                'deadline': at_date + timedelta(days=term),
                'legal_role': level.legal_role,
            })
            if level.legal_role == 'fourteen_day':
                for notice in batch:
                    notice._recording().deadline = notice._estimate_deadline(at_date)
        texts = self.env['dunning.letter']._render_texts(notices)
        for notice in notices:
            notice._recording().write(texts[notice.id])

    @api.model
    def _deliver(self, dispatch):
        """Step: hand the documents to the mail queue or to the post."""
        by_mail = dispatch.notices.filtered(
            lambda notice: notice.channel in ('email', 'both') and dispatch.emails[notice.id])
        by_post = dispatch.notices.filtered(
            lambda notice: notice.channel == 'letter' or (notice.channel == 'both' and notice._has_postal_address()))
        self._queue_mails(by_mail, dispatch.emails, dispatch.pdfs)
        if by_post:
            by_post._recording().write({'postal_state': 'to_print'})
        if by_post - by_mail:
            (by_post - by_mail)._recording().write({'state': 'to_post', 'error_message': False})
        by_mail._record_sent(dispatch.at_date)
        # A letter plans its activity when it is posted.
        self._schedule_activities(by_mail, dispatch.at_date)

    @api.model
    def _schedule_activities(self, notices, at_date):
        """Plan the activity of the level, for its user or else whoever decided about the notice."""
        for level, batch in notices.grouped('level_id').items():
            activity_type = level.activity_type_id
            if not activity_type and batch[0].channel == 'phone':
                activity_type = self.env.ref('mail.mail_activity_data_call', raise_if_not_found=False)
            if not activity_type and batch[0].channel == 'task':
                activity_type = self.env.ref('mail.mail_activity_data_todo', raise_if_not_found=False)
            if not activity_type:
                continue
            responsibles = batch._get_responsibles()
            named = level.activity_user_id
            by_user = defaultdict(lambda: self.env['dunning.notice'])
            for notice in batch:
                by_user[named if notice.company_id._is_dunning_colleague(named) else responsibles[notice]] |= notice
            for user, group in by_user.items():
                if not user:
                    continue  # the list “To do” shows the notice
                level_of_user = level.with_context(lang=user.lang)
                group.with_context(mail_activity_quick_update=True).activity_schedule(
                    activity_type_id=activity_type.id, date_deadline=at_date, user_id=user.id,
                    summary=level_of_user.activity_summary or level_of_user.name, automated=True)

    # -------------------------------------------------------------------------
    # E-MAIL
    # -------------------------------------------------------------------------

    @api.model
    def _queue_mails(self, notices, emails, pdfs):
        """Put one mail per notice into Odoo's queue, with the letter (and the invoices) attached.

        Never speaks SMTP itself: a rollback here takes the mail back with it. The
        message is on the notice, so that replies and bounces find it.

        :param dict emails: the address of each notice, by its id
        :param dict pdfs: the letter of each notice, by its id
        """
        if not notices:
            return
        default_template = self.env.ref('l10n_nl_dunning.mail_template_notice')
        attachments = self._get_mail_attachments(notices, pdfs)
        values_list = []
        for template, batch in notices.grouped(
            lambda notice: notice.level_id.mail_template_id or default_template
        ).items():
            values_list += self._prepare_mails(template, batch, emails, attachments)
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
    def _prepare_mails(self, template, notices, emails, attachments):
        """Return the values of the mails of notices that share a template."""
        template = template.sudo()  # sudo: as for any template, its author's rights count
        rendered = self.env['dunning.letter']._render_mails(template, notices)
        subtype = self.env['ir.model.data']._xmlid_to_res_id('mail.mt_comment')
        authors = {notice: user.partner_id for notice, user in notices._get_responsibles().items()}
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
                'email_to': emails[notice.id],
                'message_type': 'comment',
                'subtype_id': subtype,
                'is_notification': True,
                'auto_delete': template.auto_delete,
                'mail_server_id': template.mail_server_id.id,
                'attachment_ids': [(6, 0, attachments.get(notice.id, []))],
                'reply_to': values.get('reply_to') or replies[notice.id],
            })
        self._refuse_unlawful_mails(template, notices, values_list)
        return values_list

    @api.model
    def _get_mail_attachments(self, notices, pdfs):
        """Return ``{notice_id: [attachment_id]}``: the frozen letter and, where the level wants it, the invoices."""
        # A second row, since the file of a field cannot be attached to a mail; the file store keeps one file for both.
        # sudo: attachments of the mail, which belongs to the system
        attachments = notices._recording().env['ir.attachment'].sudo().create([
            {
                'name': notice.letter_filename,
                'res_model': 'dunning.notice',
                'res_id': notice.id,
                'company_id': notice.company_id.id,
                'mimetype': 'application/pdf',
                'raw': pdfs[notice.id],
            }
            for notice in notices if notice.id in pdfs
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
