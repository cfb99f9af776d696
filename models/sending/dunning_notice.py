"""How a notice leaves: approving, sending, posting, and what a person may change before that."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..kernel.dunning_recorded import RECORDING
from ..ladder.dunning_level import MANUAL_CHANNELS
from ..notice.dunning_notice import PENDING_STATES, USER_WRITABLE
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

    # The choice of a language writes the language code.
    _user_writable = USER_WRITABLE | {'letter_lang'}

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
        string="Wrong", compute='_compute_wrong', store=True,
        help="Part or all of what it asked had been paid or credited before the day it left.")
    wrong_amount = fields.Monetary(string="Not Owed", compute='_compute_wrong', store=True)
    wrong_percent = fields.Float(
        string="Wrong (%)", compute='_compute_wrong', store=True, aggregator='avg', digits=(6, 2),
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
    # MAKING AND CHANGING
    # -------------------------------------------------------------------------

    @api.model
    def _create_from_decisions(self, company, decisions, at_date, *, origin='scheduled', state='draft', forced=False):
        # Hook: remember what was proposed and by whom; what needs a colleague is a proposal first.
        notices = super()._create_from_decisions(
            company, decisions, at_date, origin=origin, state=state, forced=forced)
        if self.env.context.get('dunning_preview') is RECORDING:
            return notices
        policies = notices.policy_id.filtered(lambda policy: policy.four_eyes != 'never')
        watched = notices.filtered(lambda notice: notice.policy_id in policies) if policies else notices.browse()
        if origin == 'manual':
            notices._add_maker()
        if state == 'queued' and watched:
            watched.filtered(lambda notice: notice._needs_colleague())._recording().write({'state': 'draft'})
        # The others were made together with theirs, see `_get_computed_sql`.
        levels = notices.level_id.filtered(lambda level: level._is_claiming())
        if levels:
            notices.filtered(lambda notice: notice.level_id in levels)._take_snapshots('proposed_data')
        return notices

    @api.model
    def _prepare_from_decisions(self, decisions, head):
        # Hook: why a notice takes another channel than that of its level, and the stored figures of this package.
        vals = super()._prepare_from_decisions(decisions, head)
        lacks, bounced_on = self._get_detour(decisions, vals['level_id'], vals['channel'])
        return {
            **vals,
            'detour': lacks,
            'detour_bounced_on': bounced_on,
            'delivery_state': False,
            'is_wrong': False,
            'wrong_amount': 0.0,
            'wrong_percent': 0.0,
        }

    def _settle_joined(self, decisions):
        # Hook: as above.
        super()._settle_joined(decisions)
        by_item = {decision.item_id: decision for decision in decisions if decision.detour}
        if not by_item:
            return
        for notice in self:
            joined = [by_item[item.id] for item in notice.line_ids.move_line_id if item.id in by_item]
            lacks, bounced_on = self._get_detour(joined, notice.level_id.id, notice.channel)
            if lacks:
                notice._recording().write({'detour': lacks, 'detour_bounced_on': bounced_on})

    @api.model
    def _get_computed_sql(self, vals_list, groups):
        # Hook: what was proposed, where no claim has to be worked out first.
        computed, joins = super()._get_computed_sql(vals_list, groups)
        if self.env.context.get('dunning_preview') is RECORDING:
            return computed, joins
        levels = self.env['dunning.level'].browse({vals['level_id'] for vals in vals_list})
        claiming = levels.filtered(lambda level: level._is_claiming())
        if claiming == levels:
            return computed, joins
        langs = list({vals['lang'] or '' for vals in vals_list})
        snapshot, snapshot_joins = self._get_new_snapshot_sql(levels, langs, groups)
        snapshot = SQL("CASE WHEN notice.level_id = ANY(%s) THEN NULL ELSE %s END", claiming.ids, snapshot)
        return {**computed, 'proposed_data': snapshot}, SQL("%s %s", joins, snapshot_joins)

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
        undecided = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        # Whoever sends by hand what the program queued decides about it, unless it is leaving at this moment.
        undecided |= self.filtered(
            lambda notice: notice.state == 'queued' and not notice.approved).try_lock_for_update()
        refused = undecided._get_refused()
        if refused and refused == self:
            raise UserError(refused._explain_refused())
        (undecided - refused)._queue()
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
