"""The debtor's page: what it shows, to whom, and what can be done there, by friends and by others."""

import base64
import os
import re
from unittest.mock import patch

from lxml import html

from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ...models.kernel.formats import letter_amount
from ...models.portal import dunning_page_proposal
from ...models.portal.dunning_page_inbox import MAX_FILE_BYTES, REQUESTS_PER_DAY
from ...models.portal.page_input import clean_text, parse_amount
from ..common import DunningCommon, days

PDF = b'%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n'
PNG = base64.b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==')
SCRIPT = '<script>alert(1)</script>'


class PortalCase(DunningCommon, HttpCase):
    """A debtor with two invoices that are due and one that is not, and his page; nobody is signed in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # the server knows no other
        cls.company.email = 'finance@test.example.com'
        cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})
        cls.consumer = cls.make_debtor("Petra de Vries", consumer=True, lang='nl_NL')
        cls.old = cls.invoice(cls.consumer, cls.today - days(40), 240.0)
        cls.new = cls.invoice(cls.consumer, cls.today - days(12), 60.0)
        cls.later = cls.invoice(cls.consumer, cls.today + days(12), 75.0)
        cls.page = cls.consumer._get_dunning_page(cls.company)
        cls.stranger = cls.make_debtor("Slagerij Vroeg BV")
        cls.foreign = cls.invoice(cls.stranger, cls.today - days(40), 999.0)
        cls.collector = new_test_user(
            cls.env, 'page_collector', groups='base.group_user,account.group_account_invoice',
            company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)])
        cls.company.dunning_user_id = cls.collector

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)

    def get(self, page=None, token=None, suffix='', **query):
        """Return the answer to opening a page."""
        page = page or self.page
        query = {'access_token': page.access_token if token is None else token, **query}
        text = '&'.join(f'{name}={value}' for name, value in query.items() if value is not False)
        return self.url_open(f'{page.access_url}{suffix}?{text}', allow_redirects=False)

    def tree(self, response, status=200):
        self.assertEqual(response.status_code, status, response.text[:2000])
        return html.fromstring(response.content.decode())

    @staticmethod
    def words(tree):
        """Return the text a reader sees."""
        text = ' '.join(tree.xpath('//body//text()[not(ancestor::style)]'))
        return re.sub(r'\s+', ' ', text.replace('\N{NO-BREAK SPACE}', ' ')).strip()

    def get_csrf(self):
        """Return what every form of a page has that this visitor opened."""
        if not self.csrf:
            self.csrf = re.search(r'name="csrf_token" value="([^"]+)"', self.get().text).group(1)
        return self.csrf

    def authenticate(self, *args, **kwargs):
        self.csrf = ''
        return super().authenticate(*args, **kwargs)

    def post(self, form, values=None, *, page=None, token=None, files=None, csrf=None, notice=None, follow=True):
        """Send a form as a browser does that opened a page first; return the answer."""
        page = page or self.page
        token = page.access_token if token is None else token
        csrf = self.get_csrf() if csrf is None else csrf
        data = {'csrf_token': csrf, 'access_token': token, 'lang': 'en', **(values or {})}
        if notice:
            data |= {'notice': notice.id, 'key': page._sign_notice(notice)}
        return self.url_open(
            f'{page.access_url}/{form}', data=data, files=files, allow_redirects=follow, timeout=30)

    def holds(self, partner=None):
        return self.env['dunning.hold'].search([('partner_id', '=', (partner or self.consumer).id)])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPortalPage(PortalCase):
    """What is owed and why, and who may see it."""

    def test_it_tells_what_is_owed_and_what_not_yet(self):
        words = self.words(self.tree(self.get(lang='en')))
        self.assertIn("To pay today €300.00", words)
        for move in (self.old, self.new, self.later):
            self.assertIn(move.name, words)
        self.assertNotIn("999", words, "Of nobody else")
        self.assertIn("40 days late", words)

    def test_the_sum_is_that_of_the_claim(self):
        """As long as letters asked the principal only, the page does; after one with interest it shows that."""
        self.assertEqual(self.page._get_debt()['debts'][0]['total_value'], 300)
        self.business_page = self.business._get_dunning_page(self.company)
        invoice = self.invoice(self.business, self.today - days(60), 1000.0)
        self.reminder.with_interest = True
        self.send(self.make_notices(self.today - days(50)).filtered(
            lambda notice: notice.partner_id == self.business), self.today - days(50))
        debt = self.business_page._get_debt()['debts'][0]
        claim, = self.env['dunning.claim']._compute_debtor(
            self.business, self.today, self.items(invoice), with_costs=False)
        self.assertGreater(claim.interest, 0)
        self.assertEqual(debt['total_value'], claim.total)
        words = self.words(self.tree(self.get(self.business_page, lang='en')))
        said = letter_amount(self.env, float(claim.total), self.env.ref('base.EUR'), 'en_US')
        self.assertIn(said, words)
        self.assertIn("Interest until today", words)
        self.assertIn("article 6:119a BW", words, "And why")

    def test_what_is_held_is_said_without_our_own_reasons(self):
        reason = self.env.ref('l10n_nl_dunning.hold_reason_internal')
        self.env['dunning.hold'].create({
            'move_id': self.old.id, 'reason_id': reason.id, 'date_end': self.today + days(3),
            'note': "Looks like fraud", 'user_id': self.collector.id})
        words = self.words(self.tree(self.get(lang='en')))
        self.assertIn("We do not send reminders about this until", words)
        self.assertIn("To pay today €60.00", words)
        self.assertNotIn("fraud", words)
        self.assertNotIn(reason.name, words)

    def test_what_is_collected_by_direct_debit_is_not_to_be_paid(self):
        """In no sum, button, code or form; the page says when it is collected. After a return it is asked."""
        debit = self.bank_journal.inbound_payment_method_line_ids[:1].copy({
            'name': "Direct debit", 'dunning_collects': True})
        late = self.invoice(
            self.consumer, self.today - days(1), 500.0, preferred_payment_method_line_id=debit.id)
        self.later.preferred_payment_method_line_id = debit
        debt, = self.page._get_debt()['debts']
        self.assertEqual((debt['total_value'], debt['moves']), (300, self.old | self.new))
        self.assertEqual(debt['bank']['reference'], self.page._prepare_bank(
            self.old | self.new, self.company.currency_id, 300)['reference'])
        self.assertEqual(
            {row['move']: row['can_pay'] for row in debt['rows']}, {self.old: True, self.new: True, late: False})
        for what in ('due', 'all'):
            payable = self.page._get_payable(what)
            self.assertEqual((payable.amount, payable.moves), (300, self.old | self.new), what)
        for move in (late, self.later):
            self.assertIsNone(self.page._get_payable('all', move))
        words = self.words(self.tree(self.get(lang='en')))
        self.assertIn("To pay today €300.00", words)
        self.assertIn("What we collect by direct debit −€500.00", words)
        self.assertIn("We collect this by direct debit one of these days. You do not have to do anything.", words)
        self.assertIn("We collect this by direct debit on", words)
        late._record_dunning_return(self.today)
        self.assertEqual(self.page._get_payable('due').amount, 800)

    def test_nothing_to_pay(self):
        self.pay(self.old | self.new | self.later, on=self.today)
        words = self.words(self.tree(self.get(lang='en')))
        self.assertIn("You have nothing to pay now", words)
        self.assertNotIn("Something else?", words)

    def test_dutch_and_english(self):
        tree = self.tree(self.get())
        self.assertEqual(tree.get('lang'), 'nl', "The language of the debtor")
        self.assertIn("€ 300,00", self.words(tree))
        self.assertEqual(self.tree(self.get(lang='en')).get('lang'), 'en')
        self.assertEqual(self.tree(self.get(lang='xx')).get('lang'), 'nl')

    def test_headers_keep_the_link_a_secret(self):
        for response in (self.get(), self.get(token='wrong'), self.post('contact', {'email': 'nonsense'})):
            self.assertIn('no-store', response.headers['Cache-Control'])
            self.assertIn('noindex', response.headers['X-Robots-Tag'])
            self.assertEqual(response.headers['Referrer-Policy'], 'no-referrer')
            self.assertIn("default-src 'none'", response.headers['Content-Security-Policy'])
            self.assertIn("frame-ancestors 'none'", response.headers['Content-Security-Policy'])
            self.assertIn("script-src 'self'", response.headers['Content-Security-Policy'])
        self.assertEqual(
            self.tree(self.get()).xpath('//script/@src | //script[not(@src)]'),
            ['/l10n_nl_dunning/static/src/portal/copy.js'], "One of our own, and none within the page")

    # --- who may not ---

    def assertNothing(self, response):
        """A page that is not there, whatever the reason: the same words each time."""
        self.assertEqual(response.status_code, 404)
        for secret in (self.consumer.name, self.company.name, self.old.name, '240'):
            self.assertNotIn(secret, response.text)
        return re.sub(r'\s+', ' ', response.text)

    def test_wrong_tokens_get_nothing_and_no_hint(self):
        other = self.stranger._get_dunning_page(self.company)
        answers = {
            self.assertNothing(self.get(token=token))
            for token in ('', 'wrong', other.access_token, self.page.access_token[:-1], self.page.access_token + 'x',
                          'False', 'None', '%00', 'é', "' OR 1=1 --")}
        answers.add(self.assertNothing(self.url_open(self.page.access_url)))
        answers.add(self.assertNothing(self.url_open('/my/debt/999999999?access_token=x')))
        self.assertEqual(len(answers), 1, "Nobody can tell a wrong key from a page that is not there")
        with mute_logger('odoo.http'):
            self.assertEqual(self.url_open('/my/debt/0x10').status_code, 404)

    def test_a_token_that_was_taken_back_is_dead_at_once(self):
        token = self.page.access_token
        self.assertEqual(self.get().status_code, 200)
        self.page.action_renew()
        self.assertNothing(self.get(token=token))
        self.assertEqual(self.get().status_code, 200)
        token = self.page.access_token
        self.page.action_revoke()
        self.assertNothing(self.get(token=token))
        for empty in ('', 'False', 'None'):
            self.assertNothing(self.get(token=empty))
        self.assertFalse(self.page._get_url(), "No new links are sent either")
        self.page.get_portal_url()
        self.assertFalse(self.page.access_token, "Asking for the address does not bring it back to life")

    def test_portal_users_see_their_own_debtor_only(self):
        user = new_test_user(self.env, 'page_petra', groups='base.group_portal', name="Petra")
        user.partner_id.parent_id = self.consumer
        self.authenticate('page_petra', 'page_petra')
        self.assertIn("240", self.get(token=False, lang='en').text)
        self.assertIn("240", self.url_open('/my/debt?lang=en').text, "Taken to his page")
        counted = self.make_jsonrpc_request('/my/counters', {'counters': ['dunning_debt_count']})
        self.assertEqual(counted['dunning_debt_count'], 2, "A card on his portal")
        other = self.stranger._get_dunning_page(self.company)
        self.assertEqual(self.get(other, token=False).status_code, 404)
        self.assertNothing(self.url_open(f'{other.access_url}/invoice/{self.foreign.id}'))

    def test_colleagues_need_the_link_as_well(self):
        self.authenticate('page_collector', 'page_collector')
        self.assertNothing(self.get(token=False))
        self.assertEqual(self.get().status_code, 200)
        self.assertFalse(self.page.opened_on, "Colleagues who look along are not the debtor")

    def test_a_colleague_looks_without_the_key_and_does_nothing(self):
        self.authenticate('page_collector', 'page_collector')
        user = self.env['res.users'].search([('login', '=', 'page_collector')])
        url = self.page.with_user(user).with_company(self.company).action_open_page()['url']
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertNotIn(self.page.access_token, response.text)
        look = url.partition('access_token=')[2]
        self.assertNothing(self.post('contact', {'text': "Hallo"}, token=look))
        self.authenticate(None, None)
        self.assertNothing(self.url_open(url))
        self.authenticate('page_collector', 'page_collector')
        self.page.action_renew()
        self.assertNothing(self.url_open(url))

    def test_invoices_of_this_debtor_only(self):
        credit = self.credit_note(self.consumer, 10.0, self.today)
        draft = self.invoice(self.consumer, self.today, 1.0, post=False)
        pdf = {'content': PDF, 'filename': 'x.pdf', 'filetype': 'pdf'}
        with patch.object(self.registry['account.move'], '_get_invoice_legal_documents_all', lambda *a, **k: [pdf]):
            for move in (self.old, self.later, credit):
                response = self.get(suffix=f'/invoice/{move.id}')
                self.assertEqual((response.status_code, response.content), (200, PDF))
                self.assertIn('no-store', response.headers['Cache-Control'])
            for move_id in (self.foreign.id, draft.id, 0, 999999999):
                self.assertNothing(self.get(suffix=f'/invoice/{move_id}'))

    def test_another_company_is_another_page(self):
        company = self.setup_other_company()['company']
        foreign = self.invoice(self.consumer, self.today - days(9), 333.0, company=company)
        self.assertNotIn("333.00", self.get(lang='en').text)
        self.assertFalse(self.page._find_invoice(foreign.id))
        other = self.consumer._get_dunning_page(company)
        self.assertNotEqual(other, self.page)
        words = self.words(self.tree(self.get(other, lang='en')))
        self.assertIn("333.00", words)
        self.assertNotIn("240", words)
        self.assertNothing(self.get(self.page, token=other.access_token))

    def test_subsidiaries_are_debtors_of_their_own(self):
        daughter = self.make_debtor("Dochter BV", parent_id=self.business.id)
        self.invoice(self.business, self.today - days(9), 50.0)
        hers = self.invoice(daughter, self.today - days(9), 444.0)
        page = self.business._get_dunning_page(self.company)
        self.assertNotIn("444.00", self.get(page, lang='en').text)
        self.assertFalse(page._find_invoice(hers.id))

    def test_who_became_part_of_another_does_not_see_the_other(self):
        """The old link of a person must not show the debts of the company he was made a contact of."""
        self.consumer.write({'dunning_debtor_type': 'business', 'dunning_type_reason': "She trades."})
        self.consumer.parent_id = self.stranger
        self.assertNothing(self.get())

    def test_archived_and_merged_debtors(self):
        self.consumer.active = False
        self.assertIn("240", self.get(lang='en').text, "He owes it all the same")
        self.consumer.active = True
        double = self.make_debtor("Petra de Vries", consumer=True)
        third = self.make_debtor("P. de Vries", consumer=True)
        old_page = double._get_dunning_page(self.company)
        old_token = old_page.access_token
        request = old_page.env['dunning.page.request'].create({
            'page_id': old_page.id, 'kind': 'contact', 'key': 'x', 'date': self.today, 'text': "He said so."})
        wizard = self.env['base.partner.merge.automatic.wizard'].create({})
        with mute_logger('odoo.addons.base.wizard.base_partner_merge'):
            wizard._merge((self.consumer | double | third).ids, self.consumer)
        self.assertIn("240", self.get(lang='en').text)
        self.assertNothing(self.url_open(f'{old_page.access_url}?access_token={old_token}&lang=en'))
        self.assertEqual(request.page_id, self.page, "What he sent is kept")
        another = self.make_debtor("Petra Vries", consumer=True)
        token = self.page.access_token
        with mute_logger('odoo.addons.base.wizard.base_partner_merge'):
            self.env['base.partner.merge.automatic.wizard'].create({})._merge((self.consumer | another).ids, another)
        self.assertEqual(self.page.partner_id, another, "The page goes along")
        self.assertIn("240", self.get(token=token, lang='en').text)

    def test_script_in_names_is_text(self):
        self.consumer.name = f"Petra {SCRIPT}"
        self.old.payment_reference = f"ref {SCRIPT}"
        for response in (self.get(), self.get(lang=SCRIPT), self.get(done=SCRIPT), self.get(open=SCRIPT)):
            self.assertNotIn(SCRIPT, response.text)
            self.assertFalse(self.tree(response).xpath('//script[not(@src)]'))
        self.assertIn(SCRIPT.replace('<', '&lt;').replace('>', '&gt;'), self.get().text)

    # --- evidence ---

    def _send_reminder(self):
        notice = self.send(self.make_notices(self.today).filtered(
            lambda notice: notice.partner_id == self.consumer), self.today)
        self.assertEqual(notice.state, 'sent')
        return notice

    def opened(self, notice):
        notice.invalidate_recordset()
        return notice.receipt_ids.filtered(lambda receipt: receipt.kind == 'portal_opened')

    def test_opening_the_link_proves_nothing(self):
        """A mail scanner fetches every link; the term of a 14-day letter must not run from that."""
        notice = self._send_reminder()
        url = self.page._get_url(notice=notice)
        response = self.url_open(url[len(self.page.get_base_url()):])
        self.assertIn(notice.name, response.text)
        self.assertFalse(self.opened(notice))
        self.assertEqual(self.page.opened_on, self.today)

    def test_reading_a_letter_is_proof(self):
        notice = self._send_reminder()
        notice._recording().letter_file = base64.b64encode(PDF)
        self.assertEqual(self.url_open(
            f'{self.page.access_url}/letter/{notice.id}?access_token={self.page.access_token}').status_code, 405)
        response = self.post(f'letter/{notice.id}', csrf='wrong')
        self.assertEqual(response.status_code, 422)
        self.assertFalse(self.opened(notice), "Not sent from a page of ours")
        response = self.post(f'letter/{notice.id}')
        self.assertEqual(response.content, PDF)
        self.assertEqual(self.opened(notice).date, self.today)
        self.post(f'letter/{notice.id}')
        self.assertEqual(len(self.opened(notice)), 1, "Once is enough")

    def test_letters_of_others_are_not_there(self):
        theirs = self.send(self.make_notices(self.today).filtered(
            lambda notice: notice.partner_id == self.stranger), self.today)
        theirs._recording().letter_file = base64.b64encode(PDF)
        self.assertNothing(self.post(f'letter/{theirs.id}'))
        self.assertFalse(self.opened(theirs))

    def test_the_link_of_a_letter_opens_with_its_sum(self):
        """One button pays exactly what it asks. What came later stands below; what was never sent is not asked."""
        notice = self._send_reminder()
        self.assertEqual(notice.amount_due, 300.0)
        later = self.invoice(self.consumer, self.today - days(1), 40.0)
        unsent = self.invoice(self.consumer, self.today - days(9), 50.0)
        unsent.is_move_sent = False
        query = {'notice': notice.id, 'key': self.page._sign_notice(notice), 'lang': 'en'}
        tree = self.tree(self.get(**query))
        words = self.words(tree)
        self.assertRegex(words, r"To pay for our message “[^”]+” €300\.00")
        self.assertIn("All that is due today €340.00", words)
        self.assertRegex(words, rf"{unsent.name} We have not asked you for this yet\. €50\.00")
        self.assertTrue(tree.xpath("//a[contains(., 'Pay')][contains(., '300.00')]"))
        self.assertIn(notice.reference, words, "Stating what the letter says")
        self.assertEqual(self.page._get_payable('letter', notice=notice).amount, 300.0)
        self.assertEqual(self.page._get_payable('due').amount, 340.0)
        self.pay(self.old, 200.0)
        self.assertEqual(self.page._get_payable('letter', notice=notice).amount, 100.0)
        self.pay(self.old | self.new)
        self.assertFalse(self.page._get_payable('letter', notice=notice))
        self.assertEqual(self.page._get_payable('due').moves, later)
        self.assertIn("To pay today €40.00", self.words(self.tree(self.get(**query))))

    def test_a_letter_asks_no_interest_of_later_days_before_its_last_day(self):
        """Within its term exactly the letter's sum is enough; after that what is due today."""
        self.reminder.with_interest = True
        self.invoice(self.business, self.today - days(200), 10000.0)
        page = self.business._get_dunning_page(self.company)
        sent = self.today - days(3)
        notice = self.send(self.make_notices(sent).filtered(lambda notice: notice.partner_id == self.business), sent)
        self.assertGreater(notice.amount_interest, 0)
        self.assertGreaterEqual(notice.deadline, self.today)
        self.assertEqual(page._get_payable('letter', notice=notice).amount, notice.amount_due)
        due = page._get_payable('due').amount
        self.assertGreater(due, notice.amount_due)
        notice._recording().deadline = self.today - days(1)
        self.assertEqual(page._get_payable('letter', notice=notice).amount, due)

    def test_acting_on_the_link_of_a_notice_is_proof(self):
        notice = self._send_reminder()
        values = {'invoice_id': self.old.id, 'category': 'price', 'reason': "The price is wrong, see the offer."}
        theirs = self.stranger._get_dunning_page(self.company)
        self.post('dispute', values | {'notice': notice.id, 'key': theirs._sign_notice(notice)})
        self.assertFalse(self.opened(notice), "A key that was made up proves nothing")
        self.post('contact', {'email': 'new@example.com'}, notice=notice)
        self.assertTrue(self.opened(notice))

    def test_colleagues_prove_nothing(self):
        notice = self._send_reminder()
        notice._recording().letter_file = base64.b64encode(PDF)
        self.authenticate('page_collector', 'page_collector')
        self.assertEqual(self.post(f'letter/{notice.id}').content, PDF)
        self.assertFalse(self.opened(notice))

    def test_mails_carry_the_link(self):
        notice = self._send_reminder()
        body = notice.mail_id.sudo().body_html or ''
        self.assertIn(f'/my/debt/{self.page.id}', body)
        self.assertIn('key=', body)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPortalForms(PortalCase):
    """What a debtor can send, by friends and by others."""

    def dispute(self, **values):
        return {'invoice_id': self.old.id, 'category': 'quality', 'reason': "The bread was stale, all of it.", **values}

    def paid(self, **values):
        return {
            'invoice_id': self.old.id, 'paid_date': self.today - days(2), 'amount': '240,00', **values}

    def assertCorrect(self, response, sentence, *kept):
        """The same page, the sentence, and what was typed."""
        self.assertEqual(response.status_code, 422, response.text[:500])
        tree = html.fromstring(response.content.decode())
        self.assertIn(sentence, self.words(tree))
        values = tree.xpath('//form//input/@value') + [area.text or '' for area in tree.xpath('//form//textarea')] \
            + tree.xpath('//option[@selected]/@value')
        for value in kept:
            self.assertTrue(any(str(value) in found for found in values), f"{value} was not kept")
        return tree

    # --- disputes ---

    def test_a_dispute_is_put_on_hold_and_given_to_somebody(self):
        notice = self.make_notices(self.today).filtered(lambda notice: notice.partner_id == self.consumer)
        response = self.post('dispute', self.dispute(), files={'file': ('broken.pdf', PDF, 'text/html')})
        self.assertIn("We have received it", response.text)
        hold = self.holds()
        self.assertRecordValues(hold, [{
            'move_id': self.old.id, 'kind': 'dispute', 'dispute_category': 'quality', 'dispute_right': 'open',
            'user_id': self.collector.id, 'note': "The bread was stale, all of it.", 'is_part': False}])
        file = self.env['ir.attachment'].search([('res_model', '=', 'dunning.hold'), ('res_id', '=', hold.id)])
        self.assertRecordValues(file, [{'name': 'broken.pdf', 'mimetype': 'application/pdf', 'raw': PDF}])
        self.assertEqual(hold.activity_ids.user_id, self.collector)
        self.assertIn("stale", hold.activity_ids.note)
        self.assertEqual(self.reason(self.old, self.today), 'hold')
        notice.invalidate_recordset()
        self.assertNotIn(self.old, notice.live_line_ids.move_id, "What waited to be sent waits for the answer")

    def test_a_part_of_an_invoice(self):
        self.post('dispute', self.dispute(amount='€ 1.00'))
        self.assertRecordValues(self.holds(), [{'is_part': True, 'amount': 1.0}])
        words = self.words(self.tree(self.get(lang='en')))
        self.assertIn("you do not agree with €1.00 of this", words)
        self.assertIn("To pay today €299.00", words)

    def test_a_repeated_dispute_is_known(self):
        for again in (False, True, True):
            response = self.post(
                'dispute', self.dispute(reason="Other words, the same invoice." if again else "Stale bread."))
            self.assertIn("We have this already" if again else "We have received it", response.text)
        self.assertEqual(len(self.holds()), 1)
        self.assertEqual(len(self.holds().activity_ids), 1)

    def test_a_dispute_that_was_settled_does_not_hold_again_by_itself(self):
        """Else whoever has the link stops reminders for ever."""
        self.post('dispute', self.dispute())
        hold = self.holds()
        hold.write({'dispute_right': 'us'})
        hold._close("We are right.")
        response = self.post('dispute', self.dispute(reason="I still do not agree."))
        self.assertIn("We gave you an answer about this invoice before", response.text)
        self.assertEqual(self.holds(), hold)
        self.assertIn("again", self.old.activity_ids.summary)
        self.assertIn("We have this already", self.post('dispute', self.dispute(reason="Again and again.")).text)

    def test_other_peoples_invoices_cannot_be_disputed(self):
        paid = self.invoice(self.consumer, self.today - days(9), 5.0)
        self.pay(paid)
        for invoice in (self.foreign.id, paid.id, '', '-1', '٣', 99999999999999999999):
            self.assertCorrect(
                self.post('dispute', self.dispute(invoice_id=invoice)), "Choose the invoice it is about", "stale")
        self.assertFalse(self.holds() | self.holds(self.stranger))

    def test_bad_input_is_told_and_kept(self):
        self.assertCorrect(
            self.post('dispute', self.dispute(category='nonsense')), "Choose what is wrong", "stale", self.old.id)
        self.assertCorrect(self.post('dispute', self.dispute(reason='  x ')), "Tell us in a few words", 'quality')
        for amount in ('-5', '1e9', '0', '9' * 30):
            self.assertCorrect(
                self.post('dispute', self.dispute(amount=amount)), "is not an amount we can read", "stale")
        self.assertFalse(self.holds())

    def test_script_in_a_reason_is_text(self):
        reason = f"{SCRIPT}<img src=x onerror=alert(1)> {{{{7*7}}}} <t t-out='object'/>"
        tree = self.assertCorrect(
            self.post('dispute', self.dispute(reason=reason, category='')), "Choose what is wrong")
        self.assertFalse(tree.xpath('//script[not(@src)] | //img[@onerror]'))
        self.assertEqual(tree.xpath('//textarea[@id="dispute-reason"]')[0].text, reason)
        self.post('dispute', self.dispute(reason=reason))
        hold = self.holds()
        self.assertEqual(hold.note, reason)
        note = html.fromstring(f'<div>{hold.activity_ids.note}</div>')
        self.assertFalse(note.xpath('//script | //img'))
        self.assertIn(SCRIPT, note.text_content())

    def test_files_are_judged_by_their_contents(self):
        for name, data in (
            ('page.pdf', b'<html><script>alert(1)</script></html>'), ('photo.png', b'MZ\x90\x00 program'),
            ('picture.svg', b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
            ('archive.pdf', b'PK\x03\x04' + b'x' * 50),
        ):
            self.assertCorrect(
                self.post('dispute', self.dispute(), files={'file': (name, data, 'application/pdf')}),
                "This kind of file cannot be added", "stale")
        self.assertCorrect(
            self.post('dispute', self.dispute(), files={'file': ('a.pdf', b'', 'application/pdf')}),
            "The file is empty")
        self.assertFalse(self.holds())
        self.post('dispute', self.dispute(), files={'file': (f'../../x/{SCRIPT}.exe', PNG, 'text/html')})
        file = self.env['ir.attachment'].search(
            [('res_model', '=', 'dunning.hold'), ('res_id', '=', self.holds().id)])
        self.assertEqual(file.mimetype, 'image/png')
        self.assertRegex(file.name, r'^[\w .,()+-]+\.png$')
        self.assertFalse(file.public)

    def test_a_huge_file_is_refused(self):
        huge = PDF + b'0' * MAX_FILE_BYTES
        self.assertCorrect(
            self.post('dispute', self.dispute(), files={'file': ('a.pdf', huge, 'application/pdf')}),
            "The file is larger than 10 MB", "stale")
        self.assertFalse(self.holds())

    # --- payments ---

    def test_says_that_he_paid(self):
        response = self.post('paid', self.paid(note="From NL00 TEST"))
        self.assertIn("Thank you, we have noted it", response.text)
        hold = self.holds()
        self.assertRecordValues(hold, [{
            'move_id': self.old.id, 'kind': 'internal', 'date_end': self.today + days(5), 'is_part': False,
            'user_id': self.collector.id}])
        self.assertIn("NL00 TEST", hold.activity_ids.note)
        self.assertIn("We are looking for your payment", self.words(self.tree(self.get(lang='en'))))
        self.assertIn("We have this already", self.post('paid', self.paid(amount='1')).text)
        self.assertEqual(self.holds(), hold)

    def test_a_payment_that_was_not_found_does_not_hold_again_by_itself(self):
        self.post('paid', self.paid())
        hold = self.holds()
        hold._close("Not found.")
        self.assertIn("We did not find this payment before", self.post('paid', self.paid(amount='239')).text)
        self.assertEqual(self.holds(), hold)

    def test_impossible_payments(self):
        for value in (self.today + days(1), '', 'yesterday', '31-02-2026', self.today - days(3000)):
            self.assertEqual(self.post('paid', self.paid(paid_date=value)).status_code, 422)
        for amount in ('', '-240'):
            self.assertEqual(self.post('paid', self.paid(amount=amount)).status_code, 422)
        self.assertFalse(self.holds())
        day = self.today - days(1)
        self.post('paid', self.paid(paid_date=f'{day.day}-{day.month}-{day.year}', amount='1.000,00'))
        self.assertRecordValues(self.holds(), [{'is_part': False}])

    # --- contact data ---

    def test_contact_data_are_passed_on_and_never_written(self):
        before = self.consumer.read(['name', 'email', 'phone', 'street'])
        response = self.post('contact', {
            'name': f"Petra {SCRIPT}", 'email': 'new@example.com', 'phone': '06 12345678',
            'address': "Dam 2\nAmsterdam"})
        self.assertIn("Thank you, we have received it", response.text)
        self.assertEqual(self.consumer.read(['name', 'email', 'phone', 'street']), before)
        activity = self.consumer.activity_ids
        self.assertEqual(activity.user_id, self.collector)
        self.assertIn("new@example.com", activity.note)
        self.assertNotIn('<script', activity.note)
        self.assertIn("Fill in at least one", self.post('contact').text)
        self.assertCorrect(
            self.post('contact', {'email': 'no address', 'name': "Petra"}), "not an e-mail address", "Petra")
        self.assertCorrect(self.post('contact', {'phone': 'call me'}), "not a telephone number")
        self.assertEqual(len(self.consumer.activity_ids), 1)

    # --- instalments ---

    def test_an_arrangement_within_the_limits_is_offered_at_once(self):
        tree = self.tree(self.get(lang='en'))
        self.assertEqual(tree.xpath('//input[@name="count"]/@value'), ['2', '3', 'other'])
        self.assertIn("3 × €100.00", self.words(tree))
        response = self.post('arrangement', {'count': '3'}, follow=False)
        deal = self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)])
        self.assertRecordValues(deal, [{
            'state': 'offered', 'amount_total': 300.0, 'user_id': self.collector.id, 'amount_costs': 0.0}])
        self.assertEqual(deal.instalment_ids.mapped('amount'), [100.0, 100.0, 100.0])
        self.assertEqual(deal.item_ids, self.items(self.old | self.new), "Not what is not due yet")
        self.assertEqual(response.status_code, 303)
        key = deal.sudo().access_token
        self.assertIn(f'/my/arrangements/{deal.id}?access_token={key}', response.headers['Location'])
        again = self.post('arrangement', {'count': '2'}, follow=False)
        self.assertEqual(again.headers['Location'], response.headers['Location'], "A double click is harmless")
        self.assertEqual(self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)]), deal)
        self.assertIn("Your payment arrangement", self.words(self.tree(self.get(lang='en'))))

    def test_what_is_on_offer_can_be_paid_at_once_and_is_not_asked_for(self):
        self.post('arrangement', {'count': '3'}, follow=False)
        deal = self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)])
        for move in self.old | self.new:
            self.assertEqual(self.reason(move, self.today), 'hold')
        words = self.words(self.tree(self.get(lang='en')))
        self.assertIn("To pay today €300.00", words)
        self.assertIn("We offered you a payment arrangement for this.", words)
        self.assertEqual(self.page._get_payable('due').amount, 300.0)
        deal._cancel("Rather at once.", 'by_debtor')
        self.assertEqual(self.reason(self.old, self.today), 'hold_ended')
        self.assertEqual(self.page._get_payable('due').amount, 300.0, "Also while we wait to ask for it")

    def test_what_can_be_paid_is_found_without_asking_about_all_debtors(self):
        Planner = type(self.env['dunning.planner'])
        self.receive(self.consumer, 20.0)
        with patch.object(Planner, '_get_statement') as ladder:
            self.assertEqual(self.page._get_payable('due').amount, 280.0)
        self.assertFalse(ladder.called)

    def test_offers_that_are_never_signed_put_nothing_off_for_ever(self):
        self.post('arrangement', {'count': '3'}, follow=False)
        deal = self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)])
        deal._close('cancelled', 'expired', "It was not signed.")
        self.assertFalse(self.page._get_offers(), "A person looks first")
        deal._recording().closed_on = self.today - days(91)
        self.assertTrue(self.page._get_offers())
        for _time in range(3):
            self.assertTrue(self.page._get_offers())
            self.page._register_arrangement({'count': '3'})
            self.page._get_arrangements()._cancel("Not this one.", 'by_debtor')
        self.assertFalse(self.page._get_offers())

    def test_limits_are_judged_by_the_server(self):
        for count in ('4', '1', '-3', ''):
            self.assertEqual(self.post('arrangement', {'count': count}).status_code, 422, count)
        self.company.dunning_page_offer_total = 299.99
        self.assertEqual(self.post('arrangement', {'count': '2'}).status_code, 422)
        self.company.dunning_page_offer_total = 300
        self.patch(dunning_page_proposal, 'OFFER_MINIMUM', 150)
        self.assertEqual([offer['count'] for offer in self.page._get_offers()], [2])
        self.assertEqual(self.post('arrangement', {'count': '3'}).status_code, 422)
        self.company.dunning_page_offer_total = 0
        self.assertEqual(self.post('arrangement', {'count': '2'}).status_code, 422)
        self.assertFalse(self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)]))

    def test_nothing_in_dispute_is_offered_at_once(self):
        self.post('dispute', self.dispute(amount='10'))
        self.assertFalse(self.page._get_offers())

    def test_another_proposal_goes_to_the_collector(self):
        values = {
            'count': 'other', 'amount': '25', 'first_date': self.today + days(20), 'note': f"No job {SCRIPT}"}
        response = self.post('arrangement', values)
        self.assertIn("Thank you for your proposal", response.text)
        deal = self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)])
        self.assertEqual(deal.state, 'draft')
        self.assertEqual(len(deal.instalment_ids), 12)
        self.assertEqual(deal.activity_ids.user_id, self.collector)
        self.assertIn("No job", deal.activity_ids.note)
        self.assertNotIn('<script', deal.activity_ids.note)
        self.assertNotIn(deal.name, self.get(lang='en').text, "A draft promises nothing")
        self.assertIn("We have this already", self.post('arrangement', values).text)
        self.assertEqual(len(self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)])), 1)
        for wrong in ({'amount': '-1'}, {'amount': ''}, {'first_date': ''}, {'first_date': self.today - days(1)},
                      {'first_date': self.today + days(400)}):
            self.assertCorrect(self.post('arrangement', values | wrong), "This was not sent yet", "No job")

    def test_a_proposal_that_cannot_be_drawn_up_reaches_somebody_all_the_same(self):
        self.post('arrangement', {'count': 'other', 'amount': '0,01', 'first_date': self.today + days(20)})
        self.assertFalse(self.env['dunning.arrangement'].search([('partner_id', '=', self.consumer.id)]))
        self.assertIn("instalments", self.consumer.activity_ids.summary)

    # --- the door itself ---

    def test_forms_of_other_pages_and_without_a_page(self):
        other = self.stranger._get_dunning_page(self.company)
        for form in ('dispute', 'paid', 'contact', 'arrangement', 'nonsense'):
            response = self.url_open(
                f'{other.access_url}/{form}',
                data={'csrf_token': self.get_csrf(), 'access_token': self.page.access_token, **self.dispute()})
            self.assertEqual(response.status_code, 404)
        self.assertFalse(self.holds() | self.holds(self.stranger))

    def test_a_form_without_our_page_keeps_what_was_typed(self):
        for csrf in ('wrong', 'x' * 5000, '1o1'):
            self.assertCorrect(
                self.post('dispute', self.dispute(), csrf=csrf), "This page was open for too long", "stale")
        self.assertFalse(self.holds())

    def test_what_we_cannot_do_is_said_in_words_for_a_debtor(self):
        refusal = "Set the frobnication under Configuration."

        def refuse(*args, **kwargs):
            raise UserError(refusal)

        self.patch(self.registry['dunning.hold'], 'create', refuse)
        tree = self.assertCorrect(self.post('dispute', self.dispute()), "Please call us or write to us", "stale")
        self.assertNotIn("Configuration", self.words(tree))
        self.assertFalse(self.page.request_ids, "It can be sent again")

    def test_a_flood_is_stopped(self):
        for number in range(REQUESTS_PER_DAY):
            self.assertIn("Thank you", self.post('contact', {'email': f'a{number}@example.com'}).text)
        response = self.post('contact', {'email': 'last@example.com'})
        self.assertEqual(response.status_code, 429)
        self.assertIn("You have sent a lot today", response.text)
        self.assertIn('last@example.com', response.text)
        self.assertEqual(self.post('dispute', self.dispute()).status_code, 429)
        self.assertFalse(self.holds())
        self.assertEqual(len(self.page.request_ids), REQUESTS_PER_DAY)

    def test_what_was_sent_is_in_the_export(self):
        self.post('contact', {'email': 'new@example.com'})
        rows = self.consumer.with_company(self.company).get_dunning_personal_data()
        self.assertTrue([row for row in rows if 'new@example.com' in row['text']])

    def test_amounts_and_texts_as_people_write_them(self):
        for text, amount in (
            ('75', 75), ('75,5', 75.5), ('75.50', 75.5), ('€ 1.234,56', 1234.56), ('1,234.56', 1234.56),
            ('1.000', 1000), ('1 000,00', 1000), ('EUR 12', 12), ('0', None), ('', None), ('-1', None), ('1-', None),
            ('1,2,3', None), ('12,345,6', None), ('NaN', None), ('inf', None), ('１２', None), ('1e3', None),
        ):
            self.assertEqual(parse_amount(text), amount, text)
        self.assertEqual(clean_text('a\x00b\u202ec\r\nd ', 10), 'a b c\nd')
        self.assertEqual(clean_text('x' * 9000), 'x' * 2000)


