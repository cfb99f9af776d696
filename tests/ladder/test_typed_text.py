import json
from contextlib import contextmanager

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ...tools.wording import check_typed
from ..common import TODAY, DunningCommon, days

COSTS = "<p>Voor deze brief rekenen wij veertig extra.</p>"
RATE = "<p>Vanaf vandaag betaalt u één procent per maand.</p>"


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTypedText(DunningCommon):
    """Whatever door a text comes in by, what was typed of money and rates reaches no consumer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['res.lang']._activate_lang('nl_NL')
        cls.env['res.lang']._activate_lang('de_DE')
        cls.env = cls.env(context={**cls.env.context, 'lang': 'nl_NL'})
        cls.policy = cls.env['dunning.policy'].create({
            'name': "Consumenten", 'debtor_type': 'consumer', 'currency_id': cls.env.ref('base.EUR').id})
        cls.level = cls.env['dunning.level'].create({
            'policy_id': cls.policy.id, 'name': "Herinnering", 'channel': 'email', 'delay_days': 5,
            'subject': "Betalingsherinnering", 'payment_term_days': 7,
            'letter_intro': "<p>Wilt u <b t-out=\"object.amount_text\"/> betalen?</p>"})
        cls.template = cls.env.ref('l10n_nl_dunning.mail_template_notice')

    @contextmanager
    def assertRefused(self, exception, words):
        """It is refused with these words, and nothing of it stays."""
        with self.assertRaises(exception) as refused:
            yield
        self.assertRegex(str(refused.exception), words)

    def test_a_name_may_end_in_its_rank(self):
        self.level.name = "Herinnering 2"
        for name in ("Herinnering 40", "Boete 2", "Herinnering € 2"):
            with self.subTest(name=name), self.assertRefused(ValidationError, "kan zo niet blijven"):
                self.level.name = name

    def smuggle(self, record, field, text):
        """Write a text past the constraints, as an older version let it in."""
        self.env.flush_all()
        self.env.cr.execute(SQL(
            "UPDATE %s SET %s = %s WHERE id = %s", SQL.identifier(record._table), SQL.identifier(field),
            json.dumps({'en_US': text, 'nl_NL': text}), record.id))
        self.env.invalidate_all()

    def make_due(self):
        debtor = self.make_debtor("Jan Jansen", consumer=True)
        debtor.dunning_policy_id = self.policy
        self.invoice(debtor, TODAY - days(20), 100.0)
        return debtor

    def test_every_text_of_a_level(self):
        for name, text in (
            ('name', "Herinnering € 25,00"), ('subject', "Nu 40,- erbij"), ('letter_intro', COSTS),
            ('letter_closing', RATE), ('call_script', "<p>Zeg dat er vandaag € 40,00 bijkomt.</p>"),
        ):
            for channel in ('email', 'phone'):
                with self.subTest(name, channel=channel), self.assertRaises(ValidationError):
                    self.level.write({'channel': channel, name: text})
        with self.assertRefused(ValidationError, r"“veertig”.*object\.costs_text|“veertig”.*object\.amount_text"):
            self.level.letter_intro = COSTS
        with self.assertRefused(ValidationError, "object.rate_text"):
            self.level.letter_intro = RATE
        with self.assertRaises(ValidationError):
            self.level.copy({'letter_intro': COSTS})
        with self.assertRaises(ValidationError):
            self.level.update_field_translations('letter_intro', {'en_US': "<p>We add forty.</p>"})
        with self.assertRaises(ValidationError):
            self.level.update_field_translations('call_script', {'en_US': "<p>We add forty.</p>"})
        self.level.call_script = "<p>Bel voor 17.00 uur en noem <t t-out=\"object.amount_text\"/>.</p>"

    def test_a_penalty_is_no_advice(self):
        with self.assertRefused(ValidationError, "“boete”"):
            self.level.letter_intro = "<p>U bent een boete verschuldigd.</p>"

    def test_no_context_of_a_client(self):
        for context in (
            {'install_module': 'l10n_nl_dunning'}, {'install_mode': True}, {'module': 'l10n_nl_dunning'},
            {'dunning_ladder': True}, {'import_file': True}, {'tracking_disable': True}, {'noupdate': True},
            {'delay_translations': True}, {'lang': None}, {'lang': 'en_US'}, {'dunning_recording': True},
            {'no_check': True, 'check': False, 'install_module': 'l10n_nl_dunning', 'lang': 'nl_NL'},
        ):
            for record, name in ((self.level, 'letter_intro'), (self.level, 'call_script'), (
                self.template, 'body_html')):
                with self.subTest(context=context, name=name), self.assertRaises(ValidationError):
                    record.with_context(**context).write({name: COSTS})

    def test_a_business_stays_free(self):
        business = self.env['dunning.policy'].create({
            'name': "Zaken", 'debtor_type': 'business', 'currency_id': self.env.ref('base.EUR').id})
        level = self.level.copy({'policy_id': business.id, 'letter_intro': COSTS, 'call_script': RATE})
        self.env.ref('l10n_nl_dunning.mail_template_arrangement_business').body_html += RATE
        template = self.template.copy({'name': "Zakelijk", 'body_html': COSTS})
        level.mail_template_id = template
        with self.assertRaises(ValidationError):
            business.debtor_type = 'any'
        with self.assertRefused(ValidationError, "“Zakelijk”"):
            self.level.mail_template_id = template

    def test_every_template_for_consumers(self):
        Template = self.env['mail.template']
        for template in Template.search([('model', '=like', 'dunning.%')]):
            if template.get_external_id()[template.id] == 'l10n_nl_dunning.mail_template_arrangement_business':
                continue
            for lang in ('nl_NL', 'en_US'):
                local = template.with_context(lang=lang)
                for name, text in (('body_html', local.body_html + COSTS), ('subject', "40 euro erbij")):
                    with self.subTest(template.name, lang=lang, name=name), self.assertRaises(ValidationError):
                        local.write({name: text})
                with self.assertRaises(ValidationError):
                    local.update_field_translations('subject', {lang: "Daar komt 4% bij"})
                local.subject += " (kenmerk {{ object.id }})" if lang == 'nl_NL' else ""
        self.env['mail.template'].create({
            'name': "Elders", 'model_id': self.env['ir.model']._get_id('res.partner'), 'body_html': COSTS})

    def test_a_language_that_nobody_can_check(self):
        german = self.level.with_context(lang='de_DE')
        with self.assertRefused(ValidationError, "de_DE"):
            german.letter_intro = "<p>Bitte zahlen Sie.</p>"
        german.letter_intro = "<p t-out=\"object.salutation\"/>"
        german.letter_intro = self.level.letter_intro  # it is what a checked language says
        with self.assertRefused(ValidationError, "de_DE"):
            self.template.with_context(lang='de_DE').body_html = "<p>Bitte zahlen Sie.</p>"

    def test_shipped_texts_pass(self):
        for record in (
            *self.env['dunning.level'].search([]).filtered('is_shipped'),
            *self.env['mail.template'].search([('model', '=like', 'dunning.%')]),
        ):
            self.assertFalse(record._find_typed(), record.display_name)

    def test_old_texts_do_not_leave(self):
        """Saved before texts were judged: a sentence for the accountant, nothing for the debtor."""
        for record, name, text in (
            (self.level, 'letter_intro', COSTS), (self.level, 'subject', "Betaal 40 extra"),
            # The very amount that is owed: it was typed all the same.
            (self.level, 'letter_closing', "<p>Betaal € 100,00.</p>"),
            (self.level, 'letter_closing', "<p>Betaal <t t-out=\"object.amount_due * 2\"/>.</p>"),
            (self.template, 'body_html', COSTS), (self.template, 'subject', "Nu 4% rente"),
        ):
            with self.subTest(name, text=text):
                debtor, old = self.make_due(), record[name]
                self.smuggle(record, name, text)
                notice = self.make_notices(TODAY).filtered(lambda one, debtor=debtor: one.partner_id == debtor)
                with mute_logger('odoo.addons.l10n_nl_dunning.models.sending.dunning_dispatcher'):
                    self.send(notice, TODAY)
                self.assertEqual(notice.state, 'error', notice.cancel_reason)
                self.assertIn("object.", notice.error_message)
                self.assertFalse(notice.mail_id)
                self.smuggle(record, name, old)
                self.send(self.on(TODAY, notice), TODAY) if notice.state == 'queued' else notice.action_cancel()

    def test_old_scripts_are_not_shown(self):
        self.level.write({'channel': 'phone', 'call_script': "<p>Vraag om <t t-out=\"object.amount_text\"/>.</p>"})
        debtor = self.make_due()
        debtor.phone = "020 123 45 67"
        notice = self.make_notices(TODAY)
        self.send(notice, TODAY)
        self.assertEqual(notice.state, 'todo')
        self.assertIn("100,00", notice.call_script)
        self.smuggle(self.level, 'call_script', "<p>Zeg dat er veertig bijkomt.</p>")
        self.assertNotIn("Zeg dat", notice.call_script)
        self.assertIn("veertig", notice.call_script)

    def test_an_accountant_over_the_wire(self):
        manager = new_test_user(
            self.env, 'typed_manager', groups='account.group_account_manager', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(ValidationError):
            self.level.with_user(manager).with_context(install_module='l10n_nl_dunning').write({'letter_intro': COSTS})

    def test_the_message_is_about_what_was_typed(self):
        [finding] = check_typed(COSTS, language='nl_NL')
        self.assertEqual(finding.passage, "veertig")
