from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..kernel.dunning_bulk import insert_rows


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    # -------------------------------------------------------------------------
    # MAKING NOTICES OUT OF DECISIONS
    # -------------------------------------------------------------------------

    @api.model
    def _create_from_decisions(self, company, decisions, at_date, *, origin='scheduled', state='draft', forced=False):
        """Make notices of due decisions: one per debtor, currency, recipient and what can be said in one message.

        Items join a proposal that already waits for the same. A notice is of the highest level of its items.

        :param decisions: :class:`Decision` list of ``company``, only those that are due
        :return: the notices, new and joined
        """
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        highest = {key: max(group, key=lambda decision: decision.level_rank) for key, group in groups.items()}
        waiting = self._get_waiting_proposals(company, groups) if state == 'draft' else {}
        Notice = self._recording()
        Line = Notice.env['dunning.notice.line']
        new_keys = [key for key in groups if key not in waiting]
        created = Notice._insert(
            [
                {
                    'company_id': company.id,
                    'state': state,
                    'origin': origin,
                    'forced': forced,
                    'date_planned': at_date,
                    **self._prepare_from_decisions(groups[key], highest[key]),
                }
                for key in new_keys
            ],
            [groups[key] for key in new_keys])
        ids = dict(zip(new_keys, created.ids, strict=True)) | {key: notice.id for key, notice in waiting.items()}
        Line._insert([
            self._prepare_line(company.id, ids[key], decision)
            for key, group in groups.items() for decision in group
        ], created)
        made = self.browse([ids[key] for key in groups])
        self.browse([notice.id for notice in waiting.values()])._settle_joined(
            [decision for key in waiting for decision in groups[key]])
        made._update_claim(at_date)
        return made

    @api.model
    def _prepare_from_decisions(self, decisions, head):
        """Return what a new notice of these decisions says.

        :param head: the one of the highest level
        """
        return {
            'partner_id': head.partner_id,
            'currency_id': head.currency_id,
            'recipient_id': head.recipient_id,
            'level_id': head.level_id,
            'channel': head.channel,
            'backlog': any(decision.backlog for decision in decisions),
            **self._prepare_totals(decisions),
        }

    @api.model
    def _prepare_line(self, company_id, notice_id, decision):
        """Return the columns of a line for a due decision; the dispatcher completes them."""
        return {
            'notice_id': notice_id,
            'company_id': company_id,
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

    def _settle_joined(self, decisions):
        """Put proposals right that items of ``decisions`` joined."""
        self._settle_level()

    def _settle_level(self):
        """Let the level of notices be the highest of their items, as their texts are."""
        for notice in self:
            levels = notice.live_line_ids.level_id.sorted(lambda level: (level.sequence, level.id))
            if levels and levels[-1] != notice.level_id:
                vals = {'level_id': levels[-1].id}
                if notice.channel == notice.level_id.channel:
                    vals['channel'] = levels[-1].channel
                notice._recording().write(vals)

    @api.model
    def _prepare_totals(self, decisions):
        """Return the stored figures of a new notice of these decisions, as they would be computed."""
        residual = sum(decision.amount_residual for decision in decisions)
        netted = sum(decision.amount_netted for decision in decisions)
        held = sum(decision.amount_held for decision in decisions)
        principal = residual - netted - held
        return {
            'line_count': len(decisions),
            'amount_residual': residual,
            'amount_netted': netted,
            'amount_held': held,
            'amount_principal': principal,
            'amount_interest': 0.0,
            'amount_costs': 0.0,
            'amount_announced': 0.0,
            'amount_due': principal,
            'amount_due_company': sum(decision.amount_company for decision in decisions),
            'oldest_due_date': min(
                (decision.due_date for decision in decisions if decision.due_date), default=False),
        }

    def _insert(self, vals_list, groups):
        """Make notices in one statement; not tracked, since a new notice has no followers and no log.

        :param vals_list: dicts of columns, with the totals of their lines-to-be; the rest follows
        :param groups: the decisions of each
        """
        self.check_access('create')
        if not vals_list:
            return self.browse()
        defaults = self.default_get(['author_id'])
        names = self._next_names(len(vals_list))
        langs = self._get_langs_of(vals_list)
        levels = self.env['dunning.level'].browse({vals['level_id'] for vals in vals_list})
        policies = {level.id: level.policy_id.id for level in levels}
        currencies = self.env['res.currency'].browse({vals['currency_id'] for vals in vals_list})
        places = {currency.id: currency.decimal_places for currency in currencies}
        company_places = self.env['res.company'].browse(vals_list[0]['company_id']).currency_id.decimal_places
        for vals, name, lang in zip(vals_list, names, langs, strict=True):
            vals.update(defaults, name=name, lang=lang, policy_id=policies[vals['level_id']])
            digits = places[vals['currency_id']]
            for total, amount in vals.items():
                if amount and total.startswith('amount_'):
                    # Sums of rounded amounts: only what adding floats left over is to go.
                    vals[total] = round(amount, company_places if total == 'amount_due_company' else digits)
        computed, joins = self._get_computed_sql(vals_list, groups)
        created = self.browse(insert_rows(self, vals_list, computed=computed, joins=joins, alias='notice'))
        # What goes on with them need not read again what was just written.
        for name in ('company_id', 'partner_id', 'currency_id', 'recipient_id', 'level_id', 'policy_id', 'channel',
                     'state', 'origin', 'name', 'lang', 'date_planned'):
            self._fields[name]._insert_cache(created, [vals[name] or None for vals in vals_list])
        created.check_access('create')
        for field in self._fields.values():
            if field.store and field.compute and field.name not in vals_list[0] and field.name not in computed:
                self.env.add_to_compute(field, created)
        self.env['res.partner'].invalidate_model(['dunning_notice_ids'])
        return created

    @api.model
    def _get_langs_of(self, vals_list):
        """Return the language of each of these notices-to-be."""
        Level = self.env['dunning.level']
        recipients = self.env['res.partner'].browse([vals['recipient_id'] for vals in vals_list])
        recipients._read_dunning_lang()
        langs, found = [], {}
        for vals, recipient in zip(vals_list, recipients, strict=True):
            key = vals['level_id'], recipient._get_dunning_lang()
            if key not in found:
                found[key] = Level.browse(key[0]).policy_id._nearest_letter_lang(key[1])
            langs.append(found[key])
        return langs

    @api.model
    def _get_computed_sql(self, vals_list, groups):
        """Return what the database works out while it inserts notices.

        :param vals_list: dicts of columns of new notices
        :param groups: the decisions of each
        :return: ``{column: SQL}`` over the row ``notice``, and SQL of what is joined for it
        """
        return {}, SQL()

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
