"""How a notice is made and leaves: approving, sending, posting, and what a person may change before that."""

from collections import defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..kernel.dunning_recorded import RECORDING
from ..ladder.dunning_level import DETOURS, MANUAL_CHANNELS
from ..notice.dunning_notice import PENDING_STATES
from .dunning_notice_delivery import LACKS

# What a person can change on the form of a proposal, and whoever approves has to see.
CONTENT_FIELDS = ('recipient_id', 'channel', 'lang')
# Of fewer notices nobody needs to be told how far they are.
SMALLEST_BATCH = 2


class DunningNotice(models.Model):
    _name = 'dunning.notice'
    _inherit = [
        'dunning.notice.approval', 'dunning.notice.editing', 'dunning.notice.changes', 'dunning.notice.delivery',
        'dunning.notice.withdrawal', 'dunning.notice']

    # Approval
    maker_ids = fields.Many2many(
        comodel_name='res.users', relation='dunning_notice_maker_rel', string="Made or Changed By", readonly=True,
        copy=False, help="Empty: the scheduled action made it and nobody changed it.")
    approver_id = fields.Many2one(comodel_name='res.users', string="Approved By", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    approved = fields.Boolean(readonly=True, copy=False, help="A person let it go; it never stops and asks.")
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
    proposed_data = fields.Json(readonly=True, copy=False)
    approved_data = fields.Json(readonly=True, copy=False)
    left_data = fields.Json(readonly=True, copy=False)
    # The language code is a column; people choose a name.
    letter_lang = fields.Selection(
        selection=lambda self: self.env['dunning.policy']._selection_lang(), string="Letter In",
        compute='_compute_letter_lang', inverse='_inverse_letter_lang')

    # The queue
    asked_on = fields.Datetime(
        readonly=True, copy=False, help="When the dispatcher last found that it has to wait in the queue.")
    failed_on = fields.Datetime(readonly=True, copy=False)
    breaker_id = fields.Many2one(
        comodel_name='dunning.breaker', string="Stopped By", readonly=True, copy=False, index='btree_not_null')
    batch_id = fields.Many2one(
        comodel_name='dunning.batch', string="Sent Together", readonly=True, copy=False, index='btree_not_null')

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

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('lang')
    def _compute_letter_lang(self):
        known = {code for code, _name in self.env['dunning.policy']._selection_lang()}
        for notice in self:
            notice.letter_lang = notice.lang if notice.lang in known else False

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

    # -------------------------------------------------------------------------
    # MAKING NOTICES OUT OF DECISIONS
    # -------------------------------------------------------------------------

    @api.model
    def _create_from_decisions(self, company, decisions, at_date, *, origin='scheduled', state='draft', forced=False):
        """Make notices of due decisions: one per debtor, currency, recipient and what can be said in one message.

        Items join a proposal that already waits for the same. A notice is of the highest level of its items. Notices
        that need a colleague are proposals, whatever the state asked for.

        :param decisions: :class:`Decision` list of ``company``, only those that are due
        :return: the notices, new and joined
        """
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        waiting = self._get_waiting_proposals(company, groups) if state == 'draft' else {}
        shared = {
            'company_id': company.id, 'state': state, 'origin': origin, 'forced': forced, 'date_planned': at_date}
        new_keys = [key for key in groups if key not in waiting]
        # Not tracked, since a new notice has no followers and no log.
        Notice = self.with_company(company)._recording().with_context(tracking_disable=True)
        created = Notice.browse()
        if new_keys:
            created = Notice.create([{**shared, **self._prepare_from_decisions(groups[key])} for key in new_keys])
        if waiting:
            self._join({notice: groups[key] for key, notice in waiting.items()})
        notices = dict(zip(new_keys, created.with_env(self.env), strict=True)) | waiting
        made = self.union(*(notices[key] for key in groups))
        made._update_claim(at_date)
        if self.env.context.get('dunning_preview') is RECORDING:
            return made
        if origin == 'manual':
            made._add_maker()
        if state == 'queued':
            made.filtered(lambda notice: notice._needs_colleague())._recording().write({'state': 'draft'})
        made._take_snapshots('proposed_data')
        return made

    @api.model
    def _prepare_from_decisions(self, decisions):
        """Return the values of a new notice of these decisions: of the one of the highest level, and its lines."""
        head = max(decisions, key=lambda decision: decision.level_rank)
        lacks, bounced_on = self._get_detour(decisions, head.level_id, head.channel)
        return {
            'partner_id': head.partner_id,
            'currency_id': head.currency_id,
            'recipient_id': head.recipient_id,
            'level_id': head.level_id,
            'channel': head.channel,
            'detour': lacks,
            'detour_bounced_on': bounced_on,
            'backlog': any(decision.backlog for decision in decisions),
            'line_ids': [Command.create(self._prepare_line(decision)) for decision in decisions],
        }

    @api.model
    def _get_detour(self, decisions, level_id, channel):
        """Return why a notice goes by another channel than its level, and since when it bounced; or (False, False)."""
        found = (False, False)
        for decision in decisions:
            if decision.detour and decision.level_id == level_id and decision.channel == channel:
                own = self.env['dunning.level'].browse(level_id).channel
                if channel == own == 'both' or channel in DETOURS.get(own, ()):
                    found = (decision.detour, decision.bounced_on or False)
        return found

    @api.model
    def _prepare_line(self, decision):
        """Return the values of a line for a due decision; the dispatcher completes them."""
        return {
            'level_id': decision.level_id,
            'status': 'pending',
            'move_line_id': decision.item_id,
            'move_id': decision.move_id,
            'date_maturity': decision.due_date,
            'amount_residual': decision.amount_residual,
            'amount_netted': decision.amount_netted,
            'amount_held': decision.amount_held,
            'amount_due_company': decision.amount_company,
        }

    def _get_waiting_proposals(self, company, keys):
        """Return ``{key: notice}`` of the proposals that items of these groups can join."""
        proposals = self.search([
            ('company_id', '=', company.id), ('state', '=', 'draft'),
            ('partner_id', 'in', [key[0] for key in keys]),
        ]).try_lock_for_update()  # nobody may send a proposal while an item joins it
        found = {
            (n.partner_id.id, n.currency_id.id, n.recipient_id.id, n.level_id._get_said(n.channel)): n
            for n in proposals}
        return {key: found[key] for key in keys if key in found}

    @api.model
    def _join(self, groups):
        """Add the items of decisions to proposals.

        :param groups: ``{notice: decisions}``
        """
        self._add_lines(groups)
        for notice, decisions in groups.items():
            notice._settle_level()
            lacks, bounced_on = self._get_detour(decisions, notice.level_id.id, notice.channel)
            if lacks:
                notice._recording().write({'detour': lacks, 'detour_bounced_on': bounced_on})

    @api.model
    def _add_lines(self, groups):
        """Make the lines of decisions on notices that are there; parameter as of :meth:`_join`."""
        self._recording().env['dunning.notice.line'].create([
            {'notice_id': notice.id, **self._prepare_line(decision)}
            for notice, decisions in groups.items() for decision in decisions])

    def _settle_level(self):
        """Let the level of notices be the highest of their items, as their texts are."""
        for notice in self:
            levels = notice.live_line_ids.level_id.sorted(lambda level: (level.sequence, level.id))
            if levels and levels[-1] != notice.level_id:
                vals = {'level_id': levels[-1].id}
                if notice.channel == notice.level_id.channel:
                    vals['channel'] = levels[-1].channel
                notice._recording().write(vals)

    # -------------------------------------------------------------------------
    # CHANGING
    # -------------------------------------------------------------------------

    def write(self, vals):
        # EXTENDS 'mail': whoever changes a proposal cannot approve it, and what was approved before was not this.
        if self._is_recording() or not vals.keys() & {*CONTENT_FIELDS, 'letter_lang'}:
            return super().write(vals)
        before = {notice: [notice[name] for name in CONTENT_FIELDS] for notice in self}
        needing = self.filtered(
            lambda notice: notice.state in ('draft', 'queued', 'error') and notice._needs_colleague())
        result = super().write(vals)
        if vals.keys() & {'channel', 'recipient_id'}:
            # Whoever chooses a channel or addressee needs no explanation of it.
            self.filtered('detour')._recording().write({'detour': False, 'detour_bounced_on': False})
        for notice in self:
            if [notice[name] for name in CONTENT_FIELDS] != before[notice]:
                notice._record_change(" ".join(notice._describe_edit(*before[notice])), notice in needing)
        return result

    def _check_user_write(self, vals):
        # Hook: a choice of a language is one of the language code; nobody else gets the debtor's letter.
        result = super()._check_user_write({name: value for name, value in vals.items() if name != 'letter_lang'})
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
        return result

    def message_update(self, msg_dict, update_vals=None):
        # EXTENDS 'mail': a debtor who answers is read before the next reminder leaves.
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for notice in self:
            notice.partner_id._pause_for_reply(notice.company_id, notice, msg_dict)
        return result

    def _mark_failed(self, message):
        """Take notices out of the queue with a message a user can act on."""
        # When it failed, so that the circuit breaker sees many failures in a row.
        self._recording().write({
            'state': 'error', 'error_message': message, 'failed_on': fields.Datetime.now()})
        self._log_act(lambda notice: notice.env._("Failed: %s", notice.error_message))

    def _mark_undelivered(self, why=None):
        # Hook: a 14-day letter after a notice of default that reached nobody has no effect.
        result = super()._mark_undelivered(why)
        self.filtered(lambda notice: notice.legal_role == 'default_notice')._take_back_what_followed()
        return result

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

    # -------------------------------------------------------------------------
    # THE QUEUE
    # -------------------------------------------------------------------------

    def _begin_batch(self):
        """Remember that the user let these notices go together, in as far as they are in the queue now."""
        queued = self.filtered(lambda notice: notice.state == 'queued')
        for company, notices in queued.grouped('company_id').items():
            if len(notices) < SMALLEST_BATCH:
                continue
            # sudo: written by the program only
            batch = self.env['dunning.batch'].sudo().create({
                'company_id': company.id, 'user_id': self.env.uid, 'total': len(notices)})
            notices._recording().write({'batch_id': batch.id})

    @api.model
    def get_dunning_running(self):
        """Return what the list of notices says about what is being sent in the current companies.

        :return: list of dicts with ``id``, ``text``, ``done``, ``total`` and ``may_stop``
        """
        self.check_access('read')
        groups = self._read_group(
            Domain('company_id', 'in', self.env.companies.ids) & Domain('state', '=', 'queued')
            & Domain('batch_id', '!=', False) & Domain('breaker_id', '=', False), ['batch_id'], [])
        batches = self.env['dunning.batch'].browse([batch.id for [batch] in groups])
        return [batch._get_progress() for batch in batches.sorted('id')]

    @api.model
    def get_dunning_stopped(self):
        """Return what the list of notices says about stopped queues of the current companies.

        :return: list of dicts with ``id``, ``text`` and ``may_decide``
        """
        self.check_access('read')
        breakers = self.env['dunning.breaker'].search([
            ('state', '=', 'stopped'), ('company_id', 'in', self.env.companies.ids)])
        return [
            {'id': breaker.id, 'text': breaker._get_text(with_company=len(self.env.companies) > 1),
             'may_decide': breaker._may_decide()}
            for breaker in breakers]

    # -------------------------------------------------------------------------
    # ACTIONS OF USERS
    # -------------------------------------------------------------------------

    def action_approve(self):
        """Put proposals (and failed notices) into the queue and wake the dispatcher.

        Of many, those that need a colleague stay proposals.
        """
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        refused = todo._get_refused()
        if refused and refused == todo:
            raise UserError(refused._explain_refused())
        going = todo - refused
        going._queue()
        self.env['dunning.dispatcher']._trigger()
        going._begin_batch()
        if not refused:
            return going._notify_result(self.env._("%(count)s notices are on their way.", count=len(going)))
        return todo._notify_result(
            self.env._(
                "%(count)s notices are on their way. %(left)s stay proposals for a colleague, since you made or "
                "changed them.", count=len(going), left=len(refused)),
            kind='warning')

    def action_retry(self):
        """Put failed notices back into the queue."""
        return self.filtered(lambda notice: notice.state == 'error').action_approve()

    def action_send_now(self):
        """Send the notices at once, in this request, and say what became of each."""
        self.check_access('write')
        refused = self.filtered(lambda notice: notice.state in ('draft', 'error'))._get_refused()
        if refused and refused == self:
            raise UserError(refused._explain_refused())
        going = self - refused
        # Whoever sends a stopped notice by hand decides about it.
        going.filtered(lambda notice: (
            notice.state in ('draft', 'error') or (notice.state == 'queued' and notice.breaker_id)))._queue()
        self.env['dunning.dispatcher']._dispatch_interactively(going)
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
        today = self.env.company._dunning_today()
        todo = self.filtered(lambda notice: notice.state == 'todo')
        # The date was so far the day it was handed out.
        todo._recording().write({'date': today, 'deadline': False})
        todo._record_sent(today)
        todo._log_act(lambda notice: notice.env._("Recorded as done."))
        return True

    def action_skip(self):
        """Pass the call or task over: the ladder goes on, the level does not rise."""
        self.check_access('write')
        self.filtered(lambda notice: notice.state == 'todo')._skip(self.env.company._dunning_today())
        return True

    def action_mark_posted(self):
        """Record that printed letters were posted: the level rises now. Of registered post it asks the code first."""
        registered = self.filtered(lambda notice: (
            notice.postal_state == 'printed' and notice.level_id.post_registered and not notice.tracking_code
            and notice.state in ('to_post', 'sent')))
        others = self - registered
        result = others._mark_posted() if others or not registered else None
        return registered.action_post_registered() if registered else result

    def _mark_posted(self):
        """Record that these letters were posted. Return a notification."""
        self.check_access('write')
        letters = self.filtered(lambda notice: (
            notice.state in ('to_post', 'sent') and notice.postal_state in ('to_print', 'printed')))
        if not letters:
            raise UserError(self.env._("None of the selected notices is a letter that waits to be posted."))
        unprinted = letters.filtered(lambda notice: notice.postal_state == 'to_print')
        if unprinted:
            raise UserError(self.env._(
                "%(count)s of the selected letters were not printed yet (%(notice)s). Print them first.",
                count=len(unprinted), notice=unprinted[:1].display_name))
        today = self.env.company._dunning_today()
        letters._recording().write({'postal_state': 'posted', 'posted_on': today, 'posted_by_id': self.env.uid})
        sent = letters.filtered(lambda notice: notice.state == 'to_post')
        sent._record_sent(today)
        (letters - sent)._record_posted(today)  # paper after an e-mail
        self.env['dunning.dispatcher']._schedule_activities(sent, today)
        letters._log_act(lambda notice: notice.env._("Brought to the post."))
        return self._notify_result(self.env._("%(count)s letters marked as posted.", count=len(letters)), letters)

    def action_dunning_send(self):
        """Open the send wizard for these proposals."""
        return self.env['dunning.send']._action_open(notices=self)

    def action_preview(self):
        """Show the letter as it would look today; nothing is stored."""
        self.ensure_one()
        return self.env['dunning.letter']._action_preview(self)

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
