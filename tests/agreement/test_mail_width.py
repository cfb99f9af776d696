"""Most e-mails are read on a telephone: all of ours fit the narrowest, whatever they ask and of whom."""

import json

from lxml import html

from odoo.tests import HttpCase, tagged

from ..common import TODAY, days
from ..letter.test_letters import LetterCommon
from .test_arrangement_follow import FIRST, FollowCommon

# The narrowest telephone, one of today, and a window of a program for mail.
WIDTHS = (320, 390, 700)
# Each e-mail alone in a frame: nothing of Odoo styles it. Other programs have another Arial, so the widest is taken.
MEASURE = """
const wide = [];
for (const [name, body] of %s) {
    for (const width of %s) {
        const frame = document.createElement("iframe");
        frame.style.cssText = `width: ${width}px; height: 600px; border: 0;`;
        document.body.append(frame);
        frame.contentDocument.write(body);
        frame.contentDocument.close();
        const needed = frame.contentDocument.documentElement.scrollWidth;
        if (needed > width) wide.push(`${name} needs ${needed} px of ${width}`);
        frame.remove();
    }
}
if (wide.length) console.error(wide.join("\\n"));
else console.log("test successful");
"""
#: Texts of documents, which are e-mail templates to be translated and changed as such.
CLAUSES = {'mail_template_arrangement_business', 'mail_template_arrangement_consumer'}
LONG = "Koninklijke Nederlandse Maatschappij tot Bevordering der Warenhuisdistributieondernemingen"


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMailWidth(FollowCommon, HttpCase):

    prepare, make_notice = LetterCommon.prepare, LetterCommon.make_notice

    def setUp(self):
        super().setUp()
        # A provider is set up in the browser; what debtors read then is what is measured.
        self.patch(self.registry['dunning.letter'], '_can_pay_online', lambda this, company: True)
        self.company.name = f"{LONG} B.V."

    def debt(self, lang, *, consumer=False):
        """Return invoices of large sums and long descriptions, of a debtor with a long name."""
        debtor = self.make_debtor(f"{LONG} {lang} {consumer}", lang=lang, consumer=consumer)
        moves = self.env['account.move']
        for amount in (1234567.89, 9876543.21, 12345.67):
            moves |= self.invoice(debtor, due=TODAY - days(90), amount=amount)
        moves.ref = "Levering van warenhuisdistributiebenodigdheden aan de balie te Amsterdam-Zuidoost"
        self.pay(moves[2], 1000)
        return moves

    def withdrawal(self, lang):
        """Return the proposal to take back a letter about invoices that had been paid."""
        debtor = self.make_debtor(f"Te laat {LONG}", lang=lang)
        moves = self.invoice(debtor, due=TODAY - days(10), amount=1234567.89)
        self.dun(TODAY)
        self.pay(moves, on=TODAY - days(3))
        return self.env['dunning.withdrawal'].search([('partner_id', '=', debtor.id)])

    def last(self, record):
        """Return the last e-mail about a record, as HTML."""
        return self.env['mail.mail'].sudo().search(
            [('model', '=', record._name), ('res_id', '=', record.id), ('message_type', '=', 'comment')],
            order='id DESC', limit=1).body_html

    def render(self, lang):
        """Return ``{name: HTML}`` of all e-mails to debtors in a language."""
        Letter, result = self.env['dunning.letter'], {}
        for kind in ('business', 'consumer'):
            policy, moves = self.env.ref(f'l10n_nl_dunning.policy_{kind}'), self.debt(lang, consumer=kind == 'consumer')
            for level in policy.level_ids.filtered(lambda level: not level._is_manual()):
                notice = self.prepare(self.make_notice(level, moves))
                [mail] = Letter._prepare_mails(self.env.ref('l10n_nl_dunning.mail_template_notice'), notice)
                result[f'mail_template_notice {level.name} {lang}'] = mail['body_html']
                notice._recording().state = 'cancelled'
                self.env.flush_all()
        moves = self.debt(lang)
        promise = self.on(TODAY, self.env['dunning.promise'])._make(
            self.company, moves.partner_id, TODAY + days(10), None, self.items(moves))
        arrangement = self.agree(self.debt(lang))
        first, debtor = arrangement.instalment_ids[0], arrangement.partner_id
        for record, kinds in (
            (promise, ('promise',)), (self.withdrawal(lang), ('withdrawal',)),
            (arrangement, ('arrangement_offer', 'arrangement_agreement')),
        ):
            for kind in kinds:
                record._send_mail(f'l10n_nl_dunning.mail_template_{kind}', record.partner_id, picture=b'qr')
                result[f'mail_template_{kind} {lang}'] = self.last(record)
        for kind in ('reminder', 'missed', 'broken', 'kept', 'new_invoice'):
            items = self.items(self.invoice(debtor, amount=7654321.0)) if kind == 'new_invoice' else None
            arrangement._write_to_debtor(kind, FIRST, first, items)
            result[f'mail_template_arrangement_{kind} {lang}'] = self.last(arrangement)
        return result

    def test_every_mail_fits_in_both_languages(self):
        mails = self.render('nl_NL') | self.render('en_US')
        shipped = set(self.env['ir.model.data'].search(
            [('module', '=', 'l10n_nl_dunning'), ('model', '=', 'mail.template')]).mapped('name'))
        self.assertEqual({name.split()[0] for name in mails}, shipped - CLAUSES)
        for name, body in mails.items():
            self.assertIn('dun-card', body, f"{name} has another frame")
        self.browser_js('/web/login', MEASURE % (json.dumps(list(mails.items())), json.dumps(WIDTHS)))

    def test_buttons_look_alike(self):
        """All that a debtor is to press is made in one place."""
        buttons = {
            name: [button.get('style') for button in html.document_fromstring(body).iter('a')
                   if 'background-color' in (button.get('style') or '')]
            for name, body in self.render('nl_NL').items()}
        self.assertEqual(len({style for styles in buttons.values() for style in styles}), 1)
        for kind in ('notice', 'promise', 'arrangement_reminder', 'arrangement_new_invoice'):
            self.assertTrue(
                any(styles for name, styles in buttons.items() if name.startswith(f'mail_template_{kind} ')), kind)

    def test_what_is_light_is_dark_on_a_dark_screen(self):
        """A background of ours has a class, by which the frame darkens it; else light words would stand on it."""
        frame = self.env.ref('l10n_nl_dunning.mail_layout').arch.partition('prefers-color-scheme: dark')[2]
        for name, body in self.render('nl_NL').items():
            for node in html.document_fromstring(body).iter():
                if 'background-color' in (node.get('style') or '') and node.tag != 'a':
                    self.assertIn(f".{node.get('class')} {{ background-color", frame, name)
