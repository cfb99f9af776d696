"""Looking at letters, and the pile that goes to the post."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount
from odoo.tools.pdf import merge_pdf

from ..ladder.dunning_level import MANUAL_CHANNELS
from ..letter.dunning_letter_text import KEY
from ..notice.dunning_notice import MADE_STATES

# Kept that long, for a printer that jammed.
PRINT_PILE_DAYS = 7


class DunningLetter(models.AbstractModel):
    _inherit = 'dunning.letter'

    @api.model
    def _get_pdfs(self, notices):
        """Return ``{notice_id: pdf bytes}`` to look at: what left, or for what did not leave yet a draft."""
        notices.check_access('read')
        notices._check_sees_whole()
        left = notices.filtered(
            lambda notice: notice.state in (*MADE_STATES, 'sent', 'withdrawn') and notice.letter_sha256)
        pdfs = self._get_frozen_pdfs(left)
        for notice in notices - left:
            if notice.channel in MANUAL_CHANNELS:
                raise UserError(self.env._(
                    "%(notice)s is not a letter but a call or a task for a colleague.", notice=notice.display_name))
            if notice.state not in ('draft', 'queued', 'error'):
                raise UserError(self.env._(
                    "%(notice)s did not leave as a letter, so there is none to show.", notice=notice.display_name))
            pdfs[notice.id] = self._preview(lambda notice=notice: notice)
        return pdfs

    @api.model
    def _get_preview_list(self, records):
        """Return the rows beside the preview: ``id``, ``debtor`` and ``detail``, in the order of the records.

        :param records: of a model that has a ``_make_previewed()``
        """
        records.check_access('read')
        channels = dict(records._fields['channel']._description_selection(self.env))
        return [
            {
                'id': record.id,
                'debtor': record.partner_id.display_name,
                'detail': f"{record.level_id.name} · {channels.get(record.channel, '')} · "
                          f"{format_amount(self.env, record.amount_due, record.currency_id)}",
            } for record in records]

    @api.model
    def _get_preview(self, record):
        """Return what would leave: of an e-mail ``email_from``, ``email_to``, ``subject``, ``body`` and
        ``attachments``; of paper ``letter_url``; or ``problem``, a sentence that says why there is nothing to see.
        """
        record.ensure_one()
        record.check_access('read')
        if record.channel in MANUAL_CHANNELS:
            return {'problem': self.env._("This is a call or a task for a colleague; there is no letter to show.")}
        try:
            mail = {} if record.channel == 'letter' else (
                record._get_left_mail() or self._preview_mail(record._make_previewed))
            return {**mail, 'letter_url': record._get_letter_url()}
        except UserError as error:
            return {'problem': str(error)}

    @api.model
    def _send_test(self, record):
        """Send what would leave to the user who asks, as a test: nothing is recorded, and its links have no key.

        :return: the sentence to show
        """
        record.ensure_one()
        record.check_access('write')
        if not self.env.user.email:
            raise UserError(self.env._("You have no e-mail address. Enter it in your preferences first."))
        mail = self._preview_mail(record._make_previewed)
        # sudo: mail.mail belongs to the system; it goes to the user and to nobody else
        self.env['mail.mail'].sudo().create({
            'subject': self.env._("[Test] %s", mail['subject']),
            'body_html': mail['body'],
            'email_from': mail['email_from'],
            'email_to': self.env.user.email_formatted,
            'auto_delete': True,
            'attachment_ids': [Command.create({
                'name': mail['attachments'][0], 'raw': self._preview(record._make_previewed),
                'mimetype': 'application/pdf'})],
        }).send_after_commit()
        return self.env._("A test is on its way to %s.", self.env.user.email)

    @api.model
    def _preview(self, get_notice):
        """Return the PDF of the notice as it would leave today; whatever that writes is undone."""
        return self._look_at(
            get_notice, lambda notice: notice.env['dunning.letter']._render_pdfs(notice, concept=True)[notice.id])

    @api.model
    def _preview_mail(self, get_notice):
        """Return the e-mail of the notice as it would leave today; whatever that writes is undone.

        :return: dict with ``email_from``, ``email_to``, ``subject``, ``body`` and ``attachments``: names, the letter
            first. The links in it have no key: who looks could act as the debtor.
        """
        def look(notice):
            dispatcher = notice.env['dunning.dispatcher']
            template = dispatcher._get_mail_template(notice)
            mails = notice.env['dunning.letter']._prepare_mails(template, notice)
            dispatcher._refuse_unlawful_mails(template, notice, mails)
            invoices = notice.live_line_ids.move_id.filtered(
                lambda move: move.move_type == 'out_invoice') if notice.level_id.attach_invoices else ()
            return {
                'email_from': mails[0]['email_from'], 'subject': mails[0]['subject'],
                'email_to': notice._get_ways(['email'])['email'],
                'body': KEY.sub('', mails[0]['body_html']),
                'attachments': [
                    notice.letter_filename,
                    *(move.invoice_pdf_report_id.name or move._get_invoice_report_filename() for move in invoices)],
            }
        return self._look_at(get_notice, look)

    @api.model
    def _look_at(self, get_notice, look):
        """Return what ``look`` sees of a notice that was prepared to leave today; whatever that writes is undone.

        :raise UserError: with the reason, when it would not leave
        """
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            notice = get_notice()
            notice._check_sees_whole()
            # sudo: nothing of it stays, and the caller may read what the letter says
            notice = notice.sudo()
            notice = notice.with_company(notice.company_id)
            dispatcher = notice.env['dunning.dispatcher']
            at_date = notice.company_id._dunning_today()
            seen, reason = None, ''
            if not dispatcher._refuse_unlawful(dispatcher._recheck(notice, at_date), at_date):
                reason = notice.cancel_reason or notice.error_message or ''
            else:
                dispatcher._prepare_letters(notice, at_date)
                if dispatcher._refuse_unlawful_letters(notice):
                    seen = look(notice)
                else:
                    reason = notice.error_message
            savepoint.rollback()
        self.env.invalidate_all()
        if reason:
            raise UserError(self.env._("Nothing would leave today. %s", reason))
        return seen

    @api.model
    def _action_print_pile(self, notices):
        """Print the letters that wait for the post as one PDF, in the order the post wants them.

        What was paid in the meantime falls out; what changed is made again first.
        """
        notices.check_access('write')
        pile = notices.filtered(
            lambda notice: notice.postal_state in ('to_print', 'printed') and notice.letter_sha256)
        if not pile:
            raise UserError(self.env._(
                "None of the selected notices is a letter that waits for the post."))
        dispatcher = self.env['dunning.dispatcher']
        waiting = pile.filtered(lambda notice: notice.state == 'to_post')
        waiting = waiting.try_lock_for_update()
        for company, batch in waiting.grouped('company_id').items():
            dispatcher.with_company(company)._recheck(batch, company._dunning_today())
        # What changed was put back into the queue: make it again now, for this pile.
        dispatcher._dispatch_interactively(waiting.filtered(lambda notice: notice.state == 'queued'))
        mailed = self._still_open(pile.filtered(lambda notice: notice.state in ('leaving', 'sent')))
        ready = waiting.filtered(lambda notice: notice.state == 'to_post') | mailed
        if not ready:
            problems = "\n".join(dict.fromkeys(filter(None, waiting.mapped('error_message'))))
            raise UserError(problems or self.env._(
                "There is nothing left to print: what these letters ask for was paid or changed in the meantime."))
        ready = ready.sorted(self._get_postal_key)
        pdfs = self._get_frozen_pdfs(ready)
        content = merge_pdf([pdfs[notice.id] for notice in ready])
        ready._recording().write({'postal_state': 'printed'})
        today = self.env.company._dunning_today()
        # No res_id: only who printed it can read it.
        attachment = self.env['ir.attachment'].create({
            'name': self.env._("Letters %(date)s (%(count)s).pdf", date=today, count=len(ready)),
            'res_model': 'dunning.letter',
            'mimetype': 'application/pdf',
            'raw': content,
        })
        return {
            'type': 'ir.actions.act_url',
            'url': f"/web/content/{attachment.id}?download=true",
            'target': 'self',
        }

    @api.model
    def _still_open(self, notices):
        """Return the mailed notices whose letter still says the truth; the paper of the others is not needed."""
        true = notices.filtered(lambda notice: notice.recipient_id in notice._get_people() and all(
            line.move_line_id
            and not notice.currency_id.compare_amounts(
                line.move_line_id.amount_residual_currency, line.amount_residual)
            for line in notice.live_line_ids))
        changed = notices - true
        changed._recording().write({'postal_state': False})
        changed._update_receipt()  # without the paper only the e-mail counts
        text = self.env._(
            "The paper copy was not printed: since the e-mail left, something was paid, credited or changed.")
        changed._message_log_batch(dict.fromkeys(changed.ids, text))
        return true

    @api.model
    def _get_postal_key(self, notice):
        partner = notice._get_postal_partner()
        home = notice.company_id.country_id
        country = partner.country_id or home
        return (
            country != home, country.code or '', (partner.zip or '').replace(' ', '').upper(),
            (partner.street or '').lower(), notice.partner_id.name or '', notice.id)

    @api.autovacuum
    def _gc_print_piles(self):
        """Piles are copies of letters that are kept elsewhere."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=PRINT_PILE_DAYS)
        self.env['ir.attachment'].search([
            ('res_model', '=', 'dunning.letter'), ('res_id', '=', 0), ('create_date', '<', limit)]).unlink()
