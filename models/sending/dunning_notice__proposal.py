from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_amount

from ..hold.dunning_hold import format_date
from ..kernel.dunning_bulk import to_array
from ..kernel.ir_attachment import RECORDING, is_recording
from ..ladder.dunning_level import MANUAL_CHANNELS

# What a person can change on the form of a proposal, and whoever approves has to see.
CONTENT_FIELDS = ('recipient_id', 'channel', 'lang')
# On a letter together with other claims these come to other amounts than alone.
TOGETHER_ROLES = frozenset({'fourteen_day'})
DROPPED_BY_HAND = 'by_hand'
SNAPSHOT_AMOUNTS = (
    'amount_residual', 'amount_netted', 'amount_held', 'amount_interest', 'amount_costs', 'amount_announced',
    'amount_principal', 'amount_due')


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    maker_ids = fields.Many2many(
        comodel_name='res.users', relation='dunning_notice_maker_rel', string="Made or Changed By", readonly=True,
        copy=False, help="Empty: the scheduled action made it and nobody changed it.")
    approver_id = fields.Many2one(comodel_name='res.users', string="Approved By", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    change_count = fields.Integer(readonly=True, copy=False, help="How often a person changed it.")
    # A smaller amount, such as after a split, does not take a second pair of eyes away.
    colleague_kept = fields.Boolean(readonly=True, copy=False)
    needs_colleague = fields.Boolean(
        string="Needs a Colleague", compute='_compute_approval',
        help="The policy asks a second pair of eyes: whoever made or changed it cannot approve it.")
    may_approve = fields.Boolean(compute='_compute_approval')
    approval_text = fields.Char(string="Approval", compute='_compute_approval')
    # The language code is a column; people choose a name.
    letter_lang = fields.Selection(
        selection=lambda self: self.env['dunning.policy']._selection_lang(), string="Letter In",
        compute='_compute_letter_lang', inverse='_inverse_letter_lang')

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
    has_changes = fields.Boolean(compute='_compute_changes')
    changes_html = fields.Html(string="What Changed", compute='_compute_changes', sanitize=False)

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('state', 'maker_ids', 'approver_id', 'policy_id', 'amount_due_company', 'colleague_kept')
    @api.depends_context('uid')
    def _compute_approval(self):
        for notice in self:
            waits = notice.state in ('draft', 'error')
            notice.needs_colleague = waits and notice._needs_colleague() and not notice._is_approved()
            notice.may_approve = waits and not notice._get_refused()
            notice.approval_text = notice._get_approval_text() if notice.needs_colleague else False

    def _get_approval_text(self):
        """Return who has to approve and why, for whoever looks at it."""
        self.ensure_one()
        if self.env.user in self.maker_ids:
            return self.env._(
                "You made or changed this proposal, so a colleague has to approve it: the policy “%s” asks a second "
                "pair of eyes.", self.policy_id.name)
        if self.maker_ids:
            return self.env._(
                "Made or changed by %(makers)s. The policy “%(policy)s” asks a second pair of eyes, and yours will do.",
                makers=", ".join(self.maker_ids.mapped('name')), policy=self.policy_id.name)
        return False

    @api.depends('lang')
    def _compute_letter_lang(self):
        known = {code for code, _name in self.env['dunning.policy']._selection_lang()}
        for notice in self:
            notice.letter_lang = notice.lang if notice.lang in known else False

    def _inverse_letter_lang(self):
        for notice in self:
            if notice.letter_lang and notice.letter_lang != notice.lang:
                notice.lang = notice.letter_lang

    @api.depends('state', 'proposed_data', 'approved_data', 'left_data', 'line_ids.drop_reason', 'amount_due', 'lang',
                 'channel', 'recipient_id')
    def _compute_changes(self):
        saved = self._origin.filtered('proposed_data')
        current = saved.filtered(lambda notice: not notice.left_data)._read_snapshots() if saved else {}
        for notice in self:
            origin = notice._origin
            values = origin in saved and origin._prepare_changes(current.get(origin.id) or origin.left_data)
            notice.has_changes = bool(values and (values['rows'] or values['items']))
            notice.changes_html = values and self.env['ir.qweb']._render(
                'l10n_nl_dunning.proposal_changes', values, minimal_qcontext=True)

    # -------------------------------------------------------------------------
    # WHO MAY APPROVE
    # -------------------------------------------------------------------------

    def _needs_colleague(self):
        """Return whether the policy asks a second pair of eyes for this notice as it is now."""
        self.ensure_one()
        policy = self.policy_id
        if policy.four_eyes != 'above':
            return policy.four_eyes == 'always'
        if self.colleague_kept:
            return True
        company = self.company_id
        limit = policy.currency_id._convert(
            policy.four_eyes_amount, company.currency_id, company, company._dunning_today())
        return company.currency_id.compare_amounts(self.amount_due_company, limit) > 0

    def _is_approved(self):
        """Return whether somebody who did not make it approved it as it is now."""
        return not self._get_approval_gap()

    def _get_approval_gap(self):
        """Return why no approval counts: ``nobody`` gave it, ``more`` is asked, the ``address`` is another; False."""
        self.ensure_one()
        seen = self.approved_data or {}
        approver = self.approver_id
        if not approver or approver in self.maker_ids or approver._is_superuser() or 'amount_principal' not in seen:
            return 'nobody'
        # Interest runs on and payments come in; more principal is something nobody approved.
        if self.currency_id.compare_amounts(self.amount_principal, seen['amount_principal'] or 0.0) > 0:
            return 'more'
        # Many can change the address on a contact, and with it who reads the letter.
        by_mail = self.channel in ('email', 'both') and self._get_email_line() != (seen.get('email') or '')
        by_post = self.channel in ('letter', 'both') and self._get_address_line() != (seen.get('address') or '')
        return 'address' if by_mail or by_post else False

    def _get_email_line(self):
        """Return the address as in the snapshots; see :meth:`_get_snapshot_sql`."""
        return self.recipient_id.email_normalized or self.partner_id.email_normalized or ''

    def _get_address_line(self):
        """Return the postal address as in the snapshots."""
        recipient = self.recipient_id
        person = recipient if recipient.street and recipient.city else self.partner_id
        return ", ".join(filter(None, (person.street, person.zip, person.city)))

    def _get_refused(self):
        """Return the notices that the current user cannot approve: he made or changed them, or is no person."""
        return self.filtered(lambda notice: (
            notice._needs_colleague() and not notice._is_approved()
            and (self.env.user in notice.maker_ids or self.env.user._is_superuser())))

    def _explain_refused(self):
        """Return why the current user cannot approve these notices, and what to do."""
        names = ", ".join(self[:3].mapped('display_name')) + ("…" if len(self) > 3 else "")
        if self.env.user._is_superuser():
            return self.env._(
                "%(notices)s: the policy “%(policy)s” asks that a person approves this.",
                notices=names, policy=self[:1].policy_id.name)
        return self.env._(
            "%(notices)s: you made or changed this yourself, and the policy “%(policy)s” asks a second pair of eyes. "
            "Ask a colleague to approve it. Or cancel it: the same items are then proposed again as planned.",
            notices=names, policy=self[:1].policy_id.name)

    def _queue(self):
        # OVERRIDE: the one way into the queue for what was a proposal.
        refused = self._get_refused()
        if refused:
            raise UserError(refused._explain_refused())
        fresh = self.filtered(lambda notice: not notice._is_approved())
        result = super()._queue()
        fresh._recording().write({
            'approver_id': False if self.env.user._is_superuser() else self.env.uid,
            'approved_on': fields.Datetime.now()})
        fresh._take_snapshots('approved_data')
        return result

    def _queue_allowed(self):
        """Queue what the current user may approve. Return what stays a proposal for a colleague."""
        refused = self._get_refused()
        (self - refused)._queue()
        return refused

    def action_approve(self):
        # OVERRIDE: of many, those that need a colleague stay.
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        refused = todo._get_refused()
        if refused and refused == todo:
            raise UserError(refused._explain_refused())
        result = super(DunningNotice, self - refused).action_approve()
        return result if not refused else (self - refused)._notify_result(
            self.env._(
                "%(count)s notices are on their way. %(left)s stay proposals for a colleague, since you made or "
                "changed them.", count=len(todo - refused), left=len(refused)),
            todo, 'warning')

    def action_send_now(self):
        # OVERRIDE: as above
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        refused = todo._get_refused()
        if refused and refused == self:
            raise UserError(refused._explain_refused())
        result = super(DunningNotice, self - refused).action_send_now()
        return result if not refused else self._notify_outcome()

    def action_review(self):
        """Open the summary of what would be approved."""
        self.check_access('write')
        return self.env['dunning.proposal.approve']._action_open(self)

    def action_take_back(self):
        """Make proposals of notices that wait in the queue, to look at them again; their approval ends."""
        self.check_access('write')
        queued = self.filtered(lambda notice: notice.state == 'queued')._lock_proposals(('queued',))
        queued._recording().write(self._get_unapproved_vals())
        return True

    def _notify_outcome(self):
        # OVERRIDE: a proposal that stays one needs a sentence.
        result = super()._notify_outcome()
        kept = self.filtered('needs_colleague')
        if kept:
            result['params'].update(type='warning', message=self.env._(
                "%(outcome)s. What stays a proposal needs a colleague: you made or changed it.",
                outcome=result['params']['message']))
        return result

    @api.model
    def _get_unapproved_vals(self):
        return {
            'state': 'draft', 'approver_id': False, 'approved_on': False, 'approved_data': False, 'approved': False,
            'breaker_id': False, 'waiting_reason': False, 'error_message': False}

    # -------------------------------------------------------------------------
    # MAKING AND CHANGING
    # -------------------------------------------------------------------------

    @api.model
    def _create_from_decisions(self, company, decisions, at_date, *, origin='scheduled', state='draft', forced=False):
        # OVERRIDE: remember what was proposed and by whom; what needs a colleague is a proposal first.
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
    def _get_computed_sql(self, vals_list, groups):
        """EXTENDS: what was proposed, where no claim has to be worked out first."""
        computed, joins = super()._get_computed_sql(vals_list, groups)
        if self.env.context.get('dunning_preview') is RECORDING:
            return computed, joins
        levels = self.env['dunning.level'].browse({vals['level_id'] for vals in vals_list})
        claiming = levels.filtered(lambda level: level._is_claiming())
        if claiming == levels:
            return computed, joins
        self.env.flush_all()
        lines = [
            (turn, decision.item_id, decision.move_id, decision.level_id,
             # Of rounded amounts: only what adding floats left over is to go.
             round(decision.amount_due, 6) if decision.amount_netted or decision.amount_held
             else decision.amount_residual)
            for turn, group in enumerate(groups, 1) for decision in group]
        joins = SQL(
            """%s
             JOIN res_partner recipient ON recipient.id = notice.recipient_id
             JOIN res_partner debtor ON debtor.id = notice.partner_id
             -- Long texts, looked at once.
             JOIN (SELECT level.id, spoken.lang, %s AS text
                     FROM dunning_level level
               CROSS JOIN UNNEST(%s) spoken (lang)
                    WHERE level.id = ANY(%s)
                   OFFSET 0) text ON text.id = notice.level_id AND text.lang = COALESCE(notice.lang, '')
             JOIN (SELECT turn, jsonb_object_agg(
                              line.move_line_id, jsonb_build_array(line.amount, move.name, line.level_id)) AS items
                     FROM UNNEST(%s) AS line (turn, move_line_id, move_id, level_id, amount)
                LEFT JOIN account_move move ON move.id = line.move_id
                 GROUP BY turn) told ON told.turn = notice.turn_of_row
            """,
            joins,
            self._get_text_sql(SQL.identifier('spoken', 'lang')),
            list({vals['lang'] or '' for vals in vals_list}),
            levels.ids,
            SQL(", ").join(
                SQL("%s::%s[]", to_array(values), SQL.identifier(kind))
                for values, kind in zip(zip(*lines, strict=True), 4 * ['int4'] + ['numeric'], strict=True)))
        snapshot = SQL(
            "CASE WHEN notice.level_id = ANY(%s) THEN NULL ELSE %s END",
            claiming.ids, self._get_snapshot_sql(SQL("told.items"), SQL("text.text")))
        return {**computed, 'proposed_data': snapshot}, joins

    def _add_maker(self):
        """Remember that the current user had a hand in these notices."""
        if not self.env.user._is_superuser():
            self._recording().write({'maker_ids': [Command.link(self.env.uid)]})

    def write(self, vals):
        # OVERRIDE: whoever changes a proposal cannot approve it, and what was approved before the change was not this.
        if is_recording(self.env) or not vals.keys() & {*CONTENT_FIELDS, 'letter_lang'}:
            return super().write(vals)
        before = {notice: [notice[name] for name in CONTENT_FIELDS] for notice in self}
        needing = self.filtered(
            lambda notice: notice.state in ('draft', 'queued', 'error') and notice._needs_colleague())
        result = super().write(vals)
        changed = self.filtered(lambda notice: [notice[name] for name in CONTENT_FIELDS] != before[notice])
        for notice in changed:
            texts = notice._describe_edit(*before[notice])
            notice._record_change(" ".join(texts), notice in needing)
        return result

    def _check_user_write(self, vals):
        # OVERRIDE: a choice of a language is one of the language code; nobody else gets the debtor's letter.
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

    def _describe_edit(self, recipient, channel, lang):
        """Return sentences about a change on the form; the channel is logged by itself."""
        self.ensure_one()
        texts = []
        if recipient != self.recipient_id:
            texts.append(self.env._(
                "Addressed to %(after)s instead of %(before)s.",
                before=recipient.display_name, after=self.recipient_id.display_name))
        if lang != self.lang:
            texts.append(self.env._(
                "In %(after)s instead of %(before)s.", before=self._name_lang(lang), after=self._name_lang(self.lang)))
        return texts

    def _record_change(self, text, needing):
        """Write down that the current user changed a notice that did not leave; an approval ends.

        :param needing: whether it needed a colleague before the change
        """
        self.ensure_one()
        needs = needing or self._needs_colleague()
        vals = {'colleague_kept': needs, 'change_count': self.change_count + 1}
        if needs and self.state in ('queued', 'error'):
            vals.update(self._get_unapproved_vals())
            text = f'{text} {self.env._("It was changed, so it needs a new approval.")}'
        elif needs:
            vals.update(approver_id=False, approved_on=False, approved_data=False)
        self._recording().write(vals)
        self._add_maker()
        if text:
            self._recording()._message_log(body=text)

    def _lock_proposals(self, states=('draft', 'error')):
        """Return the notices, locked; raise a sentence when one of them is no proposal or is being sent."""
        self.check_access('write')
        if self.try_lock_for_update() != self:
            raise UserError(self.env._("Somebody else is working on this right now. Try again in a moment."))
        self.invalidate_recordset(['state'])
        self._check_proposals(states)
        return self

    def _check_proposals(self, states=('draft', 'error')):
        left = self.filtered(lambda notice: notice.state not in states)
        if left:
            raise UserError(self.env._(
                "%(notice)s is no proposal any more, so it cannot be changed. A notice that waits in the queue can be "
                "taken back first.", notice=left[:1].display_name))

    # --- buttons ---

    def action_split(self):
        """Open the window that puts some items into a proposal of their own."""
        return self.env['dunning.proposal.change']._action_open(self, 'split')

    def action_merge(self):
        """Open the window that makes one proposal of these."""
        return self.env['dunning.proposal.change']._action_open(self, 'merge')

    def action_take_off(self):
        """Open the window that takes items off and asks why."""
        return self.env['dunning.proposal.change']._action_open(self, 'take_off')

    def action_change_level(self):
        """Open the window that chooses another level and asks why."""
        return self.env['dunning.proposal.change']._action_open(self, 'level')

    # --- split ---

    def _split(self, lines):
        """Put some items of a proposal into a proposal of their own and return that one.

        :param lines: ``dunning.notice.line`` records of this notice, not all of them
        :raises UserError: what cannot be said apart, such as a 14-day letter (article 6:96 paragraph 7 BW)
        """
        self.ensure_one()
        self._lock_proposals()
        lines &= self.live_line_ids
        if not lines or lines == self.live_line_ids:
            raise UserError(self.env._("Choose some of the items, and leave at least one."))
        self._check_can_split()
        needing = self._needs_colleague()
        recording = self._recording()
        part = recording.with_context(tracking_disable=True).create({
            'company_id': self.company_id.id,
            'partner_id': self.partner_id.id,
            'recipient_id': self.recipient_id.id,
            'currency_id': self.currency_id.id,
            'level_id': self.level_id.id,
            'channel': self.channel,
            'lang': self.lang,
            'state': 'draft',
            'origin': self.origin,
            'backlog': self.backlog,
            'forced': self.forced,
            'author_id': self.author_id.id,
            'date_planned': self.date_planned,
            'maker_ids': [Command.set(self.maker_ids.ids)],
            'colleague_kept': self.colleague_kept,
            'level_reason': self.level_reason,
            'split_from_id': self.id,
        })
        lines.with_env(recording.env).write({'notice_id': part.id})
        part = part.with_env(self.env)
        both = self | part
        both._settle_level()
        both._update_claim(self.company_id._dunning_today())
        part._take_snapshots('proposed_data')
        names = ", ".join(lines.mapped('move_id.display_name'))
        self._record_change(
            self.env._("Split: %(items)s moved to %(notice)s.", items=names, notice=part.display_name), needing)
        part._record_change(
            self.env._("Split off from %(notice)s: %(items)s.", items=names, notice=self.display_name), needing)
        return part

    def _check_can_split(self):
        """Raise why some items of a proposal cannot be said apart from the others."""
        self.ensure_one()
        if len(self.live_line_ids) < 2:
            raise UserError(self.env._("There is but one item, so there is nothing to split."))
        if self.level_id.legal_role in TOGETHER_ROLES:
            raise UserError(self.env._(
                "A 14-day letter contains all claims that can be claimed together (article 6:96 paragraph 7 BW), so it "
                "cannot be split. Take an item off when there is a reason not to claim it now."))
        if self.level_id.with_costs:
            raise UserError(self.env._(
                "“%(level)s” asks collection costs, and these are worked out over all claims together: apart they "
                "would be higher. Take an item off when there is a reason not to claim it now.",
                level=self.level_id.name))

    def _settle_level(self):
        """Let the level of notices be the highest of their items, as their texts are."""
        for notice in self:
            levels = notice.live_line_ids.level_id.sorted(lambda level: (level.sequence, level.id))
            if levels and levels[-1] != notice.level_id:
                vals = {'level_id': levels[-1].id}
                if notice.channel == notice.level_id.channel:
                    vals['channel'] = levels[-1].channel
                notice._recording().write(vals)

    # --- merge ---

    def _get_merge_problem(self):
        """Return why these proposals cannot become one, or False."""
        if len(self) < 2:
            return self.env._("Select at least two proposals.")
        if len(self.partner_id) > 1 or len(self.company_id) > 1:
            return self.env._("Only proposals to one debtor can become one.")
        if len(self.currency_id) > 1:
            return self.env._("They are in different currencies, and a letter asks one amount.")
        if len(self.recipient_id) > 1:
            return self.env._(
                "They are addressed to different people (%s). Choose one of them on each proposal first.",
                ", ".join(self.recipient_id.mapped('name')))
        if len(self.policy_id) > 1:
            return self.env._("They are of different policies.")
        keys = {notice.level_id._get_said(notice.channel) for notice in self}
        if len(keys) > 1:
            return self.env._(
                "%s cannot be said in one letter: one of them has another meaning in law, asks interest or costs, or "
                "is not written.", self.env['dunning.notice']._join_words(
                    self.env, [f"“{level.name}”" for level in self.level_id]))
        return False

    def _get_merge_target(self):
        """Return the proposal that the others join: of the highest level, the oldest of these."""
        return self.sorted(lambda notice: (-notice.level_id.sequence, -notice.level_id.id, notice.id))[:1]

    def _merge(self):
        """Make one proposal of several to the same debtor, at the highest of their levels; return it."""
        self._lock_proposals()
        problem = self._get_merge_problem()
        if problem:
            raise UserError(problem)
        target = self._get_merge_target()
        others = self - target
        needing = any(notice._needs_colleague() for notice in self)
        moved = others.live_line_ids
        recording = target._recording()
        moved.with_env(recording.env).write({'notice_id': target.id})
        recording.write({
            'maker_ids': [Command.link(user.id) for user in others.maker_ids],
            'backlog': any(self.mapped('backlog')),
            # Ahead of time for one of them is not so for the others: each is judged as it is.
            'forced': all(self.mapped('forced')),
        })
        target._update_claim(self.company_id._dunning_today())
        others._recording().write({'merged_into_id': target.id})
        others._cancel(self.env._("Merged into %s.", target.display_name))
        target._record_change(
            self.env._(
                "Merged: the items of %(notices)s were added.", notices=", ".join(others.mapped('display_name'))),
            needing)
        return target

    # --- take an item off ---

    def _take_off(self, lines, why, hold_reason, date_end):
        """Take items off a proposal and put them on hold, so that they are not proposed again tomorrow.

        :param lines: ``dunning.notice.line`` records of this notice
        :param str why: one sentence; kept on the line and on the hold
        :param hold_reason: ``dunning.hold.reason``, by default an internal one
        :param date date_end: the last day of the hold
        :return: the holds
        """
        self.ensure_one()
        self._lock_proposals()
        lines &= self.live_line_ids
        why = (why or '').strip()
        if not lines:
            raise UserError(self.env._("Choose the items to take off."))
        if not why:
            raise UserError(self.env._("Say why: it is kept with the item and answers “Why (not)?”."))
        if hold_reason.stops_everything:
            raise UserError(self.env._(
                "“%s” is about everything of the debtor. Put the debtor on hold instead.", hold_reason.name))
        needing = self._needs_colleague()
        holds = self.env['dunning.hold'].create([
            {'move_line_id': line.move_line_id.id, 'reason_id': hold_reason.id, 'date_end': date_end, 'note': why}
            for line in lines])
        text = self.env._("Taken off by %(user)s: %(why)s", user=self.env.user.name, why=why)
        recording = self._recording()
        for line, hold in zip(lines.with_env(recording.env), holds, strict=True):
            line.write({'drop_reason': DROPPED_BY_HAND, 'drop_text': text, 'dropped_hold_id': hold.id})
        names = ", ".join(lines.mapped('move_id.display_name'))
        if not self.live_line_ids:
            self._cancel(text)
            return holds
        self._settle_level()
        self._record_change(
            self.env._(
                "%(items)s taken off: %(why)s On hold until %(date)s.",
                items=names, why=why if why.endswith(('.', '!', '?')) else f"{why}.",
                date=format_date(self.env, date_end)),
            needing)
        company = self.company_id
        dispatcher = self.env['dunning.dispatcher'].with_company(company)
        dispatcher._recheck(self, company._dunning_today())
        return holds

    # --- another level ---

    def _get_possible_levels(self):
        """Return the levels of the policy that no item of this notice had yet, without its own level."""
        self.ensure_one()
        last = self.env['dunning.notice.line'].search([
            ('move_line_id', 'in', self.live_line_ids.move_line_id.ids), ('status', 'in', ('sent', 'skipped')),
            ('level_id.policy_id', '=', self.policy_id.id)]).level_id
        highest = max(((level.sequence, level.id) for level in last), default=(-1, 0))
        return self.policy_id.level_ids.filtered(
            lambda level: level != self.level_id and (level.sequence, level.id) > highest)

    def _change_level(self, level, why):
        """Propose another level of the same policy for all items of a proposal.

        The law guard judges it at once, as it will again when it is sent.

        :param level: ``dunning.level``, one of :meth:`_get_possible_levels`
        :param str why: one sentence, kept on the notice
        """
        self.ensure_one()
        self._lock_proposals()
        why = (why or '').strip()
        if not why:
            raise UserError(self.env._("Say why another level is right: it is kept on the notice."))
        if level not in self._get_possible_levels():
            raise UserError(self.env._(
                "“%(level)s” cannot be chosen: it is of another policy, or an item of this proposal had it or a later "
                "level already.", level=level.name))
        before, needing = self.level_id, self._needs_colleague()
        company = self.company_id
        recording = self._recording()
        recording.write({
            'level_id': level.id, 'channel': level.channel, 'level_reason': why, 'claim_data': False})
        recording.live_line_ids.write({
            'level_id': level.id, 'amount_interest': 0.0, 'amount_costs': 0.0, 'amount_announced': 0.0})
        self._update_claim(company._dunning_today())
        self._check_lawful_now()
        self._record_change(
            self.env._(
                "“%(after)s” instead of “%(before)s”: %(why)s", after=level.name, before=before.name, why=why),
            needing)

    def _check_lawful_now(self):
        """Raise what the law guard says against a proposal as it is now. Nothing else is changed."""
        self.ensure_one()
        company = self.company_id
        dispatcher = self.env['dunning.dispatcher'].with_company(company)
        notice = self.with_company(company)
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            lawful = dispatcher._refuse_unlawful(notice, company._dunning_today())
            self.env.flush_all()
            problem = not lawful and (notice.error_message or notice.cancel_reason or self.env._(
                "The law does not allow this level now."))
        finally:
            # Whatever the guard wrote: it was only asked.
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)
        if problem:
            raise ValidationError(problem)

    # -------------------------------------------------------------------------
    # WHAT CHANGED
    # -------------------------------------------------------------------------

    @api.model
    def _get_text_sql(self, lang):
        """Return SQL by which a change of the texts of ``level`` is seen.

        :param lang: SQL of the language
        """
        return SQL("MD5(CONCAT_WS('|', %s))", SQL(", ").join(
            SQL("COALESCE(%(column)s->>%(lang)s, %(column)s->>'en_US')",
                column=SQL.identifier('level', column), lang=lang)
            for column in ('subject', 'letter_intro', 'letter_closing')))

    @api.model
    def _get_snapshot_sql(self, items=None, text=None):
        """Return SQL of what a notice (with ``level``, ``recipient`` and ``debtor``) says, as jsonb.

        :param items: SQL of its items; None: those of its lines
        :param text: SQL as of :meth:`_get_text_sql`, where it was worked out before
        """
        amounts = SQL(", ").join(
            SQL("%s::text, %s", name, SQL.identifier('notice', name)) for name in SNAPSHOT_AMOUNTS)
        return SQL(
            """
            jsonb_build_object(
                'on', (NOW() AT TIME ZONE 'UTC')::text,
                'level', notice.level_id,
                'channel', notice.channel,
                'recipient', notice.recipient_id,
                'recipient_name', recipient.complete_name,
                'email', COALESCE(NULLIF(recipient.email_normalized, ''), debtor.email_normalized),
                'address', CASE WHEN recipient.street <> '' AND recipient.city <> ''
                    THEN CONCAT_WS(', ', recipient.street, NULLIF(recipient.zip, ''), recipient.city)
                    ELSE CONCAT_WS(', ', NULLIF(debtor.street, ''), NULLIF(debtor.zip, ''), NULLIF(debtor.city, ''))
                END,
                'lang', notice.lang,
                'count', notice.line_count,
                'text', %s,
                'items', COALESCE(%s, '{}'::jsonb),
                %s)
            """,
            text or self._get_text_sql(SQL.identifier('notice', 'lang')),
            items or SQL("""(
                    SELECT jsonb_object_agg(line.move_line_id, jsonb_build_array(
                               line.amount_residual - COALESCE(line.amount_netted, 0) - COALESCE(line.amount_held, 0),
                               move.name, line.level_id))
                      FROM dunning_notice_line line
                 LEFT JOIN account_move move ON move.id = line.move_id
                     WHERE line.notice_id = notice.id AND line.drop_reason IS NULL AND line.move_line_id IS NOT NULL
                )"""),
            amounts)

    def _read_snapshots(self):
        """Return ``{notice_id: snapshot}`` of what the notices say now; one query."""
        if not self.ids:
            return {}
        self.env.flush_all()
        return dict(self.env.execute_query(SQL(
            """
            SELECT notice.id, %s
              FROM dunning_notice notice
              JOIN dunning_level level ON level.id = notice.level_id
              JOIN res_partner recipient ON recipient.id = notice.recipient_id
              JOIN res_partner debtor ON debtor.id = notice.partner_id
             WHERE notice.id = ANY(%s)
            """, self._get_snapshot_sql(), self.ids)))

    def _take_snapshots(self, name):
        """Keep what the notices say now; one statement however many there are.

        :param name: the field; what was proposed is kept once, the others are renewed
        """
        if not self.ids:
            return
        self.env.flush_all()
        column = SQL.identifier(name)
        self.env.execute_query(SQL(
            """
            UPDATE dunning_notice
               SET %(column)s = taken.snapshot
              FROM (SELECT notice.id, %(snapshot)s AS snapshot
                      FROM dunning_notice notice
                      JOIN dunning_level level ON level.id = notice.level_id
                      JOIN res_partner recipient ON recipient.id = notice.recipient_id
                      JOIN res_partner debtor ON debtor.id = notice.partner_id
                     WHERE notice.id = ANY(%(ids)s) AND (%(again)s OR notice.%(column)s IS NULL)) taken
             WHERE dunning_notice.id = taken.id
         RETURNING dunning_notice.id
            """,
            column=column, snapshot=self._get_snapshot_sql(), ids=self.ids, again=name != 'proposed_data'))
        self.invalidate_recordset([name, 'has_changes', 'changes_html', 'needs_colleague', 'may_approve'])

    def _prepare_changes(self, last):
        """Return what the panel shows: how the notice was proposed, approved and left, where these differ.

        :param dict last: the snapshot of when it left, or of now
        """
        self.ensure_one()
        env = self.env
        columns = [(env._("Proposed"), self.proposed_data)]
        if self.approved_data:
            columns.append((env._("Approved"), self.approved_data))
        columns.append((env._("When it left") if self.left_data else env._("Now"), last))
        snapshots = [snapshot for _name, snapshot in columns]
        rows = [
            {'label': label, 'values': values, 'strong': key == 'amount_due'}
            for key, label, show in self._get_change_rows()
            for values in [[show(snapshot.get(key)) for snapshot in snapshots]]
            if len({str(snapshot.get(key)) for snapshot in snapshots}) > 1
        ]
        texts = [snapshot.get('text') for snapshot in snapshots]
        if len(set(texts)) > 1 and len({(s.get('level'), s.get('lang')) for s in snapshots}) == 1:
            rows.append({'label': env._("Text of the level"), 'strong': False, 'values': [
                '' if index == 0 else env._("edited") if text != texts[index - 1] else env._("the same")
                for index, text in enumerate(texts)]})
        return {
            'columns': [
                {'name': name, 'when': self._fmt_moment(snapshot.get('on')),
                 'who': self.approver_id.name if name == env._("Approved") else False}
                for name, snapshot in columns],
            'rows': rows,
            'items': self._get_item_changes(snapshots),
            'state': self.state,
        }

    def _get_change_rows(self):
        """Return (key of a snapshot, label, function that shows the value)."""
        env = self.env
        channels = dict(self._fields['channel']._description_selection(env))

        def money(amount):
            return format_amount(env, amount or 0.0, self.currency_id)

        def level(level_id):
            return env['dunning.level'].browse(level_id or []).exists().name or ''

        return [
            ('level', env._("Level"), level),
            ('channel', env._("By"), lambda code: channels.get(code, '')),
            ('recipient_name', env._("Addressed to"), lambda name: name or ''),
            ('email', env._("E-mail address"), lambda address: address or '–'),
            ('address', env._("Postal address"), lambda address: address or '–'),
            ('lang', env._("Language"), self._name_lang),
            ('count', env._("Items"), lambda count: str(count or 0)),
            ('amount_residual', env._("Open"), money),
            ('amount_netted', env._("Credits"), money),
            ('amount_held', env._("On hold"), money),
            ('amount_interest', env._("Interest"), money),
            ('amount_costs', env._("Collection costs"), money),
            ('amount_announced', env._("Announced costs"), money),
            ('amount_due', env._("To pay"), money),
        ]

    def _get_item_changes(self, snapshots):
        """Return what happened to single items from the first snapshot to the last: ``name`` and ``text``.

        Also of those that came and went in between.
        """
        env, changes = self.env, []
        first, last = snapshots[0].get('items') or {}, snapshots[-1].get('items') or {}
        # As it was seen last before it went; gone before anybody looked, as its line says.
        seen = {}
        for line in self.line_ids.filtered('drop_reason') | self.split_ids.line_ids:
            if line.move_line_id:
                seen[str(line.move_line_id.id)] = (
                    line.amount_residual - line.amount_netted - line.amount_held, line.move_id.name)
        for snapshot in snapshots:
            seen.update({key: (amount, name) for key, (amount, name, *_rest) in (snapshot.get('items') or {}).items()})
        dropped = {str(line.move_line_id.id): line.drop_text for line in self.line_ids if line.drop_reason}
        elsewhere = {
            str(line.move_line_id.id): notice
            for notice in self.split_ids | self.merged_into_id for line in notice.line_ids}

        def money(amount):
            return format_amount(env, amount or 0.0, self.currency_id)

        for key, (amount, name) in sorted(seen.items(), key=lambda entry: (entry[0] not in first, int(entry[0]))):
            text = False
            if key in last:
                if key not in first:
                    text = env._("Added: %s", money(last[key][0]))
                elif self.currency_id.compare_amounts(first[key][0] or 0.0, last[key][0] or 0.0):
                    text = env._(
                        "%(before)s became %(after)s", before=money(first[key][0]), after=money(last[key][0]))
            elif key in dropped:
                text = env._("%(amount)s off. %(why)s", amount=money(amount), why=dropped[key] or '')
            elif key in elsewhere:
                text = env._(
                    "%(amount)s moved to %(notice)s", amount=money(amount), notice=elsewhere[key].display_name)
            else:
                text = env._("%s off", money(amount))
            if text:
                changes.append({'name': name, 'text': text})
        return changes

    def _name_lang(self, code):
        name = dict(self.env['res.lang'].get_installed()).get(code, code or '')
        return name.split(" / ")[-1].split(" (")[0]

    def _fmt_moment(self, text):
        """Show a moment (UTC) as the day it was where the user is."""
        moment = text and fields.Datetime.to_datetime(text.split('.')[0])
        # A scheduled action or another program has no time zone in its context; a user has one of his own.
        tz = self.env.context.get('tz') or self.env.user.tz or str(self.company_id._get_dunning_tz())
        return moment and format_date(
            self.env, fields.Datetime.context_timestamp(self.with_context(tz=tz), moment).date())
