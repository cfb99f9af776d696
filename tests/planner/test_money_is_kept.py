"""Money is set against what its payer names, then against the oldest: none is lost and none is used twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from ..common import TODAY, DunningCommon, days
from ..kernel.test_properties import CALM

ITEMS, RECEIPTS = 3, 4  # of each of two debtors; of anybody
UNKNOWN = 2


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMoneyIsKept(DunningCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.debtors = cls.business | cls.make_debtor("Other BV")
        # Half a euro on each: no receipt is exactly the sum of one, so only what it names tells what it is for.
        cls.moves = [
            cls.invoice(debtor, TODAY - days(40 - 5 * number), 100.5 + 40 * number)
            for debtor in cls.debtors for number in range(ITEMS)]
        cls.due = [cls.items(move) for move in cls.moves]
        cls.receipts = cls.env['account.bank.statement.line'].create([
            {'journal_id': cls.bank_journal.id, 'date': TODAY - days(RECEIPTS - number), 'amount': 10.0 + number,
             'payment_ref': "Receipt"} for number in range(RECEIPTS)])

    def write_receipts(self, receipts):
        for line, (payer, amount, named) in zip(self.receipts, receipts, strict=True):
            line.write({
                'amount': amount, 'partner_id': self.debtors[payer].id if payer < UNKNOWN else False,
                'payment_ref': "Thanks for " + " and ".join(self.moves[number].name for number in named)})
        self.env.flush_all()

    def expect(self, receipts):
        """Return what is left of each item, worked out one receipt after the other in cents."""
        left = [10050 + 4000 * (number % ITEMS) for number in range(2 * ITEMS)]
        rest = [0, 0]
        for payer, amount, named in receipts:
            money = 100 * amount
            for number in sorted(set(named), key=lambda number: (number % ITEMS, self.due[number].id)):
                taken = min(money, left[number])
                left[number] -= taken
                money -= taken
            if payer < UNKNOWN:
                rest[payer] += money
        for debtor, money in enumerate(rest):
            for number in range(debtor * ITEMS, (debtor + 1) * ITEMS):
                taken = min(money, left[number])
                left[number] -= taken
                money -= taken
        return left

    @settings(CALM, max_examples=40)
    @given(st.lists(
        st.tuples(
            st.integers(0, UNKNOWN), st.integers(1, 300),
            st.lists(st.integers(0, 2 * ITEMS - 1), max_size=2)),
        min_size=RECEIPTS, max_size=RECEIPTS))
    def test_what_is_asked_and_what_is_set_off_is_what_is_open(self, receipts):
        with self.env.cr.savepoint() as savepoint:
            self.write_receipts(receipts)
            plan = self.plan(items=self.env['account.move.line'].union(*self.due))
            found = [plan[item.id] for item in self.due]
            self.assertEqual([round(100 * decision.amount_due) for decision in found], self.expect(receipts))
            for decision in found:
                self.assertEqual(decision.reason == 'netted', decision.amount_due == 0)
            savepoint.close(rollback=True)
        self.env.invalidate_all()
