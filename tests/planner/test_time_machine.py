"""The time machine: what the scheduled action would make on a day, as it made it then, and nothing written."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..common import TODAY, DunningCommon, days

#: Everything that asking could have written by accident.
TABLES = (
    'dunning_notice', 'dunning_notice_line', 'dunning_level', 'dunning_policy', 'dunning_hold', 'dunning_receipt',
    'account_move', 'account_move_line', 'account_partial_reconcile', 'mail_mail', 'mail_message', 'mail_activity',
    'ir_attachment', 'res_partner')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTimeMachine(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, 'machine_clerk', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])

    def machine(self, day, today=TODAY, user=None, **values):
        Machine = self.on(today, self.env['dunning.time.machine']).with_user(user or self.clerk)
        return Machine.create({'date': day, **values})

    def show(self, day, today=TODAY, **values):
        """Return what a clerk is shown of a day, in the words of :meth:`made`."""
        machine = self.machine(day, today, **values)
        action = machine.action_show()
        rows = self.env['dunning.time.machine.row'].with_user(self.clerk).search(action['domain'])
        return sorted(
            (row.partner_id.id, row.level_id.id, row.channel, row.item_count, round(row.amount, 2)) for row in rows)

    def made(self, notices):
        return sorted(
            (notice.partner_id.id, notice.level_id.id, notice.channel, len(notice.live_line_ids),
             round(sum(notice.live_line_ids.mapped('amount_due_company')), 2)) for notice in notices)

    def get_counts(self):
        self.env.flush_all()
        counts = {}
        for table in TABLES:
            self.env.cr.execute(SQL(
                "SELECT COUNT(*), MD5(STRING_AGG(line::text, ',' ORDER BY id)) FROM %s line", SQL.identifier(table)))
            counts[table] = self.env.cr.fetchone()
        return counts

    def make_busy(self):
        """Several debtors, kinds, channels and amounts, with a credit and a hold."""
        policy = self.make_policy("Busy", [
            {'delay_days': 4, 'payment_term_days': 8, 'channel': 'both'},
            {'delay_days': 2, 'delay_from': 'previous_deadline', 'channel': 'phone'},
            {'delay_days': 1, 'delay_from': 'previous_deadline', 'channel': 'letter'},
        ], minimum_amount=40.0)
        self.use_policy(policy)
        self.company.dunning_contacts_per_week = 2
        for number in range(6):
            debtor = self.make_debtor(f"Busy {number} BV", consumer=number % 3 == 1)
            for more in range(number % 3 + 1):
                self.invoice(debtor, TODAY + days(5 * number - 12 + 7 * more), amount=30.0 + 20 * number)
            if number == 4:
                self.receive(debtor, 120.0)
            if number == 5:
                self.on(TODAY, self.env['dunning.hold']).create({
                    'partner_id': debtor.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id,
                    'date_end': TODAY + days(35), 'user_id': self.clerk.id})

    def test_a_coming_day_is_as_if_nothing_happens_until_then(self):
        self.invoice()
        self.assertEqual(self.show(TODAY + days(4)), [])
        self.assertEqual(
            self.show(TODAY + days(5)), [(self.business.id, self.reminder.id, 'email', 1, 100.0)])
        self.assertEqual(self.show(TODAY + days(30)), self.show(TODAY + days(5)), "It was not sent meanwhile")
        self.assertIn("As if until then nobody pays", self.machine(TODAY + days(5)).unknown)

    def test_it_shows_what_the_scheduled_action_makes(self):
        self.make_busy()
        for day in (0, 4, 9, 20):
            shown = self.show(TODAY + days(day))
            with self.env.cr.savepoint() as savepoint:
                made = self.made(self.make_notices(TODAY + days(day)))
                savepoint.rollback()
                self.env.invalidate_all()
            self.assertEqual(shown, made, day)
        self.assertTrue(shown)

    def test_a_past_day_shows_what_was_made_on_it(self):
        self.make_busy()
        paid = self.invoice(amount=70.0)
        made = {}
        for day in (TODAY + days(number) for number in range(0, 28, 3)):
            if day == TODAY + days(12):
                self.pay(paid, 30.0, on=day)
            if day == TODAY + days(21):
                self.pay(paid, on=day)
            notices = self.send(self.make_notices(day), day)
            made[day] = self.made(notices)
            if letters := notices.filtered(lambda notice: notice.postal_state == 'to_print'):
                self.post_letters(letters, day)
            if mailed := notices.filtered(lambda notice: notice.state == 'sent' and notice.mail_id):
                self.mails_leave(mailed, day)
            if calls := notices.filtered(lambda notice: notice.state == 'todo'):
                self.called(calls, day)
        self.assertGreater(len([notices for notices in made.values() if notices]), 2)
        for day, notices in made.items():
            self.assertEqual(self.show(day, today=TODAY + days(70)), notices, day)
        self.assertIn("Not known of the past", self.machine(TODAY, today=TODAY + days(70)).unknown)

    def test_backlog_goes_a_few_a_day(self):
        """A day that is over is not full of what was made on it: that is what is asked about."""
        self.company.dunning_start_date = TODAY
        self.invoice(self.make_debtor("Old BV"), TODAY - days(20))
        self.make_notices(TODAY)
        Planner = type(self.env['dunning.planner'])
        for today, used in ((TODAY, None), (TODAY + days(1), 0)):
            with patch.object(Planner, '_cap_backlog', autospec=True, side_effect=Planner._cap_backlog) as capped:
                self.show(TODAY, today=today)
            self.assertEqual(capped.call_args.kwargs, {'used': used})
        self.assertEqual(len(self.show(TODAY, today=TODAY + days(1))), 1)

    def test_of_some_debtors_only(self):
        second = self.make_debtor("Second BV")
        self.invoice()
        self.invoice(second)
        rows = self.show(TODAY + days(5), partner_ids=[Command.set(second.ids)])
        self.assertEqual([row[0] for row in rows], second.ids)

    def test_nothing_is_written(self):
        self.make_busy()
        before = self.get_counts()
        self.assertTrue(self.show(TODAY + days(9)))
        self.show(TODAY, today=TODAY + days(9))
        self.assertEqual(self.get_counts(), before)

    def test_asking_again_makes_room(self):
        self.invoice()
        machine = self.machine(TODAY + days(5))
        machine.action_show()
        machine.date = TODAY
        action = machine.action_show()
        self.assertFalse(self.env['dunning.time.machine.row'].search(action['domain']))

    def test_other_companies_are_left_alone(self):
        other = self.setup_other_company(name="Other company")['company']
        self.use_policy(self.ladder, other)
        other.write({'dunning_start_date': '2020-01-01', 'dunning_oldest_due_date': False})
        self.invoice()
        self.invoice(company=other, amount=70.0)
        self.assertEqual([row[-1] for row in self.show(TODAY + days(5))], [100.0])

    def test_who_may(self):
        other = self.setup_other_company(name="Other company")['company']
        machine = self.machine(TODAY, company_id=other.id, user=self.env.user)
        with self.assertRaises(AccessError):
            machine.with_user(self.clerk).action_show()
        mine = self.machine(TODAY)
        mine.sudo().company_id = other
        with self.assertRaises(AccessError):
            mine.action_show()
        sales = new_test_user(self.env, 'machine_sales', groups='base.group_user')
        with self.assertRaises(AccessError):
            self.machine(TODAY, user=sales)
