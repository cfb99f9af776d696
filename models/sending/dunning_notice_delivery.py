"""By which way a notice reaches somebody, what became of its mail, and how far it got."""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, email_split

from ..kernel.formats import format_day
from ..ladder.dunning_level import MANUAL_CHANNELS
from ..notice.dunning_notice import MADE_STATES
from ..notice.dunning_receipt import ONE_DAY

_logger = logging.getLogger(__name__)
# What a channel lacked.
LACKS = [
    ('email', "No e-mail address"),
    ('bounced', "The e-mail address bounced"),
    ('post', "No postal address"),
    ('phone', "No phone number"),
]
CHANNEL_WAYS = {
    'email': ('email',), 'letter': ('letter',), 'both': ('email', 'letter'), 'phone': ('phone',), 'task': ()}
# Notices that can still take another way.
REROUTABLE = ('draft', 'queued', 'error')
DELIVERY_STATES = [
    ('queued', "In mail queue"),
    ('to_post', "To be posted"),
    ('handed_over', "Handed over"),
    ('posted', "Posted"),
    ('registered', "Registered post"),
    ('opened', "Opened"),
    ('delivered', "Delivered"),
    ('bounced', "E-mail bounced"),
    ('returned', "Letter returned"),
]
# Notices of which something can be said: they left, or wait for the post or the mail server.
GONE = ('to_post', 'leaving', 'sent', 'undelivered', 'withdrawn')
# How long it is looked again what became of a mail.
LOOK_BACK = timedelta(days=90)


