from odoo import models

from .dunning_debtor_mail import QR_NAME


class IrMailServer(models.Model):
    _inherit = 'ir.mail_server'

    def _build_email__(self, email_from, email_to, subject, body, *args, **kwargs):
        # OVERRIDE: core attaches pictures; one that the text shows (“cid:name”) needs its name as Content-ID.
        message = super()._build_email__(email_from, email_to, subject, body, *args, **kwargs)
        if f'cid:{QR_NAME}' in (body or ''):
            for part in message.iter_attachments():
                if part.get_filename() == QR_NAME and 'Content-ID' not in part:
                    part['Content-ID'] = f'<{QR_NAME}>'
                    part.replace_header('Content-Disposition', f'inline; filename="{QR_NAME}"')
        return message
