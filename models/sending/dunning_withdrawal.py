"""Withdrawal: what a notice asked and was not owed when it left is taken back, counted and corrected.

A payment or credit note can be booked after a notice left and be dated before it. What it settled was not owed when
the notice left. That is found out when it is reconciled and once more every day, written on the lines
(``wrong_amount``) and proposed as a :class:`DunningWithdrawal`: one e-mail to the debtor, that a person sends. Until
somebody decides about the proposal it follows the books: whoever matched a payment by mistake and undoes that,
withdrew nothing.

Only the withdrawal takes the level back. It freezes what was wrong; the notice stays as the proof of what was asked.
"""

from datetime import timedelta

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_amount, format_date, html_sanitize
from odoo.tools.mail import is_html_empty

from ..kernel.formats import in_language_of, letter_amount

# How far back the daily step looks for what was booked late.
LOOK_BACK_DAYS = 400
TEMPLATE = 'l10n_nl_dunning.mail_template_withdrawal'


class DunningWithdrawal(models.Model):
    """A correction to a debtor: what notices asked and was not owed when they left."""

    _name = 'dunning.withdrawal'
    _inherit = ['dunning.recorded', 'dunning.debtor.mail', 'mail.thread', 'mail.activity.mixin']
    _description = "Dunning Withdrawal"
    _order = 'id desc'
    _check_company_auto = True
    _mail_post_access = 'read'
    _recorded_with = 'notice'
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True, 'mail_notrack': True}
    _user_writable = frozenset({'preview_subject', 'preview_body', 'credit_bookings'})
    _frozen_files = {'letter_file': None}

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, index=True)
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, readonly=True, index=True, ondelete='restrict')
    state = fields.Selection(
        selection=[
            ('proposed', "Proposed"),
            ('sent', "Sent"),
            ('silent', "Without a Message"),
            ('cancelled', "Cancelled"),
        ],
        default='proposed', required=True, readonly=True, copy=False, index=True)
    line_ids = fields.Many2many(
        comodel_name='dunning.notice.line', relation='dunning_withdrawal_line_rel', column1='withdrawal_id',
        column2='line_id', string="Items Not Owed", readonly=True, copy=False)
    notice_ids = fields.Many2many(comodel_name='dunning.notice', string="Notices", compute='_compute_notice_ids')
    notice_id = fields.Many2one(
        comodel_name='dunning.notice', string="Last Notice", compute='_compute_notice_id', store=True, precompute=True,
        index='btree_not_null', ondelete='restrict',
        help="The last of the notices; the message goes to its addressee.")
    contact_id = fields.Many2one(related='notice_id.recipient_id', string="Addressed To")
    lang = fields.Char(related='notice_id.lang', string="Language")
    amount_wrong = fields.Monetary(string="Not Owed", compute='_compute_amount_wrong', store=True)
    is_whole = fields.Boolean(
        string="Nothing Was Owed", compute='_compute_whole', help="Nothing of these items was owed.")
    is_all = fields.Boolean(
        string="Everything Is Taken Back", compute='_compute_whole', help="Nothing that these notices asked was owed.")
    is_credited = fields.Boolean(
        string="Credited, Not Paid", compute='_compute_whole', help="Only credit notes settled it, and no payment.")
    amount_extras = fields.Monetary(
        string="Interest and Costs Asked", compute='_compute_extras', compute_sudo=True,
        help="What these notices asked in interest and collection costs for the items that were not owed.")
    amount_booked = fields.Monetary(
        string="Of That in the Books, Open", compute='_compute_extras', compute_sudo=True)
    amount_booked_paid = fields.Monetary(
        string="Of That Paid by the Debtor", compute='_compute_extras', compute_sudo=True)
    credit_bookings = fields.Boolean(
        string="Credit Interest and Costs",
        help="Credit what was booked as interest and collection costs of the notices that are withdrawn entirely.")
    decided_by_id = fields.Many2one(comodel_name='res.users', readonly=True, copy=False)
    decided_on = fields.Datetime(readonly=True, copy=False)
    date = fields.Date(readonly=True, copy=False, help="Date of the message.")
    cancel_reason = fields.Char(readonly=True, copy=False)
    subject = fields.Char(readonly=True, copy=False)
    body = fields.Html(readonly=True, copy=False, sanitize=False)
    email_to = fields.Char(string="E-mailed To", readonly=True, copy=False)
    # Of before corrections were e-mails only; it stays as the proof of what was posted.
    letter_file = fields.Binary(string="Letter", attachment=True, readonly=True, copy=False)
    # What a person wrote holds for what was open when it was written.
    open_then = fields.Monetary(readonly=True, copy=False)
    preview_subject = fields.Char(string="Proposed Subject", compute='_compute_preview', inverse='_inverse_preview')
    preview_body = fields.Html(
        string="Proposed Message", compute='_compute_preview', inverse='_inverse_preview', sanitize=False,
        help="Change it where needed; what is emptied becomes the proposed text again.")

    # Words for the text, in the language of the notice.
    salutation = fields.Char(compute='_compute_words')
    greeting = fields.Char(compute='_compute_words')
    notices_text = fields.Char(
        string="What Is Taken Back", compute='_compute_words', help="As in “our reminder of 3 November 2026”.")
    invoices_text = fields.Char(
        string="Invoices in Words", compute='_compute_words', help="The numbers of the invoices.")
    amount_text = fields.Char(string="Amount", compute='_compute_words', help="What was asked and not owed.")
    open_text = fields.Char(
        string="Amount Still Open", compute='_compute_words',
        help="What is still open of these invoices today; empty when nothing is.")
    contact_text = fields.Char(string="Our Contact", compute='_compute_words')
    invoice_count = fields.Integer(string="How Many Invoices", compute='_compute_words')

    _one_proposed = models.UniqueIndex(
        "(company_id, partner_id, currency_id) WHERE state = 'proposed'",
        "A withdrawal was proposed for this debtor already.",
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('partner_id', 'amount_wrong')
    def _compute_display_name(self):
        for withdrawal in self:
            withdrawal.display_name = self.env._(
                "%(debtor)s: %(amount)s not owed", debtor=withdrawal.partner_id.name or '',
                amount=format_amount(self.env, withdrawal.amount_wrong, withdrawal.currency_id))

    @api.depends('line_ids')
    def _compute_notice_ids(self):
        for withdrawal in self:
            withdrawal.notice_ids = withdrawal.line_ids.notice_id.sorted(lambda notice: (notice.date, notice.id))

    @api.depends('line_ids')
    def _compute_notice_id(self):
        for withdrawal in self:
            withdrawal.notice_id = withdrawal.notice_ids[-1:]._origin  # also while the record is being made

    @api.depends('line_ids.wrong_amount')
    def _compute_amount_wrong(self):
        for withdrawal in self:
            withdrawal.amount_wrong = sum(withdrawal.line_ids.mapped('wrong_amount'))

    @api.depends('line_ids.wrong_amount')
    def _compute_whole(self):
        for withdrawal in self:
            lines = withdrawal.line_ids
            withdrawal.is_whole = bool(lines) and all(line._is_wholly_wrong() for line in lines)
            withdrawal.is_all = withdrawal.is_whole and withdrawal.notice_ids == withdrawal._get_notices_to_withdraw()
            withdrawal.is_credited = bool(lines) and all(lines.mapped('wrong_credited'))

    @api.depends('line_ids.wrong_amount')
    def _compute_extras(self):
        """Interest and costs that fall with the items; what of it was booked, and what the debtor paid of that."""
        for withdrawal in self:
            withdrawal.amount_extras = sum(
                line.amount_interest + line.amount_costs for line in withdrawal.line_ids)
            bookings = withdrawal.notice_ids.booking_ids.filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted')
            withdrawal.amount_booked = sum(bookings.mapped('amount_residual'))
            credited = sum(withdrawal.notice_ids.booking_ids.filtered(
                lambda move: move.move_type == 'out_refund' and move.state == 'posted').mapped('amount_total'))
            withdrawal.amount_booked_paid = max(
                0.0, sum(bookings.mapped('amount_total')) - withdrawal.amount_booked - credited)

    @api.depends('line_ids.wrong_amount', 'line_ids.move_line_id.amount_residual_currency')
    def _compute_words(self):
        for withdrawal in self:
            notice, lang = withdrawal.notice_id, withdrawal.lang
            lines, currency = withdrawal.line_ids, withdrawal.currency_id
            names = list(dict.fromkeys(line.name or line.move_id.name or '' for line in lines))
            still_open = withdrawal._get_open()
            told = sum(line.withdrawn_amount for line in lines) if withdrawal.state == 'proposed' else 0.0
            withdrawal.salutation = notice and notice._get_salutation()
            withdrawal.greeting = notice.greeting
            withdrawal.notices_text = notice and notice._tell_history(withdrawal.notice_ids)
            withdrawal.invoices_text = notice and notice._join_words(notice.with_context(lang=lang).env, names)
            withdrawal.invoice_count = len(names)
            withdrawal.amount_text = letter_amount(self.env, withdrawal.amount_wrong - told, currency, lang)
            withdrawal.open_text = letter_amount(self.env, still_open, currency, lang) if still_open else ''
            withdrawal.contact_text = withdrawal.company_id._get_dunning_contact_text()

    @api.depends('line_ids.wrong_amount', 'subject', 'body')
    def _compute_preview(self):
        texts = self._get_texts()
        for withdrawal in self:
            withdrawal.preview_subject, withdrawal.preview_body = texts.get(withdrawal._origin.id, (False, False))

    def _inverse_preview(self):
        for withdrawal in self._recording():
            refusal = withdrawal._refuse_words(
                TEMPLATE, withdrawal.preview_subject, withdrawal.preview_body, written=True)
            if refusal:
                raise ValidationError(refusal)
            withdrawal.write({
                'subject': withdrawal.preview_subject, 'body': html_sanitize(withdrawal.preview_body),
                'open_then': withdrawal._get_open()})

    def _get_texts(self):
        """Return ``{id: (subject, body)}``: what a person wrote, else what the template says now to each debtor."""
        template = self.env.ref(TEMPLATE).sudo()  # sudo: as for any template, its author's rights count
        result = {}
        for lang, batch in self._origin.filtered('line_ids').grouped('lang').items():
            subjects = template._render_field('subject', batch.ids, set_lang=lang)
            bodies = template._render_field('body_html', batch.ids, set_lang=lang)
            result.update({one.id: (
                one.subject or subjects[one.id], bodies[one.id] if is_html_empty(one.body) else one.body)
                for one in batch})
        return result

    def _get_lang(self):
        # Hook: the language of the notice that is corrected.
        return self.lang

    def _get_open(self):
        """Return what is still open today of the items that were not owed."""
        self.ensure_one()
        return sum(max(0.0, item.amount_residual_currency) for item in self.line_ids.move_line_id)

    def _get_notices_to_withdraw(self):
        """Return the notices of which nothing is left when the items of these withdrawals are taken back."""
        whole = self.line_ids.filtered(lambda line: line._is_wholly_wrong())
        return self.notice_ids.filtered(lambda notice: all(
            line in whole or line.status == 'withdrawn' for line in notice.live_line_ids))

    # -------------------------------------------------------------------------
    # GUARDS
    # -------------------------------------------------------------------------

    def _check_user_write(self, vals):
        result = super()._check_user_write(vals)
        if self._get_frozen_names(vals) and any(withdrawal.state != 'proposed' for withdrawal in self):
            raise UserError(self.env._("Somebody decided about it already, so it cannot be changed any more."))
        return result

    def _get_frozen_message(self, action):
        return {
            'create': self.env._(
                "Withdrawals follow from payments that were booked after a notice left; they cannot be made by hand."),
            'write': self.env._("What is withdrawn follows from the books; use the buttons to decide."),
            'unlink': self.env._("A withdrawal stays as the proof of what was found out; it cannot be deleted."),
        }.get(action)

    # -------------------------------------------------------------------------
    # DECIDING
    # -------------------------------------------------------------------------

    def action_send(self):
        """Withdraw and tell the debtors, as the message stands; who cannot be told stays proposed."""
        self.check_access('write')
        shown = {withdrawal: withdrawal.amount_wrong for withdrawal in self}
        todo = self._lock_proposed()
        stale = todo.filtered(lambda withdrawal: (
            withdrawal._forget_stale_words()
            or withdrawal.currency_id.compare_amounts(shown[withdrawal], withdrawal.amount_wrong)))
        lost = (todo - stale).filtered(lambda withdrawal: not withdrawal._get_recipient())
        if not todo:
            raise UserError(self.env._(
                "Nothing is left to send: a payment was booked or taken off, or somebody decided."))
        going = todo - stale - lost if lost < todo else todo  # nobody: it says why
        going._withdraw_today()
        sentences = [self.env._("%s debtors are told.", len(going))]
        if lost:
            sentences.append(self.env._(
                "%s have no e-mail address that works, and stay proposed.", len(lost)))
        if stale:
            sentences.append(self.env._(
                "For %s something was booked since the message was written, and it changed. Look again.", len(stale)))
        return self.notice_id._notify_result(
            " ".join(sentences), self.notice_id.browse(), kind='warning' if lost or stale else 'success')

    def action_silent(self):
        """Withdraw without a message, such as when the debtor was told already."""
        self.check_access('write')
        self._lock_proposed()._withdraw_today(silent=True)
        return True

    def _withdraw_today(self, *, silent=False):
        """See :meth:`_withdraw`: on the day it is where the creditor is."""
        for today, batch in self.grouped(lambda withdrawal: withdrawal.company_id._dunning_today()).items():
            batch._withdraw(today, silent=silent)

    def action_open_notices(self):
        """Show the notices it is about."""
        self.ensure_one()
        self.check_access('read')
        return self.notice_ids._get_action_show()

    def _lock_proposed(self):
        """Return those that still wait for a decision, as the books are now; nobody else can decide about them."""
        todo = self.filtered(lambda withdrawal: withdrawal.state == 'proposed').try_lock_for_update()
        # sudo: the caller may decide; reading the payments needs more than that
        todo.sudo().notice_ids._update_wrong()
        return todo.filtered(lambda withdrawal: withdrawal.state == 'proposed')

    def _forget_stale_words(self):
        """Drop what a person wrote when something else is open since; return whether that was so."""
        self.ensure_one()
        stale = (self.subject or self.body) and self.currency_id.compare_amounts(self.open_then, self._get_open())
        if stale:
            self._recording().write({'subject': False, 'body': False})
        return bool(stale)

    def _set_lines(self, lines):
        """Let the proposal be about these lines; words that were written about others are dropped."""
        self._recording().write({'line_ids': [Command.set(lines.ids)], 'subject': False, 'body': False})

    def _fold_into(self, debtor):
        """Leave one proposal per company and currency of contacts that are merged into ``debtor``."""
        kept = {
            (one.company_id, one.currency_id): one
            for one in self.search([('state', '=', 'proposed'), ('partner_id', '=', debtor.id)])}
        for one in self.filtered(lambda one: one.state == 'proposed').sorted('id'):
            own = kept.setdefault((one.company_id, one.currency_id), one)
            if own != one:
                own._set_lines(own.line_ids | one.line_ids)
                one._cancel(self.env._("It became part of another proposal when the contacts were merged."))

    def _cancel(self, reason):
        self._recording().write({'state': 'cancelled', 'cancel_reason': reason})
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.unlink()

    def _withdraw(self, at_date, *, silent=False):
        """Take the level back and tell the debtor.

        :param date at_date: the day on which that is done
        :param bool silent: nobody is told
        """
        # sudo: who may decide was checked; notices cannot be written by users
        recording = self.sudo()._recording()
        texts = {} if silent else recording._get_texts()
        for withdrawal in recording:
            lines, notices = withdrawal.line_ids, withdrawal._get_notices_to_withdraw()
            whole = lines.filtered(lambda line: line._is_wholly_wrong())
            withdrawal.write({
                'state': 'silent', 'date': at_date, 'decided_by_id': self.env.uid,
                'decided_on': fields.Datetime.now()})
            for line in lines:
                line.write({'withdrawn_amount': line.wrong_amount})
            if not silent:
                withdrawal._send(*texts[withdrawal.id])
            whole.write({'withdrawn_on': at_date})
            if notices:
                notices.write({'state': 'withdrawn', 'withdrawn_on': at_date})
                notices._unlink_level_activities()
                if withdrawal.credit_bookings:
                    notices._credit_bookings(withdrawal.env._("Withdrawn: it was paid before the notice left"))
            withdrawal._log_withdrawn(whole, notices)
            withdrawal.activity_ids.unlink()
        return recording

    def _log_withdrawn(self, whole, notices):
        """Say on the invoices, the debtor and the notices what was taken back."""
        for notice in self.notice_ids:
            env = in_language_of(self, self.company_id).env
            amount = format_amount(
                env, sum(line.wrong_amount for line in self.line_ids if line.notice_id == notice), self.currency_id)
            link = notice._get_link(notice.level_id.name)
            date = format_date(env, notice.date)
            if notice in notices:
                text = env._(
                    "%(level)s of %(date)s was withdrawn: %(amount)s had been settled before it left.",
                    level=link, date=date, amount=amount)
            else:
                text = env._(
                    "%(level)s of %(date)s was withdrawn in part: %(amount)s had been settled before it left.",
                    level=link, date=date, amount=amount)
            told = {
                'silent': env._("The debtor was not told."),
                'sent': env._("The debtor was told by e-mail."),
            }[self.state]
            body = Markup("%s %s") % (text, told)
            moves = self.line_ids.filtered(lambda line, notice=notice: line.notice_id == notice).move_id
            moves._message_log_batch(dict.fromkeys(moves.ids, body))
            notice._message_log(body=body)
            self.partner_id._message_log(body=body)

    def _send(self, subject, body):
        """Hand the message to the mail queue."""
        self.ensure_one()
        person = self._get_recipient()
        if not person:
            raise UserError(self.env._(
                "%s has no e-mail address that works. Complete the contact, or tell the debtor yourself and withdraw "
                "without a message.", self.partner_id.display_name))
        written = bool(self.subject or self.body)
        self.write({'state': 'sent', 'subject': subject, 'body': body, 'email_to': person.dunning_email})
        author = self.notice_id._get_responsible() if self.env.user._is_superuser() else self.env.user
        self._send_mail(TEMPLATE, person, texts=(subject, body), written=written, author=author.partner_id)

    def _tell_somebody(self):
        """Plan an activity for whoever decided about the notice, else for a manager."""
        today = self.env.company._dunning_today()
        for withdrawal in self.sudo():  # sudo: the caller books a payment; the activity is for somebody else
            user = withdrawal.notice_id._get_responsible()
            if not user:
                continue
            local = withdrawal.with_context(lang=user.lang)
            local.activity_schedule(
                'mail.mail_activity_data_todo', date_deadline=today, user_id=user.id, automated=True,
                summary=local.env._("%s had paid already: say sorry", withdrawal.partner_id.name),
                note=local.env._(
                    "%(amount)s of what %(notices)s asked had been settled before it left. Approve the message to the "
                    "debtor, or withdraw it without one.",
                    amount=format_amount(local.env, withdrawal.amount_wrong, withdrawal.currency_id),
                    notices=", ".join(withdrawal.notice_ids.mapped('name'))))

    # -------------------------------------------------------------------------
    # EVERY DAY
    # -------------------------------------------------------------------------

    @api.model
    def _look_again(self, company, at_date):
        """Find out what the booking of payments did not tell.

        Set-based: one statement over the sent notices of a year, and work only for those that changed.
        """
        found = self.env.execute_query(SQL(
            """
            SELECT DISTINCT found.notice_id FROM (
                SELECT told.notice_id
                  FROM %(left)s told
                  JOIN %(matches)s match ON match.item_id = told.move_line_id AND match.date < told.left_on
                 WHERE told.company_id IN %(companies)s AND told.date >= %(since)s
              GROUP BY told.id, told.notice_id, told.amount_original, told.amount_residual, told.wrong_amount
                HAVING SUM(match.amount) > told.amount_original - told.amount_residual + COALESCE(told.wrong_amount, 0)
             UNION ALL
                SELECT told.notice_id FROM %(left)s told
                 WHERE told.company_id IN %(companies)s AND told.wrong_amount > 0
            ) found
            """,
            **self.env['dunning.notice']._get_sources_sql(), companies=company._get_dunning_company_ids(),
            since=at_date - timedelta(days=LOOK_BACK_DAYS)))
        # sudo: what was not owed follows from the books, whoever plans
        self.env['dunning.notice'].sudo().browse([notice_id for (notice_id,) in found])._update_wrong()