class DunningNoticeDelivery(models.AbstractModel):
    """The part of a notice about its delivery."""

    _name = 'dunning.notice.delivery'
    _description = "Dunning Notice"

    detour_text = fields.Char(string="Other Channel", compute='_compute_detour_text')
    delivery_state = fields.Selection(
        selection=DELIVERY_STATES, string="Delivery", compute='_compute_delivery_state', store=True,
        index='btree_not_null', help="How far it got, by the way that got furthest.")
    delivery_ways = fields.Html(string="Ways of Delivery", compute='_compute_delivery_ways', sanitize=False)

    # -------------------------------------------------------------------------
    # WHICH WAY
    # -------------------------------------------------------------------------

    @api.depends('detour', 'detour_bounced_on', 'channel')
    def _compute_detour_text(self):
        Planner = self.env['dunning.planner']
        for notice in self:
            notice.detour_text = notice.detour and Planner._explain_detour(
                notice.detour, notice.channel, notice.detour_bounced_on)

    def _get_ways(self, ways=None):
        """Return what reaches anybody by the ways of its channel: of ``email`` the address, of others whether.

        :param ways: other ones to be asked about
        """
        self.ensure_one()
        ask = {'email': self._get_email, 'letter': self._has_postal_address, 'phone': self._has_phone}
        return {way: ask[way]() for way in ways or CHANNEL_WAYS.get(self.channel, ())}

    def _has_phone(self):
        self.ensure_one()
        return any(person._has_dunning_phone() for person in self._get_people())

    def _reroute(self):
        """Let notices that did not leave take the way that reaches somebody now; back to that of the level if it does.

        A channel that a person chose stays.
        """
        for notice in self.filtered(lambda notice: notice.state in REROUTABLE):
            level = notice.level_id
            if not notice.detour and (notice.channel != level.channel or all(notice._get_ways().values())):
                continue  # a person chose, or the way of the level is open
            reach, bounced_on = notice._get_ways(('email', 'letter', 'phone')), notice._get_bounced_on()
            channel, lacks = level._get_way({**reach, 'bounced': bool(bounced_on)})
            if channel == level.channel and not (channel == 'both' and (reach['email'] or reach['letter'])):
                lacks = False  # nothing else reaches him either: that is said when it fails
            bounced_on = bounced_on if lacks == 'bounced' else False
            if (channel, lacks, bounced_on) != (notice.channel, notice.detour, notice.detour_bounced_on):
                notice._recording().write({'channel': channel, 'detour': lacks, 'detour_bounced_on': bounced_on})

    def _get_bounced_on(self):
        self.ensure_one()
        return max(filter(None, (person.dunning_email_bounced_on for person in self._get_people())), default=False)

    def _explain_unreachable(self):
        """Return why the channel of this notice reaches nobody, and what to do."""
        self.ensure_one()
        bounced_on = self._get_bounced_on()
        lacks = {'letter': 'post', 'phone': 'phone'}.get(self.channel) or ('bounced' if bounced_on else 'email')
        return self.env['dunning.planner']._explain_missing(self.level_id, self.channel, lacks, bounced_on)

    # -------------------------------------------------------------------------
    # WHAT BECAME OF ITS MAIL
    # -------------------------------------------------------------------------

    def _record_mailed(self):
        """Record that mails were accepted: the level counts from now on. Received the day after, to be safe."""
        waiting = self.filtered(lambda notice: (
            notice.state in ('leaving', 'sent') and 'email_accepted' not in notice.receipt_ids.mapped('kind')))
        for day, notices in waiting.grouped(lambda notice: notice._today_or_later()).items():
            leaving = notices.filtered(lambda notice: notice.state == 'leaving')
            leaving._record_departure(day)
            notices._add_receipt('email_accepted', day + ONE_DAY, channel='email')
            for notice in leaving.filtered(lambda notice, day=day: notice.date < day):
                # By a way that did not ask us first. What it prints stays; the ladder waits for the whole term.
                notice._recording().live_line_ids.write({
                    'date': day, 'deadline': max(notice.deadline, notice._get_printed_deadline(day))})
            self.env['dunning.dispatcher']._schedule_activities(leaving, day)

    def _record_departure(self, day):
        """Record that mails were accepted, whatever fails: they cannot be called back. A person does the rest."""
        try:
            with self.env.cr.savepoint():
                self._record_sent(day)
        except OperationalError:
            raise  # another transaction was first: the next night looks again
        except Exception as error:
            _logger.exception("Not all that follows could be recorded of notices %s", self.ids)
            self._write_sent(day)
            for notice in self:
                user = notice._get_responsible() or notice.company_id._get_dunning_manager()
                if user:
                    local = notice.with_context(lang=user.lang)
                    local.activity_schedule(
                        'mail.mail_activity_data_warning', date_deadline=day, user_id=user.id, automated=True,
                        summary=local.env._("It left, and not all that follows was recorded"), note=str(error))

    def _record_bounced(self, reason, *, mark_address=True):
        """Record that mails came back or reached nobody, and remember that their addresses do not work."""
        notices = self.filtered(lambda notice: (
            notice.state in ('leaving', 'sent') and 'bounced' not in notice.receipt_ids.mapped('kind')))
        if mark_address:
            addresses = {email_normalize(notice.email_to or '') for notice in notices} - {False, ''}
            # sudo: an address that does not work does not work for anybody
            self.env['res.partner'].sudo().search([('email_normalized', 'in', list(addresses))]).write({
                'dunning_email_bounced_on': self.env.company._dunning_today()})
        for day, batch in notices.grouped(lambda notice: notice._today_or_later()).items():
            batch._add_receipt(
                'bounced', day, channel='email', note=(reason or '').strip()[:250])
        # With paper to it the letter is left.
        notices.filtered(lambda notice: notice.state == 'leaving')._recording().write({'state': 'to_post'})

    def _record_refused(self, reason):
        """Fail notices whose mail could not be made or was refused for good; of those with paper the letter is left."""
        leaving = self.filtered(lambda notice: notice.state == 'leaving')
        by_post = leaving.filtered('postal_state')
        by_post._record_bounced(reason, mark_address=False)
        for notice in leaving - by_post:
            notice._mark_failed(notice.env._(
                "As far as is known, no mail server accepted the e-mail: %s", (reason or '').strip()[:500]))

    def action_confirm_mailed(self):
        """Record what a person found out: the e-mail of a failed notice was accepted all the same."""
        self.check_access('write')
        failed = self.filtered(lambda notice: notice.state == 'error' and notice.mail_message_id)
        failed._stop_mails()
        failed._recording().write({'state': 'leaving', 'error_message': False})
        failed._record_mailed()
        failed._log_act(lambda notice: notice.env._("Its e-mail was accepted, says %s.", notice.env.user.name))
        return True

    def _today_or_later(self):
        """Return today, or the day on which the notice left when that is later: clocks differ around midnight."""
        self.ensure_one()
        return max(self.company_id._dunning_today(), self._get_departure_date())

    @api.model
    def _follow_mails(self, company, at_date):
        """Look again at mails of which nothing was recorded, such as when a record was locked, and tell who waits."""
        mine = Domain('company_id', 'in', company._get_dunning_company_ids())
        unknown = mine & Domain('mail_message_id', '!=', False) & (
            Domain('state', '=', 'leaving') | Domain('state', '=', 'sent') & Domain('receipt_date', '=', False)
            & Domain('date', '>=', at_date - LOOK_BACK))
        # sudo: the state of our own mails
        notices = self.sudo().search(unknown)
        notices.mail_message_id.notification_ids._record_dunning_delivery(final=True)
        notices.filtered(lambda notice: not notice.mail_id or notice.mail_id.state == 'cancel')._record_refused(
            self.env._("it was taken out of the mail queue."))
        self.search(mine & (
            Domain('state', '=', 'leaving') & Domain('date', '<', at_date)
            | Domain('state', '=', 'error') & Domain('date_planned', '<', at_date)))._tell_stuck(at_date)

    def _tell_stuck(self, at_date):
        """Ask somebody, once, to look at notices that should have left on an earlier day."""
        for notice in self.filtered(lambda notice: not notice.activity_ids.filtered('automated')):
            user = notice._get_responsible() or notice.company_id._get_dunning_manager()
            if not user or notice.partner_id.with_company(notice.company_id).dunning_unreachable_on:
                continue  # who is not reached has a to-do of his own
            local = notice.with_context(lang=user.lang)
            local.activity_schedule(
                'mail.mail_activity_data_warning', date_deadline=at_date, user_id=user.id, automated=True,
                summary=local.env._("It has not left: look at it"),
                note=notice.error_message or local.env._(
                    "Its e-mail waits in the mail queue since %s. Ask your administrator whether the mail queue and "
                    "the mail server work.", format_day(local.env, notice.date)))

    # -------------------------------------------------------------------------
    # HOW FAR IT GOT
    # -------------------------------------------------------------------------

    @api.depends(
        'state', 'channel', 'postal_state', 'tracking_code', 'mail_message_id', 'receipt_ids.kind',
        'receipt_ids.withdrawn_on')
    def _compute_delivery_state(self):
        for notice in self:
            notice.delivery_state = notice._judge_delivery() if (
                notice.state in GONE and notice.channel not in MANUAL_CHANNELS) else False

    def _judge_delivery(self):
        """Return how far a notice that left got: by the way that got furthest, what failed last."""
        self.ensure_one()
        kinds = set(self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on).mapped('kind'))
        if kinds & {'registered', 'acknowledged'}:
            return 'delivered'
        if kinds & {'portal_opened', 'mail_read'}:
            return 'opened'
        by_post = self.postal_state if 'returned' not in kinds else False
        by_mail = self.mail_message_id and 'bounced' not in kinds
        if by_post == 'posted':
            return 'registered' if self.tracking_code else 'posted'
        if by_mail and 'email_accepted' in kinds:
            return 'handed_over'
        if by_post:
            return 'to_post'
        if by_mail:
            return 'queued'
        if 'returned' in kinds:
            return 'returned'
        return 'bounced' if 'bounced' in kinds else False

    @api.depends(
        'delivery_state', 'email_to', 'sent_on', 'posted_on', 'posted_by_id', 'post_proof_filename', 'receipt_ids.date',
        'receipt_ids.note', 'receipt_ids.proof_filename')
    @api.depends_context('lang')
    def _compute_delivery_ways(self):
        for notice in self:
            ways = notice._get_delivery_ways() if notice.delivery_state else []
            notice.delivery_ways = ways and self.env['ir.qweb']._render(
                'l10n_nl_dunning.delivery_ways', {'ways': ways}, minimal_qcontext=True).strip()

    def _get_delivery_ways(self):
        """Return, for each way by which it left, how far it got and what proves that.

        :return: list of dicts ``name, icon, address, badge (label, colour), steps``; a step is ``date, text`` with
            perhaps ``code`` (a tracking code) and ``url, file`` of its proof
        """
        self.ensure_one()
        evidence = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on).sorted('date')
        opened = evidence.filtered(lambda receipt: receipt.kind in ('portal_opened', 'mail_read', 'acknowledged'))
        badges = {
            'email_accepted': (self.env._("Handed over"), 'success'), 'bounced': (self.env._("Came back"), 'danger'),
            'registered': (self.env._("Delivered"), 'success'), 'returned': (self.env._("Came back"), 'danger'),
            'portal_opened': (self.env._("Opened"), 'success'), 'mail_read': (self.env._("Opened"), 'success'),
            'acknowledged': (self.env._("Acknowledged"), 'success')}
        ways = []
        if self.mail_message_id:
            ways.append(self._get_mail_way(evidence, badges))
        if self.postal_state:
            ways.append(self._get_post_way(evidence, badges))
        if opened:
            ways.append({
                'icon': 'fa-check-circle', 'name': self.env._("Debtor"), 'address': self.partner_id.display_name,
                'badge': badges[opened[0].kind], 'steps': [self._get_evidence_step(receipt) for receipt in opened]})
        return ways

    def _get_evidence_step(self, receipt):
        step = {
            'date': format_day(self.env, receipt.date),
            'text': ": ".join(filter(None, [receipt.display_name, receipt.note])),
            'code': receipt.tracking_code}
        if receipt.proof_filename or receipt.proof:
            step['url'] = f"/web/content/dunning.receipt/{receipt.id}/proof?download=true"
            step['file'] = receipt.proof_filename or self.env._("Proof")
        return step

    def _get_mail_way(self, evidence, badges):
        kinds = {receipt.kind: receipt for receipt in evidence}
        left = fields.Datetime.context_timestamp(self, self.sent_on).date() if self.sent_on else self.date
        steps = [{'date': format_day(self.env, left), 'text': self.env._("Put in the mail queue")}]
        badge = (self.env._("In mail queue"), 'info')
        accepted, bounced = kinds.get('email_accepted'), kinds.get('bounced')
        # sudo: the state of our own mail
        failed = self.mail_message_id.sudo().notification_ids.filtered(
            lambda notification: notification.notification_status == 'exception')[:1]
        if accepted:
            badge = badges['email_accepted']
            steps.append({
                'date': format_day(self.env, fields.Date.subtract(accepted.date, days=1)),
                'text': self.env._("Handed over to the mail server")})
        if bounced:
            badge = badges['bounced']
            steps.append(self._get_evidence_step(bounced))
        elif failed and not accepted:
            badge = (self.env._("Not taken yet"), 'warning')
            steps.append({'date': '', 'text': self.env._(
                "The mail server did not take it; it can be tried again. %s",
                (failed.failure_reason or '').strip()[:250])})
        return {
            'icon': 'fa-envelope-o', 'name': self.env._("E-mail"), 'address': ", ".join(email_split(self.email_to)),
            'badge': badge, 'steps': steps}

    def _get_post_way(self, evidence, badges):
        partner, steps = self._get_postal_partner(), []
        kinds = {receipt.kind: receipt for receipt in evidence}
        badge = {
            'to_print': (self.env._("To be printed"), 'warning'), 'printed': (self.env._("To be posted"), 'info'),
            'posted': (self.env._("Posted"), 'success')}[self.postal_state]
        if self.tracking_code and self.postal_state == 'posted':
            badge = (self.env._("Registered, on its way"), 'success')
        if self.postal_state == 'posted':
            steps.append({
                'date': format_day(self.env, self.posted_on), 'code': self.tracking_code,
                'text': self.env._("Posted by %s", self.posted_by_id.name) if self.posted_by_id
                else self.env._("Posted"),
                'url': self.post_proof_filename
                and f"/web/content/dunning.notice/{self.id}/post_proof?download=true",
                'file': self.post_proof_filename})
        if 'post_presumed' in kinds and not kinds.keys() & {'registered', 'returned'}:
            steps.append({
                'date': format_day(self.env, kinds['post_presumed'].date),
                'text': self.env._("Presumed to be delivered")})
        for kind in ('registered', 'returned'):
            if kind in kinds:
                badge = badges[kind]
                steps.append(self._get_evidence_step(kinds[kind]))
        return {
            'icon': 'fa-file-text-o', 'badge': badge, 'steps': steps,
            'name': self.env._("Registered post") if self.tracking_code else self.env._("Post"),
            'address': ", ".join(filter(None, [partner.street, " ".join(filter(None, [partner.zip, partner.city]))]))}

    # -------------------------------------------------------------------------
    # WHAT IT LOOKS LIKE
    # -------------------------------------------------------------------------

    def get_preview_list(self):
        """Return the rows beside the preview; see ``dunning.letter._get_preview_list``."""
        self.check_access('read')
        return self.env['dunning.letter']._get_preview_list(self)

    def get_preview(self):
        """Return what would leave; see ``dunning.letter._get_preview``."""
        self.check_access('read')
        return self.env['dunning.letter']._get_preview(self)

    def send_test(self):
        """Send what would leave to the user who asks; see ``dunning.letter._send_test``."""
        self.check_access('write')
        return self.env['dunning.letter']._send_test(self)

    def _make_previewed(self):
        """Return the notice that would leave; for a preview, which undoes what is made for it."""
        return self

    def _get_letter_url(self):
        """Return where the letter can be seen: as it left, or as it would leave today."""
        return f"/report/pdf/l10n_nl_dunning.report_dunning_letter/{self.id}"

    def _get_left_mail(self):
        """Return the e-mail as it left, in the form of a preview, or {} when none did."""
        message = self.mail_message_id
        if not message or self.state in ('draft', 'queued', 'error'):
            return {}
        self._check_sees_whole()
        return {
            'email_from': message.email_from, 'email_to': self.email_to, 'subject': message.subject,
            'body': message.body, 'attachments': message.attachment_ids.mapped('name')}

    # -------------------------------------------------------------------------
    # REGISTERED POST
    # -------------------------------------------------------------------------

    def action_post_registered(self):
        """Ask the tracking codes of letters that go, or went, by registered post."""
        self.check_access('write')
        letters = self.filtered(lambda notice: (
            notice.state in (*MADE_STATES, 'sent') and notice.postal_state in ('printed', 'posted')
            and not notice.tracking_code))
        if not letters:
            raise UserError(self.env._(
                "Choose letters that were printed: a tracking code belongs to a letter in an envelope."))
        return self.env['dunning.post.enter']._action_open(letters, self.browse())

    def _record_registered(self, code, proof=None, proof_filename=None, posted_on=None):
        """Record that this letter was handed in as registered post, today or on the given day."""
        self.ensure_one()
        self._recording().write({
            'tracking_code': code, 'post_proof': proof, 'post_proof_filename': proof_filename if proof else False})
        if self.postal_state == 'printed':
            self._mark_posted(posted_on)
        self._message_log(body=self.env._("Posted as registered post, tracking code %s.", code))
