from lxml import etree

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days

ACCOUNTING = 'account.group_account_invoice'
AMOUNTS = ('dunning_amount_overdue', 'dunning_items_overdue', 'dunning_days_overdue', 'dunning_notice_ids')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestViews(DunningCommon):
    """What each role sees, and that what lists show costs the same for one page as for one row."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, 'dunning_at_date': TODAY})
        user = {'company_id': cls.company.id, 'company_ids': [(6, 0, cls.company.ids)]}
        groups = {
            'sales': 'base.group_user,base.group_partner_manager',
            'accountant': f'base.group_user,{ACCOUNTING}',
            'auditor': 'base.group_user,account.group_account_readonly',
            'manager': 'base.group_user,account.group_account_manager',
        }
        cls.users = {
            role: new_test_user(cls.env, f'dunning_{role}', groups=names, **user) for role, names in groups.items()}

    # --- what a role sees ---

    def as_role(self, role, records):
        return records.with_user(self.users[role]).with_context(dunning_at_date=TODAY)

    def get_specification(self, node, model):
        """Return what the web client asks for when it shows this part of a view."""
        fields = self.env[model]._fields
        specification = {}
        for child in node.xpath(".//field[not(ancestor::field)]" if node.tag != 'field' else "./*//field"):
            name = child.get('name')
            if name not in fields:
                continue
            specification[name] = {}
            if fields[name].type == 'many2one':
                specification[name] = {'fields': {'display_name': {}}}
            elif fields[name].type == 'one2many' and len(child):
                inner = child[0]
                specification[name] = {'fields': {
                    sub.get('name'): {} for sub in inner.xpath("./field")
                    if sub.get('name') in self.env[fields[name].comodel_name]._fields}}
        return specification

    def read_view(self, role, records, view_type, view=None):
        """Let a user open a view on records: get its architecture and read everything it shows."""
        records = self.as_role(role, records)
        arch = etree.fromstring(records.get_view(view and self.env.ref(view).id, view_type)['arch'])
        names = {node.get('name') for node in arch.iter('field')}
        records.env.invalidate_all()
        return names, records.web_read(self.get_specification(arch, records._name))

    def test_contact_for_sales(self):
        """A salesperson reads the level of a contact in every view, no amount, and meets no access error."""
        self.invoice(due=TODAY - days(10))
        self.dun()
        for view_type in ('form', 'list', 'kanban'):
            with self.subTest(view_type=view_type):
                names, values = self.read_view('sales', self.business, view_type)
                self.assertEqual(values[0]['dunning_level_id']['display_name'], "Reminder")
                self.assertFalse(names & set(AMOUNTS), "Amounts are for accounting")

    def test_contact_for_accounting(self):
        """Accounting reads the amounts and the history of the same contact."""
        self.invoice(due=TODAY - days(10), amount=100.0)
        notice = self.dun()
        for role in ('accountant', 'auditor', 'manager'):
            with self.subTest(role=role):
                _names, values = self.read_view(role, self.business, 'form')
                self.assertEqual(values[0]['dunning_amount_overdue'], 100.0)
                self.assertEqual([line['id'] for line in values[0]['dunning_notice_ids']], notice.ids)

    def test_contact_of_a_debtor(self):
        """The contacts of a debtor show the level of the debtor."""
        contact = self.make_contact(self.business, "Piet")
        self.invoice(due=TODAY - days(10))
        self.dun()
        self.assertEqual(self.as_role('sales', contact).dunning_level_id, self.reminder)

    def test_level_is_of_the_company(self):
        """A debtor who is late in one company is not late in the other."""
        self.invoice(due=TODAY - days(10))
        self.dun()
        other = self.env['res.company'].create({'name': "Other BV"})
        self.assertEqual(self.business.dunning_level_id, self.reminder)
        self.assertFalse(self.business.with_company(other).dunning_level_id)
        self.assertFalse(self.business.with_company(other).dunning_amount_overdue)
        Partner = self.env['res.partner']
        late = [('dunning_level_id', '!=', False)]
        self.assertIn(self.business, Partner.search(late))
        self.assertNotIn(self.business, Partner.with_company(other).search(late))

    def test_views_of_notices(self):
        """Every view of notices can be read by accountant and auditor."""
        self.invoice(due=TODAY - days(10))
        notice = self.dun()
        for role in ('accountant', 'auditor'):
            for view_type in ('list', 'form', 'kanban'):
                with self.subTest(role=role, view_type=view_type):
                    _names, values = self.read_view(role, notice, view_type)
                    self.assertEqual(values[0]['state'], 'sent')

    def test_invoice_says_why(self):
        """The form of an invoice has one sentence about what follows."""
        invoice = self.invoice(due=TODAY - days(10))
        for role in ('accountant', 'auditor'):
            with self.subTest(role=role):
                _names, values = self.read_view(role, invoice, 'form', 'account.view_move_form')
                self.assertIn("Reminder", values[0]['dunning_reason'])
        self.dun()
        _names, values = self.read_view('accountant', invoice, 'form', 'account.view_move_form')
        self.assertEqual(values[0]['dunning_level_id']['display_name'], "Reminder")
        self.assertIn("Demand", values[0]['dunning_reason'])

    def test_due_items_and_debtors(self):
        """The lists of due items and debtors show the same level."""
        invoice = self.invoice(due=TODAY - days(10))
        self.dun()
        item = self.items(invoice)
        _names, values = self.read_view('auditor', item, 'list', 'l10n_nl_dunning.account_move_line_view_list')
        self.assertEqual(values[0]['dunning_level_id']['display_name'], "Reminder")
        self.assertEqual(values[0]['dunning_days_overdue'], 10)
        self.assertIn(item, self.env['account.move.line'].search([('dunning_level_id', '=', self.reminder.id)]))
        self.assertNotIn(item, self.env['account.move.line'].search([('dunning_level_id', '=', False)]))
        self.assertNotIn(item, self.env['account.move.line'].search([('dunning_level_id', '=', self.demand.id)]))
        _names, values = self.read_view(
            'auditor', self.business, 'list', 'l10n_nl_dunning.res_partner_view_list_debtor')
        self.assertEqual(values[0]['dunning_effective_policy_id']['display_name'], "Ladder")

    def test_menus(self):
        """The app is for accounting; its configuration for managers."""
        root = self.env.ref('l10n_nl_dunning.menu_dunning_root').id
        policies = self.env.ref('l10n_nl_dunning.menu_dunning_policies').id
        visible = {
            role: self.env['ir.ui.menu'].with_user(user)._visible_menu_ids() for role, user in self.users.items()}
        self.assertNotIn(root, visible['sales'])
        for role in ('accountant', 'auditor', 'manager'):
            self.assertIn(root, visible[role])
        self.assertNotIn(policies, visible['accountant'])
        self.assertIn(policies, visible['manager'])

    def test_a_small_firm_sees_few_menus(self):
        """A collector has eight, a manager fourteen; the rest is there when it is switched on in the settings."""
        root = self.env.ref('l10n_nl_dunning.menu_dunning_root').id

        def get_leaves(role):
            self.env.invalidate_all()
            menus = self.env['ir.ui.menu'].with_user(self.users[role]).load_menus(False)
            ids, leaves = [root], set()
            for menu_id in ids:  # grows
                ids += menus[menu_id]['children']
                if not menus[menu_id]['children']:
                    leaves.add(menus[menu_id]['xmlid'].partition('.menu_dunning_')[2])
            return leaves

        self.env.ref('base.group_user').implied_ids -= self.env.ref('l10n_nl_dunning.group_dunning_advanced')
        collector, manager = get_leaves('accountant'), get_leaves('manager')
        self.assertLessEqual(len(collector), 8, collector)
        self.assertLessEqual(len(manager), 14, manager)
        self.assertLess(collector, manager)
        self.env['res.config.settings'].create({'group_dunning_advanced': True}).execute()
        everything = get_leaves('manager')
        self.assertLess(manager, everything)
        self.assertLess({
            'withdrawals', 'limitation', 'absences', 'time_machine', 'law_facts', 'report_wrong'}, everything)

    def test_purchase_documents_are_left_alone(self):
        """A vendor bill has no reason, no level and nothing to send."""
        bill = self.invoice(due=TODAY - days(10), move_type='in_invoice')
        self.assertFalse(bill.dunning_reason)
        with self.assertRaisesRegex(Exception, "Nothing in the selection"):
            bill.action_dunning_send()

    # --- filters ---

    def test_filters_on_invoices(self):
        """To remind, overdue by item, has a level."""
        late = self.invoice(due=TODAY - days(10))
        half = self.invoice(instalments=[(50, TODAY - days(2)), (50, TODAY + days(20))])
        early = self.invoice(due=TODAY + days(10))
        Move = self.env['account.move']
        ours = [('id', 'in', (late | half | early).ids)]
        self.assertEqual(Move.search([*ours, ('dunning_is_due', '=', True)]), late)
        self.assertEqual(Move.search([*ours, ('dunning_is_due', '=', False)]), half | early)
        self.assertEqual(Move.search([*ours, ('dunning_days_overdue', '>', 0)]), late | half)
        self.dun()
        self.assertEqual(Move.search([*ours, ('dunning_level_id', '!=', False)]), late)
        self.assertFalse(Move.search([*ours, ('dunning_is_due', '=', True)]))

    # --- the wizard ---

    def open_wizard(self, records):
        return self.env['dunning.send'].browse(records.action_dunning_send()['res_id'])

    def test_wizard_offers_waiting_proposals(self):
        """Invoices whose proposal was made this night can be sent from the list of invoices."""
        invoice = self.invoice(due=TODAY - days(10))
        notice = self.make_notices()
        wizard = self.open_wizard(invoice)
        self.assertEqual(wizard.group_ids.notice_id, notice)
        self.assertFalse(wizard.skip_ids)
        wizard.action_send_now()
        self.assertEqual(notice.state, 'leaving')

    def test_wizard_follows_the_chosen_channel(self):
        """A proposal leaves by the channel that was chosen in the wizard."""
        notice = self.invoice(due=TODAY - days(10)) and self.make_notices()
        wizard = self.open_wizard(notice)
        wizard.group_ids.channel = 'letter'
        wizard.action_send_now()
        self.assertRecordValues(notice, [{'channel': 'letter', 'state': 'to_post'}])

    def test_wizard_sends_no_proposal_twice(self):
        """What a colleague sent while the window was open does not leave again."""
        notice = self.invoice(due=TODAY - days(10)) and self.make_notices()
        wizard = self.open_wizard(notice)
        self.send(notice)
        mails = self.env['mail.mail'].search_count([])
        with self.assertRaisesRegex(Exception, "Nothing is due any more"):
            wizard.action_send_now()
        self.assertEqual(self.env['mail.mail'].search_count([]), mails)

    def test_wizard_warns_about_the_channel(self):
        """Choosing a channel that reaches nobody is said before sending."""
        self.business.write({'street': False})
        wizard = self.open_wizard(self.invoice(due=TODAY - days(10)))
        self.assertFalse(wizard.problem_count)
        wizard.group_ids.channel = 'letter'
        self.assertIn("postal address", wizard.group_ids.problem)
        self.assertEqual(wizard.problem_count, 1)

    def test_wizard_says_when_the_queue_sleeps(self):
        wizard = self.open_wizard(self.invoice(due=TODAY - days(10)))
        cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch')
        cron.active = False
        wizard.invalidate_recordset(['queue_asleep'])
        self.assertTrue(self.as_role('accountant', wizard).queue_asleep)
        cron.active = True
        wizard.invalidate_recordset(['queue_asleep'])
        self.assertFalse(self.as_role('accountant', wizard).queue_asleep)

    def test_result_shows_exactly_these_notices(self):
        """The notification after sending leads to the notices it is about."""
        invoices = self.invoice(due=TODAY - days(10)) | self.invoice(
            self.make_debtor("Slager"), due=TODAY - days(10))
        action = self.open_wizard(invoices).action_send_now()
        notices = self.notices_of(invoices)
        self.assertEqual(action['params']['button']['action']['domain'], [('id', 'in', notices.ids)])
        self.assertEqual(action['params']['next'], {'type': 'ir.actions.act_window_close'})
        single = notices[0]._notify_result("One")['params']['button']['action']
        self.assertEqual((single['res_id'], single['views']), (notices[0].id, [(False, 'form')]))

    # --- sentences ---

    def test_timing_of_levels(self):
        """The settings of a level read as a sentence."""
        self.assertEqual(self.reminder.timing, "5 days after the due date, e-mail, 10 days to pay")
        self.assertEqual(self.demand.timing, "4 days after the previous term, e-mail, 7 days to pay")
        friendly = self.reminder.copy({'delay_days': -3, 'policy_id': self.make_policy("Before", []).id})
        self.assertEqual(friendly.timing, "3 days before the due date, e-mail, 10 days to pay")
        self.assertEqual(self.ladder.summary, "Reminder → Demand → Final demand")

    def test_policy_that_applies(self):
        """A debtor shows the policy of the company until he has one of his own."""
        self.assertEqual(self.business.dunning_effective_policy_id, self.ladder)
        own = self.make_policy("Own", [{}])
        self.business.dunning_policy_id = own
        self.assertEqual(self.make_contact(self.business, "Piet").dunning_effective_policy_id, own)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestViewsAreSetBased(DunningCommon):
    """One page of a list costs as many queries as a few rows: nothing is asked per row."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, 'dunning_at_date': TODAY})
        cls.debtors = cls.env['res.partner'].create([
            {'name': f"Debtor {number:02}", 'is_company': True, 'email': f"d{number}@example.com", 'lang': 'nl_NL'}
            for number in range(20)
        ])
        cls.moves = cls.env['account.move'].create([
            {
                'move_type': 'out_invoice',
                'partner_id': cls.debtors[number % 20].id,
                'invoice_date': TODAY - days(60),
                'invoice_date_due': TODAY - days(number % 8),
                'invoice_payment_term_id': False,
                'invoice_line_ids': [Command.create({
                    'name': "Bread", 'quantity': 1, 'price_unit': 10.0 + number, 'tax_ids': [Command.clear()]})],
            }
            for number in range(80)
        ])
        cls.moves.action_post()
        cls.moves.is_move_sent = True

    def count(self, action):
        """Return how many queries something takes on an empty cache."""
        action()  # what is cached per database
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        action()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def assertSetBased(self, few, many, *, slack=2):
        cost_few, cost_many = self.count(few), self.count(many)
        self.assertLessEqual(
            cost_many, cost_few + slack, f"{cost_few} queries for a few, {cost_many} for a page")
        return cost_many

    def assertListIsSetBased(self, records, names):
        specification = {name: {} for name in names}
        self.assertSetBased(
            lambda: records[:8].web_read(specification), lambda: records.web_read(specification))

    def test_columns_of_invoices(self):
        self.assertListIsSetBased(self.moves, [
            'dunning_level_id', 'dunning_days_overdue', 'dunning_is_due', 'dunning_reason'])

    def test_columns_of_due_items(self):
        self.assertListIsSetBased(self.items(self.moves), [
            'dunning_level_id', 'dunning_days_overdue', 'dunning_reason'])

    def test_columns_of_debtors(self):
        self.assertListIsSetBased(self.debtors, [
            'dunning_level_id', 'dunning_effective_type', 'dunning_effective_policy_id',
            'dunning_items_overdue', 'dunning_days_overdue', 'dunning_amount_overdue', 'dunning_notice_count'])

    def test_wizard(self):
        """Opening the wizard for 80 invoices takes as many queries as for 8; so does showing it."""
        Wizard = self.env['dunning.send']

        def show(moves):
            wizard = Wizard.browse(moves.action_dunning_send()['res_id'])
            wizard.web_read({
                'summary': {}, 'problem_count': {},
                'group_ids': {'fields': {
                    'partner_id': {'fields': {'display_name': {}}}, 'lang_name': {}, 'problem': {},
                    'level_id': {'fields': {'display_name': {}}}, 'amount_due': {}}},
                'skip_ids': {'fields': {'reason': {}, 'move_id': {'fields': {'display_name': {}}}}},
            })
            return wizard

        wizard = show(self.moves)
        self.assertTrue(wizard.group_ids)
        self.assertTrue(wizard.skip_ids)
        # Rows are inserted in batches; the debtors and items are many.
        self.assertSetBased(lambda: show(self.moves[:8]), lambda: show(self.moves), slack=6)
