"""Of a natural person no interest and costs are handed over while nobody knows that the agency is registered."""

from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..common import DunningCommon

DUE = date(2026, 9, 21)
WKI = date(2026, 10, 1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestAgency(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ladder = cls.make_policy("To an agency", [
            {'name': "Hand over", 'channel': 'task', 'delay_days': 10, 'with_interest': True}])
        cls.use_policy(cls.ladder)
        # Interest of a consumer runs: the term was agreed.
        cls.company.dunning_term_agreed_consumer = True
        cls.anna = cls.make_debtor("Anna Smit", consumer=True)
        cls.agency = cls.env['res.partner'].create({'name': "Incasso BV", 'is_company': True})
        cls.clerk = new_test_user(
            cls.env, 'kees', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])

    def task(self, debtor, due=DUE):
        self.invoice(debtor, due, 1000)
        notice = self.dun(due + timedelta(days=10))
        self.assertEqual(notice.state, 'todo')
        return notice.with_user(self.clerk)

    def interest(self, notice):
        return float(self.env['dunning.claim']._get_specification_data(notice)['interest'])

    def test_without_a_number_neither_interest_nor_costs(self):
        notice = self.task(self.anna)
        self.assertGreater(notice.amount_interest, 0)
        self.assertIn("register of the Wki", notice.dossier_gaps)
        self.assertEqual(self.interest(notice), 0)
        notice.agency_id = self.agency
        self.assertIn("Incasso BV", notice.dossier_gaps)
        self.assertEqual(self.interest(notice), 0)
        self.agency.dunning_wki_number = " "
        self.assertEqual(self.interest(notice), 0)
        self.agency.dunning_wki_number = "I-2024-00001"
        self.assertNotIn("Wki", notice.dossier_gaps)
        self.assertEqual(self.interest(notice), notice.amount_interest)

    def test_bailiffs_and_lawyers_are_not_registered(self):
        notice = self.task(self.anna)
        self.agency.dunning_wki_exempt = True
        notice.agency_id = self.agency
        self.assertNotIn("Wki", notice.dossier_gaps)
        self.assertEqual(self.interest(notice), notice.amount_interest)

    def test_whom_it_is_about(self):
        """Natural persons who live in the Netherlands, also those with a business; since 1 October 2026."""
        trader = self.make_debtor("Kees Klus", consumer=True, company_registry='12345678')
        self.assertEqual(trader.dunning_effective_type, 'business')
        abroad = self.make_debtor("Jan Peeters", consumer=True, country_id=self.env.ref('base.be').id)
        for debtor, due, missing in (
            (self.business, DUE, False), (trader, DUE, True), (abroad, DUE, False),
            (self.make_debtor("Bo", consumer=True), DUE - timedelta(days=1), False),
        ):
            with self.subTest(debtor=debtor.name, due=due):
                self.assertEqual(self.task(debtor, due)._is_agency_missing(), missing)

    def test_only_of_a_task_that_waits(self):
        notice = self.task(self.anna)
        with self.assertRaises(UserError):
            notice.channel = 'letter'
        notice.agency_id = self.agency
        self.called(notice, WKI)
        with self.assertRaises(UserError):
            notice.agency_id = False
        # What was handed over was without; a number that comes later changes the specification, not the notice.
        self.assertEqual(self.interest(notice), 0)
