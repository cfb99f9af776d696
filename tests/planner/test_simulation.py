"""The time machine: the same notices as the real scheduled actions would make, and nothing written."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.l10n_nl_dunning.models.planner.dunning_simulation import Variant

from ..common import TODAY, DunningCommon, days

CALM = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)
#: Everything a dry run could have written by accident.
TABLES = (
    'dunning_notice', 'dunning_notice_line', 'dunning_level', 'dunning_policy', 'dunning_hold', 'dunning_receipt',
    'account_move', 'account_move_line', 'account_partial_reconcile', 'mail_mail', 'mail_message', 'mail_activity',
    'ir_attachment', 'res_partner')

levels = st.lists(
    st.fixed_dictionaries({
        'delay_from': st.sampled_from(['due_date', 'previous_deadline']),
        'delay_days': st.integers(-4, 12),
        'payment_term_days': st.integers(0, 10),
        'channel': st.sampled_from(['email', 'email', 'letter', 'both', 'phone', 'task']),
        'expire_days': st.sampled_from([0, 2, 4]),
    }).map(lambda level: level | {
        'delay_days': abs(level['delay_days']) if level['delay_from'] != 'due_date' else level['delay_days']}),
    min_size=1, max_size=4)


class SimulationCommon(DunningCommon):

    def simulate(self, first, last, company=None, today=None, **kwargs):
        company = self.on(today or first, company or self.company)
        self.env.flush_all()
        return self.on(today or first, self.env['dunning.simulation'])._simulate(company, first, last, **kwargs)

    def told(self, outcomes):
        """Return what can be compared with real notices."""
        return sorted(
            (outcome.date, outcome.partner_id, outcome.recipient_id, outcome.currency_id, outcome.level_id,
             outcome.channel, round(outcome.amount, 2),
             tuple(sorted((item, round(open_, 2), round(netted, 2), round(held, 2))
                          for item, open_, netted, held in outcome.items)))
            for outcome in outcomes)

    def live(self, first, last, calls='done', company=None):
        """Let the scheduled actions really do it, day by day. Return what left, as :meth:`told` does."""
        company = company or self.company
        Notice = self.env['dunning.notice']
        known, told = Notice.search([('state', '=', 'sent')]), []
        day = first
        while day <= last:
            run = self.on(day, self.env['dunning.run'])
            run._plan_company(company.with_env(run.env), day)
            drafts = self.on(day, Notice.search([('state', '=', 'draft')]))
            drafts._queue()
            queued = self.on(day, Notice.search([('state', '=', 'queued')]))
            self.on(day, self.env['dunning.dispatcher'])._dispatch(queued)
            letters = self.on(day, Notice.search([('postal_state', '=', 'to_print')]))
            if letters:
                self.post_letters(letters, day)
            mailed = Notice.search([('state', '=', 'sent'), ('mail_id', '!=', False)]).filtered(
                lambda notice, day=day: notice.date == day)
            if mailed:
                self.mails_leave(mailed, day)
            if calls == 'done':
                calls_ = self.on(day, Notice.search([('state', '=', 'todo')]))
                if calls_:
                    calls_.action_done()
            sent = Notice.search([('state', '=', 'sent')]) - known
            known |= sent
            told += [
                (notice.date, notice.partner_id.id, notice.recipient_id.id, notice.currency_id.id, notice.level_id.id,
                 notice.channel, round(sum(notice.live_line_ids.mapped('amount_due_company')), 2),
                 tuple(sorted(
                     (line.move_line_id.id, round(line.amount_residual, 2), round(line.amount_netted, 2),
                      round(line.amount_held, 2)) for line in notice.live_line_ids)))
                for notice in sent]
            day += days(1)
        self.assertFalse(Notice.search([('state', 'in', ('queued', 'error'))]).mapped('error_message'))
        return sorted(told)

    def get_counts(self):
        self.env.flush_all()
        counts = {}
        for table in TABLES:
            self.env.cr.execute(SQL(
                "SELECT COUNT(*), MD5(STRING_AGG(line::text, ',' ORDER BY id)) FROM %s line", SQL.identifier(table)))
            counts[table] = self.env.cr.fetchone()
        sequence = self.env.ref('l10n_nl_dunning.sequence_notice')
        self.env.cr.execute(SQL("SELECT last_value FROM %s", SQL.identifier('ir_sequence_%03d' % sequence.id)))
        counts['sequence'] = self.env.cr.fetchone()
        return counts


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSimulation(SimulationCommon):

    def test_a_ladder_from_start_to_end(self):
        invoice = self.invoice()
        outcomes = self.simulate(TODAY, TODAY + days(60))
        self.assertEqual(
            [(outcome.date, outcome.level_id) for outcome in outcomes],
            [(TODAY + days(5), self.reminder.id), (TODAY + days(19), self.demand.id),
             (TODAY + days(27), self.final.id)])
        self.assertEqual({outcome.amount for outcome in outcomes}, {100.0})
        self.assertEqual(outcomes[0].items, [(self.items(invoice).id, 100.0, 0.0, 0.0)])

    def test_nothing_is_written(self):
        for number in range(4):
            self.invoice(self.make_debtor(f"Some {number} BV"), TODAY - days(number), amount=100.0 + number)
        before = self.get_counts()
        self.assertTrue(self.simulate(TODAY, TODAY + days(90), variant=Variant(
            levels={self.demand.id: {'delay_days': 0, 'active': False}}, minimums={self.ladder.id: 1.0},
            policy_id=self.ladder.id, partner_ids=[self.business.id])))
        self.assertEqual(self.get_counts(), before)

    def test_a_coming_period_is_lived_through_until_then(self):
        self.invoice()
        outcomes = self.simulate(TODAY + days(15), TODAY + days(30), today=TODAY)
        self.assertEqual([outcome.level_id for outcome in outcomes], [self.demand.id, self.final.id])

    def test_it_equals_the_scheduled_action(self):
        """A busy quarter: credits, holds, terms, several debtors and channels, an expiring call."""
        policy = self.make_policy("Busy", [
            {'delay_days': -3, 'payment_term_days': 3},
            {'delay_days': 4, 'payment_term_days': 8, 'channel': 'both'},
            {'delay_days': 2, 'delay_from': 'previous_deadline', 'channel': 'phone', 'expire_days': 3},
            {'delay_days': 1, 'delay_from': 'previous_deadline', 'channel': 'letter'},
            {'delay_days': 5, 'delay_from': 'previous_deadline', 'channel': 'task'},
        ], minimum_amount=40.0)
        self.use_policy(policy)
        self.company.dunning_contacts_per_week = 2
        owner = new_test_user(
            self.env, 'machine_owner', groups='account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        for number in range(8):
            debtor = self.make_debtor(f"Busy {number} BV", consumer=number % 3 == 1)
            for more in range(number % 3 + 1):
                self.invoice(debtor, TODAY + days(5 * number - 12 + 7 * more), amount=30.0 + 20 * number)
            if number == 4:
                self.receive(debtor, 120.0)
            if number == 6:
                self.on(TODAY, self.env['dunning.hold']).create({
                    'partner_id': debtor.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id,
                    'date_end': TODAY + days(35), 'user_id': owner.id})
        for calls in ('done', 'expire'):
            with self.subTest(calls=calls):
                simulated = self.simulate(TODAY, TODAY + days(70), calls=calls)
                slow = self.simulate(TODAY, TODAY + days(70), calls=calls, every_day=True)
                self.assertEqual(self.told(simulated), self.told(slow))
                with self.env.cr.savepoint() as savepoint:
                    real = self.live(TODAY, TODAY + days(70), calls)
                    savepoint.rollback()
                    self.env.invalidate_all()
                self.assertTrue(real)
                self.assertEqual(self.told(simulated), real)

    def test_consumers_and_the_fourteen_day_letter(self):
        policy = self.make_policy("Consumers", [
            {'delay_days': 3, 'payment_term_days': 7},
            {'delay_days': 1, 'delay_from': 'previous_deadline', 'payment_term_days': 14},
            {'delay_days': 1, 'delay_from': 'previous_deadline', 'channel': 'task'},
        ])
        # The wording of a real letter is not what this is about.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE dunning_level SET legal_role = 'fourteen_day' WHERE id = %s", [policy.level_ids[1].id])
        self.env.invalidate_all()
        self.company.dunning_term_agreed_consumer = True
        self.use_policy(policy)
        debtor = self.make_debtor("Jansen", consumer=True)
        for number in range(3):
            self.invoice(debtor, TODAY + days(6 * number), amount=75.0)
        simulated = self.simulate(TODAY, TODAY + days(80))
        roles = [self.env['dunning.level'].browse(outcome.level_id).legal_role for outcome in simulated]
        self.assertIn('fourteen_day', roles)
        # What can be claimed together is in one letter; the third item was still within an earlier term.
        self.assertEqual(roles.count('fourteen_day'), 2)
        letter = next(outcome for outcome, role in zip(simulated, roles, strict=True) if role)
        self.assertEqual(len(letter.items), 2)
        slow = self.simulate(TODAY, TODAY + days(80), every_day=True)
        self.assertEqual(self.told(simulated), self.told(slow))

    @settings(CALM, max_examples=8)
    @given(
        levels, st.lists(st.tuples(st.integers(-25, 20), st.integers(5, 300)), min_size=1, max_size=5),
        st.integers(0, 120), st.sampled_from(['done', 'expire']), st.integers(0, 2))
    def test_any_ladder_equals_the_scheduled_action(self, ladder, invoices, credit, calls, contacts):
        with self.env.cr.savepoint() as savepoint:
            policy = self.make_policy("Any", ladder, minimum_amount=20.0)
            self.use_policy(policy)
            self.company.dunning_contacts_per_week = contacts
            debtors = [self.make_debtor("First BV"), self.make_debtor("Second", consumer=True)]
            for number, (due, amount) in enumerate(invoices):
                self.invoice(debtors[number % 2], TODAY + days(due), amount=amount)
            if credit:
                self.receive(debtors[0], credit)
            simulated = self.told(self.simulate(TODAY, TODAY + days(40), calls=calls))
            self.assertEqual(
                simulated, self.told(self.simulate(TODAY, TODAY + days(40), calls=calls, every_day=True)))
            self.assertEqual(simulated, self.live(TODAY, TODAY + days(40), calls))
            savepoint.rollback()
            self.env.invalidate_all()

    def test_what_waits_today_leaves_first(self):
        self.invoice()
        notice = self.make_notices(TODAY + days(6))
        self.assertEqual(notice.state, 'draft')
        outcomes = self.simulate(TODAY + days(8), TODAY + days(40))
        self.assertEqual([outcome.level_id for outcome in outcomes], self.ladder.level_ids.ids)
        self.assertEqual(outcomes[0].date, TODAY + days(8))

    def test_a_variant_that_is_stored_nowhere(self):
        self.invoice()
        variant = Variant(levels={
            self.reminder.id: {'delay_days': 1, 'payment_term_days': 3, 'channel': 'phone'},
            self.demand.id: {'active': False},
        })
        outcomes = self.simulate(TODAY, TODAY + days(60), variant=variant)
        self.assertEqual(
            [(outcome.date, outcome.level_id, outcome.channel) for outcome in outcomes],
            [(TODAY + days(1), self.reminder.id, 'phone'), (TODAY + days(5), self.final.id, 'email')])
        self.assertEqual(self.simulate(TODAY, TODAY + days(60), variant=Variant(
            minimums={self.ladder.id: 100.01})), [])

    def test_a_variant_equals_the_policy_once_it_is_stored(self):
        self.invoice()
        self.invoice(self.make_debtor("Other BV"), TODAY - days(9), amount=60.0)
        values = {'delay_days': 2, 'payment_term_days': 4, 'channel': 'letter'}
        tried = self.told(self.simulate(TODAY, TODAY + days(60), variant=Variant(levels={self.demand.id: values})))
        self.demand.write(values)
        self.assertEqual(tried, self.told(self.simulate(TODAY, TODAY + days(60))))

    def test_another_policy_for_some_debtors(self):
        other = self.make_policy("Other", [{'delay_days': 2}])
        second = self.make_debtor("Second BV")
        self.invoice()
        self.invoice(second)
        outcomes = self.simulate(TODAY, TODAY + days(9), variant=Variant(
            policy_id=other.id, partner_ids=[second.id]))
        self.assertEqual(
            [(outcome.partner_id, outcome.level_id) for outcome in outcomes],
            [(second.id, other.level_ids.id), (self.business.id, self.reminder.id)])

    def test_who_pays_as_he_used_to(self):
        prompt, slow = self.make_debtor("Prompt BV"), self.make_debtor("Slow BV")
        for debtor, late in ((prompt, 2), (slow, 12)):
            due = TODAY - days(60)
            self.pay(self.invoice(debtor, due), on=due + days(late))
            self.invoice(debtor, TODAY)
        self.assertEqual(
            self.env['dunning.behaviour']._get_average_days_late(self.company, TODAY),
            ({prompt.id: 2, slow.id: 12}, 7))
        outcomes = self.simulate(TODAY, TODAY + days(60), payments='average')
        self.assertEqual(
            [(outcome.partner_id, outcome.level_id) for outcome in outcomes], [(slow.id, self.reminder.id)])
        self.assertEqual(len(self.simulate(TODAY, TODAY + days(60))), 6)

    def test_it_expects_payments_as_late_as_the_worklist_shows(self):
        debtor = self.make_debtor("Regular BV")
        for due, late in ((-400, 30), (-40, 4), (-20, 8)):
            self.pay(self.invoice(debtor, TODAY + days(due)), on=TODAY + days(due + late))
        credited = self.invoice(debtor, TODAY - days(30))
        credit = self.credit_note(debtor, on=TODAY - days(28))
        (self.items(credited) | self.items(credit)).reconcile()
        self.env['dunning.behaviour']._refresh(self.company, TODAY)
        shown = self.env['dunning.behaviour'].search([('partner_id', '=', debtor.id)])
        self.assertEqual((shown.average_days_late, shown.item_count), (6.0, 2))
        new = self.invoice(debtor, TODAY + days(10))
        self.assertEqual(
            self.env['dunning.behaviour']._get_average_days_late(self.company, TODAY, debtor), ({debtor.id: 6}, 6))
        # Reminded on the fifth day after it was due, and paid on the sixth.
        told = [outcome.date for outcome in self.simulate(TODAY, TODAY + days(60), payments='average')]
        due = self.items(new).date_maturity
        self.assertEqual([(day - due).days for day in told], [5])

    def test_the_past_with_the_ledger_of_then(self):
        """What the present ladder would have done, with the payments as they came in."""
        paid, later = self.invoice(), self.invoice(self.make_debtor("Later BV"), TODAY + days(10))
        self.pay(paid, on=TODAY + days(21))
        self.pay(later, on=TODAY + days(11))
        outcomes = self.simulate(TODAY, TODAY + days(50), today=TODAY + days(90))
        self.assertEqual(
            [(outcome.date, outcome.partner_id, outcome.level_id) for outcome in outcomes],
            [(TODAY + days(5), self.business.id, self.reminder.id),
             (TODAY + days(19), self.business.id, self.demand.id)])

    def test_the_past_equals_what_really_happened(self):
        debtor = self.make_debtor("Second BV")
        moves = [self.invoice(due=TODAY), self.invoice(debtor, TODAY + days(4)), self.invoice(debtor, TODAY + days(9))]
        real, day = [], TODAY
        while day <= TODAY + days(40):
            if day == TODAY + days(20):
                self.pay(moves[0], 60.0, on=day)
                self.pay(moves[1], on=day)
            real += self.live(day, day)
            day += days(1)
        simulated = self.simulate(TODAY, TODAY + days(40), today=TODAY + days(70))
        self.assertTrue(real)
        self.assertEqual(self.told(simulated), sorted(real))

    def test_a_year_of_many_items_within_seconds(self):
        debtors = [self.make_debtor(f"Many {number} BV") for number in range(15)]
        for number, debtor in enumerate(debtors):
            self.invoice(debtor, TODAY + days(20 * number))
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        outcomes = self.simulate(TODAY, TODAY + days(365))
        self.assertEqual(len(outcomes), 45)
        # Not a query per item and day: only days on which something can change are asked about.
        self.assertLess(self.env.cr.sql_log_count - before, 365 * 8)

    def test_other_companies_are_left_alone(self):
        other = self.setup_other_company(name="Other company")['company']
        self.use_policy(self.ladder, other)
        other.write({'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False})
        self.invoice()
        self.invoice(company=other, amount=70.0)
        self.assertEqual({outcome.amount for outcome in self.simulate(TODAY, TODAY + days(30))}, {100.0})
        self.assertEqual({outcome.amount for outcome in self.simulate(
            TODAY, TODAY + days(30), company=other)}, {70.0})


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTimeMachine(SimulationCommon):
    """The window around it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, 'machine_clerk', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])

    def machine(self, user=None, **values):
        Machine = self.on(TODAY, self.env['dunning.time.machine']).with_user(user or self.clerk)
        return Machine.create({'date_from': TODAY, 'date_to': TODAY + days(60), **values})

    def test_two_ladders_side_by_side(self):
        self.invoice()
        form = Form(self.on(TODAY, self.env['dunning.time.machine']).with_user(self.clerk))
        form.date_to = TODAY + days(60)
        form.compare = True
        form.policy_b_id = self.ladder
        self.assertEqual(form.minimum_b, 0.0)
        with form.level_b_ids.edit(1) as level:
            self.assertEqual(level.level_id, self.demand)
            level.enabled = False
        with form.level_b_ids.edit(0) as level:
            level.channel = 'phone'
        machine = form.save()
        before = self.get_counts()
        machine.action_simulate()
        self.assertEqual(self.get_counts(), before)
        rows = machine.row_ids.grouped('variant')
        self.assertEqual(rows['a'].level_id, self.ladder.level_ids)
        self.assertEqual(rows['b'].level_id, self.reminder | self.final)
        self.assertEqual(rows['b'].sorted('date').mapped('channel'), ['phone', 'email'])
        self.assertIn("Contacts per debtor", machine.comparison)
        action = machine.action_show_rows()
        self.assertEqual(
            self.env['dunning.time.machine.row'].with_user(self.clerk).search(action['domain']), machine.row_ids)
        self.assertEqual((self.reminder.channel, self.demand.active), ('email', True))
        # Once more: the old rows make room.
        machine.compare = False
        machine.action_simulate()
        self.assertEqual(set(machine.row_ids.mapped('variant')), {'a'})

    def test_another_policy_for_all(self):
        other = self.make_policy("Other", [{'delay_days': 1}])
        self.invoice()
        machine = self.machine(policy_a_id=other.id)
        machine.action_simulate()
        self.assertEqual(machine.row_ids.policy_id, self.ladder, "Nobody follows it")
        machine.for_all_a = True
        machine.action_simulate()
        self.assertEqual(machine.row_ids.policy_id, other)
        machine.minimum_a = 500.0
        machine.action_simulate()
        self.assertFalse(machine.row_ids)
        self.assertIn("In all", machine.comparison)

    def test_what_cannot_be_asked(self):
        with self.assertRaisesRegex(UserError, "before the first"):
            self.machine(date_to=TODAY - days(1)).action_simulate()
        with self.assertRaisesRegex(UserError, "two years"):
            self.machine(date_to=TODAY + days(1000)).action_simulate()
        with self.assertRaisesRegex(UserError, "cannot be negative"):
            self.machine(policy_a_id=self.ladder.id, level_a_ids=[Command.create(
                {'level_id': self.reminder.id, 'payment_term_days': -1})])

    def test_who_may(self):
        other = self.setup_other_company(name="Other company")['company']
        machine = self.machine(company_id=other.id, user=self.env.user)
        with self.assertRaises(AccessError):
            machine.with_user(self.clerk).action_simulate()
        mine = self.machine()
        mine.sudo().company_id = other
        with self.assertRaises(AccessError):
            mine.action_simulate()
        sales = new_test_user(self.env, 'machine_sales', groups='base.group_user')
        with self.assertRaises(AccessError):
            self.machine(user=sales)
