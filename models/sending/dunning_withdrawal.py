"""Withdrawal: what a notice asked and was not owed when it left is taken back, counted and said sorry for.

A payment or credit note can be booked after a notice left and be dated before it. What it settled was not owed when
the notice left. That is found out when it is reconciled and once more every day, written on the lines
(``wrong_amount``) and proposed as a :class:`DunningWithdrawal`. Until somebody decides about the proposal it follows
the books: whoever matched a payment by mistake and undoes that, withdrew nothing.

Only the withdrawal takes the level back. It freezes what was wrong; the notice stays as the proof of what was said.
"""

from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_amount, format_date

from ..kernel.formats import in_language_of

# How far back the daily step looks for what was booked late.
LOOK_BACK_DAYS = 400
# The day on which a notice left: of paper the day it was posted, as in ``_get_departure_date``.
DEPARTURE = SQL(
    "(CASE WHEN notice.channel = 'letter' THEN COALESCE(notice.posted_on, notice.date) ELSE notice.date END)")


class DunningWithdrawal(models.Model):
    """To be told to a debtor: what notices asked of him and was not owed when they left."""

    _name = 'dunning.withdrawal'
    _inherit = ['dunning.recorded', 'dunning.withdrawal.message', 'mail.thread', 'mail.activity.mixin']
    _description = "Dunning Withdrawal"
    _order = 'id desc'
    _check_company_auto = True
    _mail_post_access = 'read'
    _recorded_with = 'notice'
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True, 'mail_notrack': True}
    _user_writable = frozenset({'channel', 'credit_bookings'})
    _frozen_files = {'letter_file': ('to_post', 'sent')}

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, index=True)
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, readonly=True, index=True, ondelete='restrict')
    state = fields.Selection(
        selection=[
            ('proposed', "Proposed"),
            ('to_post', "To Post"),
            ('sent', "Sent"),
            ('silent', "Without a Message"),
            ('cancelled', "Cancelled"),
        ],
        default='proposed', required=True, readonly=True, copy=False, index=True)
    channel = fields.Selection(
        selection=[('email', "E-mail"), ('letter', "Letter")], string="By", required=True,
        compute='_compute_channel', store=True, readonly=False, precompute=True)
    line_ids = fields.Many2many(
        comodel_name='dunning.notice.line', relation='dunning_withdrawal_line_rel', column1='withdrawal_id',
        column2='line_id', string="Items Not Owed", readonly=True, copy=False)
    notice_ids = fields.Many2many(comodel_name='dunning.notice', string="Notices", compute='_compute_notice_ids')
    notice_id = fields.Many2one(
        comodel_name='dunning.notice', string="Last Notice", compute='_compute_notice_id', store=True, precompute=True,
        index='btree_not_null', ondelete='restrict',
        help="The last of the notices; the message goes to its addressee.")
    recipient_id = fields.Many2one(related='notice_id.recipient_id', string="Addressed To")
    lang = fields.Char(related='notice_id.lang', string="Language")
    amount_wrong = fields.Monetary(string="Not Owed", compute='_compute_amount_wrong', store=True)
    is_whole = fields.Boolean(
        compute='_compute_whole', help="Nothing of these items was owed.")
    is_all = fields.Boolean(
        compute='_compute_whole', help="Nothing that these notices asked was owed.")
    is_credited = fields.Boolean(compute='_compute_whole', help="Only credit notes settled it, and no payment.")
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
    letter_file = fields.Binary(string="Letter", attachment=True, readonly=True, copy=False)

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

    @api.depends('line_ids')
    def _compute_channel(self):
        for withdrawal in self:
            notice = withdrawal.notice_id
            by_mail = bool(notice) and bool(notice._get_email())
            by_post = bool(notice) and notice._has_postal_address()
            wants_paper = notice.channel == 'letter'
            withdrawal.channel = 'letter' if by_post and (wants_paper or not by_mail) else 'email'

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

    def action_open_wizard(self):
        """Look at the message, change it where needed, and send it."""
        self.check_access('write')
        return self.env['dunning.withdrawal.send']._action_open(self)

    def action_send(self):
        """Withdraw and tell the debtors."""
        self.check_access('write')
        todo = self._lock_proposed()
        if todo:
            todo._withdraw(self.env.company._dunning_today())
        return True

    def action_silent(self):
        """Withdraw without a message, such as when the debtor was told already."""
        self.check_access('write')
        todo = self._lock_proposed()
        if todo:
            todo._withdraw(self.env.company._dunning_today(), silent=True)
        return True

    def action_mark_posted(self):
        """Record that the printed letters were brought to the post."""
        self.check_access('write')
        todo = self.filtered(lambda withdrawal: withdrawal.state == 'to_post')
        # sudo: the right was checked, and users cannot write it themselves
        todo._recording().sudo().write({'state': 'sent', 'date': self.env.company._dunning_today()})
        return True

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

    def _fold_into(self, debtor):
        """Leave one proposal per company and currency of contacts that are merged into ``debtor``."""
        kept = {
            (one.company_id, one.currency_id): one
            for one in self.search([('state', '=', 'proposed'), ('partner_id', '=', debtor.id)])}
        for one in self.filtered(lambda one: one.state == 'proposed').sorted('id'):
            own = kept.setdefault((one.company_id, one.currency_id), one)
            if own != one:
                own._recording().line_ids |= one.line_ids
                one._cancel(self.env._("It became part of another proposal when the contacts were merged."))

    def _cancel(self, reason):
        self._recording().write({'state': 'cancelled', 'cancel_reason': reason})
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.unlink()

    def _withdraw(self, at_date, *, silent=False, texts=None):
        """Take the level back and tell the debtor.

        :param date at_date: the day on which that is done
        :param bool silent: nobody is told
        :param dict texts: ``{id: (subject, body)}`` that a person wrote instead of the template's
        """
        # sudo: who may decide was checked; notices cannot be written by users
        recording = self.sudo()._recording()
        texts = {} if silent else {**recording._render_texts(), **(texts or {})}
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
                'to_post': env._("A letter to the debtor is ready."),
            }[self.state]
            body = Markup("%s %s") % (text, told)
            moves = self.line_ids.filtered(lambda line, notice=notice: line.notice_id == notice).move_id
            moves._message_log_batch(dict.fromkeys(moves.ids, body))
            notice._message_log(body=body)
            self.partner_id._message_log(body=body)

    # -------------------------------------------------------------------------
    # EVERY DAY
    # -------------------------------------------------------------------------

    @api.model
    def _look_again(self, company, at_date):
        """Find out what the booking of payments did not tell, and let go what needs no approval.

        Set-based: one statement over the sent notices of a year, and work only for those that changed.
        """
        Notice = self.env['dunning.notice'].sudo()  # sudo: what was not owed follows from the books, whoever plans
        Notice._flush_for_wrong()
        found = self.env.execute_query(SQL(
            """
            SELECT DISTINCT found.notice_id FROM (
                SELECT line.notice_id
                  FROM dunning_notice notice
                  JOIN dunning_notice_line line ON line.notice_id = notice.id AND line.status = 'sent'
                  JOIN account_partial_reconcile partial ON partial.debit_move_id = line.move_line_id
                  JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
                 WHERE notice.company_id = %(company)s AND notice.state = 'sent' AND notice.date >= %(since)s
                   AND counterpart.date < %(departure)s
              GROUP BY line.id
                HAVING SUM(partial.debit_amount_currency)
                       > line.amount_original - line.amount_residual + COALESCE(line.wrong_amount, 0)
             UNION ALL
                SELECT line.notice_id
                  FROM dunning_notice_line line
                 WHERE line.company_id = %(company)s AND line.status = 'sent' AND line.wrong_amount > 0
            ) found
            """, company=company.id, since=at_date - timedelta(days=LOOK_BACK_DAYS), departure=DEPARTURE))
        Notice.browse([notice_id for (notice_id,) in found])._update_wrong()
        self._withdraw_automatically(company, at_date)

    @api.model
    def _withdraw_automatically(self, company, at_date):
        """Let go what policies want withdrawn without approval: what was found out before today.

        A day later, so that a payment that was matched by mistake can be taken off again.
        """
        ripe = self.search([('company_id', '=', company.id), ('state', '=', 'proposed')]).filtered(
            lambda withdrawal: withdrawal.line_ids
            and all(withdrawal.notice_ids.policy_id.mapped('withdrawal_automatic'))
            and max(withdrawal.line_ids.mapped('wrong_on')) < at_date)
        for withdrawal in ripe.try_lock_for_update():
            try:
                with self.env.cr.savepoint():
                    withdrawal._withdraw(at_date)
            except UserError as error:
                # It stays proposed, and whoever opens it reads why.
                withdrawal._message_log(body=str(error))
