"""The collector's side of arrangements: the wizard, its entrances, what is shown before one is offered, and rights."""

from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..common import TODAY, DunningCommon, days

FIRST = date(2025, 3, 17)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementDesk(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ('_store_offer', '_send_offer'):  # documents have tests of their own
            cls.classPatch(cls.registry['dunning.arrangement'], name, lambda self: None)
        cls.first = cls.invoice(due=TODAY - days(40), amount=600.0)
        cls.second = cls.invoice(due=TODAY - days(20), amount=400.0)
        cls.later = cls.invoice(due=TODAY + days(20), amount=50.0)
        cls.both = cls.items(cls.first | cls.second)
        cls.users = {
            name: new_test_user(
                cls.env, f'desk_{name}', groups=groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'sales': 'base.group_user,base.group_partner_manager',
                'readonly': 'account.group_account_readonly',
                'clerk': 'account.group_account_invoice',
                'manager': 'account.group_account_manager',
                'other_manager': 'account.group_account_manager',
            }.items()
        }

    # --- helpers ---

    def open(self, records=None, user=None, **values):
        """Return the form of the wizard, opened from records, with some terms filled in."""
        records = self.both if records is None else records
        action = self.on(TODAY, records.with_user(user or self.env.user)).action_dunning_arrangement()
        return self.form(action, user, **values)

    def form(self, action, user=None, **values):
        wizard = self.env['dunning.arrangement.make'].with_user(user or self.env.user).with_context(
            **action['context'], dunning_at_date=TODAY)
        form = Form(wizard)
        for name, value in {'with_interest': False, 'with_costs': False, **values}.items():
            setattr(form, name, value)
        return form

    def make(self, records=None, user=None, **values):
        """Return the draft that the wizard makes."""
        action = self.open(records, user, **values).save().action_make()
        return self.on(TODAY, self.env['dunning.arrangement'].browse(action['res_id']))

    def end(self, arrangement, state, day=TODAY):
        """Let an arrangement have ended, as if the ledger had said so."""
        arrangement._recording().write({
            'state': state, 'closed_on': day, 'close_code': 'paid' if state == 'kept' else 'missed',
            'close_reason': "It ended."})

    def run_through(self, arrangement):
        """Offer, sign and countersign, as far as the model asks."""
        arrangement.action_offer()
        arrangement._recording().write({
            'state': 'signed', 'signed_name': "A. Debtor", 'signed_on': '2025-03-03 10:00:00',
            'signed_date': TODAY, 'signed_ip': '192.0.2.1', 'signed_via': 'portal',
            'countersigned_by_id': self.env.uid, 'countersigned_on': '2025-03-03 11:00:00'})
        arrangement._activate()

    # --- both ways ---

    def test_the_number_gives_the_amount_and_the_amount_the_number(self):
        form = self.open()
        self.assertEqual((form.amount_total, form.instalment_count, form.instalment_amount), (1000.0, 3, 333.33))
        form.instalment_count = 4
        self.assertEqual((form.calculate, form.instalment_amount), ('count', 250.0))
        form.instalment_amount = 150.0
        self.assertEqual((form.calculate, form.instalment_count), ('amount', 7))
        form.instalment_count = 8
        self.assertEqual((form.calculate, form.instalment_amount), ('count', 125.0))

    def test_what_was_typed_last_stays_when_the_total_changes(self):
        form = self.open(instalment_amount=100.0)
        self.assertEqual(form.instalment_count, 10)
        form.down_payment = 400.0
        self.assertEqual((form.instalment_count, form.instalment_amount), (6, 100.0))
        form.instalment_count = 3
        self.assertEqual(form.instalment_amount, 200.0)
        form.down_payment = 100.0
        self.assertEqual((form.instalment_count, form.instalment_amount), (3, 300.0))
        form.item_ids.remove(id=self.items(self.second).id)
        self.assertEqual((form.amount_total, form.instalment_amount), (600.0, 166.67))

    def test_a_number_that_does_not_divide_stays_the_number(self):
        """333.33 three times leaves a cent, for the last instalment: it is no fourth instalment."""
        arrangement = self.make(instalment_count=3)
        self.assertEqual(arrangement.instalment_ids.mapped('amount'), [333.33, 333.33, 333.34])

    def test_what_is_shown_is_what_is_made(self):
        for terms in (
            {'instalment_count': 3},
            {'instalment_amount': 150.0, 'period': 'week'},
            {'instalment_count': 6, 'period': 'fortnight', 'down_payment': 100.0},
            {'instalment_count': 5, 'day_of_month': 31, 'date_first': date(2025, 3, 31)},
            {'instalment_count': 2, 'with_interest': True, 'with_costs': True},
        ):
            with self.subTest(**terms):
                form = self.open(**terms)
                wizard = form.save()
                shown = wizard._get_preview()
                made = self.env['dunning.arrangement'].browse(wizard.action_make()['res_id'])
                self.assertEqual(
                    [(part['date_due'], part['amount']) for part in shown['instalments']],
                    [(part.date_due, part.amount) for part in made.instalment_ids])
                self.assertEqual(shown['amount_total'], made.amount_total)
                self.assertEqual((wizard.amount_total, wizard.date_last), (made.amount_total, made.date_last))
                for part in made.instalment_ids:
                    self.assertIn(f"{part.amount:,.2f}", wizard.preview)

    def test_what_cannot_be_is_told_at_once_and_in_words(self):
        form = self.open(date_first=TODAY - days(1))
        self.assertIn("past", form.problem)
        form.date_first = FIRST
        self.assertFalse(form.problem)
        form.down_payment = 1000.0
        self.assertIn("down payment", form.problem.lower())
        with self.assertRaisesRegex(UserError, "down payment"):
            form.save().action_make()

    def test_nothing_is_written_before_it_is_confirmed(self):
        before = self.env['dunning.arrangement.make'].search_count([])
        self.open(instalment_count=5)
        self.assertEqual(self.env['dunning.arrangement.make'].search_count([]), before)
        self.assertFalse(self.env['dunning.arrangement'].search([('partner_id', '=', self.business.id)]))

    # --- entrances ---

    def test_from_due_items_invoices_the_debtor_and_the_worklist(self):
        """What was chosen, else what is due: no debtor is asked to agree on what is not due yet."""
        self.assertEqual(self.open(self.both).save().item_ids, self.both)
        self.assertEqual(self.open(self.first | self.second).save().item_ids, self.both)
        self.assertEqual(self.open(self.business).save().item_ids, self.both)
        row = self.env['dunning.debtor'].search([('partner_id', '=', self.business.id)])
        self.assertEqual(self.form(self.on(TODAY, row).action_arrangement()).save().item_ids, self.both)

    def test_it_begins_with_what_was_asked_and_says_what_may_be_added(self):
        """Costs that nobody asked so far are a choice and no surprise; what a letter asked is part of it."""
        form = self.open(with_costs=True)
        self.assertEqual((form.with_unasked, form.amount_total), (False, 1000.0))
        self.assertRegex(form.unasked_text, r"^You may add 150\.00.€ of collection costs that were not asked so far\.$")
        form.with_unasked = True
        self.assertEqual(form.amount_total, 1150.0)
        self.ladder.debtor_type = 'business'
        self.ladder.level_ids[0].with_costs = True
        asked = TODAY - days(25)
        self.assertEqual(self.send(self.make_notices(asked), asked).amount_due, 690.0)
        form = self.open(with_costs=True)
        self.assertEqual(form.amount_total, 1090.0)
        self.assertIn("60.00", form.unasked_text)
        arrangement = self.on(TODAY, self.env['dunning.arrangement'].browse(form.save().action_make()['res_id']))
        self.assertEqual((arrangement.amount_costs, arrangement.amount_total), (90.0, 1090.0))
        arrangement.instalment_count = 4  # worked out anew
        self.assertEqual(arrangement.amount_total, 1090.0)

    def test_a_contact_signs_where_he_was_chosen_else_the_director(self):
        contact = self.make_contact(self.business, "Ann")
        director = self.make_contact(self.business, "Dirk", type='director')
        self.assertEqual(self.open(self.business).contact_id, director)
        self.assertEqual(self.open(contact).contact_id, contact)

    def test_invoices_of_two_debtors_and_paid_ones_are_refused(self):
        other = self.invoice(self.make_debtor("Other BV"))
        with self.assertRaisesRegex(UserError, "one debtor"):
            (self.first | other).action_dunning_arrangement()
        self.pay(other)
        with self.assertRaisesRegex(UserError, "not paid"):
            other.action_dunning_arrangement()

    def test_what_is_disputed_or_arranged_already_is_left_out(self):
        self.env['dunning.hold'].create({
            'move_id': self.first.id, 'date_end': self.company._dunning_today() + days(20),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
        self.assertEqual(self.open(self.both).save().item_ids, self.items(self.second))
        self.make(self.second).action_offer()
        self.assertEqual(self.open(self.business).save().item_ids, self.items(self.later))
        self.assertIn("part of", self.open(self.second).problem)

    def test_a_call_ends_in_the_wizard_about_what_was_talked_about(self):
        Call = self.on(TODAY, self.env['dunning.call'].with_user(self.users['clerk']))
        values = {
            'partner_id': self.business.id, 'outcome': 'arrangement', 'item_ids': self.both.ids, 'external_id': 'pbx-7'}
        answer = Call.log_call(values)
        form = self.form(answer['action'], self.users['clerk'])
        arrangement = self.env['dunning.arrangement'].browse(form.save().action_make()['res_id'])
        self.assertEqual((arrangement.call_id.id, arrangement.item_ids), (answer['call_id'], self.both))
        self.assertEqual(arrangement.user_id, self.users['clerk'])
        # Logged again by the telephone system: the same answer, and no second wizard or arrangement.
        self.assertEqual(Call.log_call(values), answer)

    def test_the_call_says_what_comes_next(self):
        Call = self.on(TODAY, self.env['dunning.call'])
        call = Call.browse(Call.log_call({
            'partner_id': self.business.id, 'outcome': 'hardship', 'item_ids': self.both.ids})['call_id'])
        task = call.activity_ids
        self.assertTrue(task)
        form = self.form(call._action_arrangement())
        arrangement = self.on(TODAY, self.env['dunning.arrangement'].browse(form.save().action_make()['res_id']))
        self.assertFalse(call.activity_ids, "The task was to make it")
        self.assertIn(arrangement.name, call.summary)
        self.assertEqual(call.next_step, f"Offer {arrangement.name}")
        arrangement.action_offer()
        self.assertRecordValues(call, [{
            'next_step': f"See whether {arrangement.name} was signed", 'next_date': arrangement.valid_until}])
        arrangement._cancel("Paid at once")
        self.assertRecordValues(call, [{'next_step': False, 'next_date': False}])

    def test_the_short_hold_of_the_call_ends_when_the_arrangement_runs(self):
        Call = self.on(TODAY, self.env['dunning.call'])
        call = Call.browse(Call.log_call({
            'partner_id': self.business.id, 'outcome': 'arrangement', 'item_ids': self.both.ids})['call_id'])
        short = call.hold_ids
        self.assertTrue(short)
        form = self.form(call._action_arrangement(), instalment_count=2)
        arrangement = self.on(TODAY, self.env['dunning.arrangement'].browse(form.save().action_make()['res_id']))
        self.assertFalse(any(short.mapped('closed_on')))
        self.run_through(arrangement)
        self.assertEqual(short.mapped('closed_on'), [TODAY] * len(short))
        held = self.env['dunning.hold'].search([('arrangement_id', '=', arrangement.id)])
        self.assertEqual(held.move_line_id & self.both, self.both)

    def test_a_reader_logs_no_call_and_gets_no_wizard(self):
        call = self.env['dunning.call'].browse(self.on(TODAY, self.env['dunning.call']).log_call({
            'partner_id': self.business.id, 'outcome': 'hardship', 'item_ids': self.both.ids})['call_id'])
        self.assertFalse(call.with_user(self.users['readonly'])._action_arrangement())

    # --- limits ---

    def test_beyond_the_limits_a_manager_is_asked_and_another_one_approves(self):
        self.company.dunning_arrangement_max_instalments = 4
        form = self.open(user=self.users['clerk'], instalment_count=4)
        self.assertFalse(form.approval)
        form.instalment_count = 5
        self.assertTrue(form.approval)
        action = form.save().action_offer()
        arrangement = self.on(TODAY, self.env['dunning.arrangement'].browse(action['res_id']))
        self.assertRecordValues(arrangement, [{'state': 'draft', 'approval_state': 'needed'}])
        asked = arrangement.activity_ids
        self.assertEqual(len(asked), 1)
        self.assertTrue(asked.user_id.has_group('account.group_account_manager'))
        arrangement.action_submit()
        self.assertEqual(arrangement.activity_ids, asked, "Asked once is enough")
        with self.assertRaises(AccessError):
            arrangement.with_user(self.users['clerk']).action_approve()
        arrangement.with_user(self.users['manager']).action_approve()
        self.assertRecordValues(arrangement, [{
            'approval_state': 'approved', 'approved_by_id': self.users['manager'].id}])
        self.assertEqual(arrangement.activity_ids.user_id, self.users['clerk'], "He can offer it now")
        arrangement.with_user(self.users['clerk']).action_offer()
        self.assertEqual(arrangement.state, 'offered')
        self.assertFalse(arrangement.activity_ids)

    def test_who_drew_it_up_is_not_the_manager_who_is_asked(self):
        self.company.dunning_arrangement_max_instalments = 2
        for name in ('manager', 'other_manager'):
            arrangement = self.make(self.first if name == 'manager' else self.second, self.users[name])
            arrangement.action_submit()
            self.assertNotEqual(arrangement.activity_ids.user_id, self.users[name])

    # --- cancel and replace ---

    def test_it_is_cancelled_with_a_reason(self):
        arrangement = self.make()
        arrangement.action_offer()
        wizard = self.on(TODAY, self.env['dunning.arrangement.cancel'].browse(
            arrangement.action_ask_cancel()['res_id']))
        with self.assertRaises(UserError):
            wizard.action_apply()
        wizard.write({'why': "Paid at once", 'by_debtor': True})
        wizard.action_apply()
        self.assertRecordValues(arrangement, [{
            'state': 'cancelled', 'close_code': 'by_debtor', 'close_reason': "Paid at once"}])
        with self.assertRaisesRegex(UserError, "ended"):
            arrangement.action_ask_cancel()

    def test_a_new_one_takes_the_place_of_the_old_when_it_runs(self):
        old = self.make(instalment_count=4)
        self.run_through(old)
        form = self.form(old.action_replace())
        self.assertFalse(form.problem)
        self.assertEqual((form.instalment_count, form.previous_id), (4, old))
        form.instalment_count = 2
        new = self.on(TODAY, self.env['dunning.arrangement'].browse(form.save().action_make()['res_id']))
        self.assertEqual(new.previous_id, old)
        self.assertEqual(old.state, 'active')
        self.run_through(new)
        self.assertEqual((old.state, old.replaced_by_id), ('replaced', new))

    # --- how reliable ---

    def test_kept_ratio_by_hand(self):
        """Of a debtor two were kept and one broken; one was cancelled, and one of another debtor was kept."""
        Arrangement = self.env['dunning.arrangement']
        other = self.make_debtor("Other BV")
        clerk = self.users['clerk']
        for partner, state, user in (
            (self.business, 'kept', clerk), (self.business, 'kept', clerk), (self.business, 'broken', None),
            (self.business, 'cancelled', clerk), (other, 'kept', clerk), (other, 'replaced', clerk),
        ):
            self.end(self.make(self.invoice(partner, due=TODAY - days(5)), user), state)
        self.assertEqual(Arrangement._get_kept_ratio(self.business | other, self.company), {
            self.business.id: (2, 3), other.id: (1, 1)})
        contact = self.make_contact(self.business, "Ann")
        self.assertEqual(Arrangement._get_kept_ratio(contact, self.company), {contact.id: (2, 3)})
        self.assertEqual(self.business.dunning_arrangement_text, "2 of 3")
        [(average,)] = Arrangement._read_group(
            [('partner_id', '=', self.business.id), ('state', 'in', ('kept', 'broken'))], [], ['kept_percent:avg'])
        self.assertAlmostEqual(average, 200 / 3)

    def test_history_tells_what_became_of_earlier_agreements(self):
        self.end(self.make(self.first), 'broken')
        promise = self.on(TODAY - days(30), self.env['dunning.promise'])._make(
            self.company, self.business, TODAY - days(20), 100.0, self.items(self.second))
        self.env['dunning.promise']._judge(self.company, TODAY)
        self.assertEqual(promise.state, 'broken')
        history = self.on(TODAY, self.env['dunning.arrangement'])._get_history(self.company, self.business)
        self.assertEqual(history['promises'], (0, 1))
        self.assertEqual(history['arrangements'], (0, 1))
        self.assertEqual((history['open'], history['overdue']), (1050.0, 1000.0))
        self.assertIsNone(history['days_late'])
        self.assertEqual([one['state'] for one in history['earlier']], ['broken'])
        self.env['dunning.behaviour'].sudo().create({
            'company_id': self.company.id, 'partner_id': self.business.id, 'average_days_late': 12.4,
            'trend_days': 6.0, 'refreshed_on': TODAY})
        html = self.open(self.second).history
        for text in ("0 of 1", "12", "getting later", "It ended."):
            self.assertIn(text, html)

    # --- where it is seen ---

    def test_the_debtor_screen_and_the_worklist_show_the_arrangement(self):
        row = self.on(TODAY, self.env['dunning.debtor'].search([('partner_id', '=', self.business.id)]))
        self.assertFalse(row.get_screen(row.id)['arrangement'])
        self.assertFalse(row.arrangement_state)
        arrangement = self.make()
        self.run_through(arrangement)
        self.env.invalidate_all()
        screen = row.get_screen(row.id)
        self.assertEqual(
            (screen['arrangement']['id'], screen['arrangement']['state']), (arrangement.id, 'active'))
        events = [event for event in screen['timeline'] if event['kind'] == 'arrangement']
        self.assertEqual([(event['id'], event['amount']) for event in events], [(arrangement.id, 1000.0)])
        self.assertRecordValues(row, [{
            'arrangement_id': arrangement.id, 'arrangement_state': 'active',
            'instalment_date': arrangement.instalment_ids[0].date_due}])
        Debtor = self.env['dunning.debtor']
        self.assertIn(row, Debtor.search([('arrangement_id', '!=', False)]))
        self.assertNotIn(row, Debtor.search([('arrangement_id', '=', False)]))

    def test_smart_buttons_count_what_they_open(self):
        arrangement = self.make()
        self.run_through(arrangement)
        self.assertEqual((arrangement.move_count, arrangement.hold_count), (2, 2))
        for action in ('action_open_invoices', 'action_open_holds'):
            self.assertTrue(getattr(arrangement.with_user(self.users['readonly']), action)())

    def test_late_ones_are_found(self):
        arrangement = self.make()
        self.run_through(arrangement)
        Arrangement = self.env['dunning.arrangement']
        self.assertNotIn(arrangement, Arrangement.search([('is_late', '=', True)]))
        arrangement.instalment_ids[0]._recording().state = 'late'
        self.assertTrue(arrangement.is_late)
        self.assertIn(arrangement, Arrangement.search([('is_late', '=', True)]))
        self.assertNotIn(arrangement, Arrangement.search([('is_late', '=', False)]))

    # --- rights ---

    def test_sales_and_readers_make_none(self):
        for name in ('sales', 'readonly'):
            for records in (self.business, self.first, self.both):
                with self.subTest(user=name), self.assertRaises(AccessError):
                    records.with_user(self.users[name]).action_dunning_arrangement()

    def test_sales_opens_a_contact_and_sees_nothing_of_arrangements(self):
        self.run_through(self.make())
        partner = self.business.with_user(self.users['sales'])
        with Form(partner) as form:
            form.comment = "Seen"
        names = {name for name in partner.fields_get() if 'arrangement' in name}
        self.assertFalse(names)
        with self.assertRaises(AccessError):
            partner.read(['dunning_arrangement_text'])
        with self.assertRaises(AccessError):
            self.env['dunning.arrangement'].with_user(self.users['sales']).search([])

    def test_readers_open_every_view(self):
        arrangement = self.make()
        self.run_through(arrangement)
        for name in ('readonly', 'clerk', 'manager'):
            user = self.users[name]
            self.assertTrue(Form(self.business.with_user(user)).name)
            self.assertTrue(Form(arrangement.with_user(user)).name)
            self.assertTrue(Form(self.first.with_user(user)).name)

    # --- what others ask ---

    def test_statement_and_export_know_it(self):
        arrangement = self.make(contact_id=self.business)
        self.run_through(arrangement)
        statement = self.on(TODAY, self.business).get_dunning_statement()
        self.assertEqual((statement['arrangements_kept'], statement['arrangements_decided']), (0, 0))
        [told] = statement['arrangements']
        self.assertEqual(
            (told['name'], told['state'], told['amount'], len(told['instalments'])),
            (arrangement.name, 'active', 1000.0, 3))
        rows = self.on(TODAY, self.business).get_dunning_personal_data()
        [row] = [row for row in rows if row['reference'] == arrangement.name]
        self.assertEqual((row['person'], row['amount']), ("A. Debtor", 1000.0))
        self.assertIn('192.0.2.1', row['text'])

    def test_signatures_go_when_they_are_old_and_nothing_is_open(self):
        arrangement = self.make(note="Called twice")
        self.run_through(arrangement)
        self.end(arrangement, 'kept', TODAY)
        Retention = self.env['dunning.retention']
        late = TODAY + timedelta(days=7 * 366)
        self.assertNotIn(arrangement, Retention._find(self.company, late).get('arrangement', arrangement.browse()))
        self.pay(arrangement.item_ids)
        self.assertNotIn(
            arrangement, Retention._find(self.company, TODAY + days(100)).get('arrangement', arrangement.browse()))
        run = Retention._list(self.company, late)
        self.assertEqual(run.arrangement_count, 1)
        run._clean(late)
        self.assertRecordValues(arrangement, [{
            'note': False, 'signed_name': False, 'signed_ip': False, 'state': 'kept', 'amount_total': 1000.0}])
        self.assertEqual(len(arrangement.instalment_ids), 3)
