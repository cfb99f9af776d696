from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_normalize, format_amount, format_date

from ...tools.law import dutch_calendar
from ..kernel.sql import select_changed
from ..ladder.dunning_level import MANUAL_CHANNELS
from .dunning_receipt import ONE_DAY

# What nobody has to presume any more.
PROVEN_KINDS = ('portal_opened', 'registered', 'acknowledged')
# Presumption -> the channel it is about; what takes it away -> the channel that failed.
PRESUMED_CHANNELS = {'post_presumed': 'letter', 'email_accepted': 'email'}
VOIDING_CHANNELS = {'bounced': 'email', 'returned': 'letter'}
# Left, or handed to a person or the post: as the debtor sees it. An e-mail that bounced was never seen.
TOLD_STATES = ('sent', 'withdrawn', 'todo', 'to_post')
# The state of a mail that is still on its way to the first mail server.
ON_ITS_WAY = ('ready', 'process', 'pending', 'exception')
# A mail that has waited longer than this in the queue is a matter for a person.
LOOK_BACK = timedelta(days=90)


class DunningNoticeEvidence(models.AbstractModel):
    """What follows for a notice from the evidence of its receipt: dates of receipt, term and costs."""

    _name = 'dunning.notice.evidence'
    _description = "Dunning Notice"

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
            dutch_calendar.presumed_receipt(sent_on, self.company_id._get_dunning_postal_days(sent_on)) if by_post
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
        """Return (date, kind, lost) of the receipt as the evidence stands: the first two False while it is not known.

        What is proven counts, the earliest first. Else a presumption: the latest of the channels that did not fail,
        since who sends by two ways has to wait for the slower one; and none while a channel is still on its way. It is
        lost when every way by which it left has failed.
        """
        self.ensure_one()
        evidence = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on)
        proven = evidence.filtered(lambda receipt: receipt.kind in PROVEN_KINDS).sorted('date')
        if proven:
            return proven[0].date, proven[0].kind, False
        failed = {VOIDING_CHANNELS[receipt.kind] for receipt in evidence if receipt.kind in VOIDING_CHANNELS}
        if self._get_channels_on_their_way() - failed:
            return False, False, False
        presumed = evidence.filtered(
            lambda receipt: PRESUMED_CHANNELS.get(receipt.kind, 'none') not in {*failed, 'none'}).sorted('date')
        return (presumed[-1].date, presumed[-1].kind, False) if presumed else (False, False, bool(failed))

    def _update_receipt(self):
        """Let the dates of receipt, term and costs follow the evidence; a notice that reached nobody is taken back."""
        lost = self.browse()
        for notice in self.filtered(lambda notice: notice.state == 'sent'):
            date, kind, is_lost = notice._judge_receipt()
            if is_lost:
                lost |= notice
                continue
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
                notice._recording().write(changed)
                if before and (not notice.costs_from or notice.costs_from > before):
                    notice._warn_costs_asked_early()
        if lost:
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
            user = later and letter.company_id._get_dunning_manager()
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
    # RECORDING THAT IT LEFT
    # -------------------------------------------------------------------------

    def _record_sent(self, at_date):
        """Record that the notices left: from now on the level of their items is theirs."""
        for step in self._get_sent_steps() if self else ():
            step(at_date)

    def _get_sent_steps(self):
        """Return what follows when notices left, in order; each step is called with the day, in one transaction."""
        return [self._write_sent, self._begin_term, self._finish_level_activities, self._log_sent]

    def _write_sent(self, at_date):
        """Step: state, date and deadline. A letter keeps the date and the deadline printed on it."""
        now = fields.Datetime.now()
        for (term, date, deadline), notices in self.grouped(
            lambda notice: (notice._get_term_days(), notice.date, notice.deadline)
        ).items():
            date = date or at_date
            notices._recording().write({
                'state': 'sent',
                'sent_on': now,
                'date': date,
                'deadline': deadline or date + timedelta(days=term),
                'error_message': False,
                'waiting_reason': False,
            })

    def _begin_term(self, at_date):
        """Step: let the term run; that of a letter counts from the day it was posted."""
        posted = self.filtered(lambda notice: notice.postal_state == 'posted')
        if posted:
            posted._record_posted(at_date)
        if self - posted:
            (self - posted)._update_receipt()

    def _finish_level_activities(self, at_date):
        """Step: what the level planned for a person was done."""
        self._unlink_level_activities()

    def _log_sent(self, at_date):
        """Step: one line on each invoice and on the debtor."""
        self._log_everywhere(lambda notice, env: env._(
            "%(level)s of %(date)s for %(amount)s, %(channel)s.",
            level=notice._get_link(notice.level_id.name),
            date=format_date(env, notice.date),
            amount=format_amount(env, notice.amount_due, notice.currency_id),
            channel=dict(notice._fields['channel']._description_selection(env))[notice.channel].lower(),
        ))

    # -------------------------------------------------------------------------
    # RECORDING EVIDENCE
    # -------------------------------------------------------------------------

    def _add_receipt(self, kind, date, **values):
        """Record evidence about each of these notices and let their dates follow.

        :param str kind: a code of :data:`KINDS`
        :param date date: the day of receipt, or of coming back
        """
        if kind == 'returned':
            for notice in self:
                # sudo: an address that does not work does not work for anybody
                notice._get_postal_partner().sudo().dunning_post_returned_on = date
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
            received = dutch_calendar.presumed_receipt(posted_on, company._get_dunning_postal_days(posted_on))
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

    # -------------------------------------------------------------------------
    # ROWS FOR STATEMENTS
    # -------------------------------------------------------------------------

    @api.model
    def _get_contact_rows_sql(self, wanted):
        """Return SQL of the notices by which debtors were contacted, also those that were withdrawn; a task is none.

        ``id``, ``company_id``, ``partner_id``, ``channel`` and ``date``.

        :param SQL wanted: condition on ``notice``
        """
        return SQL(
            """
            SELECT notice.id, notice.company_id, notice.partner_id, notice.channel, notice.date
              FROM dunning_notice notice
             WHERE notice.state IN ('sent', 'withdrawn') AND notice.channel <> 'task' AND %s
            """,
            wanted, to_flush=[self._fields[name] for name in ('company_id', 'partner_id', 'channel', 'date', 'state')])

    @api.model
    def _get_contacts_sql(self, company):
        """Return SQL of what debtors of a company heard from it: ``partner_id`` and ``date``, a row per contact."""
        return SQL("SELECT partner_id, date FROM (%s) notice", self._get_contact_rows_sql(
            SQL("notice.company_id = %s", company.id)))

    @api.model
    def _get_messages_sql(self, company, day):
        """Return SQL of the messages that went to an addressee on a day, or are planned for it.

        Columns: ``id``, the addressee (``partner_id``, ``recipient_id``), ``currency_id``, ``level_id``, ``channel``,
        ``date``, ``state``.
        """
        return SQL(
            """
            SELECT id, partner_id, recipient_id, currency_id, level_id, channel, date, state
              FROM dunning_notice
             WHERE company_id = %(company)s AND channel <> 'task'
               AND (state = ANY(%(told)s) AND (date = %(day)s OR posted_on = %(day)s)
                    OR state IN ('draft', 'queued', 'todo', 'to_post') AND date_planned = %(day)s)
            """,
            company=company.id, told=list(TOLD_STATES), day=day,
            to_flush=[self._fields[name] for name in (
                'company_id', 'partner_id', 'recipient_id', 'currency_id', 'level_id', 'channel', 'date', 'posted_on',
                'date_planned', 'state')])

    @api.model
    def _get_past_sql(self, day):
        """Return SQL of the notices as they stood at the end of a day, with all their columns."""
        return select_changed(self, {
            'state': SQL("CASE WHEN state IN ('sent', 'skipped') AND date > %s THEN 'queued' ELSE state END", day),
            'costs_from': SQL("CASE WHEN date > %s THEN NULL ELSE costs_from END", day),
        }, where=SQL("date_planned <= %s", day, to_flush=[self._fields['date_planned'], self._fields['date']]))

    @api.model
    def _get_waiting_calls_sql(self):
        """Return SQL of the calls that the ladder asks for, per company, debtor and currency: how many, since when."""
        return SQL(
            """
            SELECT company_id, partner_id, currency_id, COUNT(*)::int AS call_notice_count,
                   MIN(date) AS call_notice_date
              FROM dunning_notice
             WHERE state = 'todo' AND channel = 'phone'
          GROUP BY company_id, partner_id, currency_id
            """, to_flush=[self._fields[name] for name in (
                'company_id', 'partner_id', 'currency_id', 'channel', 'date', 'state')])
