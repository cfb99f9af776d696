"""Who works for a branch and sees nothing of its head office opens everything there is to open."""

from lxml import etree

from odoo import Command
from odoo.tests import new_test_user, tagged

from ..common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBranchUser(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env['res.company'].create({
            'name': "Filiaal", 'parent_id': cls.company.id, 'email': 'filiaal@test.example.com'})
        cls.env.cr.precommit.run()  # the chart of accounts
        cls.env.user.company_ids |= cls.branch
        cls.env = cls.env['base'].with_context(allowed_company_ids=[cls.company.id, cls.branch.id]).env
        cls.branch.write({
            'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False, 'dunning_quiet': False,
            'dunning_policy_business_id': cls.ladder.id})
        cls.head = cls.invoice(due=TODAY - days(20))
        cls.move = cls.invoice(due=TODAY - days(20), company=cls.branch)
        cls.users = [new_test_user(
            cls.env, f'branch_{number}', groups=groups, company_id=cls.branch.id,
            company_ids=[Command.set(cls.branch.ids)])
            for number, groups in enumerate((
                'account.group_account_invoice', 'account.group_account_readonly', 'account.group_account_manager',
                'base.group_user,base.group_partner_manager'))]

    def read_form(self, record, kind='form'):
        arch = etree.fromstring(record.get_view(view_type=kind)['arch'])
        names = {node.get('name') for node in arch.iter('field') if not any(
            parent.tag == 'field' for parent in node.iterancestors())}
        return record.web_read({name: {} for name in names if name in record._fields})

    def test_invoice_contact_and_worklist(self):
        for user in self.users:
            env = self.env(user=user, context={'allowed_company_ids': self.branch.ids})
            env.invalidate_all()
            accounting = user.has_groups('account.group_account_invoice,account.group_account_readonly')
            with self.subTest(user=user.login):
                for kind in ('form', 'list', 'kanban'):
                    self.assertTrue(self.read_form(self.business.with_env(env), kind))
                if not accounting:
                    continue
                for kind in ('form', 'list'):
                    self.assertTrue(self.read_form(self.move.with_env(env), kind))
                item = self.items(self.move).with_env(env)
                self.assertTrue(item.get_dunning_reason())
                self.assertTrue(self.business.with_env(env).get_dunning_reasons())
                self.assertTrue(self.business.with_env(env).get_dunning_claim())
                debtors = env['dunning.debtor'].search([])
                self.assertTrue(debtors.web_search_read([], {'partner_id': {}, 'reason': {}} if (
                    'reason' in debtors._fields) else {'partner_id': {}}))
                self.assertNotIn('gone', env['dunning.debtor'].get_screen(debtors[:1].id))

    def test_a_clerk_of_the_branch_sends(self):
        env = self.env(user=self.users[0], context={'allowed_company_ids': self.branch.ids})
        action = self.move.with_env(env).action_dunning_send()
        wizard = env['dunning.send'].browse(action['res_id'])
        wizard.action_send_now()
        notice = self.accept(self.notices_of(self.move))
        self.assertEqual((notice.company_id, notice.state), (self.branch, 'sent'), notice.waiting_reason)
