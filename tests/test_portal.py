"""The debtor's page: what it shows, to whom, and what can be done there, by friends and by others."""

import base64
import re
from datetime import timedelta
from unittest.mock import patch

from lxml import html

from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.dunning_page_request import MAX_FILE_BYTES, REQUESTS_PER_DAY, clean_text, parse_amount
from .common import DunningCommon, days

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

    def post(self, form, values=None, *, page=None, token=None, files=None, csrf=None, notice=None, follow=True):
        """Send a form as a browser does that opened the page first; return the answer."""
        page = page or self.page
        token = page.access_token if token is None else token
        if csrf is None:
            opened = self.get(page, token)
            found = re.search(r'name="csrf_token" value="([^"]+)"', opened.text)
            csrf = found.group(1) if found else ''
        data = {'csrf_token': csrf, 'access_token': token, 'lang': 'en', **(values or {})}
        if notice:
            data |= {'notice': notice.id, 'key': page._sign_notice(notice)}
        return self.url_open(
            f'{page.access_url}/{form}', data=data, files=files, allow_redirects=follow, timeout=30)

    def holds(self, partner=None):
        return self.env['dunning.hold'].search([('partner_id', '=', (partner or self.consumer).id)])


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPortalPage(PortalCase):

    def test_what_is_owed(self):
        response = self.get(lang='en')
        tree = self.tree(response)
        words = self.words(tree)
        self.assertIn("€300.00", words)
        self.assertIn(self.old.name, words)
        self.assertIn(self.later.name, words)
        self.assertNotIn("999", words)
