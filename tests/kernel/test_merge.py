"""Two contacts turn out to be one debtor: what was said, promised and agreed with either stays."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days

HISTORY = (
    'dunning.notice', 'dunning.hold', 'dunning.call', 'dunning.promise', 'dunning.arrangement', 'dunning.interruption')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMerge(DunningCommon):

    def live(self, debtor):
        """Give a debtor some of everything."""
        self.pay(self.invoice(debtor, due=TODAY - days(40)), on=TODAY - days(30))
        told, promised, arranged = (self.invoice(debtor, amount=amount) for amount in (100.0, 200.0, 300.0))
        self.dun(TODAY + days(5))
        on = TODAY + days(6)
        self.on(on, self.env['dunning.call']).log_call({
            'partner_id': debtor.id, 'outcome': 'promise', 'item_ids': self.items(promised).ids,
            'date': on + days(3)})
        arrangement = self.on(on, self.env['dunning.arrangement'])._make(
            self.company, debtor, self.items(arranged), {
                'instalment_count': 3, 'date_first': on + days(7), 'with_interest': False, 'with_costs': False})
        arrangement._offer()
        arrangement._sign("Jan Jansen", via='paper')
        arrangement._countersign(self.env.user)
        self.on(on, self.env['dunning.hold']).create({
            'move_line_id': self.items(told).id, 'date_end': on + days(5),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
        debtor._get_dunning_page(self.company)
        return told | promised | arranged

    def count(self, debtors):
        return {
            model: self.env[model].search_count([('partner_id', 'in', debtors.ids)]) for model in HISTORY}

    def test_everything_of_both_is_there_afterwards(self):
        first, second = self.make_debtor("Bakker BV"), self.make_debtor("De Bakker BV")
        moves = self.live(first) | self.live(second)
        on = TODAY + days(6)
        self.env['dunning.behaviour']._refresh(self.company, on)
        self.assertEqual(self.env['dunning.behaviour'].search([]).partner_id & (first | second), first | second)
        before = self.count(first | second)
        self.assertTrue(all(before.values()), before)
        letters = {
            notice: (notice.letter_file, notice.left_data) for notice in self.notices_of(moves)
            if notice.state == 'sent'}
        for source, target in ((first, second), (second, self.business)):
            with mute_logger('odoo.addons.base.wizard.base_partner_merge', 'odoo.sql_db'):
                self.env['base.partner.merge.automatic.wizard'].create({})._merge((source | target).ids, target)
            self.env.invalidate_all()
            self.assertFalse(source.exists())
            self.assertEqual(self.count(target), before)
            self.assertEqual(moves.commercial_partner_id & target, target)
        # A letter that left says what it said.
        for notice, (letter, left) in letters.items():
            self.assertEqual((notice.letter_file, notice.left_data), (letter, left))
        # And everything goes on about the one debtor.
        self.env['dunning.behaviour']._refresh(self.company, on)
        self.assertEqual(len(self.env['dunning.behaviour'].search([('partner_id', '=', self.business.id)])), 1)
        self.assertEqual(len(self.env['dunning.page'].search([('partner_id', '=', self.business.id)])), 1)
        for move in moves:
            self.assertExplained(self.decision(move, on))
        self.on(on, self.env['dunning.run'])._plan_company(self.company, on)

    def test_one_withdrawal_is_left_with_what_both_said(self):
        debtors = self.make_debtor("Bakker BV"), self.make_debtor("De Bakker BV"), self.make_debtor("Bakkerij BV")
        moves = [self.invoice(debtor, due=TODAY - days(10), amount=100.0) for debtor in debtors]
        self.dun()
        for move in moves:
            self.pay(move, on=TODAY - days(3))
        Withdrawal = self.env['dunning.withdrawal']
        before = Withdrawal.search([('partner_id', 'in', [debtor.id for debtor in debtors])])
        self.assertEqual(before.mapped('state'), ['proposed'] * 3)
        lines, target = before.line_ids, debtors[2]
        with mute_logger('odoo.addons.base.wizard.base_partner_merge'):
            self.env['base.partner.merge.automatic.wizard'].create({})._merge(
                [debtor.id for debtor in debtors], target)
        self.env.invalidate_all()
        left = before.filtered(lambda withdrawal: withdrawal.state == 'proposed')
        self.assertRecordValues(left, [{'partner_id': target.id, 'amount_wrong': 300.0}])
        self.assertEqual(left.line_ids, lines)
