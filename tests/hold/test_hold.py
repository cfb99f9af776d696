"""Every hold ends, and while it lasts nothing about it leaves."""

from datetime import timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days

# The day on which what was to be paid on TODAY reaches the first level.
DUE = TODAY + days(5)
SOFT = 3


class HoldCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)]}
        cls.owner = new_test_user(cls.env, 'sanne', groups='account.group_account_invoice', name="Sanne", **user)
        cls.clerk = new_test_user(cls.env, 'clerk', groups='account.group_account_invoice', name="Kees", **user)
        cls.reasons = {
            reason: cls.env.ref(f'l10n_nl_dunning.hold_reason_{reason}')
            for reason in ('dispute', 'promise', 'insolvency', 'guardianship', 'internal', 'invoice_copy')}

    @classmethod
    def hold(cls, target, until, reason='internal', on=TODAY, **values):
        """Return a hold placed on a day on an invoice, a due item or a debtor."""
        field = {'account.move': 'move_id', 'account.move.line': 'move_line_id', 'res.partner': 'partner_id'}
        return cls.on(on, cls.env['dunning.hold']).create({
            field[target._name]: target.id,
            'reason_id': cls.reasons[reason].id,
            'user_id': cls.owner.id,
            'date_end': until,
            **({'company_id': cls.company.id} if target._name == 'res.partner' else {}),
            **values,
        })

    @classmethod
    def close(cls, holds, on, why="Settled.", user=None):
        return cls.on(on, holds.with_user(user or cls.clerk))._close(why)

    def reminders(self, holds):
        """Return (user, summary) of what waits for the owners."""
        return [(activity.user_id, activity.summary) for activity in holds.activity_ids]


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestHoldPlanner(HoldCommon):
    """What a hold means on which day."""

    def test_held_then_soft_days_then_due(self):
        invoice = self.invoice(due=TODAY)
        end = DUE + days(10)
        self.hold(invoice, end, 'dispute', on=DUE)
        # A day before it was placed the answer is what it was.
        self.assertEqual(self.reason(invoice, DUE - days(1)), 'waiting_delay')
        self.assertEqual(self.reason(invoice, DUE), 'hold')
        self.assertEqual(self.reason(invoice, end), 'hold')
        decision = self.decision(invoice, end)
        self.assertEqual(decision.next_date, end + days(SOFT + 1))
        self.assertEqual(self.assertExplained(decision), "On hold until 18 Mar 2025: dispute (Sanne).")
        for day in range(1, SOFT + 1):
            decision = self.decision(invoice, end + days(day))
            self.assertEqual((decision.reason, decision.next_date), ('hold_ended', end + days(SOFT + 1)))
        self.assertEqual(
            self.assertExplained(decision),
            "The hold ended on 18 Mar 2025: dispute (Sanne). Reminders go on from 22 Mar 2025.")
        self.assertEqual(self.reason(invoice, end + days(SOFT + 1)), 'due')
        self.assertEqual(self.dun(end + days(SOFT + 1)).level_id, self.reminder)

    def test_closed_early_gives_the_soft_days_as_well(self):
        invoice = self.invoice(due=TODAY)
        hold = self.hold(invoice, DUE + days(10))
        self.close(hold, DUE)
        self.assertEqual(hold.free_on, DUE + days(SOFT + 1))
        self.assertEqual(self.reason(invoice, DUE - days(1)), 'hold')
        for day in range(SOFT + 1):
            self.assertEqual(self.reason(invoice, DUE + days(day)), 'hold_ended')
        self.assertEqual(self.reason(invoice, DUE + days(SOFT + 1)), 'due')

    def test_the_policy_says_how_soft(self):
        self.ladder.soft_days = 7
        invoice = self.invoice(due=TODAY)
        hold = self.hold(invoice, DUE)
        self.assertEqual(hold.free_on, DUE + days(8))
        self.ladder.soft_days = 0
        self.assertEqual(hold.free_on, DUE + days(1), "An open hold follows the policy")
        self.close(hold, DUE)
        self.ladder.soft_days = 5
        self.assertEqual(hold.free_on, DUE + days(1), "History does not change")
        # The reason can ask for more: a copy of the invoice has to arrive first.
        copy = self.hold(self.invoice(due=TODAY), DUE, 'invoice_copy')
        self.assertEqual(copy.soft_days, 5)
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.ladder.soft_days = -1
            self.ladder.flush_recordset()

    def test_an_invoice_with_its_own_policy(self):
        slow = self.make_policy("Slow", [{}], soft_days=10)
        invoice = self.invoice(due=TODAY, dunning_policy_id=slow.id)
        self.assertEqual(self.hold(invoice, DUE).soft_days, 10)
        self.assertEqual(self.hold(self.business, DUE).soft_days, 10, "Of a debtor the slowest of his policies")

    def test_a_hold_is_made_in_one_piece(self):
        """Its calm days are known before it is made: nothing is written afterwards."""
        with patch.object(
            type(self.env['dunning.hold']), 'write', side_effect=AssertionError("It was written after it was made"),
        ):
            hold = self.hold(self.invoice(due=TODAY), DUE)
        self.assertEqual(hold.soft_days, SOFT)

    def test_the_values_of_the_caller_stay_as_they_are(self):
        """What follows from them is completed in a copy: who uses them once more says the same."""
        vals = {
            'move_id': self.invoice(due=TODAY).id, 'date_end': TODAY + days(20),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id}
        before = dict(vals)
        hold = self.on(DUE, self.env['dunning.hold'].with_user(self.clerk)).create(vals)
        self.assertEqual((hold.user_id, hold.soft_days), (self.clerk, SOFT))
        self.assertEqual(vals, before)

    def test_the_rest_is_asked(self):
        invoice = self.invoice(due=TODAY)
        self.hold(invoice, DUE + days(30), 'dispute', amount=40.0)
        decision = self.decision(invoice, DUE)
        self.assertEqual(
            (decision.reason, decision.amount_held, decision.amount_due, decision.amount_company),
            (None, 40.0, 60.0, 60.0))
        self.assertIn("goes out for", sentence := self.assertExplained(decision))
        self.assertIn("not asked now", sentence)
        notice = self.dun(DUE)
        self.assertRecordValues(notice, [{
            'state': 'sent', 'amount_residual': 100.0, 'amount_held': 40.0, 'amount_due': 60.0}])
        # Paid what was asked: what is left is exactly what is on hold.
        self.pay(invoice, 60.0)
        self.assertEqual(self.reason(invoice, DUE + days(20)), 'hold')
        self.pay(invoice, 10.0)
        self.assertEqual(self.decision(invoice, DUE + days(20)).amount_held, 30.0)

    def test_two_parts_hold_all(self):
        invoice = self.invoice(due=TODAY)
        self.hold(invoice, DUE + days(10), 'dispute', amount=60.0)
        self.hold(invoice, DUE + days(20), 'promise', amount=40.0)
        self.assertEqual(self.reason(invoice, DUE), 'hold')
        self.assertEqual(self.decision(invoice, DUE).next_date, DUE + days(10 + SOFT + 1))
        self.assertEqual(self.reason(invoice, DUE + days(10 + SOFT)), 'hold')
        self.assertEqual(self.decision(invoice, DUE + days(10 + SOFT + 1)).amount_due, 60.0)
        self.assertEqual(self.decision(invoice, DUE + days(20 + SOFT + 1)).amount_due, 100.0)

    def test_a_part_waits_softly_while_the_rest_goes_on(self):
        invoice = self.invoice(due=TODAY)
        hold = self.hold(invoice, DUE + days(20), amount=40.0)
        self.close(hold, DUE)
        self.assertEqual(self.decision(invoice, DUE).amount_due, 60.0)
        self.assertEqual(self.decision(invoice, DUE + days(SOFT + 1)).amount_due, 100.0)

    def test_parts_of_an_invoice_hold_the_oldest_instalments(self):
        invoice = self.invoice(instalments=[(50, TODAY), (50, TODAY + days(1))], amount=200.0)
        first, second = self.items(invoice)
        self.hold(invoice, DUE + days(20), amount=60.0)
        self.hold(invoice, DUE + days(30), 'dispute', amount=60.0)
        plan = self.plan(DUE + days(1), items=first | second)
        self.assertEqual((plan[first.id].reason, plan[first.id].amount_held), ('hold', 100.0))
        self.assertEqual((plan[second.id].reason, plan[second.id].amount_held), (None, 20.0))
        # One instalment wholly on hold: the other is asked.
        other = self.invoice(instalments=[(50, TODAY), (50, TODAY + days(1))], amount=200.0)
        first, second = self.items(other)
        self.hold(second, DUE + days(20))
        plan = self.plan(DUE + days(1), items=first | second)
        self.assertEqual((plan[first.id].reason, plan[second.id].reason), (None, 'hold'))

    def test_a_debtor_on_hold_blocks_all_his_items(self):
        contact = self.make_contact(self.business, "Ann")
        invoices = self.invoice(due=TODAY) | self.invoice(contact, due=TODAY)
        other = self.invoice(self.make_debtor("Other BV"), due=TODAY)
        self.hold(contact, DUE + days(10))
        later = self.invoice(due=TODAY)
        for invoice in invoices | later:
            self.assertEqual(self.reason(invoice, DUE), 'hold')
        self.assertEqual(self.reason(other, DUE), 'due')
        self.assertEqual(self.dun(DUE).partner_id, other.partner_id)
        # Taken over by another company: the hold goes along.
        holding = self.make_debtor("Holding BV")
        self.business.write({'is_company': False, 'parent_id': holding.id})
        self.assertEqual(invoices[1].line_ids.partner_id.commercial_partner_id, holding)
        self.assertEqual(self.reason(invoices[0], DUE), 'hold')

    def test_insolvency_stops_until_a_person_decides(self):
        invoice = self.invoice(due=TODAY)
        end = DUE + days(10)
        for reason in ('insolvency', 'guardianship'):
            hold = self.hold(self.business, end, reason)
            decision = self.decision(invoice, end + days(200))
            self.assertEqual((decision.reason, decision.next_date), ('hold', None))
            self.assertIn("until somebody decides", self.assertExplained(decision))
            self.assertFalse(self.make_notices(end + days(100)))
            self.assertEqual(self.on(end + days(100), hold).state, 'overdue')
            self.close(hold, end + days(200))
            self.assertEqual(self.reason(invoice, end + days(199)), 'hold')
            self.assertEqual(self.reason(invoice, end + days(200 + SOFT)), 'hold_ended')
            self.assertEqual(self.reason(invoice, end + days(200 + SOFT + 1)), 'due')
        with self.assertRaisesRegex(ValidationError, "everything of the debtor"):
            self.hold(invoice, end, 'insolvency')

    def test_credits_are_not_set_against_what_is_on_hold(self):
        disputed, other = self.invoice(due=TODAY - days(1)), self.invoice(due=TODAY)
        self.hold(disputed, DUE + days(10), 'dispute')
        self.credit_note(amount=30.0)
        self.assertEqual(self.decision(other, DUE).amount_due, 70.0)
        self.assertEqual(self.reason(disputed, DUE), 'hold')
        # Of a part on hold the credit covers the rest only.
        self.hold(other, DUE + days(10), 'dispute', amount=80.0)
        self.assertEqual(self.reason(other, DUE), 'netted')

    def test_a_part_in_another_currency(self):
        dollar = self.env.ref('base.USD')
        dollar.active = True
        self.env['res.currency.rate'].create({
            'currency_id': dollar.id, 'name': '2020-01-01', 'rate': 2.0, 'company_id': self.company.id})
        invoice = self.invoice(due=TODAY, amount=100.01, currency=dollar)
        hold = self.hold(invoice, DUE + days(10), amount=33.33)
        decision = self.decision(invoice, DUE)
        self.assertEqual(hold.currency_id, dollar)
        self.assertEqual(decision.amount_held, 33.33)
        self.assertAlmostEqual(decision.amount_due, 66.68)
        self.assertAlmostEqual(decision.amount_company, 33.34, places=2)

    def test_an_item_that_was_made_again_stays_on_hold(self):
        invoice = self.invoice(due=TODAY)
        hold = self.hold(self.items(invoice), DUE + days(10))
        # What PostgreSQL does when the journal item of a draft is deleted (ON DELETE SET NULL).
        hold._recording().move_line_id = False
        self.assertEqual(self.reason(invoice, DUE), 'hold')
        part = self.hold(self.items(other := self.invoice(due=TODAY)), DUE + days(10), amount=30.0)
        part._recording().move_line_id = False
        self.assertEqual(self.decision(other, DUE).amount_due, 70.0)

    def test_no_hand_over_while_a_dispute_is_not_settled(self):
        self.use_policy(self.make_policy("Quick", [{'name': "Hand over", 'channel': 'task'}]))
        Hold = self.env['dunning.hold']
        invoice, other = self.invoice(due=TODAY), self.invoice(self.make_debtor("Other BV"), due=TODAY)
        hold = self.hold(invoice, DUE, 'dispute', amount=10.0)
        decision = self.decision(invoice, DUE)
        self.assertEqual(decision.reason, 'open_dispute')
        self.assertExplained(decision)
        self.assertEqual(self.reason(other, DUE), 'due')
        items = self.items(invoice) | self.items(other)
        self.assertEqual(Hold._get_items_in_dispute(items), self.items(invoice))
        # Its date passed, nobody said who is right: a reminder could go, a hand-over not.
        self.make_notices(DUE + days(30))
        self.assertTrue(hold.closed_on)
        self.assertEqual(self.reason(invoice, DUE + days(30)), 'open_dispute')
        self.on(DUE + days(30), hold.with_user(self.clerk)).write({'dispute_right': 'us'})
        self.assertEqual(self.reason(invoice, DUE + days(29)), 'open_dispute')
        self.assertEqual(self.reason(invoice, DUE + days(30)), 'due')
        self.assertFalse(Hold._get_items_in_dispute(items))
        # Also of everything of a debtor.
        self.hold(other.partner_id, DUE + days(40), 'dispute', on=DUE)
        self.assertEqual(Hold._get_items_in_dispute(items), self.items(other))

    @settings(
        max_examples=40, deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors])
    @given(
        opened=st.integers(0, 20), lasts=st.integers(0, 20), closed=st.none() | st.integers(0, 25),
        soft=st.integers(0, 6), asked=st.integers(-5, 60), part=st.none() | st.integers(1, 100),
        forever=st.booleans())
    def test_any_dates(self, opened, lasts, closed, soft, asked, part, forever):
        """Whatever the dates: nothing on hold is asked, and not before the soft days are over."""
        with self.env.cr.savepoint() as savepoint:
            self.ladder.soft_days = soft
            self.reasons['internal'].needs_person_decision = forever
            invoice = self.invoice(due=TODAY - days(30))
            hold = self.hold(
                invoice, TODAY + days(opened + lasts), on=TODAY + days(opened), amount=float(part or 0))
            last = None if forever else opened + lasts
            if closed is not None:
                last = opened + closed if last is None else min(last, opened + closed)
                self.close(hold, TODAY + days(opened + closed))
            held = asked >= opened and (last is None or asked <= last + soft)
            amount = (part or 100) if held else 0
            decision = self.decision(invoice, TODAY + days(asked))
            active = held and (
                (forever or asked <= opened + lasts) and (closed is None or asked < opened + closed))
            expected = 'due' if amount < 100 else 'hold' if active else 'hold_ended'
            self.assertEqual(decision.reason or 'due', expected)
            self.assertEqual(decision.amount_held, amount)
            if expected != 'due':
                self.assertExplained(decision)
                self.assertEqual(decision.next_date, None if last is None else TODAY + days(last + soft + 1))
                if decision.next_date:
                    self.assertEqual(self.reason(invoice, decision.next_date), 'due')
            savepoint.rollback()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestHoldNotices(HoldCommon):
    """A hold comes after the notice was made, before it left."""

    def test_what_is_queued_is_taken_off(self):
        kept, disputed = self.invoice(due=TODAY), self.invoice(due=TODAY, amount=50.0)
        notice = self.make_notices(DUE)
        notice._queue()
        self.hold(disputed, DUE + days(10), 'dispute', on=DUE)
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_due': 100.0}])
        dropped = notice.line_ids.filtered('drop_reason')
        self.assertEqual((dropped.move_id, dropped.drop_reason), (disputed, 'hold'))
        self.assertEqual(kept.dunning_level_id, self.reminder)
        self.assertFalse(disputed.dunning_level_id)

    def test_a_part_is_taken_off_what_is_queued(self):
        invoice = self.invoice(due=TODAY)
        notice = self.make_notices(DUE)
        self.hold(invoice, DUE + days(10), 'dispute', on=DUE, amount=25.0)
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'amount_held': 25.0, 'amount_due': 75.0}])

    def test_sent_by_hand_and_ahead_of_time_it_does_not_leave_either(self):
        invoice = self.invoice(due=TODAY)
        self.hold(invoice, DUE + days(10), on=DUE)
        action = self.on(DUE, invoice.with_user(self.clerk)).action_dunning_send()
        wizard = self.env['dunning.send'].browse(action['res_id'])
        self.on(DUE, wizard).action_toggle_ahead()
        self.assertFalse(wizard.group_ids)
        self.assertIn("On hold until", wizard.skip_ids.reason)

    def test_a_letter_that_waits_for_the_post_is_cancelled(self):
        self.reminder.channel = 'letter'
        invoice, other = self.invoice(due=TODAY), self.invoice(self.make_debtor("Other BV"), due=TODAY)
        notices = self.dun(DUE)
        letter = self.notices_of(invoice)
        self.assertEqual(letter.state, 'to_post')
        self.place(invoice, DUE, 'dispute')
        self.assertEqual(letter.state, 'cancelled')
        self.assertIn("On hold", letter.cancel_reason)
        self.assertEqual((notices - letter).state, 'to_post')
        # A part: the letter is made again for the rest.
        self.place(other, DUE, 'dispute', extent='part', amount=30.0)
        letter = self.notices_of(other)
        self.assertRecordValues(letter, [{'state': 'queued', 'postal_state': False, 'amount_due': 70.0}])

    def test_a_printed_letter_is_named(self):
        self.reminder.channel = 'letter'
        invoice = self.invoice(due=TODAY)
        letter = self.dun(DUE)
        letter._recording().postal_state = 'printed'
        wizard = self.wizard(invoice, DUE)
        self.assertIn(letter.name, wizard.warning)
        wizard.action_place()
        self.assertEqual(letter.state, 'to_post')

    def wizard(self, records, on, reason='internal', **values):
        action = self.on(on, records.with_user(self.clerk)).action_dunning_hold()
        wizard = self.on(on, self.env['dunning.hold.place'].with_user(self.clerk)).browse(action['res_id'])
        wizard.write({'reason_id': self.reasons[reason].id, 'user_id': self.owner.id, **values})
        return wizard

    def place(self, records, on, reason='internal', **values):
        before = self.env['dunning.hold'].search([])
        self.wizard(records, on, reason, **values).action_place()
        return self.env['dunning.hold'].search([]) - before

    def test_one_click_from_every_place(self):
        invoice = self.invoice(instalments=[(50, TODAY), (50, TODAY + days(1))], amount=200.0)
        other = self.invoice(self.make_debtor("Other BV"), due=TODAY)
        first, second = self.items(invoice)
        placed = self.place(invoice | other, DUE, 'dispute', dispute_category='price')
        placed = placed.sorted(lambda hold: hold.move_id.id)
        self.assertRecordValues(placed, [
            {'scope': 'invoice', 'move_id': move.id, 'opened_by_id': self.clerk.id, 'user_id': self.owner.id,
             'opened_on': DUE, 'date_end': DUE + days(14), 'dispute_right': 'open', 'dispute_category': 'price'}
            for move in (invoice | other).sorted('id')])
        self.assertRecordValues(self.place(second, DUE), [{
            'scope': 'item', 'move_line_id': second.id, 'partner_id': self.business.id}])
        self.assertEqual(
            self.place(self.items(other), DUE).scope, 'invoice', "An invoice with one due date is its item")
        self.assertRecordValues(self.place(self.business, DUE, 'promise'), [{
            'scope': 'debtor', 'partner_id': self.business.id, 'move_id': False, 'company_id': self.company.id}])
        # Insolvency of the debtor of one invoice stops everything.
        self.assertRecordValues(self.place(other, DUE, 'insolvency'), [{
            'scope': 'debtor', 'partner_id': other.partner_id.id, 'is_part': False, 'needs_decision': True}])
        self.pay(first)
        with self.assertRaisesRegex(UserError, "Nothing in the selection"):
            self.wizard(first, DUE)

    def test_during_a_call_the_call_stays(self):
        self.reminder.channel = 'phone'
        invoice = self.invoice(due=TODAY)
        call = self.dun(DUE)
        self.assertEqual(call.state, 'todo')
        hold = self.place(call, DUE, 'dispute')
        self.assertEqual(hold.move_id, invoice)
        self.assertEqual(call.state, 'todo', "The collector is on the phone")
        self.called(call.with_user(self.clerk), DUE)
        self.assertEqual(invoice.dunning_level_id, self.reminder)
        # A call that nobody made yet is taken off the list.
        other = self.invoice(self.make_debtor("Other BV"), due=TODAY)
        waiting = self.dun(DUE)
        self.place(other, DUE)
        self.assertEqual(waiting.state, 'cancelled')

    def test_the_form_of_the_wizard(self):
        invoice = self.invoice(due=TODAY)
        action = self.on(DUE, invoice.with_user(self.clerk)).action_dunning_hold()
        wizard = self.on(DUE, self.env['dunning.hold.place'].with_user(self.clerk)).browse(action['res_id'])
        with Form(wizard) as form:
            form.reason_id = self.reasons['promise']
            self.assertEqual(form.date_end, DUE + days(7))
            form.extent = 'part'
            form.amount = 30.0
        wizard.action_place()
        hold = invoice.with_user(self.clerk).env['dunning.hold'].search([('move_id', '=', invoice.id)])
        self.assertEqual((hold.is_part, hold.amount, hold.amount_held), (True, 30.0, 30.0))
        self.assertEqual(self.on(DUE, invoice).dunning_hold_text, "Partly on hold until 15 Mar 2025")
        self.assertEqual(invoice.dunning_hold_count, 1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestHoldEnds(HoldCommon):
    """Every hold has an end, and somebody is told."""

    def test_an_end_date_within_bounds(self):
        invoice = self.invoice(due=TODAY)
        with self.assertRaisesRegex(ValidationError, "enter its end date"):
            self.hold(invoice, False)
        with self.assertRaisesRegex(ValidationError, "lies in the past"):
            self.hold(invoice, TODAY - days(1))
        self.hold(invoice, TODAY)
        longest = self.reasons['dispute'].max_days
        with self.assertRaisesRegex(ValidationError, f"lasts {longest} days at most, so no longer than"):
            self.hold(invoice, TODAY + days(longest + 1), 'dispute')
        self.hold(invoice, TODAY + days(longest), 'dispute')

    def test_the_owner_is_told_once(self):
        invoice = self.invoice(due=TODAY)
        hold = self.hold(invoice, DUE, 'dispute')
        self.make_notices(DUE)
        self.assertFalse(hold.closed_on)
        self.assertFalse(self.reminders(hold))
        for day in range(1, 4):
            self.make_notices(DUE + days(day))
        [(user, summary)] = self.reminders(hold)
        self.assertEqual(user, self.owner)
        self.assertIn("Dispute", summary)
        self.assertRecordValues(hold, [{
            'closed_on': DUE + days(1), 'closed_by_id': False, 'ended_on': DUE, 'free_on': DUE + days(SOFT + 1)}])
        self.assertTrue(hold.close_reason)
        self.assertIn("Hold ended", invoice.message_ids[0].body)

    def test_closed_by_a_colleague_or_by_the_owner(self):
        holds = self.hold(self.invoice(due=TODAY), DUE) | self.hold(self.invoice(due=TODAY), DUE)
        self.close(holds[0], TODAY, user=self.clerk)
        self.assertEqual([user for user, _summary in self.reminders(holds[0])], [self.owner])
        self.close(holds[1], TODAY, user=self.owner)
        self.assertFalse(self.reminders(holds[1]), "He knows")
        self.assertEqual(holds.closed_by_id, self.clerk | self.owner)

    def test_what_was_paid_is_nothing_to_do(self):
        invoice = self.invoice(due=TODAY)
        hold = self.hold(invoice, DUE, 'promise')
        self.pay(invoice)
        self.make_notices(DUE + days(1))
        self.assertTrue(hold.closed_on)
        self.assertFalse(self.reminders(hold))

    def test_an_overdue_decision_is_asked_for_until_it_is_taken(self):
        hold = self.hold(self.business, DUE, 'insolvency')
        for day in range(1, 20):
            self.make_notices(DUE + days(day))
        self.assertEqual(len(self.reminders(hold)), 1, "Not every day again")
        self.assertFalse(hold.closed_on)
        hold.activity_ids.action_feedback()
        self.make_notices(DUE + days(22))
        self.assertEqual(len(self.reminders(hold)), 1, "Ticked off without a decision: asked again in a week")
        self.on(DUE + days(22), hold)._extend(DUE + days(60), "Waiting for the administrator.")
        self.assertFalse(self.reminders(hold))
        self.assertEqual(self.on(DUE + days(22), hold).state, 'active')

    def test_an_owner_who_left(self):
        hold = self.hold(self.invoice(due=TODAY), DUE)
        other = self.on(TODAY, self.env['dunning.hold'].with_user(self.clerk)).create({
            'move_id': self.invoice(due=TODAY).id, 'reason_id': self.reasons['internal'].id, 'date_end': DUE,
            'user_id': self.owner.id})
        self.owner.active = False
        self.make_notices(DUE + days(1))
        self.assertTrue(hold.closed_on and other.closed_on)
        self.assertEqual([user for user, _summary in self.reminders(other)], [self.clerk])

    def test_extending_is_logged_with_the_reason(self):
        hold = self.hold(self.invoice(due=TODAY), DUE)
        wizard = self.close_wizard(hold, TODAY, 'action_extend')
        wizard.write({'date_end': DUE + days(5), 'why': "Waits for the supplier."})
        wizard.action_apply()
        self.assertEqual((hold.date_end, hold.free_on), (DUE + days(5), DUE + days(5 + SOFT + 1)))
        self.assertIn("Waits for the supplier.", hold.message_ids[0].body)
        self.assertEqual(hold.message_ids[0].author_id, self.clerk.partner_id)
        with self.assertRaisesRegex(UserError, "Say why"):
            self.on(TODAY, hold)._extend(DUE + days(6), " ")
        with self.assertRaisesRegex(ValidationError, "days at most"):
            self.on(TODAY, hold)._extend(DUE + days(100), "x")
        with self.assertRaisesRegex(UserError, "has ended"):
            self.on(DUE + days(6), hold)._extend(DUE + days(10), "Too late")

    def close_wizard(self, holds, on, action='action_close', user=None):
        user = user or self.clerk
        result = getattr(self.on(on, holds.with_user(user)), action)()
        return self.on(on, self.env['dunning.hold.close'].with_user(user)).browse(result['res_id'])

    def test_a_dispute_is_settled_when_it_is_closed(self):
        invoice = self.invoice(due=TODAY)
        hold = self.hold(invoice, DUE, 'dispute')
        credit = self.credit_note(amount=20.0)
        wizard = self.close_wizard(hold, TODAY + days(2))
        wizard.why = "Agreed on the phone."
        with self.assertRaisesRegex(UserError, "who is right"):
            wizard.action_apply()
        wizard.write({'dispute_right': 'partly', 'credit_move_id': credit.id, 'dispute_outcome': "A fifth was mouldy."})
        wizard.action_apply()
        self.assertRecordValues(hold, [{
            'dispute_right': 'partly', 'credit_move_id': credit.id, 'dispute_outcome': "A fifth was mouldy.",
            'resolved_on': TODAY + days(2), 'closed_on': TODAY + days(2), 'close_reason': "Agreed on the phone.",
            'closed_by_id': self.clerk.id}])
        self.assertEqual(self.on(TODAY + days(30), hold).days_open, 2)

    def test_what_was_placed_and_closed_is_history(self):
        hold = self.hold(self.invoice(due=TODAY), DUE, 'dispute').with_user(self.clerk)
        hold.write({'note': "He called twice.", 'user_id': self.clerk.id})
        open_refused = {
            'date_end': DUE + days(1), 'amount': 10.0, 'reason_id': self.reasons['promise'].id, 'closed_on': TODAY,
            'opened_on': TODAY - days(9), 'soft_days': 0, 'free_on': TODAY, 'resolved_on': TODAY,
            'needs_decision': True, 'move_id': False}
        for name, value in open_refused.items():
            with self.subTest(field=name), self.assertRaises(UserError), self.env.cr.savepoint():
                hold.write({name: value})
        self.close(hold, TODAY)
        for name, value in {**open_refused, 'note': "x", 'user_id': self.owner.id, 'closed_on': False}.items():
            with self.subTest(closed=name), self.assertRaises(UserError), self.env.cr.savepoint():
                hold.write({name: value})
        # Who is right can be said once.
        self.on(DUE, hold).write({'dispute_right': 'debtor'})
        self.assertEqual(hold.resolved_on, DUE)
        for values in ({'dispute_right': 'open'}, {'dispute_outcome': "x"}, {'credit_move_id': False}):
            with self.assertRaisesRegex(UserError, "settled already"), self.env.cr.savepoint():
                hold.write(values)
        for records in (hold, hold.with_user(self.env.user), hold.sudo()):
            with self.assertRaisesRegex(UserError, "cannot be deleted"):
                records.unlink()
        with self.assertRaises(UserError):
            hold.copy()
        with self.assertRaises(UserError):
            self.env['dunning.hold'].with_user(self.clerk).create({
                'move_id': hold.move_id.id, 'reason_id': self.reasons['internal'].id, 'date_end': DUE,
                'opened_on': TODAY - days(100)})
        # The mark that lets code write it cannot be sent by a browser.
        with self.assertRaises(UserError):
            hold.with_context(dunning_recording=True).write({'closed_on': False})

    def test_a_part_is_not_more_than_what_is_open(self):
        invoice = self.invoice(due=TODAY)
        for amount in (100.01, -1.0):
            with self.assertRaisesRegex(ValidationError, "is open"):
                self.hold(invoice, DUE, amount=amount)
        with self.assertRaisesRegex(ValidationError, "no part"):
            self.hold(self.business, DUE, amount=10.0)
        draft = self.invoice(due=TODAY, post=False, sent=False)
        bill = self.invoice(due=TODAY, move_type='in_invoice', sent=False)
        for move in (draft, bill):
            with self.assertRaisesRegex(ValidationError, "posted customer invoice"):
                self.hold(move, DUE)

    def test_reasons_that_were_used_stay(self):
        self.hold(self.invoice(due=TODAY), DUE)
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            self.reasons['internal'].unlink()

    def test_parked_money_counts_once(self):
        invoice = self.invoice(due=TODAY)
        other = self.invoice(due=TODAY, amount=50.0)
        part = self.hold(invoice, DUE, 'dispute', amount=40.0)
        whole = self.hold(invoice, DUE, 'internal')
        debtor = self.hold(self.business, DUE, 'promise')
        Report = self.env['dunning.hold.report']
        groups = Report._read_group([('partner_id', '=', self.business.id)], ['user_id'], ['amount_held:sum'])
        self.assertEqual(groups, [(self.owner, 150.0)])
        self.assertEqual((part | whole | debtor).mapped('amount_held'), [40.0, 100.0, 150.0])
        self.pay(other)
        self.close(whole | debtor, TODAY)
        self.env.invalidate_all()
        self.assertEqual((part | whole | debtor).mapped('amount_held'), [40.0, 0.0, 0.0])

    def test_many_holds_cost_no_query_each(self):
        invoices = [self.invoice(due=TODAY) for _number in range(12)]
        items = self.items(self.env['account.move'].union(*invoices))
        one = self.hold(invoices[0], DUE)
        self.plan(DUE, items=items)

        def explain():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            for decision in self.env['dunning.planner']._plan(self.company, DUE, items=items):
                self.env['dunning.planner']._explain(decision, self.company)
            return self.env.cr.sql_log_count - before
        few = explain()
        for invoice in invoices[1:]:
            self.hold(invoice, DUE)
        self.assertLessEqual(explain(), few + 1)
        self.assertTrue(one)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestHoldRights(HoldCommon):
    """The least right that works."""

    def test_another_company_sees_and_feels_nothing(self):
        other = self.env['res.company'].create({'name': "Other"})
        stranger = new_test_user(
            self.env, 'stranger', groups='account.group_account_manager', company_id=other.id,
            company_ids=[Command.set(other.ids)])
        invoice = self.invoice(due=TODAY)
        hold = self.hold(self.business, DUE + days(10))
        self.assertEqual(hold.company_id, self.company)
        self.assertFalse(self.env['dunning.hold'].with_user(stranger).search([('id', '=', hold.id)]))
        self.assertFalse(self.env['dunning.hold.report'].with_user(stranger).search([('hold_id', '=', hold.id)]))
        with self.assertRaises(AccessError):
            hold.with_user(stranger).read(['note'])
        for action in ('action_close', 'action_extend'):
            with self.assertRaises(AccessError):
                wizard = getattr(hold.with_user(stranger), action)()
                self.env['dunning.hold.close'].with_user(stranger).browse(wizard['res_id']).summary  # noqa: B018
        self.assertFalse(self.on(TODAY, self.business.with_user(stranger)).dunning_hold_text)
        with self.assertRaises(AccessError):
            self.env['dunning.hold'].with_user(stranger).create({
                'move_id': invoice.id, 'reason_id': self.reasons['internal'].id, 'date_end': TODAY + timedelta(3650)})
        # The same debtor in another company is reminded there.
        with self.assertRaisesRegex(ValidationError, "cannot see holds"):
            self.hold(self.business, DUE, user_id=stranger.id)

    def test_sales_sees_that_a_debtor_is_on_hold_and_no_more(self):
        sales = new_test_user(
            self.env, 'sales', groups='base.group_user,base.group_partner_manager', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        hold = self.hold(self.business, DUE, 'guardianship', note="Curator: mr. De Wit")
        partner = self.on(TODAY, self.business.with_user(sales))
        self.assertEqual(partner.dunning_hold_text, "On hold until a decision")
        readable = {name for name in partner.fields_get() if 'dunning_hold' in name}
        self.assertEqual(readable, {'dunning_hold_text'})
        self.hold(self.invoice(due=TODAY), DUE)
        for records in (hold, self.env['dunning.hold.report'].search([]), self.reasons['dispute']):
            with self.assertRaises(AccessError):
                records.with_user(sales).read(['id'])
        with self.assertRaises(AccessError):
            partner.action_dunning_hold()
        with self.assertRaises(AccessError):
            hold.with_user(sales).action_close()
        with self.assertRaisesRegex(ValidationError, "works in"):
            hold._recording().user_id = sales
        with Form(partner) as form:
            form.comment = "x"

    def test_readers_read_and_managers_configure(self):
        user = {'company_id': self.company.id, 'company_ids': [Command.set(self.company.ids)]}
        reader = new_test_user(self.env, 'reader', groups='account.group_account_readonly', **user)
        manager = new_test_user(self.env, 'manager', groups='account.group_account_manager', **user)
        hold = self.hold(self.invoice(due=TODAY), DUE)
        self.assertEqual(hold.with_user(reader).amount_held, 100.0)
        with self.assertRaises(AccessError):
            hold.with_user(reader).note = "x"
        with self.assertRaises(AccessError):
            hold.with_user(reader).action_close()
        with self.assertRaises(AccessError):
            self.reasons['internal'].with_user(self.clerk).max_days = 1000
        self.reasons['internal'].with_user(manager).max_days = 60
        self.assertEqual(Form(hold.with_user(self.clerk)).note, False)
