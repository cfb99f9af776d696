"""The salesperson of a customer is told how he pays: as he chose, once, and without amounts."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.l10n_nl_dunning.tests.agreement.test_arrangement_follow import BROKEN, LAST, TOLD, WAITED, FollowCommon
from odoo.addons.l10n_nl_dunning.tests.common import TODAY, days

from .common import LATE, SaleCommon

LOGGER = 'odoo.addons.l10n_nl_dunning_sale.models.dunning_seller_news'
MONDAY = TODAY + days(7)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSellerNews(SaleCommon, FollowCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.late.user_id = cls.seller
        cls.ladder.seller_level_id = cls.reminder
        cls.colleague = new_test_user(
            cls.env, 'dunning_colleague', groups='sales_team.group_sale_salesman', name="Cas",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])

    def night(self, at_date):
        Run = self.on(at_date, self.env['dunning.run'])
        self.assertIn('_tell_sellers', [step.__name__ for step in Run._get_plan_steps()])
        self.on(at_date, self.env['dunning.seller.news'])._tell(self.company, at_date)

    def told(self, user=None):
        """Return what stands on the to-do list of a salesperson."""
        return [str(note) for note in self.env['mail.activity'].with_user(user or self.seller).search(
            [('user_id', '=', (user or self.seller).id), ('res_model', '=', 'res.partner')]).mapped('note')]

    def test_a_level_is_told_once_and_without_amounts(self):
        self.night(LATE)
        self.night(LATE + days(1))
        [note] = self.told()
        self.assertIn("Bakkerij De Korst BV has been at level “Reminder” since", note)
        self.assertNotIn("100", note)
        self.assertNotIn("your invoices", note)

    def test_a_later_level_than_chosen_or_none(self):
        self.ladder.seller_level_id = self.demand
        self.night(LATE)
        self.assertFalse(self.told())
        self.dun(LATE + days(20))
        self.night(LATE + days(20))
        self.assertIn("“Demand”", self.told()[0])

    def test_without_a_choice_nothing_is_told(self):
        self.ladder.seller_level_id = False
        self.night(LATE)
        self.assertFalse(self.told())

    def test_who_sold_the_invoice_reads_what_left(self):
        self.overdue.invoice_user_id = self.colleague
        self.night(LATE)
        self.assertIn(f"It is about your invoices: {self.overdue.name}.", self.told(self.colleague)[0])
        self.assertNotIn("your invoices", self.told()[0])

    def test_handed_over(self):
        agency = self.env['res.partner'].create({'name': "Incasso BV"})
        self.ladder.seller_level_id = self.demand
        self.reminder.channel = 'task'
        self.invoice(self.prompt, due=TODAY)
        self.prompt.user_id = self.seller
        notice = self.dun(LATE)
        notice.agency_id = agency
        self.called(notice, LATE)
        self.night(LATE)
        self.assertIn("Prompt BV was handed over to Incasso BV.", self.told()[0])

    def test_a_broken_arrangement(self):
        self.agree(self.overdue)
        for day in (TOLD, LAST, WAITED, BROKEN):
            self.judge(day)
        self.night(BROKEN)
        self.assertEqual(
            [note for note in self.told() if "arrangement" in note],
            ["<span>Bakkerij De Korst BV did not keep the payment arrangement.</span>"])

    def test_who_cannot_be_told_stops_nothing(self):
        self.overdue.invoice_user_id = self.colleague
        News, seller = self.registry['dunning.seller.news'], self.seller
        deliver = News._deliver

        def fail(self, user, at_date):
            if user == seller:
                raise ValueError("unknown")
            deliver(self, user, at_date)

        with patch.object(News, '_deliver', fail), mute_logger(LOGGER):
            self.night(LATE)
        self.assertFalse(self.told())
        self.assertTrue(self.told(self.colleague))
        self.night(LATE + days(1))
        self.assertTrue(self.told())

    def test_paid_is_told_after_bad_news_and_takes_its_place(self):
        self.night(LATE)
        self.pay(self.overdue, on=LATE + days(1))
        self.env.invalidate_all()
        self.night(LATE + days(1))
        self.night(LATE + days(2))
        [note] = self.told()
        self.assertIn("Nothing of Bakkerij De Korst BV is late any more.", note)
        self.assertFalse(self.told(self.colleague))

    def test_one_mail_a_week_for_who_wants_that(self):
        self.seller.with_user(self.seller).dunning_news = 'weekly'  # his own preference
        self.night(LATE)
        self.assertFalse(self.told())
        notified = [('partner_ids', 'in', self.seller.partner_id.ids), ('message_type', '=', 'user_notification')]
        self.assertFalse(self.env['mail.message'].search(notified))
        self.assertNotEqual(LATE.weekday(), 0)
        self.night(MONDAY)
        self.night(MONDAY + days(1))
        message = self.env['mail.message'].search(notified)
        self.assertEqual(len(message), 1)
        self.assertIn("“Reminder”", message.body)

    def test_nothing_for_who_wants_nothing(self):
        self.seller.dunning_news = 'none'
        self.night(LATE)
        self.assertFalse(self.env['dunning.seller.news'].search([('user_id', '=', self.seller.id)]))

    def test_each_reads_his_own(self):
        self.night(LATE)
        News = self.env['dunning.seller.news']
        self.assertTrue(News.with_user(self.seller).search([]))
        self.assertFalse(News.with_user(self.colleague).search([]))
        with self.assertRaises(AccessError):
            News.with_user(self.seller).search([]).text = "All paid"
