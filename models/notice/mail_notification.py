import logging
import re
from collections import defaultdict

from odoo import models

_logger = logging.getLogger(__name__)
# A mail server that refuses an address for good.
REFUSED_FOR_GOOD = re.compile(r'RecipientsRefused.*\b5\d\d\b|\b55[013]\b', re.DOTALL)


class MailNotification(models.Model):
    _inherit = 'mail.notification'

    def write(self, vals):
        result = super().write(vals)
        if vals.get('notification_status') in ('sent', 'bounce', 'exception', 'canceled'):
            notices = self._get_dunning_notices()
            try:
                if notices:
                    with self.env.cr.savepoint():
                        self._record_dunning_delivery(notices)
            except Exception:
                # The mail has left: an error now would send it twice. The next night looks again.
                _logger.exception("The delivery of notices %s could not be recorded", notices.ids)
        return result

    def _get_dunning_notices(self):
        # sudo: the caller is the mail module at work; notices keep their own rights for everybody else
        return self.env['dunning.notice'].sudo().search([
            ('mail_message_id', 'in', self.mail_message_id.ids), ('state', '=', 'sent')])

    def _record_dunning_delivery(self, notices):
        """Record what became of the mails of notices, from the state that the mail module keeps."""
        found = defaultdict(lambda: self.env['dunning.notice'])
        by_message = notices.grouped('mail_message_id')
        kept = set(self.sudo().mail_mail_id.exists().ids)  # sudo: as above; mails that left are often deleted
        for notification in self.sudo():  # sudo: as above
            notice = by_message.get(notification.mail_message_id)
            if not notice:
                continue
            status, reason = notification.notification_status, notification.failure_reason or ''
            mail = notification.mail_mail_id
            if status == 'sent' and (mail.id not in kept or mail.state == 'sent'):
                found['sent', ''] |= notice
            elif status == 'bounce' or (status == 'exception' and (
                notification.failure_type in ('mail_email_invalid', 'mail_email_missing')
                or REFUSED_FOR_GOOD.search(reason)
            )):
                found['bounced', reason] |= notice
            elif status == 'canceled':
                found['canceled', ''] |= notice
        for (outcome, reason), batch in found.items():
            batch = batch.with_context(lang=self.env.user.lang)
            if outcome == 'sent':
                batch._record_mailed()
            elif outcome == 'bounced':
                batch._record_bounced(reason)
            else:
                batch._record_bounced(
                    batch.env._("The e-mail was cancelled before it left."), mark_address=False)
