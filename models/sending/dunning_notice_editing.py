"""Making notices out of what the planner decided, and changing a proposal: splitting, merging, another level."""

from collections import defaultdict

from odoo import Command, api, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..kernel.dunning_recorded import RECORDING
from ..kernel.formats import format_day
from ..ladder.dunning_level import DETOURS

# On a letter together with other claims these come to other amounts than alone.
TOGETHER_ROLES = frozenset({'fourteen_day'})
DROPPED_BY_HAND = 'by_hand'
# What is split off is said as the rest is.
OF_BOTH_PARTS = (
    'company_id', 'partner_id', 'recipient_id', 'currency_id', 'level_id', 'channel', 'lang', 'origin', 'backlog',
    'forced', 'author_id', 'date_planned', 'colleague_kept', 'level_reason')


class DunningNoticeEditing(models.AbstractModel):
    """The part of a notice about making it, and what persons change while it is a proposal."""

    _name = 'dunning.notice.editing'
    _description = "Dunning Notice"

    # -------------------------------------------------------------------------
    # MAKING
    # -------------------------------------------------------------------------

    @api.model
    def _create_from_decisions(
        self, company, decisions, at_date, *, origin='scheduled', state='draft', forced=False, followed=False,
    ):
        """Make notices of due decisions: one per debtor, currency, recipient and what can be said in one message.

        Items join a proposal that already waits for the same. A notice is of the highest level of its items. Notices
        that need a colleague are proposals, whatever the state asked for.

        :param decisions: :class:`Decision` list of ``company``, only those that are due
        :param bool followed: whether the steps that hold no longer were taken back already
        :return: the notices, new and joined
        """
        here = company._show_dunning_all(self.with_company(company))
        if not followed:
            here._follow_outdated(company, at_date, decisions)
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        waiting = here._get_waiting_proposals(company, groups) if state == 'draft' else {}
        shared = {'state': state, 'origin': origin, 'forced': forced, 'date_planned': at_date}
        new_keys = [key for key in groups if key not in waiting]
        # Not tracked, since a new notice has no followers and no log.
        Notice = here._recording().with_context(tracking_disable=True)
        created = Notice.browse()
        if new_keys:
            owed_to = here._get_companies_of(company, decisions)
            created = Notice.create([
                {**shared, **here._prepare_from_decisions(groups[key], owed_to)} for key in new_keys])
            if len(company._get_dunning_company_ids()) > 1:
                created._settle_company()
        if waiting:
            here._join({notice: groups[key] for key, notice in waiting.items()})
        notices = dict(zip(new_keys, created.with_env(here.env), strict=True)) | waiting
        made = here.union(*(notices[key] for key in groups))
        made._update_claim(at_date)
        if here.env.context.get('dunning_preview') is RECORDING:
            return made
        if origin == 'manual':
            made._add_maker()
        if state == 'queued':
            hidden = made.with_env(self.env)._get_hidden()
            made.filtered(lambda notice: notice._needs_colleague() or notice in hidden)._recording().write({
                'state': 'draft'})
        made._take_snapshots('proposed_data')
        return made._forget_hidden(self.env)

    @api.model
    def _get_companies_of(self, company, decisions):
        """Return ``{item id: company}`` to which the items of decisions are owed."""
        if len(company._get_dunning_company_ids()) == 1:
            return dict.fromkeys((decision.item_id for decision in decisions), company)
        items = self.env['account.move.line'].browse([decision.item_id for decision in decisions])
        items.fetch(['company_id'])
        return {item.id: item.company_id for item in items}

    def _forget_hidden(self, env):
        """Return the notices in an environment, without the lines in memory that its user may not see."""
        if self.env.su and not env.su:
            self.env.flush_all()
            self.env.invalidate_all(flush=False)
        return self.with_env(env)

    @api.model
    def _prepare_from_decisions(self, decisions, owed_to):
        """Return the values of a new notice of these decisions: of the one of the highest level, and its lines.

        :param dict owed_to: of :meth:`_get_companies_of`
        """
        head = max(decisions, key=lambda decision: decision.level_rank)
        lacks, bounced_on = self._get_detour(decisions, head.level_id, head.channel)
        companies = self.env['res.company'].union(*{owed_to[decision.item_id] for decision in decisions})
        return {
            'company_id': companies._get_dunning_common().id,
            'partner_id': head.partner_id,
            'currency_id': head.currency_id,
            'recipient_id': head.recipient_id,
            'level_id': head.level_id,
            'channel': head.channel,
            'detour': lacks,
            'detour_bounced_on': bounced_on,
            'backlog': any(decision.backlog for decision in decisions),
            'line_ids': [Command.create(self._prepare_line(decision, owed_to)) for decision in decisions],
        }

    @api.model
    def _get_detour(self, decisions, level_id, channel):
        """Return why a notice goes by another channel than its level, and since when it bounced; or (False, False)."""
        if not self._is_detour(self.env['dunning.level'].browse(level_id), channel):
            return False, False
        return next((
            (decision.detour, decision.bounced_on or False) for decision in decisions
            if decision.detour and decision.level_id == level_id and decision.channel == channel), (False, False))

    @api.model
    def _is_detour(self, level, channel):
        """Return whether a channel is another way that this level may take."""
        return channel == level.channel == 'both' or channel in DETOURS.get(level.channel, ())

    @api.model
    def _prepare_line(self, decision, owed_to):
        """Return the values of a line for a due decision; the dispatcher completes them."""
        return {
            'company_id': owed_to[decision.item_id].id,
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
            ('company_id', 'in', company._get_dunning_company_ids()), ('state', '=', 'draft'),
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
            {'notice_id': notice.id, **self._prepare_line(decision, owed_to)}
            for notice, decisions in groups.items()
            for owed_to in [self._get_companies_of(notice.company_id, decisions)] for decision in decisions])

    def _settle_company(self):
        """Let notices be in the name of the branch to which all of it is owed, else of the creditor."""
        for notice in self.sudo():  # sudo: of all companies, whoever changes the notice
            companies = notice.live_line_ids.company_id
            vals = {
                'company_id': companies._get_dunning_common(),
                'shared_company_ids': companies if len(companies) > 1 else companies.browse()}
            changed = {name: value.ids for name, value in vals.items() if value != notice[name]}
            if companies and changed:
                notice._recording().write({
                    name: [(6, 0, ids)] if name == 'shared_company_ids' else ids[0] for name, ids in changed.items()})

    def _settle_level(self):
        """Let the level of notices be the highest of their items, as their texts are; and see whose they are."""
        self._settle_company()
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

    # -------------------------------------------------------------------------
    # SPLITTING
    # -------------------------------------------------------------------------

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
            **self._convert_to_write({name: self[name] for name in OF_BOTH_PARTS}),
            'state': 'draft',
            'maker_ids': [Command.set(self.maker_ids.ids)],
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

    # -------------------------------------------------------------------------
    # MERGING
    # -------------------------------------------------------------------------

    def _get_merge_problem(self):
        """Return why these proposals cannot become one, or False."""
        if len(self) < 2:
            return self.env._("Select at least two proposals.")
        if len(self.partner_id) > 1 or self.company_id - self.company_id[:1]._get_dunning_companies():
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
            'level_reason': target.level_reason or next(filter(None, others.mapped('level_reason')), False),
        })
        target._settle_company()
        target._update_claim(target.company_id._dunning_today())
        others._recording().write({'merged_into_id': target.id})
        others._cancel(self.env._("Merged into %s.", target.display_name))
        target._record_change(
            self.env._(
                "Merged: the items of %(notices)s were added.", notices=", ".join(others.mapped('display_name'))),
            needing)
        return target

    # -------------------------------------------------------------------------
    # TAKING AN ITEM OFF
    # -------------------------------------------------------------------------

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
                date=format_day(self.env, date_end)),
            needing)
        company = self.company_id
        dispatcher = self.env['dunning.dispatcher'].with_company(company)
        dispatcher._recheck(self, company._dunning_today())
        return holds

    # -------------------------------------------------------------------------
    # ANOTHER LEVEL
    # -------------------------------------------------------------------------

    def _get_possible_levels(self):
        """Return the levels of the policy that no item of this notice had yet, without its own level."""
        self.ensure_one()
        Line = self.env['dunning.notice.line']
        last = Line.search(
            Domain('move_line_id', 'in', self.live_line_ids.move_line_id.ids)
            & Domain('status', 'in', ('sent', 'skipped')) & Domain('level_id.policy_id', '=', self.policy_id.id)
            & Line._get_standing_domain()).level_id
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
