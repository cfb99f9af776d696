"""The worklist: figures against an independent computation, and a priority that explains itself."""

import re
from collections import defaultdict
from datetime import date
from random import Random

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from ...models.collecting import dunning_debtor_rows
from ...models.collecting.dunning_debtor import COMPANY_BITS, CURRENCY_BITS
from ..common import TODAY, DunningCommon, days, post_message

AFTER = TODAY + days(5)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDebtor(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollar = cls.env.ref('base.USD')
        cls.dollar.active = True
        cls.env['res.currency.rate'].create({
            'name': '2020-01-01', 'rate': 1.25, 'currency_id': cls.dollar.id, 'company_id': cls.company.id})
        cls.clerk = new_test_user(
            cls.env, 'collector', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.colleague = new_test_user(
            cls.env, 'colleague', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])

    def rows(self, domain=(), at_date=TODAY, user=None):
        """Return the rows of the worklist as they are on a day."""
        self.env.invalidate_all()
        Debtor = self.on(at_date, self.env['dunning.debtor'].with_user(user or self.env.user))
        return Debtor.search([('company_id', '=', self.company.id), *domain])

    def row(self, partner=None, at_date=TODAY, currency=None):
        """Return the one row of a debtor."""
        domain = [('partner_id', '=', (partner or self.business).id)]
        if currency:
            domain.append(('currency_id', '=', currency.id))
        return self.rows(domain, at_date).ensure_one()

    def hold(self, target, end=None, amount=False, kind='internal', at_date=TODAY):
        """Place a hold on an invoice, a due item or a debtor."""
        field = {'account.move': 'move_id', 'account.move.line': 'move_line_id', 'res.partner': 'partner_id'}
        return self.on(at_date, self.env['dunning.hold']).create({
            field[target._name]: target.id, 'amount': amount, 'date_end': end or at_date + days(7),
            'company_id': self.company.id,
            'reason_id': self.env.ref(f'l10n_nl_dunning.hold_reason_{kind}').id})

    # --- one thing at a time ---

    def test_what_is_due_overdue_and_in_which_bucket(self):
        for late, amount in ((-5, 1), (0, 2), (1, 4), (30, 8), (31, 16), (60, 32), (61, 64), (90, 128), (91, 256)):
            self.invoice(due=TODAY - days(late), amount=amount)
        self.assertRecordValues(self.row(), [{
            'item_count': 9, 'overdue_count': 7, 'amount_open': 511, 'amount_overdue': 508, 'amount_collectable': 508,
            'bucket_1_30': 12, 'bucket_31_60': 48, 'bucket_61_90': 192, 'bucket_91': 256,
            'days_overdue': 91, 'oldest_due_date': TODAY - days(91), 'amount_held': 0, 'amount_credit': 0}])

    def test_contacts_of_a_debtor_are_the_debtor(self):
        self.invoice(self.make_contact(self.business, "Ann", email='ann@debtor.example.com'), TODAY - days(3), 40)
        self.invoice(due=TODAY - days(3), amount=60)
        self.assertEqual(self.row().amount_overdue, 100)

    def test_who_owes_nothing_is_not_on_the_list(self):
        move = self.invoice(due=TODAY - days(3))
        self.pay(move)
        self.assertFalse(self.rows([('partner_id', '=', self.business.id)]))

    def test_holds_whole_and_part_lower_what_can_be_collected(self):
        whole = self.invoice(due=TODAY - days(20), amount=100)
        part = self.invoice(due=TODAY - days(20), amount=200)
        not_due = self.invoice(due=TODAY + days(20), amount=400)
        self.hold(whole)
        self.hold(part, amount=50)
        self.hold(not_due)
        self.assertRecordValues(self.row(), [{
            'amount_open': 700, 'amount_overdue': 300, 'amount_held': 550, 'amount_collectable': 150}])

    def test_a_dispute_is_shown_until_somebody_says_who_is_right(self):
        invoice = self.invoice(due=TODAY - days(20), amount=100, instalments=[
            (50, TODAY - days(20)), (50, TODAY - days(10))])
        hold = self.hold(invoice, amount=60, kind='dispute')
        self.assertRecordValues(self.row(), [{'dispute_amount': 60, 'amount_collectable': 40}])
        # A second dispute about one of the two, wholly: nothing counts twice.
        self.hold(self.items(invoice)[0], kind='dispute')
        self.assertRecordValues(self.row(), [{'dispute_amount': 100}])
        hold.dispute_right = 'debtor' if 'debtor' in dict(hold._fields['dispute_right'].selection) else 'ours'
        self.assertRecordValues(self.row(), [{'dispute_amount': 50}])

    def test_credits_cover_the_oldest_first_in_any_currency(self):
        self.invoice(due=TODAY - days(40), amount=125, currency=self.dollar)  # 100 euros
        self.invoice(due=TODAY - days(20), amount=300)
        self.receive(amount=150, on=TODAY - days(1))
        self.assertRecordValues(self.row(currency=self.dollar), [{
            'amount_overdue': 125, 'amount_credit': 125, 'amount_collectable': 0, 'amount_collectable_company': 0}])
        self.assertRecordValues(self.row(currency=self.company.currency_id), [{
            'amount_overdue': 300, 'amount_credit': 50, 'amount_collectable': 250}])

    def test_what_waits_for_the_bank_or_must_not_be_asked_is_not_collectable(self):
        no_followup = self.invoice(due=TODAY - days(20), amount=100)
        self.items(no_followup).no_followup = True
        blocked = self.invoice(due=TODAY - days(20), amount=200)
        blocked.action_toggle_block_payment()
        self.assertRecordValues(self.row(), [{'amount_overdue': 300, 'amount_collectable': 0, 'priority': 0}])

    def test_another_company_is_another_row(self):
        other = self.setup_other_company(name="Other BV")['company']
        self.invoice(due=TODAY - days(20), amount=100)
        self.invoice(due=TODAY - days(20), amount=70, company=other)
        self.env.invalidate_all()
        both = self.on(TODAY, self.env['dunning.debtor']).with_context(
            allowed_company_ids=(self.company | other).ids).search([('partner_id', '=', self.business.id)])
        self.assertEqual(sorted(both.mapped('amount_overdue')), [70, 100])
        self.assertEqual(both.company_id, self.company | other)
        # The clerk works for one of them.
        self.assertEqual(self.rows(user=self.clerk).company_id, self.company)
        with self.assertRaises(AccessError):
            both.filtered(lambda row: row.company_id == other).with_user(self.clerk).read(['amount_overdue'])

    def test_the_id_stays_and_says_who_it_is(self):
        self.invoice(due=TODAY - days(20))
        row = self.row()
        self.assertEqual(
            row.id, (((self.business.id << COMPANY_BITS) + self.company.id) << CURRENCY_BITS)
            + self.company.currency_id.id)
        self.assertLess(row.id, 2 ** 53, "A browser must be able to count so far")
        before = row.id
        self.invoice(self.make_debtor("Earlier BV"), due=TODAY - days(200))
        self.assertEqual(self.row().id, before)
        self.assertTrue(row.exists())

    def test_the_level_is_the_highest_of_what_is_open(self):
        self.invoice(due=TODAY)
        self.dun(AFTER)
        later = self.invoice(due=TODAY + days(10))
        self.assertEqual(self.row(at_date=AFTER).level_id, self.reminder)
        self.dun(TODAY + days(30))
        self.assertEqual(self.row(at_date=AFTER).level_id, self.demand)
        self.pay(later)

    # --- everything at once, against Python ---

    def test_random_ledgers_agree_with_an_independent_computation(self):
        for seed in range(3):
            with self.subTest(seed=seed), self.env.cr.savepoint() as savepoint:
                self._check_random_ledger(Random(seed))
                savepoint.rollback()

    def _check_random_ledger(self, random):
        debtors = [self.make_debtor(f"R{nr} BV") for nr in range(3)]
        for debtor in debtors:
            for _nr in range(random.randint(1, 4)):
                move = self.invoice(
                    debtor, TODAY - days(random.randint(-20, 120)), random.randint(100, 90000) / 100,
                    currency=random.choice((None, self.dollar)))
                action = random.choice(('', '', 'hold', 'part', 'pay', 'mute'))
                total = move.amount_residual
                if action == 'hold':
                    self.hold(move)
                elif action == 'part':
                    self.hold(move, amount=round(total * random.random(), 2) or total)
                elif action == 'pay':
                    self.pay(move, round(total * random.random(), 2) or total)
                elif action == 'mute':
                    self.items(move).no_followup = True
            if random.random() < 0.6:
                self.receive(debtor, random.randint(100, 50000) / 100, TODAY)
        self.env.flush_all()
        expected = self._compute_figures(debtors)
        found = {
            (row.partner_id.id, row.currency_id.id): (
                row.item_count, *(round(row[name], 2) for name in (
                    'amount_open', 'amount_overdue', 'amount_held', 'amount_credit', 'amount_collectable',
                    'bucket_1_30', 'bucket_31_60', 'bucket_61_90', 'bucket_91')))
            for row in self.rows([('partner_id', 'in', [debtor.id for debtor in debtors])])
        }
        self.assertEqual(found, expected)

    def _compute_figures(self, debtors):
        """Work the figures out item by item, from what the records say."""
        result = {}
        for debtor in debtors:
            lines = self.env['account.move.line'].search([
                ('partner_id', '=', debtor.id), ('account_id.account_type', '=', 'asset_receivable'),
                ('parent_state', '=', 'posted'), ('reconciled', '=', False)])
            credit = -sum(lines.filtered(lambda line: line.amount_residual < 0).mapped('amount_residual'))
            rows = defaultdict(lambda: [0] + [0.0] * 9)
            for line in lines.filtered(lambda line: line.amount_residual > 0).sorted(
                    lambda line: (line.date_maturity, line.id)):
                residual, company_residual = line.amount_residual_currency, line.amount_residual
                holds = self.env['dunning.hold'].search([('move_id', '=', line.move_id.id)])
                held = min(residual, sum(hold.amount or residual for hold in holds))
                held_company = round(company_residual * held / residual, 2) if held < residual else company_residual
                free_company = company_residual - held_company
                netted = 0.0
                if not line.no_followup:
                    netted = min(credit, free_company)
                    credit -= netted
                late = (TODAY - line.date_maturity).days
                row = rows[line.currency_id.id]
                row[0] += 1
                row[1] += residual
                row[3] += held
                if late > 0:
                    netted_currency = round(residual * netted / company_residual, 2)
                    row[2] += residual
                    row[4] += netted_currency
                    row[5] += 0 if line.no_followup else residual - held - netted_currency
                    row[6 + (late > 30) + (late > 60) + (late > 90)] += company_residual
            for currency_id, (count, *amounts) in rows.items():
                result[debtor.id, currency_id] = (count, *(round(amount, 2) for amount in amounts))
        return result

    def test_what_can_be_collected_is_what_the_planner_would_ask(self):
        """The same netting and the same holds: the sum of both agrees where everything is overdue."""
        random = Random(7)
        debtor = self.make_debtor("Same BV")
        for nr in range(6):
            move = self.invoice(debtor, TODAY - days(10 + nr), random.randint(1000, 9000) / 100)
            if nr % 2:
                self.hold(move, amount=round(move.amount_residual / 3, 2))
        self.receive(debtor, 77.77, TODAY)
        decisions = self.plan(TODAY, items=self.env['account.move.line'].search([
            ('partner_id', '=', debtor.id), ('amount_residual', '>', 0), ('reconciled', '=', False)]))
        self.assertAlmostEqual(
            self.row(debtor).amount_collectable, sum(decision.amount_due for decision in decisions.values()), 2)

    # --- the priority ---

    def assertExplainedInFull(self, rows):
        """The points in the text add up to the priority."""
        for row in rows:
            points = [int(found) for found in re.findall(r': (\d+) points$', row.priority_text or '', re.MULTILINE)]
            self.assertEqual(sum(points), row.priority, row.priority_text)
            self.assertEqual(len(points), len((row.priority_text or '').splitlines()))

    def test_the_points_always_add_up(self):
        random = Random(11)
        self.patch(dunning_debtor_rows, 'LARGE_DEBTOR', 2000)
        for nr in range(12):
            debtor = self.make_debtor(f"P{nr} BV")
            for _nr in range(random.randint(1, 2)):
                move = self.invoice(debtor, TODAY - days(random.randint(-5, 120)), random.randint(10, 3000))
                if random.random() < 0.2:
                    self.hold(move)
            self.env['dunning.behaviour'].sudo().create({
                'company_id': self.company.id, 'partner_id': debtor.id, 'refreshed_on': TODAY,
                'average_days_late': random.randint(-5, 60), 'trend_days': random.randint(-10, 10)})
        self.dun(TODAY - days(random.randint(1, 9)))
        rows = self.rows()
        self.assertGreaterEqual(len(rows), 12)
        self.assertExplainedInFull(rows)
        self.assertEqual(rows.mapped('priority'), sorted(rows.mapped('priority'), reverse=True))
        self.assertGreater(len(set(rows.mapped('priority'))), 4, "The stories are too much alike")

    def test_more_and_older_goes_first(self):
        small, large, old = (self.make_debtor(f"{name} BV") for name in ("Small", "Large", "Old"))
        self.invoice(small, TODAY - days(10), 50)
        self.invoice(large, TODAY - days(10), 12000)
        self.invoice(old, TODAY - days(100), 12000)
        rows = self.rows()
        self.assertEqual(rows.partner_id, old | large | small)
        self.assertEqual(rows.partner_id.ids, [old.id, large.id, small.id])

    def test_nothing_to_collect_is_no_priority(self):
        self.hold(self.invoice(due=TODAY - days(100), amount=50000))
        row = self.row()
        self.assertEqual((row.priority, row.priority_text, row.priority_reason), (0, '', ''))

    def test_who_was_just_written_to_can_wait(self):
        self.invoice(due=TODAY)
        self.dun(AFTER)
        self.assertNotIn('contact', self.row(at_date=AFTER).priority_text)
        rested = self.row(at_date=AFTER + days(9))
        self.assertIn("The last contact was on 8 Mar 2025: 8 points", rested.priority_text)
        self.assertEqual((rested.last_contact, rested.last_contact_kind), (AFTER, 'email'))

    def test_a_call_of_the_ladder_goes_on_the_list_for_today(self):
        self.reminder.channel = 'phone'
        self.invoice(due=TODAY)
        self.assertFalse(self.row(at_date=AFTER).is_today)
        notice = self.dun(AFTER)
        self.assertEqual(notice.state, 'todo')
        row = self.row(at_date=AFTER)
        self.assertRecordValues(row, [{
            'call_notice_count': 1, 'is_today': True, 'next_kind': 'call', 'never_called': True}])
        self.assertIn("The ladder asks for a call: 25 points", row.priority_text)
        self.assertIn(row, self.rows([('is_today', '=', True)], AFTER))

    # --- calls and promises ---

    def log_call(self, outcome, at_date, partner=None, **values):
        return self.on(at_date, self.env['dunning.call'].with_user(self.clerk)).log_call({
            'partner_id': (partner or self.business).id, 'outcome': outcome,
            'date_start': f'{at_date} 10:00:00', **values})

    def test_a_call_that_was_agreed_comes_back_on_its_day(self):
        self.invoice(due=TODAY - days(40), amount=500)
        before = self.row()
        self.assertRecordValues(before, [{'never_called': True, 'next_kind': False}])
        self.assertIn("Nobody called yet", before.priority_text)
        self.log_call('call_back', TODAY, date=str(TODAY + days(3)))
        # He asked to be left alone until then.
        for late in range(3):
            row = self.row(at_date=TODAY + days(late))
            self.assertRecordValues(row, [{
                'never_called': False, 'last_call': TODAY, 'last_contact_kind': 'phone', 'next_kind': 'call_back',
                'next_date': TODAY + days(3), 'is_today': False, 'priority': 0}])
        row = self.row(at_date=TODAY + days(3))
        self.assertTrue(row.is_today)
        self.assertIn("A call was agreed for 6 Mar 2025: 30 points", row.priority_text)
        self.assertIn("6 Mar 2025", row.next_step)
        self.assertExplainedInFull(row)
        # Once somebody called, it was done.
        self.log_call('refuses', TODAY + days(3))
        self.assertNotEqual(self.row(at_date=TODAY + days(3)).next_kind, 'call_back')

    def test_a_promise_runs_breaks_and_comes_back(self):
        covered = self.invoice(due=TODAY - days(40), amount=500)
        other = self.invoice(due=TODAY - days(10), amount=70)
        self.log_call(
            'promise', TODAY, item_ids=self.items(covered).ids, amount=500, date=str(TODAY + days(4)), confirm=False)
        promise = self.env['dunning.promise'].search([('partner_id', '=', self.business.id)])
        row = self.row()
        self.assertRecordValues(row, [{
            'promise_id': promise.id, 'promise_date': TODAY + days(4), 'promise_amount': 500, 'amount_held': 500,
            'amount_collectable': 70, 'next_kind': 'promise', 'next_date': promise.grace_date, 'broken_count': 0}])
        self.assertIn("7 Mar 2025", row.next_step)
        broken_on = promise.grace_date + days(1)
        self.on(broken_on, self.env['dunning.run'])._plan_company(self.company, broken_on)
        self.assertEqual(promise.state, 'broken')
        row = self.row(at_date=broken_on)
        self.assertRecordValues(row, [{
            'promise_id': False, 'broken_count': 1, 'is_today': True, 'next_kind': 'broken'}])
        self.assertIn("A promise to pay was broken: 20 points", row.priority_text)
        self.assertExplainedInFull(row)
        # Somebody called about it: less pressing, not forgotten.
        self.log_call('refuses', broken_on)
        self.assertIn("A promise to pay was broken: 5 points", self.row(at_date=broken_on).priority_text)
        self.assertFalse(self.row(at_date=broken_on + days(380)).broken_count)
        self.pay(covered | other, on=broken_on)
        self.assertFalse(self.rows([('partner_id', '=', self.business.id)], broken_on))

    def test_the_next_step_of_the_ladder_is_told(self):
        self.invoice(due=TODAY)
        self.assertIn("Reminder", self.row(at_date=TODAY + days(1)).next_step)
        self.assertIn("8 Mar 2025", self.row(at_date=TODAY + days(1)).next_step)
        self.assertEqual(self.row(at_date=AFTER).next_step, "“Reminder” goes out today")

    def test_what_a_person_has_to_do_goes_before_what_the_ladder_does(self):
        """A proposal, a letter or a task waits for somebody: it is the next step, and opens exactly that."""
        self.invoice(due=TODAY - days(20), amount=250.0)
        self.invoice(due=TODAY + days(3), amount=70.0)  # which the ladder comes to later
        self.ladder.approval = 'approval'
        proposal = self.make_notices(TODAY)
        row = self.row()
        self.assertIn("Approve the proposal of 250.00", row.next_step)
        self.assertTrue(row.next_is_link)
        self.assertEqual((row.action_next_step()['res_model'], row.action_next_step()['res_id']), (
            'dunning.notice', proposal.id))
        proposal._recording().write({'state': 'to_post', 'postal_state': 'to_print'})
        self.assertIn("Print and post the letter of 250.00", self.row().next_step)
        proposal._recording().write({'postal_state': 'printed'})
        self.assertIn("Post the letter of 250.00", self.row().next_step)
        proposal._recording().write({'state': 'error'})
        self.assertIn("failed", self.row().next_step)
        proposal._recording().write({'state': 'todo', 'channel': 'task'})
        self.assertEqual(self.row().next_step, f"To do: “{proposal.level_id.name}”")
        # Somebody is called today first.
        self.log_call('call_back', TODAY, date=str(TODAY + days(1)))
        row = self.row(at_date=TODAY + days(1))
        self.assertIn("Call", row.next_step)
        self.assertEqual(row.action_next_step()['tag'], 'l10n_nl_dunning.debtor_screen')
        # What the debtor wrote goes first of all, and opens where it was written.
        proposal._recording().write({'state': 'sent', 'channel': 'email'})
        post_message(
            proposal, "I paid", author_id=self.business.id, message_type='email', subtype_xmlid='mail.mt_comment')
        self.on(TODAY, self.business)._pause_for_reply(
            self.on(TODAY, self.company), proposal, {'author_id': self.business.id})
        row = self.row(at_date=TODAY + days(1))
        self.assertIn("Read the answer", row.next_step)
        self.assertEqual(row.action_next_step()['res_id'], proposal.id)

    def test_how_a_debtor_is_reached(self):
        """Number and address of whoever is approached first, and none that is known to be wrong."""
        self.invoice(due=TODAY - days(20))
        self.business.write({'phone': '+31201111111', 'email': 'firm@example.com'})
        person = self.make_contact(self.business, "Ann", type='dunning', phone='+31202222222', email='ann@example.com')
        self.assertEqual((self.row().reach_phone, self.row().reach_email), ('+31202222222', 'ann@example.com'))
        person.write({'dunning_phone_wrong_on': TODAY, 'dunning_email_bounced_on': TODAY})
        self.assertEqual((self.row().reach_phone, self.row().reach_email), ('+31201111111', 'firm@example.com'))

    def test_factors_are_told_in_the_language_of_the_collector(self):
        self.invoice(due=TODAY - days(20))
        row = self.row()
        self.assertTrue(all(sentence for lines in row._get_priority_lines().values() for _c, _p, sentence in lines))

    # --- payment behaviour ---

    def refresh(self, at_date=TODAY):
        self.env.flush_all()
        self.env['dunning.behaviour']._refresh(self.company, at_date)
        return self.env['dunning.behaviour'].search([('partner_id', '=', self.business.id)])

    def paid(self, due, late, amount=100):
        move = self.invoice(due=due, amount=amount)
        self.pay(move, on=due + days(late))
        return move

    def test_average_by_count_and_trend(self):
        # Nine months before: 2 and 4 days late; last three months: 20 and 30.
        for due, late, amount in (
            (date(2024, 6, 3), 2, 10000), (date(2024, 7, 1), 4, 1), (date(2024, 12, 20), 20, 50),
            (date(2025, 1, 10), 30, 50),
        ):
            self.paid(due, late, amount)
        behaviour = self.refresh()
        self.assertRecordValues(behaviour, [{
            'item_count': 4, 'average_days_late': 14, 'recent_days_late': 25, 'earlier_days_late': 3,
            'trend_days': 22, 'refreshed_on': TODAY}])
        self.invoice(due=TODAY - days(20))
        row = self.row()
        self.assertRecordValues(row, [{'average_days_late': 14, 'trend': 'worse'}])
        self.assertIn("Pays 14 days late on average: 5 points", row.priority_text)
        self.assertIn("Pays later than before: 5 points", row.priority_text)

    def test_what_counts_as_paid(self):
        self.paid(date(2024, 2, 1), 5)  # longer than twelve months ago
        credited = self.invoice(due=TODAY - days(50))
        refund = self.credit_note(on=TODAY - days(2))
        (self.items(credited) | self.items(refund)).reconcile()
        partly = self.invoice(due=TODAY - days(60), amount=100)
        self.pay(partly, 40, on=TODAY - days(59))
        self.assertFalse(self.refresh())
        # The day on which the last of it was paid counts.
        self.pay(partly, on=TODAY - days(10))
        self.assertRecordValues(self.refresh(), [{'item_count': 1, 'average_days_late': 50, 'trend_days': 0}])
        self.assertFalse(self.row_trend())

    def row_trend(self):
        self.invoice(due=TODAY - days(1))
        return self.row().trend

    def test_it_is_refreshed_every_night_and_forgotten_after_a_year(self):
        self.paid(TODAY - days(30), 8)
        self.patch(self.registry['res.company'], '_dunning_today', lambda company: TODAY)
        self.env.flush_all()
        with self.enter_registry_test_mode():
            # sudo: the scheduler itself
            self.env.ref('l10n_nl_dunning.ir_cron_dunning_plan').sudo().method_direct_trigger()
        self.env.invalidate_all()
        behaviour = self.env['dunning.behaviour'].search([('partner_id', '=', self.business.id)])
        self.assertEqual(behaviour.average_days_late, 8)
        self.assertFalse(self.refresh(TODAY + days(400)))

    def test_against_python(self):
        random = Random(3)
        lates = []
        for nr in range(8):
            late = random.randint(-6, 45)
            self.paid(TODAY - days(60 + 30 * nr), late, random.randint(10, 900))
            lates.append((TODAY - days(60 + 30 * nr - late), late))
        self.assertAlmostEqual(
            self.refresh().average_days_late, sum(late for _day, late in lates) / len(lates), 6)

    # --- whose debtors they are ---

    def test_collector_of_the_debtor_else_of_the_company(self):
        self.invoice(due=TODAY - days(20))
        self.assertFalse(self.row().user_id)
        self.company.dunning_user_id = self.colleague
        self.assertEqual(self.row().user_id, self.colleague)
        self.business.with_company(self.company).dunning_user_id = self.clerk
        self.assertEqual(self.row().user_id, self.clerk)
        self.assertIn(self.row(), self.rows([('owner_id', '=', self.clerk.id)]))
        # Who left the company collects nothing.
        self.clerk.active = False
        self.assertEqual(self.row().user_id, self.colleague)

    def test_a_contact_follows_its_debtor(self):
        contact = self.make_contact(self.business, "Ann")
        self.business.dunning_user_id = self.clerk
        self.assertEqual(contact.dunning_user_id, self.clerk)

    def test_the_work_is_divided_on_the_list_itself(self):
        self.invoice(due=TODAY - days(20))
        row = self.row().with_user(self.clerk)
        row.user_id = self.colleague
        self.assertEqual(self.business.with_company(self.company).dunning_user_id, self.colleague)
        self.assertEqual(self.row().owner_id, self.colleague)
        for values in ({'priority': 100}, {'amount_open': 0, 'user_id': False}):
            with self.assertRaises(UserError):
                row.write(values)
        with self.assertRaises(AccessError):
            row.copy()
        for action in (lambda: self.env['dunning.debtor'].create({}), row.sudo().unlink):
            with self.assertRaises(UserError):
                action()

    def test_whoever_covers_has_the_debtors_while_the_collector_is_away(self):
        self.invoice(due=TODAY - days(20))
        self.business.dunning_user_id = self.clerk
        self.env['dunning.absence'].with_user(self.clerk).create({
            'cover_id': self.colleague.id, 'date_from': TODAY, 'date_to': TODAY + days(6)})
        for at_date, owner in ((TODAY - days(1), self.clerk), (TODAY, self.colleague),
                               (TODAY + days(6), self.colleague), (TODAY + days(7), self.clerk)):
            self.assertEqual(self.row(at_date=at_date).owner_id, owner, at_date)
            self.assertEqual(self.row(at_date=at_date).user_id, self.clerk)
            self.assertEqual(self.row(at_date=at_date).is_covered, owner == self.colleague)

    def test_covers_can_be_away_as_well(self):
        third = new_test_user(self.env, 'third', groups='account.group_account_invoice')
        Absence = self.env['dunning.absence']
        away = {'date_from': TODAY, 'date_to': TODAY}
        Absence.create({'user_id': self.clerk.id, 'cover_id': self.colleague.id, **away})
        self.assertEqual(Absence._get_covers(TODAY), {self.clerk.id: self.colleague.id})
        chain = Absence.create({'user_id': self.colleague.id, 'cover_id': third.id, **away})
        self.assertEqual(Absence._get_covers(TODAY), {self.clerk.id: third.id, self.colleague.id: third.id})
        chain.cover_id = self.clerk
        self.assertEqual(Absence._get_covers(TODAY), {}, "Everybody is away")

    def test_absences_that_cannot_be(self):
        Absence = self.env['dunning.absence']
        away = {'user_id': self.clerk.id, 'date_from': TODAY, 'date_to': TODAY + days(3)}
        Absence.create({'cover_id': self.colleague.id, **away})
        with self.assertRaisesRegex(ValidationError, "already away"):
            Absence.create({'cover_id': self.colleague.id, **away, 'date_from': TODAY + days(3)})
        employee = new_test_user(self.env, 'stranger_to_accounting', groups='base.group_user')
        with self.assertRaisesRegex(ValidationError, "does not work in accounting"):
            Absence.create({'user_id': self.colleague.id, 'cover_id': employee.id, 'date_from': TODAY,
                            'date_to': TODAY})

    # --- working with the list ---

    def test_the_list_opens_the_screen_with_its_order(self):
        self.invoice(due=TODAY - days(20))
        row = self.row().with_user(self.clerk)
        action = row.with_context(dunning_debtor_ids=[5, row.id, 'x']).action_open()
        self.assertEqual((action['type'], action['tag']), ('ir.actions.client', 'l10n_nl_dunning.debtor_screen'))
        self.assertEqual(action['params'], {
            'debtor_id': row.id, 'partner_id': self.business.id, 'company_id': self.company.id, 'ids': [5, row.id]})
        self.assertEqual(row.with_context(dunning_debtor_ids='x').action_open()['params']['ids'], row.ids)

    def test_the_button_on_the_contact(self):
        self.invoice(due=TODAY - days(20), amount=125)
        self.env.flush_all()
        partner = self.on(TODAY, self.business.with_user(self.clerk))
        partner.invalidate_recordset()
        self.assertEqual((partner.dunning_debtor_count, partner.dunning_amount_collectable), (1, 125))
        self.assertEqual(partner.action_dunning_worklist()['tag'], 'l10n_nl_dunning.debtor_screen')
        self.invoice(due=TODAY - days(20), amount=125, currency=self.dollar)
        self.env.flush_all()
        partner.invalidate_recordset()
        self.assertEqual((partner.dunning_debtor_count, partner.dunning_amount_collectable), (2, 225))
        self.assertEqual(partner.action_dunning_worklist()['res_model'], 'dunning.debtor')
        nobody = self.make_debtor("Nobody BV")
        self.assertEqual((nobody.dunning_debtor_count, nobody.dunning_amount_collectable), (0, 0))

    def test_sales_sees_no_amounts(self):
        sales = new_test_user(self.env, 'worklist_sales', groups='base.group_user,base.group_partner_manager')
        self.invoice(due=TODAY - days(20))
        with self.assertRaises(AccessError):
            self.env['dunning.debtor'].with_user(sales).search([])
        with self.assertRaises(AccessError):
            self.env['dunning.debtor'].with_user(sales).web_search_read([], {'amount_open': {}})
        for field in ('dunning_amount_collectable', 'dunning_user_id'):
            with self.assertRaises(AccessError):
                self.business.with_user(sales).read([field])

    def test_a_page_costs_the_same_number_of_queries_however_many_debtors(self):
        def count_queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.on(TODAY, self.env['dunning.debtor']).web_search_read(
                [], {name: {} for name in ('priority', 'priority_reason', 'priority_text', 'next_step', 'level_id',
                                           'reach_phone', 'reach_email', 'amount_collectable', 'last_contact',
                                           'owner_id')}, limit=80)
            return self.env.cr.sql_log_count - before

        for nr in range(3):
            self.invoice(self.make_debtor(f"A{nr} BV"), due=TODAY - days(20))
        count_queries()
        few = count_queries()
        for nr in range(9):
            self.invoice(self.make_debtor(f"B{nr} BV"), due=TODAY - days(20))
        self.assertLessEqual(count_queries(), few)

    def test_filters_and_groups(self):
        self.invoice(due=TODAY - days(20))
        self.env.flush_all()
        Debtor = self.on(TODAY, self.env['dunning.debtor'])
        search = self.env.ref('l10n_nl_dunning.dunning_debtor_view_search')
        domains = re.findall(r'domain="(\[.*?\])"', search.arch.replace('&gt;', '>').replace('&lt;', '<'))
        self.assertGreater(len(domains), 10)
        for domain in domains:
            Debtor.search(safe_eval(domain, {'uid': self.clerk.id}))
        for field in re.findall(r"'group_by': '(\w+)'", search.arch):
            self.assertTrue(Debtor.formatted_read_group([], [field], ['amount_collectable_company:sum', '__count']))
