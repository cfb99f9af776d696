"""The claim: what a debtor owes on a day, to the cent, and every screen and paper says the same."""

from datetime import date
from decimal import Decimal as D

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ...models.kernel.formats import letter_amount
from ...tools.law.amounts import share, to_decimal
from ...tools.law.collection_costs import scale_steps
from ...tools.law.statutory_interest import RateTable
from ..common import TODAY, DunningCommon, days
from ..law_oracle import CALM, Walk, cents

DUE = date(2024, 12, 31)
#: The rates of the stories, so that a correction of the real ones changes no story.
COMMERCIAL = ((date(2020, 1, 1), D('10')), (date(2025, 1, 1), D('12')), (date(2025, 7, 1), D('11')))
CONSUMER = ((date(2020, 1, 1), D('5')), (date(2025, 1, 1), D('6')), (date(2026, 1, 1), D('4')))


class ClaimCommon(DunningCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consumer = cls.make_debtor("Jan Jansen", consumer=True)
        cls.government = cls.make_debtor("Gemeente Ergens", dunning_debtor_type='government')
        cls.company.write({'dunning_term_agreed_consumer': True, 'dunning_term_agreed_business': True})
        cls.classPatch(
            cls.registry['dunning.interest.rate'], '_get_table',
            lambda self, kind: RateTable(CONSUMER if kind == 'consumer' else COMMERCIAL))
        cls.Claim = cls.env['dunning.claim'].with_company(cls.company)
        cls.rungs = cls.make_policy("Rungs", [{'name': f"Rung {number}"} for number in range(4)])

    def claim(self, moves, at_date=TODAY, **kwargs):
        """Return the claim of the due items of moves, after checking what must hold of every claim."""
        items = moves if moves._name == 'account.move.line' else self.items(moves)
        claim = self.Claim._compute(items, at_date, **kwargs)
        self.assertClaim(claim)
        return claim

    def assertClaim(self, claim):
        for entry in claim.items:
            self.assertEqual(entry.total, entry.open - entry.reduction + entry.interest + entry.costs)
            overpaid = entry.account.overpaid if entry.account else 0
            self.assertEqual(entry.left.total - overpaid, entry.total, "The order of the law divides the same total")
        self.assertEqual(claim.total, sum(entry.total for entry in claim.items))

    def told(self, moves, on, *, interest=0.0, costs=0.0, announced=0.0, role=False, deadline=None, costs_from=None,
             state='sent', freeze=False):
        """Return a notice about invoices as it left; amounts are dealt out over its items in equal parts."""
        items = self.items(moves)
        unknown = role == 'fourteen_day' and not costs_from
        received = costs_from - days(15) if costs_from else not unknown and on + days(1)
        # sudo: nobody may write evidence but the code that knows what happened
        notice = self.env['dunning.notice'].sudo()._recording().create({
            'company_id': self.company.id, 'partner_id': moves.commercial_partner_id.id,
            'recipient_id': moves.commercial_partner_id.id, 'currency_id': moves.currency_id.id,
            'level_id': self._next_level(items).id, 'channel': 'email', 'state': state, 'date_planned': on, 'date': on,
            'deadline': deadline or on + days(7), 'legal_role': role, 'costs_from': costs_from,
            'receipt_date': received, 'postal_state': 'printed' if unknown else 'posted',
            'posted_on': not unknown and on,
            'debtor_type': moves.commercial_partner_id.dunning_effective_type,
            'receipt_ids': [] if unknown else [Command.create({
                'kind': 'registered', 'date': received, 'proof': b'cHJvb2Y=', 'proof_filename': 'proof.pdf'})],
            'line_ids': [
                Command.create({
                    'move_line_id': item.id, 'move_id': item.move_id.id, 'date_maturity': item.date_maturity,
                    'name': item.move_id.name, 'amount_original': item.amount_currency,
                    'amount_residual': item.amount_residual,
                    'amount_interest': interest / len(items), 'amount_costs': costs / len(items),
                    'amount_announced': announced / len(items)})
                for item in items],
        })
        self.env.flush_all()
        return notice.sudo(False)

    def _next_level(self, items):
        """Return a level at which the items had no notice yet."""
        told = self.env['dunning.notice.line'].search([('move_line_id', 'in', items.ids)])
        return (self.rungs.level_ids - told.level_id)[:1]

    def letter(self, moves, on, announced, *, runs=17):
        """Return a 14-day letter whose term runs out ``runs`` days after it left."""
        return self.told(
            moves, on, role='fourteen_day', announced=announced, deadline=on + days(runs),
            costs_from=on + days(runs + 1))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimInterest(ClaimCommon):
    def test_a_business_owes_interest_from_the_day_after_the_due_date(self):
        """1,000 from 1 January: 62 days × 12% = 20.3836."""
        claim = self.claim(self.invoice(due=DUE, amount=1000.0), with_costs=False)
        self.assertEqual((claim.principal, claim.interest, claim.costs, claim.total), (
            1000, D('20.38'), 0, D('1020.38')))
        [item] = claim.items
        self.assertEqual((item.interest_from, item.interest_why), (date(2025, 1, 1), 'term'))
        self.assertEqual([(s.days, s.rate) for s in item.account.segments], [(62, 12)])
        # 1,000 × 12% / 365
        self.assertEqual(claim.per_day, D('0.328767'))

    def test_a_rate_change_splits_the_period(self):
        """Due 30 November 2024: 31 days × 10% = 8.4932; 62 days × 12% = 20.3836."""
        claim = self.claim(self.invoice(due=date(2024, 11, 30), amount=1000.0), with_costs=False)
        self.assertEqual([s.amount for s in claim.items[0].account.segments], [D('8.49'), D('20.38')])
        self.assertEqual(claim.interest, D('28.87'))

    def test_a_year_of_interest_bears_interest(self):
        """1,000 from 1 January 2023: 100.00 of 2023 joins; 1,100 × 10% × 366/365 = 110.3014; then 62 days over 1,210.30
        at 12% = 24.6703."""
        claim = self.claim(self.invoice(due=date(2022, 12, 31), amount=1000.0), with_costs=False)
        self.assertEqual(
            [(s.principal, s.amount) for s in claim.items[0].account.segments],
            [(1000, 100), (1100, D('110.30')), (D('1210.30'), D('24.67'))])

    def test_not_due_bears_nothing(self):
        claim = self.claim(self.invoice(due=TODAY, amount=1000.0))
        self.assertEqual((claim.interest, claim.costs, claim.total), (0, 0, 1000))
        claim = self.claim(self.invoice(due=TODAY - days(1), amount=1000.0), with_costs=False)
        self.assertEqual(claim.interest, D('0.33'))

    def test_a_business_without_an_agreed_term_gets_thirty_days_after_receipt(self):
        """Invoice of Sunday 1 December 2024: delivered on the third postal day, Thursday 5 December."""
        self.company.dunning_term_agreed_business = False
        invoice = self.invoice(due=date(2024, 12, 31), amount=1000.0)
        [item] = self.claim(invoice).items
        self.assertEqual(item.interest_why, 'receipt')
        self.assertEqual(item.interest_basis['received'], date(2024, 12, 5))
        self.assertEqual(item.interest_from, date(2025, 1, 5))
        self.assertEqual(self.claim(invoice, date(2025, 1, 4)).costs, 0, "Costs begin with the default as well")
        self.assertEqual(self.claim(invoice, date(2025, 1, 5)).costs, 150)
        self.business.dunning_term_agreed = 'yes'
        self.assertEqual(self.claim(invoice).items[0].interest_from, date(2025, 1, 1))

    def test_a_consumer_without_an_agreed_term_owes_interest_only_after_a_notice_of_default(self):
        self.company.dunning_term_agreed_consumer = False
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        claim = self.claim(invoice)
        self.assertEqual((claim.interest, claim.items[0].interest_why), (0, 'no_default'))
        notice = self.told(invoice, date(2025, 1, 20), role='default_notice', deadline=date(2025, 2, 3))
        # 1,000 × 6% × 28 / 365 = 4.6027
        claim = self.claim(invoice)
        self.assertEqual((claim.interest, claim.items[0].interest_from), (D('4.60'), date(2025, 2, 4)))
        self.assertEqual(self.claim(invoice, date(2025, 2, 3)).interest, 0)
        self.assertEqual(self.claim(invoice, date(2025, 1, 19)).items[0].interest_why, 'no_default')
        notice._recording().write({'state': 'undelivered'})
        self.assertEqual(self.claim(invoice).interest, 0, "What did not arrive puts nobody in default")

    def test_the_government_owes_commercial_interest(self):
        claim = self.claim(self.invoice(self.government, due=DUE, amount=1000.0))
        self.assertEqual((claim.interest, claim.costs, claim.rate_kind), (D('20.38'), 150, 'commercial'))

    def test_an_agreed_rate_replaces_that_of_a_business_and_is_not_compounded(self):
        self.ladder.agreed_interest_percent = 8.0
        # 1,000 × 8% × (365 + 366 + 62) / 365 = 173.8082
        claim = self.claim(self.invoice(due=date(2022, 12, 31), amount=1000.0), with_costs=False)
        self.assertEqual((claim.interest, claim.agreed_percent), (D('173.81'), 8))
        self.assertEqual(len(claim.items[0].account.segments), 1)

    def test_each_policy_says_how_the_days_of_a_year_are_counted(self):
        """Over 2024 and 62 days of 2025: 1,000 × 8% × 428 / 365 = 93.8082, or 80 + 1,000 × 8% × 62 / 365 = 93.5890."""
        self.ladder.agreed_interest_percent = 8.0
        leap = self.ladder.copy({'name': "Leap", 'day_count': 'act/act'})
        one, other = (self.invoice(due=date(2023, 12, 31), amount=1000.0) for _time in range(2))
        other.dunning_policy_id = leap
        claim = self.claim(one | other, with_costs=False)
        self.assertEqual([entry.interest for entry in claim.items], [D('93.81'), D('93.59')])
        data, prepare = claim.to_json(), self.Claim._prepare_methods
        self.assertIn(f"a year has 365 days, and for {other.name} a leap year 366", prepare(data)[0])
        self.assertIn("a year has 365 days, a leap year 366.", prepare(data | {'items': data['items'][1:]})[0])
        self.assertIn("a year has 365 days, also a leap year.", prepare(data | {'items': data['items'][:1]})[0])
        self.assertEqual([entry.get('day_count') for entry in data['items']], [None, 'act/act'], "Where it differs")
        whole = self.claim(other, with_costs=False).to_json()
        self.assertEqual((whole['day_count'], 'day_count' in whole['items'][0]), ('act/act', False))

    def test_a_lower_agreed_rate_does_not_count_for_a_consumer(self):
        invoice = self.invoice(self.consumer, due=date(2022, 12, 31), amount=1000.0)
        statutory = self.claim(invoice).interest
        for percent in (3.0, 5.0):
            self.ladder.agreed_interest_percent = percent
            claim = self.claim(invoice)
            self.assertEqual((claim.interest, claim.agreed_percent), (statutory, 0), "As the law has it, compounded")
        self.ladder.agreed_interest_percent = 5.5
        # 5.5% over 731 days = 110.1507; 6% from 2025 on, since it may not fall below the statutory: 62 days = 10.1918
        self.assertEqual(self.claim(invoice).interest, D('110.15') + D('10.19'))
        government = self.invoice(self.government, due=date(2022, 12, 31), amount=1000.0)
        self.assertEqual(self.claim(government).agreed_percent, 0)

    def test_a_credit_note_was_never_owed(self):
        # The credit note is of thirty days before it is due: 1 February.
        invoice = self.invoice(due=DUE, amount=1000.0)
        refund = self.credit_note(amount=400.0, on=date(2025, 3, 3))
        self.assertEqual(self.claim(invoice, with_costs=False).interest, D('20.38'), "Nobody matched it yet")
        (self.items(invoice) | self.items(refund)).reconcile()
        # 600 × 12% × 62 / 365 = 12.2301
        self.assertEqual(self.claim(invoice, with_costs=False).interest, D('12.23'))
        self.assertEqual(self.claim(invoice, date(2025, 1, 31), with_costs=False).principal, 1000, "Not known by then")

    def test_what_is_not_claimed_bears_nothing(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        claim = self.claim(invoice, reductions={self.items(invoice).id: D(400)})
        self.assertEqual((claim.principal, claim.interest, claim.costs), (600, D('12.23'), 90))

    def test_a_payment_before_anything_was_claimed_goes_to_the_principal(self):
        """31 days over 1,000 = 10.1918; then 31 over 600 = 6.1151."""
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.pay(invoice, 400.0, on=date(2025, 1, 31))
        claim = self.claim(invoice, with_costs=False)
        self.assertEqual([s.amount for s in claim.items[0].account.segments], [D('10.19'), D('6.12')])
        self.assertEqual(claim.left, (0, D('16.31'), 600))
        self.assertEqual(claim.total, D('616.31'))

    def test_a_payment_after_all_was_claimed_goes_in_the_legal_order(self):
        """Costs 150 and interest 10.19 first; 239.81 of the principal: 31 days over 760.19 = 7.7478."""
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 20), interest=6.58, costs=150.0)
        self.pay(invoice, 400.0, on=date(2025, 1, 31))
        claim = self.claim(invoice)
        [payment] = claim.items[0].account.imputations
        self.assertEqual(payment[2:5], (150, D('10.19'), D('239.81')))
        self.assertEqual((claim.principal, claim.interest, claim.costs), (600, D('17.94'), 150), "As the ledger has it")
        self.assertEqual(claim.left, (0, D('7.75'), D('760.19')), "As the law has it")
        self.assertEqual(claim.total, D('767.94'))

    def test_what_came_in_on_the_day_of_the_letter_was_no_answer_to_it(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 31), interest=10.19, costs=150.0)
        self.pay(invoice, 400.0, on=date(2025, 1, 31))
        self.assertEqual(self.claim(invoice).left[2], 600)

    def test_a_set_off_is_a_payment_and_a_loss_is_a_credit(self):
        accounts = self.env['account.account']
        clearing = accounts.create({'code': 'X1', 'name': "Provider", 'account_type': 'asset_current'})
        loss = accounts.create({'code': 'X2', 'name': "Loss", 'account_type': 'expense'})
        for account, interest in ((clearing, D('16.31')), (loss, D('12.23'))):
            invoice = self.invoice(due=DUE, amount=1000.0)
            entry = self.env['account.move'].create({
                'journal_id': self.company_data['default_journal_misc'].id, 'date': date(2025, 1, 31),
                'line_ids': [
                    Command.create({'account_id': account.id, 'debit': 400.0}),
                    Command.create({
                        'account_id': self.receivable.id, 'credit': 400.0, 'partner_id': self.business.id})]})
            entry.action_post()
            (self.items(invoice) | entry.line_ids.filtered('credit')).reconcile()
            self.assertEqual(self.claim(invoice, with_costs=False).interest, interest, account.name)

    def test_the_past_can_be_worked_out_again(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        on = [date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 20), TODAY]
        found = []
        for day in on:
            found.append(self.claim(invoice, day).to_json())
            if day == on[1]:
                self.told(invoice, day + days(1), interest=10.19, costs=150.0)
            if day == on[2]:
                self.pay(invoice, 300.0, on=day + days(1))
        self.env.invalidate_all()
        again = [self.claim(invoice, day).to_json() for day in on]
        self.assertEqual(again, found)
        self.assertEqual(again[0]['total'], '1154.93')

    def test_another_currency_is_its_principal_only(self):
        dollar = self.env.ref('base.USD')
        dollar.active = True
        invoice = self.invoice(due=DUE, amount=1000.0, currency=dollar)
        claim = self.claim(invoice)
        self.assertEqual((claim.principal, claim.interest, claim.costs), (1000, 0, 0))
        self.assertFalse(claim.lawful)
        data = claim.to_json()
        self.assertIn("USD", self.Claim._explain_interest(data['items'][0], data))
        with self.assertRaisesRegex(UserError, "one currency"):
            self.claim(invoice | self.invoice(due=DUE))
        claims = self.Claim._compute_debtor(self.business, TODAY)
        self.assertEqual([claim.currency for claim in claims], ['EUR', 'USD'])

    def test_a_missing_rate_is_said_and_never_zero(self):
        with self.assertRaisesRegex(UserError, "is not known"):
            self.claim(self.invoice(due=date(2019, 12, 1), amount=100.0))

    def test_waived_for_the_debtor(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.business.write({'dunning_waive_interest': True, 'dunning_waive_reason': "Long friendship"})
        claim = self.claim(invoice)
        self.assertEqual((claim.interest, claim.costs), (0, 150))
        data = claim.to_json()
        self.assertEqual(
            self.Claim._explain_interest(data['items'][0], data), "No interest is asked of this debtor.",
            "Why is for colleagues")
        self.business.dunning_waive_costs = True
        self.assertEqual(self.claim(invoice).total, 1000)
        printed = self.Claim._prepare_specification(self.claim(invoice).to_json(), self.business, self.company)
        self.assertIn("No collection costs are asked of this debtor.", printed['remarks'])
        self.assertNotIn("Long friendship", str(printed))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimBusinessCosts(ClaimCommon):
    def test_the_scale_over_all_invoices_together(self):
        invoices = self.invoice(due=DUE, amount=2000.0) | self.invoice(due=DUE, amount=1000.0)
        claim = self.claim(invoices)
        # 15% over 2,500 and 10% over 500, shared 2 : 1
        self.assertEqual([item.costs for item in claim.items], [D('283.33'), D('141.67')])

    def test_formulas(self):
        self.ladder.debtor_type = 'business'
        invoices = self.invoice(due=DUE, amount=100.0) | self.invoice(due=DUE, amount=100.0)
        for formula, costs in (('none', 0), ('minimum', 40), ('scale', 40), ('scale_per_invoice', 80)):
            self.ladder.cost_formula = formula
            self.assertEqual(self.claim(invoices).costs, costs, formula)
        self.ladder.write({'cost_formula': 'agreed', 'agreed_cost_percent': 25.0, 'agreed_cost_minimum': 60.0})
        self.assertEqual(self.claim(invoices).costs, 60)
        self.ladder.agreed_cost_minimum = 0
        self.assertEqual(self.claim(invoices).costs, 50)
        self.ladder.agreed_cost_percent = 5.0
        self.assertEqual(self.claim(invoices).costs, 40, "Never below the minimum of the law")

    def test_what_was_claimed_first_stays(self):
        first, later = self.invoice(due=DUE, amount=1000.0), self.invoice(due=date(2025, 2, 10), amount=500.0)
        self.told(first, date(2025, 1, 20), costs=150.0)
        self.pay(first, 800.0, on=date(2025, 2, 20))
        claim = self.claim(first | later)
        self.assertEqual([item.costs for item in claim.items], [150, 75], "A later invoice bears its own")
        self.assertEqual(self.claim(first, date(2025, 1, 19)).costs, 150)
        self.assertEqual(self.claim(first).costs + self.claim(later).costs, claim.costs)

    def test_what_was_credited_after_it_was_claimed_takes_its_part_of_the_costs_along(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 20), costs=150.0)
        refund = self.credit_note(amount=400.0, on=date(2025, 3, 3))
        (self.items(invoice) | self.items(refund)).reconcile()
        self.assertEqual(self.claim(invoice).costs, 90)
        rest = self.credit_note(amount=600.0, on=date(2025, 3, 4))
        (self.items(invoice) | self.items(rest)).reconcile()
        self.assertEqual(self.claim(invoice).total, 0, "Nothing was ever owed")

    def test_vat_that_cannot_be_deducted(self):
        self.company.dunning_vat_on_costs = True
        self.assertEqual(self.claim(self.invoice(due=DUE, amount=1000.0)).costs, D('181.50'))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimConsumerCosts(ClaimCommon):
    SENT = date(2025, 1, 10)
    OWED = date(2025, 1, 28)

    def test_no_costs_before_a_letter_ran_out(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.assertEqual(self.claim(invoice).costs, 0)
        self.letter(invoice, self.SENT, 150.0)
        self.assertEqual(self.claim(invoice, self.OWED - days(1)).costs, 0)
        claim = self.claim(invoice, self.OWED)
        self.assertEqual((claim.costs, claim.items[0].costs_detail.since), (150, self.OWED))

    def test_costs_are_over_what_was_unpaid_when_the_term_ended(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.letter(invoice, self.SENT, 150.0)
        self.pay(invoice, 400.0, on=self.OWED - days(1))
        self.assertEqual(self.claim(invoice).costs, 90)
        self.pay(invoice, 300.0, on=self.OWED)
        claim = self.claim(invoice)
        self.assertEqual(claim.costs, 90, "A later payment does not change what they were")
        self.assertEqual(claim.items[0].account.imputations[1][2], 90, "It goes to the costs first")

    def test_paid_in_time_costs_nothing(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.letter(invoice, self.SENT, 150.0)
        self.pay(invoice, 1000.0, on=self.OWED - days(1))
        self.assertEqual(self.claim(invoice).costs, 0)

    def test_never_more_than_was_announced(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.letter(invoice, self.SENT, 120.0)
        self.company.dunning_vat_on_costs = True
        claim = self.claim(invoice)
        self.assertEqual(claim.costs, 120)
        self.assertTrue(claim.items[0].costs_detail.basis['capped'])

    def test_what_came_back_leads_to_nothing(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        letter = self.letter(invoice, self.SENT, 150.0)
        self.pay(invoice, 400.0, on=self.OWED + days(5))
        before = self.claim(invoice)
        self.assertEqual((before.costs, before.left[2]), (150, 750))
        letter._recording().write({'state': 'undelivered', 'costs_from': False})
        after = self.claim(invoice)
        self.assertEqual((after.costs, after.left[2]), (0, 600), "The payment was for the invoice after all")
        self.letter(invoice, date(2025, 2, 1), 90.0)
        self.assertEqual(self.claim(invoice, date(2025, 2, 20)).costs, 90, "A new letter begins anew")

    def test_a_letter_nobody_knows_to_have_arrived_counts_for_nothing(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        self.told(invoice, self.SENT, role='fourteen_day', announced=150.0)
        self.assertEqual(self.claim(invoice).costs, 0)
        self.letter(invoice, date(2025, 1, 12), 150.0)
        self.assertEqual(self.claim(invoice).costs, 150)

    def test_parts_add_up_to_the_whole(self):
        amounts = (100.0, 333.33, 0.01, 2999.99, 50.0)
        invoices = self.env['account.move'].union(
            *(self.invoice(self.consumer, due=DUE, amount=amount) for amount in amounts))
        self.letter(invoices, self.SENT, 470.0)
        self.pay(invoices[0], 60.0, on=date(2025, 1, 15))
        whole = self.claim(invoices)
        # 3,423.33: 375 + 92.333
        self.assertEqual(whole.costs, D('467.33'))
        for cut in range(1, len(invoices)):
            parts = [self.claim(invoices[:cut]), self.claim(invoices[cut:])]
            self.assertEqual([item.costs for part in parts for item in part.items], [i.costs for i in whole.items])
            self.assertEqual(sum(part.total for part in parts), whole.total)

    def test_claims_that_could_have_been_in_one_letter_are_added_up(self):
        first = self.invoice(self.consumer, due=DUE, amount=1500.0)
        second = self.invoice(self.consumer, due=DUE, amount=1500.0)
        self.letter(first, self.SENT, 225.0)
        # BIK(3,000) = 425
        for announced, owed in ((225.0, 0), (200.0, 200)):
            with self.subTest("A letter that announces too much has no effect", announced=announced):
                letter = self.letter(second, date(2025, 2, 1), announced)
                claim = self.claim(first | second)
                self.assertEqual([item.costs for item in claim.items], [225, owed])
                letter._recording().state = 'withdrawn'

    def test_a_later_invoice_has_costs_of_its_own(self):
        first = self.invoice(self.consumer, due=DUE, amount=1500.0)
        second = self.invoice(self.consumer, due=date(2025, 1, 20), amount=1500.0)
        self.letter(first, self.SENT, 225.0)
        self.letter(second, date(2025, 2, 1), 225.0)
        self.assertEqual(self.claim(first | second).costs, 450)

    def test_small_instalments_do_not_pile_up_within_six_months(self):
        """100 each month: 40, then BIK(200) = 40 less 40, then BIK(300) = 45 less 40; after half a year again 40."""
        dues = [date(2024, 3, 31), date(2024, 4, 30), date(2024, 5, 31), date(2024, 12, 15)]
        invoices = [self.invoice(self.consumer, due=due, amount=100.0) for due in dues]
        for invoice, due, announced in zip(invoices, dues, (40.0, 0.0, 5.0, 40.0), strict=True):
            self.letter(invoice, due + days(5), announced)
        claim = self.claim(self.env['account.move'].union(*invoices))
        self.assertEqual([item.costs for item in claim.items], [40, 0, 5, 40])

    def test_the_letter_of_today_announces_what_will_be_owed(self):
        first, second = (self.invoice(self.consumer, due=DUE, amount=1500.0) for _i in range(2))
        self.letter(first, self.SENT, 225.0)
        request = self.request(first | second, announce=True, with_costs=False)
        claim = self.Claim._compute_batch([request])['x']
        self.assertEqual([item.announced for item in claim.items], [0, 200], "The first has its letter")
        self.assertEqual(claim.costs, 0, "Announced is not owed")

    def request(self, moves, at_date=TODAY, **kwargs):
        from ...models.claim.dunning_claim import ClaimRequest
        items = self.items(moves)
        return ClaimRequest('x', items.partner_id, items, at_date, self.ladder, **kwargs)

    def test_what_is_announced_is_not_part_of_what_is_left(self):
        self.company.dunning_term_agreed_consumer = True
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        for with_interest in (False, True):
            claim = self.Claim._compute_batch([self.request(
                invoice, announce=True, with_costs=False, with_interest=with_interest)])['x']
            self.assertEqual(claim.announced, 150)
            self.assertEqual(sum(claim.items[0].left), claim.total, "The parts add up to the sum")
            self.assertEqual(claim.items[0].left.costs, 0)

    def test_an_open_credit_lowers_what_is_announced_and_owed(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=1000.0)
        reductions = {self.items(invoice).id: D(400)}
        claim = self.Claim._compute_batch([self.request(invoice, announce=True, reductions=reductions)])['x']
        self.assertEqual(claim.announced, 90)
        self.letter(invoice, self.SENT, 150.0)
        self.assertEqual(self.claim(invoice, reductions=reductions).costs, 90)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestClaimOracle(ClaimCommon):
    """Random ledgers, worked out a second time by walking through the days."""

    @settings(CALM, max_examples=12, phases=[Phase.generate])  # making an example smaller takes minutes here
    @given(
        st.integers(1, 500000), st.integers(1, 900), st.booleans(),
        st.lists(st.tuples(st.integers(-20, 400), st.integers(5, 90), st.booleans()), max_size=4),
        st.one_of(st.none(), st.integers(1, 300)), st.booleans())
    def test_random_ledgers(self, amount, late, consumer, settled, told_after, act_act):
        with self.env.cr.savepoint() as savepoint:
            self._check_ledger(amount, late, consumer, settled, told_after, act_act)
            savepoint.rollback()
        self.env.invalidate_all()

    def _check_ledger(self, amount, late, consumer, settled, told_after, act_act):
        self.ladder.day_count = 'act/act' if act_act else 'act/365'
        until, due = TODAY, TODAY - days(late)
        original = D(amount) / 100
        invoice = self.invoice(self.consumer if consumer else self.business, due=due, amount=float(original))
        told_on = due + days(told_after) if told_after else None
        costs = D(0)
        if told_on:
            costs = D('40.00')
            if consumer:
                self.letter(invoice, told_on, 40.0)
                self.told(invoice, told_on, interest=0.02)
            else:
                self.told(invoice, told_on, interest=0.02, costs=40.0)
        left, payments, credits_ = original, [], []
        for after, percent, is_money in settled:
            part = (left * percent / 100).quantize(D('0.01'))
            if part <= 0:
                continue
            day = due + days(after)
            if is_money:
                self.pay(invoice, float(part), on=day)
                payments.append((day, part))
            else:
                refund = self.credit_note(invoice.partner_id, float(part), on=day)
                (self.items(invoice) | self.items(refund)).reconcile()
                credits_.append((day, part))
            left -= part
        claim = self.claim(invoice, until)
        [item] = claim.items
        self.assertEqual(item.open, original - sum(a for d, a in payments + credits_ if d <= until))
        owed = []
        if item.costs_detail.amount and item.costs_detail.why in ('claimed', 'fourteen_day'):
            since = told_on + days(18 if consumer else 1)
            if since <= until:
                owed = [(since, item.costs_detail.amount)]
        self.assertLessEqual(item.costs_detail.amount, max(costs, D(6775)))
        walk = Walk(
            original, due + days(1), CONSUMER if consumer else COMMERCIAL, until,
            payments=sorted(payments, key=lambda payment: payment[0]), costs=owed,
            claimed_from=told_on and told_on + days(1), credits_=credits_, act_act=act_act)
        self.assertEqual(cents(item.account.interest), walk.total_interest)
        self.assertEqual(tuple(map(cents, item.account.left)), (walk.costs, walk.interest, walk.principal))
        self.assertEqual(
            [(s.first_day, s.last_day, cents(s.principal), cents(s.amount)) for s in item.account.segments],
            walk.segments)
        # The paper says the same.
        data = claim.to_json()
        self.assertEqual(D(data['total']), D(data['items'][0]['open']) + D(data['interest']) + D(data['costs']))
        self.assertEqual(sum(D(s[5]) for s in data['items'][0]['segments']), claim.items[0].account.interest)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWaiver(ClaimCommon):
    def waive(self, moves, **values):
        wizard = self.env['dunning.waive'].browse(
            self.env['dunning.waive'].with_context(dunning_at_date=TODAY)._action_open(self.items(moves))['res_id'])
        wizard = self.on(TODAY, wizard)
        wizard.write({'reason': "Agreed by telephone", **values})
        wizard.action_apply()
        return self.env['dunning.waiver'].search([('move_id', 'in', moves.ids)])

    def test_waived_lowers_the_claim_from_that_day_on(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 20), interest=6.58, costs=150.0)
        before = self.claim(invoice, TODAY - days(1))
        self.waive(invoice, amount_interest=10.0, amount_costs=150.0)
        claim = self.claim(invoice)
        self.assertEqual((claim.interest, claim.costs), (D('10.38'), 0))
        self.assertEqual(self.claim(invoice, TODAY - days(1)).total, before.total, "It was owed until then")
        self.assertIn("Agreed by telephone", invoice.message_ids[:1].body)
        self.assertIn("Agreed by telephone", self.business.message_ids[:1].body)

    def test_no_more_than_is_owed(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 20), interest=6.58, costs=150.0)
        with self.assertRaisesRegex(UserError, "No more than"):
            self.waive(invoice, amount_interest=20.39, amount_costs=0.0)
        with self.assertRaisesRegex(UserError, "no more can be waived"):
            self.on(TODAY, self.env['dunning.waiver']).create({
                'item_id': self.items(invoice).id, 'amount_costs': 150.01, 'reason': "Too much"})

    def test_a_reason_is_needed_and_it_stays(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 20), costs=150.0)
        with self.assertRaisesRegex(UserError, "Say why"):
            self.waive(invoice, reason=" ")
        waiver = self.waive(invoice)
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            waiver.amount_costs = 1
        with self.assertRaisesRegex(UserError, "stays as its proof"):
            waiver.sudo().unlink()
        clerk = new_test_user(
            self.env, 'clerk.waiver', 'account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        with self.assertRaisesRegex(AccessError, "Only an accounting manager"):
            waiver.with_user(clerk).action_revoke()
        waiver.action_revoke()
        self.assertEqual(self.claim(invoice).costs, 150)
        again = self.on(TODAY, self.env['dunning.waiver']).with_user(clerk).create({
            'item_id': self.items(invoice).id, 'amount_costs': 1.0, 'reason': "A clerk may", 'user_id': self.env.uid,
            'date': date(2020, 1, 1)})
        self.assertEqual((again.user_id, again.date), (clerk, TODAY), "Who and when are facts")

    def test_shared_over_the_items_and_never_more_than_each_owes(self):
        invoices = self.invoice(due=DUE, amount=1000.0) | self.invoice(due=date(2025, 2, 1), amount=1000.0)
        self.told(invoices, date(2025, 2, 20), interest=20.0, costs=300.0)
        left = self.claim(invoices)
        waivers = self.waive(invoices)
        self.assertEqual(to_decimal(sum(waivers.mapped('amount'))), left.interest + left.costs)
        self.assertEqual(self.claim(invoices).total, 2000)

    def test_what_is_left_after_payment_is_for_a_person_to_decide(self):
        invoice, clean = self.invoice(due=DUE, amount=1000.0), self.invoice(due=DUE, amount=10.0)
        self.told(invoice, date(2025, 1, 20), interest=6.58, costs=150.0)
        self.assertFalse(self.Claim._get_remainders(self.company, TODAY))
        self.pay(invoice, on=date(2025, 1, 31))
        self.pay(clean, on=date(2025, 1, 31))
        [left] = self.Claim._get_remainders(self.company, TODAY)
        self.assertEqual((left.move_id, left.costs, left.paid_on), (invoice.id, 150, date(2025, 1, 31)))
        # 10.19 until the payment; nothing accrues over the 160.19 that is left because costs came first.
        self.assertEqual(left.interest, D('10.19'))
        self.assertEqual(self.claim(invoice).left, (0, 0, D('160.19')))
        self.assertFalse(self.Claim._get_remainders(self.company, date(2025, 1, 30)), "Not paid by then")
        # Claim: it is in the specification. Keep: it says who. Waive: it is gone.
        self.assertIn(self.items(invoice), self.Claim._get_claim_items(self.business, TODAY))
        lines = self.on(TODAY, self.env['dunning.remainder'])
        line = lines.browse(lines.action_show()['domain'][0][2])
        self.assertFalse(line.decision)
        self.assertEqual(line.action_claim()['res_model'], 'dunning.specification')
        keep = self.on(TODAY, self.env['dunning.waive']).browse(line.action_keep()['res_id'])
        keep.reason = "Next order"
        keep.action_apply()
        [kept] = self.Claim._get_remainders(self.company, TODAY)
        self.assertTrue(kept.decision_id)
        line = lines.browse(lines.action_show()['domain'][0][2])
        self.assertIn("Next order", line.decision)
        self.waive(invoice)
        self.assertFalse(self.Claim._get_remainders(self.company, TODAY))
        self.assertEqual(self.claim(invoice).total, 0)

    def test_fully_credited_leaves_nothing(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        self.told(invoice, date(2025, 1, 20), interest=6.58, costs=150.0)
        (self.items(invoice) | self.items(self.credit_note(amount=1000.0, on=date(2025, 3, 2)))).reconcile()
        self.assertFalse(self.Claim._get_remainders(self.company, TODAY))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSpecification(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claiming = cls.make_policy("Claiming", [
            {'name': "Demand", 'delay_days': 10, 'payment_term_days': 7, 'with_interest': True, 'with_costs': True},
            {'name': "Last", 'delay_days': 1, 'payment_term_days': 7, 'delay_from': 'previous_deadline',
             'with_interest': True, 'with_costs': True},
        ], debtor_type='business')
        cls.company.write({'dunning_policy_business_id': cls.claiming.id, 'company_registry': '30241556'})

    def words(self, data, debtor=None, lang='nl_NL', **kwargs):
        document = self.Claim._render_specification(data, debtor or self.business, self.company, lang, **kwargs)
        root = html.document_fromstring(document.html)
        for style in root.iter('style'):
            style.text = ''
        return ' '.join(root.text_content().replace('\xa0', ' ').split())

    def test_letter_claim_and_specification_say_the_same_cents(self):
        invoices = self.invoice(due=DUE, amount=1234.56) | self.invoice(due=date(2025, 1, 15), amount=77.7)
        self.pay(invoices[0], 234.55, on=date(2025, 2, 3))
        [notice] = self.dun(TODAY)
        claim = self.Claim._compute(self.items(invoices), TODAY)
        self.assertEqual(to_decimal(notice.amount_due), claim.total)
        self.assertEqual(to_decimal(notice.amount_interest), claim.interest)
        self.assertEqual(to_decimal(notice.amount_costs), claim.costs)
        text = self.words(notice.claim_data, lang='nl_NL')
        total = letter_amount(self.env, notice.amount_due, notice.currency_id, 'nl_NL')
        self.assertIn(total.replace('\xa0', ' '), text)
        api = self.business.with_context(dunning_at_date=TODAY).get_dunning_claim(TODAY)
        self.assertEqual(D(api['claims'][0]['total']), claim.total)
        # The next letter claims the same costs, and says where they come from.
        [later] = self.dun(TODAY + days(10))
        self.assertEqual(later.amount_costs, notice.amount_costs)
        self.assertEqual(later.claim_data['costs_bases'][0]['claimed_in'], notice.name)
        self.assertIn(notice.name, self.words(later.claim_data, lang='en_US'))

    def test_an_open_credit_is_off_the_letter_and_off_the_specification(self):
        invoices = self.invoice(due=DUE, amount=1000.0) | self.invoice(due=date(2025, 1, 15), amount=77.7)
        self.credit_note(amount=250.0, on=TODAY)
        [notice] = self.dun(TODAY)
        self.assertEqual(notice.amount_principal, 827.7)
        [claim] = self.Claim.with_context(dunning_at_date=TODAY)._compute_debtor(self.business, TODAY)
        self.assertEqual(len(claim.items), len(invoices))
        self.assertEqual(
            (claim.total, claim.interest), (to_decimal(notice.amount_due), to_decimal(notice.amount_interest)))
        self.assertIn("\N{MINUS SIGN}250,00", self.words(claim.to_json()))

    def test_what_was_booked_counts_once(self):
        self.claiming.claim_booking = 'booked'
        paid, invoice = self.invoice(due=DUE, amount=500.0), self.invoice(due=DUE, amount=1000.0)
        [notice] = self.dun(TODAY)
        booking = notice.booking_ids
        later = TODAY + days(30)
        self.pay(paid, on=TODAY + days(1))
        at = self.Claim.with_context(dunning_at_date=later)
        [claim] = at._compute_debtor(self.business, later)
        self.assertClaim(claim)
        self.assertEqual({entry.move_id for entry in claim.items}, set((paid | invoice).ids))
        self.assertEqual(claim.costs, D('225'))
        self.assertFalse(at._get_remainders(self.company, later), "It is an open invoice")
        self.pay(booking, 25.0, on=TODAY + days(2))
        [claim] = at._compute_debtor(self.business, later)
        self.assertClaim(claim)
        self.assertEqual(claim.costs, D('200'))
        notice.with_context(dunning_at_date=TODAY + days(3))._credit_bookings("Enough")
        [claim] = at._compute_debtor(self.business, later)
        self.assertClaim(claim)
        self.assertEqual(claim.costs, 0)
        [chosen] = at._compute_debtor(self.business, later, self.items(invoice | booking))
        self.assertEqual({entry.move_id for entry in chosen.items}, set(invoice.ids))

    def test_what_left_is_printed_as_it_left(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        [notice] = self.dun(TODAY)
        before = self.Claim._prepare_notice_document(notice)
        self.pay(invoice, 500.0, on=TODAY)
        self.env.invalidate_all()
        self.assertEqual(self.Claim._prepare_notice_document(notice).html, before.html)

    def test_a_judge_can_follow_it(self):
        invoice = self.invoice(due=date(2024, 11, 30), amount=3000.0)
        text = self.words(self.claim(invoice).to_json(), lang='en_US')
        for part in ("15% over €2,500.00 = €375.00; 10% over €500.00 = €50.00; together €425.00.", "10.00%", "12.00%",
                     "30241556", "article 6:119a BW", "1 Dec 2024", "425.00"):
            self.assertIn(part, text)

    def test_the_letter_and_its_receipt_are_told(self):
        invoice = self.invoice(self.consumer, due=DUE, amount=100.0)
        letter = self.letter(invoice, date(2025, 1, 10), 40.0)
        claim = self.claim(invoice)
        text = self.words(claim.to_json(), self.consumer, lang='en_US')
        for part in (letter.name, "10 January 2025", "13 January 2025", "27 January 2025", "at least €40.00",
                     "15% over €100.00 = €15.00"):
            self.assertIn(part, text)
        self.assertIn("no 14-day letter", self.words(
            self.claim(self.invoice(self.make_debtor("Piet Pietersen", consumer=True), due=DUE)).to_json(),
            self.consumer, lang='en_US'))

    def test_every_computation_of_costs_is_explained(self):
        self.business.dunning_policy_id = self.claiming
        invoices = self.invoice(due=DUE, amount=200.0) | self.invoice(due=DUE, amount=100.0)
        self.claiming.write({'agreed_cost_percent': 20.0})
        for formula, words in (
            ('minimum', ("statutory minimum of €40.00",)),
            ('scale', ("15% over €300.00 = €45.00",)),
            ('scale_per_invoice', ("15% over €300.00", "€40.00 for each of the 2 late invoices: €80.00")),
            ('agreed', ("20% over €300.00 = €60.00",)),
        ):
            self.claiming.cost_formula = formula
            text = self.words(self.claim(invoices).to_json(), lang='en_US')
            for part in words:
                self.assertIn(part, text)
        self.claiming.write({'agreed_cost_percent': 1.0})
        self.assertIn("The minimum applies: €40.00", self.words(self.claim(invoices).to_json(), lang='en_US'))
        self.company.dunning_vat_on_costs = True
        self.claiming.cost_formula = 'scale'
        text = self.words(self.claim(invoices).to_json(), lang='en_US')
        self.assertIn("Raised by 21% VAT that the creditor cannot deduct", text)
        self.assertIn("€54.45", text)
        self.company.dunning_vat_on_costs = False
        first, second = (self.invoice(self.consumer, due=DUE, amount=1500.0) for _i in range(2))
        letter = self.letter(first, date(2025, 1, 10), 225.0)
        self.letter(second, date(2025, 2, 1), 180.0)
        text = self.words(self.claim(first | second).to_json(), self.consumer, lang='en_US')
        for part in (f"earlier letter {letter.name}", "€3,000.00", "together €425.00", "Less the collection costs",
                     "No more than the letter announced: €180.00"):
            self.assertIn(part, text)

    def test_steps_of_the_scale(self):
        self.assertEqual(scale_steps(D(3000)), [(15, 2500, 375), (10, 500, 50)])
        self.assertEqual(sum(step[2] for step in scale_steps(D(2000000))), 11775)
        self.assertEqual(scale_steps(D(0)), [])
        sentence = self.Claim.with_context(lang='nl_NL')._explain_scale(D(3000), self.env.ref('base.EUR'))
        self.assertIn("€ 2.500,00", sentence.replace('\xa0', ' '))

    def test_the_wizard_shows_and_prints_any_day(self):
        invoice = self.invoice(due=DUE, amount=1000.0)
        Wizard = self.on(TODAY, self.env['dunning.specification'])
        wizard = Wizard.browse(Wizard._action_open(self.business)['res_id'])
        self.assertEqual(wizard.lang, 'nl_NL')
        self.assertIn(invoice.name, wizard.preview)
        wizard.at_date = DUE
        self.assertIn("Nothing", wizard.problem)
        with self.assertRaisesRegex(UserError, "nothing to specify"):
            wizard.action_print()
        wizard.at_date = TODAY
        self.assertEqual(wizard.action_print()['report_name'], 'l10n_nl_dunning.report_dunning_specification_choice')
        pdf, _type = self.env['ir.actions.report'].with_context(force_report_rendering=True)._render_qweb_pdf(
            'l10n_nl_dunning.report_dunning_specification_choice', wizard.ids)
        self.assertTrue(pdf.startswith(b'%PDF'))
        wizard.write({'choose': True, 'item_ids': [Command.clear()]})
        self.assertEqual(wizard.problem, "Choose the invoices.")
        wizard.choose = False
        with Form(wizard) as form:
            form.choose = True
            self.assertEqual(form.item_ids.ids, self.items(invoice).ids)

    def test_the_pdf_of_a_notice(self):
        self.invoice(due=DUE, amount=1000.0)
        [notice] = self.dun(TODAY)
        pdf, _type = self.env['ir.actions.report'].with_context(force_report_rendering=True)._render_qweb_pdf(
            'l10n_nl_dunning.report_dunning_specification', notice.ids)
        self.assertTrue(pdf.startswith(b'%PDF'))

    def test_only_accounting_sees_what_a_debtor_owes(self):
        self.invoice(due=DUE, amount=1000.0)
        sales = new_test_user(self.env, 'sales.claim', 'base.group_user,base.group_partner_manager')
        clerk = new_test_user(
            self.env, 'clerk.claim', 'account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        auditor = new_test_user(
            self.env, 'auditor.claim', 'account.group_account_readonly', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        with self.assertRaises(AccessError):
            self.business.with_user(sales).get_dunning_claim('2025-03-03')
        for user in (clerk, auditor):
            debtor = self.on(TODAY, self.business).with_user(user).with_company(self.company)
            for day in ('2025-03-03', None):
                self.assertEqual(debtor.get_dunning_claim(day)['claims'][0]['total'], '1170.38')
            Wizard = debtor.env['dunning.specification']
            self.assertIn('1.170,38', Wizard.browse(Wizard._action_open(debtor)['res_id']).with_context(
                lang='nl_NL').preview)
        with self.assertRaisesRegex(UserError, "is not a date"):
            self.business.get_dunning_claim('tomorrow')

    def test_fifty_notices_cost_no_more_queries_than_five(self):
        for number in range(50):
            debtor = self.make_debtor(f"Debtor {number}", consumer=number % 2 == 0)
            self.invoice(debtor, due=DUE, amount=100.0 + number)
        self.ladder.level_ids[0].with_interest = True
        notices = self.make_notices(TODAY)
        self.assertEqual(len(notices), 50)
        counts = []
        for size in (5, 5, 50):  # the first one fills the caches
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.Claim._compute_for_notices(notices[:size], TODAY)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
        self.assertLess(counts[2], 20)

    def test_sharing_loses_no_cent(self):
        self.assertEqual(share(D('100.00'), [D(1)] * 3), [D('33.34'), D('33.33'), D('33.33')])
        self.assertEqual(share(D('0.01'), [D(5), D(7)]), [D(0), D('0.01')])
        self.assertEqual(share(D(5), []), [])
