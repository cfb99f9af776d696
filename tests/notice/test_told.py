"""What was told, was told to somebody: a notice counts for the debtor it went to, and for nobody else."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTold(DunningCommon):
    """An invoice that was addressed to the wrong one, reminded, and given to the right one."""

    def setUp(self):
        super().setUp()
        self.wrong = self.make_debtor("Verkeerd BV")
        self.right = self.make_debtor("Goed BV")
        self.move = self.invoice(self.wrong, TODAY - days(40), 1000.0)
        self.told = self.mails_leave(self.dun())

    def give(self, move, debtor, **values):
        """Reset an invoice to draft, address it to somebody else and post it again."""
        due = self.items(move)[:1].date_maturity
        move.button_draft()
        move.write({'partner_id': debtor.id, 'invoice_payment_term_id': False, 'invoice_date_due': due, **values})
        move.action_post()
        move.is_move_sent = True
        self.env.flush_all()

    def test_the_right_debtor_starts_at_the_first_level(self):
        self.dun(TODAY + days(14))
        self.assertEqual(self.move.dunning_level_id, self.demand)
        self.give(self.move, self.right)
        decision = self.decision(self.move, TODAY + days(15))
        self.assertEqual(
            (decision.reason, decision.partner_id, decision.level_id, decision.last_level_id),
            (None, self.right.id, self.reminder.id, None))
        self.assertFalse(self.move.dunning_level_id)
        self.assertFalse(self.items(self.move).dunning_level_id)
        self.assertFalse(self.right.dunning_level_id)
        self.assertNotIn(self.items(self.move), self.items(self.move).search([('dunning_level_id', '!=', False)]))
        notice = self.dun(TODAY + days(15))
        self.assertRecordValues(notice, [{
            'partner_id': self.right.id, 'level_id': self.reminder.id, 'state': 'sent', 'history_text': ''}])
        self.assertEqual(self.move.dunning_level_id, self.reminder)
        self.assertEqual(self.decision(self.move, TODAY + days(29)).level_id, self.demand.id)

    def test_by_hand_without_a_planning_in_between(self):
        """The reminder of the other one is in nobody's way."""
        self.give(self.move, self.right)
        day = TODAY + days(1)
        wizard = self.on(day, self.move).action_dunning_send()
        wizard = self.on(day, self.env[wizard['res_model']]).browse(wizard['res_id'])
        wizard.action_send_now()
        notice = self.accept(self.notices_of(self.move) - self.told, day)
        self.assertRecordValues(notice, [{'partner_id': self.right.id, 'level_id': self.reminder.id, 'state': 'sent'}])
        self.assertEqual(self.told.line_ids.status, 'void')
        self.assertIn("another debtor", self.told.line_ids.void_reason)

    def test_a_draft_shows_no_level_of_another_either(self):
        self.move.button_draft()
        self.move.partner_id = self.right
        self.env.flush_all()
        self.assertFalse(self.move.dunning_level_id)

    def test_what_is_owed_no_more_has_no_level(self):
        """Reset and cancelled, or reset and posted again, in one go or not: the level is that of what is owed now."""
        other = self.invoice(self.wrong, TODAY - days(9), 75.0)
        self.dun(TODAY + days(1))
        both = self.move | other
        self.assertEqual(both.dunning_level_id, self.reminder)
        both.button_draft()
        self.assertFalse(both.dunning_level_id)
        self.assertFalse(self.items(both).dunning_level_id)
        other.button_cancel()
        self.move.action_post()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.move.dunning_level_id, self.reminder, "The same debt of the same debtor")
        self.assertFalse(other.dunning_level_id)
        self.assertNotIn(other, other.search([('dunning_level_id', '!=', False)]))
        self.assertNotIn(self.items(other), self.items(other).search([('dunning_level_id', '!=', False)]))

    def test_of_instalments_each_is_told_to_somebody(self):
        move = self.invoice(self.wrong, instalments=[(40, TODAY - days(40)), (60, TODAY - days(10))])
        self.dun(TODAY + days(1))
        self.assertEqual(self.items(move).dunning_level_id, self.reminder)
        self.give(move, self.right, invoice_payment_term_id=move.invoice_payment_term_id.id)
        found = self.plan(TODAY + days(20), self.items(move))
        self.assertEqual({decision.level_id for decision in found.values()}, {self.reminder.id})

    def test_what_was_passed_over_was_passed_over_for_somebody(self):
        self.demand.write({'channel': 'phone', 'expire_days': 2})
        self.dun(TODAY + days(14))
        self.make_notices(TODAY + days(17))
        self.assertEqual(self.notices_of(self.move).mapped('state'), ['sent', 'skipped'])
        self.give(self.move, self.right)
        self.assertIsNone(self.decision(self.move, TODAY + days(18)).last_level_id)

    def test_a_proposal_for_the_one_keeps_nobody_waiting_for_the_other(self):
        move = self.invoice(self.wrong, TODAY - days(10), 50.0)
        waiting = self.make_notices(TODAY + days(1))
        self.give(move, self.right)
        notices = self.make_notices(TODAY + days(2))
        self.assertEqual(waiting.state, 'cancelled')
        self.assertIn((self.right, self.reminder), [(notice.partner_id, notice.level_id) for notice in notices])

    def test_the_contacts_of_the_one_are_not_those_of_the_other(self):
        self.company.dunning_contacts_per_week = 1
        self.give(self.move, self.right)
        self.assertEqual(self.reason(self.move, TODAY + days(1)), 'due')

    def test_merged_contacts_keep_what_they_were_told(self):
        twin = self.make_debtor("Verkeerd B.V.")
        with mute_logger('odoo.addons.base.wizard.base_partner_merge', 'odoo.sql_db'):
            self.env['base.partner.merge.automatic.wizard'].create({})._merge((self.wrong | twin).ids, twin)
        self.env.invalidate_all()
        decision = self.decision(self.move, TODAY + days(14))
        self.assertEqual((decision.last_level_id, decision.level_id), (self.reminder.id, self.demand.id))
        self.make_notices(TODAY + days(14))
        self.assertEqual(self.told.line_ids.status, 'sent')
        self.assertEqual((self.move.dunning_level_id, twin.dunning_level_id), (self.reminder,) * 2)

    def test_money_of_the_right_one_makes_no_wrong_notice_of_the_other(self):
        self.give(self.move, self.right)
        self.pay(self.move, on=TODAY - days(2))
        self.env['dunning.withdrawal']._look_again(self.company, TODAY + days(1))
        self.assertFalse(self.told.wrong_amount)

    def test_a_hold_of_the_one_holds_nothing_of_the_other(self):
        reason = self.env.ref('l10n_nl_dunning.hold_reason_dispute')
        for values in ({'move_line_id': self.items(self.move).id}, {'move_id': self.move.id}):
            self.on(TODAY, self.env['dunning.hold']).create({
                **values, 'reason_id': reason.id, 'date_end': TODAY + days(20)})
        self.assertEqual(self.reason(self.move, TODAY + days(14)), 'hold')
        self.give(self.move, self.right)
        self.assertEqual(self.reason(self.move, TODAY + days(14)), 'due')
        self.assertFalse(self.env['dunning.hold']._get_items_in_dispute(self.items(self.move)))

    def test_a_promise_of_the_one_is_none_of_the_other(self):
        item = self.items(self.move)
        promise = self.on(TODAY, self.env['dunning.promise'])._make(
            self.company, self.wrong, TODAY + days(9), items=item)
        self.give(self.move, self.right)
        self.assertEqual(self.reason(self.move, TODAY + days(8)), 'due')
        self.env['dunning.promise']._judge(self.company, TODAY + days(8))
        self.assertEqual(promise.state, 'cancelled')
        self.assertFalse(promise.activity_ids)

    def test_an_arrangement_of_the_one_is_none_of_the_other(self):
        arrangement = self.on(TODAY, self.env['dunning.arrangement'])._make(
            self.company, self.wrong, self.items(self.move), {
                'instalment_count': 3, 'date_first': TODAY + days(7), 'with_interest': False, 'with_costs': False})
        arrangement._offer()
        arrangement._sign("Jan Jansen", via='paper')
        arrangement._countersign(self.env.user)
        self.give(self.move, self.right)
        self.assertEqual(self.reason(self.move, TODAY + days(14)), 'due')
        self.env['dunning.arrangement']._judge(self.company, TODAY + days(2))
        self.assertEqual((arrangement.state, arrangement.close_code), ('cancelled', 'credited'))
        self.assertEqual(self.reason(self.move, TODAY + days(14)), 'due')
