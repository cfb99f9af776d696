"""The planner's answer in words: one sentence, who has to act, and the facts."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_amount

from ..kernel.formats import format_day
from ..kernel.groups import ACCOUNTING
from .question import Past


class DunningPlannerAnswer(models.AbstractModel):
    _name = 'dunning.planner.answer'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # ONE SENTENCE
    # -------------------------------------------------------------------------

    @api.model
    def _explain(self, decision, company):
        """Return the sentence for a decision, in the language of the environment."""
        planner = self.with_company(company)
        if not decision.reason:
            currency = planner.env['res.currency'].browse(decision.currency_id)
            level = planner._fmt_level(decision.level_id)
            amount = format_amount(planner.env, decision.amount_due, currency)
            if decision.amount_held:
                text = planner.env._(
                    "Due: “%(level)s” goes out for %(amount)s. On hold and not asked now: %(held)s, %(hold)s.",
                    level=level, amount=amount, held=format_amount(planner.env, decision.amount_held, currency),
                    hold=planner._fmt_hold(decision))
            else:
                text = planner.env._("Due: “%(level)s” goes out for %(amount)s.", level=level, amount=amount)
            if decision.detour:
                text = f"{text} {planner._explain_detour(decision.detour, decision.channel, decision.bounced_on)}"
            return text
        return planner._get_reason(decision.reason).sentence(decision)

    @api.model
    def _get_waits_for(self, decision, notice=None):
        """Return who or what has to move before the answer is another one."""
        if not decision.reason:
            return self.env._("Nobody: it goes out")
        waits_for = self._get_reason(decision.reason).waits_for
        if waits_for == 'hold':
            return self.env['res.users'].browse(decision.hold_user_id).name if decision.hold_user_id else ''
        if waits_for == 'notice' and notice:
            return notice.display_name
        return self._get_waits_for_texts()[waits_for]

    @api.model
    def _get_waits_for_texts(self):
        """Return in words who or what a reason can wait for; of a hold and a notice when there is no better answer."""
        return {
            'time': self.env._("Time"),
            'payment': self.env._("The bank: a payment to match"),
            'bank': self.env._("The bank: statements to import"),
            'nobody': self.env._("Nobody"),
            'invoice': self.env._("Whoever is responsible for the invoice"),
            'contact': self.env._("Whoever completes the contact"),
            'policy': self.env._("Whoever sets up the policies"),
            'rates': self.env._("Whoever confirms the interest rates"),
            'minimum': self.env._("More overdue items, or a lower minimum in the policy"),
            'dispute': self.env._("Whoever settles the dispute"),
            'hold': self.env._("A person"),
            'notice': self.env._("A person"),
            'person': self.env._("A person"),
        }

    def _fmt_date(self, date):
        return format_day(self.env, date)

    def _fmt_level(self, level_id):
        return self.env['dunning.level'].browse(level_id).sudo().name or ''  # sudo: only its name

    def _fmt_hold(self, decision):
        # sudo: only names; reasons and owners are few, so this costs no query per item
        reason = self.env['dunning.hold.reason'].browse(decision.hold_reason_id).sudo()
        owner = self.env['res.users'].browse(decision.hold_user_id).sudo()  # sudo: as above
        return self.env._(
            "%(reason)s (%(owner)s)", reason=reason._get_name_in_sentence(), owner=owner.name or '')

    def _fmt_company_amount(self, amount):
        return format_amount(self.env, amount or 0.0, self.env.company.currency_id)

    # -------------------------------------------------------------------------
    # THE ANSWER WITH ITS FACTS
    # -------------------------------------------------------------------------

    @api.model
    def _answer(self, company, day, *, items=None, partners=None):
        """Return the answers about due items of one creditor on a day, as plain dicts.

        Of the companies that the user works in: what is owed to the others counts, and is not told.

        :param company: one ``res.company``
        :param date day: past days are answered from the ledger and the notices as they were
        :param items: exactly these ``account.move.line`` records; None: what was open then
        :param partners: restrict to these debtors, or None
        :return: list of dicts; dates are ISO strings or False, amounts in the currency of the item
        """
        # sudo: the planner reads settings of debtors; the caller checked who asks about what
        planner = self.sudo().with_company(company)
        decisions = planner._plan(
            company, day, items=items, partners=partners, ignore=self._get_unknown_reasons(company, day),
            past=Past(day, day) if day < company._dunning_today() else None)
        decisions = self._filter_seen(company, decisions)
        found = planner.env['account.move.line'].browse([decision.item_id for decision in decisions])
        pending = planner._get_waiting_notices(decisions)
        found.move_id.fetch(['name'])
        answers = [
            planner._prepare_answer(day, decision, item, pending.get(item.id))
            for decision, item in zip(decisions, found, strict=True)]
        if items is not None:
            answers += [
                planner._prepare_missing_answer(day, item)
                for item in items.filtered(lambda item: (
                    item.company_id.id in company._get_dunning_company_ids())) - found]
        planner._add_drop_texts(company, day, answers)
        return answers

    @api.model
    def _filter_seen(self, company, decisions):
        """Return those of the decisions about a creditor that the user may be told: of companies that were chosen."""
        if self.env.su or len(company._get_dunning_company_ids()) == 1:
            return decisions
        # sudo: only to which company each is owed
        items = self.env['account.move.line'].sudo().browse([decision.item_id for decision in decisions])
        seen = {item.id for item in items if item.company_id in self.env.companies}
        return [decision for decision in decisions if decision.item_id in seen]

    @api.model
    def _add_drop_texts(self, company, day, answers):
        """Explain in the words of the person what somebody took off a proposal."""
        held = [answer['item_id'] for answer in answers if answer['reason'] in ('hold', 'hold_ended')]
        if not held:
            return
        lines = self.env['dunning.notice.line'].search(
            [('move_line_id', 'in', held), ('dropped_hold_id', '!=', False)], order='id')
        texts = {
            line.move_line_id.id: line.drop_text for line in lines
            if line.dropped_hold_id.opened_on <= day
            and (not line.dropped_hold_id.free_on or line.dropped_hold_id.free_on > day)}
        for answer in answers:
            if answer['item_id'] in texts:
                answer['text'] = f"{answer['text']} {texts[answer['item_id']]}"

    @api.model
    def _prepare_answer(self, day, decision, item, notice):
        """Return the answer about an item as a plain dict.

        :param notice: the notice that it waits for, or None
        """
        Level, round_amount = self.env['dunning.level'], item.currency_id.round
        last_level, level = Level.browse(decision.last_level_id or []), Level.browse(decision.level_id or [])
        channels = dict(Level._fields['channel']._description_selection(self.env))
        to_date = fields.Date.to_string
        return {
            **self._prepare_missing_answer(day, item),
            'amount_open': round_amount(decision.amount_residual or 0.0),
            'amount_netted': round_amount(decision.amount_netted or 0.0),
            'amount_on_hold': round_amount(decision.amount_held or 0.0),
            'amount_due': 0.0 if decision.reason else round_amount(decision.amount_due),
            'policy_id': decision.policy_id or False,
            'policy': self.env['dunning.policy'].browse(decision.policy_id or []).name or '',
            'last_level_id': last_level.id,
            'last_level': last_level.name or '',
            'last_date': to_date(decision.last_date) or False,
            'deadline': to_date(decision.last_deadline) or False,
            'next_level_id': level.id,
            'next_level': level.name or '',
            'next_channel': channels.get(decision.channel, '') if level else '',
            'next_level_date': to_date(decision.level_date) or False,
            'is_due': not decision.reason,
            'reason': decision.reason or 'due',
            'text': self._explain(decision, item.company_id),
            'waits_for': self._get_waits_for(decision, notice),
            'changes_on': (decision.reason and to_date(decision.next_date)) or False,
        }

    @api.model
    def _prepare_missing_answer(self, day, item):
        """Return the answer about an item that did not exist on a past day: the least that any answer has."""
        debtor = item.partner_id.commercial_partner_id
        return {
            'date': fields.Date.to_string(day),
            'item_id': item.id,
            'invoice_id': item.move_id.id,
            'invoice': item.move_id.name or '',
            'debtor_id': debtor.id,
            'debtor': debtor.display_name or '',
            'company_id': item.company_id.id,
            'due_date': fields.Date.to_string(item._get_dunning_due_date()),
            'currency': item.currency_id.name,
            **dict.fromkeys(('amount_open', 'amount_netted', 'amount_on_hold', 'amount_due'), 0.0),
            **dict.fromkeys(('policy_id', 'last_level_id', 'last_date', 'deadline', 'next_level_id'), False),
            **dict.fromkeys(('policy', 'last_level', 'next_level', 'next_channel'), ''),
            'next_level_date': False,
            'is_due': False,
            'reason': 'not_yet',
            'text': self.env._("It was not in the books yet: it is dated %s.", self._fmt_date(item.date)),
            'waits_for': self.env._("Nobody"),
            'changes_on': fields.Date.to_string(item.date),
        }

    @api.model
    def _get_waiting_notices(self, decisions):
        """Return ``{item id: notice}`` of the notices that decisions wait for."""
        waiting = [decision.item_id for decision in decisions if decision.reason == 'pending']
        if not waiting:
            return {}
        lines = self.env['dunning.notice.line'].search(
            [('move_line_id', 'in', waiting), ('status', '=', 'pending')])
        return {line.move_line_id.id: line.notice_id for line in lines}

    # -------------------------------------------------------------------------
    # ASKED BY PEOPLE AND PROGRAMS
    # -------------------------------------------------------------------------

    @api.model
    def _get_unknown_reasons(self, company, day):
        """Return the codes of the reasons that an answer about another day than today does not know of."""
        today = company._dunning_today()
        if day < today:
            return self._get_reason_codes(known_of_past=False)
        if day > today:
            return self._get_reason_codes(known_of_future=False)
        return frozenset()

    @api.model
    def _get_unknown(self, company, day):
        """Return what an answer about another day than today does not know, as sentences."""
        today = company._dunning_today()
        if day < today:
            return [
                self.env._(
                    "The ledger, the notices and the holds are those of that day. A payment counts from its date, also "
                    "when it was entered later."),
                self.env._(
                    "Not known of the past, and taken as it is today: whether the invoice was sent, blocked or marked "
                    "“No Follow-Up”, the policy, and the addresses. Proposals that were cancelled, online payments and "
                    "unmatched receipts of then are left out."),
            ]
        if day > today:
            return [self.env._(
                "As if until then nobody pays, nothing else goes out and nothing is changed, and bank statements keep "
                "coming in.")]
        return []

    @api.model
    def _check_may_ask(self):
        if not self.env.su and not self.env.user.has_groups(ACCOUNTING):
            raise AccessError(self.env._(
                "The answers name amounts of debtors, so they are for accounting only. Ask your administrator for "
                "access to invoicing."))