AXE = os.environ.get('AXE_CORE')
CHECK = """
(async () => {
    document.querySelectorAll('details').forEach((details) => (details.open = true));
    const found = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']});
    const width = document.documentElement.scrollWidth;
    const nodes = [...document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')];
    const small = nodes.filter((node) => {
        const box = node.getBoundingClientRect();
        return box.width && box.height < 24 && !node.closest('p, li, td, dd, .skip') && !node.matches('.skip');
    });
    const said = found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(' | ')}`);
    if (width > innerWidth) said.push(`wider than the screen: ${width} > ${innerWidth}`);
    said.push(...small.map((node) => `too small to touch: ${node.outerHTML}`));
    if (said.length) console.error(said.join('\\n'));
    else console.log('test successful');
})();
"""

COPY = """
(async () => {
    const copied = [];
    Object.defineProperty(navigator.clipboard, 'writeText', {value: async (text) => copied.push(text)});
    const texts = [...document.querySelectorAll('.bank dd .copy')].map((node) => node.innerText);
    document.querySelectorAll('.copy-button').forEach((button) => button.click());
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [sum, ...others] = texts;
    const expected = [sum.replace(/[^0-9,]/g, ''), ...others];
    const heard = document.getElementById('copied').textContent;
    if (texts.length < 3 || JSON.stringify(copied) !== JSON.stringify(expected) || !heard) {
        console.error(JSON.stringify([texts, copied, heard]));
    } else console.log('test successful');
})();
"""


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPortalAccessibility(PortalCase):
    """Everybody can use the page: axe-core finds nothing against WCAG 2.1 AA, on a telephone and on a desk."""

    browser_size = '390x844'

    def check(self, path):
        if not AXE:
            self.skipTest("axe-core is not here (AXE_CORE)")
        with open(AXE, encoding='utf-8') as script:
            self.browser_js(path, f'{script.read()};\n{CHECK}', timeout=90)

    def _make_scene(self):
        """Everything there is to see: letters, a dispute, an arrangement that runs, amounts with a story."""
        notice = self.send(self.make_notices(self.today).filtered(
            lambda notice: notice.partner_id == self.consumer), self.today)
        notice._recording().letter_file = base64.b64encode(PDF)
        self.env['dunning.hold'].create({
            'move_id': self.new.id, 'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id, 'amount': 10,
            'date_end': self.today + days(3), 'user_id': self.collector.id})

    def test_the_page_with_everything_open(self):
        self._make_scene()
        self.check(f'{self.page.get_portal_url()}&lang=en&done=dispute')

    def test_the_page_in_dutch_on_a_desk(self):
        self.browser_size = '1366x900'
        self.check(self.page.get_portal_url())

    def test_the_page_with_an_offer(self):
        self.page._register_arrangement({'count': '2'})
        self.check(f'{self.page.get_portal_url()}&lang=en')

    def test_what_is_copied(self):
        """A bank takes an amount without a currency, and account and reference as they are written."""
        self.browser_js(f'{self.page.get_portal_url()}&lang=nl', COPY, timeout=60)

    def test_nothing_is_here(self):
        self.check(f'{self.page.access_url}?access_token=wrong')

    def test_what_is_wrong_in_a_form(self):
        """The sentence about a field is tied to it, for who does not see the page."""
        tree = self.tree(self.post('paid', {'invoice_id': self.old.id, 'paid_date': '', 'amount': '1'}), 422)
        field = tree.xpath('//input[@name="paid_date"]')[0]
        self.assertEqual(field.get('aria-invalid'), 'true')
        described = field.get('aria-describedby').split()
        self.assertIn("On which day did you pay?", tree.get_element_by_id(described[0]).text_content())
        self.assertTrue(tree.xpath('//details[@id="paid"]/@open'), "The form is open")
        self.assertEqual(tree.xpath('//div[@role="alert"]//a/@href'), [f'#{field.get("id")}'])
