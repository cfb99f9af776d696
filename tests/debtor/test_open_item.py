"""What is open, when it is due and what a debtor is treated as: the same in Python, in a domain and in SQL."""

from itertools import product

from odoo.tests import tagged
from odoo.tools import SQL

from ..common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestOpenItem(DunningCommon):

    def test_what_is_open_is_the_same_in_a_domain_and_in_sql(self):
        Item = self.env['account.move.line']
        paid, half, draft = self.invoice(), self.invoice(), self.invoice(post=False)
        self.pay(paid)
        self.pay(half, 40.0)
        # The same account and debtor, but nothing that is owed.
        credit = self.credit_note(amount=30.0)
        moves = paid | half | draft | credit
        instalments = self.invoice(amount=100.0, instalments=[(50, TODAY), (50, TODAY + days(30))])
        moves |= instalments
        line = SQL.identifier('line')
        found = dict(self.env.execute_query(SQL(
            "SELECT line.id, %s FROM account_move_line line WHERE line.move_id = ANY(%s) AND %s",
            Item._get_dunning_due_date_sql(line), moves.ids, Item._get_dunning_open_sql(line))))
        items = Item.search([('move_id', 'in', moves.ids), *Item._get_dunning_open_domain(self.company, self.business)])
        self.assertEqual(items.move_id, half | instalments)
        self.assertEqual(len(items), 3)
        self.assertEqual(found, {item.id: item._get_dunning_due_date() for item in items})
        overdue = Item.search([
            ('move_id', 'in', moves.ids), *Item._get_dunning_overdue_domain(self.company, TODAY + days(1))])
        self.assertEqual(sorted(overdue.mapped('date_maturity')), [TODAY, TODAY])

    def test_due_items_are_those_on_accounts_of_debtors_open_or_not(self):
        Item = self.env['account.move.line']
        moves = self.invoice() | self.credit_note()
        self.assertEqual(moves.line_ids._filter_dunning_due(), moves._get_dunning_items())
        self.assertEqual(
            Item.search([('move_id', 'in', moves.ids), *Item._get_dunning_due_domain()]), moves._get_dunning_items())
        self.assertIn(self.receivable, Item._get_dunning_receivables(self.company))

    def test_an_item_without_due_date_is_due_on_its_own(self):
        item = self.items(self.invoice())
        self.env.cr.execute("UPDATE account_move_line SET date_maturity = NULL WHERE id = %s", item.ids)
        item.invalidate_recordset()
        self.assertEqual(item._get_dunning_due_date(), item.date)
        [[due]] = self.env.execute_query(SQL(
            "SELECT %s FROM account_move_line line WHERE id = %s",
            item._get_dunning_due_date_sql(SQL.identifier('line')), item.id))
        self.assertEqual(due, item.date)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDebtorType(DunningCommon):

    def test_the_planner_and_the_form_treat_a_debtor_alike(self):
        Partner = self.env['res.partner']
        numbers = (False, '/', ' - ', '12345678')
        partners = Partner.create([
            {'name': "Somebody", 'is_company': is_company, 'vat': vat, 'company_registry': registry,
             'dunning_debtor_type': chosen}
            for is_company, vat, registry, chosen in product(
                (False, True), (False, '/', 'NL123456782B90'), numbers, (False, 'consumer', 'government'))])
        found = dict(self.env.execute_query(SQL(
            "SELECT id, %s FROM res_partner debtor WHERE id = ANY(%s)",
            Partner._get_dunning_type_sql(SQL.identifier('debtor')), partners.ids)))
        self.assertEqual(found, {partner.id: partner.dunning_effective_type for partner in partners})
        self.assertEqual(set(found.values()), {'business', 'consumer', 'government'})
        self.assertTrue(all(partners.mapped('dunning_effective_type_reason')))
