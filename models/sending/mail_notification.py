import re
from collections import defaultdict

from odoo import models

from ..kernel.dunning_recorded import is_recording

# A mail server that refuses an address for good.
REFUSED_ADDRESS = re.compile(r'RecipientsRefused.*\b5\d\d\b', re.DOTALL)


class MailNotification(models.Model):
    _inherit = 'mail.notification'

    def write(self, vals):
        result = super().write(vals)
        if vals.get('notification_status') in ('bounce', 'exception', 'canceled') and not is_recording(self.env):
            # sudo: the mail module is at work
            rows = self.sudo().filtered(lambda row: row.mail_message_id.model in ('account.move', 'dunning.notice'))
            if rows:
                with rows.mail_mail_id._keep_queue_going("what became of mails"):
                    rows._record_dunning_delivery()
        return result

    def _get_dunning_notices(self):
        # sudo: the caller is the mail module at work; notices keep their own rights for everybody else
        return self.env['dunning.notice'].sudo().search([
            ('mail_message_id', 'in', self.mail_message_id.ids), ('state', 'in', ('leaving', 'sent'))])

    def _record_dunning_delivery(self, *, final=False):
        """Record what became of the mails of notices and invoices, from the state that the mail module keeps.

        :param bool final: the mail module is done with them. Before it hands a mail over it writes that it failed
        """
        rows = self.sudo()  # sudo: as above
        self.env['account.move']._record_dunning_mails(rows.mail_message_id, final=final)
        by_message = rows._get_dunning_notices().grouped('mail_message_id')
        kept = rows.mail_mail_id.exists()  # mails that left are often deleted
        found = defaultdict(lambda: self.env['dunning.notice'].sudo())  # sudo: as above
        for row in rows:
            notice, mail = by_message.get(row.mail_message_id), row.mail_mail_id & kept
            outcome = notice and row._get_dunning_outcome(mail, final)
            if outcome:
                found[outcome, row.failure_reason or mail.failure_reason or '', notice.company_id] |= notice
        for (outcome, reason, company), batch in found.items():
            batch = batch.with_company(company).with_context(lang=self.env.user.lang)
            if outcome == 'accepted':
                batch._record_mailed()
            elif outcome == 'refused':
                batch._record_refused(reason)
            elif outcome == 'bounced':
                batch._record_bounced(reason)
            else:
                batch._record_bounced(
                    batch.env._("The e-mail was cancelled before it left."), mark_address=False)

    def _get_dunning_outcome(self, mail, final):
        """Return what became of a mail, or None when that is not known yet.

        :param mail: the ``mail.mail``, empty where it was deleted since it left
        """
        self.ensure_one()
        status = self.notification_status
        if status == 'canceled':
            return status
        if status == 'bounce' or (status == 'exception' and (
            self.failure_type in ('mail_email_invalid', 'mail_email_missing')
            or REFUSED_ADDRESS.search(self.failure_reason or '')
        )):
            return 'bounced'
        if not final:
            return None
        # Core writes that a mail was sent also where the mail server gave no Message-Id, and no error.
        if status == 'sent' and (not mail or mail.state == 'sent'):
            return 'accepted'
        return 'refused' if mail.state == 'exception' else None
