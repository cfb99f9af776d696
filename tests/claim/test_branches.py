"""A head office and its branch are one creditor: one ladder, one letter, one set-off. Sister companies are not."""

import importlib.util
import json
from datetime import date
from pathlib import Path
from unittest.mock import patch

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import TODAY, days
from .test_fourteen_day import DUE, MONDAY, FourteenDayCommon


class BranchCommon(FourteenDayCommon):
    """A company with a branch, and a sister company; the user works for all of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sister = cls.setup_other_company(name="Zus BV")['company']
        cls.branch = cls.env['res.company'].create({'name': "Filiaal", 'parent_id': cls.company.id})
        cls.env.cr.precommit.run()  # the chart of accounts
        cls.env.user.company_ids |= cls.branch
        cls.env = cls.env['base'].with_context(
            allowed_company_ids=[cls.company.id, cls.branch.id, cls.sister.id]).env

    @classmethod
    def make_clerk(cls, *companies, groups='account.group_account_invoice'):
        """Return a user who works for these companies only."""
        companies = cls.env['res.company'].union(*companies)
        return new_test_user(
            cls.env, f"clerk {'-'.join(map(str, companies.ids))} {groups}", groups=groups,
            company_id=companies[0].id, company_ids=[Command.set(companies.ids)])

    def as_user(self, user, records=None):
        """Return records (or an environment) as a user sees them who chose all of the companies."""
        self.env.flush_all()
        self.env.invalidate_all()
        env = self.env(user=user, context={**self.env.context, 'allowed_company_ids': user.company_ids.ids})
        return env if records is None else records.with_env(env)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCreditor(BranchCommon):
    """Who the creditor is, and what its companies share."""

    def test_a_branch_belongs_to_its_head_office(self):
        self.assertEqual((self.branch | self.company).dunning_creditor_id, self.company)
        both = (self.company.id, self.branch.id)
        self.assertEqual(self.branch._get_dunning_company_ids(), both)
        self.assertEqual(self.company._get_dunning_company_ids(), both)

    def test_several_branches_belong_to_their_head_office(self):
        """Also when they are made or become a legal person together, and below another branch."""
        both = self.env['res.company'].create([
            {'name': name, 'parent_id': self.company.id} for name in ("Utrecht", "Breda")])
        below = self.env['res.company'].create({'name': "Below", 'parent_id': both[0].id})
        branches = self.branch | both | below
        self.assertEqual((branches | self.company).dunning_creditor_id, self.company)
        self.assertEqual(below._get_dunning_company_ids(), tuple(sorted((branches | self.company).ids)))
        both.dunning_legal_person = True
        self.assertEqual([company.dunning_creditor_id for company in self.company | branches], [
            self.company, self.company, *both, both[0]])
        both.dunning_legal_person = False
        self.assertEqual((branches | self.company).dunning_creditor_id, self.company)

    def test_a_legal_person_of_its_own_is_a_creditor(self):
        move, head = self.invoice(due=TODAY - days(20), company=self.branch), self.invoice(due=TODAY - days(20))
        self.receive(amount=200.0)
        self.assertEqual((self.reason(move), self.reason(head)), ('netted', 'netted'))
        self.branch.dunning_legal_person = True
        self.branch.write({'dunning_start_date': '2020-01-01'})
        self.use_policy(self.ladder, self.branch)
        self.assertEqual(self.branch._get_dunning_company_ids(), (self.branch.id,))
        self.assertEqual((self.reason(move), self.reason(head)), ('due', 'netted'))
        self.branch.dunning_legal_person = False
        self.assertEqual((self.reason(move), self.reason(head)), ('netted', 'netted'))
        self.assertIn("belongs to the creditor", self.branch.partner_id.message_ids[0].body)

    def test_settings_about_the_debtor_are_of_the_creditor(self):
        self.branch.dunning_contacts_per_week = 5
        self.assertEqual(self.company.dunning_contacts_per_week, 5)
        self.company.dunning_term_agreed_consumer = False
        self.assertFalse(self.branch.dunning_term_agreed_consumer)

    def test_a_branch_without_settings_of_its_own_follows(self):
        self.assertFalse(self.branch.dunning_policy_business_id)
        self.assertFalse(self.branch.dunning_start_date)
        move = self.invoice(due=TODAY - days(20), company=self.branch)
        self.assertEqual(self.decision(move).policy_id, self.ladder.id)
        self.branch.dunning_oldest_due_date = TODAY
        self.assertEqual(self.reason(move), 'backlog')
        self.assertEqual(self.reason(self.invoice(due=TODAY - days(20))), 'due')

    def test_one_ladder_for_a_debtor_of_two_branches(self):
        other = self.make_policy("Of the branch", [{'name': "Soft", 'delay_days': 1}])
        self.use_policy(other, self.branch)
        move = self.invoice(due=TODAY - days(20), company=self.branch)
        self.assertEqual(self.decision(move).policy_id, other.id)
        head = self.invoice(due=TODAY - days(20))
        self.assertEqual({self.decision(found).policy_id for found in move | head}, {self.ladder.id})
        # Another debtor, who owes the branch only, keeps the ladder of the branch.
        self.assertEqual(
            self.decision(self.invoice(self.jan, TODAY - days(20), company=self.branch)).policy_id, other.id)

    def test_what_is_chosen_for_a_debtor_is_chosen_at_the_creditor(self):
        debtor = self.business.with_company(self.branch)
        debtor.write({'dunning_review': True, 'dunning_policy_id': self.consumers.id})
        self.env.invalidate_all()
        self.assertTrue(self.business.with_company(self.company).dunning_review)
        self.assertEqual(self.business.with_company(self.company).dunning_policy_id, self.consumers)
        self.business.with_company(self.company).write({'dunning_policy_id': False, 'dunning_review': False})
        self.assertFalse(debtor.dunning_policy_id or debtor.dunning_review)
        # Also at a branch that opens later, and of a debtor that is made at one.
        debtor.dunning_waive_reason = "Old friends"
        debtor.dunning_waive_costs = True
        later = self.env['res.company'].create({'name': "Later", 'parent_id': self.company.id})
        self.assertTrue(self.business.with_company(later).dunning_waive_costs)
        made = self.env['res.partner'].with_company(later).create({'name': "New", 'dunning_term_agreed': 'no'})
        self.assertEqual(made.with_company(self.company).dunning_term_agreed, 'no')

    def test_the_most_careful_choice_counts_when_companies_join(self):
        self.branch.dunning_legal_person = True
        slow = self.make_policy("Slow", [{'name': "Late", 'delay_days': 90}])
        self.business.with_company(self.company).write({
            'dunning_policy_id': self.ladder.id, 'dunning_term_agreed': 'yes', 'dunning_waive_reason': "Old friends",
            'dunning_waive_costs': True})
        self.business.with_company(self.branch).write({
            'dunning_policy_id': slow.id, 'dunning_term_agreed': 'no', 'dunning_review': True})
        self.branch.dunning_legal_person = False
        for company in (self.company, self.branch):
            debtor = self.business.with_company(company)
            self.assertRecordValues(debtor, [{
                'dunning_policy_id': slow.id, 'dunning_term_agreed': 'no', 'dunning_waive_costs': True,
                'dunning_waive_reason': "Old friends", 'dunning_review': True}])
        self.assertIn("the most careful", self.business.message_ids[0].body)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMoneyOfBranches(BranchCommon):
    """Verrekening (article 6:127 BW): what the creditor owes is set against what is owed to any of its branches."""

    def test_money_counts_at_each_of_the_companies(self):
        for owed_to, paid_at in ((self.branch, self.company), (self.company, self.branch)):
            debtor = self.make_debtor(f"Debtor of {owed_to.name}")
            move = self.invoice(debtor, TODAY - days(20), 500.0, company=owed_to)
            self.assertEqual(self.reason(move), 'due')
            if paid_at == self.company:
                credit = self.receive(debtor, 500.0, TODAY - days(5), company=paid_at)
            else:
                credit = self.items(self.credit_note(debtor, 500.0, TODAY - days(5), company=paid_at))
            with self.subTest(owed_to=owed_to.name):
                self.assertEqual(self.reason(move), 'netted')
                (self.items(move) | credit).reconcile()
                self.assertEqual(self.reason(move), 'settled')

    def test_a_receipt_on_a_shared_account(self):
        move = self.invoice(due=TODAY - days(20), amount=500.0, company=self.branch)
        receipt = self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': TODAY - days(1), 'payment_ref': f"betaling {move.name}",
            'amount': 500.0})
        self.assertEqual(receipt.company_id, self.company)
        self.assertIn(self.reason(move), ('netted', 'unmatched_receipt'))
        receipt.partner_id = self.business
        self.assertEqual(self.reason(move), 'netted')

    def test_a_sister_company_is_another_creditor(self):
        sister = self.sister
        self.branch.dunning_contacts_per_week = 1
        move = self.invoice(due=TODAY - days(20))
        self.credit_note(company=sister)
        self.assertEqual(self.reason(move), 'due')
        self.assertNotIn(sister.id, self.branch._get_dunning_company_ids())
        self.assertNotEqual(sister.dunning_contacts_per_week, 1)
        self.business.with_company(sister).dunning_review = True
        self.assertFalse(self.business.with_company(self.branch).dunning_review)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterOfBranches(BranchCommon):
    """One letter, and the costs over the sum (article 6:96 paragraph 7 BW)."""

    def owe(self, amount=100.0, branch_amount=100.0, due=DUE, debtor=None):
        """Return invoices of the head office and of the branch."""
        return (
            self.invoice(debtor or self.jan, due, amount)
            | self.invoice(debtor or self.jan, due, branch_amount, company=self.branch))

    def test_one_letter_with_costs_over_the_sum(self):
        moves = self.owe()
        first = self.dun(DUE + days(7))
        self.assertEqual((len(first), first.line_count, first.company_id), (1, 2, self.company))
        letter = self.dun(MONDAY)
        self.assertRecordValues(letter, [{
            'level_id': self.fourteen.id, 'amount_principal': 200.0, 'amount_announced': 40.0, 'state': 'sent',
            'company_id': self.company.id}])
        final = self.dun(date(2026, 12, 9))
        self.assertRecordValues(final, [{'level_id': self.last.id, 'amount_costs': 40.0, 'amount_due': 240.0}])
        self.assertEqual(self.notices_of(moves), first | letter | final)

    def test_a_claim_of_the_other_branch_joins_the_letter(self):
        head = self.invoice(self.jan, DUE)
        self.dun(DUE + days(7))
        late = self.invoice(self.jan, DUE + days(20), company=self.branch)  # at another step
        letter = self.dun(MONDAY)
        self.assertEqual(letter.line_ids.move_id, head | late)
        self.assertRecordValues(letter, [{'company_id': self.company.id, 'amount_announced': 40.0}])
        self.assertEqual(letter.sudo().shared_company_ids, self.company | self.branch)
        self.assertEqual(
            {line.move_id: line.company_id for line in letter.line_ids}, {head: self.company, late: self.branch})

    def test_a_letter_about_one_branch_is_of_that_branch(self):
        self.branch.write({'email': 'filiaal@test.example.com', 'street': "Kade 2", 'city': "Rotterdam"})
        move = self.invoice(due=TODAY - days(20), company=self.branch)
        notice = self.dun(TODAY)
        self.assertRecordValues(
            notice.sudo(), [{'company_id': self.branch.id, 'state': 'sent', 'shared_company_ids': []}])
        self.assertIn('filiaal@test.example.com', notice.mail_message_id.email_from)
        self.assertEqual(notice.line_ids.move_id, move)
        head = self.env['dunning.letter']._prepare_company(self.branch, 'nl_NL')
        self.assertEqual((head['name'], head['street'], head['place']), ("Filiaal", "Kade 2", "Rotterdam"))

    def test_what_a_branch_does_not_have_is_that_of_its_head_office(self):
        self.company.write({'phone': '020 123 45 67', 'company_registry': '12345678'})
        self.invoice(due=TODAY - days(20), company=self.branch)
        notice = self.dun(TODAY)
        self.assertRecordValues(notice, [{'company_id': self.branch.id, 'state': 'sent'}])
        self.assertIn('finance@test.example.com', notice.mail_message_id.email_from)
        head = self.env['dunning.letter']._prepare_company(self.branch, 'nl_NL')
        self.assertEqual((head['name'], head['street'], head['place']), ("Filiaal", "Dam 1", "Amsterdam"))
        self.assertIn('12345678', dict(head['numbers']).values())
        self.assertIn('020', self.branch._get_dunning_contact_text())
        self.assertTrue(self.env['dunning.letter']._get_bank(self.branch, self.env['account.move']).acc_number)

    def test_one_message_a_day_and_contacts_per_week(self):
        self.ladder.level_ids[0].with_interest = True  # another message than that of the branch
        other = self.make_policy("Of the branch", [{'name': "Soft", 'delay_days': 1}])
        head = self.invoice(due=TODAY - days(20))
        move = self.invoice(due=TODAY - days(20), company=self.branch)
        move.dunning_policy_id = other
        self.assertEqual(len(self.dun(TODAY)), 1)
        self.assertEqual(sorted(self.reason(found) for found in head | move), ['finished', 'one_message'])
        self.assertEqual(len(self.dun(TODAY + days(1))), 1)
        self.company.dunning_contacts_per_week = 2
        late = self.invoice(due=TODAY - days(15), company=self.branch)
        self.assertEqual(self.reason(late, TODAY + days(2)), 'contact_budget')

    def test_a_hold_on_the_debtor_holds_at_each_branch(self):
        move = self.invoice(due=TODAY - days(20), company=self.branch)
        self.on(TODAY, self.env['dunning.hold']).create({
            'partner_id': self.business.id, 'company_id': self.company.id, 'date_end': TODAY + days(10),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_invoice_copy').id})
        self.assertEqual(self.reason(move), 'hold')

    def test_a_promise_about_both(self):
        moves = self.invoice(due=TODAY - days(20)) | self.invoice(due=TODAY - days(20), company=self.branch)
        promise = self.on(TODAY, self.env['dunning.promise'])._make(self.company, self.business, TODAY + days(5))
        self.assertEqual((promise.amount, promise.company_id), (200.0, self.company))
        self.assertEqual({self.reason(move) for move in moves}, {'hold'})
        self.receive(amount=200.0, on=TODAY + days(1))
        run = self.on(TODAY + days(20), self.env['dunning.promise'])
        run._judge(self.branch, TODAY + days(20))
        self.assertEqual(promise.state, 'kept')

    def test_costs_are_booked_by_the_creditor(self):
        self.consumers.claim_booking = 'booked'
        self.invoice(self.jan, DUE, company=self.branch)
        self.dun(DUE + days(7))
        self.dun(MONDAY)
        final = self.dun(date(2026, 12, 9))
        self.assertRecordValues(final, [{'company_id': self.branch.id, 'amount_costs': 40.0, 'state': 'sent'}])
        self.assertRecordValues(final.booking_ids, [{'company_id': self.company.id, 'amount_total': 40.0}])
        self.assertEqual(final.booking_ids.journal_id.company_id, self.company)

    def test_the_ladder_of_each_item_goes_on(self):
        """A letter in the name of the creditor counts for both; what is paid of one leaves the rest to the branch."""
        moves = self.owe()
        self.dun(DUE + days(7))
        self.pay(moves[0], on=MONDAY - days(2))
        letter = self.dun(MONDAY)
        self.assertRecordValues(letter, [{'company_id': self.branch.id, 'amount_principal': 100.0, 'line_count': 1}])

    def test_the_scheduled_action_plans_each_creditor_once(self):
        planned = []
        self.patch(self.registry['dunning.run'], '_plan_company', lambda run, company, *_args, **_kwargs: (
            planned.append(company)))
        (self.company | self.branch).dunning_planned_on = False
        with self.enter_registry_test_mode():
            self.env.ref('l10n_nl_dunning.ir_cron_dunning_plan').method_direct_trigger()
        self.assertEqual(planned.count(self.company), 1)
        self.assertNotIn(self.branch, planned)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRightsOfBranches(BranchCommon):
    """Facts are asked of the creditor, rights stay per company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls.make_clerk(cls.branch)
        cls.head_clerk = cls.make_clerk(cls.company)
        cls.both_clerk = cls.make_clerk(cls.company, cls.branch)
        cls.stranger = cls.make_clerk(cls.sister)

    def shared_letter(self):
        """Return a proposal about what is owed to both."""
        self.invoice(due=TODAY - days(20), amount=100.0)
        self.invoice(due=TODAY - days(20), amount=40.0, company=self.branch)
        notice = self.make_notices(TODAY)
        self.assertEqual(notice.sudo().shared_company_ids, self.company | self.branch)
        return notice

    def test_who_sees_what_of_a_shared_letter(self):
        notice = self.shared_letter()
        for user, seen, hidden in (
            (self.clerk, 1, '100'), (self.head_clerk, 1, '40'), (self.both_clerk, 2, None), (self.stranger, 0, None)):
            mine = self.as_user(user, notice)
            with self.subTest(user=user.login):
                found = mine.search([('id', '=', notice.id)])
                lines = self.as_user(user, self.env['dunning.notice.line']).search([('notice_id', '=', notice.id)])
                self.assertEqual((len(found), len(lines)), (1 if seen else 0, seen))
                if not seen:
                    with self.assertRaises(AccessError):
                        mine.read(['amount_due'])
                    continue
                [values] = mine.web_read({'amount_due': {}, 'hidden_text': {}, 'line_ids': {'fields': {'name': {}}}})
                self.assertEqual((values['amount_due'], len(values['line_ids'])), (140.0, seen))
                self.assertEqual(bool(values['hidden_text']), bool(hidden))
                if hidden:
                    self.assertIn(hidden, values['hidden_text'])
                other = notice.line_ids.filtered(lambda line, lines=lines: line.id not in lines.ids)
                for line in self.as_user(user, other):
                    with self.assertRaises(AccessError):
                        line.read(['amount_residual'])

    def test_invoices_are_counted_that_are_opened(self):
        notice = self.shared_letter()
        for user, count in ((self.clerk, 1), (self.head_clerk, 1), (self.both_clerk, 2)):
            mine = self.as_user(user, notice)
            with self.subTest(user=user.login):
                self.assertEqual(mine.invoice_count, count)
                self.assertEqual(mine.env['account.move'].search_count(mine.action_open_invoices()['domain']), count)

    def test_who_sees_a_part_opens_every_view(self):
        notice = self.send(self.shared_letter())
        arches = {kind: self.env['dunning.notice'].get_view(view_type=kind)['arch'] for kind in (
            'form', 'list', 'kanban')}
        for user in (self.clerk, self.head_clerk, self.both_clerk):
            mine = self.as_user(user, notice)
            for kind, arch in arches.items():
                names = {node.get('name') for node in etree.fromstring(arch).iter('field') if not any(
                    parent.tag == 'field' for parent in node.iterancestors())}
                with self.subTest(user=user.login, kind=kind):
                    self.assertTrue(mine.web_read({
                        name: {'fields': {'display_name': {}}} if mine._fields[name].relational else {}
                        for name in names}))

    def test_who_sees_a_part_decides_nothing(self):
        notice = self.shared_letter()
        for user in (self.clerk, self.head_clerk):
            for action in ('action_approve', 'action_cancel', 'action_send_now'):
                with self.subTest(user=user.login, action=action), self.assertRaises(UserError):
                    getattr(self.as_user(user, notice), action)()
        self.as_user(self.both_clerk, self.on(TODAY, notice)).action_approve()
        self.assertEqual(notice.state, 'queued')

    def test_of_many_what_one_sees_a_part_of_stays(self):
        """Who works for both and chose one approves the rest of a list, and reads why, and what to do."""
        notice = self.shared_letter()
        other = self.make_debtor("Own BV")
        self.invoice(other, due=TODAY - days(20), amount=60.0)
        own = self.make_notices(TODAY)
        self.assertEqual(own.partner_id, other)
        env = self.env(user=self.both_clerk, context={**self.env.context, 'allowed_company_ids': self.company.ids})
        action = (notice | own).with_env(env).action_review()
        wizard = env['dunning.proposal.approve'].browse(action['res_id'])
        self.assertRecordValues(wizard, [{'count': 1, 'refused_count': 1}])
        self.assertIn("Choose all of them", wizard.refused_text)
        self.assertNotIn("changed this yourself", wizard.refused_text)
        told = self.on(TODAY, wizard).action_approve()['params']['message']
        self.assertEqual((notice.state, own.state), ('draft', 'queued'))
        self.assertIn("Choose all of them", told)
        with self.assertRaisesRegex(UserError, "Choose all of them"):
            notice.with_env(env).action_approve()

    def test_a_letter_is_shown_to_who_sees_all(self):
        """A draft and what left, and what a clerk is about to send."""
        notice = self.shared_letter()
        for state in ('draft', 'sent'):
            for user in (self.clerk, self.head_clerk, self.both_clerk):
                Letter = self.on(TODAY, self.as_user(user, self.env['dunning.letter']))
                mine = notice.with_env(Letter.env)
                with self.subTest(state=state, user=user.login):
                    seen = mine.get_preview()
                    if user == self.both_clerk:
                        self.assertTrue(Letter._get_pdfs(mine)[notice.id])
                        self.assertTrue(seen['body'], "The e-mail as well")
                    else:
                        with self.assertRaises(AccessError):
                            Letter._get_pdfs(mine)
                        self.assertEqual(list(seen), ['problem'])
                        self.assertIn("that you do not work for", seen['problem'])
            if state == 'draft':
                notice = self.send(notice)
        self.assertEqual(notice.state, 'sent')

    def test_what_left_shows_numbers_to_who_sees_all(self):
        notice = self.send(self.shared_letter())
        self.assertEqual(notice.state, 'sent')
        files = notice.mail_message_id.attachment_ids | self.env['ir.attachment'].sudo().search([
            ('res_model', '=', notice._name), ('res_id', '=', notice.id), ('res_field', '=', 'letter_file')])
        self.assertTrue(files)
        for user, allowed in ((self.clerk, False), (self.head_clerk, False), (self.both_clerk, True)):
            mine = self.as_user(user, notice)
            with self.subTest(user=user.login):
                [values] = mine.read(['letter_file', 'claim_data', 'left_data'])
                self.assertEqual(bool(values['letter_file']), allowed)
                self.assertEqual(bool(values['left_data']), allowed)
                self.assertEqual(self.as_user(user, files).has_access('read'), allowed)
                message = self.as_user(user, notice.mail_message_id)
                self.assertEqual(message.has_access('read'), allowed)

    def test_a_clerk_of_a_branch_does_everything_of_it(self):
        head = self.invoice(due=TODAY - days(20))
        move = self.invoice(due=TODAY - days(20), company=self.branch)
        env = self.as_user(self.clerk)
        mine = self.on(TODAY, move.with_env(env))
        wizard = mine.env['dunning.send'].browse(mine.action_dunning_send()['res_id'])
        self.assertEqual(wizard.group_ids.item_ids.move_id.ids, move.ids)
        wizard.action_send_now()
        notice = self.accept(self.notices_of(move))
        self.assertRecordValues(notice, [{'company_id': self.branch.id, 'state': 'sent'}])
        self.assertNotIn(head, notice.line_ids.move_id)
        promise = self.on(TODAY, env['dunning.promise'])._make(
            self.branch.with_env(env), self.business.with_env(env), TODAY + days(5))
        self.assertEqual((promise.company_id.id, promise.amount), (self.branch.id, 100.0))
        self.assertEqual(self.reason(head), 'one_message')
        self.assertTrue(mine.get_dunning_reason())
        self.assertTrue(self.business.with_env(env).get_dunning_claim())
        # What was said and agreed at the head office counts in the worklist, and is not opened.
        there = self.on(TODAY, self.env['dunning.call']).with_company(self.company)
        there.log_call({'partner_id': self.business.id, 'outcome': 'call_back', 'date': '2025-03-10'})
        self.on(TODAY, self.env['dunning.promise'])._make(
            self.company, self.business, TODAY + days(5), items=self.items(head))
        rows = self.on(TODAY, self.as_user(self.clerk, self.env['dunning.debtor'])).search([
            ('partner_id', '=', self.business.id)])
        self.assertTrue(rows.web_read({
            name: {'fields': {'display_name': {}}} if field.relational else {}
            for name, field in rows._fields.items() if rows._has_field_access(field, 'read')}))
        self.assertTrue(rows.promise_date)
        self.assertNotEqual(rows.promise_id.company_id, self.company)
        reasons = self.business.with_env(env).get_dunning_reasons()
        self.assertEqual({answer['invoice_id'] for answer in reasons}, {move.id})

    def test_a_fourteen_day_letter_of_a_clerk_waits_for_who_sees_all(self):
        head = self.invoice(self.jan, DUE)
        move = self.invoice(self.jan, DUE, company=self.branch)
        self.dun(DUE + days(7))
        env = self.as_user(self.clerk)
        mine = self.on(MONDAY, move.with_env(env))
        wizard = mine.env['dunning.send'].browse(mine.action_dunning_send()['res_id'])
        self.assertRecordValues(wizard.group_ids, [{'has_hidden': True, 'item_count': 2}])
        self.assertEqual(wizard.group_ids.item_ids.move_id.ids, move.ids)
        self.assertIn("works for both", wizard.group_ids.problem)
        wizard.action_send_now()
        letter = self.notices_of(move).filtered(lambda notice: notice.level_id == self.fourteen)
        self.assertRecordValues(letter, [{'state': 'draft', 'line_count': 2, 'company_id': self.company.id}])
        self.assertEqual(letter.line_ids.move_id, head | move)
        self.send(letter, MONDAY)
        self.assertRecordValues(letter, [{'state': 'sent', 'amount_announced': 40.0}])

    def test_every_table_by_who_looks(self):
        """What there is of the head office and of the branch, for who works for one, for both, and for a sister."""
        self.shared_letter()
        self.send(self.make_notices(TODAY))
        for company in (self.company, self.branch):
            debtor = self.make_debtor(f"Debtor of {company.name}")
            move = self.invoice(debtor, TODAY - days(20), company=company)
            self.send(self.make_notices(TODAY, company))
            self.on(TODAY, self.env['dunning.promise'])._make(company, debtor, TODAY + days(5))
            self.env['dunning.interruption'].create({
                'company_id': company.id, 'partner_id': debtor.id, 'kind': 'written', 'date': TODAY,
                'scope': 'invoices', 'move_ids': [Command.set(move.ids)]})
            self.on(TODAY, self.env['dunning.call']).with_company(company).log_call({
                'partner_id': debtor.id, 'outcome': 'no_answer', 'company_id': company.id})
            debtor._get_dunning_page(company)
        # Of the creditor, so for who works for any of its companies.
        common = {'dunning.page', 'dunning.page.request', 'dunning.behaviour'}
        models = [
            name for name, model in self.registry.items()
            if name.startswith('dunning.') and not model._abstract and not model._transient
            and 'company_id' in model._fields and name not in ('dunning.policy', 'dunning.level', 'dunning.debtor')]
        seen = set()
        for user in (self.clerk, self.head_clerk, self.both_clerk, self.stranger):
            for name in models:
                if not self.env[name].with_user(user).has_access('read'):
                    continue
                records = self.as_user(user, self.env[name]).search([])
                with self.subTest(user=user.login, model=name):
                    companies = records.sudo().company_id
                    allowed = user.company_ids
                    if name == 'dunning.notice':
                        companies = (records.sudo().filtered(
                            lambda notice: not notice.shared_company_ids)).company_id
                    elif name in common and user != self.stranger:
                        allowed |= self.company
                    self.assertFalse(companies - allowed)
                    if user == self.both_clerk and len(companies) > 1:
                        seen.add(name)
        self.assertLessEqual({
            'dunning.notice', 'dunning.notice.line', 'dunning.hold', 'dunning.promise', 'dunning.call',
            'dunning.interruption'}, seen)

    def test_the_worklist_has_one_row(self):
        self.invoice(due=TODAY - days(20), amount=100.0)
        self.invoice(due=TODAY - days(20), amount=40.0, company=self.branch)
        for user, company in (
            (self.clerk, self.branch), (self.head_clerk, self.company), (self.both_clerk, self.company)):
            env = self.on(TODAY, self.as_user(user, self.env['dunning.debtor'])).env
            rows = env['dunning.debtor'].search([('partner_id', '=', self.business.id)])
            with self.subTest(user=user.login):
                self.assertRecordValues(rows, [{'company_id': company.id, 'amount_overdue': 140.0}])
                self.assertIn('Filiaal', rows.branch_text)
                self.assertIn('Test BV', rows.branch_text)
                screen = env['dunning.debtor'].get_screen(rows.id)
                self.assertNotIn('gone', screen)
                self.assertEqual(len(screen['items']), len(user.company_ids))
        self.assertFalse(self.as_user(self.stranger, self.env['dunning.debtor']).search([
            ('partner_id', '=', self.business.id)]))
        # Who owes to the head office only is not on the list of the branch.
        self.invoice(self.jan, TODAY - days(20))
        for user, count in ((self.clerk, 0), (self.head_clerk, 1), (self.both_clerk, 1)):
            with self.subTest("head office only", user=user.login):
                self.assertEqual(self.as_user(user, self.env['dunning.debtor']).search_count([
                    ('partner_id', '=', self.jan.id)]), count)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPageOfBranches(BranchCommon, HttpCase):
    """The debtor has one page at the creditor."""

    def test_one_page_about_all_branches(self):
        moves = self.invoice(due=TODAY - days(20)) | self.invoice(due=TODAY - days(20), company=self.branch)
        page = self.business._get_dunning_page(self.branch)
        self.assertEqual(page, self.business._get_dunning_page(self.company))
        self.assertEqual(page.company_id, self.company)
        self.assertEqual(self.on(TODAY, page)._get_open_items().move_id, moves.with_env(page.env))
        self.assertEqual({page._find_invoice(move.id).id for move in moves}, set(moves.ids))
        self.assertEqual(self.on(TODAY, page)._get_payable('all').amount, 200.0)

    def test_who_works_for_a_branch_sees_it(self):
        page = self.business._get_dunning_page(self.branch)
        clerk, stranger = self.make_clerk(self.branch), self.make_clerk(self.sister)
        self.assertTrue(self.as_user(clerk, self.env['dunning.page']).search([('id', '=', page.id)]))
        self.assertFalse(self.as_user(stranger, self.env['dunning.page']).search([('id', '=', page.id)]))

    def upgrade(self, release='19.0.1.10.0'):
        """Do what the update to a release does with what there is."""
        path = Path(__file__).parents[2] / 'migrations' / release / 'post-creditor.py'
        spec = importlib.util.spec_from_file_location('post_creditor', path)
        migration = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(migration)
        self.env.flush_all()
        migration.migrate(self.env.cr, '19.0.1.9.0')
        self.env.invalidate_all()

    def make_old_pages(self, *companies):
        """Return the pages of a debtor as releases before this one made them: one of each company."""
        return self.env['dunning.page'].sudo().create([
            {'company_id': company.id, 'partner_id': self.business.id, 'access_token': f'key-of-{company.id}'}
            for company in companies])

    def test_the_keys_of_both_pages_lead_to_one(self):
        moves = self.invoice(amount=111.0) | self.invoice(amount=222.0, company=self.branch)
        old, of_branch = self.make_old_pages(self.company, self.branch)
        self.upgrade()
        self.assertEqual(self.business._get_dunning_page(self.branch), old)
        self.authenticate(None, None)
        for page in old | of_branch:
            answer = self.url_open(f'{page.access_url}?access_token={page.access_token}')
            with self.subTest(company=page.company_id.name):
                self.assertEqual(answer.status_code, 200)
                self.assertIn(f'{old.access_url}?', answer.url)
                for move in moves:
                    self.assertIn(move.name, answer.text)
        wrong = self.url_open(f'{of_branch.access_url}?access_token=key-of-{self.company.id}')
        self.assertEqual(wrong.status_code, 404)

    def test_a_branch_that_was_taken_for_the_creditor(self):
        """The release before this one wrote that down where there were several branches."""
        later = self.env['res.company'].create({'name': "Later", 'parent_id': self.company.id})
        [page] = self.make_old_pages(later)
        self.env.flush_all()
        companies = self.company | self.branch | later
        self.env.cr.execute(
            "UPDATE res_company SET dunning_creditor_id = %s WHERE id IN %s", [later.id, companies._ids])
        self.env.invalidate_all()
        self.upgrade('19.0.1.11.0')
        self.assertEqual(companies.dunning_creditor_id, self.company)
        self.assertEqual(self.business._get_dunning_page(self.branch), page)
        self.assertEqual(page.company_id, self.company)

    def test_the_only_page_of_a_debtor_becomes_that_of_the_creditor(self):
        [page] = self.make_old_pages(self.branch)
        self.upgrade()
        self.assertEqual((page.company_id, page.access_token), (self.company, f'key-of-{self.branch.id}'))
        self.assertEqual(self.business._get_dunning_page(self.company), page)

    def test_what_was_chosen_for_one_debtor_is_merged(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET dunning_term_agreed = %s, dunning_review = %s WHERE id = %s", [
                json.dumps({self.company.id: 'yes', self.branch.id: 'no'}), json.dumps({self.branch.id: True}),
                self.business.id])
        self.env.invalidate_all()
        self.upgrade()
        for company in (self.company, self.branch):
            self.assertRecordValues(self.business.with_company(company), [{
                'dunning_term_agreed': 'no', 'dunning_review': True}])
        self.assertIn("Payment Term", self.business.message_ids[0].body)
        self.assertNotIn("Look First", self.business.message_ids[0].body)  # nobody had chosen otherwise

    def dun_apart(self, *steps):
        """Send as releases before this one did: each company for itself, on days."""
        with patch.object(self.registry['res.company'], '_get_dunning_company_ids', lambda own: own._ids):
            for day, companies in steps:
                for company in companies:
                    self.dun(day, company)

    def test_two_running_ladders_go_on_as_the_later_one(self):
        head = self.invoice(due=TODAY)
        branch = self.invoice(due=TODAY + days(14), company=self.branch)
        self.dun_apart((TODAY + days(5), self.company), (TODAY + days(19), self.company | self.branch))
        self.assertEqual((head | branch).mapped('dunning_level_id'), self.demand | self.reminder)
        self.upgrade()
        notice = self.dun(TODAY + days(33))
        self.assertRecordValues(notice, [{'level_id': self.final.id, 'line_count': 2, 'company_id': self.company.id}])
        self.assertEqual(
            {line.move_id: line.level_id for line in notice.line_ids}, {head: self.final, branch: self.demand})
        self.assertFalse(self.notices_of(head | branch).line_ids.filtered(lambda line: line.status == 'void'))

    def test_the_ladder_of_a_branch_goes_on_in_that_of_the_creditor(self):
        soft = self.make_policy("Of the branch", [
            {'name': "Soft", 'delay_days': 1}, {'name': "Hard", 'delay_days': 5, 'delay_from': 'previous_deadline'}])
        self.use_policy(soft, self.branch)
        head = self.invoice(due=TODAY)
        branch = self.invoice(due=TODAY, company=self.branch)
        self.dun_apart((TODAY + days(5), self.company | self.branch))
        self.assertEqual((head | branch).dunning_level_id, self.reminder | soft.level_ids[0])
        self.upgrade()
        notice = self.dun(TODAY + days(19))
        self.assertRecordValues(notice, [{'level_id': self.demand.id, 'line_count': 2, 'policy_id': self.ladder.id}])

    def test_letters_sent_apart_become_one(self):
        """Two 14-day letters about claims that had to be in one: the next planning makes the one."""
        moves = self.invoice(self.jan, DUE, company=self.branch) | self.invoice(self.jan, DUE)
        both = self.company | self.branch
        self.dun_apart((DUE + days(7), both), (MONDAY, both))
        apart = self.notices_of(moves).filtered(lambda notice: notice.level_id == self.fourteen)
        self.assertEqual(apart.mapped('amount_announced'), [40.0, 40.0])
        self.upgrade()
        day = MONDAY + days(2)
        letter = self.dun(day)
        self.assertEqual(set(apart.line_ids.mapped('status')), {'void'})
        self.assertRecordValues(letter, [{
            'level_id': self.fourteen.id, 'line_count': 2, 'amount_announced': 40.0, 'company_id': self.company.id}])
