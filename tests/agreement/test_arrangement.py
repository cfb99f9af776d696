"""The model of arrangements: what it fixes, who may go how far, what it holds, books and interrupts."""

from datetime import date
from decimal import Decimal

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ...models.agreement import dunning_arrangement_limits
from ...tools.law.amounts import to_decimal
from ..common import TODAY, DunningCommon, days

FIRST = TODAY + days(14)
# What may be written: a note, a colleague, and what the ORM keeps itself.
FREE = ('note', 'user_id', 'id', 'create_uid', 'create_date', 'write_uid', 'write_date')


class ArrangementCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ('_store_offer', '_send_offer', '_store_agreement', '_send_agreement'):
            cls.classPatch(cls.registry['dunning.arrangement'], name, lambda self, *args, **kwargs: None)
        cls.first = cls.invoice(due=TODAY - days(60), amount=600.0)
        cls.second = cls.invoice(due=TODAY - days(40), amount=400.0)
        cls.other = cls.invoice(due=TODAY - days(30), amount=70.0)
        cls.both = cls.items(cls.first | cls.second)
        cls.users = {
            name: new_test_user(
                cls.env, f'arrangement_{name}', groups=groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'sales': 'base.group_user,base.group_partner_manager',
                'readonly': 'account.group_account_readonly',
                'clerk': 'account.group_account_invoice',
                'manager': 'account.group_account_manager',
            }.items()
        }

    @classmethod
    def make(cls, items=None, user=None, partner=None, day=TODAY, company=None, **terms):
        items = cls.both if items is None else items
        Arrangement = cls.on(day, cls.env['dunning.arrangement'])
        if user:
            Arrangement = Arrangement.with_user(cls.users[user])
        return Arrangement._make(
            company or cls.company, partner or items.partner_id, items,
            {'with_interest': False, 'with_costs': False, **terms})

    @classmethod
    def sign(cls, arrangement, day=TODAY):
        arrangement._recording().write({
            'state': 'signed', 'signed_name': "A. Debtor", 'signed_on': f'{day} 10:00:00', 'signed_date': day,
            'signed_via': 'portal'})

    @classmethod
    def run_through(cls, arrangement, day=TODAY, signed=TODAY, offered=TODAY):
        """Offer, sign and countersign."""
        arrangement = cls.on(offered, arrangement)
        if arrangement.state == 'draft':
            arrangement.action_offer()
        cls.sign(arrangement, signed)
        arrangement._recording().write({
            'countersigned_by_id': cls.env.uid, 'countersigned_on': f'{day} 11:00:00'})
        cls.on(day, arrangement)._activate()
        return arrangement

    def ledger(self, arrangement):
        """Return what is open on the items of an arrangement (Decimal)."""
        return sum(to_decimal(item.amount_residual_currency) for item in arrangement.line_ids.move_line_id)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangement(ArrangementCommon):

    # --- drawing up ---

    def test_a_draft_says_what_is_owed_and_when_it_is_paid(self):
        arrangement = self.make(with_interest=True, with_costs=True, instalment_count=4, day_of_month=31)
        claim = self.env['dunning.claim']._compute(self.both, TODAY)
        self.assertRecordValues(arrangement, [{
            'state': 'draft', 'partner_id': self.business.id, 'claim_date': TODAY,
            'amount_principal': 1000.0, 'amount_interest': float(claim.interest), 'amount_costs': float(claim.costs),
            'amount_total': float(claim.total), 'amount_left': float(claim.total), 'amount_paid': 0.0,
            'date_last': date(2025, 6, 30), 'next_date': date(2025, 3, 31), 'approval_state': 'not_needed'}])
        self.assertGreater(claim.interest, 0)
        self.assertGreater(claim.costs, 0)
        self.assertEqual(arrangement.line_ids.move_line_id, self.both)
        self.assertAlmostEqual(sum(arrangement.line_ids.mapped('amount_total')), arrangement.amount_total)
        self.assertEqual(
            arrangement.instalment_ids.mapped('date_due'),
            [date(2025, 3, 31), date(2025, 4, 30), date(2025, 6, 2), date(2025, 6, 30)])
        self.assertAlmostEqual(sum(arrangement.instalment_ids.mapped('amount')), arrangement.amount_total)
        # Grace is counted in days on which banks settle: 1 and 5 May are none.
        self.assertEqual(arrangement.instalment_ids[1].grace_date, date(2025, 5, 7))
        self.assertTrue(arrangement.name)

    def test_a_preview_is_what_is_made_and_writes_nothing(self):
        count = self.env['dunning.arrangement'].search_count([])
        terms = {'with_interest': True, 'with_costs': True, 'calculate': 'amount', 'instalment_amount': 130.0,
                 'down_payment': 100.0, 'period': 'fortnight'}
        shown = self.env['dunning.arrangement']._preview(self.company, self.business, self.both, terms, TODAY)
        self.assertEqual(self.env['dunning.arrangement'].search_count([]), count)
        made = self.make(**terms)
        self.assertEqual(
            [(part['date_due'], part['amount'], part['kind']) for part in shown['instalments']],
            [(part.date_due, part.amount, part.kind) for part in made.instalment_ids])
        self.assertEqual(shown['amount_total'], made.amount_total)
        self.assertEqual(shown['claim_data'], made.claim_data)

    def test_interest_and_costs_can_be_left_out(self):
        self.assertEqual(self.make().amount_total, 1000.0)
        self.assertEqual(self.make(with_interest=True).amount_costs, 0.0)
        self.assertEqual(self.make(with_costs=True).amount_interest, 0.0)

    def test_a_consumer_owes_no_costs_before_the_fourteen_day_letter(self):
        """Article 6:96 paragraph 6 BW; and it is free of charge, so that it is no credit (7:58 BW)."""
        consumer = self.make_debtor("Piet", consumer=True)
        items = self.items(self.invoice(consumer, due=TODAY - days(60), amount=500.0))
        arrangement = self.make(items, with_interest=True, with_costs=True)
        self.assertEqual(arrangement.amount_costs, 0.0)
        self.assertEqual((arrangement.interest_mode, arrangement.approval_state), ('none', 'not_needed'))
        arrangement.interest_mode = 'runs'
        self.assertEqual(arrangement.approval_state, 'needed')

    def test_terms_that_do_not_fit_are_explained(self):
        for wrong in (
            {'instalment_count': 0}, {'instalment_count': 121}, {'instalment_count': -1},
            {'calculate': 'amount'}, {'calculate': 'amount', 'instalment_amount': -5.0},
            {'calculate': 'amount', 'instalment_amount': 0.01},
            {'down_payment': 1000.0}, {'down_payment': -1.0}, {'down_payment': 10.0, 'down_payment_date': FIRST},
            {'down_payment': 10.0, 'down_payment_date': TODAY - days(1)},
            {'date_first': TODAY - days(1)}, {'date_first': False}, {'day_of_month': 32},
        ):
            with self.subTest(**wrong), self.assertRaises(UserError):
                self.make(**wrong)
        self.assertFalse(self.env['dunning.arrangement'].search([('partner_id', '=', self.business.id)]))

    def test_what_it_can_be_about(self):
        stranger = self.items(self.invoice(self.make_debtor("Vreemd BV")))
        paid = self.items(self.invoice())
        self.pay(paid)
        dollar = self.items(self.invoice(currency=self.env.ref('base.USD')))
        draft = self.invoice(post=False, sent=False).line_ids
        disputed = self.items(self.other)
        self.on(TODAY, self.env['dunning.hold']).create({
            'move_line_id': disputed.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id,
            'date_end': TODAY + days(10)})
        for items in (self.both | stranger, stranger, paid, self.both | dollar, draft, disputed):
            with self.subTest(items=items), self.assertRaises(UserError):
                self.make(items, partner=self.business)
        with self.assertRaises(UserError):
            self.make(self.both.browse(), partner=self.make_debtor("Niets BV"))
        self.assertEqual(self.make(dollar).currency_id.name, 'USD')

    def test_who_signs_belongs_to_the_debtor(self):
        arrangement = self.make()
        arrangement.contact_id = self.make_contact(self.business, "Anna")
        with self.assertRaises(ValidationError):
            arrangement.contact_id = self.make_debtor("Vreemd BV")

    # --- nobody writes what was agreed ---

    def test_what_was_agreed_is_written_by_nobody(self):
        arrangement = self.run_through(self.make())
        line, part = arrangement.line_ids[0], arrangement.instalment_ids[0]
        Arrangement, Line, Part = (self.env[name] for name in (
            'dunning.arrangement', 'dunning.arrangement.line', 'dunning.arrangement.instalment'))
        for user in ('sales', 'readonly', 'clerk', 'manager', None):
            # sudo: the superuser of an automation is no exception
            env = self.env(user=self.users[user]) if user else self.env(su=True)
            with self.subTest(user=user):
                for name in sorted(Arrangement._fields):
                    field = Arrangement._fields[name]
                    if field.store and name not in FREE and not name.startswith(
                            ('activity', 'message', 'my_activity', 'website_message', 'rating', 'has_message')):
                        with self.assertRaises(UserError, msg=name):
                            arrangement.with_env(env).write({name: False})
                for record in (line.with_env(env), part.with_env(env)):
                    for values in ({'amount': 1.0} if record._name == part._name else {'amount_principal': 1.0},
                                   {'arrangement_id': arrangement.id}):
                        with self.assertRaises(UserError):
                            record.write(values)
                    with self.assertRaises(UserError):
                        record.unlink()
                    with self.assertRaises(UserError):
                        record.copy()
                for model, values in (
                    (Arrangement, {'partner_id': self.business.id}), (Line, {'arrangement_id': arrangement.id}),
                    (Part, {'arrangement_id': arrangement.id, 'amount': 1.0, 'date_due': FIRST}),
                ):
                    with self.assertRaises(UserError):
                        model.with_env(env).create(values)
                for values in ({'line_ids': [Command.clear()]}, {'instalment_ids': [Command.clear()]}):
                    with self.assertRaises(UserError):
                        arrangement.with_env(env).write(values)
                with self.assertRaises(UserError):
                    arrangement.with_env(env).unlink()
                with self.assertRaises(UserError):
                    arrangement.with_env(env).copy()

    def test_the_context_of_a_browser_opens_nothing(self):
        arrangement = self.make()
        for value in (True, 1, 'RECORDING', {}, object()):
            with self.assertRaises(UserError):
                arrangement.with_context(dunning_recording=value).state = 'active'

    def test_a_draft_follows_its_terms_and_nothing_else(self):
        arrangement = self.make(user='clerk')
        arrangement.write({'instalment_count': 5, 'day_of_month': 15})
        self.assertEqual(len(arrangement.instalment_ids), 5)
        arrangement.write({'calculate': 'amount', 'instalment_amount': 300.0})
        self.assertEqual(arrangement.instalment_ids.mapped('amount'), [300.0, 300.0, 300.0, 100.0])
        for values in ({'state': 'offered'}, {'amount_total': 1.0}, {'approval_state': 'approved'},
                       {'partner_id': self.make_debtor("Vreemd BV").id}, {'access_token': 'x'}, {'known': {}},
                       {'author_id': self.users['manager'].id}, {'line_ids': [Command.clear()]}):
            with self.subTest(**values), self.assertRaises(UserError):
                arrangement.write(values)
        for records in (arrangement.line_ids, arrangement.instalment_ids):
            with self.assertRaises(UserError):
                records[0].unlink()
        arrangement.unlink()
        self.assertFalse(arrangement.exists())
        self.assertFalse(self.env['dunning.arrangement.line'].search([('move_line_id', 'in', self.both.ids)]))

    def test_terms_are_fixed_by_the_offer(self):
        arrangement = self.make()
        arrangement.action_offer()
        for values in ({'instalment_count': 5}, {'valid_until': FIRST}, {'lang': 'en_US'}, {'interest_mode': 'runs'}):
            with self.assertRaises(UserError):
                arrangement.write(values)
        arrangement.note = "Called."
        with self.assertRaises(UserError):
            arrangement.unlink()
        arrangement._cancel("A mistake.")
        with self.assertRaises(UserError):
            arrangement.unlink()

    # --- states ---

    def test_states_come_one_after_the_other(self):
        arrangement = self.make()
        with self.assertRaises(UserError):
            arrangement._activate()
        arrangement.action_offer()
        self.assertEqual(arrangement.state, 'offered')
        with self.assertRaises(UserError):
            arrangement.action_offer()
        with self.assertRaises(UserError):
            arrangement._activate()
        self.sign(arrangement)
        with self.assertRaises(UserError):
            arrangement._activate()  # not countersigned
        arrangement = self.run_through(arrangement)
        self.assertEqual((arrangement.state, arrangement.activated_on), ('active', TODAY))
        with self.assertRaises(UserError):
            arrangement._activate()
        with self.assertRaises(UserError):
            arrangement._cancel("  ")
        arrangement._cancel("We agreed otherwise.")
        self.assertRecordValues(arrangement, [{
            'state': 'cancelled', 'close_code': 'withdrawn', 'closed_on': TODAY,
            'close_reason': "We agreed otherwise."}])
        for again in (arrangement.action_offer, arrangement._activate, lambda: arrangement._cancel("Again.")):
            with self.assertRaises(UserError):
                again()
        arrangement._close('kept', 'paid', "Paid.")
        self.assertEqual(arrangement.state, 'cancelled')

    def test_an_offer_that_would_have_expired(self):
        arrangement = self.make(valid_until=TODAY - days(1))
        with self.assertRaises(UserError):
            arrangement.action_offer()
        # After the first payment nobody can sign it any more: it would be late at once.
        arrangement.valid_until = FIRST + days(30)
        arrangement.action_offer()
        self.assertEqual(arrangement.valid_until, FIRST)

    def test_an_offer_is_of_the_debt_of_its_day(self):
        arrangement = self.make()
        self.pay(self.first, 250.0)
        arrangement.action_offer()
        self.assertEqual(arrangement.amount_total, 750.0)
        self.assertAlmostEqual(sum(arrangement.instalment_ids.mapped('amount')), 750.0)
        self.assertEqual(arrangement.line_ids.mapped('amount_principal'), [350.0, 400.0])

    def test_making_and_offering_at_once_works_the_debt_out_once(self):
        asked, Claim = [], self.registry['dunning.claim']
        compute = Claim._compute
        self.patch(Claim, '_compute', lambda *args, **terms: asked.append(args) or compute(*args, **terms))
        arrangement = self.on(TODAY, self.env['dunning.arrangement'])._make_and_offer(
            self.company, self.business, self.both, {'with_costs': False}, note="At once")
        self.assertEqual(len(asked), 1)
        self.assertRecordValues(arrangement, [{
            'state': 'offered', 'note': "At once", 'claim_date': TODAY, 'offered_by_id': self.env.uid}])
        self.assertTrue(arrangement.sudo().access_token)
        self.assertTrue(all(arrangement.line_ids.mapped('is_live')))
        self.assertEqual(arrangement.hold_ids.move_line_id, self.both)
        # One that lay there is of its day again, whatever changed: the ledger, or what is waived.
        arrangement._cancel("Other terms.")
        draft = self.make(with_interest=True)
        before = draft.amount_total
        self.on(TODAY, self.env['dunning.waiver']).create({
            'item_id': self.both[0].id, 'amount_interest': 1.0, 'reason': "A gesture"})
        draft.action_offer()
        self.assertAlmostEqual(draft.amount_total, before - 1.0)

    def test_beyond_the_limits_nothing_is_offered_at_once(self):
        self.company.dunning_arrangement_max_instalments = 2
        arrangement = self.on(TODAY, self.env['dunning.arrangement']).with_user(self.users['clerk'])._make_and_offer(
            self.company, self.business, self.both, {'instalment_count': 3})
        self.assertRecordValues(arrangement, [{'state': 'draft', 'approval_state': 'needed'}])
        self.assertTrue(arrangement.activity_ids)
        self.assertFalse(arrangement.hold_ids)

    def test_what_was_paid_or_disputed_meanwhile_is_not_offered(self):
        paid, disputed = self.make(self.items(self.first)), self.make(self.items(self.second))
        self.pay(self.first)
        self.on(TODAY, self.env['dunning.hold']).create({
            'move_line_id': self.items(self.second).id, 'date_end': TODAY + days(10),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
        for arrangement in (paid, disputed):
            with self.assertRaises(UserError):
                arrangement.action_offer()
            self.assertEqual(arrangement.state, 'draft')

    def test_longer_than_a_hold_can_last(self):
        arrangement = self.make(instalment_count=60)
        self.company.dunning_arrangement_max_instalments = 0
        self.patch(dunning_arrangement_limits, 'LONGEST_DAYS', 4000)
        with self.assertRaises(UserError) as caught:
            arrangement.action_offer()
        self.assertIn("hold", str(caught.exception))

    # --- one at a time ---

    def test_an_item_is_in_one_arrangement_at_a_time(self):
        one, two = self.make(), self.make(self.items(self.first))
        one.action_offer()
        with self.assertRaises(UserError):
            two.action_offer()
        with self.assertRaises(UserError):
            self.make(self.items(self.second))
        self.make(self.items(self.other))
        one._cancel("Turned down.")
        two.action_offer()
        self.assertEqual(two.state, 'offered')

    @mute_logger('odoo.sql_db')
    def test_the_database_itself_refuses_a_second(self):
        one, two = self.make(), self.make(self.items(self.first))
        one.action_offer()
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            try:
                two.line_ids._recording().write({'is_live': True})
                self.env.flush_all()
            except Exception as error:
                # What the web client is told.
                raise ValidationError(str(error)) from error
        self.assertNotIn(True, two.line_ids.mapped('is_live'))

    def test_a_new_one_takes_the_place(self):
        old = self.run_through(self.make())
        items = self.both | self.items(self.other)
        Arrangement = self.on(TODAY, self.env['dunning.arrangement'])
        new = Arrangement._make(
            self.company, self.business, items, {'with_interest': False, 'with_costs': False}, previous=old)
        new.action_offer()
        self.assertEqual((old.state, new.state), ('active', 'offered'))
        # What it adds is its own already; what it takes over stays with the one that runs.
        self.assertEqual(new.line_ids.filtered('is_live').move_line_id, self.items(self.other))
        with self.assertRaises(UserError):
            self.make(self.items(self.other))
        self.run_through(new)
        self.assertEqual((old.state, old.close_code, old.replaced_by_id, new.state), (
            'replaced', 'replaced', new, 'active'))
        self.assertFalse(old.hold_ids.filtered(lambda hold: not hold.closed_on))
        self.assertEqual(new.hold_ids.filtered(lambda hold: not hold.closed_on).move_line_id, items)

    def test_a_new_one_takes_over_from_the_one_it_replaces_only(self):
        old = self.run_through(self.make())
        third = self.make(self.items(self.other))
        self.on(TODAY, third).action_offer()
        terms = {'with_interest': False, 'with_costs': False}
        Arrangement, items = self.on(TODAY, self.env['dunning.arrangement']), self.both | self.items(self.other)
        for make in (Arrangement._preview, Arrangement._make):
            with self.assertRaisesRegex(UserError, third.name):
                make(self.company, self.business, items, terms, previous=old)
            self.assertTrue(make(self.company, self.business, self.both, terms, previous=old))

    # --- limits ---

    def test_above_the_limits_a_colleague_approves(self):
        self.company.write({'dunning_arrangement_max_instalments': 6, 'dunning_arrangement_max_amount': 1000.0})
        within = self.make(user='clerk', instalment_count=6)
        self.assertEqual(within.approval_state, 'not_needed')
        with self.assertRaises(UserError):
            within.with_user(self.users['manager']).action_approve()
        for terms in ({'instalment_count': 7}, {'with_costs': True}, {'instalment_count': 3, 'date_first': TODAY + days(
                330)}):
            arrangement = self.make(user='clerk', **terms)
            with self.subTest(**terms):
                self.assertEqual(arrangement.approval_state, 'needed', terms)
                self.assertTrue(arrangement.approval_reason)
                with self.assertRaises(UserError):
                    arrangement.action_offer()
                with self.assertRaises(AccessError):
                    arrangement.action_approve()
                arrangement.with_user(self.users['manager']).action_approve()
                self.assertRecordValues(arrangement, [{
                    'approval_state': 'approved', 'approved_by_id': self.users['manager'].id}])
        arrangement.action_offer()
        self.assertEqual(arrangement.state, 'offered')

    def test_nobody_approves_his_own(self):
        self.company.dunning_arrangement_max_instalments = 3
        arrangement = self.make(user='manager', instalment_count=4)
        with self.assertRaises(UserError):
            arrangement.action_approve()
        self.assertFalse(arrangement.may_approve)
        # Whoever changed the terms drew them up.
        arrangement = self.make(user='clerk', instalment_count=4)
        mine = arrangement.with_user(self.users['manager'])
        self.assertTrue(mine.may_approve)
        mine.instalment_count = 5
        with self.assertRaises(UserError):
            mine.action_approve()

    def test_an_approval_is_of_these_terms(self):
        self.company.dunning_arrangement_max_instalments = 3
        arrangement = self.make(user='clerk', instalment_count=4, with_interest=True)
        approving = arrangement.with_user(self.users['manager'])
        approving.action_approve()
        arrangement.instalment_count = 5
        self.assertRecordValues(arrangement, [{
            'approval_state': 'needed', 'approved_by_id': False, 'approved_on': False}])
        approving.action_approve()
        # Nor does a day of interest, or the language of who offers, need another approval.
        self.on(TODAY + days(2), arrangement.with_user(self.users['clerk'])).action_offer()
        self.assertEqual((arrangement.state, arrangement.approval_state), ('offered', 'approved'))

    def test_limits_are_in_the_currency_of_the_company(self):
        self.company.dunning_arrangement_max_amount = 1000.0
        dollar = self.env.ref('base.USD')
        self.env['res.currency.rate'].create({
            'name': TODAY - days(100), 'currency_id': dollar.id, 'rate': 2.0, 'company_id': self.company.id})
        for amount, state in ((1900.0, 'not_needed'), (2100.0, 'needed')):
            items = self.items(self.invoice(amount=amount, currency=dollar))
            self.assertEqual(self.make(items).approval_state, state)

    # --- running: holds, prescription, notices ---

    def test_it_holds_exactly_its_items_until_the_last_grace(self):
        notices = self.make_notices(TODAY)
        self.assertEqual(set(notices.mapped('state')), {'draft'})
        arrangement = self.run_through(self.make())
        end = arrangement._get_hold_end()
        self.assertGreaterEqual(end, arrangement.instalment_ids[-1].grace_date)
        self.assertRecordValues(arrangement.hold_ids.sorted('date_maturity'), [
            {'kind': 'arrangement', 'scope': 'item', 'move_line_id': item.id, 'date_end': end} for item in self.both])
        for move in (self.first, self.second):
            self.assertEqual(self.reason(move, TODAY), 'hold')
            self.assertEqual(self.reason(move, end), 'hold')
        self.assertNotEqual(self.reason(self.other, TODAY), 'hold')
        # What waited to be sent is taken back, as far as it is about these.
        waiting = self.notices_of(self.first | self.second).filtered(lambda notice: notice.state == 'draft')
        self.assertFalse(waiting.live_line_ids.move_line_id & self.both)
        arrangement._cancel("We agreed otherwise.")
        self.assertFalse(arrangement.hold_ids.filtered(lambda hold: not hold.closed_on))
        self.assertEqual(self.reason(self.first, TODAY), 'hold_ended')

    def test_the_short_hold_of_a_call_ends(self):
        reason = self.env.ref('l10n_nl_dunning.hold_reason_arrangement')
        Hold = self.on(TODAY, self.env['dunning.hold'])
        short, another = (Hold.create({
            'move_line_id': self.items(move).id, 'reason_id': reason.id, 'date_end': TODAY + days(14)})
            for move in (self.first, self.other))
        self.run_through(self.make())
        self.assertTrue(short.closed_on)
        self.assertFalse(another.closed_on)

    def test_the_signature_interrupts_prescription_of_exactly_its_items(self):
        """Article 3:318 BW: from the day the debtor acknowledged, not from that on which we signed."""
        before = {item: item.dunning_prescription_date for item in self.both | self.items(self.other)}
        arrangement = self.run_through(self.make(), day=TODAY + days(5), signed=TODAY + days(1))
        self.assertRecordValues(arrangement.interruption_id, [{
            'kind': 'recognition', 'scope': 'items', 'date': TODAY + days(1), 'partner_id': self.business.id}])
        self.assertEqual(arrangement.interruption_id.item_ids, self.both)
        for item in self.both:
            self.assertGreater(item.dunning_prescription_date, before[item])
            self.assertEqual(item.dunning_prescription_date, date(2030, 3, 4))
        self.assertEqual(self.items(self.other).dunning_prescription_date, before[self.items(self.other)])

    # --- interest and costs in the books ---

    def use_booking(self):
        """Let letters ask interest and costs, and book them."""
        policy = self.make_policy("Books", [
            {'name': "Demand", 'delay_days': 10, 'payment_term_days': 7, 'with_interest': True, 'with_costs': True},
            {'name': "Final demand", 'delay_days': 30, 'payment_term_days': 7},
        ], debtor_type='business', claim_booking='booked')
        self.company.dunning_policy_business_id = policy

    def test_what_is_agreed_is_in_the_ledger_to_the_cent(self):
        arrangement = self.run_through(self.make(with_interest=True, with_costs=True))
        booking = arrangement.booking_move_id
        self.assertRecordValues(booking, [{
            'state': 'posted', 'move_type': 'out_invoice', 'partner_id': self.business.id, 'amount_tax': 0.0,
            'amount_total': arrangement.amount_interest + arrangement.amount_costs}])
        self.assertEqual(self.ledger(arrangement), to_decimal(arrangement.amount_total))
        self.assertIn(self.items(booking), arrangement.item_ids)
        self.assertEqual(self.reason(booking), 'hold')
        # The claim counts it once, also when a part is paid on the day itself or later.
        for paid in (Decimal(0), Decimal(100), Decimal(100)):
            if paid:
                self.pay(self.first, float(paid))
            claim, = self.env['dunning.claim']._compute_debtor(
                self.business, TODAY, items=arrangement.item_ids, reduce=False)
            self.assertEqual(claim.total, self.ledger(arrangement))

    def test_a_payment_of_an_earlier_day_takes_nothing_along_of_what_both_signed(self):
        """The page, the mail and the claim ask what the ledger says, until it is credited."""
        for credited in (False, True):
            with self.subTest(credited=credited), self.env.cr.savepoint() as savepoint:
                arrangement = self.run_through(self.make(with_interest=True, with_costs=True))
                self.pay(self.first, 500.0, on=TODAY - days(1))
                if credited:
                    credit = self.credit_note(amount=200.0, on=TODAY)
                    (self.items(self.second) | self.items(credit)).reconcile()
                arrangement = self.on(TODAY + days(1), arrangement)
                arrangement._break('missed', "An instalment did not come.", None, TODAY + days(1))
                opened = self.ledger(arrangement)
                page = self.on(TODAY + days(1), self.business)._get_dunning_page(self.company)
                due = page._get_payable('due').amount - self.other.amount_residual
                self.assertGreaterEqual(to_decimal(due), opened)
                self.assertLess(to_decimal(due) - opened, 1, "A day of interest more")
                self.assertAlmostEqual(arrangement._get_claim_left(), due)
                Claim = self.env['dunning.claim']
                claim = Claim._compute(Claim._replace_bookings(arrangement.item_ids), TODAY + days(1))
                self.assertIn("both sides signed", str(
                    Claim._prepare_specification(claim.to_json(), self.business, self.company)))
                savepoint.rollback()

    def test_what_both_signed_is_not_asked_beside_the_instalments(self):
        """While it runs, neither its invoices nor their interest and costs are due at once, on page or worklist."""
        arrangement = self.run_through(self.make(with_interest=True, with_costs=True))
        self.assertTrue(arrangement.booking_move_id)
        self.pay(self.first, 500.0, on=TODAY)
        on = TODAY + days(1)
        page = self.on(on, self.business)._get_dunning_page(self.company)
        self.assertEqual(page._get_payable('due').amount, self.other.amount_residual)
        held = self.items(self.first | self.second)
        for claim in self.on(on, self.env['dunning.claim'])._compute_debtor(self.business, on):
            self.assertEqual({item.total for item in claim.items if item.item_id in held.ids}, {0})

    def test_nothing_on_top_is_nothing_to_book(self):
        self.assertFalse(self.run_through(self.make()).booking_move_id)

    def test_what_a_notice_booked_is_not_booked_again(self):
        self.use_booking()
        both = self.dun(TODAY)
        bookings = both.booking_ids
        self.assertTrue(bookings)
        # They go together: it books for the third invoice as well.
        with self.assertRaises(UserError) as caught:
            self.make(with_interest=True, with_costs=True)
        self.assertIn(self.other.name, str(caught.exception))
        items = self.both | self.items(self.other)
        later = TODAY + days(10)
        arrangement = self.make(items, with_interest=True, with_costs=True, day=later)
        self.assertEqual(arrangement.item_ids, items | self.items(bookings))
        arrangement = self.on(later, arrangement)
        arrangement.action_offer()
        self.sign(arrangement, later)
        # Money that comes in before we sign is no reason to book again what it paid.
        self.pay(bookings, 20.0, on=later)
        arrangement._recording().write({'countersigned_on': f'{later} 11:00:00'})
        arrangement._activate()
        self.assertEqual(self.ledger(arrangement) + 20, to_decimal(arrangement.amount_total))
        # Only the interest of ten days came on top.
        self.assertLess(arrangement.booking_move_id.amount_total, 10.0)

    def test_what_was_booked_for_a_paid_invoice_is_part_of_it(self):
        self.use_booking()
        bookings = self.dun(TODAY).booking_ids
        later = TODAY + days(2)
        self.pay(self.other, on=later)
        arrangement = self.run_through(
            self.make(day=later, with_interest=True, with_costs=True), day=later, signed=later, offered=later)
        of_two_days = self.items(arrangement.booking_move_id)
        self.assertEqual(arrangement.item_ids - of_two_days, self.both | self.items(bookings))
        self.assertEqual(self.ledger(arrangement), to_decimal(arrangement.amount_total))
        self.assertAlmostEqual(sum(arrangement.line_ids.mapped('amount_total')), arrangement.amount_total)

    def test_a_booking_is_credited_not_unposted(self):
        arrangement = self.run_through(self.make(with_interest=True, with_costs=True))
        with self.assertRaises(UserError):
            arrangement.booking_move_id.button_draft()
        with self.assertRaises(UserError):
            arrangement.booking_move_id.button_cancel()

    def test_locked_books_say_so(self):
        self.company.sudo().fiscalyear_lock_date = TODAY + days(1)
        arrangement = self.make(with_interest=True, with_costs=True)
        with self.assertRaises(UserError) as caught:
            self.run_through(arrangement)
        self.assertIn("locked", str(caught.exception))

    # --- companies ---

    def test_companies_are_apart(self):
        other = self.setup_other_company(name="Elders BV")['company']
        own = self.make()
        stranger = new_test_user(
            self.env, 'arrangement_elsewhere', groups='account.group_account_manager', company_id=other.id,
            company_ids=[Command.set(other.ids)])
        for record in (own, own.line_ids, own.instalment_ids):
            self.assertFalse(record.with_user(stranger).search([('id', 'in', record.ids)]))
            with self.assertRaises(AccessError):
                record.with_user(stranger)[:1].read(['company_id'])
        with self.assertRaises(UserError):
            self.make(partner=self.business, company=other)

    def test_who_reads_and_who_works(self):
        arrangement = self.make(user='clerk')
        arrangement.with_user(self.users['readonly']).read(['story'])
        for user in ('readonly', 'sales'):
            with self.assertRaises(AccessError):
                arrangement.with_user(self.users[user]).action_offer()
            with self.assertRaises(AccessError):
                self.make(self.items(self.other), user=user)
        with self.assertRaises(AccessError):
            arrangement.with_user(self.users['sales']).read(['story'])
