"""What comes next with a debtor, who does it, and how to reach the debtor."""

from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from ..kernel.formats import format_day
from .dunning_debtor_timeline import PHONE_CHANNEL

# What waits for a person among notices; of several the first of these.
WAITING_STATES = ('error', 'draft', 'to_post', 'todo')


class Step(NamedTuple):
    """What a person has to do now.

    :param sentence: for the user
    :param record: what it is done with; empty: the screen of the debtor
    """

    sentence: str
    record: models.BaseModel | None = None


class DunningDebtorSteps(models.AbstractModel):
    """What waits for a person goes first; where nothing does, the planner says what the ladder does.

    A fixed number of queries per company, however many debtors.
    """

    _name = 'dunning.debtor.steps'
    _description = "Debtor"

    # -------------------------------------------------------------------------
    # THE NEXT STEP
    # -------------------------------------------------------------------------

    @api.depends('next_kind', 'next_date')
    @api.depends_context('lang')
    def _compute_next_step(self):
        """What a person does goes first; else the planner says what the ladder does, asked once per company."""
        steps = self._get_person_steps()
        for debtor in self:
            step = steps.get(debtor)
            debtor.next_step, debtor.next_is_link = step.sentence if step else False, bool(step)
        ladder = self.filtered(lambda debtor: debtor not in steps)
        # sudo: the planner reads settings of the debtor; the answer is about rows the user can read
        Planner = self.env['dunning.planner'].sudo()
        for company, debtors in ladder.grouped('company_id').items():
            today = company._dunning_today()
            found = {}
            for decision in Planner._plan(company, today, partners=debtors.partner_id):
                key = decision.partner_id, decision.currency_id
                # The first that goes out; else the first that can change by itself; else the oldest item.
                rank = (0 if not decision.reason else 1 if decision.next_date else 2, decision.next_date or today)
                if key not in found or rank < found[key][0]:
                    found[key] = rank, decision
            for debtor in debtors:
                _rank, decision = found.get((debtor.partner_id.id, debtor.currency_id.id), (None, None))
                if debtor.next_kind == 'promise':
                    debtor.next_step = self.env._(
                        "Wait for the payment promised for %s", format_day(self.env, debtor.promise_date))
                elif debtor.next_kind:
                    debtor.next_step = self._get_call_text(debtor)
                else:
                    debtor.next_step = decision and self._get_ladder_text(Planner, decision, company)

    def _get_person_steps(self):
        """Return ``{debtor: Step}`` of those debtors with which a person can do something today."""
        steps = {}
        for company, debtors in self.grouped('company_id').items():
            answers, notices = self._get_answers(company, debtors), self._get_waiting_notices(company, debtors)
            for debtor in debtors:
                key = debtor.partner_id.id, debtor.currency_id.id
                if debtor.partner_id.id in answers:
                    day, record = answers[debtor.partner_id.id]
                    steps[debtor] = Step(self.env._("Read the answer of %s", format_day(self.env, day)), record)
                elif debtor.is_today and debtor.next_kind != 'promise':
                    steps[debtor] = Step(self._get_call_text(debtor))
                elif debtor.arrangement_id.state == 'signed':
                    steps[debtor] = Step(self.env._("Sign the arrangement as well"), debtor.arrangement_id)
                elif key in notices:
                    steps[debtor] = Step(self._get_notice_text(notices[key]), notices[key])
                elif debtor.arrangement_id.state == 'draft':
                    steps[debtor] = Step(self.env._("Offer the arrangement"), debtor.arrangement_id)
        return steps

    def _get_waiting_notices(self, company, debtors):
        """Return ``{(debtor id, currency id): notice}``: of what waits for a person the first, the largest."""
        notices = self.env['dunning.notice'].search(
            Domain('company_id', 'in', company._get_dunning_company_ids())
            & Domain('partner_id', 'in', debtors.partner_id.ids) & Domain('state', 'in', WAITING_STATES)
            & (Domain('state', '!=', 'todo') | Domain('channel', '!=', PHONE_CHANNEL)))
        found = {}
        for notice in notices.sorted(lambda notice: (
                WAITING_STATES.index(notice.state), -notice.amount_due, notice.id), reverse=True):
            found[notice.partner_id.id, notice.currency_id.id] = notice
        return found

    def _get_answers(self, company, debtors):
        """Return ``{debtor id: (day, record)}`` of debtors whose answer nobody read yet, and where it was written.

        The record is the hold where the message cannot be seen.
        """
        reason = self.env.ref('l10n_nl_dunning.hold_reason_reply', raise_if_not_found=False)
        holds = self.env['dunning.hold'].search(
            self.env['dunning.hold']._get_active_domain(company._dunning_today())
            & Domain('company_id', 'in', company._get_dunning_company_ids())
            & Domain('partner_id', 'in', debtors.partner_id.ids)
            & Domain('reason_id', '=', reason.id)) if reason else self.env['dunning.hold']
        messages = holds and self.env['mail.message'].search(
            Domain('message_type', '=', 'email') & Domain('model', 'in', ('dunning.notice', 'account.move'))
            & Domain('author_id.commercial_partner_id', 'in', holds.partner_id.ids), order='id')
        written = {
            message.author_id.commercial_partner_id: self.env[message.model].browse(message.res_id)
            for message in messages}
        return {hold.partner_id.id: (hold.opened_on, written.get(hold.partner_id, hold)) for hold in holds}

    def _get_notice_text(self, notice):
        amount = format_amount(self.env, notice.amount_due, notice.currency_id)
        level = notice.level_id.name
        if notice.state == 'draft':
            return self.env._("Approve the proposal of %(amount)s: “%(level)s”", amount=amount, level=level)
        if notice.state == 'error':
            return self.env._("“%(level)s” of %(amount)s failed: look why", amount=amount, level=level)
        if notice.state == 'to_post':
            return (
                self.env._("Post the letter of %s", amount) if notice.postal_state == 'printed'
                else self.env._("Print and post the letter of %s", amount))
        return self.env._("To do: “%s”", level)

    def _get_call_text(self, debtor):
        day = format_day(self.env, debtor.next_date)
        if debtor.next_kind == 'broken':
            return self.env._("Call: a promise was broken on %s", day)
        if debtor.next_kind == 'call':
            return self.env._("Call, as the ladder asks since %s", day)
        step = debtor.call_id.next_step or self.env._("Follow up the last call")
        return self.env._("%(step)s, on %(date)s", step=step, date=day)

    def _get_ladder_text(self, Planner, decision, company):
        level = self.env['dunning.level'].browse(decision.level_id).sudo().name  # sudo: only its name
        if decision.level_id and not decision.reason:
            return self.env._("“%s” goes out today", level)
        if decision.level_id and decision.reason in ('not_due', 'waiting_delay', 'waiting_deadline'):
            return self.env._("“%(level)s” on %(date)s", level=level, date=format_day(self.env, decision.next_date))
        return Planner._explain(decision, company)

    # -------------------------------------------------------------------------
    # HOW TO REACH THE DEBTOR
    # -------------------------------------------------------------------------

    @api.depends('partner_id')
    def _compute_reach(self):
        """The number and the address of whoever is approached first; none that is known to be wrong."""
        people = self.partner_id._get_dunning_people()
        for debtor in self:
            family = people[debtor.partner_id.commercial_partner_id]
            debtor.reach_phone = next((person.phone for person in family if person._has_dunning_phone()), False)
            debtor.reach_email = next((
                person.email for person in family if person.email and not person.dunning_email_bounced_on), False)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open(self):
        """Open the screen with everything for a call to this debtor.

        ``dunning_debtor_ids`` in the context: the rows of the list, in its order, for “next debtor”.
        """
        self.ensure_one()
        self.check_access('read')
        listed = self.env.context.get('dunning_debtor_ids')
        ids = [row_id for row_id in listed if isinstance(row_id, int)] if isinstance(listed, list) else self.ids
        return {
            'type': 'ir.actions.client',
            'tag': 'l10n_nl_dunning.debtor_screen',
            'name': self.partner_id.display_name,
            'params': {
                'debtor_id': self.id,
                'partner_id': self.partner_id.id,
                'company_id': self.company_id.id,
                'ids': ids,
            },
        }

    def action_arrangement(self):
        """Open the wizard that makes an arrangement about what this debtor owes in this currency."""
        self.check_access('read')
        if len(self) != 1:
            raise UserError(self.env._("An arrangement is made with one debtor. Select one."))
        return self.env['dunning.arrangement.make'].with_company(self.company_id)._action_open(
            partner=self.partner_id, currency=self.currency_id)

    def action_next_step(self):
        """Open what the next step is done with: the proposal, the letter, the answer or the arrangement, else the
        screen for a call.
        """
        self.ensure_one()
        self.check_access('read')
        step = self._get_person_steps().get(self)
        if not step or not step.record:
            return self.action_open()
        return step.record._get_records_action()
