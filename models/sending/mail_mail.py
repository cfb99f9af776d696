import logging
from contextlib import contextmanager
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException, SMTPServerDisconnected

import psycopg2

from odoo import fields, models

from ...tools.wording.plain_text import to_plain_text
from ..kernel.formats import in_language_of

_logger = logging.getLogger(__name__)
# Minutes between the tries of a mail that was refused for a while: together some twenty hours.
PAUSES = (5, 15, 60, 180, 360, 600)


class Handovers:
    """What one call of ``_send`` knows of its mails, by Message-Id.

    It travels in the context, since core's own code lies between the places that write and read it; being an object of
    this process, no browser or integration can send one.
    """

    def __init__(self):
        #: what is being handed over
        self.started = set()
        #: ``{Message-Id: reply}`` of what the mail server refused for a while
        self.later = {}
        #: ``{Message-Id: whether it was accepted}`` of what another process began, and was stopped
        self.begun = {}


def _decode(text):
    return text.decode(errors='replace') if isinstance(text, bytes) else str(text)


class MailMail(models.Model):
    _inherit = 'mail.mail'

    def write(self, vals):
        # OVERRIDE: whoever tries a failed mail again has looked whether it left.
        if vals.get('state') == 'outgoing':
            again = self.filtered(lambda mail: (mail.model or '').startswith('dunning.') and mail.state != 'outgoing')
            if again:
                # sudo: notes of the program
                self.env['dunning.handover'].sudo()._forget(again.mapped('message_id'))
                # sudo: who may try a mail again may let its notice leave
                failed = self.env['dunning.notice'].sudo().search([
                    ('mail_id', 'in', again.ids), ('state', '=', 'error')])
                failed._recording().write({'state': 'leaving', 'error_message': False})
        return super().write(vals)

    @contextmanager
    def _keep_queue_going(self, what):
        """Undo and log a fault of ours: it must not stop the mail queue of all applications and companies.

        A mail that has left would leave a second time. What was not recorded is looked at again in the next night.
        Only for mails that concern us: first is written what others left to be written, which may be wrong. What others
        want to do before the commit waits for it.
        """
        self.env.flush_all()  # what is raised here is not ours
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            with savepoint:
                yield
                self.env.flush_all()
        except Exception:
            self.env.clear()
            _logger.exception("Mails %s: failed at %s", self.ids, what)

    def _send(
        self, auto_commit=False, raise_exception=False, smtp_session=None, alias_domain_id=False, mail_server=False,
        post_send_callback=None,
    ):
        # OVERRIDE: only where each mail is committed on its own. Elsewhere a mail may be part of a larger transaction.
        kwargs = {
            'auto_commit': auto_commit, 'raise_exception': raise_exception, 'smtp_session': smtp_session,
            'alias_domain_id': alias_domain_id, 'mail_server': mail_server, 'post_send_callback': post_send_callback}
        if auto_commit is not True:
            return super(MailMail, self - self._hold_back_overtaken())._send(**kwargs)
        # First what has left already: that is not made again.
        settled = self._hold_dunning_mails() or self._settle_dunning_handovers()
        settled |= (self - settled)._hold_back_overtaken()
        if settled and post_send_callback:
            post_send_callback(settled.ids)
        handovers = Handovers()
        if smtp_session:
            self._note_what_is_accepted(smtp_session, handovers)
        try:
            return super(MailMail, (self - settled).with_context(dunning_handovers=handovers))._send(**kwargs)
        except SMTPServerDisconnected:
            # Hung up halfway, or too slow to answer. Odoo leaves a sentence about missing recipients behind.
            for mail in self.exists():
                if mail.message_id in handovers.started and mail.state == 'exception':
                    with mail._keep_queue_going("recording that it is uncertain"):
                        mail._record_uncertain_handover()
            raise

    def _hold_back_overtaken(self):
        """Return the mails that do not leave: what a notice says was overtaken, or nobody of the debtor may read it."""
        waiting = self.filtered(lambda mail: mail.model == 'dunning.notice' and mail.state == 'outgoing')
        held_back = waiting
        if waiting:
            with waiting._keep_queue_going("the last look at notices"):
                # sudo: the mail queue is at work, whoever woke it
                held_back = self.env['dunning.dispatcher'].sudo()._hold_back(waiting)
        for mail in self.filtered(lambda mail: mail.state == 'outgoing' and not mail.recipient_ids):
            # sudo: as above
            record = self.env.get(mail.model or '', self).sudo().browse(mail.res_id)
            if hasattr(record, '_readdress_mail'):
                held_back |= mail
                with mail._keep_queue_going("whom it goes to"):
                    if record.exists() and record._readdress_mail(mail.sudo()):  # sudo: as above
                        held_back -= mail
                    else:
                        mail._record_failure('mail_email_missing', mail._get_dunning_env()._(
                            "The debtor has no e-mail address. Add one to the contact; one of your own does not "
                            "count."))
        return held_back

    def _hold_dunning_mails(self):
        """Return our mails that may have left before a backup was restored: they wait for a person."""
        ours = self.filtered(lambda mail: (mail.model or '').startswith('dunning.'))
        return ours if ours and self.env['dunning.marker']._explain() else self.browse()

    def _get_dunning_handovers(self):
        """Return the :class:`Handovers` of the call of ``_send`` that this is part of, or None."""
        handovers = self.env.context.get('dunning_handovers')
        return handovers if isinstance(handovers, Handovers) else None

    def _postprocess_sent_message(self, success_pids, success_emails, failure_reason=False, failure_type=None):
        # OVERRIDE: what became of a mail is recorded here, whatever handed it over; some are tried again.
        postponed = self.browse()
        ours = self.filtered(lambda mail: (mail.model or '').startswith('dunning.'))
        if ours:
            with ours._keep_queue_going("what is tried again"):
                postponed = ours._postpone(failure_type)
        done = self - postponed
        # sudo: the mail module is at work; afterwards mails that left are gone
        notifications = self.env['mail.notification'].sudo().search([
            ('mail_mail_id', 'in', done.filtered(lambda mail: mail.model in ('dunning.notice', 'account.move')).ids)])
        result = super(MailMail, done)._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type)
        if notifications:
            with self._keep_queue_going("recording what became of them"):
                notifications._record_dunning_delivery(final=True)
        return result

    def _postpone(self, failure_type):
        """Return those of these mails that are tried again, or of which it was known before what became of them."""
        handovers, postponed = self._get_dunning_handovers(), self.browse()
        if handovers:
            handovers.started.difference_update(self.mapped('message_id'))
            for mail in self.filtered(lambda mail: mail.message_id in handovers.begun):
                # Another process had it in hand and was stopped while this one waited for its row.
                postponed |= mail
                mail._settle_dunning_handover(handovers.begun.pop(mail.message_id))
            for mail in (self - postponed).filtered(lambda mail: mail.message_id in handovers.later):
                if mail._try_again_later(handovers.later.pop(mail.message_id)):
                    postponed |= mail
        elif failure_type == 'mail_smtp':
            # There was no mail server to offer them to.
            postponed = self.filtered(lambda mail: mail._try_again_later(mail.failure_reason))
        return postponed

    def _try_again_later(self, reason):
        """Let a mail that certainly did not leave wait in the mail queue; return whether it was not tried too often."""
        self.ensure_one()
        # sudo: notes of the program
        tries = self.env['dunning.handover'].sudo()._refuse(self.message_id)
        if tries > len(PAUSES):
            return False
        moment = fields.Datetime.now() + timedelta(minutes=PAUSES[tries - 1])
        # Past our own `write`: no person decided this, so what is known of it is not forgotten.
        parent = super()
        parent.write({
            'state': 'outgoing', 'scheduled_date': moment, 'failure_type': False,
            'failure_reason': self._get_dunning_env()._(
                "Refused for now, so it is tried again by itself: %s", reason or "")})
        # sudo: the rows of the program's own mail
        notifications = self.env['mail.notification'].sudo().search([
            ('mail_mail_id', '=', self.id), ('notification_status', 'not in', ('sent', 'canceled'))])
        notifications.write({'notification_status': 'ready', 'failure_type': False, 'failure_reason': False})
        # sudo: wakes the mail queue at that moment
        self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger(moment + timedelta(seconds=1))
        return True

    def _note_what_is_accepted(self, session, handovers):
        """Let it be written down first of all what the mail server answered in this SMTP session."""
        send_message = session.send_message
        handover = self.env['dunning.handover'].sudo()  # sudo: notes of the program

        def send_and_note(message, *args, **kwargs):
            message_id = message['Message-Id']
            try:
                refused = send_message(message, *args, **kwargs)
            except (SMTPRecipientsRefused, SMTPResponseException) as error:
                replies = list(error.recipients.values()) if isinstance(error, SMTPRecipientsRefused) else [error.args]
                if message_id in handovers.started and all(400 <= reply[0] < 500 for reply in replies):
                    handovers.later[message_id] = ", ".join(f"{reply[0]} {_decode(reply[1])}" for reply in replies)
                raise
            if message_id in handovers.started:
                handover._accept(message_id)
            return refused

        session.send_message = send_and_note

    def _settle_dunning_handovers(self):
        """Record what is known of mails that wait although they were begun. Return them: they do not leave again."""
        waiting = self.filtered(lambda mail: (mail.model or '').startswith('dunning.') and mail.state == 'outgoing')
        if not waiting:
            return waiting
        # sudo: notes of the program
        started = self.env['dunning.handover'].sudo()._get_started(waiting.mapped('message_id'))
        settled = self.browse()
        for mail in waiting.filtered(lambda mail: mail.message_id in started):
            settled |= mail
            with mail._keep_queue_going("recording that it was begun"):
                # Whoever holds the row is handing the mail over at this moment, and records it himself.
                if mail.try_lock_for_update():
                    mail._settle_dunning_handover(started[mail.message_id])
        return settled

    def _settle_dunning_handover(self, accepted):
        """Record what is known of a mail that another process had begun to hand over."""
        self.ensure_one()
        if not accepted:
            self._record_uncertain_handover()
            return
        _logger.info("Mail %s was accepted before the server stopped; it is not sent again", self.message_id)
        self.write({'state': 'sent', 'failure_type': False, 'failure_reason': False})
        self._postprocess_sent_message(success_pids=[], success_emails=[self.email_to])

    def _get_dunning_env(self):
        """Return the environment for sentences: the mail queue has no language, who reads it works for the company."""
        self.ensure_one()
        company = self.env.company
        if 'company_id' in self.env.get(self.model, company)._fields:
            # sudo: only for its language. A record may be gone, or be of no company
            company = self.env[self.model].browse(self.res_id).sudo().exists().company_id or company
        return in_language_of(self, company).env

    def _record_uncertain_handover(self):
        self.ensure_one()
        env = self._get_dunning_env()
        reason = env._(
            "The connection was lost while this e-mail was handed to the mail server, so it is not certain whether it "
            "left. It does not leave again by itself. Look in the log of the mail server, or ask the debtor: if it did "
            "not arrive, try the e-mail again.")
        self._record_failure('unknown', reason)

    def _record_failure(self, failure_type, reason):
        self.write({'state': 'exception', 'failure_type': failure_type, 'failure_reason': reason})
        self._postprocess_sent_message(
            success_pids=[], success_emails=[], failure_type=failure_type, failure_reason=reason)

    def _prepare_outgoing_list(self, *args, **kwargs):
        # OVERRIDE: the last step before the mail server, after the locks of the mail were taken.
        result = super()._prepare_outgoing_list(*args, **kwargs)
        if (self.model or '').startswith('dunning.'):
            for email in result:
                email['body_alternative'] = to_plain_text(email['body'])
        handovers = self._get_dunning_handovers()
        if handovers and (self.model or '').startswith('dunning.'):
            self.flush_recordset()  # whoever else sends this mail fails here, not afterwards
            try:
                # sudo: notes of the program
                accepted = self.env['dunning.handover'].sudo()._start(self.message_id)
            except psycopg2.Error as error:
                # What could not be written down does not leave for now, and holds up no other mail.
                handovers.later[self.message_id] = str(error)
                return []
            if accepted is not None:
                handovers.begun[self.message_id] = accepted
                return []
            handovers.started.add(self.message_id)
        return result
