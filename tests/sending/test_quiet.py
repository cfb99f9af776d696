"""Quiet hours: nobody is e-mailed on Sundays, holidays or at night; what is queued leaves afterwards."""

from datetime import date, datetime

from freezegun import freeze_time

from odoo.tests import tagged

from ..common import DunningCommon, days


def local(*parts):
    """Return a moment by the clock of the company, which has no time zone of its own."""
    return datetime(*parts)  # noqa: DTZ001 - see above


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestQuiet(DunningCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.dunning_quiet = True

    def queued(self, on, debtor=None, channel='email'):
        self.ladder.level_ids.channel = channel
        self.invoice(debtor, due=on - days(30))
        notice = self.make_notices(on)
        self.send(notice, on)
        return notice

    def test_nothing_is_mailed_on_a_sunday(self):
        sunday = date(2025, 3, 9)
        notice = self.queued(sunday)
        self.assertEqual(notice.state, 'queued')
        self.assertFalse(notice.mail_id)
        self.assertIn("Monday 10 March", notice.waiting_reason)
        self.send(notice, sunday + days(1))
        self.assertEqual(notice.state, 'sent')
        self.assertFalse(notice.waiting_reason)

    def test_nothing_is_mailed_on_a_holiday(self):
        # Good Friday 18 April 2025; Saturday is a working day for mail; Easter Sunday and Monday are not.
        self.assertEqual(self.queued(date(2025, 4, 18)).state, 'queued')
        self.assertEqual(
            self.on(date(2025, 4, 20), self.company)._get_dunning_quiet_until(), local(2025, 4, 22, 7))

    def test_holidays_are_those_of_the_debtors_country(self):
        belgian = self.make_debtor("Frituur NV", country_id=self.env.ref('base.be').id)
        national = self.on(date(2025, 7, 21), self.company)
        self.assertTrue(national._get_dunning_quiet_until('BE'))
        self.assertFalse(national._get_dunning_quiet_until('NL'))
        self.assertFalse(national._get_dunning_quiet_until('XX'), "Unknown: as in the Netherlands")
        self.assertEqual(self.queued(date(2025, 7, 21), belgian).state, 'queued')

    def test_a_letter_may_be_made_on_a_sunday(self):
        self.assertEqual(self.queued(date(2025, 3, 9), channel='letter').state, 'to_post')

    def test_the_night_is_quiet_by_the_clock_of_the_company(self):
        company = self.company
        for moment, expected in (
            ('2025-03-04 05:59:00', local(2025, 3, 4, 7)),  # 06:59 in Amsterdam
            ('2025-03-04 06:00:00', None),  # 07:00
            ('2025-03-04 18:59:00', None),
            ('2025-03-04 19:00:00', local(2025, 3, 5, 7)),  # 20:00
            ('2025-07-01 18:00:00', local(2025, 7, 2, 7)),  # 20:00 in summer
            ('2025-03-08 20:00:00', local(2025, 3, 10, 7)),  # Saturday evening: Monday
            ('2025-03-09 02:00:00', local(2025, 3, 10, 7)),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                self.assertEqual(company._get_dunning_quiet_until(), expected)

    def test_the_queue_wakes_up_in_the_morning(self):
        cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch')
        self.invoice(due=date(2025, 2, 1))
        notice = self.make_notices(date(2025, 3, 4))
        with freeze_time('2025-03-04 21:00:00'):
            notice._queue()
            self.env['dunning.dispatcher']._dispatch_interactively(notice)
            self.assertEqual(notice.state, 'queued')
            wake = self.env['ir.cron.trigger'].search([('cron_id', '=', cron.id)], order='call_at desc', limit=1)
            self.assertEqual(wake.call_at, local(2025, 3, 5, 6), "07:00 in Amsterdam")
        with freeze_time('2025-03-05 06:00:30'):
            self.env['dunning.dispatcher']._dispatch_interactively(notice)
        self.assertEqual(notice.state, 'leaving')

    def test_a_company_may_do_without(self):
        self.company.dunning_quiet = False
        self.assertEqual(self.queued(date(2025, 3, 9)).state, 'sent')
