from odoo import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.l10n_nl_dunning.tests.common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCrmLead(DunningCommon):

    def test_leads_show_and_are_grouped_by_the_level(self):
        seller = new_test_user(
            self.env, 'dunning_crm', groups='sales_team.group_sale_salesman_all_leads', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        self.invoice()
        self.dun(TODAY + days(6))
        Lead = self.env['crm.lead'].with_user(seller)
        late, free = Lead.create([
            {'name': "Oven", 'partner_id': self.make_contact(self.business, "Piet").id, 'type': 'opportunity'},
            {'name': "Nobody yet", 'type': 'opportunity'}])
        self.assertEqual((late | free).mapped('dunning_level_id'), self.reminder)
        text = late.with_context(dunning_at_date=TODAY + days(6)).dunning_text
        self.assertIn("Bakkerij De Korst BV is at level “Reminder”.\nThe oldest open invoice is 6 days late.", text)
        self.assertNotIn("100", text)
        self.assertFalse(free.dunning_text)
        mine = [('id', 'in', (late | free).ids)]
        self.assertEqual(Lead.search([*mine, ('dunning_level_id', '!=', False)]), late)
        self.assertEqual(
            Lead._read_group(mine, ['dunning_level_id'], ['__count']),
            [(self.reminder.with_user(seller), 1), (self.env['dunning.level'], 1)])
