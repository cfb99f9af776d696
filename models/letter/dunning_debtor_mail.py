"""Writing to a debtor about a record of ours: to whom, in which language, and through the mail queue."""

import base64

import pytz
from markupsafe import Markup

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.tools.mail import email_normalize
from odoo.tools.misc import get_lang

from ...tools.wording import check_typed
from ..debtor.res_partner import one_line

# The picture travels with the e-mail, so that it is seen without asking a server for it.
QR_NAME = 'betaalcode.png'


class DunningDebtorMail(models.AbstractModel):
    """What can be written about to a debtor.

    Whoever inherits it has ``company_id``, ``partner_id`` (the debtor), ``contact_id`` (the person, or empty),
    ``user_id`` (the collector), ``currency_id``, ``move_ids`` and a chatter.
    """

    _name = 'dunning.debtor.mail'
    _description = "Written to a Debtor"

    def _get_recipient(self):
        """Return who is written to: the person it is about, else the contact for reminders, for invoices, the debtor.

        Whoever has no e-mail address that works is passed over; nobody: an empty record.
        """
        self.ensure_one()
        debtor = self.partner_id
        addresses = debtor.address_get(['dunning', 'invoice'])
        ids = [self.contact_id.id, addresses.get('dunning'), addresses.get('invoice'), debtor.id]
        people = self.env['res.partner'].with_company(self.company_id).browse(dict.fromkeys(filter(None, ids)))
        return people.filtered(lambda person: person._is_dunning_person_of(debtor) and person.dunning_email)[:1]

    def _get_mailable(self):
        """Return who gets an e-mail, or an empty record: who has no address, or the company has none to write from."""
        return self.env['res.partner'] if self.company_id._explain_dunning_sender() else self._get_recipient()

    def _readdress_mail(self, mail):
        """Address an e-mail of ours that waited to whoever may read it now; return whether anybody may.

        Whom it was for may work elsewhere since, or have another address.
        """
        self.ensure_one()
        record = self.with_company(self.company_id)
        rows = mail.mail_message_id.notification_ids
        named = record.env['res.partner'].browse(rows.res_partner_id.ids)
        named.invalidate_recordset(['dunning_email'])  # which addresses are ours is asked when it leaves
        person = named.filtered(
            lambda person: person._is_dunning_person_of(record.partner_id) and person.dunning_email)[:1]
        person = person or record._get_recipient()
        address = one_line(person.dunning_email or '')
        if address and address != mail.email_to:
            mail.email_to = address
            rows.write({'res_partner_id': person.id, 'mail_email_address': email_normalize(address)})
            if 'email_to' in record._fields:
                record._recording().email_to = person.dunning_email
        return bool(address)

    def _get_lang(self):
        """Return the language the debtor is written to in."""
        self.ensure_one()
        person = self._get_recipient() or self.partner_id
        lang = person._get_dunning_lang() or self.company_id.partner_id.lang
        return lang if lang in dict(self.env['res.lang'].get_installed()) else get_lang(self.env, 'nl_NL').code

    def _get_salutation(self, person=None):
        """Return “Dear Ms Jansen,” in the language of the debtor."""
        self.ensure_one()
        person = person or self._get_recipient() or self.partner_id
        return self.env['dunning.letter']._get_salutation(person, self._get_lang())

    def _prepare_transfer(self, amount, reference):
        """Return how an amount is paid by bank transfer, as it is printed; ``iban`` is empty without an account."""
        self.ensure_one()
        return self.env['dunning.letter']._prepare_transfer(
            self.company_id, self.move_ids, self.partner_id, self.currency_id, amount, reference)

    def _get_qr_png(self, amount, reference):
        """Return the EPC QR code of an amount as PNG bytes, or None where a bank could not read it."""
        uri = self._prepare_transfer(amount, reference)['qr']
        return base64.b64decode(uri.partition(',')[2]) if uri else None

    def _render_words(self, template):
        """Return (subject, body) of a template, in the language of the debtor."""
        # sudo: as for any template, its author's rights count
        template, lang = self.env.ref(template).sudo(), self._get_lang()
        return [template._render_field(name, self.ids, set_lang=lang)[self.id] for name in ('subject', 'body_html')]

    def _refuse_words(self, template, subject, body, *, written=False):
        """Return why a consumer must not read this, or an empty string.

        :param str template: XML ID of the ``mail.template`` it was made from
        :param bool written: whether a person wrote it instead, in which case the text of the template is not judged
        """
        self.ensure_one()
        if self.partner_id.with_company(self.company_id).dunning_effective_type != 'consumer':
            return ''
        # sudo: as for any template, its author's rights count
        Level, template, lang = self.env['dunning.level'], self.env.ref(template).sudo(), self._get_lang()
        sources = [
            self.env['dunning.letter']._get_text(template, name, lang) for name in ('subject', 'body_html')]
        findings = [] if written else Level._find_written(template, lang)
        findings += check_typed(
            Markup('<p>%s</p>%s') % (subject or '', Markup(body or '')),  # noqa: S704 - only read
            language=lang, known=Level._get_known(self.with_context(lang=lang), *sources))
        if not findings:
            return ''
        sentences = dict.fromkeys(Level._explain_findings(findings))
        return self.env._("What the debtor would read is not lawful:\n%s", "\n".join(f"• {line}" for line in sentences))

    def _send_mail(
        self, template, person, *, texts=None, written=False, files=None, picture=None, author=None,
    ):
        """Hand an e-mail to the mail queue, in the house's own layout; it leaves when the debtor may be written to.

        :param str template: XML ID of the ``mail.template`` with the words, in which ``object`` is this record
        :param person: whom it goes to
        :param texts: (subject, body) that were rendered or written already; None: those of the template
        :param bool written: whether a person wrote them
        :param files: ``ir.attachment`` that go along as they are
        :param bytes picture: PNG that the text shows as ``cid:`` :data:`QR_NAME`
        :param author: ``res.partner`` that it comes from; None for the user, or the collector
        :return: the ``mail.mail``
        :raise UserError: when a consumer would read what somebody typed of money or rates, or when the company has no
            address to write from
        """
        self.ensure_one()
        company, lang = self.company_id, self._get_lang()
        lacks = company._explain_dunning_sender()
        if lacks:
            raise UserError(lacks)
        subject, body = texts or self._render_words(template)
        refusal = self._refuse_words(template, subject, body, written=written)
        if refusal:
            raise UserError(refusal)
        layout = self.env['ir.qweb'].with_context(lang=lang)._render(
            'l10n_nl_dunning.mail_layout', {'subject': subject, 'body': body, 'company': company},
            minimal_qcontext=True)
        # sudo: the picture belongs to the record, which the user may write
        image = self.env['ir.attachment'].sudo().create({
            'name': QR_NAME, 'raw': picture, 'mimetype': 'image/png', 'res_model': self._name, 'res_id': self.id,
        }) if picture else self.env['ir.attachment']
        author = author or (self.user_id if self.env.user._is_superuser() else self.env.user).partner_id
        until = company._get_dunning_quiet_until(self.partner_id.country_id.code)
        attachments = (files or self.env['ir.attachment']) | image
        return self.env['dunning.letter']._create_mails([{
            'model': self._name,
            'res_id': self.id,
            'record_name': self.display_name,
            'subject': subject,
            # In the history the picture is that of the attachment.
            'body': body.replace(f'cid:{QR_NAME}', f'/web/image/{image.id}'),
            'body_html': layout,
            'email_from': company._get_dunning_sender().email_formatted,
            'author_id': author.id,
            'email_to': person.with_company(company).dunning_email,
            'attachment_ids': [Command.link(attachment.id) for attachment in attachments],
            'scheduled_date': until and company._get_dunning_tz().localize(until).astimezone(
                pytz.utc).replace(tzinfo=None),
        }], [person])
