"""Everything that can happen to a debtor, in any order: the laws hold all the same.

Adds to the life of a debtor (``test_properties``) what people and mail servers do: holds, disputes, mails that come
back, addresses that are mended, credit notes, and payments that turn out to be from before a letter.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from odoo.tests import tagged

from ..common import DunningCommon, days
from .test_properties import CALM, LifeOfADebtor

KINDS = ('dispute', 'internal', 'other')


class LifeWithPeople(LifeOfADebtor):

    @property
    def holds(self):
        """The holds that stop something today or softly afterwards."""
        return self.env['dunning.hold'].search([
            ('partner_id', '=', self.case.business.id), ('opened_on', '<=', self.today),
            '|', ('free_on', '=', False), ('free_on', '>', self.today)])

    def withdrawals(self):
        return self.env['dunning.withdrawal'].search([
            ('partner_id', '=', self.case.business.id), ('state', '=', 'proposed')])

    def open_holds(self):
        return self.holds.filtered(lambda hold: not hold.closed_on)

    # --- what happens ---

    @rule()
    def a_month_of_work(self):
        """Most of what happens is that reminders go out."""
        for _week in range(3):
            self.work_goes_on(10)

    @rule(count=st.integers(8, 15))
    def weeks_of_work(self, count):
        self.work_goes_on(count)
        self.work_goes_on(count)

    @precondition(lambda self: self.moves)
    @rule(index=st.integers(0, 9), kind=st.sampled_from(KINDS), lasts=st.sampled_from([3, 30]),
          part=st.sampled_from([None, None, 5.0, 20.0]))
    def hold(self, index, kind, lasts, part):
        move = self.pick(self.moves, index)
        left = sum(self.case.items(move).mapped('amount_residual_currency'))
        if move.state != 'posted' or not left or (part and part > left):
            return
        hold = self.case.on(self.today, self.env['dunning.hold']).create({
            'move_id': move.id, 'date_end': self.today + days(lasts), **({'amount': part} if part else {}),
            'reason_id': self.env.ref(f'l10n_nl_dunning.hold_reason_{kind}').id})
        hold._take_back_notices()

    @precondition(lambda self: self.moves)
    @rule(index=st.integers(0, 9))
    def bounce(self, index):
        """OVERRIDE: a credit note does not turn out not to have happened, only a payment does."""
        items = self.case.items(self.pick(self.moves, index))
        payments = items.matched_credit_ids.credit_move_id.move_id.filtered(
            lambda move: move.move_type == 'entry' and move.state == 'posted')
        payments.line_ids.remove_move_reconcile()
        payments.button_draft()

    @rule(lasts=st.sampled_from([2, 15]))
    def hold_everything(self, lasts):
        if self.open_holds().filtered(lambda hold: hold.scope == 'debtor'):
            return
        hold = self.case.on(self.today, self.env['dunning.hold']).create({
            'partner_id': self.case.business.id, 'date_end': self.today + days(lasts),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id})
        hold._take_back_notices()

    @precondition(lambda self: self.open_holds())
    @rule(index=st.integers(0, 9), right=st.sampled_from(['us', 'debtor', 'partly']))
    def release(self, index, right):
        hold = self.case.on(self.today, self.pick(self.open_holds(), index))
        if hold.is_dispute and hold.dispute_right == 'open':
            hold.write({'dispute_right': right})
        hold._close("Settled.")

    @precondition(lambda self: self.notices('sent').filtered('mail_id'))
    @rule(index=st.integers(0, 9))
    def a_mail_comes_back(self, index):
        notice = self.pick(self.notices('sent').filtered('mail_id'), index)
        self.case.on(self.today, notice)._record_bounced("550 No such user")

    @precondition(lambda self: self.case.business.dunning_email_bounced_on)
    @rule()
    def the_address_is_mended(self):
        self.case.business.dunning_email_bounced_on = False

    @precondition(lambda self: self.moves)
    @rule(index=st.integers(0, 9), share=st.sampled_from([0.5, 1.0]))
    def credit(self, index, share):
        """A credit note that is matched with its invoice."""
        move = self.pick(self.moves, index)
        items = self.case.items(move).filtered(lambda item: not item.reconciled)
        if move.state == 'posted' and items:
            amount = round(sum(items.mapped('amount_residual')) * share, 2)
            note = self.case.credit_note(amount=amount, on=self.today)
            (items | self.case.items(note)).reconcile()

    @precondition(lambda self: self.notices('sent'))
    @rule(index=st.integers(0, 9), before=st.integers(1, 3))
    def it_was_paid_before_the_letter(self, index, before):
        """The bank statement comes late: the money was there when the letter left."""
        notice = self.pick(self.notices('sent'), index)
        items = notice.live_line_ids.move_line_id.filtered(lambda item: not item.reconciled)
        if items:
            self.case.pay(items, on=notice.date - days(before))
            self.env.flush_all()
            self.case.assertTrue(notice.is_wrong, "What was paid before it left is counted")

    @precondition(lambda self: self.withdrawals())
    @rule(index=st.integers(0, 9), silent=st.booleans())
    def withdraw(self, index, silent):
        withdrawal = self.pick(self.withdrawals(), index)
        lines = withdrawal.line_ids
        withdrawal._withdraw(self.today, silent=silent or not withdrawal._get_recipient())
        for line in lines.filtered('withdrawn_on'):
            self.case.assertEqual(line.status, 'withdrawn', "The level is taken back")

    # --- what is always true ---

    def check_what_left(self, notices):
        case = self.case
        decisions = case.plan(self.today, ignore=frozenset({'pending'}))
        for notice in notices:
            fresh = notice.live_line_ids.filtered(lambda line: line.id not in self.left)
            for line in fresh:
                item = line.move_line_id
                case.assertFalse(item.reconciled, "A notice left for what was paid")
                case.assertEqual(line.amount_residual, item.amount_residual)
                case.assertNotEqual(item.move_id.payment_state, 'blocked')
                case.assertTrue(0 <= line.amount_netted + line.amount_held < line.amount_residual)
                stopping = self.holds.filtered(lambda hold, item=item: (
                    hold.scope == 'debtor' or hold.move_id == item.move_id))
                case.assertFalse(
                    stopping.filtered(lambda hold: not hold.is_part and hold.closed_on != self.today),
                    "A notice left for what is on hold, or within its soft days")
                case.assertNotIn(decisions[item.id].reason, ('hold', 'hold_ended', 'netted'))
            case.assertAlmostEqual(notice.amount_due, sum(notice.live_line_ids.mapped(
                lambda line: line.amount_residual - line.amount_netted - line.amount_held)))

    @invariant()
    def holds_end(self):
        for hold in self.env['dunning.hold'].search([('partner_id', '=', self.case.business.id)]):
            self.case.assertTrue(hold.date_end and hold.user_id and hold.reason_id)
            self.case.assertTrue(hold.free_on is False or hold.free_on > hold.ended_on)

    @invariant()
    def no_mail_twice(self):
        """One mail per notice, and never one for a notice that did not leave."""
        notices = self.case.notices_of(self.moves)
        mails = self.env['mail.message'].search([
            ('model', '=', 'dunning.notice'), ('res_id', 'in', notices.ids), ('message_type', '=', 'comment')])
        self.case.assertEqual(len(mails), len(set(mails.mapped('res_id'))))
        silent = notices.filtered(lambda notice: notice.state in ('draft', 'queued', 'todo', 'error'))
        self.case.assertFalse(set(mails.mapped('res_id')) & set(silent.ids))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLifeWithPeople(DunningCommon):

    def test_whatever_people_do_the_laws_hold(self):
        run_state_machine_as_test(
            lambda: LifeWithPeople(self), settings=settings(CALM, max_examples=8, stateful_step_count=30))
