"""Records of what happened: what opens their books, and what does not."""

from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.models.kernel import formats
from odoo.addons.l10n_nl_dunning.models.kernel.dunning_recorded import RECORDING, Books, as_recording, is_recording

from ..common import TODAY, DunningCommon, days, post_message

# What a browser, an integration or a careless addon could put into the context.
WORDS = (True, 1, 'RECORDING', {}, [], object(), ['dunning.hold'], {'dunning.hold': True}, frozenset({'dunning.hold'}))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRecorded(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        recorded = cls.registry['dunning.recorded']
        cls.models = [
            cls.env[name] for name, model in cls.registry.items()
            if issubclass(model, recorded) and not model._abstract]

    def test_each_model_refuses_with_a_sentence_and_before_anything_else(self):
        self.assertTrue(self.models)
        for model in self.models:
            with self.subTest(model=model._name):
                self.assertTrue(model._get_frozen_message('write').strip())
                if type(model)._check_unlink is self.registry['dunning.recorded']._check_unlink:
                    self.assertTrue(model._get_frozen_message('unlink').strip())
                # The chatter would delete its messages first.
                names = [cls._name for cls in type(model).__mro__ if 'unlink' in vars(cls)]
                self.assertNotIn('mail.thread', names[:names.index('dunning.recorded')])

    def test_only_code_opens_a_book(self):
        for model in self.models:
            book = model._recorded_with or model._name
            with self.subTest(model=model._name):
                self.assertFalse(model._is_recording())
                self.assertTrue(model._recording()._is_recording())
                for word in (*WORDS, [book], frozenset({book})):
                    self.assertFalse(model.with_context(dunning_recording=word)._is_recording())

    def test_an_open_book_opens_no_other_and_closes_none(self):
        hold, notice = self.env['dunning.hold'], self.env['dunning.notice']
        self.assertTrue(is_recording(self.env(context={'dunning_recording': RECORDING})))
        self.assertFalse(hold.with_context(dunning_recording=RECORDING)._is_recording())
        both = as_recording(hold._recording(), 'notice')
        self.assertTrue(both._is_recording() and is_recording(both.env))
        self.assertFalse(is_recording(hold._recording().env))
        self.assertEqual(as_recording(notice).env.context['dunning_recording'], Books({'notice'}))

    def test_defaults_of_a_client_do_not_fill_in_what_the_program_records(self):
        hold = self.env['dunning.hold'].with_context(default_closed_on='2025-01-01')
        self.assertNotIn('default_closed_on', hold._recording().env.context)

    def test_no_context_switches_the_guard_of_deleting_off(self):
        hold = self.on(TODAY, self.env['dunning.hold']).create({
            'move_id': self.invoice().id, 'date_end': TODAY + days(3),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id})
        post_message(hold, "Said on the phone")
        for records in (hold, hold.with_context(_force_unlink=True), hold._recording()):
            with self.assertRaisesRegex(UserError, "cannot be deleted"):
                records.unlink()
        self.assertIn("Said on the phone", hold.message_ids.mapped('body')[0])

    def test_chatter_and_activities_go_on(self):
        hold = self.env['dunning.hold']
        self.assertEqual(
            hold._get_frozen_names(dict.fromkeys(
                ['note', 'activity_ids', 'message_follower_ids', 'closed_on', 'display_name', 'id'])),
            {'note', 'closed_on', 'display_name', 'id'})


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFormats(DunningCommon):

    def test_days(self):
        env, day = self.env(context={'lang': 'en_US'}), date(2026, 11, 3)
        self.assertEqual(formats.format_day(env, day), "3 Nov 2026")
        self.assertEqual(formats.format_day(env, False), '')
        self.assertEqual(formats.format_weekday(env, day), "Tuesday 3 November")
        for lang, short, said in (
            ('nl_NL', '2026-11-03', "3 november 2026"), ('en_US', day, "3 November 2026"),
        ):
            self.assertEqual(formats.letter_day(env, short, lang), said)
        self.assertEqual(formats.letter_day(env, day, 'nl_NL', short=True), "03-11-2026")
        self.assertEqual(formats.letter_day(env, day, short=True), "3 Nov 2026")
        self.assertEqual(formats.letter_day(env, None), '')

    def test_amounts(self):
        env, euro, dollar = self.env(context={'lang': 'nl_NL'}), self.env.ref('base.EUR'), self.env.ref('base.USD')
        for amount, currency, lang, said in (
            (1234.56, euro, None, "€\N{NO-BREAK SPACE}1.234,56"),
            (1234.56, euro, 'en_US', "€1,234.56"),
            (-0.001, euro, 'en_US', "€0.00"),
            (-5, euro, 'en_US', "−€5.00"),
            (5, dollar, 'nl_NL', "USD\N{NO-BREAK SPACE}5,00"),
        ):
            self.assertEqual(formats.letter_amount(env, amount, currency, lang), said)
        self.assertEqual(formats.letter_amount(env, 5, euro, symbol=False), "5,00")
        self.assertEqual(formats.letter_percent(env, '10.40'), "10,4%")
        self.assertEqual(formats.letter_percent(self.env(context={'lang': 'en_US'}), 8, places=2), "8.00%")
        self.assertEqual(formats.format_iban("NL91ABNA0417164300").split(), ["NL91", "ABNA", "0417", "1643", "00"])
