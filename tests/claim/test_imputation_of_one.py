"""What money is for is the same whether one debtor is asked about or all: only fewer receipts are read."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..common import TODAY, DunningCommon, days
from ..kernel.test_properties import CALM
from ..tools.test_imputation import FULL, OF_OWN

ITEMS, RECEIPTS = 3, 6


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestImputationOfOne(DunningCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.debtors = cls.business | cls.make_debtor("Bakkerij de Korst BV") | cls.make_debtor("Third BV")
        cls.moves = cls.env['account.move'].union(*(
            cls.invoice(debtor, TODAY - days(40 - 5 * number), 100.5 + 40 * number)
            for debtor in cls.debtors for number in range(ITEMS)))
        cls.notices = cls.dun()
        # A payment that went back: it is owed under the number of an invoice that was paid.
        paid = cls.invoice(cls.business, TODAY - days(60), 75.25)
        cls.pay(paid, on=TODAY - days(30))
        cls.bounced = cls.env['account.move'].create({
            'journal_id': cls.bank_journal.id, 'date': TODAY - days(8), 'line_ids': [
                Command.create({
                    'account_id': cls.receivable.id, 'debit': 75.25, 'partner_id': cls.business.id,
                    'name': f"Storno {paid.name} (MD06)", 'date_maturity': TODAY - days(8)}),
                Command.create({
                    'account_id': cls.company_data['default_account_revenue'].id, 'credit': 75.25})]})
        cls.bounced.action_post()
        cls.numbers = [move.name for move in (*cls.moves, paid)]
        cls.amounts = [
            *(move.amount_residual for move in cls.moves), 75.25, *cls.notices.mapped('amount_due'),
            sum(move.amount_residual for move in cls.moves[:ITEMS]) + 75.25,
            sum(move.amount_residual for move in cls.moves[ITEMS:2 * ITEMS]),
            33.33]
        cls.receipts = cls.env['account.bank.statement.line'].create([
            {'journal_id': cls.bank_journal.id, 'date': TODAY - days(RECEIPTS - number), 'amount': 10.0 + number,
             'payment_ref': "Receipt"} for number in range(RECEIPTS)])

    def notice_of(self, debtor):
        return self.notices.filtered(lambda notice: notice.partner_id == debtor)

    def write_receipts(self, random):
        for line in self.receipts:
            names = random.sample(self.numbers, random.choice((0, 1, 1, 2)))
            words = [self.spell(random.choice((*FULL, *OF_OWN)), number) for number in names]
            if random.random() < 0.2:
                # Two short numbers of one debtor, and their sum.
                two = random.sample(list(self.moves[:ITEMS]), 2)
                line.write({
                    'amount': sum(move.amount_residual for move in two), 'partner_id': False, 'partner_name': False,
                    'payment_ref': "facturen " + " en ".join(self.spell('{3}', move.name) for move in two)})
                continue
            words += random.choice(([], [], [random.choice(self.notices).name], ["order 12345"]))
            line.write({
                'amount': random.choice(self.amounts),
                'partner_id': random.choice((False, False, *self.debtors.ids)),
                'partner_name': random.choice((False, "BAKKERIJ DE KORST", "Somebody")),
                'payment_ref': random.choice((" en ", ", ", " ")).join(words) or "transfer"})
        self.env.flush_all()

    @staticmethod
    def spell(pattern, number):
        prefix, year, digits = number.split('/')
        return pattern.format(prefix, year, digits, digits.lstrip('0'))

    def tell(self, imputed, debtor):
        """Return what concerns a debtor."""
        items = self.env['account.move.line'].search([
            ('partner_id', '=', debtor.id), ('reconciled', '=', False),
            ('account_id.account_type', '=', 'asset_receivable')])
        return {
            'ready': imputed.ready.get(debtor.id, 0), 'taken': imputed.taken.get(debtor.id, 0),
            'covered': {item.id: imputed.covered[item.id] for item in items if item.id in imputed.covered},
            'likely': imputed.likely & set(items.ids), 'of_others': imputed.of_others.get(debtor.id, []),
            'entries': {
                entry: found for entry, parts in imputed.entries.items()
                if (found := {item_id: part for item_id, part in parts.items() if item_id in items.ids})},
            'credits': {credit.id for credit in imputed.credits if credit.debtor_id == debtor.id}}

    @settings(CALM, max_examples=20)
    @given(st.integers(0, 10 ** 9))
    def test_one_debtor_is_told_what_all_are_told(self, seed):
        with self.env.cr.savepoint() as savepoint:
            self.write_receipts(Random(seed))
            Imputation = self.env['dunning.imputation']
            whole = Imputation._impute(self.company, TODAY)
            for debtor in self.debtors:
                alone = Imputation._impute(self.company, TODAY, SQL("debtor.id = %s", debtor.id))
                self.assertEqual(
                    self.tell(alone, debtor), self.tell(whole, debtor),
                    self.receipts.mapped(lambda line: (line.payment_ref, line.amount, line.partner_id.name)))
            savepoint.close(rollback=True)
        self.env.invalidate_all()

    def test_what_can_concern_a_debtor_is_read_and_nothing_else(self):
        own, paid = self.moves[:ITEMS], self.numbers[-1]
        line, letter = self.receipts[0], self.notice_of(self.business).name
        other = self.moves[-1].name
        for text, amount, is_read in (
            (own[0].name, 10.0, True), (own[0].name.replace('/', ' '), 10.0, True), (letter, 10.0, True),
            (self.spell('{1}{2}', own[0].name), 10.0, True), (self.spell('{2}', own[0].name), 10.0, True),
            ("", own[1].amount_residual, True), ("", sum(own.mapped('amount_residual')) + 75.25, True),
            (self.spell("facturen {3}", own[0].name) + self.spell(" en {3}", own[1].name),
             sum(own[:2].mapped('amount_residual')), True),
            # The invoice was paid, and the payment went back.
            (paid, 10.0, True), (self.spell('{0} {1} {3}', paid), 10.0, True),
            (other, 10.0, False), (self.spell("factuur {3}", other), 10.0, False), ("transfer", 10.0, False),
            (self.spell("facturen {3}", own[0].name), 9999.0, False),
        ):
            with self.subTest(text=text, amount=amount):
                line.write({'payment_ref': text or "-", 'amount': amount})
                self.env.flush_all()
                read = {
                    credit.id for credit in self.env['dunning.imputation']._impute(
                        self.company, TODAY, SQL("debtor.id = %s", self.business.id)).credits}
                self.assertEqual(bool(read & set(line.move_id.line_ids.ids)), is_read)
