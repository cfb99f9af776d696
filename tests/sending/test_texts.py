"""Writing the texts of levels: what a debtor would read of them is seen before anything is saved."""

import base64

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from ...models.ladder.dunning_level import WORDS
from ..common import DunningCommon, days


class TextsCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # a preview knows no other day
        cls.env['res.lang']._activate_lang('nl_NL')
        groups = 'account.group_account_manager,base.group_partner_manager'
        cls.manager = new_test_user(
            cls.env, 'dunning_manager', groups=groups, email='manager@test.example.com', lang='en_US',
            company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)])
        cls.level = cls.env.ref('l10n_nl_dunning.level_business_first')
        cls.overdue = cls.invoice(due=cls.today - days(40), amount=250.0)
        cls.invoice(due=cls.today + days(10), amount=999.0)

    def look(self, level=None, texts=None, user=None, **kwargs):
        level = (level or self.level).with_user(user or self.manager)
        return level.with_context(lang=level.env.user.lang).get_text_preview(texts or {}, **kwargs)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTexts(TextsCommon):

    def test_a_text_is_seen_with_what_a_debtor_owes_before_it_is_saved(self):
        seen = self.look(texts={'subject': "Lunch", 'letter_intro': '<p>Pay <t t-out="object.amount_text"/> soon.</p>'})
        self.assertEqual((seen['partner_id'], seen['problem']), (self.business.id, ''))
        self.assertIn("Pay €250.00 soon.", seen['body'])
        self.assertIn(self.overdue.name, seen['body'])  # and nothing that is not due
        self.assertNotIn("999", seen['body'])
        self.assertIn("Lunch", seen['subject'])
        self.assertNotIn('access_token=ey', seen['body'])
        # Nothing of it is kept.
        self.assertNotEqual(self.level.subject, "Lunch")
        self.assertFalse(self.env['dunning.notice'].search([('partner_id', '=', self.business.id)]))

    def test_it_is_seen_in_the_other_language_by_whom_one_likes_and_beside_what_was_sent(self):
        other = self.make_debtor("Slagerij Vroeg BV")
        self.invoice(other, due=self.today - days(40), amount=70.0)
        self.dun(self.today)
        self.assertTrue(self.notices_of(self.overdue))
        for level in self.reminder | self.level | self.demand:
            seen = self.look(level, partner_id=other.id, lang='nl_NL')
            self.assertIn("70,00", seen['body'])
            self.assertEqual(seen['partner_id'], other.id)
        self.assertIn("Geachte", self.look(partner_id=other.id, lang='nl_NL')['body'])
        paid = self.make_debtor("Betaald BV")
        self.assertIn("Betaald BV", self.look(partner_id=paid.id)['problem'])

    def test_what_could_not_leave_is_shown_with_the_reason(self):
        level = self.env.ref('l10n_nl_dunning.level_consumer_first')
        person = self.make_debtor("Jan Jansen", is_company=False, dunning_debtor_type='consumer')
        self.invoice(person, due=self.today - days(40), amount=70.0)
        seen = self.look(level, {'letter_intro': "<p>Pay € 60 of fees as well.</p>"})
        self.assertEqual(seen['partner_id'], person.id, "A text for consumers is tried on a consumer")
        self.assertIn("€ 60", seen['problem'])
        self.assertIn("€ 60 of fees", seen['body'])
        broken = self.look(level, {'letter_intro': '<p t-out="object.amount_text.nothing"/>'}, user=self.env.user)
        self.assertIn("cannot be used", broken['problem'])

    def test_looking_gives_no_rights(self):
        """A text that a user may not save is not rendered for this user either."""
        texts = {'letter_intro': '<p t-out="object.env.user.password"/>'}
        with self.assertRaises(AccessError):
            self.level.with_user(self.manager).write(texts)
        seen = self.look(texts=texts)
        self.assertNotIn('body', seen)
        self.assertTrue(seen['problem'])
        clerk = new_test_user(self.env, 'dunning_clerk', groups='account.group_account_invoice')
        for method, words in (('get_text_preview', ({},)), ('send_text_test', ({}, self.business.id))):
            with self.assertRaises(AccessError):
                getattr(self.level.with_user(clerk), method)(*words)

    def test_the_letter_and_the_script_are_seen_and_a_test_is_sent(self):
        seen = self.look(kind='letter')
        self.assertTrue(base64.b64decode(seen['letter']).startswith(b'%PDF'))
        call = self.env.ref('l10n_nl_dunning.level_business_call', raise_if_not_found=False) or self.env[
            'dunning.level'].search([('channel', '=', 'phone'), ('call_script', '!=', False)], limit=1)
        self.assertIn("250.00", self.look(
            call, {'call_script': '<p t-out="object.amount_text"/>'}, kind='script')['body'])
        mails = self.env['mail.mail'].search([])
        text = self.level.with_user(self.manager).with_context(lang='en_US').send_text_test(
            {'subject': "Lunch"}, self.business.id, 'en_US')
        self.assertIn('manager@test.example.com', text)
        [mail] = self.env['mail.mail'].search([]) - mails
        self.assertIn("[Test] Lunch", mail.subject)
        self.assertEqual(mail.email_to, self.manager.email_formatted)
        self.assertEqual(len(mail.attachment_ids), 1)

    def test_a_text_is_compared_with_what_shipped_in_words(self):
        for lang, label, otherwise in (('en_US', "[Amount]", "(otherwise:"), ('nl_NL', "[Bedrag]", "(anders:")):
            level = self.level.with_context(lang=lang)
            for every in self.env['dunning.level'].search([]).with_context(lang=lang):
                same = every.get_shipped_text({})
                self.assertTrue(same['parts'] or not every.is_shipped, every.name)
                self.assertLessEqual({kind for kind, _text in same['parts']}, {'same'}, every.name)
                self.assertNotIn('object.', str(same['parts']))
            self.assertIn(otherwise, str(level.get_shipped_text({})['parts']))
            changed = level.get_shipped_text({'letter_intro': "<p>Anders.</p>"})
            self.assertIn(('new', "Anders."), [(kind, text.strip()) for kind, text in changed['parts']])
            self.assertTrue(any(label in text for kind, text in changed['parts'] if kind == 'old'))
            level.write(changed['texts'])
            self.assertEqual({kind for kind, _text in level.get_shipped_text({})['parts']}, {'same'})

    def test_every_word_has_a_name_of_its_own(self):
        for lang in ('en_US', 'nl_NL'):
            words = self.level.with_context(lang=lang).text_words['words']
            self.assertEqual([word[0] for word in words], [f'object.{word}' for word in WORDS])
            self.assertEqual(len({label for _word, label, _help in words}), len(WORDS), lang)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTextScreen(TextsCommon, HttpCase):

    def test_every_shipped_text_stays_what_it_is_in_the_editor(self):
        self.start_tour('/odoo/dunning-levels', 'l10n_nl_dunning.texts_stay', login='dunning_manager')

    def test_a_manager_writes_a_text(self):
        before = self.level.letter_intro
        self.start_tour(
            f'/odoo/dunning-levels/{self.level.id}', 'l10n_nl_dunning.write_text', login='dunning_manager', timeout=120)
        self.level.invalidate_recordset()
        dutch = self.level.with_context(lang='nl_NL')
        self.assertIn("Betaal voor de lunch.", dutch.letter_closing)
        self.assertNotIn("lunch", self.level.letter_closing)
        self.assertEqual(
            ' '.join(self.level.letter_intro.split()).replace('/>', '></t>').count('t-out'), before.count('t-out'))
        self.assertNotIn('data-dunning', f"{self.level.letter_intro}{dutch.letter_closing}")
