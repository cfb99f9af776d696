"""What a debtor would get, looked at before it leaves: the e-mail as it will arrive, or the letter."""

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..ladder.dunning_level import MANUAL_CHANNELS


class DunningPreview(models.AbstractModel):
    """What can be looked at before it leaves.

    Whoever inherits it has ``partner_id``, ``level_id``, ``channel``, ``amount_due`` and ``currency_id``, and says in
    :meth:`_make_previewed` which notice would leave.
    """

    _name = 'dunning.preview'
    _description = "Looked at Before It Leaves"

    def get_dunning_preview_list(self):
        """Return the rows beside the preview: ``id``, ``debtor`` and ``detail``, in the order of the records."""
        self.check_access('read')
        channels = dict(self._fields['channel']._description_selection(self.env))
        return [
            {
                'id': record.id,
                'debtor': record.partner_id.display_name,
                'detail': f"{record.level_id.name} · {channels.get(record.channel, '')} · "
                          f"{format_amount(self.env, record.amount_due, record.currency_id)}",
            } for record in self]

    def get_dunning_preview(self):
        """Return what would leave: of an e-mail ``email_from``, ``email_to``, ``subject``, ``body`` and
        ``attachments``; of paper ``letter_url``; or ``problem``, a sentence that says why there is nothing to see.
        """
        self.ensure_one()
        self.check_access('read')
        if self.channel in MANUAL_CHANNELS:
            return {'problem': self.env._("This is a call or a task for a colleague; there is no letter to show.")}
        try:
            found = self._get_mail_preview() if self.channel != 'letter' else {}
            return {**found, 'letter_url': self._get_letter_url()}
        except UserError as error:
            return {'problem': str(error)}

    def send_dunning_test(self):
        """Send what would leave to the user who asks, as a test: nothing is recorded, and its links have no key.

        :return: the sentence to show
        """
        self.ensure_one()
        self.check_access('write')
        address = self.env.user.email_formatted
        if not self.env.user.email:
            raise UserError(self.env._("You have no e-mail address. Enter it in your preferences first."))
        mail = self._get_mail_preview()
        # sudo: mail.mail belongs to the system; it goes to the user and to nobody else
        self.env['mail.mail'].sudo().create({
            'subject': self.env._("[Test] %s", mail['subject']),
            'body_html': mail['body'],
            'email_from': mail['email_from'],
            'email_to': address,
            'auto_delete': True,
            'attachment_ids': [Command.create({
                'name': mail['attachments'][0], 'raw': self._get_letter_preview(), 'mimetype': 'application/pdf'})],
        }).send_after_commit()
        return self.env._("A test is on its way to %s.", address)

    def _make_previewed(self):
        """Return the notice that would leave; what is made for it is undone. Called within a savepoint."""
        raise NotImplementedError

    def _get_letter_url(self):
        """Return where the PDF can be seen."""
        raise NotImplementedError

    def _get_mail_preview(self):
        return self.env['dunning.letter']._preview_mail(self._make_previewed)

    def _get_letter_preview(self):
        return self.env['dunning.letter']._preview(self._make_previewed)
