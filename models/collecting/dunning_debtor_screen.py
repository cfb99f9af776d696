"""Everything a collector sees of one debtor while he calls, in one answer.

The screen itself is an Owl component (``static/src/debtor_screen``). It asks
``dunning.debtor.get_screen`` once per debtor and logs the call through
``dunning.call.log_call``. Nothing here writes.

However many items, contacts and earlier calls a debtor has, the number of queries
stays the same: what is judged per item comes from one statement of the planner, and
what was said before is read per model, the latest first.
"""

from typing import NamedTuple

from odoo import Command, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount
from odoo.tools.mail import is_html_empty

from ..agreement.dunning_arrangement_history import HISTORY
from ..ladder.dunning_level_wording import is_text_empty
from .dunning_call_outcome import ASKS
from .dunning_debtor_timeline import EVENTS_PER_KIND, PHONE_CHANNEL

# Contacts of a debtor to choose from; who has a thousand is found through the contact form.
CONTACTS = 30
BUCKETS = ((1, 30), (31, 60), (61, 90), (91, None))


class Facts(NamedTuple):
    """What the parts of the answer share, read once."""

    partner: object
    today: object
    items: object  # open due items in the currency of the row, the oldest first
    credits: object  # open credits in that currency
    decisions: dict  # answers of the planner by item
    holds: object  # open holds and unsettled disputes of the debtor
    contacts: list
    calls: object
    notices: object
    promises: object
    arrangements: object  # in that currency


