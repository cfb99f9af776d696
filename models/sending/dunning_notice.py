"""How a notice leaves: approving, sending, posting, and what a person may change before that."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from ..kernel.dunning_field import WholeJson
from ..ladder.dunning_level import MANUAL_CHANNELS
from ..notice.dunning_notice import MADE_STATES, PENDING_STATES, USER_WRITABLE
from ..notice.dunning_notice_evidence import TOLD_STATES
from .dunning_notice_delivery import LACKS

# What a person can change on the form of a proposal, and whoever approves has to see.
CONTENT_FIELDS = ('recipient_id', 'channel', 'lang')
# Of fewer notices nobody needs to be told how far they are.
SMALLEST_BATCH = 2
USER_WRITABLE_SENDING = USER_WRITABLE | {'letter_lang'}
# States of notices that were let go by the dispatcher.
GONE_STATES = (*TOLD_STATES, 'undelivered')
PROGRESS = 'l10n_nl_dunning.progress'


class DunningNotice(models.Model):
    _name = 'dunning.notice'
    _inherit = [
        'dunning.notice.approval', 'dunning.notice.editing', 'dunning.notice.delivery', 'dunning.notice.withdrawal',
        'dunning.notice.standing', 'dunning.notice']

    # The choice of a language writes the language code.
    _user_writable = USER_WRITABLE_SENDING

    # Approval
    maker_ids = fields.Many2many(
        comodel_name='res.users', relation='dunning_notice_maker_rel', string="Made or Changed By", readonly=True,
        copy=False, help="Empty: the scheduled action made it and nobody changed it.")
    approver_id = fields.Many2one(comodel_name='res.users', string="Approved By", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    approved = fields.Boolean(
        compute='_compute_approved', store=True, help="A person let it go; it never stops and asks.")
    change_count = fields.Integer(readonly=True, copy=False, help="How often a person changed it.")
    # A smaller amount, such as after a split, does not take a second pair of eyes away.
    colleague_kept = fields.Boolean(readonly=True, copy=False)

    # Changes of a proposal
    level_reason = fields.Char(
        string="Why This Level", readonly=True, copy=False, help="Why a person chose another level.")
    split_from_id = fields.Many2one(
        comodel_name='dunning.notice', string="Split Off From", readonly=True, copy=False, index='btree_not_null')
    split_ids = fields.One2many(comodel_name='dunning.notice', inverse_name='split_from_id', string="Split Off")
    merged_into_id = fields.Many2one(
        comodel_name='dunning.notice', readonly=True, copy=False, index='btree_not_null')
    proposed_data = WholeJson(readonly=True, copy=False)
    approved_data = WholeJson(readonly=True, copy=False)
    left_data = WholeJson(readonly=True, copy=False)
    # The language code is a column; people choose a name.
    letter_lang = fields.Selection(
        selection=lambda self: self.env['dunning.policy']._selection_lang(), string="Letter In",
        compute='_compute_letter_lang', inverse='_inverse_letter_lang')

    look_first_text = fields.Char(string="Look First", compute='_compute_look_first_text')

    # The queue
    asked_on = fields.Datetime(
        readonly=True, copy=False, help="When the dispatcher last looked at it.")
    failed_on = fields.Datetime(readonly=True, copy=False)
    batch_id = fields.Many2one(
        comodel_name='dunning.notice', string="Sent Together With", readonly=True, copy=False, index='btree_not_null',
        help="The first of the notices that a user put into the queue at one moment, also on that one itself.")

    # Delivery
    detour = fields.Selection(
        selection=LACKS, string="Other Channel Because", readonly=True, copy=False,
        help="What the channel of the level lacked, so that the notice takes another way.")
    detour_bounced_on = fields.Date(string="Address Bounced On", readonly=True, copy=False)
    tracking_code = fields.Char(
        readonly=True, copy=False, help="Of registered post: the number on the receipt of the post.")
    post_proof = fields.Binary(
        string="Receipt of the Post", attachment=True, readonly=True, copy=False,
        help="What the post gave for handing in the registered letter.")
    post_proof_filename = fields.Char(readonly=True, copy=False)

    # What was asked and not owed
    is_wrong = fields.Boolean(
        string="Wrong", compute='_compute_wrong', store=True, default=False,
        help="Part or all of what it asked had been paid or credited before the day it left.")
    wrong_amount = fields.Monetary(string="Not Owed", compute='_compute_wrong', store=True, default=0.0)
    wrong_percent = fields.Float(
        string="Wrong (%)", compute='_compute_wrong', store=True, default=0.0, aggregator='avg', digits=(6, 2),
        help="100 for a wrong notice, else 0: the average is the rate of wrong notices.")
    withdrawn_on = fields.Date(readonly=True, copy=False)

    # What the next claim of a company reads, in its order.
    _queue_idx = models.Index("(company_id, asked_on NULLS FIRST, id) WHERE state = 'queued'")
    # Which company was dispatched longest ago.
    _asked_idx = models.Index("(company_id, asked_on) WHERE asked_on IS NOT NULL")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('lang')
    def _compute_letter_lang(self):
        known = {code for code, _name in self.env['dunning.policy']._selection_lang()}
        for notice in self:
            notice.letter_lang = notice.lang if notice.lang in known else False

    @api.depends('partner_id', 'recipient_id', 'company_id', 'level_id', 'amount_due_company')
    def _compute_look_first_text(self):
        """Say what a person looks at before a letter goes: to another country, to who reads another language, or to a
        supplier to whom at least as much is owed.
        """
        Item = self.env['account.move.line']
        owed = {
            (company.id, debtor_id): amount for company, notices in self.grouped('company_id').items()
            for debtor_id, amount in Item._get_dunning_payables(company, notices.partner_id.ids).items()}
        for notice in self:
            sentences = []
            if notice.company_id._is_dunning_abroad(notice.partner_id):
                sentences.append(self.env._(
                    "The debtor is a consumer in %s, whose law may ask for another letter. This one therefore waits "
                    "for your approval, and no interest and collection costs of Dutch law are asked.",
                    notice.partner_id.country_id.name))
            spoken = (notice.recipient_id or notice.partner_id)._get_dunning_lang()
            nearest = notice.policy_id and notice.policy_id._nearest_letter_lang(spoken)
            if spoken and nearest and spoken[:2] != nearest[:2]:
                sentences.append(self.env._(
                    "There is no text in the language of the debtor (%(spoken)s), so it is in %(written)s.",
                    spoken=notice._name_lang(spoken), written=notice._name_lang(notice.lang)))
            payable = owed.get((notice.company_id.id, notice.partner_id.id), 0.0)
            if payable and payable >= notice.amount_due_company:
                sentences.append(self.env._(
                    "We owe this debtor %s as a supplier, at least what is asked here. Consider setting the two off "
                    "against each other (article 6:127 of the Dutch Civil Code).",
                    format_amount(self.env, payable, notice.company_id.currency_id)))
            notice.look_first_text = " ".join(sentences)

    def _inverse_letter_lang(self):
        for notice in self:
            if notice.letter_lang and notice.letter_lang != notice.lang:
                notice.lang = notice.letter_lang

    @api.depends('line_ids.wrong_amount')
    def _compute_wrong(self):
        for notice in self:
            notice.wrong_amount = sum(notice.line_ids.mapped('wrong_amount'))
            notice.is_wrong = bool(notice.wrong_amount)
            notice.wrong_percent = 100.0 if notice.is_wrong else 0.0

    def _get_mail_thread_data_attachments(self):
        # EXTENDS 'mail': core finds the files of a notice that the user sees a part of, and fails on reading them.
        return super()._get_mail_thread_data_attachments() if self._sees_whole() else self.env['ir.attachment']

    # -------------------------------------------------------------------------
    # CHANGING
    # -------------------------------------------------------------------------

    def _write_by_user(self, vals):
        # Hook: whoever changes a proposal cannot approve it, and what was approved before was not this.
        if not vals.keys() & {*CONTENT_FIELDS, 'letter_lang'}:
            return super()._write_by_user(vals)
        self._check_content(vals)
        before = {notice: [notice[name] for name in CONTENT_FIELDS] for notice in self}
        needing = self.filtered(
            lambda notice: notice.state in ('draft', 'queued', 'error') and notice._needs_colleague())
        result = super()._write_by_user(vals)
        if vals.keys() & {'channel', 'recipient_id'}:
            # Whoever chooses a channel or addressee needs no explanation of it.
            self.filtered('detour')._recording().write({'detour': False, 'detour_bounced_on': False})
        for notice in self:
            if [notice[name] for name in CONTENT_FIELDS] != before[notice]:
                notice._record_change(" ".join(notice._describe_edit(*before[notice])), notice in needing)
        return result

    def _check_content(self, vals):
        """Raise when a user lets a letter go to somebody else, or what has to be written go by telephone."""
        recipient = self.env['res.partner'].browse(vals.get('recipient_id'))
        for notice in self:
            if recipient and recipient.commercial_partner_id != notice.partner_id.commercial_partner_id:
                raise UserError(self.env._(
                    "%(person)s does not belong to %(debtor)s, and the letter says what that debtor owes. Add the "
                    "person as a contact of the debtor first.",
                    person=recipient.display_name, debtor=notice.partner_id.display_name))
            if vals.get('channel') in MANUAL_CHANNELS and notice.level_id.legal_role:
                raise UserError(self.env._(
                    "“%(level)s” has to be written to have effect. Choose e-mail, letter or both.",
                    level=notice.level_id.name))

    def _readdress(self, decisions):
        """Address a notice anew: whom it was for is nobody of the debtor any more.

        :param dict decisions: of the planner by item
        """
        self.ensure_one()
        left = self.recipient_id
        found = (decisions[item.id] for item in self.live_line_ids.move_line_id)
        self._recording().recipient_id = next(
            (decision.recipient_id for decision in found if decision.recipient_id), self.partner_id.id)
        self._log_act(lambda notice: notice.env._(
            "Addressed to %(new)s: %(old)s is no contact of the debtor any more.",
            new=notice.recipient_id.display_name, old=left.display_name))

    def message_update(self, msg_dict, update_vals=None):
        # EXTENDS 'mail': a debtor who answers is read before the next reminder leaves.
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for notice in self:
            notice.partner_id._pause_for_reply(notice.company_id, notice, msg_dict)
        return result

    def _mark_failed(self, message):
        """Take notices out of the queue with a message a user can act on."""
        # When it failed, so that the check of a day sees many failures in a row.
        self._recording().write({
            'state': 'error', 'error_message': message, 'failed_on': fields.Datetime.now()})
        self._log_act(lambda notice: notice.env._("Failed: %s", notice.error_message))

    # -------------------------------------------------------------------------
    # THE QUEUE
    # -------------------------------------------------------------------------

    def _begin_batch(self):
        """Remember that the user let these notices go together, in as far as they are in the queue now."""
        queued = self.filtered(lambda notice: notice.state == 'queued')
        for notices in queued.grouped('company_id').values():
            together = len(notices) >= SMALLEST_BATCH
            notices._recording().write({'batch_id': together and notices[0].id})

    def _get_batch_progress(self):
        """Return how far the notices are that were sent together with each of these first ones.

        :return: list of dicts with ``id``, ``text``, ``done``, ``total``, ``failed`` and ``may_stop``
        """
        counts = {batch.id: {} for batch in self}
        for batch, state, count in self._read_group(
            [('batch_id', 'in', self.ids)], ['batch_id', 'state'], ['__count']
        ):
            counts[batch.id][state] = count
        progress = []
        for batch_id, states in counts.items():
            total, queued, failed = sum(states.values()), states.get('queued', 0), states.get('error', 0)
            stopped, gone = states.get('draft', 0), sum(states.get(state, 0) for state in GONE_STATES)
            other = total - gone - queued - failed - stopped if not queued else 0
            sentences = [self.env._("%(gone)s of %(total)s reminders left.", gone=gone, total=total)]
            sentences += [sentence for count, sentence in (
                (queued, self.env._("%s are in the queue.", queued)),
                (failed, self.env._("%s failed.", failed)),
                (stopped, self.env._("%s were stopped and are proposals again.", stopped)),
                (other, self.env._(
                    "%s did not leave: nothing was owed any more, or somebody decided otherwise.", other)),
            ) if count]
            progress.append({
                'id': batch_id, 'text': " ".join(sentences), 'done': total - queued, 'total': total,
                'failed': failed, 'may_stop': self._may_stop_batch()})
        return progress

    def _send_progress(self):
        """Show the users who let these notices go how far they are, as soon as this is committed."""
        for user, notices in self.filtered('batch_id').grouped('author_id').items():
            # sudo: counts of what the user let go
            for progress in notices.batch_id.with_context(lang=user.lang).sudo()._get_batch_progress():
                user._bus_send(PROGRESS, progress)

    @api.model
    def _may_stop_batch(self):
        return self.env.user.has_group('account.group_account_invoice') or self.env.su

    @api.model
    def get_dunning_running(self):
        """Return what the list of notices says about what is being sent in the current companies.

        :return: see :meth:`_get_batch_progress`
        """
        self.check_access('read')
        groups = self._read_group(
            Domain('company_id', 'in', self.env.companies.ids) & Domain('state', '=', 'queued')
            & Domain('batch_id', '!=', False), ['batch_id'], [])
        return self.browse(sorted(batch.id for [batch] in groups))._get_batch_progress()

    def action_show_batch(self):
        """Show what was sent together with this notice."""
        self.ensure_one()
        return self.search([('batch_id', '=', self.id)])._get_action_show()

    def action_stop_batch(self):
        """Make proposals of what was sent together with this notice and is still in the queue."""
        self.ensure_one()
        self.check_access('read')
        if not self._may_stop_batch():
            raise AccessError(self.env._("Only accountants can stop reminders that are being sent."))
        queued = self.search([('batch_id', '=', self.id), ('state', '=', 'queued')])
        stopped = queued.try_lock_for_update()
        leaving = len(queued - stopped)  # a process has them in hand
        if not stopped:
            raise UserError(self.env._(
                "%s reminders are leaving at this moment; they cannot be stopped.", leaving) if leaving
                else self.env._("Nothing is left to stop: all reminders left or were stopped."))
        stopped._recording().write(stopped._get_unapproved_vals())
        stopped._message_log_batch({
            notice.id: self.env._("%s stopped it; it is a proposal again.", self.env.user.name) for notice in stopped})
        message = self.env._("%(count)s reminders were stopped and are proposals again.", count=len(stopped))
        if leaving:
            message += " " + self.env._("%s were leaving at this moment.", leaving)
        return stopped._notify_result(message, stopped)

    # -------------------------------------------------------------------------
    # ACTIONS OF USERS
    # -------------------------------------------------------------------------

    def action_approve(self):
        """Put proposals (and failed notices) into the queue and wake the dispatcher.

        Of many, those that need a colleague stay proposals.
        """
        self._check_may_decide()
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        refused = todo._queue_allowed()
        if refused and refused == todo:
            raise UserError(refused._explain_refused())
        self.env['dunning.dispatcher']._trigger()
        return todo._leave_together()

    def _leave_together(self):
        """Return a notification of what leaves of these in a moment, as one batch; the others wait for a colleague."""
        going = self.filtered(lambda notice: notice.state == 'queued')
        kept = self - going
        going._begin_batch()
        if not kept:
            return going._notify_result(self.env._("%(count)s notices are on their way.", count=len(going)))
        return self._notify_result(
            self.env._(
                "%(count)s notices are on their way, %(left)s stay proposals. %(why)s",
                count=len(going), left=len(kept), why=kept._explain_refused()),
            kind='warning')

    def action_retry(self):
        """Put failed notices back into the queue."""
        return self.filtered(lambda notice: notice.state == 'error').action_approve()

    def action_send_now(self):
        """Send the notices at once, in this request, and say what became of each."""
        self.check_access('write')
        undecided = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        # Whoever sends by hand what the program queued decides about it, unless it is leaving at this moment.
        undecided |= self.filtered(
            lambda notice: notice.state == 'queued' and not notice.approved).try_lock_for_update()
        refused = undecided._queue_allowed()
        if refused and refused == self:
            raise UserError(refused._explain_refused())
        self.env['dunning.dispatcher']._dispatch_interactively(self - refused)
        return self._notify_outcome()

    def action_cancel(self):
        """Cancel notices that did not leave yet; their items can be planned again."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in PENDING_STATES)
        todo._cancel(self.env._("Cancelled by %s.", self.env.user.name))
        return True

    def action_done(self):
        """Record that the call was made or the task was done: the level rises."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state == 'todo')
        todo._remember()
        for today, batch in todo._group_by_today():
            # The date was so far the day it was handed out.
            batch._recording().write({'date': today, 'deadline': False})
            batch._record_sent(today)
        todo._log_act(lambda notice: notice.env._("Recorded as done."))
        return todo._notify_result(self.env._("Done: %s.", todo._get_first_names()), undo=True)

    def action_skip(self):
        """Pass the call or task over: the ladder goes on, the level does not rise."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state == 'todo')
        todo._remember()
        for today, batch in todo._group_by_today():
            batch._skip(today)
        return todo._notify_result(self.env._("Passed over: %s.", todo._get_first_names()), undo=True)

    def _get_first_names(self):
        return ", ".join(self[:3].mapped('display_name')) + (", …" if len(self) > 3 else "") or self.env._("nothing")

    def _group_by_today(self):
        """Return pairs of what day it is where the creditor is and its notices, whichever company the user is in."""
        return self.grouped(lambda notice: notice.company_id._dunning_today()).items()

    def action_mark_posted(self):
        """Record that printed letters were posted today: the level rises now. Registered post asks its code first."""
        registered, others = self._split_registered()
        result = others._mark_posted() if others or not registered else None
        return registered.action_post_registered() if registered else result

    def action_enter_posted(self):
        """Ask on which day printed letters were posted, and the codes of registered post."""
        self.check_access('write')
        registered, others = self._split_registered()
        letters = others._get_printed() if others or not registered else others
        return self.env['dunning.post.enter']._action_open(registered, letters)

    def _split_registered(self):
        """Return which of these letters wait for the code of registered post, and the others."""
        registered = self.filtered(lambda notice: (
            notice.postal_state == 'printed' and notice.level_id.post_registered and not notice.tracking_code
            and notice.state in (*MADE_STATES, 'sent')))
        return registered, self - registered

    def _get_printed(self):
        """Return the letters that wait to be posted; raise when there are none, or one was not printed yet."""
        letters = self.filtered(lambda notice: (
            notice.state in (*MADE_STATES, 'sent') and notice.postal_state in ('to_print', 'printed')))
        if not letters:
            raise UserError(self.env._("None of the selected notices is a letter that waits to be posted."))
        unprinted = letters.filtered(lambda notice: notice.postal_state == 'to_print')
        if unprinted:
            raise UserError(self.env._(
                "%(count)s of the selected letters were not printed yet (%(notice)s). Print them first.",
                count=len(unprinted), notice=unprinted[:1].display_name))
        return letters

    def _mark_posted(self, posted_on=None):
        """Record that these letters were posted, today or on the given day. Return a notification."""
        self.check_access('write')
        letters = self._get_printed()
        late = letters.filtered(
            lambda notice: notice._gives_less_by(posted_on or notice.company_id._dunning_today()))
        if late:
            late._make_again()
            late._log_act(lambda notice: notice.env._(
                "It was printed with a last day that leaves less than its term when it is posted today, so it is made "
                "again. Do not post the old one."))
            letters -= late
        letters._remember()
        for today, batch in letters._group_by_today():
            day = posted_on or today
            batch._recording().write({'postal_state': 'posted', 'posted_on': day, 'posted_by_id': self.env.uid})
            sent = batch.filtered(lambda notice: notice.state in MADE_STATES)
            sent._record_sent(day)
            (batch - sent)._record_posted(day)  # paper after an e-mail
            self.env['dunning.dispatcher']._schedule_activities(sent, today)
        letters._log_act(lambda notice: notice.env._("Brought to the post."))
        if late:
            return letters._notify_late(late)
        return self._notify_result(
            self.env._("%(count)s letters marked as posted.", count=len(letters)), letters, undo=True)

    def _gives_less_by(self, leaves_on):
        """Return whether what was made prints a last day too early for the day on which it leaves.

        A 14-day letter prints none: on paper it counts from the post, by e-mail it leaves on its own day.
        """
        self.ensure_one()
        if self.level_id.legal_role == 'fourteen_day':
            return self.state == 'leaving' and self.date != leaves_on
        return (
            self.state in MADE_STATES and bool(self.deadline)
            and self.deadline < self._get_printed_deadline(leaves_on))

    def _filter_overtaken(self, leaves_on):
        """Return which of these notices would not say the truth to the right address on the day they leave."""
        now = self._read_snapshots()
        return self.filtered(lambda notice: (
            notice._gives_less_by(leaves_on) or " ".join(notice._get_email().split()) != notice.email_to
            or now[notice.id]['items'] != (notice.left_data or now[notice.id])['items']))

    @api.model
    def _notify_late(self, late):
        """Return a notification about letters that were not posted: they are made again with a later last day."""
        return self._notify_result(self.env._(
            "%(posted)s letters marked as posted. %(late)s were printed on an earlier day and would give too short a "
            "term: they are made again, so print and post the new ones (%(notice)s).",
            posted=len(self), late=len(late), notice=late[:1].display_name), late, kind='warning')

    def action_dunning_send(self):
        """Open the send wizard for these proposals."""
        return self.env['dunning.send']._action_open(notices=self)

    def action_print_pile(self):
        """Print the letters to post as one PDF in postal order."""
        return self.env['dunning.letter']._action_print_pile(self)

    def _notify_outcome(self):
        """Return a notification that says what became of the notices after sending at once."""
        by_state = self.grouped('state')
        labels = dict(self._fields['state']._description_selection(self.env))
        outcome = ", ".join(f"{labels[state]}: {len(group)}" for state, group in by_state.items())
        if not self.filtered('needs_colleague'):
            return self._notify_result(outcome, kind='warning' if 'error' in by_state else 'success')
        return self._notify_result(
            self.env._(
                "%(outcome)s. What stays a proposal needs a colleague: you made or changed it.", outcome=outcome),
            kind='warning')
