"""Promises: they pause exactly their items, and the ledger alone says what became of them."""

from datetime import date

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days

# A Monday on which reminders are due; the promise is for Friday, and its grace ends the Tuesday after.
MADE = TODAY + days(7)
PROMISED = MADE + days(4)
GRACE = MADE + days(8)
AFTER = GRACE + days(1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPromise(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collector = new_test_user(
            cls.env, 'promise_collector', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.move = cls.invoice()

    def promise(self, moves=None, amount=None, *, on=MADE, until=PROMISED, partner=None, **kwargs):
        items = self.items(moves) if moves else None
        Promise = self.on(on, self.env['dunning.promise'])
        promise = Promise._make(
            self.company, partner or (items.partner_id if items else self.business), until, amount, items,
            self.collector, **kwargs)
        return promise.with_context(dunning_at_date=None)  # later on it is another day

    def judge(self, at_date=AFTER):
        return self.on(at_date, self.env['dunning.promise'])._judge(self.company, at_date)

    def credit(self, move, amount, on):
        """Match a credit note that is dated ``on``."""
        self.items(move | self.credit_note(move.partner_id, amount, on + days(30))).reconcile()

    def assertState(self, promise, state, paid=None):
        self.assertEqual(promise.state, state, promise.story)
        if paid is not None:
            self.assertAlmostEqual(promise.amount_paid, paid)

    # --- making ---

    def test_a_promise_pauses_exactly_its_items_until_the_last_day_of_grace(self):
        other = self.invoice(amount=70.0)
        promise = self.promise(self.move)
        self.assertRecordValues(promise, [{
            'state': 'running', 'amount': 100.0, 'date_made': MADE, 'date_promised': PROMISED, 'grace_date': GRACE,
            'user_id': self.collector.id, 'partner_id': self.business.id}])
        self.assertRecordValues(promise.hold_ids, [{
            'kind': 'promise', 'scope': 'item', 'move_line_id': self.items(self.move).id, 'date_end': GRACE,
            'user_id': self.collector.id}])
        self.assertEqual(self.reason(other, MADE), 'due')
        self.assertEqual(self.reason(self.move, MADE), 'hold')
        self.assertEqual(self.reason(self.move, GRACE), 'hold')
        # Soft days, then the ladder goes on.
        self.assertEqual(self.reason(self.move, AFTER), 'hold_ended')
        self.assertEqual(self.reason(self.move, GRACE + days(4)), 'due')

    def test_days_on_which_banks_do_not_settle_are_no_grace(self):
        for promised, grace in (
            (date(2025, 3, 14), date(2025, 3, 18)),  # over a weekend
            (date(2025, 4, 17), date(2025, 4, 23)),  # over Good Friday and Easter Monday
            (date(2025, 4, 30), date(2025, 5, 6)),  # over 1 May (TARGET), a weekend and 5 May
            (date(2025, 3, 16), date(2025, 3, 18)),  # from a Sunday
        ):
            self.assertEqual(self.env['dunning.promise']._get_grace_date(promised), grace)

    def test_without_items_it_is_about_everything_open(self):
        self.invoice(amount=50.0)
        promise = self.promise()
        self.assertEqual(promise.amount, 150.0)
        self.assertEqual(len(promise.hold_ids), 2)

    def test_a_lower_amount_reaches_the_oldest_items_only(self):
        second = self.invoice(due=TODAY + days(1), amount=80.0)
        third = self.invoice(due=TODAY + days(2), amount=60.0)
        promise = self.promise(self.move | second | third, 130.0)
        self.assertEqual(promise.line_ids.mapped('amount'), [100.0, 30.0])
        self.assertEqual(promise.item_ids, self.items(self.move | second))
        self.assertNotEqual(self.reason(third, MADE), 'hold')

    def test_what_waits_is_taken_back(self):
        notice = self.make_notices(MADE)
        self.assertEqual(notice.state, 'draft')
        self.promise(self.move)
        self.assertEqual(notice.state, 'cancelled')

    def test_limits(self):
        stranger = self.invoice(self.make_debtor("Vreemd BV"))
        paid = self.invoice()
        self.pay(paid)
        dollar = self.invoice(currency=self.env.ref('base.USD'))
        for kwargs in (
            {'moves': self.move, 'until': MADE - days(1)},
            {'moves': self.move, 'until': MADE + days(400)},
            {'moves': self.move, 'amount': 0.0},
            {'moves': self.move, 'amount': -5.0},
            {'moves': self.move, 'amount': 100.01},
            {'moves': stranger, 'partner': self.business},
            {'moves': paid},
            {'moves': self.move | dollar},
            {'partner': self.make_debtor("Niets BV")},
            {'moves': self.move, 'until': None},
        ):
            with self.subTest(**kwargs), self.assertRaises(UserError):
                self.promise(**kwargs)
        # Its grace would end after the 45 days of the reason.
        with self.assertRaisesRegex(UserError, "can be for .* at the latest"):
            self.promise(self.move, until=MADE + days(44))
        self.assertFalse(self.env['dunning.promise'].search([('partner_id', '=', self.business.id)]))
        self.assertTrue(self.promise(self.move, until=MADE))  # “I pay today”

    # --- the ledger decides ---

    def test_paid_in_time_is_kept_at_once(self):
        promise = self.promise(self.move)
        with self.subTest("the day before it still runs"):
            self.judge(PROMISED)
            self.assertState(promise, 'running')
        self.pay(self.move, on=PROMISED)
        self.assertState(promise, 'kept', 100.0)
        self.assertEqual(promise.paid_on, PROMISED)
        self.assertTrue(all(promise.hold_ids.mapped('closed_on')))
        self.assertFalse(promise.activity_ids)
        self.assertIn("paid on", promise.story)

    def test_nothing_paid_is_broken_after_the_grace_and_comes_back_with_its_story(self):
        promise = self.promise(self.move)
        self.judge(GRACE)
        self.assertState(promise, 'running')
        self.judge(AFTER)
        self.assertState(promise, 'broken', 0.0)
        self.assertEqual(promise.decided_on, AFTER)
        self.assertEqual(len(promise.activity_ids), 1)
        self.assertEqual(promise.activity_ids.user_id, self.collector)
        self.assertIn("did not pay as promised", promise.activity_ids.summary)
        self.assertIn("nothing came until", promise.activity_ids.note)
        # One message: the end of the hold is not told as well.
        self.assertFalse(promise.hold_ids.activity_ids)
        self.assertEqual(promise.hold_ids.free_on, GRACE + days(4))
        self.judge(AFTER + days(1))
        self.assertEqual(len(promise.activity_ids), 1)

    def test_the_daily_run_judges_before_it_plans(self):
        promise = self.promise(self.move)
        self.make_notices(AFTER)
        self.assertState(promise, 'broken')
        self.assertFalse(promise.hold_ids.activity_ids)

    def test_a_part_paid_is_kept_in_part(self):
        promise = self.promise(self.move)
        self.pay(self.move, 40.0, on=PROMISED)
        self.assertState(promise, 'running', 40.0)
        self.judge()
        self.assertState(promise, 'partly', 40.0)
        self.assertEqual(promise.amount_missing, 60.0)
        self.assertTrue(promise.activity_ids)

    def test_payments_in_parts_keep_it_together(self):
        promise = self.promise(self.move)
        self.pay(self.move, 40.0, on=MADE + days(1))
        self.pay(self.move, 60.0, on=GRACE)
        self.assertState(promise, 'kept', 100.0)

    def test_on_the_last_day_of_grace_is_in_time_and_the_day_after_is_not(self):
        in_time, late = self.promise(self.move), self.promise(late_move := self.invoice(amount=30.0))
        self.pay(self.move, on=GRACE)
        self.pay(late_move, on=AFTER)
        self.judge()
        self.assertState(in_time, 'kept')
        self.assertState(late, 'broken')

    def test_what_was_paid_before_the_promise_does_not_keep_it(self):
        self.pay(self.move, 40.0, on=MADE - days(3))
        promise = self.promise(self.move)
        self.assertEqual(promise.amount, 60.0)
        self.judge()
        self.assertState(promise, 'broken', 0.0)

    def test_what_was_paid_before_but_booked_after_keeps_it(self):
        promise = self.promise(self.move)
        self.pay(self.move, on=MADE - days(1))
        self.assertState(promise, 'kept')

    def test_booked_late_and_paid_in_time_turns_broken_into_kept(self):
        promise = self.promise(self.move)
        self.judge()
        self.assertState(promise, 'broken')
        self.pay(self.move, on=PROMISED)
        self.assertState(promise, 'kept', 100.0)
        self.assertFalse(promise.activity_ids)

    def test_a_payment_that_bounced_did_not_keep_it(self):
        promise = self.promise(self.move)
        self.pay(self.move, on=PROMISED)
        self.assertState(promise, 'kept')
        payment = self.items(self.move).matched_credit_ids.credit_move_id
        self.unpay(self.move)
        # The bank takes the money back: posted, the reversal matches with the payment.
        payment.move_id._reverse_moves([{'date': AFTER}]).action_post()
        self.assertTrue(payment.reconciled)
        self.judge()
        self.assertState(promise, 'broken', 0.0)
        self.assertIn("undone", promise.activity_ids.note)

    def test_a_bounce_within_its_time_lets_it_run_and_hold_again(self):
        promise = self.promise(self.move)
        with self.subTest("kept"):
            self.pay(self.move, on=MADE)
            self.judge(MADE)
            self.assertState(promise, 'kept')
        payment = self.items(self.move).matched_credit_ids.credit_move_id
        self.on(MADE, self.items(self.move)).remove_move_reconcile()
        self.assertState(promise, 'running', 0.0)
        self.assertEqual(len(promise.hold_ids.filtered(lambda hold: not hold.closed_on)), 1)
        self.assertTrue(payment)

    def test_a_bounce_of_an_older_payment_is_not_held_against_it(self):
        self.pay(self.move, 40.0, on=MADE - days(3))
        promise = self.promise(self.move)
        self.unpay(self.move)
        self.pay(self.move, 60.0, on=PROMISED)
        self.judge()
        self.assertState(promise, 'kept', 60.0)

    def test_a_credit_note_lowers_what_was_promised(self):
        promise = self.promise(self.move)
        self.credit(self.move, 30.0, PROMISED)
        self.assertState(promise, 'running')
        self.pay(self.move, 70.0, on=PROMISED)
        self.assertState(promise, 'kept', 70.0)
        self.assertEqual(promise.amount_lowered, 30.0)

    def test_a_credit_note_alone_leaves_nothing_to_keep_or_break(self):
        promise = self.promise(self.move)
        self.credit(self.move, 100.0, PROMISED)
        self.assertState(promise, 'cancelled', 0.0)
        self.assertEqual(promise.lapsed_by, 'credited')
        self.assertEqual(self.env['dunning.promise']._get_kept_ratio(self.business, self.company), {})

    def test_a_credit_note_for_the_rest_does_not_lower_a_part(self):
        promise = self.promise(self.move, 50.0)
        self.credit(self.move, 30.0, PROMISED)
        self.judge()
        self.assertState(promise, 'broken')

    def test_a_write_off_is_no_payment(self):
        promise = self.promise(self.move)
        misc = self.env['account.journal'].search(
            [('type', '=', 'general'), ('company_id', '=', self.company.id)], limit=1)
        entry = self.env['account.move'].create({
            'journal_id': misc.id, 'date': PROMISED, 'line_ids': [
                Command.create({'account_id': self.company_data['default_account_expense'].id, 'debit': 100.0}),
                Command.create({
                    'account_id': self.receivable.id, 'credit': 100.0, 'partner_id': self.business.id})]})
        entry.action_post()
        (self.items(self.move) | entry.line_ids.filtered('credit')).reconcile()
        self.judge()
        self.assertState(promise, 'cancelled', 0.0)

    def test_money_that_nobody_matched_yet_counts_at_the_end(self):
        promise = self.promise(self.move)
        self.receive(amount=100.0, on=PROMISED)
        self.judge(PROMISED)
        self.assertState(promise, 'running')
        self.judge()
        self.assertState(promise, 'kept', 100.0)
        self.assertIn("not matched yet", promise.story)

    def test_money_that_lay_ready_when_it_was_promised_does_not_count(self):
        self.receive(amount=100.0, on=MADE - days(1))
        promise = self.promise(self.move)
        self.judge()
        self.assertState(promise, 'broken')

    def test_money_counts_for_one_promise_only(self):
        other = self.invoice(amount=100.0)
        first, second = self.promise(self.move), self.promise(other, until=PROMISED + days(1))
        self.receive(amount=100.0, on=PROMISED)
        self.judge(GRACE + days(2))
        self.assertState(first, 'kept')
        self.assertState(second, 'broken')

    def test_what_turns_out_to_be_paid_for_something_else_did_not_keep_it(self):
        promise = self.promise(self.move)
        payment = self.receive(amount=100.0, on=PROMISED)
        self.judge()
        self.assertState(promise, 'kept')
        (self.items(self.invoice()) | payment).reconcile()
        self.judge(AFTER + days(1))
        self.assertState(promise, 'broken')

    # --- several in a row ---

    def test_a_later_promise_takes_the_place_of_one_that_runs(self):
        first = self.promise(self.move)
        second = self.promise(self.move, on=MADE + days(2), until=PROMISED + days(7))
        self.assertState(first, 'cancelled')
        self.assertEqual(first.lapsed_by, 'replaced')
        self.assertEqual((second.previous_id, second.turn), (first, 2))
        self.assertEqual(len(self.env['dunning.hold'].search(
            [('move_line_id', '=', self.items(self.move).id), ('closed_on', '=', False)])), 1)
        self.assertIn("promise number 2", second.story)
        self.pay(self.move, on=PROMISED + days(7))
        self.assertState(second, 'kept')
        self.assertState(first, 'cancelled')

    def test_a_new_promise_after_the_day_has_passed_leaves_the_first_broken(self):
        first = self.promise(self.move)
        second = self.promise(self.move, on=PROMISED + days(1), until=PROMISED + days(7))
        self.assertState(first, 'broken')
        self.assertState(second, 'running')
        self.assertEqual(second.turn, 2)

    def test_what_the_new_promise_leaves_out_stays_promised(self):
        other = self.invoice(due=TODAY + days(1), amount=60.0)
        first = self.promise(self.move | other)
        self.promise(self.move, on=MADE + days(1), until=PROMISED + days(7))
        self.assertState(first, 'running')
        self.assertEqual((first.amount, first.item_ids), (60.0, self.items(other)))
        self.pay(other, on=PROMISED)
        self.assertState(first, 'kept', 60.0)

    def test_taken_back_with_a_reason_only(self):
        promise = self.promise(self.move)
        with self.assertRaises(UserError):
            promise._take_back(" ")
        promise._take_back("Wrong debtor")
        self.assertState(promise, 'cancelled')
        self.assertTrue(promise.hold_ids.closed_on)
        with self.assertRaises(UserError):
            promise._take_back("Again")

    # --- how reliable ---

    def test_the_ratio_of_a_debtor_and_his_contacts(self):
        others = [self.invoice(amount=10.0 + number) for number in range(3)]
        promises = [self.promise(move) for move in (self.move, *others)]
        self.pay(self.move, on=PROMISED)
        self.pay(others[0], 5.0, on=PROMISED)
        self.judge()
        self.assertEqual([promise.state for promise in promises], ['kept', 'partly', 'broken', 'broken'])
        Promise = self.env['dunning.promise']
        contact = self.make_contact(self.business, "Piet")
        self.assertEqual(Promise._get_kept_ratio(self.business | contact, self.company), {
            self.business.id: (1, 4), contact.id: (1, 4)})

    # --- who may ---

    def test_what_was_promised_is_frozen(self):
        promise = self.promise(self.move).with_user(self.collector)
        promise.note = "Pays after the weekend"
        for write in ({'state': 'kept'}, {'amount': 1.0}, {'date_promised': PROMISED}, {'user_id': 2}, {'known': {}}):
            with self.subTest(**write), self.assertRaises(UserError):
                promise.write(write)
        with self.assertRaises(UserError):
            promise.line_ids.write({'amount': 1.0})
        with self.assertRaises(UserError):
            promise.with_context(dunning_recording=True).write({'state': 'kept'})
        with self.assertRaises(UserError):
            promise.unlink()
        with self.assertRaises(UserError):
            promise.copy()
        with self.assertRaises(UserError):
            self.env['dunning.promise'].with_user(self.collector).create({'partner_id': self.business.id})

    def test_a_clerk_records_and_sales_does_not(self):
        sales = new_test_user(self.env, 'promise_sales', groups='base.group_user', company_id=self.company.id)
        items = self.items(self.move)
        with self.assertRaises(AccessError):
            self.env['dunning.promise'].with_user(sales)._make(self.company, self.business, PROMISED, None, items)
        Promise = self.on(MADE, self.env['dunning.promise'].with_user(self.collector))
        promise = Promise._make(self.company, self.business, PROMISED, 100.0, items)
        self.assertEqual(promise.user_id, self.collector)
        self.pay(self.move, on=PROMISED)
        self.assertState(promise, 'kept')

    # --- any story ---

    @settings(
        max_examples=25, deadline=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a smaller example takes minutes to find
    @given(
        amounts=st.lists(st.integers(100, 30000), min_size=1, max_size=3),
        share=st.integers(1, 100),
        payments=st.lists(
            st.tuples(st.integers(0, 2), st.integers(1, 30000), st.integers(-3, 14), st.booleans()), max_size=4),
    )
    def test_any_payments(self, amounts, share, payments):
        """However it is paid and credited, the state is what adding up by hand gives."""
        with self.env.cr.savepoint() as savepoint:
            moves = [self.invoice(due=TODAY + days(number), amount=cents / 100) for number, cents in enumerate(amounts)]
            promised = max(1, sum(amounts) * share // 100)
            promise = self.promise(self.env['account.move'].union(*moves), promised / 100)
            owed, left = [], promised
            for cents in amounts:
                owed.append([min(left, cents), cents, cents])  # promised, open at the end, open now
                left -= min(left, cents)
            paid = 0
            for index, cents, day, is_money in payments:
                index %= len(moves)
                cents = min(cents, owed[index][2])
                if not cents:
                    continue
                on = MADE + days(day)
                if is_money:
                    self.pay(moves[index], cents / 100, on)
                else:
                    self.credit(moves[index], cents / 100, on)
                owed[index][2] -= cents
                if on <= GRACE and owed[index][0]:
                    if is_money:
                        paid += cents
                    else:
                        owed[index][1] -= cents
            need = sum(min(part, still) for part, still, _now in owed)
            self.judge()
            expected = (
                'cancelled' if not need and not paid else 'kept' if paid >= need else 'partly' if paid else 'broken')
            self.assertEqual(promise.state, expected, promise.story)
            savepoint.rollback()
        self.env.invalidate_all()
