"""Evidence that a debtor received a notice, or did not: the term of a 14-day letter runs from it."""

import logging
import re
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, format_date

from ...tools import dutch_calendar
from ..ladder.dunning_level import CHANNELS, MANUAL_CHANNELS
from .dunning_notice import is_recording

KINDS = [
    ('post_presumed', "Posted: presumed to be delivered"),
    ('email_accepted', "E-mail accepted by the mail server"),
    ('portal_opened', "Opened in the portal"),
    ('registered', "Registered delivery"),
    ('acknowledged', "Acknowledged by the debtor"),
    ('bounced', "E-mail came back"),
    ('returned', "Letter came back"),
]
# What nobody has to presume any more.
PROVEN_KINDS = ('portal_opened', 'registered', 'acknowledged')
# Presumption -> the channel it is about; what takes it away -> the channel that failed.
PRESUMED_CHANNELS = {'post_presumed': 'letter', 'email_accepted': 'email'}
VOIDING_CHANNELS = {'bounced': 'email', 'returned': 'letter'}
# What a person can enter.
MANUAL_KINDS = ('registered', 'acknowledged', 'returned')
# The state of a mail that is still on its way to the first mail server.
ON_ITS_WAY = ('ready', 'process', 'pending', 'exception')
# A mail server that refuses an address for good.
REFUSED_FOR_GOOD = re.compile(r'RecipientsRefused.*\b5\d\d\b|\b55[013]\b', re.DOTALL)
ONE_DAY = timedelta(days=1)
# A mail that has waited longer than this in the queue is a matter for a person.
LOOK_BACK = timedelta(days=90)

_logger = logging.getLogger(__name__)


