"""How notices are made out of what the planner decided."""

from collections import defaultdict

from odoo import Command, api, models

from ..kernel.dunning_recorded import RECORDING
from ..ladder.dunning_level import DETOURS


class DunningNoticeMaking(models.AbstractModel):
    """The part of a notice about making it."""

    _name = 'dunning.notice.making'
    _description = "Dunning Notice"

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
