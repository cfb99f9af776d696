from itertools import pairwise

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from ...tools.wording import CODES, Finding
from ..common import DunningCommon
from ..tools.test_wording import ENGLISH_MANNERS, MANNERS, RESERVATION


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLevelWording(DunningCommon):
    """The linter in the level: shown while one writes, and in the way of a text that would do harm."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['res.lang']._activate_lang('nl_NL')
        cls.env = cls.env(context={**cls.env.context, 'lang': 'nl_NL'})
        cls.consumers = cls.env['dunning.policy'].create({
            'name': "Consumenten", 'debtor_type': 'consumer', 'currency_id': cls.env.ref('base.EUR').id})
        cls.level = cls.env['dunning.level'].create({
            'policy_id': cls.consumers.id, 'name': "Herinnering", 'channel': 'letter',
            'subject': "Betalingsherinnering",
            'letter_intro': "<p>Wilt u betalen?</p>", 'letter_closing': MANNERS})
        cls.level.update_field_translations('letter_closing', {'en_US': ENGLISH_MANNERS})

    def test_every_finding_has_an_explanation(self):
        explanations = self.env['dunning.level']._get_wording_explanations()
        self.assertEqual(set(explanations), set(CODES))
        for code in CODES:
            [sentence] = self.env['dunning.level']._explain_findings([Finding(code, 'error', "{~costs_text}", "B")])
            self.assertNotRegex(sentence, r'[{}~%]')

    def test_live_in_the_form(self):
        with Form(self.level) as form:
            self.assertIn("Geen verboden woorden", form.wording_findings)
            form.letter_intro = "<p>Wij rekenen administratiekosten.</p>"
            self.assertIn("“administratiekosten”: een particulier is geen vergoeding", form.wording_findings)
            self.assertIn('alert-danger', form.wording_findings)
            form.letter_intro = "<p>Wilt u betalen?</p>"
            self.assertNotIn('alert-danger', form.wording_findings)
            form.letter_closing = MANNERS + RESERVATION
            self.assertNotIn("Stuit de verjaring", form.wording_findings)  # in English it does not yet
        self.assertFalse(self.level.interrupts_prescription)
        self.level.update_field_translations('letter_closing', {
            'en_US': ENGLISH_MANNERS + "<p>We unequivocally reserve our right to performance.</p>"})
        self.assertTrue(self.level.interrupts_prescription)
        self.assertIn("Stuit de verjaring", self.level.wording_findings)

    def test_no_markup_of_the_text_in_the_panel(self):
        self.level.letter_intro = "<p>&lt;img src=x&gt; %s</p>" % ("woord " * 31)
        self.assertIn("&lt;img src=x&gt; woord", self.level.wording_findings)
        self.assertNotIn("<img", self.level.wording_findings)

    def test_a_call_has_no_text_to_check(self):
        self.level.channel = 'phone'
        self.assertFalse(self.level.wording_findings)
        self.assertFalse(self.level.interrupts_prescription)

    def test_errors_refuse_saving(self):
        with self.assertRaisesRegex(ValidationError, "“administratiekosten”: een particulier is geen vergoeding"):
            self.level.letter_intro = "<p>Wij rekenen administratiekosten.</p>"

    def test_a_14_day_letter_says_all_that_is_missing(self):
        with self.assertRaises(ValidationError) as raised:
            self.level.legal_role = 'fourteen_day'
        for sentence in ("goedgekeurde woorden", "te betalen bedrag ontbreekt", "object.costs_announced_text", "6:96"):
            self.assertIn(sentence, str(raised.exception))

    def test_a_policy_that_becomes_one_for_consumers(self):
        business = self.env['dunning.policy'].create({
            'name': "Zaken", 'debtor_type': 'business', 'currency_id': self.env.ref('base.EUR').id})
        self.level.copy({
            'policy_id': business.id, 'letter_intro': "<p>Daar komen incassokosten van € 40,00 bij.</p>"})
        with self.assertRaisesRegex(ValidationError, "“€ 40,00”"):
            business.debtor_type = 'any'

    def test_each_language_is_checked(self):
        with self.assertRaisesRegex(ValidationError, "“administration fee”"):
            self.level.with_context(lang='en_US').letter_intro = "<p>We charge an administration fee.</p>"
        with self.assertRaisesRegex(ValidationError, "“administration fee”"):
            self.level.update_field_translations(
                'letter_intro', {'en_US': "<p>We charge an administration fee.</p>"})

    def test_a_finding_of_one_language_says_which(self):
        self.level.update_field_translations('letter_closing', {'en_US': "<p>Pay.</p>"})
        findings = {finding.code: languages for finding, languages in self.level._check_wording().items()}
        self.assertEqual(findings['crossing_missing'], ['en_US'])
        self.assertIn("English (US)", self.level.wording_findings)

    def test_shipped_texts_pass(self):
        """In both languages, with every text that goes to a debtor; nothing to change and nothing to improve."""
        policies = self.env['dunning.policy'].browse([
            self.env.ref(f'l10n_nl_dunning.{name}').id
            for name in ('policy_business', 'policy_consumer', 'policy_7_15_30', 'policy_neutral')])
        for level in policies.level_ids:
            with self.subTest(level=level.name, policy=level.policy_id.name):
                findings = level._check_wording()
                self.assertFalse([finding for finding in findings if finding.severity == 'error'])
                self.assertEqual(self.env['dunning.level']._explain_findings(findings), [])

    def test_texts_of_shipped_levels_are_in_two_languages(self):
        level = self.env.ref('l10n_nl_dunning.level_consumer_first')
        texts = level._get_debtor_texts()
        self.assertEqual(list(texts), ['nl_NL', 'en_US'])
        self.assertNotEqual(*texts.values())
        for one, other in pairwise(level._check_wording()):
            self.assertLessEqual(['error', 'warning', 'advice'].index(one.severity),
                                 ['error', 'warning', 'advice'].index(other.severity))