class DunningDebtorScreen(models.AbstractModel):
    _name = 'dunning.debtor.screen'
    _description = "Debtor"

    # -------------------------------------------------------------------------
    # THE ANSWER
    # -------------------------------------------------------------------------

    def _get_screen_facts(self):
        self.ensure_one()
        company, partner = self.company_id, self.partner_id
        today = company._dunning_today()
        Item = self.env['account.move.line']
        lines = Item.search_fetch(
            Item._get_dunning_due_domain() & Domain([
                ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', partner.id),
                ('parent_state', '=', 'posted'), ('reconciled', '=', False),
                ('currency_id', '=', self.currency_id.id)]),
            ['move_id', 'date_maturity', 'date', 'amount_residual_currency', 'amount_currency', 'name'],
            order='date_maturity, id')
        items = lines.filtered(lambda line: line.amount_residual > 0 and line.amount_residual_currency > 0)
        items.move_id.fetch(['name', 'is_move_sent', 'move_type', 'dunning_sent_state'])
        # sudo: the planner reads settings of the debtor; the user can read these items
        decisions = self.env['dunning.planner'].sudo()._plan(company, today, items=items)
        about = Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain('partner_id', '=', partner.id)
        return Facts(
            partner=partner, today=today, items=items,
            credits=lines.filtered(lambda line: line.amount_residual_currency < 0),
            decisions={decision.item_id: decision for decision in decisions},
            holds=self.env['dunning.hold'].search(
                about & (self.env['dunning.hold']._get_active_domain(today) | Domain([
                    ('is_dispute', '=', True), ('resolved_on', '=', False)])), order='opened_on'),
            contacts=self._get_screen_contacts(partner),
            calls=self.env['dunning.call'].search(about, order='date_start desc, id desc', limit=EVENTS_PER_KIND),
            notices=self.env['dunning.notice'].search(
                about & Domain('state', '!=', 'cancelled'), order='id desc', limit=EVENTS_PER_KIND),
            promises=self.env['dunning.promise'].search(
                about, order='date_made desc, id desc', limit=EVENTS_PER_KIND),
            arrangements=self.env['dunning.arrangement'].search(
                about & Domain('currency_id', '=', self.currency_id.id), limit=HISTORY),
        )

    def _prepare_screen(self, facts):
        categories = self.env['dunning.hold']._fields['dispute_category']._description_selection(self.env)
        items = self._prepare_screen_items(facts)
        amounts = self._prepare_screen_amounts(facts, items)
        return {
            'debtor_id': self.id,
            'company_id': self.company_id.id,
            'currency_id': self.currency_id.id,
            'today': fields.Date.to_string(facts.today),
            'may_log': self.env['dunning.call'].has_access('create'),
            'debtor': self._prepare_screen_debtor(facts),
            'amounts': amounts,
            'contacts': facts.contacts,
            'contact_id': facts.contacts[0]['id'],
            'checklist': self._prepare_screen_checklist(facts, items),
            'items': items,
            'credits': [
                {
                    'id': line.id, 'move_id': line.move_id.id, 'name': line.move_id.name or '',
                    'date': fields.Date.to_string(line.date), 'amount': line.amount_residual_currency,
                }
                for line in facts.credits
            ],
            'timeline': self._prepare_screen_timeline(facts),
            'script': self._prepare_screen_script(facts, amounts),
            'tries': self._prepare_screen_tries(facts),
            'outcomes': [
                {
                    'id': outcome.id,
                    'name': outcome.name,
                    'kind': outcome.kind,
                    'shortcut': (outcome.shortcut or '').lower(),
                    'asks': ASKS.get(outcome.kind, []),
                    'reached': outcome.reached,
                }
                for outcome in self.env['dunning.call.outcome'].search([])
            ],
            'categories': [{'value': value, 'label': label} for value, label in categories],
            'may_arrange': self.env['dunning.arrangement'].has_access('create'),
            'arrangement': self.arrangement_id._prepare_screen_arrangement() if self.arrangement_id else False,
        }

    # -------------------------------------------------------------------------
    # WHO
    # -------------------------------------------------------------------------

    def _prepare_screen_debtor(self, facts):
        partner = facts.partner
        types = dict(partner._fields['dunning_effective_type']._description_selection(self.env))
        # Worth saying only when it is not the language the user works in.
        spoken = partner._get_dunning_lang()
        languages = dict(self.env['res.lang'].get_installed()) if spoken and spoken != self.env.lang else {}
        level = self.level_id
        return {
            'id': partner.id,
            'name': partner.name or partner.display_name,
            'ref': partner.ref or '',
            'city': partner.city or '',
            'type': types.get(partner.dunning_effective_type, ''),
            'lang': languages.get(spoken, ''),
            'level': level.name or '',
            'level_color': level.color,
            'priority': self.priority,
            'priority_text': self.priority_text or '',
            'behaviour': self._tell_behaviour(facts),
            'salesperson': partner.user_id.name or '',
            'next_step': self.next_step or '',
            # A call is what the screen itself is for.
            'next_is_link': self.next_is_link and bool(self._get_person_steps()[self].record),
        }

    def _get_screen_contacts(self, partner):
        """Return the people of a debtor, the one to call first."""
        people = partner.search_fetch(
            [('commercial_partner_id', '=', partner.id)],
            ['name', 'function', 'type', 'phone', 'email', 'dunning_email_bounced_on', 'dunning_phone_wrong_on',
             'country_id', 'parent_id'],
            limit=CONTACTS, order='id')
        first = partner._get_dunning_phone_contact()
        people |= partner | first
        types = dict(partner._fields['type']._description_selection(self.env))
        return [
            {
                'id': person.id,
                'name': person.name or (types.get(person.type, '') if person.type != 'contact' else '')
                or partner.name or '',
                'function': person.function or '',
                'type': types.get(person.type, '') if person.type not in (False, 'contact', 'other') else '',
                'is_debtor': person == partner,
                'phone': (person.phone or '').strip(),
                'number': person._get_dunning_number(),
                'phone_wrong': bool(person.dunning_phone_wrong_on),
                'email': person.email or '',
                'email_bounced': bool(person.dunning_email_bounced_on),
            }
            for person in people.sorted(lambda person: (
                person != first, person.type != 'dunning', person != partner, person.type != 'invoice', person.id))]

    # -------------------------------------------------------------------------
    # HOW MUCH
    # -------------------------------------------------------------------------

    def _prepare_screen_items(self, facts):
        Planner = self.env['dunning.planner']
        disputed = self.env['dunning.hold']._get_items_in_dispute(facts.items)
        promised = set(facts.promises.filtered(lambda promise: promise.state == 'running').item_ids.ids)
        # What is part of an arrangement that was offered or runs.
        arranged = set(self.env['dunning.arrangement.line'].search([
            ('move_line_id', 'in', facts.items.ids), ('is_live', '=', True)]).move_line_id.ids)
        sentences = {}
        result, collectable = [], Planner._get_collectable(
            self.company_id, facts.today, facts.items, facts.decisions)
        for item in facts.items:
            decision = facts.decisions.get(item.id)
            move = item.move_id
            due = item._get_dunning_due_date()
            days = (facts.today - due).days
            held = decision.amount_held if decision else 0.0
            reason = (decision.reason or 'due') if decision else ''
            left = collectable[item]
            levels = self.env['dunning.level'].browse(decision.last_level_id or [] if decision else [])
            sentence = ''
            if decision:
                # Many items share an answer, and some answers look things up.
                key = decision._replace(item_id=0, move_id=0, due_date=None, amount_company=0)
                if key not in sentences:
                    sentences[key] = Planner._explain(decision, self.company_id)
                sentence = sentences[key]
            result.append({
                'id': item.id,
                'move_id': move.id,
                'name': move.name or '',
                'due_date': fields.Date.to_string(due),
                'days': days,
                'amount': item.amount_residual_currency,
                'held': held,
                'left': left,
                'level': levels.name or '',
                'level_color': levels.color,
                'disputed': item in disputed,
                'promised': item.id in promised,
                'on_hold': bool(held),
                'sent': move._is_dunning_sent() or move.move_type != 'out_invoice',
                'reason': reason,
                'not_asked': not (left or held or (decision and decision.amount_netted)),
                'why': sentence,
                'checked': days > 0 and not self.currency_id.is_zero(left),
                'arranged': item.id in arranged,
            })
        return result

    def _prepare_screen_amounts(self, facts, items):
        late = [item for item in items if item['days'] > 0]
        amounts = {
            'open': sum(item['amount'] for item in items),
            'overdue': sum(item['amount'] for item in late),
            'held': sum(item['held'] for item in late),
            'credits': -sum(facts.credits.mapped('amount_residual_currency')),
            'collectable': sum(item['left'] for item in late),
            # Where only a part is disputed, that part is on hold.
            'disputed': sum(item['held'] or item['amount'] for item in items if item['disputed']),
            'promised': sum(facts.promises.filtered(lambda promise: (
                promise.state == 'running' and promise.currency_id == self.currency_id)).mapped('amount')),
        }
        result = {name: self.currency_id.round(amount) for name, amount in amounts.items()}
        result['days'] = max((item['days'] for item in late), default=0)
        result['buckets'] = [
            {
                'from': first, 'to': last or 0,
                'amount': self.currency_id.round(sum(
                    item['amount'] for item in late if item['days'] >= first and (not last or item['days'] <= last))),
            }
            for first, last in BUCKETS
        ]
        return result

    # -------------------------------------------------------------------------
    # WHAT TO SAY, AND HOW IT WENT
    # -------------------------------------------------------------------------

    def _prepare_screen_script(self, facts, amounts):
        """Return the script with the debtor's own figures: that of a level by telephone, else steps for any call."""
        waiting = self._get_waiting_call(facts)
        if waiting and not is_html_empty(waiting.call_script):
            return {'level': waiting.level_id.name, 'html': waiting.call_script}
        level = self._get_script_level(facts)
        if not level:
            return {'level': '', 'html': '', 'steps': self._get_script_steps(facts, amounts)}
        notice = self._new_script_notice(facts, level)
        # sudo: the texts of a level are for whoever may read the debtor; see `_render_level_text`
        text = self.env['dunning.letter'].sudo()._render_level_text(
            level, 'call_script', notice.lang, notice).get(notice.id)
        steps = [] if text else self._get_script_steps(facts, amounts)
        return {'level': level.name, 'html': text or '', 'steps': steps}

    def _get_waiting_call(self, facts):
        """Return the call that the ladder asks for, if any."""
        return facts.notices.filtered(lambda notice: (
            notice.state == 'todo' and notice.channel == PHONE_CHANNEL
            and notice.currency_id == self.currency_id))[:1]

    def _prepare_screen_tries(self, facts):
        """Return which try this call would be for the ladder, or False where nobody counts."""
        waiting = self._get_waiting_call(facts)
        if not waiting or not waiting.level_id.phone_tries:
            return False
        return {
            'level': waiting.level_id.name, 'number': waiting.call_tries + 1, 'most': waiting.level_id.phone_tries}

    def _get_script_steps(self, facts, amounts):
        """Return what to say to a debtor whose policy has no level by telephone."""
        steps = [
            self.env._("Give your name and company: %s", self.company_id.name),
            self.env._(
                "Say what it is about: %(amount)s is open, the oldest for %(days)s days.",
                amount=format_amount(self.env, amounts['collectable'], self.currency_id), days=amounts['days']),
            self.env._("Was everything received and is it in order? Listen first."),
            self.env._("On which day will it be paid, and how much? Agree on one date."),
            self.env._("If it cannot be paid at once: what can, and from when?"),
            self.env._("Repeat what was agreed, and say thank you."),
        ]
        if facts.partner.dunning_effective_type == 'consumer':
            # What somebody owes is nobody else's business.
            steps.insert(0, self.env._(
                "Ask for %s in person, and tell nobody else what it is about.", facts.partner.name))
        return steps

    def _get_script_level(self, facts):
        """Return the level whose script fits: the next one, else the first by telephone of the policy."""
        decisions = facts.decisions.values()
        # sudo: the ladder that applies, whoever asks
        Level = self.env['dunning.level'].sudo()
        nexts = Level.browse({decision.level_id for decision in decisions if decision.level_id})
        policies = {decision.policy_id for decision in decisions if decision.policy_id}
        ladder = Level.search([('policy_id', 'in', list(policies)), ('channel', '=', PHONE_CHANNEL)])
        for level in (*nexts.sorted('sequence', reverse=True), *ladder):
            if level.channel == PHONE_CHANNEL and not is_text_empty(level.call_script):
                return level.sudo(False)
        return Level.sudo(False)

    def _new_script_notice(self, facts, level):
        """Return a notice in memory with the debtor's figures: one line with their sums is enough for a text."""
        late = [item for item in facts.items if item._get_dunning_due_date() < facts.today] or facts.items
        found = [facts.decisions[item.id] for item in late if item.id in facts.decisions]
        if not any(decision.amount_due > 0 for decision in found):
            found = []  # all of it is on hold or covered: then the call is about the whole
        lang = level.policy_id.sudo()._nearest_letter_lang(  # sudo: which languages the policy was written in
            facts.partner._get_dunning_lang())
        notice = self.env['dunning.notice'].sudo().with_context(lang=lang).new({  # sudo: in memory only
            'name': "/",
            'company_id': self.company_id.id,
            'partner_id': facts.partner.id,
            'recipient_id': facts.partner.id,
            'currency_id': self.currency_id.id,
            'level_id': level.id,
            'channel': level.channel,
            'lang': lang,
            'date_planned': facts.today,
            'line_ids': [Command.create({
                'name': "/",
                'date_maturity': min((item._get_dunning_due_date() for item in late), default=facts.today),
                'amount_residual': sum(item.amount_residual_currency for item in late),
                'amount_netted': sum(decision.amount_netted for decision in found),
                'amount_held': sum(decision.amount_held for decision in found),
            })],
        })
        told = facts.notices.filtered(lambda other: (
            other.state == 'sent' and other.channel != 'task' and other.date)).sorted('date')
        notice.history_text = notice._tell_history(told[-3:])
        return notice
