from unittest import SkipTest
from unittest.mock import patch
from urllib.parse import urlsplit

from lxml import html

from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from ...models.agreement.dunning_arrangement_page import make_reference
from ..agreement.test_arrangement_sign import SignCommon, draw_signature
from ..common import days


def publish_demo_provider(cls):
    """Let debtors of ``cls.company`` pay with Odoo's provider for trying, as ``cls.provider`` and ``cls.method``."""
    method = cls.env.ref('payment_demo.payment_method_demo', raise_if_not_found=False)
    if not method:
        raise SkipTest("Odoo's provider for trying (payment_demo) is not installed")
    cls.method = method.sudo()
    cls.env['ir.config_parameter'].sudo().set_param('account_payment.enable_portal_payment', 'True')
    demo = cls.env.ref('payment.payment_provider_demo').sudo()
    cls.provider = demo.copy({'company_id': cls.company.id, 'state': 'test', 'is_published': True})
    cls.method.active = True
    cls.provider.payment_method_ids |= cls.method


class PaymentCommon(SignCommon):
    """A running arrangement of three instalments of 100, and Odoo's provider for trying."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        publish_demo_provider(cls)
        cls.arrangement = cls.offer()
        cls.arrangement._sign(
            "Jan Jansen", draw_signature(), via='portal', sha256=cls.arrangement.offer_sha256, ip='127.0.0.1')
        cls.arrangement.with_user(cls.manager).action_countersign()
        cls.parts = cls.arrangement.instalment_ids.sorted('sequence')
        cls.page = cls.business._get_dunning_page(cls.company)

    # --- as a browser does ---

    def get_form(self, url):
        """Return what Odoo's payment form on a page sends, or None where there is no form."""
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200, url)
        page = html.fromstring(response.content)
        form = page.xpath("//form[@id='o_payment_form']")
        return dict(form[0].attrib) if form else None

    def begin(self, url, form=None, **changes):
        """Press “Pay” on a page; return the transaction."""
        form = form or self.get_form(url)
        answer = self.make_jsonrpc_request(form['data-transaction-route'], {
            'provider_id': self.provider.id,
            'payment_method_id': self.method.id,
            'token_id': None,
            'amount': float(form['data-amount']),
            'flow': 'direct',
            'tokenization_requested': False,
            'landing_route': form['data-landing-route'],
            'is_validation': False,
            'access_token': form.get('data-access-token'),
            'csrf_token': 'x',
            **changes,
        })
        return self.env['payment.transaction'].sudo().search([('reference', '=', answer['reference'])])

    def finish(self, transaction, state='done'):
        """The demo provider says what became of it, and the page asks Odoo to book it; return the last page."""
        self.make_jsonrpc_request('/payment/demo/simulate_payment', {
            'reference': transaction.reference, 'payment_details': '1234', 'simulated_state': state})
        answer = self.make_jsonrpc_request('/payment/status/poll', {})
        self.env.invalidate_all()
        response = self.url_open(answer['landing_route'])
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.content)

    def pay_online(self, url, state='done'):
        transaction = self.begin(url)
        return transaction, self.finish(transaction, state)

    def link_page(self, suffix='/pay', query=''):
        url = f'/my/debt/{self.page.id}{suffix}?access_token={self.page.access_token}'
        return f'{url}&{query}' if query else url

    def assertRefused(self, call, part=''):
        before = self.env['payment.transaction'].sudo().search([]).ids
        with mute_logger('odoo.http'), self.assertRaises(JsonRpcException):
            call()
        self.assertEqual(self.env['payment.transaction'].sudo().search([]).ids, before, part)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPortalPayment(PaymentCommon):
    """What a debtor pays online is what he owes at that moment, and the ledger knows it at once."""

    # --- paying ---

    def test_two_instalments(self):
        """Pay two instalments for real: the ledger is reconciled, the oldest invoice first."""
        transaction, page = self.pay_online(self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        self.assertRecordValues(transaction, [{
            'state': 'done', 'amount': 100.0, 'is_post_processed': True, 'partner_id': self.business.id,
            'dunning_arrangement_id': self.arrangement.id, 'dunning_instalment_id': self.parts[0].id}])
        self.assertEqual(transaction.reference, f'{make_reference(self.arrangement.name)}-1')
        self.assertEqual(transaction.invoice_ids, self.first | self.second)
        self.assertEqual((self.first | self.second).mapped('amount_residual'), [100.0, 100.0])
        # The page says thanks, and what is left.
        self.assertIn('200,00', self.words(page))
        self.assertEqual(self.parts.mapped('state')[0], 'paid')
        self.assertEqual(self.arrangement.amount_left, 200.0)
        transaction, page = self.pay_online(self.link(self.arrangement, f'/pay/{self.parts[1].id}'))
        self.assertEqual(self.parts.mapped('state')[:2], ['paid', 'paid'])
        self.assertEqual(self.parts.mapped('amount_left'), [0.0, 0.0, 100.0])
        self.assertEqual(self.arrangement.state, 'active')
        self.assertEqual((self.first | self.second).mapped('amount_residual'), [0.0, 100.0])
        self.assertEqual(transaction.payment_id.partner_id, self.business)
        self.assertTrue(self.items(self.first).reconciled)

    def test_day(self):
        """Who pays at half past twelve at night in Amsterdam pays on that day, though it is still yesterday in UTC."""
        for part, (moment, day) in zip(self.parts, (
            ('2026-11-29 23:30:00', '2026-11-30'), ('2026-06-29 22:30:00', '2026-06-30'),
            ('2026-11-29 22:30:00', '2026-11-29'),
        ), strict=True):
            with self.subTest(moment=moment):
                transaction = self.begin(self.link(self.arrangement, f'/pay/{part.id}', 'again=1'))
                transaction.last_state_change = moment
                self.assertEqual(str(transaction._create_payment().date), day)

    def test_everything(self):
        transaction, _page = self.pay_online(self.link(self.arrangement, '/pay', 'what=all'))
        self.assertEqual(transaction.amount, 300.0)
        self.assertEqual((self.first | self.second).mapped('amount_residual'), [0.0, 0.0])
        self.assertEqual(self.arrangement.state, 'kept')
        self.assertFalse(self.arrangement._get_payable('all'))
        self.assertIsNone(self.get_form(self.link(self.arrangement, '/pay', 'what=all')))

    def test_link_for_mails(self):
        url = urlsplit(self.arrangement._get_pay_url(self.parts[0]))
        self.assertEqual(f'{url.path}?{url.query}', self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        self.assertEqual(float(self.get_form(f'{url.path}?{url.query}')['data-amount']), 100.0)

    def test_outcomes(self):
        """Pending, cancelled and failed are said in plain words; nothing is booked."""
        for state, kind in (('pending', 'note'), ('cancel', 'bad'), ('error', 'bad')):
            with self.subTest(state=state):
                url = self.link(self.arrangement, f'/pay/{self.parts[0].id}', 'again=1')
                transaction, page = self.pay_online(url, state)
                self.assertTrue(page.xpath(f"//*[contains(@class, 'o_dunning_message {kind}')]"), self.words(page))
                self.assertFalse(transaction.payment_id)
                self.assertEqual((self.first | self.second).mapped('amount_residual'), [200.0, 100.0])

    def test_outcome_is_not_for_others(self):
        transaction = self.begin(self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        other = self.offer(self.invoice(self.make_debtor("Ander BV"), due=self.today - days(20), amount=70.0))
        for url in (
            self.link(other, f'/payment/{transaction.id}'),
            self.link_page(f'/payment/{transaction.id}'),
            self.link(self.arrangement, '/payment/99999999'),
            f'/my/arrangements/{self.arrangement.id}/payment/{transaction.id}',
        ):
            self.assertEqual(self.url_open(url).status_code, 404, url)

    # --- nothing a browser sends counts ---

    def test_amount_is_not_the_browsers(self):
        url = self.link(self.arrangement, f'/pay/{self.parts[0].id}')
        form = self.get_form(url)
        for amount in (1.0, 0.01, 99.99, 100.01, -100.0, 0, None, 'x', 1e300, 'nan', 'inf', [100]):
            with self.subTest(amount=amount):
                self.assertRefused(lambda amount=amount: self.begin(url, form, amount=amount), amount)
        transaction = self.begin(url, form)
        self.assertEqual(transaction.amount, 100.0)

    def test_nothing_else_is_the_browsers(self):
        """Another invoice, person, company, provider or way of booking that a browser names is not taken."""
        url = self.link(self.arrangement, f'/pay/{self.parts[0].id}')
        form = self.get_form(url)
        stranger = self.make_debtor("Vreemd BV")
        theirs = self.invoice(stranger, due=self.today - days(20), amount=100.0)
        transaction = self.begin(
            url, form, invoice_ids=[theirs.id], partner_id=stranger.id, currency_id=1, is_validation=True,
            tokenization_requested=True, landing_route='https://evil.example.com', reference_prefix='EVIL',
            custom_create_values={'amount': 1}, sale_order_id=1)
        self.assertRecordValues(transaction, [{
            'partner_id': self.business.id, 'operation': 'online_direct', 'tokenize': False,
            'currency_id': self.company.currency_id.id, 'amount': 100.0}])
        self.assertEqual(transaction.invoice_ids, self.first | self.second)
        self.assertNotIn('evil', transaction.landing_route)
        self.assertNotIn('EVIL', transaction.reference)
        transaction._set_canceled()
        other_company = self.setup_other_company()['company']
        elsewhere = self.provider.copy({
            'name': "Elsewhere", 'company_id': other_company.id, 'state': 'test', 'is_published': True})
        hidden = self.provider.copy({'name': "Hidden", 'is_published': False, 'state': 'test'})
        disabled = self.provider.copy({'name': "Disabled", 'state': 'disabled'})
        for provider in (elsewhere, hidden, disabled):
            self.assertRefused(lambda provider=provider: self.begin(url, form, provider_id=provider.id))
        other_method = self.env['payment.method'].sudo().create({'name': "Other", 'code': 'other_x', 'active': True})
        for changes in (
            {'flow': 'token', 'token_id': 1}, {'flow': 'offline'}, {'flow': None},
            {'payment_method_id': other_method.id}, {'payment_method_id': None}, {'provider_id': 'x'},
        ):
            self.assertRefused(lambda changes=changes: self.begin(url, form, **changes), str(changes))

    def test_token_of_another(self):
        other = self.offer(self.invoice(self.make_debtor("Ander BV"), due=self.today - days(20), amount=70.0))
        form = self.get_form(self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        for token in (other.sudo().access_token, '', 'x'):
            route = (
                f'/my/arrangements/{self.arrangement.id}/pay/{self.parts[0].id}/transaction?access_token={token}')
            self.assertRefused(lambda route=route: self.begin(None, {**form, 'data-transaction-route': route}))
        # An instalment of another arrangement is none of this one.
        theirs = other.instalment_ids[0]
        self.assertEqual(self.url_open(self.link(self.arrangement, f'/pay/{theirs.id}')).status_code, 404)
        route = self.link(self.arrangement, f'/pay/{theirs.id}/transaction')
        self.assertRefused(lambda: self.begin(None, {**form, 'data-transaction-route': route}))

    def test_form_older_than_the_ledger(self):
        """Money came in since the page was opened: the sentence says what is to be paid now."""
        url = self.link(self.arrangement, '/pay', 'what=all')
        form = self.get_form(url)
        self.pay(self.first, 50.0, on=self.today)
        self.assertRefused(lambda: self.begin(url, form))
        self.pay(self.first, on=self.today)
        self.pay(self.second, on=self.today)
        self.assertRefused(lambda: self.begin(url, form))

    def test_looking_begins_nothing(self):
        before = self.env['payment.transaction'].sudo().search_count([])
        stamp = self.page.payment_begun_on
        for url in (
            self.link(self.arrangement, '/pay'), self.link(self.arrangement, f'/pay/{self.parts[0].id}'),
            self.link(self.arrangement, '/pay', 'what=all&again=1'), self.link_page(), self.link_page(query='what=all'),
        ):
            self.url_open(url)
        self.env.invalidate_all()
        self.assertEqual(self.env['payment.transaction'].sudo().search_count([]), before)
        self.assertEqual(self.page.payment_begun_on, stamp)

    # --- twice ---

    def test_two_at_once(self):
        """Who pays while another payment runs is warned, and can go on when he means it."""
        url = self.link(self.arrangement, f'/pay/{self.parts[0].id}')
        second_tab = self.get_form(url)
        transaction = self.begin(url)
        for state in ('draft', 'pending'):
            if state == 'pending':
                transaction._set_pending()
            self.assertIsNone(self.get_form(url), "The page warns before it shows the form")
            self.assertRefused(lambda: self.begin(url, second_tab), state)
        # Core's own door to an invoice of it counts as well.
        self.assertRefused(lambda: self.begin(self.link(self.arrangement, '/pay'), second_tab))
        again = self.begin(f'{url}&again=1')
        self.assertEqual(again.amount, 100.0)
        self.assertEqual(again.reference, f'{transaction.reference}-1')

    def test_running_payment_is_a_gate(self):
        """While an online payment runs, nothing about its invoices leaves."""
        other = self.invoice(self.make_debtor("Ander BV"), due=self.today - days(30), amount=70.0)
        page = other.commercial_partner_id._get_dunning_page(self.company)
        url = f'/my/debt/{page.id}/pay?access_token={page.access_token}'
        transaction = self.begin(url)
        transaction._set_pending()
        self.env.flush_all()
        self.assertEqual(self.reason(other, self.today), 'transaction_pending')

    def test_booked_later(self):
        """Confirmed and not booked yet: the page says so, and nobody pays twice meanwhile."""
        url = self.link(self.arrangement, f'/pay/{self.parts[0].id}')
        transaction = self.begin(url)
        transaction._set_done()
        page = html.fromstring(self.url_open(transaction.landing_route).content)
        self.assertTrue(page.xpath("//*[contains(@class, 'o_dunning_message good')]"))
        self.assertIsNone(self.get_form(url))
        transaction._post_process()
        self.env.invalidate_all()
        self.assertEqual(self.first.amount_residual, 100.0)

    # --- what can be paid ---

    def test_not_before_both_signed(self):
        debtor = self.make_debtor("Ander BV")
        arrangement = self.offer(self.invoice(debtor, due=self.today - days(20), amount=90.0))
        part = arrangement.instalment_ids[0]
        # What is offered is signed first: the link leads there.
        response = self.url_open(self.link(arrangement, f'/pay/{part.id}'))
        self.assertEqual(urlsplit(response.url).path, f'/my/arrangements/{arrangement.id}')
        form = self.get_form(self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        route = self.link(arrangement, f'/pay/{part.id}/transaction')
        self.assertRefused(lambda: self.begin(
            None, {**form, 'data-transaction-route': route, 'data-amount': str(part.amount)}))

    def test_never_more_than_is_open(self):
        """Credited meanwhile: what is asked is not more than what is open."""
        credit = self.credit_note(amount=250.0, on=self.today)
        (self.items(self.first | self.second) | self.items(credit)).reconcile()
        payable = self.arrangement._get_payable('all')
        self.assertEqual(payable.amount, 50.0)

    def test_broken(self):
        """When it was not kept, everything that is open can be paid on the same link."""
        self.arrangement._close('broken', 'missed', "An instalment was missed.")
        form = self.get_form(self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        self.assertEqual(float(form['data-amount']), 300.0)

    def test_bank_transfer_needs_no_script(self):
        bank = self.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id, 'allow_out_payment': True})
        (self.first | self.second).partner_bank_id = bank
        page = html.fromstring(self.url_open(self.link(self.arrangement, f'/pay/{self.parts[0].id}')).content)
        words = self.words(page).replace('\xa0', ' ')
        self.assertIn('NL91 ABNA 0417 1643 00', words)
        self.assertIn(self.arrangement.name, words)
        self.assertTrue(page.xpath("//img[starts-with(@src, 'data:image/png')]"))
        self.assertTrue(page.xpath('//noscript'))

    # --- the debtor's page ---

    def test_page_pays_what_is_due(self):
        debtor = self.make_debtor("Ander BV")
        one = self.invoice(debtor, due=self.today - days(30), amount=70.0)
        two = self.invoice(debtor, due=self.today - days(20), amount=30.0)
        later = self.invoice(debtor, due=self.today + days(20), amount=55.0)
        page = debtor._get_dunning_page(self.company)
        url = f'/my/debt/{page.id}/pay?access_token={page.access_token}'
        self.assertEqual(float(self.get_form(f'{url}&what=all')['data-amount']), 155.0)
        transaction, answer = self.pay_online(url)
        self.assertEqual(transaction.amount, 100.0)
        self.assertEqual(transaction.dunning_page_id, page)
        self.assertEqual((one | two | later).mapped('amount_residual'), [0.0, 0.0, 55.0])
        self.assertIn('100,00', self.words(answer))
        self.assertIsNone(self.get_form(url))

    def test_the_button_of_a_letter_pays_what_it_asks(self):
        """Whoever presses it is asked that sum, also when more is due since."""
        debtor = self.make_debtor("Ander BV")
        asked = self.invoice(debtor, due=self.today - days(30), amount=70.0)
        notice = self.make_notices(self.today).filtered(lambda notice: notice.partner_id == debtor)
        notice = self.send(notice, self.today)
        later = self.invoice(debtor, due=self.today - days(1), amount=40.0)
        url, pay_url = notice._get_page_urls()[notice.id]
        self.assertIn('/pay?', pay_url)
        self.assertNotIn('/pay?', url)
        self.assertEqual(debtor._get_dunning_page(self.company)._get_payable('due').amount, 110.0)
        transaction, _answer = self.pay_online(urlsplit(pay_url)._replace(scheme='', netloc='').geturl())
        self.assertEqual(transaction.amount, notice.amount_due)
        self.assertEqual((asked | later).mapped('amount_residual'), [0.0, 40.0])

    def test_page_pays_one_invoice(self):
        debtor = self.make_debtor("Ander BV")
        self.invoice(debtor, due=self.today - days(30), amount=70.0)
        two = self.invoice(debtor, due=self.today - days(20), amount=30.0)
        page = debtor._get_dunning_page(self.company)
        url = f'/my/debt/{page.id}/pay?access_token={page.access_token}&invoice_id={two.id}'
        transaction, _answer = self.pay_online(url)
        self.assertEqual(transaction.amount, 30.0)
        self.assertEqual(transaction.invoice_ids, two)
        self.assertEqual(transaction.reference, make_reference(two.name))
        self.assertEqual(two.amount_residual, 0.0)

    def test_page_is_about_its_debtor(self):
        stranger = self.make_debtor("Vreemd BV")
        theirs = self.invoice(stranger, due=self.today - days(20), amount=100.0)
        their_page = stranger._get_dunning_page(self.company)
        for query in (f'invoice_id={theirs.id}', 'invoice_id=99999999', 'invoice_id=x', 'invoice_id=-1',
                      f'invoice_id={self.first.id}%20or%201=1'):
            self.assertEqual(self.url_open(self.link_page(query=query)).status_code, 404, query)
        for url in (
            f'/my/debt/{self.page.id}/pay?access_token={their_page.access_token}',
            f'/my/debt/{self.page.id}/pay', f'/my/debt/99999/pay?access_token={self.page.access_token}',
        ):
            self.assertEqual(self.url_open(url).status_code, 404, url)
        form = self.get_form(f'/my/debt/{their_page.id}/pay?access_token={their_page.access_token}')
        for route in (
            self.link_page('/pay/transaction', f'invoice_id={theirs.id}'),
            f'/my/debt/{their_page.id}/pay/transaction?access_token={self.page.access_token}',
        ):
            self.assertRefused(lambda route=route: self.begin(None, {**form, 'data-transaction-route': route}))

    def test_page_leaves_out_what_is_disputed_or_arranged(self):
        self.assertIsNone(self.page._get_payable('due'))
        self.assertIsNone(self.page._get_payable('all'))
        # By its own button an invoice can always be paid.
        self.assertEqual(self.page._get_payable('due', self.first).amount, 200.0)

    # --- references ---

    def test_reference(self):
        for text, expected in (
            ('BR2026-0001', 'BR2026-0001'), ('INV/2026/00001', 'INV-2026-00001'), ('Réf. 1 €', 'R-f-1'), ('', ''),
            ('--a--', 'a'), (None, ''),
        ):
            self.assertEqual(make_reference(text), expected)

    def test_two_begin_at_the_same_moment(self):
        """Both go through one row: who waited starts again and finds the payment of the other."""
        calls = []
        original = self.registry['dunning.page']._lock_to_pay

        def lock(page):
            calls.append(page.id)
            return original(page)

        with patch.object(self.registry['dunning.page'], '_lock_to_pay', lock):
            self.begin(self.link(self.arrangement, f'/pay/{self.parts[0].id}'))
        self.assertEqual(calls, [self.page.id])
        self.page.invalidate_recordset()
        self.assertTrue(self.page.payment_begun_on)
