"""The statutory interest as dated data: complete, right, known to be right, and never a guess."""

from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import convert_file, file_open, file_path, mute_logger

from ...models.law.dunning_interest_rate import half_year
from ...tools.law.statutory_interest import RateMissing
from ..common import DunningCommon, days

DATA = 'l10n_nl_dunning/data/law/dunning_interest_rate_data.xml'
#: Official rates by the half-year they hold in, typed from the law's history and not from the data file.
#: One number: it did not change within the half-year.
CONSUMER = {
    (2009, 7): 4, (2010, 1): 3, (2010, 7): 3, (2011, 1): 3, (2011, 7): 4, (2012, 1): 4, (2012, 7): 3, (2013, 1): 3,
    (2013, 7): 3, (2014, 1): 3, (2014, 7): 3, (2015, 1): 2, (2015, 7): 2, (2016, 1): 2, (2016, 7): 2, (2017, 1): 2,
    (2017, 7): 2, (2018, 1): 2, (2018, 7): 2, (2019, 1): 2, (2019, 7): 2, (2020, 1): 2, (2020, 7): 2, (2021, 1): 2,
    (2021, 7): 2, (2022, 1): 2, (2022, 7): 2, (2023, 1): 4, (2023, 7): 6, (2024, 1): 7, (2024, 7): 7, (2025, 1): 6,
    (2025, 7): 6, (2026, 1): 4, (2026, 7): 4,
}
COMMERCIAL = {
    (2009, 7): '8', (2010, 1): '8', (2010, 7): '8', (2011, 1): '8', (2011, 7): '8.25', (2012, 1): '8',
    (2012, 7): '8', (2013, 1): '7.75', (2013, 7): '8.5', (2014, 1): '8.25', (2014, 7): '8.15', (2015, 1): '8.05',
    (2015, 7): '8.05', (2016, 1): '8.05', (2016, 7): '8', (2017, 1): '8', (2017, 7): '8', (2018, 1): '8',
    (2018, 7): '8', (2019, 1): '8', (2019, 7): '8', (2020, 1): '8', (2020, 7): '8', (2021, 1): '8', (2021, 7): '8',
    (2022, 1): '8', (2022, 7): '8', (2023, 1): '10.5', (2023, 7): '12', (2024, 1): '12.5', (2024, 7): '12.25',
    (2025, 1): '11.15', (2025, 7): '10.15', (2026, 1): '10.15', (2026, 7): '10.40',
}
TABLE = {'consumer': CONSUMER, 'commercial': COMMERCIAL}
LAST_KNOWN = date(2026, 12, 31)


