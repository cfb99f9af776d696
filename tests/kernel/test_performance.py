"""A night costs the same number of queries, however many debtors, promises and holds there are."""

import re

from psycopg2 import IntegrityError

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ...models.kernel.dunning_field import Answer
from ..common import TODAY, DunningCommon, days

# Reminders are due; a promise of that day is broken, and a hold of that day over, when the demands are.
DUE = TODAY + days(5)
LATER = DUE + days(40)
# What planning may take: company, accounts, bookings, credits and receipts, what these can be for, levels, policies,
# letters with a role in law, bank data, the statement.
PLAN_QUERIES = 10


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestQueries(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ladder.write({'approval': 'automatic', 'agreed_interest_percent': 12.0})
        cls.demand.write({'with_interest': True})
        cls.reason_other = cls.env['dunning.hold.reason'].search([('kind', '=', 'other')], limit=1)
        cls.made = 0

    def add_debtors(self, count):
        """Add debtors that owe three invoices: one is promised, one on hold."""
        for number in range(self.made, self.made + count):
            debtor = self.make_debtor(f"Debtor{number} BV")
            promised, held, _free = (self.invoice(debtor, amount=100 + number) for _turn in range(3))
            self.on(DUE, self.env['dunning.promise'])._make(
                self.company, debtor, DUE + days(2), None, self.items(promised), self.env.user)
            self.on(DUE, self.env['dunning.hold']).create({
                'move_id': held.id, 'reason_id': self.reason_other.id, 'date_end': DUE + days(3)})
        self.made += count

    def count_queries(self, function):
        """Return how many queries something takes, and undo it."""
        self.env.flush_all()
        self.env.invalidate_all()
        savepoint = self.env.cr.savepoint(flush=False)
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        count = self.env.cr.sql_log_count - before
        savepoint.close(rollback=True)
        self.env.invalidate_all(flush=False)
        return count

    def assertDoesNotGrow(self, function):
        """Check that three times as many debtors take exactly as many queries."""
        self.count_queries(function)  # reads once what is kept for all
        few = self.count_queries(function)
        self.assertEqual(self.count_queries(function), few, "The number of queries is not repeatable")
        self.add_debtors(6)
        self.count_queries(function)  # as above: new contacts empty such caches
        self.assertEqual(self.count_queries(function), few)
        return few

    def test_planning_takes_ten_queries(self):
        """Also where there is something of each kind to read."""
        self.add_debtors(3)
        self.receive(amount=10)
        self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': TODAY, 'amount': 20, 'payment_ref': "of somebody"})
        count = self.assertDoesNotGrow(lambda: self.plan(DUE, only_due=True))
        self.assertEqual(count, PLAN_QUERIES)

    def test_planning_five_branches_takes_as_many(self):
        self.add_debtors(3)
        one = self.assertDoesNotGrow(lambda: self.plan(DUE, only_due=True))
        branches = self.env['res.company'].create([
            {'name': f"Branch {number}", 'parent_id': self.company.id} for number in range(5)])
        self.env.cr.precommit.run()  # the charts of accounts
        self.env.user.company_ids |= branches
        for branch in branches:
            self.invoice(company=branch)
        self.assertLessEqual(self.assertDoesNotGrow(lambda: self.plan(DUE, only_due=True)), one)
        self.assertEqual(len(self.make_notices(DUE).sudo().line_ids.company_id), 6)

    def test_making_notices_takes_as_many_queries_for_many_debtors(self):
        self.add_debtors(3)
        made = []
        self.assertDoesNotGrow(lambda: made.append(len(self.make_notices(DUE))))
        self.assertEqual(made, [3, 3, 3, 9, 9])

    def test_a_night_with_broken_promises_holds_that_end_and_claims_takes_as_many(self):
        self.add_debtors(3)
        self.dun(DUE)
        self.reminder.with_interest = True  # so that it shares a message with the demand
        levels = []

        def night():
            levels.append(self.make_notices(LATER).mapped('level_id.name'))

        self.count_queries(night)
        few = self.count_queries(night)
        self.add_debtors(6)
        self.dun(DUE)
        self.count_queries(night)
        self.assertEqual(self.count_queries(night), few)
        self.assertEqual(levels[-1], ["Demand"])  # which asks interest

    def test_nothing_is_read_one_by_one_of_items_with_a_history(self):
        """As the scheduled action does it: what was read is forgotten with each commit.

        Which fields an update writes differs, so the number does; one query per debtor would be six more.
        """
        def checkpoint(count=0):
            self.env.flush_all()
            self.env.invalidate_all(flush=False)

        def plan():
            run = self.on(LATER, self.env['dunning.run'])
            return run._plan_company(self.company, LATER, checkpoint=checkpoint)['notices']

        def count_night_and_letters(debtors):
            self.add_debtors(debtors)
            self.dun(DUE)
            self.count_queries(plan)
            counts = [self.count_queries(plan)]
            notices = plan()
            self.assertEqual((notices.level_id, set(notices.mapped('state'))), (self.demand, {'queued'}))
            made.append(len(notices))
            for _turn in range(2):
                leave = self.count_queries(lambda: self.env['dunning.dispatcher']._dispatch(self.on(LATER, notices)))
            # They were only made to be counted: the next time their items are due once more.
            notices._cancel("Counted")
            return [*counts, leave]

        self.demand.with_interest = False  # for interest all items are read, and it shares a message with a reminder
        made = []
        few, many = count_night_and_letters(3), count_night_and_letters(6)
        self.assertEqual(made, [3, 9])
        for before, after in zip(few, many, strict=True):
            self.assertLess(after - before, 6)

    def test_the_worklist_works_out_once_per_item_whether_it_is_a_debt_and_by_index(self):
        """What PostgreSQL expects that to cost decides how it joins all the rest: it once was the square of the items.

        In a small database it reads whole tables where it may; here only where it has to.
        """
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        page = self.env['dunning.debtor']._search([('amount_collectable', '>', 0)], order='priority desc', limit=80)
        plan = '\n'.join(line for (line,) in self.env.execute_query(SQL("EXPLAIN %s", page.select())))
        # What is owed, and what credits are set against.
        self.assertEqual(
            re.findall(r"(\w+) on account_move named", plan), 2 * ['account_move__partner_id_index'])

    def test_a_copy_of_a_reference_is_kept_by_the_key_of_what_it_copies(self):
        self.env.cr.execute("""
            SELECT conrelid::regclass::text, conname FROM pg_constraint
             WHERE contype = 'f' AND conrelid IN ('dunning_notice'::regclass, 'dunning_notice_line'::regclass)
        """)
        keys = {name for _table, name in self.env.cr.fetchall()}
        self.assertLessEqual(
            {'dunning_notice_line_notice_id_fkey', 'dunning_notice_company_id_fkey', 'dunning_notice_level_id_fkey'},
            keys)
        self.assertFalse({'dunning_notice_line_company_id_fkey', 'dunning_notice_policy_id_fkey'} & keys)
        self.add_debtors(1)
        notice = self.make_notices(DUE)[:1]
        self.assertEqual(notice.line_ids.company_id, notice.company_id)
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            # Straight from the table, so that no rule of ours is before it.
            self.env.cr.execute(SQL("DELETE FROM dunning_policy WHERE id = %s", notice.policy_id.id))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCoreStaysAsFast(DunningCommon):
    """Who invoices and matches payments pays nothing for answers that nobody reads."""

    def assertFollowsNothing(self, model, names):
        """Check that changing these fields of core looks for no answers of ours about invoices and due items."""
        for name in names:
            todo, found = [self.env.registry.get_field_trigger_tree(self.env[model]._fields[name])], []
            while todo:
                tree = todo.pop()
                found += [str(field) for field in tree.root if field.name.startswith('dunning_')
                          and field.model_name in ('account.move', 'account.move.line', 'account.bank.statement.line')]
                todo += tree.values()
            self.assertEqual(found, [], f"{model}.{name}")

    def test_nothing_is_looked_for_when_core_changes_an_invoice(self):
        self.assertFollowsNothing('account.move', ['state', 'amount_residual', 'payment_state', 'invoice_date_due'])
        self.assertFollowsNothing('account.move.line', ['reconciled', 'amount_residual', 'date_maturity', 'balance'])
        self.assertFollowsNothing('account.partial.reconcile', ['amount', 'debit_move_id', 'credit_move_id'])

    def test_a_new_invoice_is_not_asked_for_its_level(self):
        move = self.invoice(post=False)
        tocompute = self.env.transaction.tocompute
        self.assertNotIn(move.id, tocompute.get(move._fields['dunning_level_id'], ()))
        self.assertFalse(move.dunning_level_id)

    def test_the_answer_is_fresh_all_the_same(self):
        """What was read before a payment, a chargeback or a new policy is not what is read after it."""
        move = self.on(DUE, self.invoice())
        item = self.on(DUE, self.items(move))
        self.assertTrue(move.dunning_is_due)
        self.assertEqual(move.dunning_days_overdue, (DUE - TODAY).days)
        due = item.dunning_reason
        self.pay(move)
        self.assertIn("Nothing is owed", move.dunning_reason)
        self.assertEqual(move.dunning_days_overdue, 0)
        settled = item.dunning_reason
        self.assertNotEqual(settled, due)
        self.unpay(move)  # the money is still there
        self.assertNotIn("Nothing is owed", move.dunning_reason)
        self.assertNotEqual(item.dunning_reason, settled)
        self.assertTrue(move.dunning_prescription_date)
        credit = self.items(self.credit_note())
        covered = item.dunning_reason
        (item + credit).reconcile()
        self.assertEqual(item.dunning_reason, settled)
        item.remove_move_reconcile()
        self.assertNotIn(item.dunning_reason, (settled, False))
        self.assertNotEqual(covered, settled)
        move.button_draft()
        self.assertIn("is a draft", move.dunning_reason)
        self.assertFalse(move.dunning_prescription_date)

    def test_core_is_told_what_it_would_find_out_by_trying(self):
        """A field that says itself that it cannot be sorted or grouped says what core's own attempt says."""
        ours = [field for field in self.env['account.move.line']._fields.values() if isinstance(field, Answer)]
        self.assertEqual(len(ours), 5)
        for field in ours:
            for what in ('sortable', 'groupable', 'aggregator'):
                tried = getattr(fields.Field, f'_description_{what}')(field, self.env)
                self.assertEqual(getattr(field, f'_description_{what}') or False, tried or False, f"{field} {what}")
        names = [field.name for field in ours]
        described = self.env['account.move.line'].fields_get(names, ['sortable', 'groupable'])
        self.assertEqual([name for name in names if described[name]['sortable']], ['dunning_prescription_date'])

    def test_core_is_told_once_per_language(self):
        """What is kept is what core would say, also after a translation."""
        field = self.env['account.move.line']._fields['dunning_reason']
        for lang in ('en_US', 'nl_NL'):
            env = self.env(context={'lang': lang})
            for _turn in range(2):
                self.assertEqual(field.get_description(env), fields.Field.get_description(field, env))
        self.assertEqual(field.get_description(env, ['type']), {'type': 'text'})
        self.env.cr.execute("""
            UPDATE ir_model_fields SET field_description = jsonb_build_object('en_US', 'A', 'nl_NL', 'B')
             WHERE model = 'account.move.line' AND name = 'dunning_reason'""")
        self.env.invalidate_all()
        self.env.registry.clear_cache('stable')
        self.assertEqual(field.get_description(env)['string'], 'B')

    def test_every_index_on_tables_of_core_is_asked(self):
        """PostgreSQL weighs each index of a table in each query about it, of whoever works with invoices."""
        found = self.env.execute_query(SQL(
            "SELECT indexname FROM pg_indexes WHERE indexdef LIKE %s AND tablename = ANY(%s) ORDER BY indexname",
            '%dunning%', ['account_move', 'account_move_line', 'account_partial_reconcile', 'res_partner']))
        self.assertEqual([name for (name,) in found], [
            'account_move__dunning_arrangement_id_index',  # what was booked for an arrangement
            'account_move__dunning_level_id_index',  # invoices with a level
            'account_move__dunning_sent_message_id_index',  # asked of each mail that left, and when a message goes
            'account_move_dunning_keys_idx',  # which unpaid invoices the texts of receipts name
            'account_move_one_booking_per_notice',  # what was booked for a notice, once
            'res_partner__dunning_unreachable_on_index',  # asked every night
            'res_partner_dunning_contact_idx',  # both: who is written to
            'res_partner_dunning_director_idx',
        ])

    def test_forms_have_no_keys_to_what_others_write(self):
        """PostgreSQL asks each key to journal items whenever one is written."""
        forms = {
            field.relation for model in self.env.registry.values() if model._transient and 'dunning' in model._name
            for field in model._fields.values() if field.type == 'many2many' and field.store}
        keys = self.env.execute_query(SQL(
            """SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
                WHERE contype = 'f' AND confrelid = ANY(%s::regclass[]) AND conrelid::regclass::text = ANY(%s)""",
            ['account_move_line', 'res_partner'], list(forms)))
        self.assertGreaterEqual(len(forms), 12)
        self.assertEqual(keys, [])

    def test_an_open_form_forgets_what_was_deleted(self):
        kept, gone = self.invoice(), self.invoice(post=False)
        why = self.env['dunning.why'].create({'item_ids': (self.items(kept) | self.items(gone)).ids})
        gone.unlink()
        why.invalidate_recordset()
        self.assertEqual(why.item_ids, self.items(kept))
        why.unlink()
        rest = self.env.execute_query(SQL(
            "SELECT COUNT(*) FROM %s WHERE %s = %s", SQL.identifier(why._fields['item_ids'].relation),
            SQL.identifier(why._fields['item_ids'].column1), why.id))
        self.assertEqual(rest, [(0,)], "The rows go with the form")

    def test_core_reads_its_records_without_ours(self):
        """Whoever reads one field of a record reads all that are read along: ours are a group of their own."""
        for model in (
            'res.company', 'res.partner', 'res.users', 'account.move', 'account.move.line', 'account.journal',
            'account.payment', 'account.partial.reconcile', 'account.bank.statement.line', 'mail.message', 'mail.mail',
        ):
            along = [
                name for name, field in self.env[model]._fields.items()
                if name.startswith('dunning_') and field.column_type and field.store and field.prefetch is True]
            self.assertEqual(along, [], model)

    def test_contacts_are_read_without_what_only_reminders_need(self):
        debtor = self.make_debtor("Reader BV")
        self.env.flush_all()
        debtor.invalidate_recordset()
        self.assertTrue(debtor.property_account_receivable_id)
        self.assertTrue(debtor.name)
        ours = [field for name, field in debtor._fields.items() if name.startswith('dunning_') and field.store]
        self.assertTrue(ours)
        self.assertEqual([field.name for field in ours if debtor.id in field._get_cache(debtor.env)], [])
