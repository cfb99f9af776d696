"""One message per debtor: what can be told together is, and what cannot takes turns."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from ..claim.test_fourteen_day import DEFAULT_NOTICE
from ..common import TODAY, DunningCommon, days
from ..kernel.test_properties import CALM

# Something else in law, so that it cannot be said together with a reminder.
FORMAL = {'legal_role': 'default_notice', 'letter_intro': DEFAULT_NOTICE}


class OneMessageCommon(DunningCommon):

    @classmethod
    def item_at(cls, count, partner=None, amount=100.0, ready=TODAY, **values):
        """Return an invoice whose first ``count`` levels of the ladder left, so that the next one is due on a day."""
        policy = cls.company.dunning_policy_business_id
        levels = policy.level_ids
        # Backwards: each level left right after the deadline of the one before it.
        dates, day = [], ready
        for number in range(count, 0, -1):
            level = levels[number]
            wait = max(1, level.delay_days) if level.delay_from == 'previous_deadline' else 1
            day -= days(wait + levels[number - 1].payment_term_days)
            dates.insert(0, day)
        move = cls.invoice(partner, due=(dates[0] if dates else ready) - days(levels[0].delay_days), amount=amount,
                           **values)
        for level, date in zip(levels, dates, strict=False):
            item = cls.items(move)
            cls.env['dunning.notice']._recording().create({
                'company_id': cls.company.id, 'partner_id': move.commercial_partner_id.id,
                'recipient_id': move.commercial_partner_id.id, 'currency_id': move.currency_id.id,
                'level_id': level.id, 'channel': level.channel, 'state': 'sent', 'date_planned': date, 'date': date,
                'sent_on': date,
                'deadline': date + days(level.payment_term_days),
                'line_ids': [(0, 0, {'move_line_id': item.id, 'move_id': move.id, 'date_maturity': item.date_maturity,
                                     'amount_residual': amount})]})
        return move


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestOneMessage(OneMessageCommon):

    def test_a_reminder_and_a_demand_are_one_letter(self):
        old, new = self.item_at(1), self.item_at(0, amount=50)
        notice = self.make_notices()
        self.assertRecordValues(notice, [{
            'level_id': self.demand.id, 'line_count': 2, 'amount_due': 150.0, 'channel': 'email'}])
        steps = {line.move_id: line.level_id for line in notice.line_ids}
        self.assertEqual(steps, {old: self.demand, new: self.reminder})
        self.send(notice)
        # The longest of the terms is for all.
        self.assertEqual(notice.deadline, TODAY + days(10))
        self.assertEqual((old.dunning_level_id, new.dunning_level_id), (self.demand, self.reminder))
        # Each goes on with its own next step.
        self.assertEqual(self.decision(old, TODAY + days(14)).level_id, self.final.id)
        self.assertEqual(self.decision(new, TODAY + days(14)).level_id, self.demand.id)
        self.assertEqual(self.reason(old, TODAY + days(10)), 'waiting_deadline')

    def test_the_letter_says_which_item_is_at_which_step(self):
        self.demand.tone = 'firm'
        self.item_at(1)
        self.item_at(0)
        notice = self.make_notices()
        Letter = self.env['dunning.letter']
        rows = Letter.with_context(lang=notice.lang)._prepare_items(notice)
        self.assertEqual(len({row['step'] for row in rows} - {''}), 2)
        self.demand.tone = 'friendly'
        self.assertEqual({row['step'] for row in Letter._prepare_items(notice)}, {''})

    def test_items_at_one_step_have_no_column_of_steps(self):
        self.item_at(0)
        self.item_at(0)
        notice = self.make_notices()
        self.assertEqual({row['step'] for row in self.env['dunning.letter']._prepare_items(notice)}, {''})

    def test_what_is_something_else_in_law_takes_turns(self):
        self.demand.write(FORMAL)
        old, new = self.item_at(1), self.item_at(0)
        self.assertEqual(self.reason(old), 'due')
        waits = self.decision(new)
        self.assertEqual((waits.reason, waits.next_date), ('one_message', TODAY + days(1)))
        sentence = self.assertExplained(waits)
        self.assertIn(self.demand.name, sentence)
        self.assertIn('4', sentence)
        first = self.dun()
        self.assertEqual((first.level_id, first.line_ids.move_id), (self.demand, old))
        # What left today still counts, whoever asks.
        waits = self.decision(new)
        self.assertEqual(waits.reason, 'one_message')
        self.assertIn(self.demand.name, self.assertExplained(waits))
        self.assertFalse(self.make_notices())
        second = self.dun(TODAY + days(1))
        self.assertEqual((second.level_id, second.line_ids.move_id), (self.reminder, new))

    def test_a_letter_with_interest_is_not_one_without(self):
        self.demand.with_interest = True
        self.item_at(1)
        new = self.item_at(0)
        self.assertEqual(self.reason(new), 'one_message')

    def test_a_call_and_a_letter_are_two_messages_and_a_task_is_none(self):
        self.demand.channel = 'phone'
        old, new = self.item_at(1), self.item_at(0)
        self.assertEqual((self.reason(old), self.reason(new)), ('due', 'one_message'))
        self.demand.channel = 'task'
        self.assertEqual((self.reason(old), self.reason(new)), ('due', 'due'))
        self.assertEqual(len(self.make_notices()), 2)

    def test_other_debtors_and_addressees_do_not_wait(self):
        self.demand.write(FORMAL)
        other = self.make_debtor("Slagerij De Haas BV")
        self.item_at(1)
        self.assertEqual(self.reason(self.item_at(0, other)), 'due')
        contact = self.make_contact(self.business, "Branch", type='invoice', email='branch@debtor.example.com')
        branch = self.item_at(0, contact)
        self.assertEqual((self.reason(branch), self.decision(branch).recipient_id), ('due', contact.id))
        contact.email = False  # then it is mailed to the debtor
        self.assertEqual(self.reason(branch), 'one_message')

    def test_who_cannot_be_written_to_keeps_nobody_waiting(self):
        self.demand.write({**FORMAL, 'channel': 'letter', 'fallback_channel': False})
        self.business.street = False
        old, new = self.item_at(1), self.item_at(0)
        self.assertEqual((self.reason(old), self.reason(new)), ('no_address', 'due'))

    def test_two_proposals_sent_at_once_leave_on_two_days(self):
        self.demand.write(FORMAL)
        new = self.item_at(0)
        reminder = self.make_notices()
        old = self.item_at(1, ready=TODAY + days(1))
        demand = self.make_notices(TODAY + days(1))
        self.assertEqual((reminder.line_ids.move_id, demand.line_ids.move_id), (new, old))
        both = reminder | demand
        self.send(both, TODAY + days(1))
        self.assertEqual((demand.state, reminder.state), ('sent', 'queued'))
        self.assertIn(self.demand.name, reminder.waiting_reason)
        self.send(reminder, TODAY + days(1))
        self.assertEqual(reminder.state, 'queued')
        self.send(reminder, TODAY + days(2))
        self.assertRecordValues(reminder, [{'state': 'sent', 'waiting_reason': False, 'date': TODAY + days(2)}])

    def test_an_item_joins_the_proposal_of_today_and_raises_it(self):
        new = self.item_at(0)
        proposal = self.make_notices()
        self.assertEqual(proposal.level_id, self.reminder)
        old = self.item_at(1)
        self.assertEqual(self.reason(old), 'due')
        self.assertEqual(self.make_notices(), proposal)
        self.assertRecordValues(proposal, [{'level_id': self.demand.id, 'line_count': 2}])
        self.assertEqual(proposal.line_ids.move_id, old | new)

    def test_when_the_highest_item_is_paid_the_letter_is_what_is_left(self):
        self.final.channel = 'letter'
        old, new = self.item_at(2), self.item_at(0)
        notice = self.make_notices()
        self.assertRecordValues(notice, [{'level_id': self.final.id, 'channel': 'letter', 'line_count': 2}])
        self.pay(old)
        self.send(notice)
        self.assertRecordValues(notice, [{
            'level_id': self.reminder.id, 'channel': 'email', 'state': 'sent', 'line_count': 1,
            'deadline': TODAY + days(10)}])
        self.assertEqual(new.dunning_level_id, self.reminder)

    def test_after_a_week_the_lower_one_goes_first(self):
        self.demand.write(FORMAL)
        new = self.item_at(0, ready=TODAY - days(7))
        old = self.item_at(1)
        self.assertEqual((self.reason(old), self.reason(new)), ('one_message', 'due'))

    def test_the_time_machine_takes_turns_as_well(self):
        self.demand.write(FORMAL)
        self.item_at(1)
        self.item_at(0)
        machine = self.on(TODAY, self.env['dunning.time.machine']).create({'date': TODAY})
        rows = self.env['dunning.time.machine.row'].search(machine.action_show()['domain'])
        self.assertRecordValues(rows, [{'level_id': self.demand.id, 'item_count': 1}])

    def test_the_wizard_makes_one_reminder_of_both(self):
        old, new = self.item_at(1), self.item_at(0)
        wizard = self.on(TODAY, self.env['dunning.send']).create({
            'at_date': TODAY, 'item_ids': [(6, 0, (self.items(old) | self.items(new)).ids)]})
        wizard._load()
        self.assertRecordValues(wizard.group_ids, [{'level_id': self.demand.id, 'item_count': 2}])
        notice = wizard._make_notices()
        self.assertRecordValues(notice, [{'level_id': self.demand.id, 'line_count': 2}])


# A level of another kind in law cannot share a letter; business debtors have no 14-day letters.
kinds = st.lists(
    st.fixed_dictionaries({
        'legal_role': st.sampled_from([False, False, 'default_notice']),
        'with_interest': st.booleans(),
        'payment_term_days': st.integers(0, 6),
        'delay_days': st.integers(1, 5),
    }), min_size=2, max_size=4)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTurns(OneMessageCommon):
    """Whatever the ladder: one message a day, everybody gets his turn, and nobody skips a step."""

    @settings(CALM, max_examples=10)
    @given(ladder=kinds, dues=st.lists(st.integers(0, 12), min_size=2, max_size=5), approve_late=st.booleans())
    def check(self, ladder, dues, approve_late):
        self.env.cr.execute('SAVEPOINT one_message')
        try:
            self._check(ladder, dues, approve_late)
        finally:
            self.env.invalidate_all(flush=False)
            self.env.cr.execute('ROLLBACK TO SAVEPOINT one_message')
            self.env.invalidate_all(flush=False)
            self.env.registry.clear_cache()

    def _check(self, ladder, dues, approve_late):
        policy = self.make_policy("Random", [
            {**level, **(FORMAL if level['legal_role'] else {}),
             'delay_from': 'previous_deadline' if number else 'due_date'}
            for number, level in enumerate(ladder)])
        self.use_policy(policy)
        moves = [self.invoice(due=TODAY + days(due), amount=100) for due in dues]
        levels = list(policy.level_ids)
        # Every step: its term, its delay, a week of patience and the turns of the others.
        horizon = max(dues) + sum(level['payment_term_days'] + level['delay_days'] + 9 for level in ladder) + sum(
            12 for _level in ladder)
        history, ready = defaultdict(list), {}
        for number in range(horizon):
            at_date = TODAY + days(number)
            for decision in self.plan(at_date).values():
                if decision.reason == 'one_message':
                    ready.setdefault((decision.item_id, decision.level_id), at_date)
            self.make_notices(at_date)
            drafts = self.env['dunning.notice'].search([
                ('partner_id', '=', self.business.id), ('state', 'in', ('draft', 'queued'))])
            if not approve_late or number % 3 == 0:
                self.send(drafts, at_date)
            left = self.env['dunning.notice'].search([
                ('partner_id', '=', self.business.id), ('state', '=', 'sent'), ('date', '=', at_date)])
            self.assertLessEqual(len(left), 1, f"{len(left)} messages on one day")
            for line in left.line_ids:
                history[line.move_id].append(line.level_id)
                since = ready.get((line.move_line_id.id, line.level_id.id))
                if since and not approve_late:
                    self.assertLessEqual((at_date - since).days, 7 + len(ladder), "An item waited too long")
            if left:
                self.assertEqual(
                    left.level_id, left.line_ids.level_id.sorted(lambda level: (level.sequence, level.id))[-1])
            if all(len(history[move]) == len(levels) for move in moves):
                break
        for move in moves:
            self.assertEqual(history[move], levels, "An item starved or skipped a step")

    def test_one_message_a_day_and_nobody_starves(self):
        self.check()
