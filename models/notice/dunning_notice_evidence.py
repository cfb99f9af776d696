from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_amount, format_date

from ...tools.law import dutch_calendar
from ...tools.law.letters import FOURTEEN_DAY
from ...tools.law.receipt import (
    EMAIL,
    FAILED,
    POST,
    UNKNOWN,
    Evidence,
    Receipt,
    get_printed_deadline,
    judge_receipt,
    presume,
    read_evidence,
)
from ..kernel.sql import select_changed
from ..ladder.dunning_level import MANUAL_CHANNELS
from .dunning_receipt import KINDS

# Left, or handed to a person, the post or the mail queue: as the debtor sees it. An e-mail that bounced was never seen.
TOLD_STATES = ('sent', 'withdrawn', 'todo', 'to_post', 'leaving')


class DunningNoticeEvidence(models.AbstractModel):
    """What follows for a notice from the evidence of its receipt: dates of receipt, term and costs."""

    _name = 'dunning.notice.evidence'
    _description = "Dunning Notice"

    @api.depends('costs_from', 'legal_role', 'state', 'line_ids.void_reason')
    def _compute_costs_from_text(self):
        """What the badge of a 14-day letter says, and about which invoices a notice holds no longer."""
        for notice in self:
            text = False
            notice.void_text = " ".join(
                f"{', '.join(filter(None, lines.mapped('name')))}: {reason}"
                for reason, lines in notice.line_ids.filtered('void_reason').grouped('void_reason').items()) or False
            if notice.legal_role == 'fourteen_day' and notice.state == 'sent':
                text = self.env._("Costs from %s", format_date(
                    self.env, notice.costs_from, date_format='d MMM')) if notice.costs_from else self.env._(
                        "Receipt not known yet")
            notice.costs_from_text = self.env._("Holds no longer") if text and notice.void_text else text

    @api.depends('claim_data', 'state', 'partner_id', 'company_id')
    def _compute_waiver_text(self):
        """Who left the debtor off what: as it was when the notice left, else as it is."""
        for notice in self:
            # sudo: also for who works for one of the companies that it is about, and not for the head office
            debtor = notice.partner_id.sudo().with_company(notice.company_id)
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

    def _get_printed_deadline(self, leaves_on):
        """Return the last day to pay that the notice gives when it leaves on a day: on paper it counts the post's days.

        An e-mail is there on the next day, so the whole term but one day is left. Of a 14-day letter, which prints no
        date, it is an estimate.
        """
        self.ensure_one()
        fourteen_day, term = self.level_id.legal_role == FOURTEEN_DAY, self._get_term_days()
        by_post = self.channel in ('letter', 'both') and self._has_postal_address()
        if not (by_post or fourteen_day):
            return leaves_on + timedelta(days=term)
        postal_days = self.company_id._get_dunning_postal_days(leaves_on)
        if fourteen_day:
            return dutch_calendar.fourteen_day_term(
                presume(POST if by_post else EMAIL, leaves_on, postal_days)).last_free_day
        return get_printed_deadline([POST], leaves_on, term, postal_days)

    def _read_receipt(self):
        """Return the :class:`Receipt` of the notice, as the evidence stands."""
        self.ensure_one()
        receipts = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on)
        if not (receipts or self.posted_on):
            return Receipt(UNKNOWN)  # it may have left, and nobody knows yet that it arrived
        ways, proofs = read_evidence(
            [Evidence(receipt.kind, receipt.date, bool(receipt.proof_filename or receipt.proof))
             for receipt in receipts],
            by_mail=bool(self.mail_message_id), by_post=bool(self.postal_state), posted_on=self.posted_on)
        if not ways:
            return Receipt(UNKNOWN)  # a call, or nothing of it has left yet
        return judge_receipt(
            ways, proofs, later_counts=self.legal_role == FOURTEEN_DAY,
            postal_days=self.company_id._get_dunning_postal_days(self.posted_on or self.date))

    def _get_receipt_kind(self, day):
        """Return the kind of the evidence that a day of receipt follows from, what proves it first."""
        rank = [kind for kind, _label in KINDS]
        standing = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on and receipt.date == day)
        return max(standing.mapped('kind'), key=rank.index, default=False)

    def _update_receipt(self):
        """Let the dates of receipt, term and costs follow the evidence; a notice that reached nobody is taken back."""
        lost = self.browse()
        for notice in self.filtered(lambda notice: notice.state in ('leaving', 'sent')):
            receipt = notice._read_receipt()
            if receipt.state == FAILED:
                lost |= notice
                continue
            vals = {'receipt_date': receipt.day, 'receipt_kind': receipt.day and notice._get_receipt_kind(receipt.day)}
            if notice.legal_role == FOURTEEN_DAY:
                vals['costs_from'] = False
                if receipt.day:
                    vals['deadline'], vals['costs_from'] = dutch_calendar.fourteen_day_term(receipt.day)
            changed = {
                name: value for name, value in vals.items()
                if (notice[name] or False) != (value or False)}
            if changed:
                notice._recording().write(changed)
        if lost:
            lost._mark_undelivered()

    def _mark_undelivered(self, why=None):
        """Take back notices that reached nobody: their items get this level again, by another way.

        :param str why: instead of what the evidence says
        """
        today = self.env.company._dunning_today()
        for notice in self._recording():
            notice.write({
                'state': 'undelivered', 'receipt_date': False, 'receipt_kind': False, 'costs_from': False,
                'cancel_reason': why or notice._explain_undelivered()})
            notice._stop_mails()  # nobody may send it again by trying the failed mail once more
            user = notice._get_responsible()
            if user:
                local = notice.with_context(lang=user.lang)
                local.activity_schedule(
                    'mail.mail_activity_data_warning', date_deadline=today, user_id=user.id, automated=True,
                    summary=local.env._("It does not count: look at it") if why
                    else local.env._("Not delivered: correct the address"),
                    note=why or local._explain_undelivered())
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
            received = presume(POST, posted_on, company._get_dunning_postal_days(posted_on))
            notices._add_receipt('post_presumed', received, channel='letter')

    def _register_opening(self, date, kind='portal_opened', channel='portal'):
        """Record that the debtor saw this notice: proof of receipt. Once is enough.

        :param date date: the day on which he did
        :param str kind: a code of :data:`KINDS`
        """
        self.ensure_one()
        if self.state != 'sent' or date < self._get_departure_date() or any(
            receipt.kind == kind and not receipt.withdrawn_on for receipt in self.receipt_ids
        ):
            return self.env['dunning.receipt']
        # sudo: the debtor himself gives the evidence, and the caller checked that it is his notice
        return self.sudo()._add_receipt(kind, date, channel=channel).sudo(False)

    def action_enter_receipt(self):
        """Ask what is known of the receipt of this notice."""
        self.ensure_one()
        self.check_access('write')
        if self.state != 'sent' or self.channel in MANUAL_CHANNELS:
            raise UserError(self.env._(
                "Receipt can be entered for a letter or e-mail that has left and counts. This one is: %s.",
                dict(self._fields['state']._description_selection(self.env))[self.state].lower()))
        return self.env['dunning.receipt.enter']._action_open(self)

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
        """Return SQL of what debtors of a creditor heard from it: ``partner_id`` and ``date``, a row per contact."""
        return SQL("SELECT partner_id, date FROM (%s) notice", self._get_contact_rows_sql(
            SQL("notice.company_id IN %s", company._get_dunning_company_ids())))

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
             WHERE company_id IN %(companies)s AND channel <> 'task'
               AND (state = ANY(%(told)s) AND (date = %(day)s OR posted_on = %(day)s)
                    OR state IN ('draft', 'queued', 'todo', 'to_post', 'leaving') AND date_planned = %(day)s)
            """,
            companies=company._get_dunning_company_ids(), told=list(TOLD_STATES), day=day,
            to_flush=[self._fields[name] for name in (
                'company_id', 'partner_id', 'recipient_id', 'currency_id', 'level_id', 'channel', 'date', 'posted_on',
                'date_planned', 'state')])

    @api.model
    def _get_letters_sql(self, company, roles, wanted):
        """Return SQL of the letters with a legal role that left and stand, the oldest first, one row each.

        What each told of its items, and the evidence of its receipt, are lists in JSON. Entries have no number: their
        labels were typed, and may be completed.

        :param roles: those asked about
        :param SQL wanted: condition on ``notice`` and the debtor's ``partner``
        """
        Line, Receipt = self.env['dunning.notice.line'], self.env['dunning.receipt']
        return SQL(
            """
            SELECT notice.id, notice.name, notice.partner_id, notice.legal_role,
                   notice.debtor_type, notice.date, notice.deadline,
                   notice.posted_on, notice.mail_message_id IS NOT NULL, notice.postal_state IS NOT NULL,
                   notice.amount_announced, notice.claim_data->'costs_bases'->0->>'vat_rate', notice.apart_data,
                   notice.receipt_kind,
                   (SELECT JSONB_AGG(JSONB_BUILD_ARRAY(
                               line.move_line_id, CASE WHEN move.move_type = 'entry' THEN '' ELSE line.name END,
                               line.amount_original, line.date_maturity))
                      FROM dunning_notice_line line LEFT JOIN account_move move ON move.id = line.move_id
                     WHERE line.notice_id = notice.id AND line.status = 'sent' AND line.move_line_id IS NOT NULL),
                   (SELECT JSONB_AGG(JSONB_BUILD_ARRAY(receipt.kind, receipt.date, EXISTS (
                               SELECT FROM ir_attachment proof
                                WHERE proof.res_model = 'dunning.receipt' AND proof.res_field = 'proof'
                                  AND proof.res_id = receipt.id)))
                      FROM dunning_receipt receipt
                     WHERE receipt.notice_id = notice.id AND receipt.withdrawn_on IS NULL)
              FROM dunning_notice notice
              JOIN res_partner partner ON partner.id = notice.partner_id
             WHERE notice.company_id IN %(companies)s AND notice.state = 'sent' AND notice.legal_role = ANY(%(roles)s)
               AND %(wanted)s
          ORDER BY notice.date, notice.id
            """,
            companies=company._get_dunning_company_ids(), roles=list(roles), wanted=wanted,
            to_flush=[
                *(self._fields[name] for name in (
                    'name', 'partner_id', 'legal_role', 'claim_data', 'debtor_type', 'date', 'deadline', 'posted_on',
                    'mail_message_id', 'postal_state', 'amount_announced', 'apart_data', 'receipt_kind', 'company_id',
                    'state')),
                *(Line._fields[name] for name in (
                    'move_line_id', 'move_id', 'name', 'amount_original', 'date_maturity', 'notice_id', 'status')),
                self.env['account.move']._fields['move_type'],
                *(Receipt._fields[name] for name in ('kind', 'date', 'notice_id', 'withdrawn_on'))])

    @api.model
    def _get_past_sql(self, day):
        """Return SQL of the notices as they stood at the end of a day, with all their columns."""
        return select_changed(self, {
            'state': SQL("CASE WHEN state IN ('sent', 'skipped') AND date > %s THEN 'queued' ELSE state END", day),
            'costs_from': SQL("CASE WHEN date > %s THEN NULL ELSE costs_from END", day),
        }, where=SQL("date_planned <= %s", day, to_flush=[self._fields['date_planned'], self._fields['date']]))

    @api.model
    def _get_waiting_calls_sql(self):
        """Return SQL of the calls that the ladder asks for, per creditor, debtor and currency: how many, since when.

        The creditor is ``company_id``.
        """
        return SQL(
            """
            SELECT %(creditor)s AS company_id, partner_id, currency_id, COUNT(*)::int AS call_notice_count,
                   MIN(date) AS call_notice_date
              FROM dunning_notice
             WHERE state = 'todo' AND channel = 'phone'
          GROUP BY %(creditor)s, partner_id, currency_id
            """, creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("company_id")),
            to_flush=[self._fields[name] for name in (
                'company_id', 'partner_id', 'currency_id', 'channel', 'date', 'state')])
