"""Whose law: creditors in other countries, consumers abroad, and letters to who reads no Dutch."""

import importlib.util
from datetime import date
from pathlib import Path

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ...models.ladder.res_company import SHIPPED
from ..common import TODAY, DunningCommon, days

MIGRATION = Path(__file__).parents[2] / 'migrations' / '19.0.1.7.0' / 'post-foreign.py'
NEUTRAL = 'l10n_nl_dunning.policy_neutral'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestForeign(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.neutral = cls.env.ref(NEUTRAL)
        cls.zakelijk = cls.env.ref('l10n_nl_dunning.policy_business')
        cls.particulier = cls.env.ref('l10n_nl_dunning.policy_consumer')
        cls.manager = cls.env['res.users'].create({
            'name': "Marie", 'login': 'marie@foreign.example.com', 'email': 'marie@foreign.example.com',
            'group_ids': [Command.set(cls.env.ref('account.group_account_manager').ids)],
            'company_ids': [Command.set(cls.company.ids)], 'company_id': cls.company.id})

    def country(self, code):
        return self.env.ref(f'base.{code.lower()}')

    def policies(self, company):
        """Return the ladders that count in a company: its own, or those of the company above it."""
        return tuple(
            company._get_dunning_setting(name) for name in ('dunning_policy_business_id', 'dunning_policy_consumer_id'))

    def move_to(self, code, *, policies=None):
        """Let the company be one of another country; with policies: as it was before the program knew of countries."""
        self.company.write({'country_id': self.country(code).id, 'account_fiscal_country_id': self.country(code).id})
        if policies:
            self.company.write({
                'dunning_policy_business_id': policies[0].id, 'dunning_policy_consumer_id': policies[-1].id})

    def todos(self):
        kind = self.env.ref('l10n_nl_dunning.mail_activity_type_law')
        return self.company.partner_id.activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    def review(self, day=TODAY):
        self.env['dunning.run.check'].with_company(self.company)._review_law(self.company, day)
        self.company.partner_id.invalidate_recordset(['activity_ids'])
        return self.todos()

    # --- which ladder ---

    def test_a_new_company_gets_the_ladders_of_its_law(self):
        for code, law in (('nl', 'NL'), ('be', ''), ('de', ''), ('us', ''), (None, '')):
            company = self.env['res.company'].create({
                'name': f"New in {code}", 'country_id': code and self.country(code).id})
            expected = tuple(self.env.ref(f'l10n_nl_dunning.{name}') for name in SHIPPED[law].values())
            self.assertEqual(self.policies(company), expected, code)
            self.assertEqual(bool(company._explain_dunning_law()), not law)
        chosen = self.env['res.company'].create({
            'name': "Chosen", 'country_id': self.country('be').id, 'dunning_policy_business_id': self.ladder.id,
            'dunning_policy_consumer_id': False})
        self.assertEqual(self.policies(chosen), (self.ladder, self.env['dunning.policy']))

    def test_a_company_that_moves_gets_the_ladders_of_its_new_law(self):
        company = self.env['res.company'].create({'name': "Mover", 'country_id': self.country('nl').id})
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': company.id})
        self.assertEqual(self.policies(branch), (self.zakelijk, self.particulier), "One creditor")
        company.account_fiscal_country_id = self.country('be')
        self.assertEqual(self.policies(company), (self.neutral, self.neutral))
        self.assertEqual(self.policies(branch), (self.neutral, self.neutral))
        company.account_fiscal_country_id = self.country('de')
        self.assertEqual(self.policies(company), (self.neutral, self.neutral))
        company.account_fiscal_country_id = self.country('nl')
        self.assertEqual(self.policies(company), (self.zakelijk, self.particulier))
        own = self.zakelijk.copy({'name': "Own"})
        company.write({'dunning_policy_business_id': own.id, 'dunning_policy_consumer_id': False})
        company.account_fiscal_country_id = self.country('us')
        self.assertEqual(self.policies(company), (self.neutral, self.env['dunning.policy']), "None stays none")
        company.dunning_policy_business_id = self.ladder
        company.account_fiscal_country_id = self.country('nl')
        self.assertEqual(self.policies(company)[0], self.ladder, "A ladder that only reminds suits any law")

    def test_a_branch_abroad_is_the_creditor_of_its_head_office(self):
        branch = self.env['res.company'].create({
            'name': "Branch", 'parent_id': self.company.id, 'country_id': self.country('be').id})
        branch.account_fiscal_country_id = self.country('be')
        self.assertEqual(branch._get_dunning_law(), 'NL')

    def test_the_neutral_ladder_names_no_law(self):
        levels = self.neutral.level_ids
        self.assertEqual(levels.mapped('delay_days'), [7, 15, 30])
        self.assertFalse(levels._get_foreign_policies(''))
        for level in levels:
            for lang in ('nl_NL', 'en_US'):
                text = level.with_context(lang=lang).letter_intro + level.with_context(lang=lang).letter_closing
                self.assertNotRegex(text, r"(?i)wetboek|civil code|artikel|article|rente|interest|kosten|costs|verzuim")

    # --- nothing of Dutch law leaves ---

    def test_an_existing_company_abroad_waits_and_hears_why(self):
        for code in ('be', 'de', 'us'):
            with self.subTest(code):
                self.move_to(code, policies=(self.zakelijk, self.particulier))
                move = self.invoice(due=TODAY - days(20))
                self.assertEqual(self.reason(move), 'foreign_law')
                self.assertExplained(self.decision(move))
                self.assertFalse(self.notices_of(move) | self.make_notices().filtered(
                    lambda notice, move=move: move in notice.line_ids.move_id))
                self.assertEqual(len(self.review()), 1)
                self.assertEqual(len(self.review()), 1, "Once")
                self.assertIn(self.zakelijk.with_context(lang=self.todos().user_id.lang).name, self.todos().note)
                self.use_policy(self.neutral)
                self.assertFalse(self.review(), "It was chosen")
                self.assertEqual(self.reason(move), 'due')

    def test_a_policy_on_a_contact_or_invoice_waits_as_well(self):
        self.move_to('be', policies=(self.neutral,))
        move = self.invoice(due=TODAY - days(20), dunning_policy_id=self.zakelijk.id)
        debtor = self.make_debtor("Brouwerij NV")
        debtor.with_company(self.company).dunning_policy_id = self.zakelijk
        other = self.invoice(debtor, due=TODAY - days(20))
        self.assertEqual((self.reason(move), self.reason(other)), ('foreign_law', 'foreign_law'))
        self.assertIn(self.zakelijk.name, self.review().note)

    def test_what_was_queued_before_waits_and_never_leaves(self):
        self.use_policy(self.zakelijk)
        move = self.invoice(due=TODAY - days(20))
        notice = self.make_notices().filtered(lambda notice: move in notice.line_ids.move_id)
        self.move_to('be', policies=(self.zakelijk,))
        self.send(notice)
        self.assertEqual(notice.state, 'queued')
        self.assertIn("7-15-30", notice.waiting_reason)
        # The gate is open again, yet this notice is of the ladder of before.
        self.use_policy(self.neutral)
        self.send(notice)
        self.assertEqual((notice.state, notice.line_ids.drop_reason), ('cancelled', 'other_step'))
        self.assertFalse(notice.mail_id)

    def test_no_interest_no_costs_and_no_prescription(self):
        old = date(2015, 3, 3)
        move = self.invoice(due=old)
        item = self.items(move)
        claim = self.env['dunning.claim'].with_company(self.company)._compute(item, TODAY)
        self.assertTrue(claim.interest and claim.costs)
        self.assertTrue(item.dunning_prescription_date)
        for code in ('be', 'de', 'us'):
            self.move_to(code)
            claim = self.env['dunning.claim'].with_company(self.company)._compute(item, TODAY)
            self.assertEqual((claim.interest, claim.costs, claim.total, claim.limit), (0, 0, 100, 'creditor'))
            data = claim.to_json()
            self.assertIn("Dutch", self.env['dunning.claim']._explain_interest(data['items'][0], data))
            item.invalidate_recordset()
            self.assertFalse(item.dunning_prescription_date)
            self.use_policy(self.neutral)
            self.company.dunning_oldest_due_date = False
            self.assertEqual(self.reason(move), 'due', "What prescribes there is not known here")

    def test_no_arrangement_by_dutch_law(self):
        self.move_to('be')
        move = self.invoice(due=TODAY - days(20))
        with self.assertRaisesRegex(UserError, "Dutch law"):
            self.env['dunning.arrangement']._preview(self.company, self.business, self.items(move), {}, TODAY)

    def test_the_words_of_a_country(self):
        self.company.write({'vat': False, 'company_registry': '0246697724'})
        words = {}
        for code in ('nl', 'be'):
            self.move_to(code)
            values = self.env['dunning.letter'].with_company(self.company)._prepare_company(self.company, 'nl_NL')
            words[code] = {label for label, _value in values['numbers']}
        self.assertIn("KvK", words['nl'])
        self.assertNotIn("KvK", words['be'])
        self.assertEqual(len(words['be']), len(words['nl']), "The number itself stays")

    # --- consumers abroad ---

    def test_a_consumer_abroad_is_proposed(self):
        self.ladder.approval = 'automatic'
        states = {}
        for code, consumer in (('nl', True), ('be', True), ('be', False), ('de', True), (None, True)):
            debtor = self.make_debtor(
                f"P{code}{consumer}", consumer=consumer, country_id=code and self.country(code).id)
            self.invoice(debtor, due=TODAY - days(20))
            states[debtor] = (code, consumer)
        notices = self.make_notices()
        found = {states[notice.partner_id]: notice.state for notice in notices if notice.partner_id in states}
        self.assertEqual(found, {
            ('nl', True): 'queued', ('be', True): 'draft', ('be', False): 'queued', ('de', True): 'draft',
            (None, True): 'queued'})
        texts = {states[notice.partner_id]: notice.look_first_text for notice in notices if notice.partner_id in states}
        self.assertIn("Belgi", texts['be', True])
        self.assertFalse(texts['nl', True] or texts['be', False] or texts[None, True])

    def test_a_consumer_abroad_is_asked_no_dutch_costs(self):
        self.use_policy(self.particulier)
        self.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id, 'allow_out_payment': True})
        debtor = self.make_debtor("Jean Dupont", consumer=True, country_id=self.country('be').id)
        move = self.invoice(debtor, due=TODAY - days(10), amount=600)
        for number in range(120):
            day = TODAY + days(number)
            notices = self.dun(day).filtered(lambda notice: notice.channel != 'task')
            self.mails_leave(notices.filtered('mail_id'), day)
            letters = notices.filtered(lambda notice: notice.postal_state == 'to_print')
            if letters:
                self.post_letters(letters, day)
        notices = self.notices_of(move).filtered(lambda notice: notice.channel != 'task')
        self.assertEqual(notices.mapped('state'), ['sent', 'sent', 'skipped', 'sent'], notices.mapped('error_message'))
        self.assertIn("abroad", notices[2].cancel_reason)
        for notice in notices:
            asked = (notice.amount_interest, notice.amount_costs, notice.amount_announced, notice.amount_due)
            self.assertEqual(asked, (0, 0, 0, 600), notice.level_id.name)
        claim = self.env['dunning.claim'].with_company(self.company)._compute(self.items(move), TODAY + days(400))
        self.assertEqual((claim.total, claim.limit), (600, 'abroad'))

    # --- languages ---

    def test_who_has_no_language_is_judged_by_country(self):
        for code, lang in (('nl', 'nl_NL'), ('be', 'nl_NL'), ('de', 'en_US'), ('us', 'en_US'), (None, False)):
            debtor = self.make_debtor("Zonder", lang=False, country_id=code and self.country(code).id)
            self.assertEqual(debtor._get_dunning_lang(), lang, code)
        debtor.dunning_lang = 'nl_NL'
        self.assertEqual(debtor._get_dunning_lang(), 'nl_NL')

    def test_a_proposal_says_that_there_is_no_text_in_the_language(self):
        self.env['res.lang']._activate_lang('de_DE')
        debtor = self.make_debtor("Brauerei GmbH", lang='de_DE', country_id=self.country('de').id)
        self.invoice(debtor, due=TODAY - days(20))
        self.invoice(due=TODAY - days(20))
        notices = self.make_notices().with_context(lang='en_US').grouped('partner_id')
        self.assertEqual(notices[debtor].lang, 'en_US')
        self.assertIn("Deutsch", notices[debtor].look_first_text)
        self.assertFalse(notices[self.business].look_first_text)

    # --- upgrading ---

    def test_migration_of_a_company_abroad(self):
        spec = importlib.util.spec_from_file_location('post_foreign', MIGRATION)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.move_to('be', policies=(self.zakelijk, self.particulier))
        # As 19.0.1.6.0 left it.
        self.env['res.company'].search([('dunning_policy_business_id', '=', self.neutral.id)]).write({
            'dunning_policy_business_id': False, 'dunning_policy_consumer_id': False})
        self.neutral.unlink()
        module.migrate(self.env.cr, '19.0.1.6.0')
        self.env.invalidate_all()
        self.assertEqual(self.policies(self.company), (self.zakelijk, self.particulier), "Nothing changes by itself")
        self.assertEqual(len(self.todos()), 1)
        self.assertEqual(self.env.ref(NEUTRAL).level_ids.mapped('delay_days'), [7, 15, 30])
        self.assertEqual(self.env.ref(NEUTRAL).with_context(lang='en_US').name, "7-15-30 neutral")
        self.assertEqual(self.reason(self.invoice(due=TODAY - days(20))), 'foreign_law')
