"""Facts of law: who looked them up, the to-do of every year, the post, and terms of payment that are too long."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL

from ...tools.law.dated_facts import FACTS, get_facts_to_review, get_postal_days
from ..common import DunningCommon, days

NOW = date(2026, 11, 30)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLawFact(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Fact = cls.on(NOW, cls.env['dunning.law.fact'])
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)]}
        cls.manager = new_test_user(cls.env, 'mia', groups='account.group_account_manager', name="Mia", **user)
        cls.clerk = new_test_user(cls.env, 'kees', groups='account.group_account_invoice', name="Kees", **user)
        cls.rows = cls.Fact.search([])
        # Another test may have asked already; whoever installed the program may have confirmed some.
        cls.rows.sudo().write({'confirmed_on': False, 'confirmed_by_id': False})
        cls.rows.activity_ids.unlink()

    def due(self, day=NOW):
        return self.on(day, self.rows).filtered(lambda row: row.state in ('unverified', 'due'))

    def warn(self, day=NOW):
        return self.on(day, self.Fact)._warn_facts(self.company, day)

    def test_a_row_for_each_fact(self):
        self.assertEqual(
            {(row.code, row.date_from) for row in self.rows}, {(fact.code, fact.date_from) for fact in FACTS})
        self.Fact.sudo()._load_facts()
        self.assertEqual(self.Fact.search([]), self.rows)
        # What the program does not know any more goes, what is new comes.
        lost = self.rows[0]
        found = (lost.code, lost.date_from)
        lost.sudo().date_from = '1999-01-01'
        self.Fact.sudo()._load_facts()
        self.assertFalse(lost.exists())
        self.assertTrue(self.Fact.search([('code', '=', found[0]), ('date_from', '=', found[1])]))

    def test_nobody_looked_it_up(self):
        self.assertEqual(len(self.due()), len(get_facts_to_review(NOW, {})))
        self.assertEqual(set(self.due().mapped('state')), {'unverified'})
        later = self.rows.filtered(lambda row: row.code == 'postal_days' and row.date_from > NOW)
        self.assertRecordValues(later, [{'value_text': "4 days", 'is_read': False, 'state': 'unverified'}])
        self.assertTrue(all(self.rows.mapped('source')))

    def test_a_manager_confirms(self):
        row = self.due()[:1]
        row.with_user(self.manager).action_confirm()
        self.assertRecordValues(row, [{
            'confirmed_on': NOW, 'confirmed_by_id': self.manager.id, 'state': 'verified'}])
        with self.assertRaises(UserError):
            row.with_user(self.manager).action_confirm()
        self.assertEqual(self.on(date(2027, 1, 1), row).state, 'due')
        # Each confirmation stays in the log.
        self.assertIn("as it stands here", row.message_ids[0].body)
        self.assertEqual(row.message_ids[0].author_id, self.manager.partner_id)

    def test_nobody_else_does_and_no_date_is_made_up(self):
        row = self.due()[:1]
        with self.assertRaises(AccessError):
            row.with_user(self.clerk).action_confirm()
        for user in (self.clerk, self.manager):
            with self.assertRaises(AccessError):
                row.with_user(user).write({'confirmed_on': NOW, 'confirmed_by_id': user.id})
        self.assertEqual(row.state, 'unverified')

    def test_one_to_do_a_year(self):
        todo = self.warn()
        self.assertEqual(len(todo), 1)
        self.assertIn("Facts of Law", todo.note)
        self.assertFalse(self.warn(NOW + days(40)))
        self.due()[:-1].with_user(self.manager).action_confirm()
        self.assertTrue(todo.active)
        self.due().with_user(self.manager).action_confirm()
        self.assertFalse(self.due())
        self.assertFalse(todo.active)
        self.assertFalse(self.warn(date(2026, 12, 31)))
        self.assertTrue(self.warn(date(2027, 1, 1)))

    def test_ticked_off_without_looking_it_comes_back(self):
        self.warn().action_feedback()
        self.assertFalse(self.warn(NOW + days(1)))
        # When it was done is read from the clock, so “a week later” is far away here.
        self.assertTrue(self.warn(date(2099, 1, 1)))

    def test_dutch_facts_are_for_dutch_companies(self):
        self.company.account_fiscal_country_id = self.env.ref('base.be')
        self.assertFalse(self.warn())

    # --- the post ---

    def test_postal_days_can_only_be_lengthened(self):
        for chosen, now, later in ((0, 3, 4), (2, 3, 4), (4, 4, 4), (6, 6, 6)):
            self.company.dunning_postal_days = chosen
            self.assertEqual(self.company._get_dunning_postal_days(NOW), now)
            self.assertEqual(self.company._get_dunning_postal_days(date(2027, 7, 1)), later)
        self.assertEqual(get_postal_days(date(2008, 1, 1)), 3)

    def test_prescription_counts_the_same_days(self):
        """When a letter reached the debtor is worked out in SQL as well."""
        for posted, chosen in ((NOW, 0), (NOW, 2), (NOW, 6), (date(2027, 7, 1), 0), (date(2027, 6, 30), 0)):
            [[found]] = self.env.execute_query(SQL(
                """
                SELECT %s
                  FROM (SELECT %s::date AS posted_on, NULL::date AS sent_on) told,
                       (SELECT %s::int AS postal_days) item
                """, self.env['dunning.prescription']._get_postal_days_sql(), posted, chosen))
            self.assertEqual(found, get_postal_days(posted, chosen))

    # --- terms of payment ---

    def term(self, nb_days, **values):
        return self.env['account.payment.term'].create({
            'name': "Term",
            'line_ids': [Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': nb_days} | values)]})

    def test_terms_that_are_too_long(self):
        anna = self.make_debtor("Anna Smit", consumer=True)
        for nb_days, party, large, expressly, expected in (
            (60, self.business, False, False, ""), (61, self.business, False, False, "more than 60"),
            (61, self.business, False, True, ""), (30, self.business, True, True, ""),
            (31, self.business, True, True, "void"), (90, anna, False, False, ""),
        ):
            with self.subTest(days=nb_days, party=party.name, large=large, expressly=expressly):
                party.write({
                    'property_payment_term_id': self.term(nb_days).id, 'dunning_large_buyer': large,
                    'dunning_term_expressly': expressly})
                self.assertIn(expected, party.dunning_term_warning or "")
                self.assertEqual(bool(party.dunning_term_warning), bool(expected))
        self.business.write({
            'dunning_debtor_type': 'government', 'dunning_large_buyer': False, 'dunning_term_expressly': False,
            'property_payment_term_id': self.term(45).id})
        self.assertIn("public body", self.business.dunning_term_warning)
        self.business.dunning_term_expressly = True
        self.assertFalse(self.business.dunning_term_warning)

    def test_the_term_itself_warns(self):
        self.assertFalse(self.term(30).dunning_term_warning)
        self.assertIn("large buyer", self.term(31).dunning_term_warning)
        self.assertNotIn("expressly", self.term(60).dunning_term_warning)
        self.assertIn("expressly", self.term(61).dunning_term_warning)
        # The end of the month after thirty days can be two months away.
        self.assertIn("60 days", self.term(30, delay_type='days_after_end_of_month').dunning_term_warning)
        self.company.account_fiscal_country_id = self.env.ref('base.be')
        self.assertFalse(self.term(90).dunning_term_warning)

    def test_it_never_blocks_and_whoever_sells_sees_it(self):
        with Form(self.business) as form:
            form.property_payment_term_id = self.term(90)
            self.assertIn("more than 60", form.dunning_term_warning)
        seller = new_test_user(self.env, 'eva', groups='base.group_user', company_id=self.company.id,
                               company_ids=[Command.set(self.company.ids)])
        self.assertIn("more than 60", self.business.with_user(seller).dunning_term_warning)
        # One fact of a debtor for all his contacts.
        self.business.dunning_large_buyer = True
        self.assertTrue(self.make_contact(self.business, "Ann").dunning_large_buyer)
