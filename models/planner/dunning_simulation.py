"""The time machine: what a ladder would do over a period, past or coming, without writing anything.

Day by day the real planner is asked about a :class:`~.dunning_world.World`: the database as it is (or was), plus the
notices of this simulation, which only live in memory and go along as parameters of the statement. What is due leaves,
gets its term, and is history on the next day. So a reason, a term or a rule of law counts here exactly as it does in
the scheduled action, and there is no second ladder to keep in step.

It is fast because not everybody is asked every day. Nothing changes between the days on which something can change,
and the answers say which days those are: the day of the next level, of the end of a hold, of costs. A debtor is asked
on those days and on the day after anything happened to him; :data:`STILL` names the reasons of which that is known,
and who is waiting for anything else is asked every day.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from odoo import api, models
from odoo.tools import SQL, split_every

from ...tools.law import dutch_calendar
from ..ladder.dunning_level import MANUAL_CHANNELS
from .dunning_planner import RECHECK_IGNORED
from .dunning_planner__answer import PAST_IGNORED
from .dunning_planner__gate import CONTACT_DAYS
from .dunning_planner__world import World


@dataclass(slots=True)
class Step:
    """A notice line that only exists in a world: one item that was told at one level."""

    item_id: int
    notice_id: int  # negative: no record has such an id
    partner_id: int
    level_id: int
    channel: str
    status: str  # as of dunning.notice.line
    date: datetime.date
    deadline: datetime.date | None
    legal_role: str | None = None
    costs_from: datetime.date | None = None
    receipt_date: datetime.date | None = None
    recipient_id: int | None = None


# The planner's answer about addresses is for the level's channel; the notice may go by another one.
NOT_ABOUT_THE_NOTICE = frozenset({'no_address'})
ONE_DAY = timedelta(days=1)
# Debtors asked in one statement: the notices of the simulation have no index.
CHUNK = 150
# Reasons that end on a day the answer names, or that last until something happens to the debtor.
STILL = frozenset({
    'not_posted', 'settled', 'credit', 'no_debtor', 'payment_pending', 'blocked', 'no_followup', 'hold', 'hold_ended',
    'booked_extra', 'prescribed', 'no_policy', 'wrong_policy', 'not_sent', 'pending', 'finished', 'not_due',
    'waiting_delay', 'waiting_deadline', 'open_dispute', 'no_default', 'needs_fourteen_day', 'fourteen_day_running',
    'rates_stale', 'backlog', 'contact_budget', 'one_message', 'unmatched_receipt', 'netted', 'below_minimum',
    'no_address'})
# Claims this old may be prescribed on a day that is not known beforehand.
OLD = timedelta(days=650)


@dataclass(slots=True)
class Variant:
    """A ladder to try: the policies as they are, or with other values that are stored nowhere.

    :param policy_id: the policy that ``partner_ids`` follow, whatever was chosen for them; None: their own
    :param dict levels: ``{level id: {field: value}}`` of ``delay_days``, ``payment_term_days``, ``channel``, ``active``
    :param dict minimums: ``{policy id: minimum amount}`` in the currency of the policy
    """

    policy_id: int | None = None
    partner_ids: list = field(default_factory=list)
    levels: dict = field(default_factory=dict)
    minimums: dict = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """A notice that would leave, or a call that would be made."""

    date: date
    partner_id: int
    recipient_id: int
    currency_id: int
    policy_id: int
    level_id: int
    channel: str
    amount: float  # without interest and costs, in the currency of the company
    items: list  # (due item id, open, covered by credits, on hold), in its own currency


class _Run:
    """One simulation. Not a model: it lives in memory, as long as it is computed."""

    def __init__(self, service, company, first, last, variant, partners, calls, payments, every_day):
        # sudo: the planner reads settings of debtors; who asks was checked at the entrance
        self.env = service.sudo().with_company(company).env
        self.planner = self.env['dunning.planner']
        self.company = company.with_env(self.env)
        self.today = company._dunning_today()
        self.first, self.last = first, last
        self.start = min(first, self.today)
        self.variant = variant
        self.partners = partners and partners.commercial_partner_id
        self.calls, self.payments = calls, payments
        self.past = self.start < self.today
        self.every_day = every_day or (self.past and self._has_foreign_minimum())
        self.steps = defaultdict(list)  # debtor id -> steps
        self.waiting = {}  # notice id -> steps of a call that nobody made yet
        self.contacts = defaultdict(list)  # debtor id -> days
        self.settled = defaultdict(list)  # debtor id -> due item ids
        self.expected = set()  # due items whose payment was thought about
        self.pay_on = defaultdict(list)  # day -> (debtor id, due item id)
        self.agenda = defaultdict(set)  # day -> debtor ids
        self.known = set()  # debtors that owe anything
        self.old = set()  # debtors of whom a claim may be prescribed any day
        self.notice_id = 0
        self.levels = {}
        self.outcomes = []
        self.averages = None

    # --- the days ---

    def run(self):
        if self.last < self.first:
            return []
        self._load()
        day = self.start
        while day <= self.last:
            self._live(day)
            day += ONE_DAY
        return self.outcomes

    def _live(self, day):
        for partner_id, item_id in self.pay_on.pop(day, ()):
            self.settled[partner_id].append(item_id)
        asked = self.agenda.pop(day, set())
        # On these days everybody's answer can be another one: rates of interest are set per half-year.
        if day == self.start or self.every_day or (day.day == 1 and day.month in (1, 7)):
            asked = self.known
        asked = asked | self.old
        if self.partners is not None:
            asked = asked & set(self.partners.ids)
        due = []
        for chunk in split_every(CHUNK, sorted(asked), list):
            self._look_at_calls(day, chunk)
            decisions = self._ask(day, chunk)
            self._plan_ahead(day, decisions)
            due += [decision for decision in decisions if not decision.reason]
        if not due:
            return
        groups, _postponed = self.env['dunning.run']._cap_backlog(self.company, day, due)
        for decision in due:
            self.agenda[day + ONE_DAY].add(decision.partner_id)
        for group in groups:
            self._let_go(day, group)

    def _ask(self, day, partner_ids, items=None, ignore=frozenset()):
        past = day < self.today
        world = self._get_world(day, partner_ids)
        return self.planner._plan(
            self.company, day, world=world,
            partners=None if items is not None else self.env['res.partner'].browse(partner_ids), items=items,
            ignore=ignore | (PAST_IGNORED if past else frozenset({'bank_stale'})))

    def _get_world(self, day, partner_ids):
        variant = self.variant
        return World(
            as_of=day if day < self.today else None,
            told_until=self.start - ONE_DAY if self.past else None,
            only_sent=True,
            steps=[step for partner_id in partner_ids for step in self.steps.get(partner_id, ())],
            settled_ids=[item_id for partner_id in partner_ids for item_id in self.settled.get(partner_id, ())],
            levels=variant.levels,
            policy_id=variant.policy_id,
            policy_partner_ids=variant.partner_ids,
            minimums=variant.minimums,
            contacts=self._get_busy,
        )

    def _get_busy(self, company, at_date):
        """As the planner does, from the contacts of this simulation and those before it."""
        limit = company.dunning_contacts_per_week
        if not limit:
            return {}
        since = at_date - timedelta(days=CONTACT_DAYS)
        busy = {}
        for partner_id, dates in self.contacts.items():
            last = sorted((day for day in dates if since < day <= at_date), reverse=True)
            if len(last) >= limit:
                busy[partner_id] = last[limit - 1] + timedelta(days=CONTACT_DAYS)
        return busy

    def _plan_ahead(self, day, decisions):
        """Write down on which days the debtors are to be asked again."""
        for decision in decisions:
            for other in (
                decision.next_date, decision.level_date, decision.due_date + ONE_DAY,
                decision.last_deadline and decision.last_deadline + ONE_DAY,
                decision.hold_until and decision.hold_until + ONE_DAY,
            ):
                if other and other > day:
                    self.agenda[other].add(decision.partner_id)
            if decision.reason and decision.reason not in STILL:
                self.agenda[day + ONE_DAY].add(decision.partner_id)
            if self.past and day - decision.due_date > OLD and decision.partner_id:
                self.old.add(decision.partner_id)
            self._expect_payment(day, decision)

    # --- what leaves ---

    def _get_level(self, level_id):
        """Return the values of a level that count here."""
        if level_id not in self.levels:
            level = self.env['dunning.level'].browse(level_id)
            self.levels[level_id] = {
                'payment_term_days': level.payment_term_days, 'expire_days': level.expire_days,
                'legal_role': level.legal_role or None, **self.variant.levels.get(level_id, {})}
        return self.levels[level_id]

    def _let_go(self, day, group):
        first = max(group, key=lambda decision: decision.level_rank)
        self._tell(
            day, levels={decision.item_id: decision.level_id for decision in group},
            partner_id=first.partner_id, recipient_id=first.recipient_id, currency_id=first.currency_id,
            policy_id=first.policy_id, level_id=first.level_id, channel=first.channel,
            amount=float(sum(decision.amount_company for decision in group)),
            items=[
                (decision.item_id, float(decision.amount_residual), float(decision.amount_netted),
                 float(decision.amount_held))
                for decision in group])

    def _tell(self, day, *, levels, handed_out=None, **values):
        """Let one notice go, as the dispatcher does, or hand it to a person.

        :param dict levels: the step of each item; the notice has the highest of them
        """
        level = self._get_level(values['level_id'])
        manual = values['channel'] in MANUAL_CHANNELS
        self.notice_id -= 1
        waits = manual and self.calls == 'expire'
        term = max(self._get_level(level_id)['payment_term_days'] for level_id in {
            values['level_id'], *levels.values()})
        deadline, receipt, costs_from = day + timedelta(days=term), None, None
        if not manual:
            receipt = self._get_receipt(day, values['channel'])
            if level['legal_role'] == 'fourteen_day':
                deadline, costs_from = dutch_calendar.fourteen_day_term(receipt)
        steps = [
            Step(
                item_id=item_id, notice_id=self.notice_id, partner_id=values['partner_id'],
                level_id=levels[item_id], channel=values['channel'], recipient_id=values['recipient_id'],
                status='pending' if waits else 'sent', date=(handed_out or day) if waits else day,
                deadline=None if waits else deadline, legal_role=level['legal_role'], costs_from=costs_from,
                receipt_date=receipt)
            for item_id, *_amounts in values['items']]
        partner_id = values['partner_id']
        self.steps[partner_id] += steps
        if waits:
            self.waiting[self.notice_id] = steps
            if level['expire_days']:
                self.agenda[max(
                    day + ONE_DAY, steps[0].date + timedelta(days=level['expire_days']))].add(partner_id)
            return
        if values['channel'] != 'task':
            self.contacts[partner_id].append(day)
        for other in (day + ONE_DAY, deadline + ONE_DAY, costs_from, day + timedelta(days=CONTACT_DAYS)):
            if other:
                self.agenda[other].add(partner_id)
        if day >= self.first:
            self.outcomes.append(Outcome(date=day, **values))

    def _get_receipt(self, day, channel):
        """Return when a document that leaves on a day is presumed to be received; by two ways the slower one counts."""
        if channel == 'email':
            return day + ONE_DAY
        return dutch_calendar.presumed_receipt(day, self.company.dunning_postal_days)

    def _look_at_calls(self, day, partner_ids):
        """Take calls off the list that are not to be made any more, and pass over those that nobody made."""
        calls = {
            notice_id: steps for notice_id, steps in self.waiting.items() if steps[0].partner_id in set(partner_ids)}
        if not calls:
            return
        items = self.env['account.move.line'].browse(step.item_id for steps in calls.values() for step in steps)
        owed = {
            decision.item_id for decision in self._ask(
                day, partner_ids, items=items,
                ignore=RECHECK_IGNORED | NOT_ABOUT_THE_NOTICE | self.planner._gate_reasons())
            if not decision.reason}
        for notice_id, steps in calls.items():
            partner_id = steps[0].partner_id
            gone = [step for step in steps if step.item_id not in owed]
            for step in gone:
                self.steps[partner_id].remove(step)
                steps.remove(step)
            expire_days = self._get_level(steps[0].level_id)['expire_days'] if steps else 0
            if expire_days and (day - steps[0].date).days >= expire_days:
                for step in steps:
                    step.status, step.date, step.deadline = 'skipped', day, day
                steps = self.waiting[notice_id] = []
                self.agenda[day + ONE_DAY].add(partner_id)
            if not steps:
                del self.waiting[notice_id]

    # --- before the first day ---

    def _load(self):
        """Read what is known of the debtors: who owes, what was told, and on which days that can change."""
        wanted = SQL("TRUE") if self.partners is None else SQL(
            "partner.commercial_partner_id = ANY(%s)", self.partners.ids)
        self._load_ledger(wanted)
        self._load_told(wanted)
        self._load_dates(wanted)
        if not self.past:
            self._load_waiting()
        if self.payments == 'average':
            self.averages = self.env['dunning.simulation']._get_average_days_late(self.company, self.partners)

    def _load_ledger(self, wanted):
        """Debtors with open items on the first day, and, of past days, the days on which their items changed."""
        Line, Partial = self.env['account.move.line'], self.env['account.partial.reconcile']
        flush = [
            *(Line._fields[name] for name in ('date', 'reconciled', 'partner_id', 'parent_state', 'company_id')),
            *(Partial._fields[name] for name in ('max_date', 'debit_move_id', 'credit_move_id')),
            self.env['res.partner']._fields['commercial_partner_id']]
        source = SQL(
            """account_move_line line
               JOIN res_partner partner ON partner.id = line.partner_id
               JOIN account_account account ON account.id = line.account_id
                    AND account.account_type = 'asset_receivable'""")
        mine = SQL("line.company_id = %s AND line.parent_state = 'posted' AND %s", self.company.id, wanted)
        rows = self.env.execute_query(SQL(
            "SELECT DISTINCT partner.commercial_partner_id FROM %s WHERE %s AND line.reconciled IS NOT TRUE",
            source, mine, to_flush=flush))
        self.known.update(partner_id for (partner_id,) in rows)
        if not self.past:
            return
        rows = self.env.execute_query(SQL(
            """
            SELECT partner.commercial_partner_id, line.date FROM %(source)s WHERE %(mine)s AND line.date > %(start)s
             UNION
            SELECT partner.commercial_partner_id, partial.max_date
              FROM %(source)s
              JOIN account_partial_reconcile partial ON line.id IN (partial.debit_move_id, partial.credit_move_id)
             WHERE %(mine)s AND partial.max_date >= %(start)s
             UNION
            SELECT partner.commercial_partner_id, payment.date
              FROM account_payment payment JOIN res_partner partner ON partner.id = payment.partner_id
             WHERE payment.company_id = %(company)s AND payment.date > %(start)s AND %(wanted)s
             UNION
            SELECT partner.commercial_partner_id, move.date
              FROM account_bank_statement_line receipt
              JOIN account_move move ON move.id = receipt.move_id
              JOIN res_partner partner ON partner.id = receipt.partner_id
             WHERE receipt.company_id = %(company)s AND move.date > %(start)s AND %(wanted)s
            """,
            source=source, mine=mine, start=self.start, company=self.company.id, wanted=wanted, to_flush=flush))
        for partner_id, day in rows:
            self.known.add(partner_id)
            self.agenda[day].add(partner_id)
        # From today on the real ledger counts, also what was booked ahead.
        self.agenda[self.today].update(self.known)

    def _load_told(self, wanted):
        """The contacts of the week before, and the terms of what was told."""
        fields_ = self.env['dunning.notice']._fields
        until = self.start - ONE_DAY if self.past else self.last
        for partner_id, channel, state, told, deadline, costs_from in self.env.execute_query(SQL(
            """
            SELECT partner_id, channel, state, date, deadline, costs_from
              FROM dunning_notice partner_notice
              JOIN res_partner partner ON partner.id = partner_notice.partner_id
             WHERE partner_notice.company_id = %(company)s AND state IN ('sent', 'skipped') AND date <= %(until)s
               AND (date > %(week)s OR deadline >= %(start)s OR costs_from >= %(start)s) AND %(wanted)s
            """,
            company=self.company.id, until=until, start=self.start,
            week=self.start - timedelta(days=CONTACT_DAYS), wanted=wanted,
            to_flush=[fields_[name] for name in (
                'state', 'date', 'deadline', 'costs_from', 'partner_id', 'channel', 'company_id')],
        )):
            if state == 'sent' and channel != 'task':
                self.contacts[partner_id].append(told)
            for day in (deadline and deadline + ONE_DAY, costs_from, told + timedelta(days=CONTACT_DAYS)):
                if day and day > self.start:
                    self.agenda[day].add(partner_id)

    def _load_dates(self, wanted):
        """The days of holds and of prescription."""
        Hold = self.env['dunning.hold']
        for partner_id, *days in self.env.execute_query(SQL(
            """
            SELECT partner.commercial_partner_id, hold.opened_on, hold.date_end + 1, hold.closed_on, hold.free_on,
                   hold.resolved_on
              FROM dunning_hold hold JOIN res_partner partner ON partner.id = hold.partner_id
             WHERE hold.company_id = %s AND %s
            """,
            self.company.id, wanted,
            to_flush=[Hold._fields[name] for name in (
                'opened_on', 'date_end', 'closed_on', 'free_on', 'resolved_on', 'partner_id', 'company_id')])):
            for day in days:
                if day and day > self.start:
                    self.agenda[day].add(partner_id)
        if not self.past:
            company, old = self.company.with_context(dunning_at_date=self.today), {}
            for found in self.env['dunning.prescription']._get_before(company, self.last):
                old[found.item_id] = max(self.start, found.until + ONE_DAY)
            for item in self.env['account.move.line'].browse(old):
                self.agenda[old[item.id]].add(item.partner_id.commercial_partner_id.id)

    def _load_waiting(self):
        """What waits today leaves on the first day, as far as it is still owed; calls are made, or wait on."""
        lines = self.env['dunning.notice.line'].search([
            ('company_id', '=', self.company.id), ('status', '=', 'pending'), ('move_line_id', '!=', False),
            *([('partner_id', 'in', self.partners.ids)] if self.partners is not None else [])])
        if not lines:
            return
        items = lines.move_line_id
        decisions = {
            decision.item_id: decision for decision in self._ask(
                self.start, lines.partner_id.ids, items=items,
                ignore=RECHECK_IGNORED | NOT_ABOUT_THE_NOTICE | self.planner._gate_reasons())
            if not decision.reason}
        for notice, mine in lines.grouped('notice_id').items():
            owed = [decisions[line.move_line_id.id] for line in mine if line.move_line_id.id in decisions]
            if not owed:
                continue
            self.known.add(notice.partner_id.id)
            self._tell(
                self.start, levels={line.move_line_id.id: line.level_id.id for line in mine if line.move_line_id},
                handed_out=notice.date if notice.state == 'todo' else None,
                partner_id=notice.partner_id.id, recipient_id=notice.recipient_id.id,
                currency_id=notice.currency_id.id, policy_id=notice.level_id.policy_id.id, level_id=notice.level_id.id,
                channel=notice.channel, amount=float(sum(decision.amount_company for decision in owed)),
                items=[
                    (decision.item_id, float(decision.amount_residual), float(decision.amount_netted),
                     float(decision.amount_held))
                    for decision in owed])

    def _has_foreign_minimum(self):
        return bool(self.env['dunning.policy'].search_count(
            [('currency_id', '!=', self.company.currency_id.id), ('minimum_amount', '>', 0)], limit=1))

    # --- payments to expect ---

    def _expect_payment(self, day, decision):
        """Who pays as he used to pays on a coming day; who is later than that already is not expected to."""
        if self.averages is None or day < self.today or decision.item_id in self.expected:
            return
        self.expected.add(decision.item_id)
        by_partner, overall = self.averages
        late = by_partner.get(decision.partner_id, overall)
        on_day = late is not None and decision.due_date + timedelta(days=late)
        if on_day and on_day > day:
            self.pay_on[on_day].append((decision.partner_id, decision.item_id))
            self.agenda[on_day].add(decision.partner_id)


class DunningSimulation(models.AbstractModel):
    _name = 'dunning.simulation'
    _description = "Dunning Simulation"

    @api.model
    def _simulate(
        self, company, first, last, *, variant=None, partners=None, calls='done', payments='nobody', every_day=False,
    ):
        """Return what would go out in a period, as a list of :class:`Outcome` by day.

        Assumed: proposals are approved and letters posted on the day they are made, e-mails arrive, bank statements
        keep coming in, and no letter is refused for its words. Of past days the ledger counts as it was, and of the
        notices that really left those before the period; what waits today leaves on the first day.

        :param company: one ``res.company``
        :param date first: first day to tell about; of a coming period the days until then are lived through as well
        :param date last: last day
        :param Variant variant: another ladder; None: the policies as they are
        :param partners: only these debtors, or None
        :param calls: ``done`` (on the day itself) or ``expire`` (nobody calls)
        :param payments: ``nobody`` pays on coming days, or each after his own ``average`` number of days
        :param bool every_day: ask everybody every day: slower, the same answer
        """
        return _Run(self, company, first, last, variant or Variant(), partners, calls, payments, every_day).run()

    @api.model
    def _get_average_days_late(self, company, partners=None):
        """Return ``({debtor id: days}, days of all)``: how long after the due date invoices were paid, on average.

        Of the invoices due in the two years before today; negative for who pays early.
        """
        today = company._dunning_today()
        Line, Partial = self.env['account.move.line'], self.env['account.partial.reconcile']
        rows = self.env.execute_query(SQL(
            """
            SELECT partner.commercial_partner_id, AVG(paid.on_day - COALESCE(line.date_maturity, line.date)), COUNT(*)
              FROM account_move_line line
              JOIN res_partner partner ON partner.id = line.partner_id
              JOIN account_account account ON account.id = line.account_id
        CROSS JOIN LATERAL (SELECT MAX(max_date) AS on_day FROM account_partial_reconcile partial
                             WHERE partial.debit_move_id = line.id) paid
             WHERE line.company_id = %(company)s AND line.parent_state = 'posted' AND line.reconciled
               AND account.account_type = 'asset_receivable' AND line.balance > 0 AND paid.on_day IS NOT NULL
               AND COALESCE(line.date_maturity, line.date) BETWEEN %(since)s AND %(today)s
               AND %(wanted)s
          GROUP BY partner.commercial_partner_id
            """,
            company=company.id, since=today - timedelta(days=730), today=today,
            wanted=SQL("TRUE") if partners is None else SQL(
                "partner.commercial_partner_id = ANY(%s)", partners.commercial_partner_id.ids),
            to_flush=[*(Line._fields[name] for name in ('reconciled', 'date_maturity', 'parent_state', 'partner_id')),
                      Partial._fields['max_date'], Partial._fields['debit_move_id'],
                      self.env['res.partner']._fields['commercial_partner_id']]))
        total = sum(count for _partner, _days, count in rows)
        overall = round(sum(float(days) * count for _partner, days, count in rows) / total) if total else None
        return {partner_id: round(float(days)) for partner_id, days, _count in rows}, overall
