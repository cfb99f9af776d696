"""One sum: letter, mail, page, payment, codes, screen, worklist and agreements say the same cents.

All debtors of the demonstration (dev/demo_data.py), with all that happened to them.
"""

import re
from datetime import date, datetime, time
from unittest import SkipTest

from freezegun.api import freeze_time

from odoo.tests import TransactionCase, tagged
from odoo.tools.mail import html2plaintext

from ...models.kernel.formats import letter_amount
from ...models.portal.dunning_page import as_visitor
from ..common import letter_bytes

try:
    import demo_data
except ImportError:
    demo_data = None

TODAY = date(2026, 11, 24)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestOneSum(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not demo_data:
            raise SkipTest("the demonstration is in the development environment (dev/)")
        cls.classPatch(
            cls.registry['dunning.letter'], '_render_pdfs',
            lambda self, notices, *args, **kwargs: {notice.id: letter_bytes(notice) for notice in notices})
        cls.classPatch(cls.registry['dunning.arrangement'], '_print_document', lambda *args, **kwargs: b'%PDF-1.4')
        cls.startClassPatcher(freeze_time(datetime.combine(TODAY, time(8)), ignore=['psycopg2']))
        demo_data.load(cls.env)
        cls.company = cls.env.company
        notices = cls.env['dunning.run']._plan_company(cls.company, TODAY)['notices']
        cls.env['dunning.dispatcher']._dispatch(notices.filtered(lambda notice: notice.state == 'queued'))
        demo_data.let_mails_leave(cls.env)
        admin = cls.env.ref('base.user_admin')
        # Of a letter about a branch as well only who works for both sees all of the sum.
        cls.env = cls.env(user=admin, context={'lang': 'en_US', 'allowed_company_ids': admin.company_ids.ids})
        cls.rows = cls.env['dunning.debtor'].search([('company_id', '=', cls.company.id)])

    def _get_code(self, code, currency):
        """Return the amount in the text of an EPC code, or None where no bank of this currency reads one."""
        found = re.search(r'^EUR([\d.]+)$', code or '', re.MULTILINE)
        self.assertEqual(bool(found), currency.name == 'EUR')
        return found and float(found.group(1))

    def test_a_letter_and_all_it_leads_to(self):
        """What a letter asks is what its e-mail, its page, the payment and each code to scan ask."""
        self.patch(self.registry['dunning.letter'], '_draw_qr', lambda self, value: value)
        notices = self.env['dunning.notice'].search([
            ('state', '=', 'sent'), ('date', '=', TODAY), ('channel', 'in', ('email', 'both'))])
        self.assertGreater(len(notices), 8)
        for notice in notices:
            with self.subTest(notice=notice.display_name, debtor=notice.partner_id.name):
                notice = as_visitor(notice).with_context(lang=notice.lang)
                words = letter_amount(notice.env, notice.amount_due, notice.currency_id)
                [letter] = notice.env['dunning.letter']._prepare_letters(notice)
                self.assertIn(words, letter['due'])
                [document] = notice.env['dunning.letter']._prepare_documents(notice)
                self.assertIn(words, html2plaintext(document.html))
                self.assertIn(words, html2plaintext(notice.mail_message_id.body))
                page = notice.partner_id._get_dunning_page(self.company)
                self.assertEqual(page._get_payable('letter', notice=notice).amount, notice.amount_due)
                [debt] = [debt for debt in page._get_debt(notice)['debts'] if debt['currency'] == notice.currency_id]
                self.assertEqual(debt['letter']['total'], words)
                for code in (letter['qr'], debt['letter']['bank'].get('qr')):
                    self.assertEqual(self._get_code(code, notice.currency_id) or notice.amount_due, notice.amount_due)

    def test_a_debtor_and_all_that_is_asked(self):
        """Worklist, screen, statement, promise and arrangement begin with what the planner lets be asked."""
        for row in self.rows:
            with self.subTest(debtor=row.partner_id.name):
                debtor, currency, amount = row.partner_id, row.currency_id, row.amount_collectable
                screen = self.env['dunning.debtor'].get_screen(row.id)
                self.assertEqual(screen['amounts']['collectable'], amount)
                due = [item for item in screen['items'] if item['days'] > 0]
                self.assertEqual(currency.round(sum(item['left'] for item in due)), amount)
                [stated] = [sums for sums in debtor.get_dunning_statement()['amounts'] if (
                    sums['currency'] == currency.name)]
                self.assertEqual(stated['collectable'], amount)

                page = debtor._get_dunning_page(self.company).with_context(lang='nl_NL')
                debts = {debt['currency']: debt for debt in page._get_debt()['debts']}
                asked = debts[currency]['total_value']
                self.assertEqual(screen['amounts']['page'], float(asked))
                payable = page._get_payable('due', currency=currency)
                self.assertEqual(payable.amount if payable else 0.0, float(asked))
                self.assertEqual(debts[currency]['total'], letter_amount(page.env, float(asked), currency))
                if row.arrangement_id.state != 'offered':  # what is on offer can be paid at once
                    booked = self.env['account.move'].browse(item['move_id'] for item in due).filtered(
                        'dunning_notice_id').ids
                    principal = sum(item['left'] for item in due if item['move_id'] not in booked)
                    extras = sum(claim.interest + claim.costs for claim in debts[currency]['claims'])
                    self.assertEqual(currency.round(principal + float(extras)), float(asked))

                if amount:  # else a person chose the debtor all the same
                    promise = self.env['dunning.promise.make']
                    promise = promise.browse(promise._action_open(partner=debtor)['res_id'])
                    self.assertEqual(promise.amount, amount)
                    self.assertEqual(promise.amount_open, amount)
                if amount and not row.dispute_amount:  # what is disputed is part of no arrangement
                    action = row.action_arrangement()
                    wizard = self.env['dunning.arrangement.make'].with_context(**action['context']).create({})
                    self.assertEqual(wizard.amount_total, float(asked))
                    if wizard.unasked_text:
                        wizard.with_unasked = True
                        self.assertGreater(wizard.amount_total, float(asked))
