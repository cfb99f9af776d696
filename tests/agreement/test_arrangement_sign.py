import base64
import hashlib
import io
from unittest.mock import patch

from lxml import html
from PIL import Image, ImageDraw

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ...models.agreement.dunning_arrangement_signing import NotSigned
from ..common import DunningCommon, days

OFFER = b'%PDF-1.4 the offer'


def draw_signature(width=420, height=140, ink=(0, 0, 90, 255)):
    """Return a picture as the signature pad of the page makes it: PNG, base64."""
    image = Image.new('RGBA', (width, height), (255, 255, 255, 0))
    ImageDraw.Draw(image).line([(20, 100), (90, 30), (160, 110), (380, 60)], fill=ink, width=4)
    return encode(image)


def encode(image, kind='PNG'):
    stream = io.BytesIO()
    image.save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


class SignCommon(DunningCommon, HttpCase):
    """A debtor with two overdue invoices, and an offer to pay them in three instalments."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # requests know no other day
        cls.first = cls.invoice(due=cls.today - days(40), amount=200.0)
        cls.second = cls.invoice(due=cls.today - days(10), amount=100.0)
        user = {'company_id': cls.company.id, 'company_ids': [(6, 0, cls.company.ids)]}
        cls.collector = new_test_user(
            cls.env, 'sign_collector', groups='base.group_user,account.group_account_invoice', **user)
        cls.manager = new_test_user(
            cls.env, 'sign_manager', groups='base.group_user,account.group_account_manager', **user)
        cls.classPatch(cls.registry['dunning.arrangement'], '_store_offer', cls.store_offer)
        for name in ('_send_offer', '_store_agreement', '_send_agreement'):
            cls.classPatch(cls.registry['dunning.arrangement'], name, lambda self, *args, **kwargs: None)

    @staticmethod
    def store_offer(arrangement):
        """Stand in for the real document, which takes seconds; see test_arrangement_document."""
        for one in arrangement:
            content = OFFER + b' of arrangement %d' % one.id
            attachment = one.env['ir.attachment'].sudo().create({
                'name': f'{one.name}.pdf', 'raw': content, 'mimetype': 'application/pdf', 'res_model': one._name,
                'res_id': one.id})
            one._recording().write({
                'offer_attachment_id': attachment.id, 'offer_sha256': hashlib.sha256(content).hexdigest()})

    @classmethod
    def offer(cls, moves=None, partner=None, **terms):
        """Return an arrangement about invoices, offered today."""
        moves = moves if moves is not None else cls.first | cls.second
        arrangement = cls.env['dunning.arrangement']._make(
            cls.company, partner or moves.commercial_partner_id, cls.items(moves), {
                'instalment_count': 3, 'with_interest': False, 'with_costs': False,
                'date_first': cls.today + days(7), **terms},
            user=cls.collector)
        arrangement.action_offer()
        return arrangement

    def link(self, arrangement, suffix='', query=''):
        url = f'/my/arrangements/{arrangement.id}{suffix}?access_token={arrangement.sudo().access_token}'
        return f'{url}&{query}' if query else url

    def open(self, url, **kwargs):
        """Return a response and its page; nobody is signed in unless the test did that."""
        response = self.url_open(url, **kwargs)
        return response, html.fromstring(response.content or b'<html/>')

    def words(self, page):
        return ' '.join(page.text_content().split())

    def send_form(self, arrangement, suffix, *, csrf=None, **values):
        """Send a form of the page as a browser without scripts does."""
        _response, page = self.open(self.link(arrangement))
        fields = {field.get('name'): field.get('value') for field in page.xpath(
            f"//form[contains(@action, '{suffix}')]//input[@type='hidden']")}
        token = fields.get('csrf_token') or page.xpath("//input[@name='csrf_token']/@value")[:1] or ['']
        values = {'csrf_token': token if isinstance(token, str) else token[0], **fields, **values}
        if csrf is not None:
            values['csrf_token'] = csrf
        return self.open(self.link(arrangement, suffix), data=values)

    def draw(self, arrangement, name="Jan Jansen", signature=None, sha256=None, token=None):
        """Sign as Odoo's signature form on the page does; return its answer."""
        url = (
            f'/my/arrangements/{arrangement.id}/sign?access_token={token or arrangement.sudo().access_token}'
            f'&sha256={arrangement.offer_sha256 if sha256 is None else sha256}')
        answer = self.make_jsonrpc_request(url, {'name': name, 'signature': signature or draw_signature()})
        arrangement.invalidate_recordset()
        return answer

    def snapshot(self, arrangement):
        arrangement.invalidate_recordset()
        return arrangement.read([
            'state', 'signed_name', 'signed_on', 'signed_ip', 'signed_how', 'close_code', 'write_date',
            'activity_ids', 'message_ids'])[0]


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementSign(SignCommon):
    """The debtor signs what he read, once, and nobody else does it for him."""

    # --- reading ---

    def test_page_says_what_is_agreed(self):
        arrangement = self.offer()
        arrangement.sudo()._recording().document_data = {'clauses': ["<p>Met uw handtekening erkent u de schuld.</p>"]}
        response, page = self.open(self.link(arrangement))
        self.assertEqual(response.status_code, 200)
        words = self.words(page)
        self.assertIn(arrangement.name, words)
        self.assertIn("Met uw handtekening erkent u de schuld.", words, "What one reads is the document that one signs")
        self.assertIn('300,00', words)
        self.assertIn(self.first.name, words)
        self.assertEqual(page.get('lang'), 'nl-NL')
        self.assertTrue(page.xpath("//owl-component[@name='portal.signature_form']"))
        self.assertTrue(page.xpath("//input[@name='agreed'][@type='checkbox']"))
        self.assertEqual(response.headers['Cache-Control'], 'no-store, private, max-age=0')
        self.assertEqual(response.headers['Referrer-Policy'], 'no-referrer')
        pdf = self.url_open(self.link(arrangement, '/pdf'))
        self.assertEqual(pdf.headers['Content-Type'], 'application/pdf')
        self.assertEqual(hashlib.sha256(pdf.content).hexdigest(), arrangement.offer_sha256)

    def test_english(self):
        self.business.lang = 'en_US'
        arrangement = self.offer()
        _response, page = self.open(self.link(arrangement))
        self.assertEqual(page.get('lang'), 'en-US')
        self.assertIn("Read the arrangement and sign it no later than", self.words(page))
        # Odoo's own page about a payment comes in the same language.
        self.assertEqual(self.opener.cookies['frontend_lang'], 'en_US')
        self.business.lang = 'nl_NL'
        other = self.offer(self.invoice(due=self.today - days(5)))
        self.open(self.link(other))
        self.assertEqual(self.opener.cookies['frontend_lang'], 'nl_NL')

    def test_looking_changes_nothing(self):
        """Programs that check e-mail open every link."""
        arrangement = self.offer()
        before = self.snapshot(arrangement)
        for suffix in ('', '/pdf', '/pay', f'/pay/{arrangement.instalment_ids[0].id}'):
            self.url_open(self.link(arrangement, suffix))
        for suffix in ('/sign', '/sign/typed', '/decline', '/pay/transaction'):
            with mute_logger('odoo.http'):
                response = self.url_open(self.link(
                    arrangement, suffix, f'name=Jan+Jansen&agreed=1&sha256={arrangement.offer_sha256}'))
            self.assertIn(response.status_code, (404, 405), suffix)
        self.assertEqual(self.snapshot(arrangement), before)

    def test_others_see_nothing(self):
        """The token of one arrangement opens no other; whatever is wrong looks the same."""
        arrangement = self.offer()
        other_debtor = self.make_debtor("Slagerij Vroeg BV")
        other = self.offer(self.invoice(other_debtor, due=self.today - days(20), amount=80.0))
        draft = self.env['dunning.arrangement']._make(
            self.company, other_debtor, self.items(self.invoice(other_debtor, due=self.today - days(20))), {})
        draft._portal_ensure_token()
        pages = set()
        for url in (
            f'/my/arrangements/{arrangement.id}?access_token={other.sudo().access_token}',
            f'/my/arrangements/{arrangement.id}',
            f'/my/arrangements/{arrangement.id}?access_token=',
            f'/my/arrangements/{arrangement.id}?access_token={arrangement.sudo().access_token[:-1]}',
            f'/my/arrangements/99999999?access_token={arrangement.sudo().access_token}',
            f'/my/arrangements/{draft.id}?access_token={draft.sudo().access_token}',
            f'/my/arrangements/{arrangement.id}/pdf?access_token={other.sudo().access_token}',
            f'/my/arrangements/{arrangement.id}/pay?access_token={other.sudo().access_token}',
        ):
            response, page = self.open(url)
            self.assertEqual(response.status_code, 404, url)
            pages.add(self.words(page))
        self.assertEqual(len(pages), 1)
        answer = self.draw(arrangement, token=other.sudo().access_token)
        self.assertIn('error', answer)
        self.assertEqual(arrangement.state, 'offered')

    def test_portal_user_of_the_debtor_needs_no_link(self):
        arrangement = self.offer()
        person = self.make_contact(self.business, "Piet", email='piet@korst.example.com')
        new_test_user(self.env, 'piet_portal', groups='base.group_portal', partner_id=person.id)
        stranger = self.make_debtor("Vreemd BV")
        new_test_user(self.env, 'vreemd_portal', groups='base.group_portal', partner_id=stranger.id)
        self.authenticate('piet_portal', 'piet_portal')
        response, _page = self.open(f'/my/arrangements/{arrangement.id}')
        self.assertEqual(response.status_code, 200)
        # And his page does not hand out the key.
        self.assertNotIn(arrangement.sudo().access_token, response.text)
        self.authenticate('vreemd_portal', 'vreemd_portal')
        self.assertEqual(self.url_open(f'/my/arrangements/{arrangement.id}').status_code, 404)

    # --- signing ---

    def test_draw(self):
        arrangement = self.offer()
        answer = self.draw(arrangement, "  Jan   Jansen ")
        self.assertTrue(answer['force_refresh'])
        self.assertIn('said=signed', answer['redirect_url'])
        self.assertRecordValues(arrangement, [{
            'state': 'signed', 'signed_name': "Jan Jansen", 'signed_via': 'portal', 'signed_how': 'drawn',
            'signed_ip': '127.0.0.1', 'signed_date': self.today}])
        self.assertTrue(arrangement.signed_on)
        self.assertTrue(arrangement.signed_signature)
        self.assertIn("countersign", arrangement.activity_ids.mapped('summary')[0].lower())
        self.assertEqual(arrangement.activity_ids.user_id, self.collector)
        _response, page = self.open(answer['redirect_url'])
        self.assertIn("Jan Jansen", self.words(page))
        self.assertFalse(page.xpath("//owl-component"), "It can be signed once")

    def test_type(self):
        """Without scripts: a name and a ticked box, and it says so."""
        arrangement = self.offer()
        response, _page = self.send_form(arrangement, '/sign/typed', name="Jan Jansen", agreed='1')
        self.assertIn('said=signed', response.url)
        arrangement.invalidate_recordset()
        self.assertRecordValues(arrangement, [{
            'state': 'signed', 'signed_name': "Jan Jansen", 'signed_how': 'typed', 'signed_signature': False,
            'signed_ip': '127.0.0.1'}])

    def test_type_without_the_box(self):
        arrangement = self.offer()
        response, page = self.send_form(arrangement, '/sign/typed', name="Jan Jansen")
        self.assertEqual(response.status_code, 422)
        self.assertTrue(page.xpath("//*[@role='alert']"))
        # What was typed is still there.
        self.assertEqual(page.xpath("//input[@id='typed-name']/@value"), ["Jan Jansen"])
        arrangement.invalidate_recordset()
        self.assertEqual(arrangement.state, 'offered')

    def test_name_is_required(self):
        arrangement = self.offer()
        for name in ('', '   ', '-', '123', '\u202e\u200b', None, ['Jan'], 'x' * 500):
            self.assertIn('error', self.draw(arrangement, name), repr(name))
        self.assertEqual(arrangement.state, 'offered')

    def test_double_click(self):
        """The same signature twice: one signature, and the same answer."""
        arrangement = self.offer()
        signature = draw_signature()
        first = self.draw(arrangement, signature=signature)
        before = self.snapshot(arrangement)
        second = self.draw(arrangement, signature=signature)
        self.assertEqual(first, second)
        self.assertEqual(self.snapshot(arrangement), before)
        # Also after we have signed.
        arrangement.with_user(self.manager).action_countersign()
        self.assertEqual(self.draw(arrangement, signature=signature), first)
        self.assertEqual(arrangement.state, 'active')

    def test_another_signature_after_the_first(self):
        arrangement = self.offer()
        self.draw(arrangement)
        before = self.snapshot(arrangement)
        answer = self.draw(arrangement, "Piet Puk")
        self.assertIn('why=signed', answer['redirect_url'])
        self.assertEqual(self.snapshot(arrangement), before)
        _response, page = self.open(answer['redirect_url'])
        self.assertIn("Jan Jansen", self.words(page))
        response, page = self.open(self.link(arrangement, '/sign/typed'), data={
            'csrf_token': self.csrf_token(), 'name': "Piet Puk", 'agreed': '1', 'sha256': arrangement.offer_sha256})
        self.assertEqual(response.status_code, 422)
        self.assertEqual(self.snapshot(arrangement), before)

    def csrf_token(self):
        """Return a token of this visitor from some page with a form."""
        other = self.offer(self.invoice(self.make_debtor("Ander BV"), due=self.today - days(20), amount=70.0))
        _response, page = self.open(self.link(other))
        return page.xpath("//input[@name='csrf_token']/@value")[0]

    def test_signature_for_another_arrangement(self):
        """What was caught from one arrangement signs no other."""
        debtor = self.make_debtor("Slagerij Vroeg BV")
        one = self.offer(self.invoice(debtor, due=self.today - days(20), amount=80.0))
        two = self.offer(self.invoice(debtor, due=self.today - days(20), amount=90.0))
        answer = self.draw(one, sha256=two.offer_sha256)
        self.assertIn('why=other_version', answer['redirect_url'])
        self.assertEqual(one.state, 'offered')
        self.assertFalse(one.signed_name)
        for sha256 in ('', 'x', '0' * 64):
            self.draw(one, sha256=sha256)
            self.assertEqual(one.state, 'offered', sha256)

    def test_other_version_is_told(self):
        arrangement = self.offer()
        answer = self.draw(arrangement, sha256='0' * 64)
        _response, page = self.open(answer['redirect_url'])
        self.assertTrue(page.xpath("//*[@role='alert']"))
        self.assertTrue(page.xpath("//owl-component"), "The present version can be signed at once")

    def test_amounts_changed(self):
        """Money came in since the offer: nothing is signed, and the collector is told, once."""
        arrangement = self.offer()
        self.pay(self.first, 50.0, on=self.today)
        for _turn in range(2):
            answer = self.draw(arrangement)
            self.assertIn('why=changed', answer['redirect_url'])
        response, _page = self.send_form(arrangement, '/sign/typed', name="Jan Jansen", agreed='1')
        self.assertEqual(response.status_code, 422)
        arrangement.invalidate_recordset()
        self.assertRecordValues(arrangement, [{'state': 'offered', 'signed_name': False}])
        self.assertEqual(len(arrangement.activity_ids), 1)
        self.assertEqual(arrangement.activity_ids.user_id, self.collector)

    def test_credited_or_cancelled(self):
        arrangement = self.offer()
        credit = self.credit_note(amount=10.0, on=self.today)
        (self.items(self.first) | self.items(credit)).reconcile()
        with self.assertRaises(NotSigned) as caught:
            arrangement._sign("Jan Jansen", draw_signature(), via='portal', sha256=arrangement.offer_sha256)
        self.assertEqual(caught.exception.code, 'changed')

    def test_expired(self):
        arrangement = self.offer(valid_until=self.today)
        arrangement._recording().write({'valid_until': self.today - days(1)})
        _response, page = self.open(self.link(arrangement))
        self.assertFalse(page.xpath("//owl-component"))
        self.assertFalse(page.xpath("//input[@name='agreed']"))
        answer = self.draw(arrangement)
        self.assertIn('why=expired', answer['redirect_url'])
        self.assertEqual(arrangement.state, 'offered')
        # On its last day it can be signed.
        arrangement._recording().write({'valid_until': self.today})
        self.draw(arrangement)
        self.assertEqual(arrangement.state, 'signed')

    def test_ended(self):
        """Whatever ended it is said in plain words, and nothing can be signed."""
        arrangement = self.offer()
        for state, code in (('cancelled', 'withdrawn'), ('cancelled', 'expired'), ('replaced', 'replaced'),
                            ('kept', 'paid'), ('broken', 'missed'), ('cancelled', 'by_debtor')):
            with self.subTest(state=state, code=code):
                arrangement._recording().write({'state': state, 'close_code': code, 'closed_on': self.today})
                _response, page = self.open(self.link(arrangement))
                self.assertFalse(page.xpath("//owl-component"))
                self.assertTrue(page.xpath("//*[contains(@class, 'o_dunning_message')]//p[string-length(.) > 20]"))
                self.draw(arrangement)
                self.assertEqual(arrangement.state, state)
                self.assertFalse(arrangement.signed_on)

    def test_script_in_the_name(self):
        arrangement = self.offer()
        evil = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>"
        self.draw(arrangement, evil)
        self.assertEqual(arrangement.signed_name, evil)
        arrangement.with_user(self.manager).action_countersign()
        for url in (self.link(arrangement), self.link(arrangement, '', f'said={evil}&why={evil}')):
            response = self.url_open(url)
            self.assertNotIn('<script>alert', response.text)
            self.assertNotIn('<img src=x', response.text)
        self.assertNotIn('<script>alert', ' '.join(arrangement.message_ids.mapped('body')))
        self.assertNotIn('<img src=x', ' '.join(map(str, arrangement.message_ids.mapped('body'))))

    def test_strange_pictures(self):
        """Only a picture of a signature is one: no programs, no bombs, no empty sheets."""
        arrangement = self.offer()
        svg = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>').decode()
        huge = Image.new('1', (30000, 30000))
        bomb = encode(huge)
        self.assertLess(len(bomb), 1_000_000, "A small file, a huge picture")
        noise = base64.b64encode(b'\x89PNG\r\n\x1a\n' + b'x' * 100).decode()
        blank = encode(Image.new('RGBA', (400, 130), (255, 255, 255, 0)))
        white = encode(Image.new('RGB', (400, 130), 'white'))
        jpeg = encode(Image.new('RGB', (400, 130), 'white'), 'JPEG')
        for name, picture in {
            'svg': svg, 'bomb': bomb, 'drawn huge': draw_signature(2500, 2500), 'noise': noise, 'blank': blank,
            'white': white, 'jpeg': jpeg,
            'large': 'A' * 3_000_000, 'text': 'not base64 !', 'list': [1, 2], 'number': 5,
        }.items():
            with self.subTest(picture=name):
                answer = self.draw(arrangement, signature=picture)
                self.assertTrue(answer.get('error'))
                self.assertEqual(arrangement.state, 'offered')

    def test_csrf(self):
        arrangement = self.offer()
        for csrf in ('', 'x', 'f' * 40 + 'o1'):
            response, page = self.send_form(
                arrangement, '/sign/typed', name="Jan Jansen", agreed='1', csrf=csrf)
            self.assertEqual(response.status_code, 400)
            self.assertTrue(page.xpath("//*[@role='alert']"))
            response, _page = self.send_form(arrangement, '/decline', csrf=csrf)
            self.assertEqual(response.status_code, 400)
        arrangement.invalidate_recordset()
        self.assertRecordValues(arrangement, [{'state': 'offered', 'signed_name': False}])

    # --- declining ---

    def test_decline(self):
        arrangement = self.offer()
        response, _page = self.send_form(arrangement, '/decline', reason="Te veel <b>per maand</b>")
        self.assertIn('said=declined', response.url)
        arrangement.invalidate_recordset()
        self.assertRecordValues(arrangement, [{'state': 'cancelled', 'close_code': 'by_debtor'}])
        self.assertIn("Te veel", arrangement.close_reason)
        self.assertEqual(arrangement.activity_ids.user_id, self.collector)
        self.assertNotIn('<b>per maand', arrangement.activity_ids.note)
        before = self.snapshot(arrangement)
        # Again: nothing more happens.
        response, _page = self.open(self.link(arrangement, '/decline'), data={'csrf_token': self.csrf_token()})
        self.assertIn('said=declined', response.url)
        self.assertEqual(self.snapshot(arrangement), before)

    def test_decline_without_a_reason(self):
        arrangement = self.offer()
        self.send_form(arrangement, '/decline')
        arrangement.invalidate_recordset()
        self.assertEqual(arrangement.close_code, 'by_debtor')

    def test_nobody_declines_what_was_signed(self):
        arrangement = self.offer()
        token = self.csrf_token()
        self.draw(arrangement)
        response, _page = self.open(self.link(arrangement, '/decline'), data={'csrf_token': token})
        self.assertEqual(response.status_code, 422)
        arrangement.invalidate_recordset()
        self.assertEqual(arrangement.state, 'signed')

    # --- we sign ---

    def test_countersign(self):
        arrangement = self.offer()
        with self.assertRaises(UserError):
            arrangement.with_user(self.manager).action_countersign()
        self.draw(arrangement)
        with self.assertRaises(AccessError):
            arrangement.with_user(self.collector).action_countersign()
        self.assertEqual(arrangement.state, 'signed')
        arrangement.with_user(self.manager).action_countersign()
        self.assertRecordValues(arrangement, [{
            'state': 'active', 'countersigned_by_id': self.manager.id, 'activated_on': self.today}])
        self.assertFalse(arrangement.activity_ids)
        # Twice is once.
        arrangement.with_user(self.manager).action_countersign()
        self.assertEqual(arrangement.state, 'active')

    def test_who_signs_for_us(self):
        self.company.dunning_signatory_ids = self.collector
        self.assertTrue(self.company._may_sign_arrangements(self.collector))
        self.assertFalse(self.company._may_sign_arrangements(self.manager))
        with self.assertRaises(ValidationError):
            self.company.dunning_auto_signatory_id = self.manager
        arrangement = self.offer()
        self.draw(arrangement)
        self.assertTrue(arrangement.with_user(self.collector).may_countersign)
        self.assertFalse(arrangement.with_user(self.manager).may_countersign)

    def test_signed_at_once(self):
        """Within the limits it runs at once, in the name of a colleague."""
        self.company.dunning_auto_signatory_id = self.manager
        arrangement = self.offer()
        answer = self.draw(arrangement)
        self.assertRecordValues(arrangement, [{'state': 'active', 'countersigned_by_id': self.manager.id}])
        _response, page = self.open(answer['redirect_url'])
        self.assertIn(self.manager.name, self.words(page))

    def test_not_at_once_beyond_the_limits(self):
        self.company.dunning_auto_signatory_id = self.manager
        self.company.dunning_arrangement_max_instalments = 2
        arrangement = self.env['dunning.arrangement'].with_user(self.collector)._make(
            self.company, self.business, self.items(self.first | self.second), {'instalment_count': 3})
        arrangement.with_user(self.manager).action_approve()
        arrangement.with_user(self.collector).action_offer()
        arrangement = arrangement.sudo()
        self.draw(arrangement)
        self.assertEqual(arrangement.state, 'signed')

    def test_paper(self):
        """What was signed on paper before the offer expired counts, also when it comes in later."""
        arrangement = self.offer()
        scan = self.env['ir.attachment'].create({'name': 'scan.pdf', 'raw': b'%PDF-1.4 scan'})
        arrangement._sign("Jan Jansen", via='paper', scan=scan, signed_date=self.today - days(1))
        self.assertRecordValues(arrangement, [{
            'state': 'signed', 'signed_via': 'paper', 'signed_how': 'paper', 'scan_attachment_id': scan.id,
            'signed_date': self.today - days(1)}])

    def test_at_once_fails(self):
        """What stands in our way is for us: the debtor did his part."""
        self.company.dunning_auto_signatory_id = self.manager
        arrangement = self.offer()

        reason = "No reason to hold"

        def fail(_self):
            raise UserError(reason)

        with patch.object(self.registry['dunning.arrangement'], '_activate', fail):
            self.draw(arrangement)
        self.assertRecordValues(arrangement, [{
            'state': 'signed', 'countersigned_on': False, 'countersigned_by_id': False}])
        self.assertIn("No reason to hold", ' '.join(map(str, arrangement.message_ids.mapped('body'))))
        self.assertEqual(arrangement.activity_ids.user_id, self.collector)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestSignOnTelephone(SignCommon):
    """A real browser with the screen of a telephone, and a finger."""

    browser_size = '390x844'
    touch_enabled = True

    def sign_in_browser(self, arrangement):
        """Type a name, draw a line, press the button."""
        code = """
            (async () => {
                const find = async (selector) => {
                    for (let turn = 0; turn < 200; turn++) {
                        const node = document.querySelector(selector);
                        if (node) return node;
                        await new Promise((done) => setTimeout(done, 50));
                    }
                    throw new Error(`${selector} did not appear`);
                };
                if (document.documentElement.scrollWidth > window.innerWidth) {
                    throw new Error("The page is wider than the screen");
                }
                const name = await find(".o_web_sign_name_input");
                name.value = "Jan Jansen";
                name.dispatchEvent(new Event("input", { bubbles: true }));
                (await find(".o_web_sign_draw_button")).click();
                await find(".o_web_sign_draw_clear");
                const canvas = await find(".o_web_sign_signature");
                canvas.scrollIntoView({ block: "center" });
                await new Promise((done) => setTimeout(done, 300));
                const box = canvas.getBoundingClientRect();
                const point = (kind, part) => canvas.dispatchEvent(new PointerEvent(kind, {
                    bubbles: true, cancelable: true, pointerId: 1, isPrimary: true, button: 0,
                    buttons: kind === "pointerup" ? 0 : 1,
                    pressure: 0.5, pointerType: "touch", clientX: box.left + box.width * part,
                    clientY: box.top + box.height * (0.3 + 0.4 * part),
                }));
                point("pointerdown", 0.1);
                for (let part = 0.15; part < 0.9; part += 0.05) point("pointermove", part);
                point("pointerup", 0.9);
                const button = await find(".o_portal_sign_submit:not([disabled])");
                await new Promise((done) => setTimeout(done, 300));
                const send = XMLHttpRequest.prototype.send;
                XMLHttpRequest.prototype.send = function (...words) {
                    this.addEventListener("load", () => {
                        if (this.responseText.includes("said=signed")) console.log("test successful");
                    });
                    return send.apply(this, words);
                };
                button.click();
            })().catch((error) => console.error(error.message));
        """
        self.browser_js(self.link(arrangement), code, ready="document.readyState === 'complete'", login=None)
        arrangement.invalidate_recordset()

    def test_draw_with_a_finger(self):
        arrangement = self.offer()
        self.sign_in_browser(arrangement)
        self.assertRecordValues(arrangement, [{
            'state': 'signed', 'signed_name': "Jan Jansen", 'signed_how': 'drawn', 'signed_date': self.today}])
        with Image.open(io.BytesIO(base64.b64decode(arrangement.signed_signature))) as picture:
            self.assertTrue(picture.convert('RGBA').getchannel('A').getbbox())
