"""Looking at letters, and the pile that goes to the post."""

import base64

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount
from odoo.tools.pdf import merge_pdf

from ..kernel.dunning_recorded import RECORDING
from ..ladder.dunning_level import MANUAL_CHANNELS
from ..ladder.dunning_level_wording import TYPED_TEXTS
from ..ladder.dunning_policy import SHIPPING
from ..letter.dunning_letter_text import KEY
from ..notice.dunning_notice import MADE_STATES

# Kept that long, for a printer that jammed.
PRINT_PILE_DAYS = 7
# Among so many debtors with most overdue one is looked for on whom a text can be tried.
SAMPLE_DEBTORS = 20


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
        self._check_can_get_test()
        return self._send_test_mail(self._preview_mail(record._make_previewed), self._preview(record._make_previewed))

    @api.model
    def _check_can_get_test(self):
        if not self.env.user.email:
            raise UserError(self.env._("You have no e-mail address. Enter it in your preferences first."))

    @api.model
    def _send_test_mail(self, mail, pdf):
        """Send an e-mail (see :meth:`_show_mail`) with its letter to the user. Return the sentence to show."""
        # sudo: mail.mail belongs to the system; it goes to the user and to nobody else
        self.env['mail.mail'].sudo().create({
            'subject': self.env._("[Test] %s", mail['subject']),
            'body_html': mail['body'],
            'email_from': mail['email_from'],
            'email_to': self.env.user.email_formatted,
            'auto_delete': True,
            'attachment_ids': [Command.create({
                'name': mail['attachments'][0], 'raw': pdf, 'mimetype': 'application/pdf'})],
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

        :return: see :meth:`_show_mail`
        """
        def look(notice):
            dispatcher = notice.env['dunning.dispatcher']
            template = dispatcher._get_mail_template(notice)
            [mail] = notice.env['dunning.letter']._prepare_mails(template, notice)
            dispatcher._refuse_unlawful_mails(template, notice, [mail])
            return self._show_mail(notice, mail)
        return self._look_at(get_notice, look)

    @api.model
    def _show_mail(self, notice, mail):
        """Return what is seen of an e-mail.

        :param dict mail: its values, of :meth:`_prepare_mails`
        :return: dict with ``email_from``, ``email_to``, ``subject``, ``body`` and ``attachments``: names, the letter
            first. The links in it have no key: who looks could act as the debtor.
        """
        invoices = notice.live_line_ids.move_id.filtered(
            lambda move: move.move_type == 'out_invoice') if notice.level_id.attach_invoices else ()
        return {
            'email_from': mail['email_from'], 'subject': mail['subject'],
            'email_to': notice._get_ways(['email']).get('email'),
            'body': KEY.sub('', mail['body_html']),
            'attachments': [
                notice.letter_filename,
                *(move.invoice_pdf_report_id.name or move._get_invoice_report_filename() for move in invoices)],
        }

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

    # -------------------------------------------------------------------------
    # TEXTS THAT SOMEBODY WRITES
    # -------------------------------------------------------------------------

    @api.model
    def _look_at_texts(self, level, texts, debtor, lang, look):
        """Return what ``look`` sees of a notice at a level with other texts, about what a debtor owes now.

        Whether it is the turn of this level is not asked. All that is written is undone.

        :param dict texts: ``{field of the level: text}`` in the language of the user
        :param str lang: the language of the notice
        :return: (what was seen, why it could not leave so or an empty string)
        """
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            # What could not be saved is shown as well, with what is wrong. Which expressions a user may write is
            # asked in any case.
            level.with_context(dunning_ladder=SHIPPING).write(
                {name: text for name, text in texts.items() if name in TYPED_TEXTS})
            notice = self._make_sample(level, debtor, lang).sudo()  # sudo: as in _look_at
            notice = notice.with_company(notice.company_id)
            dispatcher = notice.env['dunning.dispatcher']
            dispatcher._prepare_letters(notice, notice.date_planned)
            seen = look(notice)
            problem = '' if dispatcher._refuse_unlawful_letters(notice) else notice.error_message
            savepoint.rollback()
        self.env.invalidate_all()
        return seen, problem

    @api.model
    def _make_sample(self, level, debtor, lang):
        """Make a notice at a level about all that is overdue of a debtor in one currency, to be looked at only.

        :raise UserError: when nothing is
        """
        company = level.company_id or self.env.company
        today = company._dunning_today()
        decisions = [
            decision for decision in self.env['dunning.planner']._plan(company, today, partners=debtor)
            if decision.amount_due > 0 and decision.due_date < today]
        if not decisions:
            raise UserError(self.env._("Nothing of %s is overdue. Choose another debtor.", debtor.display_name))
        Notice = self.env['dunning.notice'].with_company(company).with_context(
            dunning_preview=RECORDING, tracking_disable=True)
        owed_to = Notice._get_companies_of(company, decisions)
        channel = 'email' if level._is_manual() else level.channel
        values = Notice._prepare_from_decisions([
            decision._replace(level_id=level.id, policy_id=level.policy_id.id, channel=channel)
            for decision in decisions if decision.currency_id == decisions[0].currency_id], owed_to)
        # Not beside what was sent or waits at this level: such a line is none to the planner and to the claim.
        values['line_ids'] = [
            Command.create({**line, 'status': 'cancelled'}) for _command, _id, line in values['line_ids']]
        notice = Notice._recording().create(
            {**values, 'state': 'queued', 'origin': 'manual', 'date_planned': today, 'lang': lang})
        notice._update_claim(today)
        notice = notice._forget_hidden(self.env)
        notice._check_sees_whole()
        return notice

    @api.model
    def _get_sample_debtor(self, level):
        """Return the debtor on whom the texts of a level are tried first: of its kind, and with most overdue."""
        company = level.company_id or self.env.company
        groups = self.env['account.move.line']._read_group(
            self.env['account.move.line']._get_dunning_overdue_domain(company, company._dunning_today()),
            ['partner_id'], ['amount_residual:sum'], order='amount_residual:sum DESC', limit=SAMPLE_DEBTORS)
        debtors = self.env['res.partner'].with_company(company).union(
            *(partner.commercial_partner_id for partner, _amount in groups)).filtered('id')
        kind = level.policy_id.debtor_type
        return next((debtor for debtor in debtors if debtor.dunning_effective_type == kind), debtors[:1])

    @api.model
    def _show_texts(self, level, texts, debtor, lang, kind):
        """Return what a debtor would read or hear of a level.

        :param str kind: ``mail``: a dict of :meth:`_show_mail`; ``letter``: ``letter``, the PDF as base64; ``script``:
            ``body``, what is said
        :return: and ``problem``: why it could not leave so
        """
        def look(notice):
            Letter = notice.env['dunning.letter']
            if kind == 'script':
                return {'body': Letter._render_level_text(
                    notice.level_id, 'call_script', lang, notice)[notice.id]}
            if kind == 'letter':
                return {'letter': base64.b64encode(Letter._render_pdfs(notice, concept=True)[notice.id]).decode()}
            template = notice.env['dunning.dispatcher']._get_mail_template(notice)
            return self._show_mail(notice, *Letter._prepare_mails(template, notice))

        seen, problem = self._look_at_texts(level, texts, debtor, lang, look)
        return {**seen, 'problem': problem}

    # -------------------------------------------------------------------------
    # THE PRINT PILE
    # -------------------------------------------------------------------------

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
