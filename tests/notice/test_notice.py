"""Notices: one contact about n items, never twice, and frozen once it left."""

import base64
import hashlib
import json

from psycopg2 import IntegrityError
from psycopg2.errors import UniqueViolation

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.l10n_nl_dunning.models.kernel.dunning_recorded import RECORDING

from ..common import TODAY, DunningCommon, days, post_message

DUE = TODAY + days(5)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMaking(DunningCommon):

    def test_one_notice_per_debtor_and_level(self):
        other = self.make_debtor("Other BV")
        ours = self.invoice() + self.invoice(due=TODAY - days(1))
        self.invoice(other)
        notices = self.make_notices(DUE)
        self.assertEqual(
            {(notice.partner_id, notice.line_count, notice.amount_due) for notice in notices},
            {(self.business, 2, 200.0), (other, 1, 100.0)})
        self.assertEqual(self.notices_of(ours).state, 'draft')

    def test_items_at_different_levels_share_a_notice(self):
        self.invoice()
        self.dun(DUE)
        self.invoice(due=TODAY + days(14))
        notice = self.make_notices(TODAY + days(19))
        self.assertEqual(notice.level_id, self.demand)
        self.assertEqual(notice.line_ids.level_id, self.reminder + self.demand)

    def test_each_contact_on_the_invoices_gets_his_own(self):
        first = self.make_contact(self.business, "Ann", email='ann@debtor.example.com')
        second = self.make_contact(self.business, "Bob", email='bob@debtor.example.com')
        self.invoice(first)
        self.invoice(second)
        notices = self.make_notices(DUE)
        self.assertEqual(notices.recipient_id, first + second)
        self.assertEqual(notices.partner_id, self.business)

    def test_the_contact_for_reminders_gets_them_all(self):
        contact = self.make_contact(self.business, "Accounts", type='dunning', email='ap@debtor.example.com')
        self.invoice(self.make_contact(self.business, "Ann", email='ann@debtor.example.com'))
        self.invoice()
        notice = self.make_notices(DUE)
        self.assertRecordValues(notice, [{'recipient_id': contact.id, 'line_count': 2}])

    def test_what_becomes_due_joins_the_proposal_that_waits(self):
        self.invoice()
        notice = self.make_notices(DUE)
        self.invoice(due=TODAY + days(1))
        self.assertEqual(self.make_notices(DUE + days(1)), notice)
        self.assertRecordValues(notice, [{'line_count': 2, 'amount_due': 200.0, 'state': 'draft'}])

    def test_nothing_joins_what_left_or_is_in_the_queue(self):
        self.invoice()
        sent = self.dun(DUE)
        self.invoice(due=TODAY + days(1))
        queued = self.make_notices(DUE + days(1))
        self.assertNotEqual(queued, sent)
        queued._queue()
        self.invoice(due=TODAY + days(2))
        self.assertNotIn(self.make_notices(DUE + days(2)), sent | queued)

    def test_a_second_run_on_the_same_day_makes_nothing(self):
        self.invoice()
        self.assertTrue(self.make_notices(DUE))
        self.assertFalse(self.make_notices(DUE))
        self.dun(DUE)
        self.assertFalse(self.make_notices(DUE))

    def test_numbers_are_unique_and_given_at_once(self):
        for number in range(3):
            self.invoice(self.make_debtor(f"Debtor{number} BV"))
        notices = self.make_notices(DUE)
        self.assertEqual(len(set(notices.mapped('name'))), 3)
        self.assertTrue(all(notices.mapped('name')))

    def test_the_year_in_the_number_is_that_of_the_day_and_no_browser_can_leave_the_number_out(self):
        self.env.ref('l10n_nl_dunning.sequence_notice').sudo().prefix = 'T%(year)s-'
        self.invoice()
        run = self.env['dunning.run'].with_context(dunning_at_date=DUE, dunning_preview=True)
        notice = run._plan_company(self.company, DUE)['notices']
        self.assertRegex(notice.name, r'^T2025-\d+$')

    def test_numbering_follows_a_sequence_without_gaps_too(self):
        sequence = self.env.ref('l10n_nl_dunning.sequence_notice').sudo()
        sequence.write({'implementation': 'no_gap', 'prefix': 'X-', 'number_next': 7, 'padding': 3})
        self.invoice()
        self.invoice(self.make_debtor("Other BV"))
        self.assertEqual(self.make_notices(DUE).mapped('name'), ['X-007', 'X-008'])

    def test_the_debtor_has_the_highest_level_of_its_open_invoices(self):
        first = self.invoice()
        self.dun(DUE)
        self.invoice(due=TODAY + days(14))
        self.dun(TODAY + days(19))
        self.assertEqual(self.business.dunning_level_id, self.demand)
        self.pay(first)
        self.business.invalidate_recordset()
        self.assertEqual(self.business.dunning_level_id, self.reminder)
        contact = self.make_contact(self.business, "Ann")
        self.assertEqual(contact.dunning_level_id, self.reminder)

    def test_debtors_are_found_by_level_and_by_what_is_overdue(self):
        self.invoice()
        nobody = self.make_debtor("Nobody BV")
        self.dun(DUE)
        Partner = self.on(DUE, self.env['res.partner'])
        both = [('id', 'in', (self.business + nobody).ids)]
        self.assertEqual(Partner.search([*both, ('dunning_level_id', '=', self.reminder.id)]), self.business)
        self.assertEqual(Partner.search([*both, ('dunning_level_id', '!=', False)]), self.business)
        self.assertEqual(Partner.search([*both, ('dunning_level_id', '=', False)]), nobody)
        self.assertEqual(Partner.search([*both, ('dunning_level_id.name', '=', "Reminder")]), self.business)
        self.assertEqual(Partner.search([*both, ('dunning_level_id', '!=', self.reminder.id)]), nobody)
        self.assertEqual(Partner.search([*both, ('dunning_amount_overdue', '>', 0)]), self.business)
        self.assertEqual(Partner.search([*both, ('dunning_amount_overdue', '<', 50)]), nobody)
        self.assertEqual(Partner.search([*both, ('dunning_amount_overdue', '>=', 0)]), self.business + nobody)
        self.assertFalse(Partner.search([*both, ('dunning_amount_overdue', '>', 100)]))
        business = self.on(DUE, self.business)
        self.assertEqual(
            (business.dunning_amount_overdue, business.dunning_items_overdue, business.dunning_days_overdue),
            (100.0, 1, 5))

    def test_invoices_are_found_by_days_overdue(self):
        old, new = self.invoice(due=TODAY - days(10)), self.invoice(due=TODAY)
        Move = self.on(TODAY + days(5), self.env['account.move'])
        mine = [('id', 'in', (old + new).ids)]
        self.assertEqual(self.on(TODAY + days(5), old + new).mapped('dunning_days_overdue'), [15, 5])
        for operator, value, expected in (
            ('>', 5, old), ('>=', 5, old + new), ('>=', 15, old), ('>', 15, old.browse()),
            ('<', 15, new), ('<=', 15, old + new), ('>', 0, old + new),
        ):
            found = Move.search([*mine, ('dunning_days_overdue', operator, value)])
            self.assertEqual(found, expected, f"{operator} {value}")

    def test_the_invoice_tells_its_next_step_and_why(self):
        invoice = self.on(TODAY + days(1), self.invoice())
        [answer] = invoice.get_dunning_reason()
        self.assertEqual(answer['reason'], 'waiting_delay')
        self.assertEqual(answer['next_level_id'], self.reminder.id)
        self.assertEqual(answer['changes_on'], str(TODAY + days(5)))
        self.assertIn("Reminder", invoice.dunning_reason)
        self.assertFalse(invoice.dunning_is_due)
        invoice = self.on(DUE, invoice)
        [answer] = invoice.get_dunning_reason()
        self.assertEqual((answer['reason'], answer['next_level_id']), ('due', self.reminder.id))
        self.assertTrue(invoice.dunning_is_due)
        self.pay(invoice)
        invoice.invalidate_recordset()
        [answer] = invoice.get_dunning_reason()
        self.assertEqual((answer['reason'], answer['changes_on']), ('settled', False))
        self.assertFalse(invoice.dunning_is_due)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestNothingTwice(DunningCommon):

    def line_values(self, notice, invoice):
        return {'notice_id': notice.id, 'move_line_id': self.items(invoice).id, 'move_id': invoice.id}

    def assertRefused(self, notice, invoice):
        with self.assertRaises(UniqueViolation), mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            self.env['dunning.notice.line'].with_context(dunning_recording=RECORDING).create(
                self.line_values(notice, invoice))
            self.env.flush_all()

    def test_the_database_refuses_a_second_pending_line(self):
        invoice = self.invoice()
        self.make_notices(DUE)
        self.invoice(self.make_debtor("Other BV"))
        other = self.make_notices(DUE)
        self.assertRefused(other, invoice)

    def test_the_database_refuses_a_level_twice(self):
        invoice = self.invoice()
        sent = self.dun(DUE)
        self.assertRefused(sent, invoice)

    def test_a_cancelled_line_makes_room(self):
        invoice = self.invoice()
        first = self.make_notices(DUE)
        first.action_cancel()
        second = self.make_notices(DUE)
        self.assertEqual(self.notices_of(invoice), first + second)
        self.assertEqual(self.items(invoice).id, second.line_ids.move_line_id.id)

    def test_of_two_planners_the_first_wins_and_the_other_debtors_get_theirs(self):
        """Both asked before either wrote: the unique index decides."""
        first, other = self.invoice(), self.invoice(self.make_debtor("Other BV"))
        run = self.on(DUE, self.env['dunning.run'])
        decisions = self.env['dunning.planner']._plan(self.company, DUE, only_due=True)
        groups, _postponed = run.env['dunning.planner']._cap_backlog(self.company, DUE, decisions)
        # The first planner was only as far as one debtor, and sent that notice already.
        mine = [group for group in groups if group[0].move_id == first.id]
        winner = run._make_notices(self.company, DUE, mine)
        self.send(winner, DUE)
        made = run._make_notices(self.company, DUE, groups)
        self.assertEqual(made, self.notices_of(other))
        self.assertEqual(self.notices_of(first), winner)

    def test_one_debtor_for_whom_no_notice_can_be_made_does_not_stop_the_others(self):
        broken, fine = self.make_debtor("Broken BV"), self.make_debtor("Fine BV")
        self.invoice(broken)
        good = self.invoice(fine)
        original = self.registry['dunning.notice']._create_from_decisions

        def fail(notices, company, decisions, *args, **kwargs):
            if any(decision.partner_id == broken.id for decision in decisions):
                raise ValueError("broken")
            return original(notices, company, decisions, *args, **kwargs)

        self.patch(self.registry['dunning.notice'], '_create_from_decisions', fail)
        with mute_logger('odoo.addons.l10n_nl_dunning.models.sending.dunning_run'):
            self.assertEqual(self.make_notices(DUE), self.notices_of(good))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFrozen(DunningCommon):
    """Sent is frozen; and what waits follows from the ledger, not from a user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.sent = cls.dun(DUE)
        cls.other_move = cls.invoice(cls.make_debtor("Other BV"))
        cls.proposal = cls.make_notices(DUE)

    #: What an integration or a browser can put into a context.
    TRICKS = (
        {},
        {'dunning_recording': True},
        {'dunning_recording': 1},
        {'dunning_recording': {}},
        {'dunning_recording': 'object'},
        {'install_mode': True, 'tracking_disable': True, 'module': 'l10n_nl_dunning'},
    )

    def tricked(self, records):
        for trick in self.TRICKS:
            # As it arrives: through JSON.
            yield records.with_context(**json.loads(json.dumps(trick)))

    def test_a_sent_notice_cannot_be_written(self):
        for notice in self.tricked(self.sent):
            for values in (
                {'amount_due': 1}, {'state': 'draft'}, {'date': TODAY}, {'deadline': TODAY}, {'subject': "x"},
                {'body_intro': "x"}, {'letter_file': base64.b64encode(b'x')}, {'letter_sha256': 'x'},
                {'channel': 'letter'}, {'note': "x"}, {'line_ids': [Command.clear()]}, {'name': 'x'},
                {'line_ids': [Command.update(self.sent.line_ids.id, {'amount_residual': 1})]}, {'sent_on': False},
            ):
                with self.assertRaises(UserError, msg=f"{values}"):
                    notice.write(values)

    def test_the_lines_of_a_sent_notice_cannot_be_written(self):
        for line in self.tricked(self.sent.line_ids):
            for values in ({'amount_residual': 1}, {'drop_reason': 'x'}, {'status': 'cancelled'}, {'name': 'x'}):
                with self.assertRaises(UserError):
                    line.write(values)

    def test_nothing_sent_can_be_deleted(self):
        for notice in self.tricked(self.sent):
            with self.assertRaises(UserError):
                notice.unlink()
            with self.assertRaises(UserError):
                notice.line_ids.unlink()
        self.assertTrue(self.sent.exists().line_ids)

    def test_the_letter_of_a_sent_notice_cannot_be_replaced_behind_its_back(self):
        letter = self.env['ir.attachment'].sudo().search([
            ('res_model', '=', 'dunning.notice'), ('res_field', '=', 'letter_file'), ('res_id', '=', self.sent.id)])
        self.assertEqual(len(letter), 1)
        content = letter.raw
        for attachment in self.tricked(letter):
            for values in (
                {'raw': b'other'}, {'datas': base64.b64encode(b'other')}, {'res_id': self.proposal.id},
                {'res_field': False}, {'db_datas': b'other'}, {'res_model': 'res.partner'},
            ):
                with self.assertRaises(UserError, msg=f"{values}"):
                    attachment.write(values)
            with self.assertRaises(UserError):
                attachment.unlink()
        # Moving it to another storage writes the same content again.
        letter.write({'raw': content, 'mimetype': letter.mimetype})
        self.assertEqual(base64.b64decode(self.sent.letter_file), content)

    def test_no_notice_is_made_by_hand(self):
        values = {
            'company_id': self.company.id, 'partner_id': self.business.id, 'recipient_id': self.business.id,
            'currency_id': self.company.currency_id.id, 'level_id': self.reminder.id, 'channel': 'email',
            'date_planned': TODAY, 'state': 'sent'}
        for Notice in self.tricked(self.env['dunning.notice']):
            with self.assertRaises(UserError):
                Notice.create(values)
        for Line in self.tricked(self.env['dunning.notice.line']):
            with self.assertRaises(UserError):
                Line.create({'notice_id': self.proposal.id, 'move_line_id': self.items(self.move).id})

    def test_of_a_proposal_only_channel_recipient_language_and_note_are_the_users(self):
        self.proposal.write({'channel': 'letter', 'lang': 'en_US', 'note': "Mind the tone"})
        self.assertRecordValues(self.proposal, [{'channel': 'letter', 'lang': 'en_US', 'note': "Mind the tone"}])
        for values in ({'state': 'sent'}, {'level_id': self.final.id}, {'partner_id': self.business.id},
                       {'amount_due': 1}, {'line_ids': [Command.clear()]}, {'forced': True}, {'date': TODAY}):
            with self.assertRaises(UserError, msg=f"{values}"):
                self.proposal.write(values)
        with self.assertRaises(UserError):
            self.proposal.line_ids.unlink()

    def test_a_letter_that_was_made_keeps_its_channel_and_addressee(self):
        self.proposal.channel = 'letter'
        self.send(self.proposal, DUE)
        self.assertEqual(self.proposal.state, 'to_post')
        for values in ({'channel': 'email'}, {'recipient_id': self.business.id}, {'lang': 'en_US'}):
            with self.assertRaises(UserError):
                self.proposal.write(values)
        self.proposal.note = "Second window envelope"

    def test_chatter_and_activities_go_on_after_it_left(self):
        post_message(self.sent, "He called back")
        self.sent.activity_schedule('mail.mail_activity_data_todo', user_id=self.env.uid)
        self.assertEqual(len(self.sent.activity_ids), 1)

    def test_a_proposal_can_be_deleted_and_its_item_planned_again(self):
        self.proposal.unlink()
        self.assertEqual(self.reason(self.other_move, DUE), 'due')

    def test_a_sent_notice_shows_what_was_owed_then(self):
        self.pay(self.move, 60)
        self.assertRecordValues(self.sent, [{'amount_due': 100.0, 'amount_residual': 100.0}])
        self.pay(self.move)
        self.assertRecordValues(self.sent.line_ids, [{'amount_residual': 100.0, 'name': self.move.name}])
        letter = base64.b64decode(self.sent.letter_file)
        self.assertEqual(self.sent.letter_sha256, hashlib.sha256(letter).hexdigest())

    def test_levels_and_policies_that_were_used_stay(self):
        for records in (self.reminder, self.ladder):
            with self.assertRaises(UserError):
                records.unlink()
        # Unused ones go.
        self.final.unlink()
        self.make_policy("Unused", [{}]).unlink()

    def test_the_text_of_a_level_can_change_without_changing_what_was_said(self):
        before = self.sent.body_intro
        self.assertIn("100", before)
        self.reminder.letter_intro = "<p>Other words</p>"
        self.env.invalidate_all()
        self.assertEqual(self.sent.body_intro, before)

    def test_an_invoice_reset_to_draft_keeps_its_proof_and_its_place_on_the_ladder(self):
        self.move.button_draft()
        self.assertEqual(self.reason(self.move, DUE + days(30)), 'not_posted')
        self.move.invoice_line_ids.price_unit = 80
        self.move.action_post()
        self.assertRecordValues(self.sent.line_ids, [{'amount_residual': 100.0, 'status': 'sent'}])
        decision = self.decision(self.move, DUE + days(30))
        self.assertEqual((decision.level_id, decision.amount_residual), (self.demand.id, 80.0))

    def test_an_invoice_that_was_raised_keeps_its_proof_and_is_reminded_from_the_start(self):
        """Nobody was told of the higher amount; what was told of the lower one stays written down."""
        self.move.button_draft()
        self.move.invoice_line_ids.price_unit = 120
        self.move.action_post()
        self.assertRecordValues(self.sent.line_ids, [{'amount_residual': 100.0, 'status': 'sent'}])
        decision = self.decision(self.move, DUE + days(30))
        self.assertEqual((decision.level_id, decision.amount_residual), (self.reminder.id, 120.0))
        again = self.dun(DUE + days(30)).filtered(lambda notice: notice.partner_id == self.business)
        self.assertRecordValues(again, [{'level_id': self.reminder.id, 'amount_due': 120.0, 'state': 'sent'}])
        self.assertRecordValues(self.sent.line_ids, [{'amount_residual': 100.0, 'status': 'void'}])

    def test_an_invoice_that_is_due_later_now_is_reminded_from_the_start(self):
        """When it was reminded nothing was due yet, by what the debtor has to keep to now."""
        self.move.button_draft()
        self.move.invoice_date_due = TODAY + days(20)
        self.move.action_post()
        self.assertEqual(self.reason(self.move, TODAY + days(20)), 'not_due')
        self.assertEqual(self.decision(self.move, TODAY + days(30)).level_id, self.reminder.id)

    def test_an_invoice_that_is_due_earlier_now_keeps_its_place(self):
        self.move.button_draft()
        self.move.invoice_date_due = TODAY - days(20)
        self.move.action_post()
        self.assertEqual(self.decision(self.move, TODAY + days(30)).level_id, self.demand.id)

    def test_a_deleted_invoice_leaves_the_proof(self):
        draft = self.move
        draft.button_draft()
        name = draft.name
        draft.with_context(force_delete=True).unlink()
        self.env.invalidate_all()
        self.assertRecordValues(self.sent.line_ids, [{
            'move_line_id': False, 'move_id': False, 'amount_residual': 100.0, 'name': name, 'status': 'sent'}])
        self.assertTrue(self.sent.letter_file)

    def test_a_deleted_invoice_takes_its_proposal_away(self):
        self.other_move.button_draft()
        self.other_move.with_context(force_delete=True).unlink()
        self.env.invalidate_all()
        self.make_notices(DUE + days(1))
        self.assertEqual(self.proposal.state, 'cancelled')
        self.assertTrue(self.proposal.cancel_reason)

    def test_a_debtor_with_notices_cannot_be_deleted(self):
        debtor = self.other_move.partner_id
        self.other_move.button_draft()
        self.other_move.with_context(force_delete=True).unlink()
        with self.assertRaises(IntegrityError), mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            debtor.unlink()
        self.assertTrue(debtor.exists())


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLadderRules(DunningCommon):
    """What a manager may not configure."""

    def test_negative_days_only_before_the_due_date(self):
        self.make_policy("Friendly", [{'delay_days': -3}])
        with self.assertRaises(ValidationError):
            self.make_policy("Odd", [{'delay_days': -3, 'delay_from': 'previous_deadline'}])

    def test_terms_amounts_and_caps_are_not_negative(self):
        for record, values in (
            (self.reminder, {'payment_term_days': -1}), (self.reminder, {'expire_days': -1}),
            (self.ladder, {'minimum_amount': -1}), (self.company, {'dunning_keep_months': -1}),
        ):
            with self.assertRaises(IntegrityError), mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                record.write(values)
                self.env.flush_all()

    def test_a_copied_policy_has_its_own_levels(self):
        copied = self.ladder.copy()
        self.assertEqual(copied.level_ids.mapped('name'), self.ladder.level_ids.mapped('name'))
        self.assertFalse(copied.level_ids & self.ladder.level_ids)
        self.assertNotEqual(copied.name, self.ladder.name)
