"""The least right that works: who sees, makes, sends and configures."""

import inspect

from markupsafe import Markup

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import Form, new_test_user, tagged

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)
MODULE = 'odoo.addons.l10n_nl_dunning.'
R, W, C, U = 'read', 'write', 'create', 'unlink'
#: Who may do what; whoever is not named may do nothing.
RIGHTS = {
    'dunning.policy': {'sales': R, 'readonly': R, 'clerk': R, 'manager': (R, W, C, U)},
    'dunning.level': {'sales': R, 'readonly': R, 'clerk': R, 'manager': (R, W, C, U)},
    'dunning.notice': {'readonly': R, 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.notice.line': {'readonly': R, 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.send': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.send.group': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.send.skip': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.start': {'manager': (R, W, C, U)},
    'dunning.debit.return': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.invoice.sent': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.restore': {'manager': (R, W, C, U)},
    'dunning.interest.rate': {'readonly': R, 'clerk': R, 'manager': (R, W, C, U)},
    'dunning.law.fact': {'readonly': R, 'clerk': R, 'manager': R},
    'dunning.call': {'readonly': R, 'clerk': (R, W, C), 'manager': (R, W, C)},
    'dunning.call.outcome': {'readonly': R, 'clerk': R, 'manager': (R, W, C, U)},
    'dunning.call.enter': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.arrangement': {'readonly': R, 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.arrangement.line': {'readonly': R, 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.arrangement.instalment': {'readonly': R, 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.arrangement.make': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.arrangement.cancel': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.arrangement.scan': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.promise': {'readonly': R, 'clerk': (R, W, C), 'manager': (R, W, C)},
    'dunning.promise.line': {'readonly': R, 'clerk': (R, W, C), 'manager': (R, W, C)},
    'dunning.promise.make': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.promise.cancel': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.page': {'readonly': R, 'clerk': R, 'manager': R},
    'dunning.page.request': {'readonly': R, 'clerk': R, 'manager': R},
    'dunning.retention': {'manager': (R, W)},
    'dunning.retention.line': {'manager': R},
    'dunning.personal.data': {'readonly': (R, W, C, U), 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.hold': {'readonly': R, 'clerk': (R, W, C), 'manager': (R, W, C)},
    'dunning.hold.reason': {'readonly': R, 'clerk': R, 'manager': (R, W, C, U)},
    'dunning.hold.report': {'readonly': R, 'clerk': R, 'manager': R},
    'dunning.hold.place': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.hold.close': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.time.machine': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.time.machine.row': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.why': {'readonly': (R, W, C, U), 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.interruption': {'readonly': R, 'clerk': (R, W, C), 'manager': (R, W, C)},
    'dunning.prescription.warning': {'manager': R},
    'dunning.receipt': {'readonly': R, 'clerk': R, 'manager': R},
    'dunning.receipt.enter': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.post.enter': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.post.enter.line': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.withdrawal': {'readonly': R, 'clerk': (R, W), 'manager': (R, W)},
    'dunning.proposal.change': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.proposal.change.item': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.proposal.approve': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.handover': {'manager': R},
    'dunning.debtor': {'readonly': R, 'clerk': (R, W), 'manager': (R, W)},
    'dunning.behaviour': {'readonly': R, 'clerk': R, 'manager': R},
    'dunning.absence': {'readonly': R, 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.waiver': {'readonly': R, 'clerk': (R, W, C), 'manager': (R, W, C)},
    'dunning.waive': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.booking.waive': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.remainder': {'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
    'dunning.specification': {'readonly': (R, W, C, U), 'clerk': (R, W, C, U), 'manager': (R, W, C, U)},
}
#: Public methods that only say where to look: what is found there has its own rights.
HARMLESS = {'action_dunning_notices', 'action_dunning_holds', 'action_open_target'}
#: What public methods that cannot be called without arguments are asked with.
ARGUMENTS = {
    'message_update': ({'email_from': "stranger@example.com"},), 'get_text_preview': ({},), 'get_shipped_text': ({},),
    'send_text_test': ({}, 1)}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSecurity(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice()
        cls.sent = cls.dun(DUE)
        cls.other_move = cls.invoice(cls.make_debtor("Other BV"))
        cls.proposal = cls.make_notices(DUE)
        cls.users = {
            name: new_test_user(
                cls.env, f'dunning_{name}', groups=groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'portal': 'base.group_portal',
                'employee': 'base.group_user',
                'sales': 'base.group_user,base.group_partner_manager',
                'readonly': 'account.group_account_readonly',
                'clerk': 'account.group_account_invoice',
                'manager': 'account.group_account_manager',
            }.items()
        }

    def test_rights_by_model_and_role(self):
        for model, rights in RIGHTS.items():
            for name, user in self.users.items():
                allowed = rights.get('sales' if name == 'employee' else name, ())
                for operation in (R, W, C, U):
                    with self.subTest(model=model, user=name, operation=operation):
                        self.assertEqual(
                            self.env[model].with_user(user).has_access(operation),
                            operation in ((allowed,) if isinstance(allowed, str) else allowed))

    def test_every_model_with_a_table_is_in_the_matrix(self):
        ours = {name for name, model in self.registry.items() if name.startswith('dunning.') and not model._abstract}
        self.assertEqual(ours, set(RIGHTS))

    # --- sales ---

    def test_sales_sees_the_level_of_a_contact_but_no_amounts(self):
        contact = self.make_contact(self.business, "Ann")
        for name in ('sales', 'employee'):
            for partner in (self.business, contact):
                partner = partner.with_user(self.users[name])
                partner.invalidate_recordset()
                self.assertEqual(partner.dunning_level_id, self.reminder)
                self.assertEqual(partner.dunning_level_id.name, "Reminder")
                readable = [field for field in partner.fields_get() if field.startswith('dunning_')]
                self.assertIn('dunning_level_id', readable)
                self.assertFalse({
                    'dunning_amount_overdue', 'dunning_items_overdue', 'dunning_notice_ids', 'dunning_notice_count',
                } & set(readable))
                self.assertEqual(partner.read(readable)[0]['dunning_level_id'][1], "Reminder")
                with self.assertRaises(AccessError):
                    partner.read(['dunning_amount_overdue'])

    def test_sales_finds_contacts_by_level(self):
        Partner = self.env['res.partner'].with_user(self.users['sales'])
        self.assertIn(self.business, Partner.search([('dunning_level_id', '=', self.reminder.id)]))

    def test_sales_opens_and_saves_the_contact_form(self):
        with Form(self.business.with_user(self.users['sales'])) as form:
            form.comment = "Called"
        self.assertIn("Called", self.business.comment)

    def test_clerks_and_readers_open_the_contact_form(self):
        for name in ('readonly', 'clerk', 'manager'):
            form = Form(self.business.with_user(self.users[name]))
            self.assertTrue(form.name)

    def test_sales_reads_no_notice(self):
        for records in (self.sent, self.sent.line_ids):
            with self.assertRaises(AccessError):
                records.with_user(self.users['sales']).read(['id'])
        with self.assertRaises(AccessError):
            self.env['dunning.notice'].with_user(self.users['sales']).search([])

    def test_the_letter_is_for_accounting_only(self):
        letter = self.env['ir.attachment'].sudo().search([
            ('res_model', '=', 'dunning.notice'), ('res_field', '=', 'letter_file'), ('res_id', '=', self.sent.id)])
        for name in ('portal', 'employee', 'sales'):
            with self.assertRaises(AccessError):
                letter.with_user(self.users[name]).read(['raw'])
        self.assertTrue(letter.with_user(self.users['readonly']).read(['raw']))

    # --- portal ---

    def test_a_debtor_reads_nothing_of_ours_not_even_about_himself(self):
        portal = self.users['portal']
        portal.partner_id.parent_id = self.business
        for model in RIGHTS:
            with self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])
        me = portal.partner_id.with_user(portal)
        readable = [field for field in me.fields_get() if field.startswith('dunning_')]
        self.assertFalse(readable)

    def test_of_his_invoice_a_debtor_reads_the_level_he_was_told(self):
        """The level of an invoice asks no groups, since core would check them per row; the rest of ours does."""
        portal = self.users['portal']
        portal.partner_id.parent_id = self.business
        self.move.message_subscribe(portal.partner_id.ids)
        mine = self.move.with_user(portal)
        self.assertEqual(mine.read(['dunning_level_id'])[0]['dunning_level_id'][1], self.reminder.name)
        self.assertEqual(self.notices_of(self.move).state, 'sent', "It is what he was told")
        ours = {name for name in mine.fields_get() if name.startswith('dunning_')}
        self.assertEqual(ours, {'dunning_level_id'})
        with self.assertRaises(AccessError):
            self.other_move.with_user(portal).read(['dunning_level_id'])

    # --- reading and working ---

    def test_readonly_reads_but_does_not_act(self):
        notices = (self.sent | self.proposal).with_user(self.users['readonly'])
        self.assertEqual(notices.mapped('amount_due'), [100.0, 100.0])
        move = self.move.with_user(self.users['readonly'])
        self.assertEqual((move.dunning_level_id, move.dunning_notice_count), (self.reminder, 1))
        self.assertTrue(move.dunning_reason)
        for action in ('action_approve', 'action_cancel', 'action_send_now', 'action_done', 'action_skip',
                       'action_mark_posted', 'action_dunning_send'):
            with self.assertRaises(AccessError, msg=action):
                getattr(notices, action)()
        with self.assertRaises(AccessError):
            self.proposal.with_user(self.users['readonly']).note = "x"

    def test_a_clerk_does_the_whole_job(self):
        clerk = self.users['clerk']
        proposal = self.on(DUE, self.proposal.with_user(clerk))
        proposal.note = "Mind the tone"
        proposal.action_send_now()
        self.accept(proposal, DUE)
        self.assertRecordValues(proposal, [{'state': 'sent', 'author_id': clerk.id}])
        self.assertEqual(self.other_move.dunning_level_id, self.reminder)
        for channel in ('phone', 'letter', 'both', 'task'):
            self.reminder.channel = channel
            invoice = self.invoice(self.make_debtor(f"{channel} BV"))
            notice = self.on(DUE, self.make_notices(DUE).with_user(clerk))
            notice.action_approve()
            notice.action_send_now()
            self.assertNotEqual(notice.state, 'error', notice.error_message)
            if notice.state == 'todo':
                notice.action_done()
            elif notice.postal_state:
                self.post_letters(notice.with_user(clerk), DUE)
            self.assertEqual((notice.state, invoice.dunning_level_id), ('sent', self.reminder))

    def test_a_clerk_does_not_configure(self):
        for record in (self.ladder, self.reminder):
            with self.assertRaises(AccessError):
                record.with_user(self.users['clerk']).name = "x"
        with self.assertRaises(AccessError):
            self.env['dunning.start'].with_user(self.users['clerk']).create({})

    def test_a_manager_configures(self):
        manager = self.users['manager']
        policy = self.env['dunning.policy'].with_user(manager).create({'name': "Mine", 'level_ids': [
            Command.create({'name': "One", 'subject': "One", 'letter_intro': "<p>Hello</p>"})]})
        level = policy.level_ids
        level.letter_intro = (
            '<p t-out="object.salutation"/><p t-if="object.days_overdue > 1">Late</p><p t-else="">x</p>')
        level.subject = "Reminder {{ object.reference }}"
        policy.copy()
        # Whatever goes further could reach all data, so it takes a template editor.
        for field, text in (
            ('letter_intro', '<p t-out="object.sudo().env[\'res.users\'].search([])"/>'),
            ('letter_intro', '<p t-if="object.env.user">x</p>'),
            ('letter_intro', '<t t-set="x" t-value="object.partner_id"/>'),
            ('letter_closing', '<p t-att-title="object.partner_id.credit">x</p>'),
            ('call_script', '<t t-foreach="object.line_ids" t-as="line"><t t-out="line.name"/></t>'),
            ('subject', "{{ object.partner_id.credit }}"),
        ):
            with self.assertRaises(AccessError, msg=text), self.env.cr.savepoint():
                level[field] = text
        policy.unlink()

    def test_a_manager_changes_what_shipped(self):
        manager = self.users['manager']
        levels = self.env.ref('l10n_nl_dunning.policy_business').level_ids.with_user(manager)
        self.assertTrue(levels)
        for level in levels:
            for lang in ('nl_NL', 'en_US'):
                level.with_context(lang=lang).write({'delay_days': level.delay_days + 1})
        self.env.ref('l10n_nl_dunning.policy_consumer').with_user(manager).copy()

    # --- companies ---

    def test_notices_of_another_company_are_invisible(self):
        other = self.env['res.company'].create({'name': "Other"})
        stranger = new_test_user(
            self.env, 'stranger', groups='account.group_account_manager', company_id=other.id,
            company_ids=[Command.set(other.ids)])
        self.assertFalse(self.env['dunning.notice'].with_user(stranger).search([]) & (self.sent | self.proposal))
        for records in (self.sent, self.sent.line_ids, self.proposal):
            with self.assertRaises(AccessError):
                records.with_user(stranger).read(['id'])
        for action in ('action_approve', 'action_send_now', 'action_cancel', 'action_dunning_send'):
            with self.assertRaises(AccessError, msg=action):
                getattr(self.proposal.with_user(stranger), action)()
        self.assertEqual(self.proposal.state, 'draft')
        ours = self.make_policy("Ours", [{}], company_id=self.company.id)
        self.assertFalse(self.env['dunning.policy'].with_user(stranger).search([('id', '=', ours.id)]))
        self.assertFalse(self.env['dunning.level'].with_user(stranger).search([('policy_id', '=', ours.id)]))
        self.assertFalse(self.business.with_user(stranger).dunning_level_id)
        self.assertEqual(self.business.with_user(stranger).dunning_notice_count, 0)

    # --- the public surface ---

    def public_methods(self):
        """Yield (model, method) of everything we add that a browser or integration can call."""
        for name, model in self.registry.items():
            for cls in model.mro():
                if cls.__module__.startswith(MODULE):
                    for method, function in vars(cls).items():
                        if method.startswith('_') or not inspect.isfunction(function):
                            continue
                        try:
                            get_public_method(self.env[name], method)
                        except (AccessError, AttributeError):
                            continue
                        yield name, method

    def test_odd_values_get_a_sentence(self):
        clerk = self.users['clerk']
        debtor, item = self.business.with_user(clerk), self.items(self.move).with_user(clerk)
        for day in (5, True, ['2025-01-01'], 'gisteren', '9999-12-31', '0001-01-01', '2025-02-30', {}):
            for ask in (debtor.get_dunning_claim, debtor.get_dunning_reasons, item.get_dunning_reason):
                if not day:
                    continue
                with self.subTest(day=day, ask=ask.__name__), self.assertRaisesRegex(UserError, "is not a date"):
                    ask(day)
        for row in ('x', True, -1, 2 ** 70, [1], {'a': 1}, 1.5):
            with self.subTest(row=row):
                self.assertIn('gone', self.env['dunning.debtor'].with_user(clerk).get_screen(row))
        for name, value in (
            ('amount', 1e308), ('amount', -1), ('note', 'x' * 6000), ('external_id', '1' * 1000),
            ('contact_name', 'x' * 300), ('duration', 1e308), ('date', '9999-99-99'),
        ):
            with self.subTest(name=name), self.assertRaises(UserError):
                self.env['dunning.call'].with_user(clerk).log_call(
                    {'partner_id': debtor.id, 'outcome': 'promise', 'date': '2025-03-20', name: value})

    def test_a_visitor_does_not_flood_the_chatter(self):
        arrangement = self.env['dunning.arrangement']._make(
            self.company, self.business, self.move._get_dunning_items(), {})
        visitor = arrangement.with_user(self.env.ref('base.public_user')).sudo()
        words = {'body': Markup("<p>Hallo</p>"), 'message_type': 'comment'}
        for _number in range(10):
            visitor.message_post(**words)
        with self.assertRaisesRegex(UserError, "enough for today"):
            visitor.message_post(**words)
        arrangement.message_post(**words)

    def test_services_have_nothing_public(self):
        services = {'dunning.run', 'dunning.planner', 'dunning.dispatcher', 'dunning.letter'}
        self.assertLessEqual(services, set(self.registry))
        self.assertEqual([found for found in self.public_methods() if found[0] in services], [])

    def _make_holds(self):
        hold = self.env['dunning.hold'].create({
            'partner_id': self.business.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id,
            'date_end': self.company._dunning_today()})
        return {
            'dunning.hold': hold, 'dunning.hold.reason': hold.reason_id,
            'dunning.hold.place': self.env['dunning.hold.place'].browse(
                self.business.action_dunning_hold()['res_id']),
            'dunning.hold.close': self.env['dunning.hold.close'].browse(hold.action_close()['res_id']),
        }

    def _make_promises(self):
        owed = self.items(self.invoice(self.make_debtor("Belofte BV")))
        promise = self.env['dunning.promise']._make(
            self.company, owed.partner_id, self.company._dunning_today() + days(3), None, owed)
        arrangement = self.env['dunning.arrangement']._make(
            self.company, self.business, self.move._get_dunning_items(), {})
        return {
            'dunning.page': self.business._get_dunning_page(self.company),
            'dunning.promise': promise,
            'dunning.arrangement': arrangement,
            'dunning.arrangement.instalment': arrangement.instalment_ids[0],
            'dunning.arrangement.make': self.env['dunning.arrangement.make'].with_context(
                **arrangement.action_replace()['context']).create({}),
            'dunning.arrangement.scan': self.env['dunning.arrangement.scan'].create({
                'arrangement_id': arrangement.id}),
            'dunning.arrangement.cancel': self.env['dunning.arrangement.cancel'].browse(
                arrangement.action_ask_cancel()['res_id']),
            'dunning.promise.make': self.env['dunning.promise.make'].browse(
                self.business.action_dunning_promise()['res_id']),
            'dunning.promise.cancel': self.env['dunning.promise.cancel'].browse(promise.action_take_back()['res_id']),
            # sudo: the list follows from the settings
            'dunning.retention': self.env['dunning.retention'].sudo()._recording().create({
                'company_id': self.company.id, 'date': DUE}).with_env(self.env),
            'dunning.retention.line': self.env['dunning.retention.line'],
            'dunning.personal.data': self.env['dunning.personal.data'].create({'partner_id': self.business.id}),
            'res.config.settings': self.env['res.config.settings'].create({}),
        }

    def _make_calls(self):
        call = self.env['dunning.call'].browse(self.env['dunning.call'].log_call(
            {'partner_id': self.business.id, 'outcome': 'no_answer'})['call_id'])
        return {
            'dunning.call': call, 'dunning.call.outcome': call.outcome_id,
            'dunning.call.enter': self.env['dunning.call.enter'].browse(
                self.business.action_dunning_call()['res_id']),
            'mail.activity': self.business.activity_schedule('mail.mail_activity_data_call'),
        }

    def _make_withdrawals(self):
        paid = self.invoice(self.make_debtor("Paid BV"))
        self.dun(DUE)
        self.pay(paid, on=DUE - days(1))
        withdrawal = self.env['dunning.withdrawal'].search([('line_ids.move_id', '=', paid.id)])
        return {
            'dunning.withdrawal': withdrawal,
        }

    def _make_claims(self):
        item = self.items(self.move)
        return {
            'dunning.waiver': self.env['dunning.waiver'].create({
                'item_id': item.id, 'kind': 'keep', 'reason': "Later"}),
            'dunning.waive': self.env['dunning.waive'].browse(self.move.action_dunning_waive()['res_id']),
            'dunning.booking.waive': self.env['dunning.booking.waive'].create({'notice_id': self.sent.id}),
            'dunning.specification': self.env['dunning.specification'].browse(
                self.move.action_dunning_specification()['res_id']),
            'dunning.remainder': self.env['dunning.remainder'].create({
                'partner_id': self.business.id, 'item_id': item.id, 'move_id': self.move.id,
                'company_id': self.company.id}),
        }

    def _make_receipts(self):
        # sudo: nobody may write evidence but the code that knows what happened
        receipts = self.proposal._recording().env['dunning.receipt'].sudo()
        return {
            'dunning.receipt': receipts.create({
                'notice_id': self.proposal.id, 'kind': 'acknowledged', 'date': DUE}).sudo(False),
            'dunning.receipt.enter': self.env['dunning.receipt.enter'].create({'notice_id': self.proposal.id}),
        }

    def test_every_public_method_asks_for_access(self):
        clerk = self.users['clerk']
        send = self.on(DUE, self.other_move.with_user(clerk)).action_dunning_send()
        wizard = self.env['dunning.send'].browse(send['res_id'])
        records = {
            'account.move': self.move, 'account.move.line': self.items(self.move), 'res.partner': self.business,
            'dunning.notice': self.proposal, 'dunning.notice.line': self.proposal.line_ids,
            'dunning.policy': self.ladder, 'dunning.level': self.reminder, 'res.company': self.company,
            'dunning.send': wizard, 'dunning.send.group': wizard.group_ids,
            'dunning.start': self.env['dunning.start'].create({}),
            'dunning.invoice.sent': self.env['dunning.invoice.sent'].create({'move_ids': self.move.ids}),
            'dunning.debit.return': self.env['dunning.debit.return'].create({'move_ids': self.move.ids}),
            'dunning.restore': self.env['dunning.restore'].create({}),
            'dunning.interest.rate': self.env['dunning.interest.rate'].search([], limit=1),
            'dunning.law.fact': self.env['dunning.law.fact'].search([], limit=1),
            'dunning.debtor': self.env['dunning.debtor'].search([('partner_id', '=', self.business.id)]),
            **self._make_holds(),
            **self._make_calls(),
            **self._make_promises(),
            **self._make_claims(),
            **self._make_receipts(),
            **self._make_withdrawals(),
            'dunning.proposal.change': self.env['dunning.proposal.change'].browse(
                self.proposal.action_take_off()['res_id']),
            'dunning.proposal.approve': self.env['dunning.proposal.approve'].browse(
                self.proposal.action_review()['res_id']),
            'dunning.post.enter': self.env['dunning.post.enter'].create({}),
            'dunning.time.machine': self.env['dunning.time.machine'].create({}),
        }
        orm = {'create', 'write', 'unlink', 'copy_data', 'read', 'fields_get', 'default_get', 'get_views',
               'web_search_read'}
        asked = set()
        for model, method in self.public_methods():
            if method in orm or method in HARMLESS or model not in records:
                continue
            asked.add((model, method))
            for name in ('portal', 'employee', 'sales'):
                with self.subTest(model=model, method=method, user=name), self.assertRaises(AccessError), \
                        self.env.cr.savepoint():
                    getattr(records[model].with_user(self.users[name]), method)(*ARGUMENTS.get(method, ()))
        self.assertIn(('dunning.notice', 'action_send_now'), asked)
        self.assertIn(('res.partner', 'action_dunning_send'), asked)
        left = {(model, method) for model, method in self.public_methods() if method not in orm | HARMLESS}
        # A part of a model is asked by way of the models that inherit it; by its own name it gives nothing either.
        for part, method in sorted(left):
            if not self.env[part]._abstract:
                continue
            heirs = {(model, method) for model, cls in self.registry.items() if issubclass(cls, self.registry[part])}
            self.assertTrue(heirs & asked, f"Nobody asked {part}.{method}")
            for name in ('portal', 'employee', 'sales'):
                with self.subTest(part=part, method=method, user=name), self.assertRaises(AccessError), \
                        self.env.cr.savepoint():
                    getattr(self.env[part].with_user(self.users[name]).browse(1), method)(*ARGUMENTS.get(method, ()))
        self.assertLessEqual(
            {model for model, _method in left if not self.env[model]._abstract}, set(records) | {'dunning.send.skip'},
            "Name a record to ask these of")
        self.assertEqual(self.proposal.state, 'draft')
