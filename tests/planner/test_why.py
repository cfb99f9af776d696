"""“Why (not)?”: every due item answers for any day, and of the past it says what was true then."""

from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.l10n_nl_dunning.models.planner.question import Past

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)
CALM = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)
#: What an answer says of the ledger and the notices.
FACTS = (
    'item_id', 'amount_open', 'amount_netted', 'amount_on_hold', 'amount_due', 'reason', 'text', 'last_level_id',
    'last_date', 'deadline', 'next_level_id', 'next_level_date', 'changes_on')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWhy(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: new_test_user(
                cls.env, f'why_{name}', groups=groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'portal': 'base.group_portal',
                'sales': 'base.group_user,base.group_partner_manager',
                'readonly': 'account.group_account_readonly',
                'clerk': 'account.group_account_invoice',
            }.items()
        }

    def ask(self, record, day, today=None):
        """Ask about ``day`` while it is ``today`` (else that same day). Return the answers."""
        record = self.on(today or day, record)
        method = record.get_dunning_reasons if record._name == 'res.partner' else record.get_dunning_reason
        return method(fields.Date.to_string(day))

    def ask_one(self, record, day, today=None):
        (answer,) = self.ask(record, day, today)
        return answer

    # --- the answer ---

    def test_one_plain_sentence_with_its_facts(self):
        invoice = self.invoice()
        notice = self.dun(DUE)
        self.receive(amount=30.0)
        answer = self.ask_one(invoice, DUE + days(1))
        self.assertEqual(
            answer, answer | {
                'date': '2025-03-09', 'invoice': invoice.name, 'debtor': self.business.display_name,
                'due_date': '2025-03-03', 'currency': 'EUR', 'amount_open': 100.0, 'amount_netted': 30.0,
                'amount_on_hold': 0.0, 'amount_due': 0.0, 'policy': "Ladder", 'last_level': "Reminder",
                'last_date': '2025-03-08', 'deadline': '2025-03-18', 'next_level': "Demand",
                'next_channel': "E-mail", 'next_level_date': '2025-03-22', 'is_due': False,
                'reason': 'waiting_deadline', 'waits_for': "Time", 'changes_on': '2025-03-22',
                'text': "The debtor has until 18 Mar 2025 to react to “Reminder”; “Demand” follows on 22 Mar 2025.",
            })
        self.assertEqual(answer['last_date'], fields.Date.to_string(notice.date))
        due = self.ask_one(invoice, DUE + days(20))
        self.assertEqual((due['is_due'], due['amount_due'], due['changes_on']), (True, 70.0, False))
        self.assertIn("goes out for", due['text'])

    def test_the_same_text_everywhere(self):
        invoice = self.invoice()
        move, item = self.on(TODAY, invoice), self.on(TODAY, self.items(invoice))
        answer = self.ask_one(invoice, TODAY)
        self.assertEqual(move.dunning_reason, answer['text'])
        self.assertEqual(item.dunning_reason, answer['text'])
        self.assertEqual(self.ask_one(self.items(invoice), TODAY), answer)
        self.assertEqual(self.ask_one(self.business, TODAY), answer)
        wizard = self.env['dunning.send'].browse(move.action_dunning_send()['res_id'])
        self.assertEqual(wizard.skip_ids.reason, answer['text'])

    def test_without_a_date_it_is_today(self):
        invoice = self.on(TODAY, self.invoice())
        self.assertEqual(invoice.get_dunning_reason(), invoice.get_dunning_reason(TODAY))
        self.assertEqual(invoice.get_dunning_reason()[0]['date'], fields.Date.to_string(TODAY))

    def test_no_date_is_said_plainly(self):
        with self.assertRaisesRegex(UserError, "is not a date"):
            self.invoice().get_dunning_reason('next week')

    def test_who_or_what_it_waits_for(self):
        self.ladder.approval = 'approval'
        invoice = self.invoice()
        notice = self.make_notices(DUE)
        self.assertEqual(self.ask_one(invoice, DUE)['waits_for'], notice.display_name)
        unsent = self.invoice(self.make_debtor("Other BV"), sent=False)
        self.assertEqual(self.ask_one(unsent, DUE)['waits_for'], "Whoever is responsible for the invoice")
        for code in (*self.env['dunning.planner']._item_reasons(), *self.env['dunning.planner']._notice_reasons()):
            decision = self.decision(invoice, DUE)._replace(reason=code, hold_user_id=self.env.uid)
            self.assertTrue(self.env['dunning.planner']._get_waits_for(decision), code)

    def test_a_coming_day_as_if_nothing_happens(self):
        invoice = self.invoice()
        answers = [self.ask_one(invoice, TODAY + days(number), TODAY) for number in range(7)]
        self.assertEqual(
            [answer['reason'] for answer in answers],
            ['not_due', 'waiting_delay', 'waiting_delay', 'waiting_delay', 'waiting_delay', 'due', 'due'])
        self.assertEqual({answer['changes_on'] for answer in answers[:5]}, {fields.Date.to_string(DUE)})

    # --- the past ---

    def test_paid_later_was_open_then(self):
        invoice = self.invoice()
        self.pay(invoice, on=DUE + days(3))
        later = DUE + days(30)
        self.assertEqual(self.ask_one(invoice, later)['reason'], 'settled')
        self.assertEqual(self.ask_one(invoice, DUE + days(3), later)['reason'], 'settled')
        answer = self.ask_one(invoice, DUE + days(2), later)
        self.assertEqual((answer['reason'], answer['amount_due']), ('due', 100.0))
        self.assertEqual(self.ask(self.business, later), [])
        self.assertEqual(self.ask_one(self.business, DUE + days(2), later), answer)

    def test_partly_paid_and_credited_later(self):
        invoice = self.invoice()
        self.pay(invoice, 30.0, on=DUE)
        day = DUE + days(2)
        credit = self.credit_note(amount=70.0, on=day, invoice_date=day, date=day)
        (self.items(credit) | self.items(invoice)).reconcile()
        later = DUE + days(30)
        open_on = {number: self.ask_one(invoice, DUE + days(number), later)['amount_open'] for number in (-1, 0, 1, 2)}
        self.assertEqual(open_on, {-1: 100.0, 0: 70.0, 1: 70.0, 2: 0.0})

    def test_money_that_was_not_matched_yet_was_netted(self):
        invoice = self.invoice()
        self.receive(amount=40.0, on=DUE)
        later = DUE + days(30)
        self.assertEqual(self.ask_one(invoice, DUE - days(1), later)['amount_netted'], 0.0)
        self.assertEqual(self.ask_one(invoice, DUE, later)['amount_netted'], 40.0)

    def test_what_did_not_exist_yet(self):
        invoice = self.invoice()
        answer = self.ask_one(invoice, invoice.date - days(1), TODAY)
        self.assertEqual((answer['reason'], answer['changes_on']), ('not_yet', fields.Date.to_string(invoice.date)))
        self.assertIn("not in the books yet", answer['text'])
        self.assertEqual(self.ask(self.business, invoice.date - days(1), TODAY), [])

    def test_levels_of_then(self):
        invoice = self.invoice()
        self.dun(DUE)
        second = DUE + days(14)
        self.dun(second)
        later = second + days(30)
        self.assertEqual(self.ask_one(invoice, DUE - days(1), later)['last_level'], '')
        self.assertEqual(self.ask_one(invoice, DUE, later)['last_level'], "Reminder")
        answer = self.ask_one(invoice, second - days(1), later)
        self.assertEqual((answer['last_level'], answer['next_level']), ("Reminder", "Demand"))
        self.assertEqual(self.ask_one(invoice, second, later)['last_level'], "Demand")

    def test_it_says_what_nobody_knows(self):
        Planner = self.env['dunning.planner']
        company = self.on(TODAY, self.company)
        self.assertIn("Not known of the past", " ".join(Planner._get_unknown(company, TODAY - days(1))))
        self.assertIn("As if", " ".join(Planner._get_unknown(company, TODAY + days(1))))
        self.assertEqual(Planner._get_unknown(company, TODAY), [])

    def test_foreign_currency(self):
        dollar = self.env.ref('base.USD')
        dollar.active = True
        invoice = self.invoice(currency=dollar, amount=200.0)
        self.pay(invoice, 50.0, on=DUE)
        self.pay(invoice, 150.0, on=DUE + days(2))
        answers = [self.ask_one(invoice, DUE + days(number), DUE + days(30)) for number in (-1, 0, 2)]
        self.assertEqual([answer['amount_open'] for answer in answers], [200.0, 150.0, 0.0])
        self.assertEqual({answer['currency'] for answer in answers}, {'USD'})

    @settings(CALM, max_examples=6)
    @given(st.lists(
        st.tuples(st.integers(-6, 12), st.lists(st.tuples(st.integers(0, 24), st.integers(5, 110)), max_size=2)),
        min_size=1, max_size=3))
    def test_asked_afterwards_the_past_answers_as_it_did(self, story):
        """Live through some weeks, write down every answer, then ask for each of those days at the end."""
        with self.env.cr.savepoint() as savepoint:
            debtor = self.make_debtor("Story BV")
            moves = self.env['account.move'].union(
                *(self.invoice(debtor, TODAY + days(due)) for due, _payments in story))
            written = {}
            for number in range(0, 28, 2):
                day = TODAY + days(number)
                for move, (_due, payments) in zip(moves, story, strict=True):
                    for on, amount in payments:
                        if on // 2 * 2 == number:
                            item = self.items(move)
                            if item.amount_residual:
                                self.pay(item, min(amount, item.amount_residual), on=day)
                            else:
                                self.receive(debtor, amount, on=day)
                self.dun(day)
                written[day] = self.ask(moves, day)
            for day, answers in written.items():
                past = self.ask(moves, day, TODAY + days(40))
                self.assertEqual(
                    [{name: answer[name] for name in FACTS} for answer in past],
                    [{name: answer[name] for name in FACTS} for answer in answers], f"Asked about {day}")
            savepoint.rollback()
            self.env.invalidate_all()

    def test_of_today_the_statement_reads_the_tables_themselves(self):
        self.invoice()
        Planner, codes = self.env['dunning.planner'], []
        original = type(Planner)._read_decisions

        def read_decisions(planner, statement):
            codes.append(statement.code)
            return original(planner, statement)

        with patch.object(type(Planner), '_read_decisions', read_decisions):
            for past in (None, Past(TODAY, TODAY)):
                Planner._plan(self.company, TODAY, past=past)
        self.assertEqual(len(codes), 2)
        self.assertTrue(codes[0].strip().startswith('WITH "policy" AS'))
        self.assertTrue(codes[1].strip().startswith('WITH "account_move_line" AS'))

    # --- rights ---

    def test_who_may_ask(self):
        invoice = self.invoice()
        for name in ('readonly', 'clerk'):
            with self.subTest(user=name):
                self.assertEqual(len(invoice.with_user(self.users[name]).get_dunning_reason()), 1)
                self.assertEqual(len(self.business.with_user(self.users[name]).get_dunning_reasons()), 1)
                self.assertTrue(invoice.with_user(self.users[name]).action_dunning_why()['res_id'])
        for name in ('sales', 'portal'):
            with self.subTest(user=name):
                for ask in (
                    invoice.with_user(self.users[name]).get_dunning_reason,
                    self.items(invoice).with_user(self.users[name]).get_dunning_reason,
                    self.business.with_user(self.users[name]).get_dunning_reasons,
                    invoice.with_user(self.users[name]).action_dunning_why,
                ):
                    with self.assertRaises(AccessError):
                        ask()

    def test_other_companies(self):
        other = self.setup_other_company(name="Other company")['company']
        self.use_policy(self.ladder, other)
        other.write({'dunning_start_date': '2020-01-01'})
        mine, theirs = self.invoice(), self.invoice(company=other)
        clerk = self.users['clerk']
        with self.assertRaises(AccessError):
            theirs.with_user(clerk).get_dunning_reason()
        answers = self.business.with_user(clerk).get_dunning_reasons()
        self.assertEqual([answer['invoice'] for answer in answers], [mine.name])
        both = self.business.with_context(allowed_company_ids=[self.company.id, other.id]).get_dunning_reasons()
        self.assertEqual({answer['invoice_id'] for answer in both}, {mine.id, theirs.id})

    def test_a_clerk_cannot_peek_through_the_dialog(self):
        other = self.setup_other_company(name="Other company")['company']
        theirs = self.invoice(company=other)
        wizard = self.env['dunning.why'].with_user(self.users['clerk']).create({'date': TODAY})
        with self.assertRaises(AccessError):
            wizard.item_ids = self.items(theirs).sudo(False).with_user(self.users['clerk'])
            wizard.invalidate_recordset()
            wizard._get_answers()

    # --- the dialog ---

    def test_the_dialog_follows_the_date(self):
        invoice = self.on(TODAY, self.invoice())
        action = invoice.action_dunning_why()
        wizard = self.on(TODAY, self.env['dunning.why']).browse(action['res_id'])
        self.assertEqual(wizard.date, TODAY)
        form = Form(wizard)
        self.assertIn("Not due yet", form.answers)
        form.date = DUE
        self.assertIn("goes out for", form.answers)
        self.assertIn("As if until then nobody pays", form.answers)
        form.date = invoice.date - days(3)
        self.assertIn("not in the books yet", form.answers)
        self.assertIn("Not known of the past", form.answers)

    def test_the_dialog_of_a_debtor_and_of_an_item(self):
        self.invoice()
        second = self.invoice(due=DUE, amount=250.0)
        for record, count in ((self.business, 2), (self.items(second), 1)):
            action = self.on(TODAY, record).action_dunning_why()
            wizard = self.on(TODAY, self.env['dunning.why']).browse(action['res_id'])
            self.assertEqual(wizard.answers.count('border-start'), count)
            self.assertIn(second.name, wizard.answers)

    def test_nothing_in_the_answer_is_markup(self):
        self.business.name = "<b>Bold</b> BV"
        self.invoice()
        other = self.make_debtor("<i>Other</i> BV")
        self.invoice(other)
        action = self.on(TODAY, self.business | other).action_dunning_why()
        answers = self.on(TODAY, self.env['dunning.why']).browse(action['res_id']).answers
        self.assertNotIn("<b>Bold", answers)
        self.assertIn("&lt;b&gt;Bold", answers)

    def test_queries_do_not_grow_with_the_items(self):
        debtors = [self.make_debtor(f"Many {number} BV") for number in range(12)]
        moves = self.env['account.move'].union(*(self.invoice(debtor) for debtor in debtors))
        counts = []
        for some in (moves[:2], moves):
            for day in (TODAY - days(3), TODAY):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.on(TODAY, some).get_dunning_reason(day)
                counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[0] + 2, counts)
        self.assertLessEqual(counts[3], counts[1] + 2, counts)