class DunningReceipt(models.Model):
    """One piece of evidence about the receipt of a notice.

    Append-only: who entered something wrong withdraws it with a reason and enters
    it again. ``date`` is the day of receipt it proves or lets presume; of a bounce
    or a returned letter the day on which that was found out.
    """

    _name = 'dunning.receipt'
    _description = "Evidence of Receipt"
    _order = 'date, id'

    notice_id = fields.Many2one(
        comodel_name='dunning.notice', required=True, index=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one(related='notice_id.company_id', store=True, index=True, precompute=True)
    kind = fields.Selection(selection=KINDS, string="Evidence", required=True, readonly=True)
    channel = fields.Selection(
        selection=[*CHANNELS[:2], ('portal', "Portal")], readonly=True,
        help="The way it is about. Empty: any.")
    date = fields.Date(required=True, readonly=True)
    tracking_code = fields.Char(readonly=True)
    proof = fields.Binary(attachment=True, readonly=True)
    proof_filename = fields.Char(readonly=True)
    note = fields.Char(readonly=True)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Entered By", readonly=True, default=lambda self: self.env.user)
    withdrawn_on = fields.Date(readonly=True)
    withdrawn_by_id = fields.Many2one(comodel_name='res.users', readonly=True)
    withdraw_reason = fields.Char(readonly=True)
    can_withdraw = fields.Boolean(compute='_compute_can_withdraw')
    details = fields.Char(compute='_compute_details')

    @api.depends('kind')
    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for receipt in self:
            receipt.display_name = labels.get(receipt.kind, '')

    @api.depends('kind', 'withdrawn_on', 'notice_id.state')
    def _compute_can_withdraw(self):
        for receipt in self:
            receipt.can_withdraw = (
                receipt.kind in MANUAL_KINDS and not receipt.withdrawn_on and receipt.notice_id.state == 'sent')

    @api.depends('kind', 'date', 'note', 'withdrawn_on', 'withdraw_reason', 'notice_id.posted_on')
    def _compute_details(self):
        """What is known about it, in words."""
        for receipt in self:
            parts = [receipt.note]
            if receipt.kind == 'post_presumed':
                parts.append(self.env._(
                    "Posted on %s; Sundays, Mondays and holidays do not count",
                    format_date(self.env, receipt.notice_id.posted_on)))
            elif receipt.kind == 'email_accepted':
                parts.append(self.env._(
                    "Left on %s; received a day later at the latest", format_date(self.env, receipt.date - ONE_DAY)))
            if receipt.withdrawn_on:
                parts.append(self.env._(
                    "Withdrawn by %(user)s on %(date)s: %(reason)s", user=receipt.withdrawn_by_id.name,
                    date=format_date(self.env, receipt.withdrawn_on), reason=receipt.withdraw_reason))
            receipt.details = ". ".join(filter(None, parts))

    @api.model_create_multi
    def create(self, vals_list):
        self._check_recording()
        receipts = super().create(vals_list)
        receipts._check_dates()
        return receipts

    def write(self, vals):
        self._check_recording()
        if vals.keys() - {'withdrawn_on', 'withdrawn_by_id', 'withdraw_reason'}:
            raise UserError(self.env._("Evidence of receipt is never changed. Withdraw it, and enter it again."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Evidence of receipt is never deleted. Withdraw it instead."))

    def _check_recording(self):
        if not is_recording(self.env):
            raise UserError(self.env._(
                "Evidence of receipt is recorded when a notice leaves or comes back; use “Enter Receipt” on the notice "
                "for what you know yourself."))

    def _check_dates(self):
        for receipt in self:
            sent = receipt.notice_id._get_departure_date()
            if sent and receipt.date < sent:
                raise UserError(self.env._(
                    "%(notice)s left on %(sent)s, so it cannot have been received on %(date)s. Correct the date.",
                    notice=receipt.notice_id.display_name, sent=format_date(self.env, sent),
                    date=format_date(self.env, receipt.date)))

    def action_withdraw(self):
        """Ask why this evidence is wrong, and take it back."""
        self.ensure_one()
        self.notice_id.check_access('write')
        return self.env['dunning.receipt.enter']._action_open(self.notice_id, receipt=self)

    def _withdraw(self, reason):
        """Take evidence back that was entered by mistake; the dates of the notice follow."""
        self.ensure_one()
        self.notice_id.check_access('write')
        if not self.can_withdraw:
            raise UserError(self.env._(
                "This evidence cannot be withdrawn: it was recorded by the system, or the notice is closed."))
        notice = self.notice_id._recording()
        # sudo: nobody can write evidence; who may work with the notice may take it back, with a reason
        self.with_env(notice.env).sudo().write({
            'withdrawn_on': self.env.company._dunning_today(), 'withdrawn_by_id': self.env.uid,
            'withdraw_reason': reason})
        notice._message_log(body=self.env._(
            "Evidence of receipt withdrawn: %(kind)s of %(date)s. Reason: %(reason)s",
            kind=self.display_name, date=format_date(self.env, self.date), reason=reason))
        notice._update_receipt()


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    receipt_ids = fields.One2many(
        comodel_name='dunning.receipt', inverse_name='notice_id', string="Evidence of Receipt", readonly=True)
    receipt_kind = fields.Selection(selection=KINDS, string="Received", readonly=True, copy=False)
    level_legal_role = fields.Selection(related='level_id.legal_role', string="Role of the Level")
    costs_from_text = fields.Char(compute='_compute_costs_from_text')
    waiver_text = fields.Char(string="Waived", compute='_compute_waiver_text')

    @api.depends('costs_from', 'legal_role', 'state')
    def _compute_costs_from_text(self):
        """What the badge of a 14-day letter says."""
        for notice in self:
            text = False
            if notice.legal_role == 'fourteen_day' and notice.state == 'sent':
                text = self.env._("Costs from %s", format_date(
                    self.env, notice.costs_from, date_format='d MMM')) if notice.costs_from else self.env._(
                        "Receipt not known yet")
            notice.costs_from_text = text

    @api.depends('claim_data', 'state', 'partner_id', 'company_id')
    def _compute_waiver_text(self):
        """Who left the debtor off what: as it was when the notice left, else as it is."""
        for notice in self:
            debtor = notice.partner_id.with_company(notice.company_id)
            data = notice.claim_data or {}
            frozen = notice.state not in ('draft', 'queued', 'error') and data
            interest = data.get('waived_interest') if frozen else debtor.dunning_waive_interest
            costs = data.get('waived_costs') if frozen else debtor.dunning_waive_costs
            reason = (data.get('waive_reason') if frozen else debtor.dunning_waive_reason) or ''
            what = (
                self.env._("interest and collection costs") if interest and costs
                else self.env._("interest") if interest else self.env._("collection costs") if costs else '')
            notice.waiver_text = ": ".join(filter(None, [what, reason])) if what else False

    # -------------------------------------------------------------------------
    # FROM EVIDENCE TO DATES
    # -------------------------------------------------------------------------

    def _get_departure_date(self):
        """Return the day on which the notice left, or False."""
        self.ensure_one()
        return self.date if self.mail_message_id else self.posted_on or self.date

    def _estimate_deadline(self, sent_on):
        """Return the last day of the term of a 14-day letter that leaves on a day, as far as one can tell before."""
        self.ensure_one()
        by_post = self.channel in ('letter', 'both') and self._has_postal_address()
        receipt = (
            dutch_calendar.presumed_receipt(sent_on, self.company_id.dunning_postal_days) if by_post
            else sent_on + ONE_DAY)
        return dutch_calendar.fourteen_day_term(receipt).last_free_day

    def _get_channels_on_their_way(self):
        """Return the channels by which the notice has not left yet, though it will."""
        self.ensure_one()
        channels = set()
        if self.postal_state in ('to_print', 'printed'):
            channels.add('letter')
        # sudo: the state of our own mail
        notifications = self.mail_message_id.sudo().notification_ids
        if any(notification.notification_status in ON_ITS_WAY for notification in notifications):
            channels.add('email')
        return channels

    def _judge_receipt(self):
        """Return (date, kind) of the receipt as the evidence stands, or (False, False).

        What is proven counts, the earliest first. Else a presumption: the latest of the channels that did not fail,
        since who sends by two ways has to wait for the slower one; and none while a channel is still on its way.
        """
        self.ensure_one()
        evidence = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on)
        proven = evidence.filtered(lambda receipt: receipt.kind in PROVEN_KINDS).sorted('date')
        if proven:
            return proven[0].date, proven[0].kind
        failed = {VOIDING_CHANNELS[receipt.kind] for receipt in evidence if receipt.kind in VOIDING_CHANNELS}
        if self._get_channels_on_their_way() - failed:
            return False, False
        presumed = evidence.filtered(
            lambda receipt: PRESUMED_CHANNELS.get(receipt.kind, 'none') not in {*failed, 'none'}).sorted('date')
        return (presumed[-1].date, presumed[-1].kind) if presumed else (False, False)

    def _is_undelivered(self):
        """Return whether every way by which the notice left has failed."""
        self.ensure_one()
        evidence = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on)
        failed = {VOIDING_CHANNELS[receipt.kind] for receipt in evidence if receipt.kind in VOIDING_CHANNELS}
        return bool(
            failed and not self._judge_receipt()[0] and not self._get_channels_on_their_way() - failed)

    def _update_receipt(self):
        """Let the dates of receipt, term and costs follow the evidence; a notice that reached nobody is taken back."""
        lost = self.browse()
        for notice in self._recording().filtered(lambda notice: notice.state == 'sent'):
            if notice._is_undelivered():
                lost |= notice
                continue
            date, kind = notice._judge_receipt()
            vals = {'receipt_date': date, 'receipt_kind': kind}
            if notice.legal_role == 'fourteen_day':
                vals['costs_from'] = False
                if date:
                    vals['deadline'], vals['costs_from'] = dutch_calendar.fourteen_day_term(date)
            changed = {
                name: value for name, value in vals.items()
                if (notice[name] or False) != (value or False)}
            if changed:
                before = notice.costs_from
                notice.write(changed)
                if before and (not notice.costs_from or notice.costs_from > before):
                    notice._warn_costs_asked_early()
        lost._mark_undelivered()

    def _mark_undelivered(self, why=None):
        """Take back notices that reached nobody: their items get this level again, by another way.

        :param str why: instead of what the evidence says
        """
        today = self.env.company._dunning_today()
        for notice in self._recording():
            had_costs = notice.costs_from
            notice.write({
                'state': 'undelivered', 'receipt_date': False, 'receipt_kind': False, 'costs_from': False,
                'cancel_reason': why or notice._explain_undelivered()})
            # Nobody may send it again by trying the failed mail once more.
            # sudo: mail.mail belongs to the system
            notice.mail_id.sudo().exists().filtered(
                lambda mail: mail.state in ('outgoing', 'exception')).write({'state': 'cancel'})
            user = notice._get_responsible()
            if not user or user._is_superuser():
                user = self.env['dunning.interest.rate']._get_manager(notice.company_id)
            if user:
                local = notice.with_context(lang=user.lang)
                local.activity_schedule(
                    'mail.mail_activity_data_warning', date_deadline=today, user_id=user.id, automated=True,
                    summary=local.env._("It does not count: look at it") if why
                    else local.env._("Not delivered: correct the address"),
                    note=why or local._explain_undelivered())
            if had_costs:
                notice._warn_costs_asked_early()
        self._log_everywhere(lambda notice, env: env._(
            "%(level)s of %(date)s was not delivered; it does not count.",
            level=notice._get_link(notice.level_id.name), date=format_date(env, notice.date)))
        self.filtered(lambda notice: notice.legal_role == 'default_notice')._take_back_what_followed()

    def _take_back_what_followed(self):
        """Take back 14-day letters that turn out to have left before default (article 6:96 paragraph 6 BW)."""
        lines = self.env['dunning.notice.line'].search([
            ('move_line_id', 'in', self.line_ids.move_line_id.ids), ('status', '=', 'sent'),
            ('notice_id.legal_role', '=', 'fourteen_day')])
        for (company, sent_on), letters in lines.notice_id.grouped(
            lambda letter: (letter.company_id, letter.date)
        ).items():
            dispatcher = self.env['dunning.dispatcher'].with_company(company)
            early = dispatcher._get_items_before_default(letters.live_line_ids.move_line_id, sent_on)
            letters.filtered(lambda letter, early=early: letter.live_line_ids.move_line_id & early)._mark_undelivered(
                self.env._(
                    "The notice of default %s was not delivered, so the debtor was not in default when this letter "
                    "left. It has no effect; the notice of default and this letter are planned again.",
                    ", ".join(self.mapped('display_name'))))

    def _explain_undelivered(self):
        self.ensure_one()
        kinds = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on).mapped('kind')
        parts = []
        if 'bounced' in kinds:
            parts.append(self.env._("The e-mail to %s came back.", self.email_to or self.recipient_id.email or ''))
        if 'returned' in kinds:
            parts.append(self.env._("The letter came back."))
        parts.append(self.env._(
            "The debtor did not get this notice, so its level was taken back and is planned again."))
        return ' '.join(parts)

    def _warn_costs_asked_early(self):
        """Ask the manager to look at later notices that asked costs which are not owed yet after all."""
        Activity = self.env['mail.activity']
        for letter in self.filtered(lambda notice: notice.legal_role == 'fourteen_day'):
            later = self.env['dunning.notice.line'].search([
                ('move_line_id', 'in', letter.line_ids.move_line_id.ids), ('status', '=', 'sent'),
                ('notice_id', '!=', letter.id), ('notice_id.amount_costs', '>', 0), ('date', '>=', letter.date),
            ]).notice_id
            if letter.costs_from:
                later = later.filtered(lambda notice, day=letter.costs_from: notice.date < day)
            user = later and self.env['dunning.interest.rate']._get_manager(letter.company_id)
            if not user:
                continue
            for notice in later._recording().with_context(lang=user.lang):
                Activity |= notice.activity_schedule(
                    'mail.mail_activity_data_warning', date_deadline=self.env.company._dunning_today(),
                    user_id=user.id, automated=True,
                    summary=notice.env._("It asked collection costs too early"),
                    note=notice.env._(
                        "New evidence about the receipt of %(letter)s: the debtor owes collection costs from "
                        "%(date)s, but this notice of %(sent)s asked %(amount)s. Tell the debtor that these costs are "
                        "withdrawn, or pay back what was paid.",
                        letter=letter.display_name,
                        date=format_date(notice.env, letter.costs_from) if letter.costs_from
                        else notice.env._("a day that is not known yet"),
                        sent=format_date(notice.env, notice.date),
                        amount=notice.currency_id.format(notice.amount_costs)))
        return Activity

    # -------------------------------------------------------------------------
    # RECORDING EVIDENCE
    # -------------------------------------------------------------------------

    def _add_receipt(self, kind, date, **values):
        """Record evidence about each of these notices and let their dates follow.

        :param str kind: a code of :data:`KINDS`
        :param date date: the day of receipt, or of coming back
        """
        recording = self._recording()
        # sudo: nobody can write evidence but the code that knows what happened
        receipts = recording.env['dunning.receipt'].sudo().create([
            {'notice_id': notice.id, 'kind': kind, 'date': date, **values} for notice in self])
        recording.invalidate_recordset(['receipt_ids'])
        recording._update_receipt()
        return receipts.sudo(False)

    def _record_posted(self, posted_on):
        """Record that letters were brought to the post: when they are presumed to be delivered."""
        for company, notices in self.grouped('company_id').items():
            received = dutch_calendar.presumed_receipt(posted_on, company.dunning_postal_days)
            notices._add_receipt('post_presumed', received, channel='letter')

    def _record_mailed(self):
        """Record that mails were handed over to a mail server: received the day after, to be safe."""
        waiting = self.filtered(lambda notice: (
            notice.state == 'sent' and 'email_accepted' not in notice.receipt_ids.mapped('kind')))
        for day, notices in waiting.grouped(lambda notice: notice._today_or_later()).items():
            notices._add_receipt('email_accepted', day + ONE_DAY, channel='email')

    def _record_bounced(self, reason, *, mark_address=True):
        """Record that mails came back, and remember that their addresses do not work."""
        notices = self.filtered(lambda notice: (
            notice.state == 'sent' and 'bounced' not in notice.receipt_ids.mapped('kind')))
        if mark_address:
            addresses = {email_normalize(notice.email_to or '') for notice in notices} - {False, ''}
            # sudo: an address that does not work does not work for anybody
            self.env['res.partner'].sudo().search([('email_normalized', 'in', list(addresses))]).write({
                'dunning_email_bounced_on': self.env.company._dunning_today()})
        for day, batch in notices.grouped(lambda notice: notice._today_or_later()).items():
            batch._add_receipt(
                'bounced', day, channel='email', note=(reason or '').strip()[:250])

    def _today_or_later(self):
        """Return today, or the day on which the notice left when that is later: clocks differ around midnight."""
        self.ensure_one()
        return max(self.company_id._dunning_today(), self._get_departure_date())

    def _register_portal_opening(self, date):
        """Record that the debtor saw this notice in the portal: proof of receipt. Once is enough.

        :param date date: the day on which he did
        """
        self.ensure_one()
        if self.state != 'sent' or date < self._get_departure_date() or any(
            receipt.kind == 'portal_opened' and not receipt.withdrawn_on for receipt in self.receipt_ids
        ):
            return self.env['dunning.receipt']
        # sudo: the debtor himself gives the evidence, and the caller checked that it is his notice
        return self.sudo()._add_receipt('portal_opened', date, channel='portal').sudo(False)

    def action_enter_receipt(self):
        """Ask what is known of the receipt of this notice."""
        self.ensure_one()
        self.check_access('write')
        if self.state != 'sent' or self.channel in MANUAL_CHANNELS:
            raise UserError(self.env._(
                "Receipt can be entered for a letter or e-mail that has left and counts. This one is: %s.",
                dict(self._fields['state']._description_selection(self.env))[self.state].lower()))
        return self.env['dunning.receipt.enter']._action_open(self)

    @api.model
    def _collect_receipts(self, company):
        """Look again at mails that left or came back without being recorded, such as when a record was locked."""
        notices = self.search([
            ('company_id', '=', company.id), ('state', '=', 'sent'), ('receipt_date', '=', False),
            ('mail_message_id', '!=', False), ('date', '>=', company._dunning_today() - LOOK_BACK)])
        # sudo: the state of our own mails
        notices.mail_message_id.sudo().notification_ids._record_dunning_delivery(notices.sudo())


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


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_email_bounced_on = fields.Date(
        string="E-mail Came Back On", readonly=True, copy=False,
        prefetch='dunning',
        help="A reminder to this address came back, so nothing is mailed to it. Cleared when the address changes.")

    def write(self, vals):
        if vals.get('dunning_email_bounced_on') or 'email' not in vals:
            return super().write(vals)
        before = {partner: partner.email_normalized for partner in self if partner.dunning_email_bounced_on}
        result = super().write(vals)
        changed = self.browse([partner.id for partner, email in before.items() if partner.email_normalized != email])
        if changed:
            super(ResPartner, changed).write({'dunning_email_bounced_on': False})
        return result

    def action_dunning_email_works(self):
        """Try the address again that a reminder came back from."""
        self.env['dunning.notice'].check_access('write')  # for accounting, not for all who may change contacts
        self.check_access('write')
        emails = [email for email in self.mapped('email_normalized') if email]
        # sudo: other contacts with the same address; whoever may change this one may correct them
        same = self.sudo().search([('email_normalized', 'in', emails)]) | self
        same.write({'dunning_email_bounced_on': False})
        return True
