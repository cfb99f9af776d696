"""The proposal and the agreement on paper: every clause, exact sums, frozen, and only what the law allows."""

import base64
import hashlib
import io
import re
from datetime import date
from decimal import Decimal

from lxml import html
from PIL import Image, ImageDraw

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

from ...models.agreement import dunning_arrangement_limits
from ...models.agreement.dunning_arrangement_signing import SCAN_BYTES
from ...tools.wording import ARRANGEMENT, ERROR, check_text
from ..common import TODAY, DunningCommon, days

OFFERED = TODAY
FIRST = date(2025, 3, 28)
SIGNED, CAME = OFFERED + days(2), OFFERED + days(3)
IBAN = "NL91\N{NO-BREAK SPACE}ABNA\N{NO-BREAK SPACE}0417\N{NO-BREAK SPACE}1643\N{NO-BREAK SPACE}00"


def png(size=(300, 100)):
    image = Image.new('RGBA', size, (255, 255, 255, 0))
    ImageDraw.Draw(image).line([(10, 80), (120, 20), (200, 90), (290, 30)], fill=(0, 0, 90, 255), width=4)
    stream = io.BytesIO()
    image.save(stream, 'PNG')
    return stream.getvalue()


def pdf(*, password=None):
    writer = PdfFileWriter()
    writer.add_blank_page(width=200, height=200)
    if password:
        writer.encrypt(password)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


class PaperCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({'company_registry': '30241556', 'vat': 'NL123456782B90'})
        cls.bank = cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})
        cls.env['dunning.hold.reason'].search([('kind', '=', 'arrangement')]).max_days = 4000
        cls.company.dunning_arrangement_max_instalments = 0
        cls.classPatch(dunning_arrangement_limits, 'LONGEST_DAYS', 4000)
        cls.consumer = cls.make_debtor("Mevr. F. van den Berg", consumer=True)
        cls.english = cls.make_debtor("John Smith", consumer=True, lang='en_US')
        cls.crown = cls.make_debtor("Crown & Sons Ltd", lang='en_US', company_registry='12345678')

    def draw_up(self, debtor, count=1, amount=121.0, **terms):
        """Return a draft about ``count`` invoices of a debtor."""
        moves = self.env['account.move'].union(*(
            self.invoice(debtor, TODAY - days(10 + 2 * number), amount + number, post=False, sent=False)
            for number in range(count)))
        moves.action_post()
        return self.on(OFFERED, self.env['dunning.arrangement'])._make(
            self.company, debtor, self.items(moves), {'date_first': FIRST, 'instalment_count': 3, **terms})

    def offer(self, debtor, count=1, amount=121.0, **terms):
        arrangement = self.draw_up(debtor, count, amount, **terms)
        arrangement._offer()
        return arrangement

    def sign(self, arrangement, name="Femke van den Berg", picture=None, at_date=OFFERED):
        """Both sides sign."""
        local = self.on(at_date, arrangement)
        local._sign(name, picture and base64.b64encode(picture), via='portal', ip='203.0.113.7',
                    sha256=arrangement.offer_sha256, agreed=True)
        if arrangement.state == 'signed':
            local._countersign(self.env.user)
        return arrangement

    def words(self, arrangement, signatures=None):
        """Return what the document says, as running text."""
        arrangement = self.on(OFFERED, arrangement)
        document = arrangement.sudo().document_data or arrangement._prepare_document()
        root = html.document_fromstring(arrangement._render_document(document, signatures))
        for node in root.xpath('//style'):
            node.text = ''
        return ' '.join(root.text_content().replace('\xa0', ' ').split())

    def template(self, kind, lang='nl_NL'):
        return self.env.ref(f'l10n_nl_dunning.mail_template_arrangement_{kind}').with_context(lang=lang)

    def mails(self, arrangement):
        return self.env['mail.mail'].sudo().search(
            [('model', '=', 'dunning.arrangement'), ('res_id', '=', arrangement.id)], order='id')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementDocument(PaperCommon):
    """What it says, that it stays so, and how it gets there. No PDF is made here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager, cls.clerk = (
            new_test_user(
                cls.env, f'paper_{name}', groups=f'account.group_account_{name}', company_id=cls.company.id,
                company_ids=[(6, 0, cls.company.ids)])
            for name in ('manager', 'invoice'))

    def test_a_consumer_reads_every_clause_in_dutch(self):
        words = self.words(self.offer(self.consumer, 2))
        for clause in (
            "Met uw handtekening erkent u dat u € 243,00 aan ons moet betalen", "uiterste datums", "6:83 onder a",
            "uiterlijk 3 werkdagen daarna", "Deze regeling kost u niets", "geen rente over de tijd na 3 maart 2025",
            "sturen wij u eerst een herinnering", "alles wat nog openstaat in één keer betalen",
            "Dat u de schuld hebt erkend, blijft gelden", "uitdrukkelijk ons recht op volledige betaling", "6:44",
            "Nieuwe facturen betaalt u op de datum die erop staat", "Verandert uw inkomen of uw situatie?", "3:318",
            "als u en wij allebei hebben ondertekend", "privacyverklaring", "17 maart 2025", "BR", "28 maart 2025",
            "30241556", "NL123456782B90", "NL91 ABNA 0417 1643 00", "Geachte mevrouw Van den Berg,",
        ):
            self.assertIn(clause, words)
        self.assertNotIn("incassokosten", words.lower())

    def test_a_business_reads_every_clause_in_english(self):
        arrangement = self.offer(self.crown, 1, 5000.0, interest_mode='runs', new_invoices='must_pay')
        words = self.words(arrangement)
        for clause in (
            "By signing you acknowledge", "of principal", "of interest", "of collection costs", "final dates",
            "6:83 under a", "statutory commercial interest (article 6:119a of the Dutch Civil Code) runs on",
            "we first send you a reminder", "All that is left is then due at once", "reserve our right to performance",
            "6:44", "If another invoice is not paid on time", "Revision", "thirty days", "3:318", "both parties",
            "Dutch law applies", "Crown & Sons Ltd", "12345678", "28 March 2025", "Creditor", "Debtor",
        ):
            self.assertIn(clause, words)
        self.assertNotIn("we ask no interest", words)

    def test_other_terms_other_words(self):
        draft = self.draw_up(self.consumer, interest_mode='runs', grace_days=0, new_invoices='must_pay')
        self.on(OFFERED, draft.with_user(self.manager)).action_approve()
        draft._offer()
        words = self.words(draft)
        self.assertIn("De wettelijke rente (artikel 6:119 van het Burgerlijk Wetboek) loopt wel door", words)
        self.assertNotIn("geen rente", words)
        self.assertNotIn("werkdag", words)
        self.assertIn("Is een nieuwe factuur niet op tijd betaald", words)
        single = self.words(self.offer(self.english, instalment_count=1))
        self.assertIn("We propose that you pay €121.00 no later than 28 March 2025.", single)
        self.assertIn("The date in the schedule is a final date.", single)

    def test_another_currency_has_no_code_to_pay(self):
        dollar = self.env.ref('base.USD')
        dollar.active = True
        move = self.invoice(self.crown, amount=500.0, currency=dollar)
        arrangement = self.on(OFFERED, self.env['dunning.arrangement'])._make(
            self.company, self.crown, self.items(move), {'date_first': FIRST})
        arrangement._offer()
        self.assertFalse(arrangement.sudo().document_data['pay']['qr'])
        self.assertIn("USD 500.00", self.words(arrangement))

    def test_an_address_is_not_our_wording(self):
        """Somebody can live in a street of which we could not write the name in a letter."""
        debtor = self.make_debtor("Jan Kosten", consumer=True, street="Beslag", city="Boete")
        self.assertEqual(self.offer(debtor).state, 'offered')

    def test_nothing_for_the_linter_to_say(self):
        """Neither error nor warning, for both kinds of debtor, in both languages, whatever was chosen."""
        for kind in ('consumer', 'business'):
            for lang in ('nl_NL', 'en_US'):
                findings = check_text(
                    self.template(kind, lang).body_html, role=ARRANGEMENT, debtor=kind, language=lang, with_costs=True)
                # Advice on long sentences is for who writes letters; a table of conditions reads longer than it is.
                self.assertFalse([finding for finding in findings if finding.severity != 'advice'], (kind, lang))

    def test_what_a_consumer_reads_is_short(self):
        for debtor in (self.consumer, self.english):
            document = self.draw_up(debtor)._prepare_document()
            for clause in document['clauses']:
                text = ' '.join(html.fromstring(clause).text_content().split())
                for sentence in re.split(r'(?<=[.?]) (?=[A-Z])', text):
                    self.assertLess(len(sentence.split()), 28, sentence)

    def test_what_is_missing_cannot_be_offered(self):
        """Take a clause away, and the linter names it."""
        body = str(self.template('business').body_html)
        for taken, code in (
            (r'erken', 'acknowledgement_missing'), (r'fatale|Fatale|6:83', 'fatal_missing'),
            (r'ineens', 'lapse_missing'), (r'eerst een\s+herinnering', 'lapse_reminder_missing'),
            (r'6:44', 'imputation_missing'), (r'omstandigheden|positie', 'revision_missing'),
            (r'recht\s+op nakoming', 'reservation_missing'),
        ):
            text = re.sub(f'(?i){taken}', 'x', body)
            findings = check_text(text, role=ARRANGEMENT, debtor='business', language='nl_NL')
            self.assertIn(code, {finding.code for finding in findings if finding.severity == ERROR}, taken)
        for added, code, debtor in (
            ("De regeling eindigt zonder nadere ingebrekestelling.", 'lapse_at_once', 'business'),
            ("De regeling vervalt dan van rechtswege.", 'lapse_at_once', 'consumer'),
            ("Everything is then immediately due.", 'lapse_at_once', 'business'),
            ("U doet afstand van alle verweren.", 'defence_waived', 'consumer'),
            ("You waive all defences.", 'defence_waived', 'consumer'),
            ("Wij rekenen € 15 regelingskosten.", 'fee_forbidden', 'consumer'),
            ("We charge a set-up fee of € 15.", 'fee_forbidden', 'consumer'),
        ):
            findings = check_text(f"<p>{added}</p>", role=ARRANGEMENT, debtor=debtor, language='nl_NL')
            self.assertIn(code, {finding.code for finding in findings}, added)
            if code != 'fee_forbidden':
                # In a letter it is no business of these rules.
                letter = check_text(f"<p>{added}</p>", role='', debtor=debtor, language='nl_NL')
                self.assertNotIn(code, {finding.code for finding in letter})
        template = self.template('consumer')
        template.body_html = str(template.body_html).replace('6:44', 'de wet')
        arrangement = self.draw_up(self.consumer)
        with self.assertRaisesRegex(UserError, r"(?s)cannot be offered.*6:44.*mail_template|6:44"):
            arrangement._offer()
        self.assertFalse(self.env['ir.attachment'].search_count([
            ('res_model', '=', 'dunning.arrangement'), ('res_id', '=', arrangement.id)]))

    def test_a_broken_text_is_one_sentence(self):
        template = self.template('consumer')
        template.body_html = '<p>Text <t t-out="object.no_such_field"/></p>'
        with self.assertRaisesRegex(UserError, "cannot be used in nl_NL"):
            self.draw_up(self.consumer)._offer()

    def test_sums_are_those_of_the_snapshot(self):
        def number(text):
            return Decimal(re.sub(r'[^\d,-]', '', text).replace(',', '.'))

        for count, terms in (
            (1, {'instalment_count': 1}), (3, {'instalment_count': 7, 'down_payment': 33.33}),
            (5, {'calculate': 'amount', 'instalment_amount': 47.11, 'period': 'week'}),
        ):
            arrangement = self.draw_up(self.business, count, 333.33, **terms)
            document = arrangement._prepare_document()
            total = Decimal(str(arrangement.amount_total))
            self.assertEqual(sum(number(line['total']) for line in document['lines']), total)
            self.assertEqual(sum(number(part['amount']) for part in document['payments']), total)
            self.assertEqual(number(document['payments'][-1]['left']), 0)
            for name in ('principal', 'interest', 'costs'):
                self.assertEqual(sum(number(line[name]) for line in document['lines']), number(document['sums'][name]))
                self.assertEqual(number(document['sums'][name]), Decimal(arrangement.claim_data[name]))
            self.assertEqual(Decimal(arrangement.claim_data['total']), total)
            self.assertEqual(len(document['payments']), len(arrangement.instalment_ids))

    def test_sums_that_do_not_add_up_are_not_offered(self):
        arrangement = self.draw_up(self.business)
        arrangement.instalment_ids[0]._recording().amount += 0.01
        with self.assertRaisesRegex(UserError, "do not add up"):
            arrangement._check_document(arrangement._prepare_document())

    def test_the_code_is_for_the_first_payment(self):
        Letter, payloads = type(self.env['dunning.letter']), []
        draw = Letter._draw_qr
        self.patch(Letter, '_draw_qr', lambda letter, value: payloads.append(value) or draw(letter, value))
        arrangement = self.offer(self.consumer, down_payment=21.0)
        [payment] = {value for value in payloads if value.startswith('BCD')}
        self.assertIn('\nEUR21', payment)
        self.assertIn('NL91ABNA0417164300', payment)
        self.assertIn(arrangement.name, payment)
        [link] = {value for value in payloads if not value.startswith('BCD')}
        self.assertIn(f'/my/arrangements/{arrangement.id}?access_token={arrangement.sudo().access_token}', link)

    def test_script_in_a_name_is_text(self):
        evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
        debtor = self.make_debtor(f"Jan {evil}", consumer=True, street=evil)
        self.company.partner_id.name = f"Bakker {evil}"
        arrangement = self.sign(self.offer(debtor), f"Jan {evil}")
        page = arrangement._render_document(arrangement.sudo().document_data, arrangement._prepare_signatures())
        self.assertNotIn('<script', page)
        self.assertNotIn('<img src=x', page.replace('"', ''))
        self.assertIn('&lt;script&gt;', page)
        for mail in self.mails(arrangement):
            self.assertNotIn('<script', mail.body_html)

    def test_who_signs_for_a_business_is_named(self):
        person = self.make_contact(self.crown, "Mary Poppins", email='mary@debtor.example.com', lang='en_US')
        moves = self.invoice(self.crown)
        arrangement = self.on(OFFERED, self.env['dunning.arrangement'])._make(
            self.company, self.crown, self.items(moves), {'date_first': FIRST}, contact=person)
        document = arrangement._prepare_document()
        self.assertEqual(document['debtor']['person'], "represented by Mary Poppins")
        self.assertEqual(document['address'][:2], ["Crown & Sons Ltd", "Attn. Mary Poppins"])
        self.assertEqual(arrangement._get_recipient(), person)

    # -------------------------------------------------------------------------
    # WHAT WAS OFFERED AND SIGNED STAYS WHAT IT WAS
    # -------------------------------------------------------------------------

    def refused(self, action):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            action()

    def test_nobody_changes_or_deletes_the_files(self):
        arrangement = self.sign(self.offer(self.consumer), picture=png())
        mine = arrangement.with_user(self.manager)
        for env in (mine.env, self.env):
            for name in ('offer_attachment_id', 'agreement_attachment_id'):
                file = arrangement[name].with_env(env)
                for action in (
                    lambda file=file: file.write({'raw': b'%PDF-1.4 other'}),
                    lambda file=file: file.write({'datas': base64.b64encode(b'other')}),
                    lambda file=file: file.write({'name': "other.pdf"}),
                    lambda file=file: file.write({'res_id': 1}),
                    lambda file=file: file.write({'res_model': 'res.partner'}),
                    lambda file=file: file.write({'res_field': 'signed_signature'}),
                    lambda file=file: file.unlink(),
                    # What a browser sends is text, and opens nothing.
                    lambda file=file: file.with_context(dunning_recording='1').unlink(),
                ):
                    self.refused(action)
            for values in (
                {'offer_sha256': 'x'}, {'offer_attachment_id': False}, {'agreement_attachment_id': False},
                {'scan_attachment_id': False}, {'document_data': {}}, {'signed_signature': False},
            ):
                self.refused(lambda env=env, values=values: arrangement.with_env(env).write(values))
            self.refused(lambda env=env: arrangement.with_env(env).unlink())
        picture = self.env['ir.attachment'].sudo().search([
            ('res_model', '=', 'dunning.arrangement'), ('res_field', '=', 'signed_signature'),
            ('res_id', '=', arrangement.id)])
        self.assertTrue(picture)
        self.refused(lambda: picture.write({'raw': png((50, 50))}))
        self.refused(picture.unlink)
        self.refused(lambda: picture.create({
            'name': 'signed_signature', 'res_model': 'dunning.arrangement', 'res_field': 'signed_signature',
            'res_id': arrangement.id, 'raw': png((50, 50))}))
        # Moving the file to another storage writes the same content again.
        arrangement.offer_attachment_id.write({'raw': arrangement.offer_attachment_id.raw})
        # Another file of the arrangement is nobody's proof.
        note = self.env['ir.attachment'].create({
            'name': "note.txt", 'raw': b"x", 'res_model': 'dunning.arrangement', 'res_id': arrangement.id})
        note.name = "notes.txt"
        note.unlink()

    def test_the_hash_is_of_the_bytes(self):
        arrangement = self.sign(self.offer(self.consumer))
        for kind in ('offer', 'agreement'):
            file = arrangement[f'{kind}_attachment_id']
            self.assertEqual(hashlib.sha256(file.raw).hexdigest(), arrangement[f'{kind}_sha256'])
            self.assertEqual(file.mimetype, 'application/pdf')
            self.assertTrue(file.name.startswith(f"{arrangement.name} "))

    def test_the_agreement_says_what_was_offered_whatever_changed_since(self):
        arrangement = self.offer(self.consumer, 2)
        before = self.words(arrangement)
        self.template('consumer').body_html = "<p>Iets heel anders.</p>"
        self.consumer.write({'name': "Iemand Anders", 'street': "Elders 9"})
        self.assertEqual(self.words(arrangement), before)
        printed = []
        self.patch(
            type(arrangement), '_print_document',
            lambda this, document, signatures=None, **kwargs: printed.append((document, signatures)) or b'%PDF-1.4')
        self.sign(arrangement)
        [(document, signatures)] = printed
        self.assertEqual(document, arrangement.sudo().document_data)
        self.assertEqual(len(signatures), 2)
        after = self.words(arrangement, arrangement._prepare_signatures())
        for words in ("Mevr. F. van den Berg", "Keizersgracht 1", "NL91 ABNA 0417 1643 00", "erkent u dat u € 243,00"):
            self.assertIn(words, after)
        self.assertNotIn("Iets heel anders", after)
        self.assertNotIn("Elders 9", after)

    def test_both_signatures_stand_under_it(self):
        arrangement = self.sign(self.offer(self.english), "John Smith", png())
        debtor, ours = arrangement._prepare_signatures()
        self.assertTrue(debtor['image'].startswith('data:image/png;base64,'))
        self.assertEqual(debtor['name'], "John Smith")
        self.assertEqual(debtor['how'], "signed in the portal, IP address 203.0.113.7")
        self.assertRegex(debtor['when'], r'^\d+ \w+ \d{4}, \d\d:\d\d$')
        self.assertEqual(ours['name'], self.env.user.name)
        words = self.words(arrangement, [debtor, ours])
        self.assertIn("agreement, signed by both parties", words)
        self.assertIn(arrangement.offer_sha256, words)
        self.assertNotIn("proposal, valid until", words)
        typed = self.sign(self.offer(self.english, amount=300.0), "John Smith")
        self.assertIn("by typing the name and ticking the box", typed._prepare_signatures()[0]['how'])

    def test_a_signature_that_is_no_picture_is_not_shown(self):
        svg = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')
        for content in (svg, base64.b64encode(b'not a picture'), b'%%%', False):
            self.assertFalse(self.env['dunning.arrangement']._get_picture(content))

    def test_who_may_not_read_the_arrangement_reads_no_file(self):
        arrangement = self.offer(self.consumer)
        sales = new_test_user(self.env, 'paper_sales', groups='base.group_user')
        with self.assertRaises(AccessError):
            arrangement.offer_attachment_id.with_user(sales).read(['raw'])
        with self.assertRaises(AccessError):
            arrangement.with_user(sales).action_print_offer()
        reader = new_test_user(
            self.env, 'paper_reader', groups='account.group_account_readonly', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        self.assertTrue(arrangement.offer_attachment_id.with_user(reader).raw)
        url = arrangement.with_user(reader).action_print_offer()['url']
        self.assertIn(str(arrangement.offer_attachment_id.id), url)

    # -------------------------------------------------------------------------
    # BY E-MAIL WITH THE PDF AND A LINK, OR BY POST; SIGNED COPIES TO BOTH
    # -------------------------------------------------------------------------

    def test_the_offer_goes_by_mail_with_pdf_and_link(self):
        arrangement = self.offer(self.consumer)
        [mail] = self.mails(arrangement)
        self.assertEqual(mail.attachment_ids, arrangement.offer_attachment_id.sudo())
        key = arrangement.sudo().access_token
        self.assertIn(f'/my/arrangements/{arrangement.id}?access_token={key}', mail.body_html)
        self.assertIn("uiterlijk op <b>17 maart 2025</b>", mail.body_html)
        self.assertIn("Ons voorstel voor een betalingsregeling van €", mail.subject)
        self.assertIn('mevr.@debtor.example.com', mail.email_to)
        [english] = self.mails(self.offer(self.english))
        self.assertIn("Our proposal for paying €121.00", english.subject)
        self.assertIn("Read and sign", english.body_html)

    def test_without_address_somebody_posts_it(self):
        debtor = self.make_debtor("Zonder Mail BV", email=False)
        arrangement = self.offer(debtor)
        self.assertFalse(self.mails(arrangement))
        [activity] = arrangement.activity_ids
        self.assertEqual(activity.user_id, arrangement.user_id)
        self.assertIn(arrangement.name, activity.summary)
        arrangement._send_offer()
        self.assertEqual(len(arrangement.activity_ids), 1, "Asked once")
        action = self.on(OFFERED, arrangement).action_print_offer()
        self.assertEqual(action['url'], f'/web/content/{arrangement.offer_attachment_id.id}?download=true')
        # What was signed is not held up by an address that went missing.
        debtor.write({'street': False, 'city': False})
        self.sign(arrangement)
        self.assertEqual(arrangement.state, 'active')
        self.assertIn("signed agreement", arrangement.activity_ids.mapped('summary')[-1])
        nowhere = self.make_debtor("Nergens BV", email=False, street=False, city=False, zip=False)
        with self.assertRaisesRegex(UserError, "neither an e-mail address"):
            self.offer(nowhere)

    def test_the_signed_agreement_goes_to_both(self):
        arrangement = self.offer(self.consumer, down_payment=21.0)
        collector = new_test_user(
            self.env, 'paper_collector', groups='account.group_account_invoice', email='collector@test.example.com',
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        arrangement.user_id = collector
        self.sign(arrangement)
        mail = self.mails(arrangement).filtered(lambda mail: "is rond" in (mail.subject or ''))
        self.assertEqual(len(mail), 1)
        self.assertIn(arrangement.agreement_attachment_id, mail.attachment_ids)
        self.assertIn("21,00", mail.body_html)
        self.assertIn('cid:betaalcode.png', mail.body_html)
        self.assertIn(IBAN, mail.body_html)
        ours = arrangement.message_ids.filtered(lambda message: collector.partner_id in message.partner_ids)
        self.assertIn(arrangement.agreement_attachment_id, ours.attachment_ids)
        self.assertEqual(arrangement.agreement_attachment_id.res_id, arrangement.id)

    def test_a_draft_is_shown_as_a_concept_and_stays_one(self):
        arrangement = self.draw_up(self.consumer)
        url = arrangement.action_print_offer()['url']
        file = self.env['ir.attachment'].browse(int(re.search(r'\d+', url)[0]))
        self.assertEqual((file.res_model, file.res_id), ('dunning.letter', 0))
        self.assertFalse(arrangement.offer_attachment_id)
        self.assertEqual(arrangement.state, 'draft')

    # -------------------------------------------------------------------------
    # WHAT CAME BACK SIGNED ON PAPER
    # -------------------------------------------------------------------------

    def upload(self, arrangement, content, name="F. van den Berg", signed=SIGNED, today=CAME):
        local = self.on(today, arrangement.with_user(self.clerk))
        wizard = local.env['dunning.arrangement.scan'].browse(local.action_upload_scan()['res_id'])
        wizard.write({
            'file': base64.b64encode(content), 'filename': "scan.pdf", 'signed_name': name, 'signed_date': signed})
        return wizard.action_confirm()

    def test_a_scan_signs_it(self):
        for content, mimetype in ((pdf(), 'application/pdf'), (png(), 'image/png')):
            arrangement = self.offer(self.consumer)
            self.upload(arrangement, content)
            self.assertEqual(arrangement.state, 'signed')
            self.assertEqual(arrangement.signed_via, 'paper')
            self.assertEqual(arrangement.signed_name, "F. van den Berg")
            self.assertEqual(arrangement.signed_date, OFFERED + days(2))
            scan = arrangement.scan_attachment_id
            self.assertEqual((scan.raw, scan.mimetype), (content, mimetype))
            self.on(OFFERED + days(3), arrangement)._countersign(self.env.user)
            with self.assertRaises(UserError):
                scan.unlink()
            with self.assertRaises(UserError):
                scan.raw = b'other'
            words = self.words(arrangement, arrangement._prepare_signatures())
            self.assertIn(hashlib.sha256(content).hexdigest(), words)
            mail = self.mails(arrangement)[-1]
            self.assertLessEqual({scan.id, arrangement.agreement_attachment_id.id}, set(mail.attachment_ids.ids))

    def test_what_is_no_scan_is_refused_with_a_sentence(self):
        arrangement = self.offer(self.consumer)
        stream = io.BytesIO()
        Image.new('RGB', (30, 30)).save(stream, 'GIF')
        for content in (
            b'MZ\x90\x00 program', b'<html><script>x</script></html>', b'%PDF-1.4 nothing', b'%PDF-', stream.getvalue(),
            png()[:60], b'<svg xmlns="http://www.w3.org/2000/svg"/>', pdf(password='x'),
            b'\x89PNG\r\n\x1a\n' + b'\x00' * 100,
        ):
            with self.assertRaisesRegex(UserError, "cannot be read as a scan"), mute_logger('PyPDF2', 'pypdf'):
                self.upload(arrangement, content)
        with self.assertRaisesRegex(UserError, "larger than 10 MB"):
            self.upload(arrangement, pdf() + b'\n' * SCAN_BYTES)
        self.assertEqual(arrangement.state, 'offered')
        self.assertFalse(arrangement.scan_attachment_id)
        self.assertFalse(self.env['ir.attachment'].sudo().search_count([
            ('res_model', '=', 'dunning.arrangement'), ('res_id', '=', arrangement.id), ('res_field', '=', False),
            ('id', '!=', arrangement.offer_attachment_id.id)]))

    def test_name_and_day_are_needed_and_possible(self):
        arrangement = self.offer(self.consumer)
        for values, sentence in (
            ({'name': ' '}, "Enter the name"), ({'signed': False}, "Enter the day"),
            ({'signed': OFFERED + days(4)}, "future"), ({'signed': OFFERED - days(1)}, "before that day"),
            ({'signed': OFFERED + days(20), 'today': OFFERED + days(21)}, "could be signed until"),
        ):
            with self.assertRaisesRegex(UserError, sentence):
                self.upload(arrangement, pdf(), **values)
        self.assertEqual(arrangement.state, 'offered')
        # It came in late, but was signed in time.
        self.upload(arrangement, pdf(), signed=OFFERED + days(13), today=OFFERED + days(16))
        self.assertEqual(arrangement.state, 'signed')
        with self.assertRaisesRegex(UserError, "not on offer"):
            self.upload(arrangement, pdf())


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementPdf(PaperCommon):
    """On real paper: one page or many, heads repeated, pages numbered."""

    real_letters = True

    def pages(self, attachment):
        return [
            ' '.join(page.extract_text().replace('\xa0', ' ').split())
            for page in PdfFileReader(io.BytesIO(attachment.raw)).pages]

    def test_one_invoice_in_one_instalment(self):
        arrangement = self.sign(self.offer(self.english, instalment_count=1), "John Smith", png())
        for kind in ('offer', 'agreement'):
            pages = self.pages(arrangement[f'{kind}_attachment_id'])
            self.assertEqual(len(pages), 2)
            for number, page in enumerate(pages, 1):
                self.assertIn(f"Payment arrangement {arrangement.name} – page {number} of 2", page)
            self.assertIn("Signatures", pages[-1])
        self.assertIn("203.0.113.7", self.pages(arrangement.agreement_attachment_id)[-1])

    def test_forty_invoices_in_sixty_instalments(self):
        arrangement = self.offer(self.crown, 40, 900.0, instalment_count=60, period='week')
        pages = self.pages(arrangement.offer_attachment_id)
        text = ' '.join(pages)
        for line in arrangement.sudo().document_data['lines']:
            self.assertEqual(text.count(line['name']), 1)
        for part in arrangement.sudo().document_data['payments']:
            self.assertIn(part['date'], text)
        # The head of a table stands on each page that has rows of it.
        self.assertEqual([page.count("Due date") for page in pages[:2]], [1, 1])
        self.assertGreaterEqual(text.count("To be paid no later than"), 2)
        self.assertLessEqual(len(pages), 5)
        for number, page in enumerate(pages, 1):
            self.assertIn(f"page {number} of {len(pages)}", page)
            self.assertGreater(len(page), 300, "No page is nearly empty")

    def test_two_years_in_dutch(self):
        arrangement = self.offer(self.consumer, 3, instalment_count=24, day_of_month=31)
        pages = self.pages(arrangement.offer_attachment_id)
        self.assertLessEqual(len(pages), 3)
        text = ' '.join(pages)
        for words in (
            "U erkent de schuld", "fatale termijn", "31 maart 2025", "NL91 ABNA 0417 1643 00"):
            self.assertIn(words, text)