def shipped():
    """Return the values of the rows in the data file, whatever the database has made of them."""
    with file_open(DATA, 'rb') as file:
        return [
            {field.get('name'): field.text.strip() for field in record.iter('field')}
            for record in etree.parse(file).iter('record')]


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestInterestRate(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rate = cls.env['dunning.interest.rate']
        # What this database was made of stays out of it: the table is that of a fresh install.
        cls.Rate.search([]).active = False
        cls.env['mail.activity'].search([('res_model', '=', cls.Rate._name)]).unlink()
        cls.Rate.create(shipped())
        cls.manager, cls.clerk = (
            new_test_user(
                cls.env, f'rates_{name}', groups=group, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, group in {
                'manager': 'account.group_account_manager', 'clerk': 'account.group_account_invoice'}.items())

    def rate(self, kind, *day):
        """Return the row of a kind that starts on a day."""
        return self.Rate.search([('kind', '=', kind), ('date_from', '=', date(*day))])

    def newest(self, kind):
        return self.Rate.search([('kind', '=', kind)], order='date_from desc', limit=1)

    def add(self, kind, *day, percent=5.0):
        return self.Rate.create(
            {'kind': kind, 'date_from': date(*day), 'percent': percent, 'source': "Staatsblad"})

    def rates(self, kind):
        table = self.Rate._get_table(kind)
        return list(zip(table.days, table.percents, strict=True))

    def warn(self, at_date):
        return self.on(at_date, self.Rate)._warn_stale_rates(self.company, at_date)

    # --- the table ---

    def test_the_shipped_rates_are_those_of_the_law(self):
        for kind, table in TABLE.items():
            for (year, month), percent in table.items():
                with self.subTest(kind=kind, half_year=(year, month)):
                    first = date(year, month, 1)
                    self.assertEqual(self.Rate._get_table(kind).at(first), Decimal(percent))
                    if (kind, year, month) != ('commercial', 2013, 1):
                        self.assertEqual(self.Rate._get_table(kind).at(half_year(first)[1]), Decimal(percent))

    def test_trade_got_eight_points_on_16_march_2013(self):
        self.assertEqual(self.Rate._get_table('commercial').at(date(2013, 3, 15)), Decimal('7.75'))
        self.assertEqual(self.Rate._get_table('commercial').at(date(2013, 3, 16)), Decimal('8.75'))
        self.assertEqual(self.Rate._get_table('commercial').at(date(2013, 6, 30)), Decimal('8.75'))

    def test_no_half_year_since_2010_is_missing_and_all_of_2026_is_known(self):
        for kind in TABLE:
            self.assertLess(self.rates(kind)[0][0], date(2010, 1, 1))
            self.assertEqual(self.Rate._get_known_until(kind), LAST_KNOWN)
        day = date(2010, 1, 1)
        while day <= LAST_KNOWN:
            self.assertEqual(self.Rate._freshness(day), [], f"Not known on {day}")
            day = half_year(day)[1] + days(1)

    def test_every_shipped_rate_says_where_it_was_found_and_is_then_the_users(self):
        for row in shipped():
            self.assertGreater(len(row['source']), 40)
            self.assertNotIn('http', row['source'])
        with file_open(DATA, 'rb') as file:
            self.assertFalse(
                etree.parse(file).xpath("//record[not(ancestor::data[@noupdate='1'])]"),
                "An upgrade would overwrite what people changed")
        weak = [row for row in shipped() if "Found in one public rate table" in row['source']]
        self.assertEqual({row['date_from'] for row in weak}, {'2011-07-01', '2013-03-16'})
        for row in weak:
            self.assertIn("Compare it with an official source", row['source'], "It says what to do")

    def test_a_row_that_repeats_the_rate_cuts_no_period_in_two(self):
        before = self.rates('consumer')
        self.add('consumer', 2026, 7, 1, percent=4)
        self.assertEqual(self.rates('consumer'), before)
        self.assertEqual(len(self.Rate._get_rows('consumer')), len(before) + 1)

    def test_rates_are_exact_decimals_in_order(self):
        for kind in TABLE:
            rates = self.rates(kind)
            self.assertEqual(rates, sorted(rates))
            self.assertTrue(all(isinstance(percent, Decimal) for _day, percent in rates))
        self.assertIn((date(2014, 7, 1), Decimal('8.15')), self.rates('commercial'))
        self.add('commercial', 2027, 1, 1, percent=10.125)
        self.assertEqual(self.rates('commercial')[-1], (date(2027, 1, 1), Decimal('10.125')))

    def test_before_the_first_rate_there_is_a_sentence_and_no_zero(self):
        with self.assertRaisesRegex(RateMissing, "No interest rate is known for 2009-06-30"):
            self.Rate._get_table('consumer').at(date(2009, 6, 30))

    @settings(max_examples=60, deadline=None)
    @given(st.dictionaries(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(0, 2999), min_size=1, max_size=8),
           st.dates(date(1999, 1, 1), date(2041, 1, 1)))
    def test_the_rate_of_a_day_is_the_last_that_had_begun(self, table, day):
        self.Rate.search([('kind', '=', 'consumer')]).active = False
        self.Rate.create([
            {'kind': 'consumer', 'date_from': first, 'percent': hundredths / 100, 'source': "Drawn"}
            for first, hundredths in table.items()])
        begun = [first for first in table if first <= day]
        if not begun:
            with self.assertRaises(RateMissing):
                self.Rate._get_table('consumer').at(day)
        else:
            self.assertEqual(self.Rate._get_table('consumer').at(day), Decimal(table[max(begun)]) / 100)
        self.Rate.search([('kind', '=', 'consumer')]).active = False

    @settings(max_examples=60, deadline=None)
    @given(st.sets(st.integers(0, 9), min_size=1), st.integers(0, 12))
    def test_known_means_no_half_year_in_between_is_unknown(self, started, asked):
        """Half-years are numbered from 2030 on; a rate starts in each of ``started``."""
        def first_day(number):
            return date(2030 + number // 2, 1 if number % 2 == 0 else 7, 1)
        self.Rate.search([('kind', '=', 'consumer')]).active = False
        self.Rate.create([
            {'kind': 'consumer', 'date_from': first_day(number) + days(number * 7), 'percent': 1 + number,
             'source': "Drawn"} for number in started])
        known = all(number in started for number in range(min(started), asked + 1))
        self.assertEqual(
            'consumer' not in self.Rate._freshness(first_day(asked) + days(100)), known or asked < min(started))
        self.Rate.search([('kind', '=', 'consumer')]).active = False

    # --- keeping the table ---

    def test_a_rate_lies_between_0_and_30(self):
        for percent in (-0.1, 30, 1040):
            with mute_logger('odoo.sql_db'), self.assertRaisesRegex(IntegrityError, 'check_percent'), \
                    self.cr.savepoint():
                self.add('consumer', 2027, 1, 1, percent=percent)
        sentence = self.Rate._table_objects['dunning_interest_rate_check_percent'].get_error_message(self.Rate)
        self.assertIn("between 0 and 30 percent", sentence)

    def test_one_rate_of_a_kind_from_a_day(self):
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.add('commercial', 2026, 7, 1)
        self.rate('commercial', 2026, 7, 1).active = False
        self.add('commercial', 2026, 7, 1, percent=10.15)
        self.assertEqual(self.Rate._get_table('commercial').at(LAST_KNOWN), Decimal('10.15'))

    def test_what_changes_in_the_table_is_what_claims_compute_with(self):
        newest = self.newest('consumer')
        self.assertEqual(self.rates('consumer')[-1], (date(2026, 1, 1), Decimal(4)))
        newest.percent = 4.5
        self.assertEqual(self.rates('consumer')[-1][1], Decimal('4.5'))
        newest.date_from = date(2026, 2, 1)
        self.assertEqual(self.rates('consumer')[-1][0], date(2026, 2, 1))
        new = self.add('consumer', 2027, 1, 1)
        self.assertEqual(self.rates('consumer')[-1], (date(2027, 1, 1), Decimal(5)))
        self.assertEqual(newest.date_until, LAST_KNOWN)
        new.active = False
        self.assertEqual(self.rates('consumer')[-1][0], date(2026, 2, 1))
        new.active = True
        self.on(date(2026, 12, 1), new).unlink()
        self.assertEqual(self.rates('consumer')[-1][0], date(2026, 2, 1))
        self.assertFalse(newest.date_until)

    def test_the_past_does_not_change_silently(self):
        rate = self.logged(self.rate('consumer', 2024, 1, 1))
        with self.assertRaisesRegex(UserError, "archive it"):
            rate.unlink()
        self.flush_tracking()
        before = rate.message_ids
        rate.with_user(self.manager).write({'percent': 6.5, 'source': "I know better"})
        self.flush_tracking()
        message = rate.message_ids - before
        self.assertEqual(message.author_id, self.manager.partner_id)
        changed = {value.field_id.name: (value.old_value_float, value.new_value_float)
                   for value in message.tracking_value_ids}
        self.assertEqual(changed['percent'], (7.0, 6.5))
        self.assertIn('source', changed)
        rate.active = False
        self.flush_tracking()
        self.assertIn('active', rate.message_ids.tracking_value_ids.field_id.mapped('name'))

    def test_a_person_is_told_what_changing_a_begun_rate_means(self):
        with self.assertLogs('odoo.tests.form.onchange', 'WARNING') as logs, Form(self.newest('commercial')) as form:
            form.percent = 11
        self.assertIn("also over the past", logs.output[0])

    def flush_tracking(self):
        """Let the changes be written to the log, as at the end of a request."""
        self.env.flush_all()
        self.cr.flush()

    @staticmethod
    def logged(rate):
        """Return the rate with its log switched on, which tests usually switch off."""
        return rate.with_context(tracking_disable=False, mail_notrack=False)

    # --- the upgrade ---

    def upgrade(self):
        """Load the data file as an upgrade does."""
        convert_file(
            self.env(context={'install_module': 'l10n_nl_dunning'}), 'l10n_nl_dunning', file_path(DATA), {},
            mode='update')

    def test_an_upgrade_overwrites_nothing_and_brings_nothing_back(self):
        edited = self.env.ref('l10n_nl_dunning.rate_consumer_2026_01_01')
        archived = self.env.ref('l10n_nl_dunning.rate_commercial_2011_07_01')
        self.rate('consumer', 2026, 1, 1).active = False
        edited.write({'active': True, 'percent': 4.25, 'source': "Looked up myself"})
        archived.active = False
        for shipped_rate in (edited, archived):
            # Even before it begins: deleted, it would come back.
            with self.assertRaisesRegex(UserError, "archive it"):
                self.on(date(2000, 1, 1), shipped_rate).unlink()
        count = self.Rate.with_context(active_test=False).search_count([])
        self.upgrade()
        self.assertEqual((edited.percent, edited.source, archived.active), (4.25, "Looked up myself", False))
        self.assertEqual(self.Rate.with_context(active_test=False).search_count([]), count)

    def test_a_later_version_adds_what_is_new(self):
        data = self.env['ir.model.data'].search([
            ('module', '=', 'l10n_nl_dunning'), ('name', '=', 'rate_commercial_2026_07_01')])
        # As if the version before had not known it, and nobody had typed it in.
        data.unlink()
        self.rate('commercial', 2026, 7, 1).active = False
        self.upgrade()
        new = self.env.ref('l10n_nl_dunning.rate_commercial_2026_07_01')
        self.assertEqual((new.percent, new.active), (10.4, True))
        self.assertEqual(self.rates('commercial')[-1], (date(2026, 7, 1), Decimal('10.4')))

    def test_a_later_version_respects_what_somebody_typed_in_first(self):
        self.env['ir.model.data'].search([
            ('module', '=', 'l10n_nl_dunning'), ('name', '=', 'rate_commercial_2026_07_01')]).unlink()
        typed = self.rate('commercial', 2026, 7, 1)
        typed.write({'percent': 10.3, 'source': "Typed in on 1 July"})
        self.upgrade()
        self.assertEqual(self.env.ref('l10n_nl_dunning.rate_commercial_2026_07_01'), typed)
        self.assertEqual((typed.percent, typed.source), (10.3, "Typed in on 1 July"))

    # --- freshness ---

    def test_half_years_end_on_30_june_and_31_december(self):
        self.assertEqual(half_year(date(2026, 6, 30)), (date(2026, 1, 1), date(2026, 6, 30)))
        self.assertEqual(half_year(date(2026, 7, 1)), (date(2026, 7, 1), date(2026, 12, 31)))
        self.assertEqual(half_year(date(2026, 12, 31)), (date(2026, 7, 1), date(2026, 12, 31)))
        self.assertEqual(half_year(date(2027, 1, 1)), (date(2027, 1, 1), date(2027, 6, 30)))

    def test_fresh_until_new_years_eve_and_not_a_day_longer(self):
        self.assertEqual(self.Rate._freshness(LAST_KNOWN), [])
        self.assertFalse(self.Rate._get_stale_sentence('consumer', LAST_KNOWN))
        self.assertFalse(self.Rate._get_stale_sentence('commercial', LAST_KNOWN))
        self.assertEqual(self.Rate._freshness(date(2027, 1, 1)), ['consumer', 'commercial'])
        self.assertRegex(
            self.Rate._get_stale_sentence('commercial', date(2027, 1, 1)),
            r"handelsrente\) in the first half of 2027 was not confirmed. Look it")
        self.assertRegex(
            self.Rate._get_stale_sentence('consumer', date(2027, 1, 1)),
            r"wettelijke rente\) in the first half of 2027")

    def test_a_rate_confirms_the_half_year_in_which_it_starts(self):
        self.add('commercial', 2027, 1, 1, percent=10.4)
        self.assertEqual(self.Rate._freshness(date(2027, 6, 30)), ['consumer'])
        self.assertEqual(self.Rate._freshness(date(2027, 7, 1)), ['consumer', 'commercial'])

    def test_a_half_year_that_was_skipped_keeps_interest_waiting(self):
        self.add('commercial', 2027, 7, 1)
        self.assertIn("first half of 2027", self.Rate._get_stale_sentence('commercial', date(2027, 8, 1)))
        self.on(date(2027, 8, 1), self.rate('commercial', 2026, 7, 1)).action_confirm_half_year()
        self.assertEqual(self.rate('commercial', 2026, 7, 1).confirmed_until, date(2027, 6, 30))
        self.assertFalse(self.Rate._get_stale_sentence('commercial', date(2027, 8, 1)))

    def test_without_any_rate_nothing_is_fresh(self):
        self.Rate.search([]).active = False
        self.assertEqual(self.Rate._freshness(LAST_KNOWN), ['consumer', 'commercial'])
        self.assertTrue(self.Rate._get_stale_sentence('consumer', LAST_KNOWN))
        self.assertFalse(self.warn(LAST_KNOWN), "There is nothing to attach a reminder to")

    # --- confirming ---

    def test_a_manager_confirms_that_nothing_changed(self):
        today = date(2027, 1, 4)
        rate = self.logged(self.on(today, self.newest('consumer').with_user(self.manager)))
        self.flush_tracking()
        self.assertTrue(rate.can_confirm)
        self.assertIn("first half of 2027", rate.stale_sentence)
        rate.action_confirm_half_year()
        self.assertEqual(
            (rate.confirmed_until, rate.confirmed_on, rate.confirmed_by_id), (date(2027, 6, 30), today, self.manager))
        self.assertEqual(self.Rate._freshness(date(2027, 6, 30)), ['commercial'])
        self.assertEqual(self.Rate._freshness(date(2027, 7, 1)), ['consumer', 'commercial'])
        self.assertFalse(rate.can_confirm)
        self.flush_tracking()
        message = rate.message_ids[0]
        self.assertEqual(message.author_id, self.manager.partner_id)
        self.assertIn("Confirmed: unchanged until", message.body)
        with self.assertRaisesRegex(UserError, "nothing to confirm"):
            rate.action_confirm_half_year()

    def test_only_the_newest_rate_is_confirmed_and_not_long_before(self):
        self.assertFalse(self.on(date(2026, 12, 17), self.newest('consumer')).can_confirm)
        self.assertTrue(self.on(date(2026, 12, 18), self.newest('consumer')).can_confirm)
        self.assertFalse(self.on(date(2027, 1, 1), self.rate('consumer', 2025, 1, 1)).can_confirm)
        newest = self.newest('consumer')
        newest.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            self.on(date(2027, 1, 1), newest).action_confirm_half_year()

    # --- the reminder to the manager ---

    def test_one_reminder_and_not_another_every_day(self):
        self.company.dunning_contact_id = self.manager.partner_id
        self.assertFalse(self.warn(date(2026, 12, 17)), "Too early")
        warning = self.warn(date(2026, 12, 18))
        self.assertEqual(warning.user_id, self.manager)
        self.assertEqual(warning.date_deadline, date(2027, 1, 1))
        self.assertEqual((warning.res_model, warning.res_id), (self.Rate._name, self.newest('commercial').id))
        for day in (date(2026, 12, 19), date(2027, 1, 1), date(2027, 2, 1)):
            self.assertFalse(self.warn(day), f"Again on {day}")
        self.assertEqual(len(self.Rate._get_warnings()), 1)

    def test_ticked_off_without_a_rate_it_comes_back_after_a_week(self):
        warning = self.warn(date(2027, 1, 1))
        self.assertEqual(warning.date_deadline, date(2027, 1, 1))
        warning.action_feedback()
        warning.date_done = date(2027, 1, 1)
        self.assertFalse(self.warn(date(2027, 1, 2)))
        self.assertFalse(self.warn(date(2027, 1, 7)))
        self.assertTrue(self.warn(date(2027, 1, 8)))

    def test_confirming_both_kinds_ticks_it_off(self):
        today = date(2026, 12, 20)
        warning = self.warn(today)
        self.on(today, self.newest('consumer').with_user(self.manager)).action_confirm_half_year()
        self.assertTrue(warning.active, "The other kind is still to be looked up")
        self.on(today, self.Rate.with_user(self.manager)).create({
            'kind': 'commercial', 'date_from': date(2027, 1, 1), 'percent': 10.65, 'source': "ECB 2.65% + 8"})
        self.assertFalse(warning.active)
        self.assertFalse(self.warn(date(2027, 1, 1)))

    def test_the_daily_planning_asks_a_manager(self):
        for day in (date(2027, 1, 1), date(2027, 1, 2)):
            self.patch(self.registry['res.company'], '_dunning_today', lambda company, day=day: day)
            self.env.flush_all()
            with self.enter_registry_test_mode():
                self.env.ref('l10n_nl_dunning.ir_cron_dunning_plan').sudo().method_direct_trigger()
            self.env.invalidate_all()
        warning = self.Rate._get_warnings()
        self.assertEqual(len(warning), 1)
        self.assertTrue(warning.user_id.has_group('account.group_account_manager'))
        self.assertIn("first half of 2027", warning.note)

    def test_who_is_asked_is_a_manager_of_the_company(self):
        self.company.dunning_contact_id = self.clerk.partner_id
        asked = self.company._get_dunning_manager()
        self.assertTrue(asked.has_group('account.group_account_manager'))
        self.assertIn(self.company, asked.company_ids)
        self.company.dunning_contact_id = self.manager.partner_id
        self.assertEqual(self.company._get_dunning_manager(), self.manager)

    # --- where people work ---

    def test_the_alert_shows_where_interest_is_asked(self):
        level = self.reminder
        for day, alert in ((LAST_KNOWN, False), (date(2027, 1, 1), True)):
            with self.subTest(day=day):
                wizard = self.on(day, self.env['dunning.send']).new({})
                settings_form = self.on(day, self.env['res.config.settings']).new({})
                self.assertEqual(bool(wizard.rates_alert), alert)
                self.assertEqual(bool(settings_form.rates_alert), alert)
                self.assertEqual(bool(self.on(day, level).rates_alert), alert)
                level.with_interest = False
                self.assertFalse(self.on(day, self.ladder).rates_alert, "This ladder asks no interest")
                level.with_interest = True
                self.assertEqual(bool(self.on(day, self.ladder).rates_alert), alert)
        text = self.on(date(2027, 1, 1), self.ladder).rates_alert
        self.assertEqual(text.count("Look it up"), 1, "What to do is said once")

    # --- rights ---

    def test_accountants_look_and_managers_change(self):
        rate = self.newest('consumer')
        self.assertEqual(rate.with_user(self.clerk).percent, 4.0)
        with self.assertRaises(AccessError):
            rate.with_user(self.clerk).percent = 1
        with self.assertRaises(AccessError):
            self.Rate.with_user(self.clerk).create({
                'kind': 'consumer', 'date_from': date(2027, 1, 1), 'percent': 1, 'source': "Me"})
        with self.assertRaises(AccessError):
            self.on(date(2027, 1, 1), rate.with_user(self.clerk)).action_confirm_half_year()
        self.assertFalse(rate.confirmed_by_id)
        rate.with_user(self.manager).percent = 4.5
        self.Rate.with_user(self.manager).create({
            'kind': 'consumer', 'date_from': date(2027, 1, 1), 'percent': 3, 'source': "Staatsblad"})

    def test_who_may_not_see_the_table_may_be_told_a_claim(self):
        portal = new_test_user(self.env, 'rates_portal', groups='base.group_portal')
        Rate = self.Rate.with_user(portal)
        with self.assertRaises(AccessError):
            Rate.search([])
        self.registry.clear_cache()
        self.assertEqual(Rate._get_table('consumer').at(LAST_KNOWN), Decimal(4))
        self.assertEqual(Rate._freshness(LAST_KNOWN), [])
