import base64
import hashlib
import io
import random
import re
from datetime import date
from unittest.mock import patch

from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.pdf import PdfFileReader

from odoo.addons.base.models import ir_actions_report

from ...models.kernel.dunning_paper import DunningPaper
from ...models.kernel.formats import letter_amount
from ...models.ladder.dunning_level import WORDS
from ...models.letter.dunning_letter import DunningLetter as LetterModel
from ...tools.law.dutch_calendar import fourteen_day_term
from ...tools.wording import TERM_TEXTS, interrupts_prescription
from ...tools.wording.names import parse_name
from ..common import TODAY, DunningCommon, days

DOCUMENTS = ('email', 'letter', 'both')


class LetterCommon(DunningCommon):
    """The company writes with the ladders that ship."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.zakelijk = cls.env.ref('l10n_nl_dunning.policy_business')
        cls.particulier = cls.env.ref('l10n_nl_dunning.policy_consumer')
        cls.company.write({
            'dunning_policy_business_id': cls.zakelijk.id,
            'dunning_policy_consumer_id': cls.particulier.id,
            'company_registry': '30241556',
            'vat': 'NL123456782B90',
        })
        cls.bank = cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})
        cls.consumer = cls.make_debtor("Mevr. F. van den Berg", consumer=True)
        cls.english = cls.make_debtor("Smith Ltd", lang='en_US')

    def prepare(self, notices, at_date=TODAY):
        """Write on the notices what their letters will say."""
        self.env['dunning.dispatcher']._prepare_letters(self.on(at_date, notices), at_date)
        return notices

    def documents(self, notices, at_date=TODAY):
        """Return the letters of notices as lists of lxml documents."""
        documents = self.env['dunning.letter']._prepare_documents(self.prepare(notices, at_date))
        return [html.document_fromstring(document.html) for document in documents]

    def words(self, notice):
        """Return the running text of a letter."""
        [document] = self.documents(notice)
        for style in document.iter('style'):
            style.text = ''
        return ' '.join(document.text_content().replace('\xa0', ' ').split())

    def make_notice(self, level, moves, recipient=None, at_date=TODAY):
        """Return a notice of a level that a person chose, without asking the planner."""
        if isinstance(level, str):
            level = self.env.ref(f'l10n_nl_dunning.level_{level}')
        items = self.items(moves)
        debtor = items.partner_id
        notice = self.env['dunning.notice']._recording().create({
            'company_id': self.company.id, 'partner_id': debtor.id, 'recipient_id': (recipient or debtor).id,
            'currency_id': items.currency_id.id, 'level_id': level.id, 'channel': level.channel,
            'state': 'queued', 'date_planned': at_date, 'level_reason': "Chosen",
        })
        notice.env['dunning.notice.line'].create([
            {
                'notice_id': notice.id, 'move_line_id': item.id, 'move_id': item.move_id.id,
                'date_maturity': item.date_maturity, 'amount_residual': item.amount_residual_currency,
                'amount_due_company': item.amount_residual,
            }
            for item in items
        ])
        notice._update_claim(at_date)
        return notice

    def leave(self, level, moves, at_date):
        """Return a notice as if it had left on a day and was received on the next."""
        return self.arrive(self.prepare(self.make_notice(level, moves, at_date=at_date), at_date), at_date)

    def arrive(self, notice, at_date):
        """Let a notice leave on a day and be received on the next, with the document that a letter rests on."""
        received = at_date + days(1)
        values = {'state': 'sent', 'sent_on': at_date, 'receipt_date': received, 'postal_state': 'posted',
                  'posted_on': at_date}
        if notice.legal_role == 'fourteen_day':
            values['costs_from'] = fourteen_day_term(received).last_free_day + days(1)
        notice._recording().write(values)
        # sudo: nobody may write evidence but the code that knows what happened
        self.env['dunning.receipt'].sudo()._recording().create({
            'notice_id': notice.id, 'kind': 'registered', 'date': received, 'proof': b'cHJvb2Y=',
            'proof_filename': 'proof.pdf'})
        self.env.flush_all()
        return notice

    def mail_words(self, notice):
        """Return the running text of the e-mail of a notice."""
        template = self.env.ref('l10n_nl_dunning.mail_template_notice')
        body = self.env['dunning.letter']._render_mails(template, notice)[notice.id]['body_html']
        return ' '.join(html.fromstring(body).text_content().replace('\xa0', ' ').split())


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLadders(LetterCommon):
    """What ships: complete in both languages, and no word that the law forbids."""

    def letters(self):
        return self.env['dunning.level'].search([
            ('policy_id', 'in', [
                self.env.ref(f'l10n_nl_dunning.policy_{name}').id
                for name in ('business', 'consumer', '7_15_30', 'neutral')])])

    def test_every_text_exists_in_dutch_and_in_english(self):
        for level in self.letters():
            fields = ['name', 'subject']
            fields += ['letter_intro', 'letter_closing'] if level.channel in DOCUMENTS else ['call_script']
            for name in fields:
                with self.subTest(level=level.id, field=name):
                    dutch, english = level.with_context(lang='nl_NL')[name], level.with_context(lang='en_US')[name]
                    self.assertTrue(dutch and english)
                    self.assertNotEqual(dutch, english)

    def test_the_rungs(self):
        self.assertEqual(self.zakelijk.level_ids.sorted('sequence').mapped('channel'), [
            'email', 'phone', 'email', 'email', 'both', 'task'])
        consumer = self.particulier.level_ids.sorted('sequence')
        self.assertEqual(consumer.mapped('channel'), ['email', 'both', 'both', 'both', 'task'])
        self.assertEqual(self.env.ref('l10n_nl_dunning.level_7_15_30_3').channel, 'both', "A notice of default as well")
        self.assertEqual(consumer.mapped('legal_role'), [False, 'default_notice', 'fourteen_day', False, False])
        self.assertEqual(
            self.env.ref('l10n_nl_dunning.policy_7_15_30').level_ids.sorted('sequence').mapped('delay_days'),
            [7, 15, 30])

    def test_costs_and_interest_come_late(self):
        """Friendly first: businesses from the second demand on, consumers when their 14-day letter ran out."""
        names = {
            level.get_external_id()[level.id].removeprefix('l10n_nl_dunning.level_'): level
            for level in self.letters()}
        asking = {'business_second', 'business_final', 'consumer_final'}
        self.assertEqual({name for name, level in names.items() if level.with_costs}, asking)
        self.assertEqual({name for name, level in names.items() if level.with_interest}, asking)

    def test_the_linter_finds_nothing(self):
        """Not even advice, in either language, whatever was agreed and with or without VAT on costs."""
        for agreed in (True, False):
            for vat in (True, False):
                self.company.write({
                    'dunning_term_agreed_consumer': agreed, 'dunning_term_agreed_business': agreed,
                    'dunning_vat_on_costs': vat})
                for level in self.letters():
                    self.assertFalse(level._check_wording(), f"{level.policy_id.name}: {level.name}")

    def test_managers_may_write_every_text(self):
        for level in self.letters():
            for lang in ('nl_NL', 'en_US'):
                self.assertTrue(level.with_context(lang=lang)._has_plain_texts(), f"{level.name} in {lang}")

    def test_every_demand_interrupts_prescription_and_tells_where_to_turn(self):
        for name in ('business_first', 'business_second', 'business_final', 'consumer_first', 'consumer_fourteen_day',
                     'consumer_final', '7_15_30_3'):
            level = self.env.ref(f'l10n_nl_dunning.level_{name}')
            self.assertTrue(level.interrupts_prescription, name)
            for lang, words in (
                ('nl_NL', ("3:317", "persoonsgegevens", "niet eens", "in één keer", "gekruist")),
                ('en_US', ("3:317", "personal data", "disagree", "in one go", "crossed")),
            ):
                text = ' '.join((level.with_context(lang=lang).letter_closing or '').split())
                for word in words:
                    self.assertIn(word, text, f"{name} in {lang}")
                self.assertTrue(interrupts_prescription(text))

    def test_every_word_is_explained_to_managers(self):
        level = self.env.ref('l10n_nl_dunning.level_consumer_fourteen_day')
        Notice = self.env['dunning.notice']
        self.assertEqual(
            [word for word, _label, _help in level.text_words['words']], [f'object.{word}' for word in WORDS])
        for word in WORDS:
            if '.' not in word:
                field = Notice._fields[word]
                self.assertTrue(field.help or field.string, word)
                if not field.store:
                    self.assertTrue(field.help, word)

    def test_nobody_is_sorry(self):
        for level in self.letters():
            for lang in ('nl_NL', 'en_US'):
                local = level.with_context(lang=lang)
                self.assertNotRegex(f"{local.letter_intro} {local.letter_closing}", r"(?i)tot onze spijt|regret")


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterWords(LetterCommon):

    def test_dutch_debtor_dutch_letter_english_debtor_english_letter(self):
        dutch = self.make_notice('business_reminder', self.invoice(amount=1234.56, due=TODAY - days(10)))
        english = self.make_notice(
            'business_reminder', self.invoice(self.english, amount=1234.56, due=TODAY - days(10)))
        text = self.words(dutch)
        self.assertEqual(dutch.subject, "Betalingsherinnering")
        for words in ("€ 1.234,56", "10 maart 2025", "21-02-2025", "Te betalen", "Onder vermelding van",
                      "NL91 ABNA 0417 1643 00", "KvK", "Geachte heer, mevrouw,", "Met vriendelijke groet,"):
            self.assertIn(words, text)
        self.assertNotRegex(text, r"\b(the|Invoice|Dear|Amount)\b")
        text = self.words(english)
        self.assertEqual(english.subject, "Payment reminder")
        for words in ("€1,234.56", "10 March 2025", "21 Feb 2025", "To pay", "Dear Sir or Madam,", "Kind regards,"):
            self.assertIn(words, text)
        self.assertNotRegex(text, r"\b(de|het|Factuur|Geachte|Bedrag)\b")

    def test_debtor_without_language_gets_that_of_the_policy(self):
        debtor = self.make_debtor("Zonder Taal BV", lang=False)
        notice = self.make_notice('business_reminder', self.invoice(debtor))
        self.prepare(notice)
        self.assertEqual((notice.lang, notice.subject), ('nl_NL', "Betalingsherinnering"))

    def test_contact_from_before_dutch_came_is_judged_by_country(self):
        self.env['ir.config_parameter'].set_param(
            'l10n_nl_dunning.only_language_until', 'en_US 2099-01-01 00:00:00')
        debtor = self.make_debtor("Oude Klant BV", lang='en_US')
        notice = self.make_notice('business_reminder', self.invoice(debtor))
        self.prepare(notice)
        self.assertEqual(notice.subject, "Betalingsherinnering")
        abroad = self.make_debtor("Old Customer Ltd", lang='en_US', country_id=self.env.ref('base.uk').id)
        notice = self.make_notice('business_reminder', self.invoice(abroad))
        self.prepare(notice)
        self.assertEqual(notice.subject, "Payment reminder")

    def test_flemish_debtor_reads_dutch(self):
        self.env['res.lang']._activate_lang('nl_BE')
        debtor = self.make_debtor("Frituur NV", lang='nl_BE')
        notice = self.make_notice('business_reminder', self.invoice(debtor))
        self.prepare(notice)
        self.assertEqual((notice.lang, notice.subject), ('nl_BE', "Betalingsherinnering"))
        self.assertIn("Wilt u", notice.body_intro)

    def test_salutation_from_title_and_name(self):
        company = self.make_debtor("Groot BV")
        final = self.env.ref('l10n_nl_dunning.level_business_final')
        reminder = self.env.ref('l10n_nl_dunning.level_business_reminder')
        move = self.invoice(company)
        for name, lang, level, expected in [
            ("Dhr. J. de Vries", 'nl_NL', final, "Geachte heer De Vries,"),
            ("Mevr. drs. A.B. van Dam-Bos", 'nl_NL', final, "Geachte mevrouw Van Dam-Bos,"),
            ("Kim Jansen", 'nl_NL', final, "Geachte heer/mevrouw Jansen,"),
            ("Kim Jansen", 'nl_NL', reminder, "Beste Kim Jansen,"),
            ("Crediteurenadministratie", 'nl_NL', reminder, "Geachte heer, mevrouw,"),
            ("Mr. John Smith", 'en_US', final, "Dear Mr Smith,"),
            ("Mevrouw De Boer", 'en_US', final, "Dear Ms De Boer,"),
            ("Kim Jansen", 'en_US', final, "Dear Kim Jansen,"),
            ("Dhr. en mevr. van den Berg", 'nl_NL', final, "Geachte heer en mevrouw Van den Berg,"),
            ("Familie Jansen", 'nl_NL', reminder, "Geachte familie Jansen,"),
            ("Erven P. de Boer", 'nl_NL', final, "Geachte erfgenamen,"),
            ("J. Smit en K. de Vries", 'nl_NL', final, "Geachte heer, mevrouw,"),
            ("Bewindvoerder mr. Bos", 'nl_NL', final, "Geachte heer, mevrouw,"),
            ("Mr. and Mrs. Smith", 'en_US', final, "Dear Mr and Mrs Smith,"),
        ]:
            with self.subTest(name=name, lang=lang), self.env.cr.savepoint() as savepoint:
                contact = self.make_contact(company, name, lang=lang, type='dunning')
                notice = self.make_notice(level, move, contact)
                self.assertEqual(notice.salutation, expected)
                savepoint.rollback()

    def test_names(self):
        self.assertEqual(parse_name("mr. A. de Boer").gender, '', "A Dutch lawyer may be a woman")
        self.assertEqual(parse_name("Mr. A. Boer", dutch=False).gender, 'male')
        self.assertEqual(parse_name("P. Jansen - de Wit").surname, "Jansen - de Wit")
        self.assertEqual(parse_name("").full, '')

    def test_nobody_is_greeted_by_the_name_of_a_firm(self):
        """A sole trader is no company to Odoo; with a title it is a person all the same."""
        level = self.env.ref('l10n_nl_dunning.level_business_final')
        for name, expected in (
            ("Kowalski Klussen", "Geachte heer, mevrouw,"), ("Mevr. A. Kowalski", "Geachte mevrouw Kowalski,")):
            debtor = self.make_debtor(name, lang='nl_NL')
            debtor.write({'is_company': False, 'company_registry': '12345678'})
            self.assertEqual(self.make_notice(level, self.invoice(debtor)).salutation, expected)

    def test_salutation_of_any_name(self):
        """Whatever stands around a name: no title, joining word or dead person is taken for a surname."""
        rng = random.Random(18)
        titles = ["", "Dhr. ", "Mevr. ", "de heer ", "Mevrouw ", "Dhr. en mevr. ", "Fam. ", "Familie ", "Erven ",
                  "De erven ", "drs. ", "Wed. ", "Wijlen "]
        surnames = ["Smit", "de Vries", "van den Berg", "Jansen - de Wit", "Van Dam-Bos", "'t Hart", "El Amrani"]
        endings = ["", " e.o.", " en kinderen", " (hoofdbewoner)", " B.V.", " & Zn.", " en P. Bos"]
        for _number in range(500):
            title, surname, ending = rng.choice(titles), rng.choice(surnames), rng.choice(endings)
            text = f"{title}{rng.choice(['', 'J. ', 'Anna '])}{surname}{ending}"
            name = parse_name(text)
            with self.subTest(text):
                known = surname[:1].upper() + surname[1:]
                if "rven" in title or "Wijlen" in title:
                    self.assertEqual((name.gender, name.surname), ('heirs', ''))
                elif not name.is_desk:
                    self.assertIn(name.surname, (known, surname))
                    self.assertEqual(name.gender == 'couple', title == "Dhr. en mevr. ")
                    self.assertEqual(name.gender == 'family', title.startswith("Fam"))
                    self.assertIn(ending, ("", " (hoofdbewoner)"))

    def test_history_tells_only_what_happened(self):
        move = self.invoice(due=TODAY - days(30))
        first, call = (self.env.ref(f'l10n_nl_dunning.level_business_{name}') for name in ('reminder', 'call'))
        reminder = self.send(self.make_notice(first, move, at_date=TODAY - days(20)), TODAY - days(20))
        self.assertEqual(reminder.state, 'sent', reminder.error_message)
        self.assertEqual(reminder.history_text, '')
        phone = self.send(self.make_notice(call, move, at_date=TODAY - days(10)), TODAY - days(10))
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            phone._skip(TODAY - days(9))
            self.env.flush_all()
            notice = self.make_notice('business_first', move)
            self.assertEqual(notice.history_text, "onze herinnering van 11 februari 2025")
            self.assertNotIn("telefoon", self.words(notice).split("Neem dan")[0])
            savepoint.rollback()
        self.called(phone, TODAY - days(9))
        self.env.flush_all()
        notice = self.make_notice('business_first', move)
        self.assertEqual(
            notice.history_text, "onze herinnering van 11 februari 2025 en ons telefoongesprek van 22 februari 2025")
        self.assertIn("Na onze herinnering van 11 februari 2025", self.words(notice))
        # Another invoice of the same debtor was never spoken about.
        other = self.make_notice('business_first', self.invoice(due=TODAY - days(30)))
        self.assertEqual(other.history_text, '')

    def test_history_of_many_notices_costs_no_more_queries(self):
        notices = self.env['dunning.notice']
        for number in range(6):
            notices |= self.make_notice('business_reminder', self.invoice(self.make_debtor(f"D{number} BV")))

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.mapped('history_text')
            return self.env.cr.sql_log_count - before

        count(notices[:1])
        self.assertEqual(count(notices), count(notices[:2]))

    def test_credits_are_shown_and_taken_off(self):
        notice = self.make_notice('business_first', self.invoice(amount=500.0, due=TODAY - days(9)))
        text = self.words(notice)
        self.assertNotIn("Af: nog te verrekenen tegoed", text)
        notice._recording().line_ids.write({'amount_netted': 120.5})
        text = self.words(notice)
        self.assertIn("Totaal open € 500,00 Af: nog te verrekenen tegoed −€ 120,50 Te betalen € 379,50", text)
        self.assertIn("is er al van afgetrokken", text)
        self.assertIn("379,50", str(notice.sudo().mail_payment))

    def test_paid_and_original_amounts(self):
        move = self.invoice(amount=1000.0, due=TODAY - days(9))
        self.pay(move, 250.25, TODAY - days(2))
        [document] = self.documents(self.make_notice('business_first', move))
        row = [cell.text_content().strip() for cell in document.xpath('//table[contains(@class, "items")]/tbody//td')]
        self.assertEqual(row, [
            move.name, f"{move.invoice_date:%d-%m-%Y}", "Bread", f"{TODAY - days(9):%d-%m-%Y}", '9',
            '1.000,00', '250,25', '749,75'])

    def test_other_currency_is_named_and_has_no_qr(self):
        usd = self.env.ref('base.USD')
        usd.active = True
        notice = self.make_notice('business_first', self.invoice(amount=99.0, currency=usd))
        self.assertEqual(notice.amount_text, "USD\xa099,00")
        [document] = self.documents(notice)
        self.assertFalse(document.xpath('//table[@class="pay"]//td[@class="code"]/img'))

    def test_qr_code_asks_the_amount_to_pay(self):
        notice = self.make_notice('business_first', self.invoice(amount=0.1 + 0.2, due=TODAY - days(9)))
        payloads = []
        with patch.object(LetterModel, '_draw_qr', lambda _self, value: payloads.append(value) or 'data:,'):
            self.documents(notice)
        payload, page = payloads
        self.assertIn("/my/debt/", page)
        self.assertIn("\nEUR0.3\n", payload)
        self.assertIn("NL91ABNA0417164300", payload)
        self.assertIn(notice.reference, payload)

    def test_letter_fetches_nothing_and_has_one_heading(self):
        level = self.env.ref('l10n_nl_dunning.level_business_reminder')
        level.with_context(lang='nl_NL').letter_closing = (
            "<h1>Actie</h1><h2>Nu</h2><p><img src=\"http://example.com/a.png\"/>"
            "<img src=\"/web/image/1\"/><t t-out=\"object.amount_text\"/></p>")
        self.business.name = "Bakkerij <h2>De Korst</h2> & Zn"
        notice = self.make_notice(level, self.invoice())
        [document] = self.documents(notice)
        self.assertEqual(len(document.xpath('//h1')), 0)
        self.assertEqual([' '.join(heading.text_content().split()) for heading in document.xpath('//h2')], [
            f"Betreft: Betalingsherinnering Ons kenmerk: {notice.name}"])
        for node in document.iter('img', 'link', 'script', 'iframe'):
            self.assertTrue(node.get('src', '').startswith('data:'), html.tostring(node))
        self.assertIn("Bakkerij <h2>De Korst</h2> & Zn", document.text_content())

    def test_window_is_where_the_company_wants_it(self):
        notice = self.make_notice('business_reminder', self.invoice())
        # The page has margins of 20 mm left and 12 mm on top; the block is 85 mm wide and is 20 mm from the edge.
        for side, left in (('left', '0.0'), ('right', '85.0')):
            self.company.dunning_window_side = side
            [document] = self.documents(notice)
            [window] = document.xpath('//div[@class="window"]')
            self.assertIn(f"left: {left}mm; top: 38.0mm; width: 85.0mm", window.get('style'))

    def test_address(self):
        self.business.write({'zip': '1015aa', 'street2': "2e etage"})
        contact = self.make_contact(self.business, "Kim Jansen")
        notice = self.make_notice('business_reminder', self.invoice(), contact)
        lines = self.env['dunning.letter']._get_address_lines(notice)
        self.assertEqual(lines, [
            "Bakkerij De Korst BV", "T.a.v. Kim Jansen", "Keizersgracht 1", "2e etage", "1015 AA\xa0\xa0AMSTERDAM"])
        self.business.country_id = self.env.ref('base.de')
        self.assertEqual(self.env['dunning.letter']._get_address_lines(notice)[-1], "DUITSLAND")

    def test_address_in_the_order_of_its_country(self):
        notice = self.make_notice('business_reminder', self.invoice())
        self.business.write({'street': "1 High Street", 'street2': False, 'city': "Canterbury"})
        for code, zip_code, expected in (
            ('uk', "CT1 2XQ", ["CANTERBURY", "CT1 2XQ", "VERENIGD KONINKRIJK"]),
            ('de', "10115", ["10115 CANTERBURY", "DUITSLAND"]),
            ('us', "12345", ["CANTERBURY 12345", "VERENIGDE STATEN"]),
            ('be', False, ["CANTERBURY", "BELGIË"]),
        ):
            self.business.write({'country_id': self.env.ref(f'base.{code}').id, 'zip': zip_code})
            lines = self.env['dunning.letter']._get_address_lines(notice)
            self.assertEqual(lines[2:], expected, code)
        self.business.city = "<b>Bath</b> 100%(zip)s"
        [document] = self.documents(notice)
        self.assertIn("<B>BATH</B> 100%(ZIP)S", document.text_content())

    def test_what_a_debtor_can_do(self):
        """With his page and its code, also on paper; whom to turn to with debts is for consumers in the Netherlands."""
        consumer = self.make_notice('consumer_reminder', self.invoice(self.consumer, due=TODAY - days(9)))
        business = self.make_notice('business_reminder', self.invoice(due=TODAY - days(9)))
        abroad = self.make_debtor(
            "Mevr. Peeters", consumer=True, lang='nl_NL', country_id=self.env.ref('base.be').id)
        belgian = self.make_notice('consumer_reminder', self.invoice(abroad, due=TODAY - days(9)))
        for notice, helped in ((consumer, True), (business, False), (belgian, False)):
            for text in (self.words(notice), self.mail_words(notice)):
                self.assertIn("Wat u kunt doen", text)
                self.assertIn("Vraag ons om een betalingsregeling.", text)
                self.assertEqual("geldfit.nl" in text, helped)
            [document] = self.documents(notice)
            [link] = document.xpath('//td[@class="choices"]//a')
            self.assertTrue(link.get('href').startswith(link.text_content()))
            self.assertIn("&notice=", link.get('href'))
            self.assertTrue(document.xpath('//td[@class="code"]/img[starts-with(@src, "data:image/png")]'))
        self.assertIn(f"uw persoonsgegevens vraagt u op via {self.company.email}", self.words(
            self.make_notice('consumer_first', self.invoice(self.consumer, due=TODAY - days(9)))))

    # --- texts that users break ---

    def test_broken_text_is_refused_when_it_is_written(self):
        level = self.env.ref('l10n_nl_dunning.level_business_reminder')
        for text in ('<p><t t-out="object.no_such_field"/></p>', '<p><t t-if="object.name ==">x</t></p>'):
            with self.assertRaisesRegex(ValidationError, "Herinnering.*nl_NL"), self.env.cr.savepoint():
                level.with_context(lang='nl_NL').letter_intro = text
        with self.assertRaisesRegex(ValidationError, "no_such_field"), self.env.cr.savepoint():
            level.subject = "{{ object.no_such_field }}"

    def test_text_that_broke_later_stops_only_its_own_notices(self):
        level = self.env.ref('l10n_nl_dunning.level_business_reminder')
        good = self.make_notice('consumer_reminder', self.invoice(self.consumer, due=TODAY - days(9)))
        bad = self.make_notice(level, self.invoice(due=TODAY - days(9)))
        self.env.flush_all()
        self.env.cr.execute(SQL(
            "UPDATE dunning_level SET letter_intro = jsonb_build_object("
            "'en_US', 'x', 'nl_NL', '<p><t t-out=\"object.no_such_field\"/></p>') WHERE id = %s", level.id))
        self.env.invalidate_all()
        self.send(good | bad)
        self.assertEqual((good.state, bad.state), ('sent', 'error'))
        for words in ("Text Before the Table", level.name, "nl_NL"):
            self.assertIn(words, bad.error_message)

    def test_a_variable_of_one_debtor_does_not_reach_the_next(self):
        self.reminder.letter_intro = (
            '<p><t t-if="object.amount_due &gt; 50" t-set="secret" t-value="object.partner_id.name"/>'
            '<t t-out="secret"/>!</p>')
        big = self.make_notice(self.reminder, self.invoice(amount=100))
        small = self.make_notice(self.reminder, self.invoice(self.english, amount=10))
        (big | small).write({'lang': 'nl_NL'})
        texts = self.env['dunning.letter']._render_texts(big | small)
        self.assertIn(self.business.name, texts[big.id]['body_intro'])
        self.assertNotIn(self.business.name, texts[small.id]['body_intro'])

    # --- e-mail ---

    def test_mail_repeats_the_letter_with_the_letter_attached(self):
        move = self.invoice(amount=1234.56, due=TODAY - days(9))
        notice = self.send(self.make_notice('business_first', move))
        self.assertEqual(notice.state, 'sent', notice.error_message)
        mail = notice.mail_id
        self.assertEqual(mail.attachment_ids.mapped('name'), [notice.letter_filename])
        self.assertEqual(mail.attachment_ids.raw, base64.b64decode(notice.letter_file))
        self.assertEqual(mail.subject, f"Aanmaning {move.name}: {notice.amount_text}")
        body = html.fromstring(mail.body_html).text_content().replace('\xa0', ' ')
        for words in (move.name, "€ 1.234,56", "NL91 ABNA 0417 1643 00", "Geachte heer, mevrouw,", "3:317"):
            self.assertIn(words, body)
        self.assertEqual((mail.model, mail.res_id), ('dunning.notice', notice.id))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterClaim(LetterCommon):
    """Interest and collection costs as the debtor reads them."""

    def test_what_is_asked_adds_up(self):
        """EUR 850 for 31 days at 11.15% is 8.05; 15% of it is 127.50; a day adds 25.97 cents."""
        notice = self.make_notice(
            'business_second', self.invoice(self.english, amount=1000.0, due=TODAY - days(31)))
        notice.line_ids.write({'amount_netted': 100.0, 'amount_held': 50.0})
        notice._update_claim(TODAY)
        text = self.words(notice)
        self.assertIn(
            "Total open €1,000.00 Less: credit still to be settled −€100.00 "
            "Less: in dispute or deferred, not asked for now −€50.00 "
            "Statutory commercial interest over €850.00 from 1 Feb 2025 to 3 Mar 2025 €8.05 "
            "Collection costs €127.50 To pay €985.55", text)
        self.assertIn(
            "statutory commercial interest (article 6:119a of the Dutch Civil Code, now 11.15% a year) over €850.00. "
            "The first day of the interest is 1 February 2025.", text)
        self.assertIn("€127.50 in collection costs (article 6:96 of the Dutch Civil Code)", text)
        self.assertIn(
            "We demand that you pay €985.55 by 10 March 2025 at the latest. "
            "If you pay later, each day adds €0.26 of interest.", text)
        self.assertIn("If you pay €985.55 by 10 March 2025 at the latest, you have paid all that we ask", text)
        self.assertIn("Enclosed: specification of the claim", text)
        self.assertIn("Total open €1,000.00", self.mail_words(notice))
        self.assertIn("To pay €985.55", self.mail_words(notice))
        self.assertEqual(notice.principal_text, "€850.00")
        self.assertEqual(notice.held_text, "€50.00")
        payloads = []
        with patch.object(LetterModel, '_draw_qr', lambda _self, value: payloads.append(value) or 'data:,'):
            self.documents(notice)
        self.assertIn("\nEUR985.55\n", payloads[0])

    def test_interest_per_day_by_hand(self):
        """EUR 1,000 at 10.4% a year is 0.2849 a day, at 4% 0.1096; EUR 30 at 4% less than a cent."""
        day = date(2026, 11, 22)
        business = self.make_notice('business_final', self.invoice(amount=1000.0, due=date(2026, 11, 2)), at_date=day)
        self.assertEqual((business.interest_per_day_text, business.rate_text), ("€\xa00,28", "10,4%"))
        self.assertEqual(business.amount_interest, 5.70)  # 20 days
        self.assertTrue(business.interest_law.endswith("6:119a"))
        moves = self.invoice(self.consumer, amount=1000.0, due=date(2026, 9, 1)) | self.invoice(
            self.make_debtor("Mevr. K. Klein", consumer=True), amount=30.0, due=date(2026, 9, 1))
        for move, per_day in zip(moves, ("€\xa00,11", ""), strict=True):
            self.leave('consumer_first', move, date(2026, 9, 20))
            self.leave('consumer_fourteen_day', move, date(2026, 10, 5))
            notice = self.make_notice('consumer_final', move, at_date=day)
            self.assertEqual((notice.interest_per_day_text, notice.rate_text), (per_day, "4%"))
            self.assertTrue(notice.interest_law.endswith("6:119"))

    def test_agreed_interest_and_government_have_names_of_their_own(self):
        self.zakelijk.agreed_interest_percent = 8.5
        notice = self.make_notice('business_final', self.invoice(self.english, due=TODAY - days(40)))
        self.assertEqual((notice.interest_name, notice.rate_text), ("agreed interest", "8.5%"))
        self.zakelijk.agreed_interest_percent = 0
        self.english.dunning_debtor_type = 'government'
        notice = self.make_notice('business_second', self.invoice(self.english, due=TODAY - days(40)))
        self.assertEqual(
            (notice.interest_name, notice.interest_law), ("statutory commercial interest", "article 6:119b"))

    def test_who_is_not_asked_does_not_read_of_it(self):
        self.english.write({
            'dunning_waive_interest': True, 'dunning_waive_costs': True, 'dunning_waive_reason': "Good customer"})
        notice = self.make_notice('business_final', self.invoice(self.english, due=TODAY - days(40)))
        text = self.words(notice)
        self.assertNotRegex(text, r"(?i)interest|collection costs|Total open|calculation")
        self.assertIn("To pay €100.00", text)
        self.assertTrue(notice.interest_waived)

    def test_first_letters_ask_only_the_invoices(self):
        for name in ('business_reminder', 'business_first'):
            notice = self.make_notice(name, self.invoice(self.english, due=TODAY - days(40)))
            self.assertEqual(notice.amount_due, 100.0)
            self.assertNotIn("Total open", self.words(notice))

    def test_final_demand_names_the_letter_and_since_when(self):
        """Its costs are owed from the day after its term; a rate of one digit is worked out like any other."""
        move = self.invoice(self.consumer, amount=1000.0, due=date(2026, 9, 1))
        self.leave('consumer_first', move, date(2026, 9, 20))
        letter = self.leave('consumer_fourteen_day', move, date(2026, 10, 5))
        day = date(2026, 11, 22)
        notice = self.prepare(self.make_notice('consumer_final', move, at_date=day), day)
        text = ' '.join(html.fromstring(notice.body_intro).text_content().replace('\xa0', ' ').split())
        self.assertIn(
            f"In onze 14-dagenbrief {letter.name} van 5 oktober 2026 gaven wij u veertien dagen om zonder kosten te "
            "betalen. U hebt toen niet alles betaald. Daarom bent u sinds 21 oktober 2026 € 150,00 incassokosten "
            "verschuldigd", text)
        self.assertIn("nu 4% per jaar) over € 1.000,00. De eerste dag van de rente is", text)
        self.assertEqual(self.env['dunning.dispatcher']._refuse_unlawful_letters(notice), notice, notice.error_message)

    # --- the 14-day letter ---

    def fourteen_day(self, debtor=None, amounts=(100.0, 181.5)):
        """Return a 14-day letter about some invoices after a notice of default."""
        debtor = debtor or self.consumer
        moves = self.env['account.move'].union(*(
            self.invoice(debtor, amount=amount, due=TODAY - days(60)) for amount in amounts))
        self.leave('consumer_first', moves, TODAY - days(40))
        return self.make_notice('consumer_fourteen_day', moves)

    def test_fourteen_day_letter(self):
        """EUR 281.50: costs of 42.23, announced and not asked."""
        notice = self.fourteen_day()
        text, mail = self.words(notice), self.mail_words(notice)
        for words in (text, mail):
            self.assertIn(
                "€ 281,50 te betalen binnen veertien dagen vanaf de dag nadat deze brief bij u is bezorgd.", words)
            self.assertIn("buitengerechtelijke incassokosten verschuldigd van € 42,23", words)
            self.assertIn("Het totaal wordt dan € 323,73", words)
            self.assertIn("artikel 6:96 lid 2 onder c", words)
            self.assertIn("wettelijke rente", words)
            self.assertIn("30241556", words)
            self.assertNotRegex(words, r"(?i)btw[^N]*verhoogd|uiterlijk op")
            # No date but those of the letter, the invoices and earlier contacts.
            dates = set(re.findall(r'\d{1,2} [a-z]+ \d{4}', words))
            self.assertLessEqual(dates, {"3 maart 2025", "22 januari 2025"})
            ibans = re.findall(r'NL\d\d(?: [A-Z0-9]{4}){3} \d\d', words)
            self.assertEqual(set(ibans), {"NL91 ABNA 0417 1643 00"})
        self.assertEqual(notice.deadline_text, TERM_TEXTS['nl'][0])
        self.assertEqual(notice.amount_due, 281.5)
        [document] = self.documents(notice)
        labels = {
            row[0].text_content().strip(): ' '.join(row[1].text_content().split())
            for row in document.xpath('//table[@class="pay"]//table//tr')}
        self.assertEqual(len([words for words in labels.values() if '€' in words]), 1, "Only one amount is asked")
        self.assertIn(TERM_TEXTS['nl'][0], labels.values())

    def test_of_two_deliveries_the_later_one_counts(self):
        """Said beside the term, in letter and e-mail, whatever the text is; of one delivery nothing is said."""
        notice = self.fourteen_day()
        sentence = "Voor de termijn telt de laatste van die twee bezorgingen."
        for text in (self.words(notice), self.mail_words(notice)):
            self.assertIn(sentence, text)
        notice.channel = 'letter'
        self.assertNotIn(sentence, self.words(notice))
        demand = self.make_notice('consumer_first', self.invoice(self.consumer, due=TODAY - days(9)))
        self.assertNotIn(sentence, self.words(demand))

    def test_linter_passes_the_letter_that_leaves(self):
        dispatcher = self.env['dunning.dispatcher']
        english = self.make_debtor("Mrs Smith", consumer=True, lang='en_US')
        for vat in (False, True):
            self.company.dunning_vat_on_costs = vat
            for debtor in (self.consumer, english):
                notice = self.prepare(self.fourteen_day(debtor))
                self.assertEqual(dispatcher._refuse_unlawful_letters(notice), notice, notice.error_message)

    def test_vat_only_with_its_declaration(self):
        notice = self.fourteen_day(self.make_debtor("Mrs Smith", consumer=True, lang='en_US'))
        self.assertFalse(notice.vat_sentence)
        self.assertNotIn("VAT, because", self.words(notice))
        self.company.dunning_vat_on_costs = True
        notice._update_claim(TODAY)
        notice.invalidate_recordset()
        self.assertEqual(notice.costs_announced_text, "€51.09")  # 42.225 with 21%
        self.assertIn("raised with 21% VAT, because we cannot deduct the VAT", self.words(notice))

    def test_final_consumer_letter_asks_what_was_announced(self):
        notice = self.fourteen_day()
        moves = notice.line_ids.move_id
        self.arrive(self.prepare(notice), TODAY)
        final = self.make_notice('consumer_final', moves, at_date=TODAY + days(25))
        self.assertEqual(final.amount_costs, notice.amount_announced)
        self.prepare(final, TODAY + days(25))
        [document] = self.env['dunning.letter']._prepare_documents(final)
        text = ' '.join(html.document_fromstring(document.html).text_content().replace('\xa0', ' ').split())
        self.assertIn("€ 42,23 incassokosten verschuldigd", text)
        self.assertIn(" 6:119 van het Burgerlijk Wetboek, nu 6% per jaar)", text)
        self.assertNotIn("handelsrente", text)
        self.assertEqual(
            final.currency_id.round(final.amount_due),
            final.currency_id.round(281.5 + 42.23 + final.amount_interest))

    def test_term_in_the_language_of_the_letter(self):
        """Flemish debtors read the Dutch term; who reads neither language reads English, term and all."""
        self.env['res.lang']._activate_lang('nl_BE')
        self.env['res.lang']._activate_lang('fr_FR')
        flemish = self.make_debtor("Mevr. Peeters", consumer=True, lang='nl_BE')
        french = self.make_debtor("Mme Dupont", consumer=True, lang='fr_FR')
        notice = self.fourteen_day(flemish)
        self.assertEqual((notice.lang, notice.term_text), ('nl_BE', TERM_TEXTS['nl'][0]))
        self.assertIn(f"te betalen {TERM_TEXTS['nl'][0]}.", self.words(notice))
        notice = self.fourteen_day(french)
        self.assertEqual((notice.lang, notice.term_text), ('en_US', TERM_TEXTS['en'][0]))
        self.assertIn(f"{TERM_TEXTS['en'][0]}.", self.words(notice))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestShippedTexts(LetterCommon):
    """A company can have the texts that ship back."""

    def test_a_level_gets_its_text_and_settings_back(self):
        level = self.env.ref('l10n_nl_dunning.level_business_second')
        before = {lang: level.with_context(lang=lang).read()[0] for lang in ('nl_NL', 'en_US')}
        for lang in ('nl_NL', 'en_US'):
            level.with_context(lang=lang).write({'subject': "Own", 'letter_intro': "<p>Own</p>"})
        level.write({
            'with_costs': False, 'payment_term_days': 3, 'channel': 'task', 'attach_invoices': True, 'expire_days': 9})
        level.action_load_shipped()
        self.env.invalidate_all()
        for lang, values in before.items():
            after = level.with_context(lang=lang).read()[0]
            for name in ('name', 'subject', 'letter_intro', 'letter_closing', 'with_costs', 'channel', 'expire_days',
                         'payment_term_days', 'attach_invoices', 'legal_role'):
                self.assertEqual(after[name], values[name], f"{name} in {lang}")

    def test_a_ladder_of_an_older_version_becomes_the_one_that_ships(self):
        """As it was before there was a 14-day letter: other levels, other texts, no legal roles."""
        policy = self.particulier
        names = ('first', 'fourteen_day', 'final')
        first, fourteen_day, final = (self.env.ref(f'l10n_nl_dunning.level_consumer_{name}') for name in names)
        shipped = policy.level_ids.sorted('sequence').mapped('subject')
        (final | fourteen_day).write({
            'with_costs': False, 'with_interest': False, 'channel': 'task', 'legal_role': False})
        first.write({'legal_role': False, 'sequence': 30, 'letter_closing': "<p>Betaal.</p>"})
        first.with_context(lang='nl_NL').letter_closing = "<p>Betaal.</p>"
        fourteen_day.unlink()
        second, own = self.env['dunning.level'].create([
            {'policy_id': policy.id, 'name': name, 'subject': name, 'sequence': 40, 'channel': 'task'}
            for name in ("Second", "Own")])
        self.env['ir.model.data'].create({
            'module': 'l10n_nl_dunning', 'name': 'level_consumer_second', 'model': 'dunning.level',
            'res_id': second.id, 'noupdate': True})
        policy.action_load_shipped()
        self.env.invalidate_all()
        self.assertFalse(second.active, "It does not ship any more")
        self.assertTrue(own.active)
        self.assertEqual((policy.level_ids - own).sorted('sequence').mapped('subject'), shipped)
        self.assertEqual(first.legal_role, 'default_notice')
        self.assertTrue(final.with_costs)
        self.assertEqual(
            self.env.ref('l10n_nl_dunning.level_consumer_fourteen_day').with_context(lang='en_US').subject,
            "Demand for payment (14-day letter)")
        record = self.env['ir.model.data'].search([
            ('module', '=', 'l10n_nl_dunning'), ('name', '=', 'level_consumer_fourteen_day')])
        self.assertTrue(record.noupdate, "An upgrade would take the company's own text away")

    def test_only_for_managers_and_only_what_shipped(self):
        level = self.env.ref('l10n_nl_dunning.level_business_second')
        accountant = self.env['res.users'].create({
            'name': "Accountant", 'login': 'letters_accountant',
            'group_ids': [Command.set(self.env.ref('account.group_account_invoice').ids)]})
        with self.assertRaises(AccessError):
            level.with_user(accountant).action_load_shipped()
        accountant.group_ids += self.env.ref('account.group_account_manager')
        level.with_user(accountant).action_load_shipped()
        self.assertTrue(level.is_shipped and self.zakelijk.is_shipped)
        self.assertFalse(self.reminder.is_shipped or self.ladder.is_shipped)
        for records in (self.reminder, self.ladder):
            with self.assertRaisesRegex(UserError, "did not ship"):
                records.action_load_shipped()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterPdf(LetterCommon):

    real_letters = True

    def setUp(self):
        super().setUp()
        self.wkhtml = ir_actions_report._wkhtml()
        if self.wkhtml.state == 'install':
            self.skipTest("wkhtmltopdf is not installed, so no letter can be printed")
        self.calls = []
        run = self.registry['dunning.letter']._run_process

        def count(this, command, seconds):
            self.calls.append(command)
            return run(this, command, seconds)

        self.patch(self.registry['dunning.letter'], '_run_process', count)

    def need_patched(self):
        if not self.wkhtml.is_patched_qt:
            self.skipTest("wkhtmltopdf without patched Qt prints one letter at a time and no page numbers")

    def pages(self, pdf):
        """Return the text of each page."""
        return [
            ' '.join(page.extract_text().replace('\xa0', ' ').split()) for page in PdfFileReader(io.BytesIO(pdf)).pages]

    def is_specification(self, page):
        """Return whether a page is of the specification that goes along: its foot says so."""
        return bool(re.search(r"· (?:Specificatie van de vordering|Specification of the claim) ·", page))

    def many_items(self, count, debtor=None, late=30):
        due = TODAY - days(late)
        moves = self.env['account.move'].create([
            {
                'move_type': 'out_invoice', 'partner_id': (debtor or self.business).id,
                'invoice_date': due - days(30), 'date': due - days(30), 'invoice_payment_term_id': False,
                'invoice_date_due': due,
                'invoice_line_ids': [Command.create({
                    'name': f"Levering nummer {number} van verse broden en banket aan de balie", 'quantity': 1,
                    'price_unit': 100.0 + number, 'tax_ids': [Command.clear()]})],
            }
            for number in range(count)
        ])
        moves.action_post()
        return moves

    def batch(self):
        notices = self.env['dunning.notice']
        for number in range(4):
            debtor = self.make_debtor(f"Debiteur{number}x BV", lang='nl_NL' if number % 2 else 'en_US')
            notices |= self.make_notice('business_reminder', self.invoice(debtor, due=TODAY - days(9)))
        # One of several pages among those of one.
        debtor = self.make_debtor("Lang BV")
        return notices | self.make_notice('business_first', self.many_items(60, debtor))

    def check_own(self, notices, pdfs):
        for notice in notices:
            text = ' '.join(self.pages(pdfs[notice.id]))
            self.assertIn(notice.partner_id.name, text)
            for other in notices - notice:
                self.assertNotIn(other.name, text)
                self.assertNotIn(other.partner_id.name, text)

    def test_one_process_per_batch_and_each_letter_its_own_pages(self):
        self.need_patched()
        notices = self.prepare(self.batch())
        pdfs = self.env['dunning.letter']._render_pdfs(notices)
        self.assertEqual(len(self.calls), 1)
        self.check_own(notices, pdfs)
        for notice in notices[:-1]:
            [page] = self.pages(pdfs[notice.id])
            self.assertIn("Pagina 1 van 1" if notice.lang == 'nl_NL' else "Page 1 of 1", page)

    def test_a_file_says_what_it_is_who_sent_it_and_in_which_language(self):
        """Alone, in a batch and with its specification."""
        final = self.make_notice('business_final', self.invoice(self.make_debtor("Rente BV"), due=TODAY - days(90)))
        for notices in (final, self.batch() | final):
            pdfs = self.env['dunning.letter']._render_pdfs(self.prepare(notices))
            for notice in notices:
                reader = PdfFileReader(io.BytesIO(pdfs[notice.id]))
                self.assertEqual(reader.metadata['/Title'], f"{notice.subject} {notice.name}")
                self.assertEqual(reader.metadata['/Author'], self.company.name)
                root = reader.trailer['/Root']
                self.assertEqual(root['/Lang'][:2], notice.lang[:2])
                self.assertTrue(root['/ViewerPreferences']['/DisplayDocTitle'])
            self.assertTrue(self.is_specification(self.pages(pdfs[final.id])[-1]))

    def test_without_patched_qt_one_by_one(self):
        notices = self.prepare(self.batch())
        self.patch(ir_actions_report, '_wkhtml', lambda: self.wkhtml._replace(is_patched_qt=False))
        pdfs = self.env['dunning.letter']._render_pdfs(notices)
        self.assertEqual(len(self.calls), len(notices))
        self.check_own(notices, pdfs)

    def test_batch_that_does_not_add_up_is_printed_one_by_one(self):
        self.need_patched()
        Letter = self.env['dunning.letter']
        documents = Letter._prepare_documents(self.prepare(self.batch()))
        swapped = [document._replace(mark=other.mark) for document, other in zip(
            documents, [documents[1], documents[0], *documents[2:]], strict=True)]
        with self.assertRaises(LookupError):
            Letter._split(Letter._run_wkhtmltopdf(documents), swapped)
        extra = documents[0]._replace(html=documents[0].html.replace("</body>", "<h2>x</h2></body>"))
        self.calls.clear()
        pdfs = Letter._print_batch([extra, *documents[1:]])
        self.assertEqual(len(self.calls), 1 + len(documents))
        self.assertEqual(set(pdfs), {document.notice_id for document in documents})

    def test_eight_items_fit_on_one_page(self):
        self.need_patched()
        self.company.dunning_contact_id = self.make_contact(
            self.company.partner_id, "Sanne de Boer", phone="+31 20 555 01 02", email="debiteuren@test.example.com")
        notices = self.env['dunning.notice']
        for lang in ('nl_NL', 'en_US'):
            for name, rungs in (
                ('business', ('reminder', 'first', 'second', 'final')),
                ('consumer', ('reminder', 'first', 'fourteen_day', 'final')),
            ):
                debtor = self.make_debtor(f"Acht {name} {lang}", consumer=name == 'consumer', lang=lang)
                moves = self.many_items(8, debtor, late=65)
                for number, rung in enumerate(rungs):
                    at_date = TODAY - days(20 * (3 - number))
                    notice = self.make_notice(f'{name}_{rung}', moves, at_date=at_date)
                    # All lines that there can be below the items.
                    notice.line_ids[:1].write({'amount_netted': 10.0})
                    notice.line_ids[-1:].write({'amount_held': 20.0})
                    notice._update_claim(at_date)
                    notices |= notice
                    # As if it had left, so that the next one names it.
                    self.arrive(self.prepare(notice, at_date), at_date)
                self.assertTrue(notice.amount_costs and notice.amount_interest, name)
        pdfs = self.env['dunning.letter']._render_pdfs(notices)
        for notice in notices:
            pages = [page for page in self.pages(pdfs[notice.id]) if not self.is_specification(page)]
            self.assertEqual(len(pages), 1, f"{notice.level_id.name} {notice.lang}")

    def test_two_hundred_items(self):
        self.need_patched()
        notice = self.prepare(self.make_notice('business_second', self.many_items(200)))
        pages = [
            page for page in self.pages(self.env['dunning.letter']._render_pdfs(notice)[notice.id])
            if not self.is_specification(page)]
        self.assertGreater(len(pages), 3)
        names = notice.line_ids.mapped('name')
        for number, page in enumerate(pages, start=1):
            self.assertIn(f"Pagina {number} van {len(pages)}", page)
            if any(name in page for name in names):
                self.assertIn("Vervaldatum", page, f"Page {number} has rows but no table head")
        self.assertTrue(all(any(name in page for page in pages) for name in names))

    def test_frozen_letter_is_what_left(self):
        notice = self.send(self.make_notice('business_first', self.invoice(due=TODAY - days(9))))
        self.assertEqual(notice.state, 'sent', notice.error_message)
        pdf = self.env['dunning.letter']._get_frozen_pdfs(notice)[notice.id]
        self.assertTrue(pdf.startswith(b'%PDF'))
        self.assertEqual(notice.letter_sha256, hashlib.sha256(pdf).hexdigest())
        self.assertEqual(notice.mail_id.attachment_ids.raw, pdf)
        stored = self.env['ir.attachment'].search(self.env['dunning.letter']._get_letters_domain(notice))
        number = notice.line_ids.move_id.name.replace('/', '-')
        self.assertEqual((stored.name, stored.mimetype), (f"{notice.subject} {number}.pdf", 'application/pdf'))
        # Whatever changes afterwards, printing it again gives the same bytes.
        self.company.name = "Andere Naam BV"
        notice.level_id.with_context(lang='nl_NL').subject = "Heel anders"
        self.calls.clear()
        again = self.env['ir.actions.report'].with_context(force_report_rendering=True)._render_qweb_pdf(
            'l10n_nl_dunning.report_dunning_letter', notice.ids)[0]
        self.assertEqual(again, pdf)
        self.assertFalse(self.calls)

    def test_pdf_says_the_amounts_that_were_frozen(self):
        notice = self.send(self.make_notice(
            'business_second', self.invoice(self.english, amount=1000.0, due=TODAY - days(31))))
        self.assertEqual(notice.state, 'sent', notice.error_message)
        page, *enclosed = self.pages(self.env['dunning.letter']._get_frozen_pdfs(notice)[notice.id])
        self.assertTrue(enclosed and all(map(self.is_specification, enclosed)), "It is part of the letter")
        self.assertIn(f"Belongs to {notice.name}", enclosed[0])
        self.assertIn("11.15%", enclosed[0])
        self.assertEqual((notice.amount_interest, notice.amount_costs), (9.47, 150.0))
        for name in ('amount_residual', 'amount_interest', 'amount_costs', 'amount_due'):
            self.assertIn(letter_amount(self.env, notice[name], notice.currency_id, 'en_US'), page, name)
        self.assertIn("€0.31", page)

    def test_preview_stores_nothing(self):
        move = self.invoice(self.english, due=TODAY - days(9))
        notice = self.make_notices(TODAY).filtered(lambda notice: notice.partner_id == self.english)
        self.assertEqual(notice.state, 'draft')
        self.env.flush_all()

        def state():
            self.env.flush_all()
            self.env.invalidate_all()
            return (
                notice.read(['state', 'date', 'deadline', 'subject', 'body_intro', 'letter_sha256', 'name'])[0],
                notice.line_ids.read(['name', 'amount_original', 'status', 'description']),
                self.env['dunning.notice'].search_count([]),
                self.env['ir.attachment'].search_count([('res_model', '=', 'dunning.notice')]),
                move.dunning_level_id,
            )

        before = state()
        pdf = self.env['ir.actions.report'].with_context(
            force_report_rendering=True, dunning_at_date=TODAY)._render_qweb_pdf(
                'l10n_nl_dunning.report_dunning_letter', notice.ids)[0]
        [page] = self.pages(pdf)
        self.assertIn("CONCEPT", page.replace(' ', ''))
        self.assertIn("Payment reminder", page)
        self.assertEqual(state(), before)

    def test_preview_in_the_wizard_makes_no_notice_and_draws_no_number(self):
        move = self.invoice(due=TODAY - days(9))
        numbers = self.env.ref('l10n_nl_dunning.sequence_notice').number_next_actual
        wizard = self.on(TODAY, self.env['dunning.send']).create({
            'at_date': TODAY, 'item_ids': [Command.set(self.items(move).ids)]})
        wizard._load()
        count = self.env['dunning.notice'].search_count([])
        seen = wizard.group_ids.get_preview()
        self.assertIn(f'/{wizard.group_ids.id}/', seen['letter_url'])
        self.assertIn(move.name, seen['subject'])
        self.assertIn("Betaal", seen['body'])
        self.assertNotRegex(seen['body'], r'access_token=\w', "Who looks cannot act as the debtor")
        self.assertTrue(wizard.group_ids.preview_file)
        self.assertEqual(self.env['dunning.notice'].search_count([]), count)
        self.assertEqual(self.env.ref('l10n_nl_dunning.sequence_notice').number_next_actual, numbers)

    def test_a_test_goes_to_who_asks_and_nowhere_else(self):
        """It is what would leave, with the letter; its links have no key, and nothing is recorded."""
        self.invoice(due=TODAY - days(9))
        notice = self.on(TODAY, self.make_notices(TODAY))
        self.env.user.email = False
        with self.assertRaisesRegex(UserError, "You have no e-mail address"):
            notice.send_test()
        self.env.user.email = 'me@test.example.com'
        seen = notice.get_preview()
        notice.send_test()
        mail = self.env['mail.mail'].search([('email_to', 'like', 'me@test.example.com')])
        self.assertEqual(len(mail), 1)
        self.assertFalse(mail.model)
        self.assertIn(seen['subject'], mail.subject)
        self.assertNotRegex(mail.body_html, r'access_token=\w')
        self.assertEqual(mail.attachment_ids.mapped('name'), seen['attachments'])
        self.assertEqual((notice.state, notice.mail_id.id), ('draft', False))

    def test_preview_of_what_was_paid_says_so(self):
        move = self.invoice(due=TODAY - days(9))
        notice = self.make_notices(TODAY).filtered(lambda notice: notice.line_ids.move_id == move)
        self.pay(move)
        with self.assertRaisesRegex(UserError, "Nothing would leave today"):
            self.env['dunning.letter'].with_context(dunning_at_date=TODAY)._get_pdfs(self.on(TODAY, notice))
        self.assertEqual(notice.state, 'draft')

    def test_print_pile_in_postal_order_without_what_was_paid(self):
        level = self.env.ref('l10n_nl_dunning.level_business_final')
        level.channel = 'letter'
        debtors = [
            self.make_debtor("Zuid BV", zip='6211 AB', street="Markt 1"),
            self.make_debtor("Noord BV", zip='1011 AB', street="Dam 1"),
            self.make_debtor("Berlin GmbH", zip='1000', country_id=self.env.ref('base.de').id, street="Allee 1"),
            self.make_debtor("Betaald BV", zip='2011 AB', street="Plein 1"),
            self.make_debtor("Half BV", zip='3011 AB', street="Plein 1"),
        ]
        moves = [self.invoice(debtor, due=TODAY - days(90)) for debtor in debtors]
        self.use_policy(level.policy_id)
        (level.policy_id.level_ids - level).active = False
        notices = self.make_notices(TODAY)
        self.send(notices)
        self.assertEqual(set(notices.mapped('state')), {'to_post'}, notices.mapped('error_message'))
        old = {notice.id: notice.letter_sha256 for notice in notices}
        self.pay(moves[3])
        self.pay(moves[4], 40.0)
        action = self.on(TODAY, notices).action_print_pile()
        attachment = self.env['ir.attachment'].browse(int(re.search(r'content/(\d+)', action['url'])[1]))
        pages = [page for page in self.pages(attachment.raw) if not self.is_specification(page)]
        order = [next(d.name for d in debtors if d.name in page) for page in pages]
        self.assertEqual(order, ["Noord BV", "Half BV", "Zuid BV", "Berlin GmbH"])
        by_debtor = {notice.partner_id.name: notice for notice in notices}
        self.assertEqual(by_debtor["Betaald BV"].state, 'cancelled')
        half = by_debtor["Half BV"]
        self.assertIn("€ 60,00", pages[1])
        self.assertNotEqual(half.letter_sha256, old[half.id], "A stale letter was printed")
        self.assertEqual(by_debtor["Zuid BV"].letter_sha256, old[by_debtor["Zuid BV"].id])
        self.assertEqual(half.postal_state, 'printed')

    def test_failing_letter_fails_alone(self):
        good, bad = self.batch()[:2]
        run = DunningPaper._run_wkhtmltopdf

        sentence = "wkhtmltopdf stopped"

        def fail(this, documents):
            if bad.id in [document.notice_id for document in documents]:
                raise UserError(sentence)
            return run(this, documents)

        self.patch(self.registry['dunning.letter'], '_run_wkhtmltopdf', fail)
        self.send(good | bad)
        self.assertEqual((good.state, bad.state), ('sent', 'error'))
        self.assertIn(sentence, bad.error_message)
