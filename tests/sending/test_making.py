"""Notices are made by create(): defaults, other addons and automation rules see each of them, with its lines."""

from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)
NOTICE, LINE = 'dunning.notice', 'dunning.notice.line'


class MakingCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.moves = cls.invoice(amount=100.1) + cls.invoice(amount=200.2) + cls.invoice(
            cls.make_debtor("Other BV"), amount=50)

    def make_as(self, user):
        """Make the notices that are due as somebody does who sends them by hand."""
        decisions = self.env['dunning.planner']._plan(self.company, DUE, only_due=True)
        return self.on(DUE, self.env[NOTICE]).with_user(user).with_company(self.company)._create_from_decisions(
            self.company, decisions, DUE, origin='manual')

    def override_create(self, model, before=lambda vals_list: None, after=lambda records: None):
        """Let another addon extend the ``create`` of a model."""
        original = self.registry[model].create

        @api.model_create_multi
        def create(records, vals_list):
            before(vals_list)
            created = original(records, vals_list)
            after(created)
            return created

        self.patch(self.registry[model], 'create', create)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCreate(MakingCommon):

    def test_another_addon_sees_each_notice_with_its_lines_and_sums(self):
        given, made = [], []
        self.override_create(
            NOTICE,
            before=lambda vals_list: given.extend((len(vals['line_ids']), vals['state']) for vals in vals_list),
            after=lambda notices: made.extend(
                (notice.line_count, notice.amount_due, len(notice.line_ids), notice.lang) for notice in notices))
        notices = self.make_notices(DUE)
        self.assertEqual(len(notices), 2)
        self.assertCountEqual(given, [(2, 'draft'), (1, 'draft')])
        self.assertCountEqual(made, [(2, 300.3, 2, 'nl_NL'), (1, 50.0, 1, 'nl_NL')])

    def test_another_addon_sees_each_line(self):
        made = []
        self.override_create(LINE, after=lambda lines: made.extend(
            (line.move_id, line.amount_residual, line.status, line.company_id) for line in lines))
        self.make_notices(DUE)
        self.assertCountEqual(made, [
            (move, move.amount_residual, 'pending', self.company) for move in self.moves])

    def test_what_another_addon_changes_counts_in_the_sums(self):
        def hold_back(vals_list):
            for vals in vals_list:
                vals['amount_held'] = 10.0

        self.override_create(LINE, before=hold_back)
        notice = self.make_notices(DUE).filtered(lambda notice: notice.partner_id == self.business)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertRecordValues(notice, [{'amount_held': 20.0, 'amount_due': 280.3}])
        self.assertEqual(notice.proposed_data['amount_due'], 280.3)

    def test_what_another_addon_adds_to_some_only_is_stored(self):
        """Values that differ in their names cannot be one column list."""
        def note_first(vals_list):
            vals_list[0]['note'] = "First"

        self.override_create(NOTICE, before=note_first)
        self.override_create(LINE, before=lambda vals_list: vals_list[0].update(description="First"))
        notices = self.make_notices(DUE)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(notices.filtered('note'), notices[0])
        self.assertEqual(len(notices.line_ids.filtered('description')), 1)
        self.assertCountEqual(notices.mapped('amount_due'), [300.3, 50.0])

    def test_what_is_given_is_what_would_be_computed(self):
        self.invoice(self.make_debtor("Third BV"), currency=self.env.ref('base.USD'))
        notices = self.make_notices(DUE)
        self.env.flush_all()
        for records in (notices, notices.line_ids):
            with self.subTest(model=records._name):
                names = [name for name, field in records._fields.items() if field.store and field.compute]
                self.env.invalidate_all()
                stored = records.read(names)
                recording = records._recording()
                for name in names:
                    self.env.add_to_compute(recording._fields[name], recording)
                recording._recompute_recordset(names)
                self.env.flush_all()
                self.env.invalidate_all()
                self.assertEqual(records.read(names), stored)
        for notice in notices:
            self.assertEqual(notice.proposed_data, {
                **notice._read_snapshots()[notice.id], 'on': notice.proposed_data['on']})

    def test_the_rows_and_the_cache_are_those_core_makes(self):
        self.invoice(self.make_debtor("Third BV"), currency=self.env.ref('base.USD'))
        different = {
            'id', 'name', 'line_ids', 'notice_id', 'proposed_data', 'create_date', 'write_date',
            'shared_company_ids'}  # the last is read by rules only

        def make():
            with self.env.cr.savepoint() as savepoint:
                notices = self.make_notices(DUE)
                self.env.flush_all()
                found = []
                for _source in ('cache', 'database'):
                    found.append([
                        {name: record[name] for name, field in record._fields.items()
                         if field.store and name not in different}
                        for records in (notices, notices.line_ids) for record in records])
                    self.env.invalidate_all()
                self.assertEqual(*found)
                savepoint.rollback()
            return found[0]

        in_bulk = make()
        for name in ('_create', '_prepare_create_values'):
            self.patch(self.registry['dunning.bulk'], name, getattr(models.BaseModel, name))
        self.assertEqual(in_bulk, make())

    def test_nothing_is_logged_on_a_new_notice(self):
        run = self.on(DUE, self.env['dunning.run']).with_context(tracking_disable=False)  # as tests of core have it
        notices = run._plan_company(self.company, DUE)['notices']
        self.assertEqual(len(notices), 2)
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.invalidate_all()
        self.assertFalse(notices.message_ids)
        self.assertFalse(notices.message_follower_ids)

    def test_who_makes_a_notice_by_hand_had_a_hand_in_it(self):
        user = new_test_user(
            self.env, 'maker', groups='account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        notices = self.make_as(user)
        self.assertEqual((notices.maker_ids, notices.author_id), (user, user))

    def test_nobody_else_creates_one(self):
        for model in (NOTICE, LINE):
            with self.assertRaisesRegex(UserError, "Notices are made|cannot be changed by hand"):
                self.env[model].create([{'company_id': self.company.id}])

    def test_a_thousandth_is_rounded_as_the_orm_does(self):
        recording = self.make_notices(DUE)[:1]._recording()
        values = {
            'notice_id': recording.id, 'level_id': self.reminder.id, 'status': 'dropped', 'drop_reason': 'paid',
            'amount_residual': 1.005, 'amount_due_company': 2.6749}
        lines = recording.line_ids.create([dict(values), dict(values)])
        self.assertEqual((lines[0].amount_residual, lines[0].amount_due_company), (1.01, 2.67))
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((lines[1].amount_residual, lines[1].amount_due_company), (1.01, 2.67))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDefaults(MakingCommon):
    """Fields that somebody added get their defaults, on notices and on lines."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.add_field(NOTICE, 'x_desk', 'char', default='front')
        cls.add_field(NOTICE, 'x_team', 'char')
        cls.add_field(NOTICE, 'x_round', 'integer')
        cls.add_field(NOTICE, 'x_country_ids', 'many2many', relation='res.country')
        cls.add_field(LINE, 'x_shelf', 'char', default='top')
        cls.add_field(LINE, 'x_weight', 'float', required=True, default='1.5')

    @classmethod
    def add_field(cls, model, name, kind, *, default=None, **values):
        cls.env['ir.model.fields'].create({
            'name': name, 'model_id': cls.env['ir.model']._get_id(model), 'ttype': kind, 'state': 'manual',
            'field_description': name, **values})
        if default:
            cls.env['ir.default'].set(model, name, default)

    def test_of_everybody(self):
        notices = self.make_notices(DUE)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(notices.mapped('x_desk'), ['front', 'front'])
        self.assertEqual(notices.line_ids.mapped('x_shelf'), ['top', 'top', 'top'])
        self.assertEqual(notices.line_ids.mapped('x_weight'), [1.5, 1.5, 1.5])

    def test_of_the_company_that_is_planned(self):
        other = self.env['res.company'].create({'name': "Other"})
        Default = self.env['ir.default']
        Default.set(NOTICE, 'x_team', 'theirs', company_id=other.id)
        Default.set(NOTICE, 'x_team', 'ours', company_id=self.company.id)
        decisions = self.env['dunning.planner']._plan(self.company, DUE, only_due=True)
        # Whoever calls it may work in another company.
        notices = self.env[NOTICE].with_company(other)._create_from_decisions(self.company, decisions, DUE)
        self.assertEqual(notices.mapped('x_team'), ['ours', 'ours'])

    def test_of_the_user_who_sends(self):
        user = new_test_user(
            self.env, 'sender', groups='account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        self.env['ir.default'].set(NOTICE, 'x_team', 'mine', user_id=user.id)
        self.assertEqual(self.make_as(user).mapped('x_team'), ['mine', 'mine'])

    def test_of_the_code_of_another_addon(self):
        country = self.env.ref('base.be')
        fields = self.registry[NOTICE]._fields
        self.patch(fields['x_round'], 'default', lambda notices: 7)
        self.patch(fields['x_country_ids'], 'default', lambda notices: country)
        notices = self.make_notices(DUE)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(notices.mapped('x_round'), [7, 7])
        for notice in notices:
            self.assertEqual(notice.x_country_ids, country)
        self.assertEqual(len(notices.line_ids), 3)

    def test_a_default_of_a_client_fills_in_nothing(self):
        run = self.on(DUE, self.env['dunning.run']).with_context(default_x_desk='back', default_state='sent')
        notices = run._plan_company(self.company, DUE)['notices']
        self.assertEqual((set(notices.mapped('x_desk')), set(notices.mapped('state'))), ({'front'}, {'draft'}))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestAutomation(MakingCommon):
    """With the module of automation rules: it runs for each new notice that is as the rule says."""

    def test_a_rule_on_creation_runs_for_each(self):
        if 'base.automation' not in self.env:
            self.skipTest("base_automation is not installed")
        self.env['base.automation'].create({
            'name': "Large", 'model_id': self.env['ir.model']._get_id(NOTICE), 'trigger': 'on_create_or_write',
            'filter_domain': "[('amount_due', '>', 100), ('line_ids', '!=', False)]",
            'action_server_ids': [Command.create({
                'name': "Large", 'model_id': self.env['ir.model']._get_id(NOTICE), 'state': 'code',
                'code': "record.write({'note': 'Large'})"})]})
        notices = self.make_notices(DUE)
        self.assertEqual(
            {(notice.amount_due, notice.note) for notice in notices}, {(300.3, "Large"), (50.0, False)})
